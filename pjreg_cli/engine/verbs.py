"""Registrations of a running engine, as front ends show and steer them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.views import RegistrationViews

if TYPE_CHECKING:
    from pjreg_cli.engine.engine import Engine
    from pjreg_cli.engine.jobs import Jobs


class Registrations(RegistrationViews):
    """api.registrations.Registrations; `clock` is the loop's."""

    def __init__(
        self,
        engine: Engine,
        jobs: Jobs,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        reveal: bool,
    ) -> None:
        super().__init__(
            engine, clock, engine.facts.named, lambda: engine.settings, wall_clock, reveal
        )
        self.messages = engine.facts.messages
        self.unregister = jobs.unregister
        self.register = jobs.register
        self.unregister_all = jobs.unregister_all
        self.register_all = jobs.register_all
