"""Property: the fast recurrent layers compute what their steps say, for every option; padding is as if it were not
there; two readers see a sequence from both ends."""

import doctest
import re
import sys
import time

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops import threads

MODULES = {
    layer: sys.modules[f"gradschool.ops.{file}"]
    for layer, file in (("rnn", "recurrent"), ("lstm", "lstm"), ("gru", "gru"))
}
LAYERS = {"rnn": gs.rnn, "lstm": gs.lstm, "gru": gs.gru}
PLAIN = {name: getattr(MODULES[name], f"{name}_plain") for name in LAYERS}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
N, T, D, H = 5, 13, 3, 4  # more steps than are taken at a time on the way back
LENGTHS = np.array([13, 0, 7, 1, 12])

OPTIONS = [
    *(("rnn", {"activation": a}) for a in ("tanh", "softsign", "relu", "sigmoid", "hard-sigmoid")),
    *(
        ("lstm", {"activation": a, "gate_activation": g})
        for a in ("tanh", "softsign", "relu")
        for g in ("sigmoid", "hard-sigmoid")
    ),
    *(
        ("gru", {"reset": r, "activation": a, "gate_activation": g})
        for r in ("after", "before")
        for a, g in (("tanh", "sigmoid"), ("tanh", "hard-sigmoid"), ("softsign", "sigmoid"), ("relu", "sigmoid"))
    ),
]


def drawn(layer, rng, n=N, steps=T, biases=1):
    """X, W, R, b and the first states."""
    columns = GATES[layer] * H
    b = rng.normal(size=columns) if biases == 1 else rng.normal(size=(biases, columns))
    states = [rng.normal(size=(n, H)) for _ in range(2 if layer == "lstm" else 1)]
    return [rng.normal(size=(n, steps, D)), rng.normal(size=(D, columns)), rng.normal(size=(H, columns)), b, *states]


def value_and_gradients(function, args, rng):
    y, pullback = gs.vjp(function, *args)
    return [*y, *pullback(tuple(rng.normal(size=a.shape) for a in y))]


def same(found, expected, rtol=1e-11):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-11)


# ------------------------------------------------------------------------------------------------- what the steps say
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_lstm_step_is_that_of_the_equations_gate_by_gate():
    rng = np.random.default_rng(0)
    X, W, R, b, h, c = drawn("lstm", rng, steps=1)
    z = {
        gate: X[:, 0] @ W[:, j * H : (j + 1) * H] + h @ R[:, j * H : (j + 1) * H] + b[j * H : (j + 1) * H]
        for j, gate in enumerate("ifgo")
    }
    new_c = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["g"])
    new_h = sigmoid(z["o"]) * np.tanh(new_c)
    same(gs.lstm(X, W, R, b, h, c), (new_h[:, None], new_h, new_c))


@pytest.mark.parametrize("form", ["after", "after, two biases", "before"])
def test_gru_step_is_that_of_the_equations_gate_by_gate(form):
    rng = np.random.default_rng(1)
    X, W, R, b, h = drawn("gru", rng, steps=1, biases=2 if "two" in form else 1)
    bx, bh = b if "two" in form else (b, np.zeros_like(b))
    x = {gate: X[:, 0] @ W[:, j * H : (j + 1) * H] + bx[j * H : (j + 1) * H] for j, gate in enumerate("rzn")}
    part = {gate: (R[:, j * H : (j + 1) * H], bh[j * H : (j + 1) * H]) for j, gate in enumerate("rzn")}
    r, z = (sigmoid(x[k] + h @ part[k][0] + part[k][1]) for k in "rz")
    inside = (r * h) @ part["n"][0] if form == "before" else r * (h @ part["n"][0] + part["n"][1])
    new = (1 - z) * np.tanh(x["n"] + inside) + z * h
    same(gs.gru(X, W, R, b, h, reset=form.split(",")[0]), (new[:, None], new))


@pytest.mark.parametrize("mask", [None, LENGTHS, "scattered"], ids=["all", "lengths", "scattered"])
@pytest.mark.parametrize(("layer", "options"), OPTIONS, ids=lambda v: v if isinstance(v, str) else "-".join(v.values()))
def test_fast_layer_is_the_steps_one_after_the_other(layer, options, mask):
    rng = np.random.default_rng(2)
    if isinstance(mask, str):
        mask = rng.integers(0, 2, (N, T))
    args = drawn(layer, rng)
    run = lambda function: value_and_gradients(
        lambda *args: function(*args, mask=mask, **options), args, np.random.default_rng(3)
    )
    same(run(LAYERS[layer]), run(PLAIN[layer]))


