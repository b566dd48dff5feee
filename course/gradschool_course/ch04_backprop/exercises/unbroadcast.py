"""unbroadcast: what NumPy copied on the way there is added on the way back."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.tape import unbroadcast
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, STRETCHED


# ------------------------------------------------------------------------------------------------- unbroadcast, wrong
def as_it_is(g, shape):
    return g.copy()


def mean_of_copies(g, shape):
    return unbroadcast(g, shape) * (np.prod(shape, dtype=int) / g.size)


def first_copy(g, shape):
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, n) for n in shape)].copy()


def leading_alone(g, shape):
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


def ones_alone(g, shape):
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return g.sum(axis=stretched, keepdims=True)


def ones_dropped(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1))


def lined_up_on_the_left(g, shape):
    g = g.sum(axis=tuple(range(len(shape), g.ndim)))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def all_or_nothing(g, shape):
    return g.copy() if g.shape == tuple(shape) else np.full(shape, g.sum())


def found_by_length(g, shape):
    """Sums over the axes whose length `shape` does not have, wherever it has it."""
    gone = tuple(i for i, n in enumerate(g.shape) if n not in shape)
    return g.sum(axis=gone).reshape(shape)


def copies_in_front(g, shape):
    """Read in order, as if all copies lay one behind another: right where axes were put in front."""
    return g.reshape(-1, *shape).sum(axis=0) if np.prod(shape, dtype=int) else np.zeros(shape)


def axes_shift(g, shape):
    """An axis is gone after its sum, and those behind it are still counted from where it was."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    for i, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=min(i, g.ndim - 1))
    return g.reshape(shape)


def judged_by_size(g, shape):
    """Nothing was stretched where the number of entries is the same."""
    return g if g.size == np.prod(shape, dtype=int) else unbroadcast(g, shape)


def one_axis(g, shape):
    """Sums away one leading axis, however many there are."""
    g = g.sum(axis=0) if g.ndim > len(shape) else g
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


# ------------------------------------------------------------------------------------------------- unbroadcast, right
def axis_by_axis(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for i, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=i, keepdims=True)
    return g


def padded(g, shape):
    wide = (1,) * (g.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (n, m) in enumerate(zip(wide, g.shape, strict=True)) if n != m)
    return g.sum(axis=axes).reshape(shape)


def entry_by_entry(g, shape):
    out = np.zeros(shape)
    for index in np.ndindex(*g.shape):
        mine = index[g.ndim - len(shape) :]
        out[tuple(i if n > 1 else 0 for i, n in zip(mine, shape, strict=True))] += g[index]
    return out


def by_adding_at(g, shape):
    where = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), g.shape)
    return np.bincount(where.ravel(), g.ravel(), minlength=int(np.prod(shape, dtype=int))).reshape(shape)


# ------------------------------------------------------------------------------------------ how unbroadcast is probed
def sized(rng, count):
    return [int(n) for n in rng.choice(np.arange(3, 9), count, replace=False)]


def call(rng, wide, shape):
    return Call(g=rng.normal(size=tuple(wide)), shape=tuple(shape))


def leading(rng):
    n, t, c = sized(rng, 3)
    all_lengths = [call(rng, (n, c), (c,)), call(rng, (n, t, c), (t, c)), call(rng, (n, t, c), (c,))]
    return [*all_lengths, call(rng, (n, c), ()), *told_by_place(rng, n, c)]


def told_by_place(rng, n, c):
    """Which axes were put in front is said by their number alone: their lengths say nothing where two are equal, and
    the number of entries says nothing where they are 1."""
    equal = [call(rng, (c, c), (c,)), call(rng, (n, c, n), (c, n))]
    return [*equal, call(rng, (1, c), (c,)), call(rng, (1, 1, c), (1, c)), call(rng, (1,), ())]


def ones(rng):
    n, t, c = sized(rng, 3)
    equal = [call(rng, (n, n), (n, 1)), call(rng, (n, n), (1, n)), call(rng, (t, c, t), (t, 1, 1))]
    three = [call(rng, (n, t, c), shape) for shape in ((n, 1, c), (1, t, 1), (1, 1, c))]
    return [call(rng, (n, c), (n, 1)), *three, *equal]


def both(rng):
    n, t, c = sized(rng, 3)
    stretched = [call(rng, (n, t, c), shape) for shape in ((t, 1), (1, c), (1, 1))]
    untouched = [call(rng, (n, c), (n, c)), call(rng, (1, c), (1, c)), call(rng, (), ())]
    return [*stretched, call(rng, (n, n, n), (n, 1)), call(rng, (1, n, c), (n, 1)), *untouched]


