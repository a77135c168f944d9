"""Whatever becomes of log, terminal, disk and descriptors, no binding lapses.

A real instance registers with a registrar in another process, which notes every binding that was
not refreshed in time.
"""

from __future__ import annotations

import errno
import os
import pty
import resource
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.binding_keeper import PATIENCE_S, BindingKeeper
from tests.support.instance import Instance, trunks_conf
from tests.support.terminal import Terminal

TRUNKS = ("alice", "bob", "carol")


@pytest.fixture
def keeper(home: Path) -> Iterator[BindingKeeper]:
    with BindingKeeper.running(home) as keeper:
        yield keeper


def configuration(keeper: BindingKeeper) -> str:
    return trunks_conf(keeper.port, *TRUNKS, more="transport = udp\nretry_interval = 1")


@contextmanager
def running(
    home: Path,
    keeper: BindingKeeper,
    *options: str,
    output: int | None = None,
    prefix: tuple[str, ...] = (),
    pjreg: str = "",
) -> Iterator[Instance]:
    """An instance whose trunks are registered; it must end with status 0."""
    one = Instance(home, configuration(keeper), prefix)
    one.output = output
    (one.etc / "pjreg.conf").write_text(f"[general]\n{pjreg}\n")
    one.start(*options)
    try:
        keeper.wait_for_refreshes(1, len(TRUNKS))
        yield one
    finally:
        status = one.stop()
    assert status == 0


def goes_on(one: Instance, keeper: BindingKeeper) -> None:
    """Every binding is refreshed, again and again, and commands are answered."""
    keeper.wait_for_refreshes(2, len(TRUNKS))
    assert one.ask("core show uptime").status == 0
    keeper.wait_for_refreshes(1, len(TRUNKS))
    assert keeper.lapses() == []


def counters(one: Instance) -> dict[str, int]:
    """`pjreg show counters`."""
    rows = one.told("pjreg show counters").out.splitlines()[1:]
    return {row.split()[0]: int(row.split()[1]) for row in rows}


def talkative(one: Instance) -> None:
    """Have as much written as can be."""
    for line in ("pjsip set logger on", "core set debug 9", "pjsip set history on"):
        assert one.ask(line).status == 0


# -- stderr -----------------------------------------------------------------------------------


def test_a_stderr_that_is_closed(home: Path, keeper: BindingKeeper) -> None:
    shell = ("/bin/sh", "-c", 'exec "$@" 2>&- >&- <&-', "sh")
    with running(home, keeper, prefix=shell) as one:
        talkative(one)
        goes_on(one, keeper)


def test_a_stderr_that_is_full(home: Path, keeper: BindingKeeper) -> None:
    with ExitStack() as stack:
        full = os.open("/dev/full", os.O_WRONLY)
        stack.callback(os.close, full)
        with running(home, keeper, "-vvv", output=full) as one:
            talkative(one)
            goes_on(one, keeper)
            eventually(lambda: counters(one)["log_lines_lost"] > 0)


def test_a_stderr_that_nobody_reads(home: Path, keeper: BindingKeeper) -> None:
    reader, writer = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        with running(home, keeper, "-vvv", output=writer) as one:
            os.close(writer)
            talkative(one)
            for _ in range(30):
                one.ask("pjsip send register bob")
            goes_on(one, keeper)


def test_a_stderr_whose_reader_goes_away(home: Path, keeper: BindingKeeper) -> None:
    reader, writer = os.pipe()
    with running(home, keeper, output=writer) as one:
        os.close(writer)
        talkative(one)
        os.close(reader)
        goes_on(one, keeper)
        eventually(lambda: counters(one)["log_lines_lost"] > 0)


def test_a_terminal_that_is_stopped(home: Path, keeper: BindingKeeper) -> None:
    master, slave = pty.openpty()
    with ExitStack() as stack:
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        with running(home, keeper, "-vvv", output=slave) as one:
            termios.tcflow(slave, termios.TCOOFF)
            talkative(one)
            goes_on(one, keeper)


def test_a_terminal_that_is_gone(home: Path, keeper: BindingKeeper) -> None:
    master, slave = pty.openpty()
    with running(home, keeper, "-vvv", output=slave) as one:
        os.close(slave)
        talkative(one)
        os.close(master)
        goes_on(one, keeper)


def test_a_console_whose_terminal_is_stopped(home: Path, keeper: BindingKeeper) -> None:
    one = Instance(home, configuration(keeper))
    command = (*one.command_line("-c"), "-vvv")
    with Terminal(command, environment={"HOME": str(home)}) as terminal:
        keeper.wait_for_refreshes(1, len(TRUNKS))
        talkative(one)
        terminal.process.send("\x13")
        goes_on(one, keeper)
        os.kill(terminal.process.pid, signal.SIGTERM)
        terminal.process.wait()
        assert terminal.process.exitstatus == 0


# -- disks ------------------------------------------------------------------------------------


def disk(folder: Path, options: str = "size=64k") -> tuple[str, ...]:
    """What begins the command line of an instance that has a disk of its own in `folder`."""
    folder.mkdir()
    own = "-m" if os.geteuid() == 0 else "-rm"
    made = f"mount -t tmpfs -o {options} none {folder} && {{ mkdir {folder}/own 2>&-; :; }}"
    script = f'{made} && exec "$@"'
    return ("unshare", own, "/bin/sh", "-c", script, "sh")


def inside(one: Instance, *command: str) -> None:
    """Run a command where the instance sees its disk."""
    own = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
    subprocess.run(["nsenter", "-t", str(one.pid), "-m", *own, *command], check=True)


