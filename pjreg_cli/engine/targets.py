"""Where an attempt may go, and when it may begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine import settled
from pjreg_cli.engine.contain import Contained
from pjreg_cli.engine.record import trouble_of
from pjreg_cli.engine.resting import RestingTargets
from pjreg_cli.errors import PjregError, ResolveError
from pjreg_cli.registration.route import next_hop

if TYPE_CHECKING:
    from pjreg_cli.counters import Tally
    from pjreg_cli.engine.entry import Attempt, Entry
    from pjreg_cli.engine.succession import Succession
    from pjreg_cli.net.pool import Pool
    from pjreg_cli.net.resolver import Resolver
    from pjreg_cli.sip.locate import Target, TransportKinds
    from pjreg_cli.sip.uri import SipUri
    from pjreg_cli.spawner import Spawner

Found = Callable[["Entry", "Attempt", str], None]
"""Told that the targets of an attempt are known; the text says why there are none."""


class Targets:
    """Finds the targets of attempts (RFC 3263).  `found` is told, at once where nobody needs to be
    asked; `failed` is told of an entry whose look-up has failed by a fault of ours."""

    def __init__(
        self,
        *,
        pool: Pool,
        resolver: Resolver,
        clock: Callable[[], float],
        spawn: Spawner,
        faults: Tally,
        succession: Succession,
        found: Found,
        failed: Callable[[Entry], None],
    ) -> None:
        self.resting = RestingTargets(clock)
        self._pool = pool
        self._resolver = resolver
        self._clock = clock
        self._spawn = spawn
        self._faults = faults
        self._succession = succession
        self._found = found
        self._failed = failed

    def find(self, entry: Entry, attempt: Attempt) -> None:
        """Look for targets, as soon as nobody leaves the place that is to be taken."""
        if self._succession.holds(entry, attempt, self.find):
            attempt.locating = True
            attempt.since = self._clock()
            return
        attempt.locating = False
        try:
            uri = next_hop(entry.settings)
            kinds = self._pool.kinds(entry.settings.transport)
            targets = self._resolver.now(uri, kinds, entry.granted_by)
        except PjregError as error:
            attempt.trouble = trouble_of(error)
            self._located(entry, attempt, (), str(error))
            return
        if targets is not None:
            self._located(entry, attempt, targets)
        elif attempt.expires_s == 0 and entry.granted_by is not None:
            # a farewell knows where to go without asking
            self._located(entry, attempt, ())
        else:
            attempt.locating = True
            attempt.since = self._clock()
            self._spawn(self._locate(entry, attempt, uri, kinds), f"locate {entry.name}")

    async def _locate(
        self, entry: Entry, attempt: Attempt, uri: SipUri, kinds: TransportKinds
    ) -> None:
        targets: tuple[Target, ...] = ()
        why = ""
        with Contained(self._faults, "%s: the look-up", entry.name) as step:
            try:
                targets = await self._resolver.locate(uri, kinds, entry.granted_by)
            except ResolveError as error:
                why, attempt.trouble = str(error), trouble_of(error)
            attempt.locating = False
            self._located(entry, attempt, targets, why)
        if step.error is not None and entry.attempt is attempt and attempt.exchange is None:
            attempt.locating = False
            self._failed(entry)

    def _located(
        self, entry: Entry, attempt: Attempt, targets: tuple[Target, ...], why: str = ""
    ) -> None:
        if entry.attempt is not attempt:
            return  # the instance was closed meanwhile
        targets = self.resting.ordered(entry.name, targets)
        granted_by = entry.granted_by
        if attempt.expires_s == 0 and granted_by is not None:
            # origin: begins with the first target, which may know nothing of the binding
            targets = (granted_by, *(target for target in targets if target != granted_by))
        attempt.targets = targets
        if targets:
            settled.note_targets(entry, targets)
        self._found(entry, attempt, why)
