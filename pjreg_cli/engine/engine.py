"""The registrations of an instance by name: takes verbs and events, runs effects.

Everything that happens to a registration goes through `_react`: an event in, a new state and
effects out.  What an effect causes at once (a send that fails) waits in a queue until the step
under way is complete, so that no step ever runs inside another.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, assert_never

from pjreg_cli.config.load import Reload, Scope, reload
from pjreg_cli.engine.attempts import Attempts
from pjreg_cli.engine.entry import Entry
from pjreg_cli.engine.ids import Ids
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.engine.timers import Timers
from pjreg_cli.engine.trace import Trace
from pjreg_cli.engine.views import (
    ConfigurationViews,
    RegistrationViews,
    is_settled,
    next_attempt_s,
    word_of,
)
from pjreg_cli.errors import SipParseError, TransportError
from pjreg_cli.net.pool import Pool
from pjreg_cli.net.resolver import Resolver
from pjreg_cli.port import Evidence, Listener, Notice, Settled, StateDropped, StateMade
from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import (
    AuthReloaded,
    Drop,
    Event,
    Flight,
    Publish,
    Remove,
    SendRegister,
    Start,
    Status,
    TransportClosed,
    Unregister,
    Wake,
)
from pjreg_cli.sip.message import Response, parse
from pjreg_cli.sip.uas import answer

if TYPE_CHECKING:
    from pjreg_cli.config.load import Settings
    from pjreg_cli.config.models import Registration
    from pjreg_cli.net.flow import Flow
    from pjreg_cli.net.pool import Source

_log = logging.getLogger("pjreg_cli.engine")

#: registrations handled in one go before the loop may look at its sockets again
BATCH = 200
#: how many registrations of a lost connection register again in each second, the first ones at once
REJOIN_RATE = 200


class Engine:
    """A running SIP side: registrations, transports, trace.  Answers `port.Registrations`.

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
    ) -> None:
        loop = asyncio.get_running_loop()
        self.settings = settings
        self._version = version
        self._wall_clock = wall_clock
        self._ids = ids or Ids()
        self._key = self._ids.key()
        self._timers = Timers(loop)
        self._clock = self._timers.clock
        self.tracing = Trace(wall_clock=wall_clock, publish=self._publish)
        self._resolver = Resolver(
            settings.resolver, spawn=spawn, clock=self._clock, draw=self._ids.fraction
        )
        self._pool = Pool(self, spawn=spawn, resolver=self._resolver, tap=self.tracing)
        self._attempts = Attempts(
            pool=self._pool,
            resolver=self._resolver,
            timers=self._timers,
            ids=self._ids,
            spawn=spawn,
            settle=self._post,
            lost=self._lost,
        )
        self._entries: dict[str, Entry] = {}
        self._leaving: set[Entry] = set()
        self._stopped: dict[str, Entry] = {}
        """Of those leaving, the ones whose section is gone."""
        self._order: list[str] | None = None
        self._words: Counter[str] = Counter()
        self._queue: deque[tuple[Entry, Event]] = deque()
        self._reacting = False
        self._unsettled: set[Entry] = set()
        self._changed = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._traffic: Counter[str] = Counter()
        self.registrations = Registrations(self, self._clock)
        self.configuration = ConfigurationViews(self, self._pool.opened, reveal_secrets)
        self.notices = self

    # -- life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the transports and start every registration.

        Raises TransportError when an address is in use; any other transport that cannot be opened
        is logged, and its registrations fail as at an unreachable registrar.
        """
        self._take_over(self.settings)
        failed = await self._pool.open(
            self.settings.transports.values(),
            keep_alive_s=self.settings.global_.keep_alive_interval,
        )
        for name, failure in failed.items():
            if failure.in_use:
                await self._pool.close()
                raise TransportError(failure.why)
            _log.error("transport %s: %s", name, failure.why)
        await self._start(self.settings.registrations.values())

    async def leave(self, within_s: float) -> bool:
        """Unregister what is registered, and wait for the answers for at most `within_s` seconds;
        whether all came."""
        for entry in list(self._entries.values()):
            self._remove(entry)
        return await self._until(lambda: not self._leaving, within_s)

    async def settled(self, within_s: float) -> bool:
        """Wait until every registration has had an outcome, at most `within_s` seconds."""
        return await self._until(lambda: not self._unsettled, within_s)

    async def _until(self, reached: Callable[[], bool], within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                while not reached():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End at once; nothing is sent."""
        self._timers.close()
        self._attempts.exchanges.close()
        for entry in (*self._entries.values(), *self._leaving):
            self._attempts.forget(entry)
        await self._pool.close()

    def _take_over(self, settings: Settings) -> None:
        """Make the options that are not a registration's own effective."""
        self.settings = settings
        self._order = None
        self._attempts.accounts.update(settings.auths)
        self._attempts.user_agent = settings.global_.user_agent or f"pjreg-cli/{self._version}"
        self._attempts.keep_nonces = settings.pjreg.keep_nonce
        t1_s = settings.system.timer_t1 / 1000
        self._attempts.exchanges.t1_s = t1_s
        self._attempts.exchanges.timeout_s = max(settings.system.timer_b / 1000, 64 * t1_s)

    # -- reload -------------------------------------------------------------------------------

    async def reload(self, scope: Scope) -> bool:
        """Read the configuration anew and apply what changed; False when a file was given up and
        everything stays.  Problems are logged.  One reload runs after the other."""
        async with self._reloading:
            result = await asyncio.to_thread(reload, self.settings, scope)
            for problem in result.problems:
                _log.warning(
                    "%s:%d: %s: %s",
                    problem.path,
                    problem.line,
                    problem.level.value,
                    problem.message,
                )
            if result.ok:
                await self._apply(result)
            return result.ok

    async def _apply(self, result: Reload) -> None:
        settings, difference = result.settings, result.difference
        self._take_over(settings)
        if difference.transports_changed:
            self._resolver.reconfigure(settings.resolver)
            reopened = await self._pool.reopen(
                settings.transports.values(), keep_alive_s=settings.global_.keep_alive_interval
            )
            for name, failure in reopened.failed.items():
                _log.error("transport %s: %s", name, failure.why)
        for name in (*difference.removed, *difference.changed):
            if (entry := self._entries.get(name)) is not None:
                entry.removed = name in difference.removed
                self._remove(entry)
        fresh: Iterable[str] = (*difference.changed, *difference.added)
        if difference.touched:
            # a file that was written again brings back what `send unregister *all` forgot
            fresh = [name for name in settings.registrations if name not in self._entries]
        await self._start(settings.registrations[name] for name in fresh)
        if difference.auths_read:
            for entry in list(self._entries.values()):
                if entry.state.status is Status.REJECTED_PERMANENT:
                    self._post(entry, AuthReloaded(self._jitter_s(entry.settings)))

    async def _start(self, registrations: Iterable[Registration]) -> None:
        for number, settings in enumerate(registrations, 1):
            self._make(settings)
            if number % BATCH == 0:
                await asyncio.sleep(0)

    # -- entries ------------------------------------------------------------------------------

    def _make(self, settings: Registration) -> Entry:
        """Give a registration a new state, and start it."""
        entry = Entry(
            settings,
            call_id=self._ids.call_id(),
            cseq=self._ids.cseq(),
            line=self._ids.line() if settings.line else "",
            woken=self._woken,
        )
        self._entries[settings.name] = entry
        self._unsettled.add(entry)
        self._recount(entry)
        self._publish(StateMade(settings.name))
        self._post(entry, Start(self._jitter_s(settings)))
        return entry

    def _jitter_s(self, settings: Registration) -> int:
        return self._ids.jitter_s(settings.max_random_initial_delay)

    def _remove(self, entry: Entry) -> None:
        """Take a registration out of those with a state; it ends in its own time."""
        del self._entries[entry.name]
        self._unsettled.discard(entry)
        self._leaving.add(entry)
        if entry.removed:
            self._stopped[entry.name] = entry
            self._order = None
        self._recount(entry)
        self._post(entry, Remove())

    def _dropped(self, entry: Entry) -> None:
        self._timers.arm(entry, None)
        self._attempts.forget(entry)
        self._leaving.discard(entry)
        if self._stopped.get(entry.name) is entry:
            del self._stopped[entry.name]
            self._order = None
        self._publish(StateDropped(entry.name, entry.word))
        self._rejoin_after(entry)

    def _rejoin_after(self, left: Entry) -> None:
        """An old form that unregistered late took its successor's binding along."""
        successor = self._entries.get(left.name)
        if successor is None or left.evidence is None or successor.evidence is None:
            return
        late = left.evidence.method == Flight.UNREGISTER.value
        if late and left.evidence.at >= successor.evidence.at:
            self._post(successor, TransportClosed())

    # -- steps --------------------------------------------------------------------------------

    def _post(self, entry: Entry, event: Event) -> None:
        """Let an event happen: now, or after the step that is under way."""
        self._queue.append((entry, event))
        if self._reacting:
            return
        self._reacting = True
        try:
            while self._queue:
                self._react(*self._queue.popleft())
        finally:
            self._reacting = False

    def _react(self, entry: Entry, event: Event) -> None:
        entry.state, effects = react(entry.state, event, entry.policy, self._clock())
        self._timers.arm(entry, entry.state.wake_at)
        for effect in effects:
            match effect:
                case SendRegister():
                    self._attempts.send(entry, effect)
                case Publish():
                    self._settled(entry, effect)
                case Drop():
                    self._dropped(entry)
                case _:
                    assert_never(effect)
        self._recount(entry)

    def _woken(self, entry: Entry) -> None:
        self._post(entry, Wake())

    def _settled(self, entry: Entry, published: Publish) -> None:
        """An attempt is over: keep the evidence, tell whoever listens."""
        attempt = entry.attempt
        if attempt is None or attempt.outcome is None:
            return
        outcome = attempt.outcome
        entry.evidence = evidence = Evidence(
            at=self._wall_clock(),
            method=published.flight.value,
            code=outcome.code,
            reason=attempt.reason,
            cause=outcome.cause.value,
            rule=published.rule,
            target=str(attempt.target or ""),
            received=attempt.heard,
            granted_s=outcome.granted_s,
        )
        entry.attempt = None
        old_word, entry.word = entry.word, entry.state.status.word
        _log.log(
            logging.INFO if 200 <= outcome.code < 300 else logging.WARNING,
            "%s: %s answered %d %s, rule '%s': %s",
            entry.name,
            evidence.method,
            outcome.code,
            attempt.reason,
            published.rule,
            entry.word,
        )
        self._publish(
            Settled(
                name=entry.name,
                client_uri=entry.settings.client_uri,
                server_uri=entry.settings.server_uri,
                word=entry.word,
                old_word=old_word,
                evidence=evidence,
                attempts=entry.attempts,
                next_attempt_s=next_attempt_s(entry, self._clock()),
            )
        )
        if is_settled(entry):
            self._unsettled.discard(entry)

    def _recount(self, entry: Entry) -> None:
        """Keep `count` true after anything that may have changed what is shown of an entry."""
        name = entry.name
        shown = self._entries.get(name) is entry or self._stopped.get(name) is entry
        word = word_of(entry) if shown else None
        if word != entry.counted:
            self._words.subtract([entry.counted] if entry.counted else [])
            self._words.update([word] if word else [])
            entry.counted = word
        self._changed.set()

    # -- verbs --------------------------------------------------------------------------------

    def unregister(self, name: str) -> bool:
        """See port.Registrations."""
        entry = self._entries.get(name)
        if entry is None:
            return False
        self._post(entry, Unregister())
        return True

    def register(self, name: str) -> bool:
        """See port.Registrations."""
        entry = self._entries.get(name)
        if entry is None:
            return False
        self._post(entry, Unregister())
        self._post(entry, Start(self._jitter_s(entry.settings)))
        return True

    def unregister_all(self) -> None:
        """See port.Registrations."""
        for entry in list(self._entries.values()):
            self._remove(entry)

    def register_all(self) -> None:
        """See port.Registrations."""
        self.unregister_all()
        for settings in self.settings.registrations.values():
            self._make(settings)

    # -- what views look at -------------------------------------------------------------------

    def held(self) -> Iterator[tuple[Registration, Entry | None]]:
        """See views.Held; valid while it is read slowly."""
        if self._order is None:
            names = {*self.settings.registrations, *self._stopped}
            self._order = sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))
        return self._held(self._order)

    def _held(self, order: list[str]) -> Iterator[tuple[Registration, Entry | None]]:
        for name in order:
            if (found := self.find(name)) is not None:
                yield found

    def find(self, name: str) -> tuple[Registration, Entry | None] | None:
        """A registration's settings and its state, if it has any."""
        entry = self._entries.get(name)
        if entry is not None:
            return entry.settings, entry
        settings = self.settings.registrations.get(name)
        if settings is not None:
            return settings, None
        stopped = self._stopped.get(name)
        return None if stopped is None else (stopped.settings, stopped)

    def words(self) -> Mapping[str, int]:
        """How many registrations each word is shown for."""
        return {word: number for word, number in self._words.items() if number}

    def traffic(self) -> Mapping[str, int]:
        """What came in and had no effect: `garbage`, `stray` responses, `requests` answered."""
        return dict(self._traffic)

    # -- notices ------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See port.Notices."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _publish(self, notice: Notice) -> None:
        for listener in tuple(self._listeners):
            listener(notice)

    def publish(self, notice: Notice) -> None:
        """Tell all listeners: for notices that do not come from the SIP side."""
        self._publish(notice)

    # -- what comes in (net.flow.Listener) ----------------------------------------------------

    def received(self, data: bytes, source: Source) -> None:
        """One message from outside."""
        try:
            message = parse(data)
            if isinstance(message, Response):
                known = self._attempts.exchanges.response(message)
                self._traffic["responses" if known else "stray"] += 1
                return
            reply = answer(
                message,
                source.host,
                source.port,
                key=self._key,
                redirect=self.settings.pjreg.redirect or None,
            )
        except SipParseError as error:
            self._traffic["garbage"] += 1
            _log.debug("from %s:%d: %s", source.host, source.port, error)
            return
        self._traffic["requests"] += 1
        if reply is not None:
            source.reply(reply.encode())

    def closed(self, flow: Flow, why: str, established: bool) -> None:
        """A connection could not be made or was lost."""
        self._attempts.closed(flow, why)
        if established:
            self._lost(flow)

    def refused(self, flow: Flow) -> None:
        """Nobody listens where a UDP flow leads."""
        self._attempts.refused(flow)

    def _lost(self, flow: Flow) -> None:
        """The connection is gone: register again over a new one, many not all at once."""
        on_it = [entry for entry in self._entries.values() if entry.flow is flow]
        for number, entry in enumerate(on_it):
            entry.flow = None
            self._post(entry, TransportClosed(float(number // REJOIN_RATE)))


class Registrations(RegistrationViews):
    """port.Registrations of a running engine."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        super().__init__(engine, clock)
        self._engine = engine

    def count(self) -> Mapping[str, int]:
        return self._engine.words()

    def unregister(self, name: str) -> bool:
        return self._engine.unregister(name)

    def register(self, name: str) -> bool:
        return self._engine.register(name)

    def unregister_all(self) -> None:
        self._engine.unregister_all()

    def register_all(self) -> None:
        self._engine.register_all()
