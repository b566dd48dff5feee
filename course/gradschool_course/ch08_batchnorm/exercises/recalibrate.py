"""recalibrate_bn: the running statistics counted anew, over all data, with the final weights."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.batchnorm import recalibrate_bn
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import draw, equivalent
from .draw import CHAPTER, CLOSE, RECOUNT


# --------------------------------------------------------------------------------------------- how counting goes wrong
def weighed(shares):
    """shares(sizes) -> a weight for each batch."""

    def answer(model, batches):
        return combined(model, batches, shares=shares)

    return answer


def by_size(sizes):
    return [n / sum(sizes) for n in sizes]


def total_variance(shares, means, variances):
    mean = sum(w * m for w, m in zip(shares, means, strict=True))
    return sum(w * (v + (m - mean) ** 2) for w, m, v in zip(shares, means, variances, strict=True))


def within_only(shares, means, variances):
    return sum(w * v for w, v in zip(shares, variances, strict=True))


def between_unweighed(shares, means, variances):
    mean = sum(w * m for w, m in zip(shares, means, strict=True))
    return within_only(shares, means, variances) + sum((m - mean) ** 2 for m in means) / len(means)


def between_only(shares, means, variances):
    return total_variance(shares, means, [0 * v for v in variances])


def from_the_mean_so_far(shares, means, variances):
    """Batch after batch: what came before does not notice that the mean has moved."""
    seen, mean, var = 0.0, 0.0, 0.0
    for w, m, v in zip(shares, means, variances, strict=True):
        seen = seen + w
        mean = mean + (m - mean) * w / seen
        var = var + w * (v + (m - mean) ** 2)
    return var


def of_deviations(shares, means, variances):
    return sum(w * np.sqrt(v) for w, v in zip(shares, variances, strict=True)) ** 2


def without_bias(sizes):
    """Each variance as an estimate, n / (n - 1) times as large."""

    def variance(shares, means, variances):
        return total_variance(shares, means, [v * n / (n - 1) for v, n in zip(variances, sizes, strict=True)])

    return variance


def combined(model, batches, dropping=False, shares=by_size, variance=total_variance):
    seen = [model(x, dropping)[1] for x in batches]
    weights = shares([len(x) for x in batches])
    state = {}
    for layer in seen[0]:
        means, variances = [s[layer]["mean"] for s in seen], [s[layer]["var"] for s in seen]
        mean = sum(w * m for w, m in zip(weights, means, strict=True))
        state[layer] = {"mean": mean, "var": variance(weights, means, variances)}
    return state


def dropping(model, batches):
    return combined(model, batches, dropping=True)


def one_big_batch(model, batches):
    """All samples at once: other statistics in the second layer, which is normalised by them."""
    return model(np.concatenate(batches), False)[1]


def last_only(model, batches):
    return model(batches[-1], False)[1]


def running_mean(model, batches):
    state = {}
    for x in batches:
        for layer, now in model(x, False)[1].items():
            old = state.get(layer, {"mean": np.zeros_like(now["mean"]), "var": np.ones_like(now["var"])})
            state[layer] = {name: 0.9 * old[name] + 0.1 * now[name] for name in now}
    return state


def unbiased(model, batches):
    return combined(model, batches, variance=without_bias([len(x) for x in batches]))


def full_batches_only(model, batches):
    largest = max(len(x) for x in batches)
    return combined(model, [x for x in batches if len(x) == largest])


def first_layer_only(model, batches):
    state = combined(model, batches)
    first = next(iter(state))
    return {layer: state[first] if layer == first else model(batches[-1], False)[1][layer] for layer in state}


def deviation_handed_out(model, batches):
    return {layer: {"mean": s["mean"], "var": np.sqrt(s["var"])} for layer, s in combined(model, batches).items()}


# -------------------------------------------------------------------------------------------------- other right answers
def merged(model, batches):
    """Two sets of samples become one, and then the next (Chan, Golub and LeVeque 1979)."""
    N, state = 0, {}
    for x in batches:
        n, (_, now) = len(x), model(x, False)
        for layer, s in now.items():
            old = state.get(layer, s)
            gap = s["mean"] - old["mean"]
            mean = old["mean"] + gap * n / (N + n)
            var = (N * old["var"] + n * s["var"] + gap**2 * N * n / (N + n)) / (N + n)
            state[layer] = {"mean": mean, "var": var}
        N += n
    return state


def by_squares(model, batches):
    """E[x²] − E[x]²."""
    sizes = np.array([len(x) for x in batches])
    seen = [model(x, dropping=False)[1] for x in batches]
    state = {}
    for layer in seen[0]:
        m, v = (np.stack([s[layer][name] for s in seen]) for name in ("mean", "var"))
        mean = np.average(m, axis=0, weights=sizes)
        state[layer] = {"mean": mean, "var": np.average(v + m**2, axis=0, weights=sizes) - mean**2}
    return state


def in_two_passes(model, batches):
    """First the means over everything, then the squares of the distances from those."""
    state, N = {}, sum(map(len, batches))
    for x in batches:
        for layer, s in model(x, False)[1].items():
            state.setdefault(layer, {"mean": 0.0, "var": 0.0})
            state[layer]["mean"] = state[layer]["mean"] + len(x) * s["mean"] / N
    for x in batches:
        for layer, s in model(x, False)[1].items():
            far = s["mean"] - state[layer]["mean"]
            state[layer]["var"] = state[layer]["var"] + len(x) * (s["var"] + far * far) / N
    return state


# -------------------------------------------------------------------------------------------------------------- probes
def network(rng, D):
    """Two normalised layers with dropout between them, and data that drift from batch to batch."""
    units, outputs = draw.sizes(rng, 2)
    kept = rng.permutation(np.arange(units) >= max(units // 3, 1)).astype(float)
    return Helper("batch_normalised", {"W": rng.normal(size=(D, units)), "V": rng.normal(size=(units, outputs)),
                                       "kept": kept})  # fmt: skip


def data(rng, D, lengths):
    return [draw.features(rng, (n, D)) + rng.normal(size=D) for n in lengths]


def even_batches(rng):
    D = draw.whole(rng, 3, 6)
    return [Call(model=network(rng, D), batches=data(rng, D, [7, 7, 7]))]


def short_batch(rng):
    D = draw.whole(rng, 3, 6)
    return [
        Call(model=network(rng, D), batches=data(rng, D, [9, 9, 9, 4])),
        Call(model=network(rng, D), batches=data(rng, D, [5, 11, 8])),
    ]


def one_batch(rng):
    D = draw.whole(rng, 3, 6)
    return [Call(model=network(rng, D), batches=data(rng, D, [8]))]


RECALIBRATE = Exercise(
    reference=recalibrate_bn,
    chapter=CHAPTER,
    title="Count again",
    difficulty=3,
    minutes=20,
    task="""The weights of a network are final. Compute the statistics that its normalisations should use in inference:
