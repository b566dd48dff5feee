"""The grader's tiny course serves here, too: what the command does must hold for any course."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for place in (HERE, HERE.parent / "grader"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
