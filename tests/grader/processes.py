"""Whether processes that are no children of the test are still there."""

import os
import time
from pathlib import Path


def alive(pid):
    """What has ended and is waited for by nobody does not count."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not Path("/proc/self/stat").exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def soon(true, seconds):
    """Wait until it is so; a test that waits for so long has failed."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
