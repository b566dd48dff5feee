"""Results of grading as a terminal shows them and as a program reads them.

with Grading() as bars:
    summary = grade("course", progress=bars.step)
say(marks_table(summary.judged, summary.chapters))
write_json(file, {"submissions": [as_json(judged) for judged in summary.judged]})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .say import console, plain, style

if TYPE_CHECKING:
    from gradschool_grader.course import Chapter
    from gradschool_grader.journal import Judged
    from gradschool_grader.teach.grade import Step
    from gradschool_grader.teach.regrade import Change
    from gradschool_grader.verdict import Verdict

WIDEST = 44  # exercises that fit into a line; beyond it the table shows counts
LONGEST = 40  # students that are listed one by one


# -------------------------------------------------------------------------------------------------------- a program's
def as_json(judged: Judged) -> dict[str, Any]:
    return {
        "student": judged.student,
        "assignment": judged.assignment,
        "score": judged.points,
        "max_score": judged.max_points,
        "exercises": {verdict.exercise: in_short(verdict) for verdict in judged.verdicts},
    }


def as_graded(judged: Judged) -> dict[str, Any]:
    """The same with how it was judged, and what is odd about the file."""
    how = {"mode": judged.mode, "worker": judged.worker, "problems": list(judged.problems)}
    return {**as_json(judged), **how}


def in_short(verdict: Verdict) -> dict[str, Any]:
    d = verdict.diagnosis
    return {
        "outcome": verdict.outcome,
        "points": verdict.points,
        "max_points": verdict.max_points,
        "diagnosis": d and {"kind": d.kind, "name": d.name, "text": d.text},
        "source": str(verdict.source),
        "flags": list(verdict.flags),
    }


# ---------------------------------------------------------------------------------------------------------- progress
class Grading:
    """A bar each for judging, recording and feedback; `step` takes the steps that `grade` reports."""

    WORDS = {"judged": "judged", "recorded": "in the gradebook", "feedback": "feedback pages"}  # noqa: RUF012

    def __enter__(self) -> Grading:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("   {task.description:<17}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("{task.fields[pace]}"), TextColumn("[dim]{task.fields[last]}[/]"))  # fmt: skip
        self.progress = Progress(*columns, console=console())
        self.bars: dict[str, Any] = {}
        self.counts: dict[str, dict[str, tuple[int, int]]] = {}
        self.progress.start()
        return self

    def step(self, step: Step) -> None:
        """Totals are known assignment by assignment, so a bar adds up what it has heard of."""
        if step.what not in self.bars:
            self.bars[step.what] = self.progress.add_task(
                self.WORDS.get(step.what, step.what), last="", pace="", total=None
            )
        part = "" if step.what == "judged" else step.assignment
        counts = self.counts.setdefault(step.what, {})
        counts[part] = (step.done, step.total)
        done, total = (sum(numbers) for numbers in zip(*counts.values(), strict=True))
        last = plain(f"{step.student} {step.assignment}") if done < total else ""
        bar = self.bars[step.what]
        pace = pace_of(done, total, self.progress.tasks[bar].elapsed or 0.0)
        self.progress.update(bar, completed=done, total=total, last=last, pace=pace)

    def tell(self, words: str) -> None:
        """Something that happened, above the bars."""
        self.progress.console.print(f"[yellow]{plain(words)}[/]")

    def __exit__(self, *error: object) -> None:
        self.progress.stop()


def pace_of(done: int, total: int, seconds: float) -> str:
    """Throughput over all that is done, and how long the rest takes at it; nothing before there is anything to say."""
    if not done or seconds <= 0:
        return ""
    pace = done / seconds
    said = f"{pace:.1f}/s" if pace >= 1 else f"{60 * pace:.1f}/min"
    left = round((total - done) / pace)
    return f"{said}, {left // 60}:{left % 60:02d} left" if done < total else said


# ------------------------------------------------------------------------------------------------------------ tables
def table() -> Any:
    from rich.table import Table

    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))


def marks_table(papers: Sequence[Judged], chapters: Sequence[Chapter], about: Mapping[str, str] | None = None) -> Any:
    """Students × exercises, a mark each in the order of the chapter. `about` adds a word on each student."""
    short = sum(len(chapter.exercises) for chapter in chapters) > WIDEST
    made = table()
    for heading in ("student", *(["handed in"] if about else []), *(f"{c.number} {c.title}" for c in chapters)):
        made.add_column(heading, no_wrap=True)
    made.add_column("points", justify="right", no_wrap=True)
    by_name = {(paper.student, paper.assignment): paper for paper in papers}
    for student in sorted({paper.student for paper in papers}):
        own = [by_name.get((student, chapter.id)) for chapter in chapters]
        cells = ["[dim]–[/]" if paper is None else counted(paper) if short else marked(paper) for paper in own]
        points = sum(paper.points for paper in own if paper)
        most = sum(chapter.points for chapter in chapters)
        word = [f"[dim]{plain(about.get(student, ''))}[/]"] if about else []
        made.add_row(plain(student), *word, *cells, f"{points:g}/{most:g}")
    return made


def changes_table(changes: Sequence[Change]) -> Any:
    """Who gains and who loses by a regrading, one line for each exercise of each student."""
    made = table()
    for heading in ("student", "assignment", "exercise"):
        made.add_column(heading, no_wrap=True)
    for heading in ("before", "after", ""):
        made.add_column(heading, justify="right", no_wrap=True)
    for change in changes:
        by = change.after - change.before
        made.add_row(plain(change.student), plain(change.assignment), plain(change.exercise), f"{change.before:g}",
                     f"{change.after:g}", f"[{'green' if by > 0 else 'red'}]{by:+g}[/]")  # fmt: skip
    return made


def marked(paper: Judged) -> str:
    return "".join(f"[{style(verdict.outcome)}]{mark(verdict)}[/]" for verdict in paper.verdicts)


def counted(paper: Judged) -> str:
    return f"{sum(verdict.passed for verdict in paper.verdicts)} of {len(paper.verdicts)}"


def mark(verdict: Verdict) -> str:
    from gradschool_grader.report import MARKS, partly

    return "½" if partly(verdict) else MARKS[verdict.outcome]


def legend(papers: Sequence[Judged]) -> str:
    from gradschool_grader.report import MARKS, WORDS, partly

    verdicts = [verdict for paper in papers for verdict in paper.verdicts]
    there = {verdict.outcome for verdict in verdicts}
    known = [f"[{style(name)}]{MARKS[name]}[/] {word}" for name, word in WORDS.items() if name in there]
    if any(map(partly, verdicts)):
        known.append(f"[{style('wrong')}]½[/] partly right")
    return "   ".join(known)


def orders(chapters: Sequence[Chapter]) -> str:
    """Which mark stands for which exercise."""
    return "\n".join(f"[dim]{c.number}: {', '.join(exercise.name for exercise in c.exercises)}[/]" for c in chapters)


def diagnoses_table(papers: Sequence[Judged], words: Callable[[Verdict], str] | None = None) -> Any:
    """What was found in each answer that did not pass."""
    made = table()
    made.add_column("student", no_wrap=True)
    made.add_column("what was found")
    for student in sorted({paper.student for paper in papers}):
        failed = [v for paper in papers if paper.student == student for v in paper.verdicts if not v.passed]
        together: dict[str, list[str]] = {}
        for verdict in failed:
            together.setdefault((words or found)(verdict), []).append(verdict.exercise)
        if failed:
            lines = (f"{several(names)} [dim]{plain(word)}[/]" for word, names in together.items())
            made.add_row(plain(student), "; ".join(lines))
    return made


def several(names: list[str]) -> str:
    """All names where they are few, else the first of them and how many more there are."""
    return ", ".join(names) if len(names) < 8 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def found(verdict: Verdict) -> str:
    """The mistake in few words."""
    from gradschool_grader.report import WORDS, in_short

    return in_short(verdict.diagnosis) if verdict.diagnosis else WORDS[verdict.outcome]
