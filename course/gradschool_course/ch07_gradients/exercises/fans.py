"""fans: how many numbers meet in a unit, and how many units each of them reaches."""

from __future__ import annotations

import math

import numpy as np

from gradschool import initializers
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, FANS


# ------------------------------------------------------------------------------------------------- how fans go wrong
def swapped(shape):
    fan_in, fan_out = initializers.fans(shape)
    return fan_out, fan_in


def without_area(shape):
    return (shape[0], shape[0]) if len(shape) < 2 else (shape[-2], shape[-1])


def area_for_the_inputs_only(shape):
    if len(shape) < 2:
        return shape[0], shape[0]
    return math.prod(shape[:-1]), shape[-1]


def area_added(shape):
    if len(shape) < 2:
        return shape[0], shape[0]
    area = sum(shape[:-2])
    return area + shape[-2], area + shape[-1]


def channels_first(shape):
    """As for kernels (out, in, height, width)."""
    if len(shape) < 3:
        return initializers.fans(shape)
    area = math.prod(shape[2:])
    return area * shape[1], area * shape[0]


def channels_in_front(shape):
    """As for kernels (in, out, height, width)."""
    if len(shape) < 3:
        return initializers.fans(shape)
    area = math.prod(shape[2:])
    return area * shape[0], area * shape[1]


def one_side_of_the_kernel(shape):
    if len(shape) < 3:
        return initializers.fans(shape)
    return shape[0] * shape[-2], shape[0] * shape[-1]


def all_weights(shape):
    return math.prod(shape), math.prod(shape)


def vector_is_a_column(shape):
    return (shape[0], 1) if len(shape) < 2 else initializers.fans(shape)


def vector_has_one_input(shape):
    return (1, shape[0]) if len(shape) < 2 else initializers.fans(shape)


def only_matrices(shape):
    fan_in, fan_out = shape
    return fan_in, fan_out


def floats(shape):
    """np.prod(()) is 1.0."""
    fan_in, fan_out = (shape[0], shape[0]) if len(shape) < 2 else shape[-2:]
    return fan_in * np.prod(shape[:-2]), fan_out * np.prod(shape[:-2])


def all_axes_but_one(shape):
    if len(shape) < 2:
        return shape[0], shape[0]
    return math.prod(shape[:-1]), math.prod(shape[1:])


# ------------------------------------------------------------------------------------------------ other right answers
def in_a_loop(shape):
    shape = tuple(shape) if len(shape) > 1 else (shape[0], shape[0])
    fan_in, fan_out = shape[-2:]
    for size in shape[:-2]:
        fan_in, fan_out = fan_in * size, fan_out * size
    return fan_in, fan_out


def by_division(shape):
    if len(shape) == 1:
        return [shape[0], shape[0]]
    weights = int(np.prod(shape))
    return [weights // shape[-1], weights // shape[-2]]


def counted(shape):
    """How many weights has one output, and how many has one input?"""
    if len(shape) == 1:
        return shape * 2
    kernel = np.ones(shape, dtype=int)
    return int(kernel[..., 0].sum()), int(kernel[..., 0, :].sum())


# -------------------------------------------------------------------------------------------------------------- probes
def shape_of(rng, axes):
    return tuple(int(n) for n in rng.choice(np.arange(3, 14), size=axes, replace=False))


def calls(*axes):
    return lambda rng: [Call(shape=shape_of(rng, n)) for n in axes]


EXERCISE = Exercise(
    reference=initializers.fans,
    returns=("fan_in", "fan_out"),
    chapter=CHAPTER,
    title="Fan in, fan out",
    difficulty=1,
    minutes=8,
    task="""
    Return `(fan_in, fan_out)` for weights of a shape, two ints: how many numbers each output sums up, and how many
    outputs each input is part of.

    - dense weights are (in, out)
    - kernels are (height, width, in, out), or with fewer or more axes of space in front; every output sums over all
      places under the kernel and over all input channels
    - a vector (n,), such as a bias, has n for both
    """,
    example="fans((784, 300)), fans((3, 5, 32, 64))  # ((784, 300), (480, 960))",
    groups=[
        Group("dense and vectors", 2, calls(2, 1, 2, 1), "Dense weights (in, out), and vectors.", CLOSE, whole=True),
        Group("kernels", 2, calls(4, 3, 5), "Kernels with one, two and three axes of space.", CLOSE,
              whole=True),
    ],
    misconceptions=[
        Misconception("swapped", swapped, "With weights (in, out), how many products does X @ W add up for one output?",
            "fan in and fan out were exchanged", FANS),
        Misconception("without_kernel_area", without_area,
            "A 3 x 5 kernel stands on an image. How many pixels does one output look at?",
            "the places under a kernel were not counted", FANS),
        Misconception("area_for_inputs_only", area_for_the_inputs_only,
            "Move a 3 x 5 kernel over one pixel: at how many places of it does that pixel take part?",
            "the area of the kernel counted for fan in and not for fan out", FANS),
        Misconception("area_added", area_added,
            "Three rows of five pixels with ten channels each: how many numbers are that?",
            "sizes were added where they must be multiplied", FANS),
        Misconception("channels_first", channels_first,
            "Which axes of a kernel are the channels in this course: the first two, or the last two?",
            "kernels were (out, in, height, width)", FANS, "PyTorch"),
        Misconception("channels_in_front", channels_in_front,
            "Which axes of a kernel are the channels in this course: the first two, or the last two?",
            "kernels were (in, out, height, width)", FANS, "PyTorch's transposed convolutions"),
        Misconception("one_side_of_the_kernel", one_side_of_the_kernel,
            "How many pixels has a kernel of 3 x 5: 3, or 15?",
            "only one side of the kernel counted", FANS),
        Misconception("all_axes_but_one", all_axes_but_one,
            "Which axis of the kernel are the channels of one input? Is it the first?",
            "fan in were all axes but the last, and fan out all but the first", FANS),
        Misconception("floats", floats,
            "What is `np.prod(())`, and of which type?", "a fan were a float", FANS),
        Misconception("all_weights", all_weights,
            "Do all weights of the array meet in a single output?",
            "both fans were the number of all weights", FANS),
        Misconception("vector_is_a_column", vector_is_a_column,
            "What does the task say about a vector's fan out?",
            "a vector were a matrix with one column", FANS),
        Misconception("vector_has_one_input", vector_has_one_input,
            "What does the task say about a vector's fan in?",
            "a vector were a matrix with one row", FANS),
        Misconception("only_matrices", only_matrices,
            "How many axes has the kernel of a convolution?",
            "there were nothing but matrices", FANS),
    ],
    variants=[
        Variant("in a loop", in_a_loop),
        Variant("by division", by_division),
        Variant("counted in an array of ones", counted),
    ],
    hints=[
        Hint("Follow one output: which weights belong to it? Then follow one input."),
        Hint('Look at "How many numbers meet in a unit": which axes count channels, and what do all the others count?'),
        Hint(
            "A worked sibling, how many weights a shape holds:\n\n"
            "    def count(shape):\n        return math.prod(shape)      # math.prod(()) is 1"
        ),
        Hint(
            "    if there is one axis: n and n\n"
            "    area = product of all axes but the last two\n    area × the last but one, area × the last"
        ),
    ],
    not_bugs=dict.fromkeys(
        ["std vs variance", "√(3σ²) missing 3", "no /0.8796 after truncation", "global RNG"], "nothing is drawn here"
    )
    | dict.fromkeys(["orthogonal sign", "orthogonal shape for tall"], "no matrix is turned here")
    | {"fan_sum for avg": "both fans are returned, and no mean of them"},
)  # fmt: skip
