"""What an attempt did and heard, and what is made of it: plain values that cross the API.

*Facts* are what the engine knows of one registration, without judgement; a *finding* is what
follows from them (`why.diagnosis`).  Durations are in seconds and end in `_s`, instants in seconds
since 1970 and end in `_at`.
"""

from __future__ import annotations

from typing import NamedTuple

#: connections lost in a row, each soon after a grant, that are no accident any more
BY_DESIGN = 2

# -- facts ------------------------------------------------------------------------------------


class Certificate(NamedTuple):
    """What a certificate says of itself."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """The names it is made out to: DNS names and addresses of subjectAltName, else the common
    name."""
    not_before: float
    not_after: float

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer


class Asked(NamedTuple):
    """A question to DNS and what became of it."""

    name: str
    kind: str
    """A, AAAA, SRV, NAPTR."""
    result: str
    """The records in words, `none`, `NXDOMAIN`, or why there is no answer: `silent`, or what a name
    server said."""
    failed: bool = False
    """Nobody gave a definite answer."""

    @property
    def found(self) -> bool:
        """Whether there are records."""
        return not self.failed and self.result not in ("none", "NXDOMAIN")


class Trouble(NamedTuple):
    """Why a request could not be sent or answered, as the system and the network told it."""

    kind: str
    """`refused`, `unreachable`, `connect-timeout`, `handshake-timeout`, `lost`, `reset`,
    `not-sip`, `tls`, `certificate`, `no-transport`, `not-open`, `unresolved`, `send-failed`."""
    text: str = ""
    """What the system, OpenSSL or a name server says, unchanged."""
    at: float = 0.0
    """By the loop's clock."""
    heard: bytes = b""
    """The first bytes of what is no SIP."""
    certificate: Certificate | None = None
    asked: tuple[Asked, ...] = ()


class Offer(NamedTuple):
    """A challenge as far as it tells anything; its nonce is none of anybody's business."""

    proxy: bool
    realm: str
    algorithm: str
    """As written; `MD5` where none is named."""
    qop: tuple[str, ...]
    stale: bool


class Heard(NamedTuple):
    """A final answer; the same object for all who heard the same."""

    code: int
    reason: str
    offers: tuple[Offer, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Name and value of those that explain: Warning, Retry-After, Server, ..."""
    contacts: tuple[str, ...] = ()
    """The Contacts of a 2xx or 3xx as written; empty for a 2xx that lists ours alone."""

    def header(self, name: str) -> str:
        """The first value of one of `headers`, by its name in lower case; empty without."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Tried(NamedTuple):
    """One request of an attempt, and what became of it."""

    target: str
    """`udp:192.0.2.1:5060`."""
    ours: str
    """Where it came from, as its Via says: `127.0.0.1:5070`."""
    transport: str
    """The name of the transport's section."""
    sent_at: float
    took_s: float
    """Until the answer came, or none was waited for any more."""
    sends: int
    """How often it was sent, the first time included."""
    signed: tuple[str, ...]
    """The auth sections whose credentials it carried."""
    heard: Heard | None = None
    trouble: Trouble | None = None
    """Why there was no answer, or what else went wrong."""
    elsewhere: str = ""
    """Where the answer came from, if not from the target."""


class Message(NamedTuple):
    """A SIP message of a registration, as it was on the wire; it never holds a password."""

    at: float
    sent: bool
    text: str


class Facts(NamedTuple):
    """Everything known of how one registration stands."""

    name: str
    word: str
    """`Registered`, `Unregistered`, `Rejected`, `Stopped`; empty for one that is not configured."""
    now_at: float = 0.0
    live: bool = True
    """False when nothing runs: only the configuration is judged."""
    since_at: float | None = None
    """When the word last changed."""
    changes: int = 0
    """How often the word changed within the last hour."""
    settled_at: float | None = None
    """When the last attempt settled."""
    method: str = "register"
    """`register` or `unregister`: what the last attempt was about."""
    code: int = 0
    reason: str = ""
    rule: str = ""
    """The policy's rule that settled it."""
    tried: tuple[Tried, ...] = ()
    """The requests of the last settled attempt, in order."""
    trouble: Trouble | None = None
    """Why the last attempt came to no request at all."""
    holding: bool = False
    """Nothing may be sent for it: this machine's lease in its fleet is not trusted."""
    asked_s: int = 0
    granted_s: int | None = None
    granted_at: float | None = None
    """When the binding in force was granted."""
    received: str = ""
    """Address and port the registrar saw us come from."""
    contact: str = ""
    """The Contact we offered."""
    contact_missing: bool = False
    """The answer lists bindings, none of which can be ours."""
    in_flight: str = ""
    """`register` or `unregister` while a request has no answer."""
    in_flight_to: str = ""
    """Where that went, or what is looked up."""
    in_flight_at: float | None = None
    """When that was first sent; None while it waits its turn or its target is looked up."""
    in_flight_sends: int = 0
    """How often it was sent so far."""
    in_flight_trouble: Trouble | None = None
    """What came back of it so far that is no answer."""
    next_at: float | None = None
    """When the next REGISTER is due."""
    attempts: int = 0
    retries: int = 0
    told_at: float | None = None
    """When an operator last told it to unregister, if that is why it stands as it does."""
    losses: int = 0
    """Connections in a row that the other side closed soon after they had been made."""
    certificate: Certificate | None = None
    """Of the other side of the connection in use."""
    found: tuple[Asked, ...] = ()
    """What DNS said of the registrar, as far as it is remembered."""
    not_open: tuple[tuple[str, str], ...] = ()
    """Transports that are configured but could not be opened: name and why."""


# -- findings ---------------------------------------------------------------------------------


class Brief(NamedTuple):
    """A finding in a line."""

    cause: str
    finding: str


class Fix(NamedTuple):
    """Something to change, or whose move it is."""

    text: str
    option: str = ""
    where: str = ""
    """`FILE:LINE` of the option, else of its section; empty where nothing here is to be changed."""


class Note(NamedTuple):
    """Something worth knowing beside the cause."""

    cause: str
    text: str


class Step(NamedTuple):
    """One line of what was done and heard."""

    step: str
    """`configured`, `found`, `sent`, `answered`, ..."""
    ok: bool
    text: str
    at: float | None = None
    facts: tuple[tuple[str, str | int | float | bool | None], ...] = ()
    """The values the text is made of, for machines."""


class Next(NamedTuple):
    """What happens by itself."""

    action: str
    """`refresh`, `retry`, `wait`, `nothing`."""
    at: float | None
    in_s: int | None
    text: str


class Finding(NamedTuple):
    """How one registration stands, why, what happens next, and what to change."""

    name: str
    status: str
    since_at: float | None
    ok: bool
    """Whether it stands as it should; notes may warn all the same."""
    cause: str
    finding: str
    """One sentence."""
    steps: tuple[Step, ...]
    evidence: tuple[str, ...]
    notes: tuple[Note, ...]
    next: Next
    fix: tuple[Fix, ...]
