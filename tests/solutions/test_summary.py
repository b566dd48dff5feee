"""Property: a summary counts every number that a network learns or keeps, and names the shape behind each layer."""

import doctest
import sys

import gradschool as gs
from gradschool.layers import batchnorm, conv, dense, flatten, lstm, maxpool, residual, sequential


def test_counts_are_those_of_keras_for_the_nets_of_gerons_book():
    plain = gs.summary(sequential(flatten(), dense(300), gs.relu, dense(100), gs.relu, dense(10)), (28, 28))
    assert (plain.learned, plain.kept) == (266_610, 0)
    layers = (flatten(), batchnorm(), dense(300), batchnorm(), gs.elu, dense(100), batchnorm(), gs.elu, dense(10))
    normed = gs.summary(sequential(*layers), (28, 28))
    assert (normed.learned + normed.kept, normed.kept) == (271_346, 2_368)  # Keras calls them total and non-trainable


def test_shapes_are_those_behind_each_layer_and_parts_count_as_one():
    block = residual(conv(6, 3, padding="same"), batchnorm(), shortcut=conv(6, 1))
    found = gs.summary(sequential(block, maxpool(2), flatten()), (8, 8, 2))
    assert [row.shape for row in found.rows] == [(8, 8, 6), (4, 4, 6), (96,)]
    assert found.rows[0].name == "residual of 2 layers"
    assert (found.rows[0].learned, found.rows[0].kept) == (9 * 2 * 6 + 6 + 12 + 2 * 6 + 6, 12)


def test_a_single_layer_is_a_row():
    (row,) = gs.summary(lstm(5, every=True), ((7, 3), ())).rows
    assert (row.name, row.shape, row.learned) == ("lstm(5)", ((7, 5), ()), 4 * 5 * (3 + 5 + 1))


def test_the_example_in_the_docstring_holds():
    failed, tried = doctest.testmod(sys.modules["gradschool.summary"])
    assert (failed, tried > 0) == (0, True)
