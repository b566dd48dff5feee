"""set_trainable: which layers learn, and which stand still."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.transfer import set_trainable
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import CHAPTER, LEARNS


# ------------------------------------------------------------------------------------------------- how flags go wrong
def flagged(flag_of, by_index=False):
    """A model with flag_of(position, number of layers, layers, flag, old flag) in each layer.

    Who goes through the layers and looks whether they are in the list refuses no position; who indexes does.
    """

    def answer(model, layers, flag):
        n = len(model)
        if by_index:
            check(n, layers)
        flags = [flag_of(i, n, list(layers), flag, layer["trainable"]) for i, layer in enumerate(model)]
        return [{**layer, "trainable": new} for layer, new in zip(model, flags, strict=True)]

    return answer


def check(n, layers):
    for i in layers:
        if not -n <= i < n:
            raise IndexError(f"there are {n} layers, and no layer {i}")


def chosen(i, n, layers):
    return i in layers or i - n in layers


def in_place(model, layers, flag):
    for i in layers:
        model[i]["trainable"] = flag
    return model


def only_those(model, layers, flag):
    check(len(model), layers)
    return [{**model[i], "trainable": flag} for i in layers]


def missing_ignored(model, layers, flag):
    n = len(model)
    return [
        {**layer, "trainable": flag if chosen(i, n, list(layers)) else layer["trainable"]}
        for i, layer in enumerate(model)
    ]


def one_position_more(model, layers, flag):
    """The position behind the last layer counts as one that there is, and no layer has it."""
    check(len(model) + 1, [i for i in layers if i >= 0])
    check(len(model), [i for i in layers if i < 0])
    return missing_ignored(model, layers, flag)


def zeros_left_out(model, layers, flag):
    """What a layer has is asked with np.any, which asks for numbers other than 0."""
    return [draw.without_zeros(layer) for layer in set_trainable(model, layers, flag)]


def wrapped(model, layers, flag):
    return set_trainable(model, [i % len(model) for i in layers], flag)


def statistics_dropped(model, layers, flag):
    new = set_trainable(model, layers, flag)
    return [{k: v for k, v in layer.items() if k not in ("mean", "var")} for layer in new]


# ------------------------------------------------------------------------------------------------ other right answers
def by_comprehension(model, layers, flag):
    positions = {range(len(model))[i] for i in layers}
    return [{**layer, "trainable": flag} if i in positions else {**layer} for i, layer in enumerate(model)]


def with_copies(model, layers, flag):
    copies = [{k: np.copy(v) if isinstance(v, np.ndarray) else v for k, v in layer.items()} for layer in model]
    for i in layers:
        copies[i].update(trainable=flag)
    return copies


def flags_first(model, layers, flag):
    flags = [layer["trainable"] for layer in model]
    for i in layers:
        flags[i] = flag
    return [layer | {"trainable": f} for layer, f in zip(model, flags, strict=True)]


# ------------------------------------------------------------------------------------------------------------- probes
def mixed(rng, normed=(), biased=()):
    """Five layers, at least two of which learn, and at least two do not."""
    frozen = {int(i) for i in rng.choice(5, size=int(rng.integers(2, 4)), replace=False)}
    activations = ("tanh", "relu", "tanh", "relu", "tanh")
    return draw.layers(rng, draw.widths(rng, 6), normed, frozen, activations, biased), frozen


def positions(rng):
    model, frozen = mixed(rng)
    learning = sorted(set(range(5)) - frozen)
    return [
        Call(model=model, layers=[learning[-1], min(frozen)], flag=False),
        Call(model=model, layers=[max(frozen), learning[0]], flag=True),
        Call(model=model, layers=[], flag=True),
        Call(model=draw.fresh(model), layers=[learning[0], max(frozen)], flag=False),
    ]


def from_the_end(rng):
    model, frozen = mixed(rng, normed=[1, 2], biased=[2])
    learns = [i for i in range(1, 5) if model[i]["trainable"]]
    return [
        Call(model=model, layers=[learns[-1] - 5], flag=False),
        Call(model=model, layers=[-1, -2, -3, -4, -5], flag=True),
        Call(model=model, layers=[max(frozen) - 5, min(frozen)], flag=True),
        Call(model=model, layers=[learns[0], learns[0] - 5], flag=False),
    ]


def not_there(rng):
    model = draw.layers(rng, draw.widths(rng, 6), (), [0, 3], ("tanh", "relu", "tanh", "relu", "tanh"))
    return [
        Call(model=model, layers=[int(rng.choice([6, 7, 9]))], flag=False),  # wrapped, it would be one that learns
        Call(model=model, layers=[1, int(rng.choice([-6, -8]))], flag=False),
        Call(model=model, layers=[4, 0], flag=False),
        Call(model=model, layers=[5], flag=False),
        Call(model=model, layers=[-6], flag=False),
    ]


TRAINABLE = Exercise(
    reference=set_trainable,
    chapter=CHAPTER,
    title="Freeze and unfreeze",
    difficulty=1,
    minutes=8,
    task="""Return a new model, a list of layers, in which the layers at the positions `layers` have `"trainable":
flag`, and all others have the flag that they had. Everything else in the layers stays, and so does the old model. The
new one may share arrays with it.

