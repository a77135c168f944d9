"""Settings of whoever is told from outside: hooks, and metrics over HTTP; how they are read."""

from __future__ import annotations

import shlex
from dataclasses import field

from pydantic import SecretStr

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.forgiving import Problems, make, merged, values_of
from pjreg_cli.config.frozen import frozen
from pjreg_cli.config.reader import Document
from pjreg_cli.config.types import NO_SECRET, Boolean, Loose, Port, option

#: the hooks there are
KINDS = ("on_rejected", "on_registered", "on_change")


@frozen
class HookSettings:
    """Commands that are run when a registration changes (pjreg.conf, `[hooks]`)."""

    source: str = field(default="", compare=False)
    on_rejected: str = option(
        "",
        "Command to run when a registration becomes Rejected",
        "A program and its arguments; no shell looks at them.  What has happened is in its"
        " environment (docs/monitoring.md).",
    )
    on_registered: str = option("", "Command to run when a registration becomes Registered")
    on_change: str = option("", "Command to run when a status changes to anything")
    timeout: Loose = option(10, "Seconds after which a command is killed")
    at_once: Loose = option(4, "Commands that may run at once", "Others wait and are gathered.")

    @property
    def wanted(self) -> bool:
        """Whether there is any command."""
        return bool(self.on_rejected or self.on_registered or self.on_change)


@frozen
class HttpSettings:
    """The HTTP server that metrics are read from (http.conf)."""

    source: str = field(default="", compare=False)
    enabled: Boolean = option(False, "Listen for HTTP")
    bindaddr: str = option("127.0.0.1", "Address to listen on")
    bindport: Port = option(8088, "Port to listen on")
    prefix: str = option("", "Put before every path, with a slash")
    tlsenable: Boolean = option(False, "HTTPS: not available")


@frozen
class PrometheusSettings:
    """Metrics for Prometheus (prometheus.conf); needs `pjreg-cli[prometheus]`."""

    source: str = field(default="", compare=False)
    enabled: Boolean = option(False, "Offer metrics over HTTP")
    core_metrics_enabled: Boolean = option(True, "Offer metrics of the program itself, too")
    uri: str = option("metrics", "Path of the metrics")
    auth_username: str = option("", "User that may read them", "Empty: everybody may.")
    auth_password: SecretStr = option(NO_SECRET, "Password of that user")
    auth_realm: str = option("pjreg-cli metrics", "Realm of the request for a password")


def hooks(document: Document) -> tuple[HookSettings, Problems]:
    """The `[hooks]` of pjreg.conf; a command that cannot be taken apart is none."""
    problems: Problems = []
    section = merged(document, "hooks")
    values = values_of(section)
    for kind in KINDS:
        try:
            shlex.split(values.get(kind, ""))
        except ValueError as error:
            entry = section.last(kind)
            assert entry is not None
            problems.append(
                Problem(entry[3], entry[2], Level.ERROR, f"{kind}: {error}; it is not run")
            )
            del values[kind]
    return make(HookSettings, section, values, problems, "pjreg.conf"), problems


def http(document: Document) -> tuple[HttpSettings, Problems]:
    """http.conf."""
    problems: Problems = []
    general = merged(document, "general")
    return make(HttpSettings, general, values_of(general), problems, "http.conf"), problems


def prometheus(document: Document) -> tuple[PrometheusSettings, Problems]:
    """prometheus.conf."""
    problems: Problems = []
    general = merged(document, "general")
    values = values_of(general)
    return make(PrometheusSettings, general, values, problems, "prometheus.conf"), problems
