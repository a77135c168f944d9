"""Keeps true what registrars were told of our address.

The address of a binding comes from a route, from a name in external_signaling_address, or from the
section of a transport.  When one of the first two changes, everything registered by it is renewed
at once; when the host has slept, everything is, for nobody knows what has become of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING

from pjreg_cli.errors import TransportError
from pjreg_cli.net.host_watch import Clocks, Watch, clocks

if TYPE_CHECKING:
    from pjreg_cli.net.flow import Flow, Listener
    from pjreg_cli.net.own_address import OwnAddress, Routes
    from pjreg_cli.net.resolver import Resolver
    from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.net")

#: how long the start waits for the addresses of host names, in seconds
_LOOKUP_S = 3.0
#: how often host names of external_signaling_address are asked for, whatever their time to live:
#: their change is to be noticed within 10 s
_LOOKUPS_S = 5.0
#: flows renewed in each second, the first ones at once
RATE = 200
#: how often the listener is told that something may be reachable again at most, in seconds
_REACH_S = 5.0


class Renewal:
    """Watches the addresses of `flows`, and tells the listener of those that changed.

    `locals` gives the addresses of the open transports, `flows` the flows in use.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        locals: Callable[[], Iterable[OwnAddress]],
        flows: Callable[[], Iterable[Flow]],
        routes: Routes,
        resolver: Resolver,
        spawn: Spawner,
        before_check: Callable[[], None],
        clocks: Callable[[], Clocks] = clocks,
    ) -> None:
        self._listener = listener
        self._locals = locals
        self._flows = flows
        self._routes = routes
        self._resolver = resolver
        self._spawn = spawn
        self._before_check = before_check
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(
            changed=self.network_changed, look=self._check, slept=self._slept, clocks=clocks
        )
        self._looking: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._checking: asyncio.Task[None] | None = None
        self._check_again = False
        self._unknown: set[str] = set()
        self._reached_at = -_REACH_S
        self._reaching: asyncio.TimerHandle | None = None
        self._closed = False

    def close(self) -> None:
        """Watch nothing more."""
        self._closed = True
        self._watch.close()
        for handle in (self._looking, self._reaching):
            if handle is not None:
                handle.cancel()
        for task in tuple(self._tasks):
            task.cancel()

    async def look_up_names(self) -> None:
        """Find the addresses of external_signaling_address; a name server that is slow is not
        waited for long."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        try:
            async with asyncio.timeout(_LOOKUP_S):
                await self._look_up()
        except TimeoutError:
            _log.warning("external_signaling_address: no answer from the name server yet")
        if not self._closed and any(local.hostname for local in self._locals()):
            self._looking = self._loop.call_later(_LOOKUPS_S, self._look_again)

    # -- names --------------------------------------------------------------------------------

    def _look_again(self) -> None:
        self._do(self._names_again(), "external address")

    async def _names_again(self) -> None:
        known = {local for local in self._locals() if local.external}
        await self.look_up_names()
        self._check()
        if any(local.external and local not in known for local in self._locals()):
            self.reach()

    async def _look_up(self) -> None:
        for local in tuple(self._locals()):
            if not local.hostname:
                continue
            found = await self._resolver.addresses(local.hostname, local.version, anew=True)
            if found:
                self._unknown.discard(local.hostname)
                if local.external not in found:
                    local.external = found[0]
            elif local.hostname not in self._unknown:
                self._unknown.add(local.hostname)
                _log.warning(
                    "transport %s: external_signaling_address %s has no address%s",
                    local.transport,
                    local.hostname,
                    f"; {local.external} stays" if local.external else "",
                )

    # -- what changes -------------------------------------------------------------------------

    def network_changed(self) -> None:
        """Addresses or routes may have changed."""
        self._before_check()
        self._check()
        self.reach()

    def reach(self) -> None:
        """Tell the listener that something may be reachable again, but not all the time."""
        if self._reaching is not None or self._closed:
            return
        at = max(self._loop.time(), self._reached_at + _REACH_S)
        self._reaching = self._loop.call_at(at, self._reach)

    def _reach(self) -> None:
        self._reaching = None
        self._reached_at = self._loop.time()
        self._listener.reachable()

    def _slept(self, seconds: float) -> None:
        _log.warning("%.0f s were slept through: everything is registered anew", seconds)
        self._routes.forget()
        why = f"the host slept for {seconds:.0f} s"
        self._do(self._tell([(flow, why) for flow in self._flows()]), "waking up")

    def _check(self) -> None:
        """Compare what registrars were told with what would be told now."""
        if self._checking is not None and not self._checking.done():
            self._check_again = True
            return
        self._checking = self._do(self._compare(), "own address")

    async def _compare(self) -> None:
        while True:
            self._check_again = False
            self._routes.forget()
            moved: list[tuple[Flow, str]] = []
            for number, flow in enumerate(tuple(self._flows()), 1):
                if why := _moved(flow):
                    moved.append((flow, why))
                if number % RATE == 0:
                    await asyncio.sleep(0)
            await self._tell(moved)
            if not self._check_again:
                return

    async def _tell(self, moved: list[tuple[Flow, str]]) -> None:
        """Have everything over these flows registered anew, many not all at once."""
        for number, (flow, why) in enumerate(moved, 1):
            _log.info("%s: %s", flow.target, why)
            flow.reset()
            self._listener.closed(flow, why, True)
            if number % RATE == 0:
                await asyncio.sleep(1.0)
        if moved:
            # requests that were under way have failed with it
            self.reach()

    def _do(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = self._spawn(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _moved(flow: Flow) -> str:
    """How our address has changed since it was last told over a flow; empty when it has not.

    While there is no way to the target nothing can be said, nor told.
    """
    told = flow.told
    if told is None:
        return ""
    try:
        now = flow.contact
    except TransportError:
        return ""
    if now != told:
        return f"our address has changed from {told} to {now}"
    return "the address of its connection is gone" if flow.is_astray() else ""
