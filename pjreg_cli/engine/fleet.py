"""All registrations with a state, by name: the only place where their machines are stepped.

Everything that happens to a registration goes through `post`: an event in, a new state and effects
out.  What an effect causes at once (a send that fails) waits in a queue until the step under way
is complete, so that no step ever runs inside another.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, assert_never

from pjreg_cli.api.notices import Notice, StateDropped, StateLeaving, StateMade
from pjreg_cli.cluster.resume import HIGHEST, Resumable, first_cseq
from pjreg_cli.config.other_files import PjregSettings
from pjreg_cli.engine import settled
from pjreg_cli.engine.attempts import Attempts
from pjreg_cli.engine.contain import report
from pjreg_cli.engine.entry import GONE, LOCAL, Entry, policy_of
from pjreg_cli.engine.pacing import Pace
from pjreg_cli.engine.resuming import go_on
from pjreg_cli.engine.share import Gate, Share
from pjreg_cli.engine.shown import Shown
from pjreg_cli.engine.succession import Succession
from pjreg_cli.engine.views import is_settled, is_stranded, next_attempt_s
from pjreg_cli.engine.watchdog import fault
from pjreg_cli.levels import MACHINERY
from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import (
    Drop,
    Effect,
    Event,
    Outcome,
    Publish,
    Remove,
    Resumed,
    SendRegister,
    Start,
    Status,
    TransportClosed,
    Wake,
)

if TYPE_CHECKING:
    from pjreg_cli.api.findings import Brief
    from pjreg_cli.config.models import Registration
    from pjreg_cli.counters import Tally
    from pjreg_cli.engine.journal import Journal
    from pjreg_cli.engine.randomness import Ids
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.pool import Pool
    from pjreg_cli.net.resolver import Resolver
    from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.engine")

_WAKE = Wake()

#: seconds until a registration is tried again that a fault of ours had left without a deadline
MEND_S = 10.0
#: how many registrations of a lost connection register again in each second, the first ones at once
REJOIN_RATE = 200


class Fleet:
    """Registrations under way.  `wall_clock` gives seconds since 1970, `publish` takes notices."""

    def __init__(
        self,
        *,
        pool: Pool,
        resolver: Resolver,
        timers: Timers,
        ids: Ids,
        spawn: Spawner,
        wall_clock: Callable[[], float],
        publish: Callable[[Notice], None],
        faults: Tally,
        journal: Journal | None = None,
        share: Share | None = None,
        why: Callable[[Entry], Brief] = settled.unexplained,
    ) -> None:
        """`journal` is told of changes, `share` is what we have of a fleet of machines, if any;
        `why` finds out how one stands."""
        self.gate = Gate(share, timers, self.post)
        self._why, self._journal, self._faults = why, journal, faults
        self._pool = pool
        self._timers = timers
        self._ids = ids
        self._clock = timers.clock
        self._wall_clock = wall_clock
        self._publish = publish
        self.leaving: set[Entry] = set()
        """Those that are neither configured nor wanted any more, until they have ended."""
        self.succession = Succession(timers, self.leaving)
        self.attempts = Attempts(
            pool=pool,
            resolver=resolver,
            timers=timers,
            ids=ids,
            spawn=spawn,
            settle=self.post,
            succession=self.succession,
            faults=faults,
        )
        self.reveal_secrets = False  # in what notices tell
        self.attempts.exchanges.gate = self.gate.may_send
        self.pjreg = PjregSettings()
        """What pjreg.conf says."""
        self.entries: dict[str, Entry] = {}
        """Those with a state."""
        self.shown = Shown(self.entries)
        self.unsettled = 0
        """How many still wait for the outcome of their first attempt."""
        self.changed = asyncio.Event()
        """Set by whatever happens; whoever waits clears it."""
        self._pace = Pace(timers.clock, ids.fraction)
        self._queue: deque[tuple[Entry, Event]] = deque()
        self._reacting = False
        self._wake = self._woken  # one for all of them

    def configure(self, registrations: Mapping[str, Registration], pjreg: PjregSettings) -> None:
        """Show these from now on; giving them a state is another matter."""
        self.shown.configure(registrations)
        if pjreg != self.pjreg:
            self.pjreg = pjreg
            for entry in self.entries.values():
                entry.policy = policy_of(entry.settings, pjreg, self.gate.margin_s(entry.settings))

    def close(self) -> None:
        """Forget what is under way; nothing is sent, nobody is told."""
        self.attempts.close()
        for entry in (*self.entries.values(), *self.leaving):
            self.attempts.forget(entry)

    # -- entries ------------------------------------------------------------------------------

    def make(self, settings: Registration, since: float | None = None) -> Entry:
        """Give a registration a new state, and start it; its initial delay counts from `since` of
        the clock, or from now."""
        line = self._ids.line() if settings.line else ""
        entry = self._entry(settings, self._ids.call_id(), self._ids.cseq(), line)
        waited_s = 0.0 if since is None else self._clock() - since
        self._made(entry, Start(self.jitter_s(settings), waited_s))
        return entry

    def resume(self, settings: Registration, left: Resumable, epoch: int) -> Entry:
        """Give a registration the state that an earlier owner has left.

        `epoch` counts owners: CSeq rises above all they can have used.  What is overdue is paced.
        """
        cseq = first_cseq(left.cseq, left.epoch, epoch)
        call_id = left.call_id
        if cseq >= HIGHEST:
            call_id, cseq = self._ids.call_id(), self._ids.cseq()
        entry = self._entry(settings, call_id, cseq, left.line if settings.line else "")
        resumed = go_on(entry, left, self._pool, self.gate, self._clock())
        self.attempts.served.move(entry, entry.flow)
        if resumed is not None and resumed.due_s is not None and resumed.due_s <= 0:
            resumed = resumed._replace(due_s=self.gate.turn_s(REJOIN_RATE, entry))
        self._made(entry, resumed or Start(self.jitter_s(settings)))
        return entry

    def _entry(self, settings: Registration, call_id: str, cseq: int, line: str) -> Entry:
        policy = policy_of(settings, self.pjreg, self.gate.margin_s(settings))
        entry = Entry(
            settings, call_id=call_id, cseq=cseq, line=line, woken=self._wake, policy=policy
        )
        self.gate.assign(entry)
        return entry

    def _made(self, entry: Entry, event: Start | Resumed) -> None:
        self.entries[entry.name] = entry
        self.succession.enter(entry)
        self.post(entry, event)
        entry.word = entry.state.status.word
        self._recount(entry)
        if not is_settled(entry):
            entry.unsettled = True
            self.unsettled += 1
        self._publish(StateMade(entry.name, entry.word))
        if not (self.gate.shared and isinstance(event, Resumed)):
            # (a fleet's owners are counted: nothing need be written to go on above the last one)
            self._mark(entry)

    def _mark(self, entry: Entry) -> None:
        if self._journal:
            self._journal.mark(entry)

    def jitter_s(self, settings: Registration) -> int:
        """A new random part of the delay before a first attempt, in seconds."""
        return self._ids.jitter_s(settings.max_random_initial_delay)

    def remove(self, entry: Entry) -> None:
        """Take a registration out of those with a state; it ends in its own time."""
        del self.entries[entry.name]
        self._awaited(entry)
        self.leaving.add(entry)
        if entry.removed:
            self.shown.stop(entry)
        self._recount(entry)
        self._publish(StateLeaving(entry.name))
        entry.accounts = self.attempts.accounts.named(entry.settings.outbound_auth)
        self.post(entry, Remove(self.attempts.unsent(entry)))

    def _dropped(self, entry: Entry) -> None:
        self._timers.arm(entry, None)
        self.attempts.forget(entry)
        self.leaving.discard(entry)
        self.changed.set()
        if self._journal is not None and entry.name not in self.entries:
            self._journal.drop(entry.name)
        self.shown.drop(entry)
        self._publish(StateDropped(entry.name, entry.word))
        for robbed in self.succession.left(entry):
            self.post(robbed, TransportClosed())
        if not self.leaving:
            self._close_idle()

    def _close_idle(self) -> None:
        """Close connections that only those had used who have left."""
        idle = self._pool.idle(self.attempts.served.flows())
        if idle:  # else nobody need go through a whole fleet
            used = {entry.attempt.flow for entry in self.entries.values() if entry.attempt}
            for flow in idle:
                if flow not in used:
                    flow.reset()

    # -- steps --------------------------------------------------------------------------------

    def post(self, entry: Entry, event: Event) -> None:
        """Let an event happen: now, or after the step that is under way."""
        if self._reacting:
            self._queue.append((entry, event))
            return
        self._reacting = True
        try:
            self._step(entry, event)
            while self._queue:
                self._step(*self._queue.popleft())
        finally:
            self._reacting = False

    def _step(self, entry: Entry, event: Event) -> None:
        """One step; what goes wrong in it ends the attempt, and never the registration."""
        before = entry.unfolded or entry.state
        try:
            after, effects = react(before, event, entry.policy, self._clock())
            if after.in_flight is None and type(event) is Outcome:
                after = self._pace.placed(after, before, event, entry.policy)
            entry.unfolded = after
            if entry.timer_at != after.wake_at:
                self._timers.arm(entry, after.wake_at)
            if _log.isEnabledFor(MACHINERY):
                settled.note(entry, event)
            try:
                for effect in effects:
                    if type(effect) is SendRegister:
                        self.attempts.send(entry, effect)
                    else:
                        self._carry_out(entry, effect)
            finally:
                after = entry.unfolded or after
                if after.status is not before.status or after.leaving is not before.leaving:
                    self._recount(entry)
                if before.in_flight is not None and after.in_flight is None:
                    entry.fold()
        except Exception as error:  # noqa: BLE001 -- whatever it is, it ends here
            report(self._faults, error, "%s: %s", entry.name, type(event).__name__)
        else:
            return
        if entry.state is before and before.in_flight is not None and isinstance(event, Outcome):
            # not even the machine could take it: the same would happen again
            entry.state = before._replace(in_flight=None, wake_at=None)
        self.mend(entry)

    def _carry_out(self, entry: Entry, effect: Effect) -> None:
        match effect:
            case SendRegister():
                self.attempts.send(entry, effect)
            case Publish():
                self._settled(entry, effect)
            case Drop():
                self._dropped(entry)
            case _:
                assert_never(effect)

    def with_state(self) -> list[Entry]:
        """See watch.Watched."""
        return [*self.entries.values(), *self.leaving]

    def mend(self, entry: Entry) -> None:
        """Make a registration go on that would not: its attempt has failed, its timer is set, or
        its next attempt begins in `MEND_S`."""
        now, state = self._clock(), entry.state
        if entry not in self.with_state() or not fault(entry, now):
            return
        if state.in_flight is not None:
            self.attempts.give_up(entry)
        elif state.leaving or state.status in (Status.STOPPING, Status.STOPPED):
            self._dropped(entry)
        else:
            at = now + MEND_S if state.wake_at is None else max(now, state.wake_at)
            entry.state = state._replace(wake_at=at, next_attempt_at=at)
            self._timers.arm(entry, None)
            self._timers.arm(entry, at)

    def _woken(self, entry: Entry) -> None:
        if entry.shard == LOCAL or self.gate.passes(entry):
            self.post(entry, _WAKE)

    def release(self, shards: frozenset[int]) -> list[Entry]:
        """Send nothing more for these shards of a fleet; who is in them is to be forgotten."""
        gone = [one for one in self.with_state() if one.shard in shards]
        for entry in gone:
            entry.shard = GONE
        return gone

    def forget(self, entry: Entry) -> None:
        """Forget one that was released; a successor of its name may be there already."""
        self._timers.arm(entry, None)
        self.attempts.forget(entry)
        self.gate.discard(entry)
        self._awaited(entry)
        self.leaving.discard(entry)
        self.succession.left(entry)
        self.shown.drop(entry)
        if self.entries.get(entry.name) is entry:
            del self.entries[entry.name]
        self._recount(entry)
        self._publish(StateDropped(entry.name, entry.word))

    def _settled(self, entry: Entry, published: Publish) -> None:
        """An attempt is over: keep the evidence, tell whoever listens."""
        attempt = entry.attempt
        if attempt is None or attempt.outcome is None:
            return
        # an answer's own instant, which is kept already
        now = self._clock() if attempt.response is None else attempt.instants[-1]
        course = settled.course_of(attempt, attempt.outcome, published)
        evidence = entry.settled(attempt, course, published, self._wall_clock(), now)
        entry.attempt = None
        old_word, entry.word = entry.word, entry.state.status.word
        change = None
        if old_word != entry.word:
            change = entry.turned(old_word, entry.word, entry.attempts, now)
        if self.entries.get(entry.name) is entry:
            self._mark(entry)
        next_s = next_attempt_s(entry, now)
        why = settled.Why(self._why, entry)
        settled.log(entry, evidence, change, next_s, why)
        self._publish(settled.notice(entry, evidence, old_word, next_s, why, self.reveal_secrets))
        if is_settled(entry):
            self._awaited(entry)
        self.changed.set()

    def _awaited(self, entry: Entry) -> None:
        """Nobody waits for the outcome of its first attempt any more."""
        if entry.unsettled:
            entry.unsettled = False
            self.unsettled -= 1

    def _recount(self, entry: Entry) -> None:
        """What is shown of an entry may have changed."""
        self.shown.recount(entry)
        self.changed.set()

    def restart_stranded(self) -> None:
        """Start again those whose last attempt never left this host, one after the other."""
        for number, entry in enumerate(filter(is_stranded, tuple(self.entries.values()))):
            self.post(entry, Start(number / REJOIN_RATE))
