"""What is fuzzed: each target takes any bytes, and raises nothing but what a parser may raise.

A target that fails has found a fault: an exception outside the family of `errors.py`, or a property
that does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import dns.exception
import dns.message

from pjreg_cli.ami import codec
from pjreg_cli.config.reader import read
from pjreg_cli.control import protocol
from pjreg_cli.engine.inbound import Inbound
from pjreg_cli.engine.pcap import tcp_packet, udp_packet
from pjreg_cli.engine.trace import masked
from pjreg_cli.errors import PjregError, SipParseError
from pjreg_cli.net import dns_answers
from pjreg_cli.net.flow import Endpoint, Source
from pjreg_cli.net.x509 import read_certificate
from pjreg_cli.render.columns import harmless
from pjreg_cli.sip.broken import salvage
from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.contacts import (
    granted,
    min_expires_s,
    retry_after_s,
    security_servers,
    seen,
)
from pjreg_cli.sip.digest import Account, select
from pjreg_cli.sip.framing import StreamFramer
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.locate import Question
from pjreg_cli.sip.message import Response, parse, to_text
from pjreg_cli.sip.scan import scan
from pjreg_cli.sip.uri import equivalent, parse_name_address, parse_uri
from tests.support.digests import authorize

Target = Callable[[bytes], None]

_OURS = parse_uri("sip:alice@192.0.2.1:5060")
_ALGORITHMS = ("MD5", "SHA-256", "SHA-512-256")
_ACCOUNTS = (
    Account("a", "", "alice", _ALGORITHMS, lambda: "pw-of-alice"),
    Account("b", "b", "bob", _ALGORITHMS, lambda: "pw-of-bob"),
)


def message(data: bytes) -> None:
    """What is read can be written; the short cut reads the same as the parser."""
    salvage(data)
    usual = scan(data)
    try:
        found = parse(data)
    except SipParseError:
        assert usual is None, "the short cut takes what the parser refuses"
        return
    _ = found.branch
    with suppress(SipParseError):
        # what is odd about one that was read may be refused when it is written again
        parse(found.encode())
    if usual is not None:
        assert isinstance(found, Response)
        assert (usual.code, usual.branch, usual.cseq) == (found.code, found.branch, found.cseq)


def framing(data: bytes) -> None:
    """How a stream is cut into pieces changes nothing."""
    size = 1 + (data[0] if data else 0) % 17
    whole, pieces = StreamFramer(), StreamFramer()
    messages, cut = _framed(whole, [data]), _framed(pieces, _cut(data, size))
    assert messages == cut
    assert (whole.broken is None) == (pieces.broken is None)


def _framed(framer: StreamFramer, chunks: Iterable[bytes]) -> list[bytes]:
    messages: list[bytes] = []
    for chunk in chunks:
        framer.add(chunk)
        while (one := framer.take()) is not None:
            messages.append(one)
    return messages


def _cut(data: bytes, size: int) -> Sequence[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def challenges(data: bytes) -> None:
    """Whatever a registrar demands, there is an answer of one line or none."""
    name = "Proxy-Authenticate" if data[:1] > b"m" else "WWW-Authenticate"
    values = [(name, line) for line in to_text(data).split("\n")]
    response = Response(401, "Unauthorized", Headers(values))
    for _, value in authorize(
        select(parse_challenges(response), _ACCOUNTS), "REGISTER", "sip:a", "cnonce"
    ):
        assert "\n" not in value
        assert "pw-of-" not in value or "pw-of-" in to_text(data)


def contacts(data: bytes) -> None:
    """Whatever a 200 lists, what it grants is a number of seconds."""
    names = ("Contact", "Expires", "Retry-After", "Min-Expires", "Via", "Security-Server")
    lines = to_text(data).split("\n")
    fields = [(names[number % len(names)], line) for number, line in enumerate(lines)]
    response = Response(200, "OK", Headers(fields))
    for found in (
        granted(response, _OURS, 3600).expires_s,
        retry_after_s(response),
        min_expires_s(response),
    ):
        assert found is None or 0 <= found < 2**32
    assert granted(response, _OURS, 0).expires_s == 0
    str(seen(response))
    security_servers(response)


def uris(data: bytes) -> None:
    """What is read prints as text that means the same."""
    text = to_text(data)
    try:
        uri = parse_uri(text)
    except SipParseError as error:
        _is_short(error)
    else:
        assert parse_uri(str(uri)) == uri
        assert equivalent(uri, uri)
    try:
        address = parse_name_address(text)
    except SipParseError:
        return
    assert parse_name_address(str(address)).uri == address.uri


def _is_short(error: SipParseError) -> None:
    assert len(str(error)) < 1000


class _Wire(Endpoint):
    """Where answers go."""

    def __init__(self, *, reliable: bool) -> None:
        self.reliable = reliable
        self.answers: list[bytes] = []

    # Any: an address has as many parts as its family wants
    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        self.answers.append(data)


def inbound(data: bytes) -> None:
    """Whatever comes in, there is one answer at most, and it is modest."""
    wire = _Wire(reliable=data[:1] < b"I")
    one = Inbound(lambda _r, _e: False, b"k" * 32, clock=lambda: 0.0, knows=lambda _h, _p: False)
    one.redirect = "sip:${USER}@192.0.2.7"
    one.received(data, Source(wire, ("192.0.2.9", 5060)))
    assert len(wire.answers) <= 1
    for answer in wire.answers:
        assert answer.startswith(b"SIP/2.0 ")
        assert len(answer) <= 2 * len(data)


def manager(data: bytes) -> None:
    """How the bytes of a manager were cut changes nothing, and messages print back."""
    size = 1 + (data[0] if data else 0) % 17
    whole, pieces = codec.Decoder(), codec.Decoder()
    found = whole.feed(data)
    cut = [one for piece in _cut(data, size) for one in pieces.feed(piece)]
    assert found == cut
    for one in found:
        if isinstance(one, codec.Message):
            codec.encode((key or "x", value) for key, value in one.headers)


class _Files:
    """Two files that may include each other."""

    def __init__(self, data: bytes) -> None:
        first, _, second = data.partition(b"\xff")
        self._texts = {"pjsip.conf": to_text(first), "other.conf": to_text(second)}

    def lines(self, path: str) -> Iterable[str]:
        if path not in self._texts:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self._texts[path].split("\n")

    def find(self, pattern: str) -> Sequence[str]:
        return [name for name in self._texts if name == pattern]


def configuration(data: bytes) -> None:
    """A file is read or given up, with a word that names the place."""
    for forgiving in (False, True):
        try:
            document = read("pjsip.conf", _Files(data), forgiving)
        except PjregError:
            continue
        else:
            assert all(section.name is not None for section in document.sections)


def control(data: bytes) -> None:
    """Frames come whole or the connection is of no more use."""
    reader = protocol.FrameReader(1 << 16)
    try:
        frames = reader.feed(data)
    except PjregError:
        return
    for _, payload in frames:
        for understood in (
            protocol.parse_hello,
            protocol.parse_ended,
            protocol.parse_counts,
            protocol.parse_log,
            protocol.parse_suggestions,
            protocol.Greeting.parse,
        ):
            try:
                understood(payload)
            except PjregError:
                continue


def certificate(data: bytes) -> None:
    """Whatever a registrar shows as its certificate, it is read or it is none."""
    found = read_certificate(data)
    if found is not None:
        assert harmless(repr(found)).isprintable()


_QUESTIONS = [Question("a.example", kind) for kind in ("A", "AAAA", "SRV", "NAPTR")]


def name_server(data: bytes) -> None:
    """Whatever a name server answers, it is an answer, or no use, or an error with a name."""
    try:
        response = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, OverflowError):
        return  # nobody's answer: `dns_client` goes on waiting
    if not isinstance(response, dns.message.QueryMessage):
        return
    dns_answers.code(response)
    for question in _QUESTIONS:
        with suppress(PjregError):
            assert 0 <= dns_answers.answer(question, response).ttl_s <= 86_400


_SECRET = b"hunter2.."


def trace(data: bytes) -> None:
    """Whatever is traced: lengths stay, passwords do not, captures are whole, text is inert."""
    masks = masked(data)
    assert len(masks) == len(data)
    assert _SECRET not in masked(b"Authorization: Basic " + _SECRET + b"\r\n" + data)
    assert _SECRET not in masked(b"To: <sip:a:" + _SECRET + b"@h>\r\n" + data)
    for ends in ((b"\x7f\0\0\1",) * 2, (b"\0" * 16,) * 2):
        assert udp_packet(ends, 5060, 5061, data).endswith(data[:65_507])
        if len(data) <= 32_768:
            assert tcp_packet(ends, 5060, 5061, 1, 1, data).endswith(data)
    shown = harmless(to_text(masks))
    assert not {one for one in shown if ord(one) < 32} - {"\t", "\n"}


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        message,
        framing,
        challenges,
        contacts,
        uris,
        inbound,
        manager,
        configuration,
        control,
        certificate,
        name_server,
        trace,
    )
}
