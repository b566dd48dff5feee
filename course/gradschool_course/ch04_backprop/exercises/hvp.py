"""hvp: how the gradient changes along a direction."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.tape import hvp
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Tolerance, Variant

from .common import CHAPTER, CURVED, sizes


# ----------------------------------------------------------------------------------------------------------- hvp, wrong
def one_sided(grad_f, x, v, eps=1e-5):
    return (grad_f(x + eps * v) - grad_f(x)) / eps


def not_halved(grad_f, x, v, eps=1e-5):
    return (grad_f(x + eps * v) - grad_f(x - eps * v)) / eps


def not_divided(grad_f, x, v, eps=1e-5):
    return grad_f(x + eps * v) - grad_f(x - eps * v)


def gradient_times_v(grad_f, x, v, eps=1e-5):
    return grad_f(x) * v


def whole_step(grad_f, x, v, eps=1e-5):
    return (grad_f(x + v) - grad_f(x - v)) / 2


def diagonal_alone(grad_f, x, v, eps=1e-5):
    found = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[i] = eps
        found[i] = (grad_f(x + step)[i] - grad_f(x - step)[i]) / (2 * eps) * v[i]
    return found


def along_ones(grad_f, x, v, eps=1e-5):
    return (grad_f(x + eps) - grad_f(x - eps)) / (2 * eps) * v


def curvature(grad_f, x, v, eps=1e-5):
    return np.sum(v * (grad_f(x + eps * v) - grad_f(x - eps * v))) / (2 * eps)


def normalised(grad_f, x, v, eps=1e-5):
    u = v / np.linalg.norm(v)
    return (grad_f(x + eps * u) - grad_f(x - eps * u)) / (2 * eps)


def eps_squared(grad_f, x, v, eps=1e-5):
    return (grad_f(x + eps**2 * v) - grad_f(x - eps**2 * v)) / (2 * eps**2)


def moves_x(grad_f, x, v, eps=1e-5):
    x += eps * v
    up = grad_f(x)
    x -= 2 * eps * v
    return (up - grad_f(x)) / (2 * eps)


# ----------------------------------------------------------------------------------------------------------- hvp, right
def through_the_matrix(grad_f, x, v, eps=1e-5):
    H = np.zeros((x.size, x.size))
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = eps
        step = step.reshape(x.shape)
        H[:, i] = np.ravel(grad_f(x + step) - grad_f(x - step)) / (2 * eps)
    return (H @ v.ravel()).reshape(x.shape)


def in_unit_steps(grad_f, x, v, eps=1e-5):
    length = np.sqrt(np.sum(v * v))
    h = eps / length
    return (grad_f(x + h * v) - grad_f(x - h * v)) / (2 * h)


def four_points(grad_f, x, v, eps=1e-5):
    """Richardson's: two central differences, of which the larger error is taken away."""
    far, near = ((grad_f(x + h * v) - grad_f(x - h * v)) / (2 * h) for h in (20 * eps, 10 * eps))
    return (4 * near - far) / 3


def bowl(rng, shape, v_size=1.0, x_size=1.0, **options):
    a, b = rng.uniform(0.5, 2, size=shape), float(rng.uniform(0.5, 1.5))
    v = v_size * rng.normal(size=shape)
    return Call(grad_f=Helper("coupled", {"a": a, "b": b}), x=x_size * rng.normal(size=shape), v=v, **options)


def far_out(rng, **options):
    """Where gradients are so large that the difference of two is rounding, unless the points are far enough apart."""
    return bowl(rng, sizes(rng, 2), x_size=200.0, **options)


def bowls(rng):
    return [bowl(rng, sizes(rng, 1)), bowl(rng, sizes(rng, 2)), bowl(rng, (1,)), far_out(rng)]


def steps(rng):
    return [bowl(rng, sizes(rng, 1), eps=1e-4), bowl(rng, sizes(rng, 1), v_size=5.0), far_out(rng, eps=1e-6)]


HVP = Exercise(
    reference=hvp,
    chapter=CHAPTER,
    title="Second derivatives times a vector (optional)",
    task="""
    `grad_f(x)` gives the gradient of some f at x, in x's shape. Return H v: the matrix H of second derivatives of f
    at x, times v, in x's shape. x may have any number of axes; v has its shape.

    Do it with two gradients, at a distance of `eps` times v on either side of x; an error of a millionth is fine. x and
    v are not changed.
    """,
    example="hvp(lambda x: x**3, np.array([1.0, 2.0]), np.array([1.0, 10.0])).round(6)  # [  3. 120.]",
    difficulty=3,
    minutes=10,
    groups=[
        Group("products", 2, bowls, "Functions whose entries act on each other.", Tolerance(rtol=1e-6, atol=1e-9)),
        Group("steps", 1, steps, "Other eps, and a long v.", Tolerance(rtol=1e-5, atol=1e-9)),
    ],
    equivalent={"0cc6447b3be5": "Any eps as small as that gives the same number, within a millionth."},
    misconceptions=[
        Misconception("one_sided", one_sided,
            "Chapter 1 measured the error of two kinds of differences. Which one is yours?",
            "one difference, to one side, were enough", CURVED),
        Misconception("not_halved", not_halved,
            "How far apart are your two points: eps v or 2 eps v?", "the two points were only one eps apart", CURVED),
        Misconception("not_divided", not_divided,
            "Make eps ten times smaller. Does your answer stay?", "nothing had to be divided by eps", CURVED),
        Misconception("gradient_times_v", gradient_times_v,
            "For a straight line H is 0. What is your answer?", "H were the gradient", CURVED),
        Misconception("whole_step", whole_step,
            "What does your code do with eps?", "eps were 1", CURVED),
        Misconception("diagonal_alone", diagonal_alone,
            "For f = x₀ x₁ the diagonal of H is 0. What is H v there?", "entries did not act on each other", CURVED),
        Misconception("along_ones", along_ones,
            "In which direction do you step away from x?", "the step went along all entries equally", CURVED),
        Misconception("curvature", curvature,
            "How many numbers has H v?", "it were v H v, one number", CURVED),
        Misconception("normalised", normalised,
            "Double v. What happens to H v, and what to your answer?", "v had length 1", CURVED),
        Misconception("eps_squared", eps_squared,
            "Of 16 digits, how many differ between your two gradients? What is left of them in the difference?",
            "the smaller the step, the more exact were the difference: eps² in the place of eps", CURVED),
        Misconception("moves_x", moves_x,
            "Is x the same after your call?", "x were yours to move", CURVED),
    ],
    variants=[
        Variant("in_unit_steps", in_unit_steps),
        Variant("through_the_matrix", through_the_matrix),
        Variant("four_points", four_points),
    ],
    hints=[
        Hint("H says how the gradient changes. H v says how it changes along v. What tells you how a function changes "
             "along a direction?"),
        Hint('Look at "Second derivatives for the price of two gradients", and at the differences of chapter 1.'),
        Hint("A worked sibling, how f itself changes along v:\n\n"
             "    def along(f, x, v, eps=1e-5):\n        return (f(x + eps * v) - f(x - eps * v)) / (2 * eps)"),
        Hint("    the gradient a small step ahead, minus the gradient a small step behind,\n"
             "    over the distance of the two, counted in v"),
    ],
    not_bugs={
        "non-scalar allowed": "grad_f is given: f itself is not asked",
        "closes over stale arrays": "no function is returned that could close over anything",
        "gradient for int params": "the task says nothing of whole numbers; `value_and_grad` refuses them",
        "order of args": "there is one array only",
    },
)  # fmt: skip
