"""SIP URIs and name-addr values (RFC 3261 sections 19.1 and 25.1).

The parsers are total: they return a value or raise `SipParseError`.  What they return prints as
text that parses to the same value again.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple, NoReturn

from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.address import bracketed

Parameters = tuple[tuple[str, str | None], ...]
"""Parameters in order; the value is None where there is no equals sign."""

_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
# a "%" that escapes nothing is not in the grammar, but accounts are called `%name%`, and the origin
# takes them
_UNRESERVED_OR_ESCAPED = _UNRESERVED + "%"
# "#" is not in the grammar, but telephone systems send it and the origin takes it
_USER = re.compile(rf"[{_UNRESERVED_OR_ESCAPED}&=+$,;?/#]+")
_PASSWORD = re.compile(rf"[{_UNRESERVED_OR_ESCAPED}&=+$,]*")
# underscores are no host name characters either, yet they stand in private zones
_HOST = re.compile(r"[A-Za-z0-9_.\-]+")
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]+))?")
_PARAMETER = re.compile(
    rf"([{_UNRESERVED_OR_ESCAPED}\[\]/:&+$]+)(?:=([{_UNRESERVED_OR_ESCAPED}\[\]/:&+$]*))?"
)
_HEADERS = re.compile(rf"[{_UNRESERVED_OR_ESCAPED}\[\]/?:+$&=]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED_CHARACTER = re.compile(rf"[{_UNRESERVED}]")

#: parameters that count even when only one of two URIs has them (RFC 3261 section 19.1.4)
_SIGNIFICANT = frozenset({"user", "ttl", "method", "maddr", "transport"})


class SipUri(NamedTuple):
    """A `sip:` or `sips:` URI; `str()` writes it as RFC 3261 section 19.1.1 says.

    `scheme` is in lower case.  `user`, `password`, `parameters` and `headers` keep their escapes.
    `host` of an IPv6 address has no brackets; `port` is None where the text names none.
    `headers` is what stands after the question mark.
    """

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None = None
    parameters: Parameters = ()
    headers: str = ""

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        if self.user is not None and self.password is not None:
            user = f"{self.user}:{self.password}@"
        port = "" if self.port is None else f":{self.port}"
        text = f"{self.scheme}:{user}{bracketed(self.host)}{port}"
        for name, value in self.parameters:
            text += f";{name}" if value is None else f";{name}={value}"
        return f"{text}?{self.headers}" if self.headers else text

    def parameter(self, name: str) -> str | None:
        """The value of the first parameter of this name, letter case ignored; None when there is
        none or it has no value."""
        return find_parameter(self.parameters, name)

    def has(self, name: str) -> bool:
        """Whether there is a parameter of this name, with or without a value."""
        wanted = name.lower()
        return any(key.lower() == wanted for key, _ in self.parameters)


class NameAddress(NamedTuple):
    """The value of a From, To, Contact, Route ... header (RFC 3261 section 20.10).

    `display` has neither quotes nor escapes.  `parameters` are those behind the URI, their
    values as written, quotes included.
    """

    display: str
    uri: SipUri
    parameters: Parameters = ()

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{write_parameters(self.parameters)}"

    def parameter(self, name: str) -> str | None:
        """The value of the first parameter of this name, without quotes; None without one."""
        value = find_parameter(self.parameters, name)
        return None if value is None else unquote(value)


# -- parameters and quoted strings ------------------------------------------------------------


def find_parameter(parameters: Parameters, name: str) -> str | None:
    """The value of the first parameter of this name as written, letter case ignored."""
    wanted = name.lower()
    return next((value for key, value in parameters if key.lower() == wanted), None)


def write_parameters(parameters: Parameters) -> str:
    """`;name=value;flag`, or nothing."""
    return "".join(
        f";{name}" if value is None else f";{name}={value}" for name, value in parameters
    )


def quote(text: str) -> str:
    """`text` as quoted-string (RFC 3261 section 25.1); line ends become blanks."""
    if '"' not in text and "\\" not in text and text.isprintable():
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", " ").replace("\n", " ") + '"'


def unquote(text: str) -> str:
    """The meaning of a quoted-string; other text comes back unchanged."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner


_BETWEEN = re.compile(r"[\s;]*")
_HEADER_PARAMETER = re.compile(
    r"\s*;[\s;]*([^\s;,=\"<>]+)(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"<>]*))?", re.DOTALL
)


def read_parameters(text: str, start: int = 0) -> Parameters:
    """The `;name=value` parameters that `text` consists of from `start` on.

    Raises SipParseError where something else stands.  Empty ones (`;;`) are passed over.
    """
    found: list[tuple[str, str | None]] = []
    position = start
    while (match := _HEADER_PARAMETER.match(text, position)) is not None:
        found.append((match[1], match[2]))
        position = match.end()
    rest = _BETWEEN.match(text, position)
    if rest is not None and rest.end() < len(text):
        _fail("no parameter", text, rest.end())
    return tuple(found)


# -- parsing ----------------------------------------------------------------------------------


_USER_AND_COLON = re.compile(r"sips?:[^:@]*:", re.IGNORECASE)


def _fail(what: str, text: str, at: int = 0) -> NoReturn:
    offset = len(text[:at].encode("utf-8", "replace"))
    raise SipParseError(f"{what}: {excerpt(_without_password(text))}", offset)


