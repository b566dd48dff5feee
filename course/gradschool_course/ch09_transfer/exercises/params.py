"""trainable_params: what an optimizer may move."""

from __future__ import annotations

from gradschool.lessons.transfer import trainable_params
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import CHAPTER, COUNTED, LEARNS

LEARNED, COUNTS = ("W", "b", "gamma", "beta"), ("mean", "var")


# ----------------------------------------------------------------------------------------------- how picking goes wrong
def picked(names, learns=lambda layer: layer["trainable"]):
    """The arrays with these names, of the layers that learn."""
    return lambda model: [{k: layer[k] for k in names if k in layer and learns(layer)} for layer in model]


def up_to_the_first_frozen(model):
    """From the head backwards, as if no gradient came through a frozen layer."""
    found, reached = [], True
    for layer, params in zip(reversed(model), reversed(trainable_params(model)), strict=True):
        reached = reached and layer["trainable"]
        found.append(params if reached else {})
    return found[::-1]


def zeros_left_out(model):
    """Whether an array is there is asked with np.any, which asks for numbers other than 0."""
    return [draw.without_zeros(params) for params in trainable_params(model)]


def gaps_closed(model):
    return [params for params in trainable_params(model) if params]


def b_needed(model):
    return [{k: layer[k] for k in ("W", "b")} if layer["trainable"] else {} for layer in model]


def no_bias_where_normalised(model):
    found = trainable_params(model)
    return [{k: p for k, p in params.items() if k != "b" or "gamma" not in params} for params in found]


def none_for_frozen(model):
    return [params or None for params in trainable_params(model)]


def counted(model):
    return sum(part.size for params in trainable_params(model) for part in params.values())


def everything(model):
    return [dict(layer) if layer["trainable"] else {} for layer in model]


def one_dict(model):
    """One dict for all layers, in which later layers overwrite earlier ones."""
    return {name: part for params in trainable_params(model) for name, part in params.items()}


def weights_frozen_only(model):
    """A frozen layer still lends its biases, scales and shifts."""
    return [{k: layer[k] for k in LEARNED if k in layer and (layer["trainable"] or k != "W")} for layer in model]


# ------------------------------------------------------------------------------------------------ other right answers
def by_exclusion(model):
    kept = {"activation", "trainable", *COUNTS}
    return [{k: v for k, v in layer.items() if k not in kept} if layer["trainable"] else {} for layer in model]


def with_loops(model):
    found = []
    for layer in model:
        params = {}
        if layer["trainable"]:
            for name in LEARNED:
                if name in layer:
                    params[name] = layer[name]
        found.append(params)
    return found


def copies(model):
    return [{k: layer[k].copy() for k in layer.keys() & set(LEARNED)} if layer["trainable"] else {} for layer in model]


# ------------------------------------------------------------------------------------------------------------- probes
def dense_layers(rng):
    first, width = int(rng.integers(0, 3)), int(rng.integers(3, 6))
    return [
        Call(model=draw.layers(rng, 5 * [width], frozen=[first, first + 1])),  # a shape does not say whose it is
        Call(model=draw.layers(rng, draw.widths(rng, 4), frozen=[1], kernels=[0])),
        Call(model=draw.fresh(draw.layers(rng, draw.widths(rng, 4), frozen=[1]))),
    ]


def normalised(rng):
    model = draw.layers(rng, draw.widths(rng, 5), normed=[0, 1, 2], frozen=[1], biased=[2])
    return [Call(model=model), Call(model=draw.fresh(model))]


def all_or_none(rng):
    model = draw.layers(rng, draw.widths(rng, 4), normed=[0])
    return [Call(model=model), Call(model=[{**layer, "trainable": False} for layer in model])]


