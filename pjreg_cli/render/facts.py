"""What the console tells of the program itself: version, uptime, settings, modules, logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from pjreg_cli.api.instance import InstanceView, LogChannel
from pjreg_cli.counters import Count
from pjreg_cli.render import json
from pjreg_cli.render.columns import cut, grid, pad

#: the origin's units; months are not among them
_UNITS = (
    ("year", 365 * 86400),
    ("week", 7 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
)


def duration(seconds: int) -> str:
    """`1 hour, 2 minutes, 3 seconds`; units that are 0 are left out."""
    parts = []
    left = max(seconds, 0)
    for name, size in _UNITS:
        # origin: only what is more than one whole unit is counted in it, so 60 s stay seconds
        if left > size:
            count, left = divmod(left, size)
            parts.append(f"{count} {name}{'s' if count != 1 else ''}")
    if left or not parts:
        parts.append(f"{left} second{'s' if left != 1 else ''}")
    return ", ".join(parts)


def version(view: InstanceView) -> list[str]:
    """The line of `core show version`."""
    return [f"pjreg-cli {view.version}\n"]


def uptime(view: InstanceView, seconds_only: bool) -> list[str]:
    """The two lines of `core show uptime`."""
    pairs = (("System uptime", view.started_at), ("Last reload", view.reloaded_at))
    lines = []
    for name, since_at in pairs:
        passed = max(int(view.now_at - since_at), 0)
        lines.append(f"{name}: {passed if seconds_only else duration(passed)}\n")
    return lines


def clock(at: float) -> str:
    """An instant as a clock time in UTC."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def settings(view: InstanceView, verbose: int) -> Iterator[str]:
    """The blocks of `core show settings`."""
    yield "\nPBX Core settings\n-----------------\n"
    yield from _pairs(
        ("Version", view.version),
        ("Current console verbosity", str(verbose)),
        ("Debug level", str(view.debug)),
        *_running(view),
    )
    yield "\n* Subsystems\n  -------------\n"
    yield from _pairs(("Manager (AMI)", "Enabled" if view.manager_enabled else "Disabled"))
    yield "\n* Directories\n  -------------\n"
    yield from _pairs(
        ("Configuration file", view.config_path),
        ("Configuration directory", view.config_dir),
        *_socket(view),
    )
    yield "\n"


def _running(view: InstanceView) -> tuple[tuple[str, str], ...]:
    """What there is to tell of an instance that runs."""
    if not view.live:
        return (("Instance", "none, answered from the configuration alone"),)
    return (
        ("Startup time", clock(view.started_at)),
        ("Last reload time", clock(view.reloaded_at)),
        ("Process ID", str(view.pid)),
    )


def _socket(view: InstanceView) -> tuple[tuple[str, str], ...]:
    if not view.live:
        return ()
    folder = view.socket_path.rpartition("/")[0] or "/"
    return (("Run/Sockets directory", folder), ("Control socket", view.socket_path))


def _pairs(*pairs: tuple[str, str]) -> Iterator[str]:
    return (f"  {name + ':':<28} {value}\n" for name, value in pairs)


def modules(rows: Iterable[tuple[str, str, int]]) -> Iterator[str]:
    """The table of modules and their number."""
    yield f"{'Module':<30} {'Description':<40} {'Use Count':<10} {'Status':<11} Support Level\n"
    count = 0
    for name, description, uses in rows:
        count += 1
        about = pad(cut(description, 40), 40)
        yield f"{pad(name, 30)} {about} {uses:<10} {'Running':<11} {'core':>13}\n"
    yield f"{count} modules loaded\n"


def log_channels(channels: Iterable[LogChannel]) -> Iterator[str]:
    """The table of log channels."""
    yield "Logger queue limit: 1000\n\n"
    yield _channel("Channel", "Type", "Formatter", "Status", "Configuration")
    yield _channel("-------", "----", "---------", "------", "-------------")
    for channel in channels:
        status = "Enabled" if channel.enabled else "Disabled"
        levels = " - " + "".join(f"{level} " for level in channel.levels)
        yield _channel(channel.name, channel.kind, channel.formatter, status, levels)


def _channel(name: str, kind: str, formatter: str, status: str, levels: str) -> str:
    fixed = f"{pad(cut(name, 35), 35)} {kind:<8.8} {formatter:<10.10} {status:<9.9}"
    return f"{fixed} {levels}\n"


def counters(counts: Sequence[Count], terminal: int = 0) -> Iterator[str]:
    """The table of `pjreg show counters`; `terminal` is how many columns that has."""
    if not counts:
        yield "Nothing is counted where no instance runs.\n"
        return
    rows = ((one.name, str(one.value), one.meaning) for one in counts)
    yield from grid(("Counter", "Value", "Meaning"), rows, terminal)


def count_shape(one: Count) -> json.Shape:
    """A counter of the instance."""
    return {"name": one.name, "value": one.value, "meaning": one.meaning}


def version_shape(view: InstanceView) -> json.Shape:
    """`core show version`."""
    return {"version": view.version}


def uptime_shape(view: InstanceView) -> json.Shape:
    """`core show uptime`."""
    return {
        "started_at": json.instant(view.started_at),
        "reloaded_at": json.instant(view.reloaded_at),
        "uptime_s": max(int(view.now_at - view.started_at), 0),
        "since_reload_s": max(int(view.now_at - view.reloaded_at), 0),
    }


def settings_shape(view: InstanceView, verbose: int) -> json.Shape:
    """`core show settings`."""
    return {
        "version": view.version,
        "live": view.live,
        "verbose": verbose,
        "debug": view.debug,
        "started_at": json.instant(view.started_at) if view.live else None,
        "reloaded_at": json.instant(view.reloaded_at) if view.live else None,
        "manager_enabled": view.manager_enabled,
        "config_path": view.config_path,
        "config_dir": view.config_dir,
        "socket_path": view.socket_path or None,
        "pid": view.pid or None,
    }


def module_shape(row: tuple[str, str, int]) -> json.Shape:
    """One row of `module show`."""
    name, description, uses = row
    return {"name": name, "description": description, "use_count": uses, "status": "Running"}


def log_channel_shape(channel: LogChannel) -> json.Shape:
    """One row of `logger show channels`."""
    return {
        "name": channel.name,
        "type": channel.kind,
        "formatter": channel.formatter,
        "enabled": channel.enabled,
        "levels": list(channel.levels),
    }
