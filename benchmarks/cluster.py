"""What a fleet costs: tables of half a million accounts, a beat, state writes, reloads, a takeover.

Needs Debian's postgresql.  Set ROWS and ACCOUNTS for other sizes; OUTAGE=1 takes PostgreSQL
away for a minute besides (four minutes in all).  Three instances, PostgreSQL and the registrar
share this machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from pydantic import SecretStr

from pjreg_cli.api.cluster import Wanted
from pjreg_cli.cluster.messages import Claim, Join, Plan, Renew
from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.cluster.store import Counts, Identity
from pjreg_cli.config import build
from pjreg_cli.config.load import load, reload
from pjreg_cli.config.models import Registration
from pjreg_cli.config.realtime import Database
from pjreg_cli.config.rows import ESSENTIAL, sections
from pjreg_cli.config.rules import Inspector, OpenTransports
from pjreg_cli.config.settings import Scope
from pjreg_cli.config.shards import shard_of
from pjreg_cli.config.table_notifications import EVERYTHING, Told
from pjreg_cli.config.types import option_names
from pjreg_cli.engine import garbage
from pjreg_cli.store import sql
from pjreg_cli.store.overview import Overview
from pjreg_cli.store.postgres import FleetTables
from pjreg_cli.store.postgres_rows import PostgresRows
from pjreg_cli.store.rows import open_rows
from pjreg_cli.store.sql import schema
from tests.support.cluster_story import machine, wait
from tests.support.fleet import configured
from tests.support.instance import Instance, short_folder
from tests.support.judge import Judge
from tests.support.postgres import Postgres, binaries, postgres

ROWS = int(os.environ.get("ROWS", "500000"))
ACCOUNTS = int(os.environ.get("ACCOUNTS", "50000"))
OUTAGE = os.environ.get("OUTAGE", "") == "1"
#: refreshed 20 s before their end: after 40 s, which is how long the first ones are spread over
GRANT_S, SPREAD_S = 60.0, 40
#: states a second that a fleet of half a million writes at most, and for how many seconds here
WRITES, WRITING_S = 5000, 10


def fill(server: Postgres, rows: int, port: int, spread_s: int = 5) -> int:
    """Asterisk's tables with so many accounts, and a fleet's."""
    server.fresh()
    server.execute(schema())
    server.execute(
        "INSERT INTO ps_registrations (id, client_uri, server_uri, outbound_auth,"
        " max_random_initial_delay) SELECT 'r' || n, 'sip:r' || n || '@127.0.0.1', %s, 'r' || n, %s"
        " FROM generate_series(1, %s) n",
        f"sip:127.0.0.1:{port}",
        spread_s,
        rows,
    )
    server.execute(
        "INSERT INTO ps_auths (id, auth_type, username, password) SELECT 'r' || n, 'userpass',"
        " 'r' || n, 'secret' FROM generate_series(1, %s) n",
        rows,
    )
    server.execute("ANALYZE")
    return rows


def timed(what: str, work: Callable[[], int]) -> None:
    """Say how long something took, and for how many."""
    began, cpu = time.perf_counter(), time.process_time()
    number = work()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    print(f"  {what:<46} {number:>8}  {took:6.2f} s  {used:6.2f} s of our processor", flush=True)


async def rows_of(overview: Overview, *, first: bool = False) -> int:
    """How many registrations a table of the fleet has, or its first page."""
    count = 0
    async for page in overview.registrations(Wanted()):
        count += len(page)
        if first:
            break
    return count


def read(server: Postgres, shards: range) -> int:
    """Read the rows of shards and make registrations of them."""
    database = Database(driver="pgsql", location=SecretStr(server.url()), title="here")
    inspector = Inspector(OpenTransports(frozenset(), frozenset({("udp", 4)})))
    with PostgresRows.open(database) as rows:
        options = option_names(Registration)
        records = rows.records(
            "ps_registrations", options, ESSENTIAL["registration"], shards=list(shards)
        )
        built = build.registrations(sections("ps_registrations", records, options), inspector, {})
    return len(built.objects)


async def beats(server: Postgres) -> None:
    """Beats and state writes of one machine that owns everything."""
    garbage.tune()  # as an instance does
    identity = Identity("bench", "proof", 10**6, "here", "0")
    store = FleetTables(server.url(), identity)
    await store.open()
    me = await store.ask(Join(), None, Counts())
    await store.ask(Renew(), me, Counts())
    await store.ask(Plan(), me, Counts())
    owned = dict(await store.ask(Claim(tuple(range(256))), me, Counts()))
    took = []
    for _ in range(200):
        began = time.perf_counter()
        await store.ask(Renew(), me, Counts())
        took.append(time.perf_counter() - began)
    took.sort()
    print(f"  a beat: {took[100] * 1000:.1f} ms median, {took[197] * 1000:.1f} ms at 99 %")
    server.execute(
        "INSERT INTO pjreg.state (shard, id, epoch, identity, call_id, cseq, status, granted_s)"
        " SELECT pjreg.shard_of(id), id, 1, 'i', md5(id), 1, 'registered', 3600"
        " FROM ps_registrations"
    )
    server.execute("VACUUM ANALYZE pjreg.state")
    drawn = Random(1).choices(range(1, ROWS + 1), k=WRITES * WRITING_S)
    rows = [
        Resumable(f"r{n}", "i", "c" * 32, n, "registered", granted_s=3600, expires_in_s=3600.0,
                  refresh_in_s=3500.0, shard=shard_of(f"r{n}"), epoch=owned[shard_of(f"r{n}")])
        for n in drawn
    ]  # fmt: skip
    began, server_s, own_s = time.perf_counter(), server.cpu_s(), time.process_time()
    for number in range(5 * WRITING_S):
        batch = rows[number * WRITES // 5 : (number + 1) * WRITES // 5]
        await store.write(batch, me)
        await asyncio.sleep(max(0.0, began + (number + 1) / 5 - time.perf_counter()))
    took_s = time.perf_counter() - began
    print(
        f"  {len(rows) / took_s:.0f} states written a second cost"
        f" {100 * (server.cpu_s() - server_s) / took_s:.0f} % of a core in the server,"
        f" {100 * (time.process_time() - own_s) / took_s:.0f} % here"
    )
    await asyncio.sleep(0.5)  # for the numbers of the server
    ((changed, in_place),) = server.execute(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
        " WHERE relid = 'pjreg.state'::regclass"
    )
    print(f"  {100 * in_place / max(changed, 1):.0f} % of them in place")
    began = time.perf_counter()
    for start in range(0, len(rows), 1000):
        await store.write(rows[start : start + 1000], me)
    print(f"  as fast as it goes: {len(rows) / (time.perf_counter() - began):.0f} a second")
    away = asyncio.create_task(longest_gap())
    began = time.perf_counter()
    found = await store.states(range(26))
    took_s = time.perf_counter() - began
    away.cancel()
    print(
        f"  {len(found)} states read in {took_s:.2f} s, the loop away for {gap_s[0] * 1e3:.0f} ms"
    )
    await store.close()


gap_s = [0.0]


async def longest_gap() -> None:
    """Note for how long the loop serves nobody else, in seconds of our processor."""
    while True:
        began = time.thread_time()  # others have the processor, too
        await asyncio.sleep(0.001)
        gap_s[0] = max(gap_s[0], time.thread_time() - began)


def tables(home: Path, server: Postgres) -> None:
    """What reading again costs a machine that has a tenth of all, and what the fleet's table."""
    one = configured(home / "reader", server.url(), "reader")
    settings = load(one.etc, open_rows)
    mine = replace(settings, shards=frozenset(range(26)))

    def again(told: Told) -> Callable[[], int]:
        def work() -> int:
            nonlocal mine
            mine = replace(reload(told.within(mine), Scope.REGISTRATIONS).settings, fresh=None)
            return len(mine.registrations)

        return work

    timed("rows of 26 shards read by a reload", again(EVERYTHING))
    timed("read again, nothing changed", again(EVERYTHING))
    timed("read again, one shard was told of", again(Told(frozenset({7}), frozenset())))
    overview = Overview(lambda: settings)
    timed("table of the whole fleet", lambda: asyncio.run(rows_of(overview)))
    timed("the first rows of it", lambda: asyncio.run(rows_of(overview, first=True)))
    timed("one found", lambda: int(asyncio.run(overview.find("r4711")) is not None))
    update = "UPDATE ps_registrations SET expiration = %s WHERE id IN (SELECT 'r' || n FROM"
    update += " generate_series(1, 50000) n)"
    timed("50,000 rows changed at once", lambda: len(server.execute(update, 1800)) + 50_000)
    server.execute((sql.FOLDER / "triggers.sql").read_text("utf-8"))
    timed("the same, with triggers", lambda: len(server.execute(update, 3600)) + 50_000)


