"""decayed_step: weight decay beside an optimizer, or through it."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.weights import decayed_step
from gradschool_grader.exercise import Exercise, Group, Helper, Hint, Misconception, Steps, Variant

from .common import CHAPTER, CLOSE, FORMS, NAMES, ONLY_WEIGHTS, TWO_DECAYS, number, parameters, sizes


# ------------------------------------------------------------------------------------------------ how decay goes wrong
def shrunk(params, by, weight=lambda name: name.startswith("W")):
    return {name: p - by * p if weight(name) else p for name, p in params.items()}


def pulled(grads, params, by, weight=lambda name: name.startswith("W")):
    return {name: g + by * params[name] if weight(name) else g for name, g in grads.items()}


def always_coupled(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, decay, True)


def always_decoupled(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, decay, False)


def the_other_way_round(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, decay, not coupled)


def both_at_once(update, params, grads, state, lr, decay, coupled=False):
    grads = pulled(grads, params, decay) if coupled else grads
    return update(shrunk(params, lr * decay), grads, state, lr)


def without_rate(update, params, grads, state, lr, decay, coupled=False):
    if coupled:
        return decayed_step(update, params, grads, state, lr, decay, True)
    return update(shrunk(params, decay), grads, state, lr)


def rate_in_the_gradient(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, lr * decay if coupled else decay, coupled)


def twice_the_decay(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, 2 * decay, coupled)


def decayed_by_name(weight):
    """Those arrays decay whose names weight(name) takes for weights."""

    def answer(update, params, grads, state, lr, decay, coupled=False):
        if coupled:
            return update(params, pulled(grads, params, decay, weight), state, lr)
        return update(shrunk(params, lr * decay, weight), grads, state, lr)

    return answer


def after_the_step(update, params, grads, state, lr, decay, coupled=False):
    if coupled:
        return decayed_step(update, params, grads, state, lr, decay, True)
    params, state = update(params, grads, state, lr)
    return shrunk(params, lr * decay), state


def growing(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, -decay, coupled)


def no_decay(update, params, grads, state, lr, decay, coupled=False):
    return update(params, grads, state, lr)


def old_state(update, params, grads, state, lr, decay, coupled=False):
    return decayed_step(update, params, grads, state, lr, decay, coupled)[0], state


def by_sign(update, params, grads, state, lr, decay, coupled=False):
    signs = {name: np.sign(p) if name.startswith("W") else 0 * p for name, p in params.items()}
    if coupled:
        return update(params, {name: g + decay * signs[name] for name, g in grads.items()}, state, lr)
    return update({name: p - lr * decay * signs[name] for name, p in params.items()}, grads, state, lr)


def weights_alone_move(update, params, grads, state, lr, decay, coupled=False):
    moved, state = decayed_step(update, params, grads, state, lr, decay, coupled)
    return {name: p if name.startswith("W") else params[name].copy() for name, p in moved.items()}, state


def without_own_rate(update, params, grads, state, lr, decay, coupled=False):
    """The optimizer is run at the rate 1 − lr decay as well."""
    if coupled:
        return decayed_step(update, params, grads, state, lr, decay, True)
    return update(shrunk(params, lr * decay), grads, state, lr * (1 - lr * decay))


def in_place(update, params, grads, state, lr, decay, coupled=False):
    for name in params:
        if name.startswith("W") and coupled:
            grads[name] += decay * params[name]
        elif name.startswith("W"):
            params[name] *= 1 - lr * decay
    return update(params, grads, state, lr)


# --------------------------------------------------------------------------------------------- other right answers
def on_copies(update, params, grads, state, lr, decay, coupled=False):
    params, grads = dict(params), dict(grads)
    for name in [name for name in params if name[0] == "W"]:
        if coupled:
            grads[name] = decay * params[name] + grads[name]
        else:
            params[name] = params[name] * (1 - lr * decay)
    return update(params, grads, state, lr)


def subtracted_afterwards(update, params, grads, state, lr, decay, coupled=False):
    """What an optimizer adds does not depend on where it starts, so the *old* weights may be taken off after it."""
    by = {name: decay if name.startswith("W") else 0.0 for name in params}
    if coupled:
        return update(params, {name: grads[name] + by[name] * params[name] for name in params}, state, lr)
    moved, state = update(params, grads, state, lr)
    return {name: moved[name] - lr * by[name] * params[name] for name in params}, state


def by_axes(update, params, grads, state, lr, decay, coupled=False):
    rates = {name: decay * (p.ndim > 1) for name, p in params.items()}
    grads = {name: g + coupled * rates[name] * params[name] for name, g in grads.items()}
    params = {name: (1 - (not coupled) * lr * rates[name]) * p for name, p in params.items()}
    return update(params, grads, state, lr)


# ----------------------------------------------------------------------------------------------------------- probes
def like(rng, params):
    return {name: rng.normal(size=p.shape) * 10 ** rng.uniform(-1, 1) for name, p in params.items()}


def dense(rng):
    """One layer, whose arrays have no numbers in their names."""
    D, H = sizes(rng, 2)
    return {"W": rng.normal(size=(D, H)), "b": rng.normal(size=H)}


def run(rng, optimizer, coupled, made=parameters):
    """Four steps from a mid-run state; gradients of each array differ in size, and weights dwarf none of them."""
    params = made(rng)
    if optimizer == "signed":
        b1, b2 = number(rng, 0.2, 0.5), number(rng, 0.6, 0.9)
        update, state = Helper("signed", {"b1": b1, "b2": b2}), {"m": like(rng, params)}
    else:
        update, state = Helper("heavy", {"beta": number(rng, 0.3, 0.9)}), {"v": like(rng, params)}
    feed = [{"grads": like(rng, params)} for _ in range(4)]
    constants = {"update": update, "lr": number(rng, 0.2, 0.5), "decay": number(rng, 0.3, 0.9)}
    constants |= {"coupled": True} if coupled else {}
    return Steps(carry={"params": params, "state": state}, feed=feed, constants=constants)


def runs(coupled):
    return lambda rng: [run(rng, "heavy", coupled), run(rng, "signed", coupled), run(rng, "heavy", coupled, dense)]


def bug(name, wrong, hint, says, see=TWO_DECAYS, published=""):
    return Misconception(name, wrong, hint, says, see, published)


DECAYED_STEP = Exercise(
    reference=decayed_step,
    chapter=CHAPTER,
    title="Weight decay, beside the optimizer or through it",
    difficulty=3,
    minutes=15,
    task=f"""One step of *any* optimizer, with weight decay. `update(params, grads, state, lr)` is one plain step of the
