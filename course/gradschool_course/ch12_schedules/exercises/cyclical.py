"""A saw between two rates."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .common import SAWS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked, step_by_step


# ---------------------------------------------------------------------------------------- how cyclical goes wrong
def cyclical_by(rule):
    """rule(cycle, done, lr, max_lr, rise, shrink): the cycle of a step and the part of it that is done."""

    def answer(lr, max_lr, period, rise=0.5, shrink=1.0):
        def at(step):
            cycle, done = np.divmod(np.asarray(step) / period, 1)
            return rule(cycle, done, lr, max_lr, rise, shrink)[()]

        return at

    return answer


def tooth(done, rise):
    return np.where(done < rise, done / rise, (1 - done) / (1 - rise))


def falling_first(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink**cycle * (1 - tooth(done, rise))


def half_and_half(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink**cycle * tooth(done, 0.5)


def only_rises(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink**cycle * done


def jumps_down(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink**cycle * np.minimum(done / rise, 1)


def rise_and_fall_swapped(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink**cycle * tooth(done, 1 - rise)


def max_added(cycle, done, lr, max_lr, rise, shrink):
    return lr + max_lr * shrink**cycle * tooth(done, rise)


def base_missing(cycle, done, lr, max_lr, rise, shrink):
    return max_lr * shrink**cycle * tooth(done, rise)


def same_height(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * tooth(done, rise)


def shrinks_base(cycle, done, lr, max_lr, rise, shrink):
    return (lr + (max_lr - lr) * tooth(done, rise)) * shrink**cycle


def shrinks_at_once(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink ** (cycle + 1) * tooth(done, rise)


def period_of_one_flank(lr, max_lr, period, rise=0.5, shrink=1.0):
    def at(step):
        cycle, done = np.divmod(np.asarray(step) / (2 * period), 1)
        return (lr + (max_lr - lr) * shrink**cycle * np.where(done < rise, done / rise, (1 - done) / (1 - rise)))[()]

    return at


def by_minimum(cycle, done, lr, max_lr, rise, shrink):
    return lr + (max_lr - lr) * shrink**cycle * np.minimum(done / rise, (1 - done) / (1 - rise))


def by_interpolation(cycle, done, lr, max_lr, rise, shrink):
    return lr + np.interp(done, [0, rise, 1], [0, max_lr - lr, 0]) * shrink**cycle


@step_by_step
def cyclical_step_by_step(lr, max_lr, period, rise=0.5, shrink=1.0):
    def at(step):
        up, inside = period * rise, step % period
        top = (max_lr - lr) * shrink ** (step // period)
        return lr + top * (inside / up if inside < up else (period - inside) / (period - up))

    return at


def cyclical_calls(rng, rise, shrink):
    calls = []
    for _ in range(2):
        period = draw.whole(rng, 9, 40)
        options = {"rise": draw.number(rng, 0.15, 0.4)} if rise else {}
        options |= {"shrink": draw.number(rng, 0.3, 0.8)} if shrink else {}
        lr = draw.rate(rng)
        top = options.get("rise", 0.5) * period
        steps = [0, 1, *around(top, period, period + top), 2 * period + int(top), 3 * period - 1]
        calls.append(asked(Call(lr=lr, max_lr=lr * draw.number(rng, 3, 9), period=period, **options), steps))
    return calls


CYCLICAL = Exercise(
    reference=schedules.cyclical,
    chapter=CHAPTER,
    title="Cyclical",
    difficulty=3,
    minutes=12,
    task=f"""A saw: in every `period` steps the rate rises from `lr` to `max_lr` and falls back, both along straight
lines. `rise` is the part of the period in which it rises; each tooth is `shrink` times as high above `lr` as the one
before.

{RETURNS} `period` and `shrink` are positive, `rise` is between 0 and 1; you need not check that.""",
    example="cyclical(1.0, 3.0, 4)(np.arange(6))  # [1. 2. 3. 2. 1. 2.]",
    groups=[
        Group("even flanks", 1, lambda rng: cyclical_calls(rng, False, False), "Up and down in equal parts.", CLOSE),
        Group("uneven flanks", 1, lambda rng: cyclical_calls(rng, True, False), "Fast up, slowly down.", CLOSE),
        Group("lower and lower", 1, lambda rng: cyclical_calls(rng, True, True), "With shrink.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.cyclical),
        Misconception(
            "falls_first",
            cyclical_by(falling_first),
            "Which rate has your step 0?",
            "every tooth began at its top",
            SAWS,
        ),
        Misconception(
            "rise_ignored",
            cyclical_by(half_and_half),
            "With rise = 0.2 and period 10, at which step is your top?",
            "the top were always in the middle of the period",
            SAWS,
        ),
        Misconception(
            "only_rises",
            cyclical_by(only_rises),
            "On which way does your rate come back down?",
            "the rate rose throughout the period and jumped back",
            SAWS,
        ),
        Misconception(
            "stays_at_the_top",
            cyclical_by(jumps_down),
            "On which way does your rate come back down after its top?",
            "the rate stayed at its top to the end of the period",
            SAWS,
        ),
        Misconception(
            "flanks_swapped",
            cyclical_by(rise_and_fall_swapped),
            "With rise = 0.2, which flank of yours is the steep one?",
            "`rise` were the part in which the rate falls",
            SAWS,
        ),
        Misconception(
            "lr_added_to_max",
            cyclical_by(max_added),
            "How high is your top: max_lr, or more?",
            "the teeth were max_lr high and stood on lr",
            SAWS,
        ),
        Misconception(
            "from_zero",
            cyclical_by(base_missing),
            "Which rate has your step 0?",
            "the teeth stood on zero and not on lr",
            SAWS,
        ),
        Misconception(
            "shrink_ignored",
            cyclical_by(same_height),
            "With shrink = 0.5, how high is your second tooth?",
            "all teeth were of the same height",
            SAWS,
        ),
        Misconception(
            "shrinks_everything",
            cyclical_by(shrinks_base),
            "Where do your later teeth stand: on lr, or below it?",
            "the whole rate had been shrunk, not only its height above lr",
            SAWS,
        ),
        Misconception(
            "shrinks_at_once",
            cyclical_by(shrinks_at_once),
            "Does your first tooth reach max_lr?",
            "the first tooth had already been shrunk",
            SAWS,
        ),
        Misconception(
            "period_of_one_flank",
            period_of_one_flank,
            "After `period` steps, is your rate at its top or back at lr? (Some texts count the steps of one flank.)",
            "the period were that of one flank",
            SAWS,
            published="Smith's paper, which calls half a period the step size",
        ),
    ],
    variants=[
        Variant("the lower of two lines", cyclical_by(by_minimum)),
        Variant("interpolation", cyclical_by(by_interpolation)),
        Variant("step by step", cyclical_step_by_step),
    ],
    hints=[
        Hint("Which tooth does a step lie in, and which part of that tooth is done?"),
        Hint('Look at "Cyclical rates: a saw": two straight lines that meet at `rise`.'),
        Hint("A sibling, a day's light: `np.where(h < 12, h / 12, (24 - h) / 12)` with `day, h = divmod(hours, 24)`."),
        Hint(
            "cycle, done = divmod(step / period, 1); height = done / rise up to the top, then (1 − done) / (1 − rise); "
            "return lr + (max_lr − lr) × shrink^cycle × height"
        ),
    ],
    equivalent=equivalent.POSITIVE | equivalent.CYCLICAL,
)
