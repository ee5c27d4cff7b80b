"""The four queries: the shop, products, stock, orders. Rows are plain dicts under the names of the schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from inventory_sync.sandbox.makeshop.records import DeliveryState, Line, Order, Parcel, Product, compact, stamp
from inventory_sync.sandbox.makeshop.replies import BadInput, Json
from inventory_sync.sandbox.makeshop.switches import CANCELLED, PAGE_MAX, PAID, PAID_ON_DELIVERY, MakeShopSwitches
from inventory_sync.sandbox.makeshop.world import MakeShopWorld

T = TypeVar("T")

_TIME = re.compile(r"[0-9]{14}", re.ASCII)


def get_shop(world: MakeShopWorld, _asked: Json, _now: datetime) -> Json:
    """`getShop`."""
    return {
        "shop": {
            "shopName": world.shop_name,
            "shopUrl": f"https://www.{world.shop}.example",
            "settingOriginalDomain": "",
            "openCondition": "Y",
        }
    }


# -- products ---


def search_product(world: MakeShopWorld, asked: Json, now: datetime) -> Json:
    """`searchProduct`."""
    found = _chosen(world, asked)
    rows, told = _page(found, asked, world.switches.product_page_cap, world.switches)
    return {"products": [_product(world, each, now) for each in rows], "searchedCount": len(found), **told}


def search_product_quantity(world: MakeShopWorld, asked: Json, now: datetime) -> Json:
    """`searchProductQuantity`."""
    found = _chosen(world, asked)
    rows, told = _page(found, asked, world.switches.stock_page_cap, world.switches)
    return {"productQuantities": [_quantity(world, each, now) for each in rows], "searchedCount": len(found), **told}


def _chosen(world: MakeShopWorld, asked: Json) -> Sequence[Product]:
    """Products by system code; those that do not exist are left out."""
    codes = asked.get("systemCodes")
    if codes is None:
        return list(world.products.values())
    return [world.products[each] for each in sorted(set(codes)) if each in world.products]


def _product(world: MakeShopWorld, product: Product, now: datetime) -> Json:
    return {
        "uid": product.uid,
        "systemCode": product.system,
        "customCode": _code(product.code, world.switches),
        "janCode": _code(product.jan, world.switches),
        "productName": product.name,
        "sellPrice": product.price,
        "consumerPrice": product.price,
        "taxRate": 10,
        "maker": "",
        "quantity": _parent_quantity(world, product, now),
        "display": "Y" if product.displayed else "N",
        "isSellStart": "N",
        "isSellEnd": "N",
        "sellStartDateTime": "",
        "sellEndDateTime": "",
        "isDisplayOutOfSellPeriod": "N",
        "variationShowType": 1 if product.variations else 0,
        "variations": [
            {
                "variation1ItemName": each.first,
                "variation2ItemName": each.second,
                "variation1ItemId": each.first_id,
                "variation2ItemId": each.second_id,
                "variationCustomCode": _code(each.code, world.switches),
                "janCode": _code(each.jan, world.switches),
                "subImageId": 0,
                "productSystemCode": product.system,
            }
            for each in product.variations
        ],
        "productGroupCode": "",
        "productGroupName": "",
        "createdAt": stamp(product.created),
        "updatedAt": stamp(product.updated),
    }


def _quantity(world: MakeShopWorld, product: Product, now: datetime) -> Json:
    lag = world.switches.stock_lag
    return {
        "systemCode": product.system,
        "customCode": _code(product.code, world.switches),
        "productName": product.name,
        "quantity": _parent_quantity(world, product, now),
        "variationQuantities": [
            {
                "variationQuantity": each.cell.shown_at(now, lag),
                "variationCustomCode": _code(each.code, world.switches),
                "variation1ItemId": each.first_id,
                "variation2ItemId": each.second_id,
            }
            for each in product.variations
        ],
    }


def _parent_quantity(world: MakeShopWorld, product: Product, now: datetime) -> int | None:
    """A product's own number; for one with variations what the switches say, null if one of them is unlimited."""
    lag = world.switches.stock_lag
    if not product.variations:
        return product.cell.shown_at(now, lag)
    if world.switches.parent_quantity == "own":
        return 0
    numbers = [each.cell.shown_at(now, lag) for each in product.variations]
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


# -- orders ---


def search_order(world: MakeShopWorld, asked: Json, now: datetime) -> Json:
    """`searchOrder`: orders placed (or paid) in a window, both ends included."""
    state = asked.get("deliveryStatus")
    if state is not None and state not in list(DeliveryState):
        raise BadInput("invalid deliveryStatus")
    placed = _window(asked, "startOrderDate", "endOrderDate")
    paid = _window(asked, "startPaymentDate", "endPaymentDate")
    listed_until = now - timedelta(seconds=world.switches.order_lag)
    found = [
        order
        for order in world.orders.values()
        if order.at <= listed_until
        and (world.switches.provisional_listed or not order.provisional)
        and _within(order.at, placed)
        and (paid is None or (order.paid_at is not None and _within(order.paid_at, paid)))
        and _in_state(order, state, world.switches)
    ]
    direction = asked.get("sortOrder") or world.switches.sort_default
    if direction not in ("ASC", "DESC"):
        raise BadInput("invalid sortOrder")
    found.sort(key=lambda order: (order.at, order.number), reverse=direction == "DESC")
    rows, told = _page(found, asked, world.switches.order_page_cap, world.switches)
    return {"orders": [_order(each, world.switches) for each in rows], "searchedCount": len(found), **told}


