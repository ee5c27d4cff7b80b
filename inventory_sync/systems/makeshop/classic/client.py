"""One shop's conversation with MakeShop's classic API: the port's `OrderClient`, one request at a time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import BrokenKind, Bug, Doubt, RetryLater, Unreadable
from inventory_sync.systems.makeshop.classic import answers, orders, problems, uploads
from inventory_sync.systems.makeshop.classic.account import ClassicSettings, account_of
from inventory_sync.systems.makeshop.classic.door import ClassicDoor
from inventory_sync.systems.makeshop.classic.generation import CUSTOM_CODE, JAN_CODE, SYSTEM_CODE
from inventory_sync.systems.makeshop.classic.switches import DEFAULT, ClassicSwitches
from inventory_sync.systems.makeshop.keys import SHOP, Item, item_of
from inventory_sync.systems.port import (
    Capabilities,
    CataloguePage,
    CatalogueRefresh,
    CellRef,
    ChangeSource,
    ClientContext,
    Condition,
    EvidenceKind,
    HistoryRow,
    LevelPage,
    LevelReading,
    OpOutcome,
    OrderPage,
    PartnerLocation,
    PlannedOp,
    PreparedRequest,
    Role,
    Split,
    SubscriptionReport,
    Verified,
    WriteMode,
)
from inventory_sync.systems.serial import READ, SerialBudget

_log = logging.getLogger(__name__)

PRODUCT_COLUMNS, OPTION_COLUMNS = "product_columns", "option_columns"
"""Names in `ClientContext.calibration` under which the accepted columns stand, joined by tabs."""

VERIFIED_TOGETHER = timedelta(minutes=2)  # proofs of one connection test are at most this old when it ends

CAPABILITIES = Capabilities(
    roles=frozenset({Role.CHANNEL}),
    match_fields=(CUSTOM_CODE, JAN_CODE, SYSTEM_CODE),
    read_batch=20,
    write_batch=500,  # no limit is documented; a file this long has some 50 kB
    concurrent_writes=1,
    read_lag=DEFAULT.read_lag,
    late_effect=DEFAULT.late_effect,
    request_timeout=timedelta(seconds=10),
    evidence=EvidenceKind.LEVEL,
    has_locations=False,
    polls_levels=False,
    change_source=ChangeSource.ORDERS,
    writes=WriteMode.ABSOLUTE,
    has_orders=True,
    order_lag=DEFAULT.order_end_lag + timedelta(seconds=10),
    order_end_lag=DEFAULT.order_end_lag,
    provisional_counts=True,
    serial=True,
    grouped_writes=True,
    catalogue_by_files=True,
)


def effective_capabilities(settings: ClassicSettings, switches: ClassicSwitches = DEFAULT) -> Capabilities:
    """The capabilities of one connection, with its own times where they are longer than the usual ones."""
    return replace(
        CAPABILITIES,
        read_lag=max(settings.read_lag, switches.read_lag),
        late_effect=max(settings.late_effect, switches.late_effect),
        request_timeout=settings.request_timeout,
        order_lag=switches.order_end_lag + settings.order_lag,
        order_end_lag=switches.order_end_lag,
        provisional_counts=settings.provisional_counts,
    )


class ClassicClient:
    """Implements `port.OrderClient`. Stock of products is read; stock of options can be set and never read."""

    def __init__(self, settings: ClassicSettings, context: ClientContext, switches: ClassicSwitches = DEFAULT) -> None:
        self._account = account_of(settings)
        self._switches = switches
        self._now = context.ambient.now
        self._capabilities = effective_capabilities(settings, switches)
        self._budget = SerialBudget(settings.requests_per_second, self._now(), full=context.budget_full)
        self._door = ClassicDoor(self._account, context.transport, self._budget, self._now, switches)
        self._columns = _columns(context.calibration)
        self._proven: dict[str, datetime] = {}
        self._not_accepted = 0  # uploads in a row that were refused whole

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def budget(self) -> SerialBudget:
        return self._budget

    async def verify(self) -> Verified:
        """Proves order code, product code and password, one request each; RetryLater in between keeps what was."""
        proofs = {
            "orders": self._prove_orders,
            "products": self._door.prove_search,
            "uploads": self._door.prove_upload,
        }
        for name, prove in proofs.items():
            at = self._proven.get(name)
            if at is None or self._now() - at > VERIFIED_TOGETHER:
                self._proven.pop(name, None)
                await prove()
                self._proven[name] = self._now()
        self._proven.clear()
        shop = self._account.shop_id
        return Verified(shop, f"MakeShop {shop}", ("orders", "products", "uploads"))

    async def locations(self) -> Sequence[PartnerLocation]:
        """The shop itself: MakeShop has one number per item and no warehouses."""
        return (PartnerLocation(SHOP, f"MakeShop {self._account.shop_id}", active=True),)

    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        """Raises Bug: the product list comes from two files (`generation.read_generation`), never from here."""
        raise _by_files()

    async def refresh(self, keys: Sequence[str]) -> CatalogueRefresh:
        """Raises Bug, as `catalogue_page` does."""
        raise _by_files()

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        """UNREADABLE for options at once; products by key, one request each, as far as the rate allows."""
        found: list[LevelReading] = []
        for cell in cells:
            item = _item(cell)
            if item.variation is not None:
                found.append(LevelReading(cell, Condition.UNREADABLE, None))
                continue
            try:
                found.append(await self._read_product(item))
            except RetryLater:
                if not found:
                    raise
                break  # the rest was not read and stays dirty
        return found

    async def changed_levels(self, since: datetime, until: datetime, cursor: str | None) -> LevelPage:
        """Nothing: MakeShop does not list changes."""
        return LevelPage((), None)

    async def walk_levels(self, cursor: str | None) -> LevelPage:
        """One page of 50 products. `cursor` is the page number; the list ends at an empty page."""
        page = 1 if cursor is None else int(cursor)
        rows = await self._door.page(page)
        return LevelPage(tuple(row.reading for row in rows), str(page + 1) if rows else None)

    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        """The orders of a stretch of time, in one request; too many for one list, and the cursor halves the stretch.

        Ends `order_end_lag` before now, whatever `until` says.
        """
        end = min(until, self._now() - self._switches.order_end_lag)
        waiting = [orders.Window(orders.whole_seconds(since), orders.whole_seconds(end, up=True), last=True)]
        if cursor is not None:
            waiting = _windows(cursor)
        window, *rest = waiting
        if window.end <= window.start:
            return OrderPage((), None)
        listed = await self._door.orders(window)
        if len(listed) >= self._switches.order_cap:
            if not window.narrow:
                return OrderPage((), _cursor([*window.halves(), *rest]))
            # Nothing is narrower than a second. What was listed is true; what was left out cannot be asked for.
            _log.error("makeshop.orders_beyond_cap code=%s at=%s", problems.TOO_MANY_ORDERS.code, window.start)
        lines = orders.lines_of(order for order in listed if window.holds(order))
        return OrderPage(lines, _cursor(rest))

    def write_group(self, cell: CellRef) -> str:
        """`product` or `option`: the file that writes a cell. One batch holds cells of one group only."""
        try:
            return uploads.write_group(cell.item)
        except uploads.Impossible as error:
            raise _impossible(error) from error

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        """One CSV file with the ops' absolute numbers. Raises Bug for ops of two groups or an item twice."""
        try:
            return uploads.prepare(ops, key, self._columns, self._account.encoding)
        except uploads.Impossible as error:
            raise _impossible(error) from error

    def compose_activation(self, cell: CellRef, key: str) -> PreparedRequest:
        """Raises Bug: an item has its number from the start, or no limit, which is the merchant's choice."""
        raise _impossible("nothing to activate")

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
        """Signs in for the upload, asks to come again, and posts the file. Only a lost answer to the file is Doubt."""
        response = await self._door.upload(prepared)
        try:
            outcome = uploads.read_report(response.body, ops)
        except uploads.NotAccepted as error:
            self._not_accepted += 1
            if self._not_accepted > 1:  # a key that was just issued, twice: it is not the key
                raise answers.broken(
                    problems.PASSWORD_REFUSED, BrokenKind.CREDENTIAL, f"the upload: {error}"
                ) from error
            raise answers.later(problems.ACCESS_ENDED, f"the upload: {error}", answers.ACCESS_PAUSE) from error
        except uploads.WrongColumns as error:
            raise Bug(problems.COLUMNS_REFUSED.text(str(error)), code=problems.COLUMNS_REFUSED.code) from error
        self._not_accepted = 0
        if outcome is None:
            raise Doubt(problems.OUTCOME_UNKNOWN.text("an empty answer"), code=problems.OUTCOME_UNKNOWN.code)
        return outcome

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        """Raises Unreadable: there is none."""
        raise Unreadable(problems.NO_HISTORY.en, code=problems.NO_HISTORY.code)

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport:
        """Nothing to do by API: a person enters the address as 更新通知のAPIのURL (see the guide)."""
        return SubscriptionReport()

    async def _prove_orders(self) -> None:
        now = orders.whole_seconds(self._now() - self._switches.order_end_lag)
        await self._door.orders(orders.Window(now - timedelta(minutes=1), now, last=True), READ)

    async def _read_product(self, item: Item) -> LevelReading:
        rows = await self._door.page(1, item.product)
        if not rows:
            return LevelReading(item.cell, Condition.GONE, None)
        if [row.code for row in rows] != [item.product]:
            raise answers.unknown_shape("the product search answered for a product that was not asked")
        return rows[0].reading


