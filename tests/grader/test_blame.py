"""The expression that is to blame is named where values of the solution's put everything right, and else none."""

from __future__ import annotations

import numpy as np
from test_diagnosis import Here, sets

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.asking import asked_more
from gradschool_grader.blame import both, culprit
from gradschool_grader.exercise import Call, Group, Property, Script, Seed, Steps
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge


def found(exercise, text, seed=3, **more):
    names = {"np": np, **more}
    exec(text, names)
    seen = []
    judge(exercise, lambda: Here(names[exercise.name], exercise.name), LiveAnswers(exercise, {}, seed), witness=seen)
    return culprit(exercise, seen, text, Performer({}, dict(names), stop=(KeyboardInterrupt,)).handle, {})


def standardised(x, eps=1e-3):
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    return (x - mean) / np.sqrt(variance + eps)


STANDARDISED = sets(
    standardised,
    lambda rng: [Call(x=rng.normal(size=(n, 3)), eps=float(rng.uniform(0.1, 0.2))) for n in (5, 6)],
)


def test_of_all_that_is_wrong_the_first_quantity_that_is_is_named_with_what_it_should_have_come_to():
    culprit = found(
        STANDARDISED,
        "def standardised(x, eps=1e-3):\n"
        "    m = np.sum(x, axis=0) / len(x)\n"
        "    d = x - m\n"
        "    v = (d * d).sum(axis=0) / (len(x) - 1)\n"
        "    return d / np.sqrt(v + eps)\n",
    )
    assert culprit.text == (
        "`len(x) - 1`, in `v = (d * d).sum(axis=0) / (len(x) - 1)`, comes to 4. If it came to 5, all that is wrong "
        "would come out right."
    )
    assert culprit.hint == ("Is `len(x) - 1` what the task wants there, or should something be done with it first?")


def test_another_way_to_the_same_place_does_not_matter():
    culprit = found(
        STANDARDISED,
        "def deviations(x, eps):\n"
        "    columns = [np.sqrt(np.var(column)) + eps for column in x.T]\n"
        "    return np.array(columns)\n"
        "def standardised(x, eps=1e-3):\n"
        "    return (x - x.mean(axis=0)) / deviations(x, eps)\n",
    )
    assert culprit.text.startswith("`np.array(columns)`, in `return np.array(columns)`, comes to ")
    assert " at [0]. If it came to " in culprit.text


def test_what_puts_only_one_call_right_is_not_named_and_of_the_answer_itself_nothing_is_said():
    assert found(STANDARDISED, "def standardised(x, eps=1e-3):\n    return np.sin(x) + x.mean()\n") is None
    two = "def standardised(x, eps=1e-3):\n    v = x.var(axis=0) * 3\n    return (x - 1.0) / np.sqrt(v - eps)\n"
    assert found(STANDARDISED, two) is None


def rolled(v, g, lr=0.1):
    step = lr * g
    return 0.9 * v - step


ROLLED = sets(
    rolled,
    lambda rng: [Steps({"v": rng.normal(size=4)}, [{"g": rng.normal(size=4)} for _ in range(3)], {"lr": 0.3})],
)


def test_over_the_steps_of_a_sequence_an_expression_has_a_value_in_each():
    culprit = found(ROLLED, "def rolled(v, g, lr=0.1):\n    s = g * lr ** 2\n    return v * 0.9 - s\n")
    assert culprit.expression in ("lr ** 2", "g * lr ** 2")
    assert culprit.line == "s = g * lr ** 2"


class Best:
    def __init__(self, patience=2):
        self.best, self.wait, self.patience = None, 0, patience

    def update(self, value):
        better = self.best is None or value < self.best
        self.best = value if better else self.best
        self.wait = 0 if better else self.wait + 1
        return self.wait >= self.patience


def test_of_what_stands_in_a_condition_the_condition_is_named():
    exercise = sets(
        Best,
        lambda rng: [Script({"patience": 2}, [("update", (float(x),)) for x in (5, 4, 4, 4, 3, 3, 3, 3)])],
    )
    culprit = found(
        exercise,
        "class Best:\n"
        "    def __init__(self, patience=2):\n"
        "        self.best, self.wait, self.patience = None, 0, patience\n"
        "    def update(self, value):\n"
        "        if self.best is None or value <= self.best:\n"
        "            self.best, self.wait = value, 0\n"
        "        else:\n"
        "            self.wait += 1\n"
        "        return self.wait >= self.patience\n",
    )
    assert "value <= self.best`" in culprit.text
    assert "is True. Were it False" in culprit.text


