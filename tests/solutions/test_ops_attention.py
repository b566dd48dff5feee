"""Attention is the loop over samples, heads and queries that its definition describes, under every kind of mask."""

import doctest
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops import attention_backward, attention_forward

N, TQ, TK, C, CV, HEADS = 3, 5, 7, 8, 12, 4


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, TQ, C)), rng.normal(size=(N, TK, C)), rng.normal(size=(N, TK, CV))


def looped(Q, K, V, heads, scale, seen):
    """Each query of each head alone; `seen` (N, heads, Tq, Tk)."""
    Y = np.zeros((*Q.shape[:2], V.shape[2]))
    P = np.zeros((len(Q), heads, Q.shape[1], K.shape[1]))
    d, dv = Q.shape[2] // heads, V.shape[2] // heads
    for n, h, i in np.ndindex(P.shape[:3]):
        keys = np.flatnonzero(seen[n, h, i])
        if keys.size == 0:
            continue
        mine = slice(h * d, (h + 1) * d)
        e = np.exp([scale * np.dot(Q[n, i, mine], K[n, j, mine]) for j in keys])
        P[n, h, i, keys] = e / e.sum()
        Y[n, i, h * dv : (h + 1) * dv] = sum(P[n, h, i, j] * V[n, j, h * dv : (h + 1) * dv] for j in keys)
    return Y, P


MASKS = {
    "nothing": ({}, np.ones((N, HEADS, TQ, TK))),
    "causal": ({"attention_mask": "causal"}, np.tri(TQ, TK)),
    "causal, queries last": ({"attention_mask": "causal", "first": TK - TQ}, np.tri(TQ, TK, TK - TQ)),
    "causal, queries too early": ({"attention_mask": "causal", "first": -2}, np.tri(TQ, TK, -2)),
}
_draws = np.random.default_rng(1)
for _name, _shape in {"an array": (TQ, TK), "of samples": (N, TQ, TK), "of heads": (N, HEADS, TQ, TK)}.items():
    _mask = _draws.integers(0, 2, _shape)
    MASKS[_name] = ({"attention_mask": _mask}, _mask[:, None] if _mask.ndim == 3 else _mask)
_padding = np.arange(TK) < np.array([[7], [4], [0]])
MASKS["padding"] = ({"padding_mask": _padding}, _padding[:, None, None])
MASKS["padding and causal"] = (
    {"padding_mask": _padding.astype(int), "attention_mask": "causal"},
    _padding[:, None, None] & (np.tri(TQ, TK) > 0),
)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("scale", ["auto", 0.9])
def test_each_query_gets_the_mean_of_what_it_may_see(name, scale):
    options, seen = MASKS[name]
    Q, K, V = drawn()
    Y, P = gs.attention(Q, K, V, HEADS, scale, return_weights=True, **options)
    factor = (C / HEADS) ** -0.5 if scale == "auto" else scale
    expected_Y, expected_P = looped(Q, K, V, HEADS, factor, np.broadcast_to(seen, (N, HEADS, TQ, TK)))
    np.testing.assert_allclose(P, expected_P, rtol=1e-10)
    np.testing.assert_allclose(Y, expected_Y, rtol=1e-10, atol=1e-14)


def test_one_head_is_the_default_and_masks_need_not_be_given():
    Q, K, V = drawn()
    expected, _ = looped(Q, K, V, 1, C**-0.5, np.ones((N, 1, TQ, TK)))
    np.testing.assert_allclose(gs.attention(Q, K, V), expected, rtol=1e-10)
    np.testing.assert_array_equal(gs.attention(Q, K, V, attention_mask="none"), gs.attention(Q, K, V))


def test_a_query_that_sees_nothing_gets_zeros_and_passes_no_gradient():
    Q, K, V = drawn()
    options = {"padding_mask": _padding, "heads": HEADS}
    Y, pullback = gs.vjp(lambda *a: gs.attention(*a, **options), Q, K, V)
    assert not Y[2].any()
    assert all(np.isfinite(d).all() and not d[2].any() for d in pullback(np.random.default_rng(2).normal(size=Y.shape)))
    assert not pullback(np.ones(Y.shape))[2][1, 4:].any()


