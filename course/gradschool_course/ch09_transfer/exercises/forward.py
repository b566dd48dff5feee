"""forward: a model in training and in inference, and the two ways in which a frozen normalisation may behave."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.transfer import forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import CHAPTER, CLOSE, STATISTICS

ACTIVATIONS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "linear": lambda z: z,
               "sigmoid": lambda z: 0.5 + 0.5 * np.tanh(z / 2)}  # fmt: skip


# --------------------------------------------------------------------------------------- how a normalisation goes wrong
def right_mode(layer, training, hold):
    return training and (layer["trainable"] or not hold)


def normalised(Z, mean, var, layer, eps):
    return layer["gamma"] * (Z - mean) / np.sqrt(var + eps) + layer["beta"]


def kept(old, new, momentum):
    return momentum * old + (1 - momentum) * new


def ran(by_batch=right_mode, follows=None, update=kept, spread=np.var, norm=normalised, activation_first=False,
        bias_of=lambda layer: layer.get("b", 0)):  # fmt: skip
    """A forward with parts of its own. by_batch(layer, training, hold): is it normalised by the batch? follows: do its
    statistics follow, if that is another question?"""

    def answer(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
        new = []
        for layer in model:
            layer, act = dict(layer), ACTIVATIONS[layer["activation"]]
            Z = X @ layer["W"] + bias_of(layer)
            if activation_first:
                Z = act(Z)
            if "gamma" in layer:
                mean, var = Z.mean(axis=0), spread(Z, axis=0)
                old = layer["mean"], layer["var"]
                if (follows or by_batch)(layer, training, hold):
                    layer["mean"], layer["var"] = update(old[0], mean, momentum), update(old[1], var, momentum)
                Z = norm(Z, *((mean, var) if by_batch(layer, training, hold) else old), layer, eps)
            X = Z if activation_first else act(Z)
            new.append(layer)
        return X, new

    return answer


def in_training(layer, training, hold):
    return training


def never_frozen(layer, training, hold):
    return training and layer["trainable"]


def held_all(layer, training, hold):
    return training and not hold


def hold_reversed(layer, training, hold):
    return training and (layer["trainable"] or hold)


def flag_reversed(layer, training, hold):
    return training and (not layer["trainable"] or not hold)


def all_wait_for_the_frozen(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    """Where one normalisation is held, all are."""
    held = hold and any(not layer["trainable"] for layer in model if "gamma" in layer)
    return forward(model, X, training and not held, False, momentum, eps)


def no_bias_where_normalised(layer):
    return 0 if "gamma" in layer else layer.get("b", 0)


def bias_behind(Z, mean, var, layer, eps):
    return normalised(Z, mean, var, layer, eps) + layer.get("b", 0)


def unbiased(Z, axis):
    return Z.var(axis=axis, ddof=1)


def unbiased_remembered(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    """Normalised by one variance, and another one remembered."""
    Y, new = forward(model, X, training, hold, momentum, eps)
    n = len(X)
    for layer, old in zip(new, model, strict=True):
        if "gamma" in layer and right_mode(old, training, hold):
            seen = (layer["var"] - momentum * old["var"]) * n / (n - 1)
            layer["var"] = momentum * old["var"] + seen
    return Y, new


def naught_for_default(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    return forward(model, X, training, hold, momentum or 0.9, eps or 1e-5)


def changed_in_place(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    Y, new = forward(model, X, training, hold, momentum, eps)
    for layer, other in zip(model, new, strict=True):
        layer.update(other)
    return Y, model


def statistics_thrown_away(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    return forward(model, X, training, hold, momentum, eps)[0], [dict(layer) for layer in model]


def linear_in_the_end(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    """The last activation is left out, whatever it is."""
    Y, new = forward([*model[:-1], {**model[-1], "activation": "linear"}], X, training, hold, momentum, eps)
    return Y, [*new[:-1], {**new[-1], "activation": model[-1]["activation"]}]


# ------------------------------------------------------------------------------------------------ other right answers
def layer_by_layer(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    """A layer's own function, called for each."""

    def run(layer, X):
        Z = np.einsum("nd,dc->nc", X, layer["W"])
        if "b" in layer:
            Z = Z + layer["b"]
        statistics = {}
        if "gamma" in layer:
            mean, var = layer["mean"], layer["var"]
            held = hold and not layer["trainable"]
            if training and not held:
                mean = Z.sum(axis=0) / len(Z)
                var = ((Z - mean) ** 2).sum(axis=0) / len(Z)
                statistics = {"mean": layer["mean"] + (1 - momentum) * (mean - layer["mean"]),
                              "var": layer["var"] + (1 - momentum) * (var - layer["var"])}  # fmt: skip
            scale = layer["gamma"] * (var + eps) ** -0.5
            Z = Z * scale + (layer["beta"] - mean * scale)
        return ACTIVATIONS[layer["activation"]](Z), {**layer, **statistics}

    new = []
    for layer in model:
        X, layer = run(layer, X)
        new.append(layer)
    return X, new


