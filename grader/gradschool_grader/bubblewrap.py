"""bubblewrap: a process in namespaces of its own, whose root holds Python, NumPy and one folder, all read-only.

No network, no /proc, no process but its own, nothing of the judge's files; the kernel's smallest container, and on most
systems no privilege is needed for it.

    process = spawn(bubblewrap(command("zygote", "5")), pass_fds=[5])    # SandboxMissing if bwrap is not installed
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .contract import START_SECONDS, Infrastructure
from .worker import INSIDE, command, environment, python

__all__ = ["SandboxMissing", "bubblewrap", "closed", "spawn"]

SITE = ("site-packages", "dist-packages")


class SandboxMissing(RuntimeError):
    """This machine lacks a layer; `layers` names each with the reason."""

    def __init__(self, message: str, layers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.layers = dict(layers or {})


# ------------------------------------------------------------------------------------------------ what it may see
@functools.cache
def survey() -> dict[str, Any]:
    """What Python and NumPy read when they start, found by starting them once."""
    try:
        found = subprocess.run(
            command("survey"), env=environment(), capture_output=True, timeout=START_SECONDS, cwd=os.sep
        )
    except subprocess.TimeoutExpired as error:
        raise Infrastructure(f"Python did not start in {START_SECONDS:g} seconds.") from error
    if found.returncode:
        raise Infrastructure(f"Python could not be surveyed: {found.stderr.decode(errors='replace').strip()[-2000:]}")
    return json.loads(found.stdout)


def root_of_files() -> list[str]:
    """bubblewrap's arguments for a root that holds Python, NumPy and our folder, and can be written nowhere."""
    seen = survey()
    arguments: list[str] = []
    covered: list[str] = []
    masked: list[str] = []

    def show(path: str, at: str = "") -> None:
        if os.path.exists(path):
            arguments.extend(["--ro-bind", path, at or path])
            covered.append(os.path.realpath(path) + os.sep)

    def hidden(path: str) -> bool:
        real = os.path.realpath(path)
        return not any((real + os.sep).startswith(tree) for tree in covered)

    for folder in (entry for entry in seen["path"] if os.path.isdir(entry)):
        if hidden(folder):
            show(folder)
            masked += [os.path.join(folder, name) for name in SITE if os.path.isdir(os.path.join(folder, name))]
    for site in masked:  # nothing that is installed is visible; NumPy is put back into the empty folder
        arguments += ["--tmpfs", site]
    numpy_folder = str(Path(np.__file__).parent)
    for path in (numpy_folder, f"{numpy_folder}.libs", str(INSIDE)):
        show(path)
    for path in (python(), "/etc/ld.so.cache", *(e for e in seen["path"] if os.path.isfile(e)), *seen["libraries"]):
        if path == "/etc/ld.so.cache" or hidden(path):
            show(path)
    arguments += ["--dev-bind", os.devnull, os.devnull]
    for path in (*masked, os.sep):
        arguments += ["--remount-ro", path]
    return arguments


def closed() -> bool:
    """Whether root runs a Python that another user has closed to everybody else (a home of mode 0700)."""
    if os.geteuid() != 0:
        return False
    needed = [Path(path) for path in (np.__file__, python(), str(INSIDE), os.__file__)]
    return any(closes(folder) for path in needed for folder in (path, *path.parents))


def closes(path: Path) -> bool:
    found, needed = path.stat(), 0o005 if path.is_dir() else 0o004
    return found.st_uid != 0 and found.st_mode & needed != needed


def bubblewrap(inner: list[str]) -> list[str]:
    """The command in namespaces of its own."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxMissing("bubblewrap is not installed", {"bubblewrap": "the program bwrap is not on the PATH"})
    alone = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    alone += ["--hostname", "sandbox", "--cap-drop", "ALL"]
    # in a user namespace root owns nothing of the other user's, and could not even show it read-only
    alone += ["--cap-add", "CAP_DAC_READ_SEARCH"] if closed() else ["--unshare-user-try"]
    ends = ["--die-with-parent", "--new-session", "--chdir", os.sep]
    return [program, *alone, *ends, *root_of_files(), "--", *inner]


# --------------------------------------------------------------------------------------------------------- starting
_spawner: list[ThreadPoolExecutor] = []


def spawn(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start from one thread that lives as long as this process: what a thread started under --die-with-parent dies
    with that thread, and pools end theirs at will."""
    if not _spawner:
        _spawner.append(ThreadPoolExecutor(1, thread_name_prefix="sandbox"))
    return _spawner[0].submit(lambda: subprocess.Popen[bytes](arguments, **options)).result()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_spawner.clear)  # threads do not survive a fork
