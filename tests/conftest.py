"""Options and fixtures of all tests."""

from __future__ import annotations

import pytest

from tests.support.golden import Golden


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes what came out instead of comparing it."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the files in fixtures/")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares text with a file of the project."""
    return Golden(update=bool(request.config.getoption("--update-golden")))
