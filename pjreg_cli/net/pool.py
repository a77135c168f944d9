"""The transports that are open, and which of them leads to a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pjreg_cli.net.flow import Endpoint, Failure, Flow, Listener, Source, Spawner, Tap
from pjreg_cli.sip.locate import Address, Target, Ways

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport
    from pjreg_cli.net.resolver import Resolver

__all__ = ["Endpoint", "Failure", "Flow", "Listener", "Pool", "Reopened", "Source", "Spawner", "Tap"]


@dataclass(frozen=True, slots=True)
class Reopened:
    """What a reload did to the transports, each by name."""

    failed: Mapping[str, Failure]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Closed and opened anew."""
    kept: tuple[str, ...] = ()
    """Changed in the file, but left alone as `allow_reload` is off."""


class Pool:
    """All open transports of an instance.

    `clock` gives seconds (the loop's), `spawn` creates tasks, `resolver` looks up host names in
    external_signaling_address, `tap` sees every message.
    """

    def __init__(
        self, listener: Listener, *, spawn: Spawner, resolver: Resolver, tap: Tap | None = None
    ) -> None:
        raise NotImplementedError

    async def open(
        self, transports: Iterable[Transport], *, keep_alive_s: float = 0
    ) -> Mapping[str, Failure]:
        """Open all, in file order; those that failed, by name.  `keep_alive_s`: seconds between
        CRLF keep-alives on streams, 0 for none."""
        raise NotImplementedError

    async def reopen(self, transports: Iterable[Transport], *, keep_alive_s: float = 0) -> Reopened:
        """Open what is new, close what is gone, reopen what changed; the rest is not disturbed."""
        raise NotImplementedError

    def opened(self) -> tuple[str, ...]:
        """Names of the open transports, in file order."""
        raise NotImplementedError

    def ways(self, transport: str = "") -> Ways:
        """What the named transport (empty or unknown: all) can do, for `Resolver.locate`."""
        raise NotImplementedError

    def flow(self, transport: str, target: Target) -> Flow:
        """The flow to a target by the named transport (empty or unknown: the first of the right
        protocol and address family); the same object every time.  Raises TransportError."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close everything; listeners are told nothing more."""
        raise NotImplementedError
