"""Objects from tables: what a run over the configuration reads besides its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config import build
from pjreg_cli.config.models import Auth, Registration
from pjreg_cli.config.realtime import CONFIG, Mapped, Record, Rows, Table, table_of
from pjreg_cli.config.rows import ESSENTIAL, of_table, sections
from pjreg_cli.config.shards import shard_of
from pjreg_cli.config.types import option_names
from pjreg_cli.errors import ConfigError

if TYPE_CHECKING:
    from pjreg_cli.config.models import Global
    from pjreg_cli.config.realtime import OpenRows
    from pjreg_cli.config.rules import Inspector
    from pjreg_cli.config.settings import Difference, Settings

T = TypeVar("T", Registration, Auth)


class Extent(NamedTuple):
    """How much of the tables a run reads: see `Settings`."""

    shards: frozenset[int] | None = None
    fresh: frozenset[int] | None = None
    stale: frozenset[str] | None = frozenset()


WHOLE: Final = Extent()


@dataclass(slots=True, eq=False, repr=False)
class Both:
    """Objects of files and of tables together."""

    registrations: Mapping[str, Registration]
    auths: Mapping[str, Auth]
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    error: ConfigError | None = None
    """Why tables could not be read; what came from them before stays."""


def of_files(objects: Mapping[str, T]) -> dict[str, T]:
    """Those that files say."""
    return {name: one for name, one in objects.items() if not of_table(one.source)}


def of_tables(objects: Mapping[str, T]) -> dict[str, T]:
    """Those that tables say."""
    return {name: one for name, one in objects.items() if of_table(one.source)}


def add(
    mapped: Mapped,
    registrations: Mapping[str, Registration],
    auths: Mapping[str, Auth],
    *,
    old: tuple[Mapping[str, Registration], Mapping[str, Auth]],
    inspector: Inspector,
    global_: Global,
    open_rows: OpenRows,
    share: Extent = WHOLE,
) -> Both:
    """What files and tables say together; of one name in both the first source counts.

    `registrations` and `auths` are those of files, `old` all that were in force.
    """
    both = Both({}, {})
    rows = of_tables(old[0])
    shards, fresh, stale = share
    kept: dict[str, Registration] = {}
    if shards is not None:
        rows = {name: one for name, one in rows.items() if shard_of(name) in shards}
        if fresh is not None:
            kept = {name: one for name, one in rows.items() if shard_of(name) not in fresh}
            shards &= fresh
    rows = kept if shards == frozenset() else rows  # nothing of it is read
    try:
        table = table_of(mapped.registration)
        if table is not None and shards != frozenset():
            with open_rows(table.database) as source:
                found = sections(
                    table.name,
                    _records(source, table, "registration", Registration, shards=shards),
                    option_names(Registration),
                )
                built = build.registrations(found, inspector, rows)
            rows = kept | built.objects
            both.refused = built.refused
            both.problems += built.problems
    except ConfigError as error:
        both.error = error
    both.registrations = _merged(mapped.registration, registrations, rows, both.problems)
    known = set[str]() if shards == frozenset() else None
    if fresh is not None and stale is not None:
        known = set(old[1]) - stale
    both.auths = _auths(mapped, auths, old[1], both, global_, open_rows, known)
    if both.error is not None:
        both.problems.append(_unreadable(both.error))
    return both


def _auths(
    mapped: Mapped,
    files: Mapping[str, Auth],
    old: Mapping[str, Auth],
    both: Both,
    global_: Global,
    open_rows: OpenRows,
    known: set[str] | None,
) -> Mapping[str, Auth]:
    """The auth sections of files, and of the table those that registrations name; where only some
    are wanted, `known` ones are not read again, and nothing is when there are no others."""
    rows = of_tables(old)
    table = table_of(mapped.auth)
    if table is not None and both.error is None:
        names = {name for one in both.registrations.values() for name in one.outbound_auth}
        kept, asked = names & (known or set()), names - (known or set())
        before = {name: one for name, one in rows.items() if name in kept}
        if known is not None and not asked:
            return _merged(mapped.auth, files, before, both.problems)
        try:
            with open_rows(table.database) as source:
                records = _records(source, table, "auth", Auth, asked)
                found = sections(table.name, records, option_names(Auth))
                built = build.auths(found, global_, rows)
            rows = before | built.objects
            both.problems += built.problems
        except ConfigError as error:
            both.error = error
    return _merged(mapped.auth, files, rows if table is not None else {}, both.problems)


def _records(
    source: Rows,
    table: Table,
    kind: str,
    model: type[Registration | Auth],
    only: Iterable[str] | None = None,
    shards: frozenset[int] | None = None,
) -> Iterator[Record]:
    return source.records(
        table.name,
        option_names(model),
        ESSENTIAL[kind],
        None if only is None else frozenset(only),
        shards,
    )


def _merged(
    sources: tuple[Table | str, ...],
    files: Mapping[str, T],
    rows: Mapping[str, T],
    problems: list[Problem],
) -> Mapping[str, T]:
    table = table_of(sources)
    if table is None:
        return files
    path, _, line = table.where.rpartition(":")
    if CONFIG not in sources:
        if files:
            what = f"{len(files)} sections of files do not count: sorcery.conf names a table alone"
            problems.append(Problem(path, int(line), Level.WARNING, what))
        return rows
    first, second = (files, rows) if sources.index(CONFIG) == 0 else (rows, files)
    result = dict(first)
    for name, one in second.items():
        if name in result:
            where, _, number = one.source.rpartition(":")
            place = (where, int(number)) if number.isdigit() else (one.source, 0)
            what = f"[{name}] is also {result[name].source}, which comes first and counts"
            problems.append(Problem(*place, Level.WARNING, what))
        else:
            result[name] = one
    return result


def _unreadable(error: ConfigError) -> Problem:
    return Problem(
        error.path,
        error.line,
        Level.ERROR,
        f"{error.message}; what was read from tables before stays",
    )


#: so many may go without a question
_FEW = 100


def too_much(old: Settings, difference: Difference) -> str:
    """Why a change that nobody asked for in person is not applied; empty when it may be.

    A DELETE without WHERE, or a restore under way, must not unregister everything.
    """
    before = len(of_tables(old.registrations))
    gone = sum(of_table(old.registrations[name].source) for name in difference.removed)
    guard = old.pjreg.reload_guard
    if not guard or gone <= _FEW or gone * 100 <= before * guard:
        return ""
    return f"the tables would take away {gone} of {before} registrations"
