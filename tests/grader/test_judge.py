"""A right answer passes in every form, a wrong one fails and is told why: the judge on four small exercises."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from gradschool_grader.answers import LiveAnswers, RecordedAnswers, record
from gradschool_grader.contract import WorkerDied, WorkerTimedOut
from gradschool_grader.exercise import (
    Call,
    Exercise,
    Group,
    Handle,
    Helper,
    Misconception,
    Property,
    Script,
    Seed,
    Steps,
)
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import Facts, Limits, Unexplained, judge
from gradschool_grader.observe import Broken
from gradschool_grader.verdict import Diagnosis, Verdict


# ------------------------------------------------------------------------------------- four exercises, four probes
def row_means(X, weights=None):
    if X.ndim != 2:
        raise ValueError(f"row_means: expected X (N, C), got {X.shape}")
    w = np.ones(X.shape[1]) if weights is None else weights
    return (X * w).sum(axis=1) / w.sum()


def ema(params, state, g, b=0.9):
    new = {k: b * state[k] + (1 - b) * g[k] for k in params}
    return {k: params[k] - new[k] for k in params}, new


class Tally:
    def __init__(self, start=0.0):
        self.total, self.count = start, 0

    def update(self, value, n):
        self.total += value * n
        self.count += n

    def mean(self):
        return self.total / self.count


def shuffled(x, rng):
    return rng.permutation(x)


def ramp(lr, n):
    return lambda t: lr * min(t / n, 1.0)


def means_probes(rng):
    X = rng.normal(size=(5, 3))
    return [Call(X=X), Call(X=rng.normal(size=(1, 4)), weights=rng.uniform(1, 2, size=4))]


def ema_probes(rng):
    def tree():
        return {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}

    return [Steps({"params": tree(), "state": tree()}, [{"g": tree()} for _ in range(4)], {"b": 0.7})]


def is_permutation(values):
    moved = any((value != np.arange(9.0)).any() for value in values)
    ok = moved and all((np.sort(value) == np.arange(9.0)).all() for value in values)
    return None if ok else "The answer is not a permutation of the input."


def unweighted_divisor(X, weights=None):
    return (X * (1 if weights is None else weights)).mean(axis=1)


def summed(params, state, g, b=0.9):
    new = {k: b * state[k] + g[k] for k in params}
    return {k: params[k] - new[k] for k in params}, new


def exercise(reference, group, *misconceptions, **more):
    groups = group if isinstance(group, list) else [group]
    return Exercise(
        reference=reference, chapter="t", task="", example="", groups=groups, misconceptions=misconceptions, **more
    )


MEANS = exercise(
    row_means,
    [
        Group("values", 2, means_probes),
        Group("refusals", 1, lambda rng: [Call(X=rng.normal(size=5)), *means_probes(rng)]),
    ],
    Misconception("columns", lambda X, weights=None: X.mean(axis=0), "Which axis counts the rows?"),
    Misconception("unweighted_divisor", unweighted_divisor, "What do the weights add up to?"),
    axes={"X": ("batch", "class"), "return": ("batch",)},
)
EMA = exercise(ema, Group("steps", 3, ema_probes), Misconception("sum", summed, "Do they add up to 1?"))


def two_tallies(rng):
    calls = [("update", (float(rng.normal()), 3)), ("2.update", (4.0, 5)), ("mean", ()), ("count", None)]
    return [Script({"start": 0.5}, calls, others=1)]


def a_shuffle(rng):
    return [Property(Call(x=np.arange(9.0), rng=Seed(int(rng.integers(99)))), is_permutation)]


def a_ramp(rng):
    return [Call(lr=float(rng.uniform(1, 2)), n=7).then((0,), (3,), (7,), (9,))]


TALLY = exercise(Tally, Group("two", 2, two_tallies))
SHUFFLED = exercise(shuffled, Group("property", 1, a_shuffle))
RAMP = exercise(ramp, Group("values", 1, a_ramp))


class Here:
    """A worker that is this process."""

    def __init__(self, names):
        self.performer = Performer({"double": lambda by: lambda x: by * x}, names)

    def request(self, message, seconds):
        return self.performer.handle(message)

    def close(self):
        pass


def verdict_on(exercise, answer, seed=3, **more) -> Verdict:
    names = answer if isinstance(answer, dict) else {exercise.name: answer}
    answers = more.pop("answers", None) or LiveAnswers(exercise, {}, seed)
    return judge(exercise, lambda: Here(names), answers, **more)


def from_source(name, source):
    """The function as a student's cell defines it: tracebacks find its lines."""
    names = {"np": np}
    performer = Performer({}, names)
    assert performer.handle({"op": "run", "cells": [[4, source]]}) == {"cells": [[4, None]]}
    return names


