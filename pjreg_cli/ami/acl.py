"""Which addresses an account may come from: `permit` and `deny`; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Rules = Sequence[tuple[bool, Network]]


def permits(rules: Rules, address: str) -> bool:
    """Whether `address` may come in: the last rule that matches decides, without one yes.

    Rules are (True for permit, network).  An address that cannot be read is shut out as soon as
    there are rules.
    """
    if not rules:
        return True
    try:
        who = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = who.ipv4_mapped if isinstance(who, ipaddress.IPv6Address) else None
    sense = True
    for permit, network in rules:
        if (mapped or who) in network or who in network:
            sense = permit
    return sense


def shown(rules: Rules) -> tuple[tuple[bool, str], ...]:
    """The rules as the console lists them: `address/mask`."""
    return tuple((permit, network.with_netmask) for permit, network in rules)
