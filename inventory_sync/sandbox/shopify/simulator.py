"""The Shopify simulator: the Admin API over a shop, as a pure state machine.

It speaks HTTP requests and answers without a socket: the token endpoint and GraphQL under the versions it serves.
https://shopify.dev/docs/api/admin-graphql
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from inventory_sync.sandbox.kernel import Delivery, EventLog, Request, Response
from inventory_sync.sandbox.shopify import texts
from inventory_sync.sandbox.shopify.access import DEFAULT_SCOPES, Access
from inventory_sync.sandbox.shopify.bulk import FILES, BulkDesk
from inventory_sync.sandbox.shopify.core import Core, Run
from inventory_sync.sandbox.shopify.cost import Bucket, actual_cost, requested_cost
from inventory_sync.sandbox.shopify.documents import Documents, Operation
from inventory_sync.sandbox.shopify.executor import execute
from inventory_sync.sandbox.shopify.idempotency import KeyTable
from inventory_sync.sandbox.shopify.plan import BoundField, bind
from inventory_sync.sandbox.shopify.state import Shop
from inventory_sync.sandbox.shopify.stock import Stock
from inventory_sync.sandbox.shopify.switches import ShopifySwitches, ThrottleAnswer
from inventory_sync.sandbox.shopify.texts import RequestFault
from inventory_sync.sandbox.shopify.trade import Trade
from inventory_sync.sandbox.shopify.webhooks import Webhooks

TOKEN_PATH = "/admin/oauth/access_token"
_GRAPHQL = re.compile(r"/admin/api/([^/]+)/graphql\.json\Z")
_VERSION = re.compile(r"\d{4}-(01|04|07|10)\Z", re.ASCII)
_MUTATION = re.compile(rb'"query"\s*:\s*"(?:\\n|\s)*mutation\b')
#: Longest array an argument may hold; https://shopify.dev/docs/api/usage/limits.
ARRAY_LIMIT = 250
#: When the shop is made, unless a test says otherwise.
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)


class ShopStatus(StrEnum):
    """Whether the shop as a whole answers; https://shopify.dev/docs/api/usage/response-codes."""

    OPEN = "open"
    FROZEN = "frozen"  # unpaid: HTTP 402
    LOCKED = "locked"  # HTTP 423
    FORBIDDEN = "forbidden"  # HTTP 403
    INACTIVE = "inactive"  # HTTP 200 with SHOP_INACTIVE


_CLOSED = {
    ShopStatus.FROZEN: (402, "This shop's plan does not have access to this feature"),
    ShopStatus.LOCKED: (423, "This shop is unavailable"),
    ShopStatus.FORBIDDEN: (403, "This action requires merchant approval."),
}


