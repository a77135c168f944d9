"""Which registrations have their binding over which flow: whom its loss concerns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.exchange import Exchange
    from pjreg_cli.net.flow import Flow


class Served:
    """The registrations of each flow; keeps `Entry.flow`."""

    def __init__(self) -> None:
        self._on: dict[Flow, dict[Entry, None]] = {}

    def on(self, flow: Flow) -> Collection[Entry]:
        """Those whose binding was made over this flow."""
        return self._on.get(flow, {}).keys()

    def flows(self) -> Collection[Flow]:
        """The flows over which there are any."""
        return self._on.keys()

    def move(self, entry: Entry, flow: Flow | None) -> None:
        """A binding was made over `flow`; None: over nothing that is still there."""
        old = entry.flow
        if old is flow and (flow is None or entry in self._on.get(flow, ())):
            return
        if old is not None and (others := self._on.get(old)) is not None:
            others.pop(entry, None)
            if not others:
                del self._on[old]
        entry.flow = flow
        if flow is not None:
            self._on.setdefault(flow, {})[entry] = None

    def desert(self, flow: Flow, now: float) -> list[Entry]:
        """The flow's connection is gone; whose bindings were made over it."""
        entries = list(self._on.pop(flow, {}))
        for entry in entries:
            entry.lost(now)
        return entries


class Unanswered(NamedTuple):
    """The requests on a connection that has ended."""

    repeatable: list[Exchange]
    waiting: list[Exchange]
    """Not sent yet: they go out over the next connection."""
    lost: list[Exchange]


def sorted_out(requests: Iterable[Exchange], *, established: bool, spoke: bool) -> Unanswered:
    """What becomes of the requests on a connection that is gone or never came (`established`).

    Those that were sent over one that had been in use (it `spoke`) go out again, once for each
    target: most likely somebody on the way had forgotten it, or it was closed because of another
    request, which says nothing about this one and the target.
    """
    result = Unanswered([], [], [])
    for exchange in requests:
        attempt = exchange.entry.attempt
        if attempt is None or not established:
            result.lost.append(exchange)
        elif exchange.transaction is None:
            result.waiting.append(exchange)
        elif spoke and not attempt.repeated:
            result.repeatable.append(exchange)
        else:
            result.lost.append(exchange)
    return result
