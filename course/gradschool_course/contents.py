"""The embedded course: every folder `chNN_name` beside this file is a chapter, with `chapter.md` and `exercises.py`.

A new folder is a new chapter; nothing lists them.

    from gradschool_course.contents import course
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import gradschool as gs
from gradschool_grader.course import Chapter, Course

from .helpers import HELPERS

HERE = Path(__file__).parent
# What notebooks import for figures, data and display: experiments need them, grading does not.
PLACEHOLDERS = (
    "matplotlib",
    "sklearn",
    "IPython",
    "ipywidgets",
    "gradschool_course",
    "gradschool_data",
    "tqdm",
    "pandas",
)
# Whoever calls one of these has not written what the task asks for. It is said, and a person decides.
FORBIDDEN = (
    "torch",
    "tensorflow",
    "jax",
    "keras",
    "flax",
    "optax",
    "autograd",
    "sklearn",
    "scipy.special",
    "scipy.optimize",
    "numpy.gradient",
)


def chapter(folder: Path) -> Chapter:
    """A chapter from its folder; number and title stand in the header of its text."""
    text = (folder / "chapter.md").read_text(encoding="utf-8")
    title = re.search(r"^title:\s*(.+?)\s*$", text, re.MULTILINE)
    if not title:
        raise ValueError(f"{folder.name}/chapter.md: expected `title: ...` in the header between the --- lines")
    exercises = import_module(f"{__package__}.{folder.name}.exercises").EXERCISES
    return Chapter(folder.name, int(folder.name[2:4]), title[1].strip("\"'"), folder, exercises)


course = Course(
    name="gradschool",
    title="Deep learning by implementing it",
    chapters=[chapter(folder) for folder in sorted(HERE.glob("ch[0-9][0-9]_*")) if (folder / "chapter.md").exists()],
    helpers=HELPERS,
    public={"gradschool": [gs.one_hot, gs.one_hot_decode]},
    placeholders=PLACEHOLDERS,
    forbidden=FORBIDDEN,
    version=gs.__version__,
)
