"""An instance for the manager interface: registrations that settle when they are told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pjreg_cli.api.configuration import ObjectView, Option
from pjreg_cli.api.instance import InstanceView, ReloadReport
from pjreg_cli.api.manager import Managers
from pjreg_cli.api.notices import Listener, Notice, Settled
from pjreg_cli.api.port import Api
from pjreg_cli.api.registrations import Evidence, RegistrationRow, RegistrationView
from pjreg_cli.errors import PjregError

MODULES = ("res_pjsip.so", "res_pjsip_outbound_registration.so")


def options(name: str, auths: tuple[str, ...] = (), **changed: str) -> tuple[Option, ...]:
    """The options of a registration as an instance shows them."""
    values = {
        "auth_rejection_permanent": "true",
        "client_uri": f"sip:{name}@127.0.0.1",
        "contact_header_params": "",
        "contact_user": "",
        "endpoint": "",
        "expiration": "3600",
        "fatal_retry_interval": "0",
        "forbidden_retry_interval": "0",
        "line": "false",
        "max_random_initial_delay": "0",
        "max_retries": "10",
        "outbound_proxy": "",
        "retry_interval": "60",
        "security_negotiation": "no",
        "server_uri": "sip:127.0.0.1:5060",
        "support_outbound": "no",
        "support_path": "false",
        "transport": "",
        "user_agent": "",
    } | changed
    return (
        *(Option(key, (value,)) for key, value in values.items()),
        Option("outbound_auth", auths),
    )


def view(
    name: str,
    word: str | None = "Registered",
    auths: tuple[str, ...] = (),
    next_attempt_s: int = 3590,
    **changed: str,
) -> RegistrationView:
    """One registration in full."""
    return RegistrationView(
        row=RegistrationRow(name, "sip:127.0.0.1:5060", auths[0] if auths else "", word, 3590),
        client_uri=f"sip:{name}@127.0.0.1",
        options=options(name, auths, **changed),
        auths=auths,
        next_attempt_s=next_attempt_s,
        attempts=1,
        retries=0,
        evidence=None,
        source="pjsip.conf:1",
    )


def auth_view(name: str, username: str = "u", **changed: str) -> ObjectView:
    """An auth section with its secrets masked."""
    values = {
        "auth_type": "userpass",
        "md5_cred": "",
        "nonce_lifetime": "32",
        "oauth_clientid": "",
        "oauth_secret": "",
        "password": "********",
        "password_digest": "",
        "realm": "",
        "refresh_token": "",
        "supported_algorithms_uac": "MD5",
        "supported_algorithms_uas": "MD5",
        "username": username,
    } | changed
    return ObjectView(
        name=name,
        columns=(username,),
        options=tuple(Option(key, (value,)) for key, value in values.items()),
        source="pjsip.conf:9",
    )


def settled(name: str = "alice", word: str = "Registered", **changed: Any) -> Settled:
    """The end of an attempt; `changed` are fields of it or, with `evidence_`, of its evidence."""
    evidence = Evidence(
        at=1000.0,
        method="register",
        code=200,
        reason="OK",
        cause="answered",
        rule="granted",
        target="udp:127.0.0.1:5060",
        received="",
        granted_s=3600,
    )
    notice = Settled(
        name=name,
        client_uri=f"sip:{name}@127.0.0.1",
        server_uri="sip:127.0.0.1:5060",
        word=word,
        old_word="Unregistered",
        evidence=evidence,
        attempts=1,
        next_attempt_s=3590,
    )
    facts = {key[9:]: value for key, value in changed.items() if key.startswith("evidence_")}
    others = {key: value for key, value in changed.items() if not key.startswith("evidence_")}
    return notice._replace(evidence=evidence._replace(**facts), **others)


@dataclass
class Registrations:
    """Registrations by name; what is asked of them is kept in `asked`."""

    found: dict[str, RegistrationView] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tell: Callable[[Notice], None] = lambda _notice: None

    def names(self) -> Sequence[str]:
        return sorted(self.found)

    def count(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for each in self.found.values():
            if each.row.word is not None:
                counts[each.row.word] = counts.get(each.row.word, 0) + 1
        return counts

    def rows(self) -> Iterable[RegistrationRow]:
        return [self.found[name].row for name in self.names()]

    def row(self, name: str) -> RegistrationRow | None:
        found = self.found.get(name)
        return found.row if found else None

    def view(self, name: str) -> RegistrationView | None:
        return self.found.get(name)

    def views(self) -> Iterator[RegistrationView]:
        return (self.found[name] for name in self.names())

    def _ask(self, verb: str, name: str, *words: str) -> bool:
        self.asked.append(f"{verb} {name}")
        if name not in self.found or self.found[name].row.word is None:
            return False
        for word in words:
            self.tell(settled(name, word))
        return True

    def unregister(self, name: str) -> bool:
        return self._ask("unregister", name, "Unregistered")

    def register(self, name: str) -> bool:
        return self._ask("register", name, "Unregistered", "Registered")

    def unregister_all(self) -> None:
        self.asked.append("unregister *all")

    def register_all(self) -> None:
        self.asked.append("register *all")


@dataclass
class Configuration:
    """Auth sections by name."""

    sections: dict[str, ObjectView] = field(default_factory=dict)

    def auths(self) -> Sequence[ObjectView]:
        return [self.sections[name] for name in sorted(self.sections)]

    def auth(self, name: str) -> ObjectView | None:
        return self.sections.get(name)

    def aliases(self) -> Mapping[str, str]:
        return {}


@dataclass
class Instance:
    """A program that started at 1000 and reloads what it is told."""

    reloads: list[tuple[str, ...]] = field(default_factory=list)
    failures: tuple[str, ...] = ()
    changes: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)

    def view(self) -> InstanceView:
        return InstanceView(
            version="9.9",
            started_at=1000.0,
            reloaded_at=1100.0,
            now_at=1200.0,
            config_path="/etc/pjreg-cli/pjsip.conf",
            config_dir="/etc/pjreg-cli",
            socket_path="/run/pjreg.ctl",
            pid=1,
            debug=0,
            manager_enabled=True,
            live=True,
        )

    def reload(self, modules: Sequence[str]) -> Awaitable[Sequence[ReloadReport]]:
        self.reloads.append(tuple(modules))
        known = {name.removesuffix(".so") for name in MODULES}

        async def answer() -> Sequence[ReloadReport]:
            return [
                ReloadReport(
                    name, name == "All" or name.removesuffix(".so") in known, self.failures
                )
                for name in modules or ("All",)
            ]

        return answer()

    async def rotate_logs(self) -> str:
        return ""

    async def change(self, verb: str, name: str, options: Mapping[str, str], who: str) -> None:
        if name == "refused":
            raise PjregError("there is no such option")
        self.changes.append((verb, name, dict(options), who))

    def modules(self) -> Sequence[tuple[str, str, int]]:
        return [(name, name, 0) for name in MODULES]


class Notices:
    """Tells whoever listens."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener, *_kinds: type[Notice]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        return condition()

    def tell(self, notice: Notice) -> None:
        for listener in tuple(self.listeners):
            listener(notice)


class FakeInstance:
    """All of the above as a port."""

    def __init__(self, *views: RegistrationView, auths: Iterable[ObjectView] = ()) -> None:
        self.notices = Notices()
        self.registrations = Registrations(
            {each.row.name: each for each in views}, tell=self.notices.tell
        )
        self.configuration = Configuration({each.name: each for each in auths})
        self.instance = Instance()
        self.managers: Managers | None = None

    def port(self) -> Api:
        """The port; what no test asks for is missing from it."""
        # the fakes have only what the manager interface uses, so their types do not fit
        parts = cast(Any, self)
        return Api(
            registrations=parts.registrations,
            configuration=parts.configuration,
            tracing=cast(Any, None),
            instance=parts.instance,
            managers=parts.managers,
            notices=parts.notices,
        )
