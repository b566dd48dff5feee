"""Standalone source: a function or class with everything of its own packages that it names, and nothing else.

The text runs where only `import numpy as np` has run before; the reference becomes the solution that students see,
a misconception becomes a sample submission, a handful of public functions becomes a module inside the sandbox.

    standalone(adam)                      # the rule, the tree helper, then adam; own decorators and annotations gone
    standalone(wrong, name="adam")        # the same for a lambda or a partial, under the name of the exercise
    module_source([softmax, one_hot])     # several at once, with NumPy's import
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import re
import sys
import textwrap
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["SourceError", "bound_names", "global_names", "module_source", "standalone"]

MOST_DEFINITIONS = 200  # a function that drags in more than this has caught a foreign library


class SourceError(ValueError):
    """An object whose source cannot stand alone; the message says which name is the reason and what to do."""


def standalone(obj: Any, name: str | None = None, avoid: Iterable[str] = ()) -> str:
    """The source of `obj` (function, class, lambda, partial) and of what it names in its own packages.

    `name` renames it. A helper that already has that name, or one of `avoid`, gets an underscore: beside a student's
    own functions it must not take their place. Raises SourceError.
    """
    return _join(_collect([(obj, name)]), avoid)


def module_source(objects: Iterable[Any]) -> str:
    """One module that offers all `objects` under their own names, beginning with NumPy's import."""
    return "import numpy as np\n\n\n" + _join(_collect([(obj, None) for obj in objects]), ())


# ------------------------------------------------------------------------------------------------ what is collected
@dataclass
class Definition:
    """One statement of the result. `uses` are spans of the text (in bytes) and what must stand there."""

    text: str
    namespace: Mapping[str, Any]
    module: ModuleType | None
    name: str
    uses: list[tuple[int, int, Hashable]] = field(default_factory=list)
    cuts: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass
class _Collection:
    definitions: dict[Hashable, Definition] = field(default_factory=dict)  # helpers before their users
    imports: dict[str, None] = field(default_factory=dict)
    roots: dict[Hashable, str] = field(default_factory=dict)
    alive: list[Any] = field(default_factory=list)  # keys are ids: what they identify must not go away
    open: set[Hashable] = field(default_factory=set)
    taken: dict[Hashable, set[str]] = field(default_factory=dict)  # by users' own names, where a path stood in the text


def _collect(roots: list[tuple[Any, str | None]]) -> _Collection:
    found = _Collection()
    for obj, name in roots:
        key = _add_object(found, obj, name or _name_of(obj))
        found.roots[key] = name or found.definitions[key].name
    return found


def _name_of(obj: Any) -> str:
    obj = obj.func if isinstance(obj, functools.partial) else inspect.unwrap(obj)
    return "answer" if obj.__name__ == "<lambda>" else obj.__name__


def _add_object(found: _Collection, obj: Any, name: str) -> Hashable:
    plain = obj if isinstance(obj, functools.partial) or _offered(obj) else inspect.unwrap(obj)
    key = ("object", id(plain))
    if key not in found.definitions and key not in found.open:
        found.alive.append(plain)
        _add(found, key, _define(plain, name))
    return key


def _add(found: _Collection, key: Hashable, definition: Definition) -> None:
    if len(found.definitions) + len(found.open) > MOST_DEFINITIONS:
        raise SourceError(f"`{definition.name}` names more than {MOST_DEFINITIONS} definitions; write it with NumPy")
    found.open.add(key)  # a recursive function meets itself here
    _read_uses(found, definition)
    found.open.discard(key)
    found.definitions[key] = definition


# ------------------------------------------------------------------------------------------- the text of one object
def _define(obj: Any, name: str) -> Definition:
    if _offered(obj):
        return _define_as(name, obj, name)
    if isinstance(obj, functools.partial):
        return _define_partial(obj, name)
    if isinstance(obj, FunctionType):
        return _define_function(obj, name)
    if isinstance(obj, type):
        return _define_class(obj)
    raise SourceError(f"`{name}` is {type(obj).__name__}; expected a def, a class, a lambda or a partial of these")


def _define_as(name: str, value: Any, owner: str) -> Definition:
    """`name = value`, for what can be written so: a plain value, or what NumPy or the standard library offers."""
    root = _offered(value).partition(".")[0]
    modules = {"np": np, root: sys.modules[root]} if root in sys.modules else {"np": np}
    return Definition(f"{name} = {_literal(value, owner)}", modules, None, name)


