"""A text with a watch on every expression: what each came to is kept, and one can be given other values instead.

    text = watched("def f(x):\\n    return 2 * x + 1")
    side = Watching(exercise, text, ask)            # runs it where `ask` is answered
    log, did = side.run(probe)                      # {3: Came([6.0]), ...} by the number of the expression
    did = side.instead(probe, 3, [8.0])             # what it does if 2 * x comes to 8
    ast.unparse(text.nodes[3 - 1])                  # "2 * x"

An expression that is given a value is not evaluated, so that one which raises can be given one, too.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Container, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exercise import Exercise, Probe
from ..observe import Ask, Observation, observe
from .came import Came, Log, values_of

__all__ = ["LONGEST", "Watched", "Watching", "watched"]

LARGE = 20_000  # entries of an array: of a larger one nothing is kept
LONGEST = 3_000  # values that are kept of a run
CALL, ENTRIES = 30, 1_000  # a call, and so many entries of arrays, take as long as so many expressions, and as one
SLOW, EACH = 0.05, 1e-5  # seconds: of a run that takes longer, time counts, an expression for each so many
SPARE = 2_000  # expressions, beyond ten times as many as without other values: then it never ends
MODULES = ("np", "numpy", "math")
DEFINES = ast.FunctionDef | ast.ClassDef
PLAIN = float | int  # and bool
NO_NUMBER = ast.Lambda | ast.Slice | ast.Starred | ast.Tuple | ast.List | ast.Dict
OUTSIDE = frozenset(  # names behind which there are figures, files, the network
    ["plt", "matplotlib", "open", "input", "os", "sys", "shutil", "subprocess", "pathlib", "Path", "requests", "urllib"]
)
OWN_FRAME = ("super", "locals")  # functions that look at who calls them
CASES = ast.If | ast.For | ast.While | ast.With | ast.Try
SAW, BEGIN, LOG = "_watch_saw", "_watch_begin", "_watch_log"
WATCH = f"""
import numpy as _watch_numpy


class _Watch:
    log, place, values, left, keeps = [], 0, [], 0, False
    kinds = (float, int, _watch_numpy.ndarray, _watch_numpy.generic)

    @staticmethod
    def begin(place, values, most, keeps):
        _Watch.log, _Watch.place, _Watch.values, _Watch.left, _Watch.keeps = [], place, list(values), most, keeps

    @staticmethod
    def kept():
        return _Watch.log

    @staticmethod
    def saw(number, come_to):
        watch = _Watch
        watch.left -= 1
        if watch.left < 0:
            raise RuntimeError("goes on and on")
        if number == watch.place and watch.values:
            value = watch.values.pop(0)
            return value[()] if isinstance(value, _watch_numpy.ndarray) and not value.ndim else value
        value = come_to()
        if watch.keeps and isinstance(value, watch.kinds) and len(watch.log) < {LONGEST}:
            if not isinstance(value, _watch_numpy.ndarray):
                watch.log.append((number, value))
            elif value.size < {LARGE}:
                watch.log.append((number, value.copy()))
        return value


