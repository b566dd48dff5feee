"""Property: what is loaded is what was saved, to the last bit and type; from any other file nothing is."""

import json
import os
import sys
import zipfile
from collections import namedtuple

import numpy as np
import pytest

import gradschool as gs
from gradschool.saving import Saved, load, save
from gradschool.trees import tree_leaves, tree_paths

BOTH = pytest.mark.parametrize("name", ["best.npz", "best.safetensors"])


def random_params(seed=0, dtype=np.float32):
    net = gs.sequential(gs.layers.dense(7), gs.layers.batchnorm(), gs.layers.lstm(3))
    params, state, _ = net.init(np.random.default_rng(seed), (11, 5), dtype)
    return params, state


def same(found, expected):
    assert tree_paths(found) == tree_paths(expected)
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        assert type(a) is type(b)
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
        np.testing.assert_array_equal(a, b)


@BOTH
def test_a_round_trip_gives_back_every_bit(tmp_path, name):
    params, state = random_params()
    memory = gs.init_state("adam", params)
    save(tmp_path / name, params, state=state, optimizer=memory, epoch=7)
    found = load(tmp_path / name)
    assert isinstance(found, Saved)
    same(found, Saved(params, state, memory, {"epoch": 7}))


@BOTH
def test_every_type_of_leaf_and_container_comes_back(tmp_path, name):
    rng = np.random.default_rng(1)
    tree = {
        "arrays": [rng.normal(size=(3, 4)).astype(kind) for kind in ("f2", "f4", "f8", "i1", "u2", "i8", "?")],
        "empty": np.zeros((0, 5)), "point": np.array(3.5), "number": np.float32(2.5), "transposed": np.ones((3, 5)).T,
        "big endian": np.arange(3.0).astype(">f8"),
        "fortran": np.asfortranarray(rng.normal(size=(3, 5))),
        "python": (1, -(2**200), 0.1, float("inf"), True, None, "Grüße\n", "", ("x",), [], {}),
        3: {"W": np.ones(2)}, "3": {"W": np.zeros(2)}, "a": {"b": np.ones(1)}, "a.b": np.zeros(1),
    }  # fmt: skip
    save(tmp_path / name, tree)
    found = load(tmp_path / name).params
    tree["big endian"] = tree["big endian"].astype(float)
    same(found, tree)
    assert isinstance(found["python"], tuple)
    assert np.isnan(saved_and_loaded(tmp_path / name, [float("nan")])[0])


def saved_and_loaded(file, tree, **options):
    save(file, tree)
    return load(file, **options).params


def test_complex_numbers_need_npz(tmp_path):
    tree = {"z": np.array([1 + 2j])}
    same(saved_and_loaded(tmp_path / "a.npz", tree), tree)
    with pytest.raises(TypeError, match=r"params.z holds complex128, which safetensors does not have; save as .npz"):
        save(tmp_path / "a.safetensors", tree)


@BOTH
def test_flat_trees_come_back_flat_and_training_goes_on_as_if_nothing_had_happened(tmp_path, name):
    params, _ = random_params()
    rng, adam = np.random.default_rng(2), gs.in_place(gs.optimizer("adam"))
    weights = gs.contiguous(params)
    memory = adam.init(weights)

    def steps(weights, memory, rng, n):
        for _ in range(n):
            weights, memory = adam.update(weights, weights.view(rng.normal(size=weights.vector.shape)), memory, 0.1)
        return weights, memory

    weights, memory = steps(weights, memory, rng, 3)
    save(tmp_path / name, weights, optimizer=memory, rng=rng.bit_generator.state)
    expected, _ = steps(weights, memory, rng, 3)
    found = load(tmp_path / name, like=gs.contiguous(params))
    again = np.random.default_rng()
    again.bit_generator.state = found.extra["rng"]
    resumed, _ = steps(found.params, found.optimizer, again, 3)
    np.testing.assert_array_equal(resumed.vector, expected.vector)
    assert found.params.vector.dtype == np.float32


