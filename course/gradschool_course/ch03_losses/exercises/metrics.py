"""accuracy, mae_metric and RunningMean: what people want to know, whether or not it can be differentiated."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Script, Tolerance, Variant

from . import draw
from .regression import CHAPTER

COUNTING = "Counting right answers"
UNEVEN = "Means over uneven batches"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------------------------------------ accuracy
def labels_of(P, T):
    return np.argmax(T, axis=-1) if T.shape == P.shape else T


def at_least_half(p):
    return p >= 0.5


def first_largest(P, T):
    return np.argmax(P, axis=-1)


def accuracy_with(classes, yes=at_least_half):
    """Right where `classes(P, T)` are T's; with one probability an observation, where `yes(p)` is."""

    def answer(P, T):
        right = yes(P) == T if P.ndim == 1 else classes(P, T) == labels_of(P, T)
        return float(np.mean(right))

    return answer


def more_than_half(p):
    return p > 0.5


def last_largest(P, T):
    return P.shape[-1] - 1 - np.argmax(P[..., ::-1], axis=-1)


def over_the_batch(P, T):
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == T))
    classes, labels = np.argmax(P, axis=0), np.argmax(T, axis=0) if T.shape == P.shape else T
    n = min(classes.size, labels.size)
    return float(np.mean(classes.ravel()[:n] == labels.ravel()[:n]))


def compares_rows_with_probabilities(P, T):
    if P.ndim == 1 or T.shape != P.shape:
        return accuracy_with(first_largest)(P, T)
    return float(np.mean(P == T))


def rounds_probabilities(P, T):
    if P.ndim == 1:
        return float(np.mean(np.round(P) == T))
    rows = T if T.shape == P.shape else np.eye(P.shape[-1])[T]
    return float(np.mean(np.all(np.round(P) == np.round(rows), axis=-1)))


def argmax_of_targets_always(P, T):
    """The largest entry of T, also where T holds class numbers already."""
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == T))
    return float(np.mean(np.argmax(P, axis=-1) == np.argmax(T, axis=-1)))


def counted(P, T):
    if P.ndim == 1:
        return float(np.sum((P >= 0.5) == T))
    return float(np.sum(np.argmax(P, axis=-1) == labels_of(P, T)))


def rounded_to_percent(P, T):
    return round(accuracy_with(first_largest)(P, T), 2)


def error_rate(P, T):
    return 1.0 - accuracy_with(first_largest)(P, T)


def accuracy_loop(P, T):
    """Answer by answer."""
    hits = []
    if P.ndim == 1:
        hits = [int(p >= 0.5) == int(t) for p, t in zip(P, T, strict=True)]
        return sum(hits) / len(hits)
    for index in np.ndindex(*P.shape[:-1]):
        row = list(P[index])
        label = list(T[index]).index(max(T[index])) if T.shape == P.shape else int(T[index])
        hits.append(row.index(max(row)) == label)
    return sum(hits) / len(hits)


def accuracy_by_count(P, T):
    if P.ndim == 1:
        return np.float64(1 - np.count_nonzero((P >= 0.5) != T) / T.size)
    labels = labels_of(P, T)
    return np.float64(np.count_nonzero(P.argmax(-1) == labels) / labels.size)


def accuracy_by_one_hot(P, T):
    """The one-hot rows of the answers, multiplied with those of the targets."""
    if P.ndim == 1:
        answers = (P >= 0.5).astype(float)
        return np.mean(answers * T + (1 - answers) * (1 - T))
    K = P.shape[-1]
    labels = np.ravel(labels_of(P, T))
    return np.einsum("nk,nk->", np.eye(K)[np.ravel(P.argmax(-1))], np.eye(K)[labels]) / labels.size


def mostly_right(rng, shape):
    """Probabilities and class numbers that agree in about half of the rows."""
    P, y = draw.probabilities(rng, shape), draw.labels(rng, shape[:-1], shape[-1])
    hit = draw.mask(rng, shape[:-1]) > 0
    hit &= rng.random(hit.shape) < 0.8
    hit.flat[0] = True
    return P, np.where(hit, np.argmax(P, axis=-1), y)


