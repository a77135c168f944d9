"""pjreg_cli/control/following.py"""

from __future__ import annotations

import pytest

from pjreg_cli.commands.outcomes import Outcomes
from pjreg_cli.control import protocol
from pjreg_cli.control.following import Follower
from tests.support.ami_port import settled
from tests.support.clock import run_virtually


class Client:
    """What a one-shot is sent."""

    def __init__(self, gone: bool = False) -> None:
        self.lines: list[str] = []
        self.progress: list[str] = []
        self._gone = gone

    def send(self, kind: bytes, payload: bytes) -> None:
        if kind == protocol.LOG:
            self.lines.append(protocol.parse_log(payload)[1])
        else:
            self.progress.append(payload.decode())

    async def drain(self) -> None:
        if self._gone:
            raise ConnectionResetError


async def test_nothing_asked_is_nothing_waited_for() -> None:
    client = Client()
    await Follower(Outcomes(), client.send, client.drain).follow(["all: unchanged"])
    assert client.lines == ["all: unchanged"]
    assert client.progress[-1] == ""


async def test_what_has_come_ends_the_waiting() -> None:
    client, outcomes = Client(), Outcomes()
    follower = Follower(outcomes, client.send, client.drain)
    outcomes.ask_all("register", {"Registered": 1}, 0.0)
    assert outcomes.awaited == "register *all: 0 of 1"
    follower.say(outcomes.told(settled("alice")))
    await follower.follow(())
    assert client.lines[0].startswith("all: 1 Registered, after ")


def test_what_stands_still_is_not_waited_for_for_ever() -> None:
    client, outcomes = Client(), Outcomes()
    outcomes.ask("alice", "register")
    run_virtually(Follower(outcomes, client.send, client.drain, patience_s=0.0).follow(()))
    assert client.lines == [
        "register alice, and nothing more for 0 s: pjreg status tells how they stand"
    ]
    assert "register alice, " in client.progress[0]
    assert outcomes.awaited == ""


def test_nobody_is_told_who_has_left() -> None:
    client, outcomes = Client(gone=True), Outcomes()
    outcomes.ask("alice", "register")
    with pytest.raises(ConnectionError):
        run_virtually(Follower(outcomes, client.send, client.drain).follow(()))
