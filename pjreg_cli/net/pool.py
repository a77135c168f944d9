"""The transports that are open, and which of them leads to a target."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.api.findings import Trouble
from pjreg_cli.config import validity
from pjreg_cli.errors import TransportError
from pjreg_cli.net import tls
from pjreg_cli.net.flow import Endpoint, Failure, Flow, Listener, Source, Tap
from pjreg_cli.net.own_address import OwnAddress, Routes
from pjreg_cli.net.renewal import Renewal
from pjreg_cli.net.reopening import Reopening, Section, differ, kind_of
from pjreg_cli.net.tcp import StreamEndpoint
from pjreg_cli.net.turns import Turns
from pjreg_cli.net.udp import UdpEndpoint
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target, TransportKind, TransportKinds

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport
    from pjreg_cli.net.resolver import Resolver
    from pjreg_cli.spawner import Spawner

__all__ = [
    "Endpoint",
    "Failure",
    "Flow",
    "Listener",
    "Pool",
    "Reopened",
    "Source",
    "Tap",
]

_log = logging.getLogger("pjreg_cli.net")

#: protocols of ours; transports of others are accepted and never used
_OFFERED = ("udp", "tcp", "tls")
#: those that nothing less may stand in for
_SECURE = ("tls", "wss")
#: how often a limit that is met again and again is told of, in seconds
_COMPLAIN_S = 60.0


class Reopened(NamedTuple):
    """What a reload did to the transports, each by name."""

    failed: Mapping[str, Failure]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Closed and opened anew."""
    kept: tuple[str, ...] = ()
    """Changed in the file, but left alone as `allow_reload` is off."""
    renewed: tuple[str, ...] = ()
    """Read certificates that had been replaced."""


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
        self._reopening = asyncio.Lock()
        self._sections: dict[str, Section] = {}
        self._failed: dict[str, tuple[Transport, str]] = {}
        self._flows: dict[tuple[str, Target], Flow] = {}
        self._known: set[tuple[str, int]] = set()
        self._kinds: dict[str, TransportKinds] = {}
        self._keep_alive_s = 0.0
        self._keeping: asyncio.TimerHandle | None = None
        self._renewal = Renewal(
            listener,
            locals=self._locals,
            flows=self._open_flows,
            routes=self._routes,
            resolver=resolver,
            spawn=spawn,
            before_check=self._network_changed,
        )
        self._retrying = False
        self._turns = Turns()
        self.counters: Counter[str] = Counter()
        """How often a limit was met, by what was refused."""
        self._complained_at: dict[str, float] = {}

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
        old = self._sections
        wanted = {options.name: options for options in transports}
        reopening = Reopening(old, wanted, self._opened, self._close)
        async with self._reopening:
            await reopening.run()
            self._take_over(reopening.sections)
            self._failed = {
                name: (wanted[name], failure.why)
                for name, failure in reopening.failed.items()
                if name not in reopening.sections
            }
        await self._renewal.look_up_names()
        self._keep_alive_every(float(keep_alive_s))
        for flow in reopening.cut:
            self._listener.closed(flow, f"transport {flow.transport} was reloaded", True)
        return Reopened(
            reopening.failed,
            added=tuple(name for name in reopening.sections if name not in old),
            removed=tuple(name for name in old if name not in wanted),
            changed=tuple(reopening.changed),
            kept=tuple(reopening.kept),
            renewed=tuple(reopening.renewed),
        )

    def _take_over(self, sections: dict[str, Section]) -> None:
        self._sections = sections
        self._flows.clear()
        self._known.clear()
        self._kinds.clear()

    def closing(self, transports: Iterable[Transport]) -> frozenset[str]:
        """Names of the transports that `reopen` of these would close."""
        wanted = {options.name: options for options in transports}
        return frozenset(
            name
            for name, section in self._sections.items()
            if name not in wanted
            or (wanted[name].allow_reload and differ(wanted[name], section.options))
        )

    def opened(self) -> tuple[str, ...]:
        """Names of the open transports, in file order."""
        return tuple(self._sections)

    def kinds(self, transport: str = "") -> TransportKinds:
        """What the named transport (empty or unknown: all) can do, for `Resolver.locate`."""
        name = transport if transport in self._sections or self._is_missed(transport) else ""
        known = self._kinds.get(name)
        if known is None:
            known = self._kinds[name] = self._kinds_of(name)
        return known

    def flow(self, transport: str, target: Target, long: bool = False) -> Flow:
        """The flow to a target by the named transport (empty or unknown: the first of the right
        protocol and address family); the same object every time.  Raises TransportError.

        What is too `long` for a datagram goes by TCP where there is any (RFC 3261 section 18.1.1).
        """
        if long and target.protocol == "udp":
            with contextlib.suppress(TransportError):
                return self.flow(transport, target._replace(protocol="tcp"))
        flow = self._flows.get((transport, target))
        if flow is None:
            endpoint = self._chosen(transport, target)
            # each flow transport has connections of its own through the one below it
            apart = transport if self._is_flow(transport) else ""
            flow = self._flows[(transport, target)] = endpoint.flow(target, apart)
            self._known.add((target.host, target.port))
        return flow

    def leads_to(self, host: str, port: int) -> bool:
        """Whether a flow goes to this address: then it is no stranger's."""
        return (host, port) in self._known

    def prune(self, in_use: Collection[Flow]) -> None:
        """Close the connections that none of these flows needs."""
        for flow in self.idle(in_use):
            flow.reset()

    def idle(self, in_use: Collection[Flow]) -> list[Flow]:
        """The flows with a connection that are none of these."""
        return [
            flow
            for endpoint in self._streams()
            for flow in endpoint.open_flows()
            if flow not in in_use
        ]

    async def close(self) -> None:
        """Close everything; the listener is told nothing more."""
        self._renewal.close()
        if self._keeping is not None:
            self._keeping.cancel()
        async with self._reopening:
            for section in self._sections.values():
                await self._close(section)
            self._take_over({})
            self._failed = {}

    # -- choosing -----------------------------------------------------------------------------

    def _chosen(self, name: str, target: Target) -> UdpEndpoint | StreamEndpoint:
        kind = TransportKind(target.protocol, target.version)
        if self._is_missed(name):
            raise TransportError(self._failed[name][1])
        named = self._sections.get(name)
        if self._is_flow(name):
            named = None
        candidates = self._sections.values() if named is None else [named]
        for section in candidates:
            if section.endpoint is not None and section.kind == kind:
                return section.endpoint
        if named is not None:
            why = f"transport {name} does not lead to {target}"
            raise TransportError(why, Trouble("no-transport", why))
        why = f"no transport for {kind.protocol} over IPv{kind.version}"
        raise TransportError(why, Trouble("no-transport", why))

    def _kinds_of(self, name: str) -> TransportKinds:
        failed = tuple((kind_of(options), why) for options, why in self._failed.values())
        if (section := self._sections.get(name)) and not self._is_flow(name):
            own = frozenset({section.kind} if section.endpoint is not None else ())
            return TransportKinds(own, section.options.protocol)
        if name and not self._is_flow(name):
            options, why = self._failed[name]
            return TransportKinds(frozenset(), options.protocol, ((kind_of(options), why),))
        offered = (section.kind for section in self._sections.values() if section.endpoint)
        return TransportKinds(frozenset(offered), failed=failed)

    def _is_flow(self, name: str) -> bool:
        """Whether a transport is none of its own, but a way to share one (`protocol=flow`)."""
        section = self._sections.get(name)
        return section is not None and section.options.protocol == "flow"

    def _is_missed(self, name: str) -> bool:
        """Whether a transport is one that could not be opened, and that no other may stand in for:
        what is to be secret does not go another way."""
        return name in self._failed and self._failed[name][0].protocol in _SECURE

    # -- opening and closing ------------------------------------------------------------------

    async def _opened(self, options: Transport) -> Section:
        """Open one transport; raises TransportError."""
        if options.protocol not in _OFFERED:
            return Section(options, None)
        if options.protocol == "udp":
            endpoint = UdpEndpoint(options, self._listener, self._tap, self._routes)
            return Section(options, endpoint)
        files = tls.files(options)
        stream = StreamEndpoint(
            options,
            self._listener,
            self._tap,
            self._routes,
            self._spawn,
            turns=self._turns,
            refused=self._refused,
        )
        stream.open()
        if warning := validity.ending(options.cert_file, datetime.now(tz=UTC)):
            _log.warning("transport %s: %s", options.name, warning)
        return Section(options, stream, files)

    async def _close(self, section: Section) -> tuple[Flow, ...]:
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

    def _refused(self, what: str) -> None:
        """A limit was met: counted, and said once a minute."""
        self.counters[what] += 1
        now = self._loop.time()
        if now >= self._complained_at.get(what, 0.0):
            self._complained_at[what] = now + _COMPLAIN_S
            _log.warning("connections to us: %s (%d so far)", what, self.counters[what])

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

    # -- what happens to the host -------------------------------------------------------------

    def _locals(self) -> list[OwnAddress]:
        return [one.endpoint.local for one in self._sections.values() if one.endpoint is not None]

    def _open_flows(self) -> list[Flow]:
        endpoints = [section.endpoint for section in self._sections.values()]
        return [flow for one in endpoints if one is not None for flow in one.open_flows()]

    def _network_changed(self) -> None:
        """An address that a transport could not be bound to may be there now."""
        if self._failed and not self._retrying:
            self._retrying = True
            self._spawn(self._retry(), "transports that failed")

    async def _retry(self) -> None:
        try:
            async with self._reopening:
                for name, (options, _) in tuple(self._failed.items()):
                    try:
                        self._sections[name] = await self._opened(options)
                    except TransportError:
                        continue
                    del self._failed[name]
                    self._take_over(self._sections)
                    _log.warning("transport %s: could be opened at last", name)
        finally:
            self._retrying = False
        self._renewal.reach()
