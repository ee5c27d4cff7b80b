"""A client for the simulated Smaregi that knows only HTTP: requests in, parsed answers out."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.smaregi import ALL_SCOPES, JST, SmaregiSimulator, SmaregiSwitches

START = datetime(2026, 1, 10, 12, 0, 0, tzinfo=JST)
CONTRACT = "sb_abc123d4"


def after(seconds: float) -> datetime:
    """An instant so many seconds into the story."""
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, response: Response) -> Answer:
        return cls(response.status, response.headers, json.loads(response.body))


def ask_token(
    simulator: SmaregiSimulator,
    now: datetime = START,
    *,
    client: str = "sim-client",
    secret: str = "sim-secret",
    contract: str = CONTRACT,
    headers: Mapping[str, str] | None = None,
    **form: str,
) -> Answer:
    values = {"grant_type": "client_credentials", "scope": " ".join(sorted(ALL_SCOPES)), **form}
    sent = {
        "authorization": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
        **(headers or {}),
    }
    body = urlencode({name: value for name, value in values.items() if value}).encode()
    return Answer.of(simulator.handle(Request("POST", f"/app/{contract}/token", "", sent, body), now))


class Caller:
    """Calls with a token got at the start of the story."""

    def __init__(self, simulator: SmaregiSimulator, **token: str) -> None:
        self.simulator = simulator
        self.token = ask_token(simulator, **token).body["access_token"]

    def call(
        self,
        method: str,
        path: str,
        now: datetime = START,
        *,
        query: Mapping[str, str] | str = "",
        body: object = None,
        contract: str = CONTRACT,
        host: str = "",
    ) -> Answer:
        text = query if isinstance(query, str) else urlencode(query)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        if host:
            headers["host"] = host
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return Answer.of(self.simulator.handle(Request(method, f"/{contract}/pos{path}", text, headers, raw), now))

    def get(self, path: str, now: datetime = START, **query: str) -> Answer:
        return self.call("GET", path, now, query=query)

    def stock(self, now: datetime = START, query: Mapping[str, str] | None = None) -> Any:
        answer = self.call("GET", "/stock", now, query=query or {})
        assert answer.status == 200, answer.body
        return answer.body

    def history(self, product: str, now: datetime = START, store: str = "1", **query: str) -> Any:
        answer = self.get(f"/stock/changes/{product}/{store}", now, **query)
        assert answer.status == 200, answer.body
        return answer.body

    def add(
        self, product: str, amount: int, now: datetime = START, *, store: str = "1", memo: str | None = None
    ) -> Answer:
        return self.call("POST", f"/stock/{product}/add", now, body=write_body(store, amount, memo))

    def put(
        self, product: str, amount: int, now: datetime = START, *, store: str = "1", memo: str | None = None
    ) -> Answer:
        return self.call("PATCH", f"/stock/{product}", now, body=write_body(store, amount, memo))


def write_body(store: str, amount: int, memo: str | None) -> dict[str, object]:
    body: dict[str, object] = {"storeId": store, "stockAmount": str(amount)}
    return body if memo is None else {**body, "stockHistory": {"memo": memo}}


def contract_with(
    *levels: int, stores: tuple[str, ...] = ("1",), **switches: Any
) -> tuple[SmaregiSimulator, list[str]]:
    """A simulator holding one product per level, at every store, and the product ids."""
    simulator = SmaregiSimulator(switches=SmaregiSwitches(**switches))
    ids = simulator.seed_catalogue(len(levels), START, stores=stores, initial=lambda number, _: levels[number])
    return simulator, ids


def is_problem(answer: Answer, status: int, title: str) -> bool:
    """Whether an answer is an RFC 7807 problem of this status and title, with a detail."""
    return (
        answer.status == status
        and answer.headers["content-type"] == "application/problem+json"
        and answer.body["type"] == "about:blank"
        and answer.body["title"] == title
        and answer.body["status"] == status
        and bool(answer.body["detail"])
    )
