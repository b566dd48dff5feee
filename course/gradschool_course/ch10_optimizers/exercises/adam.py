"""Adam: two running means, both freed of their start at zero; with the mistakes that the whole family shares."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from . import equivalent
from .adagrad import with_zeros
from .trees import (
    NAMED,
    OTHER,
    arrays,
    as_they_come,
    by_position,
    ending_at_naught,
    forgetful,
    gradients,
    idle,
    in_place,
    number,
    split,
    squares,
    zeros,
)  # fmt: skip

adam = inspect.unwrap(optimizers.adam)

KINGMA = "Adam: momentum and scale together"
CORRECTION = "Why both averages are corrected"
EPSILON = "Where ε stands"
PURE = "A step is a pure function"


# ----------------------------------------------------------------------------------------------- how adam is probed
def moments(rng, t, size=1.0):
    """A state as a run leaves it after t steps."""
    return {"t": t, "m": arrays(rng, 0.5 * size), "v": squares(rng, size * size)}


def betas(rng):
    return {"b1": number(rng, 0.6, 0.8), "b2": number(rng, 0.9, 0.95)}


def first_steps(rng):
    carry = {"params": arrays(rng), "state": {"t": 0, "m": zeros(), "v": zeros()}}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": 1e-8, **betas(rng)}
    return [
        Steps(carry, with_zeros(gradients(rng, 4)), constants),
        as_they_come(rng, {"t": 0, "m": zeros(), "v": zeros()}, 1e-7),
    ]


def mid_run(rng):
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(3, 7)))}
    feed = [step | {"lr": number(rng, 0.05, 0.3)} for step in gradients(rng, 5)]
    return [Steps(carry, ending_at_naught(feed, eps=1e-7, **betas(rng)))]


def large_eps(rng):
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(2, 5)), 0.1)}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": number(rng, 0.07, 0.2), **betas(rng)}
    return [Steps(carry, gradients(rng, 3, 0.1, order=OTHER), constants)]


def hat_form(rng):
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(2, 5)), 0.1)}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": number(rng, 0.07, 0.2), "eps_hat": True, **betas(rng)}
    return [Steps(carry, gradients(rng, 3, 0.1), constants)]


def adam_single(rng):
    carry = single({"params": arrays(rng), "state": moments(rng, 3)})
    return [Steps(carry, single(gradients(rng, 3)), {"lr": number(rng, 0.05, 0.3), "eps": 1e-2, **betas(rng)})]


# ---------------------------------------------------------------------------------------------- how adam goes wrong
def counting(rule):
    """A step of Adam around a rule: rule(p, g, m, v, t, lr, b1, b2, eps, eps_hat) -> (p, m, v), with t from 1."""

    def wrong(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False):
        t = state["t"] + 1
        options = (t, lr, b1, b2, eps, eps_hat)
        params, m, v = split({k: rule(params[k], grads[k], state["m"][k], state["v"][k], *options) for k in params})
        return params, {"t": t, "m": m, "v": v}

    return wrong


def means(g, m, v, b1, b2):
    return b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g


def move(p, m, v, lr, lack_m, lack_v, eps, eps_hat):
    """Adam's last line; lack_m and lack_v are what the corrections divide by."""
    if eps_hat:
        return p - lr * lack_v**0.5 / lack_m * m / (np.sqrt(v) + eps)
    return p - lr * (m / lack_m) / (np.sqrt(v / lack_v) + eps)


