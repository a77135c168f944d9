"""One-shot commands: to a running instance, from a pipe, and where none runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, QUIET, Instance, environment, run
from tests.support.ports import free_port
from tests.support.terminal import Terminal
from tests.support.waiting import until

SHOW = "pjsip show registrations"


# -- asking an instance -----------------------------------------------------------------------


def timeless(table: str) -> str:
    """A table whatever second it is."""
    return re.sub(r"\(exp\. +\d+s\)", "(exp.)", table)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-rx", SHOW],
        ["-r", "-x", SHOW],
        ["-x", SHOW],
        ["--remote", "--execute", SHOW],
        ["--execute=" + SHOW],
        ["-rvvvx", SHOW],
        SHOW.split(),
        ["-r", *SHOW.split()],
        ["--", *SHOW.split()],
    ],
)
def test_every_way_to_ask_gets_the_same_table(shared: Instance, arguments: list[str]) -> None:
    done = run("-s", str(shared.socket), *arguments, home=shared.home)
    assert timeless(done.out) == timeless(shared.ask(SHOW).out)
    assert done.status == 0
    assert "my_provider/sip:registrar.invalid" in done.out
    assert done.err == ""


def test_socket_is_taken_from_the_environment(shared: Instance) -> None:
    assert run("-rx", SHOW, home=shared.home).status == 0


def test_several_commands_are_executed_in_order_and_one_failure_counts(
    shared: Instance,
) -> None:
    done = run("-x", "core show uptime seconds", "-x", "bogus", "-x", SHOW, home=shared.home)
    assert done.status == 1
    uptime, unknown, table = (
        done.out.index(text) for text in ("System uptime", "No such command 'bogus'", "my_provider")
    )
    assert uptime < unknown < table


def test_commands_are_read_from_a_pipe_line_by_line(shared: Instance) -> None:
    done = run("-r", stdin=f"\n{SHOW}\n  core show uptime\nquit\nbogus\n", home=shared.home)
    assert done.status == 0
    assert "Objects found: 1" in done.out
    assert "System uptime" in done.out
    assert "bogus" not in done.out


def test_command_is_answered_before_the_pipe_ends(shared: Instance) -> None:
    with subprocess.Popen(
        [*PROGRAM, "-r"],
        env=environment(shared.home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as asker:
        assert asker.stdin is not None
        assert asker.stdout is not None
        asker.stdin.write(b"core waitfullybooted\n")
        asker.stdin.flush()
        assert asker.stdout.readline() == b"Asterisk has fully booted.\n"
        asker.stdin.close()
        assert asker.wait(60) == 0


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (SHOW, 0),
        ("", 0),
        ("pjsip show registration my_provider", 0),
        ("pjsip show registrations like nothing-of-this-name", 0),
        ("pjsip show registration nobody", 1),
        ("pjsip send unregister nobody", 1),
        ("pjsip show registration", 1),
        ("pjsip send unregister", 1),
        ("no such thing", 1),
    ],
)
def test_exit_status_tells_the_truth(shared: Instance, line: str, status: int) -> None:
    done = shared.ask(line)
    assert done.status == status
    assert done.err == ""


def test_output_is_coloured_only_when_asked_for(shared: Instance) -> None:
    plain = shared.ask(SHOW)
    coloured = shared.ask(SHOW, "--color", "always")
    assert "\x1b[" not in plain.out
    assert "\x1b[" in coloured.out
    without = coloured.out.replace("\x1b[0m", "")
    assert "Unregistered" in without
    assert shared.ask(SHOW, "-n").out.split("(exp")[0] == plain.out.split("(exp")[0]


def test_json_is_the_same_rows(shared: Instance) -> None:
    done = shared.ask(SHOW, "--json")
    assert done.status == 0
    rows = json.loads(done.out)
    assert "my_provider" in json.dumps(rows)


def test_dialect_12_has_no_expiry_column(shared: Instance) -> None:
    done = shared.ask(SHOW, "--dialect", "12")
    assert "my_provider" in done.out
    assert "exp." not in done.out


def test_closed_pipe_ends_quietly(home: Path) -> None:
    rows = "".join(
        f"[reg{number}]\ntype=registration\nserver_uri=sip:a.invalid\nclient_uri=sip:a@a.invalid\n"
        "max_random_initial_delay=1000000\n"
        for number in range(3000)
    )
    instance = Instance(home, QUIET.format(port=free_port()) + rows)
    instance.start()
    try:
        command = f"{PROGRAM[0]} -rx '{SHOW}' | head -1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment(home),
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == b""
        assert done.stdout.strip() == b"0"
    finally:
        instance.stop()


# -- where no instance runs -------------------------------------------------------------------


@pytest.fixture
def offline(home: Path) -> Path:
    """A configuration that nobody runs."""
    (home / "pjsip.conf").write_text(QUIET.format(port=free_port()), "utf-8")
    return home


def test_configuration_alone_answers_where_none_runs(offline: Path) -> None:
    done = run(*SHOW.split(), home=offline)
    assert done.status == 0
    assert "my_provider/sip:registrar.invalid" in done.out
    assert "Unregistered" in done.out
    assert len(done.err.splitlines()) == 1
    assert "--register" in done.err


def test_remote_never_answers_from_the_configuration(offline: Path) -> None:
    done = run("-rx", SHOW, home=offline)
    assert done.status == 1
    assert done.out == ""
    assert str(offline / "ctl") in done.err


def test_pipe_without_instance_fails_for_remote_even_when_empty(offline: Path) -> None:
    assert run("-r", stdin="", home=offline).status == 1


def test_missing_configuration_is_named(home: Path) -> None:
    done = run("-C", str(home / "nowhere"), *SHOW.split(), home=home)
    assert done.status == 1
    assert done.out == ""
    assert "nowhere" in done.err
    assert len(done.err.splitlines()) == 1


def test_offline_answer_leaves_nothing_behind(offline: Path) -> None:
    run(*SHOW.split(), home=offline)
    assert [path.name for path in offline.iterdir()] == ["pjsip.conf"]


# -- usage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["--bogus"], ["-z"], ["-x"], ["--dialect", "13", "x"], ["-f", "-r"], ["--wait", "soon", "x"]],
)
def test_bad_usage_says_so_and_exits_with_2(home: Path, arguments: list[str]) -> None:
    done = run(*arguments, home=home)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("pjreg-cli: ")
    assert len(done.err.splitlines()) == 1


def test_version_and_help_go_to_stdout(home: Path) -> None:
    assert run("-V", home=home).out.startswith("pjreg-cli ")
    helped = run("-h", home=home)
    assert helped.status == 0
    for option in ("--config", "--socket", "--register", "--dialect", "--json"):
        assert option in helped.out


def connected(pid: int) -> bool:
    """Whether a process has a socket, and sleeps."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    links = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()]
    return state == "S" and any(link.startswith("socket:") for link in links)


