"""The history in a state file that nobody writes to just now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pjreg_cli.api.history import Happened
from pjreg_cli.store.state_file import HistoryRow, history


class StoredHistory:
    """api.history.Histories of a file; `path` None: there is none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    async def of(self, name: str, limit: int, kind: str = "") -> Sequence[Happened]:
        """The last lines about a registration, the oldest first."""
        if self._path is None:
            return ()
        rows = await asyncio.to_thread(history, self._path, name, limit, kind)
        return [happened(row) for row in rows]


def happened(row: HistoryRow) -> Happened:
    """A line as it crosses the API."""
    return Happened(row.at, row.kind, row.word, row.code, row.cause, row.facts)
