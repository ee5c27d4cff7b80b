"""Sales: what a movement asks of the other side, where we book a channel's sales and where somebody else does (3.9).

Where somebody else does, a fall at the channel is an expected sale: held out of every target at once, never given back
and never posted, until the ledger decrease that names it is found. Everything here runs with the pairs locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import booked_twice
from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.lane import House
from inventory_sync.model import expected
from inventory_sync.model.expected import Sale, Used, Waiting
from inventory_sync.model.ids import CellId
from inventory_sync.store import cells, db
from inventory_sync.store import sales as store
from inventory_sync.store.db import Connection
from inventory_sync.store.sales import Book, Found, LockedPair, NewSale

log = structlog.get_logger()

UNKNOWN_LAG = timedelta(seconds=3)
"""A look at a channel may show a state this old, unless the caller knows better."""

NOT_BOOKED = "sale_not_booked"
"""The alert about a sale that nobody booked in time."""


@dataclass(frozen=True, slots=True)
class Journalled:
    """A movement as it stands in the journal. `reference`: the order it came with, where known."""

    id: int
    cell: CellId
    delta: int
    asked_at: datetime
    marked_at: datetime | None
    reference: str = ""


async def moved(
    house: House, conn: Connection, movements: Sequence[Journalled], *, lag: timedelta = UNKNOWN_LAG
) -> None:
    """Tell the other sides of movements that were just journalled, in their transaction, with their cells locked.

    `lag`: how long a sale may be missing from what the partner shows; `read_lag`, or `order_lag` for orders.
    """
    if not movements:
        return
    fallen = sorted({m.cell for m in movements if m.delta < 0})
    if fallen:
        await _ask_channels(conn, fallen, max(m.asked_at for m in movements))
    pairs = await store.lock_pairs_at(conn, {m.cell for m in movements})
    await _post(conn, movements)
    heard: list[cells.Due] = [(m.cell, m.marked_at or m.asked_at, None) for m in movements]
    await cells.put_due(conn, heard, query="put_due_siblings")
    await db.notify(conn, "decide")
    expecting = {pair.channel_cell: pair for pair in pairs if pair.expects}
    sold = [m for m in movements if m.cell in expecting]
    if sold:
        await _expect(house, conn, expecting, sold, lag)
    if fallen:
        await booked_twice.look(house, conn, fallen)


async def _post(conn: Connection, movements: Sequence[Journalled]) -> None:
    """Movements of channels whose sales we book are owed to the ledger; falls and rises apart, each cell once."""
    for falls in (True, False):
        sums: dict[CellId, int] = {}
        for m in movements:
            if (m.delta < 0) == falls:
                sums[m.cell] = sums.get(m.cell, 0) + m.delta
        if sums:
            await db.run(conn, "move_channel", cells=list(sums), deltas=list(sums.values()))
            await db.run(conn, "move_ledger", cells=list(sums), deltas=list(sums.values()))


async def _ask_channels(conn: Connection, fallen: Sequence[CellId], at: datetime) -> None:
    """A ledger fall may book a sale that nobody heard of yet: the channel cells are read before they are told of it.

    They are marked as of the instant the fall was asked for, so that only a reading later by the lag clears the mark.
    """
    channels = await db.rows(conn, "expecting_channels", cells=fallen)
    if channels:
        await db.run(conn, "note_falls", cells=fallen, at=at)
        await db.run(conn, "mark_cells", ids=[r["id"] for r in channels], now=at)
        for connection_id in sorted({r["connection_id"] for r in channels}):
            await db.notify(conn, f"connection:{connection_id}")


async def _expect(
    house: House,
    conn: Connection,
    expecting: Mapping[CellId, LockedPair],
    sold: Sequence[Journalled],
    lag: timedelta,
) -> None:
    """Open what was sold, less what the ledger booked before we heard of it; take back what came back."""
    book = await store.waiting(conn, [expecting[m.cell].id for m in sold])
    found = await store.bookings(conn, _cells(book.pairs.values()))
    looks = {r["id"]: r for r in await db.rows(conn, "looks_before", movements=[m.id for m in sold])}
    before, now = dict(book.pairs), dict(book.pairs)
    fresh: list[NewSale] = []
    used: list[Used] = []
    for m in sorted(sold, key=lambda each: each.id):
        pair = expecting[m.cell]
        if m.delta > 0:
            now[pair.id] = expected.take_back(now[pair.id], m.delta)
            continue
        made_after = (looks[m.id]["listed_at" if m.reference else "read_at"] or m.asked_at) - lag
        maybe = [each.booking for each in found.values() if each.at > made_after]
        now[pair.id], sale, taken = expected.expect(now[pair.id], Sale(m.id, -m.delta, m.reference), maybe)
        due_at = m.asked_at + pair.booked_within
        fresh.append(NewSale(pair.id, m.id, -m.delta, sale.units, m.reference, made_after, due_at))
        if sale.units:
            before[pair.id] = replace(before[pair.id], sales=(*before[pair.id].sales, sale))
        used += taken
        _take(found, taken)
    await store.insert(conn, fresh)
    await store.save(conn, before, now, state="taken_back", now=house.now())
    await store.use(conn, used)
    await close_what_is_over(house, conn, book, now)
    log.info("sales.expected", sales=len(fresh), booked_before=len(used))


def _take(found: dict[int, Found], used: Iterable[Used]) -> None:
    for each in used:
        booking = found[each.id].booking
        found[each.id] = replace(found[each.id], booking=replace(booking, units=booking.units - each.units))


async def named(
    house: House, conn: Connection, movement_id: int, cell: int, delta: int, cause: str, reference: str
) -> None:
    """The cause of a fall of a ledger cell was learnt, at a ledger that names causes: settle the sales it books.

    Runs in the transaction that keeps the cause. `delta` is the part of the movement that has this cause; `reference`
    the order that the row of history names. What is left over may be a sale that we have not heard of yet.
    """
    if delta >= 0:
        return
    pairs = await store.lock_pairs_at(conn, [cell])
    book = await store.waiting(conn, [pair.id for pair in pairs])
    fed = [each for each in book.pairs.values() if any(part.cell == cell for part in each.parts)]
    if not expected.names(cause, reference, fed):
        return
    found_at = await db.value(conn, "movement_asked", movement_id=movement_id)
    later = {sale for sale, made_after in book.made_after.items() if made_after >= found_at}
    settled, left = expected.settle(fed, cell, -delta, reference, later=later)
    after = {each.pair: each for each in settled}
    changed = await store.save(conn, book.pairs, after, state="booked", now=house.now())
    if left and cause in expected.NAMING_CAUSES and any(pair.expects and pair.id in after for pair in pairs):
        await db.run(conn, "keep_booking", movement_id=movement_id, ledger_cell=cell, units=left, reference=reference)
    await tell(conn, changed)
    await close_what_is_over(house, conn, book, after)
    log.info("sales.booked", movement=movement_id, units=-delta - left, left_over=left)


async def tell(conn: Connection, changed: Iterable[CellId]) -> None:
    """Every channel that these ledger cells feed is decided again at once."""
    due: list[cells.Due] = [(cell, None, None) for cell in sorted(changed)]
    if due:
        await cells.put_due(conn, due, query="put_due_dependents")
        await db.notify(conn, "decide")


async def close_what_is_over(house: House, conn: Connection, book: Book, after: Mapping[int, Waiting]) -> None:
    """Close the alerts of pairs nothing of which is overdue any more."""
    touched = []
    for pair, now in after.items():
        left = {sale.id for sale in now.sales}
        if any(sale.id in book.overdue and sale.id not in left for sale in book.pairs[pair].sales):
            touched.append(pair)
    if touched:
        for r in await db.rows(conn, "overdue_of_pairs", pairs=touched):
            if r["units"] == 0:
                await close_alerts(conn, NOT_BOOKED, r["subject"], now=house.now())


async def tell_overdue(house: House, conn: Connection, pairs: Iterable[int]) -> None:
    """Alert that sales of these pairs should have been booked by now, and are held until a person decides."""
    for r in await db.rows(conn, "overdue_of_pairs", pairs=sorted(set(pairs))):
        if r["units"]:
            await open_alert(
                conn,
                house.observer,
                NOT_BOOKED,
                r["subject"],
                now=house.now(),
                route_id=r["route_id"],
                units=r["units"],
                since=r["since"].isoformat(),
                orders=r["orders"][:5],
            )


def _cells(waiting: Iterable[Waiting]) -> set[int]:
    return {part.cell for each in waiting for part in each.parts}
