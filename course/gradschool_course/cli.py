"""The command `gradschool`: all verbs, in the order in which a newcomer meets them.

    gradschool demo                                         # the whole loop on a sample class
    gradschool start notebooks                              # a student's folder
    gradschool check notebooks/ch10_optimizers.ipynb
    gradschool grade course                                 # a teacher's evening

A verb imports what it needs when it runs, so that `gradschool --help` answers at once.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from . import learn, prove, teach
from .concepts import concepts
from .say import plain, plainly, say, write_json
from .study.verb import study

app = typer.Typer(
    name="gradschool",
    help="Learn deep learning by implementing it, and teach it with grading that names the mistake.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def verb(function: Callable[..., None], example: str, panel: str) -> None:
    """A command whose help is its docstring, each paragraph as wide as the terminal."""
    words = "\n\n".join(" ".join(part.split()) for part in (inspect.getdoc(function) or "").split("\n\n"))
    app.command(help=words, epilog=f"Example:  [bold]gradschool {example}[/]", rich_help_panel=panel)(function)


def show_version(wanted: bool) -> None:
    if wanted:
        from gradschool import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def demo(
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Make the course in this folder; else in a temporary one, which stays.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Grade so many submissions at once.")] = None,
    json: learn.Json = None,
) -> None:
    """See the whole loop on a sample class.

    Two chapters become assignments, twelve students hand in, every answer is judged without trust and every wrong one
    is told which mistake it is; gradebook, feedback pages and a report are left to look at. The exit code is 0 if every
    sample was graded as it must be.
    """
    from .demo import run

    with plainly("Nothing is lost but the run: the same command starts again."):
        outcome = run(directory, jobs)
        write_json(json, outcome.to_json())
        raise typer.Exit(1 if outcome.surprises else 0)


def doctor(json: learn.Json = None) -> None:
    """See what this machine can do.

    Versions, nbgrader, the course, each layer of the sandbox tried with a canary. The exit code is 0 if submissions
    of others can be graded here.
    """
    from gradschool_grader.doctor import examine

    from .say import courses

    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[dim]·[/]"}
    with plainly():
        found = []
        for finding in examine(courses()):
            found.append(finding)
            aim = f"  [dim]({finding.for_what})[/]" if finding.for_what else ""
            say(f"{marks[finding.fine]} {finding.what:<14} {plain(finding.words)}{aim}")
            if finding.get and not finding.fine:
                say(f"                 [dim]{plain(finding.get)}[/]")
        write_json(json, [finding.to_json() for finding in found])
        mode = next(f.data["mode"] for f in found if "mode" in f.data)
        if mode == "process":
            say("\nHere you can learn, and grade what you trust ([bold]--unsafe-no-sandbox[/]).")
        raise typer.Exit(1 if any(finding.fine is False for finding in found) else 0)


verb(demo, "demo --dir course", "See it")
verb(learn.start, "start notebooks", "Learn")
verb(learn.check, "check notebooks/ch10_optimizers.ipynb --watch", "Learn")
verb(learn.hint, "hint adam", "Learn")
verb(learn.solution, "solution adam --variants", "Learn")
verb(learn.progress, "progress", "Learn")
verb(concepts, "concepts saddle", "Learn")
verb(teach.release, "release losses optimizers --dir course", "Teach")
verb(teach.grade, "grade course --jobs 4", "Teach")
verb(teach.report, "report course", "Teach")
verb(teach.export, "export course --for canvas --roster canvas.csv --to grades.csv", "Teach")
verb(prove.audit, "audit adam --seeds 50", "Teach")
verb(study, "study X-c --seeds 3", "Study")
verb(doctor, "doctor", "This machine")


def main() -> None:
    """The entry point. What a terminal cannot write is written as `?`, never a crash."""
    # jsonschema compiles a grammar of international web addresses whenever nbformat is imported, which takes seconds;
    # notebooks have none, and it does without where the package is absent.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