def larger(rng, axes):
    """Sizes with enough rows for a share that is no round number."""
    first, *rest = draw.sizes(rng, axes)
    return (first + 9, *rest)


def class_numbers(rng):
    a, b = larger(rng, 2), larger(rng, 3)
    (P, y), (Q, z) = mostly_right(rng, a), mostly_right(rng, b)
    scores = rng.normal(size=a)
    return [Call(P=P, T=y), Call(P=Q, T=z), Call(P=np.log(P) + scores[:, :1], T=y)]


def one_hot_targets(rng):
    a, b = larger(rng, 2), larger(rng, 3)
    (P, y), (Q, z) = mostly_right(rng, a), mostly_right(rng, b)
    soft = draw.probabilities(rng, a)
    return [Call(P=P, T=np.eye(a[-1])[y]), Call(P=Q, T=np.eye(b[-1])[z].astype(int)), Call(P=P, T=soft)]


def ties(rng):
    """Two or more classes share the first place: the first of them is the answer."""
    P = draw.probabilities(rng, larger(rng, 2))
    order = np.argsort(-P, axis=-1)
    best = np.take_along_axis(P, order[:, :1], axis=-1)
    tied = P.copy()
    np.put_along_axis(tied, order[:, 1:2], best, axis=-1)
    first = np.argmax(tied, axis=-1)
    y = np.where(draw.mask(rng, first.shape) > 0, first, order[:, :2].max(axis=-1))
    return [Call(P=tied, T=y), Call(P=tied, T=np.eye(P.shape[-1])[y])]


def yes_or_no(rng):
    n = draw.sizes(rng, 1)[0] + 9
    p = rng.random(n)
    p[rng.permutation(n)[:4]] = 0.5
    t = np.where(rng.random(n) < 0.7, p >= 0.5, p < 0.5).astype(float)
    t[0] = float(p[0] >= 0.5)
    return [Call(P=p, T=t), Call(P=p, T=t.astype(int))]


