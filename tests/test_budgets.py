"""What a registration may cost, counted in calls: a slip of a quarter fails `make check`.

Seconds depend on the machine and on who else uses it; calls do not.  A change that makes one of
these dearer says why in its commit and raises the figure; one that makes it cheaper lowers it.
"""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pjreg_cli.api.notices import Settled
from pjreg_cli.api.registrations import Evidence
from pjreg_cli.engine import settled
from pjreg_cli.engine.journal import resumable_of
from pjreg_cli.instance.history import row_of
from pjreg_cli.instance.log_lines import LineFormat
from pjreg_cli.levels import NOTICE
from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import Outcome, Policy, State, Status, Wake
from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.contacts import granted, seen
from pjreg_cli.sip.digest import Account, credentials, select
from pjreg_cli.sip.message import Response, parse
from pjreg_cli.sip.scan import repeats, scan
from pjreg_cli.sip.transaction import Event, begin
from pjreg_cli.sip.transaction import react as transact
from pjreg_cli.sip.uri import parse_uri
from tests.support.counting import Calls, calls_of
from tests.support.loaded import rooms
from tests.support.manual_loop import ManualLoop
from tests.support.many import many
from tests.support.registrations import entry

#: how much more than its figure anything may take
SLACK = 1.25

GRANT = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=z9hG4bK1f;received=192.0.2.9\r\n"
    b"From: <sip:alice@example.com>;tag=1\r\n"
    b"To: <sip:alice@example.com>;tag=2\r\n"
    b"Call-ID: 77\r\n"
    b"CSeq: 3 REGISTER\r\n"
    b"Contact: <sip:alice@192.0.2.1>;expires=60\r\n"
    b"Content-Length: 0\r\n\r\n"
)
CHALLENGE = GRANT.replace(b"200 OK", b"401 Unauthorized").replace(
    b"Contact: <sip:alice@192.0.2.1>;expires=60",
    b'WWW-Authenticate: Digest realm="r", nonce="5f2c", algorithm=MD5, qop="auth"',
)
ACCOUNT = Account("a", "", "alice", ("MD5",), password=lambda: "secret")
OURS = parse_uri("sip:alice@192.0.2.1")
OFFERED = str(OURS)
#: a policy of nothing but defaults
POLICY: Policy = Policy(
    **{
        name: parameter.default
        for name, parameter in inspect.signature(Policy).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
)


def read(data: bytes) -> Response:
    """A response, read the long way."""
    response = parse(data)
    assert isinstance(response, Response)
    return response


def refresh() -> None:
    """Wake, challenge, grant."""
    state, _ = react(State(Status.REGISTERED, wake_at=1.0), Wake(), POLICY, 1.0)
    state, _ = react(state, Outcome(401, credentials_fit=True), POLICY, 1.1)
    react(state, Outcome(200, granted_s=3600), POLICY, 1.2)


def answer() -> None:
    """A challenge, from its header to credentials."""
    selected = select(parse_challenges(read(CHALLENGE)), (ACCOUNT,))
    assert credentials(*selected[0], "REGISTER", "sip:example.com", "c")


EVIDENCE = Evidence(
    1.0, "register", 200, "OK", "answered", "granted", "udp:192.0.2.1:5060", "", granted_s=60
)
ENTRY = entry()
SETTLED = Settled("alice", "sip:a@b", "sip:b", "Registered", "Unregistered", EVIDENCE, 1, 50)


class Taken(logging.Handler):
    """Makes lines of records, as a log does."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Make the line, which nobody reads."""
        _FORM.format(record)
        return True


_FORM = LineFormat()


def line() -> None:
    """Log a change of state."""
    settled.log(ENTRY, EVIDENCE, "", 50, settled.Why(settled.unexplained, ENTRY))


SCANNED = scan(GRANT)

#: what is done, and how many calls it takes
WORK: dict[str, tuple[Callable[[], Any], float]] = {
    "read an answer, short cut": (lambda: scan(GRANT), 10),
    "read an answer, the long way": (lambda: parse(GRANT), 25),
    "tell whether it is ours": (lambda: SCANNED and repeats(SCANNED, "77", "1"), 3),
    "read what is granted": (lambda: SCANNED and granted(SCANNED, OURS, 3600, offered=OFFERED), 10),
    "read how we are seen": (lambda: SCANNED and seen(SCANNED), 1),
    "answer a challenge": (answer, 66),
    "decide a refresh": (refresh, 17),
    "remember an outcome": (lambda: row_of(SETTLED), 1),
    "write down what a restart goes on with": (lambda: resumable_of(ENTRY, 1.0), 5),
    "a transaction": (lambda: transact(begin(0.0, False), Event.FINAL, 1.0), 11),
}


@pytest.mark.parametrize("what", WORK)
def test_work_stays_within_its_budget(what: str) -> None:
    work, budget = WORK[what]
    assert calls_of(work) <= budget * SLACK


@pytest.mark.parametrize("what", WORK)
def test_no_budget_is_so_wide_that_a_slip_would_go_unseen(what: str) -> None:
    work, budget = WORK[what]
    assert calls_of(work) >= budget / SLACK


#: calls that the line of a change of state takes
LINE = 39.0


def test_a_line_of_the_log_stays_within_its_budget(caplog: pytest.LogCaptureFixture) -> None:
    logger, taken = logging.getLogger("pjreg_cli.engine"), Taken()
    with caplog.at_level(NOTICE, logger.name), pytest.MonkeyPatch.context() as patch:
        patch.setattr(logger, "handlers", [taken])
        patch.setattr(logger, "propagate", False)
        took = calls_of(line)
    assert LINE / SLACK <= took <= LINE * SLACK


#: calls that a registration takes from its wake to what it leaves behind, and a refresh: the engine
#: without sockets, log and history
WHOLE = {"registration": 268.0, "refresh": 261.0}
COUNT = 200
GRANTED_S = 600


def test_a_whole_registration_and_a_refresh_stay_within_their_budget() -> None:
    loop = ManualLoop()
    fleet = many(loop, COUNT, lambda _notice: None, GRANTED_S, 10)
    took: dict[str, float] = {}
    for what, until_s in (("registration", 60.0), ("refresh", GRANTED_S + 30.0)):
        with Calls(within="/pjreg_cli/") as calls:
            loop.run_until(until_s)
        took[what] = calls.count / COUNT
    assert {entry.attempts for entry in fleet.entries.values()} == {2}
    for what, budget in WHOLE.items():
        assert budget / SLACK <= took[what] <= budget * SLACK, took


#: modules that are loaded before an instance begins, at most, by what their names begin with:
#: all of them (versions of Python differ in theirs), and ours
MODULES = {"": 430, "pjreg_cli": 190}


def test_an_instance_loads_only_what_each_needs() -> None:
    """Each module costs half a millisecond of the start, and a library much more; the started
    instance itself is looked at in tests/process/test_loaded.py."""
    code = "import sys, pjreg_cli.instance.program; print(*sys.modules, sep=chr(10))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    found = {start: sum(one.startswith(start) for one in modules) for start in MODULES}
    assert all(found[start] <= most for start, most in MODULES.items()), found
    assert rooms(modules) == set()
