"""cross_entropy: how surprised a model is by what is true, from its probabilities."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import draw, equivalent
from .frame import FRAME, frame_misconceptions, matching, right, size, spread, total, weighed
from .regression import CHAPTER

SURPRISE = "Cross-entropy is surprise"
ZEROS = "Probabilities of zero"
CLASS_WEIGHTS = "Class weights"
SEVERAL = "Several labels at once"
LABELS = "Class numbers instead of one-hot rows"


# ---------------------------------------------------------------------------------------------------- single elements
def minus_log(P, floor=1e-30):
    return -np.log(np.maximum(P, floor))


def surprise(P, T, mode):
    terms = T * minus_log(P)
    return terms + (1 - T) * minus_log(1 - P) if mode == "multilabel" else terms


def log_of_zero(P, T, mode):
    terms = -T * np.log(P)
    return terms - (1 - T) * np.log(1 - P) if mode == "multilabel" else terms


def clipped_after_log(P, T, mode):
    terms = -T * np.maximum(np.log(P), 1e-7)
    return terms - (1 - T) * np.maximum(np.log(1 - P), 1e-7) if mode == "multilabel" else terms


def clipped_at_1e7(P, T, mode):
    return surprise(np.clip(P, 1e-7, 1 - 1e-7), T, mode)


def softmax_twice(P, T, mode):
    return surprise(draw.softmax(P), T, mode)


def in_bits(P, T, mode):
    return surprise(P, T, mode) / np.log(2)


def without_the_negatives(P, T, mode):
    return surprise(P, T, "single-label")


def always_multilabel(P, T, mode):
    return surprise(P, T, "multilabel")


def integer_terms(P, T, mode):
    terms = np.zeros_like(T)
    terms[...] = surprise(P, T, mode)
    return terms


def without_minus(P, T, mode):
    return -surprise(P, T, mode)


# ------------------------------------------------------------------------------------------------------- wrong frames
def weighted_by_prediction(ell, P, T, reduction, normalization, mask, weights):
    if weights is not None:
        weights = weights[np.argmax(P, axis=-1)][..., None]
    return right(ell, P, T, reduction, normalization, mask, weights)


def weights_in_the_logarithm(ell, P, T, reduction, normalization, mask, weights):
    """-log(w p) in the place of -w log p."""
    inside = P if weights is None else P * np.asarray(weights, P.dtype)
    return right(ell, inside, T, reduction, normalization, mask, None)


def one_weight_a_row(ell, P, T, reduction, normalization, mask, weights):
    if weights is not None:
        weights = weights[np.argmax(T, axis=-1)][..., None]
    return right(ell, P, T, reduction, normalization, mask, weights)


def divides_by_weights(ell, P, T, reduction, normalization, mask, weights):
    matching(P, T)
    Z = size(P, normalization, mask)
    if weights is not None and normalization == "batch-size":
        Z = np.sum(weighed(T, mask, weights))
    return total(weighed(ell(P, T), mask, weights), reduction, Z)


def cross_entropy_with(ell, frame=right):
    def answer(P, T, mode="single-label", weights=None, reduction="sum", normalization="batch-size", mask=None):
        return frame(lambda A, B: ell(A, B, mode), P, T, reduction, normalization, mask, weights)

    return answer


def weights_for_yes_alone(
    P, T, mode="single-label", weights=None, reduction="sum", normalization="batch-size", mask=None
):
    W = 1.0 if weights is None else weights

    def ell(A, B):
        return W * B * minus_log(A) + ((1 - B) * minus_log(1 - A) if mode == "multilabel" else 0.0)

    return right(ell, P, T, reduction, normalization, mask, None)


# ---------------------------------------------------------------------------------------------------------- right ways
def by_rows(P, T, mode="single-label", weights=None, reduction="sum", normalization="batch-size", mask=None):
    """Row by row, class by class."""
    terms = np.zeros(P.shape)
    M = np.broadcast_to(spread(mask, P), P.shape)
    for index in np.ndindex(*P.shape):
        p, t = float(P[index]), float(T[index])
        term = -t * np.log(max(p, 1e-30))
        if mode == "multilabel":
            term -= (1 - t) * np.log(max(1 - p, 1e-30))
        terms[index] = M[index] * term * (1.0 if weights is None else weights[index[-1]])
    return terms if reduction == "none" else terms.sum() / size(P, normalization, mask)


def zero_where_target_is_zero(P, T, mode):
    """No logarithm at all where the target is zero."""
    terms = np.zeros(np.shape(P))
    np.log(np.maximum(P, 1e-30), out=terms, where=T > 0)
    terms = -T * terms
    if mode == "multilabel":
        others = np.zeros(np.shape(P))
        np.log(np.maximum(1 - P, 1e-30), out=others, where=T < 1)
        terms = terms - (1 - T) * others
    return terms


def tiny_added(P, T, mode):
    terms = -(T * np.log(P + 1e-30))
    return terms - (1 - T) * np.log(1 - P + 1e-30) if mode == "multilabel" else terms


def as_one_product(P, T, mode="single-label", weights=None, reduction="sum", normalization="batch-size", mask=None):
    """einsum over mask, weights, targets and logarithms."""
    if mode == "multilabel" or reduction == "none":
        return cross_entropy_with(surprise)(P, T, mode, weights, reduction, normalization, mask)
    M, T, terms = (
        np.reshape(np.broadcast_to(a, P.shape), (-1, P.shape[-1])) for a in (spread(mask, P), T, minus_log(P))
    )
    W = np.ones(P.shape[-1]) if weights is None else weights
    return np.float64(np.einsum("nc,nc,nc,c->", M, T, terms, W) / size(P, normalization, mask))


# -------------------------------------------------------------------------------------------------------------- probes
CLOSE = Tolerance(rtol=1e-9, atol=1e-11)


def case(rng, shape, **options):
    return Call(P=draw.probabilities(rng, shape), T=draw.one_hot(rng, shape), **options)


def values(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 2)
    return [
        case(rng, a),
        case(rng, (1, 4)),
        Call(P=draw.probabilities(rng, b), T=draw.probabilities(rng, b)),
        Call(P=draw.probabilities(rng, b), T=draw.one_hot(rng, b).astype(int)),
        Call(P=draw.probabilities(rng, (5, 3)).astype(np.float32), T=draw.one_hot(rng, (5, 3)).astype(np.float32)),
    ]


def with_zeros(rng, shape):
    """Distributions with zeros in some places, never at the target's."""
    T = draw.one_hot(rng, shape)
    P = draw.probabilities(rng, shape) * (T + draw.mask(rng, shape) > 0)
    P[0] = T[0]
    return P / P.sum(axis=-1, keepdims=True), T


