"""The wire carries plain trees of numbers, text and arrays between the judge and a process that it does not trust.

A frame is a fixed prefix, a JSON tree and the raw little-endian buffers of its arrays; nothing in it can name code,
and every size is checked before a byte is allocated. What arrives is a claim about a value, never the value's class.

    channel = Channel(Descriptors(read_fd, write_fd))
    channel.send({"op": "call", "args": [np.arange(3.0)]}, id=new_id())
    id, reply = channel.receive(deadline=time.monotonic() + 5)  # TimedOut, Closed or Tampered otherwise
    plain(np.float64(3.0))  # array(3.): what the other side will see, or a WireError that names path and type
"""

from __future__ import annotations

import json
import math
import secrets
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .stream import MOST_VIEWS, Closed, Descriptors, Stream, TimedOut
from .values import Handle, Helper, Seed

__all__ = ["Channel", "Closed", "Descriptors", "Stream", "Tampered", "TimedOut", "WireError", "new_id", "plain"]

HEADER_CAP = 1 << 20  # bytes of JSON
PAYLOAD_CAP = 64 << 20  # bytes of arrays
DEPTH_CAP = 16
NODE_CAP = 20_000
INT_BITS_CAP = 1024  # longer integers take quadratic time to print and to read

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
SCALARS = frozenset(dtype.type for dtype in DTYPES.values())
NDIM_CAP = 32
AXIS_CAP = 1 << 31


class WireError(TypeError):
    """This value cannot travel. `path` says where it stands in the tree, `type_name` what it is."""

    def __init__(self, path: str, type_name: str, why: str):
        super().__init__(f"{path}: {why}")
        self.path, self.type_name, self.why = path, type_name, why


class Tampered(Exception):
    """Bytes arrived that our own code never sends: somebody else writes on the channel."""


def new_id() -> int:
    """A random 64-bit number that the reply must repeat."""
    return secrets.randbits(64)


# ------------------------------------------------------------------------------------------------------- to a frame
def pack(tree: Any, id: int) -> list[Any]:
    """The frame as a list of buffers. Raises WireError for what cannot travel."""
    packer = _Packer()
    node = packer.node(tree, "value", 0)
    header = json.dumps(node, separators=(",", ":")).encode("ascii")
    if len(header) > HEADER_CAP:
        raise WireError("value", type(tree).__name__, f"too much text: {len(header)} bytes, at most {HEADER_CAP}")
    return [PREFIX.pack(MAGIC, id, len(header), packer.payload), header, *packer.buffers]


def plain(tree: Any) -> Any:
    """The tree as the other side receives it: NumPy scalars become 0-d arrays, arrays are copied. Or a WireError."""
    _, header, *buffers = pack(tree, 0)
    arrays: list[np.ndarray] = []
    copy = _Unpacker(arrays).whole(header, sum(len(buffer) for buffer in buffers))
    for array, buffer in zip((a for a in arrays if a.nbytes), buffers, strict=True):
        _bytes_of(array)[:] = buffer
    return copy


