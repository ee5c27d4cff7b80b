"""Bulk calls: up to 100 changes in one request, carried out later, with a callback at the end.

developers.smaregi.dev/platform-api-reference/apis/pos/operations/poststockaddbulk: at most 100 rows, none of 0 units, a
callback address is required, and the answer names a request. What the callback says of the rows, how long it takes,
and whether it is repeated could not be read there. So a callback is believed in nothing but that it came: each row is
looked up by its memo. What a bulk call refuses as a whole, or leaves out, goes singly, where the answer names the
reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import orjson

from inventory_sync.systems.errors import PartnerError
from inventory_sync.systems.http import HttpResponse
from inventory_sync.systems.port import (
    Accepted,
    BulkWrites,
    PlannedOp,
    PreparedRequest,
    Rejected,
    Split,
    WritePace,
)
from inventory_sync.systems.smaregi import protocol
from inventory_sync.systems.smaregi.limits import bucket_size
from inventory_sync.systems.smaregi.settings import PRODUCTION_READS, SmaregiSettings

MAX_ROWS = 100
MAX_URL = 511  # characters of a callback address
REQUEST = "request"  # the part of the query in which our callback address names the request
SUFFIX = "/pos/stock/add/bulk"

LOOKUP_SHARE = 2 / 3  # of the reads may go into looking rows up: readings of live changes keep the rest


def _lookups(reads: int) -> float:
    return bucket_size(reads)[1] * LOOKUP_SHARE


BULK = BulkWrites(
    MAX_ROWS,
    callback_within=timedelta(minutes=2),
    late_effect=timedelta(minutes=10),
    lookups=_lookups(PRODUCTION_READS),
)
"""How long a bulk call takes is not documented; both times are settings."""


def bulk_of(settings: SmaregiSettings, callback_url: str | None) -> BulkWrites:
    """What bulk calls are at one connection. `usable` where callbacks reach us and each row can be looked up."""
    within, late = settings.bulk_callback_seconds, settings.bulk_late_effect_seconds
    return replace(
        BULK,
        callback_within=BULK.callback_within if within is None else timedelta(seconds=within),
        late_effect=BULK.late_effect if late is None else timedelta(seconds=late),
        lookups=_lookups(settings.reads),
        usable=settings.bulk and settings.history and settings.memo and callback_url is not None,
    )


def prepare(contract: str, installation: str, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
    """The request that carries out `ops`. The callback address holds a secret and is added on the way out only.

    Raises Bug for what Smaregi cannot express.
    """
    if len(ops) > MAX_ROWS:
        raise protocol.impossible(f"{len(ops)} changes in one call")
    rows = [protocol.change_of(installation, op) for op in ops]
    return PreparedRequest("POST", f"/{contract}{SUFFIX}", orjson.dumps({"stock": rows}), key, protocol.API_VERSION)


def is_bulk(prepared: PreparedRequest) -> bool:
    """Whether a stored request is a bulk call."""
    return prepared.path.endswith(SUFFIX)


def call_of(prepared: PreparedRequest, callback_url: str) -> protocol.Call:
    """The call that a stored bulk request makes, with the address that its callback is to be sent to."""
    url = f"{callback_url}?{REQUEST}={prepared.key}"
    if len(url) > MAX_URL:
        raise protocol.impossible(f"a callback address of {len(url)} characters")
    body = {**orjson.loads(prepared.body), "callbackUrl": url}
    return protocol.Call(prepared.method, prepared.path, protocol.SCOPE_STOCK_WRITE, body=orjson.dumps(body))


def accepted(response: HttpResponse) -> Accepted | None:
    """The request that a 200 or 202 names, or None where it names none. Which of the two comes is observed only."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    number = _number(body.get("requestId")) if isinstance(body, dict) else None
    return None if number is None else Accepted(number)


def refusal(refused: Rejected | PartnerError) -> Split | PartnerError:
    """What a refusal of the whole call means: the row at fault is not named, so each goes singly."""
    return Split(refused.reason, refused.code) if isinstance(refused, Rejected) else refused


def requests_named(query: str, body: bytes) -> tuple[str, ...]:
    """The requests that a callback is about: by our key in its address, and by Smaregi's number in its body.

    A body of any other form names none; it is no reason to turn a callback away.
    """
    named = parse_qs(query).get(REQUEST, [])[:1]
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    entries = content if isinstance(content, list) else [content]
    numbers = [_number(entry.get("requestId")) for entry in entries if isinstance(entry, dict)]
    return tuple(dict.fromkeys([*(name[:100] for name in named), *(number for number in numbers if number)]))


def pace(settings: SmaregiSettings, public: bool) -> WritePace:
    """How fast a push goes here: singly by the write budget; by bulk calls as fast as memos can be looked up."""
    why_en, why_ja = _why_not(settings, public)
    return WritePace(bucket_size(settings.writes)[1], _lookups(settings.reads), MAX_ROWS, not why_en, why_en, why_ja)


def _why_not(settings: SmaregiSettings, public: bool) -> tuple[str, str]:
    if not settings.bulk:
        return "bulk is false for this connection", "この接続では bulk が false です"
    if not (settings.history and settings.memo):
        return (
            "without the stock history and its memo nobody could tell which rows were carried out",
            "在庫変動履歴とメモが使えないため、どの行が実行されたか確認できません",
        )
    if not public:
        return (
            "no callback can reach us; set INVENTORY_SYNC_PUBLIC_URL to an address that Smaregi can reach",
            "コールバックを受信できません。スマレジから到達できるURLを INVENTORY_SYNC_PUBLIC_URL に設定してください",
        )
    if settings.callback_token is None:
        return (
            "the connection has no callback address yet; apply the configuration, or renew the connection, once",
            "コールバック用のアドレスがまだありません。設定を一度適用するか、接続を更新してください",
        )
    return "", ""


def _number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else None
