"""Dormand and Prince's method: steps of order 5 through an ODE y' = f(t, y), as long as an estimate of order 4 allows.

    solution = dopri5(f, y0, (0.0, 10.0))               # y0 of any shape; (10, 0) would go back in time
    solution.t, solution.y                              # where it stepped, and the states there
    solution(3.7)                                       # the state at any time between

A step takes seven slopes. The seventh is that of the new state, and so is the next step's first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import floats
from ..autodiff.traced import constant, primitive
from ..ranges import check_range

# Dormand and Prince 1980: slope i is taken at t + C[i] h, y + h sum_j A[i][j] k_j; the last row leads to the new state
C = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
B = (*A[6], 0)  # the weights of order 5; ERROR is them minus those of order 4
ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
# Shampine 1986, in the form of Hairer, Norsett and Wanner: what makes the states between of order 4
DENSE = (
    -12715105075 / 11282082432, 0, 87487479700 / 32700410799, -10690763975 / 1880347072,
    701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423,
)  # fmt: skip

SAFETY, SLOWEST, FASTEST = 0.9, 0.2, 10.0  # how the next step may differ from this one


@primitive(each=lambda i, g, y, *arrays, weights: g * weights[i])
def combination(*arrays: Any, weights: tuple[float, ...]) -> Any:
    """sum_i weights_i arrays_i, as one step on the tape"""
    total = arrays[0] * weights[0]
    for a, w in zip(arrays[1:], weights[1:], strict=True):
        total = total + a * w
    return total


def moved(y: Any, h: float, weights: tuple[float, ...], slopes: list[Any]) -> Any:
    """y + h sum_i weights_i k_i"""
    used = [(h * w, k) for w, k in zip(weights, slopes, strict=True) if w]
    return combination(y, *(k for _, k in used), weights=(1.0, *(w for w, _ in used)))


class Step(NamedTuple):
    """An accepted step from (t, y) to (t + h, new), with its seven slopes."""

    t: float
    h: float
    y: Any
    new: Any
    slopes: list[Any]
    last: bool

    def at(self, t: float) -> Any:
        """The state at a time within the step, by the polynomial of degree 4 through it."""
        x = (t - self.t) / self.h
        if x == 1:
            return self.new
        ends = [(1.0, 0.0), *[(0.0, 0.0)] * 5, (0.0, 1.0)]
        weights = tuple(
            x * b + x * (1 - x) * (first - b + x * (2 * b - first - last + (1 - x) * d))
            for b, d, (first, last) in zip(B, DENSE, ends, strict=True)
        )
        return moved(self.y, self.h, weights, self.slopes)


class Tolerance(NamedTuple):
    """`tolerance(error, *states)` is the size of an error: above 1 it is too large.

    Each entry is allowed atol + rtol |y|, and what counts is the root mean square, whatever the number of entries.
    """

    rtol: float
    atol: float
    entries: slice = slice(None)

    def __call__(self, error: Any, *states: Any) -> float:
        flat = [np.ravel(constant(a))[self.entries] for a in (error, *states)]
        allowed = self.atol + self.rtol * np.max(np.abs(flat[1:]), axis=0)
        return float(np.sqrt(np.mean((flat[0] / allowed) ** 2))) if flat[0].size else 0.0


def check_tolerances(solver: str, rtol: float, atol: float) -> None:
    check_range(solver, "rtol", rtol)
    check_range(solver, "atol", atol)
    if rtol == atol == 0:
        raise ValueError(f"{solver}: expected rtol or atol > 0, got 0 for both; no step has no error at all.")


def checked(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, made sure to return what can be added to y, and in y's type: np.cos(t) is a float64 whatever y is."""

    def slope(t: float, y: Any) -> Any:
        k = f(t, y)
        if not hasattr(k, "dtype"):
            raise TypeError(
                f"dopri5: expected f(t, y), the time first, to return an array, got a {type(k).__name__}; try np.stack."
            )
        if k.shape != y.shape:
            raise ValueError(f"dopri5: expected f to return a slope of y's shape {y.shape}, got {k.shape}.")
        return k.astype(y.dtype, copy=False)

    return slope


def first_try(f: Callable[..., Any], t: float, end: float, y: Any, slope: Any, tolerance: Tolerance) -> float:
    """A length over which the state changes little, and the slope too (Hairer, Norsett and Wanner, II.4)."""
    far, sign = abs(end - t), 1.0 if end > t else -1.0
    of_y, of_slope = tolerance(y, y), tolerance(slope, y)
    h = min(1e-6 if min(of_y, of_slope) < 1e-5 else 0.01 * of_y / of_slope, far)
    ahead = f(t + sign * h, moved(constant(y), sign * h, (1.0,), [constant(slope)]))
    of_bend = tolerance(constant(ahead) - constant(slope), y) / h
    steepest = max(of_slope, of_bend)
    best = max(1e-6, h * 1e-3) if steepest <= 1e-15 else (0.01 / steepest) ** 0.2
    return min(100 * h, best, far)


