"""What a fleet costs: tables of half a million accounts, a beat, state writes, a takeover.

Needs Debian's postgresql.  Set ACCOUNTS to take over more than the default; three instances,
PostgreSQL and the registrar share this machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from pjreg_cli.cluster.messages import Claim, Join, Plan, Renew
from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.cluster.store import Counts, Identity
from pjreg_cli.config import build
from pjreg_cli.config.models import Registration
from pjreg_cli.config.realtime import Database
from pjreg_cli.config.rows import ESSENTIAL, sections
from pjreg_cli.config.rules import Inspector, OpenTransports
from pjreg_cli.config.types import option_names
from pjreg_cli.store.postgres import FleetTables
from pjreg_cli.store.postgres_rows import PostgresRows
from pjreg_cli.store.sql import schema
from tests.support.cluster_story import machine, wait
from tests.support.instance import Instance, short_folder
from tests.support.judge import Judge
from tests.support.postgres import Postgres, binaries, postgres

ROWS = int(os.environ.get("ROWS", "500000"))
ACCOUNTS = int(os.environ.get("ACCOUNTS", "15000"))
GRANT_S = 120.0


def fill(server: Postgres, rows: int, port: int) -> int:
    """Asterisk's tables with so many accounts, and a fleet's."""
    server.fresh()
    server.execute(schema())
    server.execute(
        "INSERT INTO ps_registrations (id, client_uri, server_uri, outbound_auth,"
        " max_random_initial_delay) SELECT 'r' || n, 'sip:r' || n || '@127.0.0.1', %s, 'r' || n, 5"
        " FROM generate_series(1, %s) n",
        f"sip:127.0.0.1:{port}",
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


def read(server: Postgres, shards: range) -> int:
    """Read the rows of shards and make registrations of them."""
    database = Database("pgsql", SecretStr(server.url()), "here")
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
    rows = [
        Resumable(f"r{n}", "i", "c" * 32, n, "registered", granted_s=3600, expires_in_s=3600.0,
                  refresh_in_s=3500.0, shard=n % 256, epoch=owned[n % 256])
        for n in range(20_000)
    ]  # fmt: skip
    for name in ("first", "again"):
        began = time.perf_counter()
        for start in range(0, len(rows), 1000):
            await store.write(rows[start : start + 1000], me)
        took_s = time.perf_counter() - began
        print(f"  {len(rows)} states written {name}: {len(rows) / took_s:.0f} a second")
    began = time.perf_counter()
    found = await store.states(range(256))
    print(f"  {len(found)} states read in {time.perf_counter() - began:.2f} s")
    await store.close()


def takeover(home: Path, server: Postgres, judge: Judge) -> None:
    """Kill one of three and see when the others have gone on."""
    fill(server, ACCOUNTS, judge.port)
    server.execute("DELETE FROM ps_auths")
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
        machines["sip-2"].signal(signal.SIGKILL)
        claimed = wait(lambda: _fenced(server) and _unowned(server) == 0, 60.0)
        began = time.perf_counter()
        survivors = [machines["sip-1"], machines["sip-3"]]
        wait(lambda: sum(_loaded(one) for one in survivors) == ACCOUNTS, 60.0)
        loaded = claimed + time.perf_counter() - began
        print(f"  {mine} taken over: claimed {claimed:.1f} s, all loaded {loaded:.1f} s after")
        mark, log = judge.mark(), {name for _, name, _, _ in judge.since(0)}
        assert len(log) == ACCOUNTS
        time.sleep(GRANT_S)
        busiest: dict[int, int] = {}
        for at, *_ in judge.since(mark):
            busiest[int(at)] = busiest.get(int(at), 0) + 1
        print(f"  busiest second after it: {max(busiest.values())} REGISTERs")
        verdict = judge.verdict
        print(
            f"  lapses {len(verdict.lapses)}, new Call-IDs {len(verdict.new_call_ids)},"
            f" CSeq not higher {len(verdict.not_higher)}"
        )
    finally:
        for one in machines.values():
            one.stop()


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


def _loaded(one: Instance) -> int:
    """How many registrations it has, 0 while it still takes up some."""
    found = json.loads(one.ask("pjreg cluster show", "--json").out)
    if found["this"]["loading"]:
        return 0
    return int(one.ask("pjsip show registrations").out.rsplit("Objects found:", 1)[-1])


def main() -> int:
    """Measure everything; 0 where there is no PostgreSQL, with a word."""
    if binaries() is None:
        print("benchmarks/cluster.py needs PostgreSQL: apt-get install postgresql")
        return 0
    with short_folder() as home, postgres() as server, Judge(GRANT_S) as judge:
        timed(f"tables of {ROWS} accounts made", lambda: fill(server, ROWS, judge.port))
        timed("rows of 26 of 256 shards read and checked", lambda: read(server, range(26)))
        timed("rows of 3 shards", lambda: read(server, range(3)))
        asyncio.run(beats(server))
        takeover(home, server, judge)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"  the largest process had {peak} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
