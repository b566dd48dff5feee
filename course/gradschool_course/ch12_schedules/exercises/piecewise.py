"""A staircase, and who owns its boundaries."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .common import STAIRS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked, step_by_step


# --------------------------------------------------------------------------------------- how piecewise goes wrong
def piecewise_by(rule):
    """A staircase around a rule of one's own: rule(step, boundaries, values, at_boundary), for one step."""

    def answer(boundaries, values, at_boundary="new"):
        if len(values) != len(boundaries) + 1:
            raise ValueError("one value more than boundaries")

        def at(step):
            found = [float(rule(int(one), boundaries, values, at_boundary)) for one in np.ravel(step)]
            return np.array(found).reshape(np.shape(step))[()]

        return at

    return answer


def keras_always(step, boundaries, values, at_boundary):
    return values[sum(step > b for b in boundaries)]


def new_always(step, boundaries, values, at_boundary):
    return values[sum(step >= b for b in boundaries)]


def swapped_sides(step, boundaries, values, at_boundary):
    return values[sum(step > b if at_boundary == "new" else step >= b for b in boundaries)]


def first_greater(step, boundaries, values, at_boundary):
    """np.argmax(boundaries > step) - 1, a well-known trick that gives -1 + 0 after the last boundary."""
    beyond = np.array([*boundaries]) > step if at_boundary == "new" else np.array([*boundaries]) >= step
    return values[int(np.argmax(beyond))]


def one_value_late(step, boundaries, values, at_boundary):
    return values[max(sum(step >= b if at_boundary == "new" else step > b for b in boundaries) - 1, 0)]


def interpolated(step, boundaries, values, at_boundary):
    return np.interp(step, [0, *boundaries], values)


def lengths_not_places(step, boundaries, values, at_boundary):
    ends = np.cumsum(boundaries)
    return values[sum(step >= b if at_boundary == "new" else step > b for b in ends)]


def values_multiply(step, boundaries, values, at_boundary):
    passed = sum(step >= b if at_boundary == "new" else step > b for b in boundaries)
    return float(np.prod(values[: passed + 1]))


def needs_a_boundary(boundaries, values, at_boundary="new"):
    if not boundaries:
        raise ValueError("no boundaries")
    return schedules.piecewise(boundaries, values, at_boundary)


def any_length(boundaries, values, at_boundary="new"):
    def at(step):
        place = np.searchsorted(boundaries, step, side="right" if at_boundary == "new" else "left")
        return np.asarray(values)[np.minimum(place, len(values) - 1)]

    return at


def rates_like_steps(boundaries, values, at_boundary="new"):
    """The rates are filled into an array like the steps, whose numbers are whole."""
    schedule = schedules.piecewise(boundaries, values, at_boundary)
    return lambda step: np.asarray(schedule(step)).astype(np.asarray(step).dtype)


def piecewise_by_where(boundaries, values, at_boundary="new"):
    if len(values) - len(boundaries) != 1:
        raise ValueError("values")

    def at(step):
        step = np.asarray(step)
        rate = np.full(step.shape, float(values[0]))
        for b, value in zip(boundaries, values[1:], strict=True):
            rate = np.where(step >= b if at_boundary == "new" else step > b, value, rate)
        return rate[()]

    return at


def piecewise_by_counting(boundaries, values, at_boundary="new"):
    if len(values) != 1 + len(boundaries):
        raise ValueError(len(values))
    edges = np.asarray(boundaries, float)

    def at(step):
        step = np.asarray(step)[..., None]
        passed = (edges <= step) if at_boundary == "new" else (edges < step)
        return np.asarray(values, float)[passed.sum(axis=-1)]

    return at


@step_by_step
def piecewise_by_loop(boundaries, values, at_boundary="new"):
    if len(boundaries) + 1 != len(values):
        raise ValueError("lengths")

    def at(step):
        for b, value in zip(boundaries, values[:-1], strict=True):
            if step < b or (step == b and at_boundary == "old"):
                return value
        return values[-1]

    return at


def piecewise_call(rng, at_boundary=""):
    count = draw.whole(rng, 3, 5)
    boundaries = np.cumsum(rng.integers(4, 15, size=count)).tolist()
    values = [draw.rate(rng) for _ in range(count + 1)]
    options = {"at_boundary": at_boundary} if at_boundary else {}
    call = Call(boundaries=boundaries, values=values, **options)
    return asked(call, [0, *around(*boundaries), boundaries[-1] + 40])