UNBROADCAST = Exercise(
    reference=unbroadcast,
    chapter=CHAPTER,
    title="Undo broadcasting",
    task="""
    NumPy stretched an array of the shape `shape`, and the result of the operation had `g`'s shape. `g` is the gradient
    for the stretched array. Return the gradient for the array as it was: of the shape `shape`.

    `shape` is a tuple that broadcasts to g's shape: it may have fewer axes, which then are g's last ones, and axes of
    length 1. If nothing was stretched, the answer is g (g itself will do). g is not changed.
    """,
    example="unbroadcast(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (3,))  # [11. 22. 33.]",
    difficulty=3,
    minutes=15,
    may_alias=True,
    groups=[
        Group("leading", 2, leading, "Axes that were put in front, as of a bias (C,) for (N, C).", CLOSE),
        Group("ones", 1, ones, "Axes of length 1 that were repeated, as of (N, 1) for (N, C).", CLOSE),
        Group("both", 1, both, "Both at a time, as of (T, 1) for (N, T, C); and nothing at all.", CLOSE),
    ],
    misconceptions=[
        Misconception("as_it_is", as_it_is,
            "A bias has shape (C,). Which shape has your gradient for it?", "no gradient had to be shrunk", STRETCHED),
        Misconception("mean_of_copies", mean_of_copies,
            "x is used 4 times, each time with slope 1. How fast does the sum of the four grow with x?",
            "copies were averaged", STRETCHED),
        Misconception("first_copy", first_copy,
            "x was copied into 4 places. Does the loss hear of x through the first one only?",
            "only the first copy had been used", STRETCHED),
        Misconception("copies_in_front", copies_in_front,
            "(2, 1) was stretched to (2, 3). As g lies in memory, where are the copies of one entry?",
            "the copies lay one whole array behind another, also where an axis inside was stretched", STRETCHED),
        Misconception("leading_alone", leading_alone,
            "(N, 1) was stretched to (N, C). Which axis was repeated?", "only axes in front could be stretched",
            STRETCHED),
        Misconception("ones_alone", ones_alone,
            "(C,) was stretched to (N, C). Which axis was repeated, and does `shape` have it at all?",
            "only axes of length 1 could be stretched", STRETCHED),
        Misconception("ones_dropped", ones_dropped,
            "For shape (N, 1), what is the shape of your answer?", "axes of length 1 fell away", STRETCHED),
        Misconception("lined_up_on_the_left", lined_up_on_the_left,
            "A shape (C,) beside (N, C): does NumPy line shapes up on the left or on the right?",
            "shapes were lined up on the left", STRETCHED),
        Misconception("all_or_nothing", all_or_nothing,
            "Each entry of a bias has a column of its own. Can all entries have the same gradient?",
            "every entry had been copied to everywhere", STRETCHED),
        Misconception("found_by_length", found_by_length,
            "(4,) was stretched to (4, 4). Which of the two axes was put in front, and do their lengths tell?",
            "an axis had been put in front wherever `shape` does not have its length", STRETCHED),
        Misconception("axes_shift", axes_shift,
            "For shape (1, 1, C) you sum over axis 0 first. Which number has the second axis afterwards?",
            "an axis that was summed away were still counted", STRETCHED),
        Misconception("judged_by_size", judged_by_size,
            "(4,) was stretched to (1, 4). How many entries have both, and which shape must your answer have?",
            "nothing had been stretched where the number of entries is the same", STRETCHED),
        Misconception("one_axis", one_axis,
            "(C,) was stretched to (N, T, C). How many axes were put in front?",
            "only one axis could be put in front", STRETCHED),
    ],
    variants=[
        Variant("axis_by_axis", axis_by_axis),
        Variant("padded", padded),
        Variant("entry_by_entry", entry_by_entry),
        Variant("bincount", by_adding_at),
    ],
    hints=[
        Hint("Stretching is copying. Every copy has a gradient of its own; what is the gradient of the original?"),
        Hint('Look at "Copying forwards is adding backwards". There are two ways to be stretched: axes put in front, '
             "and axes of length 1 repeated."),
        Hint("A worked sibling, for a column alone, (N, 1) that became (N, C):\n\n"
             "    def of_a_column(g):\n        return g.sum(axis=1, keepdims=True)"),
        Hint("    sum over the first g.ndim - len(shape) axes\n"
             "    then sum, keeping the axis, over each axis that has length 1 in shape"),
    ],
)  # fmt: skip
