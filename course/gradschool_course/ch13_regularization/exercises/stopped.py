"""early_stop: when a run should end, and which of its parameters are the answer."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.stopping import early_stop
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Steps, Variant

from .common import CHAPTER, CLOSE, STOP, number, sizes


# --------------------------------------------------------------------------------------------------- how it goes wrong
def copied(params):
    return {name: p.copy() for name, p in params.items()}


def stopping(
    better=lambda value, best, delta: value < best - delta,
    count=lambda wait, good: 0 if good else wait + 1,
    stops=lambda wait, patience: wait >= patience,
    best=lambda value, best, good: value if good else best,
    kept=lambda new, old, good: copied(new if good else old),
):
    """Early stopping with parts of one's own."""

    def answer(state, value, params, patience=10, min_delta=0.0):
        good = better(value, state["best"], min_delta)
        wait = count(state["wait"], good)
        return {
            "best": best(value, state["best"], good),
            "wait": wait,
            "params": kept(params, state["params"], good),
            "stop": stops(wait, patience),
        }

    return answer


def only_stop(state, value, params, patience=10, min_delta=0.0):
    return early_stop(state, value, params, patience, min_delta)["stop"]


def in_place(state, value, params, patience=10, min_delta=0.0):
    state.update(early_stop(state, value, params, patience, min_delta))
    return state


def stopped_for_ever(state, value, params, patience=10, min_delta=0.0):
    new = early_stop(state, value, params, patience, min_delta)
    return new | {"stop": state["stop"] or new["stop"]}


def counted_anew(state, value, params, patience=10, min_delta=0.0):
    new = early_stop(state, value, params, patience, min_delta)
    return new | {"wait": 0} if new["stop"] else new


# ---------------------------------------------------------------------------------------------- other right answers
def in_two_cases(state, value, params, patience=10, min_delta=0.0):
    if state["best"] - value > min_delta:
        return {"best": value, "wait": 0, "params": {n: np.array(p) for n, p in params.items()}, "stop": patience <= 0}
    old = {name: p + 0.0 for name, p in state["params"].items()}
    left = patience - state["wait"] - 1
    return {"stop": left <= 0, "params": old, "wait": patience - left, "best": state["best"]}


def changed_copy(state, value, params, patience=10, min_delta=0.0):
    new = {**state, "wait": state["wait"] + 1, "params": copied(state["params"])}
    if value + min_delta < state["best"]:
        new |= {"best": value, "wait": 0, "params": copied(params)}
    return new | {"stop": not new["wait"] < patience}


by_parts = stopping(better=lambda value, best, delta: best - delta > value)


# ------------------------------------------------------------------------------------------------------------ probes
def told(rng, values, **options):
    D, H = sizes(rng, 2)

    def drawn():
        return {"W": rng.normal(size=(D, H)), "b": rng.normal(size=H)}

    state = {"best": float("inf"), "wait": 0, "params": drawn(), "stop": False}
    feed = [{"value": float(value), "params": drawn()} for value in values]
    return Steps(carry={"state": state}, feed=feed, constants=options)


def falls(rng, gaps, size=0.1):
    """Improvements by about `size`, each followed by so many epochs without one."""
    best, values = number(rng, 3, 5), []
    for gap in gaps:
        best -= size * number(rng, 1.5, 2.5)
        values += [best, *(best + number(rng, 0.001, 0.6) for _ in range(gap))]
    return values


def waits(rng):
    return [
        told(rng, falls(rng, [2, 1, 4, 2, 5]), patience=3),
        told(rng, falls(rng, [0, 1, 0, 3]), patience=2),
        told(rng, falls(rng, [3, 12])),
        told(rng, through_zero(rng), patience=3),
    ]


def through_zero(rng):
    """A best value of 0 is one, and so is a negative one."""
    above, below = rng.uniform(0.1, 0.6, size=(2, 3))
    return [1.0, 0.0, *above, -1.0, *(below - 0.7)]


