"""The running program as its operator steers it: its life, its levels, its log."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Stop(Enum):
    """Ways to end an instance."""

    NOW = "now"
    GRACEFULLY = "gracefully"
    WHEN_CONVENIENT = "when convenient"


@dataclass(frozen=True, slots=True)
class InstanceView:
    """Facts of the running program (`core show settings`, `version`, `uptime`)."""

    version: str
    started_at: float
    reloaded_at: float
    now_at: float
    config_path: str
    config_dir: str
    socket_path: str
    pid: int
    debug: int
    manager_enabled: bool
    live: bool
    """False when answered from the configuration alone."""
    doing: str = ""
    """What is under way that takes long: `stopping: 12 of 40 answered, 20 s left`."""


@dataclass(frozen=True, slots=True)
class LogChannel:
    """One row of `logger show channels`."""

    name: str
    kind: str
    formatter: str
    enabled: bool
    levels: tuple[str, ...]


class Instance(Protocol):
    """The running program: its life, its levels, its log."""

    def view(self) -> InstanceView: ...

    def reload(self, modules: Sequence[str]) -> Awaitable[Mapping[str, bool]]:
        """Reload modules by name (with or without `.so`; none: all); whether each is known.
        What was wrong with the files is logged; reloads run one after the other."""
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

    def rotate_logs(self) -> None: ...
