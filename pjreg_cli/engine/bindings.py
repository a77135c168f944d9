"""What a registrar holds of ours: what was granted, and what it may hold besides.

An unregister takes off what was registered, not what would be now; when our Contact changes, the
next REGISTER takes the old one off beside the new (RFC 3261 section 10.2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.registration.request import Template

#: Contacts remembered at most that a registrar may hold besides the one it has granted
_STRAYS = 4


class Binding(NamedTuple):
    """What a registrar has granted."""

    contact: str
    """The URI in our Contact."""
    granted_s: int
    granted_at: float
    """In seconds of the loop's clock."""

    @property
    def until_at(self) -> float:
        """When it ends, by the same clock."""
        return self.granted_at + self.granted_s


def bound(entry: Entry, template: Template, expires_s: int, now: float) -> tuple[str, ...]:
    """The Contacts of ours that the registrar may hold, for a request that has to name them: an
    unregister (`expires_s` 0), or a registration with another one; empty where there is none but
    what the template offers."""
    if not entry.strays and (entry.contact is None or entry.contact == template.offered):
        return ()
    binding = entry.binding
    held = [one for one in entry.strays if now < one.until_at]
    if binding is not None and (now < binding.until_at or not expires_s):
        held.insert(0, binding)
    return tuple(dict.fromkeys(one.contact for one in held))


def doubt(entry: Entry, template: Template, expires_s: int, now: float) -> None:
    """A registration that nobody answered may have been carried out all the same."""
    held = (entry.binding, *entry.strays)
    if not any(one is not None and one.contact == template.offered for one in held):
        stray = Binding(template.offered, expires_s, now)
        entry.strays = (*entry.strays, stray)[-_STRAYS:]
