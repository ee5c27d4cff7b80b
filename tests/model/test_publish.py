"""What a channel is told: never below 0, never more than the rule allows, and rising only with the stock."""

from __future__ import annotations

import doctest
from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model import publish
from inventory_sync.model.publish import LARGEST_UNITS, PublishRule, more_than_there_is, published, shared

units = st.integers(-10_000, 10_000)
rules = st.builds(
    PublishRule,
    buffer=st.integers(0, 500),
    percent=st.integers(0, 100),
    maximum=st.none() | st.integers(0, 2_000),
    end_when=st.integers(0, 100),
)


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(publish).failed == 0


@given(units, rules, units, units, units)
def test_a_channel_is_never_told_less_than_nothing(
    effective: int, rule: PublishRule, offset: int, kept: int, held: int
) -> None:
    assert published(effective, replace(rule, offset=offset), kept=kept, held=held) >= 0


@given(units, units, rules, units)
def test_more_stock_never_lowers_what_is_told(one: int, other: int, rule: PublishRule, kept: int) -> None:
    low, high = sorted((one, other))
    assert published(low, rule, kept=kept) <= published(high, rule, kept=kept)


@given(units, rules)
def test_without_a_gap_the_maximum_and_the_stock_itself_are_upper_bounds(effective: int, rule: PublishRule) -> None:
    told = published(effective, rule)
    assert told <= max(0, effective)
    if rule.maximum is not None:
        assert told <= rule.maximum


@given(units, rules)
def test_the_share_is_the_exact_fraction_rounded_down_also_below_zero(effective: int, rule: PublishRule) -> None:
    exact = floor(Fraction(effective * rule.percent, 100)) - rule.buffer
    assert shared(effective, rule) == (exact if rule.maximum is None else min(exact, rule.maximum))


@given(st.integers(100, 10_000), st.integers(0, 50), st.integers(0, 50))
def test_an_offset_a_kept_gap_and_held_units_count_one_for_one(effective: int, kept: int, held: int) -> None:
    assert published(effective, PublishRule(offset=5), kept=kept, held=held) == effective + 5 + kept - held


@given(units)
def test_the_plain_rule_tells_the_stock_as_it_is(effective: int) -> None:
    assert PublishRule().plain
    assert published(effective, PublishRule()) == max(0, effective)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"buffer": -1}, "buffer"),
        ({"buffer": LARGEST_UNITS + 1}, "buffer"),
        ({"percent": 101}, "percent"),
        ({"percent": -1}, "percent"),
        ({"maximum": -1}, "maximum"),
        ({"percent": True}, "percent"),
        ({"buffer": 1.5}, "buffer"),
        ({"end_when": -1}, "end_when"),
        ({"offset": LARGEST_UNITS + 1}, "offset"),
    ],
)
def test_a_rule_without_meaning_is_refused_by_the_name_of_its_field(fields: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named} is"):
        PublishRule(**fields)


@given(units, rules, units, units)
def test_a_number_is_told_or_it_has_ended_and_nothing_in_between(
    effective: int, rule: PublishRule, kept: int, held: int
) -> None:
    told = published(effective, rule, kept=kept, held=held)
    without = published(effective, replace(rule, end_when=0), kept=kept, held=held)
    assert told == (without if without > rule.end_when else 0)


@given(units, rules, st.integers(0, 500))
def test_what_is_told_beyond_the_stock_is_never_more_than_the_offset(
    effective: int, rule: PublishRule, offset: int
) -> None:
    told = published(effective, replace(rule, offset=offset))
    assert more_than_there_is(told, effective) <= offset


@pytest.mark.parametrize(
    "rule", [PublishRule(percent=99), PublishRule(maximum=10), PublishRule(end_when=1), PublishRule(excluded=True)]
)
def test_a_rule_with_a_share_or_a_maximum_cannot_be_read_backwards(rule: PublishRule) -> None:
    assert not rule.plain
