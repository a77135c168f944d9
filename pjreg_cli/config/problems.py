"""Problems in the order in which an operator reads files (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from pjreg_cli.api.configuration import Problem
from pjreg_cli.config.settings import Part


def distinct(parts: Iterable[Part]) -> tuple[Problem, ...]:
    """The problems of all parts, each once, in file order."""
    them = tuple(parts)
    paths = (path for part in them for path in part.fingerprint.stamps)
    return tuple(in_file_order((p for part in them for p in part.problems), paths))


def in_file_order(problems: Iterable[Problem], paths: Iterable[str]) -> list[Problem]:
    """Problems, each once, by file and line; files in the order of `paths`."""
    order: dict[str, int] = {}
    for path in paths:
        order.setdefault(path, len(order))
    found = dict.fromkeys(problems)
    return sorted(found, key=lambda p: (order.get(p.path, len(order)), p.path, p.line))
