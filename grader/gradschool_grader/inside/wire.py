"""The wire carries plain trees of numbers, text and arrays between the judge and a process that it does not trust.

A frame is a fixed prefix, a JSON tree and the raw little-endian buffers of its arrays; nothing in it can name code,
and every size is checked before a byte is allocated. What arrives is a claim about a value, never the value's class.

    channel = Channel(Descriptors(read_fd, write_fd))
    channel.send({"op": "call", "args": [np.arange(3.0)]}, id=new_id())
    id, reply = channel.receive(deadline=time.monotonic() + 5)  # TimedOut, Closed or Tampered otherwise
    plain(np.float64(3.0))  # array(3.): what the other side will see, or a WireError that names path and type
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .stream import Closed, Descriptors, Stream, TimedOut
from .values import Earlier, Handle, Helper, Need, Seed

__all__ = [
    "Channel", "Closed", "Descriptors", "Frame", "Stream", "Tampered", "TimedOut", "WireError", "new_id", "pack",
    "packed", "plain",
]  # fmt: skip

HEADER_CAP = 1 << 20  # bytes of JSON
PAYLOAD_CAP = 64 << 20  # bytes of arrays, in one frame and in all replies to one request
DEPTH_CAP = 16
NODE_CAP = 20_000
INT_BITS_CAP = 1023  # longer integers take quadratic time to print and to read, and fit no float

PREFIX = struct.Struct("<4sQIQ")  # magic, id, header bytes, payload bytes
MAGIC = b"GSW1"
DTYPES = {
    name: np.dtype(name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex64", "complex128",
    )
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LITTLE = {name: dtype.newbyteorder("<") for name, dtype in DTYPES.items()}
AHEAD = 1 << 16  # bytes that are read before they are asked for
COPIED = 1 << 12  # bytes of an array that are sooner copied than sent from where they are
SCALARS = frozenset(dtype.type for dtype in DTYPES.values())
NDIM_CAP = 32
AXIS_CAP = 1 << 31
TEXT = json.JSONEncoder(separators=(",", ":"))


class WireError(TypeError):
    """This value cannot travel. `path` says where it stands in the tree, `type_name` what it is."""

    def __init__(self, type_name: str, why: str, path: str = "value"):
        super().__init__(type_name, why, path)
        self.type_name, self.why, self.path = type_name, why, path

    def inside(self, step: str) -> WireError:
        """The same, seen from one level up: paths are put together only where something is wrong."""
        return WireError(self.type_name, self.why, f"value{step}{self.path.removeprefix('value')}")

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class Tampered(Exception):
    """Bytes arrived that our own code never sends: somebody else writes on the channel."""


def new_id() -> int:
    """A random 64-bit number that the reply must repeat."""
    return secrets.randbits(64)


# ------------------------------------------------------------------------------------------------------- to a frame
def pack(tree: Any, id: int) -> list[Any]:
    """The frame as a list of buffers. Raises WireError for what cannot travel."""
    header, *buffers = packed(tree)
    return framed(id, header, *buffers)


def packed(tree: Any) -> list[Any]:
    """The header of a frame and its buffers, which can be sent many times. Raises WireError for what cannot travel."""
    packer = _Packer()
    header = TEXT.encode(packer.node(tree, 0)).encode("ascii")
    if len(header) > HEADER_CAP:
        raise WireError(type(tree).__name__, f"too much text: {len(header)} bytes, at most {HEADER_CAP}")
    return [header, *packer.buffers]


def framed(id: int, header: bytes, *buffers: Any) -> list[Any]:
    return [PREFIX.pack(MAGIC, id, len(header), sum(map(len, buffers))), header, *buffers]


def plain(tree: Any) -> Any:
    """The tree as the other side receives it: NumPy scalars become 0-d arrays, arrays are copied. Or a WireError."""
    header, *buffers = packed(tree)
    return Frame(0, header, np.frombuffer(bytearray().join(buffers), np.uint8)).tree


class _Packer:
    def __init__(self) -> None:
        self.buffers: list[bytes | memoryview] = []
        self.payload = 0
        self.count = 0

    def node(self, x: Any, depth: int) -> Any:
        # type(x) and never isinstance: a subclass may compare, print and index as it likes
        kind = type(x)
        self.count += 1
        if self.count > NODE_CAP:
            raise WireError(kind.__name__, f"more than {NODE_CAP} values; return an array instead")
        if depth > DEPTH_CAP:
            raise WireError(kind.__name__, f"nested more than {DEPTH_CAP} deep")
        if x is None or kind is bool or kind is float or kind is str:
            return x
        if kind is int:
            return self.integer(x)
        if kind is np.ndarray or kind in SCALARS:
            return self.array(x)
        if kind is list:
            return self.items(x, depth)
        if kind is tuple:
            return {"t": self.items(x, depth)}
        if kind is dict:
            return {"d": self.pairs(x, depth)}
        if kind is Seed:
            return {"s": self.integer(x.seed)}
        if kind is Helper:
            return {"h": [str(x.name), self.node(dict(x.parameters), depth + 1)]}
        if kind is Handle:
            return {"o": [int(x.id), str(x.kind)]}
        if kind is Earlier:
            return {"e": [x.call, x.item, x.of]}
        if kind is Need:
            return {"n": [x.call, x.of]}
        raise WireError(kind.__name__, f"a value of type {_name(kind)} cannot be compared; {_advice(x)}")

    def items(self, x: Any, depth: int) -> list[Any]:
        nodes: list[Any] = []
        try:
            for item in x:
                nodes.append(self.node(item, depth + 1))
        except WireError as error:
            raise error.inside(f"[{len(nodes)}]") from None
        return nodes

    def pairs(self, x: dict[Any, Any], depth: int) -> list[Any]:
        pairs: list[Any] = []
        for k, v in x.items():
            key = k if type(k) is str else self.key(k)
            try:
                pairs.append([key, self.node(v, depth + 1)])
            except WireError as error:
                raise error.inside(f"[{k!r:.40}]") from None
        return pairs

    def integer(self, x: int) -> int:
        if x.bit_length() > INT_BITS_CAP:
            raise WireError("int", f"an integer of {x.bit_length()} bits, at most {INT_BITS_CAP}")
        return x

    def key(self, k: Any) -> str | int:
        kind = type(k)
        if kind is int:
            return self.integer(k)
        if issubclass(kind, np.integer):  # equal to and hashed as the int: what np.unique puts into a dict
            return int(k)
        if kind is np.str_:
            return str(k)
        raise WireError(kind.__name__, f"a dict key of type {_name(kind)}; keys are text or integers")

    def array(self, x: Any) -> dict[str, Any]:
        name = NAMES.get(x.dtype) or (x.dtype.newbyteorder("=").name if x.dtype.names is None else "a record")
        dtype = LITTLE.get(name)
        if dtype is None:
            raise WireError("ndarray", f"an array of dtype {x.dtype!s:.60} cannot be compared; use numbers")
        if x.ndim > NDIM_CAP:
            raise WireError("ndarray", f"an array of {x.ndim} axes, at most {NDIM_CAP}")
        self.payload += x.nbytes
        if self.payload > PAYLOAD_CAP or extent(x.shape) * x.itemsize > PAYLOAD_CAP:
            raise WireError("ndarray", f"arrays of more than {PAYLOAD_CAP >> 20} MiB in all")
        if x.nbytes > COPIED:
            self.buffers.append(_bytes_of(np.ascontiguousarray(x, dtype=dtype)))
        elif x.nbytes:
            self.buffers.append(np.asarray(x, dtype=dtype).tobytes())
        return {"a": [name, list(x.shape)]}


def extent(shape: Sequence[int]) -> int:
    """How many numbers there are, or come of an empty array that is summed over its empty axes."""
    return math.prod(n or 1 for n in shape)


def _name(kind: type) -> str:
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _advice(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return "return a plain array, np.asarray(...)"
    if callable(x) or hasattr(x, "__dict__"):
        return "return its numbers"
    return "return numbers, text, arrays, or lists, tuples and dicts of them"


def _bytes_of(x: np.ndarray) -> memoryview:
    return memoryview(x.reshape(-1).view(np.uint8))  # type: ignore[arg-type]  # NumPy 2.0 has no __buffer__


# ----------------------------------------------------------------------------------------------------- from a frame
@dataclass(frozen=True)
class Frame:
    """A frame as it came. What it says is read when it is asked for."""

    id: int
    header: bytes | bytearray
    payload: np.ndarray  # its bytes; the arrays of the tree lie in them

    @property
    def tree(self) -> Any:
        """Raises Tampered for bytes that no tree of ours is packed into."""
        return _Unpacker(self.header, self.payload).value

    @property
    def trusted_tree(self) -> Any:
        """The same in half the time, for a frame that the judge sent: nothing is checked that only a forger does."""
        return _Trusting(self.header, self.payload).value

    @property
    def size(self) -> int:
        return len(self.header) + len(self.payload)

    def digest(self) -> bytes:
        """Alike only for frames that say the same, to the last bit."""
        said = hashlib.sha256(len(self.header).to_bytes(8, "little"))
        said.update(self.header)
        said.update(self.payload.data)
        return said.digest()


def _json(header: bytes | bytearray, **options: Any) -> Any:
    try:
        return json.loads(header, **options)
    except (ValueError, RecursionError):
        raise Tampered("the header is no JSON tree") from None


class _Unpacker:
    """Rebuilds a tree from its header and the bytes of its arrays, which stay where they are if they lie well."""

    def __init__(self, header: bytes | bytearray, payload: np.ndarray):
        self.payload, self.size, self.used, self.count = payload, len(payload), 0, 0
        self.value = self.read(header)
        if self.used < self.size:
            raise Tampered("more bytes were announced than the arrays hold")

    def read(self, header: bytes | bytearray) -> Any:
        return self.tree(_json(header), 0)

    def tree(self, node: Any, depth: int) -> Any:
        self.count += 1
        if self.count > NODE_CAP or depth > DEPTH_CAP:
            raise Tampered("a tree of more nodes or levels than can be sent")
        kind = type(node)
        if node is None or kind is bool or kind is float or kind is str:
            return node
        if kind is int:
            return self.integer(node)
        if kind is list:
            return [self.tree(e, depth + 1) for e in node]
        if len(node) != 1:
            raise Tampered("an object with other than one tag")
        [(tag, body)] = node.items()
        build = self.TAGS.get(tag)
        if build is None:
            raise Tampered(f"unknown tag {tag!r:.20}")
        return build(self, body, depth)

    def integer(self, x: Any) -> int:
        if type(x) is not int or x.bit_length() > INT_BITS_CAP:
            raise Tampered("not an integer that can be sent")
        return x

    def tuple(self, body: Any, depth: int) -> tuple[Any, ...]:
        return tuple([self.tree(e, depth + 1) for e in _list(body)])

    def dict(self, body: Any, depth: int) -> dict[Any, Any]:
        tree = {}
        for pair in _list(body):
            key, value = _list(pair, 2)
            if type(key) is not str and type(key) is not int:
                raise Tampered("a key that is neither text nor integer")
            tree[key] = self.tree(value, depth + 1)
        return tree

    def seed(self, body: Any, depth: int) -> Seed:
        return Seed(self.integer(body))

    def helper(self, body: Any, depth: int) -> Helper:
        name, parameters = _list(body, 2)
        parameters = self.tree(parameters, depth + 1)
        if type(name) is not str or type(parameters) is not dict:
            raise Tampered("a helper is a name and a dict")
        return Helper(name, parameters)

    def handle(self, body: Any, depth: int) -> Handle:
        number, kind = _list(body, 2)
        if type(kind) is not str:
            raise Tampered("a handle is an integer and a type's name")
        return Handle(self.integer(number), kind[:200])

    def earlier(self, body: Any, depth: int) -> Earlier:
        return Earlier(*map(self.integer, _list(body, 3)))

    def need(self, body: Any, depth: int) -> Need:
        return Need(*map(self.integer, _list(body, 2)))

    def array(self, body: Any, depth: int) -> np.ndarray:
        name, shape = _list(body, 2)
        dtype = LITTLE.get(name) if type(name) is str else None
        if dtype is None or len(_list(shape)) > NDIM_CAP:
            raise Tampered("an array of another dtype or shape than can be sent")
        if any(type(n) is not int or not 0 <= n < AXIS_CAP for n in shape):
            raise Tampered("an array of another dtype or shape than can be sent")
        if extent(shape) * dtype.itemsize > PAYLOAD_CAP:
            raise Tampered("an array of impossible shape")
        count = math.prod(shape)
        start, self.used = self.used, self.used + count * dtype.itemsize
        if self.used > self.size:
            raise Tampered("the arrays hold more bytes than were announced")
        well = count > 0 and start % dtype.alignment == 0
        array = np.ndarray(shape, dtype, self.payload.data, start) if well else np.ndarray(shape, dtype)
        if count and not well:
            _bytes_of(array)[:] = self.payload.data[start : self.used]
        if count and dtype.kind == "b" and array.view(np.uint8).max() > 1:
            raise Tampered("a bool that is neither 0 nor 1")  # NumPy would compute with it and be wrong
        return array

    TAGS: dict[str, Callable[..., Any]] = {  # noqa: RUF012
        "t": tuple, "d": dict, "s": seed, "h": helper, "o": handle, "a": array, "e": earlier, "n": need,
    }  # fmt: skip


class _Trusting(_Unpacker):
    """Takes lists and numbers as JSON's own reader makes them, and looks only at what stands for something else."""

    def read(self, header: bytes | bytearray) -> Any:
        return _json(header, object_hook=self.tagged)

    def tagged(self, node: dict[str, Any]) -> Any:
        [(tag, body)] = node.items()
        return self.MADE[tag](body) if tag in self.MADE else self.TAGS[tag](self, body, 0)

    def tree(self, node: Any, depth: int) -> Any:
        return node  # what is inside was made first

    MADE: dict[str, Callable[..., Any]] = {"t": tuple, "d": dict}  # noqa: RUF012


