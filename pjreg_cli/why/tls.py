"""Causes in TLS, and in servers that speak something else than SIP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pjreg_cli.api.findings import Certificate, Fix
from pjreg_cli.why.case import Case, inert, quoted
from pjreg_cli.why.cause import Cause, theirs

#: how TLS begins when it comes instead of SIP: an alert or a handshake record
TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
#: OpenSSL's reasons, by what they mean
_TOO_OLD = (
    "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_SSL_VERSION", "NO_CIPHERS_AVAILABLE", "NO_SHARED_CIPHER",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY", "VERSION_TOO_LOW", "DH_KEY_TOO_SMALL",
    "UNEXPECTED_MESSAGE",
)  # fmt: skip
_HANDSHAKE_FAILURE = "ALERT_HANDSHAKE_FAILURE"
_CLIENT_CERTIFICATE = (
    "CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE",
    "ALERT_NO_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE",
)  # fmt: skip
#: X509_V_ERR_* of OpenSSL
_SELF_SIGNED, _NOT_YET, _EXPIRED = ("18",), ("9", "13"), ("10", "14")
_WRONG_NAME = ("62", "63", "64", "wildcard", "name")


# -- who is there -----------------------------------------------------------------------------


def tls_expected(case: Case) -> bool:
    """what came back to plain SIP is a TLS record"""
    return case.kind == "not-sip" and case.trouble_bytes[:2] in TLS_RECORDS


def not_sip(case: Case) -> bool:
    """what came back is no SIP"""
    return case.kind == "not-sip"


def tls_not_spoken(case: Case) -> bool:
    """the handshake met something that is no TLS, or nothing at all"""
    return case.kind == "handshake-timeout" or (
        case.kind == "tls" and any(word in _tls_reason(case) for word in _NOT_TLS)
    )


_NOT_TLS = (
    "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH", "RECORD_LAYER_FAILURE", "EOF",
    "BAD_RECORD_TYPE", "RECORD_TOO_LONG", "closed during the handshake",
)  # fmt: skip


def _tls_reason(case: Case) -> str:
    return case.trouble.text.replace(" ", "_") + case.trouble.text if case.trouble else ""


def _server(heard: bytes) -> str:
    for begin, what in (
        (b"HTTP/", "an HTTP server"),
        (b"SSH-", "an SSH server"),
        (b"220", "a mail or FTP server"),
        (b"<", "an XML or HTML speaker"),
    ):
        if heard.lstrip().startswith(begin):
            return what
    return "something else"


def _says_tls_expected(case: Case) -> str:
    """The port wants TLS, and we speak plain SIP."""
    return f"{case.target} speaks TLS, and plain SIP was sent to it"


def _says_not_sip(case: Case) -> str:
    """Something listens there, but no SIP server."""
    heard = case.trouble_bytes
    shown = quoted(heard.decode("utf-8", "replace").splitlines()[0] if heard.strip() else "")
    return f"what answers at {case.target} is no SIP server but {_server(heard)}: {shown}"


def _says_tls_not_spoken(case: Case) -> str:
    """The port does not answer in TLS: it speaks plain SIP, or its TLS hangs or hung up."""
    if case.kind == "handshake-timeout":
        return (
            f"{case.target} accepts connections but does not answer the TLS handshake: it speaks"
            " plain SIP, or it hangs"
        )
    if "closed" in case.trouble_text or "EOF" in case.trouble_text:
        return (
            f"{case.target} hung up during the TLS handshake: it speaks plain SIP, or it does not"
            " want us"
        )
    return f"what answers at {case.target} is no TLS: the port speaks plain SIP or something else"


def _fix_tls_expected(case: Case) -> Sequence[Fix]:
    """Ask for TLS: `;transport=tls` (in the file `\\;transport=tls`) and a transport with
    protocol=tls; or use the port for plain SIP."""
    return (
        case.here(
            f"`\\;transport=tls` in {case.uri_option}, or the port for plain SIP", case.uri_option
        ),
    )


def _fix_not_sip(case: Case) -> Sequence[Fix]:
    """Correct the port in server_uri or outbound_proxy."""
    return (case.here(f"the port in {case.uri_option}", case.uri_option),)


def _fix_tls_not_spoken(case: Case) -> Sequence[Fix]:
    """Use the TLS port (often 5061), or ask for TCP instead of TLS; `openssl s_client -connect
    HOST:PORT` tells whether the port speaks TLS."""
    return (
        case.here(f"the TLS port, or `\\;transport=tcp`, in {case.uri_option}", case.uri_option),
        theirs("`openssl s_client -connect HOST:PORT` tells whether the port speaks TLS at all"),
    )


# -- certificates -----------------------------------------------------------------------------


def _verify(case: Case) -> str:
    return case.trouble_text.split(" ", 1)[0] if case.kind == "certificate" else ""


def wrong_name(case: Case) -> bool:
    """the certificate is made out to other names"""
    return _verify(case) in _WRONG_NAME


def self_signed(case: Case) -> bool:
    """the certificate signed itself, and is not among those trusted"""
    return _verify(case) in _SELF_SIGNED


def not_yet_valid(case: Case) -> bool:
    """the certificate begins later than now"""
    return _verify(case) in _NOT_YET


def expired(case: Case) -> bool:
    """the certificate has ended"""
    return _verify(case) in _EXPIRED


def unknown_issuer(case: Case) -> bool:
    """nobody that is trusted has signed the certificate"""
    return case.kind == "certificate"


def client_certificate(case: Case) -> bool:
    """the other side's alert says that it wants a certificate of ours, or another one"""
    reason = case.trouble_text.upper().replace(" ", "_")
    return case.kind == "tls" and any(word in reason for word in _CLIENT_CERTIFICATE)