def corrected_by(lacks):
    """Adam with corrections of one's own: lacks(t, b1, b2) -> what m and v are divided by."""

    def rule(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
        m, v = means(g, m, v, b1, b2)
        lack_m, lack_v = lacks(t, b1, b2)
        return move(p, m, v, lr, lack_m, lack_v, eps, eps_hat), m, v

    return rule


def averaged_by(update):
    """Adam with running means of one's own: update(g, m, v, b1, b2) -> (m, v)."""

    def rule(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
        m, v = update(g, m, v, b1, b2)
        return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, eps_hat), m, v

    return rule


def v_of_m(g, m, v, b1, b2):
    m = b1 * m + (1 - b1) * g
    return m, b2 * v + (1 - b2) * m * m


def v_about_m(g, m, v, b1, b2):
    m = b1 * m + (1 - b1) * g
    return m, b2 * v + (1 - b2) * (g - m) ** 2


def m_corrected_twice(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    """The factor on the rate holds both corrections, and m has had its own before."""
    m, v = means(g, m, v, b1, b2)
    m_hat = m / (1 - b1**t) if eps_hat else m
    return move(p, m_hat, v, lr, 1 - b1**t, 1 - b2**t, eps, eps_hat), m, v


def eps_hat_always(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, True), m, v


def eps_hat_ignored(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, False), m, v


def eps_inside(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    if eps_hat:
        return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, True), m, v
    return p - lr * (m / (1 - b1**t)) / np.sqrt(v / (1 - b2**t) + eps), m, v


def no_root(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    if eps_hat:
        return p - lr * (1 - b2**t) / (1 - b1**t) * m / (v + eps), m, v
    return p - lr * (m / (1 - b1**t)) / (v / (1 - b2**t) + eps), m, v


def stale_means(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    moved = move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, eps_hat)
    return moved, *means(g, m, v, b1, b2)


def corrected_stored(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    moved = move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, eps_hat)
    return moved, m / (1 - b1**t), v / (1 - b2**t)


def sign_only(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    return p - lr * np.sign(g), *means(g, m, v, b1, b2)


def gradient_on_top(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    return move(p, (1 - b1**t) * g, v, lr, 1 - b1**t, 1 - b2**t, eps, eps_hat), m, v


def betas_swapped(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b2, b1)
    return move(p, m, v, lr, 1 - b2**t, 1 - b1**t, eps, eps_hat), m, v


def uphill(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    m, v = means(g, m, v, b1, b2)
    return move(p, m, v, -lr, 1 - b1**t, 1 - b2**t, eps, eps_hat), m, v


def t_per_tensor(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False):
    t, new, first, second = state["t"], {}, {}, {}
    for k in params:
        t += 1
        m, v = means(grads[k], state["m"][k], state["v"][k], b1, b2)
        new[k], first[k], second[k] = move(params[k], m, v, lr, 1 - b1**t, 1 - b2**t, eps, eps_hat), m, v
    return new, {"t": t, "m": first, "v": second}


def t_not_counted(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False):
    moved, new = adam(params, grads, state, lr, b1, b2, eps, eps_hat)
    return moved, {**new, "t": state["t"]}


# --------------------------------------------------------------------------------------------- how adam goes right
def by_changes(g, m, v, b1, b2):
    return m + (1 - b1) * (g - m), v + (1 - b2) * (g**2 - v)


def through_eps(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    """Always the other form, with the ε that makes the two the same."""
    m, v = means(g, m, v, b1, b2)
    root = (1 - b2**t) ** 0.5
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps if eps_hat else eps * root, True), m, v


def adam_on_copies(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False):
    t = state["t"] + 1
    new, m, v = ({k: a.copy() for k, a in tree.items()} for tree in (params, state["m"], state["v"]))
    for k, g in grads.items():
        m[k] *= b1
        m[k] += (1 - b1) * g
        v[k] *= b2
        v[k] += (1 - b2) * g * g
        root = np.sqrt(v[k]) if eps_hat else np.sqrt(v[k] / (1 - b2**t))
        scale = (1 - b2**t) ** 0.5 if eps_hat else 1.0
        new[k] -= lr * scale * (m[k] / (1 - b1**t)) / (root + eps)
    return [new, {"m": m, "v": v, "t": np.int64(t)}]


def adam_looped(p, g, m, v, t, lr, b1, b2, eps, eps_hat):
    p, m, v = p.copy(), m.copy(), v.copy()
    for i in np.ndindex(p.shape):
        m[i] = b1 * m[i] + (1 - b1) * g[i]
        v[i] = b2 * v[i] + (1 - b2) * g[i] ** 2
        p[i] = move(p[i], m[i], v[i], lr, 1 - b1**t, 1 - b2**t, eps, eps_hat)
    return p, m, v


COUNTED = """`state` is `{"t": steps done, "m": running means of the gradients, "v": running means of their squares}`:
one number for all parameters, and two dicts of arrays like `params`. Before the first step t is 0 and the means are
zero. Return a new dict of that form, in which the step just made is counted."""

ADAM = Exercise(
    reference=optimizers.adam,
    chapter="ch10_optimizers",
    title="Adam",
    difficulty=3,
    minutes=20,
    task=f"""One step of Adam as in Algorithm 1 of its paper: bring both running means up to date (`b1` is the share
that the first keeps, `b2` the second), correct both for their start at zero, and move by the corrected mean over the
root of the corrected mean square, plus `eps`, at the rate `lr`.

With `eps_hat=True`, take the form of the paper's remark on efficiency, which Keras and MATLAB use: the corrections
become one factor on the rate, and `eps` is added to the root of the mean square that has *not* been corrected.

{NAMED}

{COUNTED}""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([4.0, 0.0, -3.0])}
state = {"t": 0, "m": {"w": np.zeros(3)}, "v": {"w": np.zeros(3)}}
params, state = adam(params, grads, state, lr=0.1, eps=1.0)
params["w"].round(6)  # [ 0.92  -2.     3.075]
state["t"]  # 1
state["v"]["w"].round(6)  # [0.016 0.    0.009]""",
    groups=[
        Group(
            "first steps",
            2,
            first_steps,
            "The first four steps; some entries never have a gradient; three without any option.",
        ),
        Group("mid-run", 2, mid_run, "Five steps from the middle of a run, with a rate that changes."),
        Group(
            "eps", 2, large_eps, "A large `eps` and small gradients, so that its place matters; other order of names."
        ),
        Group("eps_hat", 1, hat_form, "The other form, `eps_hat=True`."),
        Group("float32", 1, adam_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "no_bias_correction",
            counting(corrected_by(lambda t, b1, b2: (1.0, 1.0))),
            says="neither running mean were corrected for its start at zero",
            hint="Work out the first step by hand, with g = 1, b1 = 0.9, b2 = 0.999. Should it be 3 times as long as "
            "lr?",
            see=CORRECTION,
        ),
        Misconception(
            "only_m_corrected",
            counting(corrected_by(lambda t, b1, b2: (1 - b1**t, 1.0))),
            says="the mean of the gradients were corrected, the mean of their squares not",
            hint="v starts at zero as well. After one step with b2 = 0.999, how much of g² does it hold?",
            see=CORRECTION,
        ),
        Misconception(
            "only_v_corrected",
            counting(corrected_by(lambda t, b1, b2: (1.0, 1 - b2**t))),
            says="the mean of the squares were corrected, the mean of the gradients not",
            hint="m starts at zero as well. After one step with b1 = 0.9, how much of g does it hold?",
            see=CORRECTION,
        ),
        Misconception(
            "correction_without_t",
            counting(corrected_by(lambda t, b1, b2: (1 - b1, 1 - b2))),
            says="the corrections were those of the first step for ever: 1 − β without the power of t",
            hint="After a thousand steps, how much of the zero start is left in m, and by what do you still divide it?",
            see=CORRECTION,
        ),
        Misconception(
            "t_starts_at_zero",
            counting(corrected_by(lambda t, b1, b2: (1 - b1 ** (t - 1), 1 - b2 ** (t - 1)))),
            says="t lagged one step behind: 0 in the first step",
            hint="What is 1 − b1**t in your very first step?",
            see=CORRECTION,
        ),
        Misconception(
            "t_per_tensor",
            t_per_tensor,
            says="t grew once for every parameter, not once for every step",
            hint="Print t after one step with three parameters. How many steps have been made?",
            see=CORRECTION,
        ),
        Misconception(
            "t_not_counted",
            t_not_counted,
            says="the step just made were missing from the t that is handed back",
            hint="Make two steps. Which t does the second one find in its state?",
            see=CORRECTION,
        ),
        Misconception(
            "betas_swapped",
            counting(betas_swapped),
            says="b1 and b2 had changed places",
            hint="With b1 = 0, Adam has no momentum. Which of your two means forgets everything then?",
            see=KINGMA,
        ),
        Misconception(
            "eps_hat_always",
            counting(eps_hat_always),
            says="this were the ε̂ form, which adds ε to the uncorrected root; asked for is "
            "Algorithm 1, unless `eps_hat` is set",
            hint="In the first step √v is about 0.03 |g|. Is that what ε competes with in Algorithm 1?",
            see=EPSILON,
            published="Keras and MATLAB",
        ),
        Misconception(
            "eps_hat_ignored",
            counting(eps_hat_ignored),
            says="`eps_hat` changed nothing",
            hint="Which root does ε stand beside in the second form: that of v, or that of v̂?",
            see=EPSILON,
        ),
        Misconception(
            "m_corrected_twice",
            counting(m_corrected_twice),
            says="with `eps_hat` the mean of the gradients were corrected twice: by itself, and by the factor on the "
            "rate",
            hint="With `eps_hat`, make the first step by hand, with g = 1 and ε̂ = 0. Is it longer than lr?",
            see=EPSILON,
        ),
        Misconception(
            "eps_inside",
            counting(eps_inside),
            says="ε stood inside the root, √(v̂ + ε); asked for is √v̂ + ε, as in the paper",
            hint="With v̂ = 0 and ε = 0.01, by what do you divide: 0.01 or 0.1?",
            see=EPSILON,
            published="equation 11-8 of Hands-On Machine Learning",
        ),
        Misconception(
            "v_of_m",
            counting(averaged_by(v_of_m)),
            says="v averaged the squares of m in the place of those of g",
            hint="A gradient that flips its sign every step: how large is your v after a while, and how large is g²?",
            see=KINGMA,
        ),
        Misconception(
            "v_about_m",
            counting(averaged_by(v_about_m)),
            says="v averaged the squares of g − m, how far gradients are from their mean, in the place of those of g",
            hint="A gradient that is 1 in every step: which number should v̂ be, and where does yours go?",
            see=KINGMA,
            published="AdaBelief, but for its ε",
        ),
        Misconception(
            "not_squared",
            counting(averaged_by(lambda g, m, v, b1, b2: (b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * np.abs(g)))),
            says="v averaged |g| in the place of g²",
            hint="What is the root in the last line meant to undo?",
            see=KINGMA,
        ),
        Misconception(
            "weights_missing",
            counting(averaged_by(lambda g, m, v, b1, b2: (b1 * m + g, b2 * v + g * g))),
            says="new gradients entered the two means with weight 1 in the place of 1 − β",
            hint="Feed in g = 1 for ever. Which number should a running *mean* arrive at, and which does yours?",
            see=KINGMA,
        ),
        Misconception(
            "no_root",
            counting(no_root),
            says="the root over the mean square were missing",
            hint="Multiply all gradients by 100. Adam's step should hardly change; what does yours do?",
            see=KINGMA,
        ),
        Misconception(
            "stale_means",
            counting(stale_means),
            says="the parameter moved before the new gradient had entered the means",
            hint="From a zero state, does your first step know anything of the gradient?",
            see=KINGMA,
        ),
        Misconception(
            "no_momentum",
            counting(gradient_on_top),
            says="the gradient itself were divided, not its running mean",
            hint="Where does m appear in your last line?",
            see=KINGMA,
        ),
        Misconception(
            "corrected_stored",
            counting(corrected_stored),
            says="the corrected means were put into the state",
            hint="The correction undoes the zero start. If you store what is corrected, what does the next step "
            "correct?",
            see=CORRECTION,
        ),
        Misconception(
            "sign_only",
            counting(sign_only),
            says="every step were lr times the sign of the gradient",
            hint="That is right for Adam's first step. What else does the second one know?",
            see=KINGMA,
        ),
        Misconception(
            "uphill",
            counting(uphill),
            says="the step went along the gradient, not against it",
            hint="Which sign has your step where the gradient is positive?",
            see=PURE,
        ),
        Misconception(
            "passed_over",
            idle(adam),
            says="a parameter whose gradient is 0 had no step to make",
            hint="All of an array's gradient is 0 in this step. Which of its running means is the same as before?",
            see=PURE,
        ),
        Misconception(
            "state_not_returned",
            forgetful(adam),
            says="the old state were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its means from?",
            see=PURE,
        ),
        Misconception(
            "in_place",
            in_place(adam),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see=PURE,
        ),
        Misconception(
            "by_position",
            by_position(adam),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see=PURE,
        ),
    ],
    variants=[
        Variant("means by their changes", counting(averaged_by(by_changes))),
        Variant("one form through the other", counting(through_eps)),
        Variant("entry by entry", counting(adam_looped)),
        Variant("in place on copies, as a list", adam_on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.TWO_SLOTS,
    hints=[
        Hint(
            "m is momentum's idea, v is RMSProp's. Both begin at zero, and so are too small at first: by what factor?"
        ),
        Hint("Count the step first, once. Then per parameter: m, v, what each is corrected by, the move."),
        Hint("A sibling: a mean of the constant 1 that starts at 0 and keeps 0.9 holds 1 − 0.9**t after t steps."),
        Hint(
            "t = old t + 1; m, v: β × old + (1 − β) × (g, g²); m_hat = m / (1 − b1**t), v_hat = v / (1 − b2**t); "
            "p = p − lr × m_hat / (root of v_hat, plus eps)."
        ),
    ],
)
