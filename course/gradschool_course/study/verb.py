"""The verb `study`: trains what was recorded elsewhere, at full size, and compares.

gradschool study                                # what there is
gradschool study X-c --seeds 3                  # with batch norm on CIFAR-10: three runs
gradschool study M2 --images 5000 --epochs 3    # a look in advance
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..say import Refused, console, plain, plainly, say, write_json

if TYPE_CHECKING:
    from .experiments import Experiment
    from .run import Result

FIRST_SEED = 42


def study(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="EXPERIMENT", help="Such as F1 or X-c; without one, all are listed.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="So many runs, with the seeds 42, 43, ...")] = 3,
    directory: Annotated[Path, typer.Option("--dir", help="Where runs are kept and taken up again.")] = Path("studies"),
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="So many at once; one a core else.")] = None,
    images: Annotated[int | None, typer.Option(min=300, help="Only the first images of each part: a look.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many epochs: a look.")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the results there.")] = None,
) -> None:
    """Repeat a recorded experiment at full size.

    Ours and the recorded figures stand side by side, each with the spread of its runs; curves are saved as a picture.
    Images are downloaded once, or read from the folder named by GRADSCHOOL_DATA. An interrupted run goes on from its
    last epoch when the same command is given again.
    """
    with plainly("What was trained is kept; the same command goes on from there."):
        if not names:
            say(listed())
            return
        wanted = [found(name) for name in names]
        outcome = conducted(wanted, seeds, directory, jobs or os.cpu_count() or 1, images, epochs)
        for experiment in wanted:
            report(experiment, outcome[experiment.name], directory)
        write_json(json, [asdict(result) for results in outcome.values() for result in results])


def found(name: str) -> Experiment:
    from .run import named

    try:
        return named(name)
    except KeyError as error:
        raise Refused(str(error.args[0])) from None


def listed() -> Any:
    from rich.table import Table

    from .experiments import EXPERIMENTS
    from .run import named

    named("F1")
    shown = Table(title="Recorded experiments", title_justify="left", title_style="bold", box=None)
    for column in ("", "experiment", "images", "recorded"):
        shown.add_column(column)
    for experiment in EXPERIMENTS.values():
        known = next(iter(experiment.recorded.items()), ("", (None,)))
        value = "" if known[1][0] is None else f"{known[0]} {known[1][0]:g}"
        shown.add_row(experiment.name, plain(experiment.title), experiment.data, value)
    return shown


def conducted(
    wanted: Sequence[Experiment], seeds: int, directory: Path, jobs: int, images: int | None, epochs: int | None
) -> dict[str, list[Result]]:
    from .run import Study, results

    folder = str(directory.resolve())
    studies = [
        Study(experiment.name, FIRST_SEED + i, folder, images, epochs)
        for experiment in wanted
        for i in range(seeds if experiment.seeded else 1)
    ]
    outcome: dict[str, list[Result]] = {experiment.name: [] for experiment in wanted}
    with Bars() as bars:
        for result in results(studies, jobs, bars.tell):
            outcome[result.experiment].append(result)
            bars.finish(f"{result.experiment} seed {result.seed}")
    return {name: sorted(runs, key=lambda result: result.seed) for name, runs in outcome.items()}


def report(experiment: Experiment, results: Sequence[Result], directory: Path) -> None:
    from .show import draw, markdown, table

    place = directory / experiment.name
    say()
    say(table(experiment, results))
    (place / "table.md").write_text(markdown(experiment, results), encoding="utf-8")
    drawn = draw(experiment, results, place / "curves.png")
    if drawn:
        say(f"[dim]curves: {plain(drawn)}[/]", soft_wrap=True)


class Bars:
    """A bar for every run that is under way."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[words]}[/]"), console=console(error=True), transient=True,
        )  # fmt: skip
        self.tasks: dict[str, Any] = {}

    def tell(self, which: str, what: str, done: int, total: int, words: str) -> None:
        if which not in self.tasks:
            self.tasks[which] = self.progress.add_task(which, words="")
        self.progress.update(
            self.tasks[which], description=f"{which}: {what}", completed=done, total=total, words=words
        )

    def finish(self, which: str) -> None:
        if which in self.tasks:
            self.progress.remove_task(self.tasks.pop(which))

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()
