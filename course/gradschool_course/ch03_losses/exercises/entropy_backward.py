"""The gradients of the four cross-entropies, with respect to probabilities or to scores, from the cache of the forward."""

from __future__ import annotations

import numpy as np

from gradschool.losses import (
    bce_with_logits_backward,
    bce_with_logits_forward,
    cross_entropy_backward,
    cross_entropy_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
    sparse_cross_entropy_backward,
    sparse_cross_entropy_forward,
)
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import draw
from .probabilities import nearly_impossible, with_zeros
from .regression import CHAPTER
from .regression_backward import (
    CLOSE,
    chain_misconceptions,
    chained,
)

TO_PROBABILITIES = "Gradients with respect to probabilities"
TO_SCORES = "Gradients with respect to scores"
EACH = Tolerance(rtol=1e-9, atol=1e-12, per="entry")
NOT_HERE = {
    "½ missing/duplicated": "there is no ½ in cross-entropy",
    "δ not in slope": "only Huber's loss has a δ",
    "sign at 0": "no sign is taken: the slope is smooth in the prediction",
}
BACK_AXES = {"return": ("batch", "class")}


# -------------------------------------------------------------------------------------------- dL/dP of cross_entropy
def floored(P):
    return np.maximum(P, 1e-30)


def slope_in_p(cache):
    P, T = cache["P"], cache["T"]
    slope = -T / floored(P)
    return slope + (1 - T) / floored(1 - P) if cache["mode"] == "multilabel" else slope


def all_classes(cache):
    slope = -1 / floored(cache["P"])
    return slope + 1 / floored(1 - cache["P"]) if cache["mode"] == "multilabel" else slope


def slope_in_scores(cache):
    return cache["P"] - cache["T"]


def unguarded(cache):
    P, T = cache["P"], cache["T"]
    slope = -T / P
    return slope + (1 - T) / (1 - P) if cache["mode"] == "multilabel" else slope


def only_present_labels(cache):
    return -cache["T"] / floored(cache["P"])


def second_sign_wrong(cache):
    P, T = cache["P"], cache["T"]
    slope = -T / floored(P)
    return slope - (1 - T) / floored(1 - P) if cache["mode"] == "multilabel" else slope


def target_over_nothing(cache):
    return -cache["T"] if cache["mode"] == "single-label" else 1 - 2 * cache["T"]


def cross_entropy_back(slope, chain=chained):
    def answer(g, cache):
        return chain(g, slope(cache), cache)

    return answer


def back_in_a_loop(g, cache):
    P, T = cache["P"], cache["T"]
    G, scale = np.broadcast_to(g, P.shape), np.broadcast_to(cache["scale"], P.shape)
    out = np.zeros_like(P)
    for i in np.ndindex(*P.shape):
        p, t = float(P[i]), float(T[i])
        slope = -t / max(p, 1e-30)
        if cache["mode"] == "multilabel":
            slope += (1 - t) / max(1 - p, 1e-30)
        out[i] = G[i] * scale[i] * slope
    return out


def divided_where_needed(cache):
    P, T = cache["P"], cache["T"]
    slope = -np.divide(T, floored(P), out=np.zeros_like(P), where=T > 0)
    if cache["mode"] == "multilabel":
        slope += np.divide(1 - T, floored(1 - P), out=np.zeros_like(P), where=T < 1)
    return slope


def one_fraction(cache):
    """For multilabel both terms over a common denominator, where no probability is 0 or 1."""
    P, T = cache["P"], cache["T"]
    inside = (P > 0) & (P < 1)
    if cache["mode"] != "multilabel" or not inside.all():
        return slope_in_p(cache)
    return (P - T) / (P * (1 - P))


def probability_cache(rng, shape, dtype=float, many=False, **options):
    P, T = (draw.chances, draw.yes_or_no) if many else (draw.probabilities, draw.one_hot)
    mode = {"mode": "multilabel"} if many else {}
    return cross_entropy_forward(P(rng, shape).astype(dtype), T(rng, shape).astype(dtype), **mode, **options)[1]


