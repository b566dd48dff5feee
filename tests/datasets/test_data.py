"""Data are what they say: seeded, split without overlap, in the stated shapes; a damaged file is refused by name."""

from __future__ import annotations

import gzip
import struct
import sys

import numpy as np
import pytest

import gradschool_data as data
from gradschool_data import images

GENERATORS = {
    "blobs": (lambda n, rng: data.blobs(n, rng, classes=5, features=3), (3,), 5),
    "moons": (data.moons, (2,), 2),
    "spirals": (lambda n, rng: data.spirals(n, rng, classes=4), (2,), 4),
    "xor": (data.xor, (2,), 2),
    "glyphs": (data.glyphs, (28, 28), 10),
}


def rng(seed=0):
    return np.random.default_rng(seed)


# ------------------------------------------------------------------------------------------------------- generated
@pytest.mark.parametrize("name", GENERATORS)
def test_a_seed_gives_the_same_data_and_another_seed_others(name):
    make, shape, classes = GENERATORS[name]
    (X, y), (again, same), (other, _) = make(70, rng(1)), make(70, rng(1)), make(70, rng(2))
    assert X.shape == (70, *shape)
    assert set(np.unique(y)) <= set(range(classes))
    assert len(np.unique(y)) == classes
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, same)
    assert not np.array_equal(X, other)


def test_xor_is_what_no_line_separates():
    X, y = data.xor(500, rng())
    np.testing.assert_array_equal(y, (np.sign(X[:, 0]) != np.sign(X[:, 1])).astype(int))


def test_outliers_are_the_stated_share_and_the_line_is_the_stated_one():
    x, y = data.line_with_outliers(400, rng(), outliers=0.1)
    gap = y - (2 * x + 1)
    assert (gap < -5).sum() == 40
    assert abs(np.median(gap)) < 0.2


def test_housing_is_skewed_and_capped():
    X, y = data.housing(4000, rng())
    assert X.shape == (4000, 8)
    assert y.max() == 5.0
    assert 0.005 < (y == 5.0).mean() < 0.2
    assert y.min() >= 0.15
    assert np.mean(y) > np.median(y)


def test_glyphs_fill_their_frame_and_differ_by_class():
    X, y = data.glyphs(300, rng(), noise=0.0, shift=0)
    assert X.dtype == np.float32
    assert X.min() == 0
    assert X.max() == 1
    rows, _ = np.nonzero(X.max(axis=0))
    assert rows.min() >= 2
    assert rows.max() <= 25
    means = np.stack([X[y == k].mean(axis=0) for k in range(10)])
    gaps = np.abs(means[:, None] - means[None]).sum(axis=(2, 3))
    assert gaps[~np.eye(10, dtype=bool)].min() > 10


def test_a_moved_glyph_keeps_its_ink():
    X, _ = data.glyphs(5, rng(), noise=0.0, shift=0)
    np.testing.assert_allclose(data.glyphs.__globals__["moved"](X[0], 2, -3).sum(), X[0].sum())
    assert data.glyphs(0, rng())[0].shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("module", "package", "who", "load"),
    [
        ("sklearn.datasets", "scikit-learn", "digits", lambda: data.digits()),
        ("matplotlib", "matplotlib", "glyphs", lambda: data.glyphs(3, rng())),
        ("pooch", "pooch", "mnist", lambda: data.mnist()),
    ],
)
def test_a_package_that_is_missing_is_named_with_how_to_install_it(monkeypatch, module, package, who, load):
    monkeypatch.delenv("GRADSCHOOL_DATA", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"{who} needs {package}: pip install {package}"):
        load()


# ------------------------------------------------------------------------------------------------------------ real
@pytest.mark.parametrize(
    ("name", "n", "features", "classes"),
    [("digits", 1797, 64, 10), ("iris", 150, 4, 3), ("wine", 178, 13, 3), ("breast_cancer", 569, 30, 2)],
)
def test_real_sets_have_their_known_sizes(name, n, features, classes):
    parts = getattr(data, name)(seed=3)
    assert sum(len(X) for X, _ in parts) == n
    assert {X.shape[1] for X, _ in parts} == {features}
    assert set(np.concatenate([y for _, y in parts])) == set(range(classes))


