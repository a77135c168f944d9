"""What it costs to be able to tell why: bytes for each registration, and bounds for a fleet."""

from __future__ import annotations

import sys

import pytest

from pjreg_cli.api.notices import Notice, Settled
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.record import RECENT, Record
from pjreg_cli.instance.history import KEPT, Memory, row_of
from pjreg_cli.registration.state import Status
from tests.loop.test_soak import DAY_S
from tests.support.manual_loop import ManualLoop
from tests.support.many import many

#: bytes a registration may remember for explanations
MOST = 384
GRANTED_S = 12 * 3_600


def size(record: Record) -> int:
    """The bytes of a record that it shares with nobody."""
    own: list[object] = [Record(), record.instants, record.past, *record.past.earlier]
    own += [record.changed_at, record.granted_at, record.past.lost_at]
    return sum(map(sys.getsizeof, own))


def day(count: int) -> tuple[Fleet, Memory, int]:
    """A day of so many registrations; the fleet, its history, and how many attempts there were."""
    loop, memory, told = ManualLoop(), Memory(), 0

    def publish(notice: Notice) -> None:
        nonlocal told
        if isinstance(notice, Settled):
            told += 1
            memory.record([row_of(notice)])

    fleet = many(loop, count, publish, GRANTED_S, 600)
    loop.run_until(DAY_S)
    return fleet, memory, told


def judge(count: int) -> None:
    fleet, memory, told = day(count)
    assert told >= 2 * count
    sizes = [size(entry) for entry in fleet.entries.values()]
    assert all(entry.state.status is Status.REGISTERED for entry in fleet.entries.values())
    assert max(sizes) <= MOST, max(sizes)
    courses = {id(entry.course) for entry in fleet.entries.values()}
    assert len(courses) < count / 10, "what is the same for most of a fleet is shared"
    assert len(fleet.attempts.exchanges.messages) <= RECENT
    assert len(memory.history("t1", KEPT)) <= KEPT
    assert memory.count <= KEPT


def test_a_day_of_some_registrations_leaves_few_bytes_each() -> None:
    judge(200)


@pytest.mark.exhaustive
@pytest.mark.timeout(300)
def test_a_day_of_ten_thousand_registrations_leaves_few_bytes_each() -> None:
    judge(10_000)
