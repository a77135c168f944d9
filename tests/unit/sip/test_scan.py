"""The short cut reads what the full parser reads, or leaves it alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.headers import tag_of
from pjreg_cli.sip.message import Response, parse
from pjreg_cli.sip.scan import repeats, scan

USUAL = (
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=z9hG4bK1f;received=192.0.2.9\r\n"
    "From: <sip:alice@example.com>;tag=1\r\n"
    "To: <sip:alice@example.com>;tag=2\r\n"
    "Call-ID: 77\r\n"
    "CSeq: 3 REGISTER\r\n"
    "Contact: <sip:alice@192.0.2.1>;expires=60\r\n"
    "Content-Length: 0\r\n\r\n"
)

#: what turns the usual answer into one that the short cut must not judge, or must judge the same
CHANGES = [
    ("SIP/2.0 200 OK", "SIP/2.0 200  OK "),
    ("SIP/2.0 200 OK", "SIP/2.0 200"),
    ("SIP/2.0 200 OK", "SIP/2.0 200 "),
    ("SIP/2.0 200 OK", "SIP/2.0 700 OK"),
    ("SIP/2.0 200 OK", "sip/2.0 200 OK"),
    ("SIP/2.0 200 OK", "SIP/2.0 2x0 OK"),
    ("SIP/2.0 200 OK", "SIP/2.0 200 \xfc"),
    ("Via: ", "v: "),
    ("Via: ", "VIA : "),
    ("Via: ", "v: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKother\r\nVia: "),
    ("Via: ", "X: 1\r\nVia: "),
    (";branch=", ";BRANCH="),
    (";branch=", "; branch = "),
    ("branch=z9hG4bK1f", "branch=z9hG4bK1f, SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK2"),
    ("branch=z9hG4bK1f", 'branch=z9hG4bK1f;x="a;branch=b"'),
    ("branch=z9hG4bK1f", "branch=z9hG4bK-1.f"),
    ("branch=z9hG4bK1f", "branch="),
    (";branch=z9hG4bK1f", ""),
    ("CSeq: 3 REGISTER", "CSeq: 3 REGISTER\r\nCSeq: 4 REGISTER"),
    ("CSeq: 3 REGISTER", "cseq: 4 REGISTER\r\nCSeq: 3 REGISTER"),
    ("CSeq: 3 REGISTER", "CSeq: 3  REGISTER"),
    ("CSeq: 3 REGISTER", "CSeq: 2147483648 REGISTER"),
    ("CSeq: 3 REGISTER", "CSeq: 00000000003 REGISTER"),
    ("CSeq: 3 REGISTER", "CSeq: REGISTER"),
    ("CSeq: 3 REGISTER", "CSeq: 3\r\n REGISTER"),
    ("CSeq: 3 REGISTER\r\n", ""),
    ("Call-ID: 77", "i: 77"),
    ("Call-ID: 77\r\n", ""),
    ("To: <sip:alice@example.com>;tag=2\r\n", ""),
    ("From: ", "From:"),
    ("From: ", "f: "),
    ("\r\nTo: ", "\nTo: "),
    ("Content-Length: 0", "Content-Length: 5\r\nContent-Length: 0"),
    ("Content-Length: 0", "l: 5\r\nContent-Length: 0"),
    ("Content-Length: 0", "l : 0\r\nContent-Length: 0"),
    ("Content-Length: 0", "Content-Length: 4"),
    ("\r\n\r\n", "\r\n\r\nbody"),
    ("\r\n\r\n", "\r\n"),
    ("To: ", "X:\r\n\ty\r\nTo: "),
    ("To: ", "Subject: a\rb\r\nTo: "),
]


def same(data: bytes) -> bool:
    """Compare both readings; whether the short cut was taken."""
    quick = scan(data)
    if quick is None:
        return False
    full = parse(data)
    assert isinstance(full, Response)
    assert quick == full
    assert str(quick.headers) == str(full.headers)
    assert (quick.branch, quick.cseq) == (full.branch, full.cseq)
    assert parse_challenges(quick) == parse_challenges(full)
    return True


DIGEST = 'Digest realm="r", nonce="5f2c", algorithm=MD5, qop="auth"'


@pytest.mark.parametrize(
    "lines",
    [
        f"WWW-Authenticate: {DIGEST}",
        f"Proxy-Authenticate:  {DIGEST} ",
        f"WWW-Authenticate: {DIGEST}\r\nProxy-Authenticate: {DIGEST}",
        f"WWW-Authenticate: {DIGEST}\r\nWWW-Authenticate: {DIGEST.replace('MD5', 'SHA-256')}",
        f"WWW-Authenticate: {DIGEST}, Basic realm=x, {DIGEST.replace('5f2c', 'other')}",
        "WWW-Authenticate: Basic realm=x",
        'WWW-Authenticate: Digest realm="a-Authenticate: b", nonce="5f2c"',
        f"X-Authenticate: {DIGEST}",
        f"X-Authenticate: {DIGEST}\r\nWWW-Authenticate: {DIGEST}",
        f"Reason: WWW-Authenticate: {DIGEST}",
        'WWW-Authenticate: Digest realm="r", nonce="5\\"f", opaque=""',
    ],
)
def test_challenges_are_found_as_by_looking_through_all_headers(lines: str) -> None:
    text = USUAL.replace("200 OK", "401 No").replace("Content-Length", f"{lines}\r\nContent-Length")
    assert same(text.encode())


def test_the_usual_answer_takes_the_short_cut() -> None:
    assert same(USUAL.encode())
    quick = scan(USUAL.encode())
    assert quick is not None
    assert (quick.code, quick.reason, quick.branch) == (200, "OK", "z9hG4bK1f")
    assert quick.cseq == (3, "REGISTER")


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_whatever_is_changed_is_read_the_same_or_left_alone(old: str, new: str) -> None:
    data = USUAL.replace(old, new, 1).encode("latin-1")
    assert data != USUAL.encode()
    same(data)


@given(st.data())
def test_any_damage_is_read_the_same_or_left_alone(data: st.DataObject) -> None:
    octets = bytearray(USUAL.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"\r\n", b"\n", b" ", b";", b",", b":", b"l", b'"'])
        )
        octets[at : at + data.draw(st.integers(0, 3))] = piece
    same(bytes(octets))


@given(st.binary(max_size=200))
def test_it_never_raises(data: bytes) -> None:
    assert scan(data) is None or same(data)


def test_requests_are_not_its_business() -> None:
    assert scan(USUAL.replace("SIP/2.0 200 OK", "OPTIONS sip:a SIP/2.0").encode()) is None
    with pytest.raises(SipParseError):
        parse(b"")


FROMS = [
    "From: <sip:alice@example.com>;tag=1",
    "From: <sip:alice@example.com>;tag=12",
    "From: <sip:alice@example.com>;x;tag=1",
    'From: "a>;tag=2" <sip:alice@example.com>;tag=1',
    'From: "a>;tag=1',
    "From: <sip:a>;tag=2>;tag=1",
    "From: <sip:a>;tag=1>;tag=2",
    "From: sip:a;tag=1",
    "f: <sip:a>;tag=1",
    "From: <sip:a>;tag=1\r\nFrom: <sip:a>;tag=2",
    "From: <sip:a>;tag=2\r\nFrom: <sip:a>;tag=1",
    "FROM: <sip:a>;tag=2\r\nFrom: <sip:a>;tag=1",
]


@pytest.mark.parametrize("line", FROMS)
@pytest.mark.parametrize("call_id", ["Call-ID: 77", "Call-ID: 78", "i: 78\r\nCall-ID: 77"])
def test_what_a_response_repeats_is_told_as_by_its_headers(line: str, call_id: str) -> None:
    text = USUAL.replace("From: <sip:alice@example.com>;tag=1", line)
    response = parse(text.replace("Call-ID: 77", call_id).encode())
    assert isinstance(response, Response)
    slow = (
        response.headers.get("call-id") == "77"
        and tag_of(response.headers.get("from") or "") == "1"
    )
    assert repeats(response, "77", "1") == slow
