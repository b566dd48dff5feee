"""Tapes that go wrong, each in one place: what they share is right, and every step of it can be replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradschool.lessons.tape import stretched, topological_order, unbroadcast


class Tape:
    """A tape that is right. `made` makes every new node, `order` sorts them, `settle` hands a gradient on."""

    def __init__(self, data, parents=(), pull=lambda g: ()):
        self.data, self.parents, self.pull = np.asarray(data, dtype=float), parents, pull
        self.grad: Any = None

    def made(self, data, parents, pull):
        return type(self)(data, parents, pull)

    def lifted(self, other):
        return other if isinstance(other, Tape) else type(self)(other)

    def __add__(self, other):
        other = self.lifted(other)
        return self.made(self.data + other.data, (self, other), lambda g: (g, g))

    def __radd__(self, other):
        return self + other

    def __mul__(self, other):
        other = self.lifted(other)
        return self.made(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def __rmul__(self, other):
        return self * other

    def __matmul__(self, other):
        return self.made(self.data @ other.data, (self, other), lambda g: (g @ other.data.T, self.data.T @ g))

    def __pow__(self, n):
        return self.made(self.data**n, (self,), lambda g: (g * n * self.data ** (n - 1),))

    def exp(self):
        return self.made(np.exp(self.data), (self,), lambda g: (g * np.exp(self.data),))

    def log(self):
        return self.made(np.log(self.data), (self,), lambda g: (g / self.data,))

    def relu(self):
        return self.made(np.maximum(self.data, 0), (self,), lambda g: (g * (self.data > 0),))

    def sum(self, axis=None):
        return self.made(self.data.sum(axis), (self,), lambda g: (stretched(g, self.data.shape, axis),))

    def mean(self, axis=None):
        y = self.data.mean(axis)
        return self.made(y, (self,), lambda g: (stretched(g, self.data.shape, axis) * y.size / self.data.size,))

    def max(self, axis=None):
        y = self.data.max(axis)
        share = self.shares(self.data == stretched(y, self.data.shape, axis), axis)
        return self.made(y, (self,), lambda g: (share * stretched(g, self.data.shape, axis),))

    def shares(self, largest, axis):
        return largest / stretched(largest.sum(axis), self.data.shape, axis)

    def reshape(self, *shape):
        return self.made(self.data.reshape(*shape), (self,), lambda g: (g.reshape(self.data.shape),))

    def order(self):
        return topological_order(self, lambda node: node.parents)

    def settle(self, d):
        self.grad = self.grad + unbroadcast(d, self.data.shape)

    def start(self, order):
        for node in order:
            node.grad = np.zeros(node.data.shape)

    def refuse(self, g):
        if g is None and self.data.shape != ():
            raise ValueError("give g, or sum to one number first")

    def backward(self, g=None):
        self.refuse(g)
        order = self.order()
        self.start(order)
        self.grad = self.grad + (1.0 if g is None else g)
        for node in reversed(order):
            for parent, d in zip(node.parents, node.pull(node.grad), strict=True):
                parent.settle(d)


# -------------------------------------------------------------------------------------------------- how gradients meet
class Stretched(Tape):
    """Gradients stay in the shape to which NumPy stretched the value."""

    def settle(self, d):
        self.grad = self.grad + d


class Averages(Tape):
    def settle(self, d):
        self.grad = self.grad + unbroadcast(d, self.data.shape) * (max(self.data.size, 1) / np.size(d))


class FoundByLength(Tape):
    """Sums over the axes whose length the value's shape does not have, wherever it has it."""

    def settle(self, d):
        gone = tuple(i for i, n in enumerate(np.shape(d)) if n not in self.data.shape)
        self.grad = self.grad + np.reshape(np.sum(d, axis=gone), self.data.shape)


class JudgedBySize(Tape):
    """Nothing was stretched where the number of entries is the same."""

    def settle(self, d):
        self.grad = self.grad + (d if np.size(d) == self.data.size else unbroadcast(d, self.data.shape))


class Assigns(Tape):
    def settle(self, d):
        self.grad = unbroadcast(d, self.data.shape)


