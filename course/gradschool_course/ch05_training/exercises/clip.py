"""clip_by_value, clip_by_norm, clip_by_global_norm: three ways to cut gradients that are too long."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import clip_wrong as wrong
from .clip_wrong import each, length, together
from .common import CHAPTER, CLIP, sizes

NEAR = Tolerance(rtol=1e-12, atol=1e-14, per="entry")  # a clipped entry may be a thousandth of the largest
TREE = """`grads` is a dict of arrays of any shape, `limit` a positive number. Return a new dict with new arrays of the
    same names and shapes; what came in is not changed."""


IN_PLACE = (
    "Print the gradients that you were given after the call. Are they what they were?",
    "grads were yours to change",
)
ALWAYS = ("A gradient is shorter than the limit. Should it grow?", "short gradients were stretched to the limit")
NAN = ("What does your function make of an array of zeros?", "no gradient were ever zero")
EPSILON = ("How long is a clipped gradient of yours, to the last digit?", "1e-6 were added to the norm")
SQUARE = ("How long is (3, 4)? Which number do you compare with the limit?", "the square of the length were the length")
COMPARED = ("A gradient of length 2, and a limit of 3: is it too long? Which two numbers do you compare?",
            "the square of the length were compared with the limit")  # fmt: skip
LIMIT = ("After clipping, how long is your gradient if the limit is 5?", "the limit were 1")
MULTIPLIED = ("After clipping, is your gradient as long as the limit?", "one had only to multiply by the limit")
SUBTRACTED = ("A gradient of length 10, and a limit of 4: how long is yours afterwards?",
              "the length were made smaller by the limit")  # fmt: skip
ZEROED = ("Clipped is not deleted. What is left of a long gradient of yours?", "gradients that are too long were zero")


def said(name, wrong, words, **options):
    return Misconception(name, wrong, words[0], words[1], CLIP, **options)


# ---------------------------------------------------------------------------------------------------- how it is probed
def grads(rng, *norms):
    """Arrays of different shapes with these lengths."""
    shapes = [sizes(rng, 2), sizes(rng, 1), sizes(rng, 3)]
    found = {}
    for name, shape, norm in zip(("W", "b", "K"), shapes, norms, strict=False):
        g = rng.normal(size=shape)
        found[name] = g * (norm / length(g))
    return found


def limit(rng):
    return float(rng.uniform(1.5, 4.0))


def small_limit(rng):
    return float(rng.uniform(0.3, 0.6))


def long_ones(rng):
    by = limit(rng)
    return [
        Call(grads=grads(rng, 5 * by, 9 * by, 3 * by), limit=by),
        Call(grads={"b": np.array([-7.0 * by])}, limit=by),
    ]


def hardly_long(rng, lengths):
    """Just above a limit; with the square of the length, or with its root, one would come to the other decision."""
    by, below_one = limit(rng), small_limit(rng)
    return [
        Call(grads=grads(rng, *lengths(rng, by, 1.5)), limit=by),
        Call(grads=grads(rng, *lengths(rng, below_one, 0.75)), limit=below_one),
    ]


def hardly_short(rng, lengths):
    """Just below a limit, and likewise."""
    by, below_one = limit(rng), small_limit(rng)
    return [
        Call(grads=grads(rng, *lengths(rng, by, 0.75)), limit=by),
        Call(grads=grads(rng, *lengths(rng, below_one, 1.5)), limit=below_one),
    ]


def each_about(rng, by, power):
    """Lengths between `by` and its root, or its square."""
    return by ** (power * rng.uniform(0.9, 1.1, size=3))


def together_about(rng, by, power):
    """Lengths of three arrays that are so long together."""
    shares = rng.permutation([0.60, 0.64, 0.48])  # a vector of length 1
    return by**power * shares


def mixed(rng):
    """Long and short arrays; all together they are too long."""
    calls = []
    for _ in range(2):
        by = limit(rng)
        calls.append(Call(grads=grads(rng, by**0.75, 4 * by, 0.5 * by), limit=by))
    return calls


def long_together(rng):
    """No array is too long, but all of them are."""
    by = limit(rng)
    return [Call(grads=grads(rng, 0.8 * by, 0.7 * by, 0.9 * by), limit=by)]


def short_ones(rng):
    """Nothing is too long but the last: zeros, and a length that is exactly the limit."""
    by = limit(rng)
    exact = {"W": np.array([[3.0, 0.0, -4.0]])}
    zeros = {"W": np.zeros((3, 4)), "b": np.zeros(5)}
    return [
        Call(grads=grads(rng, 0.3 * by, 0.5 * by, 0.1 * by), limit=by),
        Call(grads=exact, limit=5.0),
        Call(grads=zeros, limit=by),
        Call(grads={"W": rng.normal(size=(3, 5)), "b": np.zeros(4)}, limit=50.0),
        Call(grads={"W": grads(rng, 1.1 * by)["W"], "b": np.zeros(6)}, limit=by),
    ]


def entries(rng):
    """Entries on both sides of both limits."""
    by = limit(rng)
    return [
        Call(
            grads={
                "W": rng.normal(size=(7, 6)) * 2 * by,
                "b": rng.normal(size=9) * 2 * by,
                "K": rng.normal(size=(4, 3, 5)) * 2 * by,
            },
            limit=by,
        ),
        Call(grads={"W": rng.normal(size=(1, 30)) * 2 * by}, limit=0.3 * by),
    ]


def small_entries(rng):
    by = limit(rng)
    return [
        Call(grads={"W": rng.uniform(-by, by, (7, 6)), "b": np.zeros(5)}, limit=by),
        Call(grads={"W": np.array([[by, -by, 0.5 * by, 1.01 * by, -1.01 * by]])}, limit=by),
    ]


# ------------------------------------------------------------------------------------------------------- the exercises
BY_VALUE = Exercise(
    reference=clip_by_value,
    chapter=CHAPTER,
    title="Cut every number",
    difficulty=1,
    minutes=5,
    task=f"""
    Bring every number of every array into the range from −limit to limit; numbers inside stay what they are. The
    direction of the gradient may change by that.

    {TREE}
    """,
    example='clip_by_value({"W": np.array([0.9, 100.0])}, 1.0)["W"]  # [0.9 1. ]',
    groups=[
        Group("cut", 2, entries, "Entries inside and outside the range, of both signs.", NEAR),
        Group("ends", 1, small_entries, "Numbers inside the range, at its ends and just outside.", NEAR),
    ],
    misconceptions=[
        said("in_place", wrong.in_place(clip_by_value), IN_PLACE),
        said("upper_end_alone", each(wrong.upper_end_alone),
             ("What becomes of −100?", "only numbers that are too large were cut")),
        said("sizes_alone", each(wrong.sizes_alone), ("Which sign has −0.5 afterwards?", "signs did not matter")),
        said("cut_to_zero", each(wrong.cut_to_zero),
             ("What becomes of 100: the limit, or nothing?", "what is too large were deleted")),
        said("signs", each(wrong.signs), ("What becomes of a small number?", "all numbers were as large as the limit")),
        said("at_one", each(wrong.at_one), ("Where do you use `limit`?", "the limit were 1")),
        said("from_zero", each(wrong.from_zero), ("Are negative gradients allowed?", "the range began at 0")),
        said("direction_kept", wrong.scaled_to_limit,
             ("You divide all by one number, so that the direction stays. Does the task want it to?",
              "the direction had to stay")),
        said("largest_to_limit", each(wrong.largest_to_limit),
             ("You divide an array by one number, so that its direction stays. Does the task want it to?",
              "each array had to keep its direction: its largest number becomes the limit")),
        said("by_norm", clip_by_norm,
             ("(3, 3, 3) is longer than 4. Is one of its numbers too large?", "the length of an array were limited")),
    ],
    variants=[
        Variant("minimum and maximum", each(lambda g, limit: np.maximum(np.minimum(g, limit), -limit))),
        Variant("where", each(lambda g, limit: np.where(g > limit, limit, np.where(g < -limit, -limit, g)))),
        Variant("size and sign", each(lambda g, limit: np.copysign(np.minimum(np.abs(g), limit), g) + 0.0)),
    ],
    hints=[
        Hint("Each number on its own: which numbers change, and into what?"),
        Hint('Look at "Gradients that are too long": the first of three ways.'),
        Hint("A worked sibling, marks of at most 100: `{name: np.minimum(m, 100) for name, m in marks.items()}`."),
        Hint("    for every name and array: the array, but not below −limit and not above limit"),
    ],
    not_bugs={
        "changes direction for value": "That is what clipping by value does, and the task says so; the opposite, a "
        "factor that keeps the direction, is the mistake `direction_kept`.",
    },
)  # fmt: skip

BY_NORM = Exercise(
    reference=clip_by_norm,
    chapter=CHAPTER,
    title="Shorten every array",
    difficulty=2,
    minutes=8,
    task=f"""
    Look at each array on its own. If its Euclidean norm, over all of its entries, is above the limit, scale it so that
    its norm is the limit and its direction stays; else its numbers stay what they are.

    {TREE}
    """,
    example='clip_by_norm({"W": np.array([0.9, 100.0])}, 1.0)["W"].round(6)  # [0.009   0.99996]',
    groups=[
        Group("long", 1, lambda rng: [*long_ones(rng), *hardly_long(rng, each_about)],
              "Every array is too long.", NEAR),
        Group("mixed", 1, mixed, "Some arrays are too long.", NEAR),
        Group("short", 1, lambda rng: [*short_ones(rng), *long_together(rng), *hardly_short(rng, each_about)],
              "Arrays that are not too long, with zeros among them, and one that hardly is.", NEAR),
    ],
    equivalent={"14169714eda4": "At the limit itself the factor is 1."},
    misconceptions=[
        said("in_place", wrong.in_place(clip_by_norm), IN_PLACE),
        said("scales_up", wrong.one_array(wrong.always), ALWAYS),
        said("nan_for_zeros", each(wrong.zero_over_zero), NAN),
        said("with_epsilon", wrong.one_array(wrong.with_epsilon), EPSILON),
        said("squared_length", wrong.one_array(wrong.square_root_forgotten), SQUARE),
        said("square_compared", wrong.one_array(wrong.square_compared), COMPARED),
        said("limit_of_one", wrong.one_array(wrong.divided_by_norm), LIMIT),
        said("times_limit", wrong.one_array(wrong.multiplied_by_limit), MULTIPLIED),
        said("subtracted", wrong.one_array(wrong.subtracted), SUBTRACTED),
        said("zeroed", wrong.one_array(wrong.zeroed), ZEROED),
        said("one_factor_for_all", clip_by_global_norm,
             ("An array is short, another long. Does yours shorten both?", "all arrays were one vector"),
             published="Keras' `global_clipnorm`"),
        said("by_value", clip_by_value,
             ("(3, 4) with limit 2: does yours still point the same way?", "every number were limited on its own")),
        said("per_column", each(wrong.per_column),
             ("Is it the norm of a column that may not be too large, or of all entries of the array?",
              "every column were an array of its own")),
        said("sum_of_sizes", each(wrong.sum_of_sizes),
             ("How long is (3, 4): 5 or 7?", "the length were the sum of the sizes")),
        said("largest_entry", each(wrong.largest_entry),
             ("How long is (3, 4): 5 or 4?", "the length were the largest entry")),
        said("spectral", each(wrong.spectral),
             ("The identity of two rows has four entries, two of them 1. Which number is its `np.linalg.norm(_, 2)`?",
              "the length of a matrix were its largest singular value")),
        said("mean_square", each(wrong.mean_square),
             ("Is an array longer if it has more entries of the same size? Is yours?",
              "the length were the root of the *mean* of squares")),
    ],
    variants=[
        Variant("np.linalg.norm", each(lambda g, limit: g * min(1.0, limit / max(np.linalg.norm(g.ravel()), 1e-300)))),
        Variant("largest of both", each(lambda g, limit: g * limit / max(limit, np.sqrt(np.vdot(g, g))))),
        Variant("unit vector", each(lambda g, limit: g / length(g) * limit if length(g) > limit else g + 0.0)),
    ],
    hints=[
        Hint("A vector keeps its direction when multiplied by a number. By which, if its length shall be the limit?"),
        Hint('Look at "Gradients that are too long": the second of three ways.'),
        Hint("A worked sibling, prices so that their sum is at most the budget: "
             "`p * (budget / p.sum()) if p.sum() > budget else p.copy()`."),
        Hint("    for every name and array: norm = root of the sum of squares\n"
             "        if it is above the limit: array times limit over norm; else a copy"),
    ],
)  # fmt: skip

BY_GLOBAL_NORM = Exercise(
    reference=clip_by_global_norm,
    chapter=CHAPTER,
    title="Shorten all arrays together",
    difficulty=2,
    minutes=8,
    task=f"""
    Take all arrays together as one long vector. If its Euclidean norm is above the limit, scale *all* arrays by one
    factor, so that the norm of all of them together is the limit; else their numbers stay what they are.

    {TREE}
    """,
    example='clip_by_global_norm({"W": np.array([[3.0]]), "b": np.array([0.0, 4.0])}, 2.5)["b"]  # [0. 2.]',
    groups=[
        Group("long", 1, lambda rng: [*long_ones(rng), *long_together(rng), *hardly_long(rng, together_about)],
              "Together the arrays are too long; in one case none of them is alone.", NEAR),
        Group("mixed", 1, mixed, "Some arrays are too long, and all are shortened.", NEAR),
        Group("short", 1, lambda rng: [*short_ones(rng), *hardly_short(rng, together_about)],
              "Arrays that are not too long together, zeros, and some that hardly are.", NEAR),
    ],
    equivalent={"6bba1b174dce": "At the limit itself the factor is 1."},
    misconceptions=[
        said("in_place", wrong.in_place(clip_by_global_norm), IN_PLACE),
        said("scales_up", together(wrong.always), ALWAYS),
        said("nan_for_zeros", wrong.zero_over_zero_of_all, NAN),
        said("with_epsilon", together(wrong.with_epsilon), EPSILON, published="PyTorch's `clip_grad_norm_`"),
        said("squared_length", together(wrong.square_root_forgotten), SQUARE),
        said("square_compared", together(wrong.square_compared), COMPARED),
        said("limit_of_one", together(wrong.divided_by_norm), LIMIT),
        said("times_limit", together(wrong.multiplied_by_limit), MULTIPLIED),
        said("subtracted", together(wrong.subtracted), SUBTRACTED),
        said("zeroed", together(wrong.zeroed), ZEROED),
        said("each_array_alone", clip_by_norm,
             ("Two arrays, each a little shorter than the limit: how long are they together?",
              "every array had a limit of its own"),
             published="Keras' `clipnorm`"),
        said("by_value", clip_by_value,
             ("Does your gradient still point the same way?", "every number were limited on its own")),
        said("sum_of_norms", wrong.sum_of_norms,
             ("Two arrays of length 3 and 4 that are one vector: is its length 7?", "norms could be added up")),
        said("root_of_norms", wrong.root_of_norms,
             ("Two arrays of length 3 and 4 that are one vector: is its length the root of 7?",
              "the root were taken of a sum of lengths, and not of squares")),
        said("longest_array", wrong.longest_array,
             ("Two arrays of length 3 and 4 that are one vector: is its length 4?",
              "the longest array were as long as all together")),
        said("mean_over_arrays", wrong.mean_over_arrays,
             ("Three arrays of length 5 are one vector: is it 5 long?",
              "the length were the root of the *mean* over the arrays")),
        said("biases_not_counted", wrong.biases_not_counted,
             ("Which arrays are in your norm, those with a single axis, too?",
              "arrays of one axis did not count for the norm")),
        said("biases_left_out", wrong.biases_left_out,
             ("Which arrays are in your norm, and which are shortened?", "arrays of one axis were none of the vector")),
        said("short_ones_left_alone", wrong.global_factor_where_long,
             ("Is every array multiplied by the same number?", "arrays that are short on their own were left alone")),
        said("norm_so_far", wrong.growing_norm,
             ("Of which arrays is the norm by which you divide the first one?",
              "the norm were known before all arrays had been seen")),
    ],
    variants=[
        Variant("one long vector", together(lambda norm, limit: limit / max(norm, limit))),
        Variant("norm of norms", lambda grads, limit: {
            name: g * min(1.0, limit / max(1e-300, *np.sqrt([sum(float((a * a).sum()) for a in grads.values())])))
            for name, g in grads.items()
        }),
        Variant("concatenated", lambda grads, limit: {
            name: g / max(1.0, np.linalg.norm(np.concatenate([a.ravel() for a in grads.values()])) / limit)
            for name, g in grads.items()
        }),
    ],
    hints=[
        Hint("One vector has one length, and one factor. Of what is that length, if the vector is spread over arrays?"),
        Hint('Look at "Gradients that are too long": the third of three ways.'),
        Hint("A worked sibling, several lists whose sum may be at most a budget: first the sum over all lists, "
             "then one factor for all."),
        Hint("    norm = root of the sum, over all arrays, of their sums of squares\n"
             "    factor = limit over norm if that is below 1, else 1; every array times factor"),
    ],
)  # fmt: skip

EXERCISES = [BY_VALUE, BY_NORM, BY_GLOBAL_NORM]
