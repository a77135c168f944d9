"""SIP messages as the logger shows them."""

from __future__ import annotations

from datetime import datetime

from pjreg_cli.api.notices import Traced
from pjreg_cli.render.columns import harmless


def traced(message: Traced) -> str:
    """A message under a line that says where it went or came from, an empty line behind it.

    Line ends are those of text: a terminal, a log file and a console know no others.  What could
    steer a terminal is escaped.
    """
    kind = "response" if message.text.startswith("SIP/2.0 ") else "request"
    way, word = ("Transmitting", "to") if message.sent else ("Received", "from")
    size = len(message.text.encode("utf-8", "surrogateescape"))
    head = f"<--- {way} SIP {kind} ({size} bytes) {word} {message.transport}:{message.address} --->"
    text = harmless(message.text.replace("\r\n", "\n").rstrip("\n"))
    return f"{head}\n{text}\n\n"


def stamped(message: Traced, at: datetime) -> str:
    """The same for a console, under a line with the local time and the direction: Asterisk's has
    neither."""
    arrow = "==>" if message.sent else "<=="
    stamp = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
    return f"{stamp} {arrow} {message.transport.lower()}:{message.address}\n{traced(message)}"
