"""The trace and the history of SIP messages (`pjsip set logger`, `pjsip set history`)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol


class HistoryEntry(NamedTuple):
    """One SIP message in the history."""

    number: int
    at: float
    sent: bool
    address: str
    """`ADDRESS:PORT` of the other side."""
    method: str
    """Of the request, or that a response's CSeq names."""
    call_id: str
    text: str


class Tracing(Protocol):
    """`pjsip set logger` and `pjsip set history`."""

    def set_logger(self, on: bool) -> None: ...

    def logger_host(self, host: str, add: bool) -> str | None:
        """Trace only this host or subnet (as well, with `add`); the address that was understood
        without port, None when it cannot be found."""
        ...

    def logger_method(self, method: str, add: bool) -> Sequence[str]:
        """Trace only this method (as well, with `add`); all methods, the newest first."""
        ...

    def logger_verbose(self, on: bool) -> None: ...

    def logger_pcap(self, path: str) -> Awaitable[str | None]:
        """Write frames to a capture file from now on; the reason when it cannot be opened, or does
        not answer."""
        ...

    def set_history(self, on: bool) -> None: ...

    def clear_history(self) -> None: ...

    def history(self) -> Sequence[HistoryEntry]: ...
