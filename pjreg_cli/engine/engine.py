"""A running SIP side: opens transports, keeps a fleet of registrations, applies configurations."""

from __future__ import annotations

import asyncio
import logging
import math
import os.path
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pjreg_cli.api.instance import ReloadReport
from pjreg_cli.config.changes import came_true, place
from pjreg_cli.config.load import Reload, Scope, reload
from pjreg_cli.config.rows import of_table
from pjreg_cli.config.shards import shard_of
from pjreg_cli.config.tables import too_much
from pjreg_cli.config.views import ConfigurationViews
from pjreg_cli.counters import Counters
from pjreg_cli.engine import garbage, limits
from pjreg_cli.engine.batches import Batches, Turn
from pjreg_cli.engine.connection_lost import ConnectionLost
from pjreg_cli.engine.contain import Contained, report
from pjreg_cli.engine.facts import FactsOf
from pjreg_cli.engine.farewells import FAREWELL_S, Farewells
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.globals import Debug, form_of
from pjreg_cli.engine.inbound import Inbound
from pjreg_cli.engine.jobs import Jobs
from pjreg_cli.engine.journal import Journal, identity_of
from pjreg_cli.engine.keepalive import KeepAlive
from pjreg_cli.engine.listeners import Listeners
from pjreg_cli.engine.problems import log_problems
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.engine.shards import Shards
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.engine.timers import Timers
from pjreg_cli.engine.trace import Trace
from pjreg_cli.engine.verbs import Registrations
from pjreg_cli.engine.watchdog import Watchdog
from pjreg_cli.errors import TransportError
from pjreg_cli.net.pool import Pool
from pjreg_cli.net.resolver import Resolver

if TYPE_CHECKING:
    from pjreg_cli.cluster.resume import Resumable
    from pjreg_cli.config.load import Settings
    from pjreg_cli.config.models import Registration
    from pjreg_cli.config.table_notifications import Told
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.journal import Keeper
    from pjreg_cli.engine.share import Share
    from pjreg_cli.net.flow import Flow, Source

_log = logging.getLogger("pjreg_cli.engine")


