"""The count that decides whether a demonstration was good: of true stories, and of stories with one thing wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.cli.demonstration.arrivals import Lags, Unheard, arrivals, sum_up
from inventory_sync.cli.demonstration.counting import count, judge, too_high
from inventory_sync.cli.demonstration.stories import CLIENT, Outage, Pair, Place, Side, Story, shows, stories, strays
from inventory_sync.sandbox.kernel import StockChange

BEGAN = datetime(2026, 11, 21, tzinfo=UTC)
LEDGER, CHANNEL = Place("p1", "1"), Place("i1", "a")
PAIR = Pair("one@1", LEDGER, CHANNEL)
WINDOW = timedelta(seconds=20)
EVER = timedelta(days=1)


class Book:
    """Writes one pair's two logs, second by second."""

    def __init__(self, start: int = 10) -> None:
        self.start = start
        self.numbers = {Side.LEDGER: start, Side.CHANNEL: max(0, start)}
        self.logs: dict[Side, list[StockChange]] = {Side.LEDGER: [], Side.CHANNEL: []}
        self.now = BEGAN
        self._ops = 0

    def wait(self, seconds: float) -> Book:
        self.now += timedelta(seconds=seconds)
        return self

    def others(self, side: Side, delta: int, cause: str = "sale") -> Book:
        return self._write(side, delta, "outside", cause, "")

    def ours(self, side: Side, delta: int, reference: str | None = None) -> Book:
        self._ops += 1
        return self._write(side, delta, CLIENT, "api", f"op-{self._ops}" if reference is None else reference)

    def _write(self, side: Side, delta: int, actor: str, cause: str, reference: str) -> Book:
        self.wait(1)
        self.numbers[side] += delta
        place = LEDGER if side is Side.LEDGER else CHANNEL
        change = StockChange(self.now, *place, delta, self.numbers[side], actor, cause, reference)
        self.logs[side].append(change)
        return self

    def story(self) -> Story:
        return Story(PAIR, self.start, max(0, self.start), self.logs[Side.LEDGER], self.logs[Side.CHANNEL])


steps = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(-4, 6).filter(bool), st.booleans(), st.floats(0.1, 30)), max_size=25
)


def carried(moves: Sequence[tuple[Side, int, bool, float]], start: int) -> Book:
    """A run without a fault: changes are read some time later, netted, posted down and up apart, targets follow."""
    book = Book(start)
    read, known = 0, start

    def sync() -> None:
        nonlocal read, known
        owed = sum(c.delta for c in book.logs[Side.CHANNEL] if c.actor != CLIENT) - read
        if owed:
            book.ours(Side.LEDGER, owed)
            read += owed
        known = book.numbers[Side.LEDGER]
        gap = max(0, known) - book.numbers[Side.CHANNEL]
        if gap and not (book.numbers[Side.CHANNEL] < 0 and known <= 0):
            book.ours(Side.CHANNEL, gap)

    for side, delta, carry, seconds in moves:
        book.wait(seconds).others(side, delta)
        if carry:
            sync()
    sync()
    return book


@given(steps, st.integers(0, 20))
def test_a_run_that_carried_everything_once_is_good(moves: list[tuple[Side, int, bool, float]], start: int) -> None:
    found = count([carried(moves, start).story()], window=EVER)
    assert found.good
    assert (found.equal, found.lost, found.doubled, found.too_high) == (1, 0, 0, 0)
    assert found.arrivals.never == 0
    assert found.arrivals.changes == len(moves)


@given(steps, st.integers(0, 20), st.integers(-4, 4).filter(bool), st.booleans())
def test_an_effect_that_happens_twice_is_never_overlooked(
    moves: list[tuple[Side, int, bool, float]], start: int, delta: int, same: bool
) -> None:
    book = carried(moves, start).others(Side.CHANNEL, delta).ours(Side.LEDGER, delta, "again")
    book.ours(Side.LEDGER, delta, "again" if same else "another")
    found = judge(book.story())
    assert found.lost + found.doubled == abs(delta)
    if same:
        assert (found.doubled, found.lost) == (abs(delta), 0)


@given(steps, st.integers(0, 20), st.integers(-4, 4).filter(bool))
def test_a_channel_change_that_was_never_carried_is_never_overlooked(
    moves: list[tuple[Side, int, bool, float]], start: int, delta: int
) -> None:
    book = carried(moves, start).others(Side.CHANNEL, delta)
    found = judge(book.story())
    assert found.lost + found.doubled == abs(delta)
    if not moves:
        assert found.lost == abs(delta)


def test_a_sale_carried_twice_under_two_references_is_doubled() -> None:
    book = Book().others(Side.CHANNEL, -1).ours(Side.LEDGER, -1).ours(Side.LEDGER, -1).ours(Side.CHANNEL, -1)
    found = judge(book.story())
    assert (found.equal, found.expected, found.ledger, found.lost, found.doubled) == (True, 9, 8, 0, 1)
    assert not count([book.story()], window=EVER).good


def test_an_increase_done_twice_at_the_channel_is_doubled_before_anybody_noticed() -> None:
    book = Book().others(Side.LEDGER, 3).ours(Side.CHANNEL, 3, "key").ours(Side.CHANNEL, 3, "key")
    found = judge(book.story())
    assert (found.equal, found.doubled) == (False, 3)


