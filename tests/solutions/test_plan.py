"""Property: a step by plan is the step by tape, up to rounding, and what cannot be planned takes the tape."""

import doctest
import gc
import itertools
import pickle
import weakref

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import gradschool as gs
from gradschool import layers, plan
from gradschool.autodiff import OPS, Link, op
from gradschool.layers import Layer
from gradschool.ops import place, planned, threads
from gradschool.trees import tree_leaves

RNG = np.random.default_rng(0)


def dense_net(activation, norm, bias=True):
    parts = []
    for units in (110, 100, 12):
        parts += [layers.dense(units, gs.he, bias=bias), *([layers.batchnorm(**norm)] if norm is not None else [])]
        parts += [activation]
    return gs.sequential(*parts, layers.dense(3, gs.he))


NETS = {
    "elu": (dense_net(gs.elu, None), (300,)),
    "relu": (dense_net(gs.relu, None), (300,)),
    "elu, batch norm": (dense_net(gs.elu, {}, bias=False), (90,)),
    "relu, batch norm": (dense_net(gs.relu, {"momentum": 0.5, "eps": 0.1, "unbiased_running": True}), (90,)),
    "others": (dense_net(gs.tanh, None), (20,)),
    "in a row": (
        gs.sequential(gs.relu, layers.dense(9), gs.elu, gs.relu, gs.selu, gs.elu, layers.dense(3)),
        (5,),
    ),
    "batch norm first": (gs.sequential(layers.batchnorm(), gs.relu, layers.dense(3)), (5,)),
    "images": (
        gs.sequential(
            layers.conv(4, 3), gs.relu, layers.maxpool(2), layers.batchnorm(), gs.elu, layers.conv(3, 2), gs.relu,
            layers.maxpool(2),
        ),
        (9, 9, 2),
    ),
}  # fmt: skip


def half_mse_of_mean(Y, T):
    """A loss of one's own, for outputs of any shape"""
    return gs.half_mse(np.mean(Y, axis=tuple(range(1, Y.ndim - 1))), T)


LOSSES = {"an op": gs.softmax_cross_entropy, "another op": gs.half_mse, "a function": half_mse_of_mean}


def run(net, shape, loss, n, dtype, steps=3, name="momentum"):
    """What each step leaves, and the room in which it worked. Adam would make a step of any difference in rounding."""
    rng = np.random.default_rng(n)
    params, state, _ = net.init(rng, shape, dtype=dtype)
    weights, fast = gs.contiguous(params), gs.in_place(gs.optimizer(name))
    memory, room, found = fast.init(weights), weights.like(), []
    for _ in range(steps):
        X = rng.normal(size=(n, *shape)).astype(dtype)
        T = gs.one_hot(rng.integers(3, size=n), 3).astype(dtype)
        done = gs.training_step(net, loss, fast, weights, state, memory, (X, T), lr=0.01, room=room)
        state = done.state
        found.append((done.loss, done.predictions, state, room.vector.copy(), weights.vector.copy()))
    return found, room


def same(found, expected, dtype=float):
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        largest = max(np.max(np.abs(b), initial=0.0), 1.0)
        np.testing.assert_allclose(a, b, rtol=0, atol=largest * (1e-5 if dtype == np.float32 else 1e-13))
        assert np.asarray(a).dtype == np.asarray(b).dtype


@pytest.fixture(autouse=True, params=[True, False], ids=["small kernels", "none"])
def kernels(request, monkeypatch):
    """Which parts products are asked for in depends on what kernels BLAS has; both ways must be right everywhere."""
    for module in (threads, plan):
        monkeypatch.setattr(module, "small_kernels", lambda: request.param)
    return request.param


@pytest.fixture
def by_tape(monkeypatch):
    return lambda: monkeypatch.setattr("gradschool.step.plan_of", lambda *args: None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 7, 32, 100])
@pytest.mark.parametrize("name", NETS)
def test_it_is_the_step_by_tape(by_tape, name, n, dtype):
    net, shape = NETS[name]
    loss = half_mse_of_mean if name == "images" else gs.softmax_cross_entropy
    mine, room = run(net, shape, loss, n, dtype)
    assert [p.given_up for p in room.plans] == [False]
    assert room.plans[0].parts
    by_tape()
    same(mine, run(net, shape, loss, n, dtype)[0], dtype)


