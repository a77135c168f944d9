"""What a console says, as text to be kept in a file: commands behind `> `, bad ends marked."""

from __future__ import annotations

from collections.abc import Iterable

from pjreg_cli.commands.tree import Console, Kind, execute
from pjreg_cli.dialects import CURRENT, Dialect
from tests.support.fake_port import Fake


def console(
    fake: Fake, kind: Kind = Kind.ONE_SHOT, dialect: Dialect = CURRENT, json: bool = False
) -> Console:
    """Somebody who asks."""
    return Console(port=fake.port(), kind=kind, dialect=dialect, json=json)


async def said(asker: Console, line: str) -> str:
    """The whole output of one line."""
    return "".join((await execute(line, asker)).output)


async def transcript(asker: Console, lines: Iterable[str]) -> str:
    """Lines and their output.  `[1]` ends what exits with 1, `[1, error]` what AMI calls an error
    besides, `[quit]` what closes the console."""
    pieces = []
    for line in lines:
        reply = await execute(line, asker)
        pieces.append(f"> {line}\n{''.join(reply.output)}")
        if not reply.ok:
            pieces.append("[1, error]\n" if reply.failed else "[1]\n")
        if reply.quit:
            pieces.append("[quit]\n")
    return "".join(pieces)
