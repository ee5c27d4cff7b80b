"""The two single stock writes: absolute (PATCH) and relative (add). Both are carried out before they are answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.smaregi.records import Cell, Division, HistoryRow, StockRow, number_of, second, stamp
from inventory_sync.sandbox.smaregi.replies import ABOVE_RANGE, BELOW_RANGE, UNKNOWN_ID, UNKNOWN_STORE, Problem, answer
from inventory_sync.sandbox.smaregi.switches import ADD_MAX, MEMO_MAX, STOCK_MAX
from inventory_sync.sandbox.smaregi.world import Move, SmaregiWorld

_STORE = re.compile(r"[0-9]{1,15}")
_AMOUNT = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class WriteBody:
    """The body of a stock write, of the right form."""

    store: int
    amount: int
    memo: str | None


def set_stock(world: SmaregiWorld, request: Request, now: datetime, product: str, client_id: str) -> Response:
    """`PATCH /pos/stock/{product_id}`: make the number what is sent."""
    body = _read_body(request.body, STOCK_MAX)
    cell = target(world, product, body)
    before = world.rows.written.get(cell)
    wanted = max(body.amount, 0) if world.switches.clamp_at_zero else body.amount
    return _write(world, cell, wanted - (before.stock if before else 0), body, now, client_id, relative=False)


def add_stock(world: SmaregiWorld, request: Request, now: datetime, product: str, client_id: str) -> Response:
    """`POST /pos/stock/{product_id}/add`: change the number by what is sent."""
    body = _read_body(request.body, ADD_MAX)
    cell = target(world, product, body)
    check_sum(world, cell, body.amount)
    return _write(world, cell, body.amount, body, now, client_id, relative=True)


def check_sum(world: SmaregiWorld, cell: Cell, amount: int) -> None:
    """Refuse a change after which the number would lie outside its range. Raises Problem (400)."""
    before = world.rows.written.get(cell)
    result = (before.stock if before else 0) + amount
    if result > STOCK_MAX:
        raise Problem(400, ABOVE_RANGE)
    if result < -STOCK_MAX:
        raise Problem(400, BELOW_RANGE)


def _read_body(raw: bytes, bound: int) -> WriteBody:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem(400, "リクエストボディがJSONではありません") from None
    if not isinstance(body, dict):
        raise Problem(400, "リクエストボディがオブジェクトではありません")
    return read_change(body, bound)


def read_change(body: Mapping[str, Any], bound: int) -> WriteBody:
    """A change as single and bulk writes alike carry it. Raises Problem (400)."""
    store, amount = _text(body, "storeId", _STORE), _text(body, "stockAmount", _AMOUNT)
    if not -bound <= int(amount) <= bound:
        raise Problem(400, f"[stockAmount]は-{bound}以上{bound}以下である必要があります", rule="stock_range")
    history = body.get("stockHistory")
    if history is None:
        return WriteBody(int(store), int(amount), None)
    if not isinstance(history, dict):
        raise Problem(400, "[stockHistory]はオブジェクトである必要があります")
    memo = history.get("memo")
    if memo is not None and not isinstance(memo, str):
        raise Problem(400, "[stockHistory.memo]は文字列である必要があります")
    if memo is not None and len(memo) > MEMO_MAX:
        raise Problem(400, f"[stockHistory.memo]は{MEMO_MAX}文字以内である必要があります", rule="memo_length")
    return WriteBody(int(store), int(amount), memo)


def _text(body: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Problem(400, f"[{name}]は整数の文字列である必要があります")
    return value


def target(world: SmaregiWorld, product: str, body: WriteBody) -> Cell:
    """The cell written to. An unknown product is 404, an unknown store 400."""
    known = world.products.get(number_of(product) or -1)
    if known is None:
        raise Problem(404, UNKNOWN_ID)
    store = world.stores.get(body.store)
    if store is None:
        raise Problem(400, UNKNOWN_STORE)
    if store.paused and world.switches.paused_store_write == "refused":
        raise Problem(400, "指定された店舗は停止中です")
    if not known.managed and world.switches.unmanaged_write == "refused":
        raise Problem(400, "在庫管理対象外の商品です")
    return Cell(known.id, body.store)


def _write(
    world: SmaregiWorld, cell: Cell, amount: int, body: WriteBody, now: datetime, client_id: str, *, relative: bool
) -> Response:
    if not world.products[cell.product].managed and world.switches.unmanaged_write == "ignored":
        unchanged = world.rows.written.get(cell) or StockRow(cell, 0, 0, second(now))
        return answer(_result(unchanged, unchanged.stock, None))
    own = client_id == world.access.own
    row = _book(world, cell, amount, body, now, client_id)
    if not own or world.switches.webhook_echoes_own:
        world.announce_stock([row], now)
    delta_told = relative and world.switches.add_answers == "delta"
    history = {"id": str(row.id), "memo": body.memo}
    return answer(_result(world.rows.written[cell], body.amount if delta_told else row.stock, history))


def book_change(world: SmaregiWorld, cell: Cell, body: WriteBody, now: datetime, client_id: str) -> HistoryRow | None:
    """Carry out a relative change; None where stock of the product is not managed and that is silently so."""
    if not world.products[cell.product].managed and world.switches.unmanaged_write == "ignored":
        return None
    return _book(world, cell, body.amount, body, now, client_id)


def _book(world: SmaregiWorld, cell: Cell, amount: int, body: WriteBody, now: datetime, client_id: str) -> HistoryRow:
    actor = "client" if client_id == world.access.own else "outside"
    return world.book(Move(cell, amount, Division.API, memo=body.memo, actor=actor), now)


def _result(row: StockRow, told: int, history: dict[str, str | None] | None) -> dict[str, object]:
    return {
        "productId": str(row.cell.product),
        "storeId": str(row.cell.store),
        "stockAmount": str(told),
        "updDateTime": stamp(row.updated),
        "stockHistory": history,
    }
