"""A MakeShop that answers from a script or as a very small shop, over no socket, and a clock that moves when told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.makeshop.client import MakeShopClient
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.port import CellRef, ClientContext, PlannedOp
from tests.systems.clock import MovedClock

START = datetime(2026, 8, 17, 3, 0, 0, tzinfo=UTC)  # noon in Japan
SHIRT, MUG = "000000000084", "000000000085"
TOKEN = "PAT." + "0123456789abcdef" * 4
API_KEY = "fedcba9876543210" * 4
RELATIVE = {"absolute_type": "0", "relative_type": "1"}
SECRET = "00112233445566778899aabbccddeeff"

Answer = HttpResponse | Exception


class Clock(MovedClock):
    def __init__(self) -> None:
        super().__init__(START)


def cell(key: str) -> CellRef:
    return CellRef(ItemKey(key), LocationKey("shop"))


def op(key: str, delta: int, value: int | None = None, number: int = 1) -> PlannedOp:
    return PlannedOp(OpId(f"op{number}"), cell(key), delta, value)


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    """An answer with a JSON body, or with the bytes given."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def data(**roots: object) -> HttpResponse:
    return answer({"data": roots})


def failed(*errors: Mapping[str, Any], status: int = 200, content: object = None) -> HttpResponse:
    return answer({"errors": list(errors), "data": content}, status)


def forbidden(*path: str) -> dict[str, Any]:
    error: dict[str, Any] = {"message": "operation is not allowed", "extensions": {"code": "FORBIDDEN"}}
    return {**error, "path": list(path)} if path else error


def product(code: str = SHIRT, quantity: object = 8, **fields: object) -> dict[str, Any]:
    row = {
        "systemCode": code,
        "customCode": "TSHIRT-01",
        "janCode": "",
        "productName": "Tシャツ",
        "display": "Y",
        "quantity": quantity,
        "variationShowType": 0,
        "variations": [],
    }
    return {**row, **fields}


def variation(own: object, one: str = "ブラック", two: str = "M", jan: str = "") -> dict[str, Any]:
    return {"variation1ItemName": one, "variation2ItemName": two, "variationCustomCode": own, "janCode": jan}


def products(*rows: Mapping[str, Any]) -> HttpResponse:
    return data(searchProduct={"products": list(rows), "searchedCount": 999, "page": 1, "limit": 200})


def stock_row(code: str = SHIRT, quantity: object = 8, **variations: object) -> dict[str, Any]:
    """A product's numbers; variations by own code, underscores for blanks."""
    return {
        "systemCode": code,
        "customCode": "",
        "quantity": quantity,
        "variationQuantities": [
            {"variationQuantity": number, "variationCustomCode": own} for own, number in variations.items()
        ],
    }


def stock(*rows: Mapping[str, Any]) -> HttpResponse:
    return data(searchProductQuantity={"productQuantities": list(rows), "page": 1, "limit": 200})


def basket(product_code: object = SHIRT, own: object = "", amount: object = 1, name: str = "") -> dict[str, Any]:
    return {"productCode": product_code, "variationCustomCode": own, "variationName": name, "amount": amount}


def order(number: str = "P1", payment: str = "0004", status: str = "N", *rows: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "systemOrderNumber": number,
        "orderDate": "2026-08-17 11:59:58",
        "paymentStatusCode": payment,
        "deliveryInfos": [{"deliveryId": "1", "deliveryStatus": status, "basketInfos": list(rows or (basket(),))}],
    }


def found_orders(*rows: Mapping[str, Any], count: int | None = None) -> dict[str, Any]:
    return {"searchedCount": len(rows) if count is None else count, "page": 1, "orders": list(rows)}


@dataclass
class Scripted:
    """A transport that gives its answers in order, or asks a function."""

    clock: Clock
    answers: list[Answer] = field(default_factory=list)
    handler: Callable[[HttpRequest], Answer] | None = None
    latency: float = 0.0
    requests: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.clock.advance(self.latency)
        self.requests.append(request)
        given = self.handler(request) if self.handler else self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    def query(self, number: int = -1) -> str:
        return str(json.loads(self.requests[number].body)["query"])

    def variables(self, number: int = -1) -> dict[str, Any]:
        return dict(json.loads(self.requests[number].body)["variables"])


