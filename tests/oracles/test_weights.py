"""Property: first weights, clipped gradients and bounded weights are those of Keras and PyTorch, by their statistics
where they are drawn and to 1e-10 where they are computed."""

import math
import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

# Keras on PyTorch hands its tensors to np.array, which NumPy 2 comments on.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
K = keras.initializers


@pytest.fixture(autouse=True)
def _float64():
    """Both frameworks keep a limit in their default type."""
    torch_type, keras_type = torch.get_default_dtype(), keras.config.floatx()
    torch.set_default_dtype(torch.float64)
    keras.config.set_floatx("float64")
    yield
    torch.set_default_dtype(torch_type)
    keras.config.set_floatx(keras_type)


def rng(seed=0):
    return np.random.default_rng(seed)


def numbers(t):
    return t.detach().cpu().numpy()


# -------------------------------------------------------------------------------------------------------- drawn weights
DRAWN = {
    "glorot uniform": (lambda s: gs.glorot(s, rng()), lambda: K.GlorotUniform(1)),
    "glorot normal": (lambda s: gs.glorot(s, rng(), "truncated_normal"), lambda: K.GlorotNormal(1)),
    "he normal": (lambda s: gs.he(s, rng()), lambda: K.HeNormal(1)),
    "he uniform": (lambda s: gs.he(s, rng(), "uniform"), lambda: K.HeUniform(1)),
    "lecun normal": (lambda s: gs.lecun(s, rng()), lambda: K.LecunNormal(1)),
    "lecun uniform": (lambda s: gs.lecun(s, rng(), "uniform"), lambda: K.LecunUniform(1)),
    "variance scaling": (
        lambda s: gs.variance_scaling(s, 1.7, "fan_out", "normal", rng()),
        lambda: K.VarianceScaling(1.7, "fan_out", "untruncated_normal", 1),
    ),
    "narrow normal": (lambda s: gs.narrow_normal(s, rng(), 0.03), lambda: K.RandomNormal(0.0, 0.03, 1)),
}


@pytest.mark.parametrize("shape", [(300, 200), (3, 5, 40, 70)], ids=str)
@pytest.mark.parametrize("name", DRAWN)
def test_drawn_weights_have_kerass_distribution(name, shape):
    """Quantiles at 21 places, within six standard errors of both samples: mean, spread, bounds and shape at once."""
    ours, theirs = DRAWN[name][0](shape).ravel(), np.asarray(numbers(DRAWN[name][1]()(shape))).ravel()
    parts = np.linspace(0.02, 0.98, 21)
    below = np.array([np.mean(theirs <= q) for q in np.quantile(ours, parts)])
    assert (abs(below - parts) < 6 * np.sqrt(parts * (1 - parts) * (1 / ours.size + 1 / theirs.size))).all()
    assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=0.2)


@pytest.mark.parametrize("shape", [(300, 200), (5, 40, 70)], ids=str)
def test_kaiming_uniform_is_what_pytorchs_layers_draw(shape):
    torch.manual_seed(0)
    theirs = numbers(torch.nn.Linear(*shape).weight if len(shape) == 2 else torch.nn.Conv1d(40, 70, 5).weight)
    ours = gs.kaiming_uniform(shape, rng())
    assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=1e-3)
    assert abs(ours.std() / theirs.std() - 1) < 6 * math.sqrt(0.4 / ours.size)  # s of n uniform numbers varies by 1/5n


@pytest.mark.parametrize("shape", [(20, 5), (5, 20), (3, 4, 5, 7)], ids=str)
def test_orthogonal_matrices_are_of_kerass_kind(shape):
    for W in (gs.orthogonal(shape, rng(), gain=1.7), numbers(K.Orthogonal(1.7, 1)(shape))):
        singular = np.linalg.svd(W.reshape(-1, shape[-1]), compute_uv=False)
        np.testing.assert_allclose(singular, 1.7, rtol=1e-10)


