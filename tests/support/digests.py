"""Answers to challenges, several at a time."""

from __future__ import annotations

from collections.abc import Iterable

from pjreg_cli.sip.challenges import Challenge
from pjreg_cli.sip.digest import Account, credentials


def authorize(
    selected: Iterable[tuple[Challenge, Account]], method: str, uri: str, cnonce: str, nc: int = 1
) -> list[tuple[str, str]]:
    """Name and value of the headers that answer the selected challenges."""
    return [
        (challenge.answer, credentials(challenge, account, method, uri, cnonce, nc))
        for challenge, account in selected
    ]
