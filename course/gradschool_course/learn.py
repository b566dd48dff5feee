"""The verbs of somebody who learns: start, check, hint, solution, progress.

Each reads and writes `.gradschool/` in the folder of the notebooks, where `check` in a notebook keeps its memory, too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .say import Refused, chapters_named, courses, exercise_named, plain, plainly, say, style, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from gradschool_grader.course import Course
    from gradschool_grader.exercise import Exercise
    from gradschool_grader.ladder import Line
    from gradschool_grader.terminal import Checked
    from gradschool_grader.together import Together
    from gradschool_grader.verdict import Verdict

LAID = {
    "new": "[green]new[/]      ",
    "same": "unchanged",
    "updated": "[green]updated[/]  ",
    "kept": "[yellow]kept[/]     ",
}
WATCH_SECONDS = 0.4

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the result there, for a program.")]
OfCourse = Annotated[
    str, typer.Option("--course", metavar="NAME", help="An installed course, or one at package.module:attribute.")
]
Name = Annotated[str, typer.Argument(metavar="EXERCISE", help="The name of the function, such as `adam`.")]


# ------------------------------------------------------------------------------------------------------------- start
def start(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to fill.")] = Path("notebooks"),
    chapter: Annotated[
        list[str] | None, typer.Option("--chapter", "-c", help="Only this one; may be repeated.")
    ] = None,
    course: OfCourse = "",
    json: Json = None,
) -> None:
    """Lay out a folder with the notebooks of the course.

    A notebook that you changed is never written over, so the same command also brings newer chapters.
    """
    from gradschool_grader.start import lay_out

    with plainly("What was laid out is whole; the same command lays out the rest."):
        _, found, chapters = chapters_named(chapter or [], course)
        laid = lay_out(found, directory, chapters)
        for item in laid:
            say(f"  {LAID[item.what]}  {plain(item.file)}{remark(item)}")
        say(f"\nNow:  [bold]cd {plain(directory)} && jupyter lab[/]")
        say("Read, write the missing functions, and run the check under each.")
        files = [{"file": str(item.file), "what": item.what, "newer": item.newer} for item in laid]
        write_json(json, {"course": found.name, "files": files})


def remark(item: Any) -> str:
    if item.what != "kept":
        return ""
    if item.newer:
        return "  (you changed it; there is a newer version: move yours aside and start again to get it)"
    return "  (you changed it)"


# ------------------------------------------------------------------------------------------------------------- check
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A notebook (.ipynb) or script (.py), as it is saved.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", "-o", help="This exercise alone; may be repeated.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever the file is saved.")] = False,
    seed: Annotated[int | None, typer.Option(help="Draw the inputs of this seed, to repeat a run.")] = None,
    json: Json = None,
) -> None:
    """Check the exercises of a saved notebook.

    Each is judged in a process of its own, which may crash or never end. Only what the file says runs: what your kernel
    knows beside it is said. The exit code is 0 if everything that was written is right, else 1.
    """
    with plainly():
        if not file.is_file():
            raise Refused(f"There is no file {file}; expected a notebook or a script that was saved.")
        passed = check_once(file, only or [], seed, json)
        if not watch:
            raise typer.Exit(0 if passed else 1)
        watching(file, only or [], seed, json)


def watching(file: Path, only: list[str], seed: int | None, json: Path | None) -> None:
    """Until Ctrl-C, which is the way to end it and therefore no failure."""
    say("\n[dim]Watching; save the file to check it again, Ctrl-C to end.[/]")
    try:
        before = stamp(file)
        while True:
            time.sleep(WATCH_SECONDS)
            if stamp(file) not in (before, None):
                before = stamp(file)
                say(f"\n[bold]{plain(file.name)}[/] was saved")
                check_once(file, only, seed, json)
    except KeyboardInterrupt:
        say("\nEnded.")


def stamp(file: Path) -> int | None:
    """None while an editor replaces the file."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None


def check_once(file: Path, only: list[str], seed: int | None, json: Path | None) -> bool:
    from gradschool_grader.ladder import remember
    from gradschool_grader.terminal import check_file

    file, json = file.resolve(), json and json.resolve()

    def tell(verdict: Verdict) -> None:
        show(verdict)
        if seed is None:
            remember(verdict)

    with chdir(file.parent):  # its memory lies beside it
        checked = check_file(Path(file.name), courses(), seed=seed, only=only, tell=tell)
        sum_up(checked)
        write_json(json, as_json(checked))
    return checked.passed


