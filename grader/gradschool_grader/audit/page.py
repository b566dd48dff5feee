"""The audit as one HTML page that needs nothing else: what falls short, the kill table, and who sees which mistake.

write(report, "audit.html", title="Deep learning")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from ..report import plural, section
from .result import ExerciseAudit, Rate, Report, Tried

__all__ = ["COLUMNS", "cells", "write"]

COLUMNS = ("wrong, rejected", "named", "right, accepted", "trivial, rejected", "mutants, killed", "equivalent")
KINDS = {"misconception": "Known mistakes", "trivial": "Without thought", "other": "Solutions of other exercises"}


def write(report: Report, file: Path | str, title: str = "Audit") -> Path:
    """Write the page to `file` and return its path."""
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(report, title), encoding="utf-8")
    return path


def page(report: Report, title: str) -> str:
    here = Path(__file__).parent
    style = (here.parent / "report.css").read_text(encoding="utf-8") + (here / "page.css").read_text(encoding="utf-8")
    lead = (
        f"{plural(len(report.exercises), 'exercise')}, {plural(len(report.seeds), 'seed')}: every known wrong answer, "
    )
    lead += "every small change of the reference and every right variant, handed in and judged."
    body = [
        f'<header><h1>{escape(title)}</h1><p class="lead">{lead}</p></header>',
        figures(report),
        verdict(report),
        section("Kill table", kill_table(report), "wide"),
        section("Exercise by exercise", "".join(details(exercise) for exercise in report.exercises)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


# ------------------------------------------------------------------------------------------------------- the summary
def figures(report: Report) -> str:
    wrong, mutants = report.count("misconception"), report.count("mutant")
    shown = [
        (f"{report.count('misconception', fine=True)} of {wrong}", "known mistakes rejected"),
        (f"{report.named} of {wrong}", "named as themselves"),
        (f"{report.count('variant', fine=True)} of {report.count('variant')}", "other right answers accepted"),
        (f"{report.count('mutant', fine=True)} of {mutants}", f"changes of the reference noticed{rest(report)}"),
    ]
    return (
        '<div class="figures">' + "".join(f"<div><b>{n}</b><span>{what}</span></div>" for n, what in shown) + "</div>"
    )


def rest(report: Report) -> str:
    """What is to be said of the changes that go unnoticed, if all of them have their reason."""
    survivors = [s for e in report.exercises for s in e.survivors]
    if not survivors or any(not s.why_equivalent for s in survivors):
        return ""
    return f"; the other {len(survivors)} change nothing that is asked for"


def verdict(report: Report) -> str:
    if report.at_goal:
        words = "Every wrong answer is rejected and named, every right one accepted, at every seed; each change of a "
        words += "reference that goes unnoticed is one that changes nothing that was asked for, with its reason below."
        return section("At its goal", f'<p class="card goal">{words}</p>')
    items = "".join(f"<li>{code(str(case))}</li>" for case in report.cases)
    return section(
        f"Short of its goal: {plural(len(report.cases), 'case')}", f'<ul class="attention short">{items}</ul>'
    )


def code(text: str) -> str:
    """Escaped, with what stands between backticks set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


# ----------------------------------------------------------------------------------------------------- the kill table
def cells(exercises: Sequence[ExerciseAudit]) -> list[tuple[str, bool]]:
    """One row of numbers, for an exercise or for all of them, each with whether it is as it must be."""

    def share(*kinds: str) -> tuple[str, bool]:
        good, every = (sum(e.count(*kinds, fine=fine) for e in exercises) for fine in (True, None))
        return f"{good}/{every}", good == every

    known = sum(e.count("misconception") for e in exercises)
    named = sum(e.named for e in exercises)
    survivors = sum(len(e.survivors) for e in exercises)
    unexplained = sum(len(e.unexplained) for e in exercises)
    killed, mutants = share("mutant")[0].split("/")
    accounted = int(killed) + survivors - unexplained == int(mutants)
    return [
        share("misconception"), (f"{named}/{known}", named == known), share("variant"), share("trivial", "other"),
        (f"{killed}/{mutants}", accounted), (f"{survivors - unexplained}/{survivors}", not unexplained),
    ]  # fmt: skip


def kill_table(report: Report) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in COLUMNS)
    rows = [row(e.exercise, cells([e])) for e in report.exercises]
    rows.append(row("all", cells(report.exercises), "sums"))
    head = f'<thead><tr><th class="name"></th>{head}</tr></thead>'
    return f'<table class="kills">{head}<tbody>{"".join(rows)}</tbody></table>'


def row(name: str, numbers: Iterable[tuple[str, bool]], kind: str = "") -> str:
    shown = "".join(f'<td class="{mark(good)}">{text}</td>' for text, good in numbers)
    return f'<tr class="{kind}"><th class="name"><code>{escape(name)}</code></th>{shown}</tr>'


def mark(good: bool) -> str:
    return "" if good else "bad"


# ------------------------------------------------------------------------------------------------------- one exercise
def details(e: ExerciseAudit) -> str:
    state = "at its goal" if not e.cases else plural(len(e.cases), "case")
    parts = [matrix(e, KINDS), survivors(e), "".join(map(rate, e.rates)), unmet(e)]
    opened = " open" if e.cases else ""
    summary = f"<summary><b><code>{escape(e.exercise)}</code></b> <span>{state}</span></summary>"
    return f"<details{opened}>{summary}{''.join(parts)}</details>"


def matrix(e: ExerciseAudit, kinds: dict[str, str]) -> str:
    """Which group sees which wrong answer."""
    heads = "".join(f'<th class="turned"><span>{escape(group)}</span></th>' for group in e.groups)
    rows = ""
    for kind, heading in kinds.items():
        some = [tried for tried in e.tried if tried.kind == kind]
        if some:
            rows += f'<tr><th class="chapter" colspan="{len(e.groups) + 1}">{heading}</th></tr>'
            rows += "".join(seen_by(tried, e.groups) for tried in some)
    return (
        "<h3>Which group sees which wrong answer</h3>"
        f'<div class="wide"><table class="matrix"><thead><tr><th class="name"></th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def seen_by(tried: Tried, groups: Sequence[str]) -> str:
    marks = "".join('<td class="seen">●</td>' if group in tried.by else "<td>·</td>" for group in groups)
    return f'<tr><th class="name">{escape(tried.name)}</th>{marks}</tr>'


def survivors(e: ExerciseAudit) -> str:
    killed, every = e.count("mutant", fine=True), e.count("mutant")
    heading = f"<h3>{killed} of {plural(every, 'small change')} of the reference noticed</h3>"
    if not e.survivors:
        return heading
    rows = "".join(
        f"<tr><td>{code(s.mutation)}<br><code>{s.hash}</code></td>"
        + (f"<td>{code(s.why_equivalent)}</td>" if s.why_equivalent else '<td class="open">no reason is given</td>')
        + "</tr>"
        for s in e.survivors
    )
    head = "<tr><th>change that goes unnoticed</th><th>why it changes nothing that is asked for</th></tr>"
    return f'{heading}<div class="wide"><table class="reasons"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def rate(r: Rate) -> str:
    return f"<h3>Statistical group {escape(r.group)}</h3><p>{escape(str(r))}.</p>"


def unmet(e: ExerciseAudit) -> str:
    if not e.unmet:
        return ""
    items = "".join(f"<li><code>{escape(check)}</code></li>" for check in e.unmet)
    return f"<h3>Checks of inputs that no probe meets, and that were not changed therefore</h3><ul>{items}</ul>"
