"""Property: the sum of two multiples is the same whether BLAS makes it in one pass or NumPy in three."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from gradschool.ops import blas
from gradschool.ops.blas import axpby


@pytest.fixture(params=["blas", "numpy"])
def either(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(blas, "found", lambda *names: None)
        blas.blas_axpby.cache_clear()
    yield request.param
    blas.blas_axpby.cache_clear()


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float16, 2e-3), (np.float32, 1e-6), (np.float64, 1e-15)])
@pytest.mark.parametrize("n", [0, 1, 7, 1000])
@pytest.mark.parametrize(("readonly", "room"), [(False, 1000), (True, 1000), (False, 3)])
def test_it_is_the_sum_of_both_multiples(either, dtype, rtol, n, readonly, room):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=n).astype(dtype), rng.normal(size=n).astype(dtype)
    a, b = np.array(0.3, dtype), np.array(-0.9, dtype)
    expected, size = a * x + b * y, np.abs(x) + np.abs(y)
    x.flags.writeable = not readonly
    axpby(a, x, b, y, np.empty(room, dtype))
    assert y.dtype == dtype
    assert np.all(np.abs(y - expected) <= rtol * size)


def test_it_works_on_parts_of_vectors_and_leaves_the_rest(either):
    x, y = np.arange(10.0), np.ones(10)
    axpby(np.array(2.0), x[3:6], np.array(10.0), y[4:7], np.empty(3))
    assert y.tolist() == [1, 1, 1, 1, 16, 18, 20, 1, 1, 1]


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_a_factor_of_zero_does_not_hide_what_is_no_number(either, a, b):
    x, y = np.array([np.nan, 1.0, 1.0]), np.array([1.0, np.nan, 1.0])
    axpby(np.array(a), x, np.array(b), y, np.empty(3))
    assert np.isnan(y).tolist() == [True, True, False]
    assert y[2] == a + b


def test_numpy_s_own_wheels_bring_the_one_pass_form():
    """Else the comparison above is one of NumPy with itself."""
    config = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    if config["name"] == "scipy-openblas":
        assert blas.blas_axpby(np.dtype("f")) is not None
        assert blas.blas_axpby(np.dtype("d")) is not None
    assert blas.blas_axpby(np.dtype("e")) is None


@pytest.mark.parametrize("kinds", [("f4", "f8"), ("f8", "f4"), (">f4", ">f4"), ("f4", ">f4")])
def test_numbers_of_two_types_or_in_another_order_of_bytes_are_what_numpy_makes_of_them(kinds):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=50).astype(kind) for kind in kinds)
    expected = 0.5 * x + 0.25 * y
    axpby(np.array(0.5), x, np.array(0.25), y, np.empty(8, kinds[1]))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6)


def test_vectors_with_gaps_are_taken_as_they_are_and_none_that_can_only_be_read_is_written():
    x, y, between = np.arange(10.0)[::2], np.ones(10)[::2], np.empty(5)
    x.flags.writeable = False
    axpby(np.array(1.0), x, np.array(1.0), y, between)
    assert y.tolist() == [1, 3, 5, 7, 9]
    y.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        axpby(np.array(1.0), x, np.array(1.0), y, between)
    whole = np.ones(5)
    whole.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        axpby(np.array(1.0), between, np.array(1.0), whole, np.empty(5))


@pytest.mark.parametrize(("core", "has"), [(b"SkylakeX", True), (b"Haswell", False), (None, False)])
def test_kernels_for_small_products_are_those_with_avx_512(monkeypatch, core, has):
    class Ask:
        def __call__(self):
            return core

    monkeypatch.setattr(blas, "found", lambda *names: Ask() if core else None)
    blas.small_kernels.cache_clear()
    try:
        assert blas.small_kernels() is has
    finally:
        blas.small_kernels.cache_clear()


def test_openblas_is_asked_by_the_name_of_its_kernels():
    """The names that threadpoolctl finds are those that are looked for."""
    cores = [library["architecture"] for library in threadpool_info() if library["internal_api"] == "openblas"]
    assert blas.small_kernels() == bool(blas.WITH_SMALL_KERNELS.intersection(cores))
