"""Automatic differentiation, small: a `Tensor` remembers what it was computed from, and `backward` walks the way back.

    W, b = Tensor(rng.normal(size=(3, 5))), Tensor(np.zeros(5))
    loss = ((X @ W + b).relu() ** 2).mean()                 # with X = Tensor(data)
    loss.backward()
    W.grad, b.grad                                          # dL/dW, dL/db

The library's own form is `gradschool.value_and_grad`, which traces NumPy itself.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Tensor", "hvp", "topological_order", "unbroadcast", "value_and_grad", "vjp"]


def unbroadcast(g, shape):
    """The gradient for an array of this shape that NumPy has stretched to g's shape: sums over what was repeated.

    >>> print(unbroadcast(np.ones((4, 3)), (3,)), unbroadcast(np.ones((4, 3)), (4, 1)).ravel())
    [4. 4. 4.] [3. 3. 3. 3.]
    """
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return g.sum(axis=stretched, keepdims=True)


def topological_order(root, parents):
    """Every node that root depends on, once each, all of them after their parents; root comes last.

    `parents(node)` gives the nodes that a node is made of directly.

    >>> made_of = {"y": ["x", "s"], "s": ["x", "w"], "x": [], "w": []}
    >>> topological_order("y", lambda node: made_of[node])
    ['w', 'x', 's', 'y']
    """
    uses, reached = {}, [root]
    for node in reached:  # which grows while it is walked
        for parent in parents(node):
            if parent not in uses:
                uses[parent] = 0
                reached.append(parent)
            uses[parent] += 1
    order = [root]
    for node in order:
        for parent in parents(node):
            uses[parent] -= 1
            if uses[parent] == 0:  # all that use it stand in the list already
                order.append(parent)
    return order[::-1]


def as_tensor(x):
    return x if isinstance(x, Tensor) else Tensor(x)


def stretched(a, shape, axis):
    """`a`, from which `axis` was reduced away (None: all axes), in the shape before that."""
    return np.broadcast_to(a if axis is None else np.expand_dims(a, axis), shape)


class Tensor:
    """An array that remembers its origin.

    data      float64 array
    grad      dL/d(data), an array of the same shape, after `backward`; None before
    parents   the tensors it was computed from
    pull      g = dL/d(this) -> dL/d(parent), one for each of the parents, where a parent was stretched also in the
              stretched shape: `backward` undoes that

    >>> x = Tensor([1.0, 2.0, 3.0])
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> print(y.data, x.grad)
    14.0 [2. 4. 6.]
    """

    def __init__(self, data, parents=(), pull=lambda g: ()):
        self.data, self.grad = np.asarray(data, dtype=float), None
        self.parents, self.pull = parents, pull

    def __add__(self, other):
        other = as_tensor(other)
        return Tensor(self.data + other.data, (self, other), lambda g: (g, g))

    def __radd__(self, other):
        return self + other

    def __mul__(self, other):
        other = as_tensor(other)
        return Tensor(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def __rmul__(self, other):
        return self * other

    def __matmul__(self, other):
        return Tensor(self.data @ other.data, (self, other), lambda g: (g @ other.data.T, self.data.T @ g))

    def __pow__(self, n):
        return Tensor(self.data**n, (self,), lambda g: (g * n * self.data ** (n - 1),))

    def exp(self):
        y = np.exp(self.data)
        return Tensor(y, (self,), lambda g: (g * y,))

    def log(self):
        return Tensor(np.log(self.data), (self,), lambda g: (g / self.data,))

    def relu(self):
        return Tensor(np.maximum(self.data, 0), (self,), lambda g: (np.where(self.data > 0, g, 0),))

    def sum(self, axis=None):
        return Tensor(self.data.sum(axis), (self,), lambda g: (stretched(g, self.data.shape, axis),))

    def mean(self, axis=None):
        total = self.sum(axis)
        return total * (total.data.size / self.data.size)

    def max(self, axis=None):
        y = self.data.max(axis)
        largest = self.data == stretched(y, self.data.shape, axis)
        share = largest / stretched(largest.sum(axis), self.data.shape, axis)  # equals share the gradient
        return Tensor(y, (self,), lambda g: (share * stretched(g, self.data.shape, axis),))

    def reshape(self, *shape):
        return Tensor(self.data.reshape(*shape), (self,), lambda g: (g.reshape(self.data.shape),))

    def backward(self, g=None):
        if g is None and self.data.shape != ():
            raise ValueError(f"backward: expected one number, got shape {self.data.shape}; sum it, or give g.")
        order = topological_order(self, lambda tensor: tensor.parents)
        for tensor in order:
            tensor.grad = np.zeros(tensor.data.shape)
        self.grad = np.zeros(self.data.shape) + (1.0 if g is None else g)
        for tensor in reversed(order):
            for parent, d in zip(tensor.parents, tensor.pull(tensor.grad), strict=True):
                parent.grad = parent.grad + unbroadcast(d, parent.data.shape)


# -------------------------------------------------------------------------------------------- derivatives of functions
def value_and_grad(f, Variable):
    """A function of the same arguments as f that returns (f's number, a tuple with the gradient for each argument).

    f is written with variables; `Variable(array)` makes one, which has `data`, and `grad` after `backward()`.

    >>> value, grads = value_and_grad(lambda x, w: (x * w).sum(), Tensor)(np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    >>> print(value, *grads)
    13.0 [3. 5.] [1. 2.]

    Raises (when called): TypeError for whole numbers; ValueError (from `backward`) if f returns more than one number.
    """

    def run(*arrays):
        variables = [Variable(checked(a)) for a in arrays]
        y = f(*variables)
        y.backward()  # which refuses all but one number
        return y.data, tuple(grad_of(v) for v in variables)

    return run


def checked(a):
    if np.asarray(a).dtype.kind != "f":
        raise TypeError(f"expected floats to differentiate, got {np.asarray(a).dtype}; try .astype(float).")
    return a


def grad_of(v):
    return np.zeros(v.data.shape) if v.grad is None else v.grad  # what f has not used has gradient 0


def vjp(f, Variable, arrays, g):
    """The value y = f(*arrays), and g . dy/da for each of the arrays: (y, tuple).

    >>> y, pulled = vjp(lambda x: x * x, Tensor, (np.array([1.0, 2.0]),), np.array([10.0, 100.0]))
    >>> print(y, *pulled)
    [1. 4.] [ 20. 400.]
    """
    variables = [Variable(a) for a in arrays]
    y = f(*variables)
    y.backward(g)
    return y.data, tuple(grad_of(v) for v in variables)


def hvp(grad_f, x, v, eps=1e-5):
    """H v ~ (grad f(x + eps v) - grad f(x - eps v)) / (2 eps): second derivatives times a vector, from two gradients.

    H itself, with the square of x.size entries, is never made. The error falls with eps^2.

    >>> print(hvp(lambda x: x**3, np.array([1.0, 2.0]), np.array([1.0, 10.0])).round(6))
    [  3. 120.]
    """
    return (grad_f(x + eps * v) - grad_f(x - eps * v)) / (2 * eps)
