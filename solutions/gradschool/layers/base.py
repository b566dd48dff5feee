"""A layer is a pair of pure functions: `init` draws its parameters, `apply` computes its output from them. What it
learns (params) and what it merely keeps (state, such as running statistics) go in and come out; nothing is hidden.

    net = sequential(dense(300, init=he), gs.relu, dense(10))
    params, state, shape = net.init(rng, (784,))               # shape of one sample in, (10,) out
    y, state = net.apply(params, state, x, training=True, rng=rng)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .. import initializers, ops
from ..autodiff import OPS, Link, chain
from ..swap import replacements

__all__ = ["Layer", "activation", "as_layer", "dense", "sequential", "stateless"]

Tree = Any
Shape = tuple[int, ...]
Stretch = int | list[tuple[int, Callable[..., Link]]]  # a layer, or the first layers of links, by number

APPLY, PREDICT = "y, state = net.apply(params, state, x)", "gs.predict(net, params, X, state)"
INSTEAD = {  # of what others ask a network itself for
    APPLY: "forward", PREDICT: "predict eval", "gs.train(net, ...)": "compile",
    "gs.train(net, params, data, optimizer, loss, epochs, rng=rng)": "fit train",
    "gs.evaluate(net, params, data, loss, state=state)": "evaluate",
    "params, state, shape = net.init(rng, shape)": "parameters weights params", "gs.summary(net, shape)": "summary",
    'gs.save("net.npz", params, state=state)': "save state_dict", "net.parts": "layers",
}  # fmt: skip
CALLS = {name: call for call, names in INSTEAD.items() for name in names.split()}


@dataclass(frozen=True)
class Layer:
    """`init(rng, shape, dtype=float64) -> (params, state, shape)`, `apply(params, state, x, training=False, rng=None)
    -> (y, state)`.

    Shapes are those of one sample, without the batch axis; a tuple of inputs has a tuple of shapes. A layer that
    learns nothing has params {}, one that keeps nothing hands on the state that it was given. Layers that draw
    random numbers take them from `rng`, a NumPy generator; they draw while training, and wherever else they are
    given one (`mc_predict` does), never in a plain prediction. Write your own as `Layer(my_init, my_apply)`;
    functions of a module make it pickle, and `check_layer` says whether it is right. `parts` are the layers that a
    layer is composed of, and `compose(*parts)` composes others in the same way; its params and state are then lists
    with an entry for each. `link(params, state, training)` is for a layer that is one op, and says so as a `Link`:
    `sequential` makes one step on the tape of those that follow each other.

    Nothing is checked where one is made; what the layers of this library refuse, and when, says `gradschool.layers`.

    >>> def init_scale(rng, shape, dtype=float):
    ...     return {"a": np.ones(shape[-1:], dtype)}, {}, shape
    >>> def apply_scale(params, state, x, training=False, rng=None):
    ...     return x * params["a"], state
    >>> net = sequential(dense(3), Layer(init_scale, apply_scale, "scale"))
    >>> params, state, shape = net.init(np.random.default_rng(0), (5,))
    >>> net.name, params[1], net.apply(params, state, np.ones((2, 5)))[0].shape
    ('sequential(dense(3), scale)', {'a': array([1., 1., 1.])}, (2, 3))
    """

    init: Callable[..., tuple[Tree, Tree, Shape]]
    apply: Callable[..., tuple[Any, Tree]]
    name: str = "layer"
    parts: tuple[Layer, ...] = ()
    compose: Callable[..., Layer] | None = None
    link: Callable[[Tree, Tree, bool], Link] | None = None

    def __repr__(self) -> str:
        return f"Layer({self.name})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """TypeError: a layer holds no parameters, with which it could compute."""
        raise TypeError(f"{self.name}: a layer is called as {APPLY}, or as {PREDICT}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        advice = f"; try {CALLS[name]}" if name in CALLS else ""
        raise AttributeError(f"a layer has no {name}{advice}", name=name, obj=None)


def as_layer(part: Layer | Callable[..., Any]) -> Layer:
    """A layer as it is, and a plain function as the layer that it stands for; TypeError for anything else."""
    return part if isinstance(part, Layer) else activation(part)


def check_function(part: Any, options: Iterable[str] = ()) -> None:
    advice = what_else(part, options)
    if advice:
        raise TypeError(f"expected a layer, or a function of x such as gs.relu, got {advice}")


def what_else(part: Any, options: Iterable[str] = ()) -> str:
    """What came in the place of a function of x with these options, and what to try; empty if it is one, as far as one
    can see."""
    if isinstance(part, list | tuple):
        return f"a {type(part).__name__}; unpack it: sequential(*layers)"
    if isinstance(part, str):
        return f"{part!r}; try the function itself" + (f", gs.{part}" if part in OPS else "")
    if not callable(part):
        return f"something of type {type(part).__name__}"
    if makes_layer(part):
        return f"{part.__name__}, which makes one; call it: {part.__name__}(...)"
    more = [name for name in needed(part)[1:] if name not in options] if is_op(part) else []
    name = getattr(part, "__name__", "")
    return f"the op gs.{name}, which needs {' and '.join(more)} beside x; try gs.layers.{name}(...)" if more else ""


def makes_layer(part: Any) -> bool:
    """batchnorm, which came for batchnorm()"""
    return getattr(part, "__annotations__", {}).get("return") in (Layer, "Layer")


def needed(function: Callable[..., Any]) -> list[str]:
    """The parameters that a call cannot leave out"""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def check_shape(name: str, shape: Any) -> None:
    if isinstance(shape, np.random.Generator):
        raise TypeError(f"{name}: expected the shape of one sample, got a generator; a layer's is init(rng, shape)")
    if not isinstance(shape, tuple | list):
        raise TypeError(
            f"{name}: expected the shape of one sample, a tuple, got {shape!r}; try init(rng, ({shape!r},)), or "
            "X.shape[1:]"
        )


def stateless(init: Callable[..., tuple[Tree, Shape]], function: Callable[..., Any], name: str) -> Layer:
    """A layer without chance and state: `function(params, x)`, and `init(rng, shape, dtype) -> (params, shape)`."""
    return Layer(functools.partial(stateless_init, init), functools.partial(stateless_apply, function), name)


def stateless_init(
    init: Callable[..., tuple[Tree, Shape]], rng: np.random.Generator, shape: Shape, dtype: Any = float
) -> tuple[Tree, Tree, Shape]:
    params, shape = init(rng, shape, dtype)
    return params, {}, shape


def stateless_apply(
    function: Callable[..., Any],
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    return function(params, x), state


# ----------------------------------------------------------------------------------------------------------- layers
def dense(units: int, init: Callable[..., np.ndarray] = initializers.glorot, bias: bool = True) -> Layer:
    """y = x W + b with params {"W": (in, units), "b": (units,)}; `init(shape, rng, dtype=...)` draws W, b is zero.

    x (N, ..., in) -> y (N, ..., units). Without bias there is no "b".

    Raises ValueError for less than one unit; (from init) for samples without a feature axis; (from apply) for another
    number of features than `in`.

    >>> params, _, shape = dense(3).init(np.random.default_rng(0), (5,))
    >>> params["W"].shape, params["b"], shape
    ((5, 3), array([0., 0., 0.]), (3,))
    """
    check_units("dense", units)
    check_initializer("dense", init)
    start, link = functools.partial(dense_init, units, init, bias), functools.partial(link_with_weights, ops.dense, {})
    return Layer(start, dense_apply, f"dense({units})", link=link)


def check_units(who: str, units: Any) -> None:
    if not isinstance(units, Integral) or units < 1:
        raise ValueError(f"{who}: expected at least one unit, a whole number, got {units!r}")


def check_initializer(who: str, init: Any) -> None:
    """TypeError for a number of inputs or an activation, which stand there in other frameworks."""
    if not callable(init):
        raise TypeError(
            f"{who}: expected an initializer such as gs.he, got {init!r:.40}; how many inputs there are is taken from "
            "the shape that init(rng, shape) is given"
        )
    if is_op(init):
        raise TypeError(
            f"{who}: expected an initializer such as gs.he, got gs.{init.__name__}; an activation stands behind the "
            f"layer: sequential({who}(...), gs.{init.__name__})"
        )


def dense_init(
    units: int, init: Callable[..., np.ndarray], bias: bool, rng: np.random.Generator, shape: Shape, dtype: Any = float
) -> tuple[Tree, Tree, Shape]:
    check_shape("dense", shape)
    if not shape:
        raise ValueError("dense: expected samples with a feature axis, got shape (); try x[:, None] and shape (1,)")
    params = {"W": init((shape[-1], units), rng, dtype=dtype)}
    return params | ({"b": np.zeros(units, dtype)} if bias else {}), {}, (*shape[:-1], units)


def dense_apply(
    params: Tree, state: Tree, x: Any, training: bool = False, rng: np.random.Generator | None = None
) -> tuple[Any, Tree]:
    (W,) = own("dense", params, "W")
    return ops.dense(x, W, params.get("b")), state


NOT_FOUND = (
    "finds no {} among its parameters and statistics; call apply(params, state, x), in this order, with both as its "
    "init(rng, shape) made them"
)


def own(layer: str, tree: Tree, *names: str) -> list[Any]:
    """What a layer has among its parameters or statistics; ValueError where these are not the ones that it made."""
    try:
        return [tree[name] for name in names]
    except (KeyError, TypeError, IndexError):
        missing = [name for name in names if not isinstance(tree, dict) or name not in tree]
        raise ValueError(f"{layer} {NOT_FOUND.format(repr(missing[0]))}") from None


def link_with_weights(
    op: Callable[..., Any], options: dict[str, Any], params: Tree, state: Tree, training: bool
) -> Link:
    """Of a layer that is an op of x, W and perhaps b"""
    return Link(op, tuple(own(op.__name__, params, "W", *(["b"] if "b" in params else []))), options)


def activation(function: Callable[..., Any], **options: Any) -> Layer:
    """A function of x alone as a layer, such as `activation(gs.leaky_relu, alpha=0.1)`; shapes do not change.

    Raises TypeError for what is no function of x.
    """
    check_function(function, options)
    name = getattr(function, "__name__", "activation")
    link = functools.partial(link_alone, Link(function)) if is_op(function) and not options else None
    return Layer(nothing_to_init, functools.partial(activation_apply, function, options), name, link=link)


def nothing_to_init(rng: np.random.Generator, shape: Shape, dtype: Any = float) -> tuple[Tree, Tree, Shape]:
    return {}, {}, shape


def activation_apply(
    function: Callable[..., Any],
    options: dict[str, Any],
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    return function(x, **options), state


def is_op(function: Callable[..., Any]) -> bool:
    known = OPS.get(getattr(function, "__name__", ""))
    return known is not None and known.function is function


def link_alone(link: Link, params: Tree, state: Tree, training: bool) -> Link:
    """Of a layer that is an op of x and has nothing to learn: always the same"""
    return link


# ------------------------------------------------------------------------------------------------------ composition
def sequential(*layers: Layer | Callable[..., Any]) -> Layer:
    """Layers one after the other; plain functions, such as `gs.relu`, may stand among them.

    params and state are lists with one entry per layer, so the weights of the first are `params[0]["W"]`. The state
    may be None where no layer keeps one. A sequential layer is a layer: they nest.

    Raises TypeError for what is no layer or function of x, and (from init) for what is no shape, such as a number;
    ValueError (from apply) for another number of params or states than layers.

    >>> net = sequential(dense(4), np.tanh, dense(3))
    >>> params, state, shape = net.init(np.random.default_rng(0), (5,))
    >>> net.apply(params, state, np.ones((7, 5)))[0].shape, len(params), shape
    ((7, 3), 3, (3,))
    """
    parts = tuple(map(as_layer, layers))
    name = f"sequential({', '.join(layer.name for layer in parts)})"
    init, apply = (
        functools.partial(sequential_init, parts),
        functools.partial(sequential_apply, parts, stretches(parts)),
    )
    return Layer(init, apply, name, parts, sequential)


def stretches(layers: Sequence[Layer]) -> list[Stretch]:
    """Layers that are ops in stretches as long as they come, and every other by itself."""
    found: list[Stretch] = []
    for i, layer in enumerate(layers):
        if layer.link is None:
            found.append(i)
        elif found and isinstance(found[-1], list):
            found[-1].append((i, layer.link))
        else:
            found.append([(i, layer.link)])
    for stretch in found:
        if isinstance(stretch, list):
            pool_first(stretch)
    return found


def links_of(layer: Layer) -> list[tuple[int, Callable[..., Link]]] | None:
    """Of a sequential layer that is one stretch of ops, these, each with the number of its layer; None of any other."""
    if getattr(layer.apply, "func", None) is not sequential_apply:
        return None
    _, found = layer.apply.args  # type: ignore[attr-defined]
    return found[0] if len(found) == 1 and isinstance(found[0], list) else None


def pool_first(stretch: list[tuple[int, Callable[..., Link]]]) -> None:
    """Put relu behind the max-pooling that follows it: the largest stays the largest, and fewer numbers are left."""
    ops_alone = [link.args[0].op if getattr(link, "func", None) is link_alone else None for _, link in stretch]
    for i in range(len(stretch) - 1):
        if ops_alone[i : i + 2] == [ops.relu, ops.maxpool]:
            stretch[i], stretch[i + 1] = stretch[i + 1], stretch[i]


def sequential_init(
    layers: Sequence[Layer], rng: np.random.Generator, shape: Shape, dtype: Any = float
) -> tuple[Tree, Tree, Shape]:
    check_shape("sequential", shape)
    params, states = [], []
    for layer in layers:
        p, s, shape = layer.init(rng, shape, dtype)
        params.append(p)
        states.append(s)
    return params, states, shape


def sequential_apply(
    layers: Sequence[Layer],
    stretches: Sequence[Stretch],
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    states = [None] * len(layers) if state is None else state
    for what, came in (("params", params), ("state", states)):
        if not isinstance(came, list | tuple):
            raise TypeError(
                f"sequential: expected {what} as a list with an entry for each layer, got {type(came).__name__}; take "
                "both from params, state, shape = net.init(rng, shape)"
            )
    if not len(layers) == len(params) == len(states):
        raise ValueError(
            f"sequential: {len(layers)} layers, but {len(params)} parameters and {len(states)} states; "
            "take both from params, state, shape = net.init(rng, shape)"
        )
    after: list[Tree] = list(states)
    for stretch in stretches:
        if isinstance(stretch, int):
            x, after[stretch] = layers[stretch].apply(params[stretch], states[stretch], x, training, rng)
            continue
        if replacements():  # whatever stands in for relu works where relu was
            stretch = sorted(stretch)
        try:
            links = [link(params[i], states[i], training) for i, link in stretch]
        except KeyError as error:
            raise not_its_own([layers[i] for i, _ in stretch], error) from error
        x, others = chain(x, links)
        for (i, _), link, rest in zip(stretch, links, others, strict=True):
            if link.keeps:
                after[i] = dict(zip(link.keeps, rest, strict=True))
    return x, None if state is None else after


def not_its_own(layers: Sequence[Layer], error: KeyError) -> ValueError:
    """For links, which look up nothing but their own parameters and statistics."""
    names = " or ".join(layer.name for layer in layers)
    return ValueError(f"sequential: {names} {NOT_FOUND.format(error)}")
