"""`pjreg-cli probe`: one attempt now, explained, and unregistered again; no instance is needed.

It sends from ports of its own and so has a Contact of its own: the binding of an instance that runs
is not touched.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pjreg_cli import __version__, remote
from pjreg_cli import options as command_line
from pjreg_cli.api.findings import Finding, Fix, Next
from pjreg_cli.config.load import load
from pjreg_cli.config.models import Auth, Registration, Transport
from pjreg_cli.config.settings import Settings
from pjreg_cli.config.types import secret
from pjreg_cli.console.progress import Progress
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.errors import PjregError, SipParseError, UsageError
from pjreg_cli.instance.register_once import until_terminated
from pjreg_cli.render import evidence, explanation, json
from pjreg_cli.sip.uri import parse_uri
from pjreg_cli.store.rows import open_rows

#: an attempt may look up names, connect and be silent at several targets, in seconds
_LONGEST_S = 120.0
_LEAVE_S = 34.0
_NEXT = Next("nothing", None, None, "nothing: a probe takes its binding off again, and ends")
_INSTANCE = re.compile(r'(\+sip\.instance\s*=\s*)("[^"]*"|[^;"]*)', re.IGNORECASE)
_VALUES = ("--uri", "--user", "--password-file")
#: what stands on the command line in place of options of a file
_GIVEN = {
    "outbound_auth: an auth section with a password": "--password-file FILE",
    "no outbound_auth is configured": "no --password-file is given",
    "password of [probe]": "the password in --password-file",
    "server_uri": "--uri",
    "client_uri": "--uri or --user",
    "username": "--user",
    ", then `pjsip reload`": "",
}


def run(options: command_line.Options) -> int:
    """Probe a registration of the configuration, or a URI; 0 registered, 1 not.  Raises
    UsageError."""
    given, names = _words(options.words[1:])
    if ("--uri" in given) == bool(names) or len(names) > 1:
        raise UsageError("probe takes the name of a registration, or --uri SIP-URI")
    if names and given:
        raise UsageError("--user and --password-file go with --uri")
    logging.getLogger("pjreg_cli").addHandler(logging.NullHandler())
    try:
        if names:
            name = names[0]
            settings = configured(load(Path(command_line.config_path(options)), open_rows), name)
        else:
            name = "probe"
            settings = made_up(given)
        return asyncio.run(until_terminated(_probe(settings, name, options.json, by_uri=not names)))
    except UsageError:
        raise
    except PjregError as error:
        remote.complain(str(error))
        return remote.FAILED


def _words(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options with their values, and the other words; raises UsageError."""
    given: dict[str, str] = {}
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        name, assigned, value = word.partition("=")
        if name in _VALUES:
            given[name] = value if assigned else next(rest, "")
            if not given[name]:
                raise UsageError(f"option {name} needs a value")
        elif word.startswith("-"):
            raise UsageError(f"unknown option {word}: probe takes {', '.join(_VALUES)}")
        else:
            names.append(word)
    return given, names


def configured(settings: Settings, name: str) -> Settings:
    """One registration of a configuration alone, at once, from ports of its own; what there is
    where there is none of this name.

    An instance id would make its Contact the one of the instance that runs, wherever that is (RFC
    5626 section 6): it gets another one.
    """
    section = settings.registrations.get(name)
    if section is None:
        return settings
    own = UUID(hex=Ids().call_id(), version=4)
    params = _INSTANCE.sub(rf'\1"<urn:uuid:{own}>"', section.contact_header_params)
    chosen = {name: replace(section, max_random_initial_delay=0, contact_header_params=params)}
    transports = {one.name: replace(one, port=0) for one in settings.transports.values()}
    return replace(settings, registrations=chosen, transports=transports)


def made_up(given: dict[str, str]) -> Settings:
    """A configuration for a URI; raises UsageError for what makes none."""
    try:
        uri = parse_uri(given["--uri"])
    except SipParseError as error:
        raise UsageError(f"--uri: {error}") from error
    user = given.get("--user") or uri.user or ""
    if not user:
        raise UsageError("whose account? put the user into the URI, or name it with --user")
    server = uri._replace(user=None, password=None)
    account = uri._replace(user=uri.user or user, password=None, port=None, parameters=())
    section = Registration(
        name="probe",
        source="",
        server_uri=str(server),
        client_uri=str(account),
        max_random_initial_delay=0,
        expiration=60,
        outbound_auth=("probe",) if "--password-file" in given else (),
    )
    auths = {}
    if "--password-file" in given:
        every = ("MD5", "SHA-256", "SHA-512-256")
        auths["probe"] = Auth(
            name="probe",
            source=given["--password-file"],
            username=user,
            password=secret(_password(given["--password-file"])),
            supported_algorithms_uac=every,
        )
    family = "::" if server.host.startswith("[") or ":" in server.host else "0.0.0.0"
    transports = {
        protocol: Transport(name=protocol, source="", protocol=protocol, host=family, port=0)
        for protocol in ("udp", "tcp", "tls")
    }
    here = Path()
    return Settings(
        directory=here,
        path=here / "pjsip.conf",
        registrations={"probe": section},
        auths=auths,
        transports=transports,
    )


def _password(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").splitlines()[0]
    except IndexError as error:
        raise UsageError(f"--password-file {path} is empty") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--password-file {path}: {why}") from error


def _as_given(finding: Finding) -> Finding:
    """What was found about a URI, in the words of the command line: there is no file to change."""
    return finding._replace(
        finding=_in_words(finding.finding.replace("the password of [probe]", "the password")),
        steps=tuple(step._replace(text=_in_words(step.text)) for step in finding.steps),
        fix=tuple(Fix(_in_words(fix.text)) for fix in finding.fix),
    )


def _in_words(text: str) -> str:
    for option, given in _GIVEN.items():
        text = text.replace(option, given)
    return text


async def _probe(settings: Settings, name: str, as_json: bool, *, by_uri: bool) -> int:
    engine = Engine(settings, version=__version__, wall_clock=_now)
    progress = Progress(sys.stderr)

    def under_way() -> str:
        view = engine.registrations.view(name)
        sent = view.under_way if view is not None else None
        return f"{name}: {'about to begin' if sent is None else evidence.under_way(sent)}"

    try:
        if name in settings.registrations:
            await engine.open()
            with progress.showing(under_way):
                await engine.settled(_LONGEST_S)
        finding = engine.registrations.finding(name)._replace(next=_NEXT)
        if by_uri:
            finding = _as_given(finding)
        lines = (
            json.document(explanation.shape(finding))
            if as_json
            else explanation.explanation(finding, _now(), str(settings.directory), remote.columns())
        )
        for line in lines:
            remote.write(line.encode("utf-8", "surrogateescape"))
        with progress.showing(lambda: f"{name}: taking its binding off again"):
            await engine.leave(_LEAVE_S)
    finally:
        await engine.close()
    return remote.DONE if finding.status == "Registered" else remote.FAILED


def _now() -> float:
    return datetime.now(tz=UTC).timestamp()
