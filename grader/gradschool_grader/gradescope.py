"""The same judge on Gradescope: a zip to upload as the autograder of a programming assignment, and what runs in it.

    write_package(course, "tiny_course:course", chapter, seed, "autograder.zip", directory="mycourse")
    python -m gradschool_grader.gradescope autograder.json submission results.json      # what run_autograder does

Form of the zip and of results.json: https://gradescope-autograders.readthedocs.io/en/latest/specs/

Submitted code is held by the sandbox inside Gradescope's container. Where that cannot be, or the judge fails, no result
is written: Gradescope then says that the autograder failed, and nobody gets a zero for it.
"""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, entry_points, requires
from pathlib import Path
from typing import Any

from .course import GROUP, Chapter, Course, at_path, load_course
from .course_toml import FILE, read_settings, rescaled
from .grading import Task, judge_task
from .journal import Judged
from .show import HEADLINE
from .verdict import Verdict
from .versions import Built, Versions

__all__ = ["results", "run", "write_package"]

FEEDBACK = ("full", "outcome", "none")  # the diagnosis and its question; the outcome alone; nothing before publishing
SETUP = """#!/usr/bin/env bash
# Python 3.11 or newer is needed: choose Ubuntu 24.04 or later as the base image.
set -e
apt-get update
apt-get install -y python3 python3-venv bubblewrap
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install -r /autograder/source/requirements.txt
"""
RUN = """#!/usr/bin/env bash
set -e
PLACE="${AUTOGRADER:-/autograder}"
PYTHON="${AUTOGRADER_PYTHON:-$PLACE/venv/bin/python}"
export PYTHONPATH="$PLACE/source/lib"
exec "$PYTHON" -m gradschool_grader.gradescope \\
    "$PLACE/source/autograder.json" "$PLACE/submission" "$PLACE/results/results.json"
"""


# ------------------------------------------------------------------------------------------------------- the package
def write_package(
    course: Course,
    where: str,
    chapter: Chapter,
    seed: int,
    file: Path | str,
    *,
    directory: Path | str | None = None,
    feedback: str = "full",
    unsafe_no_sandbox: bool = False,
) -> Path:
    """Write the zip: programs in its root, the judge and the course in `lib/`, and what to judge with which seed.

    With the course directory the points are those of its course.toml, and each submission is graded by the version of
    the exercises that it was built with, as there.
    """
    if feedback not in FEEDBACK:
        raise ValueError(f"feedback is one of {', '.join(FEEDBACK)}; got {feedback!r}")
    told = {"course": resolved(where), "chapter": chapter.id, "seed": seed, "feedback": feedback,
            "unsafe_no_sandbox": unsafe_no_sandbox, "version": course.version}  # fmt: skip
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in (("setup.sh", SETUP), ("run_autograder", RUN)):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            made.writestr(entry, text)
        made.writestr("autograder.json", json.dumps(told, indent=1) + "\n")
        made.writestr("requirements.txt", "".join(f"{line}\n" for line in requirements()))
        for source, name in files_of(packages(course, resolved(where))):
            made.write(source, f"lib/{name}")
        for source, name in directory_files(Path(directory), chapter) if directory else ():
            made.write(source, f"course/{name}")
    return path


def directory_files(root: Path, chapter: Chapter) -> Iterator[tuple[Path, Path]]:
    """What grading reads in the course directory, with its path there: settings, the assignment, kept exercises."""
    exercises = Versions(root).folder
    kept = [path for exercise in chapter.exercises for path in sorted((exercises / exercise.name).glob("*.json"))]
    released = (root / "source" / chapter.id / f"{chapter.id}.ipynb", Versions(root).place_of_releases(chapter.id))
    for path in (root / FILE, *released, *kept):
        if path.is_file():
            yield path, path.relative_to(root)


def resolved(where: str) -> str:
    """module:attribute, also of a course that is found by name or path: there it will not be installed."""
    path, attribute = at_path(where)
    if path is not None:
        return f"{path.stem}:{attribute}"
    return next((point.value for point in entry_points(group=GROUP) if point.name == where), where)


def packages(course: Course, where: str) -> list[str]:
    """Top-level packages that judging needs: the judge, the course, and the references."""
    modules = {__name__, where.partition(":")[0], *(exercise.plain.__module__ for exercise in course.exercises)}
    family = {name for name in sys.modules if name.startswith("gradschool")}
    return sorted({name.partition(".")[0] for name in modules | family})


