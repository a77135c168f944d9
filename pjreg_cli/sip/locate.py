"""Where a request for a URI goes: the choices of RFC 3263 (and RFC 2782) as plain functions.

Nothing here asks anybody.  `questions` says what must be known, the caller finds out, and once
nothing is missing `targets` puts the answers in order:

    known: dict[Question, Records] = {}
    while missing := questions(uri, ways, known):
        known.update(...)  # ask; an empty tuple where there is nothing
    found = targets(uri, ways, known, draw)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

#: default ports (RFC 3261 section 19.1.2)
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
#: where the SRV records of a protocol are (RFC 3263 section 4.1)
_PREFIXES = {"tls": "_sips._tcp.", "tcp": "_sip._tcp.", "udp": "_sip._udp."}
#: without NAPTR the first of these with SRV records and a transport is taken
_PREFERENCE = ("tls", "tcp", "udp")
#: what the service field of a NAPTR record means (RFC 3263 section 4.1)
_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}


class Address(NamedTuple):
    """A numeric host, IPv6 without brackets, and a port."""

    host: str
    port: int


class Target(NamedTuple):
    """One place a request may be sent to (RFC 3263 section 4.2)."""

    protocol: str
    """`udp`, `tcp` or `tls`."""
    host: str
    """Numeric; IPv6 without brackets."""
    port: int
    name: str
    """The domain or address of the URI: what a TLS certificate must be made out to (RFC 5922)."""

    @property
    def version(self) -> int:
        """The version of IP, 4 or 6."""
        return 6 if ":" in self.host else 4

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}:{host}:{self.port}"


class Way(NamedTuple):
    """A protocol and a version of IP for which there is a transport."""

    protocol: str
    version: int


@dataclass(frozen=True, slots=True)
class Ways:
    """How requests can leave."""

    kinds: frozenset[Way]
    forced: str = ""
    """The protocol of the transport that `transport=` names; empty without one.  `kinds` then has
    that transport's only."""


class Locatable(Protocol):
    """As much of a SIP URI as decides where its requests go."""

    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    def parameter(self, name: str, /) -> str | None: ...


class Question(NamedTuple):
    """A name, lower case and without the final dot, and a record type: A, AAAA, SRV, NAPTR."""

    name: str
    kind: str


class Srv(NamedTuple):
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Naptr(NamedTuple):
    """A NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


Records = tuple[str, ...] | tuple[Srv, ...] | tuple[Naptr, ...]
"""What answers a question: addresses, SRV or NAPTR records; empty when there are none."""
Known = Mapping[Question, Records]
