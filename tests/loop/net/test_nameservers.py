"""dnspython and a name server on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pjreg_cli.config.other_files import Resolver as ResolverSettings
from pjreg_cli.errors import ResolveError
from pjreg_cli.net.dns_answers import Answer
from pjreg_cli.net.nameservers import DnsNameServers
from pjreg_cli.sip.locate import Naptr, Question, Srv
from tests.loop.net.support import closed_port
from tests.support.clock import run_virtually
from tests.support.nameserver import Zone, nameserver

ZONE: Zone = {
    "_sip._udp.example.com": {"SRV": ["0 0 5070 one.example.com.", "1 0 5080 two.example.com."]},
    "one.example.com": {"A": ["192.0.2.1"]},
    "alias.example.com": {"CNAME": ["one.example.com."]},
    "led.example.org": {"NAPTR": ['1 2 "s" "SIP+D2U" "" _sip._udp.example.com.']},
    "_sip._udp.gone.example.org": {"SRV": ["0 0 0 ."]},
}


async def test_resolv_conf_is_read_and_followed(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search example.com\n")
    settings = ResolverSettings(resolv=True, resolv_file=str(path), hosts="")
    servers = DnsNameServers(settings, lifetime_s=0.2)
    with pytest.raises(ResolveError, match="no name server is configured"):
        await servers.ask(Question("example.com", "A"))
    # another error than before shows that the file was read again
    path.write_text("search example.com\nnameserver 127.255.255.254\n")
    with pytest.raises(ResolveError, match="Connection refused"):
        await servers.ask(Question("example.com", "A"))


async def test_a_missing_resolv_conf_is_as_good_as_empty(tmp_path: Path) -> None:
    gone = str(tmp_path / "none")
    servers = DnsNameServers(ResolverSettings(resolv=True, resolv_file=gone, hosts=""))
    with pytest.raises(ResolveError, match="no name server is configured"):
        await servers.ask(Question("example.com", "A"))


@pytest.mark.parametrize("name", ["x" * 64 + ".example", "a..b", "." + "x." * 200])
async def test_what_is_no_name_is_an_error(name: str) -> None:
    async with nameserver(ZONE) as server:
        settings = ResolverSettings(
            nameservers=(("127.0.0.1", server.port),), resolv=False, hosts=""
        )
        with pytest.raises(ResolveError):
            await DnsNameServers(settings).ask(Question(name, "A"))
        assert server.asked == []


async def test_records_arrive_whole() -> None:
    async with nameserver(ZONE, ttl=7) as server:
        settings = ResolverSettings(
            nameservers=(("127.0.0.1", server.port),), resolv=False, hosts=""
        )
        servers = DnsNameServers(settings)
        answer = await servers.ask(Question("_sip._udp.example.com", "SRV"))
        assert answer.ttl_s == 7.0
        assert set(answer.records) == {
            Srv(0, 0, 5070, "one.example.com"),
            Srv(1, 0, 5080, "two.example.com"),
        }
        assert await servers.ask(Question("_sip._udp.gone.example.org", "SRV")) == Answer(
            (Srv(0, 0, 0, ""),), 7.0
        )
        assert await servers.ask(Question("nowhere.example", "A")) == Answer((), 7.0, exists=False)
        assert await servers.ask(Question("one.example.com", "AAAA")) == Answer((), 7.0)
        naptr = await servers.ask(Question("led.example.org", "NAPTR"))
        assert naptr.records == (Naptr(1, 2, "s", "SIP+D2U", "_sip._udp.example.com"),)


def asking(*ports: int) -> DnsNameServers:
    servers = tuple(("127.0.0.1", port) for port in ports)
    return DnsNameServers(ResolverSettings(nameservers=servers, resolv=False, hosts=""))


@pytest.mark.parametrize("name", ["nowhere.example", "example.com"])
async def test_that_there_is_none_is_not_kept_without_soa(name: str) -> None:
    async with nameserver(ZONE, ttl=600) as server:
        server.soa = False
        answer = await asking(server.port).ask(Question(name, "A"))
        assert answer.records == ()
        assert answer.ttl_s <= 1.0


async def test_the_soa_says_how_long_there_is_none() -> None:
    async with nameserver(ZONE, ttl=600) as server:
        assert (await asking(server.port).ask(Question("example.com", "A"))).ttl_s == 600.0


async def test_a_refused_port_is_heeded_at_once() -> None:
    with pytest.raises(ResolveError, match="Connection refused"):
        await asking(closed_port()).ask(Question("one.example.com", "A"))


async def test_the_next_server_is_asked_when_one_is_broken_or_refuses() -> None:
    async with nameserver(ZONE) as broken, nameserver(ZONE) as well:
        broken.mood = "broken"
        servers = asking(closed_port(), broken.port, well.port)
        assert (await servers.ask(Question("one.example.com", "A"))).records == ("192.0.2.1",)
        assert len(broken.asked) == 1


def test_a_dead_server_is_waited_for_once_and_probed_later() -> None:
    async def main() -> None:
        async with nameserver(ZONE) as dead, nameserver(ZONE) as well:
            dead.mood = "silent"
            servers, clock = asking(dead.port, well.port), asyncio.get_running_loop().time
            question = Question("one.example.com", "A")

            async def took_s() -> float:
                began_at = clock()
                assert (await servers.ask(question)).records == ("192.0.2.1",)
                return clock() - began_at

            assert await took_s() == pytest.approx(3.0, abs=0.1)
            for _ in range(20):
                assert await took_s() < 0.5
            assert len(dead.asked) == 1
            await asyncio.sleep(60)
            # once in a while it has a chance to come back, but a short one
            assert await took_s() == pytest.approx(1.0, abs=0.1)
            assert await took_s() < 0.5
            dead.mood = "well"
            await asyncio.sleep(1000)
            asked = len(well.asked)
            assert await took_s() < 0.5
            assert len(well.asked) == asked

    run_virtually(main())


def test_with_all_servers_dead_each_is_still_asked() -> None:
    async def main() -> None:
        async with nameserver(ZONE) as one, nameserver(ZONE) as other:
            one.mood = other.mood = "silent"
            servers = asking(one.port, other.port)
            for _ in range(2):
                with pytest.raises(ResolveError, match="no answer from any name server"):
                    await servers.ask(Question("one.example.com", "A"))
            other.mood = "well"
            answer = await servers.ask(Question("one.example.com", "A"))
            assert answer.records == ("192.0.2.1",)

    run_virtually(main())


def test_a_server_without_a_way_to_it_costs_no_second_try_of_another() -> None:
    async def main() -> None:
        async with nameserver(ZONE) as one:
            one.mood = "silent"
            # documentation addresses (RFC 3849) lead nowhere, whether the host has IPv6 or not
            servers = DnsNameServers(
                ResolverSettings(
                    nameservers=(("127.0.0.1", one.port), ("2001:db8::53", 53)),
                    resolv=False,
                    hosts="",
                )
            )

            asyncio.get_running_loop().call_later(1.0, setattr, one, "mood", "well")
            answer = await servers.ask(Question("one.example.com", "A"))
            assert answer.records == ("192.0.2.1",)
            assert len(one.asked) == 2

    run_virtually(main())
