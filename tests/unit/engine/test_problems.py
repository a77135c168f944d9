"""Problems are told in one way, at the start and at a reload."""

from __future__ import annotations

import logging

import pytest

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.engine.problems import log_problems


def test_a_problem_is_told_with_its_place_and_its_weight(caplog: pytest.LogCaptureFixture) -> None:
    log_problems(
        [
            Problem("/etc/pjsip.conf", 7, Level.ERROR, "no such transport"),
            Problem("/etc/pjreg.conf", 2, Level.WARNING, "unknown option"),
        ]
    )
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "/etc/pjsip.conf:7: no such transport"),
        (logging.WARNING, "/etc/pjreg.conf:2: unknown option"),
    ]


def test_what_is_known_is_not_told_again(caplog: pytest.LogCaptureFixture) -> None:
    old = Problem("/etc/pjsip.conf", 7, Level.ERROR, "no such transport")
    new = Problem("/etc/pjsip.conf", 9, Level.ERROR, "no such transport")
    log_problems([old, new], known=(old,))
    assert [record.getMessage() for record in caplog.records] == [
        "/etc/pjsip.conf:9: no such transport"
    ]
