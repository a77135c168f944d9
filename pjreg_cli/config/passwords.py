"""Passwords that stand elsewhere than in the configuration: in a file, or in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pjreg_cli.config.section import Section
from pjreg_cli.errors import excerpt

_FILE: Final = "password_file"
_ENVIRONMENT: Final = "password_env"
#: bytes of a file that are looked at
_LARGEST: Final = 4_096
_CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
#: how variables are called; anything else may be a password in the wrong place
_NAME: Final = re.compile("[A-Z_][A-Z0-9_]*")


class PasswordError(Exception):
    """A password that cannot be had; `option` is to blame."""

    def __init__(self, option: str, why: str) -> None:
        super().__init__(f"{option}: {why}")
        self.option = option


def fetch(values: Mapping[str, Any], source: str) -> str | None:
    """The password that an auth section's options lead to; None when they name none elsewhere.

    `source` is `file:line` of the section: relative paths begin where its file is.  Raises
    PasswordError.
    """
    given = [option for option in (_FILE, _ENVIRONMENT) if values.get(option)]
    if not given:
        return None
    option = given[0]
    if len(given) > 1 or values.get("password"):
        raise PasswordError(option, "there is another password besides")
    named = str(values[option])
    found = _environment(named) if option == _ENVIRONMENT else _read(named, source)
    if not found:
        raise PasswordError(option, f"{excerpt(named)} is empty")
    return found


def files_of(sections: Iterable[Section]) -> list[str]:
    """The files that these auth sections name, whether or not they can be read."""
    return [
        str(place_of(entry[1], f"{section.path}:{section.line}"))
        for section in sections
        if (entry := section.last(_FILE)) is not None and entry[1]
    ]


def _environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        variable = f"variable {excerpt(name)}" if _NAME.fullmatch(name) else "such variable"
        raise PasswordError(_ENVIRONMENT, f"there is no {variable}") from None


def place_of(named: str, source: str) -> Path:
    """The whole path of a `password_file` of the section at `source`; `$CREDENTIALS_DIRECTORY` is
    where systemd puts what a service may know (systemd.exec(5))."""
    credentials = os.environ.get(_CREDENTIALS, "")
    for spelling in (f"${_CREDENTIALS}/", f"${{{_CREDENTIALS}}}/"):
        if credentials and named.startswith(spelling):
            return Path(credentials, named.removeprefix(spelling))
    return Path(source.rpartition(":")[0]).parent / named


def _read(named: str, source: str) -> str:
    """The first line of a file.  A word that is no path may be the password itself: it is not
    repeated."""
    try:
        with place_of(named, source).open("rb") as file:
            data = file.read(_LARGEST)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such path"
        what = excerpt(str(place_of(named, source))) if "/" in named else "what it names"
        raise PasswordError(_FILE, f"{what} cannot be read: {why}") from None
    return data.split(b"\n", 1)[0].rstrip(b"\r").decode("utf-8", "surrogateescape")
