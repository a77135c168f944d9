"""A week of a thousand registrations with all that goes wrong, on a clock that costs nothing.

The registrar is a function of the datagram; the network between loses, doubles and delays, and is
silent for a while once a day.  What must hold is looked at with every answer and every outcome.
"""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 -- this world has chances of its own
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from pydantic import SecretStr

from pjreg_cli.api.notices import Notice, Settled
from pjreg_cli.config.models import Auth, PjregSettings
from pjreg_cli.counters import Tally
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.engine.timers import Timers
from pjreg_cli.net.flow import Flow
from pjreg_cli.net.pool import Pool
from pjreg_cli.net.resolver import Resolver
from pjreg_cli.registration.state import Status
from pjreg_cli.sip.locate import Target, TransportKind, TransportKinds
from pjreg_cli.sip.message import Response, parse
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import Nowhere, RecordingFlow, registration

DAY_S = 86_400.0
WEEK_S = 7 * DAY_S
COUNT = 1_000
GRANTED_S = 6 * 3_600
#: how long nothing gets through, once a day
SILENCE_S = 900.0
#: the longest time a binding may be gone while it is shown as Registered: a transaction and a way
LATE_S = 40.0


@dataclass
class World:
    """The registrar and the way there."""

    loop: ManualLoop
    seed: int
    chance: random.Random = field(init=False)
    fleet: Fleet = field(init=False)
    bindings: dict[str, float] = field(default_factory=dict)
    cseqs: dict[str, int] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)
    answered: Counter[int] = field(default_factory=Counter)
    received: int = 0
    kind: bool = False
    """Nothing goes wrong any more."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def silent(self) -> bool:
        return not self.kind and self.loop.now % DAY_S > DAY_S - SILENCE_S

    def happens(self, chance: float) -> bool:
        return not self.kind and self.chance.random() < chance

    def sent(self, data: bytes) -> None:
        """A datagram leaves."""
        if self.silent or self.happens(0.05):
            return
        for _ in range(2 if self.happens(0.02) else 1):
            self.after(lambda: self.arrived(data))

    def after(self, what: Any) -> None:
        late = self.chance.choice((0.001, 0.02, 0.3)) if not self.kind else 0.01
        self.loop.call_at(self.loop.now + late, what)

    def arrived(self, data: bytes) -> None:
        """A REGISTER reaches the registrar."""
        self.received += 1
        head, _, _ = data.decode().partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        user = headers["To"].split(":")[1].split("@")[0]
        call, cseq = headers["Call-ID"], int(headers["CSeq"].split()[0])
        again = self.cseqs.get(call) == cseq
        # what was doubled or late may be overtaken, by no more than one attempt
        assert self.cseqs.get(call, 0) - cseq < 4, "CSeq only grows"
        self.cseqs[call] = max(cseq, self.cseqs.get(call, 0))
        code, extra = self.judged(user, headers, again)
        self.answered[code] += 1
        if self.silent or self.happens(0.05):
            return
        lines = [f"SIP/2.0 {code} Word"]
        lines += [f"{name}: {headers[name]}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        answer = "\r\n".join([*lines, *extra, "Content-Length: 0", "", ""]).encode()
        for _ in range(2 if self.happens(0.02) else 1):
            self.after(lambda: self.heard(answer))

    def judged(self, user: str, headers: dict[str, str], again: bool) -> tuple[int, list[str]]:
        """What is answered."""
        if self.happens(0.02):
            code = self.chance.choice((403, 404, 480, 500, 503, 503, 603))
            wait = [f"Retry-After: {self.chance.randrange(1, 600)}"] if self.happens(0.3) else []
            return code, wait
        nonce = self.nonces.setdefault(user, f"n{self.chance.random()}")
        if f'nonce="{nonce}"' not in headers.get("Authorization", ""):
            stale = ", stale=true" if "Authorization" in headers else ""
            challenge = f'Digest realm="soak", nonce="{nonce}", qop="auth"{stale}'
            return 401, [f"WWW-Authenticate: {challenge}"]
        if not again and self.happens(0.2):
            del self.nonces[user]
        self.bindings[user] = self.loop.now + GRANTED_S
        return 200, [f"Contact: {headers['Contact']};expires={GRANTED_S}"]

    def heard(self, answer: bytes) -> None:
        """An answer reaches us."""
        response = parse(answer)
        assert isinstance(response, Response)
        self.fleet.attempts.exchanges.response(response, Nowhere())
        self.check_some()

    # -- what must hold -----------------------------------------------------------------------

    def told(self, notice: Notice) -> None:
        """Look at whom it is about."""
        if isinstance(notice, Settled):
            self.check_one(notice.name)

    def check_one(self, name: str) -> None:
        entry = self.fleet.entries[name]
        state = entry.state
        asleep = state.wake_at is None and state.in_flight is None
        assert not asleep or state.status is Status.REJECTED_PERMANENT, f"{name} hangs: {state}"
        assert state.status is not Status.REJECTED_PERMANENT, f"{name} gave up"
        if state.status is Status.REGISTERED:
            assert self.bindings[name] > self.loop.now - LATE_S, f"{name} is not registered"

    def check_some(self) -> None:
        """One at random, and the sums."""
        self.check_one(f"t{self.chance.randrange(COUNT)}")
        assert sum(self.fleet.shown.words().values()) == COUNT


class Way(RecordingFlow):
    """Leads to the registrar; keeps nothing."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def send(self, data: bytes) -> None:
        self.world.sent(data)


