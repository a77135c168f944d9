"""The SQL that makes a fleet's tables."""

from __future__ import annotations

from pjreg_cli.store.sql import Names, quoted, schema


def test_schema_has_the_lease_and_the_name_it_is_asked_for() -> None:
    assert "VALUES (1, 256, 6000," in schema()
    text = schema(lease_ms=9000, names=Names("other"), triggers=True)
    assert "VALUES (1, 256, 9000," in text
    assert "CREATE SCHEMA other;" in text
    assert "other_config" in text
    assert "pjreg." not in text


def test_triggers_only_where_they_are_asked_for() -> None:
    assert "TRIGGER" not in schema()
    assert "CREATE TRIGGER" in schema(triggers=True)


def test_other_tables_have_their_own_names_everywhere() -> None:
    text = schema(triggers=True, names=Names("pjreg", "voice.Trunks", "voice.secrets"))
    assert 'CREATE INDEX "Trunks_shard" ON voice."Trunks" (pjreg.shard_of(id));' in text
    assert 'GRANT SELECT ON voice."Trunks", voice.secrets TO pjreg_instance;' in text
    assert 'AFTER INSERT ON voice."Trunks"' in text
    assert "ps_" not in text


def test_where_auth_sections_are_in_files_no_table_of_them_is_asked_for() -> None:
    text = schema(triggers=True, names=Names("other", "trunks", ""))
    assert "GRANT SELECT ON trunks TO pjreg_instance;" in text
    assert "CREATE INDEX trunks_other_shard ON trunks (other.shard_of(id));" in text
    assert text.count("CREATE TRIGGER other_") == 4
    assert "ps_" not in text


def test_names_are_quoted_where_they_must_be() -> None:
    assert [quoted(name) for name in ("a_1", "A", 'a."b', "a b.c")] == [
        "a_1", '"A"', "a.b", '"a b".c',
    ]  # fmt: skip