class Shares(Tape):
    """Adds in place, also to an array that another node holds."""

    def settle(self, d):
        d = d if np.shape(d) == self.data.shape else unbroadcast(d, self.data.shape)
        if self.grad is None:
            self.grad = d
        else:
            self.grad += d

    def start(self, order):
        for node in order:
            node.grad = None

    def backward(self, g=None):
        self.refuse(g)
        order = self.order()
        self.start(order)
        self.grad = np.array(1.0 if g is None else g, dtype=float)
        for node in reversed(order):
            for parent, d in zip(node.parents, node.pull(node.grad), strict=True):
                parent.settle(d)


class NeverForgets(Tape):
    """Gradients begin at zero only where `forgets` says so, where nothing stands yet, and at the end of the graph."""

    def forgets(self):
        return False

    def start(self, order):
        for node in order:
            if node.grad is None or node is self or node.forgets():
                node.grad = np.zeros(node.data.shape)


class LeavesNeverForget(NeverForgets):
    def forgets(self):
        return bool(self.parents)


class InnerNeverForget(NeverForgets):
    def forgets(self):
        return not self.parents


class AsItComes(Tape):
    """Whole numbers and float32 stay what they are."""

    def __init__(self, data, parents=(), pull=lambda g: ()):
        super().__init__(data, parents, pull)
        self.data = np.array(data)


class OldGraphs(Tape):
    """A leaf remembers all that it was ever used for, and asks all of it for its gradient."""

    def made(self, data, parents, pull):
        node = type(self)(data, parents, pull)
        for i, parent in enumerate(parents):
            if not parent.parents:
                parent.uses = [*getattr(parent, "uses", []), (node, i)]
        return node

    def backward(self, g=None):
        super().backward(g)
        for leaf in self.order():
            for node, i in getattr(leaf, "uses", []):
                if node.grad is not None and node not in self.order():
                    leaf.grad = leaf.grad + unbroadcast(node.pull(node.grad)[i], leaf.data.shape)


class LeavesOnly(Tape):
    """Only leaves keep what they got."""

    def backward(self, g=None):
        super().backward(g)
        for node in self.order():
            node.grad = None if node.parents else node.grad


# ---------------------------------------------------------------------------------------------- in which order
class NotVisited(Tape):
    def order(self):
        return [node for parent in self.parents for node in type(self).order(parent)] + [self]


class ByDistance(Tape):
    def order(self):
        order, seen = [self], {self}
        for node in order:
            new = [parent for parent in node.parents if parent not in seen]
            seen.update(new)
            order.extend(dict.fromkeys(new))
        return order[::-1]


class OneStep(Tape):
    def order(self):
        return [*dict.fromkeys(self.parents), self]

    def start(self, order):
        for node in topological_order(self, lambda node: node.parents):
            node.grad = np.zeros(node.data.shape)


# ---------------------------------------------------------------------------------------------------- how it begins
class AnyShape(Tape):
    def refuse(self, g):
        pass


class OneEntry(Tape):
    """An array with a single entry is taken for a number."""

    def refuse(self, g):
        if g is None and self.data.size != 1:
            raise ValueError("give g, or sum to one number first")


class BeginsWithZeros(Tape):
    def __init__(self, data, parents=(), pull=lambda g: ()):
        super().__init__(data, parents, pull)
        self.grad = np.zeros(self.data.shape)


class RootWithout(Tape):
    """g is handed on, and not kept."""

    def backward(self, g=None):
        super().backward(g)
        self.grad = None


class OnesAlways(Tape):
    def backward(self, g=None):
        self.refuse(g)
        super().backward(np.ones(self.data.shape))


class FloatsRefused(Tape):
    def lifted(self, other):
        return other if isinstance(other, Tape) else other.data


class ArraysRefused(Tape):
    """A plain array is not made a Tensor."""

    def lifted(self, other):
        return type(self)(other) if isinstance(other, int | float) else other


class SelfAlone(Tape):
    """Only the left operand of a sum or product gets a gradient."""

    def __add__(self, other):
        other = self.lifted(other)
        return self.made(self.data + other.data, (self, other), lambda g: (g, 0 * g))

    def __mul__(self, other):
        other = self.lifted(other)
        return self.made(self.data * other.data, (self, other), lambda g: (g * other.data, 0 * g))


