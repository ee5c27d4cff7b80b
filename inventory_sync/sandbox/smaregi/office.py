"""What the merchant and the vendor do besides trade: catalogue, stores, permissions, webhooks, backups."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from inventory_sync.sandbox.smaregi.access import ApiClient
from inventory_sync.sandbox.smaregi.notices import EVENTS, WebhookSettings
from inventory_sync.sandbox.smaregi.records import Cell, HistoryRow, Product, StockRow, Store, second
from inventory_sync.sandbox.smaregi.switches import ALL_SCOPES, CODE_MAX
from inventory_sync.sandbox.smaregi.tables import LaggingStock, UpdateIndex
from inventory_sync.sandbox.smaregi.world import SmaregiWorld

_CODE = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class SmaregiSnapshot:
    """A backup of a contract: stores, products, stock and change history."""

    stores: tuple[Store, ...]
    products: tuple[Product, ...]
    rows: tuple[StockRow, ...]
    history: tuple[tuple[Cell, tuple[HistoryRow, ...]], ...]


class SmaregiOffice(SmaregiWorld):
    """Everything that can be set at a contract. Changes of catalogue and stores raise their webhooks."""

    def add_store(self, store: str, name: str, now: datetime, *, warehouse: bool = False) -> None:
        """Open a shop or warehouse."""
        at = second(now)
        self.stores[int(store)] = Store(int(store), name, "2" if warehouse else "1", False, at, at)
        self.announce_store("created", int(store), now)

    def pause_store(self, store: str, now: datetime, *, paused: bool = True) -> None:
        """Suspend a store, or take it up again."""
        self.stores[int(store)] = replace(self.stores[int(store)], paused=paused, updated=second(now))
        self.announce_store("edited", int(store), now)

    def add_product(
        self,
        code: str,
        now: datetime,
        *,
        name: str | None = None,
        managed: bool = True,
        group: str | None = None,
        supplier_no: str | None = None,
    ) -> str:
        """Add a product and return its id. Raises ValueError for a code Smaregi would not take."""
        identity = self._create(code, now, name, managed, group, supplier_no)
        self.announce_products("created", [identity], now)
        return str(identity)

    def remove_product(self, product: str, now: datetime) -> None:
        """Delete a product; its stock rows cease to exist, which the log does not count as a change."""
        now = self.instant(now)
        gone = self.products.pop(int(product))
        del self.codes[gone.code]
        self.product_updates.drop(gone.id)
        for store in self.stores:
            self.rows.remove(Cell(gone.id, store), now)
        self.announce_products("deleted", [gone.id], now)

    def rename_product(self, product: str, name: str, now: datetime) -> None:
        """Give a product another name."""
        self._edit(replace(self.products[int(product)], name=name), now)

    def change_code(self, product: str, code: str, now: datetime) -> None:
        """Give a product another code. Raises ValueError for a code Smaregi would not take."""
        self._check_code(code)
        before = self.products[int(product)]
        del self.codes[before.code]
        self.codes[code] = before.id
        self._edit(replace(before, code=code), now)

    def set_stock_control(self, product: str, managed: bool, now: datetime) -> None:
        """Set whether stock of a product is managed (stockControlDivision 0) or not (1)."""
        self._edit(replace(self.products[int(product)], managed=managed), now)

    def configure_webhook(self, url: str, *, header: str, secret: str, events: frozenset[str] = EVENTS) -> None:
        """Set where webhooks go, as a person does in the developer console: there is no API for it."""
        self.outbox.settings = WebhookSettings(url, header, secret, events)

    def register_client(self, client_id: str, client_secret: str, scopes: frozenset[str] = ALL_SCOPES) -> None:
        """Register another app; what it writes is an outside change."""
        self.access.clients[client_id] = ApiClient(client_id, client_secret, set(scopes))

    def revoke_tokens(self, client_id: str | None = None) -> None:
        """Make every token issued so far to an app (the product's own if none is named) invalid."""
        self.access.revoke(client_id or self.access.own)

    def rotate_secret(self, client_secret: str, client_id: str | None = None) -> None:
        """Give an app another secret; the old one is refused at once."""
        self.access.clients[client_id or self.access.own].client_secret = client_secret

    def remove_scope(self, scope: str, client_id: str | None = None) -> None:
        """Withdraw a scope from an app, from tokens already issued too."""
        self.access.clients[client_id or self.access.own].scopes.discard(scope)

    def approve_scope(self, scope: str, client_id: str | None = None) -> None:
        """Approve a scope for an app."""
        self.access.clients[client_id or self.access.own].scopes.add(scope)

    def stop_app(self, client_id: str | None = None) -> None:
        """End an app's use by the contract: no tokens, no webhooks."""
        self.access.clients[client_id or self.access.own].subscribed = False

    def resume_app(self, client_id: str | None = None) -> None:
        """Take up a stopped app again; what happened meanwhile is not sent."""
        self.access.clients[client_id or self.access.own].subscribed = True

    def snapshot(self) -> SmaregiSnapshot:
        """A backup of the contract as it is."""
        return SmaregiSnapshot(
            tuple(self.stores.values()),
            tuple(self.products.values()),
            tuple(self.rows.written.values()),
            tuple((cell, tuple(rows)) for cell, rows in self.history.items()),
        )

    def restore_backup(self, backup: SmaregiSnapshot, now: datetime) -> None:
        """Put a backup back: numbers, update times and history as they were then, ids still growing, no webhook."""
        now = self.instant(now)
        before = self.rows.written
        self.rows = LaggingStock(backup.rows)
        for cell in sorted(before.keys() | self.rows.written.keys()):
            old = before[cell].stock if cell in before else 0
            new = self.rows.written[cell].stock if cell in self.rows.written else 0
            if new != old:
                self.record(cell, new - old, new, now, actor="outside", cause="restore")
        self.stores = {store.id: store for store in backup.stores}
        self.products = {product.id: product for product in backup.products}
        self.codes = {product.code: product.id for product in backup.products}
        self.product_updates = UpdateIndex()
        for product in sorted(backup.products, key=lambda product: product.updated):
            self.product_updates.touch(product.id, product.updated)
        self.history = {cell: list(rows) for cell, rows in backup.history}

    def seed_catalogue(
        self,
        count: int,
        now: datetime,
        *,
        stores: Sequence[str] = ("1",),
        codes: Sequence[str] | Callable[[int], str] = lambda number: f"DEMO-{number:06d}",
        initial: int | Callable[[int, str], int] = 10,
        never_moved: int = 0,
        unmanaged: int = 0,
    ) -> list[str]:
        """Fill a contract before the story starts and return the product ids; nothing is logged or told of.

        `codes` lists product codes or makes one of a number from 0; `initial` is the stock of each cell, or makes it
        of number and store. The last `unmanaged` products have no stock control and no rows, the `never_moved` before
        them are managed and have no rows. Stores that do not exist are opened as shops.
        """
        at = second(self.instant(now))
        for store in stores:
            self.stores.setdefault(int(store), Store(int(store), f"Store {store}", "1", False, at, at))
        made: list[str] = []
        rows = dict(self.rows.written)
        for number in range(count):
            code = codes(number) if callable(codes) else codes[number]
            identity = self._create(code, now, None, number < count - unmanaged, None, None)
            made.append(str(identity))
            if number >= count - unmanaged - never_moved:
                continue
            for store in stores:
                stock = initial(number, store) if callable(initial) else initial
                rows[Cell(identity, int(store))] = StockRow(Cell(identity, int(store)), stock, 0, at)
        self.rows = LaggingStock(rows.values())
        return made

    def _create(
        self, code: str, now: datetime, name: str | None, managed: bool, group: str | None, supplier_no: str | None
    ) -> int:
        self._check_code(code)
        self.last_product_id += 1
        identity, at = self.last_product_id, second(self.instant(now))
        self.products[identity] = Product(
            identity, code, name or f"Product {code}", at, at, managed=managed, group=group, supplier_no=supplier_no
        )
        self.codes[code] = identity
        self.product_updates.touch(identity, at)
        return identity

    def _edit(self, product: Product, now: datetime) -> None:
        at = second(self.instant(now))
        self.products[product.id] = replace(product, updated=at)
        self.product_updates.touch(product.id, at)
        self.announce_products("edited", [product.id], now)

    def _check_code(self, code: str) -> None:
        if len(code) > CODE_MAX or not _CODE.fullmatch(code):
            raise ValueError(f"a product code is 1 to {CODE_MAX} printable ASCII characters")
        if code in self.codes:
            raise ValueError("a product code occurs once in a contract")
