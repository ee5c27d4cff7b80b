"""Webhook subscriptions and their deliveries: queued, put together late, signed, tried again, given up.

https://shopify.dev/docs/apps/build/webhooks. Between an event and its payload time passes, so a payload shows what is
true when it is put together; an API-made subscription is deleted once a delivery failed for the last time.
"""

from __future__ import annotations

import heapq
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory_sync.sandbox.kernel import Delivery
from inventory_sync.sandbox.shopify.access import Access, sign
from inventory_sync.sandbox.shopify.search import matches
from inventory_sync.sandbox.shopify.state import Shop, gid

#: Puts a payload together as things are now; None if its subject is gone and nothing is sent.
Assemble = Callable[[], dict[str, Any] | None]
_NAMESPACE = uuid.UUID("6f2d3c1e-0b52-4d0b-9a43-5b0e9f5f7c11")


@dataclass(frozen=True, slots=True)
class Occasion:
    """One action by somebody: when, by whom (`client` or `outside`), why, and what ties its webhooks together."""

    at: datetime
    actor: str
    cause: str
    reference: str = ""
    event_id: str = ""


@dataclass(slots=True)
class Subscription:
    number: int
    topic: str
    uri: str
    format: str
    name: str | None
    filter: str | None
    include_fields: list[str]
    version: str
    created_at: datetime
    updated_at: datetime
    deleted: bool = False
    typename = "WebhookSubscription"

    @property
    def id(self) -> str:
        return gid("WebhookSubscription", self.number)


@dataclass(slots=True)
class _Parcel:
    subscription: Subscription
    url: str
    triggered_at: datetime
    event_id: str
    assemble: Assemble
    last_words: bool
    webhook_id: str
    body: bytes | None = None
    attempts: int = 0


@dataclass(order=True, slots=True)
class _Queued:
    due: datetime
    order: int
    parcel: _Parcel = field(compare=False)


