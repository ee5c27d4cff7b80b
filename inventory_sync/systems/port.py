"""The port between the engine and partner systems: narrow protocols by need, and one frozen `Capabilities`.

The engine asks capabilities and never a system's name. An adapter is stateless between calls except for its token and
its rate budget; whatever must survive a crash is a row the engine keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.http import Transport


class Role(StrEnum):
    """The part a connection can play in a route."""

    LEDGER = "ledger"
    CHANNEL = "channel"


class EvidenceKind(StrEnum):
    """How doubt about a write ends at this system (DESIGN §3.7)."""

    KEY = "key"  # the identical bytes may be repeated under the same durable key
    HISTORY = "history"  # the op id can be looked up in the partner's change history
    NONE = "none"  # no answer possible: the lower number is believed


class Condition(StrEnum):
    """What a cell is at the partner; only an ACTIVE cell has a number that is a reading."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # a level exists and is switched off
    ABSENT = "absent"  # the item exists and has no level (row) at this location, said by a read by key
    UNTRACKED = "untracked"  # stock is not managed, or unlimited
    GONE = "gone"  # the item or location no longer exists


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do, declared by its adapter. Durations are the partner's own where documented."""

    roles: frozenset[Role]
    match_fields: tuple[str, ...]  # names under which `CatalogueItem.codes` carries values; the first is the default
    read_batch: int  # cells in one `read`
    write_batch: int  # ops in one batch
    concurrent_writes: int  # batches under way at once in one lane
    read_lag: timedelta  # DESIGN §3.2: a reading asked earlier than this after our write does not count
    late_effect: timedelta  # a request that timed out may still land until then
    request_timeout: timedelta
    evidence: EvidenceKind
    key_lifetime: timedelta | None = None  # how long the same key may be repeated, from the first send
    history_causes: bool = False  # `history` says why a level changed
    absent_is_zero: bool = False  # a cell that never had a row reads as 0 (else it must be activated first)
    activates: bool = False  # `compose_activation` can make an INACTIVE or ABSENT cell active
    has_locations: bool = True
    poll_every: timedelta = timedelta(seconds=60)  # changed-levels poll where notices are at work
    poll_alone_every: timedelta = timedelta(seconds=10)  # the same where no notices can arrive
    poll_overlap: timedelta = timedelta(minutes=2)  # how far a poll reaches back behind its last success


@dataclass(frozen=True, slots=True, order=True)
class CellRef:
    """A cell as the partner names it."""

    item: ItemKey
    location: LocationKey


