"""The files beside pjsip.conf of which nothing is wanted but settings, and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pjreg_cli.api.configuration import Problem
from pjreg_cli.config import observers, other_files
from pjreg_cli.config.permissions import permissions
from pjreg_cli.config.reader import Document
from pjreg_cli.config.settings import Scope

BESIDE: Final[
    tuple[tuple[str, str, Scope, Callable[[Document], tuple[Any, list[Problem]]]], ...]
] = (
    ("statsd", "statsd.conf", Scope.STATSD, other_files.statsd),
    ("resolver", "resolver_unbound.conf", Scope.RESOLVER, other_files.resolver),
    ("pjreg", "pjreg.conf", Scope.PJREG, other_files.pjreg),
    ("permissions", "cli_permissions.conf", Scope.PJREG, permissions),
    ("cluster", "pjreg.conf", Scope.PJREG, other_files.cluster),
    ("hooks", "pjreg.conf", Scope.PJREG, observers.hooks),
    ("http", "http.conf", Scope.HTTP, observers.http),
    ("prometheus", "prometheus.conf", Scope.PROMETHEUS, observers.prometheus),
)
"""Field of the settings, file, what a reload must look at, and what makes settings of it.  Any:
each has a class of its own."""
