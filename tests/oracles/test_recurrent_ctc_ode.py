"""Property: recurrent layers, CTC and ODE solutions, with their gradients, are those of PyTorch, Keras and SciPy on
random shapes and options, to 1e-10 relative in float64."""

import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
scipy_integrate = pytest.importorskip("scipy.integrate")
scipy_linalg = pytest.importorskip("scipy.linalg")

# Keras on PyTorch hands its tensors to np.array, which NumPy 2 comments on.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SIZES = [(5, 7, 3, 4), (1, 12, 6, 9), (8, 3, 1, 5), (3, 1, 4, 7)]
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
LAYERS = {"rnn": gs.rnn, "lstm": gs.lstm, "gru": gs.gru}
TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


@pytest.fixture
def float64():
    """Keras keeps some of a cell's numbers in its default type, whatever the layer's."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def drawn(layer, rng, N, T, D, H):
    """X, W, R, both biases (2, .), and the first states."""
    columns, states = GATES[layer] * H, 2 if layer == "lstm" else 1
    weights = rng.normal(size=(D, columns)), rng.normal(size=(H, columns)), rng.normal(size=(2, columns))
    return [rng.normal(size=(N, T, D)), *weights, *(rng.normal(size=(N, H)) for _ in range(states))]


def ours(layer, args, g, **options):
    """Results and gradients; PyTorch's two biases add up but for those of the GRU."""
    args = args if layer == "gru" else [*args[:3], args[3].sum(axis=0), *args[4:]]
    y, pullback = gs.vjp(lambda *args: LAYERS[layer](*args, **options), *args)
    return [*y, *pullback(g)]


def agree(found, expected, rtol=1e-10):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=0.1 * rtol)


def in_torch(layer, args, g, lengths=None, **options):
    X, W, R, b, *states = (torch.tensor(a, requires_grad=True) for a in args)
    net = TORCH[layer](X.shape[2], R.shape[0], batch_first=True, dtype=torch.float64, **options)
    parts = {"weight_ih_l0": W.T, "weight_hh_l0": R.T, "bias_ih_l0": b[0], "bias_hh_l0": b[1]}
    first = tuple(h[None] for h in states)
    x = X
    if lengths is not None:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        x = pack(X, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    y, last = torch.func.functional_call(net, parts, (x, first if layer == "lstm" else first[0]))
    if lengths is not None:
        y = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=X.shape[1])[0]
    results = [y, *(h[0] for h in (last if layer == "lstm" else (last,)))]
    gradients = torch.autograd.grad(results, [X, W, R, b, *states], [torch.tensor(d) for d in g])
    gradients = [d.numpy() for d in gradients]
    if layer != "gru":
        np.testing.assert_allclose(gradients[3][0], gradients[3][1], rtol=1e-12)
        gradients[3] = gradients[3][0]
    return [*(r.detach().numpy() for r in results), *gradients]


def cotangents(layer, rng, N, T, H):
    return tuple(rng.normal(size=s) for s in [(N, T, H), *[(N, H)] * (2 if layer == "lstm" else 1)])


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("layer", LAYERS)
def test_layer_is_that_of_pytorch(layer, sizes):
    rng = np.random.default_rng(sizes)
    args, g = drawn(layer, rng, *sizes), cotangents(layer, rng, *sizes[:2], sizes[3])
    agree(ours(layer, args, g), in_torch(layer, args, g))


@pytest.mark.parametrize("layer", LAYERS)
def test_lengths_are_those_of_packed_sequences_in_pytorch(layer):
    """Its results are zero in the padding, ours repeat the last state, which gets no cotangent here."""
    rng, lengths = np.random.default_rng(0), np.array([7, 2, 5, 1, 6])
    args, g = drawn(layer, rng, 5, 7, 3, 4), cotangents(layer, rng, 5, 7, 4)
    valid = (np.arange(7) < lengths[:, None])[:, :, None]
    g = (g[0] * valid, *g[1:])
    found, expected = ours(layer, args, g, mask=lengths), in_torch(layer, args, g, lengths)
    agree([found[0] * valid, *found[1:]], expected)


def test_relu_is_that_of_pytorch():
    rng = np.random.default_rng(1)
    args, g = drawn("rnn", rng, 5, 7, 3, 4), cotangents("rnn", rng, 5, 7, 4)
    args[2] *= 0.3
    agree(ours("rnn", args, g, activation="relu"), in_torch("rnn", args, g, nonlinearity="relu"))


