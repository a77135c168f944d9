"""What a database says of its tables when they have changed: which rows to read again (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pjreg_cli.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be read again; None: all of it."""

    shards: frozenset[int] | None = None
    auths: frozenset[str] | None = None

    def within(self, settings: Settings) -> Settings:
        """`settings` as a run starts from that reads no more than this.  On a machine that shares
        nothing everything is read, as where something could not be read before."""
        if settings.shards is None or settings.unread:
            return settings
        return replace(settings, fresh=self.shards, stale=self.auths)


EVERYTHING = Told()


def told(payloads: Iterable[str]) -> Told:
    """What notifications say together.

    `shards 7,12` and `auths a,b` name what has changed; `auths *` and anything else is everything.
    """
    shards: set[int] = set()
    auths: set[str] | None = set()
    for payload in payloads:
        kind, _, names = payload.partition(" ")
        numbers = names.split(",")
        if kind == "shards" and all(number.isdecimal() for number in numbers):
            shards |= {int(number) for number in numbers}
        elif kind == "auths" and names == "*":
            auths = None
        elif kind == "auths" and names:
            auths = None if auths is None else auths | set(numbers)
        else:
            return EVERYTHING
    return Told(frozenset(shards), None if auths is None else frozenset(auths))
