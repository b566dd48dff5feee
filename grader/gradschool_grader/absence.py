"""Nobody left to judge: said after a while, when it began and what to try, and the end of the run after a limit.

absence = Absence("tcp://10.0.0.1:8786", ["10.0.0.3"], limit=600, told=print)
absence.look(there=False)        # as often as one likes; raises WorkersLost when the limit is reached
absence.over()                   # a result came: somebody is there
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

__all__ = ["Absence", "WorkersLost"]

UNSAID = 20.0  # seconds: a process that died is started again within a few


class WorkersLost(RuntimeError):
    """All workers of a cluster went in the middle of a run, and none came back in time."""


@dataclass
class Absence:
    """How long nobody has been there of a scheduler's workers at `places`, by a clock that counts seconds."""

    address: str
    places: Collection[str]
    limit: float
    told: Callable[[str], None] = lambda words: None
    clock: Callable[[], float] = time.monotonic
    since: float | None = None
    said: bool = False

    def look(self, there: bool) -> None:
        """Raises WorkersLost."""
        if there:
            self.over()
            return
        now = self.clock()
        self.since = now if self.since is None else self.since
        waited = now - self.since
        if waited >= self.limit:
            raise WorkersLost(
                f"All workers of {self.address} have been gone for {lasting(waited)}, so the run ends. What was judged "
                f"is kept: start them again on {self.where}, or leave out the scheduler, and give the same command."
            )
        if waited >= UNSAID and not self.said:
            self.said = True
            self.told(
                f"All workers of {self.address} have been gone for {lasting(waited)}; the run waits for them. Start "
                f"them again on {self.where}: `dask worker {self.address} --nthreads 1`. Without any it ends "
                f"in {lasting(self.limit - waited)}, and the same command goes on from there."
            )

    def over(self) -> None:
        said, self.since, self.said = self.said, None, False
        if said:
            self.told(f"Workers of {self.address} are there again.")

    @property
    def where(self) -> str:
        return ", ".join(self.places)


def lasting(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
