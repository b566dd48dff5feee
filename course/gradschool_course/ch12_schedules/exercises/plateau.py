"""ReduceOnPlateau: a rate that waits for what was measured."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np

from gradschool.lessons.plateau import ReduceOnPlateau
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Script, Variant

from . import draw, equivalent
from .common import PLATEAU
from .draw import CHAPTER, CLOSE


# ---------------------------------------------------------------------------------------------- how plateaus go wrong
class Counting:
    """What all wrong ones share; each says by itself what an update does."""

    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        self.lr, self.factor, self.patience, self.min_delta = lr, factor, patience, min_delta
        self.cooldown, self.min_lr = cooldown, min_lr
        self.best, self.wait, self.rest = float("inf"), 0, 0

    def improved(self, value):
        return value < self.best - self.min_delta

    def note(self, value):
        if self.improved(value):
            self.best, self.wait = value, 0
        elif self.rest == 0:
            self.wait += 1

    def due(self):
        return self.wait >= self.patience

    def reduce(self):
        self.lr = min(self.lr, max(self.lr * self.factor, self.min_lr))
        self.wait, self.rest = 0, self.cooldown

    def update(self, value):
        self.rest = max(self.rest - 1, 0)
        self.note(value)
        if self.due():
            self.reduce()
        return self.lr


class ComparesWithPrevious(Counting):
    def note(self, value):
        super().note(value)
        self.best = value


class OneEpochLate(Counting):
    def due(self):
        return self.wait > self.patience


class OneEpochEarly(Counting):
    def due(self):
        return self.wait >= self.patience - 1


class NeverForgets(Counting):
    """Epochs without improvement are counted in all, not in a row."""

    def note(self, value):
        if self.improved(value):
            self.best = value
        elif self.rest == 0:
            self.wait += 1


class WaitStays(Counting):
    """After the first reduction every further epoch reduces again."""

    def reduce(self):
        self.lr = min(self.lr, max(self.lr * self.factor, self.min_lr))
        self.rest = self.cooldown


class BestStays(Counting):
    def note(self, value):
        if self.improved(value):
            self.best = value if self.best == float("inf") else self.best
            self.wait = 0
        elif self.rest == 0:
            self.wait += 1


class ForgetsBest(Counting):
    """Not only the counting begins anew after a reduction, but also the search for a best value."""

    def reduce(self):
        super().reduce()
        self.best = float("inf")


class BeginsFromHere(Counting):
    """After a reduction the value of that epoch is the best so far."""

    def update(self, value):
        self.rest = max(self.rest - 1, 0)
        self.note(value)
        if self.due():
            self.reduce()
            self.best = value if value == value else self.best
        return self.lr


class AnyDrop(Counting):
    def improved(self, value):
        return value < self.best


class RelativeDelta(Counting):
    def improved(self, value):
        return value < self.best * (1 - self.min_delta) if self.best < float("inf") else value < self.best


class DeltaAdded(Counting):
    def improved(self, value):
        return value < self.best + self.min_delta


class ZeroIsNoBest(Counting):
    """Asks the best value itself whether there is one."""

    def improved(self, value):
        return not self.best or value < self.best - self.min_delta


class ZeroIsNoValue(Counting):
    def improved(self, value):
        return bool(value) and value < self.best - self.min_delta


class Shared(Counting):
    """Best value and counts stand in the class; a new object sets them back for all."""

    memory: ClassVar[tuple[float, int, int]]

    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        super().__init__(lr, factor, patience, min_delta, cooldown, min_lr)
        Shared.memory = self.best, self.wait, self.rest

    def update(self, value):
        self.best, self.wait, self.rest = Shared.memory
        rate = super().update(value)
        Shared.memory = self.best, self.wait, self.rest
        return rate


class Larger(Counting):
    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        super().__init__(lr, factor, patience, min_delta, cooldown, min_lr)
        self.best = -float("inf")

    def improved(self, value):
        return value > self.best + self.min_delta


class NoFloor(Counting):
    def reduce(self):
        self.lr = self.lr * self.factor
        self.wait, self.rest = 0, self.cooldown


class StopsAbove(Counting):
    """Does not reduce at all where the new rate would be below the floor."""

    def reduce(self):
        if self.lr * self.factor >= self.min_lr:
            self.lr = self.lr * self.factor
        self.wait, self.rest = 0, self.cooldown


class RaisesToFloor(Counting):
    def reduce(self):
        self.lr = max(self.lr * self.factor, self.min_lr)
        self.wait, self.rest = 0, self.cooldown


class NoCooldown(Counting):
    def reduce(self):
        self.lr = min(self.lr, max(self.lr * self.factor, self.min_lr))
        self.wait, self.rest = 0, 0


class BlindWhileResting(Counting):
    """Does not even notice a new best value while it rests."""

    def update(self, value):
        if self.rest > 0:
            self.rest -= 1
            if self.rest > 0:
                return self.lr
        return super().update(value)


class Subtracts(Counting):
    def reduce(self):
        self.lr = min(self.lr, max(self.lr - self.factor * self.lr, self.min_lr))
        self.wait, self.rest = 0, self.cooldown


class NaNImproves(Counting):
    def update(self, value):
        if not value >= self.best - self.min_delta:
            self.rest = max(self.rest - 1, 0)
            self.best, self.wait = value, 0
            return self.lr
        return super().update(value)


class FirstIsBest(Counting):
    """The first value is the best so far, whatever it is."""

    def improved(self, value):
        first = not hasattr(self, "seen")
        self.seen = True
        return first or super().improved(value)


class Silent(Counting):
    def update(self, value):
        super().update(value)


# -------------------------------------------------------------------------------------------------------- right others
class ByHistory:
    """Keeps all values, and looks back."""

    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        self.lr, self.options = lr, (factor, patience, min_delta, cooldown, min_lr)
        self.best, self.counted, self.asleep = None, [], 0

    def update(self, value):
        factor, patience, min_delta, cooldown, min_lr = self.options
        self.asleep -= self.asleep > 0
        better = value == value and (self.best is None or self.best - value > min_delta)
        if better:
            self.best = value
        if better or not self.asleep:
            self.counted.append(better)
        if len(self.counted) >= patience and not any(self.counted[-patience:]):
            self.lr = self.lr if self.lr < min_lr else max(min_lr, factor * self.lr)
            self.counted, self.asleep = [], cooldown
        return self.lr


class ByCountdown:
    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        self.lr, self.factor, self.min_delta, self.min_lr = lr, factor, min_delta, min_lr
        self.patience, self.cooldown = patience, cooldown
        self.limit, self.left, self.quiet = np.inf, patience, 0

    def update(self, value):
        if self.quiet:
            self.quiet -= 1
        if value < self.limit:
            self.limit, self.left = value - self.min_delta, self.patience
        elif not self.quiet:
            self.left -= 1
        if self.left <= 0:
            if self.lr > self.min_lr:
                self.lr = max(self.lr * self.factor, self.min_lr)
            self.left, self.quiet = self.patience, self.cooldown
        return self.lr


class ByState:
    """The pure pair of functions, wrapped."""

    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        self.keep = {"lr": lr, "best": np.inf, "wait": 0, "rest": 0}
        self.options = {"factor": factor, "patience": patience, "delta": min_delta, "cool": cooldown, "min": min_lr}

    @property
    def lr(self):
        return self.keep["lr"]

    def update(self, value):
        s, o = dict(self.keep), self.options
        s["rest"] = max(0, s["rest"] - 1)
        if s["best"] - o["delta"] > value:
            s.update(best=value, wait=0)
        else:
            s["wait"] += 0 if s["rest"] else 1
        if s["wait"] == o["patience"]:
            s.update(lr=min(s["lr"], max(o["min"], o["factor"] * s["lr"])), wait=0, rest=o["cool"])
        self.keep = s
        return s["lr"]


# ------------------------------------------------------------------------------------------------- how they are probed
LONG = 7  # epochs without an improvement


def story(rng, gaps, size):
    """Values of epochs: improvements by about `size`, each followed by so many epochs without one.

    In a long gap they fall towards the best: each is better than the one before it, and none is the best.
    """
    best, values = draw.number(rng, 3, 5), []
    for gap in gaps:
        best -= size * draw.number(rng, 1.5, 2.5)
        values.append(best)
        others = [best + draw.number(rng, 0.001, 0.6) for _ in range(gap)]
        values += sorted(others, reverse=True) if gap >= LONG else others
    return values


def told(rng, gaps, size=0.1, values=None, **options):
    new = {"lr": draw.rate(rng), "factor": draw.number(rng, 0.3, 0.8), "patience": 3, **options}
    values = story(rng, gaps, size) if values is None else values
    calls = [("update", (value,)) for value in values]
    return Script(new=new, calls=[("lr", None), *calls, ("lr", None)])


def two_objects(rng):
    """The values of one are far below those of the other, and improve while the others do not."""
    mine = told(rng, [2, 1, 5], patience=4)
    others = [(f"2.{name}", (0.1 * args[0],) if args else None) for name, args in told(rng, [0, 0, 3, 6]).calls]
    pairs = itertools.zip_longest(mine.calls, others)
    return Script(new=mine.new, calls=[call for pair in pairs for call in pair if call], others=1)


def through_zero(rng):
    """A best value of 0 is one, and so is a negative one."""
    above, below = rng.uniform(0.1, 0.6, size=(2, 4)).tolist()
    return told(rng, [], values=[1.0, 1.5, 1.25, 0.0, *above, -1.0, *(value - 0.7 for value in below)])


def waits(rng):
    return [told(rng, [2, 1, 3, 2, 4, 7]), two_objects(rng), told(rng, [1, 2, 1, 2], patience=2), through_zero(rng)]


def deltas(rng):
    creeping = (5.0 - np.cumsum(rng.uniform(0.01, 0.014, size=14))).tolist()  # four of these make an improvement
    exactly = [9.0, 8.5, 8.5, 8.5, 8.5, 8.0]
    return [
        told(rng, [], values=creeping, min_delta=0.05),
        told(rng, [2, 3, 1, 5], size=0.3, min_delta=0.2),
        told(rng, [], values=[9.0, 8.97, 8.9, 8.95, 8.94, 8.93, 8.92, 8.94, 8.93], min_delta=0.05),
        told(rng, [], values=exactly, min_delta=0.5),
        told(rng, [1, 2, 0, 1, 3], size=2e-5, min_delta=0.0),
    ]


def floors(rng):
    lr = draw.rate(rng)
    return [
        told(rng, [16], lr=lr, factor=0.5, min_lr=0.3 * lr),
        told(rng, [8], lr=lr, factor=0.5, min_lr=2 * lr),
    ]


def rests(rng):
    late = [1.0, 2.0, 2.0, 2.0, 2.0, 0.5, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    return [told(rng, [3, 12], cooldown=3), told(rng, [], values=late, cooldown=4), told(rng, [5, 9], cooldown=1)]


def not_numbers(rng):
    nan = float("nan")
    values = [1.0, nan, nan, 0.5, nan, nan, nan, 0.6, 0.4, 0.3, nan, 0.7, 0.8]
    return [told(rng, [], values=values), told(rng, [], values=[nan, nan, nan, 1.0, nan, nan, 2.0, 0.5, nan])]


def as_it_comes(rng):
    """Defaults show where a drop is just too small to count, or just large enough."""
    slowly = (2.0 - np.cumsum(rng.uniform(4e-6, 7e-6, size=13))).tolist()
    steps = [2.0 - 1.5e-4 * (k // 9) for k in range(31)]
    values = [story(rng, [3, 11, 21], 1e-3), slowly, steps, [2.0] + [1.9] * 12]
    return [Script(new={"lr": draw.rate(rng)}, calls=[("update", (v,)) for v in told]) for told in values]


REDUCE_ON_PLATEAU = Exercise(
    reference=ReduceOnPlateau,
    chapter=CHAPTER,
    title="Reduce on a plateau",
    difficulty=4,
    minutes=25,
    task="""A class that is told a value after every epoch, `update(value)`, and returns the rate for the next; the
