"""Events on their way to the sessions: gathered briefly, written once for all who see the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from pjreg_cli.ami import codec, events
from pjreg_cli.ami.eventfilter import DETAIL, Filters
from pjreg_cli.ami.session import Session
from pjreg_cli.port import Notice

#: how long events are gathered, in seconds: a thousand in one go cost each session one write
GATHER_S = 0.01


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
        self._batch: list[tuple[events.Event, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self.stamped = False
        """Whether events carry a Timestamp (`timestampevents`)."""
        self.detail = detail
        """Whether everybody gets RegistryDetail."""

    def tell(self, notice: Notice) -> None:
        """Take note of what has happened; called on the event loop."""
        found = events.of(notice)
        if not found or not self._sessions():
            return
        stamp = self._wall_clock() if self.stamped else None
        self._batch += [(event, event.text(stamp)) for event in found]
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.flush)

    def flush(self) -> None:
        """Hand out what was gathered, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._batch = self._batch, []
        if not batch:
            return
        made: dict[tuple[int, int], bytes] = {}
        for session in tuple(self._sessions()):
            mask = session.read_mask & session.send_mask
            key = (mask, id(session.filters))
            if key not in made:
                made[key] = self._seen(batch, mask, session.filters)
            if made[key]:
                session.deliver(made[key])

    def _seen(self, batch: list[tuple[events.Event, str]], mask: int, filters: Filters) -> bytes:
        detail = self.detail or filters.wants_detail
        return codec.to_bytes(
            "".join(
                [
                    text
                    for event, text in batch
                    if event.mask & mask == event.mask
                    and (detail or event.name != DETAIL)
                    and filters.passes(event.name, text)
                ]
            )
        )
