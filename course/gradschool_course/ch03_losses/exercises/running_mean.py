"""RunningMean: the mean over samples of what arrives batch by batch."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Script, Variant

from .accuracy import CLOSE
from .regression import CHAPTER

UNEVEN = "Means over uneven batches"


# --------------------------------------------------------------------------------------------------------- RunningMean
class MeanOfMeans:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value
            self.count += 1

    def result(self):
        return self.total / self.count if self.count else float("nan")


class DropsShortBatches:
    def __init__(self):
        self.total, self.count, self.size = 0.0, 0, 0

    def update(self, value, n=1):
        self.size = max(self.size, n)
        if n > 0 and n == self.size:
            self.total += value * n
            self.count += n

    def result(self):
        return self.total / self.count if self.count else float("nan")


class CountsFullBatches:
    def __init__(self):
        self.total, self.count, self.size = 0.0, 0, 0

    def update(self, value, n=1):
        self.size = self.size or n
        if n > 0:
            self.total += value * n
            self.count += self.size

    def result(self):
        return self.total / self.count if self.count else float("nan")


class Latest:
    def __init__(self):
        self.value = float("nan")

    def update(self, value, n=1):
        if n > 0:
            self.value = float(value)

    def result(self):
        return self.value


class Halved:
    """The mean of the mean so far and the new value: the last batch always weighs one half."""

    def __init__(self):
        self.value = float("nan")

    def update(self, value, n=1):
        if n > 0:
            self.value = float(value) if self.value != self.value else (self.value + value) / 2

    def result(self):
        return self.value


class OneAtATime:
    """The step of a running mean for a single sample, taken for a batch of n."""

    def __init__(self):
        self.count, self.mean = 0, 0.0

    def update(self, value, n=1):
        if n > 0:
            self.count += n
            self.mean += (value - self.mean) / self.count

    def result(self):
        return self.mean if self.count else float("nan")


class WeighsByTheLastBatch:
    """What came before the last batch counts only as much as that batch."""

    def __init__(self):
        self.count, self.mean = 0, 0.0

    def update(self, value, n=1):
        if n > 0:
            self.mean = (self.mean * self.count + value * n) / (self.count + n)
            self.count = n

    def result(self):
        return self.mean if self.count else float("nan")


class SumOnly:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value
            self.count += n

    def result(self):
        return self.total / self.count if self.count else float("nan")


class ZeroAtFirst:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value * n
            self.count += n

    def result(self):
        return self.total / max(self.count, 1)


class DividesByNothing:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value * n
            self.count += n

    def result(self):
        return self.total / self.count


class PoisonedByNothing:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        self.total += value * n
        self.count += n

    def result(self):
        return self.total / self.count if self.count else float("nan")


class SkipsZeros:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if value and n:
            self.total += value * n
            self.count += n

    def result(self):
        return self.total / self.count if self.count else float("nan")


class NoTotalIsNoMean:
    """Asks the sum, and not the count, whether there was a sample."""

    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value * n
            self.count += n

    def result(self):
        return self.total / self.count if self.total else float("nan")


class BeginsAgainAtZero:
    """Asks the mean so far, and not the count, whether this is the first batch."""

    def __init__(self):
        self.mean, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.count = self.count + n if self.mean else n
            self.mean += (value - self.mean) * n / self.count

    def result(self):
        return self.mean if self.count else float("nan")


class SkipsNan:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if not np.isnan(value):
            self.total += value * n
            self.count += n

    def result(self):
        return self.total / self.count if self.count else float("nan")


class Rounded:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value * n
            self.count += n

    def result(self):
        return round(self.total / self.count, 2) if self.count else float("nan")


class ClearsItself:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            self.total += value * n
            self.count += n

    def result(self):
        mean = self.total / self.count if self.count else float("nan")
        self.total, self.count = 0.0, 0
        return mean


class Shared:
    """The sums live in the class, where every new object starts them over and all objects add to them."""

    total, count = 0.0, 0

    def __init__(self):
        Shared.total, Shared.count = 0.0, 0

    def update(self, value, n=1):
        if n > 0:
            Shared.total += value * n
            Shared.count += n

    def result(self):
        return Shared.total / Shared.count if Shared.count else float("nan")


class Incremental:
    """The mean moves towards the new value by the new batch's share."""

    def __init__(self):
        self.count, self.mean = 0, float("nan")

    def update(self, value, n=1):
        if n > 0:
            self.count += n
            self.mean = value if self.count == n else self.mean + (value - self.mean) * n / self.count

    def result(self):
        return self.mean