def test_two_biases_of_a_gru_have_each_its_gradient():
    args = drawn("gru", np.random.default_rng(4), biases=2)
    run = lambda function: value_and_gradients(function, args, np.random.default_rng(5))
    same(run(gs.gru), run(PLAIN["gru"]))
    args[3] = args[3][0]
    both = [*args[:3], np.stack([args[3], np.zeros(3 * H)]), *args[4:]]
    same(gs.gru(*args), gs.gru(*both))


# ----------------------------------------------------------------------------------------------------- states and masks
@pytest.mark.parametrize("layer", LAYERS)
def test_sequence_in_two_halves_is_the_whole_one_if_the_state_is_carried_over(layer):
    X, W, R, b, *states = drawn(layer, np.random.default_rng(6))
    whole = LAYERS[layer](X, W, R, b, *states)
    first, *between = LAYERS[layer](X[:, :6], W, R, b, *states)
    second, *last = LAYERS[layer](X[:, 6:], W, R, b, *between)
    same([np.concatenate([first, second], axis=1), *last], whole)


@pytest.mark.parametrize("layer", LAYERS)
def test_states_default_to_zero_and_one_for_all_is_given_to_all(layer):
    X, W, R, b, *states = drawn(layer, np.random.default_rng(7))
    zeros = [np.zeros_like(h) for h in states]
    same(LAYERS[layer](X, W, R, b), LAYERS[layer](X, W, R, b, *zeros))
    same(LAYERS[layer](X, W, R), LAYERS[layer](X, W, R, np.zeros_like(b)))
    one = [h[2] for h in states]
    each = [np.broadcast_to(h, (N, H)) for h in one]
    run = lambda states: value_and_gradients(LAYERS[layer], [X, W, R, b, *states], np.random.default_rng(8))
    found, expected = run(one), run(each)
    first = len(found) - len(states)
    same(found[:first], expected[:first])
    same(found[first:], [d.sum(axis=0) for d in expected[first:]])


@pytest.mark.parametrize("layer", LAYERS)
def test_padding_changes_nothing_whatever_stands_in_it(layer):
    X, W, R, b, *states = drawn(layer, np.random.default_rng(9))
    X[np.arange(T) >= LENGTHS[:, None]] = np.nan
    (Y, *last), pullback = gs.vjp(lambda *args: LAYERS[layer](*args, mask=LENGTHS), X, W, R, b, *states)
    rng = np.random.default_rng(10)
    g = rng.normal(size=Y.shape), *(rng.normal(size=h.shape) for h in last)
    gradients = pullback(g)
    sums = [np.zeros_like(a) for a in (W, R, b)]
    for n, length in enumerate(LENGTHS):
        alone = [X[n : n + 1, :length], W, R, b, *(h[n : n + 1] for h in states)]
        (y, *ends), back = gs.vjp(LAYERS[layer], *alone)
        same([Y[n, :length], *(h[n] for h in last)], [y[0], *(h[0] for h in ends)])
        kept = g[1][n : n + 1] + g[0][n, length:].sum(axis=0)  # Y repeats the kept state in the padding
        found = back((g[0][n : n + 1, :length], kept, *(d[n : n + 1] for d in g[2:])))
        same([gradients[0][n, :length], *(d[n] for d in gradients[4:])], [found[0][0], *(d[0] for d in found[4:])])
        assert not gradients[0][n, length:].any()
        np.testing.assert_array_equal(Y[n, length:], np.broadcast_to(last[0][n], (T - length, H)))
        sums = [total + d for total, d in zip(sums, found[1:4], strict=True)]
    same(gradients[1:4], sums)


@pytest.mark.parametrize("layer", LAYERS)
def test_whole_mask_is_none_and_lengths_are_masks(layer):
    X, W, R, b, *_ = drawn(layer, np.random.default_rng(11))
    run = lambda mask: LAYERS[layer](X, W, R, b, mask=mask)
    same(run(np.ones((N, T))), run(None))
    same(run(LENGTHS), run(np.arange(T) < LENGTHS[:, None]))


