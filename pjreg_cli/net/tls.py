"""TLS as a transport section wants it: contexts, and the files they are made of."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Certificate
from pjreg_cli.errors import TransportError, excerpt
from pjreg_cli.net.x509 import read_certificate

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport

_V = ssl.TLSVersion
#: lowest and highest version for each `method`; nothing named means what is safe today
_METHODS: Mapping[str, tuple[ssl.TLSVersion, ssl.TLSVersion]] = {
    "": (_V.TLSv1_2, _V.MAXIMUM_SUPPORTED),
    "default": (_V.TLSv1_2, _V.MAXIMUM_SUPPORTED),
    "unspecified": (_V.TLSv1_2, _V.MAXIMUM_SUPPORTED),
    "sslv23": (_V.TLSv1, _V.MAXIMUM_SUPPORTED),
    "tlsv1": (_V.TLSv1, _V.TLSv1),
    "tlsv1_1": (_V.TLSv1_1, _V.TLSv1_1),
    "tlsv1_2": (_V.TLSv1_2, _V.TLSv1_2),
    "tlsv1_3": (_V.TLSv1_3, _V.TLSv1_3),
}
_OLD = (_V.TLSv1, _V.TLSv1_1)
#: how `ssl` calls the encoding of a certificate in bytes
_DER = 2

Files = tuple[tuple[str, tuple[int, int, int]], ...]
"""Paths, each with number, time and size of what is there."""


class Told:
    """A handshake over a socket, as both sides hear of its failure."""

    def __init__(self, made: socket.socket) -> None:
        self.socket = made
        self.certificate: Certificate | None = None
        """What the other side showed, where it was refused."""


_TOLD: ContextVar[Told] = ContextVar("told")


def client_context(options: Transport) -> ssl.SSLContext:
    """The context for connections to registrars; raises TransportError for options that are wrong.

    Without `verify_server` any certificate is taken.  With it, and without authorities of its own,
    those of the system count.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, options)
    # whom a certificate is made out to is for `certificates.mismatch` to say
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if options.verify_server else ssl.CERT_NONE
    _load_authorities(context, options)
    if options.verify_server and not (options.ca_list_file or options.ca_list_path):
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    _load_own(context, options)
    return context


def server_context(options: Transport) -> ssl.SSLContext | None:
    """The context for connections that come in; None without a certificate to show."""
    if not options.cert_file:
        return None
    context = _context(ssl.PROTOCOL_TLS_SERVER, options)
    if options.require_client_cert:
        context.verify_mode = ssl.CERT_REQUIRED
    elif options.verify_client:
        context.verify_mode = ssl.CERT_OPTIONAL
    _load_authorities(context, options)
    _load_own(context, options)
    return context


def files(options: Transport) -> Files:
    """The state of all files that a section names; another one means that they were replaced."""
    if options.protocol != "tls":
        return ()
    paths = [options.cert_file, options.priv_key_file, options.ca_list_file, options.ca_list_path]
    if options.ca_list_path:
        with contextlib.suppress(OSError):
            paths += sorted(entry.path for entry in os.scandir(options.ca_list_path))
    return tuple((path, _state(path)) for path in paths if path)


def certificate_of(stream: asyncio.BaseTransport) -> Certificate | None:
    """What the other side of a connection shows, whether we trust it or not."""
    secured = stream.get_extra_info("ssl_object")
    shown = secured.getpeercert(binary_form=True) if secured is not None else None
    return read_certificate(shown) if shown else None


def _state(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


@contextlib.contextmanager
def telling(made: socket.socket) -> Iterator[Told]:
    """Within this block a handshake over `made` that fails tells the other side why: asyncio drops
    what OpenSSL has to say at the end.  What we are told is kept."""
    told = Told(made)
    token = _TOLD.set(told)
    try:
        yield told
    finally:
        _TOLD.reset(token)


class _Handshake(ssl.SSLObject):
    """One side of a connection."""

    tell: Callable[[], None]
    told: Told | None

    def do_handshake(self) -> None:
        """Go on with it; what it fails by is told."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self.tell()
            if self.told is not None and isinstance(error, ssl.SSLCertVerificationError):
                self.told.certificate = _refused_certificate(self)
            raise


def _refused_certificate(secured: ssl.SSLObject) -> Certificate | None:
    """What the other side has just shown in vain; None where this Python does not tell."""
    # public, and bytes, since Python 3.13; before, that object has it which does the work
    public = getattr(secured, "get_unverified_chain", None)
    if public is not None:
        chain = public()
    else:
        inner = getattr(getattr(secured, "_sslobj", None), "get_unverified_chain", lambda: None)
        chain = [certificate.public_bytes(_DER) for certificate in inner() or ()]
    return read_certificate(chain[0]) if chain else None


class _Context(ssl.SSLContext):
    """A context whose refusals reach the other side."""

    sslobject_class = _Handshake

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As every context, for the connection that `telling` names."""
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        told = _TOLD.get(None)

        def tell() -> None:
            if told is not None and (alert := outgoing.read()):
                with contextlib.suppress(OSError):
                    told.socket.send(alert)

        if isinstance(made, _Handshake):
            made.tell, made.told = tell, told
        return made


def _context(kind: int, options: Transport) -> ssl.SSLContext:
    """A context of the right versions and ciphers."""
    known = _METHODS.get(options.method.lower())
    if known is None:
        raise _wrong(options, f"method {excerpt(options.method)} is not offered")
    context = _Context(kind)
    lowest, highest = known
    try:
        with warnings.catch_warnings():
            # whoever names an old version wants it
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = lowest, highest
        if options.cipher:
            context.set_ciphers(":".join(options.cipher))
        elif lowest in _OLD:
            # OpenSSL's usual security level knows no TLS before 1.2
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
    except (ssl.SSLError, ValueError) as error:
        raise _wrong(options, f"method or cipher cannot be used: {reason(error)}") from error
    return context


def _load_authorities(context: ssl.SSLContext, options: Transport) -> None:
    if options.ca_list_file or options.ca_list_path:
        named = options.ca_list_file or options.ca_list_path
        try:
            if options.ca_list_path:
                # OpenSSL looks into the directory later, and says nothing if there is none
                _check_directory(options)
            context.load_verify_locations(
                options.ca_list_file or None, options.ca_list_path or None
            )
        except (OSError, ValueError) as error:
            raise _wrong(options, f"authorities in {named}: {reason(error)}") from error


def _check_directory(options: Transport) -> None:
    if not os.path.isdir(options.ca_list_path):
        raise _wrong(options, f"ca_list_path {options.ca_list_path} is no directory")


def _load_own(context: ssl.SSLContext, options: Transport) -> None:
    """Our certificate and key; an encrypted key is opened with `password`, never by asking."""
    if not options.cert_file:
        return
    try:
        context.load_cert_chain(
            options.cert_file,
            options.priv_key_file or None,
            password=options.password.get_secret_value,
        )
    except (OSError, ValueError) as error:
        named = " and ".join(filter(None, (options.cert_file, options.priv_key_file)))
        raise _wrong(options, f"certificate in {named}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What an error of the system or of OpenSSL says, without its numbers."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "reason", None) or str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or "broken off by the other side"


def _wrong(options: Transport, why: str) -> TransportError:
    return TransportError(f"transport {options.name}: {why}")
