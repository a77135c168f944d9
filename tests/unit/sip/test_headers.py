"""Header names, lists and the values everybody needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.headers import Headers, Via, parse_cseq, parse_via, split_list, tag_of
from tests.unit.sip.strategies import sip_like

_READ = (
    "Via: SIP/2.0/UDP a;branch=1\r\n"
    "v: SIP/2.0/UDP b\r\n"
    "FROM : <sip:a@h>\r\n"
    "Subject: first\r\n"
    " second\r\n"
    "\tthird: still it\r\n"
    "no header\r\n"
    "contact: <sip:x>,\r\n"
    "m:<sip:y;a,b>"
)


def test_names_mean_the_same_in_any_case_and_in_compact_form() -> None:
    headers = Headers.read(_READ)
    assert headers.all("VIA") == ("SIP/2.0/UDP a;branch=1", "SIP/2.0/UDP b")
    assert headers.get("f") == "<sip:a@h>"
    assert headers.get("M") == "<sip:x>,"
    assert headers.has("via", "From", "s")
    assert not headers.has("via", "to")


def test_folded_lines_are_one() -> None:
    assert Headers.read(_READ).get("subject") == "first second third: still it"


def test_a_fold_before_the_first_header_does_no_harm() -> None:
    assert Headers.read(" \r\n\tVia: a\r\nTo: b").get("to") == "b"


def test_lists_run_over_several_lines() -> None:
    assert Headers.read(_READ).listed("contact") == ("<sip:x>", "<sip:y;a,b>")


def test_what_was_read_is_written_as_it_was_spelt() -> None:
    text = str(Headers.read(_READ))
    assert "v: SIP/2.0/UDP b\r\n" in text
    assert "FROM: <sip:a@h>\r\n" in text
    assert "no header" not in text


def test_a_value_cannot_add_a_line() -> None:
    text = str(Headers([("X", "a\r\nEvil: b\n\nc")]))
    assert text.count("\r\n") == 1
    assert text.startswith("X: a Evil: b c")


def test_repr_names_the_headers_but_shows_no_value() -> None:
    assert "secret" not in repr(Headers([("Authorization", "secret")]))


def test_headers_can_be_left_out() -> None:
    headers = Headers([("A", "1"), ("l", "5"), ("B", "2")]).without("Content-Length")
    assert list(headers) == [("A", "1"), ("B", "2")]
    assert headers == Headers([("a", "1"), ("b", "2")])
    assert hash(headers) == hash(Headers([("a", "1"), ("b", "2")]))
    assert headers != Headers([("a", "1")])


@given(st.lists(st.tuples(st.sampled_from(["Via", "v", "X-y", "to"]), sip_like), max_size=5))
def test_what_is_written_reads_back_the_same(fields: list[tuple[str, str]]) -> None:
    once = str(Headers(fields))
    assert str(Headers.read(once.removesuffix("\r\n"))) == once


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("a", ["a"]),
        ("a , b,,c", ["a", "b", "c"]),
        ("", []),
        (" , ", []),
        ('"x, y" <sip:a>, <sip:b,c>;q="1,2",d', ['"x, y" <sip:a>', "<sip:b,c>;q=\"1,2\"", "d"]),
        (r'"a\",b",c', [r'"a\",b"', "c"]),
        (r'"a\\",c', [r'"a\\"', "c"]),
        ('"open, never', ['"open, never']),
        ("<open, never", ["<open, never"]),
        ("<a\"b>,c", ["<a\"b>", "c"]),
        ('a>b,"<",c', ["a>b", '"<"', "c"]),
    ],
)  # fmt: skip
def test_only_commas_between_elements_divide(value: str, elements: list[str]) -> None:
    assert split_list(value) == elements


@given(sip_like)
def test_dividing_a_list_twice_changes_nothing(value: str) -> None:
    for element in split_list(value):
        assert element.strip(" \t\r\n") == element != ""
    assert split_list(",".join(split_list(value))) == split_list(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1 REGISTER", (1, "REGISTER")),
        ("0009 \t INVITE", (9, "INVITE")),
        ("2147483647 X-y", (2**31 - 1, "X-y")),
    ],
)
def test_cseq_is_number_and_method(value: str, expected: tuple[int, str]) -> None:
    assert parse_cseq(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "REGISTER",
        "-1 A",
        "1REGISTER",
        "1 A B",
        "2147483648 A",
        "9" * 5000 + " A",
        "² A",
        "1 ü x",
    ],
)
def test_bad_cseq_is_refused(value: str) -> None:
    with pytest.raises(SipParseError):
        parse_cseq(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "SIP/2.0/UDP 10.0.0.1:5060;branch=z9;rport",
            Via("UDP", "10.0.0.1", 5060, (("branch", "z9"), ("rport", None))),
        ),
        ("SIP / 2.0 / TLS  a : 4000 ; ttl=16", Via("TLS", "a", 4000, (("ttl", "16"),))),
        ("SIP/2.0/TCP [2001:db8::1]", Via("TCP", "2001:db8::1", None, ())),
    ],
)  # fmt: skip
def test_via_is_taken_apart(value: str, expected: Via) -> None:
    assert parse_via(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "", "SIP/2.0/UDP", "SIP/2.0 a", "SIP/3.0/UDP a", "SIP/2.0/UDP a:99999",
        "SIP/2.0/UDP a:b", "SIP/2.0/UDP a b",
    ],
)  # fmt: skip
def test_bad_via_is_refused(value: str) -> None:
    with pytest.raises(SipParseError):
        parse_via(value)


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("<sip:a@h;tag=no>", None),
        ("<sip:a@h;tag=no>;x=1;Tag=yes", "yes"),
        ('"x;tag=no <" <sip:a@h>;tag=yes', "yes"),
        ("sip:a@h;tag=yes", "yes"),
        ("sip:a@h", None),
        ("tel:1;tag=yes", "yes"),
        ("<sip:a@h> broken", None),
        ("", None),
    ],
)
def test_tag_is_that_of_the_header_not_of_the_uri(value: str, tag: str | None) -> None:
    assert tag_of(value) == tag


@given(sip_like)
def test_value_parsers_are_total(value: str) -> None:
    tag_of(value)
    for parser in (parse_cseq, parse_via):
        try:
            parser(value)
        except SipParseError:
            continue


@given(sip_like)
def test_reading_headers_never_raises(text: str) -> None:
    headers = Headers.read(text)
    for name, value in headers:
        assert value in headers.all(name)
