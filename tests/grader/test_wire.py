# Property: what is sent arrives as it was, and whatever no honest sender sends is refused before it costs memory.
import contextlib
import json
import os
import socket
import struct
import threading
import time

import numpy as np
import psutil
import pytest

from gradschool_grader.inside import wire
from gradschool_grader.inside.values import Earlier, Handle, Helper, Need, Seed
from gradschool_grader.inside.wire import (
    Channel,
    Closed,
    Descriptors,
    Frame,
    Tampered,
    TimedOut,
    WireError,
    packed,
    plain,
)


@pytest.fixture
def ends():
    """The judge's channel and the raw socket at the other end."""
    ours, theirs = socket.socketpair()
    os.set_blocking(ours.fileno(), False)
    yield Channel(Descriptors(ours.fileno(), ours.fileno())), theirs
    ours.close()
    theirs.close()


def soon(seconds=5.0):
    return time.monotonic() + seconds


def there_and_back(tree, ends):
    channel, other = ends
    echo = Channel(Descriptors(other.fileno(), other.fileno()))

    def answer():
        id, request = echo.receive()
        echo.send(request, id)

    thread = threading.Thread(target=answer)
    thread.start()
    reply = channel.ask(tree, soon())
    thread.join()
    return reply


def same(a, b):
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if type(a) in (list, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return type(b) is dict and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if type(a) is Helper:
        return type(b) is Helper and a.name == b.name and same(a.parameters, b.parameters)
    return type(a) is type(b) and (a == b or (a != a and b != b))


TREES = {
    "constants": [None, True, False, 0, -1, 1 << 1000, 0.1, -0.0, 1e308, 5e-324, "", "é\n\0\ud800"],
    "not finite": [float("nan"), float("inf"), float("-inf")],
    "containers": {"list": [[], [1]], "tuple": ((), (1, (2,))), "dict": {}, 3: {"t": {"a": 1}}},
    "values": [Seed(7), Helper("quadratic", {"a": 3.0, "b": np.arange(3.0)}), Handle(4, "Ema")],
    "no axes": np.array(3.5, np.float32),
    "no entries": np.empty((3, 0, 5), np.int16),
    "mixed": [np.arange(3, dtype=np.int8), np.arange(5) / 7, np.array([True, False, True]), np.arange(7) * (1 + 2j)],
    "more than a pipe holds": np.random.default_rng(1).normal(size=(300, 501)),
}


@pytest.mark.parametrize("name", TREES)
def test_a_tree_arrives_with_the_same_types_and_the_same_bits(name, ends):
    assert same(there_and_back(TREES[name], ends), TREES[name])


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES))
def test_every_dtype_arrives_as_it_was(dtype, ends):
    x = np.random.default_rng(2).integers(0, 2, (3, 5)).astype(dtype)
    assert same(there_and_back(x, ends), x)


def test_views_and_foreign_byte_orders_arrive_by_value():
    x = np.random.default_rng(3).normal(size=(5, 7))
    for view in (x.T, x[::2, ::-1], np.asfortranarray(x), x.astype(">f8"), np.broadcast_to(x[0], (3, 7))):
        arrived = plain(view)
        assert arrived.dtype == np.float64
        np.testing.assert_array_equal(arrived, view)


def test_an_arrived_array_shares_memory_with_no_other_and_can_be_written():
    x, y, z = plain([np.arange(3, dtype=np.int8), np.arange(5.0), np.arange(7.0)])
    assert not any(np.may_share_memory(a, b) for a, b in ((x, y), (x, z), (y, z)))
    assert all(a.flags.writeable and a.flags.aligned for a in (x, y, z))


def test_numpy_scalars_arrive_as_arrays_without_axes():
    for scalar in (np.float64(0.1), np.float32(3), np.int64(5), np.bool_(True), np.sum(np.arange(3.0))):
        assert same(plain(scalar), np.asarray(scalar))


def test_numpy_integers_as_keys_arrive_as_integers():
    assert same(plain({np.int64(3): 1.0, np.str_("a"): 2.0}), {3: 1.0, "a": 2.0})


class Float(float):
    pass


class Dict(dict):
    pass


class Scalar(np.float64):
    pass


def cycle():
    x = []
    x.append(x)
    return x


