"""The momentum that mirrors one cycle of the rate."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Variant

from . import draw
from .common import MIRROR, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, step_by_step
from .one_cycle import corners_asked


# ------------------------------------------------------------------------------ how one_cycle_momentum goes wrong
def momentum_by(corners):
    """corners(steps, high, low, last) -> (steps, momenta)"""

    def answer(steps, high=0.95, low=0.85, last_steps=None):
        last = steps // 10 + 1 if last_steps is None else last_steps
        at, values = corners(steps, high, low, last)
        return lambda step: np.interp(step, at, values)

    return answer


def not_mirrored(steps, high, low, last):
    half = (steps - last) // 2
    return [0, half, 2 * half], [low, high, low]


def falls_at_the_end(steps, high, low, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, steps], [high, low, high, low]


def back_at_the_last_phase(steps, high, low, last):
    """One step longer on the way back than on the way down, where the steps left for both are odd in number."""
    return [0, (steps - last) // 2, steps - last], [high, low, high]


def vanishes(steps, high, low, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, steps], [high, low, high, high / 1000]


def whole_time(steps, high, low, last):
    return [0, steps // 2, steps], [high, low, high]


def stays_low(steps, high, low, last):
    half = (steps - last) // 2
    return [0, half], [high, low]


def constant_high(steps, high, low, last):
    return [0], [high]


def half_of_steps(steps, high, low, last):
    return [0, steps // 2, 2 * (steps // 2) - last], [high, low, high]


def mirrored_tent(steps, high=0.95, low=0.85, last_steps=None):
    half = (steps - (steps // 10 + 1 if last_steps is None else last_steps)) // 2
    return lambda step: high - (high - low) * np.maximum(1 - np.abs(np.asarray(step) - half) / half, 0)[()]


def mirrored_clip(steps, high=0.95, low=0.85, last_steps=None):
    half = (steps - (steps // 10 + 1 if last_steps is None else last_steps)) // 2
    return lambda step: np.minimum(low + (high - low) * np.abs(np.asarray(step) / half - 1), high)[()]


@step_by_step
def momentum_step_by_step(steps, high=0.95, low=0.85, last_steps=None):
    last = steps // 10 + 1 if last_steps is None else last_steps
    half = (steps - last) // 2

    def at(t):
        if t < half:
            return high + (low - high) * t / half
        return low + (high - low) * (t - half) / half if t < 2 * half else high

    return at


def momentum_options(rng):
    return [
        corners_asked(rng, 0, high=draw.number(rng, 0.96, 0.99), low=draw.number(rng, 0.5, 0.8)),
        corners_asked(rng, 1, low=0.0, last_steps=draw.whole(rng, 35, 50)),  # never what it would be by itself
    ]


ONE_CYCLE_MOMENTUM = Exercise(
    reference=schedules.one_cycle_momentum,
    chapter=CHAPTER,
    title="1cycle's momentum",
    difficulty=2,
    minutes=8,
    task=f"""The momentum that mirrors `one_cycle` of as many `steps`: `high` where the rate starts, `low` where the
rate is highest, back to `high` where the rate is back; in the last phase it stays there. The steps of the corners are
those of `one_cycle`, and so is `last_steps`.

{RETURNS.replace("rate for", "momentum for")}""",
    example="one_cycle_momentum(steps=10750)(np.array([0, 4837, 9674, 10749]))  # [0.95 0.85 0.95 0.95]",
    groups=[
        Group("as it comes", 2, lambda rng: [corners_asked(rng, i) for i in (0, 1, 1)], "Without an option.", CLOSE),
        Group("options", 1, momentum_options, "Other bounds, and another last phase.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.one_cycle_momentum),
        Misconception(
            "not_mirrored",
            momentum_by(not_mirrored),
            "Long steps and much inertia together: is your momentum highest where the rate is?",
            "the momentum rose with the rate",
            MIRROR,
        ),
        Misconception(
            "falls_at_the_end",
            momentum_by(falls_at_the_end),
            "Where is your momentum in the last phase?",
            "the momentum fell to `low` again in the last phase",
            MIRROR,
        ),
        Misconception(
            "back_at_the_last_phase",
            momentum_by(back_at_the_last_phase),
            "107 steps for the way down and the way back: how many has each of them, and who has the one that is left?",
            "the way back took all steps before the last phase, and one more than the way down if their number is odd",
            MIRROR,
        ),
        Misconception(
            "vanishes",
            momentum_by(vanishes),
            "The rate vanishes at the end. Should the momentum do so, too?",
            "the momentum vanished in the last phase as the rate does",
            MIRROR,
        ),
        Misconception(
            "no_last_phase",
            momentum_by(whole_time),
            "At which step is your momentum lowest: where the rate is highest?",
            "fall and rise took all the steps",
            MIRROR,
        ),
        Misconception(
            "stays_low",
            momentum_by(stays_low),
            "Where is your momentum when the rate is back at its start?",
            "the momentum stayed low after the top of the rate",
            MIRROR,
        ),
        Misconception(
            "constant",
            momentum_by(constant_high),
            "What is your momentum where the rate is highest?",
            "the momentum were always `high`",
            MIRROR,
        ),
        Misconception(
            "half_of_all_steps",
            momentum_by(half_of_steps),
            "At which step is your momentum lowest: where the rate is highest?",
            "the lowest point were in the middle of all steps, those of the last phase included",
            MIRROR,
        ),
    ],
    variants=[
        Variant("a tent upside down", mirrored_tent),
        Variant("distance from the top", mirrored_clip),
        Variant("step by step", momentum_step_by_step),
    ],
    hints=[
        Hint("The corners are those of one_cycle; only the values differ, and the last line is level."),
        Hint('Look at "Momentum in the mirror".'),
        Hint("A sibling: `np.interp(hour, [0, 6, 12, 24], [20, 35, 20, 20])` is a room with an oven that is lit at 0."),
        Hint("half as in one_cycle; corners at 0, half, 2 half with high, low, high; constant after the last"),
    ],
)
