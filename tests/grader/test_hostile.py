"""Property: no hostile submission earns a point, reaches anything outside, outlives its limits or harms another one."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from here import HERE
from hostile.corpus import ATTACKS
from hostile.lures import Lures
from tiny_course import course
from tiny_course.samples import CHAPTER, RIGHT, SQUARE, notebook

from gradschool_grader import contract, show
from gradschool_grader.judge import Limits, judge_submission
from gradschool_grader.observe import draw
from gradschool_grader.sandbox import LAYERS, Sandbox
from gradschool_grader.submission import read_submission
from gradschool_grader.teach.saving import comment_on

pytestmark = pytest.mark.hostile

MODES = [mode for mode in HERE.modes if mode != "C"]
EVERY = list(HERE.modes)
SEED = 11
LIMITS = Limits(call=1.0, exercise=3.0, cells=3.0)
LONGEST = 2 * (LIMITS.exercise + 4 * LIMITS.cells) + 10  # seconds of two exercises and all cells, and a busy machine
CLASSES = Counter(attack.file for attack in ATTACKS)
HOLDS = {layer.name for layer in HERE.layers if layer.holds}
ALONE = [(attack, layer) for attack in ATTACKS for layer in attack.held_by if layer in HOLDS]


INPUTS = [probe.arguments["x"] for group in SQUARE.groups for probe in draw(SQUARE, group, SEED)]
NUMBERS = [number for x in INPUTS for number in x.ravel()]  # inputs that no student may be told, nor their digits
SECRET_NUMBERS = {str(number)[:8] for number in NUMBERS}
SECRET_NUMBERS |= {f"{abs(number):.16e}".replace(".", "")[:7] for number in NUMBERS}


def world(mode, layers=LAYERS):
    public = {"helpers": course.helpers_source, "modules": course.modules, "placeholders": course.placeholders}
    return Sandbox(**public, limits=contract.Limits(memory=1 << 29), mode=mode, layers=layers)


def handed_in(attack, lures):
    made = notebook(square=attack.code, moving_average=RIGHT["moving_average"])
    made["cells"].insert(0, {"cell_type": "code", "source": lures.cell, "metadata": {}, "outputs": []})
    return read_submission(json.dumps(made).encode(), course, CHAPTER, name="ch01_tiny.ipynb")


def judged(attack, lures, workers):
    started = time.monotonic()
    square, mean = judge_submission(handed_in(attack, lures), CHAPTER, course, workers, seed=SEED, limits=LIMITS)
    return square, mean, time.monotonic() - started


def honest(workers):
    submission = read_submission(json.dumps(notebook(**RIGHT)).encode(), course, CHAPTER, name="ch01_tiny.ipynb")
    return [v.points for v in judge_submission(submission, CHAPTER, course, workers, seed=SEED, limits=LIMITS)]


def processes_of(sandbox):
    """Everything that descends from the sandbox: the zygote, and bubblewrap's own process."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = status.read_text().partition(" (")
        except OSError:  # it has just ended
            continue
        parents[int(pid)] = int(rest.rpartition(") ")[2].split()[1])
    found = {sandbox.source.process.pid}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@pytest.fixture(scope="module", params=MODES)
def run(request, tmp_path_factory):
    """All of them, three at a time, in one sandbox, with honest submissions in between."""
    with Lures(tmp_path_factory.mktemp("lures")) as lures, world(request.param) as sandbox:
        before = len(processes_of(sandbox))
        with ThreadPoolExecutor(3) as pool:
            results = {attack: pool.submit(judged, attack, lures, sandbox) for attack in ATTACKS}
            fair = [pool.submit(honest, sandbox) for _ in range(5)]  # a failure is told by the test that asks for it
        yield {
            "mode": request.param,
            "results": results,
            "honest": [future.result() for future in fair],
            "touched": lures.touched(),
            "token": lures.token,
            "left": len(processes_of(sandbox)) - before,
            "after": honest(sandbox),
        }


