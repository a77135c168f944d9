"""What the pure half of a refresh costs: react, and building the two REGISTERs of it.

Run: python -m benchmarks.react
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import dataclass

from pjreg_cli.registration.machine import react
from pjreg_cli.registration.request import Template
from pjreg_cli.registration.state import Outcome, Policy, State, Status, Wake
from pjreg_cli.sip.address import Address

#: budgets in microseconds, on one core of the year 2020
BUDGET_US = {"react": 6.0, "build": 3.0}
ROUNDS = 20_000


@dataclass(frozen=True, slots=True)
class Section:
    """A trunk as it is usually configured."""

    server_uri: str = "sip:registrar.example.com"
    client_uri: str = "sip:4930123456@registrar.example.com"
    contact_user: str = "4930123456"
    contact_header_params: str = ""
    outbound_proxy: str = ""
    user_agent: str = ""
    support_path: bool = False
    support_outbound: bool = False
    security_negotiation: str = "no"
    security_mechanisms: tuple[str, ...] = ()


def refresh() -> None:
    """Three events of a refresh: wake, challenge, grant."""
    state, _ = react(State(Status.REGISTERED, wake_at=1.0), Wake(), POLICY, 1.0)
    state, _ = react(state, CHALLENGE, POLICY, 1.1)
    react(state, GRANT, POLICY, 1.2)


POLICY = Policy()
CHALLENGE = Outcome(401, credentials_fit=True)
GRANT = Outcome(200, granted_s=3600)
ADDRESS = Address("192.0.2.1", 5060)
TEMPLATE = Template(
    Section(),
    "pjreg-cli",
    call_id="0" * 32,
    line="",
    protocol="udp",
    sent_by=ADDRESS,
    contact=ADDRESS,
)
CREDENTIALS = (("Authorization", f"Digest {'x' * 200}"),)


def answer() -> None:
    """A REGISTER with credentials."""
    TEMPLATE.build(
        3600, cseq=2, from_tag="f" * 16, branch="z9hG4bK" + "b" * 24, authorization=CREDENTIALS
    )


def best_us(work: Callable[[], None]) -> float:
    """Microseconds of the fastest of several runs."""
    return min(timeit.repeat(work, number=ROUNDS, repeat=5)) / ROUNDS * 1e6


def main() -> int:
    """Print both numbers; 1 when one is over budget."""
    measured = {"react": best_us(refresh) / 3, "build": best_us(answer)}
    for name, us in measured.items():
        print(f"{name:6} {us:5.2f} us  (budget {BUDGET_US[name]:.1f})")
    return int(any(us > BUDGET_US[name] for name, us in measured.items()))


if __name__ == "__main__":
    raise SystemExit(main())
