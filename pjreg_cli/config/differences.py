"""What new settings mean for registrations that run by old ones (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pjreg_cli.config.models import Auth, Registration
from pjreg_cli.config.settings import NOTHING, Difference, Scope, Settings
from pjreg_cli.config.shown import registration_options


def difference(old: Settings, new: Settings, scope: Scope, touched: bool) -> Difference:
    """What has changed from `old` to `new`; `touched`: a file that registrations come from was
    written again."""
    before, then = old.registrations, new.registrations
    changed = {
        name: _changes(before[name], registration)
        for name, registration in (then.items() if then is not before else ())
        if name in before and before[name] != registration
    }
    return Difference(
        touched=touched,
        added=tuple(name for name in then if name not in before),
        removed=tuple(name for name in before if name not in then),
        changed=MappingProxyType(changed),
        refused=new.refused if scope.registrations else NOTHING,
        transports_changed=dict(new.transports) != dict(old.transports),
        auths_read=scope.pjsip,
        auths_changed=_changed_names(old.auths, new.auths),
    )


def _changes(old: Registration, new: Registration) -> tuple[str, ...]:
    """`option: old -> new` for each option that differs."""
    before = {option.name: ",".join(option.values) for option in registration_options(old)}
    after = {option.name: ",".join(option.values) for option in registration_options(new)}
    return tuple(
        f"{name}: {before.get(name, '')} -> {after.get(name, '')}"
        for name in sorted({**before, **after})
        if before.get(name) != after.get(name)
    )


def _changed_names(old: Mapping[str, Auth], new: Mapping[str, Auth]) -> tuple[str, ...]:
    if old is new:
        return ()
    return tuple(name for name in {**old, **new} if old.get(name) != new.get(name))
