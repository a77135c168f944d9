"""Ends exceptions where they must not go further.

    with Contained(counter, "a message from %s", peer) as fault:
        ...
    if fault.error is not None: ...

What is raised inside is logged with its traceback, counted, and ends there.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.counters import Tally

_log = logging.getLogger("pjreg_cli.engine")


class Contained:
    """Ends an exception that is raised inside; cancelling goes on as ever."""

    __slots__ = ("_counter", "_known", "_names", "_what", "error")

    def __init__(self, counter: Tally, what: str, *names: object, known: bool = False) -> None:
        """`what` with its `%s` filled by `names` says what has failed; a failure that is `known`
        is only counted."""
        self._known = known
        self._counter = counter
        self._what = what
        self._names = names
        self.error: Exception | None = None
        """What was raised."""

    def __enter__(self) -> Contained:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        if self._known:
            self._counter.add()
        else:
            report(self._counter, error, self._what, *self._names)
        return True


def report(counter: Tally, error: Exception, what: str, *names: object) -> None:
    """Count and log a failure that somebody has caught himself: on a hot path, where entering a
    block would cost more than what is done in it."""
    counter.add()
    _log.error(f"{what} failed: %r", *names, error, exc_info=error)
