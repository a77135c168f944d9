"""What differs, in words that tell no secret."""

from __future__ import annotations

from pydantic import SecretStr

from pjreg_cli.config.changes import changes, place, registration_changes
from pjreg_cli.config.models import Auth, Registration


def test_secrets_are_masked_on_both_sides() -> None:
    old = Auth(name="a", source="f:1", username="u", password=SecretStr("hunter2"))
    new = Auth(name="a", source="f:2", username="v", password=SecretStr("hunter3"))
    assert set(changes(old, new)) == {"username: u -> v", "password: ******** -> ********"}


def test_change_of_a_password_inside_a_uri_is_told_without_it() -> None:
    old = Registration(name="a", source="f:1", server_uri="sip:u:hunter2@h")
    new = Registration(name="a", source="f:1", server_uri="sip:u:hunter3@h", line=True)
    assert registration_changes(old, new) == (
        "line: false -> true",
        "server_uri: sip:u:********@h -> sip:u:********@h",
    )


def test_place_is_the_file_without_its_folder() -> None:
    assert (place("/etc/x/pjsip.conf", 41), place("pjsip.conf", 0)) == (
        "pjsip.conf:41",
        "pjsip.conf",
    )
