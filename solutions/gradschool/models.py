"""A model turns parameters and inputs into predictions: layers composed, or any function `model(params, *inputs)`.
Both are called through `run_model`, so that training, evaluation and prediction need not know which it is.

    net = mlp([300, 100], 10, gs.elu, init=he)
    params, state, _ = net.init(np.random.default_rng(0), (784,))
    P = predict(net, params, X, state)
    P, spread = mc_predict(net, params, X, output=gs.softmax, rng=rng)      # dropout on, a hundred times

    def twins(params, a, b):                       # the same parameters used twice: a function, no layers
        return gs.tanh(a @ params["W"]) - gs.tanh(b @ params["W"])
    P = predict(twins, params, (A, B))

    @with_state                                    # a function with batch norm, or chance, in it: state in, state out
    def twins(params, state, a, b, training, rng):
        a, state = body.apply(params, state, a, training, rng)
        b, state = body.apply(params, state, b, training, rng)
        return gs.tanh(a) - gs.tanh(b), state
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from .chance import generator
from .initializers import glorot
from .layers import Layer, dense, sequential
from .ops.place import buffered
from .ops.threads import SingleBlas
from .trees import check_leaves, tree_leaves, tree_map, tree_paths

__all__ = ["count_parameters", "mc_predict", "mlp", "predict", "run_model", "with_state"]

Tree = Any
Model = Layer | Callable[..., Any]


def mlp(
    hidden: Sequence[int],
    outputs: int,
    activation: Layer | Callable[..., Any],
    init: Callable[..., np.ndarray] = glorot,
) -> Layer:
    """A multilayer perceptron: dense layers with an activation after each but the last, whose outputs are scores.

    Raises ValueError for a layer of less than one unit, TypeError for a number as `hidden`, and for an activation
    between layers that is itself no layer or function of x, such as its name.

    >>> from gradschool.models import count_parameters, mlp
    >>> params, _, shape = mlp([300, 100], 10, np.tanh).init(np.random.default_rng(0), (784,))
    >>> shape, count_parameters(params)
    ((10,), 266610)
    """
    if isinstance(hidden, Integral):
        raise TypeError(f"mlp: expected the units of each hidden layer, got {hidden}; try mlp([{hidden}], ...)")
    inner = [part for units in hidden for part in (dense(units, init), activation)]
    return sequential(*inner, dense(outputs, init))


def count_parameters(params: Tree) -> int:
    """How many numbers there are to learn; TypeError for what is no tree of arrays, such as the model itself.

    >>> count_parameters({"W": np.ones((5, 3)), "b": np.zeros(3)})
    18
    """
    check_leaves("count_parameters", params)
    return sum(int(np.size(leaf)) for leaf in tree_leaves(params))


def run_model(
    model: Model,
    params: Tree,
    state: Tree,
    inputs: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    """(predictions, new state) of a layer or a function. A tuple of inputs is spread over a function's arguments.

    A plain function sees no state and no generator: what it does is the same in training and afterwards. One that is
    declared by `with_state` gets both, and whether it is in training, and returns a pair itself.
    """
    if isinstance(model, Layer):
        return model.apply(params, state, inputs, training, rng)
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    if not getattr(model, "keeps_state", False):
        return model(params, *inputs), state
    found = model(params, state, *inputs, training=training, rng=rng)
    if not isinstance(found, tuple) or len(found) != 2:
        raise TypeError(
            f"{getattr(model, '__name__', 'the model')}: a function with_state returns (Y, state), "
            f"got {type(found).__name__}"
        )
    return found


def compared(function: Callable[[Any, Any], Any], Y: Any, T: Any) -> Any:
    """`function(Y, T)` of a loss or metric; TypeError if it did not take a pair that a model forgot to take apart."""
    try:
        return function(Y, T)
    except (AttributeError, TypeError, ValueError) as error:
        if type(Y) is tuple and type(T) is not tuple:
            raise TypeError(
                f"the model returned a tuple of {len(Y)}, which the loss or metric did not take ({error}). A layer's "
                "apply returns (y, state): return its y, net.apply(...)[0], or declare the function with_state"
            ) from error
        raise


def with_state(function: Callable[..., tuple[Any, Tree]]) -> Callable[..., tuple[Any, Tree]]:
    """Declare a model function `f(params, state, *inputs, training, rng) -> (Y, state)`; it stays that function.

    The state is what layers or ops in it keep, such as running statistics, in any tree. Where a layer is used twice in
    a call, hand the state on from one use to the next, or return the one of a single use: that is a choice, and here
    you make it. In a prediction the state that comes out is not used, and `rng` is None.

    Whatever runs it (`train`, `evaluate`, `predict`) raises TypeError if it returns something else than a pair.

    >>> @with_state
    ... def centred(params, state, x, training, rng):
    ...     mean = x.mean(0) if training else state["mean"]
    ...     return (x - mean) * params["scale"], {"mean": mean}
    >>> y, state = run_model(centred, {"scale": 2.0}, {"mean": np.zeros(1)}, np.array([[1.0], [5.0]]), training=True)
    >>> print(y.ravel(), predict(centred, {"scale": 2.0}, np.array([[4.0]]), state))
    [-4.  4.] [[2.]]
    """
    function.keeps_state = True  # type: ignore[attr-defined]  # a mark, so that it pickles as what it is
    return function


def threads_for(model: Model) -> Any:
    """Within, BLAS has one thread for a layer, whose ops share out what is large among threads themselves. A function
    may call NumPy's products directly."""
    return SingleBlas() if isinstance(model, Layer) else contextlib.nullcontext()


