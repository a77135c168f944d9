"""The resolver against a name server on loopback; its clock stands still unless moved."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pjreg_cli.config.other_files import Resolver as ResolverSettings
from pjreg_cli.errors import ResolveError
from pjreg_cli.net.dns_answers import Answer
from pjreg_cli.net.nameservers import DnsNameServers
from pjreg_cli.net.resolver import PAUSE_S, STALE_S
from pjreg_cli.sip.locate import Question, Records, TransportKind, TransportKinds
from pjreg_cli.sip.uri import parse_uri
from tests.loop.net.support import resolver
from tests.support.clock import run_virtually
from tests.support.nameserver import Zone, nameserver

UDP = TransportKinds(frozenset({TransportKind("udp", 4)}))
ZONE: Zone = {
    "_sip._udp.example.com": {"SRV": ["0 0 5070 one.example.com.", "1 0 5080 two.example.com."]},
    "one.example.com": {"A": ["192.0.2.1"]},
    "two.example.com": {"A": ["192.0.2.2", "192.0.2.3"]},
    "example.com": {"A": ["192.0.2.9"], "NAPTR": []},
    "alias.example.com": {"CNAME": ["one.example.com."]},
    "led.example.org": {"NAPTR": ['1 1 "s" "SIP+D2U" "" _sip._udp.example.com.']},
    "gone.example.org": {"NAPTR": []},
    "_sip._udp.gone.example.org": {"SRV": ["0 0 0 ."]},
}
URI = parse_uri("sip:example.com")


class Clock:
    """Time that goes on only when told."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