def test_diabetes_has_numbers_for_targets():
    _, y = data.diabetes().train
    assert y.min() >= 25
    assert y.max() <= 346


def test_digits_come_as_pixels_or_images_in_0_1():
    flat, image = data.digits(seed=1).train[0], data.digits(seed=1, images=True).train[0]
    assert image.shape[1:] == (8, 8, 1)
    np.testing.assert_array_equal(flat, image.reshape(len(image), 64))
    assert flat.max() == 1.0


# ----------------------------------------------------------------------------------------------------------- splits
def test_parts_share_no_observation_and_lose_none():
    X, y = np.arange(101)[:, None] * 1.0, np.arange(101)
    parts = data.split(X, y, 0.2, 0.1, rng())
    seen = np.concatenate([part for _, part in parts])
    assert sorted(seen) == list(range(101))
    assert [len(part) for _, part in parts] == [71, 20, 10]
    for A, b in parts:
        np.testing.assert_array_equal(A[:, 0], b)


@pytest.mark.parametrize(("valid", "test"), [(0.5, 0.5), (-0.5, 0.1), (1.2, 0.0)])
def test_a_split_that_leaves_nothing_is_refused(valid, test):
    with pytest.raises(ValueError, match="leave nothing to learn from"):
        data.split(np.zeros((10, 3)), np.zeros(10), valid, test, rng())


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="got 9 for 10"):
        data.split(np.zeros((10, 3)), np.zeros(9), 0.1, 0.1, rng())


def test_every_part_is_standardized_by_the_training_part_alone():
    X, y = rng().normal(3, 5, size=(90, 4)), np.zeros(90)
    X[:, 2] = 7.0
    raw = data.split(X, y, 0.2, 0.2, rng(1))
    parts = data.standardized(raw)
    np.testing.assert_allclose(parts.train[0].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(parts.train[0].std(axis=0), [1, 1, 0, 1])
    mean, deviation = raw.train[0].mean(axis=0), raw.train[0].std(axis=0)
    np.testing.assert_allclose(parts.test[0][:, 0], (raw.test[0][:, 0] - mean[0]) / deviation[0])


# ----------------------------------------------------------------------------------------------------------- images
def idx(array, packed=True):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    text = header + array.astype(np.uint8).tobytes()
    return gzip.compress(text) if packed else text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADSCHOOL_DATA", str(tmp_path))
    return tmp_path


def write_mnist(folder, name="mnist", packed=True):
    place = folder / name
    place.mkdir()
    made = {
        "train-images-idx3-ubyte": rng(1).integers(256, size=(13, 28, 28)),
        "train-labels-idx1-ubyte": rng(2).integers(10, size=13),
        "t10k-images-idx3-ubyte": rng(3).integers(256, size=(7, 28, 28)),
        "t10k-labels-idx1-ubyte": rng(4).integers(10, size=7),
    }
    for file, array in made.items():
        (place / (file + ".gz" if packed else file)).write_bytes(idx(array, packed))
    return list(made.values())


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("load", "name"), [(data.mnist, "mnist"), (data.fashion_mnist, "fashion-mnist")])
def test_idx_files_are_read_as_they_were_written(folder, load, name, packed):
    X, y, X_test, y_test = write_mnist(folder, name, packed)
    parts = load(valid=4)
    np.testing.assert_array_equal(parts.valid[0], X[:4])
    np.testing.assert_array_equal(parts.train[1], y[4:])
    np.testing.assert_array_equal(parts.test[0], X_test)
    np.testing.assert_array_equal(parts.test[1], y_test)
    assert parts.train[0].dtype == np.uint8


