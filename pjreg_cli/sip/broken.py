"""Requests that cannot be read: as much of them as it takes to say so; pure.

RFC 3261 section 18.3 and RFC 4475 want an answer to a request whose length is wrong, whose version
is another, whose URI holds a blank.  What is found here is good for that answer and nothing else.
"""

from __future__ import annotations

import re

from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import MAX_HEADERS, MAX_MESSAGE, Request, to_text

#: the longest start line that is looked at, in bytes
_LONGEST_LINE = 8192
_METHOD = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_VERSION = re.compile(r"SIP/([0-9]{1,9})\.([0-9]{1,9})", re.IGNORECASE)


def salvage(data: bytes) -> tuple[Request, int] | None:
    """The request that `data`, which `message.parse` has refused, was meant to be, and the code of
    its answer; None for what was none."""
    if len(data) > MAX_MESSAGE:
        return None
    head = data.lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    line, _, fields = head.partition(b"\n")
    if len(line) > _LONGEST_LINE or fields.count(b"\n") > MAX_HEADERS:
        return None
    words = to_text(line).split()
    if len(words) < 2 or not _METHOD.fullmatch(words[0]):
        return None
    version = _VERSION.fullmatch(words[-1])
    if version is None:
        return None
    code = 400 if (int(version[1]), int(version[2])) == (2, 0) else 505
    return Request(words[0], " ".join(words[1:-1]), Headers.read(to_text(fields))), code
