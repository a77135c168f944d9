"""The floor: a client that registers N accounts and does nothing else, to see what Python can do.

    python benchmarks/peers/floor.py REGISTRAR_PORT OWN_PORT N

No configuration, no policy, no views, no checks: one drained socket, a window of requests under
way, the account's number in the branch, fields found in the bytes.  What it leaves out is what a
real client is for; its rate is the yardstick of `benchmarks/fleet.py`.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import socket
import sys
from collections import deque
from hashlib import md5

WINDOW = 256
RESEND_S = 0.5


class Floor:
    """N accounts on one socket."""

    def __init__(self, registrar: int, own: int, count: int) -> None:
        self.count = count
        self.uri = b"sip:127.0.0.1:%d" % registrar
        self.address = ("127.0.0.1", registrar)
        self.salt = secrets.token_hex(4).encode()
        self.mark = b"branch=z9hG4bK%b." % self.salt
        self.cnonce = secrets.token_hex(8).encode()
        self.second = md5(b"REGISTER:" + self.uri).hexdigest().encode()
        self.head = (
            b"REGISTER %b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;rport;" % (self.uri, own)
            + self.mark
        )
        self.own = own
        self.answered = bytearray(count)
        """0: nothing yet; 1: challenged; 2: granted."""
        self.nonces: list[bytes] = [b""] * count
        self.waiting: deque[tuple[float, int, int]] = deque()
        self.following = 0
        self.under_way = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind(("127.0.0.1", own))
        self.sock.setblocking(False)

    def request(self, number: int) -> bytes:
        """The first REGISTER of an account, or the one that answers its challenge."""
        nonce, step = self.nonces[number], self.answered[number]
        credentials = b""
        if nonce:
            first = md5(b"user:bench:secret").hexdigest().encode()
            told = b"%b:%b:00000001:%b:auth:%b" % (first, nonce, self.cnonce, self.second)
            credentials = (
                b'Authorization: Digest username="user", realm="bench", nonce="%b", uri="%b", '
                b'response="%b", algorithm=MD5, cnonce="%b", qop=auth, nc=00000001\r\n'
                % (nonce, self.uri, md5(told).hexdigest().encode(), self.cnonce)
            )
        return (
            b"%b%d.%d\r\nFrom: <sip:u%d@127.0.0.1>;tag=%d\r\nTo: <sip:u%d@127.0.0.1>\r\n"
            b"Call-ID: %d@%b\r\nCSeq: %d REGISTER\r\nContact: <sip:u%d@127.0.0.1:%d>\r\n"
            b"Expires: 3600\r\nMax-Forwards: 70\r\nUser-Agent: floor\r\n%bContent-Length: 0\r\n\r\n"
            % (
                self.head, number, step, number, number, number, number, self.salt,
                step + 1, number, self.own, credentials,
            )
        )  # fmt: skip

    def send(self, number: int, now: float) -> None:
        """Send what an account sends next."""
        self.waiting.append((now + RESEND_S, number, self.answered[number]))
        self.sock.sendto(self.request(number), self.address)

    def begin(self, now: float) -> None:
        """Fill the window."""
        while self.under_way < WINDOW and self.following < self.count:
            self.under_way += 1
            self.send(self.following, now)
            self.following += 1

    def drain(self) -> None:
        """Take in all that has come."""
        now = asyncio.get_running_loop().time()
        for _ in range(WINDOW):
            try:
                data = self.sock.recv(4096)
            except BlockingIOError:
                break
            at = data.index(self.mark) + len(self.mark)
            number, step = map(int, data[at : data.index(b"\r", at)].split(b";")[0].split(b"."))
            if step != self.answered[number]:
                continue
            if data.startswith(b"SIP/2.0 200"):
                self.answered[number] = 2
                self.under_way -= 1
            else:
                at = data.index(b'nonce="') + 7
                self.nonces[number] = data[at : data.index(b'"', at)]
                self.answered[number] = 1
                self.send(number, now)
        self.begin(now)

    def resend(self) -> None:
        """Send again what was not answered in time."""
        now = asyncio.get_running_loop().time()
        while self.waiting and self.waiting[0][0] <= now:
            _due, number, step = self.waiting.popleft()
            if self.answered[number] == step:
                self.send(number, now)
        asyncio.get_running_loop().call_later(0.1, self.resend)


async def main(registrar: int, own: int, count: int) -> None:
    """Register, then wait to be killed."""
    floor = Floor(registrar, own, count)
    gc.freeze()
    loop = asyncio.get_running_loop()
    loop.add_reader(floor.sock, floor.drain)
    floor.begin(loop.time())
    floor.resend()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4])))