# ------------------------------------------------------------------------------------------------------------ right
@pytest.mark.parametrize("exercise", [MEANS, EMA, TALLY, SHUFFLED, RAMP], ids=lambda e: e.name)
def test_the_reference_earns_every_point(exercise):
    verdict = verdict_on(exercise, exercise.plain)
    assert verdict.passed
    assert verdict.points == verdict.max_points == exercise.points
    assert verdict.diagnosis is None


@pytest.mark.parametrize("exercise", [MEANS, SHUFFLED], ids=lambda e: e.name)
@pytest.mark.parametrize(
    "value", [np.ones((300, 1_000)), [1.0] * 2_000, dict.fromkeys(range(2000), 1)], ids=lambda v: type(v).__name__
)
def test_nothing_is_computed_with_an_answer_that_is_many_times_larger(monkeypatch, exercise, value):
    """Neither compared nor diagnosed: of arrays of 60 MB each a class made gigabytes."""
    for function in ("judge.diagnose", "compare.compare", "compare.judge_property"):
        monkeypatch.setattr(f"gradschool_grader.{function}", None)
    verdict = verdict_on(exercise, lambda *args, **more: value)
    assert (verdict.points, verdict.diagnosis.kind) == (0, "larger")
    assert verdict.diagnosis.text == "The answer is many times larger than what is asked for."


def test_lists_for_tuples_and_numpy_scalars_for_floats_are_the_same_answer():
    def as_list(params, state, g, b=0.9):
        return list(ema(params, state, g, b))

    class Wide(Tally):
        def mean(self):
            return np.float64(super().mean())

    assert verdict_on(EMA, as_list).passed
    assert verdict_on(TALLY, Wide).passed


def test_renamed_leading_parameters_are_no_mistake():
    assert verdict_on(MEANS, lambda A, w=None: row_means(A, w)).passed
    assert verdict_on(EMA, lambda p, s, grad, b=0.9: ema(p, s, grad, b)).passed


# ------------------------------------------------------------------------------------------------------------ wrong
@pytest.mark.parametrize("exercise", [MEANS, EMA], ids=lambda e: e.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_misconception_is_named_as_itself(exercise, seed):
    for m in exercise.misconceptions:
        verdict = verdict_on(exercise, m.wrong, seed)
        assert not verdict.passed
        assert verdict.diagnosis is not None
        assert (verdict.diagnosis.kind, verdict.diagnosis.name) == ("misconception", m.name)


TRIVIAL = {
    "zero": lambda *args, **more: 0.0,
    "one": lambda *args, **more: 1,
    "none": lambda *args, **more: None,
    "echo": lambda *args, **more: args[0] if args else 0,
}


@pytest.mark.parametrize("exercise", [MEANS, EMA, TALLY, SHUFFLED, RAMP], ids=lambda e: e.name)
@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL)
def test_constants_and_the_echoed_input_earn_nothing(exercise, answer):
    assert verdict_on(exercise, answer).points == 0


def test_points_are_given_by_group_as_a_whole():
    def right_but_never_refuses(X, weights=None):
        w = np.ones(X.shape[-1]) if weights is None else weights
        return (X * w).sum(axis=-1) / w.sum()

    verdict = verdict_on(MEANS, right_but_never_refuses)
    assert [(g.name, g.outcome, g.points) for g in verdict.groups] == [
        ("values", "passed", 2),
        ("refusals", "wrong", 0),
    ]
    assert "refused with ValueError" in verdict.diagnosis.text


def weighted(X, weights):
    w = np.ones(X.shape[1]) if weights is None else weights
    return X * w / w.sum()


