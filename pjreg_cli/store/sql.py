"""The statements that make the tables of a fleet, for operators, and what tables are called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pjreg_cli.config.realtime import table_of

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Settings

FORMAT: Final = 1
"""Of the tables; instances of another one do not join."""

OLDEST: Final = 140000
"""The least PostgreSQL, as `server_version_num` has it."""

FOLDER: Final = Path(__file__).parent

_NAMES: Final = re.compile(
    r"\bps_registrations_shard\b|\bps_registrations\b|\bps_auths\b|\bpjreg\.|'pjreg_config'"
    r"|(?<=SCHEMA )pjreg\b|(?<=search_path = )pjreg\b|(?<=TRIGGER )pjreg_"
)
_OF_AUTHS: Final = re.compile(r"CREATE TRIGGER \w+ AFTER \w+ ON ps_auths\n[^;]*;\n|, ps_auths\b")
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


class Names(NamedTuple):
    """What the tables of a fleet and those of accounts are called; statements are written with the
    usual names."""

    schema: str = "pjreg"
    registrations: str = "ps_registrations"
    auths: str = "ps_auths"
    """Empty: there are none."""

    def applied(self, text: str) -> str:
        """Statements with these names."""
        if self == USUAL:
            return text
        if not self.auths:
            text = _OF_AUTHS.sub("", text)
        last = self.registrations.rpartition(".")[2]
        index = f"{last}_shard" if self.schema == USUAL.schema else f"{last}_{self.schema}_shard"
        called = {
            "ps_registrations_shard": quoted(index),
            "ps_registrations": quoted(self.registrations),
            "ps_auths": quoted(self.auths),
            "pjreg.": f"{self.schema}.",
            "pjreg": self.schema,
            "pjreg_": f"{self.schema}_",
            "'pjreg_config'": f"'{self.schema}_config'",
        }
        return _NAMES.sub(lambda found: called[found[0]], text)


USUAL: Final = Names()


def names_of(settings: Settings) -> Names:
    """What they are called by a configuration; where it maps no tables, the usual names."""
    schema = settings.cluster.schema.lower()
    table, auths = settings.mapped.table, table_of(settings.mapped.auth)
    if table is None:
        return Names(schema)
    return Names(schema, table.name, "" if auths is None else auths.name)


def quoted(table: str) -> str:
    """A table's name, with its schema or without, as statements have it."""
    parts = table.replace('"', "").split(".")
    return ".".join(part if _PLAIN.fullmatch(part) else f'"{part}"' for part in parts)


def schema(*, triggers: bool = False, lease_ms: int = 6000, names: Names = USUAL) -> str:
    """The SQL; with `triggers` changes of Asterisk's tables are told."""
    text = (FOLDER / "schema.sql").read_text("utf-8")
    text = text.replace("VALUES (1, 256, 6000,", f"VALUES (1, 256, {lease_ms},")
    if triggers:
        text += (FOLDER / "triggers.sql").read_text("utf-8")
    return names.applied(text)
