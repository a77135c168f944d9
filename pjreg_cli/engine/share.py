"""The gate that registrations of a fleet pass: their owner alone sends, while it is trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.config.rows import of_table
from pjreg_cli.config.shards import shard_of
from pjreg_cli.engine.entry import GONE, LOCAL, Entry
from pjreg_cli.registration.policy import LEAST_MARGIN_S
from pjreg_cli.registration.state import Event, Wake

if TYPE_CHECKING:
    from pjreg_cli.config.models import Registration
    from pjreg_cli.engine.timers import Timers


class Share(Protocol):
    """What this machine has of a fleet."""

    takeover: str
    """`auto`, `refresh` or `register`."""
    margin_s: int
    """How long before its end a shared binding is refreshed, in seconds; 0: by default."""
    rate: int
    """How many REGISTERs may leave in a second, at least, that a takeover made due at once."""

    def may_send(self, shard: int) -> bool:
        """Whether requests for accounts of a shard may leave now."""
        ...

    def epoch(self, shard: int) -> int:
        """Under which we own a shard."""
        ...


class Gate:
    """Lets requests leave, and keeps those that came due while they may not."""

    def __init__(
        self, share: Share | None, timers: Timers, post: Callable[[Entry, Event], None]
    ) -> None:
        self._share = share
        self._timers = timers
        self._post = post
        self._overdue: set[Entry] = set()
        self._late: set[Entry] = set()
        self._turn_at = 0.0

    @property
    def shared(self) -> bool:
        """Whether this machine is one of a fleet."""
        return self._share is not None

    @property
    def takeover(self) -> str:
        """See `Share.takeover`."""
        return "auto" if self._share is None else self._share.takeover

    def margin_s(self, settings: Registration) -> int | None:
        """See `Share.margin_s`; None for a registration that is not shared."""
        if self._share is None or not of_table(settings.source):
            return None
        return self._share.margin_s

    def shard_of(self, settings: Registration) -> int | None:
        """The shard of a registration that is shared with other machines, None for another."""
        if self._share is None or not of_table(settings.source):
            return None
        return shard_of(settings.name)

    def assign(self, entry: Entry) -> None:
        """Note which shard a registration belongs to, if it is shared with other machines."""
        shard = self.shard_of(entry.settings)
        if self._share is not None and shard is not None:
            entry.shard = shard
            entry.written_cseq = entry.cseq
            entry.epoch = self._share.epoch(shard)

    def may_send(self, entry: Entry) -> bool:
        """Whether a request of this registration may leave now, first or again."""
        if entry.shard == LOCAL:
            return True
        if entry.shard == GONE or self._share is None:
            return False
        return self._share.may_send(entry.shard) or entry in self._late

    def passes(self, entry: Entry) -> bool:
        """Whether one that came due may go on; else it waits."""
        self._late.discard(entry)  # that was for one refresh
        if self.may_send(entry):
            return True
        if entry.shard != GONE:
            self._overdue.add(entry)
        return False

    def turn_s(self, rate: float, entry: Entry) -> float:
        """When this one of those that are overdue may send, in seconds from now, if `rate` of them
        may in each second; in a fleet its own rate counts.  Sooner where its binding would end."""
        if self._share is not None:
            rate = self._share.rate
        now = self._timers.clock()
        turn_at = max(self._turn_at + 1 / rate, now)
        if (left_s := _ends_at(entry) - now) > 0:
            turn_at = min(turn_at, now + max(left_s - LEAST_MARGIN_S, 0.0))
        self._turn_at = turn_at
        return turn_at - now

    def discard(self, entry: Entry) -> None:
        """It is not ours any more."""
        self._overdue.discard(entry)
        self._late.discard(entry)

    def go_on(self, rate: float) -> None:
        """What came due meanwhile leaves now: `rate` in a second, or as many more as it takes for
        none to end before its turn, the earliest end first."""
        now = self._timers.clock()
        waiting = sorted(self._overdue, key=_ends_at)
        self._overdue.clear()
        self._late.clear()
        for number, entry in enumerate(waiting, 1):
            left_s = _ends_at(entry) - now - LEAST_MARGIN_S
            if 0 < left_s < number / rate:
                rate = number / left_s
        for number, entry in enumerate(waiting):
            self._timers.arm(entry, now + number / rate)

    def send_late(self, within_s: float) -> int:
        """Let those refreshes go without which a binding would end within so many seconds; how many
        there were.  Whoever had taken over would have sent them long ago, with a higher CSeq."""
        now = self._timers.clock()
        ending = [one for one in self._overdue if now < _ends_at(one) <= now + within_s]
        for entry in ending:
            self._overdue.discard(entry)
            self._late.add(entry)
            self._post(entry, Wake())
        return len(ending)


def _ends_at(entry: Entry) -> float:
    """When its binding ends; that of one without is over."""
    return entry.binding.until_at if entry.binding is not None else 0.0
