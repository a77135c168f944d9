"""What the state that an earlier owner has left means to a registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pjreg_cli.engine.bindings import Binding
from pjreg_cli.errors import PjregError, SipParseError
from pjreg_cli.registration.route import next_hop, our_contact
from pjreg_cli.registration.state import Resumed, Status
from pjreg_cli.sip.locate import Target

if TYPE_CHECKING:
    from pjreg_cli.cluster.resume import Resumable
    from pjreg_cli.config.models import Registration
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.share import Gate
    from pjreg_cli.net.pool import Pool


def resumption(settings: Registration, left: Resumable, taken_over: bool = False) -> Resumed | None:
    """What it goes on with; None when it starts anew, with its Call-ID only: its binding has ended,
    or an operator who starts the program again wants it tried again.

    When it is `taken_over` from another machine, nobody wants that: what was rejected for good, or
    unregistered by command, stays so.
    """
    if taken_over and left.code and left.refresh_in_s is None:
        for status in (Status.REJECTED_PERMANENT, Status.UNREGISTERED):
            if left.status == status.value:
                return Resumed(status, None, left.retries, left.requested_s)
    if left.status == Status.REGISTERED.value and (left.expires_in_s or 0.0) > 0:
        due_s = 0.0 if left.refresh_in_s is None else max(left.refresh_in_s, 0.0)
        return Resumed(Status.REGISTERED, due_s, 0, left.requested_s)
    if left.status == Status.REJECTED_TEMPORARY.value and left.refresh_in_s is not None:
        due_s = min(max(left.refresh_in_s, 0.0), 86400.0)
        return Resumed(Status.REJECTED_TEMPORARY, due_s, left.retries, left.requested_s)
    return None


def granted_by(settings: Registration, text: str) -> Target | None:
    """The target whose text is `udp:192.0.2.1:5060`; None when it is none."""
    protocol, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if not (protocol and host and port.isdigit()):
        return None
    try:
        name = next_hop(settings).host
    except SipParseError:
        return None
    return Target(protocol, host.strip("[]"), int(port), name)


def go_on(entry: Entry, left: Resumable, pool: Pool, gate: Gate, now: float) -> Resumed | None:
    """What `entry` goes on with, its binding noted; None when it starts anew.  At once where the
    way back to us was lost with the earlier owner."""
    resumed = resumption(entry.settings, left, gate.shared)
    if resumed is None or resumed.status is not Status.REGISTERED:
        return resumed
    entry.granted_by = granted_by(entry.settings, left.target)
    granted_at = now + (left.expires_in_s or 0.0) - left.granted_s
    entry.binding = Binding(left.contact, left.granted_s, granted_at)
    if same_way_back(entry, pool, gate.takeover, left.received if gate.shared else ""):
        return resumed
    return resumed._replace(due_s=0.0)


def same_way_back(entry: Entry, pool: Pool, how: str, received: str) -> bool:
    """Whether calls find their way to us without another REGISTER: the Contact we would offer now
    is the one that was granted, over UDP, and the registrar had not `received` the request from
    another address, behind which there may be a NAT.  `how` is `takeover`: what `auto` finds out,
    `refresh` and `register` decide."""
    target, binding = entry.granted_by, entry.binding
    if target is None or binding is None or target.protocol != "udp":
        return how == "refresh"
    try:
        flow = pool.flow(entry.settings.transport, target)
        offered = our_contact(entry.settings, flow.protocol, flow.contact, entry.line)
    except PjregError:
        return how == "refresh"
    entry.flow = flow
    if how != "auto":
        return how == "refresh"
    behind = received and offered.host not in received
    return str(offered) == binding.contact and not behind
