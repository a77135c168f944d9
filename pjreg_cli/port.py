"""What front ends may ask and be told: verbs, views and notices.

The console, the control socket, AMI and statsd know an instance only through `Port`.  A running
engine answers it; `offline.py` answers it from a configuration alone.  Everything here is a plain
value; durations are in seconds and end in `_s`, instants in seconds since 1970 and end in `_at`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

# -- registrations ----------------------------------------------------------------------------


class Row(NamedTuple):
    """One line of the table of registrations."""

    name: str
    server_uri: str
    auth: str
    """The first name of outbound_auth, existing or not; empty without one."""
    word: str | None
    """`Registered`, `Unregistered`, `Rejected`, `Stopped` (removed, its unregister under way);
    None when the registration has no state (after `send unregister *all`)."""
    due_s: int | None
    """Seconds until the moment for which the next attempt was last scheduled, negative when it
    is over; None when nothing was ever scheduled."""


class Option(NamedTuple):
    """One configured option as Asterisk shows it: a value, or one for each auth section."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the last settled attempt of a registration was about; facts, not sentences."""

    at: float
    """When it settled."""
    method: str
    """`register` or `unregister`."""
    code: int
    """The status code that counted: 408 for no answer, 503 for a failed send or look-up."""
    reason: str
    """The reason phrase of the answer, or the cause of its absence."""
    cause: str
    """`answered`, `timed-out`, `send-failed`, `unresolved`."""
    rule: str
    """The name of the policy's rule that decided."""
    target: str
    """`udp:192.0.2.1:5060`, the last target tried; empty if there was none."""
    received: str
    """Address and port the registrar saw us come from (`received`, `rport`); empty if not told."""
    granted_s: int | None
    """The granted lifetime of a 2xx."""


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """Everything shown of one registration."""

    row: Row
    client_uri: str
    options: tuple[Option, ...]
    """All options in the order of `pjsip show registration`."""
    auths: tuple[str, ...]
    """Names of outbound_auth, in the order configured, existing or not."""
    next_attempt_s: int
    """Seconds until the next REGISTER is due, 0 when none is."""
    attempts: int
    """Attempts made since the registration was made."""
    retries: int
    """Failed attempts in a row that count towards max_retries."""
    evidence: Evidence | None
    source: str
    """`file:line` of its section."""


class Registrations(Protocol):
    """Showing and steering registrations."""

    def names(self) -> Sequence[str]:
        """All names, sorted byte by byte."""
        ...

    def count(self) -> Mapping[str, int]:
        """How many registrations each word of `Row.word` has; those without state are left out."""
        ...

    def rows(self) -> Iterable[Row]:
        """All rows sorted by name; a snapshot that stays valid while it is read slowly."""
        ...

    def row(self, name: str) -> Row | None:
        """One row, None for an unknown name (letter case matters)."""
        ...

    def view(self, name: str) -> RegistrationView | None:
        """One registration in full."""
        ...

    def views(self) -> Iterable[RegistrationView]:
        """All of them sorted by name, made one by one as they are asked for."""
        ...

    def unregister(self, name: str) -> bool:
        """Queue an unregister; False when there is no such registration or it has no state."""
        ...

    def register(self, name: str) -> bool:
        """Queue an unregister and a new registration; False as for `unregister`."""
        ...

    def unregister_all(self) -> None:
        """Unregister what is registered and forget all states."""
        ...

    def register_all(self) -> None:
        """Unregister what is registered and make every registration anew."""
        ...


# -- configuration ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectView:
    """An auth section or a transport: its row and all its options as Asterisk shows them."""

    name: str
    columns: tuple[str, ...]
    """auth: (username,); transport: (type, cos, tos, bind)."""
    options: tuple[Option, ...]
    """In Asterisk's order; secrets already masked unless the instance reveals them."""
    source: str
    """`file:line` of its section."""


