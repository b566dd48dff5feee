"""AdamW: Adam, and a decay of the weights beside it that the gradients' sizes cannot change."""

import inspect

import numpy as np

from gradschool import optimizers
from gradschool_course.precision import single
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from . import equivalent
from .adagrad import with_zeros
from .adam import CORRECTION, COUNTED, EPSILON, KINGMA, PURE, betas, means, moments, move
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

adamw = inspect.unwrap(optimizers.adamw)


# ---------------------------------------------------------------------------------------------- how adamw is probed
def first_steps(rng):
    carry = {"params": arrays(rng), "state": {"t": 0, "m": zeros(), "v": zeros()}}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": 1e-8, "weight_decay": number(rng, 0.2, 0.6), **betas(rng)}
    first = Steps(carry, with_zeros(gradients(rng, 4)), constants)
    return [first, as_they_come(rng, {"t": 0, "m": zeros(), "v": zeros()}, 1e-7)]


def mid_run(rng):
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(3, 7)))}
    feed = [step | {"lr": number(rng, 0.05, 0.3)} for step in gradients(rng, 5)]
    return [Steps(carry, ending_at_naught(feed, eps=1e-7, weight_decay=number(rng, 0.2, 0.6), **betas(rng)))]


def large_eps(rng):
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(2, 5)), 0.1)}
    constants = {"lr": number(rng, 0.05, 0.3), "eps": number(rng, 0.07, 0.2), "weight_decay": 0.3, **betas(rng)}
    return [Steps(carry, gradients(rng, 3, 0.1, order=OTHER), constants)]


def decay_by_name(rng):
    """The biases are spared, and every other parameter has a decay of its own, in another order of the names."""
    decay = {"U": number(rng, 0.2, 0.5), "b": 0.0, "W": number(rng, 0.6, 0.9)}
    carry = {"params": arrays(rng), "state": moments(rng, int(rng.integers(2, 5)))}
    return [Steps(carry, gradients(rng, 3), {"lr": number(rng, 0.05, 0.3), "eps": 1e-3, "weight_decay": decay})]


def adamw_single(rng):
    carry = single({"params": arrays(rng), "state": moments(rng, 3)})
    constants = {"lr": number(rng, 0.05, 0.3), "eps": 1e-2, "weight_decay": 0.4, **betas(rng)}
    return [Steps(carry, single(gradients(rng, 3)), constants)]


# --------------------------------------------------------------------------------------------- how adamw goes wrong
def decaying(rule):
    """A step of AdamW around a rule: rule(p, g, m, v, d, t, lr, b1, b2, eps) -> (p, m, v); d is p's own decay."""

    def wrong(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
        t = state["t"] + 1
        d = weight_decay if isinstance(weight_decay, dict) else dict.fromkeys(params, weight_decay)
        options = (t, lr, b1, b2, eps)
        slots = {k: (grads[k], state["m"][k], state["v"][k], d[k]) for k in params}
        params, m, v = split({k: rule(params[k], *slots[k], *options) for k in params})
        return params, {"t": t, "m": m, "v": v}

    return wrong


def decayed_by(shrink):
    """Adam's step, then a decay of one's own: shrink(p, moved, d, lr, v_hat, eps) -> p."""

    def rule(p, g, m, v, d, t, lr, b1, b2, eps):
        m, v = means(g, m, v, b1, b2)
        moved = move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, False)
        return shrink(p, moved, d, lr, v / (1 - b2**t), eps), m, v

    return rule


def corrected_by(lacks):
    """A decay that is right beside an Adam with corrections of one's own."""

    def rule(p, g, m, v, d, t, lr, b1, b2, eps):
        m, v = means(g, m, v, b1, b2)
        lack_m, lack_v = lacks(t, b1, b2)
        return move(p, m, v, lr, lack_m, lack_v, eps, False) - lr * d * p, m, v

    return rule


def coupled(p, g, m, v, d, t, lr, b1, b2, eps):
    m, v = means(g + d * p, m, v, b1, b2)
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, False), m, v