class OneWay:
    """The transports and the name servers: there is one way, and it is known."""

    def __init__(self, flow: Way) -> None:
        self._flow = flow

    def kinds(self, _transport: str = "") -> TransportKinds:
        return TransportKinds(frozenset({TransportKind("udp", 4)}))

    def now(self, *_question: object) -> tuple[Target, ...]:
        return (self._flow.target,)

    def flow(self, _transport: str, _target: Target, *, long: bool = False) -> Way:
        return self._flow

    def idle(self, _in_use: object) -> list[Flow]:
        """There are no connections."""
        return []


def soak(seed: int) -> World:
    """Live through the week, then through a day in which nothing goes wrong."""
    loop = ManualLoop()
    world = World(loop, seed)
    way = OneWay(Way(world))
    timers = Timers(loop.as_loop())
    fleet = world.fleet = Fleet(
        pool=cast(Pool, way),
        resolver=cast(Resolver, way),
        timers=timers,
        ids=Ids(seed=seed),
        spawn=_nobody,
        wall_clock=loop.time,
        publish=world.told,
        faults=Tally(),
    )
    account = Auth(name="a", source="", username="u", password=SecretStr("secret"))
    fleet.attempts.accounts.update({"a": account})
    fleet.attempts.keep_nonces = True
    sections = {
        name: registration(
            name,
            outbound_auth=("a",),
            expiration=GRANTED_S,
            max_retries=1_000_000,
            forbidden_retry_interval=300,
            fatal_retry_interval=300,
            max_random_initial_delay=600,
        )
        for name in (f"t{number}" for number in range(COUNT))
    }
    fleet.configure(sections, PjregSettings())
    for settings in sections.values():
        fleet.make(settings)
    most = 0
    while loop.now < WEEK_S:
        loop.run_until(loop.now + 600)
        most = max(most, len(timers._heap))
    world.kind = True
    loop.run_until(WEEK_S + DAY_S)
    for name in sections:
        world.check_one(name)
        assert fleet.entries[name].state.status is Status.REGISTERED
        assert world.bindings[name] > loop.now
    assert most < 20 * COUNT, "nothing piles up"
    assert fleet.shown.words() == {"Registered": COUNT}
    return world


def _nobody(coroutine: object, name: str) -> asyncio.Task[None]:
    raise AssertionError(f"{name}: nothing has to be waited for")


@pytest.mark.timeout(600)
def test_a_week_of_a_thousand_registrations() -> None:
    world = soak(1)
    # it was no easy week
    assert world.received > 7 * COUNT * DAY_S / GRANTED_S
    assert {200, 401, 403, 500, 503, 603} <= set(world.answered)
