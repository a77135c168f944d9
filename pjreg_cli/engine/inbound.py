"""What comes in: responses to their requests, requests to their answer, the rest counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.engine.allowance import Allowance
from pjreg_cli.engine.trace import masked
from pjreg_cli.errors import SipParseError
from pjreg_cli.levels import MESSAGES
from pjreg_cli.sip.broken import salvage
from pjreg_cli.sip.message import Request, Response, parse
from pjreg_cli.sip.scan import scan
from pjreg_cli.sip.uas import answer, refuse, reply_to, tag_for

if TYPE_CHECKING:
    from pjreg_cli.net.flow import Endpoint, Source

#: bytes of a message whose first line is told
_SHOWN = 200
_log = logging.getLogger("pjreg_cli.engine")


class Inbound:
    """Sorts what comes in.  `respond` takes a response and where it came to, and says whether it
    belonged to anything; `key` (32 bytes) makes our tags unforeseeable."""

    def __init__(
        self,
        respond: Callable[[Response, Endpoint], bool],
        key: bytes,
        *,
        clock: Callable[[], float],
        knows: Callable[[str, int], bool],
    ) -> None:
        """`knows` says of an address and port whether it is one of our registrars."""
        self._respond = respond
        self._key = key
        self._knows = knows
        self._allowance = Allowance(clock)
        self.redirect = ""
        """Where calls are sent with 302; empty: they get 480."""
        self.traffic: Counter[str] = Counter()
        """How many there were: `responses`, `stray` responses, `requests`, `malformed` ones among
        what could not be read, `garbage`; and `unanswered`, since strangers had enough answers."""

    def answered(self) -> int:
        """How many responses there were to requests of ours."""
        return self.traffic["responses"]

    def received(self, data: bytes, source: Source) -> bool:
        """One message from outside, whatever it holds; whether it was of any use."""
        if _log.isEnabledFor(MESSAGES):
            line = masked(data[:_SHOWN].partition(b"\r\n")[0])
            _log.log(MESSAGES, "%d bytes from %s:%d: %a", len(data), *source.address[:2], line)
        usual = scan(data)
        if usual is not None:
            known = self._respond(usual, source.endpoint)
            self.traffic["responses" if known else "stray"] += 1
            return known
        try:
            message = parse(data)
        except SipParseError as error:
            source.endpoint.garbled(data, source.address)
            _log.debug("from %s:%d: %s", source.host, source.port, error)
            return self._refused(data, source)
        if isinstance(message, Response):
            known = self._respond(message, source.endpoint)
            self.traffic["responses" if known else "stray"] += 1
            return known
        self.traffic["requests"] += 1
        return self._answer(message, source, len(data))

    def _refused(self, data: bytes, source: Source) -> bool:
        """Say to whom has sent a request that cannot be read that it cannot; whether it was one."""
        found = salvage(data)
        if found is None:
            self.traffic["garbage"] += 1
            return False
        request, code = found
        self.traffic["malformed"] += 1
        came_from = (source.host, source.port)
        tag = tag_for(request, self._key)
        response = refuse(request, code, came_from, tag=tag, size=len(data))
        if response is not None:
            self._reply(request, response, source)
        # over a stream, who sends such things loses the connection
        return False

    def _answer(self, request: Request, source: Source, size: int) -> bool:
        """Answer a request; whether it was of use, as one is not that nobody can be answered to, or
        that comes when its sender has had his answers."""
        came_from = (source.host, source.port)
        tag = tag_for(request, self._key)
        response = answer(request, came_from, tag=tag, redirect=self.redirect, size=size)
        if response is not None:
            return self._reply(request, response, source)
        if request.headers.get("via") is None:
            self.traffic["malformed"] += 1
            return False
        return request.method == "ACK"

    def _reply(self, request: Request, response: Response, source: Source) -> bool:
        """Send an answer; whether its receiver may have one."""
        came_from = (source.host, source.port)
        if not self._knows(*came_from) and not self._allowance.permits(source.host):
            self.traffic["unanswered"] += 1
            return False
        if not source.endpoint.reliable:
            back = reply_to(request, came_from)
            source = source._replace(address=(*back, *source.address[2:]))
        source.reply(response.encode())
        return True
