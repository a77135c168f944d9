"""Why: what stands in the way, each by a real socket, name server or certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pjreg_cli.api.findings import Finding
from tests.support.certificates import Authority, self_signed
from tests.support.explaining import World, explain, first_outcome, found, noted
from tests.support.nameserver import Zone
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import grant, hang_up, silence

DOMAIN = "why.test"


# -- names ------------------------------------------------------------------------------------


def looking_up(zone: Zone, mood: str = "well", uri: str = f"sip:{DOMAIN}") -> Finding:
    """What is found where the registrar's name has these records."""

    def prepare(world: World) -> None:
        world.names.mood = mood
        world.options = {"server_uri": uri}

    return explain(prepare, zone=zone)


def test_a_name_that_does_not_exist() -> None:
    finding = looking_up({})
    found(
        finding, "name-not-found", says=DOMAIN, evidence="NXDOMAIN", fix="server_uri", where=":10"
    )


def test_a_name_without_an_address() -> None:
    finding = looking_up({DOMAIN: {"TXT": ['"x"']}})
    found(finding, "no-address", says=DOMAIN, evidence=f"A {DOMAIN}: none", fix="server_uri")


def test_a_name_with_an_address_of_the_other_family() -> None:
    finding = looking_up({DOMAIN: {"AAAA": ["2001:db8::1"]}})
    found(finding, "no-address", says=DOMAIN, fix="server_uri")
    assert "IPv6" in finding.fix[1].text


def test_a_name_server_that_is_silent() -> None:
    finding = looking_up({DOMAIN: {"A": [LOOPBACK]}}, "silent")
    found(
        finding,
        "name-server-silent",
        says=DOMAIN,
        evidence="silent",
        fix="name servers",
        where=":2",
    )


def test_a_name_server_that_fails() -> None:
    finding = looking_up({DOMAIN: {"A": [LOOPBACK]}}, "broken")
    found(finding, "name-server-failed", says="SERVFAIL", evidence="SERVFAIL", fix="name servers")


def test_srv_records_that_lead_to_nothing() -> None:
    finding = looking_up({f"_sip._udp.{DOMAIN}": {"SRV": [f"1 0 5060 gone.{DOMAIN}."]}})
    found(finding, "srv-target-missing", says=f"gone.{DOMAIN}", fix="DNS")


def test_a_domain_that_says_it_has_no_service() -> None:
    finding = looking_up({f"_sip._udp.{DOMAIN}": {"SRV": ["0 0 0 ."]}})
    found(finding, "no-service", says=DOMAIN, fix="server_uri")


# -- transports -------------------------------------------------------------------------------


def test_no_transport_of_that_kind() -> None:
    def prepare(world: World) -> None:
        world.options = {"server_uri": world.uri + ";transport=tcp"}

    found(explain(prepare), "transport-missing", says="tcp", fix="server_uri", where=":10")


def test_a_transport_that_could_not_be_opened(tmp_path: Path) -> None:
    def prepare(world: World) -> None:
        world.transports = {
            "udp": {},
            "tls": {"ca_list_file": str(tmp_path / "none.pem"), "verify_server": True},
        }
        world.options = {"server_uri": world.uri + ";transport=tls"}

    finding = explain(prepare)
    found(finding, "transport-not-open", says="none.pem", fix="transport [tls]", where=":20")
    assert finding.fix[0].option == "ca_list_file"


# -- reaching it ------------------------------------------------------------------------------


def test_nobody_listens_over_udp() -> None:
    port = free_port()

    def prepare(world: World) -> None:
        world.options = {"server_uri": f"sip:{LOOPBACK}:{port}"}

    finding = explain(prepare)
    found(finding, "refused", says="ICMP", evidence="refused", fix="host and port", where=":10")


def test_nobody_listens_so_far() -> None:
    def prepare(world: World) -> None:
        world.options = {"server_uri": f"sip:{LOOPBACK}:{free_port()}"}

    async def act(world: World) -> Finding:
        async with world.running():
            return await world.until(lambda finding: "ICMP" in finding.finding)

    finding = explain(prepare, act)
    found(finding, "under-way", says="so far ICMP says that nobody listens there", fix=None)
    assert "under way, sent" in finding.next.text


