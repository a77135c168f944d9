"""Showing and steering registrations: rows, views, evidence and verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from pjreg_cli.api.configuration import Option
from pjreg_cli.api.findings import Finding, Message, Tried

ORDERS = ("trouble", "name", "next")
"""Of `Registrations.foremost`: not registered ones first, by name, the next attempt first."""


def _unknown() -> str:
    """Nobody has looked."""
    return ""


class RegistrationRow(NamedTuple):
    """One line of the table of registrations."""

    name: str
    server_uri: str
    auth: str
    """The first name of outbound_auth, existing or not; empty without one."""
    word: str | None
    """`Registered`, `Unregistered`, `Rejected`, `Stopped` (removed, its unregister under way);
    None when the registration has no state (after `send unregister *all`)."""
    due_s: int | None
    """Seconds until the moment for which the next attempt was last scheduled, negative when it
    is over; None when nothing was ever scheduled."""


# a named tuple, as `Settled` is: a fleet makes thousands a second
class Evidence(NamedTuple):
    """What the last settled attempt of a registration was about; facts, not sentences."""

    at: float
    """When it settled."""
    method: str
    """`register` or `unregister`."""
    code: int
    """The status code that counted: 408 for no answer, 503 for a failed send or look-up."""
    reason: str
    """The reason phrase of the answer, or the cause of its absence."""
    cause: str
    """`answered`, `timed-out`, `send-failed`, `unresolved`."""
    rule: str
    """The name of the policy's rule that decided."""
    target: str
    """`udp:192.0.2.1:5060`, the last target tried; empty if there was none."""
    received: str
    """Address and port the registrar saw us come from (`received`, `rport`); empty if not told."""
    granted_s: int | None
    """The granted lifetime of a 2xx."""
    contact_missing: bool = False
    """The 2xx listed bindings, none of which can be ours."""
    took_s: float | None = None
    """How long the answer was on its way; None without one."""


class UnderWay(NamedTuple):
    """The request of a registration that has no final answer yet."""

    method: str
    """`register` or `unregister`."""
    since_s: float | None
    """Seconds since it was first sent; None while it is not: its target is being looked up, or it
    waits its turn."""
    resends: int
    """How often it was sent again (RFC 3261 section 17.1.2.2)."""
    target: str
    """As in `Evidence.target`; empty while it is being looked up."""


class RegistrationView(NamedTuple):
    """Everything shown of one registration."""

    row: RegistrationRow
    client_uri: str
    options: tuple[Option, ...]
    """All options in the order of `pjsip show registration`."""
    auths: tuple[str, ...]
    """Names of outbound_auth, in the order configured, existing or not."""
    next_attempt_s: int
    """Seconds until the next REGISTER is due, 0 when none is."""
    attempts: int
    """Attempts made since the registration was made."""
    retries: int
    """Failed attempts in a row that count towards max_retries."""
    evidence: Evidence | None
    source: str
    """`file:line` of its section."""
    since_at: float | None = None
    """When its word last changed, in seconds since 1970; None when it never did."""
    ends_at: float | None = None
    """When its binding really ends, in seconds since 1970; None without one."""
    cause: Callable[[], str] = _unknown
    """Finds out why it stands so: the code of `Registrations.cause`."""
    under_way: UnderWay | None = None
    """What is being sent now; None while nothing is."""
    limping: bool = False
    """Registered, and yet something is wrong: its connection is closed each time, or the registrar
    lists bindings of others alone."""


class Measure(NamedTuple):
    """The numbers of one registration."""

    name: str
    word: str
    code: int
    """Of the last attempt; 0 before one has settled."""
    retries: int
    took_s: float | None
    """Until its last answer; None without one."""
    ends_at: float | None
    """When its binding ends, in seconds since 1970; None without one."""
    ends_in_s: float | None


class Registrations(Protocol):
    """Showing and steering registrations."""

    def names(self) -> Sequence[str]:
        """All names, sorted byte by byte."""
        ...

    def count(self) -> Mapping[str, int]:
        """How many registrations are shown with each word, `Unregistered` without a state."""
        ...

    def rows(self) -> Iterable[RegistrationRow]:
        """All rows sorted by name; a snapshot that stays valid while it is read slowly."""
        ...

    def row(self, name: str) -> RegistrationRow | None:
        """One row, None for an unknown name (letter case matters)."""
        ...

    def view(self, name: str) -> RegistrationView | None:
        """One registration in full."""
        ...

    def views(self) -> Iterable[RegistrationView]:
        """All of them sorted by name, made one by one as they are asked for."""
        ...

    def finding(self, name: str) -> Finding:
        """How one registration stands and why, also of a name that does not exist."""
        ...

    def cause(self, name: str) -> str:
        """The code of that finding alone."""
        ...

    def tried(self, name: str) -> Sequence[Tried]:
        """The requests of the last settled attempt, in order; none for an unknown name."""
        ...

    def messages(self, name: str) -> Sequence[Message]:
        """The last messages to and from its registrar, as far as they are still remembered."""
        ...

    def refused(self) -> Sequence[str]:
        """Names of sections that were refused and stand in no form, sorted."""
        ...

    def measures(self) -> Iterable[Measure]:
        """The numbers of all registrations."""
        ...

    def foremost(
        self, limit: int, order: str, match: Callable[[str], bool] | None = None
    ) -> Sequence[RegistrationView]:
        """The first of all, or of those whose name matches, in one of `ORDERS`."""
        ...

    def unregister(self, name: str) -> bool:
        """Queue an unregister; False when there is no such registration or it has no state."""
        ...

    def register(self, name: str) -> bool:
        """Queue an unregister and a new registration; False as for `unregister`."""
        ...

    def unregister_all(self) -> None:
        """Unregister what is registered and forget all states."""
        ...

    def register_all(self) -> None:
        """Unregister what is registered and make every registration anew."""
        ...
