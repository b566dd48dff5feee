"""Spreading tasks over an executor: a few at a time, and again where a process died that held them.

    for task, future in spread(tasks, lambda: own_pool(jobs), judge_task, ahead=4 * jobs):
        future.result()                 # or the error that the task itself came to

Only as many tasks as are needed to keep everybody busy are handed over, so that the memory of who hands them out does
not grow with the class. When a process dies the whole pool of `concurrent.futures` is lost: what was under way is
handed to a new one. A task that was under way in `TRIES` such deaths is given up, as it may be what kills them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from typing import Any, TypeVar

__all__ = ["TRIES", "spread"]

T = TypeVar("T")
TRIES = 4


def spread(
    tasks: Iterable[T], opened: Callable[[], AbstractContextManager[Executor]], work: Callable[[T], Any], ahead: int
) -> Iterator[tuple[T, Future[Any]]]:
    """Each task with its finished future, in the order in which they finish."""
    waiting, deaths = deque(enumerate(tasks)), Counter[int]()
    while waiting:
        under_way: dict[Future[Any], tuple[int, T]] = {}
        lost: list[tuple[int, T]] = []
        with opened() as pool:
            try:
                broken = False
                while (waiting and not broken) or under_way:
                    broken = broken or not hand_over(pool, work, waiting, under_way, ahead)
                    if not under_way and not lost:
                        raise BrokenExecutor("the executor takes no task at all")
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        number, task = under_way.pop(future)
                        died = isinstance(future.exception(), BrokenExecutor)
                        broken, deaths[number] = broken or died, deaths[number] + died
                        if died and deaths[number] < TRIES:
                            lost.append((number, task))
                        else:
                            yield task, future
            except BaseException:
                for future in under_way:
                    future.cancel()
                raise
        waiting.extendleft(sorted(lost, key=lambda item: item[0], reverse=True))


def hand_over(
    pool: Executor, work: Callable[[T], Any], waiting: deque[tuple[int, T]], under_way: dict[Any, Any], ahead: int
) -> bool:
    """Hand over tasks until so many are under way. Whether the executor took them."""
    try:
        while waiting and len(under_way) < ahead:
            under_way[pool.submit(work, waiting[0][1])] = waiting[0]
            waiting.popleft()
    except BrokenExecutor:
        return False
    return True
