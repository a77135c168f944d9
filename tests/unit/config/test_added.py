"""The file of registrations added at run time."""

from __future__ import annotations

import pytest

from pjreg_cli.config.added import Change, ChangeError, Verb, changed, checked


def change(verb: Verb, name: str = "a", **options: str) -> Change:
    return Change(verb, name, options, "a test")


def test_sections_are_added_changed_and_removed_and_the_rest_stays() -> None:
    text = changed("", change(Verb.ADD, server_uri="sip:x", username="u", password="p;q"))
    assert text.endswith(
        "\n[a]\ntype = registration\nserver_uri = sip:x\noutbound_auth = a-auth\n"
        "\n[a-auth]\ntype = auth\npassword = p\\;q\nusername = u\n"
    )
    text = changed(text, change(Verb.ADD, "b", server_uri="sip:y"))
    by_hand = text.replace("sip:y", "sip:y ; mine")
    text = changed(by_hand, change(Verb.SET, server_uri="sip:z", expiration="9", password="new"))
    assert "server_uri = sip:z\n" in text
    assert "expiration = 9\n" in text
    assert "password = new\n" in text
    assert "server_uri = sip:y ; mine\n" in text
    text = changed(text, change(Verb.REMOVE))
    assert "[a]" not in text
    assert "[a-auth]" not in text
    assert "server_uri = sip:y ; mine\n" in text


def test_credentials_set_later_make_an_auth_section() -> None:
    text = changed("", change(Verb.ADD, server_uri="sip:x"))
    text = changed(text, change(Verb.SET, username="u"))
    assert "outbound_auth = a-auth\n" in text
    assert "[a-auth]\ntype = auth\nusername = u\n" in text


@pytest.mark.parametrize(
    "wrong",
    [
        change(Verb.ADD, "a]b", x="y"),
        change(Verb.ADD, "", x="y"),
        change(Verb.ADD, "a\nb", x="y"),
        change(Verb.ADD, x="y\n[z]"),
        change(Verb.ADD),
        Change(Verb.SET, "a", {"b c": "d"}, ""),
    ],
)
def test_what_cannot_stand_in_a_file_is_refused(wrong: Change) -> None:
    with pytest.raises(ChangeError):
        checked(wrong)


def test_secrets_are_not_told() -> None:
    told = change(Verb.ADD, password="hunter2", server_uri="sip:x").told
    assert told == "pjreg add a password=******** server_uri=sip:x"
