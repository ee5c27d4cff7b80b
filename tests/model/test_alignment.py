"""What an alignment would do with each pair: the gap and nothing but the gap, and never a surprise."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inventory_sync.model import alignment
from inventory_sync.model.alignment import (
    AlignPolicy,
    BaseSide,
    Catch,
    CellCondition,
    PreviewAction,
    PreviewRow,
    Waiting,
    after_stop,
    check_policy,
    needs_person,
    preview,
)
from inventory_sync.model.publish import PublishRule, published
from inventory_sync.systems.port import Condition

levels = st.integers(-200, 1_000)
gaps = st.integers(-50, 50)
rules = st.builds(
    PublishRule, buffer=st.integers(0, 30), percent=st.integers(0, 100), maximum=st.none() | st.integers(0, 500)
)
plain_rules = st.builds(PublishRule, buffer=st.integers(0, 30))
policies = st.sampled_from(AlignPolicy)
without_number = st.sampled_from([each for each in CellCondition if each is not CellCondition.ACTIVE])


def active(level: int) -> BaseSide:
    return BaseSide(CellCondition.ACTIVE, level)


def told(row: PreviewRow, ledger: int, rule: PublishRule, offset: int, held: int) -> int:
    """What the channel would be told once the row is confirmed and carried out."""
    return published(ledger + row.owed, replace(rule, offset=offset), kept=row.kept, held=held)


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(alignment).failed == 0


def test_a_condition_is_named_as_the_system_port_names_it() -> None:
    assert {each.value for each in CellCondition} == {each.value for each in Condition}


@given(levels, levels, rules, gaps, st.integers(0, 20))
def test_when_the_ledger_wins_the_channel_moves_to_its_target_and_no_gap_is_left(
    ledger: int, channel: int, rule: PublishRule, offset: int, held: int
) -> None:
    row = preview(active(ledger), active(channel), replace(rule, offset=offset), AlignPolicy.LEDGER_WINS, held=held)
    target = published(ledger, replace(rule, offset=offset), held=held)
    assert (row.kept, row.owed) == (0, 0)
    if target == channel or (channel < 0 and target == 0):
        assert (row.action, row.delta) == (PreviewAction.NOTHING, 0)
    else:
        assert (row.action, row.before, row.after, row.delta) == (
            PreviewAction.WRITE_CHANNEL,
            channel,
            target,
            target - channel,
        )


@given(levels, levels, plain_rules, gaps, st.integers(0, 20))
def test_when_the_channel_wins_the_ledger_moves_so_that_the_channel_is_told_what_it_shows(
    ledger: int, channel: int, rule: PublishRule, offset: int, held: int
) -> None:
    row = preview(active(ledger), active(channel), replace(rule, offset=offset), AlignPolicy.CHANNEL_WINS, held=held)
    assert told(row, ledger, rule, offset, held) == max(0, channel)
    assert row.kept == 0
    if row.action is PreviewAction.WRITE_LEDGER:
        assert (row.before, row.after, row.delta) == (ledger, ledger + row.owed, row.owed)
    else:
        assert (row.action, row.owed) == (PreviewAction.NOTHING, 0)


@given(levels, levels, plain_rules)
def test_a_channel_with_nothing_to_sell_never_raises_the_ledger(ledger: int, channel: int, rule: PublishRule) -> None:
    assume(channel <= 0)
    assert preview(active(ledger), active(channel), rule, AlignPolicy.CHANNEL_WINS).owed <= 0


@given(st.integers(0, 500), st.integers(0, 500))
def test_where_the_channel_wins_over_a_target_that_is_not_cut_off_the_delta_is_channel_less_target(
    ledger: int, channel: int
) -> None:
    row = preview(active(ledger), active(channel), PublishRule(), AlignPolicy.CHANNEL_WINS)
    assert row.owed == channel - ledger


@given(levels, levels, rules, gaps, st.integers(0, 20))
def test_when_the_difference_is_kept_nothing_is_written_and_the_target_is_what_the_channel_shows(
    ledger: int, channel: int, rule: PublishRule, offset: int, held: int
) -> None:
    row = preview(active(ledger), active(channel), replace(rule, offset=offset), AlignPolicy.KEEP_DIFFERENCE, held=held)
    assert row.action in (PreviewAction.KEEP, PreviewAction.NOTHING)
    assert (row.delta, row.owed, row.before, row.after) == (0, 0, channel, channel)
    assert told(row, ledger, rule, offset, held) == max(0, channel)


@given(st.integers(0, 500), st.integers(1, 500), st.integers(1, 500))
def test_a_kept_gap_moves_one_for_one_with_the_ledger_afterwards(ledger: int, channel: int, moved: int) -> None:
    row = preview(active(ledger), active(channel), PublishRule(), AlignPolicy.KEEP_DIFFERENCE)
    assert published(ledger + moved, PublishRule(), kept=row.kept) == channel + moved


@pytest.mark.parametrize("policy", AlignPolicy)
def test_a_channel_below_zero_with_nothing_to_sell_stays_as_it_stands(policy: AlignPolicy) -> None:
    row = preview(active(0), active(-4), PublishRule(buffer=5), policy)
    assert (row.action, row.before, row.after, row.kept, row.owed) == (PreviewAction.NOTHING, -4, -4, 0, 0)


@given(without_number, st.none() | levels, st.booleans(), rules, policies)
def test_a_pair_whose_ledger_has_no_number_is_excluded(
    condition: CellCondition, channel: int | None, can_activate: bool, rule: PublishRule, policy: AlignPolicy
) -> None:
    assume(check_policy(policy, rule) is None)
    other = BaseSide(CellCondition.ABSENT, None, can_activate) if channel is None else active(channel)
    row = preview(BaseSide(condition, None), other, rule, policy)
    assert (row.action, row.delta, row.kept, row.owed) == (PreviewAction.EXCLUDED, 0, 0, 0)
    assert "ledger" in row.why_en
    assert "在庫台帳" in row.why_ja


@given(without_number, levels, policies)
def test_a_pair_whose_channel_has_no_number_is_excluded(
    condition: CellCondition, ledger: int, policy: AlignPolicy
) -> None:
    assume(condition is not CellCondition.UNREADABLE or policy is not AlignPolicy.LEDGER_WINS)
    row = preview(active(ledger), BaseSide(condition, None), PublishRule(), policy)
    assert (row.action, row.delta, row.kept, row.owed) == (PreviewAction.EXCLUDED, 0, 0, 0)
    assert "channel" in row.why_en
    assert "販売チャネル" in row.why_ja


@given(levels)
def test_a_number_that_can_be_set_and_not_read_is_told_where_the_ledger_wins(ledger: int) -> None:
    row = preview(active(ledger), BaseSide(CellCondition.UNREADABLE, None), PublishRule(), AlignPolicy.LEDGER_WINS)
    assert (row.action, row.before, row.after) == (PreviewAction.WRITE_CHANNEL, None, max(0, ledger))


@pytest.mark.parametrize("condition", [CellCondition.INACTIVE, CellCondition.ABSENT])
def test_a_channel_cell_that_can_be_switched_on_is_told_the_ledgers_number(condition: CellCondition) -> None:
    off = BaseSide(condition, None, can_activate=True)
    row = preview(active(9), off, PublishRule(buffer=2), AlignPolicy.LEDGER_WINS)
    assert (row.action, row.before, row.after, row.delta) == (PreviewAction.WRITE_CHANNEL, None, 7, 7)
    nothing = preview(active(2), off, PublishRule(buffer=2), AlignPolicy.LEDGER_WINS)
    assert (nothing.action, nothing.after) == (PreviewAction.NOTHING, None)


@pytest.mark.parametrize("condition", [CellCondition.UNTRACKED, CellCondition.GONE])
def test_an_untracked_or_vanished_cell_is_never_switched_on(condition: CellCondition) -> None:
    row = preview(active(9), BaseSide(condition, None, can_activate=True), PublishRule(), AlignPolicy.LEDGER_WINS)
    assert row.action is PreviewAction.EXCLUDED


def test_an_active_cell_that_was_not_read_yet_is_excluded() -> None:
    for row in (
        preview(BaseSide(CellCondition.ACTIVE, None), active(3), PublishRule(), AlignPolicy.LEDGER_WINS),
        preview(active(3), BaseSide(CellCondition.ACTIVE, None), PublishRule(), AlignPolicy.LEDGER_WINS),
    ):
        assert row.action is PreviewAction.EXCLUDED


@pytest.mark.parametrize("rule", [PublishRule(percent=99), PublishRule(maximum=7)])
def test_the_channel_cannot_win_over_a_share_or_a_maximum(rule: PublishRule) -> None:
    with pytest.raises(ValueError, match="percent 100 and no maximum"):
        preview(active(3), active(4), rule, AlignPolicy.CHANNEL_WINS)


@given(st.none() | levels, st.integers(-500, 500), st.integers(0, 400))
def test_a_new_pair_waits_for_a_person_only_beyond_200_an_hour_or_for_a_large_move_of_stock_on_sale(
    channel: int | None, delta: int, pairs: int
) -> None:
    waits = needs_person(channel=channel, delta=delta, pairs_in_last_hour=pairs)
    if pairs > 200:
        assert waits is Waiting.MANY_NEW_PAIRS
    elif channel is not None and channel > 0 and abs(delta) > 50:
        assert waits is Waiting.LARGE_MOVE
    else:
        assert waits is None


@pytest.mark.parametrize(
    ("channel", "delta", "pairs", "waits"),
    [
        (1, 50, 200, None),
        (1, -51, 200, Waiting.LARGE_MOVE),
        (0, 500, 1, None),
        (-3, 500, 1, None),
        (None, 500, 1, None),
        (None, 1, 201, Waiting.MANY_NEW_PAIRS),
    ],
)
def test_the_limits_for_new_pairs_are_where_they_are_said_to_be(
    channel: int | None, delta: int, pairs: int, waits: Waiting | None
) -> None:
    assert needs_person(channel=channel, delta=delta, pairs_in_last_hour=pairs) is waits


@given(gaps, st.integers(0, 50), st.integers(-50, 0))
def test_after_a_stop_every_unit_is_delivered_or_waits_and_falls_never_wait(ledger: int, up: int, down: int) -> None:
    catch = after_stop(ledger_moved=ledger, channel_moved_up=up, channel_moved_down=down)
    assert catch.to_channel + catch.waiting_to_channel == ledger
    assert catch.to_ledger + catch.waiting_to_ledger == up + down
    assert catch.to_ledger <= up + down
    assert (catch.waits is Waiting.BOTH_ROSE) == (ledger > 0 and up > 0)
    assert catch.waiting_to_channel >= 0
    assert catch.waiting_to_ledger >= 0


def test_a_rise_on_one_side_alone_is_delivered() -> None:
    assert after_stop(ledger_moved=4, channel_moved_up=0, channel_moved_down=-1) == Catch(to_channel=4, to_ledger=-1)
    assert after_stop(ledger_moved=-4, channel_moved_up=3, channel_moved_down=0) == Catch(to_channel=-4, to_ledger=3)


@pytest.mark.parametrize(("up", "down"), [(-1, 0), (0, 1)])
def test_a_sum_with_the_wrong_sign_is_refused(up: int, down: int) -> None:
    with pytest.raises(ValueError, match="rises are never below 0"):
        after_stop(ledger_moved=0, channel_moved_up=up, channel_moved_down=down)


@given(levels, levels, rules, st.integers(0, 100), policies)
def test_an_item_that_is_left_out_is_never_written(
    ledger: int, channel: int, rule: PublishRule, end_when: int, policy: AlignPolicy
) -> None:
    row = preview(active(ledger), active(channel), replace(rule, end_when=end_when, excluded=True), policy)
    assert (row.action, row.before, row.after, row.owed, row.kept) == (PreviewAction.NOTHING, channel, channel, 0, 0)


@given(levels, levels, rules, st.integers(1, 100), st.integers(0, 20))
def test_a_difference_is_not_kept_where_so_little_is_left_that_the_channel_is_told_nothing(
    ledger: int, channel: int, rule: PublishRule, end_when: int, held: int
) -> None:
    ending = replace(rule, end_when=end_when)
    row = preview(active(ledger), active(channel), ending, AlignPolicy.KEEP_DIFFERENCE, held=held)
    if row.action is PreviewAction.KEEP:
        assert told(row, ledger, ending, 0, held) == max(0, channel)
    elif 0 < channel <= end_when:
        assert row.after == 0


def test_a_channel_cannot_win_where_the_end_of_a_rule_hides_how_much_there_is() -> None:
    assert "end_when" in str(check_policy(AlignPolicy.CHANNEL_WINS, PublishRule(end_when=3)))
    assert check_policy(AlignPolicy.CHANNEL_WINS, PublishRule(offset=3, buffer=2)) is None
