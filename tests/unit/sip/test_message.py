"""Whole messages: what is taken, what is refused, and the way back to bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import MAX_MESSAGE, Request, Response, parse, to_bytes, to_text
from tests.unit.sip.strategies import sip_like

FIXTURES = Path(__file__).parents[3] / "fixtures" / "sip"

_OK = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1:5060;rport=5060;received=10.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:alice@example.com>;tag=a\r\n"
    b"To: <sip:alice@example.com>;tag=b\r\n"
    b"Call-ID: one@10.0.0.1\r\n"
    b"CSeq: 7 REGISTER\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def _response(data: bytes) -> Response:
    message = parse(data)
    assert isinstance(message, Response)
    return message


def test_a_response_has_code_reason_branch_and_cseq() -> None:
    response = _response(_OK)
    assert (response.code, response.reason) == (200, "OK")
    assert response.branch == "z9hG4bK1"
    assert response.cseq == (7, "REGISTER")


@pytest.mark.parametrize(
    ("via", "branch"),
    [
        (b"v: SIP/2.0/UDP a;branch=z9hG4bK2", "z9hG4bK2"),
        (b"Via: SIP/2.0/UDP a ; Branch = z9hG4bK3 ; rport", "z9hG4bK3"),
        (b"Via: SIP/2.0/UDP a;branch=z9hG4bK4 ,SIP/2.0/UDP b;branch=no", "z9hG4bK4"),
        (b"Via: SIP/2.0/UDP a, SIP/2.0/UDP b;branch=no", ""),
        (b"Via: SIP/2.0/UDP a;branch=z9hG4bK5\r\nVia: SIP/2.0/UDP b;branch=no", "z9hG4bK5"),
        (b"v: SIP/2.0/UDP a;branch=first\r\nVia: SIP/2.0/UDP b;branch=no", "first"),
        (b"Via: SIP/2.0/UDP\r\n a\r\n\t;branch=z9hG4bK6", "z9hG4bK6"),
        (b"Via: SIP/2.0/UDP a;branch=x y;z", "x"),
        (b"Via: ,", ""),
    ],
)
def test_branch_is_that_of_the_topmost_via(via: bytes, branch: str) -> None:
    data = _OK.replace(_OK.split(b"\r\n")[1], via)
    assert _response(data).branch == branch


@pytest.mark.parametrize("name", [b"Via", b"From", b"To", b"Call-ID", b"CSeq"])
def test_a_response_without_a_mandatory_header_is_refused(name: bytes) -> None:
    data = b"\r\n".join(line for line in _OK.split(b"\r\n") if not line.startswith(name + b":"))
    with pytest.raises(SipParseError, match=name.decode()):
        parse(data)


@pytest.mark.parametrize(
    "line",
    [
        b"SIP/2.0", b"SIP/2.0 ", b"SIP/2.0 99 x", b"SIP/2.0 700 x", b"SIP/2.0 2000 x",
        b"SIP/3.0 200 OK", b"SIP/2.0 -20 OK", b"SIP/2.0 20 OK", b"HTTP/1.1 200 OK", b"garbage",
        b"SIP/2.0 \xd9\xa2\xd9\xa0\xd9\xa0 OK", b"REGISTER sip:x", b"REGISTER sip:x SIP/1.0",
        b"REGISTER  SIP/2.0", b"REG\xc3\x9c sip:x SIP/2.0", b"A sip:x y SIP/2.0",
    ],
)  # fmt: skip
def test_a_bad_start_line_is_refused(line: bytes) -> None:
    with pytest.raises(SipParseError):
        parse(_OK.replace(b"SIP/2.0 200 OK", line, 1))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"SIP/2.0 200", ""),
        (b"SIP/2.0 200 ", ""),
        (b"sip/2.0 200 All right ", "All right"),
        (b"SIP/2.0 200 \xc3\x9cber", "Über"),
        (b"SIP/2.0 200 \xff", "\udcff"),
    ],
)
def test_odd_status_lines_are_taken(line: bytes, reason: str) -> None:
    assert _response(_OK.replace(b"SIP/2.0 200 OK", line, 1)).reason == reason


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\n\n\n"])
def test_nothing_is_no_message(data: bytes) -> None:
    with pytest.raises(SipParseError):
        parse(data)


def test_empty_lines_before_a_message_are_passed_over() -> None:
    assert parse(b"\r\n\r\n" + _OK) == parse(_OK)


def test_lines_may_end_as_they_should_not() -> None:
    assert _response(_OK.replace(b"\r\n", b"\n")).cseq == (7, "REGISTER")
    assert _response(_OK.removesuffix(b"\r\n\r\n")).cseq == (7, "REGISTER")


def test_cseq_of_a_response_must_be_readable() -> None:
    with pytest.raises(SipParseError):
        parse(_OK.replace(b"7 REGISTER", b"REGISTER 7"))
    with pytest.raises(SipParseError):
        parse(_OK.replace(b"7 REGISTER", b"36893488147419103232 REGISTER"))


def _with_length(value: bytes, body: bytes) -> bytes:
    return _OK.replace(b"Content-Length: 0", b"Content-Length: " + value) + body


@pytest.mark.parametrize(
    ("value", "body"),
    [(b"3", b"abc"), (b"3", b"abcdef"), (b"003", b"abc"), (b"3\r\nl: 3", b"abc")],
)
def test_body_is_as_long_as_content_length_says(value: bytes, body: bytes) -> None:
    assert parse(_with_length(value, body)).body == b"abc"


@pytest.mark.parametrize(
    "value",
    [b"4", b"-1", b"x", b"3 3", b"3\r\nContent-Length: 4", b"3, 3", b"9" * 5000, b"+3"],
)
def test_a_length_that_cannot_be_true_is_refused(value: bytes) -> None:
    with pytest.raises(SipParseError):
        parse(_with_length(value, b"abc"))


def test_without_content_length_the_rest_is_the_body() -> None:
    assert parse(_OK.replace(b"Content-Length: 0\r\n", b"") + b"rest").body == b"rest"


def test_a_content_length_without_a_value_says_nothing() -> None:
    for written in (b"Content-Length:", b"Content-Length: ", b"l:"):
        assert parse(_OK.replace(b"Content-Length: 0", written)).body == b""
        assert parse(_OK.replace(b"Content-Length: 0", written) + b"rest").body == b"rest"
    twice = _OK.replace(b"Content-Length: 0", b"Content-Length:\r\nContent-Length: 2")
    assert parse(twice + b"rest").body == b"re"


def test_a_message_too_long_is_refused() -> None:
    with pytest.raises(SipParseError):
        parse(_OK + b"x" * MAX_MESSAGE)
    with pytest.raises(SipParseError):
        parse(_OK.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 1000 + b"\r\n"))


def test_a_request_lacks_what_it_lacks() -> None:
    request = parse(b"OPTIONS sip:s@127.0.0.1 SIP/2.0\r\n\r\n")
    assert isinstance(request, Request)
    assert (request.method, request.uri, request.branch) == ("OPTIONS", "sip:s@127.0.0.1", "")
    with pytest.raises(SipParseError):
        _ = request.cseq


def test_encoding_states_the_length_the_body_has() -> None:
    request = Request("MESSAGE", "sip:a", Headers([("l", "99"), ("X", "ü")]), "é".encode())
    expected = "MESSAGE sip:a SIP/2.0\r\nX: ü\r\nContent-Length: 2\r\n\r\né".encode()
    assert request.encode() == expected


def test_neither_start_line_nor_value_can_add_a_line() -> None:
    data = Response(200, "OK\r\nEvil: 1", Headers([("X", "\r\n\r\nEvil: 2")])).encode()
    assert data.count(b"\r\n") == 4
    assert b"\nEvil" not in data


@given(st.binary(max_size=60))
def test_bytes_survive_the_way_through_text(octets: bytes) -> None:
    assert to_bytes(to_text(octets)) == octets


def test_text_that_is_no_text_still_becomes_bytes() -> None:
    assert to_bytes("a\ud800") == b"a?"


@given(st.binary(max_size=80) | sip_like.map(to_bytes))
def test_the_parser_is_total(data: bytes) -> None:
    for candidate in (data, b"SIP/2.0 200 OK\r\n" + data, _OK[:-4] + data, _OK + data):
        try:
            message = parse(candidate)
        except SipParseError:
            continue
        assert message.branch is not None


@given(sip_like, sip_like, st.binary(max_size=10))
def test_a_response_survives_reading_and_writing(reason: str, value: str, body: bytes) -> None:
    base = _response(_OK)
    headers = Headers([*base.headers, ("X-Extra", value)])
    once = Response(486, reason, headers, body).encode()
    message = _response(once)
    assert message.encode() == _response(message.encode()).encode()
    assert message.body == body
    assert message.cseq == base.cseq


@given(st.integers(0, len(_OK)), st.integers(0, len(_OK)), st.binary(max_size=3))
def test_damage_is_survived(start: int, end: int, patch: bytes) -> None:
    data = _OK[:start] + patch + _OK[end:]
    try:
        message = parse(data)
    except SipParseError:
        return
    if isinstance(message, Response):
        assert message.cseq


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("torture/valid-*.sip")), ids=lambda p: p.stem)
def test_tortuous_but_valid_messages_are_taken(path: Path) -> None:
    message = parse(path.read_bytes())
    assert message.branch.startswith("z9hG4bK")
    assert message.cseq[0] == 9
    assert message.headers.has("via", "from", "to", "call-id", "cseq")
    assert parse(message.encode()).encode() == message.encode()


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("torture/bad-*.sip")), ids=lambda p: p.stem)
def test_broken_messages_are_refused(path: Path) -> None:
    with pytest.raises(SipParseError):
        parse(path.read_bytes())


def test_there_are_torture_messages() -> None:
    assert len(list(FIXTURES.glob("torture/valid-*.sip"))) >= 6
    assert len(list(FIXTURES.glob("torture/bad-*.sip"))) >= 6


@pytest.mark.parametrize(
    "data",
    [
        b"SIP/2.0 200 " + b" " * 60000 + b"x\r\n\r\n",
        _OK.replace(b"Call-ID: ", b"Call-ID: " + b" " * 50000 + b"x\r\n y"),
        _OK.replace(b"SIP/2.0/UDP", b"SIP" + b" " * 50000),
        _OK.replace(b"CSeq: 7", b"CSeq: 7" + b" " * 50000),
        _OK.replace(b"<sip", b"<" * 50000),
        b"A" * 60000,
    ],
)
@pytest.mark.timeout(5)
def test_hostile_repetition_costs_no_time(data: bytes) -> None:
    try:
        message = parse(data)
    except SipParseError:
        return
    message.headers.listed("from")
    assert message.branch is not None
