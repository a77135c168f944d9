"""What the state that an earlier owner has left means to a registration (values only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pjreg_cli.errors import SipParseError
from pjreg_cli.registration.request import next_hop
from pjreg_cli.registration.state import Resumed, Status
from pjreg_cli.sip.locate import Target

if TYPE_CHECKING:
    from pjreg_cli.cluster.resume import Resumable
    from pjreg_cli.config.models import Registration


def resumption(settings: Registration, left: Resumable) -> Resumed | None:
    """What it goes on with; None when it starts anew, with its Call-ID only: its binding has ended,
    or an operator who starts the program again wants it tried again."""
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
