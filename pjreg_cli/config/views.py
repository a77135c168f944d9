"""What front ends are shown of a configuration: api.configuration.Configuration, running or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from pjreg_cli.api.configuration import ModuleHelp, ObjectView, Option, Planned, Problem
from pjreg_cli.config.changes import place
from pjreg_cli.config.models import Auth, Transport
from pjreg_cli.config.settings import Reload, Settings
from pjreg_cli.config.shown import (
    auth_options,
    bind,
    global_options,
    system_options,
    transport_options,
)
from pjreg_cli.config.words import in_order


def _nobody() -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(), frozenset()


class ConfigurationViews:
    """api.configuration.Configuration.

    `settings` gives the configuration in force, `opened` the names of the transports to show;
    secrets are masked unless `reveal`.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        opened: Callable[[], Iterable[str]],
        reveal: bool,
        standing: Callable[[], tuple[frozenset[str], frozenset[str]]] = _nobody,
    ) -> None:
        """`standing` names the registrations that are permanently rejected, and those without a
        state; a thread asks it, as it goes through all of them."""
        self._settings = settings
        self._standing = standing
        self._opened = opened
        self._reveal = reveal

    def auths(self) -> Sequence[ObjectView]:
        auths = self._settings().auths
        return [self._auth(auths[name]) for name in in_order(auths)]

    def auth(self, name: str) -> ObjectView | None:
        found = self._settings().auths.get(name)
        return None if found is None else self._auth(found)

    def _auth(self, auth: Auth) -> ObjectView:
        options = auth_options(auth, self._reveal)
        return ObjectView(auth.name, (auth.username,), options, auth.source)

    def transports(self) -> Sequence[ObjectView]:
        transports = self._settings().transports
        return [_transport(transports[name]) for name in in_order(self._opened())]

    def transport(self, name: str) -> ObjectView | None:
        found = self._settings().transports.get(name)
        return _transport(found) if found and name in self._opened() else None

    def globals(self) -> tuple[Option, ...]:
        return global_options(self._settings().global_)

    def system(self) -> tuple[Option, ...]:
        return system_options(self._settings().system)

    def aliases(self) -> Mapping[str, str]:
        return self._settings().console.aliases

    def help(self) -> Sequence[ModuleHelp]:
        from pjreg_cli.config.help import modules

        return modules()

    def given_up(self) -> Sequence[str]:
        return [f"{place(e.path, e.line)}: {e.message}" for e in self._settings().errors]

    async def problems(self) -> Sequence[Problem]:
        from pjreg_cli.config.check import check

        return await asyncio.to_thread(check, self._settings().path, self._settings().open_rows)

    async def steps(self, old: Settings, would: Reload) -> tuple[Planned, ...]:
        """What becomes of `old` by a reload that has been read and not yet been applied, without
        the registrations that are kept."""
        from pjreg_cli.config.plan import steps_taken

        return await asyncio.to_thread(lambda: steps_taken(old, would, *self._standing()))

    async def plan(self) -> Sequence[Planned]:
        from pjreg_cli.config.plan import plan

        return await asyncio.to_thread(lambda: plan(self._settings(), *self._standing()))


def _transport(transport: Transport) -> ObjectView:
    columns = (transport.protocol, str(transport.cos), str(transport.tos), bind(transport))
    return ObjectView(transport.name, columns, transport_options(transport), transport.source)
