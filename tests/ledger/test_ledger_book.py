"""The book: what is booked, what is refused, what is owed, and that a key works once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.errors import KeyConflict, NoSuchBook, Refused
from inventory_sync.ledger.values import MOST, Adjust, Count, Item, Kind, Label, Line, Location, Outcome, Put
from inventory_sync.store.db import Pool, transaction
from tests.ledger.ledger_support import START, Clock, Desk, open_desk


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.field, fault.code) for fault in refused.value.faults]


async def test_a_book_is_made_once_and_keeps_its_identity(pool: Pool, desk: Desk) -> None:
    again = await ledger.ensure_book(pool, desk.book.name, new_id=lambda: "another", now=START)
    assert again == desk.book
    with pytest.raises(NoSuchBook):
        await ledger.find_book(pool, "no such")


async def test_units_are_added_and_every_entry_says_what_it_did(desk: Desk) -> None:
    booked = await desk.post(
        Adjust("A", "main", 10, kind=Kind.RECEIPT, reason="入荷", reference="PO-1"), Adjust("A", "main", -3), key="k1"
    )
    first, second = booked.entries
    assert (first.delta, first.quantity, first.kind, first.reason) == (10, 10, Kind.RECEIPT, "入荷")
    assert (first.reference, first.actor, first.key, first.line) == ("PO-1", "tester", "k1", 0)
    assert (second.delta, second.quantity, second.line) == (-3, 7, 1)
    assert second.sequence == first.sequence + 1
    assert second.booked_at > first.booked_at
    level = await desk.level()
    assert level is not None
    assert (level.quantity, level.on_hand, level.owed) == (7, 7, 0)
    assert (level.sequence, level.changed_at) == (second.sequence, second.booked_at)


async def test_the_same_key_with_the_same_lines_returns_the_first_answer(desk: Desk) -> None:
    first = await desk.post(Adjust("A", "main", 5), key="k")
    await desk.post(Adjust("A", "main", 1), key="other")
    desk.clock.forward(86400 * 400)
    again = await desk.post(Adjust("A", "main", 5), key="k")
    assert again.entries == first.entries
    assert (first.replayed, again.replayed) == (False, True)
    assert await desk.quantity() == 6


@pytest.mark.parametrize(
    "other",
    [Adjust("A", "main", 6), Adjust("A", "main", 5, reference="x"), Count("A", "main", 5), Adjust("B", "main", 5)],
)
async def test_the_same_key_with_other_lines_is_a_conflict(desk: Desk, other: Line) -> None:
    await desk.post(Adjust("A", "main", 5), key="k")
    with pytest.raises(KeyConflict):
        await desk.post(other, key="k")
    assert await desk.quantity() == 5
    assert await desk.quantity("B") == 0


async def test_a_key_of_one_book_means_nothing_in_another(pool: Pool, desk: Desk) -> None:
    other = await open_desk(pool)
    await desk.post(Adjust("A", "main", 5), key="k")
    assert not (await other.post(Adjust("A", "main", 7), key="k")).replayed
    assert (await desk.quantity(), await other.quantity()) == (5, 7)


async def test_one_bad_line_and_nothing_is_booked(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        await desk.post(
            Adjust("A", "main", 5),
            Adjust("a", "main", 1),
            Adjust("A", "attic", 1),
            Adjust("A", "main", 1, label="good"),
            Adjust("A ", "main", 1),
            key="k",
        )
    assert codes(refused) == [
        (1, "sku", "IS-LDG-012"),
        (2, "location", "IS-LDG-014"),
        (3, "label", "IS-LDG-015"),
        (4, "sku", "IS-LDG-012"),
    ]
    assert await desk.level() is None
    assert await reading.entries(desk.pool, desk.book) == []
    booked = await desk.post(Adjust("A", "main", 2), key="k")
    assert not booked.replayed, "a key whose request was refused is free"


async def test_values_that_cannot_be_are_all_named(desk: Desk) -> None:
    later = desk.clock.now() + timedelta(minutes=6)
    with pytest.raises(Refused) as refused:
        await desk.post(
            Adjust("A", "main", 0),
            Adjust("A", "main", MOST + 1),
            Adjust("", "main", 1),
            Adjust("A\n", "main", 1),
            Adjust("A", "main", 1, reference="x" * 201),
            Adjust("A", "main", 1, kind=Kind.COUNT),
            Count("A", "main", 1, as_of=later),
            Count("A", "main", 1, as_of=START.replace(tzinfo=None)),
            Count("A", "main", 1, as_of=START.replace(year=1999)),
            Adjust("A\ud800", "main", 1),
        )
    fields = ["delta", "delta", "sku", "sku", "reference", "kind", "as_of", "as_of", "as_of", "sku"]
    assert codes(refused) == [(n, field, "IS-LDG-011") for n, field in enumerate(fields)]


async def test_stock_does_not_go_below_zero_unless_its_label_allows_it(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", 2))
    with pytest.raises(Refused) as refused:
        await desk.post(Adjust("A", "main", -3, kind=Kind.LOSS))
    assert codes(refused) == [(0, "delta", "IS-LDG-016")]
    with pytest.raises(Refused) as counted:
        await desk.post(Count("A", "main", -1))
    assert codes(counted) == [(0, "quantity", "IS-LDG-016")]
    await desk.post(Adjust("A", "main", -3, label="loose"), Count("B", "main", -4, label="loose"))
    level = await desk.level(label="loose")
    assert level is not None
    assert (level.quantity, level.on_hand, level.owed) == (-3, -3, 0)
    assert await desk.quantity() == 2


@pytest.mark.parametrize("kind", [Kind.SALE, Kind.CHANNEL])
async def test_a_sale_that_has_happened_is_owed_and_a_receipt_settles_it_first(desk: Desk, kind: Kind) -> None:
    await desk.post(Adjust("A", "main", 2))
    booked = await desk.post(Adjust("A", "main", -5, kind=kind))
    assert (booked.entries[0].delta, booked.entries[0].quantity, booked.entries[0].owed) == (-5, -3, 3)
    level = await desk.level()
    assert level is not None
    assert (level.on_hand, level.owed, level.quantity) == (0, 3, -3)
    with pytest.raises(Refused):
        await desk.post(Adjust("A", "main", -1))
    await desk.post(Adjust("A", "main", 2, kind=Kind.RECEIPT))
    await desk.post(Adjust("A", "main", 4, kind=Kind.RECEIPT))
    level = await desk.level()
    assert level is not None
    assert (level.on_hand, level.owed, level.quantity) == (3, 0, 3)


async def test_an_item_without_tracked_stock_is_not_booked(desk: Desk) -> None:
    await ledger.put_items(desk.pool, desk.book, [Item("A", tracked=False)], now=START)
    with pytest.raises(Refused) as refused:
        await desk.post(Adjust("A", "main", 1))
    assert codes(refused) == [(0, "sku", "IS-LDG-013")]


async def test_a_number_that_no_stock_can_be_is_refused(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", MOST))
    with pytest.raises(Refused) as refused:
        await desk.post(Adjust("A", "main", 1))
    assert codes(refused) == [(0, "delta", "IS-LDG-017")]


async def test_a_count_keeps_what_happened_after_it_on_top(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", 10))
    counted_at = desk.clock.forward(60)
    desk.clock.forward(60)
    await desk.post(Adjust("A", "main", -2, kind=Kind.SALE), Adjust("A", "main", 5, kind=Kind.RECEIPT))
    desk.clock.forward(60)
    (entry,) = (await desk.post(Count("A", "main", 8, as_of=counted_at))).entries
    assert (entry.asked, entry.delta, entry.quantity, entry.as_of) == (8, -2, 11, counted_at)
    assert await desk.quantity() == 11


async def test_a_count_whose_later_sales_exceed_it_owes_the_rest(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", 10))
    counted_at = desk.clock.forward(60)
    desk.clock.forward(60)
    await desk.post(Adjust("A", "main", -6, kind=Kind.SALE))
    await desk.post(Count("A", "main", 4, as_of=counted_at))
    level = await desk.level()
    assert level is not None
    assert (level.quantity, level.owed) == (-2, 2)


async def test_what_an_older_count_or_move_says_was_counted_already(desk: Desk) -> None:
    before = desk.clock.now()
    desk.clock.forward(3600)
    await desk.post(Count("A", "main", 7))
    late = await desk.post(Count("A", "main", 99, as_of=before), Adjust("A", "main", -2, as_of=before))
    assert [(e.outcome, e.delta, e.quantity) for e in late.entries] == [(Outcome.SUPERSEDED, 0, 7)] * 2
    assert await desk.quantity() == 7


async def test_a_move_at_the_very_time_of_a_count_is_in_the_count_whichever_came_first(desk: Desk) -> None:
    at = desk.clock.now()
    desk.clock.forward(60)
    move, count = Adjust("A", "main", 3, as_of=at), Count("A", "main", 7, as_of=at)
    await desk.post(move, count)
    assert await desk.quantity() == 7
    await desk.post(replace(count, sku="B"))
    await desk.post(replace(move, sku="B"))
    assert await desk.quantity("B") == 7


async def test_a_clock_a_little_ahead_counts_as_now(desk: Desk) -> None:
    ahead = desk.clock.now() + timedelta(minutes=4)
    (entry,) = (await desk.post(Count("A", "main", 7, as_of=ahead))).entries
    assert entry.as_of == entry.booked_at < ahead
    await desk.post(Adjust("A", "main", -1))
    assert await desk.quantity() == 6


async def test_a_clock_that_goes_back_does_not_reorder_the_book(desk: Desk) -> None:
    await desk.post(Count("A", "main", 7))
    desk.clock.forward(-3600)
    (entry,) = (await desk.post(Adjust("A", "main", -1))).entries
    assert (entry.outcome, entry.quantity) == (Outcome.BOOKED, 6)
    found = await reading.entries(desk.pool, desk.book)
    assert [e.booked_at for e in found] == sorted(e.booked_at for e in found)


async def test_adjustments_at_the_same_time_are_all_counted_once(desk: Desk) -> None:
    async def one(number: int) -> None:
        await desk.post(Adjust("A", "main", 1), Adjust("B", "back", 2), key=f"k{number % 20}")

    await asyncio.gather(*(one(number) for number in range(40)))
    assert (await desk.quantity(), await desk.quantity("B", "back")) == (20, 40)
    found = await reading.entries(desk.pool, desk.book)
    assert sum(e.delta for e in found if e.sku == "A") == 20
    sequences = [e.sequence for e in found]
    assert sequences == list(range(sequences[0], sequences[0] + 40))


async def test_a_cursor_skips_nothing_while_others_write(desk: Desk) -> None:
    seen: list[int] = []
    done = asyncio.Event()

    async def follow() -> None:
        after = 0
        while True:
            last_round = done.is_set()
            page = await reading.entries(desk.pool, desk.book, after=after, limit=7)
            seen.extend(e.sequence for e in page)
            after = page[-1].sequence if page else after
            if last_round and not page:
                return

    async def write() -> None:
        await asyncio.gather(*(desk.post(Adjust("A", "main", 1), key=f"k{n}") for n in range(30)))
        done.set()

    await asyncio.gather(follow(), write())
    assert seen == [e.sequence for e in await reading.entries(desk.pool, desk.book)]
    assert len(seen) == 30


async def test_entries_can_be_neither_changed_nor_removed(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", 1))
    for statement in ("update ledger_entries set delta = 5", "delete from ledger_entries", "truncate ledger_entries"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await desk.pool.execute(statement)


async def test_a_file_may_book_within_its_own_transaction(desk: Desk) -> None:
    class Interrupted(Exception):
        pass

    async def half_a_file() -> None:
        async with transaction(desk.pool) as conn:
            await ledger.post(conn, desk.book, [Adjust("A", "main", 1)], actor="file", now=desk.clock.now(), key="f")
            with pytest.raises(Refused):
                await ledger.post(conn, desk.book, [Adjust("X", "main", 1)], actor="file", now=desk.clock.now())
            raise Interrupted

    with pytest.raises(Interrupted):
        await half_a_file()
    assert await desk.level() is None


async def test_items_places_and_labels_are_put_by_their_key(desk: Desk) -> None:
    pool, book = desk.pool, desk.book
    put = await ledger.put_items(
        pool, book, [Item("A", "Apple", "4900000000011"), Item("B", "B2"), Item("C")], now=START
    )
    assert put == Put(created=1, changed=1, same=1)
    assert [item.sku for item in await reading.items(pool, book)] == ["A", "B", "C"]
    assert [item.sku for item in await reading.items(pool, book, after="A", limit=1)] == ["B"]
    assert await reading.items(pool, book, skus=["B", "nothing"]) == [Item("B", "B2")]
    await ledger.put_locations(pool, book, [Location("main", "本店", active=False)], now=START)
    assert await reading.locations(pool, book) == [Location("back", "倉庫"), Location("main", "本店", active=False)]
    await ledger.put_labels(pool, book, [Label("stock", negative=True)], now=START)
    await desk.post(Adjust("A", "main", -1))
    assert await desk.quantity() == -1
    with pytest.raises(Refused):
        await ledger.put_items(pool, book, [Item("D"), Item("D")], now=START)


async def test_blanks_and_widths_make_different_items(desk: Desk) -> None:
    skus = ["A", "A ", "Ａ", "a", " A"]
    await ledger.put_items(desk.pool, desk.book, [Item(sku) for sku in skus], now=START)
    await desk.post(*(Adjust(sku, "main", n + 1) for n, sku in enumerate(skus)))
    assert [await desk.quantity(sku) for sku in skus] == [1, 2, 3, 4, 5]


async def test_changed_levels_come_by_cursor_or_by_time(desk: Desk) -> None:
    pool, book = desk.pool, desk.book
    await desk.post(Adjust("A", "main", 1), Adjust("B", "main", 1), Adjust("A", "back", 1))
    first = await reading.levels(pool, book, limit=2)
    rest = await reading.levels(pool, book, after=first[-1].sequence)
    assert [(level.sku, level.location) for level in (*first, *rest)] == [("A", "main"), ("B", "main"), ("A", "back")]
    since = desk.clock.forward(10)
    await desk.post(Adjust("B", "main", 4))
    changed = await reading.levels(pool, book, since=since)
    assert [(level.sku, level.location, level.quantity) for level in changed] == [("B", "main", 5)]
    assert await reading.levels(pool, book, after=changed[-1].sequence) == []
    assert [level.sku for level in await reading.levels(pool, book, location="main", skus=["A"])] == ["A"]


async def test_entries_are_found_by_sku_and_by_reference(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", 5), Adjust("A", "main", -1, reference="order 7"), Adjust("B", "main", 2))
    pool, book = desk.pool, desk.book
    assert [e.delta for e in await reading.entries(pool, book, sku="A")] == [5, -1]
    assert [e.delta for e in await reading.entries(pool, book, reference="order 7")] == [-1]
    assert [e.delta for e in await reading.entries(pool, book, label="loose")] == []


async def test_our_own_connection_hears_of_it_in_the_same_transaction(pool: Pool) -> None:
    clock = Clock()
    desk = await open_desk(pool, clock)
    connection = await pool.fetchval(
        "insert into connections (name, system, state, state_since) values ($1, 'builtin', 'linked', $2) returning id",
        desk.book.name,
        START,
    )
    await desk.post(Adjust("A", "main", 5), Adjust("B", "main", 1, label="loose"))
    await desk.post(Adjust("A", "main", -1, kind=Kind.CHANNEL))
    await ledger.put_items(pool, desk.book, [Item("C"), Item("A", "Apple", "4900000000011")], now=clock.now())
    await ledger.put_items(pool, desk.book, [Item("D")], now=clock.now())
    with pytest.raises(Refused):
        await desk.post(Adjust("A", "main", -100))
    kept = await pool.fetch("select connection_id, kind, hints, catalogue from inbox order by id")
    assert [tuple(row) for row in kept] == [
        (connection, "levels", [["A", "main", 5, None]], []),
        (connection, "catalogue", [], ["C"]),
        (connection, "catalogue", [], ["D"]),
    ]
