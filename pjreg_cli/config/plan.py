"""What a reload would do, before it does it."""

from __future__ import annotations

from pjreg_cli.api.configuration import Planned
from pjreg_cli.config.load import reload
from pjreg_cli.config.settings import Difference, Scope, Settings


def plan(old: Settings) -> tuple[Planned, ...]:
    """What a reload of everything would do to each registration, sorted by name.

    Raises ConfigError when the reload would be given up.  Touches nothing.
    """
    would = reload(old, Scope.ALL)
    for error in would.errors:
        raise error
    difference = would.difference
    names = sorted({*old.registrations, *would.settings.registrations, *difference.refused})
    return tuple(_planned(name, would.settings, difference) for name in names)


def _planned(name: str, settings: Settings, difference: Difference) -> Planned:
    if name in difference.refused:
        return Planned(name, "refused", difference.refused[name])
    if name in difference.changed:
        return Planned(name, "re-registered", difference.changed[name])
    if name not in settings.registrations:
        return Planned(name, "unregistered", ())
    if name in difference.added:
        return Planned(name, "added", ())
    auths = settings.registrations[name].outbound_auth
    changed = [auth for auth in auths if auth in difference.auths_changed]
    return Planned(name, "kept", tuple(f"auth section {auth} has changed" for auth in changed))
