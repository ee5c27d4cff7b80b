"""The port's `Client` for one Shopify shop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import BrokenKind, Bug, RetryLater, Unreadable
from inventory_sync.systems.port import (
    Capabilities,
    CataloguePage,
    CatalogueRefresh,
    CellRef,
    ClientContext,
    HistoryRow,
    LevelPage,
    LevelReading,
    OpOutcome,
    PartnerLocation,
    PlannedOp,
    PreparedRequest,
    Split,
    SubscriptionReport,
    Verified,
)
from inventory_sync.systems.shopify import (
    bulk,
    capabilities,
    classify,
    credentials,
    cursors,
    documents,
    levels,
    outcomes,
    protocol,
    refresh,
    scopes,
    subscriptions,
    versions,
)
from inventory_sync.systems.shopify.door import Door, Errand, understand
from inventory_sync.systems.shopify.points import PointBudget
from inventory_sync.systems.shopify.problems import say
from inventory_sync.systems.shopify.settings import ShopifySettings
from inventory_sync.systems.shopify.shapes import obj, objects

WRITE_SLOT_RETRY = 0.1  # seconds


class ShopifyClient:
    """Stateless between calls except for its token, its budget, and a gap in notices it still has to report."""

    def __init__(self, settings: ShopifySettings, context: ClientContext) -> None:
        self._settings = settings
        self._context = context
        self._capabilities = capabilities.for_settings(settings)
        self._door = Door(settings, context, self._capabilities.request_timeout.total_seconds())
        self._bulk = bulk.BulkLists(settings, context)
        self._writes_under_way = 0
        self._gap_to_report = False

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def budget(self) -> PointBudget:
        return self._door.budget

    async def verify(self) -> Verified:
        """Prove the credentials with a fresh token, the shop they belong to, and the scopes granted."""
        await self._door.credentials.renew(refused=None)
        answer = await self._door.ask(documents.SHOP, {})
        shop = understand(documents.SHOP, lambda: protocol.read_shop(answer.data))
        if shop.domain.lower() != self._settings.shop:
            raise classify.broken("IS-SHP-020", BrokenKind.IDENTITY, f"{shop.domain}, not {self._settings.shop}")
        credentials.refuse_missing_scopes(shop.scopes)
        now = self._context.ambient.now()
        found = versions.warnings(self._settings.api_version, answer.served_version, answer.deprecated, now)
        excess = scopes.excess(shop.scopes)
        if excess:
            found += (f"the app was granted more than it needs: {', '.join(excess)}",)
        return Verified(shop.id, shop.name, shop.scopes, warnings=found)

    async def locations(self) -> Sequence[PartnerLocation]:
        errand = Errand(self._door)
        found: list[PartnerLocation] = []
        after: str | None = None
        while True:
            variables = {"first": documents.PAGE, "after": after}
            page, after = await errand.ask(documents.LOCATIONS, variables, protocol.read_locations)
            found += page
            if after is None:
                return found

    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        """A page of variants with their levels; of a big shop, rows of the file that Shopify makes of them."""
        place, wait = await self._place(bulk.CATALOGUE, cursor)
        if isinstance(place, cursors.BulkCursor):
            if not wait:
                rows, behind, wait = await self._bulk.page(Errand(self._door), bulk.CATALOGUE, place)
                found = {each.key: each for each in reversed(rows)}  # of several variants of an item, the first
                return CataloguePage(tuple(found.values()), cursors.write(behind), wait=wait)
            return CataloguePage((), cursors.write(place), wait=wait)
        items, hints, numbers, after = await Errand(self._door).ask(
            documents.VARIANTS, levels.list_variables(place), protocol.read_variants
        )
        return CataloguePage(tuple(items), cursors.write(place.behind(numbers, after)), tuple(hints))

    async def refresh(self, keys: Sequence[str]) -> CatalogueRefresh:
        return await refresh.refresh(Errand(self._door), keys)

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        """Read cells by their items' ids, which needs no `changed_since`."""
        return await levels.read_cells(Errand(self._door), cells)

    async def changed_levels(self, since: datetime, until: datetime, cursor: str | None) -> LevelPage:
        """One page of levels changed since then. The first call only lists the locations to ask.

        There is no upper bound in the filter: a level that changes again while the pages are read would drop out of it.
        """
        if cursor is None:
            keys = tuple(each.key for each in await self.locations() if each.mappable)
            return LevelPage((), cursors.write(cursors.ChangesCursor(keys) if keys else None))
        found, place = await levels.changed_page(Errand(self._door), cursors.read_changes(cursor), since)
        return LevelPage(tuple(found), cursors.write(place))

    async def _place(
        self, what: bulk.BulkList[Any], cursor: str | None
    ) -> tuple[cursors.ListCursor | cursors.BulkCursor, float]:
        """Where a long list goes on, and seconds to wait after an operation was started for it."""
        place = cursors.read_place(cursor)
        if place is not None:
            return place, 0.0
        started = await self._bulk.begin(Errand(self._door), what)
        return (cursors.ListCursor(), 0.0) if started is None else (started, bulk.ASK_AGAIN)

    async def walk_levels(self, cursor: str | None) -> LevelPage:
        """A page of all levels; of a big shop, rows of the file that Shopify makes of them."""
        begun, wait = await self._place(bulk.LEVELS, cursor)
        if isinstance(begun, cursors.BulkCursor):
            if not wait:
                rows, behind, wait = await self._bulk.page(Errand(self._door), bulk.LEVELS, begun)
                return LevelPage(tuple(rows), cursors.write(behind), wait)
            return LevelPage((), cursors.write(begun), wait)
        found, place = await levels.walk_page(Errand(self._door), begun)
        return LevelPage(tuple(found), cursors.write(place))

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        return protocol.compose_adjustment(ops, key, self._context.installation, self._settings.api_version)

    def compose_activation(self, cell: CellRef, key: str) -> PreparedRequest:
        return protocol.compose_activation(cell, key, self._settings.api_version)

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
        """Send a stored adjustment or activation to the byte, and say what became of every op."""
        document = protocol.prepared_document(prepared)
        async with self._write_slot():
            answer = await self._door.exchange(document, prepared.body, prepared.path)
        outcome = outcomes.of_adjustment if document is documents.ADJUST else outcomes.of_activation
        return understand(document, lambda: outcome(answer.data, ops))

    @asynccontextmanager
    async def _write_slot(self) -> AsyncIterator[None]:
        """Refuse rather than queue: what waits here would leave later than its lease was checked for."""
        if self._writes_under_way >= self._capabilities.concurrent_writes:
            raise RetryLater(say("IS-SHP-005"), after=WRITE_SLOT_RETRY, executed=False, code="IS-SHP-005")
        self._writes_under_way += 1
        try:
            yield
        finally:
            self._writes_under_way -= 1

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        raise Unreadable(say("IS-SHP-063"), code="IS-SHP-063")

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport:
        """Bring our subscriptions to one per topic at `url`.

        A gap that was seen is reported by the next call that succeeds, even if this one fails midway.
        """
        errand = Errand(self._door)
        plan = subscriptions.plan(await self._subscriptions(errand), url, self._context.installation)
        self._gap_to_report |= bool(plan.create)
        for each in plan.remove:
            # A deletion that fails shows in the next list.
            await errand.ask(documents.WEBHOOK_DELETE, {"id": each.id}, lambda data: None)
        for topic in plan.create:
            await self._subscribe(errand, topic, url)
        gap, self._gap_to_report = self._gap_to_report, False
        present = tuple(each.topic for each in plan.keep)
        return SubscriptionReport(present, plan.create, tuple(each.topic for each in plan.remove), gap)

    async def _subscriptions(self, errand: Errand) -> list[subscriptions.Subscription]:
        found: list[subscriptions.Subscription] = []
        after: str | None = None
        while True:
            variables = {"first": documents.WEBHOOK_PAGE, "after": after}
            page, after = await errand.ask(documents.WEBHOOK_LIST, variables, subscriptions.read_page)
            found += page
            if after is None:
                return found

    async def _subscribe(self, errand: Errand, topic: str, url: str) -> None:
        variables = subscriptions.variables(self._context.installation, topic, url)
        words = await errand.ask(documents.WEBHOOK_CREATE, variables, _subscription_errors)
        if words and subscriptions.ALREADY_TAKEN not in words:
            raise Bug(say("IS-SHP-035", f"{topic}: {words}"), code="IS-SHP-035")


def _subscription_errors(data: Mapping[str, Any]) -> str:
    payload = obj(data.get("webhookSubscriptionCreate"))
    return classify.user_messages(objects(payload.get("userErrors")))