attribute `lr` is that rate, too. Small values are good. When the value has not *improved* for `patience` epochs in a
row, the rate is multiplied by `factor`, and counting begins anew.

- A value improves if it is more than `min_delta` below the best so far, and is then the best. NaN is no improvement.
- The rate does not fall below `min_lr`; a rate that is below it from the start stays.
- After a reduction `cooldown` epochs are not counted as waiting, the one of the reduction included. A new best among
  them is one.
- Two objects know nothing of each other.""",
    example="""\
plateau = ReduceOnPlateau(0.1, factor=0.5, patience=2)
[plateau.update(value) for value in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9)]  # [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]""",
    groups=[
        Group("patience", 2, waits, "Epochs without improvement, in a row.", CLOSE),
        Group("min_delta", 1, deltas, "Improvements that are too small to count.", CLOSE),
        Group("min_lr", 1, floors, "A rate that must not fall further.", CLOSE),
        Group("cooldown", 1, rests, "Epochs after a reduction.", CLOSE),
        Group("nan", 1, not_numbers, "Values that are no numbers.", CLOSE),
        Group("defaults", 1, as_it_comes, "Without any option.", CLOSE),
    ],
    pure=False,
    equivalent=equivalent.PLATEAU,
    misconceptions=[
        Misconception(
            "compares_with_previous",
            ComparesWithPrevious,
            "The values go 1.0, 1.4, 1.3, 1.2, 1.1: is any of these an improvement?",
            "each value were compared with the one before it and not with the best",
            PLATEAU,
        ),
        Misconception(
            "one_epoch_late",
            OneEpochLate,
            "With patience 2: after how many epochs without improvement do you reduce? PyTorch waits for one more.",
            "the rate were reduced one epoch late",
            PLATEAU,
            published="PyTorch's `ReduceLROnPlateau`",
        ),
        Misconception(
            "one_epoch_early",
            OneEpochEarly,
            "With patience 2: after how many epochs without improvement do you reduce?",
            "the rate were reduced one epoch early",
            PLATEAU,
        ),
        Misconception(
            "not_in_a_row",
            NeverForgets,
            "Two epochs without improvement, then a new best: how many have you counted now?",
            "a new best did not set the count of waiting epochs back",
            PLATEAU,
        ),
        Misconception(
            "reduces_every_epoch",
            WaitStays,
            "After a reduction, how many epochs do you wait before the next?",
            "the count were not set back after a reduction",
            PLATEAU,
        ),
        Misconception(
            "best_stays",
            BestStays,
            "Which value do you compare the third improvement with?",
            "the best value were never replaced after the first",
            PLATEAU,
        ),
        Misconception(
            "forgets_best",
            ForgetsBest,
            "The best was 1.0, then the rate is reduced. Is the next value, 1.3, an improvement?",
            "a reduction made it forget the best value",
            PLATEAU,
        ),
        Misconception(
            "begins_from_here",
            BeginsFromHere,
            "The best was 1.0, and at 1.4 the rate is reduced. Is the next value, 1.3, an improvement?",
            "after a reduction the value of that epoch were the best so far",
            PLATEAU,
        ),
        Misconception(
            "min_delta_ignored",
            AnyDrop,
            "A value that is a millionth below the best: does it stop your waiting?",
            "every drop counted as an improvement, however small",
            PLATEAU,
        ),
        Misconception(
            "relative_delta",
            RelativeDelta,
            "With the best at 5 and min_delta = 0.05: from which value on do you see an improvement?",
            "min_delta were a part of the best value",
            PLATEAU,
            published="PyTorch's `ReduceLROnPlateau`, with its relative threshold",
        ),
        Misconception(
            "delta_added",
            DeltaAdded,
            "Can a value above the best be an improvement with you?",
            "min_delta had been added to the best in the place of subtracted",
            PLATEAU,
        ),
        Misconception(
            "zero_is_no_best",
            ZeroIsNoBest,
            "The best value is 0.0. What is `not self.best` then, and is every value better?",
            "a best value of 0 meant that there was none yet",
            PLATEAU,
        ),
        Misconception(
            "zero_is_no_value",
            ZeroIsNoValue,
            "The value is 0.0, and the best was 1.0. What is `if value`, and has it improved?",
            "a value of 0 were none",
            PLATEAU,
        ),
        Misconception(
            "larger_is_better",
            Larger,
            "It is a loss that you are told. Which values are good ones?",
            "large values were the good ones",
            PLATEAU,
        ),
        Misconception(
            "no_floor",
            NoFloor,
            "How small does your rate become after many reductions?",
            "min_lr made no difference",
            PLATEAU,
        ),
        Misconception(
            "stops_above_the_floor",
            StopsAbove,
            "Where a reduction would go below min_lr, which rate do you return: the old one, or min_lr?",
            "a reduction that would go below min_lr were left out",
            PLATEAU,
        ),
        Misconception(
            "raised_to_the_floor",
            RaisesToFloor,
            "Can your rate rise?",
            "a rate below min_lr were raised to it",
            PLATEAU,
        ),
        Misconception(
            "cooldown_ignored",
            NoCooldown,
            "With cooldown = 3, after how many epochs can the next reduction come at the earliest?",
            "cooldown made no difference",
            PLATEAU,
        ),
        Misconception(
            "blind_while_resting",
            BlindWhileResting,
            "A new best comes during the cooldown. Which value do you compare the next one with?",
            "values during the cooldown were not looked at",
            PLATEAU,
        ),
        Misconception(
            "factor_subtracted",
            Subtracts,
            "With factor = 0.3, is a third of the rate left, or a third gone?",
            "`factor` were the part of the rate that goes, not the part that stays",
            PLATEAU,
        ),
        Misconception(
            "nan_improves",
            NaNImproves,
            "What is `nan >= 1`? And what does your comparison make of it?",
            "NaN counted as an improvement",
            PLATEAU,
        ),
        Misconception(
            "first_is_best",
            FirstIsBest,
            "The very first value is NaN. Is it your best, and is 1.0 < NaN?",
            "the first value were the best so far even if it is NaN",
            PLATEAU,
        ),
        Misconception(
            "nothing_returned",
            Silent,
            "What does `update` give back to the loop?",
            "update returned nothing",
            PLATEAU,
        ),
        Misconception(
            "shared",
            Shared,
            "Where does the best value live: in the object, or in the class that all objects share?",
            "all objects shared their best value and their counts",
            PLATEAU,
        ),
    ],
    variants=[
        Variant("from the history of values", ByHistory),
        Variant("counting down", ByCountdown),
        Variant("a state that is replaced", ByState),
    ],
    hints=[
        Hint("Three things must be remembered: the best value, how long there was none, how long to rest."),
        Hint('Look at "Waiting for a plateau": the table follows them through eight epochs.'),
        Hint(
            "A sibling, a dog that barks after three days without a walk:\n\n"
            "    def day(self, walked):\n        self.days = 0 if walked else self.days + 1\n"
            "        if self.days >= 3:\n            self.barks, self.days = self.barks + 1, 0"
        ),
        Hint(
            "update: rest less one, not below 0; if value < best − min_delta: new best, wait = 0; else if not resting: "
            "wait + 1; if wait has reached patience: lr times factor, not below min_lr, wait = 0, rest = cooldown; "
            "return lr"
        ),
    ],
)
