"""pjreg_cli/control: server, console client, one-shot client and claim, on real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pjreg_cli import remote
from pjreg_cli.api.notices import Stopping, Traced
from pjreg_cli.api.registrations import RegistrationView
from pjreg_cli.config.permissions import Permissions
from pjreg_cli.control import protocol
from pjreg_cli.control.claim import Claim, SocketTakenError
from pjreg_cli.control.client import ControlClient, Counts, Gone, LogLine, Pushed, connect
from pjreg_cli.control.connection import LogListener
from pjreg_cli.control.server import ControlServer
from pjreg_cli.counters import Counters
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.hurry import HURRY, SHORT_S
from tests.support.ami_port import FakeInstance, settled, view
from tests.support.instance import short_folder
from tests.unit.commands.test_cluster import Fleet

SHOW = "pjsip show registrations"


class Feed:
    """Log lines on demand."""

    def __init__(self) -> None:
        self.listeners: list[LogListener] = []
        self.wanted: list[int] = []

    def subscribe(self, listener: LogListener, most: int) -> Callable[[], None]:
        self.wanted.append(most)
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def say(self, text: str, level: str = "NOTICE", verbosity: int = 0) -> None:
        for listener in tuple(self.listeners):
            listener(level, text, verbosity)


class Served:
    """An instance behind a control socket."""

    def __init__(self, path: Path, *views: RegistrationView) -> None:
        self.path = str(path)
        self.fake = FakeInstance(*views)
        self.feed = Feed()
        self.claim = Claim.take(path)
        self.counters = Counters()
        self.server = ControlServer(
            self.fake.port(),
            self.feed,
            lambda: True,
            Permissions,
            spawn=spawn,
            counters=self.counters,
        )

    def counted(self, name: str) -> int:
        return {one.name: one.value for one in self.counters.counts()}[name]

    async def open(self) -> None:
        await self.server.start(self.claim.listen())

    async def close(self, within_s: float = 1.0) -> None:
        await self.server.close(within_s)
        self.claim.release()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where sockets may be."""
    with short_folder() as path:
        yield path


@pytest.fixture
async def served(folder: Path) -> AsyncIterator[Served]:
    """Two registrations."""
    one = Served(folder / "ctl", view("alice"), view("bob", word="Rejected"))
    await one.open()
    yield one
    await one.close()


