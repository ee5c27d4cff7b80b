"""Creating, listing and deleting webhook subscriptions over the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from inventory_sync.sandbox.shopify import texts
from inventory_sync.sandbox.shopify.core import Run
from inventory_sync.sandbox.shopify.executor import access_denied
from inventory_sync.sandbox.shopify.mutations import Payload
from inventory_sync.sandbox.shopify.search import parse_terms
from inventory_sync.sandbox.shopify.state import parse_gid
from inventory_sync.sandbox.shopify.texts import user_error
from inventory_sync.sandbox.shopify.webhooks import Subscription

_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_NAME_LIMIT = 50
_CALLBACK = ("webhookSubscription", "callbackUrl")
_NAME_PATH = ("webhookSubscription", "name")
#: Any one of these scopes lets an app subscribe to topics that begin so; topics not named need none.
_SCOPES = (
    ("INVENTORY_LEVELS_", ("read_inventory",)),
    ("INVENTORY_ITEMS_", ("read_inventory", "read_products")),
    ("INVENTORY_", ("read_inventory",)),
    ("PRODUCTS_", ("read_products",)),
    ("VARIANTS_", ("read_products",)),
    ("LOCATIONS_", ("read_locations",)),
    ("ORDERS_", ("read_orders",)),
    ("DRAFT_ORDERS_", ("read_draft_orders",)),
    ("REFUNDS_", ("read_orders",)),
    ("RETURNS_", ("read_returns",)),
    ("FULFILLMENTS_", ("read_fulfillments",)),
)


def create(source: Any, arguments: Mapping[str, Any], run: Run) -> Payload:
    """webhookSubscriptionCreate; refusals carry no code."""
    topic, given = arguments["topic"], arguments["webhookSubscription"]
    _check_scope(run, topic)
    uri = (given.get("uri") or given.get("callbackUrl") or "").strip()
    errors = _address_errors(run, uri) or _other_errors(run, topic, uri, given)
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    subscription = Subscription(
        number=run.shop.next_number("WebhookSubscription"),
        topic=topic,
        uri=uri,
        format=given.get("format") or "JSON",
        name=given.get("name"),
        filter=given.get("filter") or None,
        include_fields=list(given.get("includeFields") or ()),
        version=run.core.switches.webhook_version or run.version,
        created_at=run.now,
        updated_at=run.now,
    )
    run.core.webhooks.add(subscription)
    return {"webhookSubscription": subscription, "userErrors": []}


def delete(source: Any, arguments: Mapping[str, Any], run: Run) -> Payload:
    """webhookSubscriptionDelete."""
    found = parse_gid(arguments["id"], "WebhookSubscription")
    subscription = run.core.webhooks.subscriptions.get(found.number) if found else None
    if subscription is None:
        error = user_error(("id",), texts.NO_SUBSCRIPTION)
        return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}
    run.core.webhooks.remove(subscription)
    return {"deletedWebhookSubscriptionId": subscription.id, "userErrors": []}


def listed(arguments: Mapping[str, Any], run: Run) -> list[Subscription]:
    """The subscriptions a list asks for, oldest first."""
    uri = arguments.get("uri") or arguments.get("callbackUrl")
    topics, wanted_format = arguments.get("topics"), arguments.get("format")
    return [
        each
        for each in run.core.webhooks.subscriptions.values()
        if (uri is None or each.uri == uri)
        and (topics is None or each.topic in topics)
        and (wanted_format is None or each.format == wanted_format)
    ]


def _check_scope(run: Run, topic: str) -> None:
    for start, scopes in _SCOPES:
        if topic.startswith(start):
            if not any(run.core.access.allows(scope) for scope in scopes):
                raise access_denied("webhookSubscriptionCreate", scopes[0])
            return


def _address_errors(run: Run, uri: str) -> list[dict[str, Any]]:
    if not uri:
        return [user_error(_CALLBACK, texts.ADDRESS_BLANK)]
    parts = urlsplit(uri)
    schemes = ("https", "http") if run.core.switches.plain_http_webhooks else ("https",)
    if not parts.scheme or re.search(r"\s", uri):
        return [user_error(_CALLBACK, texts.ADDRESS_INVALID)]
    if parts.scheme not in schemes:
        return [user_error(_CALLBACK, texts.ADDRESS_SCHEME.format(scheme=parts.scheme))]
    return [] if parts.hostname else [user_error(_CALLBACK, texts.ADDRESS_INVALID)]


def _other_errors(run: Run, topic: str, uri: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    name, filter_ = given.get("name"), given.get("filter") or None
    existing = run.core.webhooks.subscriptions.values()
    if given.get("format") == "XML":
        return [user_error(("webhookSubscription", "format"), texts.FORMAT_INVALID)]
    if filter_ and any(term.field is None for term in parse_terms(filter_)):
        return [user_error(("webhookSubscription",), texts.FILTER_INVALID)]
    if any((each.topic, each.uri, each.filter) == (topic, uri, filter_) for each in existing):
        return [user_error(_CALLBACK, texts.ADDRESS_TAKEN)]
    errors = []
    if name is not None:
        if not name:
            errors.append(user_error(_NAME_PATH, texts.NAME_TOO_SHORT))
        if len(name) > _NAME_LIMIT:
            errors.append(user_error(_NAME_PATH, texts.NAME_TOO_LONG))
        if not _NAME.match(name):
            errors.append(user_error(_NAME_PATH, texts.NAME_CHARACTERS))
        if any((each.name or "").casefold() == name.casefold() for each in existing if each.name):
            errors.append(user_error(_NAME_PATH, texts.NAME_TAKEN))
    return errors
