"""Property: what `sequential` computes in one step are the layers one after the other: the same numbers, the same
derivatives, and an op that is replaced is the one that runs."""

import dataclasses
import doctest
import importlib
import pickle

import numpy as np
import pytest
from op_cases import CASES

import gradschool as gs
from gradschool import layers
from gradschool.autodiff import OPS, Link, Traced, chain
from gradschool.autodiff.tape import Tape
from gradschool.trees import tree_leaves, tree_map

ACTIVATIONS = [gs.relu, gs.elu]


def problem(activation, dtype=float, bias=True):
    rng = np.random.default_rng(0)
    net = gs.sequential(layers.dense(7, bias=bias), activation, layers.dense(5, bias=bias), activation, layers.dense(3))
    params, state, _ = net.init(rng, (4,), dtype=dtype)
    params = tree_map(lambda p: (p + 0.3 * rng.normal(size=p.shape)).astype(dtype), params)
    return net, params, state, rng.normal(size=(6, 4)).astype(dtype), rng.normal(size=(6, 3)).astype(dtype)


def one_by_one(net, params, state, x):
    for layer, p, s in zip(net.parts, params, state, strict=True):
        x, _ = layer.apply(p, s, x)
    return x


class Spy:
    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.function(*args, **kwargs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_values_and_gradients_are_those_of_the_layers_one_by_one(activation, dtype, rtol):
    net, params, state, X, G = problem(activation, dtype)
    y, pullback = gs.vjp(lambda p, x: net.apply(p, state, x)[0], params, X)
    expected, expected_pullback = gs.vjp(lambda p, x: one_by_one(net, p, state, x), params, X)
    np.testing.assert_allclose(y, expected, rtol=rtol, atol=rtol)
    for found, d in zip(tree_leaves(pullback(G)), tree_leaves(expected_pullback(G)), strict=True):
        np.testing.assert_allclose(found, d, rtol=rtol, atol=rtol)
        assert found.dtype == dtype


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_second_derivatives_are_those_of_the_layers_one_by_one(activation):
    net, params, state, X, G = problem(activation)
    rng = np.random.default_rng(1)
    v = tree_map(lambda p: rng.normal(size=p.shape), params)
    products = [
        gs.hessian_vector_product(lambda p: np.sum(G * run(p) ** 2), params, v)
        for run in (lambda p: net.apply(p, state, X)[0], lambda p: one_by_one(net, p, state, X))
    ]
    for found, expected in zip(*map(tree_leaves, products), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("part", ["dense", "dense_backward", "activation", "activation_backward"])
def test_a_part_that_is_replaced_runs(activation, part):
    net, params, state, X, G = problem(activation)
    name = part.replace("activation", activation.__name__)
    op = OPS[name.removesuffix("_backward")]
    spy = Spy(op.backward if name.endswith("_backward") else op.function)
    run = lambda: gs.vjp(lambda p: net.apply(p, state, X)[0], params)[1](G)
    expected = run()
    with gs.using(**{name: spy}):
        found = run()
    assert spy.calls == (3 if part.startswith("dense") else 2)
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def test_options_no_bias_and_what_others_need_are_kept():
    rng = np.random.default_rng(2)
    for net in (
        gs.sequential(layers.dense(7), layers.activation(gs.elu, alpha=0.3)),
        gs.sequential(layers.dense(7, bias=False), gs.elu),
        gs.sequential(layers.dense(7), gs.tanh, gs.elu),  # tanh's derivative needs its result
        gs.sequential(gs.relu, layers.dense(7)),  # and X is not the network's
        gs.sequential(layers.dense(7), gs.elu, gs.relu, gs.elu),
    ):
        params, state, _ = net.init(rng, (4,))
        X, G = rng.normal(size=(5, 4)), rng.normal(size=(5, 7))
        given = X.copy()
        y, pullback = gs.vjp(lambda p, X, net=net, s=state: net.apply(p, s, X)[0], params, X)
        expected, expected_pullback = gs.vjp(lambda p, X, net=net, s=state: one_by_one(net, p, s, X), params, X)
        np.testing.assert_array_equal(X, given)
        np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-15)
        for found, d in zip(tree_leaves(pullback(G)), tree_leaves(expected_pullback(G)), strict=True):
            np.testing.assert_allclose(found, d, rtol=1e-12, atol=1e-14)


def test_a_network_pickles_and_keeps_its_state():
    net, params, state, X, _ = problem(gs.elu)
    y, after = pickle.loads(pickle.dumps(net)).apply(params, state, X, training=True)
    np.testing.assert_array_equal(y, net.apply(params, state, X)[0])
    assert after == state
    assert net.apply(params, None, X)[1] is None


# --------------------------------------------------------------------------------------------------------- batch norm
def normalised(activation):
    rng = np.random.default_rng(3)
    net = gs.sequential(layers.dense(7, bias=False), layers.batchnorm(), activation, layers.dense(3))
    params, state, _ = net.init(rng, (4,))
    params = tree_map(lambda p: p + 0.3 * rng.normal(size=p.shape), params)
    return net, params, state, rng.normal(size=(6, 4)), rng.normal(size=(6, 3))


def trained_one_by_one(net, params, state, x):
    after = []
    for layer, p, s in zip(net.parts, params, state, strict=True):
        x, s = layer.apply(p, s, x, training=True)
        after.append(s)
    return x, after


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_batch_norm_and_its_activation_are_those_of_the_layers_one_by_one(activation):
    net, params, state, X, G = normalised(activation)
    _, after = net.apply(params, state, X, training=True)
    _, expected_after = trained_one_by_one(net, params, state, X)
    for found, s in zip(tree_leaves(after), tree_leaves(expected_after), strict=True):
        np.testing.assert_allclose(found, s, rtol=1e-13)
    runs = (lambda p: net.apply(p, state, X, training=True)[0]), (lambda p: trained_one_by_one(net, p, state, X)[0])
    for order in (gs.grad, lambda f: lambda p: gs.hessian_vector_product(f, p, params)):
        found, expected = (order(lambda p, run=run: np.sum(G * run(p) ** 2))(params) for run in runs)
        for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("part", ["batchnorm", "batchnorm_backward", "activation", "activation_backward"])
def test_a_part_of_batch_norm_and_activation_that_is_replaced_runs(activation, part):
    net, params, state, X, G = normalised(activation)
    name = part.replace("activation", activation.__name__)
    op = OPS[name.removesuffix("_backward")]
    run = lambda: gs.vjp(lambda p: net.apply(p, state, X, training=True)[0], params)[1](G)
    expected = run()
    spy = Spy(op.backward if name.endswith("_backward") else op.function)
    with gs.using(**{name: spy}):
        found = run()
    assert spy.calls == 1
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


# -------------------------------------------------------------------------------------------------------------- chains
def test_layers_that_are_ops_are_one_step_on_the_tape():
    net, params, state, X, _ = normalised(gs.elu)
    tape = Tape()
    traced = tree_map(lambda p: Traced(p, tape, tape.variable()), params)
    y, after = net.apply(traced, state, X, training=True)
    assert [step is not None for step in tape.steps].count(True) == 1
    assert isinstance(y, Traced)
    assert all(type(a) is np.ndarray for a in tree_leaves(after))


def test_a_chain_takes_what_is_traced_and_shared_and_given_as_memory():
    rng = np.random.default_rng(4)
    X, W, b, G = (rng.normal(size=size) for size in ((6, 5), (5, 5), (5,), (6, 5)))
    for first in (W, 0.5 * W):  # a constant among the weights, and one array in two places
        linked = lambda W, b, first=first: chain(X, [Link(gs.dense, (first,)), Link(gs.dense, (W, b)), Link(gs.elu),
                                                     Link(gs.tanh), Link(gs.dense, (W, b))])[0]  # fmt: skip
        plain = lambda W, b, first=first: gs.dense(gs.tanh(gs.elu(gs.dense(gs.dense(X, first), W, b))), W, b)
        for found, expected in zip(gs.vjp(linked, W, b)[1](G), gs.vjp(plain, W, b)[1](G), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
        places = {"W": np.full_like(W, np.nan), "b": np.full_like(b, np.nan)}
        gs.value_and_grad(lambda p, f=linked: np.sum(G * f(p["W"], p["b"])), into=places)({"W": W, "b": b})
        for found, expected in zip(places.values(), gs.vjp(plain, W, b)[1](G), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_a_chain_is_differentiated_by_what_comes_back_to_it():
    rng = np.random.default_rng(5)
    X, W, G, V = (rng.normal(size=size) for size in ((6, 5), (5, 3), (6, 3), (6, 5)))
    pulled = [
        gs.grad(lambda g, f=f: np.sum(V * gs.vjp(f, X)[1](g)[0]))(G)
        for f in (lambda x: chain(x, [Link(gs.tanh), Link(gs.dense, (W,))])[0], lambda x: gs.dense(gs.tanh(x), W))
    ]
    np.testing.assert_allclose(*pulled, rtol=1e-12)


def test_nothing_is_computed_for_inputs_that_are_no_parameters(monkeypatch):
    net, params, state, X, G = problem(gs.relu)
    asked = []
    dense = OPS["dense"]
    spied = tuple(lambda *args, i=i, part=part, **out: asked.append(i) or part(*args, **out)
                  for i, part in enumerate(dense.each))  # fmt: skip
    monkeypatch.setitem(OPS, "dense", dataclasses.replace(dense, each=spied))
    gs.vjp(lambda p: net.apply(p, state, X)[0], params)[1](G)
    assert asked == [0, 1, 2, 0, 1, 2, 1, 2]


@pytest.mark.parametrize("n", [7, 8, 32, 33])
def test_the_fast_gradient_of_a_dense_layer_s_input_is_the_plain_one(n):
    rng = np.random.default_rng(8)
    X, W, g = rng.normal(size=(n, 90)), rng.normal(size=(90, 110)), rng.normal(size=(n, 110))
    for shape in ((n,), (n // 2, 2)) if n % 2 == 0 else ((n,),):
        found = gs.vjp(lambda X: gs.dense(X, W), X.reshape(*shape, 90))[1](g.reshape(*shape, 110))[0]
        np.testing.assert_allclose(found, (g @ W.T).reshape(*shape, 90), rtol=1e-12, atol=1e-13)
        assert found.flags.c_contiguous
    product = gs.hessian_vector_product(lambda X: np.sum(gs.dense(X, W) ** 2), X, V := rng.normal(size=X.shape))
    np.testing.assert_allclose(product, 2 * V @ W @ W.T, rtol=1e-11, atol=1e-11)


# ------------------------------------------------------------------------------------------------- in the same memory
def cases(which):
    return [pytest.param(op, case, id=f"{op.name}-{i}") for op in OPS.values() if which(op)
            for i, case in enumerate(CASES[op.name])]  # fmt: skip


@pytest.mark.parametrize(("op", "case"), cases(lambda op: op.in_place))
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-6)])
def test_the_form_in_place_is_the_plain_one_in_the_memory_of_its_argument(op, case, dtype, rtol):
    rng = np.random.default_rng(6)
    (x,), _ = case(rng)  # without options, with which no chain uses it
    x = np.concatenate([x.ravel(), [0.0, -0.0, -1e-9, 1e-9, 80.0, -80.0, -1000.0]]).astype(dtype)
    g, memory = rng.normal(size=x.shape).astype(dtype), x.copy()
    expected, cache = op.forward(x)
    y, kept = op.in_place.forward(memory)
    assert np.shares_memory(y, memory)
    np.testing.assert_allclose(y, expected, rtol=rtol, atol=np.finfo(dtype).eps)
    np.testing.assert_allclose(op.in_place.backward(g, kept), op.backward(g, cache), rtol=10 * rtol, atol=rtol)


@pytest.mark.parametrize(("op", "case"), cases(lambda op: op.fresh))
def test_what_may_be_written_over_is_nobody_elses(op, case):
    arguments, options = case(np.random.default_rng(7))
    y, cache = op.forward(*arguments, **options)
    y, *others = y if isinstance(y, tuple) else (y,)
    assert not any(np.shares_memory(y, a) for a in (*arguments, *others, *cache.values()) if isinstance(a, np.ndarray))


def test_examples_in_the_documentation_hold():
    found = doctest.testmod(importlib.import_module("gradschool.autodiff.chain"), extraglobs={"np": np})
    assert (found.failed, found.attempted > 0) == (0, True)