def root(x):
    if (x < 0).any():
        raise ValueError("negative")
    return np.sqrt(x)


def test_a_call_that_should_be_refused_goes_back_to_the_condition():
    exercise = sets(root, lambda rng: [Call(x=-rng.uniform(1, 2, size=3)), Call(x=rng.uniform(1, 2, size=3))])
    text = "def root(x):\n    if (x < 0).all() and x.size > 3:\n        raise ValueError()\n    return x ** 0.5\n"
    culprit = found(exercise, text)
    assert "is False. Were it True" in culprit.text


def lengths(trees):
    return {name: np.sqrt((g * g).sum()) for name, g in trees.items()}


def test_an_expression_that_raises_is_given_its_values_too():
    exercise = sets(lengths, lambda rng: [Call(trees={"b": rng.normal(size=4), "K": rng.normal(size=(3, 4, 5))})])
    text = (
        "def lengths(trees):\n    found = {}\n    for name in trees:\n        n = np.linalg.norm(trees[name], 2)\n"
        "        found[name] = n\n    return found\n"
    )
    assert found(exercise, text.replace("    for name", "    for name")).line == "n = np.linalg.norm(trees[name], 2)"

    def scaled(trees):
        return {name: g / np.sqrt((g * g).sum()) for name, g in trees.items()}

    exercise = sets(scaled, exercise.groups[0].probes)
    text = (
        "def scaled(trees):\n    found = {}\n    for name in trees:\n        n = np.linalg.norm(trees[name], 2)\n"
        "        found[name] = trees[name] / n\n    return found\n"
    )
    assert found(exercise, text).expression == "np.linalg.norm(trees[name], 2)"


def test_what_concerns_some_parts_says_which():
    def both(x, power=1):
        scale = np.abs(x).max() if power == 1 else np.sqrt((x * x).sum())
        return x / scale

    exercise = sets(
        both,
        None,
        groups=[
            Group("largest", 1, lambda rng: [Call(x=rng.normal(size=5))]),
            Group("length", 1, lambda rng: [Call(x=rng.normal(size=5), power=2)]),
        ],
    )
    culprit = found(
        exercise,
        "def both(x, power=1):\n    if power == 1:\n        return x / np.max(x ** 3)\n    return x / (x * x).sum()\n",
    )
    assert culprit.expression == "x ** 3"
    assert culprit.text.endswith("all that is wrong in the part `largest` would come out right.")


def test_where_right_answers_differ_or_a_name_is_not_there_any_more_nothing_is_said():
    def draw(rng, n):
        return rng.normal(size=n)

    exercise = sets(
        draw, lambda rng: [Property(Call(rng=Seed(1), n=40), lambda values: None if values[0].std() > 0.1 else "flat")]
    )
    assert found(exercise, "def draw(rng, n):\n    return rng.normal(size=n) * 0.0\n") is None
    text = "def standardised(x, eps=1e-3):\n    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + gone)\n"
    seen = []
    names = {"np": np, "gone": 0.0}
    exec(text, names)
    judge(
        STANDARDISED,
        lambda: Here(names["standardised"], "standardised"),
        LiveAnswers(STANDARDISED, {}, 3),
        witness=seen,
    )
    assert culprit(STANDARDISED, seen, text, Performer({}, {"np": np}).handle, {}) is None


def test_at_home_it_is_said_besides_and_of_what_is_only_a_place_its_question_is_asked():
    text = (
        "def standardised(x, eps=1e-3):\n    v = np.sin(x).var(axis=0)\n"
        "    return (x - x.mean(axis=0)) / np.sqrt(v + eps)\n"
    )
    names, seen = {"np": np}, []
    exec(text, names)
    worker = Here(names["standardised"], "standardised")
    verdict = judge(STANDARDISED, lambda: worker, LiveAnswers(STANDARDISED, {}, 3), witness=seen)
    ask = worker.performer.handle
    more = asked_more(STANDARDISED, verdict, seen, ask, {}, lambda: text, Performer({}, dict(names)).handle).diagnosis
    assert "`np.sin(x)`, in `v = np.sin(x).var(axis=0)`, comes to " in more.detail
    assert names["standardised"](np.ones((2, 3))) is not None