def probability_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=probability_cache(rng, shape, **options))


def weighed_calls(rng, call):
    """Calls whose `scale` is more than 1/N."""
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        call(rng, a, mask=draw.mask(rng, a[:2])),
        call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        call(rng, b, weights=draw.weights(rng, b[-1:])),
        call(rng, b, normalization="all-elements"),
    ]


def plain_calls(rng, call):
    return [call(rng, draw.sizes(rng, 2)), call(rng, draw.sizes(rng, 3)), call(rng, (1, 4))]


def single_calls(rng, call):
    a = draw.sizes(rng, 3)
    return [call(rng, a[:2], dtype=np.float32), call(rng, a, dtype=np.float32, mask=draw.mask(rng, a[:2]))]


def unreduced_calls(rng, cache, terms=lambda shape: shape):
    """g with an entry for every term; weights or a mask, so that `scale` is not 1."""
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        Call(g=rng.normal(size=terms(a)), cache=cache(rng, a, reduction="none", mask=draw.mask(rng, a[:2]))),
        Call(g=rng.normal(size=terms(b)), cache=cache(rng, b, reduction="none", weights=draw.weights(rng, b[-1:]))),
    ]


def zeros_in_p(rng):
    caches = [cross_entropy_forward(*make(rng, draw.sizes(rng, 2)))[1] for make in (with_zeros, nearly_impossible)]
    certain = cross_entropy_forward(np.array([[0.0, 1.0, 0.25]]), np.array([[0.0, 1.0, 1.0]]), mode="multilabel")[1]
    return [Call(g=draw.upstream(rng), cache=cache) for cache in [*caches, certain]]


def several_labels(rng):
    a = draw.sizes(rng, 2)
    return [probability_call(rng, a, many=True), probability_call(rng, a, many=True, weights=draw.weights(rng, a[-1:]))]


WITHOUT_TARGET = (
    "Which of the C probabilities enter the loss of one observation? What is the slope in the others?",
    "every class were the true one",
)  # fmt: skip
L_SQUARE = (
    "A worked sibling, the loss 1/p of the true class:\n\n"
    "    def inverse_backward(g, cache):\n"
    '        return -g * cache["scale"] * cache["T"] / np.maximum(cache["P"], 1e-30) ** 2'
)
SCALE = """- `"scale"`, a number or an array that broadcasts against {}: mask times weights over the divisor Z

    `g` is the derivative of what comes after with respect to the loss: a number, or for `reduction="none"` an array of
    the shape of the terms. Neither g nor the cache is changed; float32 stays float32."""