def _without_password(text: str) -> str:
    """`text` with stars for what may be a password: from the second colon to the last at sign.
    Strangers choose this text, so its cost grows with its length and no faster."""
    end = text.rfind("@")
    begin = _USER_AND_COLON.search(text, 0, max(end, 0))
    return f"{text[: begin.end()]}********{text[end:]}" if begin else text


def parse_uri(text: str) -> SipUri:
    """The SIP URI that all of `text` is.  Raises SipParseError (RFC 3261 section 25.1)."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in {"sip", "sips"}:
        _fail("no sip: or sips: URI", text)
    user: str | None = None
    password: str | None = None
    # a user may hold ";" and "?", but nothing after the user may hold "@"
    userinfo, at, place = rest.rpartition("@")
    if at:
        user, password = _user(userinfo, text)
    place, question, headers = place.partition("?")
    if question and not _HEADERS.fullmatch(headers):
        _fail("bad headers in the URI", text)
    host_port, *parameters = place.split(";")
    host, port = _host_port(host_port, text)
    return SipUri(
        scheme, user, password, host, port, tuple(_parameter(p, text) for p in parameters), headers
    )


def _user(userinfo: str, text: str) -> tuple[str, str | None]:
    user, colon, password = userinfo.partition(":")
    if not _USER.fullmatch(user):
        _fail("bad user in the URI", text)
    if not colon:
        return user, None
    if not _PASSWORD.fullmatch(password):
        _fail("bad password in the URI", text)
    return user, password


def _host_port(host_port: str, text: str) -> tuple[str, int | None]:
    match = _HOST_PORT.fullmatch(host_port)
    if match is None:
        _fail("bad host or port in the URI", text)
    host, digits = match[1], match[2]
    if host.startswith("["):
        host = host[1:-1]
        if not _is_ipv6(host):
            _fail("bad IPv6 address in the URI", text)
    elif not _HOST.fullmatch(host):
        _fail("bad host in the URI", text)
    if digits is None:
        return host, None
    port = int(digits) if len(digits) < 10 else 65536
    if port > 65535:
        _fail("bad port in the URI", text)
    return host, port


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def _parameter(part: str, text: str) -> tuple[str, str | None]:
    match = _PARAMETER.fullmatch(part)
    if match is None:
        _fail("bad parameter in the URI", text)
    return match[1], match[2]


_DISPLAY = re.compile(r"(?:\s*(\"(?:[^\"\\]|\\.)*\")\s*|([^\"<>]*))<", re.DOTALL)


def parse_name_address(text: str) -> NameAddress:
    """The name-addr or addr-spec with its parameters that all of `text` is.

    Without angle brackets everything from the first semicolon on belongs to the header, not to
    the URI (RFC 3261 section 20).  Raises SipParseError.
    """
    match = _DISPLAY.match(text)
    if match is None:
        uri, semicolon, rest = text.strip().partition(";")
        return NameAddress("", parse_uri(uri.rstrip()), read_parameters(semicolon + rest))
    end = text.find(">", match.end())
    if end < 0:
        _fail("no closing angle bracket", text, match.end())
    display = unquote(match[1]) if match[1] is not None else " ".join(match[2].split())
    uri = text[match.end() : end].strip()
    return NameAddress(display, parse_uri(uri), read_parameters(text, end + 1))


# -- comparison -------------------------------------------------------------------------------


def equivalent(a: SipUri, b: SipUri) -> bool:
    """Whether two URIs mean the same resource (RFC 3261 section 19.1.4).

    Not transitive: a parameter that only one of them has does not count, save for `transport`,
    `user`, `ttl`, `method` and `maddr`.
    """
    if a == b:
        return True
    return (
        a.scheme == b.scheme
        and _unescaped(a.user) == _unescaped(b.user)
        and _unescaped(a.password) == _unescaped(b.password)
        and _host_key(a.host) == _host_key(b.host)
        and a.port == b.port
        and _parameters_agree(a, b)
        and _headers_key(a.headers) == _headers_key(b.headers)
    )


def same_user(a: SipUri, b: SipUri) -> bool:
    """Whether two URIs have the same user part, escapes resolved."""
    return _unescaped(a.user) == _unescaped(b.user)


def _unescaped(text: str | None) -> str | None:
    """`text` with the escapes of unreserved characters resolved, the others in capitals."""
    if text is None or "%" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if _UNRESERVED_CHARACTER.fullmatch(character) else match[0].upper()

    return _ESCAPE.sub(plain, text)


def _host_key(host: str) -> str:
    return IPv6Address(host).compressed if ":" in host else host.lower()


def _folded(text: str | None) -> str | None:
    plain = _unescaped(text)
    return None if plain is None else plain.lower()


def _parameters_agree(a: SipUri, b: SipUri) -> bool:
    ours = {_folded(name): _folded(value) for name, value in reversed(a.parameters)}
    theirs = {_folded(name): _folded(value) for name, value in reversed(b.parameters)}
    return all(
        ours.get(name) == theirs.get(name) and (name in ours) == (name in theirs)
        for name in ours.keys() | theirs.keys()
        if name in _SIGNIFICANT or (name in ours and name in theirs)
    )


def _headers_key(headers: str) -> list[tuple[str | None, str | None]]:
    fields = (field.partition("=") for field in headers.split("&") if field)
    return sorted(
        ((_folded(name), _unescaped(value)) for name, _, value in fields),
        key=lambda field: (field[0] or "", field[1] or ""),
    )
