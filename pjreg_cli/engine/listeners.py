"""Whoever wants to be told what happens, kept away from what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.contain import Contained

if TYPE_CHECKING:
    from pjreg_cli.api.notices import Listener, Notice
    from pjreg_cli.counters import Counters


class Listeners:
    """Answers `api.notices.Notices`.

    A listener that raises is counted, and its first failure logged; the others are told all the
    same, and whoever published never learns of it.
    """

    def __init__(self, counters: Counters) -> None:
        self._told: list[_Told] = []
        self._failures = counters.declare(
            "listener_failures", "notices that a listener could not take"
        )

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See api.notices.Notices."""
        told = _Told(listener)
        self._told.append(told)

        def end() -> None:
            if told in self._told:
                self._told.remove(told)

        return end

    def publish(self, notice: Notice) -> None:
        """Tell all listeners; never raises."""
        for told in tuple(self._told):
            with Contained(self._failures, "%s", told.name, known=told.failed) as fault:
                told.listener(notice)
            if fault.error is not None:
                told.failed = True


class _Told:
    """A listener, and whether it has failed yet."""

    __slots__ = ("failed", "listener", "name")

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.failed = False
        module = getattr(listener, "__module__", "")
        name = getattr(listener, "__qualname__", type(listener).__name__)
        self.name = f"telling {module}.{name}"
