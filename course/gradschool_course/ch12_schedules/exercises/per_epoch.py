"""A schedule by the epoch as one by the step."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import draw, equivalent
from .common import EPOCHS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked


# --------------------------------------------------------------------------------------- how per_epoch goes wrong
def per_epoch_by(rule):
    """rule(step, schedule, steps_per_epoch)"""

    def answer(schedule, steps_per_epoch):
        return lambda step: rule(step, schedule, steps_per_epoch)

    return answer


def fractional(step, schedule, n):
    return schedule(step / n)


def from_one(step, schedule, n):
    return schedule(step // n + 1)


def rounded(step, schedule, n):
    return schedule(np.rint(np.asarray(step) / n).astype(int)[()])


def last_step_of_old(step, schedule, n):
    return schedule(np.maximum((np.asarray(step) - 1) // n, 0)[()])


def within(step, schedule, n):
    return schedule(step % n)


def multiplied(step, schedule, n):
    return schedule(step * n)


def divided_value(step, schedule, n):
    return schedule(step) / n


def unchanged(step, schedule, n):
    return schedule(step)


def by_floor(step, schedule, n):
    return schedule(np.floor(np.asarray(step) / n).astype(int)[()])


def by_divmod(step, schedule, n):
    return schedule(np.divmod(step, n)[0])


def by_rest(step, schedule, n):
    return schedule((step - step % n) // n)


def per_epoch_calls(rng):
    calls = []
    for _ in range(3):
        n = draw.whole(rng, 5, 17)
        inner = Helper("falling", {"lr": draw.rate(rng), "by": draw.number(rng, 0.1, 0.9)})
        calls.append(
            asked(Call(schedule=inner, steps_per_epoch=n), [0, n - 2, *around(n, 2 * n, 5 * n), 7 * n + n // 2])
        )
    return calls


PER_EPOCH = Exercise(
    reference=schedules.per_epoch,
    chapter=CHAPTER,
    title="A schedule by the epoch",
    difficulty=1,
    minutes=6,
    task=f"""`schedule` is a function of the *epoch*, counted from 0. Make a schedule by the step of it: one that has,
during each epoch of `steps_per_epoch` steps, the rate of that epoch.

{RETURNS} Ask `schedule` for whole epochs only, ints or an array of them.""",
    example="per_epoch(lambda epoch: 0.5**epoch, 3)(np.array([0, 2, 3, 5, 6]))  # [1.   1.   0.5  0.5  0.25]",
    groups=[Group("epochs", 3, per_epoch_calls, "Before, at and after the first steps of epochs.", CLOSE)],
    misconceptions=[
        *any_schedule(schedules.per_epoch),
        Misconception(
            "fractional_epochs",
            per_epoch_by(fractional),
            "In the middle of the first epoch: for which epoch do you ask, and is that an int?",
            "the schedule were asked for floats, such as 0.5 or 0.0, and not for whole epochs as ints",
            EPOCHS,
        ),
        Misconception(
            "first_epoch_is_one",
            per_epoch_by(from_one),
            "For which epoch do you ask at step 0?",
            "epochs were counted from 1",
            EPOCHS,
        ),
        Misconception(
            "rounded",
            per_epoch_by(rounded),
            "With ten steps an epoch, to which epoch does step 6 belong?",
            "steps were rounded to the nearest epoch",
            EPOCHS,
        ),
        Misconception(
            "one_step_late",
            per_epoch_by(last_step_of_old),
            "With three steps an epoch, which is the first step of the second epoch: 3 or 4?",
            "the first step of an epoch still belonged to the one before",
            EPOCHS,
        ),
        Misconception(
            "within_the_epoch",
            per_epoch_by(within),
            "Is your rate the same throughout an epoch, and another in the next? Which of // and % gives the epoch?",
            "the schedule were asked for the step within its epoch",
            EPOCHS,
        ),
        Misconception(
            "multiplied",
            per_epoch_by(multiplied),
            "After how many steps does your schedule reach epoch 1?",
            "the step had been multiplied by the steps of an epoch",
            EPOCHS,
        ),
        Misconception(
            "rate_divided",
            per_epoch_by(divided_value),
            "What is it that has to be counted in epochs: the rate, or the step?",
            "the rate had been divided by the steps of an epoch",
            EPOCHS,
        ),
        Misconception(
            "unchanged",
            per_epoch_by(unchanged),
            "For which epoch do you ask at step 1?",
            "the schedule were asked for the step itself",
            EPOCHS,
        ),
    ],
    variants=[
        Variant("floor", per_epoch_by(by_floor)),
        Variant("divmod", per_epoch_by(by_divmod)),
        Variant("less the rest", per_epoch_by(by_rest)),
    ],
    hints=[
        Hint("How many epochs are over when so many steps are done?"),
        Hint('Look at "Steps and epochs": a table of steps and epochs for three steps an epoch.'),
        Hint("A sibling, the week of a day: `lambda day: day // 7`."),
        Hint("return a function that asks schedule for step // steps_per_epoch"),
    ],
    equivalent=equivalent.POSITIVE | equivalent.PER_EPOCH,
)
