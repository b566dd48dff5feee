"""replace_head: what has been learned, frozen, with a last layer for another task."""

from __future__ import annotations

import copy

import numpy as np

from gradschool.lessons.transfer import replace_head
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Seed, Variant

from . import draw
from .draw import CHAPTER, CLOSE, NEW_HEAD


# -------------------------------------------------------------------------------------- how replacing a head goes wrong
def drawn(old, out, init, rng):
    return init((len(old["W"]), out), rng).astype(old["W"].dtype)


def replaced(frozen=lambda i, n: True, kept=-1, weights=drawn, bias=None, head=None, body=copy.deepcopy):
    """A new head with parts of its own: which layers are frozen and kept, weights, bias, and the rest of the head."""

    def answer(model, out, activation, init, rng):
        new, old = body(model[:kept]) if kept else body(model), model[-1]
        for i, layer in enumerate(new):
            layer["trainable"] = layer["trainable"] and not frozen(i, len(new))
        W = weights(old, out, init, rng)
        b = np.zeros(out, W.dtype) if bias is None else bias(old, out, init, rng)
        own = {"W": W, "b": b, "activation": activation, "trainable": True}
        return [*new, own | (head(model) if head else {})]

    return answer


def of_the_old_head(model):
    """All that the old head has beside what is new."""
    return {k: part for k, part in model[-1].items() if k not in ("W", "b", "activation", "trainable")}


def zeros_left_out(model, out, activation, init, rng):
    """What a layer has is asked with np.any, which asks for numbers other than 0."""
    new = replaced()(model, out, activation, init, rng)
    return [*map(draw.without_zeros, new[:-1]), new[-1]]


def on_top(model, out, activation, init, rng):
    """The old head stays, and the new one reads its scores."""
    W = init((model[-1]["W"].shape[1], out), rng).astype(model[-1]["W"].dtype)
    body = [{**copy.deepcopy(layer), "trainable": False} for layer in model]
    return [*body, {"W": W, "b": np.zeros(out, W.dtype), "activation": activation, "trainable": True}]


def all_drawn(model, out, activation, init, rng):
    """New weights for every layer, the head's last."""
    new = []
    for layer in model[:-1]:
        W = init(layer["W"].shape, rng).astype(layer["W"].dtype)
        new.append({**copy.deepcopy(layer), "W": W, "trainable": False})
    return [*new, *replaced(kept=-len(model))(model, out, activation, init, rng)]


def flags_in_place(model, out, activation, init, rng):
    for layer in model[:-1]:
        layer["trainable"] = False
    return replaced()(model, out, activation, init, rng)


def shared(layers):
    return [dict(layer) for layer in layers]


def old_columns(old, out, init, rng):
    return old["W"][:, :out].copy()


def turned(old, out, init, rng):
    return init((out, len(old["W"])), rng).T.astype(old["W"].dtype)


def not_turned(old, out, init, rng):
    return init((out, len(old["W"])), rng).astype(old["W"].dtype)


def zeros(old, out, init, rng):
    return np.zeros((len(old["W"]), out), old["W"].dtype)


def double(old, out, init, rng):
    return init((len(old["W"]), out), rng)


def as_the_body(model, out, activation, init, rng):
    """The type of the first layer's W."""
    new = replaced()(model, out, activation, init, rng)
    new[-1].update({k: new[-1][k].astype(model[0]["W"].dtype) for k in "Wb"})
    return new


# ------------------------------------------------------------------------------------------------ other right answers
def deep_copy_first(model, out, activation, init, rng):
    new = copy.deepcopy(model)
    old = new.pop()
    for layer in new:
        layer["trainable"] = False
    dtype = old["W"].dtype
    new.append({"W": np.asarray(init((old["W"].shape[0], out), rng), dtype), "b": np.zeros((out,), dtype),
                "activation": activation, "trainable": True})  # fmt: skip
    return new


def backwards(model, out, activation, init, rng):
    """From the head down to the first layer."""
    inputs = model[-1]["W"].shape[0]
    head = {"W": init((inputs, out), rng).astype(model[-1]["W"].dtype)}
    head |= {"b": 0 * head["W"][0], "activation": activation, "trainable": True}
    new = [head]
    for layer in reversed(model[:-1]):
        new.insert(
            0, {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in layer.items() if k != "trainable"}
        )
        new[0]["trainable"] = False
    return new