def seen_by(one: Instance, path: Path) -> Path:
    """A path on the disk of the instance."""
    return Path(f"/proc/{one.pid}/root{path}")


def fill(one: Instance, folder: Path) -> None:
    """Leave no room on the disk."""
    with seen_by(one, folder / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 512)
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 -- that is what it is for


def logged(one: Instance, folder: Path) -> str:
    """What the log files on the disk hold."""
    return "".join(path.read_text() for path in seen_by(one, folder).glob("log*"))


def eventually(reached: Callable[[], bool]) -> None:
    """Wait until this holds."""
    deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 -- another process is waited for
    while not reached():
        assert time.monotonic() < deadline  # noqa: TID251
        time.sleep(0.02)


def test_a_disk_that_is_full_and_gets_room_again(home: Path, keeper: BindingKeeper) -> None:
    folder = home / "disk"
    options = f"log_file = {folder}/log\nlog_level = debug\nlog_max_bytes = 20000\nlog_keep = 1"
    with running(home, keeper, prefix=disk(folder), pjreg=options) as one:
        assert one.ask(f"pjsip set logger pcap {folder}/capture").status == 0
        talkative(one)
        fill(one, folder)
        goes_on(one, keeper)
        one.says("No space left on device")
        eventually(lambda: counters(one)["log_lines_lost"] > 0)
        refused = one.ask(f"pjsip set logger pcap {folder}/another")
        assert "No space left on device" in refused.out
        seen_by(one, folder / "filler").unlink()
        eventually(lambda: "lost: No space left on device" in logged(one, folder))
        goes_on(one, keeper)


def test_a_disk_that_is_read_only(home: Path, keeper: BindingKeeper) -> None:
    folder = home / "disk"
    prefix = disk(folder, "size=64k,ro")
    options = f"log_file = {folder}/log\nstate_dir = {folder}/state"
    with running(home, keeper, prefix=prefix, pjreg=options) as one:
        one.says("Read-only file system")
        refused = one.ask(f"pjsip set logger pcap {folder}/capture")
        assert "Read-only file system" in refused.out
        one.ask("core reload")
        goes_on(one, keeper)


def test_a_disk_that_is_gone(home: Path, keeper: BindingKeeper) -> None:
    folder = home / "disk"
    options = f"log_file = {folder}/own/log\nstate_dir = {folder}/state"
    with running(home, keeper, prefix=disk(folder), pjreg=options) as one:
        assert one.ask(f"pjsip set logger pcap {folder}/capture").status == 0
        inside(one, "umount", "-l", str(folder))
        folder.rmdir()
        goes_on(one, keeper)
        rotated = one.ask("logger rotate")
        assert (rotated.status, "No such file or directory" in rotated.out) == (1, True)
        goes_on(one, keeper)


# -- descriptors ------------------------------------------------------------------------------


def test_descriptors_that_are_used_up(home: Path, keeper: BindingKeeper) -> None:
    with running(home, keeper, pjreg=f"log_file = {home}/full") as one, ExitStack() as stack:
        used = len(os.listdir(f"/proc/{one.pid}/fd"))
        resource.prlimit(one.pid, resource.RLIMIT_NOFILE, (used + 2, used + 2))
        for _ in range(10):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(one.socket))
        keeper.wait_for_refreshes(3, len(TRUNKS))
        assert keeper.lapses() == []
        stack.close()
        goes_on(one, keeper)


# -- the network ------------------------------------------------------------------------------


def test_what_strangers_send_steers_no_terminal_and_fills_no_memory(
    home: Path, keeper: BindingKeeper
) -> None:
    with running(home, keeper) as one:
        talkative(one)
        (port,) = (
            int(line.rpartition(":")[2])
            for line in (one.etc / "pjsip.conf").read_text().splitlines()
            if line.startswith("bind")
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for message in (
                b"OPTIONS sip:\x1b]0;OWNED\x07\x1b[2J SIP/2.0\r\nVia: x\r\n\r\n",
                b"\x9b31m\xe2\x80\xae evil\r\n[2026-01-01 00:00:00] ERROR[1] feigned: line\r\n",
                b"x" * 60_000,
            ):
                stranger.sendto(message, ("127.0.0.1", port))
        goes_on(one, keeper)
        # the last of them: what came before it is written by then
        one.says("xxxxxxxx")
        log = one.log()
        assert "OWNED" in log
        assert not {*log} & {"\x1b", "\x07", "\x9b", "\u202e"}
        assert one.ask("pjsip show history").out.count("OPTIONS") == 1


def test_the_log_tells_who_asked_and_what_came_of_it(home: Path, keeper: BindingKeeper) -> None:
    with running(home, keeper) as one:
        assert one.ask("pjsip send unregister bob").status == 0
        assert one.ask("pjsip send register bob").status == 0
        assert one.ask("core reload").status == 0
        one.signal(signal.SIGHUP)
        keeper.wait_for_refreshes(1, len(TRUNKS))
    log = one.log()
    asked = f"asked by a command of uid {os.getuid()} (pid "
    for line in (
        "alice: Registered: register: 200 OK for 12 s by udp:127.0.0.1:",
        f"bob: unregister {asked}",
        "bob: Unregistered after ",
        f"bob: register {asked}",
        "bob: Registered again after ",
        f"reload of all {asked}",
        "reload of all asked by SIGHUP",
        "stop now asked by SIGTERM",
        "pjreg-cli ends",
    ):
        assert line in log, line
