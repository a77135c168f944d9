"""Reads what a certificate says of itself (RFC 5280), as far as an operator wants to know; pure.

OpenSSL shows it only of certificates that it accepts; those that it refuses need explaining.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from pjreg_cli.api.findings import Certificate

#: object identifiers of the parts of a name, in the order in which they are shown
_PARTS: Final = {
    b"\x55\x04\x03": "CN",
    b"\x55\x04\x0a": "O",
    b"\x55\x04\x0b": "OU",
    b"\x55\x04\x06": "C",
}
_ALTERNATIVE_NAMES: Final = b"\x55\x1d\x11"
_UTC_TIME = 0x17
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS, _ADDRESS = 0x82, 0x87

_Value = tuple[int, bytes]
"""Tag and contents."""


def read_certificate(der: bytes) -> Certificate | None:
    """What a certificate in DER says; None when it cannot be read.  Never raises."""
    try:
        return _certificate(der)
    except (ValueError, IndexError):
        return None


def _certificate(der: bytes) -> Certificate:
    whole = _only(der)
    fields = [one for one in _values(_only(whole)) if one[0] != _VERSION]
    # serial number, signature algorithm, issuer, validity, subject, key, then what is optional
    _, _, (_, issuer), (_, validity), (_, subject), *rest = fields
    since, until = _values(validity)
    names: tuple[str, ...] = ()
    for tag, content in rest:
        if tag == _EXTENSIONS:
            names = tuple(_alternatives(_only(content)))
    parts = _name(subject)
    return Certificate(
        subject=_shown(parts),
        issuer=_shown(_name(issuer)),
        names=names or ((parts["CN"],) if "CN" in parts else ()),
        not_before=_instant(since),
        not_after=_instant(until),
    )


def _values(data: bytes) -> Iterator[_Value]:
    """The values that follow each other in `data` (X.690 section 8.1)."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length >= 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + length]
        at += length


def _only(data: bytes) -> bytes:
    """The contents of the first value."""
    for _, content in _values(data):
        return content
    raise ValueError("nothing there")


def _name(data: bytes) -> dict[str, str]:
    """The parts of a distinguished name that are shown; the first of each kind."""
    found: dict[str, str] = {}
    for _, relative in _values(data):
        for _, pair in _values(relative):
            (_, kind), (_, value) = _values(pair)
            part = _PARTS.get(kind)
            if part is not None:
                found.setdefault(part, value.decode("utf-8", "replace"))
    return found


def _shown(parts: dict[str, str]) -> str:
    return ", ".join(f"{part}={parts[part]}" for part in _PARTS.values() if part in parts)


def _alternatives(extensions: bytes) -> Iterator[str]:
    """DNS names and addresses of subjectAltName (RFC 5280 section 4.2.1.6)."""
    for _, extension in _values(extensions):
        (_, kind), *_, (_, content) = _values(extension)
        if kind != _ALTERNATIVE_NAMES:
            continue
        for tag, value in _values(_only(content)):
            if tag == _DNS:
                yield value.decode("ascii", "replace")
            elif tag == _ADDRESS:
                yield str(ipaddress.ip_address(value))


def _instant(value: _Value) -> float:
    """UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5) in seconds since 1970."""
    tag, content = value
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        # two digits of the year: those from 50 on are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
