"""A real registrar, Debian's kamailio, keeps our bindings; it is asked itself which ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificates import Certificate, self_signed
from tests.support.instance import PATIENCE_S, Instance
from tests.support.kamailio import REALM, Kamailio, require_kamailio, running
from tests.support.ports import LOOPBACK, free_port

PASSWORD = "s3cret"


@pytest.fixture(autouse=True)
def _kamailio() -> None:
    require_kamailio()


@pytest.fixture
def certificate(home: Path) -> Certificate:
    """The registrar's, made out to its address."""
    return self_signed(home, "registrar", f"IP:{LOOPBACK}")


def registration(
    user: str, port: int, *, expiration: int = 60, scheme: str = "sip", more: str = ""
) -> str:
    """A registration section called like its user."""
    return f"""
[{user}]
type=registration
server_uri={scheme}:{LOOPBACK}:{port}{more}
client_uri={scheme}:{user}@{LOOPBACK}
contact_user={user}
outbound_auth=auth
expiration={expiration}
max_random_initial_delay=0
retry_interval=1
"""


def auth(username: str = "alice", password: str = PASSWORD, algorithm: str = "MD5") -> str:
    """The auth section that `registration` names."""
    return f"""
[auth]
type=auth
auth_type=userpass
username={username}
password={password}
realm={REALM}
supported_algorithms_uac={algorithm}
"""


def transport(protocol: str, port: int, more: str = "") -> str:
    """A transport section called like its protocol."""
    return f"""
[{protocol}]
type=transport
protocol={protocol}
bind={LOOPBACK}:{port}
{more}
"""


