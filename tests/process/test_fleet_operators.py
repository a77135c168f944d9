"""What operators see of a fleet, and how they steer it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pjreg_cli.store.sql import schema
from tests.support.fleet import ACCOUNTS, GRANT_S, LEASE_MS, Fleet
from tests.support.instance import Done, run
from tests.support.judge import Judge
from tests.support.postgres import Postgres, binaries
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(binaries() is None, reason="Debian's postgresql is not installed"),
    pytest.mark.timeout(120),
]


@pytest.fixture
async def fleet(home: Path, database: Postgres) -> AsyncIterator[Fleet]:
    with Judge(GRANT_S) as judge:
        one = Fleet(home, database, judge)
        one.prepare()
        yield one
        await one.stop()


async def test_an_operator_sees_and_steers_the_fleet(fleet: Fleet) -> None:
    await fleet.start("sip-1", "sip-2", "sip-3")
    await fleet.settled("sip-1", "sip-2", "sip-3")
    one = fleet.machines["sip-1"]

    async def ask(line: str, *options: str) -> Done:
        return await asyncio.to_thread(one.ask, line, *options)

    shown = await ask("pjreg cluster show")
    assert shown.status == 0, shown.out
    assert "256 shards, none unowned" in shown.out
    assert "This one:   sip-1, lease trusted for" in shown.out
    found = json.loads((await ask("pjreg cluster show", "--json")).out)
    assert {row["name"]: row["state"] for row in found["instances"]} == {
        "sip-1": "live",
        "sip-2": "live",
        "sip-3": "live",
    }
    assert (await ask("pjreg cluster show shards")).out.count("sip-") >= 256
    where = json.loads((await ask("pjreg cluster find r7", "--json")).out)
    assert where["status"] == "registered"
    assert (await ask("pjreg cluster find nobody")).status == 1
    other = 1
    while await owner(ask, f"r{other}") == "sip-1":
        other += 1
    mark = fleet.judge.mark()
    done = await ask(f"pjreg cluster send unregister r{other}")
    assert (done.status, done.out) == (0, "Done\n"), fleet.logs()
    await asyncio.to_thread(until, lambda: bool(fleet.judge.since(mark)), "it unregisters")
    assert (await ask(f"pjreg cluster send register r{other}")).status == 0
    assert (await ask("pjreg cluster drain sip-3")).status == 0
    await asyncio.to_thread(until, lambda: fleet.owned().get("sip-3") == 0, "it gives all away")
    assert (await ask("pjreg cluster undrain sip-3")).status == 0
    await fleet.settled("sip-1", "sip-2", "sip-3")
    assert (await ask("pjreg cluster drain sip-9")).status == 1
    checked = await ask("pjreg cluster check")
    assert checked.status == 0, checked.out
    fleet.server.execute("DELETE FROM ps_registrations WHERE id = 'r1'")
    assert (await ask("pjreg cluster reload")).out == "3 machines read their rows anew\n"
    await asyncio.to_thread(until, lambda: fleet.judge.registered() == ACCOUNTS - 1, "it is gone")
    await fleet.stop()
    alone = await asyncio.to_thread(
        run, "-C", str(one.etc), "pjreg", "cluster", "show", home=fleet.home
    )
    assert alone.status == 1
    assert "256 unowned" in alone.out


async def owner(ask: Callable[..., Awaitable[Done]], name: str) -> str:
    found = json.loads((await ask(f"pjreg cluster find {name}", "--json")).out)
    return str(found["owner"])


async def test_changes_that_triggers_tell_reach_whom_they_concern(fleet: Fleet) -> None:
    fleet.server.execute("DROP SCHEMA pjreg CASCADE")
    fleet.server.execute(schema(lease_ms=LEASE_MS, triggers=True))
    await fleet.start("sip-1", "sip-2")
    await fleet.settled("sip-1", "sip-2")
    fleet.server.execute("UPDATE ps_registrations SET contact_user = 'x' WHERE id = 'r5'")
    fleet.server.execute("DELETE FROM ps_registrations WHERE id = 'r6'")
    await asyncio.to_thread(until, lambda: fleet.judge.registered() == ACCOUNTS - 1, "r6 is gone")
    assert fleet.judge.verdict.not_higher == []
