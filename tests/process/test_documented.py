"""`--dialect 12` prints what the documentation of Asterisk 12 shows, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.instance import ROOT, Instance, run
from tests.support.ports import free_port

_DOCUMENTED = ROOT / "fixtures" / "documented"
_CASES = [
    ("pjsip show registrations", "show-registrations.txt"),
    ("pjsip list registrations", "show-registrations.txt"),
    ("pjsip show registration my_provider", "show-registration-my_provider.txt"),
]


@pytest.mark.parametrize(("line", "expected"), _CASES)
def test_answer_from_the_configuration_is_the_documented_one(
    home: Path, line: str, expected: str
) -> None:
    done = run("-C", str(_DOCUMENTED), "--dialect", "12", *line.split(), home=home)
    assert done.status == 0
    assert done.out == (_DOCUMENTED / expected).read_text()


def test_answer_of_an_instance_is_the_documented_one(home: Path) -> None:
    transport = f"\n[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"
    patient = (
        (_DOCUMENTED / "pjsip.conf")
        .read_text()
        .replace(
            "type = registration\n", "type = registration\nmax_random_initial_delay = 1000000\n"
        )
    )
    instance = Instance(home, patient + transport)
    instance.start()
    try:
        for line, expected in _CASES:
            done = instance.ask(line, "--dialect", "12")
            assert done.out == (_DOCUMENTED / expected).read_text()
    finally:
        instance.stop()
