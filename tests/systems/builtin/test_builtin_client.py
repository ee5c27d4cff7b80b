"""The adapter of the built-in ledger against the ledger itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.api import LedgerApi
from inventory_sync.ledger.keys import Scope, create_key
from inventory_sync.ledger.transport import LedgerTransport
from inventory_sync.ledger.values import Adjust, Count, Item, Kind, Label, Location
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.store.db import Pool
from inventory_sync.systems.errors import Broken, BrokenKind, Doubt, RetryLater
from inventory_sync.systems.http import HttpRequest, NoAnswer, NotSent
from inventory_sync.systems.port import (
    Applied,
    CatalogueItem,
    CellRef,
    Condition,
    NotApplied,
    PartnerLocation,
    Rejected,
)
from tests.ledger.ledger_support import START, Clock
from tests.systems.builtin.builtin_support import Shop, cell, client_of, op


async def test_a_connection_knows_its_book_and_its_label(shop: Shop) -> None:
    found = await shop.client().verify()
    assert found.identity == f"{shop.desk.book.identity}/stock"
    assert found.warnings == ()
    other = await shop.client(label="loose").verify()
    assert other.identity != found.identity, "another label is another number"


async def test_a_label_that_does_not_exist_is_named(shop: Shop) -> None:
    with pytest.raises(Broken, match="'good'; there are 'loose', 'stock'") as broken:
        await shop.client(label="good").verify()
    assert (broken.value.kind, broken.value.code) == (BrokenKind.GONE, "IS-BLT-004")


async def test_a_first_connection_makes_its_book(pool: Pool) -> None:
    clock = Clock()
    transport = LedgerTransport(LedgerApi(pool), "warehouse", now=clock.now, new_id=clock.new_id)
    first, second = (client_of(transport, clock, {}) for _ in range(2))
    assert await first.verify() == await second.verify()
    assert await first.locations() == (PartnerLocation(LocationKey("main"), "warehouse", True),)
    assert [book.name for book in await ledger.books(pool)] == ["warehouse"]


async def test_a_key_that_is_wrong_or_may_not_write_is_told_as_such(shop: Shop) -> None:
    if not shop.settings:
        assert "authorization" not in (await _first_request(shop)).headers, "in process there is no key to lose"
        return
    with pytest.raises(Broken) as broken:
        await shop.client(api_key="isl_00000000_wrong").verify()
    assert (broken.value.kind, broken.value.code) == (BrokenKind.CREDENTIAL, "IS-BLT-001")
    eyes = await create_key(shop.desk.pool, shop.desk.book, "eyes", Scope.READ, actor="tester", now=START)
    reader = shop.client(api_key=eyes.key)
    assert (await reader.verify()).warnings == ("The key may read the ledger and not write it",)
    with pytest.raises(Broken) as refused:
        await reader.send(reader.compose([op(1, 1)], "k"), [op(1, 1)])
    assert refused.value.kind is BrokenKind.SCOPE


async def _first_request(shop: Shop) -> HttpRequest:
    await shop.client().verify()
    return shop.door.requests[0]


async def test_the_catalogue_is_read_to_its_end(shop: Shop) -> None:
    desk, client = shop.desk, shop.client()
    many = [Item(f"N{number:04d}") for number in range(1001)]
    await ledger.put_items(desk.pool, desk.book, many, now=START)
    await ledger.put_items(desk.pool, desk.book, [Item("B", archived=True), Item("U", tracked=False)], now=START)
    items: list[CatalogueItem] = []
    cursor: str | None = None
    while True:
        page = await client.catalogue_page(cursor)
        items += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert [item.key for item in items] == ["A", *(item.sku for item in many), "U"]
    assert (items[0].codes, items[0].name, items[0].tracked) == (
        {"sku": "A", "barcode": "4900000000011"},
        "Apple",
        True,
    )
    assert not items[-1].tracked


async def test_a_refresh_tells_what_is_there_and_what_is_gone(shop: Shop) -> None:
    desk = shop.desk
    odd = [f"日本語 & ?={'ー' * 180} {number}" for number in range(30)]
    await ledger.put_items(desk.pool, desk.book, [*map(Item, odd), Item("B", archived=True)], now=START)
    found = await shop.client().refresh(["A", *odd, "B", "nothing", "", "x\0", "x" * 201])
    assert [item.key for item in found.items] == ["A", *odd]
    assert found.gone == ("B", "nothing", "", "x\0", "x" * 201)


async def test_every_state_of_a_cell_is_told_apart(shop: Shop) -> None:
    desk = shop.desk
    await ledger.put_items(desk.pool, desk.book, [Item("U", tracked=False)], now=START)
    await desk.post(Adjust("A", "main", 5), Adjust("A", "back", -2, kind=Kind.SALE))
    cells = [cell(), cell("A", "back"), cell("B"), cell("U"), cell("none"), cell("A", "attic")]
    found = await shop.client().read(cells, changed_since=None)
    assert [(r.cell, r.condition, r.quantity) for r in found] == [
        (cells[0], Condition.ACTIVE, 5),
        (cells[1], Condition.ACTIVE, -2),
        (cells[2], Condition.ABSENT, None),
        (cells[3], Condition.UNTRACKED, None),
        (cells[4], Condition.GONE, None),
        (cells[5], Condition.GONE, None),
    ]
    assert found[0].stamp is not None


async def test_five_hundred_cells_are_one_reading(shop: Shop) -> None:
    desk = shop.desk
    skus = [f"商品-{number:05d}-{'長' * 100}" for number in range(500)]
    await ledger.put_items(desk.pool, desk.book, [Item(sku) for sku in skus], now=START)
    await desk.post(*(Adjust(sku, "main", number + 1) for number, sku in enumerate(skus)))
    found = await shop.client().read([cell(sku) for sku in skus], changed_since=None)
    assert [reading.quantity for reading in found] == list(range(1, 501))
    assert len(shop.door.requests) == 1


@pytest.mark.row("S2-2")
async def test_only_the_connections_own_label_is_read_and_written(shop: Shop) -> None:
    desk, client = shop.desk, shop.client(label="loose")
    await desk.post(Adjust("A", "main", 5), Adjust("A", "main", 3, label="loose"))
    ops = [op(1, -4)]
    await client.send(client.compose(ops, "k"), ops)
    assert [r.quantity for r in await client.read([cell()], changed_since=None)] == [-1]
    assert [level.quantity for level in (await client.walk_levels(None)).levels] == [-1]
    assert await desk.quantity() == 5


async def test_a_batch_is_booked_under_its_key_and_named_in_the_history(shop: Shop) -> None:
    desk, client = shop.desk, shop.client()
    ops = [op(1, -2), op(2, -3, "B")]
    outcomes = await client.send(client.compose(ops, "batch-1"), ops)
    assert isinstance(outcomes, dict)
    assert all(isinstance(outcome, Applied) for outcome in outcomes.values())
    assert (await desk.quantity(), await desk.quantity("B")) == (-2, -3), "what was sold is owed, never refused"
    (row,) = await client.history(cell(), START - timedelta(hours=1))
    assert (row.installation, row.op, row.amount, row.level_after) == ("shop1", ops[0].op, -2, -2)
    applied = outcomes[ops[0].op]
    assert isinstance(applied, Applied)
    assert (applied.reference, applied.stamp) == (row.id, row.at)
    (level,) = await client.read([cell()], changed_since=None)
    assert level.stamp == applied.stamp


@pytest.mark.parametrize("trouble", ["lost", "cut", "error"])
async def test_a_lost_answer_is_doubt_and_the_same_bytes_end_it(shop: Shop, trouble: str) -> None:
    desk, client = shop.desk, shop.client()
    await desk.post(Adjust("A", "main", 10))
    ops = [op(1, -2)]
    prepared = client.compose(ops, "batch-1")
    shop.door.trouble = [trouble]
    with pytest.raises(Doubt):
        await client.send(prepared, ops)
    assert await desk.quantity() == 8
    desk.clock.forward(86400)
    again = await client.send(prepared, ops)
    assert await desk.quantity() == 8
    assert await client.send(prepared, ops) == again


async def test_a_request_that_never_left_may_be_sent_later(shop: Shop) -> None:
    client, ops = shop.client(), [op(1, 2)]
    shop.door.trouble = ["not sent"]
    with pytest.raises(RetryLater) as later:
        await client.send(client.compose(ops, "k"), ops)
    assert later.value.executed is False
    assert await shop.desk.level() is None


async def test_the_same_batch_sent_twice_at_once_takes_effect_once(shop: Shop) -> None:
    client, ops = shop.client(), [op(1, 2)]
    prepared = client.compose(ops, "k")
    first, second = await asyncio.gather(client.send(prepared, ops), client.send(prepared, ops))
    assert first == second
    assert await shop.desk.quantity() == 2


async def test_one_refused_line_is_named_and_its_neighbours_were_not_carried_out(shop: Shop) -> None:
    client = shop.client()
    ops = [op(1, 2), op(2, 3, "gone"), op(3, 4, "B")]
    outcomes = await client.send(client.compose(ops, "k"), list(reversed(ops)))
    assert isinstance(outcomes, dict)
    assert [type(outcomes[each.op]) for each in ops] == [NotApplied, Rejected, NotApplied]
    rejected = outcomes[ops[1].op]
    assert isinstance(rejected, Rejected)
    assert "'gone'" in rejected.reason
    assert await shop.desk.level() is None
    rest = [ops[0], ops[2]]
    await client.send(client.compose(rest, "k2"), rest)
    assert (await shop.desk.quantity(), await shop.desk.quantity("B")) == (2, 4)


async def test_changes_since_a_time_are_listed_page_by_page(shop: Shop) -> None:
    desk, client = shop.desk, shop.client()
    skus = [f"N{number:04d}" for number in range(700)]
    await ledger.put_items(desk.pool, desk.book, [Item(sku) for sku in skus], now=START)
    await desk.post(Adjust("A", "main", 1))
    since = desk.clock.forward(60)
    await desk.post(*(Adjust(sku, "main", 2) for sku in skus))
    seen: list[CellRef] = []
    cursor: str | None = None
    while True:
        page = await client.changed_levels(since, desk.clock.now(), cursor)
        seen += [level.cell for level in page.levels]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [cell(sku) for sku in skus]
    first = await client.walk_levels(None)
    rest = await client.walk_levels(first.cursor)
    assert len(first.levels) + len(rest.levels) == 701
    assert rest.cursor is None


async def test_the_history_tells_causes_and_the_documents_behind_them(shop: Shop) -> None:
    desk, client = shop.desk, shop.client()
    kinds = [Kind.RECEIPT, Kind.SALE, Kind.SHIPMENT, Kind.RETURN, Kind.LOSS, Kind.TRANSFER, Kind.RESERVATION]
    await desk.post(Adjust("A", "main", -100, kind=Kind.SALE))
    since = desk.clock.forward(60)
    await desk.post(*(Adjust("A", "main", n + 1, kind=kind, reference=f"doc {n}") for n, kind in enumerate(kinds)))
    await desk.post(Count("A", "main", 50), Count("A", "main", 50))
    await desk.post(Adjust("A", "main", 1, kind=Kind.CHANNEL, reference="is:other:0f"), Adjust("A", "back", 1))
    rows = await client.history(cell(), since)
    expected = [(kind.value, n + 1, f"doc {n}") for n, kind in enumerate(kinds)]
    assert [(row.cause, row.amount, row.reference) for row in rows[:-2]] == expected
    assert (rows[-2].cause, rows[-2].amount) == ("count", 50 + 100 - 28), "a count that changed nothing is no row"
    assert (rows[-1].cause, rows[-1].installation, rows[-1].op) == ("api", "other", "0f")
    assert [row.at for row in rows] == sorted(row.at for row in rows)


async def test_places_that_are_closed_are_told_so(shop: Shop) -> None:
    await ledger.put_locations(shop.desk.pool, shop.desk.book, [Location("back", "倉庫", active=False)], now=START)
    found = {place.key: place for place in await shop.client().locations()}
    assert (found[LocationKey("back")].active, found[LocationKey("main")].active) == (False, True)


async def test_nothing_is_sent_over_the_rate_and_a_new_client_starts_empty(shop: Shop) -> None:
    client = shop.client(budget_full=False, requests_per_second=5)
    with pytest.raises(RetryLater) as later:
        await client.read([cell()], changed_since=None)
    assert shop.door.requests == []
    assert later.value.after > 0
    shop.desk.clock.forward(later.value.after)
    await client.read([cell()], changed_since=None)
    with pytest.raises(RetryLater):
        await client.locations()
    assert len(shop.door.requests) == 1


async def test_a_label_removed_behind_our_back_reads_as_an_error_and_not_as_nothing(shop: Shop) -> None:
    client = shop.client(label="neu")
    await ledger.put_labels(shop.desk.pool, shop.desk.book, [Label("neu")], now=START)
    assert [r.condition for r in await client.read([cell()], changed_since=None)] == [Condition.ABSENT]
    await shop.desk.pool.execute("delete from ledger_labels where name = 'neu'")
    with pytest.raises(Exception, match="no such stock label"):
        await client.read([cell()], changed_since=None)


async def test_a_database_that_is_away_leaves_a_request_open(pool: Pool) -> None:
    clock = Clock()
    transport = LedgerTransport(LedgerApi(pool), "warehouse", now=clock.now, new_id=clock.new_id)
    client = client_of(transport, clock, {})
    await client.verify()
    other = LedgerTransport(LedgerApi(pool), "another", now=clock.now, new_id=clock.new_id)
    await ledger.put_items(pool, await ledger.find_book(pool, "warehouse"), [Item("A")], now=START)
    await pool.close()
    with pytest.raises(NotSent):
        await other.send(HttpRequest("GET", "builtin:/ledger/v1/book"))
    with pytest.raises(NoAnswer):
        await transport.send(HttpRequest("GET", "builtin:/ledger/v1/book"))
    ops = [op(1, 1)]
    with pytest.raises(Doubt):
        await client.send(client.compose(ops, "k"), ops)
    with pytest.raises(RetryLater):
        await client.read([cell()], changed_since=None)


async def test_a_request_that_takes_too_long_is_open_too(pool: Pool) -> None:
    clock = Clock()
    client = client_of(
        LedgerTransport(LedgerApi(pool), "warehouse", now=clock.now, new_id=clock.new_id),
        clock,
        {"request_timeout_seconds": 0.2},
    )
    await client.verify()
    book = await ledger.find_book(pool, "warehouse")
    await ledger.put_items(pool, book, [Item("A")], now=START)
    ops = [op(1, 1)]
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("select 1 from ledger_books where id = $1 for update", book.id)
        with pytest.raises(Doubt):
            await client.send(client.compose(ops, "k"), ops)
    await client.send(client.compose(ops, "k"), ops)
    (level,) = await reading.read_cells(pool, book, [("A", "main")], "stock")
    assert level.level is not None
    assert level.level.quantity == 1


def test_an_item_key_is_the_sku_itself() -> None:
    assert cell().item == ItemKey("A")
