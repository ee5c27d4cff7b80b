"""Long lists of big shops: Shopify makes them as a file, we ask until it is ready, and take the file in by pages.

A bulk operation runs outside the bucket of points (shopify.dev/docs/api/usage/bulk-operations/queries). Its id is in
the cursor that the engine keeps, so a process that starts again asks for the same operation. Whatever goes wrong with
it, refused, failed, expired or cut off, ends in the walk by pages: a file that is not whole is no list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from inventory_sync.systems.http import HttpRequest, NoAnswer, NotSent, download
from inventory_sync.systems.port import CatalogueItem, ClientContext, LevelReading
from inventory_sync.systems.shopify import documents, protocol
from inventory_sync.systems.shopify.bulk_file import BulkFile, CutOff
from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from inventory_sync.systems.shopify.cursors import BulkCursor, ListCursor
from inventory_sync.systems.shopify.door import Errand
from inventory_sync.systems.shopify.settings import ShopifySettings
from inventory_sync.systems.shopify.shapes import obj, objects, text, whole

T = TypeVar("T")

FROM_VARIANTS = 5_000
"""From so many variants on a list is made by a bulk operation: twenty pages cost a Standard shop some 40 seconds of its
bucket. The setting `bulk_from_variants` replaces it."""

ASK_AGAIN = 5.0  # seconds; where notices arrive, bulk_operations/finish wakes us sooner
RETRY_DOWNLOAD = 10.0  # seconds
DOWNLOADS = 4  # attempts at one file
LONGEST = 2 * 3600.0  # seconds; Shopify itself gives an operation ten days
DOWNLOAD_TIMEOUT = 1800.0  # seconds
STORAGE_HOSTS = ("storage.googleapis.com",)
"""Where result files lie (observed; no page promises it). From any other address, a private one above all, nothing is
fetched: the list is then walked by pages."""

MARK = "# inventory-sync {installation} {name}\n"
"""The first line of what we ask for, by which an operation is known to be ours. A query may hold comments; that Shopify
shows them again in `query` is not documented, and without it an orphaned operation only runs to its end."""

_WAITING = frozenset({"CREATED", "RUNNING", "CANCELING"})
_ALIVE = frozenset({"CREATED", "RUNNING"})


@dataclass(frozen=True, slots=True)
class BulkList(Generic[T]):
    """A list that can be made as a file. `read`: what a line of it stands for; None for one that stands for nothing."""

    name: str
    query: str
    read: Callable[[Mapping[str, Any]], T | None]


CATALOGUE: BulkList[CatalogueItem] = BulkList("catalogue", documents.BULK_VARIANTS, protocol.read_bulk_variant)
LEVELS: BulkList[LevelReading] = BulkList("levels", documents.BULK_LEVELS, protocol.read_bulk_level)

Place = BulkCursor | ListCursor | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A bulk operation as Shopify shows it."""

    id: str
    status: str
    url: str | None
    roots: int
    size: int | None


