"""`pjreg explain` as an operator sees it: of an instance, of a configuration alone, as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, Instance, environment, run
from tests.support.ports import free_port
from tests.support.registrar import Registrar, Reply, Seen, protected
from tests.support.terminal import Terminal
from tests.support.waiting import becomes, running_instance, status, until

CONFIGURATION = """\
[tcp]
type = transport
protocol = tcp
bind = 127.0.0.1:{port}

[alice]
type = registration
server_uri = sip:127.0.0.1:{registrar}\\;transport=tcp
client_uri = sip:alice@127.0.0.1
max_random_initial_delay = 0
"""


def seen_when(look: Callable[[], str], reached: Callable[[str], bool]) -> str:
    """What is seen at last, once it is as it should be."""
    found: list[str] = []

    def judged() -> bool:
        found.append(look())
        return reached(found[-1])

    until(judged, "what should be seen")
    return found[-1]


def configuration() -> str:
    """A registrar at which nobody listens."""
    return CONFIGURATION.format(port=free_port(), registrar=free_port())


def test_a_running_instance_tells_why(home: Path) -> None:
    with running_instance(home, configuration()) as instance:
        becomes(instance, "alice", "Rejected", 60)
        done = instance.ask("pjreg explain alice")
        assert done.status == 0
        assert done.out.startswith("alice is Rejected since ")
        assert "\n! failed      refused" in done.out
        assert "\n  next        attempt in " in done.out
        assert "server_uri, if they are wrong, pjsip.conf:8\n" in done.out
        assert max(map(len, done.out.splitlines())) <= 80
        found = json.loads(instance.ask("pjreg explain alice", "--json").out)
        assert found["cause"] == "refused"
        assert found["fix"][0]["option"] == "server_uri"
        assert found["fix"][0]["where"].endswith("pjsip.conf:8")
        rows = json.loads(instance.ask("pjreg status --sort trouble", "--json").out)
        assert [row["cause"] for row in rows] == ["refused"]


def test_the_past_outlives_the_instance(home: Path) -> None:
    for _ in range(2):
        with running_instance(home, configuration()) as instance:
            becomes(instance, "alice", "Rejected", 60)
            found = json.loads(instance.ask("pjreg history alice", "--json").out)
    assert [event["kind"] for event in found["events"]] == ["attempt", "transition"] * 2
    assert {event["cause"] for event in found["events"]} == {"refused"}
    assert found["registered"]["hour"] == 0
    done = run("-C", str(instance.etc), "pjreg", "history", "alice", home=home)
    assert done.out.count(" attempt ") == 2
    assert "Registered 0.0% of the last hour" in done.out
    done = run("-C", str(instance.etc), "pjreg", "explain", "alice", home=home)
    assert "! last known  Rejected at 2" in done.out


def test_a_broken_history_costs_a_warning(home: Path) -> None:
    (home / "state").write_text("no folder", "utf-8")
    configure = configuration()
    (home / "etc").mkdir()
    (home / "etc/pjreg.conf").write_text(f"[general]\nstate_dir = {home}/state\n", "utf-8")
    with running_instance(home, configure) as instance:
        becomes(instance, "alice", "Rejected", 60)
        assert instance.ask("pjreg history alice").status == 0
        instance.says("registrations go on")


#: fails once a second, for ever
RESTLESS = configuration() + "retry_interval = 1\nmax_retries = 1000000\n"


def attempts(instance: Instance) -> int:
    """How many were made."""
    return int(status(instance, "alice")["attempts"])


def newest(instance: Instance) -> str:
    """The last line of the history."""
    return instance.told("pjreg history alice").out.splitlines()[-1]


def told(instance: Instance, what: str) -> int:
    """How many lines of the log say this."""
    return sum(what in line for line in instance.log().splitlines())


def state_file(home: Path) -> Path:
    """Where the history is."""
    (found,) = (home / "state").glob("*.sqlite3")
    return found


def test_a_full_disk_costs_a_warning_until_there_is_room_again(home: Path) -> None:
    with running_instance(home, RESTLESS) as instance:
        until(lambda: " attempt " in instance.told("pjreg history alice").out, "a history")
        last = newest(instance)
        # no file may grow any more
        unlimited = resource.prlimit(instance.pid, resource.RLIMIT_FSIZE)
        size = state_file(home).with_name(state_file(home).name + "-wal").stat().st_size
        assert size > len(instance.log()) + 10_000, "the log still has room"
        resource.prlimit(instance.pid, resource.RLIMIT_FSIZE, (size, unlimited[1]))
        until(lambda: told(instance, "registrations go on") == 1, "a warning")
        made = attempts(instance)
        until(lambda: attempts(instance) >= made + 3, "more attempts")
        assert told(instance, "registrations go on") == 1
        assert newest(instance) >= last
        resource.prlimit(instance.pid, resource.RLIMIT_FSIZE, unlimited)
        until(lambda: told(instance, "is written again; 0 lines were lost") == 1, "room", 60)
        found = json.loads(instance.ask("pjreg history alice", "--json").out)["events"]
        assert sum(event["kind"] == "attempt" for event in found) >= min(made, 50)


def emptied(path: Path) -> None:
    """Nothing is in it any more."""
    path.write_bytes(b"")


def removed(path: Path) -> None:
    """Its folder is gone."""
    shutil.rmtree(path.parent)


def replaced(path: Path) -> None:
    """Another file has its name, and it is no database."""
    other = path.with_name("other")
    other.write_bytes(b"nothing of the kind" * 1000)
    other.replace(path)


@pytest.mark.parametrize("break_it", [emptied, removed, replaced])
def test_a_file_that_is_taken_away_costs_a_warning(
    home: Path, break_it: Callable[[Path], None]
) -> None:
    with running_instance(home, RESTLESS) as instance:
        until(lambda: " attempt " in instance.told("pjreg history alice").out, "a history")
        break_it(state_file(home))
        until(lambda: told(instance, "a new one is begun; registrations go on") == 1, "a warning")
        until(lambda: told(instance, "is written again") == 1, "a new file")
        last = newest(instance)
        until(lambda: newest(instance) > last, "the history goes on")
        assert told(instance, "registrations go on") == 1
    done = run("-C", str(instance.etc), "pjreg", "history", "alice", home=home)
    assert " attempt " in done.out, "it is there for who comes later"


def test_the_last_exchange_as_a_ladder(home: Path) -> None:
    with running_instance(home, configuration()) as instance:
        becomes(instance, "alice", "Rejected", 60)
        done = instance.ask("pjreg ladder alice full")
        assert "- REGISTER -" in done.out
        assert "x  refused|" in done.out
        assert "    Via: SIP/2.0/TCP 127.0.0.1:" in done.out
        found = json.loads(instance.ask("pjreg ladder alice 1", "--json").out)
        assert found["requests"][0]["trouble"] == "refused"
        assert instance.ask("pjreg ladder nobody").status == 1


def test_a_file_that_was_given_up_is_no_good_health(home: Path) -> None:
    broken = f"{configuration()}\n[unclosed\n"
    line = broken[: broken.index("[unclosed")].count("\n") + 1
    why = f"given up: pjsip.conf:{line}: a section's header has no closing ']'"
    with running_instance(home, broken) as instance:
        done = run("-s", str(instance.socket), "health", home=home)
        assert done.status == 2
        assert done.out.startswith(
            f"REGISTRATIONS CRITICAL - 0 of 0 registered; {why}; no registration"
        )
        assert instance.ask("pjreg status").out == f"No objects found.\n\n{why}\n"
        found = json.loads(instance.ask("pjreg explain alice", "--json").out)
        assert found["fix"][0]["where"].endswith(f"pjsip.conf:{line}")
        instance.configure(configuration())
        assert instance.ask("pjreg reload").status == 0
        becomes(instance, "alice", "Rejected", 60)
        assert "given up" not in instance.ask("pjreg health").out
        # what is in force stays, and yet somebody must mend the file
        instance.configure(broken)
        instance.ask("pjreg reload")
        assert why in instance.ask("pjreg health").out
        assert instance.ask("pjreg status").out.endswith(f"\n1 registration\n{why}\n")


def test_monitoring_plug_ins_end_as_their_line_says(home: Path) -> None:
    with running_instance(home, configuration()) as instance:
        becomes(instance, "alice", "Rejected", 60)

        def health(*words: str) -> tuple[int, str]:
            done = run("-s", str(instance.socket), "health", *words, home=home)
            return done.status, done.out

        status, line = health()
        assert status == 2
        assert line.startswith(
            "REGISTRATIONS CRITICAL - 0 of 1 registered; alice Rejected (refused)"
        )
        assert line.endswith(" | registered=0;;;0;1 rejected=1 unregistered=0 stopped=0\n")
        assert health("--min-registered", "0")[0] == 0
        assert health("nobody")[0] == 3
        status, text = health("--json")
        assert (status, json.loads(text)["level"]) == (2, "CRITICAL")
    status, line = health()
    assert status == 2
    assert "no instance answers" in line


def test_sections_that_were_refused_are_missed(home: Path) -> None:
    registrar = free_port()
    broken = "\n[broken]\ntype = registration\nserver_uri = sip:registrar.invalid\n"

    async def served(body: Callable[[], None]) -> None:
        async with Registrar.open(port=registrar):
            await asyncio.to_thread(body)

    def judge() -> None:
        with running_instance(home, text + broken) as instance:
            becomes(instance, "alice", "Registered")
            done = run("-s", str(instance.socket), "health", home=home)
            assert done.status == 1
            told = "WARNING - 1 of 1 registered; 1 refused (config-refused): broken | registered=1"
            assert told in done.out
            assert run("-s", str(instance.socket), "health", "alice", home=home).status == 0
            enough = run("-s", str(instance.socket), "health", "--min-registered", "90", home=home)
            assert (enough.status, "refused" in enough.out) == (0, True)
            listed = instance.ask("pjreg status").out
            assert listed.endswith("\n1 registration, 1 refused: broken\n")
            assert "refused" not in instance.ask("pjreg status like alice").out
            instance.configure(text)
            assert instance.ask("pjreg reload").status == 0
            assert run("-s", str(instance.socket), "health", home=home).status == 0

    text = CONFIGURATION.format(port=free_port(), registrar=registrar)
    asyncio.run(served(judge))


def test_a_probe_needs_no_instance_and_takes_its_binding_off(home: Path) -> None:
    registrar = free_port()
    (home / "pjsip.conf").write_text(
        CONFIGURATION.format(port=free_port(), registrar=registrar), "utf-8"
    )
    served: list[tuple[str, int]] = []

    async def probe(*words: str) -> tuple[int, str]:
        async with Registrar.open(port=registrar) as other:
            other.script("alice", protected("secret"))
            done = await asyncio.to_thread(run, "-C", str(home), "probe", *words, home=home)
            served.extend((seen.peer[0], seen.expires_s) for seen in other.seen)
            return done.status, done.out

    status, out = asyncio.run(probe("alice"))
    assert status == 1
    assert "and no outbound_auth is configured" in " ".join(out.split())
    secret = home / "secret"
    secret.write_text("secret\n", "utf-8")
    uri = f"sip:alice@127.0.0.1:{registrar}"
    status, out = asyncio.run(probe("--uri", uri, "--password-file", str(secret)))
    assert status == 0, out
    assert out.startswith("probe is Registered")
    assert "secret" not in out.replace(str(secret), "")
    assert served[-1][1] == 0, "unregistered afterwards"
    assert "next        nothing: a probe takes its binding off again" in out
    status, out = asyncio.run(probe("alcie"))
    assert status == 1
    assert "there is alice" in out
    done = run("probe", "--uri", "nonsense", home=home)
    assert done.status == 2


def test_a_probe_of_a_uri_speaks_of_the_command_line(home: Path) -> None:
    registrar = free_port()
    uri = f"sip:alice@127.0.0.1:{registrar}"
    wrong = home / "wrong"
    wrong.write_text("guessed", "utf-8")

    async def probe(*words: str) -> str:
        async with Registrar.open(port=registrar) as other:
            other.script("alice", protected("secret"))
            done = await asyncio.to_thread(run, "probe", "--uri", *words, home=home)
            assert done.status == 1
            return " ".join(done.out.split())

    out = asyncio.run(probe(uri))
    assert "no --password-file is given" in out
    assert "an address in --uri" in out
    assert out.endswith("fix --password-file FILE")
    out = asyncio.run(probe(uri, "--password-file", str(wrong)))
    assert 'does not accept the password, user "alice"' in out
    assert out.endswith(
        "fix the password in --password-file or --user, if that is not the account's"
    )
    missing = home / "missing"
    done = run("probe", "--uri", uri, "--password-file", str(missing), home=home)
    assert f"--password-file {missing}: No such file or directory (" in done.err


def test_a_probe_that_takes_long_says_what_it_waits_for(home: Path) -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", port))
        words = [*PROGRAM, "probe", "--uri", f"sip:alice@127.0.0.1:{port}"]
        with Terminal(words, environment=environment(home)) as terminal:
            terminal.until("probe: REGISTER sent 1 s ago, ")
            terminal.type("\x03")
            assert terminal.ends() == 130


def test_a_probe_is_another_device_than_the_instance_that_runs(home: Path) -> None:
    registrar = free_port()
    text = CONFIGURATION.format(port=free_port(), registrar=registrar)
    params = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"\\;reg-id=1'
    (home / "pjsip.conf").write_text(f"{text}contact_header_params = {params}\n", "utf-8")

    async def probed() -> list[str]:
        async with Registrar.open(port=registrar) as other:
            done = await asyncio.to_thread(run, "-C", str(home), "probe", "alice", home=home)
            assert done.status == 0, done
            return [seen.header("contact") for seen in other.seen]

    offered, gone = asyncio.run(probed())
    assert '+sip.instance="<urn:uuid:' in offered
    assert "000A95A0E128" not in offered + gone
    assert offered.partition(";reg-id")[1]
    assert offered.partition(">;")[0] == gone.partition(">;")[0], "the same is taken off"


def closing(seen: Seen) -> Reply:
    """Grants, and hangs up."""
    return Reply(200, (("Contact", f"{seen.header('contact')};expires=600"),), close=True)


def test_a_registrar_that_hangs_up_after_each_answer(home: Path) -> None:
    registrar, steady = free_port(), free_port()

    async def served(body: Callable[[], None]) -> None:
        async with (
            Registrar.open(port=registrar) as other,
            Registrar.open(port=steady),
        ):
            other.script("alice", closing)
            await asyncio.to_thread(body)

    def judge() -> None:
        with running_instance(home, text) as instance:
            explained = seen_when(
                lambda: instance.told("pjreg explain alice").out,
                lambda out: "closes the connection each time" in " ".join(out.split()),
            )
            assert explained.startswith("alice is Registered since ")
            assert "connections must stay open for calls to" in explained
            rows = json.loads(instance.ask("pjreg status --sort trouble", "--json").out)
            assert [row["name"] for row in rows] == ["alice", "a-steady-one"]
            assert rows[0]["cause"] == "closes-after-answer"
            assert (rows[0]["retries"], rows[0]["max_retries"]) == (0, 10)
            foremost = json.loads(instance.ask("pjreg watch --data").out)["rows"]
            assert [row["name"] for row in foremost] == ["alice", "a-steady-one"]

    text = CONFIGURATION.format(port=free_port(), registrar=registrar)
    text += (
        CONFIGURATION[CONFIGURATION.index("[alice]") :]
        .format(registrar=steady)
        .replace("[alice]", "[a-steady-one]")
    )
    asyncio.run(served(judge))


def test_the_full_ladder_is_that_of_the_last_exchange(home: Path) -> None:
    registrar = free_port()

    async def served(body: Callable[[], None]) -> None:
        async with Registrar.open(port=registrar):
            await asyncio.to_thread(body)

    def judge() -> None:
        with running_instance(home, text) as instance:
            becomes(instance, "alice", "Registered")
            first = instance.ask("pjreg ladder alice full").out
            assert (first.count(">>>"), first.count("<<<")) == (1, 1)
            instance.ask("pjsip send register alice")
            # first it is taken off, then made anew
            again = seen_when(
                lambda: instance.told("pjreg ladder alice full").out,
                lambda out: out[:100] != first[:100] and "Expires: 0" not in out,
            )
            assert (again.count(">>>"), again.count("<<<")) == (1, 1)

    text = CONFIGURATION.format(port=free_port(), registrar=registrar)
    asyncio.run(served(judge))


def test_without_an_instance_the_configuration_is_judged(home: Path) -> None:
    (home / "pjsip.conf").write_text(configuration(), "utf-8")
    done = run("-C", str(home), "pjreg", "explain", "alice", home=home)
    assert done.status == 0
    assert done.out.startswith("alice is Unregistered: no instance runs")
    done = run("-C", str(home), "pjreg", "explain", "alcie", home=home)
    assert done.status == 1
    assert "there is no registration of this name; there is alice" in " ".join(done.out.split())
