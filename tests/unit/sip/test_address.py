"""Hosts and ports as text."""

from __future__ import annotations

import pytest

from pjreg_cli.sip.address import Address, bracketed, is_numeric, split_host_port


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.1", ("192.0.2.1", "")),
        ("192.0.2.1:5060", ("192.0.2.1", "5060")),
        ("name:", ("name", "")),
        (":5060", ("", "5060")),
        ("[2001:db8::1]:5060", ("2001:db8::1", "5060")),
        ("[2001:db8::1]", ("2001:db8::1", "")),
        ("2001:db8::1", ("2001:db8::1", "")),
        ("[2001:db8::1", None),
        ("[2001:db8::1]5060", None),
        ("", ("", "")),
    ],
)
def test_host_and_port_are_told_apart(text: str, found: tuple[str, str] | None) -> None:
    assert split_host_port(text) == found


def test_an_address_reads_as_it_is_written() -> None:
    for address in (Address("192.0.2.1", 5060), Address("2001:db8::1", 5061)):
        assert split_host_port(str(address)) == (address.host, str(address.port))


def test_brackets_are_for_version_6_alone() -> None:
    assert [bracketed(host) for host in ("::1", "192.0.2.1", "name")] == [
        "[::1]", "192.0.2.1", "name",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "numeric"),
    [("192.0.2.1", True), ("::1", True), ("name", False), ("1.2.3", False), ("a.1", False)],
)
def test_what_is_numeric_needs_no_look_up(host: str, numeric: bool) -> None:
    assert is_numeric(host) is numeric
