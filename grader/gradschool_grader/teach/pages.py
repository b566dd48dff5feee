"""Feedback pages as nbconvert writes them, without the part that takes two thirds of its time.

    c.GenerateFeedback.exporter_class = "gradschool_grader.teach.pages.PageExporter"

nbconvert parses every finished page again, to give images a text and to make the cells of JupyterLab's template
reachable by keyboard. Feedback uses another template, so that only the images' text is left to add, and the triangle
of what can be unfolded. nbgrader's list of "Test cell", thirteen times, names the exercises here (templates/).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbformat import NotebookNode

__all__ = ["PageExporter"]

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 4000  # characters of a cell that is kept as it was highlighted or rendered
KEPT = 512  # cells: many more than a chapter has, so that its own stay
# Telephones show the page at their own width; Bootstrap takes the triangle away, and colours code as if it were wrong.
HEAD = """<meta name="viewport" content="width=device-width, initial-scale=1">
<style>summary { display: list-item; cursor: pointer } #toc code { color: inherit; background: none }</style>
"""
IMAGE = re.compile(r"<img\b(?![^>]*\balt\s*=)", re.IGNORECASE)


class PageExporter(HTMLExporter):
    """HTMLExporter, whose page is not parsed again."""

    def __init__(self, *args: Any, **kw: Any):
        self.known: dict[str | None, Callable[..., str]] = {}
        self.rendered: dict[str, str] = {}
        super().__init__(*args, **kw)
        if self.template_name == "feedback":  # nbgrader's, which the one here extends
            self.template_paths = [str(TEMPLATES), *self.template_paths]
            self.template_file = "feedback.html.j2"

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        resources = self._init_resources(resources)
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        widgets = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("highlight_code", self.highlighted(lexer))
        self.register_filter("filter_data_type", widgets)
        html, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        self._nb_metadata.clear()  # nbconvert keeps those of every notebook, by its name
        html = html.replace("</head>", f"{HEAD}</head>", 1)
        return IMAGE.sub('<img alt="No description has been provided for this image"', html), resources

    def highlighted(self, lexer: str | None) -> Callable[..., str]:
        """A class shares most of its cells: each is highlighted once."""
        if lexer not in self.known:
            self.known[lexer] = remembered(Highlight2HTML(pygments_lexer=lexer, parent=self))
        return self.known[lexer]

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """The chapter's text and the words about a frequent mistake are the same on most pages."""
        alone = not self.embed_images and not context.get("cell", {}).get("attachments")
        if not alone or len(source) > LONGEST:
            return super().markdown2html(context, source)
        if source not in self.rendered:
            if len(self.rendered) >= KEPT:
                self.rendered.clear()
            self.rendered[source] = super().markdown2html(context, source)
        return self.rendered[source]


def remembered(make: Callable[..., str]) -> Callable[..., str]:
    """The same for the same text; of long texts nothing is kept, so that a class of any size fits."""
    short = functools.lru_cache(maxsize=KEPT)(make)

    def made(source: str, language: str | None = None, metadata: Any = None) -> str:
        if len(source) > LONGEST or (metadata and "magics_language" in metadata):
            return make(source, language, metadata)
        return short(source, language)

    return made
