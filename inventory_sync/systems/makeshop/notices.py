"""MakeShop's webhooks: proof by a signature, and what each event says might have changed.

Headers, events and the body at installation: developers.makeshop.jp/guide/webhook. What exactly is signed is not
readable there, so it is a switch. Bodies about orders and products are not documented: nothing in them is relied upon.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from inventory_sync.systems.makeshop import problems
from inventory_sync.systems.makeshop.keys import Item
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.notices import json_object, malformed, unauthorized
from inventory_sync.systems.port import CellHint, Notice, NoticeKind

SIGNATURE_HEADER = "x-makeshop-signature"
TIMESTAMP_HEADER = "x-makeshop-request-timestamp"

# The events by the words that the declared addresses end in (the guide says which address is for which event).
EVENTS: Mapping[str, NoticeKind] = {
    "install": NoticeKind.ACCESS,
    "uninstall": NoticeKind.UNINSTALLED,
    "consent": NoticeKind.ACCESS,
    "order": NoticeKind.ORDERS,
    "product": NoticeKind.CATALOGUE,
    "other": NoticeKind.OTHER,
}

_SYSTEM_CODE = re.compile(r"[0-9]{12}")
_SECONDS_AT_MOST = 100_000_000_000  # a larger time is in milliseconds
_DEEPEST = 6  # levels of a body that are searched


class MakeShopNoticeParser:
    """Implements `port.NoticeParser` for one connection of the GraphQL API."""

    def __init__(
        self,
        settings: MakeShopSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        secret = settings.webhook_secret
        self._secret = None if secret is None else secret.get_secret_value().encode()
        self._recipe = settings.signature_recipe
        self._encoding = settings.signature_encoding
        self._age = settings.notice_max_age_seconds
        self._shop = settings.shop_id
        self._now = now
        self._new_id = new_id

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks signature, time and shop, then reads the event: named by the address, else told from the body."""
        stamp = headers.get(TIMESTAMP_HEADER, "").strip()
        self._authorise(headers.get(SIGNATURE_HEADER, "").strip(), stamp, body)
        sent_at = self._time(stamp)
        content = json_object(body, problems.UNREADABLE_NOTICE)
        shop = content.get("shop_id")
        if self._shop is not None and isinstance(shop, str) and shop and shop != self._shop:
            raise unauthorized(problems.FOREIGN_SHOP)
        event = _event(headers, content)
        if event == "uninstall" and "app_id" not in content:
            raise malformed(problems.UNREADABLE_NOTICE, "an uninstall without app_id")
        kind = EVENTS[event]
        codes = tuple(dict.fromkeys(_system_codes(content))) if kind is NoticeKind.CATALOGUE else ()
        cells = tuple(CellHint(Item(code).key) for code in codes)
        return Notice(self._id(event, stamp, body), event, kind, cells, codes, sent_at)

    def _authorise(self, given: str, stamp: str, body: bytes) -> None:
        if self._secret is None:
            raise unauthorized(problems.NO_WEBHOOK_SECRET)
        right = sign(self._secret, stamp, body, self._recipe, self._encoding)
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right):
            raise unauthorized(problems.BAD_SIGNATURE)

    def _time(self, stamp: str) -> datetime | None:
        """When it was sent. A notice that carries no time is refused, unless its time is not part of the proof."""
        if not stamp and self._recipe == "body":
            return None
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 16):
            raise unauthorized(problems.STALE_NOTICE)
        seconds = int(stamp)
        sent_at = datetime.fromtimestamp(seconds / 1000 if seconds > _SECONDS_AT_MOST else seconds, UTC)
        if abs((self._now() - sent_at).total_seconds()) > self._age:
            raise unauthorized(problems.STALE_NOTICE)
        return sent_at

    def _id(self, event: str, stamp: str, body: bytes) -> str:
        """One id for what is the same to the byte and the second; without a time every delivery counts as new."""
        digest = hashlib.sha256(b"\n".join((event.encode(), stamp.encode(), body))).hexdigest()
        return f"sha256:{digest}" if stamp else f"sha256:{digest}:{self._new_id()}"


def sign(secret: bytes, stamp: str, body: bytes, recipe: str, encoding: str) -> bytes:
    """The signature of a notice: HMAC-SHA256 over time and body, the body or the time, in hex or base64."""
    stamped = stamp.encode("utf-8", "surrogateescape")
    signed = {"timestamp_body": stamped + body, "body": body, "timestamp": stamped}[recipe]
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return digest.hex().encode() if encoding == "hex" else base64.b64encode(digest)


def _event(headers: Mapping[str, str], content: Mapping[str, Any]) -> str:
    """The event that the address names, as its last part or as `?event=`; else what the body looks like."""
    named = (headers.get(":token", ""), *parse_qs(headers.get(":query", "")).get("event", ()))
    for each in (*named, content.get("event")):
        if isinstance(each, str) and each in EVENTS:
            return each
    names = {name.lower() for name in content}
    if "token" in names and "app_id" in names:
        return "install"
    if names and names <= {"app_id", "app_name", "shop_id"} and "app_id" in names:
        return "uninstall"
    for word, event in (("order", "order"), ("product", "product"), ("systemcode", "product"), ("member", "other")):
        if any(word in name for name in names):
            return event
    return "order"  # it says nothing of itself: to look for orders once more is harmless, to overlook some is not


def _system_codes(value: object, name: str = "", depth: int = 0) -> Iterator[str]:
    """Every system code of a product that a body names, wherever it stands."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _system_codes(inner, str(key).lower(), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _system_codes(inner, name, depth + 1)
    elif isinstance(value, str) and ("code" in name or "product" in name) and _SYSTEM_CODE.fullmatch(value):
        yield value
