"""The console of an instance that runs elsewhere: the control socket as the console's backend."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from pjreg_cli import remote
from pjreg_cli.console.backend import InstanceFacts, Result, Suggestion, Watcher, Write
from pjreg_cli.console.repl import run_remote
from pjreg_cli.console.watch import show
from pjreg_cli.control.client import (
    ControlClient,
    Counts,
    Gone,
    LogLine,
    Progress,
    Pushed,
    connect,
)
from pjreg_cli.control.protocol import Greeting
from pjreg_cli.options import Options


class RemoteBackend:
    """`console.backend.Backend` over a connection to an instance."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client
        self._columns = 0

    @property
    def greeting(self) -> Greeting:
        """Whom we have reached."""
        return self._client.greeting

    async def facts(self) -> InstanceFacts:
        """What to greet with; raises OSError when the instance is gone."""
        counts: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def first(pushed: Pushed) -> None:
            if not counts.done():
                counts.set_result(None)

        try:
            self._client.watch(first)
            await counts
        except Gone as gone:
            raise ConnectionError(str(gone)) from gone
        greeting = self._client.greeting
        return InstanceFacts(
            version=greeting.version,
            config_path=greeting.config,
            hostname=greeting.host,
            pid=greeting.pid,
            counts=self._client.counts,
        )

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` from now on, beginning with the counts as they are."""

        def heard(pushed: Pushed) -> None:
            match pushed:
                case Counts(counts=counts):
                    watcher.counts(counts)
                case LogLine(text=text):
                    watcher.lines(text if text.endswith("\n") else text + "\n")
                case Progress(text=text):
                    watcher.doing(text)
                case Gone() as gone:
                    watcher.closed(str(gone))

        try:
            self._client.watch(heard)
        except Gone as gone:
            watcher.closed(str(gone))

    async def execute(self, line: str, write: Write) -> Result:
        """Run one command; cancelling it drops the rest of its output."""
        try:
            execution = self._client.execute(line)
            try:
                async for piece in execution:
                    await write(piece)
            finally:
                if not execution.ended:
                    execution.skip()
                    self._client.cancel()
        except Gone as gone:
            raise ConnectionError(str(gone)) from gone
        return Result(ok=execution.ok, quit=execution.quit)

    def resized(self, columns: int) -> None:
        """Tell the instance how broad our terminal is; one that is gone is found out later."""
        if columns != self._columns:
            self._columns = columns
            with suppress(Gone):
                self._client.resize(columns)

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        """What `text` can go on with."""
        try:
            return await self._client.suggest(text)
        except Gone as gone:
            raise ConnectionError(str(gone)) from gone

    async def close(self) -> None:
        """Hang up; the instance goes on."""
        self._client.close()
        await asyncio.sleep(0)


def run_console(options: Options) -> int:
    """Attach a console to the running instance until the operator leaves; raises NoInstance."""
    return asyncio.run(_run(options, options.socket_path))


def run_watch(options: Options, pattern: str) -> int:
    """The live view of the running instance, without a console; raises NoInstance."""

    async def run() -> None:
        client = await connect(options.socket_path, dialect=options.dialect)
        backend = RemoteBackend(client)
        try:
            await show(backend, pattern, colour=options.coloured(terminal=True))
        finally:
            await backend.close()

    asyncio.run(run())
    return remote.DONE


async def _run(options: Options, path: str) -> int:
    verbose, muted = options.verbose, False
    client: ControlClient | None = None

    async def attach() -> RemoteBackend:
        nonlocal client, verbose, muted
        if client is not None:
            # what this console was told before the instance went away still counts
            verbose, muted = client.verbose, client.muted
        client = await connect(
            path, dialect=options.dialect, json=options.json, verbose=verbose, muted=muted
        )
        return RemoteBackend(client)

    async def again() -> RemoteBackend:
        try:
            return await attach()
        except remote.NoInstance as missing:
            raise ConnectionError(str(missing)) from missing

    backend = await attach()
    greeting = backend.greeting
    return await run_remote(
        backend,
        hostname=greeting.host,
        colour=options.coloured(terminal=True),
        shell_allowed=greeting.shell,
        reconnect=again if options.reconnect else None,
    )
