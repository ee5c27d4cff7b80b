"""The book under any sequence of lines: it adds up, nothing is told twice, and the order of arrival is no matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_sync.ledger import reading
from inventory_sync.ledger.errors import Refused
from inventory_sync.ledger.values import Adjust, Count, Kind, Line
from inventory_sync.store.db import Pool
from tests.ledger.ledger_support import START, Desk, open_desk

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

skus, places, labels = st.sampled_from("AB"), st.sampled_from(["main", "back"]), st.sampled_from(["stock", "loose"])
units = st.integers(-9, 9).filter(bool)
minutes = st.integers(0, 50)
kinds = st.sampled_from([Kind.ADJUSTMENT, Kind.SALE, Kind.RECEIPT, Kind.CHANNEL])


@st.composite
def any_line(draw: st.DrawFn) -> Line:
    """Any line about one of few cells; half of them speak of a time that has passed."""
    at = START - timedelta(minutes=draw(minutes)) if draw(st.booleans()) else None
    sku, place, label = draw(skus), draw(places), draw(labels)
    if draw(st.booleans()):
        return Count(sku, place, draw(st.integers(-2, 12)), label, as_of=at)
    return Adjust(sku, place, draw(units), label, draw(kinds), as_of=at)


requests = st.lists(st.lists(any_line(), min_size=1, max_size=4), max_size=8)


async def check_books(desk: Desk) -> None:
    """Every level is the sum of its entries, and below 0 only as its label allows."""
    sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for entry in await reading.entries(desk.pool, desk.book, limit=10_000):
        cell = entry.sku, entry.location, entry.label
        sums[cell] += entry.delta
        assert entry.quantity == sums[cell]
    levels = await reading.levels(desk.pool, desk.book, limit=10_000)
    assert {(e.sku, e.location, e.label): e.quantity for e in levels} == dict(sums)
    for level in levels:
        assert level.quantity == level.on_hand - level.owed
        if level.label == "stock":
            assert level.on_hand >= 0
            assert level.on_hand == 0 or level.owed == 0
        else:
            assert level.owed == 0


@FEW
@given(asked=requests)
async def test_entries_add_up_to_levels_and_refusals_change_nothing(pool: Pool, asked: Sequence[list[Line]]) -> None:
    desk = await open_desk(pool)
    for lines in asked:
        desk.clock.forward(60)
        before = await reading.levels(desk.pool, desk.book)
        try:
            await desk.post(*lines)
        except Refused:
            assert await reading.levels(desk.pool, desk.book) == before
    await check_books(desk)


@FEW
@given(asked=requests, seed=st.randoms(use_true_random=False))
async def test_requests_that_are_repeated_at_any_time_change_nothing(pool: Pool, asked: list[list[Line]], seed) -> None:  # type: ignore[no-untyped-def]
    plain, repeated = await open_desk(pool), await open_desk(pool)
    sent: list[tuple[int, list[Line]]] = []
    for number, lines in enumerate(asked):
        for desk in (plain, repeated):
            desk.clock.forward(60)
        try:
            await plain.post(*lines)
        except Refused:
            continue
        await repeated.post(*lines, key=f"k{number}")
        sent.append((number, lines))
        again, its_lines = seed.choice(sent)
        assert (await repeated.post(*its_lines, key=f"k{again}")).replayed
    told = [
        [(e.sku, e.location, e.label, e.quantity, e.owed) for e in await reading.levels(pool, each.book)]
        for each in (plain, repeated)
    ]
    assert told[0] == told[1]


@FEW
@given(
    said=st.lists(
        st.tuples(st.booleans(), st.integers(-9, 9).filter(bool), minutes), max_size=8, unique_by=lambda each: each[2]
    ),
    seed=st.randoms(use_true_random=False),
)
async def test_a_level_depends_on_what_was_said_and_not_on_the_order_it_came_in(  # type: ignore[no-untyped-def]
    pool: Pool, said: list[tuple[bool, int, int]], seed
) -> None:
    lines: list[Line] = []
    for is_count, number, ago in said:
        at = START - timedelta(minutes=ago)
        lines.append(
            Count("A", "main", number, "loose", as_of=at)
            if is_count
            else Adjust("A", "main", number, "loose", as_of=at)
        )
    expected = 0
    for line in sorted(lines, key=lambda each: each.as_of or START):
        expected = line.quantity if isinstance(line, Count) else expected + line.delta
    seed.shuffle(lines)
    in_one, one_by_one = await open_desk(pool), await open_desk(pool)
    await in_one.post(*lines)
    for line in lines:
        one_by_one.clock.forward(1)
        await one_by_one.post(line)
    assert [await each.quantity(label="loose") for each in (in_one, one_by_one)] == [expected, expected]
    await check_books(in_one)


@FEW
@given(before=st.lists(units, max_size=5), after=st.lists(units, max_size=5), counted=st.integers(0, 20))
async def test_a_count_as_of_a_time_is_that_number_and_all_that_came_later(
    pool: Pool, before: list[int], after: list[int], counted: int
) -> None:
    desk = await open_desk(pool)
    for delta in before:
        await desk.post(Adjust("A", "main", delta, kind=Kind.SALE))
    counted_at = desk.clock.forward(60)
    desk.clock.forward(60)
    for delta in after:
        await desk.post(Adjust("A", "main", delta, kind=Kind.SALE))
    line = Count("A", "main", counted, as_of=counted_at)
    await desk.post(line)
    assert await desk.quantity() == counted + sum(after)
    await desk.post(replace(line, reason="said twice"))
    assert await desk.quantity() == counted + sum(after)
