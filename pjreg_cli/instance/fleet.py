"""An instance as one machine of a fleet; nothing of it is loaded where none is configured."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pjreg_cli import __version__
from pjreg_cli.api.cluster import ThisMachine
from pjreg_cli.errors import ConfigError

if TYPE_CHECKING:
    from pjreg_cli.cluster.store import Identity
    from pjreg_cli.config.settings import Settings
    from pjreg_cli.counters import Counters
    from pjreg_cli.engine.engine import Engine
    from pjreg_cli.engine.ownership import Ownership
    from pjreg_cli.engine.randomness import Ids
    from pjreg_cli.engine.tenancy import Tenancy

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Membership:
    """What makes an engine part of a fleet."""

    def __init__(self, settings: Settings, socket_path: Path) -> None:
        """Raises ConfigError when the configuration does not say which database is shared."""
        from pjreg_cli.engine.tenancy import Tenancy
        from pjreg_cli.store.postgres import FleetTables
        from pjreg_cli.store.sql import names_of

        cluster, table = settings.cluster, settings.mapped.table
        if table is None or table.database.driver != "pgsql":
            raise ConfigError(
                f"this is {cluster.name} of a fleet, but sorcery.conf and extconfig.conf map no"
                " registrations to PostgreSQL",
                str(settings.directory / "pjreg.conf"),
            )
        if not (cluster.schema.isascii() and cluster.schema.isidentifier()):
            raise ConfigError(
                f"schema: '{cluster.schema[:80]}' is no plain name",
                str(settings.directory / "pjreg.conf"),
            )
        self.name = cluster.name
        self.store = FleetTables(
            table.database.location.get_secret_value(),
            identity(settings, socket_path),
            names_of(settings),
            cluster.lease_commit,
        )
        from pjreg_cli.engine.tasks import spawn

        late = {"late": True, "hold": False}.get(
            cluster.without_database, cluster.takeover == "refresh"
        )
        self.tenancy: Tenancy = Tenancy(
            self.store,
            takeover=cluster.takeover,
            rate=cluster.takeover_rate,
            margin_s=cluster.refresh_margin,
            late=late,
            spawn=spawn,
        )
        self.ownership: Ownership | None = None

    async def start(self, engine: Engine, ids: Ids) -> None:
        """Join the fleet; raises StoreError when another machine of our name is alive, or when this
        is no fleet that we can be part of."""
        from pjreg_cli.engine.ownership import Ownership
        from pjreg_cli.engine.tasks import spawn

        self.ownership = Ownership(
            self.store,
            self.tenancy,
            name=self.name,
            clock=boot_clock,
            draw=ids.fraction,
            spawn=spawn,
            publish=engine.publish,
        )
        assert engine.shards is not None  # it was made with our share
        self.tenancy.attach(engine.shards, self.ownership)
        await self.ownership.start()

    def count(self, counters: Counters) -> None:
        """Show where this machine stands among what is counted."""

        def read(what: Callable[[ThisMachine], float]) -> Callable[[], int]:
            return lambda: 0 if (this := self.view()) is None else round(what(this))

        watch = counters.watch
        watch("cluster_shards", "shards of the fleet that are ours", read(lambda t: t.shards))
        watch("cluster_loading", "of these not taken up yet", read(lambda t: t.loading))
        watch("cluster_trust_ms", "our lease is trusted so long", read(lambda t: t.trust_s * 1e3))
        watch("cluster_behind_ms", "the oldest unwritten state", read(lambda t: t.behind_s * 1e3))

    def view(self) -> ThisMachine | None:
        """This machine as front ends know it; None before it has begun."""
        ownership = self.ownership
        if ownership is None:
            return None
        return ThisMachine(
            name=self.name,
            trust_s=ownership.trust_s,
            behind_s=self.tenancy.behind_s,
            shards=len(ownership.lease.held),
            loading=len(ownership.loading),
            trouble=ownership.trouble or ownership.untaken,
            unowned=ownership.unowned,
            homeless=ownership.homeless,
        )

    async def stop(self) -> None:
        """Leave the fleet: others go on with what we had."""
        if self.ownership is not None:
            await self.ownership.stop()
        await self.tenancy.close()


def identity(settings: Settings, socket_path: Path) -> Identity:
    """Who we are to the fleet."""
    from pjreg_cli.cluster.store import Identity

    return Identity(
        name=settings.cluster.name,
        proof=proof_of(socket_path),
        capacity=settings.cluster.capacity,
        host=socket.gethostname(),
        version=__version__,
    )


def proof_of(socket_path: Path) -> str:
    """What only this machine since its start, with this control socket, can know: who holds the
    lock beside the socket is the only one that lives."""
    folder = socket_path.resolve().parent
    try:
        boot = _BOOT_ID.read_text("ascii").strip()
        status = os.stat(folder)
    except OSError:
        return sha256(os.urandom(16)).hexdigest()  # proves nothing
    text = f"{boot} {status.st_dev} {status.st_ino} {socket_path.resolve()}"
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def boot_clock() -> float:
    """Seconds that count through a suspend, which the loop's clock does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
