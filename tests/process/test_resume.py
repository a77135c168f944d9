"""A restart with `resume = yes`: killed without a word, it goes on where it stopped."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.support.instance import Instance, trunks_conf
from tests.support.ports import free_port
from tests.support.registrar import Registrar, grant
from tests.support.waiting import all_kept, all_registered

RESUME = "[general]\nresume = yes\nstate_dir = state\n"


async def started(home: Path, registrar: Registrar, port: int, pjreg_conf: str) -> Instance:
    one = Instance(home, trunks_conf(registrar.port, "alice", port=port))
    (one.etc / "pjreg.conf").write_text(pjreg_conf)
    await asyncio.to_thread(one.start)
    return one


async def test_killed_it_refreshes_when_due_with_its_call_id_and_a_higher_cseq(
    home: Path, registrar: Registrar
) -> None:
    registrar.script("alice", grant(24))
    port = free_port()
    one = await started(home, registrar, port, RESUME)
    try:
        await asyncio.to_thread(all_registered, one, 1)
        (first,) = await registrar.received(1, "alice")
        await asyncio.to_thread(all_kept, home / "etc" / "state", 1)
        one.signal(signal.SIGKILL)
        await asyncio.to_thread(one.wait)
        one = await started(home, registrar, port, RESUME)
        await asyncio.to_thread(all_registered, one, 1)
        assert len(registrar.of("alice")) == 1, "nothing is sent before it is due"
        _, second = await registrar.received(2, "alice")
    finally:
        await asyncio.to_thread(one.stop)
    assert second.header("call-id") == first.header("call-id")
    assert second.cseq > first.cseq
    assert second.at - first.at < 24.0
    assert second.header("contact") == first.header("contact")


async def test_a_state_file_removed_while_it_runs_is_written_whole_again(
    home: Path, registrar: Registrar
) -> None:
    port = free_port()
    one = Instance(home, trunks_conf(registrar.port, "alice", "bob", port=port))
    (one.etc / "pjreg.conf").write_text(RESUME)
    await asyncio.to_thread(one.start)
    try:
        await asyncio.to_thread(all_registered, one, 2)
        state = home / "etc" / "state"
        await asyncio.to_thread(all_kept, state, 2)
        for path in state.iterdir():
            path.unlink()
        # only bob changes
        await asyncio.to_thread(one.ask, "pjsip send register bob")
        await registrar.received(3, "bob")
        await asyncio.to_thread(all_kept, state, 2)
        one.signal(signal.SIGKILL)
        await asyncio.to_thread(one.wait)
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(all_registered, one, 2)
        assert len(registrar.of("alice")) == 1, "it goes on with what it has"
    finally:
        await asyncio.to_thread(one.stop)


async def test_a_changed_section_begins_anew(home: Path, registrar: Registrar) -> None:
    port = free_port()
    one = await started(home, registrar, port, RESUME)
    try:
        await asyncio.to_thread(all_registered, one, 1)
        await asyncio.to_thread(one.stop)
        changed = trunks_conf(registrar.port, "alice", port=port, more="contact_user = other")
        one = Instance(home, changed)
        await asyncio.to_thread(one.start)
        first, second = await registrar.received(2, "alice")
    finally:
        await asyncio.to_thread(one.stop)
    assert second.header("call-id") != first.header("call-id")


async def test_without_the_option_every_start_registers_anew(
    home: Path, registrar: Registrar
) -> None:
    port = free_port()
    one = await started(home, registrar, port, "[general]\nstate_dir = state\n")
    try:
        await asyncio.to_thread(all_registered, one, 1)
        await asyncio.to_thread(one.stop)
        await asyncio.to_thread(one.start)
        first, second = await registrar.received(2, "alice")
    finally:
        await asyncio.to_thread(one.stop)
    assert second.header("call-id") != first.header("call-id")


async def test_a_broken_state_file_costs_a_warning(home: Path, registrar: Registrar) -> None:
    (home / "etc").mkdir()
    (home / "etc" / "state").write_text("a file where the folder should be")
    one = await started(home, registrar, free_port(), RESUME)
    try:
        await asyncio.to_thread(all_registered, one, 1)
    finally:
        await asyncio.to_thread(one.stop)
    await asyncio.to_thread(one.says, "registrations go on")
