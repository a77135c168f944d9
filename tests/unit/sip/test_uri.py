"""URIs and name-addr: the grammar, the way back, and what equals what."""

from __future__ import annotations

import pytest
from hypothesis import given

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.uri import (
    NameAddress,
    SipUri,
    equivalent,
    parse_name_address,
    parse_uri,
    quote,
    read_parameters,
    unquote,
)
from tests.unit.sip.strategies import name_addresses, sip_like, uris


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:example.com", SipUri("sip", None, None, "example.com")),
        ("SIPS:bob@Example.COM:5061", SipUri("sips", "bob", None, "Example.COM", 5061)),
        ("sip:a:secret@h", SipUri("sip", "a", "secret", "h")),
        ("sip:a:@h", SipUri("sip", "a", "", "h")),
        (
            "sip:[2001:db8::1]:5070;lr",
            SipUri("sip", None, None, "2001:db8::1", 5070, (("lr", None),)),
        ),
        ("sip:alice;day=2@atlanta.com", SipUri("sip", "alice;day=2", None, "atlanta.com")),
        ("sip:a?b@h", SipUri("sip", "a?b", None, "h")),
        ("sip:*21#@pbx_1", SipUri("sip", "*21#", None, "pbx_1")),
        ("sip:%name%@h", SipUri("sip", "%name%", None, "h")),
        (
            "sip:%61lice@h;transport=TCP",
            SipUri("sip", "%61lice", None, "h", None, (("transport", "TCP"),)),
        ),
        (
            "sip:h;x=?Subject=a%20b",
            SipUri("sip", None, None, "h", None, (("x", ""),), "Subject=a%20b"),
        ),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            SipUri("sip", "+1-212-555-1212", "1234", "gateway.com", None, (("user", "phone"),)),
        ),
    ],
)  # fmt: skip
def test_uri_of_the_grammar_is_taken_apart(text: str, expected: SipUri) -> None:
    assert parse_uri(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "sip:", "sip", "tel:+4930", "http://x", "sip:@h", "sip: h", "sip:a b@h", "sip:a@b@h",
        "sip:a@h:", "sip:a@h:x", "sip:a@h:65536", "sip:a@h:99999999999999999999", "sip:::1",
        "sip:[::1", "sip:[::g]", "sip:[fe80::1%25eth0]", "sip:h;", "sip:h;;lr", "sip:h;a=b=c",
        "sip:%6@", "sip:ü@h", "<sip:h>", "sip:h>", "sip:a@h\r\nX: y", "sip:h?a b", "sip:h:٣",
    ],
)  # fmt: skip
def test_what_is_no_sip_uri_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_uri(text)


@pytest.mark.parametrize(
    "text",
    ["sip:alice:hun<ter@h", "sip:alice:hunter@", "sip:alice:hunter@h:x", "sip:a:hunter@x@h"],
)
def test_a_password_in_a_refused_uri_is_not_repeated(text: str) -> None:
    with pytest.raises(SipParseError) as refusal:
        parse_uri(text)
    assert "hun" not in str(refusal.value)
    with pytest.raises(SipParseError) as refusal:
        parse_name_address(f"<{text}>")
    assert "hun" not in str(refusal.value)


def test_parameters_are_found_in_any_letter_case() -> None:
    uri = parse_uri("sip:h;Transport=TLS;LR;x=1;X=2")
    assert (uri.parameter("transport"), uri.parameter("lr"), uri.parameter("x")) == (
        "TLS",
        None,
        "1",
    )
    assert uri.has("lr")
    assert not uri.has("maddr")


@given(uris())
def test_a_uri_survives_writing_and_reading(uri: SipUri) -> None:
    assert parse_uri(str(uri)) == uri


@given(sip_like)
def test_the_uri_parser_is_total_and_its_output_a_fixed_point(text: str) -> None:
    try:
        uri = parse_uri("sip:" + text)
    except SipParseError:
        return
    assert parse_uri(str(uri)) == uri


