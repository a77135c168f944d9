"""`pjreg health`: one line for monitoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pjreg_cli.api.cluster import Cluster
from pjreg_cli.api.registrations import RegistrationRow, Registrations
from pjreg_cli.commands.command import USAGE, Answer, Call, Command, Verdict, tell, usage
from pjreg_cli.commands.pjsip import registration_names
from pjreg_cli.render import columns, json

#: the words of monitoring plug-ins, by exit status
LEVELS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_OK, _WARNING, _CRITICAL, _UNKNOWN = range(4)
#: registrations in trouble that are named
_NAMED = 3


class Health(NamedTuple):
    """How the registrations asked for stand."""

    status: int
    """0 .. 3, as monitoring plug-ins end."""
    text: str
    counts: dict[str, int]
    total: int

    @property
    def line(self) -> str:
        """The line with its performance data."""
        data = [f"registered={self.counts['registered']};;;0;{self.total}"]
        data += [f"{word}={self.counts[word]}" for word in ("rejected", "unregistered", "stopped")]
        return f"REGISTRATIONS {LEVELS[self.status]} - {self.text} | {' '.join(data)}\n"


def judge(
    registrations: Registrations, names: Sequence[str], least_percent: float | None
) -> Health:
    """How these (none: all) stand.  All must be registered, or at least `least_percent` of them."""
    missing = [name for name in names if registrations.row(name) is None]
    rows = (
        [row for name in names if (row := registrations.row(name)) is not None]
        if names
        else list(registrations.rows())
    )
    words = Counter((row.word or "Unregistered").lower() for row in rows)
    counts = {word: words[word] for word in ("registered", "rejected", "unregistered", "stopped")}
    total, good = len(rows), counts["registered"]
    text = f"{good} of {total} registered"
    if missing:
        shown = ", ".join(map(columns.harmless, missing[:_NAMED]))
        return Health(_UNKNOWN, f"no such registration: {shown}", counts, total)
    if least_percent is not None:
        share = 100.0 * good / total if total else 100.0
        status = _OK if share >= least_percent else _CRITICAL
        text += f" ({share:.1f} %, {least_percent:g} % wanted)"
    elif counts["rejected"] or counts["stopped"]:
        status = _CRITICAL
    else:
        status = _WARNING if good < total else _OK
    if good < total:
        text += f"; {_in_trouble(registrations, rows)}"
    if not names and (refused := registrations.refused()):
        # nobody would miss them otherwise
        shown = ", ".join(map(columns.harmless, refused[:_NAMED]))
        text += f"; {len(refused)} refused (config-refused): {shown}"
        if least_percent is None:
            status = status or _WARNING
    return Health(status, text, counts, total)


def with_tables(health: Health, withheld: str, fleet: Cluster | None) -> Health:
    """The same where nothing is wrong with tables and the fleet: no change is `withheld`, this
    machine may send, and every shard has a place."""
    this = fleet.this() if fleet is not None else None
    troubles = []
    if this is not None and this.trust_s <= 0:
        why = f": {columns.harmless(this.trouble)}" if this.trouble else ""
        troubles.append(f"{columns.harmless(this.name)} holds{why}")
    elif this is not None and this.loading and this.trouble:
        troubles.append(f"{this.loading} shards are not taken up: {columns.harmless(this.trouble)}")
    if this is not None and this.homeless:
        troubles.append(f"no machine has room for {this.homeless} shards")
    if withheld:
        troubles.append(columns.harmless(withheld))
    if not troubles or health.status == _UNKNOWN:
        return health
    return health._replace(status=_CRITICAL, text="; ".join([*troubles, health.text]))


def with_files(health: Health, given_up: Sequence[str], *, strict: bool) -> Health:
    """The same where files are `given_up`: with nothing configured nobody would miss what was in
    them.  Not `strict`: that alone is no trouble where something is."""
    if not given_up or health.status == _UNKNOWN:
        return health
    text = f"{health.text}; given up: {'; '.join(map(columns.harmless, given_up[:_NAMED]))}"
    least = _CRITICAL if not health.total else _WARNING if strict else _OK
    return health._replace(status=max(health.status, least), text=text)


def _in_trouble(registrations: Registrations, rows: Sequence[RegistrationRow]) -> str:
    bad = [row for row in rows if row.word != "Registered"]
    bad.sort(key=lambda row: row.word != "Rejected")
    parts = [
        f"{columns.harmless(row.name)} {row.word or 'Unregistered'}"
        f" ({registrations.cause(row.name)})"
        for row in bad[:_NAMED]
    ]
    more = len(bad) - len(parts)
    return ", ".join(parts) + (f" and {more} more" if more else "")


def _health(call: Call) -> Answer:
    names = list(call.args)
    least: float | None = None
    if "--min-registered" in names:
        at = names.index("--min-registered")
        text = "".join(names[at + 1 : at + 2]).rstrip("%")
        if not text.replace(".", "", 1).isdigit() or float(text) > 100:
            return USAGE
        least = float(text)
        del names[at : at + 2]
    if any(name.startswith("--") for name in names):
        return USAGE
    withheld = call.port.instance.view().withheld
    health = judge(call.port.registrations, names, least)
    health = with_tables(health, withheld, call.port.cluster)
    health = with_files(health, call.port.configuration.given_up(), strict=least is None)
    fleet = call.port.cluster
    if not health.total and not names and (fleet is None or fleet.this() is None):
        # a configuration that was lost looks just so
        text = f"{health.text}; no registration is configured"
        health = health._replace(status=max(health.status, _WARNING), text=text)
    verdict = Verdict.DONE if health.status == _OK else Verdict.NEGATIVE
    return tell(health, lambda told: [told.line], json.whole(_shape), verdict)


def _shape(health: Health) -> json.Shape:
    return {
        "status": health.status,
        "level": LEVELS[health.status],
        "text": health.text,
        "total": health.total,
        **health.counts,
    }


ROW = Command(
    "pjreg health",
    usage(
        "Usage: pjreg health [<registration> ...] [--min-registered <percent>]",
        "One line for monitoring, with performance data.  All registrations, or those named,",
        "must be registered; with --min-registered so many of a hundred are enough.  The",
        "program `pjreg-cli health` ends with 0, 1, 2 or 3, as monitoring plug-ins do.",
    ),
    "Whether registrations stand, for monitoring",
    _health,
    registration_names,
)
