"""Digest credentials: which account answers a challenge, and how (RFC 7616, RFC 8760)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple, Protocol

from pjreg_cli.sip.challenges import Challenge, Echo, algorithm_named
from pjreg_cli.sip.message import to_bytes
from pjreg_cli.sip.uri import quote


class Hash(Protocol):
    """As much of a hash object as digests need."""

    def hexdigest(self) -> str: ...


Secret = Callable[[], str]
"""Hands out a secret at the moment it is needed, so that nothing else holds it."""

_HASHES: Mapping[str, Callable[[bytes], Hash]] = {
    "MD5": partial(hashlib.md5, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
    "SHA-512-256": partial(hashlib.new, "sha512_256"),
}

#: realms of which one account keeps HA1; a registrar that makes up realms must not fill memory
_KEPT = 16


def _digest(algorithm: str, text: str) -> str:
    return _HASHES[algorithm](to_bytes(text)).hexdigest()


# -- accounts ---------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Account:
    """What one auth section can answer with.

    `realm` empty or `*` means any.  `algorithms` are those allowed, in any letter case.
    `digests` holds, by algorithm, the hash of user:realm:password; it goes before `password`.
    """

    name: str
    realm: str
    username: str
    algorithms: Sequence[str]
    password: Secret | None = None
    digests: Mapping[str, Secret] = field(default_factory=dict)
    _kept: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _allowed: frozenset[str] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        allowed = {algorithm_named(name) for name in self.algorithms}
        self._allowed = frozenset(
            algorithm
            for algorithm in _HASHES
            if algorithm in allowed
            and (self.password is not None or self._given(algorithm) is not None)
        )

    @property
    def any_realm(self) -> bool:
        """Whether the section names no realm of its own."""
        return self.realm in {"", "*"}

    def allows(self, algorithm: str) -> bool:
        """Whether this algorithm may be used and there is a secret for it."""
        return algorithm in self._allowed

    def ha1(self, algorithm: str, realm: str) -> str:
        """H(A1) in lower-case hexadecimal, computed once (RFC 7616 section 3.4.2).

        `algorithm` is the official name.  Raises KeyError without a secret for it: see `allows`.
        """
        key = (algorithm, realm)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        given = self._given(algorithm)
        if given is not None:
            ha1 = given().strip().lower()
        elif self.password is not None:
            ha1 = _digest(algorithm, f"{self.username}:{realm}:{self.password()}")
        else:
            raise KeyError(algorithm)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[key] = ha1
        return ha1

    def _given(self, algorithm: str) -> Secret | None:
        for name, secret in self.digests.items():
            if algorithm_named(name) == algorithm:
                return secret
        return None


Selected = tuple[tuple[Challenge, Account], ...]


def select(challenges: Sequence[Challenge], accounts: Sequence[Account]) -> Selected:
    """Which account answers which challenge: at most one answer for each realm.

    Of several challenges for one realm the first that some account allows is meant, in the
    registrar's order (RFC 8760 section 2.4).  An account of that very realm, letter case
    ignored, goes before one for any realm, wherever it stands; else the first one counts.
    """
    # origin: answers the last challenge of a realm, even with an algorithm that is not allowed
    if len(challenges) == 1:
        only = challenges[0]
        algorithm = only.computable
        account = None if algorithm is None else _fitting(only, algorithm, accounts)
        return () if account is None else ((only, account),)
    chosen: dict[tuple[str, str], tuple[Challenge, Account]] = {}
    for challenge in challenges:
        protection = (challenge.answer, challenge.realm)
        algorithm = challenge.computable
        if protection in chosen or algorithm is None:
            continue
        account = _fitting(challenge, algorithm, accounts)
        if account is not None:
            chosen[protection] = (challenge, account)
    return tuple(chosen.values())


def _fitting(challenge: Challenge, algorithm: str, accounts: Sequence[Account]) -> Account | None:
    realm = ""
    for_any: Account | None = None
    for account in accounts:
        if not account.allows(algorithm):
            continue
        if account.any_realm:
            for_any = for_any or account
        elif account.realm.casefold() == (realm := realm or challenge.realm.casefold()):
            return account
    return for_any


# -- answers ----------------------------------------------------------------------------------


def _named(username: str) -> str:
    """A user name between quotes.  Its backslashes stay as they are (DOMAIN\\user): hardly any
    registrar takes an escape away again."""
    # origin: writes them raw whatever they stand before; a quoted string must end, though
    if '"' in username or username.endswith("\\"):
        return quote(username)
    return '"' + username.replace("\r", " ").replace("\n", " ") + '"'


def credentials(
    challenge: Challenge, account: Account, method: str, uri: str, cnonce: str, nc: int = 1
) -> str:
    """The value of the header that answers a challenge (RFC 7616 section 3.4).

    `uri` is the Request-URI as sent, `cnonce` a fresh random text, `nc` counts the requests sent
    with this nonce, from 1.
    """
    _, realm, nonce, opaque, named, qop, _, echo = challenge
    form = _form(realm, uri, opaque, named, qop, echo, method)
    ha1 = account.ha1(form.algorithm, realm)
    count = f"{nc & 0xFFFFFFFF:08x}"
    middle = f"{count}:{cnonce}:auth:" if form.protected else ""
    response = _digest(form.algorithm, f"{ha1}:{nonce}:{middle}{form.ha2}")
    nonce = _quoted("nonce", nonce, echo) if echo else quote(nonce)
    end = f', qop=auth, nc={count}, cnonce="{cnonce}"' if form.protected else ""
    return (
        f"Digest username={_named(account.username)}{form.before}{nonce}{form.middle}{response}"
        f"{form.behind}{end}"
    )


def _quoted(name: str, text: str, echo: Echo) -> str:
    """A text of the challenge between quotes: as it came, or written anew."""
    came = next((written for one, written in echo if one == name), None)
    return quote(text) if came is None else f'"{came}"'


class _Form(NamedTuple):
    """What credentials at one registrar have in common."""

    algorithm: str
    protected: bool
    """Whether the quality of protection is `auth`; else there is none."""
    ha2: str
    before: str
    """What stands between user name and nonce."""
    middle: str
    """Between nonce and response."""
    behind: str


# the same for all registrations at one registrar
@lru_cache(maxsize=1024)
def _form(
    realm: str,
    uri: str,
    opaque: str,
    named: str | None,
    qop: tuple[str, ...],
    echo: Echo,
    method: str,
) -> _Form:
    algorithm = algorithm_named(named or "MD5") or "MD5"
    repeated = _quoted("opaque", opaque, echo)
    echoed = "" if repeated == '""' else f", opaque={repeated}"
    return _Form(
        algorithm,
        "auth" in qop,
        _digest(algorithm, f"{method}:{uri}"),
        f", realm={_quoted('realm', realm, echo)}, nonce=",
        f', uri={quote(uri)}, response="',
        '"' + ("" if named is None else f", algorithm={named}") + echoed,
    )
