"""pjreg_cli/config/location.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.location import cleaned, shown

SECRET = "LeakPw77"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (
            "postgresql://me:LeakPw77@db.example:5433/x?sslmode=require",
            "postgresql://db.example:5433/x",
        ),
        ("postgres://me:LeakPw77@a,b:5433/x", "postgres://a,b:5433/x"),
        ("postgresql://[2001:db8::1]:5432/x", "postgresql://[2001:db8::1]:5432/x"),
        ("service=pjreg", "service=pjreg"),
        ("user=me host=a password=LeakPw77 port=5432", "host=a port=5432"),
        ("host = a password = LeakPw77", "host=a"),
        ("host='a' password='Leak Pw77 \\' LeakPw77'", "host=a"),
        ("postgresql://me:LeakPw77", "the database"),
        ("postgresql://me:Leak@Pw77@a/x", "postgresql://a/x"),
        ("mysql://me:LeakPw77@a/x", "the database"),
        ("host=a LeakPw77", "the database"),
        ("host=a port=LeakPw77", "host=a"),
        ("LeakPw77", "the database"),
        ("", "the database"),
    ],
)
def test_where_it_is_and_nothing_else(location: str, told: str) -> None:
    assert shown(location) == told


@given(st.text(alphabet="a=:/@?'\\ &.1"), st.text(alphabet="a=:/@?'\\ &.1"))
def test_a_password_is_told_wherever_it_stands_in_no_title(before: str, after: str) -> None:
    for key in ("password", "sslpassword"):
        assert SECRET not in shown(f"{key}={SECRET} {before}")
        assert SECRET not in shown(f"postgresql://me:{SECRET}@h/{after}")


@pytest.mark.parametrize(
    ("location", "error", "told"),
    [
        ("host=a LeakPw77", 'missing "=" after "LeakPw77"', 'missing "=" after "********"'),
        (
            "host=a port=LeakPw77",
            'invalid integer value "LeakPw77"',
            'invalid integer value "********"',
        ),
        (
            "postgresql://me:Leak@Pw77@a/x",
            "failed to resolve host 'Pw77@a'",
            "failed to resolve host '********@a'",
        ),
        (
            "postgresql://me:LeakPw77@a/x",
            'authentication failed for user "me"',
            'authentication failed for user "me"',
        ),
        ("host=a user=instance password=LeakPw77", 'user "instance" at a', 'user "instance" at a'),
        ("host=a password=port", "port 1 failed", "port 1 failed"),
        ("", "no such thing", "no such thing"),
    ],
)
def test_errors_repeat_nothing_but_where_and_who(location: str, error: str, told: str) -> None:
    assert cleaned(error, location) == told
