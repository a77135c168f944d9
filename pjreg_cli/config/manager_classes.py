"""Permission classes of the manager interface as bit masks; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

#: every class, also what the word `all` stands for
ALL = 0x7FFF_FFFF

SYSTEM = 1 << 0
COMMAND = 1 << 4
CONFIG = 1 << 7
REPORTING = 1 << 9
SECURITY = 1 << 18

#: in the order in which the origin lists them
CLASSES: Mapping[str, int] = MappingProxyType(
    {
        "system": SYSTEM,
        "call": 1 << 1,
        "log": 1 << 2,
        "verbose": 1 << 3,
        "command": COMMAND,
        "agent": 1 << 5,
        "user": 1 << 6,
        "config": CONFIG,
        "dtmf": 1 << 8,
        "reporting": REPORTING,
        "cdr": 1 << 10,
        "dialplan": 1 << 11,
        "originate": 1 << 12,
        "agi": 1 << 13,
        "cc": 1 << 15,
        "aoc": 1 << 16,
        "test": 1 << 17,
        "security": SECURITY,
        "message": 1 << 30,
        "all": ALL,
    }
)

_TRUE = frozenset({"yes", "true", "y", "t", "1", "on"})
_FALSE = frozenset({"no", "false", "n", "f", "0", "off"})


def mask_of(names: Iterable[str]) -> int:
    """The mask of classes by name; unknown names count for nothing."""
    mask = 0
    for name in names:
        mask |= CLASSES.get(name.strip().lower(), 0)
    return mask


def words(mask: int) -> tuple[str, ...]:
    """The names of every class that has a bit in `mask`; `all` always has."""
    return tuple(name for name, bits in CLASSES.items() if mask & bits)


@lru_cache(maxsize=64)
def privilege(mask: int) -> str:
    """A mask as messages show it: `system,all`; `<none>` for none."""
    return ",".join(words(mask)) or "<none>"


def event_mask(text: str) -> int | None:
    """What `EventMask` or `Events` asks for: on, off, a number or classes; None when empty."""
    if not text:
        return None
    if text.isascii() and text.isdecimal():
        # more digits than any mask has are not worth a conversion
        return int(text[-12:]) & ALL
    word = text.strip().lower()
    if word in _FALSE:
        return 0
    if word in _TRUE:
        return ALL
    return mask_of(text.split(","))
