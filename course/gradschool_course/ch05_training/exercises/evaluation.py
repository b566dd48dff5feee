"""evaluate: one number for all samples, whatever the batches."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.loop import evaluate
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, MEAN, Problem


def losses(model_loss, params, X, T, batch, training=False):
    """The loss of each batch, and its size."""
    cuts = [slice(i, i + batch) for i in range(0, len(X), batch)]
    return [(model_loss(params, X[cut], T[cut], training=training)[0], len(X[cut])) for cut in cuts]


def weighted(pairs):
    return sum(loss * n for loss, n in pairs) / sum(n for _, n in pairs)


# --------------------------------------------------------------------------------------------------------- how it fails
def mean_of_batches(model_loss, params, X, T, batch):
    return np.mean([loss for loss, _ in losses(model_loss, params, X, T, batch)])


def training_mode(model_loss, params, X, T, batch):
    return weighted(losses(model_loss, params, X, T, batch, training=True))


def last_dropped(model_loss, params, X, T, batch):
    n = max(len(X) // batch, 1) * batch
    return weighted(losses(model_loss, params, X[:n], T[:n], batch))


def one_batch_more(model_loss, params, X, T, batch):
    """len(X) // batch + 1 batches, the last of which is empty where `batch` divides."""
    cuts = [slice(i * batch, (i + 1) * batch) for i in range(len(X) // batch + 1)]
    return weighted([(model_loss(params, X[cut], T[cut], training=False)[0], len(X[cut])) for cut in cuts])


def last_alone(model_loss, params, X, T, batch):
    return losses(model_loss, params, X, T, batch)[-1][0]


def first_alone(model_loss, params, X, T, batch):
    return losses(model_loss, params, X, T, batch)[0][0]


def summed(model_loss, params, X, T, batch):
    return sum(loss * n for loss, n in losses(model_loss, params, X, T, batch))


def batch_for_length(model_loss, params, X, T, batch):
    return sum(loss * batch for loss, _ in losses(model_loss, params, X, T, batch)) / len(X)


def per_batch(model_loss, params, X, T, batch):
    return sum(loss * n for loss, n in losses(model_loss, params, X, T, batch)) / batch


def all_at_once(model_loss, params, X, T, batch):
    return model_loss(params, X, T, training=False)[0]


def rest_in_the_last_batch(model_loss, params, X, T, batch):
    starts = range(0, max(len(X) // batch, 1) * batch, batch)
    cuts = [slice(i, i + batch) for i in starts[:-1]] + [slice(starts[-1], None)]
    return weighted([(model_loss(params, X[cut], T[cut], training=False)[0], len(X[cut])) for cut in cuts])


def so_many_parts(model_loss, params, X, T, batch):
    parts = [(x, t) for x, t in zip(np.array_split(X, batch), np.array_split(T, batch), strict=True) if len(x)]
    return weighted([(model_loss(params, x, t, training=False)[0], len(x)) for x, t in parts])


def last_moved_back(model_loss, params, X, T, batch):
    starts = [max(min(i, len(X) - batch), 0) for i in range(0, len(X), batch)]
    cuts = [slice(i, i + batch) for i in starts]
    return weighted([(model_loss(params, X[cut], T[cut], training=False)[0], len(X[cut])) for cut in cuts])


def sum_of_losses_over_samples(model_loss, params, X, T, batch):
    return sum(loss for loss, _ in losses(model_loss, params, X, T, batch)) / len(X)


def both_returned(model_loss, params, X, T, batch):
    return weighted(losses(model_loss, params, X, T, batch)), None


# -------------------------------------------------------------------------------------------------------- how it works
def averaged(model_loss, params, X, T, batch):
    found = np.array(losses(model_loss, params, X, T, batch))
    return np.average(found[:, 0], weights=found[:, 1])


def sample_by_sample(model_loss, params, X, T, batch):
    return np.mean([model_loss(params, X[i : i + 1], T[i : i + 1], False)[0] for i in range(len(X))])


def running_mean(model_loss, params, X, T, batch):
    mean, seen = 0.0, 0
    while seen < len(X):
        x, t = X[seen : seen + batch], T[seen : seen + batch]
        loss, _ = model_loss(params, x, t, training=False)
        mean = (mean * seen + loss * x.shape[0]) / (seen + x.shape[0])
        seen += x.shape[0]
    return float(mean)


# ---------------------------------------------------------------------------------------------------- how it is probed
def call(rng, N, batch):
    problem = Problem(rng, room=batch)
    X, T = problem.samples(N)
    return Call(model_loss=problem.model_loss, params=problem.params, X=X, T=T, batch=batch)


EXERCISE = Exercise(
    reference=evaluate,
    chapter=CHAPTER,
    title="The loss on other data",
    difficulty=1,
    minutes=8,
    task="""
    How good is a model on data (X, T) that it is not trained on? Return the mean of the loss over all samples, one
    number.

    `model_loss(params, X, T, training)` returns (loss, grads), and the loss is a mean over the samples that it gets.
    This is not training. No more than `batch` samples fit into memory at a time.
    """,
    example="model_loss = lambda w, X, T, training: (float(np.mean((w * X - T) ** 2)), None)\n"
    "evaluate(model_loss, 1.0, np.array([1.0, 2.0, 4.0]), np.zeros(3), 2)  # 7.0",
    axes={"X": ("sample", "input"), "T": ("sample", "output")},
    groups=[
        Group("uneven", 2, lambda rng: [call(rng, 17, 5), call(rng, 11, 10), call(rng, 3, 7), call(rng, 13, 3)],
              "Batches that do not come out even, and fewer samples than a batch.", CLOSE),
        Group("even", 1, lambda rng: [call(rng, 15, 5), call(rng, 1, 1)], "Batches of one size.", CLOSE),
    ],
    misconceptions=[
        Misconception("mean_of_batches", mean_of_batches,
            "Ten samples in one batch and one in the next: how much does that one count in your mean?",
            "the mean went over batches", MEAN),
        Misconception("training_mode", training_mode,
            "Some models drop inputs at random while they are trained. Should yours while it is judged?",
            "the model were still in training", MEAN),
        Misconception("last_dropped", last_dropped,
            "How many of 17 samples does your mean contain, in batches of 5?",
            "samples that do not fill a batch did not count", MEAN),
        Misconception("one_batch_more", one_batch_more,
            "15 samples in batches of 5: how many batches do you make, and what is the mean of no sample?",
            "there always were a last, short batch, which is empty where `batch` divides the number of samples", MEAN),
        Misconception("last_batch_only", last_alone,
            "Of how many samples is the number that you return?", "the last batch stood for all", MEAN),
        Misconception("first_batch_only", first_alone,
            "How many times does your loop run before it returns?", "the first batch stood for all", MEAN),
        Misconception("summed", summed,
            "Take all data twice. Does your number double?", "the losses of all samples were added up", MEAN),
        Misconception("full_size_for_all", batch_for_length,
            "How many samples does your loop believe that the last batch has?", "every batch were full", MEAN),
        Misconception("divided_by_batch", per_batch,
            "By how many samples do you divide in the end?", "there were as many samples as a batch has", MEAN),
        Misconception("divided_twice", sum_of_losses_over_samples,
            "The loss of a batch is already a mean. What do you divide by N?",
            "the losses of batches were sums over their samples", MEAN),
        Misconception("all_at_once", all_at_once,
            "How many samples does model_loss get from you at a time?",
            "more than `batch` samples fitted into memory at once", MEAN),
        Misconception("rest_in_the_last_batch", rest_in_the_last_batch,
            "17 samples in batches of 5: how many samples does your largest batch have?",
            "the samples that are left over found room in the other batches", MEAN),
        Misconception("so_many_parts", so_many_parts,
            "17 samples, and 3 fit into memory: how many samples has each of 3 equal parts?",
            "`batch` were the number of batches, and not of samples in one", MEAN),
        Misconception("last_moved_back", last_moved_back,
            "17 samples in batches of 5: which samples are in your last batch, and in the one before it?",
            "the last batch were moved back until it is full, and samples in two batches counted twice", MEAN),
        Misconception("a_pair", both_returned,
            "One number is asked for. What do you return beside it?", "gradients were asked for as well", MEAN),
    ],
    variants=[
        Variant("averaged", averaged),
        Variant("sample_by_sample", sample_by_sample),
        Variant("running_mean", running_mean),
    ],
    hints=[
        Hint("A mean over samples can be put together from means over batches, if one knows their sizes."),
        Hint('Look at "What an epoch\'s number means": what should a short batch count?'),
        Hint("A worked sibling, the mean age of several classes: `sum(age * n for age, n in classes) / "
             "sum(n for _, n in classes)`."),
        Hint("    for each start: the samples from there, at most batch; their loss, not in training\n"
             "    add loss times how many they are; in the end divide by how many there are in all"),
    ],
)  # fmt: skip
