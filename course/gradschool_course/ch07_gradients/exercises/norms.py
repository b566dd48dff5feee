"""gradient_norms: how long the gradient of each layer's weights is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradschool.lessons.depth import gradient_norms
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import equivalent
from .common import BACKWARDS, CHAPTER, CLOSE, PRODUCT


# --------------------------------------------------------------------------------------------- how norms go wrong
def softmax(Z):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def frobenius(A, g, W):
    """The length asked for, of a layer that received A and whose sums have the gradient g."""
    return np.sqrt(((A.T @ g) ** 2).sum())


def at_the_scores(Z, T):
    return (softmax(Z) - T) / len(T)


def slope_there(act, slope, Z, A):
    return slope(Z)


def normed(norm=frobenius, first=at_the_scores, slope_at=slope_there, order=list, back=lambda g, W: g @ W.T):
    """gradient_norms with parts of one's own."""

    def answer(params, X, T, act, slope):
        A, Z = [X], []
        for layer in params:
            Z.append(A[-1] @ layer["W"] + layer["b"])
            A.append(act(Z[-1]))
        g, norms = first(Z[-1], T), []
        for i in reversed(range(len(params))):
            norms.append(norm(A[i], g, params[i]["W"]))
            if i:
                g = back(g, params[i]["W"]) * slope_at(act, slope, Z[i - 1], A[i])
        return np.array(order(norms[::-1]))

    return answer


def with_bias(A, g, W):
    return np.sqrt(((A.T @ g) ** 2).sum() + (g.sum(axis=0) ** 2).sum())


def root_mean_square(A, g, W):
    return np.sqrt(((A.T @ g) ** 2).mean())


def no_root(A, g, W):
    return ((A.T @ g) ** 2).sum()


def sum_of_sizes(A, g, W):
    return np.abs(A.T @ g).sum()


def largest_singular(A, g, W):
    return np.linalg.norm(A.T @ g, 2)


def largest_entry(A, g, W):
    return np.abs(A.T @ g).max()


def of_the_units(A, g, W):
    return np.sqrt((g**2).sum())


def of_the_bias(A, g, W):
    return np.sqrt((g.sum(axis=0) ** 2).sum())


def of_the_weights(A, g, W):
    return np.sqrt((W**2).sum())


def of_each_sample(A, g, W):
    return (np.sqrt((A**2).sum(axis=1)) * np.sqrt((g**2).sum(axis=1))).sum()


def not_averaged(Z, T):
    return softmax(Z) - T


def averaged_over_all(Z, T):
    return (softmax(Z) - T) / T.size


def no_softmax(Z, T):
    return (Z - T) / len(T)


def softmax_over_samples(Z, T):
    e = np.exp(Z - Z.max(axis=0))
    return (e / e.sum(axis=0) - T) / len(T)


def halves_squared(Z, T):
    p = softmax(Z)
    return p * ((p - T) - (p * (p - T)).sum(axis=1, keepdims=True)) / len(T)


def slope_of_output(act, slope, Z, A):
    return slope(A)


def no_slope(act, slope, Z, A):
    return 1.0


def act_for_slope(act, slope, Z, A):
    return A


def backwards(norms):
    return norms[::-1]


def act_at_the_end(params, X, T, act, slope):
    """The scores go through the activation, too."""
    A, Z = [X], []
    for layer in params:
        Z.append(A[-1] @ layer["W"] + layer["b"])
        A.append(act(Z[-1]))
    g, norms = at_the_scores(A[-1], T) * slope(Z[-1]), []
    for i in reversed(range(len(params))):
        norms.append(np.sqrt(((A[i].T @ g) ** 2).sum()))
        if i:
            g = g @ params[i]["W"].T * slope(Z[i - 1])
    return np.array(norms[::-1])


def no_biases(params, X, T, act, slope):
    return normed()([{"W": p["W"], "b": np.zeros_like(p["b"])} for p in params], X, T, act, slope)


def without_the_first(params, X, T, act, slope):
    return normed()(params, X, T, act, slope)[1:]


# ------------------------------------------------------------------------------------------------ other right answers
def recursive(params, X, T, act, slope):
    def below(i, A):
        """dL/d(what comes into layer i), and the norms from layer i on."""
        W, b = params[i]["W"], params[i]["b"]
        Z = A @ W + b
        if i + 1 == len(params):
            g, norms = at_the_scores(Z, T), []
        else:
            dA, norms = below(i + 1, act(Z))
            g = dA * slope(Z)
        return g @ W.T, [float(np.linalg.norm(A.T @ g)), *norms]

    return np.array(below(0, X)[1])


