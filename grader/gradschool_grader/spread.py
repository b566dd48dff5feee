"""Spreading tasks over an executor: a few at a time, and again where a process died that held them.

    for task, future in spread(tasks, lambda: own_pool(jobs), judge_task, ahead=4 * jobs):
        future.result()                 # or the error that the task itself came to

Only as many tasks as are needed to keep everybody busy are handed over, so that the memory of who hands them out does
not grow with the class. When a process dies the whole pool of `concurrent.futures` is lost: what was under way is
handed to a new one. A task that was under way in `TRIES` such deaths is given up, as it may be what kills them.
Whenever nothing has finished for `PAUSE` seconds `quiet` is called, which may end the run by raising.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

__all__ = ["TRIES", "spread"]

T = TypeVar("T")
TRIES = 4
PAUSE = 5.0


def spread(
    tasks: Iterable[T],
    opened: Callable[[], AbstractContextManager[Executor]],
    work: Callable[[T], Any],
    ahead: int,
    quiet: Callable[[], None] = lambda: None,
    pause: float = PAUSE,
) -> Iterator[tuple[T, Future[Any]]]:
    """Each task with its finished future, in the order in which they finish. Tasks are taken as they are needed."""
    waiting, deaths = Waiting(tasks), Counter[int]()
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
                    finished = wait(under_way, pause, return_when=FIRST_COMPLETED).done
                    if not finished:
                        quiet()
                    for future in finished:
                        number, task = under_way.pop(future)
                        if isinstance(future.exception(), BrokenExecutor):
                            broken, deaths[number] = True, deaths[number] + 1
                            if deaths[number] < TRIES:
                                lost.append((number, task))
                                continue
                        yield task, future
            except BaseException:
                for future in under_way:
                    future.cancel()
                raise
        waiting.first.extendleft(sorted(lost, key=lambda item: item[0], reverse=True))


class Waiting(Generic[T]):
    """Tasks with their numbers; of those that were never handed over only the next one is there yet."""

    def __init__(self, tasks: Iterable[T]):
        self.rest, self.first = enumerate(tasks), deque[tuple[int, T]]()

    def __bool__(self) -> bool:
        if not self.first:
            self.first.extend(itertools.islice(self.rest, 1))
        return bool(self.first)


def hand_over(
    pool: Executor, work: Callable[[T], Any], waiting: Waiting[T], under_way: dict[Any, Any], ahead: int
) -> bool:
    """Hand over tasks until so many are under way. Whether the executor took them."""
    try:
        while len(under_way) < ahead and waiting:
            under_way[pool.submit(work, waiting.first[0][1])] = waiting.first[0]
            waiting.first.popleft()
    except BrokenExecutor:
        return False
    return True
