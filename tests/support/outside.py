"""A registrar in a process of its own, to be run in another network namespace.

    python -m tests.support.outside HOST PORT

It grants everything, tells where each REGISTER came from (RFC 3581), and writes what it saw as
lines of JSON, once: what is sent again by whoever waits too long is answered and not told. A line
on its input is a method to be sent, on the way the last REGISTER came, to the Contact it gave; what
comes back is written as well.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Request, Response, parse
from pjreg_cli.sip.uri import parse_name_address
from tests.support.instance import ROOT

Peer = tuple[str, int]


class _Outside(asyncio.DatagramProtocol):
    """The registrar's socket."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: Peer = ("", 0)
        self._contact = ""
        self._asked = 0
        self._told: set[str] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        _say({"listening": True})

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        message = parse(data)
        assert self._transport is not None
        if isinstance(message, Response):
            self._tell(message.branch, {"code": message.code, "from": list(addr)})
            return
        headers = message.headers
        contact = headers.get("contact") or ""
        self._peer, self._contact = addr, str(parse_name_address(contact).uri)
        via = headers.get("via") or ""
        self._tell(message.branch, {"via": via, "contact": contact, "from": list(addr)})
        seen = via.replace(";rport", f";rport={addr[1]}") + f";received={addr[0]}"
        fields = [("Via", seen), *((name, headers.get(name) or "") for name in _REPEATED)]
        answer = Headers([*fields, ("Contact", contact), ("Expires", headers.get("expires") or "")])
        self._transport.sendto(Response(200, "OK", answer).encode(), addr)

    def _tell(self, branch: str, seen: Mapping[str, object]) -> None:
        if branch not in self._told:
            self._told.add(branch)
            _say(seen)

    def ask(self, method: str) -> None:
        """Send a request to whoever registered last."""
        assert self._transport is not None
        self._asked += 1
        host, port = self._transport.get_extra_info("sockname")[:2]
        fields = [
            ("Via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{self._asked};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:ping@{host}>;tag=1"),
            ("To", f"<{self._contact}>"),
            ("Call-ID", f"ping-{self._asked}"),
            ("CSeq", f"1 {method}"),
        ]
        self._transport.sendto(Request(method, self._contact, Headers(fields)).encode(), self._peer)


_REPEATED = ("From", "To", "Call-ID", "CSeq")


def _say(seen: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


async def _main(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    _, outside = await loop.create_datagram_endpoint(_Outside, (host, port))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        outside.ask(line.decode().strip())


class Outside:
    """The process, as a test sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def saw(self) -> dict[str, Any]:
        """The next thing it saw; waits for it.  Any: that is JSON."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the registrar has ended"
        seen: dict[str, Any] = json.loads(line)
        return seen

    def ask(self, method: str) -> dict[str, Any]:
        """Have it send a request; what came back.  Any: that is JSON."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{method}\n")
        self._process.stdin.flush()
        return self.saw()


@contextmanager
def outside(prefix: Sequence[str], host: str, port: int) -> Iterator[Outside]:
    """The registrar at this address; `prefix` begins its command line."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.support.outside", host, str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            registrar = Outside(process)
            assert registrar.saw() == {"listening": True}
            yield registrar
            process.terminate()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
