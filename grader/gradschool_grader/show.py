"""A verdict as people read it: rich HTML in a notebook or a feedback page, plain text in a terminal.

What is shown is a policy. At home everything; in a graded run (`graded=True`) the words without hidden inputs,
expected values or anything the submitted code could have put into a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .verdict import GroupVerdict, Verdict

SHORT = 16  # lines of a call
MARK = {"passed": "✓", "missing": "○", "infrastructure": "!"}
COLOUR = {"passed": "#1a7f37", "missing": "#6e7781", "infrastructure": "#9a6700", "tampered": "#8250df"}
RED = "#cf222e"
HEADLINE = {
    "passed": "passed",
    "wrong": "not yet right",
    "raised": "raised an error",
    "timeout": "did not come to an end",
    "died": "ended the process it ran in",
    "tampered": "broke the grading protocol; a person will look at it",
    "missing": "nothing to judge yet",
    "infrastructure": "could not be judged: the fault is not yours; it will be judged again",
}


def sentence(text: str) -> str:
    """With a large letter, unless it begins with a name."""
    return f"The{text[3:]}" if text.startswith("the ") else text


def score(points: float, max_points: float) -> str:
    return f"{points:g} of {max_points:g} point{'' if max_points == 1 else 's'}"


def shown_frames(group: GroupVerdict) -> list[Mapping[str, Any]]:
    return list(group.frames[-3:])


def frame_words(frame: Mapping[str, Any], graded: bool) -> tuple[str, str]:
    where = f"{place(str(frame['file']))}line {frame['line']}, in {frame['function']}"
    arguments = ", ".join(f"{name}: {value}" for name, value in frame["arguments"].items())
    return where + ("" if graded or not arguments else f"  ({arguments})"), str(frame["source"])


def place(file: str) -> str:
    """`<cell 5>` as "cell 5, "; a kernel's temporary file says nothing to anybody."""
    return f"{file[1:-1]}, " if file.startswith("<cell") else ""


# ---------------------------------------------------------------------------------------------------------- text
def text(verdict: Verdict, graded: bool = True, drawn: Sequence[str] = (), call: str = "") -> str:
    """Plain text, at most some thirty lines; `drawn` is a picture in characters, and `call` what was asked and what
    came, both for home. A verdict may hold its own: `extra["drawn"]` and `extra["call"]`."""
    drawn, call = drawn or verdict.extra.get("drawn", ()), call or verdict.extra.get("call", "")
    lines = [f"{MARK.get(verdict.outcome, '✗')} {verdict.exercise}: {HEADLINE[verdict.outcome]} "
             f"({score(verdict.points, verdict.max_points)})"]  # fmt: skip
    d = verdict.diagnosis
    if d:
        lines += (
            [f"  {sentence(d.text)}"]
            + [f"  {d.detail}"] * bool(d.detail and not graded)
            + [f"  ? {d.hint}"] * bool(d.hint)
            + [f"  → chapter: {d.see}"] * bool(d.see)
        )
    lines += [f"    {line}" for line in drawn if not graded]
    lines += [] if graded else call_lines(call, verdict.exercise)
    tried = verdict.outcome != "missing"
    said: set[object] = set()
    for group in verdict.groups if tried else ():
        lines.append(f"    {MARK.get(group.outcome, '✗')} {group.name:<24} {group.points:g}/{group.max_points:g}")
        if group.outcome != "passed":
            if seen_before(group, said):
                lines.append("        the same error in the same line")
                continue
            if not d or group.words != d.text:
                lines.append(f"        {group.words}")
            lines += [f"        {group.detail}"] * bool(group.detail and not graded)
            for frame in shown_frames(group):
                where, source = frame_words(frame, graded)
                lines += [f"        {where}", f"            {source}"]
    lines += [f"  note: {note}" for note in (*verdict.notes, *verdict.flags)]
    lines += [f"  judged: {verdict.source}"] * bool(str(verdict.source))
    return "\n".join(lines)


def call_lines(call: str, exercise: str) -> list[str]:
    """What was asked and what came, if it is short, and else where to look at it."""
    lines = call.splitlines()
    if len(lines) > SHORT:
        return [f'    check("{exercise}").case shows the call that went wrong; .replay(), instead, makes it again']
    return [f"    | {line}" for line in lines]


def seen_before(group: GroupVerdict, said: set[object]) -> bool:
    """Whether an earlier group failed with the same error in the same line: once is enough to read it."""
    if not group.frames:
        return False
    last = group.frames[-1]
    key = (group.words.rpartition(": ")[2], last["file"], last["line"])
    if key in said:
        return True
    said.add(key)
    return False


