"""`pjreg-cli check`: read a configuration and tell everything that is wrong with it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from pjreg_cli import options as command_line
from pjreg_cli import remote
from pjreg_cli.commands.pjreg import is_bad
from pjreg_cli.config.check import check
from pjreg_cli.config.load import load
from pjreg_cli.config.security_warnings import careless
from pjreg_cli.errors import ConfigError, UsageError
from pjreg_cli.render import evidence, json
from pjreg_cli.store.rows import open_rows


def run(options: command_line.Options) -> int:
    """Check PATH, or the configuration that an instance would read; raises UsageError.

    Exit status 1 with errors, with `--strict` also with warnings, 0 otherwise.
    """
    paths = options.words[1:]
    if len(paths) > 1:
        raise UsageError("check takes one PATH at most")
    path = Path(paths[0] if paths else command_line.config_path(options))
    problems = check(path, open_rows)
    with contextlib.suppress(ConfigError):
        # a file that cannot be read has been told of
        problems += careless(load(path, open_rows), datetime.now(tz=UTC))
    lines = (
        json.array(map(evidence.problem_shape, problems))
        if options.json
        else evidence.problems(problems)
    )
    for line in lines:
        remote.write(line.encode("utf-8", "surrogateescape"))
    bad = any(is_bad(problem, options.strict) for problem in problems)
    return 1 if bad else 0
