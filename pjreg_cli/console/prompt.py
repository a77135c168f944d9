"""The prompt: `ASTERISK_PROMPT` with its percent signs filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

LOCAL = "*CLI> "
REMOTE = "%h*CLI> "

_RESET = "\x1b[0m"
_COLOURS = re.compile(r"(\d{1,3})(?:;(\d{1,3}))?")
_BRIGHT = 128
"""Added to the number of a colour in `ASTERISK_PROMPT` for its bright sister."""


@dataclass(frozen=True, slots=True)
class PromptValues:
    """What a prompt can speak of; `now` and `load` are asked anew for every prompt."""

    hostname: str
    system_name: str
    user: str
    group: str
    remote: bool
    now: Callable[[], datetime]
    """Local time."""
    load: Callable[[], tuple[float, float, float] | None]
    """Load averages of 1, 5 and 15 minutes; None where the system has none."""


def expand(template: str, around: PromptValues, colour: bool) -> str:
    """Fill in what Asterisk documents: `%d %t %s %h %H %u %g %# %% %l1..3 %Cn[;n]`.

    An unknown letter vanishes together with its percent sign, as does a lone one at the end.
    Colours change to the terminal's own at the end; without `colour` they are left out.
    """
    done: list[str] = []
    coloured = False
    rest = template
    while rest:
        text, percent, rest = rest.partition("%")
        done.append(text)
        if not percent or not rest:
            break
        letter, rest = rest[0], rest[1:]
        if letter == "C" and (match := _COLOURS.match(rest)):
            rest = rest[match.end() :]
            if colour:
                coloured = True
                done.append(_sgr(match))
        elif letter == "l" and rest[:1] in {"1", "2", "3"}:
            load = around.load()
            done.append("" if load is None else f"{load[int(rest[0]) - 1]:.2f}")
            rest = rest[1:]
        else:
            done.append(_word(letter, around))
    return "".join(done) + (_RESET if coloured else "")


def _word(letter: str, around: PromptValues) -> str:
    match letter:
        case "d":
            return around.now().strftime("%Y-%m-%d")
        case "t":
            return around.now().strftime("%H:%M:%S")
        case "s":
            return around.system_name
        case "h":
            return around.hostname
        case "H":
            return around.hostname.partition(".")[0]
        case "u":
            return around.user
        case "g":
            return around.group
        case "#":
            return ">" if around.remote else "#"
        case "%":
            return "%"
        case _:
            return ""


def _sgr(match: re.Match[str]) -> str:
    """Colours count as in ECMA-48: 30 black to 37 white; 0 and what is out of range reset."""
    foreground = int(match[1])
    number = foreground & ~_BRIGHT
    if not 30 <= number <= 37:
        return _RESET
    codes = ["1" if foreground & _BRIGHT else "0", str(number)]
    background = int(match[2] or 0) & ~_BRIGHT
    if 30 <= background <= 37:
        # origin: a background is numbered like a foreground; many prompts know better.
        background += 10
    if 40 <= background <= 47:
        codes.append(str(background))
    return f"\x1b[{';'.join(codes)}m"
