"""What tests of processes share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.copies import Copies
from tests.support.instance import PROGRAM, Instance, environment
from tests.support.once import once
from tests.support.postgres import Postgres, make_empty, postgres
from tests.support.registrar import Registrar
from tests.support.terminal import CONSOLE_PROMPT, OpenTerminal, Terminal


@pytest.fixture(scope="session", autouse=True)
def copies() -> Iterator[None]:
    """Most instances of this process are copies of one that has loaded what each loads."""
    with Copies(PROGRAM[0], environment(Path("/"))) as Instance.copies:
        yield
    Instance.copies = None


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL for all tests of this process, one after the other."""
    with postgres(empty=once("postgres", make_empty, tmp_path_factory) / "data") as one:
        yield one


@pytest.fixture
async def registrar() -> AsyncIterator[Registrar]:
    """It grants what it is asked for, until told otherwise."""
    async with Registrar.open() as one:
        yield one


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A home for the history of consoles."""
    return tmp_path / "state"


@pytest.fixture
def console(state: Path) -> Iterator[OpenTerminal]:
    """Opens consoles before a backend that does as told; they end with the test."""
    opened: list[Terminal] = []

    def open_console(
        *arguments: str,
        columns: int = 100,
        rows: int = 30,
        ready: str = CONSOLE_PROMPT,
        **more: str,
    ) -> Terminal:
        terminal = Terminal(
            [sys.executable, "-m", "tests.support.console_host", *arguments],
            columns=columns,
            rows=rows,
            environment={"XDG_STATE_HOME": str(state), "SHELL": "/bin/sh", **more},
        )
        opened.append(terminal)
        terminal.until_prompt(ready)
        return terminal

    yield open_console
    for terminal in opened:
        terminal.close()
