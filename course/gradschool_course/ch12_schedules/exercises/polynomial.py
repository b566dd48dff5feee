"""Down a polynomial, there on time."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .common import POLYNOMIALS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked, step_by_step


# -------------------------------------------------------------------------------------- how polynomial goes wrong
def polynomial_by(rule):
    """rule(step, lr, steps, final, power)"""

    def answer(lr, steps, final=0.0, power=1.0):
        return lambda step: rule(np.asarray(step), lr, steps, final, power)[()]

    return answer


def goes_on(step, lr, steps, final, power):
    return final + (lr - final) * np.sign(1 - step / steps) * np.abs(1 - step / steps) ** power


def final_added(step, lr, steps, final, power):
    return final + lr * (1 - np.minimum(step / steps, 1)) ** power


def final_missing(step, lr, steps, final, power):
    return lr * (1 - np.minimum(step / steps, 1)) ** power


def final_as_floor(step, lr, steps, final, power):
    return np.maximum(lr * (1 - np.minimum(step / steps, 1)) ** power, final)


def power_missing(step, lr, steps, final, power):
    return final + (lr - final) * (1 - np.minimum(step / steps, 1))


def power_inside(step, lr, steps, final, power):
    return final + (lr - final) * (1 - np.minimum(step / steps, 1) ** power)


def arrives_early(step, lr, steps, final, power):
    return final + (lr - final) * (1 - np.minimum(step / (steps - 1), 1)) ** power


def whole_base(step, lr, steps, final, power):
    return (final + (lr - final) * (1 - np.minimum(step / steps, 1))) ** power


def whole_steps(step, lr, steps, final, power):
    return final + (lr - final) * (1 - np.minimum(step // steps, 1)) ** power


def from_what_is_left(step, lr, steps, final, power):
    left = np.maximum(steps - step, 0) / steps
    return lr * left**power + final * (1 - left**power)


def by_where(step, lr, steps, final, power):
    inside = np.where(step < steps, step, steps)
    return np.where(step < steps, (lr - final) * np.power(1 - inside / steps, power) + final, final)


@step_by_step
def polynomial_step_by_step(lr, steps, final=0.0, power=1.0):
    return lambda step: final if step >= steps else final + (lr - final) * ((steps - step) / steps) ** power


def polynomial_calls(rng, final, power):
    calls = []
    for _ in range(2):
        steps = draw.whole(rng, 9, 60)
        options = {"final": draw.number(rng, 0.0003, 0.002)} if final else {}
        options |= {"power": draw.number(rng, 1.5, 3.0)} if power else {}
        call = Call(lr=draw.rate(rng), steps=steps, **options)
        calls.append(asked(call, [0, 1, *around(steps / 3, steps), 2 * steps]))
    return calls


POLYNOMIAL = Exercise(
    reference=schedules.polynomial,
    chapter=CHAPTER,
    title="Polynomial",
    difficulty=2,
    minutes=8,
    task=f"""From `lr` down to `final` in `steps` steps, then constant. What is left of the way at step t is the part
of the steps that is left, to the power `power`: with power 1 a straight line, with power 2 a parabola that lands
softly.

{RETURNS} Step `steps` is the first with the rate `final`. `steps` and `power` are positive; you need not check
that.""",
    example="polynomial(1.0, 4, final=0.2, power=2)(np.array([0, 1, 2, 4, 9]))  # [1.   0.65 0.4  0.2  0.2 ]",
    groups=[
        Group("straight", 1, lambda rng: polynomial_calls(rng, False, False), "A straight line to zero.", CLOSE),
        Group("curved", 1, lambda rng: polynomial_calls(rng, False, True), "With a power.", CLOSE),
        Group("to an end", 1, lambda rng: polynomial_calls(rng, True, True), "To a rate that is not zero.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.polynomial),
        Misconception(
            "goes_on",
            polynomial_by(goes_on),
            "What is your rate after twice as many steps: can it be negative?",
            "the curve went on below `final`",
            POLYNOMIALS,
        ),
        Misconception(
            "final_added",
            polynomial_by(final_added),
            "What is your rate at step 0, if final is not zero?",
            "`final` had been added to the whole curve",
            POLYNOMIALS,
        ),
        Misconception(
            "final_missing",
            polynomial_by(final_missing),
            "Where does your curve end?",
            "the curve always ended at zero",
            POLYNOMIALS,
            published="PyTorch's `PolynomialLR`",
        ),
        Misconception(
            "final_as_floor",
            polynomial_by(final_as_floor),
            "Half way, with power 1: is your rate the mean of lr and final?",
            "the curve led to zero and was cut off at `final`",
            POLYNOMIALS,
        ),
        Misconception(
            "power_missing",
            polynomial_by(power_missing),
            "What changes in your rates with power=2?",
            "the power were missing",
            POLYNOMIALS,
        ),
        Misconception(
            "power_of_what_is_done",
            polynomial_by(power_inside),
            "With power 2, does your curve fall fast at first and land softly, or the other way round?",
            "the part that is done had been raised to the power, not the part that is left",
            POLYNOMIALS,
        ),
        Misconception(
            "arrives_early",
            polynomial_by(arrives_early),
            "Which is your first step with the rate final: `steps`, or the one before?",
            "the end were reached a step early",
            POLYNOMIALS,
        ),
        Misconception(
            "power_of_everything",
            polynomial_by(whole_base),
            "What is your rate at step 0, with power 2?",
            "the rate itself had been raised to the power",
            POLYNOMIALS,
        ),
        Misconception(
            "whole_steps",
            polynomial_by(whole_steps),
            "Half way, is your rate still lr?",
            "t / steps were rounded down to a whole number",
            POLYNOMIALS,
        ),
    ],
    variants=[
        Variant("mixing lr and final", polynomial_by(from_what_is_left)),
        Variant("two cases", polynomial_by(by_where)),
        Variant("step by step", polynomial_step_by_step),
    ],
    hints=[
        Hint("Think of the part of the way that is left: 1 at first, 0 at the end, and never less."),
        Hint('Look at "Polynomial: there on time".'),
        Hint("A sibling, a candle: `lambda t: 2 + (10 - 2) * (1 - min(t / 60, 1))` burns from 10 cm to a stump of 2."),
        Hint("left = 1 − step / steps, not below 0; return final + (lr − final) × left to the power"),
    ],
    equivalent=equivalent.POSITIVE | equivalent.POLYNOMIAL,
)