@pytest.mark.parametrize("layer", LAYERS)
def test_two_readers_are_those_of_pytorch(layer):
    rng, lengths = np.random.default_rng(2), np.array([7, 2, 5, 1, 6])
    (X, *ahead), (_, *back) = (drawn(layer, rng, 5, 7, 3, 4) for _ in range(2))
    net = TORCH[layer](3, 4, batch_first=True, bidirectional=True, dtype=torch.float64)
    parts, ours = {}, []
    for suffix, (W, R, b, *states) in (("", ahead), ("_reverse", back)):
        for name, a in (("weight_ih", W.T), ("weight_hh", R.T), ("bias_ih", b[0]), ("bias_hh", b[1])):
            parts[f"{name}_l0{suffix}"] = torch.tensor(a)
        bias = b if layer == "gru" else b.sum(axis=0)
        ours.append({"W": W, "R": R, "b": bias, **dict(zip(("H0", "C0"), states, strict=False))})
    first = tuple(torch.tensor(np.stack(pair)) for pair in zip(ahead[3:], back[3:], strict=True))
    pack = torch.nn.utils.rnn.pack_padded_sequence
    x = pack(torch.tensor(X), torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    y, last = torch.func.functional_call(net, parts, (x, first if layer == "lstm" else first[0]))
    y = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True)[0]
    Y, *ends = gs.bidirectional(LAYERS[layer], X, *ours, mask=lengths)
    valid = (np.arange(7) < lengths[:, None])[:, :, None]
    last = last if layer == "lstm" else (last,)
    agree([Y * valid, *ends], [y.numpy(), *(np.concatenate(list(h.numpy()), axis=1) for h in last)])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gru_is_that_of_keras_with_the_reset_after_and_before(sizes, reset_after):
    rng = np.random.default_rng(sizes)
    (N, T, D, H), (X, W, R, b, h) = sizes, drawn("gru", rng, *sizes)
    b = b if reset_after else b[0]
    to_keras = lambda a: np.concatenate([a[..., H : 2 * H], a[..., :H], a[..., 2 * H :]], axis=-1)  # z, r, n
    layer = keras.layers.GRU(H, reset_after=reset_after, return_sequences=True, return_state=True, dtype="float64")
    layer.build((N, T, D))
    layer.set_weights([to_keras(a) for a in (W, R, b)])
    x, first = (torch.tensor(a, requires_grad=True) for a in (X, h))
    y, last = layer(x, initial_state=first)
    g = rng.normal(size=(N, T, H)), rng.normal(size=(N, H))
    variables = [x, *(v.value for v in layer.trainable_variables), first]
    gradients = torch.autograd.grad([y, last], variables, [torch.tensor(d) for d in g])
    gradients = [d.numpy() for d in gradients]
    expected = [gradients[0], *(to_keras(d) for d in gradients[1:4]), gradients[4]]  # the swap undoes itself
    found, pullback = gs.vjp(lambda *a: gs.gru(*a, reset="after" if reset_after else "before"), X, W, R, b, h)
    precision = 1e-10 if reset_after else 2e-5  # Keras on PyTorch multiplies matrices in float32, here in its own loop
    agree([*found, *pullback(g)], [y.detach().numpy(), last.detach().numpy(), *expected], precision)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gru_with_one_bias_is_that_of_its_equations_in_pytorch(sizes, reset):
    rng = np.random.default_rng(sizes)
    args, g = drawn("gru", rng, *sizes), cotangents("gru", rng, *sizes[:2], sizes[3])
    args[3] = args[3][0]
    X, W, R, b, first = (torch.tensor(a, requires_grad=True) for a in args)
    h, states = first, []
    for t in range(sizes[1]):
        (xr, xz, xn), (Rr, Rz, Rn) = (X[:, t] @ W + b).chunk(3, 1), R.chunk(3, 1)
        r, z = torch.sigmoid(xr + h @ Rr), torch.sigmoid(xz + h @ Rz)
        n = torch.tanh(xn + (r * (h @ Rn) if reset == "after" else (r * h) @ Rn))
        h = (1 - z) * n + z * h
        states.append(h)
    results = [torch.stack(states, 1), h]
    gradients = torch.autograd.grad(results, [X, W, R, b, first], [torch.tensor(d) for d in g])
    agree(ours("gru", args, g, reset=reset), [a.detach().numpy() for a in (*results, *gradients)])


# ----------------------------------------------------------------------- all options, by the equations in PyTorch
ACTIVATIONS = {"tanh": torch.tanh, "softsign": torch.nn.functional.softsign, "relu": torch.relu}
# PyTorch's own hardsigmoid has 1/6 in float32 where it works on several numbers at once
GATE_ACTIVATIONS = {"sigmoid": torch.sigmoid, "hard-sigmoid": lambda z: torch.nn.functional.relu6(z + 3) / 6}
MASK = np.random.default_rng(8).integers(0, 2, (5, 7)).astype(bool)  # with gaps, and steps after them


