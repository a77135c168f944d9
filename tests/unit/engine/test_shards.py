"""Shards that come and go while their registrations are read and begun."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import pytest

from pjreg_cli.config.settings import Difference, Reload, Settings
from pjreg_cli.config.shards import shard_of
from pjreg_cli.engine import shards as module
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.shards import Shards
from pjreg_cli.engine.share import Share
from tests.support.registrations import entry, registration

NAMES = tuple(f"t{number}" for number in range(20))
ALL = frozenset(map(shard_of, NAMES))
FIRST = frozenset({shard_of(NAMES[0])})
OTHERS = {name for name in NAMES if shard_of(name) not in FIRST}


def settings(names: Iterable[str] = NAMES, shards: Iterable[int] = ALL) -> Settings:
    """What the tables have for a machine with these shards."""
    path = Path("pjsip.conf")
    found = {name: registration(name, source=f"ps_registrations[{name}]") for name in names}
    return Settings(
        directory=path.parent,
        path=path,
        registrations=MappingProxyType(found),
        shards=frozenset(shards),
    )


class Machine:
    """The engine's side of shards: what is in force, and nothing begun yet."""

    def __init__(self, current: Settings) -> None:
        self.current = current
        self.fleet = SimpleNamespace(
            entries={},
            release=lambda _shards: [],
            shown=SimpleNamespace(words=dict),
        )
        self.shards = Shards(
            cast(Share, None),
            cast(Fleet, self.fleet),
            current=lambda: self.current,
            reading=asyncio.Lock(),
            apply=self.apply,
            show=self.show,
            resumable={},
            hand_over=lambda: None,
            prune=lambda _flows: None,
            reload=cast(Any, None),
            registrations=cast(Any, None),
        )
        self.let_go_meanwhile: frozenset[int] = frozenset()
        self.held = ALL

    def show(self, shown: Settings) -> None:
        self.current = shown

    async def apply(self, result: Reload) -> None:
        """As the engine does it, which has to wait for farewells first."""
        await asyncio.sleep(0)
        self.held -= self.let_go_meanwhile
        self.shards.let_go(self.let_go_meanwhile, keep=True)
        self.show(self.shards.ours(result.settings))


async def test_what_is_let_go_of_before_it_has_begun_is_not_shown_any_more() -> None:
    machine = Machine(settings())
    machine.shards.let_go(FIRST, keep=True)
    assert set(machine.current.registrations) == OTHERS
    assert machine.current.shards == ALL - FIRST


async def test_what_has_begun_goes_by_its_entry() -> None:
    machine = Machine(settings())
    gone = entry(NAMES[0])
    machine.fleet.entries = {NAMES[0]: gone, NAMES[1]: entry(NAMES[1])}
    machine.fleet.release = lambda _shards: [gone]
    machine.fleet.forget = lambda _entry: None
    machine.shards.let_go(FIRST, keep=True)
    assert NAMES[0] not in machine.current.registrations
    assert NAMES[1] in machine.current.registrations


async def test_what_was_read_before_shards_were_let_go_of_does_not_bring_them_back() -> None:
    machine = Machine(settings())
    read = machine.current
    machine.shards.let_go(FIRST, keep=True)
    assert set(machine.shards.ours(read).registrations) == OTHERS
    assert machine.shards.ours(read).shards == ALL - FIRST


async def test_files_without_shards_are_in_force_as_they_are() -> None:
    machine = Machine(settings())
    files = replace(settings(), shards=None)
    assert machine.shards.ours(files) is files


@pytest.mark.parametrize("lost", [frozenset[int](), FIRST])
async def test_what_is_taken_up_is_shown_but_for_what_is_let_go_of_meanwhile(
    monkeypatch: pytest.MonkeyPatch, lost: frozenset[int]
) -> None:
    machine = Machine(settings((), ()))
    read = Reload(settings(), Difference(added=NAMES))
    monkeypatch.setattr(module, "reload", lambda _asked, _scope: read)
    machine.let_go_meanwhile = lost
    await machine.shards.take_up(ALL, {}, lambda shard: shard in machine.held)
    assert machine.current.shards == ALL - lost
    assert set(machine.current.registrations) == (OTHERS if lost else set(NAMES))
