"""Sales that somebody else books: nothing is settled twice, nothing is forgotten, and no number alone settles any."""

from __future__ import annotations

import doctest
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inventory_sync.model import expected
from inventory_sync.model.expected import (
    BOOKED_TWICE_NAMED,
    BOOKED_TWICE_UNNAMED,
    Booking,
    Decrease,
    Part,
    Sale,
    Waiting,
    booked_twice,
    close,
    cover,
    expect,
    names,
    needs,
    settle,
    take_back,
)

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
CELL, OTHER, THIRD = 3, 4, 5

units = st.integers(1, 9)
references = st.sampled_from(["", "", "1001", "1002"])
shapes = st.sampled_from(["single", "pool", "set"])


def nothing(shape: str, ratios: tuple[int, ...] = (1, 1, 1)) -> Waiting:
    """A pair that waits for nothing: of one cell, of a pool whose second store takes what comes back, or of a set."""
    if shape == "single":
        return Waiting(1, shape, (), (Part(CELL, 1, 0),))
    if shape == "pool":
        return Waiting(1, shape, (), (Part(CELL, 1, 0, intake=False), Part(OTHER, 1, 0)))
    return Waiting(1, shape, (), tuple(Part(cell, r, 0) for cell, r in zip((CELL, OTHER, THIRD), ratios, strict=True)))


def sell(pair: Waiting, amounts: list[int], codes: list[str]) -> Waiting:
    for number, (amount, code) in enumerate(zip(amounts, codes, strict=False), start=7):
        pair, _, _ = expect(pair, Sale(number, amount, code))
    return pair


def sound(pair: Waiting) -> None:
    """What holds of every pair at any time."""
    parts = [part.units for part in pair.parts if part.intake]
    assert all(sale.units > 0 for sale in pair.sales)
    assert all(part >= 0 for part in parts)
    assert max(parts) == pair.units, "a sale is open exactly as long as one part waits for it"
    assert all(part.units == 0 for part in pair.parts if not part.intake)


waiting = st.builds(
    lambda shape, ratios, amounts, codes: sell(nothing(shape, ratios), amounts, codes),
    shapes,
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    st.lists(units, max_size=5),
    st.lists(references, min_size=5, max_size=5),
)
of_one_cell = st.builds(
    lambda amounts, codes: sell(nothing("single"), amounts, codes),
    st.lists(units, max_size=5),
    st.lists(references, min_size=5, max_size=5),
)
cells = st.sampled_from([CELL, OTHER, THIRD])


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(expected).failed == 0


COUNTER = ("sale", "return", "layaway", "count", "receipt", "transfer", "adjustment", "correction", "loss", "unknown")


@pytest.mark.parametrize(
    ("cause", "names_it"),
    [("shipment", True), ("reservation", True), ("api", True), *((cause, False) for cause in COUNTER)],
)
def test_a_cause_that_a_sale_at_the_counter_or_a_correction_may_have_names_nothing(cause: str, names_it: bool) -> None:
    assert names(cause, "") is names_it


def test_any_cause_names_the_order_that_it_refers_to_and_no_other() -> None:
    pair = sell(nothing("single"), [1], ["1001"])
    assert names("sale", "1001", [pair])
    assert not names("sale", "1002", [pair])
    assert not names("sale", "", [sell(nothing("single"), [1], [""])])


