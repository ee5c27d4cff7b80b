"""The mutations: stock of products and of variations, row by row, and the cancelling of orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inventory_sync.sandbox.makeshop import replies
from inventory_sync.sandbox.makeshop.records import Product, Variation
from inventory_sync.sandbox.makeshop.replies import BadInput, Json
from inventory_sync.sandbox.makeshop.trade import MakeShopTrade
from inventory_sync.sandbox.makeshop.world import MakeShopWorld, Occasion

_BY_SYSTEM, _BY_CODE = 0, 1


class RowFailed(Exception):
    """A row that is not carried out, with the sentence that says why."""


def update_product_quantity(world: MakeShopWorld, asked: Json, occasion: Occasion) -> Json:
    """`updateProductQuantity`: rows are carried out one after the other, each for itself."""
    rows: list[Json] = asked["productQuantities"]
    _check_size(world, len(rows))
    told = []
    for row in rows:
        failed = _attempt(lambda row=row: _write_product(world, row, occasion))
        told.append({"systemCode": row.get("systemCode"), "customCode": row.get("customCode"), "message": failed})
    return _result(world, told)


def update_variation_quantity(world: MakeShopWorld, asked: Json, occasion: Occasion) -> Json:
    """`updateVariationQuantity`: details are carried out one after the other, each for itself."""
    rows = [(row, detail) for row in asked["variationQuantities"] for detail in _details(row)]
    _check_size(world, len(rows))
    told = []
    for row, detail in rows:
        failed = _attempt(lambda row=row, detail=detail: _write_variation(world, row, detail, occasion))
        told.append(
            {
                "systemCode": row.get("systemCode"),
                "customCode": row.get("customCode"),
                "variation1ItemId": detail.get("variation1ItemId"),
                "variation2ItemId": detail.get("variation2ItemId"),
                "variationCustomCode": detail.get("variationCustomCode"),
                "message": failed,
            }
        )
    return _result(world, told)


def cancel_order(world: MakeShopTrade, asked: Json, actor: Occasion) -> Json:
    """`cancelOrder`: whether the stock rises is the caller's choice."""
    results = []
    for row in asked["cancelOrderRequests"]:
        number, delivery = row["displayOrderNumber"], row.get("deliveryId")
        occasion = Occasion(actor.at, actor.actor, "cancellation", number)
        results.append(
            {
                "displayOrderNumber": number,
                "deliveryId": delivery,
                "message": _cancel(world, number, delivery, row["isReturnStock"], occasion),
            }
        )
    return {"cancelOrderResults": results}


def _cancel(world: MakeShopTrade, number: str, delivery: str | None, restock: bool, occasion: Occasion) -> str | None:
    order = world.orders.get(number)
    if order is None:
        return replies.UNKNOWN_ORDER
    if delivery is not None and delivery not in [each.id for each in order.parcels]:
        return replies.UNKNOWN_DELIVERY
    return None if world.cancel_units(number, occasion, restock, delivery) else replies.NOT_CANCELLABLE


def _check_size(world: MakeShopWorld, rows: int) -> None:
    most = world.switches.batch_max
    if most is not None and rows > most:
        raise BadInput("too many rows")


def _details(row: Json) -> Sequence[Json]:
    details = row["variationQuantityDetails"]
    return details if isinstance(details, list) else [details]


def _attempt(deed: Any) -> str | None:
    """The sentence of a row that failed, or None."""
    try:
        deed()
    except RowFailed as failed:
        return str(failed)
    return None


def _result(world: MakeShopWorld, rows: list[Json]) -> Json:
    bad = [row for row in rows if row["message"] is not None]
    match world.switches.fail_result:
        case "failed_only":
            return {"failResult": bad}
        case "all_rows":
            return {"failResult": rows}
        case "null_when_good":
            return {"failResult": bad or None}


def _write_product(world: MakeShopWorld, row: Json, occasion: Occasion) -> None:
    for product in _products(world, row):
        if product.variations:
            raise RowFailed(replies.HAS_VARIATIONS)
        _write(world, product.cell.item, row, occasion)


