"""Parts of an answer by their names, as few as say the same.

told(["state['m']['W']", "state['m']['b']"], everything)         # "`state['m']`", if it has no others
told(["answer[0]['b']", "answer[1]['b']"], everything)           # "`['b']` of every item of `answer`"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

FEW = 4  # names: of more, the first are said
ITEM = re.compile(r"^(?P<whole>.*)\[\d+\](?P<key>(\['[^']*'\])+)$")


def told(paths: Sequence[str], everything: Iterable[str]) -> str:
    names = said(list(dict.fromkeys(paths)), list(dict.fromkeys(everything)))
    return ", ".join(names[:FEW]) + (", …" if len(names) > FEW else "")


def said(paths: Sequence[str], everything: Sequence[str]) -> list[str]:
    """A tree for all that it holds; a key for all items of a list that have it; other parts one by one."""
    found: dict[str, None] = {}
    for path in paths:
        root, item = path.rpartition("[")[0], ITEM.match(path)
        if root and all(x in paths for x in below(root, everything)):
            found[f"`{root}`"] = None
        elif item and len(alike := alike_in(item, everything)) > 1 and all(x in paths for x in alike):
            found[f"`{item['key']}` of every item of `{item['whole']}`"] = None
        else:
            found[f"`{path}`" if path else "the answer"] = None
    return list(found)


def below(root: str, everything: Sequence[str]) -> list[str]:
    return [x for x in everything if x.startswith(f"{root}[")]


def alike_in(item: re.Match[str], everything: Sequence[str]) -> list[str]:
    matches = ((x, ITEM.match(x)) for x in everything)
    return [x for x, m in matches if m and (m["whole"], m["key"]) == (item["whole"], item["key"])]
