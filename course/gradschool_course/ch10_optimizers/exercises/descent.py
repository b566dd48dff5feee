"""Gradient descent and momentum: the step against the gradient, and the step that remembers where it was going."""

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
    idle,
    in_place,
    number,
    split,
    zeros,
)  # fmt: skip

sgd = inspect.unwrap(optimizers.sgd)
momentum = inspect.unwrap(optimizers.momentum)


# ------------------------------------------------------------------------------------------------ how sgd is probed
def sgd_path(rng):
    """Five steps; the rate changes on the way, as a schedule would change it."""
    feed = [step | {"lr": number(rng, 0.02, 0.4)} for step in gradients(rng, 5)]
    return [Steps({"params": arrays(rng), "state": {}}, feed), as_they_come(rng, {})]


def sgd_names(rng):
    feed = [step | {"lr": number(rng, 0.02, 0.4)} for step in gradients(rng, 3, order=OTHER)]
    return [Steps({"params": arrays(rng), "state": {}}, feed)]


def sgd_single(rng):
    feed = single(gradients(rng, 3))
    return [Steps({"params": single(arrays(rng)), "state": {}}, feed, {"lr": number(rng, 0.02, 0.4)})]


# ----------------------------------------------------------------------------------------------- how sgd goes wrong
def stepping(rule):
    """A step of gradient descent around a rule of one's own: rule(p, g, lr) -> p."""

    def wrong(params, grads, state, lr=0.01):
        return {k: rule(params[k], grads[k], lr) for k in params}, {}

    return wrong


def sgd_looped(params, grads, state, lr=0.01):
    new = {}
    for name, p in params.items():
        moved = p.copy()
        for index in np.ndindex(p.shape):
            moved[index] = p[index] - lr * grads[name][index]
        new[name] = moved
    return new, state


def sgd_on_copies(params, grads, state, lr=0.01):
    new = {name: p.copy() for name, p in params.items()}
    for name in new:
        new[name] -= lr * grads[name]
    return [new, {}]


SGD = Exercise(
    reference=optimizers.sgd,
    chapter="ch10_optimizers",
    title="Gradient descent",
    difficulty=1,
    minutes=8,
    task=f"""One step of gradient descent: move every parameter against its gradient, at the rate `lr`.

{NAMED}

Nothing is remembered from step to step, so the state stays an empty dict; it is there because every step of this
chapter has the same form.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([10.0, 0.0, -5.0])}
sgd(params, grads, {}, lr=0.1)[0]["w"]  # [ 0.  -2.   3.5]""",
    axes={},
    groups=[
        Group("path", 2, sgd_path, "Five steps in a row, with a rate that changes; three without any option."),
        Group("names", 1, sgd_names, "The names of the gradients stand in another order than those of the parameters."),
        Group("float32", 1, sgd_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "uphill",
            stepping(lambda p, g, lr: p + lr * g),
            says="the step went along the gradient, not against it",
            hint="The gradient points to where the loss grows fastest. Where do you want to go?",
            see="A step is a pure function",
        ),
        Misconception(
            "no_rate",
            stepping(lambda p, g, lr: p - g),
            says="`lr` were always 1",
            hint="Call your function once with lr=0.1 and once with lr=0.2. How far apart should the two answers be?",
            see="A step is a pure function",
        ),
        Misconception(
            "sign_only",
            stepping(lambda p, g, lr: p - lr * np.sign(g)),
            says="only the sign of the gradient counted, not its size",
            hint="One entry of the gradient is 10, another is 0.1. Do both parameters move equally far with you?",
            see="A step is a pure function",
        ),
        Misconception(
            "unit_length",
            stepping(lambda p, g, lr: p - lr * g / np.sqrt((g * g).sum())),
            says="each gradient had been divided by its length first",
            hint="Near a minimum the gradient becomes small. Do your steps become small there too?",
            see="A step is a pure function",
        ),
        Misconception(
            "averaged",
            stepping(lambda p, g, lr: p - lr * g / p.shape[0]),
            says="the gradient had been divided by the length of the parameter's first axis",
            hint="The loss has averaged over the batch already. What does the first axis of W count?",
            see="A step is a pure function",
        ),
        Misconception(
            "in_place",
            in_place(sgd),
            says="the parameters had been changed where they lie (`-=`), and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see="A step is a pure function",
        ),
        Misconception(
            "by_position",
            by_position(sgd),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see="A step is a pure function",
        ),
    ],
    variants=[
        Variant("entry by entry", sgd_looped),
        Variant("in place on copies, as a list", sgd_on_copies),
        Variant("added", stepping(lambda p, g, lr: p + -lr * g)),
        Variant("one array", stepping(lambda p, g, lr: np.subtract(p, np.multiply(g, lr)))),
    ],
    equivalent=equivalent.SGD,
    hints=[
        Hint("The gradient says how fast the loss grows when a parameter grows. To lower the loss, go the other way."),
        Hint("Go over the names of `params`; under each name take the gradient of that name. Build a new dict."),
        Hint("A sibling: halving every parameter is `{name: 0.5 * p for name, p in params.items()}`."),
        Hint("for each name: new[name] = the parameter minus (rate times its gradient); then return new and {}."),
    ],
)


