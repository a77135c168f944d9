"""What a program has loaded, held against what it need not have."""

from __future__ import annotations

from collections.abc import Iterable

#: what is loaded at the earliest when it is configured, or when somebody asks
LATER = (
    "dns",
    "prometheus_client",
    "prompt_toolkit",
    "psycopg",
    "rich",
    "pjreg_cli.ami",
    "pjreg_cli.cluster.lease",
    "pjreg_cli.cluster.messages",
    "pjreg_cli.commands",
    "pjreg_cli.config.check",
    "pjreg_cli.config.help",
    "pjreg_cli.config.plan",
    "pjreg_cli.console",
    "pjreg_cli.control.connection",
    "pjreg_cli.demo",
    "pjreg_cli.instance.added",
    "pjreg_cli.instance.fleet",
    "pjreg_cli.instance.hooks",
    "pjreg_cli.instance.tables",
    "pjreg_cli.metrics.prometheus",
    "pjreg_cli.offline",
    "pjreg_cli.render.explanation",
    "pjreg_cli.render.json",
    "pjreg_cli.shell_completion",
    "pjreg_cli.store.postgres",
    "pjreg_cli.why",
)


def rooms(modules: Iterable[str]) -> set[str]:
    """Which of those that may come later are among `modules`."""
    names = [f"{one}." for one in modules]
    return {late for late in LATER if any(name.startswith(f"{late}.") for name in names)}
