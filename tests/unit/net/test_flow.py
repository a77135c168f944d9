"""The values that parts of `net` hand to each other."""

from __future__ import annotations

from typing import Any

from pjreg_cli.net.flow import Endpoint, Failure, Source


class Noted(Endpoint):
    """An endpoint that notes its answers."""

    def __init__(self) -> None:
        self.replies: list[tuple[bytes, tuple[Any, ...]]] = []

    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        self.replies.append((data, address))


def test_a_source_knows_the_way_back() -> None:
    endpoint = Noted()
    source = Source(endpoint, ("::1", 5060, 0, 3))
    assert (source.host, source.port) == ("::1", 5060)
    source.reply(b"x")
    assert endpoint.replies == [(b"x", ("::1", 5060, 0, 3))]


def test_a_failure_prints_as_its_reason() -> None:
    assert str(Failure("port taken", in_use=True)) == "port taken"
