"""One registration as the engine runs it: its settings, its state, and the attempt under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pjreg_cli.cluster.resume import RESERVE
from pjreg_cli.config.other_files import PjregSettings
from pjreg_cli.config.secrets import masked_uri
from pjreg_cli.config.types import FOREVER
from pjreg_cli.engine.bindings import Binding
from pjreg_cli.engine.record import Record
from pjreg_cli.errors import TransportError
from pjreg_cli.registration.policy import TAKEOVER_MARGIN_S
from pjreg_cli.registration.state import Outcome, Policy, SendRegister, State

if TYPE_CHECKING:
    from pjreg_cli.api.findings import Trouble
    from pjreg_cli.config.models import Registration
    from pjreg_cli.engine.credentials import Answer, Kept
    from pjreg_cli.engine.exchange import Exchange
    from pjreg_cli.net.flow import Flow
    from pjreg_cli.registration.request import Template
    from pjreg_cli.sip.challenges import Challenge
    from pjreg_cli.sip.digest import Account
    from pjreg_cli.sip.locate import Target
    from pjreg_cli.sip.message import Response


@lru_cache(maxsize=256)
def _policy(options: tuple[int, int, int, int, int, bool, bool, bool, int, bool]) -> Policy:
    """The same object for registrations that share their options: most of a fleet does."""
    return Policy(*options)


def policy_of(
    settings: Registration, pjreg: PjregSettings | None = None, fleet_margin_s: int | None = None
) -> Policy:
    """The options of a registration, and of pjreg.conf, that its machine decides by.

    `fleet_margin_s` is the margin of a fleet, 0 for its default, where the registration is shared
    with other machines.
    """
    pjreg = pjreg or PjregSettings()
    margin_s = pjreg.refresh_margin
    if fleet_margin_s is not None:
        margin_s = fleet_margin_s or max(margin_s, TAKEOVER_MARGIN_S)
    return _policy(
        (
            settings.expiration,
            settings.retry_interval,
            settings.forbidden_retry_interval,
            settings.fatal_retry_interval,
            settings.max_retries,
            settings.auth_rejection_permanent,
            settings.max_retries == FOREVER,
            pjreg.retry_backoff,
            margin_s,
            fleet_margin_s is not None,
        )
    )


_NO_REQUEST = SendRegister(0)

_NEW = State()
#: the states that registrations rest in, without their instants
_lasting = lru_cache(maxsize=1024)(State._make)


class Attempt:
    """What an attempt needs until it settles; the requests of one share it."""

    __slots__ = (
        "alone",
        "answers",
        "challenges",
        "exchange",
        "expires_s",
        "flow",
        "held_until",
        "instants",
        "locating",
        "mechanisms",
        "missing",
        "outcome",
        "parked",
        "reason",
        "refused",
        "repeated",
        "request",
        "response",
        "signed",
        "signed_first",
        "since",
        "steps",
        "tag",
        "target",
        "target_left",
        "targets",
        "template",
        "tried",
        "trouble",
    )

    def __init__(self) -> None:
        self.targets: tuple[Target, ...] = ()
        """All targets of this attempt, in the order they are tried."""
        self.alone = False
        """The last 2xx lists our Contact as offered, and no other."""
        self.tried = -1
        """Index of the target in use; -1 before the first.  Set by `aim`."""
        self.target: Target | None = None
        """The target in use."""
        self.target_left = False
        """Whether there is another one to try (RFC 3263 section 4.3)."""
        self.flow: Flow | None = None
        self.template: Template | None = None
        self.locating = False
        """A look-up of the targets is under way."""
        self.parked = False
        """It begins when fewer others wait for their turn; until then those that are to go the same
        way share it."""
        self.exchange: Exchange | None = None
        self.since = 0.0
        """When that look-up or request began, in seconds of the loop's clock."""
        self.request = _NO_REQUEST
        """What the last request was asked to be."""
        self.repeated = False
        """It was sent again already, having been lost with its connection."""
        self.tag = ""
        """The From tag of the last request."""
        self.expires_s = 0
        """The expiry that the last request asked for."""
        self.answers: tuple[Answer, ...] = ()
        """What the credentials of the request answer."""
        self.mechanisms: tuple[str, ...] = ()
        """Security-Server values of the last challenge or 494 (RFC 3329 section 2.3)."""
        self.response: Response | None = None
        """The final response to the last request of this attempt, None when it has none."""
        self.outcome: Outcome | None = None
        """The last outcome of a request of this attempt."""
        self.reason = ""
        """Its reason phrase, or the cause of there being none."""
        self.challenges: tuple[Challenge, ...] = ()
        """Those of the last answer."""
        self.signed: Account | tuple[Account, ...] | None = None
        """Whose credentials the request under way carries."""
        self.signed_first: Account | tuple[Account, ...] | None = None
        """Whose the first request carried that had any, of those that have ended."""
        self.steps: tuple[object, ...] = ()
        """The requests that have ended, for explanations: see `Course`."""
        self.instants: tuple[float, ...] = ()
        """When each of them was sent, and when it had ended."""
        self.trouble: Trouble | None = None
        """Why no request could be sent."""
        self.missing = False
        """The last 2xx listed Contacts, but none that can be ours."""
        self.held_until: float | None = None
        """Until when it waits for a predecessor at most, by the loop's clock."""
        self.refused = ""
        """What the network said against the request under way, though it may still be answered."""

    def aim(self, index: int) -> None:
        """Turn to one of the targets; behind the last one there is none."""
        self.tried = index
        self.target = self.targets[index] if 0 <= index < len(self.targets) else None
        self.target_left = index + 1 < len(self.targets)