cross_entropy_gradient = Exercise(
    reference=cross_entropy_backward,
    chapter=CHAPTER,
    title="Gradient of cross-entropy",
    task=f"""
    Return dL/dP, the gradient of what comes after `cross_entropy` with respect to the probabilities P themselves, as if
    each of them could move alone: an array of P's shape. `cache` is a dict from the forward:

    - `"P"` and `"T"`, probabilities and targets
    - `"mode"`, "single-label" or "multilabel"
    {SCALE.format("P")} A probability below 1e-30 counts as 1e-30, and nothing warns.
    """,
    example='cross_entropy_backward(3.0, {"P": np.array([[0.5, 0.3, 0.2]]), "T": np.array([[0.0, 0.0, 1.0]]), '
    '"mode": "single-label", "scale": 0.5}).round(4) + 0.0  # [[ 0.   0.  -7.5]]',
    difficulty=2,
    minutes=10,
    axes=BACK_AXES,
    groups=[
        Group("values", 2, lambda rng: plain_calls(rng, probability_call), "One loss of the batch.", CLOSE),
        Group("zeros", 1, zeros_in_p, "Probabilities of 0 and 1.", EACH),
        Group("multilabel", 1, several_labels, "Mode \"multilabel\".", CLOSE),
        Group("scale", 1, lambda rng: weighed_calls(rng, probability_call) + unreduced_calls(rng, probability_cache),
              "Masks, weights, other divisors, reduction=\"none\".", CLOSE),
        Group("float32", 1, lambda rng: single_calls(rng, probability_call), "float32 in, float32 out.", CLOSE,
              exact_dtype=True),
    ],
    misconceptions=[
        *chain_misconceptions(lambda chain: cross_entropy_back(slope_in_p, chain), TO_PROBABILITIES),
        Misconception("without_one_hot", cross_entropy_back(all_classes), *WITHOUT_TARGET, TO_PROBABILITIES),
        Misconception("softmax_included", cross_entropy_back(slope_in_scores),
                      "Who will multiply by the Jacobian of the softmax: this function, or the backward of the softmax? "
                      "What if both do?",
                      "it were the gradient with respect to the scores, the softmax's Jacobian built in", TO_SCORES),
        Misconception("divides_by_zero", cross_entropy_back(unguarded), "What is 0 / 0 on paper, and in NumPy?",
                      "it were divided by probabilities of 0", TO_PROBABILITIES),
        Misconception("only_present_labels", cross_entropy_back(only_present_labels),
                      "A label is absent and has p = 0.9. Should the loss want p lower? What does your slope say?",
                      "in mode \"multilabel\" only the labels that are present counted", "Several labels at once"),
        Misconception("second_sign", cross_entropy_back(second_sign_wrong),
                      "A label is absent. Does the loss rise or fall as its p rises?",
                      "an absent label wanted a larger probability", "Several labels at once"),
        Misconception("not_divided_by_p", cross_entropy_back(target_over_nothing),
                      "Which is steeper, -log p near p = 0.01 or near p = 0.9?",
                      "the slope of the logarithm were 1 everywhere", TO_PROBABILITIES),
    ],
    variants=[
        Variant("loop", back_in_a_loop),
        Variant("where", cross_entropy_back(divided_where_needed)),
        Variant("one_fraction", cross_entropy_back(one_fraction)),
    ],
    hints=[
        Hint("The loss of one observation is minus the logarithm of one number. Its slope in that number is all there is "
             "to it; the other classes stand still."),
        Hint("Look at \"Gradients with respect to probabilities\", and draw -log p: how steep is it at 0.1, and at 0.5?"),
        Hint(L_SQUARE),
        Hint("    safe(P) = P, but at least 1e-30\n    slope = -(target) / safe(P)\n"
             "    if multilabel: add (1 - target) / safe(1 - P)\n    return g * scale * slope"),
    ],
    not_bugs=NOT_HERE,
)  # fmt: skip


# -------------------------------------------------------------------------------------- dL/dP of sparse_cross_entropy
def true_class(cache):
    P = cache["P"]
    return (cache["y"][..., None] == np.arange(P.shape[-1])).astype(P.dtype)


def sparse_slope(cache):
    return -true_class(cache) / floored(cache["P"])


def sparse_all_classes(cache):
    return -1 / floored(cache["P"])


def sparse_in_scores(cache):
    return cache["P"] - true_class(cache)


def sparse_unguarded(cache):
    return -true_class(cache) / cache["P"]


def sparse_not_divided_by_p(cache):
    return -true_class(cache)


def minus_the_number(cache):
    return cache["P"] - cache["y"][..., None]


def lifted(cache):
    """g and scale have the shape of y; the gradient has one axis more."""
    return {**cache, "scale": np.asarray(cache["scale"])[..., None] if np.ndim(cache["scale"]) else cache["scale"]}


def sparse_back(slope, chain=chained):
    def answer(g, cache):
        return chain(g[..., None] if np.ndim(g) else g, slope(cache), lifted(cache))

    return answer


