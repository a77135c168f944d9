"""`pjreg status` in columns of the operator's choice, for a screen, a spreadsheet or one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from pjreg_cli.api.registrations import RegistrationView
from pjreg_cli.render import columns, evidence, facts, json, objects, registrations

#: rows whose cells decide how broad the columns are
_JUDGED = 256


class Column(NamedTuple):
    """One thing to know of each registration."""

    head: str
    cell: Callable[[RegistrationView], str]
    width: int = 0
    """The narrowest where the terminal's width is not known, so that rows can stream."""


def _settled(view: RegistrationView) -> str:
    return facts.clock(view.evidence.at) if view.evidence else "-"


def _granted(view: RegistrationView) -> str:
    found = view.evidence
    return f"{found.granted_s}s" if found and found.granted_s is not None else "-"


COLUMNS = {
    "name": Column("Registration", lambda view: view.row.name, 24),
    "status": Column("Status", lambda view: view.row.word or "Unregistered", 12),
    "answer": Column("Last answer", lambda view: evidence.answer(view.evidence), 24),
    "rule": Column("Rule", lambda view: view.evidence.rule if view.evidence else "-", 12),
    "target": Column(
        "Target", lambda view: (view.evidence.target if view.evidence else "") or "-", 26
    ),
    "next": Column("Next attempt", evidence.next_attempt, 12),
    "cause": Column("Cause", lambda view: view.cause() or "-", 20),
    "since": Column("Since", lambda view: evidence.clock(view.since_at), 23),
    "ends": Column("Binding ends", lambda view: evidence.clock(view.ends_at), 23),
    "server": Column("Server", lambda view: view.row.server_uri, 30),
    "account": Column("Account", lambda view: view.client_uri, 30),
    "attempts": Column("Attempts", lambda view: str(view.attempts), 8),
    "retries": Column("Retries", lambda view: str(view.retries), 8),
    "tries": Column("Retries used", evidence.tries, 12),
    "granted": Column("Granted", _granted, 8),
    "seen": Column(
        "Seen as",
        lambda view: columns.harmless(view.evidence.received if view.evidence else "") or "-",
        21,
    ),
    "settled": Column("Last settled", _settled, 23),
    "source": Column("Configured", lambda view: view.source, 24),
}
DEFAULT = ("name", "status", "answer", "rule", "target", "next", "cause")
#: and where there is room for them
MORE = ("since", "tries", "granted", "ends")
_ROOMY = 200
#: those that matter most, where all of them would be cut beyond recognition
_FEW = ("name", "status", "answer", "next", "cause")
_NARROW = 100
#: cut last of all: what is to be understood, and looked up
_WHOLE = ("status", "cause")
#: refused sections that are named
_NAMED = 5
#: the words of a registration, those in trouble first
_TROUBLE = {"Rejected": 0, "Stopped": 1, "Unregistered": 2, "Registered": 3}


def by_trouble(view: RegistrationView) -> tuple[float, str]:
    """Sorts registrations: those in trouble first, of these the longest settled first."""
    word = view.row.word or "Unregistered"
    at = view.evidence.at if view.evidence is not None else 0.0
    rank = _TROUBLE.get(word, 1) - (0.5 if view.limping else 0.0)
    return rank * 1e12 + at, view.row.name


def usual(width: int) -> Sequence[str]:
    """The columns that nobody chose: on a terminal as many as one can read."""
    if 0 < width < _NARROW:
        return _FEW
    return (*DEFAULT, *MORE) if not width or width >= _ROOMY else DEFAULT


def table(
    views: Iterable[RegistrationView],
    names: Sequence[str],
    width: int,
    refused: Sequence[str] = (),
) -> Iterator[str]:
    """A row for each registration, made as it is asked for; behind them the names of those that
    were `refused`.

    With a `width` (0: none is known) rows are cut to it, the broadest columns first.
    """
    shown = [COLUMNS[name] for name in names]
    rows = (tuple(column.cell(view) for column in shown) for view in views)
    head = tuple(column.head for column in shown)
    first = list(islice(rows, _JUDGED)) if width else []
    whole = [at for at, name in enumerate(names) if name in _WHOLE]
    sizes = (
        columns.fitted([head, *first], width, whole)
        if width
        else tuple(column.width for column in shown[:-1])
    )
    count = 0
    for row in chain(first, rows):
        if not count:
            yield _line(head, sizes, cutting=bool(width))
        count += 1
        yield _line(row, sizes, cutting=bool(width))
    known = f"{count} registration{'' if count == 1 else 's'}"
    if refused:
        told = ", ".join(map(columns.harmless, refused[:_NAMED]))
        more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        yield f"\n{known}, {len(refused)} refused: {told}{more}\n"
        return
    yield f"\n{known}\n" if count else objects.NOTHING


def _line(cells: Sequence[str], sizes: Sequence[int], *, cutting: bool) -> str:
    if cutting:
        return columns.line(cells, sizes).rstrip() + "\n"
    padded = [columns.pad(cell, size) for cell, size in zip(cells, sizes, strict=False)]
    return (" " * columns.GAP).join([*padded, *cells[len(padded) :]]).rstrip() + "\n"


def comma_separated(views: Iterable[RegistrationView], names: Sequence[str]) -> Iterator[str]:
    """The same for a spreadsheet (RFC 4180, with plain line feeds); the first row has the names."""
    yield _csv_row(names)
    shown = [COLUMNS[name] for name in names]
    for view in views:
        yield _csv_row([column.cell(view) for column in shown])


def _csv_row(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def vertical(views: Iterable[RegistrationView]) -> Iterator[str]:
    """Everything known of each, a line for each fact, an empty line between two."""
    between = ""
    for view in views:
        yield between
        yield from evidence.one(view)
        between = "\n"
    if not between:
        yield objects.NOTHING


def shape(view: RegistrationView, now_at: float) -> json.Shape:
    """How one registration stands, and why."""
    return {
        **registrations.row_shape(view.row, now_at),
        "next_attempt_in_s": view.next_attempt_s or None,
        "under_way": evidence.under_way_shape(view.under_way),
        "attempts": view.attempts,
        "retries": view.retries,
        "max_retries": _number(evidence.most_retries(view)),
        "last": evidence.evidence_shape(view.evidence),
        "since_at": None if view.since_at is None else json.instant(view.since_at),
        "ends_at": None if view.ends_at is None else json.instant(view.ends_at),
        "cause": view.cause(),
        "source": view.source,
    }


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