LOCAL = -1
GONE = -2


class Entry(Record):
    """A registration under way, with what explains how it stands.  Its `state` changes by
    `machine.react` alone.

    One with the same name may be leaving at the same time: the old form of a changed section.
    """

    __slots__ = (
        "_lasting",
        "_next_attempt_at",
        "_wake_at",
        "accounts",
        "attempt",
        "attempts",
        "bound_at",
        "bound_s",
        "call_id",
        "contact",
        "counted",
        "cseq",
        "epoch",
        "flow",
        "granted_by",
        "identity",
        "kept",
        "line",
        "name",
        "open_uris",
        "policy",
        "removed",
        "settings",
        "shard",
        "strays",
        "taken_off",
        "timer_at",
        "unfolded",
        "unsettled",
        "woken",
        "word",
        "written_cseq",
    )

    def __init__(
        self,
        settings: Registration,
        *,
        call_id: str,
        cseq: int,
        line: str,
        woken: Callable[[Entry], None],
        policy: Policy | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        client_uri, server_uri = settings.client_uri, settings.server_uri
        self.open_uris = (
            masked_uri(client_uri) == client_uri and masked_uri(server_uri) == server_uri
        )
        """There is no password in its URIs."""
        self.name = settings.name
        """The name of its section."""
        self.policy = policy or policy_of(settings)
        self.unfolded: State | None = _NEW
        """Its state; None while that is folded."""
        self._lasting = _NEW
        self._wake_at: float | None = None
        self._next_attempt_at: float | None = None
        self.identity: bytes | None = None
        """Of its settings, once somebody has asked (`engine.journal`)."""
        self.call_id = call_id
        self.cseq = cseq
        self.line = line
        self.woken = woken
        self.timer_at: float | None = None
        self.attempt: Attempt | None = None
        self.attempts = 0
        self.flow: Flow | None = None
        """What the binding was made over: the loss of a connection, or of the transport, is
        noticed."""
        self.granted_by: Target | None = None
        """The target that granted the binding; an unregister goes there first."""
        self.contact: str | None = None
        """What is granted, as far as is known: the fields of `binding`."""
        self.bound_s = 0
        self.bound_at = 0.0
        self.strays: tuple[Binding, ...] = ()
        """What the registrar may hold besides: Contacts of requests that nobody answered."""
        self.taken_off: tuple[str, ...] = ()
        """The Contacts that its last unregister named."""
        self.accounts: Sequence[Account] = ()
        """What it could answer challenges with when it was removed."""
        self.kept: Kept | None = None
        self.removed = False
        """Gone from the configuration (rather than made anew): shown as `Stopped`."""
        self.word = _NEW.status.word
        """The word last published."""
        self.shard = LOCAL
        """Of a fleet; LOCAL: this machine's own; GONE: not ours any more."""
        self.epoch = 0
        """Under which we own the shard."""
        self.written_cseq = 0
        """Of a fleet: what was last written down; at most so many beyond are used."""
        self.unsettled = False
        """It is waited for the outcome of its first attempt."""
        self.counted: str | None = None
        """The word under which it is counted as shown."""

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.unfolded is not None:
            return self.unfolded
        head, tail = self._lasting[:2], self._lasting[4:]
        return State._make((*head, self._wake_at, self._next_attempt_at, *tail))

    @state.setter
    def state(self, state: State) -> None:
        self.unfolded = state

    def fold(self) -> None:
        """An attempt has settled, and nothing will happen for a while: keep the instants of the
        state, and share the rest with all who rest in the same one."""
        state = self.state
        self._wake_at, self._next_attempt_at = state.wake_at, state.next_attempt_at
        self._lasting = _lasting((*state[:2], None, None, *state[4:]))
        self.unfolded = None

    @property
    def binding(self) -> Binding | None:
        """What is granted, as far as is known; None when nothing is."""
        return None if self.contact is None else Binding(self.contact, self.bound_s, self.bound_at)

    @binding.setter
    def binding(self, binding: Binding | None) -> None:
        # (kept apart: all have one, and nobody looks at it for hours)
        if binding is None:
            self.contact = None
        else:
            self.contact, self.bound_s, self.bound_at = binding

    def lost(self, now: float) -> None:
        """What its binding was made over is gone."""
        self.flow = None
        super().lost(now)

    def check_cseq(self) -> None:
        """Raise TransportError when a successor could not be above the next CSeq: too many were
        used since what it would go on with was written down."""
        if self.shard != LOCAL and self.cseq - self.written_cseq >= RESERVE - 1:
            raise TransportError("what a successor would go on with is not written")

    def wake(self, now: float) -> None:
        """`State.wake_at` has come."""
        self.woken(self)
