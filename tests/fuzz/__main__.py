"""Coverage-guided fuzzing of one target: `python -m tests.fuzz TARGET [OPTION OF LIBFUZZER...]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["pjreg_cli"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run until a fault is found or the options say so; the input of a fault is kept beside."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"usage: python -m tests.fuzz {'|'.join(TARGETS)} [OPTION...]")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


main()
