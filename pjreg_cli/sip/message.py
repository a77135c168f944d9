"""Requests and responses: bytes in, values out, and back (RFC 3261 sections 7 and 25.1).

The start line is read at once, a header's value when somebody asks for it.  Bytes become text in
one place, here: UTF-8, and what is no UTF-8 survives the way in and out unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.headers import Headers, parse_cseq, split_list

#: the longest message taken, in bytes: what fits into a datagram
MAX_MESSAGE = 65535
#: the most header lines taken
MAX_HEADERS = 512

_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
_STATUS_LINE = re.compile(r"SIP/2\.0[ \t]+([1-6][0-9]{2})(?:[ \t]+(.*))?", re.I | re.S)
_REQUEST_LINE = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+) +([^\s\x00-\x1f\x7f]+) +SIP/2\.0\s*", re.I)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,\"]+)", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,9}")

REASONS = {
    100: "Trying",
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    483: "Too Many Hops",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
}
"""The usual words for the codes that this program writes or explains (RFC 3261 section 21)."""


def to_bytes(text: str) -> bytes:
    """Text as UTF-8; bytes that came in as no UTF-8 go out as they were.  Never raises."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def to_text(octets: bytes) -> str:
    """Bytes of the wire as text.  Never raises; `to_bytes` is its inverse."""
    return octets.decode("utf-8", "surrogateescape")


def _written(start_line: str, headers: Headers, body: bytes) -> bytes:
    # Content-Length is ours to say: a value that came along might be wrong
    fields = headers.without("content-length") if headers.has("content-length") else headers
    first = start_line.replace("\r", " ").replace("\n", " ")
    return to_bytes(f"{first}\r\n{fields}Content-Length: {len(body)}\r\n\r\n") + body


class Request(NamedTuple):
    """A request; `uri` is the Request-URI as text."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""

    def encode(self) -> bytes:
        """The message for the wire, with the Content-Length its body has."""
        return _written(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)

    @property
    def branch(self) -> str:
        """The branch of the topmost Via; empty where there is none."""
        return _branch(self.headers)

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method.  Raises SipParseError where the header is missing or bad."""
        return parse_cseq(self.headers.get("cseq") or "")


