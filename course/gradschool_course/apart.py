"""In a notebook the last definition of a name counts; here the helpers of one answer are kept from replacing another's.

    answers = keep_apart({"huber": "def clip(x): ...", "adam": "def clip(g, c): ..."}, names=["huber", "adam"])
    answers["adam"]          # def clip_for_adam(g, c): ...

Only what clashes is renamed, so that a sample reads like something that was written by hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

from gradschool_grader.standalone import bound_names, global_names

__all__ = ["keep_apart"]


def keep_apart(answers: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The answers with clashing helpers renamed. `names` are those of all exercises, whether answered or not."""
    exercises, bound, apart = set(names), {}, {}
    for name, text in answers.items():
        helpers = helpers_of(text, name)
        sources = {helper: ast.unparse(statement) for helper, statement in helpers.items()}
        clashing = {h for h, source in sources.items() if h in exercises or bound.get(h, source) != source}
        clashing = with_users(clashing, helpers)
        apart[name] = renamed(text, {helper: f"{helper}_for_{name}" for helper in clashing})
        bound |= {helper: source for helper, source in sources.items() if helper not in clashing}
    return apart


def helpers_of(text: str, name: str) -> dict[str, ast.stmt]:
    """What the text binds beside the answer itself; imports clash with nothing."""
    statements = [s for s in ast.parse(text).body if not isinstance(s, ast.Import | ast.ImportFrom)]
    return {bound: statement for statement in statements for bound in bound_names([statement]) if bound != name}


def with_users(clashing: set[str], helpers: Mapping[str, ast.stmt]) -> set[str]:
    """Those that use a helper with a new name become others, too."""
    uses = {name: {getattr(chain[0], "id", "") for chain in global_names(tree)} for name, tree in helpers.items()}
    while more := {name for name in helpers if name not in clashing and uses[name] & clashing}:
        clashing = clashing | more
    return clashing


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with module-level names changed where they are bound and where they are looked up."""
    if not names:
        return text
    tree, data = ast.parse(text), text.encode()
    starts = [0, *(match.end() for match in re.finditer(b"\n", data))]
    spots = {(chain[0].lineno, chain[0].col_offset, getattr(chain[0], "id", "")) for chain in global_names(tree)}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            at = data.index(statement.name.encode(), starts[statement.lineno - 1] + statement.col_offset + len("def "))
            spots.add((statement.lineno, at - starts[statement.lineno - 1], statement.name))
        else:
            bindings = (n for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
            spots |= {(node.lineno, node.col_offset, node.id) for node in bindings}
    for line, column, name in sorted(spots, reverse=True):
        if name in names:
            at = starts[line - 1] + column
            data = data[:at] + names[name].encode() + data[at + len(name.encode()) :]
    return data.decode()
