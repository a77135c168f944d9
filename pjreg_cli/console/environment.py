"""Asks the system what the console wants to know of it."""

from __future__ import annotations

import grp
import os
import pwd
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from prompt_toolkit.enums import EditingMode

from pjreg_cli.console.prompt import PromptValues

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def local_time() -> datetime:
    """The clock on the wall."""
    return datetime.now(tz=UTC).astimezone()


def load_averages() -> tuple[float, float, float] | None:
    """Of 1, 5 and 15 minutes; None where the system does not count."""
    try:
        return os.getloadavg()
    except OSError:
        return None


def prompt_values(hostname: str, remote: bool) -> PromptValues:
    """What the prompt can speak of, here; `hostname` is that of the instance."""
    return PromptValues(
        hostname=hostname,
        system_name=hostname,
        user=_user(os.getuid()),
        group=_group(os.getgid()),
        remote=remote,
        now=local_time,
        load=load_averages,
    )


def history_path(environment: Mapping[str, str], home: Path) -> Path:
    """Where the lines typed are kept (XDG Base Directory: a relative `$XDG_STATE_HOME` is none).

    Those who have become root by sudo have each a file of their own.
    """
    state = environment.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else home / ".local" / "state"
    who = environment.get("SUDO_USER", "")
    own = f"history-{who}" if _PLAIN_NAME.fullmatch(who) and who != "root" else "history"
    return base / "pjreg-cli" / own


def editing_mode(environment: Mapping[str, str]) -> EditingMode:
    """Keys of vi where `AST_EDITMODE` (or, as in Asterisk, `AST_EDITOR`) says so, else of emacs."""
    wanted = environment.get("AST_EDITMODE") or environment.get("AST_EDITOR") or ""
    return EditingMode.VI if wanted.strip().lower() == "vi" else EditingMode.EMACS


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