@pytest.mark.parametrize("loss", LOSSES)
def test_any_loss_will_do(by_tape, loss):
    net, shape = NETS["elu"]
    mine, room = run(net, shape, LOSSES[loss], 7, float)
    assert not room.plans[0].given_up
    by_tape()
    same(mine, run(net, shape, LOSSES[loss], 7, float)[0])


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("n", [30, 100])
def test_with_threads_it_is_the_same_up_to_rounding(monkeypatch, by_tape, n, large):
    """Products so large that threads share them, BLAS's or ours: 3100 inputs."""
    monkeypatch.setattr(plan, "mostly_large", lambda *args: large)
    monkeypatch.setattr(place, "LARGE", 10**6)
    net = dense_net(gs.relu, {})
    with threadpool_limits(2, user_api="blas"):
        mine, room = run(net, (3100,), gs.softmax_cross_entropy, n, np.float32)
    assert not room.plans[0].given_up
    by_tape()
    with threadpool_limits(1, user_api="blas"):
        one = run(net, (3100,), gs.softmax_cross_entropy, n, np.float32)[0]
    for (loss, *_), (other, *_) in zip(mine, one, strict=True):
        np.testing.assert_allclose(loss, other, rtol=1e-4)


@pytest.mark.parametrize(("sizes", "n", "with_kernels", "without"), [
    ((784, 300, 100, 10), 128, True, True), ((784, 300, 100, 10), 32, False, True),
    ((784, 300, 100, 10), 16, False, False), ((3072, *[100] * 20, 10), 128, False, True), ((9,), 0, False, False),
])  # fmt: skip
def test_blas_shares_out_what_is_mostly_large_products(kernels, sizes, n, with_kernels, without):
    """784 x 300 x 128 is large, 784 x 300 x 32 fairly so; 3072 x 100 x 128 is, and three fifths of that network."""
    params = [{"W": np.empty(shape), "b": np.empty(shape[1])} for shape in itertools.pairwise(sizes)]
    assert plan.mostly_large(n, params) is (with_kernels if kernels else without)
    assert not plan.mostly_large(n, [*params, {"W": np.empty((3, 3, 1, 1))}])


@pytest.mark.parametrize("name", ["dense", "elu", "relu", "batchnorm"])
def test_each_of_the_ops_laid_out_by_hand_is_used(monkeypatch, name):
    """Else the comparisons above would be of the ops with themselves."""
    made, by_hand = [], planned.PLANNED[getattr(gs, name)]
    monkeypatch.setitem(planned.PLANNED, getattr(gs, name), lambda *args: made.append(name) or by_hand(*args))
    run(*NETS["relu, batch norm" if name in ("relu", "batchnorm") else "elu"], gs.softmax_cross_entropy, 7, float)
    assert len(made) == (4 if name == "dense" else 3)