def with_branches(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    new = [{k: np.copy(v) if isinstance(v, np.ndarray) else v for k, v in layer.items()} for layer in model]
    for layer in new:
        X = X @ layer["W"]
        if "b" in layer:
            X = X + layer["b"]
        if "gamma" in layer:
            if not training or (hold and layer["trainable"] is False):
                X = (X - layer["mean"]) / np.sqrt(layer["var"] + eps)
            else:
                layer["mean"] *= momentum
                layer["mean"] += (1 - momentum) * X.mean(axis=0)
                layer["var"] *= momentum
                layer["var"] += (1 - momentum) * X.var(axis=0)
                X = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + eps)
            X = X * layer["gamma"] + layer["beta"]
        if layer["activation"] == "relu":
            X = X * (X > 0)
        elif layer["activation"] == "tanh":
            X = 1 - 2 / (np.exp(2 * X) + 1)
        elif layer["activation"] == "sigmoid":
            X = np.exp(X) / (1 + np.exp(X))
    return X, new


# ------------------------------------------------------------------------------------------------------------- probes
def batch(rng, D):
    return rng.normal(rng.normal(size=D), 1.0, size=(int(rng.integers(6, 10)), D))


def asked(rng, normed=(0, 1, 2), frozen=(0, 2), head="linear", outputs=None, **options):
    """Four layers; those with a normalisation, and those that are frozen, as told. Some have a bias beside it."""
    widths = [*draw.widths(rng, 4), outputs or draw.widths(rng, 1)[0]]
    model = draw.layers(rng, widths, normed, frozen, biased=[1, 2])
    model[-1]["activation"] = head
    small = {"momentum": float(rng.uniform(0.6, 0.8)), "eps": float(rng.uniform(0.05, 0.3))}
    return Call(model=model, X=batch(rng, widths[0]), **small | options)


def held(rng):
    return [asked(rng, training=True, hold=True), asked(rng, frozen=[1], training=True, hold=True)]


def following(rng):
    return [asked(rng, training=True, hold=False), asked(rng, frozen=[], training=True, hold=True, momentum=0.0)]


def inference(rng):
    return [
        asked(rng, training=False, hold=False),
        asked(rng, frozen=[], training=False, hold=True),
        asked(rng, eps=0.0),
    ]


def without(rng):
    return [asked(rng, normed=[], head=head, outputs=1, training=True) for head in ("sigmoid", "tanh")]


def by_default(rng):
    call = asked(rng)
    del call.arguments["momentum"], call.arguments["eps"]
    return [call, Call(**call.arguments, training=True)]


