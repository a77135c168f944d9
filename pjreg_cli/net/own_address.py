"""Which address of ours a target is told: bound, routed, or that of the NAT in front of us."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pjreg_cli.errors import TransportError
from pjreg_cli.sip.address import Address, is_numeric
from pjreg_cli.sip.locate import Target

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport

#: how long a route is believed to stay, in seconds
_ROUTE_S = 10.0
#: routes kept at most
_KEPT = 10_000


class AddressUnknownError(TransportError):
    """Nobody can tell yet by which address others reach us."""


class Routes:
    """The local address from which the system reaches a host."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, str]] = {}

    def address_to(self, host: str) -> str:
        """The address of the interface that leads to `host` (numeric); raises TransportError."""
        now = self._clock()
        known = self._found.get(host)
        if known is not None and now < known[0]:
            return known[1]
        address = _routed(host)
        if len(self._found) >= _KEPT:
            self._found.clear()
        self._found[host] = (now + _ROUTE_S, address)
        return address

    def forget(self) -> None:
        """Ask for every route again."""
        self._found.clear()


def _routed(host: str) -> str:
    """Let the system choose a source address; a connected UDP socket sends nothing for that."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 5060))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise TransportError(f"no route to {host}: {error.strerror or error}") from error


class OwnAddress:
    """What one transport calls itself.  `bound` is where its socket listens."""

    __slots__ = (
        "_networks", "_port", "_routes", "anywhere", "bound", "external", "hostname", "transport",
    )  # fmt: skip

    def __init__(self, options: Transport, bound: Address, routes: Routes) -> None:
        self.transport = options.name
        self.bound = bound
        self.anywhere = ipaddress.ip_address(bound.host.partition("%")[0]).is_unspecified
        """Bound to 0.0.0.0 or [::]."""
        self._routes = routes
        self._networks = options.local_net
        self._port = options.external_signaling_port or bound.port
        given = options.external_signaling_address.strip("[]")
        self.external = given if is_numeric(given) else ""
        """Numeric external_signaling_address; empty while there is none."""
        self.hostname = "" if self.external else given
        """The name to look up for `external`; empty when there is nothing to look up."""

    @property
    def version(self) -> int:
        """The version of IP, 4 or 6."""
        return 6 if ":" in self.bound.host else 4

    def translated(self, target: Target) -> bool:
        """Whether there is a NAT between us and the target: it is in no local_net."""
        if not self.external and not self.hostname:
            return False
        address = ipaddress.ip_address(target.host)
        return not any(address in network for network in self._networks)

    def socket_address(self, host: str) -> Address:
        """Where packets to `host` really come from; for streams the listening port."""
        if self.anywhere:
            return Address(self._routes.address_to(host), self.bound.port)
        return self.bound

    def named(self, host: str, translated: bool) -> Address:
        """What Via and Contact of a request to `host` name (`translated`: see there).

        Raises TransportError; AddressUnknownError while the name of the NAT in front of us has no
        address: the private one would be believed for as long as the binding lasts.
        """
        if not translated:
            return self.socket_address(host)
        if not self.external:
            raise AddressUnknownError(
                f"external_signaling_address {self.hostname} has no address yet"
            )
        return Address(self.external, self._port)

    def leaves_elsewhere(self, host: str, address: str) -> bool:
        """Whether what is sent to `host` now leaves from another address than `address`; False
        while there is no way at all."""
        try:
            return self.anywhere and self._routes.address_to(host) != address
        except TransportError:
            return False

    def ends(self, address: tuple[Any, ...]) -> tuple[Address, Address]:
        """Our address and that of the other side, for a trace; never raises."""
        theirs = Address(str(address[0]), int(address[1]))
        try:
            return self.socket_address(theirs.host), theirs
        except TransportError:
            return self.bound, theirs
