"""UDP: a raw socket, drained in a loop; refusals read from its error queue.

asyncio's datagram endpoints cost some ten times as much for each datagram.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from pjreg_cli.api.findings import Trouble
from pjreg_cli.errors import TransportError
from pjreg_cli.hurry import HURRY
from pjreg_cli.net import sockets
from pjreg_cli.net.flow import Endpoint, Flow, Listener, Source, Tap
from pjreg_cli.net.own_address import OwnAddress, Routes
from pjreg_cli.net.trouble import of_system
from pjreg_cli.net.turns import TURN_S
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport

_log = logging.getLogger("pjreg_cli.net")

#: datagrams taken in one go at most; others on the loop get their turn after that, or as soon as
#: the work has taken TURN_S
_BATCH = 256
#: datagrams between two looks at the clock
_SLICE = 8
_LARGEST = 65_535
_KEEP_ALIVE = b"\r\n"
#: datagrams that may wait for a full socket
_WAITING = 10_000
#: how long to wait when the system has no buffers and cannot say when it will, in seconds
_PAUSE_S = 0.01

_MSG_ERRQUEUE = 0x2000
#: start of sock_extended_err: errno, origin, type, code
_EXTENDED = struct.Struct("=IBBB")
_FROM_ICMP = (2, 3)
#: what ICMP makes of "nobody there" (RFC 1122 section 3.2.2.1, RFC 4443 section 3.1)
_REFUSALS = frozenset(
    {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.ENOPROTOOPT}
)
_FULL = (errno.ENOBUFS, errno.ENOMEM)


class UdpFlow(Flow):
    """From one UDP transport to one target."""

    __slots__ = (
        "_address",
        "_endpoint",
        "_translated",
        "protocol",
        "reliable",
        "target",
        "transport",
        "trouble",
    )

    def __init__(self, endpoint: UdpEndpoint, target: Target) -> None:
        self.transport = endpoint.transport
        self.protocol = "udp"
        self.reliable = False
        self.target = target
        self.told = None
        self.trouble: Trouble | None = None
        self._endpoint = endpoint
        self._address = (target.host, target.port)
        self._translated = endpoint.local.translated(target)

    @property
    def sent_by(self) -> Address:
        """The address for Via."""
        return self._endpoint.local.named(self.target.host, self._translated)

    @property
    def contact(self) -> Address:
        """The address for Contact."""
        self.told = self._endpoint.local.named(self.target.host, self._translated)
        return self.told

    def send(self, data: bytes) -> None:
        """Send a datagram; raises TransportError."""
        try:
            self._endpoint.send(data, self._address)
        except TransportError as error:
            self.trouble = error.trouble
            raise

    def keep_alive(self) -> None:
        """Send a line end (RFC 5626 section 3.5); that it cannot be sent matters to nobody."""
        self._endpoint.keep_alive(self._address)

    def carries(self, endpoint: Endpoint) -> bool:
        """Whether it came as a datagram, whatever the address (RFC 3261 section 18.1.2)."""
        return not endpoint.reliable

    def reset(self) -> None:
        """Nothing: there is no connection."""


class UdpEndpoint(Endpoint):
    """The socket of one UDP transport.  Raises TransportError when it cannot be opened."""

    __slots__ = (
        "_draining", "_flows", "_listener", "_loop", "_resting", "_socket", "_tap", "_waiting",
        "local", "protocol", "reliable", "transport",
    )  # fmt: skip

    def __init__(self, options: Transport, listener: Listener, tap: Tap, routes: Routes) -> None:
        self.transport = options.name
        self.protocol = "udp"
        self.reliable = False
        self._listener = listener
        self._tap = tap
        self._loop = asyncio.get_running_loop()
        self._socket = sockets.bound(options)
        self.local = OwnAddress(options, sockets.address_of(self._socket), routes)
        self._flows: dict[tuple[str, int], UdpFlow] = {}
        self._waiting: deque[tuple[bytes, tuple[Any, ...]]] = deque()
        self._resting: asyncio.TimerHandle | None = None
        self._draining = False
        self._loop.add_reader(self._socket, self._drain)

    def flow(self, target: Target, apart: str = "") -> UdpFlow:
        """The flow to an address, the same for every name that leads there; over UDP there is
        nothing to keep `apart`."""
        address = (target.host, target.port)
        flow = self._flows.get(address)
        if flow is None:
            flow = self._flows[address] = UdpFlow(self, target)
        return flow

    def open_flows(self) -> tuple[UdpFlow, ...]:
        """The flows that lead somewhere."""
        return tuple(self._flows.values())

    def send(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Send now, or as soon as the socket takes more; raises TransportError."""
        if self._draining or self._waiting or not self._sent(data, address):
            self._wait(data, address)
        if self._tap.active:
            ours, theirs = self.local.ends(address)
            self._tap.sent(data, self.transport, "udp", ours, theirs)

    def keep_alive(self, address: tuple[Any, ...]) -> None:
        """Send a line end; what the socket does not take is dropped."""
        with contextlib.suppress(OSError):
            self._socket.sendto(_KEEP_ALIVE, address)

    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Answer a datagram; what cannot be sent is dropped, as the network may do."""
        try:
            self.send(data, address)
        except TransportError as error:
            _log.debug("transport %s: answer dropped: %s", self.transport, error)

    def garbled(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """What came from there is no SIP: whoever waits for an answer may want to know."""
        flow = self._flows.get((str(address[0]), int(address[1])))
        if flow is None or not data.strip(b"\r\n\0"):
            return False
        flow.trouble = Trouble("not-sip", at=self._loop.time(), heard=data[:80])
        return True

    def close(self) -> None:
        """Close the socket; a flow that is used later raises TransportError."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
        if self._resting is not None:
            self._resting.cancel()
        self._draining = False
        self._waiting.clear()
        self._flows.clear()

    # -- out ----------------------------------------------------------------------------------

    def _sent(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """Hand a datagram to the system; False when it has no room, TransportError otherwise."""
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _FULL:
                return False
            return self._sent_again(data, address)
        return True

    def _sent_again(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """A second try: the error may have been an ICMP message about another datagram, which the
        system reports with whatever comes next."""
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            return False
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise TransportError(
                f"udp {address[0]}:{address[1]}: {why}", self._trouble(error)
            ) from error
        return True

    def _wait(self, data: bytes, address: tuple[Any, ...]) -> None:
        if len(self._waiting) >= _WAITING:
            raise TransportError(f"transport {self.transport}: too many datagrams wait to be sent")
        self._waiting.append((data, address))
        if len(self._waiting) == 1 and not self._draining:
            self._rest()

    def _rest(self) -> None:
        """Come back soon: a socket without buffers is writable all the same."""
        self._resting = self._loop.call_later(_PAUSE_S, self._wake)

    def _wake(self) -> None:
        self._resting = None
        self._loop.add_writer(self._socket, self._flush)

    def _flush(self) -> None:
        """Send what waits, as far as there is room; what cannot be sent at all, its flow is told
        as refused."""
        self._loop.remove_writer(self._socket)
        while self._waiting:
            data, address = self._waiting[0]
            try:
                if not self._sent(data, address):
                    self._rest()
                    return
            except TransportError as error:
                _log.debug("transport %s: %s", self.transport, error)
                self._waiting.popleft()
                self._tell_refused(address, error.trouble)
            else:
                self._waiting.popleft()

    # -- in -----------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Take what has come, up to a batch, and then send what that led to.

        Sending in one go lets the other side work on the first while it gets the others; to wake
        it for each would take longer than to send.
        """
        if HURRY.holds(self._loop.time()):
            return  # the loop comes back at once: there is still something to be read
        self._draining = True
        try:
            self._take()
        finally:
            self._draining = False
            if self._waiting and self._resting is None:
                self._flush()

    def _take(self) -> None:
        receive, listener, now = self._socket.recvfrom, self._listener, self._loop.time
        began_at = now()
        ends_at = began_at + HURRY.turn_s(TURN_S, began_at)
        for number in range(1, _BATCH + 1):
            if number % _SLICE == 0 and now() >= ends_at:
                return
            try:
                data, address = receive(_LARGEST)
            except BlockingIOError:
                self._read_errors()
                return
            except OSError:
                self._read_errors()
                continue
            if self._tap.active:
                self._show(data, address)
            listener.received(data, Source(self, address))
            if self._socket.fileno() < 0:
                return

    def _show(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Let the tap see a datagram, unless it only keeps a NAT open."""
        if data.strip(b"\r\n\0"):
            ours, theirs = self.local.ends(address)
            self._tap.received(data, self.transport, "udp", ours, theirs)

    def _read_errors(self) -> None:
        """Tell of the refusals that lie in the error queue; a batch at most.

        A registrar that is gone refuses thousands of datagrams in a row: its flow is told once, as
        whoever waits there has to be looked for each time.
        """
        if not sockets.LINUX:
            return
        refusals: dict[tuple[Any, ...], int] = {}
        for _ in range(_BATCH):
            try:
                _, notes, _, address = self._socket.recvmsg(1, 512, _MSG_ERRQUEUE)
            except OSError:
                break
            if address and (number := _refused(notes)):
                refusals[address] = number
        for address, number in refusals.items():
            self._tell_refused(address, self._trouble(OSError(number, os.strerror(number))))
            if self._socket.fileno() < 0:
                return

    def _trouble(self, error: OSError | OverflowError) -> Trouble:
        return of_system(error, self._loop.time())

    def _tell_refused(self, address: tuple[Any, ...], trouble: Trouble | None) -> None:
        """Nothing reaches that address."""
        flow = self._flows.get((str(address[0]), int(address[1])))
        if flow is not None:
            flow.trouble = trouble
            self._listener.refused(flow)


def _refused(notes: list[tuple[int, int, bytes]]) -> int:
    """What ICMP says in control messages, as an errno, if it is that nobody can be reached; else
    0."""
    for level, kind, data in notes:
        wanted = (
            (socket.IPPROTO_IP, sockets.IP_RECVERR),
            (socket.IPPROTO_IPV6, sockets.IPV6_RECVERR),
        )
        if (level, kind) in wanted and len(data) >= _EXTENDED.size:
            number, origin, _, _ = _EXTENDED.unpack_from(data)
            if origin in _FROM_ICMP and number in _REFUSALS:
                return int(number)
    return 0
