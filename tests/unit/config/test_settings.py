"""What each scope of a reload reaches."""

from __future__ import annotations

import pytest

from pjreg_cli.config.settings import Scope


@pytest.mark.parametrize(
    ("scope", "registrations", "pjsip"),
    [
        (Scope.REGISTRATIONS, True, False),
        (Scope.PJSIP, True, True),
        (Scope.ALL, True, True),
        (Scope.MANAGER, False, False),
        (Scope.RESOLVER, False, False),
    ],
)
def test_scope_reaches(scope: Scope, registrations: bool, pjsip: bool) -> None:
    assert (scope.registrations, scope.pjsip) == (registrations, pjsip)


def test_all_includes_every_scope_and_others_only_themselves() -> None:
    assert all(Scope.ALL.includes(scope) for scope in Scope)
    assert [scope for scope in Scope if Scope.MANAGER.includes(scope)] == [Scope.MANAGER]
