"""Property: the library is there as soon as NumPy is: importing it loads NumPy, and what NumPy and Python bring."""

import re
import subprocess
import sys

import gradschool

LOADED = """
import sys
import numpy
import gradschool
names = {name.partition(".")[0] for name in sys.modules}
print(sorted(names - set(sys.stdlib_module_names) - {"numpy", "gradschool", "__main__"}))
"""


def loaded(*flags):
    """Top packages in a fresh interpreter that are neither NumPy's nor Python's own."""
    run = subprocess.run([sys.executable, *flags, "-c", LOADED], capture_output=True, text=True, check=True)
    return {name for name in eval(run.stdout) if not name.startswith("_")}


def test_importing_the_library_loads_numpy_and_nothing_else():
    """Whatever an environment loads at its start, as editable installs do, is no doing of the library."""
    at_start = subprocess.run(
        [sys.executable, "-c", "import sys; print(*{name.partition('.')[0] for name in sys.modules})"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded() - set(at_start.stdout.split()) == set()


def test_plots_search_and_logs_are_loaded_when_they_are_asked_for():
    code = (
        "import sys, gradschool as gs; names = 'plots', 'search', 'logs', 'lessons'\n"
        "print(*[name for name in names if 'gradschool.' + name in sys.modules])\n"
        "print(gs.plots.learning_curves.__name__, gs.search.NetClassifier.__name__, gs.logs.CSVLog.__name__)\n"
        "print(hasattr(gs, 'nothing'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:3] == ["", "learning_curves NetClassifier CSVLog", "False"]


def test_the_map_names_every_module_that_holds_a_public_name():
    text = gradschool.__doc__ or ""
    homes = {getattr(getattr(gradschool, name), "__module__", "") or "" for name in gradschool.__all__}
    modules = {home.split(".")[1] for home in homes if home.startswith("gradschool.")}
    assert not [module for module in modules if not re.search(rf"\b{module}\b", text)]
