"""Secrets and throttle."""

from __future__ import annotations

import hashlib

import pytest

from pjreg_cli.ami import auth
from pjreg_cli.ami.codec import Message
from tests.support.ami_client import account

USERS = (
    account("Admin", "gehéim"),
    account("mute", ""),
    account("far", rules=[(False, "0.0.0.0/0")]),
)
KEY = hashlib.md5("123gehéim".encode()).hexdigest()


def refused(name: str, challenge: str = "", **headers: str) -> str:
    message = Message(tuple(headers.items()))
    return auth.refusal(auth.find(USERS, name), message, challenge, "127.0.0.1")


def test_names_are_found_in_any_letter_case() -> None:
    assert auth.find(USERS, "aDMIN") is USERS[0]
    assert auth.find(USERS, "") is None


@pytest.mark.parametrize(
    ("name", "challenge", "headers", "why"),
    [
        ("admin", "", {"Secret": "gehéim"}, ""),
        ("admin", "", {"Secret": "Gehéim"}, "wrong secret"),
        ("admin", "", {}, "wrong secret"),
        ("admin", "", {"Secret": "\udcff"}, "wrong secret"),
        ("nobody", "", {"Secret": "gehéim"}, "no such user"),
        ("mute", "", {"Secret": ""}, "the user has no secret"),
        ("mute", "1", {"AuthType": "MD5"}, "the user has no secret"),
        ("far", "", {"Secret": "s3cret"}, "address not permitted"),
        ("admin", "123", {"AuthType": "md5", "Key": KEY}, ""),
        ("admin", "123", {"AuthType": "MD5", "Key": KEY.upper()}, ""),
        ("admin", "124", {"AuthType": "MD5", "Key": KEY}, "wrong key"),
        ("admin", "", {"AuthType": "MD5", "Key": KEY}, "wrong key"),
        ("admin", "123", {"AuthType": "MD5", "Secret": "gehéim"}, "wrong key"),
    ],
)
def test_verdicts(name: str, challenge: str, headers: dict[str, str], why: str) -> None:
    assert refused(name, challenge, **headers) == why


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_mistakes_beyond_the_free_ones_cost_twice_as_much_each_time() -> None:
    throttle = auth.LoginThrottle(Clock())
    delays = [throttle.begin("a") for _ in range(12)]
    assert delays == [0.0] * 5 + [1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0]
    assert throttle.begin("b") == 0.0


def test_right_logins_cost_nothing() -> None:
    throttle = auth.LoginThrottle(Clock())
    for _ in range(1000):
        assert throttle.begin("a") == 0.0
        throttle.succeeded("a")


def test_mistakes_are_forgotten_after_a_while() -> None:
    clock = Clock()
    throttle = auth.LoginThrottle(clock)
    for _ in range(200):
        throttle.begin("a")
    clock.now = auth.WINDOW_S + 1
    assert throttle.begin("a") == 0.0


def test_addresses_remembered_are_bounded() -> None:
    throttle = auth.LoginThrottle(Clock())
    for number in range(10_000):
        throttle.begin(str(number))
    assert len(throttle._attempts) <= 4096
