"""Settings of the files beside pjsip.conf; `models` offers them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from pydantic import SecretStr
from pydantic.dataclasses import dataclass

from pjreg_cli.config.types import (
    NO_SECRET,
    STRICT,
    Acl,
    Boolean,
    HostsFile,
    Loose,
    Names,
    Nameservers,
    Port,
    option,
)


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Resolver:
    """Name servers (resolver_unbound.conf)."""

    source: str = field(default="", compare=False)
    hosts: HostsFile = option(
        "/etc/hosts",
        "Hosts file to consult first",
        "`system` is the system's own, a path another one; empty consults none.",
    )
    resolv: bool = True
    """Whether resolv.conf is read for name servers besides `nameservers`."""
    resolv_file: str = "/etc/resolv.conf"
    """Which one, if so."""
    nameservers: Nameservers = option(
        (), "Name servers to ask, as `ADDRESS` or `ADDRESS@PORT`", "May be given several times."
    )


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ManagerAccount:
    """A user of AMI (a section of manager.conf)."""

    name: str
    source: str = field(compare=False)
    secret: SecretStr = option(NO_SECRET, "The password; without one nobody can log in")
    read: Names = option((), "Classes of events to receive")
    write: Names = option((), "Classes of actions allowed")
    acl: Acl = option((), "Addresses that may log in: (allowed, network) in order")
    eventfilter: tuple[str, ...] = option((), "Expressions that events must or must not match")
    writetimeout: Loose = option(100, "Milliseconds a write may block")
    allowmultiplelogin: Boolean = option(True, "Whether the user may log in more than once")
    displayconnects: Boolean = option(True, "Log each login")
    setvar: tuple[str, ...] = option((), "Accepted, without effect")


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ManagerSettings:
    """AMI (manager.conf)."""

    source: str = field(default="", compare=False)
    enabled: Boolean = option(False, "Listen for AMI connections")
    bindaddr: str = option("0.0.0.0", "Address to listen on")
    port: Port = option(5038, "Port to listen on")
    tlsenable: Boolean = option(False, "Listen with TLS, too")
    tlsbindaddr: str = option("", "Address, with or without a port, to listen on with TLS")
    tlscertfile: str = option("", "Certificate")
    tlsprivatekey: str = option("", "Private key; empty: inside tlscertfile")
    authtimeout: Loose = option(30, "Seconds a connection may take to log in")
    authlimit: Loose = option(50, "Connections that have not logged in, at most")
    allowmultiplelogin: Boolean = option(True, "Whether a user may log in more than once")
    displayconnects: Boolean = option(True, "Log each login")
    timestampevents: Boolean = option(False, "Put a Timestamp into every event")
    webenabled: Boolean = option(False, "AMI over HTTP: not available")
    users: tuple[ManagerAccount, ...] = option((), "The users, in the order of the file")


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class StatsdSettings:
    """Gauges over UDP (statsd.conf)."""

    source: str = field(default="", compare=False)
    enabled: Boolean = option(False, "Send gauges")
    server: str = option("127.0.0.1", "Address of the statsd server, numeric or a name")
    port: Port = option(8125, "Port of the statsd server")
    prefix: str = option("", "Put before every name, with a dot")
    add_newline: Boolean = option(False, "End every packet with a line feed")
    meter_support: Boolean = option(True, "Accepted, without effect")


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ConsoleSettings:
    """What the console starts with (cli_aliases.conf, cli.conf)."""

    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Alias in lower case as typed in the file: command, those of the templates in use."""
    startup_commands: tuple[str, ...] = ()
    """Commands to run when the instance has started, in order."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class PjregSettings:
    """What Asterisk has no word for (pjreg.conf)."""

    source: str = field(default="", compare=False)
    keep_nonce: Boolean = option(
        False,
        "Use a nonce again at the next refresh",
        "Saves the challenge of every refresh (RFC 7616 section 3.3): nc counts on until the"
        " registrar hands out another nonce.",
    )
    redirect: str = option(
        "",
        "Where calls that come to us are sent with 302",
        "A SIP URI such as `sip:${USER}@10.0.0.5:5060`; empty answers them with 480.",
    )
    retry_backoff: Boolean = option(
        False,
        "Wait twice as long after each failure in a row",
        "From retry_interval up to an hour, also after a wrong password.",
    )
    refresh_margin: Loose = option(
        10,
        "How many seconds before its end a binding is refreshed",
        "10, as in Asterisk, is the least; a REGISTER that nobody answers takes 32 s to fail.",
    )
    registry_detail: Boolean = option(
        False, "Tell more in AMI Registry events", "Adds Cause and the attempt's facts."
    )
    remote_shell: Boolean = option(True, "Allow `!command` in remote consoles")
    log_file: str = option("", "File to log to besides stderr", "Empty: none.")
    log_level: str = option("info", "Least level of log_file", "debug, info, warning or error.")
    log_max_bytes: Loose = option(
        0, "Size in bytes after which log_file is rotated", "0: only on `logger rotate`."
    )
    log_keep: Loose = option(5, "Rotated log files to keep")
    state: Boolean = option(
        True,
        "Keep a state file",
        "History of each registration, and what `resume` goes on with; `no` for large fleets.",
    )
    state_dir: str = option(
        "",
        "Folder of the state file",
        "Relative to the configuration.  Empty: $STATE_DIRECTORY (systemd), else"
        " /var/lib/pjreg-cli for root and ~/.local/state/pjreg-cli for others.",
    )
    resume: Boolean = option(
        False,
        "Go on after a restart where the last run stopped",
        "Call-ID, CSeq and schedule survive: a binding that still lives is refreshed when it is"
        " due.  `no` registers anew at every start, as Asterisk does.",
    )
