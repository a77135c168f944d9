"""How loud a line of the log is, in the numbers of Python's logging.

Between the levels that everybody knows stand Asterisk's: NOTICE, and ten each of VERBOSE and DEBUG,
of which a higher one tells more.
"""

from __future__ import annotations

ERROR = 40
WARNING = 30
NOTICE = 25
"""What an operator should know though nothing is wrong: every change of a state."""
VERBOSE = 20
"""Verbose 1: every outcome, every session.  Higher ones: `verbose(2)`."""
DEBUG = 10
"""Debug 1: what is odd, and of no consequence.  Higher ones: `debug(2)`."""

HIGHEST = 10
"""The highest verbose and debug level that makes a difference."""


def verbose(level: int) -> int:
    """The number of a verbose level: 2 tells of every request of an attempt, 3 of connections and
    look-ups."""
    return VERBOSE + 1 - min(max(level, 1), HIGHEST)


def debug(level: int) -> int:
    """The number of a debug level: 2 tells of every message, 3 of every step."""
    return DEBUG + 1 - min(max(level, 1), HIGHEST)


STEPS = verbose(2)
"""How an attempt goes on: requests, challenges, targets."""
WAYS = verbose(3)
"""How a registrar is reached: look-ups, connections."""
MESSAGES = debug(2)
"""Every SIP message, in a line."""
MACHINERY = debug(3)
"""Every step of a machine, every question to a name server."""
