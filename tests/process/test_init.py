"""`pjreg-cli init`: from nothing to a configuration that is right."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pjreg_cli.offline.providers import names, notes, options
from tests.support.instance import PROGRAM, environment, run
from tests.support.terminal import Terminal

ANSWERS = "sip.example.com\nalice\np;ss word\n\n\n"


def test_questions_are_asked_on_a_terminal_and_the_password_is_not_shown(home: Path) -> None:
    words = [*PROGRAM, "init", "--provider", "telnyx", str(home / "etc")]
    with Terminal(words, environment=environment(home)) as terminal:
        terminal.until("Server of the provider [sip.telnyx.com]:")
        terminal.enter("")
        terminal.until("User name (the user name of the SIP connection):")
        terminal.enter("alice")
        terminal.until("Password (not shown):")
        terminal.enter("hunter2")
        terminal.until("Transport (udp, tcp or tls) [tls]:")
        terminal.enter("carrier pigeon")
        terminal.until("It is one of udp, tcp, tls.")
        terminal.enter("")
        terminal.until("Name of the registration [telnyx]:")
        terminal.enter("")
        assert terminal.ends() == 0
        assert "No problems found." in terminal.text
        assert "hunter2" not in terminal.text
    file = home / "etc" / "pjsip.conf"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "server_uri = sip:sip.telnyx.com\\;transport=tls\n" in text
    assert "password = hunter2\n" in text
    shown = run("-C", str(home / "etc"), "pjsip", "show", "registrations", home=home)
    assert " telnyx/sip:sip.telnyx.com" in shown.out


def test_answers_may_come_from_a_pipe(home: Path) -> None:
    done = run("init", "etc", home=home, stdin=ANSWERS)
    assert done.status == 0, done.err
    assert run("check", "--strict", "etc", home=home).status == 0
    auth = run("-C", "etc", "--reveal-secrets", "pjsip", "show", "auth", "example-auth", home=home)
    assert "password" in auth.out
    assert ": p;ss word\n" in auth.out


def test_nothing_is_overwritten_and_nothing_left_half_done(home: Path) -> None:
    done = run("init", "etc", home=home, stdin="sip.example.com\nalice\n")
    assert (done.status, done.err) == (1, "pjreg-cli: nothing was written\n")
    assert not (home / "etc").exists()
    (home / "pjsip.conf").write_text("mine")
    done = run("init", str(home), home=home, stdin=ANSWERS)
    assert done.status == 2
    assert (home / "pjsip.conf").read_text() == "mine"


def test_unknown_provider_is_told_with_the_known(home: Path) -> None:
    done = run("init", "--provider", "telnix", home=home, stdin=ANSWERS)
    assert done.status == 2
    assert "did you mean 'telnyx'?" in done.err
    assert "voipms" in done.err


@pytest.mark.parametrize("provider", names())
def test_notes_on_every_provider_make_a_right_configuration(home: Path, provider: str) -> None:
    found = notes(provider)
    assert {"name", "server", "transport", "user", "note"} <= set(found)
    assert all(key.isidentifier() for key in options(found))
    done = run("init", "--provider", provider, "etc", home=home, stdin="\nalice\nsecret\n\n\n")
    assert done.status == 0, done.out
    assert "No problems found." in done.out
    assert found["note"] in done.out


@pytest.mark.parametrize(
    ("server", "name"),
    [("192.0.2.1:5070", "trunk"), ("[2001:db8::1]", "trunk"), ("pbx", "trunk"), ("a.bc.de", "bc")],
)
def test_registration_is_named_after_its_provider(home: Path, server: str, name: str) -> None:
    done = run("init", "etc", home=home, stdin=f"{server}\nalice\nsecret\n\n\n")
    assert done.status == 0, done.out
    assert f"Name of the registration [{name}]: " in done.out
