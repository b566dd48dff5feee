"""Property: ctc_loss is minus the logarithm of the summed probability of all paths that spell the labels, which for
short sequences can be listed one by one."""

import doctest
import itertools
import sys

import numpy as np
import pytest

import gradschool as gs

CTC = sys.modules["gradschool.ops.ctc"]


def spelled(path, blank):
    """The labels that a path spells."""
    merged = [k for k, _ in itertools.groupby(path)]
    return [k for k in merged if k != blank]


def listed(log_p, labels, blank):
    """(-log p(labels), share of the paths with symbol k at step t), by listing all K^T paths of one sequence."""
    T, K = log_p.shape
    total, at = 0.0, np.zeros((T, K))
    for path in itertools.product(range(K), repeat=T):
        if spelled(path, blank) == list(labels):
            p = np.exp(log_p[np.arange(T), path].sum())
            total += p
            at[np.arange(T), path] += p
    return (-np.log(total), at / total) if total else (np.inf, at)


def drawn(rng, *shape):
    return gs.log_softmax(rng.normal(size=shape))


@pytest.mark.parametrize(("T", "K", "blank"), [(1, 3, 0), (3, 3, 1), (4, 3, -1), (5, 3, 0), (5, 2, 1)])
def test_loss_and_gradient_are_those_of_all_paths_listed(T, K, blank):
    rng = np.random.default_rng([T, K])
    others = [k for k in range(K) if k != blank % K]
    for L in range(4):
        every = np.array(list(itertools.product(others, repeat=L)), int).reshape(len(others) ** L, L)
        log_p = drawn(rng, len(every), T, K)
        losses, pullback = gs.vjp(lambda log_p: gs.ctc_loss(log_p, every, blank=blank, reduction="none"), log_p)
        expected = [listed(a, b, blank % K) for a, b in zip(log_p, every, strict=True)]
        np.testing.assert_allclose(losses, [loss for loss, _ in expected], rtol=1e-10, atol=1e-12)
        shares = np.stack([share for _, share in expected])
        np.testing.assert_allclose(pullback(np.ones(len(every)))[0], -shares, atol=1e-10)


def test_probabilities_of_all_label_sequences_sum_to_one():
    log_p = drawn(np.random.default_rng(0), 1, 5, 3)
    p = [
        np.exp(-gs.ctc_loss(log_p, np.array([labels], int).reshape(1, -1)))
        for L in range(6)
        for labels in itertools.product([1, 2], repeat=L)
    ]
    np.testing.assert_allclose(sum(p), 1, rtol=1e-12)


def test_steps_and_labels_that_are_masked_might_as_well_be_cut_out():
    rng = np.random.default_rng(1)
    log_p, labels = drawn(rng, 4, 8, 5), rng.integers(1, 5, (4, 6))
    mask = np.array([[1, 1, 0, 1, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 0], [1] * 8, [1, 1, 1, 0, 0, 0, 0, 0]])
    target_mask = np.array([[1, 0, 1, 0, 0, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0] * 6])
    labels = np.where(target_mask, labels, -99)
    found, pullback = gs.vjp(
        lambda log_p: gs.ctc_loss(log_p, labels, mask, target_mask, reduction="none"),
        np.where(mask[:, :, None], log_p, np.nan),
    )
    gradient = pullback(np.ones(4))[0]
    for n in range(4):
        alone = log_p[n : n + 1, mask[n] == 1]
        cut = lambda a, n=n: gs.ctc_loss(a, labels[n : n + 1, target_mask[n] == 1])
        np.testing.assert_allclose(found[n], cut(alone), rtol=1e-12)
        np.testing.assert_allclose(gradient[n, mask[n] == 1], gs.grad(cut)(alone)[0], atol=1e-13)
        assert not gradient[n, mask[n] == 0].any()


def test_lengths_are_masks_that_begin_with_ones():
    rng = np.random.default_rng(2)
    log_p, labels = drawn(rng, 3, 7, 4), rng.integers(1, 4, (3, 5))
    lengths, label_lengths = np.array([7, 5, 6]), np.array([2, 0, 3])
    masks = np.arange(7) < lengths[:, None], np.arange(5) < label_lengths[:, None]
    assert gs.ctc_loss(log_p, labels, lengths, label_lengths) == gs.ctc_loss(log_p, labels, *masks)


def test_labels_that_do_not_fit_into_the_steps_cost_inf_and_pull_nowhere():
    log_p = drawn(np.random.default_rng(3), 3, 4, 3)
    labels = np.array([[1, 1, 1], [1, 2, 1], [2, 2, 1]])  # with the blanks between repetitions 5, 3 and 4 steps
    loss, pullback = gs.vjp(lambda log_p: gs.ctc_loss(log_p, labels, reduction="none"), log_p)
    assert np.isinf(loss).tolist() == [True, False, False]
    gradient = pullback(np.ones(3))[0]
    assert not gradient[0].any()
    np.testing.assert_allclose(gradient[1:].sum(axis=2), -1, rtol=1e-12)
    assert gs.ctc_loss(log_p, labels) == np.inf


