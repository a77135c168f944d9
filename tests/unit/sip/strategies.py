"""What the properties of the SIP tests are drawn from."""

from __future__ import annotations

from hypothesis import strategies as st

from pjreg_cli.sip.uri import NameAddress, SipUri

_UNRESERVED = "abcXYZ019-_.!~*'()"
_escaped = st.integers(0, 255).map(lambda octet: f"%{octet:02X}")


def _of(characters: str, least: int = 1) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(characters) | _escaped, min_size=least, max_size=6).map("".join)


tokens = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=8)
hosts = (
    st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9-]{1,8}){0,2}", fullmatch=True)
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(str)
)
ports = st.none() | st.integers(0, 65535)
uri_parameters = st.lists(
    st.tuples(
        st.sampled_from(["transport", "lr", "user", "Maddr", "x", "%61"]),
        st.none() | _of(_UNRESERVED + "[]/:&+$", 0),
    ),
    max_size=3,
).map(tuple)


@st.composite
def uris(draw: st.DrawFn) -> SipUri:
    """Valid SIP URIs of every shape."""
    user = draw(st.none() | _of(_UNRESERVED + "&=+$,;?/#"))
    password = draw(st.none() | _of(_UNRESERVED + "&=+$,", 0)) if user else None
    return SipUri(
        draw(st.sampled_from(["sip", "sips"])),
        user,
        password,
        draw(hosts),
        draw(ports),
        draw(uri_parameters),
        draw(st.sampled_from(["", "a=b", "Subject=x%20y&to=%22"])),
    )


quoted_values = st.text(max_size=6).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
header_parameters = st.lists(
    st.tuples(st.sampled_from(["tag", "expires", "q", "+sip.instance"]), st.none() | tokens)
    | st.tuples(st.just("x"), quoted_values),
    max_size=3,
).map(tuple)
name_addresses = st.builds(
    NameAddress,
    st.text(max_size=8).filter(lambda text: "\r" not in text and "\n" not in text),
    uris(),
    header_parameters,
)

#: text that looks like SIP often enough to get past the first check of a parser
_PIECES = """
    sip: sips: < > " \\ ; = , : @ [ ] ::1 a % ? tag SIP/2.0 /UDP Digest realm nonce qop é Via From
    To Call-ID CSeq 1 99999999999 REGISTER
"""
sip_like = (
    st.lists(
        st.sampled_from([*_PIECES.split(), " ", "\t", "\r\n", "\n", "\udcff", "\0"]), max_size=24
    ).map("".join)
    | st.text(max_size=40)
)  # fmt: skip