class Level(Enum):
    """How bad a problem of the configuration is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration; secrets never appear in `message`."""

    path: str
    line: int
    level: Level
    message: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What a reload would do to one registration."""

    name: str
    action: str
    """`kept`, `re-registered`, `unregistered`, `added`, `refused`."""
    because: tuple[str, ...]
    """For a change `option: old -> new` for each option, for a refusal the reasons; no secrets."""


@dataclass(frozen=True, slots=True)
class OptionHelp:
    """The explanation of one option (`config show help`)."""

    name: str
    synopsis: str
    description: str
    type_name: str
    """`Unsigned Integer`, `Boolean`, `String`, ..."""
    default: str


@dataclass(frozen=True, slots=True)
class TypeHelp:
    """The explanation of one section type; `options` in alphabetical order."""

    name: str
    synopsis: str
    description: str
    options: tuple[OptionHelp, ...]


@dataclass(frozen=True, slots=True)
class ModuleHelp:
    """The section types of one module, as `config show help MODULE` lists them."""

    name: str
    types: tuple[TypeHelp, ...]


class Configuration(Protocol):
    """What was configured, besides the registrations themselves."""

    def auths(self) -> Sequence[ObjectView]:
        """Accepted auth sections, sorted by name."""
        ...

    def auth(self, name: str) -> ObjectView | None: ...

    def transports(self) -> Sequence[ObjectView]:
        """Opened transports, sorted by name."""
        ...

    def transport(self, name: str) -> ObjectView | None: ...

    def globals(self) -> tuple[Option, ...]:
        """Options of `global`, as `pjsip show settings` lists them."""
        ...

    def system(self) -> tuple[Option, ...]:
        """Options of `system`, likewise."""
        ...

    def aliases(self) -> Mapping[str, str]:
        """Console aliases in use: alias to command."""
        ...

    def help(self) -> Sequence[ModuleHelp]:
        """The explanations of all modules."""
        ...

    def problems(self) -> Awaitable[Sequence[Problem]]:
        """What `check` says of the files as they are now, in file order."""
        ...

    def plan(self) -> Awaitable[Sequence[Planned]]:
        """What a reload of the files as they are now would do; raises ConfigError as a reload would
        be given up.  Touches nothing."""
        ...


# -- trace and history ------------------------------------------------------------------------


class HistoryEntry(NamedTuple):
    """One SIP message in the history."""

    number: int
    at: float
    sent: bool
    address: str
    """`ADDRESS:PORT` of the other side."""
    method: str
    """Of the request, or that a response's CSeq names."""
    call_id: str
    text: str


class Tracing(Protocol):
    """`pjsip set logger` and `pjsip set history`."""

    def set_logger(self, on: bool) -> None: ...

    def logger_host(self, host: str, add: bool) -> str | None:
        """Trace only this host or subnet (as well, with `add`); the address that was understood
        without port, None when it cannot be found."""
        ...

    def logger_method(self, method: str, add: bool) -> Sequence[str]:
        """Trace only this method (as well, with `add`); all methods, the newest first."""
        ...

    def logger_verbose(self, on: bool) -> None: ...

    def logger_pcap(self, path: str) -> str | None:
        """Write frames to a capture file from now on; the reason when it cannot be opened."""
        ...

    def set_history(self, on: bool) -> None: ...

    def clear_history(self) -> None: ...

    def history(self) -> Sequence[HistoryEntry]: ...


# -- the instance -----------------------------------------------------------------------------


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


# -- manager ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ManagerUser:
    """A section of manager.conf."""

    name: str
    has_secret: bool
    acl: tuple[tuple[bool, str], ...]
    """In order: (True for permit, `address/mask`)."""
    read: tuple[str, ...]
    """Classes in the file; `all` stands for itself."""
    write: tuple[str, ...]
    displayconnects: bool
    allowmultiplelogin: bool


class ManagerSession(NamedTuple):
    """A logged-in AMI connection; `read` and `write` are Asterisk's bit masks."""

    username: str
    address: str
    started_at: float
    fileno: int
    read: int
    write: int


class ManagerAction(NamedTuple):
    """An AMI action as the console explains it."""

    name: str
    privilege: str
    summary: str
    description: str


class Managers(Protocol):
    """What the console shows of AMI."""

    def users(self) -> Sequence[ManagerUser]:
        """In the order of the file."""
        ...

    def settings(self) -> Sequence[tuple[str, str]]:
        """Pairs of `manager show settings`."""
        ...

    def sessions(self) -> Sequence[ManagerSession]: ...

    def actions(self) -> Sequence[ManagerAction]: ...


# -- notices ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt (a refresh, a failed retry, an unregister) has come to its outcome."""

    name: str
    client_uri: str
    server_uri: str
    word: str
    old_word: str
    evidence: Evidence
    attempts: int
    next_attempt_s: int


@dataclass(frozen=True, slots=True)
class StateMade:
    """A registration got a state: it is `Unregistered` and counts from now on."""

    name: str


@dataclass(frozen=True, slots=True)
class StateDropped:
    """A registration lost its state, whose word was `word`."""

    name: str
    word: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A reload has ended; `ok` is False when a file was given up and everything stayed."""

    module: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Stopping:
    """The instance ends; `restart` when another one follows."""

    restart: bool


@dataclass(frozen=True, slots=True)
class Traced:
    """A SIP message as the logger shows it; it never holds a password."""

    sent: bool
    address: str
    transport: str
    text: str


Notice = Settled | StateMade | StateDropped | Reloaded | Stopping | Traced
Listener = Callable[[Notice], None]


class Notices(Protocol):
    """Who wants to be told."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every notice from now on; the result ends that.  Listeners are
        called on the event loop, must not block and must not raise."""
        ...


@dataclass(frozen=True, slots=True)
class Port:
    """An instance as front ends know it."""

    registrations: Registrations
    configuration: Configuration
    tracing: Tracing
    instance: Instance
    managers: Managers
    notices: Notices
