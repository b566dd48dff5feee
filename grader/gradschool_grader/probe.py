"""What holds submitted code on this machine: every layer is tried by a canary, and a missing one is named.

A canary is a child in the place of a submission that tries to read, write, connect, fork and signal. Grading starts
only where all of that is refused.

    print(probe().text())                        # layer by layer: holds, or why not and how to get it
    workers = open_workers(helpers="HELPERS = {}")   # the best sandbox there is, SandboxMissing if that is too little
    workers.mode                                 # "AB", "B", or "process" if told unsafe_no_sandbox=True
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .contract import Infrastructure, Limits, Workers
from .sandbox import LAYERS, Sandbox, SandboxMissing
from .worker import SubprocessWorkers

__all__ = ["Capabilities", "Layer", "open_workers", "probe"]

MODES = ("AB", "B")  # the best first
ALONE = {  # what each layer refuses when it is the only one
    "bubblewrap": ("read", "write", "connect", "local socket"),
    "landlock": ("read", "write"),
    "seccomp": ("fork", "execute", "connect", "local socket", "signal"),
    "limits": ("memory",),
    "session": ("session",),
}
NO_LINUX = (
    "Only Linux can hold a hostile submission; here there are a process of its own and the clock. "
    "Grade in WSL2, in a virtual machine or in a Linux container."
)


@dataclass(frozen=True)
class Layer:
    """One layer: whether it holds here; if not, why, and how to get it."""

    name: str
    holds: bool
    why: str = ""
    get: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What this machine can do. `mode` is the best that holds: "AB", "B" or "process"."""

    mode: str
    layers: tuple[Layer, ...]

    def text(self) -> str:
        return "\n".join([f"mode {self.mode}", *map(line_of, self.layers)])

    def to_json(self) -> dict[str, Any]:
        return {"mode": self.mode, "layers": [vars(layer) for layer in self.layers]}


def line_of(layer: Layer) -> str:
    if layer.holds:
        return f"  {layer.name:<11} holds"
    return f"  {layer.name:<11} does not hold: {layer.why}" + (f"\n{'':14}to get it: {layer.get}" if layer.get else "")


