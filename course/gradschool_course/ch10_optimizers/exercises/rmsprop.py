"""RMSProp: AdaGrad with a running mean in the place of the sum, centred or not, with momentum or without."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from . import equivalent
from .adagrad import CLIPPING, PURE, with_zeros
from .trees import (
    NAMED,
    OTHER,
    SHAPES,
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

rmsprop = inspect.unwrap(optimizers.rmsprop)


# -------------------------------------------------------------------------------------------- how rmsprop is probed
def averages(rng, size=1.0):
    """A state as a run leaves it: the mean of the squares is larger than the square of the mean."""
    a = arrays(rng, 0.5 * size)
    spread = squares(rng, size * size)
    return {"s": {k: a[k] ** 2 + spread[k] for k in a}, "a": a, "v": arrays(rng)}


def nothing_yet():
    return {"s": zeros(), "a": zeros(), "v": zeros()}


def rms_path(rng):
    rate, options = {"lr": number(rng, 0.05, 0.3)}, {"rho": number(rng, 0.6, 0.85), "eps": 1e-8}
    mid_run = Steps(
        {"params": arrays(rng), "state": averages(rng)}, ending_at_naught(gradients(rng, 5), **options), rate
    )
    first = Steps({"params": arrays(rng), "state": nothing_yet()}, with_zeros(gradients(rng, 3)), rate | options)
    return [mid_run, first, as_they_come(rng, nothing_yet(), 1e-7)]


def rms_eps(rng):
    constants = {"lr": number(rng, 0.05, 0.3), "rho": number(rng, 0.6, 0.85), "eps": number(rng, 0.07, 0.2)}
    carry = {"params": arrays(rng), "state": averages(rng, 0.1)}
    hundredth = constants | {"eps": 1e-2}
    again = {"params": arrays(rng), "state": averages(rng, 0.1)}
    return [
        Steps(carry, gradients(rng, 3, 0.1, order=OTHER), constants),
        Steps(again, gradients(rng, 3, 0.1), hundredth),
    ]


def rms_centered(rng):
    constants = {"lr": number(rng, 0.05, 0.3), "rho": number(rng, 0.6, 0.85), "eps": 0.02, "centered": True}
    carry = {"params": arrays(rng), "state": averages(rng)}
    return [Steps(carry, gradients(rng, 4), constants)]


def rms_rounding(rng):
    """Gradients that hardly vary, and a mean square that rounding has left a little below the square of the mean."""
    a = {name: rng.choice([-1.0, 1.0], size=shape) * rng.uniform(1, 3, size=shape) for name, shape in SHAPES.items()}
    state = {"s": {k: a[k] ** 2 * (1 - 1e-4) for k in a}, "a": a, "v": zeros()}
    feed = [{"grads": {k: a[k] * (1 + 1e-6 * rng.normal(size=a[k].shape)) for k in a}} for _ in range(3)]
    constants = {"lr": number(rng, 0.05, 0.3), "rho": 0.9, "eps": 0.3, "centered": True}
    return [Steps({"params": arrays(rng), "state": state}, feed, constants)]


def rms_momentum(rng):
    constants = {"rho": number(rng, 0.6, 0.85), "eps": 1e-2, "momentum": number(rng, 0.4, 0.8)}
    carry = {"params": arrays(rng), "state": averages(rng)}
    feed = [step | {"lr": number(rng, 0.02, 0.3)} for step in gradients(rng, 4)]
    return [Steps(carry, feed, constants)]


def rms_single(rng):
    carry = single({"params": arrays(rng), "state": averages(rng)})
    constants = {"lr": number(rng, 0.05, 0.3), "rho": 0.7, "eps": 1e-2}
    return [Steps(carry, single(gradients(rng, 3)), constants)]


# ------------------------------------------------------------------------------------------- how rmsprop goes wrong
def scaling(rule):
    """A step of RMSProp around a rule: rule(p, g, s, a, v, lr, rho, eps, centered, momentum) -> (p, s, a, v)."""

    def wrong(params, grads, state, lr=1e-3, rho=0.9, eps=1e-8, centered=False, momentum=0.0):
        options = (lr, rho, eps, centered, momentum)
        slots = {k: (state["s"][k], state["a"][k], state["v"][k]) for k in params}
        params, s, a, v = split({k: rule(params[k], grads[k], *slots[k], *options) for k in params})
        return params, {"s": s, "a": a, "v": v}

    return wrong


def variance(s, a, centered):
    return np.maximum(s - a * a, 0) if centered else s


def rms_summed(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = s + g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_no_root(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (variance(s, a, centered) + eps)
    return p - lr * v, s, a, v


def rms_eps_inside(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / np.sqrt(variance(s, a, centered) + eps)
    return p - lr * v, s, a, v


def rms_eps_missing(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / np.sqrt(variance(s, a, centered))
    return p - lr * v, s, a, v


def rms_rho_reversed(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = (1 - rho) * s + rho * g * g, (1 - rho) * a + rho * g
    v = momentum * v + g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_weight_missing(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + g * g, rho * a + g
    v = momentum * v + g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_stale_squares(p, g, s, a, v, lr, rho, eps, centered, momentum):
    v = momentum * v + g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g, v


def rms_not_centered(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (np.sqrt(s) + eps)
    return p - lr * v, s, a, v


def rms_mean_not_squared(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (np.sqrt(np.maximum(s - a, 0) if centered else s) + eps)
    return p - lr * v, s, a, v


def rms_mean_added(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (np.sqrt(s + a * a if centered else s) + eps)
    return p - lr * v, s, a, v


def rms_squares_centered(p, g, s, a, v, lr, rho, eps, centered, momentum):
    """s is a running mean of (g − a)², which a moves along with."""
    a = rho * a + (1 - rho) * g
    s = rho * s + (1 - rho) * (g - a if centered else g) ** 2
    v = momentum * v + g / (np.sqrt(s) + eps)
    return p - lr * v, s, a, v


def rms_gradient_centered(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + (g - a if centered else g) / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_unprotected(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (np.sqrt(s - a * a if centered else s) + eps)
    return p - lr * v, s, a, v


def rms_rate_inside(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + lr * g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - v, s, a, v


def rms_without_momentum(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_momentum_first(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g
    return p - lr * v / (np.sqrt(variance(s, a, centered)) + eps), s, a, v


def rms_momentum_damped(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + (1 - momentum) * g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_uphill(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    v = momentum * v + g / (np.sqrt(variance(s, a, centered)) + eps)
    return p + lr * v, s, a, v


def rms_idle_slots(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s = rho * s + (1 - rho) * g * g
    a = rho * a + (1 - rho) * g if centered else a.copy()
    v = momentum * v + g / (np.sqrt(variance(s, a, centered)) + eps)
    return p - lr * v, s, a, v


def rms_idle_velocity(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s, a = rho * s + (1 - rho) * g * g, rho * a + (1 - rho) * g
    divided = g / (np.sqrt(variance(s, a, centered)) + eps)
    if not momentum:
        return p - lr * divided, s, a, v.copy()
    v = momentum * v + divided
    return p - lr * v, s, a, v


def rms_idle(p, g, s, a, v, lr, rho, eps, centered, momentum):
    moved, new_s, new_a, new_v = rms_idle_velocity(p, g, s, a, v, lr, rho, eps, centered, momentum)
    return moved, new_s, new_a if centered else a.copy(), new_v


def rms_by_changes(p, g, s, a, v, lr, rho, eps, centered, momentum):
    s = s + (1 - rho) * (g**2 - s)
    a = a + (1 - rho) * (g - a)
    v = g / (np.sqrt(np.clip(s - a**2, 0, None) if centered else s) + eps) + momentum * v
    return p + -lr * v, s, a, v


def rms_looped(p, g, s, a, v, lr, rho, eps, centered, momentum):
    p, s, a, v = p.copy(), s.copy(), a.copy(), v.copy()
    for i in np.ndindex(p.shape):
        s[i] = rho * s[i] + (1 - rho) * g[i] ** 2
        a[i] = rho * a[i] + (1 - rho) * g[i]
        spread = max(s[i] - a[i] ** 2, 0.0) if centered else s[i]
        v[i] = momentum * v[i] + g[i] / (spread**0.5 + eps)
        p[i] -= lr * v[i]
    return p, s, a, v


def rms_on_copies(params, grads, state, lr=1e-3, rho=0.9, eps=1e-8, centered=False, momentum=0.0):
    new = {name: p.copy() for name, p in params.items()}
    s, a, v = ({name: slot.copy() for name, slot in state[key].items()} for key in "sav")
    for name, g in grads.items():
        s[name] *= rho
        s[name] += (1 - rho) * g * g
        a[name] *= rho
        a[name] += (1 - rho) * g
        root = np.sqrt(s[name])
        if centered:
            root = np.sqrt(np.where(s[name] > a[name] ** 2, s[name] - a[name] ** 2, 0 * g))
        v[name] *= momentum
        v[name] += g / (root + eps)
        new[name] -= lr * v[name]
    return [new, {"s": s, "a": a, "v": v}]


HINTON = "RMSProp: AdaGrad that forgets"
CENTRED = "Centred, and with momentum"

RMSPROP = Exercise(
    reference=optimizers.rmsprop,
    chapter="ch10_optimizers",
    title="RMSProp",
    difficulty=3,
    minutes=20,
    task=f"""One step of RMSProp: divide the gradient by the root of a running mean of its squares, plus `eps`. The mean
