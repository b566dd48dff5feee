"""The performer runs cells and makes calls where the submitted code lives, and says what each call *did*.

A behaviour is a plain dict: the value, or the kind of exception with the student's own lines; which arguments were
changed; what the value shares memory with, or whether an earlier call returned it; warnings; what was printed; of all
but the value only what there is. All of it is a claim, nothing is a verdict.

    performer = Performer({"quadratic": quadratic})
    performer.handle({"op": "run", "cells": [[1, "def f(x):\\n    return 2 * x"]]})
    performer.handle({"op": "call", "target": "f", "args": [3.0], "kwargs": {}, "names": ["x"]})["value"]   # 6.0
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import io
import linecache
import marshal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from .execute import execute
from .values import Earlier, Handle, Helper, Seed

PRINT_CAP = 4000
TEXT_CAP = 400
DEEPEST = 12  # containers within containers, of a value that travels
ALWAYS = ("value", "error")  # of a behaviour that has them, also if they are nothing
LEAVES = {id(kind) for kind in (type(None), bool, int, float, str)}


def is_leaf(value: Any) -> bool:
    """By identity: a metaclass may say that its type equals every other."""
    return id(type(value)) in LEAVES


# -------------------------------------------------------------------------------------------------------- trees
def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path as Python would write it: `["W"]`, `[0]`."""
    if type(tree) in (list, tuple):
        for i, item in enumerate(tree):
            yield from leaves(item, f"{path}[{i}]")
    elif type(tree) is dict:
        for key, item in tree.items():
            yield from leaves(item, f"{path}[{key!r}]")
    else:
        yield path, tree


def build(tree: Any, helpers: Mapping[str, Callable[..., Any]], handles: Mapping[int, Any]) -> Any:
    """Fresh arguments: arrays copied, seeds as generators, helpers and handles as what they stand for."""
    return Builder(helpers, handles, {}).built(tree)


def mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """The tree with each leaf changed."""
    kind = type(tree)
    if kind is list or kind is tuple:
        return kind([mapped(item, change) for item in tree])
    if kind is dict:
        return {key: mapped(item, change) for key, item in tree.items()}
    return change(tree)


def filled_in(tree: Any, values: Mapping[int, Any]) -> Any:
    """The tree with what earlier calls came to."""
    return mapped(tree, lambda leaf: leaf.value(values) if isinstance(leaf, Earlier) else leaf)


def unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        same_kind = isinstance(after, np.ndarray) and before.dtype == after.dtype and before.shape == after.shape
        return same_kind and before.tobytes() == after.tobytes()
    return before is after or (type(before) is type(after) and is_leaf(before) and before == after)


def argument(path: str) -> str:
    """`['params']['W']`, a path among named arguments, as `params['W']`."""
    name, _, rest = path[2:].partition("']")
    return name + rest


class Outline:
    """A tree as two lists: its form, which is containers with their keys, and its leaves in their order."""

    def __init__(self) -> None:
        self.form: list[Any] = []
        self.leaves: list[Any] = []

    def add(self, tree: Any) -> Outline:
        kind = type(tree)
        if kind is dict:
            self.form += (kind, len(tree), *tree)
            for item in tree.values():
                self.add(item)
        elif kind is list or kind is tuple:
            self.form += (kind, len(tree))
            for item in tree:
                self.add(item)
        else:
            self.form.append(None)
            self.leaves.append(tree)
        return self

    def trees(self) -> list[Any]:
        """What was added."""
        form, found, trees = iter(self.form), iter(self.leaves), []
        with contextlib.suppress(StopIteration):
            while True:
                trees.append(regrown(next(form), form, found))
        return trees

    @property
    def arrays(self) -> list[np.ndarray]:
        return [leaf for leaf in self.leaves if isinstance(leaf, np.ndarray) and leaf.size]


def regrown(kind: Any, form: Iterator[Any], found: Iterator[Any]) -> Any:
    if kind is None:
        return next(found)
    n = next(form)
    keys = [next(form) for _ in range(n)] if kind is dict else range(n)
    items = [regrown(next(form), form, found) for _ in keys]
    return dict(zip(keys, items, strict=True)) if kind is dict else kind(items)


