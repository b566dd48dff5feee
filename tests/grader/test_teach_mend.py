"""Property: whatever was handed in becomes a valid notebook with every graded cell, the source's flags, and no HTML."""

import copy
import json

import nbformat
import pytest
from tiny_course import course
from tiny_course.samples import CHAPTER, ODD, RIGHT, changed, duplicated, find, grade_id, notebook, reflagged, without

pytest.importorskip("nbgrader")

from gradschool_grader.chapter import build_source
from gradschool_grader.teach.mend import harmless, mend

SOURCE = build_source(CHAPTER, course)
KNOWN = ["square_answer", "square", "moving_average_answer", "moving_average"]


def mended(content) -> nbformat.NotebookNode:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return mend(data, copy.deepcopy(SOURCE))


@pytest.mark.parametrize("name", ODD)
def test_every_odd_notebook_becomes_a_valid_one_with_every_graded_cell_once(name):
    made = mended(ODD[name][0])
    nbformat.validate(made)
    assert sorted(filter(None, map(grade_id, made.cells))) == sorted(KNOWN)


def test_flags_and_points_are_the_sources():
    made = mended(changed(reflagged))
    for name in KNOWN:
        assert find(made, name).metadata.nbgrader == find(SOURCE, name).metadata.nbgrader


def test_text_and_code_are_the_students_and_checks_are_ours():
    answers = {**RIGHT, "square": "def square(x):\n    return x ** 2  # mine"}
    made = mended(notebook(**answers))
    assert find(made, "square_answer").source == answers["square"]
    assert find(made, "square").source == 'check("square")'


def test_of_duplicates_the_last_one_keeps_the_flags():
    content = changed(duplicated)
    content["cells"][-1]["source"] = "def square(x):\n    return 'last'"
    made = mended(content)
    assert "last" in find(made, "square_answer").source


def test_what_was_deleted_comes_back_in_its_place():
    order = [grade_id(cell) for cell in mended(changed(without("square_answer", "moving_average"))).cells]
    assert [name for name in order if name] == KNOWN
    assert "missing from the submission" in find(mended(changed(without("square_answer"))), "square_answer").source


def test_outputs_and_metadata_of_the_student_are_gone():
    content = notebook(**RIGHT)
    content["metadata"]["widgets"] = {"x": 1}
    for cell in content["cells"]:
        cell["metadata"]["tags"] = ['"><script>']
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}}]
    made = mended(content)
    assert "script" not in json.dumps(made)
    assert "widgets" not in made.metadata


def test_attached_pictures_stay_and_other_attachments_go():
    content = notebook()
    attached = {"a b.png": {"image/png": "aGVsbG8="}, "x.svg": {"image/svg+xml": "<svg onload=alert(1)>"}}
    content["cells"].append({"cell_type": "markdown", "source": "see", "metadata": {}, "attachments": attached})
    assert mended(content).cells[-1].attachments == {"a b.png": {"image/png": "aGVsbG8="}}


def test_the_chapters_own_text_is_left_as_it_is_and_a_students_is_made_harmless():
    content = notebook()
    content["cells"].append({"cell_type": "markdown", "source": "<b onclick=x>mine</b>", "metadata": {}})
    made = mended(content)
    assert made.cells[-1].source.count("<\u200b") == 2
    texts = [cell.source for cell in SOURCE.cells if cell.cell_type == "markdown"]
    assert [cell.source for cell in made.cells if cell.cell_type == "markdown"][: len(texts)] == texts


def test_raw_cells_which_exporters_copy_as_they_are_become_shown_text():
    content = notebook()
    content["cells"].append({"cell_type": "raw", "source": "<script>alert(1)</script>", "metadata": {}})
    cell = mended(content).cells[-1]
    assert cell.cell_type == "markdown"
    assert cell.source.startswith("    <\u200bscript>")


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt\t:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x]: javascript:alert(1)\n[x]",
    "<javascript:alert(1)>",
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "`<script>`",
    "    <script>alert(1)</script>",
    "```html\n<iframe src=x>\n```\n<iframe src=x>",
    "<!-- --><style>*{display:none}</style>",
    "</div></body><script>alert(1)</script>",
    "$\\href{javascript:alert(1)}{x}$",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "a <b\n onclick=alert(1)>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_markup_of_a_student_reaches_the_page(text):
    from html.parser import HTMLParser

    from nbconvert.filters import markdown2html

    found = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Tags().feed(markdown2html(harmless(text)))
    allowed = {"p", "a", "code", "pre", "div", "span", "img", "em", "strong", "hr"}
    assert {tag for tag, _ in found} <= allowed, found
    for _, attributes in found:
        assert not any(name.startswith("on") for name in attributes)
        for address in (attributes.get("href"), attributes.get("src")):
            letters = "".join(c for c in address or "" if c.isprintable() and not c.isspace()).lower()
            assert not letters.startswith(("javascript:", "vbscript:", "data:"))


def test_harmless_text_is_not_changed_twice_and_plain_markdown_not_at_all():
    for text in HOSTILE:
        assert harmless(harmless(text)) == harmless(text)
    plain = "# Title\n\n> quote, 1 < 2, a<=b, $x < 3$, `a < b`\n\n- [link](https://example.org/a?b=1&c=2)\n"
    assert harmless(plain) == plain


@pytest.mark.parametrize(
    "text",
    [r"[one](javascript\:alert(1))", "[r][q]\n\n[q]: javascript\\:alert(2)", r"[x](java\script:1) [y](DATA\ :2)"],
)
def test_an_address_behind_a_backslash_runs_no_script(text):
    from nbconvert.filters import markdown2html

    page = markdown2html(harmless(text)).lower()
    assert 'href="javascript:' not in page
    assert 'href="data' not in page
