"""What behaviours have in common: a caller with patience, and expectations that say what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from inventory_sync.conformance.rig import Impossible, Rig
from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import PartnerError, RetryLater
from inventory_sync.systems.port import (
    Capabilities,
    CatalogueItem,
    CellRef,
    Client,
    Condition,
    HistoryRow,
    LevelReading,
    OpOutcome,
    PlannedOp,
    PreparedRequest,
    Split,
)

T = TypeVar("T")
E = TypeVar("E", bound=PartnerError)

MOST_WAITS = 300  # times a call may ask to come again before it counts as never answered
MOST_PAGES = 100
REST = 120.0  # seconds in which every budget fills up and every pause ends


class Violated(AssertionError):
    """A behaviour that an adapter does not show."""


class NotApplicable(Exception):
    """The partner has nothing this behaviour could be shown with; the message says what."""


def expect(condition: bool, message: str) -> None:
    """Raise Violated with `message` unless `condition` holds."""
    if not condition:
        raise Violated(message)


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Raise Violated unless both are equal."""
    expect(found == wanted, f"{what}: expected {wanted!r}, found {found!r}")


def possible(given: T | Impossible) -> T:
    """What a rig gave; raises NotApplicable where its partner cannot do it."""
    if isinstance(given, Impossible):
        raise NotApplicable(given.why)
    return given


async def refusal(kind: type[E], ask: Awaitable[object]) -> E:
    """The error of this kind that a call ends with; Violated where it ends otherwise."""
    try:
        found = await ask
    except kind as error:
        return error
    except PartnerError as error:
        raise Violated(f"expected {kind.__name__}, got {type(error).__name__}: {error.message}") from error
    raise Violated(f"expected {kind.__name__}, got the answer {found!r}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A composed batch, as the engine keeps it: what may be sent, and sent again."""

    prepared: PreparedRequest
    ops: tuple[PlannedOp, ...]

    @property
    def op(self) -> PlannedOp:
        """The first op, of a batch of one."""
        return self.ops[0]


class Stage:
    """A rig with one client on it, and what a patient caller does with them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.client: Client = rig.client()
        self._numbers = 0

    @property
    def capabilities(self) -> Capabilities:
        return self.client.capabilities

    def new_id(self) -> str:
        """A fresh id, in the form of those the engine makes (32 hex digits)."""
        self._numbers += 1
        return f"{0xC0FFEE:08x}{self._numbers:024x}"

    # -- patience ---

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What a caller gets who comes again whenever told to, and never earlier."""
        for _ in range(MOST_WAITS):
            try:
                return await ask()
            except RetryLater as error:
                expect(error.after > 0, f"RetryLater without a time to wait: {error.message}")
                await self.rig.pause(error.after)
        raise Violated(f"no answer after {MOST_WAITS} waits")

    async def rested(self, client: Client | None = None) -> None:
        """Sign in and let the budget fill up, so that the next call is one request that leaves at once."""
        await self.patiently((client or self.client).verify)
        await self.rig.pause(REST)

    async def settle(self) -> None:
        """Let as much time pass as a change may be missing from reads."""
        await self.rig.pause(self.capabilities.read_lag.total_seconds())

    # -- reading ---

    async def read(self, cells: Sequence[CellRef], since: datetime | None = None) -> Mapping[CellRef, LevelReading]:
        """Read every cell, `read_lag` after whatever happened last, in as many calls as it takes."""
        await self.settle()
        found: dict[CellRef, LevelReading] = {}
        waiting = list(cells)
        for _ in range(len(waiting) + 1):
            if not waiting:
                return found
            batch = tuple(waiting[: self.capabilities.read_batch])
            for reading in await self.patiently(lambda asked=batch: self.client.read(asked, changed_since=since)):  # type: ignore[misc]
                expect(reading.cell in batch, f"a reading of {reading.cell}, which was not asked")
                expect(reading.cell not in found, f"two readings of {reading.cell}")
                found[reading.cell] = reading
            waiting = [each for each in cells if each not in found]
            await self.rig.pause(1.0)
        raise Violated(f"cells that no call read: {waiting}")

    async def quantity(self, cell: CellRef) -> int | None:
        """The number the adapter reads in a cell. Violated where the cell is not active."""
        reading = (await self.read([cell]))[cell]
        expect_equal(reading.condition, Condition.ACTIVE, f"the condition of {cell}")
        return reading.quantity

    async def expect_read(self, cell: CellRef) -> None:
        """The adapter reads what the partner holds."""
        expect_equal(await self.quantity(cell), self.rig.truth(cell), f"the number read in {cell}")

    async def catalogue(self) -> list[CatalogueItem]:
        """The whole catalogue, page by page."""
        items: list[CatalogueItem] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            at = cursor
            page = await self.patiently(lambda: self.client.catalogue_page(at))  # noqa: B023 - called at once
            items.extend(page.items)
            cursor = page.cursor
            if cursor is None:
                return items
        raise Violated(f"the catalogue did not end within {MOST_PAGES} pages")

    # -- writing ---

    def plan(self, *changes: tuple[CellRef, int]) -> Sent:
        """A batch composed of these changes, with fresh ids."""
        ops = tuple(PlannedOp(OpId(self.new_id()), cell, delta) for cell, delta in changes)
        return Sent(self.client.compose(ops, self.new_id()), ops)

    async def try_send(self, sent: Sent) -> Mapping[OpId, OpOutcome] | Split:
        """Send a batch once."""
        return await self.client.send(sent.prepared, sent.ops)

    async def send(self, sent: Sent) -> Mapping[OpId, OpOutcome]:
        """Send a batch, coming again when told to. Violated where it is to be split."""
        outcome = await self.patiently(lambda: self.try_send(sent))
        if isinstance(outcome, Split):
            raise Violated(f"a batch was to be split: {outcome.reason}")
        expect_equal(set(outcome), {op.op for op in sent.ops}, "ops with an outcome")
        return outcome

    async def send_one(self, sent: Sent) -> OpOutcome:
        """Send a batch of one op and return its outcome."""
        return (await self.send(sent))[sent.op.op]

    # -- evidence ---

    async def traces(self, sent: Sent, since: datetime) -> list[HistoryRow]:
        """Rows of the partner's history that carry this op under our installation, `read_lag` after the last event."""
        await self.settle()
        rows = await self.patiently(lambda: self.client.history(sent.op.cell, since))
        return [row for row in rows if row.op == sent.op.op and row.installation == self.rig.installation]

    async def expect_effects(self, cell: CellRef, effects: Sequence[int], what: str) -> None:
        """Exactly these changes were carried out for us in a cell."""
        expect_equal(list(self.rig.effects(cell)), list(effects), f"{what}: what was carried out in {cell}")