accuracy = Exercise(
    reference=gs.accuracy,
    chapter=CHAPTER,
    title="Accuracy",
    task="""
    Return the share of right answers, a number between 0 and 1.

    - `P` (N, C) or (N, T, C): the answer is the class of the largest entry, the first one where several are equal.
      `T` holds class numbers, (N,) or (N, T), or it has the shape of P and its own largest entry counts
    - `P` (N,): probabilities of "yes"; the answer is yes from 0.5 on, and `T` (N,) holds zeros and ones
    - the share is not rounded
    """,
    example="accuracy(np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]), np.array([0, 1, 1])).__round__(4)"
    "  # 0.6667",
    difficulty=2,
    minutes=10,
    axes={"P": ("batch", "class")},
    groups=[
        Group("class_numbers", 1, class_numbers, "Targets are class numbers.", CLOSE),
        Group("one_hot", 1, one_hot_targets, "Targets are one-hot or soft rows.", CLOSE),
        Group("ties", 1, ties, "Classes that share the first place.", CLOSE),
        Group("yes_or_no", 1, yes_or_no, "Probabilities of yes, some of them exactly 0.5.", CLOSE),
    ],
    misconceptions=[
        Misconception("over_the_batch", over_the_batch,
                      "What does np.argmax(P, axis=0) tell: for each observation a class, or for each class an observation?",
                      "the largest entry were sought over the batch and not over the classes", COUNTING),
        Misconception("compares_rows_with_probabilities", compares_rows_with_probabilities,
                      "P is [0.7, 0.2, 0.1], T is [1, 0, 0]: a right answer. Which entries of P == T are true?",
                      "probabilities were compared with one-hot rows, entry by entry", COUNTING),
        Misconception("more_than_half", accuracy_with(first_largest, more_than_half),
                      "What does your function answer where p is exactly 0.5, and what does the task say?",
                      "p = 0.5 meant no, as in Keras", COUNTING),
        Misconception("rounds_probabilities", rounds_probabilities,
                      "A row of P is [0.4, 0.35, 0.25]. Which class does the model say? What is left after rounding?",
                      "the probabilities were rounded to 0 and 1", COUNTING),
        Misconception("last_largest", accuracy_with(last_largest),
                      "Two classes share the first place: which of them does np.argmax name? Which does yours?",
                      "the last of several equal classes won", COUNTING),
        Misconception("argmax_of_class_numbers", argmax_of_targets_always,
                      "T is [2, 0, 1]: what does its argmax tell you? When should you take it?",
                      "class numbers were taken for one-hot rows", COUNTING),
        Misconception("counted", counted, "How large is the accuracy if all of 50 answers are right?",
                      "right answers were counted, and not divided by their number", COUNTING),
        Misconception("rounded_to_percent", rounded_to_percent,
                      "Two models, 0.9749 and 0.9651: which is better, by how much, and what do you report?",
                      "the share were rounded to whole percents", COUNTING),
        Misconception("error_rate", error_rate, "All answers are right: do you return 1 or 0?",
                      "it were the share of wrong answers", COUNTING),
    ],
    variants=[
        Variant("loop", accuracy_loop),
        Variant("by_count", accuracy_by_count),
        Variant("by_one_hot", accuracy_by_one_hot),
    ],
    hints=[
        Hint("Turn predictions into answers, and targets into answers. Then compare, and average."),
        Hint("Look at \"Counting right answers\": there are three forms of targets. The shapes of P and T tell which one "
             "you were given."),
        Hint("A worked sibling, the share of rows whose least likely class is number 0:\n\n"
             "    np.mean(np.argmin(P, axis=-1) == 0)"),
        Hint("    if P has one axis: answers = p at least 0.5\n    else: answers = place of the largest entry of each row\n"
             "    if T has the shape of P, and more than one axis: T = place of its largest entry, row by row\n"
             "    return mean of (answers equal T)"),
    ],
    not_bugs={
        "mean of batch means": "one call sees one batch; RunningMean has the bug",
        "last short batch": "one call sees one batch; RunningMean has the bug",
    },
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- mae_metric
def refused(Y, T):
    if Y.shape != T.shape:
        raise ValueError(f"prediction {Y.shape} and target {T.shape} differ in shape")
    return np.subtract(Y, T, dtype=np.float64)


def mae_per_observation(Y, T):
    return float(np.sum(np.abs(refused(Y, T))) / len(Y))


def mae_of_batch_means(Y, T):
    return float(np.mean(np.abs(np.mean(refused(Y, T), axis=0))))


def mae_signed(Y, T):
    return float(np.mean(refused(Y, T)))


def mae_root_mean_square(Y, T):
    return float(np.sqrt(np.mean(refused(Y, T) ** 2)))


def mae_squares(Y, T):
    return float(np.mean(refused(Y, T) ** 2))


def mae_broadcast(Y, T):
    return float(np.mean(np.abs(Y - T)))


def mae_rounded(Y, T):
    return round(float(np.mean(np.abs(refused(Y, T)))), 2)


def mae_median(Y, T):
    return float(np.median(np.abs(refused(Y, T))))


def mae_loop(Y, T):
    refused(Y, T)
    total = 0.0
    for y, t in zip(Y.ravel(), T.ravel(), strict=True):
        total += abs(float(y) - float(t))
    return total / Y.size


def mae_nested_means(Y, T):
    means = np.abs(refused(Y, T))
    while means.ndim:
        means = means.mean(axis=-1)
    return means


def mae_by_norm(Y, T):
    return np.linalg.norm(refused(Y, T).ravel(), ord=1) / Y.size


def mae_values(rng):
    def call(shape):
        Y, T = draw.pair(rng, shape)
        return Call(Y=Y, T=T)

    Y = rng.integers(-9, 9, size=(4, 3))
    return [call(draw.sizes(rng, 2)), call(draw.sizes(rng, 1)), call(draw.sizes(rng, 3)), call((1, 4)),
            Call(Y=Y + 0.25, T=Y + rng.choice([-3, 1, 2], size=Y.shape))]  # fmt: skip


def mae_shapes(rng):
    n = draw.sizes(rng, 1)[0]
    Y, T = draw.pair(rng, (n,))
    return [Call(Y=Y, T=T), Call(Y=Y, T=T[:, None]), Call(Y=Y[:, None], T=T)]


mae_metric = Exercise(
    reference=gs.mae_metric,
    chapter=CHAPTER,
    title="Mean absolute error",
    task="""
    Return the mean absolute error of predictions `Y` against targets `T` over all elements, whatever the shape: a number
    in the units of Y, not rounded. Shapes that differ raise a ValueError.
    """,
    example="mae_metric(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]])).__round__(4)  # 1.3333",
    difficulty=1,
    minutes=5,
    axes={"Y": ("batch", "response"), "T": ("batch", "response")},
    groups=[
        Group("values", 1, mae_values, "Predictions and targets of the same shape.", CLOSE),
        Group("shapes", 1, mae_shapes, "Shapes that differ are refused with a ValueError.", CLOSE),
    ],
    misconceptions=[
        Misconception("per_observation", mae_per_observation,
                      "A metric should be in the units of the data. If every error is 1, what do you report for C = 3?",
                      "the sum were divided by the number of observations, as in l1_loss", COUNTING),
        Misconception("signed", mae_signed, "Errors of +3 and -3: is that a perfect model?",
                      "errors of opposite sign cancelled", COUNTING),
        Misconception("signed_over_the_batch", mae_of_batch_means,
                      "Which comes first, the absolute value or the mean? What happens to +3 and -3 in the same column?",
                      "errors were averaged over the batch before their sign was dropped", COUNTING),
        Misconception("root_mean_square", mae_root_mean_square, "Errors 1 and 7: what is their mean? And yours?",
                      "it were the root of the mean square", COUNTING),
        Misconception("squares", mae_squares, "In which unit is the answer if Y is in metres? And yours?",
                      "the errors were squared", COUNTING),
        Misconception("broadcasts", mae_broadcast, "What is the shape of np.zeros(4) - np.zeros((4, 1))?",
                      "shapes that differ were no problem", "Shapes that must match"),
        Misconception("rounded", mae_rounded, "If Y is in kilometres, what does your function say of an error of 3 metres?",
                      "the mean were rounded to two decimals", COUNTING),
        Misconception("median", mae_median, "Errors 1, 1, 7: what is their mean? And yours?",
                      "it were the median of the absolute errors", COUNTING),
    ],
    variants=[
        Variant("loop", mae_loop),
        Variant("nested_means", mae_nested_means),
        Variant("norm", mae_by_norm),
    ],
    hints=[
        Hint("It is l1_loss with another divisor, and without options. Which of the frame's divisors makes it a mean?"),
        Hint("Look at \"Shapes that must match\" for the shapes: (N,) minus (N, 1) is no error for NumPy."),
        Hint("A worked sibling, the mean squared error:\n\n    np.mean((Y - T) ** 2)"),
        Hint("    if shapes differ: raise ValueError\n    return mean over everything of the absolute differences"),
    ],
    not_bugs={
        "mean of batch means": "one call sees one batch; RunningMean has the bug",
        "argmax axis": "no classes are chosen",
        "compares one-hot to probs": "the targets are numbers",
        "binary threshold `>`/`>=`": "nothing is decided",
        "last short batch": "one call sees one batch; RunningMean has the bug",
    },
)  # fmt: skip


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

    def __init__(self):
        type(self).sums = [0.0, 0]

    def update(self, value, n=1):
        if n > 0:
            self.sums[0] += value * n
            self.sums[1] += n

    def result(self):
        return self.sums[0] / self.sums[1] if self.sums[1] else float("nan")


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
        return np.divide(*self.sums) if self.sums[1] else np.float64("nan")


def batches(rng, sizes):
    return [("update", (float(rng.uniform(0.1, 0.9)), int(n))) for n in sizes]


def uneven(rng):
    n, k = int(rng.integers(20, 40)), int(rng.integers(3, 9))
    epoch = [*batches(rng, [n, n, n, k]), ("result", ())]
    mixed = [*batches(rng, rng.permutation([5, 17, 3, 29])), ("result", ()), *batches(rng, [11]), ("result", ())]
    return [Script(calls=epoch), Script(calls=mixed)]


def single_samples(rng):
    values = [("update", (float(v),)) for v in rng.normal(size=4)]
    return [Script(calls=[*values, ("result", ()), *batches(rng, [7]), ("result", ())]),
            Script(calls=[*batches(rng, [6]), ("result", ())])]  # fmt: skip


def nothing(rng):
    after = [*batches(rng, [4, 9]), ("result", ()), ("update", (float("nan"), 0)), ("result", ())]
    return [Script(calls=[("result", ()), *after])]


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
      samples changes nothing, whatever its value
    - `result()` returns the mean over all samples so far as a number, not rounded, and changes nothing; nan if there
      were none
    - two objects know nothing of each other
    """,
    example="mean = RunningMean()\nmean.update(1.0, 4)\nmean.update(0.0, 1)\nmean.result()  # 0.8",
    difficulty=2,
    minutes=10,
    groups=[
        Group("uneven", 2, uneven, "Batches of different sizes, as at the end of an epoch.", CLOSE),
        Group("samples", 1, single_samples, "Single samples, then a batch.", CLOSE),
        Group("nothing", 1, nothing, "No samples yet, and a batch without samples.", CLOSE),
        Group("two_objects", 1, two_objects, "Two means at a time; a result that is asked for twice.", CLOSE),
    ],
    misconceptions=[
        Misconception("mean_of_batch_means", MeanOfMeans,
                      "32 samples with 1.0, then a last batch of one sample with 0.0. What is the mean of the 33?",
                      "every batch counted the same, however many samples it had", UNEVEN),
        Misconception("drops_short_batches", DropsShortBatches,
                      "The last batch has 5 samples only. Do they belong to the epoch?",
                      "batches shorter than the largest one were left out", UNEVEN),
        Misconception("counts_full_batches", CountsFullBatches,
                      "How many samples does your divisor count for the last, short batch?",
                      "every batch were as long as the first one when it came to dividing", UNEVEN),
        Misconception("latest", Latest, "After two batches, what is left in your object of the first one?",
                      "only the latest batch counted", UNEVEN),
        Misconception("halved", Halved, "Three batches of one sample each: which share has the first one in your mean?",
                      "each new value were averaged with the mean so far", UNEVEN),
        Misconception("value_not_weighed", SumOnly,
                      "`value` is the mean of n samples. What is the sum of these n samples?",
                      "the batch's mean were added as if it were the batch's sum", UNEVEN),
        Misconception("zero_at_first", ZeroAtFirst, "Is an accuracy of 0 the same as not knowing it?",
                      "the mean of nothing were 0", UNEVEN),
        Misconception("divides_by_nothing", DividesByNothing, "What does Python make of 0.0 / 0?",
                      "there always were a sample", UNEVEN),
        Misconception("poisoned_by_nothing", PoisonedByNothing, "What is 0 times nan?",
                      "a batch without samples counted, so that its nan spread", UNEVEN),
        Misconception("rounded", Rounded, "Who should decide on the number of decimals: the metric, or who prints it?",
                      "the mean were rounded to two decimals", UNEVEN),
        Misconception("clears_itself", ClearsItself, "Ask twice for the result: why should the answers differ?",
                      "asking for the result started over", UNEVEN),
        Misconception("shared", Shared, "Where do the sums live: in the object, or in the class that all objects share?",
                      "all objects shared their sums", UNEVEN),
    ],
    variants=[
        Variant("incremental", Incremental),
        Variant("keeps_all", KeepsAll),
        Variant("arrays", WithArrays),
    ],
    hints=[
        Hint("Two numbers are enough to remember. Which two give the mean at any time?"),
        Hint("Look at \"Means over uneven batches\": a mean times the number of samples is what?"),
        Hint("A worked sibling, the largest value so far:\n\n"
             "    class RunningMax:\n        def __init__(self):\n            self.largest = float(\"-inf\")\n\n"
             "        def update(self, value):\n            self.largest = max(self.largest, value)\n\n"
             "        def result(self):\n            return self.largest"),
        Hint("    __init__: sum of all samples = 0, number of samples = 0\n"
             "    update: unless n is 0, add what the batch adds to each\n    result: their quotient, or nan"),
    ],
    not_bugs={
        "argmax axis": "no classes are chosen",
        "compares one-hot to probs": "values come in, no probabilities",
        "binary threshold `>`/`>=`": "nothing is decided",
    },
)  # fmt: skip

EXERCISES = [accuracy, mae_metric, running_mean]
