"""What a reload does: told before by `pjreg reload plan`, and after it in the same words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from pjreg_cli.api.configuration import Planned
from pjreg_cli.config.changes import changes, names_of_changes, place
from pjreg_cli.config.load import reload
from pjreg_cli.config.manager_conf import ManagerAccount, ManagerSettings
from pjreg_cli.config.settings import Reload, Scope, Settings
from pjreg_cli.config.words import in_order

_FILES: Final = (
    ("global_", "pjsip.conf [global]"),
    ("system", "pjsip.conf [system]"),
    ("resolver", "resolver_unbound.conf"),
    ("statsd", "statsd.conf"),
    ("console", "cli_aliases.conf"),
    ("pjreg", "pjreg.conf"),
)


def plan(
    old: Settings, rejected: Collection[str] = (), forgotten: Collection[str] = ()
) -> tuple[Planned, ...]:
    """What a reload of everything would do, registrations first and sorted by name.

    `rejected` are the names of permanently rejected registrations, `forgotten` those without a
    state.  Touches nothing.
    """
    return steps(old, reload(old, Scope.ALL), rejected, forgotten)


def steps(
    old: Settings, would: Reload, rejected: Collection[str] = (), forgotten: Collection[str] = ()
) -> tuple[Planned, ...]:
    """What becomes of `old` by a reload that has been read and not yet been applied."""
    # in the order of the files, which is nearly that of the names
    names = {**old.registrations, **would.settings.registrations, **would.difference.refused}
    return _steps(names, old, would, rejected, forgotten)


def steps_taken(
    old: Settings, would: Reload, rejected: Collection[str] = (), forgotten: Collection[str] = ()
) -> tuple[Planned, ...]:
    """The same without the registrations that are kept: of fifty thousand hardly any is not."""
    difference, there = would.difference, would.settings.registrations
    names = {*difference.refused, *difference.changed, *difference.added, *difference.removed}
    names.update(name for name in (*rejected, *forgotten) if name in there)
    found = _steps(names, old, would, rejected, forgotten)
    return tuple(step for step in found if step.action != "kept")


def _steps(
    names: Collection[str],
    old: Settings,
    would: Reload,
    rejected: Collection[str],
    forgotten: Collection[str],
) -> tuple[Planned, ...]:
    """What becomes of the registrations of these names, and of everything else."""
    return (
        *(_registration(name, would, rejected, forgotten) for name in in_order(names)),
        *_transports(old, would),
        *_others(old, would.settings),
        *(
            Planned(Path(e.path).name, "given up", (e.message,), "file", place(e.path, e.line))
            for e in would.errors
        ),
    )


def _registration(
    name: str, would: Reload, rejected: Collection[str], forgotten: Collection[str]
) -> Planned:
    settings, difference = would.settings, would.difference
    if name in difference.refused:
        reasons = difference.refused[name]
        places = (reason.split(": ", 1)[0] for reason in reasons)
        return Planned(name, "refused", reasons, place=next(places, ""))
    if name in difference.changed:
        return Planned(name, "re-registered", difference.changed[name])
    if name not in settings.registrations:
        return Planned(name, "unregistered", ())
    if name in difference.added:
        return Planned(name, "added", ())
    if difference.touched and name in forgotten:
        return Planned(name, "added", ("it had no state any more",))
    auths = settings.registrations[name].outbound_auth
    because = tuple(
        f"auth section {auth} has changed" for auth in auths if auth in difference.auths_changed
    )
    if difference.auths_read and name in rejected:
        return Planned(name, "tried again", ("it was rejected for good", *because))
    return Planned(name, "kept", because)


def _transports(old: Settings, would: Reload) -> Iterator[Planned]:
    before, after = old.transports, would.settings.transports
    for name in {**before, **after}:
        if name in would.difference.transports_held:
            because = would.difference.transports_held[name]
            yield Planned(name, "needs a restart", because, "transport")
        elif name not in after:
            yield Planned(name, "closed", (), "transport")
        elif name not in before:
            yield Planned(name, "opened", (), "transport")
        elif before[name] != after[name]:
            because = tuple(changes(before[name], after[name]))
            yield Planned(name, "reopened", because, "transport")


def _others(old: Settings, new: Settings) -> Iterator[Planned]:
    if old.manager != new.manager:
        yield Planned("manager.conf", "changed", tuple(_manager(old.manager, new.manager)), "file")
    for field, name in _FILES:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield Planned(name, "changed", tuple(changes(before, after)), "file")


def _manager(old: ManagerSettings, new: ManagerSettings) -> Iterator[str]:
    yield from changes(old, new, without=("users",))
    before: dict[str, ManagerAccount] = {user.name: user for user in old.users}
    after = {user.name: user for user in new.users}
    for name in {**before, **after}:
        if name not in after:
            yield f"user {name} is gone"
        elif name not in before:
            yield f"user {name} is new"
        elif before[name] != after[name]:
            yield f"user {name}: {', '.join(names_of_changes(before[name], after[name]))}"
