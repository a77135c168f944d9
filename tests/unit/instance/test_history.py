"""What is written down of an outcome."""

from __future__ import annotations

from pjreg_cli.api.findings import Brief
from pjreg_cli.api.notices import Settled
from pjreg_cli.api.registrations import Evidence
from pjreg_cli.instance.history import Memory, row_of
from pjreg_cli.store.state_file import HistoryRow, lines_of

GRANTED = Evidence(
    1.0, "register", 200, "OK", "answered", "granted", "udp:192.0.2.1:5060", "", granted_s=60
)
REFUSED = GRANTED._replace(code=403, reason="No", rule="forbidden", granted_s=None)


def settled(evidence: Evidence, word: str, old_word: str, why: str = "") -> Settled:
    brief = Brief(why, "a sentence")
    return Settled("alice", "sip:a@b", "sip:b", word, old_word, evidence, 1, 50, lambda: brief)


def test_an_outcome_that_changes_nothing_is_one_line() -> None:
    row = row_of(settled(GRANTED, "Registered", "Registered", "not asked"))
    facts = (
        '{"method": "register", "outcome": "answered", "reason": "OK", "rule": "granted",'
        ' "target": "udp:192.0.2.1:5060", "granted_s": 60, "next_in_s": 50}'
    )
    assert row == ("alice", 1.0, "attempt", "Registered", 200, "fine", facts)


def test_a_change_is_a_line_of_its_own() -> None:
    attempt, change = lines_of(row_of(settled(REFUSED, "Rejected", "Registered", "wrong-password")))
    assert attempt.facts == {
        "method": "register",
        "outcome": "answered",
        "reason": "No",
        "rule": "forbidden",
        "target": "udp:192.0.2.1:5060",
        "granted_s": None,
        "next_in_s": 50,
    }
    facts = {"from": "Registered", "outcome": "answered"}
    assert change == HistoryRow(
        "alice", 1.0, "transition", "Rejected", 403, "wrong-password", facts
    )
    assert attempt == change._replace(kind="attempt", facts=attempt.facts)


def test_what_is_not_plain_is_asked_for() -> None:
    missing = GRANTED._replace(contact_missing=True)
    assert row_of(settled(missing, "Registered", "Registered", "others"))[5] == "others"
    assert row_of(settled(GRANTED, "Unregistered", "Registered", "taken-off"))[5] == "taken-off"


def test_memory_keeps_the_last_rows_and_tells_their_lines() -> None:
    memory = Memory(2)
    memory.record([row_of(settled(GRANTED, "Registered", "Registered"))])
    memory.record([row_of(settled(REFUSED, "Rejected", "Registered"))])
    memory.record([row_of(settled(GRANTED, "Registered", "Rejected"))])
    assert memory.count == 2
    kinds = [(line.kind, line.word) for line in memory.history("alice", 9)]
    assert kinds == [
        ("attempt", "Rejected"),
        ("transition", "Rejected"),
        ("attempt", "Registered"),
        ("transition", "Registered"),
    ]
    assert [line.word for line in memory.history("alice", 1, "transition")] == ["Registered"]
    assert memory.history("bob", 9) == []
