"""Capture files (libpcap's classic format) of SIP messages, as wireshark and tshark read them.

Each message becomes a raw IP packet: UDP as UDP, TCP as TCP with sequence numbers that go on from
message to message.  TLS is written in clear, as TCP.  The file is written by a thread of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import stat
import struct
from typing import Final

from pjreg_cli.outlet import FULL, Outlet
from pjreg_cli.sip.address import Address

_MAGIC: Final = 0xA1B2C3D4
#: packets that begin with their IP header
_LINKTYPE_RAW: Final = 101
_SNAPSHOT: Final = 262_144
_FILE_HEADER: Final = struct.pack("=IHHiIII", _MAGIC, 2, 4, 0, 0, _SNAPSHOT, _LINKTYPE_RAW)
_MAGICS: Final = tuple(
    struct.pack(order + "I", magic) for order in "<>" for magic in (_MAGIC, 0xA1B23C4D, 0x0A0D0D0A)
)
_UDP: Final = 17
_TCP: Final = 6
#: payload of one TCP segment; below what an IP packet holds
_SEGMENT: Final = 32_768
_HOPS: Final = 64
_PSH_ACK: Final = 0x18
#: what one UDP datagram can hold; of a larger one only so much is captured
_DATAGRAM: Final = 65_507
#: seconds that the beginning waits for the disk; and the end, which holds up everybody
OPEN_S: Final = 5.0
_CLOSE_S: Final = 0.1
#: connections whose sequence numbers are kept
_KEPT: Final = 10_000

Packed = tuple[bytes, bytes]


class Capture:
    """A capture file, written once it is open."""

    def __init__(self, path: str) -> None:
        """Nothing is done yet."""
        self.path = path
        self.failed = ""
        """Why nothing can be written any more."""
        self._sent: dict[tuple[Address, Address], int] = {}
        self._sink = _Sink(path)
        self._outlet = Outlet("capture", self._sink, self._troubled)

    async def open(self, within_s: float = OPEN_S) -> None:
        """Open it, in the thread that will write it: what does not answer (a mount whose server is
        gone) holds up nobody else, and is left alone after `within_s` seconds.

        Raises OSError or ValueError when it cannot be opened, FileExistsError when there is
        something else than a capture under that name, which is not overwritten.
        """
        opened = asyncio.wrap_future(self._outlet.call(self._sink.open))
        try:
            done, _ = await asyncio.wait((opened,), timeout=within_s)
            if not done:
                raise TimeoutError(None, f"has not answered for {within_s:g} s", self.path)
            opened.result()
        except BaseException:
            # what does not answer is closed once it does
            self._outlet.close(_CLOSE_S if opened.done() else 0.0)
            raise

    @property
    def lost(self) -> int:
        """Messages that could not be written."""
        return self._outlet.lost

    def write(
        self, at: float, protocol: str, source: Address, target: Address, data: bytes
    ) -> None:
        """Add a message that went from `source` to `target` at `at` seconds since 1970; what
        becomes of it shows in `failed` and `lost`."""
        self._outlet.put(
            b"".join(
                _framed(at, packet) for packet in self._packets(protocol, source, target, data)
            )
        )

    def close(self) -> None:
        """Nothing more is written."""
        self._outlet.close(_CLOSE_S)

    def _troubled(self, why: str) -> None:
        if why != FULL:
            self.failed = why

    def _packets(self, protocol: str, source: Address, target: Address, data: bytes) -> list[bytes]:
        ends = _packed(source.host, target.host)
        if protocol == "udp":
            return [udp_packet(ends, source.port, target.port, data)]
        if len(self._sent) > _KEPT:
            self._sent.clear()
        packets: list[bytes] = []
        acknowledged = self._sent.get((target, source), 1)
        for start in range(0, len(data), _SEGMENT):
            piece = data[start : start + _SEGMENT]
            number = self._sent.get((source, target), 1)
            packets.append(tcp_packet(ends, source.port, target.port, number, acknowledged, piece))
            self._sent[(source, target)] = (number + len(piece)) % 2**32
        return packets


class _Sink:
    """The file; packets that are missing leave no trace in it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def open(self) -> None:
        """Open it and begin; a disk that is full says so."""
        self._file = _opened(self._path)
        os.write(self._file, _FILE_HEADER)

    def write(self, data: memoryview) -> int:
        """Write some of it; raises OSError."""
        return os.write(self._file, data)

    def gap(self, lost: int, why: str) -> bytes:
        """Nothing: the format knows no notes."""
        return b""

    def close(self) -> None:
        """Called once."""
        if self._file >= 0:
            os.close(self._file)


