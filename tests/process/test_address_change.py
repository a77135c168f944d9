"""Addresses and routes that come, go and change while an instance runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.namespaces import INSIDE, OUTSIDE, Nat, nat, require_namespaces
from tests.support.outside import outside
from tests.support.waiting import becomes, running_instance, status, until

REGISTRAR_PORT = 5060
OWN_PORT = 5070
LATER = "10.71.0.77"
#: an address of IPv6, which the network of these tests does not have
NOWHERE = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"


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


def name_servers(home: Path, *servers: str) -> None:
    """Who is asked for names."""
    (home / "etc").mkdir()
    lines = "".join(f"nameserver = {server}\n" for server in servers)
    (home / "etc/resolver_unbound.conf").write_text(f"[general]\n{lines}resolv =\nhosts =\n")


@pytest.mark.parametrize("servers", [(OUTSIDE,), (NOWHERE,), (OUTSIDE, NOWHERE)], ids=str)
@pytest.mark.parametrize("uri", [OUTSIDE, f"{OUTSIDE}\\;transport=tcp", "registrar.example"])
def test_a_network_that_is_not_there_yet_uses_up_no_retries(
    home: Path, network: Nat, uri: str, servers: tuple[str, ...]
) -> None:
    network.cut()
    name_servers(home, *servers)
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


def test_a_name_server_of_ipv6_that_is_unreachable_is_no_missing_network(
    home: Path, network: Nat
) -> None:
    """Another one refuses: that is heeded, and counts."""
    name_servers(home, OUTSIDE, NOWHERE)
    options = (
        configuration().replace("3600", "1").replace(f"sip:{OUTSIDE}\nclient", "sip:a.b\nclient")
    )
    options += "max_retries = 3\n"
    with running_instance(home, options, prefix=network.within(network.inside)) as instance:
        until(lambda: status(instance, "alice")["retries"] >= 1, "a retry that counts", 40)
        found = becomes(instance, "alice", "Rejected", 40)
        assert found["last"]["rule"] != "no network", found["last"]
