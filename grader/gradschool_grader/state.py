"""What a student's folder remembers, in `.gradschool/` beside the notebooks: predictions, failing seeds, progress.

Plain JSON, one file a topic. A file that cannot be read is set aside, never an error: nothing here is worth losing a
lesson for.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = ".gradschool"


def folder() -> Path:
    """`.gradschool/` of the current folder; else of the folder of notebooks in it that was used last; else above."""
    here = Path.cwd()
    if (here / FOLDER).is_dir():
        return here / FOLDER
    below = sorted(here.glob(f"*/{FOLDER}/"), key=lambda place: place.stat().st_mtime)
    above = [place / FOLDER for place in here.parents if (place / FOLDER).is_dir()]
    return next(iter([*reversed(below), *above]), here / FOLDER)


def read(topic: str) -> dict[str, Any]:
    file = folder() / f"{topic}.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write(topic: str, content: dict[str, Any]) -> None:
    """Written beside and moved into place, so that an interruption leaves the old file."""
    try:
        folder().mkdir(exist_ok=True)
        beside = folder() / f"{topic}.json.{os.getpid()}"
        beside.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(beside, folder() / f"{topic}.json")
    except OSError:  # a read-only folder: the lesson goes on without memory
        return


def change(topic: str, key: str, value: Any) -> None:
    """Set one entry, or remove it with None."""
    content = read(topic)
    if value is None:
        if content.pop(key, None) is None:
            return
    else:
        content[key] = value
    write(topic, content)
