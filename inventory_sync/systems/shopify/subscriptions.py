"""Webhook subscriptions: which we need, which are ours, and what to mend.

Shopify deletes a subscription made through the API after eight failed deliveries in a row, without a word
(shopify.dev/docs/apps/build/webhooks/subscribe): a missing one means that notices were lost. The API shows this app's
subscriptions only; among them ours are told by their name, so that two installations with the same app leave each other
alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.systems.shopify.shapes import items, next_page, obj, objects, text

TOPICS = (
    "INVENTORY_LEVELS_UPDATE",
    "INVENTORY_LEVELS_CONNECT",
    "INVENTORY_LEVELS_DISCONNECT",
    "INVENTORY_ITEMS_CREATE",
    "INVENTORY_ITEMS_UPDATE",
    "INVENTORY_ITEMS_DELETE",
    "PRODUCTS_CREATE",
    "PRODUCTS_UPDATE",
    "PRODUCTS_DELETE",
    "LOCATIONS_CREATE",
    "LOCATIONS_UPDATE",
    "LOCATIONS_ACTIVATE",
    "LOCATIONS_DEACTIVATE",
    "LOCATIONS_DELETE",
    "APP_UNINSTALLED",
    "APP_SCOPES_UPDATE",
    "BULK_OPERATIONS_FINISH",
)
ALREADY_TAKEN = "has already been taken"  # observed: this topic is subscribed with this address


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as Shopify lists it. `whole`: JSON, unfiltered, all fields, as ours are made."""

    id: str
    topic: str
    uri: str
    name: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is right, what to delete, and which topics to subscribe, in this order."""

    keep: tuple[Subscription, ...]
    remove: tuple[Subscription, ...]
    create: tuple[str, ...]


def name_of(installation: str, topic: str) -> str:
    """The name of our subscription to a topic: letters, digits and hyphens, at most 50, unique within the app.

    >>> name_of("demo", "INVENTORY_LEVELS_UPDATE")
    'is-demo-inventory-levels-update'
    """
    return f"is-{installation}-{topic.lower().replace('_', '-')}"


def variables(installation: str, topic: str, uri: str) -> dict[str, Any]:
    """The variables that subscribe a topic. All fields are asked for: a narrower choice lets Shopify drop deliveries
    that look alike (shopify.dev/docs/apps/build/webhooks/best-practices)."""
    return {"topic": topic, "sub": {"uri": uri, "format": "JSON", "name": name_of(installation, topic)}}


def read_page(data: Mapping[str, Any]) -> tuple[list[Subscription], str | None]:
    """Subscriptions of a page, and the cursor of the next one."""
    connection = obj(data.get("webhookSubscriptions"))
    return [_subscription(node) for node in objects(connection.get("nodes"))], next_page(connection)


def _subscription(node: Mapping[str, Any]) -> Subscription:
    plain = node.get("format") == "JSON" and not node.get("filter") and not items(node.get("includeFields"))
    return Subscription(
        text(node.get("id")), text(node.get("topic")), text(node.get("uri")), str(node.get("name") or ""), plain
    )


def plan(existing: Sequence[Subscription], uri: str, installation: str) -> Plan:
    """What brings the subscriptions to exactly one per topic at `uri`, touching none that is not ours.

    Ours is what carries our name, and what goes to our own address.
    """
    prefix = f"is-{installation}-".lower()
    ours = [each for each in existing if each.uri == uri or each.name.lower().startswith(prefix)]
    keep: dict[str, Subscription] = {}
    for each in ours:
        if each.uri == uri and each.whole and each.topic in TOPICS:
            keep.setdefault(each.topic, each)
    kept = set(keep.values())
    return Plan(
        tuple(keep[topic] for topic in TOPICS if topic in keep),
        tuple(each for each in ours if each not in kept),
        tuple(topic for topic in TOPICS if topic not in keep),
    )
