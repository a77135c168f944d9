"""Which objects come from tables of a database, by the files that Asterisk's realtime reads.

`sorcery.conf` says that an object type is `realtime` and of which family, `extconfig.conf` in which
table of which database a family is, `res_pgsql.conf` and `res_config_sqlite3.conf` where databases
are; `[database]` of pjreg.conf overrides the latter.  Nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from pydantic import SecretStr

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config import location
from pjreg_cli.config.forgiving import merged
from pjreg_cli.config.frozen import frozen
from pjreg_cli.config.reader import Document
from pjreg_cli.config.section import Entry
from pjreg_cli.errors import ConfigError, excerpt

FILES: Final = (
    "sorcery.conf", "extconfig.conf", "res_pgsql.conf", "res_config_sqlite3.conf", "pjreg.conf",
)  # fmt: skip
"""What is looked at, in this order."""

CONFIG: Final = "config"
"""In `Mapped.sources`: the sections of pjsip.conf."""

_TYPES: Final = {
    "registration": ("res_pjsip_outbound_registration", "registration"),
    "auth": ("res_pjsip", "auth"),
}
_DRIVERS: Final = ("pgsql", "sqlite3")
#: a driver of Asterisk's through which we do not go: what is behind it is asked itself
_ODBC: Final = "odbc"


USUAL_SCHEMA: Final = "pjreg"
"""Of a fleet's tables."""


@frozen
class Database:
    """Where tables are."""

    driver: str
    """`pgsql` or `sqlite3`."""
    location: SecretStr
    """A libpq connection string or URL, or the path of an SQLite file."""
    title: str
    """What to call it in messages; no secret."""
    schema: str = USUAL_SCHEMA
    """Of a fleet that shares its rows."""
    password_at: str = field(default="", compare=False)
    """`file:line` of the password in it, if there is one."""


class Table(NamedTuple):
    """A table that objects come from."""

    database: Database
    name: str
    where: str
    """`file:line` of its line in extconfig.conf."""


class Mapped(NamedTuple):
    """Where objects come from, the first source first: tables, or `CONFIG`."""

    registration: tuple[Table | str, ...] = (CONFIG,)
    auth: tuple[Table | str, ...] = (CONFIG,)
    fleet: bool = False
    """The rows are shared with other machines."""

    @property
    def table(self) -> Table | None:
        """The table of registrations; None when there is none."""
        return table_of(self.registration)


FILES_ONLY: Final = Mapped()


class Record(NamedTuple):
    """One row: its id and the columns that are not null, as text."""

    id: str
    columns: Sequence[tuple[str, str]]


class Rows(Protocol):
    """An open database, read in one transaction."""

    def records(
        self,
        table: str,
        wanted: Collection[str],
        required: Collection[str],
        only: Collection[str] | None = None,
        shards: Collection[int] | None = None,
    ) -> Iterator[Record]:
        """The rows of a table with those of the `wanted` columns that it has; `only` those with
        these ids, or of these `shards`.

        Raises ConfigError when the table or a `required` column is missing.
        """
        ...


OpenRows = Callable[[Database], AbstractContextManager[Rows]]
"""Opens a database for reading; raises ConfigError when that fails."""


def no_database(database: Database) -> AbstractContextManager[Rows]:
    """For who has no driver at hand."""
    raise ConfigError("tables cannot be read here", database.title)


def table_of(sources: Sequence[Table | str]) -> Table | None:
    """The first table among sources."""
    return next((source for source in sources if isinstance(source, Table)), None)


def mapped(documents: Mapping[str, Document]) -> tuple[Mapped, list[Problem]]:
    """Where objects come from, by the documents of `FILES` (absent ones are empty)."""
    reading = _Reading(documents)
    sources = {kind: reading.sources(kind) for kind in _TYPES}
    name = merged(reading.document("pjreg.conf"), "cluster").last("name")
    fleet = name is not None and bool(name[1])
    return Mapped(sources["registration"], sources["auth"], fleet), reading.problems


