"""The port answered from a configuration alone: nothing runs, nothing is sent.

Every registration is `Unregistered` and has no state, as in an instance that was told to forget
all of them: no attempt is scheduled, so a row ends in `Unregistered     0`.  What only a running
instance can do raises `NotRunningError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from pjreg_cli import __version__
from pjreg_cli.api.configuration import Planned
from pjreg_cli.api.findings import Facts, Finding, Message, Tried
from pjreg_cli.api.history import NOWHERE, Histories
from pjreg_cli.api.instance import InstanceView, LogChannel, ReloadReport, Stop
from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
from pjreg_cli.api.notices import Listener, Notice
from pjreg_cli.api.port import Api
from pjreg_cli.api.registrations import Measure, RegistrationRow, RegistrationView
from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.config import manager_conf
from pjreg_cli.config.secrets import masked_uri
from pjreg_cli.config.shown import (
    registration_options,
)
from pjreg_cli.config.views import ConfigurationViews
from pjreg_cli.config.words import in_order
from pjreg_cli.counters import Count
from pjreg_cli.errors import PjregError
from pjreg_cli.store.overview import Overview
from pjreg_cli.why.diagnosis import cause_of, diagnose
from pjreg_cli.why.places import located

if TYPE_CHECKING:
    from pjreg_cli.config.load import Settings
    from pjreg_cli.config.models import Registration


class NotRunningError(PjregError):
    """Asked for something that only a running instance can do."""

    def __init__(self) -> None:
        super().__init__("No instance is running, so there is nobody to do this.")


def offline_port(settings: Settings, reveal: bool = False, history: Histories = NOWHERE) -> Api:
    """Answer from `settings`; secrets are masked unless `reveal`."""
    return Api(
        registrations=_Registrations(settings, reveal),
        configuration=_Configuration(lambda: settings, lambda: settings.transports, reveal),
        tracing=_Tracing(),
        instance=_Instance(settings),
        managers=_Managers(settings),
        notices=_Notices(),
        cluster=Overview(lambda: settings),
        history=history,
    )


class _Configuration(ConfigurationViews):
    """`api.configuration.Configuration` where there is nothing that could be reloaded."""

    async def plan(self) -> Sequence[Planned]:
        raise NotRunningError


class _Registrations:
    """`api.registrations.Registrations` of nothing but sections."""

    def __init__(self, settings: Settings, reveal: bool) -> None:
        self._settings = settings
        self._sections = settings.registrations
        self._reveal = reveal

    def names(self) -> Sequence[str]:
        return in_order(self._sections)

    def count(self) -> Mapping[str, int]:
        return {}

    def rows(self) -> Iterator[RegistrationRow]:
        return (_row(self._sections[name], self._reveal) for name in self.names())

    def row(self, name: str) -> RegistrationRow | None:
        section = self._sections.get(name)
        return _row(section, self._reveal) if section else None

    def view(self, name: str) -> RegistrationView | None:
        section = self._sections.get(name)
        return self._view(section) if section else None

    def views(self) -> Iterator[RegistrationView]:
        return (self._view(self._sections[name]) for name in self.names())

    def _view(self, section: Registration) -> RegistrationView:
        return _view(section, self._reveal)._replace(cause=partial(self.cause, section.name))

    def finding(self, name: str) -> Finding:
        return located(diagnose(self._facts(name), self._settings))

    def refused(self) -> Sequence[str]:
        settings = self._settings
        return sorted(name for name in settings.refused if name not in settings.registrations)

    def measures(self) -> Sequence[Measure]:
        return ()

    def foremost(
        self, limit: int, order: str, match: Callable[[str], bool] | None = None
    ) -> Sequence[RegistrationView]:
        views = self.views()
        return list(islice((one for one in views if match is None or match(one.row.name)), limit))

    def tried(self, name: str) -> Sequence[Tried]:
        return ()

    def messages(self, name: str) -> Sequence[Message]:
        return ()

    def cause(self, name: str) -> str:
        return cause_of(self._facts(name), self._settings)

    def _facts(self, name: str) -> Facts:
        return Facts(name=name, word="Unregistered" if name in self._sections else "", live=False)

    def unregister(self, name: str) -> bool:
        return self._send(name)

    def register(self, name: str) -> bool:
        return self._send(name)

    def _send(self, name: str) -> bool:
        if name in self._sections:
            raise NotRunningError
        return False

    def unregister_all(self) -> None:
        raise NotRunningError

    def register_all(self) -> None:
        raise NotRunningError


def _row(section: Registration, reveal: bool) -> RegistrationRow:
    auth = section.outbound_auth[0] if section.outbound_auth else ""
    server_uri = masked_uri(section.server_uri, reveal)
    return RegistrationRow(section.name, server_uri, auth, None, None)


def _view(section: Registration, reveal: bool) -> RegistrationView:
    return RegistrationView(
        row=_row(section, reveal),
        client_uri=masked_uri(section.client_uri, reveal),
        options=registration_options(section, reveal),
        auths=section.outbound_auth,
        next_attempt_s=0,
        attempts=0,
        retries=0,
        evidence=None,
        source=section.source,
    )


class _Tracing:
    """`api.tracing.Tracing`: there is nothing to trace."""

    def set_logger(self, on: bool) -> None:
        raise NotRunningError

    def logger_host(self, host: str, add: bool) -> str | None:
        raise NotRunningError

    def logger_method(self, method: str, add: bool) -> Sequence[str]:
        raise NotRunningError

    def logger_verbose(self, on: bool) -> None:
        raise NotRunningError

    async def logger_pcap(self, path: str) -> str | None:
        raise NotRunningError

    def set_history(self, on: bool) -> None:
        raise NotRunningError

    def clear_history(self) -> None:
        raise NotRunningError

    def history(self) -> Sequence[HistoryEntry]:
        return ()


class _Instance:
    """`api.instance.Instance` of a program that only reads: no times, no modules, no log."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def view(self) -> InstanceView:
        return InstanceView(
            version=__version__,
            started_at=0.0,
            reloaded_at=0.0,
            now_at=0.0,
            config_path=str(self._settings.path),
            config_dir=str(self._settings.directory),
            socket_path="",
            pid=0,
            debug=0,
            manager_enabled=False,
            live=False,
        )

    def reload(self, modules: Sequence[str]) -> Awaitable[Sequence[ReloadReport]]:
        raise NotRunningError

    def change(self, verb: str, name: str, options: Mapping[str, str], who: str) -> Awaitable[None]:
        raise NotRunningError

    def modules(self) -> Sequence[tuple[str, str, int]]:
        return ()

    def stop(self, how: Stop, restart: bool = False) -> None:
        raise NotRunningError

    def abort_stop(self) -> None:
        raise NotRunningError

    def set_debug(self, level: int) -> None:
        raise NotRunningError

    def module_debug(self, module: str) -> int:
        return 0

    def set_module_debug(self, module: str, level: int) -> None:
        raise NotRunningError

    def log_channels(self) -> Sequence[LogChannel]:
        return ()

    def set_log_level(self, level: str, on: bool) -> bool:
        raise NotRunningError

    def counters(self) -> Sequence[Count]:
        return ()

    def rotate_logs(self) -> Awaitable[str]:
        raise NotRunningError


class _Managers:
    """`api.manager.Managers`: the users of manager.conf; nobody is logged in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.manager

    def users(self) -> Sequence[ManagerUser]:
        return [manager_conf.shown(account) for account in self._settings.users]

    def settings(self) -> Sequence[tuple[str, str]]:
        enabled = "Yes" if self._settings.enabled else "No"
        address = f"{self._settings.bindaddr}:{self._settings.port}"
        return (("Manager (AMI)", enabled), ("TCP Bindaddress", address))

    def sessions(self) -> Sequence[ManagerSession]:
        return ()

    def actions(self) -> Sequence[ManagerAction]:
        return ()


class _Notices:
    """`api.notices.Notices`: nothing ever happens."""

    def subscribe(self, listener: Listener, *_kinds: type[Notice]) -> Callable[[], None]:
        def end() -> None:
            """There is nothing to end."""

        return end

    def until(self, condition: Callable[[], bool], within_s: float) -> Awaitable[bool]:
        raise NotRunningError