def test_nobody_listens_over_tcp() -> None:
    port = free_port()

    def prepare(world: World) -> None:
        world.transports = {"tcp": {}}
        world.options = {"server_uri": f"sip:{LOOPBACK}:{port};transport=tcp"}

    finding = explain(prepare)
    found(finding, "refused", says="connection refused", evidence="refused", fix="host")
    # nothing was sent over a connection that there never was
    assert [step.step for step in finding.steps] == ["configured", "found", "tried", "failed"]
    assert finding.steps[-1].text.startswith("refused: Connection refused, after ")


def test_no_way_there() -> None:
    def prepare(world: World) -> None:
        # from loopback no packet leaves the host
        world.options = {"server_uri": "sip:192.0.2.1"}

    found(
        explain(prepare), "unreachable", says="from 127.0.0.1, so not to 192.0.2.1", fix="bind",
        evidence="nvalid", where=":20",
    )  # fmt: skip


def test_a_connection_that_never_comes_about() -> None:
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind((LOOPBACK, 0))
        listening.listen(0)
        # whoever comes when nobody is accepted any more is not even refused
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())

        def prepare(world: World) -> None:
            world.transports = {"tcp": {}}
            port = listening.getsockname()[1]
            world.options = {"server_uri": f"sip:{LOOPBACK}:{port};transport=tcp"}

        found(explain(prepare), "connect-timeout", says="within 10 s", fix="host and port")


def test_nothing_comes_back() -> None:
    finding = explain(lambda world: world.registrar.script("alice", silence()))
    found(finding, "silent", says="sent 11 times within 32 s", evidence="nothing", fix="host, port")
    assert finding.next.action == "retry"


def test_a_connection_closed_instead_of_an_answer() -> None:
    def prepare(world: World) -> None:
        world.transports = {"tcp": {}}
        world.options = {"server_uri": world.uri + ";transport=tcp"}
        world.registrar.script("alice", hang_up())

    found(explain(prepare), "connection-lost", says="closed the connection", fix="log")


def test_a_connection_closed_after_each_answer() -> None:
    def prepare(world: World) -> None:
        world.transports = {"tcp": {}}
        world.options = {"server_uri": world.uri + ";transport=tcp"}

    async def act(world: World) -> Finding:
        async with world.running():
            for _ in range(3):
                await world.until(lambda finding: finding.status == "Registered")
                world.registrar.close_connections()
                # time costs nothing; what is lost is registered again at once or after seconds
                await asyncio.sleep(5)
            return await world.until(lambda finding: finding.cause == "closes-after-answer")

    found(explain(prepare, act), "closes-after-answer", says="closes", fix="operator")


# -- who is there -----------------------------------------------------------------------------

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def meeting(
    serve: Serve,
    protocol: str = "tcp",
    *,
    context: ssl.SSLContext | None = None,
    host: str = LOOPBACK,
    transport: dict[str, Any] | None = None,
    zone: Zone | None = None,
) -> Finding:
    """What is found where this listens in the registrar's place."""

    async def act(world: World) -> Finding:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, _context: None)
        server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        world.transports = {protocol: transport or {}}
        world.options = {"server_uri": f"sip:{host}:{port};transport={protocol}"}
        try:
            return await first_outcome(world)
        finally:
            server.close()

    return explain(act=act, zone=zone)


def saying(data: bytes) -> Serve:
    """Says this to whoever sends anything, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        writer.close()

    return serve


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing, whatever comes."""
    while await reader.read(1000):
        pass
    writer.close()


