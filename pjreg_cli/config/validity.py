"""Until when a certificate holds, by its file alone."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import Final

#: how long before its end a certificate is complained about
SOON: Final = timedelta(days=30)
#: as much of a file as is looked at, in characters
_LARGEST: Final = 1_000_000
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
#: tags of DER (X.690 section 8.1.2)
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18


def ending(path: str, now: datetime) -> str:
    """What is to be said of a certificate that has ended or soon will; empty when nothing is."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            end = ends_at(file.read(_LARGEST))
    except (OSError, ValueError):
        return ""
    if end is None or end - now >= SOON:
        return ""
    verb = "has ended" if end <= now else "ends"
    return f"the certificate in {path} {verb} on {end:%Y-%m-%d %H:%M} UTC"


def ends_at(pem: str) -> datetime | None:
    """When the first certificate of a PEM file ends; None where none can be read."""
    begin = pem.find(_BEGIN)
    end = pem.find(_END, begin)
    if begin < 0 or end < 0:
        return None
    try:
        return _ends_at(ssl.PEM_cert_to_DER_cert(pem[begin : end + len(_END)]))
    except (ValueError, IndexError):
        return None


def _ends_at(der: bytes) -> datetime:
    """RFC 5280 section 4.1: Certificate, TBSCertificate, and there the validity."""
    _, certificate, _ = _element(der)
    _, rest, _ = _element(certificate)
    tag, _, after = _element(rest)
    if tag == _VERSION:
        rest = after
    for _ in range(3):  # serial number, algorithm, issuer
        _, _, rest = _element(rest)
    tag, validity, _ = _element(rest)
    if tag != _SEQUENCE:
        raise ValueError("no validity")
    _, _, rest = _element(validity)
    tag, text, _ = _element(rest)
    digits = text.decode("ascii")
    if tag == _UTC_TIME:
        # RFC 5280 section 4.1.2.5.1: two digits are those of 1950 to 2049
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """The first element: its tag, its content, and what follows; raises IndexError, ValueError."""
    tag, length, start = data[0], data[1], 2
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start])
    if len(data) < start + length:
        raise ValueError("cut short")
    return tag, data[start : start + length], data[start + length :]
