"""orthogonal: weights that turn a signal without stretching it."""

from __future__ import annotations

import math

import numpy as np

from gradschool import recurrent_initializers
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Property, Refusal, Variant
from gradschool_grader.sigma import SixSigma, chi_square

from . import equivalent
from .common import CHAPTER, GENERATOR, TURNED, WIDER, checked, drawn, misfit

# ---------------------------------------------------------------------------------------- what holds for right answers
DRAWS = 34  # all of a coin agree once in 2³³ times
LARGE_DRAWS = 20  # of 45 columns: a coin of 70:30 passes once in 100 million times
SKEWED = 1.5  # by so much a sum of fourth powers is taken to spread wider than it does: it is not quite normal
ALWAYS = {
    "row": "In all draws the entries of the first row (or column, if there are fewer rows) have the same signs.",
    "column": "In all draws the entries of the first column (or row, if there are fewer) have the same signs.",
    "diagonal": "In all draws the entries on the diagonal have the same signs.",
    "first": "In all draws the first entry has the same sign.",
    "last": "In all draws the second entry on the diagonal has the same sign.",
    "largest": "In all draws the largest entry of each column (or row, if there are fewer) has the same sign.",
    "hand": "All draws are reflections, or none is: they are half of all orthogonal matrices.",
}


FAIR = {
    "qr": "Columns (or rows, if there are fewer) have the signs that a QR decomposition leaves too often or rarely.",
    "diagonal": "On the diagonals one sign is more frequent than the other.",
    "row": "In the first row (or column, if there are fewer rows) one sign is more frequent than the other.",
    "column": "In the first column (or row, if there are fewer) one sign is more frequent than the other.",
    "largest": "Largest entries of the columns (or rows, if there are fewer) have one sign more often than the other.",
    "sums": "The sums of the columns (or rows, if there are fewer) have one sign more often than the other.",
    "flat": "Large entries of the columns (or rows, if fewer) are too rare: some directions are more frequent.",
    "peaked": "Large entries of the columns (or rows, if there are fewer) are too frequent: not all directions alike.",
    "together": "Within a draw the signs of the columns (or rows, if there are fewer) go together: turned round is the "
    "whole, and not each of them by itself.",
}


def turns(shape, gain=1.0, dtype="float64"):
    """Orthonormal columns, or rows where there are fewer of them, times gain."""
    close = 1e-8 if dtype == "float64" else 1e-4

    def holds(values):
        W = values[0]
        if wrong := misfit(W, shape, dtype):
            return wrong
        Q = W.astype(float).reshape(-1, shape[-1]) / gain
        if orthonormal(Q.reshape(Q.shape[::-1]), close) and not orthonormal(Q, close):
            return "The numbers are those of an orthogonal matrix, in other rows and columns."
        Q = upright(Q)
        products = Q.T @ Q
        lengths = np.diag(products)
        if not np.allclose(lengths, lengths[0], atol=close):
            return "The columns (or rows, where there are fewer) differ in length."
        if not np.allclose(products, np.diag(lengths), atol=close):
            return "The columns (or rows, where there are fewer) are not at right angles to each other."
        if not np.allclose(lengths, 1, atol=close):
            return f"The columns (or rows, where there are fewer) have not the length `gain`, but {length(Q, gain)}."
        return None

    return holds


def upright(Q):
    """With at least as many rows as columns."""
    return np.swapaxes(Q, -2, -1) if Q.shape[-2] < Q.shape[-1] else Q


def random_signs_in(shape):
    """Over many draws of a small matrix, no sign that is fair in each draw is always the same.

    Turning round a column or a row of a random orthogonal matrix makes another that is as likely. Right signs agree in
    all draws once in 2³³ times.
    """

    def holds(values):
        if wrong := next(filter(None, (misfit(W, shape, "float64") for W in values)), None):
            return wrong
        Q = upright(np.array(values))
        hand = Q[:, 0, 0] * Q[:, 1, 1] - Q[:, 0, 1] * Q[:, 1, 0]
        signs = {
            "row": Q[:, 0, :2],
            "column": Q[:, :2, 0],
            "diagonal": Q[:, (0, 1), (0, 1)],
            "first": Q[:, 0, 0],
            "last": Q[:, 1, 1],
            "largest": largest(Q),
            "hand": hand,
        }
        always = {name: np.sign(x[0]) for name, x in signs.items() if (np.sign(x) == np.sign(x[0])).all()}
        about = str({name: x.tolist() for name, x in always.items()})
        return Refusal(ALWAYS[next(iter(always))], about=about) if always else None

    return holds


