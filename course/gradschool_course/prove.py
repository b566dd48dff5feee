"""The verb `audit`: shows that a course's grading rejects what is wrong, accepts what is right, and names mistakes.

gradschool audit adam --seeds 50            # one exercise
gradschool audit optimizers --page audit.html
gradschool audit --course my_package:course
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .say import Refused, console, course_at, courses, plain, plainly, say, where, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from gradschool_grader.audit import Report
    from gradschool_grader.course import Course

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the result there, for a program.")]


def audit(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="EXERCISE|CHAPTER", help="Only these; else the whole course.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Draw the inputs of so many seeds.")] = 20,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="So many processes; one a core else.")] = None,
    course: Annotated[
        str, typer.Option(metavar="NAME", help="An installed course, a package.module:attribute, or a folder or file.")
    ] = "",
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the page with all details there.")] = None,
    json: Json = None,
) -> None:
    """Prove the grading of a course.

    Every known mistake, every right variant, answers without thought and every small change of each reference are
    handed in at many seeds. The exit code is 0 if all wrong ones are rejected and named, and all right ones accepted.
    """
    from gradschool_grader.audit import audit as audited
    from gradschool_grader.audit.page import write

    with plainly("An audit keeps nothing; name single exercises to have it shorter."):
        place, found, wanted = asked_for(names or [], course)
        with Proving(len(wanted)) as bar:
            report = audited(place, wanted, seeds=range(1, seeds + 1), jobs=jobs or os.cpu_count() or 1, tell=bar.tell)
        say(kill_table(report, found))
        conclude(report)
        if page is not None:
            say(f"The page: {plain(write(report, page, f'Audit of {found.title}').resolve())}", soft_wrap=True)
        write_json(json, report.to_json())
        raise typer.Exit(0 if report.at_goal else 1)


def asked_for(names: Sequence[str], course: str) -> tuple[str, Course, list[str]]:
    """Where the course is, the course, and the names of its exercises that are meant."""
    known = [(course, course_at(course))] if course else [(where(c), c) for c in courses()]
    place, found = next(((p, c) for p, c in known if all(exercises(c, name) for name in names)), known[0])
    wanted = [exercise for name in names for exercise in exercises(found, name) or [found.exercise(name).name]]
    wanted = list(dict.fromkeys(wanted)) or [exercise.name for exercise in found.exercises]
    if not wanted:
        raise Refused(f"The course {found.name} has no exercises yet.")
    return place, found, wanted


def exercises(course: Course, name: str) -> list[str]:
    """The exercises of a chapter, or the one of this name."""
    chapters = [chapter for chapter in course.chapters if chapter.is_called(name)]
    if chapters:
        return [exercise.name for exercise in chapters[0].exercises]
    return [exercise.name for exercise in course.exercises if exercise.name == name]


# ------------------------------------------------------------------------------------------------------------ telling
class Proving:
    """A bar over the exercises, each of which counts twice: its answers and its mutants."""

    def __init__(self, exercises: int):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("   proving"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("[dim]{task.fields[last]}[/]"))  # fmt: skip
        self.progress = Progress(*columns, console=console(), transient=True)
        self.bar = self.progress.add_task("", total=2 * exercises, last="")

    def tell(self, name: str, done: int, total: int) -> None:
        self.progress.update(self.bar, completed=done, total=total, last=plain(name))

    def __enter__(self) -> Proving:
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()


def kill_table(report: Report, course: Course) -> Table:
    """Exercises in rows, chapter by chapter; the last line is all of them."""
    from rich import box
    from rich.table import Table

    from gradschool_grader.audit.page import COLUMNS, cells

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("", footer="all")
    for column, cell in zip(COLUMNS, cells(report.exercises), strict=True):
        table.add_column(column.replace(", ", "\n"), justify="right", footer=coloured(*cell))
    titles = {chapter.id: chapter.title for chapter in course.chapters}
    for chapter in dict.fromkeys(e.chapter for e in report.exercises):
        table.add_row(f"[dim]{plain(titles.get(chapter, chapter))}[/]")
        for e in report.exercises:
            if e.chapter == chapter:
                table.add_row(f"  {plain(e.exercise)}", *(coloured(*cell) for cell in cells([e])))
    return table


def coloured(text: str, good: bool) -> str:
    return text if good else f"[bold red]{text}[/]"


def conclude(report: Report) -> None:
    for case in report.cases:
        say(f"[red]✗[/] {plain(case)}", soft_wrap=True)
    for e in report.exercises:
        for rate in e.rates:
            say(f"[dim]{plain(e.exercise)}, group {plain(rate.group)}: {rate}[/]")
    at = f"at {len(report.seeds)} seed{'' if len(report.seeds) == 1 else 's'}"
    if report.at_goal:
        say(f"[bold green]✓[/] No wrong answer passes, no right one fails, every known mistake is named, {at}.")
    else:
        say(f"[bold red]{len(report.cases)} case{'' if len(report.cases) == 1 else 's'}[/] short of the goal, {at}.")
