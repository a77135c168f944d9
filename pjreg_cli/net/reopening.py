"""A reload of the transports: what stays, what opens, what closes, and in which order.

What runs is not given up for something that cannot be had: where the new form of a transport does
not open, the old one goes on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pjreg_cli.errors import TransportError
from pjreg_cli.net import tls
from pjreg_cli.net.flow import Failure, Flow
from pjreg_cli.net.sockets import InUseError
from pjreg_cli.net.tcp import StreamEndpoint
from pjreg_cli.net.udp import UdpEndpoint
from pjreg_cli.sip.locate import TransportKind

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport

_GOES_ON = "what was before goes on"


@dataclass(slots=True, eq=False, repr=False)
class Section:
    """A transport that is open; `endpoint` is None for a protocol that we do not use."""

    options: Transport
    endpoint: UdpEndpoint | StreamEndpoint | None
    files: tls.Files = ()
    """The state of its certificate files when they were read."""

    @property
    def kind(self) -> TransportKind:
        """Its protocol and version of IP."""
        return kind_of(self.options)


@dataclass(slots=True, eq=False, repr=False)
class Reopening:
    """One reload, from the sections that are open to those that are `wanted`.

    `open_` opens one, raising TransportError; `close` closes one and tells which flows that ends.
    """

    old: Mapping[str, Section]
    wanted: Mapping[str, Transport]
    open_: Callable[[Transport], Awaitable[Section]]
    close: Callable[[Section], Awaitable[tuple[Flow, ...]]]
    sections: dict[str, Section] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    cut: list[Flow] = field(default_factory=list)
    """Flows that ended with it."""
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Differ from the file, but may not be reopened."""
    renewed: list[str] = field(default_factory=list)
    """Have other certificates for connections to come."""

    async def run(self) -> None:
        """Do it."""
        for name, section in self.old.items():
            if name not in self.wanted:
                await self._cut(section)
        waiting = [name for name in self.wanted if not await self._is_settled(name)]
        # a port may pass from one section to another: first all that have one let go of it
        for name in waiting:
            if name in self.old:
                await self._cut(self.old[name])
        for name in waiting:
            await self._open_at_last(name)
        self.sections = {name: self.sections[name] for name in self.wanted if name in self.sections}

    async def _is_settled(self, name: str) -> bool:
        """Deal with one; False when it wants an address that one of ours still has."""
        before, options = self.old.get(name), self.wanted[name]
        if before is not None and not self._is_to_change(before, options):
            self.sections[name] = before
            self._renew(name, before)
            return True
        try:
            section = await self.open_(options)
        except TransportError as error:
            ours = [one for other, one in self.old.items() if other in self.wanted]
            if isinstance(error, InUseError) and any(_is_same(options, one) for one in ours):
                return False
            self._fail(name, error, before)
            if before is not None:
                self.sections[name] = before
            return True
        self._take(name, section)
        if before is not None:
            await self._cut(before)
        return True

    async def _open_at_last(self, name: str) -> None:
        before = self.old.get(name)
        try:
            self._take(name, await self.open_(self.wanted[name]))
        except TransportError as error:
            if before is not None:
                try:
                    self.sections[name] = await self.open_(before.options)
                except TransportError:
                    before = None
            self._fail(name, error, before)

    def _is_to_change(self, before: Section, options: Transport) -> bool:
        if not differ(options, before.options):
            return False
        if not options.allow_reload:
            self.kept.append(options.name)
            return False
        return True

    def _renew(self, name: str, section: Section) -> None:
        """Read certificate files that are others than before."""
        files = tls.files(section.options)
        if files == section.files or not isinstance(section.endpoint, StreamEndpoint):
            return
        try:
            section.endpoint.renew()
        except TransportError as error:
            self._fail(name, error, section)
        else:
            section.files = files
            self.renewed.append(name)

    def _take(self, name: str, section: Section) -> None:
        self.sections[name] = section
        if name in self.old:
            self.changed.append(name)

    def _fail(self, name: str, error: TransportError, before: Section | None) -> None:
        why = f"{error}; {_GOES_ON}" if before is not None else str(error)
        self.failed[name] = Failure(why, isinstance(error, InUseError))

    async def _cut(self, section: Section) -> None:
        self.cut += await self.close(section)


def kind_of(options: Transport) -> TransportKind:
    """The protocol and the version of IP of a transport."""
    return TransportKind(options.protocol, 6 if ":" in options.host else 4)


def _is_same(options: Transport, section: Section) -> bool:
    """Whether a transport wants an address that an open one has."""
    other = section.options
    same_kind = (options.protocol == "udp") is (other.protocol == "udp")
    return same_kind and options.port == other.port and kind_of(options)[1] == section.kind[1]


def differ(one: Transport, other: Transport) -> bool:
    """Whether two sections say different things; where they stand in the file does not matter."""
    names = [field.name for field in dataclasses.fields(one) if field.name != "source"]
    return any(getattr(one, name) != getattr(other, name) for name in names)
