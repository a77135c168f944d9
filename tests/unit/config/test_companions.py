"""Defaults of the files beside pjsip.conf: without a file nothing is switched on."""

from __future__ import annotations

from pjreg_cli.config.companions import (
    ConsoleSettings,
    ManagerSettings,
    PjregSettings,
    Resolver,
    StatsdSettings,
)


def test_nothing_listens_or_sends_by_default() -> None:
    assert not ManagerSettings().enabled
    assert not ManagerSettings().tlsenable
    assert not StatsdSettings().enabled


def test_default_resolver_is_that_of_the_system() -> None:
    default = Resolver()
    assert (default.resolv, default.hosts, default.nameservers) == (True, "/etc/hosts", ())


def test_default_answers_calls_without_redirecting_them() -> None:
    assert PjregSettings().redirect == ""


def test_no_aliases_by_default() -> None:
    assert ConsoleSettings().aliases == {}
