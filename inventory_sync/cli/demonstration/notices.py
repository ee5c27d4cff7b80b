"""What becomes of the partners' notices, and which changes no notice told of."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory_sync.cli.demonstration.arrivals import Unheard
from inventory_sync.cli.demonstration.stories import CLIENT, Partner, Place
from inventory_sync.sandbox.faults import NoticeFate, NoticePlan
from inventory_sync.sandbox.kernel import Delivery, StockChange

WAITS = timedelta(seconds=2)
"""A notice leaves no later than this after the change it tells of."""


class CountingNotices(NoticePlan):
    """A notice plan that counts what it does, and remembers the stock notices that never went out."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance=chance)
        self.counts: Counter[str] = Counter()
        self.lost: list[tuple[datetime, bytes]] = []

    def decide(self, delivery: Delivery) -> NoticeFate:
        fate = super().decide(delivery)
        self.counts["sent"] += 1
        self.counts["lost"] += fate.lost
        self.counts["duplicated"] += len(fate.copies) > 1
        self.counts["unanswered"] += not fate.lost and not fate.answer_arrives
        if fate.lost:
            self.lost.append((delivery.due, delivery.body))
        return fate


def unheard(partner: Partner, changes: Sequence[StockChange], notices: CountingNotices) -> set[Unheard]:
    """The changes whose notices were lost."""
    by_place: dict[Place, list[StockChange]] = {}
    for change in changes:
        if change.actor != CLIENT:
            by_place.setdefault(Place(partner, change.item, change.location), []).append(change)
    found: set[Unheard] = set()
    for due, body in sorted(notices.lost):
        for place in _told_of(partner, body):
            known = [c for c in by_place.get(place, ()) if due - WAITS <= c.at <= due]
            if known:
                found.add(Unheard(place, known[-1].at))
    return found


def _told_of(partner: Partner, body: bytes) -> list[Place]:
    """The stock numbers a notice is about, in the words of the partner's log."""
    found = json.loads(body)
    if partner is Partner.POS:
        return [
            Place(partner, each["productId"], each["storeId"]) for each in found.get("ids", ()) if "storeId" in each
        ]
    if "inventory_item_id" not in found or "location_id" not in found:
        return []
    item, location = found["inventory_item_id"], found["location_id"]
    return [Place(partner, f"gid://shopify/InventoryItem/{item}", f"gid://shopify/Location/{location}")]
