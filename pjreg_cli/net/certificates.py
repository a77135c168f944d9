"""Whom a certificate speaks for (RFC 5922 section 7), and until when."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.address import is_numeric
from pjreg_cli.sip.uri import parse_uri

#: how long before its end a certificate is complained about
SOON = timedelta(days=30)
#: as much of a file as is looked at, in characters
_LARGEST = 1_000_000
_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"
#: tags of DER (X.690 section 8.1.2)
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


def mismatch(certificate: Mapping[str, Any], name: str, *, wildcards: bool = False) -> str:
    """Why a certificate does not speak for `name`, the host of a SIP URI; empty when it does.

    `certificate` is what `SSLSocket.getpeercert` gives.  A domain is looked for among the URIs of
    its subjectAltName, without any among the DNS names there, without those too as common name; an
    address among the IP addresses and URIs.  RFC 5922 section 7.2 forbids wildcards; `wildcards`
    allows them.
    """
    alternatives = [(kind, str(value)) for kind, value in certificate.get("subjectAltName", ())]
    uris = [host for kind, value in alternatives if kind == "URI" and (host := _domain(value))]
    if is_numeric(name):
        wanted = ipaddress.ip_address(name)
        texts = [value.strip() for kind, value in alternatives if kind == "IP Address"]
        found = [text for text in (*texts, *uris) if is_numeric(text)]
        if wanted in map(ipaddress.ip_address, found):
            return ""
        return _other(found or [value for _, value in alternatives], name)
    names = uris or [value for kind, value in alternatives if kind == "DNS"]
    if not alternatives:
        names = list(_common_names(certificate))
    domain = name.rstrip(".").lower()
    offered = [one.rstrip(".").lower() for one in names]
    if domain in offered:
        return ""
    if any(one.startswith("*.") and domain.partition(".")[2] == one[2:] for one in offered):
        return "" if wildcards else f"it names {excerpt(name)} only by a wildcard"
    return _other(names or [value for _, value in alternatives], name)


def _domain(text: str) -> str:
    """The domain that a `sip:` URI without user stands for, without port; else empty."""
    try:
        uri = parse_uri(text)
    except SipParseError:
        return ""
    return uri.host if uri.scheme == "sip" and uri.user is None else ""


def _common_names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for names in certificate.get("subject", ()):
        for kind, value in names:
            if kind == "commonName":
                yield str(value)


def _other(names: list[str], name: str) -> str:
    shown = excerpt(", ".join(names)) or "nobody"
    return f"it is for {shown}, not for {excerpt(name)}"


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