# ---------------------------------------------------------------------------------------------------------- HTML
def html(verdict: Verdict, graded: bool = True, drawn: str = "", call: str = "") -> str:
    """One card. Everything that could come from submitted code is escaped; there is no script and no handler.

    `drawn` is a picture as SVG, and `call` what was asked and what came; both show numbers of the case: for home only.
    """
    colour = COLOUR.get(verdict.outcome, RED)
    head = (
        f'<div style="font-weight:600;color:{colour}">{MARK.get(verdict.outcome, "✗")} <code>{escape(verdict.exercise)}'
        f'</code> {HEADLINE[verdict.outcome]} <span style="float:right;font-weight:400;color:#57606a">'
        f"{score(verdict.points, verdict.max_points)}</span></div>"
    )
    seen = "" if graded else drawn + call_html(call)
    body = diagnosis_html(verdict, graded) + seen + groups_html(verdict, graded)
    small = [f"note: {note}" for note in (*verdict.notes, *verdict.flags)]
    small += [f"judged: {verdict.source}"] * bool(str(verdict.source))
    body += "".join(f'<div style="color:#57606a;font-size:90%">{code_words(words)}</div>' for words in small)
    style = (
        f"border:1px solid #d0d7de;border-left:4px solid {colour};border-radius:6px;padding:.6em .9em;margin:.3em 0;"
        "max-width:52em;font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;"
        "background:#fff;color:#1f2328"
    )
    ours = "gradschool-verdict tex2jax_ignore mathjax_ignore"  # a formula in a student's message stays text
    return f'<div class="{ours}" style="{style}">{head}{body}</div>'


def diagnosis_html(verdict: Verdict, graded: bool) -> str:
    d = verdict.diagnosis
    if not d:
        return ""
    said = [sentence(d.text), *[d.detail] * bool(d.detail and not graded)]
    parts = [f'<div style="margin:.45em 0 0">{code_words(words)}</div>' for words in said]
    if d.hint:
        parts.append(f'<div style="margin:.35em 0 0;font-style:italic">{code_words(d.hint)}</div>')
    if d.see:
        parts.append(f'<div style="margin:.2em 0 0;color:#57606a;font-size:90%">In the chapter: {escape(d.see)}</div>')
    return "".join(parts)


def call_html(call: str) -> str:
    """To be opened; a short one is open."""
    if not call:
        return ""
    shown = " open" if len(call.splitlines()) <= SHORT else ""
    return (
        f'<details{shown} style="margin:.5em 0 0"><summary style="color:#57606a">The call that went wrong: what was '
        'given, expected, got</summary><pre style="margin:.3em 0 0;font-size:12px;line-height:1.3;max-height:30em;'
        f'overflow:auto;background:#fff;color:#1f2328">{escape(call)}</pre></details>'
    )


def groups_html(verdict: Verdict, graded: bool) -> str:
    if verdict.outcome == "missing" or (verdict.passed and len(verdict.groups) == 1):
        return ""
    said: set[object] = set()
    rows = "".join(group_row(verdict, group, graded, seen_before(group, said)) for group in verdict.groups)
    return f'<table style="border-collapse:collapse;margin:.5em 0 0;font-size:13px;text-align:left">{rows}</table>'


def group_row(verdict: Verdict, group: GroupVerdict, graded: bool, repeated: bool) -> str:
    colour = COLOUR.get(group.outcome, RED)
    cell = 'style="padding:.1em .8em .1em 0;vertical-align:top;text-align:left;background:#fff"'
    said = "" if group.outcome == "passed" else group_words(verdict, group, graded)
    said = "the same error in the same line" if repeated else said
    return (
        f'<tr><td {cell}><span style="color:{colour}">{MARK.get(group.outcome, "✗")}</span> {escape(group.name)}</td>'
        f"<td {cell}>{group.points:g}/{group.max_points:g}</td><td {cell}>{said}</td></tr>"
    )


def group_words(verdict: Verdict, group: GroupVerdict, graded: bool) -> str:
    d = verdict.diagnosis
    parts = [] if d and d.text == group.words else [code_words(group.words)]
    if group.detail and not graded:
        parts.append(escape(group.detail))
    for frame in shown_frames(group):
        where, source = frame_words(frame, graded)
        parts.append(f"{escape(where)}<br><code>{escape(source)}</code>")
    return "<br>".join(parts)


def code_words(words: str) -> str:
    """Escaped text in which `back-quoted` parts are code."""
    pieces = escape(words).split("`")
    return "".join(f"<code>{piece}</code>" if i % 2 else piece for i, piece in enumerate(pieces))
