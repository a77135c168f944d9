"""Requests on their way: which one a response belongs to, when to resend, when to give up.

Each `Exchange` is a transaction (RFC 3261 section 17.1.2) with the bytes it repeats; `Lanes` says
when it may be sent.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.contain import report
from pjreg_cli.engine.lanes import WINDOW, Lane, Lanes
from pjreg_cli.engine.late_copies import LateCopies
from pjreg_cli.engine.record import RECENT, Messages
from pjreg_cli.errors import TransportError
from pjreg_cli.levels import MESSAGES
from pjreg_cli.registration.state import Cause
from pjreg_cli.sip.scan import repeats
from pjreg_cli.sip.transaction import Effect, Event, Transaction, begin, heard, react

if TYPE_CHECKING:
    from pjreg_cli.counters import Tally
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.flow import Endpoint, Flow
    from pjreg_cli.sip.message import Response

_log = logging.getLogger("pjreg_cli.engine")

#: the method of every request here
METHOD = "REGISTER"
#: the reason of a request that a fault of ours has ended
INTERNAL = "internal error, see the log"

_FINAL = Event.FINAL
#: for how long copies of a final response may follow, in seconds; None over a reliable flow
_LINGERS_S = {
    reliable: react(begin(0.0, reliable), _FINAL, 0.0)[0].wake_at for reliable in (True, False)
}

Deliver = Callable[["Exchange", "Response | None", Cause, str], None]
"""Told the final response, or None with the cause and a word on it."""


class Exchange:
    """One request and what becomes of it."""

    __slots__ = (
        "branch",
        "cseq",
        "data",
        "entry",
        "failure",
        "flow",
        "fresh",
        "lane",
        "over",
        "resends",
        "sent_at",
        "tag",
        "timeout_s",
        "timer_at",
        "transaction",
        "woken",
    )

    def __init__(
        self,
        entry: Entry,
        flow: Flow,
        branch: str,
        cseq: int,
        tag: str,
        data: bytes,
        woken: Callable[[Exchange, float], None],
    ) -> None:
        self.entry = entry
        self.flow = flow
        self.branch = branch
        self.cseq = cseq
        self.tag = tag
        """That of From."""
        self.data = data
        self.woken = woken
        self.transaction: Transaction | None = None
        """None while it waits its turn."""
        self.timer_at: float | None = None
        self.sent_at = 0.0
        self.lane: Lane
        """Where it waits its turn; set when it enters."""
        self.resends = 0
        self.fresh = False
        self.over = False
        """It has its final answer, or will have none."""
        self.timeout_s: float | None = None
        """How long it may go unanswered, in seconds; None: as long as any."""
        self.failure = ""
        """Why it could not be sent in the first place; its user is told at the next wake."""

    def wake(self, now: float) -> None:
        """The transaction's next timer has come."""
        self.woken(self, now)


class Unheard:
    """Datagrams just sent, in the order in which they are to be resent for the first time.

    Nearly all are answered before: to leave them here costs less than a timer for each.
    """

    __slots__ = ("_sent", "_timers", "timer_at")

    #: requests woken in one go at most: the timers look at the clock after some of these
    BATCH = 8

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._sent: deque[tuple[float, Exchange]] = deque()
        self.timer_at: float | None = None

    def add(self, exchange: Exchange, wake_at: float) -> None:
        """Wake it then, unless it is answered or has another timer by that time."""
        sent = self._sent
        if sent and wake_at < sent[-1][0]:
            # another T1, or little time left for it
            self._timers.arm(exchange, wake_at)
            return
        sent.append((wake_at, exchange))
        if self.timer_at is None:
            self._timers.arm(self, wake_at)

    def wake(self, now: float) -> None:
        """The first one is due; the others in their time."""
        sent = self._sent
        woken = 0
        try:
            while sent and woken < self.BATCH:
                at, exchange = sent[0]
                waits = not exchange.over and exchange.timer_at is None
                if waits and at > now:
                    break
                sent.popleft()
                if waits:
                    woken += 1
                    exchange.wake(now)
        finally:
            if sent:
                self._timers.arm(self, max(sent[0][0], now))

    def clear(self) -> None:
        """Forget them all."""
        self._sent.clear()


