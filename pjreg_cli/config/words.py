"""Words of a configuration: their lower case, and the known one that was probably meant (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Final

_COMPARABLE: Final = 200


class _Lower(dict[str, str]):
    """Option names in lower case; each is computed once."""

    def __missing__(self, key: str) -> str:
        found = self[key] = key.lower()
        return found


LOWER: Final = _Lower()


def nearest(word: str, known: Collection[str]) -> str:
    """The known name that a word was probably meant to be; empty when none is near, or when there
    are too many to compare."""
    if len(known) > _COMPARABLE:
        return ""
    found = difflib.get_close_matches(word.lower().replace("-", "_"), known, 1, 0.6)
    return found[0] if found else ""


def meant(word: str, known: Collection[str]) -> str:
    """`, did you mean 'X'?`, or nothing."""
    near = nearest(word, known)
    return f", did you mean '{near}'?" if near else ""
