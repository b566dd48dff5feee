"""activation_stats: mean and deviation of every layer of a network that nobody has trained."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.depth import activation_stats
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import equivalent
from .common import CHAPTER, CLOSE, GENERATOR, MEASURED, drawn


# ----------------------------------------------------------------------------------------- how measuring goes wrong
def unit_means(A):
    return A.mean(axis=0).mean()


def unit_stds(A):
    return A.std(axis=0).mean()


def normal_batch(rng, shape):
    return rng.normal(size=shape)


def one_by_one(depth, width, init, rng):
    """Weights that are drawn as they are needed."""
    return (init((width, width), rng) for _ in range(depth))


def what_came_out(A, X, rng):
    return A


def one_step(A, W, act):
    """What goes on, and what is measured."""
    return (act(A @ W),) * 2


def measured(
    mean=unit_means, std=unit_stds, step=one_step, batch=normal_batch, weights=one_by_one, comes_in=what_came_out
):
    """activation_stats with parts of one's own."""

    def answer(depth, width, act, init, rng, samples=500):
        matrices = weights(depth, width, init, rng)
        X = A = batch(rng, (samples, width))
        means, stds = [], []
        for W in matrices:
            A, seen = step(comes_in(A, X, rng), W, act)
            means.append(mean(seen))
            stds.append(std(seen))
        return np.array(means), np.array(stds)

    return answer


def sample_stds(A):
    return A.std(axis=1).mean()


def std_of_all(A):
    return A.std()


def variances(A):
    return A.var(axis=0).mean()


def root_mean_squares(A):
    return np.sqrt((A**2).mean(axis=0)).mean()


def spread_of_means(A):
    return A.mean(axis=0).std()


def one_less(A):
    return A.std(axis=0, ddof=1).mean()


def first_unit(A):
    return A[:, 0].mean()


def mean_size(A):
    return np.abs(A).mean(axis=0).mean()


def measures_before(A, W, act):
    return act(A @ W), A @ W


def feeds_before(A, W, act):
    return A @ W, act(A @ W)


def activated_first(A, W, act):
    return (act(A) @ W,) * 2


def no_activation(A, W, act):
    return (A @ W,) * 2


def transposed_weights(A, W, act):
    return (act(A @ W.T),) * 2


def scaled_once_more(A, W, act):
    return (act(A @ W / np.sqrt(len(W))),) * 2


def measures_what_comes_in(A, W, act):
    return act(A @ W), A


def one_matrix(depth, width, init, rng):
    W = None
    for _ in range(depth):
        W = init((width, width), rng) if W is None else W
        yield W


def weights_of_its_own(depth, width, init, rng):
    return (rng.normal(size=(width, width)) / np.sqrt(width) for _ in range(depth))


def all_at_first(depth, width, init, rng):
    return list(one_by_one(depth, width, init, rng))


def always_the_batch(A, X, rng):
    return X


def a_new_batch(A, X, rng):
    return A if A is X else rng.normal(size=X.shape)


def uniform_batch(rng, shape):
    return rng.uniform(size=shape)


def always_500(depth, width, act, init, rng, samples=500):
    return activation_stats(depth, width, act, init, rng)


def last_layer_first(depth, width, act, init, rng, samples=500):
    means, stds = activation_stats(depth, width, act, init, rng, samples)
    return means[::-1].copy(), stds[::-1].copy()


# ------------------------------------------------------------------------------------------------ other right answers
def by_sums(depth, width, act, init, rng, samples=500):
    """With loops over the units, and the variance as a mean of squares less a squared mean."""
    A, table = rng.standard_normal((samples, width)), []
    for _ in range(depth):
        A = act(np.einsum("ni,io->no", A, init((width, width), rng)))
        mean = [float(A[:, unit].sum()) / samples for unit in range(width)]
        std = [np.sqrt(((A[:, unit] - mean[unit]) ** 2).sum() / samples) for unit in range(width)]
        table.append((sum(mean) / width, sum(std) / width))
    return np.array([row[0] for row in table]), np.array([row[1] for row in table])


def all_layers_kept(depth, width, act, init, rng, samples=500):
    layers = [rng.normal(size=(samples, width))]
    for _ in range(depth):
        layers.append(act(layers[-1] @ init((width, width), rng)))
    signal = np.stack(layers[1:])
    return [signal.mean(axis=(1, 2)), signal.std(axis=1).mean(axis=1)]


def sideways(depth, width, act, init, rng, samples=500):
    """Samples as columns."""
    A = rng.normal(size=(samples, width)).T
    means, stds = np.empty(depth), np.empty(depth)
    for i in range(depth):
        A = act(init((width, width), rng).T @ A)
        means[i] = np.average(A)
        stds[i] = np.mean(np.std(A, axis=-1))
    return means, stds


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, act, depth, width, samples=None):
    init = Helper("normal_weights", {"by": float(rng.uniform(1.1, 1.6))})
    options = {} if samples is None else {"samples": samples}
    return Call(depth=depth, width=width, act=act, init=init, rng=drawn(rng), **options)


def saturating(rng):
    return Helper("saturating", {"by": float(rng.uniform(0.7, 1.3))})


def growing(rng):
    return Helper("leaking", {"left": float(rng.uniform(0.2, 0.5))})


def batch_of_500(rng):
    return [call(rng, saturating(rng), 4, 7), call(rng, growing(rng), 5, 6)]


def other_batches(rng):
    return [call(rng, growing(rng), 3, 8, int(rng.integers(11, 30))), call(rng, saturating(rng), 6, 5, 9)]


def one_layer(rng):
    return [call(rng, growing(rng), 1, 9, 13), call(rng, saturating(rng), 3, 5, 1)]


