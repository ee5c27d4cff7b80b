"""Webhooks: proof of origin, and what each says might have changed (shopify.dev/docs/api/webhooks).

A notice is a hint. Deliveries come late, twice, out of order or not at all, and the number in a level notice is the one
at the time the delivery was put together. Nothing of an order or a customer is read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.port import CellHint, Notice, NoticeKind
from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from inventory_sync.systems.shopify.problems import say
from inventory_sync.systems.shopify.settings import ShopifySettings
from inventory_sync.systems.shopify.shapes import moment, obj, whole

ITEM_GID = "gid://shopify/InventoryItem/{}"
LOCATION_GID = "gid://shopify/Location/{}"
PRODUCT_GID = "gid://shopify/Product/{}"
ID_AT_MOST = 200  # characters of a delivery id that are kept as they are

_FIXED_KINDS: Mapping[str, NoticeKind] = {
    "app/uninstalled": NoticeKind.UNINSTALLED,
    "app/scopes_update": NoticeKind.ACCESS,
    "bulk_operations/finish": NoticeKind.CATALOGUE,
    "locations/create": NoticeKind.LOCATIONS,
    "locations/update": NoticeKind.LOCATIONS,
    "locations/activate": NoticeKind.LOCATIONS,
    "locations/deactivate": NoticeKind.LOCATIONS,
    "locations/delete": NoticeKind.LOCATIONS,
}


class ShopifyNoticeParser:
    """Checks the signature over the raw body with every secret that may be in use, then reads the notice."""

    def __init__(self, settings: ShopifySettings) -> None:
        self._shop = settings.shop
        self._secrets = tuple(secret.encode() for secret in settings.signing_secrets)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        self._check_signature(headers.get("x-shopify-hmac-sha256", ""), body)
        shop = headers.get("x-shopify-shop-domain", "").strip().lower()
        if shop and shop != self._shop:
            raise UnauthorizedNotice(say("IS-SHP-061"), code="IS-SHP-061")
        topic = headers.get("x-shopify-topic", "").strip().lower()
        if not topic:
            raise MalformedNotice(say("IS-SHP-062", "no topic"), code="IS-SHP-062")
        try:
            payload = obj(orjson.loads(body))
            return _read(topic, _delivery_id(headers, topic, body), headers, payload)
        except orjson.JSONDecodeError as error:
            raise MalformedNotice(say("IS-SHP-062", f"{topic} is not JSON"), code="IS-SHP-062") from error
        except UnexpectedAnswer as error:
            raise MalformedNotice(say("IS-SHP-062", f"{topic}: {error}"), code="IS-SHP-062") from error

    def _check_signature(self, given: str, body: bytes) -> None:
        """Compare in constant time with the signature of every secret: for up to an hour after a change of the secret
        deliveries still come with the old one (shopify.dev/docs/apps/build/webhooks/verify-deliveries)."""
        genuine = False
        for secret in self._secrets:
            genuine |= hmac.compare_digest(sign(secret, body), given.strip().encode())
        if not genuine:
            raise UnauthorizedNotice(say("IS-SHP-060"), code="IS-SHP-060")


def sign(secret: bytes, body: bytes) -> bytes:
    """The signature of a webhook body: base64 of its HMAC-SHA256."""
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest())


def _delivery_id(headers: Mapping[str, str], topic: str, body: bytes) -> str:
    """The delivery's own id. The event id is of no use here: all items of one bulk change share it."""
    given = headers.get("x-shopify-webhook-id", "").strip()
    if given and len(given) <= ID_AT_MOST:
        return given
    return hashlib.sha256(topic.encode() + b"\n" + given.encode() + b"\n" + body).hexdigest()


def _read(topic: str, id_: str, headers: Mapping[str, str], payload: Mapping[str, Any]) -> Notice:
    sent_at = moment(headers.get("x-shopify-triggered-at"))
    area, _, event = topic.partition("/")
    if area == "inventory_levels" and event in ("update", "connect", "disconnect"):
        return Notice(id_, topic, NoticeKind.LEVELS, cells=(_cell(event, payload),), sent_at=sent_at)
    if area in ("inventory_items", "products") and event in ("create", "update", "delete"):
        form = PRODUCT_GID if area == "products" else ITEM_GID
        key = form.format(whole(payload.get("id")))
        return Notice(id_, topic, NoticeKind.CATALOGUE, catalogue=(key,), sent_at=sent_at)
    return Notice(id_, topic, _FIXED_KINDS.get(topic, NoticeKind.OTHER), sent_at=sent_at)


def _cell(event: str, payload: Mapping[str, Any]) -> CellHint:
    """The cell a level notice names. Only an update carries a number: after the others the cell's state is read."""
    available = payload.get("available") if event == "update" else None
    hint = available if isinstance(available, int) and not isinstance(available, bool) else None
    return CellHint(
        ItemKey(ITEM_GID.format(whole(payload.get("inventory_item_id")))),
        LocationKey(LOCATION_GID.format(whole(payload.get("location_id")))),
        hint,
    )