DIAGNOSES = {
    "sign": ("structure", "sign", lambda X, weights=None: -row_means(X, weights)),
    "factor of two": ("structure", "factor", lambda X, weights=None: 2 * row_means(X, weights)),
    "factor that is a size": ("structure", "factor", lambda X, weights=None: row_means(X, weights) / len(X)),
    "off by a term": ("structure", "offset", lambda X, weights=None: row_means(X, weights) + 3),
    "reversed": ("structure", "reversed", lambda X, weights=None: row_means(X, weights)[::-1]),
    "float32": ("structure", "float32", lambda X, weights=None: row_means(X, weights).astype("f4").astype(float)),
    "not reduced": ("structure", "axis", lambda X, weights=None: weighted(X, weights)),
    "none": ("none", "none", lambda X, weights=None: None),
    "an input changed": ("mutated", "mutated", lambda X, weights=None: (row_means(X, weights), X.__imul__(2))[0]),
    "nan": ("structure", "nan", lambda X, weights=None: row_means(X, weights) * np.nan),
}


@pytest.mark.parametrize("case", DIAGNOSES, ids=lambda c: c.replace(" ", "_"))
def test_what_no_misconception_explains_is_read_from_its_structure(case):
    kind, name, wrong = DIAGNOSES[case]
    diagnosis = verdict_on(MEANS, wrong).diagnosis
    assert diagnosis is not None
    assert (diagnosis.kind, diagnosis.name) == (kind, name)


def test_a_factor_is_called_by_what_it_equals():
    diagnosis = verdict_on(MEANS, DIAGNOSES["factor that is a size"][2]).diagnosis
    assert diagnosis is not None
    assert "'batch'" in diagnosis.text


def test_a_sequence_is_told_the_first_quantity_that_differs():
    def forgets_b(params, state, g, b=0.9):
        new, s = ema(params, state, g, b)
        return new, {**s, "b": s["b"] + np.arange(4.0)}

    diagnosis = verdict_on(EMA, forgets_b).diagnosis
    assert diagnosis is not None
    assert "state['b']" in diagnosis.text
    assert verdict_on(EMA, forgets_b).groups[0].words.startswith("step 1")


def test_printing_is_told_from_returning():
    verdict = verdict_on(MEANS, lambda X, weights=None: print(row_means(X, weights)))
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.kind == "printed"


def test_a_swapped_tuple_is_told():
    verdict = verdict_on(EMA, lambda params, state, g, b=0.9: ema(params, state, g, b)[::-1])
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.kind == "swapped"


def test_shared_memory_is_told():
    def same_state(params, state, g, b=0.9):
        new = ema(params, state, g, b)
        np.copyto(state["W"], new[1]["W"])
        return new[0], {**new[1], "W": state["W"]}

    diagnosis = verdict_on(EMA, same_state).diagnosis
    assert diagnosis is not None
    assert diagnosis.kind in ("mutated", "aliased")


def test_an_answer_in_the_memory_of_the_last_one_is_told():
    buffers = {}

    def in_a_buffer(X, weights=None):
        answer = row_means(X, weights)
        buffer = buffers.setdefault(answer.shape, np.empty(answer.shape))
        buffer[...] = answer
        return buffer[::1]

    def in_a_list(params, state, g, b=0.9, memory={}):  # noqa: B006 - the very mistake
        new, other = ema(params, state, g, b)
        memory.clear()
        memory |= other
        return new, memory

    for exercise, answer in ((MEANS, in_a_buffer), (EMA, in_a_list)):
        diagnosis = verdict_on(exercise, answer).diagnosis
        assert diagnosis is not None
        assert diagnosis.kind == "reused"


def test_an_answer_that_remembers_the_last_call_is_told():
    calls = []

    def remembers(X, weights=None):
        calls.append(0)
        return row_means(X, weights) + (len(calls) > 2) * np.arange(len(X))

    assert verdict_on(MEANS, remembers).diagnosis.kind == "unstable"


def test_objects_that_share_their_state_are_told_apart():
    class Shared(Tally):
        totals: list = [0.0, 0]  # noqa: RUF012 - the very mistake

        def update(self, value, n):
            self.totals[0] += value * n
            self.totals[1] += n
            self.total, self.count = self.totals

    assert verdict_on(TALLY, Shared).outcome == "wrong"


