"""Orders as movements and as evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inventory_sync.model.order_policy import Listed, OrderPolicy, Stand, weigh
from inventory_sync.model.orders import (
    GivenBack,
    Hidden,
    Seen,
    SeenLine,
    Shown,
    Told,
    Unexplained,
    between,
    cut_off,
    given_back,
    see,
    sums_to,
    tell_apart,
)

T0 = datetime(2026, 11, 21, tzinfo=UTC)
LAG = timedelta(seconds=10)
UNITS = st.integers(-20, 20)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@given(
    st.lists(
        st.tuples(st.sampled_from(["placed", "shipped", "provisional", "cancelled", "returned"]), st.integers(0, 9))
    )
)
def test_a_line_counts_once_up_to_the_largest_quantity_it_ever_took(history: list[tuple[str, int]]) -> None:
    counted = moved = 0
    for state, quantity in history:
        found = weigh(Listed(state, quantity), Stand(counted), OrderPolicy(), provisional_counts=True)
        counted, moved = found.stand.counted, moved + found.told
        assert found.told <= 0
        assert found.held == 0
    took = [quantity for state, quantity in history if state != "cancelled"]
    assert -moved == counted == max(took, default=0)


@given(st.integers(1, 9), st.integers(0, 9))
def test_a_provisional_order_that_policy_does_not_count_is_held_and_moves_nothing(quantity: int, counted: int) -> None:
    found = weigh(Listed("provisional", quantity), Stand(counted), OrderPolicy(), provisional_counts=False)
    assert (found.fall, found.told, found.stand.counted) == (0, 0, counted)
    assert found.held == max(0, quantity - counted)


@given(st.lists(UNITS, max_size=8), UNITS)
def test_a_sum_is_found_exactly_if_some_of_the_parts_make_it(parts: list[int], total: int) -> None:
    every = {sum(chosen) for size in range(len(parts) + 1) for chosen in combinations(parts, size)}
    assert sums_to(parts, total) == (total in every)


def test_many_parts_are_judged_by_their_range() -> None:
    assert sums_to([2] * 100, 151)
    assert not sums_to([2] * 100, 201)


def look(units: int, **given_: object) -> Seen:
    usual: dict[str, object] = {
        "base": False,
        "before": None,
        "asked_at": at(100),
        "swept_at": at(99),
        "order_lag": LAG,
    }
    return see(units, **(usual | given_))  # type: ignore[arg-type]


def test_a_level_that_orders_explain_moves_nothing() -> None:
    assert look(0) is Seen.EXPLAINED


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_orders_that_our_own_write_erased_are_nobodys_movement(loose: list[int], data: st.DataObject) -> None:
    erased = data.draw(st.lists(st.sampled_from(range(len(loose))), min_size=1, unique=True))
    units = sum(loose[n] for n in erased)
    assert given_back(units, loose=loose, before=0) == GivenBack(units)


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 9), st.data())
def test_a_rise_seen_before_a_write_is_not_taken_for_orders_that_it_erased(
    loose: list[int], before: int, data: st.DataObject
) -> None:
    erased = data.draw(st.lists(st.sampled_from(range(len(loose))), unique=True)) if loose else []
    units = sum(loose[n] for n in erased)
    assert given_back(before + units, loose=loose, before=before) == GivenBack(units, unsure=units)


def test_a_fall_seen_before_an_order_was_listed_is_explained_by_it() -> None:
    assert given_back(0, loose=[2], before=-2) == GivenBack(0)
    assert given_back(3, loose=[2, 3], before=-2) == GivenBack(3)
    assert given_back(1, loose=[2, 3], before=-2) == GivenBack(3, unsure=3)


@given(UNITS, st.lists(st.integers(1, 9), max_size=5), st.lists(st.integers(1, 9), max_size=5))
def test_what_a_person_and_orders_did_in_one_reading_is_never_believed_too_high_and_never_in_silence(
    by_hand: int, hidden: list[int], erased: list[int]
) -> None:
    """A person moves a number, orders (`hidden`) stand in the same reading, and our number erases others."""
    before, units = by_hand - sum(hidden), by_hand + sum(erased)
    assume(before > 0 or not sums_to([*hidden, *erased], units))  # else nobody needs to have moved it
    found = given_back(units, loose=[*hidden, *erased], before=before)
    assert found.units - found.unsure <= sum(erased) <= found.units


def test_what_orders_do_not_explain_is_a_movement_only_when_seen_again_after_the_order_lag() -> None:
    assert look(3) is Seen.LOOK_AGAIN
    before = Unexplained(3, at(80))
    assert look(3, before=before, asked_at=at(85)) is Seen.LOOK_AGAIN
    assert look(3, before=before, swept_at=at(89)) is Seen.LOOK_AGAIN
    assert look(3, before=before, swept_at=None) is Seen.LOOK_AGAIN
    assert look(2, before=before) is Seen.LOOK_AGAIN
    assert look(3, before=before) is Seen.MOVED


def test_a_first_reading_is_looked_at_twice_even_if_it_shows_nothing() -> None:
    assert look(0, base=True) is Seen.LOOK_AGAIN
    assert look(0, base=True, before=Unexplained(0, at(80))) is Seen.MOVED


def test_an_order_listed_before_a_reading_was_asked_is_in_it() -> None:
    line = SeenLine(2, at(5), at(2))
    assert between([line], after=(at(6), at(7)), before=(at(60), at(61)), order_lag=LAG) == (0, [])


def test_an_order_that_long_after_the_answer_was_not_listed_came_later() -> None:
    line = SeenLine(2, at(30), at(27))
    assert between([line], after=(at(6), at(7)), before=(at(60), at(61)), order_lag=LAG) == (2, [])
    assert between([line], after=(at(6), at(7)), before=(at(10), at(11)), order_lag=LAG) == (0, [])


@pytest.mark.parametrize(("first", "unseen"), [(8, 5), (15, 12), (63, 60)])
def test_an_order_at_an_edge_may_count_or_not(first: float, unseen: float) -> None:
    line = SeenLine(2, at(first), at(unseen))
    assert between([line], after=(at(6), at(7)), before=(at(60), at(61)), order_lag=LAG) == (0, [2])


@given(st.integers(-50, 50), st.integers(-9, 9).filter(bool), st.lists(st.integers(1, 9), max_size=5), st.data())
def test_what_really_happened_is_never_ruled_out(known: int, delta: int, maybe: list[int], data: st.DataObject) -> None:
    applied = data.draw(st.booleans())
    certain = data.draw(st.integers(0, 9))
    taken = data.draw(st.lists(st.sampled_from(range(len(maybe))), unique=True)) if maybe else []
    level = known + (delta if applied else 0) - certain - sum(maybe[n] for n in taken)
    told = tell_apart(level, known=known, delta=delta, certain=certain, maybe=maybe)
    assert told in (Told.EITHER, Told.APPLIED if applied else Told.NOT_APPLIED)


def test_a_level_that_fits_neither_answer_decides_nothing() -> None:
    assert tell_apart(20, known=10, delta=-2) is Told.NEITHER


@given(
    st.integers(0, 12),
    st.lists(st.integers(1, 5), max_size=4),
    st.lists(st.integers(1, 5), max_size=4),
    st.integers(1, 14),
)
def test_what_zero_hid_is_what_orders_took_and_the_levels_did_not_show(
    level: int, early: list[int], late: list[int], taken: int
) -> None:
    """Orders before a reading show in it, those after it meet our decrease; a shop sells no more than it has."""
    read_at, wrote_at = at(100), at(130)
    taken = min(taken, level)
    lines, falls, left = [], [], level + sum(early)
    for number, units in enumerate(early):
        lines.append(SeenLine(units, at(21 + 10 * number), at(20 + 10 * number)))
    if early:
        falls.append(Shown(-sum(early), at(0), read_at))
        left -= sum(early)
    sold = 0
    for number, units in enumerate(late):
        if sold + units <= left:
            sold += units
            lines.append(SeenLine(units, at(111 + 4 * number), at(110 + 4 * number)))
    shown = max(0, left - sold - taken)
    fall = (left - taken) - shown  # what the reading after our decrease is found to be lower
    if fall:
        falls.append(Shown(-fall, read_at, wrote_at))
    assert cut_off(lines, falls, known_from=read_at, zero_at=at(129), order_lag=LAG, most=taken) == Hidden(sold - fall)


def test_no_more_is_found_at_zero_than_our_decrease_was_meant_to_take_and_the_rest_betrays_a_rise() -> None:
    sold = [SeenLine(9, at(130), at(129))]
    assert cut_off(sold, [], known_from=at(100), zero_at=at(140), order_lag=LAG, most=2) == Hidden(2, sure=False)


@pytest.mark.parametrize(("zero_at", "sure"), [(130, True), (131, False)])
def test_nobody_is_taken_to_have_raised_a_number_unseen_only_where_we_looked_soon(zero_at: int, sure: bool) -> None:
    sold = [SeenLine(2, at(120), at(119))]
    found = cut_off(sold, [], known_from=at(100), zero_at=at(zero_at), order_lag=LAG, most=2)
    assert found == Hidden(2, sure)


def test_orders_that_may_belong_to_a_fall_before_are_weighed_with_it() -> None:
    edge = [SeenLine(3, at(105), at(95))]
    assert cut_off(
        edge, [Shown(-3, at(60), at(101))], known_from=at(100), zero_at=at(140), order_lag=LAG, most=9
    ) == Hidden(0)


def test_an_order_that_a_rise_may_have_hidden_is_believed_and_said_to_be_unsure() -> None:
    edge = [SeenLine(1, at(105), at(95))]
    assert cut_off(
        edge, [Shown(4, at(60), at(101))], known_from=at(100), zero_at=at(140), order_lag=LAG, most=9
    ) == Hidden(1, sure=False)
