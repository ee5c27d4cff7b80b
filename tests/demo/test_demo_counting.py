"""The count that decides whether a demonstration was good: of true stories, and of stories with one thing wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.cli.demonstration.arrivals import Arrival, Disturbances, Flow, Lags, Unheard, Way, arrivals, flows
from inventory_sync.cli.demonstration.counting import Count, Verdict, Windows, count, judge, too_high
from inventory_sync.cli.demonstration.stories import CLIENT, Books, Outage, Pair, Partner, Place, shows, strays
from inventory_sync.sandbox.kernel import StockChange

BEGAN = datetime(2026, 11, 21, tzinfo=UTC)
POS, SHOP, CART = Partner.POS, Partner.SHOP, Partner.CART
FIRST, SECOND = Place(POS, "p1", "1"), Place(POS, "p1", "2")
LISTED, OTHER = Place(SHOP, "i1", "a"), Place(SHOP, "i1", "b")
POOLED = Place(CART, "000000000084", "shop")
ONE = Pair("one@1", LISTED, (FIRST,))
TWO = Pair("one@2", OTHER, (SECOND,))
POOL = Pair("one@MakeShop", POOLED, (FIRST, SECOND))
EVER = Windows(dict.fromkeys(Partner, timedelta(days=1)))
WINDOWS = Windows({POS: timedelta(seconds=20), SHOP: timedelta(seconds=25), CART: timedelta(seconds=15)})


class Shelf:
    """Writes the partners' logs, second by second."""

    def __init__(self, start: int = 10, pairs: Sequence[Pair] = (ONE,), second: int = 5) -> None:
        self.pairs = pairs
        starts = {FIRST: start, SECOND: second, LISTED: start, OTHER: second, POOLED: start + second}
        self.starts = {place: number if place.partner is POS else max(0, number) for place, number in starts.items()}
        self.numbers = dict(self.starts)
        self.logs: dict[Partner, list[StockChange]] = {partner: [] for partner in Partner}
        self.now = BEGAN
        self._ops = 0

    def wait(self, seconds: float) -> Shelf:
        self.now += timedelta(seconds=seconds)
        return self

    def others(self, place: Place, delta: int, cause: str = "sale") -> Shelf:
        return self._write(place, delta, "outside", cause, "")

    def ours(self, place: Place, delta: int, reference: str | None = None) -> Shelf:
        self._ops += 1
        return self._write(place, delta, CLIENT, "api", f"op-{self._ops}" if reference is None else reference)

    def set(self, place: Place, number: int) -> Shelf:
        """The product sets a number, and so erases what it did not know."""
        return self._write(place, number - self.numbers[place], CLIENT, "api", "")

    def _write(self, place: Place, delta: int, actor: str, cause: str, reference: str) -> Shelf:
        self.wait(1)
        self.numbers[place] += delta
        change = StockChange(self.now, place.item, place.location, delta, self.numbers[place], actor, cause, reference)
        self.logs[place.partner].append(change)
        return self

    def books(self) -> Books:
        return Books(self.pairs, self.starts, self.logs)

    def verdict(self) -> Verdict:
        [found] = judge(self.books())
        return found

    def count(self, windows: Windows = EVER) -> Count:
        return count(self.books(), windows)

    def told(self, pair: Pair = ONE, windows: Windows = WINDOWS) -> list[int]:
        return [each.units for each in too_high(self.books(), pair, windows)]


Moves = list[tuple[Place, int, bool, float]]


def moves(places: Sequence[Place]) -> st.SearchStrategy[Moves]:
    return st.lists(
        st.tuples(st.sampled_from(places), st.integers(-4, 6).filter(bool), st.booleans(), st.floats(0.1, 30)),
        max_size=25,
    )


def carried(told: Moves, shelf: Shelf) -> Shelf:
    """A run without a fault: changes are read some time later, netted, posted down and up apart, targets follow."""
    read = dict.fromkeys((pair.channel for pair in shelf.pairs), 0)

    def sync() -> None:
        for pair in shelf.pairs:
            own = [c for c in shelf.logs[pair.channel.partner] if (c.item, c.location) == pair.channel[1:]]
            owed = sum(c.delta for c in own if c.actor != CLIENT) - read[pair.channel]
            if owed:
                shelf.ours(pair.intake, owed)
                read[pair.channel] += owed
        for pair in shelf.pairs:
            truth, shown = sum(shelf.numbers[place] for place in pair.ledger), shelf.numbers[pair.channel]
            if max(0, truth) != shown and not (shown < 0 and truth <= 0):
                shelf.ours(pair.channel, max(0, truth) - shown)

    for place, delta, carry, seconds in told:
        shelf.wait(seconds).others(place, delta)
        if carry:
            sync()
    sync()
    return shelf


