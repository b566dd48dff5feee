"""model_loss: a network with one hidden layer, its loss and its gradients in one function."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.loop import model_loss
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from .common import CHAPTER, LOSS


# --------------------------------------------------------------------------------------------------------- how it fails
def network(params, X):
    """a, h and z: before relu, behind it, and the scores."""
    a = X @ params["W1"] + params["b1"]
    h = np.maximum(a, 0)
    return a, h, h @ params["W2"] + params["b2"]


def probabilities(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, T):
    z = z - z.max(axis=1, keepdims=True)
    return -np.sum(T * (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))) / len(T)


def backwards(params, X, a, h, gz, mask=None):
    ga = (gz @ params["W2"].T) * ((a > 0) if mask is None else mask)
    return {"W1": X.T @ ga, "b1": ga.sum(axis=0), "W2": h.T @ gz, "b2": gz.sum(axis=0)}


def model_by(gz_of=lambda Y, T: (Y - T) / len(T), loss_of=cross_entropy, scores=network):
    """A model_loss from parts: the gradient of the scores, the loss, the network."""

    def answer(params, X, T, training=True):
        a, h, z = scores(params, X)
        loss = loss_of(z, T)
        return loss, (backwards(params, X, a, h, gz_of(probabilities(z), T)) if training else None)

    return answer


def summed(params, X, T, training=True):
    loss, grads = model_loss(params, X, T, training)
    return loss * len(X), {name: g * len(X) for name, g in grads.items()} if training else None


def loss_summed(params, X, T, training=True):
    loss, grads = model_loss(params, X, T, training)
    return loss * len(X), grads


def gradients_summed(params, X, T, training=True):
    loss, grads = model_loss(params, X, T, training)
    return loss, {name: g * len(X) for name, g in grads.items()} if training else None


def mean_over_classes(params, X, T, training=True):
    loss, grads = model_loss(params, X, T, training)
    K = T.shape[1]
    return loss / K, {name: g / K for name, g in grads.items()} if training else None


def already_moved(params, X, T, training=True):
    """The weights of the output are improved before the gradient goes on through them."""
    loss, grads = model_loss(params, X, T, training)
    if not training:
        return loss, None
    a, h, z = network(params, X)
    moved = params | {"W2": params["W2"] - 0.1 * grads["W2"]}
    return loss, backwards(moved, X, a, h, (probabilities(z) - T) / len(X))


def without_relu_slope(params, X, T, training=True):
    loss, _ = model_loss(params, X, T, training)
    a, h, z = network(params, X)
    return loss, backwards(params, X, a, h, (probabilities(z) - T) / len(X), mask=1.0) if training else None


def no_hidden_relu(params, X):
    a = X @ params["W1"] + params["b1"]
    return a, a, a @ params["W2"] + params["b2"]


def softmax_twice(params, X, T, training=True):
    a, h, z = network(params, X)
    Y = probabilities(z)
    return cross_entropy(Y, T), backwards(params, X, a, h, (probabilities(Y) - T) / len(T)) if training else None


def naive(params, X, T, training=True):
    a, h, z = network(params, X)
    e = np.exp(z)
    Y = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(T * np.log(Y)) / len(X)
    return loss, backwards(params, X, a, h, (Y - T) / len(X)) if training else None


def always_gradients(params, X, T, training=True):
    return model_loss(params, X, T)


def loss_alone(params, X, T, training=True):
    return model_loss(params, X, T, training)[0]


def gradients_first(params, X, T, training=True):
    return model_loss(params, X, T, training)[::-1]


def biases_forgotten(params, X, T, training=True):
    loss, grads = model_loss(params, X, T, training)
    return loss, {name: grads[name] for name in ("W1", "W2")} if training else None


def bias_per_sample(params, X, T, training=True):
    loss, grads = model_loss(params, X, T, training)
    if not training:
        return loss, None
    _, _, z = network(params, X)
    return loss, grads | {"b2": (probabilities(z) - T) / len(X)}


def in_bits(z, T):
    return cross_entropy(z, T) / np.log(2)


def half_square(z, T):
    return np.sum((probabilities(z) - T) ** 2) / (2 * len(T))


# -------------------------------------------------------------------------------------------------------- how it works
def by_samples(params, X, T, training=True):
    loss, grads = 0.0, {name: np.zeros_like(p) for name, p in params.items()}
    for x, t in zip(X, T, strict=True):
        a = params["W1"].T @ x + params["b1"]
        h = a * (a > 0)
        z = h @ params["W2"] + params["b2"]
        top = z.max()
        log_y = z - top - np.log(np.sum(np.exp(z - top)))
        loss -= t @ log_y / len(X)
        gz = (np.exp(log_y) - t) / len(X)
        ga = np.where(a > 0, params["W2"] @ gz, 0.0)
        for name, g in {"W1": np.outer(x, ga), "b1": ga, "W2": np.outer(h, gz), "b2": gz}.items():
            grads[name] += g
    return loss, grads if training else None


def by_einsum(params, X, T, training=True):
    N = X.shape[0]
    h = np.clip(np.einsum("nd,dh->nh", X, params["W1"]) + params["b1"], 0, None)
    z = np.einsum("nh,hk->nk", h, params["W2"]) + params["b2"]
    Y = np.exp(z - z.max(axis=-1)[:, None])
    Y /= Y.sum(axis=-1)[:, None]
    right = np.argmax(T, axis=-1)
    at = np.arange(N), right
    loss = np.mean(np.log(np.exp(z - z[at][:, None] - (z - z[at][:, None]).max(axis=1)[:, None]).sum(axis=1))
                   + (z - z[at][:, None]).max(axis=1))  # fmt: skip
    if not training:
        return loss, None
    Y[at] -= 1
    gz = Y / N
    gh = np.einsum("nk,hk->nh", gz, params["W2"])
    ga = np.where(h > 0, gh, 0)
    return loss, {
        "b2": np.einsum("nk->k", gz), "W2": np.einsum("nh,nk->hk", h, gz),
        "b1": np.einsum("nh->h", ga), "W1": np.einsum("nd,nh->dh", X, ga),
    }  # fmt: skip


def divided_last(params, X, T, training=True):
    a, h, z = network(params, X)
    top = z.max(axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(z - top), axis=1)) + top[:, 0]
    loss = (log_sum - np.sum(z * T, axis=1)).mean()
    if training is False:
        return loss, None
    grads = backwards(params, X, a, h, probabilities(z) - T)
    return loss, {name: g / len(X) for name, g in grads.items()}


# ---------------------------------------------------------------------------------------------------- how it is probed
def call(rng, N, size=1.0, **options):
    D, H, K = (int(n) for n in rng.choice(np.arange(3, 9), 3, replace=False))
    params = {
        "W1": rng.normal(size=(D, H)) / np.sqrt(D), "b1": 0.5 * rng.normal(size=H),
        "W2": size * rng.normal(size=(H, K)), "b2": 0.5 * rng.normal(size=K),
    }  # fmt: skip
    T = np.eye(K)[rng.integers(K, size=N)]
    return Call(params=params, X=rng.normal(size=(N, D)), T=T, **options)


NEAR = Tolerance(rtol=1e-9, atol=1e-12)

EXERCISE = Exercise(
    reference=model_loss,
    returns=("loss", "grads"),
    chapter=CHAPTER,
    title="A model's loss and its gradients",
    difficulty=3,
    minutes=20,
    task="""
    A network with one hidden layer: a dense layer, relu, a dense layer, softmax; its loss is the cross-entropy, as the
    *mean* over the samples. X (N, D); T (N, K) is one-hot; `params` is a dict with `"W1"` (D, H), `"b1"` (H,),
    `"W2"` (H, K), `"b2"` (K,).

    Return the tuple (loss, grads): a number, and a dict with the gradient of that number for each parameter, under its
    name and in its shape. With training=False nobody needs gradients: return (loss, None).

    Scores may be large: nothing may overflow, and no warning is given. Nothing that comes in is changed.
    """,
    example='params = {"W1": np.ones((1, 1)), "b1": np.zeros(1), "W2": np.zeros((1, 2)), "b2": np.zeros(2)}\n'
    "loss, grads = model_loss(params, np.array([[3.0]]), np.array([[1.0, 0.0]]))\n"
    'print(round(loss, 4), grads["W2"], grads["b2"])  # 0.6931 [[-1.5  1.5]] [-0.5  0.5]',
    axes={"X": ("sample", "input"), "T": ("sample", "class")},
    groups=[
        Group("training", 3, lambda rng: [call(rng, 11), call(rng, 13), call(rng, 1)],
              "Loss and gradients of a batch; one of them has a single sample.", NEAR),
        Group("validation", 1, lambda rng: [call(rng, 12, training=False), call(rng, 1, training=False)],
              "The loss alone.", NEAR),
        Group("large_scores", 1, lambda rng: [call(rng, 10, size=900.0), call(rng, 10, size=900.0, training=False)],
              "Scores in the thousands, as a bad start or a large rate makes them.", NEAR),
    ],
    equivalent={"483771b25750": "No sum is exactly 0, where relu has no slope and either side may be taken."},
    misconceptions=[
        Misconception("summed", summed,
            "Take a batch in which every sample occurs twice. Does your loss change?",
            "the loss were the sum over the samples", LOSS,
            published="`reduction=\"sum\"` in PyTorch and Keras"),
        Misconception("loss_summed", loss_summed,
            "Move one weight a little. Does the loss that you return change as your gradient says?",
            "the loss were a sum, while its gradients are of a mean", LOSS),
        Misconception("gradients_summed", gradients_summed,
            "The loss is a mean. Of which number are your gradients?",
            "gradients were added up over the samples, while the loss is a mean", LOSS),
        Misconception("mean_over_classes", mean_over_classes,
            "Over how many numbers is your mean: N, or N K?", "the mean went over classes as well", LOSS),
        Misconception("stale_way_back", already_moved,
            "With which weights did the prediction come about? With which do you go back?",
            "W2 had been improved before the gradient went through it", LOSS),
        Misconception("relu_not_on_the_way_back", without_relu_slope,
            "A hidden unit is 0 for this sample, and stays 0 if its sum changes a little. What is its gradient?",
            "every hidden unit let its gradient pass", LOSS),
        Misconception("no_hidden_relu", model_by(scores=no_hidden_relu),
            "Two dense layers with nothing between them: what are they together?", "there were no relu in the network",
            LOSS),
        Misconception("softmax_twice", softmax_twice,
            "What is the softmax of (0.9, 0.1)? How often do you take it?", "softmax were taken twice", LOSS),
        Misconception("overflows", naive,
            "What is np.exp(1000)? What may one subtract from all scores of a sample without changing the softmax?",
            "scores were never large", LOSS),
        Misconception("wrong_sign", model_by(gz_of=lambda Y, T: (T - Y) / len(T)),
            "If the score of the right class grows, does the loss grow?", "the gradients led uphill", LOSS),
        Misconception("slope_of_softmax_too", model_by(gz_of=lambda Y, T: (Y - T) * Y * (1 - Y) / len(T)),
            "Y - T is the derivative with respect to what: to the probabilities, or already to the scores?",
            "Y - T had still to go back through the softmax, which were a sigmoid of each score", LOSS),
        Misconception("squares_gradient", model_by(
            gz_of=lambda Y, T: ((Y - T) * Y - Y * np.sum((Y - T) * Y, axis=1, keepdims=True)) / len(T)),
            "Of which loss are your gradients? What do softmax and logarithm become together?",
            "the gradients were those of the squared error", LOSS),
        Misconception("squared_error", model_by(loss_of=half_square),
            "Is the number that you return the one whose gradients you return?",
            "the loss were half the squared error, and its gradients those of the cross-entropy", LOSS),
        Misconception("bits", model_by(loss_of=in_bits),
            "Which logarithm has the derivative 1/x?", "the loss were measured in bits", LOSS),
        Misconception("always_gradients", always_gradients,
            "What do you return with training=False?", "there were no training=False", LOSS),
        Misconception("loss_alone", loss_alone,
            "Two things are asked for. How many do you return?", "only the loss were asked for", LOSS),
        Misconception("gradients_first", gradients_first,
            "In which order does the loop take apart what you return?", "the gradients came first", LOSS),
        Misconception("no_bias_gradients", biases_forgotten,
            "How many names has params, and how many have your gradients?", "biases were not learned", LOSS),
        Misconception("bias_per_sample", bias_per_sample,
            "b2 has shape (K,). Which shape has its gradient in your answer?",
            "every sample had an output bias of its own", LOSS),
    ],
    variants=[
        Variant("by_samples", by_samples),
        Variant("by_einsum", by_einsum),
        Variant("divided_last", divided_last),
    ],
    hints=[
        Hint("Forwards first. Keep what the way back needs: the sums before relu, what comes out of it, the scores."),
        Hint('Look at "One function for loss and gradients", and at chapter 4: the gradient at the scores of softmax '
             "and cross-entropy together is short."),
        Hint("A worked sibling, a line and half its mean square:\n\n"
             "    def line_loss(params, X, T):\n"
             '        error = X @ params["w"] + params["b"] - T\n'
             "        g = error / len(X)\n"
             '        return np.mean(error**2) / 2, {"w": X.T @ g, "b": g.sum()}'),
        Hint("    a = the first layer; h = relu of it; z = the second; less the largest of each row\n"
             "    loss = mean over samples of −(log softmax of z at the right class)\n"
             "    gz = (softmax − T) / N; W2: h, gz; b2: gz; back through W2 and relu: ga; W1: X, ga; b1: ga"),
    ],
)  # fmt: skip
