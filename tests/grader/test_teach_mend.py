"""Property: whatever was handed in becomes a valid notebook with every graded cell, the source's flags, and no HTML."""

import copy
import json

import nbformat
import pytest
from tiny_course import course
from tiny_course.samples import CHAPTER, ODD, RIGHT, changed, duplicated, find, grade_id, notebook, reflagged, without

pytest.importorskip("nbgrader")

from gradschool_grader.chapter import build_source
from gradschool_grader.teach.harmless import harmless
from gradschool_grader.teach.mend import LONGEST_LINE, LONGEST_TEXT, MOST_SHOWN, mend

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


REMOTE = [
    "![](https://example.org/seen.png)",
    "![a](//example.org/seen.png 'title')",
    "![a][b]\n\n[b]: https://example.org/seen.png",
    "![b]\n\n[b]: https://example.org/seen.png",
    "[![a](https://example.org/seen.png)](https://example.org)",
    "![a ![b](https://example.org/1.png)](attachment:known.png)",
    "!\\[a](https://example.org/1.png)![a](https://example.org/2.png)",
    "- ![](http://example.org/seen.png)\n\n> ![](http://example.org/seen.png)",
    "a|b\n-|-\n![](http://example.org/seen.png)|c",
    "# ![](http://example.org/seen.png)",
    "**![](http://example.org/seen.png)**",
    "![known](attachment:unknown.png)",
    "![known](attachment:known.png)![](ftp://example.org/x.png)",
    "&excl;[a](http://example.org/seen.png)",
    "![a](relative.png)",
]


@pytest.mark.parametrize("text", REMOTE)
def test_a_page_loads_nothing_that_a_student_names(text):
    """Of the images only attached ones are left: any other tells somebody who looked, and when."""
    from bs4 import BeautifulSoup
    from nbconvert.filters import markdown2html

    page = BeautifulSoup(markdown2html(harmless(text, ["known.png"]).replace("attachment:", "")), "html.parser")
    assert {image["src"] for image in page.find_all("img")} <= {"known.png"}
    assert not page.find_all(["link", "iframe", "object", "embed", "video", "audio", "source", "script", "style"])


@pytest.mark.parametrize(
    "formula",
    [r"$\style{background:url(http://h/x.png)}{y}$", r"$\cssId{x}{y}\class{z}{w}$", r"\(\require{/../evil}\)",
     r"$\bbox[background:url(http://h/x.png)]{y}$",
     r"$$\mmlToken{mi}[href='javascript:1']{x}$$", r"&dollar;&bsol;style{background:url(http://h/x)}{y}&dollar;",
     r"&#36;&#92;style{a}{b}&#36;", r"\begin{equation}\style{a}{b}\end{equation}"],
)  # fmt: skip
def test_a_formula_loads_and_covers_nothing(formula):
    """As MathJax finds it in the text of the page."""
    import re

    from bs4 import BeautifulSoup
    from nbconvert.filters import markdown2html

    text = BeautifulSoup(markdown2html(harmless(formula)), "html.parser").get_text()
    assert not re.search(r"\\(style|bbox|cssId|class|require|mmlToken|href)", text)


def test_formulas_entities_and_attached_pictures_of_honest_people_stay():
    for text in (
        r"$\frac{\alpha}{2} \text{classes}\ \stylefile$",
        "a &nbsp; b &amp; c &rarr; d &eacute;",
        "```python\nx = 1\n```",
        "![a graph](attachment:graph-1.png)",
        "Hurrah! [A link](https://x.org)",
    ):
        assert harmless(text, ["graph-1.png"]) == text


def test_a_picture_that_is_not_there_does_not_cost_the_page():
    """nbconvert refuses a whole notebook for one."""
    from nbconvert.exporters import HTMLExporter

    content = notebook()
    content["cells"].append({"cell_type": "markdown", "source": "![a](attachment:gone.svg)", "metadata": {}})
    assert "gone.svg" in HTMLExporter(template_name="basic").from_notebook_node(mended(content))[0]


def test_what_takes_long_to_show_is_cut_and_says_so():
    content = notebook(square="def square(x):\n    return x  # " + "a." * 40_000)
    content["cells"] += [{"cell_type": "markdown", "source": "\\begin{a}" * 20_000, "metadata": {}} for _ in range(60)]
    content["cells"] += [{"cell_type": "code", "source": "x = 1\n" * 15_000, "metadata": {}} for _ in range(60)]
    made = mended(content)
    assert max(len(line) for cell in made.cells for line in cell.source.split("\n")) < LONGEST_LINE + 100
    assert max(len(cell.source) for cell in made.cells if cell.cell_type == "markdown") < 2 * LONGEST_TEXT
    assert sum(len(cell.source) for cell in made.cells) < 2 * MOST_SHOWN
    assert "cut here" in find(made, "square_answer").source
    assert "cut here" in made.cells[-1].source


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
