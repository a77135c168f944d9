"""Whom a certificate speaks for (RFC 5922 section 7)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.address import is_numeric
from pjreg_cli.sip.uri import parse_uri


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