mean and (mean square) variance over *all samples of all batches*.

`model(x, dropping)` runs the network on a batch x as in training: each normalisation by the batch's own statistics.
It returns `(y, statistics)`, where statistics is a dict with an entry for each normalisation, `{"first": {"mean":
(C,), "var": (C,)}, ...}`, of this batch. `dropping`, True or False, says whether its dropout drops. In inference it
will not.

`batches` is a list of arrays, which may differ in length. Return a dict of the form of `statistics`. You see each batch
once more only: do not put batches together.""",
    example="""\
model = lambda x, dropping: (x, {"bn": {"mean": x.mean(axis=0), "var": x.var(axis=0)}})
state = recalibrate_bn(model, [np.array([[1.0], [2.0]]), np.array([[6.0]])])
state["bn"]["mean"]  # [3.]
state["bn"]["var"].round(4)  # [4.6667]""",
    groups=[
        Group("batches", 2, even_batches, "Batches of one size.", CLOSE),
        Group("uneven batches", 3, short_batch, "Batches of different sizes.", CLOSE),
        Group("one batch", 1, one_batch, "A single batch.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        Misconception(
            "dropout_on",
            dropping,
            "Which inputs will the second normalisation see in inference: with units dropped, or without?",
            "dropout had been on while the statistics were counted",
            RECOUNT,
        ),
        Misconception(
            "batches_weigh_alike",
            weighed(lambda sizes: [1 / len(sizes)] * len(sizes)),
            "The last batch has 4 samples and all others have 9. How much does one of the 4 count?",
            "a short batch counted as much as a long one",
            RECOUNT,
            published="PyTorch's `update_bn`, in this point",
        ),
        Misconception(
            "variances_averaged",
            lambda model, batches: combined(model, batches, variance=within_only),
            "Two batches, all zeros and all tens: what is the variance of their twenty numbers, and what do you get?",
            "the variance of all were the mean of the batches' variances",
            RECOUNT,
        ),
        Misconception(
            "between_unweighed",
            lambda model, batches: combined(model, batches, variance=between_unweighed),
            "A batch of 4 lies far from the mean of all, and one of 40 close to it. Do their distances count alike?",
            "the distances of the batches' means counted alike, however large the batches are",
            RECOUNT,
        ),
        Misconception(
            "from_the_mean_so_far",
            lambda model, batches: combined(model, batches, variance=from_the_mean_so_far),
            "A batch of zeros, then one of tens: the mean moves from 0 to 5. How far from it are the zeros now?",
            "only a new batch had a distance from the mean that it moves, and what came before had none",
            RECOUNT,
        ),
        Misconception(
            "only_between",
            lambda model, batches: combined(model, batches, variance=between_only),
            "A single batch: what is its variance in yours?",
            "the variance were that of the batches' means alone",
            RECOUNT,
        ),
        Misconception(
            "deviations_averaged",
            lambda model, batches: combined(model, batches, variance=of_deviations),
            "Which of the two may be averaged over batches that share a mean: variances or standard deviations?",
            "standard deviations were averaged, and then squared",
            RECOUNT,
        ),
        Misconception(
            "estimated_variances",
            unbiased,
            "Put all samples into one batch: its mean square deviation should come out. What does yours give?",
            "the batches' variances were made larger by n / (n − 1)",
            RECOUNT,
        ),
        Misconception(
            "deviation_handed_out",
            deviation_handed_out,
            "Inference takes a root of what you hand out. Was one taken already?",
            "standard deviations were handed out as variances",
            RECOUNT,
        ),
        Misconception(
            "sums",
            weighed(lambda sizes: sizes),
            "By what are your sums divided in the end?",
            "nothing had been divided by the number of samples",
            RECOUNT,
        ),
        Misconception(
            "divided_by_batches",
            weighed(lambda sizes: [n / len(sizes) for n in sizes]),
            "You count samples in the numerator. What do you count in the denominator?",
            "sums over samples were divided by the number of batches",
            RECOUNT,
        ),
        Misconception(
            "last_batch_only",
            last_only,
            "What is left of the first batch in your answer?",
            "the last batch alone counted",
            RECOUNT,
        ),
        Misconception(
            "running_mean_again",
            running_mean,
            "How much of the start, mean 0 and variance 1, is left in your answer after three batches?",
            "the statistics were a running mean once more, which starts from 0 and 1",
            RECOUNT,
        ),
        Misconception(
            "short_batch_left_out",
            full_batches_only,
            "How many samples are in your counts, and how many in the data?",
            "batches that are not full did not count",
            RECOUNT,
        ),
        Misconception(
            "first_layer_only",
            first_layer_only,
            "For how many normalisations does the model give statistics, and for how many do you count?",
            "only the first normalisation were counted over all batches",
            RECOUNT,
        ),
        Misconception(
            "one_big_batch",
            one_big_batch,
            "While the second layer's statistics are taken, is the first normalised by each batch, or by all samples?",
            "all batches had been put into one",
            RECOUNT,
        ),
    ],
    variants=[
        Variant("merged one by one", merged),
        Variant("mean of squares", by_squares),
        Variant("two passes", in_two_passes),
    ],
    equivalent=equivalent.LAYERS,
    hints=[
        Hint("Forget the network: given size, mean and variance of some groups, what are those of all together?"),
        Hint('Look at "Count again". What does the variance of all contain beside the variances inside the batches?'),
        Hint(
            "A worked sibling, the mean age of two school classes of 20 and 30 with means 11 and 12:\n\n"
            "    (20 * 11 + 30 * 12) / (20 + 30)"
        ),
        Hint(
            "    for each batch: its length and the statistics, dropout off\n"
            "    for each layer: mean = sum of n / N times the batch's mean\n"
            "    var = sum of n / N times (the batch's var + the square of how far its mean is from that mean)"
        ),
    ],
)