def _define_partial(obj: functools.partial[Any], name: str) -> Definition:
    namespace: dict[str, Any] = {"functools": functools, "np": np}
    parts = [_part(obj.func, "function", namespace, name)]
    parts += [_part(value, f"argument_{i}", namespace, name) for i, value in enumerate(obj.args)]
    parts += [f"{key}={_part(value, key, namespace, name)}" for key, value in obj.keywords.items()]
    return Definition(f"{name} = functools.partial({', '.join(parts)})", namespace, sys.modules[__name__], name)


def _part(value: Any, name: str, namespace: dict[str, Any], owner: str) -> str:
    if isinstance(value, FunctionType | functools.partial | type) or hasattr(value, "__wrapped__"):
        namespace[name] = _Cell(value, name)
        return name
    return _literal(value, owner)


def _define_function(obj: FunctionType, name: str) -> Definition:
    code, namespace = obj.__code__, _namespace(obj)
    lines = _lines(obj, name)
    written = _written("".join(lines))
    module = sys.modules.get(obj.__module__)
    if code.co_name == "<lambda>":
        node = _find_lambda(written.get(("<lambda>", code.co_firstlineno), []), code, name)
        return Definition(_lambda_as_def(lines, node, name), namespace, module, name)
    for node in written.get((code.co_name, code.co_firstlineno), []):
        return Definition(_snippet(lines, node), {**namespace, **_defaults(obj, node, namespace)}, module, node.name)
    raise SourceError(f"`{name}` was not found in the file that it claims to come from; reload its module")


def _define_class(obj: type) -> Definition:
    lines = _lines(obj, obj.__name__)
    namespace = dict(vars(sys.modules[obj.__module__]))
    for method in vars(obj).values():
        if isinstance(method, FunctionType):
            namespace |= {k: v for k, v in _namespace(method).items() if k != "__class__"}
    start = inspect.findsource(obj)[1] + 1  # of the class or of its first decorator, as the version of Python has it
    for (name, first), nodes in _written("".join(lines)).items():
        if name == obj.__name__ and isinstance(nodes[0], ast.ClassDef) and start in (first, nodes[0].lineno):
            return Definition(_snippet(lines, nodes[0]), namespace, sys.modules[obj.__module__], obj.__name__)
    raise SourceError(f"class `{obj.__name__}` was not found in its file; reload its module")


def _namespace(obj: FunctionType) -> dict[str, Any]:
    cells = zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=True)
    return {**obj.__globals__, **{name: _Cell(cell.cell_contents, name) for name, cell in cells}}


def _defaults(obj: FunctionType, node: ast.FunctionDef, namespace: Mapping[str, Any]) -> dict[str, _Cell]:
    """Default values that are names of the function around it, which is gone: no closure holds them."""
    seen = {**vars(builtins), **namespace}
    values = [*(obj.__defaults__ or ()), *((obj.__kwdefaults__ or {}).get(a.arg) for a in node.args.kwonlyargs)]
    names = [*node.args.defaults, *node.args.kw_defaults]
    return {expression.id: _Cell(value, expression.id)
            for expression, value in zip(names, values, strict=True)
            if isinstance(expression, ast.Name) and seen.get(expression.id, names) is not value}  # fmt: skip


@dataclass
class _Cell:
    """A value that a closure holds: it has no statement of its own that could be copied."""

    value: Any
    name: str


@functools.lru_cache(maxsize=64)
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


@functools.lru_cache(maxsize=64)
def _written(source: str) -> dict[tuple[str, int], list[Any]]:
    """A file's functions, classes and lambdas by name and first line; the same few files are asked for very often."""
    found: dict[tuple[str, int], list[Any]] = {}
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.setdefault((node.name, _first_line(node)), []).append(node)
        elif isinstance(node, ast.Lambda):
            found.setdefault(("<lambda>", node.lineno), []).append(node)
    return found


def _lines(obj: Any, name: str) -> list[str]:
    try:
        return inspect.findsource(obj)[0]
    except (OSError, TypeError) as error:
        raise SourceError(f"`{name}` has no Python source; write it in Python, or import it inside NumPy") from error


