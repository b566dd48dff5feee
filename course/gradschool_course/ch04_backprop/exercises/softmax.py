"""The backwards of softmax, alone and together with cross-entropy of class numbers."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.backprop import softmax_ce_backward
from gradschool.ops.softmax import softmax_backward, softmax_forward
from gradschool_course.precision import single
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CANCELS, CHAPTER, CLOSE, CONTRACT, ROWS, in_double, sizes, upstream_bugs


# -------------------------------------------------------------------------------------------------- softmax, wrong
def right_rows(g, cache):
    p, axis = cache["p"], cache["axis"]
    return p * (g - np.sum(g * p, axis=axis, keepdims=True))


def diagonal(g, cache):
    return g * cache["p"] * (1 - cache["p"])


def last_axis_always(g, cache):
    return right_rows(g, {"p": cache["p"], "axis": -1})


def summed_over_everything(g, cache):
    p = cache["p"]
    return p * (g - np.sum(g * p))


def without_keepdims(g, cache):
    p, axis = cache["p"], cache["axis"]
    return p * (g - np.sum(g * p, axis=axis))


def plain_mean(g, cache):
    return cache["p"] * (g - np.mean(g, axis=cache["axis"], keepdims=True))


def averaged_twice(g, cache):
    p, axis = cache["p"], cache["axis"]
    return p * (g - np.mean(g * p, axis=axis, keepdims=True))


def plain_sum(g, cache):
    return cache["p"] * (g - np.sum(g, axis=cache["axis"], keepdims=True))


def without_outer_p(g, cache):
    p, axis = cache["p"], cache["axis"]
    return g - np.sum(g * p, axis=axis, keepdims=True)


def of_log_softmax(g, cache):
    p, axis = cache["p"], cache["axis"]
    return g - p * np.sum(g, axis=axis, keepdims=True)


def softmax_again(g, cache):
    e = np.exp(cache["p"])
    return right_rows(g, {"p": e / e.sum(axis=cache["axis"], keepdims=True), "axis": cache["axis"]})


def p_minus_g(g, cache):
    return cache["p"] - g


def into_p(g, cache):
    p = cache["p"]
    g = g - np.sum(g * p, axis=cache["axis"], keepdims=True)
    p *= g
    return p


# -------------------------------------------------------------------------------------------------- softmax, right
def full_jacobian(g, cache):
    p = np.moveaxis(cache["p"], cache["axis"], -1)
    J = p[..., None] * np.eye(p.shape[-1], dtype=p.dtype) - p[..., :, None] * p[..., None, :]
    return np.moveaxis((J @ np.moveaxis(g, cache["axis"], -1)[..., None])[..., 0], -1, cache["axis"]).copy()


def row_by_row(g, cache):
    p, G = (np.moveaxis(a, cache["axis"], -1) for a in (cache["p"], g))
    out = np.empty_like(G)
    for n in np.ndindex(*p.shape[:-1]):
        out[n] = p[n] * (G[n] - np.dot(G[n], p[n]))
    return np.ascontiguousarray(np.moveaxis(out, -1, cache["axis"]))


def products_first(g, cache):
    a = g * cache["p"]
    a -= cache["p"] * a.sum(axis=cache["axis"], keepdims=True)
    return a


# -------------------------------------------------------------------------------------------- how softmax is probed
def call(rng, shape, axis=-1, change=lambda tree: tree):
    z = rng.normal(size=shape) * 1.5
    return Call(g=change(rng.normal(size=shape)), cache=change(softmax_forward(z, axis)[1]))


def rows(rng):
    return [call(rng, sizes(rng, 2)), call(rng, sizes(rng, 3)), call(rng, (1, 5)), call(rng, (6,))]


def axes(rng):
    first = [call(rng, sizes(rng, 2), 0), call(rng, sizes(rng, 3), 1), call(rng, sizes(rng, 3), -3)]
    return [*first, call(rng, (4, 4), 0), call(rng, sizes(rng, 2), 1), call(rng, sizes(rng, 3), 2)]


def singles(rng):
    return [call(rng, sizes(rng, 2), change=single), call(rng, sizes(rng, 3), 1, change=single)]


OF_THE_FORWARD = {
    "no max subtraction": "no exponential is taken on the way back: the forward has left p",
    "log(softmax) underflow": "there is no logarithm",
    "global sum": "it belongs to the forward; its twin here is the misconception `summed_over_everything`",
}

SOFTMAX = Exercise(
    reference=softmax_backward,
    chapter=CHAPTER,
    title="Backward of softmax",
    task="""
    Return dL/dz, the gradient of what comes after `softmax` with respect to the scores z: an array of the shape and
    dtype of `g`, which is dL/dp. `cache` is a dict from the forward:

    - `"p"`, the probabilities
    - `"axis"`, the axis along which they sum to 1; a negative one counts from the end

    Neither g nor the cache is changed.
    """,
    example='softmax_backward(np.array([[1.0, 0.0, 0.0]]), {"p": np.array([[0.5, 0.3, 0.2]]), "axis": -1})'
    "  # [[ 0.25 -0.15 -0.1 ]]",
    difficulty=3,
    minutes=15,
    axes={"g": ("batch", "class"), "return": ("batch", "class")},
    groups=[
        Group("rows", 2, rows, "Probabilities along the last axis.", CLOSE),
        Group("axes", 1, axes, "Probabilities along another axis.", CLOSE),
        Group("float32", 1, singles, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        *upstream_bugs(right_rows, "adds_upstream", "ignores_upstream"),
        Misconception("diagonal", diagonal, "Raise z[0] alone: does p[1] stay the same?",
            "each probability depended on its own score alone", ROWS),
        Misconception("last_axis_always", last_axis_always,
            "Where in your code is the cache's axis looked at?", "the axis were always the last", ROWS),
        Misconception("summed_over_everything", summed_over_everything,
            "May the gradient of one row depend on another row?", "the whole batch were one softmax", ROWS),
        Misconception("without_keepdims", without_keepdims,
            "g is (N, K). Which shape has your sum, and how does NumPy line the two up?",
            "the sum had lost its axis before it was subtracted", ROWS),
        Misconception("plain_mean", plain_mean,
            "The mean that is subtracted from g: should a class of probability 0.001 have a full say in it?",
            "all classes had the same weight in the mean that is subtracted", ROWS),
        Misconception("averaged_twice", averaged_twice,
            "The p's of a row sum to 1. What do you divide by besides, and why?",
            "the weighed mean were divided by the number of classes as well", ROWS),
        Misconception("plain_sum", plain_sum,
            "Let all g be 1. The p's sum to 1 whatever z is: what must dL/dz be? What is yours?",
            "the plain sum of g were subtracted", ROWS),
        Misconception("without_outer_p", without_outer_p,
            "A class of probability 0 does not react to its score. Does your answer say so?",
            "the factor p were missing", ROWS),
        Misconception("log_softmax", of_log_softmax,
            "Let all g be 1 and p be uneven. What must dL/dz be, when the p's always sum to 1?",
            "g had arrived at the logarithms of the probabilities", ROWS),
        Misconception("softmax_again", softmax_again,
            "Is `p` the softmax's input or its output? What does your first line make of it?",
            "a softmax were still to be taken", ROWS),
        Misconception("p_minus_g", p_minus_g,
            "p - t belongs to softmax *and* cross-entropy. Is there a loss in this function?",
            "it were the gradient of softmax and cross-entropy together", CANCELS),
        Misconception("writes_into_p", into_p,
            "Is the cache's p the same after your call?", "the cache were yours to write into", CONTRACT),
    ],
    variants=[
        Variant("full_jacobian", full_jacobian),
        Variant("row_by_row", row_by_row),
        Variant("products_first", products_first),
    ],
    hints=[
        Hint("Every score acts on every probability of its row. So the gradient of one score is a sum over the row."),
        Hint('Look at "Softmax: an output for every input". Put the derivative of p_k in z_i into the sum over k, and '
             "split it where k equals i."),
        Hint("A worked sibling, rows divided by their sum, y = x / x.sum():\n\n"
             '    def share_backward(g, cache):\n        x, y = cache["x"], cache["y"]\n'
             "        return (g - np.sum(g * y, axis=-1, keepdims=True)) / np.sum(x, axis=-1, keepdims=True)"),
        Hint("    m = the mean of g along the axis, each entry weighed by its p (keep the axis)\n"
             "    return p times how far g lies above m"),
    ],
    not_bugs=OF_THE_FORWARD,
)  # fmt: skip


# ---------------------------------------------------------------------------------------- with cross-entropy, wrong
def hot(cache):
    p, y = cache["p"], cache["y"]
    return (y[:, None] == np.arange(p.shape[1])).astype(p.dtype)


def right_pair(g, cache):
    return g / len(cache["y"]) * (cache["p"] - hot(cache))


def not_divided(g, cache):
    return g * (cache["p"] - hot(cache))


def divided_by_classes(g, cache):
    return g * (cache["p"] - hot(cache)) / cache["p"].shape[1]


def divided_by_all(g, cache):
    return g * (cache["p"] - hot(cache)) / cache["p"].size


def no_target(g, cache):
    return g / len(cache["y"]) * cache["p"]


def minus_the_number(g, cache):
    return g / len(cache["y"]) * (cache["p"] - cache["y"][:, None].astype(cache["p"].dtype))


def jacobian_twice(g, cache):
    return right_rows(right_pair(g, cache), {"p": cache["p"], "axis": -1})


def of_probabilities(g, cache):
    return -g / len(cache["y"]) * hot(cache) / cache["p"]


def true_class_alone(g, cache):
    return right_pair(g, cache) * hot(cache)


def columns_of_all(g, cache):
    dz = cache["p"].copy()
    dz[:, cache["y"]] -= 1
    return dz * (g / len(dz))


def into_the_cache(g, cache):
    dz = cache["p"]
    dz[np.arange(len(dz)), cache["y"]] -= 1
    return dz * (g / len(dz))


def no_g(g, cache):
    return right_pair(1.0, cache)


def other_sign(g, cache):
    return -right_pair(g, cache)


# ---------------------------------------------------------------------------------------- with cross-entropy, right
def through_both(g, cache):
    return right_rows(of_probabilities(g, cache), {"p": cache["p"], "axis": -1})


def sample_by_sample(g, cache):
    dz = np.empty_like(cache["p"])
    for n, k in enumerate(cache["y"]):
        dz[n] = cache["p"][n]
        dz[n, k] -= 1
    return dz * (g / len(dz))


def put(g, cache):
    p, k = cache["p"], cache["y"][:, None]
    dz = p.copy()
    np.put_along_axis(dz, k, np.take_along_axis(p, k, axis=1) - 1, axis=1)
    dz *= g / len(p)
    return dz


def pair_call(rng, shape, dtype: type = np.float64):
    N, K = shape
    y = rng.permutation(np.concatenate([np.arange(min(N, K)), rng.integers(0, K, max(N - K, 0))]))
    p = softmax_forward(rng.normal(size=shape) * 1.5)[0].astype(dtype)
    return Call(g=float(rng.choice([-1, 1]) * rng.uniform(1.3, 2.9)), cache={"p": p, "y": y})


def pairs(rng):
    return [pair_call(rng, sizes(rng, 2)), pair_call(rng, (11, 4)), pair_call(rng, (4, 9))]


def one_sample(rng):
    return [pair_call(rng, (1, 5)), pair_call(rng, (1, 7))]


def single_pairs(rng):
    return [pair_call(rng, sizes(rng, 2), np.float32), pair_call(rng, (1, 6), np.float32)]


PAIR = Exercise(
    reference=softmax_ce_backward,
    chapter=CHAPTER,
    title="Backward of softmax and cross-entropy, with class numbers",
    task="""
    The forward took scores z (N, K), made p = softmax(z), and returned the mean over the N samples of -log of the
    probability of the true class. Return dL/dz, an array of the shape and dtype of p. `g` is a number: the derivative
    of what comes after with respect to that mean. `cache` is a dict:

    - `"p"`, the probabilities, (N, K)
    - `"y"`, the class numbers, (N,), integers 0 ... K - 1

    The cache is not changed.
    """,
    example='softmax_ce_backward(4.0, {"p": np.array([[0.5, 0.25, 0.25]]), "y": np.array([2])})  # [[ 2.  1. -3.]]',
    difficulty=2,
    minutes=10,
    axes={"return": ("batch", "class")},
    groups=[
        Group("batches", 2, pairs, "Batches of several samples.", CLOSE),
        Group("one_sample", 1, one_sample, "A batch of one sample.", CLOSE),
        Group("float32", 1, single_pairs, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        Misconception("not_divided", not_divided,
            "Let the batch hold every sample twice. Does the mean loss double? Does your gradient?",
            "the losses of the samples were summed, not averaged", CANCELS,
            published="`reduction=\"sum\"` in PyTorch and Keras"),
        Misconception("divided_by_classes", divided_by_classes,
            "The mean is over samples. Which axis of p counts them?", "the mean were over classes", CANCELS),
        Misconception("divided_by_all", divided_by_all,
            "How many losses are averaged: N or N times K?", "every class of every sample had a loss", CANCELS),
        Misconception("no_target", no_target,
            "If p is 1 at the true class, nothing is left to learn. What is your gradient there?",
            "no class were the true one", CANCELS),
        Misconception("minus_the_number", minus_the_number,
            "Class 7 is not seven times as true as class 1. What should be subtracted from p, and where?",
            "the class number itself were subtracted from all scores", CANCELS),
        Misconception("jacobian_twice", jacobian_twice,
            "A sure and wrong answer: should the pull be large or vanish? What does a second Jacobian do to it?",
            "the Jacobian of the softmax were multiplied in a second time", CANCELS),
        Misconception("stops_at_p", of_probabilities,
            "Your answer says how L changes with p. How do the p's change with z?",
            "it were the gradient with respect to the probabilities", CANCELS),
        Misconception("true_class_alone", true_class_alone,
            "Raise the score of a wrong class alone. Does the probability of the true class stay the same?",
            "only the score of the true class mattered", CANCELS),
        Misconception("columns_of_all", columns_of_all,
            "In a row whose class is 2, from how many entries do you subtract 1?",
            "the classes of all samples were subtracted in every row", CANCELS),
        Misconception("writes_into_p", into_the_cache,
            "Is the cache's p the same after your call?", "the cache were yours to write into", CONTRACT),
        Misconception("ignores_upstream", no_g,
            "Multiply the loss by 5. What happens to every gradient before it? Where does yours hear of it?",
            "nothing came after: g is not used", CONTRACT),
        Misconception("wrong_sign", other_sign,
            "Raise the score of the true class: does the loss fall? What says your sign?",
            "the gradient pointed downhill", CANCELS),
        Misconception("not_float32", in_double(right_pair),
            "Which dtype has p, and which has your answer?", "float32 were turned into float64", CONTRACT),
    ],
    variants=[
        Variant("one_hot", right_pair),
        Variant("through_both", through_both),
        Variant("sample_by_sample", sample_by_sample),
        Variant("put_along_axis", put),
    ],
    hints=[
        Hint("Chapter 3 found the gradient for one-hot rows. A class number says at which single entry the row is 1."),
        Hint('Look at "Softmax and cross-entropy together": prediction minus target, over N. What picks one entry of '
             "each row in NumPy?"),
        Hint("A worked sibling, the gradient of the mean of the *scores* of the true classes, z[n, y[n]]:\n\n"
             '    def picked_backward(g, cache):\n        z, y = cache["z"], cache["y"]\n'
             "        dz = np.zeros_like(z)\n        dz[np.arange(len(y)), y] = g / len(y)\n        return dz"),
        Hint("    dz = a copy of p\n    in each row, subtract 1 at the true class\n    times g, divided by N"),
    ],
    not_bugs={
        "½ missing/duplicated": "there is no ½ in cross-entropy",
        "forgetting mask": "no mask takes part; chapter 3 has one",
        "sign at 0": "no sign is taken: the slope is smooth in the scores",
    },
)  # fmt: skip
