"""As a service of systemd: what it is told, and how little the service may do."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.instance import ROOT, Instance
from tests.support.ports import free_port

UNIT = ROOT / "packaging" / "pjreg-cli.service"
#: what `systemd-analyze security` may say at most
EXPOSURE = 2.0


def configuration() -> str:
    return f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"


def test_the_service_is_told_to_be_up_alive_reloading_and_stopping(home: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(home / "notify"))
        manager.settimeout(60)
        prefix = ["env", f"NOTIFY_SOCKET={home / 'notify'}", "WATCHDOG_USEC=100000"]
        instance = Instance(home, configuration(), prefix=prefix)

        def told(word: str) -> None:
            """Wait until this is said."""
            while word not in manager.recv(4096).decode().splitlines():
                pass

        instance.launch()
        try:
            told("READY=1")
            told("WATCHDOG=1")
            told("WATCHDOG=1")
            instance.signal(signal.SIGHUP)
            told("RELOADING=1")
            told("READY=1")
            instance.signal(signal.SIGTERM)
            told("STOPPING=1")
        finally:
            instance.stop()


def test_the_service_may_do_little() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE * 10:.0f}",
         str(UNIT)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def test_the_unit_starts_what_there_is() -> None:
    lines = [line.partition("=") for line in UNIT.read_text().splitlines() if "=" in line]
    settings = {key: value for key, _, value in lines}
    assert settings["Type"] == "notify"
    assert settings["DynamicUser"] == "yes"
    assert int(settings["WatchdogSec"]) > 0
    words = settings["ExecStart"].split()[1:]
    assert words == ["-f", "-C", "/etc/pjreg-cli", "-s", "/run/pjreg-cli/pjreg.ctl"]
    # netlink is how changes of addresses are noticed
    assert "AF_NETLINK" in settings["RestrictAddressFamilies"].split()