PARAMS = Exercise(
    reference=trainable_params,
    chapter=CHAPTER,
    title="What an optimizer may move",
    difficulty=1,
    minutes=8,
    task="""Return a list with a dict for each layer of `model`: of a layer that is trainable, the arrays that are
*learned*, under their names. That are W and b, whatever their shapes, and of a normalised layer gamma and beta, too.
For a frozen layer the dict is empty, so that positions are those of the layers.

`mean` and `var` of a normalisation are not learned: they are counted. A layer may lack a name, as most normalised ones
lack b, and has no other arrays.""",
    example="""\
model = [{"W": np.ones((3, 2)), "b": np.zeros(2), "activation": "relu", "trainable": False},
         {"W": np.ones((2, 1)), "b": np.zeros(1), "activation": "linear", "trainable": True}]
[list(params) for params in trainable_params(model)]  # [[], ['W', 'b']]""",
    groups=[
        Group("dense", 1, dense_layers, "Dense layers and a convolution, some of them frozen."),
        Group("normalised", 1, normalised, "Layers with a normalisation."),
        Group("all or none", 1, all_or_none, "All layers learn, or none."),
    ],
    may_alias=True,
    misconceptions=[
        Misconception(
            "up_to_the_first_frozen",
            up_to_the_first_frozen,
            "A frozen layer does not move. Does a gradient on its way back through it stop there?",
            "no layer below a frozen one learned",
            LEARNS,
        ),
        Misconception(
            "flag_ignored",
            picked(LEARNED, lambda layer: True),
            "What is the gradient for, of a layer that is not to move?",
            "frozen layers learned, too",
            LEARNS,
        ),
        Misconception(
            "frozen_ones",
            picked(LEARNED, lambda layer: not layer["trainable"]),
            "Are those the layers that learn, or those that do not?",
            "the frozen layers were the ones that learn",
            LEARNS,
        ),
        Misconception(
            "statistics_learned",
            picked((*LEARNED, *COUNTS)),
            "What is the derivative of a training loss with respect to a running mean?",
            "running means and variances were learned",
            COUNTED,
        ),
        Misconception(
            "everything_in_the_layer",
            everything,
            "Which derivative has an activation's name, or a flag?",
            "everything that stands in a layer were learned",
            COUNTED,
        ),
        Misconception(
            "weights_and_biases_only",
            picked(("W", "b")),
            "Which two arrays of a normalisation have a gradient?",
            "the scale and the shift of a normalisation were not learned",
            COUNTED,
        ),
        Misconception(
            "weights_only",
            picked(("W",)),
            "Which arrays of a dense layer have a gradient?",
            "only W were learned",
            LEARNS,
        ),
        Misconception(
            "b_needed",
            b_needed,
            "Which arrays has a layer with a normalisation in the place of a bias?",
            "every layer had W and b, and nothing else",
            COUNTED,
        ),
        Misconception(
            "bias_dropped",
            no_bias_where_normalised,
            "A layer has a `gamma`, and a `b` all the same. Does it learn?",
            "a layer with a normalisation had no `b`",
            COUNTED,
        ),
        Misconception(
            "only_weights_freeze",
            weights_frozen_only,
            "Freeze a layer and move its biases: does it still give the same answers?",
            "freezing a layer held its W only",
            LEARNS,
        ),
        Misconception(
            "gaps_closed",
            gaps_closed,
            "The first layer is frozen. Whose parameters are the first ones in your list?",
            "frozen layers were left out of the list",
            LEARNS,
        ),
        Misconception(
            "zeros_left_out",
            zeros_left_out,
            "A bias begins with zeros. Is it there, and is it to be learned?",
            "an array of zeros were not there",
            LEARNS,
        ),
        Misconception(
            "none_for_frozen",
            none_for_frozen,
            "What stands in your list for a frozen layer: an empty dict?",
            "frozen layers were None",
            LEARNS,
        ),
        Misconception(
            "one_dict",
            one_dict,
            "Two layers have a W. How many has your answer?",
            "all layers shared one dict",
            LEARNS,
        ),
        Misconception(
            "counted",
            counted,
            "Is the question which arrays learn, or how many numbers they have?",
            "the numbers were to be counted",
            LEARNS,
        ),
    ],
    variants=[
        Variant("by exclusion", by_exclusion),
        Variant("with loops", with_loops),
        Variant("copies", copies),
    ],
    hints=[
        Hint("A gradient exists for what the training loss depends on, and is used for what is allowed to move."),
        Hint('Look at "What is learned and what is counted". Which of the entries of a layer have a gradient?'),
        Hint(
            "A worked sibling, the numbers among some values of dicts that are open:\n\n"
            '    [{k: d[k] for k in ("x", "y") if k in d and d["open"]} for d in dicts]'
        ),
        Hint("    for each layer: a dict of those of W, b, gamma, beta that it has; empty if it is frozen"),
    ],
)
