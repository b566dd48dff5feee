"""Every op of the library has the derivatives of its own values: the first, the second, and that of its backward.

The registry `OPS` drives these tests; `CASES` has the inputs. The oracle is the central difference.
"""

import inspect
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool.autodiff import OPS
from gradschool_grader.standalone import standalone


def away(rng, *shape):
    """Random numbers of both signs that stay away from a kink at zero."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 2.0, shape)


def simplex(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def entries(rng, *shape):
    """Independent probabilities, none near 0 or 1."""
    return rng.uniform(0.05, 0.95, shape)


def labels(rng, K, *shape):
    return rng.integers(0, K, shape)


def masked(rng, *shape):
    """A mask with zeros and ones, both of them."""
    mask = rng.integers(0, 2, shape)
    mask.flat[:2] = 0, 1
    return mask


class Again:
    """A generator that begins again at every draw, so that chance repeats itself."""

    def random(self, shape, dtype=float):
        return np.random.default_rng(12).random(shape, dtype=dtype)


def elementwise(**options):
    return lambda r: ([away(r, 3, 5, 4)], options)


def normalised(*shape, **options):
    """x, gamma and beta of a normalisation."""
    return lambda r: ([r.normal(size=shape), *r.uniform(0.5, 2, (2, shape[-1]))], options)


def batches_normalised(*shape, **options):
    """The same with a running mean and variance."""
    return lambda r: ([r.normal(size=shape), *r.uniform(0.5, 2, (4, shape[-1]))], options)


def attended(**options):
    """Q, K and V of different lengths and depths."""
    return lambda r: ([r.normal(size=s) for s in ((3, 5, 8), (3, 7, 8), (3, 7, 12))], options)


def regression(**options):
    return [
        lambda r: ([away(r, 5, 3), r.normal(size=(5, 3)) * 0.04], options),
        lambda r: ([away(r, 4, 7, 3), np.zeros((4, 7, 3))], {**options, "normalization": "all-elements"}),
        lambda r: (
            [away(r, 4, 7, 3), np.zeros((4, 7, 3))],
            {**options, "mask": masked(r, 4, 7), "weights": r.uniform(1, 3, 3), "normalization": "mask-included"},
        ),
        lambda r: ([away(r, 5, 3), np.zeros((5, 3))], {**options, "reduction": "none", "weights": r.uniform(1, 3, 3)}),
    ]


def recurrent(gates, states=1, biases=1, **options):
    """Sequences (5, 6, 3) for 4 units, with a first state for each or for all, and with lengths."""

    def arguments(r, last):
        b = r.normal(size=gates * 4) if biases == 1 else r.normal(size=(biases, gates * 4))
        X, W, R = r.normal(size=(5, 6, 3)), r.normal(size=(3, gates * 4)), r.normal(size=(4, gates * 4))
        W, R = 0.5 * W, 0.5 * R  # larger ones bend so much over six steps that differences are no oracle
        return [X, W, R, b, *(r.normal(size=(5, 4)) for _ in range(states - 1)), last]

    return [
        lambda r: (arguments(r, r.normal(size=(5, 4))), options),
        lambda r: (arguments(r, r.normal(size=4)), {**options, "mask": np.array([3, 0, 6, 4, 1])}),
    ]


def convolved(X, W, **options):
    """X (N, *S, C), W (*k, C / groups, O) and a bias for it."""
    return lambda r: ([r.normal(size=X), r.normal(size=W), r.normal(size=W[-1])], options)


def apart(r, *shape):
    """Numbers of both signs that are all different, by more than a difference quotient can overlook."""
    return (r.permutation(np.prod(shape)).reshape(shape) - np.prod(shape) / 2) / 10


def pooled(*shape, **options):
    return lambda r: ([apart(r, *shape)], options)


CASES = {
    "relu": [elementwise()],
    "leaky_relu": [elementwise(alpha=0.2), elementwise(alpha=1.5)],
    "elu": [elementwise(alpha=0.7)],
    "selu": [elementwise()],
    "sigmoid": [elementwise()],
    "tanh": [elementwise()],
    "softplus": [elementwise()],
    "swish": [elementwise()],
    "erf": [elementwise()],
    "gelu": [elementwise(), elementwise(approximate="tanh")],
    "dense": [
        lambda r: ([r.normal(size=(5, 3)), r.normal(size=(3, 4)), r.normal(size=4)], {}),
        lambda r: ([r.normal(size=(5, 7, 3)), r.normal(size=(3, 4)), r.normal(size=4)], {}),
        lambda r: ([r.normal(size=3), r.normal(size=(3, 4)), r.normal(size=4)], {}),
    ],
    "conv": [
        convolved((3, 7, 4), (3, 4, 5), stride=2, padding=((1, 0),)),
        convolved((3, 7, 4), (4, 1, 4), padding="same", stride=3, groups=4),
        convolved((3, 5, 6, 4), (3, 4, 4, 1), dilation=(1, 2), padding=((1, 2), (0, 3)), padding_value=0.7),
        convolved((3, 5, 4, 6), (3, 1, 3, 4), groups=2, padding=2, padding_value="symmetric-exclude-edge"),
        convolved((3, 4, 5, 3), (2, 3, 1, 6), groups=3, padding=1, stride=2, padding_value="symmetric-include-edge"),
        convolved((1, 3, 5, 4, 3), (2, 3, 1, 3, 4), padding=1, padding_value="replicate"),
        convolved((3, 5, 4, 5), (3, 3, 5, 4)),
    ],
    "conv_transpose": [
        lambda r: ([r.normal(size=(3, 5, 4)), r.normal(size=(3, 6, 4)), r.normal(size=6)], {"stride": 2}),
        lambda r: (
            [r.normal(size=(3, 4, 5, 6)), r.normal(size=(3, 1, 5, 6)), r.normal(size=10)],
            {"groups": 2, "stride": (3, 2), "dilation": (2, 3), "crop": ((1, 2), 0)},
        ),
        lambda r: (
            [r.normal(size=(3, 4, 5, 3)), r.normal(size=(3, 1, 1, 3)), r.normal(size=3)],
            {"groups": 3, "stride": 2, "crop": 1},
        ),
        lambda r: (
            [r.normal(size=(1, 3, 4, 5, 3)), r.normal(size=(2, 3, 4, 3, 3)), r.normal(size=3)],
            {"stride": 3, "crop": "same"},
        ),
    ],
    "avgpool": [
        pooled(3, 7, 4, size=3, stride=2, padding="same"),
        pooled(3, 5, 6, 4, size=(3, 2), padding=((1, 0), 1), count_include_pad=True),
        pooled(3, 5, 6, 4, size="global"),
        pooled(1, 3, 5, 4, 3, size=2, stride=1),
    ],
    "maxpool": [
        pooled(3, 7, 4, size=3, stride=2, padding="same"),
        pooled(3, 6, 7, 4, size=2),
        pooled(3, 5, 6, 4, size=(3, 2), stride=1, padding=((1, 0), 1), dilation=(2, 1)),
        pooled(1, 3, 5, 4, 3, size=2),
    ],
    "maxunpool": [
        lambda r: ([r.normal(size=(3, 5, 4)), r.integers(0, 11, (3, 5, 4))], {"sizes": (11,)}),
        lambda r: ([r.normal(size=(3, 4, 5, 6)), r.integers(0, 63, (3, 4, 5, 6))], {"sizes": (7, 9)}),
    ],
    "softmax": [lambda r: ([r.normal(size=(5, 3))], {}), lambda r: ([r.normal(size=(5, 3, 4))], {"axis": 1})],
    "log_softmax": [lambda r: ([r.normal(size=(5, 3))], {}), lambda r: ([r.normal(size=(5, 3, 4))], {"axis": 1})],
    "rnn": [*recurrent(1), *recurrent(1, activation="softsign")],
    "lstm": [*recurrent(4, 2), *recurrent(4, 2, activation="softsign", gate_activation="hard-sigmoid")],
    "gru": [*recurrent(3), *recurrent(3, biases=2), *recurrent(3, reset="before", activation="softsign")],
    "ctc_loss": [
        lambda r: ([r.normal(size=(5, 7, 4)), r.integers(1, 4, (5, 3))], {}),
        lambda r: (
            [r.normal(size=(5, 7, 4)), np.array([[0, 0, 1], [2, 1, 2], [1, 1, 1], [0, 2, 2], [1, 0, 1]])],
            {"mask": np.array([7, 6, 5, 7, 1]), "target_mask": np.array([3, 3, 2, 0, 1]), "blank": -1},
        ),
        lambda r: (
            [r.normal(size=(5, 7, 4)), r.integers(0, 3, (5, 3))],
            {"blank": 3, "reduction": "none", "mask": masked(r, 5, 7) | (np.arange(7) > 1)},
        ),
    ],
    "batchnorm": [
        batches_normalised(7, 3, training=True, momentum=0.8),
        batches_normalised(4, 5, 3, training=True, unbiased_running=True),
        batches_normalised(4, 3, 5, 6, training=True, eps=0.1),
        batches_normalised(5, 3),
        batches_normalised(4, 3, 5, 6),
    ],
    "layernorm": [
        normalised(5, 3),
        normalised(4, 7, 3, eps=0.1),
        normalised(4, 3, 5, 6, axes=(1, 2, 3)),
        normalised(4, 5, 3, axes=1),
        lambda r: ([r.normal(size=(4, 5, 3)), *r.uniform(0.5, 2, (2, 5, 3))], {"axes": (-1, -2)}),
    ],
    "groupnorm": [normalised(5, 6, groups=3), normalised(4, 3, 5, 6, groups=2, eps=0.1)],
    "instancenorm": [normalised(4, 5, 3), normalised(4, 3, 5, 6)],
    "crosschannelnorm": [
        lambda r: ([away(r, 5, 7)], {"window": 4, "alpha": 0.9}),
        lambda r: ([away(r, 3, 5, 4)], {"window": 3, "alpha": 0.5, "beta": 1.3, "k": 0.7}),
    ],
    "attention": [
        attended(),
        attended(heads=4, scale=0.7),
        attended(heads=4, attention_mask="causal", first=-1, return_weights=True),
        lambda r: ([r.normal(size=(3, 5, 4)) for _ in range(3)], {"attention_mask": masked(r, 3, 5, 5)}),
        attended(heads=4, padding_mask=np.arange(7) < [[7], [3], [0]], dropout=0.3, rng=Again(), return_weights=True),
    ],
    "embed": [
        lambda r: ([r.normal(size=(6, 3)), r.integers(0, 5, (4, 7))], {}),
        lambda r: ([r.normal(size=(6, 3)), r.integers(0, 5, 13)], {"padding_id": 2}),
    ],
    "dropout": [elementwise(rate=0.3, rng=Again()), elementwise(rate=0.3, training=False)],
    "alpha_dropout": [elementwise(rate=0.3, rng=Again()), elementwise(rate=0.3, training=False)],
    "l1_loss": regression(),
    "l2_loss": regression(),
    "half_mse": regression(),
    "huber": regression(delta=0.8),
    "cross_entropy": [
        lambda r: ([entries(r, 5, 3), simplex(r, 5, 3)], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([entries(r, 4, 7, 3), simplex(r, 4, 7, 3)], {"mask": masked(r, 4, 7)}),
        lambda r: ([entries(r, 5, 3), entries(r, 5, 3)], {"mode": "multilabel", "reduction": "none"}),
    ],
    "sparse_cross_entropy": [
        lambda r: ([entries(r, 5, 3), labels(r, 3, 5)], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([entries(r, 4, 7, 3), labels(r, 3, 4, 7)], {"mask": masked(r, 4, 7)}),
        lambda r: ([entries(r, 5, 3), labels(r, 3, 5)], {"reduction": "none"}),
    ],
    "bce_with_logits": [
        lambda r: ([r.normal(size=5), r.uniform(size=5)], {}),
        lambda r: ([r.normal(size=(5, 3)), r.uniform(size=(5, 3))], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([r.normal(size=(5, 3)), r.uniform(size=(5, 3))], {"reduction": "none", "mask": masked(r, 5)}),
    ],
    "softmax_cross_entropy": [
        lambda r: ([r.normal(size=(5, 3)), simplex(r, 5, 3)], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([r.normal(size=(4, 7, 3)), gs.one_hot(labels(r, 3, 4, 7), 3)], {"mask": masked(r, 4, 7)}),
        lambda r: ([r.normal(size=(5, 3)), 3 * simplex(r, 5, 3)], {"reduction": "none"}),
    ],
}


def joined(y):
    """All results of an op as one vector; an op's only result stays as it is."""
    return np.concatenate([np.ravel(r) for r in y]) if isinstance(y, tuple) else y


