"""Debian's kamailio as a registrar with digest authentication, on loopback."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.certificates import Certificate
from tests.support.ports import LOOPBACK, free_port

PACKAGES = ("kamailio", "kamailio-tls-modules")
REALM = "kamailio.test"
_READY_S = 60.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Binding:
    """A contact that the registrar keeps for an address of record."""

    user: str
    contact: str
    expires_s: int
    call_id: str
    cseq: int


def require_kamailio() -> None:
    """Skip the test, saying why, where there is no kamailio and none can be installed."""
    if _installed():
        return
    if os.geteuid() != 0:
        pytest.skip("kamailio is not installed, and only root can install it: apt-get install "
                    + " ".join(PACKAGES))  # fmt: skip
    # tests run in parallel, apt-get does not
    with (Path(tempfile.gettempdir()) / "pjreg-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _installed():
            return
        done = subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES],
            capture_output=True,
            text=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
    if done.returncode or not _installed():
        pytest.skip(f"kamailio cannot be installed: {done.stderr.strip()[-200:]}")


def _installed() -> bool:
    programs = _program("kamailio") is not None and _program("kamcmd") is not None
    # TLS is a package of its own
    return programs and any(Path("/usr/lib").glob("*/kamailio/modules/tls.so"))


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


_CONFIG = """\
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
server_header="Server: kamailio"
{listen}
{enable_tls}

loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "ctl.so"
{tls}

modparam("ctl", "binrpc", "unix:{ctl}")
modparam("usrloc", "db_mode", 0)
modparam("registrar", "min_expires", {min_expires_s})
modparam("registrar", "max_expires", {max_expires_s})
modparam("registrar", "default_expires", 60)
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", 300)

request_route {{
    if (method != "REGISTER") {{
        sl_send_reply("405", "Only REGISTER here");
        exit;
    }}
    $var(password) = "";
{passwords}
    if ($var(password) == "") {{
        sl_send_reply("404", "Nobody of that name");
        exit;
    }}
    if (!pv_www_authenticate("{realm}", "$var(password)", "0")) {{
        www_challenge("{realm}", "1");
        exit;
    }}
    if (!save("location")) {{
        sl_reply_error();
    }}
    exit;
}}
"""

_TLS = """\
loadmodule "tls.so"
modparam("tls", "private_key", "{key}")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "verify_certificate", 0)
modparam("tls", "require_certificate", 0)
"""


class Kamailio:
    """A registrar that can be started, stopped and asked which bindings it holds.

    `users` are names with passwords.  It listens on UDP and TCP `port`, and on `tls_port` where
    there is a certificate.  Bindings live in memory only: a restarted one knows nobody.  Its files
    go to `kamailio` in `directory`.
    """

    def __init__(
        self,
        directory: Path,
        users: Mapping[str, str],
        *,
        algorithm: str = "MD5",
        certificate: Certificate | None = None,
        min_expires_s: int = 1,
        max_expires_s: int = 3600,
    ) -> None:
        self.port = free_port()
        self.tls_port = free_port()
        self._directory = directory / "kamailio"
        self._directory.mkdir()
        self._control = self._directory / "ctl"
        self._log = self._directory / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._config = self._directory / "kamailio.cfg"
        self._config.write_text(
            self._text(users, algorithm, certificate, min_expires_s, max_expires_s)
        )

    def _text(
        self,
        users: Mapping[str, str],
        algorithm: str,
        certificate: Certificate | None,
        min_expires_s: int,
        max_expires_s: int,
    ) -> str:
        listen = [f"listen=udp:{LOOPBACK}:{self.port}", f"listen=tcp:{LOOPBACK}:{self.port}"]
        if certificate is not None:
            listen.append(f"listen=tls:{LOOPBACK}:{self.tls_port}")
        passwords = (
            f'    if ($tU == "{user}") $var(password) = "{password}";'
            for user, password in users.items()
        )
        return _CONFIG.format(
            listen="\n".join(listen),
            enable_tls="enable_tls=yes" if certificate else "",
            tls=_TLS.format(key=certificate.key, certificate=certificate.certificate)
            if certificate
            else "",
            ctl=self._control,
            min_expires_s=min_expires_s,
            max_expires_s=max_expires_s,
            algorithm=algorithm,
            passwords="\n".join(passwords),
            realm=REALM,
        )

    def start(self) -> None:
        """Start it and wait until it answers its control socket."""
        program = _program("kamailio")
        assert program is not None
        # -DD: stay in the foreground, with children
        command: list[str | Path] = [
            program,
            "-DD",
            "-E",
            "-f",
            self._config,
            "-m",
            "32",
            "-M",
            "4",
        ]
        command += ["-Y", self._directory, "-P", self._directory / "pid"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        end = time.monotonic() + _READY_S  # noqa: TID251 -- another process has no manual clock
        while self._ask("core.version").returncode:
            if self._process.poll() is not None or time.monotonic() > end:  # noqa: TID251
                log_text = self._log.read_text(errors="replace")[-2000:]
                self.stop()
                raise RuntimeError(f"kamailio does not start:\n{log_text}")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """End it and its children; the bindings are gone."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._control.unlink(missing_ok=True)

    def restart(self) -> None:
        """What an outage with a lost memory looks like."""
        self.stop()
        self.start()

    def bindings(self) -> list[Binding]:
        """What the registrar keeps now, by its own tool."""
        dumped = self._ask("ul.dump")
        assert dumped.returncode == 0, dumped.stderr
        return list(_bindings(dumped.stdout))

    def _ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        program = _program("kamcmd")
        assert program is not None
        return subprocess.run(
            [program, "-s", f"unixs:{self._control}", *command],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )


def _bindings(dump: str) -> Iterator[Binding]:
    """The bindings in what `kamcmd ul.dump` prints, deleted ones left out."""
    user, found = "", dict[str, str]()
    for name, value in re.findall(r"^\s*([\w-]+): (.*?)\s*$", dump, re.MULTILINE):
        if name == "AoR":
            user = value
        elif name == "Address":
            found = {}
        found[name] = value
        # each contact ends with these; what expires at once is only waiting to be cleaned up
        if name == "CSeq" and found["Expires"].isdigit():
            yield Binding(
                user, found["Address"], int(found["Expires"]), found["Call-ID"], int(value)
            )


@contextmanager
def running(kamailio: Kamailio) -> Iterator[Kamailio]:
    """Started and, whatever happens, stopped."""
    kamailio.start()
    try:
        yield kamailio
    finally:
        kamailio.stop()
