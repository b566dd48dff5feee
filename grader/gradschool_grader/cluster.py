"""Judging on a Dask cluster: an executor like any other, of machines that were tried before they get anything.

    with cluster_pool("tcp://10.0.0.1:8786", course="gradschool") as pool:      # needs the extra `cluster`
        future = pool.submit(judge_task, task)
        pool.look()                              # now and then: raises WorkersLost once all have been gone too long

Every worker of the cluster is asked in which mode of the sandbox it can hold submissions; one that is below the wanted
mode, or has other code of the judge or the course, is told nothing. A worker that is lost has its submissions judged
elsewhere, by Dask itself, and may come back: where all workers of a machine hold, submissions are bound to the machine
and not to its processes. One that comes back with other code refuses them. Results stream back as they finish; each
says which worker and which mode graded it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import replace
from typing import Any

import numpy as np

from .absence import Absence
from .course import load_course
from .gradescope import files_of, resolved
from .grading import Task, workers_of
from .journal import Judged
from .sandbox import SandboxMissing

__all__ = ["PATIENCE", "ClusterMissing", "ClusterPool", "OtherCode", "SchedulerLost", "cluster_pool"]

PATIENCE = 600.0  # seconds without any worker, after which a run ends
LOST = 5  # workers that a submission may lose before it is taken for the reason


class ClusterMissing(RuntimeError):
    """There is no Dask, no scheduler at an address, or it has no workers; the message says which, and what to do."""


class SchedulerLost(RuntimeError):
    """The cluster's scheduler ended in the middle of a run."""


class OtherCode(RuntimeError):
    """A worker has other code than it was asked for: it was started again after an update, in the middle of a run."""


class ClusterPool(Executor):
    """Dask's executor over the workers at `absence.places`; `refused` says why the others do not judge."""

    def __init__(self, client: Any, inside: Executor, code: Mapping[str, str], refused: Mapping[str, str],
                 absence: Absence):  # fmt: skip
        self.client, self.inside, self.code, self.refused, self.absence = client, inside, code, refused, absence

    def submit(self, work: Callable[[Task], Judged], task: Task, /) -> Future[Judged]:
        future = self.inside.submit(judge_there, work, task, self.code)
        future.add_done_callback(self.note)
        return future

    def note(self, future: Future[Judged]) -> None:
        if not future.cancelled() and future.exception() is None:
            self.absence.over()

    def look(self) -> None:
        """Raises WorkersLost if none has been there for too long."""
        with contextlib.suppress(OSError):  # no way to the scheduler: Dask's client gives it half a minute to come back
            self.absence.look(any(may_judge(worker, self.absence.places) for worker in self.client.nthreads()))


@contextlib.contextmanager
def cluster_pool(
    address: str,
    course: str,
    unsafe_no_sandbox: bool = False,
    mode: str = "",
    seconds: float = 60.0,
    patience: float = PATIENCE,
    told: Callable[[str], None] = lambda words: None,
) -> Iterator[ClusterPool]:
    """An executor over the workers that hold. `told` hears that all of them are gone, and that some came back.

    Raises ClusterMissing; SandboxMissing if no worker holds; SchedulerLost, in the block, when the scheduler ends.
    """
    with connected(address, seconds) as client:
        code = installed(course)
        found: Any = client.run(mode_there, course, unsafe_no_sandbox, mode, code, on_error="return")
        fit, why = places(found), {worker: in_words(said) for worker, said in found.items() if not holds(said)}
        if not fit:
            raise SandboxMissing(f"No worker of {address} can hold submissions.\n" + "\n".join(reasons(why)), why)
        inside = client.get_executor(pure=False, retries=LOST, workers=fit)
        try:
            yield ClusterPool(client, inside, code, why, Absence(address, fit, patience, told))
        except CancelledError as error:  # what Dask's client makes of every task when the scheduler goes
            raise SchedulerLost(
                f"The scheduler at {address} is gone. What was judged is kept: start it and its workers again, or "
                "leave it out, and give the same command."
            ) from error
        finally:
            inside.shutdown(wait=False)  # Dask's own `with` would wait for submissions that nobody judges any more