def files_of(names: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """Every file of the packages, with its path below `lib/`."""
    for name in names:
        file = import_module(name).__file__
        if file is None:
            continue
        if Path(file).name != "__init__.py":
            yield Path(file), Path(Path(file).name)
            continue
        root = Path(file).parent
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, Path(name, path.relative_to(root))


def requirements() -> list[str]:
    """What a student's installation needs, too."""
    try:
        needed = requires("gradschool") or []
    except PackageNotFoundError:
        needed = []
    return sorted({"numpy", *(line for line in needed if "extra ==" not in line)})


# ------------------------------------------------------------------------------------------------------- on the spot
def run(told: Path, submission: Path, to: Path) -> None:
    """Judge what lies in `submission` and write results.json. Raises what keeps the judge from deciding."""
    started = time.monotonic()
    order = json.loads(told.read_text(encoding="utf-8"))
    file = handed_in(submission, order["chapter"])
    data = file.read_bytes() if file else b""
    name = file.name if file else f"{order['chapter']}.ipynb"
    root = told.parent / "course"
    judged = judge_task(Task("submission", order["chapter"], name, data, order["course"], order["seed"],
                             order["unsafe_no_sandbox"], built=built(root, order, data, name)))  # fmt: skip
    judged = rescaled(judged, read_settings(root))
    if file is None:
        there = ", ".join(path.name for path in files_in(submission)) or "nothing"
        judged = replace(judged, problems=[f"Expected {name}, or one notebook, or one script; found {there}."])
    if not judged.complete:
        raise RuntimeError("; ".join(words(v) for v in judged.verdicts if v.outcome == "infrastructure"))
    found = results(judged, order["feedback"], time.monotonic() - started)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def built(root: Path, order: Mapping[str, Any], data: bytes, name: str) -> Built:
    """By which versions of the exercises it is graded: those that are here where no course directory was packed."""
    if not root.is_dir():
        return Built()
    course, versions = load_course(order["course"]), Versions(root)
    return versions.of(course, versions.released(course, course.chapter(order["chapter"])), data, name)


def handed_in(folder: Path, chapter: str) -> Path | None:
    """The chapter's notebook, or the only notebook, or the only script; no link is followed."""
    files = files_in(folder)
    named = [path for path in files if path.name == f"{chapter}.ipynb"]
    kinds = (named, *([p for p in files if p.suffix == kind] for kind in (".ipynb", ".py")))
    return next((found[0] for found in kinds if len(found) == 1), None)


def files_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def results(judged: Judged, feedback: str, seconds: float) -> dict[str, Any]:
    """What Gradescope reads: a test for each exercise, with its points and the words of the diagnosis."""
    tests = [test(verdict, number, feedback) for number, verdict in enumerate(judged.verdicts, start=1)]
    return {
        "score": judged.points,
        "execution_time": round(seconds),
        "output": "\n".join(judged.problems),
        "output_format": "text",
        "visibility": "after_published" if feedback == "none" else "visible",
        "stdout_visibility": "hidden",
        "extra_data": {
            "submission": judged.digest,
            "mode": judged.mode,
            "exercises": {v.exercise: v.exercise_hash for v in judged.verdicts},
        },
        "tests": tests,
    }


def test(verdict: Verdict, number: int, feedback: str) -> dict[str, Any]:
    return {
        "score": verdict.points,
        "max_score": verdict.max_points,
        "status": "passed" if verdict.passed else "failed",
        "name": verdict.exercise,
        "name_format": "text",
        "number": str(number),
        "output": words(verdict) if feedback == "full" else HEADLINE[verdict.outcome],
        "output_format": "text",
        "tags": [verdict.outcome],
        "extra_data": {"flags": list(verdict.flags), "diagnosis": verdict.diagnosis and verdict.diagnosis.name},
    }


def words(verdict: Verdict) -> str:
    """The outcome, the diagnosis and its question: what feedback pages say, too."""
    d = verdict.diagnosis
    return "\n".join(
        part for part in (HEADLINE[verdict.outcome], *((d.text, d.hint) if d else ()), *verdict.notes) if part
    )


if __name__ == "__main__":
    run(*map(Path, sys.argv[1:4]))