keeps the share `rho` of itself. Two options change what divides and what moves:

- `centered=True`: divide by the gradient's standard deviation in the place of its root mean square. The variance comes
  from two running means; where rounding has left it below zero, count it as zero.
- `momentum` above 0: a velocity keeps that share of itself and receives the divided gradient; the parameter moves
  against the velocity, at the rate `lr`. The velocity does not carry the rate.

{NAMED}

`state` is `{{"s": running means of g², "a": running means of g, "v": velocities}}`, three dicts of arrays like
`params`, zero before the first step. All three are brought up to date in every step, whatever the options say; with
momentum 0 the velocity is just the divided gradient.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([4.0, 0.0, -3.0])}
state = {"s": {"w": np.array([16.0, 1.0, 41.0])}, "a": {"w": np.zeros(3)}, "v": {"w": np.zeros(3)}}
params, state = rmsprop(params, grads, state, lr=0.5, rho=0.5)
params["w"]  # [ 0.5 -2.   3.3]
state["s"]["w"]  # [16.   0.5 25. ]""",
    groups=[
        Group(
            "path",
            2,
            rms_path,
            "Five steps from the middle of a run, and the first three of one, also without any option.",
        ),
        Group("eps", 1, rms_eps, "A large `eps` and small gradients, so that its place matters; other order of names."),
        Group("centered", 1, rms_centered, "`centered=True`, from the middle of a run."),
        Group("rounding", 1, rms_rounding, "`centered=True`, where the variance is zero up to rounding."),
        Group("momentum", 1, rms_momentum, "`momentum` above 0, with a rate that changes."),
        Group("float32", 1, rms_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "summed",
            scaling(rms_summed),
            says="the squares were added up for good, as in AdaGrad",
            hint="Feed in the same gradient a thousand times. Does your step settle, or shrink for ever?",
            see=HINTON,
        ),
        Misconception(
            "no_root",
            scaling(rms_no_root),
            says="the root were missing: the gradient was divided by the mean square itself",
            hint="Multiply all gradients by 100. The step should hardly change; what does yours do?",
            see=HINTON,
        ),
        Misconception(
            "eps_inside",
            scaling(rms_eps_inside),
            says="ε stood inside the root, √(s + ε); asked for is √s + ε, as in PyTorch and MATLAB",
            hint="With s = 0 and ε = 0.01, by what do you divide: 0.01 or 0.1?",
            see="Where ε stands",
            published="Keras 3 and optax",
        ),
        Misconception(
            "eps_missing",
            scaling(rms_eps_missing),
            says="ε were missing",
            hint="An entry has never had a gradient. By what do you divide its gradient of zero?",
            see="Where ε stands",
        ),
        Misconception(
            "rho_reversed",
            scaling(rms_rho_reversed),
            says="ρ and 1 − ρ had changed places",
            hint="With ρ = 0.99, how many steps back does your mean reach?",
            see=HINTON,
        ),
        Misconception(
            "weight_missing",
            scaling(rms_weight_missing),
            says="the new square entered with weight 1 in the place of 1 − ρ",
            hint="Feed in g = 1 for ever. Which number should a running *mean* of g² arrive at, and which does yours?",
            see=HINTON,
        ),
        Misconception(
            "stale_squares",
            scaling(rms_stale_squares),
            says="the step were divided by the mean from before this gradient came in",
            hint="A gradient of 1000 comes out of the blue. Is it already in what you divide it by?",
            see=HINTON,
        ),
        Misconception(
            "not_centered",
            scaling(rms_not_centered),
            says="`centered` changed nothing",
            hint="What do two gradients, 9 and 11, have for a root mean square, and what for a standard deviation?",
            see=CENTRED,
        ),
        Misconception(
            "mean_not_squared",
            scaling(rms_mean_not_squared),
            says="the mean had been subtracted from the mean square without being squared",
            hint="A variance is a difference of two things of the same unit. Which unit has each of yours?",
            see=CENTRED,
        ),
        Misconception(
            "mean_added",
            scaling(rms_mean_added),
            says="the square of the mean had been added in the place of subtracted",
            hint="For a gradient that never changes, which standard deviation do you get?",
            see=CENTRED,
        ),
        Misconception(
            "squares_centered",
            scaling(rms_squares_centered),
            says="the running mean of squares were one of (g − a)²",
            hint="What does the task say that s is a mean of? Is it still that with `centered=True`?",
            see=CENTRED,
        ),
        Misconception(
            "gradient_centered",
            scaling(rms_gradient_centered),
            says="the mean had been subtracted from the gradient as well",
            hint="Once the gradient is steady, g equals its mean. Does your parameter still move downhill?",
            see=CENTRED,
        ),
        Misconception(
            "unprotected_root",
            scaling(rms_unprotected),
            says="the root of a variance were taken that rounding has left below zero",
            hint="Two nearly equal numbers are subtracted. On which side of zero can the difference fall?",
            see=CENTRED,
        ),
        Misconception(
            "rate_inside",
            scaling(rms_rate_inside),
            says="the velocity carried the rate; asked for is PyTorch's form, where `lr` meets the "
            "velocity only when the parameter moves",
            hint="Halve `lr` in the middle of a run. By which rate do *earlier* gradients still move the parameter?",
            see=CENTRED,
            published="Keras",
        ),
        Misconception(
            "without_momentum",
            scaling(rms_without_momentum),
            says="`momentum` changed nothing",
            hint="Set the gradient to zero in the middle of a run. Does the parameter coast on?",
            see=CENTRED,
        ),
        Misconception(
            "momentum_first",
            scaling(rms_momentum_first),
            says="the velocity collected gradients that were not divided yet, and was divided afterwards",
            hint="Does your velocity add up gradients or steps? Which of the two has the scale taken out?",
            see=CENTRED,
        ),
        Misconception(
            "momentum_damped",
            scaling(rms_momentum_damped),
            says="the divided gradient entered the velocity with weight 1 − momentum",
            hint="Let the divided gradient be 1 for ever, with momentum 0.9. Does your velocity end at 1 or at 10?",
            see=CENTRED,
        ),
        Misconception(
            "idle_slots",
            scaling(rms_idle_slots),
            says="the running mean of g stood still unless `centered` is set",
            hint="A caller switches `centered` on after 100 steps. What does your state know about them?",
            see=CENTRED,
        ),
        Misconception(
            "idle_velocity",
            scaling(rms_idle_velocity),
            says="the velocity stood still unless `momentum` is set",
            hint="A caller switches `momentum` on after 100 steps. Which velocity should they find: this step's, or "
            "an old one?",
            see=CENTRED,
        ),
        Misconception(
            "idle",
            scaling(rms_idle),
            says="the running mean of g and the velocity stood still unless their options are set",
            hint="What does the task say about slots whose option is not set? Which of yours move?",
            see=CENTRED,
        ),
        Misconception(
            "uphill",
            scaling(rms_uphill),
            says="the step went along the gradient, not against it",
            hint="Which sign has your step where the gradient is positive?",
            see=PURE,
        ),
        Misconception(
            "passed_over",
            idle(rmsprop),
            says="a parameter whose gradient is 0 had no step to make",
            hint="All of an array's gradient is 0 in this step. Which of its running means is the same as before?",
            see=PURE,
        ),
        Misconception(
            "state_not_returned",
            forgetful(rmsprop),
            says="the old averages were handed back in the place of the new ones",
            hint="What does your function return as the state, and where does the second step get its averages from?",
            see=PURE,
        ),
        Misconception(
            "in_place",
            in_place(rmsprop),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see=PURE,
        ),
        Misconception(
            "by_position",
            by_position(rmsprop),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see=PURE,
        ),
    ],
    variants=[
        Variant("means by their changes", scaling(rms_by_changes)),
        Variant("entry by entry", scaling(rms_looped)),
        Variant("in place on copies, as a list", rms_on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.TWO_SLOTS,
    hints=[
        Hint("AdaGrad's sum only grows. A running mean keeps the recent squares and lets the old ones fade."),
        Hint(
            "Four lines per parameter, in this order: s, a, what divides, v and p. Only the third asks for `centered`."
        ),
        Hint("A sibling: the running mean of a temperature x is `mean = 0.9 * mean + 0.1 * x`; that of x², likewise."),
        Hint(
            "s and a: ρ × old + (1 − ρ) × (g², g). root: of s, or of s − a², not below 0. "
            "v = momentum × v + g / (root + eps). p = p − lr × v."
        ),
    ],
    not_bugs={"squares after clipping order": CLIPPING},
)
