"""step_trainable: a step with momentum and decay for what learns, and none for what is frozen."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.transfer import step_trainable
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Steps, Variant

from . import draw
from .draw import CHAPTER, CLOSE, LEARNS, STANDS_STILL


# ---------------------------------------------------------------------------------------------- how stepping goes wrong
def pulled(name, p, decay):
    return decay * p if name == "W" else 0.0 * p


def velocity(v, g, pull, lr, beta):
    return beta * v - lr * (g + pull)


def fresh(grads, model):
    return [{name: np.zeros_like(g) for name, g in layer.items()} for layer in grads]


def fresh_where_it_learns(grads, model):
    return [
        {name: np.zeros_like(g) for name, g in layer.items() if mine["trainable"]}
        for layer, mine in zip(grads, model, strict=True)
    ]


def stands_still(p, v, g, pull, lr, beta):
    return p, v


def stepped(frozen=stands_still, begin=fresh, pull=pulled, rule=velocity, learns=lambda layer: layer["trainable"]):
    """A step with parts of its own; frozen(p, v, g, pull, lr, beta) -> (p, v) is what becomes of a frozen parameter."""

    def answer(model, grads, slots, lr, beta=0.9, decay=0.0):
        slots = begin(grads, model) if slots is None else slots
        new_model, new_slots = [], []
        for layer, gs, vs in zip(model, grads, slots, strict=True):
            layer, moved, new = dict(layer), learns(layer), dict(vs)
            for name, g in gs.items():
                if not moved and name not in vs:
                    continue
                p, v, extra = layer[name], vs[name], pull(name, layer[name], decay)
                if moved:
                    new[name] = rule(v, g, extra, lr, beta)
                    layer[name] = p + new[name]
                else:
                    layer[name], new[name] = frozen(p, v, g, extra, lr, beta)
            new_model.append(layer)
            new_slots.append(new)
        return new_model, new_slots

    return answer


def rolls_on(p, v, g, pull, lr, beta):
    """Its gradient counts as zero."""
    return p + beta * v, beta * v


def decays(p, v, g, pull, lr, beta):
    return p - lr * pull, v


def zero_gradient(p, v, g, pull, lr, beta):
    """Zero in the place of its gradient, and then the step of all others."""
    v = beta * v - lr * pull
    return p + v, v


def slows_down(p, v, g, pull, lr, beta):
    return p, beta * v


def gathers(p, v, g, pull, lr, beta):
    return p, beta * v - lr * (g + pull)


def forgets(p, v, g, pull, lr, beta):
    return p, 0 * v


def changed_in_place(model, grads, slots, lr, beta=0.9, decay=0.0):
    new_model, new_slots = step_trainable(model, grads, slots, lr, beta, decay)
    for layer, new in zip(model, new_model, strict=True):
        layer.update(new)
    return model, new_slots


def statistics_dropped(model, grads, slots, lr, beta=0.9, decay=0.0):
    new_model, new_slots = step_trainable(model, grads, slots, lr, beta, decay)
    return [{k: v for k, v in layer.items() if k not in ("mean", "var")} for layer in new_model], new_slots


def where(moves):
    """A step for those parameters for which moves(p, g) is true; the others, and their velocities, stay."""

    def answer(model, grads, slots, lr, beta=0.9, decay=0.0):
        slots = fresh(grads, model) if slots is None else slots
        new_model, new_slots = step_trainable(model, grads, slots, lr, beta, decay)
        for old, gs, vs, layer, new in zip(model, grads, slots, new_model, new_slots, strict=True):
            stay = [name for name in gs if not moves(old[name], gs[name])]
            layer.update({name: old[name] for name in stay})
            new.update({name: vs[name] for name in stay})
        return new_model, new_slots

    return answer


def begins_anew(model, grads, slots, lr, beta=0.9, decay=0.0):
    return step_trainable(model, grads, None, lr, beta, decay)


# ------------------------------------------------------------------------------------------------ other right answers
def by_factors(model, grads, slots, lr, beta=0.9, decay=0.0):
    """A rate of 0 and a memory of 1 for what is frozen."""
    slots = slots or [{k: 0.0 * g for k, g in layer.items()} for layer in grads]
    new_model, new_slots = [], []
    for layer, gs, vs in zip(model, grads, slots, strict=True):
        on = float(layer["trainable"])
        kept = {k: (on * beta + 1 - on) * vs[k] - on * lr * (gs[k] + decay * (k == "W") * layer[k]) for k in gs}
        new_slots.append(kept)
        new_model.append({**layer, **{k: layer[k] + on * kept[k] for k in gs}})
    return new_model, new_slots


def in_place_on_copies(model, grads, slots, lr, beta=0.9, decay=0.0):
    copied = [{k: v.copy() if isinstance(v, np.ndarray) else v for k, v in layer.items()} for layer in model]
    if slots is None:
        slots = [{k: np.zeros(g.shape) for k, g in layer.items()} for layer in grads]
    slots = [{k: v.copy() for k, v in layer.items()} for layer in slots]
    for i, layer in enumerate(copied):
        if not layer["trainable"]:
            continue
        for k in grads[i]:
            slots[i][k] *= beta
            slots[i][k] -= lr * grads[i][k]
            if k == "W":
                slots[i][k] -= lr * decay * layer[k]
            layer[k] += slots[i][k]
    return copied, slots


def decay_first(model, grads, slots, lr, beta=0.9, decay=0.0):
    """The gradients with their decay first, then the velocities of all, then the layers."""
    total = [
        {k: g + (decay * layer[k] if k == "W" else 0) for k, g in gs.items()}
        for layer, gs in zip(model, grads, strict=True)
    ]
    before = slots if slots else [{k: g * 0 for k, g in gs.items()} for gs in grads]
    after = [
        {k: beta * v[k] - lr * gs[k] for k in gs} if layer["trainable"] else v
        for layer, gs, v in zip(model, total, before, strict=True)
    ]
    moved = [
        layer | ({k: layer[k] + v[k] for k in v} if layer["trainable"] else {})
        for layer, v in zip(model, after, strict=True)
    ]
    return moved, after


# ------------------------------------------------------------------------------------------------------------- probes
def rates(rng, decay=True):
    found = {"lr": float(rng.uniform(0.05, 0.3)), "beta": float(rng.uniform(0.5, 0.95))}
    return found | ({"decay": float(rng.uniform(0.2, 0.8))} if decay else {})


def drawn(rng, normed=(), frozen=(0, 2), kernels=()):
    model = draw.layers(rng, draw.widths(rng, 5), normed, frozen, biased=[1], kernels=kernels)
    return {"model": model, "grads": draw.gradients(rng, model), "slots": draw.gradients(rng, model)}


def in_motion(rng):
    return [
        Call(**drawn(rng), **rates(rng, decay=False)),
        Call(**drawn(rng, frozen=[1, 3], kernels=[2]), **rates(rng)),
        Call(**drawn(rng), **rates(rng) | {"beta": 0.0}),
    ]


def first_step(rng):
    return [Call(**drawn(rng) | {"slots": None}, **rates(rng)), Call(**drawn(rng), lr=0.1), Call(**zeros(rng))]


def zeros(rng):
    """Biases that are as they began, and a gradient that is 0, of a weight that is in motion."""
    asked = drawn(rng, frozen=[2])
    grads = [dict(layer) for layer in asked["grads"]]
    grads[1]["W"] = np.zeros_like(grads[1]["W"])
    return {**asked, "model": draw.fresh(asked["model"]), "grads": grads, **rates(rng)}


def normalised(rng):
    return [Call(**drawn(rng, normed=[0, 1]), **rates(rng))]


def several(rng):
    model = draw.layers(rng, draw.widths(rng, 4), normed=[1], frozen=[0], biased=[1])
    feed = [{"grads": draw.gradients(rng, model)} for _ in range(4)]
    return [Steps(carry={"model": model, "slots": draw.gradients(rng, model)}, feed=feed, constants=rates(rng))]


STEP = Exercise(
    reference=step_trainable,
    returns=("model", "slots"),
    chapter=CHAPTER,
    title="A step that leaves the frozen alone",
    difficulty=3,
    minutes=20,
    task="""A step of gradient descent with momentum and weight decay, for the layers that are trainable:

