"""What a reload does, told in full before it and without what is kept after it."""

from __future__ import annotations

from pathlib import Path

from pjreg_cli.config.load import Scope, load, reload
from pjreg_cli.config.plan import plan, steps, steps_taken
from pjreg_cli.config.settings import Settings

_ONE = "[{name}]\ntype=registration\nserver_uri=sip:a.example\nclient_uri=sip:{user}@a.example\n"


def _written(folder: Path, *names: str, user: str = "u") -> None:
    (folder / "pjsip.conf").write_text("".join(_ONE.format(name=n, user=user) for n in names))


def _read(folder: Path, *names: str) -> Settings:
    _written(folder, *names)
    return load(folder)


def test_a_reload_of_an_unchanged_configuration_does_nothing_to_any(tmp_path: Path) -> None:
    old = _read(tmp_path, *(f"r{number}" for number in range(100)))
    assert steps_taken(old, reload(old, Scope.ALL)) == ()
    assert [step.action for step in plan(old)] == ["kept"] * 100


def test_what_is_told_of_a_reload_is_the_plan_without_what_is_kept(tmp_path: Path) -> None:
    old = _read(tmp_path, "b", "gone", "kept", "forgotten", "rejected", "refused")
    _written(tmp_path, "new", "kept", "forgotten", "rejected")
    with (tmp_path / "pjsip.conf").open("a") as file:
        file.write(_ONE.format(name="b", user="other"))
        file.write("[refused]\ntype=registration\nserver_uri=sip:a.example\nexpiration=soon\n")
    would = reload(old, Scope.ALL)
    standing = (frozenset({"rejected", "elsewhere"}), frozenset({"forgotten", "gone"}))
    told = steps(old, would, *standing)
    assert {step.name: step.action for step in told if step.kind == "registration"} == {
        "b": "re-registered",
        "forgotten": "added",
        "gone": "unregistered",
        "kept": "kept",
        "new": "added",
        "refused": "refused",
        "rejected": "tried again",
    }
    assert steps_taken(old, would, *standing) == tuple(s for s in told if s.action != "kept")
    untouched = would._replace(difference=would.difference._replace(touched=False))
    told = steps(old, untouched, *standing)
    taken = steps_taken(old, untouched, *standing)
    assert taken == tuple(step for step in told if step.action != "kept")
