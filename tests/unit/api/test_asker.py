"""Who asked goes along with what is done, and with nothing else."""

from __future__ import annotations

import asyncio

from pjreg_cli.api.asker import asked_by, asker


def test_an_order_knows_who_gave_it() -> None:
    assert asker() == "the program itself"
    with asked_by("SIGHUP"):
        assert asker() == "SIGHUP"
    assert asker() == "the program itself"


async def test_tasks_do_not_speak_for_each_other() -> None:
    async def ask(who: str) -> str:
        with asked_by(who):
            await asyncio.sleep(0)
            return asker()

    assert list(await asyncio.gather(ask("bob"), ask("alice"))) == ["bob", "alice"]
    assert asker() == "the program itself"
