"""Property: over 50 steps with non-default options each schedule has the rates of its namesake in PyTorch or Keras."""

import os

import numpy as np
import pytest

from gradschool import schedules as S

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

# Keras' callback on PyTorch hands a tensor to np.array, which NumPy 2 comments on.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

STEPS = 50
T, K = torch.optim.lr_scheduler, keras.optimizers.schedules


def in_torch(make, lr=0.3):
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler, found = make(opt), []
    for _ in range(STEPS):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    return found


IN_TORCH = {
    "time_decay": (S.time_decay(0.3, 0.07), lambda o: T.LambdaLR(o, lambda t: 1 / (1 + 0.07 * t))),
    "exponential": (S.exponential(0.3, 1, factor=0.93), lambda o: T.ExponentialLR(o, 0.93)),
    "steps": (S.per_epoch(S.exponential(0.3, 1, factor=0.7), 9), lambda o: T.StepLR(o, 9, 0.7)),
    "piecewise": (S.piecewise([7, 20], [0.3, 0.06, 0.012]), lambda o: T.MultiStepLR(o, [7, 20], 0.2)),
    "polynomial": (S.polynomial(0.3, 37, power=1.7), lambda o: T.PolynomialLR(o, 37, 1.7)),
    "cosine": (S.cosine(0.3, 60, final=0.02), lambda o: T.CosineAnnealingLR(o, 60, 0.02)),
    "restarts": (
        S.cosine(0.3, 7, final=0.02, restarts=True, growth=2),
        lambda o: T.CosineAnnealingWarmRestarts(o, 7, 2, 0.02),
    ),
    "cyclical": (
        S.cyclical(0.05, 0.3, period=18, rise=7 / 18),
        lambda o: T.CyclicLR(o, 0.05, 0.3, step_size_up=7, step_size_down=11, cycle_momentum=False),
    ),
    "triangular2": (
        S.cyclical(0.05, 0.3, period=16, shrink=0.5),
        lambda o: T.CyclicLR(o, 0.05, 0.3, step_size_up=8, mode="triangular2", cycle_momentum=False),
    ),
    "warmup": (S.warmup(0.3, 13, start=0.06), lambda o: T.LinearLR(o, 0.2, total_iters=13)),
}


@pytest.mark.parametrize("name", IN_TORCH)
def test_has_the_rates_of_pytorch(name):
    lr, make = IN_TORCH[name]
    np.testing.assert_allclose(lr(np.arange(STEPS)), in_torch(make), rtol=1e-10)


@pytest.fixture
def float64():
    floatx, default = keras.config.floatx(), torch.get_default_dtype()
    keras.config.set_floatx("float64")
    torch.set_default_dtype(torch.float64)
    yield
    keras.config.set_floatx(floatx)
    torch.set_default_dtype(default)


IN_KERAS = {
    "power": (S.power(0.3, 11), lambda: K.InverseTimeDecay(0.3, 11, 1.0)),
    "power per epoch": (S.per_epoch(S.power(0.3, 1), 11), lambda: K.InverseTimeDecay(0.3, 11, 1.0, staircase=True)),
    "exponential": (S.exponential(0.3, 13, 0.6), lambda: K.ExponentialDecay(0.3, 13, 0.6)),
    "piecewise": (
        S.piecewise([7, 20], [0.3, 0.05, 0.01], at_boundary="old"),
        lambda: K.PiecewiseConstantDecay([7, 20], [0.3, 0.05, 0.01]),
    ),
    "polynomial": (S.polynomial(0.3, 37, 0.02, 1.7), lambda: K.PolynomialDecay(0.3, 37, 0.02, 1.7)),
    "cosine": (S.cosine(0.3, 37, final=0.03), lambda: K.CosineDecay(0.3, 37, alpha=0.1)),
    "warmup": (
        S.warmup(S.cosine(0.3, 30, final=0.03), 9, start=0.01),
        lambda: K.CosineDecay(0.01, 30, alpha=0.1, warmup_target=0.3, warmup_steps=9),
    ),
    "restarts": (
        S.cosine(0.3, 6, final=0.03, restarts=True, growth=1.5, shrink=0.7),
        lambda: K.CosineDecayRestarts(0.3, 6, t_mul=1.5, m_mul=0.7, alpha=0.1),
    ),
}


@pytest.mark.parametrize("name", IN_KERAS)
def test_has_the_rates_of_keras(name, float64):
    lr, make = IN_KERAS[name]
    theirs = make()
    # Keras computes a piecewise rate in float32 whatever its float type is.
    tolerance = 1e-7 if name == "piecewise" else 1e-10
    found = [float(theirs(keras.ops.convert_to_tensor(step, dtype="int64"))) for step in range(STEPS)]
    np.testing.assert_allclose(lr(np.arange(STEPS)), found, rtol=tolerance)


def losses():
    """A curve that falls, stalls, falls again and rises, with values just above and below the threshold."""
    rng = np.random.default_rng(3)
    return np.repeat([3.0, 2.0, 2.5, 1.0, 1.2], 10) + 2e-3 * rng.normal(size=STEPS)


@pytest.mark.parametrize("options", [{}, {"cooldown": 3}, {"cooldown": 1, "min_lr": 0.06}, {"min_delta": 3e-3}])
def test_plateau_reduces_when_keras_does(options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse")
    theirs = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=4, **options)
    theirs.set_model(model)
    theirs.on_train_begin()
    ours = S.reduce_on_plateau(0.5, patience=4, **options)
    state = ours.init(1.0)
    for epoch, loss in enumerate(losses()):
        theirs.on_epoch_end(epoch, {"loss": loss})
        state = ours.update(state, loss)
        assert state["lr"] == pytest.approx(float(model.optimizer.learning_rate), rel=1e-6)
    assert state["lr"] < 0.6


@pytest.mark.parametrize("options", [{}, {"cooldown": 3}, {"min_lr": 0.06}])
def test_plateau_reduces_when_pytorch_does_one_epoch_later(options):
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = T.ReduceLROnPlateau(opt, factor=0.5, patience=4, threshold=1e-3, **options)
    options = {**options, "cooldown": options.get("cooldown", 0) + 1}
    ours = S.reduce_on_plateau(0.5, patience=5, min_delta=1e-3, relative=True, **options)
    state = ours.init(1.0)
    for loss in losses():
        theirs.step(loss)
        state = ours.update(state, loss)
        assert state["lr"] == pytest.approx(opt.param_groups[0]["lr"])
    assert state["lr"] < 0.6
