"""Scripts that read our output in the field go on working."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.background import in_background
from tests.support.golden import FIXTURES
from tests.support.instance import PROGRAM, Done, Instance, environment
from tests.support.ports import free_port
from tests.support.registrar import Registrar, grant
from tests.support.waiting import all_registered, until

SCRIPTS = FIXTURES / "field" / "scripts"
CONF = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
[provider]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:provider@127.0.0.1
outbound_auth = provider-auth
max_random_initial_delay = 0
[gov-reg]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:gov@127.0.0.1
max_random_initial_delay = 0
[provider-auth]
type = auth
username = u
password = p
"""
MANAGER = """\
[general]
enabled = yes
bindaddr = 127.0.0.1
port = {port}
[dashboard]
secret = a-long-one
read = all
write = all
"""


@pytest.fixture
def registrar() -> Iterator[Registrar]:
    """It grants whatever is asked for."""
    with in_background(Registrar.open()) as one:
        for user in ("provider", "gov"):
            one.script(user, grant())
        yield one


@pytest.fixture
def trunks(home: Path, registrar: Registrar) -> Iterator[Instance]:
    """Two registered trunks."""
    instance = Instance(home, CONF.format(port=free_port(), registrar=registrar.port))
    instance.start()
    all_registered(instance, 2)
    yield instance
    instance.stop()


def script(instance: Instance, name: str, *words: str, **variables: str) -> Done:
    """Run a script against an instance."""
    done = subprocess.run(
        [str(SCRIPTS / name), *words],
        env=environment(
            instance.home, PJ=f"{PROGRAM[0]} -s {instance.socket}", PYTHONWARNINGS="", **variables
        ),
        cwd=instance.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_discovery_by_line_number(trunks: Instance) -> None:
    done = script(trunks, "80-zabbix-by-line.sh")
    assert json.loads(done.out) == {
        "data": [
            {"{#TRUNK}": "gov-reg", "{#HOST}": "127.0.0.1"},
            {"{#TRUNK}": "provider", "{#HOST}": "127.0.0.1"},
        ]
    }


def test_state_is_the_third_field(trunks: Instance) -> None:
    assert script(trunks, "83-first-field-prefix.sh", "gov-reg").out == "Registered\n"
    assert script(trunks, "83-first-field-prefix.sh", "nothere").out == "missing\n"


def test_four_columns_never_match(trunks: Instance) -> None:
    assert script(trunks, "88-four-columns-never-match.sh").out == "0\n"


def test_expiry_is_a_number(trunks: Instance) -> None:
    done = script(trunks, "89-expiry-watchdog.sh", LIMIT="10")
    lines = done.out.splitlines()
    assert len(lines) == 2
    assert all(line.endswith(" ok") for line in lines)


def test_all_again(trunks: Instance) -> None:
    done = script(trunks, "90-all-again.sh", WAIT="0")
    assert done.status == 0
    assert "Objects found: 2" in done.out
    all_registered(trunks, 2)


def test_force_registers_again(trunks: Instance) -> None:
    assert script(trunks, "98-stop-hook-and-force.sh", "provider").out.endswith("up\n")


def test_stop_hook_ends_the_instance(trunks: Instance, registrar: Registrar) -> None:
    assert script(trunks, "98-stop-hook-and-force.sh", "provider", "stop").status == 0
    assert trunks.wait() == 0
    assert not registrar.bindings.get("provider")


def test_manager_lists_are_complete_and_registry_events_are_told(trunks: Instance) -> None:
    port = free_port()
    (trunks.etc / "manager.conf").write_text(MANAGER.format(port=port))
    assert trunks.ask("module reload manager").status == 0
    done = script(trunks, "93-ami-list-complete.sh", AMI_PORT=str(port))
    assert done.status == 0, done.err
    assert "('Success', 'start') details 2 auths 1 without our id 1 ListItems 2" in done.out
    assert "registered 2 notregistered 0 complete Complete" in done.out
    listener = subprocess.Popen(
        [str(SCRIPTS / "96-ami-registry-listener.sh")],
        env=environment(
            trunks.home, AMI_PORT=str(port), SECS="60", PYTHONUNBUFFERED="1", PYTHONWARNINGS=""
        ),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with listener:
        assert listener.stdout is not None
        try:
            connected = "1 users connected"
            until(lambda: connected in trunks.told("manager show connected").out, connected)
            trunks.ask("pjsip send register provider")
            told = next(line for line in listener.stdout if "| Registered |" in line)
        finally:
            os.killpg(listener.pid, signal.SIGKILL)
    assert told.startswith("PJSIP | sip:127.0.0.1:")


def test_scripts_are_executable() -> None:
    assert all(os.access(one, os.X_OK) for one in SCRIPTS.glob("*.sh"))
