"""What concerns a whole fleet, or many of it: done a bit at a time, in the order of the asking."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pjreg_cli.api.asker import asker
from pjreg_cli.engine import garbage
from pjreg_cli.engine.batches import Batches, Job
from pjreg_cli.engine.entry import LOCAL
from pjreg_cli.engine.fleet import REJOIN_RATE
from pjreg_cli.engine.views import is_idle, is_unregistering
from pjreg_cli.levels import NOTICE
from pjreg_cli.registration.state import (
    AuthReloaded,
    Start,
    Status,
    TransportClosed,
    Unregister,
)

_log = logging.getLogger("pjreg_cli.engine")

if TYPE_CHECKING:
    from pjreg_cli.config.models import Registration
    from pjreg_cli.config.settings import Difference
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.fleet import Fleet


class Jobs:
    """The verbs of operators and reloads on a fleet; `configured` gives what is to be there.

    A command that comes while a big job is under way waits for its turn: what was asked for last
    holds in the end.
    """

    def __init__(
        self,
        fleet: Fleet,
        configured: Callable[[], Mapping[str, Registration]],
        clock: Callable[[], float],
        answered: Callable[[], int],
    ) -> None:
        """`answered` counts the responses that came in."""
        self._fleet = fleet
        self._clock = clock
        self._configured = configured
        self._batches = Batches()
        self.rush = garbage.Rush(
            asyncio.get_running_loop().call_later,
            answered,
            lambda: fleet.unsettled + len(fleet.leaving),
        )
        """To be told of many that begin or end."""

    async def run(self, job: Job) -> None:
        """Do a job after those before it, and come back when it has ended."""
        self._batches.do(job)
        await self._batches.done()

    async def done(self) -> None:
        """Wait until every job has ended."""
        await self._batches.done()

    def close(self) -> None:
        """Forget what is left to do."""
        self.rush.close()
        self._batches.close()

    # -- verbs (api.registrations.Registrations) ----------------------------------------------

    def unregister(self, name: str) -> bool:
        """Unregister one; False when there is none of this name with a state."""
        known = name in self._fleet.entries
        if known:
            _log.log(NOTICE, "%s: unregister asked by %s", name, asker())
            self._batches.do(self._unregister(name))
        return known

    def register(self, name: str) -> bool:
        """Unregister one and register it again; False as for `unregister`."""
        known = name in self._fleet.entries
        if known:
            _log.log(NOTICE, "%s: register asked by %s", name, asker())
            self._batches.do(self._unregister(name, register=True))
        return known

    def unregister_all(self) -> None:
        """Take the state of all away."""
        self._remove_all("unregister")

    def _remove_all(self, order: str) -> None:
        self.rush.begin(len(self._fleet.entries))
        _log.log(NOTICE, "all registrations: %s asked by %s", order, asker())
        self._batches.do(self._remove(list(self._fleet.entries.values())))

    def register_all(self) -> None:
        """The same, and give all that are configured a new one."""
        self._remove_all("register")
        self._batches.do(self._make(self._configured().values()))

    def _unregister(self, name: str, register: bool = False) -> Job:
        entry = self._fleet.entries.get(name)
        if entry is not None:
            entry.told(None if register else self._clock())
            self._fleet.post(entry, Unregister(self._fleet.attempts.unsent(entry)))
            if register:
                self._fleet.post(entry, Start(self._fleet.jitter_s(entry.settings)))
        yield

    def _remove(self, entries: list[Entry]) -> Job:
        for entry in _taken(entries):
            if self._fleet.entries.get(entry.name) is entry:
                self._fleet.remove(entry)
            del entry
            yield

    def _make(self, registrations: Iterable[Registration]) -> Job:
        for settings in registrations:
            if settings.name not in self._fleet.entries:
                self._fleet.make(settings)
            yield

    # -- jobs of others -----------------------------------------------------------------------

    def end(self, names: Collection[str], *, removed: bool) -> Job:
        """End registrations that are configured no longer (`removed`), or otherwise."""
        self.rush.begin(len(names))
        for name in names:
            if (entry := self._fleet.entries.get(name)) is not None:
                entry.removed = removed
                self._fleet.remove(entry)
            yield

    def leave(self, left: list[str]) -> Job:
        """Take off what there is to take off; `left` gets the names of what should come back."""
        self.rush.begin(len(self._fleet.entries))
        for entry in _taken(list(self._fleet.entries.values())):
            yield
            if self._fleet.entries.get(entry.name) is not entry or entry.shard != LOCAL:
                continue  # or another machine goes on with it
            if is_idle(entry) and entry.state.status is not Status.REGISTERED:
                continue  # there is nothing to take off, and nothing to come back to
            if not is_unregistering(entry):
                left.append(entry.name)
            self._fleet.remove(entry)

    def give_another_chance(self, difference: Difference) -> Job:
        """Those rejected for good may have other credentials now: all of them when files with auth
        sections were read, else those whose own were changed in a table."""
        every, changed = difference.auths_read, frozenset(difference.auths_changed)
        if not every and not changed:
            return
        for entry in list(self._fleet.entries.values()):
            concerned = every or not changed.isdisjoint(entry.settings.outbound_auth)
            if concerned and entry.state.status is Status.REJECTED_PERMANENT:
                jitter_s = self._fleet.jitter_s(entry.settings)
                self._fleet.post(entry, AuthReloaded(jitter_s))
            yield

    def renew(
        self, entries: Iterable[Entry], lived_s: float, fraction: Callable[[], float]
    ) -> Iterator[None]:
        """The connection of these is gone, `lived_s` seconds after it was made: register again over
        a new one, many not all at once."""
        for number, entry in enumerate(entries):
            delay_s = max(0.0, number / REJOIN_RATE - 1)
            self._fleet.post(entry, TransportClosed(delay_s, lived_s, fraction()))
            yield


def _taken(entries: list[Entry]) -> Iterator[Entry]:
    """One after the other, none of them kept: those that have ended meanwhile go one by one, where
    fifty thousand at once would take as long as a request may wait."""
    entries.reverse()
    while entries:
        yield entries.pop()
