"""Property: beside a notebook nothing is read through a link, and nothing is left that a browser would run."""

import os

import pytest

pytest.importorskip("nbgrader")

from gradschool_grader.teach.folder import before_autograde, disarm, tidy

POSIX = ["posix"] if os.name == "posix" else []


@pytest.fixture
def place(tmp_path):
    """A submission beside a secret."""
    (tmp_path / "secret.txt").write_text("nobody's business")
    made = tmp_path / "ada"
    (made / "data").mkdir(parents=True)
    (made / "ch.ipynb").write_text("{}")
    (made / "data" / "good.csv").write_text("1,2\n")
    return made


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


@pytest.mark.parametrize("_", POSIX)
def test_links_and_pipes_go_and_files_stay(place, _):
    (place / "notes.txt").symlink_to(place.parent / "secret.txt")
    (place / "data" / "zeros").symlink_to("/dev/zero")
    (place / "all").symlink_to(place.parent)
    (place / "gone").symlink_to("nowhere")
    os.mkfifo(place / "data" / "pipe")
    before_autograde([str(place / "ch.ipynb")], assignment="ch", student="*")
    assert names(place) == {"ch.ipynb", "data/good.csv"}
    assert (place.parent / "secret.txt").read_text() == "nobody's business"


@pytest.mark.parametrize("_", POSIX)
def test_a_notebook_that_is_a_link_is_left_to_those_who_refuse_it(place, _):
    (place / "other.ipynb").symlink_to(place.parent / "secret.txt")
    tidy(place)
    assert (place / "other.ipynb").is_symlink()


@pytest.mark.parametrize("text", [b"never", b"\xff\xfe", b"2026-11-25" * 99, b"9" * 50, b"2026-99-99 12:00", b"\0"])
def test_a_date_that_cannot_be_read_is_put_aside(place, text):
    (place / "timestamp.txt").write_bytes(text)
    tidy(place)
    assert (place / "timestamp.txt.unreadable").read_bytes() == text
    assert not (place / "timestamp.txt").exists()


@pytest.mark.parametrize(
    "text", ["2026-11-25 12:00:00.123456 UTC", "2026-11-25 12:00", "2026-11-25T12:00:00+01:00", ""]
)
def test_a_date_as_the_exchange_writes_it_stays(place, text):
    (place / "timestamp.txt").write_text(text)
    tidy(place)
    assert (place / "timestamp.txt").read_text() == text


def test_what_a_browser_would_run_gets_a_name_that_it_shows_as_text(place):
    same = {"a.pdf", "a.png", "a.py", "a.dat"}
    more = {"a.html", "a.HTM", "a.svg", "a.xhtml", "a.js", "a.xml", "a.html.gz"}
    for name in same | more:
        (place / "data" / name).write_text("<script>")
    disarm(place)
    shown = same | {f"{name}.txt" for name in more}
    assert names(place) == {"ch.ipynb", "data/good.csv", *(f"data/{name}" for name in shown)}


def test_the_teachers_own_files_keep_their_names(place):
    from pathlib import Path

    (place / "figure.svg").write_text("<svg/>")
    disarm(place, kept=[Path("figure.svg")])
    assert "figure.svg" in names(place)
