"""An instance in a process of its own, as an operator starts it, and one-shot commands to it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple

from pjreg_cli import remote
from tests.support.copies import Copies, Copy
from tests.support.ports import free_port

PATIENCE_S = 60.0
"""How long something may take before a test fails; a machine may be busy."""

ROOT = Path(__file__).parents[2]
PROGRAM = [str(Path(sys.executable).with_name("pjreg-cli"))]
"""The installed program, as the shell finds it."""

#: a transport, and one registration that waits so long that nothing is ever sent
QUIET = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}

[my_provider]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:client@registrar.invalid
max_random_initial_delay = 1000000
"""

_TRANSPORT = "[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{port}\n"
_TRUNK = """\
[{name}]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:{name}@127.0.0.1
max_random_initial_delay = 0
{more}
"""


def trunks_conf(registrar: int, *names: str, more: str = "", port: int = 0) -> str:
    """A pjsip.conf with these registrations at the registrar on a port of loopback.

    `more` are further lines of each; `port` is the transport's, 0 a free one.
    """
    trunks = (_TRUNK.format(name=name, registrar=registrar, more=more) for name in names)
    return "\n".join([_TRANSPORT.format(port=port or free_port()), *trunks])


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def environment(home: Path, **more: str) -> dict[str, str]:
    """Variables that say nothing of this machine: no configuration, no socket but below `home`."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")}
    own = {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "PJREG_SOCKET": str(home / "ctl"),
        "STATE_DIRECTORY": str(home / "state"),
        "TERM": "xterm-256color",
        "PYTHONWARNINGS": "error",
    }
    return {**kept, **own, **more}


@contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder whose name is short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="pjreg-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(
    *arguments: str, home: Path, stdin: str | None = None, env: Mapping[str, str] | None = None
) -> Done:
    """Run `pjreg-cli` to its end in the folder `home`."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=home,
        env=environment(home, **(env or {})),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def listens(path: Path) -> bool:
    """Whether somebody accepts connections at a socket: it is there a moment before that."""
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


class Instance:
    """`pjreg-cli -f` with its configuration in `home/etc`; `prefix` begins its command line.

    `fresh` is never a copy: how it starts, or what the system knows of its start, is looked at.
    """

    copies: ClassVar[Copies | None] = None
    """What the others are copied from, in a run of tests."""

    def __init__(
        self, home: Path, pjsip_conf: str, prefix: Sequence[str] = (), *, fresh: bool = False
    ) -> None:
        self.home = home
        self._prefix = tuple(prefix)
        self._fresh = fresh or bool(prefix)
        self.socket = home / "ctl"
        self.etc = home / "etc"
        self.etc.mkdir(exist_ok=True)
        self.configure(pjsip_conf)
        self.output: int | None = None
        """The descriptor that stdout and stderr go to, instead of the file `home/log`."""
        self._process: subprocess.Popen[str] | Copy | None = None

    def configure(self, pjsip_conf: str) -> None:
        """Write pjsip.conf."""
        (self.etc / "pjsip.conf").write_text(pjsip_conf, "utf-8")

    def start(self, *options: str) -> None:
        """Start it and wait until it answers its socket."""
        self.launch(*options)
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 -- another process is waited for
        while not self.answers():
            assert self._process is not None
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()  # noqa: TID251
            time.sleep(0.01)

    def launch(self, *options: str) -> None:
        """Start it without waiting."""
        command, variables = self.command_line("-f", *options), environment(self.home)
        with (self.home / "log").open("a") as log:
            if self.copies is not None and not self._fresh and self.output is None:
                self._process = self.copies.start(command, self.home, variables, log.fileno())
                return
            self._process = subprocess.Popen(
                [*self._prefix, *command],
                cwd=self.home,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log if self.output is None else self.output,
                stderr=log if self.output is None else self.output,
                text=True,
            )

    def command_line(self, *options: str) -> list[str]:
        """What starts it with these options."""
        return [*PROGRAM, "-C", str(self.etc), "-s", str(self.socket), *options]

    def answers(self) -> bool:
        """Whether somebody accepts connections at the socket."""
        return listens(self.socket)

    def ask(self, line: str, *options: str) -> Done:
        """One console command by a one-shot."""
        return run("-s", str(self.socket), *options, "-rx", line, home=self.home)

    def told(self, line: str, *, json: bool = False) -> Done:
        """As `ask`, without a process: for what is asked again and again until it is so."""
        heard: list[bytes] = []
        try:
            talk = remote.Conversation(str(self.socket), remote.hello(json=json), heard.append)
        except remote.NoInstance as missing:
            return Done(remote.FAILED, "", str(missing))
        try:
            done = talk.ask(line)
        except remote.Broken as broken:
            return Done(remote.FAILED, "", str(broken))
        finally:
            talk.close()
        return Done(remote.DONE if done else remote.FAILED, b"".join(heard).decode(), "")

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; the exit status."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def stop(self) -> int:
        """SIGTERM, if it still runs, and wait for its end."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def log(self) -> str:
        """What it has written to stdout and stderr."""
        return (self.home / "log").read_text("utf-8")

    def says(self, text: str) -> None:
        """Wait until its log has this; what it logs is written by a thread of its own."""
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 -- see above
        while text not in self.log():
            assert time.monotonic() < deadline, f"{text!r} is not in {self.log()}"  # noqa: TID251
            time.sleep(0.01)
