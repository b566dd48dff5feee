"""Two exercises, each with wrong and right answers."""

import numpy as np

from gradschool_grader.exercise import Call, Exercise, Group, Misconception, Variant

from .. import library

square = Exercise(
    reference=library.square,
    chapter="ch01_tiny",
    title="Squares",
    task="Return the square of every entry of `x (N,)`.",
    example="square(np.array([1.0, -2.0, 3.0]))  # [1. 4. 9.]",
    difficulty=1,
    minutes=5,
    axes={"x": ("entry",)},
    groups=[
        Group(
            "values", 2, lambda rng: [Call(x=rng.normal(size=n)) for n in (7, 5)], about="squares of several lengths"
        ),
        Group("large", 1, lambda rng: [Call(x=1e3 * rng.normal(size=(3, 5)))], about="large numbers, two axes"),
    ],
    misconceptions=[
        Misconception("doubled", lambda x: 2 * x, "What is the square of 3?", says="you doubled", see="Squares"),
        Misconception("signed", lambda x: np.abs(library.square(x)) * np.sign(x), "Can a square be negative?"),
    ],
    variants=[Variant("power", lambda x: x**2)],
)


def not_divided(x, n=3, *, scale=1.0):
    return np.array([x[i : i + n].sum() for i in range(len(x) - n + 1)]) * scale


moving_average = Exercise(
    reference=library.moving_average,
    chapter="ch01_tiny",
    title="A mean that moves",
    task="""
        Return the mean of every window of `n` neighbours of `x (T,)`, times `scale`: an array `(T - n + 1,)`.

        - `n` is at least 1; anything else is a ValueError
        - the first window begins at the first entry
    """,
    example="moving_average(np.array([1.0, 2.0, 6.0, 4.0]))  # [3. 4.]",
    groups=[
        Group(
            "means", 3, lambda rng: [Call(x=rng.normal(size=11), n=n) for n in (1, 3, 4)], about="windows of 1, 3, 4"
        ),
        Group("scaled", 1, lambda rng: [Call(x=rng.normal(size=5), n=3, scale=rng.normal())], about="the scale"),
    ],
    misconceptions=[
        Misconception("sum", not_divided, "How large is the mean of equal numbers?", says="you did not divide")
    ],
    variants=[
        Variant("convolve", lambda x, n=3, *, scale=1.0: np.convolve(x, np.full(n, scale / n), mode="valid")),
    ],
)

EXERCISES = [square, moving_average]
