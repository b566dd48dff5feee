"""Releasing makes a course directory of nbgrader out of chapters: source, release, gradebook, and the judge in place.

    for line in release(course, ["losses", "optimizers"], "mycourse"):
        print(line)
    # mycourse/nbgrader_config.py  source/  release/  gradebook.db  .gradschool/

Doing it again changes nothing that has not changed. From then on `nbgrader autograde`, formgrader and `gradschool
grade` all work in that directory.
"""

from __future__ import annotations

import glob
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

from .chapter import as_text, build_source
from .course import Chapter, Course
from .course_toml import FILE, TEMPLATE, Settings, read_settings, weighed
from .journal import Journal, replace_text
from .kept import generated_ids, note_generated, own_cells, with_own_cells
from .source import exercise_hash
from .versions import Outdated, Versions, built_with, outdated

__all__ = ["Outdated", "check_release", "release", "released_chapters", "repointed"]

CONFIG = '''"""nbgrader's settings of this course; yours may be added below.

What stands here puts gradschool's judge in the place of nbgrader's Execute, so that submissions run in a sandbox and
every path to a grade gives the same grade."""

from pathlib import Path

from gradschool_grader.course_toml import configure

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {name!r}

# Reads what students hand in, whatever is wrong with it, and takes flags and points from the source notebook.
c.Autograde.exporter_class = "gradschool_grader.teach.exporter.MendingExporter"
c.Autograde.pre_convert_hook = "gradschool_grader.teach.folder.before_autograde"

# The judge stands where nbgrader would execute the notebook; grades and diagnoses are saved in one transaction.
c.Autograde.autograde_preprocessors = [
    "gradschool_grader.teach.judge.Judge",
    "nbgrader.preprocessors.LimitOutput",
    "gradschool_grader.teach.saving.SaveVerdicts",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Its pages list the exercises by name.
c.GenerateFeedback.exporter_class = "gradschool_grader.teach.pages.PageExporter"

# Points, dates, lateness and feedback stand in course.toml.
configure(c, Path(__file__).parent)

c.Judge.course = {where!r}
c.Judge.mode = ""  # of the sandbox: "AB", "B" or "C"; empty for the best of the machine (`gradschool doctor`)
c.Judge.unsafe_no_sandbox = False  # True runs students' code without any protection of this machine
'''


COURSE_ID = "c.CourseDirectory.course_id = {name!r}\n"
ADDED = """\
# What follows puts gradschool's judge in the place of nbgrader's Execute.
from pathlib import Path

from gradschool_grader.course_toml import configure
"""


def release(
    course: Course, chapters: Iterable[str | Chapter], directory: Path | str, *, where: str = ""
) -> Iterator[str]:
    """Build and release chapters into an nbgrader course directory; yields a line about each step as it is done.

    `where` tells other processes how to find the course: its name (the default) or "module:attribute". Raises
    RuntimeError when nbgrader refuses, for example because a cell went away for which there are submissions.
    """
    folder = Path(directory).resolve()
    if glob.escape(str(folder)) != str(folder):
        raise RuntimeError(f"nbgrader finds nothing in {folder}: it takes [, * and ? for patterns. Rename the folder.")
    wanted = [chapter if isinstance(chapter, Chapter) else course.chapter(chapter) for chapter in chapters]
    folder.mkdir(parents=True, exist_ok=True)
    settings = read_settings(folder)
    yield write_config(folder, course, where or course.name)
    for chapter in wanted:
        yield from release_chapter(folder, course, weighed(chapter, settings))
        lost = Versions(folder).keep(chapter, course)
        if lost:
            yield f"{chapter.id}: {', '.join(lost)} cannot be kept: submissions are graded by what is installed then"
        yield from set_due(folder, chapter, settings)


