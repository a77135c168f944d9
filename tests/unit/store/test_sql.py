"""The SQL that makes a fleet's tables."""

from __future__ import annotations

from pjreg_cli.store.sql import schema


def test_schema_has_the_lease_and_the_name_it_is_asked_for() -> None:
    assert "VALUES (1, 256, 6000," in schema()
    text = schema(lease_ms=9000, name="other", triggers=True)
    assert "VALUES (1, 256, 9000," in text
    assert "CREATE SCHEMA other;" in text
    assert "other_config" in text
    assert "pjreg." not in text


def test_triggers_only_where_they_are_asked_for() -> None:
    assert "TRIGGER" not in schema()
    assert "CREATE TRIGGER" in schema(triggers=True)
