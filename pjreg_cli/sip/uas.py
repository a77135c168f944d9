"""What we answer to requests that come to us (RFC 3261 section 8.2), without keeping any state.

The same request gets the same answer however often it comes, so retransmissions need no memory
(RFC 3261 section 8.2.7), and an answer is never much longer than its request, so nobody can use
us to flood others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.address import bracketed
from pjreg_cli.sip.headers import Headers, Via, parse_via, split_list, tag_of
from pjreg_cli.sip.message import REASONS, Request, Response, to_bytes
from pjreg_cli.sip.uri import SipUri, parse_uri, write_parameters

Source = tuple[str, int]
"""Numeric address and port a request came from."""

#: what we say something about other than "not implemented"
ALLOW = "OPTIONS, INVITE, ACK, CANCEL, BYE"

#: an answer may be this many bytes longer than its request, and not more than twice as long
_SURPLUS = 400

_MANDATORY = ("via", "from", "to", "call-id", "cseq")
#: headers that may be there once
_SINGLE = ("from", "to", "call-id", "cseq", "max-forwards")
#: a quoted string (RFC 3261 section 25.1)
_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
#: RFC 3986 section 3.1
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_IN_DIALOG = frozenset({"BYE", "CANCEL", "PRACK", "UPDATE"})
_USER = "${USER}"
_NO_USER = "s"
_SIGN = re.compile(r"[^A-Za-z0-9_.%-]")


def tag_for(request: Request, key: bytes) -> str:
    """A To tag that is always the same for this request and that nobody can foresee who does not
    know `key`, of which 32 bytes count (RFC 3261 sections 8.2.7 and 19.3)."""
    headers = request.headers
    parts = (request.branch, headers.get("call-id"), headers.get("cseq"), headers.get("from"))
    text = "\0".join(part or "" for part in parts)
    return hashlib.blake2s(to_bytes(text), key=key[:32], digest_size=8).hexdigest()


def answer(
    request: Request, source: Source, *, tag: str, redirect: str | None = None, size: int = 0
) -> Response | None:
    """The final response to `request`, None where silence is right; never raises.

    `tag` goes into To (see `tag_for`).  `redirect` is the URI to which calls are sent with 302,
    `${USER}` in it standing for the user of the Request-URI; None or empty: calls get 480.
    `size` is the length of the request as it came, in bytes, which short forms of headers may make
    less than it is when we write it; 0: as we write it.
    """
    case = _case(request, redirect)
    if case is None:
        return None
    if case.is_malformed():
        return refuse(request, 400, source, tag=tag, size=size)
    rule = next(rule for rule in RULES if rule.applies(case))
    fields = _echoed(request, case.via, source, tag)
    response = _response(rule.code, [*fields, *rule.headers(case)])
    allowed = _most(size or len(request.encode()))
    if len(response.encode()) <= allowed:
        return response
    # a 302 without its Contact would mean nothing
    bare = _response(480 if rule.code == 302 else rule.code, fields)
    return bare if len(bare.encode()) <= allowed else None


def refuse(
    request: Request, code: int, source: Source, *, tag: str, size: int = 0
) -> Response | None:
    """The answer to a request that cannot be understood: it repeats what it can.  None where
    silence is right: there is no Via that says whose it is (of another version of SIP, none at
    all); never raises."""
    via: Via | None = None
    try:
        via = parse_via(_top_via(request))
    except SipParseError:
        if code != 505 or not request.headers.has("via"):
            return None
    if request.method == "ACK":
        return None
    response = _response(code, _echoed(request, via, source, tag))
    return response if len(response.encode()) <= _most(size or len(request.encode())) else None


def _most(size: int) -> int:
    """How long the answer to a request of `size` bytes may be."""
    return min(2 * size, size + _SURPLUS)


def reply_to(request: Request, source: Source) -> Source:
    """Where the answer to a datagram goes (RFC 3261 section 18.2.2, RFC 3581 section 4).

    Always to the address the request came from: `maddr` and `received` as written by the sender
    could send our answers to a third party.
    """
    try:
        via = parse_via(_top_via(request))
    except SipParseError:
        return source
    return source if via.has("rport") else (source[0], via.port or 5060)


# -- what is asked ----------------------------------------------------------------------------


class Case(NamedTuple):
    """A request with the mandatory headers, looked at once."""

    request: Request
    via: Via
    uri: SipUri | None
    """The Request-URI, None where it is no readable SIP URI."""
    redirect: SipUri | None

    def is_malformed(self) -> bool:
        """Headers that must be there are not, or are there twice, or cannot be read."""
        headers = self.request.headers
        if not all(headers.get(name) for name in _MANDATORY):
            return True
        if any(len(headers.all(name)) > 1 for name in _SINGLE):
            return True
        if any(_QUOTES.sub("", headers.get(name) or "").count('"') for name in ("from", "to")):
            return True
        try:
            _ = self.request.cseq
            for element in headers.listed("via"):
                parse_via(element)
        except SipParseError:
            return True
        return False

    def is_mistaken(self) -> bool:
        """CSeq names another method (RFC 3261 section 8.1.1.5)."""
        return self.request.cseq[1] != self.request.method

    def is_in_dialog(self) -> bool:
        """It belongs to a call, and we have none (RFC 3261 section 12.2.2)."""
        method = self.request.method
        return method in _IN_DIALOG or (
            method == "INVITE" and tag_of(self.request.headers.get("to") or "") is not None
        )

    def is_registration(self) -> bool:
        """Somebody takes us for a registrar."""
        return self.request.method == "REGISTER"

    def is_unknown(self) -> bool:
        """A method we do nothing with."""
        return self.request.method not in {"OPTIONS", "INVITE"}

    def is_foreign(self) -> bool:
        """The Request-URI has another scheme."""
        scheme, colon, _ = self.request.uri.partition(":")
        is_one = bool(colon) and _SCHEME.fullmatch(scheme) is not None
        return is_one and scheme.lower() not in {"sip", "sips"}

    def is_unreadable(self) -> bool:
        """The Request-URI is none."""
        return self.uri is None

    def is_exhausted(self) -> bool:
        """A call that has used up its hops: the end of a circle of redirections."""
        return self.request.method == "INVITE" and self.max_forwards == "0"

    def is_demanding(self) -> bool:
        """It requires an extension, and we have none (RFC 3261 section 8.2.2.3)."""
        return bool(self.required)

    def is_question(self) -> bool:
        """OPTIONS (RFC 3261 section 11.2)."""
        return self.request.method == "OPTIONS"

    def is_redirected(self) -> bool:
        """A call, and there is somewhere to send it (RFC 3261 section 8.3)."""
        return self.redirect is not None

    def is_call(self) -> bool:
        """A call nobody here takes."""
        return True

    @property
    def max_forwards(self) -> str:
        """Max-Forwards without leading zeros, empty where there is none."""
        value = self.request.headers.get("max-forwards") or ""
        return value.lstrip("0") or value[:1]

    @property
    def required(self) -> tuple[str, ...]:
        """The option tags of Require."""
        return self.request.headers.listed("require")


def _case(request: Request, redirect: str | None) -> Case | None:
    """The request looked at, or None for what is not answered: ACK, and what has no Via that says
    whose it is."""
    if request.method == "ACK":
        return None
    try:
        via = parse_via(_top_via(request))
    except SipParseError:
        return None
    try:
        uri = parse_uri(request.uri)
    except SipParseError:
        return Case(request, via, None, None)
    return Case(request, via, uri, _target(redirect, uri))


def _target(redirect: str | None, uri: SipUri) -> SipUri | None:
    """The redirection's URI for a call to `uri`; None without a usable one."""
    if not redirect:
        return None
    user = uri.user or _NO_USER
    # a caller chooses this text: outside the user part it must not bring parameters with it
    harmless = _SIGN.sub(lambda match: f"%{ord(match[0]):02X}", user)
    before, at, after = redirect.rpartition("@")
    try:
        return parse_uri(before.replace(_USER, user) + at + after.replace(_USER, harmless))
    except SipParseError:
        return None


