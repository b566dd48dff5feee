"""mc_predict: many answers of one network, each with other units dropped."""

from __future__ import annotations

import copy

import numpy as np

from gradschool.lessons.dropout import mc_predict
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, HUNDRED, NOTHING_DROPPED, number, seeded, sizes


# --------------------------------------------------------------------------------------------------- how it goes wrong
def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_of(z, shift):
    e = np.exp(z - shift)
    return e / e.sum(axis=-1, keepdims=True)


def by_passes(summary, output=softmax, one=lambda model, X, rng: model(X, rng)):
    """summary(P) -> the answer, from P (n, N, K); one(model, X, rng) is a pass."""

    def answer(model, X, n, rng):
        return summary(np.stack([output(one(model, X, rng)) for _ in range(n)]))

    return answer


def both(P):
    return P.mean(axis=0), P.std(axis=0)


def of_scores(Z):
    return softmax(Z.mean(axis=0)), Z.std(axis=0)


def mean_of_scores(Z):
    return softmax(Z.mean(axis=0)), softmax(Z).std(axis=0)


def votes(Z):
    chosen = np.eye(Z.shape[-1])[Z.argmax(axis=-1)]
    return chosen.mean(axis=0), chosen.std(axis=0)


def over_classes(P):
    return P.mean(axis=0), P.mean(axis=0).std(axis=-1)


def over_samples(P):
    return P.mean(axis=0), P.std(axis=1).mean(axis=0)


def variance(P):
    return P.mean(axis=0), P.var(axis=0)


def estimated(P):
    return P.mean(axis=0), P.std(axis=0, ddof=1)


def from_the_running_mean(P):
    """Each pass by its distance from the mean of the passes so far."""
    running = np.cumsum(P, axis=0) / np.arange(1, len(P) + 1)[:, None, None]
    return P.mean(axis=0), np.sqrt(((P - running) ** 2).mean(axis=0))


def of_the_mean(P):
    return P.mean(axis=0), P.std(axis=0) / np.sqrt(len(P))


def swapped(P):
    return P.std(axis=0), P.mean(axis=0)


def summed(P):
    return P.sum(axis=0), P.std(axis=0)


def mean_alone(P):
    return P.mean(axis=0)


def medians(P):
    return np.median(P, axis=0), P.std(axis=0)


def same_generator_each_pass(model, X, rng):
    return model(X, copy.deepcopy(rng))


def one_seed(model, X, rng):
    return model(X, np.random.default_rng(0))


def in_training(model, X, rng):
    return model(X, rng, training=True)


def nothing_dropped(model, X, rng):
    return model(X)


def one_pass_less(model, X, n, rng):
    return by_passes(both)(model, X, max(n - 1, 1), rng)


def sample_by_sample(model, X, n, rng):
    parts = [mc_predict(model, x[None], n, rng) for x in X]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


# ---------------------------------------------------------------------------------------------- other right answers
def in_logarithms(model, X, n, rng):
    passes = [model(X, rng) for _ in range(n)]
    P = [np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True)) for z in passes]
    mean = sum(P) / n
    return mean, np.sqrt(sum((p - mean) ** 2 for p in P) / n)


def one_by_one(model, X, n, rng):
    """Each pass corrects the mean (Welford 1962)."""
    mean = squares = 0.0
    for s in range(1, n + 1):
        p = softmax(model(X, rng))
        step = p - mean
        mean = mean + step / s
        squares = squares + step * (p - mean)
    return mean, np.sqrt(squares / n)


def by_einsum(model, X, n, rng):
    P = np.empty((n, *model(X).shape))
    for s in range(n):
        P[s] = softmax(model(X, rng))
    mean = np.einsum("snk->nk", P) / n
    return mean, np.sqrt(np.einsum("snk,snk->nk", P - mean, P - mean) / n)


# ------------------------------------------------------------------------------------------------------------ probes
def asked(rng, n, samples=None, size=1.0):
    """size: how large the scores are."""
    N, D, H, K = sizes(rng, 4, 3, 10)
    network = {"W": size * rng.normal(size=(D, H)), "V": rng.normal(size=(H, K)), "rate": number(rng, 0.3, 0.6)}
    X = rng.normal(size=(samples or N, D))
    return Call(model=Helper("dropping_network", network), X=X, n=n, rng=seeded(rng))


def some_passes(rng):
    return [asked(rng, int(rng.integers(5, 12))) for _ in range(2)]


def sure(rng):
    """Scores of hundreds and thousands, of which exp() makes infinity or 0; and some so small that probabilities hardly
    differ from pass to pass."""
    return [asked(rng, 7), asked(rng, 5, samples=4, size=400.0), asked(rng, 6, size=1e-8)]


def few(rng):
    return [asked(rng, 3, samples=1), asked(rng, 4)]


def bug(name, wrong, hint, says, see=HUNDRED, published=""):
    return Misconception(name, wrong, hint, says, see, published)