class Engine:
    """The SIP side of an instance.

    `wall_clock` gives seconds since 1970.  Call `open` first; `close` ends without a word to
    anybody, `leave` before it unregisters.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        version: str,
        wall_clock: Callable[[], float],
        reveal_secrets: bool = False,
        ids: Ids | None = None,
        keeper: Keeper | None = None,
        resumable: Mapping[str, Resumable] | None = None,
        counters: Counters | None = None,
        share: Share | None = None,
    ) -> None:
        """`keeper` is told what a later run would go on with, `resumable` is what an earlier one
        has left, `share` is what this machine has of a fleet."""
        self._share = share
        self.settings = settings
        self._user_agent = f"pjreg-cli/{version}"
        counters = counters or Counters()
        self.notices = Listeners(counters)
        self.publish = self.notices.publish
        ids = ids or Ids()
        loop = asyncio.get_running_loop()
        self._timers = Timers(loop)
        clock = self._timers.clock
        self._resolver = Resolver(
            settings.resolver, spawn=spawn, clock=clock, draw=ids.fraction, back=self.reachable
        )
        self.tracing = Trace(wall=wall_clock, publish=self.publish, lookup=self._resolver.known)
        counters.watch("capture_lost", "messages missing in a capture", lambda: self.tracing.lost)
        self._pool = Pool(self, spawn=spawn, resolver=self._resolver, tap=self.tracing)
        self._journal = Journal(keeper, asyncio.get_running_loop()) if keeper else None
        self._resumable = dict(resumable or {})
        self._fleet = Fleet(
            pool=self._pool,
            resolver=self._resolver,
            timers=self._timers,
            ids=ids,
            spawn=spawn,
            wall_clock=wall_clock,
            publish=self.publish,
            journal=self._journal,
            share=share,
            why=lambda entry: self.facts.brief(entry, self.settings),
            faults=counters.declare("step_failures", "steps of a registration that failed"),
        )
        self._watchdog = Watchdog(self._fleet, self._timers, counters, loop.call_later)
        self._failed_inputs = counters.declare(
            "input_failures", "messages and events of the network that could not be handled"
        )
        self._attempts = self._fleet.attempts
        self._inbound = Inbound(
            self._attempts.exchanges.response, ids.key(), clock=clock, knows=self._pool.leads_to
        )
        limits.watch(counters, self._timers, self._pool, self._inbound)
        answered = self._inbound.answered
        self._jobs = Jobs(self._fleet, lambda: self.settings.registrations, clock, answered)
        self._background = Batches()
        self._connection_lost = ConnectionLost(
            self._attempts, self._jobs, self._background, clock=clock, fraction=ids.fraction
        )
        self._keep_alive = KeepAlive(self._timers, self._background, self._attempts.served.flows)
        self._reloading = asyncio.Lock()
        self._debug = Debug(self.tracing)
        self.shards: Shards | None = None
        if share is not None and self._journal is not None:
            self.shards = Shards(
                share,
                self._fleet,
                current=lambda: self.settings,
                reading=self._reloading,
                apply=self._apply,
                show=self._show,
                resumable=self._resumable,
                hand_over=self._journal.flush,
                prune=self._pool.prune,
                reload=self.reload,
                registrations=lambda: self.registrations,
            )
        self._left: list[str] = []
        self._leaving = 0
        self._not_open: dict[str, str] = {}
        self.facts = FactsOf(
            self._fleet,
            clock=clock,
            wall_clock=wall_clock,
            pool=self._pool,
            resolver=self._resolver,
            not_open=lambda: self._not_open,
            holds=lambda entry: not self._fleet.gate.may_send(entry),
        )
        self._fleet.reveal_secrets = reveal_secrets
        self.registrations = Registrations(self, self._jobs, clock, wall_clock, reveal_secrets)
        self.configuration = ConfigurationViews(
            lambda: self.settings, self._opened, reveal_secrets, self._fleet.shown.standing
        )

    # -- life ---------------------------------------------------------------------------------

    async def open(self, since: float | None = None) -> None:
        """Open the transports and start every registration; delays count from `since`, or now.

        Raises TransportError when an address is in use; any other transport that cannot be opened
        is logged, and its registrations fail as at an unreachable registrar.
        """
        self._take_over(self.settings)
        failed = await self._pool.open(
            self.settings.transports.values(),
            keep_alive_s=self.settings.global_.keep_alive_interval,
        )
        self._not_open = {name: failure.why for name, failure in failed.items()}
        for failure in failed.values():
            if failure.in_use:
                await self._pool.close()
                raise TransportError(failure.why)
            _log.error("%s", failure.why)
        self._watchdog.start()
        await self._start(self.settings.registrations.values(), since)
        self._resumable.clear()  # what is added later is new

    async def leave(self, within_s: float) -> bool:
        """Unregister what is registered, and wait for the answers for at most `within_s` seconds;
        whether all came.  Cancelled, it is taken back by `come_back`."""
        fleet = self._fleet
        self._left.clear()
        await self._jobs.run(self._jobs.leave(self._left))
        self._leaving = len(fleet.leaving)
        return await self._until(lambda: not fleet.leaving, within_s)

    def leaving(self) -> tuple[int, int]:
        """How many of those that `leave` takes off have ended, and how many they are."""
        return max(0, self._leaving - len(self._fleet.leaving)), self._leaving

    async def come_back(self) -> int:
        """Register again what `leave` has taken off; how many these are."""
        await self._jobs.done()
        names, self._left = self._left, []
        wanted = self.settings.registrations
        back = [n for n in names if n in wanted and n not in self._fleet.entries]
        await self._start(wanted[name] for name in back)
        return len(back)

    async def settled(self, within_s: float) -> bool:
        """Wait until every registration has had an outcome, at most `within_s` seconds."""
        return await self._until(lambda: not self._fleet.unsettled, within_s)

    async def _until(self, reached: Callable[[], bool], within_s: float) -> bool:
        changed = self._fleet.changed
        try:
            async with asyncio.timeout(within_s):
                while not reached():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End at once; nothing is sent."""
        if self._journal is not None:
            self._journal.flush()
        self._watchdog.close()
        self._timers.close()
        self._background.close()
        self._jobs.close()
        self._fleet.close()
        self._resolver.close()
        await self._pool.close()

    def remember(self) -> None:
        """Hand over anew what all of them would go on with: what was kept of it is lost."""
        if self._journal is not None:
            self._background.do(self._journal.every(self._fleet.entries))

    def _show(self, settings: Settings) -> None:
        """Show these registrations; giving them a state is another matter."""
        self.settings = settings
        self._fleet.configure(settings.registrations, settings.pjreg)

    def _take_over(self, settings: Settings) -> None:
        """Make the options that are not a registration's own effective."""
        self._debug.follow(settings.global_.debug)
        self._show(settings)
        self._attempts.accounts.update(settings.auths)
        self._attempts.user_agent = settings.global_.user_agent or self._user_agent
        self._attempts.form = form_of(settings)
        self._attempts.keep_nonces = settings.pjreg.keep_nonce
        self._inbound.redirect = settings.pjreg.redirect
        lanes = self._attempts.exchanges.lanes
        lanes.rate, lanes.registrar_rate = settings.pjreg.rate, settings.pjreg.registrar_rate
        self._keep_alive.every(float(settings.pjreg.udp_keep_alive_interval))
        t1_s = settings.system.timer_t1 / 1000
        self._attempts.exchanges.set_timers(t1_s, max(settings.system.timer_b / 1000, 64 * t1_s))

    # -- reload -------------------------------------------------------------------------------

    async def reload(self, scope: Scope, *, told: Told | None = None) -> ReloadReport:
        """Read the configuration anew and apply what changed; a file that is given up leaves its
        own settings as they were, no others.  Problems are logged.  One reload runs after the
        other.

        One that nobody asked for, but of which tables have `told`, may not take most of them away.
        """
        async with self._reloading:
            old = self.settings
            with garbage.undisturbed():
                since = told.within(old) if told else old
                result = await asyncio.to_thread(reload, since, scope)
            log_problems(result.problems, known=old.problems if told else ())
            if self.shards is not None:
                result = self.shards.still_ours(result)
            if told and (why := too_much(old, result.difference)):
                why = f"{why}: nothing is changed until somebody reloads"
                _log.error("%s", why)
                return ReloadReport(scope.value, failures=(why,))
            with garbage.undisturbed():
                done = await self.configuration.steps(old, result)
            failures = [f"{place(e.path, e.line)}: {e.message}" for e in result.errors]
            failures += await self._apply(result)
            done = came_true(done, self._not_open)
            return ReloadReport(scope.value, failures=tuple(failures), steps=done)

    async def _apply(self, result: Reload) -> list[str]:
        """Put new settings into force; what of it failed."""
        settings, difference, fleet = result.settings, result.difference, self._fleet
        # farewells go out while the transports and auth sections they need are still there
        await self._jobs.run(self._jobs.end(difference.removed, removed=True))
        await self._jobs.run(self._jobs.end(difference.changed, removed=False))
        if self.shards is not None:
            settings = self.shards.ours(settings)
        self._take_over(settings)
        farewells = Farewells(fleet, self._pool, settings.transports.values())
        await self._until(farewells.over, FAREWELL_S)
        self._resolver.reconfigure(settings.resolver)
        reopened = await self._pool.reopen(
            settings.transports.values(), keep_alive_s=settings.global_.keep_alive_interval
        )
        farewells.again()
        self._not_open = {name: failure.why for name, failure in reopened.failed.items()}
        failures: list[str] = []
        for name, failure in reopened.failed.items():
            _log.error("%s", failure.why)
            failures.append(f"{os.path.basename(settings.transports[name].source)}: {failure.why}")
        for name in reopened.kept:
            _log.warning("transport %s: changed, but without allow_reload it stays", name)
        for name in reopened.renewed:
            _log.info("transport %s: its certificates were read again", name)
        if reopened.renewed:
            self.reachable()
        # whoever was given a state since then has it by transports that were replaced
        await self._jobs.run(self._jobs.end(difference.removed, removed=True))
        await self._jobs.run(self._jobs.end(difference.changed, removed=False))
        there, fresh = settings.registrations, (*difference.changed, *difference.added)
        # a file that was written again brings back what `send unregister *all` forgot
        wanted = there if difference.touched else (name for name in fresh if name in there)
        await self._start(there[name] for name in wanted)
        await self._jobs.run(self._jobs.give_another_chance(difference))
        return failures

    async def _start(self, wanted: Iterable[Registration], since: float | None = None) -> None:
        """Give these a state, all that have none."""
        turn = Turn()
        self._jobs.rush.begin(len(self.settings.registrations) - len(self._fleet.entries))
        for settings in wanted:
            if turn.is_over():
                await asyncio.sleep(0)
            if settings.name in self._fleet.entries:
                continue
            left = self._resumable.pop(settings.name, None)
            epoch = 0 if left is None else left.epoch + 1
            if self._share is not None and of_table(settings.source):
                epoch = self._share.epoch(shard_of(settings.name))
                if not epoch or settings.name not in self.settings.registrations:
                    continue  # let go of meanwhile
            if left is not None and left.identity == identity_of(settings).hex():
                self._fleet.resume(settings, left, epoch)
            else:
                self._fleet.make(settings, since)
        garbage.set_aside()

    def _opened(self) -> list[str]:
        """Names of the transports that are configured and open."""
        return [name for name in self._pool.opened() if name in self.settings.transports]

    # -- what views look at -------------------------------------------------------------------

    def held(self) -> Iterator[tuple[Registration, Entry | None]]:
        """See views.Held."""
        return self._fleet.shown.held()

    def find(self, name: str) -> tuple[Registration, Entry | None] | None:
        """See views.Held."""
        return self._fleet.shown.find(name)

    def words(self) -> Mapping[str, int]:
        """How many registrations each word is shown for."""
        return self._fleet.shown.words()

    def traffic(self) -> Mapping[str, int]:
        """How many messages came in: `responses`, `stray` ones, `requests`, `garbage`."""
        return dict(self._inbound.traffic)

    # -- what comes in (net.flow.Listener): a fault of ours in it must not end who brings it ----

    def received(self, data: bytes, source: Source) -> bool:
        """One message from outside; whether it was of any use."""
        self._attempts.source = source
        try:
            return self._inbound.received(data, source)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it ends here
            report(self._failed_inputs, error, "a message from %s:%d", source.host, source.port)
            return False

    def closed(
        self,
        flow: Flow,
        why: str,
        established: bool,
        *,
        lived_s: float = math.inf,
        spoke: bool = True,
    ) -> None:
        """A connection could not be made or was lost."""
        with Contained(self._failed_inputs, "the loss of %s", flow.target):
            self._connection_lost.ended(flow, why, established, lived_s, spoke)

    def refused(self, flow: Flow) -> None:
        """Nobody listens where a UDP flow leads."""
        with Contained(self._failed_inputs, "a refusal of %s", flow.target):
            self._attempts.refused(flow)

    def reachable(self) -> None:
        """What never left this host is sent soon: its failures were those of the network here."""
        self._fleet.restart_stranded()