def bug(name, says, hint, wrong=None, see=MEASURED, published="", **parts):
    return Misconception(name, wrong or measured(**parts), hint, says, see, published)


EXERCISE = Exercise(
    reference=activation_stats,
    returns=("means", "deviations"),
    chapter=CHAPTER,
    title="Mean and deviation, layer by layer",
    difficulty=2,
    minutes=15,
    task="""
    Send a batch of noise through a network of `depth` layers that was never trained, and note what is left of it after
    each layer.

    - the batch is `rng.normal(size=(samples, width))`, and is drawn first
    - each layer has weights of its own, `init((width, width), rng)`, drawn as they are needed; it multiplies what comes
      in by them, from the right, and applies `act`. There are no biases
    - of what comes out of a layer: each unit's mean over the samples, and the mean of these over the units; each
      unit's standard deviation over the samples (divide by their number), and the mean of these over the units

    Return two arrays (depth,): the means and the deviations, from the first layer to the last. The batch itself is not
    among them.
    """,
    example="""\
init = lambda shape, rng: rng.normal(size=shape) / np.sqrt(shape[0])
means, stds = activation_stats(50, 100, np.tanh, init, np.random.default_rng(0))
print(stds[[0, 9, 49]].round(1))  # [0.6 0.2 0.1]""",
    groups=[
        Group("500 samples", 2, batch_of_500, "A batch of 500.", CLOSE),
        Group("other batches", 1, other_batches, "Batches of another size.", CLOSE),
        Group("one of each", 1, one_layer, "A single layer; a single sample.", CLOSE),
    ],
    misconceptions=[
        bug("over_the_units", "the deviation had been taken over the units of each sample",
            "How far does one unit swing from sample to sample? Along which axis do the samples lie?", std=sample_stds),
        bug("over_everything", "the deviation had been taken over all numbers of a layer at once",
            "A unit that always says 3 beside one that always says 5: does either of them deviate?", std=std_of_all),
        bug("variance", "the variance had been noted", "In which unit is the deviation of a length in metres?",
            std=variances),
        bug("root_mean_square", "no mean had been taken off before squaring",
            "A unit that always says 3: which deviation has it?", std=root_mean_squares),
        bug("spread_of_the_means", "the deviation were that of the units' means",
            "What is taken first here, and what second: the deviation or the mean?", std=spread_of_means),
        bug("one_less", "the deviation had been divided by one less than the number of samples",
            "By how much do you divide: by the number of samples, or by another one?", published="PyTorch's `std`",
            std=one_less),
        bug("one_unit", "only the first unit counted in the mean",
            "How many units has a layer, and how many of them are in your mean?", mean=first_unit),
        bug("mean_of_sizes", "signs did not count in the mean", "What is the mean of -1 and 1?", mean=mean_size),
        bug("measured_before_the_activation", "what comes in at the activation had been measured",
            "Which numbers does the next layer receive? Are those the ones you look at?", step=measures_before),
        bug("fed_before_the_activation", "the next layer received what had not gone through the activation",
            "What do you multiply by the next weights?", step=feeds_before),
        bug("activated_first", "the activation came before the weights",
            "Does the batch go through `act` before it meets the first weights?", step=activated_first),
        bug("no_activation", "there were no activation", "Where in your code does `act` stand?", step=no_activation),
        bug("weights_transposed", "the weights had been transposed",
            "Weights are (in, out). Which of their axes meets the units of the batch?", step=transposed_weights),
        bug("scaled_once_more", "the weights had been divided by the root of the width once more",
            "`init` gives weights that are ready. What do you do to them?", step=scaled_once_more),
        bug("init_ignored", "the weights were normal ones of variance 1/width, and not those of `init`",
            "Whose weights does your network have, those of `init` or of your own making?", weights=weights_of_its_own),
        bug("one_matrix", "all layers shared one matrix", "How many times do you call `init`?",
            weights=one_matrix),
        bug("always_the_batch", "every layer received the batch itself",
            "What comes into the second layer of your network?", comes_in=always_the_batch),
        bug("a_new_batch_each_time", "every layer received a fresh batch of noise",
            "How often do you draw a batch, and what becomes of what the first layer made of it?",
            comes_in=a_new_batch),
        bug("the_batch_counts", "the batch were the first layer, and the last layer none",
            "With depth = 1, which numbers do you look at: the batch, or what a layer made of it?",
            step=measures_what_comes_in),
        bug("uniform_batch", "the batch were uniform between 0 and 1", "Which mean has your batch?",
            batch=uniform_batch),
        bug("weights_drawn_first", "the weights had been drawn before the batch",
            "Statistically nothing is wrong. In which order does the task draw, so that others get your numbers?",
            see=GENERATOR, weights=all_at_first),
        bug("always_500", "a batch always had 500 samples", "Where in your code does `samples` stand?", always_500),
        bug("last_layer_first", "the layers had been counted from the end",
            "Which layer do your arrays begin with?", last_layer_first),
    ],
    variants=[
        Variant("unit by unit", by_sums),
        Variant("all layers kept", all_layers_kept),
        Variant("samples as columns", sideways),
    ],
    hints=[
        Hint("One array goes through a loop and is replaced in every turn. What is noted each time, two numbers?"),
        Hint('Look at "Measuring a network that nobody has trained": along which axis lie the samples?'),
        Hint(
            "A worked sibling, the largest number of every layer:\n\n"
            "    A, largest = X, []\n    for W in weights:\n        A = np.tanh(A @ W)\n"
            "        largest.append(A.max())"
        ),
        Hint(
            "    A = a batch of normal numbers\n    for each layer: A = act(A times fresh weights)\n"
            "        mean over samples, then over units; deviation over samples, then its mean over units"
        ),
    ],
    equivalent=equivalent.SIGNALS,
)  # fmt: skip