def _first_line(node: ast.FunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _snippet(lines: list[str], node: ast.FunctionDef | ast.ClassDef) -> str:
    return textwrap.dedent("".join(lines[_first_line(node) - 1 : node.end_lineno])).rstrip()


def _find_lambda(on_its_line: list[ast.Lambda], code: Any, name: str) -> ast.Lambda:
    spots = [(row, col) for row, _, col, _ in code.co_positions() if row is not None and col]
    around = [node for node in on_its_line if _holds(node.body, spots)]
    if not around:
        raise SourceError(f"`{name}` is a lambda that could not be located in its file; write it as a def")
    return max(around, key=lambda node: (node.lineno, node.col_offset))  # the innermost


def _holds(body: ast.expr, spots: list[tuple[int, int]]) -> bool:
    start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    return all(start <= spot < end for spot in spots)


def _lambda_as_def(lines: list[str], node: ast.Lambda, name: str) -> str:
    text = "".join(lines)
    body = ast.get_source_segment(text, node.body) or ""
    head = (ast.get_source_segment(text, node) or "")[len("lambda") :]
    arguments = head[: head.rindex(body)].rstrip("( \n").rstrip().removesuffix(":").strip()
    body = f"({body})" if "\n" in body else body
    return f"def {name}({arguments}):\n    return {body}"


# ---------------------------------------------------------------------------------- names that a definition needs
def _read_uses(found: _Collection, definition: Definition) -> None:
    data = definition.text.encode()
    tree, chains = _syntax(definition.text)
    starts = _line_starts(data)
    definition.cuts = sorted(set(_cuts(tree, data, starts, definition.namespace)))
    gone = [(start, end) for start, end, text in definition.cuts if not text]
    for chain in chains:
        start = _span(chain[0], starts)[0]
        if any(a <= start < b for a, b in gone):
            continue
        used = _key_of(found, definition, chain)
        if used is not None:
            if used[1] is not chain[0]:
                found.taken.setdefault(used[0], set()).update(_local_names(tree))
            definition.uses.append((start, _span(used[1], starts)[1], used[0]))
    definition.uses += [(*span, ("self",)) for span in _own_name(tree, data, starts)]


@functools.lru_cache(maxsize=2048)
def _syntax(text: str) -> tuple[ast.Module, list[list[ast.expr]]]:
    tree = ast.parse(text)
    return tree, global_names(tree)


def _key_of(found: _Collection, definition: Definition, chain: list[ast.expr]) -> tuple[Hashable, ast.expr] | None:
    """What the name `chain[0]`, or the longest attribute path over own modules that begins there, stands for."""
    name = getattr(chain[0], "id", "")
    if name not in definition.namespace:
        if hasattr(builtins, name) or name in ("__class__", "__name__"):
            return None
        raise SourceError(f"`{definition.name}` names `{name}`, which is not defined where it stands")
    value, holder, at = definition.namespace[name], definition.module, name
    if isinstance(value, ModuleType) and _is_own(value.__name__):
        for node in chain[1:]:
            assert isinstance(node, ast.Attribute)
            value, holder, at = getattr(value, node.attr), value, node.attr
            if not isinstance(value, ModuleType):
                return _key_of_value(found, definition, value, holder, at), node
        raise SourceError(f"`{definition.name}` uses the module `{name}` as a value; name the function that it needs")
    return _key_of_value(found, definition, value, holder, at), chain[0]


def _key_of_value(
    found: _Collection, definition: Definition, value: Any, module: ModuleType | None, name: str
) -> Hashable:
    if isinstance(value, _Cell):
        return _key_of_cell(found, definition, value)
    plain = inspect.unwrap(value) if callable(value) else value
    if isinstance(plain, FunctionType | type) and _is_own(plain.__module__ or ""):
        return _add_object(found, plain, name)
    return _key_of_binding(found, module, name)


def _key_of_cell(found: _Collection, definition: Definition, cell: _Cell) -> Hashable:
    plain = inspect.unwrap(cell.value) if callable(cell.value) else cell.value
    copied = isinstance(plain, FunctionType | functools.partial) or (
        isinstance(plain, type) and _is_own(plain.__module__)
    )
    if copied and not _offered(cell.value):
        return _add_object(found, plain, cell.name)
    key = ("cell", cell.name, id(cell.value))
    if key not in found.definitions:
        found.alive.append(cell.value)
        _add(found, key, _define_as(cell.name, cell.value, definition.name))
    return key


def _key_of_binding(found: _Collection, module: ModuleType | None, name: str) -> Hashable:
    """The statement of `module` that binds `name`: an assignment is copied, an import copied or followed."""
    if module is None:  # in a statement of ours
        return _import(found, "import numpy as np" if name == "np" else f"import {name}")
    lines = _lines(module, name)
    statement = _binding("".join(lines), name)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return _key_of_import(found, module, statement, name)
    if statement is None:
        raise SourceError(
            f"`{name}` of {module.__name__} is not assigned by a plain statement; assign it as `{name} = …`"
        )
    key = ("constant", module.__name__, name)
    if key not in found.definitions and key not in found.open:
        text = "".join(lines[statement.lineno - 1 : statement.end_lineno]).strip()
        _add(found, key, Definition(text, vars(module), module, name))
    return key


def _key_of_import(
    found: _Collection, module: ModuleType, statement: ast.Import | ast.ImportFrom, name: str
) -> Hashable:
    alias = next(a for a in statement.names if (a.asname or a.name.split(".")[0]) == name)
    if isinstance(statement, ast.Import):
        return _import(found, f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else ""))
    source = sys.modules[_absolute(module, statement)]
    if _is_own(source.__name__):
        return _key_of_binding(found, source, alias.name)
    return _import(found, f"from {source.__name__} import {alias.name}" + (f" as {name}" if alias.asname else ""))