@pytest.mark.parametrize("layer", LAYERS)
def test_empty_batches_and_sequences_have_empty_results(layer):
    for n, steps in ((0, 3), (3, 0)):
        args = drawn(layer, np.random.default_rng(12), n, steps)
        (Y, *last), pullback = gs.vjp(LAYERS[layer], *args)
        assert Y.shape == (n, steps, H)
        same(last, args[4:])
        gradients = pullback((Y, *last))
        assert [d.shape for d in gradients] == [a.shape for a in args]
        assert not any(d.any() for d in gradients[1:4])
        same(PLAIN[layer](*args), (Y, *last))


# ------------------------------------------------------------------------------------------------------------ gradients
@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_asked_for_alone_are_those_of_all_together(layer):
    rng = np.random.default_rng(13)
    args = drawn(layer, rng)
    loss = lambda *args: sum(np.sum(y * y) for y in LAYERS[layer](*args))
    together = gs.grad(loss, argnums=range(len(args)))(*args)
    for i, expected in enumerate(together):
        same([gs.grad(loss, argnums=i)(*args)], [expected])


@pytest.mark.parametrize(("layer", "options"), [("lstm", {}), ("gru", {}), ("gru", {"reset": "before"})])
def test_gradients_are_the_same_to_the_last_bit_if_another_thread_sums_them_up_however_slowly(
    monkeypatch, layer, options
):
    rng, layer, helpers_at = np.random.default_rng(14), LAYERS[layer], threads.helpers_at
    args = drawn(layer.__name__, rng, steps=45)
    alone = value_and_gradients(lambda *a: layer(*a, **options), args, np.random.default_rng(15))
    monkeypatch.setattr("gradschool.ops.recurrence.LARGE", 0)
    monkeypatch.setattr(threads, "blas_threads", lambda: 2)
    monkeypatch.setattr(threads, "helpers_at", lambda f, n: helpers_at(lambda: (time.sleep(0.01), f()), n))
    beside = value_and_gradients(lambda *a: layer(*a, **options), args, np.random.default_rng(15))
    for found, expected in zip(beside, alone, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_arrays_may_be_given_by_name_with_others_left_out_between_them():
    X, W, R, _, _, c = drawn("lstm", np.random.default_rng(23))
    loss = lambda f: lambda c, W: np.sum(np.sin(f(X, R=R, C0=c, W=W)[0]))
    same(*(gs.grad(loss(f), argnums=(0, 1))(c, W) for f in (gs.lstm, PLAIN["lstm"])))
    with pytest.raises(TypeError, match="missing a required argument: 'R'"):
        gs.grad(lambda W: np.sum(gs.lstm(X, W=W)[0]))(W)


@pytest.mark.parametrize("layer", LAYERS)
def test_only_one_result_need_be_used(layer):
    args = drawn(layer, np.random.default_rng(14))
    results = len(LAYERS[layer](*args))
    for i in range(results):
        loss = lambda f, i=i: lambda *args: np.sum(np.cos(f(*args)[i]))
        found, expected = (gs.grad(loss(f), argnums=range(4))(*args) for f in (LAYERS[layer], PLAIN[layer]))
        same(found, expected)
    middle = lambda f: lambda *args: np.sum(np.cos(f(*args)[0][:, 4]))
    same(*(gs.grad(middle(f), argnums=range(4))(*args) for f in (LAYERS[layer], PLAIN[layer])))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_cotangent_that_is_one_number_seen_from_everywhere_is_that_number_everywhere(layer):
    rng = np.random.default_rng(31)
    args = drawn(layer, rng)
    Y, *states = LAYERS[layer](*args)
    pullback = gs.vjp(lambda *args: LAYERS[layer](*args), *args)[1]
    for c in (0.0, 0.75):
        g = np.broadcast_to(np.array(c), Y.shape)
        rest = [rng.normal(size=state.shape) for state in states]
        same(pullback((g, *rest)), pullback((g.copy(), *rest)), rtol=0)


@pytest.mark.parametrize(
    ("layer", "part"), [("lstm", "sigmoid"), ("lstm", "tanh"), ("gru", "sigmoid"), ("rnn", "tanh")]
)
def test_layer_is_taken_apart_when_its_activation_is_replaced(layer, part):
    args = drawn(layer, np.random.default_rng(15))
    calls = []

    def mine(z):
        calls.append(z.shape)
        return sigmoid(z) if part == "sigmoid" else np.tanh(z)

    expected = LAYERS[layer](*args)
    with gs.using(**{part: mine}):
        found = LAYERS[layer](*args)
    assert len(calls) >= T
    same(found, expected)


# ----------------------------------------------------------------------------------------------------- from both ends
def readers(layer, rng, with_states=True):
    names = ["W", "R", "b", "H0", "C0"]
    return [dict(zip(names, drawn(layer, rng)[1 : None if with_states else 4], strict=False)) for _ in range(2)]


@pytest.mark.parametrize("layer", LAYERS)
def test_second_reader_is_the_first_on_the_sequence_turned_round_within_its_length(layer):
    rng = np.random.default_rng(16)
    X, (ahead, back) = rng.normal(size=(N, T, D)), readers(layer, rng)
    Y, *last = gs.bidirectional(LAYERS[layer], X, ahead, back, mask=LENGTHS)
    first = LAYERS[layer](X, **ahead, mask=LENGTHS)
    np.testing.assert_array_equal(Y[:, :, :H], first[0])
    for n, length in enumerate(LENGTHS):
        alone = {k: v[n : n + 1] if k in ("H0", "C0") else v for k, v in back.items()}
        y, *ends = LAYERS[layer](X[n : n + 1, :length][:, ::-1], **alone)
        same([Y[n, :length, H:], *(h[n, H:] for h in last)], [y[0, ::-1], *(h[0] for h in ends)])
    same([h[:, :H] for h in last], first[1:])


@pytest.mark.parametrize("layer", LAYERS)
def test_merging_by_sum_is_the_sum_of_both_halves(layer):
    rng = np.random.default_rng(17)
    X, (ahead, back) = rng.normal(size=(N, T, D)), readers(layer, rng, with_states=False)
    both = gs.bidirectional(LAYERS[layer], X, ahead, back)
    total = gs.bidirectional(LAYERS[layer], X, ahead, back, merge="sum")
    same(total, [y[..., :H] + y[..., H:] for y in both])


def test_options_and_gradients_pass_through_both_readers():
    rng = np.random.default_rng(18)
    X, (ahead, back) = rng.normal(size=(N, T, D)), readers("gru", rng)
    run = lambda X, ahead, back: np.sum(
        np.sin(gs.bidirectional(gs.gru, X, ahead, back, mask=LENGTHS, reset="before")[0])
    )
    dX, dahead, dback = gs.grad(run, argnums=(0, 1, 2))(X, ahead, back)
    assert gs.gradient_check(lambda b: run(X, ahead, {**back, "b": b}), lambda b: dback["b"], back["b"]) < 1e-8
    assert gs.gradient_check(lambda R: run(X, {**ahead, "R": R}, back), lambda R: dahead["R"], ahead["R"]) < 1e-8
    assert (
        gs.gradient_check(lambda x: run(np.concatenate([x, X[:, 2:]], 1), ahead, back), lambda x: dX[:, :2], X[:, :2])
        < 1e-8
    )


def test_last_valid_picks_the_last_step_that_counts_and_zeros_where_none_does():
    rng = np.random.default_rng(19)
    Y = rng.normal(size=(N, T, H))
    found = gs.last_valid(Y, LENGTHS)
    for n, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(found[n], Y[n, length - 1] if length else np.zeros(H))
    np.testing.assert_array_equal(gs.last_valid(Y), Y[:, -1])
    gaps = np.zeros((N, T))
    gaps[:, [0, 8]] = 1
    np.testing.assert_array_equal(gs.last_valid(Y, gaps), Y[:, 8])
    assert gs.last_valid(Y[:, :0]).shape == (N, H)
    g = rng.normal(size=(N, H))
    gradient = gs.vjp(lambda Y: gs.last_valid(Y, LENGTHS), Y)[1](g)[0]
    assert gs.gradient_check(lambda Y: np.sum(g * gs.last_valid(Y, LENGTHS)), lambda Y: gradient, Y) < 1e-9


# --------------------------------------------------------------------------------------------------------- what is said
@pytest.mark.parametrize("layer", LAYERS)
def test_shapes_that_do_not_fit_are_named(layer):
    X, W, R, b, *states = drawn(layer, np.random.default_rng(20))
    run = LAYERS[layer]
    for args, message in (
        ((X[0], W, R, b), rf"{layer}: expected X \(N, T, in\), got \(13, 3\); for one sequence try X\[None\]"),
        ((X, W, R[:, 1:], b), rf"{layer}: expected R \(H, {GATES[layer]} H\), got"),
        ((X, W.T, R, b), rf"{layer}: W .* does not fit X \(5, 13, 3\) and R .*; expected \(3, {len(b)}\)"),
        ((X, W, R, b[1:]), rf"{layer}: expected b \({len(b)},\)"),
        ((X, W, R, b, states[0][1:]), rf"{layer}: expected H0 \(4,\) for all sequences or \(5, 4\), got \(4, 4\)"),
    ):
        with pytest.raises(ValueError, match=message):
            run(*args)
    with pytest.raises(
        ValueError, match=r"expected a mask \(5, 13\) of zeros and ones, or lengths \(5,\), got \(13,\)"
    ):
        run(X, W, R, b, mask=np.ones(T))
    with pytest.raises(ValueError, match=r'expected "tanh", "softsign" or "relu", .*, got \'elu\''):
        run(X, W, R, b, activation="elu")


ALL = np.ones((3, 4))
WITH_MASKS = {
    "rnn": lambda mask: gs.rnn(np.ones((3, 4, 2)), np.ones((2, 5)), np.ones((5, 5)), mask=mask),
    "lstm": lambda mask: gs.lstm(np.ones((3, 4, 2)), np.ones((2, 20)), np.ones((5, 20)), mask=mask),
    "gru": lambda mask: gs.gru(np.ones((3, 4, 2)), np.ones((2, 15)), np.ones((5, 15)), mask=mask),
    "last_valid": lambda mask: gs.last_valid(np.ones((3, 4, 2)), mask),
    "ctc_loss": lambda mask: gs.ctc_loss(np.log(np.ones((3, 4, 2)) / 2), np.ones((3, 1), int), mask),
    "ctc_loss: target_mask": lambda mask: gs.ctc_loss(np.log(np.ones((3, 4, 2)) / 2), np.ones((3, 4), int), None, mask),
    "ctc_greedy": lambda mask: gs.ctc_greedy(np.ones((3, 4, 2)), mask),
    "l2_loss": lambda mask: gs.l2_loss(ALL, ALL, mask=mask),
}


@pytest.mark.parametrize("name", WITH_MASKS)
def test_a_mask_is_zeros_and_ones_and_lengths_are_whole_numbers_of_steps(name):
    additive, unknown, words = np.where(ALL > 2, 0.0, -np.inf), np.full(ALL.shape, np.nan), np.full(ALL.shape, "yes")
    for mask in (additive, ALL / 2, 7 * ALL, -ALL, unknown, words):
        with pytest.raises(ValueError, match=re.escape(f"{name}: expected a mask of zeros and ones")):
            WITH_MASKS[name](mask)
    for lengths in ([5, 1, 1], [-1, 1, 1], [3.7, 1, 1], [np.nan, 1, 1], [True, True, False]):
        if name != "l2_loss":
            with pytest.raises(ValueError, match=re.escape(f"{name}: expected lengths from 0 to 4, whole numbers")):
                WITH_MASKS[name](np.array(lengths))
    for mask in (ALL, ALL > 2, np.tri(3, 4), np.tri(3, 4, dtype=np.uint8), np.array([4, 0, 1]), np.array([4.0, 0, 1])):
        if name != "l2_loss" or mask.ndim == 2:
            WITH_MASKS[name](mask)


def test_options_of_the_gru_that_do_not_fit_are_named():
    X, W, R, b, *_ = drawn("gru", np.random.default_rng(21), biases=2)
    with pytest.raises(ValueError, match='expected reset "after" or "before", got \'during\''):
        gs.gru(X, W, R, b, reset="during")
    with pytest.raises(ValueError, match=r'expected b \(12,\), got \(2, 12\); two biases, .* are for reset "after"'):
        gs.gru(X, W, R, b, reset="before")
    with pytest.raises(ValueError, match=r"got \(2, 11\); try \(2, 12\)"):
        gs.gru(X, W, R, b[:, 1:])
    with pytest.raises(ValueError, match='expected merge "concat" or "sum", got \'mean\''):
        gs.bidirectional(gs.gru, X, {"W": W, "R": R}, {"W": W, "R": R}, merge="mean")


@pytest.mark.parametrize("layer", LAYERS)
def test_whole_numbers_become_float64(layer):
    X, W, R, b, *_ = drawn(layer, np.random.default_rng(22))
    whole = np.round(X).astype(int)
    same(LAYERS[layer](whole, W, R, b), LAYERS[layer](whole.astype(float), W, R, b))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_the_modules_are_true(name):
    assert doctest.testmod(MODULES[name]).failed == 0
