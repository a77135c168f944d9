"""What is secret, and what stands in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.secrets import is_secret, masked_uri


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sip:a:hunter2@h", "sip:a:********@h"),
        ("SIPS:a:hunter2@h:5061;lr", "SIPS:a:********@h:5061;lr"),
        ("<sip:a:hun:ter2@h;lr>;x=y", "<sip:a:********@h;lr>;x=y"),
        ("sip:a:hunt@er2@h", "sip:a:********@h"),
        ("sip:a@h:5060", "sip:a@h:5060"),
        ("sip:h:5060;x=y:z", "sip:h:5060;x=y:z"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_password_inside_a_uri_is_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked_uri(text) == shown
    assert masked_uri(text, reveal=True) == text


@given(st.text(alphabet="sip:@<>;=a%"))
def test_masking_never_shows_what_stands_between_colon_and_at_sign(text: str) -> None:
    assert "hunter2" not in masked_uri(f"sip:u:hunter2@{text}")


def test_secret_is_known_by_the_name_of_its_option() -> None:
    assert is_secret("Password")
    assert is_secret("outbound_auth/password")
    assert not is_secret("username")
