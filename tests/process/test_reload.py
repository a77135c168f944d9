"""Reloads of a running instance: each file by itself, and the truth about what came of it."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from tests.support.instance import QUIET, Instance, run
from tests.support.ports import free_port
from tests.support.waiting import until

SECOND = """
[second]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:second@registrar.invalid
max_random_initial_delay = 1000000
"""


def configured(instance: Instance) -> str:
    return (instance.etc / "pjsip.conf").read_text("utf-8")


@pytest.mark.parametrize(
    "command", ["module reload res_pjsip.so", "core reload", "pjreg reload", "pjsip reload"]
)
def test_broken_file_is_told_with_its_line_and_status_1(instance: Instance, command: str) -> None:
    (instance.etc / "cli_aliases.conf").write_text(
        "[general]\ntemplate = t\n[t]\npjsip reload = module reload res_pjsip.so res_pjsip_mwi.so\n"
    )
    assert instance.ask("module reload res_clialiases.so").status == 0
    lines = configured(instance).count("\n")
    instance.configure(configured(instance) + "[broken\n")
    done = instance.ask(command)
    assert done.status == 1
    assert f"pjsip.conf:{lines + 1}: " in done.out + done.err
    assert "Module 'res_pjsip.so' reloaded successfully." not in done.out
    assert "my_provider" in instance.ask("pjsip show registrations").out


def test_one_broken_file_withholds_no_other(instance: Instance) -> None:
    (instance.etc / "manager.conf").write_text("[general\n")
    instance.configure(configured(instance) + "expiration = 777\n" + SECOND)
    done = instance.ask("pjreg reload")
    assert done.status == 1
    assert "1 re-registered, 1 added" in done.out
    assert "manager.conf:1" in done.out
    assert "second/" in instance.ask("pjsip show registrations").out
    assert "777" in instance.ask("pjsip show registration my_provider").out
    (instance.etc / "manager.conf").write_text("[general]\n")
    assert instance.ask("core reload").status == 0


def test_reload_says_what_it_did_on_the_console_and_in_the_log(instance: Instance) -> None:
    assert instance.ask("pjreg reload").out == "unchanged\n"
    refused = SECOND.replace("server_uri = sip:", "server_uri = tel:")
    instance.configure(configured(instance) + "expiration = 777\n" + refused)
    line = configured(instance).splitlines().index("server_uri = tel:registrar.invalid") + 1
    summary = f"1 re-registered, 1 refused: pjsip.conf:{line}"
    planned = instance.ask("pjreg reload plan")
    assert planned.out.endswith("\n1 re-registered, 1 refused\n")
    answer = json.loads(instance.ask("pjreg reload", "--json").out)
    steps = {step["name"]: step["action"] for step in answer["modules"][0]["steps"]}
    assert steps == {"my_provider": "re-registered", "second": "refused"}
    instance.says(f"reload of all: {summary}")
    instance.configure(configured(instance).replace("tel:", "sip:"))
    instance.signal(signal.SIGHUP)
    until(lambda: "reload of all: 1 added" in instance.log(), "SIGHUP is told in the log")


def test_reload_of_the_logger_opens_the_log_and_reads_nothing_else(instance: Instance) -> None:
    log = instance.home / "pj.log"
    (instance.etc / "pjreg.conf").write_text(f"[general]\nlog_file = {log}\n")
    assert instance.ask("core reload").status == 0
    log.rename(instance.home / "pj.log.old")
    instance.configure(configured(instance) + SECOND)
    assert instance.ask("logger reload").status == 0
    assert log.exists()
    for module in ("res_clialiases.so", "res_statsd.so", "res_resolver_unbound.so"):
        assert instance.ask(f"module reload {module}").status == 0
    assert "second/" not in instance.ask("pjsip show registrations").out


def test_alias_that_asterisk_ships_reloads_without_error(instance: Instance) -> None:
    modules = (
        "res_pjsip.so res_pjsip_authenticator_digest.so res_pjsip_endpoint_identifier_ip.so"
        " res_pjsip_mwi.so res_pjsip_notify.so res_pjsip_outbound_publish.so"
        " res_pjsip_publish_asterisk.so res_pjsip_outbound_registration.so"
    )
    done = instance.ask(f"module reload {modules}")
    assert (done.status, done.err) == (0, "")
    assert done.out.count("reloaded successfully.") == 8
    assert instance.ask("module reload res_nosuch.so").status == 1


def test_reload_of_statsd_conf_sends_gauges(instance: Instance) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        port = server.getsockname()[1]
        text = f"[general]\nenabled = yes\nserver = 127.0.0.1:{port}\n"
        (instance.etc / "statsd.conf").write_text(text)
        assert instance.ask("module reload res_statsd.so").status == 0
        while server.recv(1000) != b"PJSIP.registrations.count:1|g":
            pass


def test_plan_without_an_instance_says_that_nothing_runs(home: Path) -> None:
    (home / "pjsip.conf").write_text(QUIET.format(port=free_port()))
    done = run("-C", str(home), "pjreg", "reload", "plan", home=home)
    assert done.status == 1
    assert "No instance is running" in done.out


def test_broken_configuration_without_an_instance_is_told(home: Path) -> None:
    (home / "pjsip.conf").write_text(QUIET.format(port=free_port()) + "[broken\n")
    done = run("-C", str(home), "pjsip", "show", "registrations", home=home)
    assert done.status == 1
    assert "pjsip.conf:11: " in done.err
    assert "No objects found." in done.out


def test_passwords_inside_uris_are_shown_nowhere(instance: Instance) -> None:
    text = configured(instance).replace("sip:client@", "sip:client:hunter2@")
    text = text.replace("server_uri = sip:", "server_uri = sip:reg:hunter2@")
    instance.configure(text + "outbound_proxy = sip:px:hunter2@192.0.2.1\\;lr\n")
    plan = instance.ask("pjreg reload plan").out
    assert "hunter2" not in plan
    assert "sip:client:********@" in plan
    instance.ask("core reload")
    for command in (
        "pjsip show registrations",
        "pjsip list registrations",
        "pjsip show registration my_provider",
        "pjreg status",
        "pjreg status my_provider",
    ):
        for options in ((), ("--json",)):
            out = instance.ask(command, *options).out
            assert "hunter2" not in out
    assert "sip:reg:********@" in instance.ask("pjsip show registrations").out
    instance.stop()
    assert "hunter2" not in instance.log()
    shown = ("pjsip", "show", "registration", "my_provider")
    where = ("-s", str(instance.home / "none"), "-C", str(instance.etc))
    assert "hunter2" not in run(*where, *shown, home=instance.home).out
    revealed = run(*where, "--reveal-secrets", *shown, home=instance.home)
    assert "sip:client:hunter2@" in revealed.out


def test_a_transport_that_does_not_open_is_not_told_as_opened(instance: Instance) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        more = f"\n[other]\ntype = transport\nprotocol = tcp\nbind = 127.0.0.1:{port}\n"
        instance.configure(configured(instance) + more)
        done = instance.ask("pjreg reload")
    assert done.status == 1
    (row,) = [line for line in done.out.splitlines() if line.startswith("transport other ")]
    assert row.split(None, 2)[2].startswith(f"not opened  tcp 127.0.0.1:{port} is already in use")
    assert "opened," not in done.out
    assert "failed: pjsip.conf:" in done.out.splitlines()[-1]


def test_name_servers_are_told_as_they_are_written(instance: Instance) -> None:
    (instance.etc / "resolver_unbound.conf").write_text("[general]\nnameserver = 127.0.0.1@5353\n")
    assert "127.0.0.1@5353" in instance.ask("pjreg reload plan").out
