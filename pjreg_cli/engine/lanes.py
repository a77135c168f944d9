"""Whose turn it is to send: a queue and a window for each flow, so that no peer holds up another.

At most `WINDOW` requests of a flow may be fresh, that is sent and neither answered nor resent; the
others wait.  Sending thousands at once would only overflow somebody's receive buffer.  Over a
stream, where nothing is resent, a request is fresh for T1 at most: one that is silent slows down
its own queue, and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.exchange import Exchange
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.flow import Flow

#: requests that may be on their way over one flow without having been answered or resent
WINDOW = 200
#: requests of a flow that are made before their turn
READY = 100
#: what a ceiling lets pass at once after a pause, in seconds of its rate
_BURST_S = 0.1
#: registrars whose pace is remembered
_KEPT = 10_000


def _nobody(_entry: Entry, _flow: Flow) -> None:
    """Nobody parks anything."""


class Lane:
    """The requests of one flow that have no final answer."""

    __slots__ = ("_woken", "flow", "fresh", "held", "members", "parked", "pumping", "sent",
                 "timer_at", "waiting")  # fmt: skip

    def __init__(self, flow: Flow, woken: Callable[[Lane], None]) -> None:
        self.flow = flow
        self.members: dict[Exchange, None] = {}
        """All of them, in the order in which they came."""
        self.waiting: deque[Exchange] = deque()
        """Those not sent yet; some of them may have ended meanwhile."""
        self.parked: deque[Entry] = deque()
        """Those whose requests are made when there are few of them; some may have another attempt
        by then, or none."""
        self.fresh = 0
        self.sent: deque[Exchange] = deque()
        """Of a stream: those sent, until T1 after that."""
        self.held = False
        """It waits until the ceiling for all lets it go on."""
        self.pumping = False
        self.timer_at: float | None = None
        self._woken = woken

    def wake(self, now: float) -> None:
        """The oldest request is fresh no longer, or the registrar's ceiling allows another one."""
        self._woken(self)


