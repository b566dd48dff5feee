"""Trees keep their structure, match by key, and name the place where two of them differ."""

from typing import NamedTuple

import numpy as np
import pytest

import gradschool as gs
from gradschool.trees import check_structure


class Pair(NamedTuple):
    W: object
    b: object


TREE = {"layers": [{"W": np.ones((3, 4)), "b": None}, Pair(np.full(5, 2.0), (np.float32(3),))], 7: 4.0}


def test_paths_name_every_leaf_in_the_order_of_the_leaves():
    assert gs.tree_paths(TREE) == ["layers[0].W", "layers[1][0]", "layers[1][1][0]", "[7]"]
    assert [np.sum(leaf) for leaf in gs.tree_leaves(TREE)] == [12, 10, 3, 4]
    assert gs.tree_paths(3.0) == [""]


def test_map_keeps_containers_of_every_kind():
    doubled = gs.tree_map(lambda a: 2 * a, TREE)
    assert isinstance(doubled["layers"], list)
    assert isinstance(doubled["layers"][1], Pair)
    assert isinstance(doubled["layers"][1].b, tuple)
    assert doubled["layers"][0]["b"] is None
    assert [np.sum(leaf) for leaf in gs.tree_leaves(doubled)] == [24, 20, 6, 8]


def test_map_matches_by_key_and_not_by_order():
    assert gs.tree_map(lambda a, b: (a, b), {"x": 1, "y": 2}, {"y": 20, "x": 10}) == {"x": (1, 10), "y": (2, 20)}


def test_map_leaves_its_trees_as_they_were():
    tree = {"a": [np.ones(3)]}
    gs.tree_map(lambda a: a * 0, tree)
    assert tree["a"][0].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("tree", "other", "message"),
    [
        ({"a": 1.0, "b": [1.0]}, {"a": 1.0}, "at b: .* has a list, .* has nothing"),
        ({"a": 1.0}, {"a": 1.0, "c": {"d": 2.0}}, "at c: .* has nothing, .* has a dict"),
        ({"a": [1.0, {"W": 1.0}]}, {"a": [1.0, {"W": (1.0,)}]}, r"at a\[1\].W: .* has a leaf \(float\), .* a tuple"),
        ([1.0], (1.0,), "at the top: .* has a list, .* has a tuple"),
        ([1.0, 2.0], [1.0], r"at \[1\]: .* has a leaf \(float\), .* has nothing"),
        ({"b": None}, {"b": np.ones(3)}, r"at b: .* has None, .* has a leaf \(ndarray\)"),
    ],
)
def test_first_difference_is_named_by_its_path(tree, other, message):
    with pytest.raises(ValueError, match=message):
        gs.tree_map(lambda a, b: a, tree, other)


def test_names_of_the_trees_appear_in_the_message():
    with pytest.raises(ValueError, match="params has a list, grads has nothing"):
        check_structure({"b": [1.0]}, {}, ("params", "grads"))


def test_ravel_and_back_gives_the_same_leaves_with_shapes_and_dtypes():
    tree = {"W": np.arange(12.0).reshape(3, 4), "b": [np.float32([7, 8]), 9.0], "n": None}
    flat, unravel = gs.ravel(tree)
    assert flat.tolist() == [*range(12), 7, 8, 9]
    back = unravel(flat)
    np.testing.assert_array_equal(back["W"], tree["W"])
    assert back["b"][0].dtype == np.float32
    assert (back["b"][1], back["n"]) == (9.0, None)


def test_ravelled_vector_shares_no_memory_with_the_tree():
    tree = {"W": np.ones((3, 4))}
    flat, unravel = gs.ravel(tree)
    flat[:] = 5
    assert tree["W"].max() == 1
    assert not np.shares_memory(unravel(flat)["W"], flat)


def test_unravel_refuses_another_length_and_an_empty_tree_has_length_zero():
    flat, unravel = gs.ravel({"W": np.ones((3, 4))})
    with pytest.raises(ValueError, match=r"expected a vector of shape \(12,\), got \(11,\)"):
        unravel(flat[:-1])
    empty, back = gs.ravel({})
    assert (empty.shape, back(empty)) == ((0,), {})


def test_derivatives_pass_through_ravel_and_unravel():
    tree = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([[4.0]])}
    flat, unravel = gs.ravel(tree)
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    grads = gs.grad(lambda t: np.sum(gs.ravel(t)[0] ** 2 * weights))(tree)
    np.testing.assert_allclose(gs.ravel(grads)[0], 2 * flat * weights)
    np.testing.assert_allclose(gs.grad(lambda v: np.sum(unravel(v)["a"] ** 3))(flat), [3, 12, 27, 0])


@pytest.mark.parametrize("call", [gs.count_parameters, gs.clone, lambda tree: gs.init_state("sgd", tree)])
def test_what_is_no_tree_of_arrays_is_refused_where_parameters_are_expected(call):
    net = gs.layers.dense(3)
    for tree, came in ((net, "got Layer; .* net.init"), ([{"W": np.ones(2)}, {"f": print}], r"at \[1\]\.f; .*")):
        with pytest.raises(TypeError, match=rf"expected a tree of arrays, .*{came}"):
            call(tree)
    call([{"W": np.ones(2)}, None, (1.0, np.float32(2))])
