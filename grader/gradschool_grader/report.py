"""A report says how a class did and why: scores, outcomes and the mistakes behind them, and what a person must look at.

One HTML page that needs nothing else: no script, no network; readable on a phone, in the dark and on paper.

    papers = Journal("course").all("ch03_losses")
    write(papers, chapters, "course/report.html", title="Deep learning")
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from .course import Chapter
from .exercise import Exercise
from .journal import Judged
from .own import NOT_CHEAT_PROOF, OwnPaper
from .show import HEADLINE, code_words
from .verdict import OUTCOMES, Diagnosis, Verdict

__all__ = ["MARKS", "MODES", "WORDS", "alike", "in_short", "needs", "own_needs", "page", "partly", "some", "write"]

# A mark as well as a colour: neither colour-blind eyes nor a black-and-white printer lose anything.
MARKS = {"passed": "✓", "wrong": "✗", "raised": "!", "timeout": "∞", "died": "†", "tampered": "⚠", "missing": "○",
         "infrastructure": "?"}  # fmt: skip
WORDS = {"passed": "passed", "wrong": "wrong", "raised": "raised an error", "timeout": "did not end",
         "died": "crashed", "tampered": "tampered", "missing": "not written",
         "infrastructure": "not judged"}  # fmt: skip
MODES = {
    "AB": "sandbox AB: own namespaces, no network, locked system calls and files",
    "B": "sandbox B: locked system calls and files",
    "C": "sandbox C: namespaces for every answer alone, no network, locked system calls and files",
    "process": "a process of its own without a sandbox: fit for trusted code only",
    "here": "the same process, without a sandbox: fit for trusted code only",
    "": "not run",
}
SHORT = {"type": "wrong type", "shape": "wrong shape", "larger": "far too large", "dtype": "wrong dtype",
         "value": "wrong values",
         "diverges": "wrong values", "nonfinite": "NaN or infinity", "none": "no answer", "keys": "wrong keys",
         "swapped": "items swapped", "accepted": "accepts bad input", "unasked": "ignores an argument",
         "mutated": "changes its input", "aliased": "shares memory", "reused": "returns one object twice",
         "unstable": "differs the second time",
         "warned": "warns", "property": "lacks the property", "signature": "parameters changed", "stub": "not written",
         "timeout": "did not end", "died": "crashed"}  # fmt: skip
SHOWN_MISTAKES, SHOWN_NAMES = 4, 6
EMPTY: Mapping[tuple[str, str], Sequence[str]] = {}


def write(
    papers: Iterable[Judged],
    chapters: Sequence[Chapter],
    file: Path | str,
    title: str = "Report",
    beside: Sequence[OwnPaper] = (),
    waiting: Mapping[tuple[str, str], Sequence[str]] | None = None,
    left: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write the page to `file` and return its path. `beside` are the teacher's own tests; `waiting` are the students
    whose answer waits for a grade by hand, by assignment and cell; `left` are files without a grade, and why."""
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    html = page(papers, chapters, title, beside, waiting or {}, left)
    path.write_text(html, encoding="utf-8", errors="replace")  # the name of a folder may be no text
    return path