@asynccontextmanager
async def attached(served: Served, verbose: int = 0) -> AsyncIterator[ControlClient]:
    """A remote console's client."""
    client = await connect(served.path, verbose=verbose)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def spoken_to(
    served: Served,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection for frames of the test's own making."""
    reader, writer = await asyncio.open_unix_connection(served.path)
    try:
        yield reader, writer
    finally:
        writer.close()


async def output(client: ControlClient, line: str) -> tuple[str, bool]:
    execution = client.execute(line)
    text = "".join([piece async for piece in execution])
    return text, execution.ok


async def test_who_asks_has_the_turns_of_the_loop_made_short(served: Served) -> None:
    now = asyncio.get_running_loop().time
    HURRY.asked(now() - 60)
    assert HURRY.turn_s(1.0, now()) == 1.0
    async with spoken_to(served) as (_, writer):
        await until(lambda: HURRY.turn_s(1.0, now()) <= SHORT_S)
        HURRY.asked(now() - 60)
        writer.write(protocol.frame(protocol.EXECUTE, b"core show version"))
        await until(lambda: HURRY.turn_s(1.0, now()) <= SHORT_S)


async def until(reached: Callable[[], object]) -> None:
    """Wait for something that is on its way."""
    async with asyncio.timeout(60):
        while not reached():  # noqa: ASYNC110 -- of what others do there is no event
            await asyncio.sleep(0.002)


def one_shot(served: Served, *lines: str) -> Awaitable[tuple[int, bytes]]:
    """`remote.ask` in a thread: it blocks."""

    def ask() -> tuple[int, bytes]:
        shown: list[bytes] = []
        status = remote.ask(served.path, lines, remote.hello(), shown.append)
        return status, b"".join(shown)

    return asyncio.to_thread(ask)


# -- one-shots --------------------------------------------------------------------------------


async def test_what_breaks_off_fails_behind_what_came_before(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(folder / "ctl")
    fleet = Fleet()
    fleet.broken = "after the first page"
    with_fleet = served.fake.port()._replace(cluster=fleet)
    monkeypatch.setattr(served.server, "_port", with_fleet)
    await served.open()
    try:
        status, text = await one_shot(served, "pjreg cluster show registrations")
        assert status == 1
        assert b"alice/" in text
        assert b"it went away" not in text
        assert "cannot be asked any more: it went away" in capsys.readouterr().err
        async with attached(served) as client:
            told, ok = await output(client, "pjreg cluster show registrations")
            assert not ok
            assert told.endswith("The fleet cannot be asked any more: it went away\n")
    finally:
        await served.close()


async def test_one_shot_gets_output_and_status(served: Served) -> None:
    status, text = await one_shot(served, SHOW)
    assert status == 0
    assert b"alice/" in text
    assert b"Objects found: 2" in text


async def test_commands_over_one_connection_are_answered_in_order(served: Served) -> None:
    status, text = await one_shot(served, "bogus", SHOW, "pjsip send unregister alice")
    assert status == 1
    assert text.index(b"No such command 'bogus'") < text.index(b"Objects found: 2")
    assert served.fake.registrations.asked == ["unregister alice"]


async def test_one_shot_and_console_know_different_commands(served: Served) -> None:
    assert (await one_shot(served, "quit"))[0] == 1
    async with attached(served) as client:
        execution = client.execute("quit")
        assert [piece async for piece in execution] == []
        assert (execution.ok, execution.quit) == (True, True)


async def test_hello_may_be_left_out(served: Served) -> None:
    async with spoken_to(served) as (reader, writer):
        writer.write(protocol.frame(protocol.EXECUTE, b""))
        assert await reader.readexactly(6) == protocol.frame(protocol.END, b"0")


async def test_dialect_of_the_hello_is_spoken(served: Served) -> None:
    client = await connect(served.path, dialect="12")
    text, _ = await output(client, SHOW)
    client.close()
    assert "exp." not in text
    assert "Objects found" not in text


# -- what makes no sense ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (protocol.frame(b"Z", b""), b"no such request"),
        (protocol.frame(protocol.HELLO, b"dialect=13"), b"no such dialect"),
        (protocol.frame(protocol.HELLO, b"kind=wizard"), b"no such kind"),
        (protocol.frame(protocol.HELLO, b"verbose=many"), b"not a number"),
        (b"X\xff\xff\xff\xff", b"longer than"),
        (protocol.frame(protocol.EXECUTE, b"x" * (protocol.MAX_REQUEST + 1)), b"longer than"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"longer than"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    served: Served, sent: bytes, why: bytes
) -> None:
    async with spoken_to(served) as (reader, writer):
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), 10)
    assert answer[:1] == protocol.REFUSED
    assert why in answer
    assert (await one_shot(served, SHOW))[0] == 0


async def test_client_that_says_nothing_or_half_a_frame_does_no_harm(served: Served) -> None:
    async with spoken_to(served), spoken_to(served) as (_, writer):
        writer.write(b"X\x00\x00")
        assert (await one_shot(served, SHOW))[0] == 0


async def test_bytes_that_are_no_text_are_part_of_a_line(served: Served) -> None:
    async with spoken_to(served) as (reader, writer):
        writer.write(protocol.frame(protocol.EXECUTE, b"\xff\xfe"))
        head = await reader.readexactly(5)
        text = await reader.readexactly(int.from_bytes(head[1:], "big"))
        assert b"No such command '\xff\xfe'" in text


async def test_too_many_connections_are_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pjreg_cli.control.server._MOST", 1)
    async with attached(served), spoken_to(served) as (reader, _):
        assert (await asyncio.wait_for(reader.read(), 10))[:1] == protocol.REFUSED


# -- long output ------------------------------------------------------------------------------

MANY = 10_000


@pytest.fixture
async def crowded(folder: Path) -> AsyncIterator[Served]:
    """Ten thousand registrations."""
    one = Served(folder / "ctl", *(view(f"reg{number}") for number in range(MANY)))
    await one.open()
    yield one
    await one.close()


