"""What the numbers say when no known mistake explains them: one reading, two at once, one for each part, or close.

Nothing is named that leaves a wrong entry unexplained, except in so many words: "close to", and which entries are not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..compare import entry
from ..exercise import Exercise
from ..verdict import Diagnosis
from .band import band
from .candidate import (
    MORE,
    NOTHING,
    ONE,
    Candidate,
    Reading,
    agreement,
    candidates,
    contradicted,
    evidence,
    first_that_explains,
)
from .constant import constant, one_for_all
from .digits import nonfinite, precision
from .exchanged import exchanged
from .following import Follows, nothing_follows, of_the_others
from .functions import cut_off, decimals, last_operation
from .known import in_these
from .layout import axes, length, order
from .naming import told
from .ratios import by_row, multiplied, multiplied_apart
from .reduction import shape, too_little, too_much
from .scale import another_size, factor, factor_of_call, offset, proportional, sign
from .seen import Pair, Seen, wholes
from .sequences import listed, right_before
from .terms import terms
from .where import where
from .words import ARRAYS, NUMBERS, WRONG_TOO, lower, said

READINGS: tuple[Reading, ...] = (
    nonfinite, precision, constant, sign, axes, too_little, too_much, shape, length, order, factor, another_size,
    offset, terms, last_operation, decimals, multiplied, cut_off, one_for_all,
)  # fmt: skip
SCALE: tuple[Reading, ...] = (sign, factor)
THERE: tuple[Reading, ...] = (*SCALE, offset, last_operation, multiplied)
ROWS: tuple[Reading, ...] = (multiplied_apart, by_row)
LAYOUT: tuple[Reading, ...] = (axes, too_much, order)
NEARLY = 0.75  # of the wrong entries: what explains fewer is not close
PARTS = 20  # an answer of more parts is a long list: its entries have no mistakes of their own


def gave_numbers(exercise: Exercise, failed: Sequence[Seen]) -> tuple[list[Pair], list[Pair]]:
    """All arrays of the groups that gave numbers, and those of them that are wrong."""
    told = [s for s in failed if s.difference and s.difference.kind != "raised"]
    everything = [pair for s in told for pair in wholes(exercise, s)]
    return everything, [pair for pair in everything if not pair.right]


EVERY = "Every number"  # of all that came, unless only a part is wrong


def plain_reading(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    """One reading with nothing fitted: minus, twice, transposed, divided by the batch."""
    return whole(first_that_explains(READINGS, wrong, fitted=NOTHING), everything, wrong)


def one_factor(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    """The same factor everywhere, whatever it equals: nothing that is changed in a formula says more than that."""
    return whole(first_that_explains((factor,), wrong, fitted=ONE), everything, wrong)


def whole(found: Candidate | None, everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    """A reading that explains all that is wrong, and what is not wrong."""
    if found is None:
        return None
    part, text = only_part(everything, wrong), found.text
    if part and text.startswith(EVERY):
        text = f"In {told(*parts(everything, wrong))} {lower(text)}"
    return said(found.name, text + part, found.hint, found.detail)


def any_reading(
    everything: Sequence[Pair], wrong: Sequence[Pair], follows: Follows = nothing_follows
) -> Diagnosis | None:
    """One that was fitted, two at once, a place, one for each part, or close to one."""
    if not wrong:
        return None
    found = first_that_explains(READINGS, wrong, fitted=ONE) or first_that_explains((composed,), wrong, least=2)
    return (
        whole(found, everything, wrong)
        or whole(first_that_explains((factor_of_call,), wrong), everything, wrong)
        or place(everything, wrong)
        or exchanged(everything, wrong)
        or by_part(everything, wrong, follows)
        or place_in_part(everything, wrong)
        or whole(first_that_explains(READINGS, wrong, fitted=MORE), everything, wrong)
        or whole(first_that_explains(ROWS, wrong), everything, wrong)
        or one_part(everything, wrong)
        or close_to(wrong)
    )


def place(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    """Where it is wrong: a condition that holds there, or a stretch of it; and what is wrong there."""
    found = where(everything, wrong, THERE)
    if not found or found.name.startswith("some "):
        stretch = band(everything, wrong)
        found = replace(stretch, text=f"{stretch.text} {found.text}") if stretch and found else stretch or found
    return replace(found, text=found.text + only_part(everything, wrong)) if found else None


# ------------------------------------------------------------------------------------------------------ two at once
def composed(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """The numbers stand in the wrong places, and are scaled as well."""
    for read in LAYOUT:
        for first in read(wrong):
            moved = [q for p in wrong if (q := replaced(p, first))]
            if len(moved) < len(wrong) or not all(map(proportional, moved)):
                continue
            if all(np.array_equal(p.e, q.e) for p, q in zip(moved, wrong, strict=True)):
                continue
            second = first_that_explains(SCALE, moved)
            if second:
                text = f"Two things at once. {first.text} And besides: {lower(second.text)}"
                free = first.free + second.free
                yield Candidate(f"{first.name} and {second.name}", text, lambda p: (p.a, p.a), free, first.hint)


def replaced(pair: Pair, first: Candidate) -> Pair | None:
    """The pair as if the first mistake were what is expected; None if that says nothing or changes nothing."""
    with np.errstate(all="ignore"):
        both = first.same(pair)
    if both is None or np.shape(both[1]) != pair.a.shape or both[0] is not pair.a:
        return None
    return replace(pair, e=np.asarray(both[1]), carried=None)


# ------------------------------------------------------------------------------------------------------ part by part
def only_part(everything: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    """Whether the error sits in some of the returned arrays only: the biases, the broadcast operand."""
    bad, good = parts(everything, wrong)
    if not good or not all(bad):
        return ""
    both = f" Only {are(told(bad, bad + good))} affected; {are(told(good, bad + good))} right."
    return both + beside_none(everything, wrong)


ITEM, STEP = re.compile(r"^\[\d+\]"), re.compile(r"\[[^\[\]]*\]")  # of a returned tuple; any


def beside_none(everything: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    """Whether the wrong arrays are just those in whose place an argument has None: no gradient, no mask."""
    of = {item_of(p) for p in wrong}
    trees = [nones(p) for p in wrong]
    known = [tree for tree in trees[0] if all(tree in other for other in trees)] if trees else []
    right = [nones(p) for p in everything if p.right and item_of(p) in of]
    found = next((tree for tree in known if right and not any(tree in other for other in right)), None)
    return f" The wrong ones are those for which `{found}` has None." if found else ""


def item_of(p: Pair) -> str:
    found = ITEM.match(p.leaf)
    return found[0] if found else ""


def nones(p: Pair) -> list[str]:
    """The arguments that have None where the array stands in its tree, or where a part of it begins that holds it."""
    steps = STEP.findall(ITEM.sub("", p.leaf))
    places = ["".join(steps[: i + 1]) for i in range(len(steps))]
    empty = [name for name, x in p.given.leaves if x is None]
    return [name.removesuffix(place) for name in empty for place in places if name.endswith(place)]


def others_are_right(everything: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    bad, good = parts(everything, wrong)
    return f" {are(told(good, bad + good))} right." if good and all(good) else ""


def are(names: str) -> str:
    return f"{names} {'are' if ', ' in names or ' of every ' in names else 'is'}"


def parts(everything: Sequence[Pair], wrong: Sequence[Pair]) -> tuple[list[str], list[str]]:
    bad = list(dict.fromkeys(pair.path for pair in wrong))
    return bad, list(dict.fromkeys(pair.path for pair in everything if pair.path not in bad))


def one_part(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    text = only_part(everything, wrong).strip()
    near = close_to(wrong) if text else None
    if near:
        return said(near.name, f"{text} {near.text}", near.hint, near.detail)
    bad, good = parts(everything, wrong)
    hint = f"Which line computes {told(bad, bad + good)}, and are the things right that it is computed from?"
    return said("one_part", text + right_before(wrong[0]), hint) if text else None


def by_part(everything: Sequence[Pair], wrong: Sequence[Pair], follows: Follows = nothing_follows) -> Diagnosis | None:
    """One reading for each returned array; for the single entries and their sums; or for each group of probes."""
    right = [p for p in everything if p.right]
    bad, good = parts(everything, wrong)
    by_name = partial(told, everything=bad + good)
    found = split(
        wrong, right, lambda p: p.path, by_name, lambda names, rest: of_the_others(rest, follows(names), by_name)
    )
    if found:
        return replace(found, text=found.text + others_are_right(everything, wrong))
    found = split(wrong, right, lambda p: ARRAYS if p.e.ndim else NUMBERS, ", ".join, differ)
    found = found or split(wrong, right, lambda p: p.group, in_these, not_explained, least=1)
    return replace(found, text=found.text + only_part(everything, wrong)) if found else None


Others = Callable[[Sequence[str], Sequence[str]], Iterable[str]]
"""What is said of the parts that are left over, from the names of those that were explained and their own."""


def differ(_: Sequence[str], rest: Sequence[str]) -> list[str]:
    return [name + WRONG_TOO for name in rest]


def not_explained(_: Sequence[str], rest: Sequence[str]) -> list[str]:
    return [f"What is wrong in {listed(rest)} may be something else."]


def split(
    wrong: Sequence[Pair],
    right: Sequence[Pair],
    key: Callable[[Pair], str],
    words: Callable[[Sequence[str]], str],
    others: Others,
    least: int = 0,
) -> Diagnosis | None:
    """What each part says by itself; a factor of its own for each array counts only if no part is left over."""
    members: dict[str, list[Pair]] = {}
    for p in wrong:
        members.setdefault(key(p), []).append(p)
    names = list(members)
    if not 2 <= len(names) <= PARTS or not all(names):
        return None
    explained: dict[str, Candidate] = {}
    for left, (name, own) in zip(reversed(range(len(names))), members.items(), strict=True):
        found = first_that_explains((*READINGS, *ROWS), own)
        if found and not contradicted(found, (p for p in right if any(asked_alike(p, q) for q in own))):
            explained[name] = found
        if least and 2 * (len(explained) + left) < len(names):
            return None
    rest = [name for name in names if name not in explained]
    if not explained or (least and rest and fitted_for_each(explained)):
        return None
    texts = [f"{words(names)}: {lower(text)}" for names, text in alike_by_number(gathered(explained))]
    if rest:
        texts += others(list(explained), rest)
    first = next(iter(explained.values()))
    return said(
        " and ".join(dict.fromkeys(c.name for c in explained.values())), " ".join(texts), first.hint, first.detail
    )


def asked_alike(p: Pair, q: Pair) -> bool:
    """Whether two calls chose the same options, and this is the same part of what they returned."""
    return p.path == q.path and chosen(p) == chosen(q)


def chosen(p: Pair) -> dict[str, object]:
    """Words and truth values as they are; of all else whether it is there."""
    return {name: x if type(x) in (str, bool) else x is None for name, x in p.arguments.items()}


def place_in_part(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    """A condition for the wrong entries that holds in most of the groups that failed, each by itself."""
    groups = list(dict.fromkeys(p.group for p in wrong))
    found = {
        g: where(
            [p for p in everything if p.group == g],
            [p for p in wrong if p.group == g],
            (*SCALE, last_operation, multiplied),
        )
        for g in (groups if len(groups) > 1 else ())
    }
    alike = Counter(d.text for d in found.values() if d).most_common(1)
    if not alike or 2 * alike[0][1] < len(groups):
        return None
    here = [g for g, d in found.items() if d and d.text == alike[0][0]]
    first = next(d for d in found.values() if d and d.text == alike[0][0])
    rest = [g for g in groups if g not in here]
    left = f" What is wrong in {listed(rest)} may be something else." if rest else ""
    return replace(first, text=f"In {listed(here)}: {lower(first.text)}{left}")


def fitted_for_each(explained: dict[str, Candidate]) -> bool:
    return max(c.free for c in explained.values()) > 1


NUMBER = re.compile(r"(?:\[|\bitem )(\d+)\b")


def alike_by_number(explained: Iterable[tuple[list[str], Candidate]]) -> Iterable[tuple[list[str], str]]:
    """`slots[0]` with `model[0]`, `slots[1]` with `model[1]` and so on as `slots[i]` with `model[i]`, said once."""
    found: dict[tuple[str, str], list[tuple[list[str], str]]] = {}
    for names, c in explained:
        number = NUMBER.search(names[0])
        name, text = (as_each(x, number[1]) if number and len(names) == 1 else x for x in (names[0], c.text))
        found.setdefault((name, text), []).append((names, c.text))
    for (name, text), members in found.items():
        yield ([name], text) if len(members) > 1 else members[0]


def as_each(text: str, number: str) -> str:
    """`item 2` and `model[2]` as `item i` and `model[i]`."""
    return re.sub(rf"\bitem {number}\b", "item i", text.replace(f"[{number}]", "[i]"))


def gathered(explained: dict[str, Candidate]) -> Iterable[tuple[list[str], Candidate]]:
    """Parts that are wrong in the same words, said once."""
    by_text: dict[str, list[str]] = {}
    for name, c in explained.items():
        by_text.setdefault(c.text, []).append(name)
    texts = {c.text: c for c in explained.values()}
    return [(names, texts[text]) for text, names in by_text.items()]


# ------------------------------------------------------------------------------------------------------------ close
def close_to(wrong: Sequence[Pair]) -> Diagnosis | None:
    """The candidate that explains most of the wrong entries, if that is nearly all, and the entries it leaves."""
    largest = max(wrong, key=lambda p: p.a.size)
    best: tuple[float, Candidate | None] = (NEARLY, None)
    for read in READINGS[3:]:
        for candidate in candidates(read, tuple(wrong)):
            if explained_share(candidate, [largest]) > NEARLY / 2:  # most are out at once
                share = explained_share(candidate, wrong)
                best = max(best, (share, candidate), key=lambda x: x[0])
    left = exceptions(best[1], wrong) if best[1] else ""
    if best[1] is None or not left:
        return None
    text = f"Close to this, but not quite: {lower(best[1].text)} It does not explain {left}."
    return Diagnosis("close", best[1].name, text, best[1].hint, detail=best[1].detail)


def explained_share(candidate: Candidate, wrong: Sequence[Pair]) -> float:
    """Of the visibly wrong entries; zero if too few are explained to mean anything."""
    explained = [agreement(candidate, p) for p in wrong]
    if any(x is None or x.shape != p.a.shape for x, p in zip(explained, wrong, strict=True)):
        return 0.0
    kept = [part_of(p, x) for p, x in zip(wrong, explained, strict=True) if x is not None]
    visible, right = sum(p.visibly_wrong for p in wrong), sum(len(p.a) for p in kept)
    some = right > max(NEARLY / 2 * visible, candidate.free + 3)  # each number is evidence of one at most
    return right / visible if some and evidence(kept) > candidate.free + 3 else 0.0


def part_of(pair: Pair, mask: np.ndarray) -> Pair:
    mask = mask & pair.visible
    e = pair.e[mask] if pair.e.shape == pair.a.shape else np.full(int(mask.sum()), np.nan)
    return Pair(pair.path, e, pair.a[mask], {}, pair.tolerance)


def exceptions(candidate: Candidate, wrong: Sequence[Pair]) -> str:
    left: list[str] = []
    for pair in wrong:
        explained = agreement(candidate, pair)
        missed = [] if explained is None else np.argwhere(~explained & pair.visible).tolist()
        left += [entry_name(pair, at) for at in missed]
    few = list(dict.fromkeys(left))[:3]
    more = len(left) - len(few)
    return ", ".join(few) + (f" and {more} more number{'s' if more > 1 else ''}" if more else "")


def entry_name(pair: Pair, at: Sequence[int]) -> str:
    name = f"`{pair.path}`" if pair.path else "the answer"
    return (
        f"{name} at {entry(at, pair.labels)} in the part `{pair.group}`" if at else f"{name} in the part `{pair.group}`"
    )
