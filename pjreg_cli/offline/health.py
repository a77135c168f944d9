"""`pjreg-cli health`: what `pjreg health` says of the running instance, as a monitoring plug-in."""

from __future__ import annotations

from pjreg_cli import options as command_line
from pjreg_cli import remote

OK, WARNING, CRITICAL, UNKNOWN = range(4)
_BY_WORD = {"OK": OK, "WARNING": WARNING, "CRITICAL": CRITICAL, "UNKNOWN": UNKNOWN}


def run(options: command_line.Options) -> int:
    """Ask the running instance and print its answer; exit status 0 to 3.

    An instance that does not run keeps no registration: that is critical.
    """
    line = command_line.as_line(["pjreg", *options.words])
    said: list[bytes] = []
    greeting = remote.hello(dialect=options.dialect, json=options.json, width=0)
    try:
        remote.ask(options.socket_path, [line], greeting, said.append)
    except remote.NoInstance as missing:
        said = [f"REGISTRATIONS CRITICAL - {missing} | registered=0\n".encode()]
        if options.json:
            said = [b'{"status": 2, "level": "CRITICAL", "text": "no instance answers"}\n']
    output = b"".join(said)
    remote.write(output)
    return status_of(output.decode("utf-8", "replace"))


def status_of(output: str) -> int:
    """The exit status that an answer, a line or JSON, stands for; 3 for what is none."""
    for word, status in _BY_WORD.items():
        if output.startswith(f"REGISTRATIONS {word} ") or f'"level": "{word}"' in output:
            return status
    return UNKNOWN