def speaking(context: ssl.SSLContext) -> Serve:
    """Speaks TLS and says why it breaks off, as servers do; asyncio's do not."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = context.wrap_bio(incoming, outgoing, server_side=True)
        while data := await reader.read(10_000):
            incoming.write(data)
            try:
                secured.do_handshake()
                secured.read(1)
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
            except ssl.SSLError:
                break
        writer.write(outgoing.read())
        writer.close()

    return serve


@pytest.mark.parametrize(
    ("banner", "who"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"220 mail.example.com ESMTP\r\n", "mail"),
    ],
)
def test_a_server_of_something_else(banner: bytes, who: str) -> None:
    finding = meeting(saying(banner))
    found(finding, "not-sip", says=who, evidence=banner[:10].decode().strip(), fix="port")


def test_something_else_over_udp() -> None:
    async def act(world: World) -> Finding:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((LOOPBACK, 0))
            other.setblocking(False)
            loop = asyncio.get_running_loop()

            def echo() -> None:
                _, address = other.recvfrom(4096)
                other.sendto(b"\x00\x01 what?", address)

            loop.add_reader(other, echo)
            world.options = {"server_uri": f"sip:{LOOPBACK}:{other.getsockname()[1]}"}
            try:
                return await first_outcome(world)
            finally:
                loop.remove_reader(other)

    found(explain(act=act), "not-sip", says="something else", fix="port")


def server_context(tmp_path: Path, alternative: str = f"IP:{LOOPBACK}") -> ssl.SSLContext:
    made = self_signed(tmp_path, "registrar", alternative)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context


def test_plain_sip_towards_tls() -> None:
    # an alert of TLS: unexpected message
    finding = meeting(saying(b"\x15\x03\x01\x00\x02\x02\x0a"))
    found(finding, "tls-expected", says="speaks TLS", fix="transport=tls", where=":10")


def test_plain_sip_towards_tls_that_only_hangs_up(tmp_path: Path) -> None:
    # OpenSSL sends no alert to who does not speak TLS: this might be anything
    finding = meeting(speaking(server_context(tmp_path)))
    found(finding, "connection-lost", says="before it answered", fix="log")
    assert "TLS" in finding.fix[1].text


def test_tls_towards_plain_sip() -> None:
    finding = meeting(saying(b"SIP/2.0 400 Bad Request\r\n\r\n"), "tls")
    found(finding, "tls-not-spoken", says="no TLS", fix="port", where=":10")


def test_tls_towards_who_hangs_up() -> None:
    finding = meeting(saying(b""), "tls")
    found(finding, "tls-not-spoken", says="hung up during the TLS handshake", fix="port")


def test_tls_towards_who_says_nothing() -> None:
    finding = meeting(hanging, "tls")
    found(finding, "tls-not-spoken", says="does not answer the TLS handshake", fix="port")


# -- certificates -----------------------------------------------------------------------------


def refusing(
    tmp_path: Path, *, name: str = LOOPBACK, host: str = LOOPBACK, **options: Any
) -> Finding:
    """What is found where the registrar's certificate, signed by an authority that is trusted, is
    made with these options."""
    authority = Authority(tmp_path)
    made = authority.signed("registrar", name, **options)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    trusting = {"verify_server": True, "ca_list_file": str(authority.certificate)}
    zone = {host: {"A": [LOOPBACK]}}
    return meeting(hanging, "tls", context=context, host=host, transport=trusting, zone=zone)


def test_a_certificate_that_signed_itself(tmp_path: Path) -> None:
    trusting = {"verify_server": True}
    finding = meeting(hanging, "tls", context=server_context(tmp_path), transport=trusting)
    found(
        finding, "tls-self-signed", says="CN=registrar", evidence="self-signed", fix="ca_list_file"
    )
    assert finding.fix[0].where.endswith(":20")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refused_certificate_costs_one_connection(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    came: list[asyncio.StreamWriter] = []
    context = server_context(tmp_path)
    context.minimum_version = context.maximum_version = version
    speak = speaking(context)

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        await speak(reader, writer)

    finding = meeting(counted, "tls", transport={"verify_server": True})
    found(finding, "tls-self-signed", says="CN=registrar")
    assert len(came) == 1


def test_a_certificate_by_somebody_unknown(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    other = Authority(tmp_path / "two", "Somebody Else")
    made = other.signed("registrar", LOOPBACK)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    trusted = Authority(tmp_path / "one").certificate
    finding = meeting(
        hanging,
        "tls",
        context=context,
        transport={"verify_server": True, "ca_list_file": str(trusted)},
    )
    found(
        finding, "tls-unknown-issuer", says="by CN=Somebody Else", fix="ca_list_file", where=":20"
    )
    assert str(trusted) in finding.finding


def test_a_certificate_that_has_ended(tmp_path: Path) -> None:
    finding = refusing(tmp_path, since="20200101000000Z", until="20200201000000Z")
    found(finding, "tls-expired", says="2020-02-01", evidence="expired", fix="a new certificate")


def test_a_certificate_of_the_future(tmp_path: Path) -> None:
    finding = refusing(tmp_path, since="20900101000000Z", until="20900201000000Z")
    found(finding, "tls-not-yet-valid", says="2090-01-01", fix="a new certificate")


def test_a_certificate_for_somebody_else(tmp_path: Path) -> None:
    finding = refusing(tmp_path, name="other.test", host=DOMAIN)
    found(finding, "tls-wrong-name", says="made out to other.test", fix="a name of the certificate")
    assert "certificate refused: made out to another name" in finding.steps[-1].text


def test_a_certificate_that_fits_only_by_a_wildcard(tmp_path: Path) -> None:
    finding = refusing(tmp_path, name=f"*.{DOMAIN}", host=f"sip.{DOMAIN}")
    found(finding, "tls-wrong-name", says="wildcard", fix="allow_wildcard_certs", where=":20")


def test_an_old_version_of_tls(tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    finding = meeting(speaking(context), "tls", transport={"method": "tlsv1_2"})
    found(finding, "tls-too-old", says="no TLS version or cipher", fix="method", where=":20")


def test_a_certificate_of_ours_is_wanted(tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    finding = meeting(speaking(context), "tls")
    found(finding, "tls-client-certificate", says="wants a certificate", fix="cert_file")
    assert finding.fix[0].where == "pjsip.conf:20"


def test_a_certificate_of_ours_or_another_cipher_is_wanted(tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    finding = meeting(speaking(context), "tls")
    # an alert of TLS 1.2 does not tell: both are said
    found(finding, "tls-too-old", says="or it wants a certificate of ours", fix="method or cipher")
    assert "cert_file" in finding.fix[1].text


# -- several targets --------------------------------------------------------------------------


def test_targets_that_fail_each_by_its_own_cause() -> None:
    gone = free_port()

    async def act(world: World) -> Finding:
        world.registrar.script("alice", silence())
        world.names.zone = {
            f"_sip._udp.{DOMAIN}": {
                "SRV": [f"1 0 {gone} one.{DOMAIN}.", f"2 0 {world.registrar.port} one.{DOMAIN}."]
            },
            f"one.{DOMAIN}": {"A": [LOOPBACK]},
        }
        world.options = {"server_uri": f"sip:{DOMAIN}"}
        return await first_outcome(world)

    finding = explain(act=act)
    found(finding, "all-targets-failed", says=f"{gone} refused", evidence="refused", fix="host")
    assert "silent" in finding.finding


def test_a_first_target_that_is_down() -> None:
    gone = free_port()

    async def act(world: World) -> Finding:
        world.registrar.script("alice", grant())
        world.names.zone = {
            f"_sip._udp.{DOMAIN}": {
                "SRV": [f"1 0 {gone} one.{DOMAIN}.", f"2 0 {world.registrar.port} one.{DOMAIN}."]
            },
            f"one.{DOMAIN}": {"A": [LOOPBACK]},
        }
        world.options = {"server_uri": f"sip:{DOMAIN}"}
        return await first_outcome(world)

    finding = explain(act=act)
    found(finding, "fine", ok=True, fix=None)
    noted(finding, "first-target-down", str(gone))
