"""The torture messages of RFC 4475, each with what is right for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pjreg_cli.engine.inbound import Inbound
from pjreg_cli.net.flow import Endpoint, Source
from tests.support.golden import FIXTURES

MESSAGES = FIXTURES / "sip" / "rfc4475"


class Right(NamedTuple):
    name: str
    code: str


def table() -> list[Right]:
    rows = (MESSAGES / "right.txt").read_text("utf-8").splitlines()
    return [Right(*row.split()[::2][:2]) for row in rows if row and not row.startswith("#")]


class Wire(Endpoint):
    """Keeps the answer."""

    def __init__(self, *, reliable: bool = False) -> None:
        self.reliable = reliable
        self.answers: list[bytes] = []

    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        self.answers.append(data)


def played(data: bytes) -> tuple[Inbound, list[bytes]]:
    wire = Wire()
    inbound = Inbound(
        lambda _r, _e: False, b"k" * 32, clock=lambda: 0.0, knows=lambda _h, _p: False
    )
    inbound.received(data, Source(wire, ("192.0.2.9", 5060)))
    return inbound, wire.answers


@pytest.mark.parametrize("right", table(), ids=lambda right: right.name)
def test_each_gets_the_right_answer(right: Right) -> None:
    data = (MESSAGES / f"{right.name}.sip").read_bytes()
    _, answers = played(data)
    if right.code == "-":
        assert answers == []
        return
    assert len(answers) == 1
    assert answers[0].split()[:2] == [b"SIP/2.0", right.code.encode()]
    assert len(answers[0]) <= 2 * len(data)


def test_none_of_them_is_forgotten() -> None:
    files = {path.stem for path in MESSAGES.glob("*.sip")}
    assert files == {right.name for right in table()}
    assert len(files) == 49


@pytest.mark.exhaustive
def test_floods_of_strangers_are_not_all_answered() -> None:
    data = (MESSAGES / "semiuri.sip").read_bytes()
    wire = Wire()
    known = {("192.0.2.1", 5060)}
    inbound = Inbound(
        lambda _r, _e: False, b"k" * 32, clock=lambda: 0.0, knows=lambda h, p: (h, p) in known
    )
    for _ in range(1000):
        inbound.received(data, Source(wire, ("192.0.2.9", 5060)))
    answered = len(wire.answers)
    assert 199 <= answered <= 201
    assert inbound.traffic["unanswered"] == 1000 - answered
    for _ in range(1000):
        inbound.received(data, Source(wire, ("192.0.2.1", 5060)))
    assert len(wire.answers) == answered + 1000, "a registrar of ours always is"
