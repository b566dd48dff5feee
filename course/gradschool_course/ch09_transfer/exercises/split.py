"""split_task: one set of labelled pictures as two tasks, a large one and a small one."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.transfer import split_task
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .draw import CHAPTER, TWO_TASKS


# -------------------------------------------------------------------------------------------- how splitting goes wrong
def renumbered(y_a, held):
    return y_a - (y_a > held[0]) - (y_a > held[1])


def coded(y_b, held):
    return (y_b == held[1]).astype(np.float32)


def few(X, y, held, n_b):
    return X[:n_b], y[:n_b]


def whole(X, y, n_b):
    return X, y


def split(renumber=renumbered, code=coded, take=few, take_a=whole):
    """A split with parts of its own: numbers for A, labels for B, and what is taken of each."""

    def answer(X, y, held=(5, 6), n_b=200):
        of_b = np.isin(y, held)
        X_a, y_a = take_a(X[~of_b], y[~of_b], n_b)
        X_b, y_b = take(X[of_b], y[of_b], held, n_b)
        return (X_a, renumber(y_a, held)), (X_b, code(y_b, held))

    return answer


def one_after_the_other(y_a, held):
    """The second class is looked for among numbers that have already been lowered for the first."""
    first, second = sorted(held)
    y_a = y_a - (y_a > first)
    return y_a - (y_a > second)


def from_the_back(y_a, held):
    """Right if the class that comes last in `held` is the larger one."""
    for k in reversed(held):
        y_a = y_a - (y_a > k)
    return y_a


def class_after_class(X, y, held, n_b):
    order = np.concatenate([np.flatnonzero(y == k) for k in held])[:n_b]
    return X[order], y[order]


def each_class(X, y, held, n_b):
    seen = np.array([np.sum(y[: i + 1] == label) for i, label in enumerate(y)])
    chosen = seen <= (len(y) if n_b is None else n_b)
    return X[chosen], y[chosen]


def all_for_zero(X, y, held, n_b):
    return few(X, y, held, n_b or None)


def from_the_end(X, y, held, n_b):
    return few(X[::-1], y[::-1], held, n_b)[0][::-1], few(X[::-1], y[::-1], held, n_b)[1][::-1]


def at_most_200(X, y, held, n_b):
    return few(X, y, held, 200 if n_b is None else n_b)


def sorted_by_class(X, y, n_b):
    order = np.argsort(y, kind="stable")
    return X[order], y[order]


def changed_in_place(X, y, held=(5, 6), n_b=200):
    of_b, labels = np.isin(y, held), y.copy()
    for k in sorted(held, reverse=True):
        y[y > k] -= 1
    return (X[~of_b], y[~of_b]), (X[of_b][:n_b], coded(labels[of_b][:n_b], held))


def b_stays_in_a(X, y, held=(5, 6), n_b=200):
    """Only the numbers of A's classes say that two are missing."""
    _, b = split_task(X, y, held, n_b)
    return (X, renumbered(y, held)), b


def b_first(X, y, held=(5, 6), n_b=200):
    a, b = split_task(X, y, held, n_b)
    return b, a


def first_of_all(X, y, held=(5, 6), n_b=200):
    """The first n_b of all samples, and of those task B."""
    a, _ = split_task(X, y, held)
    _, b = split_task(X[:n_b], y[:n_b], held, len(X))
    return a, b


# ------------------------------------------------------------------------------------------------ other right answers
def sample_by_sample(X, y, held=(5, 6), n_b=200):
    old = [k for k in range(int(y.max()) + 1) if k not in held]
    in_a = [i for i, label in enumerate(y) if label not in held]
    in_b = [i for i, label in enumerate(y) if label in held][:n_b]
    y_a = np.array([old.index(y[i]) for i in in_a], dtype=y.dtype)
    return (X[in_a], y_a), (X[in_b], np.array([y[i] == held[1] for i in in_b], dtype=np.float32))


