"""What a registration must fulfil."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.models import Registration, Transport
from pjreg_cli.config.rules import Inspector, OpenTransports, server, uri_problem
from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.uri import parse_uri

GOOD = Registration(name="a", source="f:1", server_uri="sip:10.0.0.1", client_uri="sip:a@b")


def transport(name: str, protocol: str, host: str) -> Transport:
    return Transport(name=name, source="f:1", protocol=protocol, host=host, port=5060)


UDP = transport("udp", "udp", "0.0.0.0")


def defect(registration: Registration, *transports: Transport) -> str:
    found = Inspector(OpenTransports.of(transports or (UDP,))).defect(registration)
    return found.message if found else ""


@pytest.mark.parametrize(
    "text",
    [
        "sip:127.0.0.1:5060",
        "sips:example.com",
        "SIP:x",
        "sip:a:b@c;transport=tcp;x=1?h=v",
        "<sip:a@b>",
        "sip:[::1]:5060",
        "sip:" + "u" * 240 + "@h",
        "sip:" + "h" * 130 + ".example",
    ],
)
def test_uri_is_accepted(text: str) -> None:
    assert uri_problem(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "", "127.0.0.1", "alice", "http://x", "tel:1", "sip:", "<sip:a@b>;c=d", '"A" <sip:a@b>',
        "sip:" + "h" * 300, "sip:" + "u" * 600 + "@h", "sip:h;x=" + "y" * 600, "sip:a b@c",
        "sip:a@b:99999",
    ],
)  # fmt: skip
def test_uri_is_refused(text: str) -> None:
    assert uri_problem(text) != ""


@given(st.from_regex(r"sips?:([a-z0-9_.+~*-]+@)?[a-z0-9.-]+(:[0-9]{1,5})?", fullmatch=True))
def test_short_way_accepts_only_what_the_parser_accepts(text: str) -> None:
    if uri_problem(text) == "":
        parse_uri(text)
    else:
        with pytest.raises(SipParseError):
            parse_uri(text)


@pytest.mark.parametrize(
    ("text", "protocol", "version"),
    [
        ("sip:example.com", "udp", 0),
        ("sip:10.0.0.1;transport=TCP", "tcp", 4),
        ("sips:[::1]", "tls", 6),
        ("sips:x;transport=tcp", "tls", 0),
        ("sip:x1.2", "udp", 0),
    ],
)
def test_server_uri_asks_for_a_transport(text: str, protocol: str, version: int) -> None:
    assert server(text)[1:] == (protocol, version)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server_uri": ""}, "server_uri is missing"),
        ({"client_uri": ""}, "client_uri is missing"),
        ({"client_uri": "tel:1"}, "client_uri is not"),
        ({"line": True}, "needs an endpoint"),
        ({"endpoint": "e"}, "needs line"),
        ({"expiration": 0}, "expiration"),
        ({"security_negotiation": "tls"}, "mediasec"),
        ({"outbound_proxy": "127.0.0.1"}, "outbound_proxy"),
        ({"contact_user": "a b"}, "contact_user"),
        ({"contact_user": "a@b"}, "contact_user"),
        ({"server_uri": "sip:x;transport=tcp"}, "no transport for tcp"),
        ({"server_uri": "sips:x"}, "no transport for tls"),
        ({"server_uri": "sip:[::1]"}, "over IPv6"),
        ({"server_uri": "sip:x;transport=ws"}, "none that can register"),
    ],
)
def test_registration_is_refused(change: dict[str, str], words: str) -> None:
    assert words in defect(replace(GOOD, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"line": True, "endpoint": "e"},
        {"outbound_proxy": "sip:p;lr"},
        {"outbound_proxy": "<sip:p;lr>;x=y"},
        {"contact_user": "+49*7"},
        {"contact_user": "a%20b"},
        {"security_negotiation": "mediasec"},
        {"transport": "ghost"},
        {"transport": "udp", "server_uri": "sip:x;transport=tcp"},
    ],
)
def test_registration_is_accepted(change: dict[str, str]) -> None:
    assert defect(replace(GOOD, **change)) == ""  # type: ignore[arg-type]


def test_family_of_the_registrar_needs_its_transport() -> None:
    six = transport("six", "udp", "::")
    assert "IPv4" in defect(GOOD, six)
    assert defect(replace(GOOD, server_uri="sip:[::1]"), six) == ""
    assert defect(replace(GOOD, server_uri="sip:name"), six) == ""