# ------------------------------------------------------------------------------------------- how momentum is probed
def mid_roll(rng):
    """Five steps from a velocity that has been built up, with a rate that changes on the way."""
    carry = {"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}}
    feed = [step | {"lr": number(rng, 0.02, 0.3)} for step in gradients(rng, 5)]
    return [Steps(carry, ending_at_naught(feed, beta=number(rng, 0.5, 0.8)))]


def from_rest(rng):
    carry = {"params": arrays(rng), "state": {"v": zeros()}}
    constants = {"lr": number(rng, 0.02, 0.3), "beta": number(rng, 0.5, 0.8)}
    return [Steps(carry, gradients(rng, 4), constants), as_they_come(rng, {"v": zeros()})]


def rolling_names(rng):
    carry = {"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}}
    feed = gradients(rng, 3, order=OTHER)
    return [Steps(carry, feed, {"lr": number(rng, 0.02, 0.3), "beta": number(rng, 0.5, 0.8)})]


def rolling_single(rng):
    carry = single({"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}})
    return [Steps(carry, single(gradients(rng, 3)), {"lr": number(rng, 0.02, 0.3), "beta": number(rng, 0.5, 0.8)})]


ROLLING = [
    Group("mid-run", 2, mid_roll, "Five steps from a velocity that is not zero, with a rate that changes."),
    Group("from rest", 1, from_rest, "The first four steps, from velocity zero; three without any option."),
    Group("names", 1, rolling_names, "The names of the gradients stand in another order than those of the parameters."),
    Group("float32", 1, rolling_single, "float32 in gives float32 out.", exact_dtype=True),
]


# ------------------------------------------------------------------------------------------ how momentum goes wrong
def rolling(rule):
    """A step with a velocity around a rule of one's own: rule(p, g, v, lr, beta) -> (p, v)."""

    def wrong(params, grads, state, lr=0.01, beta=0.9):
        params, v = split({k: rule(params[k], grads[k], state["v"][k], lr, beta) for k in params})
        return params, {"v": v}

    return wrong


def uphill_velocity(p, g, v, lr, beta):
    v = beta * v + lr * g
    return p + v, v


def rate_outside(p, g, v, lr, beta):
    v = beta * v + g
    return p - lr * v, v


def running_mean(p, g, v, lr, beta):
    v = beta * v + (1 - beta) * g
    return p - lr * v, v


def counted_downhill(p, g, v, lr, beta):
    v = beta * v + lr * g
    return p - v, v


def damped(p, g, v, lr, beta):
    v = beta * v - (1 - beta) * lr * g
    return p + v, v


def no_friction(p, g, v, lr, beta):
    v = v - lr * g
    return p + v, v


def velocity_not_used(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p - lr * g, v


def late(p, g, v, lr, beta):
    return p + v, beta * v - lr * g


def beta_on_both(p, g, v, lr, beta):
    v = beta * (v - lr * g)
    return p + v, v


def ahead(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p + beta * v - lr * g, v


def keyed_by_id(right):
    """Velocities looked up by `id(array)`: the arrays of every step are new ones, so that nothing is ever found."""

    def wrong(params, grads, state, lr=0.01, beta=0.9):
        known = {id(name): v for name, v in state["v"].items()}
        v = {name: known.get(id(p), np.zeros_like(p)) for name, p in params.items()}
        return right(params, grads, {"v": v}, lr, beta)

    return wrong


def momentum_downhill(p, g, v, lr, beta):
    """With the velocity counted downhill: u = −v."""
    u = beta * -v + lr * g
    return p - u, -u


def momentum_in_parts(p, g, v, lr, beta):
    u = beta * (v / -lr) + g
    return p - lr * u, -lr * u


def momentum_on_copies(params, grads, state, lr=0.01, beta=0.9):
    new, v = {}, {}
    for name in sorted(params):
        v[name] = state["v"][name].copy()
        v[name] *= beta
        v[name] -= lr * grads[name]
        new[name] = params[name] + v[name]
    return [new, {"v": v}]


HEADING = "Momentum: a ball with friction"

MOMENTUM = Exercise(
    reference=optimizers.momentum,
    chapter="ch10_optimizers",
    title="Momentum",
    difficulty=2,
    minutes=12,
    task=f"""One step of gradient descent with momentum: a velocity that keeps the fraction `beta` of itself and is
pushed downhill by the gradient, at the rate `lr`; then the parameter moves by the *new* velocity.

{NAMED}

`state` is `{{"v": velocities}}`, a dict of arrays like `params`; return the new velocities in a new dict of that form.
The velocity carries the rate: it is what is added to the parameter, so a later change of `lr` does not rescale it.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([10.0, 0.0, -5.0])}
params, state = momentum(params, grads, {"v": {"w": np.array([0.0, 1.0, -1.0])}}, lr=0.1, beta=0.5)
params["w"]  # [ 0.  -1.5  3. ]
state["v"]["w"]  # [-1.   0.5  0. ]""",
    groups=ROLLING,
    misconceptions=[
        Misconception(
            "uphill",
            rolling(uphill_velocity),
            says="the gradient pushed the velocity uphill",
            hint="Start at rest: which sign has the velocity after one step, if the gradient is positive?",
            see=HEADING,
        ),
        Misconception(
            "rate_outside",
            rolling(rate_outside),
            says="the velocity summed up gradients and met `lr` only when the parameter moves; "
            "the form asked for is Polyak's, whose velocity carries the rate",
            hint="Halve `lr` in the middle of a run. Does the push of *earlier* gradients become weaker with you?",
            see=HEADING,
            published="PyTorch",
        ),
        Misconception(
            "running_mean",
            rolling(running_mean),
            says="the velocity were a running mean of the gradients, which meets `lr` only when the parameter moves "
            "(β v + (1 − β) g, as in `learngdm`); asked for is Polyak's sum, which carries the rate",
            hint="Let the gradient be constant. Does your ball ever become faster than a plain step?",
            see=HEADING,
        ),
        Misconception(
            "counted_downhill",
            rolling(counted_downhill),
            says="the velocity were counted downhill, as what is subtracted; asked for is the velocity that is added",
            hint="A velocity of +1 comes in, and the gradient is zero. Does your parameter grow or shrink?",
            see=HEADING,
        ),
        Misconception(
            "damped",
            rolling(damped),
            says="each new gradient were weighted by 1 − β, as in a running mean; "
            "asked for is the sum that is not damped",
            hint="Let the gradient be constant. Which velocity do you end at: the plain step, or 1 / (1 − β) times it?",
            see=HEADING,
            published="the old `learngdm` of MATLAB",
        ),
        Misconception(
            "no_friction",
            rolling(no_friction),
            says="β were 1: nothing ever slows the ball down",
            hint="Set the gradient to zero and take ten steps. Does your velocity shrink?",
            see=HEADING,
        ),
        Misconception(
            "beta_on_both",
            rolling(beta_on_both),
            says="β multiplied the new gradient as well as the old velocity",
            hint="From rest, the first step should be that of plain gradient descent. How long is yours?",
            see=HEADING,
        ),
        Misconception(
            "velocity_not_used",
            rolling(velocity_not_used),
            says="the velocity were computed, but the parameter moved by the plain gradient step",
            hint="What do you add to the parameter: the whole velocity, or only the part that came in just now?",
            see=HEADING,
        ),
        Misconception(
            "late",
            rolling(late),
            says="the parameter moved by the velocity of the step before",
            hint="From rest, does your first step move anything?",
            see=HEADING,
        ),
        Misconception(
            "ahead",
            rolling(ahead),
            says="this were Nesterov's form, which already adds a part of the next step",
            hint="By how much did the velocity change your parameter: once, or once and a bit?",
            see="Nesterov without a second point",
        ),
        Misconception(
            "keyed_by_id",
            keyed_by_id(momentum),
            says="every velocity had been zero before the step (as happens when it is looked up by `id(array)`, which "
            "no two steps share)",
            hint="Under which key does the second step look for what the first one stored, and is it the same key?",
            see=HEADING,
        ),
        Misconception(
            "passed_over",
            idle(momentum),
            says="a parameter whose gradient is 0 had no step to make",
            hint="Nothing pushes a ball in this step, and it is rolling. Does it stand still?",
            see=HEADING,
        ),
        Misconception(
            "state_not_returned",
            forgetful(momentum),
            says="the old velocity were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its velocity from?",
            see=HEADING,
        ),
        Misconception(
            "in_place",
            in_place(momentum),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see="A step is a pure function",
        ),
        Misconception(
            "by_position",
            by_position(momentum),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see="A step is a pure function",
        ),
    ],
    variants=[
        Variant("velocity counted downhill", rolling(momentum_downhill)),
        Variant("rate taken out and put back", rolling(momentum_in_parts)),
        Variant("in place on copies, as a list", momentum_on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.SLOTS,
    hints=[
        Hint("Think of a ball: friction takes a fixed fraction of its speed each step, the slope adds to it."),
        Hint("Two lines per parameter, and their order matters: first the velocity, then the parameter."),
        Hint("A sibling: a tank that keeps the share `a` and receives `x` holds `level = a * level + x` afterwards."),
        Hint(
            "for each name: v = beta × old v − lr × g; p = old p + v. Keep both under that name; return p's, {'v': "
            "v's}."
        ),
    ],
)
