"""Registrations added at run time: tried first, then written, so that a restart has them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pjreg_cli.config.added import ADDED, Change, ChangeError, Verb, changed
from pjreg_cli.config.load import tried

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Settings

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


async def take_up(change: Change, settings: Settings) -> None:
    """Write a change into the file, if what comes of it is right; raises ChangeError."""
    await asyncio.to_thread(_take_up, change, settings)


def _take_up(change: Change, settings: Settings) -> None:
    path = settings.directory / ADDED
    known = settings.registrations.get(change.name)
    elsewhere = known is not None and not known.source.startswith(f"{path}:")
    if known is not None and elsewhere:
        raise ChangeError(f"{change.name} is configured at {known.source}: change it there")
    text = changed(_text(path), change)
    would = tried(settings, path, text)
    reasons = [*would.difference.refused.get(change.name, ())]
    if not reasons and not would.ok:
        reasons = [str(error) for error in would.errors]
    if not reasons and change.verb is not Verb.REMOVE:
        made = would.settings.registrations.get(change.name)
        if made is None:
            reasons = [problem.message for problem in would.problems if problem.path == str(path)]
            reasons = reasons or [f"{change.name} does not come of it"]
    if reasons:
        raise ChangeError("; ".join(reasons))
    try:
        _write(path, text)
    except OSError as error:
        raise ChangeError(f"{path} cannot be written: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ChangeError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, text: str) -> None:
    """Put a new file in the place of the old, whole or not at all; it holds passwords."""
    path.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