def deltas(rng):
    creeping = 5.0 - np.cumsum(rng.uniform(0.01, 0.014, size=12))  # four or five of these make an improvement
    return [
        told(rng, creeping, patience=6, min_delta=0.05),
        told(rng, falls(rng, [2, 1, 4], size=0.3), patience=3, min_delta=0.2),
        told(rng, [9.0, 8.5, 8.5, 8.0, 7.25], patience=3, min_delta=0.5),
        told(rng, [3.0, 3.0, 2.5, 2.5, 2.5], patience=2),
    ]


def not_numbers(rng):
    nan = float("nan")
    return [
        told(rng, [1.5, nan, 1.0, nan, nan, 0.5, nan, nan, nan], patience=3),
        told(rng, [nan, 2.0, 3.0, 1.5, nan, 2.5], patience=2),
    ]


def bug(name, wrong, hint, says, published=""):
    return Misconception(name, wrong, hint, says, STOP, published)


EARLY_STOP = Exercise(
    reference=early_stop,
    chapter=CHAPTER,
    title="Early stopping",
    difficulty=3,
    minutes=15,
    task="""What should be remembered after another epoch, whose validation loss is `value`, with parameters `params` (a
dict of arrays). `state` is what was remembered before it, a dict; return a new one of the same form:

- `"best"`: the lowest validation loss so far. Only a value that is lower by *more than* `min_delta` is better.
- `"wait"`: for how many epochs in a row none was better.
- `"params"`: the parameters of the best epoch, always in new arrays: copies of `params`, or of what `state` holds.
- `"stop"`: True where `wait` has reached `patience`, False where it has not.

A value may be NaN; that is not better. Before the first epoch the state is `{"best": inf, "wait": 0, "params":
first_params, "stop": False}`. An epoch after a stop is one like others: `wait` goes on, or is 0 again.""",
    example="""\
state = {"best": float("inf"), "wait": 0, "params": {"w": np.array([0.0])}, "stop": False}
state = early_stop(state, 2.0, {"w": np.array([1.0])}, patience=1)
state["best"], state["wait"], state["stop"]  # (2.0, 0, False)
state = early_stop(state, 3.0, {"w": np.array([2.0])}, patience=1)
state["best"], state["wait"], state["stop"]  # (2.0, 1, True)
state["params"]["w"]  # [1.]""",
    groups=[
        Group("waiting", 2, waits, "When to stop, and with which parameters.", CLOSE),
        Group("how much better", 1, deltas, "Improvements that are too small.", CLOSE),
        Group("not a number", 1, not_numbers, "A validation loss that is NaN.", CLOSE),
    ],
    misconceptions=[
        bug("one_late", stopping(stops=lambda wait, patience: wait > patience),
            "Patience 1: how many bad epochs does your run see?", "it stopped when `wait` is beyond the patience",
            published="scikit-learn's `MLPClassifier`"),
        bug("one_early", stopping(stops=lambda wait, patience: wait >= patience - 1),
            "Patience 2: how many bad epochs does your run see?", "it stopped an epoch before the patience is reached"),
        bug("not_in_a_row", stopping(count=lambda wait, good: wait if good else wait + 1),
            "Bad, good, bad: for how long have you been waiting?",
            "all bad epochs were counted, and not only those in a row"),
        bug("compares_with_previous", stopping(best=lambda value, best, good: value),
            "The losses 5, 1, 4, 3: which of them is your best?", "a value were compared with the one before it"),
        bug("last_params", stopping(kept=lambda new, old, good: copied(new)),
            "Which epoch's parameters do you have when the run stops?", "the parameters of the last epoch were kept",
            published="Keras, unless `restore_best_weights=True`"),
        bug("first_params", stopping(kept=lambda new, old, good: copied(old)),
            "Which epoch's parameters do you have when the run stops?", "the parameters were never replaced"),
        bug("no_copy", stopping(kept=lambda new, old, good: new if good else old),
            "Training goes on, and changes its arrays in place. What happens to those that you keep?",
            "the arrays themselves were kept, be it in a new dict"),
        bug("old_arrays", stopping(kept=lambda new, old, good: copied(new) if good else old),
            "The first loss is NaN. Which arrays do you return then, and who goes on changing them?",
            "arrays of the old state were handed on uncopied"),
        bug("delta_ignored", stopping(better=lambda value, best, delta: value < best),
            "Is a fall of a thousandth an improvement, if min_delta is 0.1?", "every fall counted"),
        bug("delta_added", stopping(better=lambda value, best, delta: value < best + delta),
            "With min_delta = 0.1: is 1.05 better than 1?", "`min_delta` made it easier to be better"),
        bug("delta_relative", stopping(better=lambda value, best, delta: value < best * (1 - delta) or best > 1e9),
            "Is min_delta a difference, or a part?", "`min_delta` were a part of the best value"),
        bug("equal_is_better", stopping(better=lambda value, best, delta: value <= best - delta),
            "The same value twice: is the second better?", "a fall by exactly `min_delta` counted",
            published="scikit-learn's `MLPClassifier`"),
        bug("creeping_best", stopping(best=lambda value, best, good: min(value, best) if value == value else best),
            "Ten falls, each too small to count: are they large enough together?",
            "the best value also moved with falls that do not count",
            published="scikit-learn's `MLPClassifier`"),
        bug("zero_is_no_best", stopping(better=lambda value, best, delta: not best or value < best - delta),
            "The best value is 0.0. What is `not best` then, and is every value better?",
            "a best value of 0 meant that there was none yet"),
        bug("zero_is_no_value", stopping(better=lambda value, best, delta: bool(value) and value < best - delta),
            "The value is 0.0, and the best was 1.0. What is `if value`, and is it better?", "a value of 0 were none"),
        bug("nan_is_better", stopping(better=lambda value, best, delta: not value >= best - delta),
            "Is NaN >= 1 true? Is it better?", "NaN counted as an improvement"),
        bug("nan_best", stopping(best=lambda value, best, good: value if good or value != value else best),
            "After a NaN, is anything ever better in yours?", "a NaN became the best value"),
        bug("larger_is_better", stopping(better=lambda value, best, delta: value > best + delta or best > 1e9),
            "Is this a loss or an accuracy?", "larger values were better"),
        bug("counts_good_epochs", stopping(count=lambda wait, good: wait + 1 if good else 0),
            "What does `wait` count in yours?", "epochs that are better were counted"),
        bug("never_stops", stopping(stops=lambda wait, patience: False), "When is your `stop` True?",
            "it never stopped"),
        bug("wait_reset_at_stop", counted_anew, "What is `wait` when it has reached the patience?",
            "the count began anew with the stop"),
        bug("stopped_for_ever", stopped_for_ever,
            "A better value comes after a stop: what is `wait` then, and has it reached the patience?",
            "`stop` stayed True once it had been"),
        bug("in_place", in_place, "Look at `state` after the call. Is it what it was?", "the old state were changed"),
        bug("stop_alone", only_stop, "What will the next call compare its value with?", "only `stop` were returned"),
    ],
    variants=[
        Variant("two cases", in_two_cases),
        Variant("a changed copy", changed_copy),
        Variant("the difference on the other side", by_parts),
    ],
    hints=[
        Hint("One question decides everything: is this value better than the best so far?"),
        Hint('Look at "Stop while it is good", at its table. What changes in a better epoch, what in another?'),
        Hint(
            "A worked sibling, the longest word so far, and how long ago it was:\n\n"
            '    better = len(word) > len(state["word"])\n'
            '    return {"word": word if better else state["word"], "ago": 0 if better else state["ago"] + 1}'
        ),
        Hint(
            "    better = value < best − min_delta\n"
            "    better: best = value, wait = 0, params = copies of the new arrays\n"
            "    else: best stays, wait + 1, params = copies of the old arrays\n"
            "    stop = wait >= patience"
        ),
    ],
)  # fmt: skip
