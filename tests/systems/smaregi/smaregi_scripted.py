"""A Smaregi that answers from a script, over no socket, and a clock that moves only when told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import CellRef, ClientContext, PlannedOp
from inventory_sync.systems.smaregi.client import SmaregiClient
from inventory_sync.systems.smaregi.settings import SmaregiSettings
from tests.systems.clock import MovedClock

START = datetime(2026, 1, 10, 3, 0, 0, tzinfo=UTC)  # noon in Japan
ALL_SCOPES = "pos.stock:read pos.stock:write pos.stock-changes:read pos.products:read pos.stores:read"
CELL = CellRef(ItemKey("8000001"), LocationKey("1"))
OP = PlannedOp(OpId("01j9z8"), CELL, -2)

Answer = HttpResponse | Exception


class Clock(MovedClock):
    def __init__(self) -> None:
        super().__init__(START)


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    """An answer with a JSON body, or with the bytes given."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def problem(status: int, detail: str = "理由", **headers: str) -> HttpResponse:
    return answer({"type": "about:blank", "title": "Title", "detail": detail, "status": status}, status, **headers)


def token(scope: str | None = ALL_SCOPES, expires_in: object = 3600, value: str = "token-1") -> HttpResponse:
    body = {"token_type": "Bearer", "expires_in": expires_in, "access_token": value}
    return answer(body if scope is None else {**body, "scope": scope})


def level(amount: object, item: str = "8000001", location: str = "1", at: str = "2026-01-10T11:59:58+09:00") -> dict:
    return {
        "storeId": location,
        "productId": item,
        "stockAmount": amount,
        "layawayStockAmount": "0",
        "updDateTime": at,
    }


def product(item: str = "8000001", **fields: object) -> dict:
    row = {
        "productId": item,
        "productCode": "4900000000017",
        "productName": "シャツ",
        "groupCode": None,
        "size": "M",
        "color": "",
        "supplierProductNo": "",
        "stockControlDivision": "0",
        "division": "0",
        "updDateTime": "2026-01-01T10:00:00+09:00",
    }
    return {**row, **fields}


def change(number: str, amount: object = "-2", at: str = "2026-01-10T11:59:58+09:00", **fields: object) -> dict:
    row = {
        "id": number,
        "updDateTime": at,
        "targetDateTime": at,
        "productId": "8000001",
        "storeId": "1",
        "amount": amount,
        "stockAmount": "10",
        "stockDivision": "15",
        "memo": None,
    }
    return {**row, **fields}


def written(number: object = "10236", **fields: object) -> HttpResponse:
    body = {
        "productId": "8000001",
        "storeId": "1",
        "stockAmount": "10",
        "updDateTime": "2026-01-10T12:00:05+09:00",
        "stockHistory": {"id": number, "memo": "is:shop1:01j9z8"},
    }
    return answer({**body, **fields})


@dataclass
class Scripted:
    """A transport that gives its answers in order, or asks a function; tokens come by themselves unless scripted."""

    clock: Clock
    answers: list[Answer] = field(default_factory=list)
    tokens: list[Answer] = field(default_factory=list)
    handler: Callable[[HttpRequest], Answer] | None = None
    latency: float = 0.0
    requests: list[HttpRequest] = field(default_factory=list)
    token_requests: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.clock.advance(self.latency)
        if request.url.endswith("/token"):
            self.token_requests.append(request)
            given: Answer = self.tokens.pop(0) if self.tokens else token(value=f"token-{len(self.token_requests)}")
        else:
            self.requests.append(request)
            given = self.handler(request) if self.handler else self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    @property
    def paths(self) -> list[str]:
        return [urlsplit(request.url).path for request in self.requests]

    def query(self, number: int) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.requests[number].url).query))


def settings(**changes: object) -> SmaregiSettings:
    values = {
        "contract_id": "sb_abc123d4",
        "client_id": "client",
        "client_secret": "very-secret-value",
        "webhook_secret": "0123456789abcdef",
        "reads_per_second": 50,
        "writes_per_second": 20,
    }
    return SmaregiSettings.model_validate({**values, **changes})


def connect(
    *answers: Answer,
    handler: Callable[[HttpRequest], Answer] | None = None,
    tokens: list[Answer] | None = None,
    latency: float = 0.0,
    full: bool = True,
    **changes: object,
) -> tuple[SmaregiClient, Scripted]:
    """A client, its budget full, and the partner that answers it."""
    clock = Clock()
    partner = Scripted(clock, list(answers), list(tokens or ()), handler, latency)
    context = ClientContext(partner, Ambient(now=clock), "shop1", budget_full=full)
    return SmaregiClient(settings(**changes), context), partner
