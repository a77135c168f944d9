"""Sockets made as a transport section wants them."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from typing import TYPE_CHECKING

from pjreg_cli.errors import TransportError
from pjreg_cli.sip.address import Address

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport

#: from the Linux headers; Python 3.11 does not name them
IP_RECVERR = 11
IPV6_RECVERR = 25
_IP_BIND_ADDRESS_NO_PORT = 24
_SO_RCVBUFFORCE = 33

_RECEIVE_BUFFER = 4 * 1024 * 1024
_BACKLOG = 128
#: how long what we have sent may stay unacknowledged, in milliseconds.  The kernel's keep-alives
#: find a dead peer on an idle connection only: what is on its way, our own keep-alives among it,
#: silences them, and would be sent again for a quarter of an hour
_UNACKNOWLEDGED_MS = 20_000
LINUX = sys.platform == "linux"


class InUseError(TransportError):
    """Somebody else listens at the address of a transport."""


def bound(options: Transport) -> socket.socket:
    """A non-blocking socket at the address of the section, listening if it is a stream's.

    Raises InUseError, or TransportError when the address is not ours or may not be used.
    """
    kind = socket.SOCK_DGRAM if options.protocol == "udp" else socket.SOCK_STREAM
    made = socket.socket(family(options.host), kind)
    try:
        made.setblocking(False)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        mark(made, options)
        if kind == socket.SOCK_STREAM:
            # not for UDP, where it would let two programs share the port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _set_nodelay(made)
        made.bind((options.host, options.port))
        if kind == socket.SOCK_STREAM:
            made.listen(_BACKLOG)
        else:
            _prepare_udp(made)
    except OSError as error:
        made.close()
        raise _explained(options, error) from error
    return made


def outgoing(options: Transport, source: str) -> socket.socket:
    """A non-blocking TCP socket for a connection from `source` (numeric; empty: any address)."""
    made = socket.socket(family(options.host), socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        mark(made, options)
        _set_nodelay(made)
        if options.tcp_keepalive_enable:
            _probe(made, options)
        if LINUX:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        if source:
            if LINUX:
                # the port is chosen at connect: many targets may share one
                made.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            made.bind((source, 0))
    except OSError:
        made.close()
        raise
    return made


def family(host: str) -> socket.AddressFamily:
    """The address family of a numeric host."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def mark(made: socket.socket, options: Transport) -> None:
    """Set class and type of service; what the system refuses is left as it is."""
    wanted: list[tuple[int, int, int]] = []
    if options.tos:
        ip6 = made.family == socket.AF_INET6
        level, name = (
            (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if ip6 else (socket.IPPROTO_IP, socket.IP_TOS)
        )
        wanted.append((level, name, options.tos))
    if options.cos and LINUX:
        wanted.append((socket.SOL_SOCKET, socket.SO_PRIORITY, options.cos))
    for level, name, value in wanted:
        try:
            made.setsockopt(level, name, value)
        except OSError:
            continue


def _set_nodelay(made: socket.socket) -> None:
    """Send every message when it is written (those that a listening socket accepts do as it does).

    Otherwise one that follows a keep-alive waits until that has been acknowledged; asyncio sees to
    it only for sockets that were made with the number of the protocol.
    """
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def address_of(made: socket.socket) -> Address:
    """Where a socket is bound."""
    host, port = made.getsockname()[:2]
    return Address(str(host), int(port))


def _prepare_udp(made: socket.socket) -> None:
    """A big buffer, since answers to many requests come at once; and word of ICMP refusals."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if not LINUX:
        return
    # only the administrator may exceed the system's limit
    with contextlib.suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def _probe(made: socket.socket, options: Transport) -> None:
    """Let the kernel find out about dead peers."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if LINUX:
        pairs = (
            (socket.TCP_KEEPIDLE, options.tcp_keepalive_idle_time),
            (socket.TCP_KEEPINTVL, options.tcp_keepalive_interval_time),
            (socket.TCP_KEEPCNT, options.tcp_keepalive_probe_count),
        )
        for name, value in pairs:
            if value:
                made.setsockopt(socket.IPPROTO_TCP, name, value)


def _explained(options: Transport, error: OSError) -> TransportError:
    """The failure of a bind in words that help."""
    address = Address(options.host, options.port)
    where = f"transport {options.name}: {options.protocol} {address}"
    match error.errno:
        case errno.EADDRINUSE:
            return InUseError(f"{where} is already in use; stop the other program or change `bind`")
        case errno.EADDRNOTAVAIL:
            return TransportError(f"{where} is no address of this host; change `bind`")
        case errno.EACCES | errno.EPERM:
            return TransportError(f"{where} may not be used; ports below 1024 need privileges")
        case _:
            return TransportError(f"{where} cannot be opened: {error.strerror or error}")