class OwnFactor(Tape):
    def __mul__(self, other):
        other = self.lifted(other)
        return self.made(self.data * other.data, (self, other), lambda g: (g * self.data, g * other.data))


class NotMatrix(Tape):
    def __matmul__(self, other):
        return self.made(self.data @ other.data, (self, other), lambda g: (g @ other.data, self.data @ g))


# -------------------------------------------------------------------------------------------------------- single slopes
class PowerByLogarithm(Tape):
    def __pow__(self, n):
        y = np.exp(n * np.log(self.data))
        return self.made(y, (self,), lambda g: (g * n * y / self.data,))


class PowerKept(Tape):
    def __pow__(self, n):
        return self.made(self.data**n, (self,), lambda g: (g * n * self.data**n,))


class ExpOfExp(Tape):
    def exp(self):
        y = np.exp(self.data)
        return self.made(y, (self,), lambda g: (g * np.exp(y),))


class LogOfOutput(Tape):
    def log(self):
        y = np.log(self.data)
        return self.made(y, (self,), lambda g: (g / y,))


class NoUpstream(Tape):
    def exp(self):
        y = np.exp(self.data)
        return self.made(y, (self,), lambda g: (y,))

    def log(self):
        return self.made(np.log(self.data), (self,), lambda g: (1 / self.data,))

    def __pow__(self, n):
        return self.made(self.data**n, (self,), lambda g: (n * self.data ** (n - 1),))


class ReluAtZero(Tape):
    def relu(self):
        return self.made(np.maximum(self.data, 0), (self,), lambda g: (g * (self.data >= 0),))


class ReluOfGradient(Tape):
    def relu(self):
        return self.made(np.maximum(self.data, 0), (self,), lambda g: (np.maximum(g, 0),))


class MeanOfAll(Tape):
    def mean(self, axis=None):
        y = self.data.mean(axis)
        return self.made(y, (self,), lambda g: (stretched(g, self.data.shape, axis) / self.data.size,))


class MeanIsSum(Tape):
    def mean(self, axis=None):
        return self.made(self.data.mean(axis), (self,), lambda g: (stretched(g, self.data.shape, axis),))


class AxisForgotten(Tape):
    """The gradient of a sum is stretched as it comes: right for axis 0 only."""

    def sum(self, axis=None):
        return self.made(self.data.sum(axis), (self,), lambda g: (np.broadcast_to(g, self.data.shape),))


class CutOut(Tape):
    """The axis that g lacks is put back by slices of the shape, which go wrong for the axis −1."""

    def wide(self, g, axis):
        shape = self.data.shape
        return np.broadcast_to(g if axis is None else np.reshape(g, (*shape[:axis], 1, *shape[axis + 1 :])), shape)

    def sum(self, axis=None):
        return self.made(self.data.sum(axis), (self,), lambda g: (self.wide(g, axis),))

    def mean(self, axis=None):
        y = self.data.mean(axis)
        return self.made(y, (self,), lambda g: (self.wide(g, axis) * y.size / self.data.size,))

    def max(self, axis=None):
        y = self.data.max(axis)
        largest = self.data == self.wide(y, axis)
        return self.made(y, (self,), lambda g: (self.shares(largest, axis) * self.wide(g, axis),))


class AllTies(Tape):
    def shares(self, largest, axis):
        return largest * 1.0


class FirstTie(Tape):
    def shares(self, largest, axis):
        if axis is None:
            first = np.zeros(largest.size)
            first[np.argmax(largest)] = 1
            return first.reshape(largest.shape)
        return largest * (np.cumsum(largest, axis) == 1)


class MaxToAll(Tape):
    def shares(self, largest, axis):
        return np.ones(largest.shape)


class NotReshaped(Tape):
    def reshape(self, *shape):
        return self.made(self.data.reshape(*shape), (self,), lambda g: (g,))


class Transposed(Tape):
    """Undoes a reshape by a transpose: right only by luck."""

    def reshape(self, *shape):
        return self.made(self.data.reshape(*shape), (self,), lambda g: (g.T.reshape(self.data.shape),))
