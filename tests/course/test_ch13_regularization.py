"""Chapter 13: every bug of the curriculum is a misconception wherever it is seen; golden figures, plots, orderings."""

import math

import matplotlib
import numpy as np
import pytest

from gradschool.lessons.dropout import alpha_dropout
from gradschool.lessons.weights import max_norm
from gradschool.ops.dropout import alpha_constants
from gradschool_course import course
from gradschool_course.ch13_regularization import few, figures
from gradschool_course.ch13_regularization.exercises import EXERCISES, alpha, common, dropped, moved
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge

matplotlib.use("Agg")
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}

BUGS = {
    "includes biases/γ": {
        "l1_l2_penalty": "biases_too",
        "decayed_step": "everything_decays",
        "max_norm": "biases_too",
    },
    "½ factor vs 2λ": {"l1_l2_penalty": "half", "decayed_step": "twice_the_decay"},
    "sign(0)": {"l1_l2_penalty": "one_at_zero"},
    "divides by N": {"l1_l2_penalty": "divided_by_rows"},
    "counts twice per batch": {"l1_l2_penalty": "counted_twice"},
    "identical results claimed": {"decayed_step": "always_coupled"},
    "lr·λ": {"decayed_step": "without_rate"},
    "no inverted scaling": {
        "dropout_forward": "not_scaled",
        "dropout_backward": "not_scaled",
        "alpha_dropout": "no_scale",
    },
    "keep vs drop prob": {"dropout_forward": "rate_is_kept", "alpha_dropout": "rate_is_kept"},
    "mask reused across batches": {"dropout_forward": "remembered", "alpha_dropout": "own_seed"},
    "applied at eval": {"dropout_forward": "at_inference_too", "alpha_dropout": "at_inference_too"},
    "backward without mask": {"dropout_backward": "without_mask"},
    "same mask per batch row": {
        "dropout_forward": "one_mask_for_all_samples",
        "alpha_dropout": "one_mask_for_all_samples",
    },
    "rate 0/1": {"dropout_forward": "division_by_zero"},
    "plain zeros": {"alpha_dropout": "zeros"},
    "a,b not applied": {"alpha_dropout": "no_line"},
    "statistics not preserved": {"alpha_dropout": "mean_square"},
    "averages logits": {"mc_predict": "of_scores"},
    "averages argmax": {"mc_predict": "votes"},
    "BN in training mode": {"mc_predict": "batch_norm_in_training"},
    "same seed each pass": {"mc_predict": "same_generator_each_pass"},
    "std over classes": {"mc_predict": "over_classes"},
    "norm by row not column": {"max_norm": "outgoing"},
    "per tensor": {"max_norm": "per_array"},
    "rescales small ones up": {"max_norm": "always_scaled"},
    "wait > patience": {"early_stop": "one_late"},
    "no copy of weights": {"early_stop": "no_copy"},
}
NO_BUGS = {"l1_l2_penalty": "adds to metrics", "max_norm": "before update"}


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_of_the_curriculum_is_a_misconception_wherever_it_can_be_seen(bug):
    for name, mistake in BUGS[bug].items():
        assert mistake in [m.name for m in BY_NAME[name].misconceptions], (name, mistake)


@pytest.mark.parametrize("name", NO_BUGS)
def test_a_phrase_that_is_no_bug_has_its_reason(name):
    assert BY_NAME[name].not_bugs[NO_BUGS[name]]


def test_an_answer_that_raises_is_not_taken_for_one_that_returns_something_else():
    names = {"np": np, "augment": lambda images, rng, shift=1: rng.no_such_method(images)}
    exercise = BY_NAME["augment"]
    found = judge(exercise, lambda: HereWorker(course, names), LiveAnswers(exercise, course.helpers, seed=1))
    assert found.diagnosis is None or found.diagnosis.kind != "misconception", found.diagnosis


def with_mask(name, kept):
    """A dropout that is right but for kept(shape, rate, rng)."""
    wrong = dropped.by_chance if name == "dropout_forward" else alpha.by_chance
    return wrong(lambda x, rate, rng: kept(x.shape, rate, rng))


def one_coin(*axes):
    """One coin for all along some axes, of arrays that have three."""

    def kept(shape, rate, rng):
        given = [axis % len(shape) for axis in axes if len(shape) > 2]
        coins = rng.binomial(1, 1 - rate, [1 if axis in given else n for axis, n in enumerate(shape)])
        return np.broadcast_to(coins, shape) > 0

    return kept


def as_many(shape, rate, rng):
    gone = rng.choice(math.prod(shape), int(rate * math.prod(shape)), replace=False)
    return ~np.isin(np.arange(math.prod(shape)), gone).reshape(shape)


def turned(shape, rate, rng):
    """One sample's random numbers, turned by another angle for each."""
    return (rng.random(shape[1:]) + rng.random((shape[0], *(1 for _ in shape[1:])))) % 1 >= rate


def rounded(shape, rate, rng):
    return rng.random(shape) >= round(rate, 1)


SHARED = [one_coin(0), one_coin(1), one_coin(-1), one_coin(0, 1), one_coin(1, 2), turned]