def like(y, rng):
    """Random numbers in the form of y."""
    return tuple(rng.normal(size=np.shape(r)) for r in y) if isinstance(y, tuple) else rng.normal(size=np.shape(y))


ALL = [pytest.param(name, i, id=f"{name}-{i}") for name in CASES for i in range(len(CASES[name]))]


def made(name, i, seed=0):
    """The op, its differentiable arguments, the function of them alone, and a cotangent of its value."""
    rng = np.random.default_rng([seed, i])
    args, options = CASES[name][i](rng)
    op = OPS[name]
    inputs, rest = tuple(args[: op.inputs]), args[op.inputs :]
    function = lambda *inputs: joined(op.function(*inputs, *rest, **options))
    return op, inputs, function, rng.normal(size=np.shape(function(*inputs)))


def slope_along(f, x, v, h=1e-5):
    """Central difference of f (a tuple of arrays) at the tuple x along v, for each array of the value."""
    above = f(*(a + h * d for a, d in zip(x, v, strict=True)))
    below = f(*(a - h * d for a, d in zip(x, v, strict=True)))
    return tuple((p - m) / (2 * h) for p, m in zip(above, below, strict=True))


def test_every_op_has_a_case():
    missing = sorted(set(OPS) - set(CASES))
    assert not missing, (
        f"{missing} lack an entry. 1. Add `name: [lambda rng: (arguments, options), ...]` to CASES in this file, with "
        "all sizes different and one case for each option that changes the derivative. 2. Run this file. 3. Add the "
        "op to tests/oracles/test_ops.py or test_losses.py, with what it is compared to."
    )


