"""Routes round an exercise: what an answer names that does the work for it, a library's function or the reference.

Read from the syntax tree and never from what ran, so it is a sign and no proof: a person decides what it means.

    cells = [(1, parsed("import numpy as np")), (2, parsed("def f(y): return np.gradient(y)"))]
    Reading(cells).routes("f", Forbidden(["torch", "numpy.gradient"]))
    # ["`f` names `numpy.gradient` (cell 2, line 1): the task is to write this yourself."]

Followed are aliases of every kind of import, assignments, the submission's own functions that the answer names, and
`getattr`, `importlib` and `sys.modules` where the name is written out; where it is not, that much is said.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import unicodedata
import warnings
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from .cells import SHORT
from .course import Course
from .exercise import Exercise

__all__ = ["Forbidden", "Reading", "forbidden", "parsed"]

DEEPEST = 12  # aliases of aliases
LOOKUPS = 50_000  # names that are looked up for one answer: aliases may be written to multiply
MOST_ROUTES, LONGEST_NAME = 10, 80  # of one answer, for those who read them
HIDDEN = "?"  # a name that is computed
DYNAMIC = {"eval", "exec", "compile", "globals"}
BY_TEXT = {"getattr", "vars", "__dict__", "__import__", "importlib", "import_module", "modules"} | DYNAMIC


def forbidden(course: Course, exercise: Exercise) -> Forbidden:
    """What the answer to an exercise is to be written without.

    It is whatever the course and the exercise name, and the packages that the course's references come from, but for
    what the course makes public.
    """
    known = vars(course).setdefault("_forbidden", {})  # a course does not change, and a class asks for the same
    key = exercise.name, tuple(exercise.forbidden), tuple(exercise.allowed)
    if key not in known:
        known[key] = Forbidden((*roots(course), *course.forbidden, *exercise.forbidden),
                               (*public(course), *exercise.allowed))  # fmt: skip
    return known[key]


def roots(course: Course) -> set[str]:
    """The packages that the references come from."""
    return {(e.plain.__module__ or "").partition(".")[0] for e in course.exercises} - {"", "builtins", "__main__"}


def public(course: Course) -> list[str]:
    """By the module that shows it and by the one that defines it."""
    shown = [f"{module}.{part.__name__}" for module, parts in course.public.items() for part in parts]
    return shown + [f"{part.__module__}.{part.__name__}" for parts in course.public.values() for part in parts]


@dataclass(frozen=True)
class Forbidden:
    """Dotted names that lead round an exercise, and those below them that are allowed."""

    names: Collection[str]
    allowed: Collection[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(self.names))
        object.__setattr__(self, "allowed", frozenset(self.allowed))

    @functools.cached_property
    def signs(self) -> frozenset[str]:
        """Words of which at least one stands wherever a route is taken."""
        return frozenset(name.rpartition(".")[2] for name in self.names) | BY_TEXT

    def covers(self, path: str) -> bool:
        """Whether the path is one of the names or lies below one; a module with a hidden name may be any."""
        return path == HIDDEN or (below(path, self.names) and not below(path, self.allowed))


def below(path: str, names: Collection[str]) -> bool:
    """Whether the path or something that it lies below is one of the names."""
    while path not in names:
        path, dot, _ = path.rpartition(".")
        if not dot:
            return False
    return True


def parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


# ------------------------------------------------------------------------------------------------------ definitions
@dataclass
class Scope:
    """Names and what they may stand for: a dotted path, an expression, or nothing that could be told."""

    names: dict[str, list[str | ast.expr]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    def bind(self, name: str, *meanings: str | ast.expr) -> None:
        self.names.setdefault(name, []).extend(meanings)


class Reading:
    """The cells of one submission: where its names are defined. Of several definitions the last one counts.

    With the cells' `texts`, by number, most answers are soon seen to take no route.
    """

    def __init__(self, cells: Iterable[tuple[int, ast.Module]], texts: Mapping[int, str] = MappingProxyType({})):
        self.outer, self.texts, self.split = Scope(), texts, dict[int, list[str]]()
        self.definitions: dict[str, tuple[int, ast.stmt]] = {}
        for number, tree in cells:
            short = len(self.texts.get(number, "")) < SHORT
            for statement, bound in known_bindings(tree) if short else bindings(tree):
                self.outer.names |= bound.names
                self.outer.stars += bound.stars
                self.definitions |= dict.fromkeys(bound.names, (number, statement))

    def routes(self, name: str, forbidden: Forbidden) -> list[str]:
        """A sentence for each route that the definition of `name` takes, nearest first."""
        if self.innocent(name, forbidden):
            return []
        found: dict[str, str] = {}
        try:
            for what, where in self.follow(name, forbidden):
                found.setdefault(what, where)  # once is enough to look at it
                if len(found) == MOST_ROUTES:
                    break
        except (RecursionError, TooMuch):
            found.setdefault("is written to be hard to read", ": not everything that it calls could be followed.")
        return [f"`{name}` {what}{where}" for what, where in found.items()]

    def innocent(self, name: str, forbidden: Forbidden) -> bool:
        """Whether no sign of a route stands in the text of `name`, nor in that of anything whose name stands there."""
        if self.outer.stars:
            return False
        waiting, seen, read = {name}, set[str](), set[tuple[int, int, int | None]]()
        while waiting:
            current = waiting.pop()
            seen.add(current)
            number, statement = self.definitions.get(current, (0, None))
            if statement is None or (place := (number, first_line(statement), statement.end_lineno)) in read:
                continue
            read.add(place)  # thousands of definitions may stand in one line
            words = words_of(statement, self.lines(number))
            if not words or words & forbidden.signs:
                return False
            waiting |= words - seen
        return True

    def lines(self, number: int) -> list[str]:
        if number not in self.split:
            self.split[number] = re.split(r"\r\n?|\n", self.texts.get(number, ""))
        return self.split[number]

    def needed(self, name: str) -> list[tuple[int, ast.stmt]]:
        """The statements, with their cells, that define `name` and all that it names, in the order of the text."""
        found, waiting = dict[str, tuple[int, ast.stmt]](), [name]
        while waiting:
            current = waiting.pop()
            if current in self.definitions and current not in found:
                found[current] = self.definitions[current]
                waiting += [node.id for node in ast.walk(found[current][1]) if isinstance(node, ast.Name)]
        once = {id(statement): (number, statement) for number, statement in found.values()}
        return sorted(once.values(), key=lambda item: (item[0], item[1].lineno))

    def follow(self, name: str, forbidden: Forbidden) -> Iterator[tuple[str, str]]:
        """Breadth first from `name` over the submission's own functions."""
        waiting, seen, lookups = deque([name]), {name}, Lookups()
        while waiting:
            current = waiting.popleft()
            if current not in self.definitions:
                continue
            number, statement = self.definitions[current]
            way = "" if current == name else f" by way of `{short(current)}`"
            visitor = Visitor(self.outer, forbidden, way, number, lookups)
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                visitor.visit(statement)
            elif current == name:
                visitor.visit(ast.Name(name, ast.Load(), lineno=statement.lineno, col_offset=0))
            yield from visitor.found
            new = [own for own in dict.fromkeys(visitor.own) if own not in seen]
            seen.update(new)
            waiting += new