@given(moves([FIRST, LISTED]), st.integers(0, 20))
def test_a_run_that_carried_everything_once_is_good(told: Moves, start: int) -> None:
    found = carried(told, Shelf(start)).count()
    assert found.good
    assert (found.equal, found.lost, found.doubled, found.too_high) == (1, 0, 0, 0)
    assert found.never == 0
    assert found.changes == len(told)


@given(moves([FIRST, SECOND, LISTED, OTHER, POOLED]), st.integers(0, 20), st.integers(0, 20))
def test_a_run_with_a_pool_beside_it_is_good_as_well(told: Moves, first: int, second: int) -> None:
    found = carried(told, Shelf(first, (ONE, TWO, POOL), second)).count()
    assert found.good
    assert (found.equal, found.lost, found.doubled, found.never) == (3, 0, 0, 0)
    assert (found.changes, found.units) == (len(told), sum(abs(delta) for _, delta, _, _ in told))


@given(moves([FIRST, LISTED]), st.integers(0, 20), st.integers(-4, 4).filter(bool), st.booleans())
def test_an_effect_that_happens_twice_is_never_overlooked(told: Moves, start: int, delta: int, same: bool) -> None:
    shelf = carried(told, Shelf(start)).others(LISTED, delta).ours(FIRST, delta, "again")
    shelf.ours(FIRST, delta, "again" if same else "another")
    found = shelf.verdict()
    assert found.lost + found.doubled == abs(delta)
    if same:
        assert (found.doubled, found.lost) == (abs(delta), 0)


@given(
    moves([FIRST, SECOND, LISTED, OTHER, POOLED]),
    st.integers(0, 20),
    st.integers(-4, 4).filter(bool),
    st.sampled_from([LISTED, OTHER, POOLED]),
)
def test_a_channel_change_that_was_never_carried_is_never_overlooked(
    told: Moves, start: int, delta: int, place: Place
) -> None:
    found = carried(told, Shelf(start, (ONE, TWO, POOL))).others(place, delta).count()
    assert found.lost + found.doubled == abs(delta)
    assert not found.good
    if not told:
        assert found.lost == abs(delta)


def test_a_sale_carried_twice_under_two_references_is_doubled() -> None:
    shelf = Shelf().others(LISTED, -1).ours(FIRST, -1).ours(FIRST, -1).ours(LISTED, -1)
    found = shelf.verdict()
    assert (found.equal, found.expected, found.ledger, found.lost, found.doubled) == (True, 9, 8, 0, 1)
    assert not shelf.count().good


def test_an_increase_done_twice_at_the_channel_is_doubled_before_anybody_noticed() -> None:
    found = Shelf().others(FIRST, 3).ours(LISTED, 3, "key").ours(LISTED, 3, "key").verdict()
    assert (found.equal, found.doubled) == (False, 3)


def test_an_effect_that_was_taken_back_is_counted_apart() -> None:
    found = Shelf().others(LISTED, -2).ours(FIRST, -2, "op").ours(FIRST, -2, "op").ours(FIRST, 2).verdict()
    assert (found.lost, found.doubled, found.taken_back) == (0, 0, 2)


def test_a_backorder_stays_as_it_stands() -> None:
    assert Shelf(0).others(LISTED, -2).ours(FIRST, -2).verdict().equal
    assert not shows(-2, 1)


def test_a_pool_shows_the_sum_and_its_sales_are_booked_at_the_intake() -> None:
    shelf = Shelf(3, (ONE, TWO, POOL), 5).others(POOLED, -4)
    shelf.ours(FIRST, -4).ours(LISTED, -3)
    found = shelf.count()
    assert [(v.name, v.equal, v.expected, v.ledger, v.channel) for v in found.verdicts] == [
        ("one@1", True, -1, -1, 0),
        ("one@2", True, 5, 5, 5),
        ("one@MakeShop", True, 4, 4, 4),
    ]
    assert found.good


