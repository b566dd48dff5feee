"""Mutants: the reference with one small change each. Probes that are worth their points tell every one from it.

Texts are never changed: docstrings, annotations, messages of errors, and what is computed only to word a message. The
check of an input is changed only if a probe meets it, since no task can ask for what it never mentions.

    for mutant in mutants(solution(exercise), met=lines_that_raise):
        mutant.hash, mutant.what, mutant.source    # 'b10c6e2f94aa', '`1 - b1 ** t` → `1 + b1 ** t`', 'def adam(...'
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass

from .changes import changes

__all__ = ["Mutant", "may_go", "mutants", "needed", "unmet_checks"]

Path = tuple[tuple[str, int | None], ...]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SHOWN = 60


@dataclass(frozen=True)
class Mutant:
    """One changed reference. The hash names the change, not its place on the page: reformatting does not alter it."""

    hash: str
    what: str
    where: str
    source: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def mutants(source: str, met: Container[int] = ()) -> list[Mutant]:
    """All mutants of a module's source, each once. `met` are the lines of those `raise` that probes meet."""
    tree = ast.parse(source)
    blocks = [ast.unparse(block) for block in tree.body]
    seen, numbers, found = set(blocks), Counter[str](), []
    for i, path, node, new in all_changes(tree, met):
        block, changed = tree.body[i], replaced(tree.body[i], path, new)
        text = ast.unparse(changed)
        if text in seen:
            continue
        seen.add(text)
        key = "\n".join([bound_name(block), statement(block, path), statement(changed, path)])
        numbers[key] += 1
        digest = hashlib.sha256(f"{key}\n{numbers[key]}".encode()).hexdigest()[:12]
        where = f"{bound_name(block)}, line {getattr(node, 'lineno', 0)}"
        found.append(
            Mutant(digest, described(node, new), where, "\n\n".join([*blocks[:i], text, *blocks[i + 1 :]]) + "\n")
        )
    return found


def described(node: ast.AST, new: ast.AST) -> str:
    if isinstance(new, ast.Pass):
        return f"`{short(header(node))}` left out"
    return f"`{short(header(node))}` → `{short(header(new))}`"


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


# ----------------------------------------------------------------------------------------------------- what to change
def all_changes(tree: ast.Module, met: Container[int]) -> Iterator[tuple[int, Path, ast.AST, ast.AST]]:
    """Number of the definition, path in it, node, and what could stand in its place, in the order of the text."""
    for i in needed(tree, met):
        for path, node, parents in computing(tree.body[i], met):
            for new in changes(node):
                yield i, path, node, new
            if path and isinstance(node, ast.stmt) and may_go(node, parents):
                yield i, path, node, ast.Pass()


