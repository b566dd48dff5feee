"""A chapter is one text file, `chapter.md`; the notebooks that teachers and students see are generated from it.

    notebook = build_source(chapter, course)      # with solutions and nbgrader's metadata
    student_version(notebook)                     # what nbgrader's generate_assignment releases, without nbgrader
    as_text(notebook)                             # the file; the same chapter gives the same bytes

The file is a MyST notebook. Its header (YAML between ---) has `title`, `number`, `minutes` and the lists `goals` and
`needs`; a title, the goals and a word on grading are generated from it. Code stands in fences

    ```{code-cell}
    :tags: [experiment]
    ...
    ```

and `+++` on a line of its own begins a new Markdown cell. Cells tagged `experiment` are for reading and running, and
are not run when submissions are graded. Two directives stand on lines of their own, between colons, because backticks
would end a cell that is nested in them:

    :::{exercise} huber                    the task, a cell to write in and a check, all from exercises.py;
    :::                                    what stands between the two lines is shown below the task

    :::{predict} bias_correction           a question, and a cell `predict("bias_correction", ...)` for the answer
    How long is the first step?
    :::
"""

from __future__ import annotations

import ast
import copy
import hashlib
import inspect
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .course import Chapter, Course, Unknown
from .exercise import Exercise
from .source import clear, exercise_hash, solution_cell
from .standalone import bound_names

__all__ = ["ChapterError", "as_text", "build_source", "read_chapter", "student_version"]

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
OPENING = re.compile(r"(:{3,})\s*\{(\w+)\}\s*(\S*)\s*$")
GRADING = (
    "Every exercise ends in a check. Grading makes the same checks on other random inputs, so what passes here "
    "passes there."
)


class ChapterError(ValueError):
    """A chapter.md that cannot be built; the message says where and what to write instead."""


def build_source(chapter: Chapter, course: Course) -> NotebookNode:
    """The source notebook: all text, the solutions, and the metadata that nbgrader grades by."""
    header, cells = read_chapter(chapter)
    built = [title_cell(chapter, header)]
    for cell in cells:
        built += expand(cell, chapter) if cell.cell_type == "markdown" else [cell]
    placed = [cell.metadata.nbgrader.grade_id for cell in built if cell.metadata.get("nbgrader", {}).get("grade")]
    check_placed(chapter, placed)
    check_helpers(chapter, built)
    notebook = new_notebook(cells=with_ids(built), metadata=notebook_metadata(chapter, course))
    notebook.nbformat_minor = 5
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """The notebook file as text, the same for the same notebook on every machine."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def student_version(notebook: NotebookNode) -> NotebookNode:
    """The notebook with stubs in place of solutions, locked where nbgrader locks it."""
    released = copy.deepcopy(notebook)
    for cell in released.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        flags = cell.metadata.get("nbgrader", {})
        if flags.get("solution"):
            cell.source = clear(cell.source)
        if flags:
            cell.metadata["deletable"] = False
            if not flags.get("solution"):
                cell.metadata["editable"] = False
    return released


def notebook_metadata(chapter: Chapter, course: Course) -> dict[str, Any]:
    built_from = {
        "course": course.name,
        "chapter": chapter.id,
        "version": course.version,
        "exercises": {exercise.name: exercise_hash(exercise) for exercise in chapter.exercises},
    }
    return {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}, "gradschool": built_from}


# ------------------------------------------------------------------------------------------------- reading the text
def read_chapter(chapter: Chapter) -> tuple[dict[str, Any], list[NotebookNode]]:
    """Header and cells of chapter.md."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jupytext's imports warn about their own dependencies
        import jupytext

    if not chapter.text.is_file():
        raise ChapterError(f"Chapter {chapter.id} has no text: expected {chapter.text}")
    notebook = jupytext.reads(chapter.text.read_text(encoding="utf-8"), fmt="md:myst")
    header = {key: value for key, value in notebook.metadata.items() if key not in ("jupytext", "kernelspec")}
    return header, [clean(cell) for cell in notebook.cells if cell.source.strip()]


def clean(cell: NotebookNode) -> NotebookNode:
    tags = {"tags": list(cell.metadata["tags"])} if cell.metadata.get("tags") else {}
    new = new_code_cell if cell.cell_type == "code" else new_markdown_cell
    return new(source=cell.source.strip("\n"), metadata=tags)


def expand(cell: NotebookNode, chapter: Chapter) -> Iterator[NotebookNode]:
    """A Markdown cell as text, exercises and predictions, in their order."""
    text: list[str] = []
    lines = iter(cell.source.split("\n"))
    fence = ""
    for line in lines:
        fence = next_fence(fence, line)
        opening = None if fence else OPENING.match(line)
        if opening is None:
            text.append(line)
            continue
        yield from markdown(text)
        text = []
        colons, kind, name = opening.groups()
        body = block(lines, colons, f"{chapter.id}: the block {line.strip()}")
        yield from directive(chapter, kind, name, body)
    yield from markdown(text)


def next_fence(fence: str, line: str) -> str:
    """The code fence that is open after this line: inside one, nothing is a directive."""
    mark = re.match(r"\s*(`{3,}|~{3,})", line)
    if not mark:
        return fence
    if not fence:
        return mark[1]
    return "" if mark[1].startswith(fence) else fence


def block(lines: Iterator[str], colons: str, where: str) -> str:
    body = []
    for line in lines:
        if line.strip() == colons:
            return "\n".join(body).strip("\n")
        body.append(line)
    raise ChapterError(f"{where} is not closed in its cell; end it with {colons} on a line of its own")


