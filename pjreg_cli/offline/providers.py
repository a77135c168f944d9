"""What is known of providers: a small file for each in `fixtures/providers`, facts only.

`key = value` lines: `name`, `server`, `transport`, `user` (what the user name is there),
`note`, and options of a registration by their own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pjreg_cli.errors import UsageError, excerpt, hint

_FOLDER = Path(__file__).parents[1] / "fixtures" / "providers"
_SUFFIX = ".conf"
#: keys that are no options of a registration
_ABOUT = ("name", "server", "transport", "user", "note")


def names() -> list[str]:
    """The providers there are notes on, sorted."""
    return sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}"))


def notes(provider: str) -> Mapping[str, str]:
    """What is known of one; raises UsageError for an unknown one."""
    known = names()
    if provider.casefold() not in known:
        near = hint(provider.casefold(), known)
        raise UsageError(
            f"there are no notes on '{excerpt(provider)}'{near}; there are {', '.join(known)}"
        )
    found = {}
    for line in (_FOLDER / f"{provider.casefold()}{_SUFFIX}").read_text("utf-8").splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith(";"):
            found[key.strip()] = value.strip()
    return found


def options(found: Mapping[str, str]) -> dict[str, str]:
    """Options of a registration that a provider needs."""
    return {key: value for key, value in found.items() if key not in _ABOUT}
