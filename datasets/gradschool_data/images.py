"""Images that are downloaded once, with checksums, or read from a folder of yours: MNIST, Fashion-MNIST, CIFAR-10.

    data = mnist()                  # Split of X (N, 28, 28) uint8 and y (N,): 55,000, 5,000 and 10,000 images
    data = cifar10(valid=5000)      # X (N, 32, 32, 3) uint8

With `GRADSCHOOL_DATA=/my/data` the files are read from /my/data/mnist, /my/data/fashion-mnist and
/my/data/cifar-10-batches-bin, in the layouts of the public downloads, and nothing is downloaded. Files that are cut
off, of another format, or larger than they can be are refused with what was expected and what came.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np

from .needed import needed
from .splits import Split

MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
FASHION_FILES = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}
MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
FASHION_URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
CIFAR_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR_HASH = "md5:c32a1d4ab5d03f1284b67883e8d87530"
CIFAR_FOLDER = "cifar-10-batches-bin"
CIFAR_BATCHES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
RECORD = 1 + 32 * 32 * 3  # a label, then red, green and blue planes
LARGEST = 1 << 30  # bytes that a file may unpack to


class DataError(ValueError):
    """A data file that is missing or not what it should be; nothing was changed."""


# --------------------------------------------------------------------------------------------------------- public
def mnist(valid: int = 5000) -> Split:
    """Handwritten digits (LeCun et al., 1998): X (N, 28, 28) uint8, y (N,). `valid` images are the first of train."""
    return from_idx("mnist", MNIST_URL, MNIST_FILES, valid)


def fashion_mnist(valid: int = 5000) -> Split:
    """Pieces of clothing in MNIST's format (Xiao et al., 2017)."""
    return from_idx("fashion-mnist", FASHION_URL, FASHION_FILES, valid)


def cifar10(valid: int = 5000) -> Split:
    """Small colour photographs of ten kinds (Krizhevsky, 2009): X (N, 32, 32, 3) uint8, y (N,)."""
    folder = own_folder(CIFAR_FOLDER) or download_cifar()
    batches = [read_cifar(folder / name) for name in CIFAR_BATCHES]
    X, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    return hold_out(X, y, valid, read_cifar(folder / "test_batch.bin"))


# -------------------------------------------------------------------------------------------------------- formats
def read_idx(path: Path) -> np.ndarray:
    """An array from a file in IDX format, gzipped or not: magic 0 0 8 d, then d sizes, then bytes."""
    data = content(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != 8 or not 1 <= data[3] <= 3:
        raise DataError(f"{path}: expected an IDX file of unsigned bytes (it begins 0 0 8), got {data[:4].hex(' ')!r}")
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise DataError(f"{path}: the file ends within its header; download it again")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if math.prod(shape) != len(data) - start:
        raise DataError(f"{path}: the header says {shape}, but {len(data) - start} bytes follow; download it again")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_cifar(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 32, 32, 3) and labels from a file of CIFAR-10's binary version."""
    data = np.frombuffer(content(path), np.uint8)
    if not data.size or data.size % RECORD:
        raise DataError(f"{path}: expected records of {RECORD} bytes, got {data.size} bytes in all")
    records = data.reshape(-1, RECORD)
    if records[:, 0].max() > 9:
        raise DataError(f"{path}: expected labels 0 to 9, got {records[:, 0].max()}; is it CIFAR-100?")
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy(), records[:, 0].astype(int)


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzipped, and no more than there can be."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if packed else file).read(LARGEST + 1)
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there; GRADSCHOOL_DATA must name the folder that holds it") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the file is damaged or cut off ({error}); download it again") from error
    if len(data) > LARGEST:
        raise DataError(f"{path}: unpacks to more than {LARGEST >> 20} MiB; that is no file of this data set")
    return data


# ---------------------------------------------------------------------------------------------- where the files are
def own_folder(name: str) -> Path | None:
    """The folder of that name in the one that GRADSCHOOL_DATA names, or that folder itself if it has the name."""
    root = os.environ.get("GRADSCHOOL_DATA")
    if not root:
        return None
    folder = Path(root).expanduser()
    return folder if folder.name == name else folder / name


def fetch(url: str, known_hash: str, folder: str, name: str) -> Path:
    """Download a file once, with a progress bar and its checksum."""
    pooch = needed("pooch", "pooch", folder)
    place = pooch.os_cache("gradschool") / folder
    return Path(pooch.retrieve(url, known_hash, fname=name, path=place, progressbar=True))


def from_idx(name: str, url: str, files: dict[str, str], valid: int) -> Split:
    folder = own_folder(name)
    arrays = []
    for file, known in files.items():
        path = fetch(url + file, known, name, file) if folder is None else either(folder / file)
        arrays.append(read_idx(path))
    X, y, X_test, y_test = arrays
    for images, labels in ((X, y), (X_test, y_test)):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise DataError(f"{name}: expected images (N, 28, 28) and labels (N,), got {images.shape}, {labels.shape}")
    return hold_out(X, y.astype(int), valid, (X_test, y_test.astype(int)))


def either(path: Path) -> Path:
    """The gzipped file, or the one that was unpacked already."""
    return path if path.exists() or not path.with_suffix("").exists() else path.with_suffix("")


def download_cifar() -> Path:
    archive = fetch(CIFAR_URL, CIFAR_HASH, "cifar10", "cifar-10-binary.tar.gz")
    folder = archive.parent / CIFAR_FOLDER
    if not all((folder / name).exists() for name in (*CIFAR_BATCHES, "test_batch.bin")):
        with tarfile.open(archive) as tar:
            tar.extractall(archive.parent, filter="data")
    return folder


def hold_out(X: np.ndarray, y: np.ndarray, valid: int, test: tuple[np.ndarray, np.ndarray]) -> Split:
    """The first `valid` images to choose by, as in the recorded experiments; the others to learn from."""
    if not 0 <= valid < len(X):
        raise ValueError(f"valid: expected fewer than the {len(X)} images there are, got {valid}")
    return Split((X[valid:], y[valid:]), (X[:valid], y[:valid]), test)