class Webhooks:
    """All subscriptions of the app, and what is on its way to them."""

    def __init__(self, shop: Shop, access: Access) -> None:
        self._shop, self._access = shop, access
        self.subscriptions: dict[int, Subscription] = {}
        self._by_topic: dict[str, list[Subscription]] = {}
        self._queue: list[_Queued] = []
        self._out: dict[str, _Parcel] = {}
        self._serial = 0
        # Ids look like UUIDs: the first groups tell shop and kind apart, the last counts.
        kinds = ("event", "delivery")
        self._ids = {kind: str(uuid.uuid5(_NAMESPACE, f"{shop.domain}/{kind}"))[:23] for kind in kinds}

    # -- subscriptions ---

    def add(self, subscription: Subscription) -> None:
        self.subscriptions[subscription.number] = subscription
        self._by_topic.setdefault(subscription.topic, []).append(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Delete a subscription; what was queued for it is dropped."""
        subscription.deleted = True
        del self.subscriptions[subscription.number]
        self._by_topic[subscription.topic].remove(subscription)

    def remove_all(self) -> None:
        for subscription in tuple(self.subscriptions.values()):
            self.remove(subscription)

    # -- events ---

    def new_event_id(self) -> str:
        return self._new_id("event")

    def publish(self, topic: str, assemble: Assemble, occasion: Occasion, *, last_words: bool = False) -> None:
        """Tell the subscribers of a topic. `last_words` goes out even if its subscription is deleted meanwhile."""
        subscribers = self._by_topic.get(topic)
        if not subscribers:
            return
        switches = self._shop.switches
        due = occasion.at + timedelta(seconds=switches.webhook_delay)
        shared = occasion.event_id if switches.one_event_per_action else ""
        event_id = shared or self.new_event_id()
        for subscription in subscribers:
            parcel = _Parcel(
                subscription, subscription.uri, occasion.at, event_id, assemble, last_words, self._new_id("delivery")
            )
            self._enqueue(due, parcel)

    # -- deliveries ---

    def advance(self, now: datetime) -> list[Delivery]:
        """Deliveries due by now, in the order their events happened."""
        deliveries = []
        while self._queue and self._queue[0].due <= now:
            queued = heapq.heappop(self._queue)
            delivery = self._pack(queued, now)
            if delivery:
                deliveries.append(delivery)
        return deliveries

    def next_due(self) -> datetime | None:
        return self._queue[0].due if self._queue else None

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """Note the receiver's answer; anything but 2xx is tried again, or ends the subscription."""
        parcel = self._out.pop(delivery.id, None)
        if parcel is None or (status is not None and 200 <= status < 300):
            return
        switches = self._shop.switches
        if parcel.attempts > switches.webhook_retries:
            if not parcel.subscription.deleted:
                self.remove(parcel.subscription)
            return
        step = retry_step(parcel.attempts, switches.webhook_retries, switches.webhook_retry_span)
        self._enqueue(now + step, parcel)

    def _pack(self, queued: _Queued, now: datetime) -> Delivery | None:
        parcel = queued.parcel
        if parcel.subscription.deleted and not parcel.last_words:
            return None
        if parcel.body is None:
            payload = parcel.assemble()
            if payload is None or not _wanted(parcel.subscription, payload):
                return None
            parcel.body = _encode(parcel.subscription, payload, self._shop.switches.escape_slashes)
        elif not self._shop.switches.webhook_id_stable:
            parcel.webhook_id = self._new_id("delivery")
        parcel.attempts += 1
        self._out[parcel.webhook_id] = parcel
        return Delivery(parcel.webhook_id, parcel.url, self._headers(parcel, parcel.body, now), parcel.body, queued.due)

    def _headers(self, parcel: _Parcel, body: bytes, now: datetime) -> dict[str, str]:
        secret = self._access.signing_secret(now, self._shop.switches.signing_switch_delay)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": header_topic(parcel.subscription.topic),
            "X-Shopify-Hmac-Sha256": sign(secret, body),
            "X-Shopify-Shop-Domain": self._shop.domain,
            "X-Shopify-API-Version": parcel.subscription.version,
            "X-Shopify-Webhook-Id": parcel.webhook_id,
            "X-Shopify-Event-Id": parcel.event_id,
            "X-Shopify-Triggered-At": parcel.triggered_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        }
        if parcel.subscription.name:
            headers["X-Shopify-Name"] = parcel.subscription.name
        return headers

    def _enqueue(self, due: datetime, parcel: _Parcel) -> None:
        self._serial += 1
        heapq.heappush(self._queue, _Queued(due, self._serial, parcel))

    def _new_id(self, kind: str) -> str:
        self._serial += 1
        return f"{self._ids[kind]}-{self._serial:012x}"


def retry_step(failures: int, retries: int, span: float) -> timedelta:
    """How long after its n-th failure (1 …) a delivery is tried again: each step twice the last, `span` s in all.

    >>> sum((retry_step(n, 8, 14400) for n in range(1, 9)), timedelta()) <= timedelta(hours=4)
    True
    """
    return timedelta(seconds=span * 2 ** (failures - 1) / (2**retries - 1))


def header_topic(topic: str) -> str:
    """A topic as headers name it.

    >>> header_topic("INVENTORY_LEVELS_UPDATE"), header_topic("APP_UNINSTALLED")
    ('inventory_levels/update', 'app/uninstalled')
    """
    for group in _GROUPS:
        if topic.startswith(f"{group}_"):
            return f"{group}/{topic.removeprefix(group + '_')}".lower()
    group, _, action = topic.partition("_")
    return f"{group}/{action}".lower()


_GROUPS: Sequence[str] = (
    "INVENTORY_LEVELS",
    "INVENTORY_ITEMS",
    "INVENTORY_SHIPMENTS",
    "INVENTORY_TRANSFERS",
    "BULK_OPERATIONS",
    "DRAFT_ORDERS",
    "FULFILLMENT_ORDERS",
)


def _wanted(subscription: Subscription, payload: dict[str, Any]) -> bool:
    return not subscription.filter or matches(payload, subscription.filter)


def _encode(subscription: Subscription, payload: dict[str, Any], escape_slashes: bool) -> bytes:
    if subscription.include_fields:
        payload = {key: value for key, value in payload.items() if key in subscription.include_fields}
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return (text.replace("/", "\\/") if escape_slashes else text).encode()
