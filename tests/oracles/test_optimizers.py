"""Property: over 50 steps with changing gradients, changing rates and non-default options each optimizer moves as its
namesake in PyTorch, Keras or optax does, to 1e-10."""

import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

# Keras' Nadam on PyTorch hands its tensors to np.array, which NumPy 2 comments on.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

STEPS = 50
SHAPES = {"W": (3, 5), "b": (5,), "g": (1, 4, 7)}
CONSTANT = [0.05] * STEPS
CHANGING = [0.05 * (1 + 0.5 * np.sin(k)) for k in range(STEPS)]


def problem(seed):
    """Parameters, and gradients whose magnitudes differ between coordinates and from step to step."""
    rng = np.random.default_rng(seed)
    draw = lambda: {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
    scales = {name: 10.0 ** rng.uniform(-2, 1, size=shape) for name, shape in SHAPES.items()}
    return draw(), [{name: g * scales[name] for name, g in draw().items()} for _ in range(STEPS)]


def ours(name, hyper, rates, seed=0, dtype=np.float64):
    params, gradients = problem(seed)
    opt, params = gs.optimizer(name, **hyper), gs.tree_map(lambda p: p.astype(dtype), params)
    state = opt.init(params)
    for grads, lr in zip(gradients, rates, strict=True):
        params, state = opt.update(params, gs.tree_map(lambda g: g.astype(dtype), grads), state, lr)
    return params


@pytest.fixture(autouse=True)
def _float64():
    """Both frameworks keep scalars such as Nadam's product of μ in their default type."""
    torch_type, keras_type = torch.get_default_dtype(), keras.config.floatx()
    torch.set_default_dtype(torch.float64)
    keras.config.set_floatx("float64")
    yield
    torch.set_default_dtype(torch_type)
    keras.config.set_floatx(keras_type)


def in_torch(make, rates, seed=0, dtype=torch.float64):
    params, gradients = problem(seed)
    tensors = {name: torch.nn.Parameter(torch.tensor(p, dtype=dtype)) for name, p in params.items()}
    theirs = make(list(tensors.values()))
    for grads, lr in zip(gradients, rates, strict=True):
        for group in theirs.param_groups:
            group["lr"] = lr
        for name, g in grads.items():
            tensors[name].grad = torch.tensor(g, dtype=dtype)
        theirs.step()
    return {name: p.detach().numpy() for name, p in tensors.items()}


def in_keras(make, rates, seed=0):
    params, gradients = problem(seed)
    variables = [keras.Variable(p, dtype="float64", name=name) for name, p in params.items()]
    theirs = make()
    theirs.build(variables)
    for grads, lr in zip(gradients, rates, strict=True):
        theirs.learning_rate = lr
        theirs.apply([keras.ops.convert_to_tensor(g, dtype="float64") for g in grads.values()])
    return {v.name: v.value.detach().numpy() for v in variables}


def agree(found, expected):
    for name, p in expected.items():
        np.testing.assert_allclose(found[name], p, rtol=1e-10, atol=1e-10, err_msg=name)


T = torch.optim
ADAM = {"b1": 0.7, "b2": 0.93, "eps": 0.1}
BETAS = {"betas": (0.7, 0.93), "eps": 0.1, "lr": 1.0}
SGD = {"lr": 1.0, "momentum": 0.7}
RMS = {"lr": 1.0, "alpha": 0.8, "eps": 0.1}
IN_TORCH = [
    ("sgd", {}, lambda p: T.SGD(p, lr=1.0), CHANGING),
    ("momentum", {"beta": 0.7}, lambda p: T.SGD(p, **SGD), CONSTANT),
    ("nesterov", {"beta": 0.7}, lambda p: T.SGD(p, **SGD, nesterov=True), CONSTANT),
    ("adagrad", {"eps": 0.1}, lambda p: T.Adagrad(p, lr=1.0, eps=0.1), CHANGING),
    ("rmsprop", {"rho": 0.8, "eps": 0.1}, lambda p: T.RMSprop(p, **RMS), CHANGING),
    (
        "rmsprop",
        {"rho": 0.8, "eps": 0.1, "centered": True, "momentum": 0.6},
        lambda p: T.RMSprop(p, **RMS, centered=True, momentum=0.6),
        CHANGING,
    ),
    ("adam", ADAM, lambda p: T.Adam(p, **BETAS), CHANGING),
    ("adamw", {**ADAM, "weight_decay": 0.3}, lambda p: T.AdamW(p, **BETAS, weight_decay=0.3), CHANGING),
    ("adamax", {**ADAM, "eps": 0.0}, lambda p: T.Adamax(p, **{**BETAS, "eps": 0.0}), CHANGING),
    ("nadam", {**ADAM, "momentum_decay": 0.02}, lambda p: T.NAdam(p, **BETAS, momentum_decay=0.02), CHANGING),
    ("nadam", {**ADAM, "momentum_decay": 1.0}, lambda p: T.NAdam(p, **BETAS, momentum_decay=1.0), CHANGING),
]


@pytest.mark.parametrize(("name", "hyper", "make", "rates"), IN_TORCH)
def test_moves_as_in_pytorch(name, hyper, make, rates):
    agree(ours(name, hyper, rates), in_torch(make, rates))


@pytest.mark.parametrize(("name", "hyper", "make", "rates"), IN_TORCH)
def test_moves_as_in_pytorch_in_float32_up_to_rounding(name, hyper, make, rates):
    found, expected = ours(name, hyper, rates, dtype=np.float32), in_torch(make, rates, dtype=torch.float32)
    for leaf, p in expected.items():
        assert found[leaf].dtype == p.dtype == np.float32
        # each of 50 steps rounds by some units in the last place of what the parameter was on its way
        np.testing.assert_allclose(found[leaf], p, rtol=0, atol=50 * np.finfo(np.float32).eps * max(1, abs(p).max()))


K = keras.optimizers
KERAS = {"beta_1": 0.7, "beta_2": 0.93, "epsilon": 0.1}
IN_KERAS = [
    ("sgd", {}, lambda: K.SGD()),
    ("momentum", {"beta": 0.7}, lambda: K.SGD(momentum=0.7)),
    ("nesterov", {"beta": 0.7}, lambda: K.SGD(momentum=0.7, nesterov=True)),
    ("adam", {**ADAM, "eps_hat": True}, lambda: K.Adam(**KERAS)),
    ("adamax", ADAM, lambda: K.Adamax(**KERAS)),
    ("nadam", {**ADAM, "momentum_decay": 1.0}, lambda: K.Nadam(**KERAS)),
]


@pytest.mark.parametrize(("name", "hyper", "make"), IN_KERAS)
def test_moves_as_in_keras(name, hyper, make):
    agree(ours(name, hyper, CHANGING), in_keras(make, CHANGING))


def test_eps_of_keras_rmsprop_is_inside_the_root():
    """With eps 0 the two agree, and so do their centred forms; with eps 0.1 they do not, which the docstring says."""
    for centered in (False, True):
        hyper = {"rho": 0.8, "eps": 0.0, "centered": centered}
        theirs = lambda eps: in_keras(lambda: K.RMSprop(rho=0.8, epsilon=eps, centered=centered), CHANGING)
        if not centered:  # the first centred variance is zero but for rounding, where eps 0 would divide by it
            agree(ours("rmsprop", hyper, CHANGING), theirs(0.0))
        found, expected = ours("rmsprop", {**hyper, "eps": 0.1}, CHANGING), theirs(0.1)
        assert abs(found["W"] - expected["W"]).max() > 0.01


def test_decay_of_keras_adamw_is_ours_with_its_form_of_eps():
    """Adam in the form eps_hat, and lr λ p beside it."""
    params, gradients = problem(0)
    state = gs.init_state("adam", params)
    for grads, lr in zip(gradients, CHANGING, strict=True):
        params = gs.decay_weights(params, lr, 0.3, where=lambda path, p: True)
        params, state = gs.adam(params, grads, state, lr=lr, **ADAM, eps_hat=True)
    agree(params, in_keras(lambda: K.AdamW(**KERAS, weight_decay=0.3), CHANGING))


def test_coupled_decay_is_pytorchs_weight_decay_and_twice_its_half_is_kerass_penalty():
    params, gradients = problem(0)
    state = gs.init_state("adam", params)
    for grads, lr in zip(gradients, CHANGING, strict=True):
        grads = gs.add_decay(grads, params, 0.3, where=lambda path, p: True)
        params, state = gs.adam(params, grads, state, lr=lr, **ADAM)
    agree(params, in_torch(lambda p: T.Adam(p, **BETAS, weight_decay=0.3), CHANGING))
    W = problem(1)[0]["W"]
    penalty, slope = gs.value_and_grad(lambda p: gs.l2_penalty(p, 0.3))({"W": W})
    assert penalty == pytest.approx(float(keras.regularizers.L2(0.3)(W)), rel=1e-10)
    np.testing.assert_allclose(gs.add_decay({"W": 0 * W}, {"W": W}, 0.6)["W"], slope["W"], rtol=1e-13)
    assert gs.l1_penalty({"W": W}, 0.3) == pytest.approx(float(keras.regularizers.L1(0.3)(W)), rel=1e-10)


def test_adagrad_from_a_tenth_without_eps_is_keras():
    """Keras starts its sum at 0.1 and has eps inside the root; with eps 0 only the start is left."""
    params, gradients = problem(0)
    state = {"s": {name: np.full(shape, 0.1) for name, shape in SHAPES.items()}}
    for grads, lr in zip(gradients, CHANGING, strict=True):
        params, state = gs.adagrad(params, grads, state, lr=lr, eps=0.0)
    agree(params, in_keras(lambda: K.Adagrad(epsilon=0.0), CHANGING))


def test_nadam_with_constant_mu_is_the_published_formula():
    """Entry by entry, in plain numbers: Dozat (2016) with mu = b1 throughout, which is also optax' form."""
    b1, b2, eps = 0.7, 0.93, 0.1
    params, gradients = problem(0)
    for name, p in params.items():
        moved = np.array(p)
        for at in np.ndindex(p.shape):
            x, m, v = float(p[at]), 0.0, 0.0
            for t, (grads, lr) in enumerate(zip(gradients, CHANGING, strict=True), start=1):
                g = float(grads[name][at])
                m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
                ahead = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
                x -= lr * ahead / ((v / (1 - b2**t)) ** 0.5 + eps)
            moved[at] = x
        params = {**params, name: moved}
    agree(ours("nadam", {**ADAM, "momentum_decay": None}, CHANGING), params)
