"""The statements that make the tables of a fleet, for operators to run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FORMAT: Final = 1
"""Of the tables; instances of another one do not join."""

OLDEST: Final = 140000
"""The least PostgreSQL, as `server_version_num` has it."""

FOLDER: Final = Path(__file__).parent


def schema(*, triggers: bool = False, lease_ms: int = 6000, name: str = "pjreg") -> str:
    """The SQL; with `triggers` changes of Asterisk's tables are told."""
    text = (FOLDER / "schema.sql").read_text("utf-8")
    text = text.replace("VALUES (1, 256, 6000,", f"VALUES (1, 256, {lease_ms},")
    if triggers:
        text += (FOLDER / "triggers.sql").read_text("utf-8")
    return text if name == "pjreg" else _renamed(text, name)


def _renamed(text: str, name: str) -> str:
    text = text.replace("pjreg.", f"{name}.").replace("SCHEMA pjreg", f"SCHEMA {name}")
    text = text.replace("search_path = pjreg,", f"search_path = {name},")
    return text.replace("'pjreg_config'", f"'{name}_config'")