{BEGIN}, {LOG}, {SAW} = _Watch.begin, _Watch.kept, _Watch.saw
"""


@dataclass(frozen=True)
class Watched:
    """How the text is run, its expressions by their numbers, from 1, with what each stands in, and its statement."""

    code: str
    nodes: Sequence[ast.expr]
    around: Sequence[tuple[int, ...]]  # the expressions that it is a part of, the innermost first
    statements: Sequence[ast.stmt]
    nested: Sequence[bool]  # whether that stands in a case or loop, and goes on from there


def watched(text: str, *, whole: bool = False) -> Watched | None:
    """The functions and classes of a text, or the `whole` of it; None where it is no Python, or does more than compute:
    it is run a hundred times."""
    try:
        tree = ast.parse(text)
        if not whole and any(isinstance(node, ast.Name) and node.id in OUTSIDE for node in ast.walk(tree)):
            return None
        watcher = Watcher(frozenset(bound_to_their_places(tree)))
        body = [watcher.visit(x) if isinstance(x, DEFINES) else x for x in tree.body if whole or isinstance(x, DEFINES)]
        code = ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Watched(f"{WATCH}\n\n{code}\n", watcher.nodes, watcher.around, watcher.statements, watcher.nested)


class Watcher(ast.NodeTransformer):
    """Puts a watch on every expression that may come to a number."""

    def __init__(self, bound: Container[ast.AST]) -> None:
        self.bound = bound
        self.nodes: list[ast.expr] = []
        self.around: list[tuple[int, ...]] = []
        self.statements: list[ast.stmt] = []
        self.outer: tuple[int, ...] = ()
        self.statement: ast.stmt = ast.Pass()
        self.nested: list[bool] = []
        self.depth = 0  # of cases and loops

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.ClassDef):
            made = copy(node)
            made.body = [self.visit(x) if isinstance(x, DEFINES) else x for x in node.body]
            return made
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            made = copy(node)
            made.body = [self.visit(x) for x in node.body]
            return made
        if isinstance(node, ast.stmt):
            before, self.statement, self.outer = (self.statement, self.outer), node, ()
            self.depth += isinstance(node, CASES)
            made = self.below(node)
            self.depth -= isinstance(node, CASES)
            self.statement, self.outer = before
            return made
        if isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            return node
        return self.watch(node) if isinstance(node, ast.expr) and self.may_be_number(node) else self.below(node)

    def watch(self, node: ast.expr) -> ast.expr:
        self.nodes.append(node)
        self.around.append(self.outer)
        self.statements.append(self.statement)
        self.nested.append(self.depth > 0 and not isinstance(self.statement, ast.Return))
        number, outer = len(self.nodes), self.outer
        self.outer = (number, *outer)
        made = self.below(node)
        self.outer = outer
        nothing = ast.arguments([], [], None, [], [], None, [])
        return ast.Call(ast.Name(SAW, ast.Load()), [ast.Constant(number), ast.Lambda(nothing, made)], [])

    def may_be_number(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Constant):
            return type(node.value) in (int, float, bool)
        return not (isinstance(node, NO_NUMBER) or is_module(node) or node in self.bound)

    def below(self, node: ast.AST) -> Any:
        made = copy(node)
        for name, value in ast.iter_fields(node):
            if name == "func":
                made.func = self.function(value)  # type: ignore[attr-defined]
            elif name != "annotation" and isinstance(value, ast.AST):
                setattr(made, name, self.visit(value))
            elif isinstance(value, list):
                setattr(made, name, [self.visit(x) if isinstance(x, ast.AST) else x for x in value])
        return made

    def function(self, function: ast.expr) -> ast.expr:
        """What is called is no number; what it is a method of may be one."""
        if not isinstance(function, ast.Attribute) or is_module(function.value):
            return function if isinstance(function, ast.Name | ast.Attribute) else self.visit(function)
        made = copy(function)
        made.value = self.visit(function.value)
        return made


def bound_to_their_places(tree: ast.AST) -> list[ast.AST]:
    """What means something else within a function of its own, and all that it stands in."""
    found: list[ast.AST] = []

    def look(node: ast.AST) -> bool:
        below = [look(child) for child in ast.iter_child_nodes(node)]
        plain_super = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OWN_FRAME
        here = any(below) or plain_super or isinstance(node, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await)
        found.extend([node] * here)
        return here

    look(tree)
    return found


def is_module(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in MODULES


class Watching:
    """A text that runs under watch, in the namespace of whoever answers."""

    def __init__(self, exercise: Exercise, text: Watched, ask: Ask):
        self.exercise, self.text, self.ask = exercise, text, ask
        self.usual = self.cost = LONGEST
        self.seconds = 0.0
        self.effort = sys.maxsize  # expressions that may still be evaluated; who asks on looks at it
        self.runs = not ask({"op": "run", "cells": [[0, text.code]]})["cells"][0][1]

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever asks later meets no other values, and no end."""
        if self.runs:
            self.call(BEGIN, 0, [], sys.maxsize, False)

    def run(self, probe: Probe) -> tuple[Log, list[Observation]]:
        """What its expressions come to on a probe, and what it does."""
        started = time.perf_counter()
        did = self.asked(probe, 0, (), 100 * LONGEST, keeps=True)
        self.seconds = time.perf_counter() - started
        log = self.log()
        values = values_of(log)
        self.usual = len(values)
        self.cost = CALL + len(values) + sum(map(np.size, values)) // ENTRIES
        if self.seconds > SLOW:  # what takes long are not its expressions
            self.cost = max(self.cost, int(self.seconds / EACH))
        return log, did

    def instead(self, probe: Probe, place: int, values: Sequence[Any], *, keeps: bool = False) -> list[Observation]:
        """What it does if that expression comes to these values, one after another. `keeps` what all others come to."""
        return self.asked(probe, place, values, 10 * self.usual + SPARE, keeps=keeps)

    def log(self) -> Log:
        """Of the last run that kept it."""
        values: dict[int, list[Any]] = {}
        for place, value in self.call(LOG) or ():
            if isinstance(value, PLAIN) or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf"):
                values.setdefault(place, []).append(value)
        return {place: Came(mine) for place, mine in values.items()}

    def asked(self, probe: Probe, place: int, values: Sequence[Any], most: int, *, keeps: bool) -> list[Observation]:
        self.effort -= self.cost
        self.call(BEGIN, place, list(values), most, keeps)
        return observe(self.exercise, [probe], self.ask, twice=False)

    def call(self, target: str, *args: Any) -> Any:
        return self.ask({"op": "call", "target": target, "args": list(args), "kwargs": {}, "names": []}).get("value")
