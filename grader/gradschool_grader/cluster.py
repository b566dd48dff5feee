"""Judging on a Dask cluster: an executor like any other, of machines that were tried before they get anything.

    with cluster_pool("tcp://10.0.0.1:8786", course="gradschool") as pool:      # needs the extra `cluster`
        future = pool.submit(judge_task, task)

Every worker of the cluster is asked in which mode of the sandbox it can hold submissions; one that is below the wanted
mode, or has other code of the judge or the course, is told nothing. A worker that is lost has its submissions judged
elsewhere, by Dask itself, and may come back: where all workers of a machine hold, submissions are bound to the machine
and not to its processes. Results stream back as they finish; each says which worker and which mode graded it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Executor
from typing import Any

import numpy as np

from .course import load_course
from .gradescope import files_of, resolved
from .grading import Task, judge_task, workers_of
from .journal import Judged
from .sandbox import SandboxMissing

__all__ = ["ClusterMissing", "SchedulerLost", "cluster_pool", "judge_there"]

LOST = 5  # workers that a submission may lose before it is taken for the reason


class ClusterMissing(RuntimeError):
    """There is no Dask, no scheduler at an address, or it has no workers; the message says which, and what to do."""


class SchedulerLost(RuntimeError):
    """The cluster's scheduler ended in the middle of a run."""


@contextlib.contextmanager
def cluster_pool(
    address: str, course: str, unsafe_no_sandbox: bool = False, mode: str = "", seconds: float = 60.0
) -> Iterator[Executor]:
    """An executor over the workers that hold; its `refused` says why the others do not.

    Raises ClusterMissing; SandboxMissing if no worker holds; SchedulerLost, in the block, when the scheduler ends.
    """
    with connected(address, seconds) as client:
        found: Any = client.run(mode_there, course, unsafe_no_sandbox, mode, installed(course), on_error="return")
        fit, why = (
            places(found),
            {worker: str(words).removeprefix("!") for worker, words in found.items() if not holds(words)},
        )
        if not fit:
            raise SandboxMissing(f"No worker of {address} can hold submissions.\n{in_lines(why)}", why)
        with client.get_executor(pure=False, retries=LOST, workers=fit) as pool:
            pool.refused = why
            try:
                yield pool
            except CancelledError as error:  # what Dask's client makes of every task when the scheduler goes
                raise SchedulerLost(
                    f"The scheduler at {address} is gone. What was judged is kept: start it again, or leave it out, "
                    "and give the same command."
                ) from error


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
                "`dask scheduler` says, as in tcp://10.0.0.1:8786."
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


def holds(words: Any) -> bool:
    return type(words) is str and not words.startswith("!")


def in_lines(why: Mapping[str, str]) -> str:
    """The workers by the reason that they have in common."""
    alike: dict[str, list[str]] = {}
    for worker, words in sorted(why.items()):
        alike.setdefault(words, []).append(worker)
    return "\n".join(f"{', '.join(workers)}: {words}" for words, workers in alike.items())


def mode_there(course: str, unsafe_no_sandbox: bool, mode: str, here: Mapping[str, str]) -> str:
    """The mode in which this worker judges; after "!" why it cannot."""
    try:
        there = installed(course)
        others = [name for name in here if there.get(name) != here[name]]
        if others:
            told = ", ".join(f"{name} {there.get(name, 'missing')} there and {here[name]} here" for name in others)
            return f"!its verdicts may be other ones: {told}. Install the same on both, and start it again."
        return workers_of(course, unsafe_no_sandbox, mode).mode
    except SandboxMissing as error:
        return f"!{error}"
    except Exception as error:
        return f"!{type(error).__name__}: {error}"


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


def judge_there(task: Task) -> Judged:
    """judge_task on a worker of the cluster, whose address stands in the result."""
    from dataclasses import replace

    from distributed import get_worker

    return replace(judge_task(task), worker=str(get_worker().address))


def task_for(pool: Any) -> Any:
    """What an executor is asked to do: on a cluster the result says where it was done."""
    return judge_there if type(pool).__name__ == "ClientExecutor" else judge_task
