"""critical_lr and classify_stationary: what a Hessian says about steps, and about places where the gradient is zero."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.descent import classify_stationary, critical_lr
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, FLAT, RATE


def turned(rng, eigenvalues):
    """A symmetric matrix with these eigenvalues, in random directions."""
    n = len(eigenvalues)
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    H = Q @ np.diag(eigenvalues) @ Q.T
    return (H + H.T) / 2


# ------------------------------------------------------------------------------------------------------- critical_lr
def bowls(rng):
    return [Call(H=turned(rng, rng.uniform(0.2, 9.0, n))) for n in (3, 5, 7, 1)]


def indefinite(rng):
    """Curvatures of both signs; the largest in size is negative."""
    return [Call(H=turned(rng, np.append(rng.uniform(0.2, 4.0, n), rng.uniform(-9.0, -5.0)))) for n in (1, 3, 4)]


def power_iteration(H):
    """The largest eigenvalue by multiplying again and again; H is shifted so that it is also the largest in size."""
    shift = np.abs(H).sum()
    v = np.cos(np.arange(1.0, len(H) + 1))
    A = H + shift * np.eye(len(H))
    for _ in range(30):
        A = A @ A / np.linalg.norm(A @ A)
    v = A @ v
    return 2 * (v @ v) / (v @ H @ v)


CRITICAL_LR = Exercise(
    reference=critical_lr,
    chapter=CHAPTER,
    title="The largest rate that works",
    difficulty=2,
    minutes=6,
    task="""
    H (D, D) is the symmetric Hessian of a quadratic function; at least one of its eigenvalues is positive. Return the
    rate up to which gradient descent shrinks its error along *every* direction in which the function curves upwards,
    and from which on the error grows in one of them.
    """,
    example="critical_lr(np.array([[5.0, 3.0], [3.0, 5.0]]))  # 0.25",
    groups=[
        Group("bowls", 2, bowls, "Hessians with positive eigenvalues in random directions."),
        Group("saddles", 1, indefinite, "Some directions curve downwards: they set no limit."),
    ],
    misconceptions=[
        Misconception("one_over", lambda H: float(1 / np.linalg.eigvalsh(H)[-1]),
            "At lr = 1/λ a step lands at the bottom of that direction. Is that already too far?",
            "a step may not pass the bottom", RATE),
        Misconception("smallest", lambda H: float(2 / np.linalg.eigvalsh(H)[0]),
            "Which direction becomes unstable first, the flattest or the steepest?",
            "the flattest direction set the limit", RATE),
        Misconception("trace", lambda H: float(2 / np.trace(H)),
            "Two directions, curvatures 1 and 10. Does the first one make the limit of the second smaller?",
            "all curvatures added up", RATE),
        Misconception("diagonal", lambda H: float(2 / np.diag(H).max()),
            "The axes are not the steepest directions of a turned bowl. Where does H say which are?",
            "the steepest direction were one of the axes", RATE),
        Misconception("largest_in_size", lambda H: float(2 / np.abs(np.linalg.eigvalsh(H)).max()),
            "Where the function curves downwards: is there a bottom that a step could jump over?",
            "downward curvature set a limit as well", RATE),
        Misconception("frobenius", lambda H: float(2 / np.linalg.norm(H)),
            "Which norm of a matrix is its largest eigenvalue, for a bowl? Which one does np.linalg.norm compute?",
            "the root of the sum of squares of H were its largest eigenvalue", RATE),
        Misconception("largest_row", lambda H: float(2 / np.abs(H).sum(axis=1).max()),
            "Which norm of a matrix is its largest eigenvalue, for a bowl? Which one is the largest sum of a row?",
            "the largest sum of sizes in a row were the largest eigenvalue", RATE),
        Misconception("determinant", lambda H: float(2 / np.linalg.det(H)),
            "Curvatures 1/10 and 10: what is the determinant, and what the limit?",
            "the product of the curvatures set the limit", RATE),
        Misconception("best_rate", lambda H: float(2 / (np.linalg.eigvalsh(H)[0] + np.linalg.eigvalsh(H)[-1])),
            "Is it the rate at which descent is fastest that is asked for, or that at which it breaks?",
            "the rate of the fastest descent were asked for", RATE),
        Misconception("largest_eigenvalue", lambda H: float(np.linalg.eigvalsh(H)[-1]),
            "If f is twice as steep, may the rate be twice as large?", "a steeper bowl allowed a larger rate", RATE),
    ],
    variants=[
        Variant("eigvals", lambda H: 2 / np.max(np.linalg.eigvals(H).real)),
        Variant("eigh", lambda H: 2.0 / np.linalg.eigh(H)[0].max()),
        Variant("power_iteration", power_iteration),
    ],
    hints=[
        Hint("In one dimension, curvature λ: by which factor does a step multiply the error? When is it below −1?"),
        Hint('Look at "How large may a step be?": which of several curvatures becomes unstable first?'),
        Hint("A worked sibling, the condition number of a bowl: `e = np.linalg.eigvalsh(H); return e[-1] / e[0]`."),
        Hint("    λ = the eigenvalues of H, sorted\n    return 2 over the one that allows least"),
    ],
)  # fmt: skip


# ----------------------------------------------------------------------------------------------- classify_stationary
def by_signs(eigenvalues, zero):
    up, down = np.any(eigenvalues > zero), np.any(eigenvalues < -zero)
    if up and down:
        return "saddle"
    if np.any(np.abs(eigenvalues) <= zero):
        return "degenerate"
    return "min" if up else "max"


def eigenvalues_of(H):
    return np.linalg.eigvalsh((H + H.T) / 2)


def by_determinant(H, tol=1e-8):
    det = np.linalg.det((H + H.T) / 2)
    if abs(det) <= tol:
        return "degenerate"
    if det < 0:
        return "saddle"
    return "min" if H[0, 0] > 0 else "max"


def by_minors(H, tol=1e-8):
    """Sylvester's criterion, which tells minima and maxima, for all four: a minor that vanishes is called flat."""
    S = (H + H.T) / 2
    S = S / max(np.abs(S).max(), 1e-300)
    minors = np.array([np.linalg.det(S[:k, :k]) for k in range(1, len(S) + 1)])
    if np.any(np.abs(minors) <= tol):
        return "degenerate"
    if np.all(minors > 0):
        return "min"
    return "max" if np.all(np.sign(minors) == (-1.0) ** np.arange(1, len(S) + 1)) else "saddle"


