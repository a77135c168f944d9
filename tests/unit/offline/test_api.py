"""The port answered from a configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.api.configuration import Level
from pjreg_cli.api.instance import Stop
from pjreg_cli.api.port import Api
from pjreg_cli.commands.tree import Console, Kind, execute
from pjreg_cli.config.load import load
from pjreg_cli.dialects import CURRENT
from pjreg_cli.offline.api import NotRunningError, offline_port
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import transcript

CONFIGURATION = FIXTURES / "console/offline/pjsip.conf"


@pytest.fixture
def port() -> Api:
    return offline_port(load(CONFIGURATION))


def asker(port: Api) -> Console:
    return Console(port=port, kind=Kind.ONE_SHOT, dialect=CURRENT)


async def test_shows_what_is_configured_with_every_registration_unregistered(
    port: Api, golden: Golden
) -> None:
    lines = ["pjsip show registrations", "pjsip show registration outreg", "pjsip show auths"]
    lines += ["pjsip show auth provider_auth", "pjsip show transports", "pjsip show transport udp"]
    lines += ["pjreg status", "manager show users", "manager show user admin", "module show"]
    lines += ["pjsip show history", "manager show connected", "logger show channels"]
    golden.check(FIXTURES / "console/offline/answers.txt", await transcript(asker(port), lines))


@pytest.mark.parametrize(
    "line",
    [
        "pjsip send register outreg",
        "pjsip send unregister outreg",
        "pjsip send register *all",
        "pjsip send unregister *all",
        "pjsip set logger on",
        "pjsip set logger host 127.0.0.1",
        "pjsip set logger method REGISTER",
        "pjsip set logger verbose on",
        "pjsip set logger pcap /tmp/x",
        "pjsip set history on",
        "pjsip set history clear",
        "module reload res_pjsip.so",
        "core reload",
        "core stop now",
        "core abort shutdown",
        "core set debug 3",
        "core set debug 3 res_pjsip",
        "logger set level DEBUG on",
        "logger rotate",
        "core waitfullybooted",
        "core show uptime",
    ],
)
async def test_what_needs_an_instance_fails_and_says_why(port: Api, line: str) -> None:
    reply = await execute(line, asker(port))
    text = "".join(reply.output)
    assert text.startswith("No instance is running")
    assert text.endswith(f"Command '{line}' failed.\n")
    assert not reply.ok


async def test_unknown_registration_is_unknown_here_too(port: Api) -> None:
    reply = await execute("pjsip send register nope", asker(port))
    assert "".join(reply.output).startswith("Unable to retrieve registration nope\n")


def test_registrations_have_no_state(port: Api) -> None:
    known = port.registrations
    assert list(known.names()) == ["My_Provider", "outreg"]
    assert [(row.word, row.due_s) for row in known.rows()] == [(None, None)] * 2
    assert known.count() == {}
    assert [view.row.name for view in known.views()] == list(known.names())
    assert (known.row("nope"), known.view("nope")) == (None, None)


def test_secrets_are_masked_unless_revealed(port: Api) -> None:
    def password(of: Api) -> tuple[str, ...]:
        view = of.configuration.auth("provider_auth")
        assert view is not None
        return dict(view.options)["password"]

    assert password(port) == ("********",)
    assert password(offline_port(load(CONFIGURATION), reveal=True)) == ("my_password",)


def test_view_tells_that_nothing_runs(port: Api) -> None:
    view = port.instance.view()
    assert not view.live
    assert Path(view.config_path).name == "pjsip.conf"
    with pytest.raises(NotRunningError):
        port.instance.stop(Stop.NOW)


def test_subscribing_is_possible_and_in_vain(port: Api) -> None:
    end = port.notices.subscribe(lambda _notice: None)
    end()


async def test_configuration_can_be_checked_and_explained(port: Api) -> None:
    problems = await port.configuration.problems()
    assert {problem.level for problem in problems} == {Level.NOTE}
    with pytest.raises(NotRunningError):
        await port.configuration.plan()
    names = [module.name for module in port.configuration.help()]
    assert "res_pjsip_outbound_registration" in names
    assert port.configuration.globals()
    assert port.configuration.system()
