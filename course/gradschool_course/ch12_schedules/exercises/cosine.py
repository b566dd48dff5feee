"""Half a cosine, once or again and again."""

from __future__ import annotations

import numpy as np

from gradschool import schedules
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .common import COSINES, FUNCTION, RESTARTS, any_schedule
from .draw import CHAPTER, CLOSE, RETURNS, around, asked, step_by_step


# ------------------------------------------------------------------------------------------ how cosine goes wrong
def place(step, period, restarts, growth, whole=lambda length: length):
    """(number of the cycle, part of it that is done) of one step, by walking through the cycles."""
    if not restarts:
        return 0, min(step / period, 1)
    cycle, start, length = 0, 0.0, period
    while step >= start + length * (1 - 1e-12):
        cycle, start, length = cycle + 1, start + length, whole(length * growth)
    return cycle, (step - start) / length


def cosine_by(rule):
    """A cosine schedule around a rule of one's own: rule(step, lr, period, final, restarts, growth, shrink)."""

    def answer(lr, period, final=0.0, restarts=False, growth=1.0, shrink=1.0):
        def at(step):
            found = [float(rule(int(one), lr, period, final, restarts, growth, shrink)) for one in np.ravel(step)]
            return np.array(found).reshape(np.shape(step))[()]

        return at

    return answer


def height(done, lr, final):
    return final + (lr - final) * (1 + np.cos(np.pi * done)) / 2


