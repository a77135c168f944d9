"""Whoever wants to be told what happens, kept away from what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.contain import report

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
        self._by_kind: dict[type[Notice], tuple[_Told, ...]] = {}
        """Who wants notices of a kind, as far as somebody has asked."""
        self._failures = counters.declare(
            "listener_failures", "notices that a listener could not take"
        )

    def subscribe(self, listener: Listener, *kinds: type[Notice]) -> Callable[[], None]:
        """See api.notices.Notices."""
        told = _Told(listener, kinds)
        self._told.append(told)
        self._by_kind.clear()

        def end() -> None:
            if told in self._told:
                self._told.remove(told)
                self._by_kind.clear()

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
        kind = type(notice)
        wanting = self._by_kind.get(kind)
        if wanting is None:
            wanting = tuple(one for one in self._told if not one.kinds or kind in one.kinds)
            self._by_kind[kind] = wanting
        for told in wanting:
            try:
                told.listener(notice)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it ends here
                self._failed(told, error)

    def _failed(self, told: _Told, error: Exception) -> None:
        if told.failed:
            self._failures.add()
        else:
            told.failed = True
            report(self._failures, error, "%s", told.name)


class _Told:
    """A listener, the kinds it wants (none: all), and whether it has failed yet."""

    __slots__ = ("failed", "kinds", "listener", "name")

    def __init__(self, listener: Listener, kinds: tuple[type[Notice], ...]) -> None:
        self.listener = listener
        self.kinds = kinds
        self.failed = False
        module = getattr(listener, "__module__", "")
        name = getattr(listener, "__qualname__", type(listener).__name__)
        self.name = f"telling {module}.{name}"
