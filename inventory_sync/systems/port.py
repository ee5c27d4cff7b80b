"""The port between the engine and partner systems: narrow protocols by need, and one frozen `Capabilities`.

The engine asks capabilities and never a system's name. An adapter is stateless between calls except for its token and
its rate budget; whatever must survive a crash is a row the engine keeps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, OpId
from inventory_sync.systems.http import Transport
from inventory_sync.systems.steps import Step, Way
from inventory_sync.systems.values import (
    Accepted,
    Applied,
    BulkWrites,
    Calibration,
    CalibrationStep,
    CatalogueItem,
    CataloguePage,
    CatalogueRefresh,
    CellHint,
    CellRef,
    Condition,
    FileGeneration,
    HistoryRow,
    LevelPage,
    LevelReading,
    NamedFile,
    NotApplied,
    Notice,
    NoticeKind,
    OpOutcome,
    OrderLine,
    OrderPage,
    OrderState,
    PartnerLocation,
    Payment,
    PlannedOp,
    PreparedRequest,
    Rejected,
    Split,
    SubscriptionReport,
    Verified,
    WritePace,
)

__all__ = [
    "Accepted",
    "Applied",
    "Budget",
    "BulkWrites",
    "Calibration",
    "CalibrationStep",
    "CallbackParser",
    "Capabilities",
    "CatalogueItem",
    "CataloguePage",
    "CatalogueRefresh",
    "CellHint",
    "CellRef",
    "ChangeSource",
    "Client",
    "ClientContext",
    "Condition",
    "EvidenceKind",
    "FileCatalogue",
    "FileGeneration",
    "GroupingClient",
    "HistoryRow",
    "LevelPage",
    "LevelReading",
    "NamedFile",
    "NotApplied",
    "Notice",
    "NoticeKind",
    "NoticeParser",
    "OpOutcome",
    "OrderClient",
    "OrderLine",
    "OrderPage",
    "OrderState",
    "PartnerLocation",
    "PausingBudget",
    "Payment",
    "PlannedOp",
    "PreparedRequest",
    "Rejected",
    "Role",
    "SettingsModel",
    "Split",
    "Step",
    "SubscriptionReport",
    "SystemDefinition",
    "Verified",
    "Way",
    "WriteMode",
    "WritePace",
]


class Role(StrEnum):
    """The part a connection can play in a route."""

    LEDGER = "ledger"
    CHANNEL = "channel"


class EvidenceKind(StrEnum):
    """How doubt about a write ends at this system (DESIGN §3.7)."""

    KEY = "key"  # the identical bytes may be repeated under the same durable key
    HISTORY = "history"  # the op id can be looked up in the partner's change history
    ORDERS = "orders"  # a relative write without a key: the level, explained by the orders around it, says it
    LEVEL = "level"  # an absolute write: once nothing can land any more, the level is read and written again
    NONE = "none"  # no answer possible: the lower number is believed


class ChangeSource(StrEnum):
    """What says that somebody else changed a level (DESIGN §3.8)."""

    LEVELS = "levels"  # the difference between two readings
    ORDERS = "orders"  # the orders, and what they leave unexplained in the level


class WriteMode(StrEnum):
    """What a write carries."""

    RELATIVE = "relative"  # units to add: `PlannedOp.delta`
    ABSOLUTE = "absolute"  # the number to set: `PlannedOp.value`


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
    catalogue_by_files: bool = False  # items come from files that a person hands in, not from `catalogue_page`
    poll_every: timedelta = timedelta(seconds=60)  # changed-levels poll where notices are at work
    poll_alone_every: timedelta = timedelta(seconds=10)  # the same where no notices can arrive
    poll_overlap: timedelta = timedelta(minutes=2)  # how far a poll reaches back behind its last success
    polls_levels: bool = True  # `changed_levels` exists; else changes are found by orders, walks and notices
    change_source: ChangeSource = ChangeSource.LEVELS
    writes: WriteMode = WriteMode.RELATIVE
    has_orders: bool = False  # `orders` exists
    orders_every: timedelta = timedelta(seconds=3)  # newest orders
    order_lag: timedelta = timedelta(seconds=10)  # an order is listed at most this long after it moved the stock
    order_end_lag: timedelta = timedelta(0)  # and at least this long, where a list ends so long before it is asked
    order_window: timedelta = timedelta(days=3)  # read again with spare budget: cancels, edits, vanished orders
    order_window_wide: timedelta = timedelta(days=30)  # the same, once a night
    provisional_counts: bool = True  # a provisional order holds stock at the partner already
    grouped_writes: bool = False  # a batch holds cells of one `write_group` only
    serial: bool = False  # one request at a time over all of them; a new owner waits before its first
    bases: frozenset[str] = frozenset({"stock"})  # ledger: which numbers `LevelReading` can carry (DESIGN §3.5)
    cuts_at_zero: bool = False  # a relative write whose result would lie below 0 stops at 0, and nobody is told
    shows_committed: bool = False  # channel: readings carry units that orders have taken and nobody shipped
    names_causes: bool = False  # ledger: history rows tell a sale at the counter from a booking of an order
    bulk: BulkWrites | None = None  # for many rows at once: `compose` takes up to so many ops, `send` says Accepted
    adjustable_intake: tuple[str, ...] = ("adjustment",)  # ledger: ways in which channel movements can be booked


class Budget(Protocol):
    """A connection's rate budget. After a start or take-over it is empty, not full (DESIGN §5)."""

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until a request of this kind (`read`, `write`, `orders`) may be sent; 0 means now."""
        ...

    def available(self, now: datetime) -> float:
        """What is left, in the partner's own unit, for the metric."""
        ...


