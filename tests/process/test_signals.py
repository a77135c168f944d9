"""Signals at moments at which nobody expects them."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.support.instance import PROGRAM, QUIET, Instance, environment, listens, run
from tests.support.ports import free_port
from tests.support.terminal import Terminal
from tests.support.waiting import until


def heeds_hangups(pid: int) -> bool:
    """Whether a process has a handler for SIGHUP."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGHUP - 1))


def test_hangups_while_it_starts_do_not_kill_an_instance(home: Path) -> None:
    one = Instance(home, QUIET.format(port=free_port()), fresh=True)
    one.launch()
    # before that it is the interpreter that starts; from here on any moment will do
    until(lambda: heeds_hangups(one.pid), "it heeds SIGHUP")

    def started() -> bool:
        one.signal(signal.SIGHUP)
        return one.answers()

    try:
        until(started, "it answers")
        assert one.ask("core show uptime").status == 0
    finally:
        assert one.stop() == 0


def test_closed_window_is_no_reload(home: Path) -> None:
    one = Instance(home, QUIET.format(port=free_port()) + "\n[half\n")
    one.configure(QUIET.format(port=free_port()))
    words = [*PROGRAM, "-C", str(one.etc), "-s", str(one.socket), "-c"]
    (one.etc / "pjreg.conf").write_text(f"[general]\nlog_file={home}/its.log\n")
    terminal = Terminal(words, environment=environment(home))
    terminal.until("Tab completes")
    pid = terminal.process.pid
    terminal.process.ptyproc.fileobj.close()
    try:
        until(lambda: "The terminal of the console is gone" in (home / "its.log").read_text(), "it")
        seconds = one.ask("core show uptime seconds").out.split()
        assert abs(int(seconds[2]) - int(seconds[-1])) == 0
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def test_paths_are_told_whole_wherever_it_was_started(home: Path) -> None:
    (home / "pjsip.conf").write_text(QUIET.format(port=free_port()))
    with subprocess.Popen(
        [*PROGRAM, "-s", "ctl", "-f"], cwd=home, env=environment(home), stderr=subprocess.PIPE
    ) as started:
        try:
            until(lambda: listens(home / "ctl"), "it listens")
            told = run("-rx", "core show settings", home=home).out
            told += run("-rx", "pjreg status my_provider", home=home).out
        finally:
            started.terminate()
    for path in (f"{home}/pjsip.conf", f" {home}/ctl\n", f"{home}/pjsip.conf:6\n"):
        assert path in told


def test_ctrl_z_lends_the_terminal_to_the_shell_and_back(instance: Instance) -> None:
    words = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(words, environment=environment(instance.home, PS1="shell> ")) as terminal:
        terminal.until_prompt("shell>")
        terminal.enter(f"{PROGRAM[0]} -s {instance.socket} -r")
        terminal.until("*CLI>")
        terminal.type("half\x1a")
        terminal.until("Stopped")
        terminal.until_prompt("shell>")
        terminal.enter("echo $((40 + 2)); fg")
        terminal.until("\n42")
        terminal.until(lambda me: me.prompt_line.endswith("*CLI> half"))
        terminal.type("\x15core show uptime\r")
        terminal.until("System uptime: ")


def test_console_that_reconnects_stays_as_it_was_told_to_be(instance: Instance) -> None:
    words = [*PROGRAM, "-R", "-s", str(instance.socket)]
    with Terminal(words, environment=environment(instance.home)) as terminal:
        terminal.until("*CLI>")
        terminal.enter("core set verbose 5")
        terminal.until("is now 5.")
        instance.stop()
        terminal.until("Looking for it")
        instance.start()
        terminal.until(lambda me: me.text.count("Connected to") == 2)
        terminal.until(lambda me: me.prompt_line.endswith("*CLI>"))
        terminal.enter("core set verbose 5")
        terminal.until("Console verbose is still 5.")
