"""What has changed is gathered, and told as it is by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from hashlib import blake2b
from typing import Any

import pytest

from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.engine.bindings import Binding
from pjreg_cli.engine.entry import Entry
from pjreg_cli.engine.journal import GATHER_S, Journal, identity_of, resumable_of
from pjreg_cli.engine.settled import Course
from pjreg_cli.registration.state import Flight, State, Status
from pjreg_cli.sip.locate import Target
from tests.support.clock import VirtualLoop
from tests.support.registrations import entry, registration

COURSE = Course("register", 200, "Fine", "answered", "granted", "", "198.51.100.1:9", 60, False, ())


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
    one.binding = Binding("sip:s@192.0.2.1", 60, 100.0)
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


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"name": "it's", "contact_user": 'a"b', "client_uri": "sip:\\x00\x00, 'b']@c"},
        {"outbound_auth": ("a", "b"), "expiration": 60, "line": True, "endpoint": "e"},
        {"server_uri": "sip:\xe9\udcff", "transport": "\0"},
    ],
)
def test_an_identity_is_the_same_for_every_version_of_the_program(options: dict[str, Any]) -> None:
    """Any: each option has its own type.  Who compares may have it from an earlier run, or from
    another machine of its fleet."""
    one = registration(**options)
    names = sorted(field.name for field in fields(one) if field.name != "source")
    text = repr([getattr(one, name) for name in names])
    expected = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8)
    assert identity_of(one) == expected.digest()


def test_all_that_a_successor_needs_is_told_under_its_name() -> None:
    one = registered()
    one.call_id, one.cseq, one.line, one.shard, one.epoch = "c", 7, "l", 3, 4
    one.state = one.state._replace(retries=5, requested_s=6)
    one.granted_by = Target("udp", "192.0.2.9", 5060, "example.com")
    one.course = COURSE
    row = resumable_of(one, 100.0)
    assert row == Resumable(
        name=one.name,
        identity="c18b67fc95bfffe3",
        call_id="c",
        cseq=7,
        status="registered",
        line="l",
        contact="sip:s@192.0.2.1",
        target="udp:192.0.2.9:5060",
        received="198.51.100.1:9",
        retries=5,
        requested_s=6,
        granted_s=60,
        expires_in_s=60.0,
        refresh_in_s=50.0,
        code=200,
        reason="Fine",
        shard=3,
        epoch=4,
    )
    assert row.identity == identity_of(one.settings).hex()
