"""What a registrar's 2xx grants, and the other numbers of a response."""

from __future__ import annotations

import pytest
from hypothesis import given

from pjreg_cli.sip.contacts import (
    Seen,
    granted_s,
    min_expires_s,
    retry_after_s,
    security_servers,
    seen,
)
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response
from pjreg_cli.sip.uri import parse_uri
from tests.unit.sip.strategies import sip_like

_OURS = parse_uri("sip:s@10.0.0.1:5060;transport=TCP;line=abcdefg")
_OUR = "<sip:s@10.0.0.1:5060;transport=TCP;line=abcdefg>"


def _response(*fields: tuple[str, str]) -> Response:
    return Response(200, "OK", Headers(fields))


@pytest.mark.parametrize(
    ("contacts", "expires", "granted"),
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
        (["<sip:o@h>;expires=33", "<sip:p@h>;expires=34"], "70", 70),
        (["<sip:o@h>;expires=33", "<sip:p@h>;expires=34"], None, 90),
        (["<sip:o@h>"], "70", 70),
        (["<sip:o@h>"], None, 90),
        (["<tel:+49>;expires=33"], None, 33),
        (["<tel:+49>;expires=33", f"{_OUR};expires=40"], None, 40),
        (["<sip:s@10.0.0.1:5060;transport=UDP;line=abcdefg>;expires=5", "*"], None, 90),
        ([], "50", 50),
        ([], None, 90),
        ([], "bogus", 90),
        # no grant at all is none
        ([f"{_OUR};expires=0"], None, 90),
        ([f"{_OUR};expires=0"], "70", 90),
        ([], "0", 90),
    ],
)
def test_granted_lifetime(contacts: list[str], expires: str | None, granted: int) -> None:
    fields = [("Contact" if index % 2 else "m", value) for index, value in enumerate(contacts)]
    if expires is not None:
        fields.append(("Expires", expires))
    assert granted_s(_response(*fields), _OURS, 90) == granted


def test_an_unregister_is_granted_nothing() -> None:
    assert granted_s(_response(("Contact", f"{_OUR};expires=40")), _OURS, 0) == 0


@given(sip_like, sip_like)
def test_whatever_the_registrar_writes_something_is_granted(contact: str, expires: str) -> None:
    fields = ("Contact", contact), ("Contact", f"<sip:o@h>;{contact}"), ("Expires", expires)
    assert granted_s(_response(*fields), _OURS, 90) > 0
    assert granted_s(_response(*fields[:1]), _OURS, 90) > 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2), ("0", 0), ("1;duration=60", 1), ("1 (soon)", 1), ("120 (a) ;x", 120),
        ("18000;duration=3600", 18000), ("99999999999999999999", 4294967295),
        ("Fri, 26 Sep 1997 12:00:00 GMT", None), ("-1", None), ("", None), ("1x", None),
        ("1 2", None), ("²", None),
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
        ("SIP/2.0/UDP a;rport=0", Seen(None, None)),
        ("SIP/2.0/UDP a, SIP/2.0/UDP b;rport=5;received=c", Seen(None, None)),
        ("nonsense", Seen(None, None)),
        ("", Seen(None, None)),
    ],
)
def test_the_other_side_tells_how_it_saw_us(via: str, expected: Seen) -> None:
    assert seen(_response(("Via", via))) == expected


@given(sip_like)
def test_readers_of_headers_never_raise(value: str) -> None:
    names = ("Via", "Retry-After", "Min-Expires", "Security-Server")
    response = _response(*((name, value) for name in names))
    seen(response)
    retry_after_s(response)
    min_expires_s(response)
    security_servers(response)