optimizer, and returns new params and state. `params` and `grads` are dicts of arrays with the same names. {NAMES}

- `coupled=False`: each weight first loses the part `lr * decay` of itself, whatever its gradient is. Then the optimizer
  takes its step from there.
- `coupled=True`: the optimizer is given the gradients of loss + ½ `decay` Σ w² in the place of those of the loss.

Return what the optimizer returns. Change none of the arguments.""",
    example="""\
sgd = lambda params, grads, state, lr: ({n: params[n] - lr * grads[n] for n in params}, state)
params, grads = {"W": np.array([[10.0, -20.0]])}, {"W": np.array([[1.0, 0.0]])}
decayed_step(sgd, params, grads, None, lr=0.1, decay=0.5)[0]["W"]  # [[  9.4 -19. ]]""",
    groups=[
        Group("decoupled", 2, runs(coupled=False), "Decay beside the optimizer.", CLOSE),
        Group("coupled", 2, runs(coupled=True), "Decay through the optimizer.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        bug("always_coupled", always_coupled,
            "With an optimizer that only looks at the sign of a gradient: how much does your weight decay?",
            "decay always went through the optimizer, as if the two were the same"),
        bug("always_decoupled", always_decoupled,
            "With coupled=True, which gradients does the optimizer get to see?",
            "decay always went beside the optimizer, as if the two were the same"),
        bug("other_way_round", the_other_way_round,
            "Which of your two ways does the optimizer know about? Is that coupled?",
            "coupled and decoupled had been swapped"),
        bug("both_at_once", both_at_once,
            "With coupled=True, how often does a weight decay in your step?",
            "the weights always shrank, and with coupled=True the gradients changed as well"),
        bug("without_rate", without_rate,
            "Halve the rate and take two steps for one. Have the weights decayed as before?",
            "decoupled decay did not depend on the rate",
            published="the paper by Loshchilov and Hutter"),
        bug("rate_in_the_gradient", rate_in_the_gradient,
            "The optimizer multiplies its gradients by the rate. Who else does?",
            "the rate had been multiplied into the gradient of the penalty"),
        bug("twice_the_decay", twice_the_decay,
            "What is the derivative of ½ λ w²?", "the decay were 2 λ w", FORMS),
        bug("everything_decays", decayed_by_name(lambda name: True),
            "Which arrays of yours become smaller: does a bias?", "biases, scales and shifts decayed like weights",
            ONLY_WEIGHTS,
            published="PyTorch, unless parameters are grouped"),
        bug("after_the_step", after_the_step,
            "A weight is 0 before the step. How much of its step is left in yours?",
            "the weights shrank after the step, and the step with them"),
        bug("growing", growing, "Do your weights become smaller?", "decay had the other sign"),
        bug("only_one_name", decayed_by_name(lambda name: name == "W"),
            "Which of your arrays are weights, and what do their names have in common?",
            "only an array whose name is exactly `W` decayed, and not `W1` or `W2`", ONLY_WEIGHTS),
        bug("w_anywhere", decayed_by_name(lambda name: "W" in name),
            "A bias is called `b_W1`. Is it a weight for you, and does its name begin with W?",
            "every array with a W in its name were a weight", ONLY_WEIGHTS),
        bug("no_decay", no_decay, "All gradients are 0. What happens to your weights?", "there were no decay"),
        bug("old_state", old_state, "What does the optimizer remember in its next step?",
            "the state from before the step had been returned"),
        bug("by_sign", by_sign, "Does a large weight lose more than a small one in yours?",
            "every weight lost the same amount, as with the penalty |w|"),
        bug("weights_alone_move", weights_alone_move, "What has become of the biases after your step?",
            "only weights were updated at all", ONLY_WEIGHTS),
        bug("step_shrunk_too", without_own_rate, "Which rate do you hand to the optimizer?",
            "the optimizer's rate had decayed as well"),
        bug("in_place", in_place, "Look at your arguments after the call. Are they what they were?",
            "the arguments were changed"),
    ],
    variants=[
        Variant("copies of the dicts", on_copies),
        Variant("the old weights taken off afterwards", subtracted_afterwards),
        Variant("by the number of axes", by_axes),
    ],
    hints=[
        Hint("The optimizer is a black box. You can change what goes in: the parameters, or the gradients."),
        Hint('Look at "Two decays that are not the same". Which of the two does the optimizer get to see?'),
        Hint(
            "A worked sibling, gradients that are clipped before the optimizer sees them:\n\n"
            "    def clipped_step(update, params, grads, state, lr, limit):\n"
            "        return update(params, {n: np.clip(g, -limit, limit) for n, g in grads.items()}, state, lr)"
        ),
        Hint(
            "    coupled: for each weight gradient + decay × weight, then update\n"
            "    else: for each weight weight − lr × decay × weight, then update with the gradients as they are"
        ),
    ],
)  # fmt: skip
