"""A port that answers from plain values and writes down what it was told to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pjreg_cli.api.configuration import (
    ModuleHelp,
    ObjectView,
    Option,
    OptionHelp,
    Planned,
    Problem,
    TypeHelp,
)
from pjreg_cli.api.findings import Finding, Message, Next, Tried
from pjreg_cli.api.instance import InstanceView, LogChannel, ReloadReport, Stop
from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
from pjreg_cli.api.notices import Listener, Notice
from pjreg_cli.api.port import Api
from pjreg_cli.api.registrations import Evidence, Measure, RegistrationRow, RegistrationView
from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.counters import Count
from pjreg_cli.errors import PjregError

#: 2026-08-01 12:00:00 UTC
NOW_AT = 1785585600.0

_REGISTRATION: Mapping[str, str] = {
    "auth_rejection_permanent": "true",
    "client_uri": "",
    "contact_header_params": "",
    "contact_user": "",
    "endpoint": "",
    "expiration": "3600",
    "fatal_retry_interval": "0",
    "forbidden_retry_interval": "0",
    "line": "false",
    "max_random_initial_delay": "10",
    "max_retries": "10",
    "outbound_auth": "",
    "outbound_proxy": "",
    "retry_interval": "60",
    "security_negotiation": "no",
    "server_uri": "",
    "support_outbound": "no",
    "support_path": "false",
    "transport": "",
    "user_agent": "",
}
_AUTH: Mapping[str, str] = {
    "auth_type": "userpass",
    "md5_cred": "",
    "nonce_lifetime": "32",
    "oauth_clientid": "",
    "oauth_secret": "",
    "password": "",
    "password_digest": "",
    "realm": "",
    "refresh_token": "",
    "supported_algorithms_uac": "MD5",
    "supported_algorithms_uas": "MD5",
    "username": "",
}
_TRANSPORT: Mapping[str, str] = {
    "allow_reload": "false",
    "allow_wildcard_certs": "No",
    "async_operations": "1",
    "bind": "",
    "ca_list_file": "",
    "ca_list_path": "",
    "cert_file": "",
    "cipher": "",
    "cos": "0",
    "domain": "",
    "external_media_address": "",
    "external_signaling_address": "",
    "external_signaling_hostname": "",
    "external_signaling_port": "0",
    "local_net": "",
    "method": "unspecified",
    "password": "",
    "priv_key_file": "",
    "protocol": "udp",
    "require_client_cert": "No",
    "symmetric_transport": "false",
    "tcp_keepalive_enable": "false",
    "tcp_keepalive_idle_time": "30",
    "tcp_keepalive_interval_time": "1",
    "tcp_keepalive_probe_count": "5",
    "tos": "0",
    "verify_client": "No",
    "verify_server": "No",
    "websocket_write_timeout": "100",
}

_Values = str | tuple[str, ...]


def _options(defaults: Mapping[str, str], given: Mapping[str, _Values]) -> tuple[Option, ...]:
    merged: dict[str, _Values] = {**defaults, **given}
    return tuple(
        Option(name, value if isinstance(value, tuple) else (value,))
        for name, value in sorted(merged.items())
    )


def registration(
    name: str,
    word: str | None = "Unregistered",
    due_s: int | None = 0,
    *,
    evidence: Evidence | None = None,
    next_attempt_s: int = 0,
    attempts: int = 0,
    retries: int = 0,
    **given: _Values,
) -> RegistrationView:
    """A registration; options by name, those left out at their defaults."""
    options = _options(_REGISTRATION, given)
    by_name = {option.name: option.values for option in options}
    auths = tuple(auth for auth in by_name["outbound_auth"] if auth)
    row = RegistrationRow(name, by_name["server_uri"][0], auths[0] if auths else "", word, due_s)
    return RegistrationView(
        row=row,
        client_uri=by_name["client_uri"][0],
        options=options,
        auths=auths,
        next_attempt_s=next_attempt_s,
        attempts=attempts,
        retries=retries,
        evidence=evidence,
        source="pjsip.conf:1",
    )


def auth(name: str, **given: _Values) -> ObjectView:
    """An auth section."""
    options = _options(_AUTH, given)
    return ObjectView(name, (str(given.get("username", "")),), options, "pjsip.conf:20")


def transport(name: str, **given: _Values) -> ObjectView:
    """A transport."""
    options = _options(_TRANSPORT, given)
    by_name = {option.name: option.values[0] for option in options}
    columns = (by_name["protocol"], by_name["cos"], by_name["tos"], by_name["bind"])
    return ObjectView(name, columns, options, "pjsip.conf:30")


def finding(name: str, cause: str = "fine", **more: Any) -> Finding:
    """A finding about a registration.  Any: fields have their own types."""
    values: dict[str, Any] = {
        "status": "Registered",
        "since_at": NOW_AT - 180,
        "ok": cause == "fine",
        "finding": "all is well",
        "steps": (),
        "evidence": (),
        "notes": (),
        "next": Next("refresh", NOW_AT + 60, 60, "refresh in 60 s"),
        "fix": (),
        **more,
    }
    return Finding(name=name, cause=cause, **values)


class FakeRegistrations:
    """`api.registrations.Registrations`."""

    def __init__(self, views: Iterable[RegistrationView], log: list[str]) -> None:
        self.held = {view.row.name: view for view in sorted(views, key=lambda v: v.row.name)}
        self.findings: dict[str, Finding] = {}
        self._log = log

    def names(self) -> Sequence[str]:
        return list(self.held)

    def count(self) -> Mapping[str, int]:
        words = [row.word for row in self.rows() if row.word]
        return {word: words.count(word) for word in set(words)}

    def rows(self) -> Iterator[RegistrationRow]:
        return (view.row for view in self.held.values())

    def row(self, name: str) -> RegistrationRow | None:
        return self.held[name].row if name in self.held else None

    def view(self, name: str) -> RegistrationView | None:
        return self.held.get(name)

    def views(self) -> Iterator[RegistrationView]:
        return iter(self.held.values())

    def finding(self, name: str) -> Finding:
        return self.findings.get(name) or finding(name)

    def refused(self) -> Sequence[str]:
        return ()

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
        return self.finding(name).cause

    def unregister(self, name: str) -> bool:
        return self._send("unregister", name)

    def register(self, name: str) -> bool:
        return self._send("register", name)

    def _send(self, verb: str, name: str) -> bool:
        row = self.row(name)
        if row is None or row.word is None:
            return False
        self._log.append(f"{verb} {name}")
        return True

    def unregister_all(self) -> None:
        self._log.append("unregister all")

    def register_all(self) -> None:
        self._log.append("register all")


@dataclass
class FakeConfiguration:
    """`api.configuration.Configuration`."""

    auth_views: Sequence[ObjectView] = ()
    transport_views: Sequence[ObjectView] = ()
    defined: Mapping[str, str] = field(default_factory=dict)
    found: Sequence[Problem] = ()
    planned: Sequence[Planned] = ()
    raised: PjregError | None = None
    failed: Sequence[str] = ()

    def given_up(self) -> Sequence[str]:
        return self.failed

    def auths(self) -> Sequence[ObjectView]:
        return sorted(self.auth_views, key=lambda view: view.name)

    def auth(self, name: str) -> ObjectView | None:
        return next((view for view in self.auth_views if view.name == name), None)

    def transports(self) -> Sequence[ObjectView]:
        return sorted(self.transport_views, key=lambda view: view.name)

    def transport(self, name: str) -> ObjectView | None:
        return next((view for view in self.transport_views if view.name == name), None)

    def globals(self) -> tuple[Option, ...]:
        return (Option("keep_alive_interval", ("90",)), Option("user_agent", ("pjreg",)))

    def system(self) -> tuple[Option, ...]:
        return (Option("timer_b", ("32000",)), Option("timer_t1", ("500",)))

    def aliases(self) -> Mapping[str, str]:
        return self.defined

    def help(self) -> Sequence[ModuleHelp]:
        option = OptionHelp(
            "retry_interval",
            "Seconds between retries",
            "After a failure.",
            "Unsigned Integer",
            "60",
        )
        section = TypeHelp("registration", "An account at a registrar", "Kept alive.", (option,))
        return (ModuleHelp("res_pjsip_outbound_registration", (section,)),)

    async def problems(self) -> Sequence[Problem]:
        return self.found

    async def plan(self) -> Sequence[Planned]:
        if self.raised:
            raise self.raised
        return self.planned


@dataclass
class FakeTracing:
    """`api.tracing.Tracing`; knows the hosts of 127.0.0.0/8 only."""

    entries: Sequence[HistoryEntry] = ()
    log: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def set_logger(self, on: bool) -> None:
        self.log.append(f"logger {on}")

    def logger_host(self, host: str, add: bool) -> str | None:
        address = host.partition(":")[0]
        self.log.append(f"logger host {host} {add}")
        return address if address.startswith("127.") else None

    def logger_method(self, method: str, add: bool) -> Sequence[str]:
        self.methods = [method, *self.methods] if add else [method]
        return self.methods

    def logger_verbose(self, on: bool) -> None:
        self.log.append(f"logger verbose {on}")

    async def logger_pcap(self, path: str) -> str | None:
        return "Permission denied" if path.startswith("/root") else None

    def set_history(self, on: bool) -> None:
        self.log.append(f"history {on}")

    def clear_history(self) -> None:
        self.entries = ()

    def history(self) -> Sequence[HistoryEntry]:
        return self.entries


@dataclass
class FakeInstance:
    """`api.instance.Instance`, an hour and two minutes old."""

    log: list[str] = field(default_factory=list)
    debug: int = 0
    debug_of: dict[str, int] = field(default_factory=dict)
    live: bool = True
    withheld: str = ""
    failures: tuple[str, ...] = ()
    steps: tuple[Planned, ...] = ()
    module_rows: Sequence[tuple[str, str, int]] = (
        ("res_pjsip.so", "SIP: transports, accounts, global options", 0),
        ("res_pjsip_outbound_registration.so", "Outbound registrations", 0),
    )

    def view(self) -> InstanceView:
        return InstanceView(
            version="1.2.3",
            started_at=NOW_AT - 3723,
            reloaded_at=NOW_AT - 60,
            now_at=NOW_AT,
            config_path="/etc/pjreg-cli/pjsip.conf",
            config_dir="/etc/pjreg-cli",
            socket_path="/run/pjreg-cli/pjreg.ctl",
            pid=4711,
            debug=self.debug,
            manager_enabled=True,
            live=self.live,
            withheld=self.withheld,
        )

    async def reload(self, modules: Sequence[str]) -> Sequence[ReloadReport]:
        self.log.append(" ".join(["reload", *modules]))
        known = {name.removesuffix(".so") for name, _about, _uses in self.module_rows}
        known |= {"manager", "logger"}
        return [
            ReloadReport(
                name,
                known=name == "All" or name.removesuffix(".so") in known,
                failures=self.failures,
                steps=self.steps,
            )
            for name in modules or ("All",)
        ]

    async def change(self, verb: str, name: str, options: Mapping[str, str], who: str) -> None:
        if name == "refused":
            raise PjregError("there is no such option")
        pairs = " ".join(f"{key}={value}" for key, value in options.items())
        self.log.append(f"{verb} {name} {pairs} by {who}".replace("  ", " "))

    def modules(self) -> Sequence[tuple[str, str, int]]:
        return self.module_rows

    def stop(self, how: Stop, restart: bool = False) -> None:
        self.log.append(f"{'restart' if restart else 'stop'} {how.value}")

    def abort_stop(self) -> None:
        self.log.append("abort")

    def set_debug(self, level: int) -> None:
        self.debug = level

    def module_debug(self, module: str) -> int:
        return self.debug_of.get(module, 0)

    def set_module_debug(self, module: str, level: int) -> None:
        self.debug_of[module] = level

    def log_channels(self) -> Sequence[LogChannel]:
        return (
            LogChannel("Console", "Console", "default", True, ("NOTICE", "WARNING", "ERROR")),
            LogChannel("/var/log/pjreg-cli/full", "File", "default", False, ("DEBUG",)),
        )

    def set_log_level(self, level: str, on: bool) -> bool:
        self.log.append(f"level {level} {on}")
        return level != "DTMF"

    def counters(self) -> Sequence[Count]:
        return (
            Count("listener_failures", 0, "notices that a listener could not take"),
            Count("log_lines_lost", 17, "lines that could not be written"),
        )

    async def rotate_logs(self) -> str:
        self.log.append("rotate")
        return ""


@dataclass
class FakeManagers:
    """`api.manager.Managers`."""

    user_rows: Sequence[ManagerUser] = ()
    session_rows: Sequence[ManagerSession] = ()

    def users(self) -> Sequence[ManagerUser]:
        return self.user_rows

    def settings(self) -> Sequence[tuple[str, str]]:
        return (("Manager (AMI):", "Yes"), ("TCP Bindaddress:", "127.0.0.1:5038"))

    def sessions(self) -> Sequence[ManagerSession]:
        return self.session_rows

    def actions(self) -> Sequence[ManagerAction]:
        return (
            ManagerAction("Ping", "", "Say that the line is alive", "Answers Pong."),
            ManagerAction(
                "PJSIPUnregister", "system,reporting", "Take a binding away from its registrar", "."
            ),
        )


class FakeNotices:
    """`api.notices.Notices`."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener, *_kinds: type[Notice]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        return condition()


@dataclass
class Fake:
    """The parts of a port, to be changed and looked at by tests."""

    views: Sequence[RegistrationView] = ()
    configuration: FakeConfiguration = field(default_factory=FakeConfiguration)
    tracing: FakeTracing = field(default_factory=FakeTracing)
    instance: FakeInstance = field(default_factory=FakeInstance)
    managers: FakeManagers = field(default_factory=FakeManagers)
    sent: list[str] = field(default_factory=list)
    """What registrations were told to do, in order."""

    def port(self) -> Api:
        """The port of these parts."""
        return Api(
            registrations=FakeRegistrations(self.views, self.sent),
            configuration=self.configuration,
            tracing=self.tracing,
            instance=self.instance,
            managers=self.managers,
            notices=FakeNotices(),
        )


def settled(word: str, due_s: int, view: RegistrationView) -> RegistrationView:
    """The same registration in another state."""
    return view._replace(row=view.row._replace(word=word, due_s=due_s))