def show(verdict: Verdict) -> None:
    from gradschool_grader import show as words
    from gradschool_grader.terminal import untouched

    if untouched(verdict):
        return
    first, *rest = words.text(verdict, graded=False).split("\n")
    say("\n".join([f"[{style(verdict.outcome)}]{plain(first)}[/]", *map(plain, rest)]))


def sum_up(checked: Checked) -> None:
    from gradschool_grader.show import score
    from gradschool_grader.terminal import untouched

    for problem in checked.submission.problems:
        say(f"[yellow]! {plain(problem)}[/]")
    for name, cells in checked.submission.undefined.items():
        where = ", ".join(map(str, cells))
        say(f"[yellow]! The file uses {plain(name)} (cell {where}), which no cell defines[/]: "
            "only a kernel that ran older cells knows it.")  # fmt: skip
    stubs = [verdict.exercise for verdict in checked.verdicts if untouched(verdict)]
    if stubs:
        say(f"[dim]○ not written yet: {', '.join(stubs)}[/]")
    if checked.verdicts:
        points, total = (sum(getattr(v, what) for v in checked.verdicts) for what in ("points", "max_points"))
        say(f"[bold]{score(points, total)}[/] in {plain(checked.submission.file)}")


def as_json(checked: Checked) -> dict[str, Any]:
    return {
        "file": checked.submission.file,
        "path": str(Path(checked.submission.file).resolve()),
        "assignment": checked.chapter and checked.chapter.id,
        "problems": list(checked.submission.problems),
        "undefined": {name: list(cells) for name, cells in checked.submission.undefined.items()},
        "score": sum(v.points for v in checked.verdicts),
        "max_score": sum(v.max_points for v in checked.verdicts),
        "verdicts": [verdict.to_json() for verdict in checked.verdicts],
    }


# ------------------------------------------------------------------------------------------------------ hint, solution
def hint(
    exercise: Name,
    every: Annotated[bool, typer.Option("--all", help="All that were given so far, too.")] = False,
    json: Json = None,
) -> None:
    """Give the next hint for an exercise.

    The first belongs to what your last check found. Then come the idea, where to look, a sibling worked out, and
    pseudo-code.
    """
    from gradschool_grader.ladder import given, next_hint

    with plainly():
        _, found = exercise_named(exercise)
        earlier = given(found) if every else []
        step = next_hint(found)
        if step is None:
            raise Refused(f"There are no hints for {found.name}; `check` says which mistake it is.")
        for number, before in enumerate(earlier[: step.number - 1], 1):
            say(f"[dim]Hint {number} of {step.of}[/]\n{plain(before)}\n")
        head, text = repr(step).split("\n", 1)
        say(f"[bold]{plain(head)}[/]\n{plain(text)}")
        result = {"number": step.number, "of": step.of, "text": step.text, "mistake": step.mistake}
        write_json(json, {"exercise": found.name, **result})


def solution(
    exercise: Name,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where yours is; else the file of the last check.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Show it although the exercise has not passed.")] = False,
    variants: Annotated[bool, typer.Option("--variants", help="Show other right ways, too.")] = False,
    json: Json = None,
) -> None:
    """Show the solution of an exercise that has passed.

    It is the library's own code with everything it needs to run. Yours stands beside it, with the errors of both on
    hard inputs, the time and the memory that each takes.
    """
    from gradschool_grader.ladder import earned, last_file, solution_seen, solved
    from gradschool_grader.source import shown, standalone

    with plainly():
        course, found = exercise_named(exercise)
        if not solved(found) and not anyway:
            so_far = f"{earned(found.name):g} of {found.points:g} points so far, in this folder"
            raise Refused(
                f"{found.name} has not passed yet ({so_far}). `gradschool hint {found.name}` takes you on; "
                f"`gradschool solution {found.name} --anyway` shows it all the same."
            )
        if not solved(found):
            solution_seen(found)
        text, file = shown(found), file or last_file(found)
        both = with_yours(course, found, file, text) if file and solved(found) else None
        if both is None:
            print_code(text)
        else:
            say(side_by_side(both))
            say(f"\n{plain(repr(both.measured))}")
        others = {variant.name: standalone(variant.right, name=found.name) for variant in found.variants}
        for name, right in others.items() if variants else ():
            say(f"\n[bold]Another right way: {plain(name.replace('_', ' '))}[/]")
            print_code(right)
        if others and not variants:
            say(f"[dim]{len(others)} other right ways: gradschool solution {found.name} --variants[/]")
        beside = {"yours": both.yours, "measured": both.measured.to_json()} if both else {}
        write_json(json, {"exercise": found.name, "solution": text, "variants": others, **beside})


