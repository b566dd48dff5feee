"""max_norm: a bound on what comes into a unit."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.weights import max_norm
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import BOUND, CHAPTER, CLOSE, NAMES, ONLY_WEIGHTS, number, parameters


# -------------------------------------------------------------------------------------------------- how bounds go wrong
def is_weight(name):
    return name.startswith("W")


def w_anywhere(name):
    return "W" in name


def by_array(rule, weight=is_weight):
    """rule(w, limit) for one array of weights."""

    def answer(params, limit):
        return {name: rule(p, limit) if weight(name) else p.copy() for name, p in params.items()}

    return answer


def incoming(p):
    return tuple(range(p.ndim - 1))


def cut(p, limit, norms):
    return p * np.minimum(1, limit / np.maximum(norms, 1e-300))


def right(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum(axis=incoming(p))))


def outgoing(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum(axis=-1, keepdims=True)))


def per_array(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum()))


def by_the_longest(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum(axis=incoming(p))).max())


def always_scaled(p, limit):
    return p * (limit / np.sqrt((p**2).sum(axis=incoming(p))))


def first_axis(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum(axis=0)))


def height_and_width(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum(axis=tuple(range(max(1, p.ndim - 2))))))


def inputs_alone(p, limit):
    return cut(p, limit, np.sqrt((p**2).sum(axis=-2, keepdims=True)))


def absolute_sum(p, limit):
    return cut(p, limit, np.abs(p).sum(axis=incoming(p)))


def largest(p, limit):
    return cut(p, limit, np.abs(p).max(axis=incoming(p)))


def squared(p, limit):
    return cut(p, limit, (p**2).sum(axis=incoming(p)))


def square_compared(p, limit):
    norms = np.sqrt((p**2).sum(axis=incoming(p)))
    return np.where(norms**2 > limit, p * (limit / np.maximum(norms, 1e-300)), p)


def root_mean_square(p, limit):
    return cut(p, limit, np.sqrt((p**2).mean(axis=incoming(p))))


def entries(p, limit):
    return np.clip(p, -limit, limit)


def to_length_one(p, limit):
    norms = np.sqrt((p**2).sum(axis=incoming(p)))
    return np.where(norms > limit, p / np.maximum(norms, 1e-300), p)


def at_least(p, limit):
    return p * np.maximum(1, limit / np.maximum(np.sqrt((p**2).sum(axis=incoming(p))), 1e-300))


def set_to_zero(p, limit):
    return np.where(np.sqrt((p**2).sum(axis=incoming(p))) > limit, 0.0, p)


def as_a_vector(p, limit):
    return right(p, limit) if p.ndim > 1 else cut(p, limit, np.sqrt((p**2).sum()))


def weights_alone(params, limit):
    return {name: right(p, limit) for name, p in params.items() if is_weight(name)}


def same_arrays(params, limit):
    return {name: right(p, limit) if is_weight(name) else p for name, p in params.items()}


def in_place(params, limit):
    for name, p in params.items():
        if is_weight(name):
            p *= np.minimum(1, limit / np.sqrt((p**2).sum(axis=incoming(p))))
    return params


# ----------------------------------------------------------------------------------------------- other right answers
def unit_by_unit(params, limit):
    bounded = {name: np.array(p) for name, p in params.items()}
    for name, p in bounded.items():
        for j in range(p.shape[-1]) if name.startswith("W") else ():
            norm = np.linalg.norm(p[..., j].ravel())
            if norm > limit:
                p[..., j] *= limit / norm
    return bounded


def by_einsum(p, limit):
    flat = p.reshape(-1, p.shape[-1])
    norms = np.einsum("ij,ij->j", flat, flat) ** 0.5
    return np.divide(flat, np.maximum(norms / limit, 1)).reshape(p.shape)


def by_clip(p, limit):
    norms = np.linalg.norm(p.reshape(-1, p.shape[-1]), axis=0)
    wanted = np.clip(norms, 0, limit)
    return p * np.divide(wanted, norms, out=np.ones_like(norms), where=norms > 0)


# -------------------------------------------------------------------------------------------------------------- probes
def some_too_long(rng, kernel=False, longest=2.5):
    """Lengths of columns on both sides of the limit, which is not 1; every number of a bias beyond it."""
    params = parameters(rng, kernel)
    limit = number(rng, 1.6, 2.6)
    for name, p in params.items():
        if name.startswith("W"):
            norms = np.sqrt((p**2).sum(axis=incoming(p)))
            p *= limit * rng.permutation(lengths(p.shape[-1], longest)) / norms
        else:
            p += np.copysign(limit, p)
    return Call(params=params, limit=limit)


def lengths(n, longest):
    """From the longest to 0.3, and one that hardly is below 1."""
    return np.array([longest, *np.linspace(0.3, longest, n - 1)[:-1], 0.9][:n])


def about_the_limit(rng, limit):
    """Lengths between the limit and its root, and between it and its square, so that whoever compares one of these
    comes to the other decision."""
    call = some_too_long(rng)
    params = call.arguments["params"]
    W = params["W1"]
    powers = rng.permutation(np.resize([0.75, 1.5], W.shape[-1]))
    params["W1"] = W * limit**powers / np.sqrt((W**2).sum(axis=0))
    return Call(params=params, limit=limit)


def dense(rng):
    close = [about_the_limit(rng, number(rng, 1.6, 2.6)), about_the_limit(rng, number(rng, 0.3, 0.6))]
    return [some_too_long(rng), some_too_long(rng), *close]


def kernels(rng):
    """In the second even a part of a unit's weights is too long."""
    return [some_too_long(rng, kernel=True), some_too_long(rng, kernel=True, longest=50.0)]


