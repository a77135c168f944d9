"""Notices as events."""

from __future__ import annotations

import pytest

from pjreg_cli.ami import events
from pjreg_cli.api.notices import Reloaded, StateDropped, StateMade, Stopping, Traced
from tests.support.ami_port import settled


def test_outcome_is_a_registry_event_and_its_detail() -> None:
    registry, detail = events.of(settled(word="Rejected", evidence_code=408))
    assert registry.text() == (
        "Event: Registry\r\nPrivilege: system,all\r\nChannelType: PJSIP\r\n"
        "Username: sip:alice@127.0.0.1\r\nDomain: sip:127.0.0.1:5060\r\nStatus: Rejected\r\n\r\n"
    )
    assert dict(detail.fields)["Response"] == "408"


def test_registration_that_leaves_is_told_in_the_words_of_the_origin() -> None:
    registry, detail = events.of(settled(word="Stopped"))
    assert dict(registry.fields)["Status"] == "Unregistered"
    assert dict(detail.fields)["Status"] == "Stopped"


def test_reason_phrase_cannot_forge_an_event() -> None:
    _, detail = events.of(settled(evidence_reason="x\r\n\r\nEvent: Forged\nA: b"))
    text = detail.text()
    assert text.count("\r\n\r\n") == 1
    assert "\nEvent: Forged" not in text
    assert "\nA: b" not in text


@pytest.mark.parametrize(
    ("notice", "fields"),
    [
        (Reloaded("res_pjsip", True), (("Module", "res_pjsip"), ("Status", "0"))),
        (Reloaded("", False), (("Module", "All"), ("Status", "3"))),
        (Stopping(False), (("Shutdown", "Cleanly"), ("Restart", "False"))),
    ],
)
def test_reloads_and_shutdown(
    notice: Reloaded | Stopping, fields: tuple[tuple[str, str], ...]
) -> None:
    (event,) = events.of(notice)
    assert event.fields == fields


@pytest.mark.parametrize(
    "notice", [StateMade("a"), StateDropped("a", "Registered"), Traced(True, "a", "udp", "x")]
)
def test_what_ami_does_not_speak_of(notice: StateMade | StateDropped | Traced) -> None:
    assert events.of(notice) == ()


def test_timestamp_follows_the_privilege() -> None:
    (event,) = events.of(Stopping(False))
    assert event.text(12.5).split("\r\n")[1:3] == [
        "Privilege: system,all",
        "Timestamp: 12.500000",
    ]
