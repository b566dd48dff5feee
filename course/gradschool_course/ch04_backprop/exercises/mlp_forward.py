"""mlp_forward: a network of any depth, and what its way back will need."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradschool.lessons.backprop import mlp_forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, FORWARDS


# ------------------------------------------------------------------------------------------------------ the way there
def there(params, X, relu=lambda Z, last: np.maximum(Z, 0), keep=lambda X, W, Z: {"X": X, "W": W, "Z": Z}):
    """The forward with its two moments at which something can go wrong."""
    cache = []
    for i, layer in enumerate(params):
        Z = X @ layer["W"] + layer["b"]
        cache.append(keep(X, layer["W"], Z))
        X = relu(Z, i == len(params) - 1)
    return Z, cache


def relu_at_the_end(params, X):
    Z, cache = there(params, X)
    return np.maximum(Z, 0), cache


def no_relu(params, X):
    return there(params, X, relu=lambda Z, last: Z)


def stops_early(params, X):
    return there(params[:-1] or params, X)


def relu_first(params, X):
    """max(X, 0) W + b in every layer: the input is rectified."""
    return there(params, np.maximum(X, 0))


def relu_before_bias(params, X):
    cache = []
    for i, layer in enumerate(params):
        last = i == len(params) - 1
        Z = X @ layer["W"] if not last else X @ layer["W"] + layer["b"]
        cache.append({"X": X, "W": layer["W"], "Z": Z})
        X = np.maximum(Z, 0) + layer["b"]
    return Z, cache


def overwritten(params, X):
    """The relu works in place, on the very array that the cache holds; the last one has none."""
    return there(params, X, relu=lambda Z, last: Z if last else np.maximum(Z, 0, out=Z))


def keeps_outputs(params, X):
    return there(params, X, keep=lambda X, W, Z: {"X": np.maximum(Z, 0), "W": W, "Z": Z})


def keeps_the_first_input(params, X):
    first = X
    return there(params, X, keep=lambda X, W, Z: {"X": first, "W": W, "Z": Z})


def keeps_it_backwards(params, X):
    Z, cache = there(params, X)
    return Z, cache[::-1]


def without_biases(params, X):
    return there([{"W": layer["W"], "b": 0.0} for layer in params], X)


def cache_alone(params, X):
    return there(params, X)[1]


# -- right
def by_index(params, X):
    inputs, sums = [X], []
    for i in range(len(params)):
        sums.append(np.dot(inputs[i], params[i]["W"]) + params[i]["b"])
        inputs.append(np.where(sums[i] > 0, sums[i], 0.0))
    return sums[-1], [{"X": inputs[i], "W": params[i]["W"], "Z": sums[i]} for i in range(len(params))]


def by_recursion(params, X):
    W, b = params[0]["W"], params[0]["b"]
    Z = np.einsum("ni,io->no", X, W) + b
    here = {"X": X, "W": W, "Z": Z}
    if len(params) == 1:
        return Z, [here]
    end, rest = by_recursion(params[1:], Z * (Z > 0))
    return end, [here, *rest]


def with_copies(params, X):
    return there(params, X, keep=lambda X, W, Z: {"X": X.copy(), "W": W.copy(), "Z": Z.copy()})


# --------------------------------------------------------------------------------------------------- how it is probed
def network(rng, layers, outputs=0):
    """Parameters of so many layers; all sizes of neighbours differ, outputs are drawn unless told; biases matter."""
    widths = [int(n) for n in rng.choice(np.arange(3, 9), layers + 1, replace=False)]
    widths[-1] = outputs or widths[-1]
    return [{"W": rng.normal(size=(n, m)) / np.sqrt(n), "b": 0.5 * rng.normal(size=m)} for n, m in pairwise(widths)]


def forward_call(rng, layers, N, outputs=0):
    params = network(rng, layers, outputs)
    return Call(params=params, X=rng.normal(size=(N, len(params[0]["W"]))))


FORWARD = Exercise(
    reference=mlp_forward,
    returns=("Z", "cache"),
    chapter=CHAPTER,
    title="Forward of a network of any depth",
    task="""
    Dense layers with relu between them. `params` is a list with a dict for each layer, {"W": (in, out), "b": (out,)};
    X is (N, in). The result of a layer goes through relu before it enters the next one; that of the last does not.

    Return the tuple (Z, cache): Z is the result of the last layer, (N, K). `cache` is a list with a dict for each
    layer, in their order:

    - `"X"`, what came into the layer
    - `"W"`, its weights
    - `"Z"`, X W + b, as it was before any relu

    params and X are not changed. What is kept may be the arrays themselves; no copies are needed.
    """,
    example='first = {"W": np.array([[1.0, -1.0]]), "b": np.zeros(2)}\n'
    'last = {"W": np.array([[2.0], [3.0]]), "b": np.ones(1)}\n'
    'Z, cache = mlp_forward([first, last], np.array([[5.0]]))\nprint(Z, cache[0]["Z"], cache[1]["X"])'
    "  # [[11.]] [[ 5. -5.]] [[5. 0.]]",
    difficulty=2,
    minutes=15,
    axes={"X": ("batch", "input")},
    may_alias=True,
    groups=[
        Group("one_layer", 1, lambda rng: [forward_call(rng, 1, 9), forward_call(rng, 1, 1)], "A single layer.", CLOSE),
        Group("deep", 2, lambda rng: [forward_call(rng, *how) for how in ((2, 11, 1), (3, 12), (4, 13))],
              "Two to four layers, a single output among them.", CLOSE),
    ],
    misconceptions=[
        Misconception("relu_at_the_end", relu_at_the_end,
            "The last Z are scores. May a score be negative?", "relu came behind the last layer as well", FORWARDS),
        Misconception("no_relu", no_relu,
            "Two matrices without anything between them: what single matrix are they?",
            "nothing stood between the layers", FORWARDS),
        Misconception("stops_one_layer_early", stops_early,
            "How many layers has params, and how many times does your loop run?", "the last layer were left out",
            FORWARDS),
        Misconception("relu_first", relu_first,
            "The input X has negative entries. Does the first layer see them?", "relu came before the first layer",
            FORWARDS),
        Misconception("relu_before_bias", relu_before_bias,
            "A unit switches on where X W + b passes 0. Where does yours?", "relu came before the bias", FORWARDS),
        Misconception("overwritten", overwritten,
            "After the pass, does cache[0][\"Z\"] still have negative entries?",
            "the cache had been overwritten by a relu in place", FORWARDS),
        Misconception("keeps_outputs", keeps_outputs,
            "dW needs what came *into* the layer. What did you keep as X?",
            "what leaves a layer were kept in the place of what enters it", FORWARDS),
        Misconception("keeps_the_first_input", keeps_the_first_input,
            "What came into the second layer: the data, or what the first layer made of it?",
            "the data themselves came into every layer", FORWARDS),
        Misconception("keeps_it_backwards", keeps_it_backwards,
            "Which layer does cache[0] belong to?", "the cache began with the last layer", FORWARDS),
        Misconception("without_biases", without_biases,
            "Let X be all zeros. What does a layer with biases give?", "there were no biases", FORWARDS),
        Misconception("cache_alone", cache_alone,
            "Two things are asked for. How many do you return?", "only the cache were asked for", FORWARDS),
    ],
    variants=[
        Variant("by_index", by_index),
        Variant("by_recursion", by_recursion),
        Variant("with_copies", with_copies),
    ],
    hints=[
        Hint("One loop over the layers. Before an array is replaced by the next one, what will the way back need?"),
        Hint('Look at "Forwards, and what to keep": the three things each layer leaves behind, and where relu stands.'),
        Hint("A worked sibling, x multiplied by several numbers, one after another, and what the way back needs:\n\n"
             "    def chain_forward(factors, x):\n        cache = []\n        for a in factors:\n"
             '            cache.append({"x": x, "a": a})\n            x = x * a\n        return x, cache'),
        Hint("    for each layer: Z = X W + b; keep X, W and Z; the next X is a *new* array, relu of Z\n"
             "    return the last Z, before any relu, and what was kept"),
    ],
    not_bugs={
        "reuses last layer's activation": "it is a mistake of the way back, which has it as `last_input_for_all`; "
        "its twin here is `keeps_the_first_input`",
    },
)  # fmt: skip
