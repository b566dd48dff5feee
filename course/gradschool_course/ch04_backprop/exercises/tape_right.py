"""Other tapes that are right: closures that add by themselves, a list of all that happened, gradients in a dict."""

from __future__ import annotations

import itertools

import numpy as np

from gradschool.lessons.tape import unbroadcast

from .tape_wrong import Tape


class Closures:
    """Every node keeps a function that adds to the gradients of its parents."""

    def __init__(self, data):
        self.data = np.array(data, dtype=float)
        self.grad, self.before, self.push = None, [], lambda: None

    def node(self, data, *pairs):
        """A new node; each of `pairs` is a parent and the function from g to its gradient."""
        out = Closures(data)

        def push():
            for parent, pull in pairs:
                parent.grad += unbroadcast(np.asarray(pull(out.grad)), parent.data.shape)

        out.before, out.push = [parent for parent, _ in pairs], push
        return out

    def other(self, x):
        return x if isinstance(x, Closures) else Closures(x)

    def __add__(self, x):
        x = self.other(x)
        return self.node(self.data + x.data, (self, lambda g: g), (x, lambda g: g))

    __radd__ = __add__

    def __mul__(self, x):
        x = self.other(x)
        return self.node(self.data * x.data, (self, lambda g: g * x.data), (x, lambda g: g * self.data))

    __rmul__ = __mul__

    def __matmul__(self, x):
        return self.node(
            np.einsum("ni,io->no", self.data, x.data),
            (self, lambda g: np.einsum("no,io->ni", g, x.data)),
            (x, lambda g: np.einsum("ni,no->io", self.data, g)),
        )

    def __pow__(self, n):
        return self.node(np.power(self.data, n), (self, lambda g: g * n * np.power(self.data, n - 1)))

    def exp(self):
        out = self.node(np.exp(self.data), (self, lambda g: g * out.data))
        return out

    def log(self):
        return self.node(np.log(self.data), (self, lambda g: g / self.data))

    def relu(self):
        return self.node(self.data * (self.data > 0), (self, lambda g: g * (self.data > 0)))

    def wide(self, a, axis):
        return np.reshape(a, self.data.sum(axis, keepdims=True).shape) * np.ones_like(self.data)

    def sum(self, axis=None):
        return self.node(self.data.sum(axis), (self, lambda g: self.wide(g, axis)))

    def mean(self, axis=None):
        n = self.data.size if axis is None else self.data.shape[axis]
        return self.node(self.data.mean(axis), (self, lambda g: self.wide(g, axis) / n))

    def max(self, axis=None):
        hit = (self.data == self.data.max(axis, keepdims=True)).astype(float)
        hit /= hit.sum(axis, keepdims=True)
        return self.node(self.data.max(axis), (self, lambda g: self.wide(g, axis) * hit))

    def reshape(self, *shape):
        return self.node(self.data.reshape(*shape), (self, lambda g: g.reshape(self.data.shape)))

    def backward(self, g=None):
        if g is None and self.data.ndim > 0:
            raise ValueError("one number, please, or a g")
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                node.grad = np.zeros_like(node.data)
                for parent in node.before:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.zeros_like(self.data) + (1.0 if g is None else g)
        for node in order[::-1]:
            node.push()


class Numbered(Tape):
    """Nodes are numbered as they are made; the way back goes from the highest number down."""

    counter = itertools.count()

    def __init__(self, data, parents=(), pull=lambda g: ()):
        super().__init__(data, parents, pull)
        self.number = next(Numbered.counter)

    def order(self):
        found, todo = {self.number: self}, [self]
        while todo:
            for parent in todo.pop().parents:
                if parent.number not in found:
                    found[parent.number] = parent
                    todo.append(parent)
        return [found[number] for number in sorted(found)]


class Collected(Tape):
    """All contributions are kept apart, and added at the end."""

    def backward(self, g=None):
        self.refuse(g)
        order = self.order()
        pieces = {id(node): [np.zeros(node.data.shape)] for node in order}
        pieces[id(self)].append(np.zeros(self.data.shape) + (1.0 if g is None else g))
        for node in order[::-1]:
            node.grad = np.sum(pieces[id(node)], axis=0)
            for parent, d in zip(node.parents, node.pull(node.grad), strict=True):
                pieces[id(parent)].append(unbroadcast(np.asarray(d), parent.data.shape))


class Composed(Tape):
    """Fewer slopes by hand: a mean is a scaled sum, a power of a whole number a product."""

    def mean(self, axis=None):
        total = self.sum(axis)
        return total * (total.data.size / self.data.size)

    def relu(self):
        return self * (self.data > 0).astype(float)
