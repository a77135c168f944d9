"""What the console shows of AMI: users, sessions, actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ManagerUser(NamedTuple):
    """A section of manager.conf."""

    name: str
    has_secret: bool
    acl: tuple[tuple[bool, str], ...]
    """In order: (True for permit, `address/mask`)."""
    read: tuple[str, ...]
    """Classes in the file; `all` stands for itself."""
    write: tuple[str, ...]
    displayconnects: bool
    allowmultiplelogin: bool


class ManagerSession(NamedTuple):
    """A logged-in AMI connection; `read` and `write` are Asterisk's bit masks."""

    username: str
    address: str
    started_at: float
    fileno: int
    read: int
    write: int


class ManagerAction(NamedTuple):
    """An AMI action as the console explains it."""

    name: str
    privilege: str
    summary: str
    description: str


class Managers(Protocol):
    """What the console shows of AMI."""

    def users(self) -> Sequence[ManagerUser]:
        """In the order of the file."""
        ...

    def settings(self) -> Sequence[tuple[str, str]]:
        """Pairs of `manager show settings`."""
        ...

    def sessions(self) -> Sequence[ManagerSession]: ...

    def actions(self) -> Sequence[ManagerAction]: ...