def settings(**changes: object) -> MakeShopSettings:
    values = {"access_token": TOKEN, "api_key": API_KEY, "webhook_secret": SECRET}
    return MakeShopSettings.model_validate({**values, **changes})


def context(
    partner: Scripted, calibration: Mapping[str, str] | None = None, *, budget_full: bool = True
) -> ClientContext:
    numbers = iter(range(10_000))
    ambient = Ambient(now=partner.clock, new_id=lambda: f"{next(numbers):032x}")
    return ClientContext(partner, ambient, "shop1", budget_full=budget_full, calibration=calibration or {})


def connect(
    *answers: Answer,
    handler: Callable[[HttpRequest], Answer] | None = None,
    calibration: Mapping[str, str] | None = None,
    full: bool = True,
    **changes: object,
) -> tuple[MakeShopClient, Scripted]:
    """A client, its budget full, and the partner that answers it."""
    partner = Scripted(Clock(), list(answers), handler)
    return MakeShopClient(settings(**changes), context(partner, calibration, budget_full=full)), partner


@dataclass
class Shop:
    """One product and what a MakeShop with these habits does to its number. Answers as `Scripted.handler`."""

    quantity: int | None = 10
    meanings: Mapping[int, str] = field(default_factory=lambda: {0: "absolute", 1: "relative"})
    below_zero: str = "allowed"  # allowed, cut_off, refused, unlimited
    own: str = ""  # the own code of the one variation, if the product has variations
    details: str = "list"
    display: str = "N"
    writes: list[tuple[int, int]] = field(default_factory=list)
    lose_answer_to: int = -1  # the number of the write whose answer is lost
    refuse_zero: bool = False

    def __call__(self, request: HttpRequest) -> Answer:
        asked = json.loads(request.body)
        query, variables = asked["query"], asked["variables"]
        if "searchProductQuantity" in query:
            row = stock_row(SHIRT, self.quantity)
            if self.own:
                row = stock_row(SHIRT, None, **{self.own: self.quantity})
            return stock(row)
        if "searchProduct" in query:
            if self.own:
                return products(product(display=self.display, variationShowType=1, variations=[variation(self.own)]))
            return products(product(quantity=self.quantity, display=self.display))
        return self._write(variables)

    def _write(self, variables: Mapping[str, Any]) -> Answer:
        root = "updateVariationQuantity" if self.own else "updateProductQuantity"
        if self.own:
            (row,) = variables["variations"]["variationQuantities"]
            given = row["variationQuantityDetails"]
            if isinstance(given, list) != (self.details == "list"):
                return failed({"message": "unknown field"}, status=422)
            detail = given[0] if isinstance(given, list) else given
            assert (row["systemCode"], detail["variationCustomCode"]) == (SHIRT, self.own)
        else:
            (detail,) = variables["products"]["productQuantities"]
            assert detail["systemCode"] == SHIRT
        code, quantity = detail["quantityCalculationType"], detail["quantity"]
        self.writes.append((code, quantity))
        message = self._apply(code, quantity)
        if len(self.writes) - 1 == self.lose_answer_to:
            return answer(b"<html>", 502)
        failures = [] if message is None else [{"systemCode": SHIRT, "message": message}]
        return data(**{root: {"failResult": failures}})

    def _apply(self, code: int, quantity: int) -> str | None:
        meaning = self.meanings.get(code)
        if meaning is None or (quantity == 0 and self.refuse_zero):
            return "計算方法が不正です"
        target = quantity if meaning == "absolute" else (self.quantity or 0) + quantity
        if target < 0:
            if self.below_zero == "refused":
                return "在庫数が不正です"
            if self.below_zero == "unlimited":
                self.quantity = None
                return None
            target = 0 if self.below_zero == "cut_off" else target
        self.quantity = target
        return None


async def patiently(partner: Scripted, ask):  # type: ignore[no-untyped-def]
    """What a caller gets who comes again whenever told to."""
    for _ in range(50):
        try:
            return await ask()
        except RetryLater as error:
            partner.clock.advance(error.after)
    raise AssertionError("no answer after 50 waits")
