"""Which registrations have changed since what they would go on with was last written down.

Whatever happens to a registration marks it; a moment later the marked ones are handed over
together, as they are by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.config.models import Registration
from pjreg_cli.engine.settled import as_text
from pjreg_cli.registration.state import Flight, Status

if TYPE_CHECKING:
    import asyncio

    from pjreg_cli.engine.entry import Entry

#: how long marks are gathered, in seconds
GATHER_S = 0.2
#: how many of all are handed over in one go
_FEW = 50
#: the options of a section, in an order that stays
_NAMES = sorted(one.name for one in fields(Registration) if one.name != "source")
#: those that each section of a fleet has for itself; the others most have in common
_OWN = ("client_uri", "contact_user", "name")
_own = attrgetter(*_OWN)
_common = attrgetter(*(name for name in _NAMES if name not in _OWN))
#: by a dictionary, as `Enum.value` takes ten times as long
_STATUS = {status: status.value for status in Status}


class Keeper(Protocol):
    """Where states are written; never waits, and never raises."""

    def remember(self, rows: Iterable[Resumable]) -> None:
        """Keep these, each in place of what was kept of it."""
        ...

    def forget(self, names: Iterable[str]) -> None:
        """Keep nothing of these."""
        ...


class Journal:
    """Gathers what has changed for a `Keeper`."""

    def __init__(self, keeper: Keeper, loop: asyncio.AbstractEventLoop) -> None:
        self._keeper = keeper
        self._loop = loop
        self._marked: dict[str, Entry | None] = {}
        self._handle: asyncio.TimerHandle | None = None

    def mark(self, entry: Entry) -> None:
        """It has changed."""
        self._note(entry.name, entry)

    def drop(self, name: str) -> None:
        """Nothing goes on under this name."""
        self._note(name, None)

    def every(self, entries: Mapping[str, Entry]) -> Iterator[None]:
        """A job that hands all of them over, a few at a time."""
        for number, entry in enumerate(list(entries.values()), 1):
            if entries.get(entry.name) is entry:
                self._note(entry.name, entry)
            if number % _FEW == 0:
                self.flush()
            yield

    def flush(self) -> None:
        """Hand over everything now."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        marked, self._marked = self._marked, {}
        if not marked:
            return
        now = self._loop.time()
        self._keeper.remember(
            resumable_of(entry, now) for entry in marked.values() if entry is not None
        )
        self._keeper.forget(name for name, entry in marked.items() if entry is None)

    def _note(self, name: str, entry: Entry | None) -> None:
        self._marked[name] = entry
        if self._handle is None:
            self._handle = self._loop.call_later(GATHER_S, self._ring)

    def _ring(self) -> None:
        self._handle = None
        self.flush()


def resumable_of(entry: Entry, now: float) -> Resumable:
    """What a successor of `entry` goes on with, at `now` of the loop's clock."""
    state, course, contact = entry.state, entry.course, entry.contact
    due_s = None if state.wake_at is None else state.wake_at - now
    if state.in_flight is Flight.REGISTER or state.register_due:
        due_s = 0.0
    if entry.identity is None:
        entry.identity = identity_of(entry.settings)
    # in the order of the fields: a call by their names takes thrice as long
    return Resumable(
        entry.name,
        entry.identity.hex(),
        entry.call_id,
        entry.cseq,
        _STATUS[state.status],
        entry.line,
        contact or "",
        "" if entry.granted_by is None else as_text(entry.granted_by),
        "" if course is None else course.received,
        state.retries,
        state.requested_s,
        0 if contact is None else entry.bound_s,
        None if contact is None else entry.bound_at + entry.bound_s - now,
        due_s,
        0 if course is None else course.code,
        "" if course is None else course.reason,
        entry.shard if entry.shard > 0 else 0,
        entry.epoch,
    )


def identity_of(settings: Registration) -> bytes:
    """Tells a section from any other form of it; where it stands does not matter.

    It outlives the program: what it is made of is the `repr` of the list of all options.
    """
    start, then, next_, end = _around(_common(settings))
    uri, user, name = _own(settings)
    text = f"{start}{uri!r}{then}{user!r}{next_}{name!r}{end}"
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()


@lru_cache(maxsize=256)
def _around(common: tuple[object, ...]) -> tuple[str, ...]:
    """What stands before, between and behind the options that a section has for itself."""
    values = iter(common)
    items = ("\0" if name in _OWN else repr(next(values)) for name in _NAMES)
    return tuple(f"[{', '.join(items)}]".split("\0"))
