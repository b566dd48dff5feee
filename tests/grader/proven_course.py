"""Two courses for the tests of the audit: one whose grading is proven, one with every flaw that an audit must find."""

from pathlib import Path

import numpy as np

from gradschool_grader.course import Chapter, Course
from gradschool_grader.exercise import Call, Exercise, Group, Misconception, Property, Script, Seed, Steps, Variant
from gradschool_grader.sigma import SixSigma


# ------------------------------------------------------------------------------------------------------------- proven
def smooth(x, b=0.9):
    """y_t = b y_(t-1) + (1 - b) x_t     x (T,) -> (T,)"""
    if x.ndim != 1:
        raise ValueError(f"expected x (T,), got {x.shape}")
    if b < 0:
        raise ValueError("b is a fraction")  # nothing asks for this
    y, kept = np.zeros_like(x), 0.0
    for t in range(len(x)):
        kept = b * kept + (1 - b) * x[t]
        y[t] = kept
    return y


def smooth_uncorrected(x, b=0.9):
    y = np.zeros_like(x)
    for t in range(len(x)):
        y[t] = b * (y[t - 1] if t else 0.0) + x[t]
    return y


def smooth_from_the_first(x, b=0.9):
    y = np.array(x)
    for t in range(1, len(x)):
        y[t] = b * y[t - 1] + (1 - b) * x[t]
    return y


def smooth_by_weights(x, b=0.9):
    if x.ndim != 1:
        raise ValueError("one axis")
    t = np.arange(len(x))
    return (np.tril(b ** np.maximum(t[:, None] - t, 0)) * (1 - b)) @ x


SMOOTH = Exercise(
    reference=smooth,
    chapter="ch01_proven",
    task="Return the running mean of `x (T,)`; ValueError for another number of axes.",
    example="smooth(np.ones(3))",
    groups=[
        Group("values", 2, lambda rng: [Call(x=rng.normal(size=7), b=0.6), Call(x=rng.normal(size=5))]),
        Group("axes", 1, lambda rng: [Call(x=rng.normal(size=(3, 5))), Call(x=rng.normal(size=4), b=0.3)]),
    ],
    misconceptions=[
        Misconception("sum", smooth_uncorrected, "Where does it end if x is always 1?"),
        Misconception("starts_at_x", smooth_from_the_first, "What has arrived before the first entry?"),
    ],
    variants=[Variant("weights", smooth_by_weights)],
    equivalent={"75d16df1d7fe": "every entry of `y` is written over"},
)


class Tally:
    """Counts what arrives."""

    def __init__(self, start=0):
        self.total = start

    def add(self, n):
        self.total += n
        return self.total


class Forgetful:
    def __init__(self, start=0):
        self.start = start

    def add(self, n):
        return self.start + n


TALLY = Exercise(
    reference=Tally,
    chapter="ch01_proven",
    task="Count what arrives.",
    example="Tally().add(3)  # 3",
    groups=[
        Group("sums", 1, lambda rng: [
            Script(new={"start": 4.5}, calls=[("add", (rng.normal(),)), ("add", (rng.normal(),)), ("total", None)]),
            Script(calls=[("add", (rng.normal(),))]),
        ]),
    ],
    misconceptions=[Misconception("forgets", Forgetful, "And the second time?")],
)  # fmt: skip


def noise(n, rng):
    """n numbers, each 1 or -1."""
    return rng.choice([-1.0, 1.0], size=n)


def signs(values):
    y = values[0]
    if not isinstance(y, np.ndarray) or y.shape != (900,) or not (np.abs(y) == 1).all():
        return "There are other numbers than 1 and -1."
    return {"mean": 30 * y.mean()}


is_noise = SixSigma(signs, {"mean": "One sign is more frequent."})


NOISE = Exercise(
    reference=noise,
    chapter="ch01_proven",
    task="Return `n` signs.",
    example="noise(3, rng)",
    groups=[Group("signs", 1, lambda rng: [Property(Call(n=900, rng=Seed(int(rng.integers(999)))), is_noise)])],
    misconceptions=[Misconception("positive", lambda n, rng: np.ones(n), "Is it ever negative?")],
    variants=[Variant("signs", lambda n, rng: np.where(rng.random(n) < 0.5, -1.0, 1.0))],
)


# ------------------------------------------------------------------------------------------------------------- flawed
def distance(a, b):
    """d = |a - b|     numbers"""
    return np.abs(a - b)


def endless(x):
    """The number of halvings after which x is below 1."""
    n = 0
    while x >= 1:
        x = x / 2
        n += 1
    return n


def gentle(lr, t):
    return lr / (1 + t)


def coin(rng):
    return float(rng.random())


FLAWED = [
    Exercise(
        reference=distance,
        chapter="ch01_flawed",
        task="Return the distance; a TypeError for text.",
        example="distance(1, 3)  # 2",
        groups=[
            Group("near", 1, lambda rng: [Call(a=1.0 + rng.random(), b=1.0)]),  # a > b: the sign is never asked for
            Group("nothing", 1, lambda rng: [Call(a=np.arange(3.0), b=np.arange(3.0))]),
        ],
        misconceptions=[
            Misconception("signed", lambda a, b: a - b, "Can a distance be negative?"),
            Misconception("added", lambda a, b: a + b, "How far is 1 from 1?"),
            Misconception("added_again", lambda a, b: b + a, "How far is 1 from 1?"),
            Misconception("sometimes", lambda a, b: a - b if np.max(a) < 1.5 else a, "And beyond 1.5?"),
        ],
        variants=[Variant("squared", lambda a, b: (a - b) ** 2)],
        equivalent={"000000000000": "was written for another mutation"},
    ),
    Exercise(
        reference=endless,
        chapter="ch01_flawed",
        task="Count the halvings.",
        example="endless(5.0)  # 3",
        groups=[Group("counts", 1, lambda rng: [Call(x=float(rng.integers(3, 90)) + 0.5) for _ in range(5)])],
    ),
    Exercise(
        reference=gentle,
        chapter="ch01_flawed",
        task="Return the rate at step t.",
        example="gentle(1.0, 1)  # 0.5",
        groups=[Group("rates", 1, lambda rng: [Steps({"lr": rng.random()}, [{"t": 1}, {"t": 3}])])],
        misconceptions=[Misconception("distant", distance, "Whose function is this?")],
    ),
    Exercise(
        reference=coin,
        chapter="ch01_flawed",
        task="Return a number below 1.",
        example="coin(rng)",
        groups=[Group("luck", 1, lambda rng: [
            Property(Call(rng=Seed(int(rng.integers(10**6)))), lambda v: None if v[0] < 0.5 else "It is large."),
        ])],
    ),
]  # fmt: skip

HERE = Path(__file__).parent
course = Course(
    name="proven", title="Proven", chapters=[Chapter("ch01_proven", 1, "Proven", HERE, [SMOOTH, TALLY, NOISE])]
)
flawed = Course(name="flawed", title="Flawed", chapters=[Chapter("ch01_flawed", 1, "Flawed", HERE, FLAWED)])