class KeepsAll:
    def __init__(self):
        self.values, self.sizes = [], []

    def update(self, value, n=1):
        if n > 0:
            self.values.append(float(value))
            self.sizes.append(n)

    def result(self):
        return np.average(self.values, weights=self.sizes) if self.values else np.nan


class WithArrays:
    def __init__(self):
        self.sums = np.zeros(2)

    def update(self, value, n=1):
        self.sums += [n * value if n else 0.0, n]

    def result(self):
        return self.sums[0] / self.sums[1] if self.sums[1] else np.float64("nan")


def batches(rng, sizes):
    return [("update", (float(rng.uniform(0.1, 0.9)), int(n))) for n in sizes]


def uneven(rng):
    n, k = int(rng.integers(20, 40)), int(rng.integers(3, 9))
    epoch = [*batches(rng, [n, n, n, k]), ("result", ())]
    zero = ("update", (0.0, int(rng.integers(5, 12))))  # as an accuracy of batches without a right answer
    mixed = [*batches(rng, rng.permutation([5, 17, 3, 29])), ("result", ()), zero, ("result", ())]
    return [Script(calls=epoch), Script(calls=mixed), *means_of_zero(rng)]


def means_of_zero(rng):
    """A first batch without a right answer, and two batches whose values cancel: a mean of 0 is one, too."""
    n, value = int(rng.integers(5, 12)), int(rng.integers(1, 8)) / 8  # in eighths, so that the sum is exactly 0
    unlucky = [("update", (0.0, n)), ("result", ()), *batches(rng, [7, 2]), ("result", ())]
    cancelled = [("update", (value, n)), ("update", (-value, n)), ("result", ()), *batches(rng, [4]), ("result", ())]
    return [Script(calls=unlucky), Script(calls=cancelled)]


def single_samples(rng):
    values = [("update", (float(v),)) for v in rng.normal(size=4)]
    return [Script(calls=[*values, ("result", ()), *batches(rng, [7]), ("result", ())]),
            Script(calls=[*batches(rng, [6]), ("result", ())])]  # fmt: skip


def nothing(rng):
    after = [*batches(rng, [4, 9]), ("result", ()), ("update", (float("nan"), 0)), ("result", ())]
    spoiled = [*batches(rng, [3]), ("update", (float("nan"), 5)), ("result", ()), *batches(rng, [8]), ("result", ())]
    return [Script(calls=[("result", ()), *after]), Script(calls=spoiled)]


def two_objects(rng):
    mine, others = batches(rng, [8, 8, 3]), batches(rng, [5, 2])
    calls = [*mine[:2], *[(f"2.{name}", args) for name, args in others], mine[2], ("result", ()), ("2.result", ()),
             ("result", ())]  # fmt: skip
    return [Script(calls=calls, others=1)]


