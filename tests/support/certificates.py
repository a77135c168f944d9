"""Certificates for tests, made by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that signed itself, with its key, both in PEM files."""

    certificate: Path
    key: Path


def self_signed(directory: Path, name: str, alternative: str) -> Certificate:
    """A new certificate for `alternative`, a subjectAltName such as `IP:127.0.0.1`."""
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
            f"subjectAltName={alternative}", "-keyout", made.key, "-out", made.certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


class Authority:
    """An authority of our own, and the certificates it signs."""

    def __init__(self, directory: Path, name: str = "Test Authority") -> None:
        self._directory = directory
        self.certificate = directory / "authority.pem"
        self._key = directory / "authority.key"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", self._key, "-out", self.certificate,
        )  # fmt: skip

    def signed(self, name: str, host: str, *, since: str = "", until: str = "") -> Certificate:
        """A certificate for a host or address; `since` and `until` as GeneralizedTime, e.g.
        `20200101000000Z`."""
        made = Certificate(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        request = self._directory / f"{name}.csr"
        kind = "IP" if host[-1:].isdigit() else "DNS"
        extensions = self._directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={kind}:{host}\n", "ascii")
        openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", made.key, "-out", request,
        )  # fmt: skip
        if not since:
            openssl(
                "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                "-days", "2", "-extfile", extensions, "-out", made.certificate,
            )  # fmt: skip
            return made
        database = self._directory / "index"
        database.write_text("", "ascii")
        config = self._directory / "ca.cnf"
        config.write_text(
            "[ca]\ndefault_ca=a\n[a]\n"
            f"database={database}\nnew_certs_dir={self._directory}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n",
            "utf-8",
        )
        openssl(
            "ca", "-batch", "-config", config, "-in", request, "-cert", self.certificate,
            "-keyfile", self._key, "-startdate", since, "-enddate", until,
            "-extfile", extensions, "-notext", "-out", made.certificate,
        )  # fmt: skip
        return made


def openssl(*arguments: str | Path) -> None:
    """Run openssl; raises CalledProcessError."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
