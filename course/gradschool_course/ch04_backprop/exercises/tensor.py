"""Tensor: the tape itself. Its probes are short programs, each with a random cotangent at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradschool.lessons.tape import Tensor
from gradschool_grader.exercise import Exercise, Group, Hint, Made, Misconception, Script, Variant

from . import tape_right as right
from . import tape_wrong as wrong
from .common import CHAPTER, CLOSE, EQUALS, KINKS, ORDER, SLOPES, STRETCHED, TAPE, sizes

Line = tuple[str, tuple[Any, ...] | None]


# -------------------------------------------------------------------------------------------------------------- probes
def program(x: Any, lines: Sequence[Line], g: Any, leaves: str = "x", end: str = "y") -> Script:
    """x, the lines, then `end.backward(g)`; values are read before it and gradients after it."""
    begun = [*lines, (f"{end}.data", None), (f"{end}.backward", () if g is None else (g,))]
    return Script(new={"data": x}, name="x", calls=[*begun, *((f"{leaf}.grad", None) for leaf in leaves)])


def unary(rng, x, method, *args):
    """One op on x, and a cotangent of the shape that its result has."""
    shape = np.shape(getattr(Tensor(x), method)(*args).data)
    return program(x, [(f"y = x.{method}", args)], rng.normal(size=shape))


def other(name: str, data: Any) -> Line:
    return f"{name} = Tensor", (data,)


def entries(rng):
    shape = sizes(rng, 2)
    x, w = rng.normal(size=shape), rng.normal(size=shape)
    positive, at_kink = rng.uniform(0.5, 2.0, size=shape), np.where(rng.random(shape) < 0.3, 0.0, x)
    whole, g = rng.integers(-3, 4, size=shape), rng.normal(size=shape)
    return [
        program(x, [other("w", w), ("y = x.__mul__", (Made("w"),))], g, "xw"),
        program(x, [other("w", w), ("y = x.__add__", (Made("w"),))], g, "xw"),
        unary(rng, x.astype(np.float32), "exp"),
        unary(rng, positive, "log"),
        unary(rng, at_kink, "relu"),
        unary(rng, whole.tolist(), "relu"),
        unary(rng, x, "__pow__", 3),
        unary(rng, positive, "__pow__", -0.5),
        unary(rng, x, "__mul__", float(rng.normal())),
        unary(rng, x, "__rmul__", float(rng.normal())),
        unary(rng, x, "__radd__", float(rng.normal())),
        unary(rng, x, "__add__", w),
        unary(rng, x, "__mul__", w[0]),
        unary(rng, float(rng.normal()), "exp"),
        unary(rng, int(rng.integers(2, 9)), "__mul__", 2),
    ]


def stretched(rng):
    n, t, c = sizes(rng, 3)
    x, g = rng.normal(size=(n, c)), rng.normal(size=(n, c))
    b, column, wide = rng.normal(size=c), rng.normal(size=(n, 1)), rng.normal(size=(t, 1, c))
    square = rng.normal(size=(c, c))
    return [
        program(x, [other("b", b), ("y = x.__add__", (Made("b"),))], g, "xb"),
        program(column, [other("w", x), ("y = w.__mul__", (Made("x"),))], g, "wx"),
        program(x, [other("w", wide), ("y = x.__mul__", (Made("w"),))], rng.normal(size=(t, n, c)), "xw"),
        program(np.array(rng.normal()), [other("w", x), ("y = x.__mul__", (Made("w"),))], g, "xw"),
        program(square, [other("b", b), ("y = x.__add__", (Made("b"),))], square[::-1], "xb"),
        program(x[:1], [other("b", b), ("y = x.__mul__", (Made("b"),))], g[:1], "xb"),
    ]


def layers(rng):
    n, i, o = sizes(rng, 3)
    X, W, b = rng.normal(size=(n, i)), rng.normal(size=(i, o)), rng.normal(size=o)
    product = [other("W", W), ("z = x.__matmul__", (Made("W"),))]
    dense = [*product, other("b", b), ("a = z.__add__", (Made("b"),)), ("y = a.relu", ())]
    one = rng.normal(size=(1, i))
    return [
        program(X, [*product, ("y = z.__mul__", (1.5,))], rng.normal(size=(n, o)), "xWz"),
        program(X, dense, rng.normal(size=(n, o)), "xWba"),
        program(one, [*product, ("y = z.exp", ())], rng.normal(size=(1, o)), "xW"),
    ]


def reductions(rng):
    shape = sizes(rng, 3)
    x = rng.normal(size=shape)
    ties = rng.integers(0, 3, size=shape[:2]).astype(float)
    axes = ((), (0,), (1,), (2,), (-1,), (-2,))
    found = [unary(rng, x, method, *axis) for method in ("sum", "mean", "max") for axis in axes]
    found += [unary(rng, ties, "max", *axis) for axis in ((), (0,), (1,))]
    flat = unary(rng, x, "reshape", shape[0], shape[1] * shape[2])
    return [*found, flat, unary(rng, x, "reshape", -1), unary(rng, x[0], "reshape", shape[2], shape[1])]


def reused(rng):
    shape = sizes(rng, 2)
    x, w, g = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape)
    square = [("y = x.__mul__", (Made("x"),))]
    doubled = [("a = x.__mul__", (Made("x"),)), ("b = a.__mul__", (Made("a"),)), ("y = b.__add__", (Made("a"),))]
    added = [other("w", w), ("a = x.__add__", (Made("w"),)), ("y = a.__add__", (Made("x"),))]
    # a short cut past three steps: whoever goes by distance meets `a` before it has all of its gradient
    short_cut = [("a = x.exp", ()), ("b = a.__mul__", (0.5,)), ("c = b.__add__", (2.0,)),
                 ("d = c.__mul__", (Made("a"),)),
                 ("e = d.__add__", (Made("x"),)), ("y = e.__mul__", (Made("a"),))]  # fmt: skip
    return [
        program(x, square, g),
        program(x, doubled, g, "xab"),
        program(x, added, g, "xwa"),
        program(x, short_cut, g, "xabcd"),
    ]


def again(rng):
    """The same way back twice, through a value in between; another graph with the same leaf; a leaf by itself; one
    number, and what is none: several, or a single one on axes of length 1."""
    shape = sizes(rng, 2)
    x, w, g = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape)
    twice = program(x, [("a = x.exp", ()), ("y = a.__mul__", (Made("a"),))], g, "xa")
    twice.calls = [*twice.calls, ("y.backward", (2 * g,)), ("x.grad", None), ("a.grad", None)]
    first = [other("w", w), ("a = x.__mul__", (Made("w"),)), ("a.backward", (g,)), ("x.grad", None)]
    second = program(x, [*first, ("y = x.exp", ())], -g, "xw")
    number = program(x, [("x.grad", None), ("a = x.exp", ()), ("y = a.sum", ())], None, "xay")
    alone = [program(x, [], g, end="x"), program(float(w[0, 0]), [], None, end="x")]
    several = (x, x[0, :1], x[:1, :1])
    refused = [Script(new={"data": a}, name="x", calls=[("y = x.exp", ()), ("y.backward", ())]) for a in several]
    return [twice, second, number, *alone, *refused]


EXERCISE = Exercise(
    reference=Tensor,
    chapter=CHAPTER,
    title="A tape",
    task="""
    An array that remembers what it was computed from. `Tensor(data)` makes one from an array, a list or a number;
    `x.data` is the value as a float64 array, whatever came in; `x.grad` is None until a `backward` has passed.

    Operations return a new Tensor:

    - `x + w`, `x * w` with a Tensor, an array or a number, stretched as NumPy does; `2.0 + x` and `2.0 * x` as well
    - `x @ w` with two matrices; `x ** n` with a number n
    - `x.exp()`, `x.log()`, `x.relu()` (slope 0 at 0)
    - `x.sum(axis=None)`, `x.mean(axis=None)`, `x.max(axis=None)`: None means all axes, and −1 the last one. Where
      several entries share a maximum they share its gradient evenly
    - `x.reshape(3, 4)`: one argument for each axis

    `y.backward(g)`, with g of y's shape, sets `grad` of y and of every Tensor that y was computed from to the gradient
    of the sum of g * y: afresh each time, whatever stood there. For a y of shape () g may be left out and is 1; for any
    other y, leaving it out raises a ValueError.

    `parents` and `pull` are for your own use. You have written `unbroadcast` and `topological_order`.
    """,
    example="x = Tensor([1.0, 2.0, 3.0])\ny = (x * x).sum()\ny.backward()\nprint(y.data, x.grad)  # 14.0 [2. 4. 6.]",
    difficulty=5,
    minutes=60,
    groups=[
        Group("entries", 2, entries, "Operations entry by entry, with numbers too.", CLOSE),
        Group("stretched", 1, stretched, "Values that NumPy stretches.", CLOSE),
        Group("layers", 1, layers, "Matrix products, and a dense layer with relu.", CLOSE),
        Group("reductions", 2, reductions, "sum, mean and max over each axis, ties, and reshape.", CLOSE),
        Group("reuse", 2, reused, "Values that are used more than once.", CLOSE),
        Group("again", 1, again, "A second way back, a second graph, and the start.", CLOSE),
    ],
    misconceptions=[
        Misconception("no_unbroadcast", wrong.Stretched,
            "A bias has shape (C,). Which shape has its gradient after your backward?",
            "gradients stayed in the shape to which NumPy stretched the value", STRETCHED),
        Misconception("averages_copies", wrong.Averages,
            "x is stretched into 4 places. How fast does the sum of the four grow with x?",
            "the copies of a stretched value were averaged", STRETCHED),
        Misconception("found_by_length", wrong.FoundByLength,
            "(4,) was stretched to (4, 4). Which of the two axes was put in front, and do their lengths tell?",
            "an axis had been put in front wherever the value does not have its length", STRETCHED),
        Misconception("judged_by_size", wrong.JudgedBySize,
            "(4,) was stretched to (1, 4). How many entries have both, and which shape must the gradient have?",
            "nothing had been stretched where the number of entries is the same", STRETCHED),
        Misconception("assigns", wrong.Assigns,
            "y = x * x. Two gradients arrive at x. What becomes of the first?",
            "= stood in the place of +=: of several gradients that arrive, the last one stays", TAPE),
        Misconception("shares_memory", wrong.Shares,
            "`a.grad = g; b.grad = g; a.grad += 1`: what is b.grad now?",
            "two nodes shared the memory of one gradient, and one of them added to it in place", TAPE),
        Misconception("never_forgets", wrong.NeverForgets,
            "Call backward twice. Is the second gradient twice the first?",
            "gradients of earlier calls had to be kept and added to", TAPE,
            published="micrograd"),
        Misconception("leaves_never_forget", wrong.LeavesNeverForget,
            "Call backward twice. x has no parents: what stands in its grad before the second call, and what after?",
            "what has no parents had to keep its gradient, and to add to it in the next call", TAPE,
            published="PyTorch"),
        Misconception("inner_never_forget", wrong.InnerNeverForget,
            "Call backward twice. Which Tensors begin the second way back with a gradient of zeros, and which do not?",
            "values in between kept the gradient of an earlier call and handed it on again", TAPE),
        Misconception("dtype_as_it_comes", wrong.AsItComes,
            "Which dtype has x.data in Tensor([1, 2, 3]), and which for a float32 array? Which one does the task name?",
            "data kept the dtype in which they came", TAPE),
        Misconception("axis_cut_out", wrong.CutOut,
            "axis is -1. What is shape[axis + 1:], and what did you expect to stand there?",
            "an axis were always counted from the front", STRETCHED),
        Misconception("remembers_old_graphs", wrong.OldGraphs,
            "x was used in another computation an hour ago. Does this y depend on that one?",
            "a leaf asked all that it was ever used for, and not only this graph", TAPE),
        Misconception("leaves_alone", wrong.LeavesOnly,
            "The task wants `grad` of every Tensor on the way. What is it for one that has parents?",
            "only what has no parents kept its gradient", TAPE,
            published="PyTorch"),
        Misconception("no_visited", wrong.NotVisited,
            "A node is used in two places. How many times does your walk hand its gradient on?",
            "nobody took note of the nodes that were visited", ORDER),
        Misconception("by_distance", wrong.ByDistance,
            "A node is one step from y by one way and five by another. When is its gradient complete?",
            "the distance from y decided on the order", ORDER),
        Misconception("one_step", wrong.OneStep,
            "y = exp(x) squared. How many steps back is x?", "the way back ended after one step", ORDER),
        Misconception("any_shape", wrong.AnyShape,
            "Which number does y.backward() differentiate if y has twelve?",
            "a y of any shape could be differentiated without g", TAPE,
            published="TensorFlow's `GradientTape`"),
        Misconception("one_entry", wrong.OneEntry,
            "A y of shape (1,) has one entry. Is its shape the one for which g may be left out?",
            "an array with a single entry were of shape ()", TAPE,
            published="PyTorch"),
        Misconception("begins_with_zeros", wrong.BeginsWithZeros,
            "What does `grad` say of a Tensor that no backward has passed?",
            "`grad` were zero before any backward", TAPE,
            published="micrograd"),
        Misconception("root_without", wrong.RootWithout,
            "The task wants `grad` of y as well. How fast does the sum of g * y grow with y?",
            "the Tensor at which the way back begins had no gradient itself", TAPE),
        Misconception("ones_for_g", wrong.OnesAlways,
            "What does your backward do with its argument?", "g were 1 everywhere", TAPE),
        Misconception("numbers_refused", wrong.FloatsRefused,
            "In x * 2.0, what is `other`, and has it a `.data` that is an array?",
            "the other operand always were a Tensor", TAPE),
        Misconception("arrays_refused", wrong.ArraysRefused,
            "In x + w with an array w, which of the two has parents and a `pull`?",
            "an array beside a Tensor were a Tensor already", TAPE),
        Misconception("left_operand_alone", wrong.SelfAlone,
            "In x * w, who else has a gradient but x?", "only the left operand had a gradient", TAPE),
        Misconception("own_factor", wrong.OwnFactor,
            "How fast does x * w grow with x: as fast as x is large, or as w is?",
            "the two factors of a product had been mixed up", TAPE),
        Misconception("matmul_untransposed", wrong.NotMatrix,
            "Which product of g with w has the shape of x?", "nothing had to be transposed on the way back", TAPE),
        Misconception("power_by_logarithm", wrong.PowerByLogarithm,
            "What is (-2)³, and what is exp(3 log(-2)) in NumPy?",
            "only positive numbers had powers", SLOPES),
        Misconception("power_not_lowered", wrong.PowerKept,
            "What is the slope of x² at 3?", "the exponent stayed as it was on the way back", SLOPES),
        Misconception("exp_of_exp", wrong.ExpOfExp,
            "The slope of exp is exp: of the input, or of the output?", "exp were taken of the output", SLOPES),
        Misconception("log_by_output", wrong.LogOfOutput,
            "How steep is log at x = 1, where its value is 0?", "the slope of log were 1 over its output", SLOPES),
        Misconception("upstream_forgotten", wrong.NoUpstream,
            "y = 5 exp(x). Does the 5 reach x?", "some operations did not pass on what arrived", SLOPES),
        Misconception("relu_at_zero", wrong.ReluAtZero,
            "For x exactly 0, which slope does the task give to relu?", "the slope of relu at 0 were 1", KINKS),
        Misconception("relu_of_gradient", wrong.ReluOfGradient,
            "Which array decides what relu lets pass on the way back?", "relu were applied to the gradient", SLOPES),
        Misconception("mean_of_all", wrong.MeanOfAll,
            "Over axis 0 of (N, C), how many numbers is each mean made of?",
            "every mean were one over all entries", STRETCHED),
        Misconception("mean_is_sum", wrong.MeanIsSum,
            "The mean of 4 numbers: how much does it grow if one of them grows by 1?",
            "a mean had the slope of a sum", STRETCHED),
        Misconception("axis_forgotten", wrong.AxisForgotten,
            "(N, C) was summed over axis 1. Which shape has g, and which axis does it lack?",
            "a sum were always over the first axis on the way back", STRETCHED),
        Misconception("ties_all", wrong.AllTies,
            "Two entries share the maximum. If both grow by 1, the maximum grows by 1. What do your slopes add up to?",
            "every entry that shares a maximum had all of its gradient", EQUALS),
        Misconception("ties_first", wrong.FirstTie,
            "Two entries share the maximum. Why should the first get more than the second?",
            "the first of several equal maxima took all of the gradient", EQUALS, "PyTorch's `max(dim)`"),
        Misconception("max_to_all", wrong.MaxToAll,
            "Move an entry that is not the maximum. Does the maximum move?",
            "all entries had a part in the maximum", EQUALS),
        Misconception("not_reshaped", wrong.NotReshaped,
            "x is (3, 4), x.reshape(12) was used. Which shape must the gradient of x have?",
            "a reshape were not undone on the way back", STRETCHED),
        Misconception("transposed", wrong.Transposed,
            "reshape keeps the order of the entries in memory. Does your way back?",
            "a reshape were undone by a transpose", STRETCHED),
    ],
    variants=[
        Variant("closures", right.Closures),
        Variant("numbered", right.Numbered),
        Variant("collected", right.Collected),
        Variant("composed", right.Composed),
    ],
    hints=[
        Hint("Each operation makes a new Tensor and leaves two notes on it: who its parents are, and a function that "
             "makes of g = dL/d(result) a gradient for each of them. `backward` knows no operation: it reads notes."),
        Hint('Look at "A number that remembers" for the notes, at "In which order?" for the walk, and at "Copying '
             'forwards is adding backwards" for what becomes of stretched values, sums, means and reshapes.'),
        Hint("A worked sibling, two further operations in the same manner:\n\n"
             "    def __neg__(self):\n        return Tensor(-self.data, (self,), lambda g: (-g,))\n\n"
             "    def __truediv__(self, other):\n        q = self.data / other.data\n"
             "        return Tensor(q, (self, other), lambda g: (g / other.data, -g * q / other.data))"),
        Hint("    backward: order all tensors on which self depends; set every grad to zeros; self.grad = g (or 1)\n"
             "    for each tensor, from self down:\n        for each parent and its part of pull(grad):\n"
             "            parent.grad = parent.grad + the part, unbroadcast to the parent's shape\n"
             "    sum(axis): its pull gives g its lost axis back and stretches it\n"
             "    max(axis): as sum, times 1 at the maxima (over their number), else 0"),
    ],
)  # fmt: skip
