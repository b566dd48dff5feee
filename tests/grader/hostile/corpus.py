"""Hostile submissions as data: what stands in the cell of `square`, what may come of it, which layers hold it alone.

A file holds entries: a heading that names the attack, a line "square: OUTCOME; mean: OUTCOME; held by: LAYER, LAYER",
and the code. Where several outcomes are right ("died or raised") the kernel or the interpreter decides. `mean` is the
outcome of the honest second exercise of the same notebook, passed unless it says otherwise. `lure` is what there is to
steal, to write on and to reach; see lures.py.

    for attack in ATTACKS: attack.file, attack.name, attack.code, attack.square, attack.mean, attack.held_by
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ENTRY = re.compile(r"^## (?P<name>[^\n]+)\n(?P<facts>[^\n]+)\n```python\n(?P<code>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Attack:
    file: str
    name: str
    code: str
    square: frozenset[str]
    mean: frozenset[str] = frozenset({"passed"})
    held_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read(path: Path) -> list[Attack]:
    text = path.read_text(encoding="utf-8")
    found = [attack(path.stem, match) for match in ENTRY.finditer(text)]
    if len(found) != text.count("\n## "):
        raise ValueError(f"{path}: {text.count(chr(10) + '## ')} headings, {len(found)} entries that can be read")
    return found


def attack(file: str, match: re.Match[str]) -> Attack:
    facts = dict(fact.split(": ") for fact in match["facts"].split("; "))
    mean = frozenset(facts.get("mean", "passed").split(" or "))
    held = tuple(facts["held by"].split(", ")) if "held by" in facts else ()
    return Attack(file, match["name"], match["code"], frozenset(facts["square"].split(" or ")), mean, held)


ATTACKS = [entry for path in sorted(Path(__file__).parent.glob("*.md")) for entry in read(path)]
