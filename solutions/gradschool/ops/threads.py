"""Work shared out among threads: NumPy gives up Python's lock in its long calls, so that several can run at a time.

    each(block, blocks)                                 # block(item) for every item, in any order and place
    with OneBeside() as beside: beside(f)               # f, while this thread goes on

There are as many threads as BLAS may use, whether the environment said so (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS) or
a program while it ran. None is started before there is work for it. Results do not depend on how many there are, if
`block` writes to places of its own.

    with single_blas: ...                               # no threads but these
    with blas_alone(): ...                              # none of these, but BLAS's
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .blas import found, named, small_kernels


def each(f: Callable[[Any], object], items: Sequence[Any]) -> None:
    """f(item) for all items, with BLAS in a single thread if there are several here. An exception ends the thread that
    it comes up in, and is raised when all have ended."""
    threads = min(len(items), blas_threads()) if len(items) > 1 else 1
    left = iter(items)

    def work() -> None:
        for item in left:  # whoever comes next takes the next one
            f(item)

    if threads == 1:
        work()
        return
    within = shared.set(True)
    try:
        with single_blas:
            helpers = list(helpers_at(work, threads - 1))
            try:
                work()
            finally:
                failed = [helper.exception() for helper in helpers if not helper.cancel()]
    finally:
        shared.reset(within)
    for error in filter(None, failed):
        raise error


class OneBeside:
    """`with OneBeside() as beside`: within, beside(f) has another thread do f, after what it was given before; at the
    end all is done. Where there is no other thread, or it is not worth it, f is done at once. What f raises is raised
    by the next call, or at the end."""

    def __init__(self, worth: bool = True) -> None:
        self.worth, self.given = worth, list[tuple[Callable[[], object], Any]]()

    def __enter__(self) -> OneBeside:
        self.alone = not self.worth or blas_threads() == 1
        if not self.alone:
            single_blas.__enter__()
        return self

    def __call__(self, f: Callable[[], object]) -> None:
        self.wait()
        helper = [] if self.alone else list(helpers_at(f, 1))
        if helper:
            self.given.append((f, helper[0]))
        else:
            f()

    def wait(self) -> None:
        """Until it is done; whoever waits does it himself if nobody has begun."""
        while self.given:
            f, helper = self.given.pop()
            if helper.cancel():
                f()
            else:
                helper.result()

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            if not self.alone:
                single_blas.__exit__()


def helpers_at(work: Callable[[], object], n: int) -> Iterator[Any]:
    """Threads that begin with it; none once the program is about to end, which lets nobody start any."""
    with contextlib.suppress(RuntimeError):
        for _ in range(n):
            yield helper_threads(os.getpid(), n).submit(in_context(), work)


class SingleBlas:
    """Within, BLAS uses one thread, in the whole process, and large products are shared out by `each`. OpenBLAS's own
    threads wait for the next product by running idle, for some 30 ms, in the way of those that have work."""

    def __init__(self) -> None:
        self.lock, self.within, self.before = threading.Lock(), 0, 1

    def __enter__(self) -> None:
        with self.lock:
            if not self.within:  # whoever comes first remembers what there was, whoever leaves last puts it back
                self.before = max(1, question()())
                setting()(1)
            self.within += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.within = max(0, self.within - 1)  # 0 already, if the process was forked within
            if not self.within and question()() == 1:  # else somebody has set another number
                setting()(self.before)

    def forked(self) -> None:
        """In the child there is only the thread that forked, and nobody who would give BLAS its threads back."""
        self.lock, within, self.within = threading.Lock(), self.within, 0
        if within:
            setting()(self.before)


@contextlib.contextmanager
def blas_alone() -> Iterator[None]:
    """Within, only BLAS shares out its products, among threads of its own: they wait for the next one awake, and so
    begin sooner than those of `each`, but nobody else's thread gets a processor from them soon."""
    within = shared.set(True)
    try:
        yield
    finally:
        shared.reset(within)


single_blas = SingleBlas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=single_blas.forked)
shared: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "gradschool_shared", default=False
)  # already, or not here


def shares(n: int, most: int | None = None) -> list[slice]:
    """range(n) in at most so many parts of one size, but for the last; as many as there may be threads, unless given"""
    step = max(1, -(-n // (most or blas_threads())))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def in_context() -> Callable[..., Any]:
    """Runs a function with what is set here, such as `np.errstate`."""
    return contextvars.copy_context().run


@functools.cache
def helper_threads(process: int, n: int) -> Any:
    """They belong to a process: one made by a fork has none of its parent's threads."""
    from concurrent.futures import ThreadPoolExecutor  # brings logging, which an import need not wait for

    return ThreadPoolExecutor(n, thread_name_prefix="gradschool")


def blas_threads() -> int:
    """How many threads there may be now: as many as BLAS may use; 1 where it is not OpenBLAS, which can be asked, and
    within `each` and `blas_alone`, whose threads are enough."""
    if shared.get():
        return 1
    return single_blas.before if single_blas.within else max(1, question()())


def quick_if_small() -> bool:
    """Whether BLAS multiplies small matrices sooner than parts of large ones: where it need not arrange them first,
    and has a single thread."""
    return small_kernels() and question()() == 1


def unknown() -> int:
    return 1


@functools.cache
def question() -> Callable[[], int]:
    return found(*named("get_num_threads")) or unknown


@functools.cache
def setting() -> Callable[[int], object]:
    return found(*named("set_num_threads")) or (lambda threads: None)
