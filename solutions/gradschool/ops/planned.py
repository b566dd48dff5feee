"""The ops of the most used networks once more, laid out for one shape: where each result goes is settled beforehand, as
is the way to ask BLAS for it. A training step repeats the same few hundred small operations, and making their memory,
looking up their options and checking their shapes takes nearly as long again.

    part = part_for(Spot(make, params, grads, state, (32, 100), np.float32, False, True, lender(np.float32)))
    y = part.forward(x, state)               # in memory that the part keeps; `part.after` is the new state, if any
    dx = part.backward(g)                    # the gradients of its parameters are in `grads` now

The numbers are those of the ops. Ops that are not in `PLANNED` are called as they are, by `Unplanned`. Memory is used
again: a part may write over the x that it was given if that is `owned`, which is to say made by the part before for
this one alone; and over its y once `backward` is called, for all that follows has made use of it by then, and g may
lie there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autodiff import OPS, Link
from ..autodiff.ops import Op, gradients_by
from ..trees import tree_leaves
from .batchnorm import averaged, batchnorm, side_by_side
from .elementwise import elu, relu
from .linear import copied, dense, sooner_turned, turned_in_parts
from .place import FEW, SMALL, aligned, inner_parts, number, ones, product, row_parts, rows_product, shared_out
from .threads import quick_if_small

__all__ = ["Spot", "part_for"]

Shape = tuple[int, ...]
Product = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]  # product(a, b, out)
Lend = Callable[[str, Shape], np.ndarray]
dot: Product = np.ndarray.dot


class Spot(NamedTuple):
    """What is known of a link before it is first passed.

    make    the link, by parameters and state: `make(params, state, training)`; of `grads`, the places of gradients
    shape   of x; the batch is its first axis
    first   nothing before this link wants a gradient
    owned   x may be written over
    lend    memory that all parts of a plan share, from `lender`
    """

    make: Callable[[Any, Any, bool], Link]
    params: Any
    grads: Any
    state: Any
    shape: Shape
    dtype: Any
    first: bool
    owned: bool
    lend: Lend


def lender(dtype: Any) -> Lend:
    """`lend(use, shape)`: memory for what is needed no more a line later, one of each use and shape, since that stays
    in the cache; of "zeros", to be read only."""

    @functools.cache
    def lend(use: str, shape: Shape) -> np.ndarray:
        return np.zeros(shape, dtype) if use == "zeros" else aligned(shape, dtype)

    return lend


class Part:
    """What all have: whether what follows may write over y, and the state after the last forward, of what keeps one."""

    owned: bool = True
    after: Any = None


# -------------------------------------------------------------------------------------------------------- dense layer
class Dense(Part):
    """Y = X W + b;   dW = X^T g,  db = sum g,  dX = g W^T, which goes where X was"""

    def __init__(self, spot: Spot, link: Link, places: Link):
        (self.W, *b), (self.dW, *db) = link.arguments, places.arguments
        self.b, self.db = (b[0], db[0]) if b else (None, None)
        N, (K, M) = spot.shape[0], self.W.shape
        self.y, self.ones = aligned((N, M), spot.dtype), ones(N, spot.dtype)
        self.dx = None if spot.first or spot.owned else aligned(spot.shape, spot.dtype)
        self.x: Any = None
        self.times_W, self.to_dW = way_to_Y(N, K, M, spot.lend), some_rows_at_a_time(K, N, M)
        self.to_dX = None if spot.first else way_to_dX(N, K, M, spot.lend)

    def forward(self, x: np.ndarray, state: Any) -> np.ndarray:
        self.x = x
        self.times_W(x, self.W, self.y)
        return self.y if self.b is None else np.add(self.y, self.b, out=self.y)

    def backward(self, g: np.ndarray) -> np.ndarray | None:
        x, self.x = self.x, None  # a batch is not kept
        self.to_dW(x.T, g, self.dW)
        if self.db is not None:
            dot(self.ones, g, self.db)
        if self.to_dX is None:
            return None
        dx = x if self.dx is None else self.dx
        self.to_dX(g, self.W, dx)
        return dx


def whole(size: int) -> Product:
    """`dot` takes half of what `matmul` takes besides multiplying, but fills what it writes to with zeros first"""
    return dot if size <= 10**4 else np.matmul


def way_to_Y(N: int, K: int, M: int, lend: Lend) -> Product:
    """What `rows_product` does"""
    if shared_out(N, K, M):
        return lambda X, W, Y: np.copyto(Y, rows_product(X, W))
    parts = inner_parts(N, K, M) if N <= FEW and N * K * M > SMALL and quick_if_small() else 1
    if parts == 1:
        return some_rows_at_a_time(N, K, M) if N > FEW else whole(N * M)
    between = lend("parts of Y", (parts, N, M))

    def sum_of_products(X: np.ndarray, W: np.ndarray, Y: np.ndarray) -> None:
        np.matmul(X.reshape(N, parts, -1).swapaxes(0, 1), W.reshape(parts, -1, M), out=between)
        np.add.reduce(between, axis=0, out=Y)

    return sum_of_products


def some_rows_at_a_time(N: int, K: int, M: int) -> Product:
    """What `product` does"""
    if shared_out(N, K, M):
        return product
    parts = row_parts(N, K, M)
    if parts == 1:
        return whole(N * M)
    return lambda a, b, out: np.matmul(a.reshape(parts, -1, K), b, out=out.reshape(parts, -1, M))


def way_to_dX(N: int, K: int, M: int, lend: Lend) -> Product:
    """What `fast_dX` does"""
    if sooner_turned(N, K, M):
        return turned_once(N, K, M, lend) if K * M * N <= SMALL else turned
    if copied(N, K, M):
        return by_a_copy(lend("W turned", (M, K)), some_rows_at_a_time(N, M, K))
    product = whole(N * K)
    return lambda g, W, dX: product(g, W.T, dX)


def turned_once(N: int, K: int, M: int, lend: Lend) -> Product:
    gt, dXt = lend("g turned", (M, N)), lend("dX turned", (K, N))

    def way(g: np.ndarray, W: np.ndarray, dX: np.ndarray) -> None:
        np.copyto(gt, g.T)
        dot(W, gt, dXt)
        np.copyto(dX, dXt.T)

    return way


def turned(g: np.ndarray, W: np.ndarray, dX: np.ndarray) -> None:
    np.copyto(dX, turned_in_parts(W, g))


def by_a_copy(Wt: np.ndarray, product: Product) -> Product:
    def way(g: np.ndarray, W: np.ndarray, dX: np.ndarray) -> None:
        np.copyto(Wt, W.T)
        product(g, Wt, dX)

    return way


# -------------------------------------------------------------------------------------------------------- activations
class Elu(Part):
    """y = max(x, e - 1) where x was, with e = exp(min(x, 0)), which is dy/dx"""

    def __init__(self, spot: Spot, link: Link, places: Link):
        self.zeros, self.bent = spot.lend("zeros", spot.shape), spot.lend("bent", spot.shape)
        self.one, self.e = number(1, spot.dtype), aligned(spot.shape, spot.dtype)

    def forward(self, x: np.ndarray, state: Any) -> np.ndarray:
        e = np.minimum(x, self.zeros, out=self.e)
        np.subtract(np.exp(e, out=e), self.one, out=self.bent)
        return np.maximum(x, self.bent, out=x)

    def backward(self, g: np.ndarray) -> np.ndarray:
        return np.multiply(g, self.e, out=self.e)


class Relu(Part):
    """y = max(x, 0) where x was; dx = g where y > 0, where y was"""

    def __init__(self, spot: Spot, link: Link, places: Link):
        self.zeros, self.zero = spot.lend("zeros", spot.shape), number(0, spot.dtype)
        self.passed = np.empty(spot.shape, bool)

    def forward(self, x: np.ndarray, state: Any) -> np.ndarray:
        self.y = np.maximum(x, self.zeros, out=x)
        np.greater(self.y, self.zero, out=self.passed)
        return self.y

    def backward(self, g: np.ndarray) -> np.ndarray:
        return np.multiply(g, self.passed, out=self.y)


# ------------------------------------------------------------------------------------------------------ normalisation
class Batchnorm(Part):
    """y = a d + beta, with d = x - mu, a = gamma r;   dx = a (g + b d + c), where d was: see `training_gradients`"""

    def __init__(self, spot: Spot, link: Link, places: Link):
        self.gamma, self.beta, *_ = link.arguments
        self.dgamma, self.dbeta, *_ = places.arguments
        (N, C), dtype, options = spot.shape, spot.dtype, link.options
        self.momentum, self.bessel = options["momentum"], N / max(N - 1, 1) if options["unbiased_running"] else None
        self.mean, self.sum = ones(N, dtype, 1 / N), ones(N, dtype)
        self.eps, self.minus_N = number(float(options["eps"]), dtype), number(-N, dtype)
        self.d, self.y = (aligned(spot.shape, dtype) for _ in range(2))
        self.products = spot.lend("products", spot.shape)
        self.mu, self.s2, self.r, self.a, self.c = (aligned((C,), dtype) for _ in range(5))

    def forward(self, x: np.ndarray, state: Any) -> np.ndarray:
        d, y, mu, s2, r = self.d, self.y, self.mu, self.s2, self.r
        mean, var = state["mean"], state["var"]
        if not mean.shape == var.shape == mu.shape:
            raise ValueError("batchnorm: statistics of another shape than planned")
        np.subtract(x, dot(self.mean, x, mu), out=d)
        dot(self.mean, np.multiply(d, d, out=y), s2)
        np.sqrt(np.add(s2, self.eps, out=r), out=r)
        np.multiply(self.gamma, np.reciprocal(r, out=r), out=self.a)
        np.add(np.multiply(d, self.a, out=y), self.beta, out=y)
        spread = s2 if self.bessel is None else s2 * self.bessel
        self.after = {"mean": averaged(mean, mu, self.momentum), "var": averaged(var, spread, self.momentum)}
        return y

    def backward(self, g: np.ndarray) -> np.ndarray:
        d, r, c = self.d, self.r, self.c
        dot(self.sum, np.multiply(g, d, out=self.products), self.dgamma)
        np.multiply(r, self.dgamma, out=self.dgamma)
        dot(self.sum, g, self.dbeta)
        np.multiply(r, self.dgamma, out=r)
        np.multiply(d, np.divide(r, self.minus_N, out=r), out=d)
        np.add(d, np.divide(self.dbeta, self.minus_N, out=c), out=d)
        return np.multiply(np.add(d, g, out=d), self.a, out=d)


# ----------------------------------------------------------------------------------------------------- every other op
class Unplanned(Part):
    """An op as it is, with the gradients of its parameters brought to their places"""

    def __init__(self, spot: Spot, link: Link, places: Link):
        self.make, self.params, self.keeps, self.first = spot.make, spot.params, link.keeps, spot.first
        op = OPS[link.op.__name__]
        self.op: Op = (spot.owned and not link.options and op.in_place) or op.fast or op
        self.owned = self.op.fresh
        pairs = zip(link.arguments, places.arguments, strict=True)  # what is no parameter is the same in both
        self.places = {i: place for i, (a, place) in enumerate(pairs, 1) if a is not place}

    def forward(self, x: np.ndarray, state: Any) -> np.ndarray:
        _, arguments, options, _ = self.make(self.params, state, True)
        y, cache = self.op.forward(x, *arguments, **options)
        self.cache = cache if self.places or not self.first else None
        if type(y) is tuple:
            y, *rest = y
            self.after = dict(zip(self.keeps, rest, strict=True)) if self.keeps else None
        return y

    def backward(self, g: np.ndarray) -> Any:
        which = [*([] if self.first else [0]), *self.places]
        out = {i: place for i, place in self.places.items() if i in self.op.fills}
        found = gradients_by(self.op, g, self.cache, which, out)
        self.cache = None  # makes room for the gradients of the links before
        for i, place in self.places.items():
            if found[i] is not place:
                place[...] = found[i]
        return None if self.first else found[0]


PLANNED: dict[Callable[..., Any], type] = {dense: Dense, elu: Elu, relu: Relu, batchnorm: Batchnorm}


class NotPlanned(Exception):
    """The gradients of a link's arguments are not, one for one, those of the layer's parameters."""


def part_for(spot: Spot) -> Any:
    """The part for a link. Raises NotPlanned."""
    link = spot.make(spot.params, spot.state, True)
    with np.errstate(all="ignore"):  # there are no gradients yet, so it may be anything that is computed of them
        places = spot.make(spot.grads, spot.state, True)
    pairs = zip(link.arguments, places.arguments, strict=True)
    if sorted(id(a) for a, place in pairs if a is not place) != sorted(map(id, tree_leaves(spot.params))):
        raise NotPlanned(link.op.__name__)  # one was computed, or is there twice, or is not used
    return (PLANNED[link.op] if by_hand(spot, link) else Unplanned)(spot, link, places)


def by_hand(spot: Spot, link: Link) -> bool:
    """Whether the op is one of those above, in the form and of the shape that they are written for."""
    if any(a.dtype != spot.dtype for a in link.arguments) or link.op not in PLANNED:
        return False
    if link.op in (elu, relu):
        return spot.owned and not link.options
    if link.op is batchnorm:
        return len(spot.shape) == 2 and side_by_side(*spot.shape) == 1 and len(link.keeps) == 2
    return len(spot.shape) == 2