def nearly_impossible(rng, shape):
    """A true class of probability 0 or next to it."""
    T = draw.one_hot(rng, shape)
    P = draw.probabilities(rng, shape)
    P[0] = (1 - T[0]) / (shape[-1] - 1)
    P[1] = np.where(T[1] > 0, rng.uniform(1e-15, 1e-12), P[1])
    return P, T


def zeros(rng):
    (P, T), (Q, S) = with_zeros(rng, (6, 4)), nearly_impossible(rng, (5, 7))
    return [Call(P=P, T=T), Call(P=P, T=T, reduction="none"), Call(P=Q, T=S)]


def options(rng):
    a, b, c = draw.sizes(rng, 3), draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        case(rng, a),
        case(rng, c, reduction="none"),
        case(rng, a, normalization="all-elements"),
        case(rng, b, mask=draw.mask(rng, b[:2])),
        case(rng, b, mask=draw.mask(rng, b[:2]), normalization="mask-included"),
        case(rng, b, mask=np.zeros(b[:2]), normalization="mask-included"),
        case(rng, b, mask=draw.mask(rng, b[:1]).astype(int), normalization="mask-included"),
        case(rng, a, mask=draw.mask(rng, a[:1]), normalization="all-elements"),
        case(rng, c, normalization="none"),
    ]


def class_weights(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)
    return [
        case(rng, a, weights=draw.weights(rng, a[-1:]), mask=draw.mask(rng, a[:1])),
        case(rng, b, weights=draw.weights(rng, b[-1:]), normalization="all-elements"),
        case(rng, b, weights=draw.weights(rng, b[-1:]), mask=draw.mask(rng, b[:2]), normalization="mask-included"),
        case(rng, a, weights=draw.weights(rng, a[-1:]), reduction="none"),
        case(rng, a, weights=np.zeros(a[-1])),
        Call(P=draw.probabilities(rng, a), T=draw.probabilities(rng, a), weights=draw.weights(rng, a[-1:])),
    ]


