"""What comes in: responses to their requests, requests to their answer, the rest counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.trace import masked
from pjreg_cli.errors import SipParseError
from pjreg_cli.levels import MESSAGES
from pjreg_cli.sip.message import Request, Response, parse
from pjreg_cli.sip.scan import scan
from pjreg_cli.sip.uas import answer, reply_to, tag_for

if TYPE_CHECKING:
    from pjreg_cli.net.flow import Endpoint, Source

#: bytes of a message whose first line is told
_SHOWN = 200
_log = logging.getLogger("pjreg_cli.engine")


class Inbound:
    """Sorts what comes in.  `respond` takes a response and where it came to, and says whether it
    belonged to anything; `key` (32 bytes) makes our tags unforeseeable."""

    def __init__(self, respond: Callable[[Response, Endpoint], bool], key: bytes) -> None:
        self._respond = respond
        self._key = key
        self.redirect = ""
        """Where calls are sent with 302; empty: they get 480."""
        self.traffic: Counter[str] = Counter()
        """How many there were: `responses`, `stray` responses, `requests`, `garbage`."""

    def received(self, data: bytes, source: Source) -> None:
        """One message from outside, whatever it holds."""
        if _log.isEnabledFor(MESSAGES):
            line = masked(data[:_SHOWN].partition(b"\r\n")[0])
            _log.log(MESSAGES, "%d bytes from %s:%d: %a", len(data), *source.address[:2], line)
        usual = scan(data)
        if usual is not None:
            known = self._respond(usual, source.endpoint)
            self.traffic["responses" if known else "stray"] += 1
            return
        try:
            message = parse(data)
        except SipParseError as error:
            self.traffic["garbage"] += 1
            source.endpoint.garbled(data, source.address)
            _log.debug("from %s:%d: %s", source.host, source.port, error)
            return
        if isinstance(message, Response):
            known = self._respond(message, source.endpoint)
            self.traffic["responses" if known else "stray"] += 1
        else:
            self.traffic["requests"] += 1
            self._answer(message, source, len(data))

    def _answer(self, request: Request, source: Source, size: int) -> None:
        came_from = (source.host, source.port)
        tag = tag_for(request, self._key)
        response = answer(request, came_from, tag=tag, redirect=self.redirect, size=size)
        if response is None:
            return
        if not source.endpoint.reliable:
            back = reply_to(request, came_from)
            source = source._replace(address=(*back, *source.address[2:]))
        source.reply(response.encode())
