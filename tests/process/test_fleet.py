"""Three machines that share the accounts of a real PostgreSQL, and a registrar that judges them.

Whatever happens to machines, network and database: no binding lapses, no Call-ID changes, no CSeq
is not higher, nobody sends for an account while another machine may, or again after another has
gone on, and soon every account is registered again.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.fleet import ACCOUNTS, GRANT_S, LEASE_S, Fleet
from tests.support.judge import Judge
from tests.support.namespaces import island, require_namespaces
from tests.support.ports import free_port
from tests.support.postgres import Postgres, binaries, postgres
from tests.support.proxy import Proxy
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(binaries() is None, reason="Debian's postgresql is not installed")


@pytest.fixture
def judge() -> Iterator[Judge]:
    with Judge(GRANT_S, LEASE_S) as one:
        yield one


@pytest.fixture
async def fleet(home: Path, database: Postgres, judge: Judge) -> AsyncIterator[Fleet]:
    one = Fleet(home, database, judge)
    one.prepare()
    yield one
    await one.stop()


async def three(fleet: Fleet) -> None:
    """Three machines that have registered everything."""
    await fleet.start("sip-1", "sip-2", "sip-3")
    await fleet.settled("sip-1", "sip-2", "sip-3", planned=True)


async def test_each_account_has_one_sender_and_a_killed_machine_is_taken_over(
    fleet: Fleet,
) -> None:
    await three(fleet)
    mark = fleet.judge.mark()
    await fleet.refreshed()
    assert len({(user, port) for _, user, _, port in fleet.judge.since(mark)}) == ACCOUNTS
    killed_at = await fleet.written()
    fleet.machines["sip-2"].signal(signal.SIGKILL)
    await asyncio.to_thread(fleet.machines["sip-2"].wait)
    await fleet.settled("sip-1", "sip-3")
    await fleet.refreshed()
    assert fleet.judge.early(killed_at) == [], (
        "taking over is reading: nothing is sent before it is due"
    )


async def test_a_machine_that_was_stopped_for_a_while_sends_nothing_when_it_wakes(
    fleet: Fleet,
) -> None:
    await three(fleet)
    stopped = fleet.machines["sip-2"]
    stopped.signal(signal.SIGSTOP)
    await fleet.settled("sip-1", "sip-3")
    await fleet.refreshed()
    stopped.signal(signal.SIGCONT)
    await fleet.settled("sip-1", "sip-2", "sip-3", planned=True)
    await fleet.refreshed()


async def test_a_machine_that_is_told_to_end_hands_over(fleet: Fleet) -> None:
    await three(fleet)
    stopped_at = await fleet.written()
    assert await asyncio.to_thread(fleet.machines["sip-3"].stop) == 0
    await fleet.settled("sip-1", "sip-2", planned=True)
    await fleet.refreshed()
    assert fleet.judge.early(stopped_at) == [], (
        "taking over is reading: nothing is sent before it is due"
    )


async def test_a_machine_that_joins_gets_its_share(fleet: Fleet) -> None:
    await fleet.start("sip-1")
    await fleet.settled("sip-1")
    await fleet.start("sip-2")
    await fleet.settled("sip-1", "sip-2", planned=True)
    await fleet.refreshed()
    assert len(fleet.judge.senders()) == 2


async def test_killed_and_started_again_it_has_its_own_shards_at_once(fleet: Fleet) -> None:
    fleet.server.execute("UPDATE pjreg.cluster SET lease_ms = 24000")
    await three(fleet)
    again = fleet.machines["sip-1"]
    again.signal(signal.SIGKILL)
    await asyncio.to_thread(again.wait)
    await asyncio.to_thread(again.start)
    # it answers commands before it has joined, and until then the tables are as it left them
    lives = "SELECT state, ended_by FROM pjreg.instance WHERE name = 'sip-1' ORDER BY joined_at"
    await asyncio.to_thread(until, lambda: len(fleet.server.execute(lives)) > 1, "a second life")
    await fleet.settled("sip-1", "sip-2", "sip-3")
    states = fleet.server.execute(lives)
    assert [state for state, _ in states] == ["fenced", "live"]
    assert states[0][1] == "sip-1", "its own lock file is proof enough"
    await fleet.refreshed()


@pytest.mark.parametrize("how", ["refuse", "swallow"])
async def test_cut_off_from_the_database_it_holds_and_others_go_on(fleet: Fleet, how: str) -> None:
    async with Proxy.open(fleet.server.port) as proxy:
        await fleet.start("sip-1", port=proxy.port)
        await fleet.start("sip-2")
        await fleet.settled("sip-1", "sip-2", planned=True)
        getattr(proxy, how)()
        await fleet.settled("sip-2")
        await fleet.says("sip-1", "holds: its lease is not trusted")
        await fleet.refreshed()
        proxy.let_pass()
        await fleet.settled("sip-1", "sip-2", planned=True)
        await fleet.refreshed()
        await fleet.stop()


@pytest.mark.long
async def test_packets_that_vanish_are_noticed(fleet: Fleet) -> None:
    """Not even the kernel of the other side acknowledges anything."""
    require_namespaces()
    port = free_port()
    with island() as far:
        fleet.judge.listen(far.bound(socket.SOCK_DGRAM, fleet.judge.port))
        listener = far.bound(socket.SOCK_STREAM, port)
        async with Proxy.open(fleet.server.port, listener):
            url = fleet.server.url(port=port)
            fleet.machines["sip-1"] = fleet.machine("sip-1", url, far.prefix)
            await asyncio.to_thread(fleet.machines["sip-1"].start)
            await fleet.start("sip-2")
            await fleet.settled("sip-1", "sip-2", planned=True)
            far.swallow(port)
            await fleet.settled("sip-2")
            await fleet.says("sip-1", "holds: its lease is not trusted")
            await fleet.refreshed()
            far.let_pass()
            await fleet.settled("sip-1", "sip-2", planned=True)
            await fleet.refreshed()
            await fleet.stop()


async def test_without_the_database_nobody_takes_over_and_all_go_on(fleet: Fleet) -> None:
    await three(fleet)
    before = fleet.owned()
    fleet.server.stop("immediate")
    for name in before:
        await fleet.says(name, "holds: its lease is not trusted")
    await asyncio.sleep(2 * LEASE_S)  # long enough for whoever would take over
    fleet.server.start()
    await fleet.settled("sip-1", "sip-2", "sip-3")
    assert fleet.owned() == before
    ended = fleet.server.execute("SELECT count(*) FROM pjreg.instance WHERE state = 'fenced'")
    assert ended == [(0,)], "silence of the database is nobody's death"
    await fleet.refreshed()


@pytest.mark.long
async def test_where_all_offer_one_contact_no_binding_ends_for_want_of_a_database(
    fleet: Fleet,
) -> None:
    await fleet.start("sip-1", "sip-2", takeover="refresh")
    await fleet.settled("sip-1", "sip-2", planned=True)
    # what was owned and not taken up would be nobody's without a database
    fleet.server.stop("immediate")
    for name in ("sip-1", "sip-2"):
        await fleet.says(name, "holds: its lease is not trusted")
    for _ in range(3):
        await fleet.refreshed()
    fleet.server.start()
    await fleet.settled("sip-1", "sip-2")
    await fleet.refreshed()


async def test_a_standby_that_had_lost_the_last_commits_is_promoted(fleet: Fleet) -> None:
    server = fleet.server
    with postgres(standby_of=server) as standby:
        async with Proxy.open(server.port) as proxy:
            await fleet.start("sip-1", "sip-2", port=proxy.port)
            await fleet.settled("sip-1", "sip-2", planned=True)
            standby.stop_receiving()
            await fleet.start("sip-3", port=proxy.port)
            await fleet.settled("sip-1", "sip-2", "sip-3", planned=True)
            marks = {name: len(fleet.machines[name].log()) for name in ("sip-1", "sip-2")}
            proxy.refuse()
            server.stop("immediate")
            standby.promote()
            proxy.target = standby.port
            proxy.let_pass()
            fleet.server = standby
            try:
                await fleet.says("sip-3", "shards less: fenced")  # nobody knows of it any more
                await fleet.settled("sip-1", "sip-2", "sip-3", planned=True)
                await fleet.refreshed()
                for name in ("sip-1", "sip-2"):
                    # whoever could not tell of itself for a lease has lost it, whatever commits
                    # were lost: it knows, and has held before
                    since = fleet.machines[name].log()[marks[name] :]
                    before, fenced, _ = since.partition("less: fenced")
                    assert not fenced or "its lease is not trusted any more" in before
            finally:
                await fleet.stop()
                server.start()


async def test_where_each_offers_its_own_address_all_are_registered_again(fleet: Fleet) -> None:
    addresses = {"sip-1": "192.0.2.11", "sip-2": "192.0.2.12"}
    for name, address in addresses.items():
        fleet.machines[name] = fleet.machine(name, contact=address)
        await asyncio.to_thread(fleet.machines[name].start)
    await fleet.settled("sip-1", "sip-2")
    await fleet.refreshed(planned=True)
    offered = {user: found[0] for user, found in fleet.judge.contacts.items()}
    moved = {user for user, contact in offered.items() if addresses["sip-2"] in contact}
    assert 0 < len(moved) < ACCOUNTS
    mark = fleet.judge.mark()
    told: dict[str, list[str]] = {}
    fleet.machines["sip-2"].signal(signal.SIGKILL)

    def all_told() -> bool:
        for _, user, _, _ in fleet.judge.since(mark):
            found = fleet.judge.contacts[user]
            if user in moved and addresses["sip-1"] in found[0]:
                told.setdefault(user, found)
        return told.keys() == moved

    await asyncio.to_thread(until, all_told, "what sip-2 had is registered again", 40.0)
    for user, found in told.items():
        old = [one for one in found if addresses["sip-2"] in one]
        assert old == [f"{offered[user].partition(';')[0]};expires=0"], "the old one is taken off"
    verdict = fleet.judge.verdict
    assert (verdict.lapses, verdict.new_call_ids, verdict.not_higher) == ([], [], [])
