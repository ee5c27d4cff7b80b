"""One shop's conversation with MakeShop: the port's `OrderClient` over the GraphQL API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Broken, Bug, PartnerError, RetryLater, Unreadable
from inventory_sync.systems.makeshop import classify, documents, orders, problems, protocol, writing
from inventory_sync.systems.makeshop.capabilities import calculation, effective_capabilities
from inventory_sync.systems.makeshop.catalogue import Products, read_products
from inventory_sync.systems.makeshop.documents import Document
from inventory_sync.systems.makeshop.door import Door, understand
from inventory_sync.systems.makeshop.keys import SHOP, item_of, product_of
from inventory_sync.systems.makeshop.pages import Page
from inventory_sync.systems.makeshop.quantities import Absent, Quantities, read_cells, read_quantities
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.makeshop.shapes import identifier, obj, words
from inventory_sync.systems.port import (
    Capabilities,
    CatalogueItem,
    CataloguePage,
    CatalogueRefresh,
    CellRef,
    ClientContext,
    HistoryRow,
    LevelPage,
    LevelReading,
    OpOutcome,
    OrderPage,
    PartnerLocation,
    PlannedOp,
    PreparedRequest,
    Split,
    SubscriptionReport,
    Verified,
)
from inventory_sync.systems.serial import ORDERS, READ, WRITE, SerialBudget

PROOF_LASTS = timedelta(minutes=5)  # a connection test that was cut short by the rate goes on within this time


@dataclass(slots=True)
class _Proof:
    """How far a connection test came: one request a second, so it takes several calls."""

    began_at: datetime
    shop: Mapping[str, Any] = field(default_factory=dict)
    done: int = 0


class MakeShopClient:
    """Implements `port.OrderClient` for one shop."""

    def __init__(self, settings: MakeShopSettings, context: ClientContext) -> None:
        self._settings = settings
        self._now = context.ambient.now
        self._capabilities = effective_capabilities(settings, context.calibration)
        self._calculation = calculation(settings, context.calibration)
        self._calibrated = bool(context.calibration)
        self._door = Door(settings, context)
        self._absent = Absent()
        self._proof: _Proof | None = None
        self._refreshed: dict[str, tuple[CatalogueItem, ...]] = {}

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def budget(self) -> SerialBudget:
        return self._door.budget

    async def verify(self) -> Verified:
        """Proves the credential, then every operation we need, one request each. A missing approval is named.

        Where the rate cuts it short it raises RetryLater, and the next call goes on behind what is proven.
        """
        now = self._now()
        if self._proof is None or now - self._proof.began_at > PROOF_LASTS:
            self._proof = _Proof(now)
        proof = self._proof
        try:
            for document, variables in protocol.probes(self._settings, proof.began_at)[proof.done :]:
                await self._probe(proof, document, variables)
                proof.done += 1
        except RetryLater:
            raise
        except PartnerError:
            self._proof = None
            raise
        self._proof = None
        return self._verified(proof.shop)

    async def _probe(self, proof: _Proof, document: Document, variables: Mapping[str, Any]) -> None:
        kind = WRITE if document.writes else READ
        try:
            answer = await self._door.exchange(kind, document, protocol.encode(document, variables))
        except (Broken, RetryLater):
            raise
        except PartnerError:
            if not document.writes:
                raise
            return  # a write without rows may be refused for having none: it got past the question of the right
        if document is documents.SHOP:
            proof.shop = understand(
                document, lambda: obj(obj(answer.data.get(documents.GET_SHOP), "getShop").get("shop"), "shop")
            )

    def _verified(self, shop: Mapping[str, Any]) -> Verified:
        identity = understand(documents.SHOP, lambda: identifier(shop.get("shopUrl"), "shopUrl"))
        warnings = []
        if not self._calibrated:
            warnings.append(f"{problems.NOT_CALIBRATED.en}. {problems.NOT_CALIBRATED.remedy_en}")
        if self._settings.webhook_secret is None:
            warnings.append(problems.NO_WEBHOOK_SECRET.en)
        return Verified(identity, words(shop.get("shopName")) or identity, warnings=tuple(warnings))

    async def locations(self) -> Sequence[PartnerLocation]:
        """The shop itself: MakeShop has one number per item and no warehouses."""
        return (PartnerLocation(SHOP, self._settings.shop_id or "MakeShop", active=True),)

    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        """A page of products as items, with the numbers it shows. It ends at an empty or a repeated page only."""
        page = Page.at(cursor)
        found = await self._products(page.number, self._settings.page_limit)
        if page.ends(found.codes):
            return CataloguePage((), None)
        return CataloguePage(found.items, page.following(found.codes), found.levels)

    async def refresh(self, keys: Sequence[str]) -> CatalogueRefresh:
        """Items of these keys, or every item of these system codes.

        Where the rate cuts it short it raises RetryLater, and the next call for the same keys goes on behind it.
        """
        wanted = dict.fromkeys(product_of(key) for key in keys)
        self._refreshed = {code: items for code, items in self._refreshed.items() if code in wanted}
        asked = [code for code in wanted if code not in self._refreshed]
        while asked:
            chunk = asked[: protocol.ROWS]
            found = await self._products(1, max(self._settings.page_limit, protocol.ROWS), chunk)
            for code in found.codes or chunk:  # an answer without any says that they are gone
                if code not in chunk:
                    raise classify.unexpected(documents.PRODUCTS, ValueError(f"product {code} was not asked for"))
                self._refreshed[code] = tuple(item for item in found.items if item.group == code)
            asked = [code for code in wanted if code not in self._refreshed]
        known, self._refreshed = self._refreshed, {}
        items: dict[str, CatalogueItem] = {}
        gone = []
        for key in dict.fromkeys(keys):
            product = product_of(key)
            fitting = [item for item in known[product] if key in (product, item.key)]
            items.update({item.key: item for item in fitting})
            if not fitting:
                gone.append(key)
        return CatalogueRefresh(tuple(items.values()), tuple(gone))

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        """Reads cells by the system codes of their products, in one request; what it does not settle is left out."""
        return await read_cells(cells, self._absent, self._quantities_of, protocol.ROWS)

    async def changed_levels(self, since: datetime, until: datetime, cursor: str | None) -> LevelPage:
        """Nothing: no search knows when a number changed (`polls_levels` is False)."""
        return LevelPage((), None)

    async def walk_levels(self, cursor: str | None) -> LevelPage:
        """A page of all numbers; by `stock_list: by_code` of the products that a page of the catalogue names."""
        if self._settings.stock_list == "by_code":
            return await self._walk_by_code(cursor)
        page = Page.at(cursor)
        variables = protocol.products_page(page.number, self._settings.page_limit)
        found = await self._door.ask(READ, documents.QUANTITIES, variables, read_quantities)
        codes = [each.product for each in found]
        if page.ends(codes):
            return LevelPage((), None)
        return LevelPage(_levels(found), page.following(codes))

    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        """Orders placed in a window, in every state, one request a page; a second at the window's edges may be more.

        The search of each delivery state turns its own pages, all in one document unless `orders_at_once` is off. An
        order that changes state between two pages may be missed by this sweep, never by the next.
        """
        turning = orders.read_cursor(cursor, protocol.order_names(self._settings.order_filter))
        together = len(turning) if self._settings.orders_at_once else 1
        searches, waiting = turning[:together], turning[together:]
        limit = self._settings.order_page_size
        end = until + timedelta(seconds=1)  # searches know whole seconds only
        document = documents.orders(tuple(each.name for each in searches))
        variables = {each.name: protocol.orders_page(each.name, since, end, each.page, limit) for each in searches}

        def read(data: Mapping[str, Any]) -> OrderPage:
            rows: list[Mapping[str, Any]] = []
            going_on = []
            for search in searches:
                found, following = orders.turn(search, data, trust_count=self._settings.trust_searched_count)
                rows += found
                if following is not None:
                    going_on.append(following)
            lines = orders.read_orders(
                rows, self._settings.provisional_payment_codes, self._settings.paid_payment_codes
            )
            return OrderPage(lines, orders.write_cursor([*going_on, *waiting]))

        return await self._door.ask(ORDERS, document, variables, read)

    def write_group(self, cell: CellRef) -> str:
        """Which of MakeShop's two operations writes a cell; a batch of one group needs one operation only."""
        item = item_of(cell.item)
        return "" if item is None else writing.part_of(item)

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        """The one request that carries out `ops`, in the way that was calibrated. MakeShop knows no key."""
        return writing.compose(ops, key, self._calculation)

    def compose_activation(self, cell: CellRef, key: str) -> PreparedRequest:
        """Never asked for: what is not limited is never given a number. Raises Bug."""
        text = problems.CHANGE_IMPOSSIBLE.text("a stock that is not limited is not switched on")
        raise Bug(text, code=problems.CHANGE_IMPOSSIBLE.code)

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
        """Sends a batch: rows that failed are rejected by name, the others were carried out."""
        document = writing.document_of(ops)
        answer = await self._door.exchange(WRITE, document, prepared.body, prepared.path)
        return understand(document, lambda: writing.outcomes(ops, answer))

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        """Raises Unreadable: there is no history of stock."""
        raise Unreadable(problems.NO_HISTORY.en, code=problems.NO_HISTORY.code)

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport:
        """Nothing to do by API: the addresses are declared in the application for access (see the guide)."""
        return SubscriptionReport()

    async def _products(self, page: int, limit: int, codes: Sequence[str] = ()) -> Products:
        variables = protocol.products_page(page, limit, codes)
        return await self._door.ask(READ, documents.PRODUCTS, variables, read_products)

    async def _quantities_of(self, codes: Sequence[str]) -> list[Quantities]:
        """The numbers of these products. Raises Bug for an answer about others."""
        variables = protocol.products_page(1, max(self._settings.page_limit, protocol.ROWS), codes)
        found = await self._door.ask(READ, documents.QUANTITIES, variables, read_quantities)
        if any(each.product not in codes for each in found):
            raise classify.unexpected(documents.QUANTITIES, ValueError("products that were not asked for"))
        return found

    async def _walk_by_code(self, cursor: str | None) -> LevelPage:
        """Walks where stock can only be asked for by system code. `cursor` is [cursor of the catalogue, codes left]."""
        at, codes = orjson.loads(cursor) if cursor is not None else (None, [])
        if codes:
            asked = codes[: protocol.ROWS]
            found = await self._quantities_of(asked)
            shown = {each.product for each in found}
            # A short page is asked for its rest; what an answer without any does not show is not there.
            left = [code for code in asked if shown and code not in shown] + codes[protocol.ROWS :]
            return LevelPage(_levels(found), orjson.dumps([at, left]).decode())
        page = Page.at(at)
        products = await self._products(page.number, self._settings.page_limit)
        if page.ends(products.codes):
            return LevelPage((), None)
        return LevelPage((), orjson.dumps([page.following(products.codes), products.codes]).decode())


def _levels(found: Sequence[Quantities]) -> tuple[LevelReading, ...]:
    return tuple(reading for each in found for reading in each.readings())