def sample_by_sample(params, X, T, act, slope):
    sums = [np.zeros(layer["W"].shape) for layer in params]
    for x, t in zip(X, T, strict=True):
        a, z = [x], []
        for layer in params:
            z.append(a[-1] @ layer["W"] + layer["b"])
            a.append(act(z[-1]))
        e = np.exp(z[-1] - max(z[-1]))
        g = e / sum(e) - t
        for i in range(len(params) - 1, -1, -1):
            sums[i] += np.outer(a[i], g)
            g = params[i]["W"] @ g * (slope(z[i - 1]) if i else 1)
    return np.array([np.sqrt(np.sum(np.square(s / len(X)))) for s in sums])


def with_einsum(params, X, T, act, slope):
    inputs, scores = [], X
    for layer in params:
        inputs.append((scores if not inputs else act(scores), scores))
        scores = np.einsum("ni,io->no", inputs[-1][0], layer["W"]) + layer["b"]
    e = np.exp(scores - scores.max())
    g = (e / e.sum(axis=-1)[:, None] - T) / T.shape[0]
    norms = []
    for (A, Z), layer in zip(reversed(inputs), reversed(params), strict=True):
        dW = np.einsum("ni,no->io", A, g)
        norms.insert(0, np.einsum("io,io->", dW, dW) ** 0.5)
        g = np.einsum("no,io->ni", g, layer["W"]) * slope(Z)
    return norms and np.array(norms)


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, layers, samples=None):
    sizes = [int(n) for n in rng.choice(np.arange(3, 10), size=layers + 1, replace=False)]
    params = [
        {"W": 1.3 * rng.normal(size=pair) / np.sqrt(pair[0]), "b": 0.5 * rng.normal(size=pair[1])}
        for pair in pairwise(sizes)
    ]
    N = samples or int(rng.integers(11, 15))
    T = np.eye(sizes[-1])[rng.integers(0, sizes[-1], N)]
    by = float(rng.uniform(0.6, 0.9))
    return Call(params=params, X=rng.normal(size=(N, sizes[0])), T=T,
                act=Helper("saturating", {"by": by}), slope=Helper("saturating_slope", {"by": by}))  # fmt: skip


def deep(rng):
    return [call(rng, 4), call(rng, 5)]


def shallow(rng):
    return [call(rng, 2), call(rng, 3)]


def last_alone(rng):
    return [call(rng, 1), call(rng, 3, samples=1)]


def bug(name, says, hint, wrong=None, see=BACKWARDS, **parts):
    return Misconception(name, wrong or normed(**parts), hint, says, see)


