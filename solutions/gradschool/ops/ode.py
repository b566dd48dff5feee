"""An ODE as a layer: the input is where a state starts, the output where y' = f(t, y, params) has taken it.

    y = odeint(f, y0, (0.0, 1.0), params)               # the state at t = 1, of y0's shape
    Y = odeint(f, y0, np.linspace(0, 1, 11), params)    # (10, ...): at the times after the first
    grads = grad(lambda params: loss(odeint(f, y0, times, params, gradient="adjoint")))(params)

Gradients come through the solver's own steps ("direct"), or from a second ODE that runs back in time ("adjoint"),
which has to keep none of the steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..arrays import floats
from ..autodiff.derivatives import vjp
from ..autodiff.traced import primitive, top_tape
from ..trees import Tree, ravel
from .dopri5 import Tolerance, check_tolerances, steps_between


class Problem:
    """An ODE with its times and its solver's options; y0 and params as parts of one vector z."""

    def __init__(
        self, f: Callable[..., Any], y0: Any, times: list[float], params: Tree, solver: dict[str, Any]
    ) -> None:
        self.f, self.times, self.solver = f, times, solver
        self.shape, self.kind, self.n = y0.shape, y0.dtype, y0.size
        self.alone = params is None
        flat, self.unravel = ravel(params)
        self.z = np.concatenate([np.reshape(y0, -1), flat if flat.size else flat.astype(y0.dtype)])

    def slope(self, t: float, y: Any, params: Tree) -> Any:
        return self.f(t, y) if self.alone else self.f(t, y, params)

    def flat_slope(self, t: float, y: Any, theta: Any) -> Any:
        return np.reshape(self.slope(t, np.reshape(y, self.shape), self.unravel(theta)), -1)

    def steps(self, f: Callable[..., Any], y: Any, start: float, end: float, entries: slice = slice(None)) -> Any:
        tolerance = Tolerance(self.solver["rtol"], self.solver["atol"], entries)
        return steps_between(f, y, start, end, tolerance, self.solver["first_step"], self.solver["max_steps"])

    def states(self, y: Any, params: Tree) -> Iterator[Any]:
        """The state at each time but the first."""
        waiting = self.times[1:]
        for step in self.steps(lambda t, y: self.slope(t, y, params), y, self.times[0], self.times[-1]):
            while waiting and (step.last or abs(waiting[0] - step.t) <= abs(step.h)):
                yield step.at(waiting.pop(0))


@primitive(lambda g, Y, z, problem, seminorm: pulled_back(g, Y, z, problem, seminorm))
def solved(z: Any, problem: Problem, seminorm: bool) -> Any:
    """The states at all times but the first, without a trace of the steps that led there."""
    y0 = np.reshape(z[: problem.n], problem.shape).astype(problem.kind)
    Y = np.stack(list(problem.states(y0, problem.unravel(z[problem.n :]))))
    if top_tape([Y]) is not top_tape([z]):
        raise TypeError(
            "odeint: f uses something that is being differentiated and is not among its params; hand it over in "
            'params, as the adjoint gradient knows nothing else, or try gradient="direct".'
        )
    return Y


def pulled_back(g: Any, Y: Any, z: Any, problem: Problem, seminorm: bool) -> Any:
    """(dL/dy0, dL/dparams) as one vector, by the adjoint state a(t) = dL/dy(t) on its way back.

    a' = -a df/dy,   q' = -a df/dparams,   and at each time of an output a gains its g
    """
    n, theta = problem.n, z[problem.n :]

    def slope(t: float, s: Any) -> Any:
        y_slope, pullback = vjp(lambda y, theta: problem.flat_slope(t, y, theta), s[:n], theta)
        da, dq = pullback(s[n : 2 * n])
        return np.concatenate([y_slope, -da, -dq])

    a, q = np.zeros(n, z.dtype), np.zeros(theta.shape, z.dtype)
    for i in reversed(range(len(problem.times) - 1)):
        a = a + np.reshape(g[i], -1)
        s = np.concatenate([np.reshape(Y[i], -1), a, q])
        back = problem.times[i + 1], problem.times[i]
        *_, step = problem.steps(slope, s, *back, slice(2 * n if seminorm else None))
        a, q = step.new[n : 2 * n], step.new[2 * n :]
    return np.concatenate([a, q])


