"""Power: one over the time that has passed."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .common import FUNCTION, POWERS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, asked, step_by_step


# ------------------------------------------------------------------------------------------- how power goes wrong
def power_by(rule):
    """A power schedule around a rule of one's own: rule(step, lr, s, c)."""

    def answer(lr, s, c=1.0):
        return lambda step: rule(step, lr, s, c)

    return answer


def power_without_c(step, lr, s, c):
    return lr / (1 + step / s)


def power_whole_steps(step, lr, s, c):
    return lr / (1 + step // s) ** c


def power_c_inside(step, lr, s, c):
    return lr / (1 + (step / s) ** c)


def power_step_times_s(step, lr, s, c):
    return lr / (1 + step * s) ** c


def power_one_over_s(step, lr, s, c):
    return lr / (1 + step) ** (c / s)


def power_of_lr(step, lr, s, c):
    return (lr / (1 + step / s)) ** c


def power_one_behind(step, lr, s, c):
    return lr / (1 + (np.asarray(step) - 1) / s) ** c


def power_rising(step, lr, s, c):
    return lr * (1 + step / s) ** c


def power_halved_at_s(step, lr, s, c):
    """Half of lr after s steps, whatever c is."""
    return lr / (1 + (2 ** (1 / c) - 1) * step / s) ** c if c else lr + 0 * np.asarray(step, float)


def one_for_zero(lr, s, c=1.0):
    return schedules.power(lr, s, c or 1.0)


def power_by_logarithms(step, lr, s, c):
    return np.exp(np.log(lr) - c * np.log1p(np.asarray(step) / s))


def power_over_a_common_denominator(step, lr, s, c):
    return lr * (s / (s + step)) ** c


@step_by_step
def power_with_floats(lr, s, c=1.0):
    return lambda step: float(lr) * (1.0 + step / s) ** -c


def power_calls(rng, exponent):
    calls = []
    for _ in range(3):
        s = draw.whole(rng, 7, 60)
        options = {"c": draw.number(rng, 1.4, 3.0)} if exponent else {}
        calls.append(asked(Call(lr=draw.rate(rng), s=s, **options), draw.spread(rng, 5 * s)))
    return calls


def exponents(rng):
    """An exponent of 0 is one, too: the rate stays what it is."""
    return [*power_calls(rng, True), asked(Call(lr=draw.rate(rng), s=draw.whole(rng, 7, 60), c=0.0), [0, 1, 30])]


POWER = Exercise(
    reference=schedules.power,
    chapter=CHAPTER,
    title="Power",
    difficulty=1,
    minutes=8,
    task=f"""The schedule that with `c = 1` has half of `lr` after `s` steps, a third after 2 s and a fourth after
3 s: at step t the rate is `lr` divided by the c-th power of one more than t / s.

{RETURNS}

`lr` and `s` are positive; you need not check that.""",
    example="power(0.12, 10)(np.array([0, 10, 20])).round(6)  # [0.12 0.06 0.04]",
    groups=[
        Group("c = 1", 2, lambda rng: power_calls(rng, False), "Without the exponent.", CLOSE),
        Group("exponent", 1, exponents, "With an exponent c.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.power),
        Misconception(
            "without_c",
            power_by(power_without_c),
            "What changes in your rates when c is doubled?",
            "the exponent c were missing",
            POWERS,
        ),
        Misconception(
            "halved_at_s",
            power_by(power_halved_at_s),
            "After s steps and with c = 2, what is 1 / (1 + t / s)ᶜ: a half, or a quarter?",
            "the rate were halved after s steps, whatever c is",
            POWERS,
        ),
        Misconception(
            "whole_steps",
            power_by(power_whole_steps),
            "With s = 10, which rate do you give for step 9, and which for step 10? Should there be a jump?",
            "t / s were rounded down to a whole number",
            POWERS,
        ),
        Misconception(
            "c_inside",
            power_by(power_c_inside),
            "With c = 2, after s steps: is the rate a half of lr with you, or a fourth?",
            "only t / s were raised to the power c, not one more than it",
            POWERS,
        ),
        Misconception(
            "step_times_s",
            power_by(power_step_times_s),
            "A larger s should make the rate fall more slowly. Does it?",
            "t had been multiplied by s in the place of divided",
            POWERS,
        ),
        Misconception(
            "s_in_the_exponent",
            power_by(power_one_over_s),
            "What is your rate after s steps? It should be a half of lr, for every s.",
            "s divided the exponent and not the step",
            POWERS,
        ),
        Misconception(
            "one_for_zero",
            one_for_zero,
            "With c = 0 the rate is lr divided by 1, at every step. What is `0.0 or 1.0`?",
            "a c of 0 had not been given",
            POWERS,
        ),
        Misconception(
            "lr_to_the_power",
            power_by(power_of_lr),
            "What does your schedule give for step 0, if c is 2?",
            "lr itself were raised to the power c",
            POWERS,
        ),
        Misconception(
            "one_step_behind",
            power_by(power_one_behind),
            "What is left to take off, if the first step asks for step 0?",
            "steps were counted from 1, and one had to be taken off: every rate comes a step too late",
            FUNCTION,
        ),
        Misconception(
            "rising",
            power_by(power_rising),
            "Is your rate for step 100 smaller than for step 0?",
            "lr were multiplied where it should be divided",
            POWERS,
        ),
    ],
    variants=[
        Variant("by logarithms", power_by(power_by_logarithms)),
        Variant("over a common denominator", power_by(power_over_a_common_denominator)),
        Variant("with floats, step by step", power_with_floats),
    ],
    hints=[
        Hint("The rate falls like one over the time that has passed, measured in units of s steps."),
        Hint('Look at "Power: an honest hyperbola": what stands in the denominator after 0, s and 2 s steps?'),
        Hint("A sibling that returns a function: `def line(a, b): return lambda step: a + b * step`."),
        Hint("inside: t = step / s; return lr over (1 + t) to the c. outside: return that function."),
    ],
    equivalent=equivalent.POSITIVE | equivalent.POWER,
)
