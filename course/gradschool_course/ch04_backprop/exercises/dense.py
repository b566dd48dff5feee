"""dense_backward: what arrives at the outputs, handed on to inputs, weights and biases."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.backprop import dense_backward
from gradschool_course.precision import single
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, CONTRACT, DENSE, double, sizes


# --------------------------------------------------------------------------------------------------------- how it fails
def rows(a):
    return a.reshape(-1, a.shape[-1])


def parts(g, cache):
    """dX, dW and db as they should be."""
    X, W = cache["X"], cache["W"]
    return (rows(g) @ W.T).reshape(X.shape), rows(X).T @ rows(g), rows(g).sum(axis=0)


def no_transposes(g, cache):
    X, W = cache["X"], cache["W"]
    return g @ W, X @ g, g.sum(axis=0)


def dW_turned(g, cache):
    dX, dW, db = parts(g, cache)
    return dX, dW.T, db


def db_not_summed(g, cache):
    dX, dW, _ = parts(g, cache)
    return dX, dW, g.copy()


def db_over_outputs(g, cache):
    dX, dW, _ = parts(g, cache)
    return dX, dW, g.sum(axis=-1)


def db_kept_wide(g, cache):
    dX, dW, _ = parts(g, cache)
    return dX, dW, rows(g).sum(axis=0, keepdims=True)


def db_over_the_batch_alone(g, cache):
    dX, dW, _ = parts(g, cache)
    return dX, dW, g.sum(axis=0)


def averaged(g, cache):
    dX, dW, db = parts(g, cache)
    return dX, dW / len(g), db / len(g)


def dW_of_other_rows(g, cache):
    """X.T.reshape(in, -1) lists the rows by step and then by sample, g.reshape(-1, out) by sample and then by step."""
    dX, _, db = parts(g, cache)
    X = cache["X"]
    return dX, X.T.reshape(X.shape[-1], -1) @ rows(g), db


def db_averaged(g, cache):
    dX, dW, _ = parts(g, cache)
    return dX, dW, rows(g).mean(axis=0)


def with_moved_weights(g, cache):
    _, dW, db = parts(g, cache)
    return g @ (cache["W"] - 0.1 * dW).T, dW, db


def dX_flat(g, cache):
    dX, dW, db = parts(g, cache)
    return rows(dX), dW, db


def dX_summed(g, cache):
    dX, dW, db = parts(g, cache)
    return dX.sum(axis=0), dW, db


def weights_first(g, cache):
    dX, dW, db = parts(g, cache)
    return dW, db, dX


def upstream_ignored(g, cache):
    return parts(np.ones_like(g), cache)


def in_double(g, cache):
    return parts(double(g), double(cache))


# -------------------------------------------------------------------------------------------------------- how it works
def by_einsum(g, cache):
    X, W = cache["X"], cache["W"]
    return np.einsum("...o,io->...i", g, W), np.einsum("ni,no->io", rows(X), rows(g)), np.einsum("no->o", rows(g))


def sample_by_sample(g, cache):
    X, W = cache["X"], cache["W"]
    dX, dW, db = np.zeros_like(X), np.zeros_like(W), np.zeros_like(W[0])
    for n in np.ndindex(*X.shape[:-1]):
        dX[n] = W @ g[n]
        dW += np.outer(X[n], g[n])
        db += g[n]
    return dX, dW, db


def by_tensordot(g, cache):
    axes = tuple(range(g.ndim - 1))
    return np.tensordot(g, cache["W"], axes=(-1, 1)), np.tensordot(cache["X"], g, axes=(axes, axes)), g.sum(axis=axes)


def product_with_ones(g, cache):
    X, W = rows(cache["X"]), cache["W"]
    G = rows(g)
    with_bias = np.concatenate([X, np.ones_like(X[:, :1])], axis=1)  # a bias is the weight of an input that is 1
    both = with_bias.T @ G
    return (G @ W.T).reshape(cache["X"].shape), both[:-1], both[-1]


# -------------------------------------------------------------------------------------------------- how it is probed
def call(rng, *samples, inputs=0, outputs=0, change=lambda tree: tree):
    """Inputs and outputs are as many as is said, or else drawn: different numbers, none below 3."""
    drawn = sizes(rng, 2)
    inputs, outputs = inputs or drawn[0], outputs or drawn[1]
    cache = {"X": rng.normal(size=(*samples, inputs)), "W": rng.normal(size=(inputs, outputs))}
    return Call(g=change(rng.normal(size=(*samples, outputs))), cache=change(cache))


def batches(rng):
    return [call(rng, 9), call(rng, 11, outputs=1), call(rng, 1)]


def sequences(rng):
    return [call(rng, *(n + 6 for n in sizes(rng, 2))), call(rng, 1, 9, inputs=1)]


def singles(rng):
    return [call(rng, 9, change=single), call(rng, 10, 11, change=single)]


EXERCISE = Exercise(
    reference=dense_backward,
    returns=("dX", "dW", "db"),
    chapter=CHAPTER,
    title="Backward of the dense layer",
    task="""
    The forward was Y = X W + b. `g` is dL/dY, of Y's shape, (N, out) or (N, T, out). Return the tuple (dX, dW, db): the
    gradients of the same L with respect to X, W and b, each of the shape of the array that it belongs to.

    `cache` is a dict from the forward:

    - `"X"`, the input, (N, in) or (N, T, in): every time step is one more sample for the same weights
    - `"W"`, the weights, (in, out)

    Neither g nor the cache is changed; float32 stays float32.
    """,
    example='cache = {"X": np.array([[3.0]]), "W": np.array([[5.0, 7.0]])}\n'
    "dX, dW, db = dense_backward(np.array([[1.0, 2.0]]), cache)\n"
    "print(dX, dW, db)  # [[19.]] [[3. 6.]] [1. 2.]",
    difficulty=3,
    minutes=20,
    axes={"g": ("batch", "output")},
    groups=[
        Group("batches", 3, batches, "A batch of samples, a batch of one and a single output among them.", CLOSE),
        Group("sequences", 1, sequences, "Inputs with a time axis, (N, T, in), a single input among them.", CLOSE),
        Group("float32", 1, singles, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    equivalent=dict.fromkeys(
        ["a6d1ee734bfc", "5c16c72ac36e"],
        "NumPy takes any negative length in `reshape` for what is left over.",
    ),
    misconceptions=[
        Misconception("no_transposes", no_transposes,
            "Write the three shapes under each other. Which products of g with W fit, and which has X's shape?",
            "nothing had to be transposed on the way back", DENSE),
        Misconception("dW_turned", dW_turned,
            "Which shape has W? Which has your dW?", "dW belonged to a W of shape (out, in)", DENSE,
            published="PyTorch's `Linear`, which keeps W as (out, in)"),
        Misconception("dW_of_other_rows", dW_of_other_rows,
            "In which order does X.T.reshape(in, -1) list the rows of a sequence, and in which g.reshape(-1, out)?",
            "dW paired the rows of X, step by step, with those of g, sample by sample", DENSE),
        Misconception("db_not_summed", db_not_summed,
            "One bias serves all samples. How many numbers does its gradient have, and how many has yours?",
            "every sample had a bias of its own", DENSE),
        Misconception("db_over_outputs", db_over_outputs,
            "Which axis of g counts the samples, and which the outputs? Which one is left over in db?",
            "the outputs were summed in db, and not the samples", DENSE),
        Misconception("db_kept_wide", db_kept_wide,
            "b has shape (out,). Which shape has your db?", "db had to keep an axis for the batch", DENSE),
        Misconception("db_over_the_batch_alone", db_over_the_batch_alone,
            "With inputs (N, T, in), which axes does the bias not have? Over which did you sum?",
            "time steps had biases of their own", DENSE),
        Misconception("averaged", averaged,
            "Who divides by N: the loss, whose gradient g is, or every layer once more?",
            "dW and db were averaged over the batch, after the loss had done so", DENSE),
        Misconception("db_averaged", db_averaged,
            "W is a sum over samples, b a mean: why should the two differ?", "db were an average over samples", DENSE),
        Misconception("uses_moved_weights", with_moved_weights,
            "With which weights was Y computed? With which do you go back?",
            "the weights had been improved before the gradient went through them", DENSE),
        Misconception("dX_flat", dX_flat,
            "X came as (N, T, in). Which shape has your dX?", "dX were a matrix whatever shape X had", DENSE),
        Misconception("dX_summed", dX_summed,
            "Each sample has inputs of its own. Are they to share a gradient?", "dX were summed over the batch", DENSE),
        Misconception("weights_first", weights_first,
            "In which order does the task name the three?", "the order were dW, db, dX", DENSE),
        Misconception("ignores_upstream", upstream_ignored,
            "Multiply the loss by 5. What happens to every gradient before it? Where does yours hear of it?",
            "nothing came after: g is not used", CONTRACT),
        Misconception("not_float32", in_double,
            "Which dtype has g, and which have your answers?", "float32 were turned into float64", CONTRACT),
    ],
    variants=[
        Variant("einsum", by_einsum),
        Variant("sample_by_sample", sample_by_sample),
        Variant("tensordot", by_tensordot),
        Variant("product_with_ones", product_with_ones),
    ],
    hints=[
        Hint("Ask three times: through which outputs does this number act on L? An input acts through all outputs of "
             "its sample, a weight through one output of every sample, a bias through one output of every sample."),
        Hint('Look at "The dense layer: three questions, three products". Then check by shapes: of g, X and W only one '
             "product has the shape of each answer."),
        Hint("A worked sibling, a layer that scales each column, Y = X * s with s (C,):\n\n"
             '    def scale_backward(g, cache):\n        X, s = cache["X"], cache["s"]\n'
             "        return g * s, (g * X).sum(axis=0)"),
        Hint("    samples = X with all axes but the last flattened into one; slopes = g likewise\n"
             "    dX: g times the transposed weights\n    dW: the transposed samples times slopes\n"
             "    db: slopes, summed over the samples"),
    ],
)  # fmt: skip
