"""Which address a target is told."""

from __future__ import annotations

import pytest

from pjreg_cli.config.models import Transport
from pjreg_cli.errors import TransportError
from pjreg_cli.net.own_address import OwnAddress, Routes
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target


def test_a_route_is_believed_for_a_while_only() -> None:
    now = [0.0]
    routes = Routes(lambda: now[0])
    assert routes.address_to("127.0.0.1") == "127.0.0.1"
    routes._found["127.0.0.1"] = (10.0, "192.0.2.1")  # as if the interface had changed
    assert routes.address_to("127.0.0.1") == "192.0.2.1"
    now[0] = 11.0
    assert routes.address_to("127.0.0.1") == "127.0.0.1"


def test_no_route_is_an_error_of_the_transport() -> None:
    with pytest.raises(TransportError, match=r"no route to 255\.255\.255\.255"):
        Routes(lambda: 0.0).address_to("255.255.255.255")


def test_a_trace_gets_an_address_even_without_a_route() -> None:
    options = Transport(name="a", source="", host="0.0.0.0", port=5060)
    local = OwnAddress(options, Address("0.0.0.0", 5060), Routes(lambda: 0.0))
    ours, theirs = local.ends(("255.255.255.255", 5070))
    assert (ours, theirs) == (Address("0.0.0.0", 5060), Address("255.255.255.255", 5070))


def test_a_host_name_counts_once_its_address_is_known() -> None:
    options = Transport(
        name="a", source="", host="127.0.0.1", port=5060, external_signaling_address="nat.example"
    )
    local = OwnAddress(options, Address("127.0.0.1", 5060), Routes(lambda: 0.0))
    translated = local.translated(Target("udp", "127.0.0.1", 5060, "x"))
    assert translated
    with pytest.raises(TransportError, match=r"nat\.example has no address yet"):
        local.named("127.0.0.1", translated)
    local.external = "192.0.2.9"
    assert local.named("127.0.0.1", translated) == Address("192.0.2.9", 5060)
