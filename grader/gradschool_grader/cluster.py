"""Judging on a Dask cluster: an executor like any other, of machines that were tried before they get anything.

    with cluster_pool("tcp://10.0.0.1:8786", course="gradschool") as pool:      # needs the extra `cluster`
        future = pool.submit(judge_task, task)

Every worker of the cluster is asked in which mode of the sandbox it can hold submissions; one that is below the wanted
mode is told nothing. A worker that is lost has its submissions judged elsewhere, by Dask itself, and may come back:
where all workers of a machine hold, submissions are bound to the machine and not to its processes. Results stream back
as they finish; each says which worker and which mode graded it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Executor
from typing import Any

from .grading import Task, judge_task, workers_of
from .journal import Judged
from .sandbox import SandboxMissing

__all__ = ["SchedulerLost", "cluster_pool", "judge_there"]

LOST = 5  # workers that a submission may lose before it is taken for the reason


class SchedulerLost(RuntimeError):
    """The cluster's scheduler ended in the middle of a run."""


@contextlib.contextmanager
def cluster_pool(
    address: str, course: str, unsafe_no_sandbox: bool = False, mode: str = "", seconds: float = 60.0
) -> Iterator[Executor]:
    """An executor over the workers that hold. Raises SandboxMissing if none does, and says why of each; SchedulerLost,
    in the block, when the scheduler ends."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError("a scheduler needs the extra `cluster`: pip install 'gradschool[cluster]'") from error
    with Client(address, timeout=seconds, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=seconds)
        found: Any = client.run(mode_there, course, unsafe_no_sandbox, mode, on_error="return")
        fit = places(found)
        if not fit:
            why = {worker: str(words).removeprefix("!") for worker, words in found.items()}
            raise SandboxMissing(f"no worker of {address} can hold submissions: {why}", why)
        with client.get_executor(pure=False, retries=LOST, workers=fit) as pool:
            try:
                yield pool
            except CancelledError as error:  # what Dask's client makes of every task when the scheduler goes
                raise SchedulerLost(
                    f"The scheduler at {address} is gone. What was judged is kept: start it again, or leave it out, "
                    "and give the same command."
                ) from error


def places(found: Mapping[str, Any]) -> list[str]:
    """Where submissions may go: machines all of whose workers hold, by name, and of others the workers that do."""
    from distributed.comm.addressing import get_address_host

    holds = {worker: type(words) is str and not words.startswith("!") for worker, words in found.items()}
    mixed = {get_address_host(worker) for worker, fine in holds.items() if not fine}
    hosts = {worker: get_address_host(worker) for worker, fine in holds.items() if fine}
    return sorted({worker if host in mixed else host for worker, host in hosts.items()})


def mode_there(course: str, unsafe_no_sandbox: bool, mode: str) -> str:
    """The mode in which this worker judges; after "!" why it cannot."""
    try:
        return workers_of(course, unsafe_no_sandbox, mode).mode
    except Exception as error:
        return f"!{type(error).__name__}: {error}"


def judge_there(task: Task) -> Judged:
    """judge_task on a worker of the cluster, whose address stands in the result."""
    from dataclasses import replace

    from distributed import get_worker

    return replace(judge_task(task), worker=str(get_worker().address))


def task_for(pool: Any) -> Any:
    """What an executor is asked to do: on a cluster the result says where it was done."""
    return judge_there if type(pool).__name__ == "ClientExecutor" else judge_task