def page(
    papers: Iterable[Judged],
    chapters: Sequence[Chapter],
    title: str = "Report",
    beside: Sequence[OwnPaper] = (),
    waiting: Mapping[tuple[str, str], Sequence[str]] | None = None,
    left: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole page. `chapters` are those that were graded, in the order in which they are shown."""
    known = [chapter.id for chapter in chapters]
    graded = sorted((p for p in papers if p.assignment in known), key=lambda p: (p.student, known.index(p.assignment)))
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    body = [
        f'<header><h1>{escape(title)}</h1><p class="lead">{overview(graded, chapters)}</p></header>',
        figures(graded, chapters, len(own_needs(beside)) + sum(map(len, (waiting or {}).values())) + len(left)),
        attention(graded, beside, waiting or {}, left),
        section("Scores", "".join(histogram(chapter, graded) for chapter in chapters), "grid"),
        section("Exercises, and what went wrong", legend(graded) + "".join(cards(c, graded) for c in chapters)),
        section("Students", legend(graded) + table(graded, chapters)),
        own_tests(beside),
        section("How it was graded", provenance(graded, chapters)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n<body><main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main></body></html>\n"
    )


def section(heading: str, content: str, kind: str = "") -> str:
    return f'<section><h2>{escape(heading)}</h2><div class="{kind}">{content}</div></section>'


def plural(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


# ------------------------------------------------------------------------------------------------------- the summary
def overview(papers: Sequence[Judged], chapters: Sequence[Chapter]) -> str:
    students = len({p.student for p in papers})
    titles = ", ".join(f"{chapter.number} {chapter.title}" for chapter in chapters)
    return f"{plural(students, 'student')}, {plural(len(papers), 'submission')}: {escape(titles)}"


def maximum(paper: Judged, chapters: Sequence[Chapter]) -> float:
    return next(chapter.points for chapter in chapters if chapter.id == paper.assignment)


def shares(papers: Sequence[Judged], chapters: Sequence[Chapter]) -> list[float]:
    return [p.points / (maximum(p, chapters) or 1.0) for p in papers]


def figures(papers: Sequence[Judged], chapters: Sequence[Chapter], more: int = 0) -> str:
    """Four numbers that answer the first questions. `more` things need a person than the judge's results say."""
    scores = shares(papers, chapters)
    verdicts = [v for p in papers for v in p.verdicts]
    passed = sum(v.passed for v in verdicts)
    wrong = [v for v in verdicts if v.outcome in ("wrong", "raised")]
    named = sum(bool(v.diagnosis and v.diagnosis.kind == "misconception") for v in wrong)
    shown = [
        (f"{statistics.median(scores):.0%}" if scores else "–", "median score"),
        (f"{passed / len(verdicts):.0%}" if verdicts else "–", f"of {plural(len(verdicts), 'answer')} passed"),
        (f"{named} of {len(wrong)}", "wrong answers traced to a known mistake"),
        (str(len(needs(papers)) + more), "to be looked at by a person"),
    ]
    return (
        '<div class="figures">' + "".join(f"<div><b>{n}</b><span>{what}</span></div>" for n, what in shown) + "</div>"
    )


def needs(papers: Sequence[Judged]) -> list[tuple[Judged, str, str]]:
    """Paper, where and why: what no machine should decide alone."""
    found = []
    for paper in papers:
        found += [(paper, "", problem) for problem in paper.problems]
        for v in paper.verdicts:
            if v.outcome in ("tampered", "infrastructure"):
                found.append((paper, v.exercise, v.diagnosis.text if v.diagnosis else HEADLINE[v.outcome]))
            elif v.diagnosis and v.diagnosis.kind == "unexplained":
                found.append((paper, v.exercise, v.diagnosis.text))
            found += [(paper, v.exercise, flag) for flag in v.flags]
    return found


def alike(lines: Iterable[tuple[Judged | OwnPaper, str, str]]) -> list[tuple[list[str], str, str, str]]:
    """The same by reason: students, assignment, where and why. What a whole class has is one line."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for paper, where, why in lines:
        found.setdefault((paper.assignment, where, why), []).append(paper.student)
    return [(students, *reason) for reason, students in found.items()]


def own_needs(beside: Sequence[OwnPaper]) -> list[tuple[OwnPaper, str, str]]:
    """The same of the teacher's own tests: those that decided nothing."""
    return [(paper, cell.grade_id, cell.words) for paper in beside for cell in paper.cells if cell.for_a_person]


def attention(
    papers: Sequence[Judged],
    beside: Sequence[OwnPaper] = (),
    waiting: Mapping[tuple[str, str], Sequence[str]] = EMPTY,
    left: Sequence[tuple[str, str]] = (),
) -> str:
    rows = [
        f"<li><b>{escape(some(students))}</b> <code>{escape(assignment)}{escape('/' + where if where else '')}</code> "
        f"{code_words(why)}</li>"
        for students, assignment, where, why in alike([*needs(papers), *own_needs(beside)])
    ]
    rows += [
        f"<li><code>{escape(assignment)}/{escape(cell)}</code> {plural(len(who), 'answer')} to grade by hand "
        f"<small>{escape(some(who))}</small></li>"
        for (assignment, cell), who in waiting.items()
    ]
    rows += [f"<li>no grade: <code>{escape(path)}</code> {escape(why)}</li>" for path, why in left]
    return section("Needs a person", f"<ul>{''.join(rows)}</ul>", "attention") if rows else ""


def some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def own_tests(beside: Sequence[OwnPaper]) -> str:
    """The teacher's own tests, one line each: how many passed, and how far that can be believed."""
    found: dict[tuple[str, str], list[float | None]] = {}
    most: dict[tuple[str, str], float] = {}
    for paper in beside:
        for cell in paper.cells:
            key = f"{paper.assignment}/{paper.notebook}", cell.grade_id
            found.setdefault(key, []).append(cell.points)
            most[key] = cell.max_points
    rows = "".join(
        f'<tr><th class="name"><code>{escape(where)}</code></th><td class="sum"><code>{escape(name)}</code></td>'
        f'<td class="sum">{sum(p == most[where, name] for p in points)} of {len(points)} full</td>'
        f'<td class="sum">mean {statistics.fmean(p or 0.0 for p in points):.1f}'
        f"<small>/{most[where, name]:g}</small></td></tr>"
        for (where, name), points in found.items()
    )
    said = f'<p class="legend">By nbgrader\'s score rule, and {escape(NOT_CHEAT_PROOF)}.</p>'
    content = f'{said}<div class="wide"><table><tbody>{rows}</tbody></table></div>'
    return section("The teacher's own tests", content) if rows else ""


# ---------------------------------------------------------------------------------------------------------- the plots
def histogram(chapter: Chapter, papers: Sequence[Judged]) -> str:
    """How many submissions reached which tenth of the points; the top bar holds the full marks, too."""
    scores = shares([p for p in papers if p.assignment == chapter.id], [chapter])
    bins = Counter(min(int(10 * score), 9) for score in scores)
    tallest = max(bins.values(), default=1)
    parts, middle = [], ""
    if scores:
        median = statistics.median(scores)
        parts = [f'<path class="median" d="M{20 + 280 * median:.1f} 6V138"/>']  # behind the bars and their numbers
        middle = f", median {median:.0%} (dashed)"
    parts += [bar_of_ten(i, bins[i], tallest) for i in range(10)]
    parts += [f'<text x="{20 + 28 * i}" y="152" class="axis">{10 * i}</text>' for i in range(0, 11, 2)]
    caption = f"<b>{escape(chapter.title)}</b>, {plural(len(scores), 'submission')}{middle}"
    label = f"Scores of {chapter.title}: {plural(len(scores), 'submission')}{middle}"
    return (
        f'<figure class="card"><figcaption>{caption}</figcaption><svg viewBox="0 0 320 172" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}<path class="line" d="M20 138H300"/>'
        f'<text x="160" y="169" class="axis">score, % of {chapter.points:g} points</text></svg></figure>'
    )


def bar_of_ten(i: int, count: int, tallest: int) -> str:
    if not count:
        return ""
    height = 112 * count / tallest
    x = 20 + 28 * i
    return (
        f'<rect class="bar" x="{x + 1.5}" y="{138 - height:.1f}" width="25" height="{height:.1f}" rx="3"/>'
        f'<text x="{x + 14}" y="{133 - height:.1f}" class="count">{count}</text>'
    )


def legend(papers: Sequence[Judged]) -> str:
    verdicts = [v for p in papers for v in p.verdicts]
    there = {v.outcome for v in verdicts}
    shown = [(name, MARKS[name], WORDS[name]) for name in OUTCOMES if name in there]
    if any(partly(v) for v in verdicts):
        shown.insert(1, ("wrong", "½", "partly right"))
    return (
        '<p class="legend">' + " ".join(f'<span><i class="{c}">{m}</i> {word}</span>' for c, m, word in shown) + "</p>"
    )


def partly(verdict: Verdict) -> bool:
    """Some of its groups earned their points."""
    return verdict.outcome == "wrong" and verdict.points > 0


def cards(chapter: Chapter, papers: Sequence[Judged]) -> str:
    own = [p for p in papers if p.assignment == chapter.id]
    inside = "".join(card(exercise, own) for exercise in chapter.exercises)
    return f'<h3>{escape(chapter.title)}</h3><div class="grid">{inside}</div>'


def card(exercise: Exercise, papers: Sequence[Judged]) -> str:
    """One exercise: what became of it, and its most frequent mistakes with those who made them."""
    answers = [(p, v) for p in papers if (v := p.verdict(exercise.name))]
    mean = statistics.fmean(v.points for _, v in answers) if answers else 0.0
    return (
        f'<article class="card"><h4><code>{escape(exercise.name)}</code>'
        f"<span>mean {mean:.1f} of {exercise.points:g}</span></h4>{outcome_bar([v for _, v in answers])}"
        f"{mistakes(answers)}</article>"
    )


def outcome_bar(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(v.outcome for v in verdicts)
    said = ", ".join(f"{counts[name]} {WORDS[name]}" for name in OUTCOMES if counts[name]) or "no answers"
    parts = "".join(
        f'<i class="{name}" style="flex-grow:{counts[name]}">{MARKS[name]} {counts[name]}</i>'
        for name in OUTCOMES
        if counts[name]
    )
    return f'<div class="stack" role="img" aria-label="{said}" title="{said}">{parts}</div>'


def mistakes(answers: Sequence[tuple[Judged, Verdict]]) -> str:
    seen: dict[tuple[str, str], list[tuple[Judged, Diagnosis]]] = {}
    for paper, verdict in answers:
        d = verdict.diagnosis
        if d and verdict.outcome not in ("passed", "missing"):
            seen.setdefault((d.kind, in_short(d)), []).append((paper, d))
    often = sorted(seen.items(), key=lambda item: (-len(item[1]), item[0]))
    rest = sum(len(who) for _, who in often[SHOWN_MISTAKES:])
    more = f'<p class="more">and {rest} with other mistakes</p>' if rest else ""
    return "".join(mistake(kind, who, len(answers)) for (kind, _), who in often[:SHOWN_MISTAKES]) + more


def in_short(diagnosis: Diagnosis) -> str:
    """Two or three words; a mistake with a name of its own is called by it."""
    return SHORT.get(diagnosis.kind) or diagnosis.name.replace("_", " ")


def mistake(kind: str, who: Sequence[tuple[Judged, Diagnosis]], answers: int) -> str:
    names = ", ".join(escape(paper.student) for paper, _ in who[:SHOWN_NAMES])
    names += f" and {len(who) - SHOWN_NAMES} more" if len(who) > SHOWN_NAMES else ""
    diagnosis = who[0][1]
    title = escape(in_short(diagnosis))
    share = 100 * len(who) / answers
    return (
        f'<div class="mistake {"known" if kind == "misconception" else "other"}"><b>{title}</b>'
        f'<div class="meter"><i style="width:{share:.0f}%"></i><span>{len(who)}</span></div>'
        f"<p>{code_words(diagnosis.text)}</p><p class=who>{names}</p></div>"
    )


# ---------------------------------------------------------------------------------------------------------- the table
def table(papers: Sequence[Judged], chapters: Sequence[Chapter]) -> str:
    top = "".join(
        f'<th class="chapter" colspan="{len(c.exercises) + 1}">{escape(c.title)}</th>' for c in chapters if c.exercises
    )
    heads = "".join(
        "".join(f'<th class="turned"><span>{escape(e.name)}</span></th>' for e in c.exercises)
        + '<th class="turned sum"><span>points</span></th>'
        for c in chapters
    )
    by_student: dict[str, dict[str, Judged]] = {}
    for paper in papers:
        by_student.setdefault(paper.student, {})[paper.assignment] = paper
    rows = "".join(row(student, own, chapters) for student, own in by_student.items())
    return (
        f'<div class="wide"><table><thead><tr><th rowspan="2" class="name">student</th>{top}</tr><tr>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def row(student: str, own: Mapping[str, Judged], chapters: Sequence[Chapter]) -> str:
    cells = ""
    for chapter in chapters:
        paper = own.get(chapter.id)
        for exercise in chapter.exercises:
            cells += cell(paper.verdict(exercise.name) if paper else None)
        cells += f'<td class="sum">{paper.points:g}<small>/{chapter.points:g}</small></td>' if paper else "<td></td>"
    return f'<tr><th class="name">{escape(student)}</th>{cells}</tr>'


def cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "<td>·</td>"
    said = f"{verdict.exercise}: {HEADLINE[verdict.outcome]} ({verdict.points:g}/{verdict.max_points:g})"
    if verdict.diagnosis:
        said += f". {verdict.diagnosis.text}"
    mark = "½" if partly(verdict) else MARKS[verdict.outcome]
    return f'<td title="{escape(said)}"><i class="{verdict.outcome}">{mark}</i></td>'


# --------------------------------------------------------------------------------------------------------- provenance
def provenance(papers: Sequence[Judged], chapters: Sequence[Chapter]) -> str:
    """Enough to tell what was judged and how; the secret seed is not part of it."""
    modes = Counter(v.mode for p in papers for v in p.verdicts if v.outcome not in ("missing", "infrastructure"))
    ran = "".join(f"<li>{plural(n, 'answer')} in {escape(MODES.get(mode, mode))}.</li>" for mode, n in modes.items())
    hashes = {v.exercise: v.exercise_hash for p in papers for v in p.verdicts}
    versions = "".join(
        f"<li><code>{escape(e.name)}</code> {escape(hashes[e.name][:12])}</li>"
        for chapter in chapters
        for e in chapter.exercises
        if e.name in hashes
    )
    return (
        f"<ul>{ran}</ul><p>Inputs were drawn from a secret seed, the same for the whole class, which stays in the "
        "course folder: with it every verdict can be repeated.</p>"
        f'<details><summary>Versions of the exercises</summary><ul class="hashes">{versions}</ul></details>'
    )
