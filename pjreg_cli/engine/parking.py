"""Attempts that wait until fewer others do, before anything is made for them.

Tens of thousands may come due at once.  Until its turn is near, one needs nothing but its place in
the queue: those that are to go the same way share an `Attempt`, and each gets its own as it begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.errors import TransportError

if TYPE_CHECKING:
    from pjreg_cli.engine.lanes import Lanes
    from pjreg_cli.net.flow import Flow
    from pjreg_cli.net.pool import Pool

#: for how long those that begin to wait share an attempt, in seconds: it tells since when they do
ALIKE_S = 1.0


class Parking:
    """Keeps attempts whose targets are known in the queues of `lanes`."""

    def __init__(self, pool: Pool, lanes: Lanes, clock: Callable[[], float]) -> None:
        self._pool = pool
        self._lanes = lanes
        self._clock = clock
        self._shared = Attempt()
        """What the last one that was parked has as its attempt."""

    def takes(self, entry: Entry, attempt: Attempt) -> bool:
        """Whether the attempt has to wait; if so, the entry has one that others share."""
        try:
            flow = self._pool.flow(entry.settings.transport, attempt.targets[0])
        except TransportError:
            return False
        if not self._lanes.park(flow, entry):
            return False
        now, shared = self._clock(), self._shared
        if not _alike(shared, attempt, flow) or now - shared.since > ALIKE_S:
            attempt.parked, attempt.flow, attempt.since = True, flow, now
            shared = self._shared = attempt
        entry.attempt = shared
        return True


def _alike(shared: Attempt, attempt: Attempt, flow: Flow) -> bool:
    return (
        shared.flow is flow
        and shared.expires_s == attempt.expires_s
        and shared.targets == attempt.targets
    )


def taken_out(entry: Entry, flow: Flow) -> Attempt | None:
    """An attempt of its own for one that is parked for this flow; None for any other: it may have
    ended meanwhile, or wait elsewhere."""
    waiting = entry.attempt
    if waiting is None or not waiting.parked or waiting.flow is not flow:
        return None
    attempt = entry.attempt = begun(waiting)
    return attempt


def begun(shared: Attempt) -> Attempt:
    """An attempt that goes on where `shared` has waited."""
    attempt = Attempt()
    attempt.targets, attempt.expires_s = shared.targets, shared.expires_s
    return attempt