def steps_between(
    f: Callable[..., Any],
    y: Any,
    t: float,
    end: float,
    tolerance: Tolerance,
    first_step: float | None = None,
    max_steps: int = 10_000,
) -> Iterator[Step]:
    """The accepted steps from t to end, one after the other."""
    f = checked(f)
    sign, slope = 1.0 if end > t else -1.0, f(t, y)
    length = min(first_step or np.inf, first_try(f, t, end, y, slope, tolerance))
    for _ in range(max_steps):
        step, length = accepted(f, t, y, slope, end, sign, length, tolerance)
        yield step
        t, y, slope = step.t + step.h, step.new, step.slopes[6]
        if step.last:
            return
    raise RuntimeError(
        f"dopri5: {max_steps} steps led from the start to t = {t:g} only, not to {end:g}; try a larger rtol or atol, "
        "a larger max_steps, or another f: this one may be stiff."
    )


def accepted(
    f: Callable[..., Any], t: float, y: Any, slope: Any, end: float, sign: float, length: float, tolerance: Tolerance
) -> tuple[Step, float]:
    """The first step that is within the tolerance, shorter and shorter ones being tried; and how long to try next."""
    shortest, slowed = 10 * abs(float(np.nextafter(t, sign * np.inf)) - t), False
    length = max(length, shortest)
    while length >= shortest:
        last = length >= abs(end - t)
        h = end - t if last else sign * length
        slopes = [slope]
        for c, row in zip(C[1:6], A[1:6], strict=True):
            slopes.append(f(t + c * h, moved(y, h, row, slopes)))
        new = moved(y, h, A[6], slopes)
        slopes.append(f(t + h, new))
        plain = [constant(k) for k in slopes]
        error = tolerance(moved(np.zeros_like(plain[0]), h, ERROR, plain), y, new)
        growth = SAFETY * max(error, 1e-10) ** -0.2  # the error of a step grows with the fifth power of its length
        if error < 1:
            return Step(t, h, y, new, slopes, last), abs(h) * min(growth, 1.0 if slowed else FASTEST)
        length, slowed = abs(h) * max(growth, SLOWEST), True  # nan counts as too large
    raise FloatingPointError(
        f"dopri5: at t = {t:g} no step is small enough; f may have a pole there or return nan, or the tolerances ask "
        f"for more digits than {constant(y).dtype} has."
    )


# --------------------------------------------------------------------------------------------------------- the solution
class Solution:
    """What `dopri5` found: `t` (n + 1,) and `y` (n + 1, ...) after each step, and `solution(t)` between them."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.t = np.array([steps[0].t, *(step.t + step.h for step in steps)])
        self.y = np.stack([steps[0].y, *(step.new for step in steps)])

    def __call__(self, t: float) -> Any:
        """The state at time t.

        Raises:
            ValueError: t lies outside of what was solved.
        """
        sign = np.sign(self.t[-1] - self.t[0])
        if not 0 <= sign * (t - self.t[0]) <= abs(self.t[-1] - self.t[0]):
            raise ValueError(f"dopri5: solved from {self.t[0]:g} to {self.t[-1]:g}, asked for t = {t:g}.")
        i = int(np.searchsorted(sign * self.t[1:-1], sign * t))
        return self.steps[i].at(float(t))


def dopri5(
    f: Callable[..., Any],
    y0: Any,
    t_span: tuple[float, float],
    rtol: float = 1e-3,
    atol: float = 1e-6,
    first_step: float | None = None,
    max_steps: int = 10_000,
) -> Solution:
    """Solve y' = f(t, y), y(t_span[0]) = y0, by Dormand and Prince's Runge-Kutta method of order 5(4).

        k_i = f(t + c_i h, y + h sum_j a_ij k_j)        y(t + h) = y + h sum_i b_i k_i
        error = h sum_i (b_i - b*_i) k_i                next h = 0.9 h (size of the error)^(-1/5)

    Args:
        f: `f(t, y)` returns the slope, of y's shape.
        y0: the state in the beginning, an array of any shape.
        t_span: (from, to), in either direction.
        rtol, atol: a step's error may be atol + rtol |y|, in the root mean square over all entries.
        first_step: an upper bound for the first try; None leaves it to the solver.
        max_steps: how many steps may be taken.

    Returns:
        A `Solution`: `t` and `y` after each step, and `solution(t)`, of order 4, for any time between. It can be
        differentiated: the length of the steps then counts as given.

    Raises:
        ValueError: an f of another shape, or a t_span of no length.
        FloatingPointError: a step would be too small to be one, as before a pole.
        RuntimeError: more than `max_steps` steps.

    Frameworks: the steps are those of SciPy's `solve_ivp(method="RK45")`. MATLAB's `dlode45` has the same pair.
    Source: Dormand and Prince 1980; Shampine 1986 for the states between.

    >>> solution = dopri5(lambda t, y: -y, np.array([1.0, 2.0]), (0.0, 1.0), rtol=1e-8, atol=1e-8)
    >>> print(solution.y[-1].round(7), solution(0.5).round(7), np.exp(-0.5).round(7))
    [0.3678794 0.7357589] [0.6065307 1.2130613] 0.6065307
    """
    start, end = float(t_span[0]), float(t_span[1])
    if not np.isfinite(end - start) or start == end:
        raise ValueError(f"dopri5: expected two different times, got {start:g} and {end:g}.")
    y0 = y0 if hasattr(y0, "dtype") else np.asarray(y0)
    check_tolerances("dopri5", rtol, atol)
    return Solution(list(steps_between(f, floats(y0), start, end, Tolerance(rtol, atol), first_step, max_steps)))
