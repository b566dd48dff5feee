"""What could stand in the place of a piece of syntax, in words: the changes of the audit, and brackets set otherwise.

[(ast.unparse(new), text) for new, text in alternatives(ast.parse("a - b", mode="eval").body)]
# [('a + b', 'a plus in the place of a minus'), ('a', 'a subtraction left out'), ...]
"""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Iterator

from ..mutation.changes import OTHER_OPERATOR, changes

Other = tuple[ast.expr, str]

SAID: dict[type[ast.operator], str] = {
    ast.Add: "a plus", ast.Sub: "a minus", ast.Mult: "a product", ast.Div: "a division", ast.Pow: "a power",
    ast.MatMult: "a matrix product", ast.FloorDiv: "a whole division", ast.Mod: "a remainder",
}  # fmt: skip
PART: dict[type[ast.operator], str] = {
    ast.Add: "a term", ast.Sub: "a subtraction", ast.Mult: "a factor", ast.Div: "a division", ast.Pow: "a power",
    ast.MatMult: "a matrix", ast.FloorDiv: "a division", ast.Mod: "a remainder",
}  # fmt: skip
ONLY_SECOND: dict[type[ast.operator], str] = {
    ast.Add: "a term left out", ast.Mult: "a factor left out", ast.MatMult: "a matrix left out",
    ast.Sub: "what is taken away in the place of a difference", ast.Div: "a divisor in the place of a quotient",
}  # fmt: skip
BESIDES: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Mult: (ast.Add,), ast.Div: (ast.FloorDiv,),
}  # fmt: skip
SUMMARIES = ("mean", "std", "norm")
AXES = (0, 1, -1, -2, (0, 1), (1, 2), (0, 1, 2), (1, 2, 3))
ROUND = "the other way round"
SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


