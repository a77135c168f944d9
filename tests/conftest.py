"""Options and fixtures of all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from tests.support.golden import Golden
from tests.support.instance import QUIET, Instance, short_folder
from tests.support.ports import free_port

# on a busy machine an example may take any time; `make unit` tries few of each property
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "whole"))


#: `--durations` lists what takes longer than this
NOTABLE_S = 0.005


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes what came out instead of comparing it."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the files in fixtures/")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What thousands of tests are made of is no garbage: nobody looks for cycles in it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several run at once, tests that wait and tests that compute take turns, so that
    neither the processor nor who waits is idle; what takes longest begins first."""
    if not hasattr(config, "workerinput"):
        return
    kinds: dict[tuple[str, ...], list[pytest.Item]] = {}
    for item in items:
        # below tests/process every module is a kind: one of them waits, the next computes
        parts = item.nodeid.partition("::")[0].split("/")
        kinds.setdefault(tuple(parts[: 3 if parts[1] == "process" else 2]), []).append(item)
    places: dict[pytest.Item, float] = {}
    for kind in kinds.values():
        for number, item in enumerate(kind):
            begins_first = item.get_closest_marker("long") is not None
            places[item] = 0.0 if begins_first else (number + 0.5) / len(kind)
    items.sort(key=places.__getitem__)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A process that runs tests for another tells it how each went, and of what came before and
    after only what failed or took its time: all of it would cost a fifth of the fast tests."""
    if not hasattr(item.config, "workerinput"):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed or report.duration >= NOTABLE_S:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares text with a file of the project."""
    return Golden(update=bool(request.config.getoption("--update-golden")))


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the test's own, with a name short enough for a socket in it."""
    with short_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def shared() -> Iterator[Instance]:
    """As `instance`, one for all tests of this process that only ask it."""
    with short_folder() as home:
        one = Instance(home, QUIET.format(port=free_port()))
        one.start()
        yield one
        one.stop()


@pytest.fixture
def instance(home: Path) -> Iterator[Instance]:
    """A running instance with one registration that sends nothing."""
    one = Instance(home, QUIET.format(port=free_port()))
    one.start()
    yield one
    one.stop()
