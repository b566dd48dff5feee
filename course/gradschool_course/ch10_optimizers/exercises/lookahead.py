"""Nesterov's two forms: the gradient asked for where the ball is about to be, and the same without a second point."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Helper, Hint, Misconception, Steps, Variant

from . import equivalent
from .descent import (
    ROLLING,
    counted_downhill,
    damped,
    keyed_by_id,
    momentum_in_parts,
    rate_outside,
    rolling,
    running_mean,
    uphill_velocity,
)  # fmt: skip
from .trees import (
    NAMED,
    OTHER,
    SHAPES,
    arrays,
    by_position,
    ending_at_naught,
    forgetful,
    idle,
    in_place,
    number,
    split,
    squares,
    zeros,
)

nesterov = inspect.unwrap(optimizers.nesterov)
nag_step = inspect.unwrap(optimizers.nag_step)


# ------------------------------------------------------------------------------------------- how nag_step is probed
def valley(rng, order=tuple(SHAPES)):
    """A gradient whose curvatures spread over two decades."""
    curvatures = squares(rng)
    return Helper("quadratic", {"a": {name: curvatures[name] for name in order}})


def nag_mid_roll(rng):
    carry = {"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}}
    feed = [{"lr": number(rng, 0.02, 0.15)} for _ in range(5)]
    return [Steps(carry, ending_at_naught(feed, beta=number(rng, 0.5, 0.8)), {"grad_fn": valley(rng)})]


def nag_from_rest(rng):
    carry = {"params": arrays(rng), "state": {"v": zeros()}}
    constants = {"grad_fn": valley(rng), "lr": number(rng, 0.02, 0.15), "beta": number(rng, 0.5, 0.8)}
    unchosen = Steps({"params": arrays(rng), "state": {"v": zeros()}}, [{}, {}, {}], {"grad_fn": valley(rng)})
    return [Steps(carry, [{}, {}, {}, {}], constants), unchosen]


def nag_two_valleys(rng):
    """A gradient that is no straight line, so that asking at another point cannot be made up for afterwards."""
    grad_fn = Helper("quartic", {"a": squares(rng, 0.3)})
    carry = {"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}}
    valleys = Steps(carry, [{}, {}, {}], {"grad_fn": grad_fn, "lr": number(rng, 0.02, 0.1), "beta": 0.7})
    return [valleys, *nag_together(rng)]


def nag_together(rng):
    """Parameters whose gradients go by each other; then a gradient that goes by how often it was asked for."""
    joined = Helper("joined", {"a": squares(rng), "c": number(rng, 0.5, 1)})
    batches = Helper("batch_by_batch", {"a": squares(rng), "sizes": [1.3, 0.4, 2.1]})
    return [
        Steps({"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}}, [{}, {}],
              {"grad_fn": grad_fn, "lr": number(rng, 0.02, 0.1), "beta": number(rng, 0.5, 0.8)})
        for grad_fn in (joined, batches)
    ]  # fmt: skip


def nag_names(rng):
    carry = {"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}}
    return [Steps(carry, [{}, {}, {}], {"grad_fn": valley(rng, OTHER), "lr": number(rng, 0.02, 0.15), "beta": 0.7})]


def nag_single(rng):
    carry = single({"params": arrays(rng), "state": {"v": arrays(rng, 0.3)}})
    grad_fn = Helper("quadratic", {"a": single(squares(rng))})
    return [Steps(carry, [{}, {}, {}], {"grad_fn": grad_fn, "lr": number(rng, 0.02, 0.15), "beta": 0.7})]


# ------------------------------------------------------------------------------------------ how nag_step goes wrong
def asking_at(place, rule):
    """A step that asks for the gradient at place(p, v, lr, beta), then applies rule(p, g, v, lr, beta) -> (p, v)."""

    def wrong(grad_fn, params, state, lr=0.01, beta=0.9):
        v = state["v"]
        g = grad_fn({k: place(params[k], v[k], lr, beta) for k in params})
        params, v = split({k: rule(params[k], g[k], v[k], lr, beta) for k in params})
        return params, {"v": v}

    return wrong


def roll(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p + v, v


def peek(p, v, lr, beta):
    return p + beta * v


def stayed_ahead(p, g, v, lr, beta):
    new = beta * v - lr * g
    return p + beta * v + new, new


def shifted_form(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p + beta * v - lr * g, v


def looked_in_place(grad_fn, params, state, lr=0.01, beta=0.9):
    v = state["v"]
    for name in params:
        params[name] += beta * v[name]
    g = grad_fn(params)
    v = {name: beta * v[name] - lr * g[name] for name in params}
    return {name: params[name] - beta * state["v"][name] + v[name] for name in params}, {"v": v}


def nag_by_position(grad_fn, params, state, lr=0.01, beta=0.9):
    v = state["v"]
    g = grad_fn({name: params[name] + beta * v[name] for name in params})
    v = {name: beta * v[name] - lr * slope for name, slope in zip(params, g.values(), strict=True)}
    return {name: params[name] + v[name] for name in params}, {"v": v}


def nag_keyed_by_id(grad_fn, params, state, lr=0.01, beta=0.9):
    known = {id(name): v for name, v in state["v"].items()}
    v = {name: known.get(id(p), np.zeros_like(p)) for name, p in params.items()}
    return nag_step(grad_fn, params, {"v": v}, lr, beta)


def nag_forgetful(grad_fn, params, state, lr=0.01, beta=0.9):
    params, _ = nag_step(grad_fn, params, state, lr, beta)
    return params, {"v": {name: v.copy() for name, v in state["v"].items()}}


def one_at_a_time(grad_fn, params, state, lr=0.01, beta=0.9):
    """Each parameter looks ahead alone, while the others stay."""
    v = {}
    for name in params:
        g = grad_fn({**params, name: params[name] + beta * state["v"][name]})[name]
        v[name] = beta * state["v"][name] - lr * g
    return {name: params[name] + v[name] for name in params}, {"v": v}


def asked_for_each(grad_fn, params, state, lr=0.01, beta=0.9):
    ahead = {name: params[name] + beta * state["v"][name] for name in params}
    v = {name: beta * state["v"][name] - lr * grad_fn(ahead)[name] for name in params}
    return {name: params[name] + v[name] for name in params}, {"v": v}


def ahead_of_the_step_too(p, g, v, lr, beta):
    new = beta * v - lr * g
    return p + beta * new - lr * g, new


def nag_looped(grad_fn, params, state, lr=0.01, beta=0.9):
    ahead = {name: p.copy() for name, p in params.items()}
    for name in ahead:
        ahead[name] += beta * state["v"][name]
    g = grad_fn(ahead)
    new, v = {}, {}
    for name in params:
        v[name] = beta * state["v"][name] - lr * g[name]
        new[name] = params[name] + v[name]
    return [new, {"v": v}]


def from_ahead(p, g, v, lr, beta):
    """Counted from the point that was looked at: p + v' = (p + β v) − lr g."""
    moved = (p + beta * v) - lr * g
    return moved, beta * v - lr * g