class BulkLists:
    """The bulk operations of one connection. Keeps the files it is reading; one that it has not is fetched again."""

    def __init__(self, settings: ShopifySettings, context: ClientContext) -> None:
        self._settings = settings
        self._context = context
        self._files: dict[str, BulkFile] = {}

    async def begin(self, errand: Errand, what: BulkList[T]) -> BulkCursor | None:
        """Start the operation that makes a list; None where the shop is small, or Shopify takes no further operation.

        An operation of ours for the same list that nobody waits for any more is cancelled first.
        """
        least = self._settings.bulk_from_variants or FROM_VARIANTS
        if await errand.ask(documents.COUNT_VARIANTS, {"limit": least}, _read_count) < least:
            return None
        mark = MARK.format(installation=self._context.installation, name=what.name)
        for orphan in await errand.ask(documents.BULK_LIST, {"first": documents.BULK_LISTED}, _orphans(mark)):
            await errand.ask(documents.BULK_CANCEL, {"id": orphan}, lambda data: None)
        started = await errand.ask(documents.BULK_RUN, {"query": mark + what.query}, _read_started)
        return None if started is None else BulkCursor(started, self._now())

    async def page(self, errand: Errand, what: BulkList[T], place: BulkCursor) -> tuple[Sequence[T], Place, float]:
        """The next rows of a list, the place behind them, and seconds to wait where it is not ready.

        None behind the last row. A ListCursor: the file is of no use, and the list is walked by pages from its start.
        """
        file = self._files.get(what.name)
        if file is None or file.operation != place.operation:
            operation = await errand.ask(documents.BULK_STATUS, {"id": place.operation}, _read_operation)
            if operation is not None and operation.status in _WAITING:
                return await self._wait(errand, place)
            if operation is None or operation.status != "COMPLETED":
                return [], ListCursor(), 0.0
            if operation.url is None:
                return [], None if operation.roots == 0 else ListCursor(), 0.0
            if not self._may_fetch(operation.url):
                return [], ListCursor(), 0.0
            fetched = await self._fetch(operation, operation.url, what, place)
            if not isinstance(fetched, BulkFile):
                return [], fetched, RETRY_DOWNLOAD if isinstance(fetched, BulkCursor) else 0.0
            file = self._files[what.name] = fetched
        rows, offset = file.rows(place.offset, what.read)
        if offset is None:
            self._files.pop(what.name).close()
            return rows, None, 0.0
        return rows, replace(place, offset=offset), 0.0

    async def _wait(self, errand: Errand, place: BulkCursor) -> tuple[Sequence[Any], Place, float]:
        if self._now() - place.since <= LONGEST:
            return [], place, ASK_AGAIN
        await errand.ask(documents.BULK_CANCEL, {"id": place.operation}, lambda data: None)
        return [], ListCursor(), 0.0

    async def _fetch(self, operation: Operation, url: str, what: BulkList[T], place: BulkCursor) -> BulkFile | Place:
        """The whole file, checked line by line before any of it counts; else where to go on."""
        again = replace(place, tries=place.tries + 1) if place.tries + 1 < DOWNLOADS else ListCursor()
        file = BulkFile(operation.id, what.read)
        whole_file = False
        try:
            # The address carries its own signature: the access token is of no business there.
            answer = await download(
                self._context.transport, HttpRequest("GET", url, timeout=DOWNLOAD_TIMEOUT), file.take
            )
            if answer.status == 429 or answer.status >= 500:
                return again
            if answer.status != 200:
                return ListCursor()
            encoded = answer.headers.get("content-encoding", "identity") != "identity"
            file.check(operation.roots, None if encoded else operation.size)
            whole_file = True
        except (NotSent, NoAnswer, CutOff):
            return again
        except UnexpectedAnswer:
            return ListCursor()
        finally:
            if not whole_file:
                file.close()
        return file

    def _may_fetch(self, url: str) -> bool:
        """Whether an address is one of Shopify's storage, or of the very server that a sandbox's settings name."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        own = urlsplit(self._settings.url)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        known = any(host == each or host.endswith("." + each) for each in STORAGE_HOSTS)
        return parts.scheme == "https" and known and "@" not in parts.netloc

    def _now(self) -> float:
        return self._context.ambient.now().timestamp()


def _read_count(data: Mapping[str, Any]) -> int:
    return whole(obj(data.get("productVariantsCount")).get("count"))


def _orphans(mark: str) -> Callable[[Mapping[str, Any]], list[str]]:
    def read(data: Mapping[str, Any]) -> list[str]:
        nodes = objects(obj(data.get("bulkOperations")).get("nodes"))
        return [
            text(each.get("id"))
            for each in nodes
            if each.get("status") in _ALIVE and mark in str(each.get("query") or "") + "\n"
        ]

    return read


def _read_started(data: Mapping[str, Any]) -> str | None:
    """The id of the operation that was started; None where it was refused, for whatever reason."""
    payload = obj(data.get("bulkOperationRunQuery"))
    operation = payload.get("bulkOperation")
    return None if operation is None or payload.get("userErrors") else text(obj(operation).get("id"))


def _read_operation(data: Mapping[str, Any]) -> Operation | None:
    found = data.get("bulkOperation")
    if found is None:
        return None
    node = obj(found)
    size = node.get("fileSize")
    url = node.get("url")
    return Operation(
        text(node.get("id")),
        text(node.get("status")),
        None if url is None else text(url),
        whole(node.get("rootObjectCount")),
        None if size is None else whole(size),
    )
