"""dnspython and a name server on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.config.other_files import Resolver as ResolverSettings
from pjreg_cli.errors import ResolveError
from pjreg_cli.net.nameservers import Answer, DnsNameServers
from pjreg_cli.sip.locate import Naptr, Question, Srv
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
    with pytest.raises(ResolveError, match="no answer from any name server"):
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
