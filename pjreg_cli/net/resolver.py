"""Finds the targets of a URI: asks the name servers what `sip.locate` wants to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.net.flow import Spawner
from pjreg_cli.sip.locate import Locatable, Target, Ways

if TYPE_CHECKING:
    from pjreg_cli.config.models import Resolver as Settings


class Resolver:
    """Looks up names, keeps the answers for their time to live, and beyond it when DNS fails.

    `clock` gives seconds (the loop's), `draw` numbers in [0, 1) for the weights of SRV records.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        spawn: Spawner,
        clock: Callable[[], float],
        draw: Callable[[], float],
    ) -> None:
        raise NotImplementedError

    def now(self, uri: Locatable, ways: Ways) -> tuple[Target, ...] | None:
        """The targets of a URI that is numeric or whose answers are still fresh; None when somebody
        must be asked.  Never waits; raises ResolveError when there certainly are none."""
        raise NotImplementedError

    async def locate(self, uri: Locatable, ways: Ways) -> tuple[Target, ...]:
        """The targets of a URI, best first, never empty (RFC 3263 section 4).  Raises ResolveError;
        with a silent name server after some 17 s."""
        raise NotImplementedError

    async def addresses(self, name: str, version: int) -> tuple[str, ...]:
        """The addresses of a host, by its IP version 4 or 6; empty without any."""
        raise NotImplementedError

    def known(self, name: str) -> tuple[str, ...]:
        """What is known of a host's addresses without asking anybody, however old."""
        raise NotImplementedError

    def reconfigure(self, settings: Settings) -> None:
        """Use other name servers from now on; forgets what was known when they differ."""
        raise NotImplementedError
