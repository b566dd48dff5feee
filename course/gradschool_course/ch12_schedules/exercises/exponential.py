"""Exponential: the same ratio at every step."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .common import EXPONENTS, FUNCTION, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, asked, step_by_step


# ------------------------------------------------------------------------------------- how exponential goes wrong
def exponential_by(rule):
    """An exponential schedule around a rule of one's own: rule(step, lr, s, factor)."""

    def answer(lr, s, factor=0.1):
        return lambda step: rule(step, lr, s, factor)

    return answer


def with_e(step, lr, s, factor):
    return lr * np.exp(-np.asarray(step) / s)


def always_a_tenth(step, lr, s, factor):
    return lr * 0.1 ** (step / s)


def per_step(step, lr, s, factor):
    return lr * factor**step


def in_stairs(step, lr, s, factor):
    return lr * factor ** (step // s)


def times_s(step, lr, s, factor):
    return lr * factor ** (step * s)


def one_behind(step, lr, s, factor):
    return lr * factor ** ((np.asarray(step) - 1) / s)


def growing(step, lr, s, factor):
    return lr * factor ** (-step / s)


def lr_included(step, lr, s, factor):
    return (lr * factor) ** (step / s)


def linear_to_factor(step, lr, s, factor):
    return lr * (1 - (1 - factor) * step / s)


def by_roots(step, lr, s, factor):
    return lr * (factor ** (1 / s)) ** step


def by_logarithms(step, lr, s, factor):
    return np.exp(np.log(lr) + np.log(factor) * np.asarray(step) / s)


@step_by_step
def in_a_loop(lr, s, factor=0.1):
    def at(step):
        rate, ratio = lr, factor ** (1 / s)
        for _ in range(step):
            rate *= ratio
        return rate

    return at


def exponential_calls(rng, factor):
    calls = []
    for _ in range(3):
        s = draw.whole(rng, 7, 60)
        options = {"factor": draw.number(rng, 0.2, 0.9)} if factor else {}
        calls.append(asked(Call(lr=draw.rate(rng), s=s, **options), draw.spread(rng, 3 * s)))
    return calls


EXPONENTIAL = Exercise(
    reference=schedules.exponential,
    chapter=CHAPTER,
    title="Exponential",
    difficulty=1,
    minutes=8,
    task=f"""The rate shrinks by the same ratio at every step, so that in `s` steps it has become `factor` times what it
was: a tenth, unless another factor is given.

{RETURNS}

All arguments are positive; you need not check that.""",
    example="exponential(0.01, 20)(np.array([0, 20, 40])).round(8)  # [0.01   0.001  0.0001]",
    groups=[
        Group("to a tenth", 2, lambda rng: exponential_calls(rng, False), "Without a factor.", CLOSE),
        Group("to a factor", 1, lambda rng: exponential_calls(rng, True), "With a factor.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.exponential),
        Misconception(
            "with_e",
            exponential_by(with_e),
            "What is left of your rate after s steps: a tenth, or 1 / 2.718?",
            "the base were e and not the factor",
            EXPONENTS,
        ),
        Misconception(
            "always_a_tenth",
            exponential_by(always_a_tenth),
            "What changes in your rates when factor is 0.5?",
            "the factor were always a tenth",
            EXPONENTS,
        ),
        Misconception(
            "factor_per_step",
            exponential_by(per_step),
            "After a single step, is your rate already a tenth?",
            "the rate were multiplied by the factor at every step and not in s steps",
            EXPONENTS,
            published="PyTorch's `ExponentialLR`",
        ),
        Misconception(
            "in_stairs",
            exponential_by(in_stairs),
            "Which rates do you give for the steps between 0 and s: one and the same?",
            "t / s were rounded down: a staircase",
            EXPONENTS,
            published="Keras' `ExponentialDecay` with `staircase=True`",
        ),
        Misconception(
            "step_times_s",
            exponential_by(times_s),
            "A larger s should make the rate fall more slowly. Does it?",
            "t had been multiplied by s in the place of divided",
            EXPONENTS,
        ),
        Misconception(
            "one_step_behind",
            exponential_by(one_behind),
            "What is left to take off, if the first step asks for step 0?",
            "steps were counted from 1, and one had to be taken off: every rate comes a step too late",
            FUNCTION,
        ),
        Misconception(
            "growing",
            exponential_by(growing),
            "Is your rate for step s larger or smaller than lr?",
            "the exponent had the wrong sign",
            EXPONENTS,
        ),
        Misconception(
            "lr_in_the_base",
            exponential_by(lr_included),
            "What does your schedule give for step 0? Does that depend on lr?",
            "lr were part of the base",
            EXPONENTS,
        ),
        Misconception(
            "straight_line",
            exponential_by(linear_to_factor),
            "Right at 0 and at s: and what after 2 s steps?",
            "a straight line led from lr to factor times lr",
            EXPONENTS,
        ),
    ],
    variants=[
        Variant("ratio of one step", exponential_by(by_roots)),
        Variant("by logarithms", exponential_by(by_logarithms)),
        Variant("step after step", in_a_loop),
    ],
    hints=[
        Hint("On a logarithmic axis this schedule is a straight line."),
        Hint('Look at "Exponential: the same ratio at every step": which power of the factor after 0, s, 2 s steps?'),
        Hint("A sibling, money at 3 % a year: `lambda month: money * 1.03 ** (month / 12)`."),
        Hint("return the function lr times factor to the (step / s)"),
    ],
    equivalent=equivalent.POSITIVE | equivalent.EXPONENTIAL,
)
