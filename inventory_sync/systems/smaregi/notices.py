"""Smaregi's webhooks: proof by a shared secret header, and what each event says.

Bodies: developers.smaregi.dev/platform-api-reference (apis/pos/operations/postwebhookstock, postwebhookproducts); the
AppSubscription notification and the header names beyond `Smaregi-Event` are observed. There is no signature.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.notices import json_object, malformed, unauthorized
from inventory_sync.systems.port import CellHint, Notice, NoticeKind
from inventory_sync.systems.smaregi import bulk, problems
from inventory_sync.systems.smaregi.settings import SmaregiSettings

CONTRACT_HEADER = "smaregi-contract-id"
EVENT_HEADER = "smaregi-event"
EVENT_ID_HEADER = "smaregi-event-id"

_SUBSCRIPTION_KINDS: Mapping[str, NoticeKind] = {
    "end": NoticeKind.UNINSTALLED,
    "force-stop": NoticeKind.UNINSTALLED,
    "start": NoticeKind.ACCESS,
    "cancel-force-stop": NoticeKind.ACCESS,
}


def contract_of(headers: Mapping[str, str], body: bytes) -> str | None:
    """The contract a notice says it belongs to (header, else body), to find its connection; unproven until parsed."""
    named = headers.get(CONTRACT_HEADER, "").strip()
    if named:
        return named
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    contract = content.get("contractId") if isinstance(content, dict) else None
    return contract if isinstance(contract, str) and contract else None


class SmaregiNoticeParser:
    """Implements `port.CallbackParser` for one connection. `new_id` gives ids to notices that carry none themselves."""

    def __init__(self, settings: SmaregiSettings, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        secrets = (settings.webhook_secret, settings.previous_webhook_secret)
        self._secrets = tuple(secret.get_secret_value().encode() for secret in secrets if secret is not None)
        token = settings.callback_token
        self._callback_token = token.get_secret_value().encode() if token is not None else b""
        self._header = settings.webhook_header.lower()
        self._contract = settings.contract_id
        self._new_id = new_id

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks the secret and the contract, then reads the event. Unknown actions and events are tolerated."""
        self._authorise(headers)
        content = json_object(body, problems.UNREADABLE_NOTICE)
        for contract in (headers.get(CONTRACT_HEADER), content.get("contractId")):
            if contract is not None and contract != self._contract:
                raise unauthorized(problems.FOREIGN_CONTRACT)
        event = content.get("event") or headers.get(EVENT_HEADER)
        if not isinstance(event, str):
            raise malformed(problems.UNREADABLE_NOTICE, "no event")
        action = content.get("action")
        kind = NoticeKind.OTHER
        cells: tuple[CellHint, ...] = ()
        catalogue: tuple[str, ...] = ()
        if event == "pos:stock":
            kind, cells = NoticeKind.LEVELS, _cells(content)
        elif event == "pos:products":
            kind, catalogue = NoticeKind.CATALOGUE, tuple(_ids(content, "productIds"))
        elif event == "pos:stores":
            kind = NoticeKind.LOCATIONS
        elif event == "AppSubscription":
            kind = _SUBSCRIPTION_KINDS.get(str(action), NoticeKind.OTHER)
        return Notice(self._id(headers, body, cells), event, kind, cells, catalogue)

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks the token in the address, then which requests a callback names. Nothing else in it is believed; the
        same callback once more is the same notice."""
        given = headers.get(":token", "").encode("utf-8", "surrogateescape")
        if not self._callback_token or not hmac.compare_digest(given, self._callback_token):
            raise unauthorized(problems.BAD_CALLBACK)
        query = headers.get(":query", "")
        digest = hashlib.sha256(b"\0".join((query.encode("utf-8", "surrogateescape"), body))).hexdigest()
        named = bulk.requests_named(query, body)
        return Notice(f"callback:{digest}", "stock:bulk", NoticeKind.OTHER, requests=named)

    def _authorise(self, headers: Mapping[str, str]) -> None:
        if not self._secrets:
            raise unauthorized(problems.NO_WEBHOOK_SECRET)
        given = headers.get(self._header, "").encode("utf-8", "surrogateescape")
        # Every secret is compared, so that the time taken does not tell which one was near.
        matches = [hmac.compare_digest(given, secret) for secret in self._secrets]
        if not any(matches):
            raise unauthorized(problems.BAD_WEBHOOK_SECRET)

    def _id(self, headers: Mapping[str, str], body: bytes, cells: Sequence[CellHint]) -> str:
        """The event's id; else the hash of a body that names history rows, since no two changes share one.

        Other bodies repeat to the byte for different events (a product edited twice), so each counts as new: to look
        twice is harmless, to overlook is not.
        """
        event_id = headers.get(EVENT_ID_HEADER, "").strip()
        if event_id:
            return event_id[:200]
        digest = hashlib.sha256(body).hexdigest()
        named = bool(cells) and all(cell.reference for cell in cells)
        return f"sha256:{digest}" if named else f"sha256:{digest}:{self._new_id()}"


def _cells(content: Mapping[str, Any]) -> tuple[CellHint, ...]:
    """The cells of a stock notice: `ids` with history rows, or the older form of stores and products combined."""
    if "ids" in content:
        entries = content["ids"]
        if not isinstance(entries, list):
            raise malformed(problems.UNREADABLE_NOTICE, "ids is not a list")
        hints = [hint for hint in map(_hint, entries) if hint is not None]
        if entries and not hints:
            raise malformed(problems.UNREADABLE_NOTICE, "no entry of ids names a product")
        return tuple(hints)
    stores = [_location(store) for store in _ids(content, "storeIds")]
    places: list[LocationKey | None] = [None] if not stores or None in stores else list(stores)
    return tuple(CellHint(ItemKey(item), place) for item in _ids(content, "productIds") for place in places)


def _hint(entry: object) -> CellHint | None:
    if not isinstance(entry, dict):
        return None
    item = _identifier(entry.get("productId"))
    if item is None:
        return None
    return CellHint(ItemKey(item), _location(_identifier(entry.get("storeId"))), reference=_identifier(entry.get("id")))


def _location(store: str | None) -> LocationKey | None:
    """A store id as a location; none, or the 0 that the reference's own example shows, is every location."""
    return None if store is None or not store.strip("0") else LocationKey(store)


def _ids(content: Mapping[str, Any], name: str) -> list[str]:
    values = content.get(name)
    if values is None:
        return []
    if not isinstance(values, list):
        raise malformed(problems.UNREADABLE_NOTICE, f"{name} is not a list")
    return [identifier for identifier in map(_identifier, values) if identifier is not None]


def _identifier(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else None