def needed(tree: ast.Module, met: Container[int]) -> list[int]:
    """The definitions that the last one needs for more than words and checks that nobody meets."""
    places = {bound_name(block): i for i, block in enumerate(tree.body)}
    needed, waiting = {len(tree.body) - 1}, [len(tree.body) - 1]
    while waiting:
        nodes = [node for _, node, _ in computing(tree.body[waiting.pop()], met)]
        names = {places[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in places}
        waiting += names - needed
        needed |= names
    return sorted(needed)


def computing(
    node: ast.AST, met: Container[int], path: Path = (), parents: tuple[ast.AST, ...] = ()
) -> Iterator[tuple[Path, ast.AST, tuple[ast.AST, ...]]]:
    """The nodes that compute something, parents first."""
    yield path, node, parents
    for name, index, child in children(node):
        if not is_text(node, name, child, met):
            yield from computing(child, met, (*path, (name, index)), (*parents, node))


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield name, None, value
        elif isinstance(value, list):
            yield from ((name, i, item) for i, item in enumerate(value) if isinstance(item, ast.AST))


def is_text(node: ast.AST, name: str, child: ast.AST, met: Container[int]) -> bool:
    """Whether the child says something to people or to type checkers, or refuses what no probe offers."""
    if name in ("annotation", "returns", "decorator_list", "type_params", "type_comment"):
        return True
    if isinstance(node, ast.keyword) and node.arg in ("strict", "copy"):
        return True  # a safety belt, a matter of speed
    if isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
        return True
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # a docstring
    if isinstance(node, ast.Raise):
        return True
    if isinstance(child, ast.Raise):
        return child.lineno not in met
    if isinstance(node, ast.If) and refuses(node) and name == "body":
        return not isinstance(child, ast.Raise)  # the statements before it put the message together
    return isinstance(child, ast.If) and refuses(child) and not child.orelse and child.body[-1].lineno not in met


def refuses(node: ast.If) -> bool:
    """`if ...: raise ...`, with or without a message that is put together first."""
    return isinstance(node.body[-1], ast.Raise)


def unmet_checks(source: str, met: Container[int] = ()) -> list[str]:
    """The checks of inputs that no probe meets, as text: they are not changed, and a person may look at them."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If) and refuses(node)]
    return [short(header(node)) for node in nodes if node.body[-1].lineno not in met]


# ------------------------------------------------------------------------------------------------------ what may go
def may_go(node: ast.stmt, parents: tuple[ast.AST, ...]) -> bool:
    """Whether the rest still has a meaning without the statement: what is only a NameError proves nothing."""
    if isinstance(node, ast.AugAssign | ast.For | ast.While | ast.Raise | ast.Break | ast.Continue | ast.Delete):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    if isinstance(node, ast.If):
        return not node.orelse and not (len(node.body) == 1 and may_go(node.body[0], (*parents, node)))
    if isinstance(node, ast.Return):
        return not isinstance(parents[-1], ast.FunctionDef)  # an early one
    if isinstance(node, ast.Assign):
        return all(target_stays(target, node, parents) for target in node.targets)
    return False


def target_stays(target: ast.expr, node: ast.Assign, parents: tuple[ast.AST, ...]) -> bool:
    """Whether what is assigned exists before: an entry, an attribute, a parameter, a name that was bound earlier."""
    if isinstance(target, ast.Tuple | ast.List):
        return all(target_stays(item, node, parents) for item in target.elts)
    if not isinstance(target, ast.Name):
        return True
    function = next((p for p in reversed(parents) if isinstance(p, FUNCTIONS)), None)
    if function is None:
        return False
    arguments = [n.arg for n in ast.walk(function.args) if isinstance(n, ast.arg)]
    earlier = [
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        and n.lineno < node.lineno
    ]  # fmt: skip
    return target.id in (*arguments, *earlier)


# ----------------------------------------------------------------------------------------------- trees and their text
def replaced(block: ast.stmt, path: Path, new: ast.AST) -> ast.stmt:
    changed = copy.deepcopy(block)
    owner: ast.AST = changed
    for step in path[:-1]:
        owner = down(owner, step)
    name, index = path[-1]
    if index is None:
        setattr(owner, name, copy.deepcopy(new))
    else:
        getattr(owner, name)[index] = copy.deepcopy(new)
    return ast.fix_missing_locations(changed)


def down(node: ast.AST, step: tuple[str, int | None]) -> ast.AST:
    name, index = step
    return getattr(node, name) if index is None else getattr(node, name)[index]


def bound_name(block: ast.stmt) -> str:
    """The name that a statement of the module binds."""
    if isinstance(block, ast.Assign | ast.AnnAssign):
        return ast.unparse(block.targets[0] if isinstance(block, ast.Assign) else block.target)
    return getattr(block, "name", type(block).__name__.lower())


def statement(block: ast.stmt, path: Path) -> str:
    """The innermost statement around the change, without what it contains: a change elsewhere must not show in it."""
    node: ast.AST = block
    inner: ast.AST = block
    for step in path:
        node = down(node, step)
        inner = node if isinstance(node, ast.stmt) else inner
    return header(inner)


def header(node: ast.AST) -> str:
    """A statement as text, without the block below it."""
    if not hasattr(node, "body") or isinstance(node, ast.IfExp | ast.Lambda):
        return ast.unparse(node)
    bare = copy.copy(node)
    bare.body = [ast.Expr(ast.Constant(...))]  # type: ignore[attr-defined]
    for name in ("orelse", "finalbody", "decorator_list"):
        if hasattr(bare, name):
            setattr(bare, name, [])
    return ast.unparse(ast.fix_missing_locations(bare)).removesuffix("...").strip()
