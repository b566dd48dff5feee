"""Work shared out among threads: NumPy gives up Python's lock in its long calls, so that several can run at a time.

    each(block, blocks)                                 # block(item) for every item, in any order and place
    with OneBeside() as beside: beside(f)               # f, while this thread goes on

There are as many threads as BLAS may use, whether the environment said so (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS) or
a program while it ran. None is started before there is work for it. Results do not depend on how many there are, if
`block` writes to places of its own.

    with SingleBlas(): ...                              # no threads but these
    with BlasAlone(): ...                               # none of these, but BLAS's
"""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
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
    with Unshared(), SingleBlas():
        helpers = list(helpers_at(work, threads - 1))
        try:
            work()
        finally:
            failed = [helper.ended() for helper in helpers]
    for error in filter(None, failed):
        raise error


class OneBeside:
    """`with OneBeside() as beside`: within, beside(f) has another thread do f, after what it was given before; at the
    end all is done. Where there is no other thread, or it is not worth it, f is done at once. What f raises is raised
    by the next call, or at the end."""

    def __init__(self, worth: bool = True) -> None:
        self.worth, self.given = worth, list[Work]()

    def __enter__(self) -> OneBeside:
        self.alone = not self.worth or blas_threads() == 1
        self.blas = contextlib.nullcontext() if self.alone else SingleBlas()
        self.blas.__enter__()
        return self

    def __call__(self, f: Callable[[], object]) -> None:
        self.wait()
        self.given[:] = [] if self.alone else helpers_at(f, 1)
        if not self.given:
            f()

    def wait(self) -> None:
        """Until it is done; whoever waits does it himself if nobody has begun."""
        while self.given:
            work = self.given.pop()
            if work.claim():
                work.f()
            elif error := work.ended():
                raise error

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            self.blas.__exit__(None, None, None)


# ------------------------------------------------------------------------------------------------------------- helpers
# An interrupt may come between any two lines of the thread that works, also while it holds a lock: of an executor's
# locks one that is not given back would stop all that comes. What is used here gives way in one indivisible step each:
# a queue, a list from which one is taken, and a lock that only the other thread gives back.
class Work:
    """A function for another thread, which `claim` allows to be begun once; `ended` waits for it."""

    def __init__(self, f: Callable[[], object]) -> None:
        self.f, self.context, self.tokens = f, contextvars.copy_context(), [None]
        self.error: BaseException | None = None
        self.done = _thread.allocate_lock()
        self.done.acquire()

    def claim(self) -> bool:
        try:
            self.tokens.pop()
        except IndexError:
            return False
        return True

    def run(self) -> None:
        try:
            self.context.run(self.f)  # with what is set there, such as `np.errstate`
        except BaseException as error:
            self.error = error
        finally:
            self.done.release()

    def ended(self) -> BaseException | None:
        """What it raised, once it has ended; None also if nobody had begun it, and nobody will."""
        if self.claim():
            return None
        with self.done:
            return self.error


def helpers_at(f: Callable[[], object], n: int) -> Iterator[Work]:
    """Threads that begin with it; none once the program is about to end, which lets nobody start any."""
    with contextlib.suppress(RuntimeError):
        for _ in range(n):
            work = Work(f)
            helper_threads(os.getpid(), n).put(work)
            yield work


@functools.cache
def helper_threads(process: int, n: int) -> SimpleQueue[Work]:
    """Where n threads take their work from. They belong to a process: one made by a fork has none of its parent's."""
    queue: SimpleQueue[Work] = SimpleQueue()
    for _ in range(n):
        _thread.start_new_thread(serve, (queue,))
    return queue


def serve(queue: SimpleQueue[Work]) -> None:
    while True:
        work = queue.get()
        if work.claim():
            work.run()
        del work  # and the arrays that it is about


# ---------------------------------------------------------------------------------------------------- how many threads
class Ended:
    """What a `Within` becomes: nothing is left to be done when it goes."""


class Within:
    """A setting that holds within a block. It is given back at the end of the block; where an interrupt came just then,
    once nothing refers to this any more, which is soon."""

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()
        self.__class__ = Ended  # type: ignore[assignment]  # __del__ would swallow an interrupt that comes while it runs

    def __del__(self) -> None:
        self.end()

    def begin(self) -> None: ...

    def end(self) -> None:
        """May come twice, and before `begin` is through."""


class SingleBlas(Within):
    """Within, BLAS uses one thread, in the whole process, and large products are shared out by `each`. OpenBLAS's own
    threads wait for the next product by running idle, for some 30 ms, in the way of those that have work."""

    lock, count, before = threading.RLock(), 0, 1  # of all of them
    first = counted = False

    def begin(self) -> None:
        with SingleBlas.lock:
            if not SingleBlas.count:  # whoever comes first remembers what there was, whoever leaves last puts it back
                SingleBlas.before, self.first = max(1, question()()), True  # between two values that are stored no
                setting()(1)  # interrupt comes, but one may come after each call
            SingleBlas.count, self.counted = SingleBlas.count + 1, True

    def end(self) -> None:
        with SingleBlas.lock:
            within = self.first or self.counted
            # 0 already, if the process was forked within
            SingleBlas.count, self.counted = max(0, SingleBlas.count - self.counted), False
            if within and not SingleBlas.count and question()() == 1:  # else somebody has set another number
                setting()(SingleBlas.before)


def forked() -> None:
    """In the child there is only the thread that forked, and nobody who would give BLAS its threads back."""
    within, SingleBlas.count, SingleBlas.lock = SingleBlas.count, 0, threading.RLock()
    if within:
        setting()(SingleBlas.before)


class Unshared(Within):
    """Within, nothing more is shared out among threads."""

    before: bool | None = None

    def begin(self) -> None:
        self.before = shared.get()
        shared.set(True)  # an interrupt would lose the token that this returns

    def end(self) -> None:
        if self.before is not None:
            shared.set(self.before)


class BlasAlone(Unshared):
    """Within, only BLAS shares out its products, among threads of its own: they wait for the next one awake, and so
    begin sooner than those of `each`, but nobody else's thread gets a processor from them soon."""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)
shared: contextvars.ContextVar[bool] = contextvars.ContextVar("gradschool_shared", default=False)  # all there are


def shares(n: int, most: int | None = None) -> list[slice]:
    """range(n) in at most so many parts of one size, but for the last; as many as there may be threads, unless given"""
    step = max(1, -(-n // (most or blas_threads())))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def joined(groups: Sequence[list[Any]], most: int) -> list[list[Any]]:
    """Lists of items in at most so many lists, each of them whole in one"""
    return [list(itertools.chain(*groups[some])) for some in shares(len(groups), most)]


def blas_threads() -> int:
    """How many threads there may be now: as many as BLAS may use; 1 where it is not OpenBLAS, which can be asked, and
    within `each` and `BlasAlone`, whose threads are enough."""
    if shared.get():
        return 1
    return SingleBlas.before if SingleBlas.count else max(1, question()())


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
