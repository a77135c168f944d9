"""The manager interface over TLS."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pjreg_cli.config.manager_conf import endpoints
from pjreg_cli.config.models import ManagerSettings
from tests.support.ami_client import Client, account, house, settings
from tests.support.ami_port import FakeInstance, settled, view


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signed itself, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made


async def test_plain_and_tls_are_the_same(certificate: Path) -> None:
    manager = settings(
        account(), tlsenable=True, tlsbindaddr="127.0.0.1:0", tlscertfile=str(certificate)
    )
    fake = FakeInstance(*(view(f"r{number:04}") for number in range(1000)))
    async with house(fake, manager) as running:
        plain, tls = (port for _, port in running.server.addresses)
        context = ssl.create_default_context(cafile=str(certificate))
        client = await Client.connect(tls, context)
        running.clients.append(client)
        await client.login()
        fake.notices.tell(settled())
        assert (await client.message())[0] == ("Event", "Registry")
        over_tls = await client.listed("PJSIPShowRegistrationsOutbound")
        other = await Client.connect(plain)
        running.clients.append(other)
        await other.login()
        assert await other.listed("PJSIPShowRegistrationsOutbound") == over_tls
        await client.ask("Logoff")
        assert await client.at_end() == b""


async def test_certificate_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nonsense")
    for file, said in (
        ("", r"tlscertfile is not set$"),
        (str(bad), rf"^AMI cannot use certificate {bad} for 127\.0\.0\.1:5039: .+$"),
        (str(tmp_path / "none.pem"), r"No such file or directory$"),
    ):
        async with house() as running:
            (why,) = await running.server.apply(settings(tlsenable=True, tlscertfile=file))
            assert re.search(said, why)
            assert len(running.server.addresses) == 1


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ["0.0.0.0:5038"]),
        ({"enabled": False}, []),
        ({"bindaddr": "::1"}, ["[::1]:5038"]),
        ({"bindaddr": "[::1]:99"}, ["[::1]:99"]),
        ({"bindaddr": "10.0.0.1:99"}, ["10.0.0.1:99"]),
        ({"tlsenable": True, "tlscertfile": "x"}, ["0.0.0.0:5038", "0.0.0.0:5039"]),
        ({"tlsenable": True, "tlsbindaddr": "[::]:7"}, ["0.0.0.0:5038", "[::]:7"]),
    ],
)
def test_addresses_are_read_with_and_without_port(
    fields: dict[str, object], shown: list[str]
) -> None:
    found = endpoints(ManagerSettings(**({"enabled": True} | fields)))  # type: ignore[arg-type]
    assert [str(endpoint) for endpoint in found] == shown


async def test_those_who_never_shake_hands_count_as_not_logged_in(certificate: Path) -> None:
    manager = settings(
        account(),
        tlsenable=True,
        tlsbindaddr="127.0.0.1:0",
        tlscertfile=str(certificate),
        authlimit=5,
    )
    async with house(FakeInstance(), manager) as running:
        _, tls = (port for _, port in running.server.addresses)
        with ExitStack() as silent:
            for _ in range(20):
                silent.enter_context(socket.create_connection(("127.0.0.1", tls)))
            async with asyncio.timeout(60):
                while running.server.refused < 15:  # noqa: ASYNC110 -- the other side's doing
                    await asyncio.sleep(0.01)
        trusting = ssl.create_default_context(cafile=certificate)
        client: Client | None = None
        async with asyncio.timeout(60):
            while client is None:  # the silent ones have left, which takes effect soon
                with suppress(OSError):
                    client = await Client.connect(tls, trusting)
        running.clients.append(client)
        await client.login()


async def test_a_client_that_closes_leaves_no_fault_behind(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = settings(
        account(), tlsenable=True, tlsbindaddr="127.0.0.1:0", tlscertfile=str(certificate)
    )
    async with house(FakeInstance(), manager) as running:
        _, tls = (port for _, port in running.server.addresses)
        for _ in range(5):
            client = await Client.connect(tls, ssl.create_default_context(cafile=certificate))
            await client.login()
            await client.close()
        async with asyncio.timeout(60):
            while running.server.sessions():  # noqa: ASYNC110 -- the other side's doing
                await asyncio.sleep(0.01)
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
