"""Three machines that share the accounts of a real PostgreSQL, and a registrar that judges them.

Whatever happens to machines, network and database: no binding lapses, no Call-ID changes, no CSeq
is not higher, and soon every account is registered again.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from pjreg_cli.store.sql import schema
from tests.support.instance import Done, Instance, run
from tests.support.judge import Judge
from tests.support.ports import free_port
from tests.support.postgres import Postgres, binaries, postgres
from tests.support.proxy import Proxy
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(binaries() is None, reason="Debian's postgresql is not installed"),
    pytest.mark.timeout(180),
]

LEASE_MS = 1500
ACCOUNTS = 300
GRANT_S = 24.0
#: what all machines offer: the address of the SBC before them
CONTACT = "external_signaling_address = 192.0.2.10\nexternal_signaling_port = 5060\n"
TRANSPORT = "[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{port}\n" + CONTACT
FILES = {
    "sorcery.conf": """\
[res_pjsip]
auth = realtime,ps_auths
[res_pjsip_outbound_registration]
registration = realtime,ps_registrations
""",
    "extconfig.conf": "[settings]\nps_registrations => pgsql,a\nps_auths => pgsql,a\n",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as one:
        yield one


@pytest.fixture
def judge() -> Iterator[Judge]:
    with Judge(GRANT_S) as one:
        yield one


class Fleet:
    """Machines of one fleet."""

    def __init__(self, home: Path, server: Postgres, judge: Judge) -> None:
        self.home = home
        self.server = server
        self.judge = judge
        self.machines: dict[str, Instance] = {}

    def prepare(self, accounts: int = ACCOUNTS) -> None:
        """Fresh tables with this many accounts."""
        self.server.fresh()
        self.server.execute(schema(lease_ms=LEASE_MS))
        self.server.execute(
            "INSERT INTO ps_registrations (id, client_uri, server_uri, max_random_initial_delay,"
            " expiration) SELECT 'r' || n, 'sip:r' || n || '@127.0.0.1', %s, 2, 3600"
            " FROM generate_series(1, %s) n",
            f"sip:127.0.0.1:{self.judge.port}",
            accounts,
        )
        self.server.execute("ANALYZE ps_registrations")

    async def start(self, name: str, port: int = 0, **options: str) -> Instance:
        """Start a machine; its database is behind `port`, if there is a proxy."""
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        one = Instance(folder, TRANSPORT.format(port=free_port()))
        for file, text in FILES.items():
            (one.etc / file).write_text(text)
        more = "".join(f"{key} = {value}\n" for key, value in options.items())
        (one.etc / "pjreg.conf").write_text(
            f"[database]\nurl = {self.server.url(port=port)}\n"
            f"[cluster]\nname = {name}\ntakeover_rate = 1000\n{more}"
        )
        self.machines[name] = one
        await asyncio.to_thread(one.start)
        return one

    def owned(self) -> dict[str, int]:
        """How many shards each machine that is alive owns."""
        rows = self.server.execute(
            "SELECT i.name, count(s.shard) FROM pjreg.instance i LEFT JOIN pjreg.shard s"
            " ON s.owner = i.incarnation WHERE i.state IN ('live', 'draining') GROUP BY i.name"
        )
        return dict(rows)

    async def settled(self, *names: str, within_s: float = 40.0) -> None:
        """Wait until these machines own everything and every account is registered."""

        def reached() -> bool:
            owned = self.owned()
            return (
                set(owned) == set(names)
                and sum(owned.values()) == 256
                and max(owned.values()) - min(owned.values()) <= 1
                and self.judge.registered() == ACCOUNTS
            )

        try:
            await asyncio.to_thread(until, reached, "the fleet is whole", within_s)
        except AssertionError:
            seen = f"{self.owned()}, {self.judge.registered()} registered"
            raise AssertionError(f"{seen}\n{self.logs()}") from None

    def shown(self) -> int:
        """How many registrations all machines show."""
        shown = (one.ask("pjsip show registrations", "--json") for one in self.machines.values())
        return sum(len(json.loads(done.out)) for done in shown)

    def logs(self) -> str:
        """The end of every machine's log."""
        return "\n".join(f"-- {n}\n{m.log()[-1500:]}" for n, m in self.machines.items())

    def acquitted(self) -> None:
        """Nothing was seen that must not be."""
        verdict = self.judge.verdict
        assert verdict.lapses == []
        assert verdict.new_call_ids == []
        assert verdict.not_higher == []

    async def stop(self) -> None:
        for one in self.machines.values():
            await asyncio.to_thread(one.stop)


@pytest.fixture
async def fleet(home: Path, server: Postgres, judge: Judge) -> AsyncIterator[Fleet]:
    one = Fleet(home, server, judge)
    one.prepare()
    yield one
    await one.stop()


async def three(fleet: Fleet) -> None:
    """Three machines that have registered everything."""
    for name in ("sip-1", "sip-2", "sip-3"):
        await fleet.start(name)
    await fleet.settled("sip-1", "sip-2", "sip-3")


