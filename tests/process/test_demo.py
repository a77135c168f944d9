"""`pjreg-cli demo`: the product in one command."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, environment, run
from tests.support.terminal import Terminal
from tests.support.waiting import until


@pytest.fixture
def temporary(home: Path) -> Path:
    """Where the demo may write; everything it left would lie here."""
    folder = home / "tmp"
    folder.mkdir()
    return folder


def rows(text: str) -> dict[str, str]:
    """Status and expiry by name."""
    found = re.findall(
        r"^ ([\w-]+)/sip:\S+ +\S+ +(\w+) +\(exp\. (\d+s(?: ago)?)\)$", text, re.MULTILINE
    )
    return {name: f"{word} {expiry}" for name, word, expiry in found}


def test_command_shows_every_fate_and_leaves_nothing(home: Path, temporary: Path) -> None:
    done = run("demo", "pjsip", "show", "registrations", home=home, env={"TMPDIR": str(temporary)})
    assert (done.status, done.err) == (0, "")
    shown = rows(done.out)
    assert shown["office"].startswith("Registered")
    assert shown["warehouse"].startswith("Registered")
    assert re.fullmatch(r"Rejected [1-9]\d*s", shown["backup-line"])
    assert re.fullmatch(r"Rejected \d+s ago|Rejected 0s", shown["old-account"])
    assert list(temporary.iterdir()) == []


def test_command_that_fails_makes_the_demo_fail(home: Path) -> None:
    assert run("demo", "pjsip", "show", "registration", "nobody", home=home).status == 1


def test_dialect_and_json_hold_for_the_demo_too(home: Path) -> None:
    assert "exp." not in run("demo", "--dialect", "12", "pjsip show registrations", home=home).out
    assert run("demo", "--json", "pjsip show registrations", home=home).out.startswith("[")


def test_tour_shows_an_unregister_taking_effect(home: Path) -> None:
    done = run("demo", home=home)
    assert (done.status, done.err) == (0, "")
    before, after = done.out.split("*CLI> pjsip send unregister office\n")
    assert rows(before)["office"].startswith("Registered")
    assert rows(after)["office"].startswith("Unregistered")


def test_demo_can_run_twice_at_once(home: Path) -> None:
    command = [*PROGRAM, "demo", "pjsip show registrations"]
    both = [
        subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE) for _ in range(2)
    ]
    for one in both:
        out, _ = one.communicate(timeout=50)
        assert one.returncode == 0
        assert b"Registered" in out


def test_interrupted_demo_ends_quietly_and_leaves_nothing(home: Path, temporary: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "demo"],
        env=environment(home, TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        demo.send_signal(signal.SIGTERM)
        _, err = demo.communicate(timeout=50)
    assert err == b""
    assert list(temporary.iterdir()) == []


def test_demo_that_is_told_to_end_again_and_again_leaves_nothing(
    home: Path, temporary: Path
) -> None:
    """From the moment at which there is something to leave."""
    with subprocess.Popen(
        [*PROGRAM, "demo"],
        env=environment(home, TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as demo:
        until(lambda: any(temporary.iterdir()), "it has a folder", pause_s=0.001)

        def ended() -> bool:
            demo.send_signal(signal.SIGTERM)
            return demo.poll() is not None

        until(ended, "it ends", pause_s=0.001)
        _, err = demo.communicate(timeout=50)
    assert err == b""
    assert list(temporary.iterdir()) == []


def test_terminal_gets_a_hint_and_a_console() -> None:
    with tempfile.TemporaryDirectory() as folder:
        variables = {"TMPDIR": folder, "XDG_STATE_HOME": folder, "PYTHONWARNINGS": "error"}
        with Terminal([*PROGRAM, "demo"], environment=variables) as terminal:
            terminal.until_prompt("*CLI>")
            terminal.enter("pjsip show registrations")
            terminal.until("Objects found: 4")
            assert "Try: pjsip show registrations" in terminal.text
            terminal.enter("core stop now")
            assert terminal.ends() == 0