def too_old(case: Case) -> bool:
    """no protocol version or cipher in common"""
    reason = case.trouble_text.upper().replace(" ", "_")
    return case.kind == "tls" and (
        any(word in reason for word in _TOO_OLD) or _HANDSHAKE_FAILURE in reason
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%d")


def described(shown: Certificate | None) -> str:
    """A certificate in a few words."""
    if shown is None:
        return "its certificate"
    return (
        f"its certificate ({inert(shown.subject)}, by {inert(shown.issuer)},"
        f" {_day(shown.not_before)} to {_day(shown.not_after)})"
    )


def _shown(case: Case) -> str:
    return described(case.trouble.certificate if case.trouble is not None else None)


def _authorities(case: Case) -> str:
    transport = case.transport
    named = (transport.ca_list_file or transport.ca_list_path) if transport is not None else ""
    return named or "the authorities of the system"


def _says_wrong_name(case: Case) -> str:
    """The certificate belongs to somebody else than whom server_uri names."""
    shown = case.trouble.certificate if case.trouble is not None else None
    names = inert(", ".join(shown.names)) if shown is not None else ""
    if case.trouble_text.startswith("wildcard"):
        return f"{case.target}: its certificate names {case.host} only by a wildcard ({names})"
    return f"{case.target}: its certificate is made out to {names or 'others'}, not to {case.host}"


def _says_self_signed(case: Case) -> str:
    """The registrar vouches for itself, and nobody here trusts it."""
    return f"{case.target}: {_shown(case)} is self-signed, and not in {_authorities(case)}"


def _says_not_yet(case: Case) -> str:
    """The certificate is of the future, or the clock of this host is wrong."""
    return f"{case.target}: {_shown(case)} is not valid yet"


def _says_expired(case: Case) -> str:
    """The certificate has run out, or the clock of this host is wrong."""
    return f"{case.target}: {_shown(case)} has expired"


def _says_unknown_issuer(case: Case) -> str:
    """Nobody that we trust vouches for the registrar, or it does not send the certificates between
    its own and an authority's."""
    return f"{case.target}: {_shown(case)} is signed by nobody in {_authorities(case)}"


def _says_client(case: Case) -> str:
    """The registrar wants to see a certificate of ours, or does not accept the one we show."""
    ours = case.transport.cert_file if case.transport is not None else ""
    said = inert(case.trouble_text)
    if ours:
        return f"{case.target} does not accept our certificate {ours}: {said}"
    return f"{case.target} wants a certificate of ours, and none is configured: {said}"


def _says_too_old(case: Case) -> str:
    """The two sides have no TLS version or cipher in common."""
    said = inert(case.trouble_text)
    if _HANDSHAKE_FAILURE in case.trouble_text.upper().replace(" ", "_"):
        return (
            f"{case.target} broke off the TLS handshake: no cipher in common, or it wants a"
            f" certificate of ours: {said}"
        )
    return f"{case.target} has no TLS version or cipher in common with us: {said}"


def _fix_wrong_name(case: Case) -> Sequence[Fix]:
    """Name the registrar in server_uri as its certificate does; allow_wildcard_certs where only a
    `*` stands in the way; else its operator needs another certificate."""
    if case.trouble_text.startswith("wildcard"):
        return (case.at(case.transport, "allow_wildcard_certs = yes", "allow_wildcard_certs"),)
    return (
        case.here(f"a name of the certificate in {case.uri_option}", case.uri_option),
        theirs(f"else {case.host} needs a certificate for that name: its operator's move"),
    )


def _fix_trust(case: Case) -> Sequence[Fix]:
    """Put the issuer's certificate (of a self-signed one: itself) into ca_list_file, once it is
    known to be the right one; else the registrar needs a certificate of a known authority and must
    send the ones between."""
    return (
        case.at(case.transport, "its issuer in ca_list_file, if you trust it", "ca_list_file"),
        theirs("else it must send the whole chain up to a known authority: its operator's move"),
    )


def _fix_dates(case: Case) -> Sequence[Fix]:
    """The registrar needs a new certificate: its operator's move; look at the clock of this host
    first."""
    return (
        theirs(f"a new certificate for {case.host}: its operator's move, if our clock is right"),
    )


def _fix_client(case: Case) -> Sequence[Fix]:
    """Set cert_file and priv_key_file of the transport to a certificate that the registrar
    accepts."""
    return (
        case.at(
            case.transport, "cert_file and priv_key_file that the registrar accepts", "cert_file"
        ),
    )


def _fix_too_old(case: Case) -> Sequence[Fix]:
    """The registrar should learn TLS 1.2 or newer; meanwhile name an old version in `method`, or
    other ciphers in `cipher`."""
    wants_ours = _HANDSHAKE_FAILURE in case.trouble_text.upper().replace(" ", "_")
    fixes = [case.at(case.transport, "method or cipher that the other side knows", "method")]
    if wants_ours and case.transport is not None and not case.transport.cert_file:
        fixes.append(case.at(case.transport, "or a certificate of ours in cert_file", "cert_file"))
    return tuple(fixes)


# fmt: off
TLS: Sequence[Cause] = (
    Cause("tls-expected", tls_expected, _says_tls_expected, _fix_tls_expected),
    Cause("not-sip", not_sip, _says_not_sip, _fix_not_sip),
    Cause("tls-wrong-name", wrong_name, _says_wrong_name, _fix_wrong_name),
    Cause("tls-self-signed", self_signed, _says_self_signed, _fix_trust),
    Cause("tls-not-yet-valid", not_yet_valid, _says_not_yet, _fix_dates),
    Cause("tls-expired", expired, _says_expired, _fix_dates),
    Cause("tls-unknown-issuer", unknown_issuer, _says_unknown_issuer, _fix_trust),
    Cause("tls-client-certificate", client_certificate, _says_client, _fix_client),
    Cause("tls-not-spoken", tls_not_spoken, _says_tls_not_spoken, _fix_tls_not_spoken),
    Cause("tls-too-old", too_old, _says_too_old, _fix_too_old),
)
# fmt: on