class Lanes:
    """All lanes.  `send` sends a request whose turn it is.

    `rate` and `registrar_rate` are ceilings, in requests a second, for all and for each registrar;
    0 means none.  Where the one for all holds requests back, flows take turns.
    """

    def __init__(
        self, timers: Timers, send: Callable[[Exchange], None], *, window: int = WINDOW
    ) -> None:
        self._timers = timers
        self._clock = timers.clock
        self._send = send
        self._window = window
        self._lanes: dict[Flow, Lane] = {}
        self._held: deque[Lane] = deque()
        self._next_at = 0.0
        self._registrar_next_at: dict[tuple[str, int], float] = {}
        self.timer_at: float | None = None
        self.fresh_s = 0.5
        """How long a request over a stream is fresh, in seconds (T1)."""
        self.rate = 0.0
        self.registrar_rate = 0.0
        self.make: Callable[[Entry, Flow], None] = _nobody
        """Makes the request of one that was parked for a flow; must not raise."""

    def enter(self, exchange: Exchange) -> None:
        """Send a request, at once or when its turn comes."""
        lane = self._lanes.get(exchange.flow)
        if lane is None:
            lane = self._lanes[exchange.flow] = Lane(exchange.flow, self._pump)
        exchange.lane = lane
        lane.members[exchange] = None
        if (
            lane.fresh < self._window
            and not lane.waiting
            and not (lane.pumping or lane.held or self.rate or self.registrar_rate)
        ):
            # the way is clear
            self._begin(lane, exchange)
            return
        lane.waiting.append(exchange)
        if not lane.pumping:
            self._pump(lane)

    def park(self, flow: Flow, entry: Entry) -> bool:
        """Have `make` called when few requests wait for this flow, where there are many: what is
        not made yet takes no room.  Whether there are."""
        lane = self._lanes.get(flow)
        if lane is None or len(lane.waiting) < READY:
            return False
        lane.parked.append(entry)
        return True

    def unpark(self, flow: Flow) -> list[Entry]:
        """Take those out that are parked for a flow."""
        lane = self._lanes.get(flow)
        if lane is None:
            return []
        parked = list(lane.parked)
        lane.parked.clear()
        return parked

    def no_longer_fresh(self, exchange: Exchange) -> None:
        """Something was heard of a request, or it was resent: the next one may go."""
        if exchange.fresh:
            exchange.fresh = False
            lane = exchange.lane
            lane.fresh -= 1
            if lane.waiting:
                self._pump(lane)

    def leave(self, exchange: Exchange) -> None:
        """A request has ended, sent or not."""
        lane = exchange.lane
        lane.members.pop(exchange, None)
        if lane.parked:
            if len(lane.waiting) < READY:
                self._pump(lane)
            while lane.parked and not lane.members:
                # held back, and nobody else would bring it about
                self.make(lane.parked.popleft(), lane.flow)
        if not lane.members:
            if lane.timer_at is not None:
                self._timers.arm(lane, None)
            if self._lanes.get(lane.flow) is lane:
                del self._lanes[lane.flow]

    def on(self, flow: Flow) -> list[Exchange]:
        """The requests on this flow that have no final answer."""
        lane = self._lanes.get(flow)
        return [] if lane is None else list(lane.members)

    def close(self) -> None:
        """Forget them all."""
        for lane in self._lanes.values():
            lane.waiting.clear()
            lane.parked.clear()
            self._timers.arm(lane, None)
        self._lanes.clear()
        self._held.clear()
        self._timers.arm(self, None)

    def wake(self, now: float) -> None:
        """The ceiling for all allows more: one request of each flow in turn."""
        while self._held and self._next_at <= now:
            lane = self._held.popleft()
            lane.held = False
            self._pump(lane, 1)
        if self._held:
            self._timers.arm(self, self._next_at)

    # -- sending ------------------------------------------------------------------------------

    def _pump(self, lane: Lane, most: int = -1) -> None:
        """Send what waits while the window is open, not more than `most` requests (-1: any number);
        a send that fails at once comes back here."""
        if lane.pumping or lane.held:
            return
        lane.pumping = True
        waiting = lane.waiting
        try:
            parked, ceilings = lane.parked, self.rate or self.registrar_rate
            while waiting or parked:
                if parked and len(waiting) < READY:
                    self.make(parked.popleft(), lane.flow)
                    continue
                if waiting[0].over:
                    waiting.popleft()
                    continue
                if lane.fresh >= self._window and not (lane.sent and self._window_opens(lane)):
                    return
                if ceilings and not self._may_send(lane, most):
                    return
                most -= 1
                self._begin(lane, waiting.popleft())
        finally:
            lane.pumping = False

    def _begin(self, lane: Lane, exchange: Exchange) -> None:
        exchange.fresh = True
        lane.fresh += 1
        if lane.flow.reliable:
            self._note(lane, exchange)
        self._send(exchange)

    def _note(self, lane: Lane, exchange: Exchange) -> None:
        sent = lane.sent
        while sent and not sent[0].fresh:
            sent.popleft()
        sent.append(exchange)

    def _window_opens(self, lane: Lane) -> bool:
        """Whether requests over a stream have been fresh for long enough; else wait until then."""
        sent, until = lane.sent, self._clock() - self.fresh_s
        while sent and (not sent[0].fresh or sent[0].sent_at <= until):
            exchange = sent.popleft()
            if exchange.fresh:
                exchange.fresh = False
                lane.fresh -= 1
        if lane.fresh < self._window:
            return True
        if sent:
            self._timers.arm(lane, sent[0].sent_at + self.fresh_s)
        return False

    def _may_send(self, lane: Lane, most: int) -> bool:
        """Whether the ceilings allow one request more now; else wait until they do."""
        now = self._clock()
        registrar = (lane.flow.target.host, lane.flow.target.port)
        if self.registrar_rate:
            at = self._registrar_next_at.get(registrar, 0.0)
            if at > now:
                self._timers.arm(lane, at)
                return False
        if self.rate and (self._next_at > now or most == 0):
            lane.held = True
            self._held.append(lane)
            self._timers.arm(self, max(self._next_at, now))
            return False
        if self.rate:
            self._next_at = max(self._next_at, now - _BURST_S) + 1 / self.rate
        if self.registrar_rate:
            if len(self._registrar_next_at) >= _KEPT:
                self._registrar_next_at.clear()
            self._registrar_next_at[registrar] = max(at, now - _BURST_S) + 1 / self.registrar_rate
        return True
