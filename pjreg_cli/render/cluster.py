"""A fleet as text and as JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing

from pjreg_cli.api.cluster import ClusterView, FleetRow, Found, MachineRow, ShardRow
from pjreg_cli.dialects import Dialect
from pjreg_cli.render import columns, json, objects
from pjreg_cli.render import registrations as table
from pjreg_cli.render.columns import harmless

#: of a line of registrations, before the machine
_WIDTH = 117

_HEAD = (
    " <Instance..........>  <State..>  <Host.............>  <Shards>  <Registered>  <Rejected>"
    "  <Unregistered>  <Beat....>"
)
_ROW = " {:<20}  {:<9}  {:<19}  {:>8}  {:>12}  {:>10}  {:>14}  {}\n"
_PLAIN_HEAD = (
    "Instance",
    "State",
    "Host",
    "Shards",
    "Registered",
    "Rejected",
    "Unregistered",
    "Beat",
)


def show(view: ClusterView, terminal: int = 0) -> Iterator[str]:
    """The fleet, this instance, its database, and a line for each machine.

    On a `terminal` of so many columns (0: there is none) lines keep to it.
    """
    unowned = f"{view.unowned} unowned" if view.unowned else "none unowned"
    parts = [
        ("Fleet:", f"schema {view.schema} in {view.database}, {view.shards} shards, {unowned}")
    ]
    if (this := view.this) is not None:
        lease = f"lease trusted for {this.trust_s:.1f} s" if this.trust_s > 0 else "HOLDS"
        loading = f", {this.loading} shards loading" if this.loading else ""
        parts.append(
            ("This one:", f"{this.name}, {lease}, journal {this.behind_s:.1f} s behind{loading}")
        )
        if this.trouble:
            parts.append(("", this.trouble))
    database = f"answers in {view.answers_s * 1000:.0f} ms, timeline {view.timeline}"
    parts.append(("Database:", f"{database}, lease {view.lease_s:g} s"))
    for name, text in parts:
        yield from columns.wrapped(f"{name:<12}", harmless(text), terminal)
    yield "\n"
    rows = [_machine(machine) for machine in view.machines]
    if terminal and terminal < len(_HEAD):
        rows.insert(0, _PLAIN_HEAD)
        sizes = columns.fitted(rows, terminal)
        for row in rows:
            yield columns.line(row, sizes).rstrip() + "\n"
        return
    yield _HEAD + "\n"
    for row in rows:
        yield _ROW.format(*row)


def _machine(row: MachineRow) -> tuple[str, ...]:
    alive = row.state in ("live", "draining")
    numbers = (row.registered, row.rejected, row.unregistered)
    by = f"by {row.ended_by}, " if row.ended_by else ""
    return (
        harmless(row.name),
        row.state,
        harmless(row.host),
        str(row.shards),
        *("-" if number is None or not alive else str(number) for number in numbers),
        f"{by}{row.beat_s:.1f} s ago",
    )


async def registrations(
    pages: AsyncGenerator[Sequence[FleetRow], None], dialect: Dialect
) -> AsyncGenerator[str, None]:
    """What each machine would list, with a column for the machine, in chunks of whole lines."""
    first, *rest = table.head(dialect).splitlines(keepends=True)
    title, rule = rest[0].rstrip("\n"), dialect.rule
    head = f"{first}{title:<{_WIDTH}}  <Instance..........>\n{rule}\n\n"
    count = 0
    async with aclosing(pages):
        async for page in pages:
            for rows in _chunks(page):
                text = "".join(_lines(rows, dialect))
                yield text if count else head + text
                count += len(rows)
    yield objects.end(count, dialect)


def _lines(rows: Sequence[FleetRow], dialect: Dialect) -> Iterator[str]:
    plain = table.lines([one.row for one in rows], dialect)
    for line, one in zip(plain, rows, strict=True):
        yield f"{columns.pad(line[:-1], _WIDTH)}  {harmless(one.instance) or '-'}\n"


def _chunks(page: Sequence[FleetRow]) -> Iterator[Sequence[FleetRow]]:
    for start in range(0, len(page), objects.CHUNK):
        yield page[start : start + objects.CHUNK]


async def registrations_for_machines(
    pages: AsyncGenerator[Sequence[FleetRow], None], now_at: float
) -> AsyncGenerator[str, None]:
    """The same as JSON, at `now_at` seconds since 1970."""
    before = json.FIRST
    async with aclosing(pages):
        async for page in pages:
            for rows in _chunks(page):
                yield json.elements((registration_shape(one, now_at) for one in rows), before)
                before = json.NEXT
    yield json.end(before)


def registration_shape(one: FleetRow, now_at: float) -> json.Shape:
    """One registration of the fleet for machines."""
    return {**table.row_shape(one.row, now_at), "instance": one.instance or None}


def shards(rows: Iterable[ShardRow]) -> Iterator[str]:
    """A line for each shard."""
    yield " <Shard>  <Owner.............>  <Epoch...>  <Since......>  <Wanted by.........>\n"
    for row in rows:
        yield (
            f" {row.number:>7}  {row.owner or '-':<20}  {row.epoch:>10}  {row.since_s:>11.0f} s"
            f"  {row.wanted or '-'}\n"
        )


def found(one: Found) -> Iterator[str]:
    """Which machine has a registration, and how it stands."""
    yield f"{harmless(one.name)} is in shard {one.shard}, owned by {one.owner or 'nobody'}\n"
    answer = f", {one.code} {harmless(one.reason)}".rstrip() if one.code else ""
    since = "" if one.settled_s is None else f" {one.settled_s:.0f} s ago"
    yield f"  status    {one.status}{answer}{since}\n"
    if one.refresh_in_s is not None:
        yield f"  next      in {one.refresh_in_s:.0f} s\n"
    if one.expires_in_s is not None:
        yield f"  ends      in {one.expires_in_s:.0f} s\n"


def view_shape(view: ClusterView) -> dict[str, object]:
    """For machines."""
    this = view.this
    return {
        "schema": view.schema,
        "database": view.database,
        "timeline": view.timeline,
        "lease_s": view.lease_s,
        "answers_s": view.answers_s,
        "shards": view.shards,
        "unowned": view.unowned,
        "this": None
        if this is None
        else {
            "name": this.name,
            "trust_s": this.trust_s,
            "behind_s": this.behind_s,
            "shards": this.shards,
            "loading": this.loading,
            "trouble": this.trouble,
        },
        "instances": [row._asdict() for row in view.machines],
    }