def fair_signs_in(shape):
    """Over some draws of a larger matrix, both signs are as frequent wherever each column, or each row, has one, and
    in a draw one of them says nothing of the others.

    Turning round one column or row and no other makes another matrix that is as likely: so these are coins, and fair.
    """

    def scores(values):
        if wrong := next(filter(None, (misfit(W, shape, "float64") for W in values)), None):
            return wrong
        Q = upright(np.array(values))
        numbers = {
            "qr": np.diagonal(np.linalg.qr(Q)[1], axis1=1, axis2=2),
            "diagonal": np.diagonal(Q, axis1=1, axis2=2),
            "row": Q[:, 0],
            "column": Q[:, :, 0],
            "largest": largest(Q),
            "sums": Q.sum(axis=1),
        }
        signs = {name: np.sign(x.reshape(len(x), -1)) for name, x in numbers.items()}
        one_by_one = {name: float(x.sum()) / (WIDER * math.sqrt(x.size)) for name, x in signs.items()}
        by_draw, size = float((signs["qr"].sum(axis=1) ** 2).sum()) / Q.shape[2], fourth_powers(Q) / SKEWED
        more = {"together": chi_square(by_draw, len(Q)) / WIDER, "peaked" if size > 0 else "flat": size}
        return more | one_by_one

    return SixSigma(scores, FAIR)


def fourth_powers(Q):
    """Of the first third of the columns, whose directions are those of what was drawn, in standard deviations.

    A column q is a random direction in n dimensions: the sum of its q⁴ has the mean 3 / (n + 2), and that of its square
    follows from E[q⁸] = 105/D and E[q⁴ p⁴] = 9/D for two entries, where D = n (n + 2) (n + 4) (n + 6).
    """
    draws, n, columns = Q.shape
    columns = columns // 3
    mean, D = 3 / (n + 2), n * (n + 2) * (n + 4) * (n + 6)
    variance = (105 * n + 9 * n * (n - 1)) / D - mean**2
    sums = (Q[:, :, :columns] ** 4).sum(axis=1)
    return float((sums - mean).sum()) / math.sqrt(draws * columns * variance)


def largest(Q):
    return np.take_along_axis(Q, np.abs(Q).argmax(axis=1, keepdims=True), axis=1)


def orthonormal(Q, close):
    products = Q.T @ Q if Q.shape[0] >= Q.shape[1] else Q @ Q.T
    return np.allclose(products, np.eye(len(products)), atol=close)


def length(Q, gain):
    """What a wrong length is called, in words that another draw would get as well: a power of gain, if it is one."""
    found = gain * math.sqrt(Q[:, 0] @ Q[:, 0])
    powers = {"1": 0.0, "its square": 2.0, "its root": 0.5, "1 / `gain`": -1.0}
    return next((words for words, n in powers.items() if math.isclose(found, gain**n, rel_tol=1e-4)), "another one")


# -------------------------------------------------------------------------------------------------------------- probes
def asked(rng, shape, gain=1.0, dtype="float64"):
    options = ({} if gain == 1 else {"gain": gain}) | ({} if dtype == "float64" else {"dtype": dtype})
    return checked({"shape": shape, "rng": drawn(rng)} | options, turns(shape, gain, dtype))


def many(rng, shape):
    return Property(Call(shape=shape, rng=drawn(rng)), random_signs_in(shape), DRAWS)


def some(rng, shape):
    return Property(Call(shape=shape, rng=drawn(rng)), fair_signs_in(shape), LARGE_DRAWS)


def tall(rng):
    return [asked(rng, (int(rng.integers(20, 30)), 7)), many(rng, (2, 2)), some(rng, (int(rng.integers(46, 50)), 45))]


