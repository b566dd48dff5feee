"""A submission is a notebook or script as text: what of it will run, and what can be said about it without running it.

    submission = read_submission("ada/ch01_tiny.ipynb", course)
    submission.problems        # sentences: no JSON, another assignment's notebook, a bogus kernel, cells left out
    submission.program         # [(1, "import numpy as np"), (3, "def square(x): ...")]: what grading runs, in order
    submission.facts(square)   # written where, still the stub, why it is not defined

Nothing here raises because of what is in the file. Cells are counted as a kernel counts them after "restart and run
all": code cells only, from 1. All code cells run in order, except those that only call `check` and those tagged
`experiment`; of several definitions the last one counts, as in a kernel. Lines for the shell and IPython's magics are
commented out.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .cells import Cell, Unreadable, as_dict, read_cells, read_file
from .course import Chapter, Course, Unknown
from .exercise import Exercise
from .judge import Facts
from .routes import Reading, forbidden
from .source import exercise_hash, stub
from .spelling import spelt
from .standalone import bound_names, global_names
from .verdict import Diagnosis, Source

__all__ = ["Submission", "read_submission"]

MOST_NAMES = 1_000  # that are held against the one that is not there
HIDES_NAMES = {"exec", "eval", "globals", "locals", "vars", "setattr", "__import__"}
# In the text of whatever the tree may show to hide names. A name in other letters than ASCII may be one in ASCII.
MAY_HIDE = re.compile(rf"\b(?:global|{'|'.join(sorted(HIDES_NAMES))})\b|import[\s\\]*\*|[^\x00-\x7f]")


@dataclass(frozen=True)
class Submission:
    """What was handed in. `chapter` is what it is graded as; `problems` are for the report and stop nothing."""

    file: str
    course: Course
    chapter: Chapter | None
    cells: tuple[Cell, ...] = ()
    problems: tuple[str, ...] = ()
    metadata: Mapping[str, Any] | None = None
    digest: str = ""

    @property
    def readable(self) -> bool:
        return self.metadata is not None

    @cached_property
    def running(self) -> list[Cell]:
        return [cell for cell in self.cells if not cell.skipped]

    @cached_property
    def reading(self) -> Reading:
        cells = [cell for cell in self.running if cell.tree]
        return Reading(((cell.number, cell.tree) for cell in cells if cell.tree), {c.number: c.code for c in cells})

    @property
    def program(self) -> list[tuple[int, str]]:
        """Number and code of the cells that grading runs, in order."""
        return [(cell.number, cell.code) for cell in self.running]

    # ------------------------------------------------------------------------------------------------ one exercise
    def facts(self, exercise: Exercise) -> Facts:
        """What the text says about an exercise: for the judge, before anything runs."""
        if exercise.name not in self._facts:
            self._facts[exercise.name] = self._read(exercise)
        return self._facts[exercise.name]

    @cached_property
    def _facts(self) -> dict[str, Facts]:
        return {}

    def _read(self, exercise: Exercise) -> Facts:
        cells = [cell for cell in self.running if exercise.name in cell.names]
        broken = [cell for cell in self.running if cell.syntax_error and cell.mentions(exercise.name)]
        text = "\n".join(cell.source for cell in cells)
        where = tuple(cell.number for cell in cells) or tuple(cell.number for cell in broken)
        source = Source(self.file, where, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if cells else "")
        written = [not is_stub(exercise, cell) for cell in cells]
        if cells:
            return Facts(
                source,
                stub=not written[-1] and not self._hides_names,
                notes=tuple(self._notes(exercise, cells, written)),
                flags=tuple(self.reading.routes(exercise.name, forbidden(self.course, exercise))),
            )
        undefined = None if self._hides_names else self._why_undefined(exercise, broken)
        return Facts(source, undefined=undefined)

    def _notes(self, exercise: Exercise, cells: list[Cell], written: list[bool]) -> Iterator[str]:
        if len(cells) > 1:
            numbers = ", ".join(str(cell.number) for cell in cells)
            yield f"`{exercise.name}` is defined in cells {numbers}; the last one counts, as when all cells are run."
            if any(written) and not written[-1]:
                yield f"Cell {cells[-1].number} is the untouched stub: delete it, and what you wrote above counts."
        for cell in self.running:
            if cell.syntax_error and cell.mentions(exercise.name):
                yield f"Cell {cell.number} defines it, too, but {cell.syntax_error}."

    def _why_undefined(self, exercise: Exercise, broken: list[Cell]) -> Diagnosis:
        name = exercise.name
        if not self.readable:
            return Diagnosis("unreadable", "unreadable", " ".join(self.problems))
        if broken:
            return Diagnosis("syntax_error", "syntax_error", f"Cell {broken[-1].number} {broken[-1].syntax_error}.")
        elsewhere = [cell for cell in self.cells if cell.skipped and cell.mentions(name)]
        if elsewhere:
            cell = elsewhere[-1]
            text = f"`{name}` is defined in {cell.place}, which {cell.skipped}. Put it in a code cell of its own."
            return Diagnosis("not_run", "not_run", text)
        others = {e.name for e in self.course.exercises}
        mine = {bound: cell.number for cell in self.running for bound in cell.names if bound not in others}
        near = difflib.get_close_matches(name, list(mine)[:MOST_NAMES], 1, 0.6)
        hint = (
            f"Cell {mine[near[0]]} defines `{near[0]}`: was it renamed?" if near else "No cell of the file defines it."
        )
        return Diagnosis("not_defined", "not_defined", f"`{name}` is not defined. {hint}")

    @cached_property
    def _hides_names(self) -> bool:
        """Whether some cell may define names that cannot be seen in its text."""
        for cell in self.running:
            for node in ast.walk(cell.tree) if cell.tree and MAY_HIDE.search(cell.code) else ():
                if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                    return True
                if isinstance(node, ast.Name) and node.id in HIDES_NAMES:
                    return True
                if isinstance(node, ast.Global):
                    return True
        return False

    # ------------------------------------------------------------------------------------------------ all of it
    def mentions(self, word: str) -> bool:
        """Whether the word is a name in the code that runs: nothing else that a process says is repeated. A text could
        hold a million numbers to choose from."""
        return word.isidentifier() and any(re.search(rf"\b{re.escape(word)}\b", cell.code) for cell in self.running)

    def line(self, file: str, number: int) -> str:
        """Line `number` of the code that runs as "<cell 5>", or nothing."""
        for cell in self.running:
            lines = cell.code.splitlines() if file == f"<cell {cell.number}>" else []
            if 1 <= number <= len(lines):
                return spelt(lines[number - 1].strip()[:200])
        return ""

    def whereabouts(self, name: str) -> str:
        """Where a name that was missing at run time is defined; completes "The function uses `eps`, ..."."""
        cells = [cell for cell in self.cells if cell.mentions(name)]
        for cell in reversed(cells):
            if not cell.skipped and not cell.syntax_error:
                return f"which {cell.place} defines, but it did not get that far"
        for cell in reversed(cells):
            return f"which only {cell.place} defines, and that cell {cell.skipped or cell.syntax_error}"
        return "defined nowhere in the file"

    @cached_property
    def undefined(self) -> dict[str, tuple[int, ...]]:
        """Names that cells use and no cell that is run defines, with the cells: a kernel may still know them."""
        known = (
            {name for cell in self.running for name in cell.names} | set(dir(builtins)) | {"__file__", "get_ipython"}
        )
        found: dict[str, list[int]] = {}
        if self._hides_names:
            return {}
        for cell in self.running:
            for name in _used(cell):
                if name not in known and cell.number not in found.setdefault(name, []):
                    found[name].append(cell.number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    @property
    def untouched(self) -> list[str]:
        """The exercises of the chapter that are still stubs, or not there at all."""
        exercises = self.chapter.exercises if self.chapter else ()
        return [e.name for e in exercises if (facts := self.facts(e)).stub or facts.undefined]

    @cached_property
    def outdated(self) -> list[str]:
        """Exercises that have changed since the notebook was built, by what the notebook itself says."""
        built = as_dict(as_dict(self.metadata).get("gradschool")).get("exercises")
        exercises = self.chapter.exercises if self.chapter else ()
        return [e.name for e in exercises if as_dict(built).get(e.name, exercise_hash(e)) != exercise_hash(e)]


# ---------------------------------------------------------------------------------------------------------- reading
def read_submission(
    where: Path | str | bytes, course: Course, chapter: Chapter | None = None, name: str = ""
) -> Submission:
    """The submission at a path, or in these bytes. `chapter` is the assignment that it was handed in for, if known.

    Notebooks (.ipynb) and scripts (.py, plain or in cells beginning with `# %%`). Never raises because of the content;
    a file that cannot be read has no cells, and says why in `problems`.
    """
    file = name or ("submission.ipynb" if isinstance(where, bytes) else str(where))
    try:
        data = where if isinstance(where, bytes) else read_file(Path(where))
        cells, metadata = read_cells(data, file)
    except Unreadable as error:
        return Submission(file, course, chapter, problems=(str(error),))
    meant = chapter_of(course, cells, metadata, file)
    chapter = chapter or meant
    problems = [*kernel_problems(metadata), *chapter_problems(chapter, meant, metadata, cells, file)]
    digest = hashlib.sha256(data).hexdigest()
    submission = Submission(file, course, chapter, tuple(cells), (), metadata, digest)
    problems += syntax_problems(submission.running)
    problems += unread_problems(cells)
    problems += version_problems(submission)
    return Submission(file, course, chapter, tuple(cells), tuple(problems), metadata, digest)


# --------------------------------------------------------------------------------------------------- what it is for
def chapter_of(course: Course, cells: list[Cell], metadata: Mapping[str, Any], file: str) -> Chapter | None:
    """The chapter that a file belongs to: by its own word, by its name, by what it defines."""
    claims = [as_dict(metadata.get("gradschool")).get("chapter"), Path(file).stem, Path(file).parent.name]
    for claim in claims:
        try:
            if type(claim) is str and claim:
                return course.chapter(claim)
        except Unknown:
            continue
    ids = {cell.grade_id for cell in cells} | {name for cell in cells if cell.kind == "code" for name in cell.names}
    votes = Counter({c.id: sum(e.name in ids for e in c.exercises) for c in course.chapters})
    best = votes.most_common(1)
    return course.chapter(best[0][0]) if best and best[0][1] else None


def chapter_problems(
    chapter: Chapter | None, meant: Chapter | None, metadata: Mapping[str, Any], cells: list[Cell], file: str
) -> Iterator[str]:
    if chapter is None:
        yield "It does not say which assignment it is for, and defines no exercise of this course."
        return
    if meant is not None and meant.id != chapter.id:
        yield f"This is the work for {meant.id}; expected {chapter.id}."
    if not file.endswith(".py"):
        if not any(cell.grade_id for cell in cells):
            yield "The notebook has lost its metadata; its exercises were looked up by name."
        missing = [e.name for e in chapter.exercises if not any(c.mentions(e.name) for c in cells if c.kind == "code")]
        if missing:
            yield f"The notebook lacks the cells of {', '.join(missing)}."


def syntax_problems(cells: Iterable[Cell]) -> Iterator[str]:
    """The first three in full: a notebook in another language has one in every cell."""
    wrong = [cell for cell in cells if cell.syntax_error]
    yield from (f"Cell {cell.number} {cell.syntax_error}." for cell in wrong[:3])
    if wrong[3:]:
        yield f"Syntax errors in more cells: {', '.join(str(cell.number) for cell in wrong[3:])}."


def unread_problems(cells: Iterable[Cell]) -> Iterator[str]:
    """The first cell for each reason."""
    first: dict[str, int] = {}
    for cell in cells:
        if cell.kind == "code" and cell.unread:
            first.setdefault(cell.unread, cell.number)
    yield from (f"Cell {number} {why}." for why, number in first.items())


def kernel_problems(metadata: Mapping[str, Any]) -> Iterator[str]:
    spec = as_dict(metadata.get("kernelspec"))
    language, kernel = spec.get("language", "python"), spec.get("name", "python3")
    if language != "python" or not str(kernel).startswith("python"):
        yield f"The notebook asks for the kernel {str(kernel)[:40]!r}; it was run with Python."


def version_problems(submission: Submission) -> Iterator[str]:
    if submission.outdated:
        built = as_dict(as_dict(submission.metadata).get("gradschool"))
        version, names = spelt(str(built.get("version"))[:40]), ", ".join(submission.outdated)
        yield (
            f"The notebook was built by version {version} of {submission.course.name}, and {names} changed since; "
            f"graded by version {submission.course.version}."
        )


def _used(cell: Cell) -> list[str]:
    try:
        chains = global_names(cell.tree) if cell.tree else []
    except RecursionError:
        return []
    return [getattr(chain[0], "id", "") for chain in chains]


# ------------------------------------------------------------------------------------------------------------- stubs
def is_stub(exercise: Exercise, cell: Cell) -> bool:
    """Whether the last thing that the cell binds to the name is the stub, whatever its docstring and spelling."""
    bindings = [s for s in (cell.tree.body if cell.tree else ()) if exercise.name in bound_names([s])]
    wanted = [s for s in _stub_tree(exercise).body if exercise.name in bound_names([s])]
    return bool(bindings) and _alike(bindings[-1], wanted[-1])


def _stub_tree(exercise: Exercise) -> ast.Module:
    known = vars(exercise)
    if "_stub_tree" not in known:
        known["_stub_tree"] = ast.parse(stub(exercise))
    return known["_stub_tree"]


def _alike(mine: ast.stmt, theirs: ast.stmt) -> bool:
    """Whether names and bodies are the same, whatever the docstrings and parameters."""
    if type(mine) is not type(theirs):
        return False
    if isinstance(mine, DEFINES) and isinstance(theirs, DEFINES):
        one, other = _body(mine), _body(theirs)
        return mine.name == theirs.name and len(one) == len(other) and all(map(_alike, one, other))
    try:
        return ast.dump(mine) == ast.dump(theirs)
    except RecursionError:
        return False


DEFINES = (ast.FunctionDef, ast.ClassDef)


def _body(node: ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
