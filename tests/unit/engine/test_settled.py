"""What a settled attempt leaves behind: evidence, and a line that tells what has changed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pjreg_cli.api.findings import Brief
from pjreg_cli.engine import settled
from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.record import Record
from pjreg_cli.engine.settled import duration
from pjreg_cli.levels import NOTICE, VERBOSE, WARNING
from pjreg_cli.registration.state import Flight, Outcome, Publish, State
from tests.support.evidence import evidence
from tests.support.registrations import entry


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1, "pjreg_cli")


def settle(one: Entry, word: str, **facts: Any) -> None:
    """An attempt of `one` comes to this word.  Any: the fields of Evidence."""
    one.attempts += 1
    old, one.word = one.word, word
    one.state = State(wake_at=1.0)
    left = evidence(**facts)
    change = None if word == old else one.turned(old, word, one.attempts, left.at)
    settled.log(one, left, change, 60, lambda: Brief("silent", "nothing came back"))


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    pairs = [(record.levelno, record.getMessage()) for record in caplog.records]
    return [(level, ": ".join(text.split(": ")[:2])) for level, text in pairs]


def test_every_change_of_state_is_told_with_how_long_it_took(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = entry()
    settle(one, "Registered", at=0.0)
    settle(one, "Registered", at=3000.0)
    settle(one, "Rejected", at=7200.0, code=503, reason="Gone")
    settle(one, "Rejected", at=7260.0, code=408)
    settle(one, "Registered", at=7440.0)
    settle(one, "Unregistered", at=7500.0, method="unregister")
    settle(one, "Registered", at=7503.0)
    assert said(caplog) == [
        (NOTICE, "alice: Registered"),
        (VERBOSE, "alice: still Registered"),
        (WARNING, "alice: Rejected after 2 h as Registered"),
        (WARNING, "alice: still Rejected"),
        (NOTICE, "alice: Registered again after 4 min, 2 attempts"),
        (NOTICE, "alice: Unregistered after 1 min as Registered"),
        (NOTICE, "alice: Registered again after 3 s, 1 attempt"),
    ]


def test_the_line_tells_answer_grant_target_and_what_comes_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settle(entry(), "Registered")
    assert caplog.messages == [
        "alice: Registered: register: 200 OK for 3600 s by udp:192.0.2.1:5060; "
        "next attempt in 60 s (rule granted)"
    ]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"code": 503, "reason": "Gone"}, "register: 503 Gone by udp:192.0.2.1:5060; "),
        (
            {"code": 408, "cause": "timed-out", "reason": "no answer"},
            "register: timed-out (408): no answer by udp:192.0.2.1:5060; ",
        ),
        (
            {
                "code": 503,
                "cause": "unresolved",
                "reason": "a.invalid is not known",
                "target": "",
            },
            "register: unresolved (503): a.invalid is not known; ",
        ),
        (
            {"code": 503, "cause": "send-failed", "reason": "udp:192.0.2.1:5060: refused"},
            "register: send-failed (503): udp:192.0.2.1:5060: refused; ",
        ),
    ],
)
def test_a_code_that_nobody_has_sent_is_told_from_an_answer(
    caplog: pytest.LogCaptureFixture, facts: dict[str, Any], text: str
) -> None:
    settle(entry(), "Rejected", granted_s=None, **facts)
    assert caplog.messages[0].startswith(f"alice: Rejected: {text}")


def test_what_is_not_wanted_is_not_put_into_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "pjreg_cli")
    one = entry()
    settle(one, "Registered", at=0.0)
    settle(one, "Rejected", at=60.0, code=503, reason="Gone")
    assert said(caplog) == [(WARNING, "alice: Rejected after 1 min as Registered")]


def test_a_word_that_comes_first_comes_after_nothing() -> None:
    assert Record().turned("Unregistered", "Registered", 1, 0.0) == ""
    assert Record().turned("Unregistered", "Rejected", 1, 0.0) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59, "59 s"),
        (240, "4 min"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (86_400, "1 d"),
        (183_600, "2 d 3 h"),
        (-5, "0 s"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_evidence_keeps_no_more_of_a_reason_than_anybody_reads() -> None:
    attempt = Attempt()
    attempt.reason = "x" * 60_000
    left = settled.course_of(attempt, Outcome(503), Publish("temporary", Flight.REGISTER))
    assert len(left.reason) == 200


def test_why_is_found_out_once() -> None:
    asked: list[str] = []

    def ask(one: Entry) -> Brief:
        asked.append(one.name)
        return Brief("refused", "nobody listens")

    why = settled.Why(ask, entry())
    assert asked == []
    assert why() == why() == Brief("refused", "nobody listens")
    assert len(asked) == 1
