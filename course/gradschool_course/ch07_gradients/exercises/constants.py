"""selu_constants: the two numbers with which mean 0 and a variance come out as they went in."""

from __future__ import annotations

import math

import numpy as np

from gradschool.lessons.depth import selu_constants
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .common import CHAPTER, CLOSE, FIXED


# --------------------------------------------------------------------------------------------- how constants go wrong
def tail(x):
    """P(z < -x) of a standard normal z."""
    return math.erfc(x / math.sqrt(2)) / 2


def left_of_zero(k, s):
    """E[exp(k z)] over z < 0."""
    return math.exp((k * s) ** 2 / 2) * tail(k * s)


def solved(
    mean_left=left_of_zero, cross=2.0, half=0.5, positive=0.5, spread=math.sqrt,
    answer=lambda alpha, scale: (alpha, scale),
):  # fmt: skip
    """selu_constants with parts of one's own."""

    def found(var=1.0):
        s = spread(var)
        once, twice = mean_left(1, s), mean_left(2, s)
        alpha = s / math.sqrt(2 * math.pi) / (half - once)
        square = positive * s**2 + alpha**2 * (twice - cross * once + half)
        return answer(alpha, s / math.sqrt(abs(square)))

    return found


def with_phi(phi):
    return lambda k, s: math.exp((k * s) ** 2 / 2) * phi(k * s)


def with_erf(x):
    return math.erf(x / math.sqrt(2)) / 2


def other_side(x):
    return 1 - tail(x)


def root_forgotten(x):
    return math.erfc(x) / 2


def whole_tail(x):
    return math.erfc(x / math.sqrt(2))


def exponent_not_squared(k, s):
    return math.exp(k * s**2 / 2) * tail(k * s)


def same_tail(k, s):
    return math.exp((k * s) ** 2 / 2) * tail(s)


def itself(var):
    return var


def mean_alone(var=1.0):
    return solved()(var)[0], 1.0


def elu_alone(var=1.0):
    s = math.sqrt(var)
    once, twice = math.exp(s**2 / 2) * tail(s), math.exp(2 * s**2) * tail(2 * s)
    return 1.0, s / math.sqrt(s**2 / 2 + twice - 2 * once + 0.5)


def always_one(var=1.0):
    return 1.6732632423543772, 1.0507009873554805


# ------------------------------------------------------------------------------------------------ other right answers
def by_quadrature(var=1.0):
    """Gauss' rule in the place of the closed integrals."""
    s = math.sqrt(var)
    x, w = np.polynomial.legendre.leggauss(120)
    z = 6.5 * s * (x - 1)
    w = w * 6.5 * np.exp(-((z / s) ** 2) / 2) / math.sqrt(2 * math.pi)
    left = np.expm1(z)
    alpha = s / math.sqrt(2 * math.pi) / -(w @ left)
    return float(alpha), float(s / math.sqrt(var / 2 + alpha**2 * (w @ left**2)))


def by_bisection(var=1.0):
    s = math.sqrt(var)
    mean_left = math.exp(var / 2) * tail(s) - 0.5
    low, high = 0.0, 1000.0
    for _ in range(200):
        alpha = (low + high) / 2
        low, high = (alpha, high) if s / math.sqrt(2 * math.pi) + alpha * mean_left > 0 else (low, alpha)
    square = var / 2 + alpha**2 * (math.exp(2 * var) * tail(2 * s) - 2 * math.exp(var / 2) * tail(s) + 0.5)
    return [alpha, (var / square) ** 0.5]


def as_the_paper_writes(var=1.0):
    s = var**0.5
    a, b = math.erfc(s / 2**0.5) * math.exp(var / 2), math.erfc(2**0.5 * s) * math.exp(2 * var)
    alpha = -s * math.sqrt(2 / math.pi) / (a - 1)
    return alpha, math.sqrt(2 * var / (var + alpha**2 * (b - 2 * a + 1)))


def bug(name, says, hint, wrong=None, **parts):
    return Misconception(name, wrong or solved(**parts), hint, says, FIXED)


