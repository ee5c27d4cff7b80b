"""Orders of the classic API: how they are asked for, and what an answer says.

Parameters, element names and the three states are those a shipping service's client uses (2021); nesting and the form
of dates are not documented, so several are understood. An order's customer is read past and never kept.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from inventory_sync.systems.makeshop.classic.layouts import is_system_code
from inventory_sync.systems.makeshop.classic.switches import DEFAULT
from inventory_sync.systems.makeshop.keys import Item
from inventory_sync.systems.values import OrderLine, OrderState, Payment

_log = logging.getLogger(__name__)

JST = timezone(timedelta(hours=9), "JST")
PATH = "/api/orderinfo/index.html"
URL_ENCODING = "euc_jp"  # the order API's parameters are URL-encoded EUC-JP
SECOND = timedelta(seconds=1)

PAYMENTS = {"0": Payment.UNPAID, "1": Payment.PAID}

STATES = {"0": OrderState.CANCELLED, "1": OrderState.PLACED, "99": OrderState.PROVISIONAL}

_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?[ T]*(\d{2}):?(\d{2}):?(\d{2})?")
_AMOUNT = re.compile(r"[0-9]{1,9}")


class UnknownOrder(Exception):
    """An order whose form is not known; the message names the order and the part, never a person."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it stands: its number, when it was placed (JST in the answer, aware here), and its lines."""

    number: str
    placed_at: datetime
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of order time, `start` ≤ t < `end` (no end where it is the last), as orders are counted in it.

    What is asked reaches a second further back, because it is not documented whether the ends belong to a list.
    """

    start: datetime
    end: datetime
    last: bool

    @property
    def narrow(self) -> bool:
        """Whether it cannot be halved any more."""
        return self.end - self.start <= SECOND

    def halves(self) -> tuple[Window, Window]:
        """The two halves, split at a whole second. Only of a window that is not narrow."""
        seconds = int((self.end - self.start).total_seconds())
        middle = self.start + timedelta(seconds=max(1, seconds // 2))
        return Window(self.start, middle, last=False), Window(middle, self.end, last=self.last)

    def holds(self, order: Order) -> bool:
        """Whether an order is counted in this window, so that no two windows count the same one."""
        return self.start <= order.placed_at and (self.last or order.placed_at < self.end)


def whole_seconds(at: datetime, *, up: bool = False) -> datetime:
    """An instant in whole seconds, JST, rounded down or up: the API knows no finer ones."""
    floor = at.astimezone(JST).replace(microsecond=0)
    return floor + SECOND if up and floor < at else floor


def query(shop_id: str, code: str, service: str, window: Window) -> str:
    """The query that lists the orders of a window in every state. Holds the authentication code: never log it."""
    values = {
        "cmd": "get",
        "shopid": shop_id,
        "token": code,
        "service": service,
        "start": _stamp(window.start - SECOND),
        "end": _stamp(window.end),
        "canceled": "1",
    }
    return urlencode(values, encoding=URL_ENCODING)


def read_orders(root: Element, paid_later: Collection[str] = DEFAULT.paid_later) -> list[Order]:
    """The orders of an answer, oldest first. `paid_later`: ways to pay that nobody waits for. Raises UnknownOrder."""
    found = [_order(each, paid_later) for each in root.findall("order")]
    return sorted(found, key=lambda order: (order.placed_at, order.number))


def lines_of(orders: Iterable[Order]) -> tuple[OrderLine, ...]:
    """All lines of orders, in their order."""
    return tuple(line for order in orders for line in order.lines)


def _order(element: Element, paid_later: Collection[str]) -> Order:
    number = _text(element, "ordernum")
    if not number:
        raise UnknownOrder("an order without a number")
    placed_at = _date(_text(element, "date"), number)
    state = _state(_text(element, "status"), number)
    payment = _payment(element, paid_later)
    units: dict[Item, int] = {}
    detail = element.find("orderdetail")
    for row in (element if detail is None else detail).iter("commodity"):
        item = _item(row, number)
        units[item] = units.get(item, 0) + _amount(_text(row, "amount"), number)
    # One line per item: the same item twice (with other free choices) is told apart by nothing that stays.
    lines = tuple(
        OrderLine(number, item.key, item.cell, count, state, placed_at, payment) for item, count in units.items()
    )
    return Order(number, placed_at, lines)


def _item(row: Element, number: str) -> Item:
    product = _text(row, "brandcode")
    if not is_system_code(product):
        raise UnknownOrder(f"order {number}: a line without a system code")
    # Codes are taken to the character: a blank at the end of one belongs to it.
    return Item(product, _text(row, "orgoptioncode", exact=True) or None)


def _state(text: str, number: str) -> OrderState:
    state = STATES.get(text)
    if state is None:
        # Counted, because an order that holds goods and is overlooked sells them twice.
        _log.warning("makeshop.order_state_unknown order=%s status=%s", number, text[:10])
        return OrderState.PLACED
    return state


def _payment(element: Element, paid_later: Collection[str]) -> Payment | None:
    """Whether an order is paid for; a way to pay stands in its element's attribute or in a child of it."""
    told = PAYMENTS.get(_text(element, "payment_status"))
    method = element.find("paymethod")
    if told is Payment.UNPAID and method is not None and _text(method, "type") in paid_later:
        return Payment.PAID
    return told


def _amount(text: str, number: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise UnknownOrder(f"order {number}: an amount that is no whole number")
    return int(text)


def _date(text: str, number: str) -> datetime:
    found = _DATE.fullmatch(text)
    if found is None:
        raise UnknownOrder(f"order {number}: a date in an unknown form")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=JST)
    except ValueError as error:
        raise UnknownOrder(f"order {number}: an impossible date") from error


def _text(element: Element, name: str, *, exact: bool = False) -> str:
    """The text of a child, or the attribute of that name; without blanks around it unless `exact`."""
    text = element.findtext(name)
    if text is None:
        text = element.get(name, "")
    return text if exact else text.strip()


def _stamp(at: datetime) -> str:
    return at.astimezone(JST).strftime("%Y%m%d%H%M%S")
