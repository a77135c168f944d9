"""The words shown for the inner states."""

from __future__ import annotations

from pjreg_cli.registration.state import Status


def test_six_states_have_three_words() -> None:
    assert {status: status.word for status in Status} == {
        Status.UNREGISTERED: "Unregistered",
        Status.REGISTERED: "Registered",
        Status.REJECTED_TEMPORARY: "Rejected",
        Status.REJECTED_PERMANENT: "Rejected",
        Status.STOPPING: "Unregistered",
        Status.STOPPED: "Unregistered",
    }