def wide(rng):
    return [asked(rng, (int(rng.integers(5, 9)), 37)), many(rng, (2, 3)), some(rng, (45, int(rng.integers(46, 50))))]


def kernels(rng):
    return [asked(rng, (3, 4, 5, 17)), asked(rng, (1, 3, 2, 11))]


def gains(rng):
    return [asked(rng, (13, 8), float(rng.uniform(1.5, 2.5))), asked(rng, (7, 11), float(rng.uniform(0.3, 0.6)))]


def as_told(rng):
    return [asked(rng, (13, 8), dtype="float32"), Call(shape=(5, 3), gain=0.0, rng=Helper("no_generator"))]


def refused(rng):
    return [asked(rng, (13, 8)), *(Call(shape=shape, rng=drawn(rng)) for shape in ((5,), ()))]


# ----------------------------------------------------------------------------------------------- how turning goes wrong
def of_normal(rng, rows, columns):
    return rng.normal(size=(max(rows, columns), min(rows, columns)))


def random_signs(Q, R):
    return Q * np.where(np.diag(R) < 0, -1, 1)


def as_they_come(Q, R):
    return Q


def first_row_positive(Q, R):
    return Q * np.sign(Q[0])


def largest_positive(Q, R):
    return Q * np.sign(Q[np.abs(Q).argmax(axis=0), np.arange(Q.shape[1])])


def turned(draw=of_normal, signs=random_signs, scale=lambda gain: gain):
    """orthogonal with parts of one's own."""

    def answer(shape, rng, gain=1.0, dtype=np.float64):
        if len(shape) < 2:
            raise ValueError(f"{shape} has one axis")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        Q = signs(*np.linalg.qr(draw(rng, rows, columns)))
        return (scale(gain) * (Q if rows >= columns else Q.T)).reshape(shape).astype(dtype)

    return answer