def by_trace(H, tol=1e-8):
    return "min" if np.trace(H) > tol else "max" if np.trace(H) < -tol else "saddle"


def by_diagonal(H, tol=1e-8):
    return by_signs(np.diag(H), tol * np.abs(np.diag(H)).max())


def exact_zero(H, tol=1e-8):
    return by_signs(eigenvalues_of(H), 0.0)


def absolute_zero(H, tol=1e-8):
    return by_signs(eigenvalues_of(H), tol)


def times_largest_by_value(H, tol=1e-8):
    e = eigenvalues_of(H)
    return by_signs(e, tol * e.max())


def times_sum_of_squares(H, tol=1e-8):
    e = eigenvalues_of(H)
    return by_signs(e, tol * np.sum(e**2))


def times_frobenius(H, tol=1e-8):
    e = eigenvalues_of(H)
    return by_signs(e, tol * np.linalg.norm(e))


def times_sum_of_sizes(H, tol=1e-8):
    e = eigenvalues_of(H)
    return by_signs(e, tol * np.abs(e).sum())


def zero_first(H, tol=1e-8):
    e = eigenvalues_of(H)
    if np.any(np.abs(e) <= tol * np.abs(e).max()):
        return "degenerate"
    return by_signs(e, 0.0)


def zero_is_up(H, tol=1e-8):
    e = eigenvalues_of(H)
    zero = tol * np.abs(e).max()
    return "min" if np.all(e >= -zero) else "max" if np.all(e <= zero) else "saddle"


