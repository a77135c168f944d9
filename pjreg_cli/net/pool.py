"""The transports that are open, and which of them leads to a target."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pjreg_cli.errors import TransportError
from pjreg_cli.net.flow import Endpoint, Failure, Flow, Listener, Source, Spawner, Tap
from pjreg_cli.net.own_address import Routes
from pjreg_cli.net.sockets import InUseError
from pjreg_cli.net.tcp import StreamEndpoint
from pjreg_cli.net.udp import UdpEndpoint
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target, TransportKind, TransportKinds

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport
    from pjreg_cli.net.resolver import Resolver

__all__ = [
    "Endpoint",
    "Failure",
    "Flow",
    "Listener",
    "Pool",
    "Reopened",
    "Source",
    "Spawner",
    "Tap",
]

_log = logging.getLogger("pjreg_cli.net")

#: protocols of ours; transports of others are accepted and never used
_OFFERED = ("udp", "tcp", "tls")
#: how long the start waits for the addresses of host names, in seconds
_LOOKUP_S = 3.0
#: how often host names of external_signaling_address are looked at again, in seconds; the resolver
#: asks only when their time to live is over
_LOOKUPS_S = 30.0


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


@dataclass(slots=True)
class _Section:
    """A transport that is open; `endpoint` is None for a protocol that we do not use."""

    options: Transport
    endpoint: UdpEndpoint | StreamEndpoint | None

    @property
    def kind(self) -> TransportKind:
        return TransportKind(self.options.protocol, 6 if ":" in self.options.host else 4)


class _Unwatched:
    """The tap of a pool that nobody looks into."""

    active = False

    def sent(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        """Never called."""

    def received(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        """Never called."""


class Pool:
    """All open transports of an instance.

    `spawn` creates tasks, `resolver` looks up host names in external_signaling_address, `tap` sees
    every message.
    """

    def __init__(
        self, listener: Listener, *, spawn: Spawner, resolver: Resolver, tap: Tap | None = None
    ) -> None:
        self._listener = listener
        self._spawn = spawn
        self._resolver = resolver
        self._tap: Tap = tap if tap is not None else _Unwatched()
        self._loop = asyncio.get_running_loop()
        self._routes = Routes(self._loop.time)
        self._sections: dict[str, _Section] = {}
        self._flows: dict[tuple[str, Target], Flow] = {}
        self._kinds: dict[str, TransportKinds] = {}
        self._keep_alive_s = 0.0
        self._keeping: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._closed = False

    async def open(
        self, transports: Iterable[Transport], *, keep_alive_s: float = 0
    ) -> Mapping[str, Failure]:
        """Open all, in file order; those that failed, by name.  `keep_alive_s`: seconds between
        CRLF keep-alives on streams, 0 for none."""
        return (await self.reopen(transports, keep_alive_s=keep_alive_s)).failed

    async def reopen(self, transports: Iterable[Transport], *, keep_alive_s: float = 0) -> Reopened:
        """Open what is new, close what is gone, reopen what changed; the rest is not disturbed.

        Flows of transports closed by it are told as lost, those over UDP too: the address that a
        binding names may be gone.
        """
        wanted = {options.name: options for options in transports}
        old = self._sections
        differing = [
            name for name in wanted if name in old and _differ(wanted[name], old[name].options)
        ]
        changed = [name for name in differing if wanted[name].allow_reload]
        gone = [name for name in old if name not in wanted]
        # all old sockets go first: a port may pass from one section to another
        cut = [flow for name in (*gone, *changed) for flow in await self._close(old[name])]
        sections: dict[str, _Section] = {}
        failed: dict[str, Failure] = {}
        for name, options in wanted.items():
            if name in old and name not in changed:
                sections[name] = old[name]
                continue
            try:
                sections[name] = await self._opened(options)
            except TransportError as error:
                failed[name] = Failure(str(error), isinstance(error, InUseError))
        self._sections = sections
        self._flows.clear()
        self._kinds.clear()
        await self._look_up_names()
        self._keep_alive_every(float(keep_alive_s))
        for flow in cut:
            self._listener.closed(flow, f"transport {flow.transport} was reloaded", True)
        return Reopened(
            failed,
            added=tuple(name for name in sections if name not in old),
            removed=tuple(gone),
            changed=tuple(changed),
            kept=tuple(name for name in differing if name not in changed),
        )

    def opened(self) -> tuple[str, ...]:
        """Names of the open transports, in file order."""
        return tuple(self._sections)

    def kinds(self, transport: str = "") -> TransportKinds:
        """What the named transport (empty or unknown: all) can do, for `Resolver.locate`."""
        name = transport if transport in self._sections else ""
        known = self._kinds.get(name)
        if known is None:
            known = self._kinds[name] = self._kinds_of(name)
        return known

    def flow(self, transport: str, target: Target) -> Flow:
        """The flow to a target by the named transport (empty or unknown: the first of the right
        protocol and address family); the same object every time.  Raises TransportError."""
        flow = self._flows.get((transport, target))
        if flow is None:
            endpoint = self._chosen(transport, target)
            flow = self._flows[(transport, target)] = endpoint.flow(target)
        return flow

    def prune(self, in_use: Collection[Flow]) -> None:
        """Close the connections that none of these flows needs."""
        for endpoint in self._streams():
            for flow in endpoint.open_flows():
                if flow not in in_use:
                    flow.reset()

    async def close(self) -> None:
        """Close everything; the listener is told nothing more."""
        self._closed = True
        for handle in (self._keeping, self._looking):
            if handle is not None:
                handle.cancel()
        for section in self._sections.values():
            await self._close(section)
        self._sections = {}
        self._flows.clear()
        self._kinds.clear()

    # -- choosing -----------------------------------------------------------------------------

    def _chosen(self, name: str, target: Target) -> UdpEndpoint | StreamEndpoint:
        kind = TransportKind(target.protocol, target.version)
        named = self._sections.get(name)
        candidates = self._sections.values() if named is None else [named]
        for section in candidates:
            if section.endpoint is not None and section.kind == kind:
                return section.endpoint
        if named is not None:
            raise TransportError(f"transport {name} does not lead to {target}")
        raise TransportError(f"no transport for {kind.protocol} over IPv{kind.version}")

    def _kinds_of(self, name: str) -> TransportKinds:
        if name:
            section = self._sections[name]
            own = frozenset({section.kind} if section.endpoint is not None else ())
            return TransportKinds(own, section.options.protocol)
        offered = (section.kind for section in self._sections.values() if section.endpoint)
        return TransportKinds(frozenset(offered))

    # -- opening and closing ------------------------------------------------------------------

    async def _opened(self, options: Transport) -> _Section:
        """Open one transport; raises TransportError."""
        if options.protocol not in _OFFERED:
            return _Section(options, None)
        if options.protocol == "udp":
            endpoint = UdpEndpoint(options, self._listener, self._tap, self._routes)
            return _Section(options, endpoint)
        stream = StreamEndpoint(options, self._listener, self._tap, self._routes, self._spawn)
        await stream.open()
        return _Section(options, stream)

    async def _close(self, section: _Section) -> tuple[Flow, ...]:
        """Close one transport; the flows that ends."""
        if section.endpoint is None:
            return ()
        cut = section.endpoint.open_flows()
        if isinstance(section.endpoint, StreamEndpoint):
            await section.endpoint.close()
        else:
            section.endpoint.close()
        return cut

    def _streams(self) -> list[StreamEndpoint]:
        endpoints = [section.endpoint for section in self._sections.values()]
        return [one for one in endpoints if isinstance(one, StreamEndpoint)]

    # -- what comes round ---------------------------------------------------------------------

    def _keep_alive_every(self, interval_s: float) -> None:
        """One clock for all connections; it goes on undisturbed when the interval stays."""
        if interval_s == self._keep_alive_s:
            return
        self._keep_alive_s = interval_s
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        if interval_s > 0:
            first_at = self._loop.time() + interval_s
            self._keeping = self._loop.call_at(first_at, self._keep_alive, first_at)

    def _keep_alive(self, due_at: float) -> None:
        for endpoint in self._streams():
            endpoint.keep_alive()
        # from the instant it was due, so that the clock does not drift; what was slept through is
        # not made up for
        next_at = due_at + self._keep_alive_s
        if next_at <= (now := self._loop.time()):
            next_at = now + self._keep_alive_s
        self._keeping = self._loop.call_at(next_at, self._keep_alive, next_at)

    async def _look_up_names(self) -> None:
        """Find the addresses of external_signaling_address; a name server that is slow is not
        waited for long."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        try:
            async with asyncio.timeout(_LOOKUP_S):
                for section in self._sections.values():
                    await self._look_up_name(section)
        except TimeoutError:
            _log.warning("external_signaling_address: no answer from the name server yet")
        self._look_again()

    def _look_again(self) -> None:
        named = any(one.endpoint and one.endpoint.local.hostname for one in self._sections.values())
        if named and not self._closed:
            self._looking = self._loop.call_later(
                _LOOKUPS_S, lambda: self._spawn(self._look_up_names(), "external address")
            )

    async def _look_up_name(self, section: _Section) -> None:
        if section.endpoint is None or not section.endpoint.local.hostname:
            return
        local = section.endpoint.local
        found = await self._resolver.addresses(local.hostname, section.kind.version)
        if not found:
            _log.warning(
                "transport %s: external_signaling_address %s has no address",
                section.options.name,
                local.hostname,
            )
        elif local.external not in found:
            local.external = found[0]


def _differ(one: Transport, other: Transport) -> bool:
    """Whether two sections say different things; where they stand in the file does not matter."""
    names = [field.name for field in dataclasses.fields(one) if field.name != "source"]
    return any(getattr(one, name) != getattr(other, name) for name in names)