@dataclass(frozen=True, slots=True)
class LevelReading:
    """What the partner said about one cell. `quantity` is None unless `condition` is ACTIVE.

    `stamp` is the partner's own time of the cell's last change where it gives one, never our clock.
    """

    cell: CellRef
    condition: Condition
    quantity: int | None
    stamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class LevelPage:
    """A page of a list of levels. A list is a notice, not a reading. `cursor` None: the list ended."""

    levels: tuple[LevelReading, ...]
    cursor: str | None


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
    """A page of the catalogue. `levels` may carry the levels the page came with (hints). `cursor` None: complete."""

    items: tuple[CatalogueItem, ...]
    cursor: str | None
    levels: tuple[LevelReading, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueRefresh:
    """What `refresh` found: items as they are now, and keys that were asked for and exist no more."""

    items: tuple[CatalogueItem, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedOp:
    """One planned write: add `delta` units (never 0) to a cell."""

    op: OpId
    cell: CellRef
    delta: int


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
    """The partner certainly did not carry the op out, through no fault of the row (its neighbour was refused)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The partner refused this row for itself: quarantine, with `reason` for a person and a stable `code`."""

    reason: str
    code: str


OpOutcome = Applied | NotApplied | Rejected


@dataclass(frozen=True, slots=True)
class Split:
    """The partner refused the whole batch for a row it did not name: nothing was carried out; halve it, try again."""

    reason: str


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of a partner's change history: signed `amount`, its time, and whose op it was if it was one of ours.

    `installation` and `op` come from our memo; both None for a change somebody else made. `cause` is one of the words
    sale, return, count, receipt, transfer, layaway, adjustment, shipment, loss, correction, reservation, api, other.
    """

    id: str
    amount: int
    at: datetime
    cause: str
    installation: str | None = None
    op: OpId | None = None
    level_after: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a connection test proved. `identity` never changes for a connection; `expires_at`: of the credential."""

    identity: str
    name: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    warnings: tuple[str, ...] = ()


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
    ACCESS = "access"  # scopes or the like changed: verify again
    OTHER = "other"  # understood and of no effect


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
    """A notice that proved its origin. `id` is unique per delivery at the connection; retries share it."""

    id: str
    topic: str
    kind: NoticeKind
    cells: tuple[CellHint, ...] = ()
    catalogue: tuple[str, ...] = ()  # keys for `refresh`
    sent_at: datetime | None = None


class Budget(Protocol):
    """A connection's rate budget. After a start or take-over it is empty, not full (DESIGN §5)."""

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until a request of this kind (`read`, `write`) may be sent; 0 means now."""
        ...

    def available(self, now: datetime) -> float:
        """What is left, in the partner's own unit, for the metric."""
        ...


class Client(Protocol):
    """One connection's conversation with its partner.

    Every method may raise RetryLater, Broken or Bug; the budget is checked before each request, and a request it does
    not allow raises RetryLater without being sent. Only `send` may raise Doubt or Stale.
    """

    @property
    def capabilities(self) -> Capabilities: ...
    @property
    def budget(self) -> Budget: ...

    async def verify(self) -> Verified: ...
    async def locations(self) -> Sequence[PartnerLocation]: ...
    async def catalogue_page(self, cursor: str | None) -> CataloguePage: ...
    async def refresh(self, keys: Sequence[str]) -> CatalogueRefresh: ...

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        """Read cells (≤ capabilities.read_batch) by key, or by a list fast enough to be a reading.

        `changed_since`: the oldest mark among the cells. A cell left out of the answer was not read and stays dirty.
        """
        ...

    async def changed_levels(self, since: datetime, until: datetime, cursor: str | None) -> LevelPage:
        """One page of the levels that changed in a window, as hints."""
        ...

    async def walk_levels(self, cursor: str | None) -> LevelPage:
        """One page of all levels, as hints."""
        ...

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        """The exact request that carries out `ops` (all of one sign). Pure: no I/O, no clock."""
        ...

    def compose_activation(self, cell: CellRef, key: str) -> PreparedRequest:
        """The exact request that makes a cell active without setting a number (only where `activates`)."""
        ...

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
        """Send a batch and say what became of every op of it. `Doubt` where that cannot be said."""
        ...

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        """Change history of a cell since a time, oldest first. Raises Unreadable where there is none to read."""
        ...

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport: ...


class NoticeParser(Protocol):
    """Checks and reads notices. Raises UnauthorizedNotice or MalformedNotice."""

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """`headers` have lower-case names; `body` is the raw body that any signature covers."""
        ...


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What the composition root gives an adapter: the door, time, and this installation's short identifier
    (1–16 of [0-9a-z]) for memos and references."""

    transport: Transport
    ambient: Ambient
    installation: str
    budget_full: bool = False  # True only in tests and one-off commands: the budget starts full


class SettingsModel(BaseModel):
    """Base of every system's connection settings. Fields of type SecretStr are stored encrypted, the rest in clear.

    Subclasses validate shapes with messages that say what would be right.
    """

    model_config = {"extra": "forbid", "frozen": True}


@dataclass(frozen=True, slots=True)
class SystemDefinition:
    """One system as the registry knows it."""

    name: str  # smaregi, shopify …
    title_en: str
    title_ja: str
    capabilities: Capabilities
    settings: type[SettingsModel]
    make_client: Callable[[Any, ClientContext], Client]  # Any: this system's own SettingsModel
    make_notice_parser: Callable[[Any], NoticeParser] | None  # None where the system sends no notices
    credential_fields: tuple[str, ...] = ()
    prerequisites_en: tuple[str, ...] = ()
    prerequisites_ja: tuple[str, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)  # name → what it decides and its default
    notice_response_empty: bool = True