def width_of_the_body(model, out, activation, init, rng):
    """The inputs of the head are the outputs of the layer before it."""
    body = [copy.deepcopy(layer) for layer in model[:-1]]
    for layer in body:
        layer.update(trainable=False)
    dtype = model[-1]["b"].dtype
    W = init((body[-1]["W"].shape[1], out), rng).astype(dtype)
    return [*body, {"W": W, "b": np.full(out, 0, dtype), "activation": activation, "trainable": True}]


# ------------------------------------------------------------------------------------------------------------- probes
def asked(rng, model, out):
    return Call(
        model=model,
        out=out,
        activation=str(rng.choice(["sigmoid", "tanh"])),
        init=Helper("normal_weights", {"by": float(rng.uniform(0.7, 1.6))}),
        rng=Seed(int(rng.integers(1 << 30))),
    )


def fewer_classes(rng):
    models = [draw.layers(rng, draw.widths(rng, n)) for n in (5, 3)]
    return [asked(rng, models[0], 2), asked(rng, models[1], 1), asked(rng, draw.fresh(models[0]), 2)]


def more_classes(rng):
    return [asked(rng, draw.layers(rng, draw.widths(rng, 4)), int(rng.integers(11, 15)))]


def normed_body(rng):
    body = draw.layers(rng, draw.widths(rng, 4), normed=[0, 1], frozen=[0], biased=[1])
    head_too = draw.layers(rng, draw.widths(rng, 4), normed=[1, 2], biased=[1, 2])
    return [asked(rng, body, 2), asked(rng, head_too, 2)]


def single(rng):
    model = draw.layers(rng, draw.widths(rng, 4))
    *body, head = model
    return [asked(rng, precision.single(model), 2), asked(rng, [*body, precision.single(head)], 2)]