# ------------------------------------------------------------------------------------------------ before any number
def test_the_stub_is_missing_and_not_wrong():
    names = from_source("row_means", "def row_means(X, weights=None):\n    raise NotImplementedError()")
    verdict = verdict_on(MEANS, names)
    assert verdict.outcome == "missing"
    assert verdict.diagnosis.kind == "stub"


def test_one_branch_left_out_costs_only_its_group():
    source = (
        "def row_means(X, weights=None):\n    if X.ndim == 1:\n        raise NotImplementedError()\n"
        "    w = np.ones(X.shape[1]) if weights is None else weights\n    return (X * w).sum(axis=1) / w.sum()"
    )
    assert verdict_on(MEANS, from_source("row_means", source)).points == 2


def test_an_unknown_name_suggests_the_nearest():
    verdict = verdict_on(MEANS, {"row_mean": row_means})
    assert verdict.outcome == "missing"
    assert "`row_mean`" in verdict.diagnosis.text


def test_a_name_that_became_a_number_is_told():
    assert verdict_on(MEANS, {"row_means": 3.5}).diagnosis.kind == "not_a_function"


def test_a_changed_signature_is_told():
    verdict = verdict_on(EMA, lambda params, state: (params, state))
    assert verdict.diagnosis.kind == "signature"
    assert "ema(params, state, g, b=0.9)" in verdict.diagnosis.text


def test_tracebacks_show_the_students_lines_with_shapes():
    names = from_source(
        "row_means", "def helper(A):\n    return A @ A\n\ndef row_means(X, weights=None):\n    return helper(X)"
    )
    verdict = verdict_on(MEANS, names)
    assert verdict.outcome == "raised"
    frames = verdict.groups[0].frames
    assert [(f["function"], f["line"]) for f in frames] == [("row_means", 5), ("helper", 2)]
    assert frames[-1]["source"] == "return A @ A"
    assert frames[-1]["arguments"] == {"A": "(5, 3) float64"}


def test_what_the_text_already_says_is_not_run():
    facts = Facts(undefined=Diagnosis("syntax", "syntax", "cell 3 does not parse"))
    verdict = judge(MEANS, lambda: pytest.fail("no worker is needed"), LiveAnswers(MEANS, {}, 1), facts=facts)
    assert (verdict.outcome, verdict.diagnosis.kind) == ("missing", "syntax")


# ---------------------------------------------------------------------------------------------------- broken workers
class Breaks(Here):
    """A worker that gives up at the n-th call."""

    def __init__(self, names, at, outcome):
        super().__init__(names)
        self.left, self.outcome = at, outcome

    def request(self, message, seconds):
        if message["op"] == "call":
            self.left -= 1
            if self.left < 0:
                raise Broken(self.outcome, "no answer")
        return super().request(message, seconds)


@pytest.mark.parametrize("outcome", ["timeout", "died"])
def test_a_loop_or_crash_costs_its_group_and_a_fresh_worker_serves_the_next(outcome):
    opened = []

    def open_worker():
        opened.append(0)
        return Breaks({"row_means": row_means}, 1 if len(opened) == 1 else 99, outcome)

    verdict = judge(MEANS, open_worker, LiveAnswers(MEANS, {}, 1))
    assert [g.outcome for g in verdict.groups] == [outcome, "passed"]
    assert verdict.diagnosis.kind == outcome
    assert len(opened) == 2


def test_tampering_forfeits_the_exercise():
    verdict = judge(MEANS, lambda: Breaks({"row_means": row_means}, 3, "tampered"), LiveAnswers(MEANS, {}, 1))
    assert {g.outcome for g in verdict.groups} == {"tampered"}
    assert verdict.points == 0


def test_infrastructure_is_tried_once_more_and_never_blamed_on_the_student():
    opened = []

    def open_worker():
        opened.append(0)
        return Breaks({"row_means": row_means}, 0 if len(opened) == 1 else 99, "infrastructure")

    assert judge(MEANS, open_worker, LiveAnswers(MEANS, {}, 1)).passed


