"""The GET calls: stores, products, stock, change history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.smaregi.queries import Query
from inventory_sync.sandbox.smaregi.records import (
    PRODUCT_FIELDS,
    STOCK_FIELDS,
    STORE_FIELDS,
    Cell,
    HistoryRow,
    Product,
    number_of,
    stamp,
)
from inventory_sync.sandbox.smaregi.replies import UNKNOWN_ID, Problem, answer
from inventory_sync.sandbox.smaregi.tables import Sort
from inventory_sync.sandbox.smaregi.world import SmaregiWorld

_WINDOW = ("upd_date_time-from", "upd_date_time-to")

# Filters of the product list that compare one field exactly (observed in clients generated from the reference).
_PRODUCT_FILTERS: dict[str, Callable[[Product], str | None]] = {
    "product_code": lambda product: product.code,
    "group_code": lambda product: product.group,
    "category_id": lambda product: str(product.category),
    "display_flag": lambda product: "1" if product.shown else "0",
    "division": lambda product: product.division,
    "sales_division": lambda product: product.sales_division,
    "stock_control_division": lambda product: "0" if product.managed else "1",
    "supplier_product_no": lambda product: product.supplier_no,
}
_NUMERIC = {"productId", "storeId", "categoryId", "price", "displaySequence"}


def list_stores(world: SmaregiWorld, request: Request, now: datetime) -> Response:
    """`GET /pos/stores`."""
    query = Query.of(request, world.switches, _WINDOW)
    window = query.window()
    stores = [store for store in world.stores.values() if window is None or window[0] <= store.updated <= window[1]]
    rows = [store.json() for store in sorted(stores, key=lambda store: store.id)]
    page, more = query.page(_sorted(rows, query.sort(STORE_FIELDS)))
    return query.reply(query.shape(list(page), STORE_FIELDS), more=more)


def list_products(world: SmaregiWorld, request: Request, now: datetime) -> Response:
    """`GET /pos/products`."""
    query = Query.of(request, world.switches, ("product_id", *_PRODUCT_FILTERS, *_WINDOW))
    wanted = [(field, text) for name, field in _PRODUCT_FILTERS.items() if (text := query.text(name)) is not None]
    found = [
        product for product in _products_asked(world, query) if all(field(product) == text for field, text in wanted)
    ]
    sort = query.sort(PRODUCT_FIELDS)
    if sort:
        page, more = query.page(_sorted([product.json() for product in found], sort))
    else:
        products, more = query.page(found)
        page = [product.json() for product in products]
    return query.reply(query.shape(list(page), PRODUCT_FIELDS), more=more)


def _products_asked(world: SmaregiWorld, query: Query) -> Iterable[Product]:
    """Products by id, found by what narrows them down most."""
    window, identity, code = query.window(), query.number("product_id"), query.text("product_code")
    ids: Iterable[int | None]
    if identity is not None:
        ids = [identity]
    elif code is not None:
        ids = [world.codes.get(code)]
    elif window is not None:
        ids = sorted(world.product_updates.between(*window))
    else:
        return world.products.values()
    found = [world.products[each] for each in ids if each in world.products]
    return [product for product in found if window is None or window[0] <= product.updated <= window[1]]


def _sorted(rows: list[dict[str, str | None]], sort: Sort) -> list[dict[str, str | None]]:
    def key(field: str) -> Any:
        if field in _NUMERIC:
            return lambda row: int(row[field] or 0)
        return lambda row: row[field] or ""

    for field, descending in reversed(sort):
        rows.sort(key=key(field), reverse=descending)
    return rows


def get_product(world: SmaregiWorld, request: Request, now: datetime, product: str) -> Response:
    """`GET /pos/products/{id}`."""
    identity = number_of(product)
    found = None if identity is None else world.products.get(identity)
    if found is None:
        raise Problem(404, UNKNOWN_ID)
    query = Query.of(request, world.switches, ())
    return answer(query.shape([found.json()], PRODUCT_FIELDS)[0])


def list_stock(world: SmaregiWorld, request: Request, now: datetime) -> Response:
    """`GET /pos/stock`: rows as they were `stock_lag` seconds ago; products that never moved are absent."""
    query = Query.of(request, world.switches, ("store_id", "product_id", *_WINDOW))
    table = world.rows.shown(now, world.switches.stock_lag)
    cells, more = query.page(
        table.select(
            product=query.number("product_id"),
            store=query.number("store_id"),
            window=query.window(),
            sort=query.sort(("productId", "storeId")),
        )
    )
    return query.reply(query.shape([table[cell].json() for cell in cells], STOCK_FIELDS), more=more)


def list_changes(world: SmaregiWorld, request: Request, now: datetime, product: str, store: str) -> Response:
    """`GET /pos/stock/changes/{product_id}/{store_id}`."""
    switches = world.switches
    if not switches.history_readable:
        raise Problem(403, "ご利用のプランではこのAPIを利用できません")
    cell = Cell(number_of(product) or -1, number_of(store) or -1)
    if cell.product not in world.products or cell.store not in world.stores:
        raise Problem(404, UNKNOWN_ID)
    filters = ("id", "target_date", "stock_amount", "stock_division", "from_store_id", "to_store_id")
    query = Query.of(request, switches, filters)
    visible = now - timedelta(seconds=switches.history_lag)
    rows = [row for row in _history_asked(world.history.get(cell, []), query) if row.at <= visible]
    if switches.history_newest_first:
        rows.reverse()
    page, more = query.page(rows)
    legible = now - timedelta(seconds=switches.memo_lag)
    shown = [row.json(memo=switches.history_has_memo and row.at <= legible) for row in page]
    return query.reply(query.shape(shown, tuple(shown[0]) if shown else ()), more=more)


def _history_asked(rows: list[HistoryRow], query: Query) -> list[HistoryRow]:
    """Rows that match the filters. `target_date` compares the business date in Japan, not the date of writing."""
    identity, day = query.number("id"), query.day("target_date")
    division, amount = query.text("stock_division"), query.text("stock_amount")
    source, target = query.number("from_store_id"), query.number("to_store_id")
    return [
        row
        for row in rows
        if (identity is None or row.id == identity)
        and (day is None or stamp(row.target)[:10] == day.isoformat())
        and (division is None or row.division.value == division)
        and (amount is None or str(row.stock) == amount)
        and (source is None or row.from_store == source)
        and (target is None or row.to_store == target)
    ]
