"""AdaMax: Adam with the largest recent gradient in the place of the root mean square."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from . import equivalent
from .adagrad import with_zeros
from .adam import CORRECTION, EPSILON, KINGMA, PURE, betas
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

adamax = inspect.unwrap(optimizers.adamax)


# --------------------------------------------------------------------------------------------- how adamax is probed
def largest(rng, t, size=1.0):
    return {"t": t, "m": arrays(rng, 0.5 * size), "u": squares(rng, size)}


def first_steps(rng):
    carry = {"params": arrays(rng), "state": {"t": 0, "m": zeros(), "u": zeros()}}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": 1e-8, **betas(rng)}
    return [
        Steps(carry, with_zeros(gradients(rng, 4)), constants),
        as_they_come(rng, {"t": 0, "m": zeros(), "u": zeros()}, 1e-7),
    ]


def mid_run(rng):
    """b2 is small enough for the old maximum to fade in some entries and to hold in others."""
    carry = {"params": arrays(rng), "state": largest(rng, int(rng.integers(3, 7)))}
    feed = [step | {"lr": number(rng, 0.05, 0.3)} for step in gradients(rng, 5)]
    options = {"eps": 1e-8, "b1": number(rng, 0.6, 0.8), "b2": number(rng, 0.7, 0.85)}
    return [Steps(carry, ending_at_naught(feed, **options))]


def large_eps(rng):
    carry = {"params": arrays(rng), "state": largest(rng, int(rng.integers(2, 5)), 0.1)}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": number(rng, 0.07, 0.2), **betas(rng)}
    return [Steps(carry, gradients(rng, 3, 0.1, order=OTHER), constants)]


def adamax_single(rng):
    carry = single({"params": arrays(rng), "state": largest(rng, 3)})
    return [Steps(carry, single(gradients(rng, 3)), {"lr": number(rng, 0.05, 0.3), "eps": 1e-2, **betas(rng)})]


# -------------------------------------------------------------------------------------------- how adamax goes wrong
def counting(rule):
    """A step of AdaMax around a rule: rule(p, g, m, u, t, lr, b1, b2, eps) -> (p, m, u), with t from 1."""

    def wrong(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
        t = state["t"] + 1
        options = (t, lr, b1, b2, eps)
        params, m, u = split({k: rule(params[k], grads[k], state["m"][k], state["u"][k], *options) for k in params})
        return params, {"t": t, "m": m, "u": u}

    return wrong


def corrected_by(lack):
    """AdaMax with a correction of one's own: lack(t, b1) -> what m is divided by."""

    def rule(p, g, m, u, t, lr, b1, b2, eps):
        m = b1 * m + (1 - b1) * g
        u = np.maximum(b2 * u, np.abs(g))
        return p - lr * (m / lack(t, b1)) / (u + eps), m, u

    return rule


def largest_by(update):
    """AdaMax with another u: update(u, g, m, b2, eps) -> u, where m is the new mean."""

    def rule(p, g, m, u, t, lr, b1, b2, eps):
        m = b1 * m + (1 - b1) * g
        u = update(u, g, m, b2, eps)
        return p - lr / (1 - b1**t) * m / (u + eps), m, u

    return rule