def with_yours(course: Course, found: Exercise, file: Path, text: str) -> Together | None:
    """The answer of a file beside the solution; only what defines it runs. None, and why, if it cannot be run."""
    from gradschool_grader.beside import beside
    from gradschool_grader.submission import read_submission
    from gradschool_grader.together import Together, defined_in, written_in

    if not file.is_file():
        raise Refused(f"There is no file {file}; expected the notebook or script that was checked.")
    cells = read_submission(file, course).program
    try:
        yours = defined_in(found.name, cells)[found.name]
        measured = beside(found, yours, course.helpers, seed=1)
    except Exception as error:
        say(f"[yellow]! Yours could not be run from {plain(file.name)} ({type(error).__name__}).[/]")
        return None
    return Together(written_in(found.name, cells), text, measured)


def side_by_side(both: Together) -> Table:
    """Two columns of code; lines that differ are marked between them."""
    from rich.syntax import Syntax
    from rich.table import Table

    def code(line: str | None) -> Syntax | str:
        return Syntax(line, "python", theme="ansi_dark", background_color="default", word_wrap=True) if line else ""

    table = Table("yours", "", "the solution", box=None, pad_edge=False, header_style="bold", expand=True)
    for left, right in both.lines:
        table.add_row(code(left), "[dim]│[/]" if left == right else "[yellow]┃[/]", code(right))
    table.columns[0].ratio = table.columns[2].ratio = 1
    return table


def print_code(text: str) -> None:
    from rich.syntax import Syntax

    say(Syntax(text.rstrip("\n"), "python", theme="ansi_dark", background_color="default", word_wrap=True))


# ---------------------------------------------------------------------------------------------------------- progress
def progress(json: Json = None) -> None:
    """Show how far you are.

    Run it in the folder of your notebooks: `check`, there and here, remembers in `.gradschool/`.
    """
    from gradschool_grader.ladder import standing
    from gradschool_grader.report import MARKS

    with plainly():
        lines = [line for course in courses() for line in standing(course)]
        for chapter in dict.fromkeys(line.chapter.id for line in lines):
            own = [line for line in lines if line.chapter.id == chapter]
            done, total = sum(line.points for line in own), own[0].chapter.points
            say(f"\n[bold]{plain(own[0].chapter.title)}[/]  {bar(done, total)}  {done:g} of {total:g} points")
            for line in own:
                mark = f"[{style(line.outcome)}]{MARKS[line.outcome]}[/]" if line.outcome else "·"
                hints = f"{line.hints} hint{'' if line.hints == 1 else 's'}" if line.hints else ""
                seen, flagged = "solution seen" * line.solution_seen, "not all your own" * bool(line.flags)
                helped = ", ".join(word for word in (hints, seen, flagged) if word)
                say(f"  {mark} {line.exercise.name:<32} {line.points:>3g}/{line.exercise.points:<3g} [dim]{helped}[/]")
        left = next_left(lines)
        if left:
            say(f"\nNext: [bold]{left.name}[/], about {left.minutes} minutes.")
        write_json(json, [
            {"chapter": line.chapter.id, "exercise": line.exercise.name, "points": line.points,
             "max_points": line.exercise.points, "outcome": line.outcome or None, "hints": line.hints,
             "solution_seen": line.solution_seen, "flags": list(line.flags)} for line in lines
        ])  # fmt: skip


def next_left(lines: Sequence[Line]) -> Exercise | None:
    """The first exercise without all points, of the chapters that were begun if any is left there."""
    left = [line for line in lines if line.points < line.exercise.points]
    begun = {line.chapter.id for line in lines if line.outcome}
    here = [line for line in left if line.chapter.id in begun]
    return next((line.exercise for line in here or left), None)


def bar(done: float, total: float, width: int = 24) -> str:
    full = round(width * done / total) if total else 0
    return f"[green]{'━' * full}[/][dim]{'─' * (width - full)}[/]"
