"""Events on their way to the sessions: gathered briefly, written once for all who see the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from pjreg_cli.ami import codec, events
from pjreg_cli.ami.session import Session
from pjreg_cli.api.notices import Notice, Settled
from pjreg_cli.config.eventfilter import DETAIL, QUIET, Filters

#: how long events are gathered for each session there is, in seconds: many of them cost one write
GATHER_S = 0.0002
#: how long at most
LONGEST_GATHER_S = 0.05


class Broadcast:
    """Notices in, events out; the sender never waits."""

    def __init__(
        self,
        sessions: Callable[[], Collection[Session]],
        wall_clock: Callable[[], float],
        detail: bool,
    ) -> None:
        self._sessions = sessions
        self._wall_clock = wall_clock
        self._batch: list[tuple[Settled | events.Event, float | None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self.stamped = False
        """Whether events carry a Timestamp (`timestampevents`)."""
        self.detail = detail
        """Whether everybody gets RegistryDetail."""

    def tell(self, notice: Notice) -> None:
        """Take note of what has happened; called on the event loop."""
        if isinstance(notice, Settled):
            self._gather(notice)
        else:
            self.send(*events.of(notice))

    def send(self, *found: events.Event) -> None:
        """Have events told."""
        for event in found:
            self._gather(event)

    def _gather(self, what: Settled | events.Event) -> None:
        if not self._sessions():
            return
        self._batch.append((what, self._wall_clock() if self.stamped else None))
        if self._timer is None:
            gather_s = min(LONGEST_GATHER_S, GATHER_S * len(self._sessions()))
            self._timer = asyncio.get_running_loop().call_later(gather_s, self.flush)

    def flush(self) -> None:
        """Hand out what was gathered, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gathered, self._batch = self._batch, []
        if not gathered:
            return
        batch = self._due(gathered)
        made: dict[tuple[int, int], bytes] = {}
        for session in tuple(self._sessions()):
            mask = session.read_mask & session.send_mask
            key = (mask, id(session.filters))
            if key not in made:
                made[key] = self._seen(batch, mask, session.filters)
            if made[key]:
                session.deliver(made[key])

    def _due(self, gathered: list[tuple[Settled | events.Event, float | None]]) -> list[_Due]:
        """What was gathered as events; who wants details is asked once for all of them."""
        filters = {id(one.filters): one.filters for one in self._sessions()}
        detail = self.detail or any(one.wants(DETAIL) for one in filters.values())
        batch = []
        for what, stamp in gathered:
            found = events.of(what, detail=detail) if isinstance(what, Settled) else (what,)
            batch += [_Due(event, stamp) for event in found]
        return batch

    def _seen(self, batch: list[_Due], mask: int, filters: Filters) -> bytes:
        told = [one for one in QUIET if filters.wants(one)] + [DETAIL] * self.detail
        return codec.to_bytes(
            "".join(
                [
                    due.text
                    for due in batch
                    if due.event.mask & mask == due.event.mask
                    and (due.event.name not in QUIET or due.event.name in told)
                    and filters.passes(due.event.name, due.text)
                ]
            )
        )


class _Due:
    """An event that is due, put into words when the first one wants to see it."""

    __slots__ = ("_stamp", "_text", "event")

    def __init__(self, event: events.Event, stamp: float | None) -> None:
        self.event = event
        self._stamp = stamp
        self._text = ""

    @property
    def text(self) -> str:
        """The whole message."""
        if not self._text:
            self._text = self.event.text(self._stamp)
        return self._text