def test_a_sale_of_the_pool_that_was_booked_at_another_store_is_found() -> None:
    shelf = Shelf(3, (ONE, TWO, POOL), 5).others(POOLED, -1).ours(SECOND, -1).ours(OTHER, -1)
    found = shelf.count()
    assert (found.equal, found.lost + found.doubled) == (3, 2)
    assert not found.good


def test_an_order_that_a_set_number_erased_is_right_only_once_it_was_put_right() -> None:
    shelf = Shelf(10, (ONE, POOL), 0).others(FIRST, 2).others(POOLED, -1).set(POOLED, 12)
    shelf.ours(FIRST, -1).ours(LISTED, 1)
    erased = shelf.count()
    assert [v.equal for v in erased.verdicts] == [True, False]
    assert shelf.set(POOLED, 11).count().good


def test_a_channel_told_more_than_there_ever_was_is_told_too_high() -> None:
    shelf = Shelf(5).others(FIRST, 2).ours(LISTED, 3)
    [found] = too_high(shelf.books(), ONE, WINDOWS)
    assert (found.told, found.most, found.units) == (8, 7, 1)


def test_an_increase_that_was_true_within_the_window_is_no_fault() -> None:
    assert Shelf(5).others(FIRST, 4).others(FIRST, -3).ours(LISTED, 4).told() == []
    assert Shelf(5).others(FIRST, 4).others(FIRST, -3).wait(60).ours(LISTED, 4).told() == [3]


def test_a_sale_at_the_other_shop_counts_after_its_own_window() -> None:
    soon = Shelf(5, (ONE, POOL), 0).others(FIRST, 2).others(POOLED, -3).wait(5).ours(LISTED, 2)
    late = Shelf(5, (ONE, POOL), 0).others(FIRST, 2).others(POOLED, -3).wait(16).ours(LISTED, 2)
    assert (soon.told(), late.told()) == ([], [3])


def test_a_number_that_is_set_is_judged_whichever_way_it_moves() -> None:
    lowered = Shelf(5, (ONE, POOL), 0).others(FIRST, -4).wait(30).set(POOLED, 3)
    assert lowered.told(POOL) == [2]
    unheard = Shelf(5, (ONE, POOL), 0).others(POOLED, -2).others(FIRST, 1).set(POOLED, 6)
    assert unheard.told(POOL) == []
    heard_long_ago = Shelf(5, (ONE, POOL), 0).others(POOLED, -2).wait(20).others(FIRST, 1).set(POOLED, 6)
    assert heard_long_ago.told(POOL) == [2]


def test_time_a_partner_could_not_be_reached_widens_its_window() -> None:
    shelf = Shelf(5).others(FIRST, 4).others(FIRST, -3)
    outage = Outage(shelf.now, shelf.now + timedelta(seconds=30))
    shelf.wait(40).ours(LISTED, 4)
    assert shelf.told() == [3]
    assert shelf.told(windows=Windows(WINDOWS.lengths, {POS: [outage]})) == []
    assert shelf.told(windows=Windows(WINDOWS.lengths, {CART: [outage]})) == [3]


def test_a_restock_at_the_channel_itself_may_show() -> None:
    assert Shelf(5).others(FIRST, 1).others(LISTED, 6).ours(LISTED, 1).told() == []


def arrived(shelf: Shelf) -> list[tuple[Partner, Partner, int, float | None]]:
    return [(a.origin.partner, a.target.partner, a.change.delta, a.seconds) for a in arrivals(shelf.books())]


def test_a_lag_ends_when_the_other_side_shows_the_change() -> None:
    shelf = Shelf().others(FIRST, -2).wait(3).ours(LISTED, -2)
    shelf.others(LISTED, -1).wait(1).ours(FIRST, -1)
    assert arrived(shelf) == [(SHOP, POS, -1, 2.0), (POS, SHOP, -2, 4.0)]


def test_two_changes_written_as_one_arrive_together_and_their_own_side_may_move_meanwhile() -> None:
    shelf = Shelf().others(FIRST, -2).others(FIRST, -1).others(LISTED, -4).ours(LISTED, -3)
    assert {(delta, seconds) for _, _, delta, seconds in arrived(shelf)} == {(-2, 3.0), (-1, 2.0), (-4, None)}


