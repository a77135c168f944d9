"""SIP messages as the logger shows them."""

from __future__ import annotations

from datetime import UTC, datetime

from pjreg_cli.api.notices import Traced
from pjreg_cli.render.traced import stamped, traced

REQUEST = "REGISTER sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
RESPONSE = "SIP/2.0 200 OK\r\nSubject: ü\r\n\r\nbody"


def test_a_request_sent_says_whither() -> None:
    assert traced(Traced(True, "192.0.2.1:5060", "UDP", REQUEST)) == (
        "<--- Transmitting SIP request (45 bytes) to UDP:192.0.2.1:5060 --->\n"
        "REGISTER sip:a SIP/2.0\nContent-Length: 0\n\n"
    )


def test_a_response_received_says_whence_and_counts_bytes() -> None:
    assert traced(Traced(False, "[2001:db8::7]:5061", "TLS", RESPONSE)) == (
        "<--- Received SIP response (35 bytes) from TLS:[2001:db8::7]:5061 --->\n"
        "SIP/2.0 200 OK\nSubject: ü\n\nbody\n\n"
    )


def test_consoles_are_told_the_time_and_the_direction() -> None:
    at = datetime(2026, 8, 1, 12, 0, 1, 7_000, UTC)
    received = stamped(Traced(False, "192.0.2.1:5060", "UDP", "SIP/2.0 200 OK\r\n\r\n"), at)
    assert received.startswith("12:00:01.007 <== udp:192.0.2.1:5060\n<--- Received SIP response")