async def test_long_output_is_whole_and_leaves_others_their_turn(crowded: Served) -> None:
    loop = asyncio.get_running_loop()
    turns = 0
    counting = True

    def turn() -> None:
        nonlocal turns
        turns += 1
        if counting:
            loop.call_soon(turn)

    answer = one_shot(crowded, SHOW)
    turn()
    status, text = await answer
    counting = False
    assert status == 0
    assert text.count(b"\n") == MANY + 7
    assert turns >= 4


async def test_client_that_does_not_read_holds_back_only_itself(crowded: Served) -> None:
    async with spoken_to(crowded) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # it is a Transport
        for _ in range(20):
            writer.write(protocol.frame(protocol.EXECUTE, SHOW.encode()))
        status, text = await one_shot(crowded, SHOW)
    assert status == 0
    assert text.count(b"\n") == MANY + 7


async def test_client_that_leaves_in_the_middle_does_no_harm(
    crowded: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with spoken_to(crowded) as (reader, writer):
            writer.write(protocol.frame(protocol.EXECUTE, SHOW.encode()))
            await reader.readexactly(1000)
        assert (await one_shot(crowded, "core show uptime"))[0] == 0
    assert caplog.records == []


async def test_console_that_skips_the_rest_is_ready_for_the_next(crowded: Served) -> None:
    async with attached(crowded) as client:
        execution = client.execute(SHOW)
        async for _ in execution:
            execution.skip()
            break
        text, ok = await output(client, "core show uptime seconds")
        assert ok
        assert text.startswith("System uptime: ")
        assert execution.ended


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_given_up_has_its_end_begun_or_not(served: Served, late: bool) -> None:
    async with attached(served) as client:
        given_up = client.execute("pjreg wait bob --timeout 3000")
        if late:
            # a turn of the server's, after which the command may be there but not begun
            await asyncio.sleep(0)
        client.cancel()
        assert [piece async for piece in given_up] == []
        assert not given_up.ok
        text, ok = await output(client, "core show uptime")
        assert "System uptime" in text
        assert ok


async def test_slow_console_reads_everything_in_the_end(crowded: Served) -> None:
    async with attached(crowded) as client:
        lines = 0
        async for piece in client.execute(SHOW):
            lines += piece.count("\n")
            await asyncio.sleep(0.001)
    assert lines == MANY + 7


# -- consoles ---------------------------------------------------------------------------------


async def test_console_is_greeted(served: Served) -> None:
    async with attached(served) as client:
        greeting = client.greeting
    assert (greeting.version, greeting.pid, greeting.shell) == ("9.9", 1, True)
    assert greeting.host == os.uname().nodename
    assert greeting.config == "/etc/pjreg-cli/pjsip.conf"


async def test_suggestions_name_registrations(served: Served) -> None:
    async with attached(served) as client:
        suggestions = await client.suggest("pjsip send unregister a")
        assert [(one.text, one.start_position) for one in suggestions] == [("alice", -1)]
        names = {one.text for one in await client.suggest("pjsip show registration ")}
    assert {"alice", "bob"} <= names


async def test_counts_come_at_once_and_whenever_they_change(served: Served) -> None:
    pushed: list[Pushed] = []
    async with attached(served) as client:
        client.watch(pushed.append)
        await until(lambda: pushed)
        assert pushed == [Counts({"Registered": 1, "Rejected": 1})]
        served.fake.registrations.found["bob"] = view("bob")
        for _ in range(50):
            served.fake.notices.tell(settled("bob"))
        await until(lambda: len(pushed) > 1)
        assert pushed[1:] == [Counts({"Registered": 2})]
        assert client.counts == {"Registered": 2}


async def test_log_lines_come_as_far_as_the_console_is_verbose(served: Served) -> None:
    pushed: list[Pushed] = []
    async with attached(served, verbose=2) as client:
        client.watch(pushed.append)
        await until(lambda: served.feed.listeners)
        served.feed.say("for all", "WARNING")
        served.feed.say("for the curious", "VERBOSE", 3)
        served.feed.say("of two\nlines", "NOTICE")
        served.fake.notices.tell(Traced(sent=True, address="[::1]:5060", transport="UDP", text="R"))
        await output(client, "core set verbose 3")
        served.feed.say("for the curious now", "VERBOSE", 3)
        await until(lambda: any(getattr(one, "text", "").endswith("now") for one in pushed))
        assert len(served.feed.listeners) == 1
    assert served.feed.wanted == [2, 3]
    lines = [one for one in pushed if isinstance(one, LogLine)]
    assert [(one.level, one.text) for one in lines[:2]] == [
        ("WARNING", "for all"),
        ("NOTICE", "of two\nlines"),
    ]
    assert lines[2].level == ""
    assert lines[2].text.rstrip("\n").endswith("R")
    assert lines[3].text == "for the curious now"


async def test_a_muted_console_is_spared_the_log(served: Served) -> None:
    pushed: list[Pushed] = []
    async with attached(served) as client:
        client.watch(pushed.append)
        await until(lambda: served.feed.listeners)
        await output(client, "logger mute")
        served.feed.say("unheard")
        await output(client, "logger mute")
        served.feed.say("heard")
        await until(lambda: any(isinstance(one, LogLine) for one in pushed))
    assert [one.text for one in pushed if isinstance(one, LogLine)] == ["heard"]


async def test_console_that_has_left_is_told_nothing(served: Served) -> None:
    async with attached(served) as client:
        client.watch(lambda _: None)
        await until(lambda: served.feed.listeners)
    await until(lambda: not served.feed.listeners)
    served.feed.say("to nobody")


async def test_log_lines_that_a_slow_console_misses_are_counted(served: Served) -> None:
    async with spoken_to(served) as (reader, writer):
        writer.write(protocol.frame(protocol.HELLO, b"kind=remote"))
        writer.write(protocol.frame(protocol.WATCH, b"log"))
        await until(lambda: served.feed.listeners)
        for number in range(3000):
            served.feed.say(f"{number:1000}")
        frames = protocol.FrameReader(protocol.MAX_ANSWER)
        heard: list[str] = []
        while not any("were lost" in text for text in heard):
            data = await asyncio.wait_for(reader.read(65536), 10)
            heard += [
                protocol.parse_log(payload)[1]
                for kind, payload in frames.feed(data)
                if kind == protocol.LOG
            ]
            served.feed.say("still there")
    assert len(heard) < 3000
    assert heard[0].strip() == "0"
    assert served.counted("console_lines_lost") >= 3000 - len(heard)


# -- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("restart", [True, False])
async def test_consoles_are_told_how_the_instance_ends(folder: Path, restart: bool) -> None:
    served = Served(folder / "ctl")
    await served.open()
    pushed: list[Pushed] = []
    client = await connect(served.path)
    client.watch(pushed.append)
    served.fake.notices.tell(Stopping(restart))
    await served.close()
    await until(lambda: client.gone)
    gone = pushed[-1]
    assert isinstance(gone, Gone)
    assert (gone.announced, gone.restart) == (True, restart)
    with pytest.raises(Gone):
        client.execute(SHOW)


async def test_instance_that_crashes_announces_nothing(folder: Path) -> None:
    path = str(folder / "ctl")
    greeting = protocol.Greeting(version="1", host="h", pid=1, config="c", shell=False)

    async def crash(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        writer.write(protocol.frame(protocol.GREETING, greeting.encode()))
        await reader.readuntil(SHOW.encode())
        writer.transport.abort()

    server = await asyncio.start_unix_server(crash, path)
    client = await connect(path)
    with pytest.raises(Gone) as caught:
        await output(client, SHOW)
    assert not caught.value.announced
    server.close()


async def test_command_under_way_is_answered_before_the_end(folder: Path) -> None:
    served = Served(folder / "ctl", *(view(f"reg{number}") for number in range(MANY)))
    await served.open()
    async with spoken_to(served) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # it is a Transport
        writer.write(protocol.frame(protocol.EXECUTE, SHOW.encode()))
        await until(lambda: served.server.busy)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        _, answer = await asyncio.gather(served.close(within_s=10), reader.read())
    frames = protocol.FrameReader(protocol.MAX_ANSWER).feed(answer)
    assert frames[-1] == (protocol.END, b"0")
    assert frames[-2][1].endswith(b"Objects found: 10000\n\n")


async def test_client_that_does_not_read_cannot_delay_the_end(folder: Path) -> None:
    served = Served(folder / "ctl", *(view(f"reg{number}") for number in range(MANY)))
    await served.open()
    async with spoken_to(served) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # it is a Transport
        writer.write(protocol.frame(protocol.EXECUTE, SHOW.encode()) * 20)
        await until(lambda: served.server.busy)
        async with asyncio.timeout(5):
            await served.close(within_s=0.1)
    with pytest.raises(remote.NoInstance):
        await connect(served.path)


async def test_nobody_there_is_no_instance(folder: Path) -> None:
    with pytest.raises(remote.NoInstance):
        await connect(str(folder / "ctl"))


# -- the claim --------------------------------------------------------------------------------


def test_socket_and_its_folder_are_private(folder: Path) -> None:
    path = folder / "new" / "ctl"
    claim = Claim.take(path)
    with claim.listen():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    claim.release()
    assert list(path.parent.iterdir()) == []


def test_second_claim_is_refused_and_names_the_process(folder: Path) -> None:
    claim = Claim.take(folder / "ctl")
    with pytest.raises(SocketTakenError, match=f"process {os.getpid()}"):
        Claim.take(folder / "ctl")
    claim.release()
    Claim.take(folder / "ctl").release()


def test_dead_socket_is_replaced(folder: Path) -> None:
    path = folder / "ctl"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    claim = Claim.take(path)
    with claim.listen(), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
    claim.release()


def test_socket_that_somebody_serves_without_our_lock_is_left_alone(folder: Path) -> None:
    path = folder / "ctl"
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(path))
        alive.listen()
        with pytest.raises(SocketTakenError, match="already runs"):
            Claim.take(path)
        assert path.is_socket()
        assert not (folder / "ctl.lock").exists()


def test_file_in_the_way_is_left_alone(folder: Path) -> None:
    (folder / "ctl").write_text("precious")
    with pytest.raises(SocketTakenError, match="not a socket"):
        Claim.take(folder / "ctl")
    assert (folder / "ctl").read_text() == "precious"


def test_lock_is_not_followed_through_a_link(folder: Path) -> None:
    (folder / "target").touch()
    (folder / "ctl.lock").symlink_to(folder / "target")
    with pytest.raises(SocketTakenError):
        Claim.take(folder / "ctl")


def test_folder_that_all_may_write_to_is_refused(folder: Path) -> None:
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    with pytest.raises(SocketTakenError, match="not private"):
        Claim.take(folder / "open" / "ctl")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user_is_refused_by_root_too(folder: Path) -> None:
    (folder / "theirs").mkdir()
    os.chown(folder / "theirs", 12_345, 12_345)
    with pytest.raises(SocketTakenError, match="not private"):
        Claim.take(folder / "theirs" / "ctl")
    (folder / "ours").mkdir(mode=0o700)
    (folder / "link").symlink_to(folder / "ours")
    os.chown(folder / "link", 12_345, 12_345, follow_symlinks=False)
    with pytest.raises(SocketTakenError, match="not private"):
        Claim.take(folder / "link" / "ctl")


def test_folder_that_a_group_may_write_to_is_refused(folder: Path) -> None:
    (folder / "open").mkdir()
    (folder / "open").chmod(0o770)
    with pytest.raises(SocketTakenError, match="not private"):
        Claim.take(folder / "open" / "ctl")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a while")
def test_who_listens_counts_and_not_whose_the_file_is(folder: Path) -> None:
    path = folder / "ctl"
    os.chown(folder, 12_345, 12_345)
    os.setegid(12_345)
    os.seteuid(54_321)
    try:
        with socket.socket(socket.AF_UNIX) as fake:
            os.seteuid(0)
            fake.bind(str(path))
            os.seteuid(54_321)
            fake.listen()
            os.seteuid(0)
            with pytest.raises(remote.NoInstance, match="another user"):
                remote.connect(str(path))
            os.chown(folder, 54_321, 54_321)
            remote.connect(str(path)).close()
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_path_too_long_is_told(folder: Path) -> None:
    with pytest.raises(SocketTakenError, match="longer than 107"):
        Claim.take(folder / ("x" * 120))


# asyncio itself leaves a connection to the collector that it has accepted and not begun
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("turns", range(6))
async def test_who_connects_while_it_ends_is_let_go_and_leaves_no_task(
    folder: Path, turns: int
) -> None:
    served = Served(folder / "ctl")
    await served.open()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(served.path)
        for _ in range(turns):
            await asyncio.sleep(0)
        await served.close()
        for _ in range(5):  # closing takes effect in the next rounds of the loop
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()  # what asyncio has left, here and not in the middle of another test