def _absolute(module: ModuleType, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    package = module.__name__ if hasattr(module, "__path__") else module.__name__.rpartition(".")[0]
    for _ in range(statement.level - 1):
        package = package.rpartition(".")[0]
    return ".".join(part for part in (package, statement.module) if part)


def _import(found: _Collection, line: str) -> Hashable:
    if line != "import numpy as np":
        found.imports[line] = None
    return ("import", line)


def _binding(source: str, name: str) -> ast.stmt | None:
    last = None
    for node in _parsed(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound = {a.asname or a.name.split(".")[0] for a in node.names}
        else:
            continue
        if name in bound:
            last = node
    return last


def _is_own(module: str) -> bool:
    """Whether source is copied: the standard library, NumPy and this package are imported instead."""
    return module.partition(".")[0] not in {*sys.stdlib_module_names, "numpy", __name__.partition(".")[0]}


def _offered(value: Any) -> str:
    """`math.sqrt`, `np.var`, `list`: the name of what Python, its standard library or NumPy offers, else ""."""
    home, path = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if isinstance(value, np.ufunc):
        home, path = "numpy", value.__name__
    if not isinstance(home, str) or not path:
        return ""
    if home not in sys.stdlib_module_names and home.partition(".")[0] != "numpy":
        return ""
    found: Any = sys.modules.get(home)
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is not value:
        return ""
    return path if home == "builtins" else re.sub(r"^numpy\b", "np", f"{home}.{path}")


def _literal(value: Any, owner: str) -> str:
    """Source text of a plain value (number, string, array, tuple, list or dict of these) or of what others offer."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and np.isfinite(value).all():
        return f"np.array({value.tolist()!r}, dtype=np.{value.dtype.name})"
    if _offered(value):
        return _offered(value)
    if type(value) is dict:
        return "{" + ", ".join(f"{_literal(k, owner)}: {_literal(v, owner)}" for k, v in value.items()) + "}"
    if type(value) in (tuple, list):
        inner = ", ".join(_literal(v, owner) for v in value)
        return f"[{inner}]" if type(value) is list else f"({inner}{',' if len(value) == 1 else ''})"
    raise SourceError(f"`{owner}` holds a {type(value).__name__}, which has no literal; define it as a module constant")


# ------------------------------------------------------------------------------------------------ reading the syntax
class _Scopes(ast.NodeVisitor):
    """Finds the names that are looked up in the module, leaving out what a function or comprehension binds."""

    def __init__(self) -> None:
        self.bound: list[set[str]] = []
        self.chains: list[list[ast.expr]] = []  # the name, then each attribute taken of it

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and not any(node.id in names for names in self.bound):
            self.chains.append([node])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        before = len(self.chains)
        self.visit(node.value)
        if len(self.chains) > before and self.chains[-1][-1] is node.value:
            self.chains[-1].append(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for outside in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if outside is not None:
                self.visit(outside)
        self._inside({*_arguments(node.args), *bound_names(node.body)}, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for outside in (*node.args.defaults, *node.args.kw_defaults):
            if outside is not None:
                self.visit(outside)
        self._inside(set(_arguments(node.args)), [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for outside in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.visit(outside)
        own = set(bound_names(node.body))
        for statement in node.body:  # methods do not see the names of the class body
            self._inside(set() if isinstance(statement, ast.FunctionDef) else own, [statement])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        for part in (node.target, node.value):
            if part is not None:
                self.visit(part)

    def _visit_comprehension(self, node: Any) -> None:
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        self._inside(targets, ast.iter_child_nodes(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def _inside(self, names: set[str], nodes: Iterable[ast.AST]) -> None:
        self.bound.append(names)
        for node in nodes:
            self.visit(node)
        self.bound.pop()


def global_names(tree: ast.AST) -> list[list[ast.expr]]:
    """The names that `tree` looks up in its module, each followed by the attributes that are taken of it."""
    scopes = _Scopes()
    scopes.visit(tree)
    return scopes.chains


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    several = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return (a.arg for a in several if a is not None)


def bound_names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that these statements bind in their own scope."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (a.asname or a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.comprehension):
            todo.extend(ast.iter_child_nodes(node))


def _line_starts(data: bytes) -> list[int]:
    return [0, *(match.end() for match in re.finditer(b"\n", data))]


def _span(node: Any, starts: list[int]) -> tuple[int, int]:
    return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset


# --------------------------------------------------------------------------------------- what is cut out of the text
def _cuts(
    tree: ast.AST, data: bytes, starts: list[int], namespace: Mapping[str, Any]
) -> Iterator[tuple[int, int, str]]:
    """Own decorators and all annotations of functions: they name things that are not there when the text runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _decorator_cuts(node, data, starts, namespace)
        if isinstance(node, ast.FunctionDef):
            yield from _signature_cuts(node, data, starts)
            for inner in ast.walk(node):
                if isinstance(inner, ast.AnnAssign):
                    yield _span(inner.target, starts)[1], _span(inner.annotation, starts)[1], ""
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.AnnAssign) and _foreign_names(inner.annotation):
                    yield *_span(inner.annotation, starts), "object"


def _foreign_names(annotation: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) and n.id != "np" and not hasattr(builtins, n.id) for n in ast.walk(annotation))


