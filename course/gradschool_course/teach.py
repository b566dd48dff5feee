"""The verbs of somebody who teaches: release, grade, report, export. They need the extra `teach`.

A course directory is nbgrader's own; every verb can be run again and does what is left to do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .learn import Json, OfCourse
from .say import Refused, chapters_named, console, courses, plain, plainly, say, write_json
from .tables import LONGEST, Grading, as_graded, changes_table, diagnoses_table, legend, marks_table, orders

if TYPE_CHECKING:
    from gradschool_grader.course import Chapter, Course
    from gradschool_grader.journal import Judged
    from gradschool_grader.own import OwnPaper
    from gradschool_grader.teach.grade import Summary
    from gradschool_grader.teach.regrade import Preview
    from gradschool_grader.teach.unread import Unread

Place = Annotated[Path, typer.Argument(metavar="COURSE_DIR", help="A folder that `gradschool release` made.")]
Chapters = Annotated[list[str] | None, typer.Option("--chapter", "-c", help="Only this one; may be repeated.")]


def release(
    chapters: Annotated[list[str], typer.Argument(metavar="CHAPTER", help="`losses`, `3` or `ch03_losses`.")],
    directory: Annotated[Path, typer.Option("--dir", help="The course directory; made if it is not there.")] = Path(),
    course: OfCourse = "",
    json: Json = None,
) -> None:
    """Make assignments of chapters.

    An nbgrader course directory comes of it, with source, release and gradebook, and the judge in its configuration.
    """
    from gradschool_grader.release import release as released

    with plainly("Every finished step is kept; the same command goes on from there."):
        place, found, wanted = chapters_named(chapters, course)
        with console().status("building notebooks"):
            for line in released(found, wanted, directory, where=place):
                say(f"  {plain(line)}")
        folder = directory.resolve()
        files = {c.id: str(folder / "release" / c.id / f"{c.id}.ipynb") for c in wanted}
        say(f"\nHand out  {plain(folder / 'release')}", soft_wrap=True)
        say(f"Collect   {plain(folder / 'submitted')}/STUDENT/CHAPTER/CHAPTER.ipynb", soft_wrap=True)
        say(f"Then      [bold]gradschool grade {plain(directory)}[/]")
        write_json(json, {"course": found.name, "directory": str(folder), "released": files})


class Mode(StrEnum):
    """Modes of the sandbox."""

    AB = "AB"
    B = "B"
    C = "C"


def grade(
    directory: Place = Path(),
    chapter: Chapters = None,
    student: Annotated[
        list[str] | None, typer.Option("--student", "-s", help="Only this one; may be repeated.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Judge so many submissions at once.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Judge again what was judged already.")] = False,
    regrade: Annotated[
        bool,
        typer.Option("--regrade", help="After exercises were fixed: show who gains and who loses, then ask."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --regrade: write it without asking.")] = False,
    repeat: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULT", help="Only judge this result again, a verdict's JSON, and say if it is the same."
        ),
    ] = None,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run submissions with your own rights. For code you trust.")
    ] = False,
    mode: Annotated[
        Mode | None,
        typer.Option(
            metavar="AB|B|C",
            case_sensitive=False,
            help="Of the sandbox. Default: the best that holds where submissions are judged.",
        ),
    ] = None,
    scheduler: Annotated[
        str, typer.Option("--scheduler", metavar="ADDRESS", help="Judge on the Dask cluster of this scheduler.")
    ] = "",
    patience: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="End when all of the cluster's workers have been gone so long."),
    ] = 600.0,
    json: Json = None,
) -> None:
    """Grade what was handed in.

    Each submission in submitted/ is judged in a sandbox, recorded in the gradebook, and gets its feedback page. The
    exit code is 0 if every submission was graded; one that could not be is named, and stops no other.

    With --repeat nothing is recorded: COURSE_DIR/.gradschool/results/CHAPTER/STUDENT.json, or what `check --json`
    wrote, is judged once more with its seed, and the exit code is 0 if it comes to the same.
    """
    if repeat is not None:
        repeated(repeat, unsafe_no_sandbox, json)
        return
    with plainly("What was graded is kept; the same command goes on from there."):
        from gradschool_grader.teach.grade import grade as graded

        assignments_named(directory, chapter)  # refuses what was not released
        if regrade:
            options = {"jobs": jobs, "unsafe_no_sandbox": unsafe_no_sandbox or None, "mode": mode and mode.value,
                       "force": force, "scheduler": scheduler, "patience": patience}  # fmt: skip
            if not regraded(directory, chapter or (), student or (), options, yes, json):
                return
            force = False  # all of it has just been judged
        elif not force:
            keep_others(directory, chapter or ())
        tell_points(directory, chapter or ())
        with Grading() as bars:
            summary = graded(directory, chapter or (), student or (), jobs=jobs, force=force, progress=bars.step,
                             told=bars.tell, patience=patience, unsafe_no_sandbox=unsafe_no_sandbox or None,
                             mode=mode and mode.value, scheduler=scheduler)  # fmt: skip
        show(summary, student or ())
        write_json(json, as_result(summary) if json else None)
        raise typer.Exit(1 if summary.set_aside or needs_rerun(summary.judged) else 0)


def keep_others(directory: Path, names: Sequence[str]) -> None:
    """Grades that other versions of the exercises gave are not replaced in passing."""
    from gradschool_grader.teach.beside import assignments_beside
    from gradschool_grader.teach.regrade import given_by_others, is_outdated

    course, _ = released(directory, [])
    chapters = [name for name in names if name not in assignments_beside(directory, course)]
    others = given_by_others(directory, chapters) if chapters or not names else []
    if others:
        students = len({judged.student for judged in others})
        raise Refused(
            f"Exercises changed since {students} student{'s' * (students != 1)} got grades for them. "
            f"`gradschool grade {directory} --regrade` shows who gains and who loses before anything is written."
        )
    for name in names or [c.id for c in released(directory, [])[1]]:
        if name not in assignments_beside(directory, course) and is_outdated(course, course.chapter(name), directory):
            say(
                f"[yellow]kept[/]  {plain(name)}: exercises changed since it was released; submissions are graded by "
                "those they were built with. [bold]--regrade[/] shows who gains and who loses by the new ones."
            )


def tell_points(directory: Path, names: Sequence[str]) -> None:
    """That course.toml was changed and the chapter not released again."""
    from gradschool_grader.release import repointed
    from gradschool_grader.teach.beside import assignments_beside

    own = assignments_beside(directory, released(directory, [])[0])
    ours = [name for name in names if name not in own]
    for chapter in released(directory, ours)[1] if ours or not names else ():
        exercises = repointed(chapter, directory)
        if exercises:
            say(
                f"[yellow]points[/]   {chapter.id}: the gradebook counts {', '.join(exercises)} as released until "
                f"[bold]gradschool release {chapter.id} --dir {plain(directory)}[/] gives course.toml's points."
            )


def regraded(
    directory: Path, chapters: Sequence[str], students: Sequence[str], options: dict[str, Any], yes: bool,
    json: Path | None,
) -> bool:  # fmt: skip
    """Show what regrading changes, and whether it is to be written."""
    from gradschool_grader.teach.regrade import accept, preview

    with Grading() as bars:
        seen = preview(directory, chapters, students, progress=bars.step, told=bars.tell, **options)
    say_changes(seen)
    write_json(json, {"changes": [vars(change) for change in seen.changes], "judged": len(seen.judged),
                      "new": seen.new, "undecided": seen.undecided, "refused": dict(seen.refused)})  # fmt: skip
    if not seen.judged and not seen.outdated:
        return False
    if not yes and not (sys.stdin.isatty() and typer.confirm("Write this?", default=False)):
        say("Nothing was written. [bold]--yes[/] writes it.")
        return False
    for line in accept(seen):
        say(f"  {plain(line)}")
    return True


def say_changes(seen: Preview) -> None:
    from gradschool_grader.teach.dates import taken_off

    if not (seen.judged or seen.undecided or seen.outdated):
        say("There is nothing to judge again: all grades were given by the exercises that are installed.")
        return
    if seen.changes:
        say(changes_table(seen.changes))
    by: dict[tuple[str, str], float] = {}
    for change in seen.changes:
        who = change.assignment, change.student
        by[who] = by.get(who, 0.0) + change.after - change.before
    gain, lose = (sum(points > 0 for points in by.values()), sum(points < 0 for points in by.values()))
    say(f"\n{len(seen.judged)} judged again: [green]{gain} gain[/], [red]{lose} lose[/], "
        f"{seen.new} had no grade yet.")  # fmt: skip
    for assignment, students in taken_off(seen.directory).items():
        also_late = [student for student in students if (assignment, student) in by]
        if also_late:
            say(f"[yellow]late[/]     {plain(assignment)}: {plain(', '.join(also_late))} "
                "[dim]what lateness costs comes off these points[/]")  # fmt: skip
    say_refused(seen.refused)
    if seen.undecided:
        say(f"[yellow]{seen.undecided} could not be judged[/] and keep the grade that they have.")
    for stale in seen.outdated:
        say(f"{plain(stale.id)} would be released again with the exercises that are installed now.")


def repeated(result: Path, unsafe_no_sandbox: bool, json: Path | None) -> None:
    """Judge one result again and lay both verdicts side by side."""
    from gradschool_grader.repeat import repeat, summary

    with plainly("Nothing was recorded."):
        found = repeat(result, courses(), unsafe_no_sandbox=unsafe_no_sandbox or None)
        for again in found:
            said = f"[dim]{plain(summary(again.now))}[/]" if again.same else plain(again.differs)
            say(f"{'[green]same[/]     ' if again.same else '[red]different[/]'} {again.exercise}  {said}")
        same = sum(again.same for again in found)
        say(f"\n[bold]{same} of {len(found)}[/] verdicts are the same.")
        write_json(json, {
            "result": str(result), "same": same == len(found),
            "verdicts": [{"exercise": again.exercise, "same": again.same, "before": again.before.to_json(),
                          "now": again.now.to_json()} for again in found],
        })  # fmt: skip
        raise typer.Exit(0 if same == len(found) else 1)


def show(summary: Summary, asked: Sequence[str] = ()) -> None:
    """What the run came to. `asked` are the students that were named."""
    from gradschool_grader.report import MODES, alike, needs, own_needs, some

    papers, beside = summary.judged, summary.beside
    if not papers and not summary.beside and not summary.set_aside:
        whose = f" of {', '.join(asked)}" if asked else ""
        raise Refused(
            f"There is nothing{whose} to grade in {summary.directory}: expected "
            "submitted/STUDENT/CHAPTER/CHAPTER.ipynb."
        )
    if papers and len({paper.student for paper in papers}) <= LONGEST:
        say()
        say(marks_table(papers, summary.chapters))
        say(legend(papers))
        say(orders(summary.chapters))
        say()
        say(diagnoses_table(papers))
    if beside:
        say(f"\n{own_line(beside)}")
    for students, assignment, exercise, why in alike([*needs(papers), *own_needs(beside)]):
        say(f"[yellow]look at[/]  {plain(some(students))} {assignment} {exercise} [dim]{plain(why)}[/]")
    for (assignment, cell), students in by_hand(summary.directory, beside).items():
        say(f"[yellow]by hand[/]  {plain(assignment)}/{plain(cell)} [dim]{len(students)} to grade[/]")
    for assignment, students in late(summary).items():
        lost = ", ".join(f"{student} −{points:g}" for student, points in students.items())
        say(f"[yellow]late[/]     {plain(assignment)}: {plain(lost)} [dim]points, in the gradebook[/]")
    say_refused(summary.refused)
    absent = sorted({*asked} - {paper.student for paper in chain(papers, beside, summary.set_aside)})
    if absent:
        say(f"[yellow]not there[/]  {plain(', '.join(absent))} [dim]nothing was handed in under that name[/]")
    for item in summary.set_aside:
        say(f"[red]set aside[/]  {plain(item.student)} {item.assignment}: {plain(item.why)}")
    for item in summary.unread:
        say(f"[yellow]not read[/]  {plain(item.path)} [dim]{plain(item.why)}[/]")
    handed_in = {(p.student, p.assignment) for p in chain(papers, beside)}  # papers are read one by one
    say(f"\n{len(handed_in)} submissions graded in {MODES[summary.mode]}.")
    say(
        f"[bold]gradebook[/]  {plain(summary.gradebook)}\n[bold]feedback[/]   {plain(summary.feedback)}", soft_wrap=True
    )
    say(f"[bold]report[/]     gradschool report {plain(summary.directory)}", soft_wrap=True)


def say_refused(refused: Mapping[str, str]) -> None:
    from gradschool_grader.cluster import reasons

    for reason in reasons(refused):
        say(f"[yellow]not asked[/]  {plain(reason)}")


def own_line(beside: Sequence[OwnPaper]) -> str:
    cells = [cell for paper in beside for cell in paper.cells]
    full = sum(cell.outcome == "passed" for cell in cells)
    return f"{full} of {len(cells)} of your own tests passed; they are [yellow]not cheat-proof[/]."


def late(summary: Summary) -> dict[str, dict[str, float]]:
    """Points that lateness costs those who were graded."""
    from gradschool_grader.teach.dates import taken_off

    lost = taken_off(summary.directory.resolve())
    papers = chain(summary.judged, summary.beside) if lost else ()  # they are read one by one
    graded = {(paper.assignment, paper.student) for paper in papers}
    found = {
        name: {student: points for student, points in students.items() if (name, student) in graded}
        for name, students in lost.items()
    }
    return {name: students for name, students in found.items() if students}


def by_hand(directory: Path, beside: Sequence[OwnPaper]) -> dict[tuple[str, str], list[str]]:
    """What waits for a grade by hand, but what is said with a reason already."""
    from gradschool_grader.report import own_needs
    from gradschool_grader.teach.waiting import waiting

    return waiting(directory.resolve(), {(paper.assignment, cell) for paper, cell, _ in own_needs(beside)})


def needs_rerun(papers: Sequence[Judged]) -> bool:
    """Our own failures are judged again by the next run; until then the work is not done."""
    return any(not paper.complete for paper in papers)


def as_result(summary: Summary) -> dict[str, object]:
    return {
        "mode": summary.mode,
        "submissions": [as_graded(paper) for paper in summary.judged],
        "own_tests": [asdict(paper) for paper in summary.beside],
        "set_aside": [vars(item) for item in summary.set_aside],
        "not_read": [vars(item) for item in summary.unread],
        "refused": dict(summary.refused),
        "late": late(summary),
        "gradebook": str(summary.gradebook),
        "feedback": str(summary.feedback),
    }


def report(
    directory: Place = Path(),
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Default: COURSE_DIR/report.html.")] = None,
    chapter: Chapters = None,
    json: Json = None,
) -> None:
    """Make one page on how the class did.

    Scores, the mistakes behind them exercise by exercise, who did what, and what a person must look at.
    """
    with plainly():
        from gradschool_grader.course_toml import read_settings, rescaled
        from gradschool_grader.journal import Journal
        from gradschool_grader.own import OwnPapers
        from gradschool_grader.report import needs, own_needs, write
        from gradschool_grader.teach.beside import assignments_beside

        course, chapters = released(directory, chapter or [])
        settings = read_settings(directory)
        papers = [rescaled(paper, settings) for c in chapters for paper in Journal(directory).all(c.id)]
        names = [c.id for c in chapters] + ([] if chapter else assignments_beside(directory, course))
        beside = [paper for name in names for paper in OwnPapers(directory).all(name)]
        if not papers and not beside:
            raise Refused(f"Nothing in {directory} was graded yet; `gradschool grade {directory}` does that.")
        waits = {place: who for place, who in by_hand(directory, beside).items() if place[0] in names}
        left = left_over(directory, [c.id for c in chapters])
        file = write(papers, chapters, to or directory / "report.html", course.title, beside, waits,
                     [(item.path, item.why) for item in left])  # fmt: skip
        say(f"[bold]report[/]  {plain(file.resolve())}", soft_wrap=True)
        looked_at = [{"student": p.student, "assignment": p.assignment, "exercise": e or None, "why": why}
                     for p, e, why in [*needs(papers), *own_needs(beside)]]  # fmt: skip
        manual = [{"assignment": a, "cell": cell, "students": who} for (a, cell), who in waits.items()]
        write_json(json, {
            "report": str(file.resolve()), "submissions": [as_graded(paper) for paper in papers],
            "own_tests": [asdict(paper) for paper in beside], "needs_a_person": looked_at, "by_hand": manual,
            "no_grade": [vars(item) for item in left],
        })  # fmt: skip


def left_over(directory: Path, chapters: Sequence[str]) -> list[Unread]:
    """What lies in submitted/ and has no grade."""
    from gradschool_grader.teach.assign import settings
    from gradschool_grader.teach.unread import ungraded, unread

    folder = directory.resolve()
    return [find for found in (ungraded, unread) for find in found(folder, settings(folder), chapters)]


def released(directory: Path, names: Sequence[str]) -> tuple[Course, list[Chapter]]:
    """The course of a course directory, and those of its chapters that were asked for."""
    from gradschool_grader.course import load_course
    from gradschool_grader.course_toml import read_settings, weighed
    from gradschool_grader.release import released_chapters
    from gradschool_grader.teach.assign import settings
    from gradschool_grader.versions import as_released

    course = load_course(settings(directory).Judge.course)
    own = read_settings(directory)
    chapters = [chapter_here(course, name, directory) for name in names] or released_chapters(course, directory)
    return course, [weighed(as_released(course, chapter, directory), own) for chapter in chapters]


def chapter_here(course: Course, name: str, directory: Path) -> Chapter:
    """The chapter of that name. Raises Refused where no assignment was made of it."""
    from gradschool_grader.release import released_chapters

    chapter = course.chapter(name)
    if chapter not in released_chapters(course, directory):
        raise Refused(
            f"{chapter.id} was not released in {directory}: `gradschool release {chapter.id} --dir {directory}` makes "
            "an assignment of it."
        )
    return chapter


class Form(StrEnum):
    """Forms of the exported grades."""

    csv = "csv"
    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"


def export(
    directory: Place = Path(),
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="What to write.")] = None,
    chapter: Chapters = None,
    form: Annotated[Form, typer.Option("--for", help="The program that reads it.")] = Form.csv,
    roster: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Canvas' or Moodle's own export: its students and columns are filled."),
    ] = None,
    feedback: Annotated[
        str, typer.Option(metavar="full|outcome|none", help="What students read on Gradescope.")
    ] = "full",
    json: Json = None,
) -> None:
    """Write the grades for another program.

    csv is nbgrader's own table with a column of flags; canvas and moodle are tables that those import, scores with
    extra credit and after late penalties. gradescope is no table but an autograder to upload (autograder.zip), which
    judges one chapter there as `gradschool grade` does here.
    """
    with plainly():
        if form is Form.gradescope:
            autograder(directory, to or Path("autograder.zip"), chapter or [], feedback, json)
        elif form is Form.csv:
            from gradschool_grader.teach.export import export as exported

            file = exported(directory, to or Path("grades.csv"), assignments_named(directory, chapter))
            rows = file.read_text(encoding="utf-8").count("\n") - 1
            say(f"{rows} rows written to {plain(file)}", soft_wrap=True)
            write_json(json, {"file": str(file.resolve()), "rows": rows})
        else:
            file = to or Path(f"grades-{form}.csv")
            table_for(form, directory, file, assignments_named(directory, chapter), roster, json)


def assignments_named(directory: Path, names: Sequence[str] | None) -> list[str]:
    """Assignments by the names of chapters, or by their own; without names nothing, which means all."""
    from gradschool_grader.teach.beside import assignments_beside

    course, _ = released(directory, [])
    others = assignments_beside(directory, course)
    return [name if name in others else chapter_here(course, name, directory).id for name in names or []]


def table_for(
    form: Form, directory: Path, to: Path, assignments: Sequence[str], roster: Path | None, json: Path | None
) -> None:
    from gradschool_grader.teach.export import export_for

    if roster is not None and to.resolve() == roster.resolve():
        raise Refused(f"{to} is the roster, and would be written over; name another file with --to.")
    try:
        table, grades = export_for(form, directory, to, assignments, roster)
    except ValueError as error:
        raise Refused(str(error)) from error
    written = [score for score in grades.scores if score[0] not in table.only_here]
    say(f"{len(written)} score{'s' * (len(written) != 1)} written to {plain(to)}", soft_wrap=True)
    for student, assignment in sorted(grades.unfinished):
        say(f"[yellow]not final[/]  {plain(student)} {plain(assignment)} [dim]waits for a grade by hand[/]")
    for word, names in (("only here", table.only_here), ("only in the roster", table.only_there)):
        if names:
            say(f"[yellow]{word}[/]  {plain(', '.join(names))}")
    if table.new:
        say(f"[yellow]new column[/]  {plain(', '.join(table.new))} [dim]the roster has none of that name[/]")
    write_json(json, {
        "file": str(to.resolve()), "scores": len(written), "not_final": sorted(grades.unfinished),
        "only_here": table.only_here, "only_in_roster": table.only_there, "new_columns": table.new,
    })  # fmt: skip


def own_tests(directory: Path, chapter: Chapter) -> list[str]:
    """The teacher's own tests in a chapter."""
    import nbformat

    from gradschool_grader.teach.own import tests_in

    source = nbformat.read(directory / "source" / chapter.id / f"{chapter.id}.ipynb", as_version=4)
    return list(tests_in(source, {exercise.name for exercise in chapter.exercises}))


