"""Where to look after a certain kind of failure, whatever the exercise is: the rung that comes before its own hints.

    for_diagnosis(exercise, {"kind": "mutated", "name": "mutated"})    # "An argument was changed. ..."

A known mistake has its own question and place in the chapter; any other kind of failure has the words below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .exercise import Exercise

__all__ = ["BY_KIND", "for_diagnosis"]

# Keyed by the name of a diagnosis first, then by its kind. None of it says anything about what is to be computed.
BY_KIND: Mapping[str, str] = {
    "none": "Follow one call by hand to its last line. Is there a path on which no `return` stands?",
    "printed": "`print` shows a value to you; `return` gives it to the caller. Which of the two does a caller need?",
    "swapped": "Compare the order after `return` with the order that the task lists.",
    "keys": "Print `sorted(answer)` and lay it beside the names in the task, letter by letter.",
    "accepted": "The task names inputs that must be refused. Which `if` looks at them before anything is computed?",
    "unasked": "One of the arguments is there to be asked, and your function answers without it. Where do its numbers "
    "come from instead?",
    "mutated": "Look for `+=`, `-=`, `x[...] = ...` and `out=`: each writes into the array that it is given. "
    "`x = x + y` makes a new one.",
    "aliased": "Some part of the answer *is* an argument, or a view of it. What happens to your answer if the caller "
    "changes that argument tomorrow? Where would a copy belong?",
    "reused": "Call it twice and look at the first answer again. Which line makes the object that it returns, and how "
    "often does that line run? A default value is made once.",
    "unstable": "What is left over from the first call when the second begins: a global, a default argument that is a "
    "list or dict, a generator made once?",
    "warned": "A warning is a number that went wrong on the way, even if it is thrown away later. Turn warnings into "
    "errors, `np.seterr(all='raise')`, and see which line stops.",
    "property": "Draw the answer many times and look at its mean, its spread and its extremes: which one is not as the "
    "task says?",
    "raised": "Read the last line of the traceback that is yours, and the shapes beside it. Print the shape of every "
    "operand just before that line.",
    "NotImplementedError": "One path still ends in the stub's `raise`. For which arguments is it taken?",
    "shape": "Write the shape behind each line as a comment. At which line does it first differ from what you meant? "
    "`keepdims`, `axis` and broadcasting are the usual three.",
    "dtype": "What type do the arguments have, and which line is the first to have another: a Python number, "
    "`np.zeros` without `dtype`, an integer division?",
    "type": "Compare the type of your answer with the one in the task: an array is no list, a NumPy number no float.",
    "structure": "Compare the form of your answer with the task: how many items, of which form each?",
    "nonfinite": "Find the first line after which `np.isfinite(...).all()` is false. What did it divide by, or take "
    "the logarithm or exponential of?",
    "sign": "Which way is downhill? Follow one minus through your lines from the first to the last.",
    "factor": "Something is counted too often or not at all. Which sum should be a mean, or the other way round; which "
    "constant stands in front?",
    "transpose": "Write the shapes of both operands beside each product. Which of the two axes is the batch?",
    "axis": "For each reduction say aloud what becomes one: all examples, all classes, all steps? Which axis is that?",
    "shifted_step": "Is the count raised before it is used, or after? Work out the first step alone.",
    "shifted": "Check both ends: what should the first entry be, and what the last? `range` and slices leave out "
    "their end.",
    "reversed": "From which end does the loop begin, and in which order are the results put together?",
    "offset": "Give it zeros. What should be left, and what is?",
    "precision": "Where are two nearly equal numbers subtracted, or a small number added to a large one?",
    "float32": "Look for `float32`, in `astype`, `dtype=` or a constant: one is enough to lose half of the digits.",
    "integer": "Which array is made of integers? What is written into it loses its fraction.",
    "where": "Take one wrong entry and a right one beside it. Which is the first line on which they go different ways?",
    "calls": "Take a call that is right and change that one thing in it. Which line's result is not what you expect?",
    "elsewhere": "Ask your function for 0, 1 and 2, and work the same three out by hand.",
    "one_change": "Lay your lines beside the task's own words, term by term, where the arguments that are named stand. "
    "At which term do the two part?",
    "other_number": "Follow that argument through your lines, from the first that uses it to the last. Where does it "
    "become another number?",
    "in_place_of": "Read your lines for one name only: every place where it stands, and whether it is meant there.",
    "exchanged": "Read your lines for one name only: every place where it stands, and whether it is meant there.",
    "ignored": "Call your function twice with two values of that argument. Which line should make the difference?",
    "one_part": "The other parts are right. What do you do differently for this one?",
    "value": "Take the smallest failing case by hand, one entry of it, and print every line's result beside yours.",
    "diverges": "Everything before that step is right. Call the function once with the state that came before it, and "
    "compare each quantity in the order in which the task names them.",
    "signature": "The names, the order and the defaults of the parameters belong to the task; the stub has them.",
    "timeout": "Which loop has an end that may never come? Print its counter. Or is a Python loop going over entries "
    "that one array operation would take at once?",
    "died": "The process ended: a recursion without end, or an array that is far larger than it should be?",
    "cell_failed": "Repair the cell first: what it defines is not there. Run all cells from the top in a new kernel.",
    "not_defined": "Restart the kernel and run all cells: is there a cell that defines this very name?",
}


def for_diagnosis(exercise: Exercise, mistake: Mapping[str, Any]) -> str:
    """The rung for what the last check found, or "" if there is nothing to add to it."""
    kind, name = str(mistake.get("kind", "")), str(mistake.get("name", ""))
    known = next((m for m in exercise.misconceptions if m.name == name), None) if kind == "misconception" else None
    if known:
        return known.hint + (f" The chapter speaks of it under “{known.see}”." if known.see else "")
    return BY_KIND.get(name) or BY_KIND.get(kind, "")