def only_normalised(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    W = rng.normal(size=(math.prod(shape[:-1]), shape[-1]))
    axis = 0 if W.shape[0] >= W.shape[1] else 1
    return (gain * W / np.sqrt((W**2).sum(axis=axis, keepdims=True))).reshape(shape).astype(dtype)


def only_normal(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    return (gain * rng.normal(size=shape) / np.sqrt(math.prod(shape[:-1]))).astype(dtype)


def always_tall(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    Q, R = np.linalg.qr(rng.normal(size=(math.prod(shape[:-1]), shape[-1])))
    return (gain * Q * np.where(np.diag(R) < 0, -1, 1)[: Q.shape[1]]).reshape(shape).astype(dtype)


def reshaped_for_wide(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    Q = random_signs(*np.linalg.qr(of_normal(rng, rows, columns)))
    return (gain * Q).reshape(shape).astype(dtype)


def first_axis_apart(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    rows, columns = shape[0], math.prod(shape[1:])
    Q = random_signs(*np.linalg.qr(of_normal(rng, rows, columns)))
    return (gain * (Q if rows >= columns else Q.T)).reshape(shape).astype(dtype)


def reshaped_for_tall(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    Q = random_signs(*np.linalg.qr(of_normal(rng, rows, columns)))
    return (gain * Q.T).reshape(shape).astype(dtype)


def one_factor(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    U, _, V = np.linalg.svd(rng.normal(size=(rows, columns)), full_matrices=False)
    return (gain * (U if rows >= columns else V)).reshape(shape).astype(dtype)


def one_coin(shape, rng, gain=1.0, dtype=np.float64):
    """One sign for all columns."""
    Q = turned(signs=as_they_come)(shape, rng)
    return (gain * rng.choice([-1, 1]) * Q).astype(dtype)


def only_rotations(shape, rng, gain=1.0, dtype=np.float64):
    """A determinant of -1 is made 1."""
    Q = turned()(shape, rng)
    if Q.ndim == 2 and Q.shape[0] == Q.shape[1] and np.linalg.det(Q) < 0:
        Q[:, -1] *= -1
    return (gain * Q).astype(dtype)


def of_uniform(rng, rows, columns):
    return rng.random((max(rows, columns), min(rows, columns)))


def of_symmetric_uniform(rng, rows, columns):
    return rng.uniform(-1, 1, size=(max(rows, columns), min(rows, columns)))


def own_generator(rng, rows, columns):
    return of_normal(np.random.default_rng(), rows, columns)


def in_double(shape, rng, gain=1.0, dtype=np.float64):
    return turned()(shape, rng, gain)


def vectors_too(shape, rng, gain=1.0, dtype=np.float64):
    matrix = shape if len(shape) > 1 else (shape[0], 1)
    return turned()(matrix, rng, gain, dtype).reshape(shape)


def numbers_too(shape, rng, gain=1.0, dtype=np.float64):
    if len(shape) == 1:
        raise ValueError(f"{shape} has one axis")
    return turned()(shape or (1, 1), rng, gain, dtype).reshape(shape)


# ------------------------------------------------------------------------------------------------ other right answers
def by_svd(shape, rng, gain=1.0, dtype=np.float64):
    """The orthogonal matrix that is nearest to a random one."""
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    U, _, V = np.linalg.svd(rng.normal(size=(math.prod(shape[:-1]), shape[-1])), full_matrices=False)
    return (gain * (U @ V)).reshape(shape).astype(dtype)


def coins_for_signs(shape, rng, gain=1.0, dtype=np.float64):
    rows, *others = shape
    if not others:
        raise ValueError(f"{shape} has one axis")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    A = rng.standard_normal((rows, columns))
    Q = np.linalg.qr(A if rows >= columns else A.T)[0]
    Q = Q * rng.choice([-1.0, 1.0], size=min(rows, columns))
    return np.reshape(gain * (Q if rows >= columns else Q.T), shape).astype(dtype)


def gram_schmidt(shape, rng, gain=1.0, dtype=np.float64):
    """One direction after the other; twice, as once is not enough."""
    if len(shape) < 2:
        raise ValueError(f"{shape} has one axis")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    Q = np.zeros((min(rows, columns), max(rows, columns)))
    for i in range(len(Q)):
        q = rng.normal(size=Q.shape[1])
        for _ in range(2):
            q -= Q[:i].T @ (Q[:i] @ q)
        Q[i] = q / np.linalg.norm(q)
    return (gain * (Q.T if rows >= columns else Q)).reshape(shape).astype(dtype)


def bug(name, says, hint, wrong, see=TURNED, published=""):
    return Misconception(name, wrong, hint, says, see, published)


EXERCISE = Exercise(
    reference=recurrent_initializers.orthogonal,
    chapter=CHAPTER,
    title="Orthogonal weights",
    difficulty=3,
    minutes=15,
    task="""
    Draw a random matrix whose columns are at right angles to each other and have the length `gain`; where there are
    fewer rows than columns, it is the rows that do. A shape with more axes is taken as a matrix of
    (all axes but the last, last). All such matrices shall be equally likely, so their signs are random, too.

    All random numbers come from `rng`; the answer has `shape` and `dtype`. Fewer than two axes are refused with a
    `ValueError`. `np.linalg.qr` is allowed, and is the short way.
    """,
    example="""\
R = orthogonal((3, 12), np.random.default_rng(0))
bool(np.allclose(R @ R.T, np.eye(3)))  # True""",
    groups=[
        Group("tall", 2, tall, "At least as many rows as columns: angles, lengths and signs."),
        Group("wide", 1, wide, "Fewer rows than columns."),
        Group("kernels", 1, kernels, "More than two axes."),
        Group("gains", 1, gains, "Lengths other than 1."),
        Group("as told", 1, as_told, "The dtype that is asked for, and numbers from no other generator than `rng`."),
        Group("refused", 1, refused, "A vector has no columns, and a number has none."),
    ],
    misconceptions=[
        bug("signs_as_they_come", "the signs were those that the QR decomposition leaves",
            "Look at the diagonal of what `np.linalg.qr` gives you, a few times. How many entries are positive?",
            turned(signs=as_they_come)),
        bug("first_row_positive", "the signs had been chosen such that the first row is positive",
            "How many entries of your first row are positive? How many should be, by chance?",
            turned(signs=first_row_positive)),
        bug("largest_positive", "the signs had been chosen such that the largest entry of each column is positive",
            "Take each column's largest entry. How many of them are positive, and how many should be, by chance?",
            turned(signs=largest_positive)),
        bug("one_factor", "one factor of the singular value decomposition were as random as the product of two",
            "Take U of `np.linalg.svd` for a hundred matrices (2, 2). How many have a positive determinant?",
            one_factor),
        bug("one_coin", "one sign were drawn for the whole matrix",
            "Whose sign is a matter of chance: the matrix's, or each column's?", one_coin),
        bug("only_rotations", "the determinant had to be 1",
            "Exchange the two columns of an orthogonal matrix. Is it less orthogonal?", only_rotations),
        bug("of_uniform", "the numbers before the decomposition had been drawn between 0 and 1",
            "All numbers that you draw are positive. Into which direction does your first column point?",
            turned(draw=of_uniform)),
        bug("of_symmetric_uniform", "the numbers before the decomposition had been drawn between -1 and 1",
            "Points in a square, seen from its middle: in which directions are more of them? And points of a bell?",
            turned(draw=of_symmetric_uniform)),
        bug("only_normalised", "the columns had been made equally long, and not orthogonal",
            "Two random directions: is the angle between them exactly 90 degrees?", only_normalised),
        bug("only_normal", "normal numbers of the right variance were enough",
            "How long is W x for a vector x of length 1: exactly as long, or about so?", only_normal),
        bug("always_tall", "there always were more rows than columns",
            "Five vectors with three entries each: can all of them be at right angles to each other?", always_tall),
        bug("reshaped_for_transposed", "a wide matrix were a tall one with its numbers written in other rows",
            "Does `reshape` turn columns into rows?", reshaped_for_wide),
        bug("reshaped_for_tall", "a tall matrix were a wide one with its numbers written in other rows",
            "Does `reshape` turn rows into columns?", reshaped_for_tall),
        bug("first_axis_apart", "a kernel were a matrix of (first axis, all others)",
            "Which axis of a kernel counts its outputs, the first or the last?", first_axis_apart,
            published="PyTorch"),
        bug("gain_forgotten", "`gain` were always 1", "Where in your code does `gain` stand?",
            turned(scale=lambda gain: 1)),
        bug("gain_squared", "the square of `gain` were meant", "With gain = 2, how long are your columns: 2 or 4?",
            turned(scale=lambda gain: gain**2)),
        bug("own_generator", "the random numbers came from a generator of your own, and not from `rng`",
            "Where do your random numbers come from? Does anything change if another `rng` is handed in?",
            turned(draw=own_generator), GENERATOR),
        bug("always_float64", "`dtype` were ignored", "Which dtype has your answer if float32 is asked for?",
            in_double),
        bug("vectors_too", "a vector were a matrix with one column", "What does the task say about a single axis?",
            vectors_too),
        bug("numbers_too", "a shape without axes were that of a matrix with one number",
            "Fewer than two axes are refused. How many has the shape ()?", numbers_too),
    ],
    variants=[
        Variant("by singular values", by_svd),
        Variant("coins for the signs", coins_for_signs),
        Variant("one direction after the other", gram_schmidt),
    ],
    hints=[
        Hint("Which decomposition of a matrix has a factor with orthonormal columns?"),
        Hint('Look at "Turning without stretching": what does QR decide about signs, and how is that undone?'),
        Hint(
            "A worked sibling, a random direction:\n\n"
            "    v = rng.normal(size=n)\n    v = v / np.sqrt(v @ v)       # all directions are equally likely"
        ),
        Hint(
            "    rows = product of all axes but the last; a normal matrix (larger, smaller of rows and columns)\n"
            "    Q, R = qr; every column of Q times the sign of R's diagonal\n"
            "    transposed if there are fewer rows; times gain; reshaped"
        ),
    ],
    not_bugs=dict.fromkeys(
        ["std vs variance", "√(3σ²) missing 3", "no /0.8796 after truncation"],
        "lengths are what is asked for, and they are exact: there is no variance to get wrong",
    )
    | dict.fromkeys(
        ["fan_in/out swapped", "conv fans w/o kernel area", "fan_sum for avg"], "no fan decides how long a column is"
    ),
    equivalent=equivalent.ORTHOGONAL,
)  # fmt: skip
