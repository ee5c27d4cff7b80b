"""Orders as MakeShop shows them: per order, delivery and item one line, with its number and what it is now.

Nothing of a customer is asked for. `paymentStatusCode` 0003 is a cancelled order, and `deliveryStatus` is N (not yet),
Y (shipped), C (cancelled) or R (returned) (observed; there is no readable table). Which payment codes are paid is a
setting for the same reason: what is neither among them nor 0003 is unpaid.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import structlog

from inventory_sync.systems.makeshop.keys import SHOP, Item, nameless_key
from inventory_sync.systems.makeshop.settings import PAID_CODES
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer, identifier, moment, obj, objects, whole, words
from inventory_sync.systems.port import CellRef, OrderLine, OrderState, Payment

PAYMENT_CANCELLED = "0003"
_STATES: Mapping[str, OrderState] = {
    "N": OrderState.PLACED,
    "Y": OrderState.SHIPPED,
    "C": OrderState.CANCELLED,
    "R": OrderState.RETURNED,
}
# Where two searches of one request show a line twice, because it changed in between, the later state counts.
_RANK = (
    OrderState.PROVISIONAL,
    OrderState.PLACED,
    OrderState.SHIPPED,
    OrderState.CANCELLED,
    OrderState.RETURNED,
)

_log = structlog.get_logger(__name__)

Order = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """One search of a sweep while its pages turn: the next page, orders seen so far, the last page's first order."""

    name: str
    page: int = 1
    seen: int = 0
    first: str = ""


def write_cursor(searches: Sequence[Search]) -> str | None:
    """The searches that go on, as a cursor; None where none does."""
    if not searches:
        return None
    return orjson.dumps([[each.name, each.page, each.seen, each.first] for each in searches]).decode()


def read_cursor(cursor: str | None, names: Sequence[str]) -> list[Search]:
    """The searches that go on; all of these names at the beginning."""
    if cursor is None:
        return [Search(name) for name in names]
    return [Search(*each) for each in orjson.loads(cursor)]


def turn(search: Search, data: Mapping[str, Any], *, trust_count: bool) -> tuple[list[Order], Search | None]:
    """The orders of a search's page, and the search as it goes on: None where it ended.

    It ends at an empty page, at a page that begins like the last one, and where `searchedCount` orders were seen. It
    never ends because a page is short: pages are shortened without a word.
    """
    answer = obj(data.get(search.name), search.name)
    rows = list(objects(answer.get("orders"), "orders"))
    first = words(rows[0].get("systemOrderNumber")) if rows else ""
    if not rows or (search.first and first == search.first):
        return [], None
    seen = search.seen + len(rows)
    count = whole(answer.get("searchedCount"))
    if trust_count and count is not None and seen >= count:
        return rows, None
    return rows, Search(search.name, search.page + 1, seen, first)


def read_orders(
    rows: Sequence[Mapping[str, Any]], provisional: Sequence[str], paid: Collection[str] = PAID_CODES
) -> tuple[OrderLine, ...]:
    """The lines of orders, each order, delivery and item once.

    `provisional` and `paid`: payment codes of orders that are not settled yet, and of those that are paid.
    """
    lines: dict[tuple[str, str], OrderLine] = {}
    for row in rows:
        order = identifier(row.get("systemOrderNumber"), "an order's systemOrderNumber")
        placed_at = moment(row.get("orderDate"))
        if placed_at is None:
            raise UnexpectedAnswer(f"order {order} without a readable orderDate")
        own: dict[str, OrderLine] = {}
        for number, delivery in enumerate(objects(row.get("deliveryInfos"), "deliveryInfos"), 1):
            for line in _lines(order, number, row, delivery, placed_at, (provisional, paid)):
                earlier = own.get(line.line)
                own[line.line] = line if earlier is None else _added(earlier, line)
        for line in own.values():
            before = lines.get((order, line.line))
            if before is None or _RANK.index(line.state) >= _RANK.index(before.state):
                lines[order, line.line] = line
    return tuple(lines.values())


def _lines(
    order: str,
    number: int,
    row: Mapping[str, Any],
    delivery: Mapping[str, Any],
    placed_at: datetime,
    codes: tuple[Sequence[str], Collection[str]],
) -> list[OrderLine]:
    named = delivery.get("deliveryId")
    place = str(named) if isinstance(named, (str, int)) and str(named) else str(number)
    code = words(row.get("paymentStatusCode"))
    state = _state(order, code, words(delivery.get("deliveryStatus")), codes[0])
    payment = _payment(code, codes[1])
    found = []
    for basket in objects(delivery.get("basketInfos"), "basketInfos"):
        amount = whole(basket.get("amount"))
        if amount is None or amount < 0:
            raise UnexpectedAnswer(f"order {order} without a readable amount")
        cell = _cell(basket)
        if cell is not None:
            found.append(OrderLine(order, f"{place}/{cell.item}", cell, amount, state, placed_at, payment))
    return found


def _state(order: str, payment: str, delivery: str, provisional: Sequence[str]) -> OrderState:
    state = _STATES.get(delivery)
    if state is None:
        _log.warning("makeshop.delivery_status_unknown", order=order, status=delivery[:20])
        state = OrderState.PLACED  # it holds stock until something known is said of it
    if payment == PAYMENT_CANCELLED and state is not OrderState.RETURNED:
        return OrderState.CANCELLED
    if payment in provisional and state is OrderState.PLACED:
        return OrderState.PROVISIONAL
    return state


def _payment(code: str, paid: Collection[str]) -> Payment:
    if code == PAYMENT_CANCELLED:
        return Payment.REFUNDED
    return Payment.PAID if code in paid else Payment.UNPAID


def _cell(basket: Mapping[str, Any]) -> CellRef | None:
    """The cell of a basket's row, keyed as in the catalogue. None for what is no product (a fee, a wrapping)."""
    product = words(basket.get("productCode"))
    if not product:
        return None
    own = words(basket.get("variationCustomCode"))
    if own:
        return Item(product, own).cell
    if words(basket.get("variationName")):  # a variation without own code: nobody can say which
        return CellRef(nameless_key(product, ""), SHOP)
    return Item(product).cell


def _added(one: OrderLine, other: OrderLine) -> OrderLine:
    """Two rows of one item in one delivery (two choices of an option group, say) as one line."""
    return replace(one, quantity=one.quantity + other.quantity)