# ------------------------------------------------------------------------------- a multiple of what it comes to
def fading(lr, s, factor=0.5):
    return lambda step: lr * factor ** (np.asarray(step) / s)


FADING = sets(
    fading,
    lambda rng: [
        Call(lr=float(rng.uniform(1, 2)), s=int(s), factor=float(rng.uniform(0.3, 0.6))).then((np.arange(6),), (3,))
        for s in rng.integers(4, 9, size=2)
    ],
)


def test_of_a_number_that_the_solution_never_computes_it_is_found_to_what_it_should_have_come():
    culprit = found(
        FADING,
        "def fading(lr, s, factor=0.5):\n"
        "    ratio = 1 - (1 - factor) / s\n"
        "    def at(step):\n"
        "        return lr * ratio ** np.asarray(step)\n"
        "    return at\n",
    )
    assert (culprit.expression, culprit.line) == ("1 - (1 - factor) / s", "ratio = 1 - (1 - factor) / s")
    assert culprit.right < culprit.came


def leaning(params, grads, lr=0.1, decay=0.1):
    return {k: params[k] - lr * np.tanh(grads[k]) - lr * decay * params[k] for k in params}


LEANING = sets(
    leaning,
    lambda rng: [
        Steps(
            {"params": {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=4)}},
            [{"grads": {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=4)}} for _ in range(3)],
            {"lr": 0.3, "decay": 0.2},
        )
    ],
)


def test_of_arrays_in_a_loop_one_number_for_all_is_found_if_the_solution_factors_otherwise():
    culprit = found(
        LEANING,
        "def leaning(params, grads, lr=0.1, decay=0.1):\n"
        "    new = {}\n"
        "    for name, p in params.items():\n"
        "        step = np.tanh(grads[name]) + decay * p / lr\n"
        "        new[name] = p - lr * step\n"
        "    return new\n",
    )
    assert culprit.line == "step = np.tanh(grads[name]) + decay * p / lr"
    assert culprit.expression in ("decay * p", "decay * p / lr")


def test_what_is_a_multiple_of_the_answer_as_a_whole_is_nobodys_fault():
    text = (
        "def leaning(params, grads, lr=0.1, decay=0.1):\n"
        "    return {k: 2 * (p - lr * grads[k]) for k, p in params.items()}\n"
    )
    assert found(LEANING, text) is None


def test_one_wrong_number_proves_nothing():
    def area(r, h):
        return 3.0 * r * r * h + r

    exercise = sets(area, lambda rng: [Call(r=float(rng.uniform(1, 2)), h=float(rng.uniform(1, 2)))])
    assert found(exercise, "def area(r, h):\n    return np.sin(r) * h + r ** 2\n") is None


# ------------------------------------------------------------------------------------------ what the call was given
def slope(g, cache):
    return g * cache["y"] * (1 - cache["y"])


def test_a_term_that_lacks_an_argument_is_named():
    exercise = sets(
        slope, lambda rng: [Call(g=rng.normal(size=6), cache={"y": rng.uniform(0.1, 0.9, size=6)}) for _ in range(3)]
    )
    culprit = found(exercise, "def slope(g, cache):\n    y = cache['y']\n    return g * y - y ** 2\n")
    assert (culprit.expression, culprit.line) == ("y ** 2", "return g * y - y ** 2")


def test_of_an_answer_that_takes_long_nobody_is_blamed(monkeypatch):
    text = "def slope(g, cache):\n    y = cache['y']\n    return g * y - y ** 2\n"
    exercise = sets(slope, lambda rng: [Call(g=rng.normal(size=6), cache={"y": rng.uniform(0.1, 0.9, size=6)})])
    assert found(exercise, text) is not None
    monkeypatch.setattr(both, "LONG", 0.0)
    assert found(exercise, text) is None
