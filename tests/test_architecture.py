"""The arrows of the design hold: who may import whom, and nothing loose in the four folders."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOTS = {
    "gradschool": ROOT / "solutions",
    "gradschool_data": ROOT / "datasets",
    "gradschool_grader": ROOT / "grader",
    "gradschool_course": ROOT / "course",
}
ARROWS = {
    "gradschool": set(),
    "gradschool_data": set(),
    "gradschool_grader": set(),
    "gradschool_course": {"gradschool", "gradschool_data", "gradschool_grader"},
}


def modules(package: str) -> list[Path]:
    return sorted((ROOTS[package] / package).rglob("*.py"))


def imports(file: Path, top_only: bool = False) -> Iterator[tuple[str, int]]:
    """Absolute imports of a file, by the name of the top package."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = top_level(tree) if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node.lineno


def top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Statements that run on import: everything outside functions and TYPE_CHECKING blocks."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("package", ROOTS)
def test_packages_import_only_what_the_arrows_allow(package):
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules(package)
        for name, line in imports(file)
        if name in ROOTS and name != package and name not in ARROWS[package]
    ]
    assert wrong == []


# A class that inherits needs its base when it is defined; nothing else in the library may load such a module.
INHERITS = {"search.py": {"sklearn"}}


def test_the_library_imports_numpy_only():
    allowed = {"numpy", "gradschool", "__future__", *sys.stdlib_module_names}
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules("gradschool")
        for name, line in imports(file, top_only=True)
        if name not in allowed | INHERITS.get(file.name, set())
    ]
    assert wrong == []


def test_importing_the_library_loads_none_of_what_is_optional():
    code = "import sys, gradschool; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    optional = {"matplotlib", "sklearn", "scipy", "tqdm", "tensorboard", "safetensors", "pandas", "torch", "IPython"}
    assert "numpy" in loaded
    assert optional & set(loaded) == set()


def test_what_runs_inside_the_sandbox_imports_the_standard_library_and_numpy_only():
    inside = ROOTS["gradschool_grader"] / "gradschool_grader" / "inside"
    siblings = {file.stem for file in inside.glob("*.py")}
    allowed = {"numpy", "__future__", "inside", *sys.stdlib_module_names, *siblings}
    wrong = [
        f"{file.name}:{line} imports {name}"
        for file in inside.glob("*.py")
        for name, line in imports(file)
        if name not in allowed
    ]
    assert wrong == []


def test_only_the_folder_teach_imports_nbgrader():
    teach = ROOTS["gradschool_grader"] / "gradschool_grader" / "teach"
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for package in ROOTS
        for file in modules(package)
        if teach not in file.parents
        for name, line in imports(file, top_only=True)
        if name in ("nbgrader", "nbconvert", "traitlets", "sqlalchemy")
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["solutions", "datasets", "grader", "course"])
def test_the_four_folders_hold_one_package_each_and_no_loose_module(folder):
    here = ROOT / folder
    found = [path.name for path in here.iterdir() if not path.name.startswith((".", "__pycache__"))]
    assert found == [package for package, root in ROOTS.items() if root == here]
    assert (here / found[0] / "py.typed").exists()
