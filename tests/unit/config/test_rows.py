"""Rows as sections."""

from __future__ import annotations

import pytest

from pjreg_cli.config.realtime import Record
from pjreg_cli.config.rows import of_table, sections, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ["plain"]),
        ("sip:proxy^3Blr", ["sip:proxy;lr"]),
        ("a;b", ["a", "b"]),
        ("MD5:aa;SHA-256:bb", ["MD5:aa", "SHA-256:bb"]),
        ("2^5E3", ["2^3"]),
        ("^", ["^"]),
        (";", []),
    ],
)
def test_values_of_a_column(text: str, expected: list[str]) -> None:
    assert values(text) == expected


def test_columns_that_are_no_options_are_passed_over() -> None:
    record = Record("alice", [("client_uri", "sip:a@b"), ("tenant", "7"), ("transport", "")])
    (section,) = sections("ps_registrations", [record], {"client_uri", "transport"})
    assert (section.name, section.path) == ("alice", "ps_registrations[alice]")
    assert section.entries == [("client_uri", "sip:a@b", 0, "ps_registrations[alice]")]


def test_where_an_object_came_from() -> None:
    assert of_table("ps_registrations[alice]")
    assert not of_table("/etc/pjreg-cli/pjsip.conf:41")
