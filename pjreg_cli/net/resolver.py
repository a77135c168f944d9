"""Finds the targets of a URI: asks the name servers what `sip.locate` wants to know."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Asked, Trouble
from pjreg_cli.errors import ResolveError, excerpt
from pjreg_cli.levels import MACHINERY
from pjreg_cli.net.hosts import Hosts
from pjreg_cli.net.nameservers import DnsNameServers, NameServers
from pjreg_cli.sip.address import is_numeric
from pjreg_cli.sip.locate import (
    Choice,
    Known,
    Locatable,
    Naptr,
    Question,
    Records,
    Srv,
    Target,
    TransportKinds,
    choice,
    impossible,
    objection,
    questions,
)
from pjreg_cli.spawner import Spawner

if TYPE_CHECKING:
    from pjreg_cli.config.other_files import Resolver as Settings
    from pjreg_cli.net.dns_answers import Answer

_log = logging.getLogger("pjreg_cli.net")

#: how long an answer serves beyond its time to live when nothing better is to be had, and how long
#: somebody who has such an answer waits for a fresh one (RFC 8767 section 5), in seconds
STALE_S = 3 * 86_400.0
PATIENCE_S = 1.8
#: how long after a failure nobody waits again (RFC 8767 section 5), in seconds
PAUSE_S = 30.0
#: names kept at most; the oldest go first
_KEPT = 50_000
#: how soon a look-up that nobody could answer is repeated, how often at most, and how many of them
_REPEAT_S = 5.0
_REPEATS = 240
_AWAITED = 20
#: how often files are looked at for changes, in seconds
_FILES_S = 1.0


@dataclass(slots=True, eq=False, repr=False)
class _Entry:
    """What is known about a question; instants by the loop's clock."""

    records: Records
    exists: bool
    fresh_until: float
    kept_until: float
    pause_until: float = 0.0
    """A look-up failed: the old answer serves at once until then."""


