"""The same views for machines: one stable shape for each command, described in docs/json.md.

Instants are ISO 8601 in UTC, durations numbers of seconds in keys that end in `_s`.  Lists come
one element a line, so that they can be read, and made, as they stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from pjreg_cli.port import Evidence, ObjectView, Option, RegistrationView, Row

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
#: elements rendered at once
_CHUNK = 256
_SECRETS = frozenset(
    ("password", "md5_cred", "password_digest", "oauth_secret", "refresh_token", "secret")
)
MASK = "********"

_encode = json.JSONEncoder(ensure_ascii=False).encode


def instant(at: float) -> str:
    """Seconds since 1970 as `2026-08-01T12:00:00Z`, cut to whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(value: Value) -> list[str]:
    """One value, indented for people."""
    return [json.dumps(value, ensure_ascii=False, indent=2) + "\n"]


def array(values: Iterable[Value]) -> Iterator[str]:
    """A list, one element a line, in chunks of whole lines made as they are asked for."""
    source = iter(values)
    before = "[\n"
    while batch := list(islice(source, _CHUNK)):
        yield before + ",\n".join(map(_encode, batch))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def plain(output: Iterable[str], ok: bool) -> list[str]:
    """What a command said that has no shape of its own."""
    return document({"ok": ok, "output": "".join(output).splitlines()})


def error(message: str) -> list[str]:
    """Why there is nothing to show."""
    return document({"error": message})


def options(shown: Iterable[Option]) -> dict[str, Value]:
    """Options by name: a text, or a list where there may be several; secrets never."""
    return {
        option.name: _hidden(option) if option.name in _SECRETS else _value(option)
        for option in shown
    }


def _value(option: Option) -> Value:
    values = [value for value in option.values if value]
    if option.name in ("outbound_auth", "local_net"):
        return values
    return values[0] if values else ""


def _hidden(option: Option) -> str:
    return MASK if any(option.values) else ""


def registration(row: Row, now_at: float) -> dict[str, Value]:
    """One row of the table of registrations."""
    due_at = None if row.due_s is None else instant(now_at + row.due_s)
    return {
        "name": row.name,
        "server_uri": row.server_uri,
        "auth": row.auth or None,
        "status": row.word or "Unregistered",
        "has_state": row.word is not None,
        "scheduled_in_s": row.due_s,
        "scheduled_at": due_at,
    }


def details(view: RegistrationView, now_at: float) -> dict[str, Value]:
    """One registration in full."""
    return {
        **registration(view.row, now_at),
        "client_uri": view.client_uri,
        "auths": list(view.auths),
        "next_attempt_in_s": view.next_attempt_s or None,
        "attempts": view.attempts,
        "retries": view.retries,
        "last": evidence(view.evidence),
        "options": options(view.options),
        "source": view.source,
    }


def evidence(facts: Evidence | None) -> dict[str, Value] | None:
    """What the last settled attempt was about."""
    if facts is None:
        return None
    return {
        "at": instant(facts.at),
        "method": facts.method,
        "code": facts.code,
        "reason": facts.reason,
        "cause": facts.cause,
        "rule": facts.rule,
        "target": facts.target or None,
        "received": facts.received or None,
        "granted_s": facts.granted_s,
    }


def auth(view: ObjectView) -> dict[str, Value]:
    """One row of the table of auth sections."""
    return {"name": view.name, "username": view.columns[0], "source": view.source}


def transport(view: ObjectView) -> dict[str, Value]:
    """One row of the table of transports."""
    kind, cos, tos, bind = view.columns
    return {
        "name": view.name,
        "type": kind,
        "cos": int(cos),
        "tos": int(tos),
        "bind": bind,
        "source": view.source,
    }
