"""A feedback page says exactly what nbconvert's own says, and shows what can be unfolded."""

import pytest

pytest.importorskip("nbgrader")

from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.converters import GenerateFeedback

from gradschool_grader.teach.pages import FOLDS, PageExporter

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def notebook():
    """Everything that a page can hold: code, formulas, pictures with and without a text, rich output, an error."""
    outputs = [
        new_output("execute_result", data={"text/plain": "3", "text/html": "<div><b>3 &amp; 4</b></div>"}),
        new_output("display_data", data={"image/png": PICTURE, "text/plain": "<Figure>"}),
        new_output("stream", text="a < b & c\n"),
        new_output("error", ename="ValueError", evalue="<x>", traceback=["Traceback", "ValueError: <x>"]),
    ]
    made = new_notebook(metadata={"language_info": {"name": "python"}})
    made.cells = [
        new_markdown_cell("# Title\n\n$a < b$ and `code`\n\n![](none.png) ![seen](some.png)"),
        new_code_cell("x = 1 < 2  # <img src='x'>\nprint('&')", outputs=outputs, execution_count=1),
    ]
    return made


def settings(template):
    """nbgrader's own, in which its template is found."""
    config = GenerateFeedback().config
    config.HTMLExporter.template_name = template
    return config


@pytest.mark.parametrize("template", ["classic", "basic", "feedback"])
def test_a_page_is_what_nbconvert_makes_of_it(template):
    about = {"nbgrader": {"score": 3, "max_score": 4, "index": [], "notebook": "n", "late_penalty": 0}}
    made = notebook()
    ours, theirs = (
        kind(config=settings(template)).from_notebook_node(made, resources=dict(about))[0]
        for kind in (PageExporter, HTMLExporter)
    )
    assert ours.count(FOLDS) == ours.count("</head>") <= 1
    assert shape(ours.replace(FOLDS + "\n", "")) == shape(theirs)


def shape(html):
    """Tags with their attributes, and all text, in order; bytes that only spell the same differently do not count."""
    soup = BeautifulSoup(html, features="html.parser")
    return [
        (tag.name, sorted((name, str(value)) for name, value in tag.attrs.items())) for tag in soup.find_all()
    ], soup.get_text()


def test_pictures_without_a_text_get_one_and_others_keep_theirs():
    html = PageExporter(template_name="basic").from_notebook_node(notebook())[0]
    alts = [image.attrs.get("alt") for image in BeautifulSoup(html, features="html.parser").find_all("img")]
    assert None not in alts
    assert "seen" in alts
