"""Requests that others send to a running instance, over UDP and TCP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path

import pytest

from pjreg_cli.sip.framing import StreamFramer
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Request, Response, parse
from tests.support.instance import PATIENCE_S, Instance
from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import running_instance

PROTOCOLS = pytest.mark.parametrize("protocol", ["udp", "tcp"])
#: no program may answer somebody who only claims an address with more than this many times as much
AMPLIFICATION = 2


class Caller:
    """Somebody who sends requests to us, and reads what comes back."""

    def __init__(self, protocol: str, port: int) -> None:
        kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((LOOPBACK, port))
        self._protocol = protocol
        self._framer = StreamFramer()
        self._waiting: list[bytes] = []

    def request(
        self, method: str, number: int = 1, user: str = "alice", *more: tuple[str, str]
    ) -> bytes:
        """A request to a user of ours; the same `number`, the same request."""
        host, port = self.socket.getsockname()
        uri = f"sip:{user}@{LOOPBACK}:{self.socket.getpeername()[1]}"
        fields = [
            (
                "Via",
                f"SIP/2.0/{self._protocol.upper()} {host}:{port};branch=z9hG4bK-{number};rport",
            ),
            ("Max-Forwards", "70"),
            ("From", "<sip:caller@example.org>;tag=caller"),
            ("To", f"<{uri}>"),
            ("Call-ID", f"call-{number}"),
            ("CSeq", f"{number} {method}"),
            *more,
        ]
        return Request(method, uri, Headers(fields)).encode()

    def read(self) -> bytes:
        """The next whole message."""
        while not self._waiting:
            data = self.socket.recv(65_535)
            assert data, "the connection was closed"
            self._waiting = [data] if self._protocol == "udp" else self._framer.feed(data)
        return self._waiting.pop(0)

    def ask(self, data: bytes) -> Response:
        """Send a request; the answer to it."""
        self.socket.sendall(data)
        answer = parse(self.read())
        assert isinstance(answer, Response)
        return answer


@contextmanager
def called(home: Path, protocol: str, redirect: str = "") -> Iterator[tuple[Instance, Caller]]:
    """An instance with a transport of this protocol, and a caller."""
    port = free_port()
    (home / "etc").mkdir()
    if redirect:
        (home / "etc" / "pjreg.conf").write_text(f"[general]\nredirect = {redirect}\n")
    text = f"[one]\ntype = transport\nprotocol = {protocol}\nbind = {LOOPBACK}:{port}\n"
    with running_instance(home, text) as instance:
        caller = Caller(protocol, port)
        with caller.socket:
            yield instance, caller


@PROTOCOLS
def test_each_method_has_its_answer(home: Path, protocol: str) -> None:
    expected = {
        "OPTIONS": 200,
        "INVITE": 480,
        "BYE": 481,
        "CANCEL": 481,
        "REGISTER": 403,
        "MESSAGE": 501,
        "FROBNICATE": 501,
    }
    with called(home, protocol) as (_, caller):
        host, port = caller.socket.getsockname()
        for number, (method, code) in enumerate(expected.items(), 1):
            answer = caller.ask(caller.request(method, number))
            assert (answer.cseq, answer.code) == ((number, method), code)
            via = answer.headers.get("via") or ""
            assert f"received={host}" in via
            assert f"rport={port}" in via


@PROTOCOLS
def test_calls_are_redirected_to_who_can_take_them(home: Path, protocol: str) -> None:
    target = "sip:${USER}@10.0.0.5:5060"
    with called(home, protocol, target) as (instance, caller):
        answer = caller.ask(caller.request("INVITE", user="+4930123"))
        assert answer.code == 302
        assert answer.headers.get("contact") == "<sip:+4930123@10.0.0.5:5060>"
        assert caller.ask(caller.request("OPTIONS", 2)).code == 200
        # taken over by a reload, as everything else
        (instance.etc / "pjreg.conf").write_text("[general]\n")
        assert instance.ask("core reload").status == 0
        assert caller.ask(caller.request("INVITE", 3)).code == 480


@PROTOCOLS
def test_retransmissions_get_the_very_same_answer(home: Path, protocol: str) -> None:
    with called(home, protocol) as (_, caller):
        for number, method in enumerate(("OPTIONS", "INVITE"), 1):
            request = caller.request(method, number)
            answers = []
            for _ in range(3):
                caller.socket.sendall(request)
                answers.append(caller.read())
            assert len(set(answers)) == 1, method


@PROTOCOLS
def test_an_acknowledgement_and_noise_get_none(home: Path, protocol: str) -> None:
    with called(home, protocol) as (_, caller):
        noise = [caller.request("ACK"), b"\r\n\r\n"]
        if protocol == "udp":
            noise += [b"\0" * 40, b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:a@b SIP/2.0\r\n\r\n"]
        for one in noise:
            caller.socket.sendall(one)
        # a stream's ping has its pong; besides it the first thing that comes is our answer
        assert caller.ask(caller.request("OPTIONS", 7)).cseq == (7, "OPTIONS")


def test_a_stream_cut_anywhere_is_put_together(home: Path) -> None:
    with called(home, "tcp") as (_, caller):
        caller.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b"".join(caller.request("OPTIONS", number) for number in range(1, 5))
        for start in range(0, len(data), 7):
            caller.socket.sendall(data[start : start + 7])
        cseqs = [parse(caller.read()).cseq[0] for _ in range(4)]
        assert cseqs == [1, 2, 3, 4]


def test_a_stream_that_is_no_sip_is_closed_and_others_are_served(home: Path) -> None:
    with called(home, "tcp") as (_, caller):
        stranger = Caller("tcp", caller.socket.getpeername()[1])
        with stranger.socket:
            stranger.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(ConnectionResetError):  # as good as closed
                assert stranger.socket.recv(100) == b""
        assert caller.ask(caller.request("OPTIONS")).code == 200


@pytest.mark.parametrize("redirect", ["", "sip:${USER}@pbx.example.org"])
def test_nobody_gets_back_much_more_than_was_sent(home: Path, redirect: str) -> None:
    kinds = product(
        ("OPTIONS", "INVITE", "REGISTER", "MESSAGE"), ("", ";x=" + 40 * "y", ";x=" + 80 * "y")
    )
    with called(home, "udp", redirect) as (_, caller):
        requests = [
            (
                f"{method} sip:a SIP/2.0\r\nv:SIP/2.0/UDP h;rport{more}\r\nf:<sip:a>\r\n"
                f"t:<sip:a>\r\ni:1\r\nCSeq:{number} {method}\r\n\r\n"
            ).encode()
            for number, (method, more) in enumerate(kinds)
        ]
        for method in ("OPTIONS", "INVITE", "REGISTER", "MESSAGE"):
            requests.append(caller.request(method, len(requests), "a" * 300))
        for request in requests:
            caller.socket.sendall(request)
        number = -1
        while number < len(requests) - 1:
            answer = caller.read()
            number = parse(answer).cseq[0]
            assert len(answer) <= AMPLIFICATION * len(requests[number])


def test_answers_go_to_who_asked_and_not_to_whom_the_request_names(home: Path) -> None:
    with called(home, "udp") as (_, caller), socket.socket(type=socket.SOCK_DGRAM) as victim:
        victim.bind((LOOPBACK, 0))
        victim.setblocking(False)
        port = victim.getsockname()[1]
        via = f"SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bK1;rport;received={LOOPBACK}"
        forged = caller.request("OPTIONS").replace(
            b"Via: ", f"Via: {via};maddr={LOOPBACK}\r\nVia: ".encode(), 1
        )
        assert caller.ask(forged).code == 200
        with pytest.raises(BlockingIOError):
            victim.recv(1)
