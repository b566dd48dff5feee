"""Property: every layer of the library passes `check_layer`, and each usual mistake is told in words of its own."""

import doctest
import functools
import importlib
import random
import re

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.checking import check_layer
from gradschool.layers import Layer, dense, each, identity, sequential

# one row for each layer: (layer, shape of a sample, inputs); a new layer needs a row, see the test below
ids = lambda rng, n: rng.integers(0, 9, (n, 5))
with_lengths = lambda rng, n: (rng.normal(size=(n, 5, 3)), rng.integers(1, 6, n))
two = lambda rng, n: (rng.normal(size=(n, 5, 2)), rng.normal(size=(n, 3)))
pooled = lambda rng, n: gs.maxpool(rng.normal(size=(n, 5, 4, 3)), 2, stride=1, indices=True)
stack = sequential(dense(6), layers.batchnorm(), gs.relu, layers.dropout(0.2), dense(3), gs.softmax)
ROWS = {
    "activation": (layers.activation(gs.leaky_relu, alpha=0.3), (4, 3), None),
    "alpha_dropout": (layers.alpha_dropout(0.3), (4, 3), None),
    "avgpool": (layers.avgpool(2, padding="same"), (5, 3, 2), None),
    "batchnorm": (layers.batchnorm(), (4, 3), None),
    "bidirectional": (layers.bidirectional(layers.gru(2, every=True)), ((5, 3), ()), with_lengths),
    "branches": (layers.branches(dense(3), layers.batchnorm(), merge=None), (4,), None),
    "conv": (layers.conv(4, (3, 2), stride=2, padding="same", groups=2), (5, 4, 2), None),
    "conv_transpose": (layers.conv_transpose(4, 3, stride=2, crop=1), (4, 3, 2), None),
    "crosschannelnorm": (layers.crosschannelnorm(3, alpha=0.5), (3, 5), None),
    "dense": (dense(3), (4, 5), None),
    "depthwise_conv": (layers.depthwise_conv(3, multiplier=2), (5, 4, 3), None),
    "dropout": (layers.dropout(0.3), (4, 3), None),
    "each": (each(layers.gru(3), identity, merge="add"), ((5, 2), (3,)), two),
    "embedding": (layers.embedding(9, 4, padding_id=0), (5,), ids),
    "flatten": (layers.flatten(), (3, 4, 2), None),
    "global_avgpool": (layers.global_avgpool(), (3, 4, 2), None),
    "global_maxpool": (layers.global_maxpool(), (3, 4, 2), None),
    "groupnorm": (layers.groupnorm(2), (3, 4), None),
    "gru": (layers.gru(3, two_biases=True), (5, 4), None),
    "identity": (layers.activation(identity), (4, 3), None),
    "instancenorm": (layers.instancenorm(), (5, 3), None),
    "last_step": (layers.last_step(), ((5, 3), ()), with_lengths),
    "layernorm": (layers.layernorm(), (4, 3), None),
    "lstm": (layers.lstm(3, every=True), ((5, 3), ()), with_lengths),
    "maxpool": (layers.maxpool(2, stride=1, indices=True), (5, 4, 3), None),
    "maxunpool": (layers.maxunpool((5, 4)), ((4, 3, 3), (4, 3, 3)), pooled),
    "multihead": (layers.multihead(2, causal=True, dropout=0.2), (5, 4), None),
    "ode": (layers.ode(sequential(dense(5), np.tanh, dense(3)), (0, 1), rtol=1e-9, atol=1e-11), (3,), None),
    "positions": (layers.positions(), (5, 4), None),
    "prelu": (layers.prelu(), (4, 3), None),
    "reshape": (layers.reshape(2, -1), (3, 4), None),
    "residual": (layers.residual(layers.conv(3, 3, padding="same"), gs.elu, layers.batchnorm()), (5, 3), None),
    "rnn": (layers.rnn(3), (5, 4), None),
    "separable_conv": (layers.separable_conv(4, 3), (5, 4, 3), None),
    "sequential": (stack, (4,), None),
}  # fmt: skip
NO_LAYERS = {"Layer", "multihead_attention"}