def lower_half(H, tol=1e-8):
    e = np.linalg.eigvalsh(H)
    return by_signs(e, tol * np.abs(e).max())


def not_symmetrised(H, tol=1e-8):
    e = np.linalg.eigvals(H).real
    return by_signs(e, tol * np.abs(e).max())


def signs_of_pivots(H, tol=1e-8):
    """What elimination leaves on the diagonal, in the place of the eigenvalues."""
    U, pivots = (H + H.T) / 2, []
    while len(U):
        pivots.append(U[0, 0])
        U = U[1:, 1:] - (np.outer(U[1:, 0], U[0, 1:]) / U[0, 0] if U[0, 0] else 0.0)
    return by_signs(np.array(pivots), tol * np.abs(pivots).max())


def exchanged(H, tol=1e-8):
    right = classify_stationary(H, tol)
    return {"min": "max", "max": "min"}.get(right, right)


def sum_of_both(H, tol=1e-8):
    """The singular values are never negative."""
    s = np.linalg.svd((H + H.T) / 2, compute_uv=False)
    return "min" if np.all(s > tol * s.max()) else "degenerate"


def ends_alone(H, tol=1e-8):
    e = eigenvalues_of(H)
    zero = tol * np.abs(e).max()
    return "min" if e[0] > zero else "max" if e[-1] < -zero else "saddle"


# -- right
def by_counting(H, tol=1e-8):
    e = np.linalg.eigvals(0.5 * H + 0.5 * H.T).real
    signs = {int(s) for s in np.sign(np.where(np.abs(e) <= tol * np.max(np.abs(e)), 0.0, e))}
    if {1, -1} <= signs:
        return "saddle"
    return {1: "min", -1: "max"}[signs.pop()] if signs in ({1}, {-1}) else "degenerate"


def by_ends(H, tol=1e-8):
    e, _ = np.linalg.eigh((H + H.T) / 2)
    low, high = e[0], e[-1]
    zero = tol * max(-low, high)
    if low < -zero and high > zero:
        return "saddle"
    return "min" if low > zero else "max" if high < -zero else "degenerate"


def one_sign_at_a_time(H, tol=1e-8):
    e = np.linalg.eigvalsh(H + H.T) / 2
    zero = tol * np.linalg.norm(e, np.inf)
    if (e > zero).all():
        return "min"
    if (e < -zero).all():
        return "max"
    return "saddle" if (e > zero).any() and (e < -zero).any() else "degenerate"


def some(rng, n):
    """n curvatures, all upwards."""
    return rng.uniform(0.3, 4.0, n)


def plain(rng):
    """All four kinds, so that a guess is right one time in four, and saddles with an even number of downward ways."""
    kinds = [
        some(rng, 4),
        -some(rng, 4),
        np.append(some(rng, 3), -some(rng, 2)),
        np.append(some(rng, 2), -some(rng, 1)),
        some(rng, 1),
        -some(rng, 1),
        np.append(some(rng, 1), -3 * some(rng, 2)),
    ]
    crossed = rng.uniform(0.5, 2.0) * (2 * np.ones((3, 3)) - np.eye(3))  # a saddle with a positive diagonal
    product = rng.uniform(0.5, 2.0) * np.array([[0.0, 1.0], [1.0, 0.0]])  # that of x y, with a diagonal of zeros
    return [*(Call(H=turned(rng, e)) for e in kinds), Call(H=crossed), Call(H=product)]


def with_zeros(rng):
    kinds = [
        np.append(some(rng, 3), 0.0),
        np.append(-some(rng, 2), 0.0),
        [*some(rng, 2), -1.0, 0.0],
        [*-some(rng, 2), 1.0, 0.0, 0.0],
    ]
    return [*(Call(H=turned(rng, e)) for e in kinds), Call(H=np.zeros((3, 3))), Call(H=turned(rng, some(rng, 5)))]


