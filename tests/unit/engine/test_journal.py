"""What has changed is gathered, and told as it is by then."""

from __future__ import annotations

from collections.abc import Iterable

from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.engine.bindings import Binding
from pjreg_cli.engine.entry import Entry
from pjreg_cli.engine.journal import GATHER_S, Journal, identity_of, resumable_of
from pjreg_cli.registration.state import Flight, State, Status
from tests.support.clock import VirtualLoop
from tests.support.registrations import entry, registration


class Kept:
    """A keeper in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Resumable] = {}
        self.writes = 0

    def remember(self, rows: Iterable[Resumable]) -> None:
        self.writes += 1
        self.rows.update((row.name, row) for row in rows)

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            self.rows.pop(name, None)


def test_marks_of_a_moment_are_told_together_as_they_are_by_then() -> None:
    loop, kept = VirtualLoop(), Kept()
    try:
        journal = Journal(kept, loop)
        alice, bob = entry("alice"), entry("bob")
        journal.mark(alice)
        journal.mark(bob)
        alice.cseq = 9
        assert kept.rows == {}
        loop.call_later(2 * GATHER_S, loop.stop)
        loop.run_forever()
        assert kept.writes == 1
        assert kept.rows["alice"].cseq == 9
        journal.drop("bob")
        journal.flush()
        assert set(kept.rows) == {"alice"}
        journal.flush()
        assert kept.writes == 2
    finally:
        loop.close()


def test_all_are_told_anew_a_few_at_a_time_but_who_has_left() -> None:
    loop, kept = VirtualLoop(), Kept()
    try:
        journal = Journal(kept, loop)
        entries = {name: entry(name) for name in map(str, range(120))}
        job = journal.every(entries)
        next(job)
        del entries["119"]
        for _ in job:
            pass
        journal.flush()
        assert set(kept.rows) == set(entries)
        assert kept.writes == 3
    finally:
        loop.close()


def registered() -> Entry:
    one = entry()
    one.state = State(Status.REGISTERED, wake_at=150.0)
    one.binding = Binding("sip:s@192.0.2.1", 60, 160.0)
    return one


def test_times_are_told_as_seconds_left() -> None:
    row = resumable_of(registered(), 100.0)
    assert (row.refresh_in_s, row.expires_in_s, row.granted_s) == (50.0, 60.0, 60)
    assert (row.status, row.contact) == ("registered", "sip:s@192.0.2.1")


def test_what_is_under_way_is_due_to_a_successor() -> None:
    one = registered()
    one.state = one.state._replace(wake_at=None, in_flight=Flight.REGISTER)
    assert resumable_of(one, 100.0).refresh_in_s == 0.0


def test_a_section_that_only_moved_is_the_same() -> None:
    assert identity_of(registration()) == identity_of(registration(source="other.conf:9"))
    assert identity_of(registration()) != identity_of(registration(contact_user="x"))
