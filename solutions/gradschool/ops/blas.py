"""What NumPy's own BLAS can do and NumPy does not offer: a x + b y in one pass over memory, where NumPy takes three.

    axpby(a, x, b, y, between)                          # y = a x + b y

OpenBLAS, which NumPy's wheels bring, is found by its names in the library that NumPy has loaded. With another BLAS, and
for what it has no function for, NumPy does the same.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from ctypes import addressof, c_char
from typing import Any

import numpy as np

WITH_SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # OpenBLAS's names for kernels with AVX-512
MAKERS, BITS = ("scipy_", ""), ("64_", "")  # how NumPy's own build of OpenBLAS marks its names, and how others do
REAL = {"f": ctypes.c_float, "d": ctypes.c_double}  # by NumPy's letters for their types
LETTERS = {"f": "s", "d": "d"}  # and BLAS's


def axpby(a: np.ndarray, x: np.ndarray, b: np.ndarray, y: np.ndarray, between: np.ndarray) -> None:
    """y ← a x + b y, where a and b are arrays without axes, x and y vectors of one size. `between` is memory for at
    least one number, by which NumPy goes if BLAS cannot be asked."""
    call = blas_axpby(y.dtype)
    if call is not None and plain(x, y) and a and b:  # BLAS does not look at what has the factor 0: a nan would be lost
        call(y.size, float(a), address(x), 1, float(b), address(y), 1)
        return
    for start in range(0, y.size, between.size or 1):
        now = slice(start, start + between.size)
        part = np.multiply(x[now], a, out=between[: y[now].size])
        y[now] *= b
        y[now] += part


def plain(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether both are numbers of one type that lie in order, and y may be written to: BLAS does not ask."""
    return x.dtype == y.dtype and x.flags.c_contiguous and y.flags.carray and x.size == y.size > 0


def address(x: np.ndarray) -> int:
    if not x.flags.writeable:
        return x.ctypes.data  # takes three times as long
    return addressof(c_char.from_buffer(x))  # type: ignore[arg-type]  # NumPy declares no buffer before Python 3.12


@functools.cache
def blas_axpby(dtype: np.dtype) -> Callable[..., None] | None:
    """OpenBLAS's function for float32 or float64; None for other types, and where there is none."""
    kind = dtype.char if dtype.isnative else ""
    call = found(*(f"{maker}cblas_{LETTERS[kind]}axpby{bits}" for bits in BITS for maker in MAKERS if kind in REAL))
    if call is not None:
        # a size is passed in a place of 64 bits, and a library that wants 32 looks at the lower ones
        vector = ctypes.c_void_p, ctypes.c_int64
        call.argtypes, call.restype = (ctypes.c_int64, REAL[kind], *vector, REAL[kind], *vector), None
    return call


@functools.cache
def library() -> Any:
    """The library that NumPy's core is, by which those that it is linked with are found, too; None if it is no file."""
    core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get("numpy.core._multiarray_umath")
    try:
        return ctypes.CDLL(getattr(core, "__file__", None) or "")
    except OSError:
        return None


def found(*names: str) -> Any:
    """The first of these functions that there is, or None"""
    return next((getattr(library(), name) for name in names if hasattr(library(), name)), None)


def named(function: str) -> list[str]:
    """What OpenBLAS's own function can be called"""
    return [f"{maker}openblas_{function}{bits}" for maker in MAKERS for bits in BITS]


@functools.cache
def small_kernels() -> bool:
    """Whether BLAS is an OpenBLAS that multiplies small matrices as they lie in memory. It does with AVX-512; elsewhere
    it first arranges them in memory of its own, like large ones, and parts of a large one would be arranged anew."""
    ask = found(*named("get_corename"))
    if ask is None:
        return False
    ask.restype = ctypes.c_char_p
    return (ask() or b"").decode() in WITH_SMALL_KERNELS
