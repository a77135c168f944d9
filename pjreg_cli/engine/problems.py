"""What is wrong with a configuration, as the log tells it at the start and at every reload."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pjreg_cli.api.configuration import Level, Problem

_log = logging.getLogger("pjreg_cli.engine")


def log_problems(problems: Iterable[Problem], known: Iterable[Problem] = ()) -> None:
    """What is wrong with a configuration, one line each, but for what is `known` already: a
    reload that nobody has asked for says nothing twice."""
    told = frozenset(known)
    for problem in problems:
        if problem in told:
            continue
        level = logging.ERROR if problem.level is Level.ERROR else logging.WARNING
        _log.log(level, "%s", f"{problem.where}: {problem.message}")