def wrong_lengths(rng):
    good = piecewise_call(rng)
    b, v = good.arguments["boundaries"], good.arguments["values"]
    level = asked(Call(boundaries=[], values=v[:1]), [0, 1, 70])
    return [Call(boundaries=b, values=v[:-1]), Call(boundaries=b[1:], values=v), piecewise_call(rng), level]


PIECEWISE = Exercise(
    reference=schedules.piecewise,
    chapter=CHAPTER,
    title="Piecewise constant",
    difficulty=2,
    minutes=12,
    task=f"""A staircase: the rate is `values[0]` before the first boundary, `values[1]` between the first and the
second, and so on; the last value holds to the end. `boundaries` are steps, increasing. Who owns a boundary is an
option:

- `at_boundary="new"`: a boundary is the first step with the new value.
- `at_boundary="old"`: a boundary is the last step with the old value.

{RETURNS} There must be one value more than boundaries, else it is a `ValueError`, raised when the schedule is made.""",
    example="piecewise([5, 15], [0.01, 0.005, 0.001])(np.array([0, 4, 5, 15, 90]))  # [0.01  0.01  0.005 0.001 0.001]",
    groups=[
        Group("new", 2, lambda rng: [piecewise_call(rng), piecewise_call(rng, "new")], "The new value's side.", CLOSE),
        Group("old", 1, lambda rng: [piecewise_call(rng, "old") for _ in range(2)], "The old value's side.", CLOSE),
        Group("lengths", 1, wrong_lengths, "One value more than boundaries, or a ValueError; no boundary.", CLOSE),
    ],
    misconceptions=[
        *any_schedule(schedules.piecewise, "starts_at_one"),
        Misconception(
            "always_old",
            piecewise_by(keras_always),
            "With boundaries [5] and the default, which rate has step 5?",
            "a boundary always had the old value",
            STAIRS,
            published="Keras' `PiecewiseConstantDecay`",
        ),
        Misconception(
            "always_new",
            piecewise_by(new_always),
            'What changes in your schedule with at_boundary="old"?',
            "a boundary always had the new value",
            STAIRS,
        ),
        Misconception(
            "sides_swapped",
            piecewise_by(swapped_sides),
            'Step 5 with boundaries [5] and at_boundary="new": old value or new?',
            '"new" and "old" had been mixed up, or steps were counted from 1',
            STAIRS,
        ),
        Misconception(
            "argmax_of_nothing",
            piecewise_by(first_greater),
            "After the last boundary no boundary is greater than the step. What does argmax say of an array of False?",
            "the first value came back after the last boundary, as np.argmax finds no True there",
            STAIRS,
        ),
        Misconception(
            "one_value_late",
            piecewise_by(one_value_late),
            "Is values[-1] ever reached?",
            "every value came one boundary too late",
            STAIRS,
        ),
        Misconception(
            "interpolated",
            piecewise_by(interpolated),
            "Half way between two boundaries: is your rate one of the values?",
            "straight lines connected the values",
            STAIRS,
        ),
        Misconception(
            "lengths_not_places",
            piecewise_by(lengths_not_places),
            "With boundaries [5, 15], at which step does your last value begin: 15, or 20?",
            "the boundaries were lengths, one after the other, and not places",
            STAIRS,
        ),
        Misconception(
            "values_multiplied",
            piecewise_by(values_multiply),
            "Are `values` rates, or factors by which the rate changes?",
            "the values had been multiplied with each other",
            STAIRS,
        ),
        Misconception(
            "rates_like_steps",
            rates_like_steps,
            "Which dtype has `np.full_like(step, 0.01)` or `np.zeros_like(step)` if the steps are whole numbers?",
            "rates were whole numbers, as steps are",
            STAIRS,
        ),
        Misconception(
            "needs_a_boundary",
            needs_a_boundary,
            "One value and no boundary: is that one value more than boundaries?",
            "a staircase had at least two values",
            STAIRS,
        ),
        Misconception(
            "any_length",
            any_length,
            "Three boundaries part the steps into how many pieces? What does your function do with three values?",
            "one value too few or too many passed without a word",
            STAIRS,
        ),
    ],
    variants=[
        Variant("where after where", piecewise_by_where),
        Variant("counting boundaries", piecewise_by_counting),
        Variant("one after the other, step by step", piecewise_by_loop),
    ],
    hints=[
        Hint("How many boundaries has a step passed? That number is the place in `values`."),
        Hint('Look at "Piecewise: who owns the boundary?": the two options differ in > or >=.'),
        Hint("A sibling, school grades: `grades[np.searchsorted([50, 65, 80], points, side='right')]`."),
        Hint(
            "check the lengths; inside: passed = how many boundaries are <= step (new) or < step (old); "
            "return values[passed]"
        ),
    ],
)
