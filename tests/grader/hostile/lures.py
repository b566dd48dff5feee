"""What an attack is after: a secret, somebody else's work, grades, a folder, servers, a process. All real, none missed.

with Lures(folder) as lures:
    ...
    lures.touched()      # [] if nothing was read, written, reached or signalled
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import tiny_course.library.means

LEFT = ("/tmp/hostile-left", "/dev/shm/hostile-left", "/hostile-left")


class Lures:
    def __init__(self, folder: Path):
        self.folder = folder / "open"
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.token = "token" + secrets.token_hex(12)
        self.secret, self.other, self.grades = folder / "secret", folder / "other.ipynb", folder / "gradebook.db"
        self.secret.write_text(self.token)
        self.other.write_text(json.dumps({"cells": [{"source": [f"# {self.token}"]}]}))
        self.grades.write_text(self.token)
        self.before = self.contents(folder)
        self.place = folder

    def __enter__(self) -> Lures:
        self.stack = contextlib.ExitStack()
        self.tcp = self.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = self.tcp.getsockname()[1]
        self.udp = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", port))
        self.local, self.abstract = (self.stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        self.local.bind(str(self.place / "socket"))
        self.abstract.bind("\0" + self.token)
        for server in (self.tcp, self.udp, self.local, self.abstract):
            server.setblocking(False)
        for server in (self.local, self.abstract):
            server.listen()
        sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(3600)"]
        self.victim = self.stack.enter_context(subprocess.Popen(sleeper))
        self.stack.callback(self.victim.kill)
        self.facts = {
            "secret": str(self.secret), "other": str(self.other), "grades": str(self.grades),
            "folder": str(self.folder), "reference": tiny_course.library.means.__file__, "port": port,
            "socket": str(self.place / "socket"), "abstract": self.token, "victim": self.victim.pid,
        }  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    @property
    def cell(self) -> str:
        """The code that tells an attack where everything is."""
        return "class lure:\n" + "".join(f"    {name} = {value!r}\n" for name, value in self.facts.items())

    @staticmethod
    def contents(folder: Path) -> dict[str, str]:
        return {str(path): read(path) for path in folder.rglob("*") if not path.is_socket()}

    def touched(self, names: bool = True) -> list[str]:
        """What was reached since it was asked last; what was left is removed. Without `names` a file that is empty
        does not count: a limit of size does not keep anybody from making one."""
        after = self.contents(self.place) | {name: read(Path(name)) for name in LEFT if os.path.lexists(name)}
        changed = [name for name in {*after, *self.before} if after.get(name) != self.before.get(name)]
        found = [f"changed: {name}" for name in changed if names or after.get(name, "gone")]
        for name in changed:
            restored(Path(name), self.before.get(name))
        found += [f"reached: {server}" for server in (self.tcp, self.local, self.abstract) if accepted(server)]
        with contextlib.suppress(BlockingIOError):
            found.append(f"received: {self.udp.recv(99)!r}")
        return found + (["the victim ended"] if self.victim.poll() is not None else [])


def read(path: Path) -> str:
    return path.read_text() if path.is_file() else "no file"


def restored(path: Path, content: str | None) -> None:
    if content is not None:
        path.write_text(content)
    elif path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()


def accepted(server: socket.socket) -> int:
    """How many have connected since it was asked last."""
    for number in itertools.count():
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return number
    raise AssertionError("endless")
