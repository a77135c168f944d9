"""Auth sections become accounts that answer challenges, and keep what was computed."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from pjreg_cli.config.models import Auth
from pjreg_cli.engine.accounts import Accounts, account_of


def _auth(name: str = "a", **options: Any) -> Auth:  # Any: whatever the section takes
    return Auth(name=name, source="pjsip.conf:1", username="u", **options)


def test_a_password_serves_every_algorithm_allowed() -> None:
    algorithms = ("MD5", "SHA-256")
    account = account_of(_auth(password=SecretStr("p"), supported_algorithms_uac=algorithms))
    assert [account.allows(name) for name in ("MD5", "SHA-256", "SHA-512-256")] == [
        True,
        True,
        False,
    ]


def test_md5_cred_and_password_digest_give_the_hash_itself() -> None:
    md5 = account_of(_auth(auth_type="md5", md5_cred=SecretStr("AB" * 16)))
    assert md5.ha1("MD5", "any") == "ab" * 16
    digest = account_of(
        _auth(
            auth_type="digest",
            password_digest=(("SHA-256", SecretStr("cd" * 32)),),
            supported_algorithms_uac=("SHA-256",),
        )
    )
    assert digest.ha1("SHA-256", "any") == "cd" * 32


def test_names_without_a_section_and_oauth_are_left_out() -> None:
    accounts = Accounts()
    accounts.update({"a": _auth("a"), "o": _auth("o", auth_type="google_oauth")})
    assert [account.name for account in accounts.named(("x", "o", "a"))] == ["a"]


def test_an_unchanged_section_keeps_its_account_over_a_reload() -> None:
    accounts = Accounts()
    same, other = _auth("same", password=SecretStr("p")), _auth("other", password=SecretStr("p"))
    accounts.update({"same": same, "other": other})
    before = accounts.named(("same", "other"))
    accounts.update({"same": same, "other": _auth("other", password=SecretStr("q"))})
    after = accounts.named(("same", "other"))
    assert after[0] is before[0]
    assert after[1] is not before[1]


def test_secrets_stay_out_of_what_is_printed() -> None:
    assert "hidden" not in repr(account_of(_auth(password=SecretStr("hidden"))))
