"""Instances behind a NAT: what they call themselves, and what comes back through it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import Instance
from tests.support.namespaces import INSIDE, OUTSIDE, OUTSIDE_ROUTER, Nat, nat, require_namespaces
from tests.support.outside import outside
from tests.support.waiting import becomes, running_instance

REGISTRAR_PORT = 5060
OWN_PORT = 5070


@pytest.fixture
def network() -> Iterator[Nat]:
    """Inside, NAT, outside."""
    require_namespaces()
    with nat() as made:
        yield made


def configuration(more: str = "", bind: str = "0.0.0.0") -> str:
    return f"""\
[udp]
type = transport
protocol = udp
bind = {bind}:{OWN_PORT}
{more}

[alice]
type = registration
server_uri = sip:{OUTSIDE}
client_uri = sip:alice@{OUTSIDE}
contact_user = alice
max_random_initial_delay = 0
"""


def address(text: str) -> str:
    """Host and port in a Via or Contact."""
    found = re.search(r"(?:SIP/2\.0/UDP |@)([\d.]+:\d+)", text)
    assert found is not None, text
    return found[1]


def seen_from_outside(instance: Instance, seen: dict[str, Any]) -> None:
    """The registrar saw the router's address, and the operator is told so."""
    host, port = seen["from"]
    assert host == OUTSIDE_ROUTER
    found = becomes(instance, "alice", "Registered")
    assert found["last"]["received"] == f"{host}:{port}"
    assert f"{host}:{port}" in instance.ask("pjreg status alice").out
    notes = json.loads(instance.ask("pjreg explain alice", "--json").out)["notes"]
    (text,) = [note["text"] for note in notes if note["cause"] == "behind-nat"]
    assert f"sees us as {host}:{port}, our Contact says {address(seen['contact'])}:" in text
    local = "local_net takes the registrar for local" in text
    assert local is ("local_net = 198" in (instance.etc / "pjsip.conf").read_text("utf-8"))


@pytest.mark.parametrize("bind", ["0.0.0.0", INSIDE])
def test_without_options_contact_and_via_name_the_inside(
    home: Path, network: Nat, bind: str
) -> None:
    with (
        outside(network.within(network.outside), OUTSIDE, REGISTRAR_PORT) as registrar,
        running_instance(
            home, configuration(bind=bind), prefix=network.within(network.inside)
        ) as instance,
    ):
        seen = registrar.saw()
        assert address(seen["via"]) == address(seen["contact"]) == f"{INSIDE}:{OWN_PORT}"
        assert seen["via"].endswith(";rport") or ";rport;" in seen["via"]
        seen_from_outside(instance, seen)
        # the way back stays open: what follows the REGISTER's path arrives
        assert registrar.ask("OPTIONS") == {"code": 200, "from": seen["from"]}
        assert registrar.ask("INVITE") == {"code": 480, "from": seen["from"]}


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (f"external_signaling_address = {OUTSIDE_ROUTER}", f"{OUTSIDE_ROUTER}:{OWN_PORT}"),
        (
            f"external_signaling_address = {OUTSIDE_ROUTER}\nexternal_signaling_port = 5099",
            f"{OUTSIDE_ROUTER}:5099",
        ),
        (
            f"external_signaling_address = {OUTSIDE_ROUTER}\nlocal_net = 10.0.0.0/8",
            f"{OUTSIDE_ROUTER}:{OWN_PORT}",
        ),
        (
            f"external_signaling_address = {OUTSIDE_ROUTER}\nlocal_net = 198.51.100.0/24",
            f"{INSIDE}:{OWN_PORT}",
        ),
        ("external_signaling_port = 5099", f"{INSIDE}:{OWN_PORT}"),
    ],
)
def test_the_external_address_is_named_where_the_registrar_is_not_local(
    home: Path, network: Nat, more: str, named: str
) -> None:
    with (
        outside(network.within(network.outside), OUTSIDE, REGISTRAR_PORT) as registrar,
        running_instance(
            home, configuration(more), prefix=network.within(network.inside)
        ) as instance,
    ):
        seen = registrar.saw()
        assert address(seen["via"]) == address(seen["contact"]) == named
        seen_from_outside(instance, seen)
        assert registrar.ask("OPTIONS") == {"code": 200, "from": seen["from"]}
        instance.ask("pjsip send unregister alice")
        assert address(registrar.saw()["contact"]) == named
        becomes(instance, "alice", "Unregistered")


def test_a_router_that_goes_away_and_comes_back_is_survived(home: Path, network: Nat) -> None:
    more = "[system]\ntype = system\ntimer_t1 = 100\ntimer_b = 6400\n"
    text = configuration() + "retry_interval = 1\n" + more
    with outside(network.within(network.outside), OUTSIDE, REGISTRAR_PORT) as registrar:
        network.cut()
        with running_instance(home, text, prefix=network.within(network.inside)) as instance:
            becomes(instance, "alice", "Rejected")
            network.mend()
            seen_from_outside(instance, registrar.saw())