class Builder:
    """Builds arguments, and keeps what is needed to see later whether they were changed: `before`."""

    def __init__(
        self, helpers: Mapping[str, Callable[..., Any]], handles: Mapping[int, Any], values: Mapping[int, Any]
    ):
        self.helpers, self.handles, self.values = helpers, handles, values
        self.before = Outline()

    def built(self, tree: Any) -> Any:
        kind, before = type(tree), self.before
        if kind is dict:
            before.form += (kind, len(tree), *tree)
            return {key: self.built(item) for key, item in tree.items()}
        if kind is list or kind is tuple:
            before.form += (kind, len(tree))
            return kind([self.built(item) for item in tree])
        if kind is Earlier:
            return self.built(tree.value(self.values))
        if isinstance(tree, np.ndarray):
            before.add(tree)  # it stays as it is: a copy is given away
            return tree.copy()
        if kind is Helper:
            made = self.helpers[tree.name](**tree.parameters)
            kept = Outline().add(made)
            kept.leaves = [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in kept.leaves]
            before.form += kept.form
            before.leaves += kept.leaves
            return made
        made = self.made(tree)
        before.form.append(None)
        before.leaves.append(made)
        return made

    def made(self, leaf: Any) -> Any:
        if isinstance(leaf, Seed):
            return np.random.default_rng(leaf.seed)
        return self.handles[leaf.id] if isinstance(leaf, Handle) else leaf


class Given:
    """The arguments of one call, before and after it. Paths are only looked for where something is wrong."""

    def __init__(self, request: Mapping[str, Any], builder: Builder):
        self.args = builder.built(request["args"])
        self.kwargs = builder.built(request["kwargs"])
        self.names = request.get("names", ())
        self.before = builder.before
        self.after = Outline()

    def look(self) -> None:
        """The call is made."""
        self.after = Outline().add(self.args).add(self.kwargs)

    def named(self, args: Any, kwargs: Any) -> dict[str, Any]:
        names = [*self.names, *(f"argument {i}" for i in range(len(self.names), len(args)))]
        return dict(zip(names, args, strict=False)) | kwargs

    def changed(self) -> list[str]:
        """Paths of what was changed, taken away and added."""
        mine, theirs = self.before, self.after
        if mine.form == theirs.form and all(map(unchanged, mine.leaves, theirs.leaves)):
            return []
        old, new = dict(leaves(self.named(*mine.trees()))), dict(leaves(self.named(self.args, self.kwargs)))
        changed = [path for path in old if path in new and not unchanged(old[path], new[path])]
        gone, more = [path for path in old if path not in new], [path for path in new if path not in old]
        return [argument(path) for path in changed + gone + more]

    def aliased(self, mine: Sequence[np.ndarray]) -> list[str]:
        """Paths of the arguments with which the arrays of a value share memory."""
        own, views = {id(array) for array in mine}, [array for array in mine if array.base is not None]

        def shared(leaf: np.ndarray) -> bool:  # two arrays that own their memory share it only if they are one
            return id(leaf) in own or any(np.may_share_memory(leaf, a) for a in (views if leaf.base is None else mine))

        if not mine or not any(map(shared, self.after.arrays)):
            return []
        theirs = leaves(self.named(self.args, self.kwargs))
        return [argument(path) for path, leaf in theirs if isinstance(leaf, np.ndarray) and leaf.size and shared(leaf)]


class Returned:
    """What calls of a function gave back: a caller who keeps it must not find it changed by the next call."""

    def __init__(self) -> None:
        self.kept: dict[int, Any] = {}  # whatever may be written to, by identity, which holds as long as it is kept

    def again(self, value: Any, given: Given) -> bool:
        """Whether any of it is what an earlier call gave back, and no argument; it is remembered for the next ones."""
        found = {id(part): part for part in changeable(value)}
        known = found.keys() & self.kept.keys()
        self.kept |= found
        return bool(known) and not known <= {id(part) for part in changeable([given.args, given.kwargs])}


def changeable(tree: Any, depth: int = 0) -> Iterator[Any]:
    """Lists, dicts, and the arrays that own the memory of a tree's arrays, as deep as values travel."""
    kind = type(tree)
    if kind is np.ndarray:
        if tree.size:
            yield tree if tree.base is None else tree.base
    elif (kind is dict or kind is list or kind is tuple) and depth < DEEPEST:
        if kind is not tuple:
            yield tree
        for item in tree.values() if kind is dict else tree:
            yield from changeable(item, depth + 1)