# ---------------------------------------------------------------------------------------------------------- canaries
@contextlib.contextmanager
def bait(limits: Limits) -> Iterator[dict[str, Any]]:
    """Something to read, a folder to write, servers to reach, a process to signal: all real, all harmless."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-"))
        secret = Path(folder, "secret")
        secret.write_text("seen")
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(os.path.join(folder, "socket"))
        local.listen()
        yield {"secret": str(secret), "folder": folder, "port": tcp.getsockname()[1], "process": os.getpid(),
               "socket": os.path.join(folder, "socket"), "memory": 2 * limits.memory}  # fmt: skip


def succeeded(sandbox: Sandbox, layers: Iterable[str], limits: Limits) -> list[str]:
    """What a canary managed to do behind these layers."""
    with bait(limits) as things, sandbox.fork("canary", layers) as worker:
        outcome = worker.request(things, seconds=20)
    return [name for name, what in outcome.items() if what == "done"]


def alone(name: str, sandbox: Sandbox) -> Layer:
    done = succeeded(sandbox, [] if name == "bubblewrap" else [name], Limits())
    leaks = [what for what in ALONE[name] if what in done]
    return Layer(name, not leaks, f"it is there, but a canary could {', '.join(leaks)}" if leaks else "")


def probe() -> Capabilities:
    """Try every layer by itself, then all together. Takes about a second."""
    if sys.platform != "linux":
        return Capabilities("process", tuple(Layer(name, False, "this is not Linux", NO_LINUX) for name in ALONE))
    layers = (*probe_bubblewrap(), *probe_children())
    mode = "process"
    for candidate in reversed(MODES):
        with contextlib.suppress(SandboxMissing, Infrastructure), tried(candidate):
            mode = candidate
    return Capabilities(mode, layers)


def probe_bubblewrap() -> list[Layer]:
    try:
        with Sandbox(mode="AB", layers=()) as sandbox:
            return [alone("bubblewrap", sandbox)]
    except (SandboxMissing, Infrastructure) as error:
        return [lacking("bubblewrap", why_of("bubblewrap", error))]


def probe_children() -> list[Layer]:
    with Sandbox(mode="B", layers=()) as sandbox:
        absent = sandbox.zygote.missing
        return [lacking(name, absent[name]) if name in absent else alone(name, sandbox) for name in LAYERS]


def tried(mode: str, **world: Any) -> Sandbox:
    """A sandbox in which a canary with all layers managed nothing. SandboxMissing if it did: fail closed."""
    sandbox = Sandbox(mode=mode, **world)
    try:
        done = succeeded(sandbox, LAYERS, world.get("limits") or Limits())
        if done:
            raise SandboxMissing(f"mode {mode} does not hold: a canary could {', '.join(done)}", {"canary": str(done)})
    except BaseException:
        sandbox.close()
        raise
    return sandbox


# ------------------------------------------------------------------------------------------------- what is missing
def why_of(layer: str, error: Exception) -> str:
    if isinstance(error, SandboxMissing):
        return error.layers.get(layer, str(error))
    return str(error).partition("It printed: ")[2].strip() or str(error)


def lacking(name: str, why: str) -> Layer:
    get = {"bubblewrap": get_bubblewrap, "landlock": get_landlock, "seccomp": get_seccomp}.get(name)
    return Layer(name, False, why, get() if get else "")


def get_bubblewrap() -> str:
    if shutil.which("bwrap") is None:
        return "install bubblewrap (apt install bubblewrap, dnf install bubblewrap)"
    if says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"):
        return (
            "AppArmor blocks user namespaces (Ubuntu 23.10 and later): write 'abi <abi/4.0>, include <tunables/global> "
            "profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }' into /etc/apparmor.d/bwrap, one statement a "
            "line, and run: sudo apparmor_parser -r /etc/apparmor.d/bwrap"
        )
    if says("/proc/sys/kernel/unprivileged_userns_clone", "0"):
        return "allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1"
    if says("/proc/sys/user/max_user_namespaces", "0"):
        return "allow user namespaces: sudo sysctl user.max_user_namespaces=10000"
    return (
        "containers forbid it by default; mode B needs nothing of this. For mode AB in Docker run with --cap-add "
        "SYS_ADMIN --security-opt apparmor=unconfined --security-opt seccomp=unconfined"
    )


def get_landlock() -> str:
    return (
        "Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, and landlock in the boot parameter lsm= "
        "(cat /sys/kernel/security/lsm); in an old Docker allow the calls landlock_* in its seccomp profile"
    )


def get_seccomp() -> str:
    return "install libseccomp (apt install libseccomp2, dnf install libseccomp)"


def says(path: str, value: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(path).read_text().strip() == value
    return False


# ---------------------------------------------------------------------------------------------------------- opening
def open_workers(
    minimum: str = "B",
    unsafe_no_sandbox: bool = False,
    *,
    helpers: str = "",
    modules: Mapping[str, str] | None = None,
    placeholders: Iterable[str] = (),
    limits: Limits | None = None,
) -> Workers:
    """The best sandbox that a canary finds tight: "AB", else "B" if `minimum` allows it.

    Raises SandboxMissing, which names the layers and how to get them, unless `unsafe_no_sandbox`: then workers of mode
    "process". Raises Infrastructure if the public code (helpers, modules) does not load.
    """
    if minimum not in MODES:
        raise ValueError(f"minimum: expected one of {MODES}, got {minimum!r}")
    world = {"helpers": helpers, "modules": modules, "placeholders": tuple(placeholders), "limits": limits}
    absent: list[Layer] = []
    for mode in MODES[: MODES.index(minimum) + 1] if sys.platform == "linux" else ():
        try:
            return tried(mode, **world)
        except SandboxMissing as error:
            absent += [lacking(name, why) for name, why in error.layers.items()]
        except Infrastructure as error:
            if mode == "B":  # no layer is missing: it is the public code, or the machine
                raise
            absent.append(lacking("bubblewrap", why_of("bubblewrap", error)))
    if unsafe_no_sandbox:
        return SubprocessWorkers(**world)
    raise SandboxMissing(refusal(minimum, absent), {layer.name: layer.why for layer in absent})


def refusal(minimum: str, absent: Iterable[Layer]) -> str:
    """Why nothing is graded here, and what to do about it."""
    head = f"Submitted code is not run here: a sandbox of mode {minimum} or better is needed."
    lines = [line_of(layer) for layer in absent] or [f"  {NO_LINUX}"]
    last = "To grade code that you trust all the same, say --unsafe-no-sandbox."
    return "\n".join([head, *lines, last])