def test_the_folder_itself_may_be_named(folder, monkeypatch):
    write_mnist(folder)
    monkeypatch.setenv("GRADSCHOOL_DATA", str(folder / "mnist"))
    assert len(data.mnist(valid=3).train[0]) == 10


def test_cifar_planes_become_channels(folder):
    place = folder / images.CIFAR_FOLDER
    place.mkdir()
    for i, name in enumerate([*images.CIFAR_BATCHES, "test_batch.bin"]):
        records = rng(i).integers(256, size=(3, images.RECORD)).astype(np.uint8)
        records[:, 0] = [0, 9, 4]
        records.tofile(place / name)
    parts = data.cifar10(valid=5)
    assert parts.train[0].shape == (10, 32, 32, 3)
    np.testing.assert_array_equal(parts.test[1], [0, 9, 4])
    np.testing.assert_array_equal(parts.test[0][0, 0, 1], records[0, [2, 2 + 1024, 2 + 2048]])


DAMAGED = {
    "cut off within gzip": (lambda text: text[: len(text) // 2], "damaged or cut off"),
    "cut off within the data": (lambda text: gzip.compress(gzip.decompress(text)[:-9]), "bytes follow"),
    "cut off within the header": (lambda text: gzip.compress(gzip.decompress(text)[:7]), "within its header"),
    "another format": (lambda text: b"\x89PNG\r\n", "expected an IDX file"),
    "empty": (lambda text: b"", "expected an IDX file"),
    "too many dimensions": (lambda text: gzip.compress(b"\0\0\x08\x09" + bytes(99)), "expected an IDX file"),
    "not really gzip": (lambda text: b"\x1f\x8b" + bytes(40), "damaged or cut off"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_refused_by_name(folder, case):
    write_mnist(folder)
    damage, words = DAMAGED[case]
    file = folder / "mnist" / "train-images-idx3-ubyte.gz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(data.DataError, match=words) as caught:
        data.mnist(valid=2)
    assert file.name in str(caught.value)


def test_a_file_that_unpacks_to_too_much_is_refused(folder, monkeypatch):
    write_mnist(folder)
    monkeypatch.setattr(images, "LARGEST", 1000)
    with pytest.raises(data.DataError, match="unpacks to more than"):
        data.mnist(valid=2)


def test_a_missing_file_says_where_it_was_looked_for(folder):
    with pytest.raises(data.DataError, match="GRADSCHOOL_DATA"):
        data.mnist()


def test_labels_that_do_not_fit_the_images_are_refused(folder):
    write_mnist(folder)
    (folder / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(idx(np.zeros(5)))
    with pytest.raises(data.DataError, match="labels"):
        data.mnist(valid=2)


def test_cifar_files_of_other_sizes_or_labels_are_refused(folder):
    place = folder / images.CIFAR_FOLDER
    place.mkdir()
    (place / "data_batch_1.bin").write_bytes(bytes(100))
    with pytest.raises(data.DataError, match="records of 3073"):
        data.cifar10()
    (place / "data_batch_1.bin").write_bytes(bytes([77]) + bytes(images.RECORD - 1))
    with pytest.raises(data.DataError, match="CIFAR-100"):
        data.cifar10()


def test_a_download_has_its_checksum_and_a_place_of_its_own(monkeypatch, tmp_path):
    monkeypatch.delenv("GRADSCHOOL_DATA", raising=False)
    made = dict(zip(images.MNIST_FILES, write_mnist(tmp_path), strict=True))
    asked = []

    def retrieve(url, known_hash, fname, path, progressbar):
        asked.append((url, known_hash))
        assert progressbar
        (tmp_path / fname).write_bytes(idx(made[fname]))
        return str(tmp_path / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    assert len(data.mnist(valid=1).train[0]) == 12
    assert asked == [(images.MNIST_URL + name, known) for name, known in images.MNIST_FILES.items()]


def test_valid_must_leave_something(folder):
    write_mnist(folder)
    with pytest.raises(ValueError, match="fewer than the 13"):
        data.mnist(valid=13)