def test_the_order_of_keys_does_not_matter_and_that_of_queries_is_kept():
    Q, K, V = drawn()
    keys, queries = np.random.default_rng(3).permutation(TK), np.random.default_rng(4).permutation(TQ)
    Y = gs.attention(Q, K, V, HEADS)
    np.testing.assert_allclose(gs.attention(Q, K[:, keys], V[:, keys], HEADS), Y, rtol=1e-12)
    np.testing.assert_allclose(gs.attention(Q[:, queries], K, V, HEADS), Y[:, queries], rtol=1e-12)


def test_later_places_change_nothing_before_them():
    X = np.random.default_rng(5).normal(size=(N, TQ, C))
    later = X.copy()
    later[:, 3:] += 10
    Y, Y_later = (gs.attention(x, x, x, HEADS, attention_mask="causal") for x in (X, later))
    np.testing.assert_allclose(Y[:, :3], Y_later[:, :3], rtol=1e-12)


def test_decoding_step_by_step_gives_what_all_at_once_gave():
    X = np.random.default_rng(6).normal(size=(N, TQ, C))
    Y = gs.attention(X, X, X, HEADS, attention_mask="causal")
    for t in range(TQ):
        so_far = X[:, : t + 1]
        step = gs.attention(X[:, t : t + 1], so_far, so_far, HEADS, attention_mask="causal", first=t)
        np.testing.assert_allclose(step[:, 0], Y[:, t], rtol=1e-12)


def test_scores_of_thousands_give_no_warning_and_pick_the_best_key():
    Q, K, V = drawn()
    for kind in (np.float64, np.float32):
        Y, P = gs.attention(*(x.astype(kind) for x in (1e4 * Q, K, V)), return_weights=True, attention_mask="causal")
        assert np.isfinite(Y).all()
        np.testing.assert_allclose(P.max(-1), np.ones((N, 1, TQ)), rtol=1e-6)
        assert Y.dtype == kind


def test_dropout_keeps_the_mean_and_returns_the_weights_that_were_applied():
    Q, K, V = drawn()
    Y, P = gs.attention(Q, K, V, HEADS, dropout=0.3, rng=np.random.default_rng(7), return_weights=True)
    full = gs.attention(Q, K, V, HEADS, return_weights=True)[1]
    kept = P != 0
    np.testing.assert_allclose(P[kept], full[kept] / 0.7, rtol=1e-12)
    by_hand = P @ V.reshape(N, TK, HEADS, -1).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(Y, by_hand.transpose(0, 2, 1, 3).reshape(Y.shape), rtol=1e-12, atol=1e-14)
    rng = np.random.default_rng(8)
    shares = [
        np.mean(gs.attention(Q, K, V, HEADS, dropout=0.3, rng=rng, return_weights=True)[1] == 0) for _ in range(60)
    ]
    assert abs(np.mean(shares) - 0.3) < 6 * (0.3 * 0.7 / (60 * P.size)) ** 0.5


