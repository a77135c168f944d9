"""The commands Asterisk does not have."""

from __future__ import annotations

import json

import pytest

from pjreg_cli.api.configuration import Level, Planned, Problem
from pjreg_cli.api.registrations import Evidence
from pjreg_cli.commands.tree import execute
from tests.support.fake_port import NOW_AT, Fake, FakeConfiguration, registration
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript

GRANTED = Evidence(
    at=NOW_AT - 30,
    method="register",
    code=200,
    reason="OK",
    cause="answered",
    rule="granted",
    target="udp:192.0.2.1:5060",
    received="198.51.100.7:5060",
    granted_s=3600,
)
FORBIDDEN = Evidence(
    at=NOW_AT - 5,
    method="register",
    code=403,
    reason="Forbidden",
    cause="answered",
    rule="permanent",
    target="tls:[2001:db8::1]:5061",
    received="",
    granted_s=None,
)
SILENT = Evidence(
    at=NOW_AT,
    method="unregister",
    code=408,
    reason="",
    cause="timed-out",
    rule="temporary",
    target="",
    received="",
    granted_s=None,
)


def evident() -> Fake:
    uri = "sip:registrar.example.com"
    return Fake(
        views=[
            registration(
                "good",
                "Registered",
                3560,
                evidence=GRANTED,
                next_attempt_s=3560,
                attempts=1,
                server_uri=uri,
                client_uri="sip:good@example.com",
            ),
            registration("bad", "Rejected", -5, evidence=FORBIDDEN, attempts=3, server_uri=uri),
            registration("slow", "Rejected", 60, evidence=SILENT, next_attempt_s=60, retries=2),
            registration("new", "Unregistered", 4, next_attempt_s=4),
        ],
        configuration=FakeConfiguration(
            found=[
                Problem("/etc/pjsip.conf", 7, Level.ERROR, "unknown option 'retri_interval'"),
                Problem("/etc/pjsip.conf", 9, Level.WARNING, "'yess' is no"),
            ],
            planned=[
                Planned("bad", "re-registered", ("max_retries: 3 -> 10", "expiration: 60 -> 120")),
                Planned("good", "kept", ()),
                Planned("slow", "kept", ()),
            ],
        ),
    )


async def test_status_plan_and_check(golden: Golden) -> None:
    lines = ["pjreg status", "pjreg status good", "pjreg status slow", "pjreg status new"]
    lines += ["pjreg status nope", "pjreg status good bad", "pjreg reload plan"]
    lines += ["pjreg reload plan now", "pjreg check", "pjreg check bogus"]
    lines += ["pjreg show counters", "pjreg show counters now"]
    golden.check(FIXTURES / "console/pjreg.txt", await transcript(console(evident()), lines))


async def test_counters_as_json() -> None:
    counts = json.loads(await said(console(Fake(), json=True), "pjreg show counters"))
    assert counts[1] == {
        "name": "log_lines_lost",
        "value": 17,
        "meaning": "lines that could not be written",
    }


async def test_nothing_to_tell() -> None:
    asker = console(Fake())
    assert await said(asker, "pjreg status") == "No objects found.\n\n"
    assert await said(asker, "pjreg reload plan") == "There is nothing to reload.\n"
    assert await said(asker, "pjreg check") == "No problems found.\n"


@pytest.mark.parametrize(
    ("levels", "line", "ok"),
    [
        ([], "pjreg check strict", True),
        ([Level.WARNING], "pjreg check", True),
        ([Level.WARNING], "pjreg check strict", False),
        ([Level.WARNING, Level.ERROR], "pjreg check", False),
    ],
)
async def test_check_fails_for_errors_and_strictly_for_warnings(
    levels: list[Level], line: str, ok: bool
) -> None:
    fake = Fake()
    fake.configuration.found = [Problem("f", 1, level, "m") for level in levels]
    reply = await execute(line, console(fake))
    assert (reply.ok, reply.failed) == (ok, False)


async def test_evidence_as_json() -> None:
    asker = console(evident(), json=True)
    bad, good, new, slow = json.loads(await said(asker, "pjreg status"))
    assert bad["last"]["code"] == 403
    assert bad["next_attempt_in_s"] is None
    assert good["last"]["granted_s"] == 3600
    assert good["last"]["at"] == "2026-08-01T11:59:30Z"
    assert new["last"] is None
    assert (slow["retries"], slow["last"]["target"]) == (2, None)
    assert json.loads(await said(asker, "pjreg status good")) == good
    plan = json.loads(await said(asker, "pjreg reload plan"))
    assert plan[0]["because"] == ["max_retries: 3 -> 10", "expiration: 60 -> 120"]
    problems = json.loads(await said(asker, "pjreg check"))
    assert problems[1] == {
        "path": "/etc/pjsip.conf",
        "line": 9,
        "level": "warning",
        "message": "'yess' is no",
    }


async def test_reload_says_what_it_did_and_what_failed() -> None:
    fake = Fake()
    fake.instance.steps = (
        Planned("a", "re-registered", ("expiration: 60 -> 120",)),
        Planned("b", "re-registered", ()),
        Planned("c", "kept", ()),
        Planned("d", "refused", ("pjsip.conf:41: unknown option 'x'",), place="pjsip.conf:41"),
        Planned("udp", "reopened", ("tos: 0 -> 96",), "transport"),
    )
    reply = await execute("pjreg reload", console(fake))
    text = "".join(reply.output)
    summary = "2 re-registered, 1 refused: pjsip.conf:41, transport udp reopened"
    assert text.splitlines()[-1] == summary
    assert "kept" not in text
    assert not reply.ok
    fake.instance.steps = ()
    reply = await execute("pjreg reload", console(fake))
    assert ("".join(reply.output), reply.ok) == ("unchanged\n", True)
    fake.instance.failures = ("manager.conf:1: a section's header has no closing ']'",)
    reply = await execute("pjreg reload", console(fake, json=True))
    answer = json.loads("".join(reply.output))
    assert (answer["ok"], reply.ok) == (False, False)
    assert answer["modules"][0]["failures"] == list(fake.instance.failures)
