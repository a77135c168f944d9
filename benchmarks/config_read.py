"""How long a large pjsip.conf takes: reading, validating, and reloading it unchanged.

    python benchmarks/config_read.py [REGISTRATIONS]

Limits on one core: 50,000 registrations (8 MB) in 2 s together with what the engine does with
them, 10,000 unchanged ones reloaded in 0.25 s.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pjreg_cli.config.load import Scope, load, reload
from pjreg_cli.config.shown import registration_options

T = TypeVar("T")

HEAD = "[udp]\ntype = transport\nbind = 0.0.0.0\n"
PLAIN = """
[trunk{n:05d}]
type = registration
transport = udp
server_uri = sip:registrar{host}.example.net
client_uri = sip:user{n:05d}@registrar{host}.example.net
contact_user = user{n:05d}
outbound_auth = auth{n:05d}
expiration = 3600
"""
TEMPLATE = "\n[trunk](!)\ntype = registration\ntransport = udp\nexpiration = 600\n"
TEMPLATED = """
[trunk{n:05d}](trunk)
server_uri = sip:registrar{host}.example.net
client_uri = sip:user{n:05d}@registrar{host}.example.net
contact_user = user{n:05d}
outbound_auth = auth{n:05d}
"""


def timed(what: str, work: Callable[[], T]) -> T:
    """Do the work and print how long it took."""
    begin = time.perf_counter()
    result = work()
    print(f"{what:32} {time.perf_counter() - begin:7.3f} s")
    return result


def run(count: int, head: str, section: str) -> None:
    """Measure one file of `count` sections."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pjsip.conf")
        with file.open("w", encoding="utf-8") as out:
            out.write(head)
            for n in range(count):
                out.write(section.format(n=n, host=n % 100))
        print(f"{count} registrations, {file.stat().st_size / 1e6:.1f} MB")
        settings = timed("load", lambda: load(file))
        timed("reload, untouched", lambda: reload(settings, Scope.ALL))
        os.utime(file)
        outcome = timed("reload, touched but equal", lambda: reload(settings, Scope.ALL))
        assert outcome.ok
        assert not outcome.difference.changed
        assert len(outcome.settings.registrations) == count
        some = list(settings.registrations.values())[:10_000]
        timed("options of 10,000", lambda: sum(len(registration_options(one)) for one in some))


def main() -> None:
    """Plain sections, sections by a template, and the size of a reload that has a limit."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    run(count, HEAD, PLAIN)
    run(count, HEAD + TEMPLATE, TEMPLATED)
    run(10_000, HEAD, PLAIN)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{'largest size':32} {peak / 1024:7.0f} MiB")


if __name__ == "__main__":
    main()
