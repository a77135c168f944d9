"""Targets that were silent, or asked to be left alone: they are put behind the others for a while.

RFC 3263 section 4.3 and RFC 3261 section 21.5.4.  A silent first target costs its time once, not
at every refresh; when its time is over, one registration at a time finds out whether it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.sip.locate import Target

#: how long a target that was silent is passed over, doubled each time up to the longest, in seconds
SILENT_S = 60.0
LONGEST_S = 1800.0
#: the longest Retry-After that a target is left alone for, in seconds
LONGEST_RETRY_AFTER_S = 86_400.0
#: how long the registration that tries a target again has for it, in seconds
PROBE_S = 32.0
#: targets remembered at most; all are forgotten beyond that
_KEPT = 10_000

_Key = tuple[str, str, str, int]


class _Rest:
    """One target's time out."""

    __slots__ = ("probed_until", "silences", "since_at", "until_at")

    def __init__(self) -> None:
        self.since_at = self.until_at = self.probed_until = 0.0
        self.silences = 0


class RestingTargets:
    """Who is passed over, and until when; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rests: dict[_Key, _Rest] = {}
        self._heard: dict[_Key, float] = {}

    def ordered(self, who: str, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """The targets for the registration `who`: those that are passed over come last."""
        if not self._rests or len(targets) < 2:
            return targets
        now = self._clock()
        rests = [self._back_at(who, target, now) for target in targets]
        if not any(rests):
            return targets
        # of those that rest, the one that is to be back first comes first
        order = sorted(range(len(targets)), key=rests.__getitem__)
        return tuple(targets[index] for index in order)

    def _back_at(self, who: str, target: Target, now: float) -> float:
        """When a target is to be asked again; 0 for now."""
        for key in (_key(target), _key(target, who)):
            rest = self._rests.get(key)
            if rest is None:
                continue
            if now < rest.until_at or now < rest.probed_until:
                return max(rest.until_at, rest.probed_until)
            rest.probed_until = now + PROBE_S
        return 0.0

    def heard(self, who: str, target: Target) -> None:
        """The target has answered."""
        key = _key(target)
        if len(self._heard) >= _KEPT:
            self._heard.clear()
        self._heard[key] = self._clock()
        if self._rests:
            self._rests.pop(key, None)
            self._rests.pop(_key(target, who), None)

    def silent(self, who: str, target: Target, sent_at: float) -> None:
        """A request that was sent at `sent_at` got no answer.  Where others got theirs meanwhile,
        the target is passed over for this registration only."""
        key = _key(target)
        if self._heard.get(key, -1.0) >= sent_at:
            key = _key(target, who)
        rest = self._rest(key)
        if rest.silences and sent_at <= rest.since_at:
            return  # one of many that were under way together
        rest.silences += 1
        rest_s = SILENT_S * 2 ** min(rest.silences - 1, 10)
        self._begin(rest, min(rest_s, LONGEST_S))

    def overloaded(self, target: Target, retry_after_s: float) -> None:
        """The target has said when to come back (503 with Retry-After)."""
        self._begin(self._rest(_key(target)), min(retry_after_s, LONGEST_RETRY_AFTER_S))

    def _rest(self, key: _Key) -> _Rest:
        if len(self._rests) >= _KEPT:
            self._rests.clear()
        return self._rests.setdefault(key, _Rest())

    def _begin(self, rest: _Rest, for_s: float) -> None:
        rest.since_at = self._clock()
        rest.until_at = rest.since_at + for_s
        rest.probed_until = 0.0


def _key(target: Target, who: str = "") -> _Key:
    return who, target.protocol, target.host, target.port
