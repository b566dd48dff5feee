"""The registries of this folder, such as `op_cases`, can be imported by its tests."""

import sys
from pathlib import Path

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))
