"""A replaced part is what runs, everywhere and only inside the block; its derivative is the reference's or its own."""

import threading

import numpy as np
import pytest

import gradschool as gs
from gradschool.autodiff import OPS, Traced
from gradschool.swap import any_replaced, original, replaced


class Spy:
    """Counts its calls and sees to it that it gets plain arrays."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args, **kwargs):
        assert not any(isinstance(a, Traced) for a in args)
        self.calls += 1
        return self.function(*args, **kwargs)


def my_softmax(z, axis=-1):
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, 3)), gs.one_hot(rng.integers(0, 3, 5), 3)


def test_replacement_runs_inside_the_block_and_not_after(data):
    spy = Spy(my_softmax)
    with gs.using(softmax=spy):
        gs.softmax(data[0])
        assert spy.calls == 1
    gs.softmax(data[0])
    assert spy.calls == 1


def test_blocks_nest_and_an_exception_ends_them():
    def inner():
        with gs.using(tanh=lambda x: x + 2, relu=lambda x: x):
            assert gs.tanh(np.zeros(3))[0] == 2
            raise KeyError

    with gs.using(tanh=lambda x: x + 1):
        with pytest.raises(KeyError):
            inner()
        assert gs.tanh(np.zeros(3))[0] == 1
        assert replaced("relu") is None


def test_replacement_may_call_what_it_replaces(data):
    with gs.using(softmax=lambda z, axis=-1: gs.softmax(2 * z, axis)):
        np.testing.assert_allclose(gs.softmax(data[0]), my_softmax(2 * data[0]), rtol=1e-14)


def test_value_is_the_replacement_s_and_the_derivative_the_reference_s(data):
    z, g = data[0], np.random.default_rng(1).normal(size=(5, 3))
    spy = Spy(lambda z, axis=-1: my_softmax(z) + 1)
    with gs.using(softmax=spy):
        y, pullback = gs.vjp(gs.softmax, z)
    np.testing.assert_allclose(y, my_softmax(z) + 1, rtol=1e-14)
    np.testing.assert_allclose(pullback(g)[0], gs.vjp(gs.softmax, z)[1](g)[0], rtol=1e-14)
    assert spy.calls == 1


def test_derivative_is_the_replacement_s_when_that_is_given_too(data):
    z, g = data[0], np.random.default_rng(1).normal(size=(5, 3))
    with gs.using(softmax_backward=lambda g, cache: 7 * g + cache["axis"]):
        y, pullback = gs.vjp(gs.softmax, z)
    np.testing.assert_allclose(y, my_softmax(z), rtol=1e-14)
    np.testing.assert_allclose(pullback(g)[0], 7 * g - 1, rtol=1e-14)


def test_second_derivative_runs_the_replacement_on_plain_arrays(data):
    z, T = data
    spy = Spy(my_softmax)
    v = np.random.default_rng(2).normal(size=z.shape)
    loss = lambda z: gs.cross_entropy(gs.softmax(z), T)
    expected = gs.hessian_vector_product(loss, z, v)
    with gs.using(softmax=spy):
        np.testing.assert_allclose(gs.hessian_vector_product(loss, z, v), expected, rtol=1e-12)
    assert spy.calls > 0


FUSED = [
    (gs.softmax_cross_entropy, "softmax", my_softmax),
    (gs.softmax_cross_entropy, "cross_entropy", lambda P, T, *a: -np.sum(T * np.log(P)) / len(P)),
    (gs.bce_with_logits, "sigmoid", lambda z: 1 / (1 + np.exp(-z))),
    (gs.log_softmax, "softmax", my_softmax),
    (gs.selu, "elu", lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x) - 1))),
    (gs.swish, "sigmoid", lambda z: 1 / (1 + np.exp(-z))),
]


@pytest.mark.parametrize(("fused", "part", "mine"), FUSED, ids=lambda v: getattr(v, "__name__", v))
def test_fused_op_is_taken_apart_when_a_part_is_replaced(fused, part, mine, data):
    z, T = data
    rest = (T,) if fused in (gs.softmax_cross_entropy, gs.bce_with_logits) else ()
    g = np.random.default_rng(3).normal(size=np.shape(fused(z, *rest)))
    run = lambda: gs.vjp(lambda z: fused(z, *rest), z)
    y, pullback = run()
    spy = Spy(mine)
    with gs.using(**{part: spy}):
        mine_y, mine_pullback = run()
    assert spy.calls == 1
    np.testing.assert_allclose(mine_y, y, rtol=1e-12)
    np.testing.assert_allclose(mine_pullback(g)[0], pullback(g)[0], rtol=1e-11, atol=1e-14)
    back = Spy(OPS[part].backward)
    with gs.using(**{f"{part}_backward": back}):
        run()[1](g)
    assert back.calls == 1


def test_replacing_the_fused_op_itself_goes_before_its_parts(data):
    z, T = data
    fused, part = Spy(lambda z, T: 5.0), Spy(my_softmax)
    with gs.using(softmax_cross_entropy=fused, softmax=part):
        value, gradient = gs.value_and_grad(gs.softmax_cross_entropy)(z, T)
    assert (value, fused.calls, part.calls) == (5.0, 1, 0)
    np.testing.assert_allclose(gradient, (my_softmax(z) - T) / 5, rtol=1e-12)


def test_replacement_of_another_shape_is_named(data):
    with (
        gs.using(softmax=lambda z: z.sum(0)),
        pytest.raises(ValueError, match=r"your softmax returned shape \(3,\), expected \(5, 3\)"),
    ):
        gs.vjp(gs.softmax, data[0])


def test_replacement_that_returns_a_number_serves_as_a_loss(data):
    with gs.using(l2_loss=lambda Y, T: 7):
        value, gradient = gs.value_and_grad(gs.l2_loss)(*data)
    assert (value, value.dtype) == (7, np.float64)
    np.testing.assert_allclose(gradient, 2 * (data[0] - data[1]) / 5, rtol=1e-14)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="nothing named 'sofmax' can be replaced; did you mean 'softmax'"):
        gs.using(sofmax=my_softmax).__enter__()
    with pytest.raises(ValueError, match=r"these can be: .*cross_entropy"):
        gs.using(zzz=my_softmax).__enter__()


def test_replacement_must_be_callable():
    with pytest.raises(TypeError, match="softmax must be a function, got int"):
        gs.using(softmax=3).__enter__()  # type: ignore[arg-type]


def test_optimizers_can_be_replaced_too():
    with gs.using(adam=lambda params, grads, state, lr: ("mine", state)):
        assert replaced("adam") is not None
        assert any_replaced(("sgd", "adam"))
        with original("adam"):
            assert not any_replaced(("sgd", "adam"))


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_an_optimizer_s_replacement_may_call_what_it_replaces(name):
    function, called = getattr(gs, name), []

    def spy(*args, **options):
        called.append(name)
        return getattr(gs, name)(*args, **options)

    given = np.ones(3), 2 * np.ones(3), gs.init_state(name, np.ones(3))
    plain = function(*given, lr=0.1)
    with gs.using(**{name: spy}):
        mine = function(*given, lr=0.1)
    np.testing.assert_array_equal(mine[0], plain[0])
    assert called == [name]


def test_threads_do_not_see_each_other_s_replacements():
    seen = []
    with gs.using(tanh=lambda x: x + 1):
        thread = threading.Thread(target=lambda: seen.append(gs.tanh(np.zeros(3))[0]))
        thread.start()
        thread.join()
    assert seen == [0]
