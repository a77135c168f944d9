"""Limits that were met are counted, by names that `pjreg show counters` shows."""

from __future__ import annotations

from pathlib import Path

from pjreg_cli.config.load import Settings
from pjreg_cli.counters import Counters
from pjreg_cli.engine.engine import Engine
from pjreg_cli.net.flow import Source
from tests.support.registrations import Nowhere


async def test_what_comes_in_and_is_of_no_use_is_counted() -> None:
    counters = Counters()
    settings = Settings(directory=Path(), path=Path("pjsip.conf"))
    engine = Engine(settings, version="0", wall_clock=lambda: 0.0, counters=counters)
    assert not engine.received(b"junk\r\n\r\n", Source(Nowhere(), ("192.0.2.1", 5060)))
    counts = {count.name: count.value for count in counters.counts()}
    assert counts["messages_garbage"] == 1
    assert counts["incoming_refused"] == counts["requests_unanswered"] == 0
    await engine.close()
