"""Going on where another one stopped: no CSeq is used twice, and every one is higher."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.cluster.resume import RESERVE, Resumable, first_cseq, left_s


@given(st.lists(st.tuples(st.integers(0, RESERVE - 1), st.integers(0, RESERVE - 1), st.booleans())))
def test_whatever_owners_write_or_lose_every_cseq_is_higher(
    owners: list[tuple[int, int, bool]],
) -> None:
    row_epoch, row_cseq, highest = 0, 1, 0
    for epoch, (written, beyond, writes) in enumerate(owners, 1):
        cseq = first_cseq(row_cseq, row_epoch, epoch)
        if writes and written:
            used = list(range(cseq, cseq + written))
            row_epoch, row_cseq = epoch, cseq + written
            used += range(row_cseq, row_cseq + beyond)  # sent, and its journal lost
        else:
            used = list(range(cseq, cseq + beyond))
        for number in used:
            assert number > highest
            highest = number


def test_what_is_left_is_never_more_than_was_granted() -> None:
    row = Resumable("a", "i", "c", 1, "registered", granted_s=60, expires_in_s=9e9)
    assert left_s(row).expires_in_s == 60.0
    assert left_s(row).refresh_in_s is None
    assert left_s(row._replace(granted_s=0)).expires_in_s == 9e9
