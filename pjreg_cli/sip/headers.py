"""Header fields: names, compact forms, lists, and the few values everybody needs.

RFC 3261 sections 7.3 and 20.  Values stay text until somebody asks what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.uri import Parameters, find_parameter, read_parameters

_BLANKS = " \t\r\n"

#: RFC 3261 section 7.3.3 and the registrations at IANA since
_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

#: CSeq numbers end here (RFC 3261 section 8.1.1.5)
_CSEQ_LIMIT = 2**31
_CSEQ_DIGITS = 20
_CSEQ = re.compile(r"([0-9]+)[ \t]+([!-~]+)")

_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE_END = re.compile(r"[\r\n]+")
#: the rest of a line with those folded onto it
_VALUE = r"([^\n]*(?:\n[ \t][^\n]*)*)"
_FIELD = re.compile(rf"\n(?![ \t])([^\n:]+):{_VALUE}")


def canonical(name: str) -> str:
    """The one key of a header name: lower case, written out, without blanks."""
    key = name.strip(_BLANKS).lower()
    return _COMPACT.get(key, key)


# who asks is this program, not the network: the names are few
@lru_cache(maxsize=256)
def _field_named(name: str) -> re.Pattern[str]:
    """Finds the fields of this name, however they spell it."""
    key = canonical(name)
    spellings = "|".join(
        [re.escape(key), *(letter for letter, long in _COMPACT.items() if long == key)]
    )
    return re.compile(rf"\n(?:{spellings})[ \t]*:{_VALUE}", re.IGNORECASE)


def _plain(value: str) -> str:
    """A value without the blanks around it, its folded lines made one."""
    value = value.strip(_BLANKS)
    return _FOLD.sub(" ", value) if "\n" in value else value


def _one_line(text: str) -> str:
    return _LINE_END.sub(" ", text) if "\n" in text or "\r" in text else text


class Headers:
    """Header fields in order; names in any letter case, long or compact, mean the same.

    A value that never changes, and text until somebody asks: to find one field in the whole text
    costs a tenth of taking all of them apart.  What was read from the wire keeps its spelling
    when written again, folded lines apart.
    """

    __slots__ = ("_text",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._text = "".join(f"\n{_one_line(name)}: {_one_line(value)}" for name, value in fields)

    @classmethod
    def read(cls, text: str) -> Headers:
        """The fields of `text`, one a line; lines that are no header are passed over."""
        self = cls.__new__(cls)
        self._text = text if text[:1] == "\n" else "\n" + text
        return self

    @property
    def text(self) -> str:
        """All of them as they came, each behind a line feed."""
        return self._text

    def get(self, name: str) -> str | None:
        """The first value of this name without the blanks around it, or None."""
        match = _field_named(name).search(self._text)
        return None if match is None else _plain(match[1])

    def all(self, name: str) -> tuple[str, ...]:
        """The values of this name, one for each line, in order."""
        return tuple(map(_plain, _field_named(name).findall(self._text)))

    def listed(self, name: str) -> tuple[str, ...]:
        """The elements of a comma-separated header, whether in one line or several."""
        return tuple(item for value in self.all(name) for item in split_list(value))

    def has(self, *names: str) -> bool:
        """Whether there is a field of each of these names."""
        return all(_field_named(name).search(self._text) for name in names)

    def without(self, *names: str) -> Headers:
        """These fields save those of the names given."""
        text = self._text
        for name in names:
            text = _field_named(name).sub("", text)
        return Headers.read(text)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Name as written and value, in order."""
        for match in _FIELD.finditer(self._text):
            yield match[1].strip(_BLANKS), _plain(match[2])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[tuple[str, str], ...]:
        return tuple((canonical(name), value) for name, value in self)

    def __str__(self) -> str:
        """The fields as they go on the wire, each with its line end; no value can add a line."""
        return "".join(f"{_one_line(name)}: {_one_line(value)}\r\n" for name, value in self)

    def __repr__(self) -> str:
        # names only: an Authorization must not slip into a log by way of repr
        return f"Headers({', '.join(name for name, _ in self)})"


