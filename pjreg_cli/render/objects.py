"""What every table of objects has in common; the tables of auth sections and transports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pjreg_cli.api.configuration import ObjectView, Option
from pjreg_cli.dialects import Dialect
from pjreg_cli.render import columns, json

#: rows rendered at once
CHUNK = 256
#: heads of the options of one object, and the narrowest their columns get
_NAME, _VALUE = "ParameterName", "ParameterValue"

NOTHING = "No objects found.\n\n"

_AUTH_HEAD = "\n  I/OAuth:  <AuthId/UserName" + "." * 61 + ">\n"
_TRANSPORT_HEAD = (
    "\nTransport:  <TransportId........>  <Type>  <cos>  <tos>  <BindAddress....................>\n"
)


def framed(head: str, lines: Iterable[list[str]], dialect: Dialect) -> Iterator[str]:
    """A head, the lines batch by batch, and what follows them; just a word when there are none."""
    count = 0
    for batch in lines:
        text = "".join(batch)
        yield text if count else head + text
        count += len(batch)
    yield end(count, dialect)


def end(count: int, dialect: Dialect) -> str:
    """What follows so many lines; just a word when there are none."""
    if not count:
        return NOTHING
    return f"\nObjects found: {count}\n\n" if dialect.counted else "\n"


def options(shown: Iterable[Option]) -> str:
    """The options of one object under their head, a line for each value.

    Names are padded to the longest.  The line under the head is as long as the longest name, the
    longest value and the three characters between them.
    """
    pairs = [(option.name, value) for option in shown for value in option.values or ("",)]
    names = max([len(_NAME), *(columns.width(name) for name, _ in pairs)])
    values = max([len(_VALUE), *(columns.width(value) for _, value in pairs)])
    lines = [
        f" {_NAME:<{names}} : {_VALUE}\n",
        f" {'=' * (names + 3 + values)}\n",
        *(f" {columns.pad(name, names)} : {value}\n" for name, value in pairs),
    ]
    return "".join(lines)


def auths(views: Iterable[ObjectView], dialect: Dialect) -> Iterator[str]:
    """The table of auth sections."""
    return framed(_auth_head(dialect), _batches(map(_auth_row, views)), dialect)


def auth(view: ObjectView, dialect: Dialect) -> Iterator[str]:
    """One auth section: head, row, options."""
    yield f"{_auth_head(dialect)}{_auth_row(view)}\n{options(view.options)}\n"


def transports(views: Iterable[ObjectView], dialect: Dialect) -> Iterator[str]:
    """The table of transports."""
    return framed(_transport_head(dialect), _batches(map(_transport_row, views)), dialect)


def transport(view: ObjectView, dialect: Dialect) -> Iterator[str]:
    """One transport: head, row, options."""
    yield f"{_transport_head(dialect)}{_transport_row(view)}\n{options(view.options)}\n"


def settings(of_global: Iterable[Option], of_system: Iterable[Option]) -> Iterator[str]:
    """The options of `global` and `system`, a block for each."""
    yield f"\nGlobal Settings:\n\n{options(of_global)}"
    yield f"\nSystem Settings:\n\n{options(of_system)}"


def _auth_head(dialect: Dialect) -> str:
    return f"{_AUTH_HEAD}{dialect.rule}\n\n"


def _auth_row(view: ObjectView) -> str:
    return f"     Auth:  {view.name}/{view.columns[0]}\n"


def _transport_head(dialect: Dialect) -> str:
    return f"{_TRANSPORT_HEAD}{dialect.rule}\n\n"


def _transport_row(view: ObjectView) -> str:
    kind, cos, tos, bind = view.columns
    name = columns.pad(view.name, 21)
    return f"Transport:  {name}  {kind:>6}  {cos:>5}  {tos:>5}  {bind}\n"


def _batches(rows: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for row in rows:
        batch.append(row)
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def auth_shape(view: ObjectView) -> json.Shape:
    """One row of the table of auth sections."""
    return {"name": view.name, "username": view.columns[0], "source": view.source}


def transport_shape(view: ObjectView) -> json.Shape:
    """One row of the table of transports."""
    kind, cos, tos, bind = view.columns
    return {
        "name": view.name,
        "type": kind,
        "cos": int(cos),
        "tos": int(tos),
        "bind": bind,
        "source": view.source,
    }


def full_shape(view: ObjectView, row: Callable[[ObjectView], json.Shape]) -> json.Shape:
    """One auth section or transport in full: its row of the table, and its options."""
    return {**row(view), "options": json.options(view.options)}
