"""Connections that have gone silent, told from accounts that are.

A request over a stream that is not answered proves little: the registrar may not like this one
account, and to close the connection would hurt all others on it.  So anything that is heard counts.
Where nothing is, the connection is asked (RFC 5626 section 4.4.1), and given up where it does not
answer although it has answered such questions before, or where accounts that were served over it
are not any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.exchange import Exchange
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.flow import Flow, Link

#: how long nothing may be heard after a request before the connection is asked, and how long its
#: answer may take, in seconds
PATIENCE_S = 10.0


class _Watched:
    """A flow on which an answer is awaited."""

    __slots__ = ("_woken", "asked", "asked_at", "flow", "timer_at")

    def __init__(self, flow: Flow, woken: Callable[[_Watched, float], None]) -> None:
        self.flow = flow
        self.timer_at: float | None = None
        self.asked: Link | None = None
        """The connection that was asked."""
        self.asked_at = 0.0
        self._woken = woken

    def wake(self, now: float) -> None:
        """Look whether something was heard."""
        self._woken(self, now)


class Silence:
    """Watches flows.  `waiting` gives the requests on one that have no final answer, `served` the
    registrations whose binding was made over it."""

    def __init__(
        self,
        timers: Timers,
        waiting: Callable[[Flow], Sequence[Exchange]],
        served: Callable[[Flow], Collection[Entry]],
    ) -> None:
        self._timers = timers
        self._waiting = waiting
        self._served = served
        self._watched: dict[Flow, _Watched] = {}

    def watch(self, flow: Flow) -> None:
        """A request was sent over a stream."""
        if flow not in self._watched:
            watched = self._watched[flow] = _Watched(flow, self._look)
            self._timers.arm(watched, self._timers.clock() + PATIENCE_S)

    def timed_out(self, flow: Flow) -> None:
        """A request was not answered in time: a connection that has never said a word is closed, so
        that the next attempt makes another; one that has gone silent is watched."""
        link = flow.link
        if link is not None and not link.spoke and not self._served(flow):
            link.give_up("nothing was ever heard")

    def close(self) -> None:
        """Watch nothing any more."""
        for watched in self._watched.values():
            self._timers.arm(watched, None)
        self._watched.clear()

    def _look(self, watched: _Watched, now: float) -> None:
        flow, link = watched.flow, watched.flow.link
        waiting = [one for one in self._waiting(flow) if one.transaction is not None]
        asked, watched.asked = watched.asked, None
        if not waiting:
            del self._watched[flow]
            return
        if link is not None and link.spoke:
            if asked is link and link.heard_at < watched.asked_at and self._is_dead(link, waiting):
                del self._watched[flow]
                link.give_up(f"nothing was heard for {now - link.heard_at:.0f} s")
                return
            if any(_unheard(one, link) and one.sent_at + PATIENCE_S <= now for one in waiting):
                link.ping()
                watched.asked, watched.asked_at = link, now
        due_at = [one.sent_at + PATIENCE_S for one in waiting if one.sent_at + PATIENCE_S > now]
        self._timers.arm(watched, min(due_at) if due_at and not watched.asked else now + PATIENCE_S)

    def _is_dead(self, link: Link, waiting: Sequence[Exchange]) -> bool:
        """Whether a connection that was asked and said nothing is of no more use."""
        if link.ponged:
            return True
        served = set(self._served(waiting[0].flow))
        unheard = {one.entry for one in waiting if _unheard(one, link)}
        # one alone may have fallen from grace while the others have nothing to ask
        return served <= unheard or len(served & unheard) > 1


def _unheard(exchange: Exchange, link: Link) -> bool:
    """Whether nothing at all came in since this request was sent."""
    return link.heard_at <= exchange.sent_at and link.made_at <= exchange.sent_at
