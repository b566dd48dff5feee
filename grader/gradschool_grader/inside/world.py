"""What submitted code can import beside the standard library and NumPy: public course code and inert placeholders.

Everything here is sent as source text by the judge's side, which decides what is public; nothing is read from disk.

    helpers = build_world({"gradschool": "tau = 6.28"}, ["matplotlib"], "HELPERS = {'double': lambda: lambda x: 2 * x}")
    import gradschool, matplotlib.pyplot as plt   # the first is real, the second swallows whatever is done with it
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import inspect
import linecache
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any


def build_world(
    modules: Mapping[str, str], placeholders: Iterable[str], helpers: str = ""
) -> dict[str, Callable[..., Any]]:
    """Make the modules and placeholders importable, and return HELPERS as the helpers' source defines it."""
    sys.meta_path.append(PlaceholderFinder(placeholders))
    sys.meta_path.insert(0, SourceFinder(modules))
    for name in modules:
        __import__(name)  # a mistake in public code shows at start, not in a submission's cell
    namespace: dict[str, Any] = {"__name__": "helpers", "HELPERS": {}}
    exec(remembered(helpers, "<helpers>"), namespace)
    return dict(namespace["HELPERS"])


def remembered(source: str, filename: str) -> Any:
    """Compiled, with its lines known to tracebacks."""
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    return compile(source, filename, "exec", dont_inherit=True)


class SourceFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules from text. `a.b` makes the package `a` exist even if only `a.b` was given."""

    def __init__(self, sources: Mapping[str, str]):
        parents = {name[:i] for name in sources for i, letter in enumerate(name) if letter == "."}
        self.sources = dict.fromkeys(parents, "") | dict(sources)
        self.packages = parents

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in self.sources:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname in self.packages)

    def exec_module(self, module: ModuleType) -> None:
        exec(remembered(self.sources[module.__name__], f"<{module.__name__}>"), module.__dict__)


class PlaceholderFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Any import of these names, or of something below them, gives an inert module and never an error."""

    def __init__(self, names: Iterable[str]):
        self.names = frozenset(names)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.partition(".")[0] not in self.names:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        return InertModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class InertModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert()


class Inert:
    """Accepts every use in a definition: attribute, call, item, arithmetic, `with`, decorator, base class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        used_as_decorator = len(args) == 1 and not kwargs and (inspect.isroutine(args[0]) or inspect.isclass(args[0]))
        return args[0] if used_as_decorator else self

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<not available while grading>"

    def _itself(self, *others: Any) -> Inert:
        return self

    __getitem__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _itself
    __matmul__ = __rmatmul__ = __or__ = __ror__ = __neg__ = _itself