def _decorator_cuts(
    node: ast.FunctionDef | ast.ClassDef, data: bytes, starts: list[int], namespace: Mapping[str, Any]
) -> Iterator[tuple[int, int, str]]:
    for decorator in node.decorator_list:
        root = next((n for n in ast.walk(decorator) if isinstance(n, ast.Name)), None)
        value = namespace.get(root.id) if root else None
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if home and _is_own(home):
            yield starts[decorator.lineno - 1], starts[decorator.end_lineno or 0], ""


def _signature_cuts(node: ast.FunctionDef, data: bytes, starts: list[int]) -> Iterator[tuple[int, int, str]]:
    arguments = node.args
    several = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    for argument in several:
        if argument is not None and argument.annotation is not None:
            start = starts[argument.lineno - 1] + argument.col_offset + len(argument.arg.encode())
            end = _span(argument.annotation, starts)[1]
            spaced = re.match(rb"\s*=\s*", data[end:])
            yield start, end + (spaced.end() if spaced else 0), "=" if spaced else ""
    if node.returns is not None:
        arrow = data.rindex(b"->", 0, _span(node.returns, starts)[0])
        yield len(data[:arrow].rstrip()), _span(node.returns, starts)[1], ""


def _own_name(tree: ast.Module, data: bytes, starts: list[int]) -> Iterator[tuple[int, int]]:
    node = tree.body[0]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        at = data.index(node.name.encode(), starts[node.lineno - 1] + len(b"def "))
        yield at, at + len(node.name.encode())
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name):
            yield _span(target, starts)


# ---------------------------------------------------------------------------------------------- putting it together
def _join(found: _Collection, avoid: Iterable[str]) -> str:
    names = _names(found, avoid)
    blocks = [_render(definition, key, names) for key, definition in found.definitions.items()]
    text = "\n".join(sorted(found.imports)) + ("\n\n\n" if found.imports else "")
    for i, block in enumerate(blocks):
        big = block.startswith(("def ", "class ", "@"))
        before = i and blocks[i - 1].startswith(("def ", "class ", "@"))
        text += ("" if not i else "\n\n\n" if big or before else "\n") + block
    return text + "\n"


def _local_names(tree: ast.AST) -> Iterator[str]:
    """Parameters, and names that are assigned to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id


def _names(found: _Collection, avoid: Iterable[str]) -> dict[Hashable, str]:
    names: dict[Hashable, str] = dict(found.roots)
    taken = {*names.values(), *avoid}
    for key, definition in found.definitions.items():
        if key not in names:
            name = definition.name
            while name in taken or name in found.taken.get(key, ()):
                name = "_" + name
            names[key] = name
            taken.add(name)
    return names


def _render(definition: Definition, key: Hashable, names: Mapping[Hashable, str]) -> str:
    data = definition.text.encode()
    edits = list(definition.cuts)
    for start, end, used in definition.uses:
        used = key if used == ("self",) else used
        if used in names:
            edits.append((start, end, names[used]))
    for start, end, text in sorted(edits, reverse=True):
        data = data[:start] + text.encode() + data[end:]
    return data.decode().strip("\n")