REFUSED = {
    "object": (object(), "object"),
    "float subclass": (Float(1), "Float"),
    "dict subclass": (Dict(), "Dict"),
    "numpy scalar subclass": (Scalar(1), "Scalar"),
    "matrix": (np.eye(3).view(np.matrix), "matrix"),
    "masked array": (np.ma.masked_array([1.0]), "MaskedArray"),
    "record": (np.zeros(3, [("a", float)]), "ndarray"),
    "objects": (np.array([None]), "ndarray"),
    "text array": (np.array(["a"]), "ndarray"),
    "long double": (np.zeros(3, np.longdouble), "ndarray"),
    "time": (np.zeros(3, "M8[s]"), "ndarray"),
    "set": ({1}, "set"),
    "bytes": (b"x", "bytes"),
    "complex": (1j, "complex"),
    "function": (len, "builtin_function_or_method"),
    "float key": ({1.5: 1}, "float"),
    "bool key": ({True: 1}, "bool"),
    "long integer": (1 << wire.INT_BITS_CAP, "int"),
    "cycle": (cycle(), "list"),
    "many nodes": ([0] * wire.NODE_CAP, "int"),
    "much text": ("x" * wire.HEADER_CAP, "str"),
    "large": (np.zeros(wire.PAYLOAD_CAP + 1, bool), "ndarray"),
    "empty, but large when summed": (np.zeros((0, wire.PAYLOAD_CAP // 8 + 1)), "ndarray"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_plain_is_refused_with_its_type(name):
    value, kind = REFUSED[name]
    with pytest.raises(WireError) as refused:
        plain(value)
    assert refused.value.type_name == kind


def test_every_integer_that_travels_fits_a_float():
    assert np.isfinite(float(plain(-(1 << wire.INT_BITS_CAP) + 1)))


def test_a_refusal_names_the_place():
    with pytest.raises(WireError, match=r"value\[1\]\['W'\]\[0\]: a value of type set cannot be compared"):
        plain([0, {"W": ({1},)}])


def test_a_refused_tree_leaves_nothing_on_the_channel(ends):
    channel, other = ends
    with pytest.raises(WireError):
        channel.send([1.0, object()], 5)
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(1)


# ----------------------------------------------------------------------------------------- frames nobody else sends
def frame(header, payload=b"", magic=wire.MAGIC, id=5, header_bytes=None, payload_bytes=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    sizes = len(header) if header_bytes is None else header_bytes, len(payload)
    return struct.pack("<4sQIQ", magic, id, sizes[0], sizes[1] if payload_bytes is None else payload_bytes) + (
        header + payload
    )


FORGED = {
    "other magic": frame(1, magic=b"\x80\x04\x95\x00"),
    "giant header": frame(b"", header_bytes=wire.HEADER_CAP + 1),
    "giant payload": frame({"a": ["float64", [1 << 60]]}, payload_bytes=1 << 63),
    "no JSON": frame(b"{"),
    "no UTF-8": frame(b"\xff\xfe"),
    "very deep": frame(b"[" * 500_000 + b"]" * 500_000),
    "too deep": frame(b"[" * 20 + b"]" * 20),
    "too many": frame([0] * (wire.NODE_CAP + 1)),
    "unknown tag": frame({"x": 1}),
    "two tags": frame({"t": [], "d": []}),
    "no tag": frame({}),
    "object dtype": frame({"a": ["object", [1]]}, b"\0" * 8),
    "dtype as list": frame({"a": [["f8"], [1]]}, b"\0" * 8),
    "negative axis": frame({"a": ["int8", [-1]]}),
    "axis as float": frame({"a": ["int8", [1.0]]}, b"\0"),
    "axis as bool": frame({"a": ["int8", [True]]}, b"\0"),
    "many axes": frame({"a": ["int8", [1] * 33]}, b"\0"),
    "impossible shape": frame({"a": ["float64", [0, *[(1 << 31) - 1] * 4]]}),
    "empty, but large when summed": frame({"a": ["int8", [(1 << 31) - 1, 0]]}),
    "array larger than payload": frame({"a": ["float64", [3]]}, b"\0" * 16),
    "payload larger than array": frame({"a": ["float64", [1]]}, b"\0" * 16),
    "payload without array": frame(1, b"\0"),
    "bool of 7": frame({"a": ["bool", [3]]}, b"\0\1\7"),
    "float key": frame({"d": [[1.5, 1]]}),
    "list as key": frame({"d": [[[], 1]]}),
    "dict as object": frame({"d": {"a": 1}}),
    "pair of three": frame({"d": [["a", 1, 2]]}),
    "tuple of text": frame({"t": "abc"}),
    "seed of text": frame({"s": "abc"}),
    "helper without dict": frame({"h": ["a", 1]}),
    "handle of nothing": frame({"o": [None, "f"]}),
    "long integer": frame(1 << 1025),
    "integer of many digits": frame(b"9" * 100_000),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_frame_is_tampering(name, ends):
    channel, other = ends
    threading.Thread(target=send_quietly, args=(other, FORGED[name])).start()
    with pytest.raises(Tampered):
        channel.receive(soon())


def send_quietly(other, data):
    with contextlib.suppress(OSError):
        other.sendall(data)


def test_random_changes_of_a_frame_never_raise_anything_else():
    """A thousand mutated frames: each arrives as a tree, or is tampering, or waits for bytes that do not come."""
    rng = np.random.default_rng(4)
    honest = b"".join(wire.pack({"a": (1, [np.arange(3.0), "x"]), "h": Helper("q", {"a": Seed(3)})}, 9))
    for _ in range(1000):
        mutated = bytearray(honest)
        for at in rng.integers(0, len(honest), rng.integers(1, 4)):
            mutated[at] = rng.integers(256)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(mutated)
            with contextlib.suppress(Tampered, TimedOut):
                Channel(Descriptors(ours.fileno(), ours.fileno())).receive(time.monotonic())


def test_a_reply_with_another_id_is_tampering(ends):
    channel, other = ends
    threading.Timer(0.05, other.sendall, [frame(1, id=12345)]).start()
    with pytest.raises(Tampered, match="another request"):
        channel.ask(1, soon())


def test_a_byte_before_the_request_is_tampering(ends):
    channel, other = ends
    other.sendall(b"x")
    with pytest.raises(Tampered, match="nobody asked"):
        channel.ask(1, soon())


def test_a_frame_that_drips_is_late_at_its_deadline(ends):
    channel, other = ends
    stop = threading.Event()

    def drip():
        for byte in frame({"d": [["value", 1.0]]}) * 100:
            if stop.wait(0.02):
                return
            other.sendall(bytes([byte]))

    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(TimedOut):
        channel.receive(soon(0.2))
    stop.set()
    thread.join()


def test_a_reader_who_does_not_read_is_late_at_the_deadline(ends):
    channel, _ = ends
    with pytest.raises(TimedOut):
        channel.send(np.zeros(1 << 20), 5, soon(0.2))


def test_a_gone_partner_is_closed_when_reading_and_when_writing(ends):
    channel, other = ends
    other.close()
    with pytest.raises(Closed):
        channel.receive(soon())
    with pytest.raises(Closed):
        channel.send(1, 5, soon())


def test_half_a_frame_and_the_end_is_closed(ends):
    channel, other = ends
    other.sendall(frame(1)[:-1])
    other.close()
    with pytest.raises(Closed):
        channel.receive(soon())


def test_a_payload_that_no_array_claims_is_tampering_though_it_never_comes(ends):
    channel, other = ends
    other.sendall(frame({"a": ["float64", [1]]}, payload_bytes=wire.PAYLOAD_CAP))
    with pytest.raises(Tampered):
        channel.receive(time.monotonic() + 0.05)


def test_an_announced_payload_takes_no_memory_before_its_bytes_are_there(ends):
    channel, other = ends
    process = psutil.Process()
    other.sendall(frame({"a": ["bool", [wire.PAYLOAD_CAP // 2, 2]]}, payload_bytes=wire.PAYLOAD_CAP))
    before = process.memory_info().rss
    with pytest.raises(TimedOut) as waited:
        channel.receive(time.monotonic() + 0.05)
    assert waited.tb  # which keeps alive what was taken to wait with
    assert process.memory_info().rss - before < wire.PAYLOAD_CAP / 8


def test_a_frame_of_the_judge_is_read_alike_when_it_is_trusted():
    rng = np.random.default_rng(5)
    arrays = [rng.normal(size=(3, 4)).T, rng.random((2, 0, 5)), np.float64(3.0), rng.random(3) > 0.5, np.arange(4.0)]
    stands_for = [Seed(3), Helper("double", {"by": np.ones(2), "d": (1,)}), Handle(4, "Scaled"), Earlier(2, 1, 3)]
    tree = {"a": arrays, "b": (None, True, 2**70, float("nan"), -0.0, "\xe4"), "c": stands_for, 7: {"d": [[], (), {}]}}
    header, *buffers = packed({**tree, "n": Need(2, 0)})
    read = Frame(0, header, np.frombuffer(bytearray().join(buffers), np.uint8))
    trusted, checked = read.trusted_tree, read.tree
    assert repr(trusted) == repr(checked)
    for a, b in zip(trusted["a"], checked["a"], strict=True):
        assert (a.dtype, a.shape, a.tobytes(), a.flags.writeable) == (b.dtype, b.shape, b.tobytes(), b.flags.writeable)
