"""Expected sales as rows: what pairs wait for, read and written under the pairs' locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.model.expected import Booking, Part, Sale, Used, Waiting
from inventory_sync.model.ids import CellId, PairId
from inventory_sync.store import db
from inventory_sync.store.db import Connection


@dataclass(frozen=True, slots=True)
class LockedPair:
    """A pair that one of the moved cells belongs to, locked. `expects`: somebody else books its sales."""

    id: PairId
    channel_cell: CellId
    expects: bool
    booked_within: timedelta


@dataclass(frozen=True, slots=True)
class NewSale:
    """A sale to be kept: `open` of its `units` are still to be booked. It was made later than `made_after`."""

    pair: int
    movement: int
    units: int
    open: int
    reference: str
    made_after: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A booking with the time its fall was found."""

    booking: Booking
    at: datetime


@dataclass(slots=True)
class Book:
    """What pairs wait for, as it was read; which of their sales are overdue, and after when each was made."""

    pairs: dict[int, Waiting]
    overdue: frozenset[int]
    made_after: dict[int, datetime]


async def lock_pairs_at(conn: Connection, cells: Iterable[int]) -> list[LockedPair]:
    """Lock every pair that has one of these cells on either side."""
    return [
        LockedPair(PairId(r["id"]), CellId(r["channel_cell"]), r["expects"], timedelta(seconds=r["booked_within"]))
        for r in await db.rows(conn, "lock_pairs_at", cells=sorted(set(cells)))
    ]


async def waiting(conn: Connection, pairs: Iterable[int]) -> Book:
    """What these pairs wait for. They must be locked."""
    ids = sorted(set(pairs))
    sales: dict[int, list[Sale]] = {}
    overdue: set[int] = set()
    made_after: dict[int, datetime] = {}
    for r in await db.rows(conn, "expected_sales", pairs=ids):
        sales.setdefault(r["pair_id"], []).append(Sale(r["movement_id"], r["open"], r["reference"]))
        made_after[r["movement_id"]] = r["opened_at"]
        if r["state"] == "overdue":
            overdue.add(r["movement_id"])
    parts: dict[int, list[Part]] = {}
    shapes: dict[int, str] = {}
    for r in await db.rows(conn, "expected_parts", pairs=ids):
        shapes[r["pair_id"]] = r["shape"]
        parts.setdefault(r["pair_id"], []).append(Part(r["ledger_cell"], r["ratio"], r["expected"], r["intake"]))
    found = {pair: Waiting(pair, shapes[pair], tuple(sales.get(pair, ())), tuple(own)) for pair, own in parts.items()}
    return Book(found, frozenset(overdue), made_after)


async def bookings(conn: Connection, cells: Iterable[int]) -> dict[int, Found]:
    """Open bookings of these ledger cells, oldest first, locked."""
    return {
        r["movement_id"]: Found(Booking(r["movement_id"], r["ledger_cell"], r["open"], r["reference"]), r["found_at"])
        for r in await db.rows(conn, "open_bookings", cells=sorted(set(cells)))
    }


async def insert(conn: Connection, sales: Sequence[NewSale]) -> None:
    """Keep new sales."""
    if sales:
        await db.run(
            conn,
            "insert_expected",
            pairs=[s.pair for s in sales],
            movements=[s.movement for s in sales],
            units=[s.units for s in sales],
            opens=[s.open for s in sales],
            refs=[s.reference for s in sales],
            opened=[s.made_after for s in sales],
            due=[s.due_at for s in sales],
        )


async def save(
    conn: Connection, before: Mapping[int, Waiting], after: Mapping[int, Waiting], *, state: str, now: datetime
) -> set[CellId]:
    """Write what changed between two states of the same locked pairs; sales that are over end in `state`.

    Returns the ledger cells whose expected units changed.
    """
    opens: dict[int, int] = {}
    parts: list[tuple[int, int, int]] = []
    for pair, new in after.items():
        left = {sale.id: sale.units for sale in new.sales}
        for sale in before[pair].sales:
            if left.get(sale.id, 0) != sale.units:
                opens[sale.id] = left.get(sale.id, 0)
        for old, part in zip(before[pair].parts, new.parts, strict=True):
            if old.units != part.units:
                parts.append((pair, part.cell, part.units))
    if opens:
        await db.run(conn, "save_expected", movements=list(opens), opens=list(opens.values()), state=state, now=now)
    if parts:
        await db.run(
            conn, "save_parts", pairs=[p[0] for p in parts], cells=[p[1] for p in parts], units=[p[2] for p in parts]
        )
    return {CellId(cell) for _, cell, _ in parts}


async def use(conn: Connection, used: Sequence[Used], *, query: str = "use_bookings") -> None:
    """Take units from bookings; with `count_falls` remember what nameless falls were counted for."""
    sums: dict[int, int] = {}
    for each in used:
        sums[each.id] = sums.get(each.id, 0) + each.units
    if sums:
        await db.run(conn, query, movements=list(sums), units=list(sums.values()))
