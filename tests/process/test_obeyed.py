"""Options of pjsip.conf that shape what is sent: what a registrar sees of them."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.instance import PATIENCE_S, PROGRAM, Instance
from tests.support.ports import free_port
from tests.support.waiting import until

CONF = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
[tcp]
type = transport
protocol = tcp
bind = 127.0.0.1:{port}
{sections}
[r]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:r@127.0.0.1
max_random_initial_delay = 0
{options}
"""


@contextmanager
def listening(kind: socket.SocketKind, port: int = 0) -> Iterator[socket.socket]:
    """Somebody who is sent REGISTERs."""
    with socket.socket(socket.AF_INET, kind) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port or free_port()))
        server.settimeout(PATIENCE_S)
        if kind is socket.SOCK_STREAM:
            server.listen()
        yield server


def started(home: Path, registrar: int, sections: str = "", options: str = "") -> Instance:
    """An instance that registers there."""
    port = free_port()
    text = CONF.format(port=port, registrar=registrar, sections=sections, options=options)
    instance = Instance(home, "")
    (instance.etc / "pjsip.conf").write_bytes(os.fsencode(text))
    instance.start()
    return instance


def test_global_and_system_shape_every_request(home: Path) -> None:
    sections = (
        "[global]\ntype = global\nmax_forwards = 13\ndebug = yes\n"
        "[system]\ntype = system\ndisable_rport = yes\ncompact_headers = yes\n"
    )
    with listening(socket.SOCK_DGRAM) as registrar:
        instance = started(home, registrar.getsockname()[1], sections)
        try:
            lines = registrar.recv(65535).decode().split("\r\n")
            until(lambda: "REGISTER sip:127.0.0.1" in instance.log(), "debug=yes traces")
        finally:
            instance.stop()
    assert lines[1].startswith("v: SIP/2.0/UDP 127.0.0.1:")
    assert "rport" not in lines[1]
    assert "Max-Forwards: 13" in lines
    assert {line.partition(":")[0] for line in lines[2:]} >= {"f", "t", "i", "m", "l"}


def test_long_request_leaves_udp_only_when_it_may(home: Path) -> None:
    agent = f"user_agent = {'x' * 1400}"
    with listening(socket.SOCK_DGRAM) as datagrams:
        port = datagrams.getsockname()[1]
        instance = started(home, port, options=agent)
        try:
            assert len(datagrams.recv(65535)) > 1400
        finally:
            instance.stop()
        switch = "[system]\ntype = system\ndisable_tcp_switch = no\n"
        with listening(socket.SOCK_STREAM, port) as streams:
            instance = started(home, port, switch, agent)
            try:
                connection, _ = streams.accept()
                with connection:
                    assert b"Via: SIP/2.0/TCP" in connection.recv(65535)
            finally:
                instance.stop()


def test_flow_transports_have_a_connection_each(home: Path) -> None:
    flows = "[one]\ntype = transport\nprotocol = flow\n[two]\ntype = transport\nprotocol = flow\n"
    with listening(socket.SOCK_STREAM) as streams:
        port = streams.getsockname()[1]
        second = (
            f"transport = one\n[s]\ntype = registration\nserver_uri = sip:127.0.0.1:{port}"
            "\\;transport=tcp\nclient_uri = sip:s@127.0.0.1\nmax_random_initial_delay = 0\n"
            "transport = two\n"
        )
        proxy = f"outbound_proxy = sip:127.0.0.1:{port}\\;transport=tcp\\;lr\\;hide\n"
        instance = started(home, 9, flows, proxy + second)
        try:
            seen = []
            for _ in range(2):
                connection, _peer = streams.accept()
                seen.append(connection.recv(65535).decode())
                connection.close()
        finally:
            instance.stop()
    users = sorted(match[1] for text in seen if (match := re.search(r"To: <sip:(\w)@", text)))
    assert users == ["r", "s"]
    assert not any("Route:" in text for text in seen)


@pytest.mark.parametrize("secret", [b"p\xe4ss", "pässwörd".encode()])
def test_bytes_of_a_password_reach_the_digest_as_they_are(home: Path, secret: bytes) -> None:
    sections = os.fsdecode(b"[\xe9]\ntype = auth\nusername = u\npassword = " + secret + b"\n")
    options = os.fsdecode(b"outbound_auth = \xe9\nuser_agent = M\xfcnchen\n")
    with listening(socket.SOCK_DGRAM) as registrar:
        instance = started(home, registrar.getsockname()[1], sections, options)
        try:
            request, peer = registrar.recvfrom(65535)
            assert b"\r\nUser-Agent: M\xfcnchen\r\n" in request
            kept = [
                line
                for line in request.split(b"\r\n")
                if line.partition(b":")[0] in (b"Via", b"From", b"Call-ID", b"CSeq", b"To")
            ]
            challenge = b'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5'
            answer = [b"SIP/2.0 401 Unauthorized", *kept, challenge, b"Content-Length: 0", b"", b""]
            registrar.sendto(b"\r\n".join(answer), peer)
            while b"Authorization:" not in (request := registrar.recv(65535)):
                pass
            shown = instance.ask("pjsip show auths", "--json")
        finally:
            instance.stop()
    found = re.search(rb'uri="([^"]*)".*response="([0-9a-f]{32})"', request)
    assert found is not None

    def md5(data: bytes) -> bytes:
        return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()

    ha1, ha2 = md5(b"u:r:" + secret), md5(b"REGISTER:" + found[1])
    assert found[2] == md5(ha1 + b":n:" + ha2)
    assert '"é"' in shown.out


def test_terminal_gets_no_bytes_that_are_no_text(home: Path) -> None:
    sections = os.fsdecode(b"[caf\xe9]\ntype = auth\nusername = u\npassword = p\n")
    instance = started(home, 9, sections)
    try:
        command = [PROGRAM[0], "-s", str(instance.socket), "-rx", "pjsip show auths"]
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            subprocess.run(command, stdin=theirs, stdout=theirs, check=True)
            shown = terminal.read(65_535)
            os.close(theirs)
        assert b"caf?" in shown
        assert shown.decode("utf-8")
        piped = subprocess.run(command, capture_output=True, check=True)
        assert b"caf\xe9" in piped.stdout
    finally:
        instance.stop()
