"""A caller for the simulated MakeShop that knows only HTTP: documents out, parsed answers in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.makeshop import JST, PATH, MakeShopSimulator, MakeShopSwitches

START = datetime(2026, 8, 17, 12, 0, 30, tzinfo=JST)

GET_SHOP = "query { getShop { shop { shopName shopUrl settingOriginalDomain openCondition } } }"
PRODUCTS = """
query Products($input: SearchProductRequest!) {
  searchProduct(input: $input) {
    products {
      systemCode customCode janCode productName display quantity variationShowType updatedAt
      variations { variation1ItemName variation2ItemName variationCustomCode janCode productSystemCode }
    }
    searchedCount page limit
  }
}"""
STOCK = """
query Stock($input: SearchProductQuantityRequest!) {
  searchProductQuantity(input: $input) {
    productQuantities {
      systemCode customCode productName quantity
      variationQuantities { variationQuantity variationCustomCode }
    }
    page limit
  }
}"""
WRITE_PRODUCTS = """
mutation Write($input: UpdateProductQuantityRequest!) {
  updateProductQuantity(input: $input) { failResult { systemCode customCode message } }
}"""
WRITE_VARIATIONS = """
mutation Write($input: UpdateVariationQuantityRequest!) {
  updateVariationQuantity(input: $input) {
    failResult { systemCode customCode variation1ItemId variation2ItemId variationCustomCode message }
  }
}"""
ORDERS = """
query Orders($input: SearchOrderRequest!) {
  searchOrder(input: $input) {
    orders {
      systemOrderNumber displayOrderNumber orderDate payMethod paymentStatusCode sumPrice
      deliveryInfos {
        deliveryId deliveryStatus deliveryDate
        basketInfos {
          productCode productCustomCode variationCustomCode janCode variationName amount price
          customSelects { customSelectName selectedItemName }
        }
      }
    }
    searchedCount page
  }
}"""
CANCEL = """
mutation Cancel($input: CancelOrderRequest!) {
  cancelOrder(input: $input) { cancelOrderResults { displayOrderNumber deliveryId message } }
}"""

SET, ADD = 0, 1


def after(seconds: float) -> datetime:
    """An instant so many seconds into the story."""
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> Any:
        return self.body["errors"][0]["extensions"]["code"]


class Caller:
    """Calls a simulator as its own app does, one request for one call."""

    def __init__(self, simulator: MakeShopSimulator, token: str | None = None) -> None:
        self.simulator = simulator
        self.token = token or simulator.token

    def send(
        self,
        body: bytes,
        now: datetime = START,
        *,
        path: str = PATH,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
    ) -> Response:
        sent: dict[str, str | None] = {
            "content-type": "application/json",
            "authorization": f"Bearer {self.token}",
            "x-api-key": self.simulator.api_key,
            "x-timestamp": str(int(now.timestamp())),
            **(headers or {}),
        }
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.simulator.handle(Request(method, path, "", kept, body), now)

    def ask(self, document: str, given: Any = None, now: datetime = START, **options: Any) -> Answer:
        """The answer to a document with `given` as its `$input`."""
        variables = {} if given is None else {"input": given}
        body = json.dumps({"query": document, "variables": variables, "operationName": None}).encode()
        response = self.send(body, now, **options)
        return Answer(response.status, response.headers, json.loads(response.body))

    def data(self, document: str, given: Any = None, now: datetime = START) -> Any:
        """What the only operation of a document answered."""
        answer = self.ask(document, given, now)
        assert answer.status == 200, answer.body
        assert "errors" not in answer.body, answer.body
        [found] = answer.body["data"].values()
        return found

    def products(self, now: datetime = START, **asked: Any) -> Any:
        return self.data(PRODUCTS, asked, now)["products"]

    def stock(self, now: datetime = START, **asked: Any) -> Any:
        return self.data(STOCK, asked, now)["productQuantities"]

    def orders(self, now: datetime = START, **asked: Any) -> Any:
        return self.data(ORDERS, {"limit": 200, **asked}, now)["orders"]

    def write(self, *rows: Mapping[str, Any], now: datetime = START) -> Any:
        """Write products; returns the rows of failResult."""
        return self.data(WRITE_PRODUCTS, {"productQuantities": list(rows)}, now)["failResult"]

    def write_variations(
        self, details: Sequence[Mapping[str, Any]] | Mapping[str, Any], now: datetime = START, **product: Any
    ) -> Any:
        """Write variations of one product; returns the rows of failResult."""
        row = {"productKeyType": 0, **product, "variationQuantityDetails": details}
        return self.data(WRITE_VARIATIONS, {"variationQuantities": [row]}, now)["failResult"]

    def cancel(self, order: str, now: datetime = START, *, restock: bool, delivery: str | None = None) -> Any:
        row = {"displayOrderNumber": order, "deliveryId": delivery, "isReturnStock": restock, "isReturnPoint": True}
        [result] = self.data(CANCEL, {"cancelOrderRequests": [row]}, now)["cancelOrderResults"]
        return result


def by_system(system: str, quantity: int | None, kind: int = SET) -> dict[str, Any]:
    return {"productKeyType": 0, "systemCode": system, "quantityCalculationType": kind, "quantity": quantity}


def by_own(code: str, quantity: int | None, kind: int = SET) -> dict[str, Any]:
    return {"productKeyType": 1, "customCode": code, "quantityCalculationType": kind, "quantity": quantity}


def detail(code: str, quantity: int | None, kind: int = SET) -> dict[str, Any]:
    return {
        "variationKeyType": 1,
        "variationCustomCode": code,
        "quantityCalculationType": kind,
        "quantity": quantity,
    }


def shop_with(*levels: int, **switches: Any) -> tuple[MakeShopSimulator, list[str]]:
    """A shop holding one product per level, and their items (system codes)."""
    simulator = MakeShopSimulator(switches=MakeShopSwitches(**switches))
    return simulator, simulator.seed_catalogue(len(levels), START, initial=lambda number: levels[number])


def moves(simulator: MakeShopSimulator) -> list[tuple[str, str, int, int]]:
    """The log of changes: actor, cause, difference, number afterwards."""
    return [(each.actor, each.cause, each.delta, each.after) for each in simulator.log.changes]