# ------------------------------------------------------------------------------------------------------------- clipping
def gradients():
    r = rng(3)
    return {"W": 3 * r.normal(size=(3, 5)), "b": r.normal(size=5) / 30, "g": 8 * r.normal(size=(1, 4, 7))}


def clipped_by_keras(**options):
    optimizer = keras.optimizers.SGD(**options)
    grads = [torch.tensor(g) for g in gradients().values()]
    return dict(zip(gradients(), map(numbers, optimizer._clip_gradients(grads)), strict=True))


@pytest.mark.parametrize("limit", [0.4, 5.0, 1e3])
@pytest.mark.parametrize(
    ("clip", "option"),
    [(gs.clip_by_value, "clipvalue"), (gs.clip_by_norm, "clipnorm"), (gs.clip_by_global_norm, "global_clipnorm")],
)
def test_the_three_clippings_are_kerass(clip, option, limit):
    expected = clipped_by_keras(**{option: limit})
    rtol = 1e-10 if option == "clipvalue" else 1e-7  # the other factors have the digits of float32 there
    for name, g in clip(gradients(), limit).items():
        np.testing.assert_allclose(g, expected[name], rtol=rtol)


@pytest.mark.parametrize("limit", [0.4, 5.0, 1e3])
def test_clippings_are_pytorchs_whose_norm_has_a_millionth_more(limit):
    for clip, theirs, rtol in (
        (gs.clip_by_value, torch.nn.utils.clip_grad_value_, 1e-15),
        (gs.clip_by_global_norm, torch.nn.utils.clip_grad_norm_, 1e-6),
    ):
        parameters = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients().values()]
        for p, g in zip(parameters, gradients().values(), strict=True):
            p.grad = torch.tensor(g)
        norm = theirs(parameters, limit)
        if norm is not None:
            assert gs.global_norm(gradients()) == pytest.approx(float(norm), rel=1e-12)
        for p, g in zip(parameters, clip(gradients(), limit).values(), strict=True):
            np.testing.assert_allclose(g, numbers(p.grad), rtol=rtol)


# --------------------------------------------------------------------------------------------------------------- bounds
@pytest.mark.parametrize(("shape", "axis"), [((5, 7), 0), ((3, 4, 5, 7), (0, 1, 2))], ids=str)
def test_max_norm_is_kerass_but_for_its_epsilon(shape, axis):
    W = rng(4).normal(size=shape) * np.linspace(0.01, 3, 7)
    expected = numbers(keras.constraints.MaxNorm(1.5, axis=axis)(torch.tensor(W)))
    np.testing.assert_allclose(gs.max_norm({"W": W}, 1.5)["W"], expected, rtol=1e-5)  # of 1e-7 over the shortest norm


# -------------------------------------------------------------------------------------------------------------- one-hot
def test_one_hot_and_back_are_pytorchs():
    y = rng(5).integers(0, 6, (4, 3, 5))
    np.testing.assert_array_equal(gs.one_hot(y, 6), numbers(torch.nn.functional.one_hot(torch.tensor(y), 6)))
    P = rng(6).normal(size=(4, 6, 3))
    np.testing.assert_array_equal(gs.one_hot_decode(P, axis=1), numbers(torch.argmax(torch.tensor(P), 1)))


# -------------------------------------------------------------------------------------------------------------- dropout
@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5])
def test_dropout_takes_pytorchs_two_values_at_the_same_share(rate):
    x, n = np.full(200_000, 3.0), 200_000
    torch.manual_seed(0)
    for ours, theirs in (
        (gs.dropout(x, rate, rng()), torch.nn.functional.dropout(torch.tensor(x), rate)),
        (gs.alpha_dropout(x, rate, rng()), torch.nn.functional.alpha_dropout(torch.tensor(x), rate, training=True)),
    ):
        values, shares = np.unique(numbers(theirs), return_counts=True)
        found, counts = np.unique(ours, return_counts=True)
        np.testing.assert_allclose(found, values, rtol=1e-9)
        assert (abs(counts - shares) < 6 * math.sqrt(2 * n * rate * (1 - rate))).all()
