"""The Digest challenges of a response, read once for each registrar (RFC 7616 section 3.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from pjreg_cli.sip.message import Response
from pjreg_cli.sip.scan import only_challenge

#: the algorithms that can be computed, by their official names
ALGORITHMS = ("MD5", "SHA-256", "SHA-512-256")

_WWW, _PROXY = "www-authenticate", "proxy-authenticate"
_ANSWERS = {_WWW: "Authorization", _PROXY: "Proxy-Authorization"}

_TOKEN = r"[^\s,=\"]+"
_ITEM = re.compile(
    rf"[\s,]*(?:(?P<name>{_TOKEN})\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\s,\"]*))"
    rf"|(?P<word>{_TOKEN}))",
    re.DOTALL,
)
_PARAMETER_AHEAD = re.compile(rf"\s+{_TOKEN}\s*=")
_FIRST_AHEAD = re.compile(rf"\s[\s,]*{_TOKEN}\s*=")
# only what needs an escape is taken for one: DOMAIN\user stays as it is
_QUOTED_PAIR = re.compile(r"\\([\"\\])")


#: what a nonce stands behind, and what may stand before that
_NONCE = 'nonce="'
_BEFORE_NAME = " ,\t"
#: stands for the nonce where the rest of a challenge is read; no nonce has a line feed
_STAND_IN = "\n"
#: characters of a challenge worth remembering
_LONGEST_KNOWN = 1024


@lru_cache(maxsize=64)
def algorithm_named(text: str) -> str | None:
    """The algorithm of this name as it is written officially; None for unknown ones.

    MD5, SHA-256 and SHA-512-256 in any letter case; the `-sess` variants are not among them.
    """
    name = text.upper()
    return name if name in ALGORITHMS else None


Echo = tuple[tuple[str, str], ...]


class Challenge(NamedTuple):
    """One Digest challenge (RFC 7616 section 3.3).  Texts are without quotes and escapes."""

    answer: str
    """Name of the header that answers it: `Authorization` or `Proxy-Authorization`."""
    realm: str
    nonce: str
    opaque: str = ""
    algorithm: str | None = None
    """As the challenge spells it; None where it names none, which means MD5."""
    qop: tuple[str, ...] = ()
    """The qualities of protection offered, in lower case."""
    stale: bool = False
    echo: Echo = ()
    """Texts whose escapes are not ours to rewrite, as they came."""

    @property
    def known_algorithm(self) -> str | None:
        """The algorithm as written officially, None for one we cannot compute."""
        return algorithm_named(self.algorithm or "MD5")

    @property
    def computable(self) -> str | None:
        """The same; None where credentials cannot be computed, as for auth-int alone."""
        return _computable(self.algorithm, self.qop)


@lru_cache(maxsize=256)
def _computable(algorithm: str | None, qop: tuple[str, ...]) -> str | None:
    return algorithm_named(algorithm or "MD5") if not qop or "auth" in qop else None


def parse_challenges(response: Response) -> tuple[Challenge, ...]:
    """The Digest challenges of a response in its order; never raises.

    Other schemes and challenges without realm or nonce are left out.  One header may hold several
    (RFC 7235 section 4.1)."""
    headers = response.headers
    if (only := only_challenge(response)) is not None:
        return tuple(read_challenges(*only))
    www, proxy = headers.all(_WWW), tuple[str, ...]()
    if not www or "\nproxy-" in headers.text.lower():
        proxy = headers.all(_PROXY)
    if www and proxy:
        # both kinds in one response are rare enough to look through all of it for their order
        lines = [(_ANSWERS.get(name.lower(), ""), value) for name, value in headers]
    else:
        lines = [(_ANSWERS[_WWW if www else _PROXY], value) for value in www or proxy]
    found: list[Challenge] = []
    for answer, value in lines:
        if answer:
            found += read_challenges(value, answer)
    return tuple(found)


def read_challenges(value: str, answer: str = "Authorization") -> list[Challenge]:
    """The Digest challenges of one header value.

    A registrar's challenges differ in the nonce alone, so the rest is read once for each registrar.
    """
    at = value.find(_NONCE)
    begin = at + len(_NONCE)
    end = value.find('"', begin)
    nonce = value[begin:end]
    if (
        at <= 0
        or end < 0
        or value.find(_NONCE, end) >= 0
        or "\\" in nonce
        or value[at - 1] not in _BEFORE_NAME
        or len(value) > _LONGEST_KNOWN
    ):
        return _read(value, answer)
    known = _read_but_for_nonce(f"{value[:begin]}{_STAND_IN}{value[end:]}", answer)
    if known is None:
        return _read(value, answer)
    return [Challenge._make((*known[:2], nonce, *known[3:]))]


@lru_cache(maxsize=256)
def _read_but_for_nonce(value: str, answer: str) -> Challenge | None:
    """The only challenge of a header whose nonce is the stand-in; None for anything else."""
    known = _read(value, answer)
    usual = len(known) == 1 and known[0].nonce == _STAND_IN and not known[0].echo
    return known[0] if usual else None


def _read(value: str, answer: str) -> list[Challenge]:
    found = (_challenge(fields, answer) for scheme, fields in _schemes(value) if scheme == "digest")
    return [challenge for challenge in found if challenge is not None]


def _schemes(value: str) -> list[tuple[str, dict[str, tuple[str, bool]]]]:
    """Scheme in lower case and parameters, each value with whether it was quoted."""
    schemes: list[tuple[str, dict[str, tuple[str, bool]]]] = []
    fields: dict[str, tuple[str, bool]] = {}
    last, position = "", 0
    while (match := _ITEM.match(value, position)) is not None:
        position = match.end()
        word = match["word"]
        if word is None:
            last = match["name"].lower()
            quoted = match["quoted"] is not None
            fields.setdefault(last, (match["quoted"] if quoted else match["bare"], quoted))
        elif (_PARAMETER_AHEAD if schemes else _FIRST_AHEAD).match(value, position):
            last, fields = "", {}
            schemes.append((word.lower(), fields))
        elif last == "qop":
            # qop=auth,auth-int without quotes
            offered, quoted = fields[last]
            fields[last] = (f"{offered},{word}", quoted)
    return schemes


def _challenge(fields: Mapping[str, tuple[str, bool]], answer: str) -> Challenge | None:
    def plain(name: str) -> str | None:
        if name not in fields:
            return None
        text, quoted = fields[name]
        return _QUOTED_PAIR.sub(r"\1", text) if quoted and "\\" in text else text

    realm, nonce = plain("realm"), plain("nonce")
    if realm is None or nonce is None:
        return None
    qop = (plain("qop") or "").replace(",", " ").lower().split()
    echo = tuple((name, text) for name, (text, quoted) in fields.items() if quoted and "\\" in text)
    return Challenge(
        answer=answer,
        realm=realm,
        nonce=nonce,
        opaque=plain("opaque") or "",
        algorithm=plain("algorithm") or None,
        qop=tuple(qop),
        stale=(plain("stale") or "").lower() == "true",
        echo=echo,
    )


#: names of the headers that hand out the nonce for the next request, and what will answer with it
_NEXT = {"authentication-info": "Authorization", "proxy-authentication-info": "Proxy-Authorization"}


def next_nonces(response: Response) -> dict[str, tuple[str, str]]:
    """What `nextnonce` of a response says (RFC 7616 section 3.5): for the name of the header that
    is to use it, the nonce, and as it was written between its quotes; never raises."""
    found: dict[str, tuple[str, str]] = {}
    for header, answer in _NEXT.items():
        for value in response.headers.all(header):
            for match in _ITEM.finditer(value):
                if (match["name"] or "").lower() == "nextnonce":
                    written = match["quoted"] if match["quoted"] is not None else match["bare"]
                    found.setdefault(answer, (_QUOTED_PAIR.sub(r"\1", written), written))
    return {answer: nonce for answer, nonce in found.items() if nonce[0]}


def with_nonce(challenge: Challenge, nonce: str, written: str) -> Challenge:
    """The challenge as if it had named this nonce; `written` is how it stood between its quotes."""
    echo = tuple(one for one in challenge.echo if one[0] != "nonce")
    if "\\" in written:
        echo += (("nonce", written),)
    return challenge._replace(nonce=nonce, stale=False, echo=echo)
