"""The history of SIP messages as the console lists it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.render import json
from pjreg_cli.render.columns import harmless, pad

_HEAD = (
    f"{'No.':<5} {'Timestamp':<10} {'(Dir)'} {'Address':<24} {'SIP Message':<35}\n"
    f"{'=' * 5} {'=' * 10} {'=' * 30} {'=' * 35}\n"
)


def table(entries: Iterable[HistoryEntry]) -> Iterator[str]:
    """A head, also when there is nothing, and a line for each message."""
    yield _HEAD
    for entry in entries:
        arrow = "==>" if entry.sent else "<=="
        start = f"{entry.number:05d} {int(entry.at):10d} * {arrow} {pad(entry.address, 24)}"
        yield f"{start} {_lines(entry.text).partition(chr(10))[0]}\n"


def entry(shown: HistoryEntry) -> list[str]:
    """One message in full."""
    way = "Sent to" if shown.sent else "Received from"
    where = f"{way} {shown.address} at {int(shown.at)}"
    text = _lines(shown.text)
    ended = text if text.endswith("\n") else text + "\n"
    return [f"<--- History Entry {shown.number} {where} --->\n{ended}\n"]


def _lines(text: str) -> str:
    return harmless(text.replace("\r\n", "\n"))


def shape(entry: HistoryEntry) -> json.Shape:
    """One message of the history; the whole text too."""
    return {
        "number": entry.number,
        "at": json.instant(entry.at),
        "sent": entry.sent,
        "address": entry.address,
        "method": entry.method,
        "call_id": entry.call_id,
        "text": entry.text,
    }
