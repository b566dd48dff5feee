"""How long the library takes to be imported, once NumPy is: CPU seconds of fresh interpreters, beside NumPy's own.

    python tests/benchmarks/start.py            # exits with 1 where the limit is passed

Bytecode is written first, to a folder of its own: an environment without it compiles every file anew, which takes
longer than all the rest. The least of many runs counts, since what else the machine does only adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

LIMIT = 0.06  # seconds
RUNS = 15
CODE = """
import time
start = time.process_time()
import numpy
middle = time.process_time()
import gradschool
print(middle - start, time.process_time() - middle)
"""


def times(bytecode: str) -> tuple[float, float]:
    """Seconds for NumPy, and then for the library."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**environment, "PYTHONPYCACHEPREFIX": bytecode},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    numpy, library = map(float, run.stdout.split())
    return numpy, library


def main() -> int:
    with tempfile.TemporaryDirectory() as bytecode:
        times(bytecode)
        numpy, library = (min(column) for column in zip(*(times(bytecode) for _ in range(RUNS)), strict=True))
    print(f"numpy {numpy:.3f} s, gradschool {library:.3f} s more ({library / numpy:.2f} of NumPy; limit {LIMIT} s)")
    return int(library > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
