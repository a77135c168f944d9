"""pjsip set logger, set history, show history."""

from __future__ import annotations

import json

import pytest

from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.commands.tree import execute
from tests.support.fake_port import NOW_AT, Fake, FakeTracing
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript

REGISTER = "REGISTER sip:127.0.0.1:15060 SIP/2.0\r\nCall-ID: one@x\r\nContent-Length: 0\r\n\r\n"
OK = "SIP/2.0 200 OK\r\nCall-ID: one@x\r\nContent-Length: 0\r\n\r\n"


def history() -> Fake:
    return Fake(
        tracing=FakeTracing(
            entries=[
                HistoryEntry(0, NOW_AT, True, "127.0.0.1:15060", "REGISTER", "one@x", REGISTER),
                HistoryEntry(1, NOW_AT + 1.7, False, "[::1]:5060", "REGISTER", "one@x", OK),
            ]
        )
    )


async def test_logger_is_switched_and_narrowed(golden: Golden) -> None:
    words = ["on", "on", "off", "host 127.0.0.1", "host 127.0.0.1:5060", "add 127.0.0.2"]
    words += ["host nowhere.invalid", "host", "method REGISTER", "methodadd OPTIONS", "method foo"]
    words += ["method", "verbose on", "verbose off", "verbose maybe", "verbose", "pcap /tmp/x.pcap"]
    words += ["pcap /root/x.pcap", "pcap", "bogus", "", "on now", "host a b"]
    fake = Fake()
    lines = [f"pjsip set logger {word}".rstrip() for word in words]
    golden.check(FIXTURES / "console/logger-of-sip.txt", await transcript(console(fake), lines))
    assert fake.tracing.log[:4] == [
        "logger True",
        "logger True",
        "logger False",
        "logger host 127.0.0.1 False",
    ]


async def test_history_is_switched_and_shown(golden: Golden) -> None:
    fake = history()
    lines = ["pjsip set history on", "pjsip set history off", "pjsip set history on now"]
    lines += ["pjsip set history", "pjsip set history bogus", "pjsip show history"]
    lines += ["pjsip show history entry 0", "pjsip show history entry 1"]
    lines += ["pjsip show history entry 7", "pjsip show history entry x"]
    lines += [
        "pjsip show history entry",
        "pjsip show history entry 1 2",
        "pjsip show history bogus",
    ]
    lines += ["pjsip show history where number > 0", 'pjsip show history where addr = "[::1]:5060"']
    lines += ["pjsip show history where (number = 0 or number = 1) and addr like ^127"]
    lines += ["pjsip show history where", "pjsip show history where number >"]
    lines += ["pjsip set history clear", "pjsip show history"]
    golden.check(FIXTURES / "console/history.txt", await transcript(console(fake), lines))
    assert fake.tracing.log == ["history True", "history False"]


@pytest.mark.parametrize("word", ["-1", "1e3", "²", "9" * 400])
async def test_entry_takes_whole_numbers_only(word: str) -> None:
    reply = await execute(f"pjsip show history entry {word}", console(history()))
    assert not reply.ok


async def test_history_as_json() -> None:
    asker = console(history(), json=True)
    entries = json.loads(await said(asker, "pjsip show history where number = 1"))
    assert entries == [
        {
            "number": 1,
            "at": "2026-08-01T12:00:01Z",
            "sent": False,
            "address": "[::1]:5060",
            "method": "REGISTER",
            "call_id": "one@x",
            "text": OK,
        }
    ]
    assert json.loads(await said(asker, "pjsip show history entry 0"))["sent"] is True
