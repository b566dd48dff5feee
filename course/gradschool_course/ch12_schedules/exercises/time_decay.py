"""Time-based decay, in three forms that differ by one step."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .common import THREE_FORMS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, asked, step_by_step

# -------------------------------------------------------------------------------------- how time decay goes wrong
FORMS = ("iterations", "schedule", "loop")


def time_by(rule):
    """A time decay around a rule of one's own: rule(step, lr, k, form)."""

    def answer(lr, k, form="iterations"):
        if form not in ("iterations", "schedule", "loop"):
            raise ValueError(f"there is no form {form!r}")
        return lambda step: rule(step, lr, k, form)

    return answer


def always_from_zero(step, lr, k, form):
    return lr / (1 + k * step)


def always_from_one(step, lr, k, form):
    return lr / (1 + k * (step + 1))


def schedule_from_one(step, lr, k, form):
    return lr / (1 + k * (step + (form in ("schedule", "loop"))))


def schedule_one_behind(step, lr, k, form):
    return lr / (1 + k * (step + {"iterations": 0, "schedule": -1, "loop": 1}[form]))


def compounded(step, lr, k, form):
    return lr / (1 + k) ** (step + (form == "loop"))


def k_divides(step, lr, k, form):
    return lr / (1 + (step + (form == "loop")) / k)


def lr_in_the_sum(step, lr, k, form):
    return lr / (lr + k * (step + (form == "loop")))


def linear(step, lr, k, form):
    return lr * (1 - k * (step + (form == "loop")))


def without_one(step, lr, k, form):
    return lr / np.maximum(k * (step + (form == "loop")), 1)


def any_form(lr, k, form="iterations"):
    return lambda step: lr / (1 + k * (step + (form == "loop")))


def time_by_power(lr, k, form="iterations"):
    if form not in ("iterations", "schedule", "loop"):
        raise ValueError("form")
    first = {"loop": 1}.get(form, 0)
    return lambda step: lr * (1 + k * (first + np.asarray(step))) ** -1.0


@step_by_step
def time_by_cases(lr, k, form="iterations"):
    if form == "iterations":
        return lambda step: lr / (1 + k * step)
    if form == "schedule":
        return lambda step: lr / (1 + k * ((step + 1) - 1))
    if form == "loop":
        return lambda step: lr / (1 + k * (step + 1))
    raise ValueError("an unknown form")


def time_by_reciprocals(lr, k, form="iterations"):
    if form not in ("iterations", "schedule", "loop"):
        raise ValueError(form)
    return lambda step: 1 / (1 / lr + k / lr * (step + (1 if form == "loop" else 0)))


def time_calls(rng, forms):
    calls = []
    for form in forms:
        options = {"form": form} if form else {}
        call = Call(lr=draw.rate(rng), k=draw.number(rng, 0.02, 0.5), **options)
        calls.append(asked(call, draw.spread(rng, 80)))
    return calls


TIME_DECAY = Exercise(
    reference=schedules.time_decay,
    chapter=CHAPTER,
    title="Time-based decay, in three forms",
    difficulty=2,
    minutes=12,
    task=f"""Time-based decay divides `lr` by one more than k t. Three published forms differ in what t is, and so in
the very first rate. `form` says which is meant:

- `"iterations"`: t counts the steps that are done; it is 0 at the first step.
- `"schedule"`: written with the number n of the step, which is 1 at the first: the rate is lr over one more than
  k (n − 1).
- `"loop"`: also with n, but the rate is lr over one more than k n.

{RETURNS} Any other form is a `ValueError`, raised when the schedule is made.""",
    example='[time_decay(0.01, 0.01, form)(0).__round__(7) for form in ("iterations", "schedule", "loop")]'
    "  # [0.01, 0.01, 0.009901]",
    groups=[
        Group("iterations", 1, lambda rng: time_calls(rng, ["", "iterations"]), "Steps that are done.", CLOSE),
        Group("schedule", 1, lambda rng: time_calls(rng, ["schedule"] * 2), "n, less one.", CLOSE),
        Group("loop", 1, lambda rng: time_calls(rng, ["loop"] * 2), "n itself.", CLOSE),
        Group(
            "another form",
            1,
            lambda rng: [Call(lr=0.1, k=0.1, form=word) for word in ("epochs", "")] + time_calls(rng, ["loop"]),
            "A form that there is not is refused; one that there is, is not.",
            CLOSE,
        ),
    ],
    misconceptions=[
        *any_schedule(schedules.time_decay),
        Misconception(
            "always_from_zero",
            time_by(always_from_zero),
            'In the form "loop" the first step has n = 1. Is its rate lr?',
            "t were 0 at the first step in every form",
            THREE_FORMS,
        ),
        Misconception(
            "always_from_one",
            time_by(always_from_one),
            'In the form "iterations" nothing is done yet at the first step. Is its rate lr?',
            "t were 1 at the first step in every form",
            THREE_FORMS,
        ),
        Misconception(
            "schedule_from_one",
            time_by(schedule_from_one),
            'In the form "schedule", what is n - 1 at the first step?',
            'the form "schedule" used n and not n - 1',
            THREE_FORMS,
        ),
        Misconception(
            "schedule_one_behind",
            time_by(schedule_one_behind),
            'The function gets the steps that are done, not n. What is n - 1 in terms of that, in the form "schedule"?',
            'one had been taken off the step in the form "schedule", though step 0 is the first already',
            THREE_FORMS,
        ),
        Misconception(
            "compounded",
            time_by(compounded),
            "With k = 1, is your rate after three steps a fourth of lr, or an eighth?",
            "the rate were divided by 1 + k again at every step",
            THREE_FORMS,
        ),
        Misconception(
            "k_divides",
            time_by(k_divides),
            "A larger k should make the rate fall faster. Does it?",
            "t had been divided by k",
            THREE_FORMS,
        ),
        Misconception(
            "lr_in_the_sum",
            time_by(lr_in_the_sum),
            'What is your rate for step 0 in the form "iterations", if lr is 0.5?',
            "lr stood in the place of 1 in the denominator",
            THREE_FORMS,
        ),
        Misconception(
            "linear",
            time_by(linear),
            "After more than 1 / k steps, which sign has your rate?",
            "the rate fell along a straight line",
            THREE_FORMS,
        ),
        Misconception(
            "without_one",
            time_by(without_one),
            "How long does your rate stay at lr? Should it begin to fall at once?",
            "the 1 in the denominator were missing, and the rate held back at lr",
            THREE_FORMS,
        ),
        Misconception(
            "any_form",
            any_form,
            'What does your function do with form="epochs"? A misspelt option should not pass unnoticed, should it?',
            "every unknown form were taken for a known one",
            THREE_FORMS,
        ),
    ],
    variants=[
        Variant("as a power of -1", time_by_power),
        Variant("form by form, step by step", time_by_cases),
        Variant("by reciprocals", time_by_reciprocals),
    ],
    hints=[
        Hint("One formula; the forms differ in a single number: what is counted before the first step?"),
        Hint('Look at "Three forms of one formula", and put step = 0 into each.'),
        Hint(
            "A sibling, days of a month counted from 0 or from 1:\n\n"
            "    first = {'programmer': 0, 'calendar': 1}[form]\n    return lambda day: 24 * (day + first)"
        ),
        Hint("refuse an unknown form; first = 1 for loop, else 0; return the function lr over (1 + k (step + first))"),
    ],
)