# ----------------------------------------------------------------------------------------------- with every layer
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_it_earns_nothing_and_its_verdict_has_the_right_class(attack, run):
    square, mean, _ = run["results"][attack].result()
    assert square.outcome in attack.square, (square.outcome, square.diagnosis)
    assert mean.outcome in attack.mean, (mean.outcome, mean.diagnosis)
    assert square.points == (square.max_points if square.passed else 0)
    assert {square.mode, mean.mode} == {run["mode"]}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_it_ends_within_its_own_limits(attack, run):
    assert run["results"][attack].result()[2] < LONGEST


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_feedback_says_nothing_that_it_smuggled_out_and_holds_no_markup_of_its_own(attack, run):
    """Neither the secret nor anything that it put into messages and names; and what is shown is escaped."""
    for verdict in run["results"][attack].result()[:2]:
        json.dumps(verdict.to_json()).encode("utf-8")
        for said in (show.html(verdict), show.text(verdict), comment_on(verdict) or ""):
            assert run["token"] not in said
            assert not [number for number in SECRET_NUMBERS if number in said]
            assert "<script" not in said
            said.encode("utf-8")


def test_nothing_was_read_written_reached_or_signalled(run):
    assert run["touched"] == []


def test_nobody_else_noticed(run):
    """Honest submissions judged in between and afterwards have all their points, and no process is left."""
    assert run["honest"] == [[3, 4]] * 5
    assert run["after"] == [3, 4]
    assert run["left"] == 0


# ------------------------------------------------------------------------------------- each layer with the others off
@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A function that gives the sandbox in which one layer alone holds."""
    kept = {}
    with Lures(tmp_path_factory.mktemp("lures")) as lures:

        def of(layer):
            if layer not in kept:
                kept[layer] = world("AB", []) if layer == "bubblewrap" else world("B", [layer])
            return lures, kept[layer]

        yield of
        for sandbox in kept.values():
            sandbox.close()


@pytest.mark.parametrize(("attack", "layer"), ALONE, ids=lambda value: str(value))
def test_one_layer_holds_it_alone(attack, layer, alone):
    lures, sandbox = alone(layer)
    square, mean, seconds = judged(attack, lures, sandbox)
    assert lures.touched(names=layer != "limits") == []
    assert (square.points, mean.points) == (0, mean.max_points)
    assert square.outcome in attack.square
    assert seconds < LONGEST


@pytest.mark.parametrize("layer", ["session"] if "session" in HOLDS else [])
def test_without_any_layer_the_lures_are_reached_or_the_tests_prove_nothing(layer, alone):
    lures, sandbox = alone(layer)
    for name in ("a Unix socket", "a server of this machine", "another name", "a shell"):
        judged(next(attack for attack in ATTACKS if attack.name == name), lures, sandbox)
        assert lures.touched(), name
    assert lures.touched() == []


# ----------------------------------------------------------------------------------------------------- in mode C
@pytest.mark.parametrize("name", sorted(CLASSES) if "C" in EVERY else [])
def test_one_of_each_class_in_a_bubblewrap_of_its_own(name, single, tmp_path):
    lures, sandbox = single
    attack = [attack for attack in ATTACKS if attack.file == name][-1]
    square, mean, _ = judged(attack, lures, sandbox)
    assert square.outcome in attack.square
    assert mean.outcome in attack.mean
    assert {square.mode, mean.mode} == {"C"}
    assert lures.touched() == []


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    with Lures(tmp_path_factory.mktemp("lures")) as lures, world("C") as sandbox:
        yield lures, sandbox


# ------------------------------------------------------------------------------------------------------- the corpus
def test_every_class_has_four_of_its_own_names():
    assert len(CLASSES) >= 30
    assert min(CLASSES.values()) >= 4, CLASSES
    assert len({(attack.file, attack.name) for attack in ATTACKS}) == len(ATTACKS)
    assert {layer for attack in ATTACKS for layer in attack.held_by} == {"limits", "landlock", "seccomp", "bubblewrap"}