def test_like_gives_its_own_containers(tmp_path):
    Pair = namedtuple("Pair", "W b")
    own = Pair(np.ones((2, 3)), {"z": np.zeros(4), "a": np.ones(5)})
    save(tmp_path / "a.npz", Pair(own.W, dict(reversed(own.b.items()))))
    found = load(tmp_path / "a.npz", like=own).params
    assert (type(found), list(found.b)) == (Pair, ["z", "a"])
    assert isinstance(load(tmp_path / "a.npz", like=gs.contiguous(own)).params, gs.FlatTree)
    save(tmp_path / "a.npz", gs.contiguous(own))
    assert type(load(tmp_path / "a.npz", like=own).params) is Pair


@BOTH
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:2], r"params of .* is for another model; trees differ at \[2\]: what is expected has nothing"),
        (lambda p: [{"V": p[0]["W"]}, *p[1:]], r"trees differ at \[0\].V"),
        (lambda p: [{**p[0], "W": np.ones((5, 8), "f4")}, *p[1:]], r"at \[0\].W it has float32 \(5, 7\), .* \(5, 8\)"),
        (lambda p: gs.tree_map(lambda leaf: leaf.astype(float), p), r"at \[0\].W it has float32 .*, expected float64"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_with_the_place(tmp_path, name, change, message):
    params, state = random_params()
    save(tmp_path / name, params, state=state)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / name, like=change(params))
    with pytest.raises(ValueError, match=r"state of .* is for another model"):
        load(tmp_path / name, like=Saved(None, [{}, {"mean": 0.0}, {}]))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"W": np.array([None, "x"])}, "params.W holds object"),
        ({"W": np.array(["x"])}, "params.W holds <U1"),
        ([{"f": print}], r"params\[0\].f is of type builtin_function_or_method, which a checkpoint cannot hold"),
        ({(1, 2): 3}, r"params has the key \(1, 2\)"),
        ({"W": {1, 2}}, "params.W is of type set"),
    ],
)
@BOTH
def test_what_a_checkpoint_cannot_hold_is_refused_and_the_old_file_stays(tmp_path, name, tree, message):
    save(tmp_path / name, {"old": np.ones(3)})
    with pytest.raises(TypeError, match=message):
        save(tmp_path / name, tree)
    same(load(tmp_path / name).params, {"old": np.ones(3)})
    assert os.listdir(tmp_path) == [name]


@BOTH
def test_a_write_that_fails_on_the_way_leaves_the_old_file_and_no_other(tmp_path, name, monkeypatch):
    save(tmp_path / name, {"old": np.ones(3)})

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path / name, {"new": np.ones(3)})
    same(load(tmp_path / name).params, {"old": np.ones(3)})
    assert os.listdir(tmp_path) == [name]


# ---------------------------------------------------------------------------------------------------- files gone wrong
@BOTH
def test_a_file_cut_anywhere_is_refused_in_one_way(tmp_path, name):
    save(tmp_path / name, *random_params()[:1], epoch=7)
    whole = (tmp_path / name).read_bytes()
    for n in {0, 1, 4, 8, len(whole) // 3, len(whole) // 2, len(whole) - 22, len(whole) - 1}:
        (tmp_path / name).write_bytes(whole[:n])
        with pytest.raises(ValueError, match="is no checkpoint of gradschool, or was damaged or cut short"):
            load(tmp_path / name)


@BOTH
def test_damaged_bytes_are_refused_or_harmless(tmp_path, name):
    """All that is in a file has a checksum, so damage is found, or was where nobody looks."""
    params, _ = random_params()
    file = tmp_path / name
    save(file, params, epoch=7)
    whole, rng = file.read_bytes(), np.random.default_rng(3)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] ^= int(rng.integers(1, 256))
        file.write_bytes(bytes(damaged))
        try:
            found = load(file)
        except ValueError as error:
            assert str(error).startswith("load: ")  # noqa: PT017  (either is right)
        else:
            same(found, Saved(params, extra={"epoch": 7}))


def test_every_number_of_safetensors_is_under_its_checksum_and_older_files_have_none(tmp_path):
    file, tree = tmp_path / "a.safetensors", {"W": np.arange(5.0), "none": np.zeros((0, 3)), "point": np.array(2.0)}
    save(file, tree, epoch=7)
    whole = file.read_bytes()
    for place in range(len(whole) - 48, len(whole)):  # of six numbers
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="its text and numbers are not those that it was written with"):
            load(file)
    file.write_bytes(whole.replace(b"crc32", b"older"))
    same(load(file), Saved(tree, extra={"epoch": 7}))