FORWARD = Exercise(
    reference=forward,
    returns=("Y", "model"),
    chapter=CHAPTER,
    title="Forward, with frozen statistics or without",
    difficulty=3,
    minutes=20,
    task="""Run a model on a batch `X (N, D)`, layer by layer: `Z = X W + b` (a layer without `b` has none); if the
layer has a `gamma`, the normalisation of chapter 8, with `eps` under the root; then the activation, one of `"relu"`,
`"tanh"`, `"sigmoid"` and `"linear"`.

The normalisation works in one of two ways:

- *by the batch*: it goes by mean and mean square deviation of the batch, and the layer's `mean` and `var` follow,
  with `momentum` as the share that is kept;
- *by what is remembered*: it goes by `mean` and `var`, which stay.

In inference all work in the second way. In training all work in the first, but for those of *frozen* layers with
`hold=True`: they work in the second. With `hold=False` it does not matter whether a layer is frozen.

Return `(Y, model)`: what the last layer gives, and a new model with the statistics as they are now. The arguments
stay as they are; the new model may share arrays with the old one.""",
    example="""\
layer = {"W": np.ones((1, 1)), "gamma": np.ones(1), "beta": np.zeros(1), "mean": np.zeros(1),
         "var": np.ones(1), "activation": "linear", "trainable": False}
X = np.array([[4.0], [6.0]])
Y, new = forward([layer], X, training=True, hold=True)
Y.round(3).ravel()  # [4. 6.]
Y, new = forward([layer], X, training=True, hold=False)
Y.round(3).ravel()  # [-1.  1.]
new[0]["mean"]  # [0.5]""",
    groups=[
        Group("held", 2, held, "Training with hold=True, some layers frozen.", CLOSE),
        Group("following", 1, following, "Training in which all statistics follow.", CLOSE),
        Group("inference", 1, inference, "Inference.", CLOSE),
        Group("plain layers", 1, without, "Layers without a normalisation, several activations.", CLOSE),
        Group("defaults", 1, by_default, "The options that are not given.", CLOSE),
    ],
    axes={"X": ("sample", "feature"), "return[0]": ("sample", "unit")},
    may_alias=True,
    misconceptions=[
        Misconception(
            "hold_ignored",
            ran(in_training),
            "A layer is frozen and hold is True. Whose mean does your normalisation use in training?",
            "a frozen normalisation always went by the batch",
            STATISTICS,
            published="PyTorch, for parameters with `requires_grad=False` in training mode",
        ),
        Misconception(
            "always_held",
            ran(never_frozen),
            "What does hold=False change in yours?",
            "a frozen normalisation always went by what is remembered",
            STATISTICS,
            published="Keras, for layers with `trainable=False`",
        ),
        Misconception(
            "hold_reversed",
            ran(hold_reversed),
            "With hold=True, should the statistics of a frozen layer stay or follow?",
            "`hold` meant the opposite",
            STATISTICS,
        ),
        Misconception(
            "learning_ones_held",
            ran(flag_reversed),
            "Which layers does hold concern: those that learn, or those that are frozen?",
            "the layers that learn were held, and not the frozen ones",
            STATISTICS,
        ),
        Misconception(
            "all_held",
            ran(held_all),
            "A layer learns, and hold is True. By which mean is it normalised in training?",
            "`hold` held every normalisation",
            STATISTICS,
        ),
        Misconception(
            "one_holds_all",
            all_wait_for_the_frozen,
            "One layer is frozen. What does that change for the others?",
            "one frozen layer held the normalisations of all others",
            STATISTICS,
        ),
        Misconception(
            "statistics_follow_though_held",
            ran(right_mode, follows=in_training),
            "The outputs of your frozen layer are right. What of the statistics that it hands on?",
            "the statistics of a held layer followed the batch",
            STATISTICS,
        ),
        Misconception(
            "statistics_stay_by_batch_normalised",
            ran(in_training, follows=right_mode),
            "A held layer's statistics stay in yours. And what does it normalise by in training?",
            "a held layer kept its statistics, and still normalised by the batch",
            STATISTICS,
        ),
        Misconception(
            "statistics_follow_in_inference",
            ran(right_mode, follows=lambda layer, training, hold: layer["trainable"] or not hold),
            "A customer's picture comes in. Should the model be another one afterwards?",
            "statistics followed in inference, too",
            STATISTICS,
        ),
        Misconception(
            "batch_in_inference",
            ran(lambda layer, training, hold: layer["trainable"] or not hold, follows=right_mode),
            "May the answer to one sample depend on the others in inference?",
            "inference went by the batch",
            STATISTICS,
        ),
        Misconception(
            "statistics_thrown_away",
            statistics_thrown_away,
            "Which mean does the model have that you return?",
            "the new statistics were not handed on",
            STATISTICS,
        ),
        Misconception(
            "momentum_reversed",
            ran(update=lambda old, now, momentum: (1 - momentum) * old + momentum * now),
            "With momentum 0.9, which share of the old mean is kept?",
            "momentum were the share of the new",
            STATISTICS,
            published="PyTorch and MATLAB",
        ),
        Misconception(
            "statistics_replaced",
            ran(update=lambda old, now, momentum: now),
            "What of the old statistics is left after a single batch?",
            "the statistics were those of the last batch",
            STATISTICS,
        ),
        Misconception(
            "unbiased",
            ran(spread=unbiased),
            "Is your variance divided by N, or by N − 1?",
            "the variance were divided by N − 1",
            STATISTICS,
        ),
        Misconception(
            "unbiased_remembered",
            unbiased_remembered,
            "The batch is normalised by one variance. Is that the one that is remembered?",
            "the remembered variance were divided by N − 1",
            STATISTICS,
            published="PyTorch",
        ),
        Misconception(
            "eps_outside",
            ran(
                norm=lambda Z, mean, var, layer, eps: layer["gamma"] * (Z - mean) / (np.sqrt(var) + eps) + layer["beta"]
            ),
            "For a variance of 0, do you divide by √ε or by ε?",
            "ε were added outside the root",
            STATISTICS,
        ),
        Misconception(
            "naught_for_default",
            naught_for_default,
            "With `momentum=0.0`, is a momentum given? What do you get for `0.0 or 0.9`?",
            "a momentum or an ε of 0 had not been given",
            STATISTICS,
        ),
        Misconception(
            "activation_first",
            ran(activation_first=True),
            "What is normalised: what goes into the activation, or what comes out of it?",
            "the normalisation stood behind the activation",
            STATISTICS,
        ),
        Misconception(
            "bias_dropped",
            ran(bias_of=no_bias_where_normalised),
            "A layer has a `b` and a `gamma`. What is its Z, and by which mean is it normalised in inference?",
            "a layer with a normalisation had no `b`",
            STATISTICS,
        ),
        Misconception(
            "bias_behind",
            ran(bias_of=no_bias_where_normalised, norm=bias_behind),
            "A layer has a `b` and a `gamma`. Does your normalisation see the `b`?",
            "`b` were added behind the normalisation",
            STATISTICS,
        ),
        Misconception(
            "no_last_activation",
            linear_in_the_end,
            "The last layer may have a sigmoid. Where does yours apply it?",
            "the last layer had no activation",
            STATISTICS,
        ),
        Misconception(
            "changed_in_place",
            changed_in_place,
            "Print the caller's running mean before and after. Did the caller ask for that?",
            "the model that came in were changed",
            STATISTICS,
        ),
    ],
    variants=[
        Variant("layer by layer", layer_by_layer),
        Variant("with branches", with_branches),
        Variant("in parts", ran()),
    ],
    hints=[
        Hint("One question decides it for each normalised layer: by the batch, or by what is remembered?"),
        Hint('Look at "Two ways to freeze a normalisation". Which three words does the answer depend on?'),
        Hint(
            "A worked sibling, a running mean of which the share 0.9 is kept:\n\n"
            "    mean = 0.9 * mean + 0.1 * x.mean(axis=0)"
        ),
        Hint(
            "    for each layer, in a new dict: Z = X W, plus b if there is one\n"
            "    if it has a gamma: its mean and var; but in training, if it learns or hold is off: those of Z, and\n"
            "        the new dict's mean and var move towards them;  normalise, scale, shift\n"
            "    X = the activation of Z"
        ),
    ],
)