def beside_the_tolerance():
    """Second curvatures of either sign above the tolerance, below it and at it, beside a first one of either sign."""
    default: dict[str, float] = {}
    sized = [(1.5e-8, default), (0.7e-8, default), (0.25, {"tol": 0.25})]
    signs = [(first, second) for first in (1.0, -1.0) for second in (1.0, -1.0)]
    return [Call(H=np.diag([a, b * size]), **options) for size, options in sized for a, b in signs]


def scales(rng):
    """The same bowls in other units, and tolerances of one's own."""
    up = rng.uniform(0.5, 2.0, 3)
    near_tol = np.array([[1.0, 0.8], [0.8, 1.0]])  # eigenvalues 1.8 and 0.2, pivots 1 and 0.36
    return [
        Call(H=turned(rng, 1e-12 * up)),
        Call(H=turned(rng, -1e-11 * up)),
        Call(H=turned(rng, 1e9 * np.append(up, 1e-11))),
        Call(H=turned(rng, 1e9 * up)),
        Call(H=turned(rng, 1e-6 * np.append(up, 1e-11))),
        Call(H=turned(rng, np.append(np.full(4, 1.0), 0.3)), tol=0.2),
        Call(H=turned(rng, np.append(np.full(4, 1.0), 0.6)), tol=0.2),
        Call(H=turned(rng, np.append(up, 1e-3)), tol=1e-2),
        Call(H=turned(rng, np.append(up, 1e-3)), tol=1e-5),
        Call(H=turned(rng, np.append(-up, 1e-3)), tol=1e-2),
        Call(H=turned(rng, np.append(up, -1e-3)), tol=1e-2),
        Call(H=turned(rng, np.append(up, -1e-6))),
        Call(H=turned(rng, np.append(up, 1e-6))),
        *beside_the_tolerance(),
        Call(H=rng.uniform(0.5, 2.0) * near_tol, tol=0.2),
    ]


def lopsided(rng):
    """H plus something that xᵀ H x does not feel."""
    calls = []
    for signs in ([1, 1, 1], [-1, -1, -1, -1], [1, -1, 1]):
        e = np.array(signs) * rng.uniform(0.5, 2.0, len(signs))
        A = 6 * rng.normal(size=(len(signs), len(signs)))
        calls.append(Call(H=turned(rng, e) + A - A.T))
    e, A = np.append(rng.uniform(1.5, 2.0, 3), -0.05), 6 * rng.normal(size=(4, 4))
    return [*calls, Call(H=turned(rng, e) + A - A.T)]


