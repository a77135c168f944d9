"""The SIP logger and the history: `pjsip set logger`, `pjsip set history`."""

from __future__ import annotations

import ipaddress
import logging
import re
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pjreg_cli.api.notices import Traced
from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.engine.pcap import Capture
from pjreg_cli.sip.address import Address, split_host_port

#: messages that the history keeps, and the memory they may take in bytes; the oldest go first
KEPT = 100_000
KEPT_BYTES = 32_000_000
#: what a message takes besides its text
_ENTRY_BYTES = 500

_log = logging.getLogger("pjreg_cli.engine")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: credentials that are a password and no digest (RFC 7617, RFC 6750)
_CREDENTIALS = re.compile(
    rb"^((?:proxy-)?authorization[ \t]*:[ \t]*(?:basic|bearer)[ \t]+)([^\r\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
#: the password of a SIP URI (RFC 3261 section 19.1.1)
_URI_PASSWORD = re.compile(rb"(sips?:[^\s@:<>\"]*:)([^\s@:;?/<>\"]+)(?=@)", re.IGNORECASE)
_CSEQ = re.compile(rb"^cseq[ \t]*:[ \t]*[0-9]+[ \t]+([^\s]+)", re.IGNORECASE | re.MULTILINE)
_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\s]+)", re.IGNORECASE | re.MULTILINE)


class _Host(NamedTuple):
    """Whom the logger is limited to; port 0 is any."""

    network: _Network
    port: int

    def fits(self, address: Address) -> bool:
        """Whether the other side is meant."""
        numeric = ipaddress.ip_address(address.host.partition("%")[0])
        return numeric in self.network and self.port in (0, address.port)


