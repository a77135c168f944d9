"""The other files beside pjsip.conf: their settings, and how their sections are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from pjreg_cli.config.forgiving import Problems, make, merged, values_of
from pjreg_cli.config.frozen import frozen
from pjreg_cli.config.reader import Document
from pjreg_cli.config.types import (
    TRUE,
    Boolean,
    Few,
    HostsFile,
    LeaseCommit,
    LogFormat,
    LogLevel,
    Loose,
    Nameservers,
    Number,
    Port,
    Positive,
    Takeover,
    WithoutDatabase,
    inert,
    option,
)
from pjreg_cli.sip.address import split_host_port


@frozen
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


@frozen
class StatsdSettings:
    """Gauges over UDP (statsd.conf)."""

    source: str = field(default="", compare=False)
    enabled: Boolean = option(False, "Send gauges")
    server: str = option("127.0.0.1", "Address of the statsd server, numeric or a name")
    port: Port = option(8125, "Port of the statsd server")
    prefix: str = option("", "Put before every name, with a dot")
    add_newline: Boolean = option(False, "End every packet with a line feed")
    meter_support: Boolean = inert(True, "Of no use here")


@frozen
class ConsoleSettings:
    """What the console starts with (cli_aliases.conf, cli.conf)."""

    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Alias in lower case as typed in the file: command, those of the templates in use."""
    startup_commands: tuple[str, ...] = ()
    """Commands to run when the instance has started, in order."""


@frozen
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
    rate: Loose = option(
        0,
        "How many REGISTERs leave in a second at most",
        "In all; registrars take turns.  0: as many as there are.  Resends do not count.",
    )
    registrar_rate: Loose = option(
        0, "How many of them go to one registrar at most", "0: as many as there are."
    )
    udp_keep_alive_interval: Loose = option(
        0,
        "How many seconds lie between two keep-alives to a registrar over UDP",
        "A line end each, which holds open the way back through a NAT; 0 sends none, as Asterisk."
        "  What is needed is less than the NAT's patience, often 30.",
    )
    registry_detail: Boolean = option(
        False, "Tell more in AMI Registry events", "Adds Cause and the attempt's facts."
    )
    remote_shell: Boolean = option(True, "Allow `!command` in remote consoles")
    log_file: str = option("", "File to log to besides stderr", "Empty: none.")
    log_level: LogLevel = option(
        "info",
        "Least level of log_file",
        "debug, info, notice, warning or error.  With debug it also takes what `core set debug`"
        " asks for.",
    )
    log_format: LogFormat = option(
        "text",
        "How lines of the log look on stderr and in log_file",
        "text, or json: an object a line, for what collects logs.",
    )
    log_max_bytes: Number = option(
        0, "Size in bytes after which log_file is rotated", "0: only on `logger rotate`."
    )
    log_keep: Few = option(5, "Rotated log files to keep, 100 at most")
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
    reload_guard: Loose = option(
        10,
        "How much a change of a database's tables may remove unasked, in per cent",
        "A reload that only the database asked for and that would remove more of the registrations"
        " (and more than 100) is not applied until somebody reloads; 0: there is no such guard.",
    )
    monitor_socket: str = option(
        "",
        "A second control socket, for monitoring",
        "Answers single commands that only show something (`pjsip show`, `pjreg status`, ...), to"
        " everybody who may open it.  Takes effect at a start.",
    )
    monitor_group: str = option(
        "", "The group that may open monitor_socket", "Empty: the group of the instance."
    )
    resume: Boolean = option(
        False,
        "Go on after a restart where the last run stopped",
        "Call-ID, CSeq and schedule survive: a binding that still lives is refreshed when it is"
        " due.  `no` registers anew at every start, as Asterisk does.",
    )


# -- reading ----------------------------------------------------------------------------------


