"""Small wrong turns of a piece of syntax: the other operator, a constant beside the right one, a call left out.

Each rule looks at one node and yields what could stand in its place; a mutant of the reference is one such change.

    [ast.unparse(new) for new in changes(ast.parse("a + b", mode="eval").body)]    # ['a - b', 'a']
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

__all__ = ["OTHER_OPERATOR", "changes"]

Change = ast.expr | ast.stmt


def changes(node: ast.AST) -> Iterator[Change]:
    """Everything that could stand in the place of `node`. Statements that are left out become `pass`."""
    for kind, rule in RULES:
        if isinstance(node, kind):
            yield from rule(node)


# -------------------------------------------------------------------------------------------------------- operators
OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip
OTHER_COMPARISON: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip


def arithmetic(node: ast.BinOp) -> Iterator[Change]:
    """The opposite operator, and the second operand forgotten."""
    if isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        return  # text that is put together
    other = OTHER_OPERATOR.get(type(node.op))
    if other is not None:
        yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ast.MatMult):
        yield ast.BinOp(node.right, ast.MatMult(), node.left)
    yield node.left


def in_place(node: ast.AugAssign) -> Iterator[Change]:
    """`=` for `+=` is the most famous of all."""
    other = OTHER_OPERATOR.get(type(node.op))
    if other is not None:
        yield ast.AugAssign(node.target, other(), node.value)
    yield ast.Assign([node.target], node.value, lineno=node.lineno)


def comparison(node: ast.Compare) -> Iterator[Change]:
    for i, op in enumerate(node.ops):
        for other in OTHER_COMPARISON[type(op)]:
            yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators)


def connective(node: ast.BoolOp) -> Iterator[Change]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def unary(node: ast.UnaryOp) -> Iterator[Change]:
    """The minus or the `not` is dropped."""
    if not isinstance(node.op, ast.UAdd):
        yield node.operand


def condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[Change]:
    """The opposite condition, where no comparison can be turned round instead."""
    if isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
        return
    if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
        return
    opposite = ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(opposite, node.body, node.orelse)
    elif isinstance(node, ast.If):
        yield ast.If(opposite, node.body, node.orelse)
    else:
        yield ast.While(opposite, node.body, node.orelse)


# -------------------------------------------------------------------------------------------- constants and indices
def constant(node: ast.Constant) -> Iterator[Change]:
    """True and False exchanged; a number one more, one less, doubled, gone."""
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        for near in dict.fromkeys([value + 1, value - 1, value * 2, 0 * value]):
            if near != value:
                yield number(near)


def number(value: float) -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def is_number(node: ast.expr | None) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and isinstance(inner.value, int | float)


def beside(node: ast.expr) -> Iterator[ast.expr]:
    """One too many, one too few: for bounds that are no constants, since constants have their own rule."""
    if not is_number(node):
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1))


def bounds(node: ast.Slice) -> Iterator[Change]:
    if node.lower is None and node.upper is None:
        return
    for lower in beside(node.lower) if node.lower else [ast.Constant(1)]:
        yield ast.Slice(lower, node.upper, node.step)
    for upper in beside(node.upper) if node.upper else [number(-1)]:
        yield ast.Slice(node.lower, upper, node.step)


# ------------------------------------------------------------------------------------------------------------- calls
OTHER_METHOD: Mapping[str, str] = {
    "max": "min", "min": "max", "amax": "amin", "amin": "amax", "maximum": "minimum", "minimum": "maximum",
    "fmax": "fmin", "fmin": "fmax", "argmax": "argmin", "argmin": "argmax", "any": "all", "all": "any",
    "sum": "mean", "mean": "sum", "prod": "sum", "cumsum": "cumprod", "cumprod": "cumsum", "var": "std", "std": "var",
    "zeros": "ones", "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like", "floor": "ceil",
    "ceil": "floor", "sin": "cos", "cos": "sin", "log1p": "log", "expm1": "exp", "log": "log2", "logaddexp": "maximum",
}  # fmt: skip
OTHER_BUILTIN: Mapping[str, str] = {"max": "min", "min": "max", "any": "all", "all": "any"}
LEFT_OUT = frozenset({
    "abs", "absolute", "fabs", "sqrt", "square", "exp", "expm1", "log", "log1p", "sign", "tanh", "copy", "clip",
    "maximum", "minimum", "max", "min", "flip", "sort", "cumsum", "transpose", "astype", "reversed", "sorted", "conj",
})  # fmt: skip
SAME_AXIS = frozenset({"take_along_axis", "put_along_axis"})  # without an axis, NumPy's versions differ


def call(node: ast.Call) -> Iterator[Change]:
    """Another function of the same kind; the function left out; its axis left out; choices exchanged."""
    name, owner = called(node)
    table = OTHER_METHOD if owner is not None else OTHER_BUILTIN
    if name in table and not (owner is None and len(node.args) == 0):
        yield ast.Call(renamed(node.func, table[name]), node.args, node.keywords)
    inner = inside(node, name, owner)
    if inner is not None:
        yield inner
    if name not in SAME_AXIS and any(keyword.arg == "axis" for keyword in node.keywords):
        yield ast.Call(node.func, node.args, [k for k in node.keywords if k.arg != "axis"])
    if name == "where" and len(node.args) == 3:
        test, yes, no = node.args
        yield ast.Call(node.func, [test, no, yes], node.keywords)
    if name == "range" and owner is None:
        for i, argument in enumerate(node.args):
            for near in beside(argument):
                yield ast.Call(node.func, [*node.args[:i], near, *node.args[i + 1 :]], node.keywords)


def called(node: ast.Call) -> tuple[str, ast.expr | None]:
    """`np.max(x)` and `x.max()` as ("max", owner), `max(a, b)` as ("max", None)."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr, node.func.value
    return (node.func.id, None) if isinstance(node.func, ast.Name) else ("", None)


def inside(node: ast.Call, name: str, owner: ast.expr | None) -> ast.expr | None:
    """What is left of the call if the function is forgotten: its first argument, or the object of the method."""
    if name not in LEFT_OUT:
        return None
    if owner is None or (isinstance(owner, ast.Name) and owner.id in ("np", "math")):
        return node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None
    return owner


def renamed(function: ast.expr, name: str) -> ast.expr:
    if isinstance(function, ast.Attribute):
        return ast.Attribute(function.value, name, ast.Load())
    return ast.Name(name, ast.Load())


def attribute(node: ast.Attribute) -> Iterator[Change]:
    if node.attr == "T":
        yield node.value


RULES: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[Change]]], ...] = (
    (ast.BinOp, arithmetic), (ast.AugAssign, in_place), (ast.Compare, comparison), (ast.BoolOp, connective),
    (ast.UnaryOp, unary), ((ast.If, ast.IfExp, ast.While), condition), (ast.Constant, constant), (ast.Slice, bounds),
    (ast.Call, call), (ast.Attribute, attribute),
)  # fmt: skip
