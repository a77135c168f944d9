"""Both dialects as plain values."""

from __future__ import annotations

import pytest

from pjreg_cli.api.configuration import Option
from pjreg_cli.dialects import CURRENT, TWELVE, ami_key, named, ordered


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("client_uri", "ClientUri"),
        ("md5_cred", "Md5Cred"),
        ("line", "Line"),
        ("oauth_clientid", "OauthClientid"),
        ("supported_algorithms_uac", "SupportedAlgorithmsUac"),
    ],
)
def test_manager_keys_are_made_from_option_names(option: str, key: str) -> None:
    assert ami_key(option) == key


def test_dialects_are_named() -> None:
    assert named("current") is CURRENT
    assert named("12") is TWELVE
    with pytest.raises(KeyError):
        named("13")


def test_asterisk_12_shows_the_options_it_had() -> None:
    assert TWELVE.shows("support_path")
    assert not TWELVE.shows("line")
    assert CURRENT.shows("line")
    assert TWELVE.options == frozenset(TWELVE.registration_keys)


def test_detail_of_a_registration_begins_differently() -> None:
    assert CURRENT.registration_keys[0] == "max_retries"
    assert TWELVE.registration_keys[:2] == ("support_path", "auth_rejection_permanent")
    assert len(set(CURRENT.registration_keys)) == 21


def test_options_are_sent_in_the_order_of_the_dialect() -> None:
    options = (Option("b_c", ("1", "2")), Option("a", ("",)), Option("@pjsip_wizard", ("w",)))
    assert ordered(("a", "b_c", "missing"), options) == (("A", ""), ("BC", "1,2"))