# ------------------------------------------------------------------------------------------------------- the scheduler
@contextlib.contextmanager
def connected(address: str, seconds: float) -> Iterator[Any]:
    """Dask's client of a scheduler that has a worker. Raises ClusterMissing."""
    try:
        from distributed import Client
        from distributed.utils import silence_logging_cmgr as silent
    except ImportError as error:
        raise ClusterMissing("A scheduler needs the extra `cluster`: pip install 'gradschool[cluster]'") from error
    with silent("CRITICAL"), silent("CRITICAL", "distributed.client"):  # what goes wrong is raised, and said once
        try:
            check_address(address)
            client = Client(address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise ClusterMissing(
                f"There is no scheduler at {address} to be reached: {error}. Expected the address that "
                "`dask scheduler` says, as in tcp://10.0.0.1:8786, with certificates tls://10.0.0.1:8786."
            ) from error
        with client:
            try:
                client.wait_for_workers(1, timeout=seconds)
            except TimeoutError as error:
                raise ClusterMissing(
                    f"The scheduler at {address} has no workers after {seconds:g} seconds: start some with "
                    f"`dask worker {address} --nthreads 1`."
                ) from error
            yield client


def check_address(address: str) -> None:
    """Raises ValueError for what can be no address: a client that was made for it takes minutes to end."""
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.security import Security

    scheme, place = parse_address(address)
    parse_host_port(place)
    if scheme not in ("tcp", "tls"):
        raise ValueError(f"it begins with {scheme}://, and not with tcp:// or tls://")
    context = Security().get_connection_args("client")["ssl_context"]  # read from Dask's configuration
    if scheme == "tls" and context is None:
        raise ValueError("Dask's configuration, distributed.comm.tls, names no certificates for a client")


# ----------------------------------------------------------------------------------------------------------- workers
def places(found: Mapping[str, Any]) -> list[str]:
    """Where submissions may go: machines all of whose workers hold, by name, and of others the workers that do."""
    from distributed.comm.addressing import get_address_host

    mixed = {get_address_host(worker) for worker, words in found.items() if not holds(words)}
    hosts = {worker: get_address_host(worker) for worker, words in found.items() if holds(words)}
    return sorted({worker if host in mixed else host for worker, host in hosts.items()})


def may_judge(worker: str, fit: Collection[str]) -> bool:
    from distributed.comm.addressing import get_address_host

    return worker in fit or get_address_host(worker) in fit


def holds(words: Any) -> bool:
    return type(words) is str and not words.startswith("!")


def in_words(said: Any) -> str:
    """Why a worker does not judge, from what it answered or from what became of asking it."""
    return str(said).removeprefix("!") if isinstance(said, str) else f"it could not be asked: {said}"


def reasons(why: Mapping[str, str]) -> list[str]:
    """The workers by the reason that they have in common."""
    alike: dict[str, list[str]] = {}
    for worker, words in sorted(why.items()):
        alike.setdefault(words, []).append(worker)
    return [f"{', '.join(workers)}: {words}" for words, workers in alike.items()]


def mode_there(course: str, unsafe_no_sandbox: bool, mode: str, here: Mapping[str, str]) -> str:
    """The mode in which this worker judges; after "!" why it cannot."""
    try:
        check_code(course, here)
        return workers_of(course, unsafe_no_sandbox, mode).mode
    except (SandboxMissing, OtherCode) as error:
        return f"!{error}"
    except Exception as error:
        return f"!{type(error).__name__}: {error}"


def check_code(course: str, here: Mapping[str, str]) -> None:
    """Raises OtherCode unless this machine has the coordinator's."""
    there = installed(course)
    others = [name for name in here if there.get(name) != here[name]]
    if others:
        told = ", ".join(f"{name} {there.get(name, 'missing')} there and {here[name]} here" for name in others)
        raise OtherCode(f"its verdicts may be other ones: {told}. Install the same on both, and start it again.")


@functools.cache  # a worker goes on with the code that it began with
def installed(place: str) -> dict[str, str]:
    """What a verdict depends on: the versions of Python and NumPy, and the code of the judge, the course and its
    references, each package by the beginning of its SHA-256."""
    modules = {__name__, resolved(place), *(e.plain.__module__ for e in load_course(place).exercises)}
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "NumPy": np.__version__}
    for name in sorted({module.partition(":")[0].partition(".")[0] for module in modules}):
        digest = hashlib.sha256()
        for path, at in files_of([name]):
            if path.suffix == ".py":
                digest.update(f"{at.as_posix()}\0".encode() + path.read_bytes())
        found[name] = digest.hexdigest()[:8]
    return found


def judge_there(work: Callable[[Task], Judged], task: Task, code: Mapping[str, str]) -> Judged:
    """The work done on a worker of the cluster, whose address stands in the result. Raises OtherCode."""
    from distributed import get_worker

    check_code(task.course, code)
    return replace(work(task), worker=str(get_worker().address))
