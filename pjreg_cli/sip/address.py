"""Hosts and ports as text: where brackets belong, and how the two are told apart."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple


class Address(NamedTuple):
    """A numeric host, IPv6 without brackets, and a port; as text `192.0.2.1:5060`, `[::1]:5060`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    """A host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def split_host_port(text: str) -> tuple[str, str] | None:
    """The host, without brackets, and the text of the port (empty: none is named) in `HOST`,
    `HOST:PORT`, `[V6]`, `[V6]:PORT` or `V6`; None where brackets do not fit."""
    if text[:1] == "[":
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and rest[0] != ":"):
            return None
        return host, rest[1:]
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def is_numeric(host: str) -> bool:
    """Whether `host` is an address, IPv4 or IPv6 without brackets, and needs no look-up."""
    # a quick no for most names: the last label of a name is never all digits (RFC 3696 section 2)
    if ":" not in host and not host[-1:].isdigit():
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