class PausingBudget(Budget, Protocol):
    """The budget of a system whose capabilities say `serial`."""

    def pause(self, until: datetime) -> None:
        """Let nothing through before `until`."""
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

    async def send(
        self, prepared: PreparedRequest, ops: Sequence[PlannedOp]
    ) -> Mapping[OpId, OpOutcome] | Split | Accepted:
        """Send a batch and say what became of every op of it. `Doubt` where that cannot be said."""
        ...

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        """Change history of a cell since a time, oldest first. Raises Unreadable where there is none to read."""
        ...

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport: ...


class GroupingClient(Client, Protocol):
    """A client whose capabilities say `grouped_writes`."""

    def write_group(self, cell: CellRef) -> str:
        """Which cells may share a request: those of one group."""
        ...


class OrderClient(Client, Protocol):
    """A client whose capabilities say `has_orders`."""

    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        """One page of the orders placed in a window, in every state."""
        ...


class NoticeParser(Protocol):
    """Checks and reads notices. Raises UnauthorizedNotice or MalformedNotice."""

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """`headers` have lower-case names; `:method`, `:token` and `:query` carry the method, the part of the path
        behind the connection's name and the raw query string. `body` is the raw body that any signature covers."""
        ...


class CallbackParser(NoticeParser, Protocol):
    """The parser of a system whose definition names a `callback_field`."""

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks and reads what a partner says of a batch it had accepted. `:token` is the unguessable part."""
        ...


class FileCatalogue(Protocol):
    """A catalogue that comes as a set of files, one of each kind: all of them, or nothing."""

    @property
    def kinds(self) -> Sequence[str]: ...

    def kind_of(self, file: NamedFile) -> str:
        """Which file of the set this is. Raises FileRefused."""
        ...

    def read(self, files: Mapping[str, NamedFile], *, accepted: Mapping[str, str], confirmed: bool) -> FileGeneration:
        """The catalogue that a whole set makes. `accepted`: what `FileGeneration.accepted` said last time; a layout
        that differs from it is refused unless `confirmed`. Raises FileRefused; then nothing of it counts."""
        ...


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What the composition root gives an adapter: the door, time, and this installation's short identifier
    (1–16 of [0-9a-z]) for memos and references."""

    transport: Transport
    ambient: Ambient
    installation: str
    budget_full: bool = False  # True only in tests and one-off commands: the budget starts full
    calibration: Mapping[str, str] = field(default_factory=dict)  # what `calibrate` found at this connection
    callback_url: str | None = None  # where callbacks of accepted batches reach us, secret and all; None: nowhere


class SettingsModel(BaseModel):
    """Base of every system's connection settings. Fields of type SecretStr are stored encrypted, the rest in clear.

    Subclasses validate shapes and raise `WrongValue`, which says in both languages what would be right.
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
    needs_calibration: Callable[[Any], bool] = lambda _: False  # by settings: no route runs before it was calibrated
    file_catalogue: Callable[[Any], FileCatalogue | None] | None = None  # by settings: not every account needs files
    # by settings and what a calibration found; None: as the capabilities say
    change_source: Callable[[Any, Mapping[str, str]], ChangeSource] | None = None
    generated_secrets: tuple[str, ...] = ()  # SecretStr fields that we make up when a connection is created
    callback_field: str = ""  # that of them which callbacks of accepted batches carry in their address
    pace: Callable[[Any, bool], WritePace] | None = None  # by settings, and whether we have a public address: how fast
    # a push goes by single and by bulk calls; None where there are no bulk calls
    calibrate: Callable[[Any, ClientContext, ItemKey], Awaitable[Calibration]] | None = None
    # settings, context, and an item the operator named for it: finds out what no document says, changing only that item
    # and leaving it as it was. Raises InvalidSettings where the item cannot serve.
    steps: tuple[Step, ...] = ()  # setting up a connection, in order
    ways: tuple[Way, ...] = ()  # where an account can be connected in several ways; the first is the usual one
    reads_en: tuple[str, ...] = ()  # kinds of data that are read; nothing else is
    reads_ja: tuple[str, ...] = ()
    problems_ja: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # by code: what it is, and what to do
