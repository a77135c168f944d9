"""What operators see of a fleet, and how they steer it."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pjreg_cli.config.shards import shard_of
from pjreg_cli.store.sql import schema
from tests.support.ami_client import Client
from tests.support.fleet import ACCOUNTS, GRANT_S, LEASE_MS, Fleet
from tests.support.instance import Done, Instance, run
from tests.support.judge import Judge
from tests.support.ports import LOOPBACK, free_port
from tests.support.postgres import Postgres, binaries
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(binaries() is None, reason="Debian's postgresql is not installed")


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
    await asyncio.to_thread(
        until,
        lambda: (
            json.loads(one.ask("pjreg cluster find r7", "--json").out)["status"] == "registered"
        ),
        "what happened to r7 is written",
    )
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
    assert " unowned" in alone.out  # whoever has no time to leave is ended later
    assert "none unowned" not in alone.out


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
    # what is told names the shard: nothing else is read
    other = next(n for n in range(7, 300) if shard_of(f"r{n}") != shard_of("r7"))
    fleet.server.execute("ALTER TABLE ps_registrations DISABLE TRIGGER ALL")
    fleet.server.execute(
        "UPDATE ps_registrations SET contact_user = 'late' WHERE id = %s", f"r{other}"
    )
    fleet.server.execute("ALTER TABLE ps_registrations ENABLE TRIGGER ALL")
    fleet.server.execute("DELETE FROM ps_registrations WHERE id = 'r7'")
    await asyncio.to_thread(until, lambda: fleet.judge.registered() == ACCOUNTS - 2, "r7 is gone")
    assert {contact_user(one, f"r{other}") for one in fleet.machines.values()} == {"", None}


def contact_user(instance: Instance, name: str) -> str | None:
    """An option as a machine has it; None on one that has not this registration."""
    lines = instance.ask(f"pjsip show registration {name}").out.splitlines()
    found = [line.partition(":")[2].strip() for line in lines if "contact_user" in line]
    return found[0] if found else None


MANAGER = """\
[general]
enabled = yes
bindaddr = 127.0.0.1
port = {port}
[watcher]
secret = watching-it-all
read = all
write = all
eventfilter(name(PjregOwnership)) =
"""
HTTP = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {port}\n"


async def test_managers_metrics_and_monitoring_see_the_fleet(fleet: Fleet) -> None:
    one = fleet.machines["sip-1"] = fleet.machine("sip-1")
    port, web = free_port(), free_port()
    (one.etc / "manager.conf").write_text(MANAGER.format(port=port))
    (one.etc / "http.conf").write_text(HTTP.format(port=web))
    (one.etc / "prometheus.conf").write_text("[general]\nenabled = yes\n")
    await asyncio.to_thread(one.start)
    await fleet.settled("sip-1")
    assert ".conf: " not in one.log(), one.log()

    def is_well() -> bool:
        metrics = scrape(web)
        assert metrics["pjreg_journal_behind_seconds"] >= 0
        whole = (metrics["pjreg_shards"], metrics["pjreg_unowned_shards"]) == (256, 0)
        return whole and metrics["pjreg_lease_trust_seconds"] > 0

    # on a busy machine the lease may not have been renewed in time for a moment
    await asyncio.to_thread(until, is_well, "it owns everything and is trusted")
    words = ("health", "-s", str(one.socket))

    def is_content() -> bool:
        health = run(*words, home=fleet.home)
        return (health.status, health.out[:16]) == (0, "REGISTRATIONS OK")

    await asyncio.to_thread(until, is_content, "monitoring is content")
    client = await Client.connect(port)
    await client.login("watcher", "watching-it-all")
    await fleet.start("sip-2")
    released = await changed(client, "Released")
    assert released["Shards"] == "128"
    assert 0 < int(released["Registrations"]) < ACCOUNTS
    await fleet.settled("sip-1", "sip-2")
    await client.synchronize()
    _, first, second, whole = map(dict, await client.listed("PjregClusterShow", ActionID="7"))
    assert [(row["Instance"], row["State"]) for row in (first, second)] == [
        ("sip-1", "live"),
        ("sip-2", "live"),
    ]
    assert (first["Event"], first["ActionID"]) == ("PjregInstance", "7")
    assert whole["Event"] == "PjregClusterShowComplete"
    assert (whole["ListItems"], whole["Unowned"], whole["ThisInstance"]) == ("2", "0", "sip-1")
    await asyncio.to_thread(fleet.machines["sip-2"].stop)
    await changed(client, "Claimed")
    fleet.server.stop("immediate")
    await changed(client, "Held")
    assert (await asyncio.to_thread(scrape, web))["pjreg_lease_trust_seconds"] == 0
    health = await asyncio.to_thread(run, *words, home=fleet.home)
    assert health.status == 2
    assert health.out.startswith("REGISTRATIONS CRITICAL - sip-1 holds: ")
    fleet.server.start()
    await changed(client, "Resumed")
    await client.close()
    await fleet.settled("sip-1")


async def changed(client: Client, change: str) -> dict[str, str]:
    """Wait until a manager is told of this change of ownership."""
    while True:
        told = dict(await client.message())
        if told.get("Change") == change:
            return told


def scrape(port: int) -> dict[str, float]:
    """The metrics that have no labels."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in pairs}