@given(waiting, cells, st.integers(1, 40), references)
def test_a_fall_settles_at_most_itself_and_what_is_left_over_is_exact(
    pair: Waiting, cell: int, fall: int, reference: str
) -> None:
    assume(any(part.cell == cell for part in pair.parts))
    [after], left = settle([pair], cell, fall, reference)
    sound(after)
    ratio = next(part.ratio for part in pair.parts if part.cell == cell)
    settled = sum(b.units - a.units for b, a in zip(pair.parts, after.parts, strict=True))
    assert settled * ratio + left == fall
    here = pair.units if pair.shape != "set" else next(p.units for p in pair.parts if p.cell == cell)
    assert settled == min(here, fall // ratio), "nothing is left open that the fall could pay for"


@given(waiting, st.integers(0, 40))
def test_a_rise_takes_back_at_most_itself_newest_first(pair: Waiting, rise: int) -> None:
    after = take_back(pair, rise)
    sound(after)
    assert pair.units - after.units == min(rise, pair.units)
    left = {sale.id: sale.units for sale in after.sales}
    touched = [sale.id for sale in pair.sales if left.get(sale.id, 0) != sale.units]
    assert touched == [sale.id for sale in pair.sales][len(pair.sales) - len(touched) :]


@given(waiting, st.data())
def test_a_sale_that_is_closed_is_expected_nowhere_and_others_are_untouched(pair: Waiting, data: st.DataObject) -> None:
    assume(pair.sales)
    sale = data.draw(st.sampled_from(pair.sales))
    after = close(pair, sale.id)
    sound(after)
    assert after.sales == tuple(each for each in pair.sales if each.id != sale.id)


@given(st.lists(st.tuples(units, units), min_size=1, max_size=6), shapes)
def test_it_does_not_matter_whether_the_booking_or_the_sale_is_heard_first(
    orders: list[tuple[int, int]], shape: str
) -> None:
    late = early = nothing(shape)
    booked_at = [part.cell for part in late.parts][: None if shape == "set" else 1]
    left_over = 0
    for number, (sold, _) in enumerate(orders):
        late, _, _ = expect(late, Sale(number, sold))
    for _, booked in orders:
        for cell in booked_at:
            [late], left = settle([late], cell, booked)
            left_over += left
    bookings = [
        Booking(100 * cell + number, cell, booked) for number, (_, booked) in enumerate(orders) for cell in booked_at
    ]
    for number, (sold, _) in enumerate(orders):
        early, _, used = expect(early, Sale(number, sold), bookings)
        spent = {each.id: each.units for each in used}
        bookings = [replace(b, units=b.units - spent.get(b.id, 0)) for b in bookings]
    sound(early)
    assert [part.units for part in early.parts] == [part.units for part in late.parts]
    assert sum(booking.units for booking in bookings) == left_over


@given(of_one_cell, of_one_cell, st.integers(1, 40), references)
def test_the_exact_order_comes_first_and_then_the_oldest(one: Waiting, two: Waiting, fall: int, reference: str) -> None:
    two = replace(two, pair=2, sales=tuple(replace(sale, id=sale.id + 100) for sale in two.sales))
    after, _ = settle([one, two], CELL, fall, reference)
    left = {sale.id: sale.units for each in after for sale in each.sales}
    every = [sale for each in (one, two) for sale in each.sales]
    queue = sorted(every, key=lambda sale: (not reference or sale.reference != reference, sale.id))
    open_ones = [left.get(sale.id, 0) == sale.units for sale in queue]
    settled = [left.get(sale.id, 0) == 0 for sale in queue]
    assert settled == sorted(settled, reverse=True), "the first of the queue are settled, the last are not"
    assert sum(1 for a, b in zip(open_ones, settled, strict=True) if not a and not b) <= 1, "one at most in part"


@given(waiting, st.integers(1, 40))
def test_a_sale_that_certainly_came_later_is_not_settled_by_a_fall_before_it(pair: Waiting, fall: int) -> None:
    later = {sale.id for sale in pair.sales[-1:]}
    [after], _ = settle([pair], CELL, fall, later=later)
    if pair.shape != "set":
        assert after.sales[-1:] == pair.sales[-1:]
    sound(after)


@given(
    st.lists(st.tuples(cells, units), max_size=6), st.lists(st.tuples(st.sets(cells, min_size=1), units), max_size=3)
)
def test_no_fall_covers_more_than_itself(falls: list[tuple[int, int]], wanted: list[tuple[set[int], int]]) -> None:
    given_falls = [Booking(number, cell, amount) for number, (cell, amount) in enumerate(falls)]
    wishes = [(frozenset(where), amount) for where, amount in wanted]
    used = cover(wishes, given_falls)
    if used is not None:
        assert sum(each.units for each in used) == sum(amount for _, amount in wishes)
        assert all(0 < each.units <= given_falls[each.id].units for each in used)
    elif len(wishes) == 1:
        where, amount = wishes[0]
        assert sum(fall.units for fall in given_falls if fall.cell in where) < amount


@given(waiting)
def test_what_a_pair_needs_of_its_ledger_is_what_each_part_still_waits_for(pair: Waiting) -> None:
    asked = [need for sale in pair.sales for need in needs(pair, sale.id)]
    assert sum(amount for _, amount in asked) == sum(part.units * part.ratio for part in pair.parts)


def test_a_set_whose_parts_are_booked_one_by_one_is_open_until_the_last() -> None:
    pair = sell(nothing("set", (2, 1, 1)), [3], [""])
    [pair], left = settle([pair], CELL, 7)
    assert (left, [part.units for part in pair.parts], pair.units) == (1, [0, 3, 3], 3)
    [pair], _ = settle([pair], OTHER, 3)
    [pair], left = settle([pair], THIRD, 2)
    assert (left, [part.units for part in pair.parts], pair.units) == (0, [0, 0, 1], 1)


def test_in_a_pool_any_store_may_book_what_is_expected_at_the_one_that_takes_returns() -> None:
    pair = sell(nothing("pool"), [3], [""])
    [pair], left = settle([pair], CELL, 2)
    assert (left, [part.units for part in pair.parts]) == (0, [0, 1])


# -- booked twice ---


def row(*minutes: float, units: int = 1, cause: str = "") -> list[Decrease]:
    return [Decrease(NOON + timedelta(minutes=each), units, cause) for each in minutes]


def spaced(count: int, offset: float = 0, every: float = 20, cause: str = "") -> list[Decrease]:
    return row(*(every * number + offset for number in range(count)), cause=cause)


LATER = NOON + timedelta(hours=12)


@pytest.mark.parametrize("count", range(1, 8))
def test_postings_that_somebody_repeats_are_no_accident_from_a_number_on(count: int) -> None:
    assert booked_twice(spaced(count), spaced(count, 10), LATER) == (count >= BOOKED_TWICE_UNNAMED)
    named = spaced(count, 10, cause="api")
    assert booked_twice(spaced(count), named, LATER) == (count >= BOOKED_TWICE_NAMED)


@given(st.floats(0, 59), st.booleans())
def test_an_importer_within_the_hour_is_found_however_late_it_is(delay: float, now: bool) -> None:
    ours, theirs = spaced(8), spaced(8, delay, cause="api")
    until = ours[-1].at + timedelta(minutes=1) if now else LATER
    assert booked_twice(ours, [d for d in theirs if d.at <= until], until)


@pytest.mark.parametrize("gap", [1, 3, 6])
def test_one_posting_that_nobody_repeated_ends_the_row(gap: int) -> None:
    theirs = spaced(8, 10, every=180, cause="api")
    del theirs[gap]
    found = booked_twice(spaced(8, every=180), theirs, NOON + timedelta(days=2))
    assert found == (8 - gap - 1 >= BOOKED_TWICE_NAMED)


def test_a_decrease_of_another_size_is_no_repetition() -> None:
    theirs = [replace(each, units=2) for each in spaced(8, 10, cause="api")]
    assert not booked_twice(spaced(8), theirs, LATER)


def test_busy_trade_at_the_counter_is_no_evidence_against_a_programs_name() -> None:
    ours = spaced(6, every=60)
    counter = spaced(30, 3, every=12)
    assert not booked_twice(ours, counter, LATER)
    assert booked_twice(ours, sorted([*counter, *spaced(6, 2, every=60, cause="api")], key=lambda d: d.at), LATER)


def test_nothing_posted_is_nothing_repeated() -> None:
    assert not booked_twice([], spaced(9, cause="api"), LATER)