CLASSIFY = Exercise(
    reference=classify_stationary,
    chapter=CHAPTER,
    title="Minimum, maximum, saddle?",
    difficulty=3,
    minutes=15,
    task="""
    At some place the gradient is zero, and H (D, D) is the Hessian there. Return what kind of place it is:

    - `"min"`, if the function curves upwards in every direction
    - `"max"`, if it curves downwards in every direction
    - `"saddle"`, if it curves upwards in one and downwards in another
    - `"degenerate"` otherwise: it is flat in some direction, and H alone does not say

    An eigenvalue counts as zero if its size is at most `tol` times the size of the largest one. H may come from finite
    differences and not be quite symmetric: what counts is how the function curves, xᵀ H x, in all directions x.
    """,
    example="[classify_stationary(np.diag(d)) for d in ([1.0, 2.0], [1.0, -2.0], [1.0, 0.0])]"
    "  # ['min', 'saddle', 'degenerate']",
    groups=[
        Group("signs", 2, plain, "All kinds without zeros, in one to five dimensions."),
        Group("zeros", 1, with_zeros, "Flat directions, alone and beside others."),
        Group("scales", 1, scales, "Tiny and huge Hessians, and other tolerances."),
        Group("lopsided", 1, lopsided, "Hessians that are not symmetric."),
    ],
    misconceptions=[
        Misconception("determinant", by_determinant,
            "Two directions up, two down: which sign has the determinant?",
            "the determinant and one entry decided, as in two dimensions", FLAT),
        Misconception("minors", by_minors,
            "H = [[0, 1], [1, 0]]: is there a direction in which the function is flat?",
            "a leading minor of 0 were a flat direction", FLAT),
        Misconception("trace", by_trace,
            "Curvatures 5 and −1: what is the trace, and what the place?", "the sum of the curvatures decided", FLAT),
        Misconception("diagonal", by_diagonal,
            "x y has a saddle at 0. What is on the diagonal of its Hessian?",
            "only the directions of the axes counted", FLAT),
        Misconception("exact_zero", exact_zero,
            "Which eigenvalue does your computer give for a flat direction: 0.0, or something like 1e-17?",
            "an eigenvalue were zero only if it is exactly 0.0", FLAT),
        Misconception("absolute_tolerance", absolute_zero,
            "Measure x in kilometres in the place of metres. Is the place still what it was?",
            "tol were an absolute size, whatever the others are", FLAT),
        Misconception("largest_by_value", times_largest_by_value,
            "Curvatures −5 and 0.001: which is the largest one by its size, and which does `max()` give?",
            "the largest eigenvalue were that with the largest value, and not with the largest size", FLAT),
        Misconception("sum_of_squares", times_sum_of_squares,
            "H in other units is a million times as large. By which factor does what you take for zero grow?",
            "tol were multiplied by the sum of the squares of H", FLAT),
        Misconception("frobenius", times_frobenius,
            "Four curvatures of 1: how large is the largest of them, and how large the root of the sum of squares?",
            "tol were multiplied by the root of the sum of squares of H, not by the largest eigenvalue", FLAT),
        Misconception("sum_of_sizes", times_sum_of_sizes,
            "Four curvatures of 1: how large is the largest of them, and how large their sum?",
            "tol were multiplied by the sum of all sizes, not by the largest eigenvalue", FLAT),
        Misconception("any_zero_is_degenerate", zero_first,
            "One direction up, one down, one flat: is there any doubt that one can go down and up from here?",
            "a flat direction left everything in doubt", FLAT),
        Misconception("flat_counts_as_up", zero_is_up,
            "x³ is flat at 0. Is that a minimum?", "a flat direction could not spoil a minimum", FLAT),
        Misconception("lower_half", lower_half,
            "Which half of a matrix does `eigvalsh` read?", "the lower half of H were all of it", FLAT),
        Misconception("not_symmetrised", not_symmetrised,
            "Add A − Aᵀ to H. How much does xᵀ H x change, and how much do the eigenvalues?",
            "the eigenvalues of a lopsided H said how the function curves", FLAT),
        Misconception("pivots", signs_of_pivots,
            "[[1, 0.8], [0.8, 1]] has the pivots 1 and 0.36. How does the function curve along [1, -1]?",
            "the pivots of elimination were the eigenvalues", FLAT),
        Misconception("exchanged", exchanged,
            "x² has its minimum at 0. Which sign has its second derivative?", "a minimum curved downwards", FLAT),
        Misconception("singular_values", sum_of_both,
            "Can a singular value be negative?", "curvatures had no sign", FLAT),
        Misconception("never_degenerate", ends_alone,
            "Curvatures 1 and 0: is that a saddle?", "what is no minimum and no maximum were a saddle", FLAT),
    ],
    variants=[
        Variant("by_counting", by_counting),
        Variant("by_ends", by_ends),
        Variant("one_sign_at_a_time", one_sign_at_a_time),
    ],
    hints=[
        Hint("Curvature in a direction is a number with a sign. Which directions are enough to know all of them?"),
        Hint('Look at "Places where nothing pulls". Which part of H does xᵀ H x feel?'),
        Hint("A worked sibling, the sign of a noisy number: `0 if abs(x) <= tol * largest else np.sign(x)`."),
        Hint("    S = the symmetric part of H; λ = its eigenvalues; zero = tol times the largest size\n"
             "    some above zero and some below −zero: saddle; all above: min; all below: max; else degenerate"),
    ],
)  # fmt: skip
