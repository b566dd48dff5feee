"""What goes wrong with whole lines: two in each other's place, and one quantity where another belongs.

exchangeable(*ast.parse("n += x\\nseen.append(n)").body)    # True: it makes a difference, and each has a meaning
ast.unparse(ByName({"g"}, "values", "instead").visit(ast.parse("v = b * v + g").body[0]))
# "v = b * v + values[instead.get('g', 'g')]"
"""

from __future__ import annotations

import ast
from collections.abc import Container

SIMPLE = ast.Assign | ast.AugAssign | ast.Expr


def exchangeable(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether two lines in the other order do something else, and need nothing that is not there yet."""
    if not (isinstance(first, SIMPLE) and isinstance(second, SIMPLE)):
        return False
    new = bound(first) - used(first)
    touched = changed(first) & used(second) or used(first) & changed(second)
    return bool(touched) and not new & used(second)


def used(node: ast.AST) -> set[str]:
    """The names that are read."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return names | (bound(node) if isinstance(node, ast.AugAssign) else set())


def bound(node: ast.AST) -> set[str]:
    """The names that are given a value."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def changed(node: ast.stmt) -> set[str]:
    """The names whose values are other ones afterwards: bound, written into, or asked to do something."""
    into = {root(t) for n in ast.walk(node) for t in (getattr(n, "targets", None) or [getattr(n, "target", None)])}
    asked = {root(n.func) for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(node, ast.Expr)}
    return (into | asked | bound(node)) - {""}


def root(node: ast.AST | None) -> str:
    """`x` of `x["a"].append`; nothing of a plain name's call."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
        if isinstance(node, ast.Name):
            return node.id
    return ""


def called(node: ast.AST) -> set[str]:
    """The names of functions."""
    return {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def inner(line: ast.AST) -> set[str]:
    """The names that mean something only within a part of it: in a comprehension, in a function without a name."""
    loops = [n.target for n in ast.walk(line) if isinstance(n, ast.comprehension)]
    arguments = {n.arg for n in ast.walk(line) if isinstance(n, ast.arg)}
    return arguments.union(*map(bound, loops))


class ByName(ast.NodeTransformer):
    """Reads some names out of a dict, so that another one can be read instead."""

    def __init__(self, names: Container[str], values: str, instead: str):
        self.names, self.values, self.instead = names, values, instead

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.names or not isinstance(node.ctx, ast.Load):
            return node
        key = ast.parse(f"{self.values}[{self.instead}.get({node.id!r}, {node.id!r})]", mode="eval")
        return key.body
