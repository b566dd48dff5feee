"""Every function that computes numbers is compared with something independent; what lacks it is named, with advice."""

import pytest
from oracle_tests import ORACLES, PLAIN, TESTS, parts_of, reached

import gradschool as gs
from gradschool import clipping, initializers, losses, metrics, ops, recurrent_initializers, regularization, schedules
from gradschool.autodiff import OPS
from gradschool.optimizers import STEPS

OF_MODULES = (clipping, initializers, losses, metrics, ops, recurrent_initializers, regularization, schedules)
HELPERS = {  # what these compute is part of what is compared
    "Plateau": "what reduce_on_plateau returns",
    "fans": "counts of which test_initializers.py has a table",
    "is_weight": "a yes or no",
    "truncated_normal": "drawn by the initializers that are compared",
}
NUMERIC = {name for module in OF_MODULES for name in module.__all__ if not name.endswith(("_forward", "_backward"))}
NUMERIC |= set(OPS) | set(STEPS) | {"lbfgs", "one_hot", "one_hot_decode"}


def test_every_function_has_an_oracle():
    missing = sorted(NUMERIC - set(ORACLES) - set(HELPERS))
    assert not missing, (
        f"{missing} are compared with nothing. 1. Find an independent source of the number: PyTorch, Keras, SciPy, a "
        "count of all cases, the formula of the paper. 2. Write a test in tests/oracles, over random shapes and "
        "options, of values and gradients to 1e-10 in float64. 3. Where no framework is needed, write it in this "
        "folder and name it in PLAIN of oracle_tests.py."
    )


def test_no_reason_is_given_for_what_is_not_there():
    assert set(HELPERS) <= NUMERIC
    assert not [name for name in HELPERS if hasattr(gs, name) and name in STEPS]


@pytest.mark.parametrize(("file", "test"), [(file, test) for file, tests in PLAIN.items() for test in tests])
def test_the_plain_oracles_are_there(file, test):
    parts = parts_of(TESTS / "solutions" / file)
    assert test in parts
    assert reached(parts, test) & NUMERIC


def test_a_test_counts_for_what_it_reaches_and_for_nothing_else(tmp_path):
    file = tmp_path / "test_reading.py"
    file.write_text(
        "TABLE = [gs.relu, 'adam']\n"
        "def helper(x):\n    return gs.selu(x)\n"
        "@pytest.mark.parametrize('f', TABLE)\ndef test_one(f):\n    helper(f)\n"
        "def test_other():\n    gs.tanh(1)\n"
    )
    parts = parts_of(file)
    assert reached(parts, "test_one") & NUMERIC == {"relu", "adam", "selu"}
    assert reached(parts, "test_other") & NUMERIC == {"tanh"}
