"""What holds submitted code on this machine: every layer is tried by a canary, and a missing one is named.

A canary is a child in the place of a submission that tries to read, write, connect, fork and signal. Grading starts
only where all of that is refused. Mode AB is tried first, then B, then C, which is as strict as AB and slower: it is
for whoever asks for it, and for machines on which a zygote cannot fork.

    print(probe().text())                        # layer by layer: holds, or why not and how to get it
    workers = open_workers(helpers="HELPERS = {}")   # the best sandbox there is, SandboxMissing if that is too little
    workers.mode                                 # "AB", "B", "C", or "process" if told unsafe_no_sandbox=True
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

MODES = ("AB", "B", "C")  # in the order in which they are tried
ENOUGH = {"AB": ("AB", "C"), "B": MODES}  # what is at least as strict
ALONE = {  # what each layer refuses when it is the only one
    "bubblewrap": ("read", "write", "connect", "local socket"),
    "landlock": ("read", "write"),
    "seccomp": ("fork", "execute", "connect", "local socket", "signal", "namespace", "trace"),
    "limits": ("memory", "write", "descriptors"),
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
    """What this machine can do. `mode` is the first that holds ("process" if none does), `modes` are all that do."""

    mode: str
    layers: tuple[Layer, ...]
    modes: tuple[str, ...] = ()

    def text(self) -> str:
        return "\n".join([f"mode {self.mode}", *map(line_of, self.layers)])

    def to_json(self) -> dict[str, Any]:
        return {"mode": self.mode, "modes": list(self.modes), "layers": [vars(layer) for layer in self.layers]}


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
        yield {"secret": str(secret), "folder": folder, "socket": os.path.join(folder, "socket"),
               "port": tcp.getsockname()[1], "process": os.getpid(), "memory": 2 * limits.memory,
               "files": limits.files}  # fmt: skip


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
    hold = tuple(filter(holds, MODES))
    return Capabilities(hold[0] if hold else "process", layers, hold)


def holds(mode: str) -> bool:
    with contextlib.suppress(SandboxMissing, Infrastructure), tried(mode):
        return True
    return False


def probe_bubblewrap() -> list[Layer]:
    try:
        with Sandbox(mode="AB", layers=()) as sandbox:
            return [alone("bubblewrap", sandbox)]
    except (SandboxMissing, Infrastructure) as error:
        return [lacking("bubblewrap", why_of("bubblewrap", error))]


def probe_children() -> list[Layer]:
    with Sandbox(mode="B", layers=()) as sandbox:
        absent = sandbox.source.missing
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
    mode: str = "",
    helpers: str = "",
    modules: Mapping[str, str] | None = None,
    placeholders: Iterable[str] = (),
    limits: Limits | None = None,
) -> Workers:
    """The first sandbox that a canary finds tight among those at least as strict as `minimum`, "AB" or "B".

    With a `mode` that one and no other. Raises SandboxMissing, which names the layers and how to get them, unless
    `unsafe_no_sandbox`: then workers of mode "process". Raises Infrastructure if the public code (helpers, modules)
    does not load.
    """
    if minimum not in ENOUGH:
        raise ValueError(f"minimum: expected one of {tuple(ENOUGH)}, got {minimum!r}")
    if mode and mode not in MODES:
        raise ValueError(f"mode: expected one of {MODES}, or nothing for the best of this machine; got {mode!r}")
    world = {"helpers": helpers, "modules": modules, "placeholders": tuple(placeholders), "limits": limits}
    absent: dict[str, Layer] = {}
    failed: Infrastructure | None = None
    candidates = ((mode,) if mode else ENOUGH[minimum]) if sys.platform == "linux" else ()
    for candidate in candidates:
        try:
            return tried(candidate, **world)
        except SandboxMissing as error:
            absent |= {name: lacking(name, why) for name, why in error.layers.items()}
        except Infrastructure as error:
            failed = error
            if candidate != "B":
                absent.setdefault("bubblewrap", lacking("bubblewrap", why_of("bubblewrap", error)))
    if failed and "B" in candidates and set(absent) <= {"bubblewrap"}:
        raise failed  # no layer of the workers is missing: it is the public code, or the machine
    if unsafe_no_sandbox:
        return SubprocessWorkers(**world)
    raise SandboxMissing(refusal(mode or minimum, absent.values()), {name: x.why for name, x in absent.items()})


def refusal(minimum: str, absent: Iterable[Layer]) -> str:
    """Why nothing is graded here, and what to do about it."""
    head = f"Submitted code is not run here: a sandbox of mode {minimum} or better is needed."
    lines = [line_of(layer) for layer in absent] or [f"  {NO_LINUX}"]
    last = "To grade code that you trust all the same, say --unsafe-no-sandbox."
    return "\n".join([head, *lines, last])