def bindings(tree: ast.Module) -> list[tuple[ast.stmt, Scope]]:
    """The statements of a cell with what they bind."""
    found = []
    for statement in tree.body:
        bound = Scope()
        with contextlib.suppress(RecursionError):
            fill(bound, [statement])
        found.append((statement, bound))
    return found


known_bindings = functools.lru_cache(64)(bindings)  # cells that a class did not touch are the same for all


def first_line(statement: ast.stmt) -> int:
    return min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))])


def words_of(statement: ast.stmt, lines: Sequence[str]) -> set[str]:
    """The words of the lines in which a statement stands, without its docstring, as Python reads them: `ｔｏｒｃｈ` is
    `torch`."""
    first = first_line(statement)
    lines = list(lines[first - 1 : statement.end_lineno])
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(statement):
        said, end, code = statement.body[0], statement.body[0].end_lineno or 0, statement.body[1:2]
        if code and statement.lineno < said.lineno and end < code[0].lineno:
            del lines[said.lineno - first : end - first + 1]
    joined = "\n".join(lines)
    return set(re.findall(r"\w+", joined if joined.isascii() else unicodedata.normalize("NFKC", joined)))


def fill(scope: Scope, body: Iterable[ast.AST]) -> None:
    """Bind what these statements bind, without looking into functions and classes."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                scope.bind(alias.asname or root, alias.name if alias.asname else root)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if alias.name == "*":
                    scope.stars.append(node.module or "")
                else:
                    scope.bind(alias.asname or alias.name, f"{node.module}.{alias.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope.bind(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            assigned(scope, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope.bind(node.id)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            fill(scope, ast.iter_child_nodes(node))


def assigned(scope: Scope, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
    """`f = g`, `f: Any = g`, `(f := g)` and `f, h = g, k`."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for to, value in pairs:
            if isinstance(to, ast.Name) and value is not None:
                scope.bind(to.id, value)


# ---------------------------------------------------------------------------------------------------------- walking
class TooMuch(Exception):
    """More names would have to be looked up for one answer than anybody writes."""


