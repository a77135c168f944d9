"""The manager interface of an instance, loaded once it is enabled or somebody asks about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.ami.server import ManagerServer
    from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
    from pjreg_cli.config.models import ManagerSettings


class Managers:
    """`api.manager.Managers`; `make` makes the server, which does not listen before it is told to.

    `settings` are those in force at the start.
    """

    def __init__(
        self, make: Callable[[ManagerSettings], ManagerServer], settings: ManagerSettings
    ) -> None:
        self._make = make
        self._settings = settings
        self._made: ManagerServer | None = None
        self._started = False

    async def apply(self, settings: ManagerSettings, registry_detail: bool) -> Sequence[str]:
        """Put settings into force, changed or not; why it cannot listen somewhere."""
        self._settings = settings
        if settings.enabled and not self._started:
            self._started = True
            self._made = self._make(settings)
            return await self._made.start()
        return await self._made.apply(settings, registry_detail) if self._made else ()

    async def close(self) -> None:
        """End all sessions, and stop listening."""
        if self._made is not None:
            await self._made.close()

    @property
    def _server(self) -> ManagerServer:
        if self._made is None:
            self._made = self._make(self._settings)
        return self._made

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