Positions count from 0; negative ones count from the end, −1 is the last. Raise IndexError for a position that the
model does not have.""",
    example="""\
model = [{"trainable": True}, {"trainable": False}, {"trainable": True}]
[layer["trainable"] for layer in set_trainable(model, [0], False)]  # [False, False, True]
[layer["trainable"] for layer in set_trainable(model, [-2], True)]  # [True, True, True]""",
    groups=[
        Group("positions", 1, positions, "Positions from the front."),
        Group("from the end", 1, from_the_end, "Negative positions, also beside others."),
        Group("missing", 1, not_there, "A position that the model does not have."),
    ],
    may_alias=True,
    misconceptions=[
        Misconception(
            "the_others_too",
            flagged(lambda i, n, layers, flag, old: flag if chosen(i, n, layers) else not flag),
            "A layer was frozen before and is not in the list. What is it now?",
            "all layers that are not named got the opposite flag",
            LEARNS,
        ),
        Misconception(
            "opposite_flag",
            flagged(lambda i, n, layers, flag, old: not flag if chosen(i, n, layers) else old, by_index=True),
            "With flag=False, are the layers that are named to learn or not?",
            "the flag said whether a layer is frozen",
            LEARNS,
        ),
        Misconception(
            "always_frozen",
            flagged(lambda i, n, layers, flag, old: False if chosen(i, n, layers) else old, by_index=True),
            "Where in your code does the argument flag stand?",
            "the layers were frozen whatever the flag",
            LEARNS,
        ),
        Misconception(
            "toggled",
            flagged(lambda i, n, layers, flag, old: not old if chosen(i, n, layers) else old, by_index=True),
            "Freeze a layer that is frozen. What should it be, and what is it in yours?",
            "the flags were turned over",
            LEARNS,
        ),
        Misconception(
            "named_others",
            flagged(lambda i, n, layers, flag, old: old if chosen(i, n, layers) else flag),
            "Are the layers in the list to change, or those outside it?",
            "all layers but those that are named got the flag",
            LEARNS,
        ),
        Misconception(
            "first_ones",
            flagged(lambda i, n, layers, flag, old: flag if i < len(layers) else old),
            "Is `layers` a list of positions, or does its length count?",
            "the list only said how many layers are meant",
            LEARNS,
        ),
        Misconception(
            "up_to_the_largest",
            flagged(lambda i, n, layers, flag, old: flag if any(i <= k % n for k in layers) else old),
            "What of the layers between those in the list?",
            "all layers up to the last one that is named were meant",
            LEARNS,
        ),
        Misconception(
            "counted_from_one",
            flagged(lambda i, n, layers, flag, old: flag if i + 1 in layers or i - n in layers else old),
            "Which number has the first layer?",
            "the first layer had the number 1",
            LEARNS,
        ),
        Misconception(
            "negative_ignored",
            flagged(lambda i, n, layers, flag, old: flag if i in layers else old),
            "Which layer is −1, and does your comparison find it?",
            "negative positions meant no layer",
            LEARNS,
        ),
        Misconception(
            "missing_ignored",
            missing_ignored,
            "Ask for layer 7 of five. Should that pass in silence?",
            "positions that the model does not have were ignored",
            LEARNS,
        ),
        Misconception(
            "one_position_more",
            one_position_more,
            "A model has five layers. Which position has the last one, and does your check refuse the next?",
            "the position behind the last layer were one of the model's",
            LEARNS,
        ),
        Misconception(
            "zeros_left_out",
            zeros_left_out,
            "A bias begins with zeros. Is it in the layers that you return?",
            "an array of zeros were not there",
            LEARNS,
        ),
        Misconception(
            "wrapped",
            wrapped,
            "Ask for layer 7 of five. Which one do you freeze?",
            "positions beyond the last layer began again at the first",
            LEARNS,
        ),
        Misconception(
            "changed_in_place",
            in_place,
            "Which flags has the caller's model afterwards?",
            "the model that came in were changed",
            LEARNS,
        ),
        Misconception(
            "only_those",
            only_those,
            "How many layers has the model that came in, and how many has yours?",
            "the new model had only the layers that are named",
            LEARNS,
        ),
        Misconception(
            "statistics_dropped",
            statistics_dropped,
            "Which entries has a layer with a normalisation, and which have you carried over?",
            "the running statistics got lost",
            LEARNS,
        ),
    ],
    variants=[
        Variant("comprehension", by_comprehension),
        Variant("with copies", with_copies),
        Variant("flags first", flags_first),
    ],
    not_bugs={
        "new list of the old dicts": "It changes the model that came in, as `changed_in_place` does.",
    },
    hints=[
        Hint("Whether a layer learns is a word in its dict. A new model needs new dicts, and may have the old arrays."),
        Hint('Look at "Who learns". What is the flag of a layer that nobody mentions?'),
        Hint(
            "A worked sibling, a new list in which two entries are 0:\n\n"
            "    new = list(old)\n"
            "    for i in [2, -1]:\n"
            "        new[i] = 0"
        ),
        Hint("    new = a list with a copy of each dict;  for each position: the flag of new[position];  return new"),
    ],
)
