"""What a registrar's 2xx grants, and the other numbers of a response."""

from __future__ import annotations

import pytest
from hypothesis import given

from pjreg_cli.sip.contacts import (
    Grant,
    Seen,
    granted,
    min_expires_s,
    retry_after_s,
    security_servers,
    seen,
)
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response
from pjreg_cli.sip.uri import SipUri, parse_uri
from tests.unit.sip.strategies import sip_like

_OURS = parse_uri("sip:s@10.0.0.1:5060;transport=TCP;line=abcdefg")
_OUR = "<sip:s@10.0.0.1:5060;transport=TCP;line=abcdefg>"


def _response(*fields: tuple[str, str]) -> Response:
    return Response(200, "OK", Headers(fields))


@pytest.mark.parametrize(
    ("contacts", "expires", "lifetime"),
    [
        # ours with expires
        ([f"{_OUR};expires=40"], "70", 40),
        ([f'"s" {_OUR};q=1;EXPIRES="40"'], None, 40),
        (["<sip:s@10.0.0.1:5060;line=abcdefg;transport=tcp;x=y>;expires=40"], None, 40),
        (["<sip:o@h>;expires=30", f"{_OUR};expires=80"], None, 80),
        ([f"<sip:o@h>;expires=300,{_OUR};expires=80"], "5", 80),
        ([f"{_OUR};expires=80", f"{_OUR};expires=60"], None, 60),
        ([f"{_OUR};expires=4294967295"], None, 4294967295),
        ([f"{_OUR};expires={'9' * 5000}"], None, 4294967295),
        # ours without
        ([_OUR], "70", 70),
        ([_OUR], None, 90),
        ([f"{_OUR};expires=soon"], "70", 70),
        ([f"{_OUR};expires"], None, 90),
        ([_OUR, "<sip:o@h>;expires=30"], None, 90),
        # not ours
        (["<sip:o@h>;expires=33"], None, 33),
        (["<sip:o@h>;expires=33"], "70", 33),
        (["<sip:o@h>;expires=33", "<sip:p@h>;expires=34"], "70", 33),
        (["<sip:o@h>;expires=33", "<sip:p@h>;expires=34"], None, 33),
        (["<sip:o@h>"], "70", 70),
        (["<sip:o@h>"], None, 90),
        (["<tel:+49>;expires=33"], None, 33),
        (["<tel:+49>;expires=33", f"{_OUR};expires=40"], None, 40),
        (["<sip:s@10.0.0.1:5060;transport=UDP;line=abcdefg>;expires=5", "*"], None, 5),
        ([], "50", 50),
        ([], None, 90),
        ([], "bogus", 90),
        # 0 for ours is as good as nothing said
        ([f"{_OUR};expires=0"], None, 90),
        ([f"{_OUR};expires=0"], "40", 40),
        ([f"{_OUR};expires=0", "<sip:o@h>;expires=30"], None, 90),
        (["<sip:o@h>;expires=0"], "40", 40),
        # leading zeros
        ([f"{_OUR};expires=00000000000060"], None, 60),
        ([f"{_OUR};expires=00000000000"], None, 90),
        ([_OUR], "000000000000070", 70),
        # inside the brackets, where it does not belong
        (["<sip:s@10.0.0.1:5060;transport=TCP;line=abcdefg;expires=60>"], None, 60),
        (["<sip:s@10.0.0.1:5060;transport=TCP;line=abcdefg;expires=60>;expires=50"], None, 50),
        (["<sip:o@h>;expires=300", "<sip:s@10.0.0.1;line=abcdefg;expires=60>"], None, 60),
        # no grant at all
        ([], "0", 0),
        ([_OUR], "0", 0),
        ([f"{_OUR};expires=0"], "0", 0),
        ([f"{_OUR};expires=60"], "0", 60),
    ],
)
def test_granted_lifetime(contacts: list[str], expires: str | None, lifetime: int) -> None:
    assert _granted(contacts, expires).expires_s == lifetime


