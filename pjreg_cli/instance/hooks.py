"""Runs commands when registrations change: few at once, none for long, no shell in between.

Facts go into the environment.  While all places are taken changes are gathered, the last one of
each registration; many of them are then told to one command together.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pjreg_cli.api.notices import Notice, Notices, Settled, StateDropped
from pjreg_cli.config.observers import HookSettings
from pjreg_cli.counters import Counters
from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.instance")

#: changes that are told one by one; more that wait are told together
ONE_BY_ONE = 10
#: names told together, and registrations whose change may wait
_NAMES = 100
_WAITING = 100_000
#: longest value in the environment, in characters
_LONGEST = 500
_KINDS = {"Rejected": "on_rejected", "Registered": "on_registered"}


class Change(NamedTuple):
    """A registration has got another word."""

    name: str
    facts: Mapping[str, str]
    word: str


class Hooks:
    """The hooks of one instance; `settings` gives those in force."""

    def __init__(
        self,
        settings: Callable[[], HookSettings],
        spawn: Spawner,
        counters: Counters | None = None,
    ) -> None:
        counts = counters or Counters()
        self._untold = counts.declare("hooks_untold", "changes that no hook was told")
        self._killed = counts.declare("hooks_killed", "hooks that took too long")
        self._settings = settings
        self._spawn = spawn
        self._waiting: dict[tuple[str, str], Change] = {}
        self._running = 0
        self._lost = 0
        self._closed = False

    def start(self, notices: Notices) -> Callable[[], None]:
        """Follow what happens from now on; the result ends that."""
        unsubscribe = notices.subscribe(self.tell, Settled, StateDropped)

        def end() -> None:
            self._closed = True
            unsubscribe()

        return end

    @property
    def busy(self) -> bool:
        """Whether commands run or wait."""
        return bool(self._running or self._waiting)

    def tell(self, notice: Notice) -> None:
        """Take note of a change; called on the event loop."""
        settings = self._settings()
        if not settings.wanted:
            return
        match notice:
            case Settled() if notice.word != notice.old_word:
                change = Change(notice.name, _facts(notice), notice.word)
            case StateDropped(name=name, word=word) if word == "Registered":
                facts = {"NAME": name, "STATUS": "Unregistered", "OLD_STATUS": word}
                change = Change(name, facts, "Unregistered")
            case _:
                return
        for kind in ("on_change", _KINDS.get(change.word, "")):
            if kind and getattr(settings, kind):
                self._enqueue(kind, change)
        self._pump()

    def _enqueue(self, kind: str, change: Change) -> None:
        key = (kind, change.name)
        self._waiting.pop(key, None)
        if len(self._waiting) >= _WAITING:
            self._lost += 1
            self._untold.add()
            return
        self._waiting[key] = change

    def _pump(self) -> None:
        settings = self._settings()
        while self._waiting and self._running < max(1, settings.at_once) and not self._closed:
            kind = next(iter(self._waiting))[0]
            same = [key for key in self._waiting if key[0] == kind]
            taken = same if len(same) > ONE_BY_ONE else same[:1]
            changes = [self._waiting.pop(key) for key in taken]
            self._running += 1
            command = str(getattr(settings, kind))
            self._spawn(self._run(kind, command, changes, settings.timeout), f"hook {kind}")

    async def _run(self, kind: str, command: str, changes: list[Change], timeout_s: float) -> None:
        try:
            words = shlex.split(command)
            if words:
                environment = _environment(kind, changes)
                in_time = await _execute(kind, words, environment, max(1.0, timeout_s))
                self._killed.add(not in_time)
        finally:
            self._running -= 1
            if self._lost:
                _log.warning("hook %s: %d changes were not told", kind, self._lost)
                self._lost = 0
            self._pump()


async def _execute(
    kind: str, words: list[str], environment: Mapping[str, str], timeout_s: float
) -> bool:
    """Run one command; whether it came to its end in time, if it began at all."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        _log.warning("hook %s: %s cannot be run: %s", kind, words[0], error)
        return True
    try:
        async with asyncio.timeout(timeout_s):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        _log.warning("hook %s: %s took longer than %g s and was killed", kind, words[0], timeout_s)
        return False
    if status:
        _log.warning("hook %s: %s ended with status %d", kind, words[0], status)
    return True


def _facts(notice: Settled) -> dict[str, str]:
    evidence = notice.evidence
    why = notice.why()
    return {
        "NAME": notice.name,
        "STATUS": notice.word,
        "OLD_STATUS": notice.old_word,
        "ACCOUNT": notice.client_uri,
        "SERVER": notice.server_uri,
        "CODE": str(evidence.code),
        "REASON": evidence.reason,
        "CAUSE": why.cause,
        "FINDING": why.finding,
        "TARGET": evidence.target,
        "NEXT_S": str(notice.next_attempt_s),
        "AT": f"{evidence.at:.0f}",
    }


def _environment(kind: str, changes: list[Change]) -> dict[str, str]:
    """What a command is told; of several changes how many there are, and whose."""
    facts = dict(changes[-1].facts) if len(changes) == 1 else {}
    facts |= {
        "HOOK": kind,
        "COUNT": str(len(changes)),
        "NAMES": "\n".join(change.name for change in changes[:_NAMES]),
    }
    return {f"PJREG_{name}": _inert(name, value) for name, value in facts.items()}


def _inert(name: str, value: str) -> str:
    """A value without control characters, and cut; the names stand one a line."""
    kept = "\n" if name == "NAMES" else ""
    plain = "".join(one if one.isprintable() or one in kept else "?" for one in value)
    return plain if name == "NAMES" else plain[:_LONGEST]
