"""Numbers, booleans, lists and networks as Asterisk reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.types import (
    FOREVER,
    MAXIMUM,
    algorithms,
    boolean,
    digests,
    loose,
    names,
    nameservers,
    networks,
    number,
    retries,
    service_class,
    signed,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("10", 10),
        ("010", 8),
        ("00", 0),
        ("0x10", 16),
        ("0XfF", 255),
        ("4294967295", 4294967295),
    ],
)
def test_number_is_decimal_octal_or_hexadecimal(text: str, value: int) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1.5", "abc", "5s", "08", "0x", "4294967296", "9" * 5000, "1_0", "1 0", "٣"],
)
def test_number_refuses_everything_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"is "):
        number(text)


@given(st.integers(0, 4294967295))
def test_number_reads_what_python_writes(value: int) -> None:
    assert number(str(value)) == number(hex(value)) == number(f"0{value:o}") == value


def test_signed_number_may_be_negative() -> None:
    assert (signed("-1"), signed("7")) == (-1, 7)


def test_retries_may_go_on_for_ever_which_is_above_every_number() -> None:
    assert (retries("forever"), retries("Forever"), retries("0")) == (FOREVER, FOREVER, 0)
    assert retries(str(MAXIMUM)) < FOREVER
    with pytest.raises(ValueError, match=r"is "):
        retries(str(FOREVER))


@pytest.mark.parametrize("text", ["yes", "true", "y", "t", "1", "on", "YES", "True", "oN"])
def test_boolean_is_true(text: str) -> None:
    assert boolean(text) is True


@pytest.mark.parametrize("text", ["no", "false", "n", "f", "0", "off", "maybe", "2", "", "ja"])
def test_boolean_is_false_for_everything_else(text: str) -> None:
    assert boolean(text) is False


def test_names_lose_blanks_and_empty_ones() -> None:
    assert names(" a , b,,c ") == ("a", "b", "c")
    assert names("") == names(" , ") == ()


def test_algorithms_keep_their_order_and_refuse_unknown_ones() -> None:
    assert algorithms("sha-256, MD5") == ("SHA-256", "MD5")
    with pytest.raises(ValueError, match="MD6"):
        algorithms("MD5,MD6")


def test_networks_are_read_in_every_form() -> None:
    texts = ["10.1.2.3/8,127.0.0.1", "192.168.0.0/255.255.0.0", "fe80::/10"]
    shown = [str(one) for one in networks(texts)]
    assert shown == ["10.0.0.0/8", "127.0.0.1/32", "192.168.0.0/16", "fe80::/10"]
    with pytest.raises(ValueError, match="neither"):
        networks("localnet")


def test_service_class_has_names_and_numbers() -> None:
    assert [service_class(text) for text in ("cs3", "AF31", "ef", "0x60", "96")] == [
        96, 104, 184, 96, 96
    ]  # fmt: skip
    with pytest.raises(ValueError, match="above"):
        service_class("256")


def test_loose_number_reads_leading_digits() -> None:
    assert [loose(text) for text in ("30", "30s", "x", "", "-1")] == [30, 30, 0, 0, 0]


def test_digest_needs_a_known_algorithm_and_its_length() -> None:
    assert digests("md5:" + "a" * 32)[0][0] == "MD5"
    for wrong in ("MD5", "MD6:" + "a" * 32, "MD5:" + "a" * 31, "SHA-256:" + "g" * 64):
        with pytest.raises(ValueError, match=r"needs|form"):
            digests(wrong)


def test_digest_in_an_error_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="hexadecimal") as caught:
        digests("MD5:s3cret")
    assert "s3cret" not in str(caught.value)


def test_nameserver_may_have_a_port() -> None:
    assert nameservers(["127.0.0.1@5353", "::1"]) == (("127.0.0.1", 5353), ("::1", 53))
    for wrong in ("example.com", "127.0.0.1@x", "127.0.0.1@0"):
        with pytest.raises(ValueError, match=r"ADDRESS|port|number"):
            nameservers(wrong)