def udp_packet(ends: Packed, source_port: int, target_port: int, data: bytes) -> bytes:
    """An IP packet with a UDP datagram (RFC 768)."""
    data = data[:_DATAGRAM]
    length = 8 + len(data)
    header = struct.pack("!HHHH", source_port, target_port, length, 0)
    check = _checksum(_pseudo(ends, _UDP, length) + header + data) or 0xFFFF
    return _ip(ends, _UDP, header[:6] + struct.pack("!H", check) + data)


def tcp_packet(
    ends: Packed, source_port: int, target_port: int, number: int, acknowledged: int, data: bytes
) -> bytes:
    """An IP packet with a TCP segment (RFC 9293 section 3.1)."""
    header = struct.pack(
        "!HHIIBBHHH", source_port, target_port, number, acknowledged, 5 << 4, _PSH_ACK, 65_535, 0, 0
    )
    check = _checksum(_pseudo(ends, _TCP, len(header) + len(data)) + header + data)
    return _ip(ends, _TCP, header[:16] + struct.pack("!H", check) + header[18:] + data)


def _ip(ends: Packed, protocol: int, payload: bytes) -> bytes:
    """An IP header of the family of `ends` (RFC 791 section 3.1, RFC 8200 section 3)."""
    source, target = ends
    if len(source) == 16:
        return (
            struct.pack("!IHBB", 6 << 28, len(payload), protocol, _HOPS) + source + target + payload
        )
    fixed = (0x45, 0, 20 + len(payload), 0, 0x4000, _HOPS, protocol)
    bare = struct.pack("!BBHHHBBH4s4s", *fixed, 0, source, target)
    return struct.pack("!BBHHHBBH4s4s", *fixed, _checksum(bare), source, target) + payload


def _pseudo(ends: Packed, protocol: int, length: int) -> bytes:
    """What the checksum covers besides the datagram itself (RFC 768, RFC 8200 section 8.1)."""
    source, target = ends
    if len(source) == 16:
        return source + target + struct.pack("!II", length, protocol)
    return source + target + struct.pack("!BBH", 0, protocol, length)


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    # one's complement: a number is congruent to the sum of its 16-bit digits modulo 65535
    rest = int.from_bytes(data, "big") % 0xFFFF
    return ~rest & 0xFFFF if rest else 0


def _packed(source: str, target: str) -> Packed:
    """Both addresses in network order, of one family."""
    pair = [ipaddress.ip_address(host.partition("%")[0]) for host in (source, target)]
    if pair[0].version == pair[1].version:
        return pair[0].packed, pair[1].packed
    # as an IPv6 socket would show the IPv4 one
    mapped = [
        b"\0" * 10 + b"\xff\xff" + one.packed if one.version == 4 else one.packed for one in pair
    ]
    return mapped[0], mapped[1]


def _framed(at: float, packet: bytes) -> bytes:
    """A packet with its record header: seconds, microseconds, stored and real length."""
    micros = int(at * 1_000_000)
    header = struct.pack("=IIII", micros // 1_000_000, micros % 1_000_000, len(packet), len(packet))
    return header + packet


def _opened(path: str) -> int:
    """A descriptor for a new or former capture, readable by its owner only."""
    # O_NONBLOCK: a pipe without reader fails instead of stopping everything
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FileExistsError(None, "is no regular file", path)
        if status.st_size and os.pread(descriptor, 4, 0) not in _MAGICS:
            raise FileExistsError(None, "exists and is no capture file", path)
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