def test_symbols_of_probability_zero_are_no_trouble():
    with np.errstate(divide="ignore"):
        log_p = np.log(np.array([[[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]]))
    loss, gradient = gs.value_and_grad(lambda log_p: gs.ctc_loss(log_p, np.array([[1, 2]])))(log_p)
    np.testing.assert_allclose(loss, -np.log(0.25), rtol=1e-14)
    np.testing.assert_allclose(gradient, [[[0, -1, 0], [0, 0, -1], [-1, 0, 0]]], atol=1e-14)
    assert gs.ctc_loss(log_p, np.array([[2, 1]])) == np.inf


def test_a_thousand_steps_do_not_underflow():
    log_p = np.full((1, 1000, 4), np.log(0.25))
    count = 1000 - np.arange(3)  # [1] is spelled by 1000 * 1001 / 2 paths: a beginning and an end of the ones
    np.testing.assert_allclose(
        gs.ctc_loss(log_p, np.array([[1]])), 1000 * np.log(4) - np.log(count[0] * (count[0] + 1) / 2), rtol=1e-13
    )


def test_number_is_the_mean_over_the_batch_or_the_sum():
    rng = np.random.default_rng(4)
    log_p, labels = drawn(rng, 5, 7, 4), rng.integers(1, 4, (5, 3))
    each = gs.ctc_loss(log_p, labels, reduction="none")
    np.testing.assert_allclose(gs.ctc_loss(log_p, labels), each.mean(), rtol=1e-14)
    np.testing.assert_allclose(gs.ctc_loss(log_p, labels, normalization="none"), each.sum(), rtol=1e-14)


def test_empty_batches_sequences_and_labels_have_their_loss():
    assert gs.ctc_loss(np.zeros((0, 3, 4)), np.zeros((0, 2), int)) == 0
    assert gs.ctc_loss(np.zeros((1, 0, 4)), np.zeros((1, 0), int)) == 0  # nothing is spelled by nothing, for certain
    assert gs.ctc_loss(np.zeros((1, 0, 4)), np.ones((1, 1), int)) == np.inf
    np.testing.assert_allclose(gs.ctc_loss(np.log(np.full((1, 3, 4), 0.25)), np.zeros((1, 0), int)), 3 * np.log(4))
    assert gs.grad(lambda a: gs.ctc_loss(a, np.ones((1, 1), int)))(np.zeros((1, 0, 4))).shape == (1, 0, 4)


def test_alignments_are_the_shares_of_paths_in_each_state():
    rng = np.random.default_rng(5)
    log_p, labels = drawn(rng, 3, 6, 4), np.array([[1, 1], [2, 3], [3, 0]])
    shares = gs.ctc_alignments(log_p, labels, mask=np.array([6, 5, 4]), target_mask=np.array([2, 2, 1]))
    np.testing.assert_allclose(shares.sum(axis=2), np.arange(6) < np.array([[6], [5], [4]]), atol=1e-12)
    assert not shares[2, :, 3:].any()


@pytest.mark.parametrize("blank", [0, 2, -1])
def test_greedy_spells_the_most_probable_path(blank):
    rng = np.random.default_rng(6)
    log_p, lengths = drawn(rng, 6, 9, 4), np.array([9, 0, 1, 5, 7, 9])
    for found, a, T in zip(gs.ctc_greedy(log_p, lengths, blank), log_p, lengths, strict=True):
        assert found.tolist() == spelled(a[:T].argmax(axis=1), blank % 4)


def test_greedy_skips_steps_that_are_masked_between_others():
    P = np.eye(3)[[[1, 0, 1, 2, 2]]]
    assert gs.ctc_greedy(P)[0].tolist() == [1, 1, 2]
    assert gs.ctc_greedy(P, np.array([[1, 0, 1, 1, 0]]))[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"log_p": np.zeros((3, 4))}, r"expected log_p \(N, T, K\) and labels \(N, L\), got \(3, 4\)"),
        ({"labels": np.zeros((3, 2), int)}, r"labels 0\.\.4 without the blank 0, got \[0\]"),
        ({"labels": np.full((3, 2), 5)}, r"without the blank 0, got \[5\]"),
        ({"blank": 5}, "expected a blank among the 5 symbols"),
        ({"log_p": np.full((3, 4, 5), 0.2)}, r"logarithms of probabilities, got numbers above 0; try log_softmax\(z\)"),
        ({"mask": np.ones((3, 5))}, r"expected a mask \(3, 4\) of zeros and ones, or lengths \(3,\), got \(3, 5\)"),
        ({"reduction": "mean"}, 'expected reduction "sum" or "none"'),
    ],
)
def test_what_does_not_fit_is_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        gs.ctc_loss(**{"log_p": np.zeros((3, 4, 5)), "labels": np.ones((3, 2), int), **kwargs})


def test_what_stands_in_padding_is_no_probability_and_no_matter():
    log_p = np.log(np.full((3, 4, 5), 0.2))
    padded = np.concatenate([log_p, np.full((3, 2, 5), 9.0)], axis=1)
    labels, lengths = np.ones((3, 2), int), np.full(3, 4)
    assert gs.ctc_loss(padded, labels, lengths) == gs.ctc_loss(log_p, labels)


def test_greedy_names_a_shape_and_a_blank_that_do_not_fit():
    with pytest.raises(ValueError, match=r"ctc_greedy: expected log_p \(N, T, K\), got \(4, 5\); .* log_p\[None\]"):
        gs.ctc_greedy(np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"ctc_greedy: expected a blank among the 5 symbols of log_p .*, got 7"):
        gs.ctc_greedy(np.zeros((3, 4, 5)), blank=7)


def test_labels_that_are_no_integers_are_refused():
    with pytest.raises(TypeError, match="expected integer labels, got float64"):
        gs.ctc_loss(np.zeros((3, 4, 5)), np.ones((3, 2)))


def test_examples_in_the_module_are_true():
    assert doctest.testmod(CTC).failed == 0
