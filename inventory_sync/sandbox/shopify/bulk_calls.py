"""The API of bulk operations: start one, look at it, list them, cancel one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from inventory_sync.sandbox.shopify.core import Run
from inventory_sync.sandbox.shopify.search import Page, page
from inventory_sync.sandbox.shopify.state import parse_gid, utc_text
from inventory_sync.sandbox.shopify.texts import user_error

if TYPE_CHECKING:
    from inventory_sync.sandbox.shopify.bulk import BulkOperation

Arguments = Mapping[str, Any]


def run_query(source: Any, arguments: Arguments, run: Run) -> dict[str, Any]:
    """bulkOperationRunQuery."""
    made, code, message = run.core.desk.start(arguments["query"], bool(arguments.get("groupObjects")), run)
    field = ("query",) if code == "INVALID" else None
    return {"bulkOperation": made, "userErrors": [] if made else [user_error(field, message, code)]}


def cancel(source: Any, arguments: Arguments, run: Run) -> dict[str, Any]:
    """bulkOperationCancel."""
    found = one(source, arguments, run)
    if found is None:
        return {"bulkOperation": None, "userErrors": [user_error(("id",), "Bulk operation does not exist")]}
    if found.status not in ("CREATED", "RUNNING", "CANCELING"):
        message = f"A bulk operation cannot be canceled when it is {found.status.lower()}"
        return {"bulkOperation": found, "userErrors": [user_error(None, message)]}
    run.core.desk.cancel(found, run.now)
    return {"bulkOperation": found, "userErrors": []}


def one(source: Any, arguments: Arguments, run: Run) -> BulkOperation | None:
    """bulkOperation(id:)."""
    found = parse_gid(arguments["id"], "BulkOperation")
    return run.core.desk.operations.get(found.number) if found else None


def listed(source: Any, arguments: Arguments, run: Run) -> Page[BulkOperation]:
    """bulkOperations, oldest first."""
    return page(list(run.core.desk.operations.values()), arguments, lambda each: each.number)


def current(source: Any, arguments: Arguments, run: Run) -> BulkOperation | None:
    """currentBulkOperation: the newest."""
    return next(reversed(run.core.desk.operations.values()), None)


def _url(partial: bool) -> Callable[[Any, Arguments, Run], str | None]:
    return lambda each, arguments, run: run.core.desk.url_of(each, run.now, partial=partial)


def _plain(read: Callable[[Any], Any]) -> Callable[[Any, Arguments, Run], Any]:
    return lambda each, arguments, run: read(each)


FIELDS: dict[str, Callable[[Any, Arguments, Run], Any]] = {
    "id": _plain(lambda each: each.id),
    "status": _plain(lambda each: each.status),
    "type": _plain(lambda each: "QUERY"),
    "query": _plain(lambda each: each.query),
    "errorCode": _plain(lambda each: each.error_code),
    # Numbers beyond 53 bits are possible, so Shopify writes these as text.
    "objectCount": _plain(lambda each: str(each.objects)),
    "rootObjectCount": _plain(lambda each: str(each.roots)),
    "fileSize": _plain(lambda each: str(each.size) if each.file else None),
    "createdAt": _plain(lambda each: utc_text(each.created_at)),
    "completedAt": _plain(lambda each: utc_text(each.completed_at) if each.completed_at else None),
    "url": _url(False),
    "partialDataUrl": _url(True),
}