HEAD = Exercise(
    reference=replace_head,
    chapter=CHAPTER,
    title="A new head",
    difficulty=2,
    minutes=15,
    task="""`model` is a list of layers that has learned task A. Return a new list of layers for task B:

- copies of all its layers but the last, with the same numbers, and each with `"trainable": False`;
- behind them a head that has learned nothing: a dense layer `{"W": (in, out), "b": (out,), "activation": activation,
  "trainable": True}`. `out` is its number of units, in is what the layer before it hands on. `W` is drawn by *one*
  call `init((in, out), rng)`, b is 0.

The head's arrays have the type (float32 or float64) of the old head's W. The old model stays as it is, and no array
is shared with it.""",
    example="""\
old = [{"W": np.ones((3, 2)), "b": np.ones(2), "activation": "relu", "trainable": True},
       {"W": np.ones((2, 8)), "b": np.ones(8), "activation": "linear", "trainable": True}]
init = lambda shape, rng: rng.normal(size=shape)
new = replace_head(old, 1, "sigmoid", init, np.random.default_rng(0))
[layer["trainable"] for layer in new]  # [False, True]
new[1]["W"].round(3).ravel()  # [ 0.126 -0.132]""",
    groups=[
        Group("fewer classes", 2, fewer_classes, "A head with fewer units than the old one.", CLOSE),
        Group("more classes", 1, more_classes, "A head with more units than the old one.", CLOSE),
        Group("normalised body", 1, normed_body, "A body, and a head, that keep running statistics.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out; an old head with its own type.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "old_head_kept",
            on_top,
            "The old head answers a question about A's classes. Should the new one read that, or what lay below?",
            "the new head stood on top of the old one",
            NEW_HEAD,
        ),
        Misconception(
            "head_from_old",
            replaced(weights=old_columns),
            "What do the old head's columns know about the new classes?",
            "the new head had begun with weights of the old one",
            NEW_HEAD,
        ),
        Misconception(
            "old_biases",
            replaced(bias=lambda old, out, init, rng: np.resize(old["b"], out)),
            "What do the old biases say about how frequent the new classes are?",
            "the new head had begun with biases of the old one",
            NEW_HEAD,
        ),
        Misconception(
            "one_layer_free",
            replaced(frozen=lambda i, n: i < n - 1),
            "Five layers, of which the last is new. How many are frozen, and how many are in yours?",
            "the layer before the head were free to learn",
            NEW_HEAD,
        ),
        Misconception(
            "first_layer_free",
            replaced(frozen=lambda i, n: i > 0),
            "Where does your count of layers begin: with 0, or with 1?",
            "the first layer were free to learn",
            NEW_HEAD,
        ),
        Misconception(
            "nothing_frozen",
            replaced(frozen=lambda i, n: False),
            "The head's first gradients are large and know nothing. Which layers would they change in yours?",
            "no layer were frozen",
            NEW_HEAD,
        ),
        Misconception(
            "all_frozen",
            replaced(head=lambda model: {"trainable": False}),
            "Which layer is to learn, while the others are frozen?",
            "the head were frozen, too",
            NEW_HEAD,
        ),
        Misconception(
            "activation_kept",
            replaced(head=lambda model: {"activation": model[-1]["activation"]}),
            "The old head had softmax or scores. What is the new one to say, and where does that stand in your code?",
            "the head kept the old activation",
            NEW_HEAD,
        ),
        Misconception(
            "body_shared",
            replaced(body=shared),
            "Unfreeze the copy, and train it in place. What has become of the model that knew task A?",
            "the arrays of the body were those of the old model",
            NEW_HEAD,
        ),
        Misconception(
            "flags_in_place",
            flags_in_place,
            "Print the flags of the old model afterwards. Who froze them?",
            "the old model had been frozen, too",
            NEW_HEAD,
        ),
        Misconception(
            "all_drawn",
            all_drawn,
            "Which layers carry what has been learned, and how many calls of init does that leave?",
            "all layers had new weights",
            NEW_HEAD,
        ),
        Misconception(
            "turned",
            replaced(weights=turned),
            "init divides by what it takes for the number of inputs. Which of your two sizes comes first?",
            "init had been asked for the transposed shape",
            NEW_HEAD,
        ),
        Misconception(
            "out_by_in",
            replaced(weights=not_turned),
            "What does X @ W need: (in, out) or (out, in)?",
            "W of the head were (out, in)",
            NEW_HEAD,
        ),
        Misconception(
            "zeros",
            replaced(weights=zeros),
            "How is W of the head to be drawn, and what did you fill it with?",
            "W of the head were zeros",
            NEW_HEAD,
        ),
        Misconception(
            "biases_one",
            replaced(bias=lambda old, out, init, rng: np.ones(out, old["W"].dtype)),
            "With which bias does a layer begin?",
            "the head's biases began with 1",
            NEW_HEAD,
        ),
        Misconception(
            "statistics_in_the_head",
            replaced(head=of_the_old_head),
            "The old head has a gamma and a running mean. Which four entries has the new one?",
            "the new head kept what else the old one had",
            NEW_HEAD,
        ),
        Misconception(
            "zeros_left_out",
            zeros_left_out,
            "A bias begins with zeros. Is it in the layers that you return?",
            "an array of zeros were not there",
            NEW_HEAD,
        ),
        Misconception(
            "as_the_body",
            as_the_body,
            "The body is float64 and the old head float32. Which of them does the new head follow?",
            "the head had the type of the body",
            NEW_HEAD,
        ),
        Misconception(
            "not_float32",
            replaced(weights=double),
            "Which dtype has the body, and which has your head?",
            "the head were float64 whatever the body is",
            NEW_HEAD,
        ),
    ],
    variants=[
        Variant("deep copy first", deep_copy_first),
        Variant("backwards", backwards),
        Variant("width of the body", width_of_the_body),
    ],
    hints=[
        Hint("A network is a body that turns pictures into features, and a head that turns features into answers."),
        Hint('Look at "A new head". Which of the layers can be used for the new question, and which cannot?'),
        Hint(
            "A worked sibling, a new last car for a train of dicts, the others locked:\n\n"
            '    [{**car, "locked": True} for car in train[:-1]] + [{"seats": 40, "locked": False}]'
        ),
        Hint(
            '    for each layer but the last: a new dict with copies of its arrays, "trainable" False\n'
            "    inputs = the rows of the old head's W\n"
            "    the head: W = init((inputs, out), rng) in the type of the old W, b = zeros, it learns"
        ),
    ],
)
