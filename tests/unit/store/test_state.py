"""What a state file keeps, and what it costs when it cannot."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.store import state, state_file
from pjreg_cli.store.schema import VERSION
from pjreg_cli.store.state import Store
from pjreg_cli.store.state_file import BOTH, FROM, HistoryRow, Written
from tests.support.clock import ManualClock
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is tried again at once."""
    monkeypatch.setattr(state, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "state.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    one = Store.open(path, ManualClock(1000.0))
    yield one
    one.close()


def attempt(number: int, name: str = "alice") -> HistoryRow:
    return HistoryRow(name, float(number), "attempt", "Registered", 200, "answered", {"n": number})


def kept(*lines: HistoryRow) -> list[Written]:
    """Lines as rows of their own, as they are recorded."""
    return [(*line[:6], state_file.as_json(line.facts)) for line in lines]


def resumable(name: str = "alice", **more: Any) -> Resumable:
    """Any: each field has its own type."""
    values: dict[str, Any] = {
        "name": name, "identity": "i", "call_id": "c", "cseq": 7, "status": "registered",
        "granted_s": 3600, "expires_in_s": 3600.0, "refresh_in_s": 3590.0, **more,
    }  # fmt: skip
    return Resumable(**values)


def test_history_comes_back_in_order_without_an_instance(store: Store, path: Path) -> None:
    store.record(kept(*map(attempt, range(5))))
    store.record(kept(attempt(9, "bob"), HistoryRow("alice", 6.0, "transition", "Rejected")))
    assert store.flush()
    store.close()
    assert state_file.history(path, "alice", 3) == [
        attempt(3),
        attempt(4),
        HistoryRow("alice", 6.0, "transition", "Rejected"),
    ]
    assert state_file.history(path, "alice", 2, "attempt") == [attempt(3), attempt(4)]
    assert state_file.history(path, "nobody", 9) == []


def test_old_attempts_make_room(store: Store, path: Path) -> None:
    for n in range(200):
        store.record(kept(attempt(n)))
        if n % 20 == 0:
            assert store.flush()
    assert store.flush()
    found = state_file.history(path, "alice", 1000)
    assert found[-1] == attempt(199)
    assert len(found) < state_file.KEPT["attempt"] + 60


def test_resumable_counts_what_is_left_from_now(store: Store, path: Path) -> None:
    store.remember([resumable(), resumable(cseq=9), resumable("bob")])
    store.forget(["bob"])
    assert store.flush()
    found = state_file.resumable(path, 1100.0)
    assert found == {"alice": resumable(cseq=9, expires_in_s=3500.0, refresh_in_s=3490.0)}


def test_everything_a_restart_goes_on_with_comes_back(store: Store, path: Path) -> None:
    texts = {name: f"the {name}" for name in ("identity", "call_id", "status", "line", "contact")}
    texts |= {name: f"the {name}" for name in ("target", "received", "reason")}
    row = resumable(**texts, cseq=11, retries=12, requested_s=13, granted_s=9000, code=14)
    store.remember([row])
    assert store.flush()
    assert state_file.resumable(path, 1000.0) == {"alice": row}


def test_a_clock_that_was_set_back_leaves_no_more_than_was_granted(
    store: Store, path: Path
) -> None:
    store.remember([resumable()])
    assert store.flush()
    found = state_file.resumable(path, -86400.0)["alice"]
    assert (found.expires_in_s, found.refresh_in_s) == (3600.0, 3600.0)


def test_what_is_no_database_is_put_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_text("this is no database" * 100)
    store = Store.open(path)
    store.record(kept(attempt(1)))
    assert not store.flush()
    assert "kept as" in store.trouble
    store.close(5.0)
    assert path.with_name(path.name + ".broken").read_text().startswith("this is")
    again = Store.open(path)
    again.record(kept(attempt(2)))
    assert again.flush()
    again.close()
    assert "registrations go on" in caplog.text


def test_a_file_of_a_newer_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    store = Store.open(path)
    store.record(kept(attempt(1)))
    assert not store.flush()
    assert "newer program" in store.trouble
    store.close()
    assert state_file.history(path, "alice", 1) == []


def test_a_place_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    store = Store.open(tmp_path / "file" / "state.sqlite3", room=3)
    store.record(kept(*map(attempt, range(5))))
    assert not store.flush()
    assert store.lost == 2
    store.record(kept(attempt(6)))
    store.close()
    assert store.lost == 3
    assert caplog.text.count("cannot be written") == 1
    assert "6 lines of history were lost" in caplog.text


@pytest.mark.exhaustive
def test_a_locked_file_is_written_when_it_is_free_again(path: Path, store: Store) -> None:
    store.record(kept(attempt(1)))
    assert store.flush()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.record(kept(attempt(2)))
        assert not store.flush(5.0)
        assert "locked" in store.trouble
        other.execute("COMMIT")
    store.close(10.0)
    assert state_file.history(path, "alice", 9) == [attempt(1), attempt(2)]


def _removed(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    os.truncate(path, 0)


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    store = Store.open(other, ManualClock(1000.0))
    store.remember([resumable("mallory")])
    assert store.flush()
    store.close()
    os.replace(other, path)


@pytest.mark.parametrize("happens", [_removed, _emptied, _replaced])
def test_a_file_begun_anew_gets_all_that_is_still_true(
    path: Path, store: Store, happens: Callable[[Path], None]
) -> None:
    # as an engine does, which alone knows of whom nothing has changed
    anew: list[str] = []

    def remember() -> None:
        anew.append("told")
        store.remember([resumable("alice"), resumable("bob")])

    store.begun_anew = remember
    store.remember([resumable("alice"), resumable("bob")])
    assert store.flush()
    assert anew == []
    happens(path)
    store.record(kept(attempt(1)))
    until(lambda: anew == ["told"], "the engine is asked")
    assert store.flush()
    assert {"alice", "bob"} <= store.resumable().keys()
    assert state_file.history(path, "alice", 9) == [attempt(1)]


def test_the_last_lines_go_into_a_new_file_where_the_old_one_is_gone(path: Path) -> None:
    store = Store.open(path, ManualClock(1000.0))
    store.record(kept(attempt(1)))
    assert store.flush()
    path.unlink()
    store.record(kept(attempt(2)))
    store.close(5.0)
    assert state_file.history(path, "alice", 9) == [attempt(2)]


def test_that_the_file_is_gone_is_noticed_before_something_happens(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "_LOOK_EVERY_S", 0.01)
    store = Store.open(path, ManualClock(1000.0))
    store.begun_anew = lambda: store.remember([resumable("alice")])
    store.remember([resumable("alice")])
    assert store.flush()
    path.unlink()
    until(lambda: "alice" in store.resumable(), "it is written again")
    store.close()


def test_only_its_owner_may_read_it(store: Store, path: Path) -> None:
    store.record(kept(attempt(1)))
    assert store.flush()
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(path.parent).st_mode & 0o777 == 0o700


def test_any_number_of_lines_is_written_in_order(store: Store, path: Path) -> None:
    written = [attempt(number, f"t{number}") for number in range(1111)]
    store.record(kept(*written))
    assert store.flush()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, at FROM history ORDER BY id").fetchall()
    assert found == [(row.name, row.at) for row in written]


def test_what_a_line_tells_may_be_any_json(store: Store, path: Path) -> None:
    facts = {"list": [1, "two", None], "true": True, "one": 1, "text": "ä"}
    store.record(kept(*(attempt(1)._replace(facts=more) for more in (facts, {"one": 1.0}))))
    assert store.flush()
    assert [row.facts for row in state_file.history(path, "alice", 2)] == [facts, {"one": 1.0}]


def change(at: float, word: str, old: str) -> tuple[Written, list[HistoryRow]]:
    """An attempt and what it has changed: the row that is recorded, and its lines."""
    facts: dict[str, object] = {"method": "register", "outcome": "answered"}
    more = {"from": old, "outcome": "answered"}
    row = HistoryRow("alice", at, BOTH, word, 200, "fine", {**facts, FROM: old})
    lines = [row._replace(kind="attempt", facts=facts), row._replace(kind="transition", facts=more)]
    return kept(row)[0], lines


def test_a_row_may_hold_an_attempt_and_the_change_that_it_led_to(store: Store, path: Path) -> None:
    first, its_lines = change(1.0, "Registered", "Unregistered")
    third, more_lines = change(3.0, "Rejected", "Registered")
    last = HistoryRow("alice", 4.0, "transition", "Unregistered")
    lines = [*its_lines, attempt(2), *more_lines, last]
    store.record([first, *kept(attempt(2)), third, *kept(last)])
    assert store.flush()
    assert state_file.history(path, "alice", 9) == lines
    for limit in range(1, 9):
        assert state_file.history(path, "alice", limit) == lines[-limit:]
        for kind in ("attempt", "transition"):
            of_kind = [line for line in lines if line.kind == kind]
            assert state_file.history(path, "alice", limit, kind) == of_kind[-limit:]


def test_lost_lines_are_counted_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store.open(tmp_path / "file" / "state.sqlite3", room=1)
    store.record([change(1.0, "Registered", "Unregistered")[0], *kept(attempt(2))])
    assert store.lost == 1
    store.record([change(3.0, "Rejected", "Registered")[0]])
    assert store.lost == 3
    store.close()


def test_changes_are_kept_longer_than_attempts(store: Store, path: Path) -> None:
    words = ("Registered", "Rejected")
    for n in range(400):
        store.record([change(float(n), words[n % 2], words[1 - n % 2])[0], *kept(attempt(n))])
        if n % 20 == 0:
            assert store.flush()
    assert store.flush()
    changes = state_file.history(path, "alice", 1000, "transition")
    assert [row.at for row in changes] == [float(n) for n in range(400)]
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT count(*) FROM history WHERE kind = 'attempt'")
        assert found.fetchone()[0] < state_file.KEPT["attempt"] + 60
