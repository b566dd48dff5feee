"""What a large block took is the system's again when it is freed, whatever was freed before."""

import platform
import subprocess
import sys

from gradschool_grader.big_blocks import big_blocks_apart

PROGRAM = """
import sys
from gradschool_grader.big_blocks import big_blocks_apart

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

if sys.argv[1] == "apart":
    big_blocks_apart()
del [bytes(30_000_000)][:]  # glibc's threshold is now 30 MB
before, kept = resident(), []
for _ in range(60):
    page = b"a" * 1_000_000
    kept.append(b"b" * 1_000)
    page += b"a" * 1_000_000 * (1 + len(kept) % 2)
    kept.append(b"c" * 1_000)
    del page
print(resident() - before)
"""


def grown(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True)
    return int(run.stdout)


def test_the_heap_does_not_grow_with_large_blocks_that_are_freed():
    assert big_blocks_apart() is (platform.libc_ver()[0] == "glibc")
    if big_blocks_apart():
        assert grown("apart") < 500_000