def columns_of_all(g, cache):
    P, y = cache["P"], cache["y"]
    out = np.zeros_like(P)
    out[..., y] = -1 / floored(P[..., y])
    return (g[..., None] if np.ndim(g) else g) * lifted(cache)["scale"] * out


def only_the_picked(g, cache):
    P, y = cache["P"], cache["y"]
    return -g * cache["scale"] / floored(np.take_along_axis(P, y[..., None], axis=-1)[..., 0])


def put_along_axis(g, cache):
    P, k = cache["P"], cache["y"][..., None]
    out = np.zeros_like(P)
    slope = -np.asarray(g * cache["scale"])[..., None] / floored(np.take_along_axis(P, k, axis=-1))
    np.put_along_axis(out, k, slope, axis=-1)
    return out


def sparse_loop(g, cache):
    P, y = cache["P"], cache["y"]
    G, scale = np.broadcast_to(g, y.shape), np.broadcast_to(cache["scale"], y.shape)
    out = np.zeros_like(P)
    for index in np.ndindex(*y.shape):
        k = int(y[index])
        out[(*index, k)] = -G[index] * scale[index] / max(float(P[(*index, k)]), 1e-30)
    return out


def through_one_hot(cache):
    """The rows of the identity are the one-hot rows."""
    P = cache["P"]
    return -np.eye(P.shape[-1], dtype=P.dtype)[cache["y"]] / floored(P)


def through_grid(g, cache):
    P, y = cache["P"], cache["y"]
    rows, labels = P.reshape(-1, P.shape[-1]), y.ravel()
    out = np.zeros_like(rows)
    n = np.arange(len(rows))
    out[n, labels] = -np.ravel(np.broadcast_to(g * cache["scale"], y.shape)) / floored(rows[n, labels])
    return out.reshape(P.shape)


def sparse_cache(rng, shape, dtype=float, **options):
    P = draw.probabilities(rng, shape).astype(dtype)
    return sparse_cross_entropy_forward(P, draw.labels(rng, shape[:-1], shape[-1]), **options)[1]


def sparse_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=sparse_cache(rng, shape, **options))


def sparse_weighed(rng):
    """As above; "all-elements" is about y here, so that it shows on sequences only."""
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        sparse_call(rng, a, mask=draw.mask(rng, a[:2])),
        sparse_call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        sparse_call(rng, b, weights=draw.weights(rng, b[-1:])),
        sparse_call(rng, a, normalization="all-elements"),
        *unreduced_calls(rng, sparse_cache, terms=lambda shape: shape[:-1]),
    ]


def sparse_zeros(rng):
    cases = [with_zeros(rng, draw.sizes(rng, 2)), nearly_impossible(rng, draw.sizes(rng, 2))]
    caches = [sparse_cross_entropy_forward(P, np.argmax(T, axis=-1))[1] for P, T in cases]
    return [Call(g=draw.upstream(rng), cache=cache) for cache in caches]


