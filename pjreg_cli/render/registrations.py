"""The tables of registrations, byte for byte as Asterisk prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pjreg_cli.api.registrations import RegistrationRow, RegistrationView
from pjreg_cli.dialects import Dialect
from pjreg_cli.render import columns, evidence, json, objects

#: bytes of the column `NAME/URI`
_LEFT = 54


def head(dialect: Dialect) -> str:
    """The head of the table and the line under it, between empty lines."""
    auth = "<Auth" + "." * (dialect.auth_width - 6) + ">"
    return (
        f"\n <Registration/ServerURI..............................>  {auth}  <Status.......>\n"
        f"{dialect.rule}\n\n"
    )


def table(rows: Iterable[RegistrationRow], dialect: Dialect) -> Iterator[str]:
    """The whole table in chunks of whole lines, made as they are asked for.

    `rows` is read once, as far as is asked; no more than a chunk is held.
    """
    return objects.framed(head(dialect), _lines(rows, dialect), dialect)


def lines(rows: list[RegistrationRow], dialect: Dialect) -> list[str]:
    """Some rows of the table, without its head."""
    return (_current if dialect.expiry else _twelve)(rows, dialect.auth_width)


def _lines(rows: Iterable[RegistrationRow], dialect: Dialect) -> Iterator[list[str]]:
    source = iter(rows)
    while batch := list(islice(source, objects.CHUNK)):
        yield lines(batch, dialect)


def _current(rows: list[RegistrationRow], _auth_width: int) -> list[str]:
    """Rows of today's dialect; this loop decides how fast a large table comes."""
    lines = []
    for name, uri, auth, word, due_s in rows:
        left = f"{name}/{uri}"
        if len(name) >= _LEFT or not left.isascii() or not auth.isascii():
            start = _odd(name, uri, auth, 26)
        else:
            start = f" {left:<54.54}  {auth or 'n/a':<26}  "
        if word is None:
            lines.append(f"{start}Unregistered     0\n")
        elif due_s is None or due_s >= 0:
            lines.append(f"{start}{word:<16}  (exp. {due_s or 0}s)\n")
        else:
            lines.append(f"{start}{word:<16}  (exp. {-due_s}s ago)\n")
    return lines


def _twelve(rows: list[RegistrationRow], auth_width: int) -> list[str]:
    return [
        f"{_odd(name, uri, auth, auth_width)}{word or 'Unregistered':<16}\n"
        for name, uri, auth, word, _due_s in rows
    ]


def _odd(name: str, uri: str, auth: str, auth_width: int) -> str:
    """A row up to its status, for any name.

    The URI has what the name leaves of its column.  Nothing left: no URI.  Less than nothing: a
    negative width of C's printf, so the whole URI padded to the absolute value.
    """
    room = _LEFT - 1 - columns.width(name)
    fitted = columns.pad(columns.cut(uri, room) if room >= 0 else uri, abs(room))
    return f" {name}/{fitted}  {columns.pad(auth or 'n/a', auth_width)}  "


def details(view: RegistrationView, dialect: Dialect) -> Iterator[str]:
    """One registration: head, row, options."""
    shown = [option for option in view.options if dialect.shows(option.name)]
    row = "".join(next(_lines([view.row], dialect)))
    yield f"{head(dialect)}{row}\n{objects.options(shown)}\n"


def row_shape(row: RegistrationRow, now_at: float) -> json.Shape:
    """One row of the table of registrations."""
    due_at = None if row.due_s is None else json.instant(now_at + row.due_s)
    return {
        "name": row.name,
        "server_uri": row.server_uri,
        "auth": row.auth or None,
        "status": row.word or "Unregistered",
        "has_state": row.word is not None,
        "scheduled_in_s": row.due_s,
        "scheduled_at": due_at,
    }


def details_shape(view: RegistrationView, now_at: float) -> json.Shape:
    """One registration in full."""
    return {
        **row_shape(view.row, now_at),
        "client_uri": view.client_uri,
        "auths": list(view.auths),
        "next_attempt_in_s": view.next_attempt_s or None,
        "under_way": evidence.under_way_shape(view.under_way),
        "attempts": view.attempts,
        "retries": view.retries,
        "last": evidence.evidence_shape(view.evidence),
        "options": json.options(view.options),
        "source": view.source,
    }
