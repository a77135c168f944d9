"""What registrars were told of our address is kept true."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from pjreg_cli.errors import TransportError
from pjreg_cli.net.flow import Flow
from pjreg_cli.net.host_watch import Clocks
from pjreg_cli.net.own_address import Routes
from pjreg_cli.net.renewal import RATE, Renewal
from pjreg_cli.sip.address import Address
from tests.loop.net.support import Heard, opened, resolver, section, spawn, target
from tests.support.clock import run_virtually

START = Clocks(0.0, 0.0, 1_700_000_000.0)


class Scene:
    """A renewal of the flows of a UDP transport; `address` is where every route begins."""

    def __init__(self, flows: list[Flow]) -> None:
        self.heard = Heard()
        self.flows = flows
        self.clocks = START
        self.looked = 0
        self.renewal = Renewal(
            self.heard,
            locals=lambda: (),
            flows=lambda: self.flows,
            routes=Routes(asyncio.get_running_loop().time),
            resolver=resolver(),
            spawn=spawn,
            before_check=self._look,
            clocks=lambda: self.clocks,
        )

    def _look(self) -> None:
        self.looked += 1


def play(count: int, act: Callable[[Scene], object]) -> Scene:
    """Open a transport with flows to so many targets, all of them told, and let `act` happen."""

    async def main() -> Scene:
        async with opened(section("a", host="0.0.0.0")) as (pool, _, _):
            flows = [pool.flow("", target(port)) for port in range(5060, 5060 + count)]
            for flow in flows:
                assert flow.contact.host == "127.0.0.1"
            scene = Scene(flows)
            act(scene)
            await asyncio.sleep(30)
            scene.renewal.close()
            return scene

    return run_virtually(main())


def move(flow: Flow, host: str = "192.0.2.1") -> None:
    """As if another address had been told."""
    assert flow.told is not None
    flow.told = Address(host, flow.told.port)


class NoWay(Flow):
    """A flow that leads nowhere, for the time being."""

    def __init__(self, flow: Flow) -> None:
        self.target, self.told = flow.target, flow.told

    @property
    def sent_by(self) -> Address:
        raise TransportError("no route")

    @property
    def contact(self) -> Address:
        raise TransportError("no route")

    def send(self, data: bytes) -> None:
        raise TransportError("no route")

    def carries(self, endpoint: object) -> bool:
        return False

    def reset(self) -> None:
        """Nothing."""


def changed(scene: Scene) -> None:
    scene.renewal.network_changed()


def test_only_what_has_moved_is_renewed() -> None:
    def act(scene: Scene) -> None:
        move(scene.flows[1])
        changed(scene)

    scene = play(3, act)
    assert [(flow, there) for flow, _, there in scene.heard.closings] == [(scene.flows[1], True)]
    assert "from 192.0.2.1" in scene.heard.closings[0][1]
    assert scene.looked == 1
    assert scene.heard.reached == 1


def test_changes_that_touch_nobody_renew_nothing() -> None:
    def act(scene: Scene) -> None:
        for _ in range(100):
            changed(scene)

    scene = play(3, act)
    assert scene.heard.closings == []
    assert scene.heard.reached < 5


def test_while_there_is_no_way_nothing_is_said() -> None:
    def act(scene: Scene) -> None:
        for flow in scene.flows:
            move(flow)
        scene.flows = [NoWay(flow) for flow in scene.flows]
        changed(scene)

    assert play(3, act).heard.closings == []


def test_many_are_renewed_one_after_the_other() -> None:
    times: list[float] = []

    def act(scene: Scene) -> None:
        for flow in scene.flows:
            move(flow)
        clock = asyncio.get_running_loop().time
        heard = scene.heard.closed

        def closed(
            flow: Flow,
            why: str,
            established: bool,
            *,
            lived_s: float = math.inf,
            spoke: bool = True,
        ) -> None:
            times.append(clock())
            heard(flow, why, established, lived_s=lived_s, spoke=spoke)

        scene.heard.closed = closed  # type: ignore[method-assign]
        changed(scene)

    play(3 * RATE, act)
    assert len(times) == 3 * RATE
    assert 1.9 <= times[-1] - times[0] <= 3


def test_after_a_sleep_everything_is_renewed() -> None:
    def act(scene: Scene) -> None:
        scene.clocks = Clocks(5.0, 605.0, START.wall + 605.0)

    scene = play(3, act)
    assert [flow for flow, _, _ in scene.heard.closings] == scene.flows
    assert "slept for 600 s" in scene.heard.closings[0][1]