def autograder(directory: Path, to: Path, names: Sequence[str], feedback: str, json: Path | None) -> None:
    """Gradescope's zip for one chapter, with the seed that the chapter has here."""
    from gradschool_grader.gradescope import FEEDBACK, write_package
    from gradschool_grader.journal import Journal
    from gradschool_grader.teach.assign import settings
    from gradschool_grader.versions import Versions

    if feedback not in FEEDBACK:
        raise Refused(f"--feedback is one of {', '.join(FEEDBACK)}, not {feedback}.")
    course, chapters = released(directory, names)
    if len(chapters) != 1:
        raise Refused("A Gradescope assignment is one chapter: name it, as in --chapter losses.")
    Versions(directory).released(course, course.chapter(chapters[0].id))  # raises Outdated
    where, seed = settings(directory).Judge.course, Journal(directory).seed(chapters[0].id)
    file = write_package(course, where, chapters[0], seed, to, directory=directory, feedback=feedback)
    say(f"[bold]autograder[/]  {plain(file.resolve())}", soft_wrap=True)
    say(
        f"A programming assignment of {chapters[0].points:g} points, base image Ubuntu 24.04 or newer; upload it there."
    )
    say("It holds this course's solutions and the secret seed: keep it from students.")
    tests = own_tests(directory, chapters[0])
    if tests:
        say(f"[yellow]not in it[/]   {plain(', '.join(tests))} [dim]your own tests, which are graded here only[/]")
    write_json(json, {"file": str(file.resolve()), "chapter": chapters[0].id, "points": chapters[0].points})
