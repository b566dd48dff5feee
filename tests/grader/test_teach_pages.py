"""A feedback page says exactly what nbconvert's own says, and shows what can be unfolded."""

import pytest

pytest.importorskip("nbgrader")

from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.converters import GenerateFeedback

from gradschool_grader.teach.pages import HEAD, PageExporter

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
    assert ours.count(HEAD) == ours.count("</head>") <= 1
    assert shape(ours.replace(HEAD, "")) == shape(theirs)


def shape(html):
    """Tags with their attributes, and all text, in order; bytes that only spell the same differently do not count."""
    soup = BeautifulSoup(html, features="html.parser")
    for heading in soup.select("div.container > .panel > .panel-heading"):  # the list, which is ours
        heading.decompose()
    return [
        (tag.name, sorted((name, str(value)) for name, value in tag.attrs.items())) for tag in soup.find_all()
    ], soup.get_text()


def graded(grade_id, kind=new_code_cell, **flags):
    return kind("", metadata={"nbgrader": {"grade_id": grade_id, "grade": False, "solution": False, **flags}})


def test_the_list_says_what_each_graded_cell_is_called_what_it_earned_and_where_its_comment_is():
    made = new_notebook()
    made.cells = [
        new_markdown_cell("# Title"),
        graded("ema_answer", solution=True, comment="**Wrong.** Why?"),
        graded("ema", grade=True, score=0.0, points=3.0),
        graded("adam_answer", solution=True, comment=None),
        graded("adam", grade=True, score=2.5, points=4.0),
        graded("essay", new_markdown_cell, grade=True, solution=True, score=None, points=10.0, comment="See me."),
        graded("drawing", new_markdown_cell, task=True, score=1 / 3, points=1.0, comment=None),
    ]
    about = {"score": 2.8333, "max_score": 18.0, "index": [], "notebook": "ch10", "late_penalty": 0.5}
    page = PageExporter(config=settings("feedback")).from_notebook_node(made, resources={"nbgrader": about})[0]
    heading = BeautifulSoup(page, features="html.parser").select_one(".panel-heading")
    assert heading.h4.text == "ch10: 2.83 of 18 points"
    assert [item.text for item in heading.find_all("li")] == [
        "ema 0 of 3, comment",
        "adam 2.5 of 4",
        "essay 0 of 10, comment",
        "drawing 0.33 of 1",
        "handed in late: −0.5",
    ]
    links = [link["href"] for link in heading.find_all("a")]
    assert links == ["#ema", "#comment-ema_answer", "#adam", "#essay", "#comment-essay", "#comment-drawing"]
    assert all(f'<a name="{link[1:]}">' in page for link in links)


def test_an_exporter_keeps_nothing_of_the_notebooks_it_showed():
    exporter = PageExporter(template_name="basic")
    exporter.from_notebook_node(notebook(), resources={"metadata": {"name": "s00001"}})
    assert not exporter._nb_metadata


def test_pictures_without_a_text_get_one_and_others_keep_theirs():
    html = PageExporter(template_name="basic").from_notebook_node(notebook())[0]
    alts = [image.attrs.get("alt") for image in BeautifulSoup(html, features="html.parser").find_all("img")]
    assert None not in alts
    assert "seen" in alts
