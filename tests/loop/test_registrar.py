"""The scripted registrar does what its scripts say."""

from __future__ import annotations

import asyncio

from pjreg_cli.registration.request import Template
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.digest import Account, select
from pjreg_cli.sip.framing import StreamFramer
from pjreg_cli.sip.message import Response, parse
from tests.support.digests import authorize
from tests.support.ports import LOOPBACK
from tests.support.registrar import (
    Answer,
    Registrar,
    fail,
    grant,
    hang_up,
    protected,
    silence,
)
from tests.unit.registration.test_request import Section


class Client(asyncio.DatagramProtocol):
    """Sends REGISTERs over UDP and gathers what comes back."""

    def __init__(self, registrar: Registrar) -> None:
        self.registrar = registrar
        self.inbox: asyncio.Queue[Response] = asyncio.Queue()
        self.cseq = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        port: int = transport.get_extra_info("sockname")[1]
        self.template = template(self.registrar, "udp", port)

    def datagram_received(self, data: bytes, _addr: object) -> None:
        response = parse(data)
        assert isinstance(response, Response)
        self.inbox.put_nowait(response)

    def send(self, expires_s: int = 60, credentials: tuple[tuple[str, str], ...] = ()) -> bytes:
        self.cseq += 1
        data = request(self.template, self.cseq, expires_s, credentials)
        self.transport.sendto(data)
        return data

    async def ask(
        self, expires_s: int = 60, credentials: tuple[tuple[str, str], ...] = ()
    ) -> Response:
        self.send(expires_s, credentials)
        return await self.inbox.get()


def template(registrar: Registrar, protocol: str, port: int) -> Template:
    section = Section(
        server_uri=f"sip:{LOOPBACK}:{registrar.port}", client_uri=f"sip:alice@{LOOPBACK}"
    )
    here = Address(LOOPBACK, port)
    return Template(
        section, "test", call_id="c", line="", protocol=protocol, sent_by=here, contact=here
    )


def request(
    made: Template, cseq: int, expires_s: int = 60, credentials: tuple[tuple[str, str], ...] = ()
) -> bytes:
    branch = f"z9hG4bK{cseq}"
    return made.build(expires_s, cseq=cseq, from_tag="t", branch=branch, authorization=credentials)


async def connected(registrar: Registrar) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: Client(registrar), remote_addr=(LOOPBACK, registrar.port)
    )
    return client


def credentials(
    response: Response, password: str, method: str, uri: str
) -> tuple[tuple[str, str], ...]:
    account = Account(
        "a", realm="", username="alice", algorithms=("MD5", "SHA-256"), password=lambda: password
    )
    selected = select(parse_challenges(response), [account])
    return tuple(authorize(selected, method, uri, "cnonce"))


async def test_without_a_script_everything_is_granted_and_removed() -> None:
    async with Registrar.open() as registrar:
        client = await connected(registrar)
        response = await client.ask(60)
        assert response.code == 200
        assert (response.headers.get("contact") or "").endswith(";expires=60")
        assert registrar.bindings == {"alice": {str(client.template.contact)}}
        response = await client.ask(0)
        assert (response.code, response.headers.get("contact")) == (200, None)
        assert registrar.bindings == {"alice": set()}
        assert [(seen.user, seen.expires_s, seen.code) for seen in registrar.seen] == [
            ("alice", 60, 200),
            ("alice", 0, 200),
        ]
        client.transport.close()


async def test_script_is_played_in_turn_and_its_last_answer_stays() -> None:
    async with Registrar.open() as registrar:
        registrar.script("alice", fail(503, [("Retry-After", "7")]), fail(404), grant(30))
        client = await connected(registrar)
        first = await client.ask()
        assert (first.code, first.headers.get("retry-after")) == (503, "7")
        assert [(await client.ask()).code for _ in range(3)] == [404, 200, 200]
        client.transport.close()


async def test_retransmission_gets_the_same_answer_and_is_counted() -> None:
    async with Registrar.open() as registrar:
        registrar.script("alice", fail(404), grant())
        client = await connected(registrar)
        data = client.send()
        client.transport.sendto(data)
        assert [(await client.inbox.get()).code for _ in range(2)] == [404, 404]
        assert [seen.copies for seen in registrar.seen] == [2]
        client.transport.close()


async def test_silence_is_recorded_and_a_provisional_response_goes_first() -> None:
    async with Registrar.open() as registrar:
        registrar.script("alice", silence(), grant(provisional=True))
        client = await connected(registrar)
        client.send()
        assert [seen.code for seen in await registrar.received(1, "alice")] == [0]
        client.send()
        assert [(await client.inbox.get()).code for _ in range(2)] == [100, 200]
        client.transport.close()


async def answered(answer: Answer, password: str) -> list[int]:
    """The codes until credentials are accepted or asked for four times."""
    async with Registrar.open() as registrar:
        registrar.script("alice", answer, fail(418))
        client = await connected(registrar)
        codes, more = list[int](), tuple[tuple[str, str], ...]()
        for _ in range(4):
            response = await client.ask(60, more)
            codes.append(response.code)
            if response.code not in (401, 407):
                break
            more = credentials(response, password, "REGISTER", client.template.request_uri)
        client.transport.close()
    return codes


async def test_only_the_right_password_is_accepted() -> None:
    assert await answered(protected("secret"), "secret") == [401, 200]
    assert await answered(protected("secret"), "wrong") == [401] * 4
    assert await answered(protected("secret", algorithm="SHA-256"), "secret") == [401, 200]
    assert await answered(protected("secret", qop=""), "secret") == [401, 200]
    assert await answered(protected("secret", proxy=True), "secret") == [407, 200]
    assert await answered(protected("secret", stale=1), "secret") == [401, 401, 200]
    assert await answered(protected("secret", fail(403)), "secret") == [401, 403]


async def test_connections_are_kept_hung_up_and_closed() -> None:
    async with Registrar.open() as registrar:
        registrar.script("alice", grant(), hang_up(), grant())
        made = template(registrar, "tcp", 5060)
        reader, writer = await asyncio.open_connection(LOOPBACK, registrar.port)
        writer.write(request(made, 1))
        framer, messages = StreamFramer(), list[bytes]()
        while not messages:
            messages += framer.feed(await reader.read(4096))
        assert parse(messages[0]).cseq == (1, "REGISTER")
        assert (registrar.connections, registrar.seen[0].protocol) == (1, "TCP")
        writer.write(request(made, 2))
        assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection(LOOPBACK, registrar.port)
        writer.write(request(made, 3))
        await registrar.received(3)
        registrar.close_connections()
        await reader.read()
        writer.close()
