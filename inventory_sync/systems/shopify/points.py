"""The shop's bucket of query points, learnt from every answer.

Points belong to the pair of app and shop. Restore rates per plan are documented (100 to 2,000 a second,
shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits), bucket sizes are not: both are taken from
`extensions.cost.throttleStatus` as soon as an answer shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory_sync.systems.budget import TokenBucket
from inventory_sync.systems.shopify import documents
from inventory_sync.systems.shopify.documents import Document

# Believed until the first answer: the slowest plan's restore rate, and the bucket observed with it.
FIRST_RESTORE_RATE = 100.0
FIRST_CAPACITY = 2_000.0


@dataclass(frozen=True, slots=True)
class Throttle:
    """What an answer said about the bucket, in points, and about the cost of its own request."""

    maximum: float
    available: float
    restore_rate: float
    requested: float | None


class PointBudget:
    """The port's `Budget` for Shopify: points are reserved at the requested cost and corrected by each answer."""

    def __init__(self, now: datetime, *, full: bool) -> None:
        self._bucket = TokenBucket(FIRST_CAPACITY, FIRST_RESTORE_RATE, now, full=full)
        self._under_way = 0.0
        self._costs: dict[tuple[str, int], float] = {}

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until a request of the kind `read` or `write` may be sent."""
        document = documents.ADJUST if kind == "write" else documents.READ_LEVELS
        return self.wait_for(self.cost(document), now)

    def available(self, now: datetime) -> float:
        """Points left."""
        return self._bucket.available(now)

    def cost(self, document: Document) -> float:
        """Requested points of a document: our constant, or what Shopify charged for it if that was more."""
        return max(float(document.cost), self._costs.get((document.name, document.cost), 0.0))

    def wait_for(self, points: float, now: datetime) -> float:
        return self._bucket.wait(points, now)

    def reserve(self, points: float, now: datetime) -> None:
        self._bucket.spend(points, now)
        self._under_way += points

    def release(self, points: float, now: datetime) -> None:
        """A reserved request was certainly not charged (it never left, or was refused at the door)."""
        self._under_way -= points
        self._bucket.refund(points, now)

    def settle(self, document: Document, points: float, throttle: Throttle | None, now: datetime) -> None:
        """A reserved request was answered, or given up. Without a report its points stay spent.

        The report may or may not include what else is under way, so that is taken off it: never more than is there.
        """
        self._under_way -= points
        if throttle is None:
            return
        if throttle.requested is not None and throttle.requested > document.cost:
            self._costs[(document.name, document.cost)] = throttle.requested
        self._bucket.learn(throttle.available - self._under_way, throttle.maximum, throttle.restore_rate, now)

    def pause(self, until: datetime) -> None:
        self._bucket.pause(until)
