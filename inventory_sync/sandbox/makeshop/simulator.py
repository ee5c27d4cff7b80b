"""The simulated MakeShop: the GraphQL API of one shop behind its one address, in one state machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLResolveInfo, execute_sync

from inventory_sync.sandbox.kernel import Delivery, Request, Response
from inventory_sync.sandbox.makeshop import reads, writes
from inventory_sync.sandbox.makeshop.access import Token
from inventory_sync.sandbox.makeshop.documents import Documents, Operation, forbidden
from inventory_sync.sandbox.makeshop.office import MakeShopOffice
from inventory_sync.sandbox.makeshop.pace import MakeShopPace
from inventory_sync.sandbox.makeshop.replies import (
    COMPLEXITY,
    Json,
    Refused,
    answer,
    coded,
    error,
    not_found,
    refusal,
    too_many,
)
from inventory_sync.sandbox.makeshop.switches import BODY_LIMIT, PATH
from inventory_sync.sandbox.makeshop.trade import MakeShopTrade
from inventory_sync.sandbox.makeshop.world import Deed, Hook, Occasion

_READS: dict[str, Callable[[Any, Json, datetime], Json]] = {
    "getShop": reads.get_shop,
    "searchProduct": reads.search_product,
    "searchProductQuantity": reads.search_product_quantity,
    "searchOrder": reads.search_order,
}
_WRITES: dict[str, Callable[[Any, Json, Occasion], Json]] = {
    "updateProductQuantity": writes.update_product_quantity,
    "updateVariationQuantity": writes.update_variation_quantity,
    "cancelOrder": writes.cancel_order,
}


@dataclass(slots=True)
class _Call:
    """One request on its way: who asks, when, and which operations were answered."""

    simulator: MakeShopSimulator
    token: Token
    now: datetime
    answered: list[str]


class MakeShopSimulator(MakeShopTrade, MakeShopOffice, MakeShopPace):
    """A whole shop with its API at `/v1/graphql`.

    Implements `inventory_sync.sandbox.kernel.Simulator`. `log.requests` counts by operation (root fields, refused ones
    as well) and by what befell requests that came to none: unauthorized, invalid, introspection, refused, throttled.
    `log.violations` has the rules `overlap`, `rate` and `body_size`.
    """

    _documents = Documents()

    def on_next(self, operation: str, deed: Deed, *, before: bool = False) -> None:
        """Let `deed` happen (it gets the time) at the very instant after the next such operation was answered.

        `before`: at the instant before it is carried out. An order placed after a stock read, or before a stock write,
        falls exactly between the two.
        """
        self.hooks.append(Hook(operation, deed, before))

    # -- the simulator protocol ---

    def handle(self, request: Request, now: datetime) -> Response:
        """Carry out one request and answer it."""
        now = self.instant(now)
        if not self.traffic.driven:
            self._count_arrival(now)
        over_rate = self.traffic.take_verdict()
        if request.path != PATH:
            return not_found()
        if over_rate and self.switches.over_rate == "refused":
            return self.throttled(request, now)
        try:
            return self._call(request, now)
        except Refused as refused:
            return refusal(refused.status, refused.errors)

    def throttled(self, request: Request, now: datetime) -> Response:
        """The answer to a request over the rate."""
        self.log.count("throttled")
        return too_many(self.switches.retry_after)

    def advance(self, now: datetime) -> list[Delivery]:
        """Webhooks due by now."""
        return self.outbox.due(now)

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """What became of a webhook; counted as `webhook.200`, `webhook.none` …"""
        self.log.count(f"webhook.{'none' if status is None else status}")
        self.outbox.answered(delivery, status, now)

    def next_due(self) -> datetime | None:
        return self.outbox.next_due()

    # -- one request ---

    def _call(self, request: Request, now: datetime) -> Response:
        if len(request.body) >= BODY_LIMIT:
            self.violate("body_size", f"{len(request.body)} bytes", now)
            self.log.count("refused")
            raise Refused(413, error("request entity too large"))
        content = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.method != "POST" or content != "application/json":
            self.log.count("refused")
            raise Refused(400, error("transport not supported"))
        token = self.access.find(request.headers, now)
        if isinstance(token, str):
            self.log.count("unauthorized")
            raise Refused(self.switches.auth_status, coded(token, self.switches.auth_code, self.switches))
        text, given, name = _envelope(request.body)
        try:
            operation = self._documents.operation(text, name, self.switches)
            variables = operation.variables(given)
        except Refused:
            self.log.count("invalid")
            raise
        most = self.switches.operations_max
        if most is not None and operation.roots > most:
            self.log.count("invalid")
            raise Refused(422, coded(f"at most {most} operations", COMPLEXITY, self.switches))
        if operation.introspects:
            self.log.count("introspection")
            raise Refused(self.switches.forbidden_status, forbidden("introspection is not allowed", self.switches))
        return self._run(operation, variables, token, now)

    def _run(self, operation: Operation, variables: Json, token: Token, now: datetime) -> Response:
        call = _Call(self, token, now, [])
        result = execute_sync(
            operation.schema,
            operation.document,
            context_value=call,
            variable_values=variables,
            operation_name=operation.name,
            field_resolver=_resolve,
        )
        for name in call.answered:
            self._fire(name, now, before=False)
        errors = [self._told(each) for each in result.errors or ()]
        denied = any(isinstance(each.original_error, PermissionError) for each in result.errors or ())
        status = self.switches.forbidden_status if denied else 200
        return answer(status, ({"errors": errors} if errors else {}) | {"data": result.data})

    def run_root(self, name: str, asked: Json, call: _Call) -> Json:
        """Carry out one operation. Raises PermissionError where it was not approved, BadInput."""
        self.log.count(name)
        if name not in call.token.scopes:
            raise PermissionError(name)
        self._fire(name, call.now, before=True)
        call.answered.append(name)
        if name in _READS:
            return _READS[name](self, asked, call.now)
        return _WRITES[name](self, asked, Occasion(call.now, "client" if call.token.own else "outside", "api"))

    def _told(self, fault: GraphQLError) -> Json:
        path = tuple(fault.path or ())
        if isinstance(fault.original_error, PermissionError):
            return forbidden("permission denied", self.switches, path)
        return error(fault.message, path=list(path))

    def _fire(self, operation: str, now: datetime, *, before: bool) -> None:
        """Let those act who waited for this operation."""
        due = [each for each in self.hooks if each.operation == operation and each.before == before]
        self.hooks = [each for each in self.hooks if each not in due]
        for hook in due:
            hook.deed(now)


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    if isinstance(source, dict):
        return source.get(info.field_name)
    call: _Call = info.context
    return call.simulator.run_root(info.field_name, arguments.get("input", {}), call)


def _envelope(body: bytes) -> tuple[str, Json, str | None]:
    """Document, variables and operation name of a body. Raises Refused (400)."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, error("json request body could not be decoded")) from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("query"), str):
        raise Refused(400, error("no operation provided"))
    variables, name = parsed.get("variables") or {}, parsed.get("operationName")
    if not isinstance(variables, dict) or not isinstance(name, str | None):
        raise Refused(400, error("json request body could not be decoded"))
    return parsed["query"], variables, name