def rate_by_zero(p, g, m, u, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    u = np.maximum(b2 * u, np.abs(g))
    return p - lr / (1 - b1 ** (t - 1)) * m / (u + eps), m, u


def u_corrected(p, g, m, u, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    u = np.maximum(b2 * u, np.abs(g))
    return p - lr * (m / (1 - b1**t)) / (u / (1 - b2**t) + eps), m, u


def eps_missing(p, g, m, u, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    u = np.maximum(b2 * u, np.abs(g))
    return p - lr / (1 - b1**t) * m / u, m, u


def eps_in_the_maximum(p, g, m, u, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    u = np.maximum(b2 * u, np.abs(g) + eps)
    return p - lr / (1 - b1**t) * m / u, m, u


def root_of_u(p, g, m, u, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    u = np.maximum(b2 * u, np.abs(g))
    return p - lr / (1 - b1**t) * m / (np.sqrt(u) + eps), m, u


def stale(p, g, m, u, t, lr, b1, b2, eps):
    moved = p - lr / (1 - b1**t) * m / (u + eps)
    return moved, b1 * m + (1 - b1) * g, np.maximum(b2 * u, np.abs(g))


def betas_swapped(p, g, m, u, t, lr, b1, b2, eps):
    m = b2 * m + (1 - b2) * g
    u = np.maximum(b1 * u, np.abs(g))
    return p - lr / (1 - b2**t) * m / (u + eps), m, u


def t_per_tensor(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    t, new, first, second = state["t"], {}, {}, {}
    for k in params:
        t += 1
        first[k] = b1 * state["m"][k] + (1 - b1) * grads[k]
        second[k] = np.maximum(b2 * state["u"][k], np.abs(grads[k]))
        new[k] = params[k] - lr / (1 - b1**t) * first[k] / (second[k] + eps)
    return new, {"t": t, "m": first, "u": second}


def t_not_counted(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    moved, new = adamax(params, grads, state, lr, b1, b2, eps)
    return moved, {**new, "t": state["t"]}


def looped(p, g, m, u, t, lr, b1, b2, eps):
    p, m, u = p.copy(), m.copy(), u.copy()
    for i in np.ndindex(p.shape):
        m[i] += (1 - b1) * (g[i] - m[i])
        u[i] = max(b2 * u[i], abs(g[i]))
        p[i] -= lr * m[i] / ((1 - b1**t) * (u[i] + eps))
    return p, m, u


def on_copies(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    t = state["t"] + 1
    new, m, u = ({k: a.copy() for k, a in tree.items()} for tree in (params, state["m"], state["u"]))
    for k, g in grads.items():
        m[k] *= b1
        m[k] += (1 - b1) * g
        u[k] *= b2
        np.maximum(u[k], np.abs(g), out=u[k])
        new[k] -= lr * (m[k] / (1 - b1**t)) / (u[k] + eps)
    return [new, {"m": m, "u": u, "t": np.int64(t)}]


INFINITY = "AdaMax: the largest gradient"

ADAMAX = Exercise(
    reference=optimizers.adamax,
    chapter="ch10_optimizers",
    title="AdaMax",
    difficulty=3,
    minutes=12,
    task=f"""One step of AdaMax. The running mean of the gradients is Adam's, corrected for its start at zero. What
divides it, plus `eps`, is the largest gradient by size: this step's, or the largest so far, which fades by the factor
`b2` with every step; whichever is larger.

{NAMED}

`state` is `{{"t": steps done, "m": running means of the gradients, "u": largest sizes}}`: one number for all
parameters, and two dicts of arrays like `params`. Before the first step t is 0 and the arrays are zero. Return a new
dict of that form, in which the step just made is counted.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([4.0, 0.0, -3.0])}
state = {"t": 1, "m": {"w": np.zeros(3)}, "u": {"w": np.array([2.0, 1.0, 8.0])}}
params, state = adamax(params, grads, state, lr=0.76, b1=0.9, b2=0.5)
params["w"].round(6)  # [ 0.6 -2.   3.3]
state["u"]["w"]  # [4.  0.5 4. ]""",
    groups=[
        Group(
            "first steps",
            2,
            first_steps,
            "The first four steps; some entries never have a gradient; three without any option.",
        ),
        Group("mid-run", 2, mid_run, "Five steps from the middle of a run, with a rate that changes."),
        Group(
            "eps", 1, large_eps, "A large `eps` and small gradients, so that its place matters; other order of names."
        ),
        Group("float32", 1, adamax_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "no_bias_correction",
            counting(corrected_by(lambda t, b1: 1.0)),
            says="the running mean were not corrected for its start at zero",
            hint="Work out the first step by hand, with g = 1 and b1 = 0.9. How long is it, in units of lr?",
            see=CORRECTION,
        ),
        Misconception(
            "correction_without_t",
            counting(corrected_by(lambda t, b1: 1 - b1)),
            says="the correction were that of the first step for ever: 1 − β₁ without the power of t",
            hint="After a thousand steps, how much of the zero start is left in m, and by what do you still divide it?",
            see=CORRECTION,
        ),
        Misconception(
            "t_starts_at_zero",
            counting(corrected_by(lambda t, b1: 1 - b1 ** (t - 1))),
            says="t lagged one step behind: 0 in the first step",
            hint="What is 1 − b1**t in your very first step?",
            see=CORRECTION,
        ),
        Misconception(
            "rate_by_zero",
            counting(rate_by_zero),
            says="t lagged one step behind, so that in the first step `lr` is divided by zero",
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
            "u_corrected",
            counting(u_corrected),
            says="u were corrected as well, as if it were a mean",
            hint="After one step u is |g|. What is there to correct?",
            see=INFINITY,
        ),
        Misconception(
            "betas_swapped",
            counting(betas_swapped),
            says="b1 and b2 had changed places",
            hint="Which of the two says how fast the largest gradient is forgotten?",
            see=INFINITY,
        ),
        Misconception(
            "u_sums",
            counting(largest_by(lambda u, g, m, b2, eps: b2 * u + np.abs(g))),
            says="sizes had been added up where the larger one is to be taken",
            hint="Feed in g = 1 for ever. Does your u stay at 1?",
            see=INFINITY,
        ),
        Misconception(
            "u_averages",
            counting(largest_by(lambda u, g, m, b2, eps: b2 * u + (1 - b2) * np.abs(g))),
            says="u were a running mean of sizes, not a maximum",
            hint="A gradient of 100 comes out of the blue. Is your u at least 100 then?",
            see=INFINITY,
        ),
        Misconception(
            "max_without_b2",
            counting(largest_by(lambda u, g, m, b2, eps: np.maximum(u, np.abs(g)))),
            says="the old maximum never faded: b2 were missing from it",
            hint="One huge gradient in the first step, small ones ever after. When does your step recover?",
            see=INFINITY,
        ),
        Misconception(
            "b2_on_both",
            counting(largest_by(lambda u, g, m, b2, eps: b2 * np.maximum(u, np.abs(g)))),
            says="b2 had shrunk this step's gradient as well as the old maximum",
            hint="From a zero state, which u should one gradient of 1 leave behind?",
            see=INFINITY,
        ),
        Misconception(
            "no_size",
            counting(largest_by(lambda u, g, m, b2, eps: np.maximum(b2 * u, g))),
            says="the gradient's sign had been left in the maximum",
            hint="Is a gradient of −100 large or small for your maximum?",
            see=INFINITY,
        ),
        Misconception(
            "u_of_m",
            counting(largest_by(lambda u, g, m, b2, eps: np.maximum(b2 * u, np.abs(m)))),
            says="u held the largest |m| in the place of the largest |g|",
            hint="A gradient that flips its sign every step: how large is your u after a while, and how large is |g|?",
            see=INFINITY,
        ),
        Misconception(
            "root_of_u",
            counting(root_of_u),
            says="a root had been taken of u",
            hint="Adam's root undoes a square. What has been squared here?",
            see=INFINITY,
        ),
        Misconception(
            "eps_in_the_maximum",
            counting(eps_in_the_maximum),
            says="ε had been added to |g| inside the maximum; asked for is u + ε, as in Keras",
            hint="Which u would you store for a gradient of zero?",
            see=EPSILON,
            published="PyTorch",
        ),
        Misconception(
            "eps_missing",
            counting(eps_missing),
            says="ε were missing",
            hint="An entry has never had a gradient. By what do you divide its mean of zero?",
            see=EPSILON,
        ),
        Misconception(
            "stale",
            counting(stale),
            says="the parameter moved before the new gradient had entered m and u",
            hint="From a zero state, does your first step know anything of the gradient?",
            see=KINGMA,
        ),
        Misconception(
            "passed_over",
            idle(adamax),
            says="a parameter whose gradient is 0 had no step to make",
            hint="All of an array's gradient is 0 in this step. Is its m the same as before, and its u?",
            see=PURE,
        ),
        Misconception(
            "state_not_returned",
            forgetful(adamax),
            says="the old state were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its m from?",
            see=PURE,
        ),
        Misconception(
            "in_place",
            in_place(adamax),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see=PURE,
        ),
        Misconception(
            "by_position",
            by_position(adamax),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see=PURE,
        ),
    ],
    variants=[
        Variant("corrected mean first", counting(corrected_by(lambda t, b1: 1 - b1**t))),
        Variant("entry by entry", counting(looped)),
        Variant("in place on copies, as a list", on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.TWO_SLOTS,
    hints=[
        Hint("Adam asks how large a gradient usually is; AdaMax asks how large it has been at most, lately."),
        Hint("Start from your `adam`; replace its v and its root. Which of the two corrections is still needed?"),
        Hint("A sibling: a level meter that falls by a tenth unless the music is louder: np.maximum(0.9 * level, x)."),
        Hint("t + 1; m as in adam; u = the larger of b2 × u and |g|; p = p − lr / (1 − b1**t) × m / (u + eps)."),
    ],
)
