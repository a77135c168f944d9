"""Who may log in: secrets, MD5 challenges, and throttle with wrong ones."""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Iterable

from pjreg_cli.ami.codec import Message
from pjreg_cli.config.models import ManagerAccount

#: how long a wrong login waits for its answer, as in the origin, in seconds
FAILURE_DELAY_S = 1.0
#: wrong logins of one address within the window that cost no more than that
FREE_FAILURES = 5
#: how long a wrong login is remembered, in seconds
WINDOW_S = 60.0
#: the longest a login is put off, in seconds
LONGEST_DELAY_S = 16.0
#: addresses remembered at once; beyond, the oldest are forgotten
_ADDRESSES = 4096


def find(accounts: Iterable[ManagerAccount], name: str) -> ManagerAccount | None:
    """The account of this name in any letter case."""
    wanted = name.casefold()
    return next((each for each in accounts if each.name.casefold() == wanted), None)


def refusal(account: ManagerAccount | None, message: Message, challenge: str, peer: str) -> str:
    """Why a login is refused, for the log; empty when it is right.

    `challenge` is the one handed out on this connection, empty if none was.
    """
    if account is None:
        return "no such user"
    if not account.access.admits(peer):
        return "address not permitted"
    secret = account.secret.get_secret_value()
    if not secret:
        return "the user has no secret"
    if message.get("AuthType").lower() == "md5":
        return "" if _md5_matches(secret, challenge, message.get("Key")) else "wrong key"
    return "" if _same(secret, message.get("Secret")) else "wrong secret"


def _md5_matches(secret: str, challenge: str, key: str) -> bool:
    if not challenge:
        return False
    material = (challenge + secret).encode("utf-8", "surrogateescape")
    # the protocol's own digest, not our choice
    wanted = hashlib.md5(material, usedforsecurity=False).hexdigest()
    return _same(wanted, key.strip().lower())


def _same(one: str, other: str) -> bool:
    """Compare without telling by the time it takes how much was right."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape")
    )


class LoginThrottle:
    """How long logins from an address are put off after wrong ones.

    A few mistakes cost a second each, as in the origin.  Beyond them every login from there,
    right or wrong, is put off before it is looked at, twice as long each time.  Attempts count
    from their beginning, so that guessing in parallel gains nothing.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._attempts: dict[str, deque[float]] = {}

    def begin(self, address: str) -> float:
        """Count a login from `address` as wrong until it is right; seconds to put it off."""
        now = self._clock()
        attempts = self._recent(address, now)
        attempts.append(now)
        surplus = len(attempts) - FREE_FAILURES
        self._attempts[address] = attempts
        return min(LONGEST_DELAY_S, 2.0 ** min(surplus - 1, 10)) if surplus > 0 else 0.0

    def succeeded(self, address: str) -> None:
        """The login last begun from `address` was right after all."""
        attempts = self._attempts.get(address)
        if attempts:
            attempts.pop()
        if not attempts:
            self._attempts.pop(address, None)

    def _recent(self, address: str, now: float) -> deque[float]:
        attempts = self._attempts.pop(address, None)
        if attempts is None:
            attempts = deque(maxlen=64)
            while len(self._attempts) >= _ADDRESSES:
                del self._attempts[next(iter(self._attempts))]
        while attempts and attempts[0] <= now - WINDOW_S:
            attempts.popleft()
        return attempts
