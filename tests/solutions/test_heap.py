"""Property: once gradschool is imported, large arrays that are made and freed again and again cost no page faults."""

import platform
import subprocess
import sys

FAULTS = """
import resource
import gradschool
import numpy as np

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    for array in [np.empty(300_000) for _ in range(8)]:
        array.fill(1)

step()
before = faults()
for _ in range(5):
    step()
print(faults() - before)
"""


def test_memory_is_used_again_without_asking_the_system():
    if platform.libc_ver()[0] != "glibc":  # other libraries have rules of their own; importing must just work
        subprocess.run([sys.executable, "-c", "import gradschool"], check=True)
        return
    run = subprocess.run([sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True)
    pages = 5 * 8 * 300_000 * 8 // 4096
    assert int(run.stdout) < pages / 20
