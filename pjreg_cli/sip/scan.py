"""The usual answer, read in one go: a short cut through `message.parse`; pure.

Nearly every answer of a registrar looks the same: the headers' long names in their usual spelling
and order, Via on top, no folded line, no body.  What is not so, and whatever is in doubt, is left
to the full parser; what is read here reads the same there (`tests/unit/sip/test_scan.py` plays both
against each other).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from pjreg_cli.sip.headers import Headers, tag_of
from pjreg_cli.sip.message import MAX_MESSAGE, Response

#: headers that say nothing about which request an answer belongs to, or where it ends
_OTHERS: Final = (
    "(?:(?:A(?:ccept|llow|llow-Events|uthentication-Info)|Contact|D(?:ate|iversion)|E(?:rror-Info"
    "|xpires)|M(?:in-Expires|IME-Version)|P(?:ath|-[A-Za-z-]+|roxy-Authenticate)|Re(?:ason|quire"
    "|try-After)|S(?:ecurity-Server|erver|ervice-Route|upported)|U(?:nsupported|ser-Agent)"
    "|W(?:WW-Authenticate|arning)|X-[A-Za-z-]+): [ -~]*+\r\n){0,64}+"
)
# every quantifier is possessive: nothing is tried twice, so the time is linear whatever comes
_USUAL: Final = (
    r"SIP/2\.0 ([1-6][0-9]{2}) ([ -~]*+)\r\n"
    r"Via: (SIP/2\.0/(?:(?!;branch=)[!#-+\--~ ])*+);branch=([A-Za-z0-9]++)((?:;[!#-+\--~]*+)?+)\r\n"
    rf"{_OTHERS}(?:Call-ID: ([!-~]++)\r\n{_OTHERS})?+"
    rf"From: ([ -~]*+)\r\n{_OTHERS}To: [ -~]*+\r\n"
    rf"{_OTHERS}(?:Call-ID: ([!-~]++)\r\n{_OTHERS})?+"
    rf"CSeq: ([0-9]{{1,10}}+) ([A-Z]++)\r\n"
    rf"{_OTHERS}Content-Length: 0\r\n\r\n"
)
_CSEQ_LIMIT: Final = 2**31
#: what the names of both headers with challenges end with, and what answers them by their beginning
_CHALLENGE: Final = "-Authenticate: "
_CONTACT: Final = "\nContact: "
_ANSWERS: Final = {"WWW": "Authorization", "Proxy": "Proxy-Authorization"}


@cache
def _usual() -> re.Pattern[str]:
    """The usual answer, compiled when there is one: that takes as long as to load ten modules."""
    return re.compile(_USUAL)


def scan(data: bytes) -> Response | None:
    """The response that `data` holds, None for what only the full parser should judge."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return None
    match = _usual().fullmatch(text)
    if match is None or len(data) > MAX_MESSAGE:
        return None
    code, reason, via, branch, received, before, from_, behind, number, method = match.groups()
    cseq = int(number)
    if (before is None) is (behind is None) or cseq >= _CSEQ_LIMIT:
        return None
    return Response(
        int(code),
        reason.strip(" "),
        Headers.read(text[text.index("\n") : -4]),
        b"",
        (cseq, method),
        branch,
        (before or behind, from_),
        (via, received),
    )


def repeats(response: Response, call_id: str, tag: str) -> bool:
    """Whether a response repeats the Call-ID and the From tag of a request (RFC 3261 section
    8.2.6.2)."""
    if response.origin is not None:
        its_call_id, its_from = response.origin
        if its_from.endswith(f">;tag={tag}") and its_from.count(">") == 1:
            return its_call_id == call_id
    headers = response.headers
    return headers.get("call-id") == call_id and tag_of(headers.get("from") or "") == tag


def only_challenge(response: Response) -> tuple[str, str] | None:
    """The challenge of a response that `scan` has read and that has just one, as its value and the
    name of the header that answers it; None for what must be looked through."""
    text = response.headers.text
    at = text.find(_CHALLENGE)
    if at < 0 or response.origin is None or text.find(_CHALLENGE, at + 1) >= 0:
        return None
    answer = _ANSWERS.get(text[text.rfind("\n", 0, at) + 1 : at])
    # (Content-Length, which comes last, is none)
    value = text[at + len(_CHALLENGE) : text.find("\r", at)]
    return None if answer is None else (value.strip(" "), answer)


def only_contact(response: Response) -> str | None:
    """The Contact of a response that `scan` has read and that has just one line of it, None for
    what must be looked through."""
    text = response.headers.text
    at = text.find(_CONTACT)
    if at < 0 or response.origin is None or text.find(_CONTACT, at + 1) >= 0:
        return None
    return text[at + len(_CONTACT) : text.find("\r", at)].strip(" ")
