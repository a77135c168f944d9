"""From argv to a one-shot command, a sub-program or an instance.

Imports stand inside functions so that a one-shot command loads `remote` and `options` only.
"""

from __future__ import annotations

import os
import sys
from _collections_abc import Callable, Iterable, Iterator

from pjreg_cli import options as command_line
from pjreg_cli import remote
from pjreg_cli.errors import UsageError

BAD_USAGE = 2


def main(arguments: list[str] | None = None) -> int:
    """Run `pjreg-cli` with these arguments (sys.argv's by default); the exit status."""
    _fill_standard_streams()
    try:
        return _run(command_line.parse(sys.argv[1:] if arguments is None else arguments))
    except UsageError as error:
        remote.complain(f"{error} (pjreg-cli --help lists all options)")
        return BAD_USAGE
    except KeyboardInterrupt:
        return remote.INTERRUPTED
    except BrokenPipeError:
        return remote.quietly_closed()
    except remote.Unwritable as error:
        remote.complain(str(error))
        return remote.FAILED
    finally:
        _let_go_of_output()


def end(status: int) -> None:
    """Leave with the exit status of `main`.

    A one-shot command has written everything and has loaded nothing that wants to be told of the
    end: to have the interpreter taken apart would take as long as all of what it does.
    """
    if "threading" not in sys.modules:
        os._exit(status)
    sys.exit(status)


def _fill_standard_streams() -> None:
    """What was closed before we began must not become a socket's number: lines meant for stderr
    would go there.  Writing to stdout fails all the same, as it should."""
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)


def _let_go_of_output() -> None:
    """What a full disk or a closed terminal did not take must not become the exit status."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            os.close(null)


def _run(options: command_line.Options) -> int:
    if options.help:
        remote.write(command_line.USAGE.encode())
        return remote.DONE
    if options.version:
        from pjreg_cli import __version__

        remote.write(f"pjreg-cli {__version__}\n".encode())
        return remote.DONE
    if options.program:
        return _sub_program(options)
    if options.mode == "foreground":
        _hear_hangups(options)
        _load_in_one_go()
        from pjreg_cli.instance.program import run_instance

        return run_instance(options)
    if options.mode == "console":
        return _own_console(options)
    if options.words == ["pjreg", "reload", "--confirm"] and not options.execute:
        return _confirmed(options)
    if options.words[:2] == ["pjreg", "watch"] and os.isatty(0) and os.isatty(1):
        return _watch(options)
    if options.lines:
        return _one_shot(options, options.lines)
    if os.isatty(0) and os.isatty(1):
        return _interactive(options)
    return _one_shot(options, _piped())


def _watch(options: command_line.Options) -> int:
    """The live view of the running instance."""
    from pjreg_cli.console.remote import run_watch
    from pjreg_cli.console.watch import watched

    pattern = watched(command_line.as_line(options.words))
    if pattern is None or options.json:
        return _one_shot(options, options.lines)
    try:
        return run_watch(options, pattern)
    except remote.NoInstance as missing:
        remote.complain(f"{missing}; start one with pjreg-cli -f or -c")
        return remote.FAILED


def _piped() -> Iterator[str]:
    """The commands on stdin as they come, up to `quit` or `exit`."""
    with open(0, encoding="utf-8", errors="surrogateescape", closefd=False) as pipe:
        for line in pipe:
            command = line.strip()
            if command.lower() in ("quit", "exit"):
                return
            if command:
                yield command


def _confirmed(options: command_line.Options) -> int:
    """`pjreg reload --confirm`: what it would do, a question, then the reload."""
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError("--confirm asks on a terminal")
    width = remote.columns()
    path, greeting = options.socket_path, remote.hello(width=width, follow=os.isatty(2))
    try:
        status = remote.ask(path, ["pjreg reload plan"], greeting)
        if status == remote.DONE and input("Reload? [y/N] ").strip().lower() in ("y", "yes"):
            return remote.ask(path, ["pjreg reload"], greeting)
    except remote.NoInstance as missing:
        remote.complain(str(missing))
        return remote.FAILED
    except EOFError:
        pass
    remote.write(b"Nothing was reloaded.\n")
    return remote.FAILED


def _one_shot(options: command_line.Options, lines: Iterable[str]) -> int:
    """Ask the running instance; where none runs, what `--register` or the configuration says."""
    path = options.socket_path
    width = remote.columns()
    follow = options.follow and width > 0 and os.isatty(2) and not options.json
    greeting = remote.hello(dialect=options.dialect, json=options.json, width=width, follow=follow)
    show = _painting() if options.coloured(os.isatty(1)) and not options.json else remote.write
    try:
        status = remote.ask(path, lines, greeting, show)
        if options.reveal_secrets:
            remote.complain(
                "--reveal-secrets is for the instance: start it so, or ask where none runs"
            )
        return status
    except remote.NoInstance as missing:
        if options.mode == "remote":
            remote.complain(f"{missing}; start one with pjreg-cli -f or -c")
            return remote.FAILED
        why = str(missing)
    if options.register:
        from pjreg_cli.instance.register_once import register_and_answer

        return register_and_answer(options, lines, show)
    from pjreg_cli.offline.answer import from_configuration

    return from_configuration(options, lines, why, show)


def _painting() -> Callable[[bytes], None]:
    """What shows output in colour: only a person at a terminal pays for loading it."""
    from pjreg_cli.console.paint import Painter

    painter = Painter(colour=True)

    def show(output: bytes) -> None:
        text = painter.feed(output.decode("utf-8", "surrogateescape"))
        # a terminal gets nothing that is no text
        remote.write(text.encode("utf-8", "replace"))

    return show


def _interactive(options: command_line.Options) -> int:
    """The console of the running instance, or one of our own where none runs."""
    from pjreg_cli.console.remote import run_console

    try:
        return run_console(options)
    except remote.NoInstance as missing:
        if options.mode == "remote":
            remote.complain(f"{missing}; start one with pjreg-cli -f or -c")
            return remote.FAILED
    if not command_line.configured(options):
        remote.complain(command_line.FRESH)
        return remote.FAILED
    return _own_console(options)


def _hear_hangups(options: command_line.Options) -> None:
    """SIGHUP must not kill an instance that is about to start; what it asks for comes later."""
    import signal

    def heard(_number: object, _frame: object) -> None:
        options.hung_up = True

    signal.signal(signal.SIGHUP, heard)


def _load_in_one_go() -> None:
    """What an instance loads is no garbage: looking for cycles in it takes a tenth of the start.

    `engine.garbage` begins anew.
    """
    import gc

    gc.disable()


def _own_console(options: command_line.Options) -> int:
    _hear_hangups(options)
    _load_in_one_go()
    from pjreg_cli.instance.local_console import run

    return run(options)


def _sub_program(options: command_line.Options) -> int:
    if options.program == "demo":
        from pjreg_cli.demo.program import run

        return run(options)
    if options.program == "check":
        from pjreg_cli.offline.check import run

        return run(options)
    if options.program == "init":
        from pjreg_cli.offline import init

        return init.run(options)
    if options.program == "health":
        from pjreg_cli.offline.health import run

        return run(options)
    if options.program == "probe":
        from pjreg_cli.instance.probe import run

        return run(options)
    from pjreg_cli import shell_completion

    return shell_completion.run(options, _suggested, _providers)


def _providers() -> list[str]:
    from pjreg_cli.offline.providers import names

    return names()


def _suggested(options: command_line.Options, text: str) -> list[str]:
    from pjreg_cli.offline.answer import suggestions

    return suggestions(options, text)
