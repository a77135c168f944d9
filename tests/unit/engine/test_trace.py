"""The logger, its filters, and the history."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.api.notices import Traced
from pjreg_cli.engine.trace import KEPT_BYTES, Trace, masked
from pjreg_cli.sip.address import Address

US = Address("192.0.2.1", 5060)
THEM = Address("198.51.100.7", 5070)
OTHER = Address("203.0.113.9", 5060)
SIX = Address("2001:db8::7", 5060)
REGISTER = b"REGISTER sip:a SIP/2.0\r\nCall-ID: one\r\nCSeq: 7 REGISTER\r\n\r\n"
OK = b"SIP/2.0 200 OK\r\ni: one\r\nCSeq: 7 REGISTER\r\n\r\n"
OPTIONS = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: two\r\nCSeq: 1 OPTIONS\r\n\r\n"


class Desk:
    """A trace with somebody who watches."""

    def __init__(self, kept: int = 100, kept_bytes: int = KEPT_BYTES) -> None:
        self.shown: list[Traced] = []
        self.at = 1_000.0
        names = {"pbx.example.com": ("198.51.100.7", "2001:db8::7")}
        self.trace = Trace(
            wall=lambda: self.at,
            publish=self.shown.append,
            lookup=lambda name: names.get(name, ()),
            kept=kept,
            kept_bytes=kept_bytes,
        )

    def pass_by(self, data: bytes = REGISTER, theirs: Address = THEM, sent: bool = True) -> None:
        """A message, which the pool shows only to somebody who looks."""
        if self.trace.active:
            tap = self.trace.sent if sent else self.trace.received
            tap(data, "udp-transport", "udp", US, theirs)

    def texts(self) -> list[str]:
        return [one.text.partition(" ")[0] for one in self.shown]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_is_looked_at_unless_somebody_asked(desk: Desk) -> None:
    assert not desk.trace.active
    desk.trace.set_logger(True)
    desk.trace.set_history(True)
    desk.trace.set_logger(False)
    desk.trace.set_history(False)
    assert not desk.trace.active


def test_the_logger_shows_direction_protocol_and_the_other_side(desk: Desk) -> None:
    desk.trace.set_logger(True)
    desk.pass_by()
    desk.pass_by(OK, SIX, sent=False)
    assert desk.shown == [
        Traced(True, "198.51.100.7:5070", "UDP", REGISTER.decode()),
        Traced(False, "[2001:db8::7]:5060", "UDP", OK.decode()),
    ]


@pytest.mark.parametrize(
    ("host", "understood"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:5070", "198.51.100.7"),
        ("198.51.100.0/24", "198.51.100.0/24"),
        ("pbx.example.com", "198.51.100.7"),
        ("pbx.example.com:5070", "198.51.100.7"),
    ],
)
def test_a_host_limits_what_is_shown(desk: Desk, host: str, understood: str) -> None:
    assert desk.trace.logger_host(host, add=False) == understood
    desk.pass_by(theirs=OTHER)
    assert desk.shown == []
    desk.pass_by()
    assert len(desk.shown) == 1


def test_a_port_counts_too(desk: Desk) -> None:
    desk.trace.logger_host("198.51.100.7:5060", add=False)
    desk.pass_by()
    assert desk.shown == []


@pytest.mark.parametrize(
    "host", ["nobody.example.com", "10.0.0.0/99", "1.2.3.4:70000", "1.2.3.4:x", "[", "a/b", ""]
)
def test_what_is_no_host_changes_nothing(desk: Desk, host: str) -> None:
    assert desk.trace.logger_host(host, add=False) is None
    assert not desk.trace.active


def test_hosts_add_up_or_replace_each_other(desk: Desk) -> None:
    desk.trace.logger_host("198.51.100.7", add=False)
    assert desk.trace.logger_host("[2001:db8::7]:5060", add=True) == "2001:db8::7"
    desk.pass_by()
    desk.pass_by(theirs=SIX)
    assert len(desk.shown) == 2
    desk.trace.logger_host("203.0.113.9", add=False)
    desk.pass_by()
    assert len(desk.shown) == 2


def test_methods_are_listed_newest_first_as_typed(desk: Desk) -> None:
    assert desk.trace.logger_method("REGISTER", add=False) == ("REGISTER",)
    assert desk.trace.logger_method("Options", add=True) == ("Options", "REGISTER")
    assert desk.trace.logger_method("bogus", add=False) == ("bogus",)


def test_a_method_stands_for_its_answers_too_in_any_letters(desk: Desk) -> None:
    desk.trace.logger_method("register", add=False)
    desk.pass_by(OPTIONS)
    desk.pass_by(REGISTER)
    desk.pass_by(OK, sent=False)
    assert desk.texts() == ["REGISTER", "SIP/2.0"]


def test_host_and_method_must_both_fit(desk: Desk) -> None:
    desk.trace.logger_host("198.51.100.7", add=False)
    desk.trace.logger_method("REGISTER", add=False)
    desk.pass_by(REGISTER, OTHER)
    desk.pass_by(OPTIONS, THEM)
    assert desk.shown == []


def test_off_forgets_the_filters(desk: Desk) -> None:
    desk.trace.logger_host("198.51.100.7", add=False)
    desk.trace.set_logger(False)
    desk.pass_by()
    assert not desk.trace.active
    assert desk.trace.logger_method("A", add=True) == ("A",)


def test_not_verbose_shows_nothing(desk: Desk) -> None:
    desk.trace.set_logger(True)
    desk.trace.logger_verbose(False)
    desk.pass_by()
    assert desk.shown == []
    desk.trace.logger_verbose(True)
    desk.pass_by()
    assert len(desk.shown) == 1


def test_the_history_numbers_from_zero_and_anew_after_clear(desk: Desk) -> None:
    desk.trace.set_history(True)
    desk.pass_by()
    desk.at = 1_001.0
    desk.pass_by(OK, sent=False)
    first, second = desk.trace.history()
    assert (first.number, first.at, first.sent, first.address) == (
        0,
        1_000.0,
        True,
        "198.51.100.7:5070",
    )
    assert (second.number, second.method, second.call_id) == (1, "REGISTER", "one")
    assert desk.shown == []
    desk.trace.set_history(False)
    desk.pass_by()
    assert len(desk.trace.history()) == 2
    desk.trace.clear_history()
    assert desk.trace.history() == ()
    desk.trace.set_history(True)
    desk.pass_by()
    assert [entry.number for entry in desk.trace.history()] == [0]


def test_the_history_does_not_grow_for_ever() -> None:
    desk = Desk(kept=3)
    desk.trace.set_history(True)
    for _ in range(5):
        desk.pass_by()
    assert [entry.number for entry in desk.trace.history()] == [2, 3, 4]


async def test_a_capture_takes_everything_or_what_the_filters_allow(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "a.pcap"
    assert await desk.trace.logger_pcap(str(path)) is None
    desk.pass_by()
    desk.trace.close()
    one = path.stat().st_size
    assert one > 24 + len(REGISTER)
    assert desk.shown == []
    assert await desk.trace.logger_pcap(str(path)) is None
    desk.trace.logger_method("OPTIONS", add=False)
    desk.pass_by()
    desk.trace.close()
    assert path.stat().st_size == 24
    desk.trace.set_logger(False)
    assert not desk.trace.active


async def test_a_capture_that_cannot_be_opened_says_why(desk: Desk, tmp_path: Path) -> None:
    why = await desk.trace.logger_pcap(str(tmp_path / "none" / "a.pcap"))
    assert why is not None
    assert "No such file" in why
    assert not desk.trace.active


def test_what_is_no_sip_is_shown_but_not_kept(desk: Desk) -> None:
    desk.trace.set_history(True)
    desk.trace.set_logger(True)
    for garbage in (b"\xff\x00garbage", b"GET / HTTP/1.1\r\n\r\n", b"x" * 60_000):
        desk.pass_by(garbage, sent=False)
    assert desk.trace.history() == ()
    assert len(desk.shown) == 3


def test_the_history_takes_no_more_memory_than_it_may() -> None:
    desk = Desk(kept_bytes=200_000)
    desk.trace.set_history(True)
    for _ in range(20):
        desk.pass_by(REGISTER + b"x" * 50_000, sent=False)
    assert [entry.number for entry in desk.trace.history()] == [17, 18, 19]
    desk.trace.clear_history()
    desk.pass_by(REGISTER, sent=False)
    assert len(desk.trace.history()) == 1


async def test_a_capture_that_fails_ends_and_is_told(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await desk.trace.logger_pcap(str(tmp_path / "a.pcap")) is None
    capture = desk.trace._capture
    assert capture is not None
    capture.failed = "No space left on device"
    desk.pass_by()
    assert not desk.trace.active
    assert "a.pcap ended: No space left on device" in caplog.text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"a: 1\r\nAuthorization: Basic c2Vj\r\nb", b"a: 1\r\nAuthorization: Basic ****\r\nb"),
        (b"Proxy-Authorization: Bearer abc\r\n", b"Proxy-Authorization: Bearer ***\r\n"),
        (b"Authorization: Digest realm=\"a\"\r\n", b"Authorization: Digest realm=\"a\"\r\n"),
        (b"To: <sip:alice:pw@example.com:5060>", b"To: <sip:alice:**@example.com:5060>"),
        (b"To: <sip:example.com:5060;x=a@b>", b"To: <sip:example.com:5060;x=a@b>"),
        (b"Contact: sip:127.0.0.1:5060", b"Contact: sip:127.0.0.1:5060"),
    ],
)  # fmt: skip
def test_passwords_become_stars_of_the_same_length(given: bytes, expected: bytes) -> None:
    assert masked(given) == expected
