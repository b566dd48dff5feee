"""value_and_grad: a function in, a function out, which returns value and gradient."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.tape import value_and_grad
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, FUNCTIONS, same_array, sizes

VARIABLE = """`Variable(array)` makes a variable: your Tensor in this notebook, a small stand-in for it in the checks.
    It has `data` and is understood by f. What f returns has `data` and `backward(g)`, after which the variables have
    `grad`; it stays None for a variable that f did not use."""


# ---------------------------------------------------------------------------------------------- value_and_grad, wrong
def run_back(f, Variable, arrays, g=None):
    """The result of f, and the variables, whose gradients are there."""
    variables = [Variable(a) for a in arrays]
    y = f(*variables)
    y.backward(g)
    return y, variables


def slope(v):
    return np.zeros(v.data.shape) if v.grad is None else v.grad


def refuse_whole_numbers(arrays):
    if any(np.asarray(a).dtype.kind != "f" for a in arrays):
        raise TypeError("floats, please")


def sums_for_itself(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        variables = [Variable(a) for a in arrays]
        y = f(*variables)
        y.backward(np.ones(y.data.shape))
        return y.data, tuple(slope(v) for v in variables)

    return run


def stale(f, Variable):
    """The variables of the first call are kept, and used in every later one."""
    kept = []

    def run(*arrays):
        refuse_whole_numbers(arrays)
        kept.extend([] if kept else [Variable(a) for a in arrays])
        y = f(*kept)
        y.backward()
        return y.data, tuple(slope(v) for v in kept)

    return run


def only_int64(f, Variable):
    def run(*arrays):
        if any(np.asarray(a).dtype == int for a in arrays):
            raise TypeError("floats, please")
        y, variables = run_back(f, Variable, arrays)
        return y.data, tuple(slope(v) for v in variables)

    return run


def only_float64(f, Variable):
    def run(*arrays):
        if any(np.asarray(a).dtype != float for a in arrays):
            raise TypeError("floats, please")
        y, variables = run_back(f, Variable, arrays)
        return y.data, tuple(slope(v) for v in variables)

    return run


def whole_numbers_too(f, Variable):
    def run(*arrays):
        y, variables = run_back(f, Variable, arrays)
        return y.data, tuple(slope(v) for v in variables)

    return run


def other_order(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        y, variables = run_back(f, Variable, arrays)
        return y.data, tuple(slope(v) for v in reversed(variables))

    return run


def first_alone(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        y, variables = run_back(f, Variable, arrays)
        return y.data, slope(variables[0])

    return run


def of_two_arrays(f, Variable):
    both = value_and_grad(f, Variable)
    return lambda a, b: both(a, b)


def none_for_unused(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        y, variables = run_back(f, Variable, arrays)
        return y.data, tuple(v.grad for v in variables)

    return run


def gradient_first(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        y, variables = run_back(f, Variable, arrays)
        return tuple(slope(v) for v in variables), y.data

    return run


def gradient_alone(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        _, variables = run_back(f, Variable, arrays)
        return tuple(slope(v) for v in variables)

    return run


def variables_themselves(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        y, variables = run_back(f, Variable, arrays)
        return y, tuple(slope(v) for v in variables)

    return run


def made_once(Variable, arrays):
    """One variable for an array, in however many places it stands."""
    made = {id(a): Variable(a) for a in arrays}
    return [made[id(a)] for a in arrays]


def one_for_both(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        variables = made_once(Variable, arrays)
        y = f(*variables)
        y.backward()
        return y.data, tuple(slope(v) for v in variables)

    return run


def by_differences(f, Variable):
    """Central differences, far too coarse."""

    def run(*arrays):
        refuse_whole_numbers(arrays)
        y = f(*(Variable(a) for a in arrays))
        if y.data.shape != ():
            raise ValueError("one number, please")
        slopes = []
        for i, a in enumerate(arrays):
            found = np.zeros(a.shape)
            for index in np.ndindex(*a.shape):
                ends = []
                for step in (1e-3, -1e-3):
                    moved = [b.copy() for b in arrays]
                    moved[i][index] += step
                    ends.append(f(*(Variable(b) for b in moved)).data)
                found[index] = (ends[0] - ends[1]) / 2e-3 + 1e-6
            slopes.append(found)
        return y.data, tuple(slopes)

    return run


# ---------------------------------------------------------------------------------------------- value_and_grad, right
def in_a_class(f, Variable):
    return Differentiated(f, Variable).run


class Differentiated:
    def __init__(self, f, Variable):
        self.f, self.Variable = f, Variable

    def run(self, *arrays):
        refuse_whole_numbers(arrays)
        y, variables = run_back(self.f, self.Variable, arrays)
        return float(y.data), [np.array(slope(v)) for v in variables]


def with_a_seed(f, Variable):
    def run(*arrays):
        refuse_whole_numbers(arrays)
        variables = tuple(map(Variable, arrays))
        y = f(*variables)
        if np.ndim(y.data) > 0:
            raise ValueError("one number, please")
        y.backward(1.0)
        return y.data * 1.0, tuple(np.zeros_like(v.data) if v.grad is None else v.grad * 1.0 for v in variables)

    return run


def one_at_a_time(f, Variable):
    """A pass for every argument: slower, and right."""

    def run(*arrays):
        refuse_whole_numbers(arrays)
        passes = [run_back(f, Variable, arrays) for _ in arrays]
        return passes[0][0].data, tuple(slope(variables[i]) for i, (_, variables) in enumerate(passes))

    return run


# -------------------------------------------------------------------------------------------------- how they are probed
def pair(rng, shape):
    return rng.normal(size=shape), rng.normal(size=shape)


def number() -> Helper:
    return Helper("carried", {})


def as_many(rng, count):
    shape = sizes(rng, 1)
    return tuple(rng.normal(size=shape) for _ in range(count))


def asked(rng, name, *shapes):
    """A function of two arrays, asked at one pair of arrays after another."""
    f = Helper(name, {"c": float(rng.uniform(0.5, 2))})
    return Call(f=f, Variable=number()).then(*(pair(rng, shape) for shape in shapes))


FEW = 5  # entries along an axis: central differences take a pass for each


def several(rng):
    a, b = sizes(rng, 2, FEW), sizes(rng, 1)
    first, second = asked(rng, "weighed_sum", a, a, b), asked(rng, "weighed_sum", b, b)
    single = tuple(a.astype(np.float32) for a in pair(rng, b))
    f = Helper("as_many_as_come", {"c": float(rng.uniform(0.5, 2))})
    others = Call(f=f, Variable=number()).then(as_many(rng, 3), as_many(rng, 1))
    return [first, second.then(*second.afterwards, same_array(rng), pair(rng, ()), single), others]


def unused(rng):
    a = sizes(rng, 2, FEW)
    return [asked(rng, "first_alone", a, sizes(rng, 1)), asked(rng, "weighed_sum", a)]


def refused(rng):
    whole, short, unsigned = (rng.integers(1, 5, size=4).astype(kind) for kind in ("int64", "int32", "uint8"))
    f = Helper("weighed_sum", {"c": float(rng.uniform(0.5, 2))})
    asks = [(rng.normal(size=4), whole), (short, rng.normal(size=4)), (rng.normal(size=4), unsigned), pair(rng, (3,))]
    ints = Call(f=f, Variable=number()).then(*asks)
    return [asked(rng, "every_entry", sizes(rng, 1)), ints]


# ------------------------------------------------------------------------------------------------------------ exercise
VALUE_AND_GRAD = Exercise(
    reference=value_and_grad,
    returns=("value", "grads"),
    chapter=CHAPTER,
    title="A function that returns value and gradient",
    task=f"""
    Return a *function* of the same arguments as f. Called with arrays, it returns the tuple (value, grads): what f
    gives there, a number, and a tuple with the gradient for each argument, in their order, zeros for what f does not
    use. It may be called again, with other arrays, and with one array in two places.

    {VARIABLE}

    When called, whole numbers of any type are refused with a TypeError, since they cannot take a small step; and if f
    gives more than one number, a ValueError says so.
    """,
    example="class Doubled:\n    def __init__(self, data): self.data, self.grad = np.asarray(data), None\n"
    "    def backward(self, g=1.0): self.grad = g\n"
    "value_and_grad(lambda x: x, Doubled)(np.array(3.0))  # (array(3.), (1.0,))",
    difficulty=3,
    minutes=15,
    groups=[
        Group("calls", 2, several, "Several calls of the function; one array in two places.", CLOSE),
        Group("unused", 1, unused, "An argument that f does not use.", CLOSE),
        Group("refused", 1, refused, "Whole numbers, and an f with more than one number.", CLOSE),
    ],
    misconceptions=[
        Misconception("non_scalar_allowed", sums_for_itself,
            "f gives twelve numbers. Which one does the gradient belong to?",
            "several numbers could be differentiated at a time", FUNCTIONS,
            published="TensorFlow's `GradientTape`"),
        Misconception("stale_arrays", stale,
            "Call your function twice, with other arrays. Which arrays does the second call look at?",
            "the arrays of the first call were used in every later one", FUNCTIONS),
        Misconception("whole_numbers_too", whole_numbers_too,
            "A class number 3: what would it mean to move it by 0.001?",
            "whole numbers had a gradient", FUNCTIONS),
        Misconception("only_int64", only_int64,
            "Labels often come as uint8, or as int32. Is `a.dtype == int` true of those?",
            "whole numbers were those of the type int64 only", FUNCTIONS),
        Misconception("only_float64", only_float64,
            "Can an array of float32 take a small step?", "floats were those of the type float64 only", FUNCTIONS),
        Misconception("other_order", other_order,
            "Which argument does the first gradient belong to?", "the gradients stood in another order", FUNCTIONS),
        Misconception("first_argument_alone", first_alone,
            "f has two arguments. For how many of them do you return a gradient?",
            "only the first argument had a gradient", FUNCTIONS,
            published="JAX and `torch.func`, unless `argnums` is given"),
        Misconception("two_arguments_always", of_two_arrays,
            "f may have one argument, or three. With how many can your function be called?",
            "there were always two arguments", FUNCTIONS),
        Misconception("none_for_unused", none_for_unused,
            "f does not look at w. How fast does f change with w?",
            "what f does not use had no gradient, where it has zeros", FUNCTIONS,
            published="TensorFlow's `GradientTape`"),
        Misconception("gradient_first", gradient_first,
            "Which of the two does the task name first?", "the gradients came before the value", FUNCTIONS,
            published="PyTorch's `torch.func.grad_and_value`"),
        Misconception("gradient_alone", gradient_alone,
            "The way back needs the way there. Why throw its result away?", "only the gradients were asked for",
            FUNCTIONS),
        Misconception("variable_returned", variables_themselves,
            "Is the value you return a number, or an object with a number in it?",
            "the value were to stay a variable", FUNCTIONS),
        Misconception("one_variable_for_both", one_for_both,
            "f(a, a): how fast does the value change with the first argument alone? Which variable knows that?",
            "one array in two places had one gradient, that of both together", FUNCTIONS),
        Misconception("differences", by_differences,
            "Where in your code does `backward` stand?", "slopes were measured with steps of a thousandth", FUNCTIONS),
    ],
    variants=[
        Variant("a_class", in_a_class),
        Variant("with_a_seed", with_a_seed),
        Variant("one_at_a_time", one_at_a_time),
    ],
    hints=[
        Hint("Two functions: the outer one gets f, the inner one gets arrays. Which of the two knows everything that a "
             "pass needs? Everything of a pass belongs into it."),
        Hint('Look at "Derivatives as functions", and at what `backward` leaves on the variables.'),
        Hint("A worked sibling, a function that returns a function's value and its square:\n\n"
             "    def value_and_square(f):\n        def run(*arrays):\n            y = f(*arrays)\n"
             "            return y, y * y\n        return run"),
        Hint("    def run(*arrays):\n        refuse whole numbers\n        a fresh variable for each array\n"
             "        y = f of the variables; refuse it unless its shape is ()\n        go back from y\n"
             "        return the data of y, and for each variable its grad, or zeros\n    return run"),
    ],
)  # fmt: skip
