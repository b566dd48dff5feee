"""The reference with switches: as it stands it is the solution, and with a switch on one small thing in it is changed.

    other = switched(exercise)              # written and compiled once a process
    for change in other.changes:
        with other.on(change):
            other.function(...)             # change.text is "a divisor left out", change.names ("b1",)

What could stand in the place of a piece of syntax is what the audit puts there, and what students' brackets do. What is
no computation stays: defaults, messages, the checks of inputs. So does what holds a `while`, which might never end.
"""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations, zip_longest
from typing import Any, TypeGuard

import numpy as np

from ..exercise import Exercise
from ..mutation.changes import LEFT_OUT, OTHER_METHOD
from ..mutation.mutants import may_go, needed
from ..source import standalone
from .lines import ByName, bound, called, exchangeable, inner, used
from .operands import stretches
from .syntax import alternatives, tests

__all__ = ["Change", "Switched", "switched"]

ACTIVE, VALUES, INSTEAD = "_switched_on", "_values", "_instead"  # names in what is written
OFF: dict[str, Any] = {ACTIVE: frozenset(), VALUES: lambda line, values: values, INSTEAD: {}}
REDUCTIONS = ("sum", "mean", "var", "std")
PLAIN: dict[type[ast.AST], tuple[str, ...]] = {  # nothing could stand in their place, but in that of what they hold
    ast.Slice: (), ast.Starred: ("value",), ast.Dict: ("values",), ast.NamedExpr: ("value",), ast.ClassDef: ("body",),
    ast.comprehension: ("iter", "ifs"),
}  # fmt: skip
STATEMENTS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Assign: ("value",), ast.AugAssign: ("value",), ast.Expr: ("value",), ast.Return: ("value",),
    ast.For: ("iter", "body", "orelse"),
}  # fmt: skip
FACTORS: dict[str, Callable[[Any, Any], Any]] = {"*": operator.mul, "/": operator.truediv}
FACTOR_WORDS = {"*": "a factor too many", "/": "a factor left out, or a division too many"}
KNOWN = OTHER_METHOD.keys() | LEFT_OUT  # functions that compute something
LONG = 50  # letters: longer than this, an expression is no picture of a mistake
TWINS = range(2, 5)  # places that look alike: in more of them nobody makes the same mistake by one thought


@dataclass(frozen=True)
class Change:
    """The switches that are on, what is changed then, and the parameters of the exercise that occur there."""

    switches: frozenset[int]
    text: str
    names: tuple[str, ...] = ()
    late: bool = False  # one of many, and said only where nothing else is
    instead: Mapping[str, str] = field(default_factory=dict)  # the names that are read in the place of others
    factor: tuple[str, str, str] | None = None  # a quantity in that line, times or divided by another one
    place: tuple[ast.AST | None, ast.AST, ast.AST] | None = field(default=None, compare=False)  # around, old, new

    @property
    def comes_to(self) -> str:
        """The changed expression as one would write it: `m - mean ** 2`; with what stands around a number or a name."""
        if self.factor:
            return " ".join(self.factor)
        around, old, new = self.place or (None, None, None)
        if isinstance(new, ast.Constant | ast.Name) and isinstance(around, ast.BinOp | ast.Compare | ast.Subscript):
            around = copy(around)
            for name, value in ast.iter_fields(around):
                setattr(around, name, [new if x is old else x for x in value] if type(value) is list else value)
                if value is old:
                    setattr(around, name, new)
            new = around
        text = ast.unparse(new) if isinstance(new, ast.expr) else ""
        return text if len(text) <= LONG and any(isinstance(x, ast.Name) for x in ast.walk(new or ast.Pass())) else ""


class Reached(set[int]):
    """Stands in for the switches that are on: only those of `lines` are. Those that are looked at are kept and counted,
    and of which kind the quantities are that a line reads by name."""

    def __init__(self, lines: Container[object]) -> None:
        super().__init__()
        self.looked = 0
        self.lines = lines
        self.kinds: dict[int, dict[str, Any]] = {}

    def __contains__(self, switch: object) -> bool:
        self.looked += 1
        if isinstance(switch, int):
            self.add(switch)
        return switch in self.lines

    def values(self, line: int, values: dict[str, Any]) -> dict[str, Any]:
        if line not in self.kinds:
            self.kinds[line] = {name: kind(value) for name, value in quantities(values).items()}
        return values


