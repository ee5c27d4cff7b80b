"""What the simulated contract holds: stores, products, stock rows and the rows of the change history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from inventory_sync.sandbox.smaregi.switches import JST

JsonRow = dict[str, str | None]

_ID = re.compile(r"[0-9]{1,15}")


class Division(StrEnum):
    """Why stock changed, `stockDivision` of the change history (observed in clients generated from the reference)."""

    CORRECTION = "01"
    SALE = "02"
    RECEIPT = "03"
    TRANSFER_OUT = "04"
    TRANSFER_IN = "05"
    LAYAWAY = "07"
    COUNT = "08"
    ADJUSTMENT = "09"
    SHIPMENT = "10"
    RETURN = "12"
    LOSS = "14"
    API = "15"


CAUSES: dict[Division, str] = {
    Division.CORRECTION: "correction",
    Division.SALE: "sale",
    Division.RECEIPT: "receipt",
    Division.TRANSFER_OUT: "transfer",
    Division.TRANSFER_IN: "transfer",
    Division.LAYAWAY: "layaway",
    Division.COUNT: "count",
    Division.ADJUSTMENT: "adjustment",
    Division.SHIPMENT: "shipment",
    Division.RETURN: "return",
    Division.LOSS: "loss",
    Division.API: "api",
}


class Cell(NamedTuple):
    """Product id and store id as numbers, so that lists sort as the partner sorts them."""

    product: int
    store: int


def number_of(text: str) -> int | None:
    """An id (up to 15 digits) as a number, or None where the text is none."""
    return int(text) if _ID.fullmatch(text) else None


def second(at: datetime) -> int:
    """The whole second (Unix time) an instant falls in: Smaregi's times have no fractions."""
    return int(at.timestamp())


def stamp(epoch: int) -> str:
    """A time as Smaregi writes it, such as 2026-01-10T11:59:58+09:00."""
    return datetime.fromtimestamp(epoch, JST).isoformat()


@dataclass(frozen=True, slots=True)
class Store:
    """A shop (`division` 1) or warehouse (2)."""

    id: int
    name: str
    division: str
    paused: bool
    created: int
    updated: int

    def json(self) -> JsonRow:
        """The row as `GET /pos/stores` shows it."""
        return {
            "storeId": str(self.id),
            "storeCode": f"S{self.id}",
            "storeName": self.name,
            "storeAbbr": self.name[:10],
            "division": self.division,
            "sellDivision": "0",
            "pauseFlag": "1" if self.paused else "0",
            "displaySequence": str(self.id),
            "insDateTime": stamp(self.created),
            "updDateTime": stamp(self.updated),
        }


@dataclass(frozen=True, slots=True)
class Product:
    """One product, which at Smaregi is one SKU; variants of a garment share `group`."""

    id: int
    code: str
    name: str
    created: int
    updated: int
    managed: bool = True
    group: str | None = None
    size: str | None = None
    color: str | None = None
    supplier_no: str | None = None
    price: int = 1000
    category: int = 1
    division: str = "0"
    sales_division: str = "0"
    shown: bool = True

    def json(self) -> JsonRow:
        """The row as `GET /pos/products` shows it."""
        return {
            "productId": str(self.id),
            "productCode": self.code,
            "productName": self.name,
            "categoryId": str(self.category),
            "groupCode": self.group,
            "size": self.size,
            "color": self.color,
            "tag": None,
            "supplierProductNo": self.supplier_no,
            "price": str(self.price),
            "division": self.division,
            "salesDivision": self.sales_division,
            "stockControlDivision": "0" if self.managed else "1",
            "displayFlag": "1" if self.shown else "0",
            "insDateTime": stamp(self.created),
            "updDateTime": stamp(self.updated),
        }


@dataclass(frozen=True, slots=True)
class StockRow:
    """Stock of a product at a store; it exists from the first movement on."""

    cell: Cell
    stock: int
    layaway: int
    updated: int

    def json(self) -> JsonRow:
        """The row as `GET /pos/stock` shows it: every value a string."""
        return {
            "storeId": str(self.cell.store),
            "productId": str(self.cell.product),
            "stockAmount": str(self.stock),
            "layawayStockAmount": str(self.layaway),
            "updDateTime": stamp(self.updated),
        }


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of the change history: `amount` is signed, `stock` and `layaway` are the numbers after it."""

    id: int
    cell: Cell
    at: datetime
    target: int
    amount: int
    stock: int
    layaway: int
    division: Division
    memo: str | None
    price: int
    from_store: int | None = None
    to_store: int | None = None

    def json(self, *, memo: bool) -> JsonRow:
        """The row as `GET /pos/stock/changes/…` shows it; `memo` False hides the memo."""
        return {
            "id": str(self.id),
            "updDateTime": stamp(second(self.at)),
            "targetDateTime": stamp(self.target),
            "productId": str(self.cell.product),
            "storeId": str(self.cell.store),
            "amount": str(self.amount),
            "stockAmount": str(self.stock),
            "layawayStockAmount": str(self.layaway),
            "stockDivision": self.division.value,
            "fromStoreId": None if self.from_store is None else str(self.from_store),
            "toStoreId": None if self.to_store is None else str(self.to_store),
            "taxDivision": "1",
            "price": str(self.price),
            "cost": None,
            "memo": self.memo if memo else None,
            "staffId": None,
            "staffName": None,
        }


STOCK_FIELDS = tuple(StockRow(Cell(0, 0), 0, 0, 0).json())
PRODUCT_FIELDS = tuple(Product(0, "", "", 0, 0).json())
STORE_FIELDS = tuple(Store(0, "", "1", False, 0, 0).json())
