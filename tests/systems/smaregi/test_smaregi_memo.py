from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model.ids import OpId
from inventory_sync.systems.smaregi.memo import MAX_MEMO, OwnMemo, compose_memo, parse_memo

installations = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16)
ops = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80).map(OpId)


@given(installations, ops)
def test_every_memo_reads_back_as_what_was_written(installation: str, op: OpId) -> None:
    memo = compose_memo(installation, op)
    assert parse_memo(memo) == OwnMemo(installation, op)
    assert len(memo) <= MAX_MEMO


@given(st.text(max_size=120))
def test_a_memo_that_is_taken_for_ours_is_exactly_one_we_would_write(text: str) -> None:
    own = parse_memo(text)
    assert own is None or compose_memo(own.installation, own.op) == text


@pytest.mark.parametrize(
    "foreign",
    [None, "", "棚卸", "zs:01J9Z7:set", "IS:shop1:a", "is:shop1", "is::a", "is:shop1:", "is:Shop1:a", "is:shop1:a b",
     " is:shop1:a", "is:shop1:a\n", "is:shop1:" + "a" * 81, "is:" + "a" * 17 + ":op"],
)  # fmt: skip
def test_any_other_memo_is_somebody_elses(foreign: str | None) -> None:
    assert parse_memo(foreign) is None


@pytest.mark.parametrize(
    ("installation", "op"), [("", "a"), ("Shop", "a"), ("a" * 17, "a"), ("shop", ""), ("shop", "注文")]
)
def test_a_memo_that_could_not_be_read_back_is_never_written(installation: str, op: str) -> None:
    with pytest.raises(ValueError, match="no memo can carry"):
        compose_memo(installation, OpId(op))