@dataclass
class Lookups:
    left: int = LOOKUPS

    def one_more(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooMuch


class Visitor(ast.NodeVisitor):
    """What one definition names: routes, in words, and names of the submission itself."""

    def __init__(self, outer: Scope, forbidden: Forbidden, way: str, cell: int, lookups: Lookups):
        self.forbidden, self.way, self.cell, self.lookups = forbidden, way, cell, lookups
        self.scopes, self.found, self.own = [outer], list[tuple[str, str]](), list[str]()

    def generic_visit(self, node: ast.AST) -> None:
        for path in self.paths(node) if isinstance(node, ast.expr) else ():
            if self.forbidden.covers(path):
                self.found.append((says(path), f"{self.place(node)}: the task is to write this yourself."))
                self.arguments(node)
                return
            if below(path, self.forbidden.allowed):
                self.arguments(node)
                return
        super().generic_visit(node)

    def place(self, node: ast.AST) -> str:
        line = f"line {getattr(node, 'lineno', 0)}"
        return f"{self.way} ({f'cell {self.cell}, {line}' if self.cell else line})"

    def arguments(self, node: ast.AST) -> None:
        """What else stands inside: `getattr(torch, name(x))` may name more."""
        for part in node.args if isinstance(node, ast.Call) else ():
            if not self.paths(part):
                self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and not any(node.id in scope.names for scope in self.scopes[1:]):
            self.own.append(node.id)
            if node.id in DYNAMIC and node.id not in self.scopes[0].names:
                where = f"{self.place(node)}: its text does not tell everything that it calls."
                self.found.append((f"uses `{node.id}`", where))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outside in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if outside is not None:
                self.visit(outside)
        self.inside(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.inside(node.args, [node.body])

    def inside(self, arguments: ast.arguments, body: Sequence[ast.AST]) -> None:
        scope = Scope({a.arg: [] for a in ast.walk(arguments) if isinstance(a, ast.arg)})
        fill(scope, body)
        for node in (n for part in body for n in ast.walk(part) if isinstance(n, ast.Global | ast.Nonlocal)):
            for name in node.names:
                scope.names.pop(name, None)
        self.scopes.append(scope)
        for part in body:
            self.visit(part)
        self.scopes.pop()

    # ------------------------------------------------------------------------------------------------ what is meant
    def paths(self, node: ast.AST, depth: int = 0) -> list[str]:
        """The dotted paths that an expression may stand for; none if it is anything else."""
        self.lookups.one_more()
        if depth > DEEPEST:
            return []
        if isinstance(node, ast.Name):
            return self.named(node.id, depth)
        if isinstance(node, ast.Attribute):
            return [join(path, node.attr) for path in self.paths(node.value, depth + 1)]
        if isinstance(node, ast.Subscript):
            return self.item(node, depth)
        if isinstance(node, ast.Call):
            return self.called(node, depth)
        if isinstance(node, ast.IfExp):
            return [*self.paths(node.body, depth + 1), *self.paths(node.orelse, depth + 1)]
        return []

    def named(self, name: str, depth: int) -> list[str]:
        for scope in reversed(self.scopes):
            if name in scope.names:
                meanings = scope.names[name]
                paths = [[m] if isinstance(m, str) else self.paths(m, depth + 1) for m in meanings]
                return [path for some in paths for path in some]
        return [f"{star}.{name}" for scope in self.scopes for star in scope.stars]

    def item(self, node: ast.Subscript, depth: int) -> list[str]:
        """`sys.modules["torch"]`, `vars(gs)["adam"]`, `gs.__dict__["adam"]`."""
        key = literal(node.slice)
        if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "vars" and node.value.args:
            return [join(path, key) for path in self.paths(node.value.args[0], depth + 1)]
        if isinstance(node.value, ast.Attribute) and node.value.attr == "__dict__":
            return [join(path, key) for path in self.paths(node.value.value, depth + 1)]
        return [key] if "sys.modules" in self.paths(node.value, depth + 1) else []

    def called(self, node: ast.Call, depth: int) -> list[str]:
        """`getattr(gs, "adam")`, `__import__("torch")`, `importlib.import_module("torch")`."""
        function = getattr(node.func, "id", "")
        if function == "getattr" and len(node.args) > 1:
            return [join(path, literal(node.args[1])) for path in self.paths(node.args[0], depth + 1)]
        imports = function == "__import__" or "importlib.import_module" in self.paths(node.func, depth + 1)
        return [literal(node.args[0])] if imports and node.args else []


def join(path: str, name: str) -> str:
    return path if path.endswith(HIDDEN) else f"{path}.{name}"


def literal(node: ast.expr) -> str:
    """The text that an expression is, also one put together from pieces; otherwise the mark of what is hidden."""
    text = HIDDEN
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        text = literal(node.left) + literal(node.right)
    return text if re.fullmatch(r"[\w.]{1,80}", text) else HIDDEN


def says(path: str) -> str:
    if path == HIDDEN:
        return "imports a module by a name that is computed"
    if path.endswith(HIDDEN):
        return f"names something of `{short(path.removesuffix('.' + HIDDEN))}`"
    return f"names `{short(path)}`"


def short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