sparse_gradient = Exercise(
    reference=sparse_cross_entropy_backward,
    chapter=CHAPTER,
    title="Gradient of cross-entropy with class numbers",
    task=f"""
    Return dL/dP, the gradient of what comes after `sparse_cross_entropy` with respect to the probabilities P, as if each
    of them could move alone: an array of P's shape. `cache` is a dict from the forward:

    - `"P"`, probabilities, (N, C) or (N, T, C), and `"y"`, class numbers, (N,) or (N, T)
    {SCALE.format("y")} A probability below 1e-30 counts as 1e-30, and nothing warns.
    """,
    example='sparse_cross_entropy_backward(3.0, {"P": np.array([[0.5, 0.3, 0.2]]), "y": np.array([2]), "scale": 0.5})'
    ".round(4) + 0.0  # [[ 0.   0.  -7.5]]",
    difficulty=3,
    minutes=10,
    axes=BACK_AXES,
    groups=[
        Group("values", 2, lambda rng: plain_calls(rng, sparse_call), "One loss of the batch.", CLOSE),
        Group("zeros", 1, sparse_zeros, "Probabilities of 0.", EACH),
        Group("scale", 1, sparse_weighed, "Masks, weights, other divisors, reduction=\"none\".", CLOSE),
        Group("float32", 1, lambda rng: single_calls(rng, sparse_call), "float32 in, float32 out.", CLOSE,
              exact_dtype=True),
    ],
    misconceptions=[
        *chain_misconceptions(lambda chain: sparse_back(sparse_slope, chain), TO_PROBABILITIES),
        Misconception("without_one_hot", sparse_back(sparse_all_classes), *WITHOUT_TARGET, TO_PROBABILITIES),
        Misconception("minus_the_number", sparse_back(minus_the_number),
                      "Class 7 is not seven times as true as class 1. What should be compared with P, and in which shape?",
                      "the class number itself were subtracted from the probabilities", "Class numbers instead of one-hot rows"),
        Misconception("softmax_included", sparse_back(sparse_in_scores),
                      "Who will multiply by the Jacobian of the softmax: this function, or the backward of the softmax? "
                      "What if both do?",
                      "it were the gradient with respect to the scores, the softmax's Jacobian built in", TO_SCORES),
        Misconception("divides_by_zero", sparse_back(sparse_unguarded), "What is 0 / 0 on paper, and in NumPy?",
                      "it were divided by probabilities of 0", TO_PROBABILITIES),
        Misconception("not_divided_by_p", sparse_back(sparse_not_divided_by_p),
                      "Which is steeper, -log p near p = 0.01 or near p = 0.9?",
                      "the slope of the logarithm were 1 everywhere", TO_PROBABILITIES),
        Misconception("columns_of_all", columns_of_all,
                      "In a row whose class is 2, how many entries of your answer are not zero?",
                      "every row got a slope at the class numbers of all rows", "Class numbers instead of one-hot rows"),
        Misconception("only_the_picked", only_the_picked,
                      "The gradient says for every entry of P what moving it does. How many entries has P, how many has "
                      "your answer?",
                      "only the picked probabilities had a gradient", TO_PROBABILITIES),
    ],
    variants=[
        Variant("put_along_axis", put_along_axis),
        Variant("loop", sparse_loop),
        Variant("one_hot", sparse_back(through_one_hot)),
        Variant("grid", through_grid),
    ],
    hints=[
        Hint("Each row of the answer has a single entry that is not zero. Where does it stand, and how large is it?"),
        Hint("Look at \"Class numbers instead of one-hot rows\": what reads one entry of each row has a twin that writes "
             "one. Mind that g and scale have the shape of y, one axis less than the answer."),
        Hint("A worked sibling, a 1 written into the largest entry of each row:\n\n"
             "    out = np.zeros_like(P)\n    k = np.argmax(P, axis=-1)[..., None]\n"
             "    np.put_along_axis(out, k, 1.0, axis=-1)"),
        Hint("    out = zeros like P\n    p = the true class's probability in each row, at least 1e-30\n"
             "    write -g * scale / p into the true class's place of each row\n    return out"),
    ],
    not_bugs=NOT_HERE,
)  # fmt: skip


# ------------------------------------------------------------------------------------------- dL/dz of bce_with_logits
def p_minus_t(cache):
    return cache["p"] - cache["t"]


def sigmoid_slope_again(cache):
    return (cache["p"] - cache["t"]) * cache["p"] * (1 - cache["p"])


def stops_at_p(cache):
    p, t = cache["p"], cache["t"]
    return (1 - t) / floored(1 - p) - t / floored(p)


def yes_only(cache):
    return -cache["t"] * (1 - cache["p"])


def no_target(cache):
    return cache["p"]


def bce_back(slope, chain=chained):
    def answer(g, cache):
        return chain(g, slope(cache), cache)

    return answer


