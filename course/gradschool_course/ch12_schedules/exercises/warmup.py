"""A gentle beginning for any schedule."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import draw, equivalent
from .common import WARM, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked, step_by_step


# ------------------------------------------------------------------------------------------ how warmup goes wrong
def warmup_by(rule):
    """rule(step, after, steps, start) with `after` a function."""

    def answer(after, steps, start=0.0):
        later = after if callable(after) else lambda step: after + 0.0 * np.asarray(step)
        return lambda step: rule(np.asarray(step), later, steps, start)[()]

    return answer


def arrives_a_step_early(step, after, steps, start):
    rising = start + (after(0) - start) * (step / (steps - 1))
    return np.where(step < steps, rising, after(np.maximum(step - steps, 0)))


def schedule_goes_on(step, after, steps, start):
    rising = start + (after(0) - start) * (step / steps)
    return np.where(step < steps, rising, after(step))


def towards_the_schedule(step, after, steps, start):
    rising = start + (after(step) - start) * (step / steps)
    return np.where(step < steps, rising, after(np.maximum(step - steps, 0)))


def start_ignored(step, after, steps, start):
    return np.where(step < steps, after(0) * (step / steps), after(np.maximum(step - steps, 0)))


def start_added(step, after, steps, start):
    rising = start + after(0) * (step / steps)
    return np.where(step < steps, rising, after(np.maximum(step - steps, 0)))


def a_step_behind(step, after, steps, start):
    rising = start + (after(0) - start) * (step / steps)
    return np.where(step <= steps, np.minimum(rising, after(0)), after(np.maximum(step - steps - 1, 0)))


def never_after(step, after, steps, start):
    return start + (after(0) - start) * np.minimum(step / steps, 1)


def at_once(step, after, steps, start):
    return np.where(step < steps, start, after(np.maximum(step - steps, 0)))


def only_constants(after, steps, start=0.0):
    def at(step):
        step = np.asarray(step)
        return (start + (after - start) * np.minimum(step / steps, 1))[()]

    return at


def by_minimum(step, after, steps, start):
    done = np.minimum(step / steps, 1)
    return np.where(done < 1, (1 - done) * start + done * after(0), after(np.maximum(step, steps) - steps))


def by_interpolation(step, after, steps, start):
    return np.where(step < steps, np.interp(step, [0, steps], [start, after(0)]), after(np.clip(step - steps, 0, None)))


@step_by_step
def warmup_step_by_step(after, steps, start=0.0):
    def later(step):
        return after if isinstance(after, int | float) else after(step)

    def at(step):
        if step < steps:
            return start + step * (later(0) - start) / steps
        return later(step - steps)

    return at


def warmup_calls(rng, schedule, start):
    calls = []
    for _ in range(2):
        steps = draw.whole(rng, 5, 30)
        after = Helper("falling", {"lr": draw.rate(rng), "by": 0.9}) if schedule else draw.rate(rng)
        options = {"start": draw.number(rng, 0.001, 0.002)} if start else {}
        calls.append(asked(Call(after=after, steps=steps, **options), [0, 1, *around(steps / 2, steps), 3 * steps]))
    return calls


WARMUP = Exercise(
    reference=schedules.warmup,
    chapter=CHAPTER,
    title="Warm-up",
    difficulty=2,
    minutes=12,
    task=f"""A straight line from `start` in `steps` steps, and then `after`: a rate that stays, or a schedule of its
own, whose step 0 is the first step after the warm-up. The line leads to the first rate of what comes after: step 0
has the rate `start`, step `steps` is the first that belongs to `after`.

{RETURNS}""",
    example="warmup(1.0, 4)(np.array([0, 1, 2, 4, 9]))  # [0.   0.25 0.5  1.   1.  ]",
    groups=[
        Group("to a rate", 1, lambda rng: warmup_calls(rng, False, False), "Then constant.", CLOSE),
        Group("to a schedule", 2, lambda rng: warmup_calls(rng, True, False), "Then a schedule.", CLOSE),
        Group("from a start", 1, lambda rng: warmup_calls(rng, True, True), "Not from zero.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.warmup),
        Misconception(
            "arrives_early",
            warmup_by(arrives_a_step_early),
            "Which step has the full rate for the first time: `steps`, or the one before?",
            "the full rate were reached a step early",
            WARM,
        ),
        Misconception(
            "schedule_not_shifted",
            warmup_by(schedule_goes_on),
            "When the warm-up is over, for which of its steps do you ask the schedule first?",
            "the schedule had gone on during the warm-up",
            WARM,
        ),
        Misconception(
            "towards_a_moving_end",
            warmup_by(towards_the_schedule),
            "Is your warm-up a straight line, if the schedule is a curve?",
            "the line led to where the schedule is at the same time, and not to its beginning",
            WARM,
        ),
        Misconception(
            "start_ignored",
            warmup_by(start_ignored),
            "What is your rate at step 0, if start is 0.001?",
            "the line always began at zero",
            WARM,
        ),
        Misconception(
            "start_added",
            warmup_by(start_added),
            "Does your line end at the first rate of what comes after, or above it?",
            "`start` had been added to the whole line",
            WARM,
        ),
        Misconception(
            "one_step_behind",
            warmup_by(a_step_behind),
            "How many steps of your schedule have the rate after(0)?",
            "what comes after began one step late",
            WARM,
        ),
        Misconception(
            "stays_at_the_top",
            warmup_by(never_after),
            "What does your schedule do after the warm-up, if `after` is a schedule?",
            "the rate stayed where the warm-up ended",
            WARM,
        ),
        Misconception(
            "no_line",
            warmup_by(at_once),
            "Which rate do you give half way through the warm-up?",
            "the rate stayed at `start` during the warm-up",
            WARM,
        ),
        Misconception(
            "only_constants",
            only_constants,
            "What happens in your function if `after` is a schedule and not a number?",
            "only a number could come after the warm-up",
            WARM,
        ),
    ],
    variants=[
        Variant("mixing", warmup_by(by_minimum)),
        Variant("interpolation", warmup_by(by_interpolation)),
        Variant("step by step", warmup_step_by_step),
    ],
    hints=[
        Hint("Two pieces, joined at the step `steps`. What are both worth there?"),
        Hint('Look at "Warm-up: begin gently". A number is a schedule that always says the same.'),
        Hint("A sibling: `np.where(t < 10, 20 + (90 - 20) * t / 10, 90)` heats water to 90 degrees in ten minutes."),
        Hint(
            "make a function of a number; inside: line = start + (after(0) - start) × step / steps; "
            "where step < steps the line, else after(step − steps), which must not be asked for negative steps"
        ),
    ],
    equivalent=equivalent.POSITIVE | equivalent.WARMUP,
)
