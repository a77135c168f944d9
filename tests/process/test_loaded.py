"""What an instance has loaded: nothing that its configuration does not ask for."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pjreg_cli.instance import later
from tests.support.background import in_background
from tests.support.instance import PATIENCE_S, QUIET, Instance, short_folder
from tests.support.loaded import rooms
from tests.support.ports import free_port
from tests.support.registrar import Registrar
from tests.support.waiting import until

#: modules of an instance with one registration that has not been asked anything, at most: who needs
#: more says why in the commit
MOST = 470
AMI = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {port}\n"
HTTP = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {port}\n"


@contextmanager
def tracing(pjsip: str = QUIET, **files: str) -> Iterator[Instance]:
    """An instance that tells what it imports; `files` are its configuration besides pjsip.conf."""
    with short_folder() as home:
        instance = Instance(
            home, pjsip.format(port=free_port()), prefix=[sys.executable, "-X", "importtime"]
        )
        for name, text in files.items():
            (home / "etc" / f"{name}.conf").write_text(text)
        instance.launch()
        try:
            until(lambda: " is up: " in instance.log(), "the instance is up")
            yield instance
        finally:
            assert instance.stop() == 0


def loaded(instance: Instance, at_once: bool = True) -> list[str]:
    """What it has imported so far; `at_once`: without what it has loaded behind its start."""
    found = re.findall(r"^import time:.*\| +(\S+)$", instance.log(), re.MULTILINE)
    first = found.index(later.MODULES[0]) if at_once and later.MODULES[0] in found else len(found)
    return found[:first]


@pytest.fixture(scope="module")
def bare() -> list[str]:
    """What an instance loads whose configuration is a transport and a registration."""
    with tracing() as instance:
        return loaded(instance)


def test_an_instance_loads_few_modules_before_it_listens(bare: list[str]) -> None:
    assert len(bare) <= MOST


def test_nothing_is_loaded_that_is_neither_configured_nor_asked_for(bare: list[str]) -> None:
    assert rooms(bare) == set()


def test_a_little_later_an_instance_has_what_it_may_need_when_files_are_gone() -> None:
    with tracing() as instance:
        until(lambda: later.MODULES[-1] in loaded(instance, False), "the rest is loaded")
        assert set(later.MODULES) <= set(loaded(instance, False))


def test_the_manager_interface_is_loaded_with_the_commands_its_users_may_give() -> None:
    with tracing(manager=AMI.format(port=free_port())) as instance:
        found = rooms(loaded(instance))
    assert {"pjreg_cli.ami", "pjreg_cli.commands"} <= found
    assert {"dns", "pjreg_cli.why", "pjreg_cli.instance.hooks"}.isdisjoint(found)


def test_hooks_are_loaded_where_there_is_one() -> None:
    with tracing(pjreg="[hooks]\non_change = true\n") as instance:
        assert rooms(loaded(instance)) == {"pjreg_cli.instance.hooks"}


def test_metrics_are_loaded_where_both_files_ask_for_them() -> None:
    files = {"http": HTTP.format(port=free_port()), "prometheus": "[general]\nenabled = yes\n"}
    with tracing(**files) as instance:
        found = rooms(loaded(instance))
    assert found == {"prometheus_client", "pjreg_cli.metrics.prometheus"}


def first_answer(port: int, question: bytes = b"") -> bytes:
    """What somebody who listens there says first."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock:
        sock.sendall(question)
        return sock.recv(1000)


def test_a_reload_loads_what_it_finds_configured_and_puts_it_to_work() -> None:
    with in_background(Registrar.open()) as registrar, tracing() as instance:
        manager, http, told = free_port(), free_port(), instance.home / "told"
        for name, text in (
            ("manager", AMI.format(port=manager)),
            ("http", HTTP.format(port=http)),
            ("prometheus", "[general]\nenabled = yes\n"),
            ("pjreg", f"[hooks]\non_registered = touch {told}\n"),
        ):
            (instance.etc / f"{name}.conf").write_text(text)
        pjsip = (instance.etc / "pjsip.conf").read_text().replace("1000000", "0")
        instance.configure(pjsip.replace("registrar.invalid", f"127.0.0.1:{registrar.port}", 1))
        assert instance.ask("pjreg reload").status == 0
        assert first_answer(manager).startswith(b"Asterisk Call Manager/")
        metrics = first_answer(http, b"GET /metrics HTTP/1.0\r\n\r\n")
        assert metrics.startswith(b"HTTP/1.1 200 OK")
        until(told.exists, "the hook has run")
        (instance.etc / "manager.conf").write_text("[general]\nenabled = no\n")
        assert instance.ask("pjreg reload").status == 0
        with pytest.raises(OSError, match="refused"):
            first_answer(manager)


def test_the_manager_interface_is_explained_also_where_it_is_not_enabled() -> None:
    with tracing() as instance:
        assert "CoreStatus" in instance.ask("manager show commands").out
        assert re.search(r"Manager \(AMI\):\s+No", instance.ask("manager show settings").out)
        assert "pjreg_cli.ami.server" in loaded(instance, False)