def _list(x: Any, length: int | None = None) -> list[Any]:
    if type(x) is not list or (length is not None and len(x) != length):
        raise Tampered("a list was expected")
    return x


# ------------------------------------------------------------------------------------------------------ the channel
class Channel:
    """Frames over a stream, one at a time. Both sides of the boundary speak through it.

    It reads up to `ahead` bytes before they are asked for; none where something else is read from the stream, too.
    """

    def __init__(self, stream: Stream, ahead: int = AHEAD):
        self.stream = stream
        self.room, self.first, self.last = memoryview(bytearray(ahead)), 0, 0  # what came ahead is room[first:last]

    def send(self, tree: Any, id: int, deadline: float | None = None) -> None:
        """Raises WireError before a byte is written; TimedOut or Closed if the other side does not read."""
        self.stream.write(pack(tree, id), deadline)

    def receive(self, deadline: float | None = None) -> tuple[int, Any]:
        """(id, tree). The deadline holds for the whole frame, however slowly it drips."""
        frame = self.frame(deadline)
        return frame.id, frame.tree

    def frame(self, deadline: float | None = None) -> Frame:
        """What comes next, unread."""
        magic, id, header_bytes, payload_bytes = PREFIX.unpack(self._exactly(PREFIX.size, deadline))
        if magic != MAGIC:
            raise Tampered("bytes that are no frame")
        if header_bytes > HEADER_CAP or payload_bytes > PAYLOAD_CAP:
            raise Tampered(f"a frame of {header_bytes} + {payload_bytes} bytes")
        header = self._exactly(header_bytes, deadline)
        frame = Frame(id, header, np.zeros(payload_bytes, np.uint8))  # takes no memory before it is filled
        if payload_bytes:
            try:
                self._fill(frame.payload.data, deadline)
            except TimedOut:
                _ = frame.tree  # more may have been announced than the header speaks of: Tampered
                raise
        return frame

    def ask(self, tree: Any, deadline: float | None) -> Any:
        """Send a request and return the reply to it. A byte that nobody asked for is Tampered."""
        return self.reply(self.request(packed(tree), deadline), deadline).tree

    def request(self, message: list[Any], deadline: float | None) -> int:
        """Send what was `packed` as a request; its replies bear the id."""
        self.quiet()
        id = new_id()
        self.stream.write(framed(id, *message), deadline)
        return id

    def reply(self, id: int, deadline: float | None) -> Frame:
        """The next reply to a request: most have one, and a batch of calls has one for each."""
        frame = self.frame(deadline)
        if frame.id != id:
            raise Tampered("a reply to another request")
        return frame

    def quiet(self) -> None:
        """Nothing may arrive between a reply and the next request."""
        if self.first < self.last or self.stream.pending():
            self._exactly(1, time.monotonic())  # the end of the stream raises Closed
            raise Tampered("bytes that nobody asked for")

    def close(self) -> None:
        self.stream.close()

    def _exactly(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        self._fill(memoryview(data), deadline)
        return data

    def _fill(self, view: memoryview, deadline: float | None) -> None:
        """Fill it, and take what else is there, so that a small frame, or several, are one system call."""
        n = min(len(view), self.last - self.first)
        view[:n] = self.room[self.first : self.first + n]
        self.first += n
        while n < len(view):
            came = self.stream.read_into([view[n:], self.room], deadline)
            if came == 0:
                raise Closed("the other side closed the channel")
            self.first, self.last = 0, max(0, came - len(view) + n)
            n += came