@contextmanager
def running_instance(home: Path, configuration: str) -> Iterator[Instance]:
    """An instance with this pjsip.conf, ended with it."""
    instance = Instance(home, configuration)
    instance.start()
    try:
        yield instance
    finally:
        instance.stop()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until `condition` holds; fails with `what` when it never does."""
    end = time.monotonic() + PATIENCE_S  # noqa: TID251 -- other processes have no manual clock
    while not condition():
        assert time.monotonic() < end, f"never came true: {what}"  # noqa: TID251
        time.sleep(0.05)


def becomes(instance: Instance, user: str, status: str) -> None:
    """Wait until the table shows this status for the registration of `user`."""
    row = re.compile(rf"^ {user}/.*\b{status}\b", re.MULTILINE)
    until(
        lambda: row.search(instance.told("pjsip show registrations").out) is not None,
        f"{user} {status}",
    )


def users_of(registrar: Kamailio) -> list[str]:
    """Whose bindings the registrar holds."""
    return sorted(binding.user for binding in registrar.bindings())


def settled(registrar: Kamailio, instance: Instance, *users: str) -> None:
    """Wait until exactly these users are registered, on both sides."""
    until(lambda: users_of(registrar) == sorted(users), f"bindings of {users}")
    for user in users:
        becomes(instance, user, "Registered")


# -- UDP and TCP ------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_registered_refreshed_unregistered(home: Path, protocol: str) -> None:
    port = free_port()
    with running(Kamailio(home, {"alice": PASSWORD})) as registrar:
        more = r"\;transport=tcp" if protocol == "tcp" else ""
        configuration = (
            transport(protocol, port)
            + registration("alice", registrar.port, expiration=12, more=more)
            + auth()
        )
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")
            [first] = registrar.bindings()
            contact = f"sip:alice@{LOOPBACK}:{port}"
            assert first.contact == contact + (";transport=TCP" if more else "")
            assert 0 < first.expires_s <= 12
            # 12 s were granted: the refresh comes 10 s before their end
            until(lambda: registrar.bindings()[0].cseq > first.cseq, "refresh")
            [refreshed] = registrar.bindings()
            assert (refreshed.contact, refreshed.call_id) == (first.contact, first.call_id)
            assert instance.ask("pjsip send unregister alice").out == ""
            # the table says so at once, the registrar when it has been told
            becomes(instance, "alice", "Unregistered")
            until(lambda: registrar.bindings() == [], "the binding is gone")
            assert instance.ask("pjsip send register alice").out == ""
            settled(registrar, instance, "alice")
            assert registrar.bindings()[0].call_id == first.call_id


def test_sha_256_where_the_registrar_asks_for_it(home: Path) -> None:
    registrar = Kamailio(home, {"alice": PASSWORD}, algorithm="SHA-256")
    with running(registrar):
        configuration = (
            transport("udp", free_port())
            + registration("alice", registrar.port)
            + auth(algorithm="SHA-256")
        )
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")


def test_wrong_password_and_unknown_user_are_rejected(home: Path) -> None:
    registrar = Kamailio(home, {"alice": PASSWORD, "bob": "other"})
    with running(registrar):
        configuration = (
            transport("udp", free_port())
            + "".join(registration(user, registrar.port) for user in ("alice", "bob", "nobody"))
            + auth()
        )
        with running_instance(home, configuration) as instance:
            becomes(instance, "alice", "Registered")
            becomes(instance, "bob", "Rejected")
            becomes(instance, "nobody", "Rejected")
            assert users_of(registrar) == ["alice"]
        assert PASSWORD not in instance.log()


def test_stopped_gracefully_leaves_nothing_behind(home: Path) -> None:
    with running(Kamailio(home, {"alice": PASSWORD})) as registrar:
        configuration = (
            transport("udp", free_port()) + registration("alice", registrar.port) + auth()
        )
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")
            instance.ask("core stop gracefully")
            assert instance.wait() == 0
            assert registrar.bindings() == []


def test_terminated_leaves_the_binding(home: Path) -> None:
    with running(Kamailio(home, {"alice": PASSWORD})) as registrar:
        configuration = (
            transport("udp", free_port()) + registration("alice", registrar.port) + auth()
        )
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")
            instance.stop()
        assert users_of(registrar) == ["alice"]


def test_restarted_registrar_over_udp_learns_of_us_at_the_next_refresh(home: Path) -> None:
    with running(Kamailio(home, {"alice": PASSWORD})) as registrar:
        configuration = (
            transport("udp", free_port())
            + registration("alice", registrar.port, expiration=13)
            + auth()
        )
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")
            registrar.restart()
            assert registrar.bindings() == []
            settled(registrar, instance, "alice")


def test_registrar_that_comes_up_late_is_found(home: Path) -> None:
    registrar = Kamailio(home, {"alice": PASSWORD})
    configuration = (
        transport("tcp", free_port())
        + registration("alice", registrar.port, more=r"\;transport=tcp")
        + auth()
    )
    with running_instance(home, configuration) as instance:
        becomes(instance, "alice", "Rejected")
        with running(registrar):
            settled(registrar, instance, "alice")


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_restarted_registrar_over_a_stream_is_registered_with_at_once(
    home: Path, certificate: Certificate, protocol: str
) -> None:
    registrar = Kamailio(home, {"alice": PASSWORD}, certificate=certificate)
    with running(registrar):
        port = registrar.tls_port if protocol == "tls" else registrar.port
        configuration = (
            transport(protocol, free_port())
            # nothing is due for an hour: only the lost connection can bring it back
            + registration("alice", port, expiration=3600, more=rf"\;transport={protocol}")
            + auth()
        )
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")
            registrar.restart()
            settled(registrar, instance, "alice")


# -- TLS --------------------------------------------------------------------------------------


def tls_configuration(registrar: Kamailio, verify: str) -> str:
    """Over TLS; `verify` are the lines that say whether the registrar must prove who it is."""
    return (
        transport("tls", free_port(), f"method=tlsv1_2\n{verify}")
        + registration("alice", registrar.tls_port, expiration=12, scheme="sips")
        + auth()
    )


def trusting(authority: Path) -> str:
    """Who is not vouched for by this authority is not believed."""
    return f"verify_server=yes\nca_list_file={authority}"


def test_registered_refreshed_unregistered_over_tls(home: Path, certificate: Certificate) -> None:
    registrar = Kamailio(home, {"alice": PASSWORD}, certificate=certificate)
    with running(registrar):
        configuration = tls_configuration(registrar, trusting(certificate.certificate))
        with running_instance(home, configuration) as instance:
            settled(registrar, instance, "alice")
            [first] = registrar.bindings()
            assert first.contact.startswith(f"sips:alice@{LOOPBACK}:")
            assert first.contact.endswith(";transport=TLS")
            until(lambda: registrar.bindings()[0].cseq > first.cseq, "refresh")
            instance.ask("pjsip send unregister alice")
            # the table says so at once, the registrar when it has been told
            becomes(instance, "alice", "Unregistered")
            until(lambda: registrar.bindings() == [], "the binding is gone")


def rejected_over_tls(registrar: Kamailio, home: Path, authority: Path) -> None:
    """The registrar is not believed: rejected, and no REGISTER is ever seen."""
    with (
        running(registrar),
        running_instance(home, tls_configuration(registrar, trusting(authority))) as instance,
    ):
        becomes(instance, "alice", "Rejected")
        assert registrar.bindings() == []


def test_certificate_nobody_vouches_for_is_not_believed(
    home: Path, certificate: Certificate
) -> None:
    stranger = self_signed(home, "stranger", f"IP:{LOOPBACK}")
    registrar = Kamailio(home, {"alice": PASSWORD}, certificate=certificate)
    rejected_over_tls(registrar, home, stranger.certificate)


def test_certificate_of_another_host_is_not_believed(home: Path) -> None:
    other = self_signed(home, "other", "DNS:other.example")
    registrar = Kamailio(home, {"alice": PASSWORD}, certificate=other)
    rejected_over_tls(registrar, home, other.certificate)


def test_any_certificate_will_do_where_none_is_verified(home: Path) -> None:
    other = self_signed(home, "other", "DNS:other.example")
    registrar = Kamailio(home, {"alice": PASSWORD}, certificate=other)
    with (
        running(registrar),
        running_instance(home, tls_configuration(registrar, "verify_server=no")) as instance,
    ):
        settled(registrar, instance, "alice")
