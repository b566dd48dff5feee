"""Studies one after the other, or several at once: every (experiment, seed) is one result, kept as a file, made once.

    for result in results(["X-c", "M2"], seeds=(1, 2, 3), folder=Path("studies"), jobs=2):
        print(result.experiment, result.seed, result.measures)

What is interrupted goes on from its last epoch, what is finished is read from its file.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

from gradschool_grader.offspring import end_with_parent

from .experiments import Experiment

__all__ = ["Result", "Study", "named", "results"]

Tell = Callable[[str, str, int, int, str], None]
"""(which study, what is trained, epochs done, epochs in all, words)"""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Study:
    """One experiment with one seed, and how far it is shortened."""

    experiment: str
    seed: int
    folder: str
    images: int | None = None
    epochs: int | None = None

    @property
    def name(self) -> str:
        return f"{self.experiment} seed {self.seed}"

    @property
    def file(self) -> Path:
        return Path(self.folder, self.experiment, f"seed-{self.seed}", "result.json")


@dataclass(frozen=True)
class Result:
    """What came out: measures by name, the curves of each training, and on which images it was."""

    experiment: str
    seed: int
    measures: dict[str, float]
    data: str = ""
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    seconds: float = 0.0
    images: int | None = None
    epochs: int | None = None


def named(name: str) -> Experiment:
    """The experiment of that name, whatever its case.

    Raises KeyError with the names there are.
    """
    from . import special  # noqa: F401  # enters what is more than one training
    from .experiments import EXPERIMENTS

    for known, experiment in EXPERIMENTS.items():
        if known.casefold() == name.casefold():
            return experiment
    raise KeyError(f"There is no experiment {name!r}; there are {', '.join(sorted(EXPERIMENTS))}.")


def results(studies: Sequence[Study], jobs: int = 1, tell: Tell = lambda *words: None) -> Iterator[Result]:
    """Every result as it is there; those that were made before come first."""
    made = [(study, read(study)) for study in studies]
    yield from (result for _, result in made if result)
    todo = [study for study, result in made if result is None]
    if jobs == 1 or len(todo) == 1:
        yield from (conduct(study, tell) for study in todo)
    elif todo:
        yield from at_once(todo, jobs, tell)


def read(study: Study) -> Result | None:
    """The result of a study that was finished before, shortened in the same way."""
    try:
        result = Result(**json.loads(study.file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return result if (result.images, result.epochs) == (study.images, study.epochs) else None


def conduct(study: Study, tell: Tell = lambda *words: None) -> Result:
    """Make the result of a study, and keep it."""
    from .session import Session

    started, experiment = time.perf_counter(), named(study.experiment)
    session = Session(
        experiment.name, study.seed, Path(study.folder), experiment.data, study.images, study.epochs,
        lambda what, done, total, words: tell(study.name, what, done, total, words),
    )  # fmt: skip
    measures = experiment.run(session)
    curves = {name: history.epochs for name, history in session.curves.items()}
    used = session.pictures.name if session.pictures else ""
    result = Result(study.experiment, study.seed, measures, used, curves, time.perf_counter() - started,
                    study.images, study.epochs)  # fmt: skip
    unfinished = study.file.with_suffix(".part")
    unfinished.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
    unfinished.replace(study.file)
    return result


# ----------------------------------------------------------------------------------------------- several processes
def at_once(studies: Sequence[Study], jobs: int, tell: Tell) -> Iterator[Result]:
    """In processes of one BLAS thread each: two trainings on two cores are faster than one after the other on both."""
    context = multiprocessing.get_context("spawn")
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read when NumPy is imported, so set before a process starts
    try:
        manager = SyncManager(ctx=context)
        manager.start(end_with_parent)
        with manager, ProcessPoolExecutor(jobs, mp_context=context, initializer=end_with_parent) as pool:
            news: Any = manager.Queue()
            running = {pool.submit(conduct_and_tell, study, news): study for study in studies}
            pump(running, news, tell)
            for future in as_completed(running):
                yield future.result()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def conduct_and_tell(study: Study, news: Any) -> Result:
    return conduct(study, lambda *words: news.put(words))


def pump(running: Any, news: Any, tell: Tell) -> None:
    """Hand on what the processes tell until all are done."""
    import queue

    while not all(future.done() for future in running) or not news.empty():
        try:
            tell(*news.get(timeout=0.2))
        except queue.Empty:
            continue