@pytest.mark.parametrize(("name", "i"), ALL)
def test_gradient_is_that_of_central_differences(name, i):
    _, inputs, function, g = made(name, i)
    gradients = gs.vjp(function, *inputs)[1](g)
    for k, gradient in enumerate(gradients):
        value = lambda x: np.sum(g * function(*inputs[:k], x, *inputs[k + 1 :]))
        assert gs.gradient_check(value, lambda x: gradient, inputs[k]) < 1e-8


@pytest.mark.parametrize(("name", "i"), ALL)
def test_second_derivative_is_that_of_central_differences_of_the_gradient(name, i):
    _, inputs, function, g = made(name, i)
    rng = np.random.default_rng(1)
    v = tuple(rng.normal(size=a.shape) for a in inputs)
    gradient = gs.grad(lambda *inputs: np.sum(g * function(*inputs)), argnums=range(len(inputs)))
    product = gs.hessian_vector_product(lambda inputs: np.sum(g * function(*inputs)), inputs, v)
    for analytic, numeric in zip(product, slope_along(gradient, inputs, v), strict=True):
        np.testing.assert_allclose(analytic, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_backward_is_linear_in_the_cotangent_and_differentiable_in_it(name, i):
    _, inputs, function, g = made(name, i)
    rng = np.random.default_rng(2)
    pullback = gs.vjp(function, *inputs)[1]
    u = [rng.normal(size=a.shape) for a in inputs]
    onto_u = lambda g: sum(np.sum(d * a) for d, a in zip(pullback(g), u, strict=True))
    slope = gs.grad(onto_u)(g)
    np.testing.assert_allclose(np.sum(slope * g), onto_u(g), rtol=1e-9, atol=1e-12)
    other = rng.normal(size=g.shape)
    np.testing.assert_allclose(np.sum(slope * other), onto_u(other), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_backward_on_the_forward_s_cache_is_what_the_tape_computes(name, i):
    op, inputs, function, _ = made(name, i)
    args, options = CASES[name][i](np.random.default_rng([0, i]))
    y, cache = op.forward(*args, **options)
    np.testing.assert_array_equal(joined(y), function(*inputs))
    g = like(y, np.random.default_rng(8))
    by_hand = op.backward(g, cache)
    by_hand = by_hand if isinstance(by_hand, tuple) else (by_hand,)
    for a, b in zip(by_hand, gs.vjp(function, *inputs)[1](joined(g)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_nothing_that_goes_in_is_changed(name, i):
    op = OPS[name]
    args, options = CASES[name][i](np.random.default_rng(3))
    before = [np.copy(a) for a in args]
    y, cache = op.forward(*args, **options)
    g = like(y, np.random.default_rng(4))
    kept, g_before = {k: np.copy(v) for k, v in cache.items()}, np.copy(joined(g))
    op.backward(g, cache)
    for a, b in [*zip(args, before, strict=True), (joined(g), g_before), *((cache[k], kept[k]) for k in kept)]:
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_float32_stays_float32_in_value_and_gradient(name, i):
    op = OPS[name]
    args, options = CASES[name][i](np.random.default_rng(5))
    args = [a.astype(np.float32) if a.dtype == np.float64 else a for a in args]
    y, cache = op.forward(*args, **options)
    results = y if isinstance(y, tuple) else (y,)
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
    ones = tuple(np.ones(np.shape(r), np.float32) for r in results)
    gradients = op.backward(ones if isinstance(y, tuple) else ones[0], cache)
    assert {d.dtype for d in (gradients if isinstance(gradients, tuple) else (gradients,))} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("name", "i"), ALL)
def test_text_with_its_helpers_runs_with_numpy_alone(name, i):
    op = OPS[name]
    args, options = CASES[name][i](np.random.default_rng(6))
    namespace = {"np": np}
    for function in (inspect.unwrap(op.function), op.backward):
        exec(standalone(function), namespace)
    np.testing.assert_array_equal(*(joined(f(*args, **options)) for f in (namespace[name], op.function)))
    y, cache = op.forward(*args, **options)
    g = like(y, np.random.default_rng(7))
    theirs, ours = namespace[op.backward_name](g, cache), op.backward(g, cache)
    for a, b in zip(*((d if isinstance(d, tuple) else (d,)) for d in (theirs, ours)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", sorted(OPS))
def test_public_function_forward_and_backward_stand_under_their_names(name):
    module = inspect.getmodule(inspect.unwrap(OPS[name].function))
    assert getattr(module, f"{name}_forward") is OPS[name].forward
    assert getattr(module, f"{name}_backward") is OPS[name].backward
    assert getattr(gs, name) is OPS[name].function
    assert ">>>" in OPS[name].function.__doc__


@pytest.mark.parametrize("name", sorted(OPS))
def test_public_function_pickles(name):
    assert pickle.loads(pickle.dumps(OPS[name].function)) is OPS[name].function