def write_config(folder: Path, course: Course, where: str) -> str:
    """A teacher's own settings are never overwritten; to those of a course without a judge he is added at the end."""
    toml, path = folder / FILE, folder / "nbgrader_config.py"
    if not toml.exists():
        toml.write_text(TEMPLATE, encoding="utf-8")
    theirs = path.read_text(encoding="utf-8") if path.exists() else ""
    if "c.Judge.course" in theirs:
        return f"{path}: kept"
    ours = CONFIG.format(name=course.name, where=where)
    if theirs:
        ours = f"{theirs.rstrip()}\n\n\n{ADDED}{ours.partition(COURSE_ID.format(name=course.name))[2]}"
    replace_text(path, ours)
    path.chmod(0o644)
    return f"{path}: {'the judge was added at its end' if theirs else 'written'}"


def release_chapter(folder: Path, course: Course, chapter: Chapter) -> Iterator[str]:
    from .teach.assign import generate_assignment, is_generated  # nbgrader is an extra, and slow to import

    source = folder / "source" / chapter.id / f"{chapter.id}.ipynb"
    built = build_source(chapter, course)
    text = as_text(built)
    before = source.read_text(encoding="utf-8") if source.exists() else None
    generated = generated_ids(folder, chapter.id)
    own = []
    if before is not None and generated is not None:
        theirs = nbformat.reads(before, as_version=4)
        own = own_cells(theirs, generated)
        text = as_text(with_own_cells(built, theirs, generated))
    Journal(folder).seed(chapter.id)
    if before == text and not own and is_generated(folder, chapter.id):
        note_generated(folder, chapter.id, built)
        yield f"{chapter.id}: unchanged ({exercises(chapter)})"
        return
    source.parent.mkdir(parents=True, exist_ok=True)
    replace_text(source, text)
    source.chmod(0o644)
    yield f"{chapter.id}: built {source.relative_to(folder)}"
    try:
        generate_assignment(folder, chapter.id)
    except BaseException:
        if before is not None:
            replace_text(source, before)  # source and gradebook go together
        raise
    note_generated(folder, chapter.id, built)
    if own:
        yield f"{chapter.id}: {len(own)} cell{'s' * (len(own) != 1)} of your own kept"
    yield f"{chapter.id}: released to {Path('release', chapter.id)} ({exercises(chapter)})"


def set_due(folder: Path, chapter: Chapter, settings: Settings) -> Iterator[str]:
    from .teach.dates import set_dates

    for name in set_dates(folder, settings, [chapter.id]):
        yield f"{name}: due {settings.due[name]:%Y-%m-%d %H:%M} UTC"


def exercises(chapter: Chapter) -> str:
    return f"{len(chapter.exercises)} exercise{'s' * (len(chapter.exercises) != 1)}, {chapter.points:g} points"


# --------------------------------------------------------------------------------------------------- what was released
def released_chapters(course: Course, directory: Path | str) -> list[Chapter]:
    """The chapters that the directory holds as assignments, in the order of the course."""
    folder = Path(directory)
    return [c for c in course.chapters if (folder / "source" / c.id / f"{c.id}.ipynb").is_file()]


def check_release(course: Course, chapter: Chapter, directory: Path | str) -> None:
    """Raises Outdated if the installed exercises are not those that the assignment was released with."""
    built = built_with(Path(directory) / "source" / chapter.id / f"{chapter.id}.ipynb")
    now = {exercise.name: exercise_hash(exercise) for exercise in chapter.exercises}
    changed = sorted(name for name in {*now, *built["exercises"]} if now.get(name) != built["exercises"].get(name))
    if changed:
        raise outdated(course, chapter, built["version"], changed)


def repointed(chapter: Chapter, directory: Path | str) -> list[str]:
    """Exercises that have other points here than in the assignment, to which the gradebook keeps until the next
    release. `chapter` is weighed by the course's settings."""
    source = json.loads((Path(directory) / "source" / chapter.id / f"{chapter.id}.ipynb").read_text(encoding="utf-8"))
    graded = (cell["metadata"].get("nbgrader", {}) for cell in source["cells"])
    points = {cell["grade_id"]: cell["points"] for cell in graded if cell.get("grade")}
    return [e.name for e in chapter.exercises if not math.isclose(points.get(e.name, e.points), e.points)]
