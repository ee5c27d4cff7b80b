"""Bulk operations: queries that the shop carries out by itself, into a file of JSON lines that lies elsewhere.

https://shopify.dev/docs/api/usage/bulk-operations/queries. One line is one object of a connection; a line of a nested
connection names the object above it in `__parentId`. The lines are written as things are when the operation ends.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.shopify.core import Core, Run
from inventory_sync.sandbox.shopify.documents import Documents, Operation
from inventory_sync.sandbox.shopify.executor import execute
from inventory_sync.sandbox.shopify.plan import BoundSelection, SelectionPlan, Shape, bind
from inventory_sync.sandbox.shopify.search import EVERYTHING
from inventory_sync.sandbox.shopify.state import gid, utc_text
from inventory_sync.sandbox.shopify.texts import BULK_RULES, RequestFault
from inventory_sync.sandbox.shopify.webhooks import Occasion

FILES = "/bulk-files/"
MOST_CONNECTIONS = 5
DEEPEST = 2
ALIVE = ("CREATED", "RUNNING", "CANCELING")


@dataclass(slots=True)
class BulkOperation:
    """One operation. `secret` is the part of its file's address that nobody guesses."""

    number: int
    query: str
    operation: Operation
    grouped: bool
    version: str
    created_at: datetime
    ends_at: datetime
    secret: str
    status: str = "CREATED"
    completed_at: datetime | None = None
    error_code: str | None = None
    objects: int = 0
    roots: int = 0
    file: bytes = b""
    size: int = 0
    typename = "BulkOperation"

    @property
    def id(self) -> str:
        return gid("BulkOperation", self.number)


