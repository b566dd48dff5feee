"""What an exercise looks like as text: the stub to fill in, the solution, the cell that holds both, and its hash.

All of it is generated from the reference, so that the three can never disagree.

    stub(square)             # def square(x): the task as docstring, and a line that says it is not written yet
    solution(square)         # the reference with its helpers; runs after `import numpy as np`
    solution_cell(square)    # both in one: what lies between BEGIN and END SOLUTION is the difference
    clear(solution_cell(square)) == stub(square)    # and nbgrader's ClearSolutions agrees, with its own defaults
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from .exercise import Exercise
from .standalone import SourceError, module_source, standalone

__all__ = [
    "SourceError", "clear", "exercise_hash", "module_source", "shown", "solution", "solution_cell", "standalone",
    "stub",
]  # fmt: skip

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
PLACEHOLDER = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's own default, so that no setting matters
WIDTH = 96
Function = ast.FunctionDef | ast.AsyncFunctionDef


def solution(exercise: Exercise, avoid: Iterable[str] = ()) -> str:
    """The reference as standalone source, helpers first. Helpers with a name to `avoid` get an underscore."""
    return standalone(exercise.plain, name=exercise.name, avoid=avoid)


def stub(exercise: Exercise) -> str:
    """What the student starts from: signature, task as docstring, `raise NotImplementedError()`."""
    return clear(solution_cell(exercise))


def clear(text: str) -> str:
    """Every region between BEGIN and END SOLUTION replaced by the placeholder, indented as its first line."""
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        if "BEGIN SOLUTION" in line:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + placeholder for placeholder in PLACEHOLDER]
            inside = True
        elif "END SOLUTION" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def solution_cell(exercise: Exercise, avoid: Iterable[str] = ()) -> str:
    """The reference with the task as its docstring; body and helpers stand between BEGIN and END SOLUTION.

    Helpers come after what uses them, so that one region, which begins inside the function, holds both. `avoid` are
    the other exercises of the notebook: a helper must not take the place of one.
    """
    text = solution(exercise, avoid)
    lines = text.rstrip("\n").split("\n")
    *before, target = ast.parse(text).body
    if isinstance(target, ast.ClassDef):
        head, body = _class_parts(exercise, target, lines)
    elif isinstance(target, Function):
        head, body = _function_parts(exercise, target, lines, _docstring(exercise, "    "))
    else:
        raise SourceError(f"the reference of `{exercise.name}` must be a def or a class, not a {type(target).__name__}")
    helpers = _nearest_first(before, target, lines)
    cell = "\n".join([*head, *body, *(["", ""] if helpers else []), *helpers, END])
    return re.sub(r"  # fmt: \w+$", "", cell, flags=re.MULTILINE)  # for the library's formatter, not for its readers


def shown(exercise: Exercise) -> str:
    """The solution as it is read: task and rule first, plumbing last, without the marks of the builder."""
    return "\n".join(line for line in solution_cell(exercise).split("\n") if line.strip() not in (BEGIN, END))


def _nearest_first(before: list[ast.stmt], target: ast.stmt, lines: list[str]) -> list[str]:
    """The helpers' lines: constants, then what the target itself calls, shortest first, then what those call.

    A reader wants the rule before the plumbing. The order of functions is free while none is named outside a body.
    """
    functions: dict[str, ast.FunctionDef] = {s.name: s for s in before if isinstance(s, ast.FunctionDef)}
    statements = [s for s in before if s not in functions.values()]
    if any(_names_in(*f.decorator_list, f.args) for f in functions.values()):
        statements = before
    else:
        level: list[ast.stmt] = [target]
        while level:
            called = {name for caller in level for name in _names_in(caller)} & functions.keys()
            nearest = [functions.pop(name) for name in sorted(called)]
            level = [*sorted(nearest, key=lambda f: (f.end_lineno or 0) - f.lineno)]
            statements += level
        statements += functions.values()
    text = "\n\n\n".join("\n".join(lines[_first_line(s) - 1 : s.end_lineno]) for s in statements)
    return text.split("\n") if text else []


def _names_in(*nodes: ast.AST) -> set[str]:
    return {node.id for root in nodes for node in ast.walk(root) if isinstance(node, ast.Name)}


# ------------------------------------------------------------------------------------------------------ parts of it
def _function_parts(
    exercise: Exercise, node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str], docstring: list[str]
) -> tuple[list[str], list[str]]:
    """Everything up to BEGIN SOLUTION, and the body that follows it."""
    indent = " " * (node.col_offset + 4)
    decorators = lines[_first_line(node) - 1 : node.lineno - 1]
    head = [*decorators, " " * node.col_offset + _signature(exercise, node, lines), *docstring, indent + BEGIN]
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not statements:
        return head, [indent + "pass"]
    if statements[0].lineno == node.lineno:  # def f(x): return x
        return head, [indent + ast.unparse(statement) for statement in statements]
    start = node.body[0].end_lineno or 0 if statements is not node.body else _end_of_header(node, lines)
    return head, lines[start : node.end_lineno]


def _class_parts(exercise: Exercise, node: ast.ClassDef, lines: list[str]) -> tuple[list[str], list[str]]:
    """The public methods one after another, each with its region; what is private goes into the region before it."""
    first = _first_line(node) - 1
    parts: list[str] = [*lines[first : node.lineno - 1], lines[node.lineno - 1]]
    parts += _docstring(exercise, "    ")
    private: list[str] = []
    body: list[str] = []
    members = node.body[1:] if ast.get_docstring(node) is not None else node.body
    for member in members:
        text = ["", *lines[_first_line(member) - 1 : member.end_lineno]]
        if not isinstance(member, ast.FunctionDef) or _is_private(member.name):
            (body if body else private).extend(text)
            continue
        parts += [*body, *(["    " + END] if body else []), ""]
        head, body = _function_parts(exercise, member, lines, [])
        parts += head
        if private:
            body, private = [*body, *private], []
    if not body:
        raise SourceError(f"class `{exercise.name}` has no public method that could be written")
    return parts, body


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])


def _end_of_header(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Number of lines up to the one that ends the signature; comments before the first statement stay in the body."""
    last = max([node.lineno, *(getattr(part, "end_lineno", 0) for part in ast.walk(node.args))])
    while not re.search(r":\s*(#.*)?$", lines[last - 1]):
        last += 1
    return last


