"""l1_l2_penalty: a price on weights, and its slope."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.weights import l1_l2_penalty
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, CORNER, FORMS, NAMES, ONLY_WEIGHTS, PRICE, number, parameters


# ------------------------------------------------------------------------------------------ how penalties go wrong
def is_weight(name):
    return name.startswith("W")


def everything(name):
    return True


def no_bias_alone(name):
    return not name.startswith("b") or name.startswith("beta")


def w_anywhere(name):
    return "W" in name


def first_alone(name):
    return name == "W1"


def by_parts(value, slope, weight=is_weight):
    """value(w, l1, l2) and slope(w, l1, l2) of one array, for those that `weight` names."""

    def answer(params, l1, l2):
        penalty = sum((value(p, l1, l2) for name, p in params.items() if weight(name)), start=0.0)
        return penalty, {n: slope(p, l1, l2) if weight(n) else np.zeros_like(p) for n, p in params.items()}

    return answer


def right_value(w, l1, l2):
    return l1 * np.abs(w).sum() + l2 * (w**2).sum()


def right_slope(w, l1, l2):
    return l1 * np.sign(w) + 2 * l2 * w


def half_value(w, l1, l2):
    return right_value(w, l1, l2 / 2)


def half_slope(w, l1, l2):
    return right_slope(w, l1, l2 / 2)


def one_at_zero(w, l1, l2):
    return l1 * np.where(w >= 0, 1.0, -1.0) + 2 * l2 * w


def minus_at_zero(w, l1, l2):
    return l1 * np.where(w > 0, 1.0, -1.0) + 2 * l2 * w


def mean_value(w, l1, l2):
    return right_value(w, l1, l2) / w.size


def mean_slope(w, l1, l2):
    return right_slope(w, l1, l2) / w.size


def by_rows(w, l1, l2):
    return right_value(w, l1, l2) / len(w)


def by_rows_slope(w, l1, l2):
    return right_slope(w, l1, l2) / len(w)


def twice(w, l1, l2):
    return 2 * right_value(w, l1, l2)


def twice_slope(w, l1, l2):
    return 2 * right_slope(w, l1, l2)


def with_root(w, l1, l2):
    return l1 * np.abs(w).sum() + l2 * np.sqrt((w**2).sum())


def signed_sum(w, l1, l2):
    return l1 * w.sum() + l2 * (w**2).sum()


def size_of_slope(w, l1, l2):
    return l1 * np.abs(w) + 2 * l2 * w


def uphill(w, l1, l2):
    return -right_slope(w, l1, l2)


def swapped(params, l1, l2):
    return l1_l2_penalty(params, l2, l1)


def l2_alone(params, l1, l2):
    return l1_l2_penalty(params, 0.0, l2)


def only_weights_named(params, l1, l2):
    penalty, grads = l1_l2_penalty(params, l1, l2)
    return penalty, {name: g for name, g in grads.items() if name.startswith("W")}


def penalty_alone(params, l1, l2):
    return l1_l2_penalty(params, l1, l2)[0]


def nothing_for_the_rest(params, l1, l2):
    penalty, grads = l1_l2_penalty(params, l1, l2)
    return penalty, {name: g if name.startswith("W") else None for name, g in grads.items()}


# --------------------------------------------------------------------------------------------- other right answers
def number_by_number(params, l1, l2):
    penalty, grads = 0.0, {}
    for name in params:
        slope = np.zeros(params[name].shape)
        for place, w in np.ndenumerate(params[name]) if name[0] == "W" else []:
            penalty += l1 * abs(w) + l2 * w * w
            slope[place] = l1 * (float(w > 0) - float(w < 0)) + 2 * l2 * w
        grads[name] = slope
    return float(penalty), grads


def by_axes(params, l1, l2):
    """Biases, scales and shifts have one axis."""
    grads = {name: (l1 * np.sign(p) + l2 * (p + p)) * (p.ndim > 1) for name, p in params.items()}
    flat = np.concatenate([p.ravel() for p in params.values() if p.ndim > 1])
    return l1 * np.linalg.norm(flat, 1) + l2 * flat @ flat, grads


def from_the_slope(params, l1, l2):
    """|w| = w sign(w), so the penalty is a product with half of the slopes."""
    rates = {name: float(name.startswith("W")) for name in params}
    signs = {name: rates[name] * l1 * np.sign(p) for name, p in params.items()}
    pull = {name: rates[name] * l2 * p for name, p in params.items()}
    penalty = sum(np.vdot(params[name], signs[name] + pull[name]) for name in params)
    return penalty, {name: signs[name] + 2 * pull[name] for name in params}


# ----------------------------------------------------------------------------------------------------------- probes
def with_zeros(rng, params):
    """Some weights exactly 0, as they are where an input never changes or a network was pruned."""
    return {n: np.where(rng.random(p.shape) < 0.3, 0.0, p) if n[0] == "W" else p for n, p in params.items()}


def strengths(rng):
    return {"l1": number(rng, 0.05, 0.4), "l2": number(rng, 0.5, 2.0)}


def of_both(rng):
    sizes_alone = Call(params=parameters(rng), l1=number(rng, 0.05, 0.4), l2=0.0)
    return [*(Call(params=parameters(rng, kernel), **strengths(rng)) for kernel in (False, True)), sizes_alone]


def of_squares(rng):
    return [Call(params=parameters(rng), l1=0.0, l2=number(rng, 0.01, 2.0))]


def at_zero(rng):
    return [Call(params=with_zeros(rng, parameters(rng)), **strengths(rng)) for _ in range(2)]


def bug(name, wrong, hint, says, see=PRICE, published=""):
    return Misconception(name, wrong, hint, says, see, published)


L1_L2_PENALTY = Exercise(
    reference=l1_l2_penalty,
    returns=("penalty", "grads"),
    chapter=CHAPTER,
    title="A price on weights",
    difficulty=2,
    minutes=12,
    task=f"""The penalty $\\lambda_1 \\sum |w| + \\lambda_2 \\sum w^2$ over all weights, and its gradients.

