"""Why, on a machine of a fleet: the engine with a share of it, whose lease is trusted or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from pjreg_cli.api.findings import Finding
from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.config.shards import shard_of
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from tests.support.clock import run_virtually
from tests.support.explaining import World, found
from tests.support.nameserver import nameserver
from tests.support.registrar import Registrar


class Share:
    """Has every shard; keeps nothing."""

    takeover = "auto"
    margin_s = 0
    rate = 200

    def __init__(self) -> None:
        self.trusted = True

    def may_send(self, shard: int) -> bool:
        return self.trusted

    def epoch(self, shard: int) -> int:
        return 1

    def remember(self, rows: Iterable[Resumable]) -> None:
        """Nobody goes on with it."""

    def forget(self, names: Iterable[str]) -> None:
        """Nobody does."""


def in_a_fleet(*, trusted: bool, name: str = "alice") -> Finding:
    """What is found of a registration when its first attempt is due."""

    async def main() -> Finding:
        async with Registrar.open() as registrar, nameserver({}) as names:
            world = World(registrar, names, options={"source": "ps_registrations[alice]"})
            share = Share()
            share.trusted = trusted
            settings = replace(world.settings(), shards=frozenset({shard_of("alice")}))
            settings = replace(settings, mapped=settings.mapped._replace(fleet=True))
            engine = Engine(
                settings,
                version="0",
                wall_clock=asyncio.get_running_loop().time,
                ids=Ids(seed=1),
                keeper=share,
                share=share,
            )
            await engine.open()
            try:
                await asyncio.sleep(5.0)
                assert len(registrar.seen) == trusted
                return engine.registrations.finding(name)
            finally:
                await engine.close()

    return run_virtually(main())


def test_a_lease_that_is_not_trusted_holds_what_is_due() -> None:
    finding = in_a_fleet(trusted=False)
    found(finding, "holding", says="database of the fleet", fix="pjreg cluster show")


def test_a_trusted_one_registers() -> None:
    assert in_a_fleet(trusted=True).cause == "fine"


def test_another_machine_has_the_shard() -> None:
    finding = in_a_fleet(trusted=True, name="bob")
    found(finding, "owned-elsewhere", says="another machine", fix="pjreg cluster find bob")