def make_classic_client(
    settings: ClassicSettings, context: ClientContext, switches: ClassicSwitches = DEFAULT
) -> ClassicClient:
    """The client of a connection with `api: classic`. Raises InvalidSettings."""
    return ClassicClient(settings, context, switches)


def _columns(calibration: Mapping[str, str]) -> uploads.Columns:
    """The columns of the last accepted files; those of 2021 until there were any."""
    usual = uploads.Columns()
    product, option = (calibration.get(name, "") for name in (PRODUCT_COLUMNS, OPTION_COLUMNS))
    return uploads.Columns(
        tuple(product.split("\t")) if product else usual.product,
        tuple(option.split("\t")) if option else usual.option,
    )


def _cursor(windows: Sequence[orders.Window]) -> str | None:
    """Windows that are still to be asked, as text: `start|end` in whole seconds of Unix time; only the last is last."""
    if not windows:
        return None
    return ",".join(f"{int(each.start.timestamp())}|{int(each.end.timestamp())}" for each in windows)


def _windows(cursor: str) -> list[orders.Window]:
    pairs = [tuple(int(part) for part in each.split("|")) for each in cursor.split(",")]
    ends = [tuple(datetime.fromtimestamp(at, orders.JST) for at in pair) for pair in pairs]
    return [orders.Window(start, end, last=number == len(ends)) for number, (start, end) in enumerate(ends, 1)]


def _item(cell: CellRef) -> Item:
    item = item_of(cell.item)
    if item is None or cell.location != SHOP:
        raise _impossible(f"{cell.item!r} at {cell.location!r} is no cell of MakeShop")
    return item


def _impossible(particulars: object) -> Bug:
    return Bug(problems.CHANGE_IMPOSSIBLE.text(str(particulars)), code=problems.CHANGE_IMPOSSIBLE.code)


def _by_files() -> Bug:
    return Bug(problems.BY_FILES.en, code=problems.BY_FILES.code)


__all__ = ["CAPABILITIES", "ClassicClient", "effective_capabilities", "make_classic_client"]
