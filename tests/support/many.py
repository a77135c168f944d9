"""Many registrations on a clock of their own, at a registrar that challenges and grants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic import SecretStr

from pjreg_cli.api.notices import Notice
from pjreg_cli.config.models import Auth, PjregSettings
from pjreg_cli.counters import Tally
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.inbound import Inbound
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.engine.timers import Timers
from pjreg_cli.net.flow import Source
from pjreg_cli.net.pool import Pool
from pjreg_cli.net.resolver import Resolver
from tests.loop.test_soak import OneWay, _nobody
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import Nowhere, RecordingFlow, registration


class Way(RecordingFlow):
    """Leads to a registrar that challenges and grants; keeps nothing."""

    def __init__(self, loop: ManualLoop, granted_s: int, heard: Callable[[bytes], None]) -> None:
        super().__init__()
        self._loop = loop
        self._granted_s = granted_s
        self._heard = heard

    def send(self, data: bytes) -> None:
        head = data.decode().partition("\r\n\r\n")[0]
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        code, extra = 401, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
        if "Authorization" in headers:
            code, extra = 200, f"Contact: {headers['Contact']};expires={self._granted_s}"
        text = [f"SIP/2.0 {code} Word"]
        text += [f"{name}: {headers[name]}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        answer = "\r\n".join([*text, extra, "Content-Length: 0", "", ""]).encode()
        self._loop.call_at(self._loop.now + 0.01, lambda: self._heard(answer))


def many(
    loop: ManualLoop, count: int, publish: Callable[[Notice], None], granted_s: int, within_s: int
) -> Fleet:
    """So many registrations `t0`, `t1`, ..., which begin within so many seconds."""
    way = OneWay(cast(Any, Way(loop, granted_s, lambda answer: heard(answer))))
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
    inbound = Inbound(
        fleet.attempts.exchanges.response,
        b"k" * 32,
        clock=loop.time,
        knows=lambda _host, _port: True,
    )

    def heard(answer: bytes) -> None:
        assert inbound.received(answer, Source(Nowhere(), ("192.0.2.1", 5060)))

    account = Auth(name="a", source="", username="u", password=SecretStr("secret"))
    fleet.attempts.accounts.update({"a": account})
    sections = {
        name: registration(
            name,
            outbound_auth=("a",),
            expiration=granted_s,
            max_random_initial_delay=within_s,
        )
        for name in (f"t{number}" for number in range(count))
    }
    fleet.configure(sections, PjregSettings())
    for settings in sections.values():
        fleet.make(settings)
    return fleet