# -- the rules --------------------------------------------------------------------------------

_Fields = list[tuple[str, str]]


class AnswerRule(NamedTuple):
    """The first row that applies decides."""

    name: str
    applies: Callable[[Case], bool]
    code: int
    headers: Callable[[Case], _Fields]


def _nothing(case: Case) -> _Fields:
    return []


def _allow(case: Case) -> _Fields:
    return [("Allow", ALLOW)]


def _abilities(case: Case) -> _Fields:
    return [("Allow", ALLOW), ("Accept", "application/sdp"), ("Accept-Encoding", "identity")]


def _unsupported(case: Case) -> _Fields:
    return [("Unsupported", ", ".join(case.required))]


def _contact(case: Case) -> _Fields:
    return [("Contact", f"<{case.redirect}>")]


# fmt: off
RULES = (
    AnswerRule("mistaken",     Case.is_mistaken,     400, _nothing),
    AnswerRule("no dialog",    Case.is_in_dialog,    481, _nothing),
    AnswerRule("no registrar", Case.is_registration, 403, _nothing),
    AnswerRule("unknown",      Case.is_unknown,      501, _allow),
    AnswerRule("scheme",       Case.is_foreign,      416, _nothing),
    AnswerRule("unreadable",   Case.is_unreadable,   400, _nothing),
    AnswerRule("exhausted",    Case.is_exhausted,    483, _nothing),
    AnswerRule("extension",    Case.is_demanding,    420, _unsupported),
    AnswerRule("question",     Case.is_question,     200, _abilities),
    AnswerRule("redirected",   Case.is_redirected,   302, _contact),
    AnswerRule("nobody home",  Case.is_call,         480, _nothing),
)
"""What is answered to what; origin: challenges all of it, having no endpoint."""
# fmt: on


# -- the answer -------------------------------------------------------------------------------


def _response(code: int, fields: _Fields) -> Response:
    return Response(code, REASONS[code], Headers(fields))


def _echoed(request: Request, via: Via | None, source: Source, tag: str) -> _Fields:
    """The headers that a response repeats (RFC 3261 section 8.2.6.2)."""
    headers = request.headers
    first, *others = headers.all("via")
    rest = split_list(first)[1:]
    to = headers.get("to") or ""
    fields = [("Via", first if via is None else ", ".join([_stamped(via, source), *rest]))]
    fields += (("Via", value) for value in others)
    fields.append(("From", headers.get("from") or ""))
    fields.append(("To", to if not to or tag_of(to) is not None else f"{to};tag={tag}"))
    fields += ((name, headers.get(name) or "") for name in ("Call-ID", "CSeq"))
    return [(name, value) for name, value in fields if value]


def _stamped(via: Via, source: Source) -> str:
    """The topmost Via with what we saw of its sender (RFC 3581 section 4)."""
    host, port = source
    asked = via.has("rport")
    parameters = [
        (name, str(port) if name.lower() == "rport" else value)
        for name, value in via.parameters
        # a sender cannot know how we see it
        if name.lower() != "received"
    ]
    if asked or host != via.host:
        parameters.append(("received", host))
    shown = bracketed(via.host)
    sent_by = shown if via.port is None else f"{shown}:{via.port}"
    return f"SIP/2.0/{via.protocol} {sent_by}{write_parameters(tuple(parameters))}"


def _top_via(request: Request) -> str:
    return next(iter(request.headers.listed("via")), "")