@pytest.mark.parametrize("name", ["dropout_forward", "alpha_dropout"])
@pytest.mark.parametrize("kept", [*SHARED, as_many, rounded])
def test_a_mask_is_refused_whatever_shares_a_coin_and_if_it_is_counted_out_or_rounded(name, kept):
    for seed in range(3):
        assert judged(name, with_mask(name, kept), seed).points < BY_NAME[name].points


class OtherNumbers:
    """What draws as the generator does, but other numbers."""

    def __init__(self, rng):
        self.rng, self.other = rng, None

    def __getattr__(self, name):
        self.other = self.other or np.random.default_rng(int(self.rng.integers(2**62)))
        return getattr(self.other, name)


@pytest.mark.parametrize("name", ["dropout_forward", "alpha_dropout"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_mistake_that_draws_other_numbers_keeps_its_name(name, seed):
    for m in BY_NAME[name].misconceptions:
        wrong = m.wrong() if getattr(m.wrong, "fresh", False) else m.wrong
        answer = lambda x, rate, rng, training=False, f=wrong: f(x, rate, OtherNumbers(rng), training)
        found = judged(name, answer, seed).diagnosis
        assert found is not None
        assert found.name == m.name


def middle(n, rng, shift):
    return np.rint(rng.uniform(-shift, shift, size=(n, 2))).astype(int)


def all_but_corners(n, rng, shift):
    ways = [(i, j) for i in range(-shift, shift + 1) for j in range(-shift, shift + 1) if abs(i * j) < shift**2]
    return np.array(ways)[rng.integers(len(ways), size=n)]


def by_pairs(n, rng, shift):
    return moved.evenly((n + 1) // 2, rng, shift).repeat(2, axis=0)[:n]


def sideways_as_the_one_before_down(n, rng, shift):
    down = rng.integers(-shift, shift + 1, size=n)
    return np.stack([down, np.roll(down, 1)], axis=1)


@pytest.mark.parametrize("draw", [middle, all_but_corners, by_pairs, sideways_as_the_one_before_down, moved.dealt_out])
def test_moves_are_refused_that_are_not_equally_likely_or_not_independent(draw):
    for seed in range(3):
        assert judged("augment", moved.drawn(draw), seed).points == 0


def test_moves_of_a_generator_of_its_own_are_refused_whatever_the_shift():
    for seed in range(3):
        own = lambda images, rng, shift=1: moved.augment(images, np.random.default_rng(seed), shift)
        assert judged("augment", own, seed).points == 0


def judged(name, answer, seed):
    exercise = BY_NAME[name]
    names = {"np": np, name: answer}
    return judge(exercise, lambda: HereWorker(course, names), LiveAnswers(exercise, course.helpers, seed=seed))


@pytest.mark.parametrize("n", [7, 40])
def test_counts_that_come_near_their_mean_are_no_more_often_suspicious_than_they_may_be(n):
    rng, p = np.random.default_rng(n), 0.4
    exact = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    np.testing.assert_allclose(common.binomial(n, p), exact)
    scores = np.array([common.evenness(rng.random((6, n)) < p, 0, 1 - p) for _ in range(2000)])
    assert 0 < (scores < -1).mean() < 0.1587 + 6 * math.sqrt(0.1587 * 0.8413 / 2000)


# ------------------------------------------------------------------------------------------------------------- golden
@pytest.mark.parametrize(("rate", "a", "b"), [(0.1, 0.9212845, 0.1619710), (0.2, 0.8789036, 0.3090400)])
def test_the_line_of_alpha_dropout_has_the_recorded_constants(rate, a, b):
    np.testing.assert_allclose(alpha_constants(rate), (a, b), atol=5e-8)
    y = alpha_dropout(np.tile([0.0, 1.0], 30), rate, np.random.default_rng(0), training=True).reshape(-1, 2)
    np.testing.assert_allclose(y.max(axis=0), (b, a + b), atol=1e-7)


def test_every_column_is_bounded_by_itself():
    W = max_norm({"W": np.array([[3.0, 0.0, 0.6], [4.0, 2.0, 0.0]])}, 1.0)["W"]
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), [1.0, 1.0, 0.6], rtol=1e-12)


# -------------------------------------------------------------------------------------------------------- experiments
def test_dropout_learns_fewer_wrong_labels_and_reports_less_than_it_knows():
    plain, dropped = few.fit("nothing", 1, epochs=15), few.fit("dropout", 1, epochs=15)
    seen = few.accuracy("dropout", dropped, 0, 1)
    assert dropped.epochs["accuracy"][-1] < seen < few.accuracy("nothing", plain, 0, 1)


def test_the_figures_are_drawn_with_and_without_a_prediction():
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(1)
    found = {name: rng.uniform(0.8, 1, (3, 2)) for name in few.METHODS}
    losses = [1.0, 0.5, 0.4, 0.6, 0.7, 0.8]
    for guess in (None, 3, "dropout"):
        figures.gaps(found, guess)
        figures.stopped(losses, 3, 5, guess)
        figures.gained([0.3, -0.5, 0.0], guess)
    figures.curves({name: (rng.random((3, 7)), rng.random((3, 7))) for name in ("nothing", "dropout")})
    figures.weights({name: rng.normal(0, 0.1, 500) for name in ("nothing", "ℓ1 penalty")})
    figures.doubts(rng.random((3, 8, 8)), rng.random((3, 10)), rng.random((3, 10)), ["a", "b", "c"])
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