# RFC 3261 section 19.1.4 gives these examples
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a%2fb@h", "sip:a%2Fb@h"),
        ("sip:s@[2001:db8:0:0::1]", "sip:s@[2001:DB8::1]"),
    ],
)
def test_these_uris_are_equivalent(a: str, b: str) -> None:
    assert equivalent(parse_uri(a), parse_uri(b))
    assert equivalent(parse_uri(b), parse_uri(a))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:a:b@h"),
        ("sip:a@h;user=phone", "sip:a@h"),
        ("sip:a@h;ttl=1", "sip:a@h"),
        ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
        ("sip:a%2Fb@h", "sip:a/b@h"),
    ],
)
def test_these_uris_are_not_equivalent(a: str, b: str) -> None:
    assert not equivalent(parse_uri(a), parse_uri(b))
    assert not equivalent(parse_uri(b), parse_uri(a))


@given(uris(), uris())
def test_equivalence_is_reflexive_and_symmetric(a: SipUri, b: SipUri) -> None:
    assert equivalent(a, a)
    assert equivalent(a, b) == equivalent(b, a)


# -- name-addr --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "display", "uri", "parameters"),
    [
        ("<sip:a@h>", "", "sip:a@h", ()),
        ('"A. \\"G\\" <Bell>" <sip:a@h>;tag=1', 'A. "G" <Bell>', "sip:a@h", (("tag", "1"),)),
        ("Anonymous  Coward <sip:c8@h>;tag=h", "Anonymous Coward", "sip:c8@h", (("tag", "h"),)),
        ("sip:a@h;tag=88", "", "sip:a@h", (("tag", "88"),)),
        (" < sip:a@h;lr > ; expires = 30 ;q=0.5;x", "", "sip:a@h;lr",
         (("expires", "30"), ("q", "0.5"), ("x", None))),
        ('<sip:a@h>;+sip.instance="<urn:uuid:1>"', "", "sip:a@h",
         (("+sip.instance", '"<urn:uuid:1>"'),)),
        ("<sip:a@h>;;tag=1;", "", "sip:a@h", (("tag", "1"),)),
    ],
)  # fmt: skip
def test_name_address_is_taken_apart(
    text: str, display: str, uri: str, parameters: tuple[tuple[str, str | None], ...]
) -> None:
    assert parse_name_address(text) == NameAddress(display, parse_uri(uri), parameters)


@pytest.mark.parametrize(
    "text",
    ["", "*", "<sip:a@h", '"open <sip:a@h>', "<tel:1>", "<sip:a@h> x", "<sip:a@h>tag=1", "a"],
)
def test_what_is_no_name_address_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_name_address(text)


def test_parameter_of_a_name_address_has_no_quotes() -> None:
    address = parse_name_address('<sip:a@h>;Expires="30";x="a\\"b";lr')
    assert [address.parameter(name) for name in ("expires", "x", "lr", "y")] == [
        "30",
        'a"b',
        None,
        None,
    ]


@given(name_addresses)
def test_a_name_address_survives_writing_and_reading(address: NameAddress) -> None:
    assert parse_name_address(str(address)) == address


@given(sip_like)
def test_the_name_address_parser_is_total(text: str) -> None:
    try:
        address = parse_name_address(text)
    except SipParseError:
        return
    assert parse_name_address(str(address)) == address


@given(sip_like)
def test_parameters_are_read_or_refused(text: str) -> None:
    try:
        found = read_parameters(";" + text)
    except SipParseError:
        return
    assert all(name for name, _ in found)


@given(sip_like.filter(lambda text: "\r" not in text and "\n" not in text))
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "sip:" + "sip::" * 400_000,
        "sip:" + "sip:a" * 400_000 + "@",
        "sips" * 400_000 + "@",
        "sip:" + ":@" * 400_000,
    ],
)
def test_a_bad_uri_costs_no_more_than_its_length(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_uri(text)
    with pytest.raises(SipParseError):
        parse_name_address(f"<{text}>")
