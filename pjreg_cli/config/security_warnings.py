"""What is allowed, works, and leaves a door open: worth a word at the start and by `check`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config import validity
from pjreg_cli.config.passwords import place_of
from pjreg_cli.config.settings import Settings


def careless(settings: Settings, now: datetime) -> Iterator[Problem]:
    """All of it; `now` tells which certificates are about to end."""
    for transport in settings.transports.values():
        if transport.protocol != "tls":
            continue
        if not transport.verify_server:
            what = "verify_server=no: whoever answers is taken for the registrar"
            yield _problem(transport.source, f"[{transport.name}] {what}")
        if warning := validity.ending(transport.cert_file, now):
            yield _problem(transport.source, f"[{transport.name}] {warning}")
    for path, (source, holder) in sorted(_secrets(settings).items()):
        if is_open(path):
            yield _problem(source, f"everybody on this host can read {holder}: chmod o-r {path}")


def is_open(path: str) -> bool:
    """Whether a file can be read by users that are neither its owner nor of its group."""
    try:
        if not os.stat(path).st_mode & stat.S_IROTH:
            return False
        return all(one.stat().st_mode & stat.S_IXOTH for one in Path(path).absolute().parents)
    except OSError:
        return False


def _secrets(settings: Settings) -> dict[str, tuple[str, str]]:
    """The files that hold secrets, each with the place and the name of the first."""
    holders = [
        (auth.source, f"the password of [{auth.name}]")
        for auth in settings.auths.values()
        if not (auth.password_file or auth.password_env)
        if auth.password.get_secret_value() or auth.md5_cred.get_secret_value()
    ]
    holders += [
        (user.source, f"the secret of [{user.name}]")
        for user in settings.manager.users
        if user.secret.get_secret_value()
    ]
    metrics = settings.prometheus
    if metrics.auth_password.get_secret_value():
        holders.append((metrics.source, "the password of metrics"))
    if (table := settings.mapped.table) is not None and table.database.password_at:
        holders.append((table.database.password_at, "the password of the database"))
    found: dict[str, tuple[str, str]] = {}
    for source, holder in holders:
        if path := source.rpartition(":")[0]:
            found.setdefault(path, (source, holder))
    for path, source, holder in _elsewhere(settings):
        found.setdefault(path, (source, holder))
    return found


def _elsewhere(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Secrets in files of their own: each file, the place that names it, and what it holds."""
    for auth in settings.auths.values():
        if auth.password_file:
            place = str(place_of(auth.password_file, auth.source))
            yield place, auth.source, f"the password of [{auth.name}]"
    for transport in settings.transports.values():
        if transport.protocol == "tls" and transport.priv_key_file:
            yield transport.priv_key_file, transport.source, f"the key of [{transport.name}]"
    manager = settings.manager
    if manager.tlsenable and manager.tlsprivatekey:
        yield manager.tlsprivatekey, manager.source, "the key of AMI"


def _problem(source: str, message: str) -> Problem:
    path, _, line = source.rpartition(":")
    return Problem(path, int(line) if line.isdigit() else 0, Level.WARNING, message)
