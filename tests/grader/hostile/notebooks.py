"""Hostile notebooks: what was done to the file, and the points that are earned all the same.

    for name, made in NOTEBOOKS.items(): made.content, made.points, made.words

Each begins with a notebook in which both exercises are right, unless the attack takes an answer away.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tiny_course.samples import RIGHT, changed, find, grade_id, notebook

FULL = (3, 4)
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
REMOTE = "http://127.0.0.1:9/seen"


@dataclass(frozen=True)
class Made:
    """A file to hand in, the points of both exercises, and words that the report says about the file."""

    content: bytes
    points: tuple[int, int] = FULL
    words: str = ""


def made(change: Callable[[dict[str, Any]], Any], points: tuple[int, int] = FULL, words: str = "") -> Made:
    return Made(json.dumps(changed(change)).encode(), points, words)


def plain(content: bytes | str, words: str) -> Made:
    return Made(content.encode() if isinstance(content, str) else content, (0, 0), words)


# ----------------------------------------------------------------------------------------------- flags and points
def flags(**new: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            if "nbgrader" in cell["metadata"]:
                cell["metadata"]["nbgrader"].update(new)

    return change


def without_schema(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        cell["metadata"].get("nbgrader", {}).pop("schema_version", None)


def swapped(content: dict[str, Any]) -> None:
    """The answers keep their code under each other's ids: it is the name in the code that counts."""
    one, other = find(content, "square_answer"), find(content, "moving_average_answer")
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


