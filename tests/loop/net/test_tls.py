"""TLS over real sockets, with certificates made by openssl."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.loop.net.support import (
    ANSWER,
    MESSAGE,
    certificate,
    opened,
    section,
    stream_peer,
    target,
)


def server(pem: Path, lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.minimum_version = lowest
    return context


async def outcome(options: dict[str, Any], context: ssl.SSLContext, name: str = "") -> str:
    """`connected`, or why not."""
    async with opened(section("s", "tls", **options)) as (pool, heard, failed):
        assert failed == {}
        async with stream_peer(ssl=context) as peer:
            flow = pool.flow("", target(peer.port, "tls", name=name))
            flow.send(MESSAGE)
            reading = asyncio.ensure_future(peer.read(len(MESSAGE)))  # noqa: TID251 -- a test's own
            failing = asyncio.ensure_future(  # noqa: TID251
                heard.until(lambda: bool(heard.closings))
            )
            await asyncio.wait([reading, failing], return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, failing):
                task.cancel()
            if heard.closings:
                assert heard.closings[0][2] is False
                return heard.closings[0][1]
            assert reading.result() == MESSAGE
            return "connected"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1,DNS:sip.example.com")


@pytest.fixture(scope="module")
def wildcard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "DNS:*.example.com")


async def test_without_verification_any_certificate_will_do(pem: Path) -> None:
    assert await outcome({}, server(pem), "elsewhere.example.org") == "connected"


@pytest.mark.parametrize("name", ["127.0.0.1", "sip.example.com", "SIP.example.com"])
async def test_a_trusted_certificate_for_this_name_or_address(pem: Path, name: str) -> None:
    options = {"verify_server": True, "ca_list_file": str(pem)}
    assert await outcome(options, server(pem), name) == "connected"


async def test_a_directory_of_authorities_counts_too(pem: Path) -> None:
    options = {"verify_server": True, "ca_list_path": str(pem.parent)}
    assert "certificate refused" in await outcome(options, server(pem))


async def test_an_untrusted_certificate_is_refused(pem: Path) -> None:
    why = await outcome({"verify_server": True}, server(pem))
    assert "certificate refused: self-signed certificate" in why


async def test_a_certificate_for_another_host_is_refused(pem: Path) -> None:
    options = {"verify_server": True, "ca_list_file": str(pem)}
    why = await outcome(options, server(pem), "other.example.com")
    assert "certificate refused" in why
    assert "other.example.com" in why


@pytest.mark.parametrize(("allowed", "word"), [(False, "wildcard"), (True, "connected")])
async def test_wildcards_only_when_allowed(wildcard: Path, allowed: bool, word: str) -> None:
    options = {
        "verify_server": True,
        "ca_list_file": str(wildcard),
        "allow_wildcard_certs": allowed,
    }
    assert word in await outcome(options, server(wildcard), "sip.example.com")


@pytest.mark.parametrize("method", ["", "default", "unspecified", "tlsv1_2", "tlsv1_3", "sslv23"])
async def test_every_method_of_today_connects(pem: Path, method: str) -> None:
    assert await outcome({"method": method}, server(pem)) == "connected"


@pytest.mark.parametrize("method", ["tlsv1", "tlsv1_1"])
async def test_old_methods_only_reach_old_servers(pem: Path, method: str) -> None:
    assert "TLS failed" in await outcome({"method": method}, server(pem))


async def test_tlsv1_2_is_no_tls_1_3(pem: Path) -> None:
    only_new = server(pem, ssl.TLSVersion.TLSv1_3)
    assert "TLS failed" in await outcome({"method": "tlsv1_2"}, only_new)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ca_list_file": "/nothing.pem"}, "/nothing.pem: No such file"),
        ({"ca_list_path": "/nothing"}, "/nothing is no directory"),
        ({"cert_file": "/nothing.pem"}, "/nothing.pem: No such file"),
        ({"method": "sslv2"}, "method sslv2 is not offered"),
        ({"method": "bogus"}, "method bogus is not offered"),
        ({"cipher": ("BOGUS",)}, "method or cipher"),
    ],
)
async def test_wrong_options_spoil_the_transport(options: dict[str, Any], words: str) -> None:
    async with opened(section("s", "tls", **options), section("u")) as (pool, _, failed):
        assert words in str(failed["s"])
        assert not failed["s"].in_use
        assert pool.opened() == ("u",)


async def test_an_encrypted_key_never_asks_on_the_terminal(pem: Path, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "openssl", "pkey", "-in", str(pem), "-aes256", "-passout", "pass:secret", "-out",
        str(tmp_path / "key.pem"),
    )  # fmt: skip
    assert await process.wait() == 0
    options = {"cert_file": str(pem), "priv_key_file": str(tmp_path / "key.pem")}
    async with opened(section("s", "tls", **options)) as (_, _, failed):
        assert "key.pem" in str(failed["s"])
    async with opened(section("s", "tls", password="secret", **options)) as (_, _, failed):
        assert failed == {}


async def test_others_may_connect_to_us_when_we_have_a_certificate(pem: Path) -> None:
    async with opened(section("s", "tls", cert_file=str(pem))) as (pool, heard, _):
        contact = pool.flow("", target(5061, "tls")).contact
        context = ssl.create_default_context(cafile=str(pem))
        reader, writer = await asyncio.open_connection(*contact, ssl=context)
        writer.write(MESSAGE)
        await heard.until(lambda: bool(heard.messages))
        heard.messages[0][1].reply(ANSWER)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.transport.abort()


async def test_without_a_certificate_we_hang_up() -> None:
    async with opened(section("s", "tls")) as (pool, _, _):
        reader, writer = await asyncio.open_connection(*pool.flow("", target(5061, "tls")).contact)
        assert await reader.read() == b""
        writer.close()


async def test_each_name_has_a_connection_of_its_own() -> None:
    async with opened(section("s", "tls")) as (pool, _, _):
        one, two = (pool.flow("", target(5061, "tls", name=name)) for name in ("a", "b"))
        assert one is not two


@pytest.mark.parametrize(
    ("names", "name", "word"),
    [
        ("URI:sip:sip.example.com", "sip.example.com", "connected"),
        ("URI:sip:sip.example.com,DNS:other.example.com", "sip.example.com", "connected"),
        ("IP:127.0.0.1,DNS:*.example.com", "127.0.0.1", "connected"),
        ("DNS:sip.example.com", "127.0.0.1", "it is for sip.example.com, not for 127.0.0.1"),
    ],
)
async def test_names_count_as_sip_wants_it(
    tmp_path: Path, names: str, name: str, word: str
) -> None:
    made = certificate(tmp_path, names)
    options = {"verify_server": True, "ca_list_file": str(made)}
    assert word in await outcome(options, server(made), name)


async def test_whose_certificate_is_refused_is_told_so(pem: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> str:
            accepted, _ = listening.accept()
            with accepted:
                try:
                    server(pem).wrap_socket(accepted, server_side=True).read(1)
                except ssl.SSLError as error:
                    return str(error.reason)
            return "nothing"

        serving = asyncio.to_thread(serve)
        async with opened(section("s", "tls", verify_server=True)) as (pool, heard, _):
            pool.flow("", target(listening.getsockname()[1], "tls")).send(MESSAGE)
            assert "ALERT_UNKNOWN_CA" in await serving
            await heard.until(lambda: bool(heard.closings))


async def test_authorities_that_were_replaced_are_read_at_a_reload(
    pem: Path, tmp_path: Path
) -> None:
    authorities = tmp_path / "ca.pem"
    shutil.copy(certificate(tmp_path, "IP:127.0.0.1", "old"), authorities)
    same = section("s", "tls", verify_server=True, ca_list_file=str(authorities))
    async with opened(same) as (pool, heard, _), stream_peer(ssl=server(pem)) as peer:
        flow = pool.flow("", target(peer.port, "tls"))
        flow.send(MESSAGE)
        await heard.until(lambda: bool(heard.closings))
        assert (await pool.reopen([same])).renewed == ()
        shutil.copy(pem, authorities)
        assert (await pool.reopen([same])).renewed == ("s",)
        assert pool.flow("", target(peer.port, "tls")) is flow
        flow.send(MESSAGE)
        assert await peer.read(len(MESSAGE)) == MESSAGE


async def test_a_certificate_of_ours_that_was_replaced_is_shown_without_losing_anybody(
    tmp_path: Path,
) -> None:
    ours = tmp_path / "ours.pem"
    old, new = (certificate(tmp_path, "IP:127.0.0.1", name) for name in ("old", "new"))
    shutil.copy(old, ours)
    same = section("s", "tls", cert_file=str(ours))
    async with opened(same) as (pool, heard, _):
        contact = pool.flow("", target(5061, "tls")).contact

        async def connected(authority: Path) -> asyncio.StreamWriter:
            context = ssl.create_default_context(cafile=str(authority))
            return (await asyncio.open_connection(*contact, ssl=context))[1]

        early = await connected(old)
        for again in (new, old, new):
            shutil.copy(again, ours)
            assert (await pool.reopen([same])).renewed == ("s",)
            writer = await connected(again)
            with pytest.raises(ssl.SSLCertVerificationError):
                await connected(old if again is new else new)
            writer.transport.abort()
        early.write(MESSAGE)
        await heard.until(lambda: bool(heard.messages))
        early.transport.abort()


async def test_a_replacement_that_cannot_be_read_changes_nothing(pem: Path, tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    shutil.copy(pem, authorities)
    same = section("s", "tls", verify_server=True, ca_list_file=str(authorities))
    async with opened(same) as (pool, _, _), stream_peer(ssl=server(pem)) as peer:
        authorities.write_text("half a cert")
        result = await pool.reopen([same])
        assert "what was before goes on" in str(result.failed["s"])
        pool.flow("", target(peer.port, "tls")).send(MESSAGE)
        assert await peer.read(len(MESSAGE)) == MESSAGE


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_who_shows_us_a_certificate_that_we_refuse_is_told_so(
    pem: Path, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    stranger = certificate(tmp_path, "DNS:stranger.example.com", "stranger")
    ours = section("s", "tls", cert_file=str(pem), ca_list_file=str(pem), require_client_cert=True)
    async with opened(ours) as (pool, _, _):
        contact = pool.flow("", target(5061, "tls")).contact
        context = ssl.create_default_context(cafile=str(pem))
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(stranger)

        def call() -> str:
            with socket.create_connection(contact, 10) as made:
                try:
                    with context.wrap_socket(made, server_hostname="127.0.0.1") as secure:
                        secure.read(1)
                except ssl.SSLError as error:
                    return str(error.reason)
            return "nothing"

        assert "ALERT_UNKNOWN_CA" in await asyncio.to_thread(call)
