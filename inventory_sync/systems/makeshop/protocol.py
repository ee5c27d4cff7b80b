"""The GraphQL API without a socket: which request asks what.

Headers: developers.makeshop.jp/api/graphql (content-type, authorization, x-api-key, x-timestamp in seconds, good for
one hour). Fields and inputs: observed in other clients' requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from inventory_sync.systems.http import HttpRequest
from inventory_sync.systems.makeshop import documents
from inventory_sync.systems.makeshop.documents import Document
from inventory_sync.systems.makeshop.settings import ROWS as ROWS
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.makeshop.shapes import stamp

API_VERSION = "v1"  # of the address; there is no other

# The values of a search for orders by `deliveryStatus`, under the names their answers are read by.
DELIVERY_STATUS: Mapping[str, str | None] = {
    "any": None,
    "notYet": "N",
    "shipped": "Y",
    "cancelled": "C",
    "returned": "R",
}


def encode(document: Document, variables: Mapping[str, Any]) -> bytes:
    """The body of a request; the same document and variables give the same bytes for ever."""
    return orjson.dumps({"query": document.text, "variables": variables, "operationName": document.name})


def request(settings: MakeShopSettings, body: bytes, path: str, now: datetime) -> HttpRequest:
    """The HTTP request of a body, with a fresh timestamp."""
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "authorization": f"Bearer {_plain(settings.access_token)}",
        "x-api-key": _plain(settings.api_key),
        "x-timestamp": str(int(now.timestamp())),
    }
    return HttpRequest("POST", settings.endpoint + path, headers, body, settings.request_timeout_seconds)


def products_page(page: int, limit: int, products: Sequence[str] = ()) -> dict[str, Any]:
    """Variables for a page of products, or of their stock; of all, or of these system codes."""
    chosen = {"systemCodes": list(products)} if products else {}
    return {"input": {"page": page, "limit": limit, **chosen}}


def orders_page(name: str, since: datetime, until: datetime, page: int, limit: int) -> dict[str, Any]:
    """The input for a page of the orders placed in a window, oldest first, in the delivery state of that name."""
    status = DELIVERY_STATUS[name]
    chosen = {} if status is None else {"deliveryStatus": status}
    window = {"startOrderDate": stamp(since), "endOrderDate": stamp(until)}
    return {**window, **chosen, "sortOrder": "ASC", "page": page, "limit": limit}


def order_names(order_filter: str) -> tuple[str, ...]:
    """The searches that one sweep of orders makes: one for each delivery state, one without any, or both.

    >>> order_names("none")
    ('any',)
    """
    each = tuple(name for name, status in DELIVERY_STATUS.items() if status is not None)
    return {"each": each, "none": ("any",), "both": ("any", *each)}[order_filter]


def probes(settings: MakeShopSettings, now: datetime) -> list[tuple[Document, Mapping[str, Any]]]:
    """What a connection test asks, one request each: every operation that the connection cannot do without.

    The writes carry no row, so there is nothing that they could change.
    """
    one = products_page(1, 1)
    name = order_names(settings.order_filter)[0]
    asked: list[tuple[Document, Mapping[str, Any]]] = [
        (documents.SHOP, {}),
        (documents.PRODUCTS, one),
        (documents.QUANTITIES, one),
        (documents.orders((name,)), {name: orders_page(name, now, now, 1, 1)}),
    ]
    if settings.probe_writes:
        asked += [
            (documents.stock(products=True, variations=False), {"products": {"productQuantities": []}}),
            (documents.stock(products=False, variations=True), {"variations": {"variationQuantities": []}}),
        ]
    return asked


def _plain(secret: Any) -> str:
    return "" if secret is None else str(secret.get_secret_value())