def test_derivatives_hold_the_mask_of_the_same_draw_also_in_the_second_order():
    Q, K, V = drawn()
    g = np.random.default_rng(9).normal(size=(N, TQ, CV))
    v = np.random.default_rng(10).normal(size=Q.shape)
    y = lambda q: np.sum(g * gs.attention(q, K, V, HEADS, dropout=0.4, rng=np.random.default_rng(11)) ** 3)
    product = gs.hessian_vector_product(y, Q, v)
    numeric = (gs.grad(y)(Q + 1e-5 * v) - gs.grad(y)(Q - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(product, numeric, rtol=1e-6, atol=1e-7)


def test_backward_takes_a_cotangent_of_the_weights_too():
    Q, K, V = drawn()
    (Y, P), cache = attention_forward(Q, K, V, HEADS, return_weights=True)
    rng = np.random.default_rng(12)
    g, gP = rng.normal(size=Y.shape), rng.normal(size=P.shape)
    together = attention_backward((g, gP), cache)
    alone = attention_backward(g, cache), attention_backward((0 * g, gP), cache)
    for both, a, b in zip(together, *alone, strict=True):
        np.testing.assert_allclose(both, a + b, rtol=1e-9, atol=1e-12)


def test_whole_numbers_are_promoted_and_empty_batches_and_queries_stay_empty():
    Q, K, V = (np.round(3 * x).astype(int) for x in drawn())
    np.testing.assert_array_equal(gs.attention(Q, K, V, HEADS), gs.attention(*(x * 1.0 for x in (Q, K, V)), HEADS))
    assert gs.attention(Q[:0], K[:0], V[:0], HEADS, attention_mask="causal").shape == (0, TQ, CV)
    assert gs.attention(Q[:, :0], K, V, HEADS).shape == (N, 0, CV)


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        (((3, 5, 8), (3, 7, 6), (3, 7, 6)), {}, r"K \(N, Tk, C\), .* got \(3, 5, 8\), \(3, 7, 6\), \(3, 7, 6\)"),
        (((3, 5, 8), (3, 7, 8), (3, 6, 8)), {}, r"got \(3, 5, 8\), \(3, 7, 8\), \(3, 6, 8\)"),
        (((5, 8), (7, 8), (7, 8)), {}, r"for one sequence try Q\[None\]"),
        (((3, 5, 8), (3, 7, 8), (3, 7, 6)), {"heads": 4}, "4 heads cannot share 8 and 6 channels; try a divisor"),
        (((3, 5, 8), (3, 0, 8), (3, 0, 8)), {}, r"K \(3, 0, 8\) has no key to look at"),
        (((3, 5, 8), (3, 7, 8), (3, 7, 8)), {"attention_mask": "causl"}, '"causal", None or an array, got \'causl\''),
        (((3, 5, 8), (3, 7, 8), (3, 7, 8)), {"attention_mask": np.ones((7, 5))}, r"\(5, 7\), .* got \(7, 5\)"),
        (((3, 5, 8), (3, 7, 8), (3, 7, 8)), {"attention_mask": np.tri(5, 7) - 1}, "zeros and ones, one where to look"),
        (((3, 5, 8), (3, 7, 8), (3, 7, 8)), {"padding_mask": np.ones((3, 5))}, r"\(3, 7\), .* got \(3, 5\)"),
        (((3, 5, 8), (3, 7, 8), (3, 7, 8)), {"dropout": 0.1}, "attention: expected a generator"),
        (((3, 5, 8), (3, 7, 8), (3, 7, 8)), {"dropout": 10, "rng": np.random.default_rng(0)}, "rate from 0 to 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_to_try(shapes, options, message):
    with pytest.raises(ValueError, match=message):
        gs.attention(*map(np.ones, shapes), **options)


# --------------------------------------------------------------------------------------------------------- positions
def test_causal_mask_hides_what_comes_after():
    np.testing.assert_array_equal(gs.causal_mask(4), np.tri(4))
    np.testing.assert_array_equal(gs.causal_mask(3, 5, first=2), np.tri(3, 5, 2))


@pytest.mark.parametrize("C", [6, 7, 1])
def test_positional_encoding_is_pairs_of_sine_and_cosine_that_turn_ever_slower(C):
    from math import cos, sin

    p = gs.positional_encoding(9, C)
    for t, c in np.ndindex(9, C):
        angle = t / 10000 ** ((c - c % 2) / C)
        assert p[t, c] == pytest.approx(cos(angle) if c % 2 else sin(angle), rel=1e-12, abs=1e-15)
    assert gs.positional_encoding(0, C, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="C >= 1 channels, got 4 and 0"):
        gs.positional_encoding(4, 0)


def test_a_step_in_time_turns_every_pair_by_the_same_angle_wherever_it_is_taken():
    p = gs.positional_encoding(40, 6, base=50.0).reshape(40, 3, 2)
    turned = np.einsum("tpc,tpc->tp", p[5:], p[:-5])
    np.testing.assert_allclose(turned, np.broadcast_to(turned[0], turned.shape), rtol=1e-9)


def test_the_examples_in_the_docstrings_hold():
    failed, tried = doctest.testmod(sys.modules["gradschool.ops.attention"], extraglobs={"np": np})
    assert (failed, tried > 0) == (0, True)
