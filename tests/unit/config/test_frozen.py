"""Frozen classes that share their methods, held against those that dataclasses would write."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from pjreg_cli.config.frozen import frozen


@frozen
class Ours:
    """A class of ours."""

    name: str
    source: str = field(default="", compare=False)
    hidden: int = field(default=0, repr=False)
    many: tuple[int, ...] = field(default_factory=lambda: (1, 2))

    def first(self) -> int:
        """A method of its own."""
        return self.many[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """The same as the standard library makes it."""

    name: str
    source: str = field(default="", compare=False)
    hidden: int = field(default=0, repr=False)
    many: tuple[int, ...] = field(default_factory=lambda: (1, 2))


VALUES: tuple[dict[str, Any], ...] = (
    {"name": "a"},
    {"name": "a", "source": "x:1"},
    {"name": "a", "hidden": 1},
    {"name": "b", "many": ()},
)


@pytest.mark.parametrize("given", VALUES)
def test_an_object_is_made_and_shown_as_that_of_a_dataclass(given: dict[str, Any]) -> None:
    ours, theirs = Ours(**given), Theirs(**given)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    for one in fields(theirs):
        assert getattr(ours, one.name) == getattr(theirs, one.name)


def test_objects_are_equal_where_those_of_a_dataclass_are() -> None:
    for one in VALUES:
        for other in VALUES:
            same = Theirs(**one) == Theirs(**other)
            assert (Ours(**one) == Ours(**other)) is same
            assert (hash(Ours(**one)) == hash(Ours(**other))) is same
    theirs: object = Theirs(name="a")
    assert Ours(name="a") != theirs


def test_nothing_of_it_changes() -> None:
    one = Ours(name="a")
    with pytest.raises(FrozenInstanceError, match="name of a Ours cannot change"):
        one.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="name of a Ours cannot change"):
        del one.name
    assert not hasattr(one, "__dict__")
    assert one.first() == 1


def test_a_copy_differs_in_what_is_given_alone() -> None:
    assert replace(Ours(name="a", hidden=3), name="b") == Ours(name="b", hidden=3)


@pytest.mark.parametrize(
    ("given", "words"), [({}, "Ours needs name"), ({"name": "a", "nme": 1}, "Ours has no nme")]
)
def test_what_is_missing_or_unknown_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Ours(**given)
