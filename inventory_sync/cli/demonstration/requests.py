"""The faults of each partner's requests, with a record of what befell which; at MakeShop also of what was asked.

Read by the demonstration from the requests themselves, as a partner's own access log would tell it.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory_sync.cli.demonstration.stories import Outage
from inventory_sync.sandbox.faults import FaultPlan
from inventory_sync.sandbox.kernel import Fault, FaultKind, Request
from inventory_sync.sandbox.makeshop import MakeShopSimulator

ORDERS, QUANTITIES, STOCK = "orders", "quantities", "stock"
"""The operation names of the product's requests for orders, for stock, and of its writes."""

LISTED_WITHIN = timedelta(seconds=2)
"""A new order is listed by then."""

ANSWERED = frozenset({FaultKind.NONE, FaultKind.DELAY})


@dataclass(frozen=True, slots=True)
class Met:
    """A request, and what befell it."""

    at: datetime
    operation: str
    fault: Fault

    @property
    def under_way_until(self) -> datetime:
        """Until when its answer is held back; one that is never answered is under way until its caller gives up."""
        held = {FaultKind.DELAY: self.fault.seconds, FaultKind.LATE: float("inf")}.get(self.fault.kind, 0.0)
        return datetime.max.replace(tzinfo=UTC) if held == float("inf") else self.at + timedelta(seconds=held)


class Requests(FaultPlan):
    """A fault plan that remembers the requests that something befell."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.met: list[Met] = []

    def decide(self, request: Request) -> Fault:
        fault = super().decide(request)
        if fault.kind is not FaultKind.NONE:
            self.met.append(Met(datetime.now(UTC), operation_of(request), fault))
        return fault

    def under_way(self, at: datetime) -> int:
        """Requests whose answers were being held back at an instant, among the last few."""
        return sum(each.under_way_until > at for each in self.met[-5:])


class CartRequests(Requests):
    """The requests to MakeShop: which lists of orders arrived, and which items were read and written when."""

    def __init__(self, chance: random.Random, shop: MakeShopSimulator) -> None:
        super().__init__(chance)
        self._shop = shop
        self._lists: list[datetime] = []
        self._read: dict[str, datetime] = {}
        self._doubtful: dict[str, datetime] = {}
        self._unanswered: defaultdict[str, list[datetime]] = defaultdict(list)
        self.touched: Sequence[str] = ()
        """The items that the last read of stock or write was about."""

    def decide(self, request: Request) -> Fault:
        fault = super().decide(request)
        now, operation = datetime.now(UTC), operation_of(request)
        answered = fault.kind in ANSWERED
        if operation == ORDERS and answered:
            self._lists.append(now)
        if operation in (QUANTITIES, STOCK):
            self.touched = tuple(_items(self._shop, request))
        for item in self.touched if operation == QUANTITIES else ():
            self._read[item] = now
        for item in self.touched if operation == STOCK else ():
            if answered:
                self._read.pop(item, None)
                self._doubtful.pop(item, None)
            else:
                self._doubtful[item] = now
                self._unanswered[item].append(now)
        return fault

    def forget(self, died: datetime) -> None:
        """The daemon died: the answers to its last requests may have met nobody, or were not written down."""
        self._lists = [at for at in self._lists if at < died - LISTED_WITHIN]
        for item in self.touched:
            self._doubtful[item] = died
            self._unanswered[item].append(died)

    def listed_at(self, placed: datetime) -> datetime | None:
        """When the first list of orders arrived that shows an order for certain."""
        return next((at for at in self._lists if at >= placed + LISTED_WITHIN), None)

    def is_calm(self, item: str, now: datetime, *, after_read: timedelta, after_doubt: timedelta) -> bool:
        """Whether no write can follow an earlier reading of an item, and none of its writes is in doubt."""
        read, doubtful = self._read.get(item), self._doubtful.get(item)
        return (read is None or now - read >= after_read) and (doubtful is None or now - doubtful >= after_doubt)

    def deaf(self, kills: Sequence[datetime] = ()) -> list[Outage]:
        """The times at which no list of orders got through: from a fault, or a kill, to the next list that arrived."""
        found: list[Outage] = []
        began = sorted([*(each.at for each in self.met if each.fault.kind not in ANSWERED), *kills])
        for since in began:
            if found and found[-1].until > since:
                continue
            until = next((at for at in self._lists if at > since), datetime.now(UTC))
            found.append(Outage(since, until))
        return found

    def doubts(self, seconds: float) -> dict[str, list[Outage]]:
        """By item the times at which it could not be written, because a write was in doubt; each so long at most."""
        return {
            item: [Outage(at, at + timedelta(seconds=seconds)) for at in times]
            for item, times in self._unanswered.items()
        }


def operation_of(request: Request) -> str:
    """The GraphQL operation a request names; empty for any other request."""
    return str(_asked(request).get("operationName") or "")


def _asked(request: Request) -> dict[str, Any]:
    if b'"operationName"' not in request.body:
        return {}
    try:
        found = json.loads(request.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _items(shop: MakeShopSimulator, request: Request) -> Iterator[str]:
    """The items that a read of stock or a write names, by the shop's own words for them."""
    variables = _asked(request).get("variables") or {}
    for code in variables.get("input", {}).get("systemCodes") or ():
        if code in shop.products:
            yield from (cell.item for cell in shop.products[code].cells())
    for row in variables.get("products", {}).get("productQuantities", ()):
        if row["systemCode"] in shop.products:
            yield row["systemCode"]
    for row in variables.get("variations", {}).get("variationQuantities", ()):
        for detail in row["variationQuantityDetails"]:
            try:
                yield shop.find(row["systemCode"], detail["variationCustomCode"])
            except KeyError:
                continue
