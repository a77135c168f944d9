"""Extended regular expressions as POSIX and the C library mean them."""

from __future__ import annotations

import ctypes
import platform
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pjreg_cli.config.pattern import (
    Pattern,
    PatternError,
    RefusedPatternError,
    compile_pattern,
)

TEXTS = ["", "a", "b", "ab", "abc", "aab", "A1", "a-b", "a.b", "a b", "[a]", "a{2}", "(a", "a)"]
TEXTS += ["^a", "$", "aa", "1", "-", "_a", "{", "}", "a,b", "d", "\\", "bcA", "x=y:"]
PIECES = ["a", "b", "c", "A", "1", "-", ".", "*", "+", "?", "(", ")", "[", "]", "^", "$", "|"]
PIECES += ["\\", "{", "}", "{2}", "{1,2}", "{,2}", "{2,}", "[:alpha:]", "[^a]", "[a-c]", "[]a]"]
PIECES += ["_", " ", "\\w", "\\W", "\\s", "<", "\\<", "\\>", "\\b", ",", "[[:digit:]]", "(a|b)"]


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        ("^al", ["alice", "al-2"], ["bob", "xal"]),
        ("l$", ["carol"], ["alice"]),
        ("^(bob|carol)$", ["bob", "carol"], ["bobby"]),
        ("o", ["bob"], ["B"]),
        ("ALICE", ["ALICE"], ["alice"]),
        (".*", ["", "anything"], []),
        ("a+?", ["", "b"], []),
        (r"\d", ["d"], ["5"]),
        (r"[\d]", ["\\", "d"], ["5"]),
        ("[[:digit:]]{2,3}", ["x12"], ["1"]),
        ("[[:upper:]_]", ["_", "A"], ["a"]),
        ("[]x]", ["]", "x"], ["["]),
        ("[a-]", ["-", "a"], ["b"]),
        ("a)", ["a)"], ["a"]),
        ("a**", ["", "b"], []),
        ("ba{,}c", ["bc", "baac"], ["b"]),
        ("trunk/1", ["trunk/1"], ["trunk1"]),
        ("[[.-.]]", ["-"], ["a"]),
    ],
)
def test_pattern_is_found_anywhere(pattern: str, found: list[str], missed: list[str]) -> None:
    search = compile_pattern(pattern).search
    assert [text for text in (*found, *missed) if search(text)] == found


@pytest.mark.parametrize(
    "pattern",
    [
        *("[", "(", "*a", "+", "a|*", "(?:a)", "a{2", "{2}", "a{3,2}", "[z-a]", "[[:no:]]", "\\"),
        *("a{}", "a{99999}", "^*", r"\b+", "[a-[:digit:]]", "[[:digit:]-z]"),
    ],
)
def test_bad_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\1", r"(a)|\1", r"(a)\1", r"[]\x]\9"),
        *("a" * 1001, "a\0b", "((a{30}){30}){30}", "a{1000}b{1000}", "(a?){900}a{900}"),
    ],
)
def test_costly_pattern_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(RefusedPatternError):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"[\1]", r"a\\1", "[[:digit:]]", r"[^]\2]"])
def test_what_only_looks_like_a_back_reference_is_taken(pattern: str) -> None:
    assert compile_pattern(pattern).search("a\\1") in (True, False)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|aa)+b", "a" * 10_000),
        ("(a+)+x", "a" * 10_000),
        ("(([a-z]+)-*)+[0-9]$", "office-line-number-one-at-provider-" * 300),
        ("^([a-z]+-?)+$", "voipms-main-toronto-secondary_1" * 300),
        ("(a?){300}a{300}", "a" * 299),
        ("(.*.*.*.*.*){20}x", "ab" * 5_000),
    ],
)
def test_patterns_that_make_others_hang_are_answered(pattern: str, text: str) -> None:
    """Backtracking would not end within the time limit of a test."""
    assert not compile_pattern(pattern).search(text)


@pytest.mark.parametrize(
    "pattern", ["a)|b", "b|a)", "^b|c", "(^b|c$)", "^$", "a|", r"\`b|x$", "[^a]b"]
)
@pytest.mark.parametrize("text", ["a)", "b", "xb", "c", "xcx", "a", "", "x\nb", "x\nxb"])
def test_one_pass_finds_what_many_do(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).search(text) == Pattern(pattern.encode()).search(text)


def test_bytes_count_as_in_asterisk() -> None:
    assert compile_pattern("^z..rich$").search("zürich")
    assert compile_pattern("ü").search("zürich")
    assert compile_pattern("^a.b$").search("a\udcffb")


@given(st.text())
def test_any_text_compiles_or_is_refused(pattern: str) -> None:
    with suppress(PatternError):
        compile_pattern(pattern).search("x")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="compares with the GNU C library")
@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_the_c_library_agrees(pattern: str) -> None:
    try:
        search = compile_pattern(pattern).search
        ours: list[bool] | None = [search(text) for text in TEXTS]
    except RefusedPatternError:
        # what would take more room than we give it is refused, and it is said so
        assume(False)
        return
    except PatternError:
        ours = None
    assert ours == _by_c(pattern)


def _by_c(pattern: str) -> list[bool] | None:
    """What regcomp (extended, no submatches) and regexec say; None: it does not compile."""
    libc = ctypes.CDLL(None)
    compiled = ctypes.create_string_buffer(256)
    if libc.regcomp(compiled, pattern.encode(), 1 | 8):
        return None
    found = [libc.regexec(compiled, text.encode(), 0, None, 0) == 0 for text in TEXTS]
    libc.regfree(compiled)
    return found
