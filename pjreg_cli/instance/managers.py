"""The manager interface of an instance, loaded once it is enabled or somebody asks about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pjreg_cli.engine.tasks import spawn

if TYPE_CHECKING:
    from pjreg_cli.ami.server import ManagerServer
    from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
    from pjreg_cli.api.port import Api
    from pjreg_cli.config.models import ManagerSettings
    from pjreg_cli.config.settings import Settings
    from pjreg_cli.counters import Counters
    from pjreg_cli.dialects import Dialect


class Managers:
    """`api.manager.Managers`, whose server does not listen before `apply`.

    `settings` are those in force at the start; `wall_clock` gives seconds since 1970.
    """

    def __init__(
        self,
        port: Callable[[], Api],
        settings: Settings,
        *,
        wall_clock: Callable[[], float],
        dialect: Dialect,
        counters: Counters,
    ) -> None:
        self._port = port
        self._settings = settings.manager
        self._detail = settings.pjreg.registry_detail
        self._wall_clock = wall_clock
        self._dialect = dialect
        self._counters = counters
        self._made: ManagerServer | None = None
        self._started = False

    async def apply(self, settings: ManagerSettings, registry_detail: bool) -> Sequence[str]:
        """Put settings into force, changed or not; why it cannot listen somewhere."""
        self._settings, self._detail = settings, registry_detail
        if settings.enabled and not self._started:
            self._started = True
            self._made = self._make()
            return await self._made.start()
        return await self._made.apply(settings, registry_detail) if self._made else ()

    async def close(self) -> None:
        """End all sessions, and stop listening."""
        if self._made is not None:
            await self._made.close()

    @property
    def _server(self) -> ManagerServer:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> ManagerServer:
        from pjreg_cli.ami.server import ManagerServer

        return ManagerServer(
            self._port,
            self._settings,
            spawn=spawn,
            clock=asyncio.get_running_loop().time,
            wall_clock=self._wall_clock,
            dialect=self._dialect,
            registry_detail=self._detail,
            counters=self._counters,
        )

    # -- api.manager.Managers -----------------------------------------------------------------

    def users(self) -> Sequence[ManagerUser]:
        """The users in the order of the file."""
        return self._server.users()

    def settings(self) -> Sequence[tuple[str, str]]:
        """Pairs of `manager show settings`."""
        return self._server.settings()

    def sessions(self) -> Sequence[ManagerSession]:
        """Who is logged in, the oldest first."""
        return self._server.sessions()

    def actions(self) -> Sequence[ManagerAction]:
        """Every action, sorted by name."""
        return self._server.actions()
