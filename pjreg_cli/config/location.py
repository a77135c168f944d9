"""Where a PostgreSQL is, as far as may be told: connection strings without secrets (pure)."""

from __future__ import annotations

import re
from typing import Final

from pjreg_cli.config.secrets import MASK

#: `key = value` of libpq, the value perhaps in quotes
_SETTING: Final = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)")
_PLAIN: Final = r"[\w./:@,%-]*"
_TOLD: Final = {
    "service": _PLAIN, "host": _PLAIN, "hostaddr": _PLAIN, "port": r"[\d,]*", "dbname": _PLAIN,
}  # fmt: skip
_HOST: Final = re.compile(r"(?:[\w.-]*|\[[\w:.]+\])(?::\d{1,5})?")
_NAME: Final = re.compile(r"[\w.-]*")
_SCHEMES: Final = ("postgresql", "postgres")
#: what stands between the words of a connection string; shorter words say nothing
_BETWEEN: Final = re.compile(r"[\s/:@?&='\"]+")
_SHORTEST: Final = 3
_UNKNOWN: Final = "the database"


def shown(location: str) -> str:
    """A connection string or URL of libpq without what may be secret: where it is, no more.

    What does not look as it should is not told at all: it may be a password in the wrong place.
    """
    scheme, mark, rest = location.strip().partition("://")
    if mark:
        hosts, slash, name = rest.partition("?")[0].rpartition("@")[2].partition("/")
        plain = all(_HOST.fullmatch(one) for one in hosts.split(","))
        if scheme not in _SCHEMES or not plain or not _NAME.fullmatch(name):
            return _UNKNOWN
        return f"{scheme}://{hosts}{slash}{name}"
    settings = _settings(location)
    words = (
        f"{key}={settings[key]}"
        for key, plain in _TOLD.items()
        if key in settings and re.fullmatch(plain, settings[key])
    )
    return " ".join(words) or _UNKNOWN


def cleaned(text: str, location: str) -> str:
    """What an error says, without any part of `location` that may be secret: libpq repeats what it
    does not understand."""
    told = shown(location)
    words = set(_BETWEEN.split(location)) - set(_BETWEEN.split(told)) - {_user(location)}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SHORTEST and word.lower() not in _WORDS:
            text = text.replace(word, MASK)
    return text


#: what connection strings and errors have in common by themselves
_WORDS: Final = frozenset(
    {
        "postgresql", "postgres", "service", "host", "hostaddr", "port", "dbname", "user",
        "password", "sslmode", "require", "connect_timeout", "application_name", "options",
        "prefer", "disable", "allow", "verify-ca", "verify-full", "sslrootcert", "sslcert",
        "sslkey", "sslpassword", "passfile", "target_session_attrs", "read-write",
    }
)  # fmt: skip


def has_password(location: str) -> bool:
    """Whether there is a password in it."""
    if "://" in location:
        before, at, _ = location.partition("://")[2].rpartition("@")
        return (bool(at) and ":" in before) or "password=" in location.partition("?")[2]
    return bool(_settings(location).get("password"))


def _settings(location: str) -> dict[str, str]:
    """The settings of a connection string; none at all where one is broken."""
    found: dict[str, str] = {}
    at, text = 0, location.rstrip()
    while at < len(text):
        match = _SETTING.match(text, at)
        if match is None:
            return {}
        found[match[1].lower()] = match[2].strip("'")
        at = match.end()
    return found


def _user(location: str) -> str:
    """Who connects, which errors may well tell; empty where that is not plain."""
    _, mark, rest = location.partition("://")
    if mark:
        who, at, _ = rest.rpartition("@")
        return who.partition(":")[0] if at else ""
    return _settings(location).get("user", "")
