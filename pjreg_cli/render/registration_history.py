"""The history of a registration: what has happened, and how much of the time it stood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pjreg_cli.api.findings import Step
from pjreg_cli.api.history import Happened
from pjreg_cli.render import columns, explanation, facts
from pjreg_cli.render.json import Shape, Value, instant

_SPANS = (("hour", 3_600.0), ("day", 86_400.0), ("week", 7 * 86_400.0))
REGISTERED = "Registered"
ANSWERED = "answered"

_HEAD = ("At", "What", "Status", "Code", "Cause", "Reason", "Target")
#: on a terminal that is too narrow for all: the zone goes up, and the target away
_ZONE = " UTC"
_SHORT_HEAD = "At (UTC)"
_SHORT = range(len(_HEAD) - 1)
#: columns of a terminal from which on there is room for the target
_BROAD = 100
#: columns that are of no use when they are cut
_WHOLE = range(4)


class Share(NamedTuple):
    """How much of a time a registration stood."""

    span: str
    part: float | None
    """0 .. 1; None where nothing is known of it."""


def shares(transitions: Sequence[Happened], now_at: float) -> list[Share]:
    """The share of the last hour, day and week; the time before the first transition does not
    count."""
    found = []
    for span, length_s in _SPANS:
        begin = now_at - length_s
        known = good = 0.0
        ends = [*(one.at for one in transitions[1:]), now_at]
        for one, end in zip(transitions, ends, strict=False):
            lasted = max(0.0, min(end, now_at) - max(one.at, begin))
            known += lasted
            good += lasted if one.word == REGISTERED else 0.0
        found.append(Share(span, good / known if known else None))
    return found


def flaps(transitions: Sequence[Happened], now_at: float) -> int:
    """How often it was lost within the last day."""
    words = [one.word for one in transitions if one.at >= now_at - 86_400.0]
    return sum(a == REGISTERED and b != REGISTERED for a, b in pairwise(words))


def page(
    name: str,
    events: Sequence[Happened],
    transitions: Sequence[Happened],
    now_at: float,
    terminal: int = 0,
) -> Iterator[str]:
    """`pjreg history`: the summary, then a line for each event, the newest last.

    On a `terminal` of so many columns (0: there is none) lines keep to it.
    """
    if not events and not transitions:
        yield f"Nothing is known of the past of {columns.harmless(name)}.\n"
        return
    parts = [
        f"{share.part:.1%} of the last {share.span}"
        for share in shares(transitions, now_at)
        if share.part is not None
    ]
    lost = flaps(transitions, now_at)
    times = "once" if lost == 1 else f"{lost} times"
    known_s = now_at - transitions[0].at if transitions else 0.0
    short = parts and known_s < _SPANS[-1][1]
    known = f", as far as it is known ({explanation.ago(known_s)})" if short else ""
    told = f"Registered {', '.join(parts) or 'never'}{known}; lost {times} within the last day"
    yield from columns.wrapped("", f"{columns.harmless(name)}: {told}", terminal)
    yield "\n"
    rows = [_HEAD, *map(_row, events)]
    sizes = columns.fitted(rows, 0)
    if terminal and sum(sizes) + columns.GAP * (len(sizes) - 1) > terminal:
        shown = _SHORT if terminal < _BROAD else range(len(_HEAD))
        rows = [(_SHORT_HEAD, *_HEAD[1:]), *((row[0][: -len(_ZONE)], *row[1:]) for row in rows[1:])]
        rows = [tuple(row[at] for at in shown) for row in rows]
        sizes = columns.fitted(rows, terminal, _WHOLE)
    for row in rows:
        yield columns.line(row, sizes).rstrip() + "\n"


def _row(one: Happened) -> tuple[str, ...]:
    target, reason = (str(one.facts.get(fact) or "-") for fact in ("target", "reason"))
    return (
        facts.clock(one.at),
        one.kind,
        one.word,
        code(one),
        one.cause or "-",
        columns.harmless(reason).removeprefix(f"{target}: "),
        target,
    )


def code(one: Happened) -> str:
    """Its status code, in brackets where nobody has sent it: it stands for no answer."""
    answered = one.facts.get("outcome", ANSWERED) == ANSWERED
    return "-" if not one.code else str(one.code) if answered else f"({one.code})"


def shape(
    name: str, events: Sequence[Happened], transitions: Sequence[Happened], now_at: float
) -> Shape:
    """The same for machines."""
    return {
        "name": name,
        "registered": {
            share.span: None if share.part is None else round(share.part, 6)
            for share in shares(transitions, now_at)
        },
        "flaps": flaps(transitions, now_at),
        "events": [
            {
                **{key: _plain(value) for key, value in one.facts.items()},
                "at": instant(one.at),
                "kind": one.kind,
                "status": one.word,
                "code": one.code or None,
                "cause": one.cause or None,
            }
            for one in events
        ],
    }


def step(one: Happened) -> Step:
    """A line of the past as one of an explanation."""
    reason = str(one.facts.get("reason") or "")
    answer = f"{code(one)} {columns.harmless(reason)[:80]}".rstrip() if one.code else "no answer"
    text = f"{one.word} at {facts.clock(one.at)}: {answer} ({one.cause or 'no cause'})"
    return Step("last known", one.word == REGISTERED, text, one.at, (("code", one.code),))


def _plain(value: object) -> Value:
    return value if isinstance(value, str | int | float | bool) else None
