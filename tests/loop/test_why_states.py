"""Why: the configuration, the operator, time, and what is worth knowing beside a cause."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from pjreg_cli.api.findings import Finding
from pjreg_cli.config.load import load
from pjreg_cli.net.x509 import read_certificate
from pjreg_cli.offline.api import offline_port
from tests.loop.test_why_network import server_context
from tests.support.explaining import World, explain, first_outcome, found, noted, settled
from tests.support.ports import LOOPBACK
from tests.support.registrar import Registrar, Reply, Seen, fail, grant, silence

FILES = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1

[bad-auth]
type = auth
username = alice

[good]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:good@registrar.invalid

[over-tcp]
type = registration
server_uri = sip:registrar.invalid\\;transport=tcp
client_uri = sip:good@registrar.invalid

[unauthorised]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:unauthorised@registrar.invalid
outbound_auth = bad-auth

[lost-auth]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:lost@registrar.invalid
outbound_auth = nowhere

[broken]
type = registration
server_uri = nonsense
client_uri = sip:broken@registrar.invalid

[nobody]
type = registration
server_uri = sip:registrar.invalid
"""


def offline(tmp_path: Path, name: str) -> Finding:
    """What is found where nothing runs."""
    path = tmp_path / "pjsip.conf"
    path.write_text(FILES, "utf-8")
    return offline_port(load(path)).registrations.finding(name)


# -- the configuration ------------------------------------------------------------------------


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    finding = offline(tmp_path, "goof")
    found(finding, "unknown-name", says="there is good", fix="pjreg status")


def test_a_name_that_may_be_in_a_file_that_was_given_up(tmp_path: Path) -> None:
    path = tmp_path / "pjsip.conf"
    path.write_text(f"{FILES}\n[unclosed\ntype = registration\n", "utf-8")
    line = path.read_text("utf-8").splitlines().index("[unclosed") + 1
    finding = offline_port(load(path)).registrations.finding("good")
    found(
        finding,
        "unknown-name",
        says=f"pjsip.conf:{line} was given up: a section's header",
        fix="the file, then",
        where=f"pjsip.conf:{line}",
    )


def test_a_section_that_was_refused(tmp_path: Path) -> None:
    finding = offline(tmp_path, "broken")
    found(finding, "config-refused", says="server_uri", fix="the section", where="pjsip.conf:")


@pytest.mark.parametrize(
    ("name", "option", "line"), [("broken", "server_uri", 34), ("nobody", "client_uri", 37)]
)
def test_the_option_that_a_section_was_refused_for(
    tmp_path: Path, name: str, option: str, line: int
) -> None:
    fix = offline(tmp_path, name).fix[0]
    assert (fix.option, fix.where.rpartition(":")[2]) == (option, str(line))


def test_a_section_that_nothing_leads_from_is_refused(tmp_path: Path) -> None:
    finding = offline(tmp_path, "over-tcp")
    assert (finding.status, finding.cause) == ("Refused", "transport-missing")
    assert finding.fix[0].where.endswith("pjsip.conf:17")


def test_a_transport_that_was_refused_is_to_blame(tmp_path: Path) -> None:
    path = tmp_path / "pjsip.conf"
    secure = "[secure]\ntype = transport\nprotocol = tls\nbind = 127.0.0.1\ncert_file = /none.pem\n"
    over_tls = FILES.replace("transport=tcp", "transport=tls")
    text = f"{over_tls}\n{secure}"
    path.write_text(text, "utf-8")
    line = text[: text.index("cert_file")].count("\n") + 1
    finding = offline_port(load(path)).registrations.finding("over-tcp")
    found(finding, "transport-missing", says="[secure] was refused: ", fix="transport [secure]")
    assert "cert_file: '/none.pem' cannot be read" in finding.finding
    assert (finding.fix[0].option, finding.fix[0].where) == ("cert_file", f"{path}:{line}")


def test_an_auth_section_that_was_refused(tmp_path: Path) -> None:
    finding = offline(tmp_path, "unauthorised")
    found(finding, "auth-section-refused", says="[bad-auth]", fix="[bad-auth]", where="pjsip.conf:")


