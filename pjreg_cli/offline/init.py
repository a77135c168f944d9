"""`pjreg-cli init`: a first pjsip.conf after a few questions, checked before it is left."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pjreg_cli import options as command_line
from pjreg_cli import remote
from pjreg_cli.api.configuration import Level
from pjreg_cli.config.check import check
from pjreg_cli.errors import PjregError, UsageError, excerpt
from pjreg_cli.offline import providers
from pjreg_cli.render import evidence

_TRANSPORTS = ("udp", "tcp", "tls")
_PORTS = range(5060, 5100, 2)
_MAIN = "pjsip.conf"
_PRIVATE_FILE = 0o600

_TEXT = """\
; Written by `pjreg-cli init`.  In Asterisk's syntax; `pjreg-cli config show help` explains every
; option, `pjreg-cli check` tells what is wrong after a change.

[transport-{transport}]
type = transport
protocol = {transport}
bind = 0.0.0.0:{port}

[{name}]
type = registration
transport = transport-{transport}
outbound_auth = {name}-auth
server_uri = {server_uri}
client_uri = sip:{user}@{host}
contact_user = {user}
{more}; seconds asked for, and seconds between two attempts after a failure
expiration = {expiration}
retry_interval = 60
; 403 and other refusals are tried again, too, with more patience
forbidden_retry_interval = 600
fatal_retry_interval = 600
max_retries = 100000

[{name}-auth]
type = auth
auth_type = userpass
username = {user}
password = {password}
"""


Test = Callable[[str], str]
"""What is wrong with an answer; nothing if it is right."""


class _Answers(NamedTuple):
    name: str
    server: str
    user: str
    password: str
    transport: str


class _GivenUpError(PjregError):
    """The input ended before all questions were answered."""

    def __init__(self) -> None:
        super().__init__("nothing was written")


def run(options: command_line.Options) -> int:
    """Ask, write, check; raises UsageError."""
    paths = options.words[1:]
    if len(paths) > 1:
        raise UsageError("init takes one PATH at most")
    path = _place(paths[0] if paths else options.config)
    if path.exists():
        raise UsageError(f"{path} exists already: `pjreg-cli check` tells what is wrong with it")
    notes = providers.notes(options.provider) if options.provider else {}
    try:
        answers = _asked(options.provider, notes)
        _write(path, _text(answers, notes))
    except PjregError as error:
        remote.complain(str(error))
        return remote.FAILED
    except OSError as error:
        remote.complain(f"{path} cannot be written: {error.strerror}")
        return remote.FAILED
    problems = check(path)
    _say(f"{path} is written.")
    for line in evidence.problems(problems):
        remote.write(line.encode("utf-8", "surrogateescape"))
    if notes:
        _say(f"{notes['name']}: {notes['note']}")
    where = f" -C {path.parent}" if _needs_naming(path) else ""
    _say(f"Now: `pjreg-cli{where} -c` runs it with a console, `-f` without.")
    return remote.FAILED if any(one.level is Level.ERROR for one in problems) else remote.DONE


def _place(given: str | None) -> Path:
    """The pjsip.conf to be written."""
    if given:
        path = Path(given)
        return path if path.suffix == ".conf" else path / _MAIN
    if os.geteuid() == 0:
        return Path("/etc/pjreg-cli") / _MAIN
    return Path(command_line.config_home()) / "pjreg-cli" / _MAIN


def _needs_naming(path: Path) -> bool:
    """Whether this file would not be found without being named."""
    found = Path(command_line.config_path(command_line.Options()))
    return path.absolute() not in (found.absolute(), (found / _MAIN).absolute())


# -- questions --------------------------------------------------------------------------------


def _asked(provider: str, notes: Mapping[str, str]) -> _Answers:
    _say("A few questions; Enter takes what stands in brackets, Ctrl-C gives up.")
    server = _ask("Server of the provider", notes.get("server", ""), _is_host)
    user = _ask(f"User name ({notes['user']})" if notes else "User name", "", _is_user)
    password = _ask_secret("Password")
    transport = _ask("Transport (udp, tcp or tls)", notes.get("transport", "udp"), _is_transport)
    labels = re.sub(r":\d+$", "", server).lower().split(".")
    plain = len(labels) > 1 and not labels[-1].isdecimal() and not server.startswith("[")
    first = provider.casefold() or (re.sub(r"[^a-z0-9-]", "", labels[-2]) if plain else "trunk")
    name = _ask("Name of the registration", first or "trunk", _is_name)
    return _Answers(name, server, user, password, transport.lower())


def _ask(question: str, default: str, wrong: Test) -> str:
    while True:
        remote.write(f"{question}{f' [{default}]' if default else ''}: ".encode())
        line = sys.stdin.readline()
        if not line:
            remote.write(b"\n")
            raise _GivenUpError
        answer = line.strip() or default
        if not (why := wrong(answer)):
            return answer
        _say(why)


def _ask_secret(question: str) -> str:
    if not sys.stdin.isatty():
        return _ask(question, "", lambda text: "" if text else "There must be one.")
    try:
        while not (answer := getpass.getpass(f"{question} (not shown): ")):
            _say("There must be one.")
    except EOFError as error:
        raise _GivenUpError from error
    return answer


def _is_host(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?", text):
        return ""
    return f"'{excerpt(text)}' is no name or address of a host, with a port perhaps."


def _is_user(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.!~*'()&=+$,?/%-]+", text):
        return ""
    return f"'{excerpt(text)}' cannot stand in a SIP address."


def _is_transport(text: str) -> str:
    return "" if text.lower() in _TRANSPORTS else f"It is one of {', '.join(_TRANSPORTS)}."


def _is_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]+", text):
        return ""
    return "Letters, digits, dots, dashes and underscores, please."


# -- the file ---------------------------------------------------------------------------------


def _text(answers: _Answers, notes: Mapping[str, str]) -> str:
    more = providers.options(notes)
    expiration = more.pop("expiration", "3600")
    way = "" if answers.transport == "udp" else f"\\;transport={answers.transport}"
    return _TEXT.format(
        transport=answers.transport,
        port=_free_port(),
        name=answers.name,
        server_uri=f"sip:{answers.server}{way}",
        user=answers.user,
        host=re.sub(r":\d+$", "", answers.server),
        more="".join(f"{key} = {value}\n" for key, value in more.items()),
        expiration=expiration,
        password=answers.password.replace(";", "\\;"),
    )


def _free_port() -> int:
    """5060, or the next that no other SIP program of this machine has."""
    for port in _PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    return _PORTS[0]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _say(text: str) -> None:
    remote.write(f"{text}\n".encode("utf-8", "surrogateescape"))
