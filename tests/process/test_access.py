"""The doors of an instance on its own host."""

from __future__ import annotations

import os
import pwd
import re
import stat
from pathlib import Path

from tests.support.instance import Instance, run
from tests.support.ports import free_port


def configuration() -> str:
    return f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"


def denied(line: str) -> tuple[int, str]:
    return 1, f"You don't have permissions to run '{line}' command\n"


def test_cli_permissions_hold_for_whoever_asks_and_a_reload_changes_them(home: Path) -> None:
    instance = Instance(home, configuration())
    rules = instance.etc / "cli_permissions.conf"
    (instance.etc / "cli_aliases.conf").write_text(
        "[general]\ntemplate=t\n[t]\nhalt=core stop now\n"
    )
    me = pwd.getpwuid(os.geteuid()).pw_name
    rules.write_text(
        f"[general]\ndefault_perm=deny\n[{me}]\npermit=core show\npermit=core reload\n"
    )
    instance.start()
    try:
        assert instance.ask("core show version").status == 0
        assert instance.ask("core stop now")[:2] == denied("core stop now")
        assert instance.ask("CORE stop now")[:2] == denied("CORE stop now")
        assert instance.ask("halt")[:2] == denied("core stop now")
        rules.write_text("[general]\ndefault_perm=permit\n")
        assert instance.ask("core reload").status == 0
        assert instance.ask("halt").status == 0
        instance.wait()
    finally:
        instance.stop()


def test_who_monitors_may_look_and_nothing_else(home: Path) -> None:
    instance = Instance(home, configuration())
    monitor = home / "monitor.ctl"
    (instance.etc / "pjreg.conf").write_text(f"[general]\nmonitor_socket={monitor}\n")
    instance.start()
    try:
        assert stat.S_IMODE(monitor.stat().st_mode) == 0o660
        assert stat.S_IMODE(instance.socket.stat().st_mode) == 0o600

        def ask(line: str) -> tuple[int, str]:
            done = run("-s", str(monitor), "-rx", line, home=home)
            return done.status, done.out

        assert ask("pjsip show transports") == instance.ask("pjsip show transports")[:2]
        assert ask("core show version")[0] == 0
        for line in (
            "pjsip send unregister x",
            "core stop now",
            "core reload",
            "pjsip show auth a",
        ):
            assert ask(line) == denied(line)
        assert instance.answers()
    finally:
        instance.stop()
    assert not monitor.exists()


#: commands that who monitors may give; whatever is new is thought about, and added or not
SHOWING = {
    "cli show aliases", "config show help", "core show help", "core show settings",
    "core show uptime", "core show version", "core waitfullybooted", "logger show channels",
    "manager show commands", "manager show command", "manager show connected",
    "manager show settings", "manager show users", "manager show user", "module show",
    "pjreg explain", "pjreg health", "pjreg history", "pjreg ladder", "pjreg show counters",
    "pjreg status", "pjsip list auths", "pjsip list registrations", "pjsip list transports",
    "pjsip show auths", "pjsip show history", "pjsip show registrations",
    "pjsip show registration", "pjsip show settings", "pjsip show transports",
    "pjsip show transport", "pjsip show version",
}  # fmt: skip


def test_whoever_monitors_changes_nothing_by_any_command(home: Path) -> None:
    instance = Instance(home, configuration())
    monitor = home / "monitor.ctl"
    (instance.etc / "pjreg.conf").write_text(f"[general]\nmonitor_socket={monitor}\n")
    instance.start()
    try:
        before = instance.ask("pjsip show settings").out
        helped = instance.ask("core show help").out.splitlines()
        known = [line.partition(" -- ")[0].partition("[")[0].strip() for line in helped]
        allowed = set()
        for command in filter(None, known):
            # of `{on|off}` the first
            line = re.sub(r"\{(\w+)[^}]*\}", r"\1", command)
            done = run("-s", str(monitor), "-rx", line, home=home)
            if (done.status, done.out) != denied(line):
                allowed.add(command)
        assert allowed == SHOWING
        assert instance.ask("pjsip show settings").out == before
        assert instance.answers()
        health = run("-s", str(monitor), "health", home=home)
        assert "permissions" not in health.out + health.err
    finally:
        instance.stop()


def test_a_monitor_socket_that_cannot_be_made_stops_nothing(home: Path) -> None:
    instance = Instance(home, configuration())
    (instance.etc / "pjreg.conf").write_text(
        f"[general]\nmonitor_socket={home}/monitor.ctl\nmonitor_group=no-such-group\n"
    )
    instance.start()
    try:
        assert instance.ask("core show version").status == 0
        instance.says("there is no group no-such-group")
    finally:
        instance.stop()