def test_an_auth_section_that_was_refused_whatever_for(tmp_path: Path) -> None:
    path = tmp_path / "pjsip.conf"
    named = "[keys]\ntype = auth\nusername = alice\nbogus = 1\n"
    text = FILES.replace("= nowhere", "= keys") + named
    path.write_text(text, "utf-8")
    finding = offline_port(load(path)).registrations.finding("lost-auth")
    says = "[keys] was refused: unknown option 'bogus'"
    found(finding, "auth-section-refused", says=says, fix="[keys]", where=str(path))
    assert finding.fix[0].option == "bogus"


def test_an_auth_section_that_is_not_there(tmp_path: Path) -> None:
    finding = offline(tmp_path, "lost-auth")
    found(finding, "auth-section-missing", says="[nowhere]", fix="outbound_auth")
    assert finding.fix[0].where.endswith("pjsip.conf:30")


def test_a_transport_that_is_not_there(tmp_path: Path) -> None:
    found(offline(tmp_path, "over-tcp"), "transport-missing", says="tcp", fix="server_uri")


def test_a_section_that_can_be_used(tmp_path: Path) -> None:
    finding = offline(tmp_path, "good")
    found(finding, "waiting", says="no instance runs", fix=None)
    assert finding.next.action == "nothing"


# -- time -------------------------------------------------------------------------------------


def at_once(prepare: Any, until: Any = None) -> Finding:
    """What is found before anything is answered."""

    async def act(world: World) -> Finding:
        async with world.running():
            return await world.until(until) if until else world.finding()

    return explain(prepare, act)


def test_an_attempt_that_is_still_to_come() -> None:
    finding = at_once(lambda world: None)
    found(finding, "waiting", says="due in 1.0 s", fix=None)
    assert finding.next.action == "retry"


def test_an_attempt_that_has_no_answer_yet() -> None:
    finding = at_once(
        lambda world: world.registrar.script("alice", silence()),
        lambda finding: finding.cause != "waiting",
    )
    found(finding, "under-way", says="waits for an answer from 127.0.0.1:", fix=None)
    assert finding.next.action == "wait"


def test_retries_that_are_used_up() -> None:
    def prepare(world: World) -> None:
        world.registrar.script("alice", fail(500))
        world.options = {"max_retries": 2}

    async def act(world: World) -> Finding:
        async with world.running():
            return await world.until(lambda finding: finding.next.action == "nothing")

    finding = explain(prepare, act)
    found(finding, "retries-used-up", says="all 2 retries", evidence="server-error", fix="operator")
    assert any("max_retries = forever" in fix.text for fix in finding.fix)


# -- the operator -----------------------------------------------------------------------------


def told(answer_to_unregister: Any) -> Finding:
    """What is found after an unregister by command that is answered so."""

    async def act(world: World) -> Finding:
        async with world.running() as engine:
            await world.until(settled)
            world.registrar.script("alice", answer_to_unregister)
            engine.registrations.unregister("alice")
            return await world.until(lambda finding: finding.cause != "fine")

    return explain(act=act)


def test_an_operator_who_wanted_it_so() -> None:
    found(told(grant()), "stopped-by-operator", says="ago", fix="pjsip send register alice")


def test_an_unregister_that_is_refused() -> None:
    finding = told(fail(403))
    found(finding, "unregister-refused", says="403", evidence="403", fix="pjsip send unregister")
    assert "is not repeated" in finding.next.text
    assert any("operator" in fix.text for fix in finding.fix)


# -- notes ------------------------------------------------------------------------------------


def with_note(answer: Any, **options: Any) -> Finding:
    def prepare(world: World) -> None:
        world.registrar.script("alice", answer)
        world.options = options

    return explain(prepare)


def test_a_registrar_that_sees_us_elsewhere() -> None:
    def prepare(world: World) -> None:
        # what a router in between does: Via and Contact name another address than it shows
        world.transports = {"udp": {"external_signaling_address": "192.0.2.33"}}

    async def act(world: World) -> Finding:
        world.registrar.script("alice", received_as(f"{LOOPBACK}:4444"))
        return await first_outcome(world)

    finding = explain(prepare, act)
    found(finding, "fine", ok=True, fix=None)
    noted(finding, "behind-nat", f"{LOOPBACK}:4444")