class Resolver:
    """Looks up names, keeps the answers for their time to live, and beyond it when DNS fails.

    `clock` gives seconds (the loop's), `draw` numbers in [0, 1) for the weights of SRV records.
    `servers` replaces the name servers that `settings` tells of.  `back` is called when a look-up
    that had failed for want of an answer has one: it is repeated until then.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        spawn: Spawner,
        clock: Callable[[], float],
        draw: Callable[[], float],
        servers: NameServers | None = None,
        back: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._spawn = spawn
        self._clock = clock
        self._draw = draw
        self._servers = servers or DnsNameServers(settings)
        self._hosts = Hosts(settings.hosts)
        self._files_at = clock() + _FILES_S
        self._entries: dict[Question, _Entry] = {}
        self._failures: dict[Question, str] = {}
        self._results: dict[Question, str] = {}
        self._pending: dict[Question, asyncio.Future[None]] = {}
        self._back = back
        # look-ups that nobody could answer, and how often they will still be repeated
        self._awaited: dict[Question, int] = {}
        self._repeating: asyncio.TimerHandle | None = None
        # what `now` need not work out again: until when, and the choice
        self._decisions: dict[tuple[Locatable, TransportKinds], tuple[float, Choice]] = {}

    def now(
        self, uri: Locatable, kinds: TransportKinds, favourite: Target | None = None
    ) -> tuple[Target, ...] | None:
        """The targets of a URI that is numeric or whose answers are still fresh; None when somebody
        must be asked.  Never waits; raises ResolveError when there certainly are none.

        `favourite` comes first among those that DNS puts on a level with it.
        """
        decision = self._decisions.get((uri, kinds))
        if decision is not None and self._clock() < decision[0]:
            return decision[1].drawn(self._draw, favourite)
        known: dict[Question, Records] = {}
        while missing := questions(uri, kinds, known):
            for question in missing:
                records = self._ready(question)
                if records is None:
                    return None
                known[question] = records
        return self._decided(uri, kinds, known, {}, favourite)

    async def locate(
        self, uri: Locatable, kinds: TransportKinds, favourite: Target | None = None
    ) -> tuple[Target, ...]:
        """The targets of a URI, best first, never empty (RFC 3263 section 4).  Raises ResolveError;
        with a silent name server after some 17 s."""
        known: dict[Question, Records] = {}
        failed: dict[Question, str] = {}
        while missing := questions(uri, kinds, known):
            patience_at = self._clock() + PATIENCE_S
            for question in missing:
                self._begin(question)
            for question in missing:
                records = await self._settled(question, patience_at)
                known[question] = records or ()
                if records is None:
                    failed[question] = self._failures.get(question, "the look-up failed")
        return self._decided(uri, kinds, known, failed, favourite)

    async def addresses(self, name: str, version: int, *, anew: bool = False) -> tuple[str, ...]:
        """The addresses of a host, by its IP version 4 or 6; empty without any.  `anew` asks even
        where an answer is fresh."""
        if is_numeric(name):
            return (name,) if (6 if ":" in name else 4) == version else ()
        question = Question(name.rstrip(".").lower(), "AAAA" if version == 6 else "A")
        self._begin(question, anew)
        return _texts(await self._settled(question, self._clock() + PATIENCE_S, anew) or ())

    def known(self, name: str) -> tuple[str, ...]:
        """What is known of a host's addresses without asking anybody, however old."""
        if is_numeric(name):
            return (name,)
        host = name.rstrip(".").lower()
        found: list[str] = []
        for kind in ("A", "AAAA"):
            question = Question(host, kind)
            entry = self._entries.get(question)
            records = self._hosts.answer(question)
            found += _texts(records if records is not None else entry.records if entry else ())
        return tuple(found)

    def reconfigure(self, settings: Settings) -> None:
        """Use other name servers from now on; forgets what was known when they differ."""
        if settings != self._settings:
            self._settings = settings
            self._servers = DnsNameServers(settings)
            self._hosts = Hosts(settings.hosts)
            self._entries.clear()
            self._failures.clear()
            self._results.clear()
            self._pending.clear()
            self._awaited.clear()
            self._decisions.clear()

    def close(self) -> None:
        """Repeat nothing more."""
        if self._repeating is not None:
            self._repeating.cancel()
            self._repeating = None
        self._awaited.clear()

    # -- what is known ------------------------------------------------------------------------

    def _decided(
        self,
        uri: Locatable,
        kinds: TransportKinds,
        known: Known,
        failed: Mapping[Question, str],
        favourite: Target | None,
    ) -> tuple[Target, ...]:
        """The targets, or the best reason why there are none."""
        unsure = {} if self._is_in_hosts(uri.host) else failed
        reason = objection(uri, kinds, known, unsure)
        conflict = objection(uri, kinds, known, {}) or impossible(uri, kinds)
        if not reason:
            made = choice(uri, kinds, known)
            if found := made.drawn(self._draw, favourite):
                if not failed:
                    self._remember(uri, kinds, known, made)
                return found
            reason = impossible(uri, kinds) or next(iter(failed.values()), "")
        why = self._why_none(uri, known, reason)
        kind = "no-transport" if conflict else "unresolved"
        raise ResolveError(why, Trouble(kind, why, self._clock(), asked=self._asked(known)))

    def _why_none(self, uri: Locatable, known: Known, reason: str) -> str:
        """Why there are no targets, in a line."""
        host = excerpt(uri.host)
        if reason:
            return f"{host}: {reason}" if host not in reason else reason
        if any(records for question, records in known.items() if question.kind == "SRV"):
            return f"{host}: none of the SRV targets has an address we can reach"
        gone = (entry for question in known if (entry := self._entries.get(question)))
        if known and not any(entry.exists for entry in gone):
            return f"{host} does not exist"
        return f"{host} has no address we can reach"

    def asked(self, uri: Locatable, kinds: TransportKinds) -> tuple[Asked, ...]:
        """What is known now of the questions that a URI leads to, without asking anybody."""
        known: dict[Question, Records] = {}
        while missing := questions(uri, kinds, known):
            for question in missing:
                records = self._hosts.answer(question)
                entry = self._entries.get(question)
                known[question] = records or (entry.records if entry is not None else ())
        return self._asked(known)

    def _asked(self, known: Known) -> tuple[Asked, ...]:
        """Questions and what became of them, in words."""
        return tuple(
            Asked(
                question.name,
                question.kind,
                self._result(question, records),
                not records and question in self._results,
            )
            for question, records in known.items()
        )

    def _result(self, question: Question, records: Records) -> str:
        if records:
            return ", ".join(map(_in_words, records))
        failed = self._results.get(question)
        if failed is not None:
            return failed
        entry = self._entries.get(question)
        return "NXDOMAIN" if entry is not None and not entry.exists else "none"

    def _is_in_hosts(self, name: str) -> bool:
        """Whether the hosts file knows a name: who put it there wants that to be enough."""
        host = name.rstrip(".").lower()
        return any(self._hosts.answer(Question(host, kind)) is not None for kind in ("A", "AAAA"))

    def _remember(self, uri: Locatable, kinds: TransportKinds, known: Known, made: Choice) -> None:
        """Keep a choice as long as everything it stands on is fresh."""
        hosts_until = self._clock() + _FILES_S
        entries = (self._entries.get(question) for question in known)
        ends = [entry.fresh_until if entry else hosts_until for entry in entries]
        if len(self._decisions) >= _KEPT:
            self._decisions.clear()
        self._decisions[(uri, kinds)] = (min(ends, default=math.inf), made)

    def _ready(self, question: Question) -> Records | None:
        """What needs no waiting: the hosts file, a fresh answer, an old one while DNS is down."""
        now = self._clock()
        if now >= self._files_at:
            self._files_at = now + _FILES_S
            self._hosts.refresh()
        local = self._hosts.answer(question)
        if local is not None:
            return local
        entry = self._entries.get(question)
        if entry is not None and now < max(entry.fresh_until, entry.pause_until):
            return entry.records
        return None

    # -- finding out --------------------------------------------------------------------------

    def _begin(self, question: Question, anew: bool = False) -> None:
        """Start to ask, unless the answer is there or somebody has asked already."""
        known = self._hosts.answer(question) if anew else self._ready(question)
        if known is None and question not in self._pending:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._pending[question] = done
            self._spawn(self._ask(question, done), f"look-up {question.kind} {question.name}")

    async def _settled(
        self, question: Question, patience_at: float, anew: bool = False
    ) -> Records | None:
        """The records, once they are there, None when the look-up failed; somebody who has an old
        answer waits only until `patience_at` for a better one."""
        ready = self._ready(question)
        if ready is not None and not (anew and question in self._pending):
            return ready
        if (pending := self._pending.get(question)) is not None:
            entry = self._entries.get(question)
            old = entry is not None and self._clock() < entry.kept_until
            left_s = max(0.0, patience_at - self._clock()) if old else None
            await asyncio.wait([pending], timeout=left_s)
        entry = self._entries.get(question)
        return None if entry is None else entry.records

    async def _ask(self, question: Question, done: asyncio.Future[None]) -> None:
        """Ask the name servers, keep what they say, wake who waits."""
        servers = self._servers
        _log.log(MACHINERY, "asking for %s of %s", question.kind, question.name)
        try:
            answer = await servers.ask(question)
            _log.log(MACHINERY, "%s of %s: %s", question.kind, question.name, answer)
            if servers is self._servers:
                self._keep(question, answer)
        except ResolveError as error:
            if servers is self._servers:
                self._results[question] = error.result
                self._failed(question, str(error))
        finally:
            if self._pending.get(question) is done:
                del self._pending[question]
            if not done.done():
                done.set_result(None)

    def _keep(self, question: Question, answer: Answer) -> None:
        now = self._clock()
        fresh_until = now + answer.ttl_s
        self._failures.pop(question, None)
        was_awaited = self._awaited.pop(question, None) is not None
        self._results.pop(question, None)
        self._entries.pop(question, None)
        # that there is none is kept as well: a domain without NAPTR must not have every refresh
        # wait for a name server that is silent
        kept_until = fresh_until + STALE_S
        self._entries[question] = _Entry(answer.records, answer.exists, fresh_until, kept_until)
        if len(self._entries) > _KEPT:
            del self._entries[next(iter(self._entries))]
        if was_awaited:
            self._awaited.clear()
            self._back()

    def _failed(self, question: Question, why: str) -> None:
        now = self._clock()
        self._failures[question] = why
        entry = self._entries.get(question)
        if entry is not None and now < entry.kept_until:
            entry.pause_until = now + PAUSE_S
            return
        self._entries.pop(question, None)
        if question in self._awaited or len(self._awaited) < _AWAITED:
            self._awaited[question] = self._awaited.get(question, _REPEATS + 1) - 1
        if self._repeating is None:
            self._repeating = asyncio.get_running_loop().call_later(_REPEAT_S, self._repeat)

    def _repeat(self) -> None:
        """Ask again what nobody could answer, so that it is known as soon as it can be."""
        self._repeating = None
        self._awaited = {question: left for question, left in self._awaited.items() if left > 0}
        for question in tuple(self._awaited):
            self._begin(question)


def _in_words(record: str | Srv | Naptr) -> str:
    """A record as an operator reads it."""
    if isinstance(record, Srv):
        return f"{record.target or '.'}:{record.port} (priority {record.priority})"
    if isinstance(record, Naptr):
        return f"{record.service} {record.replacement or '.'}"
    return record


def _texts(records: Records) -> tuple[str, ...]:
    return tuple(record for record in records if isinstance(record, str))
