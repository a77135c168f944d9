"""The collector of cycles, kept from walking through a fleet that is no garbage.

Of fifty thousand registrations it would walk through a million objects, and the event loop would
stand still for half a second.  What a fleet consists of is set aside once it is made: it is freed
as ever when nothing refers to it any more, but no longer searched.  What comes later is searched
while it is young, a few milliseconds at a time, and all of it as seldom as that takes long.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from pjreg_cli.hurry import HURRY

#: objects made but not freed before the young are looked through, and how often that before the
#: older ones are; those that have outlived this are left to `Sweep`
THRESHOLDS = (2_000, 1, 1_000_000_000)
#: seconds between two searches through everything at least and at most, and how many times as long
#: as a search takes: half a second every fourteen hours, a millisecond every two minutes
LEAST_S = 120.0
MOST_S = 86_400.0
TIMES = 100_000
#: registrations, or responses within so many seconds, that are many
MANY = 300
LOOK_S = 0.5


class Handle(Protocol):
    """What waits to be called."""

    def cancel(self) -> None:
        """Do not call it."""
        ...


def tune() -> None:
    """For a process that holds a fleet: collect a little at a time; from now on, if the start went
    without: what it has loaded stays."""
    gc.set_threshold(*THRESHOLDS)
    set_aside()
    gc.enable()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Collect nothing while much is made that is to stay, and set it aside then.

    What is being filled with tens of thousands of values is walked through whole, as long as it is
    young, whenever somebody makes a few more.  The thread that does it hands the interpreter over
    as soon as the event loop asks for it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with HURRY.threads_step_aside():
            yield
    finally:
        set_aside()
        if collecting:
            gc.enable()


def set_aside() -> None:
    """All that there is now stays: do not search it again."""
    gc.freeze()


class Sweep:
    """Searches through everything now and then; `call_later` takes seconds, as `clock` gives."""

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], Handle],
        clock: Callable[[], float],
    ) -> None:
        self._call_later = call_later
        self._clock = clock
        self._handle = call_later(LEAST_S, self._run)

    def close(self) -> None:
        """Search no more."""
        self._handle.cancel()

    def _run(self) -> None:
        begun_at = self._clock()
        gc.collect()
        took_s = self._clock() - begun_at
        self._handle = self._call_later(min(max(LEAST_S, TIMES * took_s), MOST_S), self._run)


class Rush:
    """Nothing is searched while many registrations begin or end, thousands a second: what is made
    for them is no garbage, as it makes no cycles, and would all be walked through twice.

    `call_later` takes seconds; `answered` counts responses, from any beginning; `pending` tells how
    many registrations wait for their first outcome, or for their last.
    """

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], Handle],
        answered: Callable[[], int],
        pending: Callable[[], int],
    ) -> None:
        self._call_later = call_later
        self._answered = answered
        self._pending = pending
        self._before = (0, 0)
        self._resting = False
        self._handle: Handle | None = None

    def begin(self, many: int) -> None:
        """So many are about to begin or to end; few are nothing to rest for."""
        if many >= MANY and self._handle is None:
            self._before = (self._answered(), self._pending())
            self._rest(True)
            self._handle = self._call_later(LOOK_S, self._look)

    def close(self) -> None:
        """Look no more; the collector goes on."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self._rest(False)

    def _look(self) -> None:
        self._handle = None
        before, self._before = self._before, (self._answered(), self._pending())
        moved = sum(abs(now - then) for now, then in zip(self._before, before, strict=True))
        pending = self._before[1]
        self._rest(moved >= MANY and pending > 0)
        if pending >= MANY or self._resting:
            self._handle = self._call_later(LOOK_S, self._look)

    def _rest(self, resting: bool) -> None:
        if resting or self._resting:
            set_aside()
            (gc.disable if resting else gc.enable)()
        self._resting = resting