def bce_loop(g, cache):
    p, t = cache["p"], cache["t"]
    G, scale = np.broadcast_to(g, p.shape), np.broadcast_to(cache["scale"], p.shape)
    out = np.zeros_like(p)
    for i in np.ndindex(*p.shape):
        out[i] = G[i] * scale[i] * (p[i] - t[i])
    return out


def both_cases(cache):
    p, t = cache["p"], cache["t"]
    return (1 - t) * p - t * (1 - p)


def bce_in_place(g, cache):
    out = cache["p"].copy()
    out -= cache["t"]
    out *= cache["scale"]
    out *= g
    return out


def bce_cache(rng, shape, dtype=float, **options):
    z, t = rng.normal(size=shape) * 2, draw.chances(rng, shape)
    t = np.where(draw.mask(rng, shape) > 0, draw.yes_or_no(rng, shape), t)
    return bce_with_logits_forward(z.astype(dtype), t.astype(dtype), **options)[1]


def bce_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=bce_cache(rng, shape, **options))


bce_gradient = Exercise(
    reference=bce_with_logits_backward,
    chapter=CHAPTER,
    title="Gradient of binary cross-entropy from scores",
    task=f"""
    Return dL/dz, the gradient of what comes after `bce_with_logits` with respect to the scores z: an array of z's shape.
    `cache` is a dict from the forward:

    - `"p"` and `"t"`, the probabilities sigmoid(z) and the targets
    {SCALE.format("z")}
    """,
    example='bce_with_logits_backward(3.0, {"p": np.array([0.5, 0.9, 0.2]), "t": np.array([1.0, 1.0, 0.0]), "scale": 0.5})'
    ".round(4)  # [-0.75 -0.15  0.3 ]",
    difficulty=2,
    minutes=10,
    axes=BACK_AXES,
    groups=[
        Group("values", 2, lambda rng: [*plain_calls(rng, bce_call), bce_call(rng, draw.sizes(rng, 1))],
              "One loss of the batch, hard and soft targets.", CLOSE),
        Group("scale", 1, lambda rng: weighed_calls(rng, bce_call), "Masks, weights, other divisors.", CLOSE),
        Group("unreduced", 1, lambda rng: unreduced_calls(rng, bce_cache), "reduction=\"none\".", CLOSE),
        Group("float32", 1, lambda rng: single_calls(rng, bce_call), "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        *chain_misconceptions(lambda chain: bce_back(p_minus_t, chain), TO_SCORES),
        Misconception("sigmoid_slope_again", bce_back(sigmoid_slope_again),
                      "A firm score on the wrong side: should the pull be large or vanish? What is p (1 - p) there?",
                      "the derivative of the sigmoid were multiplied in a second time", TO_SCORES),
        Misconception("stops_at_p", bce_back(stops_at_p),
                      "Your slope says how the loss changes with p. How does p change with z?",
                      "it were the gradient with respect to the probability", TO_SCORES),
        Misconception("yes_only", bce_back(yes_only),
                      "The answer is no and p = 0.9. In which direction should the score move? What is your slope there?",
                      "only the entries whose answer is yes counted", "Several labels at once"),
        Misconception("no_target", bce_back(no_target),
                      "Same score, opposite answers: can the gradient be the same?",
                      "the answer were always no", TO_SCORES),
    ],
    variants=[
        Variant("loop", bce_loop),
        Variant("both_cases", bce_back(both_cases)),
        Variant("in_place", bce_in_place),
    ],
    hints=[
        Hint("Two slopes are multiplied: that of the loss in p, and that of p in z. A lot cancels."),
        Hint("Look at \"Gradients with respect to scores\", and do the case t = 1 on paper: -log p, where p is the sigmoid "
             "of z and its derivative is p (1 - p)."),
        Hint("A worked sibling, the squared error of the sigmoid, (p - t)²:\n\n"
             '    p, t = cache["p"], cache["t"]\n    slope = 2 * (p - t) * p * (1 - p)'),
        Hint("    slope_in_p = -t / p + (1 - t) / (1 - p)\n    slope = slope_in_p * p * (1 - p), multiplied out\n"
             "    return g * scale * slope"),
    ],
    not_bugs=NOT_HERE | {
        "(P−T) without one-hot": "the targets are zeros and ones already; nothing is to be made one-hot",
    },
)  # fmt: skip


# ------------------------------------------------------------------------------------- dL/dz of softmax_cross_entropy
def through_softmax(a, cache):
    return cache["p"] * np.sum(a, axis=-1, keepdims=True) - a


def softmax_back(chain, after=through_softmax):
    """`chain` says what of g and scale multiplies the targets, `after` what becomes of these products."""

    def answer(g, cache):
        return after(chain(g, cache["T"], cache), cache)

    return answer


def every_class_weighed(g, cache):
    return g * cache["scale"] * (cache["p"] - cache["T"])


def minus_class_number(g, cache):
    return g * cache["scale"] * (cache["p"] - np.argmax(cache["T"], axis=-1)[..., None])


def jacobian_twice(g, cache):
    p, d = cache["p"], through_softmax(g * cache["scale"] * cache["T"], cache)
    return p * (d - np.sum(p * d, axis=-1, keepdims=True))


def stops_at_probabilities(a, cache):
    return -a / floored(cache["p"])


def diagonal_only(a, cache):
    return -a * (1 - cache["p"])


def no_class(g, cache):
    return np.sum(g * cache["scale"] * cache["T"], axis=-1, keepdims=True) * cache["p"]


def full_jacobian(g, cache):
    """dL/dp through the Jacobian diag(p) - p p', row by row."""
    p, a = cache["p"], g * cache["scale"] * cache["T"]
    slope = -a / floored(p)
    J = np.einsum("...i,ij->...ij", p, np.eye(p.shape[-1], dtype=p.dtype)) - np.einsum("...i,...j->...ij", p, p)
    return np.einsum("...ij,...j->...i", J, slope)


def row_by_row(g, cache):
    p, T = cache["p"], cache["T"]
    A = np.broadcast_to(np.asarray(g * cache["scale"], dtype=p.dtype), p.shape)
    out = np.zeros_like(p)
    for n in np.ndindex(*p.shape[:-1]):
        for k in range(p.shape[-1]):
            out[n] += A[n][k] * T[n][k] * p[n]
            out[n][k] -= A[n][k] * T[n][k]
    return out


def in_place(g, cache):
    a = cache["T"] * cache["scale"]
    a *= g
    out = cache["p"] * a.sum(axis=-1)[..., None]
    out -= a
    return out


def softmax_cache(rng, shape, dtype=float, soft=False, **options):
    z, T = rng.normal(size=shape) * 2, (draw.probabilities if soft else draw.one_hot)(rng, shape)
    return softmax_cross_entropy_forward(z.astype(dtype), T.astype(dtype), **options)[1]


def softmax_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=softmax_cache(rng, shape, **options))


