"""Requests that come to us: what is answered, what is not, and how long the answer is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.headers import Headers, tag_of
from pjreg_cli.sip.message import Request, Response, parse, to_bytes
from pjreg_cli.sip.uas import RULES, answer, refuse, reply_to, tag_for
from tests.unit.sip.strategies import sip_like

_SOURCE = ("192.0.2.9", 40000)
_REDIRECT = "sip:${USER}@10.0.0.5:5060"


def _request(
    method: str = "OPTIONS",
    uri: str = "sip:s@127.0.0.1:5060",
    *extra: str,
    via: str = "SIP/2.0/UDP 192.0.2.9:5070;rport;branch=z9hG4bK1",
    to: str = "<sip:s@127.0.0.1>",
    cseq: str | None = None,
) -> Request:
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via}",
        "Max-Forwards: 70",
        "From: <sip:x@192.0.2.9>;tag=a1",
        f"To: {to}",
        "Call-ID: case1",
        f"CSeq: {cseq or f'1 {method}'}",
        "Contact: <sip:x@192.0.2.9:5070>",
        *extra,
    ]
    message = parse(to_bytes("\r\n".join(lines) + "\r\n\r\n"))
    assert isinstance(message, Request)
    return message


def _answer(request: Request, redirect: str | None = None) -> Response:
    response = answer(request, _SOURCE, tag="T", redirect=redirect)
    assert response is not None
    return response


@pytest.mark.parametrize(
    ("method", "code", "reason"),
    [
        ("OPTIONS", 200, "OK"),
        ("INVITE", 480, "Temporarily Unavailable"),
        ("BYE", 481, "Call/Transaction Does Not Exist"),
        ("CANCEL", 481, "Call/Transaction Does Not Exist"),
        ("PRACK", 481, "Call/Transaction Does Not Exist"),
        ("UPDATE", 481, "Call/Transaction Does Not Exist"),
        ("REGISTER", 403, "Forbidden"),
        ("MESSAGE", 501, "Not Implemented"),
        ("NOTIFY", 501, "Not Implemented"),
        ("SUBSCRIBE", 501, "Not Implemented"),
        ("INFO", 501, "Not Implemented"),
        ("options", 501, "Not Implemented"),
        ("FROB", 501, "Not Implemented"),
    ],
)
def test_each_method_has_its_answer(method: str, code: int, reason: str) -> None:
    response = _answer(_request(method))
    assert (response.code, response.reason) == (code, reason)


def test_options_tells_what_is_understood() -> None:
    headers = _answer(_request()).headers
    assert headers.get("Allow") == "OPTIONS, INVITE, ACK, CANCEL, BYE"
    assert headers.get("Accept") == "application/sdp"


def test_options_is_answered_without_a_user_and_at_the_last_hop() -> None:
    request = _request("OPTIONS", "sip:127.0.0.1")
    assert _answer(request).code == 200
    exhausted = Request("OPTIONS", request.uri, _with(request, "Max-Forwards", "0").headers)
    assert _answer(exhausted).code == 200


def _with(request: Request, name: str, value: str) -> Request:
    headers = request.headers.without(name)
    return Request(request.method, request.uri, type(headers)([*headers, (name, value)]))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (_with(_request("INVITE"), "Max-Forwards", "0"), 483),
        (_with(_request("INVITE"), "Max-Forwards", "000"), 483),
        (_with(_request("INVITE"), "Max-Forwards", "junk"), 302),
        (_request("INVITE", to="<sip:s@h>;tag=old"), 481),
        (_request("OPTIONS", "tel:+49"), 416),
        (_request("OPTIONS", "sip:a@b@c"), 400),
        (_request("OPTIONS", cseq="1 INVITE"), 400),
    ],
)
def test_what_cannot_be_served_is_refused_properly(request_: Request, code: int) -> None:
    assert _answer(request_, _REDIRECT).code == code


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_required_extensions_are_named_as_unsupported(method: str) -> None:
    request = _request(method, "sip:s@h", "Require: 100rel, timer", "Require: x")
    response = _answer(request, _REDIRECT)
    assert response.code == 420
    assert response.headers.get("Unsupported") == "100rel, timer, x"


# -- redirection ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "template", "contact"),
    [
        ("sip:4711@127.0.0.1", _REDIRECT, "<sip:4711@10.0.0.5:5060>"),
        ("sip:%34711;x=1@127.0.0.1", _REDIRECT, "<sip:%34711;x=1@10.0.0.5:5060>"),
        ("sip:127.0.0.1", _REDIRECT, "<sip:s@10.0.0.5:5060>"),
        ("sips:a@h", "sip:fixed@pbx;user=${USER}", "<sip:fixed@pbx;user=a>"),
        ("sip:a;maddr=e@h", "sip:pbx;x=${USER}", "<sip:pbx;x=a%3Bmaddr%3De>"),
    ],
)
def test_calls_are_redirected(uri: str, template: str, contact: str) -> None:
    response = _answer(_request("INVITE", uri), template)
    assert (response.code, response.reason) == (302, "Moved Temporarily")
    assert response.headers.get("Contact") == contact


@pytest.mark.parametrize("template", ["", "nonsense", "sip:${USER}@", "sip:a@${USER}"])
def test_a_redirection_that_leads_nowhere_is_none(template: str) -> None:
    assert _answer(_request("INVITE", "sip:4;711@h"), template).code == 480


def test_only_calls_are_redirected() -> None:
    assert _answer(_request("MESSAGE"), _REDIRECT).code == 501


# -- silence ----------------------------------------------------------------------------------


def test_ack_is_absorbed() -> None:
    assert answer(_request("ACK"), _SOURCE, tag="T") is None


@pytest.mark.parametrize("value", ["", "junk"])
def test_without_a_via_nobody_knows_whose_answer_it_were(value: str) -> None:
    request = _request()
    lacking = Request("OPTIONS", request.uri, request.headers.without("via"))
    assert answer(lacking, _SOURCE, tag="T") is None
    assert answer(_with(request, "Via", value), _SOURCE, tag="T") is None
    assert refuse(lacking, 400, _SOURCE, tag="T") is None


# -- what cannot be understood ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_without_a_mandatory_header_the_answer_says_so_and_repeats_the_others(name: str) -> None:
    request = _request()
    response = _answer(Request("OPTIONS", request.uri, request.headers.without(name)))
    assert response.code == 400
    assert not response.headers.has(name)
    assert response.headers.has(*({"From", "To", "Call-ID", "CSeq"} - {name}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CSeq", "x OPTIONS"),
        ("CSeq", "1"),
        ("CSeq", "36893488147419103232 OPTIONS"),
        ("To", '"nobody <sip:a@b>'),
        ("From", '"a" "b <sip:a@b>;tag=1'),
    ],
)
def test_a_mandatory_header_that_cannot_be_read_is_refused(name: str, value: str) -> None:
    assert _answer(_with(_request(), name, value)).code == 400


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards"])
def test_what_may_be_there_once_is_refused_twice(name: str) -> None:
    request = _request()
    twice = Headers([*request.headers, (name, request.headers.get(name) or "70"), (name, "1 X")])
    assert _answer(Request(request.method, request.uri, twice)).code == 400


def test_a_via_behind_the_first_counts_too() -> None:
    request = _request()
    more = Headers([*request.headers, ("Via", "SIP/2.0/UDP 192.0.2.15;;,;,,")])
    assert _answer(Request(request.method, request.uri, more)).code == 400


# -- the answer itself ------------------------------------------------------------------------


def test_the_answer_repeats_what_belongs_to_the_transaction() -> None:
    request = _request("OPTIONS", "sip:s@h", "Via: SIP/2.0/TCP second;branch=b2")
    headers = _answer(request).headers
    assert headers.all("Via") == (
        "SIP/2.0/UDP 192.0.2.9:5070;rport=40000;branch=z9hG4bK1;received=192.0.2.9",
        "SIP/2.0/TCP second;branch=b2",
    )
    for name in ("From", "Call-ID", "CSeq"):
        assert headers.get(name) == request.headers.get(name)
    assert headers.get("To") == "<sip:s@127.0.0.1>;tag=T"


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        ("SIP/2.0/UDP 192.0.2.9;branch=b", "SIP/2.0/UDP 192.0.2.9;branch=b"),
        ("SIP/2.0/UDP a.example:5;branch=b", "SIP/2.0/UDP a.example:5;branch=b;received=192.0.2.9"),
        ("SIP/2.0/UDP a;received=1.1.1.1;x", "SIP/2.0/UDP a;x;received=192.0.2.9"),
        ("SIP/2.0/TLS [::1]:5;RPORT=7", "SIP/2.0/TLS [::1]:5;RPORT=40000;received=192.0.2.9"),
        ("SIP/2.0/UDP a;x,SIP/2.0/UDP b", "SIP/2.0/UDP a;x;received=192.0.2.9, SIP/2.0/UDP b"),
    ],
)
def test_via_tells_the_sender_how_it_was_seen(via: str, stamped: str) -> None:
    assert _answer(_request(via=via)).headers.get("Via") == stamped


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("sip:s@h", "sip:s@h;tag=T"),
        ("<sip:s@h>;tag=old", "<sip:s@h>;tag=old"),
        ("<sip:s@h;tag=no>", "<sip:s@h;tag=no>;tag=T"),
        ('"ü, <x>" <sip:s@h>', '"ü, <x>" <sip:s@h>;tag=T'),
    ],
)
def test_to_gets_a_tag_unless_it_has_one(to: str, expected: str) -> None:
    assert _answer(_request(to=to)).headers.get("To") == expected


@pytest.mark.parametrize(
    ("via", "place"),
    [
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=b", _SOURCE),
        ("SIP/2.0/UDP 10.0.0.1:5070;branch=b", ("192.0.2.9", 5070)),
        ("SIP/2.0/UDP 10.0.0.1;maddr=203.0.113.1;received=203.0.113.1", ("192.0.2.9", 5060)),
        ("junk", _SOURCE),
    ],
)
def test_answers_go_back_to_where_the_request_came_from(via: str, place: tuple[str, int]) -> None:
    assert reply_to(_with(_request(), "Via", via), _SOURCE) == place


def test_a_retransmission_gets_the_very_same_answer() -> None:
    key = b"k" * 40
    first = answer(_request("INVITE"), _SOURCE, tag=tag_for(_request("INVITE"), key))
    second = answer(_request("INVITE"), _SOURCE, tag=tag_for(_request("INVITE"), key))
    assert first is not None
    assert second is not None
    assert first.encode() == second.encode()


def test_tags_differ_between_requests_and_between_keys() -> None:
    one, two = _request("INVITE"), _request("INVITE", cseq="2 INVITE")
    tags = {tag_for(one, b"a"), tag_for(two, b"a"), tag_for(one, b"b"), tag_for(one, b"")}
    assert len(tags) == 4
    assert all(tag.isalnum() for tag in tags)


def test_every_rule_has_a_case() -> None:
    assert {rule.code for rule in RULES} == {200, 302, 400, 403, 416, 420, 480, 481, 483, 501}


# -- no amplifier, no exception ---------------------------------------------------------------


def _assert_modest(request: Request, redirect: str | None) -> None:
    response = answer(request, _SOURCE, tag="0123456789abcdef", redirect=redirect)
    if response is not None:
        size, asked = len(response.encode()), len(request.encode())
        assert size <= 2 * asked
        assert size <= asked + 400
        assert tag_of(response.headers.get("to") or "") == "0123456789abcdef"
        again = parse(response.encode())
        assert isinstance(again, Response)
        assert again.code == response.code


def test_a_tiny_request_gets_no_big_answer() -> None:
    data = (
        b"OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP a\r\nf:b\r\nt:c\r\ni:d\r\nCSeq:1 OPTIONS\r\n\r\n"
    )
    request = parse(data)
    assert isinstance(request, Request)
    _assert_modest(request, None)


def test_a_user_repeated_by_the_template_is_not_multiplied() -> None:
    template = "sip:" + "${USER}" * 20 + "@h"
    response = _answer(_request("INVITE", f"sip:{'a' * 300}@h"), template)
    assert response.code == 480


@given(
    st.sampled_from(["OPTIONS", "INVITE", "BYE", "X"]),
    st.sampled_from(["via", "uri", "to", "cseq", "Require", "Max-Forwards", "From", "Call-ID"]),
    sip_like,
)
def test_whatever_is_sent_the_answer_is_modest(method: str, place: str, junk: str) -> None:
    try:
        if place == "uri":
            request = _request(method, f"sip:{junk}")
        elif place in {"via", "to", "cseq"}:
            request = _request(method, **{place: junk or "x"})
        else:
            request = _request(method, "sip:s@h", f"{place}: {junk}")
    except SipParseError:
        return
    response = answer(request, _SOURCE, tag="T", redirect=_REDIRECT)
    if response is None:
        return
    assert len(response.encode()) <= 2 * len(request.encode())
    # what was not there cannot be repeated
    assert response.code == 400 or isinstance(parse(response.encode()), Response)