# -- lists ------------------------------------------------------------------------------------

_SPECIAL = re.compile(r'[",<>\\]')


def split_list(value: str) -> list[str]:
    """The elements between commas, blanks around them dropped, empty ones left out.

    Commas in quoted strings and in angle brackets do not count; a quote or bracket that is never
    closed reaches to the end.
    """
    if "," not in value:
        pieces = [value]
    elif '"' not in value and "<" not in value:
        pieces = value.split(",")
    else:
        pieces = []
        start = 0
        for comma in _commas(value):
            pieces.append(value[start:comma])
            start = comma + 1
        pieces.append(value[start:])
    return [piece for piece in (piece.strip(_BLANKS) for piece in pieces) if piece]


def _commas(value: str) -> Iterator[int]:
    """Where the commas stand that separate elements."""
    return (at for sign, at in _structure(value) if sign == ",")


def _structure(value: str) -> Iterator[tuple[str, int]]:
    """The commas that separate and the brackets that close, in order, each with its place."""
    quoted = bracketed = False
    escaped_at = -1
    for match in _SPECIAL.finditer(value):
        sign, at = match[0], match.start()
        if at == escaped_at:
            continue
        if quoted:
            if sign == "\\":
                escaped_at = at + 1
            quoted = sign != '"'
        elif bracketed:
            if sign == ">":
                bracketed = False
                yield sign, at
        elif sign == ",":
            yield sign, at
        else:
            quoted = sign == '"'
            bracketed = sign == "<"


# -- values -----------------------------------------------------------------------------------


def parse_cseq(value: str) -> tuple[int, str]:
    """Number and method of a CSeq (RFC 3261 section 20.16).  Raises SipParseError."""
    digits, _, method = value.partition(" ")
    if not (digits.isascii() and digits.isdigit() and method.isalnum()):
        match = _CSEQ.fullmatch(value)
        if match is None:
            raise SipParseError(f"bad CSeq: {excerpt(value)}")
        digits, method = match[1], match[2]
    number = int(digits) if len(digits) <= _CSEQ_DIGITS else _CSEQ_LIMIT
    if number >= _CSEQ_LIMIT:
        raise SipParseError(f"a CSeq too large: {excerpt(value)}")
    return number, method


class Via(NamedTuple):
    """One element of a Via header (RFC 3261 section 20.42); `host` without brackets."""

    protocol: str
    """`UDP`, `TCP`, `TLS`, ... as written."""
    host: str
    port: int | None
    parameters: Parameters

    @property
    def branch(self) -> str:
        """The branch, or an empty text."""
        return find_parameter(self.parameters, "branch") or ""

    def has(self, name: str) -> bool:
        """Whether there is a parameter of this name, with or without a value."""
        wanted = name.lower()
        return any(key.lower() == wanted for key, _ in self.parameters)


_VIA = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*([!-:<-~]+)\s+(\[[^\]\s]*\]|[^\s:;,\[\]\"<>]+)(?:\s*:\s*([0-9]{1,5}))?\s*(?=;|$)",
    re.IGNORECASE,
)


def parse_via(value: str) -> Via:
    """One Via element.  Raises SipParseError."""
    match = _VIA.match(value)
    if match is None:
        raise SipParseError(f"bad Via: {excerpt(value)}")
    host = match[2][1:-1] if match[2].startswith("[") else match[2]
    port = int(match[3]) if match[3] else None
    if port is not None and port > 65535:
        raise SipParseError(f"bad port in Via: {excerpt(value)}")
    return Via(match[1], host, port, read_parameters(value, match.end()))


def tag_of(value: str) -> str | None:
    """The tag of a From or To value, or None; never raises (RFC 3261 section 19.3)."""
    closing = next((at for sign, at in _structure(value) if sign == ">"), None)
    start = value.find(";") if closing is None else closing + 1
    if start < 0:
        return None
    try:
        return find_parameter(read_parameters(value, start), "tag")
    except SipParseError:
        return None
