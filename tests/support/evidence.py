"""Builders of evidence for tests."""

from __future__ import annotations

from typing import Any

from pjreg_cli.api.registrations import Evidence

_GRANTED = Evidence(
    at=0.0,
    method="register",
    code=200,
    reason="OK",
    cause="answered",
    rule="granted",
    target="udp:192.0.2.1:5060",
    received="",
    granted_s=3600,
)


def evidence(**changes: Any) -> Evidence:
    """What an attempt that was granted leaves behind, but for `changes`.  Any: as the fields."""
    return _GRANTED._replace(**changes)
