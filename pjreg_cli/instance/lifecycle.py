"""The life of an instance as its operator steers it: `api.instance.Instance`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pjreg_cli.api.asker import asker
from pjreg_cli.api.instance import InstanceView, LogChannel, ReloadReport, Stop
from pjreg_cli.api.notices import Doing, Notice, Reloaded
from pjreg_cli.config.load import Scope
from pjreg_cli.counters import Count
from pjreg_cli.errors import PjregError
from pjreg_cli.instance.logs import Logs
from pjreg_cli.instance.modules import LOGGER, MODULES, SUFFIX, Module, find
from pjreg_cli.levels import NOTICE

if TYPE_CHECKING:
    from pjreg_cli.config.added import Change

_log = logging.getLogger("pjreg_cli.instance")

#: how often is told how something goes that takes long, in seconds
_EVERY_S = 1.0


class Lifecycle:
    """Reloads one at a time, ends when told to, and knows the time."""

    def __init__(
        self,
        start: InstanceView,
        logs: Logs,
        *,
        now: Callable[[], float],
        reload: Callable[[Scope], Awaitable[ReloadReport]],
        reopen_logs: Callable[[], Awaitable[None]],
        publish: Callable[[Notice], None],
        manager_enabled: Callable[[], bool],
        change: Callable[[Change], Awaitable[None]] | None = None,
    ) -> None:
        """`start` describes the instance at its start; `now` is the clock on the wall; `reload`
        reads what a scope reaches and says what came of it; `reopen_logs` raises ConfigError when
        the log file cannot be had."""
        self._start = start
        self._logs = logs
        self._now = now
        self._reload = reload
        self._reopen_logs = reopen_logs
        self._publish = publish
        self._manager_enabled = manager_enabled
        self._change_file = change
        self._reloaded_at = start.started_at
        self._one_at_a_time = asyncio.Lock()
        self._asked: tuple[Stop, bool] | None = None
        self._changed = asyncio.Event()
        self._doing = ""
        self._withheld = ""

    # -- api.instance.Instance ----------------------------------------------------------------

    def view(self) -> InstanceView:
        """Facts of the running program."""
        return self._start._replace(
            reloaded_at=self._reloaded_at,
            now_at=self._now(),
            debug=self._logs.debug,
            manager_enabled=self._manager_enabled(),
            doing=self._doing,
            withheld=self._withheld,
        )

    def defer(self, why: str) -> None:
        """Note why a change of the tables waits until somebody reloads; empty: none does."""
        self._withheld = why

    async def reload(self, modules: Sequence[str]) -> Sequence[ReloadReport]:
        """Reload these modules in turn, none: everything; what came of each."""
        _log.log(NOTICE, "reload of %s asked by %s", ", ".join(modules) or "all", asker())
        async with self._one_at_a_time:
            if not modules:
                return [await self._reload_module(Module("All", "", Scope.ALL), "All")]
            reports = []
            for name in modules:
                module = find(name)
                if module is None:
                    reports.append(ReloadReport(name, known=False))
                else:
                    reports.append(await self._reload_module(module, name))
            return reports

    async def _reload_module(self, module: Module, name: str) -> ReloadReport:
        """One reload: whatever fails of it is told, and the next one goes on."""
        report = ReloadReport(name)
        if module.scope is not None:
            with self._telling("reloading"):
                report = (await self._reload(module.scope))._replace(module=name)
            if report.ok and module.scope.registrations:
                self._withheld = ""
        if module is LOGGER or module.scope is Scope.ALL:
            try:
                await self._reopen_logs()
            except PjregError as error:
                if not any(str(error) in why for why in report.failures):  # told once is enough
                    _log.error("%s", error)
                    report = report._replace(failures=(*report.failures, str(error)))
        if module.scope is None:
            self._publish(Reloaded(module.name, report.ok))
            return report
        from pjreg_cli.render import evidence

        self._reloaded_at = self._now()
        told = evidence.summary(report.steps, report.failures)
        _log.log(NOTICE, "reload of %s: %s", module.name.lower(), told)
        self._publish(Reloaded(module.name, report.ok))
        return report

    async def change(self, verb: str, name: str, options: Mapping[str, str], who: str) -> None:
        """See api.instance.Instance."""
        from pjreg_cli.config.added import Change, Verb, checked

        assert self._change_file is not None
        change = checked(Change(Verb(verb), name, options, who))
        async with self._one_at_a_time:
            await self._change_file(change)
            about = {"registration": change.name}
            _log.log(NOTICE, "%s, by %s", change.told, change.who, extra=about)
            await self._reload_module(Module("res_pjsip", "", Scope.PJSIP), "res_pjsip")

    def modules(self) -> Sequence[tuple[str, str, int]]:
        """File name, description and use count of every module."""
        return [(m.name + SUFFIX, m.description, 0) for m in MODULES if m.file]

    def stop(self, how: Stop, restart: bool = False) -> None:
        """Begin to end; a stop at once overtakes one that waits, no other does."""
        if self._asked is not None and how is not Stop.NOW:
            return
        what = "restart" if restart else "stop"
        _log.log(NOTICE, "%s %s asked by %s", what, how.value, asker())
        self._asked = how, restart
        self._changed.set()

    def abort_stop(self) -> None:
        """Take back a stop that is still waiting."""
        if self._asked is not None and self._asked[0] is not Stop.NOW:
            _log.log(NOTICE, "the stop is taken back by %s", asker())
            self._asked = None
            self._changed.set()

    def set_debug(self, level: int) -> None:
        """Change the debug level; 0 is off."""
        _log.log(NOTICE, "debug level %d asked by %s", level, asker())
        self._logs.set_debug(level)

    def module_debug(self, module: str) -> int:
        """The debug level of one module, 0 unless it was set."""
        return self._logs.module_debug(module)

    def set_module_debug(self, module: str, level: int) -> None:
        """Change the debug level of one module; 0 is off."""
        _log.log(NOTICE, "debug level %d of %s asked by %s", level, module, asker())
        self._logs.set_module_debug(module, level)

    def log_channels(self) -> Sequence[LogChannel]:
        """The rows of `logger show channels`."""
        return self._logs.channels()

    def set_log_level(self, level: str, on: bool) -> bool:
        """Switch a level of the consoles' log; False for an unknown one."""
        return self._logs.set_level(level, on)

    def counters(self) -> Sequence[Count]:
        """What has been counted since the start."""
        return self._logs.counters.counts()

    async def rotate_logs(self) -> str:
        """Begin a new log file; why that failed, empty when it did not."""
        return await self._logs.rotate()

    # -- for the program ----------------------------------------------------------------------

    def doing(self, text: str) -> None:
        """Tell everybody what is under way; empty when it has ended."""
        if text != self._doing:
            self._doing = text
            self._publish(Doing(text))

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Within this block everybody is told every second how long it has taken so far."""
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        timer: asyncio.TimerHandle

        def tell() -> None:
            nonlocal timer
            timer = loop.call_later(_EVERY_S, tell)
            if self._doing[: len(what)] in ("", what):
                self.doing(f"{what}, {loop.time() - begun_at:.0f} s so far")

        timer = loop.call_later(_EVERY_S, tell)
        try:
            yield
        finally:
            timer.cancel()
            if self._doing.startswith(what):
                self.doing("")

    async def until_stopped(
        self, leave: Callable[[], asyncio.Task[None]], come_back: Callable[[], Awaitable[int]]
    ) -> bool:
        """Wait for the end; whether a new instance shall follow.

        `leave` begins to unregister what is registered and is called for every stop but one at
        once.  Taking the stop back cancels what it began, and `come_back` registers that again.
        """
        while True:
            if self._asked is None:
                await self._change()
                continue
            how, restart = self._asked
            if how is Stop.NOW:
                return restart
            if await self._left(leave()):
                return restart
            if self._asked is None:
                count = await come_back()
                _log.log(NOTICE, "The stop was taken back: %d register again", count)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _left(self, leaving: asyncio.Task[None]) -> bool:
        """Whether `leaving` came to its end before the operator thought again."""
        self._changed.clear()
        leaving.add_done_callback(lambda _: self._changed.set())
        await self._changed.wait()
        if leaving.done():
            return True
        leaving.cancel()
        await asyncio.wait((leaving,))
        return False
