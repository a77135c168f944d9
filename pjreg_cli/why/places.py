"""Where in the files an option stands; reads them when somebody asks, and only then."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pjreg_cli.api.findings import Finding, Fix
from pjreg_cli.config.rows import of_table

#: templates may be made of templates, this deep at most
_DEEPEST = 10
_OPTION = re.compile(r"\s*((?:\w+/)?\w+)\s*\+?=")
_HEADER = re.compile(r"\s*\[([^\]]*)\](?:\s*\(([^)]*)\))?")


def located(finding: Finding) -> Finding:
    """The same finding, its fixes at the line of their option where it is set."""
    return finding._replace(fix=tuple(map(_located, finding.fix)))


def _located(fix: Fix) -> Fix:
    if fix.option and of_table(fix.where):
        return fix._replace(where=f"{fix.where}.{fix.option}")
    path, _, line = fix.where.rpartition(":")
    if not path or not line.isdigit():
        return fix
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except OSError:
        return fix
    if not fix.option:
        # the line that is to blame, where it is one of an option
        set_there = _OPTION.match(lines[int(line) - 1]) if 0 < int(line) <= len(lines) else None
        return fix._replace(option=set_there[1]) if set_there is not None else fix
    found = option_line(lines, int(line), fix.option)
    return fix._replace(where=f"{path}:{found}") if found else fix


def option_line(lines: Sequence[str], header: int, option: str, depth: int = 0) -> int:
    """The line (from 1) where the section whose header is at line `header` sets an option, itself
    or by a template of the same file; 0 where it does not.  The last one counts."""
    match = _HEADER.match(lines[header - 1]) if 0 < header <= len(lines) else None
    if match is None or depth > _DEEPEST:
        return 0
    wanted = re.compile(rf"\s*(?:\w+/)?{re.escape(option)}\s*\+?=", re.IGNORECASE)
    found = 0
    for number in range(header + 1, len(lines) + 1):
        text = lines[number - 1]
        if _HEADER.match(text):
            break
        if wanted.match(text):
            found = number
    if found:
        return found
    for name in reversed((match[2] or "").split(",")):
        place = _section(lines, name.strip(), header)
        if place and (found := option_line(lines, place, option, depth + 1)):
            return found
    return 0


def _section(lines: Sequence[str], name: str, before: int) -> int:
    """The line of the last section of this name before another line; 0 without one."""
    for number in range(before - 1, 0, -1):
        match = _HEADER.match(lines[number - 1])
        if match is not None and match[1] == name:
            return number
    return 0