class ShopifySimulator(Trade):
    """One shop with one app, reached under any host name but another shop's.

    `locations` are names, in order; the first is the default one. `read_lag` may draw the lag of each query in
    seconds, else the switch of that name holds. Times never run backwards.
    """

    name = "shopify"

    def __init__(
        self,
        *,
        domain: str = "demo-jp.myshopify.com",
        client_id: str = "sandbox-client",
        client_secret: str = "shpss_sandbox_secret",
        static_token: str | None = None,
        scopes: Sequence[str] = DEFAULT_SCOPES,
        locations: Sequence[str] = ("Shop location",),
        timezone: str = "Asia/Tokyo",
        switches: ShopifySwitches | None = None,
        read_lag: Callable[[], float] | None = None,
        beginning: datetime = BEGINNING,
    ) -> None:
        switches = switches or ShopifySwitches()
        self.log = EventLog()
        self.status = ShopStatus.OPEN
        self.access = Access(client_id, client_secret, static_token, tuple(scopes))
        shop = Shop(domain, 548380009, domain.partition(".")[0], ZoneInfo(timezone), switches)
        webhooks = Webhooks(shop, self.access)
        super().__init__(Core(shop, self.access, self.log, webhooks, Stock(shop, self.log, webhooks), KeyTable()))
        self.bulk = self._core.bulk = BulkDesk(self._core)
        self.bucket = Bucket(switches.bucket_size, switches.restore_rate)
        self._documents = Documents()
        self._read_lag = read_lag
        self._requests = 0
        for each in locations:
            self.add_location(each, beginning)

    # -- the simulator protocol ---

    def handle(self, request: Request, now: datetime) -> Response:
        """Carry out one request and answer it."""
        self._requests += 1
        self.bulk.settle(now)
        if request.path.startswith(FILES):
            return self.bulk.serve(request, now)
        address = request.headers.get("host", "")
        host = address.partition(":")[0]
        scheme = "https" if host.endswith(".myshopify.com") else "http"
        self.bulk.address = self._core.switches.bulk_files_at or f"{scheme}://{address}"
        if host.endswith(".myshopify.com") and host != self._core.shop.domain:
            return self._json(404, {"errors": "Not Found"})
        if request.path == TOKEN_PATH and request.method == "POST":
            return self._grant(request, now)
        match = _GRAPHQL.match(request.path)
        version = self._served_version(match.group(1)) if match else None
        if version is None or request.method != "POST":
            return self._json(404, {"errors": "Not Found"})
        return self._graphql(request, version, now)

    def throttled(self, request: Request, now: datetime) -> Response:
        """The answer to a request that is throttled without being carried out."""
        self.log.count("throttled")
        switches = self._core.switches
        if switches.throttle_answer is ThrottleAnswer.HTTP_429:
            body = {"errors": "Too many requests for this app; slow down and try again."}
            return self._json(429, body, {"retry-after": f"{switches.retry_after:.1f}"})
        return self._json(200, self._throttled_body(10, now))

    def advance(self, now: datetime) -> list[Delivery]:
        """Webhooks due by now."""
        self.bulk.settle(now)
        return self._core.webhooks.advance(now)

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """What became of a webhook."""
        self._core.webhooks.delivered(delivery, status, now)

    def next_due(self) -> datetime | None:
        due = [each for each in (self._core.webhooks.next_due(), self.bulk.next_due()) if each is not None]
        return min(due, default=None)

    # -- control ---

    @property
    def domain(self) -> str:
        return self._core.shop.domain

    @property
    def switches(self) -> ShopifySwitches:
        """How the shop behaves; may be replaced at any time (bucket sizes hold from the start)."""
        return self._core.shop.switches

    @switches.setter
    def switches(self, switches: ShopifySwitches) -> None:
        self._core.shop.switches = switches

    def fail_next_mutations(self, count: int = 1) -> None:
        """The next new idempotent mutations break off inside the shop, with nothing done; their keys stay failed."""
        self._core.failures_planned += count

    def drain(self, points: float, now: datetime) -> None:
        """Somebody else's requests under this app use up points."""
        self.bucket.take(points, now)

    def subscription_topics(self) -> list[str]:
        """Topics that are subscribed to now, oldest subscription first."""
        return [each.topic for each in self._core.webhooks.subscriptions.values()]

    def is_write(self, request: Request) -> bool:
        """Whether a request is a mutation."""
        return request.path != TOKEN_PATH and _MUTATION.search(request.body) is not None

    def report_concurrency(self, running: int, now: datetime) -> None:
        """The driver says how many mutations are under way at once."""
        if running > self._core.switches.concurrent_mutations:
            self._core.violate(now, "too_many_concurrent_mutations", f"{running} at once")

    # -- requests ---

    def _served_version(self, asked: str) -> str | None:
        """The version that answers: the asked one, or the oldest served for one that was retired."""
        versions = self._core.switches.versions
        if asked in versions:
            return asked
        return versions[0] if _VERSION.match(asked) and asked < versions[0] else None

    def _grant(self, request: Request, now: datetime) -> Response:
        self.log.count("token")
        content_type = request.headers.get("content-type", "")
        status, answer = self.access.grant(content_type, request.body, now, self._core.switches.token_life)
        return self._json(status, answer)

    def _graphql(self, request: Request, version: str, now: datetime) -> Response:
        served = {"x-shopify-api-version": version}
        token = request.headers.get("x-shopify-access-token", "")
        if not self.access.knows(token, now):
            if not self.access.installed and self.is_write(request):
                self._core.violate(now, "write_after_uninstall", "a mutation after the app was removed")
            self.log.count("unauthorized")
            return self._json(401, {"errors": texts.BAD_TOKEN}, served)
        if self.status in _CLOSED:
            status, message = _CLOSED[self.status]
            return self._json(status, {"errors": message}, served)
        if self.status is ShopStatus.INACTIVE:
            error = {"message": "Shop is inactive", "extensions": {"code": "SHOP_INACTIVE"}}
            return self._json(200, {"errors": [error]}, served)
        try:
            body = orjson.loads(request.body)
            text, variables, name = body["query"], body.get("variables") or {}, body.get("operationName")
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._json(400, {"errors": {"query": "Required parameter missing or invalid"}}, served)
        try:
            operation = self._documents.operation(text, name)
            answer = self._run(operation, operation.coerce_variables(variables), version, now)
        except RequestFault as fault:
            answer = {"errors": list(fault.errors)}
        return self._json(200, answer, served)

    def _run(self, operation: Operation, variables: Mapping[str, Any], version: str, now: datetime) -> dict[str, Any]:
        bound = bind(operation.plan, variables)
        roots = bound.all_fields()
        for field in roots:
            self.log.count(field.name)
            self._check_arrays(field, now)
        requested = requested_cost(roots, operation.mutation)
        limit = self._core.switches.single_query_limit
        if requested > limit:
            self._core.violate(now, "query_too_dear", f"{operation.name}: {requested} points")
            raise RequestFault(_too_dear(requested, limit))
        if self.bucket.level(now) < requested:
            self._core.violate(now, "throttled", f"{operation.name}: {requested} points asked")
            return self._throttled_body(requested, now)
        lag = 0.0 if operation.mutation else self._lag()
        read_at = now - timedelta(seconds=lag) if lag > 0 else None
        run = Run(self._core, now, version, read_at)
        run.variable_locations.update({spec.name: spec.location for spec in operation.variables})
        data, errors = execute(bound, run)
        actual = min(requested, actual_cost(roots, data, operation.mutation))
        self.bucket.take(actual, now)
        extensions: dict[str, Any] = {"cost": self._cost(requested, actual, now)}
        if run.searches:
            extensions["search"] = run.searches
        return ({"errors": errors} if errors else {}) | {"data": data, "extensions": extensions}

    def _lag(self) -> float:
        return self._read_lag() if self._read_lag else self._core.switches.read_lag

    def _check_arrays(self, field: BoundField, now: datetime) -> None:
        found = _oversize(field.arguments, [field.key])
        if found is None:
            return
        path, size = found
        self._core.violate(now, "input_too_large", f"{field.name}: {size} entries")
        message = texts.ARRAY_TOO_LONG.format(size=size, limit=ARRAY_LIMIT)
        extensions = {"code": "MAX_INPUT_SIZE_EXCEEDED"}
        error = {"message": message, "locations": [field.plan.location], "path": path, "extensions": extensions}
        raise RequestFault(error)

    def _throttled_body(self, requested: int, now: datetime) -> dict[str, Any]:
        extensions = {"code": "THROTTLED", "documentation": texts.RATE_LIMITS}
        error = {"message": "Throttled", "extensions": extensions}
        return {"errors": [error], "extensions": {"cost": self._cost(requested, None, now)}}

    def _cost(self, requested: int, actual: int | None, now: datetime) -> dict[str, Any]:
        status = self.bucket.status(now)
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
        request_id = hashlib.sha256(f"{self._core.shop.domain}:{self._requests}".encode()).hexdigest()[:32]
        base = {"content-type": "application/json; charset=utf-8", "x-request-id": request_id}
        return Response(status, base | dict(headers or {}), orjson.dumps(body))


def _oversize(value: Any, path: list[str]) -> tuple[list[str], int] | None:
    """The first array among the arguments that is too long, with the way to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            found = _oversize(inner, [*path, name])
            if found:
                return found
    elif isinstance(value, list) and len(value) > ARRAY_LIMIT:
        return path, len(value)
    return None


def _too_dear(cost: int, limit: int) -> dict[str, Any]:
    message = (
        f"Query cost is {cost}, which exceeds the single query max cost limit ({limit}). "
        "Ask for less in one query, or use a bulk operation."
    )
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": limit, "documentation": texts.RATE_LIMITS}
    return {"message": message, "extensions": extensions}
