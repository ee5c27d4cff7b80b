"""A client for the Shopify simulator as tests need it: one call is one request at a stated time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from inventory_sync.sandbox.kernel import Delivery, Request, Response
from inventory_sync.sandbox.shopify import ShopifySimulator, ShopifySwitches

DOCUMENTS = Path(__file__).parent / "shopify_documents"
START = datetime(2026, 11, 21, 5, 3, 12, tzinfo=UTC)
NAMES = ["available", "on_hand", "committed", "incoming"]
TOKEN = "shpat_sandbox"


def document(name: str) -> str:
    """The document whose file name begins so."""
    [path] = DOCUMENTS.glob(f"{name}*.graphql")
    return path.read_text("utf-8")


class ShopUnderTest:
    """A shop with ten items at two locations (10 of each), and a clock that tests move."""

    def __init__(self, switches: ShopifySwitches | None = None, **options: Any) -> None:
        options = {"static_token": TOKEN, "locations": ("Shop location", "My Custom Location")} | options
        self.simulator = ShopifySimulator(switches=switches, **options)
        self.now = START
        self.items = self.simulator.seed_catalogue(10, START - timedelta(days=1))
        self.locations = self.simulator.location_ids()
        self.item, self.location = self.items[0], self.locations[0]
        self._keys = count()

    def send(self, body: bytes, *, path: str = "/admin/api/2026-10/graphql.json", **headers: str) -> Response:
        sent = {"x-shopify-access-token": TOKEN, "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.simulator.handle(Request("POST", path, "", sent, body), self.now)

    def query(self, text: str, variables: dict[str, Any] | None = None, **options: str) -> dict[str, Any]:
        """The parsed answer to a GraphQL request."""
        body = json.dumps({"query": text, "variables": variables or {}}).encode()
        answer = self.send(body, **options)
        parsed: dict[str, Any] = json.loads(answer.body)
        assert answer.status == 200, parsed
        return parsed

    def run(self, name: str, **variables: Any) -> dict[str, Any]:
        """The parsed answer to one of the documents."""
        return self.query(document(name), variables)

    def new_key(self) -> str:
        return f"key-{next(self._keys)}"

    def adjust(self, delta: int, *, key: str | None = None, **row: Any) -> dict[str, Any]:
        """The payload of an adjust of one cell (item and location may be given)."""
        change = {"inventoryItemId": self.item, "locationId": self.location, "delta": delta, "changeFromQuantity": None}
        given = {"name": "available", "reason": "correction", "changes": [change | row]}
        answer = self.run("08", input=given, key=key or self.new_key())
        payload: dict[str, Any] = answer["data"]["inventoryAdjustQuantities"]
        return payload

    def set(self, *rows: dict[str, Any], key: str | None = None, **given: Any) -> dict[str, Any]:
        """The payload of a set; each row is completed to the first cell without a compare value."""
        base = {"inventoryItemId": self.item, "locationId": self.location, "changeFromQuantity": None}
        given = {"name": "available", "reason": "correction", "quantities": [base | row for row in rows]} | given
        answer = self.run("09", input=given, key=key or self.new_key())
        payload: dict[str, Any] = answer["data"]["inventorySetQuantities"]
        return payload

    def levels(self, item: str | None = None) -> dict[str, dict[str, Any]]:
        """What a read by id shows of an item, by location."""
        answer = self.run("04", itemIds=[item or self.item], levels=10, names=NAMES)
        nodes = answer["data"]["nodes"][0]["inventoryLevels"]["nodes"]
        return {node["location"]["id"]: node for node in nodes}

    def shown(self, item: str | None = None, location: str | None = None, name: str = "available") -> int:
        """One number of one cell as a read by id shows it."""
        quantities = self.levels(item)[location or self.location]["quantities"]
        return int(next(each["quantity"] for each in quantities if each["name"] == name))

    def subscribe(self, topic: str, **given: Any) -> dict[str, Any]:
        subscription = {"uri": "https://sync.example.jp/hooks/7c1f", "format": "JSON"} | given
        answer = self.run("13", topic=topic, sub=subscription)
        payload: dict[str, Any] = answer["data"]["webhookSubscriptionCreate"]
        return payload

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def webhooks(self) -> list[Delivery]:
        return self.simulator.advance(self.now)
