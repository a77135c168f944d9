"""Configurations, databases and rights with which there can be no fleet: each is said in a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fleet import GRANT_S, Fleet
from tests.support.judge import Judge
from tests.support.postgres import Postgres, binaries

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


async def refused(fleet: Fleet, name: str = "sip-9") -> str:
    """What a machine that cannot be part of the fleet says in its log."""
    one = fleet.machine(name)
    await asyncio.to_thread(one.launch)
    assert await asyncio.to_thread(one.wait) == 1
    return one.log()


async def test_two_machines_of_one_name_do_not_both_run(fleet: Fleet) -> None:
    await fleet.start("sip-1")
    await fleet.settled("sip-1")
    assert "which is alive: each machine needs its own name" in await refused(fleet, "sip-1")
    assert fleet.owned() == {"sip-1": 256}


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("DROP SCHEMA pjreg CASCADE", "there is no schema pjreg of a fleet"),
        ("UPDATE pjreg.cluster SET format = 9", "has format 9, this program needs 1"),
        ("DELETE FROM pjreg.cluster", "has format none, this program needs 1"),
    ],
)
async def test_a_database_that_is_no_fleet_of_ours_is_said(
    fleet: Fleet, statement: str, complaint: str
) -> None:
    fleet.server.execute(statement)
    assert complaint in await refused(fleet)


async def test_a_right_that_is_missing_is_said_and_what_runs_goes_on(fleet: Fleet) -> None:
    fleet.server.execute("DROP ROLE IF EXISTS watcher")
    fleet.server.execute("CREATE ROLE watcher LOGIN IN ROLE pjreg_reader")
    fleet.server.execute("GRANT SELECT ON ps_registrations, ps_auths TO watcher")
    one = fleet.machines["sip-9"] = fleet.machine("sip-9", fleet.server.url(user="watcher"))
    await asyncio.to_thread(one.start)
    assert "permission denied for table instance (42501)" in one.log()
    shown = await asyncio.to_thread(one.ask, "pjreg cluster check")
    assert shown.status == 1
    assert "NO  UPDATE on pjreg.instance" in shown.out
    fleet.server.execute("GRANT pjreg_instance TO watcher")
    await fleet.settled("sip-9")
    fleet.acquitted()