def softmax_scaled(rng):
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        softmax_call(rng, a, mask=draw.mask(rng, a[:2])),
        softmax_call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        softmax_call(rng, b, normalization="all-elements"),
        softmax_call(rng, b, soft=True, normalization="none"),
    ]


def softmax_weighed(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)
    return [
        softmax_call(rng, a, weights=draw.weights(rng, a[-1:])),
        softmax_call(rng, b, weights=draw.weights(rng, b[-1:]), mask=draw.mask(rng, b[:2])),
        softmax_call(rng, a, soft=True, weights=draw.weights(rng, a[-1:])),
        *unreduced_calls(rng, softmax_cache),
    ]


softmax_gradient = Exercise(
    reference=softmax_cross_entropy_backward,
    chapter=CHAPTER,
    title="Gradient of cross-entropy from scores",
    task=f"""
    Return dL/dz, the gradient of what comes after `softmax_cross_entropy` with respect to the scores z: an array of z's
    shape. `cache` is a dict from the forward:

    - `"p"` and `"T"`, the probabilities softmax(z) and the targets, whose rows sum to 1
    {SCALE.format("z")} Where g or scale differs from class to class, it belongs to that class's *term* of the loss; the
    term depends on all scores of its row.
    """,
    example='softmax_cross_entropy_backward(3.0, {"p": np.array([[0.5, 0.3, 0.2]]), "T": np.array([[0.0, 0.0, 1.0]]), '
    '"scale": 0.5}).round(4)  # [[ 0.75  0.45 -1.2 ]]',
    difficulty=4,
    minutes=20,
    axes=BACK_AXES,
    groups=[
        Group("values", 2, lambda rng: [*plain_calls(rng, softmax_call), softmax_call(rng, (5, 3), soft=True)],
              "One loss of the batch, one-hot and soft targets.", CLOSE),
        Group("scale", 1, softmax_scaled, "Masks and other divisors.", CLOSE),
        Group("terms", 2, softmax_weighed, "Class weights, and a g with an entry for every term.", CLOSE),
        Group("float32", 1, lambda rng: single_calls(rng, softmax_call), "float32 in, float32 out.", CLOSE,
              exact_dtype=True),
    ],
    misconceptions=[
        *chain_misconceptions(softmax_back, TO_SCORES),
        Misconception("every_class_weighed", every_class_weighed,
                      "The true class of a row has weight 3, the others have 1. Which weights does the *loss* of that row "
                      "contain? Which does your gradient?",
                      "every entry of a row were multiplied by the weight of its own class", "Class weights"),
        Misconception("minus_class_number", minus_class_number,
                      "Class 7 is not seven times as true as class 1. What should be subtracted from p, and in which shape?",
                      "the class number and not the one-hot row were subtracted", TO_SCORES),
        Misconception("jacobian_twice", jacobian_twice,
                      "A sure and wrong answer: should the pull be large or vanish? What does a second Jacobian do to it?",
                      "the Jacobian of the softmax were multiplied in a second time", TO_SCORES),
        Misconception("stops_at_p", softmax_back(chained, stops_at_probabilities),
                      "Your slope says how the loss changes with p. How do the p's change with z?",
                      "it were the gradient with respect to the probabilities", TO_SCORES),
        Misconception("diagonal_only", softmax_back(chained, diagonal_only),
                      "Raise the score of a wrong class alone. Does the probability of the true class stay the same?",
                      "only the score of the true class mattered", TO_SCORES),
        Misconception("no_target", no_class,
                      "Where p equals T, nothing is left to learn. What is your gradient there?",
                      "the targets were not subtracted", TO_SCORES),
    ],
    variants=[
        Variant("full_jacobian", full_jacobian),
        Variant("row_by_row", row_by_row),
        Variant("in_place", in_place),
    ],
    hints=[
        Hint("Begin with one row, one-hot, without weights: the answer is as simple as for bce_with_logits. Then let each "
             "term of the row have a factor of its own."),
        Hint("Look at \"Gradients with respect to scores\". One term is -a_k log p_k. Its gradient in all scores of the row "
             "is known; sum over k."),
        Hint("A worked sibling, the backward of the softmax alone:\n\n"
             "    def softmax_backward(g, cache):\n        p = cache[\"p\"]\n"
             "        return p * (g - np.sum(g * p, axis=-1, keepdims=True))"),
        Hint("    a = g * scale * T, the factor of each term\n"
             "    from each score: p times the sum of the row's a, minus its own a"),
    ],
    not_bugs=NOT_HERE,
)  # fmt: skip

EXERCISES = [cross_entropy_gradient, sparse_gradient, bce_gradient, softmax_gradient]
