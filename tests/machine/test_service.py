"""The unit in `packaging/`, run by a real systemd: `make machine`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machine.debian import Machine, booted, installed, root
from tests.support.background import in_background
from tests.support.ports import free_port
from tests.support.registrar import Registrar, protected
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(900)

UNIT = "pjreg-cli.service"
PJSIP_CONF = "/etc/pjreg-cli/pjsip.conf"
PASSWORD = "of-the-office"
PJSIP = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}
[office]
type=auth
username=office
#tryinclude pjreg_secrets.conf
[trunk]
type=registration
server_uri=sip:127.0.0.1:{registrar}
client_uri=sip:office@127.0.0.1
outbound_auth=office
max_random_initial_delay=0
"""
FILES = {
    "pjreg_secrets.conf": "[office](+)\npassword_file=$CREDENTIALS_DIRECTORY/office\n",
    "office.secret": f"{PASSWORD}\n",
    "pjreg.conf": "[general]\nresume=yes\nlog_file=/var/log/pjreg-cli/pjreg.log\n",
}
#: what an operator writes beside the unit: a password from systemd, and a watchdog for the hasty
DROP_IN = "[Service]\nLoadCredential=office:/etc/pjreg-cli/office.secret\nWatchdogSec=3\n"


@dataclass(frozen=True, slots=True)
class Service:
    """The machine, and the registrar that its service registers with."""

    machine: Machine
    registrar: Registrar

    @property
    def process(self) -> str:
        """Its number in the machine."""
        return self.machine.shows(UNIT, "MainPID")

    def registered(self) -> bool:
        """Whether the command of the operator says so."""
        return (
            "Registered" in self.machine.tries("pjreg-cli", "pjsip", "show", "registrations").stdout
        )

    def journal(self) -> list[dict[str, str]]:
        """What the journal has of it."""
        lines = self.machine.run("journalctl", "-u", UNIT, "-o", "json").splitlines()
        return [entry for entry in map(json.loads, lines) if entry.get("_COMM") != "systemd"]


def configured(folder: Path, registrar: int) -> None:
    """As the documentation says: the folder 0750, the files 0640, of the group pjreg."""
    etc = folder / "etc" / "pjreg-cli"
    shutil.rmtree(etc, ignore_errors=True)
    etc.mkdir(mode=0o750)
    group = re.search(r"^pjreg:x:(\d+):", (folder / "etc" / "group").read_text(), re.MULTILINE)
    assert group is not None
    files = FILES | {"pjsip.conf": PJSIP.format(port=free_port(), registrar=registrar)}
    for name, text in files.items():
        (etc / name).write_text(text)
        (etc / name).chmod(0o600 if name.endswith("secret") else 0o640)
    for path in (etc, *etc.iterdir()):
        shutil.chown(path, "root", int(group[1]))
    drop_in = folder / "etc" / "systemd" / "system" / f"{UNIT}.d"
    drop_in.mkdir(parents=True, exist_ok=True)
    (drop_in / "office.conf").write_text(DROP_IN)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    folder = root()
    installed(folder)
    with in_background(Registrar.open()) as registrar:
        registrar.script("office", protected(PASSWORD, username="office"))
        configured(folder, registrar.port)
        with booted(folder) as machine:
            machine.run("systemctl", "enable", "--now", UNIT)
            yield Service(machine, registrar)


def test_it_is_up_registered_and_says_so(service: Service) -> None:
    assert service.machine.shows(UNIT, "ActiveState") == "active"
    until(service.registered, "registered")
    until(lambda: "1 Registered" in service.machine.shows(UNIT, "StatusText"), "told to systemd")


def test_it_is_nobody_and_has_nothing_but_its_own(service: Service) -> None:
    status = service.machine.run("cat", f"/proc/{service.process}/status")
    assert int(re.findall(r"^Uid:\s+(\d+)", status, re.MULTILINE)[0]) >= 61184
    assert re.findall(r"^CapEff:\s+(\w+)", status, re.MULTILINE) == ["0" * 16]
    assert re.findall(r"^NoNewPrivs:\s+(\d)", status, re.MULTILINE) == ["1"]
    kept = service.machine.run("sh", "-c", "ls -lL /var/lib/pjreg-cli/")
    assert ".sqlite3" in kept
    assert "is up" in service.machine.run("cat", "/var/log/pjreg-cli/pjreg.log")
    analyzed = service.machine.run("systemd-analyze", "security", "--no-pager", UNIT)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", analyzed)
    assert exposure is not None
    assert float(exposure[1]) < 2.0


def test_the_journal_knows_the_priority_of_every_line(service: Service) -> None:
    entries = service.journal()
    up = next(entry for entry in entries if "is up" in entry["MESSAGE"])
    assert up["PRIORITY"] == "5"
    assert up["MESSAGE"].startswith("NOTICE instance: pjreg-cli ")
    assert not any(PASSWORD in entry["MESSAGE"] for entry in entries)


def test_a_reload_reads_everything_and_goes_on(service: Service) -> None:
    before = service.process
    service.machine.run("systemctl", "reload", UNIT)
    assert service.machine.shows(UNIT, "ActiveState") == "active"
    assert service.process == before
    service.machine.run("sh", "-c", f"cp -p {PJSIP_CONF} /kept; echo '[broken' >> {PJSIP_CONF}")
    assert service.machine.tries("systemctl", "reload", UNIT).returncode != 0
    assert service.machine.shows(UNIT, "ActiveState") == "active"
    assert service.process == before
    assert service.registered()
    told = service.machine.run("journalctl", "-u", UNIT)
    assert re.search(r"pjsip\.conf:\d+", told)
    service.machine.run("sh", "-c", f"cat /kept > {PJSIP_CONF}")
    service.machine.run("systemctl", "reload", UNIT)


@pytest.mark.parametrize("number", ["STOP", "KILL"])
def test_what_hangs_or_dies_is_started_anew_and_registers_nobody_twice(
    service: Service, number: str
) -> None:
    before = service.process
    told = {one.header("call-id") for one in service.registrar.seen}
    service.machine.run("sh", "-c", f"kill -{number} {before}")
    until(lambda: service.process not in (before, "0"), "another process", 60)
    until(service.registered, "registered again")
    # it goes on with what its state file says
    assert {one.header("call-id") for one in service.registrar.seen} == told


def test_it_stops_with_a_good_status_and_unregisters_nothing(service: Service) -> None:
    sent = len(service.registrar.seen)
    service.machine.run("systemctl", "stop", UNIT)
    assert service.machine.shows(UNIT, "ActiveState") == "inactive"
    assert service.machine.shows(UNIT, "Result") == "success"
    assert service.machine.shows(UNIT, "ExecMainStatus") == "0"
    assert len(service.registrar.seen) == sent


def test_the_manual_page_is_where_man_finds_it(service: Service) -> None:
    assert "PJREG-CLI(1)" in service.machine.run("man", "-P", "cat", "pjreg-cli")