def directive(chapter: Chapter, kind: str, name: str, body: str) -> list[NotebookNode]:
    if kind == "exercise":
        try:
            others = [exercise.name for exercise in chapter.exercises if exercise.name != name]
            return exercise_cells(chapter.exercise(name), body, others)
        except Unknown as error:
            raise ChapterError(f"{chapter.id}/chapter.md: {error}") from error
    if kind == "predict":
        if not re.fullmatch(r"[A-Za-z]\w*", name):
            raise ChapterError(
                f"{chapter.id}: a prediction is named by one word of letters, digits and _, not {name!r}"
            )
        return predict_cells(name, body)
    raise ChapterError(f"{chapter.id}: there is no block {{{kind}}}; use {{exercise}} or {{predict}}")


def markdown(lines: list[str]) -> list[NotebookNode]:
    text = "\n".join(lines).strip("\n")
    return [new_markdown_cell(source=text)] if text.strip() else []


def check_placed(chapter: Chapter, placed: list[str]) -> None:
    for exercise in chapter.exercises:
        times = placed.count(exercise.name)
        if times != 1:
            line = f":::{{exercise}} {exercise.name}"
            raise ChapterError(f"{chapter.id}/chapter.md has {times} blocks `{line}`; expected exactly one")


def check_helpers(chapter: Chapter, cells: list[NotebookNode]) -> None:
    """All solutions run in one notebook, so a helper's name must mean one thing in all of them."""
    seen: dict[str, tuple[str, str]] = {}
    for cell in cells:
        if not cell.metadata.get("nbgrader", {}).get("solution"):
            continue
        for node in ast.parse(cell.source).body:
            text = ast.get_source_segment(cell.source, node) or ""
            for name in bound_names([node]):
                where, before = seen.setdefault(name, (cell.id, text))
                if before != text:
                    both = f"one thing in {where} and another in {cell.id}"
                    raise ChapterError(f"{chapter.id}: `{name}` is {both}; rename one of them")


# ------------------------------------------------------------------------------------------------------- the cells
def title_cell(chapter: Chapter, header: Mapping[str, Any]) -> NotebookNode:
    parts = [f"# {chapter.number} · {header.get('title', chapter.title)}"]
    if header.get("minutes"):
        parts.append(f"*About {header['minutes']} minutes, {chapter.points:g} points.*")
    if header.get("goals"):
        parts.append("After this chapter you can\n\n" + "\n".join(f"- {goal}" for goal in header["goals"]))
    if header.get("needs"):
        needs = header["needs"]
        parts.append(f"You need: {needs if isinstance(needs, str) else '; '.join(map(str, needs))}.")
    if chapter.exercises:
        parts.append(GRADING)
    return with_id(new_markdown_cell(source="\n\n".join(parts)), "title")


def exercise_cells(exercise: Exercise, remarks: str, others: list[str]) -> list[NotebookNode]:
    """Task, cell to write in, check. `others` are the names that the chapter's other exercises define."""
    name = exercise.name
    text = solution_cell(exercise, avoid=others)
    answer = new_code_cell(source=text, metadata={"nbgrader": flags(f"{name}_answer", solution=True)})
    points = int(exercise.points) if exercise.points == int(exercise.points) else exercise.points
    check = new_code_cell(source=f'check("{name}")', metadata={"nbgrader": flags(name, grade=True, points=points)})
    task = new_markdown_cell(source=task_text(exercise, remarks), metadata={"tags": ["task"]})
    return [with_id(task, f"{name}_task"), with_id(answer, f"{name}_answer"), with_id(check, name)]


def flags(grade_id: str, *, solution: bool = False, grade: bool = False, **more: Any) -> dict[str, Any]:
    """nbgrader's metadata of a cell, in version 3 of its schema."""
    return {"grade": grade, "grade_id": grade_id, "locked": not solution, "schema_version": 3, "solution": solution,
            "task": False, **more}  # fmt: skip


def task_text(exercise: Exercise, remarks: str) -> str:
    points = f"{exercise.points:g} point" + ("" if exercise.points == 1 else "s")
    dots = "●" * exercise.difficulty + "○" * (5 - exercise.difficulty)
    facts = f"*{points} · {exercise.minutes} minutes · difficulty {dots}*"
    name = f"`{exercise.name}`"
    parts = [f"### Exercise: {exercise.title} ({name})" if exercise.title else f"### Exercise: {name}", facts]
    parts.append(inspect.cleandoc(exercise.task))
    if exercise.example:
        parts.append(f"```python\n{inspect.cleandoc(exercise.example)}\n```")
    return "\n\n".join([*parts, *([remarks] if remarks else [])])


def predict_cells(slug: str, question: str) -> list[NotebookNode]:
    text = new_markdown_cell(source=f"**Predict.** {question}", metadata={"tags": ["predict"]})
    cell = new_code_cell(source=f'predict("{slug}", ...)', metadata={"tags": ["predict"]})
    return [with_id(text, f"{slug}_question"), with_id(cell, f"{slug}_prediction")]


# -------------------------------------------------------------------------------------------------------- cell ids
def with_id(cell: NotebookNode, name: str) -> NotebookNode:
    cell["id"] = name[:64]
    cell.metadata["named"] = True  # until with_ids
    return cell


def with_ids(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Generated cells are called by their names, the others by their content, so that a diff shows what changed."""
    seen: dict[str, int] = {}
    for cell in cells:
        if not cell.metadata.pop("named", False):
            cell["id"] = "cell-" + hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        again = seen[cell.id] = seen.get(cell.id, -1) + 1
        if again:
            cell["id"] = f"{cell.id[:60]}-{again}"
    return cells
