"""An exchange as a SIP ladder in text: who, when, and which resends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pjreg_cli.api.findings import Message, Tried
from pjreg_cli.render import columns, json

_ARROW = 44
#: the trouble of a request in words
_WORDS = {
    "refused": "refused",
    "unreachable": "unreachable",
    "connect-timeout": "no connection",
    "handshake-timeout": "no TLS",
    "lost": "closed",
    "reset": "reset",
    "not-sip": "no SIP",
    "tls": "TLS failed",
    "certificate": "certificate refused",
}


def ladder(tried: Sequence[Tried]) -> Iterator[str]:
    """A line for each message: sent to the right, answered to the left."""
    before = ""
    for one in tried:
        protocol, _, address = one.target.partition(":")
        if one.target != before:
            yield f"{'UTC':16}{one.ours:<{_ARROW - 20}}{address:>20} {protocol}\n"
            before = one.target
        signed = f" [{columns.harmless(one.signed[0])}]" if one.signed else ""
        again = f", {one.sends} times" if one.sends > 1 else ""
        yield f"{_clock(one.sent_at)}  |{_arrow(f'REGISTER{signed}{again}', right=True)}|\n"
        ended_at = one.sent_at + one.took_s
        if one.heard is not None:
            text = f"{one.heard.code} {columns.harmless(one.heard.reason)[:24]}"
            yield f"{_clock(ended_at)}  |{_arrow(text, right=False)}|\n"
        else:
            kind = one.trouble.kind if one.trouble is not None else ""
            what = _WORDS.get(kind, "nothing came back")
            yield f"{_clock(ended_at)}  |{f'x  {what}':>{_ARROW}}|\n"
    if not before:
        yield "There is no exchange to show yet.\n"


def of(tried: Sequence[Tried], remembered: Sequence[Message]) -> Sequence[Message]:
    """The messages of these requests, and of what came after them."""
    if not tried:
        return remembered
    # a request is remembered when it is made, which may be before it is its turn to be sent
    before = [at for at, one in enumerate(remembered) if one.sent and one.at <= tried[0].sent_at]
    return remembered[before[-1] :] if before else remembered


def messages(found: Sequence[Message]) -> Iterator[str]:
    """The messages themselves."""
    for message in found:
        way = ">>>" if message.sent else "<<<"
        yield f"{_clock(message.at)} {way}\n"
        for line in message.text.splitlines():
            yield f"    {columns.harmless(line)}\n"
    if not found:
        yield "Its messages are not remembered any more.\n"


def _arrow(text: str, right: bool) -> str:
    inner = f" {text} "[: _ARROW - 4]
    line = f"{inner:-^{_ARROW - 2}}"
    return f"-{line}>" if right else f"<{line}-"


def _clock(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def shape(requests: Sequence[Tried], remembered: Sequence[Message] | None) -> json.Shape:
    """The requests of the last attempt; with `remembered` the messages, too."""
    found: json.Shape = {
        "requests": [
            {
                "target": one.target,
                "from": one.ours,
                "sent_at": json.instant(one.sent_at),
                "took_s": round(one.took_s, 6),
                "sends": one.sends,
                "auth": one.signed[0] if one.signed else None,
                "code": one.heard.code if one.heard is not None else None,
                "reason": one.heard.reason if one.heard is not None else None,
                "trouble": one.trouble.kind if one.trouble is not None else None,
            }
            for one in requests
        ]
    }
    if remembered is not None:
        found["messages"] = [
            {"at": json.instant(one.at), "sent": one.sent, "text": one.text} for one in remembered
        ]
    return found