def alternatives(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Other syntax for an expression or statement, and what is changed then, in words."""
    if isinstance(node, ast.BinOp) and not is_text(node.left):
        yield from arithmetic(node)
    elif isinstance(node, ast.Slice | ast.If | ast.IfExp | ast.While):
        return
    else:
        for new in changes(node):
            yield new, said(node, new)
    if isinstance(node, ast.Call):
        yield from keywords(node)
        yield from out_of_brackets(node)
        yield from functions(node)
        yield from summaries(node)
    if isinstance(node, ast.Attribute) and node.attr == "pi":
        yield from multiples(node)
    if isinstance(node, ast.Tuple):
        yield from axes(node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        for new in changes(node.slice):
            yield ast.Subscript(node.value, new, node.ctx), "a slice that begins or ends elsewhere"  # type: ignore[arg-type]


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def tests(node: ast.expr) -> Iterator[Other]:
    """Of a condition, beside what its own syntax could be."""
    if not (isinstance(node, ast.Compare) and len(node.ops) == 1):
        yield ast.UnaryOp(ast.Not(), node), f"a condition {ROUND}"
    yield ast.Constant(True), "a condition that always holds"
    yield ast.Constant(False), "a condition that never holds"


def arithmetic(node: ast.BinOp) -> Iterator[Other]:
    op, left, right = type(node.op), node.left, node.right
    other = OTHER_OPERATOR.get(op)
    for kind in (other, *BESIDES.get(op, ())):
        if kind:
            yield ast.BinOp(left, kind(), right), f"{SAID[kind]} in the place of {SAID[op]}"
    if op in PART:
        yield left, f"{PART[op]} left out"
    if op in ONLY_SECOND:
        yield right, ONLY_SECOND[op]
    if op in (ast.Sub, ast.Div):
        yield ast.BinOp(right, op(), left), f"{'a difference' if op is ast.Sub else 'a quotient'} {ROUND}"
    if op is ast.MatMult:
        yield ast.BinOp(right, op(), left), f"a matrix product {ROUND}"
    yield from brackets(node)
    yield from sizes(node)
    yield from weights(node)


def sizes(node: ast.BinOp) -> Iterator[Other]:
    """A size, |x|, in the place of a square: x², x · x, or the end of a product; the sign or size of a difference."""
    left, right = node.left, node.right
    text = "a size in the place of a square"
    if isinstance(node.op, ast.Sub) and not any(map(is_number, ast.walk(node))):
        yield numpy("sign", node), "only the sign of a difference"
        yield numpy("abs", node), "the size of a difference, without its sign"
    if isinstance(node.op, ast.Pow) and isinstance(right, ast.Constant) and right.value == 2:
        yield numpy("abs", left), text
    if isinstance(node.op, ast.Mult) and same(left, right):
        yield numpy("abs", left), text
    elif isinstance(node.op, ast.Mult) and isinstance(left, ast.BinOp) and same(left.right, right):
        yield ast.BinOp(left.left, left.op, numpy("abs", right)), text


def weights(node: ast.BinOp) -> Iterator[Other]:
    """Of a sum with weights b and 1 − b neither; of one in which only the first has its b, the other as well."""
    left, right = node.left, node.right
    if not (isinstance(node.op, ast.Add) and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult)):
        return
    b = left.left
    complement = ast.BinOp(ast.Constant(1), ast.Sub(), b)
    rest = without(complement, right)
    if rest is not None:
        yield ast.BinOp(left.right, ast.Add(), rest), "both weights of a mean left out"
    elif isinstance(b, ast.Name):
        yield ast.BinOp(left, ast.Add(), ast.BinOp(complement, ast.Mult(), right)), "a weight too many, 1 − the other"


def without(factor: ast.expr, product: ast.expr) -> ast.expr | None:
    """A product without its first factor; None if it begins with another one."""
    if not (isinstance(product, ast.BinOp) and isinstance(product.op, ast.Mult)):
        return None
    if same(product.left, factor):
        return product.right
    left = without(factor, product.left)
    return None if left is None else ast.BinOp(left, ast.Mult(), product.right)


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def same(one: ast.expr, other: ast.expr) -> bool:
    return ast.dump(one) == ast.dump(other)


def numpy(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load()), list(args), [])


def brackets(node: ast.BinOp) -> Iterator[Other]:
    """Set otherwise around three operands or four; or closed later, behind what follows a function."""
    left, right = node.left, node.right
    moved = "a bracket in another place"
    if isinstance(right, ast.BinOp):
        yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right), moved
    if isinstance(left, ast.BinOp):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)), moved
        first = left.left
        if isinstance(first, ast.BinOp):
            last = ast.BinOp(ast.BinOp(first.right, left.op, left.right), node.op, right)
            yield ast.BinOp(first.left, first.op, last), moved
    for one, put in ((left, lambda x: ast.BinOp(x, node.op, right)), (right, lambda x: ast.BinOp(left, node.op, x))):
        if isinstance(one, ast.Call) and called(one) and one.args and not isinstance(one.args[0], ast.Starred):
            text = f"{PART.get(type(node.op), 'something')} inside the brackets of `{called(one)}` instead of outside"
            yield ast.Call(one.func, [put(one.args[0]), *one.args[1:]], one.keywords), text


def out_of_brackets(node: ast.Call) -> Iterator[Other]:
    """Closed earlier: before the last of what a function is given."""
    if called(node) and node.args and isinstance(node.args[0], ast.BinOp):
        inner, rest = node.args[0], node.args[1:]
        text = f"{PART.get(type(inner.op), 'something')} outside the brackets of `{called(node)}` instead of inside"
        yield ast.BinOp(ast.Call(node.func, [inner.left, *rest], node.keywords), inner.op, inner.right), text
        yield ast.BinOp(inner.left, inner.op, ast.Call(node.func, [inner.right, *rest], node.keywords)), text


def functions(node: ast.Call) -> Iterator[Other]:
    """A square for a size; another count for that of rows; a function of the solution's own twice."""
    name = called(node) or getattr(node.func, "id", "")
    if not node.args or isinstance(node.args[0], ast.Starred):
        return
    x, rest = node.args[0], node.args[1:]
    if name == "where" and len(node.args) == 3:
        yield from masks(*node.args)
    if name in ("abs", "absolute", "fabs"):
        yield ast.BinOp(x, ast.Mult(), x), "a square in the place of a size"
    if name == "square":
        yield numpy("abs", x), "a size in the place of a square"
    if name == "len":
        yield ast.Constant(1), "1 in the place of a count"
        yield ast.Subscript(numpy("shape", x), ast.Constant(-1), ast.Load()), "the last axis in the place of the rows"
        yield numpy("size", x), "all entries counted in the place of the rows"
    if isinstance(node.func, ast.Name) and not hasattr(builtins, name):
        yield ast.Call(node.func, [node, *rest], node.keywords), f"`{name}` twice"


def masks(test: ast.expr, kept: ast.expr, rest: ast.expr) -> Iterator[Other]:
    """A sign in the place of a mask; a mask by what passes through it, alone or as well."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.comparators[0], ast.Constant):
        positive = ast.Compare(kept, test.ops, test.comparators)
        yield ast.BinOp(numpy("sign", test.left), ast.Mult(), kept), "a sign in the place of a condition"
        yield (
            numpy("where", positive, kept, rest),
            "a condition on what is let through in the place of the one asked for",
        )
        both = numpy("logical_and", test, positive)
        yield numpy("where", both, kept, rest), "a second condition, on what is let through"


def multiples(pi: ast.Attribute) -> Iterator[Other]:
    """Another part of a circle, or degrees."""
    for k, text in ((2, "2 π"), (0.5, "π / 2"), (180 / math.pi, "180")):
        yield ast.BinOp(pi, ast.Mult(), ast.Constant(k)), f"{text} in the place of π"


def summaries(node: ast.Call) -> Iterator[Other]:
    """Another number in the place of a mean, a deviation or a length: a median, a root of the mean square, a sum."""
    name = called(node)
    if name not in SUMMARIES:
        return
    method = isinstance(node.func, ast.Attribute) and not is_module(node.func.value) and not is_linalg(node.func.value)
    x, rest = (node.func.value, node.args) if method else (node.args[0], node.args[1:])  # type: ignore[union-attr]

    def other(function: str, inner: ast.expr) -> ast.Call:
        return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), function, ast.Load()), [inner, *rest], node.keywords)

    size, square = numpy("abs", x), ast.BinOp(x, ast.Mult(), x)
    if name == "mean":
        yield other("median", x), "a median in the place of a mean"
        yield other("mean", size), "a mean of sizes"
    if name in ("mean", "std"):
        yield numpy("sqrt", other("mean", square)), f"the root of a mean of squares in the place of `{name}`"
    if name == "norm":
        yield other("sum", size), "a sum of sizes in the place of a length"
        yield other("max", size), "the largest size in the place of a length"
        yield other("sum", square), "a sum of squares in the place of a length"


def is_linalg(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "linalg"


def keywords(node: ast.Call) -> Iterator[Other]:
    """An option of NumPy's that is forgotten or not asked for, or another axis; a variance by another formula."""
    name = called(node)
    for i, keyword in enumerate(node.keywords):
        rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
        if keyword.arg in ("keepdims", "ddof"):
            yield ast.Call(node.func, node.args, rest), f"`{keyword.arg}` of `{name}` left out"
        if keyword.arg == "axis":
            for axis in AXES:
                other = ast.keyword("axis", ast.parse(repr(axis), mode="eval").body)
                yield ast.Call(node.func, node.args, [*rest, other]), "a sum or mean along another axis"
    if name in ("var", "std") and not any(keyword.arg == "ddof" for keyword in node.keywords):
        one = ast.keyword("ddof", ast.Constant(1))
        yield ast.Call(node.func, node.args, [*node.keywords, one]), f"n − 1 in the place of n in `{name}`"
    if name == "var" and isinstance(node.func, ast.Attribute) and not is_module(node.func.value):
        x = node.func.value
        squares = ast.Attribute(ast.BinOp(x, ast.Mult(), x), "mean", ast.Load())
        yield ast.Call(squares, node.args, node.keywords), "a mean of squares in the place of a variance"


def is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "math")


