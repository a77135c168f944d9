"""What new settings mean for registrations that run by old ones (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pjreg_cli.config.changes import registration_changes
from pjreg_cli.config.models import Auth
from pjreg_cli.config.settings import NOTHING, Difference, Scope, Settings


def difference(
    old: Settings,
    new: Settings,
    scope: Scope,
    touched: bool,
    held: Mapping[str, tuple[str, ...]] = NOTHING,
) -> Difference:
    """What has changed from `old` to `new`; `touched`: a file that registrations come from was
    written again; `held`: what of transports waits for a restart."""
    before, then = old.registrations, new.registrations
    changed = {
        name: registration_changes(before[name], registration)
        for name, registration in (then.items() if then is not before else ())
        if (former := before.get(name)) is not None
        and former is not registration
        and former != registration
    }
    return Difference(
        touched=touched,
        added=tuple(name for name in then if name not in before),
        removed=tuple(name for name in before if name not in then),
        changed=MappingProxyType(changed),
        refused=new.refused if scope.registrations else NOTHING,
        transports_held=held,
        auths_read=scope.pjsip and all(error.path != str(old.path) for error in new.errors),
        auths_changed=_changed_names(old.auths, new.auths),
    )


def _changed_names(old: Mapping[str, Auth], new: Mapping[str, Auth]) -> tuple[str, ...]:
    if old is new:
        return ()
    return tuple(
        name
        for name in {**old, **new}
        if old.get(name) is not new.get(name) and old.get(name) != new.get(name)
    )