def _granted(
    contacts: list[str], expires: str | None = None, ours: SipUri = _OURS, instance: str = ""
) -> Grant:
    fields = [("Contact" if index % 2 else "m", value) for index, value in enumerate(contacts)]
    if expires is not None:
        fields.append(("Expires", expires))
    return granted(_response(*fields), ours, 90, instance)


def test_an_unregister_is_granted_nothing() -> None:
    assert granted(_response(("Contact", f"{_OUR};expires=40")), _OURS, 0) == Grant(0)


@pytest.mark.parametrize(
    ("ours", "listed"),
    [
        ("sip:s@10.0.0.1:5060", "<sip:s@10.0.0.1>"),
        ("sip:s@10.0.0.1", "<sip:s@10.0.0.1:5060>"),
        ("sip:s@10.0.0.1:5061;transport=TLS", "<sip:s@10.0.0.1;transport=tls>"),
        ("sips:s@10.0.0.1:5061;transport=TLS", "<sips:s@10.0.0.1;transport=tls>"),
        ("sip:s@[2001:db8::1]:5060", "<sip:s@[2001:DB8:0::1]>"),
        ("sip:s@10.0.0.1:5060", "<sip:s@10.0.0.1:5060;transport=udp>"),
        ("sip:s@10.0.0.1:5070", "<sip:s@10.0.0.1:5070;expires=40>"),
    ],
)
def test_ours_is_ours_with_and_without_what_goes_without_saying(ours: str, listed: str) -> None:
    contacts = ["<sip:s@h>;expires=20", f"{listed};expires=40"]
    assert _granted(contacts, ours=parse_uri(ours)) == Grant(40)


@pytest.mark.parametrize(
    ("ours", "listed"),
    [
        ("sip:s@10.0.0.1:5060;transport=TLS", "<sip:s@10.0.0.1;transport=tls>"),
        ("sip:s@10.0.0.1:5060", "<sip:s@10.0.0.1:5061>"),
        ("sip:s@10.0.0.1:5060", "<sip:s@10.0.0.1;transport=tcp>"),
    ],
)
def test_another_port_or_transport_is_another_contact(ours: str, listed: str) -> None:
    contacts = ["<sip:s@h>;expires=20", f"{listed};expires=40"]
    assert _granted(contacts, ours=parse_uri(ours)) == Grant(20), "the safe guess"


@pytest.mark.parametrize(
    ("contacts", "expires", "lifetime", "missing"),
    [
        # our mark in a Contact that was rewritten goes before everything but equality
        (["<sip:s@h;line=abcdefg>;expires=60", "<sip:s@i>;expires=20"], None, 60, False),
        (["<sip:x@h;line=abcdefg>;expires=60", "<sip:s@i>;expires=20"], None, 60, False),
        (
            [
                '<sip:x@h>;expires=60;+sip.instance="<URN:uuid:1>"',
                '<sip:s@i>;expires=20;+sip.instance="<urn:uuid:2>"',
            ],
            None,
            60,
            False,
        ),
        # else the shortest of our user
        (["<sip:s@h:1024>;expires=9", "<sip:s@i:33208>;expires=60"], None, 9, False),
        (["<sip:o@h>;expires=9", "<sip:s@h>;expires=60", "<sip:s@i>;expires=50"], None, 50, False),
        (["<sip:o@h>;expires=9", "<sip:s@h>"], "70", 70, False),
        (["<sip:o@h>;expires=9", "<sip:s@h>"], None, 90, False),
        # else the shortest of all, but not what has just ended
        (["<sip:o@h>;expires=33", "<sip:p@h>;expires=60"], "10", 33, True),
        (["<sip:o@h>;expires=0", "<sip:p@h>;expires=60"], None, 60, True),
        (["<sip:o@h>;expires=33", "<sip:p@h>"], "10", 10, True),
        (["<sip:o@h>", "<sip:p@h>"], None, 90, True),
        (["<sip:o@h>;expires=33"], None, 33, True),
        (["<tel:+49>;expires=33"], None, 33, True),
        (["<sip:s@h>;expires=33"], None, 33, False),
    ],
)
def test_of_several_contacts_that_are_not_ours_the_safe_one_counts(
    contacts: list[str], expires: str | None, lifetime: int, missing: bool
) -> None:
    granted_now = _granted(contacts, expires, instance="<urn:uuid:1>")
    assert granted_now == Grant(lifetime, missing)


