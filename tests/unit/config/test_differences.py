"""What new settings mean for what runs."""

from __future__ import annotations

from pathlib import Path

from pjreg_cli.config.differences import difference
from pjreg_cli.config.models import Registration
from pjreg_cli.config.settings import Scope, Settings
from tests.support.registrations import registration


def settings(registrations: dict[str, Registration]) -> Settings:
    """A configuration of these registrations."""
    path = Path("pjsip.conf")
    return Settings(directory=path.parent, path=path, registrations=registrations)


def test_difference() -> None:
    old = settings({n: registration(n) for n in ("kept", "changed", "gone")})
    then = {
        "kept": registration("kept", source="elsewhere:9"),
        "changed": registration("changed", expiration=60),
        "new": registration("new"),
    }
    found = difference(old, settings(then), Scope.REGISTRATIONS, touched=True)
    assert (found.added, found.removed) == (("new",), ("gone",))
    assert found.changed == {"changed": ("expiration: 3600 -> 60",)}
    assert found.touched
    assert not found.auths_read
