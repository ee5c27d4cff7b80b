"""Sales that should have been booked by now: released where that is safe, else held until a person decides (3.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import routes
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.engine.sales import close_what_is_over, tell, tell_overdue
from inventory_sync.model import expected
from inventory_sync.model.expected import Booking, Used
from inventory_sync.store import db
from inventory_sync.store import sales as store
from inventory_sync.store.db import Connection
from inventory_sync.store.sales import Book

log = structlog.get_logger()

BATCH = 200
GIVE_UP = timedelta(minutes=10)
"""A ledger that cannot be read for so long after a sale was due is not waited for: the sale is called overdue."""

AGAIN = timedelta(seconds=1)


async def release(house: House, lane: Lane) -> Progress:
    """One batch of a ledger's sales whose time is over. A step of the ledger's lane, which knows what it can name.

    A ledger that names causes did not name them: they are overdue, and stay held. At one that names nothing they are
    released if it fell by as much as was expected, each fall counted once; else they are overdue and stay held.
    """
    now = house.now()
    if not lane.polled:
        return Progress(0, now + AGAIN)
    async with db.transaction(house.pool) as conn:
        await db.run(conn, "forget_bookings", ledger_id=lane.connection_id)
        await db.run(conn, "close_sales_alerts", now=now)
        due = await db.rows(
            conn, "due_sales", ledger_id=lane.connection_id, now=now, give_up=now - GIVE_UP, limit=BATCH
        )
        done = await _judge(house, conn, lane, due) if due else 0
    following: datetime | None = await db.value(house.pool, "next_sale_due", ledger_id=lane.connection_id)
    return Progress(done, None if following is None else max(following, now + AGAIN))


async def _judge(house: House, conn: Connection, lane: Lane, due: Sequence[db.Record]) -> int:
    ids = sorted({r["pair_id"] for r in due})
    ledger = [r["ledger_cell"] for r in await db.rows(conn, "ledger_cells_of", pairs=ids)]
    await store.lock_pairs_at(conn, ledger)
    book = await store.waiting(conn, ids)
    still = {sale.id for each in book.pairs.values() for sale in each.sales} - book.overdue
    due = [r for r in due if r["movement_id"] in still]
    if not due:
        return 0
    covered: list[int] = []
    if not lane.client.capabilities.names_causes:
        covered = await _release(house, conn, book, due, ledger)
    late = [r for r in due if r["movement_id"] not in covered]
    if late:
        await db.run(conn, "overdue_sales", movements=[r["movement_id"] for r in late])
        await tell_overdue(house, conn, [r["pair_id"] for r in late])
    log.info("sales.due", connection=lane.name, released=len(covered), overdue=len(late))
    return len(due)


async def _release(
    house: House, conn: Connection, book: Book, due: Sequence[db.Record], ledger: Sequence[int]
) -> list[int]:
    """Release the sales for which the ledger fell far enough in their time. Says which."""
    since = min(r["opened_at"] for r in due)
    found = await db.rows(conn, "falls_since", cells=list(ledger), since=since)
    left = {r["id"]: r["units"] for r in found}
    after = dict(book.pairs)
    counted: list[Used] = []
    released: list[int] = []
    for r in due:
        sale, pair = r["movement_id"], r["pair_id"]
        used = expected.cover(expected.needs(after[pair], sale), _falls(found, left, r["opened_at"], r["due_at"]))
        if used is None:
            continue
        for each in used:
            left[each.id] -= each.units
        counted += used
        released.append(sale)
        after[pair] = expected.close(after[pair], sale)
    await _finish(house, conn, book, after, "released")
    await store.use(conn, counted, query="count_falls")
    return released


def _falls(found: Sequence[db.Record], left: Mapping[int, int], since: datetime, due_at: datetime) -> list[Booking]:
    """Falls that may have happened between a sale and its time: each lies between two readings of its cell."""
    return [
        Booking(r["id"], r["cell_id"], left[r["id"]])
        for r in found
        if r["asked_at"] > since and (r["previous_asked_at"] is None or r["previous_asked_at"] < due_at)
    ]


async def _finish(
    house: House, conn: Connection, book: Book, after: Mapping[int, expected.Waiting], state: str
) -> None:
    changed = await store.save(conn, book.pairs, after, state=state, now=house.now())
    await tell(conn, changed)
    await close_what_is_over(house, conn, book, after)


@dataclass(frozen=True, slots=True)
class WaitingSale:
    """A sale that is still to be booked, as a person sees it. `units` are still open; `overdue`: a person decides."""

    location: str
    units: int
    reference: str
    heard_at: datetime
    due_at: datetime
    overdue: bool


async def waiting_sales(house: House, route: str, value: str) -> list[WaitingSale]:
    """What a route still expects under one matching value, oldest first. Raises NoSuch."""
    async with db.transaction(house.pool) as conn:
        ids = await _pairs(conn, route, value)
        return [_shown(r) for r in await db.rows(conn, "sales_of_pairs", pairs=ids)]


async def settle_by_person(house: House, route: str, value: str, *, booked: bool, actor: str) -> list[WaitingSale]:
    """A person decides about overdue sales: they are `booked` in the ledger by now, or never will be (released).

    Either way nothing is held for them any more. Returns those that were decided. Raises NoSuch, and RefusedByRule
    where nothing waits for a decision: what is not overdue yet may still be booked, and would be told too much.
    """
    async with db.transaction(house.pool) as conn:
        ids = await _pairs(conn, route, value)
        shown = {r["movement_id"]: _shown(r) for r in await db.rows(conn, "sales_of_pairs", pairs=ids)}
        decided = [sale for sale in shown.values() if sale.overdue]
        if not decided:
            units = sum(sale.units for sale in shown.values())
            raise routes.RefusedByRule(
                "IS-RTE-040",
                f"Nothing of {value} in the route {route} waits for a decision; {units} units may still be booked "
                "in time. Nothing was changed.",
                f"ルート {route} の {value} に、判断待ちのものはありません。"
                f"{units} 個はまだ期限内に計上される見込みです。何も変更していません。",
            )
        book = await store.waiting(conn, ids)
        after = dict(book.pairs)
        for pair, each in book.pairs.items():
            for sale in each.sales:
                if sale.id in book.overdue:
                    after[pair] = expected.close(after[pair], sale.id)
        await _finish(house, conn, book, after, "booked" if booked else "released")
        await write_audit(
            house,
            conn,
            actor,
            "sale.booked" if booked else "sale.released",
            f"{route}/{value}",
            before={"overdue": sum(sale.units for sale in decided), "orders": [s.reference for s in decided]},
            after={"overdue": 0},
        )
    return decided


async def _pairs(conn: Connection, route: str, value: str) -> list[int]:
    found = await routes.route_named(conn, route)
    ids = [r["id"] for r in await db.rows(conn, "pairs_of_value", route_id=found["id"], value=value)]
    if not ids:
        raise routes.NoSuch(
            f"The route {route} has no pair {value!r}.",
            f"ルート {route} に、照合値が「{value}」の商品の組はありません。",
        )
    return ids


def _shown(r: db.Record) -> WaitingSale:
    return WaitingSale(r["location"], r["open"], r["reference"], r["heard_at"], r["due_at"], r["state"] == "overdue")