class Scripted:
    """Name servers that do as told, without a network."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.silent = asyncio.Event()
        self.silent.set()
        self.failing = False
        self.address = "192.0.2.1"

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        await self.silent.wait()
        if self.failing:
            raise ResolveError("no answer from any name server")
        records: Records = (self.address,) if question.kind == "A" else ()
        return Answer(records, 60.0)


async def test_srv_targets_in_their_order() -> None:
    async with nameserver(ZONE) as server:
        found = await resolver(server.port).locate(URI, UDP)
        first, *others = [str(one) for one in found]
        assert first == "udp:192.0.2.1:5070"
        # a name server shuffles the addresses of one name
        assert sorted(others) == ["udp:192.0.2.2:5080", "udp:192.0.2.3:5080"]
        assert {one.name for one in found} == {"example.com"}


async def test_naptr_leads_to_another_domain() -> None:
    async with nameserver(ZONE) as server:
        found = await resolver(server.port).locate(parse_uri("sip:led.example.org"), UDP)
        assert str(found[0]) == "udp:192.0.2.1:5070"


async def test_numeric_is_immediate_and_asks_nobody() -> None:
    found = resolver().now(parse_uri("sip:192.0.2.5"), UDP)
    assert found is not None
    assert str(found[0]) == "udp:192.0.2.5:5060"
    with pytest.raises(ResolveError, match="udp over IPv6"):
        resolver().now(parse_uri("sip:[::1]"), UDP)


async def test_answers_are_kept_for_their_time_to_live() -> None:
    clock = Clock()
    async with nameserver(ZONE, ttl=30) as server:
        dns = resolver(server.port, clock=clock)
        assert dns.now(URI, UDP) is None
        found = await dns.locate(URI, UDP)
        asked = len(server.asked)
        clock.at += 29
        assert dns.now(URI, UDP) == found
        assert await dns.locate(URI, UDP) == found
        assert len(server.asked) == asked
        clock.at += 2
        assert dns.now(URI, UDP) is None
        await dns.locate(URI, UDP)
        assert len(server.asked) == 2 * asked


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sip:nowhere.example.net", "does not exist"),
        ("sip:gone.example.org", "none of the SRV targets"),
        ("sip:led.example.org:5060", "no address we can reach"),
    ],
)
async def test_the_cause_is_named_and_kept(uri: str, words: str) -> None:
    async with nameserver(ZONE) as server:
        dns = resolver(server.port)
        with pytest.raises(ResolveError, match=words):
            await dns.locate(parse_uri(uri), UDP)
        asked = len(server.asked)
        with pytest.raises(ResolveError, match=words):
            dns.now(parse_uri(uri), UDP)
        assert len(server.asked) == asked


async def test_chance_decides_among_equals_every_time_anew() -> None:
    zone: Zone = {
        "_sip._udp.example.com": {"SRV": ["0 1 1 one.example.com.", "0 1 2 one.example.com."]},
        "one.example.com": {"A": ["192.0.2.1"]},
    }
    numbers = iter([0.0, 0.99] * 3)
    async with nameserver(zone) as server:
        dns = resolver(server.port, draw=lambda: next(numbers))
        first = await dns.locate(URI, UDP)
        second, third = dns.now(URI, UDP), dns.now(URI, UDP)
        assert second is not None
        assert third == first
        assert second == first[::-1]


async def test_one_look_up_serves_all_who_ask_at_once() -> None:
    async with nameserver(ZONE) as server:
        dns = resolver(server.port)
        found = await asyncio.gather(*(dns.locate(URI, UDP) for _ in range(50)))
        assert len(set(found)) == 1
        assert len(server.asked) == len(set(server.asked))


async def test_who_is_cancelled_takes_nobody_along() -> None:
    servers = Scripted()
    servers.silent.clear()
    dns = resolver(servers=servers)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(dns.locate(URI, UDP))
        second = group.create_task(dns.locate(URI, UDP))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        servers.silent.set()
        assert str((await second)[0]) == "udp:192.0.2.1:5060"


async def test_an_old_answer_serves_when_dns_fails_and_nobody_waits_twice() -> None:
    clock, servers = Clock(), Scripted()
    dns = resolver(clock=clock, servers=servers)
    found = await dns.locate(URI, UDP)
    clock.at += 1_000
    servers.failing = True
    servers.asked.clear()
    assert await dns.locate(URI, UDP) == found
    tried = len(servers.asked)
    assert tried > 0
    clock.at += PAUSE_S - 1
    known = dns.now(parse_uri("sip:example.com:5060"), UDP)
    assert known is not None
    assert len(servers.asked) == tried
    servers.failing, servers.address = False, "192.0.2.99"
    clock.at += 2
    assert str((await dns.locate(URI, UDP))[0]) == "udp:192.0.2.99:5060"


async def test_an_old_answer_is_not_kept_for_ever() -> None:
    clock, servers = Clock(), Scripted()
    dns = resolver(clock=clock, servers=servers)
    await dns.locate(URI, UDP)
    clock.at += STALE_S + 61
    servers.failing = True
    with pytest.raises(ResolveError, match="no answer from any name server"):
        await dns.locate(URI, UDP)


async def test_a_silent_server_ends_in_an_error() -> None:
    async with nameserver(ZONE) as server:
        server.mood = "silent"
        settings = ResolverSettings(
            nameservers=(("127.0.0.1", server.port),), resolv=False, hosts=""
        )
        dns = resolver(servers=DnsNameServers(settings, lifetime_s=0.3))
        with pytest.raises(ResolveError, match="no answer from any name server"):
            await dns.locate(URI, UDP)


async def test_a_broken_server_ends_in_an_error() -> None:
    async with nameserver(ZONE) as server:
        server.mood = "broken"
        with pytest.raises(ResolveError, match="look-up failed"):
            await resolver(server.port).locate(URI, UDP)


async def test_without_name_server_the_reason_is_said() -> None:
    with pytest.raises(ResolveError, match="no name server is configured"):
        await resolver().locate(URI, UDP)


async def test_localhost_and_the_hosts_file_ask_nobody(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.44 pbx\n")
    dns = resolver(hosts=str(path))
    for name, address in (("localhost", "127.0.0.1"), ("pbx", "192.0.2.44")):
        found = dns.now(parse_uri(f"sip:{name}:5070"), UDP)
        assert found is not None
        assert [str(one) for one in found] == [f"udp:{address}:5070"]
        assert dns.known(name)[0] == address


async def test_other_settings_mean_other_servers() -> None:
    async with (
        nameserver(ZONE) as old,
        nameserver({**ZONE, "x.example.com": {"A": ["192.0.2.8"]}}) as new,
    ):
        dns = resolver(old.port)
        assert await dns.addresses("x.example.com", 4) == ()
        dns.reconfigure(
            ResolverSettings(nameservers=(("127.0.0.1", new.port),), resolv=False, hosts="")
        )
        assert await dns.addresses("x.example.com", 4) == ("192.0.2.8",)
        assert dns.known("x.example.com") == ("192.0.2.8",)


TLS_UDP = TransportKinds(frozenset({TransportKind("udp", 4), TransportKind("tls", 4)}))
SECURE: Zone = {
    "secure.example": {
        "NAPTR": ['10 10 "s" "SIPS+D2T" "" _sips._tcp.secure.example.'], "A": ["192.0.2.1"],
    },
    "_sips._tcp.secure.example": {"SRV": ["1 0 5061 one.secure.example."]},
    "one.secure.example": {"A": ["192.0.2.2"]},
}  # fmt: skip


async def test_a_failed_look_up_does_not_mean_that_there_is_no_service() -> None:
    async with nameserver(ZONE) as server:
        server.moods["SRV"] = "broken"
        dns = resolver(server.port)
        with pytest.raises(ResolveError, match=r"_sip\._udp\.example\.com.*SERVFAIL"):
            await dns.locate(URI, UDP)
        # nothing of it is kept
        assert dns.now(URI, UDP) is None
        server.moods.clear()
        assert [one.port for one in await dns.locate(URI, UDP)] == [5070, 5080, 5080]


async def test_an_old_answer_outlives_a_look_up_that_failed() -> None:
    clock = Clock()
    async with nameserver(ZONE) as server:
        dns = resolver(server.port, clock=clock)
        await dns.locate(URI, UDP)
        clock.at += 1_000
        server.moods["SRV"] = "broken"
        assert [one.port for one in await dns.locate(URI, UDP)] == [5070, 5080, 5080]


@pytest.mark.parametrize("mood", ["broken", "well"])
@pytest.mark.parametrize("kinds", [UDP, TLS_UDP])
async def test_naptr_that_wants_tls_never_ends_in_clear(mood: str, kinds: TransportKinds) -> None:
    async with nameserver(SECURE) as server:
        server.moods["SRV"] = mood
        dns = resolver(server.port)
        uri = parse_uri("sip:secure.example")
        if mood == "well" and kinds is TLS_UDP:
            assert {one.protocol for one in await dns.locate(uri, kinds)} == {"tls"}
            return
        word = "DNS wants TLS" if kinds is UDP else "SERVFAIL"
        with pytest.raises(ResolveError, match=word):
            await dns.locate(uri, kinds)


async def test_a_name_in_the_hosts_file_needs_no_name_server(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.44 example.com\n")
    async with nameserver(ZONE) as server:
        server.mood = "broken"
        dns = resolver(server.port, hosts=str(path))
        assert [str(one) for one in await dns.locate(URI, UDP)] == ["udp:192.0.2.44:5060"]


async def test_a_name_without_address_of_its_own_lives_by_its_srv() -> None:
    zone: Zone = {
        "_sip._udp.reg.example": {"SRV": ["10 0 5060 one.example.com."]},
        "one.example.com": ZONE["one.example.com"],
    }
    clock, uri = Clock(), parse_uri("sip:reg.example")
    async with nameserver(zone, ttl=60) as server:
        dns = resolver(server.port, clock=clock)
        for moods in ({}, {"SRV": "broken"}, {"A": "broken"}, {"NAPTR": "broken"}, {}):
            server.moods = moods
            assert [str(one) for one in await dns.locate(uri, UDP)] == ["udp:192.0.2.1:5060"]
            clock.at += 600


def test_what_nobody_could_answer_is_asked_again_until_somebody_can() -> None:
    async def main() -> None:
        async with nameserver(ZONE) as server:
            back: list[float] = []
            clock = asyncio.get_running_loop().time
            server.mood = "silent"
            dns = resolver(server.port, back=lambda: back.append(clock()))
            with pytest.raises(ResolveError):
                await dns.locate(URI, UDP)
            await asyncio.sleep(60)
            assert back == []
            server.mood = "well"
            well_at = clock()
            await asyncio.sleep(60)
            assert len(back) == 1
            assert back[0] - well_at < 25
            asked = len(server.asked)
            await asyncio.sleep(600)
            assert len(server.asked) == asked, "then it is quiet"
            dns.close()

    run_virtually(main())


def test_what_nobody_will_ever_answer_is_given_up() -> None:
    async def main() -> None:
        async with nameserver(ZONE) as server:
            server.mood = "broken"
            dns = resolver(server.port)
            with pytest.raises(ResolveError):
                await dns.locate(URI, UDP)
            await asyncio.sleep(3600)
            asked = len(server.asked)
            assert asked < 2000
            await asyncio.sleep(3600)
            assert len(server.asked) == asked

    run_virtually(main())
