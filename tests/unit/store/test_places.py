"""Where state files lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.config.models import PjregSettings
from pjreg_cli.config.settings import Settings
from pjreg_cli.store.places import state_directory, state_file, state_file_of


@pytest.mark.parametrize(
    ("configured", "environ", "root", "expected"),
    [
        ("kept", {}, True, "/etc/pjreg-cli/kept"),
        ("/srv/state", {"STATE_DIRECTORY": "/var/lib/a"}, True, "/srv/state"),
        ("", {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, False, "/var/lib/a"),
        ("", {"HOME": "/home/x"}, True, "/var/lib/pjreg-cli"),
        ("", {"HOME": "/home/x"}, False, "/home/x/.local/state/pjreg-cli"),
        ("", {"HOME": "/home/x", "XDG_STATE_HOME": "/s"}, False, "/s/pjreg-cli"),
    ],
)
def test_state_directory(
    configured: str, environ: dict[str, str], root: bool, expected: str
) -> None:
    found = state_directory(
        configured, directory=Path("/etc/pjreg-cli"), environ=environ, root=root
    )
    assert found == Path(expected)


def test_two_configurations_never_share_a_file(tmp_path: Path) -> None:
    one = state_file(tmp_path, Path("/etc/a/pjsip.conf"))
    other = state_file(tmp_path, Path("/etc/a-/pjsip.conf"))
    assert one != other
    assert one.parent == tmp_path
    assert one.name.startswith("etc-a-")


def test_a_link_to_a_configuration_is_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pjsip.conf").write_text("")
    (tmp_path / "link.conf").symlink_to("pjsip.conf")
    assert state_file(tmp_path, tmp_path / "link.conf") == state_file(
        tmp_path, tmp_path / "pjsip.conf"
    )


def at(folder: Path, pjreg: PjregSettings) -> Settings:
    """A configuration in a folder."""
    return Settings(directory=folder, path=folder / "pjsip.conf", pjreg=pjreg)


def test_a_fleet_may_keep_no_state(tmp_path: Path) -> None:
    settings = at(tmp_path, PjregSettings(state_dir="s"))
    found = state_file_of(settings, {}, root=False)
    assert found is not None
    assert found.parent == tmp_path / "s"
    without = at(tmp_path, PjregSettings(state=False))
    assert state_file_of(without, {}, root=False) is None