def both_ways(p, g, m, v, d, t, lr, b1, b2, eps):
    m, v = means(g + d * p, m, v, b1, b2)
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, False) - lr * d * p, m, v


def decay_in_m(p, g, m, v, d, t, lr, b1, b2, eps):
    first, _ = means(g + d * p, m, v, b1, b2)
    _, v = means(g, m, v, b1, b2)
    return move(p, first, v, lr, 1 - b1**t, 1 - b2**t, eps, False), first, v


def betas_swapped(p, g, m, v, d, t, lr, b1, b2, eps):
    m, v = means(g, m, v, b2, b1)
    return move(p, m, v, lr, 1 - b2**t, 1 - b1**t, eps, False) - lr * d * p, m, v


def eps_hat(p, g, m, v, d, t, lr, b1, b2, eps):
    m, v = means(g, m, v, b1, b2)
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, True) - lr * d * p, m, v


def eps_inside(p, g, m, v, d, t, lr, b1, b2, eps):
    m, v = means(g, m, v, b1, b2)
    return p - lr * (m / (1 - b1**t)) / np.sqrt(v / (1 - b2**t) + eps) - lr * d * p, m, v


def v_of_m(p, g, m, v, d, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * m * m
    return move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, False) - lr * d * p, m, v


def t_per_tensor(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    t, new, first, second = state["t"], {}, {}, {}
    d = weight_decay if isinstance(weight_decay, dict) else dict.fromkeys(params, weight_decay)
    for k, p in params.items():
        t += 1
        m, v = means(grads[k], state["m"][k], state["v"][k], b1, b2)
        new[k] = move(p, m, v, lr, 1 - b1**t, 1 - b2**t, eps, False) - lr * d[k] * p
        first[k], second[k] = m, v
    return new, {"t": t, "m": first, "v": second}


def t_not_counted(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    moved, new = adamw(params, grads, state, lr, b1, b2, eps, weight_decay)
    return moved, {**new, "t": state["t"]}


def one_decay_only(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    moved, state = adamw(params, grads, state, lr, b1, b2, eps, 0.0)
    return {k: moved[k] - lr * weight_decay * params[k] for k in params}, state


def decay_by_position(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    if isinstance(weight_decay, dict):
        weight_decay = dict(zip(params, weight_decay.values(), strict=True))
    return adamw(params, grads, state, lr, b1, b2, eps, weight_decay)


def looped(p, g, m, v, d, t, lr, b1, b2, eps):
    p, m, v = p.copy(), m.copy(), v.copy()
    for i in np.ndindex(p.shape):
        m[i] += (1 - b1) * (g[i] - m[i])
        v[i] += (1 - b2) * (g[i] ** 2 - v[i])
        p[i] -= lr * (d * p[i] + m[i] / (1 - b1**t) / ((v[i] / (1 - b2**t)) ** 0.5 + eps))
    return p, m, v


def shrunk_before(p, g, m, v, d, t, lr, b1, b2, eps):
    """First the decay, as PyTorch does it; Adam's step does not depend on p, so the order is free."""
    m, v = means(g, m, v, b1, b2)
    return move(p * (1 - lr * d), m, v, lr, 1 - b1**t, 1 - b2**t, eps, False), m, v


def on_copies(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    t = state["t"] + 1
    new, m, v = ({k: a.copy() for k, a in tree.items()} for tree in (params, state["m"], state["v"]))
    for k, g in grads.items():
        d = weight_decay[k] if isinstance(weight_decay, dict) else weight_decay
        m[k] *= b1
        m[k] += (1 - b1) * g
        v[k] *= b2
        v[k] += (1 - b2) * g * g
        new[k] *= 1 - lr * d
        new[k] -= lr * (m[k] / (1 - b1**t)) / (np.sqrt(v[k] / (1 - b2**t)) + eps)
    return [new, {"m": m, "v": v, "t": np.int64(t)}]


DECAY = "AdamW: decay that Adam cannot divide away"

ADAMW = Exercise(
    reference=optimizers.adamw,
    chapter="ch10_optimizers",
    title="AdamW",
    difficulty=3,
    minutes=15,
    task=f"""One step of AdamW: Adam's step (Algorithm 1), and beside it every parameter shrinks by the share `lr` times
`weight_decay` of what it was before the step. The running means know nothing of the decay.

`weight_decay` is a number, or a dict with a number for each name of `params`, so that biases can be spared.

{NAMED}

{COUNTED}""",
    example="""\
params = {"w": np.array([1.0, -2.0, 3.0])}
grads = {"w": np.array([4.0, 0.0, -3.0])}
state = {"t": 0, "m": {"w": np.zeros(3)}, "v": {"w": np.zeros(3)}}
params, state = adamw(params, grads, state, lr=0.1, eps=1.0, weight_decay=0.5)
params["w"].round(6)  # [ 0.87  -1.9    2.925]""",
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
        Group("decay by name", 1, decay_by_name, "`weight_decay` as a dict."),
        Group("float32", 1, adamw_single, "float32 in gives float32 out.", exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "coupled",
            decaying(coupled),
            says="the decay had been added to the gradient, where Adam's root divides it away again (L2 as a penalty); "
            "asked for is the decoupled form",
            hint="Two weights of the same size, one with large gradients, one with small: do both shrink equally?",
            see=DECAY,
        ),
        Misconception(
            "both_ways",
            decaying(both_ways),
            says="the decay were counted twice: in the gradient, and beside the step",
            hint="In how many of your lines does `weight_decay` appear, and in how many should it?",
            see=DECAY,
        ),
        Misconception(
            "decay_in_m",
            decaying(decay_in_m),
            says="the decay had gone through the running mean of the gradients",
            hint="Switch the decay off after ten steps. Does it go on for a while with you?",
            see=DECAY,
        ),
        Misconception(
            "decay_divided",
            decaying(
                decayed_by(lambda p, moved, d, lr, v_hat, eps: moved - lr * d * p / (np.sqrt(v_hat) + eps)),
            ),
            says="the decay had been divided by the root of the mean square, like the gradient",
            hint="Which bracket closes too late in your last line?",
            see=DECAY,
        ),
        Misconception(
            "decay_times_lr_twice",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved - lr * lr * d * p)),
            says="the decay had been multiplied by the rate twice",
            hint="With lr = 0.1, a decay of 0.5 and no gradient: which share of a weight should be gone after one "
            "step?",
            see=DECAY,
        ),
        Misconception(
            "decay_without_lr",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved - d * p)),
            says="the decay had not been multiplied by the rate; frameworks, and this exercise, do so",
            hint="A schedule brings the rate to zero. Do your weights go on shrinking?",
            see=DECAY,
            published="the paper by Loshchilov and Hutter",
        ),
        Misconception(
            "decay_after_step",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved * (1 - lr * d))),
            says="the parameter shrank after it had moved, so that Adam's step shrank too",
            hint="Of which p is the share taken: the one before the step, or the one after it?",
            see=DECAY,
        ),
        Misconception(
            "decay_doubled",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved - 2 * lr * d * p)),
            says="the decay were twice as strong, as the gradient of a penalty λ w² would have it",
            hint="Nothing is differentiated here. Where does your 2 come from?",
            see=DECAY,
        ),
        Misconception(
            "decay_grows",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved + lr * d * p)),
            says="the weights grew in the place of shrinking",
            hint="With a gradient of zero, does a positive weight become smaller?",
            see=DECAY,
        ),
        Misconception(
            "no_decay",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved)),
            says="`weight_decay` changed nothing",
            hint="With a gradient of zero, does a positive weight become smaller?",
            see=DECAY,
        ),
        Misconception(
            "pulled_to_one_side",
            decaying(decayed_by(lambda p, moved, d, lr, v_hat, eps: moved - lr * d)),
            says="the decay took the same amount from every weight, not a share of it",
            hint="What does your decay do to a negative weight?",
            see=DECAY,
        ),
        Misconception(
            "one_decay_only",
            one_decay_only,
            says="`weight_decay` could only be a number",
            hint="What is 0.1 times a dict?",
            see=DECAY,
        ),
        Misconception(
            "decay_by_position",
            decay_by_position,
            says="the first decay belonged to the first parameter, whatever the names say",
            hint="Which name does your decay look up?",
            see=DECAY,
        ),
        Misconception(
            "no_bias_correction",
            decaying(corrected_by(lambda t, b1, b2: (1.0, 1.0))),
            says="neither running mean were corrected for its start at zero",
            hint="Work out the first step by hand, with g = 1, b1 = 0.9, b2 = 0.999. Should it be 3 times as long as "
            "lr?",
            see=CORRECTION,
        ),
        Misconception(
            "correction_without_t",
            decaying(corrected_by(lambda t, b1, b2: (1 - b1, 1 - b2))),
            says="the corrections were those of the first step for ever: 1 − β without the power of t",
            hint="After a thousand steps, how much of the zero start is left in m, and by what do you still divide it?",
            see=CORRECTION,
        ),
        Misconception(
            "t_starts_at_zero",
            decaying(corrected_by(lambda t, b1, b2: (1 - b1 ** (t - 1), 1 - b2 ** (t - 1)))),
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
            decaying(betas_swapped),
            says="b1 and b2 had changed places",
            hint="With b1 = 0, Adam has no momentum. Which of your two means forgets everything then?",
            see=KINGMA,
        ),
        Misconception(
            "eps_hat_form",
            decaying(eps_hat),
            says="this were the ε̂ form, which adds ε to the uncorrected root; asked for is Algorithm 1",
            hint="In the first step √v is about 0.03 |g|. Is that what ε competes with in Algorithm 1?",
            see=EPSILON,
            published="Keras",
        ),
        Misconception(
            "eps_inside",
            decaying(eps_inside),
            says="ε stood inside the root, √(v̂ + ε); asked for is √v̂ + ε, as in the paper",
            hint="With v̂ = 0 and ε = 0.01, by what do you divide: 0.01 or 0.1?",
            see=EPSILON,
        ),
        Misconception(
            "v_of_m",
            decaying(v_of_m),
            says="v averaged the squares of m in the place of those of g",
            hint="A gradient that flips its sign every step: how large is your v after a while, and how large is g²?",
            see=KINGMA,
        ),
        Misconception(
            "passed_over",
            idle(adamw),
            says="a parameter whose gradient is 0 had no step to make",
            hint="All of an array's gradient is 0 in this step. Which of its running means is the same as before?",
            see=PURE,
        ),
        Misconception(
            "state_not_returned",
            forgetful(adamw),
            says="the old state were handed back in the place of the new one",
            hint="What does your function return as the state, and where does the second step get its means from?",
            see=PURE,
        ),
        Misconception(
            "in_place",
            in_place(adamw),
            says="the parameters had been changed where they lie, and the same arrays handed back",
            hint="Someone kept `before = params` to draw the step. What do they find in it after your call?",
            see=PURE,
        ),
        Misconception(
            "by_position",
            by_position(adamw),
            says="the first gradient belonged to the first parameter, whatever the names say",
            hint="What does `zip(params.values(), grads.values())` pair up when `grads` lists its names in another "
            "order?",
            see=PURE,
        ),
    ],
    variants=[
        Variant("decay first", decaying(shrunk_before)),
        Variant("entry by entry", decaying(looped)),
        Variant("in place on copies, as a list", on_copies),
    ],
    equivalent=equivalent.ADAMW,
    hints=[
        Hint("Adam rescales whatever goes through its means. A decay that is to act equally on all must go past them."),
        Hint("Take your `adam` and change one line. Which p does the decay refer to?"),
        Hint("A sibling: a debt that shrinks by interest r and by a payment x is `debt - r * debt - x`."),
        Hint("p = p − lr × (Adam's quotient) − lr × d × (the old p), with d = weight_decay, or weight_decay[name]."),
    ],
)
