"""The configuration language."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config import reader
from pjreg_cli.config.reader import Document, read
from pjreg_cli.errors import ConfigError
from tests.support.texts import Texts


def document(text: str, **others: str) -> Document:
    files = {name.replace("_", "."): content for name, content in others.items()}
    return read("main", Texts({"main": text, **files}))


def options(text: str, name: str = "a", **others: str) -> list[tuple[str, str]]:
    sections = document(text, **others).sections
    return [entry[:2] for section in sections if section.name == name for entry in section.entries]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("k=v", ("k", "v")),
        ("  k \t =  v w  ", ("k", "v w")),
        ("k => v", ("k", "v")),
        ("k = > v", ("k", "> v")),
        ("k=", ("k", "")),
        ("k=a=b", ("k", "a=b")),
        ("k = v ; comment", ("k", "v")),
        (r"k = v\;w;comment", ("k", "v;w")),
        ("k = v;-- inside --; w", ("k", "v w")),
        ("k = v ;--- ordinary", ("k", "v")),
        ("k = v;--x--;;y", ("k", "v")),
        (r"k = a\;b\;c", ("k", "a;b;c")),
        ("k = a--b", ("k", "a--b")),
        (r"\[k = v", ("[k", "v")),
        (r"\=k = v", ("=k", "v")),
        ("k\xa0= v\xa0", ("k\xa0", "v\xa0")),
    ],
)
def test_line_is_read_as_option(line: str, expected: tuple[str, str]) -> None:
    assert options(f"[a]\n{line}\n") == [expected]
    assert options(f"[a]\n{line}") == [expected]


@pytest.mark.parametrize(
    "line",
    ["just words", "\xa0", "= v", "#frobnicate x", "#exec x", "#include", "#", "", ";k=v", "+= v"],
)
def test_line_is_skipped(line: str) -> None:
    assert options(f"[a]\nk=v\n{line}\nl=w") == [("k", "v"), ("l", "w")]


def test_skipped_lines_are_remarked_with_their_line() -> None:
    remarks = document("[a]\nwords\n#exec /bin/x\n#foo\n#include\n=v\n[b] (c)\n").remarks
    assert [remark.line for remark in remarks] == [2, 3, 4, 5, 6, 7]


def test_block_comment_spans_lines_and_nests() -> None:
    text = "[a]\nk=1;--one\nl=2\n;-- deeper\n--;\nm=3\n--; n=4\no=5"
    assert options(text) == [("k", "1"), ("n", "4"), ("o", "5")]


def test_block_comment_without_end_is_remarked_where_it_begins() -> None:
    remarks = document("[a]\nk=1\n;-- x\nl=2").remarks
    assert [(remark.line, "never ends" in remark.message) for remark in remarks] == [(3, True)]


def test_value_is_appended_to_the_last_of_its_key() -> None:
    assert options("[a]\nk=1\nk=2\nk+=,3\nm += x") == [("k", "1"), ("k", "2,3"), ("m", "x")]


def test_blanks_behind_the_sign_of_appending_belong_to_the_value() -> None:
    assert options("[a]\nk = A\nk += B \nl=1\nl +=\t2;c") == [("k", "A B"), ("l", "1\t2")]


def test_appending_does_not_change_the_template() -> None:
    text = "[t](!)\nk=1\n[a](t)\nk+=2\n[b](t)"
    assert options(text) == [("k", "12")]
    assert options(text, "b") == [("k", "1")]


def test_templates_are_inherited_in_order_and_chained() -> None:
    text = "[t](!)\nk=1\n[u](!,t)\nk=2\nl=3\n[a](t,u)\nl=4"
    assert options(text) == [("k", "1"), ("k", "1"), ("k", "2"), ("l", "3"), ("l", "4")]
    assert [section.template for section in document(text).sections] == [True, True, False]


def test_any_section_can_be_inherited_in_any_letter_case() -> None:
    assert options("[Base]\nk=1\n[a](BASE)") == [("k", "1")]


def test_addition_goes_to_the_first_section_of_the_name() -> None:
    text = "[a]\nk=1\n[b]\n[a](+)\nk=2\n[b](+)\nx=y"
    assert options(text) == [("k", "1"), ("k", "2")]
    assert len(document(text).sections) == 2


def test_addition_to_a_template_must_ask_for_templates() -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        document("[a](!)\nk=1\n[a](+)")
    assert options("[a](!)\nk=1\n[a](+TEMPLATES=restrict)\nk=2") == [("k", "1"), ("k", "2")]


def test_addition_can_ask_for_an_option() -> None:
    text = "[a]\ntype=auth\n[a]\ntype=endpoint\n[a](+type=^end)\nx=y"
    assert [len(section.entries) for section in document(text).sections] == [1, 2]


def test_blanks_inside_brackets_belong_to_the_name_and_text_behind_is_ignored() -> None:
    found = document("[My Trunk] words\n[ b ]\n[c] (d)")
    assert [section.name for section in found.sections] == ["My Trunk", " b ", "c"]


def test_entries_know_the_line_that_is_really_meant() -> None:
    found = document("[t](!)\n\nk=1\n#include inc\n", inc="[a](t)\nl=2\n")
    section = found.sections[1]
    assert (section.path, section.line) == ("inc", 1)
    assert section.entries == [("k", "1", 3, "main"), ("l", "2", 2, "inc")]


@pytest.mark.parametrize("how", ['"inc"', "inc", "<inc>", "  inc  ", "i*"])
def test_include_is_followed(how: str) -> None:
    assert options(f"[b]\n#include {how}\n", inc="[a]\nk=1") == [("k", "1")]


def test_included_file_goes_on_with_the_section_and_leaves_it_alone() -> None:
    text = "[a]\nk=1\n#include inc\nl=2"
    assert options(text, inc="m=3") == [("k", "1"), ("m", "3"), ("l", "2")]
    assert options(text, inc="[b]\nm=3") == [("k", "1"), ("l", "2")]


def test_missing_file_is_forgiven_by_tryinclude() -> None:
    assert options("[a]\nk=1\n#tryinclude nothere\nl=2") == [("k", "1"), ("l", "2")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("k=1\n[a]", 1),
        ("words", 1),
        ("[a]\n[b", 2),
        ("[a](b", 1),
        ("[a](b)", 1),
        ("[a](+)", 1),
        ("[a](b, c)\n", 1),
        ("[a]\n#include nothere", 2),
        ("[a]\n#include x*", 2),
        ("[a]\n#include main", 2),
        ("[a]\n\\", 2),
    ],
)
def test_whole_file_is_given_up_with_the_line(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        document(text)
    assert caught.value.line == line


def test_file_that_is_not_there_is_given_up() -> None:
    with pytest.raises(ConfigError):
        read("nothere", Texts({}))


def test_forgiving_reader_tells_all_reasons_to_give_up_at_once() -> None:
    text = "k=1\n[a](b)\nl=2\n[c\n[d](+)\n#include nothere\nm=3"
    found = read("main", Texts({"main": text}), forgiving=True)
    assert [remark.line for remark in found.remarks] == [1, 2, 4, 5, 6]
    assert [section.name for section in found.sections] == ["a", "d"]


def test_broken_file_that_is_tried_counts_up_to_the_mistake() -> None:
    text = "[a]\nk=1\n#tryinclude inc\nl=2"
    assert options(text, inc="m=3\n[b\nn=4") == [("k", "1"), ("m", "3"), ("l", "2")]


def test_circles_of_includes_end_and_are_told_where_they_close() -> None:
    text = "[a]\n" + "#tryinclude main\n" * 50
    (remark,) = document(text).remarks
    assert (remark.line, "a circle" in remark.message) == (2, True)
    with pytest.raises(ConfigError, match="a circle") as caught:
        document("#include one", one="[a]\n#include two", two="k=v\n\n#include one")
    assert (caught.value.path, caught.value.line) == ("two", 3)


def test_includes_that_only_go_too_deep_are_told_at_the_last_one() -> None:
    files = {f"f{n}": f"#include f{n + 1}\n" for n in range(12)}
    with pytest.raises(ConfigError, match="nested deeper") as caught:
        document("[a]\n#include f0\n", **files)
    assert (caught.value.path, caught.value.line) == ("f8", 1)


def test_file_that_cannot_be_opened_says_why() -> None:
    class Locked(Texts):
        def lines(self, path: str) -> Iterable[str]:
            if path == "inc":
                raise PermissionError(13, "Permission denied", path)
            yield from super().lines(path)

    with pytest.raises(ConfigError, match=r"#include of 'inc': cannot be read: permission denied"):
        read("main", Locked({"main": "#include inc", "inc": ""}))


@pytest.mark.parametrize(
    "text",
    [
        "[a]\npassword=x\nhunter2",
        "[a]\npassword=x\n#hunter2 y",
        "[a]\npassword=x\n[hunter2",
        "[a]\npassword=x\n[b] hunter2",
        "hunter2",
        "hunter2=x",
        "[a]\n{{ if }}[hunter2]",
    ],
)
def test_what_may_be_the_rest_of_a_password_is_never_repeated(text: str) -> None:
    remarks = read("main", Texts({"main": text}), forgiving=True).remarks
    assert remarks
    assert "hunter2" not in str(remarks)


def test_header_inside_a_line_is_told_to_be_none() -> None:
    (remark,) = document("[a]\n{{ if .X }}[b]\n").remarks
    assert "must begin its line" in remark.message


def test_name_of_a_section_is_cut_to_the_bytes_that_count() -> None:
    (section,) = document(f"[{'é' * 50}]").sections
    assert section.name == "é" * 39 + "\udcc3"


def test_too_long_line_is_skipped() -> None:
    assert options(f"[a]\nk={'x' * 8200}\nl=1") == [("l", "1")]


def test_unescaped_semicolon_behind_a_value_is_remembered() -> None:
    cuts = document("[a]\nk=sip:x;lr\nl=sip:x\\;lr ; comment\nm=1;transport=tcp\nn=a;12").cuts
    assert [(cut.line, cut.text) for cut in cuts] == [(2, "lr"), (4, "transport=tcp"), (5, "")]


_pieces = st.sampled_from(
    [
        "[a]", "[", "]", "(!)", "(+)", "(a)", "k", "=", "+=", "=>", ";", ";--", "--;", "\\", "\\;",
        " ", "\t", "\n", "\n#include main\n", "\n#tryinclude main\n", "#tryinclude x", "ä", "\0",
    ]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(_pieces).map("".join)))
def test_reader_raises_nothing_but_config_errors(text: str) -> None:
    try:
        document(text)
    except ConfigError as error:
        assert error.line > 0  # noqa: PT017 - any text may be right or wrong
    read("main", Texts({"main": text}), forgiving=True)


def test_a_nul_byte_ends_its_line_and_is_said() -> None:
    read = document("[a]\nlog_file = a\0b\nl = w\n\0k = v\n")
    assert [entry[:2] for entry in read.sections[0].entries] == [("log_file", "a"), ("l", "w")]
    assert [problem.line for problem in read.remarks] == [2, 4]
    assert "NUL" in read.remarks[0].message


def test_packed_sections_are_what_they_were_and_can_be_added_to() -> None:
    text = "[a](!)\nk=1\n[b](a)\nl=2\nm=3\n[c]\nn=4\n[b](+)\nl=5\n#include inc\nafter=8\n"
    read = document(text, inc="[d]\no=6\n[e](b)\np=7\n")
    by_name = {section.name: section for section in read.sections}
    for _ in range(2):
        assert [entry[:3] for entry in by_name["b"].entries] == [
            ("k", "1", 2), ("l", "2", 4), ("m", "3", 5), ("l", "5", 9), ("after", "8", 11),
        ]  # fmt: skip
        assert [entry[0] for entry in by_name["e"].entries] == ["k", "l", "m", "l", "p"]
        assert by_name["c"].entries == [("n", "4", 7, "main")]
        for section in read.sections:
            section.pack()
    by_name["c"].entries.append(("q", "9", 12, "main"))
    by_name["c"].pack()
    assert [entry[0] for entry in by_name["c"].entries] == ["n", "q"]


_lines = st.lists(
    st.one_of(
        st.lists(_pieces, max_size=8).map("".join),
        st.text(st.characters(max_codepoint=130, exclude_characters="\n"), max_size=20),
        st.from_regex(r"[a-z_./+\-]{1,8} {0,2}[=+>]{1,3} {0,2}[ -~]{0,12}", fullmatch=True),
    ),
    max_size=6,
)


class _Never:
    """An expression that nothing fits."""

    def fullmatch(self, _text: str) -> None:
        return None


def everything(text: str) -> object:
    """What is read of a text."""
    found = read("main", Texts({"main": text}), forgiving=True)
    sections = [(one.name, one.line, one.template, one.entries) for one in found.sections]
    return sections, found.remarks, found.cuts


@given(_lines)
def test_what_is_read_quickly_is_read_as_the_rest(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in ("[a]", *lines, *lines))
    quickly = everything(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_OPTION", _Never())
        assert everything(text) == quickly