def right_cosine(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return height(done, final + (lr - final) * shrink**cycle, final)


def whole_wave(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return height(2 * done, final + (lr - final) * shrink**cycle, final)


def quarter_wave(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return final + (lr - final) * shrink**cycle * np.cos(np.pi / 2 * done)


def never_constant(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    done = done if restarts else step / period
    return height(done, final + (lr - final) * shrink**cycle, final)


def final_added(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return final + height(done, lr * shrink**cycle, 0.0)


def final_ignored(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return height(done, lr * shrink**cycle, 0.0)


def always_restarts(step, lr, period, final, restarts, growth, shrink):
    return right_cosine(step, lr, period, final, True, growth, shrink)


def never_restarts(step, lr, period, final, restarts, growth, shrink):
    return right_cosine(step, lr, period, final, False, growth, shrink)


def restart_a_step_late(step, lr, period, final, restarts, growth, shrink):
    if not restarts or step == 0:
        return right_cosine(step, lr, period, final, restarts, growth, shrink)
    cycle, start, length = 0, 0.0, period
    while step > start + length * (1 + 1e-12):
        cycle, start, length = cycle + 1, start + length, length * growth
    return height((step - start) / length, final + (lr - final) * shrink**cycle, final)


def same_length(step, lr, period, final, restarts, growth, shrink):
    return right_cosine(step, lr, period, final, restarts, 1.0, shrink)


def grows_from_the_first(step, lr, period, final, restarts, growth, shrink):
    return right_cosine(step, lr, period * (growth if restarts else 1), final, restarts, growth, shrink)


def whole_steps(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth, whole=int)
    return height(done, final + (lr - final) * shrink**cycle, final)


def shrink_ignored(step, lr, period, final, restarts, growth, shrink):
    return right_cosine(step, lr, period, final, restarts, growth, 1.0)


def all_alike(step, lr, period, final, restarts, growth, shrink):
    return right_cosine(step, lr, period, final, restarts, 1.0, 1.0)


def shrinks_everything(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return height(done, lr, final) * shrink**cycle


def shrinks_all_along(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return height(done, final + (lr - final) * shrink ** (cycle + done if restarts else 0), final)


@step_by_step
def cosine_that_remembers(lr, period, final=0.0, restarts=False, growth=1.0, shrink=1.0):
    """The period that it is in is kept, and never goes back."""
    top, start, length = lr - final, 0.0, period

    def at(step):
        nonlocal top, start, length
        while restarts and step >= start + length * (1 - 1e-12):
            top, start, length = top * shrink, start + length, length * growth
        return height(min((step - start) / length, 1), final + top, final)

    return at


def in_degrees(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return final + (lr - final) * shrink**cycle * (1 + np.cos(180 * done)) / 2


def by_logarithm(slack):
    """The number of the cycle from the sum of a geometric series, whose logarithm may come out a little short."""

    def rule(step, lr, period, final, restarts, growth, shrink):
        if not restarts or growth == 1:
            return right_cosine(step, lr, period, final, restarts, growth, shrink)
        cycle = np.floor(np.log(1 + step * (growth - 1) / period) / np.log(growth) + slack)
        start = period * (growth**cycle - 1) / (growth - 1)
        return height((step - start) / (period * growth**cycle), final + (lr - final) * shrink**cycle, final)

    return rule


def by_sine(step, lr, period, final, restarts, growth, shrink):
    cycle, done = place(step, period, restarts, growth)
    return final + (lr - final) * shrink**cycle * np.cos(np.pi / 2 * done) ** 2


@step_by_step
def cosine_step_by_step(lr, period, final=0.0, restarts=False, growth=1.0, shrink=1.0):
    def at(step):
        top, length, left = lr - final, period, step
        while restarts and left >= length * (1 - 1e-12):
            left, length, top = left - length, length * growth, top * shrink
        return final + top * (0.5 + 0.5 * np.cos(np.pi * min(left / length, 1.0)))

    return at


def cosine_from_edges(lr, period, final=0.0, restarts=False, growth=1.0, shrink=1.0):
    def at(step):
        step = np.asarray(step, float)
        lengths = period * growth ** np.arange(60 if growth > 1 else 1 + int(step.max() // period) if restarts else 1)
        edges = np.concatenate([[0.0], np.cumsum(lengths)])
        cycle = np.searchsorted(edges, step * (1 + 1e-13), side="right") - 1 if restarts else np.zeros(step.shape, int)
        length = period * growth**cycle
        done = np.minimum((step - edges[cycle]) / length, 1)
        return (final + (lr - final) * shrink**cycle * (1 + np.cos(np.pi * done)) / 2)[()]

    return at


def cosine_calls(rng, **wanted):
    calls = []
    for growth in (2.0, draw.number(rng, 1.25, 1.75)):
        period = draw.whole(rng, 7, 40)
        options = {"final": draw.number(rng, 0.0003, 0.002)} if "final" in wanted else {}
        options |= {"restarts": True} if "restarts" in wanted else {}
        options |= {"growth": growth} if "growth" in wanted else {}
        options |= {"shrink": draw.number(rng, 0.3, 0.9)} if "growth" in wanted else {}
        g = options.get("growth", 1.0)
        ends = period, period * (1 + g), period * (1 + g + g**2)
        steps = [0, 1, *around(period / 3, *ends), int(ends[1]) + period // 3]
        calls.append(asked(Call(lr=draw.rate(rng), period=period, **options), steps))
    return calls


def far_restarts(rng):
    """Where the fourth period begins, and the sixth: log 10³ / log 10 comes out below 3, and log 3⁵ / log 3 below 5."""
    growth, period = float(rng.choice([3, 10])), draw.whole(rng, 3, 12)
    call = Call(lr=draw.rate(rng), period=period, restarts=True, growth=growth, shrink=draw.number(rng, 0.3, 0.9))
    return asked(call, period * np.cumsum(growth ** np.arange(5)))


COSINE = Exercise(
    reference=schedules.cosine,
    chapter=CHAPTER,
    title="Cosine, with restarts",
    difficulty=4,
    minutes=25,
    task=f"""Half a wave of a cosine from `lr` down to `final` in `period` steps, slow at both ends; then constant.

With `restarts=True` it begins again instead: step `period` has the rate `lr`, not `final`. Each period is then `growth`
times as long as the one before, not rounded, and begins `shrink` times as high *above `final`* as the one before.

{RETURNS} `growth` is at least 1, `period` and `shrink` are positive; you need not check that.""",
    example="""\
cosine(1.0, 4)(np.array([0, 2, 4, 6])).round(3)  # [1.  0.5 0.  0. ]
cosine(1.0, 4, restarts=True, growth=2)(np.array([0, 2, 4, 8, 12])).round(3)  # [1.  0.5 1.  0.5 1. ]""",
    groups=[
        Group("once", 1, lambda rng: cosine_calls(rng), "One half wave, then constant.", CLOSE),
        Group("to an end", 1, lambda rng: cosine_calls(rng, final=1), "To a rate that is not zero.", CLOSE),
        Group("again and again", 2, lambda rng: cosine_calls(rng, final=1, restarts=1), "With restarts.", CLOSE),
        Group(
            "longer and lower",
            2,
            lambda rng: [*cosine_calls(rng, final=1, restarts=1, growth=1), far_restarts(rng)],
            "Restarts with growth and shrink.",
            CLOSE,
        ),
    ],
    misconceptions=[
        *any_schedule(schedules.cosine),
        Misconception(
            "whole_wave",
            cosine_by(whole_wave),
            "Where is your rate after `period` steps: at the bottom, or back at the top?",
            "a whole wave went into a period",
            COSINES,
        ),
        Misconception(
            "quarter_wave",
            cosine_by(quarter_wave),
            "Is your curve flat where it ends?",
            "a quarter of a wave led down, steep at its end",
            COSINES,
        ),
        Misconception(
            "goes_on_as_a_wave",
            cosine_by(never_constant),
            "Without restarts: what is your rate after twice the period?",
            "the rate rose again after the period, although no restarts are asked for",
            COSINES,
            published="PyTorch's `CosineAnnealingLR`",
        ),
        Misconception(
            "final_added",
            cosine_by(final_added),
            "What is your rate at step 0, if final is not zero?",
            "`final` had been added to the whole curve",
            COSINES,
        ),
        Misconception(
            "final_ignored",
            cosine_by(final_ignored),
            "Where does your curve end?",
            "the curve always ended at zero",
            COSINES,
        ),
        Misconception(
            "always_restarts",
            cosine_by(always_restarts),
            "Without restarts, which rate has step `period`?",
            "it always began again",
            RESTARTS,
        ),
        Misconception(
            "never_restarts",
            cosine_by(never_restarts),
            "With restarts, which rate has step `period`?",
            "it never began again",
            RESTARTS,
        ),
        Misconception(
            "restart_a_step_late",
            cosine_by(restart_a_step_late),
            "How many steps has a period: do you count the one at its end?",
            "a restart came one step late, after a step at the very bottom",
            RESTARTS,
        ),
        Misconception(
            "growth_ignored",
            cosine_by(same_length),
            "With growth = 2, at which steps do the second and the third period begin?",
            "all periods were of the same length",
            RESTARTS,
        ),
        Misconception(
            "grows_from_the_first",
            cosine_by(grows_from_the_first),
            "With growth = 2, how long is your first period?",
            "the first period were already longer",
            RESTARTS,
        ),
        Misconception(
            "whole_steps",
            cosine_by(whole_steps),
            "With period 5 and growth = 1.5, how long is your third period?",
            "the length of a period were cut off to whole steps",
            RESTARTS,
        ),
        Misconception(
            "logarithm_rounded_down",
            cosine_by(by_logarithm(0.0)),
            "What is np.log(243) / np.log(3) in exact numbers, and what does Python make of its floor?",
            "a logarithm were exact, so that its floor is the number of the period",
            RESTARTS,
        ),
        Misconception(
            "shrink_ignored",
            cosine_by(shrink_ignored),
            "With shrink = 0.5, how high does your second period begin?",
            "every period began at lr",
            RESTARTS,
        ),
        Misconception(
            "all_periods_alike",
            cosine_by(all_alike),
            "Where in your function do `growth` and `shrink` stand?",
            "every period were as long and as high as the first",
            RESTARTS,
        ),
        Misconception(
            "shrinks_everything",
            cosine_by(shrinks_everything),
            "Does every period of yours end at `final`?",
            "the whole rate had been shrunk, not only its height above `final`",
            RESTARTS,
        ),
        Misconception(
            "shrinks_all_along",
            cosine_by(shrinks_all_along),
            "With shrink = 0.5, how high above `final` is your rate in the middle of the first period?",
            "`shrink` made the curve lower all along, and not at restarts alone",
            RESTARTS,
        ),
        Misconception(
            "remembers_the_period",
            cosine_that_remembers,
            "Ask for step 100, and then for step 3. In which period do you look for step 3?",
            "steps were only ever asked for in rising order: the period once reached is kept",
            FUNCTION,
        ),
        Misconception(
            "degrees",
            cosine_by(in_degrees),
            "What does np.cos take: degrees?",
            "the angle were in degrees",
            COSINES,
        ),
    ],
    variants=[
        Variant("the square of half the angle", cosine_by(by_sine)),
        Variant("step by step", cosine_step_by_step),
        Variant("by a logarithm with some slack", cosine_by(by_logarithm(1e-9))),
        Variant("from the edges of the cycles", cosine_from_edges),
    ],
    hints=[
        Hint("First find out how much of its period is done, a number from 0 to 1. The rest is one line."),
        Hint(
            'Look at "Cosine: soft at both ends" and "Warm restarts". Which period does a step lie in, and where does '
            "that one begin?"
        ),
        Hint(
            "A sibling, hours of a clock that gets slower:\n\n"
            "    day, start, length = 0, 0, 24\n"
            "    while hour >= start + length:\n"
            "        day, start, length = day + 1, start + length, 2 * length"
        ),
        Hint(
            "for each step: cycle, start and length of its period (0, 0, period without restarts); "
            "done = (step − start) / length, at most 1; "
            "return final + (lr − final) × shrink^cycle × (1 + cos(π done)) / 2"
        ),
    ],
    equivalent=equivalent.POSITIVE | equivalent.COSINE,
)
