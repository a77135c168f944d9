"""What falls due in the same second: spread out where it is too much; pure.

A fleet that has registered at once comes back at once, for ever, unless somebody moves a part of
it.  Refreshes only ever move to an earlier moment, other attempts to a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor

from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import Event, Outcome, Paced, Policy, State, Status

#: attempts that may fall due within one second before those that follow are moved
MOST = 100
#: of so many within one second, those that follow are due together, ten times in it: to wake up
#: for each of them costs as much as the rest
MANY = 20
_TICKS = 10
#: how far one is moved at most: this part of the time until it is due, and so many seconds
_PART = 0.2
_FARTHEST_S = 300.0
#: seconds remembered before those that are past are forgotten
_KEPT = 4096


class Pace:
    """Counts what is due when.  `fraction` draws from 0 up to 1."""

    def __init__(self, clock: Callable[[], float], fraction: Callable[[], float]) -> None:
        self._clock = clock
        self._fraction = fraction
        self._due: dict[int, int] = {}
        self._tidy_at = _KEPT

    @property
    def remembered(self) -> int:
        """For how many seconds it is known what is due."""
        return len(self._due)

    def placed(self, state: State, before: State, event: Event, policy: Policy) -> State:
        """The state after `event`, its next attempt moved where too many others are due."""
        at = state.wake_at
        if type(event) is not Outcome or at is None or state.in_flight is not None:
            return state
        moment = at
        if at != before.wake_at:
            moment = self.moment(at, refresh=state.status is Status.REGISTERED)
        return state if moment == at else react(state, Paced(moment), policy, self._clock())[0]

    def moment(self, at: float, *, refresh: bool) -> float:
        """When an attempt that wants to begin at `at` should begin."""
        second = int(at)
        due = self._due
        number = due.get(second, 0)
        if number < MOST:
            if len(due) > self._tidy_at:
                self._tidy()
            self._due[second] = number + 1
            return at if number < MANY else _together(at, refresh)
        now = self._clock()
        # out of the second that is full
        room_s = max(0.0, min((at - now) * _PART, _FARTHEST_S) - 1)
        away_s = min(1.0, room_s) + self._fraction() * room_s
        moved = at - away_s if refresh else at + away_s
        second = int(moved)
        due[second] = due.get(second, 0) + 1
        return _together(moved, refresh)

    def _tidy(self) -> None:
        """Forget what is past; where most is not, wait until there is twice as much."""
        now = self._clock()
        self._due = {second: number for second, number in self._due.items() if second >= now - 1}
        self._tidy_at = max(_KEPT, 2 * len(self._due))


def _together(at: float, refresh: bool) -> float:
    """The moment next to `at` that is shared with others."""
    return (floor if refresh else ceil)(at * _TICKS) / _TICKS
