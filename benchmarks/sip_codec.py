"""What SIP costs per message: `python -m benchmarks.sip_codec`; best of several runs, one core."""

from __future__ import annotations

import timeit
from collections.abc import Callable

from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.contacts import granted
from pjreg_cli.sip.digest import Account, credentials, select
from pjreg_cli.sip.framing import StreamFramer
from pjreg_cli.sip.message import Response, parse
from pjreg_cli.sip.transaction import Event, begin, react
from pjreg_cli.sip.uri import parse_uri

_COMMON = (
    b"Via: SIP/2.0/UDP 10.0.0.1:5060;rport=5060;received=10.0.0.1;branch=z9hG4bKabcdef012345678\r\n"
    b"From: <sip:alice@example.com>;tag=0123456789\r\n"
    b"To: <sip:alice@example.com>;tag=9876543210\r\n"
    b"Call-ID: 0123456789abcdef@10.0.0.1\r\n"
    b"CSeq: 12345 REGISTER\r\n"
)
_OK = (
    b"SIP/2.0 200 OK\r\n"
    + _COMMON
    + b"Contact: <sip:s@10.0.0.1:5060;line=abcdefg>;expires=3600\r\n"
    b"Expires: 3600\r\nServer: registrar\r\nContent-Length: 0\r\n\r\n"
)
_CHALLENGE = (
    b"SIP/2.0 401 Unauthorized\r\n" + _COMMON + b'WWW-Authenticate: Digest realm="example.com",'
    b' nonce="0123456789abcdef0123456789abcdef", algorithm=MD5, qop="auth"\r\n'
    b"Server: registrar\r\nContent-Length: 0\r\n\r\n"
)
_OURS = parse_uri("sip:s@10.0.0.1:5060;line=abcdefg")
_ACCOUNT = Account("auth", "", "alice", ("MD5",), lambda: "secret")


def _read(data: bytes, header: str) -> Response:
    response = parse(data)
    if not isinstance(response, Response) or response.code < 200:
        raise SystemExit("the benchmark's own message is no final response")
    _ = response.branch, response.cseq, response.headers.get(header)
    return response


def _answer_challenge() -> None:
    selected = select(parse_challenges(_read(_CHALLENGE, "call-id")), (_ACCOUNT,))
    credentials(*selected[0], "REGISTER", "sip:example.com", "cnonce")


def _transaction() -> None:
    transaction = begin(0.0, reliable=False)
    transaction, _ = react(transaction, Event.WAKE, 0.5)
    transaction, _ = react(transaction, Event.FINAL, 0.6)
    react(transaction, Event.WAKE, 5.6)


def _micros(work: Callable[[], object]) -> float:
    """Microseconds that `work` takes once."""
    rounds = 500
    return min(timeit.repeat(work, number=rounds, repeat=100)) / rounds * 1e6


def main() -> None:
    """Print one line for each kind of work."""
    accepted = _read(_OK, "contact")
    for name, work in (
        ("200: code, branch, cseq, one header", lambda: _read(_OK, "contact")),
        ("401: code, branch, cseq, one header", lambda: _read(_CHALLENGE, "www-authenticate")),
        ("401 to Authorization", _answer_challenge),
        ("granted lifetime of a 200", lambda: granted(accepted, _OURS, 3600)),
        ("a transaction with one resend, to its end", _transaction),
        ("a 200 through the stream framer", lambda: StreamFramer().feed(_OK)),
        ("parse a contact URI", lambda: parse_uri("sip:s@10.0.0.1:5060;line=abcdefg")),
        ("encode a 200", accepted.encode),
    ):
        print(f"{name:<44} {_micros(work):8.2f} us")


if __name__ == "__main__":
    main()
