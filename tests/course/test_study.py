"""A study trains what was recorded, goes on where it was stopped, and says beside the figures what was not the same."""

import gzip
import json
import struct

import numpy as np
import pytest
from typer.testing import CliRunner

from gradschool_course import cli
from gradschool_course.study import experiments, special
from gradschool_course.study.recorded import RECORDED
from gradschool_course.study.run import Result, Study, conduct, named, results
from gradschool_course.study.session import Session
from gradschool_course.study.show import draw, headline, markdown, rows

LETTERS = {"F": 8, "T": 3, "S": 8, "R": 6, "M": 2}
IDS = [f"{letter}{i + 1}" for letter, n in LETTERS.items() for i in range(n)] + ["X-a", "X-c", "X-d", "X-e", "X-f"]


def idx(file, array):
    with gzip.open(file, "wb") as out:
        out.write(b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Folders of tiny files in the formats of MNIST and CIFAR-10; a picture's brightest rows tell its class."""
    rng, root = np.random.default_rng(5), tmp_path_factory.mktemp("images")
    for part, n in (("train", 5700), ("t10k", 310)):
        y = rng.integers(0, 10, n).astype(np.uint8)
        X = rng.integers(0, 90, (n, 28, 28)).astype(np.uint8)
        for label in range(10):
            X[y == label, 2 * label + 3 : 2 * label + 6] += 120
        (root / "mnist").mkdir(exist_ok=True)
        idx(root / "mnist" / f"{part}-images-idx3-ubyte.gz", X)
        idx(root / "mnist" / f"{part}-labels-idx1-ubyte.gz", y)
    folder = root / "cifar-10-batches-bin"
    folder.mkdir()
    for name, n in [*((f"data_batch_{i}.bin", 1100) for i in range(1, 6)), ("test_batch.bin", 110)]:
        records = rng.integers(0, 256, (n, 3073)).astype(np.uint8)
        records[:, 0] %= 10
        records.tofile(folder / name)
    return root


@pytest.fixture
def data(images, monkeypatch):
    monkeypatch.setenv("GRADSCHOOL_DATA", str(images))


def test_every_recorded_experiment_is_there_with_its_figures():
    assert set(experiments.EXPERIMENTS) == set(IDS) == set(RECORDED)
    assert special  # what is more than one training is entered, too


@pytest.mark.parametrize("name", [name for name in IDS if name not in ("F3", "F4", "F5", "F8", "R2")])
def test_an_experiment_measures_what_was_recorded(name, data, tmp_path):
    """F3 and F4 are left out as deep, F8 and R2 as repetitions of others."""
    result = conduct(Study(name, 1, str(tmp_path), images=330, epochs=1))
    assert set(RECORDED[name]) <= set(result.measures)
    assert np.isfinite(list(result.measures.values())).all()


def test_the_thousand_layers_are_those_of_the_book_digit_for_digit(tmp_path):
    found = conduct(Study("F5", 0, str(tmp_path))).measures
    assert {name: (value,) for name, value in found.items()} == RECORDED["F5"]


def test_an_interrupted_run_ends_as_one_that_was_not(data, tmp_path):
    study = Study("M2", 3, str(tmp_path / "whole"), images=400, epochs=3)
    whole = conduct(study)

    class Interrupted(Exception):
        pass

    def interrupt(which, what, done, total, words):
        if done == 2:
            raise Interrupted

    again = Study("M2", 3, str(tmp_path / "cut"), images=400, epochs=3)
    with pytest.raises(Interrupted):
        conduct(again, interrupt)
    seen = []
    second = conduct(again, lambda which, what, done, total, words: seen.append(done))
    assert second.measures == whole.measures
    assert second.curves == whole.curves
    assert max(seen) == 3
    assert seen.count(1) == 0  # the first epoch was not trained again


def test_a_finished_study_is_read_and_not_made_again(data, tmp_path):
    studies = [Study("M2", 1, str(tmp_path), images=320, epochs=1)]
    (first,) = results(studies)
    (second,) = results(studies, tell=lambda *words: pytest.fail("it was made again"))
    assert second == first
    (other,) = results([Study("M2", 1, str(tmp_path), images=330, epochs=1)])
    assert other.images == 330


def test_two_at_once_give_what_one_after_the_other_gives(data, tmp_path):
    wanted = [("M2", 1), ("M2", 2)]
    told = []
    at_once = list(
        results([Study(*pair, str(tmp_path / "two"), 320, 1) for pair in wanted], 2, lambda *w: told.append(w))
    )
    single = list(results([Study(*pair, str(tmp_path / "one"), 320, 1) for pair in wanted]))
    key = lambda result: result.seed
    for one, other in zip(sorted(at_once, key=key), single, strict=True):
        assert one.measures == pytest.approx(other.measures)
    assert {words[0] for words in told} == {"M2 seed 1", "M2 seed 2"}


def test_a_frozen_body_stays_as_it_was(data, tmp_path):
    session = Session("T3", 1, tmp_path, "fashion-mnist", images=900, epochs=1)
    experiments.EXPERIMENTS["T3"].run(session)
    a, frozen, free = (session.curves[name].params for name in ("A", "B on A, frozen", "B on A"))
    for before, after in zip(a[:-1], frozen[:-1], strict=True):
        for name in before:
            np.testing.assert_array_equal(before[name], after[name])
    assert not np.array_equal(frozen[0]["W"], free[0]["W"])


# ---------------------------------------------------------------------------------------------------------- showing
def made(seed, acc, **changes):
    curve = {"loss": [2.0, 1.0], "acc": [0.5, 0.7], "val_loss": [1.5, 1.2], "val_acc": [0.6, acc]}
    return Result("F1", seed, {"val_loss": 1.2, "val_acc": acc}, "fashion-mnist", {"training": curve}, **changes)


def test_figures_stand_beside_the_recorded_ones_with_the_spread_of_both():
    shown = rows(named("f1"), [made(1, 0.84), made(2, 0.86)])
    assert shown[1] == ("val_acc", "0.85 ± 0.014", "0.8394 ± 0.0002", "0.8396, 0.8394, 0.8392")
    assert "| val_acc | 0.85 ± 0.014 |" in markdown(named("F1"), [made(1, 0.84), made(2, 0.86)])


def test_what_is_no_comparison_is_said():
    other = Result("F1", 1, {"val_acc": 0.9}, "mnist")
    assert "on mnist in place of fashion-mnist" in headline(named("F1"), [other])
    assert "shortened to 400 images" in headline(named("F1"), [made(1, 0.84, images=400)])
    assert headline(named("F1"), [made(1, 0.84)]) == "F1  Leaky ReLU, slope 0.3"


def test_curves_are_drawn_and_what_trained_nothing_has_none(tmp_path):
    assert draw(named("F1"), [made(1, 0.84), made(2, 0.86)], tmp_path / "F1.png").stat().st_size > 10_000
    assert draw(named("F5"), [Result("F5", 0, {})], tmp_path / "F5.png") is None


# --------------------------------------------------------------------------------------------------------- the verb
def run(*words):
    return CliRunner().invoke(cli.app, ["study", *map(str, words)], env={"COLUMNS": "160"})


def test_without_a_name_all_are_listed():
    shown = run().output
    for name in IDS:
        assert f" {name} " in shown


def test_the_verb_shows_table_and_curves_and_writes_json(data, tmp_path):
    done = run(
        "f1", "--seeds", 2, "-j", 1, "--images", 320, "--epochs", 1, "--dir", tmp_path, "--json", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    for words in ("ours, 2 seeds", "0.8394 ± 0.0002", "mnist in place of fashion-mnist", "shortened to 320 images"):
        assert words in done.output
    assert [one["seed"] for one in json.loads((tmp_path / "out").read_text())] == [42, 43]
    assert (tmp_path / "F1" / "curves.png").exists()
    assert (tmp_path / "F1" / "table.md").exists()


def test_an_unknown_name_and_missing_images_are_said_in_a_sentence(tmp_path, monkeypatch):
    assert "There is no experiment 'Z9'" in run("Z9").output
    monkeypatch.setenv("GRADSCHOOL_DATA", str(tmp_path / "nowhere"))
    failed = run("M2", "--dir", tmp_path, "-j", 1)
    assert failed.exit_code == 1
    assert "GRADSCHOOL_DATA must name the folder" in " ".join(failed.output.split())
