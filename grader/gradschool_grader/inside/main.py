"""The entry of every process that runs submitted code. It sees the standard library, NumPy and this folder only.

    python -s -S -P -B main.py NUMPY serve     one worker: set-up and requests over standard input and output
    python -s -S -P -B main.py NUMPY zygote 5  a server, controlled over socket 5, that forks a locked worker each
    python -s -S -P -B main.py NUMPY single 5  one locked worker behind socket 5
    python -s -S -P -B main.py NUMPY survey    prints what a root file system for Python and NumPy must hold

NUMPY is NumPy's folder: without site-packages on the path nothing else that is installed can be imported.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType


def load_package(name: str, folder: str) -> ModuleType:
    """Import the package in `folder` as `name`, without its neighbours becoming importable."""
    start = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"expected the package {name} in {folder}, found none")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class OnlyNumPy(importlib.abc.MetaPathFinder):
    """Finds `numpy` where it was told to, also for whoever drops it from sys.modules and imports it again."""

    def __init__(self, folder: str):
        self.folder = folder

    def find_spec(self, fullname: str, path: object = None, target: object = None):
        if fullname != "numpy":
            return None
        start = os.path.join(self.folder, "__init__.py")
        return importlib.util.spec_from_file_location(fullname, start, submodule_search_locations=[self.folder])


def main(numpy_folder: str, role: str, *arguments: str) -> None:
    sys.meta_path.append(OnlyNumPy(numpy_folder))
    load_package("inside", os.path.dirname(os.path.abspath(__file__)))
    if role == "serve":
        from inside.serve import serve_standard_streams  # type: ignore[import-not-found]

        serve_standard_streams()
    elif role == "zygote":
        from inside.zygote import run  # type: ignore[import-not-found]

        run(int(arguments[0]))
    elif role == "single":
        from inside.zygote import single  # type: ignore[import-not-found]

        single(int(arguments[0]))
    elif role == "survey":
        from inside.survey import report  # type: ignore[import-not-found]

        report(numpy_folder)
    else:
        raise SystemExit(f"expected serve, zygote, single or survey, got {role!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