async def test_shares_are_equal_and_a_killed_machine_is_taken_over(fleet: Fleet) -> None:
    await three(fleet)
    fleet.machines["sip-2"].signal(signal.SIGKILL)
    await asyncio.to_thread(fleet.machines["sip-2"].wait)
    await fleet.settled("sip-1", "sip-3")
    mark = fleet.judge.mark()
    await asyncio.sleep(GRANT_S)  # every binding is refreshed once at least
    assert fleet.judge.registered() == ACCOUNTS
    assert len({user for _, user, _, _ in fleet.judge.since(mark)}) == ACCOUNTS
    fleet.acquitted()


async def test_a_machine_that_was_stopped_for_a_while_sends_nothing_when_it_wakes(
    fleet: Fleet,
) -> None:
    await three(fleet)
    stopped = fleet.machines["sip-2"]
    stopped.signal(signal.SIGSTOP)
    await fleet.settled("sip-1", "sip-3")
    await asyncio.sleep(4.0)
    stopped.signal(signal.SIGCONT)
    await fleet.settled("sip-1", "sip-2", "sip-3")
    await asyncio.sleep(GRANT_S / 2)
    await fleet.settled("sip-1", "sip-2", "sip-3")
    fleet.acquitted()


async def test_a_machine_that_is_told_to_end_hands_over(fleet: Fleet) -> None:
    await three(fleet)
    requests = fleet.judge.requests
    assert await asyncio.to_thread(fleet.machines["sip-3"].stop) == 0
    await fleet.settled("sip-1", "sip-2", within_s=5.0)
    assert fleet.judge.registered() == ACCOUNTS
    assert fleet.judge.requests - requests < ACCOUNTS, "taking over is reading"
    fleet.acquitted()


async def test_a_machine_that_joins_gets_its_share(fleet: Fleet) -> None:
    await fleet.start("sip-1")
    await fleet.settled("sip-1")
    await fleet.start("sip-2")
    await fleet.settled("sip-1", "sip-2")
    await asyncio.to_thread(until, lambda: len(fleet.judge.senders()) == 2, "both refresh", 30.0)
    await fleet.settled("sip-1", "sip-2")
    fleet.acquitted()


async def test_killed_and_started_again_it_has_its_own_shards_at_once(fleet: Fleet) -> None:
    fleet.server.execute("UPDATE pjreg.cluster SET lease_ms = 12000")
    await three(fleet)
    again = fleet.machines["sip-1"]
    again.signal(signal.SIGKILL)
    await asyncio.to_thread(again.wait)
    await asyncio.to_thread(again.start)
    await fleet.settled("sip-1", "sip-2", "sip-3")
    states = fleet.server.execute(
        "SELECT state, ended_by FROM pjreg.instance WHERE name = 'sip-1' ORDER BY joined_at"
    )
    assert [state for state, _ in states] == ["fenced", "live"]
    assert states[0][1] == "sip-1", "its own lock file is proof enough"
    fleet.acquitted()


@pytest.mark.parametrize("how", ["refuse", "swallow"])
async def test_cut_off_from_the_database_it_holds_and_others_go_on(fleet: Fleet, how: str) -> None:
    async with Proxy.open(fleet.server.port) as proxy:
        await fleet.start("sip-1", port=proxy.port)
        await fleet.start("sip-2")
        await fleet.settled("sip-1", "sip-2")
        getattr(proxy, how)()
        await fleet.settled("sip-2")
        assert "holds: its lease is not trusted" in fleet.machines["sip-1"].log()
        await asyncio.sleep(3.0)
        proxy.let_pass()
        await fleet.settled("sip-1", "sip-2")
        await asyncio.sleep(GRANT_S / 2)
        await fleet.settled("sip-1", "sip-2")
        fleet.acquitted()
        await fleet.stop()


async def test_without_the_database_nobody_takes_over_and_all_go_on(fleet: Fleet) -> None:
    await three(fleet)
    before = fleet.owned()
    fleet.server.stop("immediate")
    await asyncio.sleep(8.0)
    fleet.server.start()
    await fleet.settled("sip-1", "sip-2", "sip-3")
    assert fleet.owned() == before
    ended = fleet.server.execute("SELECT count(*) FROM pjreg.instance WHERE state = 'fenced'")
    assert ended == [(0,)], "silence of the database is nobody's death"
    await asyncio.sleep(GRANT_S / 2)
    fleet.acquitted()


async def test_where_all_offer_one_contact_no_binding_ends_for_want_of_a_database(
    fleet: Fleet,
) -> None:
    for name in ("sip-1", "sip-2"):
        await fleet.start(name, takeover="refresh")
    await fleet.settled("sip-1", "sip-2")
    # what is owned and not taken up yet is nobody's without a database
    await asyncio.to_thread(until, lambda: fleet.shown() == ACCOUNTS, "all are taken up")
    fleet.server.stop("immediate")
    await asyncio.sleep(1.5 * GRANT_S)
    assert fleet.judge.registered() == ACCOUNTS, "each was refreshed when it had 10 s left"
    fleet.server.start()
    await fleet.settled("sip-1", "sip-2")
    fleet.acquitted()


