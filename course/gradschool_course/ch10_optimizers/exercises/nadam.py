"""Nadam in its three forms: Adam whose mean already holds the next step's momentum, constant or on a schedule."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from . import equivalent
from .adagrad import with_zeros
from .adam import CORRECTION, EPSILON, KINGMA, PURE, betas, means
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

nadam = inspect.unwrap(optimizers.nadam)


def mu(t, b1, psi):
    """The momentum of step t: b1 itself, or on its way from about b1 / 2 to b1."""
    return b1 if psi is None else b1 * (1 - 0.5 * 0.96 ** (t * psi))


# ---------------------------------------------------------------------------------------------- how nadam is probed
def start():
    return {"t": 0, "mu_product": 1.0, "m": zeros(), "v": zeros()}


def moments(rng, t, b1, psi, size=1.0):
    """A state as a run leaves it after t steps; the product is the true one, so that it may be computed afresh too."""
    product = float(np.prod([mu(i, b1, psi) for i in range(1, t + 1)]))
    return {"t": t, "mu_product": product, "m": arrays(rng, 0.5 * size), "v": squares(rng, size * size)}


def first_and_mid_run(rng, first, later):
    """Three steps from the start with momentum_decay `first`, four from the middle of a run with `later`."""
    constants = {"eps": 1e-8, **betas(rng)}
    fresh = Steps(
        {"params": arrays(rng), "state": start()},
        with_zeros(gradients(rng, 3)),
        {"lr": number(rng, 0.05, 0.3), "momentum_decay": first, **constants},
    )
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(3, 7)), constants["b1"], later)}
    feed = [step | {"lr": number(rng, 0.05, 0.3)} for step in gradients(rng, 4)]
    return [fresh, Steps(carry, ending_at_naught(feed, **constants), {"momentum_decay": later})]


def constant(rng):
    return first_and_mid_run(rng, None, None)


def scheduled(rng):
    return [*first_and_mid_run(rng, 0.0, number(rng, 0.05, 0.4)), as_they_come(rng, start(), 1e-7)]


def fast(rng):
    return first_and_mid_run(rng, 1.0, 1.0)


def large_eps(rng):
    constants = {"lr": number(rng, 0.05, 0.3), "eps": number(rng, 0.07, 0.2), "momentum_decay": 0.2, **betas(rng)}
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(2, 5)), constants["b1"], 0.2, 0.1)}
    return [Steps(carry, gradients(rng, 3, 0.1, order=OTHER), constants)]


def nadam_single(rng):
    carry = single({"params": arrays(rng), "state": moments(rng, 3, 0.7, 0.1)})
    constants = {"lr": number(rng, 0.05, 0.3), "b1": 0.7, "b2": 0.93, "eps": 1e-2, "momentum_decay": 0.1}
    return [Steps(carry, single(gradients(rng, 3)), constants)]


# --------------------------------------------------------------------------------------------- how nadam goes wrong
def naught_is_none(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
    return nadam(params, grads, state, lr, b1, b2, eps, momentum_decay or None)


def right_weights(t, b1, psi, product):
    """The weights of m and of g in m̂, and the product that is handed on."""
    now, then = mu(t, b1, psi), mu(t + 1, b1, psi)
    product = product * now
    return then / (1 - product * then), (1 - now) / (1 - product), product


def plain_means(g, m, v, b1, b2, now):
    return means(g, m, v, b1, b2)


def plain_root(v, t, b2, eps):
    return np.sqrt(v / (1 - b2**t)) + eps


def looking_ahead(weights=right_weights, averages=plain_means, divisor=plain_root):
    """A step of Nadam with one part of one's own: the weights of m and g, the two means, or what divides."""

    def wrong(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
        t = state["t"] + 1
        of_m, of_g, product = weights(t, b1, momentum_decay, state["mu_product"])
        new = {}
        for k, g in grads.items():
            m, v = averages(g, state["m"][k], state["v"][k], b1, b2, mu(t, b1, momentum_decay))
            new[k] = (params[k] - lr * (of_m * m + of_g * g) / divisor(v, t, b2, eps), m, v)
        params, m, v = split(new)
        return params, {"t": t, "mu_product": product, "m": m, "v": v}

    return wrong


def ruder(t, b1, psi, product):
    now, then = mu(t, b1, psi), mu(t + 1, b1, psi)
    product = product * now
    return then / (1 - product), (1 - now) / (1 - product), product


def both_next(t, b1, psi, product):
    now, then = mu(t, b1, psi), mu(t + 1, b1, psi)
    product = product * now
    return then / (1 - product * then), (1 - now) / (1 - product * then), product


def g_not_divided(t, b1, psi, product):
    of_m, _, product = right_weights(t, b1, psi, product)
    return of_m, 1 - mu(t, b1, psi), product


def swapped(t, b1, psi, product):
    now, then = mu(t, b1, psi), mu(t + 1, b1, psi)
    product = product * now
    return now / (1 - product * then), (1 - then) / (1 - product), product


def g_counted_twice(t, b1, psi, product):
    now, then = mu(t, b1, psi), mu(t + 1, b1, psi)
    product = product * now
    return 1 / (1 - product * then), (1 - now) / (1 - product), product


def no_gradient(t, b1, psi, product):
    of_m, _, product = right_weights(t, b1, psi, product)
    return of_m, 0.0, product


def adams(t, b1, psi, product):
    product = product * mu(t, b1, psi)
    return 1 / (1 - b1**t), 0.0, product


def product_not_updated(t, b1, psi, product):
    of_m, of_g, _ = right_weights(t, b1, psi, product)
    return of_m, of_g, product


def product_ahead(t, b1, psi, product):
    of_m, of_g, product = right_weights(t, b1, psi, product)
    return of_m, of_g, product * mu(t + 1, b1, psi)


def power_of_mu(t, b1, psi, product):
    now, then = mu(t, b1, psi), mu(t + 1, b1, psi)
    return then / (1 - then ** (t + 1)), (1 - now) / (1 - now**t), product * now


def half_missing(t, b1, psi, product):
    def grown(t):
        return b1 if psi is None else b1 * (1 - 0.96 ** (t * psi))

    now, then = grown(t), grown(t + 1)
    product = product * now
    return then / (1 - product * then), (1 - now) / (1 - product), product


def t_from_zero(weights):
    return lambda t, b1, psi, product: weights(t - 1, b1, psi, product)


def schedule_of(change):
    """Nadam that takes another ψ than it was given: change(psi) -> psi."""
    right = looking_ahead()

    def wrong(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
        return right(params, grads, state, lr, b1, b2, eps, change(momentum_decay))

    return wrong


def none_not_allowed(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
    momentum_decay = momentum_decay + 0.0
    return nadam(params, grads, state, lr, b1, b2, eps, momentum_decay)


def per_tensor(counts_steps):
    """What belongs to a step is brought up to date for every parameter: the product, or the count of steps."""

    def wrong(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
        t, product = state["t"], state["mu_product"]
        t += 0 if counts_steps else 1
        new = {}
        for k in params:
            t += 1 if counts_steps else 0
            before = state["mu_product"] if counts_steps else product
            of_m, of_g, product = right_weights(t, b1, momentum_decay, before)
            m, v = means(grads[k], state["m"][k], state["v"][k], b1, b2)
            new[k] = (params[k] - lr * (of_m * m + of_g * grads[k]) / plain_root(v, t, b2, eps), m, v)
        params, m, v = split(new)
        return params, {"t": t, "mu_product": product, "m": m, "v": v}

    return wrong


def betas_swapped(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
    return nadam(params, grads, state, lr, b2, b1, eps, momentum_decay)


def v_of_m(g, m, v, b1, b2, now):
    m = b1 * m + (1 - b1) * g
    return m, b2 * v + (1 - b2) * m * m


# -------------------------------------------------------------------------------------------- how nadam goes right
def product_afresh(t, b1, psi, product):
    """The whole product from t alone; what is handed in is not needed."""
    before = np.prod([mu(i, b1, psi) for i in range(1, t + 1)])
    after = before * mu(t + 1, b1, psi)
    return float(mu(t + 1, b1, psi) / (1 - after)), float((1 - mu(t, b1, psi)) / (1 - before)), float(before)


def looped(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
    t = state["t"] + 1
    of_m, of_g, product = right_weights(t, b1, momentum_decay, state["mu_product"])
    new, first, second = ({k: a.copy() for k, a in tree.items()} for tree in (params, state["m"], state["v"]))
    for k, g in grads.items():
        for i in np.ndindex(g.shape):
            first[k][i] += (1 - b1) * (g[i] - first[k][i])
            second[k][i] += (1 - b2) * (g[i] ** 2 - second[k][i])
            new[k][i] -= lr * (of_g * g[i] + of_m * first[k][i]) / ((second[k][i] / (1 - b2**t)) ** 0.5 + eps)
    return new, {"t": t, "mu_product": product, "m": first, "v": second}


def on_copies(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
    t = state["t"] + 1
    now, then = mu(t, b1, momentum_decay), mu(t + 1, b1, momentum_decay)
    product = state["mu_product"] * now
    new, m, v = ({k: a.copy() for k, a in tree.items()} for tree in (params, state["m"], state["v"]))
    for k, g in grads.items():
        m[k] *= b1
        m[k] += (1 - b1) * g
        v[k] *= b2
        v[k] += (1 - b2) * g * g
        m_hat = then * m[k] / (1 - product * then) + (1 - now) * g / (1 - product)
        new[k] -= lr * m_hat / (np.sqrt(v[k] / (1 - b2**t)) + eps)
    return [new, {"m": m, "v": v, "mu_product": np.float64(product), "t": np.int64(t)}]


DOZAT = "Nadam: Adam that looks ahead"
SCHEDULE = "The momentum on a schedule"

NADAM = Exercise(
    reference=optimizers.nadam,
    chapter="ch10_optimizers",
    title="Nadam, in three forms",
    difficulty=4,
    minutes=30,
    task=f"""One step of Nadam. Both running means and the root that divides are Adam's (Algorithm 1, `b1`, `b2`,
`eps`). What is new is the numerator, which mixes the new mean with the gradient itself, so that it already holds the
momentum of the *next* step; each of the two parts has a correction of its own.

`momentum_decay` chooses how the momentum of step t, μ_t, comes about. Write them in this order:

- `None`: it is `b1` in every step, and the product of all μ so far is `b1**t`;
- a number ψ: it rises from about half of `b1` to `b1`, and the product has to be carried along. With ψ = 4e-3 this is
  PyTorch's `NAdam`, with ψ = 1 Keras 3's.

In both forms the running mean of the gradients keeps the share `b1`, not μ_t.

{NAMED}

`state` is `{{"t": steps done, "mu_product": product of all μ so far, "m": running means of the gradients, "v": running
means of their squares}}`: two numbers for all parameters, and two dicts of arrays like `params`. Before the first step
t is 0, the product is 1.0 and the means are zero. Return a new dict of that form, in which the step just made is
counted.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([4.0, 0.0, -3.0])}
state = {"t": 0, "mu_product": 1.0, "m": {"w": np.zeros(3)}, "v": {"w": np.zeros(3)}}
once, _ = nadam(params, grads, state, lr=0.1, b1=0.5, momentum_decay=None)
once["w"].round(6)  # [ 0.866667 -2.        3.133333]
once, after = nadam(params, grads, state, lr=0.1, b1=0.5, momentum_decay=1.0)
once["w"].round(6)  # [ 0.885504 -2.        3.114496]
round(after["mu_product"], 6)  # 0.26""",
    groups=[
        Group("constant", 2, constant, "`momentum_decay=None`: the first steps, and the middle of a run."),
        Group("schedule", 3, scheduled, "`momentum_decay` small, also when it is not given: first steps and mid-run."),
        Group("fast schedule", 1, fast, "`momentum_decay=1.0`: the first steps, and the middle of a run."),
        Group(
            "eps", 1, large_eps,
            "A large `eps` and small gradients, so that its place matters; other order of names.",
        ),
        Group("float32", 1, nadam_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "same_correction",
            looking_ahead(ruder),
            says="m were corrected with the product up to step t; asked for is the form in "
            "which the part of the next step has the product up to t + 1",
            hint="The part of m is the next step's momentum. How many factors has the next step's product?",
            see=DOZAT,
            published="Ruder's overview",
        ),
        Misconception(
            "both_next",
            looking_ahead(both_next),
            says="the gradient too were corrected with the product up to step t + 1",
            hint="The part of g belongs to this step. How many factors has this step's product?",
            see=DOZAT,
        ),
        Misconception(
            "g_not_divided",
            looking_ahead(g_not_divided),
            says="the gradient's part were not corrected at all",
            hint="In the first step, what should the weights of m and g in your numerator do about the zero start?",
            see=DOZAT,
        ),
        Misconception(
            "mu_swapped",
            looking_ahead(swapped),
            says="μ_t and μ_{t+1} had changed places",
            hint="Which part belongs to the step that is coming, that of m or that of g?",
            see=DOZAT,
        ),
        Misconception(
            "g_counted_twice",
            looking_ahead(g_counted_twice),
            says="m entered with its full weight, although the gradient, which it already holds, is added beside it",
            hint="Let g = 1 for ever, so that m is 1. Which number should your numerator settle at?",
            see=DOZAT,
        ),
        Misconception(
            "naught_for_none",
            naught_is_none,
            says="a `momentum_decay` of 0 had been None",
            hint="With ψ = 0, which part of `b1` is μ_t? And is 0 true or false in your `if`?",
            see=SCHEDULE,
        ),
        Misconception(
            "gradient_missing",
            looking_ahead(no_gradient),
            says="the gradient's own part were missing from the numerator",
            hint="Let g = 1 for ever, so that m is 1. Which number should your numerator settle at?",
            see=DOZAT,
        ),
        Misconception(
            "adam",
            looking_ahead(adams),
            says="this were Adam: nothing of the next step is in the numerator",
            hint="Where does the gradient stand in your numerator, beside the mean that it has entered?",
            see=DOZAT,
        ),
        Misconception(
            "product_not_updated",
            looking_ahead(product_not_updated),
            says="the product in the state never changed",
            hint="Print `mu_product` after three steps. How many factors does it have?",
            see=SCHEDULE,
        ),
        Misconception(
            "product_reset",
            looking_ahead(lambda t, b1, psi, product: right_weights(t, b1, psi, 1.0)),
            says="the product began anew in every step",
            hint="Print `mu_product` after three steps. How many factors does it have?",
            see=SCHEDULE,
        ),
        Misconception(
            "product_per_tensor",
            per_tensor(counts_steps=False),
            says="the product received a factor for every parameter, not one for every step",
            hint="Print `mu_product` after one step with three parameters. How many factors does it have?",
            see=SCHEDULE,
        ),
        Misconception(
            "product_ahead",
            looking_ahead(product_ahead),
            says="the product handed on contained the next step's factor already",
            hint="The next step multiplies by its own μ. How often is that factor in the product then?",
            see=SCHEDULE,
        ),
        Misconception(
            "power_of_mu",
            looking_ahead(power_of_mu),
            says="the product were a power, μ_t to the t, although μ_t changes from step to step",
            hint="Is 0.45 · 0.46 · 0.47 the same as 0.47 cubed?",
            see=SCHEDULE,
        ),
        Misconception(
            "mean_with_mu",
            looking_ahead(averages=lambda g, m, v, b1, b2, now: means(g, m, v, now, b2)),
            says="the mean of the gradients kept the share μ_t; asked for is PyTorch's and "
            "Keras' form, in which it keeps `b1`",
            hint="Which share of the old mean survives a step, and does the schedule change it?",
            see=SCHEDULE,
            published="Dozat's paper",
        ),
        Misconception(
            "psi_missing",
            schedule_of(lambda psi: None if psi is None else 1.0),
            says="the exponent of the schedule were t, without ψ; asked for is ψ t",
            hint="Does your μ change when `momentum_decay` does?",
            see=SCHEDULE,
            published="Keras 3",
        ),
        Misconception(
            "always_constant",
            schedule_of(lambda psi: None),
            says="the momentum were `b1` in every step, whatever `momentum_decay` says",
            hint="What is your μ in the first step, if `momentum_decay` is 4e-3 and `b1` is 0.9?",
            see=SCHEDULE,
        ),
        Misconception(
            "never_constant",
            schedule_of(lambda psi: 4e-3 if psi is None else psi),
            says="`momentum_decay=None` meant the default, 4e-3",
            hint="Which momentum should every step have when there is no schedule?",
            see=DOZAT,
        ),
        Misconception(
            "none_not_allowed",
            none_not_allowed,
            says="`momentum_decay` could only be a number",
            hint="What is t times None?",
            see=DOZAT,
        ),
        Misconception(
            "half_missing",
            looking_ahead(half_missing),
            says="the schedule began near 0, not near half of `b1`",
            hint="Which μ do you have at t = 0: 0, or b1 / 2?",
            see=SCHEDULE,
        ),
        Misconception(
            "t_starts_at_zero",
            looking_ahead(
                t_from_zero(right_weights), divisor=lambda v, t, b2, eps: np.sqrt(v / (1 - b2 ** (t - 1))) + eps
            ),
            says="t lagged one step behind: 0 in the first step",
            hint="What is 1 − b2**t in your very first step?",
            see=CORRECTION,
        ),
        Misconception(
            "t_per_tensor",
            per_tensor(counts_steps=True),
            says="t grew once for every parameter, not once for every step",
            hint="Print t after one step with three parameters. How many steps have been made?",
            see=CORRECTION,
        ),
        Misconception(
            "v_not_corrected",
            looking_ahead(divisor=lambda v, t, b2, eps: np.sqrt(v) + eps),
            says="the mean of the squares were not corrected for its start at zero",
            hint="v starts at zero as in Adam. After one step with b2 = 0.999, how much of g² does it hold?",
            see=CORRECTION,
        ),
        Misconception(
            "correction_without_t",
            looking_ahead(divisor=lambda v, t, b2, eps: np.sqrt(v / (1 - b2)) + eps),
            says="the correction of v were that of the first step for ever: 1 − β₂ without the power of t",
            hint="After a thousand steps, how much of the zero start is left in v, and by what do you still divide it?",
            see=CORRECTION,
        ),
        Misconception(
            "eps_hat_form",
            looking_ahead(divisor=lambda v, t, b2, eps: (np.sqrt(v) + eps) / (1 - b2**t) ** 0.5),
            says="ε had been added to the root before its correction (ε̂); asked for is √v̂ + ε",
            hint="Which root does ε stand beside, that of v or that of v̂?",
            see=EPSILON,
        ),
        Misconception(
            "eps_inside",
            looking_ahead(divisor=lambda v, t, b2, eps: np.sqrt(v / (1 - b2**t) + eps)),
            says="ε stood inside the root, √(v̂ + ε); asked for is √v̂ + ε",
            hint="With v̂ = 0 and ε = 0.01, by what do you divide: 0.01 or 0.1?",
            see=EPSILON,
        ),
        Misconception(
            "betas_swapped",
            betas_swapped,
            says="b1 and b2 had changed places",
            hint="With b1 = 0, Nadam has no momentum. Which of your two means forgets everything then?",
            see=KINGMA,
        ),
        Misconception(
            "v_of_m",
            looking_ahead(averages=v_of_m),
            says="v averaged the squares of m in the place of those of g",
            hint="A gradient that flips its sign every step: how large is your v after a while, and how large is g²?",
            see=KINGMA,
        ),
        Misconception(
            "passed_over",
            idle(nadam),
            says="a parameter whose gradient is 0 had no step to make",
            hint="All of an array's gradient is 0 in this step. Which of its running means is the same as before?",
            see=PURE,
        ),
        Misconception(
            "state_not_returned",
            forgetful(nadam),
            says="the old state were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its means from?",
            see=PURE,
        ),
        Misconception(
            "in_place",
            in_place(nadam),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see=PURE,
        ),
        Misconception(
            "by_position",
            by_position(nadam),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see=PURE,
        ),
    ],
    variants=[
        Variant("product from t alone", looking_ahead(product_afresh)),
        Variant("entry by entry", looped),
        Variant("in place on copies, as a list", on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.TWO_SLOTS,
    hints=[
        Hint(
            "Nesterov's momentum moves by the velocity of the *next* step. Do the same to the mean in Adam's "
            "numerator."
        ),
        Hint("Only the numerator differs from `adam`. It has two parts; this step's product corrects one, the next "
             "step's product the other."),
        Hint("A sibling: a product that grows with every step is `product = product * factor(t)`; the next one "
             "would be `product * factor(t + 1)`."),
        Hint("P = product × μ_t; numerator = μ_{t+1} m / (1 − P μ_{t+1}) + (1 − μ_t) g / (1 − P); the rest is Adam. "
             "Return P, without the next factor."),
    ],
)  # fmt: skip