def test_interrupted_one_shot_ends_quietly(shared: Instance) -> None:
    os.kill(shared.pid, signal.SIGSTOP)
    try:
        asker = subprocess.Popen(
            [*PROGRAM, "-rx", SHOW],
            env=environment(shared.home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        until(lambda: connected(asker.pid), "it has connected and waits for an answer")
        asker.send_signal(signal.SIGINT)
        out, err = asker.communicate(timeout=60)
    finally:
        os.kill(shared.pid, signal.SIGCONT)
    assert (asker.returncode, out, err) == (130, b"", b"")


# -- streams that are full, closed or gone ----------------------------------------------------


def in_shell(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run `$PJREG ...` by a shell that redirects its streams."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env=environment(home, PJREG=PROGRAM[0], SHOW=SHOW),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words", ['-rx "$SHOW"', "--help", "--version", "completion bash", "core show help"]
)
def test_full_disk_behind_stdout_is_one_line_and_a_failure(shared: Instance, words: str) -> None:
    done = in_shell(shared.home, f"$PJREG {words} >/dev/full")
    assert done.returncode == 1
    assert done.stderr == "pjreg-cli: cannot write to stdout: No space left on device\n"


@pytest.mark.parametrize("words", ["pjsip show registrations", "check .", "--json check ."])
def test_full_disk_is_told_where_no_instance_runs(offline: Path, words: str) -> None:
    done = in_shell(offline, f"$PJREG {words} >/dev/full")
    assert done.returncode == 1
    assert done.stderr.endswith("pjreg-cli: cannot write to stdout: No space left on device\n")
    assert "Traceback" not in done.stderr


def test_closed_stdout_is_told(shared: Instance) -> None:
    done = in_shell(shared.home, '$PJREG -rx "$SHOW" >&-')
    assert (done.returncode, done.stderr) == (
        1,
        "pjreg-cli: cannot write to stdout: Bad file descriptor\n",
    )


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_complaint_that_nobody_can_read_changes_no_status(offline: Path, where: str) -> None:
    assert in_shell(offline, f"$PJREG {SHOW} {where}").returncode == 0
    assert in_shell(offline, f"$PJREG -rx x {where}").returncode == 1
    assert in_shell(offline, f"$PJREG --bogus {where}").returncode == 2


# -- options behind the words -----------------------------------------------------------------


def test_misspelt_option_behind_a_command_is_bad_usage(shared: Instance) -> None:
    done = run(*SHOW.split(), "--jsn", home=shared.home)
    assert done.status == 2
    assert "unknown option --jsn, did you mean '--json'?" in done.err


def test_short_option_behind_a_command_counts(shared: Instance) -> None:
    done = run("--color", "always", *SHOW.split(), "-n", home=shared.home)
    assert "\x1b[" not in done.out


# -- a machine on which nothing is set up -----------------------------------------------------


@pytest.mark.parametrize(
    "line", ["core show help", "core show version", "pjsip show version", "core show help pjsip"]
)
def test_help_and_version_need_no_configuration(home: Path, line: str) -> None:
    done = run(*line.split(), home=home)
    assert (done.status, done.err) == (0, "")
    assert done.out


def test_other_commands_say_what_there_is_to_do(home: Path) -> None:
    done = run(*SHOW.split(), home=home)
    assert done.status == 1
    for word in ("pjreg-cli demo", "-C PATH", "pjreg-cli check"):
        assert word in done.err


def test_program_alone_says_in_few_lines_what_there_is_to_do(home: Path) -> None:
    with Terminal(PROGRAM, environment=environment(home), columns=80) as terminal:
        assert terminal.ends() == 1
        shown = [line for line in terminal.lines if line]
    assert len(shown) == 4
    for word in ("pjreg-cli demo", "-C PATH", "pjreg-cli check"):
        assert word in "\n".join(shown)


def test_revealing_secrets_is_for_the_instance(shared: Instance) -> None:
    done = shared.ask(SHOW, "--reveal-secrets")
    assert done.status == 0
    assert "--reveal-secrets is for the instance" in done.err
