"""What adapters and the engine say to each other: cells, readings, catalogue, ops and outcomes, orders, notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.model.ids import ItemKey, LocationKey, OpId


class Condition(StrEnum):
    """What a cell is at the partner; only an ACTIVE cell has a number that is a reading."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # a level exists and is switched off
    ABSENT = "absent"  # the item exists and has no level (row) at this location, said by a read by key
    UNTRACKED = "untracked"  # stock is not managed, or unlimited
    GONE = "gone"  # the item or location no longer exists
    UNREADABLE = "unreadable"  # it has a number that can be set and not read: what it was told last is believed


@dataclass(frozen=True, slots=True, order=True)
class CellRef:
    """A cell as the partner names it."""

    item: ItemKey
    location: LocationKey


@dataclass(frozen=True, slots=True)
class LevelReading:
    """What the partner said about one cell. `quantity` is None unless `condition` is ACTIVE.

    `stamp` is the partner's own time of the cell's last change where it gives one, never our clock. `committed`: units
    taken by orders and not shipped (a channel); `aside`: units laid away for somebody (a ledger); None: not told.
    """

    cell: CellRef
    condition: Condition
    quantity: int | None
    stamp: datetime | None = None
    committed: int | None = None
    aside: int | None = None


@dataclass(frozen=True, slots=True)
class LevelPage:
    """A page of a list of levels. A list is a notice, not a reading. `cursor` None: the list ended. `wait`: seconds
    until the next page is worth asking for, where the partner is still making the list."""

    levels: tuple[LevelReading, ...]
    cursor: str | None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class PartnerLocation:
    """A place that holds stock. `mappable` False (with `note`) where it must not be offered for a pair."""

    key: LocationKey
    name: str
    active: bool
    mappable: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """The smallest thing that has a stock number. `codes` maps match-field names to exact values, blanks and all."""

    key: ItemKey
    codes: Mapping[str, str]
    name: str
    tracked: bool
    bundle: bool = False  # a parent whose stock is derived: never written
    status: str = ""
    group: str = ""  # the partner's id of the product an item belongs to; a refresh may be asked by it


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """A page of the catalogue. `levels` may carry the levels the page came with (hints). `cursor` None: complete.
    `wait`: seconds until the next page is worth asking for, where the partner is still making the list."""

    items: tuple[CatalogueItem, ...]
    cursor: str | None
    levels: tuple[LevelReading, ...] = ()
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class CatalogueRefresh:
    """What `refresh` found: items as they are now, and keys that were asked for and exist no more."""

    items: tuple[CatalogueItem, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a person handed in."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class FileGeneration:
    """A whole catalogue out of files. `accepted`: what is kept with the connection, such as the columns; `levels` are
    hints, never readings."""

    items: tuple[CatalogueItem, ...]
    levels: tuple[LevelReading, ...]
    accepted: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedOp:
    """One planned write: add `delta` units (never 0) to a cell, or, where writes are absolute, set it to `value`."""

    op: OpId
    cell: CellRef
    delta: int
    value: int | None = None


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """The exact request of a batch, stored before it is sent and sent again to the byte. Carries no secret."""

    method: str
    path: str  # below the connection's base URL
    body: bytes
    key: str  # idempotency key, or the op id where the system knows no key
    api_version: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The partner carried the op out. `reference` is its own id for it, `stamp` its time, where given."""

    reference: str | None = None
    stamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotApplied:
    """The partner certainly did not carry the op out, through no fault of the row (its neighbour was refused).
    `code`: of the problem that `reason` tells of, where it has one."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The partner refused this row for itself: quarantine, with `reason` for a person and a stable `code`."""

    reason: str
    code: str


OpOutcome = Applied | NotApplied | Rejected


@dataclass(frozen=True, slots=True)
class Accepted:
    """The partner took the whole batch and carries it out later: no outcome yet. `reference` is its number for it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Split:
    """The partner refused the whole batch for a row it did not name: nothing was carried out; halve it, try again.
    `code`: of the problem that `reason` tells of, where it has one."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of a partner's change history: signed `amount`, its time, and whose op it was if it was one of ours.

    `installation` and `op` come from our memo; both None for a change somebody else made. `cause` is one of the words
    sale, return, count, receipt, transfer, layaway, adjustment, shipment, loss, correction, reservation, api, other.
    `reference`: the order or document the row names. `happened_at`: when it happened, where the partner says that apart
    from `at`, when it was written there (a register that was offline); None where it says nothing.
    """

    id: str
    amount: int
    at: datetime
    cause: str
    installation: str | None = None
    op: OpId | None = None
    level_after: int | None = None
    reference: str = ""
    happened_at: datetime | None = None


class OrderState(StrEnum):
    """What an order line is now, as far as stock is concerned."""

    PROVISIONAL = "provisional"  # not settled yet; may become placed, or vanish without a trace
    PLACED = "placed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"  # says nothing about the stock: whether it went up is read from the level
    RETURNED = "returned"


class Payment(StrEnum):
    """Whether an order is paid for, as far as goods may be given out."""

    PAID = "paid"  # or payable at the door or afterwards: there is nothing to wait for
    UNPAID = "unpaid"
    REFUNDED = "refunded"  # the money went back, or is owed no more


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One item of an order as it stands now. `line` is unique within the order and stable. `quantity` ≥ 0 units.

    `placed_at` is the partner's own time, only ever compared with the window it was asked for. `payment` None: the
    partner does not say.
    """

    order: str
    line: str
    cell: CellRef
    quantity: int
    state: OrderState
    placed_at: datetime
    payment: Payment | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of the orders placed in a window. `cursor` None: the list ended."""

    lines: tuple[OrderLine, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CalibrationStep:
    """What one step of a calibration did and saw, for the person who watches it."""

    did_en: str
    did_ja: str
    saw: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration found. `found` is stored with the connection and handed to every later client of it."""

    steps: tuple[CalibrationStep, ...]
    found: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a connection test proved. `identity` never changes for a connection; `expires_at`: of the credential."""

    identity: str
    name: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BulkWrites:
    """Batches of many rows that a partner accepts at once and carries out later, with a callback at the end.

    `usable`: callbacks can reach us, and what became of each row can be looked up; else they are not used. Without a
    callback after `callback_within` a batch is in doubt; what has left no trace after `late_effect` will not land.
    `lookups`: rows a second that are looked up, so that readings of live changes keep their room.
    """

    rows: int
    callback_within: timedelta
    late_effect: timedelta
    lookups: float
    usable: bool = False


@dataclass(frozen=True, slots=True)
class WritePace:
    """How fast a connection takes a push, in rows a second: by single calls, and by bulk calls, whose every row is
    looked up afterwards. `usable`: bulk calls are used where enough rows wait; else `why` says why not, and what would
    change that."""

    singles: float
    bulk: float
    rows: int
    usable: bool
    why_en: str = ""
    why_ja: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionReport:
    """What `ensure_subscriptions` found and did. `gap` True: notices may have been lost, reconcile."""

    present: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    gap: bool = False


class NoticeKind(StrEnum):
    """What a notice is about."""

    LEVELS = "levels"
    CATALOGUE = "catalogue"
    LOCATIONS = "locations"
    UNINSTALLED = "uninstalled"
    ORDERS = "orders"  # orders came or changed: sweep them now
    ACCESS = "access"  # scopes or the like changed: verify again
    OTHER = "other"  # understood; of no effect, unless it names requests of ours


@dataclass(frozen=True, slots=True)
class CellHint:
    """A cell that a notice names. `location` None: every location of the item. `quantity` and `reference` are hints
    that may spare a read, never numbers to trust."""

    item: ItemKey
    location: LocationKey | None = None
    quantity: int | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that proved its origin. `id` is unique per delivery at the connection; retries share it. A notice about
    the catalogue that names nothing says that a list the partner was making may be ready."""

    id: str
    topic: str
    kind: NoticeKind
    cells: tuple[CellHint, ...] = ()
    catalogue: tuple[str, ...] = ()  # keys for `refresh`
    sent_at: datetime | None = None
    requests: tuple[str, ...] = ()  # of a callback: the batches it is about, by our key or the partner's number