$$v \\leftarrow \\beta v - \\mathrm{lr}\\,(g + \\lambda\\, p), \\qquad p \\leftarrow p + v .$$

- `grads` has for *each* layer of `model`, frozen or not, a dict of gradients under the names of its parameters.
- `slots` are the velocities v in the same form. `None` means that none have been made yet: then they are zeros, for
  each parameter in grads, frozen or not, so that all is there when a layer is unfrozen later.
- `decay` is λ, for `W` only, whatever its shape. Biases, gamma and beta have none.
- In a frozen layer every number stays: its parameters and its velocities.

Return `(model, slots)`, both new. All other entries of the layers stay. The arguments stay as they are, and the new
model may share arrays with the old one.""",
    example="""\
model = [{"W": np.ones((1, 1)), "trainable": False}, {"W": np.ones((1, 1)), "trainable": True}]
grads = [{"W": np.array([[5.0]])}, {"W": np.array([[5.0]])}]
moved, slots = step_trainable(model, grads, None, lr=0.1)
[layer["W"].tolist() for layer in moved]  # [[[1.0]], [[0.5]]]
[v["W"].tolist() for v in slots]  # [[[0.0]], [[-0.5]]]""",
    groups=[
        Group("in motion", 2, in_motion, "Layers that were in motion when they were frozen.", CLOSE),
        Group("first step", 2, first_step, "There are no velocities yet.", CLOSE),
        Group("normalised", 1, normalised, "Layers with a normalisation.", CLOSE),
        Group("several steps", 1, several, "Four steps, one after the other.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        Misconception(
            "frozen_rolls_on",
            stepped(rolls_on),
            "Its gradient is zero and its velocity is not. Where does a frozen weight go?",
            "a frozen layer went on with its old velocity",
            STANDS_STILL,
        ),
        Misconception(
            "frozen_decays",
            stepped(decays),
            "After a hundred steps without a gradient, how large is a frozen weight that still decays?",
            "frozen weights still decayed",
            STANDS_STILL,
        ),
        Misconception(
            "frozen_by_zero_gradient",
            stepped(zero_gradient),
            "Two more things than the gradient move a weight in this step. Which?",
            "freezing only set gradients to zero, and velocity and decay went on",
            STANDS_STILL,
        ),
        Misconception(
            "frozen_slots_decay",
            stepped(slows_down),
            "A layer is frozen for a step and then unfrozen. Should it have slowed down?",
            "the velocities of frozen layers became smaller",
            STANDS_STILL,
        ),
        Misconception(
            "frozen_slots_gather",
            stepped(gathers),
            "Which jump does a frozen layer make in the step in which it is unfrozen?",
            "frozen layers gathered velocity while they stood",
            STANDS_STILL,
        ),
        Misconception(
            "frozen_slots_cleared",
            stepped(forgets),
            "Every number of a frozen layer stays. Does its velocity?",
            "freezing set the velocities to zero",
            STANDS_STILL,
        ),
        Misconception(
            "slots_missing",
            stepped(begin=fresh_where_it_learns),
            "The layer is unfrozen after the first phase. Which velocity does your step find for it?",
            "there were velocities only for what learned at the first step",
            STANDS_STILL,
        ),
        Misconception(
            "flag_ignored",
            stepped(learns=lambda layer: True),
            "Where in your code does the flag of a layer stand?",
            "no layer were frozen",
            LEARNS,
        ),
        Misconception(
            "frozen_ones_move",
            stepped(learns=lambda layer: not layer["trainable"]),
            "Which layers stand still in yours: those with True, or those with False?",
            "the frozen layers were those that learn",
            LEARNS,
        ),
        Misconception(
            "all_decay",
            stepped(pull=lambda name, p, decay: decay * p),
            "What is a bias pulled to, and why should it be?",
            "biases, scales and shifts decayed, too",
            STANDS_STILL,
        ),
        Misconception(
            "no_decay",
            stepped(pull=lambda name, p, decay: 0 * p),
            "Where in your code does decay stand?",
            "there were no decay",
            STANDS_STILL,
        ),
        Misconception(
            "decay_not_times_rate",
            stepped(rule=lambda v, g, pull, lr, beta: beta * v - lr * g - pull),
            "Which factor stands before the bracket, and what is inside it?",
            "the decay were not multiplied by the rate",
            STANDS_STILL,
        ),
        Misconception(
            "uphill",
            stepped(rule=lambda v, g, pull, lr, beta: beta * v + lr * (g + pull)),
            "A gradient of 5 and no velocity: does the weight grow or shrink in yours?",
            "the step went uphill",
            STANDS_STILL,
        ),
        Misconception(
            "no_momentum",
            stepped(rule=lambda v, g, pull, lr, beta: -lr * (g + pull)),
            "What of the old velocity is in your new one?",
            "the velocities had no memory",
            STANDS_STILL,
        ),
        Misconception(
            "average",
            stepped(rule=lambda v, g, pull, lr, beta: beta * v - (1 - beta) * lr * (g + pull)),
            "A first step without velocity: is it lr times the gradient?",
            "the gradient were multiplied by 1 − β",
            STANDS_STILL,
            published="MATLAB's `learngdm`",
        ),
        Misconception(
            "no_gradient_no_step",
            where(lambda p, g: np.any(g)),
            "A gradient is 0, and the velocity is not. Where does the weight go?",
            "what has a gradient of 0 stood still",
            STANDS_STILL,
        ),
        Misconception(
            "zeros_stand_still",
            where(lambda p, g: np.any(p)),
            "A bias begins with zeros. Is it to stay there?",
            "an array of zeros were not to move",
            STANDS_STILL,
        ),
        Misconception(
            "begins_anew",
            begins_anew,
            "Two steps with the same gradient: is the second longer than the first?",
            "the velocities began with zero at each step",
            STANDS_STILL,
        ),
        Misconception(
            "statistics_dropped",
            statistics_dropped,
            "Which entries has a normalised layer, and which has yours after the step?",
            "the running statistics got lost",
            STANDS_STILL,
        ),
        Misconception(
            "changed_in_place",
            changed_in_place,
            "Print the caller's model after the step. Should it have moved?",
            "the model that came in were changed",
            STANDS_STILL,
        ),
    ],
    variants=[
        Variant("by factors", by_factors),
        Variant("in place on copies", in_place_on_copies),
        Variant("decay first", decay_first),
    ],
    hints=[
        Hint(
            "Three things move a weight in a step: gradient, velocity and decay. Frozen means that none of them does."
        ),
        Hint('Look at "Frozen stands still". What is a gradient of zero, and what is it not?'),
        Hint(
            "A worked sibling, interest for the accounts that are open:\n\n"
            '    [{**a, "money": 1.02 * a["money"]} if a["open"] else a for a in accounts]'
        ),
        Hint(
            "    if there are no velocities: zeros like each gradient of each layer\n"
            "    for each layer: new dicts of it and of its velocities\n"
            "    if it learns, for each of its gradients: the new velocity, then the parameter plus it"
        ),
    ],
)