@pytest.mark.parametrize(("seen", "there"), [("192.0.2.9:4444", True), (f"{LOOPBACK}:4444", False)])
def test_a_registrar_that_sees_our_connections_elsewhere(seen: str, there: bool) -> None:
    def prepare(world: World) -> None:
        world.transports = {"tcp": {}}
        world.options = {"server_uri": f"{world.uri};transport=tcp"}
        # the port of a connection is its own and tells nothing
        world.registrar.script("alice", received_as(seen))

    texts = [note.text for note in explain(prepare).notes if note.cause == "behind-nat"]
    assert any("sees us as 192.0.2.9," in text for text in texts) is there
    assert bool(texts) is there


def received_as(address: str) -> Any:
    """200 whose Via says where the request came from."""
    host, _, port = address.rpartition(":")

    def answer(seen: Seen) -> Reply:
        return Reply(200, via=f";received={host};rport={port}")

    return answer


def test_an_answer_from_another_port() -> None:
    async def act(world: World) -> Finding:
        loop = asyncio.get_running_loop()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
        ):
            front.bind((LOOPBACK, 0))
            back.bind((LOOPBACK, 0))
            front.setblocking(False)

            def answer() -> None:
                data, address = front.recvfrom(4096)
                lines = data.decode("ascii").split("\r\n")
                kept = [one for one in lines if one.split(":")[0] in _KEPT]
                text = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""])
                back.sendto(text.encode("ascii"), address)

            loop.add_reader(front, answer)
            world.options = {"server_uri": f"sip:{LOOPBACK}:{front.getsockname()[1]}"}
            try:
                finding = await first_outcome(world)
            finally:
                loop.remove_reader(front)
            noted(finding, "answer-from-elsewhere", str(back.getsockname()[1]))
            return finding

    found(explain(act=act), "fine", ok=True, fix=None)


_KEPT = ("Via", "From", "To", "Call-ID", "CSeq", "Contact")


def test_two_sections_for_one_account() -> None:
    def prepare(world: World) -> None:
        world.more = {"twin": {"client_uri": f"sip:alice@{LOOPBACK}"}}

    noted(explain(prepare), "same-account-twice", "[twin]")


def test_a_certificate_that_ends_soon(tmp_path: Path) -> None:
    # those of the tests last two days
    context = server_context(tmp_path)

    async def act(world: World) -> Finding:
        async with Registrar.open(context=context) as registrar:
            registrar.script("alice", grant())
            uri = f"sip:{LOOPBACK}:{registrar.port};transport=tls"
            world.transports = {"tls": {}}
            world.options = {"server_uri": uri}
            world.clock = certificate_clock(tmp_path / "registrar.pem")
            return await first_outcome(world)

    finding = explain(act=act)
    found(finding, "fine", ok=True, fix=None)
    noted(finding, "certificate-ends-soon", "CN=registrar")


def certificate_clock(path: Path) -> Any:
    """A clock that stands where a certificate begins."""
    shown = read_certificate(ssl.PEM_cert_to_DER_cert(path.read_text("ascii")))
    assert shown is not None
    return lambda: shown.not_before


def later(world: World, delay_s: float) -> None:
    """The registrar begins to answer so many seconds from now."""

    def speak() -> None:
        world.registrar.silent = False

    asyncio.get_running_loop().call_later(delay_s, speak)


def test_an_answer_only_to_the_second_send() -> None:
    async def act(world: World) -> Finding:
        world.registrar.silent = True

        later(world, 1.3)
        return await first_outcome(world)

    finding = explain(act=act)
    noted(finding, "retransmissions", "2 sends")


def test_an_answer_that_takes_its_time() -> None:
    async def act(world: World) -> Finding:
        world.registrar.silent = True

        later(world, 2.6)
        return await first_outcome(world)

    noted(explain(act=act), "slow", "an answer took")


def test_a_status_that_changes_again_and_again() -> None:
    def prepare(world: World) -> None:
        world.registrar.script("alice", *([grant(20), fail(500)] * 6), grant(3000))
        world.options = {"retry_interval": 5, "max_retries": 100}

    async def flapping(world: World) -> Finding:
        async with world.running():
            return await world.until(
                lambda finding: any(note.cause == "flapping" for note in finding.notes)
            )

    noted(explain(prepare, flapping), "flapping", "within the last hour")
