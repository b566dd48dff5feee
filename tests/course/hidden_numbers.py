"""What a graded run must not say: the numbers of probes and expected answers, in every way of writing them."""

from __future__ import annotations

import re

import numpy as np

from gradschool_grader.exercise import Property
from gradschool_grader.inside.perform import leaves

NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
DIGITS = 4  # numbers as short as 0.5 are everywhere
FIGURE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?")  # of any length; W1, float64 and 'W2' are names
FORM = re.compile(
    r"\d+ of \d+ entries|and \d+ more numbers?|\d+ items(?:; expected \d+)?|\d+ too many|(?:tuple|list) of \d+"
    r"|\d+ ax[ei]s|(?:item|axis|step|[Ss]teps|call|sequence|script) \d+(?: of \d+| to \d+)?|the \d+ before it"
    r"|\([\d, ]*\)|\[[\d, ]+\]|(?<= is )1(?= right)|[01] in the place of"
)


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


def public(exercise):
    """Every word that is the same in every run: the task, and what is written about its parts and its mistakes."""
    parts = [f"{g.name} {g.about}" for g in exercise.groups]
    known = [f"{m.name} {m.says} {m.hint} {m.see} {m.published}" for m in exercise.misconceptions]
    return " ".join([exercise.task, exercise.example, str(exercise.signature), exercise.title, *parts, *known])


def measured(words, exercise):
    """The numbers in words of a graded run that may have been measured.

    Not measured is what is public, and the form of an answer: how many entries, axes and items, of which shape, at
    which index or step. So nothing is left of a sentence that says the same of a mistake whatever is drawn: that a
    number is twice what it should be, or 1 − `rate` times.
    """
    labels = {label for axes in exercise.axes.values() for label in axes}
    placed = re.compile("|".join(rf"\b{re.escape(label)} \d+" for label in labels) or r"(?!)")
    return set(FIGURE.findall(placed.sub("", FORM.sub("", words)))) - set(FIGURE.findall(public(exercise)))