def test_an_effect_that_was_taken_back_is_counted_apart() -> None:
    book = Book().others(Side.CHANNEL, -2).ours(Side.LEDGER, -2, "op").ours(Side.LEDGER, -2, "op").ours(Side.LEDGER, 2)
    found = judge(book.story())
    assert (found.lost, found.doubled, found.taken_back) == (0, 0, 2)


def test_a_backorder_stays_as_it_stands() -> None:
    book = Book(0).others(Side.CHANNEL, -2).ours(Side.LEDGER, -2)
    assert judge(book.story()).equal
    assert not shows(-2, 1)


def test_a_channel_told_more_than_there_ever_was_is_told_too_high() -> None:
    book = Book(5).others(Side.LEDGER, 2).ours(Side.CHANNEL, 3)
    [found] = too_high(book.story(), WINDOW)
    assert (found.told, found.most, found.units) == (8, 7, 1)


def test_an_increase_that_was_true_within_the_window_is_no_fault() -> None:
    sold_meanwhile = Book(5).others(Side.LEDGER, 4).others(Side.LEDGER, -3).ours(Side.CHANNEL, 4)
    assert too_high(sold_meanwhile.story(), WINDOW) == []
    long_sold = Book(5).others(Side.LEDGER, 4).others(Side.LEDGER, -3).wait(60).ours(Side.CHANNEL, 4)
    assert [each.units for each in too_high(long_sold.story(), WINDOW)] == [3]


def test_time_the_daemon_was_down_widens_the_window() -> None:
    book = Book(5).others(Side.LEDGER, 4).others(Side.LEDGER, -3)
    outage = Outage(book.now, book.now + timedelta(seconds=30))
    story = book.wait(40).ours(Side.CHANNEL, 4).story()
    assert too_high(story, WINDOW) != []
    assert too_high(story, WINDOW, [outage]) == []


def test_a_restock_at_the_channel_itself_may_show() -> None:
    book = Book(5).others(Side.LEDGER, 1).others(Side.CHANNEL, 6).ours(Side.CHANNEL, 1)
    assert too_high(book.story(), WINDOW) == []


def test_a_lag_ends_when_the_other_side_shows_the_change() -> None:
    book = Book().others(Side.LEDGER, -2).wait(3).ours(Side.CHANNEL, -2)
    book.others(Side.CHANNEL, -1).wait(1).ours(Side.LEDGER, -1)
    assert [(each.side, each.seconds) for each in arrivals(book.story())] == [(Side.LEDGER, 4.0), (Side.CHANNEL, 2.0)]


def test_two_changes_written_as_one_arrive_together_and_their_own_side_may_move_meanwhile() -> None:
    book = Book().others(Side.LEDGER, -2).others(Side.LEDGER, -1).others(Side.CHANNEL, -4).ours(Side.CHANNEL, -3)
    found = {(each.side, each.change.delta): each.seconds for each in arrivals(book.story())}
    assert found == {(Side.LEDGER, -2): 3.0, (Side.LEDGER, -1): 2.0, (Side.CHANNEL, -4): None}


def test_what_needs_no_write_has_no_lag_and_what_never_arrived_is_counted() -> None:
    book = Book(0).others(Side.LEDGER, -1).others(Side.LEDGER, 1).others(Side.LEDGER, 5)
    found = sum_up(arrivals(book.story()))
    assert (found.changes, found.units, found.never, found.increases.seconds) == (3, 7, 1, ())


def test_lags_are_apart_for_what_no_notice_told_of() -> None:
    book = Book().others(Side.LEDGER, -2)
    lost = Unheard(Side.LEDGER, LEDGER, book.now)
    book.ours(Side.CHANNEL, -2).others(Side.LEDGER, 4)
    outage = Outage(book.now - timedelta(seconds=0.5), book.now)
    book.ours(Side.CHANNEL, 4).others(Side.LEDGER, 1).ours(Side.CHANNEL, 1)
    found = sum_up(arrivals(book.story()), {lost}, [outage])
    assert (found.decreases.seconds, found.increases.seconds, found.untold.seconds) == ((), (1.0,), (1.0, 1.0))


@pytest.mark.parametrize(("share", "lag"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentiles_are_lags_that_happened(share: float, lag: float) -> None:
    assert Lags(tuple(float(n) for n in range(1, 101))).at(share) == lag
    assert Lags(()).at(share) is None


def test_logs_are_told_pair_by_pair_and_writes_elsewhere_are_strays() -> None:
    book = Book().others(Side.LEDGER, -1).ours(Side.CHANNEL, -1)
    ours = dataclasses.replace(book.logs[Side.CHANNEL][0], item="bundle")
    theirs = dataclasses.replace(ours, actor="outside")
    log = [*book.logs[Side.CHANNEL], ours, theirs]
    [story] = stories([PAIR], {LEDGER: 10}, {CHANNEL: 10}, book.logs[Side.LEDGER], log)
    assert (story.ledger_end, story.channel_end, story.expected) == (9, 9, 9)
    assert strays([PAIR], Side.CHANNEL, log) == [ours]
    assert not count([story], window=WINDOW, stray=[ours]).good
