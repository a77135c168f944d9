"""The greeting, the bar at the bottom, and the other sentences of the console's own."""

from __future__ import annotations

from collections.abc import Mapping

from prompt_toolkit.formatted_text import StyleAndTextTuples as Fragments

from pjreg_cli.console.backend import InstanceFacts

WORDS = ("Registered", "Rejected", "Unregistered", "Stopped")
_RULE = 79
"""The longest line of `=`."""
_ALWAYS = 3
"""The first words are in the bar even at zero, so that it does not jump."""

LEAVE_LOCAL = "This console ends with its instance: `core stop now` ends both, at once.\n"
LEAVE_REMOTE = "Type `quit` or press Ctrl-D to leave; the instance goes on.\n"
AGAIN = (
    "Press Ctrl-D once more within 2 s to stop the instance at once (nothing is unregistered).\n"
)
RELOAD = "pjreg reload"
REALLY = "Reload? [y/N] "
NO_SHELL = "The instance allows its remote consoles no shell.\n"


def summary(counts: Mapping[str, int]) -> str:
    """`3 registrations: 1 registered, 2 rejected`; words nobody has are left out."""
    total = sum(counts.values())
    noun = "registration" if total == 1 else "registrations"
    parts = [f"{counts[word]} {word.lower()}" for word in WORDS if counts.get(word)]
    return f"{total} {noun}" + (": " if parts else "") + ", ".join(parts)


def greeting(facts: InstanceFacts, remote: bool) -> str:
    """What a console begins with."""
    head = [f"pjreg-cli {facts.version}, {facts.config_path}", summary(facts.counts)]
    tail = ["Tab completes, ? lists what can follow, `core show help` lists the commands."]
    if remote:
        tail.insert(0, f"Connected to {described(facts)}")
    rule = "=" * min(max(map(len, [*head, *tail])), _RULE)
    return "\n".join([*head, rule, *tail]) + "\n"


def described(facts: InstanceFacts) -> str:
    """The instance a remote console talks to, as `pjreg-cli 1.0 on host (pid = 12)`."""
    where = f" on {facts.hostname}" if facts.hostname else ""
    pid = f" (pid = {facts.pid})" if facts.pid else ""
    return f"pjreg-cli {facts.version}{where}{pid}"


def farewell(facts: InstanceFacts, why: str) -> str:
    """What is said when the instance is gone."""
    return f"Disconnected from {described(facts)}{f': {why}' if why else ''}\n"


def bar(counts: Mapping[str, int], doing: str = "") -> Fragments:
    """What is under way, which must not be cut off, and the numbers of the bottom bar."""
    fragments: Fragments = [("", " ")]
    if doing:
        fragments += [("class:bar.doing", doing), ("", "   ")]
    for index, word in enumerate(WORDS):
        number = counts.get(word, 0)
        if number or index < _ALWAYS:
            style = f"class:bar.{word.lower()}" if number else ""
            fragments += [(style, f"{number} {word.lower()}"), ("", "   ")]
    return fragments