def test_a_diagnosis_that_breaks_costs_no_verdict_and_tells_no_number(monkeypatch):
    """Points never wait for an explanation; that there is none is said, and where it broke."""

    def breaks(*_):
        raise ZeroDivisionError("3.14 / 0")

    monkeypatch.setattr("gradschool_grader.judge.diagnose", breaks)
    with pytest.warns(Unexplained, match="`row_means`"):
        verdict = verdict_on(MEANS, lambda X, weights=None: row_means(np.atleast_2d(X), weights))
    assert [g.outcome for g in verdict.groups] == ["passed", "wrong"]
    assert verdict.points == MEANS.groups[0].points
    assert verdict.diagnosis.kind == "unexplained"
    assert verdict.groups[1].words in verdict.diagnosis.text
    assert "ZeroDivisionError in test_judge.py, line " in verdict.diagnosis.text
    assert "3.14" not in verdict.diagnosis.text


class Killed(Here):
    """A worker that is killed at certain requests, counted over all workers of the exercise; 0 is `inspect`."""

    def __init__(self, names, moments, asked):
        super().__init__(names)
        self.moments, self.asked = moments, asked

    def request(self, message, seconds):
        self.asked.append(message["op"])
        if len(self.asked) - 1 in self.moments:
            raise WorkerDied("killed")
        return super().request(message, seconds)


def killed_at(*moments):
    """The verdict on a right answer whose worker is killed then, all requests that were made, and how many workers."""
    asked, opened = [], []

    def open_worker():
        opened.append(0)
        return Killed({"row_means": row_means}, moments, asked)

    return judge(MEANS, open_worker, LiveAnswers(MEANS, {}, 1)), asked, len(opened)


def test_a_kill_at_any_moment_changes_no_verdict():
    undisturbed, asked, _ = killed_at()
    assert undisturbed.passed
    for moment in range(len(asked)):
        verdict, _, opened = killed_at(moment)
        assert verdict.essence == undisturbed.essence
        assert opened == 2


def test_kills_in_different_steps_change_no_verdict():
    """`inspect` and each group are steps of their own; the first kill in a step is never evidence."""
    verdict, asked, opened = killed_at(0, 2, 6)
    assert asked == ["inspect", "inspect", "call", *["call"] * 3, "call", *["call"] * 4]
    assert verdict.passed
    assert opened == 4


def test_what_kills_its_worker_every_time_comes_to_an_end():
    """A step that is killed twice has died; after two such groups no more is tried."""
    verdict, asked, opened = killed_at(*range(99))
    assert verdict.outcome == "died"
    assert (asked, opened) == (["inspect"] * 2, 2)
    verdict, asked, opened = killed_at(*range(1, 99))
    assert [g.outcome for g in verdict.groups] == ["died", "died"]
    assert (asked, opened) == (["inspect", *["call"] * 4], 4)


@pytest.mark.parametrize("outcome", ["infrastructure", "timeout"])
def test_workers_that_never_open_are_tried_twice_and_no_more(outcome):
    opened = []

    def open_worker():
        opened.append(0)
        raise Broken(outcome, "no worker")

    assert judge(MEANS, open_worker, LiveAnswers(MEANS, {}, 1)).outcome == outcome
    assert len(opened) == (2 if outcome == "infrastructure" else 1)


@pytest.mark.parametrize("reply", [{}, {"error": None}, {"value": 1, "warnings": [2]}, {"error": 3}, {"defined": True}])
def test_a_reply_without_the_form_of_a_behaviour_is_tampering(reply):
    class Forger(Here):
        def request(self, message, seconds):
            return super().request(message, seconds) if message["op"] == "inspect" else reply

    verdict = judge(MEANS, lambda: Forger({"row_means": row_means}), LiveAnswers(MEANS, {}, 1))
    assert verdict.outcome == "tampered"


def test_all_calls_together_have_a_deadline():
    verdict = judge(
        MEANS, lambda: Here({"row_means": row_means}), LiveAnswers(MEANS, {}, 1), limits=Limits(exercise=-1.0)
    )
    assert verdict.outcome == "timeout"


