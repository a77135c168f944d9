"""One question to one name server: over UDP, and again over TCP when the answer was cut short.

The socket is connected: a refusal is heard at once, and what comes from elsewhere is not heard.
"""

from __future__ import annotations

import asyncio
import socket
import struct

import dns.exception
import dns.flags
import dns.message

from pjreg_cli.net.sockets import family
from pjreg_cli.sip.address import Address

#: largest datagram taken
_LARGEST = 65_535
_LENGTH = struct.Struct("!H")
#: how a message begins: its number and flags
_HEAD = struct.Struct("!HH")


async def ask(server: Address, query: dns.message.QueryMessage) -> dns.message.QueryMessage:
    """The answer to `query`.  Never comes back while the server is silent; raises OSError when it
    refuses, cannot be reached or breaks off."""
    loop = asyncio.get_running_loop()
    with socket.socket(family(server.host), socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        made.connect(server)
        await loop.sock_sendall(made, query.to_wire())
        while True:
            data = await loop.sock_recv(made, _LARGEST)
            if _is_cut(query, data):
                break
            # what is no answer to the question may have been forged: the true one may still come
            if (answer := _read(query, data)) is not None:
                return answer
    return await _by_tcp(server, query)


async def _by_tcp(server: Address, query: dns.message.QueryMessage) -> dns.message.QueryMessage:
    """RFC 1035 section 4.2.2: each message has its length before it."""
    reader, writer = await asyncio.open_connection(*server)
    try:
        data = query.to_wire()
        writer.write(_LENGTH.pack(len(data)) + data)
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        answer = _read(query, await reader.readexactly(length))
    except EOFError as error:
        raise ConnectionError("it broke off") from error
    finally:
        writer.close()
    if answer is None:
        raise ConnectionError("it answered something else")
    return answer


def _is_cut(query: dns.message.QueryMessage, data: bytes) -> bool:
    """Whether this is the beginning of an answer that did not fit into a datagram."""
    if len(data) < _HEAD.size:
        return False
    number, flags = _HEAD.unpack_from(data)
    return bool(number == query.id and flags & dns.flags.QR and flags & dns.flags.TC)


def _read(query: dns.message.QueryMessage, data: bytes) -> dns.message.QueryMessage | None:
    """The answer in `data`; None for what is no answer to `query`."""
    try:
        answer = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, OverflowError):
        return None
    if isinstance(answer, dns.message.QueryMessage) and query.is_response(answer):
        return answer
    return None
