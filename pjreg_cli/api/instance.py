"""The running program as its operator steers it: its life, its levels, its log."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from pjreg_cli.api.configuration import Planned
from pjreg_cli.counters import Count


class Stop(Enum):
    """Ways to end an instance."""

    NOW = "now"
    GRACEFULLY = "gracefully"
    WHEN_CONVENIENT = "when convenient"


class InstanceView(NamedTuple):
    """Facts of the running program (`core show settings`, `version`, `uptime`)."""

    version: str
    started_at: float
    reloaded_at: float
    now_at: float
    config_path: str
    config_dir: str
    socket_path: str
    pid: int
    debug: int = 0
    manager_enabled: bool = False
    live: bool = True
    """False when answered from the configuration alone."""
    doing: str = ""
    """What is under way that takes long: `stopping: 12 of 40 answered, 20 s left`."""
    withheld: str = ""
    """Why a change of the tables is not applied until somebody reloads; empty: there is none."""


class LogChannel(NamedTuple):
    """One row of `logger show channels`."""

    name: str
    kind: str
    formatter: str
    enabled: bool
    levels: tuple[str, ...]


class ReloadReport(NamedTuple):
    """What came of reloading one module, or everything."""

    module: str
    """As it was asked for; `All` for everything."""
    known: bool = True
    failures: tuple[str, ...] = ()
    """`file:line: why` of what did not take effect; it is as it was before."""
    steps: tuple[Planned, ...] = ()
    """What was done, registrations first."""

    @property
    def ok(self) -> bool:
        """Whether there is such a module, and all of it took effect."""
        return self.known and not self.failures


class Instance(Protocol):
    """The running program: its life, its levels, its log."""

    def view(self) -> InstanceView: ...

    def reload(self, modules: Sequence[str]) -> Awaitable[Sequence[ReloadReport]]:
        """Reload modules by name (with or without `.so`; none: all); what came of each, in this
        order.  What was wrong with the files is logged; reloads run one after the other."""
        ...

    def change(self, verb: str, name: str, options: Mapping[str, str], who: str) -> Awaitable[None]:
        """`add`, `set` or `remove` one registration in the file of those added at run time, and
        reload; raises PjregError with the reasons, and then nothing was touched."""
        ...

    def modules(self) -> Sequence[tuple[str, str, int]]:
        """Name ending in `.so`, description, use count."""
        ...

    def stop(self, how: Stop, restart: bool = False) -> None:
        """Begin to end; returns at once."""
        ...

    def abort_stop(self) -> None:
        """Take back a stop that is still waiting."""
        ...

    def set_debug(self, level: int) -> None: ...

    def module_debug(self, module: str) -> int:
        """The debug level of one module alone, 0 when it has none of its own."""
        ...

    def set_module_debug(self, module: str, level: int) -> None: ...

    def log_channels(self) -> Sequence[LogChannel]: ...

    def set_log_level(self, level: str, on: bool) -> bool:
        """Switch a level of the console's log; False for an unknown one."""
        ...

    def counters(self) -> Sequence[Count]:
        """What has been counted since the start, in a fixed order."""
        ...

    def rotate_logs(self) -> Awaitable[str]:
        """Begin a new log file and keep the old one; why that failed, empty when it did not."""
        ...
