"""The rules of a registration as the Markdown page `docs/policy.md`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pjreg_cli.registration.policy import CONTINUE, SETTLE
from pjreg_cli.registration.state import Status

_PAGE = """\
# What the answer to a REGISTER leads to

Generated from `pjreg_cli/registration/policy.py`; `pytest --update-golden` rewrites it. No answer
counts as 408, a request that could not be sent as 503. An unregister is a REGISTER with an expiry
of 0. *Leaving* is a registration that is no longer configured. *Still wanted* is one that neither
is leaving nor has an unregister waiting behind the REGISTER.

## Outcomes that continue the attempt

The first match decides; nothing is published.

{going_on}

## Outcomes that settle it

The first match decides, and the result is published. What came due in the meantime is sent then: an
unregister first, a REGISTER after it. A leaving registration unregisters if it is still registered,
and has ended otherwise.

{settling}

## Lost connections

Who is registered over a connection that is lost registers again, over another one. Of connections
that were lost within 120 s of being made, the first two in a row are made up for at once; from the
third on the wait is 1, 2, 4 ... s, of which half at least, up to retry_interval (without one: 60
s). One that lived longer ends the row and is made up for at once, and so does `send register`.

(*) With `retry_backoff = yes` it doubles with every failure in a row, up to an hour.
"""


def document() -> str:
    """The tables as the Markdown page `docs/policy.md`."""
    return _PAGE.format(
        going_on=_table(("Rule", "When", "Status", "Retries", "Then sent"), CONTINUE),
        settling=_table(("Rule", "When", "Status", "Retries", "Next attempt after"), SETTLE),
    )


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *([_words(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _words(cell: object) -> str:
    match cell:
        case str():
            return cell
        case Status():
            return cell.value
        case None:
            return "same"
    return " ".join((cell.__doc__ or "").split())
