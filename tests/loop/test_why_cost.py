"""What it costs to be able to tell why: bytes for each registration, and bounds for a fleet."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest
from pydantic import SecretStr

from pjreg_cli.api.notices import Notice, Settled
from pjreg_cli.config.models import Auth, PjregSettings
from pjreg_cli.counters import Tally
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.engine.record import RECENT, Record
from pjreg_cli.engine.timers import Timers
from pjreg_cli.instance.history import KEPT, Memory, event_of
from pjreg_cli.net.pool import Pool
from pjreg_cli.net.resolver import Resolver
from pjreg_cli.registration.state import Status
from pjreg_cli.sip.message import Response, parse
from tests.loop.test_soak import DAY_S, OneWay, _nobody
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import Nowhere, RecordingFlow, registration

#: bytes a registration may remember for explanations
MOST = 512
GRANTED_S = 12 * 3_600


def size(record: Record) -> int:
    """The bytes of a record that it shares with nobody."""
    own: list[object] = [record, record.steps, record.changes]
    own += [one for one in record.steps if isinstance(one, float)]
    own += [*record.changes, record.granted_at]
    return sum(map(sys.getsizeof, own))


class Way(RecordingFlow):
    """Leads to a registrar that challenges and grants; keeps nothing."""

    def __init__(self, loop: ManualLoop, heard: Any) -> None:
        super().__init__()
        self._loop = loop
        self.heard = heard

    def send(self, data: bytes) -> None:
        head = data.decode().partition("\r\n\r\n")[0]
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        code, extra = 401, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
        if "Authorization" in headers:
            code, extra = 200, f"Contact: {headers['Contact']};expires={GRANTED_S}"
        text = [f"SIP/2.0 {code} Word", extra]
        text += [f"{name}: {headers[name]}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        answer = "\r\n".join([*text, "Content-Length: 0", "", ""]).encode()
        self._loop.call_at(self._loop.now + 0.01, lambda: self.heard(answer))


def day(count: int) -> tuple[Fleet, Memory, int]:
    """A day of so many registrations; the fleet, its history, and how many attempts there were."""
    loop, memory, told = ManualLoop(), Memory(), 0

    def publish(notice: Notice) -> None:
        nonlocal told
        if isinstance(notice, Settled):
            told += 1
            memory.record([event_of(notice)])

    way = OneWay(cast(Any, Way(loop, lambda answer: heard(answer))))
    fleet = Fleet(
        pool=cast(Pool, way),
        resolver=cast(Resolver, way),
        timers=Timers(loop.as_loop()),
        ids=Ids(seed=1),
        spawn=_nobody,
        wall_clock=loop.time,
        publish=publish,
        faults=Tally(),
    )

    def heard(answer: bytes) -> None:
        response = parse(answer)
        assert isinstance(response, Response)
        fleet.attempts.exchanges.response(response, Nowhere())

    account = Auth(name="a", source="", username="u", password=SecretStr("secret"))
    fleet.attempts.accounts.update({"a": account})
    sections = {
        name: registration(
            name, outbound_auth=("a",), expiration=GRANTED_S, max_random_initial_delay=600
        )
        for name in (f"t{number}" for number in range(count))
    }
    fleet.configure(sections, PjregSettings())
    for settings in sections.values():
        fleet.make(settings)
    loop.run_until(DAY_S)
    return fleet, memory, told


def judge(count: int) -> None:
    fleet, memory, told = day(count)
    assert told >= 2 * count
    sizes = [size(entry.record) for entry in fleet.entries.values()]
    assert all(entry.state.status is Status.REGISTERED for entry in fleet.entries.values())
    assert max(sizes) <= MOST, max(sizes)
    assert len(fleet.attempts.exchanges.messages) <= RECENT
    assert len(memory.history("t1", KEPT)) <= KEPT
    assert memory.count <= KEPT


def test_a_day_of_some_registrations_leaves_half_a_kibibyte_each() -> None:
    judge(200)


@pytest.mark.exhaustive
@pytest.mark.timeout(300)
def test_a_day_of_ten_thousand_registrations_leaves_half_a_kibibyte_each() -> None:
    judge(10_000)