def equations(args, g, step, mask=None):
    """Results and gradients of step(x, states, W, R, b) -> states, taken at all steps that count."""
    X, W, R, b, *first = (torch.tensor(a, requires_grad=True) for a in args)
    states, Y = tuple(first), []
    for t in range(X.shape[1]):
        new = step(X[:, t], states, W, R, b)
        if mask is not None:
            new = [torch.where(torch.tensor(mask[:, t, None]), n, s) for n, s in zip(new, states, strict=True)]
        states = tuple(new)
        Y.append(states[0])
    results = [torch.stack(Y, 1), *states]
    gradients = torch.autograd.grad(results, [X, W, R, b, *first], [torch.tensor(d) for d in g])
    return [a.detach().numpy() for a in (*results, *gradients)]


def spread(args):
    """Larger numbers, so that hard-sigmoid's gates are in all of its three pieces."""
    return [2 * a for a in args]


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "some"])
@pytest.mark.parametrize("gate_activation", GATE_ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_option_of_the_lstm_is_its_equations(activation, gate_activation, mask):
    act, gate = ACTIVATIONS[activation], GATE_ACTIVATIONS[gate_activation]

    def step(x, states, W, R, b):
        h, c = states
        i, f, g, o = (x @ W + h @ R + b).chunk(4, 1)
        c = gate(f) * c + gate(i) * act(g)
        return gate(o) * act(c), c

    rng = np.random.default_rng([len(activation), len(gate_activation)])
    args, g = spread(drawn("lstm", rng, 5, 7, 3, 4)), cotangents("lstm", rng, 5, 7, 4)
    args[3] = args[3][0]
    y, pullback = gs.vjp(
        lambda *a: gs.lstm(*a, mask=mask, activation=activation, gate_activation=gate_activation), *args
    )
    agree([*y, *pullback(g)], equations(args, g, step, mask))


RESETS = {"after": ("after", 1), "recurrent bias, too": ("after", 2), "before": ("before", 1)}


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "some"])
@pytest.mark.parametrize("gate_activation", GATE_ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("mode", RESETS)
def test_every_option_of_the_gru_is_its_equations(mode, activation, gate_activation, mask):
    (reset, biases), act, gate = RESETS[mode], ACTIVATIONS[activation], GATE_ACTIVATIONS[gate_activation]

    def step(x, states, W, R, b):
        (h,), (bx, bh) = states, b if biases == 2 else (b, torch.zeros_like(b))
        (xr, xz, xn), (hr, hz, hn) = (x @ W + bx).chunk(3, 1), (h @ R + bh).chunk(3, 1)
        r, z = gate(xr + hr), gate(xz + hz)
        n = act(xn + (r * hn if reset == "after" else (r * h) @ R[:, 8:]))
        return ((1 - z) * n + z * h,)

    rng = np.random.default_rng([len(mode), len(activation), len(gate_activation)])
    args, g = spread(drawn("gru", rng, 5, 7, 3, 4)), cotangents("gru", rng, 5, 7, 4)
    args[3] = args[3] if biases == 2 else args[3][0]
    options = {"mask": mask, "reset": reset, "activation": activation, "gate_activation": gate_activation}
    y, pullback = gs.vjp(lambda *a: gs.gru(*a, **options), *args)
    agree([*y, *pullback(g)], equations(args, g, step, mask))


@pytest.mark.usefixtures("float64")
def test_lstm_is_that_of_keras_with_the_same_columns():
    rng = np.random.default_rng(3)
    X, W, R, b, h, c = drawn("lstm", rng, 5, 7, 3, 4)
    layer = keras.layers.LSTM(
        4, return_sequences=True, return_state=True, dtype="float64", recurrent_activation="hard_sigmoid"
    )
    layer.build((5, 7, 3))
    layer.set_weights([W, R, b[0]])
    expected = layer(torch.tensor(X), initial_state=[torch.tensor(h), torch.tensor(c)])
    found = gs.lstm(X, W, R, b[0], h, c, gate_activation="hard-sigmoid")
    agree(found, [e.detach().numpy() for e in expected], 1e-5)  # Keras on PyTorch multiplies matrices in float32


# --------------------------------------------------------------------------------------------------------------- CTC
@pytest.mark.parametrize("blank", [0, 2, 5])
def test_ctc_is_that_of_pytorch_from_scores_to_their_gradient(blank):
    """From the scores, since the gradient that PyTorch gives for log probabilities supposes that they sum to one."""
    rng = np.random.default_rng(blank)
    z, labels = rng.normal(size=(7, 30, 6)), rng.integers(0, 5, (7, 9))
    labels += labels >= blank
    lengths, label_lengths = rng.integers(18, 31, 7), rng.integers(0, 10, 7)
    weights = rng.normal(size=7)
    losses = lambda z: gs.ctc_loss(gs.log_softmax(z), labels, lengths, label_lengths, blank, reduction="none")
    value, pullback = gs.vjp(losses, z)
    scores = torch.tensor(z, requires_grad=True)
    expected = torch.nn.functional.ctc_loss(
        torch.log_softmax(scores, 2).transpose(0, 1), torch.tensor(labels), torch.tensor(lengths),
        torch.tensor(label_lengths), blank, reduction="none",
    )  # fmt: skip
    expected.backward(torch.tensor(weights))
    agree([value, pullback(weights)[0]], [expected.detach().numpy(), scores.grad.numpy()])


def test_ctc_is_inf_where_that_of_pytorch_is():
    rng = np.random.default_rng(4)
    log_p, labels = gs.log_softmax(rng.normal(size=(9, 6, 4))), rng.integers(1, 4, (9, 5))
    expected = torch.nn.functional.ctc_loss(
        torch.tensor(log_p).transpose(0, 1), torch.tensor(labels), [6] * 9, [5] * 9, reduction="none"
    ).numpy()
    assert 0 < np.isinf(expected).sum() < 9
    agree([gs.ctc_loss(log_p, labels, reduction="none")], [expected])


@pytest.mark.usefixtures("float64")
def test_ctc_is_that_of_keras():
    rng = np.random.default_rng(5)
    z, labels = rng.normal(size=(5, 12, 6)), rng.integers(1, 6, (5, 4))
    lengths, label_lengths = np.array([12, 9, 11, 10, 8]), np.array([4, 1, 3, 2, 4])
    expected = keras.ops.ctc_loss(labels, z, label_lengths, lengths, mask_index=0)
    found = gs.ctc_loss(gs.log_softmax(z), labels, lengths, label_lengths, reduction="none")
    agree([found], [keras.ops.convert_to_numpy(expected)], 1e-6)  # which it computes in float32


# ---------------------------------------------------------------------------------------------------------------- ODE
def oscillator(t, y):
    """Van der Pol's, driven: steps of very different length, some of them rejected."""
    return np.stack([y[1], 3 * (1 - y[0] ** 2) * y[1] - y[0] + np.sin(t)])


@pytest.mark.parametrize("span", [(0.0, 9.0), (4.0, 0.5)])
@pytest.mark.parametrize(("rtol", "atol", "precision"), [(1e-3, 1e-6, 1e-10), (1e-6, 1e-9, 1e-8)])
def test_steps_and_states_between_are_those_of_scipy(span, rtol, atol, precision):
    """The estimated error is a difference of large numbers, so the finer it is the more rounding is in the steps."""
    y0 = np.array([1.5, 0.3])
    solution = gs.dopri5(oscillator, y0, span, rtol, atol)
    expected = scipy_integrate.solve_ivp(oscillator, span, y0, "RK45", rtol=rtol, atol=atol, dense_output=True)
    np.testing.assert_allclose(solution.t, expected.t, rtol=precision)
    np.testing.assert_allclose(solution.y, expected.y.T, rtol=precision, atol=0.1 * precision)
    for t in np.linspace(*span, 17):
        np.testing.assert_allclose(solution(t), expected.sol(t), rtol=precision, atol=0.1 * precision)


def test_outputs_are_those_of_scipy_but_for_the_first():
    y0, times = np.array([1.5, 0.3]), np.array([0.0, 0.05, 1.1, 1.2, 7.0])
    expected = scipy_integrate.solve_ivp(oscillator, (0.0, 7.0), y0, "RK45", t_eval=times)
    found = gs.odeint(oscillator, y0, times)
    np.testing.assert_allclose(found, expected.y.T[1:], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("gradient", ["direct", "adjoint", "adjoint-seminorm"])
def test_linear_ode_and_its_gradients_are_those_of_the_matrix_exponential(gradient):
    rng = np.random.default_rng(6)
    A, y0, g = 0.5 * rng.normal(size=(5, 5)), rng.normal(size=5), rng.normal(size=5)
    run = lambda y0, A: gs.odeint(lambda t, y, A: A @ y, y0, (0.5, 2.0), A, rtol=1e-11, atol=1e-12, gradient=gradient)
    y, pullback = gs.vjp(run, y0, A)
    flow = scipy_linalg.expm(1.5 * A)
    # d expm(M) along E, contracted with g y0^T: the derivative of expm at M^T along g y0^T
    slope = scipy_linalg.expm_frechet(1.5 * A.T, np.outer(g, y0), compute_expm=False)
    dy0, dA = pullback(g)
    np.testing.assert_allclose(y, flow @ y0, rtol=1e-9)
    np.testing.assert_allclose(dy0, flow.T @ g, rtol=1e-7)
    np.testing.assert_allclose(dA, 1.5 * slope, rtol=1e-6, atol=1e-9)