@dataclass(slots=True, eq=False, repr=False)
class _Reading:
    documents: Mapping[str, Document]
    problems: list[Problem] = field(default_factory=list)

    def document(self, file: str) -> Document:
        return self.documents.get(file) or Document()

    def problem(self, entry: Entry, message: str, level: Level = Level.ERROR) -> None:
        self.problems.append(Problem(entry[3], entry[2], level, message))

    def sources(self, kind: str) -> tuple[Table | str, ...]:
        """The sources of one type; nothing said means pjsip.conf."""
        module, name = _TYPES[kind]
        found: list[Table | str] = []
        for entry in merged(self.document("sorcery.conf"), module).entries:
            if entry[0].partition("/")[0].strip().lower() != name:
                continue
            wizard, _, arguments = (part.strip() for part in entry[1].partition(","))
            if wizard == CONFIG:
                found.append(CONFIG)
            elif wizard == "realtime":
                table = self.family(arguments.partition(",")[0].strip(), entry)
                found += [table] if table is not None else []
            elif wizard not in ("memory", "memory_cache", "astdb"):
                self.problem(entry, f"'{excerpt(wizard)}' is no source of objects here")
        return tuple(found) or (CONFIG,)

    def family(self, family: str, asked: Entry) -> Table | None:
        """The table of a family of extconfig.conf."""
        settings = merged(self.document("extconfig.conf"), "settings")
        lines = [entry for entry in settings.entries if entry[0].lower() == family.lower()]
        if not lines:
            self.problem(asked, f"'{excerpt(family)}' is not mapped to a table in extconfig.conf")
            return None
        line = lines[0]
        words = [word.strip().strip("\"'") for word in line[1].split(",")]
        driver, database = words[0].lower(), (words[1] if len(words) > 1 else "")
        table = words[2] if len(words) > 2 and words[2] else family
        if driver == _ODBC:
            if self.url is None:
                what = "odbc is not spoken here: name the PostgreSQL behind it by url in [database]"
                self.problem(line, f"{what} of pjreg.conf")
                return None
            driver = "pgsql"
        if driver not in _DRIVERS:
            known = " and ".join(_DRIVERS)
            self.problem(line, f"the driver '{excerpt(driver)}' is not known: {known} are")
            return None
        place = self.sqlite(database, line) if driver == "sqlite3" else self.pgsql(database)
        if place is None:
            return None
        return Table(place, table, f"{line[3]}:{line[2]}")

    @property
    def url(self) -> Entry | None:
        """Which PostgreSQL pjreg.conf names; None when it names none."""
        url = merged(self.document("pjreg.conf"), "database").last("url")
        return url if url is not None and url[1] else None

    @property
    def schema(self) -> str:
        """The schema of the fleet, by pjreg.conf."""
        entry = merged(self.document("pjreg.conf"), "cluster").last("schema")
        return entry[1].lower() if entry is not None and entry[1] else USUAL_SCHEMA

    def sqlite(self, name: str, asked: Entry) -> Database | None:
        """An SQLite file by the section of res_config_sqlite3.conf."""
        entry = merged(self.document("res_config_sqlite3.conf"), name).last("dbfile")
        if entry is None or not entry[1]:
            self.problem(asked, f"[{excerpt(name)}] of res_config_sqlite3.conf names no dbfile")
            return None
        return Database(driver="sqlite3", location=SecretStr(entry[1]), title=entry[1])

    def pgsql(self, name: str) -> Database:
        """A PostgreSQL database by pjreg.conf, else res_pgsql.conf, else as libpq has it."""
        if (url := self.url) is not None:
            named = url[1]
            at = f"{url[3]}:{url[2]}" if location.has_password(named) else ""
            return self._postgres(named, location.shown(named), at)
        general = merged(self.document("res_pgsql.conf"), "general")
        values: dict[str, str] = {}
        at = ""
        for libpq, names in _PGSQL.items():
            for one in names:
                if (entry := general.last(one)) is not None and entry[1]:
                    values.setdefault(libpq, entry[1])
                    at = f"{entry[3]}:{entry[2]}" if libpq == "password" else at
        values.setdefault("dbname", name or "asterisk")
        text = " ".join(f"{key}={_quoted(value)}" for key, value in values.items())
        host = values.get("host", "the local server")
        title = f"{values['dbname']} at {host}"
        return self._postgres(text, title, at)

    def _postgres(self, text: str, title: str, password_at: str) -> Database:
        return Database(
            driver="pgsql",
            location=SecretStr(text),
            title=title,
            schema=self.schema,
            password_at=password_at,
        )


#: what libpq calls it: what res_pgsql.conf calls it
_PGSQL: Final = {
    "host": ("dbhost", "hostname", "dbsock"),
    "port": ("dbport", "port"),
    "dbname": ("dbname",),
    "user": ("dbuser", "user"),
    "password": ("dbpass", "password"),
    "application_name": ("dbappname",),
}


def _quoted(value: str) -> str:
    """A value of a libpq connection string."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
