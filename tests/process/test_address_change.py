"""Addresses and routes that come, go and change while an instance runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.namespaces import INSIDE, OUTSIDE, Nat, nat, require_namespaces
from tests.support.outside import outside
from tests.support.waiting import becomes, running_instance, status, until

pytestmark = pytest.mark.timeout(60)
REGISTRAR_PORT = 5060
OWN_PORT = 5070
LATER = "10.71.0.77"


@pytest.fixture
def network() -> Iterator[Nat]:
    """Inside, NAT, outside."""
    require_namespaces()
    with nat() as made:
        yield made


def configuration(bind: str = "0.0.0.0") -> str:
    # nothing but what is noticed leads to another REGISTER before the test is over
    return f"""\
[udp]
type = transport
protocol = udp
bind = {bind}:{OWN_PORT}

[alice]
type = registration
server_uri = sip:{OUTSIDE}
client_uri = sip:alice@{OUTSIDE}
contact_user = alice
max_random_initial_delay = 0
retry_interval = 3600
"""


def test_a_new_address_of_the_host_is_registered_at_once(home: Path, network: Nat) -> None:
    with (
        outside(network.within(network.outside), OUTSIDE, REGISTRAR_PORT) as registrar,
        running_instance(home, configuration(), prefix=network.within(network.inside)) as instance,
    ):
        assert f"{INSIDE}:{OWN_PORT}" in registrar.saw()["contact"]
        becomes(instance, "alice", "Registered")
        network.inside_has(LATER)
        assert f"{LATER}:{OWN_PORT}" in registrar.saw()["contact"]
        becomes(instance, "alice", "Registered")


def test_a_network_that_comes_late_is_used_at_once(home: Path, network: Nat) -> None:
    with outside(network.within(network.outside), OUTSIDE, REGISTRAR_PORT) as registrar:
        network.cut()
        with running_instance(
            home, configuration(), prefix=network.within(network.inside)
        ) as instance:
            becomes(instance, "alice", "Rejected")
            network.mend()
            assert f"{INSIDE}:{OWN_PORT}" in registrar.saw()["contact"]
            becomes(instance, "alice", "Registered")


@pytest.mark.parametrize("uri", [OUTSIDE, f"{OUTSIDE}\\;transport=tcp", "registrar.example"])
def test_a_network_that_is_not_there_yet_uses_up_no_retries(
    home: Path, network: Nat, uri: str
) -> None:
    network.cut()
    (home / "etc").mkdir()
    (home / "etc/resolver_unbound.conf").write_text(
        f"[general]\nnameserver = {OUTSIDE}\nresolv =\nhosts =\n"
    )
    options = (
        configuration().replace("3600", "1").replace(f"sip:{OUTSIDE}\nclient", f"sip:{uri}\nclient")
    )
    options += "max_retries = 1\n[tcp]\ntype = transport\nprotocol = tcp\nbind = 0.0.0.0\n"
    prefix = network.within(network.inside)
    with running_instance(home, options, prefix=prefix) as instance:
        found = becomes(instance, "alice", "Rejected")
        assert found["last"]["rule"] == "no network", found["last"]
        until(lambda: status(instance, "alice")["attempts"] >= 4, "still tried")
        found = becomes(instance, "alice", "Rejected")
        assert (found["last"]["rule"], found["retries"]) == ("no network", 0)


def test_an_address_that_comes_late_is_bound_at_last(home: Path, network: Nat) -> None:
    with (
        outside(network.within(network.outside), OUTSIDE, REGISTRAR_PORT) as registrar,
        running_instance(
            home, configuration(LATER), prefix=network.within(network.inside)
        ) as instance,
    ):
        becomes(instance, "alice", "Rejected")
        network.inside_has(LATER)
        assert f"{LATER}:{OWN_PORT}" in registrar.saw()["contact"]
        becomes(instance, "alice", "Registered")
