"""Unregisters that must go out before the transports they need are closed by a reload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pjreg_cli.net.reopening import kind_of
from pjreg_cli.registration.state import Flight, Start, Status, Unregister

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.fleet import Fleet
    from pjreg_cli.net.flow import Flow
    from pjreg_cli.net.pool import Pool

#: how long a reload that closes a transport waits for the unregisters that need it, in seconds:
#: five of their datagrams
FAREWELL_S = 8.0


class Farewells:
    """Who has to take its binding off before `pool` opens `transports` in place of what it has:
    those who leave by a transport that closes, and those who stay, but without a transport of
    their kind, so that calls would go to a port where nobody listens any more."""

    def __init__(self, fleet: Fleet, pool: Pool, transports: Iterable[Transport]) -> None:
        wanted = tuple(transports)
        self._fleet = fleet
        self._closing = pool.closing(wanted)
        kinds = {kind_of(options)[:2] for options in wanted}
        self._stranded = [
            entry
            for entry in (fleet.entries.values() if self._closing else ())
            if entry.state.status is Status.REGISTERED
            and entry.flow is not None
            and entry.flow.transport in self._closing
            and _kind(entry.flow) not in kinds
        ]
        for entry in self._stranded:
            fleet.post(entry, Unregister(fleet.attempts.unsent(entry)))

    def over(self) -> bool:
        """Whether nobody needs a transport that closes, as far as is known."""
        if not self._closing:
            return True
        leaving = self._fleet.leaving
        flows = [one.attempt.flow if one.attempt is not None else None for one in leaving]
        needed = any(flow is None or flow.transport in self._closing for flow in flows)
        return not needed and not any(_unregisters(entry) for entry in self._stranded)

    def again(self) -> None:
        """Let those who stay try what there is now."""
        for entry in self._stranded:
            self._fleet.post(entry, Start(0.0))


def _unregisters(entry: Entry) -> bool:
    return entry.state.in_flight is Flight.UNREGISTER


def _kind(flow: Flow) -> tuple[str, int]:
    return flow.protocol, flow.target.version