running_mean = Exercise(
    reference=gs.RunningMean,
    chapter=CHAPTER,
    title="A mean over batches",
    task="""
    A class that gives the mean over all samples of a value that arrives batch by batch.

    - `update(value, n=1)` takes in a batch of `n` samples whose mean is `value`, and returns nothing; a batch of no
      samples changes nothing, whatever its value, and one of some samples counts, whatever its value: a nan in it makes
      the mean nan
    - `result()` returns the mean over all samples so far as a number, not rounded, and changes nothing; nan if there
      were none
    - two objects know nothing of each other
    """,
    example="mean = RunningMean()\nmean.update(1.0, 4)\nmean.update(0.0, 1)\nmean.result()  # 0.8",
    difficulty=2,
    minutes=10,
    groups=[
        Group("uneven", 2, uneven, "Batches of different sizes, as at the end of an epoch; a mean of 0.", CLOSE),
        Group("samples", 1, single_samples, "Single samples, then a batch.", CLOSE),
        Group("nothing", 1, nothing, "No samples yet, a batch without samples, and one whose mean is nan.", CLOSE),
        Group("two_objects", 1, two_objects, "Two means at a time; a result that is asked for twice.", CLOSE),
    ],
    misconceptions=[
        Misconception(
            "mean_of_batch_means",
            MeanOfMeans,
            "32 samples with 1.0, then a last batch of one sample with 0.0. What is the mean of the 33?",
            "every batch counted the same, however many samples it had",
            UNEVEN,
        ),
        Misconception(
            "drops_short_batches",
            DropsShortBatches,
            "The last batch has 5 samples only. Do they belong to the epoch?",
            "batches shorter than the largest one were left out",
            UNEVEN,
        ),
        Misconception(
            "counts_full_batches",
            CountsFullBatches,
            "How many samples does your divisor count for the last, short batch?",
            "every batch were as long as the first one when it came to dividing",
            UNEVEN,
        ),
        Misconception(
            "latest",
            Latest,
            "After two batches, what is left in your object of the first one?",
            "only the latest batch counted",
            UNEVEN,
        ),
        Misconception(
            "halved",
            Halved,
            "Three batches of one sample each: which share has the first one in your mean?",
            "each new value were averaged with the mean so far",
            UNEVEN,
        ),
        Misconception(
            "one_at_a_time",
            OneAtATime,
            "One sample with 1.0, then 99 with 0.0 as one batch. How far does your mean move towards 0?",
            "a batch moved the mean only as far as a single sample does",
            UNEVEN,
        ),
        Misconception(
            "weighs_by_the_last_batch",
            WeighsByTheLastBatch,
            "Three batches have come: how many samples stand behind your mean when the fourth arrives?",
            "the mean so far counted only as much as the last batch, however many came before it",
            UNEVEN,
        ),
        Misconception(
            "value_not_weighed",
            SumOnly,
            "`value` is the mean of n samples. What is the sum of these n samples?",
            "the batch's mean were added as if it were the batch's sum",
            UNEVEN,
        ),
        Misconception(
            "zero_at_first",
            ZeroAtFirst,
            "Is an accuracy of 0 the same as not knowing it?",
            "the mean of nothing were 0",
            UNEVEN,
        ),
        Misconception(
            "divides_by_nothing",
            DividesByNothing,
            "What does Python make of 0.0 / 0?",
            "there always were a sample",
            UNEVEN,
        ),
        Misconception(
            "poisoned_by_nothing",
            PoisonedByNothing,
            "What is 0 times nan?",
            "a batch without samples counted, so that its nan spread",
            UNEVEN,
        ),
        Misconception(
            "skips_zeros",
            SkipsZeros,
            "A batch in which no answer is right has an accuracy of 0. What is `if value`, and do its samples count?",
            "a batch whose mean is 0 were a batch without samples",
            UNEVEN,
        ),
        Misconception(
            "no_total_no_mean",
            NoTotalIsNoMean,
            "After a batch without a right answer your sum is 0. Which of your two numbers tells that from no batch?",
            "a mean of 0 were none",
            UNEVEN,
        ),
        Misconception(
            "begins_again_at_zero",
            BeginsAgainAtZero,
            "The mean so far is 0. How does your object know whether there has been a batch yet?",
            "a mean of 0 said that nothing had arrived yet",
            UNEVEN,
        ),
        Misconception(
            "skips_nan",
            SkipsNan,
            "The loss of a batch of 32 samples is nan. Should the mean of the epoch hide it?",
            "a batch whose mean is nan had no samples",
            UNEVEN,
        ),
        Misconception(
            "rounded",
            Rounded,
            "Who should decide on the number of decimals: the metric, or who prints it?",
            "the mean were rounded to two decimals",
            UNEVEN,
        ),
        Misconception(
            "clears_itself",
            ClearsItself,
            "Ask twice for the result: why should the answers differ?",
            "asking for the result started over",
            UNEVEN,
        ),
        Misconception(
            "shared",
            Shared,
            "Where do the sums live: in the object, or in the class that all objects share?",
            "all objects shared their sums",
            UNEVEN,
        ),
    ],
    variants=[
        Variant("incremental", Incremental),
        Variant("keeps_all", KeepsAll),
        Variant("arrays", WithArrays),
    ],
    hints=[
        Hint("Two numbers are enough to remember. Which two give the mean at any time?"),
        Hint('Look at "Means over uneven batches": a mean times the number of samples is what?'),
        Hint(
            "A worked sibling, the largest value so far:\n\n"
            '    class RunningMax:\n        def __init__(self):\n            self.largest = float("-inf")\n\n'
            "        def update(self, value):\n            self.largest = max(self.largest, value)\n\n"
            "        def result(self):\n            return self.largest"
        ),
        Hint(
            "    __init__: sum of all samples = 0, number of samples = 0\n"
            "    update: unless n is 0, add what the batch adds to each\n    result: their quotient, or nan"
        ),
    ],
    not_bugs={
        "argmax axis": "no classes are chosen",
        "compares one-hot to probs": "values come in, no probabilities",
        "binary threshold `>`/`>=`": "nothing is decided",
    },
)
