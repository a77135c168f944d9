"""No pattern, however it is made, holds up the instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instance import QUIET, Instance
from tests.support.ports import free_port

#: names on which backtracking matchers try everything
NAMES = ("a" * 60, "office-line-number-one-at-provider-example")
SECTION = """
[{name}]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:client@registrar.invalid
max_random_initial_delay = 1000000
"""


@pytest.fixture
def named(home: Path) -> Iterator[Instance]:
    """An instance with long names."""
    sections = "".join(SECTION.format(name=name) for name in NAMES)
    one = Instance(home, QUIET.format(port=free_port()) + sections)
    one.start()
    yield one
    one.stop()


@pytest.mark.parametrize("pattern", ["(a|aa)+b", "(([a-z]+)-*)+[0-9]$", "^([a-z]+-?)+$x"])
def test_pattern_is_answered_and_the_instance_goes_on(named: Instance, pattern: str) -> None:
    asked = named.ask(f"pjsip show registrations like {pattern}")
    assert asked.status == 0
    assert "No objects found." in asked.out
    assert named.ask("core show uptime").status == 0
    assert named.stop() == 0


def test_back_reference_says_that_it_is_not_taken(named: Instance) -> None:
    asked = named.ask(r'pjsip show registrations like "(a)\\1"')
    assert asked.status == 1
    assert asked.out.startswith("back references (\\1 to \\9) are not taken\nCommand ")