`params` is a dict of arrays. {NAMES} Only weights are penalised. `l1` and `l2` are the strengths λ₁ and λ₂.

Return a pair: the penalty, one number for all arrays together, and a dict with the gradient for *every* array of
`params`, of its shape: zeros where nothing is penalised. At $w = 0$ let the slope of $|w|$ be 0.""",
    example="""\
penalty, grads = l1_l2_penalty({"W": np.array([[1.0, -2.0, 0.0]]), "b": np.array([7.0])}, 0.1, 0.5)
penalty  # 2.8
grads["W"]  # [[ 1.1 -2.1  0. ]]
grads["b"]  # [0.]""",
    groups=[
        Group("squares", 1, of_squares, "The squares alone, λ₁ = 0.", CLOSE),
        Group("both", 2, of_both, "Both parts, for dense layers and a kernel.", CLOSE),
        Group("zeros", 1, at_zero, "Some weights are exactly 0.", CLOSE),
    ],
    misconceptions=[
        bug("biases_too", by_parts(right_value, right_slope, everything),
            "Which arrays of yours are penalised: does a large bias make a function wiggly?",
            "biases, scales and shifts were penalised like weights", ONLY_WEIGHTS),
        bug("scales_too", by_parts(right_value, right_slope, no_bias_alone),
            "You leave out biases. Is every other array a weight?",
            "only biases were left out, and scales and shifts of normalisations penalised", ONLY_WEIGHTS),
        bug("w_anywhere", by_parts(right_value, right_slope, w_anywhere),
            "A bias is called `b_W1`. Is it a weight for you, and does its name begin with W?",
            "every array with a W in its name were a weight", ONLY_WEIGHTS),
        bug("first_weights_only", by_parts(right_value, right_slope, first_alone),
            "How many arrays of weights has the network, and how many are in your sum?",
            "only the first array of weights counted", ONLY_WEIGHTS),
        bug("half", by_parts(half_value, half_slope),
            "The weight 3 alone, λ₂ = 1: is your penalty 9 or 4.5, and which of them does the task say?",
            "the squares were multiplied by λ₂ / 2", FORMS, "MATLAB and PyTorch"),
        bug("slope_without_two", by_parts(right_value, half_slope),
            "Nudge a weight of 3 by 0.001: by how much does your penalty change, and is that your slope?",
            "the derivative of w² were w", FORMS),
        bug("one_at_zero", by_parts(right_value, one_at_zero),
            "A weight is exactly 0, the best place for it. Where does your gradient send it?",
            "the slope of |w| at 0 were 1", CORNER),
        bug("minus_at_zero", by_parts(right_value, minus_at_zero),
            "A weight is exactly 0, the best place for it. Where does your gradient send it?",
            "the slope of |w| at 0 were −1", CORNER),
        bug("mean_not_sum", by_parts(mean_value, mean_slope),
            "Does a weight cost less because there are many others in its array?",
            "the penalty were a mean over the weights of an array, and not a sum"),
        bug("divided_by_rows", by_parts(by_rows, by_rows_slope),
            "The loss is a mean over samples. Does the penalty know anything about samples?",
            "the penalty were divided by the length of an array, as a loss is by the batch"),
        bug("counted_twice", by_parts(twice, twice_slope),
            "How often is each weight added to your penalty?", "everything had been counted twice"),
        bug("root", by_parts(with_root, right_slope),
            "Is Σ w² the length of the vector, or its square?", "a root were taken of the sum of squares"),
        bug("no_absolute_value", by_parts(signed_sum, right_slope),
            "The weights 5 and −5: what do they cost together?", "the sum of weights were taken without |·|"),
        bug("size_for_sign", by_parts(right_value, size_of_slope),
            "Does |w| get steeper farther away from 0?", "the derivative of |w| were |w|", CORNER),
        bug("uphill", by_parts(right_value, uphill),
            "Gradients point uphill; the optimizer turns them round. What have you turned round?",
            "the gradients had the other sign"),
        bug("swapped", swapped, "Which of the two strengths belongs to squares?", "l1 and l2 had been swapped"),
        bug("without_l1", l2_alone, "Where in your code does `l1` stand?", "there were no sum of absolute values"),
        bug("rest_missing", only_weights_named,
            "What will an optimizer find under the name of a bias in your gradients?",
            "gradients were returned for weights only", ONLY_WEIGHTS),
        bug("rest_none", nothing_for_the_rest,
            "A bias has a gradient from the loss. What happens if you add yours to it?",
            "the gradient of what is not penalised were None", ONLY_WEIGHTS),
        bug("penalty_alone", penalty_alone, "How many things does the task ask for?",
            "only the penalty were returned"),
    ],
    variants=[
        Variant("number by number", number_by_number),
        Variant("by the number of axes", by_axes),
        Variant("the penalty from the slopes", from_the_slope),
    ],
    not_bugs={
        "adds to metrics": "The function returns the penalty, and whoever calls it adds it. The chapter says where.",
        "counts twice per batch": "Beside `counted_twice`: how often a loop adds the penalty is not seen in here.",
    },
    hints=[
        Hint("One array at a time: is it a weight? If so it adds to the penalty, and has a slope. If not, zeros."),
        Hint('Look at "A price on weights" and "The corner at zero". What is the derivative of w², and of |w|?'),
        Hint(
            "A worked sibling, the sum of fourth powers:\n\n"
            "    penalty, grads = 0.0, {}\n"
            "    for name, p in params.items():\n"
            "        penalty += (p**4).sum()\n"
            "        grads[name] = 4 * p**3"
        ),
        Hint(
            "    for each name and array: if the name begins with W:\n"
            "        add l1 × sum of absolute values + l2 × sum of squares\n"
            "        gradient = l1 × sign + 2 × l2 × weights\n"
            "    else: gradient = zeros of its shape"
        ),
    ],
)  # fmt: skip