def _signature(exercise: Exercise, node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    """The def line, with its defaults as they were written: 1e-8 stays 1e-8."""
    text = "\n".join(lines)
    owner = exercise.plain if isinstance(exercise.plain, type) else None
    real = inspect.signature(inspect.unwrap(_method(owner, node.name)) if owner else exercise.plain)

    def default(name: str, value: ast.expr) -> str:
        if any(isinstance(n, ast.Name) and n.id != "np" for n in ast.walk(value)):
            return repr(real.parameters[name].default)  # a constant of the library means nothing to a student
        return ast.get_source_segment(text, value) or ast.unparse(value)

    words = ", ".join(_parameters(node.args, default))
    line = f"def {node.name}({words}):"
    if len(line) + node.col_offset <= WIDTH + 8:
        return line
    indent = " " * (node.col_offset + 4)
    wrapped = textwrap.wrap(words, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return "\n".join([f"def {node.name}(", *wrapped, " " * node.col_offset + "):"])


def _method(owner: type, name: str) -> Callable[..., Any]:
    found = inspect.getattr_static(owner, name)
    return getattr(found, "fget", None) or getattr(found, "__func__", found)


def _parameters(arguments: ast.arguments, default: Callable[[str, ast.expr], str]) -> Iterator[str]:
    several = [*arguments.posonlyargs, *arguments.args]
    missing = len(several) - len(arguments.defaults)
    for i, argument in enumerate(several):
        value = arguments.defaults[i - missing] if i >= missing else None
        yield argument.arg + ("" if value is None else "=" + default(argument.arg, value))
        if arguments.posonlyargs and i == len(arguments.posonlyargs) - 1:
            yield "/"
    if arguments.vararg:
        yield "*" + arguments.vararg.arg
    elif arguments.kwonlyargs:
        yield "*"
    for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg + ("" if value is None else "=" + default(argument.arg, value))
    if arguments.kwarg:
        yield "**" + arguments.kwarg.arg


# --------------------------------------------------------------------------------------------------------- docstring
def _docstring(exercise: Exercise, indent: str) -> list[str]:
    """Task and example as a docstring: paragraphs wrapped, lists and indented lines left as they are."""
    body = "\n\n".join(_wrap(paragraph) for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(exercise.task)))
    if exercise.example:
        body += "\n\n" + textwrap.indent(inspect.cleandoc(exercise.example), "    ")
    quote = 'r"""' if "\\" in body else '"""'
    body = body.replace('"""', "'''")
    if body.endswith(('"', "\\")):
        body += " "
    lines = textwrap.indent(quote + body, indent).split("\n")
    return [*lines, indent + '"""'] if len(lines) > 1 else [lines[0] + '"""']


def _wrap(paragraph: str) -> str:
    lines = paragraph.split("\n")
    if any(line.startswith((" ", "\t", "- ", "* ", "|", "```", "$$")) or re.match(r"\d+\. ", line) for line in lines):
        return paragraph.rstrip()
    glued = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\0"), " ".join(lines))  # `(T, N)` stays on one line
    return textwrap.fill(glued, WIDTH, break_long_words=False, break_on_hyphens=False).replace("\0", " ")


# -------------------------------------------------------------------------------------------------------------- hash
def exercise_hash(exercise: Exercise) -> str:
    """Identifies what is asked and how it is judged: name, reference, and every group with its probes."""
    known = vars(exercise)  # an exercise does not change, and reading its source costs milliseconds
    if "_hash" not in known:
        known["_hash"] = _hash(exercise)
    return known["_hash"]


def _hash(exercise: Exercise) -> str:
    groups = [[g.name, g.points, _source(g.probes), asdict(g.tolerance)] for g in exercise.groups]
    text = json.dumps([exercise.name, solution(exercise), groups], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _source(function: Callable[..., Any]) -> str:
    try:
        return standalone(function, name="probes")
    except SourceError:  # probes may use what no standalone text can hold; their own lines must do then
        return inspect.getsource(getattr(function, "func", function))
