from __future__ import annotations

import ssl
from pathlib import Path

from pjreg_cli.net.x509 import read_certificate
from tests.support.certificates import self_signed


def test_a_certificate_tells_whom_it_is_for_and_until_when(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "registrar", "DNS:sip.example.com,IP:127.0.0.1,IP:::1")
    found = read_certificate(ssl.PEM_cert_to_DER_cert(made.certificate.read_text("ascii")))
    assert found is not None
    assert (found.subject, found.issuer) == ("CN=registrar", "CN=registrar")
    assert found.self_signed
    assert found.names == ("sip.example.com", "127.0.0.1", "::1")
    assert found.not_after - found.not_before == 2 * 86_400


def test_what_is_no_certificate_is_none(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "registrar", "DNS:sip.example.com")
    der = ssl.PEM_cert_to_DER_cert(made.certificate.read_text("ascii"))
    for cut in (0, 1, 2, 3, 10, 50, 100, len(der) // 2):
        assert read_certificate(der[:cut]) is None
    assert read_certificate(b"SIP/2.0 200 OK\r\n\r\n") is None
