"""How the requests of all registrations are written, whatever they say (pure)."""

from __future__ import annotations

from typing import NamedTuple

#: a request over UDP that is longer goes over TCP where that is possible (RFC 3261 section 18.1.1)
LONGEST_DATAGRAM = 1300


class Names(NamedTuple):
    """Names of the headers that have a short form."""

    via: str = "Via"
    from_: str = "From"
    to: str = "To"
    call_id: str = "Call-ID"
    contact: str = "Contact"
    supported: str = "Supported"
    content_length: str = "Content-Length"


_LONG = Names()
_SHORT = Names("v", "f", "t", "i", "m", "k", "l")


class Form(NamedTuple):
    """How the requests of all registrations are written (`global` and `system` of pjsip.conf)."""

    max_forwards: int = 70
    rport: bool = True
    """Whether Via asks to be answered where the request came from (RFC 3581)."""
    compact: bool = False
    """Whether header names are written in their short form (RFC 3261 section 7.3.3)."""
    keep_udp: bool = True
    """Whether requests stay on UDP that are longer than a datagram should be."""

    @property
    def names(self) -> Names:
        """How the headers are called that have a short form."""
        return _SHORT if self.compact else _LONG


USUAL = Form()