def axes(node: ast.Tuple) -> Iterator[Other]:
    """Whole numbers in a row are axes: one too few, or one too many."""
    numbers = [x.value for x in node.elts if isinstance(x, ast.Constant) and type(x.value) is int]
    if len(numbers) == len(node.elts) > 1:
        for left_out in node.elts:
            yield ast.Tuple([x for x in node.elts if x is not left_out], ast.Load()), "an axis too few"
        for more in range(max(numbers) + 2):
            if more not in numbers:
                yield ast.Tuple([*node.elts, ast.Constant(more)], ast.Load()), "an axis too many"


def called(node: ast.Call) -> str:
    """`sqrt` of `np.sqrt(x)`, `mean` of `x.mean()`; nothing for a function of the solution's own."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def said(node: ast.AST, new: ast.AST) -> str:
    """What a change of the audit's is, in words."""
    if isinstance(node, ast.Compare) and isinstance(new, ast.Compare):
        old, now = next((a, b) for a, b in zip(node.ops, new.ops, strict=True) if type(a) is not type(b))
        return f"`{SIGNS[type(now)]}` in the place of `{SIGNS[type(old)]}`"
    if isinstance(node, ast.BoolOp):
        words = ("and", "or") if isinstance(node.op, ast.Or) else ("or", "and")
        return f"`{words[0]}` in the place of `{words[1]}`"
    if isinstance(node, ast.UnaryOp):
        return "a `not` left out" if isinstance(node.op, ast.Not) else "a minus left out"
    if isinstance(node, ast.AugAssign):
        return in_place(node, new)
    if isinstance(node, ast.Constant):
        return "another constant" if not isinstance(node.value, bool) else "True and False exchanged"
    if isinstance(node, ast.Attribute):
        return "a transposition left out"
    if isinstance(node, ast.Call):
        return of_a_call(node, new)
    return "one thing changed"


def in_place(node: ast.AugAssign, new: ast.AST) -> str:
    if isinstance(new, ast.AugAssign):
        return f"{SAID[type(new.op)]} in the place of {SAID[type(node.op)]}"
    return "only the last, in the place of all together"


def of_a_call(node: ast.Call, new: ast.AST) -> str:
    name = called(node) or (node.func.id if isinstance(node.func, ast.Name) else "a function")
    inner = [*node.args[:1], *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
    if isinstance(new, ast.Call) and not any(new is x for x in inner):
        other = new.func.attr if isinstance(new.func, ast.Attribute) else getattr(new.func, "id", "")
        if other != name:
            return f"`{other}` in the place of `{name}`"
        if name == "where":
            return "the two cases of `where` exchanged"
        range_ = "a `range` that begins or ends elsewhere"
        return range_ if name == "range" else f"`{name}` over everything, in the place of along an axis"
    return f"`{name}` left out"
