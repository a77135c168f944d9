"""The hosts file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.net.hosts import Hosts, parse_hosts
from pjreg_cli.sip.locate import Question

TEXT = """
# a comment
192.0.2.1  pbx.example.com  PBX  # trailing
2001:db8::1 pbx.example.com.
not-an-address nobody
192.0.2.2 pbx
192.0.2.1 pbx
"""


def test_names_are_found_with_all_their_addresses_whatever_their_letters() -> None:
    assert parse_hosts(TEXT) == {
        "pbx.example.com": ("192.0.2.1", "2001:db8::1"),
        "pbx": ("192.0.2.1", "192.0.2.2"),
    }


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    parse_hosts(text)


def test_a_name_in_the_file_is_asked_of_nobody_but_its_services_are(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(TEXT)
    hosts = Hosts(str(tmp_path / "hosts"))
    assert hosts.answer(Question("pbx.example.com", "A")) == ("192.0.2.1",)
    assert hosts.answer(Question("pbx.example.com", "AAAA")) == ("2001:db8::1",)
    assert hosts.answer(Question("pbx.example.com", "NAPTR")) == ()
    assert hosts.answer(Question("_sip._udp.pbx.example.com", "SRV")) is None
    assert hosts.answer(Question("example.com", "A")) is None


@pytest.mark.parametrize("path", ["", "/nowhere/at/all"])
def test_localhost_is_this_host_with_or_without_a_file(path: str) -> None:
    hosts = Hosts(path)
    assert hosts.answer(Question("localhost", "A")) == ("127.0.0.1",)
    assert hosts.answer(Question("localhost", "AAAA")) == ("::1",)
    assert hosts.answer(Question("_sip._udp.localhost", "SRV")) == ()
    assert hosts.answer(Question("localhost", "NAPTR")) == ()


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.1 a\n")
    hosts = Hosts(str(path))
    path.write_text("192.0.2.77 a b\n")
    hosts.refresh()
    assert hosts.answer(Question("b", "A")) == ("192.0.2.77",)
    path.unlink()
    hosts.refresh()
    assert hosts.answer(Question("b", "A")) is None