PUBLISHED = "Nesterov: look before you step"

NAG_STEP = Exercise(
    reference=optimizers.nag_step,
    chapter="ch10_optimizers",
    title="Nesterov's accelerated gradient, as published",
    difficulty=2,
    minutes=12,
    task="""One step of Nesterov's accelerated gradient. The ball looks before it is pushed: the gradient is asked for
where the old velocity alone, slowed by `beta`, would carry it; with that gradient the velocity is updated as in
`momentum`, and the parameter, which has not moved meanwhile, moves by the new velocity.

`grad_fn(params)` takes a dict like `params` and returns the gradients there, under the same names in whatever order;
call it once. `params` is a dict of arrays and `state` is `{"v": velocities}`, like it. Return `(params, state)`: new
dicts with new arrays, in the dtype of the parameters. The arguments stay as they are.""",
    example="""\
slope = lambda params: {"w": 10 * params["w"]}
params = {"w": np.array([1.0, -2.0, 3.0])}
params, state = nag_step(slope, params, {"v": {"w": np.array([0.0, 1.0, -2.0])}}, lr=0.05, beta=0.5)
params["w"]  # [ 0.5  -0.75  1.  ]
state["v"]["w"]  # [-0.5   1.25 -2.  ]""",
    groups=[
        Group("mid-run", 2, nag_mid_roll, "Five steps from a velocity that is not zero, with a rate that changes."),
        Group("from rest", 1, nag_from_rest, "The first four steps, from velocity zero; three without any option."),
        Group(
            "two valleys",
            1,
            nag_two_valleys,
            "Gradients that are no straight line, go by all parameters, or by batches.",
        ),
        Group("names", 1, nag_names, "`grad_fn` returns its names in another order."),
        Group("float32", 1, nag_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "gradient_at_params",
            asking_at(lambda p, v, lr, beta: p, roll),
            says="the gradient had been asked for at the parameters themselves, which is plain momentum",
            hint="What do you hand to `grad_fn`: where the ball is, or where it is about to be?",
            see=PUBLISHED,
        ),
        Misconception(
            "beta_missing_ahead",
            asking_at(lambda p, v, lr, beta: p + v, roll),
            says="the gradient had been asked for at p + v, a full old velocity ahead",
            hint="If the gradient were zero, where would this very step take the ball? Is that where you looked?",
            see=PUBLISHED,
        ),
        Misconception(
            "looks_back",
            asking_at(lambda p, v, lr, beta: p - beta * v, roll),
            says="the gradient had been asked for behind the ball",
            hint="The velocity is what is added to the parameter. In which direction is ahead?",
            see=PUBLISHED,
        ),
        Misconception(
            "looks_after_descent",
            asking_at(lambda p, v, lr, beta: p + lr * v, roll),
            says="the look ahead went by lr · v in the place of β · v",
            hint="The velocity already carries the rate. By what is it slowed before this step adds to it?",
            see=PUBLISHED,
        ),
        Misconception(
            "stayed_ahead",
            asking_at(peek, stayed_ahead),
            says="the new velocity had been added to the point that was only looked at",
            hint="Looking is not moving. From which point does the step begin?",
            see=PUBLISHED,
        ),
        Misconception(
            "shifted_form",
            asking_at(lambda p, v, lr, beta: p, shifted_form),
            says="this were the form that frameworks have, with the gradient at `params`; asked for is the published "
            "form, which looks ahead",
            hint="Both forms describe one path. But which point of it do they call `params`?",
            see="Nesterov without a second point",
        ),
        Misconception(
            "both_forms",
            asking_at(peek, ahead_of_the_step_too),
            says="the gradient were asked for ahead, and the step were that of the other form, which looks ahead once "
            "more: β v′ − lr g, with the new v′",
            hint="You have looked ahead before you asked. What then does your last line look ahead for?",
            see="Nesterov without a second point",
        ),
        Misconception(
            "one_at_a_time",
            one_at_a_time,
            says="each parameter looked ahead alone, while the others stayed where they are",
            hint="The slope of W depends on where b is. Where is b when the ball has rolled on?",
            see=PUBLISHED,
        ),
        Misconception(
            "asked_for_each",
            asked_for_each,
            says="the gradient were asked for again for each parameter",
            hint="How often is `grad_fn` called for three parameters, and what if each call sees another batch?",
            see=PUBLISHED,
        ),
        Misconception(
            "uphill",
            asking_at(peek, uphill_velocity),
            says="the gradient pushed the velocity uphill",
            hint="Start at rest: which sign has the velocity after one step, if the gradient is positive?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "rate_outside",
            asking_at(lambda p, v, lr, beta: p - lr * beta * v, rate_outside),
            says="the velocity summed up gradients and met `lr` only when the parameter moves",
            hint="Halve `lr` in the middle of a run. Does the push of *earlier* gradients become weaker with you?",
            see="Momentum: a ball with friction",
            published="PyTorch",
        ),
        Misconception(
            "running_mean",
            asking_at(lambda p, v, lr, beta: p - lr * beta * v, running_mean),
            says="the velocity were a running mean of the gradients, which meets `lr` only when the parameter moves "
            "(β v + (1 − β) g, as in `learngdm`); asked for is Polyak's sum, which carries the rate",
            hint="Let the gradient be constant. Does your ball ever become faster than a plain step?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "counted_downhill",
            asking_at(lambda p, v, lr, beta: p - beta * v, counted_downhill),
            says="the velocity were counted downhill, as what is subtracted; asked for is the velocity that is added",
            hint="A velocity of +1 comes in, and the gradient is zero. Does your parameter grow or shrink?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "damped",
            asking_at(peek, damped),
            says="each new gradient were weighted by 1 − β, as in a running mean",
            hint="Let the gradient be constant. Which velocity do you end at: the plain step, or 1 / (1 − β) times it?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "keyed_by_id",
            nag_keyed_by_id,
            says="every velocity had been zero before the step",
            hint="Under which key does the second step look for what the first one stored, and is it the same key?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "state_not_returned",
            nag_forgetful,
            says="the old velocity were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its velocity from?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "looked_in_place",
            looked_in_place,
            says="the caller's own parameters had been moved in order to look ahead",
            hint="Your numbers are right. But where does the caller find their parameters after the call?",
            see="A step is a pure function",
        ),
        Misconception(
            "by_position",
            nag_by_position,
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="`grad_fn` promises the same names, not the same order. Do you look its answer up by name?",
            see="A step is a pure function",
        ),
    ],
    variants=[
        Variant("in place on copies, as a list", nag_looped),
        Variant("counted from the point ahead", asking_at(peek, from_ahead)),
        Variant("rate taken out and put back", asking_at(lambda p, v, lr, beta: beta * v + p, momentum_in_parts)),
    ],
    equivalent=equivalent.WALK | equivalent.LEARNED,
    hints=[
        Hint("Momentum is going to carry the ball on in any case. So the slope that matters is the one it will meet."),
        Hint("Three lines: a dict of the points ahead; one call of `grad_fn` with it; then `momentum`'s two updates."),
        Hint("A sibling: a gradient one plain step ahead is `grad_fn({k: params[k] - lr * g[k] for k in params})`."),
        Hint(
            "ahead = p + beta × v; g = grad_fn(ahead); v = beta × v − lr × g; p = p + v (the p from before the look)."
        ),
    ],
)