class Exchanges:
    """All requests under way; `t1_s` and `timeout_s` are timers T1 and F in seconds."""

    def __init__(
        self, timers: Timers, deliver: Deliver, faults: Tally, *, window: int = WINDOW
    ) -> None:
        self._timers = timers
        self._deliver = deliver
        self._faults = faults
        self._by_branch: dict[str, Exchange] = {}
        self._unheard = Unheard(timers)
        self._late = LateCopies(timers)
        self._wake = self._woken  # one for all of them
        self.lanes = Lanes(timers, self._send, window=window)
        self.t1_s = 0.5
        self.timeout_s = 32.0
        self.messages = Messages(maxlen=RECENT)
        self.gate: Callable[[Entry], bool] = _open_gate
        """Whether a request of this registration may leave now, first or again."""

    def set_timers(self, t1_s: float, timeout_s: float) -> None:
        """Timers T1 and F of requests from now on, in seconds."""
        self.t1_s = self.lanes.fresh_s = t1_s
        self.timeout_s = timeout_s

    def open(
        self,
        entry: Entry,
        flow: Flow,
        branch: str,
        cseq: int,
        tag: str,
        data: bytes,
        timeout_s: float | None = None,
    ) -> Exchange:
        """Send `data`, at once or when its turn comes; nobody is told anything before this has
        returned.  `tag` is that of From; `timeout_s` may make timer F shorter."""
        exchange = Exchange(entry, flow, branch, cseq, tag, data, self._wake)
        exchange.timeout_s = timeout_s
        self._by_branch[branch] = exchange
        self.lanes.enter(exchange)
        return exchange

    def response(self, response: Response, endpoint: Endpoint) -> bool:
        """Take in a response that came to `endpoint`; False when it belongs to no request under
        way.

        Branch and CSeq find the transaction (RFC 3261 section 17.1.3).  Call-ID and the From tag
        must be ours as well, and over a stream the connection the one the request took: all that a
        forger cannot know who does not see our requests.  The address a datagram comes from proves
        nothing, and some registrars answer from another one.  A late copy belongs to its request,
        but changes nothing.
        """
        exchange = self._by_branch.get(response.branch)
        if exchange is None:
            number, method = response.cseq
            return method == METHOD and self._late.owns(response.branch, number)
        if (
            response.cseq != (exchange.cseq, METHOD)
            or not repeats(response, exchange.entry.call_id, exchange.tag)
            or not exchange.flow.carries(endpoint)
        ):
            return False
        event = heard(response.code)
        if event is _FINAL and exchange.transaction is not None:
            self._answer(exchange, response)
        else:
            self._step(exchange, event)
        return True

    def fail(self, exchange: Exchange, why: str) -> None:
        """The request certainly did not arrive: no more resends, the user is told."""
        if exchange.over:
            return
        if exchange.transaction is not None:
            self._step(exchange, Event.SEND_FAILED, why)
            return
        self.drop(exchange)
        self._deliver(exchange, None, Cause.SEND_FAILED, why)

    def drop(self, exchange: Exchange) -> None:
        """Nothing more is sent or told of this request."""
        if not exchange.over:
            self._forget(exchange)
            self._ended(exchange)

    def on(self, flow: Flow) -> list[Exchange]:
        """The requests on this flow that have no final answer."""
        return self.lanes.on(flow)

    def close(self) -> None:
        """Forget them all; nobody is told."""
        self._by_branch.clear()
        self._unheard.clear()
        self._late.clear()
        self.lanes.close()

    # -- one exchange -------------------------------------------------------------------------

    def _answer(self, exchange: Exchange, response: Response) -> None:
        """The final response to a request under way: what the table says of it, without a step of
        its own, for that is what happens nearly always."""
        lanes = self.lanes
        if exchange.fresh:
            lanes.no_longer_fresh(exchange)
        lingers_s = _LINGERS_S[exchange.flow.reliable]
        if lingers_s is not None:
            # all that can still happen to it: copies of the answer, and timer K
            self._late.add(exchange.branch, exchange.cseq, self._timers.clock() + lingers_s)
        if exchange.timer_at is not None:
            self._timers.disarm(exchange)
        self._by_branch.pop(exchange.branch, None)
        exchange.data = b""
        exchange.over = True
        lanes.leave(exchange)
        self._deliver(exchange, response, Cause.ANSWERED, "")

    def _send(self, exchange: Exchange) -> None:
        exchange.sent_at = now = self._timers.clock()
        timeout_s = self.timeout_s
        if exchange.timeout_s is not None and exchange.timeout_s < timeout_s:
            timeout_s = exchange.timeout_s
        exchange.transaction = begin(now, exchange.flow.reliable, self.t1_s, timeout_s)
        exchange.failure = self._handed_over(exchange)
        wake_at = exchange.transaction.wake_at or now
        if exchange.failure:
            # whoever opened it does not know it yet, and could make nothing of its failure
            self._timers.arm(exchange, now)
        elif exchange.flow.reliable:
            self._timers.arm(exchange, wake_at)
        else:
            self._unheard.add(exchange, wake_at)

    def _handed_over(self, exchange: Exchange) -> str:
        """Give a request to its flow; why it certainly was not sent, empty when it was."""
        if not self.gate(exchange.entry):
            return ""  # as if it were lost on the way
        if _log.isEnabledFor(MESSAGES):
            name, size = exchange.entry.name, len(exchange.data)
            _log.log(MESSAGES, "%s: %d bytes to %s", name, size, exchange.flow.target)
        try:
            exchange.flow.send(exchange.data)
        except TransportError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it ends here
            report(self._faults, error, "%s: sending", exchange.entry.name)
            return INTERNAL
        return ""

    def _woken(self, exchange: Exchange, now: float) -> None:
        if exchange.failure:
            self._step(exchange, Event.SEND_FAILED, exchange.failure)
        else:
            self._step(exchange, Event.WAKE)

    def _step(self, exchange: Exchange, event: Event, why: str = "") -> None:
        """One step of the table, on anything but a final response."""
        if exchange.transaction is None:
            return  # answered before it was sent: a forgery
        after, effects = react(exchange.transaction, event, self._timers.clock())
        exchange.transaction = after
        if exchange.fresh and (effects or event is not Event.WAKE):
            self.lanes.no_longer_fresh(exchange)
        if after.over:
            self._forget(exchange)
        else:
            self._timers.arm(exchange, after.wake_at)
        for effect in effects:
            self._carry_out(exchange, effect, why)

    def _carry_out(self, exchange: Exchange, effect: Effect, why: str) -> None:
        if effect is Effect.RESEND:
            exchange.resends += 1
            if failure := self._handed_over(exchange):
                self._step(exchange, Event.SEND_FAILED, failure)
            return
        if not exchange.over:
            self._ended(exchange)
        if effect is Effect.TIME_OUT:
            self._deliver(exchange, None, Cause.TIMED_OUT, "no answer")
        else:
            self._deliver(exchange, None, Cause.SEND_FAILED, why)

    def _ended(self, exchange: Exchange) -> None:
        """There is a final answer, or there will be none: nothing is sent any more."""
        exchange.data = b""
        exchange.over = True
        self.lanes.leave(exchange)

    def _forget(self, exchange: Exchange) -> None:
        if exchange.timer_at is not None:
            self._timers.disarm(exchange)
        self._by_branch.pop(exchange.branch, None)
        if exchange.fresh:
            self.lanes.no_longer_fresh(exchange)


def _open_gate(_entry: Entry) -> bool:
    return True
