"""What the built-in ledger speaks of: books, items, locations, labels, lines that are booked, levels and entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

DEFAULT_LABEL = "stock"
DEFAULT_LOCATION = "main"

MOST = 999_999_999
"""No number of units, asked for or resulting, is larger than this, either way."""


class Kind(StrEnum):
    """Why a level moved."""

    ADJUSTMENT = "adjustment"
    SALE = "sale"  # it has happened: what is not there is owed
    RETURN = "return"
    RECEIPT = "receipt"
    SHIPMENT = "shipment"
    TRANSFER = "transfer"
    LOSS = "loss"
    CORRECTION = "correction"
    COUNT = "count"
    RESERVATION = "reservation"
    LAYAWAY = "layaway"
    OTHER = "other"
    CHANNEL = "channel"  # carried over from a sales channel, by this product: never refused either

    @property
    def owes(self) -> bool:
        """Whether units that are not there are owed, where others would be refused."""
        return self in (Kind.SALE, Kind.CHANNEL)


class Outcome(StrEnum):
    """What became of a line."""

    BOOKED = "booked"
    SUPERSEDED = "superseded"  # a newer count of the cell had counted it already: kept, and of no effect


@dataclass(frozen=True, slots=True)
class Book:
    """One ledger, named like its connection. `identity` never changes and belongs to no other book anywhere."""

    id: int
    name: str
    identity: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """What is counted. An item that is not `tracked` has no stock; an `archived` one is not offered any more."""

    sku: str
    name: str = ""
    barcode: str = ""
    tracked: bool = True
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds stock."""

    key: str
    name: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of stock within a location (sellable, damaged …). `negative`: its levels may go below 0."""

    name: str
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Adjust:
    """Add `delta` units (never 0) to a cell. `as_of`: when they came or left; None: now."""

    sku: str
    location: str
    delta: int
    label: str = DEFAULT_LABEL
    kind: Kind = Kind.ADJUSTMENT
    reason: str = ""
    reference: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """There were `quantity` units in a cell at `as_of` (None: now). What happened later stays on top."""

    sku: str
    location: str
    quantity: int
    label: str = DEFAULT_LABEL
    reason: str = ""
    reference: str = ""
    as_of: datetime | None = None

    @property
    def kind(self) -> Kind:
        return Kind.COUNT


Line = Adjust | Count


@dataclass(frozen=True, slots=True)
class Level:
    """A stock number. `quantity` is what others are told: `on_hand` less `owed` (sold and not there)."""

    sku: str
    location: str
    label: str
    quantity: int
    on_hand: int
    owed: int
    changed_at: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it was asked for. `tracked` None: there is no such item (or it is archived)."""

    sku: str
    location: str
    tracked: bool | None
    location_known: bool
    level: Level | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line as it was booked, for ever.

    `asked`: the units of an Adjust, the number of a Count; `delta`: what it did to the level; `quantity` and `owed`:
    the level after it; `key` and `line`: the request it came with; `as_of`: the time it speaks of; `booked_at`: when.
    """

    sequence: int
    sku: str
    location: str
    label: str
    kind: Kind
    asked: int
    delta: int
    quantity: int
    owed: int
    outcome: Outcome
    reason: str
    actor: str
    reference: str
    key: str | None
    line: int
    as_of: datetime
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class Booked:
    """The entries of a request, in the order of its lines. `replayed`: it had been booked before."""

    entries: tuple[Entry, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """What a list of items, locations or labels changed: how many are new, how many changed, how many were the same."""

    created: int
    changed: int
    same: int
