"""Facts in their circumstances: everything that the causes ask; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Asked, Facts, Fix, Heard, Offer, Tried, Trouble
from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.address import split_host_port
from pjreg_cli.sip.challenges import algorithm_named
from pjreg_cli.sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from pjreg_cli.config.models import Auth, Registration, Transport
    from pjreg_cli.config.settings import Settings, Unusable

_LONGEST = 80


def inert(text: str, longest: int = _LONGEST) -> str:
    """What came from the network, harmless on a terminal: without control characters, and cut."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def quoted(text: str) -> str:
    """Somebody's words as such."""
    return f'"{inert(text)}"'


def span(seconds: float) -> str:
    """A time that has passed or will, as people say it: `0.4 ms`, `32 s`, `3 min`, `5 h`."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    for size, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and size == 3_600):
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"


def _uri(text: str) -> SipUri | None:
    """What an option names, with angle brackets or without."""
    text = text.strip()
    try:
        return parse_uri(text.partition("<")[2].partition(">")[0] or text)
    except SipParseError:
        return None


@dataclass(frozen=True)
class Case:
    """One registration's facts and the configuration they happened under."""

    facts: Facts
    settings: Settings

    # -- configuration ------------------------------------------------------------------------

    @cached_property
    def registration(self) -> Registration | None:
        """Its section; None where there is none in force."""
        return self.settings.registrations.get(self.facts.name)

    @cached_property
    def registrar(self) -> SipUri | None:
        """Where requests go first: outbound_proxy, else server_uri."""
        section = self.registration
        return _uri(section.outbound_proxy or section.server_uri) if section is not None else None

    @cached_property
    def behind(self) -> str:
        """The host of server_uri where an outbound proxy of another name stands before it; empty
        where requests go to the registrar itself, as far as the configuration knows."""
        section = self.registration
        if section is None or not section.outbound_proxy or self.registrar is None:
            return ""
        uri = _uri(section.server_uri)
        host = uri.host.lower() if uri is not None else ""
        return "" if host == self.registrar.host.lower() else host

    @cached_property
    def warner(self) -> str:
        """The host that a Warning of the answer is from (RFC 3261 section 20.43); empty where none
        says."""
        code, _, rest = (self.heard.header("warning") if self.heard else "").partition(" ")
        agent = split_host_port(rest.partition(" ")[0]) if code.isdecimal() else None
        return agent[0].lower() if agent is not None else ""

    @property
    def by_proxy(self) -> bool:
        """Whether the answer is the outbound proxy's own, and not the registrar's behind it."""
        if not self.behind or self.registrar is None or self.last is None:
            return False
        address = split_host_port(self.last.target.partition(":")[2])
        own = {self.registrar.host.lower(), address[0] if address is not None else ""}
        return bool(self.warner) and self.warner in own

    @property
    def who(self) -> str:
        """Whose answer it is: the registrar's, unless a proxy before it may have given it."""
        if not self.behind or self.warner == self.behind:
            return "the registrar"
        return f"the registrar or the proxy before it ({self.host})"

    @property
    def uri_option(self) -> str:
        """The option that says where requests go."""
        proxied = self.registration is not None and self.registration.outbound_proxy
        return "outbound_proxy" if proxied else "server_uri"

    @property
    def host(self) -> str:
        """The host that requests go to, as configured."""
        return inert(self.registrar.host if self.registrar is not None else "?")

    @cached_property
    def auths(self) -> Sequence[Auth]:
        """The auth sections it names that exist."""
        names = self.registration.outbound_auth if self.registration is not None else ()
        return [self.settings.auths[name] for name in names if name in self.settings.auths]

    @cached_property
    def missing_auths(self) -> Sequence[str]:
        """The auth sections it names that do not exist."""
        names = self.registration.outbound_auth if self.registration is not None else ()
        return [name for name in names if name not in self.settings.auths]

    @cached_property
    def transport(self) -> Transport | None:
        """The transport its last request went by; before one, the one it names or would use."""
        by_name = self.settings.transports
        if self.last is not None and self.last.transport in by_name:
            return by_name[self.last.transport]
        section = self.registration
        if section is not None and section.transport in by_name:
            return by_name[section.transport]
        return next((one for one in by_name.values() if one.protocol == self.protocol), None)

    @cached_property
    def protocol(self) -> str:
        """`udp`, `tcp` or `tls`: what the last request went by, else what is asked for."""
        if self.last is not None:
            return self.last.target.partition(":")[0]
        uri, section = self.registrar, self.registration
        if uri is not None and uri.scheme == "sips":
            return "tls"
        asked = (uri.parameter("transport") or "").lower() if uri is not None else ""
        named = self.settings.transports.get(section.transport) if section is not None else None
        return asked or (named.protocol if named is not None else "udp")

    def unusable(self, protocol: str) -> Unusable | None:
        """A transport section that would lead there, had it not been refused."""
        fitting = (one for one in self.settings.unusable if one.protocol in ("", protocol))
        return next(fitting, None)

    # -- what happened ------------------------------------------------------------------------

    @cached_property
    def last(self) -> Tried | None:
        """The last request."""
        return self.facts.tried[-1] if self.facts.tried else None

    @cached_property
    def before(self) -> Tried | None:
        """The request before the last."""
        return self.facts.tried[-2] if len(self.facts.tried) > 1 else None

    @cached_property
    def heard(self) -> Heard | None:
        """The final answer to the last request."""
        return self.last.heard if self.last is not None else None

    @cached_property
    def code(self) -> int:
        """Its status code; 0 where nothing was answered."""
        return self.heard.code if self.heard is not None else 0

    @cached_property
    def trouble(self) -> Trouble | None:
        """Why there was no answer, or no request."""
        if self.facts.trouble is not None:
            return self.facts.trouble
        return self.last.trouble if self.last is not None and self.heard is None else None

    @cached_property
    def kind(self) -> str:
        """The kind of the trouble; empty without."""
        return self.trouble.kind if self.trouble is not None else ""

    @cached_property
    def trouble_text(self) -> str:
        """What the system or OpenSSL said."""
        return self.trouble.text if self.trouble is not None else ""

    @property
    def trouble_bytes(self) -> bytes:
        """The beginning of what is no SIP."""
        return self.trouble.heard if self.trouble is not None else b""

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What DNS was asked in vain."""
        return self.trouble.asked if self.trouble is not None else ()

    @property
    def target(self) -> str:
        """Where the last request went: `192.0.2.1:5060 udp`."""
        if self.last is None:
            return self.host
        protocol, _, address = self.last.target.partition(":")
        return f"{address} {protocol}"

    @cached_property
    def signed(self) -> bool:
        """Whether the last request carried credentials for who challenged last."""
        if self.last is None or not self.last.signed:
            return False
        now, then = self.heard, self.before.heard if self.before is not None else None
        if now is None or then is None or not now.offers:
            return True
        answered = {(offer.proxy, offer.realm) for offer in then.offers}
        return any((offer.proxy, offer.realm) in answered for offer in now.offers)

    @cached_property
    def challenged(self) -> bool:
        """Whether the last answer was a challenge."""
        return self.code in (401, 407)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The challenges of the last answer."""
        return self.heard.offers if self.heard is not None else ()

    @cached_property
    def by_target(self) -> dict[str, Tried]:
        """The last request to each target, in order."""
        return {tried.target: tried for tried in self.facts.tried}

    # -- who fits a challenge -----------------------------------------------------------------

    def fitting(self, offer: Offer) -> Iterator[Auth]:
        """The auth sections whose realm fits a challenge."""
        for auth in self.auths:
            if auth.realm in ("", "*") or auth.realm.casefold() == offer.realm.casefold():
                yield auth

    @cached_property
    def of_our_realm(self) -> list[Offer]:
        """The challenges for which there is an auth section by realm."""
        return [offer for offer in self.offers if any(self.fitting(offer))]

    def allowed(self, auth: Auth, algorithm: str) -> bool:
        """Whether a section may answer with this algorithm, and has a secret for it."""
        name = algorithm_named(algorithm)
        if name is None or name not in {algorithm_named(a) for a in auth.supported_algorithms_uac}:
            return False
        digests = {algorithm_named(known) for known, _ in auth.password_digest}
        return (
            bool(auth.password.get_secret_value())
            or name in digests
            or (name == "MD5" and bool(auth.md5_cred.get_secret_value()))
        )

    # -- what to change -----------------------------------------------------------------------

    def here(self, text: str, option: str = "") -> Fix:
        """Something to change in the registration's section."""
        return Fix(text, option, self.registration.source if self.registration is not None else "")

    def at(self, section: Auth | Transport | None, text: str, option: str = "") -> Fix:
        """Something to change in another section."""
        return Fix(text, option, section.source if section is not None else "")

    @property
    def signer(self) -> Auth | None:
        """The auth section whose credentials the last request carried."""
        names = self.last.signed if self.last is not None else ()
        return next(
            (self.settings.auths[name] for name in names if name in self.settings.auths), None
        )

    @property
    def line(self) -> str:
        """The answer as it came: what to send to whom it may concern."""
        heard = self.heard
        return f"{heard.code} {inert(heard.reason)}".rstrip() if heard is not None else ""

    def said(self, *names: str) -> str:
        """What headers of the answer say, in brackets; empty where there are none."""
        found = []
        for name in names:
            value = self.heard.header(name) if self.heard is not None else ""
            if value:
                found.append(f"{name.title()}: {inert(value)}")
        return f" ({'; '.join(found)})" if found else ""
