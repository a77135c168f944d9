"""A Debian of its own in `build/machine`, with the wheel in it, booted with its own systemd.

Needed: root, debootstrap, systemd-nspawn, a mirror of Debian, and what pip needs.  What runs there
is in the network of the host.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.golden import PROJECT
from tests.support.waiting import until

FOLDER = PROJECT / "build" / "machine"
MIRROR = "http://deb.debian.org/debian"
_PACKAGES = "systemd,systemd-sysv,dbus,libnss-systemd,python3,python3-pip,python3-venv,man-db"


def root(suite: str = "bookworm") -> Path:
    """A Debian that has never run us; made once."""
    folder = FOLDER / suite
    if not (folder / "etc" / "debian_version").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", suite, folder, MIRROR)
    return folder


def installed(folder: Path) -> None:
    """Put the wheel of this source there, with pip, as the documentation says."""
    wheels = FOLDER / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    _run(sys.executable, PROJECT / "packaging" / "build.py", wheels)
    wheel = next(wheels.glob("*.whl"))
    _run(sys.executable, "-m", "pip", "wheel", "-q", "-w", wheels, wheel)
    inside = folder / "wheels"
    shutil.rmtree(inside, ignore_errors=True)
    shutil.copytree(wheels, inside)
    _run(
        "chroot", folder, "python3", "-m", "pip", "install", "-q", "--break-system-packages",
        "--root-user-action=ignore", "--no-index", "--find-links=/wheels", "--force-reinstall",
        "--prefix=/usr", "pjreg-cli",
    )  # fmt: skip
    _run("chroot", folder, "systemd-sysusers")


@dataclass(frozen=True, slots=True)
class Machine:
    """One that runs."""

    first: int
    """Its process 1, as the host numbers it."""

    def run(self, *words: str) -> str:
        """What a command there prints; raises CalledProcessError with its complaints."""
        return _run("nsenter", "-t", self.first, "-a", *words)

    def tries(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        command = ["nsenter", "-t", str(self.first), "-a", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def shows(self, unit: str, setting: str) -> str:
        """What systemd knows of a unit."""
        return self.run("systemctl", "show", "-P", setting, unit).strip()


@contextmanager
def booted(folder: Path) -> Iterator[Machine]:
    """It runs, and forgets at its end whatever was changed in it."""
    with (FOLDER / "console").open("w") as console:
        process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--volatile=overlay",
             "-D", str(folder), "-M", f"pjreg-{os.getpid()}", "--boot"],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )  # fmt: skip
        try:
            found: list[int] = []

            def up() -> bool:
                assert process.poll() is None, (FOLDER / "console").read_text()[-2000:]
                found[:] = list(_first(process.pid))
                return bool(found) and _is_up(Machine(found[0]))

            until(up, "the machine is up", 60)
            yield Machine(found[0])
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_up(machine: Machine) -> bool:
    state = machine.tries("systemctl", "is-system-running").stdout.strip()
    return state in ("running", "degraded")


def _first(parent: int) -> Iterator[int]:
    """The descendants that are process 1 of a namespace."""
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            status = Path(f"/proc/{child}/status").read_text()
            numbers = next(line for line in status.splitlines() if line.startswith("NSpid"))
            if len(numbers.split()) > 2 and numbers.split()[-1] == "1":
                yield child
            yield from _first(child)


def _run(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
