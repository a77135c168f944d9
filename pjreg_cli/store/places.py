"""Where an instance keeps its state: one file for each configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Settings

_SYSTEM = Path("/var/lib/pjreg-cli")
_OWN = "pjreg-cli"
_UNFIT = re.compile(r"[^A-Za-z0-9]+")


def state_directory(
    configured: str, *, directory: Path, environ: Mapping[str, str], root: bool
) -> Path:
    """The folder for state files.

    `configured` is `state_dir` of pjreg.conf, relative to the configuration's `directory`; without
    it systemd's STATE_DIRECTORY (the first of several), else the system's for root and the user's
    for others.
    """
    if configured:
        return directory / Path(configured).expanduser()
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given)
    if root:
        return _SYSTEM
    home = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/")) / ".local/state")
    return Path(home) / _OWN


def state_file(directory: Path, configuration: Path) -> Path:
    """The state file of the configuration whose pjsip.conf is `configuration`: named after its
    path, so that two instances never meet."""
    path = str(configuration.resolve())
    shown = _UNFIT.sub("-", str(configuration.resolve().parent)).strip("-")[-40:]
    return directory / f"{shown or 'root'}-{sha256(path.encode()).hexdigest()[:12]}.sqlite3"


def state_file_of(settings: Settings, environ: Mapping[str, str], *, root: bool) -> Path | None:
    """The state file of an instance with these settings; None when it is to keep no state."""
    if not settings.pjreg.state:
        return None
    directory = state_directory(
        settings.pjreg.state_dir, directory=settings.directory, environ=environ, root=root
    )
    return state_file(directory, settings.path)
