"""A finding as people read it at night, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pjreg_cli.api.findings import Finding, Fix
from pjreg_cli.render import columns, json

#: no line is longer, however broad the terminal
_WIDTH = 80
#: where the text of a line begins
_TEXT = 14
_DAY_S = 86_400.0


def explanation(
    finding: Finding, now_at: float, directory: str, terminal: int = 0
) -> Iterator[str]:
    """The lines of `pjreg explain`; paths below `directory` are shown from there on.

    `terminal` is how many columns that has; 0: there is none.
    """
    width = min(terminal or _WIDTH, _WIDTH)

    def _line(mark: str, name: str, text: str) -> Iterator[str]:
        front = f"{mark:<2}{name:<{_TEXT - 2}}"
        return columns.wrapped(front, columns.harmless(text), width)

    yield from columns.wrapped("", f"{_headline(finding, now_at)}.", width)
    yield "\n"
    for step in finding.steps:
        yield from _line("!" if not step.ok else "", step.step, _short(step.text, directory))
    for note in finding.notes:
        yield from _line("", "note", f"{note.cause}: {note.text}")
    if finding.steps or finding.notes:
        yield "\n"
    yield from _line("", "next", finding.next.text)
    for number, fix in enumerate(finding.fix):
        yield from _line("", "" if number else "fix", _fix(fix, directory))


def _headline(finding: Finding, now_at: float) -> str:
    since = ""
    if finding.since_at is not None:
        since = f" since {instant(finding.since_at, now_at)} ({ago(now_at - finding.since_at)})"
    told = f"{finding.name} is {finding.status}{since}: {finding.finding}"
    return columns.harmless(told)


def instant(at: float, now_at: float) -> str:
    """A clock time in UTC; with its day where it is not of the last 24 hours."""
    form = "%H:%M:%S UTC" if 0 <= now_at - at < _DAY_S else "%Y-%m-%d %H:%M UTC"
    return datetime.fromtimestamp(int(at), UTC).strftime(form)


def ago(seconds: float) -> str:
    """How long something has lasted: `12 s`, `3 min`, `5 h`, `2 days`."""
    whole = max(0, round(seconds))
    for size, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {name}"
    return f"{whole} s"


def _fix(fix: Fix, directory: str) -> str:
    if not fix.where:
        return fix.text
    first, comma, rest = fix.text.partition(", then")
    return f"{first}, {_short(fix.where, directory)}{comma}{rest}"


def _short(text: str, directory: str) -> str:
    return text.replace(f"{directory}/", "") if directory not in ("", "/", ".") else text


def shape(found: Finding) -> json.Shape:
    """The same for machines."""
    return {
        "name": found.name,
        "status": found.status,
        "since_at": None if found.since_at is None else json.instant(found.since_at),
        "ok": found.ok,
        "cause": found.cause,
        "finding": found.finding,
        "steps": [
            {
                **dict(step.facts),
                "step": step.step,
                "ok": step.ok,
                "text": step.text,
                "at": None if step.at is None else json.instant(step.at),
            }
            for step in found.steps
        ],
        "evidence": list(found.evidence),
        "notes": [note._asdict() for note in found.notes],
        "next": {
            "action": found.next.action,
            "at": None if found.next.at is None else json.instant(found.next.at),
            "in_s": found.next.in_s,
            "text": found.next.text,
        },
        "fix": [fix._asdict() for fix in found.fix],
    }
