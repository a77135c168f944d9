"""What a registration goes on with where another run, or another machine, stopped (pure)."""

from __future__ import annotations

from typing import Final, NamedTuple

RESERVE: Final = 256
"""CSeq numbers an owner may use beyond what it has last written, the last one left out."""

HIGHEST: Final = 2**31 - 2**20
"""From here on a new Call-ID is made: a CSeq stays below 2**31 (RFC 3261 section 8.1.1.5)."""


class Resumable(NamedTuple):
    """One registration as it was when this was written.  `_in_s` are seconds left at that moment,
    negative when it was over."""

    name: str
    identity: str
    """Of its section's options: a changed section begins anew."""
    call_id: str
    cseq: int
    """Every number that had been used was below this, and so are `RESERVE` - 1 more."""
    status: str
    """The inner status, one of the six."""
    line: str = ""
    """The token in its Contact, empty without one."""
    contact: str = ""
    """The Contact that was granted; empty when there is no binding."""
    target: str = ""
    """`udp:192.0.2.1:5060`, where it was granted."""
    received: str = ""
    """Address and port the registrar saw us come from; empty if not told."""
    retries: int = 0
    requested_s: int | None = None
    """The expiry a registrar made us ask for (423)."""
    granted_s: int = 0
    expires_in_s: float | None = None
    refresh_in_s: float | None = None
    code: int = 0
    """Of the last outcome; 0: there was none."""
    reason: str = ""
    shard: int = 0
    epoch: int = 0
    """The number of the owner that wrote this; 0 on a single machine."""


def first_cseq(cseq: int, written_under: int, epoch: int) -> int:
    """The first CSeq of whoever goes on under `epoch` from a row written under `written_under`.

    All numbers of the writer are below `cseq` + RESERVE; one that came between and wrote nothing
    has RESERVE numbers of its own, so no number is used twice and each owner is above all before
    it (RFC 3261 section 10.3 step 7).
    """
    return cseq + RESERVE * (epoch - written_under)


def left_s(resumable: Resumable) -> Resumable:
    """The same with what is left cut to what was granted: a clock may have jumped."""
    most = float(resumable.granted_s)
    expires, refresh = resumable.expires_in_s, resumable.refresh_in_s
    if most <= 0:
        return resumable
    return resumable._replace(
        expires_in_s=None if expires is None else min(expires, most),
        refresh_in_s=None if refresh is None else min(refresh, most),
    )
