"""An instance as front ends know it: verbs, views and notices.

The console, the control socket, AMI and statsd know an instance only through `Api`.  A running
engine answers it; `offline` answers it from a configuration alone.  Everything in this package is a
plain value; durations are in seconds and end in `_s`, instants in seconds since 1970 and end in
`_at`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.api.configuration import Configuration
from pjreg_cli.api.history import NOWHERE, Histories
from pjreg_cli.api.instance import Instance
from pjreg_cli.api.manager import Managers
from pjreg_cli.api.notices import Notices
from pjreg_cli.api.registrations import Registrations
from pjreg_cli.api.tracing import Tracing

if TYPE_CHECKING:
    from pjreg_cli.api.cluster import Cluster


class Api(NamedTuple):
    """An instance as front ends know it."""

    registrations: Registrations
    configuration: Configuration
    tracing: Tracing
    instance: Instance
    managers: Managers
    notices: Notices
    cluster: Cluster | None = None
    """The fleet that this machine is one of; None where nobody can tell."""
    history: Histories = NOWHERE
