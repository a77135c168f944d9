"""The manual page pjreg-cli(1), made of what `--help` prints."""

from __future__ import annotations

import re

from pjreg_cli.options import USAGE

#: what the help has no room for
_FILES = (
    ("pjsip.conf", "registrations, accounts and transports, in Asterisk's syntax"),
    ("pjsip_wizard.conf", "registrations made by wizards"),
    ("manager.conf, acl.conf", "the manager interface (AMI)"),
    ("statsd.conf", "gauges"),
    ("resolver_unbound.conf", "name servers and the hosts file"),
    ("cli_aliases.conf, cli_permissions.conf", "the console's commands, and who may give which"),
    ("pjreg.conf", "what Asterisk has no word for"),
)
_ENVIRONMENT = (
    ("PJREG_CONFIG", "the configuration, where no \\-C names one"),
    ("PJREG_SOCKET", "the control socket, where no \\-s names one"),
    ("NO_COLOR", "set to anything: no colour"),
    ("STATE_DIRECTORY", "where state is kept, where state_dir in pjreg.conf names no place"),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "how systemd is told that the instance is up and alive"),
)
_SIGNALS = (
    ("SIGTERM, SIGINT", "end the instance at once and send nothing: bindings live on"),
    ("SIGHUP", "reload the configuration"),
)
_SEE_ALSO = """\
The commands are listed by
.BR "pjreg\\-cli help" ,
the options of a configuration by
.BR "pjreg\\-cli config show help" ."""
_OPTION = re.compile(r"^  (?P<names>(?:-\w|    --\w).*?)(?:  +| (?=show passwords)|$)(?P<text>.*)$")


def man_page(version: str) -> str:
    """The page in the language of man(7)."""
    usage, description, *groups = USAGE.strip("\n").split("\n\n")
    status = groups.pop()
    out = [
        f'.TH PJREG-CLI 1 "" "pjreg-cli {version}" "User Commands"',
        ".SH NAME",
        "pjreg-cli \\- keep SIP outbound registrations alive, with Asterisk's console",
        ".SH SYNOPSIS",
        ".nf",
        *(_escaped(line.removeprefix("Usage:").strip()) for line in usage.splitlines()),
        ".fi",
        ".SH DESCRIPTION",
        _escaped(description),
        ".SH OPTIONS",
    ]
    for group in groups:
        title, *lines = group.splitlines()
        out.append(f".SS {_escaped(title)}")
        for line in lines:
            found = _OPTION.match(line)
            if found is None:
                out.append(_escaped(line.strip()))
            else:
                out += [".TP", f".B {_escaped(found['names'].strip())}", _escaped(found["text"])]
    out += [".SH EXIT STATUS", _escaped(status.removeprefix("Exit status: ").capitalize())]
    for title, rows in (("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT), ("SIGNALS", _SIGNALS)):
        out.append(f".SH {title}")
        for name, text in rows:
            out += [".TP", f".B {_escaped(name)}", text]
    return "\n".join([*out, ".SH SEE ALSO", _SEE_ALSO, ""])


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", escaped)
