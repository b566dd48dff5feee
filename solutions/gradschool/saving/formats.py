"""Two kinds of file for named arrays and a text: NumPy's npz, and safetensors where the name ends so.

write("best.npz", arrays, text)                         # there completely, or not at all
text, arrays = read("best.npz", max_bytes=2**33)

Neither can hold code. npz has a checksum for every array; safetensors has none, so one of text and arrays stands in its
metadata (files without it, as older ones are, are read as they are). What is read is checked before memory is taken for
it: a file of a few bytes may claim to hold an array of any size.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

TEXT = "gradschool"  # the name under which a file keeps the text
CHECKSUM = "crc32"
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write(file: Path, arrays: Mapping[str, np.ndarray], text: str) -> None:
    """Write beside the file first, then put it in its place: what was there stays until all of the new is on disk."""
    check_folder("save", file)
    content = packed_safetensors(arrays, text) if is_safetensors(file) else packed_npz(arrays, text)
    beside = file.with_name(f".{file.name}.{os.urandom(8).hex()}")
    try:
        with open(beside, "xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)


def check_folder(who: str, file: Path) -> None:
    if not file.parent.is_dir():
        raise FileNotFoundError(f"{who}: there is no folder {file.parent} to put {file.name} in; make it first")


def read(file: Path, max_bytes: int) -> tuple[str, dict[str, np.ndarray]]:
    """(text, arrays)

    Raises FileNotFoundError, ImportError for a missing safetensors, and ValueError for everything that is no such
    file: with another content, cut short, damaged, or with more than `max_bytes` in it.
    """
    return (read_safetensors if is_safetensors(file) else read_npz)(file, max_bytes)


def is_safetensors(file: Path) -> bool:
    return file.suffix == ".safetensors"


def unreadable(file: Path, why: Any) -> ValueError:
    return ValueError(f"load: {file} is no checkpoint of gradschool, or was damaged or cut short: {why}")


def check_own(names: Iterable[str], arrays: Iterable[str]) -> None:
    """Whether a file that can be read is one of ours: there is a text among these names."""
    if TEXT not in names:
        held = ", ".join(list(arrays)[:3]) or "nothing"
        raise ValueError(f"it holds {held}, but no {TEXT!r}, as `save` writes it; for arrays alone try np.load")


def check_size(file: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ValueError(
            f"load: {file} holds {size:,} bytes, more than max_bytes={max_bytes:,}; "
            "if you trust it that far, load(..., max_bytes=...)"
        )


# ---------------------------------------------------------------------------------------------------------------- npz
def packed_npz(arrays: Mapping[str, np.ndarray], text: str) -> memoryview:
    members: dict[str, Any] = {**arrays, TEXT: np.frombuffer(text.encode(), np.uint8)}
    stream = io.BytesIO()
    np.savez(stream, **members)
    return stream.getbuffer()


def read_npz(file: Path, max_bytes: int) -> tuple[str, dict[str, np.ndarray]]:
    import zipfile  # here, since `import gradschool` should be quick

    with open(file, "rb") as stream:
        try:
            archive = zipfile.ZipFile(stream)
        except Exception as error:  # a damaged file makes its reader raise anything
            raise unreadable(file, error) from error
        check_size(file, sum(member.file_size for member in archive.infolist()), max_bytes)
        try:
            arrays = {member.filename.removesuffix(".npy"): entry(archive, member) for member in archive.infolist()}
            check_own(arrays, arrays)
            return arrays.pop(TEXT).tobytes().decode(), arrays
        except Exception as error:
            raise unreadable(file, error) from error


def entry(archive: ZipFile, member: ZipInfo) -> np.ndarray:
    """An array of the archive, once its header is known to ask for just the bytes that are there."""
    content = io.BytesIO(archive.read(member))
    version = np.lib.format.read_magic(content)
    if version not in HEADERS:
        raise ValueError(f"{member.filename} is of npy version {version}")
    shape, _, dtype = HEADERS[version](content)
    numbers = 1
    for n in shape:
        numbers *= int(n)
    if dtype.hasobject or numbers * dtype.itemsize != member.file_size - content.tell():
        raise ValueError(f"{member.filename} does not hold the numbers of {dtype} {shape}")
    content.seek(0)
    return np.lib.format.read_array(content, allow_pickle=False)


# -------------------------------------------------------------------------------------------------------- safetensors
def safetensors_module() -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "files that end in .safetensors need the package: pip install 'gradschool[files]'; .npz needs nothing"
        ) from error
    return safetensors


def packed_safetensors(arrays: Mapping[str, np.ndarray], text: str) -> bytes:
    module = safetensors_module()
    for name, array in arrays.items():
        if array.dtype.kind == "c" or array.dtype.itemsize > 8:
            raise TypeError(f"save: {name} holds {array.dtype}, which safetensors does not have; save as .npz")
    # it would write the memory of an array in another order as if it lay row by row
    ordered = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    save: Callable[..., bytes] = module.numpy.save
    return save(ordered, {TEXT: text, CHECKSUM: checksum(text, ordered)})


def checksum(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Of the text and of all arrays, which lie row by row."""
    import zlib

    crc = zlib.crc32(text.encode())
    for name in sorted(arrays):
        crc = zlib.crc32(arrays[name].reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"


def read_safetensors(file: Path, max_bytes: int) -> tuple[str, dict[str, np.ndarray]]:
    module = safetensors_module()
    check_size(file, file.stat().st_size, max_bytes)
    try:
        with module.safe_open(file, framework="numpy") as content:
            metadata, names = content.metadata() or {}, list(content.keys())
            check_own(metadata, names)
            arrays = {name: content.get_tensor(name) for name in names}
        if metadata.get(CHECKSUM, found := checksum(metadata[TEXT], arrays)) != found:
            raise ValueError("its text and numbers are not those that it was written with")
        return metadata[TEXT], arrays
    except Exception as error:
        raise unreadable(file, error) from error