def test_a_sale_at_one_shop_arrives_at_the_ledger_and_at_the_other_shop() -> None:
    shelf = Shelf(10, (ONE, POOL), 0).others(LISTED, -2).ours(FIRST, -2).wait(2).set(POOLED, 8)
    assert arrived(shelf) == [(SHOP, POS, -2, 1.0), (SHOP, CART, -2, 4.0)]


def test_of_two_sales_that_one_write_may_explain_the_one_at_makeshop_waits() -> None:
    shelf = Shelf(10, (ONE, POOL), 0).others(POOLED, -1).others(LISTED, -1).ours(FIRST, -1).ours(FIRST, -1)
    to_ledger = [each for each in arrived(shelf) if each[1] is POS]
    assert to_ledger == [(SHOP, POS, -1, 1.0), (CART, POS, -1, 3.0)]


def test_a_cancel_at_makeshop_may_arrive_after_the_orders_that_followed_it() -> None:
    shelf = Shelf(10, (ONE, POOL), 0).others(POOLED, 3, "cancellation").others(POOLED, -1)
    shelf.ours(FIRST, -1).wait(5).ours(FIRST, 3)
    to_ledger = [each for each in arrived(shelf) if each[1] is POS]
    assert to_ledger == [(CART, POS, -1, 1.0), (CART, POS, 3, 8.0)]


def flow(shelf: Shelf, way: Way, disturbances: Disturbances | None = None) -> Flow:
    return flows(arrivals(shelf.books()), disturbances or Disturbances())[way]


def test_what_needs_no_write_has_no_lag_and_what_never_arrived_is_counted() -> None:
    shelf = Shelf(0).others(FIRST, -1).others(FIRST, 1).others(FIRST, 5)
    found = flow(shelf, Way(POS, SHOP))
    assert (found.never, found.increases.seconds) == (1, ())
    assert (shelf.count().changes, shelf.count().units) == (3, 7)


def test_lags_are_apart_for_what_was_held_up() -> None:
    shelf = Shelf().others(FIRST, -2)
    lost = Unheard(FIRST, shelf.now)
    shelf.ours(LISTED, -2).others(FIRST, 4)
    outage = Outage(shelf.now - timedelta(seconds=0.5), shelf.now)
    shelf.ours(LISTED, 4).others(FIRST, 1).ours(LISTED, 1)
    found = flow(shelf, Way(POS, SHOP), Disturbances({lost}, {POS: [outage]}))
    assert (found.decreases.seconds, found.increases.seconds, found.disturbed.seconds) == ((), (1.0,), (1.0, 1.0))
    doubted = flow(shelf, Way(POS, SHOP), Disturbances(doubts={LISTED: [outage]}))
    assert (len(doubted.decreases.seconds), len(doubted.increases.seconds)) == (1, 1)


def test_an_outage_holds_up_what_it_touches_and_nothing_else() -> None:
    change = StockChange(BEGAN, *FIRST[1:], -1, 9, "outside", "sale")
    found = Arrival(FIRST, LISTED, change, 4.0)
    for since, until, held in ((-9, -1, False), (-9, 0, True), (3, 9, True), (5, 9, False)):
        outage = Outage(BEGAN + timedelta(seconds=since), BEGAN + timedelta(seconds=until))
        assert Disturbances(outages={SHOP: [outage]}).held_up(found, 4.0) is held
        assert not Disturbances(outages={CART: [outage]}).held_up(found, 4.0)


@pytest.mark.parametrize(("share", "lag"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentiles_are_lags_that_happened(share: float, lag: float) -> None:
    found = Lags(tuple(float(n) for n in range(1, 101)))
    assert (found.at(share), found.within(5.0)) == (lag, 5)
    assert Lags(()).at(share) is None


def test_writes_to_numbers_of_no_pair_are_strays() -> None:
    shelf = Shelf().others(FIRST, -1).ours(LISTED, -1)
    ours = dataclasses.replace(shelf.logs[SHOP][0], item="bundle")
    theirs = dataclasses.replace(ours, actor="outside")
    log = [*shelf.logs[SHOP], ours, theirs]
    assert strays([ONE], SHOP, log) == [ours]
    assert strays([ONE], POS, shelf.logs[POS]) == []
    assert shelf.count().good
    assert not count(shelf.books(), EVER, stray=[ours]).good