# ------------------------------------------------------------------------------------------ how nesterov goes wrong
def rate_outside_ahead(p, g, v, lr, beta):
    v = beta * v + g
    return p - lr * (g + beta * v), v


def full_velocity(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p + v - lr * g, v


def running_mean_ahead(p, g, v, lr, beta):
    v = beta * v + (1 - beta) * g
    return p - lr * ((1 - beta) * g + beta * v), v


def downhill_ahead(p, g, v, lr, beta):
    v = beta * v + lr * g
    return p - lr * g - beta * v, v


def damped_ahead(p, g, v, lr, beta):
    v = beta * v - (1 - beta) * lr * g
    return p + beta * v - (1 - beta) * lr * g, v


def gradient_dropped(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p + beta * v, v


def plain_step(p, g, v, lr, beta):
    v = beta * v - lr * g
    return p - lr * g, v


def uphill_ahead(p, g, v, lr, beta):
    v = beta * v + lr * g
    return p + beta * v - lr * g, v


def two_betas(p, g, v, lr, beta):
    """Everything in terms of the old velocity: β² v − (1 + β) lr g."""
    return p + beta**2 * v - (1 + beta) * lr * g, beta * v - lr * g


def difference(p, g, v, lr, beta):
    """Momentum's step, and the change that the velocity will bring beyond it: (1 + β) v' − β v."""
    new = beta * v - lr * g
    return p + (1 + beta) * new - beta * v, new


def nesterov_on_copies(params, grads, state, lr=0.01, beta=0.9):
    new, kept = {}, {}
    for name in sorted(params):
        v = state["v"][name].copy()
        v *= beta
        v -= lr * grads[name]
        new[name], kept[name] = params[name] + (beta * v - lr * grads[name]), v
    return [new, {"v": kept}]


SHIFTED = "Nesterov without a second point"

NESTEROV = Exercise(
    reference=optimizers.nesterov,
    chapter="ch10_optimizers",
    title="Nesterov's momentum for any training loop",
    difficulty=3,
    minutes=15,
    task=f"""One step of Nesterov's momentum in the form that needs no second point. What is called `params` here is the
point that `nag_step` would look at, and `grads` are the gradients there. Update the velocity as in `momentum`; then
move the parameter to where the *next* look ahead would be.

{NAMED}

`state` is `{{"v": velocities}}`, a dict of arrays like `params`; return the new velocities in a new dict of that form.
The velocity carries the rate, as in `momentum`.""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([10.0, 0.0, -5.0])}
params, state = nesterov(params, grads, {"v": {"w": np.array([0.0, 1.0, -1.0])}}, lr=0.1, beta=0.5)
params["w"]  # [-0.5  -1.75  3.5 ]
state["v"]["w"]  # [-1.   0.5  0. ]""",
    groups=ROLLING,
    misconceptions=[
        Misconception(
            "not_ahead",
            rolling(roll),
            says="the parameter moved by the new velocity alone, which is plain momentum (p + β v − lr g with the "
            "*old* velocity is the same thing)",
            hint="Which velocity stands in your last line, the one before this step or the one after it?",
            see=SHIFTED,
        ),
        Misconception(
            "full_velocity",
            rolling(full_velocity),
            says="the look ahead went by v in the place of β v",
            hint="The next step will slow the velocity before it uses it. By how much?",
            see=SHIFTED,
        ),
        Misconception(
            "plain_step",
            rolling(plain_step),
            says="β v were missing where the parameter moves",
            hint="Set the gradient to zero. Does your parameter still coast?",
            see=SHIFTED,
        ),
        Misconception(
            "gradient_dropped",
            rolling(gradient_dropped),
            says="only β v moved the parameter, without the gradient's own part",
            hint="From rest, with β = 0, this should be plain gradient descent. What is it with you?",
            see=SHIFTED,
        ),
        Misconception(
            "rate_outside",
            rolling(rate_outside_ahead),
            says="the velocity summed up gradients and met `lr` only when the parameter moves; "
            "the form asked for is Keras', whose velocity carries the rate",
            hint="Halve `lr` in the middle of a run. Does the push of *earlier* gradients become weaker with you?",
            see="Momentum: a ball with friction",
            published="PyTorch",
        ),
        Misconception(
            "running_mean",
            rolling(running_mean_ahead),
            says="the velocity were a running mean of the gradients, which meets `lr` only when the parameter moves "
            "(β v + (1 − β) g, as in `learngdm`); asked for is Polyak's sum, which carries the rate",
            hint="Let the gradient be constant. Does your ball ever become faster than a plain step?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "counted_downhill",
            rolling(downhill_ahead),
            says="the velocity were counted downhill, as what is subtracted; asked for is the velocity that is added",
            hint="A velocity of +1 comes in, and the gradient is zero. Does your parameter grow or shrink?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "damped",
            rolling(damped_ahead),
            says="each new gradient were weighted by 1 − β, as in a running mean",
            hint="Let the gradient be constant. Which velocity do you end at: the plain step, or 1 / (1 − β) times it?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "uphill",
            rolling(uphill_ahead),
            says="the gradient pushed the velocity uphill while it pulled the parameter downhill",
            hint="Write down the sign of the gradient in each of your two lines. Do they agree?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "no_friction",
            rolling(lambda p, g, v, lr, beta: (p + beta * (v - lr * g) - lr * g, v - lr * g)),
            says="the velocity never lost anything: β were missing in its update",
            hint="Set the gradient to zero and take ten steps. Does your velocity shrink?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "keyed_by_id",
            keyed_by_id(nesterov),
            says="every velocity had been zero before the step",
            hint="Under which key does the second step look for what the first one stored, and is it the same key?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "passed_over",
            idle(nesterov),
            says="a parameter whose gradient is 0 had no step to make",
            hint="Nothing pushes a ball in this step, and it is rolling. Does it stand still?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "state_not_returned",
            forgetful(nesterov),
            says="the old velocity were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its velocity from?",
            see="Momentum: a ball with friction",
        ),
        Misconception(
            "in_place",
            in_place(nesterov),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see="A step is a pure function",
        ),
        Misconception(
            "by_position",
            by_position(nesterov),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see="A step is a pure function",
        ),
    ],
    variants=[
        Variant("in terms of the old velocity", rolling(two_betas)),
        Variant("momentum's step and its change", rolling(difference)),
        Variant("in place on copies, as a list", nesterov_on_copies),
    ],
    equivalent=equivalent.WALK | equivalent.SLOTS,
    hints=[
        Hint("If all that is ever stored is the point ahead, no gradient is needed anywhere else."),
        Hint(
            "Write x for `nag_step`'s parameter and y = x + βv for the point ahead. What is the next y, in terms of y?"
        ),
        Hint("A sibling: from y = x + 1 and x' = 2x follows y' = x' + 1 = 2(y − 1) + 1. Eliminate x in the same way."),
        Hint("v = beta × v − lr × g; then p moves by beta × (this new v), and by − lr × g."),
    ],
)
