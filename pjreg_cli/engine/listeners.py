"""Whoever wants to be told what happens, kept away from what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.contain import Contained

if TYPE_CHECKING:
    from pjreg_cli.api.notices import Listener, Notice
    from pjreg_cli.counters import Counters

#: seconds between two looks at a condition that many notices may change
_PAUSE_S = 0.02


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

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """See api.notices.Notices."""
        changed = asyncio.Event()
        end = self.subscribe(lambda _notice: changed.set())
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    changed.clear()
                    await changed.wait()
                    # many may settle at once: they are looked at once
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError:
            return condition()
        finally:
            end()
        return True

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