@dataclass(slots=True)
class BulkDesk:
    """All bulk operations of the app. `address` is where files are served, as the caller reached the shop."""

    core: Core
    address: str = ""
    operations: dict[int, BulkOperation] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)  # error codes of the next operations to end
    cuts: int = 0  # of so many of the next downloads only half arrives
    _documents: Documents = field(default_factory=Documents)

    # -- calls ---

    def start(self, query: str, grouped: bool, run: Run) -> tuple[BulkOperation | None, str, str]:
        """The operation, or the code and text of the user error that refuses it."""
        switches = self.core.switches
        alive = [each for each in self.operations.values() if each.status in ALIVE]
        if len(alive) >= switches.bulk_queries_at_once:
            ids = ", ".join(each.id for each in alive)
            message = f"A bulk query operation for this app and shop is already in progress: {ids}"
            return None, "OPERATION_IN_PROGRESS", message
        try:
            operation = self._documents.operation(query, None)
        except RequestFault as fault:
            return None, "INVALID", str(fault.errors[0].get("message", ""))
        wrong = _objection(operation)
        if wrong:
            return None, "INVALID", BULK_RULES[wrong]
        number = run.shop.next_number("BulkOperation")
        kept = query if switches.bulk_comments_kept else _without_comments(query)
        secret = hashlib.sha256(f"{run.shop.domain}:{number}".encode()).hexdigest()[:32]
        ends_at = run.now + timedelta(seconds=switches.bulk_seconds)
        made = BulkOperation(number, kept, operation, grouped, run.version, run.now, ends_at, secret)
        self.operations[number] = made
        return made, "", ""

    def cancel(self, operation: BulkOperation, now: datetime) -> None:
        """Cancelled at once while it is only created, else soon."""
        if operation.status == "CREATED":
            self._end(operation, "CANCELED", now)
        elif operation.status == "RUNNING":
            operation.status = "CANCELING"

    def url_of(self, operation: BulkOperation, now: datetime, *, partial: bool) -> str | None:
        """The address of the file, or of what there is of it; None where there is none, or not any more."""
        fits = operation.status == ("FAILED" if partial else "COMPLETED")
        if not fits or not operation.file or self._expired(operation, now):
            return None
        return f"{self.address}{FILES}{operation.number}-{operation.secret}.jsonl?signature={operation.secret[:8]}"

    # -- time ---

    def settle(self, now: datetime) -> None:
        """Bring every operation to where it is by now."""
        for operation in self.operations.values():
            if operation.status == "CANCELING":
                self._end(operation, "CANCELED", now)
            if operation.status in ("CREATED", "RUNNING"):
                if operation.ends_at <= now:
                    self._carry_out(operation, now)
                elif operation.created_at < now:
                    operation.status = "RUNNING"
            if operation.status == "COMPLETED" and self._expired(operation, now):
                operation.status = "EXPIRED"

    def next_due(self) -> datetime | None:
        return min((each.ends_at for each in self.operations.values() if each.status in ALIVE), default=None)

    def _expired(self, operation: BulkOperation, now: datetime) -> bool:
        life = timedelta(seconds=self.core.switches.bulk_file_life)
        return operation.completed_at is not None and operation.completed_at + life <= now

    def _end(self, operation: BulkOperation, status: str, now: datetime) -> None:
        operation.status, operation.completed_at = status, now
        payload = {
            "admin_graphql_api_id": operation.id,
            "completed_at": utc_text(now),
            "created_at": utc_text(operation.created_at),
            "error_code": operation.error_code.lower() if operation.error_code else None,
            "status": status.lower(),
            "type": "query",
        }
        occasion = Occasion(now, "client", "bulk", operation.id, self.core.webhooks.new_event_id())
        self.core.webhooks.publish("BULK_OPERATIONS_FINISH", lambda: payload, occasion)

    def _carry_out(self, operation: BulkOperation, now: datetime) -> None:
        bound = bind(operation.operation.plan, {})
        _ask_for_everything(bound)
        data, errors = execute(bound, Run(self.core, now, operation.version, None))
        lines = list(_lines(bound, data or {}, None))
        failure = self.failures.pop(0) if self.failures else None
        if errors and not failure:
            denied = errors[0].get("extensions", {}).get("code") == "ACCESS_DENIED"
            failure = "ACCESS_DENIED" if denied else "INTERNAL_SERVER_ERROR"
        if failure:
            lines = lines[: len(lines) // 2]
        elif not operation.grouped and self.core.switches.bulk_lines_shuffled:
            lines.sort(key=lambda line: hashlib.sha256(line[1]).digest())
        operation.objects, operation.roots = len(lines), sum(root for root, _ in lines)
        operation.file = b"".join(line + b"\n" for _, line in lines)
        operation.size, operation.error_code = len(operation.file), failure
        self._end(operation, "FAILED" if failure else "COMPLETED", now)

    # -- files ---

    def serve(self, request: Request, now: datetime) -> Response:
        """A file, by its signed address alone."""
        if "x-shopify-access-token" in request.headers or "authorization" in request.headers:
            self.core.violate(now, "token_at_storage", "an access token was sent to the storage host")
        name = request.path.removeprefix(FILES).removesuffix(".jsonl")
        number, _, secret = name.partition("-")
        operation = self.operations.get(int(number)) if number.isdigit() else None
        known = operation is not None and operation.secret == secret and request.query == f"signature={secret[:8]}"
        if operation is None or not known or request.method != "GET" or self._expired(operation, now):
            return Response(403, {"content-type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        self.core.log.count("bulk_file")
        body, headers = operation.file, {"content-type": "application/jsonl"}
        if self.cuts:
            self.cuts -= 1
            body = body[: len(body) // 2]
        if self.core.switches.bulk_files_gzipped:
            body, headers = gzip.compress(body, mtime=0), headers | {"content-encoding": "gzip"}
        return Response(200, headers, body)


def _without_comments(query: str) -> str:
    return "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("#"))


def _objection(operation: Operation) -> str:
    """Which rule of bulk queries a query breaks, or nothing."""
    if operation.mutation:
        return "query_only"
    fields = next(iter(operation.plan.by_type.values()), ())
    if any(each.name in ("node", "nodes") for each in fields):
        return "no_node"
    count, wrong = _weigh(operation.plan, 0, in_list=False)
    if wrong:
        return wrong
    if count == 0:
        return "no_connection"
    return "too_many" if count > MOST_CONNECTIONS else ""


def _weigh(plan: SelectionPlan, depth: int, *, in_list: bool) -> tuple[int, str]:
    """How many connections a selection holds, and the first rule broken in it."""
    count = 0
    for fields in plan.by_type.values():
        for each in fields:
            if each.sub is None:
                continue
            connection = each.shape is Shape.CONNECTION
            if connection:
                inner = next(iter(each.sub.by_type.values()), ())
                wrong = _wrong_here(inner, depth, in_list=in_list)
                if wrong:
                    return count, wrong
            is_list = each.shape is Shape.LIST and each.name != "edges"
            more, wrong = _weigh(each.sub, depth + connection, in_list=in_list or is_list)
            count += more + connection
            if wrong:
                return count, wrong
    return count, ""


def _wrong_here(fields: Any, depth: int, *, in_list: bool) -> str:
    if in_list:
        return "in_list"
    if depth >= DEEPEST:
        return "too_deep"
    if any(each.name == "nodes" for each in fields):
        return "nodes"
    node = next((inner for each in fields if each.name == "edges" and each.sub for inner in _fields(each.sub)), None)
    if node is None or node.sub is None:
        return "edges"
    nested = any(each.shape is Shape.CONNECTION for each in _deep(node.sub))
    named = any(each.name == "id" and each.key == "id" for each in _fields(node.sub))
    return "parent_id" if nested and not named else ""


def _fields(plan: SelectionPlan) -> Iterator[Any]:
    for fields in plan.by_type.values():
        yield from fields


def _deep(plan: SelectionPlan) -> Iterator[Any]:
    for each in _fields(plan):
        yield each
        if each.sub is not None and each.shape is not Shape.CONNECTION:
            yield from _deep(each.sub)


def _ask_for_everything(bound: BoundSelection) -> None:
    """A bulk query pages nothing: `first` is not needed, and not looked at."""
    for fields in bound.by_type.values():
        for each in fields:
            if each.shape is Shape.CONNECTION:
                each.arguments[EVERYTHING] = True
            if each.sub is not None:
                _ask_for_everything(each.sub)


def _lines(selection: BoundSelection, data: Mapping[str, Any], parent: str | None) -> Iterator[tuple[bool, bytes]]:
    """The lines of every connection in an answer, each object before those below it; whether it stands at the root."""
    for each in selection.all_fields():
        if each.sub is None or data.get(each.key) is None:
            continue
        if each.shape is not Shape.CONNECTION:
            if each.shape is Shape.OBJECT:
                yield from _lines(each.sub, data[each.key], parent)
            continue
        edges = next(inner for inner in each.sub.all_fields() if inner.name == "edges")
        node = next(inner for inner in (edges.sub.all_fields() if edges.sub else ()) if inner.name == "node")
        for edge in data[each.key][edges.key]:
            found = edge[node.key]
            line = _without_connections(node.sub, found)
            if parent is not None:
                line["__parentId"] = parent
            yield parent is None, orjson.dumps(line)
            if node.sub is not None:
                yield from _lines(node.sub, found, found.get("id"))


def _without_connections(selection: BoundSelection | None, found: Mapping[str, Any]) -> dict[str, Any]:
    line = dict(found)
    for each in selection.all_fields() if selection else ():
        if each.shape is Shape.CONNECTION:
            line.pop(each.key, None)
        elif each.shape is Shape.OBJECT and line.get(each.key) is not None:
            line[each.key] = _without_connections(each.sub, line[each.key])
    return line