def test_what_a_step_hands_out_is_not_written_over_by_the_next():
    net, shape = NETS["elu, batch norm"]
    found, _ = run(net, shape, gs.softmax_cross_entropy, 7, float, steps=1)
    three, _ = run(net, shape, gs.softmax_cross_entropy, 7, float, steps=3)
    for a, b in zip(tree_leaves(found[0]), tree_leaves(three[0]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_inputs_stay_what_they_are():
    net, shape = NETS["in a row"]
    params, state, _ = net.init(RNG, shape)
    weights, sgd = gs.contiguous(params), gs.in_place(gs.optimizer("sgd"))
    X, T = RNG.normal(size=(4, 5)), gs.one_hot(np.arange(4) % 3, 3)
    before = X.copy(), T.copy()
    room = weights.like()
    for _ in range(2):
        gs.training_step(net, gs.softmax_cross_entropy, sgd, weights, state, sgd.init(weights), (X, T), room=room)
    assert not room.plans[0].given_up
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(T, before[1])


# ------------------------------------------------------------------------------------------- what takes the tape
def begun(net=None, shape=(6,), dtype=float):
    net = net or gs.sequential(layers.dense(5), gs.relu, layers.dense(3))
    params, state, _ = net.init(np.random.default_rng(0), shape, dtype=dtype)
    weights, sgd = gs.contiguous(params), gs.in_place(gs.optimizer("sgd"))
    batch = RNG.normal(size=(4, *shape)).astype(dtype), gs.one_hot(np.arange(4) % 3, 3).astype(dtype)

    room = weights.like()

    def step(batch=batch, net=net, loss=gs.softmax_cross_entropy, state=state, **more):
        done = gs.training_step(net, loss, sgd, weights, state, sgd.init(weights), batch, room=room, **more)
        return done, room

    return step, batch


def test_two_plans_are_kept_for_the_batches_of_an_epoch_and_its_last():
    step, (X, T) = begun()
    _, room = step()
    full = room.plans[0]
    step((X[:3], T[:3]))
    step()
    assert len(room.plans) == 2
    assert full in room.plans
    step((X[:2], T[:2]))
    assert len(room.plans) == 2
    assert room.plans[0].shape == (2, 6)


@pytest.mark.parametrize("why", ["a penalty", "whole numbers", "another type", "dropout", "a function", "order"])
def test_what_is_not_planned_is_trained_all_the_same(why):
    step, (X, T) = begun()
    more = {}
    if why == "a penalty":
        more["penalty"] = lambda params: gs.l2_penalty(params, 0.1)
    elif why == "whole numbers":
        X = (10 * X).astype(int)
    elif why == "another type":
        X = X.astype(np.float32)
    elif why == "order":
        X = np.asfortranarray(X)
    elif why == "dropout":
        step, _ = begun(gs.sequential(layers.dense(5), layers.dropout(0.5), layers.dense(3)))
        more["rng"] = RNG
    else:
        net = gs.sequential(layers.dense(5), gs.relu, layers.dense(3))
        more["net"] = lambda params, x: net.apply(params, None, x)[0]
    first, room = step((X, T), **more)
    assert room.plans == []
    for _ in range(20):
        last, _ = step((X, T), **more)
    assert last.loss < first.loss or why == "dropout"


def test_a_replaced_op_is_used_whether_or_not_a_plan_was_made_before():
    step, _ = begun()
    step()
    called = []
    with gs.using(relu=lambda x: called.append(1) or np.abs(x)):
        step()
    step()
    assert len(called) == 1


@pytest.mark.parametrize(("X", "T", "message"), [
    (np.ones((4, 7)), np.ones((4, 3)), r"dense: X \(4, 7\) and W \(6, 5\) do not fit"),
    (np.ones((4, 6)), np.ones((4, 2)), r"expected a target of the prediction's shape \(4, 3\), got \(4, 2\)"),
    (np.ones((4, 6)), [[1.0, 0.0, 0.0]] * 4, "softmax_cross_entropy: expected an array for T, got list"),
])  # fmt: skip
def test_errors_are_those_of_the_ops_before_a_plan_is_made_and_afterwards(X, T, message):
    step, _ = begun()
    for _ in range(2):
        with pytest.raises((ValueError, TypeError), match=message):
            step((X, T))
        step()


def test_a_loss_that_is_no_number_stops_a_planned_step_before_anything_changes():
    step, (X, T) = begun()
    done, _ = step()
    before = done.weights.vector.copy()
    with pytest.raises(FloatingPointError, match="the loss is nan"):
        step((X * np.nan, T))
    np.testing.assert_array_equal(done.weights.vector, before)


@pytest.fixture
def own_ops():
    """What is made an op here is none afterwards."""
    before = dict(OPS)
    yield
    OPS.clear()
    OPS.update(before)


def linked(arguments, start):
    """A layer that is x a + c with a, c = `arguments(params)`, from the parameters `start(shape)`."""

    def summed(g, like):
        return g.sum(0) if like.ndim else np.asarray(g.sum())

    @op(
        lambda x, a, c: (x * a + c, {"x": x, "a": a, "c": c}),
        lambda g, k: (g * k["a"], summed(g * k["x"], k["a"]), summed(g, k["c"])),
        inputs=3,
    )
    def scaled_shift(x, a, c):
        return x * a + c

    def link(params, state, training):
        return Link(scaled_shift, arguments(params))

    def apply(params, state, x, training=False, rng=None):
        return scaled_shift(x, *arguments(params)), state

    return Layer(lambda rng, shape, dtype=float: (start(shape), {}, shape), apply, "linked", link=link)


ODD = {
    "computed first": (lambda p: (p["a"] ** 2, p["c"]), lambda s: {"a": np.full(s, 2.0), "c": np.ones(s)}),
    "there twice": (lambda p: (p["a"], p["a"]), lambda s: {"a": np.full(s, 2.0)}),
    "not used": (lambda p: (p["a"], p["c"]), lambda s: {"a": np.ones(s), "c": np.ones(s), "more": np.ones(2)}),
    "one zero": (lambda p: (p[0], p[1]), lambda s: [np.ones(s), np.zeros(())]),
}


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("odd", ODD)
def test_parameters_that_are_not_the_arguments_one_for_one_get_their_own_gradients(own_ops, odd, first):
    """A link may be any op of any arrays; the plan writes gradients of arguments, so these must be the parameters."""
    parts = [linked(*ODD[odd]), layers.dense(3)]
    net = gs.sequential(*parts) if first else gs.sequential(layers.dense(5), *parts)
    step, (X, T) = begun(net)
    params = net.init(np.random.default_rng(0), (6,))[0]
    _, room = step()
    assert room.plans[0].given_up == (odd != "one zero")
    expected = gs.grad(lambda p: gs.softmax_cross_entropy(net.apply(p, None, X)[0], T))(params)
    same(room.tree, expected)


def test_an_op_of_one_s_own_is_used_whatever_its_name(own_ops):
    @op(lambda x: (np.where(x > 0, x, 0.5 * x), {"x": x}), lambda g, k: np.where(k["x"] > 0, g, 0.5 * g))
    def relu(x):
        return np.where(x > 0, x, 0.5 * x)

    net = gs.sequential(layers.dense(5), relu, layers.dense(3))
    step, (X, _) = begun(net)
    done, _ = step()
    (first, _, last), _, _ = net.init(np.random.default_rng(0), (6,))
    expected = relu(X @ first["W"] + first["b"]) @ last["W"] + last["b"]
    np.testing.assert_allclose(done.predictions, expected, rtol=1e-12)


def test_what_a_loss_keeps_of_the_predictions_stays():
    step, _ = begun()
    seen = []

    def loss(Y, T):
        seen.append(gs.stop_gradient(Y))
        return gs.softmax_cross_entropy(Y, T)

    returned = [step(loss=loss)[0].predictions for _ in range(3)]
    for a, b in zip(seen, returned, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_loss_that_fails_is_asked_once_and_says_why():
    step, _ = begun()
    asked = []

    def loss(Y, T):
        asked.append(1)
        raise LookupError("nothing here")

    with pytest.raises(LookupError, match="nothing here"):
        step(loss=loss)
    assert len(asked) == 1
    with pytest.raises(ValueError, match="expected a function that returns one number"):
        step(loss=lambda Y, T: gs.softmax_cross_entropy(Y, T, reduction="none"))


def test_what_is_no_mistake_is_not_tried_once_more(monkeypatch):
    """Such as the end of a time limit, which a signal raises wherever it comes: the tape would go on without it."""
    step, _ = begun(gs.sequential(layers.dense(5), layers.dense(3)))

    def forward(*args):
        raise TimeoutError("the time is up")

    monkeypatch.setattr(planned.Dense, "forward", forward)
    with pytest.raises(TimeoutError, match="the time is up"):
        step()


def test_what_is_computed_of_gradients_that_are_not_there_yet_is_no_matter():
    """Memory without values may hold anything, and its square may be infinite."""
    arguments, kind = ODD["computed first"][0], np.dtype(float)
    make = lambda params, state, training: Link(gs.dense, arguments(params), {})
    params, places = ({"a": np.full((4, 3), a), "c": np.ones(3)} for a in (1.0, 1e300))
    with pytest.raises(planned.NotPlanned):
        planned.part_for(planned.Spot(make, params, places, None, (2, 4), kind, True, False, planned.lender(kind)))


def test_a_bad_first_call_does_not_keep_the_next_ones_from_being_planned():
    net = gs.sequential(layers.dense(5), layers.batchnorm(), layers.dense(3))
    step, _ = begun(net)
    with pytest.raises(ValueError, match="got state None"):
        step(state=None)
    _, room = step()
    assert room.plans[0].parts


def test_statistics_of_another_kind_at_a_later_step_are_refused_or_begun_anew():
    net = gs.sequential(layers.dense(5), layers.batchnorm(), layers.dense(3))
    step, _ = begun(net)
    done, _ = step()
    with pytest.raises(ValueError, match=r"expected mean of shape \(5,\)"):
        step(state=[{}, {"mean": np.zeros(1), "var": np.ones(1)}, {}])
    with pytest.raises(ValueError, match="3 layers, but 3 parameters and 4 states"):
        step(state=[*done.state, {}])
    anew, _ = step(state=[{}, {"mean": None, "var": None}, {}])
    kept = anew.state[1]["mean"].copy()
    step()
    np.testing.assert_array_equal(anew.state[1]["mean"], kept)


def test_neither_the_room_nor_a_batch_is_kept_alive_by_a_plan():
    """Without waiting for the collector of cycles: a search makes many trainings."""
    step, (X, T) = begun()
    X = X.copy()
    _, room = step((X, T))
    assert room.plans[0].parts
    batch, place = weakref.ref(X), weakref.ref(room)
    gc.disable()
    try:
        del X, room, step
        assert batch() is None
        assert place() is None
    finally:
        gc.enable()


def test_a_room_with_a_plan_still_pickles():
    step, _ = begun()
    _, room = step()
    assert pickle.loads(pickle.dumps(room)).plans == []


def test_examples_in_the_documentation_hold():
    assert doctest.testmod(plan).failed == 0
