"""What was configured besides the registrations: objects, problems, plans and help."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Option(NamedTuple):
    """One configured option as Asterisk shows it: a value, or one for each auth section."""

    name: str
    values: tuple[str, ...]


class ObjectView(NamedTuple):
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
    NOTE = "note"
    """Right as it is, but worth knowing: never counts as a mistake."""


class Problem(NamedTuple):
    """One thing wrong with the configuration; secrets never appear in `message`."""

    path: str
    """A file, or `TABLE[ID].COLUMN` of a database."""
    line: int
    """From 1; 0 where lines mean nothing."""
    level: Level
    message: str

    @property
    def where(self) -> str:
        """`file:line`, the file alone for what concerns all of it."""
        return f"{self.path}:{self.line}" if self.line else self.path


class Planned(NamedTuple):
    """What a reload would do, or did, to one thing."""

    name: str
    action: str
    """Registrations: `kept`, `re-registered`, `unregistered`, `added`, `refused`, `tried again`;
    transports: `opened`, `closed`, `reopened`, `needs a restart`, `not opened`; files: `changed`,
    `given up`."""
    because: tuple[str, ...]
    """For a change `option: old -> new` for each option, for a refusal the reasons; no secrets."""
    kind: str = "registration"
    """`registration`, `transport` or `file`."""
    place: str = ""
    """`file:line` to blame for a refusal; the file without its folder."""


class OptionHelp(NamedTuple):
    """The explanation of one option (`config show help`)."""

    name: str
    synopsis: str
    description: str
    type_name: str
    """`Unsigned Integer`, `Boolean`, `String`, ..."""
    default: str


class TypeHelp(NamedTuple):
    """The explanation of one section type; `options` in alphabetical order."""

    name: str
    synopsis: str
    description: str
    options: tuple[OptionHelp, ...]


class ModuleHelp(NamedTuple):
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

    def given_up(self) -> Sequence[str]:
        """Files that were given up when they were last read, and why: `pjsip.conf:41: ...`; what
        was in force before stays so."""
        ...

    def problems(self) -> Awaitable[Sequence[Problem]]:
        """What `check` says of the files as they are now, in file order."""
        ...

    def plan(self) -> Awaitable[Sequence[Planned]]:
        """What a reload of the files as they are now would do, registrations first.  Touches
        nothing."""
        ...