def dead_units(rng):
    """The shortest unit has incoming weights that are all 0; and nothing is too long."""
    call = some_too_long(rng)
    W = call.arguments["params"]["W1"]
    W[:, np.argmin((W**2).sum(axis=0))] = 0.0
    short = some_too_long(rng)
    short.arguments["limit"] *= 3
    return [call, short]


def bug(name, wrong, hint, says, see=BOUND, published=""):
    return Misconception(name, wrong, hint, says, see, published)


MAX_NORM = Exercise(
    reference=max_norm,
    chapter=CHAPTER,
    title="A bound for what comes into a unit",
    difficulty=2,
    minutes=12,
    task=f"""All weights that come *into* a unit, taken together as one vector, are to be at most `limit` long. Where
they are longer, make them shorter without turning them; where they are not, leave them as they are.

`params` is a dict of arrays. {NAMES} The weights of a dense layer are (in, out); of a convolution
(height, width, in, out). Return a dict of new arrays with all names.""",
    example="""\
bounded = max_norm({"W": np.array([[3.0, 0.3], [4.0, 0.4]]), "b": np.array([9.0, 9.0])}, 1.0)
bounded["W"].round(6).tolist()  # [[0.6, 0.3], [0.8, 0.4]]
bounded["b"]  # [9. 9.]""",
    groups=[
        Group("dense", 2, dense, "Dense layers.", CLOSE),
        Group("kernels", 1, kernels, "A convolution and a dense layer.", CLOSE),
        Group("short", 1, dead_units, "Units whose weights are short, or all 0.", CLOSE),
    ],
    misconceptions=[
        bug("outgoing", by_array(outgoing),
            "y = x W: which entries of W does the second output use, a row or a column?",
            "the weights that leave a unit were bounded, by rows",
            published="PyTorch's weights, which are (out, in)"),
        bug("per_array", by_array(per_array),
            "Make one unit's weights ten times as large. Do the other units' change?",
            "all weights of an array were one vector"),
        bug("by_the_longest", by_array(by_the_longest),
            "One unit's weights are too long. What becomes of the other units, whose weights are short?",
            "all units of an array were made shorter by the factor of the longest"),
        bug("always_scaled", by_array(always_scaled),
            "What becomes of a unit whose weights are short?", "every unit's weights were brought to the limit"),
        bug("biases_too", by_array(as_a_vector, lambda name: True),
            "Which arrays are bounded in yours?", "biases, scales and shifts were bounded as well", ONLY_WEIGHTS),
        bug("w_anywhere", by_array(right, w_anywhere),
            "A bias is called `b_W1`. Is it a weight for you, and does its name begin with W?",
            "every array with a W in its name were a weight", ONLY_WEIGHTS),
        bug("first_axis", by_array(first_axis),
            "How many weights come into one unit of a 3 × 5 convolution with 4 inputs?",
            "the length were taken along the first axis alone", published="Keras' MaxNorm with its default axis"),
        bug("height_and_width", by_array(height_and_width),
            "A unit of a convolution sees all inputs at once. Is each of them bounded by itself in yours?",
            "a kernel's length were taken over height and width, for each input by itself"),
        bug("inputs_alone", by_array(inputs_alone),
            "How many weights come into one unit of a 3 × 5 convolution with 4 inputs?",
            "the length were taken over the inputs alone, at each place of a kernel by itself"),
        bug("absolute_sum", by_array(absolute_sum),
            "How long is the vector (3, 4)?", "the length were the sum of absolute values"),
        bug("largest", by_array(largest), "How long is the vector (3, 4)?", "the length were the largest entry"),
        bug("no_root", by_array(squared), "How long is the vector (3, 4)?", "no root had been taken"),
        bug("square_compared", by_array(square_compared),
            "Weights of length 2, and a limit of 3: are they too long? Which two numbers do you compare?",
            "the square of the length were compared with the limit"),
        bug("root_mean_square", by_array(root_mean_square),
            "How long is the vector (3, 4)?", "the length were a root of a mean, not of a sum"),
        bug("entries", by_array(entries),
            "Do your weights still point where they did?", "every number were cut off by itself"),
        bug("to_length_one", by_array(to_length_one),
            "How long are the weights that you have shortened?", "what is too long were brought to length 1"),
        bug("at_least", by_array(at_least), "Which of yours become shorter?", "the limit were a lower bound"),
        bug("set_to_zero", by_array(set_to_zero), "Does a unit with long weights still compute anything?",
            "weights that are too long were set to 0"),
        bug("weights_alone", weights_alone, "Which names does your answer have?", "only weights were returned",
            ONLY_WEIGHTS),
        bug("same_arrays", same_arrays,
            "Change a bias in your answer. Does the argument's change, too?",
            "what is not bounded were handed out uncopied", ONLY_WEIGHTS),
        bug("in_place", in_place, "Look at your argument after the call. Is it what it was?",
            "the argument were changed"),
    ],
    variants=[
        Variant("unit by unit", unit_by_unit),
        Variant("einsum", by_array(by_einsum)),
        Variant("as Keras writes it", by_array(by_clip)),
    ],
    not_bugs={"before update": "This function sees no update. The chapter says where the call belongs."},
    hints=[
        Hint("One number decides for each unit: how long its incoming weights are, compared with the limit."),
        Hint('Look at "A bound instead of a price". Over which axes of W does a unit collect its inputs?'),
        Hint(
            "A worked sibling, rows that are made to have the sum 1 if it is larger:\n\n"
            "    sums = P.sum(axis=1, keepdims=True)\n"
            "    P = P / np.maximum(sums, 1)"
        ),
        Hint(
            "    for each array: copy it; if its name begins with W:\n"
            "        norms = root of the sum of squares over all axes but the last\n"
            "        multiply by limit / (the larger of norms and limit)"
        ),
    ],
)  # fmt: skip
