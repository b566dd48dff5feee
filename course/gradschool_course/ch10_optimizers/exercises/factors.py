"""Every array its own rate: one step of any optimizer, in which each array goes its own share of the way."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Steps, Variant

from . import equivalent
from .every import copied, network
from .trees import number

update_each = inspect.unwrap(optimizers.update_each)
with_lr_factors = inspect.unwrap(optimizers.with_lr_factors)


# ------------------------------------------------------------------------------------ how with_lr_factors is probed
def optimizer(rng):
    """A step that looks at signs only: a factor on its gradients would be lost."""
    return Helper("signed", {"b1": number(rng, 0.3, 0.7), "b2": number(rng, 0.5, 0.9)})


def layers(rng, draw=None):
    return {name: part for name, part in network(rng, draw).items() if name != "offsets"}


def factors_of(rng):
    """A frozen body but for one gain, a slow W and a fast b in the head; names stand in another order."""
    return {
        "head": {"b": number(rng, 2, 3), "W": number(rng, 0.1, 0.4)},
        "body": {"norm": {"mean": 0.0, "gain": number(rng, 1.2, 1.8)}, "dense": {"W": 0.0, "b": number(rng, 0.4, 0.7)}},
    }


def path(rng, factors, grads=layers, **more):
    carry = {"params": layers(rng), "state": {"m": layers(rng)}}
    feed = [{"grads": grads(rng), "lr": number(rng, 0.05, 0.3)} for _ in range(3)]
    return Steps(carry, feed, {"step": optimizer(rng), "factors": factors, **more})


def every_array(rng):
    return [path(rng, factors_of(rng))]


def whole_parts(rng):
    """A number for everything below it, names left out, and a factor for all."""
    some = {"body": {"dense": number(rng, 0.1, 0.5)}, "head": number(rng, 2, 3)}
    return [path(rng, some), path(rng, {"body": 0.0}), path(rng, number(rng, 0.2, 0.6))]


def with_options(rng):
    return [path(rng, factors_of(rng), decay=number(rng, 0.3, 0.9))]


def running_means(rng):
    """The running mean has no gradient, and a factor all the same."""

    def grads(rng):
        drawn = layers(rng)
        drawn["body"]["norm"]["mean"] = None
        return drawn

    return [path(rng, {"body": number(rng, 0.3, 0.7), "head": number(rng, 2, 3)}, grads, decay=number(rng, 0.3, 0.9))]


def misspelt(rng):
    """At the top, and inside a dict."""
    step, drawn = optimizer(rng), {"params": layers(rng), "grads": layers(rng), "state": {"m": layers(rng)}}
    wrong = {"bodi": 0.0, "head": 0.5}, {"body": {"dens": 0.0}}
    return [
        path(rng, {"body": {"dense": 0.0}}),
        *(Call(step=step, **drawn, lr=0.1, factors=factors) for factors in wrong),
    ]


def factors_single(rng):
    carry = single({"params": layers(rng), "state": {"m": layers(rng)}})
    feed = [{"grads": single(layers(rng))} for _ in range(3)]
    return [Steps(carry, feed, {"step": optimizer(rng), "factors": factors_of(rng), "lr": 0.2})]


# ------------------------------------------------------------------------------------ how with_lr_factors goes wrong
def factor_tree(params, factors, missing=1.0):
    """A factor for every array: numbers go down to everything below them, names left out get `missing`."""
    if not isinstance(params, dict):
        return factors
    own = factors if isinstance(factors, dict) else dict.fromkeys(params, factors)
    if not set(own) <= set(params):
        raise ValueError(f"expected some of {list(params)}, got {list(own)}")
    return {name: factor_tree(part, own.get(name, missing), missing) for name, part in params.items()}


def moving(move, spread=factor_tree):
    """The step as it is, then move(p, moved, f) -> p for every array with its factor."""

    def wrong(step, params, grads, state, lr, factors, **hyper):
        moved, state = step(params, grads, state, lr, **hyper)
        return update_each(lambda p, q, f: (move(p, q, f), f), params, moved, spread(params, factors))[0], state

    return wrong


def part_way(p, moved, f):
    return (1 - f) * p + f * moved


def gradients_scaled(step, params, grads, state, lr, factors, **hyper):
    def scaled(g, f):
        if g is None:
            return None
        return {name: scaled(g[name], f[name]) for name in g} if isinstance(g, dict) else f * g

    return step(params, scaled(grads, factor_tree(params, factors)), state, lr, **hyper)


def options_dropped(step, params, grads, state, lr, factors, **hyper):
    return with_lr_factors(step, params, grads, state, lr, factors)


def nested_at_full_rate(params, factors):
    """Factors are looked up at the top only: what is nested below has factor 1."""
    factor_tree(params, factors)
    top = factors if isinstance(factors, dict) else dict.fromkeys(params, factors)
    numbers = {name: f for name, f in top.items() if not isinstance(f, dict)}
    return factor_tree(params, numbers)


def numbers_not_spread(params, factors):
    """A number above a dict is passed over."""
    if not isinstance(params, dict):
        return 1.0 if isinstance(factors, dict) else factors
    own = factors if isinstance(factors, dict) else {}
    if not set(own) <= set(params):
        raise ValueError(f"expected some of {list(params)}, got {list(own)}")
    return {name: numbers_not_spread(part, own.get(name, {})) for name, part in params.items()}


def factors_by_position(params, factors):
    if not isinstance(params, dict):
        return factors
    if not isinstance(factors, dict):
        return factor_tree(params, factors)
    factor_tree(params, factors)
    own = dict(zip(params, factors.values(), strict=False))
    return {name: factors_by_position(part, own.get(name, 1.0)) for name, part in params.items()}


def misspelt_ignored(params, factors):
    if not isinstance(params, dict):
        return factors
    own = factors if isinstance(factors, dict) else dict.fromkeys(params, factors)
    return {name: misspelt_ignored(part, own.get(name, 1.0)) for name, part in params.items()}


def checked_at_the_top(params, factors):
    if isinstance(factors, dict) and not set(factors) <= set(params):
        raise ValueError(f"expected some of {list(params)}, got {list(factors)}")
    return misspelt_ignored(params, factors)


def none_as_zero(step, params, grads, state, lr, factors, **hyper):
    def filled(g, p):
        if g is None:
            return update_each(np.zeros_like, p)
        return {name: filled(g[name], p[name]) for name in g} if isinstance(g, dict) else g

    return with_lr_factors(step, params, filled(grads, params), state, lr, factors, **hyper)


def state_not_returned(step, params, grads, state, lr, factors, **hyper):
    params, _ = with_lr_factors(step, params, grads, state, lr, factors, **hyper)
    return params, copied(state)


def state_scaled(step, params, grads, state, lr, factors, **hyper):
    params, new = with_lr_factors(step, params, grads, state, lr, factors, **hyper)
    every = factor_tree(params, factors)
    m = update_each(lambda a, b, f: (part_way(a, b, f), f), state["m"], new["m"], every)[0]
    return params, {"m": m}


def numbers(tree):
    return [f for part in tree.values() for f in numbers(part)] if isinstance(tree, dict) else [tree]


def a_step_for_each_factor(step, params, grads, state, lr, factors, **hyper):
    """Each step begins with the state that the one before has left; the step at the full rate is always made."""
    every, new = factor_tree(params, factors), copied(params)
    for rate in sorted({1.0, *numbers(every)} - {0.0}):
        moved, state = step(params, grads, state, lr * rate, **hyper)
        new = update_each(lambda p, q, f, rate=rate: (q if f == rate else p, f), new, moved, every)[0]
    return new, state


def one_step_each(step, params, grads, state, lr, factors, **hyper):
    """A call of the step for every array, with a rate of its own."""

    def below(p, g, m, f):
        if g is None or not isinstance(p, dict):
            new, slots = step({"": p}, {"": g}, {"m": {"": m}}, lr * f, **hyper)
            return new[""], slots["m"][""]
        parts = {name: below(p[name], g[name], m[name], f[name]) for name in p}
        return {name: part[0] for name, part in parts.items()}, {name: part[1] for name, part in parts.items()}

    new, m = below(params, grads, state["m"], factor_tree(params, factors))
    return [new, {"m": m}]


RATES = "A rate of its own for every array"

WITH_LR_FACTORS = Exercise(
    reference=optimizers.with_lr_factors,
    chapter="ch10_optimizers",
    title="A rate of its own for every array",
    difficulty=4,
    minutes=25,
    task="""Take one step of any optimizer, in which every array has the rate `lr` times a factor of its own: 0 freezes
