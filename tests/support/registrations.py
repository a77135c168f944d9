"""Builders of engine values for tests."""

from __future__ import annotations

from typing import Any

from pjreg_cli.config.models import Registration
from pjreg_cli.engine.entry import Entry
from pjreg_cli.errors import TransportError
from pjreg_cli.net.flow import Endpoint, Flow
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target


def registration(name: str = "alice", **options: Any) -> Registration:
    """A registration section; `options` are Asterisk's.  Any: each option has its own type."""
    given = {
        "name": name,
        "source": "pjsip.conf:1",
        "server_uri": "sip:127.0.0.1:5060",
        "client_uri": f"sip:{name}@127.0.0.1",
        **options,
    }
    return Registration(**given)


def entry(name: str = "alice", **options: Any) -> Entry:
    """A registration that nobody steps."""
    return Entry(
        registration(name, **options), call_id="call", cseq=1, line="", woken=lambda _entry: None
    )


class RecordingFlow(Flow):
    """A flow that keeps what is sent, or refuses to send."""

    def __init__(self, target: Target | None = None, *, reliable: bool = False) -> None:
        self.transport = "t"
        self.protocol = "tcp" if reliable else "udp"
        self.reliable = reliable
        self.target = target or Target(self.protocol, "127.0.0.1", 5060, "127.0.0.1")
        self.sent: list[bytes] = []
        self.broken = ""
        """Why nothing can be sent; empty: everything can."""
        self.resets = 0

    @property
    def sent_by(self) -> Address:
        return Address("127.0.0.1", 5070)

    @property
    def contact(self) -> Address:
        return self.sent_by

    def send(self, data: bytes) -> None:
        if self.broken:
            raise TransportError(self.broken)
        self.sent.append(data)

    def carries(self, endpoint: Endpoint) -> bool:
        return endpoint.reliable == self.reliable

    def reset(self) -> None:
        self.resets += 1


class Nowhere(Endpoint):
    """Where answers come to that no socket has received."""

    def __init__(self, *, reliable: bool = False) -> None:
        self.transport = "t"
        self.reliable = reliable

    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        raise AssertionError("nobody asked")
