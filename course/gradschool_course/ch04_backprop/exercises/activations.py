"""The backwards of six activations: an entry's gradient is what arrives there, times the slope there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradschool.lessons.backprop import elu_backward, relu_backward
from gradschool.ops.elementwise import (
    elu_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu_forward,
    selu_backward,
    selu_forward,
    sigmoid_backward,
    sigmoid_forward,
    tanh_backward,
    tanh_forward,
)
from gradschool_course.precision import single
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import slopes
from .common import CHAPTER, CLOSE, KINKS, SLOPES, sizes, upstream_bugs
from .slopes import by_entry, in_place, times_slope

Cache = Mapping[str, Any]


# -------------------------------------------------------------------------------------------------------------- probes
def groups(
    forward: Callable[..., Any],
    kink: bool = False,
    alphas: tuple[float, float] | None = None,
    other_alphas: tuple[float, ...] = (),
    exponential: bool = False,
) -> list[Group]:
    """Caches come from the library's forward; `alphas` are the limits between which alpha is drawn, and `other_alphas`
    those beyond them for which there is a call each. Of an exponential inputs are also tried of which exp is infinite;
    who computes it there in vain is warned by NumPy, and not wrong."""

    def call(rng, shape, change=lambda x: x, alpha=None):
        x = change(rng.normal(size=shape) * 1.5)
        alpha = {} if alphas is None else {"alpha": float(rng.uniform(*alphas)) if alpha is None else alpha}
        return Call(g=rng.normal(size=shape), cache=forward(x, **alpha)[1])

    def values(rng):
        found = [call(rng, sizes(rng, n)) for n in (2, 1, 3)] + [call(rng, shape) for shape in ((1, 5), (5, 1), ())]
        return found + [call(rng, sizes(rng, 2), alpha=alpha) for alpha in other_alphas]

    def at_zero(rng):
        return [call(rng, sizes(rng, n), lambda x: np.where(np.abs(x) < 1.2, 0.0, x)) for n in (2, 3)]

    def far_out(rng):
        return [call(rng, (5, 7), lambda x: 6 * x), call(rng, (4, 3), lambda x: np.sign(x) * (np.abs(x) + 4))]

    def very_far_out(rng):
        far = call(rng, (5, 4), lambda x: np.sign(x) * (100 * np.abs(x) + 800))
        return [far, single_call(call(rng, (4, 3), lambda x: np.sign(x) * (10 * np.abs(x) + 100)))]

    def in_single(rng):
        return [single_call(call(rng, sizes(rng, n))) for n in (2, 3)]

    return [
        Group("values", 1 if exponential else 2, values, "Arrays of any shape, a batch of one among them.", CLOSE),
        *[Group("very_far_out", 1, very_far_out, "Inputs of which exp is infinite, or 0.", CLOSE, False)] * exponential,
        Group("at_zero", 1, at_zero, "Inputs that are exactly 0.", CLOSE)
        if kink
        else Group("far_out", 1, far_out, "Inputs far from 0, where the slope is small.", CLOSE),
        Group("float32", 1, in_single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ]


def single_call(call: Call) -> Call:
    return Call(**single(call.arguments))


# --------------------------------------------------------------------------------------------------------------- words
def task(name: str, keys: Sequence[str], kink: str = "") -> str:
    listed = "\n".join(f"    - {key}" for key in keys)
    return f"""
    Return dL/dx, the gradient of what comes after `{name}` with respect to its input: an array of the shape and dtype
    of `g`, which is dL/dy and arrives from behind. `cache` is a dict that the forward has left:

