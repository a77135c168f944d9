"""Expected output kept in files, rewritten by `pytest --update-golden`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = PROJECT / "fixtures"


@dataclass(frozen=True, slots=True)
class Golden:
    """Holds text against a file."""

    update: bool

    def check(self, path: Path, text: str) -> None:
        """`path` (absolute, or relative to the project) says `text`, or is made to."""
        file = PROJECT / path
        if self.update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == text
