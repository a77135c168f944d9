"""The commands about a fleet, asked of one that answers from values."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence

import pytest

from pjreg_cli.api.cluster import (
    ClusterView,
    FleetRow,
    Found,
    MachineRow,
    ShardRow,
    ThisMachine,
    Wanted,
)
from pjreg_cli.api.registrations import RegistrationRow
from pjreg_cli.commands.command import pieces
from pjreg_cli.commands.tree import Console, Kind, execute, suggest
from pjreg_cli.dialects import CURRENT
from pjreg_cli.errors import StoreError
from tests.support.fake_port import Fake, registration

VIEW = ClusterView(
    schema="pjreg",
    database="asterisk at db1",
    answers_s=0.002,
    timeline="00000001",
    lease_s=6.0,
    shards=256,
    unowned=0,
    machines=(
        MachineRow("sip-1", "live", "10.0.0.11", 128, 500, 2, 0, 0.4, ""),
        MachineRow("sip-3", "fenced", "10.0.0.13", 0, 9, 9, 9, 14.0, "sip-1"),
    ),
    this=ThisMachine("sip-1", 4.6, 0.2, 128, 0, ""),
)


class Fleet:
    """api.cluster.Cluster in memory."""

    name = "sip-1"

    def __init__(self, view: ClusterView = VIEW) -> None:
        self.seen = view
        self.broken = ""

    def this(self) -> ThisMachine | None:
        return self.seen.this

    async def view(self) -> ClusterView:
        if self.broken:
            raise StoreError(self.broken)
        return self.seen

    async def shards(self) -> Sequence[ShardRow]:
        return [ShardRow(0, "sip-1", 3, 12.0, "sip-1"), ShardRow(1, "", 1, 0.5, "")]

    async def registrations(self, wanted: Wanted) -> AsyncGenerator[Sequence[FleetRow], None]:
        rows = (
            FleetRow(RegistrationRow("alice", "sip:a", "alice", "Registered", 90), "sip-1"),
            FleetRow(RegistrationRow("bob", "sip:b", "", "Rejected", -5), "sip-2"),
            FleetRow(RegistrationRow("carol", "sip:c", "", None, None), ""),
        )
        if self.broken == "at once":
            raise StoreError("it went away")
        found = [
            one
            for one in rows
            if (wanted.fits is None or wanted.fits(one.row.name))
            and wanted.word in ("", one.row.word)
            and wanted.instance in ("", one.instance)
        ]
        for one in found:
            yield [one]
            if self.broken:
                raise StoreError("it went away")

    async def find(self, name: str) -> Found | None:
        if name != "alice":
            return None
        return Found("alice", 7, "sip-1", "registered", 200, "OK\x1b", 100.0, 190.0, 3.0)

    async def send(self, verb: str, name: str, within_s: float) -> str:
        return "" if name == "alice" else f"the fleet has no registration {name}"

    async def drain(self, name: str, on: bool) -> bool:
        return name == "sip-1"

    async def reload(self) -> int:
        return 3

    async def check(self) -> Sequence[tuple[bool, str]]:
        return [(True, "one"), (False, "two")]

    def schema(self, *, triggers: bool, lease_ms: int) -> str:
        return f"-- {triggers} {lease_ms}\n"


async def ask(line: str, fleet: Fleet | None, *, as_json: bool = False) -> tuple[bool, str]:
    port = Fake().port()._replace(cluster=fleet)
    console = Console(port=port, kind=Kind.ONE_SHOT, dialect=CURRENT, json=as_json)
    reply = await execute(line, console)
    return reply.ok, "".join([piece async for piece in pieces(reply)])


async def test_show_lists_machines_and_who_holds_fails() -> None:
    ok, text = await ask("pjreg cluster show", Fleet())
    assert ok
    assert "This one:   sip-1, lease trusted for 4.6 s, journal 0.2 s behind" in text
    assert "by sip-1, 14.0 s ago" in text
    assert VIEW.this is not None
    holding = VIEW._replace(this=VIEW.this._replace(trust_s=0.0, trouble="cannot be reached"))
    ok, text = await ask("pjreg cluster show", Fleet(holding))
    assert not ok
    assert "HOLDS" in text
    assert "cannot be reached" in text
    ok, text = await ask("pjreg cluster show", Fleet(VIEW._replace(unowned=3)))
    assert not ok
    assert "3 unowned" in text


async def test_json_has_the_same() -> None:
    _, text = await ask("pjreg cluster show", Fleet(), as_json=True)
    found = json.loads(text)
    assert found["this"]["trust_s"] == 4.6
    assert found["instances"][0]["shards"] == 128


async def test_what_came_from_the_network_is_shown_inert() -> None:
    ok, text = await ask("pjreg cluster find alice", Fleet())
    assert ok
    assert "\x1b" not in text
    assert "owned by sip-1" in text
    assert not (await ask("pjreg cluster find bob", Fleet()))[0]


async def test_registrations_of_all_machines_are_listed_with_their_machine() -> None:
    ok, text = await ask("pjreg cluster show registrations", Fleet())
    assert ok
    alice, bob, carol = (line for line in text.splitlines() if "/sip:" in line)
    assert alice.split() == [
        "alice/sip:a", "alice", "Registered", "(exp.", "90s)", "sip-1",
    ]  # fmt: skip
    assert bob.index("sip-2") == alice.index("sip-1")
    assert carol.split()[-1] == "-"
    assert text.endswith("Objects found: 3\n\n")
    _, text = await ask("pjreg cluster show registrations", Fleet(), as_json=True)
    assert [one["instance"] for one in json.loads(text)] == ["sip-1", "sip-2", None]


async def test_a_fleet_that_cannot_be_asked_any_more_says_so_at_the_end() -> None:
    fleet = Fleet()
    fleet.broken = "at once"
    ok, text = await ask("pjreg cluster show registrations", fleet)
    assert not ok
    assert text.startswith("The fleet cannot be asked: it went away\n")
    fleet.broken = "after the first page"
    port = Fake().port()._replace(cluster=fleet)
    reply = await execute("pjreg cluster show registrations", Console(port, Kind.ONE_SHOT, CURRENT))
    output = pieces(reply)
    seen = [await anext(output)]
    with pytest.raises(StoreError, match="cannot be asked any more: it went away"):
        await anext(output)
    assert "alice/" in "".join(seen)


async def test_registrations_are_chosen_by_name_status_and_machine() -> None:
    async def names(which: str) -> list[str]:
        line = f"pjreg cluster show registrations {which}"
        _, text = await ask(line, Fleet(), as_json=True)
        return [one["name"] for one in json.loads(text)]

    assert await names("like ^[ab]") == ["alice", "bob"]
    assert await names("where status=rejected") == ["bob"]
    assert await names("like o where instance=sip-2") == ["bob"]
    assert await names("like [") == []
    for odd in ("like", "where", "where status=odd", "where x", "all"):
        assert "Usage" in (await ask(f"pjreg cluster show registrations {odd}", Fleet()))[1]


def test_what_may_follow() -> None:
    def after(line: str) -> list[str]:
        port = Fake().port()._replace(cluster=Fleet())
        console = Console(port=port, kind=Kind.CONSOLE, dialect=CURRENT)
        return [one.text for one in suggest(f"pjreg cluster {line}", console)]

    assert after("send ") == ["register", "unregister"]
    assert after("drain ") == ["sip-1"]
    assert after("show registrations ") == ["like", "where"]
    assert "status=Rejected" in after("show registrations where ")
    assert after("schema ") == ["with-triggers", "lease"]


async def test_steering() -> None:
    assert await ask("pjreg cluster send register alice", Fleet()) == (True, "Done\n")
    assert not (await ask("pjreg cluster send register bob", Fleet()))[0]
    assert "Usage" in (await ask("pjreg cluster send call alice", Fleet()))[1]
    assert (await ask("pjreg cluster drain sip-1", Fleet()))[0]
    assert not (await ask("pjreg cluster undrain sip-9", Fleet()))[0]
    assert "3 machines" in (await ask("pjreg cluster reload", Fleet()))[1]
    assert not (await ask("pjreg cluster check", Fleet()))[0]
    assert (await ask("pjreg cluster schema with-triggers", Fleet()))[1] == "-- True 6000\n"
    assert (await ask("pjreg cluster schema --lease 9", Fleet()))[1] == "-- False 9000\n"
    assert "Usage" in (await ask("pjreg cluster schema lease 0", Fleet()))[1]
    assert "nobody" not in (await ask("pjreg cluster show shards", Fleet()))[1]


async def test_who_is_alone_or_cannot_ask_says_so() -> None:
    ok, text = await ask("pjreg cluster show", None)
    assert (ok, "no machine of a fleet" in text) == (False, True)
    fleet = Fleet()
    fleet.broken = "not answered"
    ok, text = await ask("pjreg cluster show", fleet)
    assert (ok, "cannot be asked: not answered" in text) == (False, True)


async def test_a_registration_of_another_machine_is_told_apart_from_none_at_all() -> None:
    fleet = Fleet()
    fleet.name = "sip-2"
    port = Fake().port()._replace(cluster=fleet)
    console = Console(port=port, kind=Kind.ONE_SHOT, dialect=CURRENT)
    reply = await execute("pjsip send register alice", console)
    assert "Unable to retrieve registration alice" in "".join(reply.output)
    assert reply.complaints == ("alice is registered by sip-1: see pjreg cluster send",)
    assert (await execute("pjsip send register bob", console)).complaints == ()


async def test_who_sends_while_the_machine_holds_is_told_why_nothing_comes_of_it() -> None:
    assert VIEW.this is not None
    this = VIEW.this._replace(trust_s=0.0, trouble="cannot be reached")
    views = (registration("alice"),)
    port = Fake(views).port()._replace(cluster=Fleet(VIEW._replace(this=this)))
    why = "sip-1 holds, so registrations of its fleet wait: cannot be reached"
    for kind, complaints in ((Kind.ONE_SHOT, (why,)), (Kind.MANAGER, ())):
        console = Console(port=port, kind=kind, dialect=CURRENT)
        for line in ("pjsip send register alice", "pjsip send unregister *all"):
            reply = await execute(line, console)
            assert (reply.ok, reply.complaints) == (True, complaints)


async def test_shards_without_a_place_are_no_good_health() -> None:
    assert VIEW.this is not None
    full = VIEW._replace(this=VIEW.this._replace(unowned=9, homeless=9))
    ok, text = await ask("pjreg health", Fleet(full))
    assert not ok
    assert text.startswith("REGISTRATIONS CRITICAL - no machine has room for 9 shards; ")


async def test_a_change_that_is_withheld_is_no_good_health() -> None:
    fake = Fake()
    fake.instance.withheld = "the tables would take away 9 of 10 registrations"
    console = Console(port=fake.port(), kind=Kind.ONE_SHOT, dialect=CURRENT)
    reply = await execute("pjreg health", console)
    assert not reply.ok
    assert "CRITICAL - the tables would take away" in "".join(reply.output)


async def test_a_machine_that_holds_is_not_well() -> None:
    ok, text = await ask("pjreg health", Fleet())
    assert (ok, text.startswith("REGISTRATIONS OK")) == (True, True)
    assert VIEW.this is not None
    holding = VIEW._replace(this=VIEW.this._replace(trust_s=0.0, trouble="cannot be reached"))
    ok, text = await ask("pjreg health", Fleet(holding))
    assert not ok
    assert text.startswith("REGISTRATIONS CRITICAL - sip-1 holds: cannot be reached; ")