{listed}

    Neither g nor the cache is changed.{kink}
    """


def hints(where: str, sibling: str, pseudo: str) -> list[Hint]:
    return [
        Hint(
            "Each entry of y depends on one entry of x. So each entry of the answer is a product of two numbers: which?"
        ),
        Hint(where),
        Hint(sibling),
        Hint(pseudo),
    ]


SOFTSIGN = (
    "A worked sibling, y = x / (1 + |x|), whose slope is 1 / (1 + |x|)²:\n\n"
    '    def softsign_backward(g, cache):\n        return g / (1 + np.abs(cache["x"])) ** 2'
)
HINGE = (
    "A worked sibling, the hinge y = max(1 - x, 0), which falls with slope -1 left of 1:\n\n"
    '    def hinge_backward(g, cache):\n        return np.where(cache["x"] < 1, -g, 0)'
)
AT_ZERO = "\n\n    The slope at 0 is that of the left side."
X = '`"x"`, the input'
Y = '`"y"`, the output'
NO_KINK = {"relu′(0)": "the curve is smooth: it has a slope everywhere"}
NO_SIGMOID = {"sigmoid′ from z not s": "there is no sigmoid here"}
NO_TANH = {"tanh′=1−z²": "there is no tanh here"}
NO_ELU = {"elu′ uses α·e^z only": "there is no exponential here"}
NO_SELU = {"selu missing scale": "nothing is scaled"}
NO_LEAK = {"leaky′ uses x>0 with α=0": "the left side has no slope that could be forgotten"}
NOT_HERE = NO_KINK | NO_SIGMOID | NO_TANH | NO_ELU | NO_SELU | NO_LEAK


def but(*phrases: str) -> dict[str, str]:
    return {phrase: reason for phrase, reason in NOT_HERE.items() if phrase not in phrases}


def bug(
    name: str, slope: Callable[[Cache], Any], says: str, hint: str, see: str = SLOPES, published: str = ""
) -> Misconception:
    return Misconception(name, times_slope(slope), hint, says, see, published)


# ----------------------------------------------------------------------------------------------------------- exercises
RELU = Exercise(
    reference=relu_backward,
    chapter=CHAPTER,
    title="Backward of relu",
    task=task("relu", [X], "\n\n    The slope at 0 is taken to be 0."),
    example='relu_backward(np.array([5.0, 6.0, 7.0]), {"x": np.array([-1.0, 0.0, 2.0])})  # [0. 0. 7.]',
    difficulty=1,
    minutes=5,
    groups=groups(relu_forward, kink=True),
    misconceptions=[
        *upstream_bugs(times_slope(slopes.step)),
        bug("one_at_zero", slopes.step_with_zero, "the slope at 0 were 1",
            "For x exactly 0, which side did you give the point to? Which side does the task?", KINKS),
        bug("half_at_zero", slopes.half_at_zero, "the slope at 0 were ½",
            "A half is a subgradient too. Which one was agreed on?", KINKS,
            published="PyTorch's `maximum(x, 0)`"),
        Misconception("by_the_sign_of_g", slopes.passes_positive_g,
            "relu looks at x and lets it pass or not. Which array decides in your code?",
            "relu were applied to g: its sign, and not that of x, decides what passes", SLOPES),
        bug("output_for_slope", slopes.rectified, "the slope were the output itself",
            "How much does relu's output grow if x goes from 5 to 6? Does it grow faster near 100?"),
        bug("passes_everything", slopes.one, "relu had slope 1 everywhere",
            "Move a negative input a little. Does the output notice?"),
    ],
    variants=[
        Variant("mask", times_slope(slopes.step)),
        Variant("entry_by_entry", by_entry(lambda x: 1.0 if x > 0 else 0.0, "x")),
        Variant("in_place", in_place(slopes.step)),
        Variant("heaviside", times_slope(slopes.heaviside)),
    ],
    hints=hints(
        'Look at "Activations: one slope for each entry": relu has two slopes. Who decides which one an entry gets?',
        HINGE,
        "    where x > 0: g passes\n    elsewhere: 0",
    ),
    not_bugs=but("relu′(0)"),
)  # fmt: skip

LEAKY = Exercise(
    reference=leaky_relu_backward,
    chapter=CHAPTER,
    title="Backward of leaky relu",
    task=task("leaky_relu", [X, '`"alpha"`, the slope on the left'], AT_ZERO),
    example='leaky_relu_backward(np.array([5.0, 6.0, 7.0]), {"x": np.array([-1.0, 0.0, 2.0]), "alpha": 0.1})'
    "  # [0.5 0.6 7. ]",
    difficulty=1,
    minutes=5,
    groups=groups(leaky_relu_forward, kink=True, alphas=(0.05, 0.4), other_alphas=(0.0, 1.5)),
    misconceptions=[
        *upstream_bugs(times_slope(slopes.leaky)),
        bug("one_at_zero", slopes.leaky_with_zero, "the slope at 0 were that of the right side",
            "For x exactly 0, which side did you give the point to? Which side does the task?", KINKS,
            published="JAX"),
        bug("alpha_zero", slopes.step, "nothing leaked: alpha is 0 on the way back",
            "With alpha = 0.3, how much does the output fall when a negative x falls by 1?"),
        bug("alpha_on_the_right", slopes.alpha_on_the_right, "alpha belonged to the positive side",
            "Draw leaky relu for alpha = 0.1. On which side is it flat?"),
        bug("always_a_hundredth", slopes.leaky_hundredth, "alpha were 0.01 whatever the cache says",
            "Where in your code is the cache's alpha looked at?"),
        bug("zero_is_a_hundredth", slopes.leaky_or_hundredth, "an alpha of 0 had not been given",
            "What do you get for `0.0 or 0.01`?"),
        bug("larger_of_both", slopes.leaky_by_maximum, "leaky relu were the larger of x and alpha x",
            "With alpha = 2 and x = -1, which of x and alpha x is the output? Which one do you take it for?"),
        bug("alpha_added", slopes.leaky_added, "alpha x were added to relu on both sides",
            "For x = 1 and alpha = 0.1, is the output 1 or 1.1?"),
        bug("output_for_slope", slopes.leaky_output, "the slope were the output itself",
            "How much does the output grow if x goes from 5 to 6? Does it grow faster near 100?"),
    ],
    variants=[
        Variant("mask", times_slope(slopes.leaky)),
        Variant("entry_by_entry", by_entry(lambda x, alpha: 1.0 if x > 0 else alpha, "x", "alpha")),
        Variant("in_place", in_place(slopes.leaky)),
        Variant("two_masks", slopes.two_masks),
    ],
    hints=hints(
        'Look at "Activations: one slope for each entry": two straight pieces, two slopes, and alpha is one of them.',
        HINGE,
        "    where x > 0: g\n    elsewhere: alpha times g",
    ),
    not_bugs=but("relu′(0)", "leaky′ uses x>0 with α=0"),
)  # fmt: skip

SIGMOID = Exercise(
    reference=sigmoid_backward,
    chapter=CHAPTER,
    title="Backward of sigmoid",
    task=task("sigmoid", [Y]),
    example='sigmoid_backward(np.array([10.0, 10.0]), {"y": np.array([0.5, 0.9])}).round(4)  # [2.5 0.9]',
    difficulty=1,
    minutes=5,
    groups=groups(sigmoid_forward),
    misconceptions=[
        *upstream_bugs(times_slope(slopes.logistic)),
        bug("sigmoid_again", slopes.sigmoid_again, "the cache held the score, and a sigmoid were still to be taken",
            "Is `y` the sigmoid's input or its output? What does your first line make of it?"),
        bug("from_the_score", slopes.logistic_of_score, "the slope were z (1 - z), of what went into the sigmoid",
            "At z = 0 a sigmoid is steepest. What does z (1 - z) say there?"),
        bug("tanh_slope", slopes.one_minus_square, "it were a tanh",
            "Where is the sigmoid steepest, and how steep is it there: 1 or ¼?"),
        bug("output_for_slope", slopes.output, "the slope were the output itself",
            "A sigmoid near 1 is flat. What does your slope say there?"),
        bug("other_half", slopes.one_minus, "the slope were 1 - y",
            "A sigmoid near 0 is flat. What does your slope say there?"),
    ],
    variants=[
        Variant("difference_of_squares", times_slope(slopes.logistic_by_square)),
        Variant("entry_by_entry", by_entry(lambda y: y * (1.0 - y), "y")),
        Variant("in_place", in_place(slopes.logistic)),
        Variant("product_of_two", slopes.logistic_in_two),
    ],
    hints=hints(
        'Look at "Activations: one slope for each entry": differentiate 1 / (1 + exp(-z)), and find y in the result.',
        SOFTSIGN,
        "    slope = y times what is missing to 1\n    return g * slope",
    ),
    not_bugs=but("sigmoid′ from z not s"),
)  # fmt: skip

TANH = Exercise(
    reference=tanh_backward,
    chapter=CHAPTER,
    title="Backward of tanh",
    task=task("tanh", [Y]),
    example='tanh_backward(np.array([10.0, 10.0]), {"y": np.array([0.0, 0.5])})  # [10.   7.5]',
    difficulty=1,
    minutes=5,
    groups=groups(tanh_forward),
    misconceptions=[
        *upstream_bugs(times_slope(slopes.one_minus_square)),
        bug("one_minus_z_squared", slopes.one_minus_score_squared,
            "the slope were 1 - z², of what went into the tanh",
            "For z = 3, what is 1 - z²? Can the slope of a rising curve be that?"),
        bug("tanh_again", slopes.tanh_again, "the cache held the score, and a tanh were still to be taken",
            "Is `y` the tanh's input or its output? What does your first line make of it?"),
        bug("square_missing", slopes.one_minus, "the slope were 1 - y",
            "tanh is odd, so its slope is the same at x and -x. Is yours?"),
        bug("squared_outside", slopes.square_of_the_difference, "the slope were the square of 1 - y",
            "tanh near -1 is flat. What does your slope say there?"),
        bug("sigmoid_slope", slopes.logistic, "it were a sigmoid",
            "How steep is tanh at 0, where y = 0? What does your formula say?"),
        bug("root", slopes.root_of_slope, "the slope were the root of 1 - y²",
            "cosh² - sinh² = 1: divide by cosh². Is the slope 1 / cosh or 1 / cosh²?"),
    ],
    variants=[
        Variant("third_binomial", times_slope(slopes.third_binomial)),
        Variant("entry_by_entry", by_entry(lambda y: 1.0 - y * y, "y")),
        Variant("in_place", in_place(slopes.one_minus_square)),
        Variant("subtracted", slopes.tanh_subtracted),
    ],
    hints=hints(
        'Look at "Activations: one slope for each entry": tanh is a sigmoid stretched and moved, 2 sigmoid(2z) - 1.',
        SOFTSIGN,
        "    slope = 1 minus the square of the output\n    return g * slope",
    ),
    not_bugs=but("tanh′=1−z²"),
)  # fmt: skip

ELU = Exercise(
    reference=elu_backward,
    chapter=CHAPTER,
    title="Backward of elu",
    task=task(
        "elu",
        [X, '`"y"`, the output: x where x > 0, else alpha (exp(x) - 1)', '`"alpha"`'],
        "\n\n    The slope at 0 is that of the left side.",
    ),
    example='elu_backward(np.array([10.0, 10.0]), {"x": np.array([-1.0, 2.0]), "y": np.array([-0.6321, 2.0]), '
    '"alpha": 1.0})  # [ 3.679 10.   ]',
    difficulty=2,
    minutes=10,
    groups=groups(elu_forward, kink=True, alphas=(1.2, 2.5), other_alphas=(0.0, 0.5), exponential=True),
    misconceptions=[
        *upstream_bugs(times_slope(slopes.elu)),
        bug("exponential_everywhere", slopes.elu_left, "both sides had the slope alpha exp(x)",
            "For x = 5 the output is x itself. How steep is it, and what does alpha exp(5) say?"),
        bug("blended", slopes.elu_blended, "0 times infinity were 0: a branch is not left out, but multiplied by 0",
            "What is exp(1000), and what is 0 times that?"),
        bug("alpha_missing", slopes.elu_without_alpha, "alpha were 1",
            "Double alpha. What happens to the curve left of 0, and what to your slope?"),
        bug("zero_is_one", slopes.elu_or_one, "an alpha of 0 had not been given",
            "What do you get for `0.0 or 1.0`?"),
        bug("output_for_slope", slopes.elu_output_left, "left of 0 the slope were the output itself",
            "Left of 0 elu rises, but its output is negative. Which sign has your slope?"),
        bug("one_at_zero", slopes.elu_with_zero, "the slope at 0 were that of the right side",
            "For x exactly 0, which side did you give the point to? Which side does the task?", KINKS),
        bug("leaky", slopes.leaky, "the left side were a straight line of slope alpha",
            "Far to the left elu is flat. How steep is yours there?"),
    ],
    variants=[
        Variant("by_exponential", times_slope(slopes.elu_by_exponential)),
        Variant("entry_by_entry", by_entry(lambda x, alpha: 1.0 if x > 0 else alpha * np.exp(x), "x", "alpha")),
        Variant("in_place", in_place(slopes.elu)),
        Variant("smaller_of_both", times_slope(slopes.elu_masked)),
    ],
    hints=hints(
        'Look at "Activations: one slope for each entry". The derivative of alpha (exp(x) - 1) can be said with y and '
        "alpha alone: no new exponential is needed.",
        HINGE,
        "    where x > 0: g\n    elsewhere: g times (the output, lifted by alpha)",
    ),
    not_bugs=but("relu′(0)", "elu′ uses α·e^z only"),
)  # fmt: skip

SELU = Exercise(
    reference=selu_backward,
    chapter=CHAPTER,
    title="Backward of selu",
    task=task(
        "selu",
        [X, '`"y"`, the output: scale x where x > 0, else scale alpha (exp(x) - 1)'],
        "\n\n    alpha = 1.6732632423543772 and scale = 1.0507009873554805; the slope at 0 is that of the left side.",
    ),
    example='selu_backward(np.array([10.0, 10.0]), {"x": np.array([-1.0, 2.0]), "y": np.array([-1.1113307, 2.101402])})'
    ".round(4)  # [ 6.4677 10.507 ]",
    difficulty=2,
    minutes=10,
    groups=groups(selu_forward, kink=True, exponential=True),
    misconceptions=[
        *upstream_bugs(times_slope(slopes.selu)),
        bug("blended", slopes.selu_blended, "0 times infinity were 0: a branch is not left out, but multiplied by 0",
            "What is exp(1000), and what is 0 times that?"),
        bug("scale_missing", slopes.selu_without_scale, "selu were elu: scale is missing on both sides",
            "How steep is selu right of 0: exactly 1?"),
        bug("scale_on_the_left_only", slopes.selu_left_scaled, "only the left side were scaled",
            "How steep is selu right of 0: exactly 1?"),
        bug("scale_on_the_right_only", slopes.selu_right_scaled, "only the right side were scaled",
            "`y` is scaled already. What must be added to it to give the slope: alpha, or something larger?"),
        bug("exponential_everywhere", slopes.selu_left, "both sides had the slope of the left",
            "For x = 5 the output is scale times x. How steep is it?"),
        bug("one_at_zero", slopes.selu_with_zero, "the slope at 0 were that of the right side",
            "For x exactly 0, which side did you give the point to? Which side does the task?", KINKS),
        bug("alpha_one", slopes.selu_alpha_one, "alpha were 1",
            "Just left of 0 the slope is scale times alpha. What is yours?"),
    ],
    variants=[
        Variant("by_exponential", times_slope(slopes.selu_by_exponential)),
        Variant("entry_by_entry", by_entry(slopes.selu_at, "x")),
        Variant("in_place", in_place(slopes.selu)),
    ],
    hints=hints(
        "selu is elu times a number. What does a factor do to a slope, on either side?",
        HINGE,
        "    where x > 0: g times scale\n    elsewhere: g times (y, lifted by scale times alpha)",
    ),
    not_bugs=but("relu′(0)", "elu′ uses α·e^z only", "selu missing scale"),
)  # fmt: skip

EXERCISES = [RELU, LEAKY, SIGMOID, TANH, ELU, SELU]