def odeint(
    f: Callable[..., Any],
    y0: Any,
    t: Any,
    params: Tree = None,
    rtol: float = 1e-3,
    atol: float = 1e-6,
    gradient: str = "direct",
    first_step: float | None = None,
    max_steps: int = 10_000,
) -> Any:
    """Solve y' = f(t, y, params), y(t[0]) = y0, with `dopri5`; differentiable in y0 and params.

        direct      dL/dy0 and dL/dparams through all the solver's steps, whose lengths count as given
        adjoint     a(t) = dL/dy(t):   a' = -a df/dy,   dL/dparams = integral of a df/dparams from t[0] to t[-1],
                    solved together with y from the end to the beginning

    Args:
        f: `f(t, y, params)` returns the slope, of y's shape; without params `f(t, y)`.
        y0: the state in the beginning, an array of any shape.
        t: two or more times, rising or falling.
        params: a tree of arrays.
        rtol, atol: a step's error may be atol + rtol |y|, in the root mean square over all entries.
        gradient: "direct"; "adjoint", for which f must take all that is differentiated from y and params; or
            "adjoint-seminorm", in which the error of dL/dparams does not count: larger steps, hardly less exact.
        first_step: an upper bound for the first try; None leaves it to the solver.
        max_steps: how many steps may be taken, on the way back for each interval.

    Returns:
        For two times the state at the second, of y0's shape; for more the states at t[1], t[2], ..., (len(t) - 1,
        *y0's shape), those between steps by interpolation of order 4.

    Raises:
        ValueError: times that neither rise nor fall, an f of another shape, tolerances below 0, an unknown
            `gradient`.
        TypeError: with an adjoint gradient, an f that uses something differentiated which is not in params.
        FloatingPointError, RuntimeError: see `dopri5`.

    Frameworks: outputs and defaults are those of MATLAB's `dlode45`. torchdiffeq and JAX return the state at t[0] too.
    Source: Chen et al., Neural Ordinary Differential Equations, 2018; Kidger et al. 2021 for the seminorm.

    >>> decay = lambda t, y, rate: -rate * y
    >>> times = np.array([0.0, 1.0, 2.0])
    >>> print(odeint(decay, np.array([1.0, 2.0]), times, np.array(0.5), rtol=1e-8).round(5).tolist())
    [[0.60653, 1.21306], [0.36788, 0.73576]]
    """
    if np.ndim(t) != 1:
        raise ValueError(f"odeint: expected two or more times, got {t!r:.40}; the first is where y0 holds: [0.0, 1.0].")
    times = [float(time) for time in t]
    signs = {np.sign(b - a) for a, b in itertools.pairwise(times)}
    if signs not in ({1.0}, {-1.0}):
        raise ValueError(f"odeint: expected two or more times that rise or fall, got {times}.")
    if gradient not in ("direct", "adjoint", "adjoint-seminorm"):
        raise ValueError(f'odeint: expected gradient "direct", "adjoint" or "adjoint-seminorm", got {gradient!r}.')
    check_tolerances("odeint", rtol, atol)
    y0 = floats(y0 if hasattr(y0, "dtype") else np.asarray(y0))
    solver = {"rtol": rtol, "atol": atol, "first_step": first_step, "max_steps": max_steps}
    problem = Problem(f, y0, times, params, solver)
    if gradient == "direct":
        Y = np.stack(list(problem.states(y0, params)))
    else:
        Y = solved(problem.z, problem, gradient == "adjoint-seminorm")
    return Y[0] if len(times) == 2 else Y
