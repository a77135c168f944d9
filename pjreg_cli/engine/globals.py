"""What options of the sections `global` and `system` do to every registration."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pjreg_cli.config.types import FALSE, TRUE
from pjreg_cli.errors import excerpt
from pjreg_cli.registration.form import Form

if TYPE_CHECKING:
    from pjreg_cli.api.tracing import Tracing
    from pjreg_cli.config.settings import Settings

_log = logging.getLogger("pjreg_cli.engine")


def form_of(settings: Settings) -> Form:
    """How requests are written."""
    return Form(
        max_forwards=settings.global_.max_forwards,
        rport=not settings.system.disable_rport,
        compact=settings.system.compact_headers,
        keep_udp=settings.system.disable_tcp_switch,
    )


class Debug:
    """Traces as `debug` of the global section says: `yes`, `no`, or a host; what the console says
    meanwhile stays until the file says something else."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._said = "no"

    def follow(self, debug: str) -> None:
        """Do what the file says, if it is new."""
        if debug == self._said:
            return
        self._said, word = debug, debug.lower()
        if word in TRUE | FALSE:
            self._tracing.set_logger(word in TRUE)
        elif self._tracing.logger_host(debug, add=False) is None:
            _log.warning("debug of the global section: '%s' cannot be found", excerpt(debug))