class _Packer:
    def __init__(self) -> None:
        self.buffers: list[memoryview] = []
        self.payload = 0
        self.count = 0

    def node(self, x: Any, path: str, depth: int) -> Any:
        # type(x) and never isinstance: a subclass may compare, print and index as it likes
        kind = type(x)
        self.count += 1
        if self.count > NODE_CAP:
            raise WireError(path, kind.__name__, f"more than {NODE_CAP} values; return an array instead")
        if depth > DEPTH_CAP:
            raise WireError(path, kind.__name__, f"nested more than {DEPTH_CAP} deep")
        if x is None or kind is bool or kind is float or kind is str:
            return x
        if kind is int:
            return self.integer(x, path)
        if kind is np.ndarray or kind in SCALARS:
            return self.array(np.asarray(x), path)
        if kind is list:
            return [self.node(e, f"{path}[{i}]", depth + 1) for i, e in enumerate(x)]
        if kind is tuple:
            return {"t": [self.node(e, f"{path}[{i}]", depth + 1) for i, e in enumerate(x)]}
        if kind is dict:
            return {"d": [[self.key(k, path), self.node(v, f"{path}[{k!r:.40}]", depth + 1)] for k, v in x.items()]}
        if kind is Seed:
            return {"s": self.integer(x.seed, path)}
        if kind is Helper:
            return {"h": [str(x.name), self.node(dict(x.parameters), f"{path}.parameters", depth + 1)]}
        if kind is Handle:
            return {"o": [int(x.id), str(x.kind)]}
        raise WireError(path, kind.__name__, f"a value of type {_name(kind)} cannot be compared; {_advice(x)}")

    def integer(self, x: int, path: str) -> int:
        if x.bit_length() > INT_BITS_CAP:
            raise WireError(path, "int", f"an integer of {x.bit_length()} bits, at most {INT_BITS_CAP}")
        return x

    def key(self, k: Any, path: str) -> str | int:
        kind = type(k)
        if kind is str:
            return k
        if kind is int:
            return self.integer(k, path)
        if issubclass(kind, np.integer):  # equal to and hashed as the int: what np.unique puts into a dict
            return int(k)
        if kind is np.str_:
            return str(k)
        raise WireError(path, kind.__name__, f"a dict key of type {_name(kind)}; keys are text or integers")

    def array(self, x: np.ndarray, path: str) -> dict[str, Any]:
        name = NAMES.get(x.dtype) or (x.dtype.newbyteorder("=").name if x.dtype.names is None else "a record")
        dtype = DTYPES.get(name)
        if dtype is None:
            raise WireError(path, "ndarray", f"an array of dtype {x.dtype!s:.60} cannot be compared; use numbers")
        if x.ndim > NDIM_CAP:
            raise WireError(path, "ndarray", f"an array of {x.ndim} axes, at most {NDIM_CAP}")
        self.payload += x.nbytes
        if self.payload > PAYLOAD_CAP:
            raise WireError(path, "ndarray", f"arrays of more than {PAYLOAD_CAP >> 20} MiB in all")
        if x.nbytes:  # a view over zero bytes cannot be cast
            self.buffers.append(_bytes_of(np.ascontiguousarray(x, dtype=dtype.newbyteorder("<"))))
        return {"a": [name, list(x.shape)]}


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
class _Unpacker:
    """Rebuilds a tree whose arrays are allocated but not yet filled; their order is the order of the buffers."""

    def __init__(self, arrays: list[np.ndarray]):
        self.arrays = arrays
        self.count = 0
        self.room = 0

    def whole(self, header: bytes, payload: int) -> Any:
        self.room = payload
        try:
            node = json.loads(header)
        except (ValueError, RecursionError):
            raise Tampered("the header is no JSON tree") from None
        tree = self.tree(node, 0)
        if self.room:
            raise Tampered("more bytes were announced than the arrays hold")
        return tree

    def tree(self, node: Any, depth: int) -> Any:
        self.count += 1
        if self.count > NODE_CAP or depth > DEPTH_CAP:
            raise Tampered("a tree of more nodes or levels than can be sent")
        kind = type(node)
        if node is None or kind in (bool, float, str):
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
        return tuple(self.tree(e, depth + 1) for e in _list(body))

    def dict(self, body: Any, depth: int) -> dict[Any, Any]:
        pairs = [_list(pair, 2) for pair in _list(body)]
        if any(type(key) not in (str, int) for key, _ in pairs):
            raise Tampered("a key that is neither text nor integer")
        return {key: self.tree(value, depth + 1) for key, value in pairs}

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

    def array(self, body: Any, depth: int) -> np.ndarray:
        name, shape = _list(body, 2)
        dtype = DTYPES.get(name) if type(name) is str else None
        shape = _list(shape)
        if dtype is None or len(shape) > NDIM_CAP or any(type(n) is not int or not 0 <= n < AXIS_CAP for n in shape):
            raise Tampered("an array of another dtype or shape than can be sent")
        self.room -= math.prod(shape) * dtype.itemsize
        if self.room < 0:
            raise Tampered("the arrays hold more bytes than were announced")
        try:
            array = np.empty(tuple(shape), dtype)
        except (ValueError, MemoryError):  # no bytes, but axes whose product overflows
            raise Tampered("an array of impossible shape") from None
        self.arrays.append(array)
        return array

    TAGS: dict[str, Callable[..., Any]] = {"t": tuple, "d": dict, "s": seed, "h": helper, "o": handle, "a": array}  # noqa: RUF012


def _list(x: Any, length: int | None = None) -> list[Any]:
    if type(x) is not list or (length is not None and len(x) != length):
        raise Tampered("a list was expected")
    return x


# ------------------------------------------------------------------------------------------------------ the channel
class Channel:
    """Frames over a stream, one at a time. Both sides of the boundary speak through it."""

    def __init__(self, stream: Stream):
        self.stream = stream

    def send(self, tree: Any, id: int, deadline: float | None = None) -> None:
        """Raises WireError before a byte is written; TimedOut or Closed if the other side does not read."""
        self.stream.write(pack(tree, id), deadline)

    def receive(self, deadline: float | None = None) -> tuple[int, Any]:
        """(id, tree). The deadline holds for the whole frame, however slowly it drips."""
        magic, id, header_bytes, payload = PREFIX.unpack(self._exactly(PREFIX.size, deadline))
        if magic != MAGIC:
            raise Tampered("bytes that are no frame")
        if header_bytes > HEADER_CAP or payload > PAYLOAD_CAP:
            raise Tampered(f"a frame of {header_bytes} + {payload} bytes")
        arrays: list[np.ndarray] = []
        tree = _Unpacker(arrays).whole(bytes(self._exactly(header_bytes, deadline)), payload)
        self._read([_bytes_of(array) for array in arrays if array.nbytes], deadline)
        for array in arrays:
            if array.dtype == np.bool_ and array.nbytes and array.view(np.uint8).max() > 1:
                raise Tampered("a bool that is neither 0 nor 1")  # NumPy would compute with it and be wrong
        return id, tree

    def ask(self, tree: Any, deadline: float | None) -> Any:
        """Send a request and return the reply to it. A byte that nobody asked for is Tampered."""
        self.quiet()
        id = new_id()
        self.send(tree, id, deadline)
        echoed, reply = self.receive(deadline)
        if echoed != id:
            raise Tampered("a reply to another request")
        return reply

    def quiet(self) -> None:
        """Nothing may arrive between a reply and the next request."""
        if self.stream.pending():
            self._exactly(1, time.monotonic())  # the end of the stream raises Closed
            raise Tampered("bytes that nobody asked for")

    def close(self) -> None:
        self.stream.close()

    def _exactly(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        self._read([memoryview(data)] if size else [], deadline)
        return data

    def _read(self, views: list[memoryview], deadline: float | None) -> None:
        """Fill them all, in as few steps as the stream can do it."""
        first = 0
        while first < len(views):
            n = self.stream.read_into(views[first : first + MOST_VIEWS], deadline)
            if n == 0:
                raise Closed("the other side closed the channel")
            while n and n >= len(views[first]):
                n, first = n - len(views[first]), first + 1
            if n:
                views[first] = views[first][n:]
