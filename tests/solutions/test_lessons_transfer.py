"""The plain forms of transfer learning, which students see, agree with the library's own and with PyTorch's and Keras'
two ways to freeze a normalisation."""

import doctest
from typing import Any

import numpy as np
import pytest

import gradschool as gs
from gradschool.layers import batchnorm, dense
from gradschool.lessons import transfer
from gradschool.transfer import hold


def drawn(seed=0, frozen=(0,)):
    """Three layers, the first two with a normalisation."""
    rng = np.random.default_rng(seed)
    model = []
    for i, (D, C) in enumerate([(5, 4), (4, 6), (6, 3)]):
        layer = {
            "W": rng.normal(size=(D, C)),
            "activation": "linear" if i == 2 else "relu",
            "trainable": i not in frozen,
        }
        normed = {"gamma": rng.normal(size=C), "beta": rng.normal(size=C), "mean": rng.normal(size=C),
                  "var": rng.uniform(0.5, 2, C)}  # fmt: skip
        model.append(layer | (normed if i < 2 else {"b": rng.normal(size=C)}))
    return model


def in_the_library(model, held=()):
    """(net, params, state) of the same model; `held` are the positions of layers that only predict."""
    parts, params, state = [], [], []
    for i, layer in enumerate(model):
        here: list[Any] = [dense(layer["W"].shape[1], bias="b" in layer)]
        params.append({name: layer[name] for name in ("W", "b") if name in layer})
        state.append({})
        if "gamma" in layer:
            here.append(hold(batchnorm()) if i in held else batchnorm())
            params.append({name: layer[name] for name in ("gamma", "beta")})
            state.append({name: layer[name] for name in ("mean", "var")})
        if layer["activation"] == "relu":
            here.append(gs.relu)
            params.append({})
            state.append({})
        parts += here
    return gs.sequential(*parts), params, state


def test_the_examples_print_what_they_say():
    found = doctest.testmod(transfer, extraglobs={"np": np})
    assert found.attempted >= 1
    assert found.failed == 0


@pytest.mark.parametrize("frozen", [(), (0,), (1,), (0, 1)])
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_forward_is_the_librarys_with_its_layers_held_or_not(frozen, held, training):
    model, X = drawn(1, frozen), np.random.default_rng(2).normal(size=(9, 5))
    Y, new = transfer.forward(model, X, training, held)
    net, params, state = in_the_library(model, frozen if held else ())
    theirs, state = net.apply(params, state, X, training)
    np.testing.assert_allclose(Y, theirs, rtol=1e-9)
    statistics = [kept for kept in state if kept]
    for layer, kept in zip(new, statistics, strict=False):
        np.testing.assert_allclose(layer["mean"], kept["mean"], rtol=1e-9)
        np.testing.assert_allclose(layer["var"], kept["var"], rtol=1e-9)


def test_a_step_is_the_librarys_momentum_with_factors():
    model, rng = drawn(3), np.random.default_rng(4)
    grads = [[{k: rng.normal(size=p.shape) for k, p in layer.items()} for layer in learned(model)] for _ in range(3)]
    frozen = gs.freeze(learned(model), 0)
    theirs, params = gs.with_factors(gs.optimizer("momentum", beta=0.8), frozen), learned(model)
    state, slots = theirs.init(params), None
    for g in grads:
        model, slots = transfer.step_trainable(model, g, slots, lr=0.1, beta=0.8)
        params, state = theirs.update(params, g, state, 0.1)
    for mine, other in zip(learned(model), params, strict=True):
        for name in mine:
            np.testing.assert_allclose(mine[name], other[name], rtol=1e-12)


def learned(model):
    return transfer.trainable_params(transfer.set_trainable(model, range(len(model)), True))


def test_decay_is_the_gradient_of_a_penalty_on_weights():
    model = drawn(5, ())
    grads, none = learned(model), [{k: 0 * p for k, p in layer.items()} for layer in learned(model)]
    pulled, _ = transfer.step_trainable(model, none, None, lr=0.1, decay=0.5)
    asked, _ = transfer.step_trainable(model, [{k: 0.5 * g * (k == "W") for k, g in layer.items()} for layer in grads],
                                       None, lr=0.1)  # fmt: skip
    for a, b in zip(pulled, asked, strict=True):
        np.testing.assert_allclose(a["W"], b["W"], rtol=1e-12)
        np.testing.assert_array_equal(a.get("beta", a.get("b")), b.get("beta", b.get("b")))


def test_the_gradients_of_the_autoencoder_are_those_of_differences():
    rng = np.random.default_rng(6)
    params = {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=3), "c": rng.normal(size=5)}
    X, lr = rng.normal(size=(7, 5)), 1e-3

    def loss(p):
        return transfer.pretrain_autoencoder(p, [X], lr)[1][0]

    moved, _ = transfer.pretrain_autoencoder(params, [X], lr)
    for name in params:
        slope = gs.numerical_gradient(lambda part, name=name: loss(params | {name: part}), params[name])
        np.testing.assert_allclose((params[name] - moved[name]) / lr, slope, rtol=1e-6, atol=1e-8)


def test_the_head_is_the_librarys():
    model = drawn(7)
    new = transfer.replace_head(model, 2, "linear", gs.he, np.random.default_rng(8))
    net, params, state = in_the_library(model)
    _, theirs, _ = gs.replace_head(net, params, state, dense(2, gs.he), (5,), np.random.default_rng(8))
    np.testing.assert_array_equal(new[-1]["W"], theirs[-1]["W"])
    assert [layer["trainable"] for layer in new] == [False, False, True]
