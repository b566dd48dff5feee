"""Property: networks are estimators by scikit-learn's own checks, and every parameter does what it says."""

import doctest
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gradschool as gs
from gradschool import search
from gradschool.search import NetClassifier, NetRegressor

CHECKS = """
import json
from sklearn.utils.estimator_checks import check_estimator
from gradschool.search import NetClassifier, NetRegressor
nets = NetClassifier(units=10, lr=0.03, epochs=8), NetRegressor(units=10, lr=0.03, epochs=15)
found = [check for net in nets for check in check_estimator(net, on_fail=None, on_skip=None)]
print(json.dumps([(type(c["estimator"]).__name__, c["check_name"], c["status"], str(c["exception"])) for c in found]))
"""


def test_scikit_learns_own_checks_pass_and_none_is_skipped():
    """In a process of its own, since SciPy reads this switch when it is imported; pandas must be there, too."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHECKS], env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [check for check in found if check[2] != "passed"] == []
    assert {name for name, *_ in found} == {"NetClassifier", "NetRegressor"}
    assert len(found) > 80
    assert "check_sample_weight_equivalence_on_dense_data" in {check for _, check, *_ in found}


def classes(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 5)), rng.integers(0, 3, n)
    X[np.arange(n), y] += 3
    return X, np.array(["ant", "bee", "cow"])[y]


def numbers(n=120, responses=None):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 5))
    return X, X @ rng.normal(size=(5, responses) if responses else 5)


def quick(**options):
    return NetClassifier(**{"units": 8, "epochs": 5, "lr": 0.02, "random_state": 0} | options)


def shapes(net):
    return [leaf.shape for leaf in gs.tree_leaves(net.params_)]


SIZES = {
    "counted": ({"hidden": 2, "units": 7}, [(5, 7), (7,), (7, 7), (7,), (7, 3), (3,)]),
    "listed": ({"hidden": (7, 4)}, [(5, 7), (7,), (7, 4), (4,), (4, 3), (3,)]),
    "none": ({"hidden": np.int64(0)}, [(5, 3), (3,)]),
    "batch norm has a shift of its own": (
        {"hidden": 1, "units": 7, "batch_norm": True}, [(5, 7), (7,), (7,), (7, 3), (3,)]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), SIZES.values(), ids=SIZES)
def test_the_network_has_the_layers_that_were_asked_for(options, expected):
    assert shapes(quick(**options).fit(*classes())) == expected


def test_it_is_the_training_that_one_would_write():
    X, y = classes()
    net = quick(optimizer="momentum", schedule="one_cycle", batch_size=50).fit(X, y)
    assert net.history_.rates == [float(gs.schedules.one_cycle(0.02, 15)(k)) for k in range(15)]
    rng = np.random.default_rng(np.random.RandomState(0).randint(2**31))
    model = gs.mlp([8], 3, gs.relu)
    params, state, _ = model.init(rng, (5,))
    T = gs.one_hot(np.unique(y, return_inverse=True)[1], 3)
    history = gs.train(
        model, params, (X, T), gs.optimizer("momentum"), gs.softmax_cross_entropy, 5, rng=rng, state=state,
        lr=gs.schedules.one_cycle(0.02, 15), batch_size=50,
    )  # fmt: skip
    assert net.history_.losses == history.losses
    P = gs.softmax(gs.predict(model, history.params, X, history.state))
    np.testing.assert_array_equal(net.predict_proba(X), P)
    np.testing.assert_array_equal(net.predict(X), net.classes_[P.argmax(1)])


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "elu"}, {"activation": np.tanh}, {"init": "he"}, {"init": gs.lecun}, {"optimizer": "nadam"},
        {"optimizer": gs.optimizer("rmsprop", rho=0.5)}, {"lr": 0.03}, {"schedule": "cosine"}, {"batch_size": 7},
        {"schedule": lambda lr, steps: gs.schedules.power(lr, steps)}, {"weight_decay": 0.5}, {"dropout": 0.3},
        {"batch_norm": True}, {"random_state": 1}, {"units": 9}, {"hidden": 2}, {"epochs": 6}, {"early_stopping": 2},
    ],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_every_parameter_makes_a_difference_and_the_result_pickles(options):
    X, y = classes()
    plain, net = quick().fit(X, y), quick(**options).fit(X, y)
    assert net.history_.losses != plain.history_.losses
    if "schedule" not in options:  # a lambda cannot be pickled
        again = pickle.loads(pickle.dumps(net))
        np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert clone(net).get_params().keys() == plain.get_params().keys()


def test_early_stopping_holds_samples_out_and_keeps_the_best_epoch():
    X, y = classes()
    net = quick(early_stopping=3, epochs=200, lr=0.3, validation_fraction=0.25, batch_size=90).fit(X, y)
    assert net.history_.steps_per_epoch == 1  # 90 of 120 samples
    best = net.history_.best_epoch()
    assert net.history_.epochs_done == best + 3 < 200


def test_weights_are_decayed_and_biases_are_not():
    X, y = classes()
    still = {"optimizer": "sgd", "lr": 1e-12, "epochs": 1, "batch_size": 120}  # so that only the decay can be seen
    start, decayed = quick(**still).fit(X, y).params_, quick(**still, weight_decay=1e11).fit(X, y).params_
    np.testing.assert_allclose(decayed[0]["W"], 0.9 * start[0]["W"], rtol=1e-6)
    np.testing.assert_array_equal(decayed[0]["b"], start[0]["b"])


@pytest.mark.parametrize(("kind", "made"), [(NetClassifier, classes), (NetRegressor, numbers)])
def test_a_weight_is_how_often_a_sample_counts(kind, made):
    X, y = made(60)
    counts = np.random.default_rng(2).integers(0, 4, 60)
    net = kind(units=8, epochs=20, lr=0.02, batch_size=200, random_state=0)  # in one batch it is so exactly
    outputs = [
        clone(net).fit(X, y, sample_weight=counts * 2.5).outputs(X),
        clone(net).fit(X.repeat(counts, 0), y.repeat(counts)).outputs(X),
        clone(net).fit(X, y).outputs(X),
    ]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-9, atol=1e-10)
    assert np.abs(outputs[0] - outputs[2]).max() > 1e-3


def test_weights_count_in_what_is_held_out_too_and_wrong_ones_are_named():
    X, y = classes()
    w = np.where(y == "ant", 1.0, 2.0)
    still = {"optimizer": "sgd", "lr": 1e-12, "epochs": 1, "early_stopping": 1}  # so that only the losses differ
    weighted, even = quick(**still).fit(X, y, sample_weight=w), quick(**still).fit(X, y)
    assert weighted.history_.epochs["val_loss"] != pytest.approx(even.history_.epochs["val_loss"], rel=1e-3)
    for wrong, words in ((-w, "expected weights >= 0, not all zero, got -2 to -1"), (0 * w, "zero"), (w[1:], "shape")):
        with pytest.raises(ValueError, match=words):
            quick().fit(X, y, sample_weight=wrong)


def test_one_response_is_a_vector_and_several_are_columns():
    X, y = numbers()
    net = NetRegressor(hidden=0, lr=0.05, epochs=60, random_state=0).fit(X, y)
    assert net.predict(X).shape == (120,)
    assert net.score(X, y) > 0.999
    X, Y = numbers(responses=3)
    net = NetRegressor(hidden=0, lr=0.05, epochs=60, random_state=0).fit(X.astype(np.float32), Y)
    assert net.predict(X.astype(np.float32)).shape == (120, 3)
    assert net.predict(X.astype(np.float32)).dtype == np.float32
    assert net.score(X, Y) > 0.999


def test_a_random_search_in_a_pipeline_in_two_processes():
    X, y = numbers()
    net = make_pipeline(StandardScaler(), NetRegressor(epochs=3, random_state=0))
    space = {
        "netregressor__hidden": [0, 1, 2, 3], "netregressor__units": randint(1, 100),
        "netregressor__lr": loguniform(3e-4, 3e-2),
    }  # fmt: skip
    options = {"n_iter": 3, "cv": 2, "random_state": 0, "scoring": "neg_mean_squared_error"}
    alone = RandomizedSearchCV(net, space, **options).fit(100 * X, y)
    both = RandomizedSearchCV(net, space, n_jobs=2, **options).fit(100 * X, y)
    get_reusable_executor().shutdown(wait=True)  # or its processes would stay for minutes
    assert both.best_params_ == alone.best_params_
    np.testing.assert_allclose(both.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    assert 3e-4 <= both.best_params_["netregressor__lr"] <= 3e-2
    assert both.best_score_ == max(both.cv_results_["mean_test_score"])


def test_a_grid_search_finds_the_rate_that_learns():
    X, y = classes()
    found = GridSearchCV(quick(), {"lr": [1e-6, 0.02], "dropout": [0.0, 0.1]}, cv=3).fit(X, y)
    assert found.best_params_["lr"] == 0.02
    assert found.best_score_ > 0.8


def test_what_is_not_known_is_named():
    X, y = classes()
    for options, words in (
        ({"activation": "rellu"}, "activation: expected one of .*, or a function, got 'rellu'"),
        ({"schedule": "sinus"}, "schedule: expected one of"),
        ({"init": 3}, "init: expected one of .* got 3"),
        ({"optimizer": "adm"}, "no optimizer 'adm'. Did you mean 'adam'"),
        ({"hidden": -1}, "NetClassifier: expected hidden >= 0, got -1"),
        ({"lr": -0.1}, "NetClassifier: expected lr >= 0, got -0.1"),
        ({"lr": "fast"}, "expected lr >= 0, got 'fast'"),
        ({"weight_decay": -1}, "expected weight_decay >= 0, got -1"),
        ({"batch_size": 0}, "expected batch_size >= 1, got 0"),
        ({"epochs": 0}, "expected epochs >= 1, got 0"),
    ):
        with pytest.raises(ValueError, match=words):
            quick(**options).fit(X, y)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(search).failed == 0