def takeover(home: Path, server: Postgres, judge: Judge) -> None:
    """Kill one of three and see when the others have gone on."""
    fill(server, ACCOUNTS, judge.port, SPREAD_S)
    machines = {name: machine(home, server, name) for name in ("sip-1", "sip-2", "sip-3")}
    try:
        took = wait(lambda: judge.registered() == ACCOUNTS, 300.0)
        print(f"  {ACCOUNTS} registered by three after {took:.1f} s", flush=True)
        _whole(server, 3)
        time.sleep(5.0)
        mine = int(
            server.execute(
                "SELECT count(*) FROM pjreg.state t JOIN pjreg.shard s USING (shard)"
                " JOIN pjreg.instance i ON i.incarnation = s.owner WHERE i.name = 'sip-2'"
            )[0][0]
        )
        ports = {name: port_of(one) for name, one in machines.items()}
        killed_at, mark = judge.clock(), judge.mark()
        machines["sip-2"].signal(signal.SIGKILL)
        claimed = wait(lambda: _fenced(server) and _unowned(server) == 0, 60.0)
        began = time.perf_counter()
        survivors = [machines["sip-1"], machines["sip-3"]]
        wait(lambda: all(map(_loaded, survivors)), 60.0)
        loaded = claimed + time.perf_counter() - began
        print(f"  {mine} taken over: claimed {claimed:.1f} s, all loaded {loaded:.1f} s after")
        gone = {name for _, name, _, port in judge.since(0)[:mark] if port == ports["sip-2"]}
        after = [at for at, n, _, port in judge.since(mark) if n in gone and port != ports["sip-2"]]
        print(f"  the first of them refreshed {after[0] - killed_at:.1f} s after")
        mark = judge.mark()
        for name in ("sip-1", "sip-3"):
            used = memory_kib(machines[name]) / _shown(machines[name])
            print(f"  {name} has {used:.1f} KiB for each account")
        time.sleep(SPREAD_S)
        busiest: dict[int, int] = {}
        for at, *_ in judge.since(mark):
            busiest[int(at)] = busiest.get(int(at), 0) + 1
        print(f"  busiest second after it: {max(busiest.values())} REGISTERs")
        print(f"  refreshed before they were due: {len(judge.early(killed_at))}")
        held = sum(one.log().count("holds: its lease") for one in survivors)
        if held:
            print(f"  survivors have held {held} times: this machine was too busy")
        verdict(judge)
    finally:
        for one in machines.values():
            one.stop()


