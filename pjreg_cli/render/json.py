"""The same views for machines: one stable shape for each command, described in docs/json.md.

Instants are ISO 8601 in UTC, durations numbers of seconds in keys that end in `_s`.  Lists come
one element a line, so that they can be read, and made, as they stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from pjreg_cli.api.configuration import (
    ModuleHelp,
    ObjectView,
    Option,
    OptionHelp,
    Planned,
    Problem,
    TypeHelp,
)
from pjreg_cli.api.instance import InstanceView, LogChannel, ReloadReport
from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
from pjreg_cli.api.registrations import Evidence, RegistrationRow, RegistrationView, UnderWay
from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.config.secrets import MASK, SECRETS
from pjreg_cli.counters import Count

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
Shape = dict[str, Value]
_View = TypeVar("_View")
#: elements rendered at once
_CHUNK = 256

_encode_any = json.JSONEncoder(ensure_ascii=False).encode
#: what must not stand in a JSON text or may steer a terminal: bytes that are no UTF-8 (PEP 383),
#: control characters, and those that turn the direction of writing
_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _safe(found: re.Match[str]) -> str:
    """A byte that is no UTF-8 as the character it is in Latin-1, anything else by its number."""
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
        if code >= 0xA0:
            return chr(code)
    return f"\\u{code:04x}" if not 0xD800 <= code <= 0xDFFF else "\ufffd"


def _valid(text: str) -> str:
    """A JSON text that every reader takes (RFC 8259 section 8.1: it is UTF-8)."""
    return text if text.isascii() else _UNSAFE.sub(_safe, text)


def _encode(value: Value) -> str:
    return _valid(_encode_any(value))


def instant(at: float) -> str:
    """Seconds since 1970 as `2026-08-01T12:00:00Z`, cut to whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(value: Value) -> list[str]:
    """One value, indented for people."""
    return [_valid(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"]


def array(values: Iterable[Value]) -> Iterator[str]:
    """A list, one element a line, in chunks of whole lines made as they are asked for."""
    source = iter(values)
    before = "[\n"
    while batch := list(islice(source, _CHUNK)):
        yield before + ",\n".join(map(_encode, batch))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def whole(shape: Callable[[_View], Value]) -> Callable[[_View], list[str]]:
    """Render one view, by its shape."""
    return lambda view: document(shape(view))


def each(shape: Callable[[_View], Value]) -> Callable[[Iterable[_View]], Iterator[str]]:
    """Render views as a list, by the shape of one of them."""
    return lambda views: array(map(shape, views))


def line(value: object) -> list[str]:
    """One value on one line, in ASCII."""
    return [json.dumps(value, ensure_ascii=True) + "\n"]


def plain(output: Iterable[str]) -> list[str]:
    """What a command said that has no shape of its own."""
    return document({"output": "".join(output).splitlines()})


def error(output: Iterable[str]) -> list[str]:
    """Why a command failed, or that there is no such thing."""
    return document({"error": "".join(output).strip()})


def options(shown: Iterable[Option]) -> Shape:
    """Options by name: a text, or a list where there may be several; secrets never."""
    return {
        option.name: _hidden(option) if option.name in SECRETS else _value(option)
        for option in shown
    }


def _value(option: Option) -> Value:
    values = [value for value in option.values if value]
    if option.name in ("outbound_auth", "local_net"):
        return values
    return values[0] if values else ""


def _hidden(option: Option) -> str:
    return MASK if any(option.values) else ""


def count(one: Count) -> Shape:
    """A counter of the instance."""
    return {"name": one.name, "value": one.value, "meaning": one.meaning}


def registration(row: RegistrationRow, now_at: float) -> Shape:
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


def details(view: RegistrationView, now_at: float) -> Shape:
    """One registration in full."""
    return {
        **registration(view.row, now_at),
        "client_uri": view.client_uri,
        "auths": list(view.auths),
        "next_attempt_in_s": view.next_attempt_s or None,
        "under_way": under_way(view.under_way),
        "attempts": view.attempts,
        "retries": view.retries,
        "last": evidence(view.evidence),
        "options": options(view.options),
        "source": view.source,
    }


def evidence(facts: Evidence | None) -> Shape | None:
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
        "contact_missing": facts.contact_missing,
        "took_s": None if facts.took_s is None else round(facts.took_s, 3),
    }


def under_way(sent: UnderWay | None) -> Shape | None:
    """The request that has no final answer yet."""
    if sent is None:
        return None
    return {
        "method": sent.method,
        "sent_s_ago": None if sent.since_s is None else int(sent.since_s),
        "resends": sent.resends,
        "target": sent.target or None,
    }


def auth(view: ObjectView) -> Shape:
    """One row of the table of auth sections."""
    return {"name": view.name, "username": view.columns[0], "source": view.source}


def transport(view: ObjectView) -> Shape:
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


def full(view: ObjectView, row: Callable[[ObjectView], Shape]) -> Shape:
    """One auth section or transport in full: its row of the table, and its options."""
    return {**row(view), "options": options(view.options)}


def version(view: InstanceView) -> Shape:
    """`core show version`."""
    return {"version": view.version}


def uptime(view: InstanceView) -> Shape:
    """`core show uptime`."""
    return {
        "started_at": instant(view.started_at),
        "reloaded_at": instant(view.reloaded_at),
        "uptime_s": max(int(view.now_at - view.started_at), 0),
        "since_reload_s": max(int(view.now_at - view.reloaded_at), 0),
    }


def settings(view: InstanceView, verbose: int) -> Shape:
    """`core show settings`."""
    return {
        "version": view.version,
        "live": view.live,
        "verbose": verbose,
        "debug": view.debug,
        "started_at": instant(view.started_at) if view.live else None,
        "reloaded_at": instant(view.reloaded_at) if view.live else None,
        "manager_enabled": view.manager_enabled,
        "config_path": view.config_path,
        "config_dir": view.config_dir,
        "socket_path": view.socket_path or None,
        "pid": view.pid or None,
    }


def module(row: tuple[str, str, int]) -> Shape:
    """One row of `module show`."""
    name, description, uses = row
    return {"name": name, "description": description, "use_count": uses, "status": "Running"}


def log_channel(channel: LogChannel) -> Shape:
    """One row of `logger show channels`."""
    return {
        "name": channel.name,
        "type": channel.kind,
        "formatter": channel.formatter,
        "enabled": channel.enabled,
        "levels": list(channel.levels),
    }


def history(entry: HistoryEntry) -> Shape:
    """One message of the history; the whole text too."""
    return {
        "number": entry.number,
        "at": instant(entry.at),
        "sent": entry.sent,
        "address": entry.address,
        "method": entry.method,
        "call_id": entry.call_id,
        "text": entry.text,
    }


def manager_user(user: ManagerUser) -> Shape:
    """One user of manager.conf."""
    return {
        "name": user.name,
        "has_secret": user.has_secret,
        "acl": [{"permit": permit, "network": network} for permit, network in user.acl],
        "read": list(user.read),
        "write": list(user.write),
        "displayconnects": user.displayconnects,
        "allowmultiplelogin": user.allowmultiplelogin,
    }


def manager_session(session: ManagerSession) -> Shape:
    """One logged-in connection."""
    return {
        "username": session.username,
        "address": session.address,
        "started_at": instant(session.started_at),
        "read": session.read,
        "write": session.write,
    }


def manager_action(action: ManagerAction) -> Shape:
    """One action of the manager interface."""
    return {
        "name": action.name,
        "privilege": action.privilege,
        "summary": action.summary,
        "description": action.description,
    }


def option_help(option: OptionHelp) -> Shape:
    """The explanation of one option."""
    return {
        "name": option.name,
        "synopsis": option.synopsis,
        "description": option.description,
        "type": option.type_name,
        "default": option.default,
    }


def type_help(section: TypeHelp) -> Shape:
    """The explanation of one section type."""
    return {
        "name": section.name,
        "synopsis": section.synopsis,
        "description": section.description,
        "options": [option_help(option) for option in section.options],
    }


def module_help(module: ModuleHelp) -> Shape:
    """The explanation of one module."""
    return {"name": module.name, "types": [type_help(section) for section in module.types]}


def problem(found: Problem) -> Shape:
    """One problem of the configuration."""
    return {
        "path": found.path,
        "line": found.line,
        "level": found.level.value,
        "message": found.message,
    }


def planned(step: Planned) -> Shape:
    """What a reload would do, or did, to one thing."""
    return {
        "name": step.name,
        "action": step.action,
        "because": list(step.because),
        "kind": step.kind,
        "place": step.place or None,
    }


def reloaded(reports: Sequence[ReloadReport]) -> Shape:
    """What reloads did and what of them failed."""
    return {
        "ok": all(report.ok for report in reports),
        "modules": [
            {
                "module": report.module,
                "known": report.known,
                "ok": report.ok,
                "failures": list(report.failures),
                "steps": [planned(step) for step in report.steps if step.action != "kept"],
            }
            for report in reports
        ],
    }


def status(view: RegistrationView, now_at: float) -> Shape:
    """How one registration stands, and why."""
    return {
        **registration(view.row, now_at),
        "next_attempt_in_s": view.next_attempt_s or None,
        "under_way": under_way(view.under_way),
        "attempts": view.attempts,
        "retries": view.retries,
        "last": evidence(view.evidence),
        "since_at": None if view.since_at is None else instant(view.since_at),
        "ends_at": None if view.ends_at is None else instant(view.ends_at),
        "cause": view.cause(),
        "source": view.source,
    }
