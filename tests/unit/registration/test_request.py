"""REGISTERs as they go over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import SipParseError
from pjreg_cli.registration.form import USUAL, Form
from pjreg_cli.registration.request import Template
from pjreg_cli.registration.route import next_hop, our_contact, request_uri
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.message import parse


@dataclass(frozen=True, slots=True)
class Section:
    """The options of a registration that shape its requests."""

    server_uri: str = "sip:registrar.example"
    client_uri: str = "sip:alice@example.com"
    contact_user: str = ""
    contact_header_params: str = ""
    outbound_proxy: str = ""
    user_agent: str = ""
    support_path: bool = False
    support_outbound: bool = False
    security_negotiation: str = "no"
    security_mechanisms: tuple[str, ...] = ()


HERE = Address("192.0.2.1", 5060)
PLAIN = Section()
MEDIASEC = Section(
    security_negotiation="mediasec",
    security_mechanisms=("sdes-srtp;mediasec", "dtls-srtp;mediasec"),
)


def template(
    section: Section = PLAIN,
    protocol: str = "udp",
    sent_by: Address = HERE,
    contact: Address = HERE,
    line: str = "",
    form: Form = USUAL,
) -> Template:
    return Template(
        section,
        "global agent",
        call_id="call-id",
        line=line,
        protocol=protocol,
        sent_by=sent_by,
        contact=contact,
        form=form,
    )


class Extras(TypedDict, total=False):
    """What an answer has more than a first request."""

    authorization: Sequence[tuple[str, str]]
    security_verify: Sequence[str]
    agreement: bool
    bound: Sequence[str]


def built(made: Template, expires_s: int = 3600, extras: Extras | None = None) -> bytes:
    return made.build(expires_s, cseq=7, from_tag="tag", branch="z9hG4bKb", **(extras or {}))


def lines(
    section: Section = PLAIN, expires_s: int = 3600, extras: Extras | None = None
) -> list[str]:
    """A request over UDP, line by line."""
    return built(template(section), expires_s, extras).decode().split("\r\n")


def header(
    name: str, section: Section = PLAIN, expires_s: int = 3600, extras: Extras | None = None
) -> list[str]:
    """The values of a header in a request over UDP."""
    found = (line.partition(": ") for line in lines(section, expires_s, extras))
    return [value for key, _, value in found if key == name]


def test_plain_register_byte_for_byte() -> None:
    assert built(template()) == (
        b"REGISTER sip:registrar.example SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKb\r\n"
        b"From: <sip:alice@example.com>;tag=tag\r\n"
        b"To: <sip:alice@example.com>\r\n"
        b"Call-ID: call-id\r\n"
        b"Contact: <sip:s@192.0.2.1:5060>\r\n"
        b"CSeq: 7 REGISTER\r\n"
        b"Expires: 3600\r\n"
        b"Max-Forwards: 70\r\n"
        b"User-Agent: global agent\r\n"
        b"Allow: INVITE, ACK, CANCEL, OPTIONS\r\n"
        b"Content-Length: 0\r\n"
        b"\r\n"
    )


def test_unregister_differs_in_expires_and_allow() -> None:
    register, unregister = lines(), lines(expires_s=0)
    assert set(register) - set(unregister) == {
        "Expires: 3600",
        "Allow: INVITE, ACK, CANCEL, OPTIONS",
    }
    assert set(unregister) - set(register) == {"Expires: 0"}


# -- what the registrar may hold --------------------------------------------------------------

OLD, OLDER = "sip:s@198.51.100.1:5060", "sip:s@198.51.100.2:5060"
NEW = "sip:s@192.0.2.1:5060"


def test_a_registration_takes_off_what_is_no_longer_ours() -> None:
    assert header("Contact", extras={"bound": (OLD, NEW, OLDER)}) == [
        f"<{NEW}>",
        f"<{OLD}>;expires=0",
        f"<{OLDER}>;expires=0",
    ]
    assert lines(extras={"bound": (NEW,)}) == lines()
    assert lines(extras={"bound": ()}) == lines()


def test_an_unregister_names_what_was_registered() -> None:
    section = replace(PLAIN, contact_header_params="x=1")
    assert header("Contact", section, 0, {"bound": (OLD,)}) == [f"<{OLD}>;x=1"]
    assert header("Contact", section, 0, {"bound": (OLD, NEW)}) == [f"<{OLD}>;x=1", f"<{NEW}>;x=1"]
    assert header("Contact", section, 0) == [f"<{NEW}>;x=1"]


@pytest.mark.parametrize(
    ("parameters", "instance"),
    [
        ('+sip.instance="<urn:uuid:1>"', "<urn:uuid:1>"),
        ('reg-id=1;+SIP.Instance="<urn:uuid:1>";x', "<urn:uuid:1>"),
        ("reg-id=1", ""),
        ('+sip.instance="', ""),
        ("", ""),
    ],
)
def test_the_instance_is_that_of_the_contact(parameters: str, instance: str) -> None:
    assert template(replace(PLAIN, contact_header_params=parameters)).instance == instance


# -- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client_uri", "aor"),
    [
        ("sip:bob@example.com:5090;x=1", "sip:bob@example.com;x=1"),
        ("sip:carol:pw@example.com", "sip:carol:pw@example.com"),
        ("sip:example.com", "sip:example.com"),
        ("<SIP:alice@example.com>", "sip:alice@example.com"),
        ("sip:alice@[::1]:5060", "sip:alice@[::1]"),
        ("sips:alice@example.com?subject=x", "sips:alice@example.com"),
        ("sip:a@example.com;x;transport=tcp;user=phone", "sip:a@example.com;user=phone;x"),
    ],
)
def test_address_of_record_has_no_port_but_its_parameters(client_uri: str, aor: str) -> None:
    section = Section(client_uri=client_uri)
    assert header("To", section) == [f"<{aor}>"]
    assert header("From", section) == [f"<{aor}>;tag=tag"]


@pytest.mark.parametrize(
    ("server_uri", "written"),
    [
        ("sip:user@10.0.0.1:5070", "sip:user@10.0.0.1:5070"),
        ("<sip:10.0.0.1>", "sip:10.0.0.1"),
        ("sip:h;transport=udp;foo=bar", "sip:h;transport=udp;foo=bar"),
        ("sip:h;foo=bar;transport=udp", "sip:h;transport=udp;foo=bar"),
        ("sip:[2001:db8::1]", "sip:[2001:db8::1]"),
        ("sip:h;method=INVITE?a=b", "sip:h"),
    ],
)
def test_request_uri_is_the_registrar_with_its_parameters(server_uri: str, written: str) -> None:
    section = Section(server_uri=server_uri)
    assert request_uri(section) == written
    assert lines(section)[0] == f"REGISTER {written} SIP/2.0"


@pytest.mark.parametrize(
    ("protocol", "server_uri", "address", "written"),
    [
        ("udp", "sip:h", Address("192.0.2.1", 5062), "sip:s@192.0.2.1:5062"),
        ("tcp", "sip:h", Address("192.0.2.1", 5060), "sip:s@192.0.2.1:5060;transport=TCP"),
        ("tls", "sip:h", Address("192.0.2.1", 5061), "sip:s@192.0.2.1:5061;transport=TLS"),
        ("tls", "sips:h", Address("192.0.2.1", 5061), "sips:s@192.0.2.1:5061;transport=TLS"),
        ("tls", "<sips:h>", Address("192.0.2.1", 5061), "sips:s@192.0.2.1:5061;transport=TLS"),
        ("tcp", "sip:h", Address("::1", 5060), "sip:s@[::1]:5060;transport=TCP"),
    ],
)
def test_contact_names_transport_and_scheme(
    protocol: str, server_uri: str, address: Address, written: str
) -> None:
    section = Section(server_uri=server_uri)
    assert str(our_contact(section, protocol, address)) == written
    made = template(section, protocol, contact=address)
    assert f"Contact: <{written}>" in built(made).decode().split("\r\n")
    assert str(made.contact) == written


def test_line_stands_inside_the_brackets_and_parameters_outside() -> None:
    section = Section(contact_user="4711", contact_header_params='+sip.instance="<urn:1>";reg-id=1')
    text = built(template(section, "tcp", line="abcdefg")).decode()
    assert (
        "Contact: <sip:4711@192.0.2.1:5060;transport=TCP;line=abcdefg>"
        ';+sip.instance="<urn:1>";reg-id=1\r\n'
    ) in text


def test_via_and_contact_may_differ() -> None:
    made = template(
        protocol="tls", sent_by=Address("::1", 5061), contact=Address("203.0.113.9", 5070)
    )
    text = built(made).decode()
    assert "Via: SIP/2.0/TLS [::1]:5061;rport;branch=z9hG4bKb\r\n" in text
    assert "Contact: <sip:s@203.0.113.9:5070;transport=TLS>\r\n" in text


# -- proxies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxy", "uri", "route", "hop"),
    [
        ("", "sip:registrar.example", [], "sip:registrar.example"),
        ("sip:p:5070;lr", "sip:registrar.example", ["<sip:p:5070;lr>"], "sip:p:5070;lr"),
        ("<sip:p;lr>;x=y", "sip:registrar.example", ["<sip:p;lr>;x=y"], "sip:p;lr"),
        ("sip:p:5070", "sip:p:5070", ["<sip:registrar.example>"], "sip:p:5070"),
        ("<sip:p>;lr", "sip:p", ["<sip:registrar.example>"], "sip:p"),
    ],
)
def test_proxy_stands_in_route_or_takes_the_request_uri(
    proxy: str, uri: str, route: list[str], hop: str
) -> None:
    section = Section(outbound_proxy=proxy)
    assert request_uri(section) == uri
    assert header("Route", section) == route
    assert str(next_hop(section)) == hop
    assert header("Route", section, expires_s=0) == route


def test_what_is_no_uri_is_refused() -> None:
    for section in (
        Section(server_uri="tel:1"),
        Section(client_uri="alice"),
        Section(outbound_proxy="p"),
    ):
        with pytest.raises(SipParseError):
            template(section)


# -- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("expires_s", [0, 3600])
@pytest.mark.parametrize(
    ("path", "outbound", "supported"),
    [
        (False, False, []),
        (True, False, ["path"]),
        (False, True, ["outbound"]),
        (True, True, ["outbound, path"]),
    ],
)
def test_supported_names_what_is_switched_on(
    path: bool, outbound: bool, supported: list[str], expires_s: int
) -> None:
    section = Section(support_path=path, support_outbound=outbound)
    assert header("Supported", section, expires_s) == supported


def test_own_user_agent_wins() -> None:
    assert header("User-Agent") == ["global agent"]
    assert header("User-Agent", Section(user_agent="mine")) == ["mine"]


def test_registrations_share_what_they_have_alike() -> None:
    one, other = template(), template(Section(client_uri="sip:bob@example.com"))
    assert one._common is other._common


# -- security agreement -----------------------------------------------------------------------


@pytest.mark.parametrize("expires_s", [0, 3600])
def test_mediasec_requires_and_offers_on_every_request(expires_s: int) -> None:
    assert header("Require", MEDIASEC, expires_s) == ["mediasec"]
    assert header("Proxy-Require", MEDIASEC, expires_s) == ["mediasec"]
    assert header("Security-Client", MEDIASEC, expires_s) == [
        "sdes-srtp;mediasec",
        "dtls-srtp;mediasec",
    ]
    assert header("Security-Verify", MEDIASEC, expires_s) == []


def test_mediasec_offers_without_preferences() -> None:
    mechanisms = ("sdes-srtp;mediasec;q=0.5", "dtls-srtp; Q = 0.1 ;mediasec", "x;quality=1")
    section = replace(MEDIASEC, security_mechanisms=mechanisms)
    assert header("Security-Client", section) == [
        "sdes-srtp;mediasec",
        "dtls-srtp;mediasec",
        "x;quality=1",
    ]


def test_answer_to_a_challenge_verifies_too() -> None:
    verify = ("msrp-tls;mediasec", "sdes-srtp;mediasec")
    more = Extras(security_verify=verify, authorization=[("Authorization", "Digest a")])
    assert header("Security-Verify", MEDIASEC, extras=more) == list(verify)
    assert len(header("Security-Client", MEDIASEC, extras=more)) == 2
    assert header("Authorization", MEDIASEC, extras=more) == ["Digest a"]


def test_answer_to_a_494_only_verifies() -> None:
    verify = ("sdes-srtp;mediasec",)
    more = Extras(security_verify=verify, agreement=True)
    assert header("Security-Verify", MEDIASEC, extras=more) == list(verify)
    assert header("Security-Client", MEDIASEC, extras=more) == []
    assert header("Require", MEDIASEC, extras=more) == ["mediasec"]


def test_mechanisms_without_negotiation_stay_at_home() -> None:
    section = replace(MEDIASEC, security_negotiation="no")
    assert header("Security-Client", section) == header("Require", section) == []


# -- hostile values ---------------------------------------------------------------------------

EVIL = st.text(
    st.sampled_from("a\r\n\0\t\x0b\x1f\x7f :;é\x85\u2028\udce9\ud800"), min_size=1, max_size=12
)


@given(EVIL, EVIL, EVIL, EVIL)
def test_no_value_can_end_its_line(params: str, agent: str, mechanism: str, value: str) -> None:
    section = replace(
        MEDIASEC,
        contact_header_params=params,
        contact_user=params,
        user_agent=agent,
        security_mechanisms=(mechanism,),
    )
    extras = Extras(authorization=[("Authorization", value)], security_verify=[value])
    data = built(template(section), extras=extras)
    head, end, rest = data.partition(b"\r\n\r\n")
    assert (end, rest) == (b"\r\n\r\n", b"")
    assert head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n") == 16
    assert b"\0" not in data


def test_bytes_that_were_no_utf_8_in_the_file_go_out_as_they_were() -> None:
    agent = b"caf\xe9 \xc3\xa9".decode("utf-8", "surrogateescape")
    assert b"User-Agent: caf\xe9 \xc3\xa9\r\n" in built(template(Section(user_agent=agent)))


def test_form_of_all_requests_is_as_global_and_system_say() -> None:
    section = replace(PLAIN, support_path=True)
    form = Form(max_forwards=13, rport=False, compact=True)
    text = built(template(section, form=form)).decode()
    names = [line.partition(":")[0] for line in text.split("\r\n")[1:-2]]
    assert names == ["v", "f", "t", "i", "m", "CSeq", "Expires", *names[7:]]
    assert {"k", "l", "Max-Forwards"} <= {*names[7:]}
    assert "\r\nMax-Forwards: 13\r\n" in text
    assert "rport" not in text
    assert parse(text.encode()).headers.has("call-id")


def test_proxy_that_hides_stands_nowhere() -> None:
    section = replace(PLAIN, outbound_proxy="sip:p.example;transport=tls;lr;hide")
    text = built(template(section)).decode()
    assert "p.example" not in text
    assert "Route" not in text
    assert next_hop(section).host == "p.example"
    assert request_uri(section) == "sip:registrar.example"
