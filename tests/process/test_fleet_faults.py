"""Configurations, databases and rights with which there can be no fleet: each is said in a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fleet import GRANT_S, Fleet, unused_url
from tests.support.instance import Instance, run
from tests.support.judge import Judge
from tests.support.postgres import Postgres, binaries
from tests.support.proxy import Proxy
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(binaries() is None, reason="Debian's postgresql is not installed")


@pytest.fixture
async def fleet(home: Path, database: Postgres) -> AsyncIterator[Fleet]:
    with Judge(GRANT_S) as judge:
        one = Fleet(home, database, judge)
        one.prepare()
        yield one
        await one.stop()


async def refused(fleet: Fleet, name: str = "sip-9", url: str = "") -> str:
    """What a machine that cannot be part of the fleet says in its log."""
    one = fleet.machine(name, url)
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
    login(fleet, "watcher", "pjreg_reader")
    fleet.server.execute("GRANT SELECT ON ps_registrations, ps_auths TO watcher")
    one = fleet.machines["sip-9"] = fleet.machine("sip-9", fleet.server.url(user="watcher"))
    await asyncio.to_thread(one.start)
    await fleet.says("sip-9", "permission denied for table instance (42501)")
    shown = await asyncio.to_thread(one.ask, "pjreg cluster check")
    assert shown.status == 1
    assert "NO  UPDATE on pjreg.instance" in shown.out
    fleet.server.execute("GRANT pjreg_instance TO watcher")
    await fleet.settled("sip-9")
    fleet.acquitted()


async def test_an_old_server_is_said_with_its_version(fleet: Fleet) -> None:
    async with Proxy.open(fleet.server.port) as proxy:
        ((version,),) = fleet.server.execute("SHOW server_version")
        major = version.partition(".")[0].encode()
        # what a server says of itself when it greets
        proxy.rewrite = (b"server_version\0" + major, b"server_version\x0013")
        said = await refused(fleet, url=fleet.server.url(port=proxy.port))
    assert "PostgreSQL 14 or newer is needed, this is 13" in said


@pytest.mark.parametrize("url", ["", "postgresql://postgres@127.0.0.1:{port}/nothing"])
async def test_a_database_that_is_not_there_is_said_and_waited_for(fleet: Fleet, url: str) -> None:
    url = url.format(port=fleet.server.port) or unused_url()
    one = fleet.machines["sip-9"] = fleet.machine("sip-9", url)
    await asyncio.to_thread(one.start)
    await fleet.says("sip-9", " is up: ")
    (told,) = [line for line in one.log().splitlines() if "database of the fleet" in line]
    assert "cannot be reached: " in told
    shown = await asyncio.to_thread(one.ask, "pjreg cluster show")
    assert shown.status == 1
    assert shown.out.startswith("The fleet cannot be asked: cannot be reached: ")
    health = await asyncio.to_thread(one.ask, "pjreg health")
    assert health.out.startswith("REGISTRATIONS CRITICAL - sip-9 holds: cannot be reached: ")


#: what makes tables unfit, what mends them, what `pjreg cluster check` says meanwhile
UNFIT = (
    (
        "ALTER TABLE ps_registrations RENAME client_uri TO other",
        "ALTER TABLE ps_registrations RENAME other TO client_uri",
        "there is no column ps_registrations.client_uri",
    ),
    (
        "ALTER TABLE ps_registrations RENAME TO hidden",
        "ALTER TABLE hidden RENAME TO ps_registrations",
        "SELECT on ps_registrations, which is not there",
    ),
    (
        "ALTER TABLE ps_auths RENAME TO hidden",
        "ALTER TABLE hidden RENAME TO ps_auths",
        "SELECT on ps_auths, which is not there",
    ),
    (
        "REVOKE SELECT ON ps_registrations FROM pjreg_instance",
        "GRANT SELECT ON ps_registrations TO pjreg_instance",
        "SELECT on ps_registrations",
    ),
    (
        "DROP INDEX ps_registrations_shard",
        "CREATE INDEX ps_registrations_shard ON ps_registrations (pjreg.shard_of(id))",
        "ps_registrations has the index of its shards",
    ),
)


async def test_tables_that_become_unfit_are_said_and_what_runs_goes_on(fleet: Fleet) -> None:
    login(fleet, "machine", "pjreg_instance")
    url = fleet.server.url(user="machine")
    one = fleet.machines["sip-1"] = fleet.machine("sip-1", url)
    await asyncio.to_thread(one.start)
    await fleet.settled("sip-1")
    told = 0
    for breaks, mends, complaint in UNFIT:
        fleet.server.execute(breaks)
        line = "module reload res_pjsip_outbound_registration"
        failed = (await asyncio.to_thread(one.ask, line)).status == 1
        assert failed == (not breaks.startswith("DROP INDEX"))
        told += failed
        await told_so(one, told)
        checked = await asyncio.to_thread(one.ask, "pjreg cluster check")
        assert checked.status == 1
        assert [line for line in checked.out.splitlines() if "NO" in line] == [f"NO  {complaint}"]
        fleet.server.execute(mends)
    await fleet.refreshed()
    assert (await asyncio.to_thread(one.ask, "pjreg cluster check")).status == 0


async def told_so(one: Instance, times: int) -> None:
    """Wait until it has said so often, and no oftener, that tables cannot be read."""
    stays = "what was read from tables before stays"
    await asyncio.to_thread(until, lambda: one.log().count(stays) >= times, stays)
    assert one.log().count(stays) == times


@pytest.mark.parametrize(
    ("breaks", "mends", "complaint"),
    [
        (
            "ALTER TABLE ps_registrations RENAME client_uri TO other",
            "ALTER TABLE ps_registrations RENAME other TO client_uri",
            "it has no column client_uri",
        ),
        (
            "ALTER TABLE pjreg.state RENAME granted_s TO other",
            "ALTER TABLE pjreg.state RENAME other TO granted_s",
            'column "granted_s" does not exist (42703)',
        ),
    ],
)
async def test_shards_that_cannot_be_taken_up_are_said_once_until_they_can(
    fleet: Fleet, breaks: str, mends: str, complaint: str
) -> None:
    await fleet.start("sip-1")
    await fleet.settled("sip-1")
    fleet.server.execute(breaks)
    await fleet.start("sip-2")
    await fleet.says("sip-2", "shards cannot be taken up")
    two = fleet.machines["sip-2"]
    health = await asyncio.to_thread(two.ask, "pjreg health")
    assert "CRITICAL - 128 shards are not taken up: " in health.out
    assert (await asyncio.to_thread(two.ask, "pjreg cluster show")).status == 1
    fleet.server.execute(mends)
    await fleet.says("sip-2", "shards are taken up after all")
    (told,) = [line for line in two.log().splitlines() if "cannot be taken up" in line]
    assert complaint in told
    await fleet.settled("sip-1", "sip-2", planned=True)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("UPDATE pjreg.cluster SET shards = 64", "has 64 shards, this program needs 256"),
        (
            "REVOKE ALL ON SCHEMA pjreg FROM pjreg_instance",
            "permission denied for schema pjreg (42501)",
        ),
        (
            "REVOKE ALL ON pjreg.cluster FROM pjreg_instance",
            "permission denied for table cluster (42501)",
        ),
    ],
)
async def test_tables_of_a_fleet_that_are_not_for_us_stop_the_start(
    fleet: Fleet, statement: str, complaint: str
) -> None:
    login(fleet, "machine", "pjreg_instance")
    fleet.server.execute(statement)
    assert complaint in await refused(fleet, url=fleet.server.url(user="machine"))


def login(fleet: Fleet, name: str, role: str) -> None:
    """Somebody with the rights of a role."""
    fleet.server.execute(f"DROP ROLE IF EXISTS {name}")
    fleet.server.execute(f"CREATE ROLE {name} LOGIN IN ROLE {role}")


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        (
            "sorcery.conf",
            "",
            "this is sip-9 of a fleet, but sorcery.conf and extconfig.conf map no registrations",
        ),
        (
            "extconfig.conf",
            "[settings]\nps_registrations => odbc,a\nps_auths => odbc,a\n",
            "map no registrations to PostgreSQL",
        ),
    ],
)
async def test_files_that_name_no_postgresql_are_said(
    fleet: Fleet, file: str, text: str, complaint: str
) -> None:
    one = fleet.machine("sip-9")
    (one.etc / file).write_text(text)
    if "odbc" in text:
        (one.etc / "pjreg.conf").write_text("[cluster]\nname = sip-9\n")
    await asyncio.to_thread(one.launch)
    assert await asyncio.to_thread(one.wait) == 1
    await asyncio.to_thread(one.says, complaint)
    if "odbc" in text:
        await asyncio.to_thread(
            one.says, "extconfig.conf:2: odbc is not spoken here: name the PostgreSQL"
        )


async def test_behind_odbc_the_database_itself_is_asked(fleet: Fleet) -> None:
    one = fleet.machines["sip-1"] = fleet.machine("sip-1")
    odbc = "[settings]\nps_registrations => odbc,asterisk\nps_auths => odbc,asterisk\n"
    (one.etc / "extconfig.conf").write_text(odbc)
    await asyncio.to_thread(one.start)
    await fleet.settled("sip-1")


async def test_words_that_make_no_sense_are_said_and_defaults_count(fleet: Fleet) -> None:
    odd = {"takeover": "perhaps", "without_database": "x", "capacity": "many", "lease_commit": "?"}
    one = fleet.machine("sip-9", **odd)
    done = await asyncio.to_thread(run, "check", str(one.etc), home=fleet.home)
    for option in odd:
        assert f"[cluster] {option} cannot be understood and its default counts" in done.out
