"""minibatches: every sample once, in an order of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradschool.lessons.loop import minibatches
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Seed, Variant

from .common import BATCHES, CHAPTER, sizes, whole


def cut(X, T, batch):
    return [(X[i : i + batch], T[i : i + batch]) for i in range(0, len(X), batch)]


# --------------------------------------------------------------------------------------------------------- how it fails
def shuffled_apart(X, T, batch, rng: Any = None, shuffle=True):
    if not shuffle:
        return minibatches(X, T, batch, shuffle=False)
    return cut(X[rng.permutation(len(X))], T[rng.permutation(len(X))], batch)


def last_dropped(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
    return cut(X[order], T[order], batch)[: len(X) // batch]


def last_filled_up(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
    order = np.concatenate([order, order[: -len(X) % batch]])
    return cut(X[order], T[order], batch)


def seed_of_its_own(X, T, batch, rng: Any = None, shuffle=True):
    return minibatches(X, T, batch, np.random.default_rng(0), shuffle)


def with_replacement(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.integers(len(X), size=len(X)) if shuffle else np.arange(len(X))
    return cut(X[order], T[order], batch)


def views(X, T, batch, rng: Any = None, shuffle=True):
    if not shuffle:
        return cut(X, T, batch)
    return minibatches(X, T, batch, rng)


def shuffled_in_place(X, T, batch, rng: Any = None, shuffle=True):
    if shuffle:
        order = rng.permutation(len(X))
        X[:], T[:] = X[order], T[order]
    return [(x.copy(), t.copy()) for x, t in cut(X, T, batch)]


def always_shuffled(X, T, batch, rng: Any = None, shuffle=True):
    rng = rng or np.random.default_rng(0)
    return minibatches(X, T, batch, rng)


def never_shuffled(X, T, batch, rng: Any = None, shuffle=True):
    return minibatches(X, T, batch, rng, shuffle=False)


def batches_shuffled(X, T, batch, rng: Any = None, shuffle=True):
    pairs = minibatches(X, T, batch, shuffle=False)
    return [pairs[i] for i in rng.permutation(len(pairs))] if shuffle else pairs


def shuffled_within(X, T, batch, rng: Any = None, shuffle=True):
    pairs = minibatches(X, T, batch, shuffle=False)
    orders = [rng.permutation(len(x)) if shuffle else np.arange(len(x)) for x, _ in pairs]
    return [(x[order], t[order]) for (x, t), order in zip(pairs, orders, strict=True)]


def squeezed(X, T, batch, rng: Any = None, shuffle=True):
    return [(x.squeeze(), t.squeeze()) for x, t in minibatches(X, T, batch, rng, shuffle)]


def labels_left_alone(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
    return [(x.copy(), t.copy()) for x, t in cut(X[order], T, batch)]


def so_many_batches(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
    return [(X[part], T[part]) for part in np.array_split(order, min(batch, len(X)))]


def equal_parts(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
    return [(X[part], T[part]) for part in np.array_split(order, -(-len(X) // batch))]


def drawn_anew(X, T, batch, rng: Any = None, shuffle=True):
    """Each batch is a sample of all: some samples come twice in an epoch, some never."""
    if not shuffle:
        return minibatches(X, T, batch, shuffle=False)
    lengths = [min(batch, len(X) - i) for i in range(0, len(X), batch)]
    orders = [rng.choice(len(X), n, replace=False) for n in lengths]
    return [(X[order], T[order]) for order in orders]


def ranks_for_order(X, T, batch, rng: Any = None, shuffle=True):
    order = np.argsort(rng.permutation(len(X))) if shuffle else np.arange(len(X))
    return cut(X[order], T[order], batch)


def sorted_random_numbers(X, T, batch, rng: Any = None, shuffle=True):
    order = np.argsort(rng.random(len(X))) if shuffle else np.arange(len(X))
    return cut(X[order], T[order], batch)


def inputs_alone(X, T, batch, rng: Any = None, shuffle=True):
    return [x for x, _ in minibatches(X, T, batch, rng, shuffle)]


# -------------------------------------------------------------------------------------------------------- how it works
def shuffled_numbers(X, T, batch, rng: Any = None, shuffle=True):
    order = np.arange(len(X))
    if shuffle:
        rng.shuffle(order)
    pairs = []
    while len(order):
        pairs.append((np.take(X, order[:batch], axis=0), np.take(T, order[:batch], axis=0)))
        order = order[batch:]
    return pairs


def copies_first(X, T, batch, rng: Any = None, shuffle=True):
    X, T = X.copy(), T.copy()
    if shuffle:
        order = rng.permutation(np.arange(len(X)))
        X, T = X[order], T[order]
    return [[X[i : i + batch], T[i : i + batch]] for i in range(0, X.shape[0], batch)]


def split_at(X, T, batch, rng: Any = None, shuffle=True):
    N = len(X)
    order = rng.permutation(N) if shuffle else list(range(N))
    places = list(range(batch, N, batch))
    return list(zip(np.split(X[order], places), np.split(T[order], places), strict=True))


def sample_by_sample(X, T, batch, rng: Any = None, shuffle=True):
    order = rng.permutation(len(X)) if shuffle else range(len(X))
    pairs = []
    for i, n in enumerate(order):
        if i % batch == 0:
            pairs.append(([], []))
        pairs[-1][0].append(X[n])
        pairs[-1][1].append(T[n])
    return [(np.array(x), np.array(t)) for x, t in pairs]


# ---------------------------------------------------------------------------------------------------- how it is probed
def call(draw, N, batch, targets=None, **options):
    D, K = sizes(draw, 2)
    return Call(X=draw.normal(size=(N, D)), T=draw.normal(size=(N, targets or K)), batch=batch, **options)


def seeded(rng):
    return Seed(whole(rng, 1, 10**6))


def shuffled(rng):
    return [
        call(rng, 17, 5, rng=seeded(rng)),
        call(rng, 12, 4, targets=1, rng=seeded(rng)),
        call(rng, 9, 20, rng=seeded(rng)),
        Call(X=rng.normal(size=(11, 3, 4)), T=rng.permutation(11), batch=3, rng=seeded(rng)),
    ]


def in_order(rng):
    return [
        call(rng, 17, 5, shuffle=False),
        call(rng, 12, 4, targets=1, shuffle=False),
        call(rng, 7, 1, rng=seeded(rng), shuffle=False),
        call(rng, 7, 7, shuffle=False),
        call(rng, 1, 3, shuffle=False),
    ]


EXERCISE = Exercise(
    reference=minibatches,
    chapter=CHAPTER,
    title="Mini-batches",
    difficulty=2,
    minutes=12,
    task="""
    Take data apart. X (N, ...) are inputs and T (N, ...) what belongs to them, sample by sample. Return a list of pairs
    (x, t) of at most `batch` samples each, as full as can be in their order, every sample once; the last pair has what
    is left over.

    The order of the samples is `rng.permutation(N)`, drawn by one call, so that numbers can be repeated; with
    shuffle=False it is the order of the data, and rng is not used. The pairs must not share memory with X and T, and
    X and T are not changed.
    """,
    example="minibatches(np.arange(5), np.arange(5) * 10, 3, shuffle=False)"
    "  # [(array([0, 1, 2]), array([ 0, 10, 20])), (array([3, 4]), array([30, 40]))]",
    groups=[
        Group("shuffled", 2, shuffled, "Samples in the order that the generator draws."),
        Group("in_order", 1, in_order, "Samples in their own order, in copies."),
    ],
    misconceptions=[
        Misconception("shuffled_apart", shuffled_apart,
            "After your shuffle, does the first label still belong to the first input?",
            "X and T were shuffled separately", BATCHES),
        Misconception("labels_left_alone", labels_left_alone,
            "You moved the inputs. Where are their labels?", "only the inputs had to be shuffled", BATCHES),
        Misconception("last_dropped", last_dropped,
            "17 samples in batches of 5: how many samples do your batches have in all?",
            "samples that do not fill a batch were left out", BATCHES,
            published="PyTorch's `DataLoader` with `drop_last=True`"),
        Misconception("last_filled_up", last_filled_up,
            "How often does each sample occur in your batches?", "the last batch were filled up with samples again",
            BATCHES),
        Misconception("own_seed", seed_of_its_own,
            "Call it twice with the same generator. Should the second epoch have the order of the first?",
            "every epoch began with a generator of its own, and so with the same order", BATCHES),
        Misconception("with_replacement", with_replacement,
            "Count how often each sample occurs in an epoch. Is it always once?",
            "samples were drawn with replacement", BATCHES,
            published="PyTorch's `RandomSampler` with `replacement=True`"),
        Misconception("every_batch_drawn_anew", drawn_anew,
            "Can a sample be in two batches of one epoch?", "every batch were drawn from all samples", BATCHES),
        Misconception("views", views,
            "Change a batch in place. Do the data change too?", "a slice were a copy", BATCHES),
        Misconception("shuffled_in_place", shuffled_in_place,
            "What do X and T look like after your call?", "the data themselves were yours to shuffle", BATCHES),
        Misconception("always_shuffled", always_shuffled,
            "What does your function do with shuffle=False?", "there were no shuffle=False", BATCHES),
        Misconception("never_shuffled", never_shuffled,
            "What does your function do with rng?", "there were no shuffle=True", BATCHES),
        Misconception("batches_shuffled", batches_shuffled,
            "If the data are sorted by class, which classes does one of your batches hold?",
            "whole batches were shuffled, and not samples", BATCHES),
        Misconception("shuffled_within", shuffled_within,
            "Can the first and the last sample of the data ever meet in one of your batches?",
            "samples were shuffled within their batch", BATCHES),
        Misconception("number_of_batches", so_many_batches,
            "Is `batch` how many samples a batch has, or how many batches there are?",
            "`batch` were the number of batches", BATCHES),
        Misconception("equal_parts", equal_parts,
            "17 samples in batches of 5: how many has your first batch?", "all batches had to be of about equal size",
            BATCHES),
        Misconception("ranks_for_order", ranks_for_order,
            "Is order[0] the sample that comes first, or the place to which sample 0 goes?",
            "the permutation said where each sample goes", BATCHES),
        Misconception("drawn_in_another_way", sorted_random_numbers,
            "By which call of the generator does the task draw the order? By which does yours?",
            "any way of drawing an order gave the same one", BATCHES),
        Misconception("squeezed", squeezed,
            "A batch of one sample of three inputs: which shape has its x, and which in yours?",
            "an axis of length 1 were no axis", BATCHES),
        Misconception("inputs_alone", inputs_alone,
            "A batch is a pair. What is the second half of yours?", "the labels were not asked for", BATCHES),
    ],
    variants=[
        Variant("shuffled_numbers", shuffled_numbers),
        Variant("copies_first", copies_first),
        Variant("split_at", split_at),
        Variant("sample_by_sample", sample_by_sample),
    ],
    hints=[
        Hint("First decide the order, a list of N numbers. Cut the list, not the data."),
        Hint('Look at "Batches": why an order is better than two shuffles, and what a slice shares.'),
        Hint("A worked sibling, the rows of a matrix in pairs: "
             "`[A[[i, i + 1]] for i in range(0, len(A), 2)]`, where a list of numbers as an index makes a copy."),
        Hint("    order = a permutation from rng, or 0, 1, ..., N − 1\n"
             "    for each start 0, batch, 2 batch, ...: part = the next numbers of order; pair (X[part], T[part])"),
    ],
)  # fmt: skip
