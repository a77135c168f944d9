"""Configuration files that are only texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch


class Texts:
    """A `reader.Source` of texts by name."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def lines(self, path: str) -> Iterable[str]:
        """The lines of one text; FileNotFoundError when there is none."""
        if path not in self._files:
            raise FileNotFoundError(path)
        yield from self._files[path].splitlines(keepends=True)

    def find(self, pattern: str) -> Sequence[str]:
        """The names that a pattern means."""
        return sorted(name for name in self._files if fnmatch(name, pattern))