def statsd(document: Document) -> tuple[StatsdSettings, Problems]:
    """statsd.conf: `server` may carry the port."""
    problems: Problems = []
    general = merged(document, "general")
    values = values_of(general)
    server = values.get("server")
    if server:
        values["server"], port = split_host_port(server) or (server)
        if port:
            values["port"] = port
    return make(StatsdSettings, general, values, problems, "statsd.conf"), problems


def resolver(document: Document) -> tuple[Resolver, Problems]:
    """resolver_unbound.conf: `nameserver` several times, `resolv` and `hosts` a path or system."""
    problems: Problems = []
    general = merged(document, "general")
    values = values_of(general)
    if "nameserver" in values:
        values.pop("nameserver")
        values["nameservers"] = [entry[1] for entry in general.all("nameserver")]
    if "resolv" in values:
        path = values["resolv"]
        values["resolv"] = bool(path)
        if path not in ("", "system"):
            values["resolv_file"] = path
    made = make(Resolver, general, values, problems, "resolver_unbound.conf")
    return made, problems


@frozen
class ClusterSettings:
    """One of many machines that share the accounts of a database (pjreg.conf)."""

    source: str = field(default="", compare=False)
    name: str = option(
        "",
        "The name of this machine in its fleet",
        "Each has its own.  Empty: it is alone, and every row of the tables is its.",
    )
    schema: str = option("pjreg", "The schema of the fleet's tables", "Another for another fleet.")
    takeover: Takeover = option(
        "auto",
        "What is done with bindings that another machine had",
        "`refresh`: nothing until they are due, for machines that offer one Contact; `register`:"
        " they are made anew; `auto`: what the Contact says.",
    )
    takeover_rate: Positive = option(
        200, "REGISTERs a second, at least, for what a takeover or an outage made overdue"
    )
    refresh_margin: Number = option(
        0,
        "How many seconds before its end a shared binding is refreshed",
        "At most a third of what was granted; a takeover has to fit in.  0: 90, or the"
        " refresh_margin of [general] where that is more.",
    )
    without_database: WithoutDatabase = option(
        "auto",
        "What happens while the database does not answer",
        "`hold`: nothing is sent once the lease has run out; `late`: refreshes without which a"
        " binding would end are; `auto`: `late` with takeover=refresh, else `hold`.",
    )
    capacity: Positive = option(100_000, "The most registrations this machine may keep")
    lease_commit: LeaseCommit = option(
        "on",
        "What the database waits for before a lease or an owner counts",
        "PostgreSQL's synchronous_commit for these alone: `on`, `local`, `remote_write`,"
        " `remote_apply` or `off`.",
    )


def cluster(document: Document) -> tuple[ClusterSettings, Problems]:
    """The section `[cluster]` of pjreg.conf."""
    problems: Problems = []
    section = merged(document, "cluster")
    return make(ClusterSettings, section, values_of(section), problems, "pjreg.conf"), problems


def pjreg(document: Document) -> tuple[PjregSettings, Problems]:
    """pjreg.conf: one section, `[general]`."""
    problems: Problems = []
    general = merged(document, "general")
    return make(PjregSettings, general, values_of(general), problems, "pjreg.conf"), problems


def console(
    old: ConsoleSettings, aliases: Document | None, start: Document | None
) -> ConsoleSettings:
    """cli_aliases.conf and the startup commands of cli.conf; None: that file has not changed."""
    return ConsoleSettings(
        aliases=old.aliases if aliases is None else _aliases(aliases),
        startup_commands=old.startup_commands if start is None else _commands(start),
    )


def _aliases(document: Document) -> Mapping[str, str]:
    """The aliases of all templates in use; the first of one name counts."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for template in merged(document, "general").all("template"):
        for key, value, _line, _path in merged(document, template[1]).entries:
            alias = " ".join(key.split())
            if alias.lower() not in seen:
                seen.add(alias.lower())
                found[alias] = value
    return MappingProxyType(found)


def _commands(document: Document) -> tuple[str, ...]:
    return tuple(
        key
        for key, value, _line, _path in merged(document, "startup_commands").entries
        if value.lower() in TRUE
    )