EXERCISE = Exercise(
    reference=gradient_norms,
    chapter=CHAPTER,
    title="How long is each layer's gradient?",
    difficulty=3,
    minutes=20,
    task="""
    For a network and a batch: the length of the gradient of each layer's weights, the root of the sum of its squares.

    - `params` is a list with `{"W": (in, out), "b": (out,)}` for each layer
    - X (N, in) goes through the layers: times W, plus b, then `act`; after the last layer there is no activation, its
      numbers are scores
    - the loss is the softmax cross-entropy of the scores and the one-hot rows T (N, K), a mean over the N samples
    - `slope` is the derivative of `act`, and is asked at what `act` was given

    Return an array with one number for each layer, the first layer first. Biases take part in the forward, and their
    gradients are not in the lengths.
    """,
    example="""\
params = [{"W": np.array([[2.0]]), "b": np.zeros(1)}, {"W": np.array([[1.0, -1.0]]), "b": np.zeros(2)}]
straight = lambda z: z
gradient_norms(params, np.array([[0.0], [0.5]]), np.eye(2), straight, np.ones_like).round(4)  # [0.4404 0.6228]""",
    groups=[
        Group("deep", 2, deep, "Four and five layers.", CLOSE),
        Group("shallow", 1, shallow, "Two and three layers.", CLOSE),
        Group("one of each", 1, last_alone, "A single layer; a single sample.", CLOSE),
    ],
    misconceptions=[
        bug("includes_biases", "the gradients of the biases were part of the length",
            "Of which parameters is the length asked for: W, or W and b?", norm=with_bias),
        bug("root_mean_square", "the length had been divided by the root of the number of weights",
            "The vector (3, 4) has which length: 5, or 3.54?", norm=root_mean_square),
        bug("no_root", "the length had been squared", "The vector (3, 4) has which length: 5, or 25?", norm=no_root),
        bug("sum_of_sizes", "sizes had been added in the place of squares",
            "The vector (3, 4) has which length: 5, or 7?", norm=sum_of_sizes),
        bug("largest_singular_value", "the matrix's norm were its largest stretching",
            "What does `np.linalg.norm(dW, 2)` compute for a matrix?", norm=largest_singular),
        bug("largest_entry", "the largest entry were the length", "The vector (3, 4) has which length: 5, or 4?",
            norm=largest_entry),
        bug("of_the_units", "the gradient of what comes out of a layer had been measured, and not that of its weights",
            "Which shape has the array whose length you take: that of W?", norm=of_the_units),
        bug("of_the_biases", "the gradients of the biases had been measured",
            "Which shape has the array whose length you take: that of W?", norm=of_the_bias),
        bug("of_the_weights", "the weights themselves had been measured, and not their gradients",
            "Does your number change if all labels do?", norm=of_the_weights),
        bug("of_each_sample", "each sample's gradient had been measured, and the lengths added up",
            "Two samples pull a weight in opposite directions. How long is the gradient of their mean loss?",
            norm=of_each_sample),
        bug("last_layer_first", "the layers had been counted from the end",
            "You walk backwards. In which order do your numbers arrive?", order=backwards),
        bug("not_averaged", "the loss were a sum over the samples",
            "Write every sample twice. What happens to the loss?",
            first=not_averaged),
        bug("averaged_over_classes", "the loss were a mean over samples and classes",
            "By which of the sizes of T do you divide?", first=averaged_over_all),
        bug("no_softmax", "the loss were half the squared error of the scores",
            "What is the slope of a softmax cross-entropy: something minus T, but what?", first=no_softmax),
        bug("softmax_over_samples", "the softmax had been taken over the samples",
            "Which numbers add up to 1: those of a row of scores, or those of a column?", first=softmax_over_samples),
        bug("softmax_twice", "the gradient had gone through the softmax once more",
            "p - T is the slope with respect to the scores already. What is left to do before the last weights?",
            first=halves_squared),
        bug("slope_at_the_output", "the slope had been asked at what comes out of the activation",
            "Where is tanh steep: where its input is near 0. Which numbers do you hand to `slope`?",
            slope_at=slope_of_output, see=PRODUCT),
        bug("no_slope", "the activations were straight lines on the way back",
            "What does the gradient meet between two matrices?", slope_at=no_slope, see=PRODUCT),
        bug("activation_for_slope", "the activation stood in the place of its slope",
            "By what is a gradient multiplied on its way back through `act`?", slope_at=act_for_slope, see=PRODUCT),
        bug("scores_activated", "there were an activation after the last layer, too",
            "Scores may be as large as they like. What does `act` do to yours?", act_at_the_end),
        bug("no_biases", "there were no biases", "What is added after the product with W?", no_biases),
        bug("without_the_first", "the first layer had no gradient", "How many layers has the network, and how many "
            "numbers do you return?", without_the_first),
    ],
    variants=[
        Variant("recursive", recursive),
        Variant("sample by sample", sample_by_sample),
        Variant("einsum", with_einsum),
    ],
    hints=[
        Hint("Forwards first, and keep what each layer received and what its activation was given. Then back."),
        Hint(
            'Look at "Which layer hears the loss": three lines, one for the scores, one for W, '
            'one for the layer below.'
        ),
        Hint(
            "A worked sibling, one weight and one activation, y = act(x w) and L = y²:\n\n"
            "    z = x * w\n    g = 2 * act(z) * slope(z)      # dL/dz\n    dw = x * g"
        ),
        Hint(
            "    forwards: Z = A W + b, A = act(Z); keep all\n    g = (softmax(scores) - T) / N\n"
            "    from the last layer to the first:\n        dW = A_in^T g; its length is the root of the sum of"
            " squares\n"
            "        g = g W^T × slope(Z of the layer below)"
        ),
    ],
    equivalent=equivalent.NORMS,
)  # fmt: skip
