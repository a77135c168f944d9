"""The log as those read it who collect logs: objects, and lines with a priority."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tests.support.background import in_background
from tests.support.instance import QUIET, Instance
from tests.support.ports import free_port
from tests.support.registrar import Registrar, fail
from tests.support.waiting import becomes

REGISTERING = """\
[r]
type=registration
server_uri=sip:127.0.0.1:{registrar}
client_uri=sip:r@127.0.0.1
max_random_initial_delay=0
"""


def test_every_line_is_an_object_from_the_first_to_the_last(home: Path) -> None:
    with in_background(Registrar.open()) as registrar:
        text = QUIET.format(port=free_port()) + REGISTERING.format(registrar=registrar.port)
        instance = Instance(home, text)
        (instance.etc / "pjreg.conf").write_text(
            f"[general]\nlog_format=json\nlog_file={home / 'x.log'}\n"
        )
        instance.start("-vvv")
        try:
            becomes(instance, "r", "Registered")
            instance.ask("pjsip set logger on")
            instance.ask("pjsip send register r")
            becomes(instance, "r", "Registered")
            instance.ask("core reload")
        finally:
            instance.stop()
    found = [json.loads(line) for line in instance.log().splitlines()]
    texts = [one["text"] for one in found]
    assert any("is up" in one for one in texts)
    assert any("Registered" in one for one in texts)
    assert "pjreg-cli ends" in texts[-1]
    assert {one["pid"] for one in found} == {instance.pid}
    traces = [one["text"] for one in found if one["part"] == "trace"]
    assert any("REGISTER sip:127.0.0.1" in one for one in traces)
    filed = [json.loads(line) for line in (home / "x.log").read_text().splitlines()]
    assert {one["level"] for one in filed} >= {"NOTICE", "VERBOSE"}


def test_lines_about_a_registration_name_it_and_the_cause(home: Path) -> None:
    with in_background(Registrar.open()) as registrar:
        registrar.script("r", fail(403))
        text = QUIET.format(port=free_port()) + REGISTERING.format(registrar=registrar.port)
        text += "[broken]\ntype=registration\n"
        instance = Instance(home, text)
        (instance.etc / "pjreg.conf").write_text("[general]\nlog_format=json\n")
        instance.start("-vvv", "-ddd")
        try:
            becomes(instance, "r", "Rejected")
            instance.ask("pjsip send register r")
            added = (
                f"pjreg add s server_uri=sip:127.0.0.1:{registrar.port} client_uri=sip:s@127.0.0.1"
            )
            instance.ask(added)
            becomes(instance, "s", "Registered")
            instance.ask("pjsip send unregister *all")
        finally:
            instance.stop()
    found = [json.loads(line) for line in instance.log().splitlines()]
    about = [one for one in found if "registration" in one]
    assert {one["registration"] for one in about} == {"r", "s", "my_provider"}
    (failed, *_) = [one for one in about if "cause" in one]
    assert failed["cause"] == "forbidden-at-once"
    assert failed["text"].startswith("r: Rejected: register: 403 ")
    assert {one.get("cause") for one in about} <= {None, "forbidden-at-once", "unregister-refused"}
    texts = [one["text"] for one in about]
    for piece in ("r: register asked by", "s: Registered: ", "pjreg add s ", "s: targets: "):
        assert any(text.startswith(piece) for text in texts), piece
    for one in found:
        if one["text"].startswith(("r: ", "s: ")):
            assert one["registration"] == one["text"][0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_where_stderr_is_the_journal_lines_begin_with_their_priority(home: Path, form: str) -> None:
    """The journal gives services one end of a stream socket, and names it in the environment."""
    journal, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with journal, ours:
        there = os.fstat(ours.fileno())
        stream = f"{there.st_dev}:{there.st_ino}"
        instance = Instance(
            home,
            QUIET.format(port=free_port()) + "[broken]\ntype=registration\n",
            prefix=["env", f"JOURNAL_STREAM={stream}"],
        )
        instance.output = ours.fileno()
        (instance.etc / "pjreg.conf").write_text(f"[general]\nlog_format={form}\n")
        instance.start()
        instance.stop()
        ours.close()
        journal.settimeout(60)
        heard = b""
        while data := journal.recv(65_536):
            heard += data
    lines = heard.decode().splitlines()
    assert lines
    assert all(line[:3] in ("<3>", "<4>", "<5>", "<6>") for line in lines)
    assert any(line.startswith("<3>") and "broken" in line for line in lines)
    if form == "json":
        assert all(json.loads(line[3:])["priority"] == int(line[1]) for line in lines)