def renamed(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        if grade_id(cell):
            cell["metadata"]["nbgrader"]["grade_id"] += "<script>alert(1)</script>"


def hundred_checks(content: dict[str, Any]) -> None:
    content["cells"] += [copy.deepcopy(find(content, "square")) for _ in range(100)]


def retyped(kind: str, *names: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for name in names:
            cell = find(content, name)
            cell["cell_type"] = kind
            cell.pop("outputs", None), cell.pop("execution_count", None)

    return change


def everything(metadata: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            cell["metadata"] = metadata

    return change


def passed_already(content: dict[str, Any]) -> None:
    """Full points as the output of every cell, and wrong answers."""
    find(content, "square_answer")["source"] = "def square(x):\n    return x + 1"
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            data = {"text/plain": "3", "text/html": "<b>passed</b>"}
            result = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}
            cell["outputs"] = [result]


# ------------------------------------------------------------------------------------------------ form of the file
def metadata(**new: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["metadata"].update(new)


def cells(*more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["cells"].extend(more)


def ids(value: Callable[[int], Any]) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for i, cell in enumerate(content["cells"]):
            cell["id"] = value(i)

    return change


def markdown(text: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text, **more}


def code(text: Any, *outputs: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text, "execution_count": 1, "outputs": list(outputs)}


def display(**data: Any) -> dict[str, Any]:
    kinds = {kind.replace("__", "+").replace("_", "/", 1): value for kind, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def right() -> str:
    return json.dumps(notebook(**RIGHT))


def with_text(old: str, new: str) -> bytes:
    text = right()
    assert old in text
    return text.replace(old, new, 1).encode()


MARKUP = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>", "<math><a xlink:href='javascript:alert(1)'>x</a></math>",
    "<style>body{background:url(" + REMOTE + ")}</style>", "<link rel=stylesheet href=" + REMOTE + ">",
    "<meta http-equiv=refresh content='0;url=" + REMOTE + "'>", "<base href=" + REMOTE + ">",
    "<iframe src=" + REMOTE + ">", "<iframe srcdoc='<script>alert(1)</script>'>", "<object data=" + REMOTE + ">",
    "<form action=" + REMOTE + "><input name=a><button>log in</button></form>", "<embed src=" + REMOTE + ">",
    "<video src=" + REMOTE + " autoplay>", "<audio src=" + REMOTE + ">", "<body onload=alert(1)>",
    "<div style='position:fixed;inset:0;background:url(" + REMOTE + ")'>", "<details ontoggle=alert(1) open>",
    "<template><script>alert(1)</script></template>", "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    f"![]({REMOTE})", f"![a][b]\n\n[b]: {REMOTE}", f"[![a]({REMOTE})]({REMOTE})",
    "[x](javascript:alert(1))", "[x](jav&#x61;script:alert(1))", "<javascript:alert(1)>",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)", "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "```mermaid\ngraph TD\nA@{ img: '" + REMOTE + "' }\n```", "```\n</code></pre><script>alert(1)</script>\n```",
    r"$\style{background:url(" + REMOTE + r")}{x}$", r"$\href{javascript:alert(1)}{x}$",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "`</code><script>alert(1)</script>`", "<!--><script>alert(1)</script>-->",
    "<sc<script>ript>alert(1)</script>", "<scr\u0000ipt>alert(1)</script>", "<ｓcript>alert(1)</script>",
    "</div></div></body></html><script>alert(1)</script>", "<noscript><p title='</noscript><img src=x onerror=1>'>",
]  # fmt: skip
ATTACHED = {
    "a.png": {"image/png": PICTURE}, "b.svg": {"image/svg+xml": "<svg onload=alert(1)>"},
    "c.png": {"image/png": "x' onerror='alert(1)"}, "d.html": {"text/html": "<script>alert(1)</script>"},
    "e' onerror='alert(1).png": {"image/png": PICTURE}, "f.png": {"image/png": [PICTURE]}, "g.png": PICTURE,
}  # fmt: skip
OUTPUTS = [
    display(text_html="<script>alert(1)</script>"), display(application_javascript="alert(1)"),
    display(image_svg__xml="<svg onload=alert(1)>"), display(text_markdown="![](" + REMOTE + ")"),
    display(text_latex=r"$\style{a}{b}$"), display(image_png="x' onerror='alert(1)"),
    {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}},
    {"output_type": "stream", "name": "stdout", "text": "\x1b[31m<script>alert(1)</script>" * 100},
    {"output_type": "error", "ename": "<script>", "evalue": "<script>", "traceback": ["<script>alert(1)</script>"]},
    {"output_type": "hen"}, 3, None, [], {"output_type": "stream", "text": 3},
]  # fmt: skip

NOTEBOOKS: dict[str, Made] = {
    "points of a thousand": made(flags(points=1000)),
    "points below zero": made(flags(points=-5)),
    "points that are no number": made(flags(points=float("nan"))),
    "points in words": made(flags(points="all of them")),
    "points in a list": made(flags(points=[3, 4])),
    "everything locked": made(flags(locked=True, solution=False, grade=False)),
    "everything to be graded by hand": made(flags(grade=True, solution=True, task=True)),
    "no schema version": made(without_schema),
    "a schema version in words": made(flags(schema_version="three")),
    "a schema version from the future": made(flags(schema_version=10**30)),
    "ids that swap": made(swapped),
    "ids with markup": made(renamed),
    "ids that are no text": made(flags(grade_id=["square"])),
    "a hundred checks": made(hundred_checks),
    "checks as text": made(retyped("markdown", "square", "moving_average")),
    "an answer as text": made(retyped("markdown", "square_answer"), (0, 4), "lacks the cells of square"),
    "an answer that is raw": made(retyped("raw", "moving_average_answer"), (3, 0), "lacks the cells"),
    "a type that is none": made(retyped("heading", "square_answer"), (0, 4), "lacks the cells of square"),
    "metadata that is a list": made(everything([1, 2])),
    "metadata that is a number": made(everything(3)),
    "outputs that say passed": made(passed_already, (0, 4)),
    "a kernel of another language": made(metadata(kernelspec={"name": "ir", "language": "R"}), FULL, "kernel 'ir'"),
    "a kernel that is a path": made(metadata(kernelspec={"name": "../../bin/sh"}), FULL, "kernel"),
    "a kernel that is a number": made(metadata(kernelspec=3)),
    "a kernel with a name in pieces": made(metadata(kernelspec={"name": ["python3"]}), FULL, "kernel"),
    "a language with a lexer of its own": made(metadata(language_info={"name": "x", "pygments_lexer": "<script>"})),
    "a course of its own": made(metadata(gradschool={"chapter": ["x"], "exercises": 3, "version": {}})),
    "a version that is no text": made(
        metadata(gradschool={"version": "\ud800\n\x1b[2J", "exercises": {"square": "0" * 64}}),
        FULL,
        r"version \ud800\n\x1b",
    ),
    "a line that moves the cursor and turns round": made(
        cells(code("x = (\x1b[2J\u202e`\n")), FULL, r"`x = (\x1b[2J\u202e``"
    ),
    "widgets": made(metadata(widgets={"application/vnd.jupyter.widget-state+json": {"state": {"x": "<script>"}}})),
    "hooks of IPython in a blank answer": made(
        lambda n: find(n, "square_answer").update(source="get_ipython().events.register('pre_execute', exit)"), (0, 4)
    ),
    "one id for all cells": made(ids(lambda i: "same")),
    "ids of ten thousand letters": made(ids(lambda i: f"{i}" * 10_000)),
    "ids that are numbers": made(ids(lambda i: i)),
    "a hundred thousand cells": made(
        lambda n: n.update(cells=[code("x = 1")] * 100_000), (0, 0), "more than 2000 cells"
    ),
    "two thousand empty cells": made(cells(*[markdown("")] * 1_900)),
    "cells that are nothing": made(cells(None, 3, "x", [], {}, {"cell_type": None}, {"cell_type": "code"})),
    "source that is no text": made(cells(code(3), code({"a": 1}), code([1, None, "x = 1"]), markdown([["a"]]))),
    "source in three thousand pieces": made(cells(code(["x = 1\n"] * 3_000))),
    "lists that are dicts": plain(json.dumps({"cells": {"0": {}}, "metadata": {}}), "no list of cells"),
    "a list": plain("[1, 2, 3]", "no notebook"),
    "a number": plain("3", "no notebook"),
    "numbers that JSON does not have": Made(with_text('"points": 3', '"points": NaN, "more": -Infinity')),
    "a number of a million digits": plain(b'{"cells": [], "nbformat": ' + b"9" * 1_000_000 + b"}", "no JSON"),
    "keys that come twice": Made(with_text('"cells": [', '"cells": [3], "cells": [')),
    "nesting without end": plain(nested(200_000), "no JSON"),
    "nesting in the metadata": Made(with_text('"metadata": {}', f'"metadata": {{"deep": {nested(900)}}}')),
    "a million empty lists": made(metadata(deep=[[]] * 1_000_000)),
    "half of a pair in code": made(cells(code("x = '\ud800'"))),
    "half of a pair in text, names and tags": made(
        cells(markdown("\udfff", metadata={"tags": ["\ud800"], "\ud800": 1}), code("\ud800 = 1"))
    ),
    "zeros in code": made(cells(code("x = 1\0"), markdown("a\0b")), FULL, "null bytes"),
    "UTF-16": plain(right().encode("utf-16"), "UTF-8"),
    "a mark at the beginning": Made(b"\xef\xbb\xbf" + right().encode()),
    "compressed": plain(gzip.compress(b"0" * 30_000_000), "UTF-8"),
    "a hundred megabytes": plain(b'{"cells": [' + b" " * 100_000_000 + b"]}", "larger than 20 MB"),
    "fifteen megabytes of output": made(cells(code("x = 1", *[display(text_html="<b>" * 5_000_000)]))),
    "outputs of all kinds": made(cells(code("x = 1", *OUTPUTS))),
    "huge attachments": made(
        cells(markdown("![](attachment:a.png)", attachments={"a.png": {"image/png": "A" * 15_000_000}}))
    ),
    "attachments of all kinds": made(
        cells(markdown("\n\n".join(f"![](attachment:{name})" for name in ATTACHED), attachments=ATTACHED))
    ),
    "attachments that are none": made(cells(markdown("x", attachments=[3]), markdown("x", attachments={"a.png": 3}))),
    "markup in text": made(cells(*map(markdown, MARKUP))),
    "markup in one text": made(cells(markdown("\n\n".join(MARKUP)))),
    "markup in raw cells": made(cells(*[{"cell_type": "raw", "metadata": {}, "source": text} for text in MARKUP])),
    "markup in code": made(cells(*[code(f'"""{text}"""') for text in MARKUP])),
    "markup in errors": made(cells(code("raise type('<b>', (Exception,), {})('<img src=x> $\\\\style{a}{b}$')"))),
    "markup in a line that is no Python": made(
        cells(code("def <script>alert(1)</script>(:"), code("![](" + REMOTE + ") = $\\style{a}{b}$")), FULL, "syntax"
    ),
    "raw cells with a format": made(
        cells({"cell_type": "raw", "metadata": {"format": "text/html"}, "source": "<script>alert(1)</script>"})
    ),
    "code that takes long to highlight": made(cells(*[code("a." * 40_000)] * 20), FULL, "syntax error"),
    "text that takes long to read": made(cells(*[markdown("\\begin{a}" * 11_000)] * 20)),
    "a chain of two thousand branches": made(cells(code("if 0: pass\n" + "elif 0: pass\n" * 2_000))),
    "a chain of ten thousand names": made(cells(code("x = a" + ".a" * 10_000))),
    "a hundred thousand signs": made(cells(code("x = " + "-" * 90_000 + "1"))),
    "three hundred brackets": made(cells(code("x = " + "(" * 300 + ")" * 300)), FULL, "too many nested"),
    "functions in functions": made(cells(code("x = " + "lambda: " * 5_000 + "1"))),
    "a million names in one answer": made(cells(code("; ".join(f"v{i} = {i}" for i in range(9_000))))),
    "more code than anybody writes": made(cells(*[code("a\n" * 30_000)] * 100), FULL, "comes after 200,000 characters"),
    "experiments that take long to read": made(
        cells(*[{**code("a\n" * 30_000), "metadata": {"tags": ["experiment"]}}] * 100), FULL, "comes after 200,000"
    ),
    "an answer that names thousands of others": made(
        lambda n: find(n, "square_answer").update(
            source="\n".join(f"v{i} = 1" for i in range(6_000))
            + f"\ndef square(x):\n    ({','.join(f'v{i}' for i in range(3_000))})\n    return x * x"
        ),
        FULL,
    ),
    "names that look like the one that is not there": made(
        lambda n: (
            find(n, "square_answer").update(source="x = 1"),
            n["cells"].extend(code("\n".join(f"squar{k}{i} = 1" for i in range(5_000))) for k in range(9)),
        ),
        (0, 4),
    ),
    "links that end nowhere": made(cells(markdown("[" * 20_000), markdown("![" * 10_000), markdown("`" * 20_000))),
    "an old format": Made(json.dumps({"worksheets": [], "nbformat": 3, "metadata": {}}).encode(), (0, 0), "old format"),
    "a format from the future": made(lambda n: n.update(nbformat=99, nbformat_minor="x")),
}  # fmt: skip
