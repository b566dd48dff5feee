"""Packages that only some data need are imported when those data are asked for.

datasets = needed("sklearn.datasets", "scikit-learn", "digits")     # the module, or an ImportError that says what to do
"""

from __future__ import annotations

import importlib
from typing import Any


def needed(module: str, package: str, who: str) -> Any:
    """The module; ImportError in the name of the data that need it, with the line that installs its package."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{who} needs {package}: pip install {package}") from error
