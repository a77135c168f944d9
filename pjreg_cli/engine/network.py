"""Failures that are those of the network here, and say nothing about anybody else; pure."""

from __future__ import annotations

import errno
import os

#: what the system says when there is no way to anywhere, or the address is not there (yet)
_NO_NETWORK = tuple(
    os.strerror(number) for number in (errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)
)


def no_network(why: str) -> bool:
    """Whether something could not be sent because the host is not connected to anything; `why` is
    the text of a TransportError, which has the system's own words."""
    return any(words in why for words in _NO_NETWORK)
