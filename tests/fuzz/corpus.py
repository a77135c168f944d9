"""Inputs to begin with: `fixtures/fuzz/TARGET`, and what other tests have at hand."""

from __future__ import annotations

from pathlib import Path

from tests.support.golden import FIXTURES

_SHARED = {
    "message": ("sip/rfc4475", "sip/torture"),
    "inbound": ("sip/rfc4475",),
    "framing": ("sip/rfc4475",),
    "configuration": ("config/mistakes",),
}


def folders(target: str) -> list[Path]:
    """Where the inputs of a target lie."""
    own = FIXTURES / "fuzz" / target
    return [own, *(FIXTURES / name for name in _SHARED.get(target, ()))]


def inputs(target: str) -> list[bytes]:
    """All of them."""
    files = (path for folder in folders(target) for path in sorted(folder.rglob("*")))
    return [path.read_bytes() for path in files if path.is_file()]