class Trace:
    """Shows, keeps and captures SIP messages; is `api.tracing.Tracing` and the tap of the pool.

    `wall` gives seconds since 1970, `publish` takes the notices, `lookup` finds the addresses of a
    host without waiting (empty when there are none).
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float],
        publish: Callable[[Traced], None],
        lookup: Callable[[str], Sequence[str]],
        kept: int = KEPT,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self.active = False
        """Whether anybody wants to see messages; False costs nothing."""
        self._wall = wall
        self._publish = publish
        self._lookup = lookup
        self._everything = False
        self._hosts: list[_Host] = []
        self._methods: list[str] = []
        self._verbose = True
        self._capture: Capture | None = None
        self._remembering = False
        self._lost = 0
        self._history: deque[HistoryEntry] = deque()
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._size = 0
        self._number = 0

    # -- what operators say -------------------------------------------------------------------

    def set_logger(self, on: bool) -> None:
        """Log everything, or nothing any more; off also forgets hosts and methods, and ends a
        capture."""
        self._everything = on
        if not on:
            self._hosts, self._methods = [], []
            self._end_capture()
        self._settle()

    def logger_host(self, host: str, add: bool) -> str | None:
        """Log only what this host or subnet sends and is sent (as well, with `add`); the address
        that was understood, without its port, None when there is none."""
        understood = self._understood(host)
        if understood is None:
            return None
        shown, found = understood
        self._hosts = [*(self._hosts if add else []), *found]
        self._everything = False
        self._settle()
        return shown

    def logger_method(self, method: str, add: bool) -> Sequence[str]:
        """Log only requests of this method and their answers (as well, with `add`); all methods as
        typed, the newest first."""
        self._methods = [method, *(self._methods if add else [])]
        self._everything = False
        self._settle()
        return tuple(self._methods)

    def logger_verbose(self, on: bool) -> None:
        """Whether logged messages are shown, besides being captured."""
        self._verbose = on
        self._settle()

    async def logger_pcap(self, path: str) -> str | None:
        """Capture to a file once it is open, everything or what hosts and methods allow; the reason
        when it cannot be opened."""
        capture = Capture(path)
        try:
            await capture.open()
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)
        self._end_capture()
        self._capture = capture
        self._settle()
        return None

    def set_history(self, on: bool) -> None:
        """Begin or cease to keep messages; what is kept stays."""
        self._remembering = on
        self._settle()

    def clear_history(self) -> None:
        """Forget what was kept, and count from 0 again."""
        self._history.clear()
        self._size = self._number = 0

    def history(self) -> Sequence[HistoryEntry]:
        """What was kept, the oldest first; a snapshot."""
        return tuple(self._history)

    @property
    def lost(self) -> int:
        """Messages that a capture should have and has not."""
        return self._lost + (self._capture.lost if self._capture is not None else 0)

    def close(self) -> None:
        """End a capture."""
        self._end_capture()
        self._settle()

    # -- what the pool shows ------------------------------------------------------------------

    def sent(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        """A message goes out."""
        self._message(True, data, protocol, ours, theirs)

    def received(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        """A message came in."""
        self._message(False, data, protocol, ours, theirs)

    def _message(
        self, sent: bool, data: bytes, protocol: str, ours: Address, theirs: Address
    ) -> None:
        at = self._wall()
        clean = masked(data)
        method = _method(clean)
        if self._remembering and _is_sip(clean):
            self._remember(at, sent, theirs, method, clean)
        filtered = bool(self._hosts or self._methods)
        if not (self._everything or self._capture) and not filtered:
            return
        if filtered and not self._everything and not self._fits(theirs, method):
            return
        if self._capture is not None:
            ends = (ours, theirs) if sent else (theirs, ours)
            self._write(self._capture, at, protocol, *ends, clean)
        if self._verbose and (self._everything or filtered):
            text = clean.decode("utf-8", "surrogateescape")
            self._publish(Traced(sent, str(theirs), protocol.upper(), text))

    def _remember(self, at: float, sent: bool, theirs: Address, method: str, clean: bytes) -> None:
        found = _CALL_ID.search(clean)
        call_id = found[1].decode("utf-8", "replace") if found else ""
        text = clean.decode("utf-8", "surrogateescape")
        entry = HistoryEntry(self._number, at, sent, str(theirs), method, call_id, text)
        self._history.append(entry)
        self._size += _bytes_of(entry)
        self._number += 1
        while len(self._history) > self._kept or self._size > self._kept_bytes:
            self._size -= _bytes_of(self._history.popleft())

    def _fits(self, theirs: Address, method: str) -> bool:
        """Whether filters let a message pass: one of the hosts, and one of the methods."""
        host = not self._hosts or any(one.fits(theirs) for one in self._hosts)
        wanted = [one.upper() for one in self._methods]
        return host and (not wanted or method.upper() in wanted)

    def _write(
        self, capture: Capture, at: float, protocol: str, source: Address, target: Address,
        clean: bytes,
    ) -> None:  # fmt: skip
        try:
            capture.write(at, protocol, source, target, clean)
        except ValueError:
            self._lost += 1  # no address that a packet could have
        if capture.failed:
            _log.error("the capture %s ended: %s", capture.path, capture.failed)
            self._end_capture()
            self._settle()

    def _end_capture(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._lost += self._capture.lost
            self._capture = None

    def _settle(self) -> None:
        """Bring `active` in line with what is wanted."""
        logging = self._verbose and (self._everything or bool(self._hosts or self._methods))
        self.active = self._remembering or logging or self._capture is not None

    # -- hosts --------------------------------------------------------------------------------

    def _understood(self, text: str) -> tuple[str, list[_Host]] | None:
        """An address, a subnet or a name, the first and the last with or without a port."""
        if "/" in text:
            try:
                network = ipaddress.ip_network(text.strip("[]"), strict=False)
            except ValueError:
                return None
            return str(network), [_Host(network, 0)]
        host, port = _split(text)
        if port is None:
            return None
        try:
            addresses: Sequence[str] = (str(ipaddress.ip_address(host)),)
        except ValueError:
            addresses = self._lookup(host)
        found = [_Host(ipaddress.ip_network(address), port) for address in addresses]
        return (addresses[0], found) if found else None


def masked(data: bytes) -> bytes:
    """A message without passwords: the credentials of Basic and Bearer, passwords in URIs.  Stars
    stand in their place, as many as there were bytes, so that lengths still hold."""
    if b"uthorization" in data or b"UTHORIZATION" in data or b"authorization" in data:
        data = _CREDENTIALS.sub(_starred, data)
    return _URI_PASSWORD.sub(_starred, data)


def _starred(match: re.Match[bytes]) -> bytes:
    return match[1] + b"*" * len(match[2])


def _is_sip(data: bytes) -> bool:
    """Whether the first line is that of a request or a response."""
    first = data.partition(b"\n")[0].rstrip(b"\r")
    return first.startswith(b"SIP/2.0 ") or first.endswith(b" SIP/2.0")


def _bytes_of(entry: HistoryEntry) -> int:
    """What an entry takes in memory, or a little more."""
    return _ENTRY_BYTES + sys.getsizeof(entry.text) + len(entry.call_id)


def _method(data: bytes) -> str:
    """The method of a request, or that a response's CSeq names; empty for what is neither."""
    first = data.partition(b" ")[0]
    if first.upper() != b"SIP/2.0":
        return first.decode("utf-8", "replace") if first.isalpha() else ""
    found = _CSEQ.search(data)
    return found[1].decode("utf-8", "replace") if found else ""


def _split(text: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, `[v6]:port` or `v6`; port 0 without one, None for one
    that cannot be."""
    host, rest = split_host_port(text) or (text, "")
    if not rest:
        return host, 0
    return host, int(rest) if rest.isdecimal() and int(rest) < 65_536 else None