def _write_variation(world: MakeShopWorld, row: Json, detail: Json, occasion: Occasion) -> None:
    for product in _products(world, row):
        for variation in _variations(world, product, detail):
            _write(world, variation.cell.item, detail, occasion)


def _products(world: MakeShopWorld, row: Json) -> list[Product]:
    """The products a row means. Raises RowFailed where there are none, or too many for the switches."""
    match row["productKeyType"]:
        case 0:
            found = [row.get("systemCode")]
        case 1:
            found = list(world.by_code.get(row.get("customCode") or "", ())) if row.get("customCode") else []
        case _:
            raise RowFailed(replies.BAD_KEY)
    products = [world.products[each] for each in found if each in world.products]
    return _narrow(world, products, replies.UNKNOWN_PRODUCT)


def _variations(world: MakeShopWorld, product: Product, detail: Json) -> list[Variation]:
    by_code = 1 if world.switches.variation_keys == "items_first" else 0
    kind = detail["variationKeyType"]
    if kind not in (0, 1):
        raise RowFailed(replies.BAD_KEY)
    if kind == by_code:
        code = detail.get("variationCustomCode")
        found = [each for each in product.variations if code and each.code == code]
    else:
        ids = (detail.get("variation1ItemId"), detail.get("variation2ItemId"))
        found = [each for each in product.variations if (each.first_id, each.second_id) == ids]
    return _narrow(world, found, replies.UNKNOWN_VARIATION)


def _narrow(world: MakeShopWorld, found: list[Any], nothing: str) -> list[Any]:
    """What to write of several that carry one code, as the switches say."""
    if not found:
        raise RowFailed(nothing)
    if len(found) > 1 and world.switches.duplicate_code == "refused":
        raise RowFailed(replies.AMBIGUOUS_CODE)
    return found if world.switches.duplicate_code == "all" else found[:1]


def _write(world: MakeShopWorld, item: str, row: Json, occasion: Occasion) -> None:
    """Set or change one number. Raises RowFailed."""
    kind, quantity = row["quantityCalculationType"], row.get("quantity")
    if kind not in (0, 1):
        raise RowFailed(replies.BAD_CALCULATION)
    if quantity is None:
        return _make_null(world, item, occasion)
    relative = kind == (1 if world.switches.calculation == "absolute_first" else 0)
    if relative:
        return _add(world, item, quantity, occasion)
    return _set(world, item, quantity, occasion)


def _make_null(world: MakeShopWorld, item: str, occasion: Occasion) -> None:
    match world.switches.null_set:
        case "refused":
            raise RowFailed(replies.BAD_QUANTITY)
        case "unlimited":
            world.put(item, None, occasion)
        case "ignored":
            pass


def _add(world: MakeShopWorld, item: str, delta: int, occasion: Occasion) -> None:
    number = world.stock(item)
    if number is None:
        match world.switches.unlimited_add:
            case "ignored":
                return
            case "refused":
                raise RowFailed(replies.UNLIMITED)
            case "from_zero":
                number = 0
    wanted = number + delta
    if wanted < 0 and delta < 0:
        match world.switches.below_zero:
            case "refused":
                raise RowFailed(replies.BAD_QUANTITY)
            case "cut_off":
                wanted = min(number, 0)
            case "negative":
                pass
    _store(world, item, wanted, occasion)


def _set(world: MakeShopWorld, item: str, quantity: int, occasion: Occasion) -> None:
    if world.stock(item) is None and world.switches.unlimited_set != "accepted":
        if world.switches.unlimited_set == "refused":
            raise RowFailed(replies.UNLIMITED)
        return
    if quantity < 0:
        match world.switches.negative_set:
            case "refused":
                raise RowFailed(replies.BAD_QUANTITY)
            case "unlimited":
                world.put(item, None, occasion)
                return
            case "negative":
                pass
    _store(world, item, quantity, occasion)


def _store(world: MakeShopWorld, item: str, wanted: int, occasion: Occasion) -> None:
    if abs(wanted) > world.switches.quantity_max:
        raise RowFailed(replies.BAD_QUANTITY)
    world.put(item, wanted, occasion)