def by_search(X, y, held=(5, 6), n_b=200):
    of_b = np.isin(y, held)
    y_a = (y[~of_b] - np.searchsorted(np.sort(held), y[~of_b])).astype(y.dtype)
    return (X[~of_b], y_a), (X[of_b][:n_b], np.float32(y[of_b][:n_b] == held[1]))


def by_table(X, y, held=(5, 6), n_b=200):
    """A table from the old number to the new one."""
    table = np.cumsum(~np.isin(np.arange(y.max() + 1), held)) - 1
    a, b = np.flatnonzero(~np.isin(y, held)), np.flatnonzero(np.isin(y, held))
    b = b if n_b is None else b[:n_b]
    return (X[a], table[y[a]].astype(y.dtype)), (X[b], np.where(y[b] == held[1], 1, 0).astype("float32"))


def in_place_on_copies(X, y, held=(5, 6), n_b=200):
    new, of_b = y.copy(), (y == held[0]) | (y == held[1])
    new[y > max(held)] -= 2
    new[(y > min(held)) & (y < max(held))] -= 1
    b = np.zeros(len(y), np.float32)
    b[y == held[1]] = 1
    return (X[~of_b], new[~of_b]), (X[of_b][:n_b], b[of_b][:n_b])


# ------------------------------------------------------------------------------------------------------------- probes
def samples(rng, n=60, classes=10):
    """n samples in which every class is as frequent as the others, in a random order."""
    y = rng.permutation(np.arange(n) % classes)
    return {"X": rng.normal(size=(n, 3)) + y[:, None], "y": y}


def apart(rng):
    """Two classes that are no neighbours, in order, the last class neither."""
    first = int(rng.integers(0, 5))
    return first, int(rng.integers(first + 2, 9))


def neighbours(rng):
    return [Call(**samples(rng), held=(5, 6), n_b=int(rng.integers(7, 10)))]


def any_two(rng):
    first, second = apart(rng)
    return [
        Call(**samples(rng), held=(first, second), n_b=int(rng.integers(4, 6))),
        Call(**samples(rng), held=(second, first), n_b=int(rng.integers(4, 6))),
    ]


def all_of_b(rng):
    none = Call(**samples(rng), held=apart(rng), n_b=0)
    return [Call(**samples(rng, 1200), held=apart(rng), n_b=None), Call(**samples(rng, 1200)), none]


def a_class_is_missing(rng):
    data = samples(rng, 63, 9)
    data["y"] = data["y"] + (data["y"] > 2)  # there is no 3
    return [Call(**data, held=(5, 6), n_b=5)]


def pictures(rng):
    """Inputs with more axes, and with none beside that of the samples; a class that is held may be missing, too."""
    data, others = samples(rng), samples(rng)
    others["y"] = np.where(others["y"] == 6, 2, others["y"])
    return [
        Call(**data | {"X": rng.normal(size=(60, 2, 3))}, held=apart(rng), n_b=5),
        Call(**data | {"X": rng.normal(size=60)}, held=apart(rng), n_b=500),
        Call(**others, held=(5, 6), n_b=20),
        Call(**others, held=(6, 5), n_b=20),
    ]


def types(rng):
    data = samples(rng)
    return [Call(**data | {"y": data["y"].astype(np.int16), "X": data["X"].astype(np.float32)}, held=(5, 6), n_b=11)]