EXERCISE = Exercise(
    reference=selu_constants,
    returns=("alpha", "scale"),
    chapter=CHAPTER,
    title="SELU's two numbers",
    difficulty=4,
    minutes=25,
    task="""
    Return `(alpha, scale)`, two floats, such that `scale * elu(z, alpha)` has the mean 0 and the variance `var` if z is
    normal with the mean 0 and the variance `var`. elu(z, alpha) is z where z > 0, else alpha (e^z - 1).

    Two equations, one for the mean and one for the mean square. Nine digits are asked for, for any `var` between 0.3
    and 3; `math.erfc` is allowed.
    """,
    example="alpha, scale = selu_constants()\nround(alpha, 7), round(scale, 7)  # (1.6732632, 1.050701)",
    groups=[
        Group("variance 1", 1, lambda rng: [Call()], "The published constants.", CLOSE),
        Group("other variances", 3, lambda rng: [Call(var=float(v)) for v in rng.uniform(0.3, 3, 4)],
            "Other variances.", CLOSE),
    ],
    misconceptions=[
        bug("alpha_scaled", "alpha times scale stood in the place of alpha",
            "Far on the left SELU tends to -1.758. Is that alpha, or a product?",
            answer=lambda alpha, scale: (alpha * scale, scale)),
        bug("swapped", "alpha and scale were exchanged", "Which of the two does the task name first?",
            answer=lambda alpha, scale: (scale, alpha)),
        bug("other_sign", "alpha were negative",
            "elu(z, alpha) is alpha (e^z - 1): which sign must it have on the left?",
            answer=lambda alpha, scale: (-alpha, scale)),
        bug("inverse_scale", "it were divided by scale where it is multiplied",
            "Is the variance of elu below `var` or above? Must scale make it larger?",
            answer=lambda alpha, scale: (alpha, 1 / scale)),
        bug("scale_squared", "the variance were multiplied by scale",
            "Double all numbers: their variance becomes how much?",
            answer=lambda alpha, scale: (alpha, scale**2)),
        bug("erf_for_erfc", "erf stood in the place of erfc",
            "erf(0) is 0 and erfc(0) is 1. Which of them tells how much lies beyond?", mean_left=with_phi(with_erf)),
        bug("other_side", "the other side of the normal distribution counted",
            "Is P(z < -s) more than a half, or less?", mean_left=with_phi(other_side)),
        bug("root_forgotten", "Phi(-s) were erfc(s) / 2",
            "For s = 1, is P(z < -1) 0.159 or 0.079?", mean_left=with_phi(root_forgotten)),
        bug("half_forgotten", "Phi(-s) were erfc(s / √2)", "For s = 1, is P(z < -1) 0.159 or 0.317?",
            mean_left=with_phi(whole_tail)),
        bug("cross_term_once", "(a - b)² were a² - ab + b²", "What is (e^z - 1)², multiplied out?", cross=1.0),
        bug("cross_term_added", "(a - b)² were a² + 2ab + b²", "What is (e^z - 1)², multiplied out?", cross=-2.0),
        bug("exponent_not_squared", "the integral had k and not k² in its exponent",
            "(e^z)² is e^(2z): which k is that, and what is k² s²/2?", mean_left=exponent_not_squared),
        bug("same_tail", "Phi(-s) stood in both integrals",
            "(e^z)² is e^(2z): which k is that, and of what is Phi to be taken then?", mean_left=same_tail),
        bug("whole_one", "the 1 in e^z - 1 counted for all z, and not only for z < 0",
            "Which share of all z lies below 0, and what is the mean of 1 over these?", half=1.0),
        bug("whole_square", "z > 0 had the whole mean square", "Which share of the mean of z² lies where z > 0?",
            positive=1.0),
        bug("variance_for_deviation", "`var` were the deviation", "With var = 4, what is s?", spread=itself),
        bug("mean_alone", "only the mean had been asked for", "Which variance comes out with scale = 1?", mean_alone),
        bug("alpha_one", "alpha were 1, as in ELU", "Which mean has elu(z, 1): 0, or more?", elu_alone),
        bug("always_one", "`var` were always 1", "Where in your code does `var` stand?", always_one),
    ],
    variants=[
        Variant("by quadrature", by_quadrature),
        Variant("by bisection", by_bisection),
        Variant("as the paper writes", as_the_paper_writes),
    ],
    hints=[
        Hint(
            "alpha only has to bring the mean to 0; scale then repairs the variance. Two "
            "equations, one after the other."
        ),
        Hint('Look at "Two numbers that make a fixed point": the mean of e^z over z < 0 in closed form.'),
        Hint(
            "A worked sibling, the a for which max(z, 0) - a has mean 0, z ~ N(0, s²):\n\n"
            "    mean = s / math.sqrt(2 * math.pi)      # of max(z, 0)\n    a = mean"
        ),
        Hint(
            "    s = √var;  E1 = exp(s²/2) Φ(-s);  E2 = exp(2 s²) Φ(-2 s)\n"
            "    alpha = (mean of z where z > 0) / (1/2 - E1)\n"
            "    square = s²/2 + alpha² (E2 - 2 E1 + 1/2);  scale = s / √square"
        ),
    ],
    equivalent=equivalent.CONSTANTS,
)  # fmt: skip