@given(sip_like, sip_like)
def test_whatever_the_registrar_writes_has_a_lifetime(contact: str, expires: str) -> None:
    fields = ("Contact", contact), ("Contact", f"<sip:o@h>;{contact}"), ("Expires", expires)
    assert granted(_response(*fields), _OURS, 90).expires_s >= 0
    assert granted(_response(*fields[:1]), _OURS, 90).expires_s > 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2), ("0", 0), ("1;duration=60", 1), ("1 (soon)", 1), ("120 (a) ;x", 120),
        ("18000;duration=3600", 18000), ("99999999999999999999", 4294967295),
        ("Fri, 26 Sep 1997 12:00:00 GMT", None), ("-1", None), ("", None), ("1x", None),
        ("1 2", None), ("²", None), ("0000000000005", 5), ("1800 (a(b)c)", 1800),
        ("30 seconds", None),
    ],
)  # fmt: skip
def test_retry_after_is_its_number(value: str, seconds: int | None) -> None:
    assert retry_after_s(_response(("Retry-After", value))) == seconds


def test_absent_numbers_are_none() -> None:
    assert retry_after_s(_response()) is None
    assert min_expires_s(_response()) is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("100", 100), ("x", None), ("", None), ("1 2", None)]
)
def test_min_expires_is_its_number(value: str, seconds: int | None) -> None:
    assert min_expires_s(_response(("min-expires", value))) == seconds


def test_security_mechanisms_are_gathered_from_all_headers() -> None:
    response = _response(
        ("Security-Server", "msrp-tls;mediasec, sdes-srtp;mediasec"),
        ("security-server", 'dtls-srtp;x="a,b"'),
    )
    assert security_servers(response) == (
        "msrp-tls;mediasec",
        "sdes-srtp;mediasec",
        'dtls-srtp;x="a,b"',
    )


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        ("SIP/2.0/UDP a;rport=1024;received=192.0.2.1;branch=b", Seen("192.0.2.1", 1024)),
        ("SIP/2.0/UDP a;rport;branch=b", Seen(None, None)),
        ("SIP/2.0/UDP a;Received=[2001:db8::1];RPORT=99999", Seen("2001:db8::1", None)),
        ("SIP/2.0/UDP [::1]:5060;rport=5;received=2001:db8::1", Seen("2001:db8::1", 5)),
        ("SIP/2.0/UDP a;rport=0", Seen(None, None)),
        ("SIP/2.0/UDP a, SIP/2.0/UDP b;rport=5;received=c", Seen(None, None)),
        ("nonsense", Seen(None, None)),
        ("", Seen(None, None)),
    ],
)
def test_the_other_side_tells_how_it_saw_us(via: str, expected: Seen) -> None:
    assert seen(_response(("Via", via))) == expected


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (Seen("192.0.2.1", 1024), "192.0.2.1:1024"),
        (Seen("2001:db8::1", 5060), "[2001:db8::1]:5060"),
        (Seen("2001:db8::1", None), "[2001:db8::1]:"),
        (Seen(None, 5060), ":5060"),
        (Seen(None, None), ""),
    ],
)
def test_what_it_saw_is_written_so_that_the_port_can_be_told(told: Seen, text: str) -> None:
    assert str(told) == text


@given(sip_like)
def test_readers_of_headers_never_raise(value: str) -> None:
    names = ("Via", "Retry-After", "Min-Expires", "Security-Server")
    response = _response(*((name, value) for name in names))
    seen(response)
    retry_after_s(response)
    min_expires_s(response)
    security_servers(response)