# not frozen: a fleet makes two of them for each registration, and freezing costs as much as reading
@dataclass(slots=True)
class Response:
    """A response; `code` is 100 .. 699.  Nobody changes one."""

    code: int
    reason: str
    headers: Headers
    body: bytes = b""
    _cseq: tuple[int, str] | None = field(default=None, repr=False, compare=False)
    _branch: str | None = field(default=None, repr=False, compare=False)
    origin: tuple[str, str] | None = field(default=None, repr=False, compare=False)
    """Call-ID and From as they came, where `scan` has read them."""
    via: tuple[str, str] | None = field(default=None, repr=False, compare=False)
    """The topmost Via before its branch and behind it, likewise."""

    def encode(self) -> bytes:
        """The message for the wire, with the Content-Length its body has."""
        return _written(f"SIP/2.0 {self.code} {self.reason}", self.headers, self.body)

    @property
    def branch(self) -> str:
        """The branch of the topmost Via, the key of its transaction (RFC 3261 section 17.1.3);
        empty where there is none."""
        if self._branch is None:
            self._branch = _branch(self.headers)
        return self._branch

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method; of a parsed response always readable, else SipParseError."""
        return self._cseq or parse_cseq(self.headers.get("cseq") or "")


def _branch(headers: Headers) -> str:
    via = headers.get("Via") or ""
    if "," in via:
        via = next(iter(split_list(via)), "")
    branch = via.partition(";branch=")[2].partition(";")[0].rstrip(" \t")
    if branch and " " not in branch and "\t" not in branch:
        return branch
    match = _BRANCH.search(via)
    return match[1] if match else ""


# -- parsing ----------------------------------------------------------------------------------


def parse(data: bytes) -> Request | Response:
    """The one message that `data` holds, as in a datagram.  Raises SipParseError.

    Empty lines before it are passed over, bytes behind its Content-Length dropped (RFC 3261
    section 18.3).  A response must have the five headers that every response has, with a
    readable CSeq; what a request lacks is for the one who answers it to judge.
    """
    if len(data) > MAX_MESSAGE:
        raise SipParseError(f"a message of {len(data)} bytes", MAX_MESSAGE)
    if data[:1] in b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n")
    if end >= 0:
        head, body = data[:end], data[end + 4 :]
    else:
        head, body = _loose_head(data)
    if head.count(b"\n") > MAX_HEADERS:
        raise SipParseError(f"more than {MAX_HEADERS} header lines")
    text = head.decode("utf-8", "surrogateescape")
    end = text.find("\n")
    start_line, fields = (text, "") if end < 0 else (text[:end], text[end:])
    if start_line[:4] in {"SIP/", "sip/"}:
        return _response(start_line, fields, body)
    return _request(start_line, fields, body)


def _loose_head(data: bytes) -> tuple[bytes, bytes]:
    """Head and body of a message whose lines end as they should not."""
    match = _HEAD_END.search(data)
    if match is not None:
        return data[: match.start()], data[match.end() :]
    if not data.strip():
        raise SipParseError("an empty message")
    # without the empty line at the end, as some senders of tiny answers do it
    return data.rstrip(b"\r\n"), b""


def _response(start_line: str, fields: str, body: bytes) -> Response:
    match = _STATUS_LINE.fullmatch(start_line.rstrip(" \t\r"))
    if match is None:
        raise SipParseError(f"bad status line: {excerpt(start_line.rstrip())}")
    headers = Headers.read(fields)
    if not _is_complete(fields, headers):
        missing = [name for name in _MANDATORY if not headers.has(name)]
        raise SipParseError(f"a response without {', '.join(missing)}")
    cseq = parse_cseq(headers.get("CSeq") or "")
    # the usual end of a response spares looking for what it says
    if body or not fields.endswith("\nContent-Length: 0"):
        body = _body(headers, body)
    return Response(int(match[1]), match[2] or "", headers, body, cseq)


def _is_complete(fields: str, headers: Headers) -> bool:
    """Whether all mandatory headers are there; the usual spelling is looked for first."""
    plain = fields.lower()
    return (
        "\nvia:" in plain
        and "\nfrom:" in plain
        and "\nto:" in plain
        and "\ncall-id:" in plain
        and "\ncseq:" in plain
    ) or headers.has(*_MANDATORY)


def _request(start_line: str, fields: str, body: bytes) -> Request:
    match = _REQUEST_LINE.fullmatch(start_line)
    if match is None:
        raise SipParseError(f"no SIP: {excerpt(start_line.rstrip())}")
    headers = Headers.read(fields)
    return Request(match[1], match[2], headers, _body(headers, body))


def _body(headers: Headers, rest: bytes) -> bytes:
    value = headers.get("content-length")
    if value is None:
        return rest
    if value == "0":
        return b""
    values = headers.all("content-length")
    if not any(values):
        return rest
    length = read_content_length(values)
    if length > len(rest):
        raise SipParseError(f"{len(rest)} of {length} bytes of the body")
    return rest[:length]


def read_content_length(values: tuple[str, ...]) -> int:
    """What all these Content-Length values say, in bytes.

    Raises SipParseError for what is no number and where two disagree: a message whose end is
    uncertain must not be guessed at.
    """
    # a header without a value says nothing
    values = tuple(value for value in values if value)
    if not all(_LENGTH.fullmatch(value) for value in values):
        raise SipParseError(f"bad Content-Length: {excerpt(', '.join(values))}")
    lengths = {int(value) for value in values}
    if len(lengths) > 1:
        raise SipParseError(f"contradicting Content-Length: {excerpt(', '.join(values))}")
    return lengths.pop() if lengths else 0
