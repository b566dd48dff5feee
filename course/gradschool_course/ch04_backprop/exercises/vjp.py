"""vjp: where the way back begins with any g, for functions that give arrays."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.tape import vjp
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, FUNCTIONS, same_array, sizes
from .value_and_grad import VARIABLE, as_many, made_once, number, pair, run_back, slope


# ----------------------------------------------------------------------------------------------------------- vjp, wrong
def ones_for_g(f, Variable, arrays, g):
    y, variables = run_back(f, Variable, arrays, np.ones_like(g))
    return y.data, tuple(slope(v) for v in variables)


def g_afterwards(f, Variable, arrays, g):
    """The gradient of the sum, times the sum of g."""
    y, variables = run_back(f, Variable, arrays, np.ones_like(g))
    return y.data, tuple(slope(v) * np.sum(g) for v in variables)


def times_y(f, Variable, arrays, g):
    """The gradient of half the sum of g y²: the value comes in once more."""
    y, _ = run_back(f, Variable, arrays, g)
    y, variables = run_back(f, Variable, arrays, g * y.data)
    return y.data, tuple(slope(v) for v in variables)


def vjp_first_alone(f, Variable, arrays, g):
    y, variables = run_back(f, Variable, arrays, g)
    return y.data, slope(variables[0])


def vjp_other_order(f, Variable, arrays, g):
    y, variables = run_back(f, Variable, arrays, g)
    return y.data, tuple(slope(v) for v in reversed(variables))


def of_two_arrays(f, Variable, arrays, g):
    a, b = arrays
    return vjp(f, Variable, (a, b), g)


def vjp_none_for_unused(f, Variable, arrays, g):
    y, variables = run_back(f, Variable, arrays, g)
    return y.data, tuple(v.grad for v in variables)


def vjp_one_for_both(f, Variable, arrays, g):
    variables = made_once(Variable, arrays)
    y = f(*variables)
    y.backward(g)
    return y.data, tuple(slope(v) for v in variables)


def pulled_alone(f, Variable, arrays, g):
    _, variables = run_back(f, Variable, arrays, g)
    return tuple(slope(v) for v in variables)


def jacobians(f, Variable, arrays, g):
    """All of dy/da, with g not applied."""
    y, variables = run_back(f, Variable, arrays, g)
    found = [np.zeros(np.shape(g) + v.data.shape) for v in variables]
    for index in np.ndindex(*np.shape(g)):
        unit = np.zeros(np.shape(g))
        unit[index] = 1
        _, again = run_back(f, Variable, arrays, unit)
        for J, v in zip(found, again, strict=True):
            J[index] = slope(v)
    return y.data, tuple(found)


# ----------------------------------------------------------------------------------------------------------- vjp, right
def through_the_jacobian(f, Variable, arrays, g):
    y, found = jacobians(f, Variable, arrays, g)
    return y, tuple(np.tensordot(g, J, axes=np.ndim(g)) for J in found)


def through_a_number(f, Variable, arrays, g):
    """The gradient of the sum of g y, a number."""
    variables = [Variable(a) for a in arrays]
    y = f(*variables)
    total = (y * np.array(g)).sum()
    total.backward()
    return y.data, tuple(slope(v) for v in variables)


def entry_by_entry(f, Variable, arrays, g):
    """The entries of g one after another, added."""
    y, variables = run_back(f, Variable, arrays, g)
    sums = [np.zeros(v.data.shape) for v in variables]
    for index in np.ndindex(*np.shape(g)):
        unit = np.zeros(np.shape(g))
        unit[index] = g[index]
        _, again = run_back(f, Variable, arrays, unit)
        sums = [total + slope(v) for total, v in zip(sums, again, strict=True)]
    return y.data, sums


# ------------------------------------------------------------------------------------------------------------ exercise
def pulled(rng, name, shape):
    f = Helper(name, {"c": float(rng.uniform(0.5, 2))})
    g = np.array(rng.normal()) if name != "every_entry" else rng.normal(size=shape)
    return Call(f=f, Variable=number(), arrays=pair(rng, shape), g=g)


def many(rng):
    few = (2, int(rng.integers(3, 6)))  # the checks' variables carry all slopes, a square of the number of entries
    return [pulled(rng, "every_entry", shape) for shape in (sizes(rng, 1), few)]


def one(rng):
    twice = pulled(rng, "weighed_sum", sizes(rng, 1))
    twice.arguments["arrays"] = same_array(rng)
    others = [pulled(rng, "as_many_as_come", sizes(rng, 1)) for _ in range(2)]
    for call, count in zip(others, (3, 1), strict=True):
        call.arguments["arrays"] = as_many(rng, count)
    return [pulled(rng, "weighed_sum", sizes(rng, 2)), pulled(rng, "first_alone", sizes(rng, 1)), twice, *others]


VJP = Exercise(
    reference=vjp,
    returns=("y", "pulled"),
    chapter=CHAPTER,
    title="A vector times the Jacobian",
    task=f"""
    f takes several arrays and gives an array y. Return the tuple (y, pulled): y = f(*arrays) as an array, and a tuple
    with the gradient of the sum of g * y with respect to each of `arrays`, in their order; zeros for what f does not
    use. `g` has y's shape, `arrays` is a tuple, in which one array may stand twice. No argument is changed.

    {VARIABLE}
    """,
    example="class Plain:\n    def __init__(self, data): self.data, self.grad = np.asarray(data), None\n"
    "    def backward(self, g=1.0): self.grad = g\n"
    "vjp(lambda x: x, Plain, (np.array([3.0]),), np.array([7.0]))  # (array([3.]), (array([7.]),))",
    difficulty=2,
    minutes=10,
    may_alias=True,
    groups=[
        Group("arrays", 2, many, "Functions that give arrays.", CLOSE),
        Group("numbers", 1, one, "Functions that give one number; what is not used; one array twice.", CLOSE),
    ],
    misconceptions=[
        Misconception("ones_for_g", ones_for_g,
            "What does your code do with g?", "g were 1 everywhere", FUNCTIONS),
        Misconception("g_summed", g_afterwards,
            "Entry 0 of y has g = 1, entry 1 has g = -1. Do they cancel before or after the way back?",
            "g came in only after the way back, as a sum", FUNCTIONS),
        Misconception("value_comes_in", times_y,
            "Does the gradient of a linear function depend on its value?", "g were multiplied by y", FUNCTIONS),
        Misconception("other_order", vjp_other_order,
            "Which array does the first gradient belong to?", "the gradients stood in another order", FUNCTIONS),
        Misconception("first_argument_alone", vjp_first_alone,
            "For how many of the arrays do you return a gradient?", "only the first array had a gradient", FUNCTIONS),
        Misconception("two_arrays_always", of_two_arrays,
            "`arrays` may hold one array, or three. For how many does yours work?",
            "there were always two arrays", FUNCTIONS),
        Misconception("none_for_unused", vjp_none_for_unused,
            "f does not look at w. How fast does f change with w?",
            "what f does not use had no gradient, where it has zeros", FUNCTIONS,
            published="TensorFlow's `GradientTape`"),
        Misconception("one_variable_for_both", vjp_one_for_both,
            "f(a, a): how fast does y change with the first argument alone? Which variable knows that?",
            "one array in two places had one gradient, that of both together", FUNCTIONS),
        Misconception("pulled_alone", pulled_alone,
            "Two things are asked for. How many do you return?", "the value were not asked for", FUNCTIONS),
        Misconception("whole_jacobian", jacobians,
            "y has 12 entries and x has 20. Do you want 240 numbers, or 20?",
            "all derivatives of all entries were asked for", FUNCTIONS),
    ],
    variants=[
        Variant("through_a_number", through_a_number),
        Variant("through_the_jacobian", through_the_jacobian),
        Variant("entry_by_entry", entry_by_entry),
    ],
    hints=[
        Hint("Nearly all of it you have written for `value_and_grad`. Only the way back begins otherwise."),
        Hint('Look at "Derivatives as functions": with which g does the way back begin if y is no number?'),
        Hint("A worked sibling, the same for y = A x with a matrix, without any tape:\n\n"
             "    def matrix_vjp(A, x, g):\n        return A @ x, g @ A"),
        Hint("    a fresh variable for each array\n    y = f of the variables\n    go back from y, beginning with g\n"
             "    return the data of y, and for each variable its grad, or zeros"),
    ],
    not_bugs={
        "non-scalar allowed": "here y may have any shape: that is what g is for",
        "closes over stale arrays": "no function is returned that could close over anything",
        "gradient for int params": "the task says nothing of whole numbers; `value_and_grad` refuses them",
    },
)  # fmt: skip
