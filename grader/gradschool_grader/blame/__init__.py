"""Which expression of a wrong answer is to blame: the one that, with another value, puts everything right.

    culprit(exercise, seen, text, ask, helpers).text
    # "`np.linalg.norm(H, np.inf)` comes to 10.375. If it came to 8.8622, all that is wrong would come out right."

The answer is run under watch on the calls that failed, and so is the reference. What an expression would have to be is
never said, but to what it would have to come. Only at home: here the answer's text and right numbers meet.

    values      it should come to what some expression of the reference comes to
    multiples   it should come to a multiple of what it comes to, which puts many numbers right at once
    given       it lacks what the call was given
    watch       how a text is run under watch
    both        the two of them, side by side
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ..diagnosis import Seen
from ..exercise import Exercise
from ..observe import Ask, here
from ..source import SourceError, standalone
from .both import Both
from .given import lacks_an_argument
from .multiples import comes_to_a_multiple
from .values import another_value
from .watch import Watched, Watching, watched
from .words import Culprit

__all__ = ["Culprit", "culprit"]

EFFORT = 20_000  # expressions that are evaluated to find one by a value; by other means half as many
KINDS = ("value", "nonfinite", "accepted", "raised", "shape", "property")  # differences that go back to a quantity


def culprit(
    exercise: Exercise,
    seen: Sequence[Seen],
    text: str,
    ask: Ask,
    helpers: Mapping[str, Callable[..., Any]],
    *,
    scaled: bool = False,
) -> Culprit | None:
    """The expression of the answer that is to blame; None if none is found. What is asked defines its names anew.

    `scaled`: all is a multiple of what is right, which many an expression could be to blame for.
    """
    failed = [s for s in seen if s.difference]
    if not failed or not failed[0].difference or failed[0].difference.kind not in KINDS:
        return None
    mine, theirs = watched(text), solution(exercise.plain, exercise.name)
    if mine is None or theirs is None:
        return None
    with (
        Watching(exercise, mine, ask) as own,
        Watching(exercise, theirs, here(exercise, None, helpers, conduct=False)) as reference,
    ):
        return found(Both(exercise, failed, own, reference), scaled) if own.runs and reference.runs else None


def found(both: Both, scaled: bool) -> Culprit | None:
    if not both.can_be_read:
        return None
    by_value = another_value(both, EFFORT)
    both.side.effort = EFFORT // 2
    earlier = None if scaled else comes_to_a_multiple(both, by_value[0] if by_value else None)
    if earlier or by_value or scaled:
        return earlier or (by_value[1] if by_value else None)
    both.side.effort = EFFORT // 2
    return lacks_an_argument(both)


@cache
def solution(reference: Callable[..., Any], name: str) -> Watched | None:
    """The reference's text under watch."""
    try:
        return watched(f"import numpy as np\n{standalone(reference, name=name)}", whole=True)
    except SourceError:
        return None
