"""The whole loop in a minute: release, hand in, judge without trust, record, give feedback, report.

    outcome = run(Path("course"))
    outcome.mode                # "AB": what held the submissions
    outcome.surprises           # [] if every sample came out as it was meant
    outcome.report              # course/report.html

It runs wherever Python runs: where no sandbox is to be had it says so and relies on processes, as the samples are ours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .samples import Sample, hand_in, sample_class
from .say import Refused, console, plain, say, where
from .tables import Grading, as_json, diagnoses_table, legend, marks_table, orders

if TYPE_CHECKING:
    from gradschool_grader.course import Chapter, Course
    from gradschool_grader.journal import Judged

SHOWN = ("losses", "optimizers")  # of the embedded course: enough to see everything, and over within a minute
BANNER = """[yellow]No sandbox is to be had on this machine[/], so the samples, which are ours, are judged in plain
processes. To grade what others wrote, see [bold]gradschool doctor[/]. What is missing:
[dim]{why}[/]
"""


@dataclass(frozen=True)
class Outcome:
    """What the demo came to, and where everything lies."""

    mode: str
    papers: Sequence[Judged]
    surprises: Sequence[str]
    gradebook: Path
    feedback: Path
    report: Path

    def to_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "submissions": [as_json(paper) for paper in self.papers],
            "surprises": list(self.surprises),
            "gradebook": str(self.gradebook),
            "feedback": str(self.feedback),
            "report": str(self.report),
        }


# --------------------------------------------------------------------------------------------------------- the steps
def run(directory: Path | None = None, jobs: int | None = None, of: str = "") -> Outcome:
    """Make a course in `directory` (a temporary one, which stays), let the class hand in, grade it, and show it.

    `of` names another course than the embedded one: installed, or "module:attribute".
    """
    from gradschool_grader.course import load_course
    from gradschool_grader.report import MODES, write
    from gradschool_grader.teach.grade import grade

    from . import course as embedded

    course, of = (load_course(of), of) if of else (embedded, where(embedded))
    chapters = [course.chapter(name) for name in SHOWN] if course is embedded else course.chapters
    if not chapters:
        raise Refused(f"{course.title} has no chapters here; `gradschool doctor` says more.")
    folder = place(directory)
    samples = sample_class(chapters)
    mode = sandbox()
    say(f"[bold]1  Release[/]   {len(chapters)} chapters become assignments in {plain(folder)}")
    release_all(course, chapters, folder, of)
    say(f"[bold]2  Hand in[/]   {len(samples)} students, {len(samples) * len(chapters)} notebooks")
    hand_in_all(samples, chapters, folder)
    say(f"[bold]3  Grade[/]     {MODES[mode]}")
    with Grading() as bars:
        unsafe = mode == "process"
        summary = grade(folder, jobs=jobs, unsafe_no_sandbox=unsafe, progress=bars.step)
    papers = summary.judged
    report = write(papers, chapters, folder / "report.html", f"{course.title}: a sample class")
    odd = [f"{item.student}: {item.assignment} was set aside: {item.why}" for item in summary.set_aside]
    odd += surprises(samples, papers)
    outcome = Outcome(summary.mode, papers, odd, summary.gradebook, summary.feedback, report)
    show(outcome, samples, chapters)
    return outcome


def place(directory: Path | None) -> Path:
    """The folder to work in: new, empty, or of an earlier run."""
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="gradschool-demo-"))
    if directory.exists() and not directory.is_dir():
        raise Refused(f"{directory} is a file; name a folder that is new.")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / "nbgrader_config.py").exists():
        raise Refused(f"{directory} holds something else; name a folder that is new, or leave out --dir.")
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def sandbox() -> str:
    """The mode in which this machine can judge; a banner where that is none."""
    from gradschool_grader.probe import open_workers
    from gradschool_grader.sandbox import SandboxMissing

    try:
        with open_workers() as workers:
            return workers.mode
    except SandboxMissing as missing:
        why = "\n".join(f"  {layer}: {reason}" for layer, reason in missing.layers.items())
        say(BANNER.format(why=plain(why or "  Linux")))
        return "process"


def release_all(course: Course, chapters: Sequence[Chapter], folder: Path, of: str) -> None:
    from gradschool_grader.release import release

    with console().status("building notebooks"):
        for line in release(course, chapters, folder, where=of):
            say(f"   [dim]{plain(line)}[/]")


def hand_in_all(samples: Sequence[Sample], chapters: Sequence[Chapter], folder: Path) -> None:
    for sample in samples:
        for chapter in chapters:
            name = Path(chapter.id, f"{chapter.id}.ipynb")
            hand_in(sample, folder / "release" / name, folder / "submitted" / sample.student / name)


def surprises(samples: Sequence[Sample], papers: Sequence[Judged]) -> list[str]:
    """Every answer that was graded otherwise than it was meant."""
    found = []
    for sample in samples:
        verdicts = [verdict for paper in papers if paper.student == sample.student for verdict in paper.verdicts]
        found += sample.surprises(verdicts)
    return found


def show(outcome: Outcome, samples: Sequence[Sample], chapters: Sequence[Chapter]) -> None:
    about = {sample.student: sample.about for sample in samples}
    say()
    say(marks_table(outcome.papers, chapters, about))
    say(legend(outcome.papers))
    say(orders(chapters))
    say()
    say(diagnoses_table(outcome.papers))
    say(f"\n[bold]gradebook[/]  {plain(outcome.gradebook)}")
    say(f"[bold]feedback[/]   {plain(outcome.feedback)}")
    say(f"[bold]report[/]     {plain(outcome.report)}")
    for surprise in outcome.surprises:
        say(f"[bold red]not as meant[/]  {plain(surprise)}")
    if not outcome.surprises:
        answers = sum(len(paper.verdicts) for paper in outcome.papers)
        say(f"\nAll {answers} answers came out as they were meant, in mode [bold]{outcome.mode}[/].")
