"""Errors of the system and of OpenSSL as values that can be explained later."""

from __future__ import annotations

import errno
import os
import ssl

from pjreg_cli.api.findings import Certificate, Trouble
from pjreg_cli.errors import TransportError

_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EACCES: "unreachable",
    errno.EPERM: "unreachable",
    errno.ENOPROTOOPT: "refused",
    errno.ETIMEDOUT: "connect-timeout",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
}


def of_system(error: Exception, at: float) -> Trouble:
    """What a socket says."""
    number = getattr(error, "errno", None)
    text = getattr(error, "strerror", None) or str(error)
    if number in _KINDS:
        text = os.strerror(number)  # asyncio has words of its own
    return Trouble(_KINDS.get(number or 0, "send-failed"), text, at)


def of_connection(
    error: Exception, at: float, stage: str, certificate: Certificate | None = None
) -> Trouble:
    """Why a connection did not come about; `stage` is how far it had come."""
    if isinstance(error, TransportError):
        return (error.trouble or Trouble("send-failed", str(error)))._replace(at=at)
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"{error.verify_code} {error.verify_message}"
        return Trouble("certificate", text, at, certificate=certificate)
    if isinstance(error, ssl.SSLError):
        return Trouble("tls", getattr(error, "reason", None) or str(error), at)
    if isinstance(error, TimeoutError) and not error.errno:
        return Trouble("handshake-timeout" if stage == "handshake" else "connect-timeout", at=at)
    if stage == "handshake" and isinstance(error, ConnectionError):
        return Trouble("tls", "closed during the handshake", at)
    return of_system(error, at)


def of_end(error: Exception | None, at: float) -> Trouble:
    """Why a connection ended that had been there."""
    if isinstance(error, ssl.SSLError):
        return Trouble("tls", getattr(error, "reason", None) or str(error), at)
    if error is None:
        return Trouble("lost", "", at)
    trouble = of_system(error, at)
    return trouble if trouble.kind != "send-failed" else trouble._replace(kind="lost")
