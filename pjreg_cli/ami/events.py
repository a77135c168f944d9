"""Notices as manager events; pure."""

from __future__ import annotations

from dataclasses import dataclass

from pjreg_cli.ami import codec
from pjreg_cli.api.notices import Notice, Ownership, Reloaded, Settled, Stopping
from pjreg_cli.config import manager_classes as classes
from pjreg_cli.config.eventfilter import DETAIL, OWNERSHIP

#: how the status of a registration whose unregister is under way is told: origin knows three words
_PUBLIC = {"Stopped": "Unregistered"}

#: numbers of the origin's Reload event
_RELOADED, _RELOAD_FAILED = "0", "3"


@dataclass(frozen=True, slots=True)
class Event:
    """An event before it is sent: its class as a mask, and its fields after `Privilege`."""

    name: str
    mask: int
    fields: tuple[tuple[str, str], ...]

    def text(self, stamp: float | None = None) -> str:
        """The whole message; `stamp`, seconds since 1970, adds a Timestamp."""
        lines = [f"Event: {self.name}\r\nPrivilege: {classes.privilege(self.mask)}\r\n"]
        if stamp is not None:
            lines.append(f"Timestamp: {stamp:.6f}\r\n")
        lines += [codec.line(key, value) for key, value in self.fields]
        return "".join(lines) + "\r\n"


def of(notice: Notice, detail: bool = True) -> tuple[Event, ...]:
    """The events that tell of a notice; none for what AMI does not speak of.  With `detail` those
    too that only we have."""
    match notice:
        case Settled():
            return (_registry(notice), _detail(notice)) if detail else (_registry(notice),)
        case Reloaded(module, ok):
            return (
                Event(
                    "Reload",
                    classes.SYSTEM,
                    (("Module", module or "All"), ("Status", _RELOADED if ok else _RELOAD_FAILED)),
                ),
            )
        case Stopping(restart):
            return (
                Event(
                    "Shutdown",
                    classes.SYSTEM,
                    (("Shutdown", "Cleanly"), ("Restart", "True" if restart else "False")),
                ),
            )
        case Ownership():
            return (_ownership(notice),)
        case _:
            return ()


def _registry(notice: Settled) -> Event:
    return Event(
        "Registry",
        classes.SYSTEM,
        (
            ("ChannelType", "PJSIP"),
            ("Username", notice.client_uri),
            ("Domain", notice.server_uri),
            ("Status", _PUBLIC.get(notice.word, notice.word)),
        ),
    )


def _detail(notice: Settled) -> Event:
    """What the origin does not tell: off unless asked for, so that nobody is surprised."""
    evidence = notice.evidence
    return Event(
        DETAIL,
        classes.SYSTEM,
        (
            ("Registration", notice.name),
            ("Status", notice.word),
            ("OldStatus", notice.old_word),
            ("Response", str(evidence.code)),
            ("Reason", evidence.reason),
            ("Cause", notice.why().cause or evidence.cause),
            ("Attempt", str(notice.attempts)),
            ("NextAttempt", str(notice.next_attempt_s)),
        ),
    )


def _ownership(notice: Ownership) -> Event:
    """For whoever watches a fleet, and asks for it."""
    return Event(
        OWNERSHIP,
        classes.SYSTEM,
        (
            ("Change", notice.change),
            ("Shards", str(notice.shards)),
            ("Registrations", str(notice.registrations)),
        ),
    )


def fully_booted(uptime_s: float, reloaded_s: float) -> bytes:
    """What greets a user after login; the seconds since the start and since the last reload."""
    event = Event(
        "FullyBooted",
        classes.SYSTEM,
        (
            ("Uptime", str(max(0, int(uptime_s)))),
            ("LastReload", str(max(0, int(reloaded_s)))),
            ("Status", "Fully Booted"),
        ),
    )
    return codec.to_bytes(event.text())
