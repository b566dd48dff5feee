"""mlp_backward: dense layers and relus once more, from the last to the first."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradschool.lessons.backprop import mlp_backward, mlp_forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import BACKWARDS, CHAPTER, CLOSE, CONTRACT, KINKS
from .mlp_forward import forward_call


# ------------------------------------------------------------------------------------------------------- the way back
def back(g, cache, mask=lambda d, cache, i: np.where(cache[i - 1]["Z"] > 0, d, 0)):
    """The backward; `mask` is what becomes of dL/dX of layer i before it reaches the layer below."""
    grads = []
    for i in range(len(cache) - 1, -1, -1):
        d = g @ cache[i]["W"].T
        grads.append({"W": cache[i]["X"].T @ g, "b": g.sum(axis=0)})
        if i > 0:
            g = mask(d, cache, i)
    return d, grads[::-1]


def without_mask(g, cache):
    return back(g, cache, mask=lambda d, cache, i: d)


def mask_at_the_end(g, cache):
    return back(np.where(cache[-1]["Z"] > 0, g, 0), cache)


def one_at_zero(g, cache):
    return back(g, cache, mask=lambda d, cache, i: np.where(cache[i - 1]["Z"] >= 0, d, 0))


def mask_by_the_gradient(g, cache):
    return back(g, cache, mask=lambda d, cache, i: np.where(d > 0, d, 0))


def times_the_activation(g, cache):
    return back(g, cache, mask=lambda d, cache, i: d * np.maximum(cache[i - 1]["Z"], 0))


def stops_at_the_second(g, cache):
    """The loop ends one layer early: the first layer gets nothing."""
    grads = [{"W": np.zeros_like(layer["W"]), "b": np.zeros(layer["W"].shape[1])} for layer in cache]
    for i in range(len(cache) - 1, 0, -1):
        d = g @ cache[i]["W"].T
        grads[i] = {"W": cache[i]["X"].T @ g, "b": g.sum(axis=0)}
        g = np.where(cache[i - 1]["Z"] > 0, d, 0)
    return g @ cache[0]["W"].T, grads


def last_input_for_all(g, cache):
    """Every dW is made of what came into the last layer, as far as the shapes let it."""
    grads, X = [], cache[-1]["X"]
    for i in range(len(cache) - 1, -1, -1):
        d = g @ cache[i]["W"].T
        grads.insert(0, {"W": X.T @ g, "b": g.sum(axis=0)})
        if i > 0:
            g = np.where(cache[i - 1]["Z"] > 0, d, 0)
    return d, grads


def outputs_for_inputs(g, cache):
    """dW of what leaves the layer in the place of what enters it."""
    dX, grads = back(g, cache)
    for layer, grad, entry in zip(cache, grads, slopes_of(g, cache), strict=True):
        grad["W"] = np.maximum(layer["Z"], 0).T @ entry
    return dX, grads


def slopes_of(g, cache):
    """dL/dZ of every layer."""
    found = [g]
    for i in range(len(cache) - 1, 0, -1):
        found.insert(0, np.where(cache[i - 1]["Z"] > 0, found[0] @ cache[i]["W"].T, 0))
    return found


def mask_in_the_wrong_place(g, cache):
    """The mask meets g only after it went through the weights for dX, and dX of the layer is what is left."""
    grads = []
    for i in range(len(cache) - 1, -1, -1):
        grads.insert(0, {"W": cache[i]["X"].T @ g, "b": g.sum(axis=0)})
        g = np.where(cache[i]["Z"] > 0, g, 0) @ cache[i]["W"].T
    return g, grads


def averaged(g, cache):
    dX, grads = back(g, cache)
    return dX, [{"W": grad["W"] / len(g), "b": grad["b"] / len(g)} for grad in grads]


def averaged_each_time(g, cache):
    return back(g, cache, mask=lambda d, cache, i: np.where(cache[i - 1]["Z"] > 0, d, 0) / len(d))


def from_the_end(g, cache):
    dX, grads = back(g, cache)
    return dX, grads[::-1]


def biases_not_summed(g, cache):
    dX, grads = back(g, cache)
    return dX, [{"W": grad["W"], "b": slope} for grad, slope in zip(grads, slopes_of(g, cache), strict=True)]


def input_masked(g, cache):
    dX, grads = back(g, cache)
    return np.where(cache[0]["X"] > 0, dX, 0), grads


def into_the_cache(g, cache):
    """The mask is made where Z stands."""

    def mask(d, cache, i):
        Z = cache[i - 1]["Z"]
        Z[...] = Z > 0
        return d * Z

    return back(g, cache, mask)


def upstream_ignored(g, cache):
    return back(np.ones_like(g), cache)


# -- right
def by_next_input(g, cache):
    """What the next layer got is positive exactly where the relu let it pass."""
    return back(g, cache, mask=lambda d, cache, i: d * (cache[i]["X"] > 0))


def by_einsum(g, cache):
    slopes = slopes_of(g, cache)
    grads = [
        {"W": np.einsum("ni,no->io", layer["X"], slope), "b": np.einsum("no->o", slope)}
        for layer, slope in zip(cache, slopes, strict=True)
    ]
    return np.einsum("no,io->ni", slopes[0], cache[0]["W"]), grads


def by_recursion_back(g, cache):
    *below, layer = cache
    d, grad = g @ layer["W"].T, {"W": layer["X"].T @ g, "b": g.sum(axis=0)}
    if not below:
        return d, [grad]
    d[below[-1]["Z"] <= 0] = 0
    dX, grads = by_recursion_back(d, below)
    return dX, [*grads, grad]


# --------------------------------------------------------------------------------------------------- how it is probed
def backward_call(rng, layers, N, outputs=0):
    Z, cache = mlp_forward(**forward_call(rng, layers, N, outputs).arguments)
    for layer, following in pairwise(cache):  # some units stand exactly at the kink
        kink = rng.random(layer["Z"].shape) < 0.2
        layer["Z"][kink], following["X"][kink] = 0.0, 0.0
    return Call(g=rng.normal(size=Z.shape), cache=cache)


BACKWARD = Exercise(
    reference=mlp_backward,
    returns=("dX", "grads"),
    chapter=CHAPTER,
    title="Backward of a network of any depth",
    task="""
    The way back through `mlp_forward`. `g` is dL/dZ of the last layer, (N, K); `cache` is the list that the forward has
    left: for each layer, in their order, a dict with

    - `"X"`, what came into the layer
    - `"W"`, its weights
    - `"Z"`, X W + b; relu of it came into the next layer, but for the last one

    Return the tuple (dX, grads): dX is the gradient with respect to the network's input; grads is a list with
    {"W": dL/dW, "b": dL/db} for each layer, in the order of the layers. The slope of relu at 0 is 0.

    Neither g nor the cache is changed.
    """,
    example='cache = [{"X": np.array([[5.0]]), "W": np.array([[1.0, -1.0]]), "Z": np.array([[5.0, -5.0]])},\n'
    '         {"X": np.array([[5.0, 0.0]]), "W": np.array([[2.0], [3.0]]), "Z": np.array([[11.0]])}]\n'
    "dX, grads = mlp_backward(np.array([[1.0]]), cache)\n"
    'print(dX, grads[0]["W"], grads[0]["b"])  # [[2.]] [[10.  0.]] [2. 0.]',
    difficulty=4,
    minutes=30,
    axes={"g": ("batch", "class")},
    groups=[
        Group("one_layer", 1, lambda rng: [backward_call(rng, 1, 9), backward_call(rng, 1, 1)],
              "A single layer: no relu at all.", CLOSE),
        Group("two_layers", 1, lambda rng: [backward_call(rng, 2, *how) for how in ((9, 1), (1,), (12,))],
              "Two layers, a single output among them.", CLOSE),
        Group("deep", 2, lambda rng: [backward_call(rng, n, 9 + n) for n in (3, 4)], "Three and four layers.", CLOSE),
    ],
    misconceptions=[
        Misconception("without_mask", without_mask,
            "A unit was off for a sample. Can that sample's loss reach the unit's weights?",
            "nothing stood between the layers on the way back", BACKWARDS),
        Misconception("mask_at_the_end", mask_at_the_end,
            "Was there a relu behind the last layer?", "g had to pass a relu first", BACKWARDS),
        Misconception("mask_in_the_wrong_place", mask_in_the_wrong_place,
            "Forwards, relu came after W. So backwards, what comes first, and for which of dW and dX?",
            "relu came between dW and dX of the same layer", BACKWARDS),
        Misconception("one_at_zero", one_at_zero,
            "For Z exactly 0, which slope does the task give to relu?", "the slope of relu at 0 were 1", KINKS),
        Misconception("mask_by_the_gradient", mask_by_the_gradient,
            "relu looked at Z on the way there. What do you look at on the way back?",
            "gradients were rectified, whatever Z was", BACKWARDS),
        Misconception("times_the_activation", times_the_activation,
            "If Z goes from 5 to 6, how much does relu(Z) grow? Faster at 100?",
            "the slope of relu were its output", BACKWARDS),
        Misconception("stops_one_layer_early", stops_at_the_second,
            "Which numbers does your loop run through? Is that of the first layer among them?",
            "the first layer were not reached", BACKWARDS),
        Misconception("last_input_for_all", last_input_for_all,
            "Which X multiplied this layer's W: the last one of all, or this layer's own?",
            "what came into the last layer had come into every layer", BACKWARDS),
        Misconception("outputs_for_inputs", outputs_for_inputs,
            "dW is made of what came into the layer. What did you take?",
            "what left a layer had come into it", BACKWARDS),
        Misconception("averaged", averaged,
            "Who divides by N: the loss, whose gradient g is, or every layer once more?",
            "gradients were averaged over the batch, after the loss had done so", BACKWARDS),
        Misconception("averaged_at_every_layer", averaged_each_time,
            "With five layers, how many times is the first one's gradient divided by N?",
            "every layer divided by N", BACKWARDS),
        Misconception("from_the_end", from_the_end,
            "You meet the last layer first. Where does its gradient belong in the list?",
            "the list of gradients began with the last layer", BACKWARDS),
        Misconception("biases_not_summed", biases_not_summed,
            "One bias serves all samples. How many numbers does its gradient have?",
            "every sample had biases of its own", BACKWARDS),
        Misconception("input_masked", input_masked,
            "Did the data pass a relu before the first layer?", "the data had passed a relu", BACKWARDS),
        Misconception("writes_into_the_cache", into_the_cache,
            "Are all arrays of the cache the same after your call?", "the cache were yours to write into", CONTRACT),
        Misconception("ignores_upstream", upstream_ignored,
            "Multiply the loss by 5. What happens to every gradient before it? Where does yours hear of it?",
            "nothing came after: g is not used", CONTRACT),
    ],
    variants=[
        Variant("by_next_input", by_next_input),
        Variant("einsum", by_einsum),
        Variant("by_recursion", by_recursion_back),
    ],
    hints=[
        Hint("One loop over the layers, from the last to the first. What arrives at a layer has the shape of its Z."),
        Hint('Look at "And back": each turn of the loop is `dense_backward`, and between two layers `relu_backward`. '
             "Whose Z decides?"),
        Hint("A worked sibling, the way back through x multiplied by several numbers, one after another:\n\n"
             "    def chain_backward(g, cache):\n        grads = []\n        for step in reversed(cache):\n"
             '            grads.insert(0, g * step["x"])\n            g = g * step["a"]\n        return g, grads'),
        Hint("    from the last layer to the first:\n        dX, dW, db of this layer from g, as in dense_backward\n"
             "        if there is a layer below: g = dX where the Z of the layer below is positive, else 0\n"
             "    return the last dX, and the gradients in the order of the layers"),
    ],
    not_bugs={
        "caches overwritten by in-place relu": "the cache is given here; the forward has the mistake as `overwritten`, "
        "and writing into it is `writes_into_the_cache`",
    },
)  # fmt: skip
