"""Registrations of a running engine, as front ends show and steer them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.api.asker import asker
from pjreg_cli.engine.views import RegistrationViews
from pjreg_cli.levels import NOTICE
from pjreg_cli.registration.state import Start, Unregister

if TYPE_CHECKING:
    from pjreg_cli.engine.engine import Engine
    from pjreg_cli.engine.fleet import Fleet

_log = logging.getLogger("pjreg_cli.engine")


class Registrations(RegistrationViews):
    """api.registrations.Registrations; `clock` is the loop's."""

    def __init__(
        self, engine: Engine, fleet: Fleet, clock: Callable[[], float], reveal: bool
    ) -> None:
        super().__init__(engine, clock, engine.facts, lambda: engine.settings, reveal)
        self._fleet = fleet

    def unregister(self, name: str) -> bool:
        """See api.registrations.Registrations."""
        return self._unregister(name, "unregister")

    def _unregister(self, name: str, order: str) -> bool:
        fleet = self._fleet
        entry = fleet.entries.get(name)
        if entry is None:
            return False
        entry.record.told_at = self._clock()
        _log.log(NOTICE, "%s: %s asked by %s", name, order, asker())
        fleet.post(entry, Unregister(fleet.attempts.unsent(entry)))
        return True

    def register(self, name: str) -> bool:
        """See api.registrations.Registrations."""
        if not self._unregister(name, "register"):
            return False
        entry = self._fleet.entries[name]
        entry.record.told_at = None
        self._fleet.post(entry, Start(self._fleet.jitter_s(entry.settings)))
        return True

    def unregister_all(self) -> None:
        """See api.registrations.Registrations."""
        self._unregister_all("unregister")

    def _unregister_all(self, order: str) -> None:
        _log.log(NOTICE, "all registrations: %s asked by %s", order, asker())
        for entry in list(self._fleet.entries.values()):
            self._fleet.remove(entry)

    def register_all(self) -> None:
        """See api.registrations.Registrations."""
        self._unregister_all("register")
        for settings in self._settings().registrations.values():
            self._fleet.make(settings)
