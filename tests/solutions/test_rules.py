"""Property: every op, loss and composed function keeps the rules for types, batches and shapes that all share.

Whole numbers are promoted to float64, float32 stays float32; a batch of no samples works and teaches nothing, or is
refused with the reason; nothing given is changed; an array of a wrong shape is refused in words of the function's own.
"""

import re

import numpy as np
import pytest
from composed_cases import COMPOSED
from op_cases import CASES

import gradschool as gs
from gradschool.autodiff import OPS

FUNCTIONS = {name: (OPS[name].function, OPS[name].inputs, CASES[name]) for name in CASES} | COMPOSED
ALL = [pytest.param(name, i, id=f"{name}-{i}") for name, (_, _, cases) in FUNCTIONS.items() for i in range(len(cases))]
LOSSES = ["l1_loss", "l2_loss", "half_mse", "huber", "cross_entropy", "sparse_cross_entropy", "bce_with_logits"]
BATCHED = {  # which arguments have the batch axis, where it is not the first alone
    **dict.fromkeys([*LOSSES, "softmax_cross_entropy", "ctc_loss", "gan_discriminator_loss", "maxunpool"], (0, 1)),
    **dict.fromkeys(["attention", "contrastive_loss"], (0, 1, 2)),
    **dict.fromkeys(["rnn", "gru"], (0, 4)),
    **dict.fromkeys(["l1_penalty", "l2_penalty"], ()),
    "lstm": (0, 4, 5),
    "embed": (1,),
}
OPTIONS_BATCHED = ("mask", "target_mask", "padding_mask", "attention_mask")
NO_BATCH = {("dense", 2), ("odeint", 2)}  # cases of a single sample
NO_STATISTICS = "has no sample to take the statistics of; skip empty batches"  # in training
KEEP_TYPE = {"last_valid"}  # it picks entries, and computes nothing
SPEAK_AS = {  # who speaks for a function that is made of others
    "bidirectional": "rnn",
    "bidirectional lstm": "lstm",
    "bidirectional gru": "gru",
}
OF_ANY_SHAPE = {"odeint"}  # what does not fit into f is f's to say


def made(name, i):
    """The function with its options, how many arguments are differentiable, and the arguments."""
    function, inputs, cases = FUNCTIONS[name]
    args, options = cases[i](np.random.default_rng([7, i]))
    return (lambda *args: function(*args, **options)), inputs, args


def results(y):
    return y if isinstance(y, tuple) else (y,)


def is_float(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def pulled(f, args, inputs):
    """The values as a tuple, and the gradients for cotangents of ones."""
    y, pullback = gs.vjp(lambda *a: f(*a, *args[inputs:]), *args[:inputs])
    ones = tuple(np.ones(np.shape(r), np.result_type(r)) for r in results(y))
    return results(y), pullback(ones if isinstance(y, tuple) else ones[0])


def whole(name, a):
    """A like array of whole numbers; probabilities become zeros and ones."""
    return np.rint(a if name.endswith("cross_entropy") else 2 * a).astype(int) if is_float(a) else a


@pytest.mark.parametrize(("name", "i"), ALL)
def test_whole_numbers_are_promoted_to_float64(name, i):
    f, inputs, args = made(name, i)
    integers = [whole(name, a) if k < inputs else a for k, a in enumerate(args)]
    y = results(f(*integers))
    expected = results(f(*(a.astype(float) if k < inputs else a for k, a in enumerate(integers))))
    for found, r in zip(y, expected, strict=True):
        np.testing.assert_array_equal(found, r)
    assert {r.dtype for r in y} == {np.dtype(int if name in KEEP_TYPE else float)}
    for k in range(inputs):  # also one array among floats
        mixed = [a if j == k else b for j, (a, b) in enumerate(zip(integers, args, strict=True))]
        assert {r.dtype for r in results(f(*mixed))} == {np.dtype(int if name in KEEP_TYPE else float)}


@pytest.mark.parametrize(("name", "i"), ALL)
def test_whole_numbers_are_not_differentiated(name, i):
    f, inputs, args = made(name, i)
    integers = [whole(name, a) if k < inputs else a for k, a in enumerate(args)]
    with pytest.raises(TypeError, match=r"expected floats to differentiate, got int64 in .*; try \.astype\(float\)"):
        pulled(f, integers, inputs)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_float32_stays_float32_in_values_and_gradients(name, i):
    f, inputs, args = made(name, i)
    args = [a.astype(np.float32) if is_float(a) else a for a in args]
    y, gradients = pulled(f, args, inputs)
    assert {r.dtype for r in (*y, *gradients)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("name", "i"), [case for case in ALL if case.values not in NO_BATCH])
def test_a_batch_of_no_samples_has_no_values_and_no_gradient(name, i):
    function, inputs, cases = FUNCTIONS[name]
    args, options = cases[i](np.random.default_rng(0))
    batched = BATCHED.get(name, (0,))
    N = len(args[batched[0]]) if batched else None
    cut = lambda a: a[:0] if len(a) == N or name.startswith("gan") else a  # a state (H,) is for all samples
    args = [cut(a) if k in batched else a for k, a in enumerate(args)]
    options = {key: cut(v) if key in OPTIONS_BATCHED and np.ndim(v) else v for key, v in options.items()}
    f = lambda *a: function(*a, **options)
    if name == "batchnorm" and options.get("training"):
        with pytest.raises(ValueError, match=rf"batchnorm: .*{re.escape(str(args[0].shape))} {NO_STATISTICS}"):
            f(*args)
        return
    y, gradients = pulled(f, args, inputs)
    if name.endswith(("_loss", "entropy", "half_mse", "huber", "bce_with_logits")):
        assert all(np.size(r) == 0 or r == 0 for r in y)
    elif batched:
        assert 0 in y[0].shape
    if batched:
        passed = (3, 4) if name == "batchnorm" else ()  # statistics that are handed through
        assert all(np.all(d == 0) for k, d in enumerate(gradients) if k not in passed)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_nothing_that_is_given_is_changed_and_gradients_are_arrays_of_their_own(name, i):
    f, inputs, args = made(name, i)
    before = [np.copy(a) for a in args]
    _, gradients = pulled(f, args, inputs)
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)
    for d in gradients:
        assert not any(np.may_share_memory(d, a) for a in args if isinstance(a, np.ndarray))


def misshapen(a):
    """Arrays that have one axis too long, shrunk to one, too many, or too few."""
    for axis in range(a.ndim):
        yield np.concatenate([a, a.take([0], axis)], axis)
        yield a.take([0], axis)
    yield a[None]
    yield a[0]


@pytest.mark.parametrize(("name", "i"), [case for case in ALL if case.values[0] not in OF_ANY_SHAPE])
def test_a_shape_that_does_not_fit_is_refused_in_the_function_s_own_words(name, i):
    """Where another shape fits too, as that of another batch size does, its gradients fit as well."""
    f, inputs, args = made(name, i)
    names = "|".join({name.split()[0], SPEAK_AS.get(name, name)})
    for k, a in enumerate(args):
        for wrong in misshapen(a):
            given = [wrong if j == k else b for j, b in enumerate(args)]
            try:
                f(*given)
            except ValueError as error:
                said = str(error)
                assert re.match(rf"({names}): ", said), (k, wrong.shape, said)
                assert re.search(r"\(\d*,|\(\)|\d", said), said  # shapes, or the numbers that disagree
                assert "expected" in said or "; " in said, said  # and what to do about it
            else:
                _, gradients = pulled(f, given, inputs)
                assert [d.shape for d in gradients] == [b.shape for b in given[:inputs]]
