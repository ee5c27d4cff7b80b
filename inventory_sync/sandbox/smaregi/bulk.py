"""The relative bulk write: accepted, carried out later, and told by a callback (…/operations/poststockaddbulk)."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.sandbox.kernel import Delivery, Request, Response
from inventory_sync.sandbox.smaregi import writes
from inventory_sync.sandbox.smaregi.records import Cell, HistoryRow
from inventory_sync.sandbox.smaregi.replies import Problem, answer, dump
from inventory_sync.sandbox.smaregi.switches import ADD_MAX, BULK_MAX, CALLBACK_URL_MAX
from inventory_sync.sandbox.smaregi.world import SmaregiWorld

USER_AGENT = "Smaregi-Platform-Api-Callback/1.0"

_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One row of a bulk write."""

    product: str
    body: writes.WriteBody


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A bulk write that was accepted."""

    id: int
    rows: tuple[BulkRow, ...]
    callback: str
    client_id: str


class BulkDesk:
    """Bulk writes that wait to be carried out, and callbacks that wait to be sent."""

    def __init__(self) -> None:
        self.accepted: list[BulkRequest] = []
        self._last = 123455
        self._waiting: list[tuple[datetime, int, BulkRequest]] = []
        self._calls: list[tuple[datetime, int, Delivery]] = []
        self._made = 0

    def accept(self, rows: tuple[BulkRow, ...], callback: str, client_id: str, due: datetime) -> BulkRequest:
        """Take a bulk write in; it is carried out when it is due."""
        self._last += 1
        request = BulkRequest(self._last, rows, callback, client_id)
        self.accepted.append(request)
        heapq.heappush(self._waiting, (due, request.id, request))
        return request

    def call(self, request: BulkRequest, body: bytes, due: datetime) -> None:
        """Send a callback when it is due."""
        self._made += 1
        headers = {"content-type": "application/json;charset=UTF-8", "user-agent": USER_AGENT}
        delivery = Delivery(f"callback-{request.id}-{self._made}", request.callback, headers, body, due)
        heapq.heappush(self._calls, (due, self._made, delivery))

    def take(self, now: datetime) -> BulkRequest | None:
        """The next bulk write whose time has come."""
        return heapq.heappop(self._waiting)[2] if self._waiting and self._waiting[0][0] <= now else None

    def due(self, now: datetime) -> list[Delivery]:
        """Callbacks due by `now`; each is handed out once."""
        ready: list[Delivery] = []
        while self._calls and self._calls[0][0] <= now:
            ready.append(heapq.heappop(self._calls)[2])
        return ready

    def next_due(self) -> datetime | None:
        """When something is due next."""
        return min((queue[0][0] for queue in (self._waiting, self._calls) if queue), default=None)


def add_bulk(world: SmaregiWorld, desk: BulkDesk, request: Request, now: datetime, client_id: str) -> Response:
    """`POST /pos/stock/add/bulk`: accept changes of up to 100 cells."""
    rows, callback = _read(request.body)
    switches = world.switches
    if switches.bulk_bad_row == "refused":
        for row in rows:
            _checked(world, row)
    taken = desk.accept(rows, callback, client_id, now + timedelta(seconds=switches.bulk_delay))
    if switches.bulk_callback_first:
        _tell(world, desk, taken, [], now)
    return answer({"requestId": taken.id, "callbackUrl": callback}, status=switches.bulk_status)


def carry_out(world: SmaregiWorld, desk: BulkDesk, now: datetime) -> None:
    """Carry out every bulk write whose time has come, and prepare its callback."""
    while (request := desk.take(now)) is not None:
        done: list[tuple[BulkRow, HistoryRow | None]] = []
        for row in request.rows:
            try:
                cell = _checked(world, row)
            except Problem:
                done.append((row, None))
                continue
            done.append((row, writes.book_change(world, cell, row.body, now, request.client_id)))
        made = [row for _, row in done if row is not None]
        own = request.client_id == world.access.own
        if made and world.switches.bulk_announces and (not own or world.switches.webhook_echoes_own):
            world.announce_stock(made, now, "bulk-update")
        if not world.switches.bulk_callback_first:
            _tell(world, desk, request, done, now)


def _tell(
    world: SmaregiWorld,
    desk: BulkDesk,
    request: BulkRequest,
    done: Sequence[tuple[BulkRow, HistoryRow | None]],
    now: datetime,
) -> None:
    copies = {"once": 1, "twice": 2, "never": 0}[world.switches.bulk_callback]
    due = now + timedelta(seconds=world.switches.bulk_callback_delay)
    for copy in range(copies):
        desk.call(request, _body(world, request, done), due + timedelta(seconds=copy))


def _body(world: SmaregiWorld, request: BulkRequest, done: Sequence[tuple[BulkRow, HistoryRow | None]]) -> bytes:
    match world.switches.bulk_callback_body:
        case "empty":
            return b""
        case "object":
            return dump({"requestId": request.id})
        case "brief":
            return dump([{"requestId": request.id}])
    return dump(
        [
            {
                "requestId": request.id,
                "productId": row.product,
                "storeId": str(row.body.store),
                "status": "error" if made is None else "success",
                "stockHistoryId": None if made is None else str(made.id),
            }
            for row, made in done
        ]
        or [{"requestId": request.id}]
    )


def _read(raw: bytes) -> tuple[tuple[BulkRow, ...], str]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem(400, "リクエストボディがJSONではありません") from None
    if not isinstance(body, dict):
        raise Problem(400, "リクエストボディがオブジェクトではありません")
    rows, callback = body.get("stock"), body.get("callbackUrl")
    if not isinstance(callback, str) or not _URL.fullmatch(callback) or len(callback) > CALLBACK_URL_MAX:
        raise Problem(400, "[callbackUrl]の形式が正しくありません", rule="callback_url")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Problem(400, "[stock]は1件以上の配列である必要があります")
    if len(rows) > BULK_MAX:
        raise Problem(400, f"[stock]は{BULK_MAX}件以下である必要があります", rule="bulk_size")
    return tuple(_row(row) for row in rows), callback


def _row(row: dict[str, object]) -> BulkRow:
    product = row.get("productId")
    if not isinstance(product, str) or not re.fullmatch(r"[0-9]{1,15}", product):
        raise Problem(400, "[productId]は整数の文字列である必要があります")
    body = writes.read_change(row, ADD_MAX)
    if body.amount == 0:
        raise Problem(400, "[stockAmount]に0は指定できません", rule="bulk_zero")
    return BulkRow(product, body)


def _checked(world: SmaregiWorld, row: BulkRow) -> Cell:
    if row.product in world.switches.bulk_drops:
        raise Problem(400, "一括更新できない商品です")
    cell = writes.target(world, row.product, row.body)
    writes.check_sum(world, cell, row.body.amount)
    return cell