def test_every_layer_has_a_row():
    missing = set(layers.__all__) - NO_LAYERS - ROWS.keys()
    assert not missing, f"{missing}: (1) make the layer with options, (2) samples of it, (3) enter both in ROWS"


@pytest.mark.parametrize("name", ROWS)
def test_a_layer_keeps_what_layers_promise(name):
    layer, shape, inputs = ROWS[name]
    report = check_layer(layer, shape, inputs, batch_sizes=(1, 3, 5, 0))
    assert report, report


# ------------------------------------------------------------------------------------------------- layers gone wrong
@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr("gradschool.autodiff.ops.OPS", {})  # the wrong ops below are no ops of the library


def scale_forward(x, a):
    return x * a, {"x": x, "a": a}


def scale_backward(g, cache):
    axes = tuple(range(g.ndim - 1))
    return g * cache["a"], np.sum(g * cache["x"], axis=axes)


def scale_init(rng, shape, dtype=float):
    return {"a": rng.normal(size=shape[-1:]).astype(dtype)}, {}, shape


def scale_layer(forward=scale_forward, backward=scale_backward, init=scale_init, wrap=lambda apply: apply):
    """A layer that multiplies each channel by a number that it learns; one of its parts may be wrong."""

    def scale(x, a):
        return forward(x, a)[0]

    tied = gs.op(forward, backward, inputs=2)(scale)

    def apply(params, state, x, training=False, rng=None):
        return tied(x, params["a"]), state

    return Layer(init, wrap(apply), "scale")


def problem(layer, shape=(4,), **options):
    """The problems but for pickling, which functions in functions have."""
    report = check_layer(layer, shape, **options)
    return [text for text in report.problems if not text.startswith("pickling")]


def test_the_right_one_passes():
    assert problem(scale_layer()) == []


def backward_with(da):
    return lambda g, cache: (g * cache["a"], da(g * cache["x"]))


@pytest.mark.parametrize(
    ("backward", "words"),
    [
        (backward_with(lambda d: d.mean(0)), r"params.a in prediction, at batch size 3 \(it is right at 1\), is the"),
        (backward_with(lambda d: d[0]), r"batch size 3 \(it is right at 1\), is that of the first sample alone"),
        (backward_with(lambda d: d[-1]), r"batch size 3 \(it is right at 1\), is that of the last sample alone"),
        (backward_with(lambda d: d), r"scale_backward gave shape \(1, 4\) for a of shape \(4,\)"),
        (backward_with(lambda d: -d.sum(0)), "at batch size 1, has the wrong sign"),
        (backward_with(lambda d: 2 * d.sum(0)), "is 2 times what central differences give"),
        (backward_with(lambda d: 0 * d.sum(0)), "is zero: no derivative gets there"),
        (backward_with(lambda d: d.sum(0) + 1), r"of params.a .* is [-\d.]+ at \[\d\], but central differences give"),
        (lambda g, cache: (g, np.sum(g * cache["x"], 0)), "of the input in prediction, at batch size 1"),
        (lambda g, cache: (-g * cache["a"], 0 * cache["a"]), "has the wrong sign; wrong too: params.a"),
        (lambda g, cache: (g * cache["a"],), "scale_backward gave nothing for a"),
        (lambda g, cache: (g * cache["b"], g), "KeyError: 'b' .*line .* of test_checking.py"),
        (lambda g, cache: (g * cache["a"] / len(g), np.sum(g * cache["x"], 0)), "the input .* is the mean over"),
    ],
)  # fmt: skip
def test_a_wrong_backward_is_told_in_words(backward, words):
    found = problem(scale_layer(backward=backward))
    assert any(text.startswith("gradient: ") for text in found)
    assert any(re.search(words, text) for text in found), found


