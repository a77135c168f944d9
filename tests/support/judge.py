"""A registrar that judges: it compares Call-ID and CSeq (RFC 3261 section 10.3), lets bindings run
out, and notes whoever does what a fleet must never do."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.support.ports import LOOPBACK

_HEADER = re.compile(rb"^([A-Za-z-]+)[ \t]*:[ \t]*(.*?)\r?$", re.MULTILINE)
_USER = re.compile(rb"sip:([^@>]+)@")
#: the kernel's clock on each datagram, by Linux' number
_SO_TIMESTAMPNS = 35
_EXPIRES = re.compile(rb"\d+")


@dataclass
class Held:
    """A binding."""

    call_id: bytes
    cseq: int
    sender: tuple[str, int]
    at: float
    until: float
    before: tuple[str, int] | None = None
    """Who had sent before this sender."""
    since: float = 0.0
    """When this sender began."""


@dataclass
class Verdict:
    """What was seen that must not be."""

    lapses: list[str] = field(default_factory=list)
    new_call_ids: list[str] = field(default_factory=list)
    not_higher: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    """Accounts for which a machine has sent after another had gone on, within a lease."""
    too_soon: list[str] = field(default_factory=list)
    """Accounts that another machine has gone on with sooner after a request than the time by which
    a lease outlives the trust in it.  Who hands over may do that for a request that is on its way,
    who takes over may not."""
    early: list[tuple[str, float, float]] = field(default_factory=list)
    """Accounts whose new sender refreshed before it was due, when the last request came, and when
    this one."""


class Judge:
    """Listens on UDP in a thread of its own; grants `grant_s` whatever is asked."""

    def __init__(self, grant_s: float = 30.0, lease_s: float = 0.0, margin_s: float = 10.0) -> None:
        """`lease_s`: how long silence lasts before others take over, `margin_s` how long before
        its end a binding is due."""
        self.grant_s = grant_s
        self.lease_s = lease_s
        self.margin_s = margin_s
        self.verdict = Verdict()
        self.held: dict[str, Held] = {}
        self.requests = 0
        self.by_sender: Counter[tuple[str, int]] = Counter()
        self.log: list[tuple[float, str, int, int]] = []
        """When, who, CSeq, port of the sender."""
        self.contacts: dict[str, list[str]] = {}
        """The Contacts of the last request for each account."""
        self._answered: dict[bytes, bytes] = {}
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._sock.bind((LOOPBACK, 0))
        self.port: int = self._sock.getsockname()[1]
        self._stopping = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Judge:
        self.listen(self._sock)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        for thread in self._threads:
            thread.join()

    def listen(self, sock: socket.socket) -> None:
        """Judge also what comes to this socket, which is closed at the end."""
        sock.settimeout(0.1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        thread = threading.Thread(target=self._run, args=(sock,), daemon=True)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def clock() -> float:
        """The time of its log, in seconds."""
        return time.monotonic()  # noqa: TID251 -- other processes are judged

    def registered(self) -> int:
        """How many bindings are alive."""
        now = self.clock()
        with self._lock:
            return sum(one.until > now for one in self.held.values())

    def senders(self) -> Counter[tuple[str, int]]:
        """How many accounts were last registered by whom."""
        with self._lock:
            return Counter(one.sender for one in self.held.values())

    def mark(self) -> int:
        """A place in the log."""
        with self._lock:
            return len(self.log)

    def early(self, since: float) -> list[str]:
        """Who was refreshed before it was due by another sender `since` then, when what had been
        sent before was written down (`Fleet.written`)."""
        return [n for n, last_at, at in self.verdict.early if last_at < since < at]

    def cseqs(self) -> dict[str, int]:
        """The last number of each account."""
        with self._lock:
            return {name: one.cseq for name, one in self.held.items()}

    def since(self, mark: int) -> list[tuple[float, str, int, int]]:
        """The log from a place on."""
        with self._lock:
            return self.log[mark:]

    def _run(self, sock: socket.socket) -> None:
        with sock:
            while not self._stopping:
                try:
                    data, ancillary, _, sender = sock.recvmsg(65536, 64)
                except TimeoutError:
                    continue
                with self._lock:
                    answer = self._judge(data, sender, self._arrived(ancillary))
                if answer:
                    sock.sendto(answer, sender)

    def _arrived(self, ancillary: list[tuple[int, int, bytes]]) -> float:
        """When the kernel had a datagram: this thread may be late."""
        for _level, kind, value in ancillary:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", value)
                late_s: float = time.time() - seconds - nanoseconds / 1e9  # noqa: TID251 -- the kernel's
                return self.clock() - late_s
        return self.clock()

    def _compare(self, user: str, sender: tuple[str, int], before: Held, now: float) -> None:
        """Whether this sender may be the one."""
        if sender == before.sender:
            return
        if sender == before.before and now - before.since < self.lease_s:
            self.verdict.overlaps.append(f"{user}: {now - before.since:.2f} s after")
        if now - before.at < self.lease_s / 6 * 0.9:
            self.verdict.too_soon.append(f"{user}: {now - before.at:.2f} s apart")
        if before.until - now > self.margin_s + 1.0:
            self.verdict.early.append((user, before.at, now))

    def _judge(self, data: bytes, sender: tuple[str, int], now: float) -> bytes:
        fields = [(name.lower(), value) for name, value in _HEADER.findall(data)]
        headers = dict(fields)
        if not data.startswith(b"REGISTER") or b"cseq" not in headers:
            return b""
        via = headers[b"via"]
        if via in self._answered:
            return self._answered[via]
        found = _USER.search(headers[b"to"])
        user = found[1].decode() if found else ""
        cseq = int(headers[b"cseq"].split()[0])
        expires = headers.get(b"expires", b"3600")
        leaving = expires.strip() == b"0"
        self.requests += 1
        self.by_sender[sender] += 1
        self.log.append((now, user, cseq, sender[1]))
        before = self.held.get(user)
        code = b"200 OK"
        if before is not None:
            if before.call_id == headers[b"call-id"] and cseq <= before.cseq:
                self.verdict.not_higher.append(f"{user}: {cseq} after {before.cseq}")
                code = b"400 Invalid CSeq number"
            elif before.call_id != headers[b"call-id"]:
                self.verdict.new_call_ids.append(user)
            if now > before.until:
                self.verdict.lapses.append(f"{user}: {now - before.until:.1f} s")
            self._compare(user, sender, before, now)
        contacts = [value.decode() for name, value in fields if name == b"contact"]
        self.contacts[user] = [one.strip() for value in contacts for one in value.split(",")]
        kept = [one for one in self.contacts[user] if not one.endswith(";expires=0")]
        if code.startswith(b"200"):
            if leaving:
                self.held.pop(user, None)
            else:
                one = Held(headers[b"call-id"], cseq, sender, now, now + self.grant_s, since=now)
                if before is not None and before.sender == sender:
                    one.before, one.since = before.before, before.since
                elif before is not None:
                    one.before = before.sender
                self.held[user] = one
        lines = [
            b"SIP/2.0 " + code,
            b"Via: " + via,
            b"From: " + headers[b"from"],
            b"To: " + headers[b"to"] + b";tag=judge",
            b"Call-ID: " + headers[b"call-id"],
            b"CSeq: " + headers[b"cseq"],
        ]
        if code.startswith(b"200") and not leaving:
            # what is taken off is not among what is kept (RFC 3261 section 10.3 step 8)
            lines += [b"Contact: %s;expires=%d" % (one.encode(), self.grant_s) for one in kept]
        answer = b"\r\n".join([*lines, b"Content-Length: 0", b"", b""])
        self._answered[via] = answer
        return answer