@BOTH
@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x04K\x07.", b"\x93NUMPY", b"\0" * 100])
def test_foreign_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="is no checkpoint of gradschool"):
        load(tmp_path / name)


def test_archives_of_others_are_refused_and_no_object_is_made_of_them(tmp_path):
    ran = []

    class Hostile:
        def __reduce__(self):
            return ran.append, (1,)

    file = tmp_path / "a.npz"
    np.savez(file, W=np.ones(3))
    with pytest.raises(ValueError, match=r"it holds W, but no 'gradschool', as `save` writes it; .* try np\.load"):
        load(file)
    np.savez(file, gradschool=np.frombuffer(b"{}", np.uint8), W=np.array([Hostile()], dtype=object))
    with pytest.raises(ValueError, match="does not hold the numbers of object"):
        load(file)
    assert ran == []
    from safetensors.numpy import save_file

    save_file({"W": np.ones(3)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"it holds W, but no 'gradschool'"):
        load(tmp_path / "a.safetensors")


def with_text(file, change):
    """The same archive with another text."""
    with np.load(file) as content:
        arrays = dict(content)
    saved = json.loads(arrays["gradschool"].tobytes())
    text = change(saved)
    arrays["gradschool"] = np.frombuffer((text if isinstance(text, str) else json.dumps(text)).encode(), np.uint8)
    np.savez(file, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda saved: "{", "is no checkpoint"),
        (lambda saved: "[" * 100_000, "is no checkpoint"),
        (lambda saved: "7", "is no checkpoint"),
        (lambda saved: saved["content"].pop("params"), "is no checkpoint"),
        (lambda saved: saved["content"].update(params={"dict": [["W", {"array": "params.V"}]]}), "params.V is missing"),
        (lambda saved: saved["content"].update(params={"eval": "1"}), "'eval' is no kind of tree"),
        (lambda saved: saved["content"].update(params={"dict": 7}), "is no checkpoint"),
        (lambda saved: saved["content"].update(params={"int": "x"}), "is no checkpoint"),
        (lambda saved: saved["content"]["params"]["dict"][0][1].update(shape=[4, 3]), r"\(3, 4\), but was saved as .*"),
        (lambda saved: saved["content"]["params"]["dict"][0][1].update(dtype="float32"), "is float64 .* float32"),
        (lambda saved: saved.update(version=2), "a checkpoint of version 2, this is 1; update gradschool"),
    ],
)
def test_a_structure_that_is_none_is_refused(tmp_path, change, message):
    save(tmp_path / "a.npz", {"W": np.ones((3, 4))})

    def changed(saved):
        found = change(saved)
        return found if isinstance(found, str) else saved

    with_text(tmp_path / "a.npz", changed)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "a.npz")


@BOTH
def test_a_file_with_more_in_it_than_allowed_is_refused_before_memory_is_taken(tmp_path, name):
    save(tmp_path / name, {"W": np.ones(1000)})
    with pytest.raises(ValueError, match=r"bytes, more than max_bytes=5,000; if you trust it"):
        load(tmp_path / name, max_bytes=5000)


def test_a_small_file_cannot_ask_for_much_memory(tmp_path):
    file = tmp_path / "a.npz"
    save(file, {"W": np.ones(3)})
    with zipfile.ZipFile(file) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    entries["params.W.npy"] = entries["params.W.npy"].replace(b"(3,), }      ", b"(3000000000,)}", 1)
    assert b"3000000000" in entries["params.W.npy"]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
    with pytest.raises(ValueError, match="does not hold the numbers of float64"):
        load(file)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("params.W.npy", b"\0" * 10**7)  # ten thousand times smaller on the disk
    with pytest.raises(ValueError, match="holds 10,000,000 bytes, more than max_bytes"):
        load(file, max_bytes=10**6)


def test_a_missing_file_and_a_missing_package_are_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*runs to put a\.npz in; make it first"):
        save(tmp_path / "runs" / "a.npz", {})
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for action in (lambda: save(tmp_path / "a.safetensors", {}), lambda: load(tmp_path / "a.safetensors")):
        with pytest.raises(ImportError, match=r"pip install 'gradschool\[files\]'"):
            action()
    assert os.listdir(tmp_path) == []
