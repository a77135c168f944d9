"""Comments of a configuration file: `;` to the end of the line, `;-- ... --;` over many (pure)."""

from __future__ import annotations

from typing import Final

DEEPEST: Final = 10
"""How deep block comments may be nested."""

BLANKS: Final = "".join(map(chr, range(33)))
"""Everything that counts as blank around a word."""


class Comments:
    """Removes comments from the lines of one file; knows whether a block comment is open."""

    def __init__(self) -> None:
        self.depth = 0
        self.opened = 0

    def strip(self, raw: str, number: int) -> str | None:
        """The line without comments and escapes of semicolons, blanks around it removed; None when
        nothing of it is left."""
        if not self.depth and raw[:1] == ";" and raw[:3] != ";--":
            return None
        kept: list[str] = []
        start = at = 0
        while (at := raw.find(";", at)) >= 0:
            if at > start and raw[at - 1] == "\\":
                if not self.depth:
                    kept.append(raw[start : at - 1] + ";")
                at += 1
                start = at
            elif raw[at + 1 : at + 3] == "--" and raw[at + 3 : at + 4] != "-":
                if not self.depth:
                    kept.append(raw[start:at])
                    self.opened = number
                self.depth = min(self.depth + 1, DEEPEST)
                at = start = at + 3
            elif self.depth and at >= start + 2 and raw[at - 2 : at] == "--":
                self.depth -= 1
                at = start = at + 1
            elif self.depth:
                at += 1
            else:
                kept.append(raw[start:at])
                start = len(raw)
                break
        if not self.depth:
            kept.append(raw[start:])
        return "".join(kept).strip(BLANKS) or None