SPLIT = Exercise(
    reference=split_task,
    chapter=CHAPTER,
    title="One set of pictures, two tasks",
    difficulty=2,
    minutes=12,
    task="""Make two tasks of one labelled set, `X (N, ...)` and the class numbers `y (N,)`.

- **Task A**: all samples whose class is not in `held`. Its K − 2 classes are numbered 0, 1, 2, ... without a gap, in
  their old order; the type of `y` stays.
- **Task B**: which of the two classes in `held` is it? The label is 0 for `held[0]` and 1 for `held[1]`, in float32.
  Only the first `n_b` samples of these two classes are taken; with `n_b=None`, as for validation data, all of them.

All samples keep their order. `held` may be any two classes, in any order; some classes may have no samples. Return
`(X_a, y_a), (X_b, y_b)`, and leave `X` and `y` as they are.""",
    example="""\
X, y = np.arange(6), np.array([7, 5, 0, 6, 4, 6])
split_task(X, y, held=(5, 6), n_b=2)[0][1]  # [5 0 4]
split_task(X, y, held=(5, 6), n_b=2)[1][0]  # [1 3]
split_task(X, y, held=(5, 6), n_b=2)[1][1]  # [0. 1.]""",
    groups=[
        Group("neighbours", 2, neighbours, "Two classes with neighbouring numbers."),
        Group("any two", 2, any_two, "Any two classes, in any order."),
        Group("validation", 1, all_of_b, "n_b is None, 0, or not given."),
        Group("missing class", 1, a_class_is_missing, "A class has no samples."),
        Group("pictures", 1, pictures, "Inputs with more axes or none, and fewer samples of task B than asked for."),
        Group("types", 1, types, "The types of the labels.", exact_dtype=True),
    ],
    axes={"X": ("sample", "feature"), "y": ("sample",)},
    may_alias=True,
    misconceptions=[
        Misconception(
            "not_renumbered",
            split(lambda y_a, held: y_a),
            "A's head has eight outputs, numbered from 0. Which of your labels has none?",
            "the classes of task A kept their old numbers",
            TWO_TASKS,
        ),
        Misconception(
            "two_less_above_the_first",
            split(lambda y_a, held: y_a - 2 * (y_a > held[0])),
            "Hold out 2 and 7. How many of the two lie below class 4?",
            "every class above the first one that is held had been lowered by 2",
            TWO_TASKS,
        ),
        Misconception(
            "two_less_above_the_second",
            split(lambda y_a, held: y_a - 2 * (y_a > held[1])),
            "Hold out 2 and 7. What becomes of class 4, and which number has no class then?",
            "only the classes above the second one that is held had been lowered",
            TWO_TASKS,
        ),
        Misconception(
            "one_less",
            split(lambda y_a, held: y_a - (y_a > held[1])),
            "Two classes go out. By how much does the number of the last class fall?",
            "one class had gone out, and not two",
            TWO_TASKS,
        ),
        Misconception(
            "one_after_the_other",
            split(one_after_the_other),
            "Hold out 5 and 6. After the first of them is out, which number has class 7? Is it still above 6?",
            "the second class had been looked for among numbers that were already lowered",
            TWO_TASKS,
        ),
        Misconception(
            "from_the_back",
            split(from_the_back),
            "With held=(8, 2), for which class do you lower the numbers first? Which number has class 9 then?",
            "`held` were in ascending order: numbers were lowered for its last class, then for its first",
            TWO_TASKS,
        ),
        Misconception(
            "numbered_by_what_is_there",
            split(lambda y_a, held: np.searchsorted(np.unique(y_a), y_a).astype(y_a.dtype)),
            "No sample of class 3 happens to be in the data. Should class 4 have another number because of that?",
            "only those classes had a number that occur in the data",
            TWO_TASKS,
        ),
        Misconception(
            "labels_reversed",
            split(code=lambda y_b, held: (y_b == held[0]).astype(np.float32)),
            "Is it held[1]? That is the question. Which label has a yes?",
            "the two labels of task B had been swapped",
            TWO_TASKS,
        ),
        Misconception(
            "larger_class_is_one",
            split(code=lambda y_b, held: (y_b == max(held)).astype(np.float32)),
            "With held=(8, 2), which class has the label 1?",
            "1 were always the class with the larger number",
            TWO_TASKS,
        ),
        Misconception(
            "old_labels_for_b",
            split(code=lambda y_b, held: y_b.astype(np.float32)),
            "What does a sigmoid say for a sure yes, and which labels has your task B?",
            "task B kept the old class numbers",
            TWO_TASKS,
        ),
        Misconception(
            "labels_of_b_are_whole",
            split(code=lambda y_b, held: (y_b == held[1]).astype(int)),
            "Which type do the labels of task B have, and which are they to have?",
            "the labels of task B were whole numbers",
            TWO_TASKS,
        ),
        Misconception(
            "labels_of_a_are_real",
            split(lambda y_a, held: renumbered(y_a, held).astype(np.float32)),
            "Which type has y, and which has your y_a?",
            "the class numbers of task A had become real numbers",
            TWO_TASKS,
        ),
        Misconception(
            "a_is_cut_too",
            split(take_a=lambda X, y, n_b: (X[:n_b], y[:n_b])),
            "Which of the two tasks is the one with few samples?",
            "task A were cut to n_b samples, too",
            TWO_TASKS,
        ),
        Misconception(
            "validation_is_cut_too",
            split(take=at_most_200),
            "Of a validation set all should be used. What does your function do with n_b=None?",
            "None meant 200 samples",
            TWO_TASKS,
        ),
        Misconception(
            "zero_is_all",
            split(take=all_for_zero),
            "`if n_b:` is false for None. For which number is it false as well, and how many are asked for then?",
            "n_b=0 meant all samples of task B",
            TWO_TASKS,
        ),
        Misconception(
            "n_b_ignored",
            split(take=lambda X, y, held, n_b: (X, y)),
            "How many samples has your task B, with n_b=6?",
            "all samples of task B were taken, whatever n_b says",
            TWO_TASKS,
        ),
        Misconception(
            "n_b_of_each_class",
            split(take=each_class),
            "Is n_b the number of samples of task B, or of each of its classes?",
            "n_b samples were taken of each class",
            TWO_TASKS,
        ),
        Misconception(
            "first_of_all_samples",
            first_of_all,
            "What comes first: picking the two classes, or counting to n_b?",
            "n_b samples had been counted before the two classes were picked",
            TWO_TASKS,
        ),
        Misconception(
            "last_samples",
            split(take=from_the_end),
            "Which samples are taken: the first n_b or the last?",
            "the last n_b samples of task B were taken",
            TWO_TASKS,
        ),
        Misconception(
            "class_after_class",
            split(take=class_after_class),
            "What would a network learn from your first samples of B, if they are all of one class?",
            "task B had first all samples of one class and then those of the other",
            TWO_TASKS,
        ),
        Misconception(
            "a_sorted",
            split(take_a=sorted_by_class),
            "In which order do the samples of A come in, and in which do they go out?",
            "the samples of task A were sorted by class",
            TWO_TASKS,
        ),
        Misconception(
            "b_stays_in_a",
            b_stays_in_a,
            "Has the network that learns A ever seen a sample of the two classes?",
            "task A still had the samples of task B",
            TWO_TASKS,
        ),
        Misconception(
            "b_first",
            b_first,
            "Which of the two pairs comes first?",
            "the two tasks had been swapped",
            TWO_TASKS,
        ),
        Misconception(
            "changed_in_place",
            changed_in_place,
            "Print the caller's y before and after. Is it the same?",
            "the labels of the caller were changed",
            TWO_TASKS,
        ),
    ],
    variants=[
        Variant("sample by sample", sample_by_sample),
        Variant("by search", by_search),
        Variant("by a table", by_table),
        Variant("in place on copies", in_place_on_copies),
    ],
    equivalent=equivalent.SPLIT,
    hints=[
        Hint("A mask, an array of True and False, picks samples out of X and y alike, and keeps their order."),
        Hint('Look at "Two tasks". How far does the number of a class fall if one class below it goes out? If two?'),
        Hint(
            "A worked sibling, shelf numbers after the shelves 2 and 7 have been taken away:\n\n"
            "    shelf - (shelf > 2) - (shelf > 7)"
        ),
        Hint(
            "    mask = y is one of the two\n"
            "    A: X and y where the mask is False; y minus how many of the two lie below it\n"
            "    B: X and y where the mask is True, the first n_b of each; label: is it held[1]?"
        ),
    ],
)
