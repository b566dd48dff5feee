"""Up, down and out: one cycle of the rate."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .common import CYCLE, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked, step_by_step


# --------------------------------------------------------------------------------------- how one_cycle goes wrong
def one_cycle_with(schedule):
    """A 1cycle with a schedule of one's own: schedule(max_lr, steps, start, final, last), all of them numbers."""

    def answer(max_lr, steps, start=None, final=None, last_steps=None):
        start = max_lr / 10 if start is None else start
        final = start / 1000 if final is None else final
        return schedule(max_lr, steps, start, final, steps // 10 + 1 if last_steps is None else last_steps)

    return answer


def one_cycle_by(corners):
    """A 1cycle around corners of one's own: corners(max_lr, steps, start, final, last) -> (steps, rates)."""

    def schedule(*given):
        at, rates = corners(*given)
        return lambda step: np.interp(step, at, rates)

    return one_cycle_with(schedule)


def no_last_phase(max_lr, steps, start, final, last):
    return [0, steps // 2, steps], [start, max_lr, start]


def half_of_all(max_lr, steps, start, final, last):
    half = steps // 2
    return [0, half, 2 * half - last, steps], [start, max_lr, start, final]


def straight_to_the_end(max_lr, steps, start, final, last):
    half = (steps - last) // 2
    return [0, half, steps], [start, max_lr, final]


def reaches_final(max_lr, steps, start, final, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, steps - 1], [start, max_lr, start, final]


@one_cycle_with
def falls_by_factors(max_lr, steps, start, final, last):
    """In the last phase every step multiplies by the same factor."""
    half = (steps - last) // 2

    def at(step):
        part = np.clip((np.asarray(step) - 2 * half) / (steps - 2 * half), 0, 1)
        tail = start * (final / start) ** part if start > 0 else final * part
        return np.where(part > 0, tail, np.interp(step, [0, half, 2 * half], [start, max_lr, start]))[()]

    return at


@one_cycle_with
def by_cosine(max_lr, steps, start, final, last):
    """Each of the three phases is half a wave."""
    half = (steps - last) // 2

    def at(step):
        t, corners, rates = np.asarray(step, float), [0, half, 2 * half, steps], [start, max_lr, start, final]
        i = np.clip(np.searchsorted(corners, t, side="right") - 1, 0, 2)
        (a, b), (begin, end) = (np.take(x, [i, i + 1]) for x in (rates, corners))
        return b + (a - b) * (1 + np.cos(np.pi * np.clip((t - begin) / (end - begin), 0, 1))) / 2

    return at


def falls_to_zero(max_lr, steps, start, final, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, steps], [start, max_lr, 0.0, final]


def starts_at_zero(max_lr, steps, start, final, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, steps], [0.0, max_lr, start, final]


def upside_down(max_lr, steps, start, final, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, steps], [max_lr, start, max_lr, final]


def last_of_all_steps(max_lr, steps, start, final, last):
    half = (steps - last) // 2
    return [0, half, 2 * half, 2 * half + steps // 10 + 1], [start, max_lr, start, final]


def corners_not_rounded(max_lr, steps, start, final, last):
    half = (steps - last) / 2
    return [0, half, 2 * half, steps], [start, max_lr, start, final]


def final_of_max(max_lr, steps, start=None, final=None, last_steps=None):
    start = max_lr / 10 if start is None else start
    final = max_lr / 1000 if final is None else final
    last = steps // 10 + 1 if last_steps is None else last_steps
    half = (steps - last) // 2
    return lambda step: np.interp(step, [0, half, 2 * half, steps], [start, max_lr, start, final])


def options_ignored(max_lr, steps, start=None, final=None, last_steps=None):
    start, last = max_lr / 10, steps // 10 + 1
    half = (steps - last) // 2
    return lambda step: np.interp(step, [0, half, 2 * half, steps], [start, max_lr, start, start / 1000])


def naught_for_none(max_lr, steps, start=None, final=None, last_steps=None):
    return schedules.one_cycle(max_lr, steps, start or None, final or None, last_steps)


def by_pieces(max_lr, steps, start=None, final=None, last_steps=None):
    start = 0.1 * max_lr if start is None else start
    final = 0.001 * start if final is None else final
    half = (steps - (steps // 10 + 1 if last_steps is None else last_steps)) // 2

    def at(step):
        t = np.asarray(step, float)
        up = start + (max_lr - start) * t / half
        down = max_lr + (start - max_lr) * (t - half) / half
        out = start + (final - start) * (t - 2 * half) / (steps - 2 * half)
        return np.select([t < half, t < 2 * half], [up, down], np.maximum(out, final))[()]

    return at


def by_tents(max_lr, steps, start=None, final=None, last_steps=None):
    start = max_lr / 10 if start is None else start
    final = start / 1000 if final is None else final
    half = (steps - (steps // 10 + 1 if last_steps is None else last_steps)) // 2

    def at(step):
        t = np.asarray(step, float)
        tent = np.maximum(1 - np.abs(t - half) / half, 0)
        gone = np.clip((t - 2 * half) / (steps - 2 * half), 0, 1)
        return (start + (max_lr - start) * tent - (start - final) * gone)[()]

    return at


@step_by_step
def one_cycle_step_by_step(max_lr, steps, start=None, final=None, last_steps=None):
    start = max_lr / 10 if start is None else start
    final = start / 1000 if final is None else final
    last = steps // 10 + 1 if last_steps is None else last_steps
    half = (steps - last) // 2

    def between(t, t0, t1, y0, y1):
        return y0 + (y1 - y0) * (t - t0) / (t1 - t0)

    def at(t):
        if t < half:
            return between(t, 0, half, start, max_lr)
        if t < 2 * half:
            return between(t, half, 2 * half, max_lr, start)
        return between(min(t, steps), 2 * half, steps, start, final)

    return at


def corners_asked(rng, left_over, **options):
    """A call with a number of steps, asked at and around all its corners; halving leaves a step over, or does not."""
    steps = draw.whole(rng, 60, 300)
    while (steps - last_of(steps, options)) % 2 != left_over:
        steps += 1
    half = (steps - last_of(steps, options)) // 2
    return asked(Call(steps=steps, **options), [0, 1, half // 3, *around(half, 2 * half), steps - 2, steps - 1])


def last_of(steps, options):
    return options.get("last_steps", steps // 10 + 1)


def cycle_call(rng, left_over, **options):
    return corners_asked(rng, left_over, **{"max_lr": draw.rate(rng)} | options)


def cycle_options(rng):
    lr = draw.rate(rng)
    return [
        cycle_call(rng, 1, max_lr=lr, start=lr / draw.number(rng, 15, 40)),
        cycle_call(rng, 0, max_lr=lr, start=0.0),
        cycle_call(rng, 0, max_lr=lr, start=lr / 5, final=lr / draw.number(rng, 30, 90)),
        cycle_call(rng, 1, max_lr=lr, final=0.0),
    ]


def cycle_phases(rng):
    """Longer ones than they would be by themselves, and shorter ones."""
    return [
        cycle_call(rng, 0, last_steps=draw.whole(rng, 35, 50)),
        cycle_call(rng, 1, last_steps=draw.whole(rng, 2, 5)),
    ]


ONE_CYCLE = Exercise(
    reference=schedules.one_cycle,
    chapter=CHAPTER,
    title="1cycle",
    difficulty=3,
    minutes=20,
    task=f"""Three straight lines: up from `start` to `max_lr`, down to `start` in as many steps, and in the last
steps on to `final`, which is almost nothing.

- `start` is a tenth of `max_lr` unless given, `final` a thousandth of `start`.
- The last phase takes `last_steps`, or a tenth of `steps`, rounded down, and one more; rise and fall take half of the
  others each, rounded down. A step that is left over lengthens the last phase.
- `final` belongs to step `steps`, one after the last: it is never quite reached.

{RETURNS} `steps` leave room for all three phases; you need not check that.""",
    example="one_cycle(0.05, steps=10750)(np.array([0, 4837, 9674])).round(6)  # [0.005 0.05  0.005]",
    groups=[
        Group("as it comes", 2, lambda rng: [cycle_call(rng, i) for i in (0, 1, 1)], "Without an option.", CLOSE),
        Group("start and end", 1, cycle_options, "With a start and an end.", CLOSE),
        Group("last phase", 1, cycle_phases, "With a last phase of its own length.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.one_cycle),
        Misconception(
            "no_last_phase",
            one_cycle_by(no_last_phase),
            "Which rate has your last step: start, or a thousandth of it?",
            "rise and fall took all the steps, and the last phase were missing",
            CYCLE,
        ),
        Misconception(
            "half_of_all_steps",
            one_cycle_by(half_of_all),
            "With 100 steps of which 11 are the last phase, at which step is your top?",
            "the rise took half of all steps, those of the last phase included",
            CYCLE,
        ),
        Misconception(
            "straight_to_the_end",
            one_cycle_by(straight_to_the_end),
            "After rise and fall, is your rate back at start?",
            "one line led from the top to the very end",
            CYCLE,
        ),
        Misconception(
            "final_is_reached",
            one_cycle_by(reaches_final),
            "To which step does `final` belong: to the last one, or to the one that would follow?",
            "`final` belonged to the last step",
            CYCLE,
        ),
        Misconception(
            "falls_by_factors",
            falls_by_factors,
            "Halfway through the last phase: is the rate halfway between start and final, or far below that?",
            "the last phase multiplied by the same factor at every step, where a straight line is asked for",
            CYCLE,
        ),
        Misconception(
            "by_cosine",
            by_cosine,
            "A step after the top: has your rate begun to fall as fast as it will fall later?",
            "the three phases were half waves, where straight lines are asked for",
            CYCLE,
            published="PyTorch's `OneCycleLR`, whose `anneal_strategy` is the cosine unless it is told otherwise",
        ),
        Misconception(
            "falls_to_zero",
            one_cycle_by(falls_to_zero),
            "Which rate stands between the second and the third line of yours?",
            "the fall ended at zero",
            CYCLE,
        ),
        Misconception(
            "starts_at_zero",
            one_cycle_by(starts_at_zero),
            "Which rate has your step 0?",
            "the rise began at zero",
            CYCLE,
        ),
        Misconception(
            "upside_down",
            one_cycle_by(upside_down),
            "Does your rate rise or fall at first?",
            "the rate fell first and rose then",
            CYCLE,
        ),
        Misconception(
            "last_phase_too_short",
            one_cycle_by(last_of_all_steps),
            "Rounding leaves a step over, or `last_steps` is given: at which step is your rate `final`?",
            "the last line were one tenth of the steps long, whatever is left",
            CYCLE,
        ),
        Misconception(
            "corners_not_rounded",
            one_cycle_by(corners_not_rounded),
            "89 steps are left for rise and fall. How many does each of them take in yours?",
            "rise and fall took half of the steps each, not rounded down",
            CYCLE,
        ),
        Misconception(
            "final_of_the_top",
            final_of_max,
            "Is your last rate a thousandth of start, or of max_lr?",
            "`final` were a thousandth of max_lr",
            CYCLE,
        ),
        Misconception(
            "options_ignored",
            options_ignored,
            "What changes in your schedule if `start` is given?",
            "start, final and last_steps made no difference",
            CYCLE,
        ),
        Misconception(
            "naught_for_none",
            naught_for_none,
            "With `start=0.0`, is a start given? What do you get for `0.0 or 7`?",
            "a start or an end of 0 had not been given",
            CYCLE,
        ),
    ],
    variants=[
        Variant("three lines", by_pieces),
        Variant("a tent and a way out", by_tents),
        Variant("step by step", one_cycle_step_by_step),
    ],
    hints=[
        Hint("Four corners, joined by straight lines. Find their steps first, then their rates."),
        Hint('Look at "1cycle": its table has the four corners for 10,750 steps.'),
        Hint("A sibling, a hike: `np.interp(hours, [0, 3, 6, 7], [200, 1500, 200, 190])` is its height at any time."),
        Hint(
            "last = steps // 10 + 1 unless given; half = (steps − last) // 2; corners at 0, half, 2 half, steps "
            "with start, max_lr, start, final; interpolate between them"
        ),
    ],
)
