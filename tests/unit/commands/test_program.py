"""The commands of module and logger."""

from __future__ import annotations

import json

from pjreg_cli.commands.tree import Kind, execute
from tests.support.fake_port import Fake
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript


async def test_modules_are_listed_and_reloaded(golden: Golden) -> None:
    fake = Fake()
    lines = ["module show", "module show like OUTBOUND", "module show like bogus"]
    lines += ["module show like", "module show bogus", "module reload res_pjsip.so"]
    lines += ["module reload res_pjsip_outbound_registration", "module reload nosuch.so"]
    lines += ["module reload res_pjsip.so nosuch", "module reload"]
    golden.check(FIXTURES / "console/modules.txt", await transcript(console(fake), lines))
    assert fake.instance.log[-2:] == ["reload res_pjsip.so nosuch", "reload"]


async def test_unknown_module_is_no_error_to_the_manager() -> None:
    reply = await execute("module reload nosuch.so", console(Fake(), Kind.MANAGER))
    assert (reply.ok, reply.failed) == (False, False)


async def test_logger(golden: Golden) -> None:
    fake = Fake()
    lines = ["logger show channels", "logger set level DEBUG on", "logger set level debug OFF"]
    lines += ["logger set level DTMF on", "logger set level BOGUS on", "logger set level DEBUG"]
    lines += ["logger set level DEBUG on now", "logger mute", "logger mute", "logger mute silent"]
    lines += ["logger mute loudly", "logger rotate", "logger rotate now", "logger reload"]
    asker = console(fake)
    golden.check(FIXTURES / "console/logger.txt", await transcript(asker, lines))
    assert asker.muted
    assert fake.instance.log == [
        "level DEBUG True",
        "level DEBUG False",
        "level DTMF True",
        "rotate",
        "reload logger",
    ]


async def test_modules_and_channels_as_json() -> None:
    asker = console(Fake(), json=True)
    assert json.loads(await said(asker, "module show like pjsip.so")) == [
        {
            "name": "res_pjsip.so",
            "description": "SIP: transports, accounts, global options",
            "use_count": 0,
            "status": "Running",
        }
    ]
    channels = json.loads(await said(asker, "logger show channels"))
    assert channels[0]["levels"] == ["NOTICE", "WARNING", "ERROR"]
