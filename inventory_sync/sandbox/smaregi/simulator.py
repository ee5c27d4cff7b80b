"""The simulated Smaregi: token endpoint and POS API of one contract, in one state machine."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from inventory_sync.sandbox.kernel import Delivery, Request, Response
from inventory_sync.sandbox.smaregi import bulk, reads, writes
from inventory_sync.sandbox.smaregi.access import ApiClient, Token
from inventory_sync.sandbox.smaregi.office import SmaregiOffice
from inventory_sync.sandbox.smaregi.replies import UNKNOWN_ID, Problem, answer, problem, throttle, token_error
from inventory_sync.sandbox.smaregi.switches import (
    SCOPE_CHANGES_READ,
    SCOPE_PRODUCTS_READ,
    SCOPE_STOCK_READ,
    SCOPE_STOCK_WRITE,
    SCOPE_STORES_READ,
)
from inventory_sync.sandbox.smaregi.trade import SmaregiTrade

_TOKEN = re.compile(r"/app/([^/]+)/token")
_POS = re.compile(r"/([^/]+)/pos(/.*)")

# Operation, method, path below /{contract}/pos, scope it needs.
_OPERATIONS = tuple(
    (name, method, re.compile(path), scope)
    for name, method, path, scope in (
        ("stores.list", "GET", r"/stores", SCOPE_STORES_READ),
        ("products.list", "GET", r"/products", SCOPE_PRODUCTS_READ),
        ("products.get", "GET", r"/products/([^/]+)", SCOPE_PRODUCTS_READ),
        ("stock.list", "GET", r"/stock", SCOPE_STOCK_READ),
        ("stock.changes", "GET", r"/stock/changes/([^/]+)/([^/]+)", SCOPE_CHANGES_READ),
        ("stock.set", "PATCH", r"/stock/([^/]+)", SCOPE_STOCK_WRITE),
        ("stock.add", "POST", r"/stock/([^/]+)/add", SCOPE_STOCK_WRITE),
        ("stock.add_bulk", "POST", r"/stock/add/bulk", SCOPE_STOCK_WRITE),
    )
)


class SmaregiSimulator(SmaregiTrade, SmaregiOffice):
    """A whole Smaregi contract: `id.` and `api.` hosts are one, `/app/…` and `/{contract}/pos/…`.

    Implements `inventory_sync.sandbox.kernel.Simulator`. `log.requests` counts by operation: token, stores.list,
    products.list, products.get, stock.list, stock.changes, stock.set, stock.add, stock.add_bulk; refused ones are
    counted as well.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.desk = bulk.BulkDesk()

    def handle(self, request: Request, now: datetime) -> Response:
        """Carry out one request and answer it."""
        path = unquote(request.path)
        bulk.carry_out(self, self.desk, now)
        try:
            if token := _TOKEN.fullmatch(path):
                return self._issue_token(request, token[1], now)
            if call := _POS.fullmatch(path):
                return self._call(request, call[1], call[2], now)
        except Problem as refused:
            if refused.rule:
                self.violate(refused.rule, f"{request.method} {request.path}", now)
            return problem(refused.status, refused.detail)
        return problem(404, UNKNOWN_ID)

    def throttled(self, request: Request, now: datetime) -> Response:
        """The answer to a request over the limit."""
        return throttle(self.switches.retry_after)

    def advance(self, now: datetime) -> list[Delivery]:
        """Webhooks and callbacks due by `now`. Smaregi sends each once, does not retry, and promises no order."""
        bulk.carry_out(self, self.desk, now)
        return self.outbox.due(now) + self.desk.due(now)

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """Count how it was answered (`webhook.200`, `callback.200`, `webhook.none` …); nothing follows from it."""
        kind = "callback" if delivery.id.startswith("callback-") else "webhook"
        self.log.count(f"{kind}.{'none' if status is None else status}")

    def next_due(self) -> datetime | None:
        """When something is due next: a webhook, a callback, or a bulk write to be carried out."""
        return min(filter(None, (self.outbox.next_due(), self.desk.next_due())), default=None)

    def _issue_token(self, request: Request, contract: str, now: datetime) -> Response:
        self.log.count("token")
        if request.method != "POST":
            raise Problem(405, "POSTメソッドを利用してください")
        name, secret = _basic(request.headers.get("authorization", ""))
        client = self.access.clients.get(name)
        if client is not None and not self._admit(client.client_id, request, now):
            return self.throttled(request, now)
        if client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
            return token_error(401, "invalid_client", "Client authentication failed")
        if contract != self.contract or not client.subscribed:
            return token_error(400, "unauthorized_client", "The contract does not use this app")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            return token_error(400, "invalid_request", "The body must be a form")
        form = parse_qs(request.body.decode("utf-8", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return token_error(400, "unsupported_grant_type", "grant_type must be client_credentials")
        return self._grant(client, form.get("scope", [""])[0].split(), now)

    def _grant(self, client: ApiClient, asked: list[str], now: datetime) -> Response:
        granted = [scope for scope in dict.fromkeys(asked) if scope in client.scopes]
        dropped = len(granted) < len(set(asked))
        if not granted or (dropped and self.switches.unapproved_scope == "refused"):
            return token_error(400, "invalid_scope", "A scope is missing, unknown or not approved")
        lifetime = self.switches.token_lifetime
        text = self.access.issue(client, frozenset(granted), now, lifetime)
        return answer(
            {
                "scope": " ".join(granted),
                "token_type": "Bearer",
                "expires_in": int(lifetime),
                "access_token": text,
            }
        )

    def _call(self, request: Request, contract: str, path: str, now: datetime) -> Response:
        operation, scope, arguments = _find_operation(request.method, path)
        self.log.count(operation)
        token = self.access.find(request.headers.get("authorization", ""), now)
        if token is None:
            raise Problem(401, "アクセストークンが無効です")
        if contract != self.contract:
            raise Problem(self.switches.wrong_contract_status, "契約IDが正しくありません")
        if not self._admit(token.client_id, request, now):
            return self.throttled(request, now)
        if scope not in token.scopes or scope not in self.access.clients[token.client_id].scopes:
            raise Problem(403, "スコープが許可されていません")
        return self._run(operation, arguments, request, token, now)

    def _run(
        self, operation: str, arguments: tuple[str, ...], request: Request, token: Token, now: datetime
    ) -> Response:
        match operation:
            case "stores.list":
                return reads.list_stores(self, request, now)
            case "products.list":
                return reads.list_products(self, request, now)
            case "products.get":
                return reads.get_product(self, request, now, arguments[0])
            case "stock.list":
                return reads.list_stock(self, request, now)
            case "stock.changes":
                return reads.list_changes(self, request, now, arguments[0], arguments[1])
            case "stock.set":
                return writes.set_stock(self, request, now, arguments[0], token.client_id)
            case "stock.add_bulk":
                return bulk.add_bulk(self, self.desk, request, now, token.client_id)
            case _:
                return writes.add_stock(self, request, now, arguments[0], token.client_id)

    def _admit(self, client_id: str, request: Request, now: datetime) -> bool:
        """Whether the app may make one more request in this second; if not, that is a violation."""
        read = request.method == "GET"
        if self.access.admit(client_id, now, read=read, switches=self.switches):
            return True
        limit = self.switches.reads_per_second if read else self.switches.writes_per_second
        kind = "read" if read else "write"
        self.violate(f"rate.{kind}", f"{client_id}: more than {limit} {kind} requests in a second", now)
        return False


def _find_operation(method: str, path: str) -> tuple[str, str, tuple[str, ...]]:
    """Operation, scope and path arguments of a call. Raises Problem (404, 405)."""
    known = False
    for name, allowed, form, scope in _OPERATIONS:
        if found := form.fullmatch(path):
            if method == allowed:
                return name, scope, found.groups()
            known = True
    if known:
        raise Problem(405, "このメソッドは利用できません")
    raise Problem(404, UNKNOWN_ID)


def _basic(authorization: str) -> tuple[str, str]:
    """Name and secret of an `Authorization: Basic …` header; both empty where it is none."""
    kind, _, text = authorization.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
