"""Provokes what can go wrong with a registration, for real, and asks why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pjreg_cli.api.findings import Finding
from pjreg_cli.config.models import Auth, Resolver, Transport
from pjreg_cli.config.settings import Settings
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from tests.support.clock import run_virtually
from tests.support.nameserver import NameServer, Zone, nameserver
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar
from tests.support.registrations import registration

#: nothing is waited for longer than this, in virtual seconds
_PATIENCE_S = 7200.0

AUTH: dict[str, Any] = {"username": "alice", "password": SecretStr("secret")}


@dataclass
class World:
    """An engine, a registrar and a name server; what is set before `run` decides what happens."""

    registrar: Registrar
    names: NameServer
    options: dict[str, Any] = field(default_factory=dict)
    """Of the registration `alice`."""
    auths: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Auth sections; `a` is what `outbound_auth = a` means."""
    transports: dict[str, dict[str, Any]] = field(default_factory=lambda: {"udp": {}})
    """Transports; `protocol` and `host` have defaults."""
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Other registrations."""
    clock: Callable[[], float] = lambda: 1_800_000_000.0
    change: Callable[[Settings], Settings] = lambda settings: settings
    engine: Engine | None = None

    @property
    def uri(self) -> str:
        """The registrar by its address."""
        return f"sip:{LOOPBACK}:{self.registrar.port}"

    def settings(self) -> Settings:
        """What is configured; each kind of section is at a line of its own."""
        alice = {"server_uri": self.uri, "max_random_initial_delay": 0, **self.options}
        sections = {"alice": registration("alice", **{"source": "pjsip.conf:10", **alice})}
        for name, options in self.more.items():
            sections[name] = registration(name, **{"source": "pjsip.conf:11", **alice, **options})
        transports = {}
        for name, options in self.transports.items():
            values = {"protocol": name, "host": LOOPBACK, "port": free_port(), **options}
            transports[name] = Transport(name=name, source="pjsip.conf:20", **values)
        auths = {
            name: Auth(name=name, source="pjsip.conf:30", **{**AUTH, **options})
            for name, options in self.auths.items()
        }
        return self.change(
            Settings(
                directory=Path(),
                path=Path("pjsip.conf"),
                registrations=sections,
                transports=transports,
                auths=auths,
                resolver=Resolver(
                    source="resolver_unbound.conf:2",
                    nameservers=((LOOPBACK, self.names.port),),
                    resolv=False,
                    hosts="",
                ),
            )
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Engine]:
        """The engine, open until the block ends."""
        loop = asyncio.get_running_loop()
        start_at = self.clock()
        engine = Engine(
            self.settings(),
            version="0",
            wall_clock=lambda: start_at + loop.time(),
            ids=Ids(seed=1),
        )
        self.engine = engine
        await engine.open()
        try:
            yield engine
        finally:
            await engine.close()

    def finding(self, name: str = "alice") -> Finding:
        """How a registration stands now."""
        assert self.engine is not None
        return self.engine.registrations.finding(name)

    async def until(self, reached: Callable[[Finding], bool]) -> Finding:
        """Let time pass until this holds of what is found about `alice`."""
        async with asyncio.timeout(_PATIENCE_S):
            while not reached(found := self.finding()):  # noqa: ASYNC110 -- virtual time
                await asyncio.sleep(0.1)
        return found


def settled(found: Finding) -> bool:
    """Whether an attempt has come to an outcome."""
    return found.cause not in ("waiting", "under-way")


Act = Callable[[World], Coroutine[Any, Any, Finding]]


async def first_outcome(world: World) -> Finding:
    """What is found once the first attempt has settled."""
    async with world.running():
        return await world.until(settled)


def explain(
    prepare: Callable[[World], None] = lambda world: None,
    act: Act = first_outcome,
    zone: Zone | None = None,
) -> Finding:
    """What is found about `alice` in a world prepared so; in virtual time."""

    async def main() -> Finding:
        async with Registrar.open() as registrar, nameserver(zone or {}) as names:
            world = World(registrar, names)
            prepare(world)
            return await act(world)

    return run_virtually(main())


def found(
    finding: Finding,
    cause: str,
    *,
    says: str = "",
    evidence: str = "",
    fix: str | None = "",
    where: str = "",
    ok: bool = False,
) -> None:
    """The finding is this cause; its sentence, evidence and first fix hold these pieces.  `fix`
    None: there is nothing to change."""
    assert finding.cause == cause, finding
    assert finding.ok is ok
    assert says in finding.finding, finding.finding
    assert any(evidence in text for text in finding.evidence) or not evidence, finding.evidence
    if fix is None:
        assert finding.fix == ()
    else:
        assert fix in finding.fix[0].text, finding.fix
        assert where in finding.fix[0].where, finding.fix
    shown = repr(finding)
    assert "secret" not in shown
    assert "\x1b" not in shown


def noted(finding: Finding, note: str, says: str = "") -> None:
    """There is this note, and its text holds this piece."""
    texts = [one.text for one in finding.notes if one.cause == note]
    assert texts, finding.notes
    assert says in texts[0]
