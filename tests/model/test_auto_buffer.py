"""The automatic buffer: it covers what may sell within the lag, rises at once, and falls late and little by little."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from math import exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model import auto_buffer
from inventory_sync.model.auto_buffer import (
    LARGEST_STEP,
    LEAST_MEASURED,
    STAYS,
    SURPRISE,
    Buffer,
    Sold,
    quantile,
    reckon,
    settle,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
expectations = st.floats(0, 60)
reckoned_units = st.integers(0, 500)


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(auto_buffer).failed == 0


@pytest.mark.parametrize(("lag", "slow", "fast"), [(3, 1, 2), (60, 2, 5), (420, 4, 16), (600, 5, 21), (900, 6, 28)])
def test_it_is_the_quantile_of_what_sells_within_the_lag(lag: int, slow: int, fast: int) -> None:
    """Six and sixty units an hour."""
    assert (quantile(6 / 3600 * lag), quantile(60 / 3600 * lag)) == (slow, fast)


@given(expectations)
def test_more_sells_within_a_lag_hardly_ever_and_one_unit_less_would_not_do(expected: float) -> None:
    def covered(units: int) -> float:
        return sum(exp(-expected) * expected**n / factorial(n) for n in range(units + 1))

    units = quantile(expected)
    assert 1 - covered(units) <= SURPRISE + 1e-9
    if units:
        assert 1 - covered(units - 1) > SURPRISE - 1e-9


@given(st.floats(0, 5000), st.floats(0, 5000))
def test_more_demand_never_asks_for_a_smaller_buffer(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert quantile(low) <= quantile(high)


@given(st.integers(0, 5000), st.floats(0, 600), st.integers(0, 60), st.integers(0, 200))
def test_it_stays_within_its_bounds(sold: int, lag: float, least: int, most: int) -> None:
    made = reckon([Sold(sold, 900.0)], lag=lag, measured=LEAST_MEASURED, least=least, most=most)
    assert least <= made.units <= max(least, most)


@given(st.integers(0, 5000), st.integers(0, LEAST_MEASURED - 1), st.integers(0, 60))
def test_without_a_measured_lag_the_smallest_holds(sold: int, measured: int, least: int) -> None:
    made = reckon([Sold(sold, 900.0)], lag=600.0, measured=measured, least=least, most=100)
    assert (made.units, made.lag) == (least, None)


def test_the_window_that_sells_fastest_counts() -> None:
    made = reckon([Sold(30, 900.0), Sold(100, 14_400.0)], lag=60.0, measured=50, least=0, most=100)
    assert made.sold == Sold(30, 900.0)
    assert made.expected == pytest.approx(2.0)


@given(reckoned_units, reckoned_units)
def test_it_rises_at_once_and_never_falls_at_once(before: int, wanted: int) -> None:
    made = settle(Buffer(before), wanted, NOW)
    assert made.units == max(before, wanted)


@given(st.integers(1, 500), st.lists(reckoned_units, min_size=1, max_size=80))
def test_it_covers_what_is_wanted_and_falls_slowly_whatever_comes(before: int, course: list[int]) -> None:
    in_force, at, fell_at = Buffer(before), NOW, None
    for wanted in course:
        made = settle(in_force, wanted, at)
        assert made.units >= min(wanted, max(in_force.units, wanted))
        if made.units < in_force.units:
            assert in_force.units - made.units <= LARGEST_STEP
            assert fell_at is None or at - fell_at >= STAYS
            fell_at = at
        in_force, at = made, at + timedelta(minutes=1)


@given(st.integers(0, 100), st.integers(0, 500))
def test_it_comes_down_to_what_is_wanted_in_the_end(wanted: int, more: int) -> None:
    in_force, at = Buffer(wanted + more), NOW
    for _ in range(12 * 31):
        in_force, at = settle(in_force, wanted, at), at + timedelta(minutes=1)
    assert in_force.units == wanted


@given(st.integers(1, 500))
def test_it_stays_while_too_many_others_fell(before: int) -> None:
    waiting = settle(Buffer(before), 0, NOW)
    assert settle(waiting, 0, NOW + STAYS, may_fall=False).units == before