async def test_registrations_of_all_machines_are_listed(fleet: Fleet) -> None:
    await fleet.start("sip-1", "sip-2")
    await fleet.settled("sip-1", "sip-2")
    one = fleet.machines["sip-1"]
    rows: list[dict[str, str]] = []

    def written() -> bool:
        rows[:] = json.loads(one.ask("pjreg cluster show registrations", "--json").out)
        return {row["status"] for row in rows} == {"Registered"}

    await asyncio.to_thread(until, written, "all states are written")
    assert len(rows) == ACCOUNTS
    assert {row["instance"] for row in rows} == {"sip-1", "sip-2"}
    mine = {row["name"] for row in rows if row["instance"] == "sip-1"}
    shown = json.loads((await asyncio.to_thread(one.ask, "pjsip show registrations", "--json")).out)
    assert mine == {row["name"] for row in shown}
    line = "pjreg cluster show registrations like ^r7$ where status=registered"
    text = (await asyncio.to_thread(one.ask, line)).out
    assert " r7/sip:127.0.0.1:" in text
    assert "Objects found: 1" in text
    foreign = next(row["name"] for row in rows if row["instance"] == "sip-2")
    refused = await asyncio.to_thread(one.ask, f"pjsip send register {foreign}")
    assert refused.status == 1
    assert f"Unable to retrieve registration {foreign}" in refused.out
    assert f"{foreign} is registered by sip-2" in refused.err
    absent = await asyncio.to_thread(one.ask, f"pjreg status {foreign}")
    assert absent.status == 1
    assert f"{foreign} is registered by sip-2" in absent.err
    explained = await asyncio.to_thread(one.ask, f"pjreg explain {foreign}", "--json")
    assert json.loads(explained.out)["cause"] == "owned-elsewhere"
    await fleet.stop()
    alone = await asyncio.to_thread(
        run, "-C", str(one.etc), "--json", "pjreg", "cluster", "show", "registrations",
        home=fleet.home,
    )  # fmt: skip
    assert {row["instance"] for row in json.loads(alone.out)} == {None}


async def test_another_fleet_of_the_same_database_has_tables_of_its_own(fleet: Fleet) -> None:
    await fleet.start("sip-1")
    fleet.server.execute('CREATE TABLE "Trunks" (LIKE ps_registrations INCLUDING ALL)')
    fleet.server.execute(
        'INSERT INTO "Trunks" (id, client_uri, server_uri, max_random_initial_delay)'
        " SELECT 't' || n, 'sip:t' || n || '@127.0.0.1', %s, 0 FROM generate_series(1, 9) n",
        f"sip:127.0.0.1:{fleet.judge.port}",
    )
    one = fleet.machines["own-1"] = fleet.machine("own-1", schema="Other")
    (one.etc / "sorcery.conf").write_text(
        "[res_pjsip_outbound_registration]\nregistration = realtime,ps_registrations\n"
    )
    (one.etc / "extconfig.conf").write_text("[settings]\nps_registrations => pgsql,a,Trunks\n")
    made = await asyncio.to_thread(
        run, "-C", str(one.etc), "pjreg", "cluster", "schema", "with-triggers", "lease", "2",
        home=fleet.home,
    )  # fmt: skip
    assert made.status == 0, made.err
    fleet.server.execute(made.out)
    await asyncio.to_thread(one.start)
    everything = ACCOUNTS + 9
    await asyncio.to_thread(until, lambda: fleet.judge.registered() == everything, "both register")
    checked = await asyncio.to_thread(one.ask, "pjreg cluster check")
    assert checked.status == 0, checked.out
    assert "ps_" not in checked.out.replace("ps_registrations has", "")
    shown = await asyncio.to_thread(one.ask, "pjreg cluster show registrations", "--json")
    assert [row["name"] for row in json.loads(shown.out)] == [f"t{n}" for n in range(1, 10)]
    assert (await asyncio.to_thread(one.ask, "pjreg cluster find t1")).status == 0
    assert (await asyncio.to_thread(one.ask, "pjreg cluster send register t1")).status == 0
    fleet.server.execute("""DELETE FROM "Trunks" WHERE id = 't9'""")
    await asyncio.to_thread(
        until, lambda: fleet.judge.registered() == everything - 1, "its triggers tell it"
    )
    fleet.acquitted()