def outside_cache():
    kept = {}

    def forward(x, a):
        kept.update(x=x, a=a)
        return x * a, {}

    return forward, lambda g, cache: (
        g * kept["a"],
        np.sum(g * kept["x"], 0) if len(kept["x"]) == len(g) else kept["a"],
    )


def test_a_cache_outside_is_found_out_by_a_second_call():
    forward, backward = outside_cache()
    found = problem(scale_layer(forward, backward))
    assert any("called again before it was taken; keep what the backward needs in the cache" in text for text in found)


def spoiling(g, cache):
    cache["x"] *= 2
    return g * cache["a"], np.sum(g * cache["x"], 0) / 2


def spoiling_g(g, cache):
    found = g * cache["a"], np.sum(g * cache["x"], 0)
    g *= 0
    return found


def copying_forward(x, a):
    return x * a, {"x": x.copy(), "a": a}


def test_what_a_backward_must_not_change():
    assert any("must not change its cache" in text for text in problem(scale_layer(copying_forward, spoiling)))
    assert any("the backward changed the input x" in text for text in problem(scale_layer(backward=spoiling)))
    assert any("the backward changed its cotangent g" in text for text in problem(scale_layer(backward=spoiling_g)))


def wrapped(change):
    """The right layer with an apply that does something beside."""

    def wrap(apply):
        def other(params, state, x, training=False, rng=None):
            return change(apply, params, state, x, training, rng)

        return other

    return scale_layer(wrap=wrap)


def in_place(apply, params, state, x, training, rng):
    if type(x) is np.ndarray:
        x *= 2
    return apply(params, state, x)


def in_place_params(apply, params, state, x, training, rng):
    if type(params["a"]) is np.ndarray:
        params["a"][0] = 0
    return apply(params, state, x)


def wide_constant(apply, params, state, x, training, rng):
    return apply(params, state, x)[0] + np.ones(4), state


def global_chance(apply, params, state, x, training, rng):
    return apply(params, state, x)[0] * (random.random() if training else 1), state


def always_chance(apply, params, state, x, training, rng):
    return apply(params, state, x)[0] * random.random(), state


def batch_mean(apply, params, state, x, training, rng):
    return apply(params, state, x - np.mean(x, 0))[0], state


def lost_batch(apply, params, state, x, training, rng):
    return np.sum(apply(params, state, x)[0], 0), state


def lost_state(apply, params, state, x, training, rng):
    return apply(params, state, x)[0], None if training else state


def only_y(apply, params, state, x, training, rng):
    return apply(params, state, x)[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (in_place, "nothing that is given is changed: in prediction, apply changed its input x"),
        (in_place_params, "in prediction, apply changed params"),
        (
            wide_constant,
            "in prediction, float32 came in and the result is float64; an array made without dtype=x.dtype",
        ),
        (global_chance, "in training, the same call gave two results; draw from the rng that apply is given"),
        (always_chance, "in prediction, the same call gave two results; a prediction draws nothing"),
        (batch_mean, "the prediction for sample 0 depends on the others in its batch"),
        (lost_batch, "at batch size 1 in prediction it returned (4,), but init promised (1, 4)"),
        (lost_state, "in training, trees differ at the top"),
        (only_y, "apply returned ndarray, expected (y, state)"),
    ],
)
def test_a_wrong_apply_is_told_in_words(change, words):
    found = problem(wrapped(change))
    assert any(words in text for text in found), found


def counting_init(rng, shape, dtype=float):
    return {}, {"seen": 0.0}, shape


def counting_apply(params, state, x, training=False, rng=None):
    return x, {"seen": state["seen"] + len(x)}


def growing_apply(params, state, x, training=False, rng=None):
    return x, {"seen": np.zeros(len(x))} if training else state


def mean_init(rng, shape, dtype=float):
    return {}, {"mean": np.zeros(shape, dtype)}, shape