def test_a_call_that_had_only_what_was_left_of_the_time_is_told_of_all_of_it(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("gradschool_grader.judge.time", SimpleNamespace(monotonic=lambda: now[0]))

    class Slow(Here):
        def request(self, message, seconds):
            if message["op"] != "call":
                return super().request(message, seconds)
            now[0] += seconds
            raise WorkerTimedOut(seconds)

    limits = Limits(call=5.0, exercise=7.0)
    verdict = judge(MEANS, lambda: Slow({"row_means": row_means}), LiveAnswers(MEANS, {}, 1), limits=limits)
    assert [group.words for group in verdict.groups[:2]] == [
        "No answer after 5 seconds: an endless loop?", "All calls together took longer than 7 seconds."]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- repeatable
def test_the_same_seed_gives_the_same_verdict_and_recorded_answers_agree_with_live_ones():
    for m in MEANS.misconceptions:
        live = verdict_on(MEANS, m.wrong, 11)
        recorded = RecordedAnswers(MEANS, record(LiveAnswers(MEANS, {}, 11)))
        assert (
            live.essence
            == verdict_on(MEANS, m.wrong, 11).essence
            == verdict_on(MEANS, m.wrong, answers=recorded).essence
        )


def test_a_recording_of_another_exercise_is_refused():
    with pytest.raises(ValueError, match="expected 'ema'"):
        RecordedAnswers(EMA, record(LiveAnswers(MEANS, {}, 1)))


def test_a_verdict_survives_json():
    import json

    verdict = verdict_on(MEANS, MEANS.misconceptions[0].wrong)
    again = Verdict.from_json(json.loads(json.dumps(verdict.to_json())))
    assert again.to_json() == verdict.to_json()
    assert again.essence == verdict.essence


def test_a_verdict_of_another_version_is_refused():
    data = verdict_on(MEANS, row_means).to_json() | {"version": 99}
    with pytest.raises(ValueError, match="version 99"):
        Verdict.from_json(data)


def test_helpers_reach_the_call_by_name():
    def at_two(f):
        return f(2.0)

    double = exercise(at_two, Group("v", 1, lambda rng: [Call(f=Helper("double", {"by": 3.0}))]))
    answers = LiveAnswers(double, {"double": lambda by: lambda x: by * x}, 1)
    assert answers.expected(double.groups[0])[0].behaviour.value == 6.0
    assert judge(double, lambda: Here({"at_two": at_two}), answers).passed


def test_an_answer_without_asking_what_it_was_given_is_told_so_and_not_of_a_bad_input():
    def refuse():
        class NotToBeAsked(ValueError):
            pass

        def f(x):
            raise NotToBeAsked

        return f

    def at_two(f, x):
        if x < 0:
            raise ValueError(f"expected x >= 0, got {x}")
        return f(x)

    calls = [Call(f=Helper("refuse"), x=2.0), Call(f=Helper("double", {"by": 3.0}), x=-2.0)]
    groups = [Group("asked", 1, lambda rng: calls[:1]), Group("refused", 1, lambda rng: calls[1:])]
    helpers = {"refuse": refuse, "double": lambda by: lambda x: by * x}
    never = exercise(at_two, groups)

    def verdict(answer):
        worker = Here({})
        worker.performer = Performer(helpers, {"at_two": answer})
        return judge(never, lambda: worker, LiveAnswers(never, helpers, 1))

    assert verdict(at_two).passed
    asked, refused = verdict(lambda f, x: 2.0 * x).groups
    assert asked.words == "The function returned an answer without asking `f`."
    assert refused.words == "This input should be refused with ValueError; the function returned an answer."


def test_a_part_of_a_part_is_called_by_its_whole_path():
    def split(x):
        return (x, {"m": x + 1}), x

    def off(x):
        return (x, {"m": x + (x > 0.1)}), x  # fits no reading

    call = Group("v", 1, lambda rng: [Call(x=rng.normal(size=5))])
    assert "of the answer[0][1]['m'] are wrong." in verdict_on(exercise(split, call), off).groups[0].words
    assert "item 1 of the answer" in verdict_on(exercise(split, call), lambda x: (split(x)[0], -x)).groups[0].words

    def step(p, s, g):
        return {"W": p["W"] - g}, s

    start = {"p": {"W": np.zeros(3)}, "s": 0.0}
    steps = Group("v", 1, lambda rng: [Steps(start, [{"g": rng.normal(size=3)}] * 2)])
    words = verdict_on(exercise(step, steps), lambda p, s, g: ({"W": p["W"] + g**2}, s)).groups[0].words
    assert words == "step 1: 3 of 3 entries of p['W'] are wrong."


def test_what_cannot_travel_stays_where_it_is():
    performer = Performer({}, {"f": lambda: [1, {"a": object()}, np.matrix([[1]]), np.float32(2)]})
    value = performer.handle({"op": "call", "target": "f", "args": [], "kwargs": {}})["value"]
    assert value[1]["a"] == Handle(1, "object")
    assert value[2] == Handle(2, "matrix")
    assert value[3].dtype == np.float32
    assert value[3].shape == ()


def test_a_parameter_left_out_hides_no_other_mistake():
    def no_option(X):
        return X.mean(axis=0)

    verdict = verdict_on(MEANS, lambda: 3.0)
    assert (verdict.diagnosis.kind, verdict.diagnosis.name) == ("signature", "signature")

    plain = Group("plain", 2, lambda rng: [Call(X=rng.normal(size=(5, 3)))])
    weighted = Group("weighted", 1, lambda rng: [Call(X=rng.normal(size=(5, 3)), weights=rng.uniform(1, 2, size=3))])
    two = exercise(row_means, [plain, weighted], *MEANS.misconceptions)
    verdict = verdict_on(two, no_option)
    assert verdict.diagnosis.name == "columns"
    assert "Expected `row_means(X, weights=None)`" in verdict.groups[1].words


def test_two_mistakes_in_two_parts_are_both_told():
    def both(X, weights=None):
        return X.mean(axis=0) if X.shape[1] == 3 else unweighted_divisor(X, weights)

    groups = [
        Group("plain", 1, lambda rng: [Call(X=rng.normal(size=(5, 3)))]),
        Group("weighted", 1, lambda rng: [Call(X=rng.normal(size=(3, 4)), weights=rng.uniform(1, 2, size=4))]),
    ]
    diagnosis = verdict_on(exercise(row_means, groups, *MEANS.misconceptions), both).diagnosis
    assert (diagnosis.name, diagnosis.also) == ("columns", ("unweighted_divisor",))


def test_a_mistake_that_explains_one_part_only_says_which():
    def half(X, weights=None):
        return X.mean(axis=0) if X.shape[1] == 3 else row_means(X, weights) ** 3

    groups = [
        Group("plain", 1, lambda rng: [Call(X=rng.normal(size=(5, 3)))]),
        Group("weighted", 1, lambda rng: [Call(X=rng.normal(size=(3, 4)), weights=rng.uniform(1, 2, size=4))]),
    ]
    diagnosis = verdict_on(exercise(row_means, groups, *MEANS.misconceptions), half).diagnosis
    assert diagnosis.name == "columns"
    assert diagnosis.text.startswith("In the part `plain`")


def test_the_signature_is_said_without_annotations():
    def scaled(x: np.ndarray, *, by: float = 2.0) -> np.ndarray:
        return by * x

    one = exercise(scaled, Group("values", 1, lambda rng: [Call(x=rng.normal(size=3))]))
    assert "Expected `scaled(x, *, by=2.0)`" in verdict_on(one, lambda: 1.0).diagnosis.text


def test_a_value_that_cannot_travel_is_no_refusal():
    """`serve` answers for such a value with an error of its own kind, which no probe expects."""

    class Unsendable(Here):
        def request(self, message, seconds):
            reply = super().request(message, seconds)
            if reply.get("error") == "ValueError":
                return {**reply, "error": "Unsendable", "kinds": ["Unsendable"]}
            return reply

    verdict = judge(MEANS, lambda: Unsendable({"row_means": row_means}), LiveAnswers(MEANS, {}, 1))
    assert [group.outcome for group in verdict.groups] == ["passed", "raised"]


def test_one_blas_thread_judges_and_the_others_are_there_again_afterwards():
    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    seen = []

    def watched(X, weights=None):
        seen.append(threads())
        return row_means(X, weights)

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert verdict_on(MEANS, watched).passed
        assert threads() == before
    assert seen
    assert set.union(*seen) <= {1}
