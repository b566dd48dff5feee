"""What a graded run must not say: the numbers of probes and expected answers, in every way of writing them."""

from __future__ import annotations

import re

import numpy as np

from gradschool_grader.exercise import Property
from gradschool_grader.inside.perform import leaves

NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
DIGITS = 4  # numbers as short as 0.5 are everywhere


def hidden(exercise, answers):
    """Every number of the probes and of the expected answers."""
    for group in exercise.groups:
        for probe in answers.probes(group):
            yield from numbers(vars(probe.call) if isinstance(probe, Property) else vars(probe))
        yield from numbers([o.behaviour.value for o in answers.expected(group)])


def numbers(tree):
    for _, leaf in leaves(plain(tree)):
        if isinstance(leaf, np.ndarray | float) and np.asarray(leaf).dtype.kind == "f":
            yield from np.asarray(leaf, float).ravel().tolist()


def plain(tree):
    if isinstance(tree, dict):
        return {str(key): plain(value) for key, value in tree.items()}
    return [plain(item) for item in tree] if isinstance(tree, list | tuple) else tree


def spellings(values):
    """As repr, and rounded to three to eight digits, those that are long enough to be recognised."""
    finite = [x for x in values if np.isfinite(x)]
    texts = {repr(x) for x in finite} | {f"{x:.{k}g}" for x in finite for k in range(3, 9)}
    texts |= {f"{x:.{k}f}" for x in finite for k in range(3, 9)}
    return {text.lstrip("-") for text in texts if significant(text) >= DIGITS}


def significant(text):
    mantissa = text.lstrip("-").partition("e")[0].replace(".", "").strip("0")
    return len(mantissa)