def _window(asked: Json, start: str, end: str) -> tuple[str, str] | None:
    if asked.get(start) is None and asked.get(end) is None:
        return None
    for name in (start, end):
        text = asked.get(name)
        if text is not None and not _is_time(text):
            raise BadInput(f"invalid {name}")
    return asked.get(start) or "0" * 14, asked.get(end) or "9" * 14


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        return False
    return True


def _within(at: datetime, window: tuple[str, str] | None) -> bool:
    return window is None or window[0] <= compact(at) <= window[1]


def _in_state(order: Order, state: str | None, switches: MakeShopSwitches) -> bool:
    if state is None:
        return not (switches.states_default == "without_cancelled" and order.cancelled)
    return any(_state_told(each, switches) == state for each in order.parcels)


def _state_told(parcel: Parcel, switches: MakeShopSwitches) -> str:
    hidden = parcel.state is DeliveryState.CANCELLED and switches.cancel_shows == "payment"
    return (DeliveryState.NOT_YET if hidden else parcel.state).value


def _payment(order: Order, switches: MakeShopSwitches) -> str:
    if order.cancelled and switches.cancel_shows != "delivery":
        return CANCELLED
    if order.provisional:
        return switches.provisional_code
    if order.cash_on_delivery:
        return PAID_ON_DELIVERY
    return PAID if order.paid_at is not None else switches.unpaid_code


def _order(order: Order, switches: MakeShopSwitches) -> Json:
    return {
        "systemOrderNumber": order.number,
        "displayOrderNumber": order.number,
        "orderDate": stamp(order.at),
        "memberId": "260514000001",
        "senderName": "お客様",
        "senderPrefecture": "13",
        "payMethod": order.pay_method,
        "paymentStatusCode": _payment(order, switches),
        "sumPrice": sum(line.amount * line.goods.price for line in order.lines()),
        "message": "",
        "deliveryInfos": [_delivery(each, switches) for each in order.parcels],
    }


def _delivery(parcel: Parcel, switches: MakeShopSwitches) -> Json:
    return {
        "deliveryId": parcel.id,
        "deliveryStatus": _state_told(parcel, switches),
        "desiredDeliveryDate": "--",
        "desiredDeliveryTimezone": "",
        "receiverName": "お客様",
        "receiverPost": "1000001",
        "receiverPrefecture": "13",
        "receiverAddress": "1-1",
        "receiverAddress2": "",
        "receiverTel": "0300000000",
        "shippingCharge": 0,
        "deliverySumPrice": sum(line.amount * line.goods.price for line in parcel.lines),
        "slipNumber": "",
        "deliveryDate": "" if parcel.shipped_at is None else stamp(parcel.shipped_at),
        "estimatedShipmentDate": "",
        "basketInfos": [_line(each, switches) for each in parcel.lines],
    }


def _line(line: Line, switches: MakeShopSwitches) -> Json:
    goods = line.goods
    return {
        "productCode": goods.system,
        "productCustomCode": _code(goods.code, switches),
        "variationCustomCode": _code(goods.variation_code, switches),
        "janCode": _code(goods.jan, switches),
        "productName": goods.name,
        "variationName": goods.variation_name,
        "amount": line.amount,
        "price": goods.price,
        "customSelects": [{"customSelectName": name, "selectedItemName": chosen} for name, chosen in goods.selects],
    }


# -- both ---


def _code(text: str, switches: MakeShopSwitches) -> str | None:
    return None if not text and switches.missing_code == "null" else text


def _page(found: Sequence[T], asked: Json, cap: int, switches: MakeShopSwitches) -> tuple[Sequence[T], Json]:
    """The page asked for, and what the answer says of page and limit. More than `cap` rows never come, silently."""
    number, limit = _count(asked, "page", 1), _count(asked, "limit", switches.page_default)
    if limit > PAGE_MAX:
        raise BadInput("invalid limit")
    used = min(limit, cap)
    last = max(1, -(-len(found) // used))
    shown = min(number, last) if switches.past_end == "last_page" else number
    return found[(shown - 1) * used : shown * used], {
        "page": number,
        "limit": limit if switches.limit_told == "asked" else used,
    }


def _count(asked: Json, name: str, default: int) -> int:
    value: Any = asked.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or value < 1:
        raise BadInput(f"invalid {name}")
    return value