def mean_apply(params, state, x, training=False, rng=None):
    return x, {"mean": np.mean(x, axis=0).astype(float)} if training else state


def float_init(rng, shape, dtype=float):
    return {}, {"mean": np.zeros(shape)}, shape


def test_a_state_that_is_wider_than_what_came_in():
    (only,) = problem(Layer(mean_init, mean_apply))
    assert only.startswith("float32 stays float32: in training, float32 came in and the new state is float64;")
    assert (
        "init made state.mean float64 when asked for float32; use its dtype"
        in problem(Layer(float_init, mean_apply))[0]
    )


def test_a_state_that_prediction_changes_or_that_changes_shape():
    assert "prediction changed the state; only training may" in problem(Layer(counting_init, counting_apply))[0]
    assert "in training, state.seen of shape () became (3,)" in problem(Layer(counting_init, growing_apply))[0]


def init_with(params, shape=None):
    return lambda rng, given, dtype=float: (params(rng), {}, shape or given)


@pytest.mark.parametrize(
    ("init", "words"),
    [
        (init_with(lambda rng: {"a": np.random.default_rng().normal(size=4)}), "the same seed drew other parameters"),
        (init_with(lambda rng: {"a": np.arange(4)}), "params.a is int64, expected an array of floats"),
        (init_with(lambda rng: {"a": 1.0}), "params.a is float, expected an array of floats"),
        (init_with(lambda rng: {"a": rng.normal(size=4)}, (5,)), "but init promised (1, 5)"),
        (lambda rng, shape, dtype=float: {"a": np.ones(4)}, "init returned dict, expected (params, state, shape)"),
        (lambda rng: None, "TypeError: "),
        (lambda rng, shape: ({"a": np.ones(4)}, {}, shape), "init takes no dtype; write init(rng, shape, dtype=float)"),
        (init_with(lambda rng: {"a": rng.normal(size=4)}), "init made params.a float64 when asked for float32"),
    ],
)
def test_a_wrong_init_is_told_in_words(init, words):
    assert any(words in text for text in problem(scale_layer(init=init)))


def test_a_function_is_the_layer_that_it_stands_for_and_what_is_none_is_named():
    assert check_layer(gs.relu, (4,))
    with pytest.raises(TypeError, match=r"got dense, which makes one; call it: dense\(\.\.\.\)"):
        check_layer(gs.layers.dense, (4,))


def test_a_lambda_does_not_pickle_and_a_function_of_a_module_does():
    free = Layer(scale_init, lambda params, state, x, training=False, rng=None: (x * params["a"], state), "free")
    (only,) = check_layer(free, (4,)).problems
    assert only.startswith("pickling: ")
    assert only.endswith("make it of functions of a module, with functools.partial for options, not of lambdas")
    bound = Layer(scale_init, functools.partial(times, 2.0), "bound")
    report = check_layer(bound, (4,))
    assert report, report
    assert report.problems == []


def times(factor, params, state, x, training=False, rng=None):
    return factor * x * params["a"], state


def test_what_raises_wherever_a_gradient_is_taken_is_told_once():
    found = check_layer(scale_layer(backward=lambda g, cache: cache["b"]), (4,)).found
    told = {name: text for name, text in found.items() if text and name != "pickling"}
    assert told.pop("gradient").startswith("KeyError: 'b' (line ")
    assert set(told.values()) == {"as above, so this could not be looked at"}


def test_the_report_reads_as_a_list():
    text = repr(check_layer(wrapped(batch_mean), (4,)))
    assert text.startswith("scale, samples (4,), 4 parameters\n  right  parameters come from the generator alone\n")
    assert "\n  wrong  each sample is predicted by itself: the prediction for sample 0" in text


@pytest.mark.parametrize("name", ["layer", "report"])
def test_the_examples_in_the_docstrings_hold(name):
    failed, tried = doctest.testmod(importlib.import_module(f"gradschool.checking.{name}"))
    assert (failed, tried > 0) == (0, True)
