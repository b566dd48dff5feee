"""The audit finds every way in which grading falls short and says the exact case; proven grading has none."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from processes import alive, soon
from proven_course import FLAWED as EXERCISES
from proven_course import SMOOTH, course

from gradschool_grader.audit import audit, audit_exercise
from gradschool_grader.audit.answers import audit_answers
from gradschool_grader.audit.bed import Bed
from gradschool_grader.audit.killing import audit_mutants, killers
from gradschool_grader.audit.page import write
from gradschool_grader.audit.result import Rate, Survivor
from gradschool_grader.audit.statistics import judged, of_scores
from gradschool_grader.audit.trivial import same_signature, trivial_answers
from gradschool_grader.exercise import Hint, Refusal
from gradschool_grader.mutation.mutants import Mutant, mutants
from gradschool_grader.sigma import SIX, SixSigma, beyond
from gradschool_grader.source import solution

PROVEN, FLAWED = "proven_course:course", "proven_course:flawed"


@pytest.fixture(scope="module")
def proven():
    return audit(PROVEN, seeds=range(1, 4))


@pytest.fixture(scope="module")
def distance():
    return audit_exercise(FLAWED, "distance", seeds=range(1, 9))


def cases(result, *parts):
    """The cases that say all of this."""
    return [case for case in map(str, result.cases) if all(part in case for part in parts)]


# ------------------------------------------------------------------------------------------------------------- proven
def test_proven_grading_has_no_case(proven):
    assert proven.cases == []
    assert proven.at_goal


def test_the_numbers_count_what_was_tried(proven):
    numbers = proven.to_json()
    assert numbers["exercises"] == 3
    assert numbers["misconceptions"] == numbers["rejected"] == numbers["named"] == 4
    assert numbers["variants"] == numbers["accepted"] == 2
    assert numbers["trivial"] == numbers["trivial_rejected"] == 30
    assert numbers["mutants"] == numbers["killed"] + 1 > 30
    assert numbers["vacuous"] == numbers["cases"] == []
    (survivor,) = numbers["survivors"]
    assert survivor["exercise"] == "smooth"
    assert survivor["mutation"].endswith("`np.zeros_like(x)` → `np.ones_like(x)`")
    assert survivor["why_equivalent"] == "every entry of `y` is written over"
    assert json.loads(json.dumps(numbers)) == numbers


def test_checks_that_no_probe_meets_are_shown(proven):
    assert proven.exercises[0].unmet == ("if b < 0:",)


def test_statistical_groups_have_a_measured_rate(proven):
    (rate,) = proven.exercises[2].rates
    assert (rate.group, rate.refused) == ("signs", 0)
    assert rate.answers == rate.scores == 100  # draws, half of them by the reference and half by the variant
    assert rate.expected is not None
    assert rate.expected < 1e-6


def test_several_processes_find_the_same(proven):
    side_by_side = audit(PROVEN, seeds=range(1, 4), jobs=2)
    assert side_by_side.to_json() == proven.to_json()


def test_progress_is_told_part_by_part():
    told = []
    audit(PROVEN, ["Tally"], seeds=[5], tell=lambda *step: told.append(step))
    assert told == [("Tally", 1, 2), ("Tally", 2, 2)]


# ------------------------------------------------------------------------------------------------------------- flawed
def test_a_misconception_that_passes_is_a_case(distance):
    (case,) = cases(distance, "misconception signed passes at 8 of 8 seeds")
    assert case.startswith("distance: ")
    assert case.endswith("(seed 1)")


def test_two_misconceptions_that_cannot_be_told_apart_are_a_case(distance):
    assert cases(distance, "misconception added_again is not named as itself at 8 of 8 seeds, but: misconception added")
    assert not cases(distance, "misconception added is")


def test_a_mistake_that_is_seen_at_some_seeds_only_is_a_case(distance):
    (case,) = cases(distance, "misconception sometimes is seen at", "only, not at", "group near")
    assert re.search(r"seed \d+\)$", case)


def test_a_right_answer_that_is_refused_is_a_case(distance):
    assert cases(distance, "variant squared is refused at 8 of 8 seeds", "group near, seed 1")


def test_a_group_that_a_trivial_answer_passes_is_vacuous(distance):
    assert distance.vacuous == ("nothing",)
    assert cases(distance, "trivial answer: zeros passes a group at 8 of 8 seeds", "group nothing, seed 1")


def test_an_exception_that_the_task_asks_for_and_no_probe_meets_is_a_case(distance):
    assert cases(distance, "TypeError is asked for by the task, but no probe meets it")


def test_a_reason_without_its_mutation_is_a_case(distance):
    assert cases(distance, "reason for 000000000000 belongs to no mutation any more")


def test_a_surviving_mutant_without_a_reason_is_a_case(distance):
    (case,) = cases(distance, "`np.abs(a - b)` → `a - b`", "survives, and no reason is given")
    assert Survivor(case.split()[2], "distance, line 3: `np.abs(a - b)` → `a - b`", None) in distance.survivors


def test_a_reason_for_a_mutant_that_is_killed_is_a_case():
    exercise = course.exercise("Tally")
    killed = next(m for m in mutants(solution(exercise)) if "`self.total += n` → `self.total = n`" in str(m))
    result = audit_mutants(PROVEN, replace(exercise, equivalent={killed.hash: "nobody looks"}), seeds=[7, 8])
    (case,) = map(str, result.cases)
    assert f"mutant {killed.hash}" in case
    assert "is said to be equivalent (nobody looks), but is killed (group sums, seed 7)" in case


def test_a_mutant_that_loops_is_killed_by_the_time_it_computes_and_the_next_one_is_tried_in_the_same_process():
    endless = EXERCISES[1]
    found = {m.what: m for m in mutants(solution(endless))}
    with Bed(FLAWED) as bed:
        looping, wrong = found["`x = x / 2` left out"], found["`n += 1` → `n -= 1`"]
        assert killers(bed, endless, looping, [1, 2]) == {1: "timeout", 2: "timeout"}
        served_by = bed.process
        assert killers(bed, endless, wrong, [1, 2]) == {1: "counts", 2: "counts"}
        assert bed.process is served_by


def test_a_mutant_that_sleeps_is_killed_by_the_clock(monkeypatch):
    asleep = "import time\ndef distance(a, b):\n    time.sleep(1e6)\n"
    with Bed(FLAWED) as bed:
        bed.open()
        monkeypatch.setattr("gradschool_grader.audit.bed.DEADLINE", 0.5)
        assert killers(bed, EXERCISES[0], Mutant("", "", "", asleep), [3]) == {3: "timeout"}


def test_what_ends_the_process_or_defines_nothing_is_told_from_the_reference():
    crash = "import os\ndef distance(a, b):\n    os._exit(3)\n"
    with Bed(FLAWED) as bed:
        assert killers(bed, EXERCISES[0], Mutant("", "", "", crash), [3]) == {3: "died"}
        assert killers(bed, EXERCISES[0], Mutant("", "", "", "1 / 0"), [3]) == {3: "its definition fails"}


def test_the_solution_of_another_exercise_is_handed_in_too():
    result = audit_exercise(FLAWED, "gentle", seeds=[1, 2])
    assert [t.name for t in result.tried if t.kind == "other"] == ["the solution of distance"]
    assert result.count("other", fine=True) == 1


def test_a_statistical_group_that_refuses_right_answers_is_a_case():
    result = audit_exercise(FLAWED, "coin", seeds=[1, 2, 3, 4])
    assert cases(result, "statistical group refuses a right answer", "group luck")
    assert cases(result, "variant the solution is refused at")
    assert result.rates[0].refused > 20


def test_an_exercise_keyed_to_what_no_diagnosis_is_called_and_a_right_answer_that_is_flagged_are_cases(monkeypatch):
    smooth = replace(SMOOTH, hints=[Hint("Which?", when=("mutated", "uncorected"))], forbidden=["numpy.zeros_like"])
    monkeypatch.setattr("gradschool_grader.audit.answers.load_course", lambda where: course)
    result = audit_answers(PROVEN, smooth, [3])
    (case,) = cases(result, "uncorected is what a hint waits for")
    assert "no misconception or diagnosis is called so" in case
    (case,) = cases(result, "variant the solution is flagged: `smooth` names `numpy.zeros_like` (line ")
    assert "mutated" not in " ".join(map(str, result.cases))


# --------------------------------------------------------------------------------------------------------- statistics
def scored(draw, spread=1.0, n=400):
    rng = np.random.default_rng(8)
    return of_scores(Rate("g", n, 0), [{"mean": spread * draw(rng)} for _ in range(n)])


def test_scores_that_are_what_they_say_show_a_rate_that_no_number_of_draws_could():
    rate = scored(np.random.Generator.normal)
    assert 1 <= rate.spread < 1.2
    assert rate.expected is not None
    assert 1e-9 < rate.expected < 1e-6
    assert list(judged(SMOOTH, rate, [])) == []


def test_a_standard_deviation_that_is_too_small_by_half_is_a_case():
    rate = scored(np.random.Generator.normal, spread=2.0)
    assert rate.refused == 0  # none of 400 was beyond six, and yet
    (case,) = judged(SMOOTH, rate, [])
    assert "so it would refuse 0.00" in str(case)
    assert "of right answers; at most 1e-06" in str(case)


def test_scores_with_other_tails_than_normal_ones_are_a_case():
    normal = np.random.default_rng(8).normal(size=400)
    rate = of_scores(Rate("g", 401, 0), [{"mean": score} for score in [*normal, 5.8]])
    (case,) = judged(SMOOTH, rate, [])
    assert "no normal distribution" in str(case)


def test_more_statistics_refuse_more_often():
    one, two = ([dict.fromkeys(names, 0.5)] * 50 for names in ("a", "ab"))
    rates = [of_scores(Rate("g", 50, 0), scores).expected for scores in (one, two)]
    assert rates[1] == pytest.approx(2 * (rates[0] or 0))
    assert of_scores(Rate("g", 50, 0), []).expected is None


def test_six_sigma_refuses_what_lies_too_far_what_is_no_number_and_what_has_another_form():
    far = Refusal("Too far.", about="m")
    holds = SixSigma(lambda values: values[0] if isinstance(values[0], str) else {"m": values[0]}, {"m": "Too far."})
    assert [holds([v]) for v in (5.9, -5.9, 6.1, -6.1, np.nan, "form")] == [None, None, *[far] * 3, "form"]
    assert beyond(SIX) == pytest.approx(1.973e-9, rel=1e-3)  # Abramowitz and Stegun, table 26.2
    assert beyond(1.959964) == pytest.approx(0.05, rel=1e-6)


# -------------------------------------------------------------------------------------------------------------- parts
def test_the_bound_of_a_rate_is_that_of_poisson():
    assert Rate("g", 3000, 0).bound == pytest.approx(1e-3)
    assert 0.02 < Rate("g", 1000, 10).bound < 0.03
    assert Rate("g", 10, 10).bound == 1.0


def test_trivial_answers_have_the_right_shapes_and_the_wrong_numbers():
    x = np.random.default_rng(3).normal(size=5)
    trivial = trivial_answers(SMOOTH, {}, 4)
    with pytest.raises(ValueError, match="refused"):
        trivial.pop("every input refused")(x)
    answers = {name: answer(x, b=0.7) for name, answer in trivial.items()}
    right = SMOOTH.reference(x, b=0.7)
    assert answers.pop("None") is None
    for name, answer in answers.items():
        assert answer.shape == right.shape, name
        assert not np.allclose(answer, right), name
    assert np.array_equal(answers["the input echoed"], x)
    assert not np.shares_memory(answers["the input echoed"], x)


def test_the_same_signature_is_a_matter_of_how_it_is_called():
    distance, endless, gentle, coin = EXERCISES
    assert same_signature(distance, EXERCISES) == [gentle]
    assert same_signature(endless, EXERCISES) == [coin]


def test_the_page_shows_every_case_and_holds_no_markup_from_outside(tmp_path, proven):
    text = write(proven, tmp_path / "new" / "audit.html", title="<b>Proven</b>").read_text(encoding="utf-8")
    assert "At its goal" in text
    assert "&lt;b&gt;Proven&lt;/b&gt;" in text
    assert "<b>Proven" not in text
    assert "if b &lt; 0:" in text
    short = audit(FLAWED, ["distance"], seeds=[1])
    text = write(short, tmp_path / "audit.html").read_text(encoding="utf-8")
    assert f"Short of its goal: {len(short.cases)} cases" in text
    assert "no reason is given" in text
    assert not re.search(r'(src|href)="', text)


FOUND_BY_EACH = """
import os
from pathlib import Path

from proven_course import course

(Path(__file__).parent / f"{os.getpid()}.pid").touch()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["terminated", "killed"])
def test_an_audit_that_is_ended_leaves_no_process_behind(tmp_path, number):
    (tmp_path / "found_by_each.py").write_text(FOUND_BY_EACH)
    code = "from gradschool_grader.audit import audit; audit('found_by_each:course', seeds=range(100_000), jobs=2)"
    guarded = f"if __name__ == '__main__':\n    {code}"
    (tmp_path / "start.py").write_text(guarded)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent)])
    started = subprocess.Popen([sys.executable, str(tmp_path / "start.py")], env={**os.environ, "PYTHONPATH": path})
    soon(lambda: len(list(tmp_path.glob("*.pid"))) >= 4, 120)  # this one, two of the pool, and a bed at least
    started.send_signal(number)
    started.wait(60)
    for file in tmp_path.glob("*.pid"):
        soon(lambda pid=int(file.stem): not alive(pid), 120)