def several_labels(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)

    def many(shape=a, **more):
        return Call(P=draw.chances(rng, shape), T=draw.yes_or_no(rng, shape), mode="multilabel", **more)

    def steps():
        yield many(b, mask=draw.mask(rng, b[:2]), normalization="mask-included")
        yield many(b, mask=draw.mask(rng, b[:1]), normalization="all-elements", weights=draw.weights(rng, b[-1:]))
        yield many(b, mask=draw.mask(rng, b[:2]), reduction="none")

    certain = Call(P=np.array([[0.0, 1.0, 0.25]]), T=np.array([[0.0, 1.0, 1.0]]), mode="multilabel")
    whole = Call(P=draw.chances(rng, a), T=draw.yes_or_no(rng, a).astype(int), mode="multilabel")
    return [many(), many(weights=draw.weights(rng, a[-1:])), many(reduction="none"), certain, whole, *steps()]


# --------------------------------------------------------------------------------------------------- words in common
OPTIONS = """
    - `weights` (C,) multiply the terms of their class: that of the true class counts, whatever is predicted
    - `reduction`, `normalization` and `mask` are those of the chapter's frame; the divisor is the batch size N unless
      `normalization` says otherwise, also with weights
    - the logarithm is the natural one; the loss is finite and nothing warns: a probability below 1e-30 counts as 1e-30
    - inputs stay unchanged; targets may be integers
"""


def soft_misconceptions(wrap):
    """What goes wrong where a target may be a distribution."""
    return [
        Misconception("one_weight_a_row", wrap(one_weight_a_row),
                      "A target says: 60 % cat, 40 % dog. Whose weight belongs to the term of the dog?",
                      "all terms of a row had the weight of the likeliest class", CLASS_WEIGHTS),
    ]  # fmt: skip


def class_misconceptions(wrap, average):
    """What goes wrong in every loss of class targets; `wrap` makes the function from a frame."""
    return [
        Misconception("averages_over_classes", wrap(average),
                      "A true class with p = 0.5 costs ln 2 among three classes. What should it cost among a thousand?",
                      "it averaged over the classes as well as over the observations", FRAME),
        Misconception("weighted_by_prediction", wrap(weighted_by_prediction),
                      "A rare class has a large weight so that missing it hurts. When the model misses it, which class "
                      "does it predict, and whose weight did you take?",
                      "the weight were that of the predicted class", CLASS_WEIGHTS),
        Misconception("divides_by_weights", wrap(divides_by_weights),
                      "Double all class weights: should the loss double, or stay as it is? Which of the two frameworks "
                      "of the chapter does yours follow?",
                      "the sum were divided by the weights of the true classes; asked for is N",
                      CLASS_WEIGHTS, published="PyTorch"),
        *frame_misconceptions(wrap, ["divides_by_n_t", "divides_by_last_axis", "ignores_normalization",
                                     "mask_not_in_divisor", "divides_by_no_ones", "mask_counted_per_entry",
                                     "mask_counted_per_step", "left_of_all", "ones_of_all", "removes_masked",
                                     "ignores_mask", "ignores_weights", "zero_weights_are_none", "always_one_number",
                                     "divides_the_terms"]),
    ]  # fmt: skip


LOGARITHM = {
    "log_of_zero": ("What is 0 times the logarithm of 0 on paper, and what is it in NumPy?",
                    "the logarithm of 0 were taken", ZEROS),
    "clipped_after_log": ("A logarithm of a probability lies between -infinity and 0. What does your clipping leave?",
                          "the logarithm were clipped where the probability should be", ZEROS),
    "clipped_at_1e7": ("How much does a model pay here that gave the truth one chance in 10¹²? And one in 10⁷?",
                       "probabilities were clipped at 1e-7, as Keras does it", ZEROS),
    "softmax_twice": ("The rows of P sum to 1 already. What does another softmax do to [0.98, 0.01, 0.01]?",
                      "the probabilities went through a softmax again", SURPRISE),
    "in_bits": ("How surprising is p = 1/e in nats? And in your unit?",
                "the logarithm were the one to base 2", SURPRISE),
    "integer_terms": ("Which dtype has np.zeros_like(T) when T holds integers? Where do the fractions go?",
                      "the terms were stored in an array of integers", LABELS),
    "without_minus": ("The logarithm of a probability is never positive. What sign should a loss have?",
                      "the minus sign were missing", SURPRISE),
}  # fmt: skip


def logarithm(name, wrong):
    hint, says, see = LOGARITHM[name]
    return Misconception(name, wrong, hint, says, see)


def averaging_everything(ell, P, T, reduction, normalization, mask, weights):
    matching(P, T)
    Z = P.size if normalization == "batch-size" else size(P, normalization, mask)
    return total(weighed(ell(P, T), mask, weights), reduction, Z)


ENTROPY_AXES = {"P": ("batch", "class"), "T": ("batch", "class")}

