"""The state of one simulated Smaregi contract, and the one way in which stock changes in it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.sandbox.kernel import EventLog, StockChange, Violation
from inventory_sync.sandbox.smaregi.access import Access, ApiClient
from inventory_sync.sandbox.smaregi.notices import NoticeDelay, Outbox
from inventory_sync.sandbox.smaregi.records import CAUSES, Cell, Division, HistoryRow, Product, StockRow, Store, second
from inventory_sync.sandbox.smaregi.switches import SmaregiSwitches
from inventory_sync.sandbox.smaregi.tables import LaggingStock, UpdateIndex


@dataclass(frozen=True, slots=True)
class Move:
    """One change of one cell: `amount` and `layaway` are added to its numbers."""

    cell: Cell
    amount: int
    division: Division
    layaway: int = 0
    memo: str | None = None
    target: datetime | None = None  # business time, where it is not the time of writing
    from_store: int | None = None
    to_store: int | None = None
    actor: str = "outside"
    reference: str = ""


class SmaregiWorld:
    """Stores, products, stock, change history, apps and webhooks of one contract.

    Products and stores are named by their ids as text, as the API names them. Times are aware and never run backwards.
    """

    name = "smaregi"

    def __init__(
        self,
        *,
        contract: str = "sb_abc123d4",
        client_id: str = "sim-client",
        client_secret: str = "sim-secret",
        switches: SmaregiSwitches | None = None,
        chance: random.Random | None = None,
        notice_delay: NoticeDelay = 0.3,
    ) -> None:
        self.contract = contract
        self.switches = switches or SmaregiSwitches()
        self.log = EventLog()
        self.access = Access(ApiClient(client_id, client_secret))
        self.outbox = Outbox(contract, chance or random.Random(0), notice_delay)
        self.stores: dict[int, Store] = {}
        self.products: dict[int, Product] = {}
        self.codes: dict[str, int] = {}
        self.product_updates: UpdateIndex[int] = UpdateIndex()
        self.rows = LaggingStock()
        self.history: dict[Cell, list[HistoryRow]] = {}
        self.last_history_id = 10000
        self._latest: datetime | None = None
        self.last_product_id = 8000000

    def stock(self, product: str, store: str) -> int | None:
        """The number in a cell as it truly is now, or None where the cell has no row."""
        row = self.rows.written.get(Cell(int(product), int(store)))
        return None if row is None else row.stock

    def layaway_stock(self, product: str, store: str) -> int:
        """How many units of a cell are laid away now."""
        row = self.rows.written.get(Cell(int(product), int(store)))
        return 0 if row is None else row.layaway

    def levels(self) -> dict[tuple[str, str], int]:
        """Every number there is now, by product and store."""
        return {(str(cell.product), str(cell.store)): row.stock for cell, row in self.rows.written.items()}

    def product_id(self, code: str) -> str:
        """The id of the product with this code. Raises KeyError."""
        return str(self.codes[code])

    def cell(self, product: str, store: str) -> Cell:
        """A cell of a product and a store that exist. Raises KeyError."""
        cell = Cell(int(product), int(store))
        if cell.product not in self.products:
            raise KeyError(f"no product {product}")
        if cell.store not in self.stores:
            raise KeyError(f"no store {store}")
        return cell

    def book(self, move: Move, now: datetime) -> HistoryRow:
        """Carry out a change: stock row, history row and log. The row comes into being where there was none."""
        now = self.instant(now)
        before = self.rows.written.get(move.cell)
        old = before.stock if before else 0
        new = old + move.amount
        if self.switches.clamp_at_zero and move.amount < 0:
            new = max(new, min(old, 0))
        layaway = (before.layaway if before else 0) + move.layaway
        self.rows.put(StockRow(move.cell, new, layaway, second(now)), now)
        self.last_history_id += 1
        row = HistoryRow(
            id=self.last_history_id,
            cell=move.cell,
            at=now,
            target=second(move.target or now),
            amount=new - old,
            stock=new,
            layaway=layaway,
            division=move.division,
            memo=move.memo,
            price=self.products[move.cell.product].price,
            from_store=move.from_store,
            to_store=move.to_store,
        )
        self.history.setdefault(move.cell, []).append(row)
        if new != old or move.layaway:
            self.record(
                move.cell,
                new - old,
                new,
                now,
                actor=move.actor,
                cause=CAUSES[move.division],
                reference=move.reference or move.memo or "",
            )
        return row

    def instant(self, now: datetime) -> datetime:
        """The time at which a change is written: a clock that steps back is taken to stand still."""
        if now.tzinfo is None:
            raise ValueError("times must be aware")
        self._latest = now if self._latest is None else max(now, self._latest)
        return self._latest

    def record(
        self, cell: Cell, delta: int, after: int, now: datetime, *, actor: str, cause: str, reference: str = ""
    ) -> None:
        """Append a change to the log."""
        self.log.changes.append(
            StockChange(now, str(cell.product), str(cell.store), delta, after, actor, cause, reference)
        )

    def violate(self, rule: str, detail: str, now: datetime) -> None:
        """Append an overstepped limit to the log."""
        self.log.violations.append(Violation(now, rule, detail))

    def announce_stock(self, rows: Sequence[HistoryRow], now: datetime, action: str = "edited") -> None:
        """Tell of history rows in one `pos:stock` webhook."""
        if self.switches.webhook_older_body:
            content: dict[str, object] = {
                "storeIds": sorted({str(row.cell.store) for row in rows}),
                "productIds": sorted({str(row.cell.product) for row in rows}),
            }
        else:
            ids = [
                {"id": str(row.id), "productId": str(row.cell.product), "storeId": str(row.cell.store)} for row in rows
            ]
            content = {"ids": ids}
        self._announce("pos:stock", action, content, now)

    def announce_products(self, action: str, ids: Iterable[int], now: datetime) -> None:
        """Tell of products in one `pos:products` webhook."""
        self._announce("pos:products", action, {"productIds": [str(each) for each in ids]}, now)

    def announce_store(self, action: str, store: int, now: datetime) -> None:
        """Tell of a store in one `pos:stores` webhook."""
        self._announce("pos:stores", action, {"storeIds": [str(store)]}, now)

    def _announce(self, event: str, action: str, content: dict[str, object], now: datetime) -> None:
        """Webhooks of an app that is stopped for the contract are neither sent nor kept."""
        if self.access.clients[self.access.own].subscribed:
            self.outbox.post(event, action, content, now, event_id=self.switches.webhook_event_id)
