"""What a simulated shop holds: products, variations, stock cells, orders with their deliveries and lines."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.sandbox.makeshop.switches import JST

#: How many numbers a cell remembers for reads that are behind.
_REMEMBERED = 64


def stamp(at: datetime) -> str:
    """A time as answers write it: `YYYY-MM-DD HH:MM:SS`, Japan."""
    return at.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")


def compact(at: datetime) -> str:
    """A time as searchOrder takes it: `YYYYMMDDHHMMSS`, Japan."""
    return at.astimezone(JST).strftime("%Y%m%d%H%M%S")


@dataclass(slots=True)
class Cell:
    """One stock number. `number` is kept while the stock is unlimited, and then shown to nobody."""

    item: str
    number: int
    unlimited: bool = False
    _past: deque[tuple[datetime, int | None]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    @property
    def shown(self) -> int | None:
        """What a read says: null where the stock is unlimited."""
        return None if self.unlimited else self.number

    def set(self, number: int | None, at: datetime) -> int:
        """Make the number what is given (None: unlimited); returns the difference."""
        before = self.number
        if number != self.shown:
            self._past.append((at, self.shown))
        self.unlimited = number is None
        self.number = before if number is None else number
        return self.number - before

    def shown_at(self, now: datetime, lag: float) -> int | None:
        """What a read says that is `lag` seconds behind."""
        horizon = now - timedelta(seconds=lag)
        return next((number for until, number in self._past if until > horizon), self.shown) if lag > 0 else self.shown


@dataclass(slots=True)
class Variation:
    """A cell of a product's (up to) two axes: the unit that has stock, JAN code and own code."""

    first: str
    second: str
    first_id: int
    second_id: int
    code: str
    jan: str
    cell: Cell


@dataclass(slots=True)
class Product:
    """A product. One with variations has no stock of its own. `groups`: option groups, chosen freely, no stock."""

    uid: int
    system: str
    code: str
    jan: str
    name: str
    price: int
    created: datetime
    updated: datetime
    cell: Cell
    variations: tuple[Variation, ...] = ()
    axes: tuple[str, str] = ("カラー", "サイズ")
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    displayed: bool = True

    def cells(self) -> list[Cell]:
        """The numbers that are bought from."""
        return [each.cell for each in self.variations] or [self.cell]


@dataclass(frozen=True, slots=True)
class Goods:
    """What an order line says of the item as it was when ordered."""

    system: str
    code: str
    variation_code: str
    jan: str
    name: str
    variation_name: str
    price: int
    selects: tuple[tuple[str, str], ...]


class DeliveryState(StrEnum):
    """The four states of a delivery (observed): not yet, shipped, cancelled, returned."""

    NOT_YET = "N"
    SHIPPED = "Y"
    CANCELLED = "C"
    RETURNED = "R"


@dataclass(slots=True)
class Line:
    """One item of an order; `item` names its cell."""

    item: str
    amount: int
    goods: Goods


@dataclass(slots=True)
class Parcel:
    """One delivery of an order. Its lines took stock where `holds`."""

    id: str
    lines: list[Line]
    state: DeliveryState = DeliveryState.NOT_YET
    shipped_at: datetime | None = None


@dataclass(slots=True)
class Order:
    """An order as it is now. `holds`: its units are taken from the stock."""

    number: str
    at: datetime
    parcels: list[Parcel]
    provisional: bool
    holds: bool
    paid_at: datetime | None
    pay_method: str
    cash_on_delivery: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether every delivery of it is cancelled."""
        return all(each.state is DeliveryState.CANCELLED for each in self.parcels)

    def lines(self) -> list[Line]:
        return [line for parcel in self.parcels for line in parcel.lines]