@buffered()
def predict(model: Model, params: Tree, inputs: Any, state: Tree = None, batch_size: int = 1024) -> Any:
    """Predictions for all inputs (N, ...), computed in mini-batches so that memory does not grow with N.

    `inputs` is an array, or a tree of arrays with the same N. Nothing is trained: layers behave as after training,
    and the state stays what it is. Returns an array, or whatever tree of arrays the model returns.

    Raises ValueError if there is nothing to predict, or if the inputs differ in N; TypeError if they are no arrays.

    >>> predict(lambda w, x: x @ w, np.array([1.0, 10.0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), batch_size=2)
    array([21., 43., 65.])
    """
    with threads_for(model):
        parts = [run_model(model, params, state, part)[0] for part in parts_of("predict", inputs, batch_size)]
    return tree_map(lambda *leaves: np.concatenate(leaves), *parts)


def mc_predict(
    model: Model,
    params: Tree,
    inputs: Any,
    *,
    output: Callable[[Any], Any] | None,
    rng: np.random.Generator,
    passes: int = 100,
    state: Tree = None,
    batch_size: int = 1024,
) -> tuple[np.ndarray, np.ndarray]:
    """(mean, std) of many predictions for each sample, each with other units dropped: how sure is the model?

    Layers that draw draw, all others behave as in prediction: batch norm uses its running statistics. (A function
    needs `with_state` to be given the generator.)

    output      what is averaged: `gs.softmax` makes probabilities of scores (a mean of scores says nothing), None
                takes the predictions as they are
    passes      how many predictions; memory grows with passes times batch_size
    rng         a NumPy generator, from which every pass draws anew

    Returns two arrays of the predictions' shape; std divides by the number of passes, and is 0 but for rounding where
    nothing draws. Raises ValueError for no samples, no generator or fewer than one pass.
    Source: Gal and Ghahramani, Dropout as a Bayesian Approximation, 2016.

    >>> from gradschool.layers import dropout
    >>> rng = np.random.default_rng(0)
    >>> mean, std = mc_predict(dropout(0.5), {}, np.ones((1, 1)), output=None, rng=rng, passes=9999)
    >>> bool(abs(mean[0, 0] - 1) < 0.05), std.round(1)
    (True, array([[1.]]))
    """
    if passes < 1:
        raise ValueError(f"mc_predict: expected at least one pass, got {passes}")
    rng = generator("mc_predict", rng)
    means, stds = [], []
    for batch in parts_of("mc_predict", inputs, batch_size):
        drawn = [run_model(model, params, state, batch, training=False, rng=rng)[0] for _ in range(passes)]
        drawn = np.stack(drawn if output is None else [output(Y) for Y in drawn])
        means.append(drawn.mean(axis=0))
        stds.append(drawn.std(axis=0))
    return np.concatenate(means), np.concatenate(stds)


def samples(data: Tree) -> int:
    """The number N of samples that all arrays of a tree have in common."""
    sizes = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in tree_leaves(data)}
    if len(sizes) != 1 or 0 in sizes:
        check_arrays(data)
    if len(sizes) != 1:
        shapes = ", ".join(str(np.shape(leaf)) for leaf in tree_leaves(data)) or "none"
        raise ValueError(f"expected arrays with the same number of samples on their first axis, got {shapes}")
    return sizes.pop()


def check_arrays(data: Tree) -> None:
    """Numbers in lists are a tree of numbers, and a generator of batches has no samples of its own."""
    for path, leaf in zip(tree_paths(data), tree_leaves(data), strict=True):
        if not np.ndim(leaf):
            where = f" at {path}" if path else ""
            raise TypeError(
                f"expected arrays with samples on their first axis, got {type(leaf).__name__}{where}; make one array "
                "of a list, np.array(X), and give all samples rather than batches"
            )


def check_batch_size(name: str, batch_size: int) -> None:
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise ValueError(f"{name}: expected a batch size of at least 1, a whole number, got {batch_size!r}")


def parts_of(name: str, inputs: Tree, batch_size: int) -> Iterator[Tree]:
    """The inputs in mini-batches, in their order."""
    check_batch_size(name, batch_size)
    n = samples(inputs)
    if n == 0:
        raise ValueError(f"{name}: expected at least one sample, got none")
    return (rows(inputs, slice(start, start + batch_size)) for start in range(0, n, batch_size))


def rows(data: Tree, which: Any) -> Tree:
    """The same samples of every array of a tree."""
    return tree_map(lambda leaf: leaf[which], data)
