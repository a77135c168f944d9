"""An instance put together: engine, AMI, gauges, control socket, console, signals."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from os import isatty
from pathlib import Path
from typing import TYPE_CHECKING

from pjreg_cli import __version__, remote
from pjreg_cli.api.asker import asked_by
from pjreg_cli.api.instance import InstanceView, ReloadReport
from pjreg_cli.api.notices import Notice, Stopping, Traced
from pjreg_cli.api.port import Api
from pjreg_cli.config.load import Scope, Settings, load
from pjreg_cli.config.security_warnings import careless
from pjreg_cli.control.claim import Claim
from pjreg_cli.control.server import ControlServer
from pjreg_cli.dialects import named
from pjreg_cli.engine import garbage
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.problems import log_problems
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.engine.tasks import spawn, tell_loop
from pjreg_cli.errors import ConfigError, PjregError
from pjreg_cli.instance import later, streams
from pjreg_cli.instance.history import History
from pjreg_cli.instance.lifecycle import Lifecycle
from pjreg_cli.instance.log_lines import keep_records_small
from pjreg_cli.instance.logs import Logs
from pjreg_cli.instance.managers import Managers
from pjreg_cli.instance.observers import Observers
from pjreg_cli.instance.signals import heed_signals, reload_all
from pjreg_cli.instance.supervisor import Supervisor
from pjreg_cli.instance.uncaught import told_by_the_log
from pjreg_cli.levels import NOTICE
from pjreg_cli.options import Options, config_path
from pjreg_cli.store.overview import Overview
from pjreg_cli.store.places import state_file_of
from pjreg_cli.store.rows import open_rows
from pjreg_cli.store.state import Store

if TYPE_CHECKING:
    from pjreg_cli.config.added import Change
    from pjreg_cli.instance.fleet import Membership

_log = logging.getLogger("pjreg_cli.instance")

#: seconds unregistering may take: a request that is not answered ends after 32
LEAVE_S = 34.0
#: how often it is told how unregistering goes, in seconds, and which of these go into the log
_EVERY_S = 1.0
_LOGGED_EVERY = 5
#: seconds that a console may take to put its terminal back in order
_TERMINAL_S = 1.0


def now() -> float:
    """The clock on the wall, in seconds since 1970."""
    return datetime.now(tz=UTC).timestamp()


class Program:
    """The parts of an instance and the port its front ends see."""

    def __init__(
        self, settings: Settings, options: Options, logs: Logs, store: Store | None = None
    ) -> None:
        """Without a `store` nothing outlives the program."""
        self.logs = logs
        self.store = store
        ids = Ids()
        self._ids = ids
        self.member: Membership | None = None
        if settings.cluster.name:
            from pjreg_cli.instance.fleet import Membership

            self.member = Membership(settings, Path(options.socket_path))
        this = self.member.view if self.member else lambda: None
        resumes = store if settings.pjreg.resume and self.member is None else None
        self.engine = Engine(
            settings,
            version=__version__,
            wall_clock=now,
            reveal_secrets=options.reveal_secrets,
            counters=logs.counters,
            ids=ids,
            keeper=self.member.tenancy if self.member else resumes,
            resumable=resumes.resumable() if resumes else None,
            share=self.member.tenancy if self.member else None,
        )
        self.managers = Managers(
            lambda: self.port,
            settings,
            wall_clock=now,
            dialect=named(options.dialect),
            counters=logs.counters,
        )
        self.socket_path = Path(options.socket_path).absolute()
        started_at = now()
        start = InstanceView(
            version=__version__,
            started_at=started_at,
            reloaded_at=started_at,
            now_at=started_at,
            config_path=str(settings.path),
            config_dir=str(settings.directory),
            socket_path=str(self.socket_path),
            pid=os.getpid(),
        )
        self.life = Lifecycle(
            start,
            logs,
            now=now,
            reload=self._reload,
            reopen_logs=self._reopen_logs,
            publish=self.engine.publish,
            manager_enabled=lambda: self.engine.settings.manager.enabled,
            change=self._change,
        )
        self.history = History(store, now)
        self.port = Api(
            registrations=self.engine.registrations,
            configuration=self.engine.configuration,
            tracing=self.engine.tracing,
            instance=self.life,
            managers=self.managers,
            notices=self.engine.notices,
            cluster=Overview(lambda: self.engine.settings, this),
            history=self.history,
        )
        self.observers = Observers(self.engine, this, logs.counters)
        self.supervisor = Supervisor(os.environ, self._words)
        self.control = ControlServer(
            self.port,
            logs,
            self.shell_allowed,
            lambda: self.engine.settings.permissions,
            spawn=spawn,
            counters=logs.counters,
        )

    def shell_allowed(self) -> bool:
        """Whether remote consoles may run a shell."""
        return self.engine.settings.pjreg.remote_shell

    async def _change(self, change: Change) -> None:
        from pjreg_cli.instance.added import take_up

        await take_up(change, self.engine.settings)

    async def _reload(self, scope: Scope) -> ReloadReport:
        self.supervisor.reloading()
        try:
            return await self._reloaded(scope)
        finally:
            self.supervisor.ready()

    async def _reloaded(self, scope: Scope) -> ReloadReport:
        """Each part by itself: what fails of one withholds no other."""
        before = self.engine.settings
        report = await self.engine.reload(scope)
        after = self.engine.settings
        failures: list[str] = []
        if scope in (Scope.MANAGER, Scope.PJREG, Scope.ALL):
            # also without a change: what failed before, and certificates, are tried again
            failures += await self.managers.apply(after.manager, after.pjreg.registry_detail)
        failures += await self.observers.apply(before, statsd_anew=scope is Scope.STATSD)
        if after.pjreg != before.pjreg:
            try:
                await self.logs.reopen_file(after.pjreg)
            except PjregError as error:
                failures.append(f"{error}; what was before goes on")
        for why in failures:
            _log.error("%s", why)
        return report._replace(failures=(*report.failures, *failures))

    async def _reopen_logs(self) -> None:
        """Open the log file anew, as somebody may have moved it away."""
        await self.logs.reopen_file(self.engine.settings.pjreg)

    def _words(self) -> str:
        """How many registrations there are of each status, in one line."""
        counted = self.engine.words()
        shown = ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
        return shown or "no registrations"

    async def open(self, stack: AsyncExitStack, since: float | None = None) -> None:
        """Start everything but the control socket; `stack` ends it in the reverse order.  Initial
        delays count from `since`: to read a large configuration takes as long as they are."""
        settings = self.engine.settings
        stack.callback(self.engine.notices.subscribe(self._noticed, Traced))
        stack.callback(self.history.start(self.engine.notices))
        stack.push_async_callback(self.observers.close)
        for why in await self.observers.start():
            _log.error("%s", why)
        stack.push_async_callback(self.managers.close)
        for why in await self.managers.apply(settings.manager, settings.pjreg.registry_detail):
            _log.error("%s; registrations go on without it, a reload tries again", why)
        stack.push_async_callback(self.engine.close)
        garbage.tune()
        loop = asyncio.get_running_loop()
        stack.callback(garbage.Sweep(loop.call_later, loop.time).close)
        await self.engine.open(since)
        if self.member is not None:
            await self.member.start(self.engine, self._ids)
            self.member.count(self.logs.counters)
            stack.push_async_callback(self.member.stop)
        elif self.store is not None:
            self.store.begun_anew = lambda: tell_loop(loop, self.engine.remember)
        if self.engine.settings.mapped.table is not None:
            from pjreg_cli.instance.tables import follow

            stack.push_async_callback(_ended, spawn(follow(self.engine, self.life.defer), "tables"))

    def _noticed(self, notice: Notice) -> None:
        if isinstance(notice, Traced):
            from pjreg_cli.render.traced import traced

            self.logs.trace(traced(notice), now())

    def leave(self) -> asyncio.Task[None]:
        """Begin to unregister what is registered; the task ends when that has been answered."""
        return spawn(self._leave(), "leaving")

    async def _leave(self) -> None:
        telling = spawn(self._tell_of_leaving(), "telling how leaving goes")
        try:
            await self.engine.leave(LEAVE_S)
        finally:
            telling.cancel()
            self.life.doing("")

    async def _tell_of_leaving(self) -> None:
        """Say every second how it goes, in the bars of consoles; in the log only every five."""
        clock = asyncio.get_running_loop().time
        ends_at = clock() + LEAVE_S
        for second in count():
            await asyncio.sleep(_EVERY_S if second else 0)
            done, all_of_them = self.engine.leaving()
            left_s = max(0, round(ends_at - clock()))
            text = f"stopping: {done} of {all_of_them} answered, {left_s} s left"
            self.life.doing(text)
            if second % _LOGGED_EVERY == 0 and all_of_them:
                _log.log(NOTICE, "%s", text)


Front = Callable[[Program, Options], Coroutine[object, object, None]]
"""Serves the terminal until it is cancelled."""


# -- the instance -----------------------------------------------------------------------------


def run_instance(options: Options, console: Front | None = None) -> int:
    """Run an instance until it is stopped; the exit status.

    `console` is what serves the terminal, if anything does; without it the log goes to stderr.
    """
    streams.fill_gaps()
    keep_records_small()
    try:
        restart = asyncio.run(_instance(options, console))
    except PjregError as error:
        remote.complain(str(error))
        return remote.FAILED
    written = streams.let_go()
    if restart:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    if not written:
        os._exit(remote.DONE)
    return remote.DONE


async def _instance(options: Options, console: Front | None) -> bool:
    """Run an instance to its end; whether another one shall follow."""
    began_at = asyncio.get_running_loop().time()
    settings = _settings(options)
    logs = Logs(
        stderr=sys.stderr,
        verbose=options.verbose,
        debug=options.debug,
        as_json=settings.pjreg.log_format == "json",
    )
    async with AsyncExitStack() as stack:
        stack.callback(logs.close)
        try:
            logs.open_file(settings.pjreg)
        except ConfigError as error:
            _log.error("%s; the instance goes on without this log", error)
        stack.enter_context(told_by_the_log(logs.counters))
        claim = Claim.take(Path(options.socket_path))
        stack.callback(claim.release)
        log_problems((*settings.problems, *careless(settings, datetime.now(tz=UTC))))
        program = Program(settings, options, logs, _store(settings, stack))
        signals = heed_signals(program.life, on_terminal=console is not None and isatty(0))
        stack.enter_context(signals)
        if options.hung_up:
            spawn(reload_all(program.life), "reload")
        await program.open(stack, began_at)
        if console:
            logs.leave_stderr()
        return await serve(program, options, claim, console)


def _settings(options: Options) -> Settings:
    """The configuration by its whole path: whoever is told of it does not know where we began."""
    return load(Path(config_path(options)).absolute(), open_rows)


def _store(settings: Settings, stack: AsyncExitStack) -> Store | None:
    """The state file of this configuration, unless it is to have none; closed with `stack`."""
    path = state_file_of(settings, os.environ, root=os.geteuid() == 0)
    if path is None:
        return None
    store = Store.open(path)
    stack.callback(store.close)
    return store


async def serve(program: Program, options: Options, claim: Claim, console: Front | None) -> bool:
    """Answer the control socket, and the terminal, until the instance is stopped.

    Whether another instance shall follow.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(program.control.close)
        # the other socket first: whoever finds an instance that answers finds that, too
        monitoring = _monitoring(program, stack)
        await program.control.start(claim.listen(), monitoring)
        stack.callback(program.supervisor.close)
        _log.log(
            NOTICE,
            "pjreg-cli %s is up: %d registrations of %s, control socket %s",
            __version__,
            len(program.engine.settings.registrations),
            program.engine.settings.path,
            program.socket_path,
        )
        await _startup_commands(program, options)
        stack.callback(spawn(later.load(), "loading the rest").cancel)
        program.supervisor.ready()
        if console is not None:
            stack.push_async_callback(_ended, spawn(console(program, options), "console"))
        restart = await program.life.until_stopped(program.leave, program.engine.come_back)
        program.supervisor.stopping()
        program.engine.publish(Stopping(restart))
        _log.log(NOTICE, "pjreg-cli ends%s", ", to start anew" if restart else "")
    return restart


