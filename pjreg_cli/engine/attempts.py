"""One attempt of a registration: send requests, turn answers into outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine import settled
from pjreg_cli.engine.accounts import Accounts
from pjreg_cli.engine.bindings import bound, doubt
from pjreg_cli.engine.contain import Contained, report
from pjreg_cli.engine.credentials import challenged, kept, signed
from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.exchange import INTERNAL, Exchange, Exchanges
from pjreg_cli.engine.network import no_network
from pjreg_cli.engine.parking import Parking, begun, taken_out
from pjreg_cli.engine.record import answered, failed, signed_by, trouble_of
from pjreg_cli.engine.served import Served
from pjreg_cli.engine.silence import Silence
from pjreg_cli.engine.targets import Targets
from pjreg_cli.errors import SipParseError, TransportError
from pjreg_cli.registration.form import LONGEST_DATAGRAM, USUAL
from pjreg_cli.registration.request import Template
from pjreg_cli.registration.state import Cause, Flight, Hop, Outcome, SendRegister
from pjreg_cli.sip.contacts import (
    granted,
    granted_alone,
    min_expires_s,
    retry_after_s,
    security_servers,
)

if TYPE_CHECKING:
    from pjreg_cli.counters import Tally
    from pjreg_cli.engine.randomness import Ids
    from pjreg_cli.engine.succession import Succession
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.flow import Flow, Source
    from pjreg_cli.net.pool import Pool
    from pjreg_cli.net.resolver import Resolver
    from pjreg_cli.sip.message import Response
    from pjreg_cli.spawner import Spawner


#: what a request that got no answer, or could not be sent, counts as
TIMED_OUT = 408
NOT_SENT = 503

#: how long a target that is not the last one may be silent, in seconds
SILENT_S = 8.0

Settle = Callable[[Entry, Outcome], None]
"""Told every outcome of a request; may be called from within `Attempts.send`."""


class Attempts:
    """Carries out `SendRegister`, and reports what came of it."""

    def __init__(
        self,
        *,
        pool: Pool,
        resolver: Resolver,
        timers: Timers,
        ids: Ids,
        spawn: Spawner,
        settle: Settle,
        faults: Tally,
        succession: Succession,
    ) -> None:
        self._pool = pool
        self._ids = ids
        self._settle = settle
        self._faults = faults
        self._targets = Targets(
            pool=pool,
            resolver=resolver,
            clock=timers.clock,
            spawn=spawn,
            faults=faults,
            succession=succession,
            found=self._located,
            failed=self.give_up,
        )
        self._resting = self._targets.resting
        self.exchanges = Exchanges(timers, self._delivered, faults)
        self.exchanges.lanes.make = self._unpark
        self._parking = Parking(pool, self.exchanges.lanes, timers.clock)
        self.accounts = Accounts()
        self.user_agent = ""  # for registrations that name none
        self.form = USUAL
        self.keep_nonces = False  # whether refreshes go on using the nonce of the last challenge
        self.source: Source | None = None  # where what is delivered just now came from
        self._clock = timers.clock
        self.served = Served()
        self._watch = Silence(timers, self.exchanges.on, self.served.on)

    # -- sending ------------------------------------------------------------------------------

    def send(self, entry: Entry, effect: SendRegister) -> None:
        """Send a REGISTER as the machine wants it."""
        attempt = entry.attempt
        if attempt is None or effect.hop is Hop.FIRST:
            attempt = entry.attempt = Attempt()
            attempt.expires_s = effect.expires_s
            entry.attempts += 1
            self._targets.find(entry, attempt)
            return
        if effect.hop is Hop.NEXT:
            attempt.aim(attempt.tried + 1)
            attempt.repeated = False
        self._request(entry, attempt, effect)

    def unsent(self, entry: Entry) -> bool:
        """Whether the attempt under way has sent nothing: it waits for DNS, or for who leaves."""
        return entry.attempt is not None and entry.attempt.tried < 0

    def _located(self, entry: Entry, attempt: Attempt, why: str) -> None:
        """Send the first request to the first target."""
        if not attempt.targets:
            self._fail(entry, attempt, Cause.UNRESOLVED, why)
        elif not self._parking.takes(entry, attempt):
            attempt.aim(0)
            self._request(entry, attempt, SendRegister(attempt.expires_s))

    def _unpark(self, entry: Entry, flow: Flow) -> None:
        attempt = taken_out(entry, flow)
        if attempt is None:
            return
        with Contained(self._faults, "%s: beginning", entry.name) as step:
            attempt.aim(0)
            self._request(entry, attempt, SendRegister(attempt.expires_s))
        if step.error is not None and entry.attempt is attempt and attempt.exchange is None:
            self.give_up(entry)

    def turn_away(self, entry: Entry, flow: Flow, why: str) -> None:
        """End a parked attempt: there is no way to where it was to go."""
        attempt = taken_out(entry, flow)
        if attempt is not None:
            attempt.aim(0)
            attempt.trouble = flow.trouble
            self._fail(entry, attempt, Cause.SEND_FAILED, why)

    def _request(self, entry: Entry, attempt: Attempt, effect: SendRegister, long: int = 0) -> None:
        target = attempt.target
        try:
            if target is None:
                raise TransportError("no target left")
            entry.check_cseq()
            flow = self._pool.flow(entry.settings.transport, target, long=bool(long))
            template = attempt.template
            if template is None or attempt.flow is not flow:
                template = self._template(entry, attempt, flow)
        except (TransportError, SipParseError) as error:
            attempt.trouble = trouble_of(error)
            self._fail(entry, attempt, Cause.SEND_FAILED, str(error))
            return
        attempt.expires_s = effect.expires_s
        now = self._clock()
        held = bound(entry, template, effect.expires_s, now)
        if not effect.expires_s:
            entry.taken_off = held or (template.offered,)
        attempt.reason, attempt.refused, attempt.response = "", "", None
        answers, mechanisms = attempt.answers, attempt.mechanisms
        if not effect.credentials:
            attempt.tag = self._ids.tag()
            attempt.answers = ()
            before = entry.kept if self.keep_nonces else None
            answers = before.answers if before is not None else ()
            if not effect.agreement:
                mechanisms = before.mechanisms if before is not None else ()
        attempt.signed = signed_by(answers) if answers else None
        branch = self._ids.branch()
        data = template.build(
            effect.expires_s,
            cseq=entry.cseq,
            from_tag=attempt.tag,
            branch=branch,
            bound=held,
            authorization=(
                signed(answers, template.request_uri, self._ids.cnonce) if answers else ()
            ),
            security_verify=mechanisms,
            agreement=effect.agreement,
        )
        if len(data) > LONGEST_DATAGRAM and not (long or self.form.keep_udp):
            self._request(entry, attempt, effect, len(data))
            return
        settled.note_request(entry, effect, target)
        attempt.since = now
        attempt.request = effect
        timeout_s = SILENT_S if attempt.target_left else None
        attempt.exchange = self.exchanges.open(
            entry, flow, branch, entry.cseq, attempt.tag, data, timeout_s
        )
        if flow.reliable:
            self._watch.watch(flow)
        self.exchanges.messages.append((entry.call_id, attempt.since, data))
        entry.cseq += 1

    def _template(self, entry: Entry, attempt: Attempt, flow: Flow) -> Template:
        """One for all requests of an attempt to one target."""
        template = attempt.template = Template(
            entry.settings,
            self.user_agent,
            call_id=entry.call_id,
            line=entry.line,
            protocol=flow.protocol,
            sent_by=flow.sent_by,
            contact=flow.contact,
            form=self.form,
        )
        attempt.flow = flow
        return template

    # -- what comes back ----------------------------------------------------------------------

    def repeat(self, exchange: Exchange) -> None:
        """Send a request anew, to the same target."""
        entry = exchange.entry
        attempt = entry.attempt
        if exchange.over or attempt is None or attempt.exchange is not exchange:
            return
        self.exchanges.drop(exchange)
        attempt.exchange = attempt.template = None
        attempt.repeated = True
        self._request(entry, attempt, attempt.request)

    def refused(self, flow: Flow) -> None:
        """Nobody listens at the UDP target.  With another target that is the end of the request;
        with a single one the resends go on, for a registrar that restarts is back within them."""
        for exchange in self.exchanges.on(flow):
            attempt = exchange.entry.attempt
            if attempt is None or attempt.exchange is not exchange:
                continue
            attempt.refused = "connection refused"
            if attempt.target_left:
                self.exchanges.fail(exchange, "connection refused")

    def forget(self, entry: Entry) -> None:
        """The entry is gone: what is still to come for it is dropped."""
        entry.attempt = None
        self.served.move(entry, None)

    def close(self) -> None:
        """Forget everything under way; nobody is told."""
        self.exchanges.close()
        self._watch.close()

    def _delivered(
        self, exchange: Exchange, response: Response | None, cause: Cause, why: str
    ) -> None:
        entry = exchange.entry
        attempt = entry.attempt
        if attempt is None or attempt.exchange is not exchange:
            return
        attempt.exchange = None
        try:
            self._read_outcome(entry, attempt, exchange, response, cause, why)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it ends here
            report(self._faults, error, "%s: reading an answer", entry.name)
            if entry.attempt is attempt and attempt.exchange is None:
                self.give_up(entry)

    def give_up(self, entry: Entry) -> None:
        """End the attempt under way as failed, for a fault of ours."""
        attempt = entry.attempt or Attempt()
        if attempt.parked:
            attempt = begun(attempt)
        entry.attempt = attempt
        exchange, attempt.exchange = attempt.exchange, None
        if exchange is not None:
            self.exchanges.drop(exchange)
        # there is no telling whether another target would fare better
        attempt.aim(len(attempt.targets) - 1)
        self._fail(entry, attempt, Cause.SEND_FAILED, INTERNAL)

    def _read_outcome(
        self,
        entry: Entry,
        attempt: Attempt,
        exchange: Exchange,
        response: Response | None,
        cause: Cause,
        why: str,
    ) -> None:
        now = self._clock()
        if response is None:
            failed(exchange, attempt, cause, now)
            if cause is Cause.TIMED_OUT:
                why = attempt.refused or self._silence(exchange)
                self._watch.timed_out(exchange.flow)
                self._unheard(entry, attempt, exchange)
            self._fail(entry, attempt, cause, why)
            return
        if attempt.target is not None:
            self._resting.heard(entry.name, attempt.target)
        attempt.reason = response.reason
        attempt.response = response
        outcome = self._read(entry, attempt, response)
        answered(exchange, attempt, response, now, self.source, self.exchanges)
        attempt.outcome = outcome
        if 200 <= outcome.code < 300:
            self._accepted(entry, attempt, exchange.flow, now)
        self._settle(entry, outcome)

    def _silence(self, exchange: Exchange) -> str:
        """What a silence was like."""
        if exchange.flow.open:
            return "no answer"
        timeout_s = min(exchange.timeout_s or self.exchanges.timeout_s, self.exchanges.timeout_s)
        return f"{exchange.flow.target}: no connection within {timeout_s:g} s"

    def _unheard(self, entry: Entry, attempt: Attempt, exchange: Exchange) -> None:
        """A request that nobody answered may have been carried out all the same."""
        if attempt.target is not None:
            self._resting.silent(entry.name, attempt.target, exchange.sent_at)
        if attempt.template is not None and attempt.expires_s:
            doubt(entry, attempt.template, attempt.expires_s, self._clock())

    def _fail(self, entry: Entry, attempt: Attempt, cause: Cause, why: str) -> None:
        """There is no answer: 408 for silence, 503 for everything else."""
        code = TIMED_OUT if cause is Cause.TIMED_OUT else NOT_SENT
        attempt.reason = why
        attempt.response = None
        attempt.outcome = Outcome(
            code,
            cause,
            target_left=attempt.target_left,
            no_network=cause is not Cause.TIMED_OUT and no_network(why),
        )
        self._settle(entry, attempt.outcome)

    def _read(self, entry: Entry, attempt: Attempt, response: Response) -> Outcome:
        """What a final response means to the machine."""
        code = response.code
        if 200 <= code < 300:
            template = attempt.template
            if attempt.expires_s == 0 or template is None:
                return Outcome(code)
            grant = granted_alone(response, template.offered)
            attempt.alone = grant is not None
            if grant is None:
                ours, asked_s = template.contact, attempt.expires_s
                grant = granted(response, ours, asked_s, template.instance, template.offered)
            attempt.missing = grant.missing
            return Outcome(code, Cause.ANSWERED, grant.expires_s)
        repeated = stale = False
        if code in (401, 407):
            # who is leaving goes by what it knew, if its auth sections have gone before it
            accounts = self.accounts.named(entry.settings.outbound_auth) or entry.accounts
            repeated, stale = challenged(attempt, response, accounts)
            entry.kept = None
        fits = code in (401, 407) and bool(attempt.answers)
        if entry.settings.security_negotiation == "mediasec" and code in (401, 407, 494):
            # origin: adds them to those of the challenge before
            attempt.mechanisms = security_servers(response) or attempt.mechanisms
        pause_s = retry_after_s(response) or 0
        if code == 503 and pause_s and attempt.target is not None:
            self._resting.overloaded(attempt.target, pause_s)
        return Outcome(
            code,
            retry_after_s=pause_s,
            min_expires_s=min_expires_s(response),
            credentials_fit=fits,
            repeated=repeated,
            stale=stale,
            target_left=attempt.target_left,
            mechanisms=code == 494 and bool(attempt.mechanisms),
        )

    def _accepted(self, entry: Entry, attempt: Attempt, flow: Flow, now: float) -> None:
        """Remember where the binding is, and by which way it came about."""
        if self.keep_nonces:
            entry.kept = kept(entry.kept, attempt)
        granted_s = attempt.outcome.granted_s if attempt.outcome is not None else 0
        entry.strays = ()
        if entry.state.in_flight is Flight.UNREGISTER or not granted_s:
            entry.granted_by = entry.contact = None
            self.served.move(entry, None)
            return
        if attempt.template is not None:
            entry.contact = attempt.template.offered
            entry.bound_s, entry.bound_at = granted_s, now
        entry.granted_by = attempt.target
        self.served.move(entry, flow)
