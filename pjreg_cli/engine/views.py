"""What front ends are shown of the engine: the port's views, made when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.config import help as config_help
from pjreg_cli.config.check import check
from pjreg_cli.config.load import plan
from pjreg_cli.config.shown import (
    auth_options,
    global_options,
    registration_options,
    system_options,
    transport_options,
)
from pjreg_cli.port import (
    ModuleHelp,
    ObjectView,
    Option,
    Planned,
    Problem,
    RegistrationView,
    Row,
)
from pjreg_cli.registration.state import Status

if TYPE_CHECKING:
    from pjreg_cli.config.load import Settings
    from pjreg_cli.config.models import Auth, Registration, Transport
    from pjreg_cli.engine.entry import Entry

#: the word for a registration that was removed and still has an unregister under way
STOPPED = "Stopped"


class Held(Protocol):
    """As much of the engine as its views look at."""

    @property
    def settings(self) -> Settings: ...

    def held(self) -> Iterable[tuple[Registration, Entry | None]]:
        """Every registration to show and its state, sorted by name byte by byte."""
        ...

    def find(self, name: str) -> tuple[Registration, Entry | None] | None: ...


def word_of(entry: Entry) -> str:
    """The word shown for the status of a registration."""
    if entry.removed and entry.state.leaving:
        return STOPPED
    return entry.state.status.word


def next_attempt_s(entry: Entry, now: float) -> int:
    """Seconds until the next REGISTER is due, 0 when none is or it is under way."""
    at = entry.state.wake_at
    return max(0, round(at - now)) if at is not None else 0


def row_of(settings: Registration, entry: Entry | None, now: float) -> Row:
    """A line of the table."""
    auth = settings.outbound_auth[0] if settings.outbound_auth else ""
    if entry is None:
        return Row(settings.name, settings.server_uri, auth, None, None)
    at = entry.state.next_attempt_at
    due_s = None if at is None else int(at - now)
    return Row(settings.name, settings.server_uri, auth, word_of(entry), due_s)


class RegistrationViews:
    """The showing half of port.Registrations."""

    def __init__(self, held: Held, clock: Callable[[], float]) -> None:
        self._held = held
        self._clock = clock

    def names(self) -> Sequence[str]:
        return [settings.name for settings, _entry in self._held.held()]

    def count(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for _settings, entry in self._held.held():
            if entry is not None:
                word = word_of(entry)
                counts[word] = counts.get(word, 0) + 1
        return counts

    def rows(self) -> Iterator[Row]:
        now = self._clock()
        return (row_of(settings, entry, now) for settings, entry in self._held.held())

    def row(self, name: str) -> Row | None:
        found = self._held.find(name)
        return None if found is None else row_of(*found, self._clock())

    def view(self, name: str) -> RegistrationView | None:
        found = self._held.find(name)
        return None if found is None else self._view(*found)

    def views(self) -> Iterator[RegistrationView]:
        return (self._view(settings, entry) for settings, entry in self._held.held())

    def _view(self, settings: Registration, entry: Entry | None) -> RegistrationView:
        now = self._clock()
        return RegistrationView(
            row=row_of(settings, entry, now),
            client_uri=settings.client_uri,
            options=registration_options(settings),
            auths=settings.outbound_auth,
            next_attempt_s=0 if entry is None else next_attempt_s(entry, now),
            attempts=0 if entry is None else entry.attempts,
            retries=0 if entry is None else entry.state.retries,
            evidence=None if entry is None else entry.evidence,
            source=settings.source,
        )


class ConfigurationViews:
    """port.Configuration of a running engine: of transports, those that are open."""

    def __init__(self, held: Held, opened: Callable[[], Iterable[str]], reveal: bool) -> None:
        self._held = held
        self._opened = opened
        self._reveal = reveal

    @property
    def _settings(self) -> Settings:
        return self._held.settings

    def auths(self) -> Sequence[ObjectView]:
        auths = self._settings.auths
        return [self._auth(auths[name]) for name in sorted(auths, key=str.encode)]

    def auth(self, name: str) -> ObjectView | None:
        found = self._settings.auths.get(name)
        return None if found is None else self._auth(found)

    def _auth(self, auth: Auth) -> ObjectView:
        options = auth_options(auth, self._reveal)
        return ObjectView(auth.name, (auth.username,), options, auth.source)

    def transports(self) -> Sequence[ObjectView]:
        transports = self._settings.transports
        opened = sorted(self._opened(), key=str.encode)
        return [transport_view(transports[name]) for name in opened if name in transports]

    def transport(self, name: str) -> ObjectView | None:
        found = self._settings.transports.get(name)
        return transport_view(found) if found and name in self._opened() else None

    def globals(self) -> tuple[Option, ...]:
        return global_options(self._settings.global_)

    def system(self) -> tuple[Option, ...]:
        return system_options(self._settings.system)

    def aliases(self) -> Mapping[str, str]:
        return self._settings.console.aliases

    def help(self) -> Sequence[ModuleHelp]:
        return config_help.modules()

    async def problems(self) -> Sequence[Problem]:
        return await asyncio.to_thread(check, Path(self._settings.path))

    async def plan(self) -> Sequence[Planned]:
        return await asyncio.to_thread(plan, self._settings)


def transport_view(transport: Transport) -> ObjectView:
    """A transport section as the console shows it."""
    host = f"[{transport.host}]" if ":" in transport.host else transport.host
    columns = (
        transport.protocol,
        str(transport.cos),
        str(transport.tos),
        f"{host}:{transport.port}",
    )
    return ObjectView(transport.name, columns, transport_options(transport), transport.source)


def is_settled(entry: Entry) -> bool:
    """Whether a first outcome is there, and nothing is under way."""
    state = entry.state
    if state.in_flight is not None:
        return False
    return entry.evidence is not None or state.status is not Status.UNREGISTERED
