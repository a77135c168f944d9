"""Capture files, read back by tshark."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import stat
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.engine import pcap
from pjreg_cli.engine.pcap import OPEN_S, Capture, _checksum, udp_packet
from pjreg_cli.sip.address import Address
from tests.support.waiting import until

US, THEM = Address("192.0.2.1", 5060), Address("198.51.100.7", 5070)
US6, THEM6 = Address("2001:db8::1", 5060), Address("2001:db8::7", 5060)
MESSAGE = (
    b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: call-1\r\n"
    b"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)


async def opened(path: Path, within_s: float = OPEN_S) -> Capture:
    capture = Capture(str(path))
    await capture.open(within_s)
    return capture


def tshark(path: Path, *fields: str) -> list[list[str]]:
    """One row of fields for each packet, checksums verified."""
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|"]
    for option in ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum"):
        command += ["-o", f"{option}:TRUE"]
    for field in fields:
        command += ["-e", field]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("|") for line in shown.stdout.splitlines()]


needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.mark.exhaustive
@needs_tshark
async def test_tshark_reads_udp_and_tcp_of_both_families(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    capture = await opened(path)
    capture.write(1000.25, "udp", US, THEM, MESSAGE)
    capture.write(1001.5, "udp", THEM6, US6, MESSAGE)
    capture.write(1002.0, "tcp", US, THEM, MESSAGE)
    capture.write(1003.0, "tcp", US, THEM, MESSAGE)
    capture.write(1004.0, "tcp", THEM6, US6, MESSAGE)
    capture.close()
    rows = tshark(
        path, "frame.time_epoch", "sip.Method", "sip.Call-ID", "ip.src", "ipv6.src", "udp.dstport",
        "tcp.dstport", "tcp.seq_raw", "ip.checksum.status", "udp.checksum.status",
        "tcp.checksum.status",
    )  # fmt: skip
    assert [row[1:3] for row in rows] == [["REGISTER", "call-1"]] * 5
    assert [float(row[0]) for row in rows] == [1000.25, 1001.5, 1002.0, 1003.0, 1004.0]
    assert [row[3] or row[4] for row in rows] == [
        "192.0.2.1", "2001:db8::7", "192.0.2.1", "192.0.2.1", "2001:db8::7",
    ]  # fmt: skip
    assert [row[5] for row in rows[:2]] == ["5070", "5060"]
    assert int(rows[3][7]) - int(rows[2][7]) == len(MESSAGE)
    # 1 is tshark's "good"
    assert {status for row in rows for status in row[8:] if status} == {"1"}
    assert [bool(row[9]) for row in rows] == [True, True, False, False, False]


async def test_a_long_stream_message_becomes_several_segments(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    capture = await opened(path)
    capture.write(1.0, "tls", US, THEM, b"x" * 100_000)
    capture.close()
    data = path.read_bytes()[24:]
    lengths = []
    while data:
        length = struct.unpack("=I", data[8:12])[0]
        lengths.append(length - 40)
        data = data[16 + length :]
    assert sum(lengths) == 100_000
    assert max(lengths) < 65_535


async def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    (await opened(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    (await opened(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == 24


async def test_what_is_no_capture_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "pjsip.conf"
    path.write_text("[udp]\n")
    with pytest.raises(FileExistsError, match="no capture file"):
        await opened(path)
    assert path.read_text() == "[udp]\n"


async def test_a_pipe_or_directory_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="no regular file"):
        await opened(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        await opened(tmp_path)


def plain_sum(data: bytes) -> int:
    """RFC 1071 as it is written there."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.binary(min_size=1))
def test_a_checksum_makes_the_sum_all_ones(data: bytes) -> None:
    check = struct.pack("!H", _checksum(data))
    padded = data + b"\0" * (len(data) % 2)
    assert plain_sum(padded + check) in ((0xFFFF,) if any(data) else (0xFFFF, 0))


@pytest.mark.parametrize("ends", [(b"\x7f\0\0\1",) * 2, (b"\0" * 15 + b"\1",) * 2])
def test_of_a_datagram_too_long_for_ip_only_so_much_is_captured(ends: tuple[bytes, bytes]) -> None:
    assert 65_535 <= len(udp_packet(ends, 1, 2, b"x" * 70_000)) <= 65_535 + 40


async def test_what_does_not_answer_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.listdir("/proc/self/fd")
    there, answers = pcap._opened, threading.Event()

    def hangs(path: str) -> int:
        assert answers.wait(20)  # as on a mount whose server is gone
        return there(path)

    monkeypatch.setattr(pcap, "_opened", hangs)
    with pytest.raises(TimeoutError, match=r"has not answered for 0\.05 s"):
        await opened(tmp_path / "a.pcap", 0.05)
    answers.set()
    # and is let go of when it does
    await asyncio.to_thread(until, lambda: (tmp_path / "a.pcap").exists(), "it answers")
    await asyncio.to_thread(until, lambda: os.listdir("/proc/self/fd") == before, "it is closed")


async def test_a_full_disk_says_so_and_leaves_no_descriptor_open() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileExistsError, match="no regular file"):
        await opened(Path("/dev/full"))
    assert os.listdir("/proc/self/fd") == before


async def test_a_disk_that_becomes_full_ends_the_capture(tmp_path: Path) -> None:
    capture = await opened(tmp_path / "a.pcap")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        for _ in range(10):
            capture.write(1.0, "udp", US, THEM, MESSAGE)
        capture.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert capture.failed == "File too large"
    assert capture.lost >= 1


async def test_a_file_that_cannot_take_its_first_line_is_closed(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            await opened(tmp_path / "a.pcap")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir("/proc/self/fd") == before
