"""Everything a configuration says at one moment, and what a reload has changed (values only)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pjreg_cli.api.configuration import Problem
from pjreg_cli.config.files import Fingerprint
from pjreg_cli.config.frozen import frozen
from pjreg_cli.config.models import (
    Auth,
    ConsoleSettings,
    Global,
    HookSettings,
    HttpSettings,
    ManagerSettings,
    PjregSettings,
    PrometheusSettings,
    Registration,
    Resolver,
    StatsdSettings,
    System,
    Transport,
)
from pjreg_cli.config.other_files import ClusterSettings
from pjreg_cli.config.permissions import Permissions
from pjreg_cli.config.realtime import FILES_ONLY, Mapped, OpenRows, no_database
from pjreg_cli.errors import ConfigError

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return NOTHING


class Scope(Enum):
    """What a reload looks at; the values are the modules of `module reload`."""

    REGISTRATIONS = "res_pjsip_outbound_registration"
    """Registrations only, those of wizards too."""
    PJSIP = "res_pjsip"
    """Registrations, auth sections, transports, global and system."""
    MANAGER = "manager"
    STATSD = "res_statsd"
    RESOLVER = "res_resolver_unbound"
    ALIASES = "res_clialiases"
    PJREG = "pjreg"
    HTTP = "http"
    PROMETHEUS = "res_prometheus"
    ALL = "all"

    @property
    def pjsip(self) -> bool:
        """Whether auth sections and transports are looked at."""
        return self in (Scope.PJSIP, Scope.ALL)

    @property
    def registrations(self) -> bool:
        """Whether registrations are looked at."""
        return self is Scope.REGISTRATIONS or self.pjsip

    def includes(self, other: Scope) -> bool:
        """Whether this reload looks at all that the other one would."""
        return self is Scope.ALL or self is other


class Part(NamedTuple):
    """What is remembered of one file for one purpose.

    A file is remembered separately for registrations and for the rest, as either may be
    reloaded without the other.
    """

    fingerprint: Fingerprint = Fingerprint()
    problems: tuple[Problem, ...] = ()
    refused: Mapping[str, tuple[str, ...]] = NOTHING


class Unusable(NamedTuple):
    """A transport section that was refused and is not in force."""

    name: str
    protocol: str
    """In lower case, as far as it says one."""
    why: str
    where: str
    """`FILE:LINE` to blame."""


@frozen
class Settings:
    """A whole configuration.  Mappings are in file order."""

    directory: Path
    path: Path
    """The pjsip.conf."""
    registrations: Mapping[str, Registration] = field(default_factory=_nothing)
    auths: Mapping[str, Auth] = field(default_factory=_nothing)
    transports: Mapping[str, Transport] = field(default_factory=_nothing)
    global_: Global = field(default_factory=Global)
    system: System = field(default_factory=System)
    resolver: Resolver = field(default_factory=Resolver)
    manager: ManagerSettings = field(default_factory=ManagerSettings)
    statsd: StatsdSettings = field(default_factory=StatsdSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    permissions: Permissions = field(default_factory=Permissions)
    pjreg: PjregSettings = field(default_factory=PjregSettings)
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    hooks: HookSettings = field(default_factory=HookSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    prometheus: PrometheusSettings = field(default_factory=PrometheusSettings)
    problems: tuple[Problem, ...] = ()
    """What is wrong with the files as they were read, in file order."""
    errors: tuple[ConfigError, ...] = field(default=(), compare=False)
    """Why files were given up when this was read."""
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    """Names of refused registrations and why; one that was in force before stays so."""
    unusable: tuple[Unusable, ...] = ()
    """Transport sections that were refused."""
    parts: Mapping[str, Part] = field(default_factory=_nothing)
    mapped: Mapped = FILES_ONLY
    """Which objects come from tables of a database."""
    shards: frozenset[int] | None = None
    """Of a fleet: the shards whose rows are this machine's; None: all rows are."""
    fresh: frozenset[int] | None = None
    """Those of them that a run reads, the others stay as they are; None: all."""
    stale: frozenset[str] | None = frozenset()
    """Auth sections that a run reads anew when it reads only `fresh` ones; None: all."""
    unread: bool = False
    """Those tables could not be read: what is in force of them may be old."""
    open_rows: OpenRows = field(default=no_database, compare=False)
    """How to read them."""


class Difference(NamedTuple):
    """What a reload means for registrations."""

    touched: bool = False
    """Whether a file that registrations come from has changed on disk."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = NOTHING
    """Names, and `option: old -> new` for each option that differs."""
    refused: Mapping[str, tuple[str, ...]] = NOTHING
    """Names of sections that are invalid now and why; their old form stays in force."""
    transports_held: Mapping[str, tuple[str, ...]] = NOTHING
    """Names of transports that wait for a restart to change, and what of them has changed."""
    auths_read: bool = False
    """Whether auth sections were looked at: permanently rejected ones are tried again."""
    auths_changed: tuple[str, ...] = ()
    """Names of auth sections that were added, removed or changed."""


class Reload(NamedTuple):
    """The outcome of a reload; `settings` are to be used from now on."""

    settings: Settings
    difference: Difference
    problems: tuple[Problem, ...] = ()
    """What is wrong with the files that were read again."""
    errors: tuple[ConfigError, ...] = ()
    """Why files were given up, of which everything stays as it was; the others count."""

    @property
    def ok(self) -> bool:
        """False when a file was given up."""
        return not self.errors
