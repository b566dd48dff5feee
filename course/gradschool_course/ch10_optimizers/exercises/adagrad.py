"""AdaGrad: a rate for every entry of every parameter, from all the gradients that it has met."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from . import equivalent
from .trees import (
    NAMED,
    OTHER,
    arrays,
    as_they_come,
    by_position,
    ending_at_naught,
    forgetful,
    gradients,
    in_place,
    number,
    split,
    squares,
    zeros,
)  # fmt: skip

adagrad = inspect.unwrap(optimizers.adagrad)

CLIPPING = (
    "Nothing is clipped in these steps: gradients are clipped before an optimizer sees them. The mistake of order that "
    "remains, dividing by the squares of before this step, is the misconception `stale_squares`."
)


def with_zeros(feed):
    """The first entry under each name never has a gradient: an embedding of a word that does not occur."""
    for step in feed:
        for g in step["grads"].values():
            g.flat[0] = 0.0
    return feed


# -------------------------------------------------------------------------------------------- how adagrad is probed
def adagrad_mid_run(rng):
    carry = {"params": arrays(rng), "state": {"s": squares(rng)}}
    return [Steps(carry, ending_at_naught(gradients(rng, 5), eps=1e-10), {"lr": number(rng, 0.1, 0.5)})]


def adagrad_first(rng):
    carry = {"params": arrays(rng), "state": {"s": zeros()}}
    first = Steps(carry, with_zeros(gradients(rng, 4)), {"lr": number(rng, 0.1, 0.5), "eps": 1e-8})
    return [first, as_they_come(rng, {"s": zeros()}, 1e-9)]


def adagrad_eps(rng):
    carry = {"params": arrays(rng), "state": {"s": squares(rng, 0.01)}}
    constants = {"lr": number(rng, 0.1, 0.5), "eps": number(rng, 0.07, 0.2)}
    return [Steps(carry, gradients(rng, 3, 0.1, order=OTHER), constants)]


def adagrad_single(rng):
    carry = single({"params": arrays(rng), "state": {"s": squares(rng)}})
    return [Steps(carry, single(gradients(rng, 3)), {"lr": number(rng, 0.1, 0.5), "eps": 1e-2})]


# ------------------------------------------------------------------------------------------- how adagrad goes wrong
def summing(rule):
    """A step with sums of squares around a rule of one's own: rule(p, g, s, lr, eps) -> (p, s)."""

    def wrong(params, grads, state, lr=0.01, eps=1e-10):
        params, s = split({k: rule(params[k], grads[k], state["s"][k], lr, eps) for k in params})
        return params, {"s": s}

    return wrong


def averaged(p, g, s, lr, eps):
    s = 0.9 * s + 0.1 * g * g
    return p - lr * g / (np.sqrt(s) + eps), s


def no_root(p, g, s, lr, eps):
    s = s + g * g
    return p - lr * g / (s + eps), s


def eps_inside(p, g, s, lr, eps):
    s = s + g * g
    return p - lr * g / np.sqrt(s + eps), s


def eps_missing(p, g, s, lr, eps):
    s = s + g * g
    return p - lr * g / np.sqrt(s), s


def started_at_a_tenth(p, g, s, lr, eps):
    s = (s if s.any() else s + 0.1) + g * g
    return p - lr * g / (np.sqrt(s) + eps), s


def stale_squares(p, g, s, lr, eps):
    return p - lr * g / (np.sqrt(s) + eps), s + g * g


def only_this_square(p, g, s, lr, eps):
    return p - lr * g / (np.abs(g) + eps), s + g * g


def sums_of_sizes(p, g, s, lr, eps):
    s = s + np.abs(g)
    return p - lr * g / (np.sqrt(s) + eps), s


def one_rate_for_all(p, g, s, lr, eps):
    s = s + (g * g).sum()
    return p - lr * g / (np.sqrt(s) + eps), s


def root_in_state(p, g, s, lr, eps):
    s = np.sqrt(s + g * g)
    return p - lr * g / (s + eps), s


def adagrad_uphill(p, g, s, lr, eps):
    s = s + g * g
    return p + lr * g / (np.sqrt(s) + eps), s


def adagrad_by_rates(p, g, s, lr, eps):
    s = s + np.square(g)
    rate = lr / (s**0.5 + eps)
    return p - rate * g, s


def adagrad_by_hypot(p, g, s, lr, eps):
    root = np.hypot(np.sqrt(s), g)
    return p - lr * (g / (root + eps)), root**2


def adagrad_on_copies(params, grads, state, lr=0.01, eps=1e-10):
    new, sums = {}, {}
    for name in sorted(params):
        s, p = state["s"][name].copy(), params[name].copy()
        s += grads[name] ** 2
        p -= lr * grads[name] / (np.sqrt(s) + eps)
        new[name], sums[name] = p, s
    return [new, {"s": sums}]


DUCHI = "AdaGrad: a rate for every parameter"
PURE = "A step is a pure function"

