"""Property: a signal runs through a thousand layers of selu with the recorded means and deviations, digit for digit."""

import math

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import gradschool as gs

# Layer: mean and deviation of a unit over 500 samples, the mean over 100 units. Source: Géron's notebook of chapter 11,
# cell 39. Two digits are what a thousand layers leave: the last bit of a product or an exponential, which differs from
# processor to processor, moves the last two figures by 3e-4.
RECORDED = {
    0: "-0.00 1.00",
    100: "0.02 0.96",
    200: "0.01 0.90",
    300: "-0.02 0.92",
    400: "0.05 0.89",
    500: "0.01 0.93",
    600: "0.02 0.92",
    700: "-0.02 0.90",
    800: "0.05 0.83",
    900: "0.02 1.00",
}


def test_a_thousand_layers_have_the_recorded_means_and_deviations():
    draws = np.random.RandomState(42)  # the recorded figures were drawn from this generator
    Z, found = draws.normal(size=(500, 100)), {}
    with threadpool_limits(1):  # products as small as these wait for threads longer than they take
        for layer in range(1000):
            Z = gs.selu(Z @ draws.normal(size=(100, 100), scale=np.sqrt(1 / 100)))
            if layer % 100 == 0:
                found[layer] = f"{Z.mean(axis=0).mean():.2f} {Z.std(axis=0).mean():.2f}"
    assert found == RECORDED


@pytest.mark.parametrize("name", ["elu", "selu"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_small_numbers_keep_all_their_digits(name, dtype):
    """exp(x) - 1 would lose as many as x has zeros: all of them from 1e-16, or 1e-7 in float32."""
    x = -np.logspace(-30, 2, 129).astype(dtype)
    scale, alpha = (1.0507009873554805, 1.6732632423543772) if name == "selu" else (1.0, 1.0)
    expected = [scale * alpha * math.expm1(float(a)) for a in x]
    np.testing.assert_allclose(getattr(gs, name)(x), expected, rtol=4 * np.finfo(dtype).eps)