MC_PREDICT = Exercise(
    reference=mc_predict,
    returns=("mean", "deviation"),
    chapter=CHAPTER,
    title="Many answers of one network",
    difficulty=2,
    minutes=12,
    task="""Let a network answer `n` times with dropout on, and return the mean of its *probabilities* and their
standard deviation over the passes (the root of the mean square distance), two arrays (N, K).

`model(X, rng)` returns scores (N, K) of inputs X (N, D), and drops units by what it draws from the generator. Without a
generator it drops nothing. It also has `training=False`, which switches everything else that behaves differently in
training, such as batch norm. Make each pass one call of the model, with `rng` itself. The softmax is up to you.""",
    example="""\
model = lambda X, rng: X * (rng.random(X.shape) >= 0.5)
mean, std = mc_predict(model, np.array([[4.0, 0.0]]), 100, np.random.default_rng(0))
mean.round(2)  # [[0.77 0.23]]
std.round(2)  # [[0.24 0.24]]""",
    groups=[
        Group("passes", 3, some_passes, "Mean and deviation over several passes.", CLOSE),
        Group("sure", 1, sure, "Scores that are large, and some that are tiny.", CLOSE),
        Group("few", 1, few, "A single sample, and few passes.", CLOSE),
    ],
    misconceptions=[
        bug("of_scores", by_passes(of_scores, output=lambda z: z),
            "Scores of 1000 and −1 in two passes: which probability is their mean, and yours?",
            "scores were averaged, and their deviation returned"),
        bug("mean_of_scores", by_passes(mean_of_scores, output=lambda z: z),
            "Sure of class 1 in one pass, of class 2 in the other: what is the mean of the probabilities?",
            "scores were averaged before the softmax"),
        bug("votes", by_passes(votes, output=lambda z: z),
            "A pass says 0.51 for a class. What is left of the 0.49 in yours?", "the passes voted for one class each"),
        bug("batch_norm_in_training", by_passes(both, one=in_training),
            "Does a sample's answer depend on which other samples are asked about?",
            "batch norm had worked as in training", NOTHING_DROPPED),
        bug("same_generator_each_pass", by_passes(both, one=same_generator_each_pass),
            "How large is your deviation, and why?", "every pass dropped the same units"),
        bug("one_seed", by_passes(both, one=one_seed),
            "How large is your deviation, and why?", "every pass began with the same seed of your own"),
        bug("nothing_dropped", by_passes(both, one=nothing_dropped),
            "How large is your deviation, and why?", "nothing had been dropped in any pass"),
        bug("over_classes", by_passes(over_classes),
            "Your deviation: do passes differ in it, or classes?", "the deviation were taken over the classes"),
        bug("over_samples", by_passes(over_samples),
            "Your deviation: do passes differ in it, or samples?", "the deviation were taken over the samples"),
        bug("variance", by_passes(variance), "Has your second answer the unit of the first?",
            "the variance were returned, and not its root"),
        bug("estimated", by_passes(estimated), "By what do you divide the squares: how many passes are there?",
            "squares were divided by n − 1",
            published="PyTorch's `std`"),
        bug("from_the_running_mean", by_passes(from_the_running_mean),
            "Two passes, 0 and 1. From which mean is the second one's distance taken: from 0.5? And the first one's?",
            "the distance of each pass were that from the mean of the passes so far"),
        bug("of_the_mean", by_passes(of_the_mean),
            "With a million passes: is the network surer of its answer, or are you surer of the mean?",
            "the error of the mean were returned, which vanishes with more passes"),
        bug("swapped", by_passes(swapped), "Which of the two comes first?", "mean and deviation had been swapped"),
        bug("sums", by_passes(summed), "What do your probabilities add up to?", "the passes were summed up"),
        bug("medians", by_passes(medians), "What do your probabilities add up to?", "the median were taken"),
        bug("mean_alone", by_passes(mean_alone), "How many things does the task ask for?",
            "only the mean were returned"),
        bug("no_softmax", by_passes(both, output=lambda z: z), "What do your probabilities add up to?",
            "scores were taken for probabilities"),
        bug("softmax_over_samples", by_passes(both, output=lambda z: softmax(z, axis=0)),
            "What do the probabilities of one sample add up to?", "the softmax ran over the samples"),
        bug("overflowing_softmax", by_passes(both, output=lambda z: softmax_of(z, 0.0)),
            "What is exp(1000)?", "the softmax overflowed where scores are large"),
        bug("largest_of_all", by_passes(both, output=lambda z: softmax_of(z, z.max())),
            "A sample whose scores all lie 1000 below another's: which probabilities does it get?",
            "the largest score of all samples were taken off"),
        bug("one_pass_less", one_pass_less, "How often do you call the model?", "there were one pass less than n"),
        bug("sample_by_sample", sample_by_sample, "How often do you call the model?",
            "the samples were asked one after the other"),
    ],
    variants=[
        Variant("in logarithms", in_logarithms),
        Variant("one by one", one_by_one),
        Variant("einsum", by_einsum),
    ],
    hints=[
        Hint("Think of an array (n, N, K): all passes, all samples, all classes. Over which axis is the mean?"),
        Hint('Look at "Asking a hundred networks". What is averaged, scores or probabilities?'),
        Hint(
            "A worked sibling, the mean of several noisy measurements:\n\n"
            "    seen = [measure(rng) for _ in range(n)]\n"
            "    return np.mean(seen, axis=0), np.std(seen, axis=0)"
        ),
        Hint(
            "    n times: z = model(X, rng); p = softmax of z over the classes; keep p\n"
            "    return mean and standard deviation over what was kept"
        ),
    ],
)  # fmt: skip
