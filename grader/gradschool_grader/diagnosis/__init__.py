"""From a wrong answer to the mistake: a known misconception, else a structural reading, else where it first diverges.

    diagnose(exercise, seen, answers).text      # "Your answer behaves as if ..."; None if nothing failed

A name is given only where it explains everything that was seen: a misconception must behave like the answer on every
group that failed, a structural reading must map expected to got in every entry of every differing array.

    known       the exercise's misconceptions, also one for each part, or one and a wrong sign besides
    refused     whether a misconception is refused as the answer is, where right answers differ
    form        the right things in another form: one item alone, in another order, in another type
    repeated    items that should differ and are all alike
    relatives   the reference with an option left out, two arguments exchanged, a table transposed (derived), with
                something else in the place of one (arguments); with one small thing in it changed (switched, syntax),
                or whole lines of it (lines); everywhere, or in a part of what is returned
    objects     what the answers of an object's methods say by themselves: one call late, never changing
    altered     objects that live otherwise than the reference's: they share what they remember, forget, do not hear
    memory      the weights with which an object remembers what it was told
    structure   what the numbers say; a file for each family of readings: scale, layout, reduction, terms, functions,
                digits, where, exchanged
    following   whether the wrong parts that are not explained follow from those that are
    calls       what the wrong calls have in common
    sequences   one step ahead or behind; the first quantity that diverges
    bend        whether the error is largest at a bend
    besides     what wrong numbers come with: an input that is changed, memory that is shared
    circumstances  of what went wrong first, where nothing explains it
    words       what needs no numbers, and the worst entry
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..answers import Answers
from ..exercise import Exercise
from ..verdict import Diagnosis
from .altered import AlteredLives
from .bend import bend
from .besides import misconduct, remembered, without_conduct
from .calls import which_calls
from .circumstances import circumstances, right_beside, right_methods
from .form import another_form
from .known import InParts, in_these, known, known_in_parts, two_known
from .memory import linear_memory
from .objects import Lives, of_objects
from .relatives import Relatives
from .repeated import repeated
from .seen import Seen, passed
from .sequences import first_to_diverge, listed, part_over_steps, shifted_step
from .structure import any_reading, gave_numbers, one_factor, plain_reading
from .words import PARTS, could_not_begin, direction, is_later, lower, plain_words, signature_words, worst_entry

SCALE = ("factor", "sign", "some ", "where ")
NOTHING = ("nan", "infinity")  # what came is no number, and says nothing of where it comes from
FORMS = ("shape", "dtype", "type")  # differences that say more than which part is wrong
PLACES_ALONE = ("one_part", "where", "band", "level", "one_for_all")  # a place is no reason, if there is one

__all__ = ["Seen", "could_not_begin", "diagnose", "signature_words"]


def diagnose(exercise: Exercise, seen: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """The first explanation that applies, or None if nothing failed, in the words in which it is shown."""
    found = explained(exercise, seen, answers)
    if found is None:
        return None
    left = [s for s in seen if exercise.is_class and found.text.endswith(f"This does not explain `{s.group.name}`.")]
    there = "".join(circumstances(exercise, s) for s in left)
    return replace(found, text=found.text + there + of_others(exercise, found.also))


def of_others(exercise: Exercise, names: Sequence[str]) -> str:
    """What else the answer behaves as, in the words of those misconceptions."""
    says = {m.name: m.says or m.name.replace("_", " ") for m in exercise.misconceptions}
    return f" Elsewhere it behaves as if {' and as if '.join(says[name] for name in names)}." if names else ""


def explained(exercise: Exercise, seen: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """The same as it is found. Calls that could not begin come last."""
    failed = [s for s in seen if s.difference]
    if not failed:
        return None
    began = [s for s in failed if not could_not_begin(s)]
    if not began:
        found = known(exercise, seen, failed, answers) if is_later(failed[0]) else None
        return found or Diagnosis("signature", "signature", signature_words(exercise, failed[0]))
    found = known(exercise, seen, began, answers)
    if found:
        return found
    again = remembered(exercise, seen)
    if again:
        return again
    besides = misconduct(exercise, seen)
    bare = explained(exercise, without_conduct(seen), answers) if besides else None
    if bare:
        return replace(bare, text=bare.text + besides)
    in_parts, words = known_in_parts(exercise, began, answers), plain_words(began[0])
    if words:
        return whole(exercise, seen, answers, in_parts) if in_parts else beside_numbers(exercise, seen, words, answers)
    return read(exercise, seen, began, answers, in_parts)


def beside_numbers(exercise: Exercise, seen: Sequence[Seen], words: Diagnosis, answers: Answers) -> Diagnosis:
    """What needs no numbers, and, where other parts gave wrong numbers, what explains those."""
    others = [s for s in seen if s.difference and plain_words(s) is None]
    found = explained(exercise, [*others, *passed(seen)], answers) if others else None
    if found is None or found.kind not in ("misconception", "structure") or not is_reason(found):
        return words
    names = [s.group.name for s in others]
    here = found.text if found.text.startswith(PARTS) else f"{in_these(names)}: {lower(found.text)}"
    return replace(words, text=f"{words.text} {here}", hint=found.hint, detail=found.detail)


def whole(exercise: Exercise, seen: Sequence[Seen], answers: Answers, in_parts: InParts) -> Diagnosis:
    """What is known of some parts, and what can be said of the others."""
    found, rest = in_parts.diagnosis, in_parts.rest
    if not rest:
        return found
    other = explained(exercise, [*rest, *passed(seen)], answers)
    names = [s.group.name for s in rest]
    if other and other.kind in ("misconception", "structure"):
        here = other.text if other.text.startswith(PARTS) else f"{in_these(names)}: {lower(other.text)}"
        return replace(found, text=f"{found.text} {here}")
    return replace(found, text=f"{found.text} This does not explain {listed(names)}.")


def is_reason(found: Diagnosis | None) -> bool:
    """Whether it explains what is wrong, and does not only say which part of it."""
    return found is not None and found.kind != "close" and found.name != "one_part"


def read(
    exercise: Exercise, seen: Sequence[Seen], failed: Sequence[Seen], answers: Answers, in_parts: InParts | None
) -> Diagnosis:
    """What comes plainly out of form and numbers first, then what takes more than one thing to say."""
    otherwise = another_form(failed) or repeated(exercise, failed)
    if otherwise:
        return otherwise
    everything, wrong = gave_numbers(exercise, failed)
    relatives = Relatives(exercise, failed, answers, passed(seen))
    objects, altered = Lives(exercise, seen, failed), AlteredLives(exercise, seen, failed, answers)
    with np.errstate(all="ignore"):  # candidates may divide by zero: then they explain nothing
        found = (
            plain_reading(everything, wrong)
            or of_objects(objects)
            or relatives.called_otherwise()
            or altered.told()
            or linear_memory(objects)
            or (in_parts and whole(exercise, seen, answers, in_parts))
            or two_known(exercise, failed, answers)
            or one_factor(everything, wrong)
            or relatives.changed(named=True)
            or any_reading(everything, wrong, relatives.following)
        )
        if not found or found.kind == "close" or found.name in PLACES_ALONE:
            found = (
                part_over_steps(exercise, seen, failed)
                or relatives.changed(named=False)
                or relatives.in_part()
                or altered.remembered()
                or found
            )
            alone = None if is_reason(found) else (relatives.in_some_groups() or altered.in_some_groups())
            found = whole(exercise, seen, answers, alone) if alone else found
    only_scale = found is not None and found.name.startswith(SCALE)  # of an object: of which of its methods?
    common = which_calls(exercise, seen) if not is_reason(found) or (exercise.is_class and only_scale) else None
    if found and is_reason(found):
        besides = f" {common.text}" if common else circumstances(exercise, failed[0]) if found.name in NOTHING else ""
        return replace(found, text=found.text + besides)
    shifted = shifted_step(failed)
    if shifted:
        return shifted
    first, there = failed[0], circumstances(exercise, failed[0])
    if common and found:
        return replace(found, text=f"{found.text} {common.text}", hint=found.hint or common.hint)
    if found and found.name == "one_part":
        form = f"{first.difference.words} " if first.difference and first.difference.kind in FORMS else ""
        return replace(found, text=form + found.text + there)
    last = common or found
    if last:
        return last
    diverges = first_to_diverge(exercise, first)
    if diverges:
        return replace(diverges, text=diverges.text + there)
    return worst_entry(
        first, direction(wrong) + bend(wrong) + there + right_beside(exercise, first) + right_methods(exercise, seen)
    )
