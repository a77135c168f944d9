"""The same views for machines: JSON, described in docs/json.md.

The shape of a view stands beside its table, in the modules next to this one.
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

from pjreg_cli.api.configuration import Option
from pjreg_cli.config.secrets import MASK, SECRETS

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
    before = FIRST
    while batch := list(islice(source, _CHUNK)):
        yield elements(batch, before)
        before = NEXT
    yield end(before)


#: what stands before the first elements of a list, and before others
FIRST, NEXT = "[\n", ",\n"


def elements(values: Iterable[Value], before: str) -> str:
    """Some elements of a list, behind what stands before them; there is one at least."""
    return before + ",\n".join(map(_encode, values))


def end(before: str) -> str:
    """The end of a list; `before` is what would stand before another element."""
    return "[]\n" if before == FIRST else "\n]\n"


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
