"""Every limit of what comes in is met from outside, and counted where operators look."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.background import in_background
from tests.support.certificates import self_signed
from tests.support.instance import Instance, run
from tests.support.ports import free_port
from tests.support.registrar import Registrar
from tests.support.waiting import until

PJSIP = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{udp}
[tcp]
type=transport
protocol=tcp
bind=127.0.0.1:{tcp}
[tls]
type=transport
protocol=tls
bind=127.0.0.1:{tls}
cert_file={certificate}
priv_key_file={key}
[trunk]
type=registration
server_uri=sip:127.0.0.1:{registrar}
client_uri=sip:trunk@127.0.0.1
max_random_initial_delay=1000000
"""
FILES = {
    "manager.conf": """\
[general]
enabled=yes
bindaddr=127.0.0.1
port={ami}
authlimit=12
authtimeout=2
[bob]
secret=right
read=all
write=call
""",
    "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={http}\n",
    "prometheus.conf": "[general]\nenabled=yes\nauth_username=p\nauth_password=q\n",
    "pjreg.conf": """\
[general]
monitor_socket={monitor}
[hooks]
on_change=sleep 600
timeout=1
""",
}
REQUEST = (
    "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{number}\r\n"
    "From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: {number}\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
STRAY = REQUEST.replace("OPTIONS sip:us@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK")


@dataclass
class Stranger:
    """Somebody outside, and the instance he has found."""

    instance: Instance
    ports: dict[str, int]
    monitor: Path
    stack: contextlib.ExitStack

    def connect(self, port: str, source: str = "127.0.0.1") -> socket.socket:
        """A connection that stays open."""
        one = self.stack.enter_context(socket.socket())
        one.bind((source, 0))
        one.connect(("127.0.0.1", self.ports[port]))
        return one

    def datagrams(self, *texts: str) -> None:
        """To the SIP port."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            for text in texts:
                one.sendto(text.encode(), ("127.0.0.1", self.ports["udp"]))

    def manager(self, *actions: str) -> None:
        """A connection to AMI, with these actions on their way."""
        one = self.connect("ami")
        for action in actions:
            one.sendall(f"{action}\r\n\r\n".encode())


def until_closed(one: socket.socket, text: bytes) -> None:
    """Say it again and again, until the other side has had enough."""
    one.settimeout(60)
    with contextlib.suppress(ConnectionError):
        for _ in range(200):
            one.sendall(text * 1000)
        # all of it may stand in buffers before a busy machine looks at it
        while one.recv(65_536):
            pass


def useless(stranger: Stranger) -> None:
    for text in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"A b SIP/2.0\r\n\r\n",
        b"ACK b SIP/2.0\r\n\r\n",
        REQUEST.format(port=9, number=1).replace("UDP", "TCP").encode(),
    ):
        until_closed(stranger.connect("tcp"), text)


def one_address(stranger: Stranger) -> None:
    for _ in range(70):
        stranger.connect("tcp", "127.0.0.2")


def many_addresses(stranger: Stranger) -> None:
    for number in range(3, 13):
        for _ in range(60):
            stranger.connect("tcp", f"127.0.0.{number}")


def handshakes(stranger: Stranger) -> None:
    for number in (2, 3):
        for _ in range(40):
            stranger.connect("tls", f"127.0.0.{number}")


def wrong_logins(stranger: Stranger) -> None:
    wrong = "Action: Login\r\nUsername: bob\r\nSecret: wrong"
    for _ in range(8):
        stranger.manager(wrong)


def too_many_managers(stranger: Stranger) -> None:
    for _ in range(16):
        stranger.manager()


def too_many_consoles(stranger: Stranger) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(280):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(str(stranger.monitor))
    # those that have gone take their places until they have been looked at
    until(lambda: stranger.instance.told("core show version").status == 0, "there is room again")


def garbled(stranger: Stranger) -> None:
    one = stranger.stack.enter_context(socket.socket(socket.AF_UNIX))
    one.connect(str(stranger.monitor))
    one.sendall(b"?\xff\xff\xff\xff")


def denied(stranger: Stranger) -> None:
    socket_path = str(stranger.monitor)
    assert run("-s", socket_path, "-rx", "core stop now", home=stranger.instance.home).status == 1


def no_right_to_metrics(stranger: Stranger) -> None:
    stranger.connect("http").sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")


def slow_hook(stranger: Stranger) -> None:
    conf = stranger.instance.etc / "pjsip.conf"
    stranger.instance.configure(conf.read_text().replace("delay=1000000", "delay=0"))
    assert stranger.instance.ask("core reload").status == 0


#: what a stranger does, and the counter that knows
DEEDS: dict[str, Callable[[Stranger], None]] = {
    "messages_garbage": lambda they: they.datagrams("no SIP at all"),
    "responses_stray": lambda they: they.datagrams(STRAY.format(port=9, number=1)),
    "requests_malformed": lambda they: they.datagrams(
        REQUEST.format(port=9, number=1).replace("Length: 0", "Length: -5")
    ),
    "requests_unanswered": lambda they: they.datagrams(
        *(REQUEST.format(port=9, number=number) for number in range(600))
    ),
    "incoming_useless": useless,
    "incoming_one_address": one_address,
    "incoming_refused": many_addresses,
    "incoming_handshakes": handshakes,
    "incoming_failed": lambda they: they.connect("tls").sendall(b"no TLS either\r\n\r\n"),
    "ami_malformed": lambda they: they.manager("x: y\r\n" * 200),
    "ami_denied": lambda they: they.manager("Action: PJSIPShowRegistrationsOutbound"),
    "ami_logins_refused": wrong_logins,
    "ami_logins_delayed": wrong_logins,
    "ami_ended": lambda they: they.manager(),
    "ami_refused": too_many_managers,
    "control_refused": too_many_consoles,
    "control_garbled": garbled,
    "control_denied": denied,
    "metrics_refused": no_right_to_metrics,
    "hooks_killed": slow_hook,
}
#: limits that are met in `tests/loop`: `test_incoming.py`, `net/test_pool.py`, `test_hooks.py`,
#: `test_control.py`
ELSEWHERE = {"incoming_no_descriptor", "incoming_idle", "hooks_untold", "console_lines_lost"}
#: what is no limit of what comes in: losses and faults of our own, each with a test of its own
OURS = {
    "log_failures", "log_lines_lost", "capture_lost", "timer_failures", "step_failures",
    "input_failures", "listener_failures", "healed", "watch_failures", "timers_healed", "uncaught",
}  # fmt: skip


@pytest.fixture
def stranger(home: Path) -> Iterator[Stranger]:
    made = self_signed(home, "tls", "IP:127.0.0.1")
    ports = {name: free_port() for name in ("udp", "tcp", "tls", "ami", "http")}
    monitor = home / "monitor.ctl"
    with contextlib.ExitStack() as stack:
        ports["registrar"] = stack.enter_context(in_background(Registrar.open())).port
        pjsip = PJSIP.format(certificate=made.certificate, key=made.key, **ports)
        instance = Instance(home, pjsip)
        for name, text in FILES.items():
            (instance.etc / name).write_text(text.format(monitor=monitor, **ports))
        instance.start()
        stack.callback(instance.stop)
        yield Stranger(instance, ports, monitor, stack)


def counters(instance: Instance) -> dict[str, int]:
    done = instance.told("pjreg show counters", json=True)
    assert done.status == 0, done.err
    return {one["name"]: one["value"] for one in json.loads(done.out)}


@pytest.mark.parametrize("name", DEEDS)
def test_a_limit_that_is_met_is_counted(stranger: Stranger, name: str) -> None:
    assert counters(stranger.instance)[name] == 0
    DEEDS[name](stranger)
    until(lambda: counters(stranger.instance)[name] > 0, name)
    value = counters(stranger.instance)[name]
    assert f"pjreg_{name}_total" in metrics(stranger.ports["http"])
    assert metrics(stranger.ports["http"])[f"pjreg_{name}_total"] >= value


def metrics(port: int) -> dict[str, float]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics")
    request.add_header("Authorization", "Basic cDpx")
    with urllib.request.urlopen(request, timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_no_counter_is_forgotten(stranger: Stranger) -> None:
    known = set(counters(stranger.instance))
    assert known == DEEDS.keys() | ELSEWHERE | OURS
    shown = metrics(stranger.ports["http"])
    assert {f"pjreg_{name}_total" for name in known} <= shown.keys()
