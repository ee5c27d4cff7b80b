"""What policy makes of an order, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model.order_policy import (
    Listed,
    OrderPolicy,
    Stand,
    UnknownSku,
    Unpaid,
    expired,
    own_part,
    policy_of,
    rest,
    weigh,
)

STATES = ("provisional", "placed", "shipped", "cancelled", "returned", "vanished")
listings = st.builds(
    Listed,
    st.sampled_from(STATES),
    st.integers(0, 9),
    st.sampled_from(("", "paid", "unpaid", "refunded")),
    st.booleans(),
    st.booleans(),
)
policies = st.builds(OrderPolicy, st.sampled_from(Unpaid), st.just(timedelta(days=1)), st.sampled_from(UnknownSku))


@given(st.lists(listings, max_size=8), policies, st.booleans())
def test_whatever_becomes_of_an_order_its_units_are_somewhere(
    story: list[Listed], policy: OrderPolicy, counts: bool
) -> None:
    stand, fallen, told, waived = Stand(), 0, 0, 0
    for listed in story:
        found = weigh(listed, stand, policy, provisional_counts=counts)
        stand = found.stand
        fallen, told, waived = fallen + found.fall, told + found.told, waived + found.waived
        assert found.fall >= 0
        assert found.quiet == -found.fall - found.told
        assert fallen == stand.counted + stand.parked, "the level is lower by what counts and what is parked"
        assert -told == stand.counted == stand.told, "the other sides were told of what counts, and of nothing else"
        assert 0 <= stand.live <= stand.parked
        assert fallen - waived + told == stand.live, "what may come back is what was parked and is no longer ordered"
        assert found.held in (0, stand.live) or listed.state == "provisional"
        assert stand.counted + stand.parked <= max(each.quantity for each in story)


@given(st.lists(listings.map(lambda each: Listed(each.state, each.quantity, each.payment)), max_size=8), st.booleans())
def test_by_default_only_a_larger_quantity_than_counted_counts(story: list[Listed], counts: bool) -> None:
    stand = Stand()
    for listed in story:
        before = stand
        found = weigh(listed, stand, OrderPolicy(), provisional_counts=counts)
        stand = found.stand
        assert (found.quiet, found.waived, stand.parked, stand.live) == (0, 0, 0, 0)
        assert stand.counted >= before.counted
        if listed.payment != "refunded" and listed.state in ("placed", "shipped", "returned"):
            assert stand.counted == max(before.counted, listed.quantity)


@given(listings, policies)
def test_weighing_the_same_listing_again_changes_nothing(listed: Listed, policy: OrderPolicy) -> None:
    first = weigh(listed, Stand(), policy, provisional_counts=True)
    again = weigh(listed, first.stand, policy, provisional_counts=True)
    assert (again.fall, again.told, again.waived) == (0, 0, 0)
    assert (again.stand, again.held) == (first.stand, first.held)


@given(st.integers(1, 9), st.lists(st.integers(0, 9), max_size=5))
def test_an_order_that_is_never_paid_and_then_cancelled_is_told_to_nobody_under_hold(
    units: int, edits: list[int]
) -> None:
    hold, stand, may_rise, fallen = OrderPolicy(Unpaid.HOLD), Stand(), 0, 0
    for quantity in (units, *edits):
        found = weigh(Listed("placed", quantity, "unpaid"), stand, hold, provisional_counts=True)
        assert (found.told, found.held) == (0, quantity)
        stand, fallen, may_rise = found.stand, fallen + found.fall, may_rise + found.waived
    over = weigh(Listed("cancelled", units, "unpaid"), stand, hold, provisional_counts=True)
    assert (over.told, over.held) == (0, 0)
    assert may_rise + over.waived == fallen, "the level may show all of it again, and nobody moved that"


def test_an_unpaid_order_that_was_shipped_counts() -> None:
    hold = OrderPolicy(Unpaid.HOLD)
    first = weigh(Listed("placed", 3, "unpaid"), Stand(), hold, provisional_counts=True)
    assert weigh(Listed("shipped", 3, "unpaid"), first.stand, hold, provisional_counts=True).told == -3


def test_what_nobody_was_told_of_is_not_given_back_when_it_expires() -> None:
    found = weigh(Listed("placed", 3, "unpaid", expired=True), Stand(3, told=0), OrderPolicy(), provisional_counts=True)
    assert (found.told, found.held) == (0, 0)


def test_what_was_given_back_counts_again_once_it_is_paid_and_only_once() -> None:
    policy, stand = OrderPolicy(expires=timedelta(hours=1)), Stand()
    told = []
    for listed in (
        Listed("placed", 3, "unpaid"),
        Listed("placed", 3, "unpaid", expired=True),
        Listed("placed", 3, "unpaid", expired=True),
        Listed("placed", 2, "unpaid", expired=True),
        Listed("placed", 2, "paid"),
    ):
        found = weigh(listed, stand, policy, provisional_counts=True)
        stand = found.stand
        told.append(found.told)
    assert told == [-3, 3, 0, 0, -2]


@given(st.lists(st.integers(-9, 9).filter(bool), max_size=6), st.integers(-30, 30))
def test_what_a_level_showed_of_what_it_may_do_is_waited_for_no_longer(waived: list[int], shown: int) -> None:
    left = rest(waived, shown)
    assert left == [] or sum(left) == sum(waived) - shown


@given(st.integers(-20, 20), st.lists(st.integers(-9, 9).filter(bool), max_size=6))
def test_no_more_than_the_difference_itself_is_taken_as_an_orders_own(units: int, waived: list[int]) -> None:
    part = own_part(units, waived)
    assert 0 <= part <= max(units, 0) or min(units, 0) <= part <= 0


@pytest.mark.parametrize(("hours", "over"), [(1, False), (2, True), (3, True)])
def test_an_order_expires_when_it_has_been_unpaid_for_so_long(hours: int, over: bool) -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert expired(at, OrderPolicy(expires=timedelta(hours=2)), at + timedelta(hours=hours)) is over
    assert not expired(at, OrderPolicy(), at + timedelta(days=999))


def test_settings_name_a_policy() -> None:
    assert policy_of(None) == OrderPolicy()
    told = {"unpaid": "hold", "unpaid_expires": "7d", "unknown_sku": "skip"}
    assert policy_of(told) == OrderPolicy(Unpaid.HOLD, timedelta(days=7), UnknownSku.SKIP)