# --------------------------------------------------------------------------------------------------- tracebacks
def describe(value: Any) -> str:
    """An argument in a few words: arrays by shape and dtype, scalars by value."""
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    if is_leaf(value):
        return repr(value)[:40]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {describe(v)}" for k, v in list(value.items())[:6]) + "}"
    return type(value).__name__


def students_lines(error: BaseException, namespace: dict[str, Any]) -> list[dict[str, Any]]:
    """The frames of the traceback that are the student's own, innermost last, with their arguments' shapes."""
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals is namespace:
            code = frame.f_code
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            frames.append(
                {
                    "file": code.co_filename[-80:],
                    "line": traceback.tb_lineno,
                    "function": code.co_name,
                    "source": linecache.getline(code.co_filename, traceback.tb_lineno).strip()[:200],
                    "arguments": {name: describe(frame.f_locals[name]) for name in names if name in frame.f_locals},
                }
            )
        traceback = traceback.tb_next
    return frames[-8:]


def failure(error: BaseException, namespace: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException)]
    try:
        message = str(error)[:TEXT_CAP]
    except Exception:
        message = ""
    return {"error": type(error).__name__[:80], "kinds": kinds[:8], "message": message,
            "frames": students_lines(error, namespace)}  # fmt: skip


class Printed(io.StringIO):
    """Standard output that keeps the first few thousand characters and drops the rest."""

    def write(self, text: str) -> int:
        if self.tell() < PRINT_CAP:
            super().write(text[: PRINT_CAP - self.tell()])
        return len(text)


# ---------------------------------------------------------------------------------------------------- performer
def cell_name(index: int) -> str:
    return f"<cell {index}>"