def quantities(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a line can read, and the entries of a dict among it by theirs: `cache['r']`."""
    tables = {name: value for name, value in values.items() if type(value) is dict}
    entries = {f"{name}[{key!r}]": x for name, table in tables.items() for key, x in table.items() if type(key) is str}
    return {**values, **entries}


def kind(value: Any) -> Any:
    """What is the same for two values of which one may be taken for the other; None for what is no quantity.

    A whole number is none: so many rounds may take too long.
    """
    if isinstance(value, np.ndarray | np.floating):
        return np.shape(value)
    return type(value) if type(value) in (float, dict, list) else None


class Switched:
    """A function in which changes are switched on, and all the changes that there are."""

    def __init__(self, source: str, name: str, parameters: Mapping[str, inspect.Parameter]):
        tree = ast.parse(source)
        writer = Writer(parameters)
        last = len(tree.body) - 1
        for i in needed(tree, ()):
            if ends(tree.body[i]) and (i == last or computes(tree.body[i])):
                tree.body[i] = writer.written(tree.body[i], i, set(parameters) if i == last else set())
        self.names: dict[str, Any] = {"__name__": "__main__", "np": np, **OFF}
        exec(compile(ast.fix_missing_locations(tree), "<the reference with switches>", "exec"), self.names)
        self.function: Callable[..., Any] = self.names[name]
        changes = [*writer.single, *writer.twins()]
        self.changes = sorted(changes, key=lambda change: not change.names)  # in the rule sooner than around it
        self.lines = writer.lines

    @contextmanager
    def on(self, change: Change) -> Iterator[None]:
        self.names |= {ACTIVE: change.switches, INSTEAD: change.instead}
        if change.factor:
            x, sign, y = change.factor
            scaled = FACTORS[sign]
            self.names[VALUES] = lambda line, values: values | {x: scaled(values[x], quantities(values)[y])}
        try:
            yield
        finally:
            self.names |= OFF

    @contextmanager
    def reading(self, values: Callable[[int, dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
        """Nothing is changed but what lines read: what `values` makes of a line's number and its quantities."""
        self.names |= {ACTIVE: self.lines.keys(), VALUES: values}
        try:
            yield
        finally:
            self.names |= OFF

    def reached(self, call: Callable[[Callable[..., Any]], Any]) -> tuple[list[Change], int]:
        """The changes that make a difference to a call, and how many switches it looks at: what one call costs."""
        found, by_name = Reached(()), Reached(self.lines)
        try:
            for reached in (found, by_name):
                self.names |= {ACTIVE: reached, VALUES: reached.values}
                call(self.function)
        finally:
            self.names |= OFF
        small = [change for change in self.changes if change.switches & set(found)]
        return [*small, *self.confused(by_name.kinds), *self.scaled(by_name.kinds)], found.looked

    def confused(self, kinds: Mapping[int, Mapping[str, Any]]) -> Iterator[Change]:
        """One quantity in the place of another of its kind, in each line that was reached."""
        text = "one quantity in the place of another"
        for line, mine in kinds.items():
            read, standing = self.lines[line]
            for x, y in permutations((name for name in mine if mine[name] is not None and name.isidentifier()), 2):
                if x in read and mine[x] == mine[y]:
                    yield Change(frozenset([line]), text, standing, late=True, instead={x: y})

    def scaled(self, kinds: Mapping[int, Mapping[str, Any]]) -> Iterator[Change]:
        """An array that a line reads, times or divided by another quantity: a factor too many, or one that is lost."""
        for line, mine in kinds.items():
            read, standing = self.lines[line]
            for x, y in permutations((name for name in mine if is_shape(mine[name]) or mine[name] is float), 2):
                if x in read and is_shape(mine[x]) and (mine[y] is float or stretches(mine[y], mine[x])):
                    for sign, words in FACTOR_WORDS.items():
                        yield Change(frozenset([line]), words, standing, late=True, factor=(x, sign, y))


def is_shape(kind: Any) -> bool:
    return type(kind) is tuple


def switched(exercise: Exercise) -> Switched:
    return written(exercise.plain, exercise.name)


@cache
def written(reference: Callable[..., Any], name: str) -> Switched:
    return Switched(standalone(reference, name=name), name, inspect.signature(reference).parameters)


class Writer:
    """Puts a switch before every piece of syntax that could be another one."""

    def __init__(self, parameters: Mapping[str, inspect.Parameter]):
        self.parameters = tuple(parameters)
        self.options = {name for name, p in parameters.items() if p.default is not p.empty}
        self.single: list[Change] = []
        self.lines: dict[int, tuple[set[str], tuple[str, ...]]] = {}  # what is read in each, and the parameters there
        self.local: list[set[str]] = [set()]  # the names of quantities, in each function around
        self.alike: dict[tuple[int, str, str], list[Change]] = {}
        self.in_words: dict[tuple[int, str], list[Change]] = {}
        self.used: dict[ast.AST, set[str]] = {}
        self.definition = 0  # the number of the one that is being written
        self.numbers = 0  # of switches
        self.around: list[ast.AST] = []
        self.handed: list[set[str]] = []  # the names that the functions around are given values for

    def twins(self) -> Iterator[Change]:
        """The same change in all places that look alike: both averages, both branches."""
        every = {frozenset().union(*(c.switches for c in changes)): changes
                 for changes in (*self.alike.values(), *self.in_words.values()) if len(changes) in TWINS}  # fmt: skip
        for switches, changes in every.items():
            names = sorted({name for c in changes for name in c.names}, key=self.place)
            text = f"{changes[0].text}, in {len(changes)} places"
            yield Change(switches, text, tuple(names), place=changes[0].place)

    def place(self, name: str) -> tuple[int, str]:
        """Where a parameter, or an entry of one, stands among all."""
        return self.parameters.index(name.partition("[")[0]), name

    def written(self, definition: ast.stmt, number: int, handed: set[str]) -> ast.stmt:
        """A definition with its switches; `handed` are the parameters of the exercise that are known all over it."""
        self.definition, self.handed = number, [handed]
        return self.visit(definition)

    def switch(self, node: ast.AST, new: ast.AST, text: str) -> ast.expr:
        """The question whether the switch for this change is on."""
        number = self.next_number()
        around = self.around[-1] if self.around else None
        change = Change(frozenset([number]), text, self.standing(node), place=(around, node, new))
        self.single.append(change)
        self.alike.setdefault((self.definition, text, f"{form(node)} {form(new)}"), []).append(change)
        if "`" in text:  # a function by its name
            self.in_words.setdefault((self.definition, text), []).append(change)
        return is_on(number)

    def next_number(self) -> int:
        self.numbers += 1
        return self.numbers

    def standing(self, node: ast.AST) -> tuple[str, ...]:
        """The parameters of the exercise that stand in a piece of syntax: `cache['x']` where an entry of it does."""
        known = self.handed[-1] & set(self.parameters)
        return tuple(sorted((x for x in self.names(node) if x.partition("[")[0] in known), key=self.place))

    def names(self, node: ast.AST) -> set[str]:
        if node not in self.used:
            below = set[str]().union(*map(self.names, ast.iter_child_nodes(node)))
            if isinstance(node, ast.Name):
                below = {node.id}
            elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and is_text(node.slice):
                below = {f"{node.value.id}[{node.slice.value!r}]"}
            elif isinstance(node, ast.Attribute) and "self" in below:
                below = below | {node.attr}
            self.used[node] = below
        return self.used[node]

    def visit(self, node: ast.AST) -> Any:
        """The node with switches before it and in it."""
        if isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            return node
        if isinstance(node, ast.keyword):
            return node if node.arg in ("strict", "copy") else self.below(node, "value")
        if type(node) in PLAIN:
            return self.below(node, *PLAIN[type(node)])
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            return self.function(node)
        if isinstance(node, ast.If | ast.IfExp):
            return self.either(node)
        if isinstance(node, ast.stmt) and type(node) in STATEMENTS:
            return self.statement(node, *STATEMENTS[type(node)])
        return self.expression(node) if isinstance(node, ast.expr) else node

    def below(self, node: ast.AST, *fields: str) -> Any:
        """A copy of the node with what hangs below it written anew; all of it, or some fields."""
        self.around.append(node)
        made = copy(node)
        for name in fields or node._fields:
            value = getattr(node, name)
            if isinstance(value, ast.AST):
                setattr(made, name, self.visit(value))
            elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(made, name, self.block(value))
            elif isinstance(value, list):
                setattr(made, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
        self.around.pop()
        return made

    def block(self, lines: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Lines, of which any may come before the one above it."""
        made: list[ast.stmt] = []
        sooner: ast.expr | None = None  # the switch that has the line come sooner
        for line, below in zip_longest(lines, lines[1:]):
            here = self.visit(line)
            here = ast.If(ast.UnaryOp(ast.Not(), sooner), [here], []) if sooner else here
            sooner = None
            if below is not None and exchangeable(line, below):
                sooner = self.switch(ast.Module([line, below], []), below, "two lines in each other's place")
                made.append(ast.If(sooner, [below], []))
            made.append(here)
        return made

    def function(self, node: ast.FunctionDef | ast.Lambda) -> Any:
        given = [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)]
        self.handed.append(self.handed[-1] | set(given))
        self.local.append((set(given) | bound(node)) - self.options)
        made = self.below(node, "body")
        self.handed.pop()
        self.local.pop()
        return made

    def either(self, node: ast.If | ast.IfExp) -> Any:
        """A condition with its opposite, with always and with never; not one that refuses an input."""
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise):
            return self.below(node, "orelse")
        others = self.switches(node.test, tests(node.test))
        made = self.below(node, "body", "orelse")
        made.test = chosen(others, self.visit(node.test))
        return made

    def expression(self, node: ast.expr) -> ast.expr:
        others = self.switches(node, alternatives(node))
        return chosen(others, self.below(node))

    def statement(self, node: ast.stmt, *fields: str) -> Any:
        """With another statement in its place, or none, where the rest still has a meaning then."""
        words = "a line left out"
        if isinstance(node, ast.Assign | ast.AugAssign):
            words += ", or its outcome not used"
        left_out = [(ast.Pass(), words)] if may_go(node, tuple(self.around)) else []
        others = self.switches(node, [*alternatives(node), *left_out])
        whole = self.below(node, *fields)
        for test, new in reversed(others):
            whole = ast.If(test, [new], [whole])
        return whole if isinstance(node, ast.For) else self.by_name(node, whole)

    def by_name(self, line: ast.stmt, whole: ast.stmt) -> ast.stmt:
        """The line, or behind a switch one whose quantities are read by their names."""
        read = (used(line) & self.local[-1]) - called(line) - inner(line)
        if not read:
            return whole
        number = self.next_number()
        self.lines[number] = read, self.standing(line)
        look = ast.parse(f"{VALUES}_here = {VALUES}({number}, locals())").body
        return ast.If(is_on(number), [*look, ByName(read, f"{VALUES}_here", INSTEAD).visit(deepcopy(line))], [whole])

    def switches(self, node: ast.AST, others: Iterable[tuple[Any, str]]) -> list[tuple[ast.expr, Any]]:
        return [(self.switch(node, new, text), new) for new, text in others]


def is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def is_on(switch: int) -> ast.expr:
    return ast.Compare(ast.Constant(switch), [ast.In()], [ast.Name(ACTIVE, ast.Load())])


def chosen(others: Sequence[tuple[ast.expr, ast.expr]], otherwise: ast.expr) -> ast.expr:
    """The expression whose switch is on, or what it is otherwise."""
    for test, new in reversed(others):
        otherwise = ast.IfExp(test, new, otherwise)
    return otherwise


def ends(definition: ast.stmt) -> bool:
    """Whether it comes to an end, whatever is changed in it."""
    return not any(isinstance(node, ast.While) for node in ast.walk(definition))


def computes(definition: ast.stmt) -> bool:
    """Whether it computes something: what only walks over trees is none of the student's."""
    nodes = list(ast.walk(definition))
    known = any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in KNOWN for n in nodes)
    return known or any(isinstance(n, ast.BinOp | ast.AugAssign) for n in nodes)


def form(node: Any) -> str:
    """What is the same for `1 - b1**t` and `1 - b2**t`, a mean and a variance: syntax without its names and texts."""
    if isinstance(node, ast.Name):
        return "name"
    if isinstance(node, ast.Constant):
        return "text" if is_text(node) else repr(node.value)
    if isinstance(node, ast.Attribute) and node.attr in REDUCTIONS:
        return f"reduction({form(node.value)})"
    if isinstance(node, list):
        return f"[{' '.join(map(form, node))}]"
    if isinstance(node, ast.AST):
        return f"{type(node).__name__}({' '.join(form(getattr(node, field, None)) for field in node._fields)})"
    return str(node)
