"""What behaviours have in common: a caller with patience, and expectations that say what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from inventory_sync.conformance.rig import Door, FilingRig, Impossible, OrderingRig, Rig, Trouble
from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import PartnerError, RetryLater
from inventory_sync.systems.port import (
    Accepted,
    Applied,
    Capabilities,
    CatalogueItem,
    CellRef,
    Client,
    Condition,
    HistoryRow,
    LevelReading,
    OpOutcome,
    OrderClient,
    OrderLine,
    OrderPage,
    PlannedOp,
    PreparedRequest,
    Split,
    WriteMode,
)

T = TypeVar("T")
E = TypeVar("E", bound=PartnerError)

MOST_WAITS = 300  # times a call may ask to come again before it counts as never answered
MOST_PAGES = 1000
LONGEST_SHOWN = 600  # characters of one thing in a message
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
    expect(found == wanted, f"{what}: expected {_short(wanted)}, found {_short(found)}")


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
    raise Violated(f"expected {kind.__name__}, got the answer {_short(found)}")


def _short(found: object) -> str:
    """What is shown of something that may be a whole catalogue."""
    text = repr(found)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} … ({len(text)} characters)"


def take_lines(known: dict[tuple[str, str], OrderLine], page: OrderPage) -> None:
    """Add the lines of a page. A line stands on a page once; one that an earlier page had as well is told the same."""
    ids = [(line.order, line.line) for line in page.lines]
    expect(len(ids) == len(set(ids)), f"a line stands twice on a page of {sorted(ids)}")
    for key, line in zip(ids, page.lines, strict=True):
        expect(known.get(key, line) == line, f"{line} was told as {known.get(key)} before")
        known[key] = line


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

    @property
    def shop(self) -> OrderingRig:
        """The rig of a system with orders; only for behaviours that need those."""
        return cast(OrderingRig, self.rig)

    def new_id(self) -> str:
        """A fresh id, in the form of those the engine makes (32 hex digits)."""
        self._numbers += 1
        return f"{0xC0FFEE:08x}{self._numbers:024x}"

    # -- patience ---

    async def patiently(self, ask: Callable[[], Awaitable[T]], most: int = MOST_WAITS) -> T:
        """What a caller gets who comes again whenever told to, and never earlier."""
        for _ in range(most):
            try:
                return await ask()
            except RetryLater as error:
                expect(error.after > 0, f"RetryLater without a time to wait: {error.message}")
                await self.rig.pause(error.after)
        raise Violated(f"no answer after {most} waits")

    async def rested(self, client: Client | None = None) -> None:
        """Sign in and let the budget fill up, so that the next call is one request that leaves at once."""
        await self.patiently((client or self.client).verify)
        await self.rig.pause(REST)

    async def settle(self) -> None:
        """Let as much time pass as a change may be missing from reads."""
        await self.rig.pause(self.capabilities.read_lag.total_seconds())

    # -- trouble ---

    def trouble(self, door: Door, trouble: Trouble) -> None:
        """The next request through this door meets a trouble. NotApplicable where the partner cannot get into it."""
        why = self.rig.unplayable.get((door, trouble))
        if why is not None:
            raise NotApplicable(why)
        self.rig.trouble(door, trouble)

    def playable(self, door: Door, troubles: Sequence[Trouble]) -> list[Trouble]:
        """Those of the troubles that the partner can get into at a door."""
        return [each for each in troubles if (door, each) not in self.rig.unplayable]

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
        expect_equal(await self.quantity(cell), await self.rig.truth(cell), f"the number read in {cell}")

    async def catalogue(self) -> list[CatalogueItem]:
        """The whole catalogue, page by page or out of its files."""
        if self.capabilities.catalogue_by_files:
            return await self._filed_catalogue()
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

    async def _filed_catalogue(self) -> list[CatalogueItem]:
        rig = cast(FilingRig, self.rig)
        reader = rig.file_catalogue()
        files = {reader.kind_of(file): file for file in await rig.catalogue_files()}
        return list(reader.read(files, accepted={}, confirmed=False).items)

    # -- orders ---

    async def orders(self, since: datetime, until: datetime, client: Client | None = None) -> list[OrderLine]:
        """Every line of the orders placed in a window, page by page, once each."""
        asked = cast(OrderClient, client or self.client)
        lines: dict[tuple[str, str], OrderLine] = {}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            at = cursor
            page = await self.patiently(lambda: asked.orders(since, until, at))  # noqa: B023 - called at once
            take_lines(lines, page)
            cursor = page.cursor
            if cursor is None:
                return list(lines.values())
        raise Violated(f"the orders did not end within {MOST_PAGES} pages")

    async def recent_orders(self, since: datetime) -> list[OrderLine]:
        """Every line of the orders placed since, once all of them are listed."""
        await self.rig.pause(self.capabilities.order_lag.total_seconds())
        return await self.orders(since, self.rig.now())

    # -- writing ---

    async def plan(self, *changes: tuple[CellRef, int], known: Mapping[CellRef, int] | None = None) -> Sent:
        """A batch composed of these changes, with fresh ids.

        Where writes are absolute, each sets the number that is `known` (the partner's own, if left out) and changed.
        """
        ops: list[PlannedOp] = []
        for cell, delta in changes:
            value = None
            if self.capabilities.writes is WriteMode.ABSOLUTE:
                value = delta + ((await self.rig.truth(cell) or 0) if known is None else known[cell])
            ops.append(PlannedOp(OpId(self.new_id()), cell, delta, value))
        return Sent(self.client.compose(ops, self.new_id()), tuple(ops))

    async def try_send(self, sent: Sent) -> Mapping[OpId, OpOutcome] | Split:
        """Send a batch once. Violated where it is only accepted: the kit sends no more than `write_batch` at once."""
        outcome = await self.client.send(sent.prepared, sent.ops)
        if isinstance(outcome, Accepted):
            raise Violated(f"a batch of {len(sent.ops)} was accepted, and not carried out")
        return outcome

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

    async def expect_applied(self, sent: Sent, effects: Sequence[int], what: str) -> None:
        """A batch of one op is carried out, and these are the effects in its cell by then."""
        outcome = await self.send_one(sent)
        expect(isinstance(outcome, Applied), f"{what} came to {outcome}")
        await self.expect_effects(sent.op.cell, effects, what)

    # -- evidence ---

    async def traces(self, sent: Sent, since: datetime) -> list[HistoryRow]:
        """Rows of the partner's history that carry this op under our installation, `read_lag` after the last event."""
        await self.settle()
        rows = await self.patiently(lambda: self.client.history(sent.op.cell, since))
        return [row for row in rows if row.op == sent.op.op and row.installation == self.rig.installation]

    async def expect_effects(self, cell: CellRef, effects: Sequence[int], what: str) -> None:
        """Exactly these changes were carried out for us in a cell, once everything that was sent is worked off."""
        await self.settle()
        expect_equal(list(await self.rig.effects(cell)), list(effects), f"{what}: what was carried out in {cell}")
