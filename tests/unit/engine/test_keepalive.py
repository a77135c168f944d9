"""Keep-alives over UDP: to every registrar in use, as often as said, and not over streams."""

from __future__ import annotations

from pjreg_cli.engine.batches import Batches
from pjreg_cli.engine.keepalive import KeepAlive
from pjreg_cli.engine.timers import Timers
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import RecordingFlow


class CountingFlow(RecordingFlow):
    """A flow that counts its keep-alives."""

    kept = 0

    def keep_alive(self) -> None:
        self.kept += 1


async def test_each_datagram_flow_gets_one_every_so_often() -> None:
    loop = ManualLoop()
    flows = [CountingFlow(), CountingFlow(), CountingFlow(reliable=True)]
    keep_alive = KeepAlive(Timers(loop.as_loop()), Batches(), lambda: flows)
    loop.run_until(1000)
    assert [flow.kept for flow in flows] == [0, 0, 0], "none unless asked for"
    keep_alive.every(20.0)
    loop.run_until(1099)
    assert [flow.kept for flow in flows] == [4, 4, 0]
    keep_alive.every(20.0)
    loop.run_until(1101)
    assert [flow.kept for flow in flows] == [5, 5, 0], "to say it again changes nothing"
    keep_alive.every(0.0)
    loop.run_until(2000)
    assert [flow.kept for flow in flows] == [5, 5, 0]
