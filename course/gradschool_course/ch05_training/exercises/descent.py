"""gradient_descent: downhill until it is flat."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.descent import gradient_descent
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, DOWN, STOP, whole


# --------------------------------------------------------------------------------------------------------- how it fails
def ascent(f, grad, x0, lr, tol, max_iter):
    return gradient_descent(f, grad, x0, -lr, tol, max_iter)


def small_change_of_f(f, grad, x0, lr, tol, max_iter):
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        x = x - lr * grad(x)
        history.append(float(f(x)))
        if abs(history[-1] - history[-2]) <= tol:
            break
    return x, history


def small_step(f, grad, x0, lr, tol, max_iter):
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        step = lr * grad(x)
        if np.linalg.norm(step) <= tol:
            break
        x = x - step
        history.append(float(f(x)))
    return x, history


def without_the_start(f, grad, x0, lr, tol, max_iter):
    x, history = gradient_descent(f, grad, x0, lr, tol, max_iter)
    return x, history[1:]


def without_the_end(f, grad, x0, lr, tol, max_iter):
    x = np.array(x0, dtype=float)
    history = []
    for _ in range(max_iter):
        history.append(float(f(x)))
        g = grad(x)
        if np.linalg.norm(g) <= tol:
            break
        x = x - lr * g
    return x, history


def in_place(f, grad, x0, lr, tol, max_iter):
    x, history = x0, [float(f(x0))]
    for _ in range(max_iter):
        g = grad(x)
        if np.linalg.norm(g) <= tol:
            break
        x -= lr * g
        history.append(float(f(x)))
    return x, history


def one_more(f, grad, x0, lr, tol, max_iter):
    return gradient_descent(f, grad, x0, lr, tol, max_iter + 1)


def one_less(f, grad, x0, lr, tol, max_iter):
    return gradient_descent(f, grad, x0, lr, tol, max_iter - 1)


def stops_a_step_late(f, grad, x0, lr, tol, max_iter):
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        g = grad(x)
        x = x - lr * g
        history.append(float(f(x)))
        if np.linalg.norm(g) <= tol:
            break
    return x, history


def never_stops(f, grad, x0, lr, tol, max_iter):
    return gradient_descent(f, grad, x0, lr, -1.0, max_iter)


def by_largest_entry(f, grad, x0, lr, tol, max_iter):
    return stopped_by(lambda g: np.abs(g).max() <= tol, f, grad, x0, lr, max_iter)


def by_square(f, grad, x0, lr, tol, max_iter):
    return stopped_by(lambda g: g @ g <= tol, f, grad, x0, lr, max_iter)


def stopped_by(flat, f, grad, x0, lr, max_iter):
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        g = grad(x)
        if flat(g):
            break
        x = x - lr * g
        history.append(float(f(x)))
    return x, history


def first_gradient(f, grad, x0, lr, tol, max_iter):
    g = grad(np.array(x0, dtype=float))
    return gradient_descent(f, lambda x: g, x0, lr, tol, max_iter)


def unit_steps(f, grad, x0, lr, tol, max_iter):
    return gradient_descent(f, lambda x: grad(x) / max(np.linalg.norm(grad(x)), 1e-300), x0, lr, tol, max_iter)


def stops_when_it_rises(f, grad, x0, lr, tol, max_iter):
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        g = grad(x)
        new = x - lr * g
        if np.linalg.norm(g) <= tol or f(new) > history[-1]:
            break
        x = new
        history.append(float(f(x)))
    return x, history


def history_of_places(f, grad, x0, lr, tol, max_iter):
    places = []
    x, _ = gradient_descent(lambda x: places.append(np.array(x)) or 0.0, grad, x0, lr, tol, max_iter)
    return x, places


def entry_by_entry(f, grad, x0, lr, tol, max_iter):
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        g = grad(x)
        if np.linalg.norm(g) <= tol:
            break
        for i in range(len(x)):
            x[i] -= lr * grad(x)[i]
        history.append(float(f(x)))
    return x, history


# -------------------------------------------------------------------------------------------------------- how it works
def with_while(f, grad, x0, lr, tol, max_iter):
    x, history = np.asarray(x0) + 0.0, []
    history.append(f(x))
    while len(history) <= max_iter and not np.sqrt(np.sum(grad(x) ** 2)) <= tol:
        x = x - lr * grad(x)
        history.append(f(x))
    return x, history


def places_first(f, grad, x0, lr, tol, max_iter):
    places = [np.array(x0)]
    while len(places) < max_iter + 1:
        slope = grad(places[-1])
        if np.hypot.reduce(slope, initial=0.0) <= tol:
            break
        places.append(places[-1] - lr * slope)
    return places[-1], [f(x) for x in places]


def in_place_on_a_copy(f, grad, x0, lr, tol, max_iter):
    x = np.copy(x0)
    history = [f(x)]
    for _ in range(max_iter):
        g = grad(x)
        if g @ g <= tol * tol:
            return x, history
        x -= lr * g
        history.append(f(x))
    return x, history


# ---------------------------------------------------------------------------------------------------- how it is probed
def bowl(rng, D, **options):
    """A bowl whose curvatures lie between 0.5 and 4, turned at random."""
    Q = np.linalg.qr(rng.normal(size=(D, D)))[0]
    shape = {"A": Q @ np.diag(rng.uniform(0.5, 4.0, D)) @ Q.T, "b": rng.normal(size=D)}
    f, grad = Helper("bowl", shape), Helper("bowl_slope", shape)
    return Call(f=f, grad=grad, x0=3 * rng.normal(size=D), **options)


def wells(rng, x0, **options):
    shape = {"a": rng.uniform(0.5, 2.0, len(x0))}
    return Call(f=Helper("wells", shape), grad=Helper("wells_slope", shape), x0=x0, **options)


def a_few_steps(rng):
    return [
        bowl(rng, 5, lr=0.1, tol=1e-9, max_iter=whole(rng, 4, 9)),
        bowl(rng, 1, lr=0.15, tol=1e-9, max_iter=whole(rng, 4, 9)),
        wells(rng, rng.uniform(0.2, 1.5, 3), lr=0.12, tol=1e-9, max_iter=1),
        bowl(rng, 3, lr=0.1, tol=1e-9, max_iter=0),
    ]


def until_flat(rng):
    ridge = np.append(rng.uniform(0.5, 1.5, 3), 1e-4)  # the last entry stands nearly on the ridge, and comes down
    return [
        bowl(rng, 4, lr=0.2, tol=1e-3, max_iter=300),
        bowl(rng, 6, lr=0.01, tol=0.3, max_iter=900),
        wells(rng, ridge, lr=0.3, tol=1e-5, max_iter=400),
        wells(rng, np.array([1.0, -1.0, 0.0]), lr=0.1, tol=0.0, max_iter=5),
    ]


def too_fast(rng):
    return [bowl(rng, 5, lr=float(rng.uniform(5.0, 6.0)), tol=1e-6, max_iter=whole(rng, 4, 8)) for _ in range(2)]


EXERCISE = Exercise(
    reference=gradient_descent,
    returns=("x", "history"),
    chapter=CHAPTER,
    title="Gradient descent",
    difficulty=1,
    minutes=12,
    task="""
    Walk downhill from `x0` (D,). `f(x)` is a number, `grad(x)` its gradient, (D,). A step goes against the gradient,
    and is `lr` times as long.

    Stop as soon as the Euclidean norm of the gradient at x is at most `tol`: from there no step is taken. Take at most
    `max_iter` steps.

    Return the tuple (x, history): the last x, and a list of the heights f at all places in their order, the first that
    of x0 and the last that of x. x0 is not changed.
    """,
    example="x, history = gradient_descent(lambda x: x @ x, lambda x: 2 * x, np.array([4.0]), 0.25, 0.1, 3)\n"
    "print(x, history)  # [0.5] [16.0, 4.0, 1.0, 0.25]",
    groups=[
        Group("steps", 2, a_few_steps, "A few steps, from different places.", CLOSE),
        Group("stops", 2, until_flat, "Steps until it is flat, beginning near a ridge and on a flat place too.", CLOSE),
        Group("grows", 1, too_fast, "A rate that is too large: every step still counts.", CLOSE),
    ],
    misconceptions=[
        Misconception("ascent", ascent,
            "The gradient points to where f grows. Is your f after a small step larger or smaller?",
            "the way went uphill", DOWN),
        Misconception("small_change_of_f", small_change_of_f,
            "Near a ridge f hardly changes in a step, and yet the way down has only begun. What else says that a place "
            "is flat?", "a small change of f meant that one has arrived", STOP),
        Misconception("small_step", small_step,
            "Make lr a thousand times smaller. Does your descent now stop at once, on a steep slope?",
            "a short step, lr included, meant that it is flat", STOP),
        Misconception("history_without_start", without_the_start,
            "Ten steps visit how many places, the first one included?", "the height of x0 were no part of the history",
            DOWN),
        Misconception("history_without_end", without_the_end,
            "Is the last number of your history the height of the x that you return?",
            "the height were noted before each step, and never after the last", DOWN),
        Misconception("changes_x0", in_place,
            "Print x0 after the call. Whose array did you change?", "x0 were yours to walk with", DOWN),
        Misconception("one_step_more", one_more,
            "With max_iter = 1, how many steps do you take?", "there were a step more than max_iter", STOP),
        Misconception("one_step_less", one_less,
            "With max_iter = 1, do you take a step?", "x0 counted as one of max_iter steps", STOP),
        Misconception("stops_a_step_late", stops_a_step_late,
            "Begin where the gradient is zero. How long is your history?",
            "whether it is flat were asked after the step", STOP),
        Misconception("never_stops", never_stops,
            "What does your descent do with `tol`?", "there were no tol", STOP),
        Misconception("largest_entry", by_largest_entry,
            "How long is the gradient (3, 4)? What do you compare with tol?",
            "the largest entry of the gradient were its length", STOP),
        Misconception("squared_length", by_square,
            "A gradient has the length 0.1. Which number do you compare with tol?",
            "the square of the length were the length", STOP),
        Misconception("first_gradient", first_gradient,
            "After the first step you stand somewhere else. Where is the gradient that your second step uses from?",
            "the gradient were the same everywhere", DOWN),
        Misconception("unit_steps", unit_steps,
            "On a gentle slope and on a steep one: are your steps equally long?",
            "every step had the length lr, however steep it is", DOWN),
        Misconception("stops_when_it_rises", stops_when_it_rises,
            "The task names two reasons to stop. Did you add a third?", "a step that leads up were not taken", STOP),
        Misconception("history_of_places", history_of_places,
            "Is the history a list of heights, or of places?", "places were asked for, not heights", DOWN),
        Misconception("entry_by_entry", entry_by_entry,
            "When you move the second entry, at which place is the gradient that you use?",
            "every entry moved on its own, and the gradient were asked anew in between", DOWN),
    ],
    variants=[
        Variant("with_while", with_while),
        Variant("places_first", places_first),
        Variant("in_place_on_a_copy", in_place_on_a_copy),
    ],
    hints=[
        Hint("Three things happen at every place: ask for the gradient, decide whether to stop, step."),
        Hint('Look at "Downhill, step by step" for the step, at "When to stop" for the order.'),
        Hint("A worked sibling, halving a number until it is small, with all that it was:\n\n"
             "    def halved(x, tol, max_iter):\n        history = [x]\n        for _ in range(max_iter):\n"
             "            if x <= tol:\n                break\n            x = x / 2\n            history.append(x)\n"
             "        return x, history"),
        Hint("    x = a copy of x0; history = [f(x)]\n    max_iter times: g = grad(x); if it is short enough: stop\n"
             "        x = x against g, lr times; note f(x)"),
    ],
)  # fmt: skip
