"""What the end of a connection leads to: bindings renewed, requests failed or sent again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.batches import Batches, Job
from pjreg_cli.engine.served import Unanswered, sorted_out
from pjreg_cli.levels import NOTICE, WAYS

if TYPE_CHECKING:
    from pjreg_cli.engine.attempts import Attempts
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.jobs import Jobs
    from pjreg_cli.net.flow import Flow

_log = logging.getLogger("pjreg_cli.engine")


class ConnectionLost:
    """Does it in `batches`: thousands may share a connection.  `fraction` draws from 0 up to 1."""

    def __init__(
        self,
        attempts: Attempts,
        jobs: Jobs,
        batches: Batches,
        *,
        clock: Callable[[], float],
        fraction: Callable[[], float],
    ) -> None:
        self._attempts = attempts
        self._jobs = jobs
        self._batches = batches
        self._clock = clock
        self._fraction = fraction

    def ended(self, flow: Flow, why: str, established: bool, lived_s: float, spoke: bool) -> None:
        """See net.flow.Listener.closed."""
        _log.log(WAYS, "the connection to %s has ended: %s", flow.target, why)
        attempts = self._attempts
        # those not sent yet fail first, or they would be sent in the place of others that fail
        requests = sorted_out(
            reversed(attempts.exchanges.on(flow)), established=established, spoke=spoke
        )
        parked = [] if established else attempts.exchanges.lanes.unpark(flow)
        served = attempts.served.desert(flow, self._clock()) if established else []
        if served:
            text = "the connection to %s is lost (%s): %d registered over it"
            _log.log(NOTICE, text, flow.target, why, len(served))
        self._batches.do(self._job(requests, served, why, lived_s))
        if parked:
            self._batches.do(self._turn_away(parked, flow, why))

    def _turn_away(self, parked: list[Entry], flow: Flow, why: str) -> Job:
        for entry in parked:
            self._attempts.turn_away(entry, flow, why)
            yield

    def _job(self, requests: Unanswered, served: list[Entry], why: str, lived_s: float) -> Job:
        # before requests fail: who was Registered comes back at once even then
        under_way = {one.entry for one in (*requests.repeatable, *requests.waiting)}
        idle = [entry for entry in served if entry not in under_way]
        yield from self._jobs.renew(idle, lived_s, self._fraction)
        for exchange in requests.lost:
            self._attempts.exchanges.fail(exchange, why)
            yield
        for exchange in requests.repeatable:
            self._attempts.repeat(exchange)
            yield