async def test_a_standby_that_had_lost_the_last_commits_is_promoted(
    home: Path, server: Postgres, judge: Judge
) -> None:
    fleet = Fleet(home, server, judge)
    fleet.prepare()
    with postgres(standby_of=server) as standby:
        async with Proxy.open(server.port) as proxy:
            for name in ("sip-1", "sip-2"):
                await fleet.start(name, port=proxy.port)
            await fleet.settled("sip-1", "sip-2")
            with standby.connect("postgres") as connection:
                connection.execute("SELECT pg_wal_replay_pause()")
            await fleet.start("sip-3", port=proxy.port)
            await fleet.settled("sip-1", "sip-2", "sip-3")
            proxy.refuse()
            server.stop("immediate")
            with standby.connect("postgres") as connection:
                connection.execute("SELECT pg_wal_replay_resume()")
            standby.promote()
            proxy.target = standby.port
            proxy.let_pass()
            fleet.server = standby
            try:
                await fleet.settled("sip-1", "sip-2", "sip-3")
                await asyncio.sleep(GRANT_S / 2)
                await fleet.settled("sip-1", "sip-2", "sip-3")
                fleet.acquitted()
            finally:
                await fleet.stop()
                server.start()


async def test_two_machines_of_one_name_do_not_both_run(fleet: Fleet) -> None:
    await fleet.start("sip-1")
    await fleet.settled("sip-1")
    other = Instance(fleet.home, TRANSPORT.format(port=free_port()))
    for file, text in FILES.items():
        (other.etc / file).write_text(text)
    (other.etc / "pjreg.conf").write_text(
        f"[database]\nurl = {fleet.server.url()}\n[cluster]\nname = sip-1\n"
    )
    await asyncio.to_thread(other.launch)
    assert await asyncio.to_thread(other.wait) == 1
    assert "which is alive: each machine needs its own name" in other.log()
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
    one = Instance(fleet.home, TRANSPORT.format(port=free_port()))
    for file, text in FILES.items():
        (one.etc / file).write_text(text)
    (one.etc / "pjreg.conf").write_text(
        f"[database]\nurl = {fleet.server.url()}\n[cluster]\nname = sip-9\n"
    )
    await asyncio.to_thread(one.launch)
    assert await asyncio.to_thread(one.wait) == 1
    assert complaint in one.log()


async def test_a_right_that_is_missing_is_said_and_what_runs_goes_on(fleet: Fleet) -> None:
    fleet.server.execute("DROP ROLE IF EXISTS watcher")
    fleet.server.execute("CREATE ROLE watcher LOGIN IN ROLE pjreg_reader")
    fleet.server.execute("GRANT SELECT ON ps_registrations, ps_auths TO watcher")
    one = Instance(fleet.home, TRANSPORT.format(port=free_port()))
    fleet.machines["sip-9"] = one
    for file, text in FILES.items():
        (one.etc / file).write_text(text)
    (one.etc / "pjreg.conf").write_text(
        f"[database]\nurl = {fleet.server.url(user='watcher')}\n[cluster]\nname = sip-9\n"
    )
    await asyncio.to_thread(one.start)
    assert "permission denied for table instance (42501)" in one.log()
    shown = await asyncio.to_thread(one.ask, "pjreg cluster check")
    assert shown.status == 1
    assert "NO  UPDATE on pjreg.instance" in shown.out
    fleet.server.execute("GRANT pjreg_instance TO watcher")
    await fleet.settled("sip-9")
    fleet.acquitted()


async def test_each_account_has_one_sender(fleet: Fleet) -> None:
    await three(fleet)
    mark = fleet.judge.mark()
    await asyncio.sleep(GRANT_S)
    senders: dict[str, set[int]] = {}
    for _, user, _, port in fleet.judge.since(mark):
        senders.setdefault(user, set()).add(port)
    assert {len(ports) for ports in senders.values()} == {1}
    shown = 0
    for one in fleet.machines.values():
        shown += len(json.loads(one.ask("pjsip show registrations", "--json").out))
    assert shown == ACCOUNTS
    fleet.acquitted()


async def test_an_operator_sees_and_steers_the_fleet(fleet: Fleet) -> None:
    await three(fleet)
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
    await fleet.start("sip-1")
    await fleet.start("sip-2")
    await fleet.settled("sip-1", "sip-2")
    fleet.server.execute("UPDATE ps_registrations SET contact_user = 'x' WHERE id = 'r5'")
    fleet.server.execute("DELETE FROM ps_registrations WHERE id = 'r6'")
    await asyncio.to_thread(until, lambda: fleet.judge.registered() == ACCOUNTS - 1, "r6 is gone")
    assert fleet.judge.verdict.not_higher == []