def verdict(judge: Judge) -> None:
    """What was seen that must not be."""
    seen = judge.verdict
    print(
        f"  lapses {len(seen.lapses)}, new Call-IDs {len(seen.new_call_ids)},"
        f" CSeq not higher {len(seen.not_higher)}, two senders {len(seen.overlaps)}"
    )


def outage(home: Path, server: Postgres) -> None:
    """PostgreSQL is gone for 60 s, in which every account falls due; grants of 200 s, so that the
    margin is 67 s."""
    with Judge(200.0, 6.0, 200 / 3) as judge:
        server.fresh()
        fill(server, 5000, judge.port, 50)
        folder = home / "outage"
        folder.mkdir()
        machines = {n: machine(folder, server, n) for n in ("sip-1", "sip-2", "sip-3")}
        try:
            began = judge.clock()
            wait(lambda: judge.registered() == 5000, 120.0)
            time.sleep(max(0.0, began + 128 - judge.clock()))
            requests = judge.requests
            server.stop("immediate")
            gone_at = judge.clock()
            time.sleep(60.0)
            server.start()
            during = judge.requests - requests
            print(
                f"  PostgreSQL gone for {judge.clock() - gone_at:.0f} s: {during} REGISTERs in it"
            )
            mark = judge.mark()
            took = wait(lambda: len({n for _, n, _, _ in judge.since(mark)}) + during >= 5000, 90.0)
            print(f"  all overdue ones sent {took:.1f} s after its return")
            ended = server.execute("SELECT count(*) FROM pjreg.instance WHERE state = 'fenced'")
            print(f"  machines ended by mistake: {ended[0][0]}, registered: {judge.registered()}")
            verdict(judge)
        finally:
            for one in machines.values():
                one.stop()


def port_of(one: Instance) -> int:
    """Where its requests come from."""
    found = re.search(r"bind = [0-9.]+:(\d+)", (one.etc / "pjsip.conf").read_text())
    assert found is not None
    return int(found[1])


def memory_kib(one: Instance) -> int:
    """What it has in memory."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{one.pid}/status").read_text())
    assert found is not None
    return int(found[1])


def _whole(server: Postgres, machines: int) -> None:
    wait(
        lambda: (
            server.execute(
                "SELECT count(DISTINCT owner), count(*) FROM pjreg.shard WHERE owner IS NOT NULL"
            )
            == [(machines, 256)]
        ),
        60.0,
    )


def _unowned(server: Postgres) -> int:
    rows = server.execute(
        "SELECT count(*) FROM pjreg.shard s WHERE NOT EXISTS (SELECT FROM pjreg.instance i"
        " WHERE i.incarnation = s.owner AND i.state = 'live')"
    )
    return int(rows[0][0])


def _fenced(server: Postgres) -> bool:
    ((ended,),) = server.execute("SELECT count(*) FROM pjreg.instance WHERE state = 'fenced'")
    return bool(ended)


def _loaded(one: Instance) -> bool:
    """Whether it has taken up all that it owns now, half of all."""
    this = json.loads(one.ask("pjreg cluster show", "--json").out)["this"]
    return this["shards"] == 128 and not this["loading"]


def _shown(one: Instance) -> int:
    return int(one.ask("pjsip show registrations").out.rsplit("Objects found:", 1)[-1])


def main() -> int:
    """Measure everything; 0 where there is no PostgreSQL, with a word."""
    if binaries() is None:
        print("benchmarks/cluster.py needs PostgreSQL: apt-get install postgresql")
        return 0
    with short_folder() as home, postgres() as server, Judge(GRANT_S, 6.0, GRANT_S / 3) as judge:
        timed(f"tables of {ROWS} accounts made", lambda: fill(server, ROWS, judge.port))
        timed("rows of 26 of 256 shards read and checked", lambda: read(server, range(26)))
        timed("rows of 3 shards", lambda: read(server, range(3)))
        tables(home, server)
        asyncio.run(beats(server))
        takeover(home, server, judge)
        if OUTAGE:
            outage(home, server)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"  the largest process had {peak} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
