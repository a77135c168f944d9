"""What is read again when a database says that its tables have changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pjreg_cli.config.settings import Settings
from pjreg_cli.config.table_notifications import EVERYTHING, Told, told


@pytest.mark.parametrize(
    ("payloads", "meant"),
    [
        (("shards 7,12",), Told(frozenset({7, 12}), frozenset())),
        (("shards 7", "shards 9"), Told(frozenset({7, 9}), frozenset())),
        (("auths a,b", "shards 7"), Told(frozenset({7}), frozenset({"a", "b"}))),
        (("auths *", "auths a"), Told(frozenset(), None)),
        (("auths a", "auths *"), Told(frozenset(), None)),
        (("shards 7", "*"), EVERYTHING),
        (("",), EVERYTHING),
        (("shards",), EVERYTHING),
        (("shards x",), EVERYTHING),
        (("auths ",), EVERYTHING),
    ],
)
def test_what_notifications_say(payloads: tuple[str, ...], meant: Told) -> None:
    assert told(payloads) == meant


def test_only_a_machine_of_a_fleet_that_has_read_all_reads_less() -> None:
    alone = Settings(directory=Path(), path=Path())
    some = Told(frozenset({7}), frozenset())
    assert some.within(alone) is alone
    shared = replace(alone, shards=frozenset({7, 8}))
    assert some.within(shared).fresh == frozenset({7})
    assert some.within(shared).stale == frozenset()
    unread = replace(shared, unread=True)
    assert some.within(unread) is unread
