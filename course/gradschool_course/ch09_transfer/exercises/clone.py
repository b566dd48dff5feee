"""clone_model: a copy that shares no array with its original."""

from __future__ import annotations

import copy
import pickle

import numpy as np

from gradschool.lessons.transfer import clone_model
from gradschool_course.precision import single
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import CHAPTER, COPIES

STATISTICS = ("mean", "var")


# -------------------------------------------------------------------------------------------- how copying goes wrong
def mapped(tree, change, name=""):
    """change(name, leaf) for every leaf of a tree; the name is the last key on the way to it."""
    if isinstance(tree, dict):
        return {key: mapped(part, change, key) for key, part in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(mapped(part, change, name) for part in tree)
    return change(name, tree)


def copied(name, leaf):
    return np.copy(leaf) if isinstance(leaf, np.ndarray) else leaf


def sharing(shared):
    """A copy of all but the arrays whose name is shared."""
    return lambda model: mapped(model, lambda name, leaf: leaf if shared(name) else copied(name, leaf))


def with_slots(change):
    """A right copy, but for the state of an optimizer."""

    def answer(model):
        new = clone_model(model)
        if isinstance(new, dict) and "slots" in new:
            new["slots"] = change(model["slots"])
        return new

    return answer


def statistics_anew(model):
    begun = {"mean": np.zeros_like, "var": np.ones_like}
    return mapped(model, lambda name, leaf: begun.get(name, np.copy)(leaf) if isinstance(leaf, np.ndarray) else leaf)


def only_shapes(model):
    return mapped(model, lambda _, leaf: np.zeros_like(leaf) if isinstance(leaf, np.ndarray) else leaf)


def all_learn(model):
    return mapped(model, lambda name, leaf: True if name == "trainable" else copied(name, leaf))


def everything_has_a_copy(model):
    if isinstance(model, dict):
        return {name: everything_has_a_copy(part) for name, part in model.items()}
    return [everything_has_a_copy(part) for part in model] if isinstance(model, list) else model.copy()


def all_floats(model):
    return mapped(model, lambda _, leaf: np.array(leaf, dtype=float) if isinstance(leaf, np.ndarray) else leaf)


def lists_for_tuples(model):
    if isinstance(model, dict):
        return {name: lists_for_tuples(part) for name, part in model.items()}
    if isinstance(model, list | tuple):
        return [lists_for_tuples(part) for part in model]
    return copied("", model)


def tuples_shared(model):
    """Nobody can change a tuple, but the arrays in it."""
    if isinstance(model, dict):
        return {name: tuples_shared(part) for name, part in model.items()}
    return [tuples_shared(part) for part in model] if isinstance(model, list) else copied("", model)


def only_what_is_true(model):
    """What counts as false is left out, but for False itself."""
    if isinstance(model, dict):
        return {name: only_what_is_true(part) for name, part in model.items() if is_something(part)}
    if isinstance(model, list | tuple):
        return type(model)(only_what_is_true(part) for part in model if is_something(part))
    return copied("", model)


def is_something(part):
    return part is False or bool(np.any(part) if isinstance(part, np.ndarray) else part)


def numbers_have_a_copy(model):
    """Strings, True, False and None are known to have no method `copy`, and everything else has one."""
    return mapped(model, lambda _, leaf: leaf if leaf is None or isinstance(leaf, str | bool) else leaf.copy())


def no_axes_no_array(model):
    """An array without axes is taken for a number."""
    return mapped(model, lambda _, leaf: np.copy(leaf) if np.ndim(leaf) else leaf)


def layers_only(model):
    return [{name: np.copy(p) if isinstance(p, np.ndarray) else p for name, p in layer.items()} for layer in model]


def zeros(slots):
    return mapped(slots, lambda _, leaf: np.zeros_like(leaf))


# ------------------------------------------------------------------------------------------------ other right answers
def in_and_out(model):
    return pickle.loads(pickle.dumps(model))


def with_a_stack(model):
    """No recursion: containers are copied first, and then what they hold, until there are none left."""
    root = [model]
    stack = [root]
    while stack:
        inside = stack.pop()
        for key in range(len(inside)) if isinstance(inside, list) else list(inside):
            part = inside[key]
            if isinstance(part, np.ndarray):
                inside[key] = np.array(part)
            elif isinstance(part, dict | list):
                inside[key] = part.copy()
                stack.append(inside[key])
            elif isinstance(part, tuple):
                inside[key] = tuple(clone_model(list(part)))
    return root[0]


def leaf_by_leaf(model):
    return mapped(model, lambda _, leaf: 1 * leaf if isinstance(leaf, np.ndarray) else leaf)


# ------------------------------------------------------------------------------------------------------------- probes
def dense_layers(rng):
    return [Call(model=draw.layers(rng, draw.widths(rng, 4), frozen=[0]))]


def normalised(rng):
    return [Call(model=draw.layers(rng, draw.widths(rng, 4), normed=[0, 1], frozen=[1], biased=[1]))]


def with_optimizer(rng):
    model = draw.layers(rng, draw.widths(rng, 3), frozen=[1])
    slots = draw.gradients(rng, model)
    rest = {"begun": [], "best": {}, "name": "B", "epoch": 0, "rate": 0.1, "pair": (rng.normal(size=3), ())}
    return [
        Call(model={"layers": single(model), "slots": slots, "steps": rng.integers(10, 99, size=len(model))}),
        Call(model={"layers": model, "slots": {"m": slots, "v": tuple(draw.gradients(rng, model))}, "loss": None}),
        Call(model={"layers": draw.fresh(model), "t": np.array(int(rng.integers(10, 99))), "rest": [rest, (rest, 7)]}),
    ]


CLONE = Exercise(
    reference=clone_model,
    chapter=CHAPTER,
    title="A copy",
    difficulty=2,
    minutes=10,
    task="""Return a copy of `model` that shares no array with it: whatever is later written into the arrays of the
one, the other keeps its numbers.

A model is a tree: lists, tuples and dicts, one in the other to any depth, with arrays, numbers, strings, True, False
or None at the ends. Mostly it is a list of layers; it may also be a dict of layers, the state of an optimizer and
more. All of it is copied, and the copy has the same form: arrays keep their dtype, and a tuple stays a tuple.""",
    example="""\
model = [{"W": np.ones(2), "activation": "relu", "trainable": True}]
clone_model(model)[0]["W"]  # [1. 1.]
clone_model(model)[0]["W"] is model[0]["W"]  # False""",
    groups=[
        Group("layers", 1, dense_layers, "Dense layers."),
        Group("statistics", 1, normalised, "Layers that keep running statistics."),
        Group(
            "optimizer",
            1,
            with_optimizer,
            "A model with the state of its optimizer.",
            exact_dtype=True,
            types_matter=True,
        ),
    ],
    misconceptions=[
        Misconception(
            "shallow",
            copy.copy,
            "Write a 7 into an array of the copy, in place. What does the original say?",
            "the list were new and the arrays in it the old ones",
            COPIES,
        ),
        Misconception(
            "everything_has_a_copy",
            everything_has_a_copy,
            'Which entries of a layer are no arrays, and what is "relu".copy()?',
            "everything in a layer had a method `copy`",
            COPIES,
        ),
        Misconception(
            "tuples_shared",
            tuples_shared,
            "A tuple cannot be changed. Can an array in it?",
            "tuples needed no copy, and so their arrays had none",
            COPIES,
        ),
        Misconception(
            "only_what_is_true",
            only_what_is_true,
            "The original has epoch 0, a list without entries and a bias of zeros. Where are they in your copy?",
            "what is 0, empty or None were not there",
            COPIES,
        ),
        Misconception(
            "numbers_have_a_copy",
            numbers_have_a_copy,
            "The rate 0.1 stands in a model. What is (0.1).copy()?",
            "numbers had a method `copy`",
            COPIES,
        ),
        Misconception(
            "no_axes_no_array",
            no_axes_no_array,
            "np.array(3) has no axes. Can it be written into?",
            "an array without axes were a number",
            COPIES,
        ),
        Misconception(
            "layers_only",
            layers_only,
            "What do you get if you go through a dict, as you go through a list of layers?",
            "a model were always a list of layers",
            COPIES,
        ),
        Misconception(
            "statistics_shared",
            sharing(lambda name: name in STATISTICS),
            "The copy trains on another task. Whose running means does it move?",
            "the running statistics were shared with the original",
            COPIES,
        ),
        Misconception(
            "biases_shared",
            sharing(lambda name: name != "W"),
            "Which arrays has a layer beside its W?",
            "only the weights W were copied",
            COPIES,
        ),
        Misconception(
            "slots_shared",
            with_slots(lambda slots: slots),
            "The copy takes a step. Whose velocities have changed?",
            "the state of the optimizer were shared with the original",
            COPIES,
        ),
        Misconception(
            "slots_anew",
            with_slots(zeros),
            "A copy goes on where its original stands. What are its velocities?",
            "the optimizer of the copy began anew",
            COPIES,
        ),
        Misconception(
            "slots_dropped",
            with_slots(lambda slots: None),
            "Which parts has the model that came in, and which has your copy?",
            "the copy had no state of an optimizer",
            COPIES,
        ),
        Misconception(
            "statistics_anew",
            statistics_anew,
            "What does the copy say in inference, with a running mean of 0 and a variance of 1?",
            "the running statistics of the copy began anew",
            COPIES,
        ),
        Misconception(
            "only_shapes",
            only_shapes,
            "Do original and copy give the same answer to the same picture?",
            "the copy had the shapes of the arrays, and not their numbers",
            COPIES,
        ),
        Misconception(
            "all_floats",
            all_floats,
            "A float32 array and one of whole numbers came in. Which dtypes has your copy?",
            "every array of the copy were float64",
            COPIES,
        ),
        Misconception(
            "lists_for_tuples",
            lists_for_tuples,
            "A pair of arrays came in as a tuple. What is it in your copy?",
            "tuples became lists",
            COPIES,
        ),
        Misconception(
            "all_learn",
            all_learn,
            "A layer of the original was frozen. Is it in the copy?",
            "every layer of the copy were trainable",
            COPIES,
        ),
    ],
    variants=[
        Variant("deepcopy", copy.deepcopy),
        Variant("through pickle", in_and_out),
        Variant("with a stack", with_a_stack),
        Variant("leaf by leaf", leaf_by_leaf),
    ],
    not_bugs={"shallow copy of the layers' dicts": "New dicts around old arrays behave as `shallow` does."},
    hints=[
        Hint("A new list of old arrays is not a copy. What has to be new is what can be changed: the arrays."),
        Hint('Look at "A copy that is one". What is a tree made of, and which of its parts can be written into?'),
        Hint(
            "A worked sibling, the sum of all numbers in nested lists:\n\n"
            "    def total(tree):\n"
            "        return sum(total(part) for part in tree) if isinstance(tree, list) else tree"
        ),
        Hint(
            "    a dict: a new dict with a copy of each part\n"
            "    a list or tuple: a new one with a copy of each part\n"
            "    an array: its copy\n"
            "    anything else: itself"
        ),
    ],
)
