"""Challenges that are answered together, and nonces that are kept."""

from __future__ import annotations

from pjreg_cli.engine.credentials import Answer, Kept, challenged, kept, signed
from pjreg_cli.engine.entry import Attempt
from pjreg_cli.sip.digest import Account
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response

ACCOUNTS = (Account("a", "", "alice", ("MD5",), lambda: "secret"),)


def challenge(realm: str, nonce: str, *, proxy: bool = False, more: str = "") -> Response:
    name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    value = f'Digest realm="{realm}", nonce="{nonce}", qop="auth"{more}'
    return Response(407 if proxy else 401, "", Headers([(name, value)]))


def headers(attempt: Attempt) -> list[tuple[str, str]]:
    """Name of each header that answers, and its nonce count."""
    made = signed(attempt.answers, "sip:h", lambda: "c")
    return [(name, value.partition("nc=")[2][:8]) for name, value in made]


def test_a_proxy_and_the_registrar_are_answered_together() -> None:
    attempt = Attempt()
    assert challenged(attempt, challenge("p", "1", proxy=True), ACCOUNTS) == (False, False)
    assert headers(attempt) == [("Proxy-Authorization", "00000001")]
    assert challenged(attempt, challenge("r", "2"), ACCOUNTS) == (False, False)
    assert headers(attempt) == [("Proxy-Authorization", "00000002"), ("Authorization", "00000001")]
    assert challenged(attempt, challenge("r", "3", more=", stale=true"), ACCOUNTS) == (True, True)
    assert headers(attempt) == [("Proxy-Authorization", "00000003"), ("Authorization", "00000001")]
    assert challenged(attempt, challenge("p", "4", proxy=True), ACCOUNTS) == (True, False)


def test_what_nobody_can_answer_leaves_nothing_to_answer_with() -> None:
    attempt = Attempt()
    challenged(attempt, challenge("p", "1", proxy=True), ACCOUNTS)
    assert challenged(attempt, challenge("r", "2"), ()) == (False, False)
    assert attempt.answers == ()


def accepted(*fields: tuple[str, str]) -> Response:
    return Response(200, "OK", Headers(fields))


def test_the_next_nonce_takes_the_place_of_the_last() -> None:
    attempt = Attempt()
    challenged(attempt, challenge("r", "1"), ACCOUNTS)
    headers(attempt)
    attempt.mechanisms = ("m",)
    attempt.response = accepted(("Authentication-Info", 'nextnonce="2"'))
    after = kept(None, attempt)
    assert after is not None
    assert (after.answers[0].challenge.nonce, after.answers[0].count) == ("2", 0)
    assert after.mechanisms == ("m",)
    refresh = Attempt()
    refresh.response = accepted(("Authentication-Info", 'nextnonce="3"'))
    assert kept(after, refresh) is after
    assert after.answers[0].challenge.nonce == "3"


def test_without_a_challenge_there_is_nothing_to_keep() -> None:
    attempt = Attempt()
    attempt.response = accepted(("Authentication-Info", 'nextnonce="2"'))
    assert kept(None, attempt) is None
    before = Kept((), ())
    assert kept(before, attempt) is before


def test_realms_of_a_proxy_and_of_the_registrar_are_two() -> None:
    attempt = Attempt()
    challenged(attempt, challenge("r", "1", proxy=True), ACCOUNTS)
    challenged(attempt, challenge("r", "1"), ACCOUNTS)
    assert [answer.realm for answer in attempt.answers] == [
        ("Proxy-Authorization", "r"),
        ("Authorization", "r"),
    ]
    assert isinstance(attempt.answers[0], Answer)
