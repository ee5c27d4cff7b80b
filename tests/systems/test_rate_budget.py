from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.systems.budget import TokenBucket

START = datetime(2026, 11, 21, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_bucket_starts_empty_and_fills_at_its_rate() -> None:
    bucket = TokenBucket(100, 10, START)
    assert bucket.available(START) == 0
    assert bucket.wait(30, START) == pytest.approx(3.0)
    assert bucket.wait(30, at(1)) == pytest.approx(2.0)
    assert bucket.wait(30, at(3)) == 0
    assert bucket.available(at(60)) == 100


def test_a_bucket_is_full_only_when_told_so() -> None:
    assert TokenBucket(100, 10, START, full=True).wait(100, START) == 0


def test_what_is_spent_is_gone_and_what_is_refunded_is_back_but_never_above_the_capacity() -> None:
    bucket = TokenBucket(10, 1, START, full=True)
    bucket.spend(8, START)
    assert bucket.available(START) == 2
    bucket.refund(5, START)
    assert bucket.available(START) == 7
    bucket.refund(50, START)
    assert bucket.available(START) == 10


def test_a_debt_delays_what_comes_next() -> None:
    bucket = TokenBucket(10, 1, START, full=True)
    bucket.spend(15, START)
    assert bucket.available(START) == -5
    assert bucket.wait(1, START) == pytest.approx(6.0)


def test_a_cost_above_the_capacity_waits_for_a_full_bucket_and_not_for_ever() -> None:
    bucket = TokenBucket(1, 5, START)
    assert bucket.wait(3, START) == pytest.approx(0.2)
    assert bucket.wait(3, at(0.2)) == 0


def test_the_partners_own_figures_replace_ours() -> None:
    bucket = TokenBucket(2000, 100, START)
    bucket.learn(15_000, 20_000, 1_000, at(1))
    assert (bucket.available(at(1)), bucket.capacity, bucket.refill_per_second) == (15_000, 20_000, 1_000)
    bucket.learn(10, 20_000, 1_000, at(2))
    assert bucket.available(at(2)) == 10
    bucket.learn(99_999, 20_000, 1_000, at(2))
    assert bucket.available(at(2)) == 20_000


@pytest.mark.parametrize(("capacity", "refill"), [(0, 100), (2000, 0), (-1, 5)])
def test_figures_that_cannot_be_are_ignored(capacity: float, refill: float) -> None:
    bucket = TokenBucket(2000, 100, START)
    bucket.learn(500, capacity, refill, START)
    assert (bucket.available(START), bucket.capacity) == (0, 2000)


def test_a_pause_holds_back_everything_and_the_longest_counts() -> None:
    bucket = TokenBucket(10, 1, START, full=True)
    bucket.pause(at(5))
    bucket.pause(at(3))
    assert bucket.wait(1, START) == pytest.approx(5.0)
    assert bucket.available(at(1)) == 0
    assert bucket.paused_until == at(5)
    assert bucket.wait(1, at(5)) == 0
    assert bucket.paused_until is None
    assert bucket.available(at(5)) == 10


def test_a_clock_that_jumps_back_gives_nothing_and_takes_nothing() -> None:
    bucket = TokenBucket(10, 1, START)
    assert bucket.available(at(4)) == 4
    assert bucket.available(at(1)) == 4
    assert bucket.available(at(5)) == 5


@pytest.mark.parametrize(("capacity", "refill"), [(0, 1), (1, 0)])
def test_a_bucket_that_could_never_give_anything_is_refused(capacity: float, refill: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        TokenBucket(capacity, refill, START)


@given(
    capacity=st.floats(1, 2000),
    refill=st.floats(0.1, 1000),
    costs=st.lists(st.floats(0.1, 50), min_size=1, max_size=40),
)
def test_who_waits_as_told_never_spends_more_than_burst_and_refill_allow(
    capacity: float, refill: float, costs: list[float]
) -> None:
    bucket = TokenBucket(capacity, refill, START)
    now, spent = START, 0.0
    for cost in costs:
        cost = min(cost, capacity)
        now += timedelta(seconds=bucket.wait(cost, now))
        bucket.spend(cost, now)
        spent += cost
        assert spent <= refill * (now - START).total_seconds() + refill * 1e-5 * len(costs) + 1e-4
