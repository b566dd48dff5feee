"""A student's Markdown made harmless: no HTML, no address that runs a script, nothing that a page loads from elsewhere.

    harmless("![](https://example.org/seen.png)")     # a link that can be clicked, no picture that tells who looked
    harmless("![graph](attachment:graph.png)", ["graph.png"])     # the same: this picture came with the notebook

Nothing is removed: an invisible letter keeps browser, Markdown and MathJax from seeing what they would act on.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from html.entities import html5

__all__ = ["harmless"]

GAP = "\u200b"

TAG = re.compile(r"<(?=[A-Za-z/!?])")
# Entities that stand for a letter with a meaning to somebody; a few of HTML's need no semicolon.
ASCII = {name.rstrip(";").lower() for name, letter in html5.items() if letter.isascii()}
MEANT = sorted(ASCII - {"amp", "quot", "apos"})
ENTITY = re.compile(rf"&(?=#|(?:{'|'.join(MEANT)});|lt|gt)", re.IGNORECASE)
SCHEME = re.compile(r"(javascript|vbscript|data|file|blob|filesystem)([\s\\]*):", re.IGNORECASE)
IMAGE = re.compile(r"!(?=\[)")
ATTACHED = re.compile(r"!\[[^\[\]\n]*\]\(attachment:([\w.-]+)\)")
# MathJax: styles and classes load pictures and cover the page, links run scripts, the others load or build any of it.
MATHJAX = re.compile(r"\\(?=(?:style|class|bbox|cssId|href|require|mmlToken|unicode|csname|data)(?![A-Za-z]))")
# Diagrams are drawn by a script from elsewhere, and some languages take minutes to highlight.
FENCE = re.compile(r"((?:`{3,}|~{3,})[ \t]*)(?=[^\s`~\u200b])(?!(?:python|py|ipython|text|json|bash|sh)\b)")


def harmless(text: str, pictures: Collection[str] = ()) -> str:
    """The text with a gap in all that could act. `pictures` are the names of the images that are attached to it."""

    def image(found: re.Match[str]) -> str:
        attached = ATTACHED.match(text, found.start())
        return "!" if attached and attached[1] in pictures else "!" + GAP

    text = TAG.sub("<" + GAP, text)
    text = ENTITY.sub("&" + GAP, text)
    text = SCHEME.sub(rf"\1{GAP}\2:", text)
    text = MATHJAX.sub(lambda _: "\\" + GAP, text)
    text = FENCE.sub(rf"\1{GAP}", text)
    return IMAGE.sub(image, text)