cross_entropy = Exercise(
    reference=gs.cross_entropy,
    chapter=CHAPTER,
    title="Cross-entropy of probabilities",
    task=f"""
    Return the cross-entropy of probabilities `P`, of shape (N, C) or (N, T, C), with targets `T` of the same shape.

    - `mode="single-label"`: each row of T is one-hot or a distribution over the classes
    - `mode="multilabel"`: each entry of T is 0 or 1 for itself, and both answers of each entry count
    {OPTIONS}""",
    example="cross_entropy(np.array([[0.7, 0.2, 0.1]]), np.array([[1, 0, 0]])).round(7)  # 0.3566749",
    difficulty=3,
    minutes=25,
    axes=ENTROPY_AXES,
    groups=[
        Group("values", 2, values, "One-hot and soft targets, also integers and a batch of one.", CLOSE),
        Group("zeros", 1, zeros, "Probabilities of zero, and true classes that seemed impossible.", CLOSE),
        Group("multilabel", 1, several_labels, 'Mode "multilabel": each entry is a question of its own.', CLOSE),
        Group("weights", 1, class_weights, "Class weights.", CLOSE),
        Group("options", 1, options, "Sequences, masks, `reduction` and `normalization`.", CLOSE),
    ],
    misconceptions=[
        logarithm("log_of_zero", cross_entropy_with(log_of_zero)),
        logarithm("clipped_after_log", cross_entropy_with(clipped_after_log)),
        logarithm("clipped_at_1e7", cross_entropy_with(clipped_at_1e7)),
        logarithm("softmax_twice", cross_entropy_with(softmax_twice)),
        logarithm("in_bits", cross_entropy_with(in_bits)),
        logarithm("integer_terms", cross_entropy_with(integer_terms)),
        logarithm("without_minus", cross_entropy_with(without_minus)),
        Misconception(
            "without_the_negatives",
            cross_entropy_with(without_the_negatives),
            "A label is absent and the model gave it 0.99. What does that cost in yours?",
            'in mode "multilabel" only the labels that are present counted',
            SEVERAL,
        ),
        Misconception(
            "always_multilabel",
            cross_entropy_with(always_multilabel),
            "With exclusive classes, does it matter how the wrong ones share what is left? In yours?",
            'the mode were always "multilabel"',
            SEVERAL,
        ),
        *class_misconceptions(lambda frame: cross_entropy_with(surprise, frame), averaging_everything),
        *soft_misconceptions(lambda frame: cross_entropy_with(surprise, frame)),
        Misconception(
            "weights_for_yes_alone",
            weights_for_yes_alone,
            "A label of a class with weight 3 is 0, and the model says 0.9. What does that cost?",
            "a class's weight belonged to its yes alone, and its no had none",
            CLASS_WEIGHTS,
            published="PyTorch's `pos_weight`",
        ),
        Misconception(
            "weights_in_the_logarithm",
            cross_entropy_with(surprise, weights_in_the_logarithm),
            "A class has the weight 10. Does missing it cost ten times as much, or ln 10 less?",
            "the weights multiplied the probabilities, inside the logarithm",
            CLASS_WEIGHTS,
        ),
    ],
    variants=[
        Variant("loop", by_rows),
        Variant("only_where_needed", cross_entropy_with(zero_where_target_is_zero)),
        Variant("tiny_added", cross_entropy_with(tiny_added)),
        Variant("einsum", as_one_product),
    ],
    equivalent=equivalent.FRAME | equivalent.CROSS_ENTROPY,
    hints=[
        Hint("Write the terms for one row on paper: of all classes, which one has a term that is not zero?"),
        Hint(
            'Look at "Cross-entropy is surprise" for the terms, at "Probabilities of zero" for what must happen '
            'before the logarithm, and at "Class weights" for what a weight multiplies.'
        ),
        Hint(
            "A worked sibling, the entropy of each row of P, safe at 0:\n\n"
            "    entropy = np.sum(P * -np.log(np.maximum(P, 1e-30)), axis=-1)"
        ),
        Hint(
            "    safe(P) = P, but at least 1e-30\n    terms = -(target) * log of safe(P)\n"
            "    if multilabel: add the same for the opposite answer, with 1 - target and 1 - P\n"
            "    the rest as in l1_loss"
        ),
    ],
    not_bugs={
        "sparse indexing `P[:,y]` gives (N,N)": "no class numbers come in; sparse_cross_entropy has the bug",
        "naive exp overflow": "no exponential is taken; the losses from scores have the bug",
    },
)
