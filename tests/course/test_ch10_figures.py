"""Chapter 10's figures draw without a warning, and what they are drawn from is what it is called."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import gradschool as gs
from gradschool_course.ch10_optimizers import figures

SURFACES = (figures.VALLEY, figures.BEALE, figures.SADDLE)
NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamax", "nadam")


@pytest.fixture(autouse=True)
def drawn():
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_the_gradient_of_a_surface_is_that_of_its_value(surface):
    for point in np.random.default_rng(3).uniform(-1.5, 2.5, size=(5, 2)):
        slope = surface.slope({"x": point})["x"]
        np.testing.assert_allclose(gs.numerical_gradient(lambda x: float(surface.value(*x)), point), slope, rtol=1e-6)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_the_lowest_points_of_a_surface_are_flat_and_lower_than_their_surroundings(surface):
    rng = np.random.default_rng(5)
    for point in surface.lowest:
        assert np.abs(surface.gradient(*point)).max() < 1e-12
        around = np.array(point)[:, None] + 1e-2 * rng.normal(size=(2, 50))
        assert (surface.value(*around) > surface.value(*point)).all()


def test_a_walk_begins_at_the_start_and_takes_the_steps_one_after_the_other():
    path = figures.walk(gs.sgd, figures.VALLEY, {}, 4, lr=0.01)
    assert path.shape == (5, 2)
    np.testing.assert_allclose(path[:, 0], 4.0 * 0.99 ** np.arange(5))


def test_walks_are_drawn_on_landscapes():
    paths = {name: figures.walk(gs.sgd, figures.BEALE, {}, 7, lr=0.01) for name in ("sgd", "adam")}
    figures.race(figures.BEALE, paths, "Two of a kind")
    figures.panels(figures.SADDLE, paths, "The same path twice")
    figures.pushes(np.array([3.6, 0.8]), np.array([-1.1, -1.45]), 0.02, 0.9)


def test_curves_are_drawn():
    falling = 1 / np.arange(1, 40)
    figures.corrections(50)
    figures.momenta({"fast": falling, "slow": falling, "constant": falling})
    figures.stalls({"adagrad": falling, "rmsprop": falling}, {"adagrad": falling, "rmsprop": falling})
    figures.step_sizes({name: falling[:, None] * np.ones(3) for name in ("sgd", "adam")}, [0.1, 1.0, 10.0])
    figures.decays(np.logspace(-2, 2, 7), {"adam": np.linspace(0, 1, 7), "adamw": np.full(7, 0.4)})


def test_digits_are_drawn_even_where_runs_have_failed():
    losses = {name: np.array([2.0, 0.2, np.nan]) for name in NAMES}
    figures.rate_sweep(np.array([1e-3, 1e-2, 1e-1]), losses, few=["sgd", "momentum"], at=0.3)
    figures.tuned({name: [np.geomspace(2, 0.1, 6)] * 3 for name in NAMES}, {name: [0.9, 0.95, 0.97] for name in NAMES})
