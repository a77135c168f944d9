"""A process that has loaded what every instance loads, and becomes instances by being copied.

    python -P tests/support/copied.py CONTROL PROGRAM

CONTROL is the number of a socket on which `copies.Copies` says what to start.  A copy does what the
program itself does from `pjreg_cli.entry.main` on, with the command line, the variables, the folder
and the output that it is given.
"""

from __future__ import annotations

import gc
import marshal
import os
import socket
import sys
from contextlib import suppress
from select import POLLIN, poll

#: the numbers of files that are open here lie below this one
_FILES = 1024
_MOST_BYTES = 65536


def _serve(control: socket.socket) -> bool:
    """Make copies until nobody can ask for one any more; True in each copy."""
    ready, ends = poll(), dict[int, tuple[int, int]]()
    ready.register(control, POLLIN)
    while True:
        for number, _ in ready.poll():
            if number != control.fileno():
                ready.unregister(number)
                _tell_the_end(number, *ends.pop(number))
                continue
            said, files, _, _ = socket.recv_fds(control, _MOST_BYTES, 2)
            if not said:
                control.close()
                return False
            output, teller = files
            pid = os.fork()
            if pid == 0:
                control.detach()
                _become(said, output)
                return True
            os.close(output)
            _tell(teller, pid)
            process = os.pidfd_open(pid)
            ends[process] = pid, teller
            ready.register(process, POLLIN)


def _become(said: bytes, output: int) -> None:
    """Take on what a process of its own would have begun with."""
    folder, words, variables = marshal.loads(said)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, own in enumerate((null, output, output)):
        os.dup2(own, number)
    os.closerange(3, _FILES)
    os.chdir(folder)
    sys.argv, sys.orig_argv = words, [sys.executable, *words]
    os.environ.clear()
    os.environ.update(variables)


def _tell_the_end(process: int, pid: int, teller: int) -> None:
    _, status = os.waitpid(pid, 0)
    _tell(teller, os.waitstatus_to_exitcode(status))
    os.close(teller)
    os.close(process)


def _tell(teller: int, number: int) -> None:
    # who has lost interest is not told
    with suppress(BrokenPipeError):
        os.write(teller, number.to_bytes(4, "little", signed=True))


if __name__ == "__main__":
    # as where the program is started: its folder comes first
    sys.path.insert(0, os.path.dirname(sys.argv[2]))
    # as `entry` does before it loads the same
    gc.disable()
    from pjreg_cli.entry import main
    from pjreg_cli.instance import later, program

    assert program
    for name in later.MODULES:
        __import__(name)
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        sys.exit(main())