def _monitoring(program: Program, stack: AsyncExitStack) -> socket.socket | None:
    """The socket for those who only look, where one is configured; without it we go on."""
    options = program.engine.settings.pjreg
    if not options.monitor_socket:
        return None
    try:
        claim = Claim.take(Path(options.monitor_socket))
        stack.callback(claim.release)
        return claim.listen(options.monitor_group)
    except PjregError as error:
        _log.error("monitor_socket: %s", error)
        return None


async def _startup_commands(program: Program, options: Options) -> None:
    if not program.engine.settings.console.startup_commands:
        return
    from pjreg_cli.commands.command import pieces
    from pjreg_cli.commands.tree import Console, Kind, execute

    console = Console(port=program.port, kind=Kind.ONE_SHOT, dialect=named(options.dialect))
    for line in program.engine.settings.console.startup_commands:
        with asked_by("cli.conf"):
            reply = await execute(line, console)
        async for piece in pieces(reply):
            _log.info("%s: %s", line, piece.rstrip("\n"))


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel `task` and wait for it to put the terminal back in order; one that stands still
    (Ctrl-S) is left as it is."""
    for _ in range(2):
        task.cancel()
        if (await asyncio.wait((task,), timeout=_TERMINAL_S))[0]:
            return
    _log.warning("the terminal stands still and is left as it is")
