"""Property: labels move with their axes; no number changes place within them, and no label gets lost unsaid."""

import doctest
import itertools
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import labels
from gradschool.labels import dims, finddim, labelled, stripdims, to_format
from gradschool_grader.standalone import standalone


def numbered(*shape):
    return np.arange(np.prod(shape), dtype=float).reshape(shape)


def by_hand(X, src, dst):
    """The definition for labels that occur once: each entry goes where its labels say."""
    sizes = dict(zip(src, X.shape, strict=True))
    Y = np.empty([sizes.get(label, 1) for label in dst])
    for place in np.ndindex(*X.shape):
        where = dict(zip(src, place, strict=True))
        Y[tuple(where.get(label, 0) for label in dst)] = X[place]
    return Y


@pytest.mark.parametrize("dst", ["".join(order) for order in itertools.permutations("SCB")])
@pytest.mark.parametrize("extra", ["", "T"])
def test_every_order_is_a_permutation_and_new_labels_are_axes_of_one(dst, extra):
    X = numbered(3, 4, 5)
    for place in range(4):
        names = dst[:place] + extra + dst[place:]
        np.testing.assert_array_equal(to_format(X, "BSC", names), by_hand(X, "BSC", names))


def test_repeated_labels_keep_their_order():
    X = numbered(2, 3, 4, 5)
    np.testing.assert_array_equal(to_format(X, "BSSC", "SCSB"), X.transpose(1, 3, 2, 0))
    np.testing.assert_array_equal(to_format(X, "USUB", "BUSU"), X.transpose(3, 0, 1, 2))
    assert to_format(X, "BSSC", "SSSCB").shape == (3, 4, 1, 5, 2)
    assert to_format(numbered(3, 4), "SU", "USU").shape == (4, 3, 1)


def test_what_is_not_named_is_merged_into_u_in_the_order_of_the_source():
    X = numbered(2, 3, 4, 5)
    np.testing.assert_array_equal(to_format(X, "BSSC", "BU"), X.reshape(2, 60))
    np.testing.assert_array_equal(to_format(X, "BSSC", "UB"), X.reshape(2, 60).T)
    np.testing.assert_array_equal(to_format(X, "SBSC", "BU"), X.transpose(1, 0, 2, 3).reshape(3, 40))
    np.testing.assert_array_equal(to_format(X, "USBC", "CBU"), X.transpose(3, 2, 0, 1).reshape(5, 4, 6))
    np.testing.assert_array_equal(to_format(X, "BSSC", "BSU"), X.reshape(2, 3, 20))  # the second S has no place
    np.testing.assert_array_equal(to_format(X, "UUBU", "BU"), X.transpose(2, 0, 1, 3).reshape(4, 30))
    np.testing.assert_array_equal(to_format(X, "BSSC", "U"), X.ravel())


def test_the_result_is_a_copy_and_keeps_the_type():
    X = np.ones((3, 4), np.float32)
    Y = to_format(X, "BC", "BC")
    Y[:] = 5
    assert (X.sum(), Y.dtype) == (12, np.float32)
    assert to_format([[1, 2, 3]], "BC", "CB").tolist() == [[1], [2], [3]]
    assert to_format(np.zeros((0, 3)), "BC", "CBT").shape == (3, 0, 1)
    assert to_format(7.0, "", "BU").shape == (1, 1)


@pytest.mark.parametrize(
    ("src", "dst", "message"),
    [
        ("BX", "XB", "'X' in 'BX' is unknown; expected S, C, B, T or U"),
        ("bc", "cb", "'b' in 'bc' is unknown"),
        ("BB", "BU", "B occurs 2 times in 'BB'; only S and U may"),
        ("BC", "CC", "C occurs 2 times in 'CC'"),
        ("BCT", "TCB", "'BCT' names 3 axes, but the array has 2"),
        ("BC", "B", "'B' has no room for C of 'BC'; name all axes, or give one U"),
        ("SS", "SB", "'SB' has no room for S of 'SS'"),
        ("BC", "BUU", "'BUU' has no room for C"),
        ("UU", "B", "'B' has no room for U"),
    ],
)
def test_labels_that_cannot_be_are_refused(src, dst, message):
    with pytest.raises(ValueError, match=message):
        to_format(numbered(3, 4), src, dst)


def test_labelled_arrays_are_in_the_order_scbtu_and_cannot_be_changed():
    X = numbered(2, 3, 4, 5)
    L = labelled(X, "TSBS")
    assert (dims(L), L.array.shape) == ("SSBT", (3, 5, 4, 2))
    np.testing.assert_array_equal(L.array, X.transpose(1, 3, 2, 0))
    with pytest.raises(ValueError, match="read-only"):
        L.array[0] = 1
    with pytest.raises(AttributeError):
        L.labels = "CBT"
    X[:] = 0
    assert L.array.sum() > 0
    assert [finddim(L, label) for label in "SCBTU"] == [(0, 1), (), (2,), (3,), ()]
    with pytest.raises(ValueError, match="'X' in 'X' is unknown"):
        finddim(L, "X")
    again = pickle.loads(pickle.dumps(L))
    assert (again.labels, again.array.tolist()) == (L.labels, L.array.tolist())
    assert repr(labelled([1.0], "B")) == "Labelled(array([1.]), 'B')"


def test_from_labels_to_an_op_and_back():
    rng = np.random.default_rng(0)
    images, W = rng.normal(size=(2, 6, 7, 3)), rng.normal(size=(3, 3, 3, 4))
    X = labelled(images, "BSSC")
    np.testing.assert_array_equal(stripdims(X, "BSSC"), images)
    Y = labelled(gs.conv(stripdims(X, "BSSC"), W), "BSSC")
    assert (dims(Y), Y.array.shape) == ("SSCB", (4, 5, 4, 2))
    plain = stripdims(Y)
    plain[:] = 0
    assert Y.array.any()


def test_numpy_gets_no_numbers_of_labelled_arrays_whose_axes_it_does_not_know():
    X = labelled(np.ones((5, 3)), "BC")
    for call in (np.mean, np.argmax, gs.one_hot_decode, lambda X: np.ones(5) + X):
        with pytest.raises(TypeError, match=r"an order of their own, here CB; try stripdims\(X, 'CB'\)"):
            call(X)


def test_plain_arrays_have_no_labels():
    X = np.ones((3, 4))
    assert (dims(X), finddim(X, "B")) == ("", ())
    assert stripdims(X) is not X
    np.testing.assert_array_equal(stripdims(X), X)
    with pytest.raises(ValueError, match=r"use to_format\(X, labels, 'CB'\)"):
        stripdims(X, "CB")


def test_what_students_see_of_it_runs_with_numpy_alone():
    namespace = {"np": np}
    exec(standalone(to_format), namespace)
    X = numbered(2, 3, 4, 5)
    np.testing.assert_array_equal(namespace["to_format"](X, "USBC", "CBU"), to_format(X, "USBC", "CBU"))
    with pytest.raises(ValueError, match="C occurs 2 times"):
        namespace["to_format"](X, "CCBS", "BSC")


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(labels).failed == 0