it, 0.1 fine-tunes it.

`step(params, grads, state, lr, **hyper)` is one of this chapter's steps, or anything of that form; it understands
nested dicts and gradients of None, and returns `(params, state)`. You know nothing else about it: not what its state
holds, nor what it does with gradients. But as with every step of this chapter, how far it moves a parameter is
proportional to `lr`.

`factors` is a tree of numbers like `params`, with two short forms: a number stands for everything below it, and a name
that is left out has the factor 1. Names are matched, not positions. Raise ValueError for a name that `params` does not
have.

Return `(params, state)`, with new arrays in `params` and the state as the step returns it. An array with factor 0 keeps
exactly the values it had; no step is infinite. The arguments stay as they are.""",
    example="""\
def halfway(params, grads, state, lr):
    return {name: params[name] - lr * np.sign(grads[name]) for name in params}, {}
params = {"body": np.array([1.0, 2.0]), "head": np.array([3.0])}
grads = {"body": np.array([5.0, -5.0]), "head": np.array([0.1])}
new, state = with_lr_factors(halfway, params, grads, {}, 0.5, {"body": 0.2})
new["body"]  # [0.9 2.1]
new["head"]  # [2.5]""",
    groups=[
        Group("every array", 2, every_array, "A factor for every array; names stand in another order."),
        Group("short forms", 2, whole_parts, "Numbers for everything below them, and names left out."),
        Group("options", 1, with_options, "Further options reach the step, decay among them."),
        Group("not learned", 1, running_means, "A running mean without a gradient stays as it is."),
        Group("names", 1, misspelt, "A factor for a name that no parameter has is refused with ValueError."),
        Group("float32", 1, factors_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "gradients_scaled",
            gradients_scaled,
            says="the factors multiplied the gradients, not the rates",
            hint="What does Adam do with a gradient that is ten times smaller from beginning to end?",
            see=RATES,
        ),
        Misconception(
            "nested_skipped",
            moving(part_way, nested_at_full_rate),
            says="factors inside nested dicts did not count",
            hint="What does your function do when the factor of \"body\" is itself a dict?",
            see=RATES,
        ),
        Misconception(
            "numbers_not_spread",
            moving(part_way, numbers_not_spread),
            says="a number did not count for what lies below it",
            hint="`{\"body\": 0.0}` should freeze the whole body. Which arrays does your factor reach?",
            see=RATES,
        ),
        Misconception(
            "missing_frozen",
            moving(part_way, lambda params, factors: factor_tree(params, factors, 0.0)),
            says="a name that is left out had the factor 0",
            hint="`factors={}` should change nothing about the step. What does it do with you?",
            see=RATES,
        ),
        Misconception(
            "by_position",
            moving(part_way, factors_by_position),
            says="the first factor belonged to the first parameter, whatever the names say",
            hint="The factors list the head first. Which layer do you freeze?",
            see=RATES,
        ),
        Misconception(
            "misspelt_ignored",
            moving(part_way, misspelt_ignored),
            says="a factor for a name that does not exist were passed over",
            hint="Someone wants to freeze \"body\" and writes \"bdoy\". How long until they notice?",
            see=RATES,
        ),
        Misconception(
            "checked_at_the_top",
            moving(part_way, checked_at_the_top),
            says="a misspelt name inside a nested dict were passed over, and only one at the top refused",
            hint="Where do you compare names: once at the top, or wherever you meet a dict?",
            see=RATES,
        ),
        Misconception(
            "moved_scaled",
            moving(lambda p, moved, f: f * moved),
            says="the factor multiplied the new parameter, not the way it had moved",
            hint="Which value has a frozen parameter after your step?",
            see=RATES,
        ),
        Misconception(
            "only_frozen_or_not",
            moving(lambda p, moved, f: p.copy() if f == 0 else moved),
            says="factors could only freeze: every factor but 0 meant the full rate",
            hint="What is the difference between the factors 0.1 and 1 in your function?",
            see=RATES,
        ),
        Misconception(
            "options_dropped",
            options_dropped,
            says="the further options never reached the step",
            hint="Where does `hyper` go in your call?",
            see=RATES,
        ),
        Misconception(
            "state_updated",
            none_as_zero,
            says="None were a gradient of zero, so that a step with decay changed what is not learned",
            hint="A running mean has no gradient. Why do you give it one?",
            see=RATES,
        ),
        Misconception(
            "a_step_for_each_factor",
            a_step_for_each_factor,
            says="a step had been made for each different factor, one after the other, so that the state has seen the "
            "gradients several times",
            hint="How often do you call `step` with this state? How many steps has the state made then?",
            see=RATES,
        ),
        Misconception(
            "state_not_returned",
            state_not_returned,
            says="the old state were handed back in the place of the new one",
            hint="What does your function return as the state?",
            see="A step is a pure function",
        ),
        Misconception(
            "state_scaled",
            state_scaled,
            says="the factors slowed the optimizer's memory as well as the parameters",
            hint="A frozen layer is set free after 100 steps. What should the optimizer know of its gradients?",
            see=RATES,
        ),
    ],
    variants=[
        Variant("along the way moved", moving(lambda p, moved, f: p + f * (moved - p))),
        Variant("a call for every array", one_step_each),
        Variant("frozen as copies", moving(lambda p, moved, f: p.copy() if f == 0 else part_way(p, moved, f))),
    ],
    equivalent=equivalent.LISTS,
    hints=[
        Hint("If a step is proportional to its rate, a tenth of the rate is a tenth of the way."),
        Hint(
            "Let the step do its work on everything, at the full rate. Then walk over params, moved and factors "
            "together."
        ),
        Hint("A sibling: a point a third of the way from a to b is `(1 - 1/3) * a + 1/3 * b`."),
        Hint("moved, state = step(...); walk(p, q, f): for an array (1 − f) × p + f × q; for a dict, f's own entry "
             "for each name, f itself if it is a number, 1 if the name is left out."),
    ],
)  # fmt: skip
