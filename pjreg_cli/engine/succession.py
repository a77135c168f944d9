"""Who takes whose place, and must not lose its binding to the other's farewell.

A section that was changed, renamed or moved registers when what it was before has unregistered
(RFC 3261 section 10.2).  They are known by AOR, registrar and user of Contact, not by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from pjreg_cli.errors import SipParseError
from pjreg_cli.registration.route import Place, place_of
from pjreg_cli.registration.state import Flight

if TYPE_CHECKING:
    from pjreg_cli.engine.entry import Attempt, Entry
    from pjreg_cli.engine.timers import Timers

#: how long the first request of a successor waits for its predecessor's end, in seconds: as long as
#: a request may go unanswered
LONGEST_S = 32.0


Begin = Callable[["Entry", "Attempt"], None]
"""Goes on with an attempt that has waited."""


class Hold:
    """An attempt that waits for somebody else to leave."""

    __slots__ = ("attempt", "begin", "entry", "timer_at")

    def __init__(self, entry: Entry, attempt: Attempt, begin: Begin) -> None:
        self.entry = entry
        self.attempt = attempt
        self.begin = begin
        self.timer_at: float | None = None

    def wake(self, now: float) -> None:
        """It has waited long enough."""
        self.let_go()

    def let_go(self) -> None:
        """Go on, unless something else has begun."""
        if self.entry.attempt is self.attempt and self.attempt.tried < 0:
            self.begin(self.entry, self.attempt)


class Succession:
    """Where every registration has its binding, and who waits for whom.

    `leaving` are those that take their bindings off.
    """

    def __init__(self, timers: Timers, leaving: Collection[Entry]) -> None:
        self._timers = timers
        self._leaving = leaving
        self._placed: dict[int, Entry | tuple[Entry, ...]] = {}
        """By the hash of a place: nearly always one at each, and to keep the places themselves
        would take a twentieth of all memory."""
        self._held: dict[Entry, list[Hold]] = {}

    def enter(self, entry: Entry) -> None:
        """A registration was made."""
        if (place := _place(entry)) is not None:
            key = hash(place)
            there = self._hashed(key)
            self._placed[key] = (*there, entry) if there else entry

    def left(self, entry: Entry) -> list[Entry]:
        """A registration has ended: what waited for it goes on.  Those whose bindings its farewell
        has taken along, as it was answered after they had been made."""
        robbed = self._robbed(entry)
        if (place := _place(entry)) is not None:
            key = hash(place)
            others = tuple(one for one in self._hashed(key) if one is not entry)
            if others:
                self._placed[key] = others
            else:
                self._placed.pop(key, None)
        for hold in self._held.pop(entry, ()):
            self._timers.arm(hold, None)
            hold.let_go()
        return robbed

    def holds(self, entry: Entry, attempt: Attempt, begin: Begin) -> bool:
        """Whether the attempt has to wait for a predecessor; `begin` is called when that has left,
        or has taken too long."""
        if not self._leaving or not attempt.expires_s:
            return False
        place = _place(entry)
        there = self._at(place) if place is not None else ()
        before = next((one for one in there if one in self._leaving and one is not entry), None)
        if before is None:
            return False
        now = self._timers.clock()
        if attempt.held_until is None:
            attempt.held_until = now + LONGEST_S
        if now >= attempt.held_until:
            return False
        hold = Hold(entry, attempt, begin)
        self._held.setdefault(before, []).append(hold)
        self._timers.arm(hold, attempt.held_until)
        return True

    def _hashed(self, key: int) -> tuple[Entry, ...]:
        there = self._placed.get(key, ())
        return there if isinstance(there, tuple) else (there,)

    def _at(self, place: Place) -> Iterator[Entry]:
        """Those at a place."""
        return (one for one in self._hashed(hash(place)) if _place(one) == place)

    def _robbed(self, left: Entry) -> list[Entry]:
        place, farewell = _place(left), left.evidence()
        if place is None or farewell is None or farewell.method != Flight.UNREGISTER.value:
            return []
        return [
            one
            for one in self._at(place)
            if one is not left
            and one not in self._leaving
            and (evidence := one.evidence()) is not None
            and farewell.at >= evidence.at
            and (one.binding is None or one.binding.contact in left.taken_off)
        ]


def _place(entry: Entry) -> Place | None:
    """Where a registration has its binding; None when its URIs are none."""
    try:
        return place_of(entry.settings)
    except SipParseError:
        return None
