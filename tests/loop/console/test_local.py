"""The backend of the console in the instance itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from pjreg_cli.api.configuration import Configuration
from pjreg_cli.api.instance import Instance
from pjreg_cli.api.manager import Managers
from pjreg_cli.api.notices import Listener, Notices, StateMade, Traced
from pjreg_cli.api.port import Api
from pjreg_cli.api.registrations import RegistrationRow, Registrations
from pjreg_cli.api.tracing import Tracing
from pjreg_cli.commands.command import Console, Kind
from pjreg_cli.console.backend import InstanceFacts
from pjreg_cli.console.local import LocalBackend, LogListener
from pjreg_cli.dialects import named

ROWS = [RegistrationRow(f"trunk{n:05}", "sip:a@b", "", "Registered", n) for n in range(2_000)]


class Fake:
    """As much of a port as these tests touch."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.counted = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def count(self) -> Mapping[str, int]:
        self.counted += 1
        return {"Registered": self.counted}

    def names(self) -> Sequence[str]:
        return [row.name for row in ROWS]

    def rows(self) -> Iterable[RegistrationRow]:
        return iter(ROWS)

    def row(self, name: str) -> RegistrationRow | None:
        return next((row for row in ROWS if row.name == name), None)

    def aliases(self) -> Mapping[str, str]:
        return {}

    def port(self) -> Api:
        # The parts of a port that nobody asks here need not exist.
        return Api(
            registrations=cast(Registrations, self),
            configuration=cast(Configuration, self),
            tracing=cast(Tracing, self),
            instance=cast(Instance, self),
            managers=cast(Managers, self),
            notices=cast(Notices, self),
        )


class Watcher:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, int]] = []
        self.text = ""
        self.counted = asyncio.Event()

    def counts(self, counts: Mapping[str, int]) -> None:
        self.seen.append(counts)
        self.counted.set()

    def lines(self, text: str) -> None:
        self.text += text

    def doing(self, text: str) -> None:
        raise AssertionError("nothing is under way")

    def closed(self, why: str) -> None:
        raise AssertionError(why)


def made(fake: Fake, verbose: int = 0) -> tuple[LocalBackend, dict[LogListener, int]]:
    console = Console(fake.port(), Kind.CONSOLE, named("current"), verbose=verbose)
    logs: dict[LogListener, int] = {}

    def log(listener: LogListener, most: int) -> Callable[[], None]:
        logs[listener] = most
        return logs.clear

    return LocalBackend(console, InstanceFacts("1", "/x"), log), logs


async def test_a_long_answer_comes_in_pieces_of_bounded_size() -> None:
    backend, _ = made(Fake())
    pieces: list[str] = []

    async def write(text: str) -> None:
        pieces.append(text)
        await asyncio.sleep(0)

    outcome = await backend.execute("pjsip show registrations", write)
    assert outcome.ok
    assert max(map(len, pieces)) < 50_000
    assert len(pieces) > 3
    assert "".join(pieces).endswith("Objects found: 2000\n\n")


async def test_names_are_suggested() -> None:
    backend, _ = made(Fake())
    suggestions = await backend.suggest("pjsip send register trunk0199")
    assert [one.text for one in suggestions] == [f"trunk{n:05}" for n in range(1990, 2000)]


async def test_many_notices_are_counted_once() -> None:
    fake, watcher = Fake(), Watcher()
    backend, _ = made(fake)
    backend.watch(watcher)
    assert watcher.seen == [{"Registered": 1}]
    watcher.counted.clear()
    for number in range(1000):
        fake.listeners[0](StateMade(str(number)))
    await watcher.counted.wait()
    assert fake.counted == 2
    assert watcher.seen[1:] == [{"Registered": 2}]


async def test_traces_and_log_lines_are_whole_lines() -> None:
    fake, watcher = Fake(), Watcher()
    backend, logs = made(fake, verbose=2)
    backend.watch(watcher)
    fake.listeners[0](Traced(True, "192.0.2.1:5060", "UDP", "OPTIONS sip:a SIP/2.0\r\n\r\n"))
    (logged,) = logs
    logged("NOTICE", "said", 0)
    logged("VERBOSE", "not for us", 3)
    stamp, head, *_ = watcher.text.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d ==> \S+", stamp)
    assert head.startswith("<--- Transmitting SIP request")
    assert watcher.text.endswith("\n\nsaid\n")


async def test_the_log_is_asked_for_what_the_console_shows() -> None:
    backend, logs = made(Fake(), verbose=2)
    backend.watch(Watcher())
    assert list(logs.values()) == [2]
    await backend.execute("core set verbose 3", discard)
    assert list(logs.values()) == [3]


async def discard(_text: str) -> None:
    """Where an answer may go."""


async def test_a_closed_backend_tells_nothing() -> None:
    fake, watcher = Fake(), Watcher()
    backend, logs = made(fake)
    backend.watch(watcher)
    fake.listeners[0](StateMade("x"))
    await backend.close()
    assert (fake.listeners, logs) == ([], {})
    await asyncio.sleep(0.03)
    assert len(watcher.seen) == 1
