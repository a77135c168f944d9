"""Who waits for whom, and who is known by what."""

from __future__ import annotations

import pytest

from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.succession import LONGEST_S, Succession
from pjreg_cli.engine.timers import Timers
from pjreg_cli.registration.route import place_of
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import entry, registration


class Scene:
    """A predecessor that is leaving, and what has begun."""

    def __init__(self) -> None:
        self.loop = ManualLoop()
        self.leaving: set[Entry] = set()
        self.succession = Succession(Timers(self.loop.as_loop()), self.leaving)
        self.begun: list[str] = []

    def enters(self, name: str, **options: object) -> Entry:
        made = entry(name, client_uri="sip:alice@example.com", **options)
        self.succession.enter(made)
        return made

    def holds(self, made: Entry, expires_s: int = 60) -> bool:
        attempt = made.attempt = made.attempt or Attempt()
        attempt.expires_s = expires_s
        return self.succession.holds(made, attempt, self.begin)

    def begin(self, made: Entry, attempt: Attempt) -> None:
        if not self.succession.holds(made, attempt, self.begin):
            attempt.aim(0)
            self.begun.append(made.name)


def test_a_successor_begins_when_its_predecessor_has_left() -> None:
    scene = Scene()
    old, new = scene.enters("old"), scene.enters("new")
    assert not scene.holds(new), "nobody is leaving"
    scene.leaving.add(old)
    assert scene.holds(new)
    assert not scene.holds(new, 0), "an unregister never waits"
    new.attempt = None
    assert scene.holds(new)
    scene.leaving.discard(old)
    scene.succession.left(old)
    assert scene.begun == ["new"]


def test_a_successor_of_several_waits_for_all() -> None:
    scene = Scene()
    first, second, new = scene.enters("a"), scene.enters("b"), scene.enters("new")
    scene.leaving |= {first, second}
    assert scene.holds(new)
    for one in (first, second):
        assert scene.begun == []
        scene.leaving.discard(one)
        scene.succession.left(one)
    assert scene.begun == ["new"]


def test_nobody_waits_for_ever() -> None:
    scene = Scene()
    old, new = scene.enters("old"), scene.enters("new")
    scene.leaving.add(old)
    assert scene.holds(new)
    scene.loop.run_until(LONGEST_S - 1)
    assert scene.begun == []
    scene.loop.run_until(LONGEST_S)
    assert scene.begun == ["new"]


def test_who_has_given_up_waiting_is_not_begun_again() -> None:
    scene = Scene()
    old, new = scene.enters("old"), scene.enters("new")
    scene.leaving.add(old)
    assert scene.holds(new)
    new.attempt = Attempt()
    scene.leaving.discard(old)
    scene.succession.left(old)
    assert scene.begun == []


@pytest.mark.parametrize(
    "options",
    [
        {"contact_user": "another"},
        {"server_uri": "sip:127.0.0.1:5070"},
        {"server_uri": "sip:127.0.0.2"},
    ],
)
def test_who_goes_elsewhere_does_not_wait(options: dict[str, object]) -> None:
    scene = Scene()
    old, new = scene.enters("old"), scene.enters("new", **options)
    scene.leaving.add(old)
    assert not scene.holds(new)


@pytest.mark.parametrize(
    ("server", "client"),
    [
        ("sip:registrar.example.com", "sip:alice@example.com"),
        ("<sip:REGISTRAR.example.com:5060>", "<sip:alice@EXAMPLE.com>"),
        ("sip:registrar.example.com;lr", "sip:alice@example.com:5060"),
    ],
)
def test_places_are_known_whatever_their_spelling(server: str, client: str) -> None:
    plain = registration(server_uri="sip:registrar.example.com", client_uri="sip:alice@example.com")
    assert place_of(registration(server_uri=server, client_uri=client)) == place_of(plain)


def test_what_is_no_uri_has_no_place_and_no_successor() -> None:
    scene = Scene()
    broken = scene.enters("broken", server_uri="tel:1")
    scene.leaving.add(broken)
    assert not scene.holds(scene.enters("new"))
    assert scene.succession.left(broken) == []