ADAGRAD = Exercise(
    reference=optimizers.adagrad,
    chapter="ch10_optimizers",
    title="AdaGrad",
    difficulty=2,
    minutes=12,
    task=f"""One step of AdaGrad: every entry of every parameter has its own sum of squared gradients; first add this
step's square to it, then move against the gradient, divided by the root of the new sum. `eps` is added to the root, so
that an entry whose gradient has always been zero stays where it is.

{NAMED}

`state` is `{{"s": sums of squares}}`, a dict of arrays like `params`, zero before the first step; return the new sums
in a new dict of that form.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([4.0, 0.0, -5.0])}
params, state = adagrad(params, grads, {"s": {"w": np.array([9.0, 0.0, 0.0])}}, lr=0.5)
params["w"]  # [ 0.6 -2.   3.5]
state["s"]["w"]  # [25.  0. 25.]""",
    groups=[
        Group("mid-run", 2, adagrad_mid_run, "Five steps from sums that are not zero."),
        Group(
            "first steps",
            1,
            adagrad_first,
            "Steps from sums of zero; some entries never have a gradient; without any option.",
        ),
        Group(
            "eps", 2, adagrad_eps, "A large `eps` and small gradients, so that its place matters; other order of names."
        ),
        Group("float32", 1, adagrad_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "averaged",
            summing(averaged),
            says="the squares were averaged with a decay, as in RMSProp; AdaGrad adds them up",
            hint="Feed in the same gradient a thousand times. Does your step become shorter and shorter?",
            see=DUCHI,
        ),
        Misconception(
            "no_root",
            summing(no_root),
            says="the root were missing: the gradient was divided by the sum of squares itself",
            hint="If gradients are in dollars, in what is your step: dollars, nothing, or one over dollars?",
            see=DUCHI,
        ),
        Misconception(
            "eps_inside",
            summing(eps_inside),
            says="ε stood inside the root, √(s + ε); asked for is √s + ε",
            hint="With s = 0 and ε = 0.01, by what do you divide: 0.01 or 0.1?",
            see="Where ε stands",
            published="Keras",
        ),
        Misconception(
            "eps_missing",
            summing(eps_missing),
            says="ε were missing",
            hint="An entry has never had a gradient. By what do you divide its gradient of zero?",
            see=DUCHI,
        ),
        Misconception(
            "started_at_a_tenth",
            summing(started_at_a_tenth),
            says="the sums started at 0.1; asked for is a start at the zeros that were handed in",
            hint="With lr = 1 and ε = 0, the very first AdaGrad step of an entry is ±1. How long is yours?",
            see=DUCHI,
            published="Keras",
        ),
        Misconception(
            "stale_squares",
            summing(stale_squares),
            says="the step were divided by the sum from before this gradient was added",
            hint="A gradient of 1000 comes out of the blue. Is it already in what you divide it by?",
            see=DUCHI,
        ),
        Misconception(
            "only_this_square",
            summing(only_this_square),
            says="only this step's gradient stood under the root, not the sum",
            hint="Take a small gradient after a hundred large ones. How long is your step?",
            see=DUCHI,
        ),
        Misconception(
            "sums_of_sizes",
            summing(sums_of_sizes),
            says="sizes |g| had been added up in the place of squares",
            hint="What is the square root of a sum meant to undo?",
            see=DUCHI,
        ),
        Misconception(
            "one_rate_for_all",
            summing(one_rate_for_all),
            says="all entries of a parameter shared one sum",
            hint="One row of W has seen many gradients, another none. Do they have the same rate with you?",
            see=DUCHI,
        ),
        Misconception(
            "root_in_state",
            summing(root_in_state),
            says="the root had been stored in the place of the sum",
            hint="Your first step is right from zero. What do you add the second square to?",
            see=DUCHI,
        ),
        Misconception(
            "uphill",
            summing(adagrad_uphill),
            says="the step went along the gradient, not against it",
            hint="Which sign has your step where the gradient is positive?",
            see=PURE,
        ),
        Misconception(
            "state_not_returned",
            forgetful(adagrad),
            says="the old sums were handed back in the place of the new ones",
            hint="What does your function return as the state, and where does the second step get its sums from?",
            see=PURE,
        ),
        Misconception(
            "in_place",
            in_place(adagrad),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see=PURE,
        ),
        Misconception(
            "by_position",
            by_position(adagrad),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see=PURE,
        ),
    ],
    variants=[
        Variant("a rate for each entry", summing(adagrad_by_rates)),
        Variant("hypot", summing(adagrad_by_hypot)),
        Variant("in place on copies, as a list", adagrad_on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.SLOTS,
    hints=[
        Hint("Steep directions should take shorter steps. How steep a direction is, its past gradients tell."),
        Hint(
            "Two lines per parameter: first the sum, then the step, which uses the new sum. Everything is elementwise."
        ),
        Hint("A sibling: dividing by a running total of sizes is `total = total + np.abs(x); y = x / (total + eps)`."),
        Hint("s = old s + g × g; p = old p − lr × g / (root of s, plus eps)."),
    ],
    not_bugs={"squares after clipping order": CLIPPING},
)
