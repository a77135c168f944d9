"""Passwords from files and from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.config.load import Scope, load, reload
from pjreg_cli.config.passwords import PasswordError, fetch

SECTION = "[a]\ntype=auth\nusername=alice\n"


def write(folder: Path, text: str) -> Path:
    (folder / "pjsip.conf").write_text(text)
    return folder


def password(folder: Path) -> str:
    return load(folder).auths["a"].password.get_secret_value()


@pytest.mark.parametrize("content", ["s3cret", "s3cret\n", "s3cret\r\n", "s3cret\nmore\n"])
def test_the_first_line_of_a_file_is_the_password(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content, newline="")
    for named in ("secret", str(tmp_path / "secret")):
        assert password(write(tmp_path, f"{SECTION}password_file={named}\n")) == "s3cret"


def test_an_include_that_is_ours_alone_may_add_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "pjreg_secrets.conf").write_text("[a](+)\npassword_file=secret\n")
    write(tmp_path, f"{SECTION}#tryinclude pjreg_secrets.conf\n")
    assert password(tmp_path) == "s3cret"


def test_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALICE_PASSWORD", "s3cret")
    assert password(write(tmp_path, f"{SECTION}password_env=ALICE_PASSWORD\n")) == "s3cret"


@pytest.mark.parametrize("spelling", ["$CREDENTIALS_DIRECTORY", "${CREDENTIALS_DIRECTORY}"])
def test_what_systemd_lets_a_service_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "alice").write_text("s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert password(write(tmp_path, f"{SECTION}password_file={spelling}/alice\n")) == "s3cret"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("password_file=none", "what it names cannot be read: No such file or directory"),
        ("password_file=.", "cannot be read: Is a directory"),
        ("password_file=empty", "empty is empty"),
        ("password_env=PJREG_NOT_SET", "there is no variable PJREG_NOT_SET"),
        ("password_file=secret\npassword=x", "there is another password besides"),
        ("password_file=secret\npassword_env=HOME", "there is another password besides"),
    ],
)
def test_what_cannot_be_had_is_told_with_its_place(tmp_path: Path, more: str, word: str) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "empty").write_text("\n")
    settings = load(write(tmp_path, f"{SECTION}{more}\n"))
    assert "a" not in settings.auths
    problem = settings.problems[0]
    assert word in problem.message
    assert problem.line == 4
    assert "s3cret" not in problem.message


def test_a_file_that_changes_is_read_at_a_reload(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    settings = load(write(tmp_path, f"{SECTION}password_file=secret\n"))
    assert "a" not in settings.auths
    for content in ("first", "the second"):
        secret.write_text(content)
        result = reload(settings, Scope.PJSIP)
        settings = result.settings
        assert settings.auths["a"].password.get_secret_value() == content
        assert reload(settings, Scope.PJSIP).settings.auths is settings.auths


def test_nothing_named_is_nothing_fetched() -> None:
    assert fetch({"password": "x"}, "pjsip.conf:1") is None
    with pytest.raises(PasswordError, match="empty"):
        fetch({"password_file": "/dev/null"}, "pjsip.conf:1")
