"""Every example is short, runs as it stands, and its network has learnt what it says."""

import re
import runpy
from pathlib import Path

import pytest

import gradschool_course.examples as examples

FILES = sorted(Path(examples.__file__).parent.glob("[a-z]*.py"))
REACHED = {  # what each prints, and the worst that still is what the script claims; seeds and processors differ
    "attention": {"accuracy on new sequences": (0.95, 1.0)},
    "digits_batch_norm": {
        "validation accuracy after the first epoch": (0.85, 1.0), "accuracy on the test digits": (0.96, 1.0)
    },
    "digits_one_cycle": {"accuracy on the test digits": (0.95, 1.0)},
    "gan": {"points near a cluster": (0.6, 1.0), "clusters with points": (6, 8)},
    "lbfgs_regression": {
        "loss after 150 steps of Adam": (0.01, 0.2), "loss after 150 steps of L-BFGS": (0.0, 0.005),
        "root mean square error on new points": (0.0, 0.2),
    },
    "lstm_classifier": {"accuracy on new waves": (0.9, 1.0)},
    "neural_ode": {"mean distance from the spiral over two turns": (0.0, 0.1)},
    "twin_network": {"new pairs told apart": (0.8, 1.0)},
}  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_learns_what_it_says(file, capsys):
    runpy.run_path(str(file), run_name="__main__")
    printed = dict(re.findall(r"^(.+): ([\d.]+)$", capsys.readouterr().out, re.MULTILINE))
    assert set(printed) == set(REACHED[file.stem])
    for name, (low, high) in REACHED[file.stem].items():
        assert low <= float(printed[name]) <= high, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_has_thirty_lines_or_fewer_and_says_what_it_prints(file):
    text = file.read_text(encoding="utf-8")
    assert sum(bool(line.strip()) for line in text.split("\n")) <= 30
    assert len(re.findall(r"^print\(.*\)  # [\d.]+$", text, re.MULTILINE)) == len(REACHED[file.stem])
