"""The usual answer, read without taking it apart: a short cut through `message.parse`; pure.

Nearly every answer of a registrar looks the same: the headers' long names in their usual spelling,
Via on top, no folded line, no body.  What is not so, and whatever is in doubt, is left to the full
parser; what is read here reads the same there (`tests/unit/sip/test_scan.py` plays both against
each other).
"""

from __future__ import annotations

from typing import Final

from pjreg_cli.sip.headers import Headers, tag_of
from pjreg_cli.sip.message import MAX_HEADERS, MAX_MESSAGE, Response

_END: Final = b"\r\nContent-Length: 0\r\n\r\n"
_VIA: Final = "\r\nVia: SIP/2.0/"
_CSEQ: Final = "\r\nCSeq: "
_BRANCH: Final = ";branch="
_CSEQ_LIMIT: Final = 2**31


def scan(data: bytes) -> Response | None:
    """The response that `data` holds, None for what only the full parser should judge."""
    lines = data.count(b"\n")
    if (
        not data.startswith(b"SIP/2.0 ")
        or not data.endswith(_END)
        or data.find(b"\r\n\r\n") != len(data) - 4
        or len(data) > MAX_MESSAGE
        or not data.isascii()
        or lines != data.count(b"\r\n")
        or lines > MAX_HEADERS
    ):
        return None
    text = data[:-4].decode("ascii")
    line_end = text.find("\r\n")
    low = text.lower()
    if (
        not text.startswith(_VIA, line_end)
        or "\r\nCall-ID: " not in text
        or "\r\nFrom: " not in text
        or "\r\nTo: " not in text
        or low.count("\nc") != low.count("\ncontact: ") + 3  # CSeq, Call-ID, Content-Length
        or low.count("\ncall-id: ") != 1
        or low.count("\ncseq: ") != 1
        or low.count("\nf") != 1  # From
        or "\nl" in low
        or "\ni" in low
        or "\n " in text
        or "\n\t" in text
    ):
        return None
    return _response(text, line_end)


def _response(text: str, line_end: int) -> Response | None:
    digits = text[8:11]
    via = text[line_end : text.find("\r\n", line_end + 2)]
    branch = via.partition(_BRANCH)[2].partition(";")[0]
    at = text.find(_CSEQ)
    number, _, method = text[at + 8 : text.find("\r\n", at + 2)].partition(" ")
    if (
        at < 0
        or not branch.isalnum()
        or "," in via
        or not digits.isdigit()
        or not "1" <= digits[0] <= "6"
        or text[11] != " "
        or not number.isdigit()
        or len(number) > 10
        or not method.isalpha()
        or (count := int(number)) >= _CSEQ_LIMIT
    ):
        return None
    reason = text[12:line_end].strip(" \t\r")
    fields = Headers.read(text[line_end + 1 :])
    return Response(int(digits), reason, fields, b"", (count, method), branch, usual=True)


def repeats(response: Response, call_id: str, tag: str) -> bool:
    """Whether a response repeats the Call-ID and the From tag of a request (RFC 3261 section
    8.2.6.2)."""
    headers = response.headers
    if response.usual:
        text = headers.text
        at = text.find("\nFrom: <")
        line = text[at : text.find("\r", at + 1)]
        if at >= 0 and line.endswith(f">;tag={tag}") and line.count(">") == 1:
            return f"\nCall-ID: {call_id}\r" in text
    return headers.get("call-id") == call_id and tag_of(headers.get("from") or "") == tag
