"""Shapes for machines."""

from __future__ import annotations

import json as standard
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.api.configuration import Option
from pjreg_cli.render import json


@pytest.mark.parametrize("count", [0, 1, 2, 256, 257, 1000])
def test_array_is_json_one_element_a_line(count: int) -> None:
    text = "".join(json.array({"n": number} for number in range(count)))
    assert standard.loads(text) == [{"n": number} for number in range(count)]
    assert text.endswith("]\n")
    assert text.count("\n") == (count + 2 if count else 1)


def test_array_asks_for_elements_as_it_is_read() -> None:
    asked = 0

    def numbers() -> Iterator[json.Value]:
        nonlocal asked
        for number in range(100_000):
            asked += 1
            yield number

    assert next(json.array(numbers())).startswith("[\n0,\n1")
    assert asked < 2000


def test_instants_are_iso_8601_in_utc() -> None:
    assert json.instant(0) == "1970-01-01T00:00:00Z"
    assert json.instant(1785585600.9) == "2026-08-01T12:00:00Z"


def test_options_of_secrets_are_masked_wherever_they_come_from() -> None:
    secrets = ("password", "md5_cred", "password_digest", "oauth_secret", "refresh_token")
    shown = json.options([Option(name, ("hunter2",)) for name in secrets])
    assert set(shown.values()) == {"********"}


def test_options_that_may_have_several_values_are_lists() -> None:
    shown = json.options([Option("outbound_auth", ("",)), Option("local_net", ("a", "b"))])
    assert shown == {"outbound_auth": [], "local_net": ["a", "b"]}


def test_names_beyond_ascii_are_written_as_they_are() -> None:
    assert json.document({"name": "zürich"}) == ['{\n  "name": "zürich"\n}\n']


def test_bytes_that_are_no_utf_8_make_valid_json() -> None:
    text = b"caf\xe9 \xff\xfe\xed\xa0\x80 \x9b".decode("utf-8", "surrogateescape")
    for made in (json.document({"a": text + "\u202e"}), json.array([{"a": text + "\u202e"}])):
        output = "".join(made).encode("utf-8")
        assert "café ÿþí" in output.decode("utf-8")
        assert standard.loads(output)
        assert "\x9b" not in output.decode("utf-8")
        assert "\u202e" not in output.decode("utf-8")


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_comes_out_as_valid_json(text: str) -> None:
    standard.loads("".join(json.document({"a": text})).encode("utf-8"))
