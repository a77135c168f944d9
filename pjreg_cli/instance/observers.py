"""Whom an instance tells what happens besides its consoles: hooks, statsd, Prometheus.

What only some configurations ask for is loaded where one does, at the start or at a reload.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from pjreg_cli.counters import Counters
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.metrics.statsd import Statsd

if TYPE_CHECKING:
    from pjreg_cli.api.cluster import ThisMachine
    from pjreg_cli.config.settings import Settings
    from pjreg_cli.instance.hooks import Hooks
    from pjreg_cli.metrics.prometheus import Prometheus


class Observers:
    """Those of one engine; `this` is the machine as part of a fleet."""

    def __init__(
        self, engine: Engine, this: Callable[[], ThisMachine | None], counters: Counters
    ) -> None:
        self._engine = engine
        self._counters = counters
        self._this = this
        # always: its gauges say what has happened since the start, whenever they are wanted
        self._statsd = Statsd(engine.settings.statsd, spawn=spawn)
        self._hooks: Hooks | None = None
        self._prometheus: Prometheus | None = None
        self._stack = AsyncExitStack()

    async def start(self) -> list[str]:
        """Tell from now on; why that is not possible somewhere."""
        self._stack.callback(self._statsd.close)
        self._statsd.start(self._engine.notices)
        return await self._apply(self._engine.settings)

    async def apply(self, before: Settings, statsd_anew: bool) -> list[str]:
        """After a reload; why something of it is not possible."""
        after = self._engine.settings
        failures = await self._apply(after)
        if statsd_anew or after.statsd != before.statsd:
            self._statsd.reconfigure(after.statsd)
        return failures

    async def close(self) -> None:
        """Tell nobody any more."""
        await self._stack.aclose()

    async def _apply(self, settings: Settings) -> list[str]:
        if self._hooks is None and settings.hooks.wanted:
            from pjreg_cli.instance.hooks import Hooks

            self._hooks = Hooks(lambda: self._engine.settings.hooks, spawn, self._counters)
            self._stack.callback(self._hooks.start(self._engine.notices))
        if self._prometheus is None:
            if not (settings.http.enabled and settings.prometheus.enabled):
                return []
            from pjreg_cli.metrics.prometheus import Prometheus

            self._prometheus = Prometheus(
                self._engine.registrations.measures, self._this, self._counters
            )
            self._stack.push_async_callback(self._prometheus.close)
            self._stack.callback(self._prometheus.start(self._engine.notices))
        return await self._prometheus.apply(settings.http, settings.prometheus)