def compiled(index: int, source: str) -> CodeType | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(source, cell_name(index), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # running it will say so
        return None


class Performer:
    """Answers requests in a namespace. `stop` are the exceptions that must pass through (Ctrl-C at home).

    Without `conduct` only what comes of a call is said, not what it changes or shares: a quarter of the time. The
    seconds that a call took are said only if `timed`: without them, who does the same says the same.
    """

    def __init__(
        self,
        helpers: Mapping[str, Callable[..., Any]],
        namespace: dict[str, Any] | None = None,
        stop: tuple[type[BaseException], ...] = (),
        *,
        conduct: bool = True,
        timed: bool = False,
    ):
        self.helpers, self.conduct, self.timed = helpers, conduct, timed
        self.namespace: dict[str, Any] = {"__name__": "__main__"} if namespace is None else namespace
        self.stop = stop
        self.handles: dict[int, Any] = {}
        self.returned = Returned()
        self.values: dict[int, Any] = {}  # by the number of the call, of the batch that is under way

    def replies(self, request: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """One reply, or one for each call of a batch, as soon as it is there."""
        return self.calls(request) if request["op"] == "calls" else (self.handle(request),)

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        ask = {
            "compile": self.compile, "run": self.run, "execute": self.execute, "inspect": self.inspect,
            "call": self.call,
        }  # fmt: skip
        return ask[request["op"]](request)

    # ---- cells
    def compile(self, request: dict[str, Any]) -> dict[str, Any]:
        """The cells' code, for every other worker that runs the same; nothing where a cell has a syntax error."""
        codes = [compiled(index, source) for index, source in request["cells"]]
        return {"codes": np.frombuffer(marshal.dumps(codes), np.uint8)}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run cells in order; one that raises does not stop the next. `codes` are theirs if they were compiled."""
        cells = request["cells"]
        codes = marshal.loads(request["codes"].tobytes()) if "codes" in request else [None] * len(cells)
        given = zip(cells, codes, strict=True)
        return {"cells": [[index, self.run_cell(index, source, code)] for (index, source), code in given]}

    def run_cell(self, index: int, source: str, code: CodeType | None = None) -> dict[str, Any] | None:
        name = cell_name(index)
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(Printed()):
                warnings.simplefilter("ignore")
                exec(code or compile(source, name, "exec", dont_inherit=True), self.namespace)
        except self.stop:
            raise
        except BaseException as error:
            self.define_the_rest(source, name)
            return failure(error, self.namespace)
        return None

    def define_the_rest(self, source: str, name: str) -> None:
        """After a cell raised: its functions, classes and imports all the same, as if each had a cell of its own.

        A figure that is not there while grading must not cost the function below it.
        """
        with contextlib.suppress(BaseException):
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
                    with contextlib.suppress(Exception), contextlib.redirect_stdout(Printed()):
                        exec(compile(ast.Module([statement], []), name, "exec", dont_inherit=True), self.namespace)

    def execute(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one cell as a kernel does: a teacher's test is graded by what it shows."""
        index, source = request["cell"]
        done = execute(source, cell_name(index), self.namespace)
        error = done.pop("raised")
        if isinstance(error, self.stop):
            raise error
        none = {"error": None, "kinds": [], "message": "", "frames": []}
        return {**done, **(none if error is None else failure(error, self.namespace))}

    # ---- what is there
    def inspect(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["name"]
        if name not in self.namespace:
            named = self.namespace.items()
            mine = [key for key, value in named if inspect.isroutine(value) or isinstance(value, type)]
            return {"defined": False, "near": difflib.get_close_matches(name, map(str, mine), 1, 0.6)}
        value = self.namespace[name]
        kind = "class" if isinstance(value, type) else "function" if callable(value) else type(value).__name__
        return {"defined": True, "kind": kind}

    # ---- calls
    def target(self, name: Any) -> Any:
        """ "adam", a handle, or (handle, "method")."""
        if isinstance(name, Handle):
            return self.handles[name.id]
        if type(name) in (tuple, list):
            return getattr(self.handles[name[0].id], name[1])
        return self.namespace[name]

    def calls(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The behaviour of each call of a batch. One that needs what an earlier one did not come to is left out."""
        for call in request["calls"]:
            number = call["number"]
            if all(need.met(self.values) for need in call["needs"]):
                reply = self.call({**call, "target": filled_in(call["target"], self.values)})
            else:
                reply = {"left out": True}
            self.values.pop(number, None)
            if "value" in reply and "error" not in reply:
                self.values[number] = reply["value"]
            yield reply

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        given = Given(request, Builder(self.helpers, self.handles, self.values))
        printed = Printed()
        behaviour: dict[str, Any] = {"value": None}
        started = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
            warnings.simplefilter("always")
            try:
                with np.errstate(all="warn", under="ignore"):
                    function = self.target(request["target"])
                    value = function if request.get("read") else function(*given.args, **given.kwargs)
                arrays: list[np.ndarray] = []
                behaviour["value"] = self.plain(value, arrays)
                if self.conduct:
                    given.look()
                    behaviour["aliased"] = given.aliased(arrays)
                    if type(request["target"]) is str:  # an object may give back what it holds
                        behaviour["reused"] = self.returned.again(value, given)
            except self.stop:
                raise
            except BaseException as error:
                behaviour.update(failure(error, self.namespace))
                given.look()
        behaviour["seconds"] = time.perf_counter() - started if self.timed else 0.0
        behaviour["mutated"] = given.changed() if self.conduct else []
        behaviour["warnings"] = [[w.category.__name__, str(w.message)[:TEXT_CAP]] for w in caught[:20]]
        behaviour["printed"] = printed.getvalue()
        return {key: said for key, said in behaviour.items() if key in ALWAYS or said}

    def plain(self, value: Any, arrays: list[np.ndarray], depth: int = 0) -> Any:
        """The value as it can travel: exact types only, NumPy scalars as 0-d arrays, everything else as a handle.

        The arrays in it, which are copied, are added to `arrays`.
        """
        kind = type(value)
        if id(kind) in LEAVES:
            return value
        if kind is np.ndarray:
            if value.size:
                arrays.append(value)
            if value.dtype.kind in "biufc":
                return np.array(value, order="C", copy=True)
        elif kind is dict:
            if depth < DEEPEST and all(type(key) is str or type(key) is int for key in value):
                return {key: self.plain(item, arrays, depth + 1) for key, item in value.items()}
        elif kind is list or kind is tuple:
            if depth < DEEPEST:
                items = [self.plain(item, arrays, depth + 1) for item in value]
                return items if kind is list else tuple(items)
        elif isinstance(value, np.generic) and value.dtype.kind in "biufc":
            return np.asarray(value)
        handle = Handle(len(self.handles) + 1, kind_of(value)[:80])
        self.handles[handle.id] = value
        return handle


def kind_of(value: Any) -> str:
    """What a handle stands for, in a word or two."""
    if type(value) is np.ndarray:
        return f"array of {value.dtype}"
    return "function" if inspect.isroutine(value) else type(value).__name__
